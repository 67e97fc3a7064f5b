//! What the words around a number say about it: the nearest label wins.

use super::{
    Confidence,
    class::{Class, class},
    number::{Candidate, Form},
    scan::{Label, Stretch},
};

/// How far labels reach, in characters of the normal text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) before: usize,
    pub(super) after: usize,
}

impl Default for Window {
    fn default() -> Window {
        Window { before: 60, after: 40 }
    }
}

/// How far a person may stand from a number.
const PERSON: usize = 60;

/// Whether a sentence or a paragraph ends within `text`.
fn ends_a_sentence(text: &[u8]) -> bool {
    let space = |b: &&u8| b.is_ascii_whitespace();
    text.iter().enumerate().any(|(at, b)| match b {
        b'.' | b'!' | b'?' => {
            let gap = text[at + 1..].iter().take_while(space).count();
            // The label that follows `text` may be the sentence's first word.
            gap > 0 && text.get(at + 1 + gap).is_none_or(u8::is_ascii_uppercase)
        }
        b'\n' => text[at + 1..].iter().take_while(space).any(|b| *b == b'\n'),
        _ => false,
    })
}

/// Words that may stand between a label and its number.
const FILLERS: [&[u8]; 16] = [
    b"nummer", b"nummers", b"nr", b"nrs", b"no", b"number", b"is", b"was", b"luidt", b"zijn", b"betreft", b"nl", b"en", b"van", b"de", b"s",
];

/// What was said about one number, by what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) wanted: bool,
    pub(super) by: By,
}

/// What decides about a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The key of which it is the value.
    Key(Stretch),
    /// The header of its column.
    Header(Label),
    /// A label right before it.
    Own(Label),
    /// The nearest label, or the one at the head of an enumeration.
    Near(Label),
}

impl Verdict {
    /// Nothing else could be meant.
    pub(super) fn is_certain(&self) -> bool {
        !matches!(self.by, By::Near(_))
    }
}

/// What stands around numbers in one text, for one rule.
pub(super) struct Context<'a> {
    pub(super) text: &'a [u8],
    pub(super) labels: &'a [Label],
    pub(super) people: &'a [Stretch],
    pub(super) window: Window,
    pub(super) person: bool,
}

/// What a table says about a number in it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell {
    /// The row, when the number stands in a table: labels of other rows say nothing about it.
    pub(super) row: Option<Stretch>,
    /// Where the cell begins.
    pub(super) cell: Option<usize>,
    /// The label in the header of its column.
    pub(super) header: Option<Label>,
}

/// How sure a rule is about a number; `None` when it is something else.
pub(super) fn weigh(candidate: &Candidate, verdict: Option<&Verdict>, context: &Context<'_>) -> Option<Confidence> {
    let certain = verdict.is_some_and(Verdict::is_certain);
    if verdict.is_some_and(|v| !v.wanted) || candidate.glued && !certain {
        return None;
    }
    match candidate.form {
        Form::Usual if verdict.is_some() => Some(Confidence::High),
        // Some other kind of number, as far as its own name goes, does not become a BSN by a person near it.
        Form::Usual if candidate.attached || names_a_kind(context.text, candidate.start) => Some(Confidence::Low),
        Form::Usual if context.person_near(candidate).is_some() => Some(Confidence::Medium),
        Form::Usual => Some(Confidence::Low),
        Form::Odd | Form::Eight | Form::Begins if certain => Some(Confidence::High),
        Form::Odd | Form::Eight if verdict.is_some() => Some(Confidence::Medium),
        Form::Odd | Form::Eight | Form::Begins => None,
    }
}

/// The steps that led to a confidence, each in a phrase.
pub(super) fn why(candidate: &Candidate, verdict: Option<&Verdict>, confidence: Confidence, context: &Context<'_>) -> Vec<String> {
    let mut why = Vec::with_capacity(3);
    match verdict {
        Some(verdict) => why.push(context.told(verdict, (candidate.start, candidate.end))),
        None if confidence == Confidence::Medium => {
            why.extend(context.person_near(candidate).map(|near| context.told_person(near, candidate)))
        }
        None => {}
    }
    if candidate.form == Form::Eight {
        why.push("eight digits: a zero in front was lost".to_owned());
    }
    why.push("11-proef".to_owned());
    why
}

