//! Reading a `when`, and the people it names.

use super::{
    Reader,
    words::{address, confidence, domain, fact, number, problem, quoted},
};
use crate::{
    extract,
    fault::{Files, Located, Table, did_you_mean},
    policy::{
        condition::{Condition, Count, Group, Header, Who},
        window::Window,
    },
};
use std::sync::Arc;

/// How deep conditions may nest: deeper ones nobody understands, and reading them costs stack.
const MAX_DEPTH: usize = 8;

/// What is asked of each recipient by himself.
const OF_RECIPIENTS: [&str; 2] = ["first_contact", "look_alike"];

/// Words that say what is looked for: that is a rule's business, and a policy names the rule.
const OF_RULES: [&str; 5] = ["word", "text", "list", "known", "pattern"];

impl Reader<'_> {
    /// The `when` of a policy.
    pub(super) fn when(&self, table: Table) -> Condition {
        self.condition(table, MAX_DEPTH)
    }

    fn condition(&self, table: Table, depth: usize) -> Condition {
        // Asked for only where they stand: else they would be told as known here.
        let stands = |word: &&str| table.words().iter().any(|there| there.value == **word) && table.has(word);
        for word in OF_RECIPIENTS.into_iter().filter(stands) {
            table.fault(table.line(), format!("`{word}` is asked of recipients"), format!("write `recipients = {{ {word} = true }}`"));
        }
        for word in OF_RULES.into_iter().filter(stands) {
            let remedy = "write a rule with it, and name that: `rule = \"..\"`";
            table.fault(table.line(), format!("`{word}` says what to look for"), remedy);
        }
        let rules = table.texts("rule");
        for rule in &rules {
            self.check_rule(&table, rule);
        }
        let finds = table.texts("finds");
        for kind in &finds {
            self.check_type(&table, kind);
        }
        let points = number(&table, "points");
        if points == Some(0) {
            table.fault(table.line(), "`points = 0` holds for every mail", "write the least number of points");
        }
        let confidence = table.text("confidence").and_then(|word| confidence(&table, &word));
        if table.has("confidence") && !["rule", "finds", "points"].iter().any(|word| table.has(word)) {
            table.fault(table.line(), "`confidence` without `rule`", "say whose confidence: add `rule = \"bsn\"`");
        }
        let condition = Condition {
            rules: rules.into_iter().map(|r| Arc::from(r.value)).collect(),
            finds: finds.into_iter().map(|f| f.value).collect(),
            points,
            confidence,
            problems: table.texts("problem").iter().filter_map(|word| problem(&table, word)).collect(),
            files: table.texts("file").iter().filter_map(|word| fact(&table, word)).collect(),
            reasons: reasons(&table),
            headers: headers(&table),
            recipients: table.table_such_as("recipients", "it as in `recipients = { external = 20 }`: so many at least").map(recipients),
            at: windows(&table),
            from: self.who(&table, "from"),
            to: self.who(&table, "to"),
            all: self.conditions(&table, "all", depth),
            any: self.conditions(&table, "any", depth),
            unless: self.conditions(&table, "unless", depth),
        };
        if table.words().is_empty() {
            let remedy = "add `rule`, `problem`, `file`, `from` or `to`";
            table.fault(table.line(), "this condition says nothing, so it would hold for every mail", remedy);
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
        if inner.is_empty() && table.has(word) {
            table.fault(table.line(), format!("`{word}` names no condition"), "leave it out, or add one");
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

    /// A type that no rule finds is never found.
    fn check_type(&self, table: &Table, kind: &Located<String>) {
        let known: Vec<&str> = self.types.iter().map(String::as_str).collect();
        if known.contains(&kind.value.as_str()) || table.faults().any_in(|faulty| faulty.starts_with("rules")) {
            return;
        }
        let remedy = match did_you_mean(&kind.value, known.iter().copied()) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None if known.is_empty() => format!("write a rule with `finds = \"{}\"`", kind.value),
            None => format!("write a rule with `finds = \"{}\"`, or name what rules find: {}", kind.value, quoted(&known)),
        };
        table.fault(kind.line, format!("no rule finds \"{}\"", kind.value), remedy);
    }

    /// `"external"`, an address, a list of such, or `{ domains = [..], addresses = [..], groups = [..] }`.
    pub(super) fn who(&self, table: &Table, word: &str) -> Option<Who> {
        if !table.has(word) {
            return None;
        }
        let mut who = Who::default();
        if table.is_texts(word) {
            for text in table.texts(word) {
                self.one(table, word, &text, &mut who);
            }
            return Some(who);
        }
        let inner = table.table(word)?;
        who.domains = inner.texts("domains").iter().filter_map(|d| domain(&inner, d)).collect();
        who.addresses = inner.texts("addresses").iter().filter_map(|a| address(&inner, a)).collect();
        who.groups = inner.texts("groups").iter().filter_map(|name| self.group(&inner, name)).collect();
        if inner.words().is_empty() {
            inner.fault(inner.line(), format!("`{word}` names nobody"), "add `domains`, `addresses` or `groups`");
        }
        inner.finish();
        Some(who)
    }

    fn one(&self, table: &Table, word: &str, text: &Located<String>, who: &mut Who) {
        match text.value.as_str() {
            "internal" => who.internal = true,
            "external" => who.external = true,
            other if other.contains('@') => who.addresses.extend(address(table, text)),
            other => {
                let remedy = match did_you_mean(other, ["internal", "external"]) {
                    _ if self.groups.contains_key(other) => format!("write `{word} = {{ groups = [\"{other}\"] }}`"),
                    Some(meant) => format!("did you mean \"{meant}\"?"),
                    None if other.contains('.') => format!("write `{word} = {{ domains = [\"{other}\"] }}`"),
                    None => "write \"internal\", \"external\", an address, or { domains = [\"theirs.example\"] }".to_owned(),
                };
                table.fault(text.line, format!("`{word}` can't be \"{other}\""), remedy);
            }
        }
    }

    fn group(&self, table: &Table, name: &Located<String>) -> Option<Arc<Group>> {
        let group = self.groups.get(&name.value);
        let file = format!("policies/groups/{}.txt", name.value);
        if group.is_none() && !table.faults().any_in(|faulty| faulty == file) {
            let remedy = match did_you_mean(&name.value, self.groups.keys().map(String::as_str)) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => format!("write {file}, an address or a domain on each line"),
            };
            table.fault(name.line, format!("there is no group \"{}\"", name.value), remedy);
        }
        group.cloned()
    }

    /// Reads `policies/groups/*.txt`.
    pub(super) fn read_groups(&mut self, files: &Files) {
        for (file, text) in files {
            let Some(name) = file.strip_prefix("policies/groups/").and_then(|f| f.strip_suffix(".txt")) else { continue };
            let mut group = Group::default();
            for (number, line) in (1..).zip(text.lines()) {
                let line = line.split('#').next().unwrap_or_default().trim();
                if line.is_empty() {
                    continue;
                }
                match (crate::address::Address::parse(line), crate::address::Domain::parse(line)) {
                    (Ok(address), _) => drop(group.addresses.insert(address)),
                    (_, Ok(domain)) if !line.contains('@') => drop(group.domains.insert(domain)),
                    _ => self.faults.add(file, number, format!("\"{line}\" is no address and no domain"), "write one of them on each line"),
                }
            }
            self.groups.insert(name.to_owned(), Arc::new(group));
        }
    }
}

