//! Every word and phrase of every rule in one index, so that a text is looked through once however many rules there are.
//!
//! A word of the text is hashed while it is read; a bit in a small filter, which stays in the processor's cache, says whether any term may begin
//! with it. Only then the map is asked, and only then a term is compared, character by character.

use super::{
    class::{Class, class},
    normalise::{Normal, phrase},
};
use std::collections::HashMap;
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
    what: Use,
}

/// A term that cannot be looked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadTerm {
    /// No letter or digit in it.
    Empty,
    /// A `*` that is not at the end, or has fewer than two letters before it.
    Star,
}

/// One term found: where, and what it is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) what: Use,
}

const FILTER_BITS: u32 = 19;

/// The index.
pub(super) struct Lexicon {
    terms: Vec<Term>,
    /// Terms by the hash of their first word, or of their first two; a filter in front of each.
    single: Index,
    pairs: Index,
    /// First words of pairs.
    heads: Filter,
    /// Terms of one word with an open end, by its first two letters.
    open: HashMap<[u8; 2], Vec<u32>>,
    open_filter: Box<[u64; 1024]>,
    /// Whether any term begins with a digit or holds one as its second word: only then are digits hashed.
    pub(super) digits: bool,
}

#[derive(Default)]
struct Index {
    filter: Filter,
    map: HashMap<u64, Vec<u32>, Ready>,
}

/// Hashes are hashes already.
type Ready = std::hash::BuildHasherDefault<Identity>;

#[derive(Default)]
struct Identity(u64);

impl std::hash::Hasher for Identity {
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

struct Filter(Box<[u64]>);

impl Default for Filter {
    fn default() -> Filter {
        Filter(vec![0; 1 << (FILTER_BITS - 6)].into())
    }
}

impl Filter {
    fn add(&mut self, hash: u64) {
        let bit = hash >> (64 - FILTER_BITS);
        self.0[(bit >> 6) as usize] |= 1 << (bit & 63);
    }

    #[inline]
    fn may_hold(&self, hash: u64) -> bool {
        let bit = hash >> (64 - FILTER_BITS);
        self.0[(bit >> 6) as usize] >> (bit & 63) & 1 == 1
    }
}

impl Index {
    fn add(&mut self, hash: u64, term: u32) {
        self.filter.add(hash);
        self.map.entry(hash).or_default().push(term);
    }

    #[inline]
    fn get(&self, hash: u64) -> &[u32] {
        if self.filter.may_hold(hash) { self.map.get(&hash).map_or(&[], Vec::as_slice) } else { &[] }
    }
}

/// A word of a text, or a group of digits: a run of one class.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Of its bytes, ASCII letters in lower case.
    pub(super) hash: u64,
}

impl Token {
    /// The run of one class that begins at `start`.
    #[inline]
    pub(super) fn word(text: &[u8], start: usize) -> Token {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut end = start;
        let kind = class(text[start]);
        while let Some(b) = text.get(end).copied().filter(|b| class(*b) == kind) {
            hash = (hash ^ u64::from(b.to_ascii_lowercase())).wrapping_mul(0x0000_0100_0000_01b3);
            end += 1;
        }
        // The last letters have reached the low bits only; the filter reads the high ones.
        Token { start, end, hash: (hash ^ hash >> 29).wrapping_mul(0x9e37_79b9_7f4a_7c15) }
    }

    fn with(self, next: Token) -> u64 {
        (self.hash.rotate_left(23) ^ next.hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}

impl Lexicon {
    pub(super) fn new() -> Lexicon {
        Lexicon {
            terms: Vec::new(),
            single: Index::default(),
            pairs: Index::default(),
            heads: Filter::default(),
            open: HashMap::new(),
            open_filter: Box::new([0; 1024]),
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
        let tokens: Vec<Token> = tokens(bytes).collect();
        let (Some(first), Some(last)) = (tokens.first().copied(), tokens.last().copied()) else { return Err(BadTerm::Empty) };
        let lead = u8::try_from(first.start).map_err(|_| BadTerm::Empty)?;
        if stars == Stars::AnyEnding && body.contains('*')
            || open && (last.end != bytes.len() || tokens.len() == 1 && last.end - last.start < 2)
        {
            return Err(BadTerm::Star);
        }
        let term = u32::try_from(self.terms.len()).map_err(|_| BadTerm::Empty)?;
        self.digits |= tokens.iter().take(2).any(|t| bytes[t.start].is_ascii_digit());
        // The last word of an open term is only the beginning of one, so it cannot be hashed.
        match tokens.len() - usize::from(open) {
            0 => {
                let key = [bytes[first.start].to_ascii_lowercase(), bytes[first.start + 1].to_ascii_lowercase()];
                self.open.entry(key).or_default().push(term);
                let bit = usize::from(u16::from_be_bytes(key));
                self.open_filter[bit >> 6] |= 1 << (bit & 63);
            }
            1 => self.single.add(first.hash, term),
            _ => {
                self.heads.add(first.hash);
                self.pairs.add(first.with(tokens[1]), term);
            }
        }
        let accents = spelling.exact_accents.then(|| written.trim().nfc().collect::<String>().into());
        self.terms.push(Term { accents, exact_case: spelling.exact_case, open, lead, what, text: text.into() });
        Ok(())
    }

    /// The terms that begin at `token`, or at `before` with `token` as their second word.
    #[inline]
    pub(super) fn at(&self, normal: &Normal<'_>, before: Option<Token>, token: Token, mut found: impl FnMut(Hit)) {
        let text = normal.text.as_bytes();
        for term in self.single.get(token.hash) {
            self.verify(normal, *term, token.start, &mut found);
        }
        if token.end - token.start >= 2 {
            let key = [text[token.start].to_ascii_lowercase(), text[token.start + 1].to_ascii_lowercase()];
            let bit = usize::from(u16::from_be_bytes(key));
            if self.open_filter[bit >> 6] >> (bit & 63) & 1 == 1 {
                for term in self.open.get(&key).map_or(&[][..], Vec::as_slice) {
                    self.verify(normal, *term, token.start, &mut found);
                }
            }
        }
        if let Some(before) = before
            && self.heads.may_hold(before.hash)
        {
            for term in self.pairs.get(before.with(token)) {
                self.verify(normal, *term, before.start, &mut found);
            }
        }
    }

    /// Every term in `text`, a short piece such as the name of a key.
    pub(super) fn all(&self, text: &str, mut found: impl FnMut(Hit)) {
        let normal = Normal::of(text);
        let mut before = None;
        for token in tokens(normal.text.as_bytes()) {
            self.at(&normal, before, token, &mut found);
            before = Some(token);
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
            let glued =
                matches!(term.what, Use::Label { .. }) && text.get(end).is_some_and(u8::is_ascii_digit) && !text[end - 1].is_ascii_digit();
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
