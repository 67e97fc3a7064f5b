//! What is found, as others may see it: masked, with its place in the text as it came.

use super::{
    compose::{Event, Events, From, Kind, Place},
    lexicon::Lexicon,
    normalise::Normal,
    rule::Rules,
    search::Searched,
};
use crate::{
    extract::{Places, Problem, ProblemKind, Source, Text},
    phone::PhoneNumber,
};
use std::{fmt, sync::Arc};

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// Form and check fit, nothing else speaks for it.
    Low,
    /// Something near it speaks for it.
    Medium,
    /// A label, a strong check, or the sender's own word.
    High,
}

impl Confidence {
    /// Every level, for policies and their faults.
    pub const ALL: [Confidence; 3] = [Confidence::Low, Confidence::Medium, Confidence::High];

    /// The word of rules, policies and `zegel explain`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        }
    }
}

/// Something sensitive: which rule found it, where, and why. What it is itself is masked.
#[derive(Clone)]
pub struct Finding {
    /// The rule's name.
    pub rule: Arc<str>,
    /// The `type` that `explain --format json` tells: `bsn`, `iban`, `word`, `list`, `text`, `header`, `composite`, `distinct`.
    pub kind: &'static str,
    /// How sure it is.
    pub confidence: Confidence,
    /// The part, as in [`Text::part`], or `header "Sensitivity"`.
    pub part: String,
    /// The kind of text; [`Source::Properties`] for a header field.
    pub source: Source,
    /// The place in it, as people are told: `line 7`.
    pub place: Option<String>,
    /// Its last four characters, or its first letter, and bullets for the rest.
    pub masked: String,
    /// Where it begins, in code points of the text of its part; `None` for a header field, and for parts of a condition in several texts.
    pub start: Option<usize>,
    /// Where it ends, in code points of the text of its part.
    pub end: Option<usize>,
    /// Each step that led to it, in a phrase.
    pub why: Vec<String>,
    /// The telephone number that the sender wrote behind a trigger.
    pub phone: Option<PhoneNumber>,
}

/// Without the telephone number, which never reaches a log.
impl fmt::Debug for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Finding")
            .field("rule", &self.rule)
            .field("kind", &self.kind)
            .field("confidence", &self.confidence)
            .field("part", &self.part)
            .field("place", &self.place)
            .field("masked", &self.masked)
            .field("start", &self.start)
            .field("end", &self.end)
            .field("why", &self.why)
            .field("phone", &self.phone.is_some())
            .finish_non_exhaustive()
    }
}

/// The findings of one rule in one mail that are told one by one: more than a person reads, few enough to keep.
const MOST: usize = 10_000;

/// Gathers the findings of a mail.
pub(super) struct Collector<'a> {
    pub(super) rules: &'a Rules,
    lexicon: &'a Lexicon,
    pub(super) findings: Vec<Finding>,
    /// What was found for parts of conditions only.
    pub(super) parts: Vec<Finding>,
    /// The same for conditions; `None` when no rule has any.
    pub(super) events: Option<Events>,
    pub(super) counts: Counts,
    /// Texts that could not be looked at to their end.
    pub(super) problems: Vec<Problem>,
}

/// What rules find in a mail.
#[derive(Debug)]
pub struct Found {
    /// In the order of the mail.
    pub findings: Vec<Finding>,
    /// Texts that hold more than can be weighed at once: `too-large`, reason `words`. Their end was not looked at.
    pub problems: Vec<Problem>,
}

/// How many findings each rule has in the mail so far.
pub(super) struct Counts(Vec<Count>);

#[derive(Clone, Default)]
struct Count {
    findings: usize,
    surest: Option<Confidence>,
    told: bool,
}

/// Which text of a mail it is.
#[derive(Clone, Copy)]
pub(super) struct Number {
    /// Texts of one file have the same; 0 is the header.
    pub(super) document: u32,
    /// From 1 on; 0 is the header.
    pub(super) text: u32,
}