fn reasons(table: &Table) -> Vec<String> {
    let known = |word: &Located<String>| {
        let known = extract::reason(&word.value).is_some();
        if !known {
            table.fault(word.line, format!("nothing is unread because of \"{}\"", word.value), "docs/formats.md lists the reasons");
        }
        known
    };
    table.texts("reason").into_iter().filter(known).map(|word| word.value).collect()
}

fn headers(table: &Table) -> Vec<Header> {
    if table.is_texts("header") {
        let first = table.texts("header").into_iter().next();
        let line = first.map_or(table.line(), |text| text.line);
        table.fault(line, "`header` is a text", "write it as in `header = { name = \"Sensitivity\", is = \"Private\" }`");
        return Vec::new();
    }
    table.tables("header").into_iter().map(header).collect()
}

fn header(table: Table) -> Header {
    let lower = |word: &str| table.texts(word).iter().map(|t| t.value.trim().to_lowercase()).collect();
    let (is, has) = (lower("is"), lower("has"));
    let name = table.required_text("name", "\"Sensitivity\"").map(|name| name.value.trim().to_owned()).unwrap_or_default();
    table.finish();
    Header { name, is, has }
}

fn recipients(table: Table) -> Count {
    let least = |word| number(&table, word).map(|n| n as usize);
    let is = |word: &str| {
        let said = table.boolean(word);
        if let Some(no) = said.as_ref().filter(|said| !said.value) {
            table.fault(
                no.line,
                format!("`{word} = false` says nothing"),
                format!("write `unless = {{ recipients = {{ {word} = true }} }}`"),
            );
        }
        said.is_some_and(|said| said.value)
    };
    let [first_contact, look_alike] = OF_RECIPIENTS.map(is);
    let count = Count { all: least("all"), external: least("external"), domains: least("domains"), first_contact, look_alike };
    if table.words().is_empty() {
        table.fault(table.line(), "`recipients` says no number", "write `recipients = { external = 20 }`: so many at least");
    }
    table.finish();
    count
}

fn windows(table: &Table) -> Vec<Window> {
    let window = |text: &Located<String>| {
        let window = Window::parse(&text.value);
        if window.is_none() {
            let remedy = "write it as in \"mo-fr 08:00-18:00\", \"sa,su\" or \"22:00-06:00\"";
            table.fault(text.line, format!("`at` can't be \"{}\"", text.value), remedy);
        }
        window
    };
    table.texts("at").iter().filter_map(window).collect()
}
