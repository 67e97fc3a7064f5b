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

/// Words that may stand between a label and its number.
const FILLERS: [&[u8]; 16] = [
    b"nummer", b"nummers", b"nr", b"nrs", b"no", b"number", b"is", b"was", b"luidt", b"zijn", b"betreft", b"nl", b"en", b"van", b"de", b"s",
];

/// A label as it bears on one number, and how that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) wanted: bool,
    /// Nothing else could be meant: a column's header, a key, a label right before the number.
    pub(super) certain: bool,
    pub(super) why: String,
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

/// How sure a rule is about a number, and why; `None` when it is something else.
pub(super) fn weigh(candidate: &Candidate, verdict: Option<&Verdict>, context: &Context<'_>) -> Option<(Confidence, Vec<String>)> {
    let mut why = Vec::new();
    let confidence = match verdict {
        Some(Verdict { wanted: false, .. }) => return None,
        Some(Verdict { certain, why: label, .. }) => {
            why.push(label.clone());
            match candidate.form {
                Form::Begins if !certain => return None,
                Form::Usual | Form::Begins => Confidence::High,
                Form::Odd | Form::Eight if *certain => Confidence::High,
                Form::Odd | Form::Eight => Confidence::Medium,
            }
        }
        None if candidate.form != Form::Usual => return None,
        None => match context.person_near(candidate).filter(|_| !candidate.attached) {
            Some(near) => {
                why.push(near);
                Confidence::Medium
            }
            None => Confidence::Low,
        },
    };
    if candidate.glued && verdict.is_none_or(|v| !v.certain) {
        return None;
    }
    if candidate.form == Form::Eight {
        why.push("eight digits: a zero in front was lost".to_owned());
    }
    why.push("11-proef".to_owned());
    Some((confidence, why))
}

impl Context<'_> {
    /// What labels say about `candidate`. `previous` is the number before it, with what was said about that one.
    pub(super) fn verdict(&self, candidate: &Candidate, cell: &Cell, previous: Option<(usize, &Option<Verdict>)>) -> Option<Verdict> {
        let own = self.own(candidate, cell.row);
        let in_cell = |l: &Label| cell.cell.is_none_or(|start| l.start >= start);
        if let Some(label) = own.filter(in_cell) {
            return Some(self.told(label, candidate, true, "label"));
        }
        if let Some(label) = cell.header {
            let name = self.name(label);
            return Some(Verdict { wanted: label.wanted, certain: true, why: format!("column header \"{name}\"") });
        }
        if let Some(label) = own {
            return Some(self.told(label, candidate, true, "label"));
        }
        if let Some((end, said)) = previous
            && self.is_enumeration(end, candidate.start)
            && cell.row.is_none()
            && let Some(said) = said
        {
            return Some(said.clone());
        }
        let nearest = self.nearest(candidate, cell.row)?;
        Some(self.told(nearest, candidate, false, if nearest.wanted { "label" } else { "nearest label" }))
    }

    /// What labels say about a number that has no form of its own to be weighed, such as an IBAN.
    pub(super) fn around(&self, (start, end): Stretch) -> Option<Verdict> {
        if self.labels.is_empty() {
            return None;
        }
        let candidate = Candidate { start, end, digits: [0; 9], form: Form::Usual, glued: false, attached: false };
        self.verdict(&candidate, &Cell::default(), None)
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
            .find(|l| !self.points_forward(l));
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
    fn is_enumeration(&self, end: usize, start: usize) -> bool {
        let Some(between) = self.text.get(end..start).filter(|b| b.len() <= 12) else { return false };
        between.split(|b| class(*b) != Class::Letter).filter(|w| !w.is_empty()).all(|w| matches!(w, b"en" | b"and" | b"of" | b"or"))
            && !between.iter().any(|b| b.is_ascii_digit() || matches!(b, b'\t' | 0x1f | b'|'))
    }

    fn person_near(&self, candidate: &Candidate) -> Option<String> {
        if !self.person {
            return None;
        }
        let split = self.people.partition_point(|p| p.0 < candidate.end);
        let before = self.people[..split].iter().rev().find(|p| p.1 <= candidate.start).filter(|p| near(self.text, p.1, candidate.start));
        let after = self.people.get(split).filter(|p| near(self.text, candidate.end, p.0));
        let (side, place, far) = match (before, after) {
            (Some(b), Some(a)) if a.0 - candidate.end < candidate.start - b.1 => ("after", a, a.0 - candidate.end),
            (Some(b), _) => ("before", b, candidate.start - b.1),
            (None, Some(a)) => ("after", a, a.0 - candidate.end),
            (None, None) => return None,
        };
        // A date of birth is shown as what it is, not as its digits.
        let word =
            if self.text[place.0].is_ascii_digit() { "a date".to_owned() } else { format!("\"{}\"", shown(&self.text[place.0..place.1])) };
        Some(format!("{word} {far} {side}"))
    }

    fn told(&self, label: Label, candidate: &Candidate, certain: bool, what: &str) -> Verdict {
        let (far, side) = if label.end <= candidate.start {
            (count(&self.text[label.end..candidate.start]), "before")
        } else {
            (count(&self.text[candidate.end..label.start]), "after")
        };
        Verdict { wanted: label.wanted, certain, why: format!("{what} \"{}\" {far} {side}", self.name(label)) }
    }

    /// The label as it stands in the text, or as it stood in a key.
    fn name(&self, label: Label) -> String {
        shown(&self.text[label.start..label.end])
    }
}

/// A word of the text in an explanation: in lower case, on one line, of bounded length.
pub(super) fn shown(word: &[u8]) -> String {
    String::from_utf8_lossy(word).to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ").chars().take(40).collect()
}

fn near(text: &[u8], from: usize, to: usize) -> bool {
    distance(text, from, to, PERSON).is_some()
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

/// Whether nothing but a space or fillers stands between two labels.
fn is_phrase(between: &[u8]) -> bool {
    between.len() <= 12 && between.split(|b| *b == b' ').all(|word| word.is_empty() || FILLERS.iter().any(|f| f.eq_ignore_ascii_case(word)))
}

/// Whether the number at `start` follows `from` directly.
fn is_directly_before(text: &[u8], from: usize, start: usize) -> bool {
    start - from <= DIRECTLY && number_behind(text, from) == Some(start)
}
