//! A TOML table whose reader asks for the words it knows; what is left over is a fault.

use super::{Faults, did_you_mean, notation};
use jiff::civil::Date;
use std::{cell::RefCell, collections::BTreeMap, rc::Rc};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

/// A value and the line it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Its line, from 1.
    pub line: usize,
}

/// A TOML table being read.
///
/// Each getter reports a value of the wrong kind as a fault and then answers as if it were absent, so that one run finds everything.
/// [`Table::finish`] reports the words nobody asked for.
#[derive(Debug)]
pub struct Table {
    file: Rc<str>,
    line: usize,
    entries: BTreeMap<String, (usize, Value)>,
    asked: RefCell<Vec<String>>,
    later: RefCell<Vec<String>>,
    faults: Faults,
}

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Integer(i64),
    Boolean(bool),
    Date(Date),
    List(Vec<(usize, Value)>),
    Table(usize, BTreeMap<String, (usize, Value)>),
    /// A kind that no file of ours uses (a float, a time of day); holds TOML's word for it.
    Other(&'static str),
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) => "a text",
            Value::Integer(_) => "a whole number",
            Value::Boolean(_) => "true or false",
            Value::Date(_) => "a date",
            Value::List(_) => "a list",
            Value::Table(..) => "a table",
            Value::Other(kind) => kind,
        }
    }
}

impl Table {
    /// Reads `text`; `None` when it is not TOML at all (the fault is reported).
    #[must_use]
    pub fn parse(file: &str, text: &str, faults: &Faults) -> Option<Table> {
        let lines = Lines::of(text);
        let (root, errors) = DeTable::parse_recoverable(text);
        let told = errors.iter().map(|e| {
            let at = e.span().map_or(0, |span| span.start);
            let rest = text.get(at..).unwrap_or_default();
            notation::Told { line: lines.at(at), message: e.message(), at: rest.lines().next().unwrap_or_default() }
        });
        for (line, what, remedy) in notation::faults(told.collect(), text) {
            faults.add(file, line, what, remedy);
        }
        let file: Rc<str> = file.into();
        errors.is_empty().then(|| Table {
            file,
            line: 1,
            entries: convert_table(root.get_ref(), &lines),
            asked: RefCell::default(),
            later: RefCell::default(),
            faults: faults.clone(),
        })
    }

    /// The file this table stands in.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line this table begins on.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The list to which this table's faults go.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Reports a fault on `line` of this file.
    pub fn fault(&self, line: usize, what: impl Into<String>, remedy: impl Into<String>) {
        self.faults.add(&self.file, line, what, remedy);
    }

    /// Whether the table has this word, whatever its kind. Counts as asking for it.
    #[must_use]
    pub fn has(&self, word: &str) -> bool {
        self.value(word).is_some()
    }

    /// Every word of the table with its line, in alphabetical order, for tables whose words are names of the writer's choice.
    #[must_use]
    pub fn words(&self) -> Vec<Located<String>> {
        self.entries.iter().map(|(word, (line, _))| Located { value: word.clone(), line: *line }).collect()
    }

    /// A text.
    #[must_use]
    pub fn text(&self, word: &str) -> Option<Located<String>> {
        self.of_kind(word, "a text", |v| match v {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        })
    }

    /// A text without which the table means nothing.
    #[must_use]
    pub fn required_text(&self, word: &str, example: &str) -> Option<Located<String>> {
        if !self.has(word) {
            self.fault(self.line, format!("`{word}` is missing"), format!("add a line such as `{word} = {example}`"));
        }
        self.text(word)
    }

    /// A whole number.
    #[must_use]
    pub fn integer(&self, word: &str) -> Option<Located<i64>> {
        self.of_kind(word, "a whole number without quotes", |v| match v {
            Value::Integer(n) => Some(*n),
            _ => None,
        })
    }

    /// Yes or no.
    #[must_use]
    pub fn boolean(&self, word: &str) -> Option<Located<bool>> {
        self.of_kind(word, "true or false, without quotes", |v| match v {
            Value::Boolean(b) => Some(*b),
            _ => None,
        })
    }

