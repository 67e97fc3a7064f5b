//! Every word and phrase of every rule in one index, so that a text is looked through once however many rules there are.
//!
//! A word of the text is hashed while it is read; a bit in a small filter, which stays in the processor's cache, says whether any term may begin
//! with it. Only then the map is asked, and only then a term is compared, character by character.

use super::{
    class::{self, Class, class},
    dutch,
    normalise::{Normal, phrase},
    parts::Parts,
    types::Kinds,
};
use std::{collections::HashMap, hash::Hasher};
use unicode_normalization::UnicodeNormalization;

/// How the characters of a term must agree with the text's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Spelling {
    pub(super) exact_case: bool,
    pub(super) exact_accents: bool,
}

/// What a term is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It is what rule `rule` looks for.
    Find { rule: usize },
    /// It stands in the list of rule `rule` as an exception: what it covers is not found.
    Except { rule: usize },
    /// It raises (`wanted`) or ends the suspicion of rule `rule` about a number near it.
    Label { rule: usize, wanted: bool },
    /// It names these types of number.
    Named { kinds: Kinds },
    /// It speaks of a person.
    Person(PersonWord),
}

/// Words that speak of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PersonWord {
    /// `geboren`, `patiënt`.
    Plain,
    /// `mevrouw`: only with a name, a word with a capital, behind it.
    Title,
}

struct Term {
    /// In its normal form, case kept.
    text: Box<str>,
    /// As written, composed, when accents must agree.
    accents: Option<Box<str>>,
    exact_case: bool,
    /// Any ending: `bsn*`.
    open: bool,
    /// How many bytes stand before its first letter or digit: 1 in `#veilig`.
    lead: u8,
    /// The next term with the same key, or [`NONE`].
    next: u32,
    what: Use,
}

/// No term: there are fewer.
const NONE: u32 = u32::MAX;

/// A term that cannot be looked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadTerm {
    /// No letter or digit in it.
    Empty,
    /// A `*` that is not at the end, or has fewer than two letters before it.
    Star,
    /// No single word of five letters or more, to be found in compounds.
    Short,
    /// One more than can be looked for.
    Many,
}

/// One term found: where, and what it is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) what: Use,
}

/// The index.
pub(super) struct Lexicon {
    terms: Vec<Term>,
    filter: Filter,
    /// Terms by the hash of their first word, when it is whole and the only one that is.
    single: Index,
    /// Terms by the hash of their first two words.
    pairs: Index,
    /// Terms of one word with an open end, by its first letters: three, or two where there are no more.
    open: Openings,
    /// What is looked for in compounds.
    pub(super) parts: Parts,
    /// Of an inflected form the value of its term.
    roots: HashMap<u64, u64, Ready>,
    /// Whether any term begins with a digit or holds one as its second word: only then are digits hashed.
    pub(super) digits: bool,
}

/// The last term with a key; it knows the one before.
type Index = HashMap<u64, u32, Ready>;

/// Hashes are hashes already.
type Ready = std::hash::BuildHasherDefault<Identity>;

#[derive(Default)]
struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {
        unreachable!("only u64 keys are hashed")
    }
    fn write_u64(&mut self, n: u64) {
        self.0 = n;
    }
}

/// Two bits for each value of the first bits of a hash. The built-in rules get 16 KiB, which stay in the nearest cache; 25 000 words get 64 KiB,
/// and one word in ten of a text is looked up for nothing.
struct Filter {
    slots: Box<[u64]>,
    bits: u32,
}

/// Below it little is gained.
const LEAST_FILTER_BITS: u32 = 12;
/// Enough for 64 000 terms; a larger one is read from further away.
const FILTER_BITS: u32 = 18;
/// With a million words a filter of 64 KiB says yes to all; one of 2 MiB seldom does so for nothing.
const MOST_FILTER_BITS: u32 = 23;

/// The word is a term, or begins one that is found by its first word.
const SINGLE: u64 = 1;
/// The word begins a term that is found by its first two.
const HEAD: u64 = 2;

impl Filter {
    /// For so many terms.
    fn of(terms: usize) -> Filter {
        let log = terms.max(1).ilog2();
        // Thirty-two times the room that the terms take, as long as that is near; eight times where it is not.
        let bits =
            if log + 3 > FILTER_BITS + 1 { (log + 3).min(MOST_FILTER_BITS) } else { (log + 5).clamp(LEAST_FILTER_BITS, FILTER_BITS) };
        Filter { slots: vec![0; 1 << (bits - 5)].into(), bits }
    }

