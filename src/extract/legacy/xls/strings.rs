//! Strings in workbooks: of one or two octets a character, and cut by the end of a record anywhere.

use super::super::little::{size_at, u16_at};
use encoding_rs::Encoding;

/// A record and those that continue it, as one row of octets.
pub(super) struct Pieces<'o> {
    pieces: Vec<&'o [u8]>,
    piece: usize,
    at: usize,
}

impl<'o> Pieces<'o> {
    pub(super) fn new(pieces: Vec<&'o [u8]>) -> Pieces<'o> {
        Pieces { pieces, piece: 0, at: 0 }
    }

    /// What is left of the piece at hand, the next one if nothing is; `None` at the end of all.
    fn rest(&mut self) -> Option<&'o [u8]> {
        loop {
            let piece: &'o [u8] = self.pieces.get(self.piece)?;
            if self.at < piece.len() {
                return Some(&piece[self.at..]);
            }
            self.piece += 1;
            self.at = 0;
        }
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let byte = *self.rest()?.first()?;
        self.at += 1;
        Some(byte)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        Some(u32::from(self.u16()?) | u32::from(self.u16()?) << 16)
    }

    pub(super) fn skip(&mut self, mut count: usize) -> Option<()> {
        while count > 0 {
            let here = self.rest()?.len().min(count);
            self.at += here;
            count -= here;
        }
        Some(())
    }

    /// `count` characters. Where they go on in the next piece, an octet says anew how wide they are (MS-XLS 2.5.293).
    pub(super) fn characters(&mut self, count: usize, flags: u8, out: &mut String) -> Option<()> {
        let (mut left, mut flags) = (count, flags);
        let mut wide = Vec::new();
        while left > 0 {
            if self.pieces.get(self.piece).is_some_and(|p| self.at >= p.len()) {
                self.rest()?;
                flags = self.byte()?;
            }
            let Some(rest) = self.rest() else { break };
            if flags & 1 == 0 {
                let taken = rest.len().min(left);
                wide.extend(rest[..taken].iter().map(|b| u16::from(*b)));
                (self.at, left) = (self.at + taken, left - taken);
            } else {
                let taken = (rest.len() / 2).min(left);
                wide.extend((0..taken).filter_map(|i| u16_at(rest, 2 * i)));
                // An odd octet at the end of a piece belongs to nobody.
                self.at += if taken < left { rest.len() } else { 2 * taken };
                left -= taken;
            }
        }
        out.extend(char::decode_utf16(wide).map(|c| c.unwrap_or('\u{FFFD}')));
        (left == 0).then_some(())
    }

    /// XLUnicodeRichExtendedString (MS-XLS 2.5.293), its formatting left out.
    pub(super) fn rich(&mut self, out: &mut String) -> Option<()> {
        let count = usize::from(self.u16()?);
        let flags = self.byte()?;
        let runs = if flags & 8 == 0 { 0 } else { usize::from(self.u16()?) };
        let more = if flags & 4 == 0 { 0 } else { usize::try_from(self.u32()?).ok()? };
        self.characters(count, flags, out)?;
        self.skip(4 * runs)?;
        self.skip(more)
    }
}

/// How the strings of a workbook are written.
#[derive(Clone, Copy)]
pub(super) struct Script {
    /// From Excel 97 on, Unicode; before, by code page.
    pub(super) is_unicode: bool,
    pub(super) encoding: &'static Encoding,
}

impl Script {
    /// A string behind its length in two octets, at `at`; and where it ends.
    pub(super) fn long(self, octets: &[u8], at: usize) -> Option<(String, usize)> {
        let count = usize::from(u16_at(octets, at)?);
        self.characters(octets, at + 2, count)
    }

    /// A string behind its length in one octet.
    pub(super) fn short(self, octets: &[u8], at: usize) -> Option<(String, usize)> {
        let count = usize::from(*octets.get(at)?);
        self.characters(octets, at + 1, count)
    }

    /// `count` characters; as many as there are, when there are fewer.
    pub(super) fn characters(self, octets: &[u8], at: usize, count: usize) -> Option<(String, usize)> {
        let is_wide = self.is_unicode && octets.get(at)? & 1 == 1;
        let start = at + usize::from(self.is_unicode);
        let end = start.checked_add(if is_wide { 2 * count } else { count })?.min(octets.len());
        let raw = octets.get(start..end)?;
        let text = match (self.is_unicode, is_wide) {
            (true, true) => encoding_rs::UTF_16LE.decode_without_bom_handling(raw).0.into_owned(),
            (true, false) => raw.iter().map(|b| char::from(*b)).collect(),
            (false, _) => self.encoding.decode_without_bom_handling(raw).0.into_owned(),
        };
        Some((text, end))
    }
}

/// All shared strings behind one another: a file may hold millions of empty ones.
#[derive(Default)]
pub(super) struct Shared {
    text: String,
    ends: Vec<u32>,
    used: Vec<bool>,
}

impl Shared {
    /// Reads the SST record (MS-XLS 2.4.265); its count is believed as far as there are strings. Whether all of them are there.
    pub(super) fn read(pieces: Vec<&[u8]>) -> (Shared, bool) {
        let count = pieces.first().and_then(|p| size_at(p, 4)).unwrap_or(0);
        let mut pieces = Pieces::new(pieces);
        let mut shared = Shared::default();
        let mut is_whole = pieces.skip(8).is_some();
        for _ in 0..count {
            is_whole = pieces.rich(&mut shared.text).is_some();
            shared.ends.push(u32::try_from(shared.text.len()).unwrap_or(u32::MAX));
            if !is_whole {
                break;
            }
        }
        shared.used = vec![false; shared.ends.len()];
        (shared, is_whole)
    }

    fn at(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.text.get(start..end)
    }

    /// The string of a cell.
    pub(super) fn take(&mut self, index: usize) -> Option<&str> {
        *self.used.get_mut(index)? = true;
        self.at(index)
    }

    /// Strings that no cell shows, one a line: what was deleted, but still travels.
    pub(super) fn unused(&self) -> String {
        let mut unused = String::new();
        for index in (0..self.ends.len()).filter(|i| !self.used[*i]) {
            if let Some(text) = self.at(index).filter(|t| !t.trim().is_empty()) {
                unused.push_str(text);
                unused.push('\n');
            }
        }
        unused
    }
}
