//! Reading policy files (detection.md, section 5).

mod example;
mod when;
mod words;

pub use example::Example;

use super::{MissingPhone, Mode, Outcome, Policies, Policy, Scope, condition::Group, exception::Exception};
use crate::{
    address::Domain,
    fault::{Faults, Files, Located, Table},
};
use jiff::civil::Date;
use std::{collections::BTreeMap, sync::Arc};
use words::{mode, otherwise, outcome, quoted_problems, scope, unknown};

/// The policies that serve when the organisation has none of its own.
pub const EMBEDDED: &[(&str, &str)] = &[("policies/default.toml", include_str!("../../policies/default.toml"))];

impl Policies {
    /// Reads every `policies/*.toml` of `files`, and the groups they name; `rules` are the names of the rules that exist, and their points.
    ///
    /// The result is complete only if no fault was added.
    #[must_use]
    pub fn compile<'a>(files: &Files, rules: impl IntoIterator<Item = (&'a str, u32)>, faults: &Faults) -> Policies {
        let rules: Vec<_> = rules.into_iter().collect();
        let points = rules.iter().filter(|(_, points)| *points > 0).map(|(rule, points)| (Arc::from(*rule), *points)).collect();
        let mut reader = Reader {
            rules: rules.iter().map(|(rule, _)| *rule).collect(),
            types: types(files),
            groups: BTreeMap::new(),
            names: BTreeMap::new(),
            policies: Policies { points, ..Policies::default() },
            faults: faults.clone(),
        };
        reader.read_groups(files);
        let mut last = "policies/default.toml";
        for (name, text) in files.iter().filter(|(name, _)| name.starts_with("policies/") && name.ends_with(".toml")) {
            last = name;
            if let Some(table) = Table::parse(name, text, faults) {
                reader.file(table);
            }
        }
        // Only where everything else is read: a line that holds a fault may be the one that is missed here. A policy that only watches decides
        // nothing.
        let decides = |p: &Policy| p.when.names_a_problem() && p.mode.acts();
        if !faults.any_in(|faulty| faulty.starts_with("policies")) && !reader.policies.policies.iter().any(decides) {
            faults.add(
                last,
                1,
                "no policy says what becomes of a mail that can't be read",
                format!("add one, such as `when = {{ problem = [{}] }}`", quoted_problems()),
            );
        }
        reader.policies.partners = reader.partners();
        reader.policies
    }
}

/// What rules find: a policy may name a type instead of a rule.
fn types(files: &Files) -> Vec<String> {
    // Their faults are told where they are read.
    let unheard = Faults::default();
    let rules = files.iter().filter(|(name, _)| name.starts_with("rules/") && name.ends_with(".toml"));
    let tables = rules.filter_map(|(name, text)| Table::parse(name, text, &unheard)?.table("rule"));
    let mut types: Vec<_> = tables.flat_map(|rule| rule.texts("finds")).map(|kind| kind.value).collect();
    types.sort();
    types.dedup();
    types
}

struct Reader<'a> {
    rules: Vec<&'a str>,
    types: Vec<String>,
    groups: BTreeMap<String, Arc<Group>>,
    /// Every policy's and exception's name so far, and where it stands.
    names: BTreeMap<String, (String, usize)>,
    policies: Policies,
    faults: Faults,
}

/// What a file's policies do unless they say otherwise.
#[derive(Clone, Copy, Default)]
struct Defaults {
    mode: Mode,
    scope: Scope,
    missing_phone: MissingPhone,
}

