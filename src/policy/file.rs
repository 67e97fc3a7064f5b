//! Reading policy files (detection.md, section 5).

use super::{
    MissingPhone, Outcome, Policies, Policy,
    condition::{Condition, Who},
};
use crate::{
    address::{Address, Domain},
    detect::Confidence,
    extract::{FactKind, ProblemKind},
    fault::{Faults, Files, Located, Table, did_you_mean},
};
use std::{collections::BTreeMap, sync::Arc};

/// The policies that serve when the organisation has none of its own.
pub const EMBEDDED: &[(&str, &str)] = &[("policies/default.toml", include_str!("../../policies/default.toml"))];

/// A mail and what must become of it; `zegel check` tries it.
#[derive(Clone, Debug)]
pub struct Example {
    /// The file it stands in.
    pub file: String,
    /// Where it begins.
    pub line: usize,
    /// The organisation's domains in this example, when it names them.
    pub organisation: Vec<Domain>,
    /// The sender; `None` is the null sender.
    pub from: Option<Address>,
    /// The recipients.
    pub to: Vec<Address>,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub body: String,
    /// Header fields, name and value.
    pub headers: Vec<(String, String)>,
    /// What could not be read.
    pub problems: Vec<ProblemKind>,
    /// What is odd about its files.
    pub files: Vec<FactKind>,
    /// What must happen, with the line that says so.
    pub expect: Vec<(Address, Located<Outcome>)>,
}

/// How deep conditions may nest: deeper ones nobody understands, and reading them costs stack.
const MAX_DEPTH: usize = 8;

/// Words of the language that later versions know.
const LATER_IN_POLICY: &[&str] = &["mode", "until", "scope", "notify", "explain"];
const LATER_IN_WHEN: &[&str] =
    &["all", "points", "text", "word", "header", "known", "finds", "count", "first_contact", "look_alike", "reason"];
const LATER_IN_WHO: &[&str] = &["groups"];
const LATER_OUTCOMES: &[&str] = &["ask", "quarantine"];

impl Policies {
    /// Reads every `policies/*.toml` of `files`; `rules` are the names of the rules that exist.
    ///
    /// The result is complete only if no fault was added.
    #[must_use]
    pub fn compile<'a>(files: &Files, rules: impl IntoIterator<Item = &'a str>, faults: &Faults) -> Policies {
        let mut reader = Reader { rules: rules.into_iter().collect(), names: BTreeMap::new(), policies: Policies::default() };
        let mut last = "policies/default.toml";
        for (name, text) in files.iter().filter(|(name, _)| name.starts_with("policies/") && name.ends_with(".toml")) {
            last = name;
            if let Some(table) = Table::parse(name, text, faults) {
                reader.file(table);
            }
        }
        // Only where everything else is read: a line that holds a fault may be the one that is missed here.
        if !faults.any_in(|faulty| faulty.starts_with("policies")) && !reader.policies.policies.iter().any(|p| p.when.names_a_problem()) {
            faults.add(
                last,
                1,
                "no policy says what becomes of a mail that can't be read",
                format!("add one, such as `when = {{ problem = [{}] }}`", quoted_problems()),
            );
        }
        reader.policies
    }
}

struct Reader<'a> {
    rules: Vec<&'a str>,
    /// Every policy's name so far, and where it stands.
    names: BTreeMap<String, (String, usize)>,
    policies: Policies,
}

