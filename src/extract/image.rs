//! Pictures: no pixel is decoded, the header tells how large they are. A large one may show text, and is handed out to be looked at where somebody
//! does that; what is told about it is read.

pub(super) mod blip;
mod chunks;
mod facts;
mod iptc;
pub(super) mod metafile;
mod numbers;
mod size;
pub(super) mod svg;
mod tiff;

use super::{
    archive::{self, Ratio},
    picture::begins_as_picture,
    reading::{Here, Reading},
};
use bytes::Bytes;
use facts::Facts;
use size::size;

/// Pixels from which a picture counts as unread, as of a square of 500: below are logos, icons and lines of a signature, which would make every mail
/// unreadable. A photo of the screen of a telephone is 480 by 800 and more.
const LARGE: u64 = 500 * 500;

/// The shorter side of such a picture: banners below a mail are long, and a hundred or two high.
const SHORTEST: u32 = 300;

/// Pixels of a picture that is handed out: 50 million, an A4 page at 700 dpi. Decoded in colour that is 200 MB, of the GiB that is there for it.
const MOST_PIXELS: u64 = 50_000_000;

/// Whether a picture of these sides may show a text.
pub(super) fn is_large(width: u32, height: u32) -> bool {
    width.min(height) >= SHORTEST && u64::from(width) * u64::from(height) >= LARGE
}

/// Whether a picture can be looked at, all of it: its format, and the pixels that its header tells.
pub(super) fn is_lookable(octets: &[u8]) -> bool {
    let is_bearable = |(width, height): (u32, u32)| u64::from(width) * u64::from(height) <= MOST_PIXELS;
    begins_as_picture(octets) && size(octets).is_some_and(is_bearable) && !chunks::is_animated(octets)
}

/// Says `unsupported`, reason `image`, for a picture that could show a page of text and that nobody will look at.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, octets: &Bytes) {
    match size(octets) {
        Some((width, height)) if is_large(width, height) => {
            if !is_lookable(octets) || !reading.hand_out(here, None, octets) {
                reading.unsupported(here, "image");
            }
        }
        // No picture has a side of nothing: its size is told elsewhere.
        Some((0, _) | (_, 0)) | None => reading.damaged(here, "image"),
        Some(_) => {}
    }
    let mut facts = Facts::new(octets.len());
    match &**octets {
        [0x89, b'P', b'N', b'G', ..] => chunks::png(reading, here, octets, &mut facts),
        [0xFF, 0xD8, ..] => chunks::jpeg(octets, &mut facts),
        [b'G', b'I', b'F', ..] => chunks::gif(octets, &mut facts),
        [b'R', b'I', b'F', b'F', ..] => chunks::webp(octets, &mut facts),
        [b'I', b'I', ..] | [b'M', b'M', ..] => tiff::read(octets, &mut facts),
        _ => boxed(octets, &mut facts),
    }
    facts.done(reading, here);
}

/// Formats whose structure is not walked: HEIF, AVIF, JPEG 2000, Photoshop. XMP is made to be found, and EXIF begins with its name.
fn boxed(octets: &[u8], facts: &mut Facts) {
    /// One for each picture in the file.
    const MOST: usize = 16;
    facts.packets(octets);
    for at in memchr::memmem::find_iter(octets, b"Exif\0\0").take(MOST) {
        let tags = &octets[at + 6..];
        if tiff::numbers(tags).is_some() {
            tiff::read(tags, facts);
        }
    }
    // Photoshop: behind its header and its colours.
    let resources = octets.starts_with(b"8BPS").then(|| numbers::Numbers::big(octets)).and_then(|numbers| {
        let at = numbers.size(26)?.checked_add(30)?;
        numbers.slice(at.checked_add(4)?, numbers.size(at)?)
    });
    iptc::resources(resources.unwrap_or_default(), facts);
}

/// A bitmap as Windows has it in memory, made a file (BITMAPFILEHEADER); where its pixels begin is left out, nobody decodes them.
pub(super) fn bitmap(in_memory: &[u8]) -> Vec<u8> {
    const HEADER: [u8; 14] = *b"BM\0\0\0\0\0\0\0\0\0\0\0\0";
    [&HEADER, in_memory].concat()
}

/// What zlib packed, within the limits. What came out before a fault or a limit is kept.
fn inflated(reading: &mut Reading<'_>, here: &Here, packed: &[u8], ratio: &mut Ratio) -> Vec<u8> {
    archive::take(reading, here, flate2::read::ZlibDecoder::new(packed), ratio, "image").unwrap_or_default()
}
