//! Pictures: nothing is decoded, the header tells how large they are. A large one may show text.

pub(super) mod blip;
pub(super) mod metafile;
mod numbers;
mod size;

use super::reading::{Here, Reading};
use size::size;
use std::io::Read;

/// Sides from which a picture counts as unread: below are logos, icons and lines of a signature, which would make every mail unreadable.
const LARGE: u32 = 500;

/// Says `unsupported`, reason `image`, for a picture that could show a page of text.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, octets: &[u8]) {
    match size(octets) {
        Some((width, height)) if width >= LARGE && height >= LARGE => reading.unsupported(here, "image"),
        Some(_) => {}
        None => reading.damaged(here, "image"),
    }
}

/// A bitmap as Windows has it in memory, made a file (BITMAPFILEHEADER); where its pixels begin is left out, nobody decodes them.
pub(super) fn bitmap(in_memory: &[u8]) -> Vec<u8> {
    const HEADER: [u8; 14] = *b"BM\0\0\0\0\0\0\0\0\0\0\0\0";
    [&HEADER, in_memory].concat()
}

/// What zlib packed, within the limits. What came out before a fault or a limit is kept.
fn inflated(reading: &mut Reading<'_>, here: &Here, packed: &[u8], ratio_left: &mut u64) -> Vec<u8> {
    let most = reading.limits.member.min(reading.expanded_left()).min(*ratio_left);
    let mut octets = Vec::new();
    let end = flate2::read::ZlibDecoder::new(packed).take(most + 1).read_to_end(&mut octets);
    reading.expanded(octets.len());
    *ratio_left = ratio_left.saturating_sub(octets.len() as u64);
    if octets.len() as u64 > most {
        reading.too_large(here, if *ratio_left == 0 { "ratio" } else { "member" });
        octets.clear();
    } else if end.is_err() {
        reading.damaged(here, "image");
    }
    octets
}