impl Reader<'_> {
    fn file(&mut self, table: Table) {
        if table.has("rule") && !table.has("policy") {
            return table.fault(1, "this file holds a rule, not policies", "move it to rules/");
        }
        table.not_yet(&["exception"]);
        let missing_phone = table.table("defaults").map(defaults).unwrap_or_default();
        for policy in table.tables("policy") {
            self.policy(policy, missing_phone);
        }
        for example in table.tables("example") {
            self.policies.examples.extend(read_example(example));
        }
        table.finish();
    }

    fn policy(&mut self, table: Table, missing_phone: MissingPhone) {
        table.not_yet(LATER_IN_POLICY);
        let name = table.required_text("name", "\"BSN naar buiten\"");
        let when = table.table("when").map(|when| self.condition(when, MAX_DEPTH));
        if when.is_none() && !table.has("when") {
            table.fault(table.line(), "`when` is missing", "add a line such as `when = { rule = \"bsn\", to = \"external\" }`");
        }
        let written = table.required_text("then", "\"level 1\"");
        let then = written.as_ref().and_then(|then| outcome(&table, "then", then)).and_then(|then| otherwise(&table, then));
        if let (Some(written), Some(Outcome::Direct(_))) = (&written, then) {
            self.policies.direct.get_or_insert_with(|| (table.file().to_owned(), written.line));
        }
        if let Some(name) = &name {
            self.claim_name(&table, name);
        }
        if let (Some(name), Some(when), Some(then)) = (name, when, then) {
            self.policies.policies.push(Policy { name: name.value.into(), when, then, missing_phone });
        }
        table.finish();
    }

    /// A policy is told by its name: two of one name could not be told apart.
    fn claim_name(&mut self, table: &Table, name: &Located<String>) {
        if name.value.trim().is_empty() {
            table.fault(name.line, "the policy's name is empty", "name it after what it protects");
        } else if let Some((file, line)) = self.names.get(&name.value) {
            table.fault(name.line, format!("a policy \"{}\" exists already ({file}:{line})", name.value), "give each its own name");
        } else {
            self.names.insert(name.value.clone(), (table.file().to_owned(), name.line));
        }
    }

    fn condition(&self, table: Table, depth: usize) -> Condition {
        table.not_yet(LATER_IN_WHEN);
        let rules = table.texts("rule");
        for rule in &rules {
            self.check_rule(&table, rule);
        }
        let confidence = table.text("confidence").and_then(|word| confidence(&table, &word));
        if rules.is_empty() && table.has("confidence") && !table.has("rule") {
            table.fault(table.line(), "`confidence` without `rule`", "say whose confidence: add `rule = \"bsn\"`");
        }
        let problems = table.texts("problem").iter().filter_map(|word| problem(&table, word)).collect();
        let condition = Condition {
            rules: rules.into_iter().map(|r| Arc::from(r.value)).collect(),
            confidence,
            problems,
            files: table.texts("file").iter().filter_map(|word| fact(&table, word)).collect(),
            from: who(&table, "from"),
            to: who(&table, "to"),
            any: self.conditions(&table, "any", depth),
            unless: self.conditions(&table, "unless", depth),
        };
        if table.words().is_empty() {
            table.fault(
                table.line(),
                "this condition says nothing, so it would hold for every mail",
                "add `rule`, `problem`, `file`, `from` or `to`",
            );
        }
        table.finish();
        condition
    }

    fn conditions(&self, table: &Table, word: &str, depth: usize) -> Vec<Condition> {
        let inner = table.tables(word);
        if depth == 0 && !inner.is_empty() {
            table.fault(table.line(), format!("conditions nest deeper than {MAX_DEPTH}"), "split this into several policies");
            return Vec::new();
        }
        inner.into_iter().map(|t| self.condition(t, depth - 1)).collect()
    }

    fn check_rule(&self, table: &Table, rule: &Located<String>) {
        // A rule whose file can't be read may exist: that fault is enough.
        let file = format!("rules/{}.toml", rule.value);
        let unread = || table.faults().any_in(|faulty| faulty == "rules" || faulty == file);
        if !self.rules.contains(&rule.value.as_str()) && !unread() {
            let remedy = match did_you_mean(&rule.value, self.rules.iter().copied()) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None if self.rules.is_empty() => format!("write rules/{}.toml", rule.value),
                None => format!("write rules/{}.toml, or name one of: {}", rule.value, self.rules.join(", ")),
            };
            table.fault(rule.line, format!("there is no rule \"{}\"", rule.value), remedy);
        }
    }
}

