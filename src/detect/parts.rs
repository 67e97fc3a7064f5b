//! Terms within compounds: `match = "part"` finds `kanker` in `borstkankeronderzoek`.
//!
//! All terms stand in one sorted list, and each knows the term before it that it begins with. What begins at a letter of a word is then the last
//! term that is not behind the rest of the word, or one of those that this one begins with: one search among the terms that begin with the same
//! five letters. An automaton over the same terms takes several times as long to build.

use super::{
    class::{Class, class},
    lexicon::{BadTerm, Hit, Use},
    normalise::phrase,
};
use std::{collections::HashMap, ops::Range};

/// A shorter word is no compound of anything worth a list.
const SHORTEST_WORD: usize = 9;
/// A longer run of letters is no word.
const LONGEST_WORD: usize = 100;
/// A shorter term stands in half the dictionary.
const SHORTEST_TERM: usize = 5;
/// Terms of one list and all others together; some 60 bytes each.
const MOST: usize = 100_000;

/// All such terms. They see long words only.
#[derive(Default)]
pub(super) struct Parts {
    /// In lower case; sorted once all are there.
    terms: Vec<Part>,
    /// By how they begin, which of them.
    begins: HashMap<[u8; SHORTEST_TERM], Range<u32>>,
    /// A bit for each value of a hash of those beginnings.
    filter: Box<[u64]>,
}

struct Part {
    /// Its first bytes, so that a search stays within the list.
    head: Head,
    text: Box<str>,
    what: Use,
    /// The last term before it that it begins with, the same text for another rule included.
    within: Option<u32>,
}

/// Ordered as the text is, up to its length.
type Head = [u8; 16];

/// 8 KiB, of which 25 000 terms fill a quarter at most.
const FILTER_BITS: u32 = 16;

#[inline]
fn slot(begin: [u8; SHORTEST_TERM]) -> usize {
    let five = begin.iter().fold(0, |five: u64, b| five << 8 | u64::from(*b));
    (five.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - FILTER_BITS)) as usize
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
        let text: Box<str> = text.to_ascii_lowercase().into();
        let mut head = Head::default();
        head.iter_mut().zip(text.bytes()).for_each(|(to, b)| *to = b);
        self.terms.push(Part { head, text, what, within: None });
        Ok(())
    }

    /// To be called when every term has been added.
    pub(super) fn ready(&mut self) {
        self.terms.sort_by(|a, b| (a.head, &a.text).cmp(&(b.head, &b.text)));
        self.filter = vec![0; (1 << FILTER_BITS) / 64].into();
        // The terms that the one before begins with, the shortest first, and that one.
        let mut open: Vec<u32> = Vec::new();
        for at in 0..self.terms.len() {
            let part = &self.terms[at];
            while open.last().is_some_and(|n| !part.text.starts_with(&*self.terms[*n as usize].text)) {
                open.pop();
            }
            // There are fewer than MOST.
            let number = at as u32;
            // No term is shorter.
            if let Some(begin) = part.text.as_bytes().first_chunk() {
                self.begins.entry(*begin).or_insert(number..number).end = number + 1;
                let slot = slot(*begin);
                self.filter[slot / 64] |= 1 << (slot % 64);
            }
            self.terms[at].within = open.last().copied();
            open.push(number);
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// What stands within the word at `start..end`, and is not all of it. The word is found whole.
    pub(super) fn within(&self, text: &[u8], (start, end): (usize, usize), mut found: impl FnMut(Hit)) {
        if !(SHORTEST_WORD..=LONGEST_WORD).contains(&(end - start)) {
            return;
        }
        let length = end - start;
        // Zeros behind the word, for its last heads.
        let mut room = [0; LONGEST_WORD + size_of::<Head>()];
        room[..length].copy_from_slice(&text[start..end]);
        room[..length].make_ascii_lowercase();
        for at in 0..=length - SHORTEST_TERM {
            let (Some(begin), Some(head)) = (room[at..].first_chunk(), room[at..].first_chunk::<16>()) else { return };
            let slot = slot(*begin);
            if self.filter[slot / 64] >> (slot % 64) & 1 == 0 {
                continue;
            }
            let Some(range) = self.begins.get(begin) else { continue };
            let rest = &room[at..length];
            let near = &self.terms[range.start as usize..range.end as usize];
            let behind = near.partition_point(|part| part.head < *head || part.head == *head && part.text.as_bytes() <= rest);
            let mut next = (range.start as usize + behind).checked_sub(1).filter(|_| behind > 0);
            while let Some(part) = next.map(|n| &self.terms[n]) {
                if rest.starts_with(part.text.as_bytes()) && part.text.len() < length {
                    found(Hit { start, end, what: part.what });
                }
                next = part.within.map(|n| n as usize);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LABELS: [Use; 2] = [Use::Find { rule: 0 }, Use::Find { rule: 1 }];

    fn parts(terms: &[(String, usize)]) -> Parts {
        let mut parts = Parts::default();
        for (term, rule) in terms {
            parts.add(term, LABELS[*rule]).expect("five letters or more");
        }
        parts.ready();
        parts
    }

    proptest! {
        /// Beside the plain way: each term at each place.
        #[test]
        fn every_term_in_a_word_is_found(
            terms in prop::collection::vec(("[abB]{5,9}|[aB]{15,20}", 0..2usize), 0..20),
            word in "[abA]{0,40}|[aA]{15,40}|[a-z]{95,105}",
        ) {
            let mut found = Vec::new();
            parts(&terms).within(word.as_bytes(), (0, word.len()), |hit| found.push(format!("{:?}", hit.what)));
            let lower = word.to_ascii_lowercase();
            let mut expected = Vec::new();
            for at in 0..lower.len() {
                for (term, rule) in &terms {
                    if lower[at..].starts_with(&term.to_ascii_lowercase()) && term.len() < word.len() {
                        expected.push(format!("{:?}", LABELS[*rule]));
                    }
                }
            }
            if !(SHORTEST_WORD..=LONGEST_WORD).contains(&word.len()) {
                expected.clear();
            }
            found.sort();
            expected.sort();
            prop_assert_eq!(found, expected);
        }
    }
}
