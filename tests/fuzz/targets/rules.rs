//! Rules and policies as an operator writes them.

use zegel::{
    detect::RuleSet,
    fault::{Fault, Faults, Files, Table},
    inspect::Rulebook,
};

/// A file of rules, and behind a NUL one of policies. Whatever it holds, what is wrong is told with a line that the file has, the same each time,
/// on one line each; and rules without a fault can be used.
pub fn rules(octets: &[u8]) {
    let whole = String::from_utf8_lossy(octets);
    let (rule, policy) = whole.split_once('\0').unwrap_or((&whole, ""));
    let faults = Faults::default();
    if let Some(table) = Table::parse("a.toml", rule, &faults) {
        let words = table.words().len();
        table.finish();
        assert!(faults.len() <= words, "more faults than words that nobody asked for");
    } else {
        assert!(!faults.is_empty(), "refused without a word");
    }
    let told = compiled(rule, policy);
    assert_eq!(told, compiled(rule, policy));
    for fault in told {
        let text = if fault.file.starts_with("policies/") { policy } else { rule };
        assert!(fault.line <= text.lines().count() + 1, "{fault}");
        assert!(!fault.to_string().contains('\n'), "{fault}");
    }
}

fn compiled(rule: &str, policy: &str) -> Vec<Fault> {
    let files: Files = [("rules/a.toml", rule), ("policies/a.toml", policy)].map(|(name, text)| (name.into(), text.into())).into();
    let faults = Faults::default();
    let rules = RuleSet::compile(&files, &faults);
    rules.check_examples(&faults);
    let _ = Rulebook::compile(&files, Vec::new(), &faults);
    faults.take()
}
