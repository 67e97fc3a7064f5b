//! Groups of digits become candidates: numbers of nine digits, or of eight that may have lost a zero, that pass the 11-proef.
//!
//! Groups that stand one separator apart are one stretch. What is joined by `-`, `.` or `/` belongs together more closely than what is joined by
//! a space; a group of nine digits, or a well-formed `1112.22.333`, stands for itself; a date is never part of a number; and nothing is ever
//! reported that is part of a longer number.

/// A number that may be a BSN as far as its form and the 11-proef go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) start: usize,
    pub(super) end: usize,
    /// As digits, a lost zero in front.
    pub(super) digits: [u8; 9],
    pub(super) form: Form,
    /// A letter stands directly before it: only a label may (`BSN111222333`).
    pub(super) glued: bool,
    /// It hangs on a word by a sign, as in an address of a web page or a file's name: a person near it says nothing.
    pub(super) attached: bool,
}

impl Candidate {
    /// One of which only the place matters.
    pub(super) fn plain(start: usize, end: usize) -> Candidate {
        Candidate { start, end, digits: [0; 9], form: Form::Usual, glued: false, attached: false }
    }
}

/// How a candidate is written, which says how much has to speak for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `111222333`, `111.222.333`, `1112.22.333`: as people write it.
    Usual,
    /// Nine digits in other groups, or over a line's end: counts only with a label.
    Odd,
    /// Eight digits: counts only with a label.
    Eight,
    /// The first nine digits of a longer row of groups: counts only right behind a label.
    Begins,
}

#[derive(Clone, Copy)]
struct Group {
    start: usize,
    end: usize,
    gap: Gap,
}

/// What stands between a group and the one before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// More than one separator, or the beginning.
    Break,
    /// One of `-`, `.`, `/`.
    Tight,
    Space,
    /// The end of a line.
    Line,
}

/// More groups than a number can have: nine digits one by one, and one more to see that it goes on.
const GROUPS: usize = 12;

/// Reads groups of digits in the order of the text.
pub(super) struct Numbers {
    pub(super) candidates: Vec<Candidate>,
    /// Dates in full: they speak of a person.
    pub(super) dates: Vec<(usize, usize)>,
    /// The groups of the stretch being read; never over the end of a line.
    groups: Vec<Group>,
    /// The stretch at the end of the line before, when it may go on here.
    carry: Vec<Group>,
    last_end: usize,
    /// The stretch follows a `+`: a telephone number.
    phone: bool,
    /// What follows the stretch hangs on it and is no number.
    poisoned: bool,
}

impl Numbers {
    pub(super) fn new() -> Numbers {
        Numbers {
            candidates: Vec::new(),
            dates: Vec::new(),
            groups: Vec::new(),
            carry: Vec::new(),
            last_end: 0,
            phone: false,
            poisoned: false,
        }
    }

    /// Takes the next group of digits.
    pub(super) fn group(&mut self, text: &[u8], start: usize, end: usize) {
        let gap = if self.last_end == 0 { Gap::Break } else { gap(text, self.last_end, start) };
        if end - start == 4
            && let Some(date) = date_in_words(text, start)
        {
            self.dates.push((date, end));
        }
        self.last_end = end;
        let letter_behind = text.get(end).is_some_and(u8::is_ascii_alphabetic);
        match gap {
            Gap::Break => self.finish(text),
            Gap::Line => self.finish_line(text),
            // A group of nine stands for itself, however many follow one another.
            Gap::Space if end - start == 9 || matches!(self.groups[..], [only] if only.end - only.start == 9) => {
                self.close(text);
            }
            Gap::Tight | Gap::Space => {}
        }
        if letter_behind {
            self.poisoned |= gap == Gap::Tight;
            return self.finish(text);
        }
        if gap == Gap::Break {
            self.phone = start > 0 && text[start - 1] == b'+';
        }
        if self.groups.len() < GROUPS {
            self.groups.push(Group { start, end, gap });
        } else {
            // Too long for a number; its last group grows, so that its end is not taken for the end of one. It is no group of digits any more.
            self.groups[GROUPS - 1].end = end;
            self.poisoned = true;
        }
    }

    /// Ends the text, or the part of it that numbers are looked for in.
    pub(super) fn finish(&mut self, text: &[u8]) {
        self.close(text);
        self.carry.clear();
        self.phone = false;
    }

    fn finish_line(&mut self, text: &[u8]) {
        let rest = self.close(text);
        self.carry = rest;
        self.phone = false;
    }

