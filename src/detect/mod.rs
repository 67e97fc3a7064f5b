//! What in a text is sensitive: rules in, findings out, in one pass however many rules there are.
//!
//! A text is brought into one spelling ([`normalise`]), looked through once ([`scan`]), and what was found is weighed by what stands around it
//! ([`context`], [`table`], [`key`]). Nothing of what a text holds leaves this module unmasked, except a telephone number that its sender wrote
//! behind a trigger, as a `PhoneNumber`.

mod class;
mod context;
mod embedded;
mod examples;
mod finding;
mod iban;
mod key;
mod lexicon;
mod normalise;
mod number;
mod person;
mod place;
mod rule;
mod scan;
mod search;
mod table;
mod trigger;
mod types;

pub use embedded::EMBEDDED;
pub use examples::Gap;
pub use finding::{Confidence, Finding};
pub use rule::RuleInfo;

use crate::{
    extract::{Extraction, Places, Source, Text},
    fault::{Faults, Files},
};
use finding::{Collector, mask_word};
use lexicon::Lexicon;
use normalise::Normal;
use place::header_part;
use rule::{Condition, HeaderTest, Rule};
use search::Search;
use types::Kinds;

/// All rules, ready for use. Immutable; a reload makes a new one.
pub struct RuleSet {
    rules: Vec<Rule>,
    infos: Vec<RuleInfo>,
    lexicon: Lexicon,
    /// Whether any rule looks at header fields as text.
    headers: bool,
    /// The types that any rule finds, beyond BSN and IBAN.
    wanted: Kinds,
}

impl RuleSet {
    /// Compiles `rules/*.toml`, with the lists they name (relative to `rules/`), and reports every fault. With faults the set is of no use.
    #[must_use]
    pub fn compile(files: &Files, faults: &Faults) -> RuleSet {
        let mut lexicon = Lexicon::new();
        let rules = rule::read_all(files, faults, &mut lexicon);
        person::add(&mut lexicon);
        let infos = rules.iter().map(|r| r.info.clone()).collect();
        let headers = rules.iter().any(|r| r.places.looks_at_headers());
        let wanted = rule::kinds(&rules);
        if !wanted.is_empty() {
            types::add_labels(&mut lexicon);
        }
        RuleSet { rules, infos, lexicon, headers, wanted }
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
        for rule in &self.rules {
            rule.examples.check(self, rule, faults);
        }
    }

    /// The examples of which a rule's author knows that they are missed.
    #[must_use]
    pub fn gaps(&self) -> Vec<Gap> {
        self.rules.iter().flat_map(|r| r.examples.gaps(self, r)).collect()
    }

    /// Everything that the rules find in a mail, in the order of the mail.
    ///
    /// At most 10 000 findings for each rule; then one more, whose `why` says so. Nothing surer than what was kept is left out.
    #[must_use]
    pub fn find(&self, extraction: &Extraction) -> Vec<Finding> {
        let mut collector = Collector::new(self.rules.len());
        self.find_in_headers(extraction, &mut collector);
        let mut part = "";
        for text in &extraction.texts {
            self.find_in_text(text, text.part != part, &mut collector);
            part = &text.part;
        }
        collector.findings
    }

    fn find_in_text(&self, text: &Text, first: bool, collector: &mut Collector) {
        if text.text.is_empty() {
            return;
        }
        let normal = Normal::of(&text.text);
        let raws = Search::of(self, text, &normal, first, collector.counts()).run();
        collector.take(&self.infos, text, &normal, raws);
    }

    fn find_in_headers(&self, extraction: &Extraction, collector: &mut Collector) {
        for (name, value) in &extraction.headers {
            for (index, rule) in self.rules.iter().enumerate() {
                let Condition::Header(tests) = &rule.condition else { continue };
                if let Some(test) = tests.iter().find(|t| t.matches(name, value)) {
                    let why = vec![format!("header {}", test.name)];
                    collector.whole((index, &self.infos[index]), header_part(name), mask_word(value.trim()), why);
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
                self.find_in_text(&text, true, collector);
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
