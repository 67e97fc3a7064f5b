//! Binary workbooks (MS-XLSB): records of BIFF12 in a package.
//!
//! An own walk over the records instead of calamine's: that one indexes into records unchecked, and tells no number formats, comments or
//! strings beside the cells.

use super::{
    about_cells,
    package::{Package, Relation, on_one_line, targets},
};
use crate::extract::{
    Places, ProblemKind, Source, number,
    reading::{Here, Reading},
    sheet::Sheet,
};
use calamine::{ExcelDateTime, ExcelDateTimeType};
use std::{borrow::Cow, collections::HashMap};

/// Numbers of records (MS-XLSB 2.3.2).
mod record {
    pub(super) const ROW_HEADER: u16 = 0;
    pub(super) const CELL_BLANK: u16 = 1;
    pub(super) const FORMULA_STRING: u16 = 8;
    pub(super) const FORMULA_ERROR: u16 = 11;
    /// BrtShortBlank: this and those up to [`SHORT_LAST`] are cells right of the one before.
    pub(super) const SHORT_FIRST: u16 = 12;
    pub(super) const SHORT_LAST: u16 = 18;
    pub(super) const SHARED_STRING: u16 = 19;
    pub(super) const CACHED_NUMBER: u16 = 21;
    pub(super) const CACHED_NUMBER_EXTRA: u16 = 28;
    pub(super) const FORMAT: u16 = 44;
    pub(super) const XF: u16 = 47;
    pub(super) const CELL_RICH_STRING: u16 = 62;
    pub(super) const END_SHEET: u16 = 130;
    pub(super) const WORKBOOK_PROPERTIES: u16 = 153;
    pub(super) const BUNDLE_SHEET: u16 = 156;
    pub(super) const BEGIN_CELL_XFS: u16 = 617;
    pub(super) const END_CELL_XFS: u16 = 618;
    pub(super) const BEGIN_COMMENT: u16 = 635;
    pub(super) const COMMENT_TEXT: u16 = 637;
}

/// What cells refer to.
#[derive(Default)]
struct Book {
    /// Each with whether a cell shows it.
    strings: Vec<(String, bool)>,
    formats: HashMap<u16, String>,
    /// The number format of each cell format.
    styles: Vec<u16>,
    is_1904: bool,
}

/// Reads the sheets in their order, then what else is in records.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, package: &mut Package<'_>, main: &str) {
    let Some(octets) = package.take(reading, here, main) else { return };
    let relations = package.relations(reading, here, main, "workbook");
    let mut book = Book::default();
    for relation in &relations {
        if matches!(relation.kind.as_str(), "sharedStrings" | "styles")
            && let Some(octets) = package.take(reading, here, &relation.target)
            && !book.read(&octets)
        {
            reading.damaged(here, "xlsb");
        }
    }
    let sheets = book.sheets(reading, here, &octets, &relations);
    let mut left = reading.limits.cells;
    for (number, part) in (1u32..).zip(sheets) {
        sheet(reading, here, package, &mut book, number, &part, &mut left);
    }
    let unused = book.strings.iter().filter(|(_, is_used)| !is_used).fold(String::new(), |all, (string, _)| all + string + "\n");
    reading.text(&here.part, Source::Attachment, unused, Places::Named("strings without a cell".into()));
    let rest: Vec<String> = package.unread().map(|(part, _)| part.to_owned()).filter(|part| is_records(part)).collect();
    for part in rest {
        let Some(octets) = package.take(reading, here, &part) else { continue };
        let place = part.rsplit('/').next().unwrap_or(&part).trim_end_matches(".bin").to_owned();
        if !strings(reading, here, &octets, place) {
            reading.damaged(here, "xlsb");
        }
    }
}

/// Parts in BIFF12, but for those that hold formulas' order and positions only.
fn is_records(part: &str) -> bool {
    let others =
        ["embeddings/", "activex/", "printersettings/", "media/", "vbaproject", "ctrlprops/", "model/", "calcchain", "binaryindex"];
    part.starts_with("xl/") && part.ends_with(".bin") && !others.iter().any(|other| part.contains(other))
}