    /// Ends the stretch. Gives its last groups when they may be the beginning of a number that goes on in the next line.
    fn close(&mut self, text: &[u8]) -> Vec<Group> {
        let mut groups = std::mem::take(&mut self.groups);
        let mut rest = Vec::new();
        if !self.phone && !groups.is_empty() {
            let carried = std::mem::take(&mut self.carry);
            let open = self.stretch(text, &groups, &carried);
            if open < groups.len() && digits(&groups[open..]) < 9 {
                rest = groups[open..].to_vec();
            }
        }
        self.carry.clear();
        self.poisoned = false;
        groups.clear();
        self.groups = groups;
        rest
    }

    /// Takes the candidates out of one stretch. Gives the index from which its last groups are undecided.
    fn stretch(&mut self, text: &[u8], groups: &[Group], carried: &[Group]) -> usize {
        let mut loose = 0; // groups[loose..at] stand for nothing so far
        let mut at = 0;
        while at < groups.len() {
            let next = (at + 1..groups.len()).find(|i| groups[*i].gap != Gap::Tight).unwrap_or(groups.len());
            let atom = &groups[at..next];
            let poisoned = self.poisoned && next == groups.len();
            let stands = if poisoned || digits(atom) > 9 && !atom.iter().all(|g| g.end - g.start == 9) {
                true
            } else if let Some(full) = date(text, atom) {
                if full {
                    self.dates.push((atom[0].start, atom[atom.len() - 1].end));
                }
                true
            } else if atom.iter().all(|g| g.end - g.start == 9) {
                for group in atom {
                    self.candidate(text, std::slice::from_ref(group), Form::Usual);
                }
                true
            } else if digits(atom) == 9 && usual(atom) && uniform(text, atom) {
                self.candidate(text, atom, Form::Usual);
                true
            } else {
                false
            };
            if stands {
                self.run(text, &groups[loose..at], if loose == 0 { carried } else { &[] });
                loose = next;
            }
            at = next;
        }
        self.run(text, &groups[loose..], if loose == 0 { carried } else { &[] });
        loose
    }

    /// Groups between things that stand for themselves.
    fn run(&mut self, text: &[u8], groups: &[Group], carried: &[Group]) {
        if groups.is_empty() {
            return;
        }
        let total = digits(groups);
        if !carried.is_empty() && matches!(digits(carried) + total, 8 | 9) {
            let both: Vec<Group> = carried.iter().chain(groups).copied().collect();
            if !is_row(text, both[0].start, both[both.len() - 1].end) {
                let form = if digits(&both) == 9 { Form::Odd } else { Form::Eight };
                self.candidate(text, &both, form);
            }
        }
        match total {
            9 if usual(groups) => self.candidate(text, groups, Form::Usual),
            9 => self.candidate(text, groups, Form::Odd),
            8 => self.candidate(text, groups, Form::Eight),
            10.. => {
                let nine = (1..groups.len()).find(|n| digits(&groups[..*n]) >= 9).unwrap_or(0);
                if nine > 0 && digits(&groups[..nine]) == 9 && groups[nine].gap == Gap::Space {
                    self.candidate(text, &groups[..nine], Form::Begins);
                }
            }
            _ => {}
        }
    }

    /// Keeps a candidate that passes the 11-proef and is no amount of money.
    fn candidate(&mut self, text: &[u8], groups: &[Group], form: Form) {
        let mut number = [0u8; 9];
        let mut at = 9 - digits(groups);
        for group in groups {
            for b in &text[group.start..group.end] {
                number[at] = b - b'0';
                at += 1;
            }
        }
        let (start, end) = (groups[0].start, groups[groups.len() - 1].end);
        if !eleven(&number) || is_money(text, start, end) {
            return;
        }
        let before = |n: usize| start.checked_sub(n).map_or(b' ', |i| text[i]);
        let after = |n: usize| text.get(end + n).copied().unwrap_or(b' ');
        let sign = |b: u8| matches!(b, b'-' | b'/' | b'.' | b'=' | b'@' | b'&' | b'%' | b'#' | b'_' | b'~' | b'?' | b':');
        let attached = sign(before(1)) && before(2).is_ascii_alphanumeric() || sign(after(0)) && after(1).is_ascii_alphanumeric();
        self.candidates.push(Candidate { start, end, digits: number, form, glued: before(1).is_ascii_alphabetic(), attached });
    }
}

