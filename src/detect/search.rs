//! What all rules find in one text: each rule takes what it is about from the scan, and weighs it.

use super::{
    RuleSet,
    context::{self, Cell, Context, Verdict, Window},
    finding::{Confidence, Counts, mask_number, mask_word},
    key,
    lexicon::Use,
    normalise::Normal,
    number::{Candidate, Form},
    place::{self, View},
    region::{self, Areas, Regions},
    rule::{Condition, Rule, Type},
    scan::{Scanned, Stretch, scan},
    table::{ColumnOf, Tables},
    trigger,
    types::{self, Kind},
};
use crate::{
    extract::{Places, Source, Span, Text},
    phone::PhoneNumber,
};
use std::collections::HashMap;

/// Something found in one text, in bytes of its normal form.
pub(super) struct Raw {
    pub(super) rule: usize,
    pub(super) kind: &'static str,
    pub(super) stretch: Stretch,
    pub(super) confidence: Confidence,
    pub(super) masked: String,
    pub(super) why: Vec<String>,
    pub(super) phone: Option<PhoneNumber>,
}

/// What was found in one text.
pub(super) struct Searched {
    /// In the order of the text.
    pub(super) raws: Vec<Raw>,
    /// What was found and not kept, because a rule found too much: from the first to the last of it, by rule.
    pub(super) rest: HashMap<usize, (Stretch, Confidence)>,
    /// Whether the text holds more words and numbers than are kept at a time: its end was not looked at.
    pub(super) cut: bool,
}

/// One text, scanned, and what the rules have found in it so far.
pub(super) struct Search<'a> {
    pub(super) rules: &'a RuleSet,
    text: &'a Text,
    pub(super) normal: &'a Normal<'a>,
    view: View<'a>,
    pub(super) scanned: Scanned,
    counts: &'a mut Counts,
    pub(super) raws: Vec<Raw>,
    rest: HashMap<usize, (Stretch, Confidence)>,
    /// From where on each rule's pattern may match; `None` until one is asked for.
    pub(super) begins: Option<Vec<usize>>,
    /// Parts of the text that rules may leave out; `None` until one is asked for.
    areas: Option<Areas>,
}

