//! What a rule looks for: one thing, or several joined by `all`, `any`, `unless`, `within`, `distinct`.
//!
//! Each thing that is joined becomes a rule of its own without a name, so that one pass finds all of them; a [`Node`] says how they go together.

use super::{Reader, Rule, Type, list::exact, types};
use crate::{
    detect::{
        Confidence,
        check::{CHECKS, Check},
        compose::{Node, What, Within},
        known::Asked,
        lexicon::{Spelling, Stars},
        pattern::{self, Flaw, Pattern},
        place::Where,
    },
    fault::{Located, Table, did_you_mean},
};

/// What a rule looks for.
pub(in crate::detect) enum Condition {
    /// Numbers of these types.
    Finds(Vec<Type>),
    /// Terms in the lexicon; the word is the `type` that `explain --format json` tells: `word`, `list`, `text`.
    Terms(&'static str),
    /// What a regular expression matches.
    Pattern(Box<Pattern>),
    /// Values of a table of known ones.
    Known(Asked),
    /// Header fields of the mail.
    Header(Vec<HeaderTest>),
    /// What other rules find, joined.
    Joined(Node),
}

/// A header field, and what its value has or is.
pub(in crate::detect) struct HeaderTest {
    pub(in crate::detect) name: String,
    pub(in crate::detect) has: Vec<String>,
    pub(in crate::detect) is: Vec<String>,
}

/// What finds something by itself.
const THINGS: [&str; 7] = ["finds", "word", "list", "text", "header", "pattern", "known"];
/// What joins conditions, or names a rule that is one.
const JOINS: [&str; 3] = ["all", "any", "rule"];
/// What says more about a condition.
const MORE: [&str; 4] = ["unless", "within", "distinct", "confidence"];

/// How deep conditions may stand in one another: what is deeper nobody reads, and it bounds our own calls.
const DEEPEST: usize = 8;
/// More characters than this between two things are no nearness; "document" says that better.
const FARTHEST: i64 = 100_000;
/// As many different values as one rule's findings are told one by one.
const MOST_DISTINCT: i64 = 10_000;

/// What a condition takes over from the one around it.
#[derive(Clone, Copy)]
struct Around {
    places: Where,
    within: Within,
    depth: usize,
}

impl Reader<'_> {
    /// The condition that stands in the table `[rule]`.
    pub(super) fn condition(&mut self, rule: &Table, places: Where) -> Option<Condition> {
        // Each word is asked for, so that each is known in "did you mean".
        let joined = JOINS.iter().chain(&MORE).filter(|word| rule.has(word)).count() > 0;
        if joined {
            return self.node(rule, Around { places, within: Within::Mail, depth: 0 }).map(Condition::Joined);
        }
        let word = only(rule)?;
        Some(self.thing(rule, word))
    }

    /// One condition with everything that stands in it.
    fn node(&mut self, table: &Table, around: Around) -> Option<Node> {
        let word = only(table);
        let within = self.within(table).unwrap_or(around.within);
        let places = if around.depth > 0 && table.has("where") { super::places(table) } else { around.places };
        let inner = Around { places, within, depth: around.depth + 1 };
        let what = match word? {
            word @ ("all" | "any") => {
                let nodes = self.nodes(table, word, inner);
                if table.has(word) && table.tables(word).is_empty() {
                    table.fault(
                        table.line(),
                        format!("`{word}` is empty"),
                        format!("write `{word} = [{{ rule = \"bsn\" }}, {{ word = \"x\" }}]`"),
                    );
                }
                if word == "all" { What::All(nodes) } else { What::Any(nodes) }
            }
            "rule" => What::Any(self.named(table).into_iter().map(|rule| Node::of(rule, within)).collect()),
            thing => What::Rule(self.inner(table, thing, places)),
        };
        let unless = self.nodes(table, "unless", inner);
        let confidence = confidence(table).unwrap_or(Confidence::Low);
        let distinct = count(table, "distinct", 2..=MOST_DISTINCT, "a number of different values: distinct = 5").unwrap_or(1);
        if distinct > 1 && matches!(what, What::All(_)) {
            let remedy = "put it into the condition whose different values count: { list = \"x\", distinct = 2 }";
            table.fault(table.line(), "`distinct` beside `all`", remedy);
        }
        Some(Node { what, within, distinct, confidence, unless })
    }

    fn nodes(&mut self, table: &Table, word: &str, around: Around) -> Vec<Node> {
        let tables = if table.has(word) { table.tables(word) } else { Vec::new() };
        if around.depth > DEEPEST && !tables.is_empty() {
            let remedy = "make a rule of the inner ones and name it: { rule = \"x\" }";
            table.fault(table.line(), format!("conditions stand in one another more than {DEEPEST} deep"), remedy);
            return Vec::new();
        }
        let mut nodes = Vec::with_capacity(tables.len());
        for table in tables {
            nodes.extend(self.node(&table, around));
            table.finish();
        }
        nodes
    }

    /// A thing inside of a condition: a rule without a name, whose number it gives.
    fn inner(&mut self, table: &Table, word: &str, places: Where) -> usize {
        let index = self.names.len() + self.inner.len();
        // It has its number before its terms are read, which refer to it.
        let rule = Rule { line: table.line(), places, ..self.nothing(table.file()) };
        self.inner.push(rule);
        let outer = std::mem::replace(&mut self.index, index);
        let condition = self.thing(table, word);
        self.index = outer;
        if let Some(rule) = self.inner.last_mut() {
            rule.condition = condition;
        }
        index
    }