fn defaults(table: Table) -> MissingPhone {
    table.not_yet(&["mode", "scope"]);
    let missing_phone = table.text("missing_phone").and_then(|word| match word.value.as_str() {
        "hold_all" => Some(MissingPhone::HoldAll),
        "send_ready" => Some(MissingPhone::SendReady),
        _ => {
            unknown(&table, &word, "missing_phone", &["hold_all", "send_ready"]);
            None
        }
    });
    table.finish();
    missing_phone.unwrap_or_default()
}

fn read_example(table: Table) -> Option<Example> {
    table.not_yet(&["at"]);
    let mut example = Example {
        file: table.file().to_owned(),
        line: table.line(),
        organisation: table.texts("organisation").iter().filter_map(|d| domain(&table, d)).collect(),
        from: None,
        to: Vec::new(),
        subject: String::new(),
        body: String::new(),
        headers: Vec::new(),
        problems: Vec::new(),
        files: Vec::new(),
        expect: Vec::new(),
    };
    for word in ["mail", "expect"] {
        if !table.has(word) {
            table.fault(table.line(), format!("`{word}` is missing"), EXAMPLE_REMEDY);
        }
    }
    if let Some(mail) = table.table("mail") {
        read_example_mail(mail, &mut example);
    }
    if let Some(expect) = table.table("expect") {
        for word in expect.words() {
            let address = address(&expect, &word);
            let outcome = expect.text(&word.value).and_then(|text| outcome(&expect, &word.value, &text).map(|value| (text.line, value)));
            if let (Some(address), Some((line, value))) = (address, outcome) {
                if !example.to.contains(&address) {
                    expect.fault(word.line, format!("{address} is no recipient of this example"), "add it to `to` of `mail`");
                }
                example.expect.push((address, Located { value, line }));
            }
        }
        if expect.words().is_empty() {
            expect.fault(expect.line(), "the example expects nothing", EXAMPLE_REMEDY);
        }
        expect.finish();
    }
    table.finish();
    Some(example)
}

const EXAMPLE_REMEDY: &str = "write `mail = { from = \"a@ours.example\", to = \"b@theirs.example\", body = \"..\" }` and `expect = { \"b@theirs.example\" = \"level 1\" }`";

fn read_example_mail(mail: Table, example: &mut Example) {
    mail.not_yet(&["attachment", "points"]);
    example.from = mail.text("from").filter(|from| !from.value.is_empty()).and_then(|from| address(&mail, &from));
    if !mail.has("from") {
        mail.fault(mail.line(), "the example's mail has no sender", "add `from`; \"\" is the null sender");
    }
    example.to = mail.texts("to").iter().filter_map(|to| address(&mail, to)).collect();
    if !mail.has("to") {
        mail.fault(mail.line(), "the example's mail has no recipient", "add `to`");
    }
    example.subject = mail.text("subject").map(|s| s.value).unwrap_or_default();
    example.body = mail.text("body").map(|s| s.value).unwrap_or_default();
    for field in mail.texts("header") {
        match field.value.split_once(':') {
            Some((name, value)) if !name.trim().is_empty() => example.headers.push((name.trim().to_owned(), value.trim().to_owned())),
            _ => mail.fault(field.line, "this is no header field", "write it as `header = \"Sensitivity: Private\"`"),
        }
    }
    example.problems = mail.texts("problem").iter().filter_map(|word| problem(&mail, word)).collect();
    example.files = mail.texts("file").iter().filter_map(|word| fact(&mail, word)).collect();
    mail.finish();
}

/// `"external"`, an address, a list of such, or `{ domains = [..], addresses = [..] }`.
fn who(table: &Table, word: &str) -> Option<Who> {
    if !table.has(word) {
        return None;
    }
    let mut who = Who::default();
    if !table.is_texts(word) {
        let inner = table.table(word)?;
        inner.not_yet(LATER_IN_WHO);
        who.domains = inner.texts("domains").iter().filter_map(|d| domain(&inner, d)).collect();
        who.addresses = inner.texts("addresses").iter().filter_map(|a| address(&inner, a)).collect();
        if inner.words().is_empty() {
            inner.fault(inner.line(), format!("`{word}` names nobody"), "add `domains` or `addresses`");
        }
        inner.finish();
        return Some(who);
    }
    for text in table.texts(word) {
        match text.value.as_str() {
            "internal" => who.internal = true,
            "external" => who.external = true,
            other if other.contains('@') => who.addresses.extend(address(table, &text)),
            other => {
                let remedy = match did_you_mean(other, ["internal", "external"]) {
                    Some(meant) => format!("did you mean \"{meant}\"?"),
                    None => "write \"internal\", \"external\", an address, or { domains = [\"theirs.example\"] }".to_owned(),
                };
                table.fault(text.line, format!("`{word}` can't be \"{other}\""), remedy);
            }
        }
    }
    Some(who)
}

