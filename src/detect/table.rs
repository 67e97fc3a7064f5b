//! Tables in text and in sheets: the header of a column labels every number below it, however far.

use super::{
    class::{Class, class},
    context::Cell,
    scan::Label,
};
use std::collections::HashMap;

/// Gives the column of a sheet's cell by the offset at which the cell begins.
pub(super) type ColumnOf<'a> = &'a dyn Fn(usize) -> Option<u32>;

/// Goes along the lines of a text once and says of each number what its table says about it.
pub(super) struct Tables<'a> {
    text: &'a [u8],
    /// The labels of the lines still ahead.
    labels: &'a [Label],
    column_of: Option<ColumnOf<'a>>,
    /// What separates the cells of the table, and how often it stands in each row.
    block: Option<(Separator, usize)>,
    headers: HashMap<u32, Label>,
    line: Line<'a>,
    cursor: Option<Cursor>,
}

impl<'a> Tables<'a> {
    /// Without `column_of` columns are counted by what separates them: tabs, bars, semicolons, two or more spaces, commas.
    pub(super) fn new(text: &'a [u8], labels: &'a [Label], column_of: Option<ColumnOf<'a>>) -> Tables<'a> {
        // What stands before the first label has no header.
        let start = labels.first().map_or(text.len(), |label| line_start(text, label.start));
        let line = Line { text, start, end: start };
        let mut tables = Tables { text, labels, column_of, block: None, headers: HashMap::new(), line, cursor: None };
        tables.enter(start);
        tables
    }

    /// What the table says about the number at `at`; to be asked in the order of the text.
    pub(super) fn cell(&mut self, at: usize) -> Cell {
        while self.line.end < at && self.line.end < self.text.len() {
            self.enter(self.line.end + 1);
        }
        match &mut self.cursor {
            Some(cursor) if at >= self.line.start && (!self.headers.is_empty() || self.column_of.is_some()) => {
                cursor.advance(&self.line, at);
                let column = column(self.column_of, cursor);
                let header = column.and_then(|column| self.headers.get(&column).copied());
                Cell { row: Some((self.line.start, self.line.end)), cell: Some(cursor.cell), header }
            }
            _ => Cell::default(),
        }
    }

    /// Goes on to the line that begins at `start`.
    fn enter(&mut self, start: usize) {
        self.line = Line { text: self.text, start, end: line_end(self.text, start) };
        let here = self.labels.partition_point(|l| l.start < self.line.end);
        let (labels, ahead) = self.labels.split_at(here);
        self.labels = ahead;
        // A table begins with its header: before, nothing needs to be counted.
        if self.headers.is_empty() && labels.is_empty() && self.column_of.is_none() {
            (self.block, self.cursor) = (None, None);
            return;
        }
        let separator = self.separator();
        self.cursor = separator.map(|s| Cursor::new(&self.line, s));
        if let Some(separator) = separator {
            self.header(separator, labels);
        }
    }

    /// What separates the cells of this line, if it is a row.
    fn separator(&mut self) -> Option<Separator> {
        if self.column_of.is_some() {
            return Some(Separator::Tab);
        }
        let counts = self.line.counts();
        if let Some((separator, count)) = self.block {
            let here = counts[separator as usize];
            if here == count || here > 0 && !separator.is_doubtful() {
                return Some(separator);
            }
        }
        self.headers.clear();
        self.block = Separator::ALL.into_iter().map(|s| (s, counts[s as usize])).find(|(_, count)| *count > 0);
        self.block.map(|(separator, _)| separator)
    }

    /// Takes the labels of a row that is a header: one without figures.
    fn header(&mut self, separator: Separator, labels: &[Label]) {
        let line = &self.line;
        if labels.is_empty() || line.end - line.start > HEADER && self.column_of.is_none() || line.has_figures() {
            return;
        }
        let mut cursor = Cursor::new(line, separator);
        let mut taken = None;
        // The letters that a code begins with are no header: `NIE2LF3Z7`.
        for label in labels.iter().filter(|label| !line.goes_on_as_code(label.end)) {
            cursor.advance(line, label.start);
            let Some(column) = column(self.column_of, &cursor) else { continue };
            let begins = line.text[cursor.cell..label.start].iter().all(|b| class(*b) == Class::Other);
            // "Klant BSN" is the BSN of a client.
            if (begins || !separator.is_doubtful()) && (taken != Some(column) || label.wanted) {
                self.headers.insert(column, *label);
                taken = Some(column);
            }
        }
    }
}

fn column(column_of: Option<ColumnOf<'_>>, cursor: &Cursor) -> Option<u32> {
    column_of.map_or(Some(cursor.column), |column_of| column_of(cursor.cell))
}

#[derive(Clone, Copy)]
struct Line<'a> {
    text: &'a [u8],
    start: usize,
    end: usize,
}

