//! Rule files: read completely, every fault reported, before anything takes effect.

use super::{
    context::Window,
    examples::Examples,
    lexicon::{BadTerm, Lexicon, Spelling, Stars, Use},
    place::{WORDS, Where},
    types::{Kind, Kinds},
};
use crate::fault::{Faults, Files, Located, Table, did_you_mean};
use std::{collections::HashSet, sync::Arc};

/// What others may know of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// Its name, under which policies and explanations speak of it.
    pub name: Arc<str>,
    /// What it is about, for people: `Burgerservicenummer`.
    pub title: String,
    /// One plain sentence for the sender: `Het bericht bevat een burgerservicenummer.`
    pub explain: String,
    /// Whether a telephone number may stand behind its word.
    pub phone: bool,
    /// Whether what it finds is taken out of everything that zegel writes.
    pub strip: bool,
}

/// A rule, ready for use.
pub(super) struct Rule {
    pub(super) info: RuleInfo,
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) condition: Condition,
    pub(super) places: Where,
    pub(super) context: Option<ContextWords>,
    /// Numbers of no interest, letters in upper case, without separators.
    pub(super) ignored: HashSet<String>,
    pub(super) examples: Examples,
}

impl Rule {
    /// Whether the organisation said that this number is of no interest.
    pub(super) fn ignores(&self, written: &str) -> bool {
        !self.ignored.is_empty() && self.ignored.contains(&bare(written))
    }
}

/// What a rule looks for.
pub(super) enum Condition {
    /// Numbers of these types.
    Finds(Vec<Type>),
    /// Terms in the lexicon; the word is the `type` that `explain --format json` tells: `word`, `list`, `text`.
    Terms(&'static str),
    /// Header fields of the mail.
    Header(Vec<HeaderTest>),
}

/// The types: two with a module of their own, the others of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Bsn,
    Iban,
    Other(Kind),
}

/// A header field, and what its value has or is.
pub(super) struct HeaderTest {
    pub(super) name: String,
    pub(super) has: Vec<String>,
    pub(super) is: Vec<String>,
}

/// The rule's `[context]`; its labels are in the lexicon.
pub(super) struct ContextWords {
    pub(super) window: Window,
    pub(super) person: bool,
}

/// Types of detection.md, section 2, that are lists and texts of rules.
const NO_TYPES: [&str; 4] = ["health", "art9", "marking", "phone"];

/// Words of the rule language that come later.
const LATER: [&str; 12] =
    ["all", "any", "unless", "within", "distinct", "points", "known", "pattern", "check", "confidence", "rule", "person"];

/// Reads every `rules/*.toml`; the terms go into `lexicon`.
pub(super) fn read_all(files: &Files, faults: &Faults, lexicon: &mut Lexicon) -> Vec<Rule> {
    let mut rules: Vec<Rule> = Vec::new();
    for (file, text) in files {
        let Some(stem) = file.strip_prefix("rules/").and_then(|f| f.strip_suffix(".toml")).filter(|s| !s.contains('/')) else { continue };
        let Some(root) = Table::parse(file, text, faults) else { continue };
        // A rule with a fault is not used, but it keeps its number: terms already added refer to it.
        rules.push(Reader { files, lexicon, index: rules.len(), stem }.rule(root));
    }
    rules
}

/// The types of the table that these rules find.
pub(super) fn kinds(rules: &[Rule]) -> Kinds {
    let mut kinds = Kinds::default();
    for rule in rules {
        let Condition::Finds(types) = &rule.condition else { continue };
        for kind in types {
            if let Type::Other(kind) = kind {
                kinds = kinds.with(*kind);
            }
        }
    }
    kinds
}

struct Reader<'a> {
    files: &'a Files,
    lexicon: &'a mut Lexicon,
    index: usize,
    stem: &'a str,
}