fn address(table: &Table, text: &Located<String>) -> Option<Address> {
    Address::parse(&text.value).map_err(|e| table.fault(text.line, format!("\"{}\" is no address", text.value), e.to_string())).ok()
}

fn domain(table: &Table, text: &Located<String>) -> Option<Domain> {
    Domain::parse(&text.value)
        .map_err(|_| table.fault(text.line, format!("\"{}\" is no domain", text.value), "write it as in voorbeeld.example"))
        .ok()
}

fn outcome(table: &Table, word: &str, text: &Located<String>) -> Option<Outcome> {
    let outcome = Outcome::from_word(&text.value);
    if outcome.is_none() && LATER_OUTCOMES.contains(&text.value.as_str()) {
        table.fault(text.line, format!("\"{}\" is not in this version", text.value), format!("write one of: {}", quoted(&OUTCOMES)));
    } else if outcome.is_none() {
        unknown(table, text, word, &OUTCOMES);
    }
    outcome
}

/// `then` with the level that `otherwise` names for a domain to which transport is not verified.
fn otherwise(table: &Table, then: Outcome) -> Option<Outcome> {
    let Some(text) = table.text("otherwise") else { return Some(then) };
    if !matches!(then, Outcome::Direct(_)) {
        table.fault(text.line, format!("`otherwise` beside `then = \"{then}\"`"), "leave it out: it belongs to `then = \"direct\"`");
        return None;
    }
    match Outcome::from_word(&text.value) {
        Some(Outcome::Level(level)) => Some(Outcome::Direct(level)),
        _ => {
            unknown(table, &text, "otherwise", &["level 1", "level 2"]);
            None
        }
    }
}

const OUTCOMES: [&str; 5] = ["none", "direct", "level 1", "level 2", "block"];

fn confidence(table: &Table, text: &Located<String>) -> Option<Confidence> {
    match text.value.as_str() {
        "low" => Some(Confidence::Low),
        "medium" => Some(Confidence::Medium),
        "high" => Some(Confidence::High),
        _ => {
            unknown(table, text, "confidence", &["low", "medium", "high"]);
            None
        }
    }
}

fn problem(table: &Table, text: &Located<String>) -> Option<ProblemKind> {
    let problem = ProblemKind::ALL.into_iter().find(|p| p.word() == text.value);
    if problem.is_none() {
        unknown(table, text, "problem", &ProblemKind::ALL.map(ProblemKind::word));
    }
    problem
}

fn fact(table: &Table, text: &Located<String>) -> Option<FactKind> {
    let fact = FactKind::ALL.into_iter().find(|f| f.word() == text.value);
    if fact.is_none() {
        unknown(table, text, "file", &FactKind::ALL.map(FactKind::word));
    }
    fact
}

fn unknown(table: &Table, text: &Located<String>, word: &str, known: &[&str]) {
    let remedy = match did_you_mean(&text.value, known.iter().copied()) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => format!("write one of: {}", quoted(known)),
    };
    table.fault(text.line, format!("`{word}` can't be \"{}\"", text.value), remedy);
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|w| format!("\"{w}\"")).collect::<Vec<_>>().join(", ")
}

