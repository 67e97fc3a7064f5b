//! Exact data match: which of an organisation's own records stand in a text, from a table that tells nothing about who is in it.
//!
//! A table (`lists/x.edm`, made by `zegel edm build`) holds for each value a keyed SipHash-2-4 and a keyed HMAC-SHA-256, cut short. Nine digits are
//! guessed in seconds without a key, so the key is no part of rules or tables. The fast one is what every word of a text is asked by; the other
//! one decides.

mod build;
mod search;
mod sip;

pub use build::{Builder, Row};

use super::{
    class::{Class, class},
    normalise::Normal,
};
use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use sip::Sip;
use std::sync::Arc;

/// The first line of a table.
const MAGIC: &str = "zegel edm 1";
/// A key with fewer letters can be guessed.
const KEY_LETTERS: usize = 32;
/// The longest value, in letters and digits.
const LONGEST: usize = 63;
/// A shorter value stands in every mail.
const SHORTEST: usize = 3;
/// Columns of one table.
const COLUMNS: usize = 16;
/// Values of one table: what a file of 64 MiB, the most that is read, has room for; 64 MiB in memory.
const MOST_VALUES: usize = 2_000_000;

/// The key of exact data match, the same for all tables of an organisation.
pub struct KnownKey {
    hmac: hmac::Key,
    sip: Sip,
}

impl KnownKey {
    /// Takes the content of a key's file.
    ///
    /// # Errors
    /// What to do when it is too short for a key.
    pub fn parse(text: &str) -> Result<KnownKey, &'static str> {
        let text = text.trim();
        if text.len() < KEY_LETTERS {
            return Err("write 32 random letters or more into it: `openssl rand -base64 32 > edm.key`");
        }
        let hmac = hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes());
        let fast = hmac::sign(&hmac, b"zegel edm fast");
        let half = |n: usize| u64::from_le_bytes(std::array::from_fn(|i| fast.as_ref()[n + i]));
        let sip = Sip(half(0), half(8));
        Ok(KnownKey { hmac, sip })
    }

    fn sign(&self, purpose: &[u8], value: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.hmac);
        context.update(purpose);
        context.update(value);
        let tag = context.sign();
        std::array::from_fn(|i| tag.as_ref()[i])
    }

    /// By which a table knows the key that made it.
    fn mark(&self) -> String {
        crate::secret::hex(&self.sign(b"mark", b""))[..16].to_owned()
    }
}

/// One value of one row: ordered by value, then column, then row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    fast: [u8; 8],
    slow: [u8; 11],
    column: u8,
    /// Says which values belong to one row, and nothing of where it stood.
    row: [u8; 4],
}

impl Entry {
    const BYTES: usize = 24;

    fn bytes(&self) -> [u8; Entry::BYTES] {
        let mut bytes = [0; Entry::BYTES];
        bytes[..8].copy_from_slice(&self.fast);
        bytes[8..19].copy_from_slice(&self.slow);
        bytes[19] = self.column;
        bytes[20..].copy_from_slice(&self.row);
        bytes
    }

    fn of(bytes: &[u8; Entry::BYTES]) -> Entry {
        let at = |n: usize| bytes[n];
        Entry {
            fast: std::array::from_fn(at),
            slow: std::array::from_fn(|i| at(8 + i)),
            column: at(19),
            row: std::array::from_fn(|i| at(20 + i)),
        }
    }
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Column {
    name: String,
    /// Values of digits only.
    digits: bool,
    /// The lengths that its values have, a bit each.
    lengths: u64,
}

/// A table, ready to be asked.
pub(super) struct Known {
    key: Arc<KnownKey>,
    columns: Vec<Column>,
    entries: Vec<Entry>,
    /// A bit for each value's fast hash, 16 bits of room for each.
    front: Vec<u64>,
}

/// What a rule asks of a table.
pub(super) struct Asked {
    pub(super) known: Arc<Known>,
    /// The numbers of its columns; all must be found, of one row.
    pub(super) columns: Vec<u8>,
    /// How far they may lie apart, in bytes of the normal text.
    pub(super) within: usize,
}

/// What is wrong with a table, and what to do.
pub(super) type Wrong = (usize, String, &'static str);

const MAKE_IT: &str = "make it again with `zegel edm build`";

impl Known {
    /// Reads a table; says in which line it is none.
    pub(super) fn parse(text: &str, key: &Arc<KnownKey>) -> Result<Known, Wrong> {
        let mut lines = text.lines().enumerate().map(|(n, line)| (n + 1, line));
        if lines.next().is_none_or(|(_, line)| line != MAGIC) {
            return Err((1, "this is no table of known values".to_owned(), MAKE_IT));
        }
        if lines.next().is_none_or(|(_, line)| line.strip_prefix("key ") != Some(&key.mark())) {
            return Err((2, "this table was made with another key".to_owned(), "name the key it was made with, or make it again"));
        }
        let (mut columns, mut entries) = (Vec::new(), Vec::with_capacity(text.len() / (Entry::BYTES * 4 / 3 + 1)));
        for (number, line) in lines {
            if let Some(column) = line.strip_prefix("column ") {
                columns.push(column_of(column).ok_or((number, "this is no column".to_owned(), MAKE_IT))?);
                continue;
            }
            let mut bytes = [0; Entry::BYTES];
            let whole = STANDARD_NO_PAD.decode_slice(line, &mut bytes).is_ok_and(|n| n == Entry::BYTES);
            let entry = Entry::of(&bytes);
            if !whole || usize::from(entry.column) >= columns.len() || entries.last().is_some_and(|last| *last > entry) {
                return Err((number, "the table is damaged here".to_owned(), MAKE_IT));
            }
            if entries.len() == MOST_VALUES {
                return Err((number, "the table has more than 2 000 000 values".to_owned(), "make several tables of it"));
            }
            entries.push(entry);
        }
        let words = (entries.len() / 4).next_power_of_two();
        let mut front = vec![0u64; words];
        for entry in &entries {
            let (word, bit) = front_bit(u64::from_le_bytes(entry.fast), words);
            front[word] |= bit;
        }
        Ok(Known { key: key.clone(), columns, entries, front })
    }

    /// The names of its columns.
    pub(super) fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|c| c.name.as_str()).collect()
    }

    /// Whether a column has values that stand in mails by chance.
    pub(super) fn is_weak(&self, column: u8) -> bool {
        // Fewer letters or digits than this are found everywhere.
        const ENOUGH: u32 = 6;
        self.columns.get(usize::from(column)).is_some_and(|c| c.lengths.trailing_zeros() < ENOUGH)
    }
}

fn front_bit(fast: u64, words: usize) -> (usize, u64) {
    ((fast >> 6) as usize & (words - 1), 1 << (fast & 63))
}

/// `digits 200 bsn`: the kind, the lengths in hexadecimal, the name.
fn column_of(text: &str) -> Option<Column> {
    let (kind, rest) = text.split_once(' ')?;
    let (lengths, name) = rest.split_once(' ')?;
    let digits = match kind {
        "digits" => true,
        "words" => false,
        _ => return None,
    };
    Some(Column { name: name.to_owned(), digits, lengths: u64::from_str_radix(lengths, 16).ok()? })
}

/// A value as it is compared: letters in lower case and digits, as detection reads them, without anything between.
fn canonical(value: &str) -> Vec<u8> {
    let normal = Normal::of(value);
    normal.text.bytes().filter(|b| class(*b) != Class::Other).map(|b| b.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests;
