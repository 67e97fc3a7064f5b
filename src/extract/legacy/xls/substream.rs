//! What lies between a BOF and its EOF: a sheet with its cells and what stands beside them, or a chart with the values that it shows.

use super::super::little::{f64_at, u16_at, u32_at};
use super::{
    End, Workbook, formula, named,
    records::{Record, Records, kind},
    strings::Pieces,
};
use crate::extract::{
    plain,
    reading::{Here, Reading},
    sheet::Sheet,
};
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

/// A sheet, a chart, or the globals, as it grows.
pub(super) struct Substream {
    is_nested: bool,
    cells: Sheet,
    /// The cell whose formula gives a text: a record behind it holds that.
    unanswered: Option<(u32, u32)>,
    /// Comments, at their cells.
    notes: Sheet,
    /// Texts of shapes, by the number of the shape, until a comment claims them.
    shapes: HashMap<u16, String>,
    shape: u16,
    boxes: String,
    headers: String,
    /// Links, literals of formulas, lists of choices, names of series, one a line.
    aside: String,
}

/// Numbers of cells as records hold them: row, column, style.
struct At {
    row: u32,
    column: u32,
    style: u16,
}

impl At {
    fn parse(data: &[u8]) -> Option<At> {
        Some(At { row: u16_at(data, 0)?.into(), column: u16_at(data, 2)?.into(), style: u16_at(data, 4)? })
    }
}

impl Substream {
    /// Of the sheet `number`, 0 for the globals.
    pub(super) fn new(number: u32, is_nested: bool) -> Substream {
        Substream {
            is_nested,
            cells: Sheet::new(number),
            unanswered: None,
            notes: Sheet::new(number),
            shapes: HashMap::new(),
            shape: 0,
            boxes: String::new(),
            headers: String::new(),
            aside: String::new(),
        }
    }

    pub(super) fn number(&self) -> u32 {
        self.cells.number
    }

    /// How much text there is so far.
    pub(super) fn octets(&self) -> usize {
        self.cells.text.len() + self.notes.text.len() + self.boxes.len() + self.headers.len() + self.aside.len()
    }

    /// Hands over what was read.
    pub(super) fn done(mut self, reading: &mut Reading<'_>, here: &Here) {
        let place = match (self.number(), self.is_nested) {
            (0, _) => "workbook".to_owned(),
            (number, false) => format!("sheet {number}"),
            (number, true) => format!("chart of sheet {number}"),
        };
        if self.is_nested || self.number() == 0 {
            named(reading, here, std::mem::take(&mut self.cells.text), place.clone());
        } else {
            self.cells.done(reading, &here.part);
        }
        self.notes.done(reading, &here.part);
        let mut numbers: Vec<_> = self.shapes.into_iter().collect();
        numbers.sort_unstable_by_key(|(number, _)| *number);
        for (_, text) in numbers {
            line(&mut self.boxes, &text);
        }
        named(reading, here, self.boxes, format!("text box of {place}"));
        named(reading, here, self.headers, format!("header of {place}"));
        let mut seen = HashSet::new();
        let aside: String = self.aside.split_inclusive('\n').filter(|line| seen.insert(*line)).collect();
        named(reading, here, aside, format!("attributes of {place}"));
    }

    /// One record of this substream; what is wrong with it, if anything is.
    pub(super) fn record(&mut self, workbook: &mut Workbook, record: &Record<'_>, records: &mut Records<'_>) -> Option<End> {
        let read = match record.kind {
            kind::LABELSST
            | kind::LABEL
            | kind::RSTRING
            | kind::RK
            | kind::RK_OLD
            | kind::MULRK
            | kind::NUMBER
            | kind::BOOLERR
            | kind::FORMULA
            | kind::FORMULA_3
            | kind::FORMULA_4
            | kind::STRING
            | kind::STRING_2
            | kind::INTEGER_2
            | kind::NUMBER_2
            | kind::LABEL_2 => {
                if workbook.cells_left == 0 {
                    return Some(End::TooLarge);
                }
                workbook.cells_left -= 1;
                self.cell(workbook, record.kind, record.data, records)
            }
            kind::CRN => self.cached(workbook, record.data),
            _ => self.beside(workbook, record, records),
        };
        if read.is_none() { Some(End::Damaged) } else { None }
    }

    fn cell(&mut self, workbook: &mut Workbook, kind: u16, data: &[u8], records: &mut Records<'_>) -> Option<()> {
        if matches!(kind, kind::STRING | kind::STRING_2) {
            return self.string(workbook, kind, data, records);
        }
        let at = At::parse(data)?;
        match kind {
            kind::LABELSST => {
                let text = workbook.shared.take(u32_at(data, 6)? as usize)?;
                self.text(&at, text);
            }
            kind::LABEL | kind::RSTRING => self.text(&at, &workbook.script.long(data, 6)?.0),
            kind::LABEL_2 => self.text(&at, &workbook.script.short(data, 7)?.0),
            kind::RK | kind::RK_OLD => self.number_at(workbook, &at, rk(u32_at(data, 6)?)),
            kind::MULRK => return self.numbers(workbook, &at, data),
            kind::NUMBER => self.number_at(workbook, &at, f64_at(data, 6)?),
            kind::INTEGER_2 => self.number_at(workbook, &at, u16_at(data, 7)?.into()),
            kind::NUMBER_2 => self.number_at(workbook, &at, f64_at(data, 7)?),
            kind::BOOLERR => self.truth(&at, *data.get(6)?, *data.get(7)? == 0),
            _ => return self.formula(workbook, kind, &at, data),
        }
        Some(())
    }