impl<'a> Collector<'a> {
    pub(super) fn new(rules: &'a Rules, lexicon: &'a Lexicon) -> Collector<'a> {
        let events = (!rules.joined.is_empty()).then(|| Events::new(rules.all.len()));
        Collector {
            rules,
            lexicon,
            findings: Vec::new(),
            parts: Vec::new(),
            events,
            counts: Counts(vec![Count::default(); rules.all.len()]),
            problems: Vec::new(),
        }
    }

    /// Takes what was found in one text, in its order. `chances` tells, by its index, what counts for no value of its own.
    pub(super) fn take(&mut self, text: &Text, number: Number, normal: &Normal<'_>, found: Searched, chances: &[usize]) {
        if found.cut {
            self.problems.push(Problem { part: text.part.clone(), place: None, kind: ProblemKind::TooLarge, reason: "words" });
        }
        let mut cursor = Cursor { text, at: 0, characters: 0, line: 1 };
        let mut count = Characters { text: normal.text.as_bytes(), at: 0, count: 0 };
        for (index, raw) in found.raws.into_iter().enumerate() {
            let range = normal.original_range(raw.stretch.0, raw.stretch.1);
            cursor.advance(range.start);
            let start = cursor.characters;
            let end = start + text.text[range.clone()].chars().count();
            if let Some(events) = &mut self.events {
                let named = raw.rule < self.rules.named;
                // Fewer than 2^32: MOST for each rule.
                let from = if named { From::Finding(self.findings.len() as u32) } else { From::Part(self.parts.len() as u32) };
                let value = self.lexicon.value(&normal.text[raw.stretch.0..raw.stretch.1]);
                let kind = if chances.binary_search(&index).is_ok() { Kind::Chance } else { Kind::Usual };
                let place = count.place(number, raw.stretch);
                events.of_rule[raw.rule].push(Event { place, confidence: raw.confidence, value, kind, from });
            }
            self.keep(
                raw.rule,
                Finding {
                    rule: self.rules.all[raw.rule].info.name.clone(),
                    kind: raw.kind,
                    confidence: raw.confidence,
                    part: text.part.clone(),
                    source: text.source,
                    place: cursor.place(range.start),
                    masked: raw.masked,
                    start: Some(start),
                    end: Some(end),
                    why: raw.why,
                    phone: raw.phone,
                },
            );
        }
        if let Some(events) = &mut self.events {
            for (rule, (stretch, confidence)) in found.rest {
                let place = Characters { at: 0, count: 0, ..count }.place(number, stretch);
                events.of_rule[rule].push(Event { place, confidence, value: 0, kind: Kind::Rest, from: From::Rest });
            }
        }
    }

    /// Takes a header field as a whole.
    pub(super) fn whole(&mut self, rule: usize, part: String, value: &str, mut why: Vec<String>) {
        let Some(more) = self.counts.next(rule, Confidence::High) else { return };
        why.extend(more);
        if let Some(events) = &mut self.events {
            let from =
                if rule < self.rules.named { From::Finding(self.findings.len() as u32) } else { From::Part(self.parts.len() as u32) };
            let value = self.lexicon.value(&Normal::of(value).text);
            events.of_rule[rule].push(Event { place: Place::HEADER, confidence: Confidence::High, value, kind: Kind::Usual, from });
        }
        self.keep(
            rule,
            Finding {
                rule: self.rules.all[rule].info.name.clone(),
                kind: "header",
                confidence: Confidence::High,
                part,
                source: Source::Properties,
                place: None,
                masked: mask_word(value.trim()),
                start: None,
                end: None,
                why,
                phone: None,
            },
        );
    }

    fn keep(&mut self, rule: usize, finding: Finding) {
        if rule < self.rules.named { self.findings.push(finding) } else { self.parts.push(finding) }
    }
}

/// Counts the characters of a normal text, forward only.
#[derive(Clone, Copy)]
struct Characters<'a> {
    text: &'a [u8],
    at: usize,
    count: usize,
}

impl Characters<'_> {
    fn place(&mut self, number: Number, (start, end): (usize, usize)) -> Place {
        if number.text == 0 {
            return Place::HEADER;
        }
        let characters = |text: &[u8]| text.iter().filter(|b| (**b & 0xc0) != 0x80).count();
        self.count += characters(&self.text[self.at.min(start)..start]);
        self.at = start;
        let length = characters(&self.text[start..end]);
        // Normal texts are smaller than 2^32 (`normalise::LARGEST`).
        Place { document: number.document, text: number.text, start: self.count as u32, end: (self.count + length) as u32 }
    }
}

impl Counts {
    /// Counts a finding; `None` when it is one too many. One more than the most is kept, and says that there are more; what is surer than all
    /// before it is kept always.
    pub(super) fn next(&mut self, rule: usize, confidence: Confidence) -> Option<Option<String>> {
        let count = &mut self.0[rule];
        count.findings += 1;
        let surer = count.surest < Some(confidence);
        count.surest = count.surest.max(Some(confidence));
        if count.findings <= MOST {
            return Some(None);
        }
        if count.told && !surer {
            return None;
        }
        count.told = true;
        Some(Some("10 000 or more".to_owned()))
    }
}

/// Goes along a text once, counting characters and lines.
struct Cursor<'a> {
    text: &'a Text,
    at: usize,
    characters: usize,
    line: usize,
}

impl Cursor<'_> {
    fn advance(&mut self, to: usize) {
        let passed = &self.text.text.as_bytes()[self.at..to];
        // Bytes that begin a character: all but 10xxxxxx.
        self.characters += passed.iter().filter(|b| (**b & 0xc0) != 0x80).count();
        if self.text.places == Places::Lines {
            self.line += passed.iter().filter(|b| **b == b'\n').count();
        }
        self.at = to;
    }

    fn place(&self, at: usize) -> Option<String> {
        if self.text.places == Places::Lines { Some(format!("line {}", self.line)) } else { self.text.place(at) }
    }
}

/// `•••••6782`: the last four letters or digits.
pub(super) fn mask_number(number: &str) -> String {
    let bare: Vec<char> = number.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
    let hidden = bare.len().saturating_sub(4);
    "•".repeat(hidden).chars().chain(bare[hidden..].iter().copied()).collect()
}

/// `d•••••••••`: the first letter.
pub(super) fn mask_word(word: &str) -> String {
    // What stands before the first letter, the `#` of `#veilig`, says nothing.
    let lead = word.find(char::is_alphanumeric).unwrap_or(0);
    let letters = word[lead..].chars().count().min(40);
    let (signs, rest) = word.split_at(lead);
    signs.chars().chain(rest.chars().take(1)).chain(std::iter::repeat_n('•', letters.saturating_sub(1))).collect()
}
