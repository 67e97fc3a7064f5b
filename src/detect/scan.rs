//! The one pass over a text: words go to the lexicon, groups of digits to the numbers, and what they find is kept by what it is for.

use super::{
    class::{Class, class},
    iban,
    lexicon::{Hit, Lexicon, PersonWord, Token, Use},
    normalise::Normal,
    number::{Candidate, Numbers},
    types::{self, Codes, Kind, Kinds},
};

/// A stretch of the normal text, in bytes.
pub(super) type Stretch = (usize, usize);

/// A word near a number that says what kind of number it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) start: usize,
    pub(super) end: usize,
    /// For the type of number that the rule looks for, or against it.
    pub(super) wanted: bool,
}

/// What one text holds; each list in the order of the text.
#[derive(Default)]
pub(super) struct Scanned {
    /// What each rule's own words found.
    pub(super) finds: Vec<Vec<Stretch>>,
    /// What each rule's exceptions cover.
    pub(super) excepts: Vec<Vec<Stretch>>,
    /// Each rule's labels; none overlap.
    pub(super) labels: Vec<Vec<Label>>,
    /// What speaks of a person.
    pub(super) people: Vec<Stretch>,
    /// Numbers that pass the 11-proef, outside of IBANs.
    pub(super) candidates: Vec<Candidate>,
    /// Valid IBANs.
    pub(super) ibans: Vec<Stretch>,
    /// Candidates of the other types, by type.
    pub(super) codes: Vec<types::Candidate>,
    /// Words that name types, and which; none overlap.
    pub(super) named: Vec<(Stretch, Kinds)>,
    /// Whether it holds more than is kept ([`MOST`]): the end was not looked at.
    pub(super) cut: bool,
}

/// What is kept of one text at a time, all lists together: 4 million entries of some 24 octets. A text of 64 MiB with a word for a number in every
/// 16 octets, as an export of a register may be, has as many; one of nothing but such words would take a gigabyte.
const MOST: usize = 4_000_000;

/// Octets after which what is kept is counted: seldom enough to cost nothing, often enough that [`MOST`] is passed by no more than a part of it.
const STRIDE: usize = 16 << 10;

/// Looks through `normal` once.
pub(super) fn scan(normal: &Normal<'_>, lexicon: &Lexicon, rules: usize, wanted: Kinds) -> Scanned {
    let text = normal.text.as_bytes();
    let mut found =
        Scanned { finds: vec![Vec::new(); rules], excepts: vec![Vec::new(); rules], labels: vec![Vec::new(); rules], ..Scanned::default() };
    let mut numbers = Numbers::new();
    let mut codes = Codes::of(wanted);
    let (emails, secrets) = (wanted.has(Kind::EMAIL), wanted.has(Kind::SECRET));
    let mut before: Option<Token> = None;
    let (mut at, mut taken, mut count_at) = (0, 0, STRIDE);
    while at < text.len() {
        if at >= count_at {
            count_at = at + STRIDE;
            found.cut = found.kept() + codes.candidates.len() + numbers.candidates.len() > MOST;
            if found.cut {
                break;
            }
        }
        match class(text[at]) {
            Class::Other => {
                if emails && text[at] == b'@' {
                    codes.whole(types::email(text, at), Kind::EMAIL);
                }
                at += 1;
            }
            Class::Letter => {
                let token = Token::word(text, at);
                before = lexicon.at(normal, before, token, |hit| found.add(text, hit));
                if !lexicon.parts.is_empty() {
                    lexicon.parts.within(text, (token.start, token.end), |hit| found.add(text, hit));
                }
                if let Some(begins) = country(text, token)
                    && begins >= taken
                    && let Some(end) = iban::at(text, begins)
                {
                    found.ibans.push((begins, end));
                    taken = end;
                } else if token.start >= taken {
                    codes.token(text, token.start, token.end);
                    if secrets && let Some(end) = types::secret(text, at) {
                        codes.whole(Some((at, end)), Kind::SECRET);
                    }
                }
                at = token.end;
            }
            Class::Digit => {
                let token = Token::word(text, at);
                let end = token.end;
                if lexicon.digits {
                    before = lexicon.at(normal, before, token, |hit| found.add(text, hit));
                }
                if at >= taken {
                    numbers.group(text, at, end);
                    codes.token(text, at, end);
                } else {
                    numbers.finish(text);
                }
                at = end;
            }
        }
    }
    numbers.finish(text);
    found.candidates = numbers.candidates;
    found.codes = codes.candidates;
    found.free(text, wanted, numbers.dates);
    found.tidy();
    found
}