/// The 11-proef of the BSN: 9a+8b+7c+6d+5e+4f+3g+2h-i is divisible by 11. All zeros was never issued.
pub(super) fn eleven(digits: &[u8; 9]) -> bool {
    let sum: i32 = digits.iter().zip([9, 8, 7, 6, 5, 4, 3, 2, -1]).map(|(d, weight)| i32::from(*d) * weight).sum();
    sum % 11 == 0 && digits.iter().any(|d| *d != 0)
}

fn digits(groups: &[Group]) -> usize {
    groups.iter().map(|g| g.end - g.start).sum()
}

/// Whether nine digits are grouped as people group a BSN.
fn usual(groups: &[Group]) -> bool {
    let is = |lengths: &[usize]| groups.iter().map(|g| g.end - g.start).eq(lengths.iter().copied());
    is(&[9]) || is(&[4, 2, 3]) || is(&[3, 3, 3]) || is(&[2, 2, 2, 2, 1])
}

/// Whether the same sign stands between all of them.
fn uniform(text: &[u8], groups: &[Group]) -> bool {
    groups.windows(2).all(|pair| text[pair[0].end] == text[groups[0].end])
}

fn gap(text: &[u8], from: usize, to: usize) -> Gap {
    match &text[from..to] {
        [b'-' | b'.' | b'/'] => Gap::Tight,
        [b' '] => Gap::Space,
        // A space or a dash may stand before the end of the line (RFC 3676, 4.2: a flowed line ends with a space).
        [b'\n'] | [b'\r', b'\n'] | [b' ' | b'-', b'\n'] | [b' ' | b'-', b'\r', b'\n'] => Gap::Line,
        _ => Gap::Break,
    }
}

/// Whether a stretch over a line's end is two rows of a table, whose cells stand a tab apart.
fn is_row(text: &[u8], start: usize, end: usize) -> bool {
    // A cell is at most this far away; further out it is no table that a number would be broken by.
    const NEAR: usize = 400;
    let line_before = text[start.saturating_sub(NEAR)..start].iter().rev().take_while(|b| **b != b'\n');
    let line_after = text[end..].iter().take(NEAR).take_while(|b| **b != b'\n');
    line_before.chain(line_after).any(|b| *b == b'\t' || *b == 0x1f)
}

/// `111.222.333,00` and `$ 111.222.333`.
fn is_money(text: &[u8], start: usize, end: usize) -> bool {
    if !text[start..end].contains(&b'.') {
        return false;
    }
    let cents = matches!(text[end..], [b',', a, b, ..] if a.is_ascii_digit() && b.is_ascii_digit())
        && !text.get(end + 3).is_some_and(u8::is_ascii_digit);
    let sign = text[..start].iter().rev().take(3).find(|b| **b != b' ').is_some_and(|b| *b == b'$');
    cents || sign
}

/// Whether groups joined by signs are a date; `Some(true)` for one with the year in full.
fn date(text: &[u8], groups: &[Group]) -> Option<bool> {
    let [a, b, c] = groups else { return None };
    let number = |g: &Group| std::str::from_utf8(&text[g.start..g.end]).ok().and_then(|t| t.parse::<u32>().ok());
    let (day, month) = (1..=31u32, 1..=12u32);
    let length = |g: &Group| g.end - g.start;
    let pair = |x: u32, y: u32| day.contains(&x) && month.contains(&y) || month.contains(&x) && day.contains(&y);
    let (x, y, z) = (number(a)?, number(b)?, number(c)?);
    match (length(a), length(b), length(c)) {
        (1 | 2, 1 | 2, 4) if pair(x, y) && is_year(z) => Some(true),
        (4, 1 | 2, 1 | 2) if month.contains(&y) && day.contains(&z) && is_year(x) => Some(true),
        (1 | 2, 1 | 2, 2) if pair(x, y) => Some(false),
        _ => None,
    }
}

/// A year in which someone alive, or a document's author, may have been born or have written.
fn is_year(year: u32) -> bool {
    (1880..2100).contains(&year)
}

const MONTHS: [&str; 38] = [
    "jan",
    "januari",
    "january",
    "feb",
    "februari",
    "february",
    "mrt",
    "maart",
    "mar",
    "march",
    "apr",
    "april",
    "mei",
    "may",
    "jun",
    "juni",
    "june",
    "jul",
    "juli",
    "july",
    "aug",
    "augustus",
    "august",
    "sep",
    "sept",
    "september",
    "okt",
    "oktober",
    "oct",
    "october",
    "nov",
    "november",
    "dec",
    "december",
    "janv",
    "fevrier",
    "mai",
    "aout",
];

