//! Enhanced metafiles, and the operations of GDI+ that lie in their comments.

use super::{super::numbers::Numbers, Page};
use crate::extract::image::size;
use encoding_rs::{UTF_16LE, WINDOWS_1252};

/// Types of records (MS-EMF 2.1.1).
mod kind {
    pub(super) const HEADER: u32 = 1;
    pub(super) const EOF: u32 = 14;
    pub(super) const COMMENT: u32 = 70;
    pub(super) const TEXT_A: u32 = 83;
    pub(super) const TEXT_W: u32 = 84;
    pub(super) const TEXTS_A: u32 = 96;
    pub(super) const TEXTS_W: u32 = 97;
    pub(super) const SMALL_TEXT: u32 = 108;
}

/// Types of records of GDI+ (MS-EMFPLUS 2.1.1.1).
mod plus {
    pub(super) const HEADER: u16 = 0x4001;
    pub(super) const OBJECT: u16 = 0x4008;
    pub(super) const STRING: u16 = 0x401C;
    pub(super) const DRIVER_STRING: u16 = 0x4036;
}

/// ETO_GLYPH_INDEX (MS-EMF 2.1.11): numbers of glyphs instead of characters.
const BY_GLYPH: u32 = 0x10;

/// EMR_HEADER, with its signature (MS-EMF 2.2.9).
pub(super) fn is_one(octets: &[u8]) -> bool {
    octets.starts_with(&kind::HEADER.to_le_bytes()) && octets.get(40..44) == Some(b" EMF")
}

/// Reads the records up to the last one; `None` when there is none.
pub(super) fn read(octets: &[u8], page: &mut Page) -> Option<()> {
    /// Type and length.
    const SHORTEST: usize = 8;
    let (mut at, mut has_own_text) = (0, true);
    loop {
        let numbers = Numbers::little(octets);
        let (kind, length) = (numbers.u32(at)?, numbers.size(at + 4)?);
        if length < SHORTEST {
            return None;
        }
        let record = Numbers::little(numbers.slice(at, length)?);
        match kind {
            kind::EOF => return Some(()),
            kind::HEADER => description(record, page),
            // Where GDI+ draws alone, the other operations are none but its own.
            kind::COMMENT => comment(record, page, &mut has_own_text),
            kind::TEXT_A | kind::TEXT_W => text(record, 36, kind == kind::TEXT_W, page)?,
            kind::TEXTS_A | kind::TEXTS_W => {
                let count = record.size(36)?.min(length / 40);
                for i in 0..count {
                    text(record, 40 + 40 * i, kind == kind::TEXTS_W, page)?;
                }
            }
            kind::SMALL_TEXT => small_text(record, page)?,
            other => bitmap(other, record, page),
        }
        at += length;
    }
}

/// What the program says about the picture.
fn description(record: Numbers<'_>, page: &mut Page) {
    let told = record.size(60).zip(record.size(64)).and_then(|(count, at)| record.slice(at, count.checked_mul(2)?));
    for line in wide(told.unwrap_or_default()).split('\0').filter(|line| !line.trim().is_empty()) {
        page.text.push_str(line);
        page.text.push('\n');
    }
}

/// EmrText (MS-EMF 2.2.5), at `at` of its record.
fn text(record: Numbers<'_>, at: usize, is_wide: bool, page: &mut Page) -> Option<()> {
    let place = (record.i32(at)?, record.i32(at + 4)?);
    let (count, from, options) = (record.size(at + 8)?, record.size(at + 12)?, record.u32(at + 16)?);
    if count == 0 {
        return Some(());
    }
    if options & BY_GLYPH != 0 {
        page.glyphs = page.glyphs.saturating_add(count);
        return Some(());
    }
    let octets = record.slice(from, count.checked_mul(if is_wide { 2 } else { 1 })?)?;
    let widths = record.size(at + 36).filter(|from| *from > 0).and_then(|from| record.slice(from, count.checked_mul(4)?));
    let widths = widths.map(|widths| widths.chunks_exact(4).filter_map(|w| Numbers::little(w).i32(0)));
    let advance = widths.map(|widths| widths.fold(0i32, i32::saturating_add));
    page.write(place, advance, &if is_wide { wide(octets) } else { narrow(octets) });
    Some(())
}

