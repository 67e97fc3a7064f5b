//! What in a text is sensitive: rules in, findings out, in one pass however many rules there are.
//!
//! A text is brought into one spelling ([`normalise`]), looked through once ([`scan`]), and what was found is weighed by what stands around it
//! ([`context`], [`table`], [`key`]). Nothing of what a text holds leaves this module unmasked, except a telephone number that its sender wrote
//! behind a trigger, as a `PhoneNumber`.

mod check;
mod class;
mod compose;
mod dutch;
mod context;
mod embedded;
mod examples;
mod finding;
mod iban;
mod joined;
mod key;
mod known;
mod lexicon;
mod normalise;
mod number;
mod parts;
mod pattern;
mod person;
mod place;
mod region;
mod rule;
mod scan;
mod search;
mod shape;
mod table;
mod trigger;
mod types;

pub use embedded::EMBEDDED;
pub use examples::Gap;
pub use finding::{Confidence, Finding, Found};
pub use known::{Builder as KnownBuilder, KnownKey, Row as KnownRow};
pub use rule::RuleInfo;

use crate::{
    extract::{Extraction, Places, Source, Text},
    fault::{Faults, Files},
};
use finding::{Collector, Number};
use lexicon::Lexicon;
use normalise::Normal;
use pattern::Gate;
use place::header_part;
use rule::{Condition, HeaderTest, Rule, Rules};
use search::Search;
use std::sync::Arc;
use types::Kinds;

/// Something about a rule that is no fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The rule's file.
    pub file: String,
    /// The line it is about.
    pub line: usize,
    /// In a sentence.
    pub what: &'static str,
}

/// All rules, ready for use. Immutable; a reload makes a new one.
pub struct RuleSet {
    rules: Rules,
    infos: Vec<RuleInfo>,
    lexicon: Lexicon,
    /// Whether any rule looks at header fields as text.
    headers: bool,
    /// Of which rules unsure findings are counted by their values.
    counted: Vec<bool>,
    patterns: Gate,
    /// The types that any rule finds, beyond BSN and IBAN.
    wanted: Kinds,
}

impl RuleSet {
    /// Compiles `rules/*.toml`, with the lists they name (relative to `rules/`), and reports every fault. With faults the set is of no use.
    #[must_use]
    pub fn compile(files: &Files, faults: &Faults) -> RuleSet {
        RuleSet::compile_with(files, None, faults)
    }

    /// The same, with the key of the tables of known values.
    #[must_use]
    pub fn compile_with(files: &Files, key: Option<&Arc<KnownKey>>, faults: &Faults) -> RuleSet {
        let mut lexicon = Lexicon::new();
        let rules = rule::read_all(files, key, faults, &mut lexicon);
        person::add(&mut lexicon);
        let infos = rules.named().iter().map(|r| r.info.clone()).collect();
        let headers = rules.all.iter().any(|r| r.places.looks_at_headers());
        let counted = rules.counted();
        let patterns = Gate::of(&rules.all);
        let wanted = rule::kinds(&rules.all);
        if !wanted.is_empty() {
            types::add_labels(&mut lexicon);
        }
        lexicon.ready();
        RuleSet { rules, infos, lexicon, headers, counted, patterns, wanted }
    }

    /// The built-in rules, those of the repository.
    ///
    /// # Panics
    /// Never in a build whose tests pass: they compile these very files.
    #[must_use]
    pub fn embedded() -> RuleSet {
        let faults = Faults::default();
        let rules = RuleSet::compile(&embedded::files(), &faults);
        assert!(faults.is_empty(), "the built-in rules have faults");
        rules
    }

    /// The rules, by file name.
    #[must_use]
    pub fn rules(&self) -> &[RuleInfo] {
        &self.infos
    }

    /// Runs every rule's own examples; each that fails is a fault at its line.
    pub fn check_examples(&self, faults: &Faults) {
        for rule in self.rules.named() {
            rule.examples.check(self, rule, faults);
        }
    }

    /// What is no fault, and whoever wrote it should know.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        let slow = |rule: &&Rule| matches!(&rule.condition, Condition::Pattern(pattern) if pattern.is_slow());
        let what = "this pattern has no three letters or digits that always stand in what it finds, so it is tried everywhere: it may cost a mail \
             1 to 10 ms for each MB of text; put a word that always stands there into it if there is one, else leave it as it is";
        self.rules.all.iter().filter(slow).map(|rule| Note { file: rule.file.clone(), line: rule.line, what }).collect()
    }

    /// The examples of which a rule's author knows that they are missed.
    #[must_use]
    pub fn gaps(&self) -> Vec<Gap> {
        self.rules.named().iter().flat_map(|r| r.examples.gaps(self, r)).collect()
    }

    /// Everything that the rules find in a mail, in the order of the mail; behind it, what conditions of several parts make of that.
    ///
    /// At most 10 000 findings for each rule; then one more, whose `why` says so. Nothing surer than what was kept is left out.
    #[must_use]
    pub fn find(&self, extraction: &Extraction) -> Found {
        let mut collector = Collector::new(&self.rules, &self.lexicon);
        self.find_in_headers(extraction, &mut collector);
        let mut number = Number { document: 0, text: 0 };
        let mut part = "";
        for text in &extraction.texts {
            let first = text.part != part || number.text == 0;
            number = Number { document: number.document + u32::from(first), text: number.text + 1 };
            self.find_in_text(text, number, first, &mut collector);
            part = &text.part;
        }
        collector.join(extraction);
        Found { findings: collector.findings, problems: collector.problems }
    }

    fn find_in_text(&self, text: &Text, number: Number, first: bool, collector: &mut Collector<'_>) {
        if text.text.is_empty() {
            return;
        }
        let normal = Normal::of(&text.text);
        let found = Search::of(self, text, &normal, first, &mut collector.counts).run();
        let chances = shape::chances(text, &normal, &found.raws, &self.counted);
        collector.take(text, number, &normal, found, &chances);
    }

    fn find_in_headers(&self, extraction: &Extraction, collector: &mut Collector<'_>) {
        for (name, value) in &extraction.headers {
            for (index, rule) in self.rules.all.iter().enumerate() {
                let Condition::Header(tests) = &rule.condition else { continue };
                if let Some(test) = tests.iter().find(|t| t.matches(name, value)) {
                    let why = vec![format!("header {}", test.name)];
                    collector.whole(index, header_part(name), value, why);
                }
            }
            if self.headers {
                // Not a property of a document, but the nearest there is: a property of the mail.
                let text = Text {
                    part: header_part(name),
                    source: Source::Properties,
                    text: format!("{name}: {value}"),
                    places: Places::None,
                    spans: Vec::new(),
                };
                self.find_in_text(&text, Number { document: 0, text: 0 }, true, collector);
            }
        }
    }
}

impl HeaderTest {
    fn matches(&self, name: &str, value: &str) -> bool {
        if !self.name.eq_ignore_ascii_case(name) {
            return false;
        }
        let value = value.trim().to_lowercase();
        self.is.contains(&value) || self.has.iter().any(|part| value.contains(part))
    }
}

#[cfg(test)]
mod tests;