impl Reader<'_> {
    fn rule(&mut self, root: Table) -> Rule {
        let file = root.file().to_owned();
        if !root.has("rule") && (root.has("policy") || root.has("defaults")) {
            root.fault(1, "this file holds policies, not a rule", "move it to policies/");
            let (info, places, condition) = (self.info(self.stem.to_owned()), Where::default(), Condition::Finds(Vec::new()));
            let (ignored, examples) = (HashSet::new(), Examples::default());
            return Rule { info, file, line: 1, condition, places, context: None, ignored, examples };
        }
        let examples = Examples::read(root.table("examples"));
        let ignored = root.table("ignore").map(|table| self.ignored(table)).unwrap_or_default();
        let context = root.table("context");
        let lists = root.table("lists");
        let rule = root.table("rule");
        if rule.is_none() && !root.has("rule") {
            root.fault(1, "`[rule]` is missing", "begin the file with `[rule]` and its name");
        }
        root.not_yet(&["points"]);
        let line = rule.as_ref().map_or(1, Table::line);
        let (info, places, condition) = match rule {
            Some(rule) => self.head(rule, lists),
            None => (self.info(self.stem.to_owned()), Where::default(), None),
        };
        let context = match (context, &condition) {
            (Some(table), Some(Condition::Finds(_)) | None) => Some(self.context(table)),
            (Some(table), Some(_)) => {
                table.fault(table.line(), "`[context]` belongs to a rule that finds numbers", "leave it out");
                None
            }
            _ => None,
        };
        root.finish();
        // A rule without a condition has been reported; it finds nothing.
        let condition = condition.unwrap_or(Condition::Finds(Vec::new()));
        Rule { info, file, line, condition, places, context, ignored, examples }
    }

    fn info(&self, name: String) -> RuleInfo {
        RuleInfo { title: name.clone(), explain: String::new(), name: name.into(), phone: false, strip: false }
    }

    /// The table `[rule]` itself.
    fn head(&mut self, rule: Table, lists: Option<Table>) -> (RuleInfo, Where, Option<Condition>) {
        let name = rule.required_text("name", &format!("\"{}\"", self.stem));
        if let Some(Located { value, line }) = &name
            && value != self.stem
        {
            rule.fault(*line, format!("the rule is called `{value}` but its file `{}.toml`", self.stem), "give both the same name");
        }
        let mut info = self.info(name.map_or_else(|| self.stem.to_owned(), |n| n.value));
        if let Some(title) = rule.required_text("title", "\"Burgerservicenummer\"") {
            info.title = title.value;
        }
        info.explain = rule.text("explain").map_or_else(|| format!("Het bericht bevat: {}.", info.title), |e| e.value);
        info.strip = rule.boolean("strip").is_some_and(|b| b.value);
        info.phone = rule.boolean("phone").is_some_and(|b| b.value);
        let places = places(&rule);
        let condition = self.condition(&rule, lists);
        for (word, on) in [("strip", info.strip), ("phone", info.phone)] {
            if on && !matches!(condition, Some(Condition::Terms("word" | "text")) | None) {
                rule.fault(rule.line(), format!("`{word}` belongs to a rule with `word`"), "leave it out");
            }
        }
        rule.not_yet(&LATER);
        rule.finish();
        (info, places, condition)
    }

    fn condition(&mut self, rule: &Table, lists: Option<Table>) -> Option<Condition> {
        let conditions = ["finds", "word", "list", "text", "header"];
        let present: Vec<&str> = conditions.into_iter().filter(|word| rule.has(word)).collect();
        let lists_line = lists.as_ref().map(Table::line);
        let later = rule.words().iter().any(|word| LATER.contains(&word.value.as_str()));
        let condition = match present[..] {
            [] => {
                // A condition that comes later is told by `finish`.
                if !later {
                    rule.fault(rule.line(), "the rule looks for nothing", format!("add one of {}", conditions.join(", ")));
                }
                None
            }
            ["finds"] => Some(Condition::Finds(types(rule))),
            ["word"] => {
                self.terms(rule, rule.texts("word"), Stars::Themselves, Spelling::default());
                Some(Condition::Terms("word"))
            }
            ["text"] => {
                let spelling = Spelling { exact_case: exact(rule, "case"), exact_accents: false };
                self.terms(rule, rule.texts("text"), Stars::Themselves, spelling);
                Some(Condition::Terms("text"))
            }
            ["list"] => {
                self.lists(rule, lists.as_ref());
                Some(Condition::Terms("list"))
            }
            [_] => Some(Condition::Header(rule.tables("header").into_iter().map(header).collect())),
            [one, other, ..] => {
                rule.fault(rule.line(), format!("`{one}` and `{other}` in one rule are not in this version"), "make a rule of each");
                None
            }
        };
        if let (Some(line), false) = (lists_line, present.contains(&"list") || later) {
            rule.fault(line, "`[lists]` is not used", "name its lists in `list = [...]` or leave it out");
        }
        condition
    }

    fn lists(&mut self, rule: &Table, lists: Option<&Table>) {
        let names = rule.texts("list");
        let known: Vec<String> = lists.iter().flat_map(|l| l.words()).map(|w| w.value).collect();
        for Located { value, line } in &names {
            if !known.contains(value) {
                let remedy = match did_you_mean(value, known.iter().map(String::as_str)) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("describe it in `[lists]`: `{value} = {{ file = \"lists/{value}.txt\" }}`"),
                };
                rule.fault(*line, format!("there is no list `{value}`"), remedy);
            }
        }
        let Some(lists) = lists else { return };
        for Located { value: name, line } in lists.words() {
            let Some(list) = lists.table(&name) else { continue };
            if !names.iter().any(|n| n.value == name) {
                lists.fault(line, format!("the list `{name}` is not used"), "name it in `list` or leave it out");
            }
            self.list(list);
        }
    }

    fn list(&mut self, list: Table) {
        let matching = list.text("match");
        let mut spelling = Spelling { exact_case: exact(&list, "case"), exact_accents: exact(&list, "accents") };
        match matching.as_ref().map(|m| m.value.as_str()) {
            None | Some("word") => {}
            Some("exact") => spelling = Spelling { exact_case: true, exact_accents: true },
            Some(later @ ("stem" | "part")) => {
                list.fault(
                    matching.as_ref().map_or(1, |m| m.line),
                    format!("`match = \"{later}\"` is not in this version"),
                    "use word or exact",
                );
            }
            Some(other) => {
                list.fault(matching.as_ref().map_or(1, |m| m.line), format!("unknown match \"{other}\""), "use word or exact");
            }
        }
        match (list.has("file"), list.has("words")) {
            (true, false) => {
                if let Some((file, text)) = list.text("file").and_then(|name| self.file(&list, &name)) {
                    self.list_file(&list, &file, &text, spelling);
                }
            }
            (false, true) => self.terms(&list, list.texts("words"), Stars::Themselves, spelling),
            (true, true) => list.fault(list.line(), "a list has `file` or `words`, not both", "make two lists of it"),
            (false, false) => list.fault(list.line(), "the list is empty", "add `words = [...]` or `file = \"lists/x.txt\"`"),
        }
        list.finish();
    }

    /// A file named in a rule; names are relative to `rules/`.
    fn file(&self, table: &Table, name: &Located<String>) -> Option<(String, String)> {
        let file = format!("rules/{}", name.value);
        let text = self.files.get(&file).cloned();
        // One that is there and can't be read has been told.
        if text.is_none() && !table.faults().any_in(|faulty| faulty == file) {
            table.fault(name.line, format!("there is no file {file}"), "correct the name (it is relative to rules/) or add the file");
        }
        text.map(|text| (file, text))
    }

    /// A term a line, `# comment`, `-term` for what is not to be found although a part of it is listed.
    fn list_file(&mut self, list: &Table, file: &str, text: &str, spelling: Spelling) {
        for (line, term) in entries(text) {
            let (term, what) = match term.strip_prefix('-') {
                Some(term) => (term.trim(), Use::Except { rule: self.index }),
                None => (term, Use::Find { rule: self.index }),
            };
            if let Err(bad) = self.lexicon.add(term, Stars::Themselves, spelling, what) {
                list.faults().add(file, line, bad_term(term, &bad), "write a word or a phrase");
            }
        }
    }

    fn terms(&mut self, table: &Table, terms: Vec<Located<String>>, stars: Stars, spelling: Spelling) {
        for term in terms {
            self.term(table, &term, stars, spelling, Use::Find { rule: self.index });
        }
    }

    fn term(&mut self, table: &Table, term: &Located<String>, stars: Stars, spelling: Spelling, what: Use) {
        if let Err(bad) = self.lexicon.add(&term.value, stars, spelling, what) {
            let remedy = match bad {
                BadTerm::Empty => "write a word or a phrase",
                BadTerm::Star => "put one `*` at the end, behind two letters or more",
            };
            table.fault(term.line, bad_term(&term.value, &bad), remedy);
        }
    }

    fn context(&mut self, table: Table) -> ContextWords {
        for (word, wanted) in [("near", true), ("not_near", false)] {
            for term in table.texts(word) {
                self.term(&table, &term, Stars::AnyEnding, Spelling::default(), Use::Label { rule: self.index, wanted });
            }
        }
        let window = table.text("near_within").map_or_else(Window::default, |text| {
            window(&text.value).unwrap_or_else(|| {
                table.fault(text.line, format!("`{}` is no distance", text.value), "write \"60 before, 40 after\", each at most 1000");
                Window::default()
            })
        });
        let person = table.boolean("person").is_some_and(|b| b.value);
        table.finish();
        ContextWords { window, person }
    }

    fn ignored(&self, table: Table) -> HashSet<String> {
        let mut ignored: HashSet<String> = table.texts("values").iter().map(|v| bare(&v.value)).collect();
        for name in table.texts("files") {
            if let Some((_, text)) = self.file(&table, &name) {
                ignored.extend(entries(&text).map(|(_, value)| bare(value)));
            }
        }
        table.not_yet(&["in"]);
        table.finish();
        ignored
    }
}