    /// A date: `2027-01-31`.
    #[must_use]
    pub fn date(&self, word: &str) -> Option<Located<Date>> {
        self.of_kind(word, "a date without quotes, the year first: 2027-01-31", |v| match v {
            Value::Date(d) => Some(*d),
            _ => None,
        })
    }

    /// One text or a list of texts; empty when absent.
    #[must_use]
    pub fn texts(&self, word: &str) -> Vec<Located<String>> {
        let Some((line, value)) = self.value(word) else { return Vec::new() };
        let items = match value {
            Value::Text(_) => vec![(*line, value.clone())],
            Value::List(items) => items.clone(),
            other => {
                self.wrong_kind(word, *line, "a text or a list of texts", other);
                return Vec::new();
            }
        };
        let mut texts = Vec::with_capacity(items.len());
        for (line, item) in items {
            match item {
                Value::Text(value) => texts.push(Located { value, line }),
                other => self.wrong_kind(word, line, "a list of texts", &other),
            }
        }
        texts
    }

    /// A table.
    #[must_use]
    pub fn table(&self, word: &str) -> Option<Table> {
        self.table_such_as(word, "a table")
    }

    /// A table; `example` is what somebody is told to write in the place of anything else.
    #[must_use]
    pub fn table_such_as(&self, word: &str, example: &str) -> Option<Table> {
        let (line, value) = self.value(word)?;
        match value {
            Value::Table(begins, entries) => Some(self.inner(*begins, entries.clone())),
            other => {
                self.wrong_kind(word, *line, example, other);
                None
            }
        }
    }

    /// One table or a list of tables (`[[policy]]`); empty when absent.
    #[must_use]
    pub fn tables(&self, word: &str) -> Vec<Table> {
        let Some((line, value)) = self.value(word) else { return Vec::new() };
        let items = match value {
            Value::Table(..) => vec![(*line, value.clone())],
            Value::List(items) => items.clone(),
            other => {
                self.wrong_kind(word, *line, "a table or a list of tables", other);
                return Vec::new();
            }
        };
        let mut tables = Vec::with_capacity(items.len());
        for (line, item) in items {
            match item {
                Value::Table(begins, entries) => tables.push(self.inner(begins, entries)),
                other => self.wrong_kind(word, line, "a list of tables", &other),
            }
        }
        tables
    }

    /// Whether the value of `word` is a text or a list of texts (and not a table): for words that may be either.
    #[must_use]
    pub fn is_texts(&self, word: &str) -> bool {
        match self.value(word) {
            Some((_, Value::Text(_))) => true,
            Some((_, Value::List(items))) => items.iter().all(|(_, v)| matches!(v, Value::Text(_))),
            _ => false,
        }
    }

    /// Whether the value of `word` is true or false: for words that may be that or something else.
    #[must_use]
    pub fn is_boolean(&self, word: &str) -> bool {
        matches!(self.value(word), Some((_, Value::Boolean(_))))
    }

    /// Words of the language that this version does not know yet; when used they are a fault that says so.
    pub fn not_yet(&self, words: &[&str]) {
        self.later.borrow_mut().extend(words.iter().map(|w| (*w).to_owned()));
    }

    /// Reports every word that nobody asked for.
    pub fn finish(self) {
        let (asked, later) = (self.asked.borrow(), self.later.borrow());
        for (word, (line, _)) in &self.entries {
            if asked.contains(word) {
                continue;
            }
            if later.contains(word) {
                self.fault(*line, format!("`{word}` is not in this version"), "leave it out");
                continue;
            }
            let remedy = match did_you_mean(word, asked.iter().map(String::as_str)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if asked.is_empty() => "leave it out".to_owned(),
                None => {
                    let mut known: Vec<_> = asked.iter().map(String::as_str).collect();
                    known.sort_unstable();
                    known.dedup();
                    format!("known here: {}", known.join(", "))
                }
            };
            self.fault(*line, format!("unknown word `{word}`"), remedy);
        }
    }

