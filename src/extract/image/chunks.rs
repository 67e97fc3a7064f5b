//! Where formats of pixels keep their texts: segments of JPEG, chunks of PNG and WebP, blocks of GIF.

use super::{facts::Facts, inflated, iptc, numbers::Numbers, tiff};
use crate::extract::{
    archive::Ratio,
    reading::{Here, Reading},
};
use encoding_rs::WINDOWS_1252;

/// Segments (ITU T.81, B.1): comments, and those of programs, up to the end of the picture.
pub(super) fn jpeg(octets: &[u8], facts: &mut Facts) {
    const EXTENDED: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
    let numbers = Numbers::big(octets);
    let (mut at, mut extended) = (2, Vec::new());
    while let (Some(0xFF), Some(&marker)) = (octets.get(at), octets.get(at + 1)) {
        match marker {
            0xFF => at += 1,
            0x01 | 0xD0..=0xD8 => at += 2,
            0xD9 => break,
            _ => {
                let length = usize::from(numbers.u16(at + 2).unwrap_or(0));
                let is_text = matches!(marker, 0xE1 | 0xED | 0xFE);
                let Some(data) = length.checked_sub(2).and_then(|length| numbers.slice(at + 4, length)) else {
                    if is_text {
                        facts.damaged();
                    }
                    break;
                };
                match marker {
                    0xFE => facts.add_octets("comment", data),
                    0xE1 if data.starts_with(b"Exif\0") => tiff::read(data.get(6..).unwrap_or_default(), facts),
                    // Behind the name of the whole, its length and where this piece belongs (XMP part 3, 1.1.3.1): pieces come in order.
                    0xE1 if data.starts_with(EXTENDED) => extended.extend_from_slice(data.get(EXTENDED.len() + 40..).unwrap_or_default()),
                    0xE1 => facts.packets(data),
                    0xED => iptc::resources(data.strip_prefix(b"Photoshop 3.0\0").unwrap_or_default(), facts),
                    _ => {}
                }
                at += 2 + length;
                if marker == 0xDA {
                    at += scan(&octets[at.min(octets.len())..]);
                }
            }
        }
    }
    if !extended.is_empty() {
        facts.packet(&extended);
    }
}

/// The length of pixels: up to a marker that is none of their own.
fn scan(octets: &[u8]) -> usize {
    let is_own = |marker: &u8| matches!(marker, 0 | 0xD0..=0xD7);
    let mut marks = memchr::memchr_iter(0xFF, octets);
    marks.find(|at| octets.get(at + 1).is_some_and(|marker| !is_own(marker))).unwrap_or(octets.len())
}

/// Chunks (PNG, 3rd edition, 11.3.3): `tEXt`, `zTXt`, `iTXt`, `eXIf`.
pub(super) fn png(reading: &mut Reading<'_>, here: &Here, octets: &[u8], facts: &mut Facts) {
    const SIGNATURE: usize = 8;
    let numbers = Numbers::big(octets);
    let mut ratio = Ratio::new(reading, octets);
    let mut at = SIGNATURE;
    while let (Some(length), Some(kind)) = (numbers.size(at), numbers.slice(at + 4, 4)) {
        let is_text = matches!(kind, b"tEXt" | b"zTXt" | b"iTXt" | b"eXIf");
        let Some(data) = numbers.slice(at + 8, length) else {
            if is_text {
                facts.damaged();
            }
            return;
        };
        if kind == b"eXIf" {
            tiff::read(data, facts);
        } else if is_text {
            let (name, rest) = split(data);
            let name = WINDOWS_1252.decode_without_bom_handling(name).0;
            let mut unpack = |packed: &[u8]| inflated(reading, here, packed, &mut ratio);
            match kind {
                b"tEXt" => text(facts, &name, rest),
                b"zTXt" => text(facts, &name, &unpack(rest.get(1..).unwrap_or_default())),
                _ => {
                    // Whether and how it is packed; language; the name in that language.
                    let (head, rest) = rest.split_at(rest.len().min(2));
                    let (translated, rest) = split(split(rest).1);
                    facts.add_octets(&name, translated);
                    if head.first() == Some(&1) { text(facts, &name, &unpack(rest)) } else { text(facts, &name, rest) }
                }
            }
        }
        at = at.saturating_add(12).saturating_add(length);
    }
}

/// A text under its name: some names say that it is something else, in hex or as XML.
fn text(facts: &mut Facts, name: &str, value: &[u8]) {
    let Some(profile) = name.strip_prefix("Raw profile type ") else {
        return if name.starts_with("XML:com.adobe.xmp") { facts.packet(value) } else { facts.add_octets(name, value) };
    };
    // As ImageMagick writes it: name and length on lines of their own.
    let digits: Vec<u8> =
        value.trim_ascii().splitn(3, |b| *b == b'\n').nth(2).unwrap_or_default().iter().copied().filter(u8::is_ascii_hexdigit).collect();
    let digit = |b: u8| char::from(b).to_digit(16).map_or(0, |d| d as u8);
    let octets: Vec<u8> = digits.chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect();
    match profile {
        "exif" | "APP1" if octets.starts_with(b"Exif\0\0") => tiff::read(&octets[6..], facts),
        "iptc" | "8bim" => iptc::resources(&octets, facts),
        _ => facts.packets(&octets),
    }
}