impl Context<'_> {
    /// What labels say about `candidate`. `previous` is the end of the number before it, with what was said about that one.
    pub(super) fn verdict(&self, candidate: &Candidate, cell: &Cell, previous: Option<(usize, Option<Verdict>)>) -> Option<Verdict> {
        let said = |label: Label, by: fn(Label) -> By| Some(Verdict { wanted: label.wanted, by: by(label) });
        let own = self.own(candidate, cell.row);
        if let Some(label) = own.filter(|l| cell.cell.is_none_or(|start| l.start >= start)) {
            return said(label, By::Own);
        }
        if let Some(label) = cell.header {
            return said(label, By::Header);
        }
        if let Some(label) = own {
            return said(label, By::Own);
        }
        if let Some((end, Some(Verdict { wanted, by: By::Own(label) | By::Near(label) }))) = previous
            && cell.row.is_none()
            && self.is_enumeration(end, candidate.start)
        {
            return Some(Verdict { wanted, by: By::Near(label) });
        }
        said(self.nearest(candidate, cell.row)?, By::Near)
    }

    /// What labels say about a number that has no form of its own to be weighed, such as an IBAN.
    pub(super) fn around(&self, (start, end): Stretch) -> Option<Verdict> {
        if self.labels.is_empty() {
            return None;
        }
        self.verdict(&Candidate::plain(start, end), &Cell::default(), None)
    }

    /// What speaks of a person near a stretch, in a phrase.
    pub(super) fn person_beside(&self, (start, end): Stretch) -> Option<String> {
        let candidate = Candidate::plain(start, end);
        self.person_near(&candidate).map(|near| self.told_person(near, &candidate))
    }

    /// The label right before the number, with nothing but signs and fillers between: `BSN-nummer is 111222333`.
    fn own(&self, candidate: &Candidate, row: Option<Stretch>) -> Option<Label> {
        let before = &self.labels[..self.labels.partition_point(|l| l.end <= candidate.start)];
        let label = *before.last()?;
        let inside = |l: &Label| row.is_none_or(|(start, _)| l.start >= start);
        if !inside(&label) || !is_directly_before(self.text, label.end, candidate.start) {
            return None;
        }
        // "BSN klant: 111222333" is the BSN of a client, not a client's number.
        let kind =
            before.iter().rev().nth(1).filter(|l| !label.wanted && l.wanted && inside(l) && is_phrase(&self.text[l.end..label.start]));
        Some(kind.copied().unwrap_or(label))
    }

    /// The nearest label on either side that does not belong to another number; on a tie the one before.
    fn nearest(&self, candidate: &Candidate, row: Option<Stretch>) -> Option<Label> {
        let (from, to) = row.unwrap_or((0, self.text.len()));
        let split = self.labels.partition_point(|l| l.start < candidate.end);
        let before = self.labels[..split]
            .iter()
            .rev()
            .filter(|l| l.end <= candidate.start)
            .take_while(|l| l.start >= from && distance(self.text, l.end, candidate.start, self.window.before).is_some())
            // A label for the wanted type goes on past its first number: "BSN 111222333 en haar zoon 100000009".
            .find(|l| l.wanted || !self.belongs_to_another(l, candidate));
        let after = self.labels[split..]
            .iter()
            .take_while(|l| l.end <= to && distance(self.text, candidate.end, l.start, self.window.after).is_some())
            // "Het BSN van Jan is 111222333. Bel gerust": what the next sentence speaks of is not this number.
            .find(|l| !self.points_forward(l) && (l.wanted || !ends_a_sentence(&self.text[candidate.end..l.start])));
        match (before, after) {
            (Some(b), Some(a)) if a.start - candidate.end < candidate.start - b.end => Some(*a),
            (Some(b), _) => Some(*b),
            (None, a) => a.copied(),
        }
    }

    /// Whether a number, other than this one, follows the label directly.
    fn belongs_to_another(&self, label: &Label, candidate: &Candidate) -> bool {
        number_behind(self.text, label.end).is_some_and(|at| at != candidate.start)
    }

    /// Whether a label behind the number speaks of what follows it: `KvK 12345678`, `Telefoon:`.
    fn points_forward(&self, label: &Label) -> bool {
        let rest = &self.text[label.end..];
        let sign = rest.iter().take(3).find(|b| **b != b' ');
        sign.is_some_and(|b| matches!(b, b':' | b'=')) || number_behind(self.text, label.end).is_some()
    }

    /// Whether nothing but the signs and words of an enumeration stand between two numbers.
    pub(super) fn is_enumeration(&self, end: usize, start: usize) -> bool {
        let Some(between) = self.text.get(end..start).filter(|b| b.len() <= 12) else { return false };
        between.split(|b| class(*b) != Class::Letter).filter(|w| !w.is_empty()).all(|w| matches!(w, b"en" | b"and" | b"of" | b"or"))
            && !between.iter().any(|b| b.is_ascii_digit() || matches!(b, b'\t' | 0x1f | b'|'))
    }

    /// The nearest word or date that speaks of a person.
    fn person_near(&self, candidate: &Candidate) -> Option<Stretch> {
        if !self.person {
            return None;
        }
        let near = |from, to| distance(self.text, from, to, PERSON).is_some();
        let split = self.people.partition_point(|p| p.0 < candidate.end);
        let before = self.people[..split].iter().rev().find(|p| p.1 <= candidate.start).filter(|p| near(p.1, candidate.start));
        let after = self.people.get(split).filter(|p| near(candidate.end, p.0));
        match (before, after) {
            (Some(b), Some(a)) if a.0 - candidate.end < candidate.start - b.1 => Some(*a),
            (before, after) => before.or(after).copied(),
        }
    }

    /// What decided about the number at `number`, in a phrase: `label "bsn" 3 before`.
    pub(super) fn told(&self, verdict: &Verdict, number: Stretch) -> String {
        let name = |l: Label| shown(&self.text[l.start..l.end]);
        match verdict.by {
            By::Key((from, to)) => format!("key \"{}\"", shown(&self.text[from..to])),
            By::Header(label) => format!("column header \"{}\"", name(label)),
            By::Own(label) | By::Near(label) => format!("label \"{}\" {}", name(label), self.told_side((label.start, label.end), number)),
        }
    }

    fn told_person(&self, person: Stretch, candidate: &Candidate) -> String {
        let side = self.told_side(person, (candidate.start, candidate.end));
        // A date of birth is told as what it is, not by its digits.
        if self.text[person.0].is_ascii_digit() {
            format!("a date {side}")
        } else {
            format!("\"{}\" {side}", shown(&self.text[person.0..person.1]))
        }
    }

    /// `3 before`: characters between the two.
    fn told_side(&self, word: Stretch, number: Stretch) -> String {
        if word.1 <= number.0 {
            format!("{} before", count(&self.text[word.1..number.0]))
        } else {
            format!("{} after", count(&self.text[number.1.min(word.0)..word.0]))
        }
    }
}

