//! What in a text is sensitive: rules in, findings out, in one pass however many rules there are.
//!
//! A text is brought into one spelling ([`normalise`]), looked through once ([`scan`]), and what was found is weighed by what stands around it
//! ([`context`], [`table`], [`key`]). Nothing of what a text holds leaves this module unmasked, except a telephone number that its sender wrote
//! behind a trigger, as [`PhoneNumber`].

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
mod table;
mod trigger;

pub use embedded::EMBEDDED;
pub use examples::Gap;
pub use finding::{Confidence, Finding};
pub use rule::RuleInfo;

use crate::{
    extract::{Extraction, Places, Source, Span, Text},
    fault::{Faults, Files},
    phone::PhoneNumber,
};
use context::{Context, Verdict, Window};
use finding::{Collector, mask_number, mask_word};
use lexicon::Lexicon;
use normalise::Normal;
use number::{Candidate, Form};
use place::{View, header_part};
use rule::{Condition, HeaderTest, Rule, Type};
use scan::{Scanned, Stretch, scan};

/// All rules, ready for use. Immutable; a reload makes a new one.
pub struct RuleSet {
    rules: Vec<Rule>,
    infos: Vec<RuleInfo>,
    lexicon: Lexicon,
    /// Whether any rule looks at header fields as text.
    headers: bool,
}