/// Where `17 oktober ` begins before the year at `start`.
fn date_in_words(text: &[u8], start: usize) -> Option<usize> {
    let year = std::str::from_utf8(&text[start..start + 4]).ok()?.parse().ok()?;
    let back = |from: usize, most: usize, is: fn(&u8) -> bool| from - text[..from].iter().rev().take(most).take_while(|b| is(b)).count();
    let is_space = |b: &u8| matches!(b, b' ' | b'.' | b'-' | b',');
    let month_end = back(start, 2, is_space);
    let month_start = back(month_end, 10, u8::is_ascii_alphabetic);
    if month_end == start || month_start == month_end || !is_year(year) {
        return None;
    }
    let day_end = back(month_start, 2, is_space);
    let day_start = back(day_end, 2, u8::is_ascii_digit);
    let month = &text[month_start..month_end];
    (day_start < day_end && day_end < month_start && MONTHS.iter().any(|m| m.as_bytes().eq_ignore_ascii_case(month))).then_some(day_start)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::class::{Class, class};

    fn candidates(text: &str) -> Vec<(&str, Form)> {
        let bytes = text.as_bytes();
        let (mut numbers, mut at) = (Numbers::new(), 0);
        while at < bytes.len() {
            let start = at;
            while at < bytes.len() && class(bytes[at]) == Class::Digit {
                at += 1;
            }
            if at > start {
                numbers.group(bytes, start, at);
            } else {
                at += 1;
            }
        }
        numbers.finish(bytes);
        numbers.candidates.iter().map(|c| (&text[c.start..c.end], c.form)).collect()
    }

    #[track_caller]
    fn check(text: &str, expected: &[(&str, Form)]) {
        assert_eq!(candidates(text), expected, "{text:?}");
    }

    #[test]
    fn a_bsn_passes_the_eleven_test() {
        check("111222333", &[("111222333", Form::Usual)]);
        check("111222334", &[]);
        check("000000000", &[]); // passes the sum, was never issued
        check("1 1 1 2 2 2 3 3 3 1 1 11 222 33", &[("1 1 1 2 2 2 3 3 3", Form::Begins)]); // the groups beyond twelve are no nine digits
    }

    #[test]
    fn every_spelling_is_one_number() {
        for text in ["111.222.333", "1112.22.333", "111 222 333", "111-222-333", "111/222/333", "11 12 22 33 3"] {
            check(text, &[(text, Form::Usual)]);
        }
        for text in ["1 1 1 2 2 2 3 3 3", "111222\n333", "111222\r\n333", "111222 \n333", "11122 2333"] {
            check(text, &[(text, Form::Odd)]);
        }
        check("100 000 09", &[]);
        check("1000 0009", &[]);
        check("100 000 08", &[("100 000 08", Form::Eight)]);
        check("10000\n008", &[("10000\n008", Form::Eight)]);
    }

    #[test]
    fn nothing_is_part_of_a_longer_number() {
        for text in ["1112223331", "111222333-12", "12.111222333", "111222333B01", "+32 111222333", "111.222.333.444", "4111 1112 2233 3"] {
            check(text, &[]);
        }
        check("111 222 333 444", &[("111 222 333", Form::Begins)]);
        check("111.222.333,00", &[]);
        check("$ 111.222.333", &[]);
    }

    #[test]
    fn what_stands_beside_a_number_is_not_joined_to_it() {
        let one = [("111222333", Form::Usual)];
        for text in [
            "111222333 17 oktober 1953",
            "111222333 17-03-1977",
            "17-03-1977 111222333",
            "111222333 111222334",
            "1\t111222333\t2",
            "2 111222333",
        ] {
            check(text, &one);
        }
        check("2 111.222.333 4", &[("111.222.333", Form::Usual)]);
        check("111 222 333 17-03-1977", &[("111 222 333", Form::Usual)]);
        check("123\t456782", &[]);
        check("naam\t1234\n56782\tx", &[]);
        check(
            "111222333\n100000009\n111222333/100000009",
            &[("111222333", Form::Usual), ("100000009", Form::Usual), ("111222333", Form::Usual), ("100000009", Form::Usual)],
        );
        let lines = "111 222 333\n".repeat(30);
        assert_eq!(candidates(&lines).len(), 30);
    }
}