fn quoted_problems() -> String {
    quoted(&ProblemKind::ALL.map(ProblemKind::word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The faults of one policy file, without its name.
    fn faults_of(text: &str) -> Vec<String> {
        let faults = Faults::default();
        let _ = Policies::compile(&[("policies/x.toml".to_owned(), text.to_owned())].into(), ["bsn", "iban"], &faults);
        faults.take().iter().map(|f| f.to_string().trim_start_matches("policies/x.toml:").to_owned()).collect()
    }

    #[test]
    fn the_embedded_policies_have_no_fault() {
        let files = EMBEDDED.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let names: Vec<_> = crate::detect::EMBEDDED.iter().filter_map(|(n, _)| n.strip_prefix("rules/")?.strip_suffix(".toml")).collect();
        let faults = Faults::default();
        let policies = Policies::compile(&files, names, &faults);
        assert_eq!(faults.take(), []);
        assert!(!policies.examples().is_empty());
    }

    #[test]
    fn every_fault_is_told_with_its_line_and_remedy() {
        let text = "\
defaults = { missing_phone = 'hold-all', mode = 'monitor' }
[[policy]]
name = 'a'
when = { rule = 'bns', confidence = 'hihg', to = 'outside' }
then = 'ask'
[[policy]]
name = 'a'
when = { confidence = 'high', points = 3 }
then = 'level 3'
until = 2027-01-01
[[policy]]
when = {}
[[policy]]
name = 'c'
then = 'none'
[[policy]]
name = 'e'
when = { rule = 'bsn' }
then = 'level 1'
otherwise = 'level 2'
[[policy]]
name = 'f'
when = { rule = 'bsn' }
then = 'direct'
otherwise = 'none'
[[policy]]
name = 'd'
when = { any = [{ problem = 'encrypt' }, { file = 'wrong-extention' }, { from = { groups = ['x'] } }], unless = { from = ['a@b@c'] } }
then = 'block'
[[exception]]
[[example]]
mail = { from = 'x', body = 'y' }
expect = { 'z@b.example' = 'open' }
";
        assert_eq!(
            faults_of(text),
            [
                "1: `missing_phone` can't be \"hold-all\"; did you mean \"hold_all\"?",
                "1: `mode` is not in this version; leave it out",
                "4: `confidence` can't be \"hihg\"; did you mean \"high\"?",
                "4: `to` can't be \"outside\"; write \"internal\", \"external\", an address, or { domains = [\"theirs.example\"] }",
                "4: there is no rule \"bns\"; did you mean \"bsn\"?",
                "5: \"ask\" is not in this version; write one of: \"none\", \"direct\", \"level 1\", \"level 2\", \"block\"",
                "7: a policy \"a\" exists already (policies/x.toml:3); give each its own name",
                "8: `confidence` without `rule`; say whose confidence: add `rule = \"bsn\"`",
                "8: `points` is not in this version; leave it out",
                "9: `then` can't be \"level 3\"; write one of: \"none\", \"direct\", \"level 1\", \"level 2\", \"block\"",
                "10: `until` is not in this version; leave it out",
                "11: `name` is missing; add a line such as `name = \"BSN naar buiten\"`",
                "11: `then` is missing; add a line such as `then = \"level 1\"`",
                "12: this condition says nothing, so it would hold for every mail; add `rule`, `problem`, `file`, `from` or `to`",
                "13: `when` is missing; add a line such as `when = { rule = \"bsn\", to = \"external\" }`",
                "20: `otherwise` beside `then = \"level 1\"`; leave it out: it belongs to `then = \"direct\"`",
                "25: `otherwise` can't be \"none\"; write one of: \"level 1\", \"level 2\"",
                "28: \"a@b@c\" is no address; an address looks like name@domain.example",
                "28: `file` can't be \"wrong-extention\"; did you mean \"wrong-extension\"?",
                "28: `groups` is not in this version; leave it out",
                "28: `problem` can't be \"encrypt\"; did you mean \"encrypted\"?",
                "30: `exception` is not in this version; leave it out",
                "32: \"x\" is no address; an address looks like name@domain.example",
                "32: the example's mail has no recipient; add `to`",
                "33: `z@b.example` can't be \"open\"; write one of: \"none\", \"direct\", \"level 1\", \"level 2\", \"block\"",
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
}