/// Something found in one text, in bytes of its normal form.
struct Raw {
    rule: usize,
    kind: &'static str,
    stretch: Stretch,
    confidence: Confidence,
    masked: String,
    why: Vec<String>,
    phone: Option<PhoneNumber>,
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
        RuleSet { rules, infos, lexicon, headers }
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
        let mut raws = self.scan_text(text, &normal, first);
        raws.sort_by_key(|raw| (raw.stretch, raw.rule));
        collector.take(&self.infos, text, &normal, raws);
    }

    /// What the rules find in one text, in no particular order.
    fn scan_text(&self, text: &Text, normal: &Normal<'_>, first: bool) -> Vec<Raw> {
        let scanned = scan(normal, &self.lexicon, self.rules.len());
        let view = View::of(text, normal.text.as_bytes(), first);
        let mut raws = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            match &rule.condition {
                Condition::Finds(types) => {
                    for kind in types {
                        match kind {
                            Type::Bsn => self.bsns(index, text, normal, &scanned, &mut raws),
                            Type::Iban => ibans(index, rule, normal, &scanned, &mut raws),
                        }
                    }
                    raws.retain(|raw| raw.rule != index || rule.places.holds(text, &view, raw.stretch));
                }
                Condition::Terms(kind) => {
                    terms(index, rule, kind, &scanned.finds[index], (text, &view), &mut raws);
                }
                Condition::Header(_) => {}
            }
        }
        raws
    }

    /// Numbers that pass the 11-proef, weighed by what stands around them.
    fn bsns(&self, index: usize, text: &Text, normal: &Normal<'_>, scanned: &Scanned, raws: &mut Vec<Raw>) {
        if scanned.candidates.is_empty() {
            return;
        }
        let rule = &self.rules[index];
        let bytes = normal.text.as_bytes();
        let labels = &scanned.labels[index];
        let words = rule.context.as_ref();
        let context = Context {
            text: bytes,
            labels,
            people: &scanned.people,
            window: words.map_or_else(Window::default, |c| c.window),
            person: words.is_some_and(|c| c.person),
        };
        let column_of = |at: usize| match &text.places {
            Places::Cells(starts) => {
                let at = normal.original_range(at, at).start;
                starts.partition_point(|(start, _)| *start <= at).checked_sub(1).map(|cell| starts[cell].1.column)
            }
            _ => None,
        };
        let sheet: Option<&dyn Fn(usize) -> Option<u32>> = if matches!(text.places, Places::Cells(_)) { Some(&column_of) } else { None };
        let cells = table::cells(bytes, labels, &scanned.candidates, sheet);
        let mut previous: Option<(Candidate, Option<Verdict>)> = None;
        for (candidate, cell) in scanned.candidates.iter().zip(&cells) {
            let candidate = as_padded(*candidate, text, normal);
            let again = previous.as_ref().is_some_and(|(before, _)| is_again(bytes, before, &candidate));
            let verdict = key::verdict(bytes, candidate.start, labels, &self.lexicon, index)
                .or_else(|| context.verdict(&candidate, cell, previous.as_ref().map(|(before, said)| (before.end, said))));
            let written = &normal.text[candidate.start..candidate.end];
            if !again
                && !rule.ignores(written)
                && let Some((confidence, why)) = context::weigh(&candidate, verdict.as_ref(), &context)
            {
                let stretch = (candidate.start, candidate.end);
                raws.push(Raw { rule: index, kind: "bsn", stretch, confidence, masked: mask_number(written), why, phone: None });
            }
            previous = Some((candidate, verdict));
        }
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

/// IBANs: the check is strong enough to need no label, but a rule may have labels against it.
fn ibans(index: usize, rule: &Rule, normal: &Normal<'_>, scanned: &Scanned, raws: &mut Vec<Raw>) {
    let window = rule.context.as_ref().map_or_else(Window::default, |c| c.window);
    let context = Context { text: normal.text.as_bytes(), labels: &scanned.labels[index], people: &[], window, person: false };
    for stretch in &scanned.ibans {
        let written = &normal.text[stretch.0..stretch.1];
        let verdict = context.around(*stretch);
        if rule.ignores(written) || verdict.as_ref().is_some_and(|v| !v.wanted) {
            continue;
        }
        let why = verdict.map(|v| v.why).into_iter().chain(["length of the country".to_owned(), "mod 97".to_owned()]).collect();
        let masked = mask_number(written);
        raws.push(Raw { rule: index, kind: "iban", stretch: *stretch, confidence: Confidence::High, masked, why, phone: None });
    }
}

/// What a rule's own words found, where the rule looks.
fn terms(index: usize, rule: &Rule, kind: &'static str, found: &[Stretch], (text, view): (&Text, &View<'_>), raws: &mut Vec<Raw>) {
    for stretch in found {
        let (end, phone) = if rule.info.phone { trigger::number_behind(view.text, stretch.1) } else { (stretch.1, None) };
        if !rule.places.holds(text, view, (stretch.0, end)) {
            continue;
        }
        let word = String::from_utf8_lossy(&view.text[stretch.0..stretch.1]);
        let mut why = vec![format!("{kind} in {}", place::name(text.source))];
        if phone.is_some() {
            why.push("telephone number behind it".to_owned());
        }
        raws.push(Raw { rule: index, kind, stretch: *stretch, confidence: Confidence::High, masked: mask_word(&word), why, phone });
    }
}

/// A number that extraction padded with zeros is one that lost them.
fn as_padded(candidate: Candidate, text: &Text, normal: &Normal<'_>) -> Candidate {
    if text.spans.is_empty() {
        return candidate;
    }
    let at = normal.original_range(candidate.start, candidate.start).start;
    let split = text.spans.partition_point(|(span, _)| span.start <= at);
    // Of the spans that may overlap here, an alternative and its padding, the nearest few are enough.
    let padded = text.spans[..split].iter().rev().take(4).any(|(span, kind)| *kind == Span::Padded && span.contains(&at));
    if padded { Candidate { form: Form::Eight, ..candidate } } else { candidate }
}

/// Whether a number is another reading of the one before it, in the same cell.
fn is_again(text: &[u8], before: &Candidate, candidate: &Candidate) -> bool {
    let between = &text[before.end.min(candidate.start)..candidate.start];
    before.digits == candidate.digits && between.contains(&0x1f) && !between.iter().any(|b| matches!(b, b'\t' | b'\n'))
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
