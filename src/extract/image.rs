//! Pictures: nothing is decoded, the header tells how large they are. A large one may show text.

use super::reading::{Here, Reading};

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

/// Width and height in pixels.
fn size(octets: &[u8]) -> Option<(u32, u32)> {
    let be32 = |at: usize| octets.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    let le32 = |at: usize| octets.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
    let le16 = |at: usize| octets.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes).map(u32::from);
    let le24 = |at: usize| octets.get(at..at + 3).map(|b| u32::from_le_bytes([b[0], b[1], b[2], 0]));
    match octets {
        [0x89, b'P', b'N', b'G', ..] => Some((be32(16)?, be32(20)?)),
        [b'G', b'I', b'F', ..] => Some((le16(6)?, le16(8)?)),
        [b'B', b'M', ..] if le32(14)? == 12 => Some((le16(18)?, le16(20)?)),
        [b'B', b'M', ..] => Some((le32(18)?, le32(22)?.cast_signed().unsigned_abs())),
        [b'R', b'I', b'F', b'F', ..] => match octets.get(12..16)? {
            b"VP8X" => Some((le24(24)? + 1, le24(27)? + 1)),
            b"VP8L" => le32(21).map(|bits| ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)),
            b"VP8 " => Some((le16(26)? & 0x3FFF, le16(28)? & 0x3FFF)),
            _ => None,
        },
        [0xFF, 0xD8, ..] => jpeg_size(octets),
        _ => None,
    }
}

/// The largest frame header (SOF0-SOF15 but DHT, JPG and DAC; ITU T.81, table B.1) among the segments before the first scan.
fn jpeg_size(octets: &[u8]) -> Option<(u32, u32)> {
    let be16 = |at: usize| octets.get(at..at + 2)?.try_into().ok().map(u16::from_be_bytes);
    let mut at = 2;
    loop {
        while octets.get(at) == Some(&0xFF) && octets.get(at + 1) == Some(&0xFF) {
            at += 1;
        }
        let (0xFF, marker) = (*octets.get(at)?, *octets.get(at + 1)?) else { return None };
        match marker {
            0x01 | 0xD0..=0xD8 => at += 2,
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => return Some((be16(at + 7)?.into(), be16(at + 5)?.into())),
            0xD9 | 0xDA => return None,
            _ => at += 2 + usize::from(be16(at + 2)?),
        }
    }
}
