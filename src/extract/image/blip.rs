//! Pictures as Office 97 to 2003 keeps them: records of OfficeArt (MS-ODRAW 2.2.23 to 2.2.31), wherever they lie in a stream.
//!
//! They are found by their headers, not by what refers to them: four octets tell one, and a picture that nothing shows travels all the same.

use super::{bitmap, inflated, numbers::Numbers};
use crate::extract::{
    archive::Ratio,
    reading::{Here, Reading},
};
use bytes::Bytes;

/// What a record holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    /// A file of its own, of this name.
    File(&'static str),
    /// The same, mostly packed, behind a header of its own (OfficeArtMetafileHeader, MS-ODRAW 2.2.31).
    Metafile(&'static str),
    /// A bitmap without the header of its file.
    Bitmap,
}

/// Reads the pictures in a stream as members.
pub(in crate::extract) fn read(reading: &mut Reading<'_>, here: &Here, stream: &[u8]) {
    // Real metafiles are packed to a 667th: never measured by themselves, always by what they lie in.
    let mut ratio = Ratio::new(reading, stream);
    let mut end = 0;
    for at in memchr::memchr_iter(0xF0, stream) {
        let Some(start) = at.checked_sub(3).filter(|start| *start >= end) else { continue };
        let Some((content, identifiers)) = header(stream, start) else { continue };
        let length = Numbers::little(stream).size(start + 4).unwrap_or(usize::MAX);
        let body = &stream[(start + 8).min(stream.len())..];
        if length > body.len() {
            reading.damaged(here, "image");
        }
        let body = &body[..length.min(body.len())];
        end = start + 8 + body.len();
        picture(reading, here, content, body.get(identifiers..).unwrap_or_default(), &mut ratio);
    }
}

/// By type and instance; and the length of the identifiers in front: 16 octets, or twice that.
fn header(stream: &[u8], start: usize) -> Option<(Content, usize)> {
    let numbers = Numbers::little(stream);
    let (first, kind) = (numbers.u16(start)?, numbers.u16(start + 2)?);
    let (version, instance) = (first & 0xF, first >> 4);
    let content = match (kind, instance & !1) {
        (0xF01A, 0x3D4) => Content::Metafile("picture.emf"),
        (0xF01B, 0x216) => Content::Metafile("picture.wmf"),
        (0xF01C, 0x542) => Content::Metafile("picture.pict"),
        (0xF01D | 0xF02A, 0x46A | 0x6E2) => Content::File("picture.jpg"),
        (0xF01E, 0x6E0) => Content::File("picture.png"),
        (0xF01F, 0x7A8) => Content::Bitmap,
        (0xF029, 0x6E4) => Content::File("picture.tif"),
        _ => return None,
    };
    (version == 0).then_some((content, if instance & 1 == 0 { 16 } else { 32 }))
}

fn picture(reading: &mut Reading<'_>, here: &Here, content: Content, body: &[u8], ratio: &mut Ratio) {
    /// Sizes and bounds, then how it is packed.
    const HEADER: usize = 34;
    const PACKED: u8 = 0;
    let (name, octets) = match content {
        // An octet that means nothing stands in front.
        Content::File(name) => (name, Bytes::copy_from_slice(body.get(1..).unwrap_or_default())),
        Content::Bitmap => ("picture.bmp", Bytes::from(bitmap(body.get(1..).unwrap_or_default()))),
        Content::Metafile(name) => {
            let data = body.get(HEADER..).unwrap_or_default();
            let is_packed = body.get(HEADER - 2) == Some(&PACKED);
            (name, if is_packed { Bytes::from(inflated(reading, here, data, ratio)) } else { Bytes::copy_from_slice(data) })
        }
    };
    if octets.is_empty() {
        return reading.damaged(here, "image");
    }
    // QuickDraw has no signature that tells it.
    if content == Content::Metafile("picture.pict") {
        return reading.unsupported(here, "image");
    }
    reading.member(here, name, "", &octets);
}
