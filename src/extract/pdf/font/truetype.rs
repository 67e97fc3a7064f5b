//! Tables of TrueType and OpenType fonts: `cmap`, also read backwards, and the names in `post` (ISO/IEC 14496-22, 5.2).

use std::collections::HashMap;

/// Entries of a table that are read at most: all of Unicode's assigned ones and more.
const MOST: usize = 200_000;

/// Where the private codes of symbol fonts begin; their last octet is the code in the document.
const SYMBOLS: u32 = 0xF000;

/// What glyphs mean, as far as the `cmap` says. Nothing for what is no such font.
pub(super) fn characters(font: &[u8]) -> HashMap<u32, char> {
    let mut by_glyph = HashMap::new();
    // Macintosh tables only tell the first of the scripts apart: not worth a wrong letter.
    subtables(font, |platform, encoding| platform == 0 || (platform == 3 && encoding != 0), &mut |code, glyph| {
        if let Some(c) = char::from_u32(code).filter(|c| glyph != 0 && *c != '\0') {
            by_glyph.entry(glyph).or_insert(c);
        }
    });
    by_glyph
}

/// The glyphs of a simple font's codes: by its symbol table, else by its Macintosh one (ISO 32000-1, 9.6.6.4).
pub(super) fn codes(font: &[u8]) -> HashMap<u8, u32> {
    let mut by_code = HashMap::new();
    for wanted in [(3, 0), (1, 0)] {
        subtables(font, |platform, encoding| (platform, encoding) == wanted, &mut |code, glyph| {
            let code = if (SYMBOLS..=SYMBOLS + 0xFF).contains(&code) { code - SYMBOLS } else { code };
            if let Some(code) = u8::try_from(code).ok().filter(|_| glyph != 0) {
                by_code.entry(code).or_insert(glyph);
            }
        });
    }
    by_code
}

/// Names of glyphs in version 2 of `post`: one of Macintosh's 258, which is told as its place among these, or one of the font's own.
pub(super) fn names(font: &[u8]) -> Vec<Result<usize, &[u8]>> {
    /// Names that Macintosh gives; numbers from here on are the font's.
    const MACINTOSH: usize = 258;
    let Some(post) = table(font, b"post").filter(|t| be32(t, 0) == Some(0x0002_0000)) else { return Vec::new() };
    let count = be16(post, 32).unwrap_or(0) as usize;
    let mut own = Vec::new();
    let mut rest = post.get(34 + 2 * count..).unwrap_or_default();
    while let Some((length, behind)) = rest.split_first() {
        let Some((name, behind)) = behind.split_at_checked(usize::from(*length)) else { break };
        own.push(name);
        rest = behind;
    }
    let name = |i| {
        let number = be16(post, 34 + 2 * i)? as usize;
        Some(number.checked_sub(MACINTOSH).map_or(Ok(number), |i| Err(own.get(i).copied().unwrap_or_default())))
    };
    (0..count).map_while(name).collect()
}

/// A table of the font by its tag.
pub(super) fn table<'f>(font: &'f [u8], tag: &[u8; 4]) -> Option<&'f [u8]> {
    let tables = be16(font, 4)?.min(256);
    let record = (0..tables).map(|i| 12 + 16 * i as usize).find(|at| font.get(*at..at + 4) == Some(tag))?;
    font.get(be32(font, record + 8)? as usize..)
}

/// Tells code and glyph for the parts of the `cmap` that are wanted.
fn subtables(font: &[u8], is_wanted: impl Fn(u32, u32) -> bool, tell: &mut dyn FnMut(u32, u32)) {
    let Some(cmap) = table(font, b"cmap") else { return };
    // Several records may name one table; no font has ten.
    let mut left = MOST;
    for record in 0..be16(cmap, 2).unwrap_or(0).min(64) {
        let at = 4 + 8 * record as usize;
        let (Some(platform), Some(encoding), Some(offset)) = (be16(cmap, at), be16(cmap, at + 2), be32(cmap, at + 4)) else { break };
        if let Some(subtable) = cmap.get(offset as usize..).filter(|_| is_wanted(platform, encoding)) {
            read(subtable, &mut left, tell);
        }
    }
}

fn read(table: &[u8], left: &mut usize, tell: &mut dyn FnMut(u32, u32)) {
    match be16(table, 0) {
        Some(0) => table.get(6..).unwrap_or_default().iter().take(256).zip(0..).for_each(|(glyph, code)| tell(code, (*glyph).into())),
        Some(4) => read_segments(table, left, tell),
        Some(6) => {
            let first = be16(table, 6).unwrap_or(0);
            for i in 0..be16(table, 8).unwrap_or(0) {
                let Some(glyph) = be16(table, 10 + 2 * i as usize) else { break };
                tell(first + i, glyph);
            }
        }
        Some(12) => {
            for group in 0..be32(table, 12).unwrap_or(0).min(MOST as u32) {
                let at = 16 + 12 * group as usize;
                let (Some(first), Some(last), Some(glyph)) = (be32(table, at), be32(table, at + 4), be32(table, at + 8)) else { break };
                for offset in 0..=last.saturating_sub(first).min(*left as u32) {
                    tell(first.saturating_add(offset), glyph.saturating_add(offset));
                }
                *left = left.saturating_sub(last.saturating_sub(first) as usize + 1);
                if *left == 0 {
                    break;
                }
            }
        }
        _ => {}
    }
}

/// Format 4: segments of codes with a delta or an index into a glyph array.
fn read_segments(table: &[u8], left: &mut usize, tell: &mut dyn FnMut(u32, u32)) {
    let segments = (be16(table, 6).unwrap_or(0) / 2) as usize;
    for i in 0..segments {
        let at = |array: usize| 14 + 2 * (array * segments + i) + if array > 0 { 2 } else { 0 };
        let (Some(last), Some(first), Some(delta), Some(range)) =
            (be16(table, at(0)), be16(table, at(1)), be16(table, at(2)), be16(table, at(3)))
        else {
            break;
        };
        for code in first..=last.min(0xFFFE) {
            let glyph =
                if range == 0 { Some(code) } else { be16(table, at(3) + range as usize + 2 * (code - first) as usize).filter(|g| *g != 0) };
            if let Some(glyph) = glyph {
                tell(code, (glyph + delta) & 0xFFFF);
            }
            *left = left.saturating_sub(1);
            if *left == 0 {
                return;
            }
        }
    }
}

/// A big-endian number of two octets.
pub(super) fn be16(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..at.checked_add(2)?)?.try_into().ok().map(|b| u16::from_be_bytes(b).into())
}

fn be32(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_be_bytes)
}