    fn add(&mut self, hash: u64, what: u64) {
        let slot = hash >> (64 - self.bits);
        self.slots[(slot >> 5) as usize] |= what << ((slot & 31) * 2);
    }

    #[inline]
    fn get(&self, hash: u64) -> u64 {
        let slot = hash >> (64 - self.bits);
        self.slots[(slot >> 5) as usize] >> ((slot & 31) * 2)
    }
}

/// How words with an open end begin: a bit for every three letters, five bits of each letter, and one for every two; 4 KiB.
struct Openings {
    begins: Box<[u64]>,
    terms: Index,
    /// Whether any of those has two letters only.
    two: bool,
}

impl Openings {
    fn new() -> Openings {
        Openings { begins: vec![0; (1 << 15 | 1 << 10) / 64].into(), terms: Index::default(), two: false }
    }

    /// By its two or three letters.
    #[inline]
    fn key(letters: &[u8]) -> u64 {
        let five = |b: u8| u64::from(b & 31);
        match letters {
            [a, b] => 1 << 15 | five(*a) << 5 | five(*b),
            [a, b, c, ..] => five(*a) << 10 | five(*b) << 5 | five(*c),
            _ => 0,
        }
    }

    fn add(&mut self, key: u64, term: u32) -> Option<u32> {
        self.two |= key >> 15 != 0;
        self.begins[(key / 64) as usize] |= 1 << (key % 64);
        self.terms.insert(key, term)
    }

    #[inline]
    fn has(&self, key: u64) -> bool {
        self.begins[(key / 64) as usize] >> (key % 64) & 1 != 0
    }
}

/// A word of a text, or a group of digits: a run of one class.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Of its bytes, letters in lower case.
    hash: u64,
}

const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// ASCII letters in lower case, eight at a time. Other bytes become others, the same ones every time: a hash asks no more.
const LOWER: u64 = 0x2020_2020_2020_2020;

impl Token {
    /// The run of one class that begins at `start`. A word is measured and hashed by the same load of eight bytes.
    #[inline]
    pub(super) fn word(text: &[u8], start: usize) -> Token {
        let digits = class(text[start]) == Class::Digit;
        let (mut end, mut hash) = (start, 0);
        loop {
            let eight = load(text, end);
            let length = if digits { class::digits(eight) } else { class::letters(eight) };
            end += length;
            if length < 8 {
                return Token { start, end, hash: if length > 0 { mix(hash, eight, length) } else { hash } };
            }
            hash = mix(hash, eight, 8);
        }
    }

    fn with(self, next: Token) -> u64 {
        (self.hash.rotate_left(23) ^ next.hash).wrapping_mul(MIX)
    }
}

/// The eight bytes at `at`; behind the text there are zeros, which are of no word.
#[inline]
fn load(text: &[u8], at: usize) -> u64 {
    match text.get(at..at + 8).and_then(|eight| eight.try_into().ok()) {
        Some(eight) => u64::from_le_bytes(eight),
        None => text.get(at..).unwrap_or_default().iter().rev().fold(0, |eight, b| eight << 8 | u64::from(*b)),
    }
}

/// Adds the first `length` bytes, one to eight, of `eight`. Its high bits are the best ones.
#[inline]
fn mix(hash: u64, eight: u64, length: usize) -> u64 {
    let kept = eight & u64::MAX >> (64 - length * 8);
    // No letter and no digit is a zero, so that runs of another length differ by their bytes.
    let mixed = (hash.rotate_left(29) ^ (kept | LOWER >> (64 - length * 8))).wrapping_mul(MIX);
    mixed ^ mixed >> 32
}

impl Lexicon {
    pub(super) fn new() -> Lexicon {
        Lexicon {
            terms: Vec::new(),
            filter: Filter::of(0),
            single: Index::default(),
            pairs: Index::default(),
            open: Openings::new(),
            parts: Parts::default(),
            roots: HashMap::default(),
            digits: false,
        }
    }

