//! Terms within compounds: `match = "part"` finds `kanker` in `borstkankeronderzoek`.

use super::{
    class::{Class, class},
    lexicon::{BadTerm, Hit, Use},
    normalise::phrase,
};
use aho_corasick::AhoCorasick;

/// A shorter word is no compound of anything worth a list.
const SHORTEST_WORD: usize = 9;
/// A longer run of letters is no word.
const LONGEST_WORD: usize = 100;
/// A shorter term stands in half the dictionary.
const SHORTEST_TERM: usize = 5;
/// The automaton takes some 100 bytes a term.
const MOST: usize = 100_000;

/// All such terms, in one automaton that sees long words only.
#[derive(Default)]
pub(super) struct Parts {
    terms: Vec<(Box<str>, Use)>,
    automaton: Option<AhoCorasick>,
}

impl Parts {
    pub(super) fn add(&mut self, written: &str, what: Use) -> Result<(), BadTerm> {
        let text = phrase(written);
        if text.chars().count() < SHORTEST_TERM || !text.bytes().all(|b| class(b) == Class::Letter) {
            return Err(BadTerm::Short);
        }
        if self.terms.len() == MOST {
            return Err(BadTerm::Many);
        }
        self.terms.push((text.into(), what));
        Ok(())
    }

    /// Builds the automaton.
    pub(super) fn ready(&mut self) {
        if !self.terms.is_empty() {
            // Never too large, with so many terms of one word each.
            self.automaton =
                AhoCorasick::builder().ascii_case_insensitive(true).build(self.terms.iter().map(|(text, _)| text.as_bytes())).ok();
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// What stands within the word at `start..end`, and is not all of it. The word is found whole.
    pub(super) fn within(&self, text: &[u8], (start, end): (usize, usize), mut found: impl FnMut(Hit)) {
        let Some(automaton) = self.automaton.as_ref().filter(|_| (SHORTEST_WORD..=LONGEST_WORD).contains(&(end - start))) else { return };
        for part in automaton.find_overlapping_iter(&text[start..end]).filter(|part| part.len() < end - start) {
            found(Hit { start, end, what: self.terms[part.pattern().as_usize()].1 });
        }
    }
}
