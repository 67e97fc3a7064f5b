//! One story of a document as its text grows: characters below a blank are marks (MS-DOC 2.8.2, 2.4.1).

use crate::extract::flow::Flow;

/// Stands for the mark that ends a row of a table; Word writes nothing of that value.
pub(super) const ROW_END: char = '\u{1C}';

/// Fields within fields beyond which only their end is waited for.
const FIELDS_OPEN: usize = 64;

#[derive(Default)]
pub(super) struct Story {
    pub(super) flow: Flow,
    /// Where pages begin, but for the first.
    pub(super) breaks: Vec<usize>,
    /// What fields are told to do, one a line: addresses of links, names of bookmarks.
    pub(super) fields: String,
    /// Open fields: whether their instruction is being read, else their result.
    open: Vec<bool>,
    open_beyond: usize,
}

impl Story {
    pub(super) fn push(&mut self, text: &str, is_hidden: bool) {
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c < ' ') {
            self.words(&rest[..at], is_hidden);
            // Marks are one octet long.
            let mark = rest.as_bytes()[at];
            self.mark(mark, is_hidden);
            rest = &rest[at + 1..];
        }
        self.words(rest, is_hidden);
    }

    fn words(&mut self, text: &str, is_hidden: bool) {
        if self.open.iter().any(|is_instruction| *is_instruction) {
            self.fields.push_str(text);
        } else {
            self.flow.push(text, is_hidden);
        }
    }

    fn mark(&mut self, mark: u8, is_hidden: bool) {
        const CELL_END: u8 = 7;
        match mark {
            b'\t' | CELL_END => self.words("\t", is_hidden),
            // Paragraph, line, column; the end of a row.
            b'\r' | b'\n' | 0x0B | 0x0E | 0x1C => self.line(),
            0x0C => {
                self.line();
                if self.flow.text.len() > self.breaks.last().copied().unwrap_or(0) {
                    self.breaks.push(self.flow.text.len());
                }
            }
            0x13 if self.open.len() < FIELDS_OPEN => {
                self.open.push(true);
                if !self.fields.is_empty() && !self.fields.ends_with('\n') {
                    self.fields.push('\n');
                }
            }
            0x13 => self.open_beyond += 1,
            0x14 if self.open_beyond == 0 => {
                if let Some(last) = self.open.last_mut() {
                    *last = false;
                    self.fields.push('\n');
                }
            }
            0x15 if self.open_beyond > 0 => self.open_beyond -= 1,
            0x15 if self.open.pop() == Some(true) => self.fields.push('\n'),
            // Hyphens that don't break and that show only at the end of a line.
            0x1E => self.words("-", is_hidden),
            0x1F => self.words("\u{AD}", is_hidden),
            // The number of a note.
            0x02 => self.flow.space(),
            // Anchors of pictures, shapes and comments take no room.
            _ => {}
        }
    }

    fn line(&mut self) {
        if self.open.iter().any(|is_instruction| *is_instruction) {
            self.fields.push('\n');
        } else {
            self.flow.line();
        }
    }
}
