//! Rules test themselves: each file says what it must find, what it must pass, and what it is known to miss.

use super::{
    RuleSet,
    finding::{Confidence, Finding},
    rule::Rule,
};
use crate::{
    extract::{Extraction, Places, Source, Text},
    fault::{Faults, Located, Table},
};

/// The `[examples]` of a rule.
#[derive(Default)]
pub(super) struct Examples {
    texts: Vec<(Expected, Located<String>)>,
    mails: Vec<Mail>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// Found with exactly this confidence.
    Exactly(Confidence),
    /// Found.
    Match,
    /// Not found.
    Pass,
    /// Known to be missed.
    Gap,
}

const KINDS: [(&str, Expected); 6] = [
    ("high", Expected::Exactly(Confidence::High)),
    ("medium", Expected::Exactly(Confidence::Medium)),
    ("low", Expected::Exactly(Confidence::Low)),
    ("match", Expected::Match),
    ("pass", Expected::Pass),
    ("gap", Expected::Gap),
];

struct Mail {
    line: usize,
    subject: Option<String>,
    headers: Vec<(String, String)>,
    body: Option<String>,
    found: bool,
    stripped: Option<Located<String>>,
}

/// An example of which a rule's author knows that it is missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The rule's file.
    pub file: String,
    /// The line of the example.
    pub line: usize,
    /// Whether it is missed still; if not, it belongs under `match`.
    pub missed: bool,
}

impl Examples {
    pub(super) fn read(table: Option<Table>) -> Examples {
        let Some(table) = table else { return Examples::default() };
        let texts =
            KINDS.into_iter().flat_map(|(word, expected)| table.texts(word).into_iter().map(move |text| (expected, text))).collect();
        let mails = table.tables("mail").into_iter().filter_map(mail).collect();
        table.finish();
        Examples { texts, mails }
    }

    pub(super) fn check(&self, set: &RuleSet, rule: &Rule, faults: &Faults) {
        let matching =
            self.texts.iter().any(|(e, _)| matches!(e, Expected::Exactly(_) | Expected::Match)) || self.mails.iter().any(|m| m.found);
        let passing = self.texts.iter().any(|(e, _)| *e == Expected::Pass) || self.mails.iter().any(|m| !m.found);
        for (there, what, word) in [(matching, "that must match", "match"), (passing, "that must pass", "pass")] {
            if !there {
                faults.add(
                    &rule.file,
                    rule.line,
                    format!("the rule has no example {what}"),
                    format!("add one under `[examples]`, as `{word} = [\"...\"]`"),
                );
            }
        }
        for (expected, text) in &self.texts {
            let found = surest(set, rule, &example(rule, &text.value));
            let what = match (expected, found) {
                (Expected::Exactly(wanted), Some(got)) if *wanted != got => {
                    format!("\"{}\" is found with confidence {}, not {}", short(&text.value), got.word(), wanted.word())
                }
                (Expected::Exactly(_) | Expected::Match, None) => format!("\"{}\" is not found", short(&text.value)),
                (Expected::Pass, Some(got)) => format!("\"{}\" is found, with confidence {}", short(&text.value), got.word()),
                _ => continue,
            };
            faults.add(&rule.file, text.line, what, "correct the rule or the example");
        }
        for mail in &self.mails {
            mail.check(set, rule, faults);
        }
    }

    pub(super) fn gaps(&self, set: &RuleSet, rule: &Rule) -> Vec<Gap> {
        let gaps = self.texts.iter().filter(|(expected, _)| *expected == Expected::Gap);
        gaps.map(|(_, text)| Gap {
            file: rule.file.clone(),
            line: text.line,
            missed: surest(set, rule, &example(rule, &text.value)).is_none(),
        })
        .collect()
    }
}

impl Mail {
    fn check(&self, set: &RuleSet, rule: &Rule, faults: &Faults) {
        let found = surest(set, rule, &self.extraction()).is_some();
        if found != self.found {
            let what = if found { "this mail is found" } else { "this mail is not found" };
            faults.add(&rule.file, self.line, what, "correct the rule or the example");
        }
        if let Some(expected) = &self.stripped {
            let got = set.strip_subject(self.subject.as_deref().unwrap_or_default());
            if got != expected.value {
                let what = format!("the subject becomes \"{}\", not \"{}\"", short(&got), short(&expected.value));
                faults.add(&rule.file, expected.line, what, "correct the rule or the example");
            }
        }
    }

    fn extraction(&self) -> Extraction {
        let mut headers = self.headers.clone();
        headers.extend(self.subject.iter().map(|s| ("Subject".to_owned(), s.clone())));
        let texts = [("subject", Source::Subject, &self.subject), ("text", Source::Body, &self.body)];
        let texts = texts.into_iter().filter_map(|(part, source, text)| text.as_ref().map(|t| one(part, source, t))).collect();
        Extraction { headers, texts, ..Extraction::default() }
    }
}

/// `{ subject = "...", header = "Name: value", body = "...", expect = { match = true, subject = "..." } }`
fn mail(table: Table) -> Option<Mail> {
    let mut headers = Vec::new();
    for Located { value, line } in table.texts("header") {
        match value.split_once(':') {
            Some((name, value)) => headers.push((name.trim().to_owned(), value.trim().to_owned())),
            None => table.fault(line, "a header field needs a colon", "write \"Name: value\""),
        }
    }
    let text = |word| table.text(word).map(|t| t.value);
    let (subject, body) = (text("subject"), text("body"));
    let expect = table.table("expect");
    if expect.is_none() {
        table.fault(table.line(), "the example expects nothing", "add `expect = { match = true }`");
    }
    let expect = expect.map(|expect| {
        let found = expect.boolean("match");
        if found.is_none() {
            expect.fault(expect.line(), "`match` is missing", "add `match = true` or `match = false`");
        }
        let stripped = expect.text("subject");
        expect.finish();
        (found.is_some_and(|b| b.value), stripped)
    });
    let line = table.line();
    table.finish();
    expect.map(|(found, stripped)| Mail { line, subject, headers, body, found, stripped })
}

/// How sure the rule is of what it finds in an example; of what other rules find it says nothing.
fn surest(set: &RuleSet, rule: &Rule, extraction: &Extraction) -> Option<Confidence> {
    let of_rule = |f: &Finding| f.rule == rule.info.name;
    set.find(extraction).findings.iter().filter(|f| of_rule(f)).map(|f| f.confidence).max()
}

/// An example's text as the kind of text in which the rule looks.
fn example(rule: &Rule, text: &str) -> Extraction {
    Extraction { texts: vec![one("example", rule.places.example_source(), text)], ..Extraction::default() }
}

fn one(part: &str, source: Source, text: &str) -> Text {
    Text { part: part.to_owned(), source, text: text.to_owned(), places: Places::None, spans: Vec::new() }
}

/// An example in a fault, on one line.
fn short(text: &str) -> String {
    let line = text.replace('\n', " ");
    if line.chars().count() <= 60 { line } else { line.chars().take(60).chain(['…']).collect() }
}