    /// Adds a term. A `*` at its end stands for any ending when `stars` says so.
    pub(super) fn add(&mut self, written: &str, stars: Stars, spelling: Spelling, what: Use) -> Result<(), BadTerm> {
        let (body, open) = match (stars, written.trim_end().strip_suffix('*')) {
            (Stars::AnyEnding, Some(body)) => (body, true),
            _ => (written, false),
        };
        let text = phrase(body);
        let bytes = text.as_bytes();
        let Some(first) = tokens(bytes).next() else { return Err(BadTerm::Empty) };
        let ends_with_a_word = bytes.last().is_some_and(|b| class(*b) != Class::Other);
        if stars == Stars::AnyEnding && body.contains('*')
            || open && (!ends_with_a_word || first.end == bytes.len() && first.end - first.start < 2)
        {
            return Err(BadTerm::Star);
        }
        let accents = spelling.exact_accents.then(|| written.trim().nfc().collect::<String>().into());
        self.insert(Term { accents, exact_case: spelling.exact_case, open, lead: 0, next: NONE, what, text: text.into() })
    }

    /// Adds a term whose text is normal; where it begins and what shares its key is filled in.
    fn insert(&mut self, mut term: Term) -> Result<(), BadTerm> {
        let number = u32::try_from(self.terms.len()).map_err(|_| BadTerm::Empty)?;
        let begin = Begin::of(&term).ok_or(BadTerm::Empty)?;
        term.lead = u8::try_from(begin.first.start).map_err(|_| BadTerm::Empty)?;
        self.digits |= begin.digits;
        let before = match begin.key {
            Key::Open(key) => self.open.add(key, number),
            Key::Single(key) => self.single.insert(key, number),
            Key::Pair(_, key) => self.pairs.insert(key, number),
        };
        term.next = before.unwrap_or(NONE);
        self.terms.push(term);
        Ok(())
    }

    /// Adds a term with every inflection of its last word.
    pub(super) fn add_inflected(&mut self, written: &str, spelling: Spelling, what: Use) -> Result<(), BadTerm> {
        self.add(written, Stars::Themselves, spelling, what)?;
        let text = phrase(written);
        let root = folded(&text);
        let last = text.rfind(|c: char| !c.is_alphabetic()).map_or(0, |n| n + text[n..].chars().next().map_or(0, char::len_utf8));
        for form in dutch::forms(&text[last..]) {
            let text = [&text[..last], &form].concat();
            self.roots.insert(folded(&text), root);
            // Its accents are those of Dutch endings, not those of the list.
            let term = Term { accents: None, exact_case: spelling.exact_case, open: false, lead: 0, next: NONE, what, text: text.into() };
            self.insert(term)?;
        }
        Ok(())
    }

    /// To be called when every term has been added: before, none is found.
    pub(super) fn ready(&mut self) {
        self.parts.ready();
        self.filter = Filter::of(self.terms.len());
        for begin in self.terms.iter().filter_map(Begin::of) {
            match begin.key {
                Key::Open(_) => {}
                Key::Single(key) => self.filter.add(key, SINGLE),
                Key::Pair(head, _) => self.filter.add(head, HEAD),
            }
        }
    }

    /// A number for a piece of normal text that is the same for everything that differs by capitals, separators and inflection only.
    pub(super) fn value(&self, text: &str) -> u64 {
        let value = folded(text);
        self.roots.get(&value).copied().unwrap_or(value)
    }

    /// The terms that begin at `token`, or at `before` with `token` as their second word. Gives `token` when it may be the first of two.
    #[inline]
    pub(super) fn at(&self, normal: &Normal<'_>, before: Option<Token>, token: Token, mut found: impl FnMut(Hit)) -> Option<Token> {
        let flags = self.filter.get(token.hash);
        if flags & SINGLE != 0 {
            self.look_up(&self.single, token.hash, normal, token.start, &mut found);
        }
        let text = normal.text.as_bytes();
        for letters in [3, 2] {
            if token.end - token.start >= letters && (letters == 3 || self.open.two) {
                let key = Openings::key(&text[token.start..token.start + letters]);
                if self.open.has(key) {
                    self.look_up(&self.open.terms, key, normal, token.start, &mut found);
                }
            }
        }
        if let Some(before) = before {
            self.look_up(&self.pairs, before.with(token), normal, before.start, &mut found);
        }
        (flags & HEAD != 0).then_some(token)
    }

    fn look_up(&self, index: &Index, key: u64, normal: &Normal<'_>, start: usize, found: &mut impl FnMut(Hit)) {
        let mut next = index.get(&key).copied().unwrap_or(NONE);
        while next != NONE {
            self.verify(normal, next, start, found);
            next = self.terms[next as usize].next;
        }
    }

