//! CSV as people export it: commas, semicolons or tabs, quotes or none, a byte order mark or none.

use std::io::{self, BufRead};

/// A longer row is no row: its quotes have no end.
const MOST_ROW_BYTES: usize = 1024 * 1024;

/// What is wrong, behind its line.
pub(super) type Wrong = (usize, String);

/// The rows of a CSV file (RFC 4180), one at a time, each with the line on which it begins.
pub(super) struct Rows {
    input: Box<dyn BufRead>,
    separator: Option<u8>,
    line: usize,
    ended: bool,
}

impl Rows {
    /// The rows of `input`.
    pub(super) fn new(input: Box<dyn BufRead>) -> Rows {
        Rows { input, separator: None, line: 1, ended: false }
    }

    /// The octets of a row: lines until its quotes are closed.
    fn octets(&mut self) -> Result<Option<(usize, Vec<u8>)>, Wrong> {
        let (begins, mut row, mut open) = (self.line, Vec::new(), false);
        loop {
            let before = row.len();
            let room = (MOST_ROW_BYTES - row.len()) as u64;
            let read = io::Read::take(&mut self.input, room).read_until(b'\n', &mut row).map_err(|e| (self.line, e.to_string()))?;
            self.line += usize::from(row[before..].contains(&b'\n'));
            open ^= row[before..].iter().filter(|b| **b == b'"').count() % 2 == 1;
            match read {
                0 if row.is_empty() => return Ok(None),
                _ if row.len() == MOST_ROW_BYTES => {
                    return Err((begins, "this row is longer than 1 MiB; close the quotes in it".to_owned()));
                }
                0 if open => return Err((begins, "the quotes of this row have no end; close them".to_owned())),
                _ if !open => return Ok(Some((begins, row))),
                _ => {}
            }
        }
    }
}

impl Iterator for Rows {
    type Item = Result<(usize, Vec<String>), Wrong>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let (line, octets) = match self.octets() {
                Ok(Some(row)) => row,
                Ok(None) => break,
                Err(fault) => {
                    self.ended = true;
                    return Some(Err(fault));
                }
            };
            let Ok(text) = String::from_utf8(octets) else {
                return Some(Err((
                    line,
                    "a letter in this row is not written in UTF-8; save the file with UTF-8 as its encoding".to_owned(),
                )));
            };
            let text = text.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r']);
            if text.is_empty() {
                continue;
            }
            let separator = *self.separator.get_or_insert_with(|| separator(text));
            return Some(Ok((line, cells(text, char::from(separator)))));
        }
        None
    }
}

/// What stands between the names of the columns: whichever there is most of.
fn separator(header: &str) -> u8 {
    let count = |b: &u8| header.bytes().filter(|h| h == b).count();
    [b',', b';', b'\t'].into_iter().max_by_key(count).unwrap_or(b',')
}

fn cells(row: &str, separator: char) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut signs = row.chars().peekable();
    while let Some(c) = signs.next() {
        match c {
            '"' if quoted && signs.peek() == Some(&'"') => {
                signs.next();
                cells.last_mut().expect("there is always one").push('"');
            }
            '"' => quoted = !quoted,
            c if c == separator && !quoted => cells.push(String::new()),
            c => cells.last_mut().expect("there is always one").push(c),
        }
    }
    cells
}
