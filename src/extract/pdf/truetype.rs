//! A TrueType font's `cmap` read backwards: glyph ids to characters (ISO/IEC 14496-22, 5.2.1).

use std::collections::HashMap;

/// Entries of a table that are read at most: all of Unicode's assigned ones and more.
const MOST: usize = 200_000;

/// What glyphs mean, as far as the font says. Nothing for what is no TrueType font.
pub(super) fn characters(font: &[u8]) -> HashMap<u32, char> {
    let mut by_glyph = HashMap::new();
    let Some(table) = cmap(font) else { return by_glyph };
    for record in 0..be16(table, 2).unwrap_or(0).min(64) {
        let at = 4 + 8 * record as usize;
        let (Some(platform), Some(offset)) = (be16(table, at), be32(table, at + 4)) else { break };
        // Macintosh tables only tell the first of the scripts apart: not worth a wrong letter.
        if let Some(subtable) = table.get(offset as usize..).filter(|_| platform == 0 || platform == 3) {
            read(subtable, &mut |code, glyph| {
                if let Some(c) = char::from_u32(code).filter(|c| glyph != 0 && *c != '\0') {
                    by_glyph.entry(glyph).or_insert(c);
                }
            });
        }
    }
    by_glyph
}

fn cmap(font: &[u8]) -> Option<&[u8]> {
    let tables = be16(font, 4)?.min(256);
    let record = (0..tables).map(|i| 12 + 16 * i as usize).find(|at| font.get(*at..at + 4) == Some(b"cmap"))?;
    font.get(be32(font, record + 8)? as usize..)
}

fn read(table: &[u8], tell: &mut dyn FnMut(u32, u32)) {
    match be16(table, 0) {
        Some(4) => read_segments(table, tell),
        Some(6) => {
            let first = be16(table, 6).unwrap_or(0);
            for i in 0..be16(table, 8).unwrap_or(0) {
                let Some(glyph) = be16(table, 10 + 2 * i as usize) else { break };
                tell(first + i, glyph);
            }
        }
        Some(12) => {
            let mut left = MOST;
            for group in 0..be32(table, 12).unwrap_or(0).min(MOST as u32) {
                let at = 16 + 12 * group as usize;
                let (Some(first), Some(last), Some(glyph)) = (be32(table, at), be32(table, at + 4), be32(table, at + 8)) else { break };
                for offset in 0..=last.saturating_sub(first).min(left as u32) {
                    tell(first.saturating_add(offset), glyph.saturating_add(offset));
                }
                left = left.saturating_sub(last.saturating_sub(first) as usize + 1);
                if left == 0 {
                    break;
                }
            }
        }
        _ => {}
    }
}

/// Format 4: segments of codes with a delta or an index into a glyph array.
fn read_segments(table: &[u8], tell: &mut dyn FnMut(u32, u32)) {
    let segments = (be16(table, 6).unwrap_or(0) / 2) as usize;
    let mut left = MOST;
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
            left = left.saturating_sub(1);
            if left == 0 {
                return;
            }
        }
    }
}

fn be16(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..at.checked_add(2)?)?.try_into().ok().map(|b| u16::from_be_bytes(b).into())
}

fn be32(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_be_bytes)
}