    /// Every term in `text`, a short piece such as the name of a key.
    pub(super) fn all(&self, text: &str, mut found: impl FnMut(Hit)) {
        let normal = Normal::of(text);
        let mut before = None;
        for token in tokens(normal.text.as_bytes()) {
            before = self.at(&normal, before, token, &mut found);
        }
    }

    fn verify(&self, normal: &Normal<'_>, term: u32, first: usize, found: &mut impl FnMut(Hit)) {
        let term = &self.terms[term as usize];
        let text = normal.text.as_bytes();
        let Some(start) = first.checked_sub(usize::from(term.lead)) else { return };
        let Some(mut end) = compare(text, start, term) else { return };
        let word = |b: &u8| class(*b) != Class::Other;
        // Neither `#veilig` in `info#veilig` nor `veilig` in `onveilig` is the word; `[beveiligd]` may follow another word directly.
        if start > 0 && word(&text[start - 1]) && (term.lead == 0 || text[start] == b'#') {
            return;
        }
        if term.open {
            while text.get(end).is_some_and(|b| class(*b) == Class::Letter) {
                end += 1;
            }
        } else if term.text.as_bytes().last().is_some_and(word) {
            // A label may be glued to its number: `BSN111222333`.
            let glued = matches!(term.what, Use::Label { .. } | Use::Named { .. })
                && text.get(end).is_some_and(u8::is_ascii_digit)
                && !text[end - 1].is_ascii_digit();
            if text.get(end).is_some_and(word) && !glued {
                return;
            }
        }
        if let Some(accents) = &term.accents
            && !normal.original[normal.original_range(start, end)].nfc().eq(accents.chars())
        {
            return;
        }
        found(Hit { start, end, what: term.what });
    }
}

/// By what a term is found.
enum Key {
    /// Its first letters.
    Open(u64),
    /// The hash of its only whole word.
    Single(u64),
    /// The hash of its first word, and that of the first two.
    Pair(u64, u64),
}

/// How a term begins.
struct Begin {
    first: Token,
    key: Key,
    /// One of its first two words is a group of digits.
    digits: bool,
}

impl Begin {
    /// `None` for a term without a word.
    fn of(term: &Term) -> Option<Begin> {
        let bytes = term.text.as_bytes();
        let mut tokens = tokens(bytes);
        let (first, second) = (tokens.next()?, tokens.next());
        // The last word of an open term is only the beginning of one, so it cannot be hashed.
        let key = match second {
            Some(second) if !term.open || tokens.next().is_some() => Key::Pair(first.hash, first.with(second)),
            None if term.open => {
                let letters = (first.end - first.start).min(3);
                Key::Open(Openings::key(&bytes[first.start..first.start + letters]))
            }
            _ => Key::Single(first.hash),
        };
        let digits = [Some(first), second].into_iter().flatten().any(|token| bytes[token.start].is_ascii_digit());
        Some(Begin { first, key, digits })
    }
}

fn folded(text: &str) -> u64 {
    let bytes = text.bytes().filter(|b| class(*b) != Class::Other);
    bytes.fold(0, |value: u64, b| (value.rotate_left(29) ^ u64::from(b.to_ascii_lowercase())).wrapping_mul(MIX))
}

/// Whether a `*` at the end of a term means any ending, or itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stars {
    AnyEnding,
    Themselves,
}

/// Where `term` ends when it stands at `start`; any white space (of at most eight characters, no tab: that is a cell) is as good as its spaces.
fn compare(text: &[u8], start: usize, term: &Term) -> Option<usize> {
    let mut at = start;
    for wanted in term.text.bytes() {
        let here = *text.get(at)?;
        if wanted == b' ' {
            let space = text[at..].iter().take(8).take_while(|b| matches!(b, b' ' | b'\n' | b'\r')).count();
            if space == 0 {
                return None;
            }
            at += space;
        } else if here == wanted || !term.exact_case && here.eq_ignore_ascii_case(&wanted) {
            at += 1;
        } else {
            return None;
        }
    }
    Some(at)
}

fn tokens(text: &[u8]) -> impl Iterator<Item = Token> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        at += text[at..].iter().position(|b| class(*b) != Class::Other)?;
        let token = Token::word(text, at);
        at = token.end;
        Some(token)
    })
}
