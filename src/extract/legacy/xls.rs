//! Workbooks up to Excel 2003 (MS-XLS, and what came before): records one after the other, read as they come. Cells at the far corners of a
//! sheet are two cells.

mod formula;
mod records;
mod strings;
mod substream;

use super::little::{size_at, u16_at};
use crate::extract::{
    Places, ProblemKind, Source, charset,
    image::{bitmap, blip, metafile},
    plain,
    reading::{Here, Reading},
};
use bytes::Bytes;
use encoding_rs::WINDOWS_1252;
use records::{Record, Records, kind};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
};
use strings::{Script, Shared};
use substream::Substream;

/// How many substreams may lie in one another: a chart in a sheet does.
const NESTED: usize = 4;

/// Reads the stream of a workbook.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, octets: &[u8]) {
    let mut records = Records::new(octets);
    let mut workbook = Workbook::new(reading);
    let mut open: Vec<Substream> = Vec::new();
    let (mut end, mut has_begun) = (End::Whole, false);
    while let Some(record) = records.next() {
        if record.kind == kind::FILEPASS {
            reading.problem(&here.part, None, ProblemKind::Encrypted, "xls");
            end = End::Encrypted;
            break;
        }
        match record.kind {
            kind::BOF | kind::BOF_2 | kind::BOF_3 | kind::BOF_4 => {
                has_begun = true;
                workbook.begin(reading, here, &record, &mut open);
            }
            kind::EOF => {
                if let Some(last) = open.pop() {
                    workbook.end(reading, here, last);
                }
                if open.is_empty() && !workbook.seek(&mut records) {
                    break;
                }
            }
            _ => match open.last_mut() {
                Some(substream) => end = workbook.record(&record, &mut records, substream).unwrap_or(end),
                None if workbook.seek(&mut records) => {}
                None => break,
            },
        }
        if end == End::TooLarge {
            break;
        }
    }
    // A stream whose start was overwritten holds no sheet for all that can be told.
    let is_cut = records.is_cut || !open.is_empty() || !has_begun || workbook.sheets.iter().any(|s| !s.is_read);
    while let Some(last) = open.pop() {
        workbook.end(reading, here, last);
    }
    workbook.done(reading, here);
    match end {
        End::TooLarge => reading.too_large(here, "cells"),
        End::Whole if is_cut => reading.damaged(here, "xls"),
        End::Damaged => reading.damaged(here, "xls"),
        End::Whole | End::Encrypted => {}
    }
}

/// How reading ended, or will.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    Damaged,
    Encrypted,
    TooLarge,
}

/// A sheet as the workbook lists it (BOUNDSHEET, MS-XLS 2.4.28).
struct Listed {
    name: String,
    is_read: bool,
}

/// What is known of the whole workbook.
struct Workbook {
    script: Script,
    is_1904: bool,
    /// By their index.
    formats: HashMap<u16, String>,
    /// The format of each cell style.
    styles: Vec<u16>,
    shared: Shared,
    sheets: Vec<Listed>,
    /// Where each of them begins.
    offsets: BTreeMap<usize, usize>,
    /// Names of ranges and paths of other workbooks.
    names: String,
    cells_left: usize,
    text_left: usize,
    /// Sheets that began so far.
    begun: u32,
    /// Records of OfficeArt that hold pictures: one row of octets, cut into records anywhere.
    drawings: Vec<u8>,
    /// Pictures of Excel 5, and backgrounds.
    images: Vec<Vec<u8>>,
}

impl Workbook {
    fn new(reading: &Reading<'_>) -> Workbook {
        Workbook {
            script: Script { is_unicode: false, encoding: WINDOWS_1252 },
            is_1904: false,
            formats: HashMap::new(),
            styles: Vec::new(),
            shared: Shared::default(),
            sheets: Vec::new(),
            offsets: BTreeMap::new(),
            names: String::new(),
            cells_left: reading.limits.cells,
            text_left: reading.limits.text,
            begun: 0,
            drawings: Vec::new(),
            images: Vec::new(),
        }
    }

    /// A substream begins: the globals, a sheet, a chart within a sheet.
    fn begin(&mut self, reading: &mut Reading<'_>, here: &Here, record: &Record<'_>, open: &mut Vec<Substream>) {
        const GLOBALS: u16 = 5;
        let listed = self.offsets.get(&record.start).copied();
        if let Some(at) = listed {
            // The one before has lost its end.
            self.sheets[at].is_read = true;
            while let Some(last) = open.pop() {
                self.end(reading, here, last);
            }
        }
        if open.is_empty() {
            self.script.is_unicode = record.kind == kind::BOF && u16_at(record.data, 0).is_some_and(|v| v >= 0x0600);
        }
        let is_globals = record.kind == kind::BOF && u16_at(record.data, 2) == Some(GLOBALS);
        let number = match (is_globals, open.first()) {
            (true, _) => 0,
            (false, Some(outer)) => outer.number(),
            (false, None) => {
                self.begun += 1;
                listed.and_then(|at| u32::try_from(at + 1).ok()).unwrap_or(self.begun)
            }
        };
        if open.len() < NESTED {
            open.push(Substream::new(number, !open.is_empty()));
        }
    }

    fn end(&mut self, reading: &mut Reading<'_>, here: &Here, substream: Substream) {
        self.text_left = self.text_left.saturating_sub(substream.octets());
        substream.done(reading, here);
    }

