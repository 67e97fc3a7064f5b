use super::*;

#[test]
fn the_built_in_rules_are_faultless_and_keep_their_own_promises() {
    let faults = Faults::default();
    let rules = RuleSet::compile(&embedded::files(), &faults);
    rules.check_examples(&faults);
    let faults: Vec<String> = faults.take().iter().map(ToString::to_string).collect();
    assert_eq!(faults, Vec::<String>::new());
}