/// What stands between cells, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Separator {
    Tab,
    Bar,
    Semicolon,
    Spaces,
    Comma,
}

impl Separator {
    const ALL: [Separator; 5] = [Separator::Tab, Separator::Bar, Separator::Semicolon, Separator::Spaces, Separator::Comma];

    /// Prose has commas and, here and there, two spaces: there every row must have as many as the header.
    fn is_doubtful(self) -> bool {
        matches!(self, Separator::Spaces | Separator::Comma)
    }
}

/// A header's line is not longer than this; a longer line is prose or data.
const HEADER: usize = 4000;

impl Line<'_> {
    /// How often each separator stands in the line; one in quotes separates nothing.
    fn counts(&self) -> [usize; 5] {
        let mut counts = [0; 5];
        let (mut quoted, mut spaces) = (false, 0);
        for b in &self.text[self.start..self.end] {
            if *b == b' ' {
                spaces += 1;
                continue;
            }
            // Indentation separates nothing.
            counts[Separator::Spaces as usize] += usize::from(spaces >= 2);
            spaces = 0;
            match b {
                b'\t' => counts[Separator::Tab as usize] += 1,
                b'|' => counts[Separator::Bar as usize] += 1,
                b';' if !quoted => counts[Separator::Semicolon as usize] += 1,
                b',' if !quoted => counts[Separator::Comma as usize] += 1,
                b'"' => quoted = !quoted,
                _ => {}
            }
        }
        let indented = self.text[self.start..self.end].starts_with(b"  ");
        counts[Separator::Spaces as usize] -= usize::from(indented && counts[Separator::Spaces as usize] > 0);
        counts
    }

    /// Whether digits follow at `at` directly, and more of a code behind them: `tel1` is a header.
    fn goes_on_as_code(&self, at: usize) -> bool {
        let rest = &self.text[at..self.end];
        rest.first().is_some_and(u8::is_ascii_digit) && rest.iter().take_while(|b| b.is_ascii_alphanumeric()).count() > 2
    }

    /// Whether four digits stand together: a header has no numbers, at most a year or a count.
    fn has_figures(&self) -> bool {
        self.text[self.start..self.end].split(|b| !b.is_ascii_digit()).any(|run| run.len() > 4)
    }
}

/// Counts columns along a line, forward only.
struct Cursor {
    separator: Separator,
    at: usize,
    cell: usize,
    column: u32,
    quoted: bool,
}

impl Cursor {
    fn new(line: &Line<'_>, separator: Separator) -> Cursor {
        let indent = line.text[line.start..line.end].iter().take_while(|b| **b == b' ').count();
        let start = if separator == Separator::Spaces { line.start + indent } else { line.start };
        Cursor { separator, at: start, cell: start, column: 0, quoted: false }
    }

    fn advance(&mut self, line: &Line<'_>, to: usize) {
        while self.at < to {
            let b = line.text[self.at];
            self.at += 1;
            let ends = match self.separator {
                Separator::Tab => b == b'\t',
                Separator::Bar => b == b'|',
                Separator::Semicolon => b == b';' && !self.quoted,
                Separator::Comma => b == b',' && !self.quoted,
                Separator::Spaces => b == b' ' && line.text.get(self.at) != Some(&b' ') && self.at >= 2 && line.text[self.at - 2] == b' ',
            };
            self.quoted ^= b == b'"';
            if ends {
                self.cell = self.at;
                self.column += 1;
            }
        }
    }
}

fn line_start(text: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', &text[..at]).map_or(0, |n| n + 1)
}

fn line_end(text: &[u8], start: usize) -> usize {
    memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |n| start + n)
}