    /// Goes on at the next sheet that is listed; false when there is none behind.
    fn seek(&self, records: &mut Records<'_>) -> bool {
        let next = self.offsets.range(records.at()..).next();
        if let Some((offset, _)) = next {
            records.go_to(*offset);
        } else if !self.sheets.is_empty() || !records.is_at_start_of_substream() {
            return false;
        }
        true
    }

    /// One record, of the globals or of a sheet. What is wrong with it, if anything is.
    fn record(&mut self, record: &Record<'_>, records: &mut Records<'_>, substream: &mut Substream) -> Option<End> {
        if self.text_left < substream.octets() + self.names.len() {
            return Some(End::TooLarge);
        }
        let data = record.data;
        let is_known = match record.kind {
            kind::CODEPAGE => {
                self.script.encoding = u16_at(data, 0).map(u32::from).and_then(charset::code_page).unwrap_or(WINDOWS_1252);
                Some(())
            }
            kind::DATEMODE => u16_at(data, 0).map(|mode| self.is_1904 = mode == 1),
            kind::FORMAT => self.format(data),
            kind::XF => u16_at(data, 2).map(|format| self.styles.push(format)),
            kind::BOUNDSHEET => self.listed(data),
            kind::SST => {
                let (shared, is_whole) = Shared::read(records.continued(data));
                self.shared = shared;
                is_whole.then_some(())
            }
            kind::NAME => self.name(data),
            kind::SUPBOOK => {
                if let Some((path, _)) = self.script.long(data, 2).filter(|_| data.len() > 4) {
                    self.line(&path);
                }
                Some(())
            }
            kind::DRAWING_GROUP => {
                let pieces = records.continued(data);
                self.drawings.extend(pieces.into_iter().flatten());
                Some(())
            }
            kind::HEADER_PICTURE => {
                // Behind the header of newer records and flags (MS-XLS 2.4.138).
                self.drawings.extend(data.get(14..).unwrap_or_default());
                Some(())
            }
            kind::IMAGE_DATA => {
                self.images.push(records.continued(data).concat());
                Some(())
            }
            _ => return substream.record(self, record, records),
        };
        if is_known.is_none() { Some(End::Damaged) } else { None }
    }

    fn format(&mut self, data: &[u8]) -> Option<()> {
        let index = u16_at(data, 0)?;
        let (format, _) = if self.script.is_unicode { self.script.long(data, 2)? } else { self.script.short(data, 2)? };
        self.formats.insert(index, format);
        Some(())
    }

    fn listed(&mut self, data: &[u8]) -> Option<()> {
        /// More sheets than anybody has.
        const MOST: usize = 10_000;
        let (name, _) = self.script.short(data, 6)?;
        let offset = size_at(data, 0)?;
        if self.sheets.len() < MOST {
            self.offsets.insert(offset, self.sheets.len());
            self.sheets.push(Listed { name, is_read: false });
        }
        Some(())
    }

    /// A name for a range, or for a constant (Lbl, MS-XLS 2.4.150).
    fn name(&mut self, data: &[u8]) -> Option<()> {
        let count = usize::from(*data.get(3)?);
        let (name, end) = self.script.characters(data, 14, count)?;
        self.line(&name);
        let mut literals = String::new();
        let length = usize::from(u16_at(data, 4)?);
        formula::literals(data.get(end..end + length).unwrap_or_default(), self.script, &mut literals);
        self.names.push_str(&literals);
        Some(())
    }

    fn line(&mut self, text: &str) {
        // Built-in names are one control character.
        if text.chars().any(|c| !c.is_control()) {
            self.names.push_str(text);
            self.names.push('\n');
        }
    }

    /// The number format of a cell style: its own, else a built-in one (MS-XLS 2.4.126), of which only those of dates matter.
    fn format_of(&self, style: u16) -> Option<&str> {
        let index = *self.styles.get(usize::from(style))?;
        let own = self.formats.get(&index).map(String::as_str);
        own.or(match index {
            14..=17 | 22 | 27..=36 | 50..=58 => Some("dd-mm-yyyy"),
            18..=21 | 45..=47 => Some("h:mm"),
            _ => None,
        })
    }

    fn done(self, reading: &mut Reading<'_>, here: &Here) {
        let mut names: String = self.sheets.iter().map(|s| format!("{}\n", s.name)).collect();
        names.push_str(&self.names);
        named(reading, here, names, "names".to_owned());
        named(reading, here, self.shared.unused(), "strings without a cell".to_owned());
        blip::read(reading, here, &self.drawings);
        for picture in self.images {
            image(reading, here, &picture);
        }
    }
}

/// A picture by its format, system and length (IMDATA, MS-XLS 2.4.149): a bitmap as in memory, or a metafile.
fn image(reading: &mut Reading<'_>, here: &Here, record: &[u8]) {
    const BITMAP: u16 = 9;
    let octets = record.get(8..).unwrap_or_default();
    match u16_at(record, 0) {
        Some(BITMAP) => reading.member(here, "picture.bmp", "", &Bytes::from(bitmap(octets))),
        _ if metafile::is_one(octets) => reading.member(here, "picture.wmf", "", &Bytes::copy_from_slice(octets)),
        _ => reading.unsupported(here, "image"),
    }
}

/// A text that stands beside the cells.
fn named(reading: &mut Reading<'_>, here: &Here, text: String, place: String) {
    reading.text(&here.part, Source::Attachment, plain::clean(Cow::Owned(text)).into_owned(), Places::Named(place));
}
