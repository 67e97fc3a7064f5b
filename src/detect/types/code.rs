//! Runs of letters and digits become candidates of the types in use: the form and the check are tried at once, so that only what passes is kept.
//!
//! A candidate begins at the beginning of a run and ends at the end of one; between runs one separator may stand. Nothing is ever a candidate
//! that is part of a longer number.

use super::{Kind, ROWS};
use crate::detect::class::{Class, class};

/// The longest code of any type, in letters and digits: a card number of 19 digits; a VAT number has 14.
const LONGEST: usize = 19;
/// The French number is written in seven groups, none in more.
const GROUPS: usize = 7;
/// Groups of one character that a code may have; digit by digit nobody writes these numbers.
const SINGLES: usize = 2;
/// How far letters may go on before the first digit, for the two letters and six more of a passport.
const LETTERS: usize = 8;

/// What the check of a type sees. `compact` has a length that the type's row allows.
pub(super) struct Code<'a> {
    /// Letters, in upper case, and digits, without separators.
    pub(super) compact: &'a [u8],
    /// As it stands in the text.
    pub(super) written: &'a [u8],
    /// How many groups it is written in.
    pub(super) groups: usize,
    /// No letter in lower case.
    pub(super) upper: bool,
    /// A `+` stands directly before it.
    pub(super) plus: bool,
}

impl Code<'_> {
    pub(super) fn is_digits(&self) -> bool {
        self.compact.iter().all(u8::is_ascii_digit)
    }
}

/// A stretch that has the form of a type and passes its check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::detect) struct Candidate {
    pub(in crate::detect) start: usize,
    pub(in crate::detect) end: usize,
    pub(in crate::detect) kind: Kind,
    /// It hangs on something by a sign, as in the address of a web page: only what names it directly counts.
    pub(in crate::detect) attached: bool,
    /// Something in its form speaks for it beyond the check.
    pub(in crate::detect) raised: bool,
    /// The same stretch passes the strong check of another type: only a label makes it this one.
    pub(in crate::detect) rivalled: bool,
}

/// The kinds that a set of rules asks for: a bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::detect) struct Kinds(u64);

impl Kinds {
    pub(in crate::detect) fn with(self, kind: Kind) -> Kinds {
        Kinds(self.0 | 1 << kind.0)
    }

    pub(in crate::detect) fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind.0) != 0
    }

    pub(in crate::detect) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(in crate::detect) fn or(self, others: Kinds) -> Kinds {
        Kinds(self.0 | others.0)
    }
}

/// By length of the code, the kinds that have codes of that length.
static BY_LENGTH: [u64; LONGEST + 1] = {
    let mut table = [0; LONGEST + 1];
    let mut kind = 0;
    while kind < ROWS.len() {
        let mut length = ROWS[kind].lengths.0;
        while length > 0 && length <= ROWS[kind].lengths.1 {
            table[length] |= 1 << kind;
            length += 1;
        }
        kind += 1;
    }
    table
};

/// Reads codes of the kinds `wanted` in the order of the text.
pub(in crate::detect) struct Codes {
    wanted: u64,
    pub(in crate::detect) candidates: Vec<Candidate>,
}

impl Codes {
    pub(in crate::detect) fn of(wanted: Kinds) -> Codes {
        Codes { wanted: wanted.0, candidates: Vec::new() }
    }

    /// Takes a token of the text, letters or digits; what begins in the middle of a run is passed over.
    #[inline]
    pub(in crate::detect) fn token(&mut self, text: &[u8], start: usize, end: usize) {
        if self.wanted == 0 || start > 0 && class(text[start - 1]) != Class::Other {
            return;
        }
        if text[start].is_ascii_digit() || begins_with_letters(text, start, end) {
            self.run(text, start);
        }
    }

    /// Takes what was found as a whole.
    pub(in crate::detect) fn whole(&mut self, found: Option<(usize, usize)>, kind: Kind) {
        self.candidates.extend(found.map(|(start, end)| Candidate { start, end, kind, attached: false, raised: false, rivalled: false }));
    }