/// EMR_SMALLTEXTOUT (MS-EMF 2.3.5.37).
fn small_text(record: Numbers<'_>, page: &mut Page) -> Option<()> {
    const WITHOUT_BOUNDS: u32 = 0x100;
    const NARROW: u32 = 0x200;
    let place = (record.i32(8)?, record.i32(12)?);
    let (count, options) = (record.size(16)?, record.u32(20)?);
    if options & BY_GLYPH != 0 {
        page.glyphs = page.glyphs.saturating_add(count);
        return Some(());
    }
    let from = if options & WITHOUT_BOUNDS == 0 { 52 } else { 36 };
    if options & NARROW == 0 {
        page.write(place, None, &wide(record.slice(from, count.checked_mul(2)?)?));
    } else {
        // The lower halves of characters.
        page.write(place, None, &record.slice(from, count)?.iter().map(|b| char::from(*b)).collect::<String>());
    }
    Some(())
}

/// Records that draw a bitmap, and where in them its header is told to be (MS-EMF 2.3.1).
fn bitmap(kind: u32, record: Numbers<'_>, page: &mut Page) {
    let at = match kind {
        76..=78 | 114 | 116 => 84,
        79 => 96,
        80 | 81 => 48,
        _ => return,
    };
    if let Some(header) = record.size(at).filter(|from| *from > 0).and_then(|from| record.octets.get(from..)) {
        page.bitmap(header);
    }
}

/// Records of GDI+ (MS-EMF 2.3.3.2). `has_own_text` ends being so when they say that the records around them say the same.
fn comment(record: Numbers<'_>, page: &mut Page, has_own_text: &mut bool) {
    /// Type, flags, length, length of the data.
    const HEADER: usize = 12;
    if record.slice(12, 4) != Some(b"EMF+") {
        return;
    }
    let mut at = 16;
    while let (Some(kind), Some(flags), Some(length)) = (record.u16(at), record.u16(at + 2), record.size(at + 4)) {
        let Some(data) = length.checked_sub(HEADER).and_then(|length| record.slice(at + HEADER, length)) else { return };
        let data = Numbers::little(data);
        match kind {
            plus::HEADER => *has_own_text = flags & 1 == 0,
            plus::OBJECT => {
                let _ = object(data, flags, page);
            }
            plus::STRING if *has_own_text => {
                let _ = string(data, page);
            }
            plus::DRIVER_STRING if *has_own_text => {
                let _ = driver_string(data, page);
            }
            _ => {}
        }
        at += length;
    }
}

/// EmfPlusDrawString (MS-EMFPLUS 2.3.4.14).
fn string(data: Numbers<'_>, page: &mut Page) -> Option<()> {
    let place = |at| data.u32(at).map(|bits| f32::from_bits(bits) as i32);
    let octets = data.slice(28, data.size(8)?.checked_mul(2)?)?;
    page.write((place(12)?, place(16)?), None, &wide(octets));
    Some(())
}

/// EmfPlusDrawDriverString (MS-EMFPLUS 2.3.4.6).
fn driver_string(data: Numbers<'_>, page: &mut Page) -> Option<()> {
    const CHARACTERS: u32 = 1;
    let (options, count) = (data.u32(4)?, data.size(12)?);
    let octets = data.slice(16, count.checked_mul(2)?)?;
    if options & CHARACTERS == 0 {
        page.glyphs = page.glyphs.saturating_add(count);
        return Some(());
    }
    let place = |at: usize| data.u32(16 + octets.len() + at).map(|bits| f32::from_bits(bits) as i32);
    page.write((place(0).unwrap_or(0), place(4).unwrap_or(0)), None, &wide(octets));
    Some(())
}

/// EmfPlusImage (MS-EMFPLUS 2.2.1.4), where the object is one.
fn object(data: Numbers<'_>, flags: u16, page: &mut Page) -> Option<()> {
    const IMAGE: u16 = 5;
    const GOES_ON: u16 = 0x8000;
    const BITMAP: u32 = 1;
    if flags >> 8 & 0x7F != IMAGE {
        return None;
    }
    let start = if flags & GOES_ON == 0 { 0 } else { 4 };
    if data.u32(start + 4)? != BITMAP {
        return None;
    }
    let (width, height) = (data.u32(start + 8)?, data.u32(start + 12)?);
    // Packed ones say their size themselves.
    let (width, height) = data.octets.get(start + 28..).and_then(size).unwrap_or((width, height));
    page.picture(width, height);
    Some(())
}

fn wide(octets: &[u8]) -> String {
    UTF_16LE.decode_without_bom_handling(octets).0.into_owned()
}

fn narrow(octets: &[u8]) -> String {
    WINDOWS_1252.decode_without_bom_handling(octets).0.into_owned()
}
