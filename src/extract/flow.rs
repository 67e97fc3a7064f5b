//! Text that grows out of markup.

use std::ops::Range;

/// Where the first page of a document ends when nothing says so.
const PAGE_CHARACTERS: usize = 3000;

/// Text as it is put together out of markup, and which of it a reader does not see.
#[derive(Debug, Default)]
pub(super) struct Flow {
    pub(super) text: String,
    /// Ascending, not touching.
    pub(super) hidden: Vec<Range<usize>>,
    wanted: Break,
    /// Nothing stands in the current cell yet: a break at its start would tear the row apart.
    cell_is_empty: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Break {
    #[default]
    None,
    Space,
    Line,
}

impl Flow {
    /// Adds text as it is. Breaks asked for before come in front of it.
    pub(super) fn push(&mut self, text: &str, hidden: bool) {
        if text.is_empty() {
            return;
        }
        if !self.text.is_empty() {
            match self.wanted {
                Break::None => {}
                Break::Space if self.text.ends_with([' ', '\n', '\t']) => {}
                Break::Space => self.text.push(' '),
                Break::Line => self.text.push('\n'),
            }
        }
        self.wanted = Break::None;
        self.cell_is_empty = false;
        let start = self.text.len();
        self.text.push_str(text);
        if hidden {
            match self.hidden.last_mut() {
                Some(last) if last.end == start => last.end = self.text.len(),
                _ => self.hidden.push(start..self.text.len()),
            }
        }
    }

    /// Takes back what was added behind `length`.
    pub(super) fn truncate(&mut self, length: usize) {
        self.text.truncate(self.text.floor_char_boundary(length));
        self.hidden.retain(|range| range.start < length);
        if let Some(last) = self.hidden.last_mut() {
            last.end = last.end.min(length);
        }
        self.wanted = Break::Line;
    }

    /// Adds all of `other`, on a line of its own.
    pub(super) fn append(&mut self, other: &Flow) {
        self.row();
        let mut at = 0;
        for range in &other.hidden {
            self.push(&other.text[at..range.start], false);
            self.push(&other.text[range.clone()], true);
            at = range.end;
        }
        self.push(&other.text[at..], false);
    }

    /// A blank before the next text.
    pub(super) fn space(&mut self) {
        self.wanted = self.wanted.max(Break::Space);
    }

    /// A new line before the next text.
    pub(super) fn line(&mut self) {
        if !self.cell_is_empty {
            self.wanted = Break::Line;
        }
    }

    /// A new line for the next row, whatever the cell before it holds.
    pub(super) fn row(&mut self) {
        self.cell_is_empty = false;
        self.wanted = Break::Line;
    }

    /// The first cell of a row, or one tab further.
    pub(super) fn cell(&mut self, is_first: bool) {
        if is_first {
            self.row();
        } else {
            self.wanted = Break::None;
            self.text.push('\t');
        }
        self.cell_is_empty = true;
    }

    /// Behind the last text of a cell.
    pub(super) fn cell_end(&mut self) {
        self.wanted = Break::None;
        self.cell_is_empty = false;
    }

    /// The text without what is hidden, where that makes a difference.
    pub(super) fn visible(&self) -> Option<String> {
        if self.hidden.is_empty() {
            return None;
        }
        let mut visible = String::with_capacity(self.text.len());
        let mut at = 0;
        for range in &self.hidden {
            visible.push_str(&self.text[at..range.start]);
            at = range.end;
        }
        visible.push_str(&self.text[at..]);
        Some(visible)
    }
}

/// Words of which each letter stands on a line of its own, as drawing programs and styles place them one by one; `None` when there are none.
pub(super) fn letters_joined(text: &str) -> Option<String> {
    /// Fewer are the marks of a list.
    const FEWEST: usize = 8;
    let letter = |line: &str| line.trim().chars().next().filter(|c| c.is_alphanumeric() && line.trim().len() == c.len_utf8());
    let mut joined = String::new();
    let lines: Vec<(&str, bool)> = text.lines().map(|line| (line, letter(line).is_some())).collect();
    for run in lines.chunk_by(|(_, one), (_, other)| one == other).filter(|run| run[0].1 && run.len() >= FEWEST) {
        joined.extend(run.iter().map(|(line, _)| line.trim()));
        joined.push('\n');
    }
    (!joined.is_empty()).then_some(joined)
}

/// Where pages begin: at the breaks that a document holds, else once after so many characters.
pub(super) fn pages(text: &str, breaks: &[usize]) -> Vec<usize> {
    let mut pages = vec![0];
    if breaks.is_empty() {
        pages.extend(text.char_indices().nth(PAGE_CHARACTERS).map(|(at, _)| at));
    }
    pages.extend(breaks);
    pages.dedup();
    pages
}
