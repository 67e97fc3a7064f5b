use super::*;

/// The faults of one policy file, without its name.
fn faults_of(text: &str) -> Vec<String> {
    let faults = Faults::default();
    let _ = Policies::compile(&[("policies/x.toml".to_owned(), text.to_owned())].into(), [("bsn", 0), ("iban", 0)], &faults);
    faults.take().iter().map(|f| f.to_string().trim_start_matches("policies/x.toml:").to_owned()).collect()
}

#[test]
fn the_embedded_policies_have_no_fault() {
    let files = EMBEDDED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let names: Vec<_> = crate::detect::EMBEDDED.iter().filter_map(|(n, _)| n.strip_prefix("rules/")?.strip_suffix(".toml")).collect();
    let faults = Faults::default();
    let policies = Policies::compile(&files, names.into_iter().map(|name| (name, 0)), &faults);
    assert_eq!(faults.take(), []);
    assert!(!policies.examples().is_empty());
}

#[test]
fn every_fault_is_told_with_its_line_and_remedy() {
    let text = "\
defaults = { missing_phone = 'hold-all', mode = 'montor' }
[[policy]]
name = 'a'
when = { rule = 'bns', confidence = 'hihg', to = 'outside' }
then = 'level 3'
[[policy]]
name = 'a'
when = { confidence = 'high', at = 'monday' }
then = 'blok'
until = 2027-01-01
[[policy]]
when = {}
[[policy]]
name = 'c'
then = 'none'
[[policy]]
name = 'e'
when = { rule = 'bsn', word = 'geheim' }
then = 'level 1'
otherwise = 'level 2'
[[policy]]
name = 'f'
when = { finds = 'bsm', points = 0, first_contact = true }
then = 'direct'
otherwise = 'none'
[[policy]]
name = 'd'
when = { any = [{ problem = 'encrypt', reason = 'no' }, { from = { groups = ['x'] } }], unless = { from = ['a@b@c'] } }
then = 'block'
[[exception]]
[[exception]]
name = 'g'
to = { domains = ['b.example'] }
lowers = { from = ['level 1', 'direct'], to = 'level 1' }
reason = ' '
ends = '2027'
[[example]]
at = 'morgen'
mail = { from = 'x', body = 'y' }
expect = { 'z@b.example' = 'open' }
";
    assert_eq!(
        faults_of(text),
        [
            "1: `missing_phone` can't be \"hold-all\"; did you mean \"hold_all\"?",
            "1: `mode` can't be \"montor\"; did you mean \"monitor\"?",
            "4: `confidence` can't be \"hihg\"; did you mean \"high\"?",
            "4: `to` can't be \"outside\"; write \"internal\", \"external\", an address, or { domains = [\"theirs.example\"] }",
            "4: there is no rule \"bns\"; did you mean \"bsn\"?",
            "5: `then` can't be \"level 3\"; write one of: \"none\", \"direct\", \"level 1\", \"level 2\", \"ask\", \"quarantine\", \"block\"",
            "7: a policy \"a\" exists already (policies/x.toml:3); give each its own name",
            "8: `at` can't be \"monday\"; write it as in \"mo-fr 08:00-18:00\", \"sa,su\" or \"22:00-06:00\"",
            "8: `confidence` without `rule`; say whose confidence: add `rule = \"bsn\"`",
            "9: `then` can't be \"blok\"; did you mean \"block\"?",
            "10: `until` without `mode`; say what it does until then: add `mode = \"monitor\"`",
            "11: `name` is missing; add a line such as `name = \"BSN naar buiten\"`",
            "11: `then` is missing; add a line such as `then = \"level 1\"`",
            "12: this condition says nothing, so it would hold for every mail; add `rule`, `problem`, `file`, `from` or `to`",
            "13: `when` is missing; add a line such as `when = { rule = \"bsn\", to = \"external\" }`",
            "18: `word` says what to look for; write a rule with it, and name that: `rule = \"..\"`",
            "20: `otherwise` beside `then = \"level 1\"`; leave it out: it belongs to `then = \"direct\"`",
            "23: `first_contact` is asked of recipients; write `recipients = { first_contact = true }`",
            "23: `points = 0` holds for every mail; write the least number of points",
            "23: no rule finds \"bsm\"; write a rule with `finds = \"bsm\"`",
            "25: `otherwise` can't be \"none\"; write one of: \"level 1\", \"level 2\"",
            "28: \"a@b@c\" is no address; an address looks like name@domain.example",
            "28: `problem` can't be \"encrypt\"; did you mean \"encrypted\"?",
            "28: nothing is unread because of \"no\"; docs/formats.md lists the reasons",
            "28: there is no group \"x\"; write policies/groups/x.txt, an address or a domain on each line",
            "30: `ends` is missing; add the last day on which it holds, such as `ends = 2027-06-30`",
            "30: `lowers` is missing; add a line such as `lowers = { from = [\"level 1\", \"level 2\"], to = \"direct\" }`",
            "30: `name` is missing; add a line such as `name = \"Ketenpartner\"`",
            "30: `reason` is missing; add a line such as `reason = \"Verwerkersovereenkomst 2026-14\"`",
            "30: this exception is for everybody; say for whom: add `to = { domains = [\"theirs.example\"] }` or `from`",
            "34: \"level 1\" is not milder than \"direct\"; an exception lowers: name a milder outcome in `to`",
            "34: \"level 1\" is not milder than \"level 1\"; an exception lowers: name a milder outcome in `to`",
            "35: the exception's reason is empty; say why, for whoever asks next year",
            "36: `ends` is a text; write a date without quotes, the year first: 2027-01-31",
            "38: `at` can't be \"morgen\"; write a day, 2026-12-01, or \"2026-12-01 19:30\"",
            "39: \"x\" is no address; an address looks like name@domain.example",
            "39: the example's mail has no recipient; add `to`",
            "40: `z@b.example` can't be \"open\"; write one of: \"none\", \"direct\", \"level 1\", \"level 2\", \"ask\", \"quarantine\", \"block\""
        ]
    );
}

#[test]
fn a_set_that_says_nothing_about_problems_is_refused() {
    let silent = "[[policy]]\nname = 'a'\nwhen = { rule = 'bsn' }\nthen = 'block'\n";
    assert_eq!(faults_of(silent).len(), 1);
    assert!(faults_of(silent)[0].starts_with("1: no policy says what becomes of a mail that can't be read"), "{:?}", faults_of(silent));
    let told = format!("{silent}[[policy]]\nname = 'b'\nwhen = {{ any = [{{ problem = 'encrypted' }}] }}\nthen = 'none'\n");
    assert_eq!(faults_of(&told), [""; 0]);
}