fn sheet(reading: &mut Reading<'_>, here: &Here, package: &mut Package<'_>, book: &mut Book, number: u32, part: &str, left: &mut usize) {
    let Some(octets) = package.take(reading, here, part) else { return };
    let mut sheet = Sheet { number, ..Sheet::default() };
    let place = format!("sheet {number}");
    let mut aside = String::new();
    let (mut is_whole, mut is_full) = (false, false);
    let (mut row, mut column) = (0, None);
    let mut records = Records(&octets);
    for (kind, data) in records.by_ref() {
        is_whole |= kind == record::END_SHEET;
        if kind == record::ROW_HEADER {
            (row, column) = (u32_at(data, 0).unwrap_or(row), None);
        } else if let Some(cell) = Record::of(kind, data, column) {
            column = Some(cell.column);
            if cell.kind == record::CELL_BLANK {
                continue;
            }
            if *left == 0 {
                is_full = true;
                break;
            }
            *left -= 1;
            sheet.begin(row, cell.column);
            if !book.cell(&mut sheet, &cell) {
                reading.problem(&here.part, Some(place.clone()), ProblemKind::Damaged, "xlsb");
            }
            if (record::FORMULA_STRING..=record::FORMULA_ERROR).contains(&kind) {
                literals(data, &mut aside);
            }
        } else {
            wide_strings(data, &mut aside);
        }
    }
    reading.spanned(&here.part, Source::Attachment, sheet.text, Places::Cells(sheet.cells), sheet.spans);
    reading.text(&here.part, Source::Attachment, aside, Places::Named(format!("beside the cells, {place}")));
    if is_full {
        reading.problem(&here.part, Some(place.clone()), ProblemKind::TooLarge, "cells");
    } else if !is_whole || !records.0.is_empty() {
        reading.problem(&here.part, Some(place.clone()), ProblemKind::Damaged, "xlsb");
    }
    for relation in package.relations(reading, here, part, &place) {
        package.belongs(&relation.target, &place, Some(number));
        if relation.kind == "comments"
            && let Some(octets) = package.take(reading, here, &relation.target)
        {
            comments(reading, here, &octets, number);
        }
    }
}

/// Comments, each with its cell (MS-XLSB 2.4.34, 2.4.343).
fn comments(reading: &mut Reading<'_>, here: &Here, octets: &[u8], sheet: u32) {
    let (mut text, mut cells, mut aside) = (String::new(), Vec::new(), String::new());
    let mut records = Records(octets);
    for (kind, data) in records.by_ref() {
        match kind {
            // Behind the author: rwFirst, rwLast, colFirst, colLast.
            record::BEGIN_COMMENT => {
                cells.push((text.len(), (u32_at(data, 4).unwrap_or_default(), u32_at(data, 12).unwrap_or_default())));
            }
            record::COMMENT_TEXT => {
                let said = data.get(1..).and_then(wide_string).unwrap_or_default();
                text.push_str(&on_one_line(Cow::Owned(said)));
                text.push('\n');
            }
            _ => wide_strings(data, &mut aside),
        }
    }
    reading.text(&here.part, Source::Attachment, text, about_cells("comment", sheet, &cells));
    reading.text(&here.part, Source::Attachment, aside, Places::Named(format!("attributes of comment, sheet {sheet}")));
    if !records.0.is_empty() {
        reading.damaged(here, "xlsb");
    }
}

/// Whatever strings the records of any other part hold; says whether it is whole.
fn strings(reading: &mut Reading<'_>, here: &Here, octets: &[u8], place: String) -> bool {
    let mut text = String::new();
    let mut records = Records(octets);
    for (kind, data) in records.by_ref() {
        match kind {
            record::CACHED_NUMBER | record::CACHED_NUMBER_EXTRA if let Some(number) = f64_at(data, 0) => {
                text.push_str(&format!("{number}\n"));
            }
            _ => {
                wide_strings(data, &mut text);
                literals(data, &mut text);
            }
        }
    }
    reading.text(&here.part, Source::Attachment, text, Places::Named(place));
    records.0.is_empty()
}

impl Book {
    /// Shared strings and styles; says whether the part is whole.
    fn read(&mut self, octets: &[u8]) -> bool {
        let mut is_cell_format = false;
        let mut records = Records(octets);
        for (kind, data) in records.by_ref() {
            match kind {
                record::SHARED_STRING => {
                    let string = data.get(1..).and_then(wide_string).unwrap_or_default();
                    self.strings.push((on_one_line(Cow::Owned(string)), false));
                }
                record::FORMAT => {
                    if let (Some(id), Some(code)) = (u16_at(data, 0), data.get(2..).and_then(wide_string)) {
                        self.formats.insert(id, code);
                    }
                }
                record::BEGIN_CELL_XFS => is_cell_format = true,
                record::END_CELL_XFS => is_cell_format = false,
                record::XF if is_cell_format => self.styles.push(u16_at(data, 2).unwrap_or_default()),
                _ => {}
            }
        }
        records.0.is_empty()
    }

