//! Metafiles of Windows before 1993, and of everything that still writes them.

use super::{super::numbers::Numbers, Page};
use crate::extract::charset;
use encoding_rs::{Encoding, WINDOWS_1252};

/// Functions of records (MS-WMF 2.1.1.1).
mod kind {
    pub(super) const EOF: u16 = 0;
    pub(super) const FONT: u16 = 0x02FB;
    pub(super) const TEXT: u16 = 0x0521;
    pub(super) const TEXT_IN_BOX: u16 = 0x0A32;
}

/// The header that places it (META_PLACEABLE, MS-WMF 2.3.2.3).
const PLACEABLE: &[u8] = b"\xD7\xCD\xC6\x9A";
const PLACEABLE_LENGTH: usize = 22;

/// With either header; of META_HEADER (MS-WMF 2.3.2.2) what never differs: on disk or in memory, 9 words, version 1 or 3.
pub(super) fn is_one(octets: &[u8]) -> bool {
    let start = &octets[..octets.len().min(6)];
    octets.starts_with(PLACEABLE) || matches!(start, [1 | 2, 0, 9, 0, 0, 1 | 3]) && octets.len() > 18
}

/// Reads the records up to the last one; `None` when there is none.
pub(super) fn read(octets: &[u8], page: &mut Page) -> Option<()> {
    const HEADER: usize = 18;
    const SHORTEST: usize = 6;
    let octets = if octets.starts_with(PLACEABLE) { octets.get(PLACEABLE_LENGTH..)? } else { octets };
    let numbers = Numbers::little(octets);
    let (mut at, mut encoding) = (HEADER, WINDOWS_1252);
    loop {
        let (length, kind) = (numbers.size(at)?.checked_mul(2)?, numbers.u16(at + 4)?);
        if kind == kind::EOF {
            return Some(());
        }
        if length < SHORTEST {
            return None;
        }
        let record = Numbers::little(numbers.slice(at, length)?);
        match kind {
            // Which font is chosen later is not followed: a metafile in two charsets is rare.
            kind::FONT => encoding = record.octets.get(19).and_then(|n| charset::by_font(*n)).unwrap_or(encoding),
            kind::TEXT => text(record, encoding, page)?,
            kind::TEXT_IN_BOX => text_in_box(record, encoding, page)?,
            other => bitmap(other, record, page),
        }
        at += length;
    }
}

/// META_TEXTOUT (MS-WMF 2.3.3.20).
fn text(record: Numbers<'_>, encoding: &'static Encoding, page: &mut Page) -> Option<()> {
    let count = usize::from(record.u16(6)?);
    let behind = 8 + count.next_multiple_of(2);
    let place = (record.i16(behind + 2)?.into(), record.i16(behind)?.into());
    page.write(place, None, &encoding.decode_without_bom_handling(record.slice(8, count)?).0);
    Some(())
}

/// META_EXTTEXTOUT (MS-WMF 2.3.3.5).
fn text_in_box(record: Numbers<'_>, encoding: &'static Encoding, page: &mut Page) -> Option<()> {
    const BOXED: u16 = 2 | 4;
    const BY_GLYPH: u16 = 0x10;
    let place = (record.i16(8)?.into(), record.i16(6)?.into());
    let (count, options) = (usize::from(record.u16(10)?), record.u16(12)?);
    if options & BY_GLYPH != 0 {
        page.glyphs = page.glyphs.saturating_add(count);
        return Some(());
    }
    let from = if options & BOXED == 0 { 14 } else { 22 };
    let widths = record.slice(from + count.next_multiple_of(2), 2 * count);
    let advance = widths.map(|widths| widths.chunks_exact(2).filter_map(|w| Numbers::little(w).i16(0)).map(i32::from).sum());
    page.write(place, advance, &encoding.decode_without_bom_handling(record.slice(from, count)?).0);
    Some(())
}

/// Records that draw a bitmap, and where in them it lies (MS-WMF 2.3.1).
fn bitmap(kind: u16, record: Numbers<'_>, page: &mut Page) {
    let at = match kind {
        0x0940 => 22,
        0x0B41 => 26,
        0x0D33 => 24,
        0x0F43 => 28,
        _ => return,
    };
    page.bitmap(record.octets.get(at..).unwrap_or_default());
}
