//! Tables in text and in sheets: the header of a column labels every number below it, however far.

use super::{
    class::{Class, class},
    context::Cell,
    number::Candidate,
    scan::Label,
};
use std::collections::HashMap;

/// What tables say about each candidate, in their order. `column_of` gives the column of a sheet's cell by its offset; without it columns are
/// counted by what separates them: tabs, bars, semicolons, two or more spaces, commas.
pub(super) fn cells(
    text: &[u8],
    labels: &[Label],
    candidates: &[Candidate],
    column_of: Option<&dyn Fn(usize) -> Option<u32>>,
) -> Vec<Cell> {
    let mut cells = vec![Cell::default(); candidates.len()];
    // Without a label above the first number there is no header anywhere that matters.
    let (Some(last), Some(first_label)) = (candidates.last(), labels.first()) else { return cells };
    let mut table = Table { block: None, headers: HashMap::new(), column_of };
    let (mut label, mut candidate, mut start) = (0, 0, line_start(text, first_label.start));
    while candidates.get(candidate).is_some_and(|c| c.start < start) {
        candidate += 1;
    }
    while start <= last.start {
        let end = memchr_line(text, start);
        let line = Line { text, start, end };
        let separator = table.enter(&line);
        let from = label;
        while labels.get(label).is_some_and(|l| l.start < end) {
            label += 1;
        }
        if let Some(separator) = separator {
            table.header(&line, separator, &labels[from..label]);
        }
        let mut cursor = separator.map(|s| Cursor::new(&line, s));
        while candidates.get(candidate).is_some_and(|c| c.start < end) {
            if let Some(cursor) = &mut cursor {
                cells[candidate] = table.cell(&line, cursor, candidates[candidate].start);
            }
            candidate += 1;
        }
        start = end + 1;
    }
    cells
}

struct Table<'a> {
    /// The separator and how often it stands in each row.
    block: Option<(Separator, usize)>,
    headers: HashMap<u32, Label>,
    column_of: Option<&'a dyn Fn(usize) -> Option<u32>>,
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
    /// Prose has commas and, here and there, two spaces: there every row must have as many as the header.
    fn is_doubtful(self) -> bool {
        matches!(self, Separator::Spaces | Separator::Comma)
    }
}

/// A header's line is not longer than this; a longer line is prose or data.
const HEADER: usize = 4000;

impl Table<'_> {
    /// Goes on to the next line; what separates its cells, if it is a row.
    fn enter(&mut self, line: &Line<'_>) -> Option<Separator> {
        if self.column_of.is_some() {
            return Some(Separator::Tab);
        }
        let counts = line.counts();
        if let Some((separator, count)) = self.block {
            let here = counts[separator as usize];
            if here == count || here > 0 && !separator.is_doubtful() {
                return Some(separator);
            }
        }
        self.headers.clear();
        let all = [Separator::Tab, Separator::Bar, Separator::Semicolon, Separator::Spaces, Separator::Comma];
        self.block = all.into_iter().find(|s| counts[*s as usize] > 0).map(|s| (s, counts[s as usize]));
        self.block.map(|(separator, _)| separator)
    }

    /// Takes the labels of a row that is a header: one without figures.
    fn header(&mut self, line: &Line<'_>, separator: Separator, labels: &[Label]) {
        if labels.is_empty() || line.end - line.start > HEADER && self.column_of.is_none() || line.has_figures() {
            return;
        }
        let mut cursor = Cursor::new(line, separator);
        let mut taken = None;
        for label in labels {
            cursor.advance(line, label.start);
            let Some(column) = self.column(&cursor) else { continue };
            let begins = line.text[cursor.cell..label.start].iter().all(|b| class(*b) == Class::Other);
            // "Klant BSN" is the BSN of a client.
            if (begins || !separator.is_doubtful()) && (taken != Some(column) || label.wanted) {
                self.headers.insert(column, *label);
                taken = Some(column);
            }
        }
    }

    fn cell(&self, line: &Line<'_>, cursor: &mut Cursor, at: usize) -> Cell {
        if self.headers.is_empty() && self.column_of.is_none() {
            return Cell::default();
        }
        cursor.advance(line, at);
        let header = self.column(cursor).and_then(|column| self.headers.get(&column).copied());
        Cell { row: Some((line.start, line.end)), cell: Some(cursor.cell), header }
    }

    fn column(&self, cursor: &Cursor) -> Option<u32> {
        match self.column_of {
            Some(column_of) => column_of(cursor.cell),
            None => Some(cursor.column),
        }
    }
}

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
    text[..at].iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1)
}

fn memchr_line(text: &[u8], start: usize) -> usize {
    text[start..].iter().position(|b| *b == b'\n').map_or(text.len(), |n| start + n)
}