    fn inner(&self, line: usize, entries: BTreeMap<String, (usize, Value)>) -> Table {
        Table { file: self.file.clone(), line, entries, asked: RefCell::default(), later: RefCell::default(), faults: self.faults.clone() }
    }

    fn value(&self, word: &str) -> Option<&(usize, Value)> {
        self.asked.borrow_mut().push(word.to_owned());
        self.entries.get(word)
    }

    fn of_kind<T>(&self, word: &str, wanted: &str, take: impl Fn(&Value) -> Option<T>) -> Option<Located<T>> {
        let (line, value) = self.value(word)?;
        let taken = take(value);
        if taken.is_none() {
            self.wrong_kind(word, *line, wanted, value);
        }
        taken.map(|value| Located { value, line: *line })
    }

    fn wrong_kind(&self, word: &str, line: usize, wanted: &str, got: &Value) {
        self.fault(
            line,
            format!("`{word}` is {}", got.kind()),
            format!("write {}", if wanted == "a text" { "a text between quotes" } else { wanted }),
        );
    }
}

fn convert_table(table: &DeTable<'_>, lines: &Lines) -> BTreeMap<String, (usize, Value)> {
    table
        .iter()
        .map(|(key, value)| (key.get_ref().to_string(), (lines.at(key.span().start), convert(value, lines, key.span().start))))
        .collect()
}

fn convert(value: &Spanned<DeValue<'_>>, lines: &Lines, key_start: usize) -> Value {
    match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(digits) => {
            i64::from_str_radix(digits.as_str(), digits.radix()).map_or(Value::Other("a number that is too large"), Value::Integer)
        }
        DeValue::Boolean(b) => Value::Boolean(*b),
        DeValue::Datetime(when) => match (when.date, when.time) {
            (Some(d), None) => i16::try_from(d.year)
                .ok()
                .and_then(|year| Date::new(year, d.month as i8, d.day as i8).ok())
                .map_or(Value::Other("a date that does not exist"), Value::Date),
            _ => Value::Other("a time"),
        },
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| (lines.at(item.span().start), convert(item, lines, item.span().start))).collect())
        }
        DeValue::Table(table) => {
            // The span of a `[table]` is its header; that of a table made by dotted keys may be empty.
            let start = if value.span().is_empty() { key_start } else { value.span().start };
            Value::Table(lines.at(start), convert_table(table, lines))
        }
        DeValue::Float(_) => Value::Other("a number with a point"),
    }
}

/// Where lines begin, to turn an offset into a line number.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Lines {
        Lines(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|start| *start <= offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_found_in_one_run() {
        let faults = Faults::default();
        let text = "[rule]\nname = 3\nfinds = \"bsn\"\nwher = [\"body\"]\nwithin = 300\n[[policy]]\nthen = \"x\"\n[[policy]]\n";
        let root = Table::parse("rules/x.toml", text, &faults).expect("it is TOML");
        let rule = root.table("rule").expect("it is there");
        assert_eq!(rule.text("name"), None);
        assert_eq!(rule.text("finds").expect("it is there").value, "bsn");
        assert!(rule.texts("where").is_empty());
        rule.not_yet(&["within"]);
        rule.finish();
        let policies = root.tables("policy");
        assert_eq!(policies.iter().map(Table::line).collect::<Vec<_>>(), [6, 8]);
        assert!(policies[1].required_text("then", "\"level 1\"").is_none());
        root.finish();
        let faults: Vec<String> = faults.take().iter().map(ToString::to_string).collect();
        assert_eq!(
            faults,
            [
                "rules/x.toml:2: `name` is a whole number; write a text between quotes",
                "rules/x.toml:4: unknown word `wher`; did you mean `where`?",
                "rules/x.toml:5: `within` is not in this version; leave it out",
                "rules/x.toml:8: `then` is missing; add a line such as `then = \"level 1\"`",
            ]
        );
    }

    #[test]
    fn what_is_not_toml_is_told_with_its_line() {
        let faults = Faults::default();
        assert!(Table::parse("a.toml", "x = 1\ny = = 2\n", &faults).is_none());
        assert_eq!(faults.take()[0].line, 2);
    }
}
