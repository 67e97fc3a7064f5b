//! Documents of Word 6 to 2003 (MS-DOC): pieces of text in the order that the piece table gives, told apart by the story to which they belong.

mod formatting;
mod story;

use super::{
    compound::Compound,
    little::{size_at, u16_at, u32_at},
};
use crate::extract::{
    Places, ProblemKind, Source, charset,
    flow::pages,
    image::blip,
    plain,
    reading::{Here, Reading},
};
use bytes::Bytes;
use encoding_rs::{Encoding, UTF_16LE, WINDOWS_1252};
use formatting::Formatting;
use std::borrow::Cow;
use story::{ROW_END, Story};

/// The stories of a document, in the order in which their texts follow one another (FibRgLw97, MS-DOC 2.5.4).
const STORIES: [&str; 8] = ["", "footnote", "header", "macro", "comment", "endnote", "text box", "text box of header"];

/// Octets at a place that the FIB names, by their number in it (FibRgFcLcb97, MS-DOC 2.5.6; the same in Word 6).
const CHARACTER_RUNS: usize = 12;
const PARAGRAPH_RUNS: usize = 13;
const FONTS: usize = 15;
const PIECES: usize = 33;

/// Reads the document in a storage; false if there is none.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, file: &mut Compound<'_>, id: usize) -> bool {
    let Some(stream) = file.named(id, "WordDocument") else { return false };
    let Some(fib) = Fib::parse(&stream) else {
        reading.damaged(here, "doc");
        return true;
    };
    if fib.is_encrypted {
        reading.problem(&here.part, None, ProblemKind::Encrypted, "doc");
        return true;
    }
    let table = if fib.is_unicode { file.named(id, fib.table).unwrap_or_default() } else { stream.clone() };
    let document = Document { stream: &stream, table: &table, fib: &fib };
    document.read(reading, here);
    pictures(reading, here, &stream, fib.is_unicode);
    if fib.is_unicode {
        blip::read(reading, here, &table);
        blip::read(reading, here, &file.named(id, "Data").unwrap_or_default());
    }
    true
}

/// Pictures that lie among the text: floating ones; before Word 97 all, as metafiles without a name.
fn pictures(reading: &mut Reading<'_>, here: &Here, stream: &[u8], is_unicode: bool) {
    /// More pictures than any document of that time has; each is told by six octets only.
    const MOST: usize = 1000;
    const METAFILE: &[u8] = b"\x01\0\x09\0\0\x03";
    if is_unicode {
        return blip::read(reading, here, stream);
    }
    for at in memchr::memmem::find_iter(stream, METAFILE).take(MOST) {
        // Its length, in words, stands behind its version (META_HEADER, MS-WMF 2.3.2.2).
        let length = size_at(stream, at + 6).and_then(|words| words.checked_mul(2)).unwrap_or(0);
        let octets = &stream[at..at.saturating_add(length).min(stream.len())];
        if !octets.is_empty() {
            reading.member(here, "picture.wmf", "", &Bytes::copy_from_slice(octets));
        }
    }
}

/// What the beginning of the stream says (MS-DOC 2.5.1; for Word 6 and 95 as its readers found it out).
struct Fib {
    /// From Word 97 on.
    is_unicode: bool,
    is_encrypted: bool,
    table: &'static str,
    language: u16,
    /// Characters of each story.
    counts: Vec<usize>,
    /// Where the text of a simple Word 6 document lies.
    text: (usize, usize),
    /// Offset and length of [`CHARACTER_RUNS`] and the like.
    places: usize,
}

impl Fib {
    fn parse(stream: &[u8]) -> Option<Fib> {
        let (magic, version, flags) = (u16_at(stream, 0)?, u16_at(stream, 2)?, u16_at(stream, 10)?);
        // A5EC from Word 97 on, A5DC in Word 6 and 95; what others write there differs, the version decides.
        if !(0xA500..=0xA6FF).contains(&magic) {
            return None;
        }
        let is_unicode = version >= 0xC1 || magic == 0xA5EC;
        let (counts_at, places) = if is_unicode { (0x4C, 0x9A) } else { (0x34, 0x58) };
        Some(Fib {
            is_unicode,
            is_encrypted: flags & 0x0100 != 0,
            table: if flags & 0x0200 == 0 { "0Table" } else { "1Table" },
            language: u16_at(stream, 6)?,
            counts: (0..STORIES.len()).map(|i| size_at(stream, counts_at + 4 * i).unwrap_or(0)).collect(),
            text: (size_at(stream, 0x18)?, size_at(stream, 0x1C)?),
            places,
        })
    }
}