    /// Tries everything that begins at `start`, group by group.
    fn run(&mut self, text: &[u8], start: usize) {
        let attached = is_attached(text, start);
        let plus = start > 0 && text[start - 1] == b'+';
        let mut compact = [0u8; LONGEST];
        let (mut length, mut at, mut upper, mut spaced) = (0, start, true, false);
        let mut singles = 0;
        for groups in 1..=GROUPS {
            let before = length;
            while let Some(b) = text.get(at).filter(|b| b.is_ascii_alphanumeric()) {
                let Some(place) = compact.get_mut(length) else { return };
                *place = b.to_ascii_uppercase();
                upper &= !b.is_ascii_lowercase();
                length += 1;
                at += 1;
            }
            singles += usize::from(length - before == 1);
            if singles > SINGLES || text.get(at).is_some_and(|b| *b >= 0x80) {
                return;
            }
            if self.wanted & BY_LENGTH[length] != 0 {
                let code = Code { compact: &compact[..length], written: &text[start..at], groups, upper, plus };
                let ends_loose = !goes_on(text, at, false);
                let whole = !(goes_on(text, at, spaced) || spaced && follows_digits(text, start));
                self.fits(&code, (start, at), attached, (whole, ends_loose));
            }
            match text.get(at..at + 2) {
                // `+31 (0)6 ...`
                Some(b" (") if plus && text.get(at + 2..at + 4) == Some(b"0)") => at += 4,
                Some([b' ' | b'-' | b'.' | b'/' | b'+' | b':', next]) if next.is_ascii_alphanumeric() => {
                    spaced |= text[at] == b' ';
                    at += 1;
                }
                _ => return,
            }
            at += usize::from(text.get(at) == Some(&b' ') && plus && text[at - 1] == b')');
        }
    }

    fn fits(&mut self, code: &Code<'_>, (start, end): (usize, usize), attached: bool, (whole, ends_loose): (bool, bool)) {
        let mut left = self.wanted & BY_LENGTH[code.compact.len()];
        while left != 0 {
            let kind = left.trailing_zeros() as usize;
            left &= left - 1;
            let row = &ROWS[kind];
            // `+31 20 1234567` is a telephone number, whatever its digits add up to.
            if code.plus && Kind(kind as u8) != Kind::PHONE {
                continue;
            }
            // A strong check needs no clear end: `4111 1111 1111 1111 12/28`.
            if (whole || row.is_strong() && ends_loose) && (row.fits)(code) {
                let raised = (row.raises)(code);
                self.candidates.push(Candidate { start, end, kind: Kind(kind as u8), attached, raised, rivalled: false });
            }
        }
    }
}

/// Whether a token of letters may begin a code: digits follow it, or do so behind a separator.
#[inline]
fn begins_with_letters(text: &[u8], start: usize, end: usize) -> bool {
    let length = end - start;
    match text.get(end) {
        Some(b'0'..=b'9') => length <= LETTERS,
        Some(b' ' | b'-' | b'.') if length <= 3 => match text.get(end + 1..end + 4) {
            Some([b'0'..=b'9', ..]) => true,
            // XX-XX-99
            Some([a, b, b'-']) => length == 2 && text[end] == b'-' && a.is_ascii_uppercase() && b.is_ascii_uppercase(),
            _ => false,
        },
        _ => false,
    }
}

/// Whether the number goes on behind `end`.
fn goes_on(text: &[u8], end: usize, spaced: bool) -> bool {
    match text.get(end..end + 2) {
        Some([b'-' | b'/' | b'_' | b'@', next]) => next.is_ascii_alphanumeric(),
        Some([b'.' | b':' | b'+', next]) => next.is_ascii_digit(),
        Some([b' ', next]) => spaced && next.is_ascii_digit(),
        _ => false,
    }
}

/// Whether digits stand before `start`, a space apart.
fn follows_digits(text: &[u8], start: usize) -> bool {
    start >= 2 && text[start - 1] == b' ' && text[start - 2].is_ascii_digit()
}

fn is_attached(text: &[u8], start: usize) -> bool {
    let Some([before, sign]) = start.checked_sub(2).and_then(|from| text.get(from..start)) else { return false };
    match sign {
        b'-' | b'/' | b'=' | b'@' | b'&' | b'%' | b'#' | b'_' | b'~' | b'?' => before.is_ascii_alphanumeric(),
        b'.' => before.is_ascii_digit(),
        _ => false,
    }
}