fn places(rule: &Table) -> Where {
    let words = rule.texts("where");
    if words.is_empty() {
        if rule.is_texts("where") {
            rule.fault(rule.line(), "`where` is empty", "name a place or leave it out");
        }
        return Where::default();
    }
    words.into_iter().fold(Where::NOWHERE, |places, Located { value, line }| {
        places.with(&value).unwrap_or_else(|| {
            let remedy = match did_you_mean(&value, WORDS) {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => format!("known: {}", WORDS.join(", ")),
            };
            rule.fault(line, format!("unknown place \"{value}\""), remedy);
            places
        })
    })
}

fn types(rule: &Table) -> Vec<Type> {
    let mut types = Vec::new();
    for Located { value, line } in rule.texts("finds") {
        let found = match value.as_str() {
            "bsn" => Some(Type::Bsn),
            "iban" => Some(Type::Iban),
            other => Kind::of(other).map(Type::Other),
        };
        match found {
            Some(found) if types.contains(&found) => rule.fault(line, format!("the type \"{value}\" is named twice"), "leave one out"),
            Some(found) => types.push(found),
            None if NO_TYPES.contains(&value.as_str()) => {
                let remedy = if value == "phone" { "use phone_mobile" } else { "write a rule with `list` or `text`" };
                rule.fault(line, format!("\"{value}\" is no type"), remedy);
            }
            None => {
                let known = || ["bsn", "iban"].into_iter().chain(Kind::ids());
                let remedy = match did_you_mean(&value, known().chain(NO_TYPES)) {
                    Some(meant) => format!("did you mean \"{meant}\"?"),
                    None => format!("known: {}", known().collect::<Vec<_>>().join(", ")),
                };
                rule.fault(line, format!("unknown type \"{value}\""), remedy);
            }
        }
    }
    types
}