    /// What finds something by itself; the terms go into the lexicon, under the number of the rule being read.
    fn thing(&mut self, table: &Table, word: &str) -> Condition {
        match word {
            "finds" => Condition::Finds(types(table)),
            "word" => {
                self.terms(table, table.texts("word"), Stars::Themselves, Spelling::default());
                Condition::Terms("word")
            }
            "text" => {
                let spelling = Spelling { exact_case: exact(table, "case"), exact_accents: false };
                self.terms(table, table.texts("text"), Stars::Themselves, spelling);
                Condition::Terms("text")
            }
            "list" => {
                self.lists(table);
                Condition::Terms("list")
            }
            "pattern" => pattern(table).map_or(Condition::Finds(Vec::new()), |pattern| Condition::Pattern(Box::new(pattern))),
            "known" => self.known(table).map_or(Condition::Finds(Vec::new()), Condition::Known),
            _ => Condition::Header(table.tables("header").into_iter().map(header).collect()),
        }
    }

    /// The numbers of the rules that `rule` names.
    fn named(&self, table: &Table) -> Vec<usize> {
        let number = |Located { value, line }: Located<String>| {
            let number = self.names.iter().position(|name| *name == value);
            if number.is_none() {
                let remedy = match did_you_mean(&value, self.names.iter().map(String::as_str)) {
                    Some(meant) => format!("did you mean \"{meant}\"?"),
                    None => format!("add rules/{value}.toml, or name one of: {}", self.names.join(", ")),
                };
                table.fault(line, format!("there is no rule \"{value}\""), remedy);
            }
            number
        };
        table.texts("rule").into_iter().filter_map(number).collect()
    }

    /// `within = 300` or `within = "document"`.
    fn within(&self, table: &Table) -> Option<Within> {
        if !table.has("within") {
            return None;
        }
        if !table.is_texts("within") {
            return count(table, "within", 1..=FARTHEST, "a number of characters: within = 300").map(Within::Characters);
        }
        let text = table.text("within")?;
        match text.value.as_str() {
            "document" => Some(Within::Document),
            "mail" => Some(Within::Mail),
            other => {
                table.fault(text.line, format!("`within` can't be \"{other}\""), "write a number of characters, \"document\" or \"mail\"");
                None
            }
        }
    }
}

/// The one word that says what is looked for.
fn only(table: &Table) -> Option<&'static str> {
    let present: Vec<&str> = THINGS.into_iter().chain(JOINS).filter(|word| table.has(word)).collect();
    match present[..] {
        [one] => Some(one),
        [] => {
            table.fault(
                table.line(),
                "nothing is looked for here",
                format!("add one of {}", THINGS.into_iter().chain(JOINS).collect::<Vec<_>>().join(", ")),
            );
            None
        }
        [one, other, ..] => {
            let remedy =
                format!("write `all = [{{ {one} = .. }}, {{ {other} = .. }}]` if both must be there, `any = [..]` if one is enough");
            table.fault(table.line(), format!("`{one}` and `{other}` stand side by side"), remedy);
            None
        }
    }
}

fn confidence(table: &Table) -> Option<Confidence> {
    let text = table.text("confidence")?;
    let confidence = Confidence::ALL.into_iter().find(|c| c.word() == text.value);
    if confidence.is_none() {
        let remedy = match did_you_mean(&text.value, Confidence::ALL.map(Confidence::word)) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => "write \"low\", \"medium\" or \"high\"; it means this sure or surer".to_owned(),
        };
        table.fault(text.line, format!("unknown confidence \"{}\"", text.value), remedy);
    }
    confidence
}

/// A whole number within bounds.
fn count(table: &Table, word: &str, bounds: std::ops::RangeInclusive<i64>, example: &str) -> Option<usize> {
    let number = table.integer(word)?;
    if !bounds.contains(&number.value) {
        let what = format!("`{word} = {}` is not between {} and {}", number.value, bounds.start(), bounds.end());
        table.fault(number.line, what, format!("write {example}"));
        return None;
    }
    usize::try_from(number.value).ok()
}

/// `pattern = '...'`, with `check` and `case`.
fn pattern(table: &Table) -> Option<Pattern> {
    let check = table.text("check").and_then(|word| check(table, &word));
    // For a pattern capitals matter unless it is said that they don't: whoever writes one chose its letters.
    let any_case = table.has("case") && !exact(table, "case");
    let text = table.text("pattern")?;
    let told = |flaws: Vec<Flaw>| flaws.into_iter().for_each(|flaw| table.fault(text.line, flaw.what, flaw.remedy));
    pattern::read(&text.value, any_case, check).map_err(told).ok()
}

fn check(table: &Table, word: &Located<String>) -> Option<Check> {
    let check = CHECKS.iter().find(|(name, _)| *name == word.value).map(|(_, check)| *check);
    if check.is_none() {
        let names = CHECKS.map(|(name, _)| name);
        let remedy = match did_you_mean(&word.value, names) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => format!("known: {}", names.join(", ")),
        };
        table.fault(word.line, format!("unknown check \"{}\"", word.value), remedy);
    }
    check
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