    /// The parts of the sheets, in order; their names, and all other strings of the workbook, as text.
    fn sheets(&mut self, reading: &mut Reading<'_>, here: &Here, octets: &[u8], relations: &[Relation]) -> Vec<String> {
        let (mut sheets, mut names, mut aside) = (Vec::new(), String::new(), String::new());
        let targets = targets(relations);
        let mut records = Records(octets);
        for (kind, data) in records.by_ref() {
            match kind {
                record::WORKBOOK_PROPERTIES => self.is_1904 = u32_at(data, 0).is_some_and(|flags| flags & 1 == 1),
                // State and number, then the relationship and the name.
                record::BUNDLE_SHEET => {
                    let id = data.get(8..).and_then(wide_string).unwrap_or_default();
                    let name = data.get(12 + 2 * id.encode_utf16().count()..).and_then(wide_string).unwrap_or_default();
                    names.push_str(&on_one_line(Cow::Owned(name)));
                    names.push('\n');
                    sheets.extend(targets.get(id.as_str()).map(|target| (*target).to_owned()));
                }
                _ => {
                    wide_strings(data, &mut aside);
                    literals(data, &mut aside);
                }
            }
        }
        reading.text(&here.part, Source::Attachment, names, Places::Named("names".into()));
        reading.text(&here.part, Source::Attachment, aside, Places::Named("workbook".into()));
        if !records.0.is_empty() {
            reading.damaged(here, "xlsb");
        }
        sheets
    }

    /// Adds the value of a cell; says whether there was one.
    fn cell(&mut self, sheet: &mut Sheet, cell: &Record<'_>) -> bool {
        let data = cell.value;
        let told = match cell.kind {
            2 => u32_at(data, 0).map(|rk| self.number(sheet, from_rk(rk), cell.style)),
            3 | 11 => data.first().map(|code| sheet.words(error(*code))),
            4 | 10 => data.first().map(|yes| sheet.words(if *yes != 0 { "TRUE" } else { "FALSE" })),
            5 | 9 => f64_at(data, 0).map(|number| self.number(sheet, number, cell.style)),
            6 | 8 => wide_string(data).map(|text| sheet.words(&text)),
            record::CELL_RICH_STRING => data.get(1..).and_then(wide_string).map(|text| sheet.words(&text)),
            _ => u32_at(data, 0).and_then(|at| self.strings.get_mut(at as usize)).map(|(string, is_used)| {
                *is_used = true;
                sheet.words(string);
            }),
        };
        told.is_some()
    }

    fn number(&self, sheet: &mut Sheet, number: f64, style: usize) {
        let id = self.styles.get(style).copied().unwrap_or_default();
        let format = self.formats.get(&id).map(String::as_str);
        if is_date(id, format) {
            sheet.date(&ExcelDateTime::new(number, ExcelDateTimeType::DateTime, self.is_1904));
        } else {
            sheet.number(number, format);
        }
    }
}

/// A cell as its record tells it (MS-XLSB 2.5.9).
struct Record<'o> {
    /// As if it were a long one.
    kind: u16,
    column: u32,
    style: usize,
    value: &'o [u8],
}

impl<'o> Record<'o> {
    fn of(kind: u16, data: &'o [u8], before: Option<u32>) -> Option<Record<'o>> {
        let style = |at| u32_at(data, at).map(|s| (s & 0x00FF_FFFF) as usize);
        match kind {
            record::CELL_BLANK..=record::FORMULA_ERROR | record::CELL_RICH_STRING => {
                Some(Record { kind, column: u32_at(data, 0)?, style: style(4)?, value: data.get(8..)? })
            }
            record::SHORT_FIRST..=record::SHORT_LAST => {
                let column = before.map_or(0, |column| column.saturating_add(1));
                Some(Record { kind: kind - record::SHORT_FIRST + record::CELL_BLANK, column, style: style(0)?, value: data.get(4..)? })
            }
            _ => None,
        }
    }
}

/// 30 bits of an integer or of the front of a double, perhaps times 100 (MS-XLSB 2.5.123).
fn from_rk(rk: u32) -> f64 {
    let value = if rk & 2 != 0 { f64::from((rk as i32) >> 2) } else { f64::from_bits(u64::from(rk & !3) << 32) };
    if rk & 1 != 0 { value / 100.0 } else { value }
}

/// MS-XLSB 2.5.97.2.
fn error(code: u8) -> &'static str {
    match code {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0F => "#VALUE!",
        0x17 => "#REF!",
        0x1D => "#NAME?",
        0x24 => "#NUM!",
        0x2A => "#N/A",
        _ => "#GETTING_DATA",
    }
}