impl<'a> Search<'a> {
    /// `first` says that no other text of the same part came before; `counts` what was found in the mail so far.
    pub(super) fn of(rules: &'a RuleSet, text: &'a Text, normal: &'a Normal<'a>, first: bool, counts: &'a mut Counts) -> Search<'a> {
        let view = View::of(text, normal.text.as_bytes(), first);
        let scanned = scan(normal, &rules.lexicon, rules.rules.all.len(), rules.wanted);
        Search { rules, text, normal, view, scanned, counts, raws: Vec::new(), rest: HashMap::new(), begins: None, areas: None }
    }

    /// What the rules find, in the order of the text.
    pub(super) fn run(mut self) -> Searched {
        let rules = self.rules;
        for (index, rule) in rules.rules.all.iter().enumerate() {
            match &rule.condition {
                Condition::Finds(types) if types.is_empty() => {}
                Condition::Finds(types) => {
                    let scanned = std::mem::take(&mut self.scanned);
                    for kind in types {
                        match kind {
                            Type::Bsn => self.bsns(index, rule, &scanned),
                            Type::Iban => self.ibans(index, rule, &scanned),
                            Type::Other(kind) => self.others(index, rule, *kind, &scanned),
                        }
                    }
                    self.scanned = scanned;
                }
                Condition::Terms(kind) => self.terms(index, rule, kind),
                Condition::Pattern(pattern) => self.pattern(index, rule, pattern),
                Condition::Known(asked) => self.known(index, rule, asked),
                Condition::Header(_) | Condition::Joined(_) => {}
            }
        }
        self.raws.sort_by_key(|raw| (raw.stretch, raw.rule));
        Searched { raws: self.raws, rest: self.rest, cut: self.scanned.cut }
    }

    /// Numbers that pass the 11-proef, weighed by what stands around them.
    fn bsns(&mut self, index: usize, rule: &Rule, scanned: &Scanned) {
        if scanned.candidates.is_empty() {
            return;
        }
        let (text, normal) = (self.text, self.normal);
        let bytes = normal.text.as_bytes();
        let context = self.context(index, rule, scanned);
        let says = |what: Use| match what {
            Use::Label { rule, wanted } if rule == index => Some(wanted),
            _ => None,
        };
        let column_of = |at: usize| column(text, normal, at);
        let sheet: Option<ColumnOf<'_>> = if matches!(text.places, Places::Cells(_)) { Some(&column_of) } else { None };
        let mut tables = Tables::new(bytes, context.labels, sheet);
        let mut previous: Option<(Candidate, Option<Verdict>)> = None;
        for candidate in &scanned.candidates {
            let candidate = as_padded(*candidate, text, normal);
            let cell: Cell = tables.cell(candidate.start);
            let again = previous.as_ref().is_some_and(|(before, _)| is_again(bytes, before, &candidate));
            let verdict = key::verdict(bytes, candidate.start, context.labels, &self.rules.lexicon, &says)
                .or_else(|| context.verdict(&candidate, &cell, previous.map(|(before, said)| (before.end, said))));
            previous = Some((candidate, verdict));
            let written = &normal.text[candidate.start..candidate.end];
            let stretch = (candidate.start, candidate.end);
            if !again
                && let Some(confidence) = context::weigh(&candidate, verdict.as_ref(), &context)
                && !rule.ignores(written)
                && let Some(more) = self.counted(index, rule, stretch, confidence)
            {
                let mut why = context::why(&candidate, verdict.as_ref(), confidence, &context);
                why.extend(more);
                self.raws.push(Raw { rule: index, kind: "bsn", stretch, confidence, masked: mask_number(written), why, phone: None });
            }
        }
    }

    /// IBANs: their check is strong enough to need no label, but a rule may have labels against them.
    fn ibans(&mut self, index: usize, rule: &Rule, scanned: &Scanned) {
        let context = self.context(index, rule, scanned);
        for stretch in &scanned.ibans {
            let written = &self.normal.text[stretch.0..stretch.1];
            let verdict = context.around(*stretch);
            if rule.ignores(written) || verdict.is_some_and(|v| !v.wanted) {
                continue;
            }
            let Some(more) = self.counted(index, rule, *stretch, Confidence::High) else { continue };
            let label = verdict.map(|v| context.told(&v, *stretch));
            let why = label.into_iter().chain(["length of the country".to_owned(), "mod 97".to_owned()]).chain(more).collect();
            let masked = mask_number(written);
            self.raws.push(Raw { rule: index, kind: "iban", stretch: *stretch, confidence: Confidence::High, masked, why, phone: None });
        }
    }

    /// Candidates of a type of the table.
    fn others(&mut self, index: usize, rule: &Rule, kind: Kind, scanned: &Scanned) {
        let from = scanned.codes.partition_point(|c| c.kind < kind);
        let candidates = &scanned.codes[from..from + scanned.codes[from..].partition_point(|c| c.kind == kind)];
        if candidates.is_empty() {
            return;
        }
        if kind == Kind::PASSWORD {
            return self.passwords(index, rule, candidates);
        }
        let (text, normal) = (self.text, self.normal);
        let labels = types::view(scanned, index, kind);
        let context = Context { labels: &labels, ..self.context(index, rule, scanned) };
        let says = |what: Use| match what {
            Use::Label { rule, wanted } if rule == index => Some(wanted),
            Use::Named { kinds } => Some(kinds.has(kind)),
            _ => None,
        };
        let column_of = |at: usize| column(text, normal, at);
        let sheet: Option<ColumnOf<'_>> = if matches!(text.places, Places::Cells(_)) { Some(&column_of) } else { None };
        let mut tables = Tables::new(context.text, context.labels, sheet);
        let mut previous: Option<(usize, Option<Verdict>)> = None;
        for candidate in candidates {
            let stretch = (candidate.start, candidate.end);
            let cell = tables.cell(candidate.start);
            let listed = previous.is_some_and(|(end, said)| said.is_some() && context.is_enumeration(end, candidate.start));
            let verdict = key::verdict(context.text, candidate.start, context.labels, &self.rules.lexicon, &says)
                .or_else(|| context.verdict(&Candidate::plain(stretch.0, stretch.1), &cell, previous));
            let beside = || {
                let birthday = kind == Kind::DOB && verdict.is_none() && is_beside_number(context.text, stretch, &scanned.candidates);
                birthday.then(|| (Confidence::Medium, vec!["beside a number that passes the 11-proef".to_owned(), "calendar".to_owned()]))
            };
            let Some((confidence, why)) = types::weigh(candidate, verdict.as_ref(), listed, &context).or_else(beside) else {
                previous = None;
                continue;
            };
            previous = Some((candidate.end, verdict));
            self.keep(index, rule, kind, stretch, confidence, why);
        }
    }

    /// Passwords: their word stands before them, or they would not have been found.
    fn passwords(&mut self, index: usize, rule: &Rule, candidates: &[types::Candidate]) {
        for candidate in candidates {
            let why = vec!["behind a word for a password".to_owned()];
            self.keep(index, rule, candidate.kind, (candidate.start, candidate.end), Confidence::High, why);
        }
    }

    fn keep(&mut self, index: usize, rule: &Rule, kind: Kind, stretch: Stretch, confidence: Confidence, mut why: Vec<String>) {
        let written = &self.normal.text[stretch.0..stretch.1];
        if rule.ignores(written) {
            return;
        }
        let Some(more) = self.counted(index, rule, stretch, confidence) else { return };
        why.extend(more);
        let masked = if kind.is_number() { mask_number(written) } else { mask_word(written) };
        self.raws.push(Raw { rule: index, kind: kind.id(), stretch, confidence, masked, why, phone: None });
    }

    /// What a rule's own words found.
    fn terms(&mut self, index: usize, rule: &Rule, kind: &'static str) {
        let bytes = self.normal.text.as_bytes();
        for stretch in std::mem::take(&mut self.scanned.finds[index]) {
            let (end, phone) = if rule.info.phone { trigger::number_behind(bytes, stretch.1) } else { (stretch.1, None) };
            let Some(more) = self.counted(index, rule, (stretch.0, end), Confidence::High) else { continue };
            let mut why = vec![format!("{kind} in {}", place::name(self.text.source))];
            if phone.is_some() {
                why.push("telephone number behind it".to_owned());
            }
            why.extend(more);
            let masked = mask_word(&self.normal.text[stretch.0..stretch.1]);
            self.raws.push(Raw { rule: index, kind, stretch, confidence: Confidence::High, masked, why, phone });
        }
    }

    /// Counts a finding of a rule; `None` when the rule does not look there, or found too many already.
    pub(super) fn counted(&mut self, index: usize, rule: &Rule, stretch: Stretch, confidence: Confidence) -> Option<Option<String>> {
        if !rule.places.holds(self.text, &self.view, stretch) {
            return None;
        }
        if !rule.ignored.regions.is_empty() && self.is_ignored(rule.ignored.regions, stretch) {
            return None;
        }
        let counted = self.counts.next(index, confidence);
        if counted.is_none() {
            let ((_, end), surest) = self.rest.entry(index).or_insert((stretch, confidence));
            (*end, *surest) = (stretch.1.max(*end), confidence.max(*surest));
        }
        counted
    }

    /// Whether a finding lies in a part of the text that the rule leaves out. Signatures, disclaimers and answered mails are looked for in the
    /// mail's own text only.
    fn is_ignored(&mut self, regions: Regions, stretch: Stretch) -> bool {
        let text = &*self.normal.text;
        if region::in_url(regions, text.as_bytes(), stretch) {
            return true;
        }
        self.text.source == Source::Body && self.areas.get_or_insert_with(|| Areas::of(text)).hold(regions, stretch)
    }

    pub(super) fn context<'s>(&self, index: usize, rule: &Rule, scanned: &'s Scanned) -> Context<'s>
    where
        'a: 's,
    {
        let words = rule.context.as_ref();
        Context {
            text: self.normal.text.as_bytes(),
            labels: &scanned.labels[index],
            people: &scanned.people,
            window: words.map_or_else(Window::default, |c| c.window),
            person: words.is_some_and(|c| c.person),
        }
    }
}