    fn text(&mut self, at: &At, text: &str) {
        self.cells.begin(at.row, at.column);
        self.cells.words(text);
    }

    fn number_at(&mut self, workbook: &Workbook, at: &At, value: f64) {
        self.cells.begin(at.row, at.column);
        self.cells.number_or_date(value, workbook.format_of(at.style), workbook.is_1904);
    }

    /// TRUE and FALSE; the errors by their numbers (BErr, MS-XLS 2.5.10).
    fn truth(&mut self, at: &At, value: u8, is_truth: bool) {
        self.cells.begin(at.row, at.column);
        self.cells.words(match (is_truth, value) {
            (true, 0) => "FALSE",
            (true, _) => "TRUE",
            (false, 0x00) => "#NULL!",
            (false, 0x07) => "#DIV/0!",
            (false, 0x0F) => "#VALUE!",
            (false, 0x17) => "#REF!",
            (false, 0x1D) => "#NAME?",
            (false, 0x24) => "#NUM!",
            (false, _) => "#N/A",
        });
    }

    /// A row of numbers, each with its style; the last column stands at the end (MS-XLS 2.4.175).
    fn numbers(&mut self, workbook: &mut Workbook, first: &At, data: &[u8]) -> Option<()> {
        let values = data.get(4..data.len().checked_sub(2)?)?;
        for (value, column) in values.chunks_exact(6).zip(first.column..) {
            let at = At { row: first.row, column, style: u16_at(value, 0)? };
            self.number_at(workbook, &at, rk(u32_at(value, 2)?));
            // The first one was counted with its record.
            workbook.cells_left = workbook.cells_left.saturating_sub(1);
        }
        Some(())
    }

    /// A formula with its last result (MS-XLS 2.4.127, 2.5.133).
    fn formula(&mut self, workbook: &Workbook, kind: u16, at: &At, data: &[u8]) -> Option<()> {
        let is_old = workbook.script.is_unicode || kind == kind::FORMULA;
        let result = data.get(6..14)?;
        match result {
            [0, .., 0xFF, 0xFF] => self.unanswered = Some((at.row, at.column)),
            [1, _, value, .., 0xFF, 0xFF] => self.truth(at, *value, true),
            [2, _, value, .., 0xFF, 0xFF] => self.truth(at, *value, false),
            [.., 0xFF, 0xFF] => {}
            _ => self.number_at(workbook, at, f64_at(result, 0)?),
        }
        // Before Excel 5 the tokens stand elsewhere, and are others.
        if let (true, Some(length)) = (is_old, u16_at(data, 20)) {
            let end = (22 + usize::from(length)).min(data.len());
            formula::literals(data.get(22..end).unwrap_or_default(), workbook.script, &mut self.aside);
        }
        Some(())
    }

    /// The text that a formula gives.
    fn string(&mut self, workbook: &Workbook, kind: u16, data: &[u8], records: &mut Records<'_>) -> Option<()> {
        let Some((row, column)) = self.unanswered.take() else { return Some(()) };
        let mut text = String::new();
        if workbook.script.is_unicode {
            let mut pieces = Pieces::new(records.continued(data));
            let (count, flags) = (pieces.u16()?, pieces.byte().unwrap_or(0));
            // What there is of it is kept.
            let _ = pieces.characters(count.into(), flags, &mut text);
        } else if kind == kind::STRING_2 {
            text = workbook.script.short(data, 0)?.0;
        } else {
            text = workbook.script.long(data, 0)?.0;
        }
        self.cells.begin(row, column);
        self.cells.words(&text);
        Some(())
    }

    /// Values of another workbook that this one refers to (CRN, MS-XLS 2.4.65).
    fn cached(&mut self, workbook: &Workbook, data: &[u8]) -> Option<()> {
        let (last, first) = (*data.first()?, *data.get(1)?);
        let mut at = 4;
        for _ in first..=last {
            match data.get(at)? {
                1 => {
                    line(&mut self.aside, &f64_at(data, at + 1)?.to_string());
                    at += 9;
                }
                2 => {
                    let (text, end) = workbook.script.long(data, at + 1)?;
                    line(&mut self.aside, &text);
                    at = end;
                }
                _ => at += 9,
            }
        }
        Some(())
    }

