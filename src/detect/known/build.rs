//! Making a table: values in, keyed hashes out.

use super::{COLUMNS, Column, Entry, KnownKey, LONGEST, MAGIC, MOST_VALUES, SHORTEST, canonical};
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use std::{
    fmt,
    io::{self, Write},
};

/// A table in the making. It keeps 24 bytes a value, and no value.
pub struct Builder<'k> {
    key: &'k KnownKey,
    columns: Vec<Column>,
    entries: Vec<Entry>,
    rows: u64,
}

/// What became of a row.
#[derive(Debug, PartialEq, Eq)]
pub enum Row {
    /// Its values were taken, so many.
    Taken(usize),
    /// It has a value that can't be looked for; nothing of it was taken.
    Unfit {
        /// The name of the column.
        column: String,
        /// Why, in words.
        why: &'static str,
    },
    /// The table is full.
    Full,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Row::Taken(values) => write!(f, "{values} values"),
            Row::Unfit { column, why } => write!(f, "the value of \"{column}\" {why}"),
            Row::Full => f.write_str("more than 2 000 000 values; make several tables of it"),
        }
    }
}

impl<'k> Builder<'k> {
    /// A table with these columns; `None` when there are none or too many.
    #[must_use]
    pub fn new(key: &'k KnownKey, names: &[String]) -> Option<Builder<'k>> {
        let column = |name: &String| Column { name: name.trim().to_owned(), digits: true, lengths: 0 };
        let fits = (1..=COLUMNS).contains(&names.len());
        fits.then(|| Builder { key, columns: names.iter().map(column).collect(), entries: Vec::new(), rows: 0 })
    }

    /// Takes a row: a value for each column, in their order. Empty values are passed over.
    pub fn row(&mut self, values: &[&str]) -> Row {
        let values: Vec<Vec<u8>> = values.iter().map(|value| canonical(value)).collect();
        for (value, column) in values.iter().zip(&self.columns).filter(|(value, _)| !value.is_empty()) {
            let why = match value.len() {
                n if n < SHORTEST => "has fewer than three letters or digits: it would be found everywhere",
                n if n > LONGEST => "has more than 63 letters and digits",
                _ => continue,
            };
            return Row::Unfit { column: column.name.clone(), why };
        }
        if self.entries.len() + values.len() > MOST_VALUES {
            return Row::Full;
        }
        self.rows += 1;
        let tag = self.key.sign(b"row", &self.rows.to_le_bytes());
        let before = self.entries.len();
        for (number, value) in (0u8..).zip(&values).filter(|(_, value)| !value.is_empty()) {
            if let Some(column) = self.columns.get_mut(usize::from(number)) {
                column.lengths |= 1 << value.len();
                column.digits &= value.iter().all(u8::is_ascii_digit);
                let slow = self.key.sign(b"value", value);
                self.entries.push(Entry {
                    fast: self.key.sip.hash(value).to_le_bytes(),
                    slow: std::array::from_fn(|i| slow[i]),
                    column: number,
                    row: std::array::from_fn(|i| tag[i]),
                });
            }
        }
        Row::Taken(self.entries.len() - before)
    }

    /// Writes the table, in an order that tells nothing of the rows'. Gives the number of values.
    ///
    /// # Errors
    /// When it can't be written.
    pub fn write(mut self, out: &mut impl Write) -> io::Result<usize> {
        writeln!(out, "{MAGIC}\nkey {}", self.key.mark())?;
        for column in &self.columns {
            let kind = if column.digits { "digits" } else { "words" };
            writeln!(out, "column {kind} {:x} {}", column.lengths, column.name)?;
        }
        self.entries.sort_unstable();
        self.entries.dedup();
        for entry in &self.entries {
            writeln!(out, "{}", STANDARD_NO_PAD.encode(entry.bytes()))?;
        }
        Ok(self.entries.len())
    }
}