/// A run of characters that lie behind one another (Pcd, MS-DOC 2.9.177).
struct Piece {
    count: usize,
    offset: usize,
    is_wide: bool,
}

struct Document<'o> {
    stream: &'o [u8],
    table: &'o [u8],
    fib: &'o Fib,
}

impl<'o> Document<'o> {
    fn read(&self, reading: &mut Reading<'_>, here: &Here) {
        let pieces = self.pieces();
        if pieces.is_none() && (self.fib.is_unicode || self.fib.text.1 > self.stream.len()) {
            reading.damaged(here, "doc");
        }
        let pieces = pieces.unwrap_or_else(|| self.one_piece());
        let formatting = self.formatting();
        let encodings = self.encodings(&pieces);
        for (at, encoding) in encodings.into_iter().enumerate() {
            let (stories, end) = self.stories(&pieces, &formatting, encoding, reading.limits.text);
            match end {
                End::Whole => {}
                End::Damaged => reading.damaged(here, "doc"),
                End::TooLarge => reading.too_large(here, "text"),
            }
            hand_over(reading, here, stories, at > 0);
        }
    }

    /// The octets at a place that the FIB names.
    fn part(&self, number: usize) -> Option<&'o [u8]> {
        let at = self.fib.places + 8 * number;
        let (offset, length) = (size_at(self.stream, at)?, size_at(self.stream, at + 4)?);
        self.table.get(offset..offset.checked_add(length)?)
    }

    /// The piece table, behind formatting that it may refer to (Clx, MS-DOC 2.9.38).
    fn pieces(&self) -> Option<Vec<Piece>> {
        let clx = self.part(PIECES)?;
        let mut at = 0;
        while *clx.get(at)? == 1 {
            at = at.checked_add(3 + usize::from(u16_at(clx, at + 1)?))?;
        }
        let table = clx.get(at + 5..).filter(|_| clx[at] == 2)?;
        let table = &table[..size_at(clx, at + 1)?.min(table.len())];
        let count = table.len().checked_sub(4)? / 12;
        let ends = 4 * (count + 1);
        let pieces = (0..count).map_while(|i| {
            let count = size_at(table, 4 * i + 4)?.checked_sub(size_at(table, 4 * i)?)?;
            let place = u32_at(table, ends + 8 * i + 2)?;
            // One octet a character, at half the number, where this bit is set; always, in Word 6.
            let is_packed = place & 0x4000_0000 != 0;
            let offset = (place & 0x3FFF_FFFF) as usize;
            let is_wide = self.fib.is_unicode && !is_packed;
            Some(Piece { count, offset: if self.fib.is_unicode && is_packed { offset / 2 } else { offset }, is_wide })
        });
        let pieces: Vec<Piece> = pieces.collect();
        (pieces.len() == count && count > 0).then_some(pieces)
    }

    /// A document that was saved whole, without a table of pieces; or what is left when that is lost.
    fn one_piece(&self) -> Vec<Piece> {
        let (start, end) = self.fib.text;
        let end = end.min(self.stream.len());
        let start = start.min(end);
        // After Word 97 nothing tells how wide the characters are.
        let zeros = self.stream[start..end].iter().skip(1).step_by(2).filter(|b| **b == 0).count();
        let is_wide = self.fib.is_unicode && zeros * 4 > end - start;
        vec![Piece { count: (end - start) / if is_wide { 2 } else { 1 }, offset: start, is_wide }]
    }

    fn formatting(&self) -> Formatting {
        if !self.fib.is_unicode {
            return Formatting::default();
        }
        let runs = |number| self.part(number).unwrap_or_default();
        Formatting::parse(self.stream, runs(CHARACTER_RUNS), runs(PARAGRAPH_RUNS))
    }

    /// How characters of one octet are read: in one way from Word 97 on; before, by language, and as fonts or the octets themselves suggest.
    fn encodings(&self, pieces: &[Piece]) -> Vec<&'static Encoding> {
        /// Alternatives that are worth a reading of their own.
        const MOST: usize = 3;
        if self.fib.is_unicode {
            return vec![WINDOWS_1252];
        }
        let mut encodings = vec![charset::by_language(self.fib.language)];
        let octets = pieces.iter().filter_map(|p| self.stream.get(p.offset..p.offset.checked_add(p.count)?));
        // Pieces that share their octets are hostile: no more is looked at than there is.
        if octets.flatten().take(self.stream.len()).all(u8::is_ascii) {
            return encodings;
        }
        let fonts = self.part(FONTS).unwrap_or_default();
        for encoding in fonts_of_word_6(fonts) {
            if !encodings.contains(&encoding) && encodings.len() < MOST {
                encodings.push(encoding);
            }
        }
        encodings
    }

    /// The texts of all stories, as far as they can be reached.
    fn stories(&self, pieces: &[Piece], formatting: &Formatting, encoding: &'static Encoding, most: usize) -> (Vec<Story>, End) {
        let mut stories: Vec<Story> = STORIES.iter().map(|_| Story::default()).collect();
        let mut counts = self.fib.counts.clone();
        let (mut story, mut octets, mut end) = (0, 0usize, End::Whole);
        for piece in pieces {
            let width = if piece.is_wide { 2 } else { 1 };
            let last = piece.count.checked_mul(width).and_then(|length| piece.offset.checked_add(length));
            let last = last.unwrap_or(usize::MAX);
            if last > self.stream.len() {
                end = End::Damaged;
            }
            let (mut at, last) = (piece.offset.min(self.stream.len()), last.min(self.stream.len()));
            while at < last {
                while story + 1 < STORIES.len() && counts[story] == 0 {
                    story += 1;
                }
                // More text than the stories have is told of the last one.
                let left = if story + 1 < STORIES.len() { counts[story] } else { usize::MAX };
                let (run_end, is_hidden) = formatting.run(at, last);
                let run_end = run_end.min(at.saturating_add(left.saturating_mul(width)));
                let count = (run_end - at).div_ceil(width);
                octets += run_end - at;
                if octets > most {
                    return (stories, End::TooLarge);
                }
                let text = self.text(at, run_end, piece.is_wide, formatting, encoding);
                stories[story].push(&text, is_hidden);
                counts[story] = counts[story].saturating_sub(count);
                at = run_end;
            }
        }
        (stories, end)
    }

    /// The characters of a run; ends of rows as [`ROW_END`].
    fn text(&self, start: usize, end: usize, is_wide: bool, formatting: &Formatting, encoding: &'static Encoding) -> String {
        const CELL_END: u8 = 7;
        let mut raw = self.stream[start..end].to_vec();
        let width = if is_wide { 2 } else { 1 };
        for at in (0..raw.len()).step_by(width) {
            let is_cell_end = raw[at] == CELL_END && (!is_wide || raw.get(at + 1) == Some(&0));
            let is_row_end = match self.fib.is_unicode {
                true => is_cell_end && formatting.is_row_end(start + at),
                // Without formatting the second of two ends is taken for that of the row.
                false => is_cell_end && at > 0 && raw[at - 1] == CELL_END,
            };
            if is_row_end {
                raw[at] = ROW_END as u8;
            }
        }
        let encoding = if is_wide { UTF_16LE } else { encoding };
        encoding.decode_without_bom_handling(&raw).0.into_owned()
    }
}