impl Reader<'_> {
    /// The domains that the files name.
    fn partners(&self) -> Vec<Domain> {
        let mut named: Vec<Domain> = self.groups.values().flat_map(|group| group.domains.iter().cloned()).collect();
        for policy in &self.policies.policies {
            policy.when.domains(&mut named);
        }
        let people = self.policies.exceptions.iter().flat_map(|e| e.from.iter().chain(&e.to));
        named.extend(people.flat_map(|who| who.domains.iter().cloned()));
        named.sort();
        named.dedup();
        named
    }

    fn file(&mut self, table: Table) {
        if !table.has("policy") && table.has("rule") {
            return table.fault(1, "this file holds a rule, not policies", "move it to rules/");
        }
        let defaults = table.table("defaults").map(defaults).unwrap_or_default();
        for policy in table.tables("policy") {
            self.policy(policy, defaults);
        }
        for exception in table.tables("exception") {
            self.exception(exception);
        }
        for example in table.tables("example") {
            self.policies.examples.extend(example::read_example(example));
        }
        table.finish();
    }

    fn policy(&mut self, table: Table, defaults: Defaults) {
        let name = table.required_text("name", "\"BSN naar buiten\"");
        let when = table.table_such_as("when", "it as in `when = { rule = \"bsn\", to = \"external\" }`").map(|when| self.when(when));
        if when.is_none() && !table.has("when") {
            table.fault(table.line(), "`when` is missing", "add a line such as `when = { rule = \"bsn\", to = \"external\" }`");
        }
        let written = table.required_text("then", "\"level 1\"");
        let then = written.as_ref().and_then(|then| outcome(&table, "then", then)).and_then(|then| otherwise(&table, then));
        if let (Some(written), Some(Outcome::Direct(_))) = (&written, then) {
            self.policies.direct.get_or_insert_with(|| (table.file().to_owned(), written.line));
        }
        if let Some(name) = &name {
            self.claim_name(&table, "policy", name);
        }
        self.not_for_a_policy(&table);
        let until = until(&table, defaults.mode);
        let (mode, scope) = (mode(&table).unwrap_or(defaults.mode), scope(&table).unwrap_or(defaults.scope));
        if let (Some(name), Some(when), Some(then)) = (name, when, then) {
            let place = (table.file().to_owned(), table.line());
            let missing_phone = defaults.missing_phone;
            self.policies.policies.push(Policy { name: name.value.into(), place, when, then, mode, until, scope, missing_phone });
        }
        table.finish();
    }

    /// Words that somebody looks for beside `ask`, and what says the same.
    fn not_for_a_policy(&self, table: &Table) {
        let remedies = [
            ("openly", "write `mode = \"mandatory\"`: then the sender can't choose to send it openly"),
            ("level", "write a second policy with this `when` and `then = \"level 2\"`: below that nobody can go"),
        ];
        for word in table.words() {
            if let Some((_, remedy)) = remedies.iter().find(|(known, _)| word.value == *known && table.has(known)) {
                table.fault(word.line, format!("`{}` is no word of a policy", word.value), *remedy);
            }
        }
    }

    fn exception(&mut self, table: Table) {
        let name = table.required_text("name", "\"Ketenpartner\"");
        if let Some(name) = &name {
            self.claim_name(&table, "exception", name);
        }
        let (from, to) = (self.who(&table, "from"), self.who(&table, "to"));
        if !table.has("from") && !table.has("to") {
            table.fault(
                table.line(),
                "this exception is for everybody",
                "say for whom: add `to = { domains = [\"theirs.example\"] }` or `from`",
            );
        }
        if !table.has("lowers") {
            table.fault(table.line(), "`lowers` is missing", LOWERS_REMEDY);
        }
        let lowers =
            table.table_such_as("lowers", "it as in `lowers = { from = [\"level 1\", \"level 2\"], to = \"direct\" }`").and_then(lowers);
        let reason = table.required_text("reason", "\"Verwerkersovereenkomst 2026-14\"");
        if let Some(reason) = reason.as_ref().filter(|r| r.value.trim().is_empty()) {
            table.fault(reason.line, "the exception's reason is empty", "say why, for whoever asks next year");
        }
        if !table.has("ends") {
            table.fault(table.line(), "`ends` is missing", "add the last day on which it holds, such as `ends = 2027-06-30`");
        }
        let ends = table.date("ends");
        if let (Some(name), Some((lowers, into)), Some(reason), Some(ends)) = (name, lowers, reason, ends) {
            let place = (table.file().to_owned(), table.line());
            if matches!(into, Outcome::Direct(_)) {
                self.policies.direct.get_or_insert_with(|| place.clone());
            }
            let (name, reason, ends) = (name.value.into(), reason.value.into(), ends.value);
            self.policies.exceptions.push(Exception { name, place, from, to, lowers, into, reason, ends });
        }
        table.finish();
    }

    /// A policy or exception is told by its name: two of one name could not be told apart.
    fn claim_name(&mut self, table: &Table, what: &str, name: &Located<String>) {
        if name.value.trim().is_empty() {
            table.fault(name.line, format!("the {what}'s name is empty"), "name it after what it protects");
        } else if let Some((file, line)) = self.names.get(&name.value) {
            table.fault(name.line, format!("a policy \"{}\" exists already ({file}:{line})", name.value), "give each its own name");
        } else {
            self.names.insert(name.value.clone(), (table.file().to_owned(), name.line));
        }
    }
}

/// `until`, and what the mode is from then on.
fn until(table: &Table, default: Mode) -> Option<(Date, Mode)> {
    let until = table.date("until")?;
    if !table.has("mode") {
        table.fault(until.line, "`until` without `mode`", "say what it does until then: add `mode = \"monitor\"`");
    }
    Some((until.value, default))
}

const LOWERS_REMEDY: &str = "add a line such as `lowers = { from = [\"level 1\", \"level 2\"], to = \"direct\" }`";

/// `lowers`: from which outcomes to which. What it becomes must be milder than each of them.
fn lowers(table: Table) -> Option<(Vec<Outcome>, Outcome)> {
    for word in ["from", "to"] {
        if !table.has(word) {
            table.fault(table.line(), format!("`{word}` is missing in `lowers`"), LOWERS_REMEDY);
        }
    }
    let from = table.texts("from");
    let written = table.text("to");
    let into = written.as_ref().and_then(|to| outcome(&table, "to", to)).and_then(|to| otherwise(&table, to));
    let mut outcomes = Vec::new();
    for text in &from {
        let Some(one) = outcome(&table, "from", text) else { continue };
        if into.is_some_and(|into| into >= one) {
            table.fault(
                text.line,
                format!("\"{}\" is not milder than \"{one}\"", into.unwrap_or(one)),
                "an exception lowers: name a milder outcome in `to`",
            );
        }
        outcomes.push(one);
    }
    table.finish();
    into.filter(|_| !outcomes.is_empty()).map(|into| (outcomes, into))
}

fn defaults(table: Table) -> Defaults {
    let missing_phone = table.text("missing_phone").and_then(|word| match word.value.as_str() {
        "hold_all" => Some(MissingPhone::HoldAll),
        "send_ready" => Some(MissingPhone::SendReady),
        _ => {
            unknown(&table, &word, "missing_phone", &["hold_all", "send_ready"]);
            None
        }
    });
    let (mode, scope) = (mode(&table), scope(&table));
    table.finish();
    Defaults { mode: mode.unwrap_or_default(), scope: scope.unwrap_or_default(), missing_phone: missing_phone.unwrap_or_default() }
}

#[cfg(test)]
mod tests;