/// Built-in formats (ECMA-376, part 1, 18.8.30), or one that writes years, months, days, hours or seconds.
fn is_date(id: u16, format: Option<&str>) -> bool {
    format.map_or(matches!(id, 14..=22 | 27..=36 | 45..=47 | 50..=58), number::is_date)
}

/// Records one after the other (MS-XLSB 2.1.4); what is left behind the last whole one stays.
struct Records<'o>(&'o [u8]);

impl<'o> Iterator for Records<'o> {
    type Item = (u16, &'o [u8]);

    fn next(&mut self) -> Option<(u16, &'o [u8])> {
        let mut at = 0;
        // Seven bits an octet, the lowest first; the eighth says that more come.
        let mut number = |most: usize| {
            let mut value = 0usize;
            for place in 0..most {
                let octet = *self.0.get(at)?;
                at += 1;
                value |= usize::from(octet & 0x7F) << (7 * place);
                if octet & 0x80 == 0 {
                    break;
                }
            }
            Some(value)
        };
        let (kind, size) = (number(2)?, number(4)?);
        let data = self.0.get(at..at.checked_add(size)?)?;
        self.0 = &self.0[at + size..];
        Some((u16::try_from(kind).ok()?, data))
    }
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..)?.first_chunk().copied().map(u16::from_le_bytes)
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

fn f64_at(data: &[u8], at: usize) -> Option<f64> {
    data.get(at..)?.first_chunk().copied().map(f64::from_le_bytes)
}

/// A count of UTF-16 units, then these (MS-XLSB 2.5.169).
fn wide_string(data: &[u8]) -> Option<String> {
    let units = data.get(4..)?.get(..usize::try_from(u32_at(data, 0)?).ok()?.checked_mul(2)?)?;
    Some(String::from_utf16_lossy(&units.chunks_exact(2).map(|u| u16::from_le_bytes([u[0], u[1]])).collect::<Vec<_>>()))
}

/// Strings wherever they stand in a record: what the records of this format are called is a long list, what a string looks like is not.
fn wide_strings(data: &[u8], text: &mut String) {
    let mut at = 0;
    while at + 6 <= data.len() {
        let units = u32_at(data, at).and_then(|count| said(&data[at + 4..], count as usize));
        at += units.map_or(1, |(string, octets)| {
            text.push_str(&string);
            text.push('\n');
            4 + octets
        });
    }
}

/// String literals in formulas: PtgStr, a count, the units (MS-XLSB 2.5.97.83).
fn literals(data: &[u8], text: &mut String) {
    const PTG_STR: u8 = 0x17;
    let mut at = 0;
    while at + 5 <= data.len() {
        let units = (data[at] == PTG_STR).then(|| u16_at(data, at + 1)).flatten().and_then(|count| said(&data[at + 3..], count.into()));
        at += units.map_or(1, |(string, octets)| {
            text.push_str(&string);
            text.push('\n');
            3 + octets
        });
    }
}

/// Text of so many units, if it reads as text; and its octets.
fn said(data: &[u8], count: usize) -> Option<(String, usize)> {
    /// The longest text of a cell.
    const LONGEST: usize = 32_767;
    let octets = Some(count).filter(|count| (1..=LONGEST).contains(count))? * 2;
    let units = data.get(..octets)?.chunks_exact(2).map(|u| u16::from_le_bytes([u[0], u[1]]));
    let mut string = String::new();
    for c in char::decode_utf16(units) {
        let c = c.ok().filter(|c| !c.is_control() || matches!(c, '\t' | '\n' | '\r'))?;
        string.push(c);
    }
    let is_text = string.chars().any(char::is_alphanumeric) && (count > 1 || string.is_ascii());
    is_text.then(|| (on_one_line(Cow::Owned(string)), octets))
}
