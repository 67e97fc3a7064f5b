//! What formatting says about text: whether it is hidden, and which marks end a row of a table (MS-DOC 2.4.6).

use super::super::little::{size_at, u16_at, u32_at};
use std::ops::Range;

/// A page of formatting (FKP, MS-DOC 2.9.33, 2.9.174).
const PAGE: usize = 512;

/// By offsets in the stream, ascending and apart.
#[derive(Default)]
pub(super) struct Formatting {
    hidden: Vec<Range<usize>>,
    row_ends: Vec<Range<usize>>,
}

impl Formatting {
    /// Reads the pages that these two lists name.
    pub(super) fn parse(stream: &[u8], characters: &[u8], paragraphs: &[u8]) -> Formatting {
        Formatting {
            hidden: ranges(stream, characters, |page, run, count| {
                let at = 2 * usize::from(*page.get(4 * (count + 1) + run)?);
                let length = usize::from(*page.get(at)?);
                (at > 0).then(|| page.get(at + 1..at + 1 + length))?.map(is_hidden)
            }),
            row_ends: ranges(stream, paragraphs, |page, run, count| {
                let at = 2 * usize::from(*page.get(4 * (count + 1) + 13 * run)?);
                let (start, length) = match usize::from(*page.get(at)?) {
                    0 => (at + 2, 2 * usize::from(*page.get(at + 1)?)),
                    words => (at + 1, 2 * words - 1),
                };
                // The style stands before the properties.
                (at > 0).then(|| page.get(start + 2..(start + length).min(page.len())))?.map(is_row_end)
            }),
        }
    }

    /// Where the run at `at` ends, `end` at most, and whether it is hidden.
    pub(super) fn run(&self, at: usize, end: usize) -> (usize, bool) {
        let next = self.hidden.partition_point(|range| range.end <= at);
        match self.hidden.get(next) {
            Some(range) if range.start <= at => (range.end.min(end), true),
            Some(range) => (range.start.min(end), false),
            None => (end, false),
        }
    }

    pub(super) fn is_row_end(&self, at: usize) -> bool {
        let next = self.row_ends.partition_point(|range| range.end <= at);
        self.row_ends.get(next).is_some_and(|range| range.start <= at)
    }
}

/// The runs for which `holds`, of all pages in a list (PlcBteChpx, PlcBtePapx): offsets, one more than pages, then the numbers of these.
fn ranges(stream: &[u8], list: &[u8], holds: impl Fn(&[u8], usize, usize) -> Option<bool>) -> Vec<Range<usize>> {
    let count = list.len().saturating_sub(4) / 8;
    let mut ranges = Vec::new();
    // No page is needed twice.
    for i in 0..count.min(stream.len() / PAGE) {
        let number = u32_at(list, 4 * (count + 1) + 4 * i).map_or(usize::MAX, |n| (n & 0x003F_FFFF) as usize);
        let Some(page) = number.checked_mul(PAGE).and_then(|at| stream.get(at..at.checked_add(PAGE)?)) else { continue };
        let runs = usize::from(page[PAGE - 1]);
        for run in 0..runs {
            let (Some(start), Some(end)) = (size_at(page, 4 * run), size_at(page, 4 * run + 4)) else { break };
            if start < end && holds(page, run, runs) == Some(true) {
                ranges.push(start..end);
            }
        }
    }
    ranges.sort_unstable_by_key(|range| range.start);
    let mut apart: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match apart.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

/// Whether characters with these properties are not seen: hidden, deleted, white (MS-DOC 2.6.1).
fn is_hidden(properties: &[u8]) -> bool {
    const DELETED: u16 = 0x0800;
    const VANISH: u16 = 0x083C;
    const COLOUR: u16 = 0x2A42;
    const COLOUR_RGB: u16 = 0x6870;
    const WHITE: u8 = 8;
    let mut is_hidden = false;
    modifiers(properties, |property, operand| match property {
        // 0x81: the opposite of the style's.
        DELETED | VANISH => is_hidden |= matches!(operand.first(), Some(1 | 0x81)),
        COLOUR => is_hidden |= operand.first() == Some(&WHITE),
        COLOUR_RGB => is_hidden |= operand.get(..4) == Some(&[0xFF, 0xFF, 0xFF, 0]),
        _ => {}
    });
    is_hidden
}

/// Whether the mark of a paragraph with these properties ends a row, of a table or of one in a table (MS-DOC 2.6.2).
fn is_row_end(properties: &[u8]) -> bool {
    const ROW_END: u16 = 0x2417;
    const INNER_ROW_END: u16 = 0x244C;
    let mut is_row_end = false;
    modifiers(properties, |property, operand| {
        is_row_end |= matches!(property, ROW_END | INNER_ROW_END) && operand.first() == Some(&1);
    });
    is_row_end
}

/// Each property and its operand; how long that is, three bits of the number tell (Sprm, MS-DOC 2.2.5.1).
fn modifiers(properties: &[u8], mut each: impl FnMut(u16, &[u8])) {
    const TABLE: u16 = 0xD608;
    let mut at = 0;
    while let Some(property) = u16_at(properties, at) {
        at += 2;
        let length = match property >> 13 {
            0 | 1 => 1,
            2 | 4 | 5 => 2,
            3 => 4,
            7 => 3,
            _ if property == TABLE => u16_at(properties, at).map_or(usize::MAX, |n| usize::from(n) + 1),
            _ => properties.get(at).map_or(usize::MAX, |n| usize::from(*n) + 1),
        };
        let end = at.saturating_add(length).min(properties.len());
        each(property, properties.get(at..end).unwrap_or_default());
        at = end;
    }
}