/// Where the two letters of a country, directly before a digit, may begin an IBAN: `NL61`, `NL 61`, `IBANNL61`.
#[inline]
fn country(text: &[u8], word: Token) -> Option<usize> {
    let next = text.get(word.end)?;
    let digit = next.is_ascii_digit() || *next == b' ' && text.get(word.end + 1).is_some_and(u8::is_ascii_digit);
    match word.end - word.start {
        2 if digit => Some(word.start),
        6 if digit && text[word.start..word.start + 4].eq_ignore_ascii_case(b"iban") => Some(word.start + 4),
        _ => None,
    }
}

impl Scanned {
    /// Entries of all lists that words fill.
    fn kept(&self) -> usize {
        let of_rules =
            self.finds.iter().chain(&self.excepts).map(Vec::len).sum::<usize>() + self.labels.iter().map(Vec::len).sum::<usize>();
        of_rules + self.people.len() + self.named.len() + self.ibans.len()
    }

    fn add(&mut self, text: &[u8], hit: Hit) {
        let stretch = (hit.start, hit.end);
        match hit.what {
            Use::Find { rule } => self.finds[rule].push(stretch),
            Use::Except { rule } => self.excepts[rule].push(stretch),
            Use::Label { rule, wanted } => self.labels[rule].push(Label { start: hit.start, end: hit.end, wanted }),
            Use::Named { kinds } => self.named.push((stretch, kinds)),
            Use::Person(PersonWord::Plain) => self.people.push(stretch),
            Use::Person(PersonWord::Title) => {
                let name = text[hit.end..].iter().take(3).position(|b| class(*b) == Class::Letter);
                if name.is_some_and(|n| n > 0 && text[hit.end + n].is_ascii_uppercase()) {
                    self.people.push(stretch);
                }
            }
        }
    }

    /// What is known by its word, or by a form of its own: dates, people, passwords.
    fn free(&mut self, text: &[u8], wanted: Kinds, dates: Vec<Stretch>) {
        let mut take = |kind, stretch: Stretch| {
            self.codes.push(types::Candidate { start: stretch.0, end: stretch.1, kind, attached: false, raised: false, rivalled: false });
        };
        if wanted.has(Kind::DOB) {
            dates.iter().for_each(|date| take(Kind::DOB, *date));
        }
        if wanted.has(Kind::PERSON) {
            self.people.iter().for_each(|word| take(Kind::PERSON, *word));
        }
        if wanted.has(Kind::PASSWORD) {
            let labels = self.named.iter().filter(|(_, kinds)| kinds.has(Kind::PASSWORD));
            labels.filter_map(|(label, _)| types::password(text, label.1)).for_each(|value| take(Kind::PASSWORD, value));
        }
        self.people.extend(dates);
    }

    /// Puts everything in order, and keeps the longest of what overlaps.
    fn tidy(&mut self) {
        self.people.sort_unstable();
        for (finds, excepts) in self.finds.iter_mut().zip(&mut self.excepts) {
            longest(finds, |s| *s);
            longest(excepts, |s| *s);
            let mut next = 0;
            finds.retain(|find| {
                while excepts.get(next).is_some_and(|e| e.1 <= find.0) {
                    next += 1;
                }
                excepts.get(next).is_none_or(|e| e.0 >= find.1)
            });
        }
        // One word may name several types.
        self.named.sort_by_key(|(stretch, _)| *stretch);
        self.named.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.or(next.1);
            }
            same
        });
        longest(&mut self.named, |(stretch, _)| *stretch);
        types::strongest(&mut self.codes, &self.ibans);
        for labels in &mut self.labels {
            longest(labels, |l| (l.start, l.end));
        }
    }
}

/// Sorts, and of any that overlap keeps the one that begins first, the longest of those.
pub(super) fn longest<T>(all: &mut Vec<T>, place: impl Fn(&T) -> Stretch) {
    all.sort_by_key(|one| {
        let (start, end) = place(one);
        (start, std::cmp::Reverse(end))
    });
    let mut taken = 0;
    all.retain(|one| {
        let (start, end) = place(one);
        let free = start >= taken;
        if free {
            taken = end;
        }
        free
    });
}
