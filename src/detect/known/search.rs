//! Looking through a text for known values.

use super::{Asked, Entry, Known, LONGEST, front_bit};
use crate::detect::{
    class::{Class, class},
    finding::{Confidence, mask_number, mask_word},
    rule::Rule,
    scan::Stretch,
    search::{Raw, Search},
};
use std::ops::Range;

/// So many words or groups of digits make one value at most.
const WORDS: usize = 12;
/// What may stand between two of them: a space, a dash, an end of line with a carriage return.
const BETWEEN: usize = 3;
/// Of each column so many of the last values found are kept for a row to be put together.
const KEPT: usize = 4;
/// So many rows of one value are tried: more have a name in common with half the country, and other columns have fewer.
const ROWS: usize = 4096;

/// A value that stands in the text.
#[derive(Clone)]
struct Met {
    stretch: Stretch,
    column: u8,
    /// Its rows, among the entries of the table.
    rows: Range<usize>,
}

impl Known {
    /// Every value of `columns` in a normal text, in the order of their beginnings.
    fn met(&self, text: &[u8], columns: &[u8], mut met: impl FnMut(Met)) {
        let asked = |digits: bool| columns.iter().filter_map(|c| self.columns.get(usize::from(*c))).filter(move |c| c.digits == digits);
        let lengths = |digits: bool| asked(digits).fold(0, |all, column| all | column.lengths);
        let (of_digits, of_words) = (lengths(true), lengths(false));
        let mut value = Vec::with_capacity(LONGEST);
        let mut at = 0;
        while let Some(start) = text[at..].iter().position(|b| class(*b) != Class::Other).map(|n| at + n) {
            let first = token_end(text, start);
            at = first;
            // Only what begins with a digit can be of digits.
            let digits = class(text[start]) == Class::Digit;
            if of_words == 0 && !digits {
                continue;
            }
            value.clear();
            let (mut from, mut end) = (start, first);
            for _ in 0..WORDS {
                if value.len() + (end - from) > LONGEST {
                    break;
                }
                value.extend(text[from..end].iter().map(u8::to_ascii_lowercase));
                let all_digits = digits && value.iter().all(u8::is_ascii_digit);
                let lengths = if all_digits { of_digits | of_words } else { of_words };
                let is_whole = !all_digits || !text.get(end).is_some_and(u8::is_ascii_digit);
                if lengths >> value.len() & 1 == 1 && is_whole {
                    self.look_up(&value, columns, (start, end), &mut met);
                }
                let Some(next) = next_token(text, end) else { break };
                (from, end) = (next, token_end(text, next));
            }
        }
    }

    fn look_up(&self, value: &[u8], columns: &[u8], stretch: Stretch, met: &mut impl FnMut(Met)) {
        let fast = self.key.sip.hash(value);
        let (word, bit) = front_bit(fast, self.front.len());
        if self.front[word] & bit == 0 {
            return;
        }
        let fast = fast.to_le_bytes();
        let from = self.entries.partition_point(|e| e.fast < fast);
        if self.entries.get(from).is_none_or(|e| e.fast != fast) {
            return;
        }
        let slow = self.key.sign(b"value", value);
        let is = |e: &Entry, column: u8| (e.fast, &e.slow[..], e.column).cmp(&(fast, &slow[..11], column));
        for column in columns {
            let begin = self.entries.partition_point(|e| is(e, *column).is_lt());
            let end = begin + self.entries[begin..].partition_point(|e| is(e, *column).is_eq());
            if begin < end {
                met(Met { stretch, column: *column, rows: begin..end });
            }
        }
    }

    /// Whether the rows of `met` hold this one.
    fn has_row(&self, met: &Met, row: [u8; 4]) -> bool {
        self.entries[met.rows.clone()].binary_search_by_key(&row, |e| e.row).is_ok()
    }

    /// The values near `last` that are of one row with it, one of each column.
    fn row_of(&self, last: &Met, kept: &[Vec<Met>]) -> Option<Vec<Stretch>> {
        let others: Vec<&Vec<Met>> = kept.iter().filter(|others| others.first().is_some_and(|met| met.column != last.column)).collect();
        if others.len() + 1 < kept.len() {
            return None;
        }
        let size = |mets: &[Met]| mets.iter().map(|m| m.rows.len()).sum::<usize>();
        let own = std::slice::from_ref(last);
        let driver = others.iter().map(|mets| mets.as_slice()).chain([own]).min_by_key(|mets| size(mets))?;
        let rows = driver.iter().flat_map(|met| self.entries[met.rows.clone()].iter().map(|e| e.row)).take(ROWS);
        rows.into_iter().find_map(|row| {
            let mut stretches = vec![last.stretch];
            for mets in &others {
                stretches.push(mets.iter().rev().find(|met| self.has_row(met, row))?.stretch);
            }
            self.has_row(last, row).then_some(stretches)
        })
    }
}

fn token_end(text: &[u8], start: usize) -> usize {
    let kind = class(text[start]);
    text[start..].iter().position(|b| class(*b) != kind).map_or(text.len(), |n| start + n)
}

/// The word or group of digits that follows closely; never in another cell.
fn next_token(text: &[u8], end: usize) -> Option<usize> {
    let between = text[end..].iter().take(BETWEEN + 1).position(|b| class(*b) != Class::Other)?;
    (!text[end..end + between].iter().any(|b| matches!(b, b'\t' | 0x1f | b'|' | b';'))).then_some(end + between)
}

impl Search<'_> {
    /// What a rule knows and the text holds: a value of its one column, or values of all its columns that are of one row and lie near each other.
    pub(in crate::detect) fn known(&mut self, index: usize, rule: &Rule, asked: &Asked) {
        let text = self.normal.text.as_bytes();
        let mut found: Vec<(Stretch, Option<usize>)> = Vec::new();
        let mut kept: Vec<Vec<Met>> = vec![Vec::new(); asked.columns.len()];
        asked.known.met(text, &asked.columns, |met| {
            if asked.columns.len() == 1 {
                return found.push((met.stretch, None));
            }
            for mets in &mut kept {
                mets.retain(|m| m.stretch.1.saturating_add(asked.within) >= met.stretch.0);
            }
            if let Some(stretches) = asked.known.row_of(&met, &kept) {
                let start = stretches.iter().map(|s| s.0).min().unwrap_or(met.stretch.0);
                let end = stretches.iter().map(|s| s.1).max().unwrap_or(met.stretch.1);
                found.push(((start, end), Some(stretches.len())));
            }
            if let Some(place) = asked.columns.iter().position(|c| *c == met.column) {
                let mets = &mut kept[place];
                if mets.len() == KEPT {
                    mets.remove(0);
                }
                mets.push(met);
            }
        });
        let mut taken = 0;
        for (stretch, values) in found {
            // One value may be part of another, and one row may be told from several sides.
            if stretch.0 < taken {
                continue;
            }
            let written = &self.normal.text[stretch.0..stretch.1];
            if rule.ignores(written) {
                continue;
            }
            let Some(more) = self.counted(index, rule, stretch, Confidence::High) else { continue };
            taken = stretch.1;
            let what = values.map_or("a known value".to_owned(), |n| format!("{n} known values of one record"));
            let masked = match values {
                None if written.bytes().filter(u8::is_ascii_digit).count() > 4 => mask_number(written),
                _ => mask_word(written),
            };
            let why = [what].into_iter().chain(more).collect();
            self.raws.push(Raw { rule: index, kind: "known", stretch, confidence: Confidence::High, masked, why, phone: None });
        }
    }
}