    /// What is no cell.
    fn beside(&mut self, workbook: &Workbook, record: &Record<'_>, records: &mut Records<'_>) -> Option<()> {
        let (data, script) = (record.data, workbook.script);
        match record.kind {
            kind::HEADER | kind::FOOTER if !data.is_empty() => {
                let text = if script.is_unicode { script.long(data, 0) } else { script.short(data, 0) };
                line(&mut self.headers, &text?.0);
            }
            kind::HEADER_FOOTER => self.more_headers(workbook, data),
            kind::NOTE => self.note(workbook, data)?,
            kind::OBJ => self.shape = u16_at(data, 6).unwrap_or(0),
            kind::TXO => {
                let count = u16_at(data, 10)?;
                let mut pieces = Pieces::new(records.continued(&[]));
                let mut text = String::new();
                if count > 0 {
                    let flags = pieces.byte()?;
                    pieces.characters(count.into(), flags, &mut text)?;
                    if let Some(before) = self.shapes.insert(self.shape, text) {
                        line(&mut self.boxes, &before);
                    }
                }
            }
            kind::HLINK => wide_words(data, &mut self.aside),
            kind::DV => self.validation(workbook, data),
            kind::SHRFMLA => formula::literals(data.get(10..).unwrap_or_default(), script, &mut self.aside),
            kind::ARRAY => formula::literals(data.get(14..).unwrap_or_default(), script, &mut self.aside),
            kind::SERIES_TEXT => line(&mut self.aside, &script.short(data, 2)?.0),
            kind::PIVOT_STRING => line(&mut self.aside, &script.long(data, 0)?.0),
            kind::PIVOT_NUMBER => line(&mut self.aside, &f64_at(data, 0)?.to_string()),
            _ => {}
        }
        Some(())
    }

    /// Headers and footers of the first page and of even ones (MS-XLS 2.4.137).
    fn more_headers(&mut self, workbook: &Workbook, data: &[u8]) {
        let mut at = 38;
        for length in 0..4 {
            if u16_at(data, 30 + 2 * length).is_none_or(|count| count == 0) {
                continue;
            }
            let Some((text, end)) = workbook.script.long(data, at) else { return };
            line(&mut self.headers, &text);
            at = end;
        }
    }

    /// A comment: its text is that of a shape (MS-XLS 2.4.179), before Excel 97 its own.
    fn note(&mut self, workbook: &Workbook, data: &[u8]) -> Option<()> {
        /// The row of a record that goes on with the comment before.
        const GOES_ON: u16 = 0xFFFF;
        let (row, column) = (u16_at(data, 0)?, u16_at(data, 2)?);
        if !workbook.script.is_unicode {
            let text = workbook.script.characters(data, 6, data.len())?.0;
            if row != GOES_ON {
                self.notes.begin(row.into(), column.into());
            }
            self.notes.words(&text);
            return Some(());
        }
        self.notes.begin(row.into(), column.into());
        if let Some(text) = u16_at(data, 6).and_then(|shape| self.shapes.remove(&shape)) {
            self.notes.words(&text);
        }
        if let Some((author, _)) = workbook.script.long(data, 8) {
            line(&mut self.aside, &author);
        }
        Some(())
    }

    /// What a cell may hold, and what is said when it doesn't (MS-XLS 2.4.90).
    fn validation(&mut self, workbook: &Workbook, data: &[u8]) {
        let mut at = 4;
        for _ in 0..4 {
            let Some((text, end)) = workbook.script.long(data, at) else { return };
            line(&mut self.aside, &text);
            at = end;
        }
        for _ in 0..2 {
            let Some(length) = u16_at(data, at) else { return };
            let end = at + 4 + usize::from(length);
            formula::literals(data.get(at + 4..end).unwrap_or_default(), workbook.script, &mut self.aside);
            at = end;
        }
    }
}

/// A number in 30 bits (MS-XLS 2.5.217).
fn rk(packed: u32) -> f64 {
    let value = if packed & 2 == 0 { f64::from_bits(u64::from(packed & !3) << 32) } else { f64::from(packed.cast_signed() >> 2) };
    if packed & 1 == 0 { value } else { value / 100.0 }
}

fn line(out: &mut String, text: &str) {
    let text = plain::clean(Cow::Borrowed(text));
    if !text.trim().is_empty() {
        out.push_str(text.trim_end_matches('\n'));
        out.push('\n');
    }
}

/// Texts of two octets a character within other data: addresses of links.
fn wide_words(data: &[u8], out: &mut String) {
    /// Shorter ones are chance.
    const SHORTEST: usize = 4;
    let mut at = 0;
    while at + 1 < data.len() {
        let units = (at..).step_by(2).map_while(|i| u16_at(data, i)).take_while(|c| (0x20..0x7F).contains(c));
        let text: String = char::decode_utf16(units).map_while(Result::ok).collect();
        let length = text.len();
        if length >= SHORTEST {
            line(out, &text);
            at += 2 * length;
        } else {
            at += 1;
        }
    }
}
