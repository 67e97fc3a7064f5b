//! How large a picture is, by its header.

use super::{chunks, numbers::Numbers, tiff};

/// Width and height in pixels; for files of several pictures, of the largest.
pub(super) fn size(octets: &[u8]) -> Option<(u32, u32)> {
    let (big, little) = (Numbers::big(octets), Numbers::little(octets));
    let le24 = |at: usize| octets.get(at..at + 3).map(|b| u32::from_le_bytes([b[0], b[1], b[2], 0]));
    match octets {
        [0x89, b'P', b'N', b'G', ..] => Some((big.u32(16)?, big.u32(20)?)),
        [b'G', b'I', b'F', ..] => Some(gif(octets, (little.u16(6)?.into(), little.u16(8)?.into()))),
        [b'B', b'M', ..] if little.u32(14)? == 12 => Some((little.u16(18)?.into(), little.u16(20)?.into())),
        [b'B', b'M', ..] => Some((little.i32(18)?.unsigned_abs(), little.i32(22)?.unsigned_abs())),
        [b'R', b'I', b'F', b'F', ..] => match octets.get(12..16)? {
            b"VP8X" => Some((le24(24)? + 1, le24(27)? + 1)),
            b"VP8L" => little.u32(21).map(|bits| ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)),
            b"VP8 " => Some(((little.u16(26)? & 0x3FFF).into(), (little.u16(28)? & 0x3FFF).into())),
            _ => None,
        },
        [0xFF, 0xD8, ..] => jpeg(octets),
        [b'I', b'I', ..] | [b'M', b'M', ..] => tiff::size(octets),
        [0, 0, 1, 0, ..] => icon(octets),
        [b'8', b'B', b'P', b'S', ..] => Some((big.u32(18)?, big.u32(14)?)),
        [0, 0, 0, 0x0C, b'j', b'P', ..] => boxed(octets, b"ihdr", 0).map(|(height, width)| (width, height)),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => boxed(octets, b"ispe", 4),
        _ => None,
    }
}

/// A screen grows with the picture that doesn't fit on it.
fn gif(octets: &[u8], (width, height): (u32, u32)) -> (u32, u32) {
    let numbers = Numbers::little(octets);
    let sides = chunks::gif_picture(octets).and_then(|at| {
        let side = |place| Some(u32::from(numbers.u16(at + place)?) + u32::from(numbers.u16(at + place + 4)?));
        side(1).zip(side(3))
    });
    sides.map_or((width, height), |(right, bottom)| (width.max(right), height.max(bottom)))
}

/// The largest frame header (SOF0-SOF15 but DHT, JPG and DAC; ITU T.81, table B.1) among the segments before the first scan.
fn jpeg(octets: &[u8]) -> Option<(u32, u32)> {
    let numbers = Numbers::big(octets);
    let mut at = 2;
    loop {
        while octets.get(at) == Some(&0xFF) && octets.get(at + 1) == Some(&0xFF) {
            at += 1;
        }
        let (0xFF, marker) = (*octets.get(at)?, *octets.get(at + 1)?) else { return None };
        match marker {
            0x01 | 0xD0..=0xD8 => at += 2,
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                return Some((numbers.u16(at + 7)?.into(), numbers.u16(at + 5)?.into()));
            }
            0xD9 | 0xDA => return None,
            _ => at += 2 + usize::from(numbers.u16(at + 2)?),
        }
    }
}

/// Icons are 256 pixels at most, as their directory has it; a PNG in one says its size itself.
fn icon(octets: &[u8]) -> Option<(u32, u32)> {
    let numbers = Numbers::little(octets);
    let count = usize::from(numbers.u16(4)?);
    let sizes = (0..count).filter_map(|i| {
        let entry = numbers.slice(6 + 16 * i, 16)?;
        let side = |octet: u8| if octet == 0 { 256 } else { u32::from(octet) };
        let own = Numbers::little(entry).size(12).and_then(|at| octets.get(at..)).filter(|o| o.starts_with(b"\x89PNG")).and_then(size);
        Some(own.unwrap_or((side(entry[0]), side(entry[1]))))
    });
    sizes.max_by_key(|(width, height)| (*width).min(*height))
}

/// The largest pair of sides that stands `behind` octets after this name of a box: JPEG 2000 (ISO 15444-1, I.5.3.1), HEIF and AVIF (ISO 23008-12,
/// 6.5.3). The boxes are not walked: nothing but these two numbers is wanted.
fn boxed(octets: &[u8], name: &[u8; 4], behind: usize) -> Option<(u32, u32)> {
    let numbers = Numbers::big(octets);
    let sides =
        memchr::memmem::find_iter(octets, name).filter_map(|at| Some((numbers.u32(at + 4 + behind)?, numbers.u32(at + 8 + behind)?)));
    sides.max_by_key(|(one, other)| (*one).min(*other))
}