/// How reading the text ended.
enum End {
    Whole,
    Damaged,
    TooLarge,
}

fn hand_over(reading: &mut Reading<'_>, here: &Here, stories: Vec<Story>, is_other_charset: bool) {
    let mut fields = String::new();
    for (story, name) in stories.into_iter().zip(STORIES) {
        fields.push_str(&story.fields);
        let places = match (name, is_other_charset) {
            (_, true) => Places::Named("in another charset".to_owned()),
            ("", false) => Places::Pages(pages(&story.flow.text, &story.breaks)),
            (name, false) => Places::Named(name.to_owned()),
        };
        reading.flow(&here.part, Source::Attachment, story.flow, places);
    }
    let place = if is_other_charset { "in another charset" } else { "fields" };
    reading.text(&here.part, Source::Attachment, plain::clean(Cow::Owned(fields)).into_owned(), Places::Named(place.to_owned()));
}

/// The charsets of the fonts of a document of Word 6 or 95, but for Western ones: by their number, or by how the font is called.
fn fonts_of_word_6(fonts: &[u8]) -> Vec<&'static Encoding> {
    const NAMES: [(&str, u8); 6] = [(" cyr", 204), (" ce", 238), (" greek", 161), (" tur", 162), (" baltic", 186), (" hebrew", 177)];
    let mut found = Vec::new();
    let mut at = 2;
    while let Some(length) = fonts.get(at) {
        let font = fonts.get(at..(at + 1 + usize::from(*length)).min(fonts.len())).unwrap_or_default();
        let name = String::from_utf8_lossy(font.get(6..).unwrap_or_default()).to_ascii_lowercase();
        let name = name.split('\0').next().unwrap_or_default();
        let named = NAMES.iter().find(|(end, _)| name.ends_with(end)).map(|(_, number)| *number);
        let number = font.get(4).copied().unwrap_or(0);
        if let Some(encoding) = named.or(Some(number)).and_then(charset::by_font).filter(|e| *e != WINDOWS_1252) {
            found.push(encoding);
        }
        at += 1 + usize::from(*length);
    }
    found.dedup();
    found
}