/// Whether a number that has the form of a BSN stands directly beside a date: `111222333 17-03-1977`, the commonest way to write the two.
fn is_beside_number(text: &[u8], (start, end): Stretch, numbers: &[Candidate]) -> bool {
    let gap = |from: usize, to: usize| {
        text.get(from..to).is_some_and(|gap| (1..=3).contains(&gap.len()) && gap.iter().all(|b| matches!(b, b' ' | b',' | b';' | b'\t')))
    };
    let usual = |number: &&Candidate| number.form == Form::Usual && !number.glued && !number.attached;
    let split = numbers.partition_point(|number| number.start < start);
    let before = split.checked_sub(1).and_then(|at| numbers.get(at)).filter(usual).is_some_and(|number| gap(number.end, start));
    before || numbers.get(split).filter(usual).is_some_and(|number| gap(end, number.start))
}

/// The column of the cell at `at`, in a sheet.
fn column(text: &Text, normal: &Normal<'_>, at: usize) -> Option<u32> {
    let Places::Cells(starts) = &text.places else { return None };
    let at = normal.original_range(at, at).start;
    starts.partition_point(|(start, _)| *start <= at).checked_sub(1).map(|cell| starts[cell].1.column)
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
    before.digits == candidate.digits
        && between.len() <= 40
        && between.contains(&0x1f)
        && !between.iter().any(|b| matches!(b, b'\t' | b'\n'))
}
