//! Property sets (MS-OLEPS): title, author and company of a document, and the properties that people and labelling programs add to it.

use super::little::{f64_at, size_at, u16_at, u32_at, u64_at};
use crate::extract::{charset, plain};
use encoding_rs::{Encoding, UTF_16LE, WINDOWS_1252};
use std::{borrow::Cow, collections::HashMap, fmt::Write};

/// The streams of a document that hold its properties.
pub(super) const STREAMS: [&str; 2] = ["\u{5}SummaryInformation", "\u{5}DocumentSummaryInformation"];

/// FMTID_SummaryInformation and FMTID_DocSummaryInformation, as they lie in the file (MS-OLEPS 2.21). All other sets bring their own names.
const SUMMARY: [u8; 4] = [0xE0, 0x85, 0x9F, 0xF2];
const DOCUMENT: [u8; 4] = [0x02, 0xD5, 0xCD, 0xD5];

/// Property sets in a stream: two at most (MS-OLEPS 2.21).
const SETS: usize = 2;
/// Properties in a set: real ones have some dozens.
const PROPERTIES: usize = 10_000;
/// Values in a vector, over a whole set: titles of sheets and slides.
const VALUES: usize = 100_000;
/// Octets of text out of one stream: places in it may lead to the same long value again and again.
const TEXT: usize = 4 << 20;

/// `name: value` for each property, one a line; and whether the stream was whole.
pub(super) fn read(octets: &[u8]) -> (String, bool) {
    let mut lines = String::new();
    let count = size_at(octets, 24).unwrap_or(0).min(SETS);
    let mut is_whole = u16_at(octets, 0) == Some(0xFFFE) && octets.len() >= 28;
    for set in 0..count {
        let at = 28 + 20 * set;
        let start = size_at(octets, at + 16).and_then(|start| octets.get(start..));
        match (octets.get(at..at + 4), start) {
            (Some(id), Some(start)) => is_whole &= Set::new(id, start).lines(&mut lines).is_some(),
            _ => is_whole = false,
        }
    }
    (lines, is_whole)
}

/// One set; places in it count from its start.
struct Set<'o> {
    id: &'o [u8],
    octets: &'o [u8],
    encoding: &'static Encoding,
    names: HashMap<u32, String>,
    values_left: usize,
}