fn header(table: Table) -> HeaderTest {
    let name = table.required_text("name", "\"Sensitivity\"").map_or_else(String::new, |n| n.value);
    let values = |word| table.texts(word).into_iter().map(|v| v.value.trim().to_lowercase()).collect::<Vec<_>>();
    let (has, is) = (values("has"), values("is"));
    if has.is_empty() && is.is_empty() {
        table.fault(table.line(), "the header is not compared with anything", "add `is = [...]` or `has = \"...\"`");
    }
    table.finish();
    HeaderTest { name, has, is }
}

/// `case = "exact"`, `accents = "any"`.
fn exact(table: &Table, word: &str) -> bool {
    table.text(word).is_some_and(|text| {
        if !matches!(text.value.as_str(), "any" | "exact") {
            table.fault(text.line, format!("unknown {word} \"{}\"", text.value), "use any or exact");
        }
        text.value == "exact"
    })
}

/// `60 before, 40 after`.
fn window(text: &str) -> Option<Window> {
    // A label further away than this is no neighbour, and looking for one would cost more than linear time.
    const MOST: usize = 1000;
    let number = |part: &str, side: &str| part.trim().strip_suffix(side)?.trim().parse().ok().filter(|n| *n <= MOST);
    let (before, after) = text.split_once(',')?;
    Some(Window { before: number(before, "before")?, after: number(after, "after")? })
}

/// The lines of a list that say something, with their numbers.
fn entries(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(n, line)| (n + 1, line.trim_start_matches('\u{feff}').trim()))
        .map(|(n, line)| (n, line.split(" #").next().unwrap_or(line).trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

/// A number without what stands between its digits and letters.
fn bare(number: &str) -> String {
    number.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

fn bad_term(term: &str, bad: &BadTerm) -> String {
    match bad {
        BadTerm::Empty => format!("`{term}` has no letter or digit in it"),
        BadTerm::Star => format!("`{term}` has its `*` in the wrong place"),
    }
}