/// Up to a zero, and behind it.
fn split(octets: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(0, octets) {
        Some(at) => (&octets[..at], &octets[at + 1..]),
        None => (octets, &[]),
    }
}

/// Chunks of WebP: `EXIF` and `XMP ` (RFC 9649, 2.7.1.5).
pub(super) fn webp(octets: &[u8], facts: &mut Facts) {
    let numbers = Numbers::little(octets);
    let mut at = 12;
    while let (Some(kind), Some(length)) = (numbers.slice(at, 4), numbers.size(at + 4)) {
        let is_text = matches!(kind, b"EXIF" | b"XMP ");
        let Some(data) = numbers.slice(at + 8, length) else {
            if is_text {
                facts.damaged();
            }
            return;
        };
        match kind {
            b"EXIF" => tiff::read(data.strip_prefix(b"Exif\0\0").unwrap_or(data), facts),
            b"XMP " => facts.packet(data),
            _ => {}
        }
        at = at.saturating_add(8).saturating_add(length.saturating_add(length & 1));
    }
}

/// Blocks of GIF89a: comments (section 24), plain texts (25), and XMP in the block of a program.
pub(super) fn gif(octets: &[u8], facts: &mut Facts) {
    let colours = |flags: Option<&u8>| flags.filter(|f| **f & 0x80 != 0).map_or(0, |f| 3 << ((f & 7) + 1));
    let mut at = 13 + colours(octets.get(10));
    loop {
        let (text, kind) = match (octets.get(at), octets.get(at + 1)) {
            (Some(0x21), Some(&kind)) => (at + 2, kind),
            // A picture: its place, its colours, the width of its codes.
            (Some(0x2C), _) => (at + 11 + colours(octets.get(at + 9)), 0),
            _ => return,
        };
        let (blocks, end) = blocks(octets, text, matches!(kind, 0x01 | 0xFE));
        match kind {
            0xFE => facts.add_octets("comment", &blocks),
            // How large the letters are, and where.
            0x01 => facts.add_octets("text", blocks.get(12..).unwrap_or_default()),
            0xFF if octets.get(text + 1..text + 12) == Some(b"XMP DataXMP") => facts.packets(&octets[text..end]),
            _ => {}
        }
        at = end;
    }
}

/// Whether a file holds more pictures than the one that is seen first: an animated GIF, PNG or WebP. Whoever looks at such a file sees that one.
pub(super) fn is_animated(octets: &[u8]) -> bool {
    match octets {
        [b'G', b'I', b'F', ..] => gif_pictures(octets) > 1,
        [0x89, b'P', b'N', b'G', ..] => memchr::memmem::find(octets, b"acTL").is_some(),
        // The animation flag of VP8X (WebP container specification, extended file format).
        [b'R', b'I', b'F', b'F', ..] => octets.get(12..16) == Some(b"VP8X") && octets.get(20).is_some_and(|flags| flags & 2 != 0),
        _ => false,
    }
}

/// Where the first picture of a GIF is described.
pub(super) fn gif_picture(octets: &[u8]) -> Option<usize> {
    let mut at = gif_start(octets);
    while octets.get(at) == Some(&0x21) {
        at = blocks(octets, at + 2, false).1;
    }
    (octets.get(at) == Some(&0x2C)).then_some(at)
}

fn gif_start(octets: &[u8]) -> usize {
    13 + octets.get(10).filter(|flags| **flags & 0x80 != 0).map_or(0, |flags| 3 << ((flags & 7) + 1))
}

fn gif_pictures(octets: &[u8]) -> usize {
    let colours = |flags: Option<&u8>| flags.filter(|f| **f & 0x80 != 0).map_or(0, |f| 3 << ((f & 7) + 1));
    let (mut at, mut pictures) = (13 + colours(octets.get(10)), 0);
    loop {
        let text = match octets.get(at) {
            Some(0x21) => at + 2,
            Some(0x2C) => {
                pictures += 1;
                at + 11 + colours(octets.get(at + 9))
            }
            _ => return pictures,
        };
        at = blocks(octets, text, false).1;
    }
}

/// Blocks behind their lengths, up to an empty one; and where they end. They are put together if `is_wanted`.
fn blocks(octets: &[u8], mut at: usize, is_wanted: bool) -> (Vec<u8>, usize) {
    let mut whole = Vec::new();
    while let Some(length) = octets.get(at).map(|n| usize::from(*n)).filter(|n| *n > 0) {
        let end = (at + 1 + length).min(octets.len());
        if is_wanted {
            whole.extend_from_slice(&octets[at + 1..end]);
        }
        at = end;
    }
    (whole, (at + 1).min(octets.len()))
}