impl<'o> Set<'o> {
    fn new(id: &'o [u8], octets: &'o [u8]) -> Set<'o> {
        Set { id, octets, encoding: WINDOWS_1252, names: HashMap::new(), values_left: VALUES }
    }

    /// `None` when something could not be reached.
    fn lines(mut self, lines: &mut String) -> Option<()> {
        let count = size_at(self.octets, 4)?;
        let all: Vec<(u32, usize)> =
            (0..count.min(PROPERTIES)).map_while(|i| Some((u32_at(self.octets, 8 + 8 * i)?, size_at(self.octets, 12 + 8 * i)?))).collect();
        let mut is_whole = all.len() == count;
        // 1 is the code page of all strings, 0 the dictionary of names (MS-OLEPS 2.18.1).
        if let Some((_, at)) = all.iter().find(|(id, _)| *id == 1) {
            self.encoding = u16_at(self.octets, at + 4).map(u32::from).and_then(charset::code_page).unwrap_or(WINDOWS_1252);
        }
        if let Some((_, at)) = all.iter().find(|(id, _)| *id == 0) {
            is_whole &= self.dictionary(*at).is_some();
        }
        for (id, at) in all.into_iter().filter(|(id, _)| !matches!(id, 0 | 1)) {
            let value = u16_at(self.octets, at).and_then(|kind| self.value(kind, at + 4));
            is_whole &= value.is_some() && lines.len() <= TEXT;
            if lines.len() > TEXT {
                break;
            }
            let is_telling = |value: &String| !value.trim().is_empty() && (self.is_named(id) || value.parse::<f64>().is_err());
            if let Some(value) = value.filter(is_telling) {
                let value = plain::clean(Cow::Borrowed(value.trim())).replace('\n', " ");
                let name = plain::clean(Cow::Owned(self.name(id))).replace('\n', " ");
                let _ = writeln!(lines, "{name}: {value}");
            }
        }
        is_whole.then_some(())
    }

    fn is_named(&self, id: u32) -> bool {
        self.names.contains_key(&id)
    }

    /// As the same property is called in an Office Open XML package; else its number.
    fn name(&self, id: u32) -> String {
        let known = match (self.id == SUMMARY, self.id == DOCUMENT, id) {
            (true, _, 2) => "title",
            (true, _, 3) => "subject",
            (true, _, 4) => "creator",
            (true, _, 5) => "keywords",
            (true, _, 6) => "description",
            (true, _, 7) => "Template",
            (true, _, 8) => "lastModifiedBy",
            (true, _, 18) => "Application",
            (_, true, 2) => "category",
            (_, true, 13) => "TitlesOfParts",
            (_, true, 14) => "Manager",
            (_, true, 15) => "Company",
            (_, true, 26) => "contentType",
            (_, true, 27) => "contentStatus",
            (_, true, 28) => "language",
            _ => "",
        };
        match self.names.get(&id) {
            Some(name) => name.clone(),
            None if known.is_empty() => format!("property {id}"),
            None => known.to_owned(),
        }
    }

    fn dictionary(&mut self, start: usize) -> Option<()> {
        let count = size_at(self.octets, start)?;
        let mut at = start + 4;
        for _ in 0..count.min(PROPERTIES) {
            let (id, length) = (u32_at(self.octets, at)?, size_at(self.octets, at + 4)?);
            let is_wide = self.encoding == UTF_16LE;
            let octets = self.octets.get(at + 8..)?.get(..length.checked_mul(if is_wide { 2 } else { 1 })?)?;
            self.names.insert(id, self.decode(octets));
            at += 8 + if is_wide { octets.len().next_multiple_of(4) } else { octets.len() };
        }
        Some(())
    }

    /// A value (MS-OLEPS 2.15). What is no text or number gives an empty one.
    fn value(&mut self, kind: u16, at: usize) -> Option<String> {
        const VECTOR: u16 = 0x1000;
        if kind & VECTOR == 0 {
            return self.scalar(kind, at, 4).map(|(value, _)| value);
        }
        // Strings in a vector have no padding (MS-OSHARED 2.3.3.1.9), though some programs put it there.
        self.vector(kind & !VECTOR, at, 1).or_else(|| self.vector(kind & !VECTOR, at, 4))
    }

    fn vector(&mut self, kind: u16, at: usize, align: usize) -> Option<String> {
        /// The type stands with each value.
        const VARIANT: u16 = 0x0C;
        let count = size_at(self.octets, at)?;
        let (mut at, mut values) = (at + 4, String::new());
        for _ in 0..count {
            self.values_left = self.values_left.checked_sub(1)?;
            let (value, end) = match kind {
                VARIANT => self.scalar(u16_at(self.octets, at)?, at + 4, align)?,
                kind => self.scalar(kind, at, align)?,
            };
            if !value.is_empty() && !values.is_empty() {
                values.push_str(", ");
            }
            values.push_str(&value);
            at = end;
            if values.len() > TEXT {
                return None;
            }
        }
        Some(values)
    }

    /// One value, and where it ends.
    fn scalar(&self, kind: u16, at: usize, align: usize) -> Option<(String, usize)> {
        let octets = self.octets;
        Some(match kind {
            // VT_EMPTY, VT_NULL
            0 | 1 => (String::new(), at),
            // VT_I2, VT_I4, VT_R8, VT_I8
            2 => (u16_at(octets, at)?.cast_signed().to_string(), at + 4),
            3 | 22 => (u32_at(octets, at)?.cast_signed().to_string(), at + 4),
            5 => (f64_at(octets, at)?.to_string(), at + 8),
            20 => (u64_at(octets, at)?.cast_signed().to_string(), at + 8),
            // VT_BOOL
            11 => (if u16_at(octets, at)? == 0 { "0" } else { "1" }.to_owned(), at + 4),
            // VT_BSTR, VT_LPSTR
            8 | 30 => {
                let length = size_at(octets, at)?;
                let text = octets.get(at + 4..)?.get(..length)?;
                (self.decode(text), at + 4 + length.next_multiple_of(align))
            }
            // VT_LPWSTR
            31 => {
                let length = size_at(octets, at)?.checked_mul(2)?;
                let text = octets.get(at + 4..)?.get(..length)?;
                (until_zero(UTF_16LE.decode_without_bom_handling(text).0), at + 4 + length.next_multiple_of(4))
            }
            // Times (VT_FILETIME), blobs, clipboard data, unsigned numbers: nothing to find in them, and nothing follows but in a vector.
            _ => (String::new(), at + 8),
        })
    }

    fn decode(&self, octets: &[u8]) -> String {
        until_zero(self.encoding.decode_without_bom_handling(octets).0)
    }
}

fn until_zero(text: Cow<'_, str>) -> String {
    text.split('\0').next().unwrap_or_default().to_owned()
}
