//! Metafiles of Windows (MS-WMF) and enhanced ones (MS-EMF, MS-EMFPLUS): lists of drawing operations, of which those that write are read.
//!
//! A metafile is text as far as it writes; a bitmap in it counts as a picture does. Outlines are not looked at: a logo is one.

mod enhanced;
mod windows;

use super::{is_large, numbers::Numbers};
use crate::extract::{
    Places, ProblemKind, Source, plain,
    reading::{Here, Reading},
};
use std::borrow::Cow;

/// Glyphs by number, which no table in the file explains: fewer are a label or a symbol in a logo.
const MOST_GLYPHS: usize = 20;

/// Whether `octets` are a metafile, by their first record.
pub(in crate::extract) fn is_one(octets: &[u8]) -> bool {
    enhanced::is_one(octets) || windows::is_one(octets)
}

/// Reads what a metafile writes.
pub(in crate::extract) fn read(reading: &mut Reading<'_>, here: &Here, octets: &[u8]) {
    let mut page = Page { most: octets.len().saturating_mul(2), ..Page::default() };
    let is_whole = if enhanced::is_one(octets) { enhanced::read(octets, &mut page) } else { windows::read(octets, &mut page) };
    if is_whole.is_none() || page.text.len() > page.most {
        reading.damaged(here, "image");
    }
    if page.has_large_bitmap {
        reading.unsupported(here, "image");
    }
    if page.glyphs > MOST_GLYPHS {
        reading.problem(&here.part, None, ProblemKind::Unsupported, "unmapped-glyphs");
    }
    reading.text(&here.part, Source::Attachment, plain::clean(Cow::Owned(page.text)).into_owned(), Places::Lines);
}

/// What was written so far.
#[derive(Default)]
struct Page {
    text: String,
    /// Octets of text after which something is wrong: operations may share one string.
    most: usize,
    /// The base line of what was written last, and where on it that ended, if that is known.
    last: Option<(i32, Option<i32>)>,
    glyphs: usize,
    has_large_bitmap: bool,
    /// Width and height of the bitmap that grows: a scan is often drawn in strips.
    strip: (u32, u32),
}

impl Page {
    /// Text at a place. `advance` is its width, in the unit of the place.
    fn write(&mut self, (x, y): (i32, i32), advance: Option<i32>, text: &str) {
        if text.is_empty() || self.text.len() > self.most {
            return;
        }
        if let Some((base, end)) = self.last {
            let count = i32::try_from(text.chars().count()).unwrap_or(i32::MAX);
            let letter = advance.map(|width| width / count.max(1)).filter(|width| *width > 0);
            let gap = end.zip(letter).map(|(end, letter)| (x.saturating_sub(end), letter));
            match gap {
                _ if base != y => self.text.push('\n'),
                Some((gap, letter)) if gap >= -letter && gap <= letter / 4 => {}
                Some((gap, letter)) if gap > 0 && gap < 2 * letter => self.text.push(' '),
                _ => self.text.push('\t'),
            }
        }
        self.text.push_str(text);
        self.last = Some((y, advance.map(|width| x.saturating_add(width))));
    }

    /// A bitmap, by its header (MS-WMF 2.2.2.3); an old one has short sides.
    fn bitmap(&mut self, header: &[u8]) {
        if let Some((width, height)) = size_of_bitmap(header) {
            self.picture(width, height);
        }
    }

    fn picture(&mut self, width: u32, height: u32) {
        let (last, so_far) = self.strip;
        self.strip = (width, if last == width { so_far.saturating_add(height) } else { height });
        self.has_large_bitmap |= is_large(width, self.strip.1);
    }
}

fn size_of_bitmap(header: &[u8]) -> Option<(u32, u32)> {
    const CORE: u32 = 12;
    let numbers = Numbers::little(header);
    match numbers.u32(0)? {
        CORE => Some((numbers.u16(4)?.into(), numbers.u16(6)?.into())),
        40.. => Some((numbers.i32(4)?.unsigned_abs(), numbers.i32(8)?.unsigned_abs())),
        _ => None,
    }
}
