//! A sheet of any workbook, cell by cell, as the text that detection sees: rows are lines, cells are a tab apart, however far they lie.

use super::{Cell, Places, Source, Span, number, plain, reading::Reading};
use calamine::{ExcelDateTime, ExcelDateTimeType};
use std::{borrow::Cow, ops::Range};

/// A sheet as its text grows.
#[derive(Default)]
pub(super) struct Sheet {
    /// From 1, in the order of the workbook.
    pub(super) number: u32,
    pub(super) text: String,
    pub(super) cells: Vec<(usize, Cell)>,
    pub(super) spans: Vec<(Range<usize>, Span)>,
}

impl Sheet {
    /// A sheet of which nothing was read.
    pub(super) fn new(number: u32) -> Sheet {
        Sheet { number, ..Sheet::default() }
    }

    /// Hands the sheet over.
    pub(super) fn done(self, reading: &mut Reading<'_>, part: &str) {
        reading.spanned(part, Source::Attachment, self.text, Places::Cells(self.cells), self.spans);
    }

    /// Begins a cell; what is added next belongs to it.
    pub(super) fn begin(&mut self, row: u32, column: u32) {
        match self.cells.last() {
            None => {}
            Some((_, last)) if last.row == row => self.text.push('\t'),
            Some(_) => self.text.push('\n'),
        }
        self.cells.push((self.text.len(), Cell { sheet: self.number, row, column }));
    }

    /// Text of a cell; its own line breaks and tabs are blanks, since these separate rows and cells.
    pub(super) fn words(&mut self, text: &str) {
        let text = plain::clean(Cow::Borrowed(text));
        if text.contains(['\n', '\t']) {
            self.text.push_str(&text.replace(['\n', '\t'], " "));
        } else {
            self.text.push_str(&text);
        }
    }

    /// A number in all the forms that a reader may know it by.
    pub(super) fn number(&mut self, value: f64, format: Option<&str>) {
        self.number_shown(value, format.and_then(|f| number::formatted(value, f)));
    }

    /// A number, and what the sheet shows for it.
    pub(super) fn number_shown(&mut self, value: f64, shown: Option<String>) {
        let raw = number::plain(value);
        self.text.push_str(&raw);
        if let Some(shown) = shown.filter(|shown| *shown != raw) {
            self.alternative(&shown, Span::Alternative);
        }
        // A BSN typed as a number has lost its leading zeros.
        if (7..=8).contains(&raw.len()) && raw.bytes().all(|b| b.is_ascii_digit()) {
            self.alternative(&format!("{raw:0>9}"), Span::Padded);
        }
    }

    /// A date: the number that it is, and both ways in which people write it.
    pub(super) fn date(&mut self, date: &ExcelDateTime) {
        let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
        self.text.push_str(&number::plain(date.as_f64()));
        self.alternative(&format!("{day:02}-{month:02}-{year:04}"), Span::Alternative);
        self.alternative(&format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}"), Span::Alternative);
    }

    /// A number whose format may show it as a date.
    pub(super) fn number_or_date(&mut self, value: f64, format: Option<&str>, is_1904: bool) {
        /// 31 December 9999, the last day that Excel knows.
        const LAST_DAY: f64 = 2_958_466.0;
        if format.is_some_and(number::is_date) && (0.0..LAST_DAY).contains(&value) {
            self.date(&ExcelDateTime::new(value, ExcelDateTimeType::DateTime, is_1904));
        } else {
            self.number(value, format);
        }
    }

    /// Another reading of the cell, which is special in the way of `span`.
    pub(super) fn alternative(&mut self, text: &str, span: Span) {
        self.text.push('\u{1F}');
        let start = self.text.len();
        self.text.push_str(text);
        self.spans.push((start..self.text.len(), span));
    }
}