/// A word of the text in an explanation: in lower case, on one line, of bounded length.
pub(super) fn shown(word: &[u8]) -> String {
    String::from_utf8_lossy(word).to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ").chars().take(40).collect()
}

/// The number of characters between two places, when it is at most `most`.
fn distance(text: &[u8], from: usize, to: usize, most: usize) -> Option<usize> {
    let bytes = to.checked_sub(from)?;
    if bytes > most * 4 {
        return None;
    }
    let far = if bytes <= most { bytes } else { count(&text[from..to]) };
    (far <= most).then_some(far)
}

/// Characters, not bytes.
fn count(text: &[u8]) -> usize {
    text.iter().filter(|b| (**b & 0xc0) != 0x80).count()
}

/// How much may stand between a label and its number.
const DIRECTLY: usize = 30;

/// Where the number begins that follows `from` directly, if one does.
fn number_behind(text: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while at < text.len() && at - from <= DIRECTLY {
        match class(text[at]) {
            Class::Digit => return Some(at),
            Class::Other if matches!(text[at], b'\t' | 0x1f) && at > from + 2 => return None,
            Class::Other if matches!(text[at], b',' | b';') => return None,
            Class::Other => at += 1,
            Class::Letter => {
                let word = text[at..].iter().take_while(|b| class(**b) == Class::Letter).take(10).count();
                if !FILLERS.iter().any(|f| f.eq_ignore_ascii_case(&text[at..at + word])) {
                    return None;
                }
                at += word;
            }
        }
    }
    None
}

/// Whether nothing but fillers and what joins them stands between two labels: `BSN/RSIN`, `BSN van de klant`.
fn is_phrase(between: &[u8]) -> bool {
    let filler = |word: &[u8]| FILLERS.iter().chain(&[&b"of"[..], b"or"]).any(|f| f.eq_ignore_ascii_case(word));
    between.len() <= 12 && between.split(|b| matches!(b, b' ' | b'/' | b'-' | b'(')).all(|word| word.is_empty() || filler(word))
}

/// Endings of words that name a kind of number.
const KINDS: [&[u8]; 5] = [b"nummer", b"number", b"nr", b"code", b"-id"];

/// Whether the word right before `start` names some kind of number: `personeelsnummer 111222333`.
fn names_a_kind(text: &[u8], start: usize) -> bool {
    let back = |from: usize, most: usize, is: fn(u8) -> bool| from - text[..from].iter().rev().take(most).take_while(|b| is(**b)).count();
    let end = back(start, 3, |b| matches!(b, b' ' | b':' | b'.' | b'#' | b'='));
    let word = &text[back(end, 40, |b| class(b) == Class::Letter || b == b'-')..end];
    // `T:` and `M:` in a signature.
    let phone = matches!(word, [b'T' | b'M' | b'F' | b't' | b'm' | b'f']) && text[end] == b':';
    phone || KINDS.iter().any(|kind| word.len() > kind.len() + 2 && word[word.len() - kind.len()..].eq_ignore_ascii_case(kind))
}

/// Whether the number at `start` follows `from` directly.
fn is_directly_before(text: &[u8], from: usize, start: usize) -> bool {
    start - from <= DIRECTLY && number_behind(text, from) == Some(start)
}
