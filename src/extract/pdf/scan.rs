//! Pages that are pictures: their images as files that can be looked at. A JPEG is one; a fax and bare pixels get the header of one around them.

use super::stream;
use crate::extract::{
    image::{self, is_lookable},
    reading::{Here, Reading},
};
use bytes::Bytes;
use flate2::{Compression, Crc, write::ZlibEncoder};
use lopdf::{Dictionary, Document, Object, ObjectId, Stream};
use std::io::Write as _;

/// A page that counts as scanned.
pub(super) struct Scan {
    /// From 1.
    pub(super) page: usize,
    /// Its images, with the area that each takes.
    pub(super) images: Vec<(ObjectId, f32)>,
    /// The area of all images.
    pub(super) image_area: f32,
    /// The area from which on images that nobody has looked at make it unread.
    pub(super) most_unread: f32,
}

/// Images of one page that are looked at: a scan is one, or two beside each other. Strips cut through the lines.
const MOST_IMAGES: usize = 4;

/// Filters whose data are a picture, or can be made one.
const KNOWN: [&[u8]; 2] = [b"DCTDecode", b"CCITTFaxDecode"];

/// Whether an image may show a text, by its sides.
pub(super) fn is_large(document: &Document, image: &Stream) -> bool {
    let side = |name| side(document, &image.dict, name).unwrap_or(0);
    image::is_large(side(b"Width"), side(b"Height"))
}

/// Hands out the images of scanned pages, and gives the pages that stay unread all the same.
pub(super) fn hand_out(reading: &mut Reading<'_>, here: &Here, document: &Document, scans: &[Scan]) -> Vec<usize> {
    // Unpacking an image takes time even if nothing comes of it: never more of them than pictures may be handed out.
    let mut tries = reading.limits.pictures;
    scans.iter().filter(|scan| !is_handed_out(reading, here, document, scan, &mut tries)).map(|scan| scan.page).collect()
}

/// Whether so many of the page's images were handed out that those which were not leave it no scan.
fn is_handed_out(reading: &mut Reading<'_>, here: &Here, document: &Document, scan: &Scan, tries: &mut usize) -> bool {
    let mut images = scan.images.clone();
    images.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let mut unread = scan.image_area;
    // Of pictures by themselves all; what is left by rounding is none.
    let is_read = |unread: f32| unread < scan.most_unread || unread <= 0.001 * scan.image_area;
    for (id, area) in images.into_iter().take(MOST_IMAGES) {
        if is_read(unread) || *tries == 0 || !reading.hands_out() {
            break;
        }
        let Ok(stream) = document.get_object(id).and_then(Object::as_stream) else { continue };
        *tries -= 1;
        let file = file(reading, document, stream).map(Bytes::from).filter(|file| is_lookable(file));
        if file.is_some_and(|file| reading.hand_out(here, Some(scan.page), &file)) {
            unread -= area;
        }
    }
    is_read(unread)
}

/// An image as a file; `None` where that takes more than a header.
fn file(reading: &mut Reading<'_>, document: &Document, stream: &Stream) -> Option<Vec<u8>> {
    // What is seen of it a mask says, which nobody would look at.
    if stream.dict.has(b"SMask") || stream.dict.has(b"Mask") {
        return None;
    }
    let image = stream::image(reading, document, stream, &KNOWN)?;
    match image.packed {
        Some((filter, _)) if filter == b"DCTDecode" => Some(image.data),
        Some((_, parameters)) => fax(document, &stream.dict, &parameters, &image.data),
        None => png(reading, document, &stream.dict, image.data),
    }
}

fn side(document: &Document, dictionary: &Dictionary, name: &[u8]) -> Option<u32> {
    dictionary.get_deref(name, document).ok()?.as_i64().ok()?.try_into().ok().filter(|side| *side > 0)
}

/// Whether the first entry of `Decode` is the larger: light and dark change places (ISO 32000-1, 8.9.5.2).
fn is_inverted(document: &Document, dictionary: &Dictionary) -> bool {
    super::page::numbers(document, dictionary, b"Decode").is_some_and(|decode| decode.first() > decode.get(1))
}

/// A fax of group 4 (ITU T.6) as a TIFF of one strip.
fn fax(document: &Document, dictionary: &Dictionary, parameters: &Dictionary, data: &[u8]) -> Option<Vec<u8>> {
    let number = |name: &[u8]| parameters.get_deref(name, document).and_then(Object::as_i64).ok();
    let is_set = |name: &[u8]| parameters.get_deref(name, document).and_then(Object::as_bool).unwrap_or(false);
    // Group 3 comes with and without marks between its lines: TIFF wants them.
    if number(b"K").unwrap_or(0) >= 0 || is_set(b"EncodedByteAlign") {
        return None;
    }
    let width = u32::try_from(number(b"Columns").unwrap_or(1728)).ok()?;
    let height = side(document, dictionary, b"Height")?;
    let size = u32::try_from(data.len()).ok()?;
    // What the fax calls black is dark unless one of the two turns it round.
    let photometric = u32::from(is_set(b"BlackIs1") != is_inverted(document, dictionary));
    const SHORT: u16 = 3;
    const LONG: u16 = 4;
    const ENTRIES: u32 = 9;
    const DATA: u32 = 8 + 2 + 12 * ENTRIES + 4;
    // TIFF 6.0: sides, bits, compression T.6, what is white, where the strip is, samples, its rows, its octets.
    let entries = [
        (256, LONG, width),
        (257, LONG, height),
        (258, SHORT, 1),
        (259, SHORT, 4),
        (262, SHORT, photometric),
        (273, LONG, DATA),
        (277, SHORT, 1),
        (278, LONG, height),
        (279, LONG, size),
    ];
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    tiff.extend((ENTRIES as u16).to_le_bytes());
    for (tag, kind, value) in entries {
        tiff.extend([u16::to_le_bytes(tag), u16::to_le_bytes(kind)].concat());
        tiff.extend([1, value].map(u32::to_le_bytes).concat());
    }
    tiff.extend([0; 4]);
    tiff.extend(data);
    Some(tiff)
}

/// What a pixel's numbers mean.
enum Colours {
    Gray,
    Rgb,
    Cmyk,
    /// Red, green and blue of each number.
    Palette(Vec<u8>),
}

/// Bare pixels as a PNG (ISO 15948), in gray unless they have a palette: a third of the octets, and tesseract wants no colours.
fn png(reading: &mut Reading<'_>, document: &Document, dictionary: &Dictionary, mut data: Vec<u8>) -> Option<Vec<u8>> {
    let (width, height) = (side(document, dictionary, b"Width")?, side(document, dictionary, b"Height")?);
    let is_mask = dictionary.get_deref(b"ImageMask", document).and_then(Object::as_bool).unwrap_or(false);
    let bits = if is_mask { 1 } else { side(document, dictionary, b"BitsPerComponent")? };
    let colours = match dictionary.get(b"ColorSpace") {
        Ok(space) => colours(reading, document, space, true)?,
        Err(_) => Colours::Gray,
    };
    let (samples, kind, palette) = match (colours, bits) {
        (Colours::Gray, 1 | 2 | 4 | 8) => (1, 0, None),
        (Colours::Palette(palette), 1 | 2 | 4 | 8) => (1, 3, Some(palette)),
        (Colours::Rgb, 8) => (3, 0, None),
        (Colours::Cmyk, 8) => (4, 0, None),
        _ => return None,
    };
    let row = usize::try_from((u64::from(width) * u64::from(bits) * samples).div_ceil(8)).ok()?;
    data.truncate(row.checked_mul(usize::try_from(height).ok()?).filter(|whole| *whole <= data.len())?);
    let weighed = |[r, g, b]: [u8; 3]| ((u32::from(r) * 77 + u32::from(g) * 150 + u32::from(b) * 29) >> 8) as u8;
    let mut gray: Vec<u8> = match samples {
        3 => data.as_chunks().0.iter().map(|rgb| weighed(*rgb)).collect(),
        4 => data.as_chunks().0.iter().map(|[c, m, y, k]| 255 - weighed([*c, *m, *y]).saturating_add(*k)).collect(),
        _ => data,
    };
    if palette.is_none() && is_inverted(document, dictionary) {
        gray.iter_mut().for_each(|octet| *octet = !*octet);
    }
    let row = if samples == 1 { row } else { width as usize };
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
    for line in gray.chunks(row) {
        // Each line begins with how it was prepared for packing: not at all.
        packed.write_all(&[0]).and_then(|()| packed.write_all(line)).ok()?;
    }
    let mut png = b"\x89PNG\r\n\x1A\n".to_vec();
    let head = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[bits as u8, kind, 0, 0, 0]].concat();
    chunk(&mut png, b"IHDR", &head);
    if let Some(palette) = palette {
        chunk(&mut png, b"PLTE", &palette);
    }
    chunk(&mut png, b"IDAT", &packed.finish().ok()?);
    chunk(&mut png, b"IEND", &[]);
    Some(png)
}

fn chunk(png: &mut Vec<u8>, name: &[u8; 4], content: &[u8]) {
    png.extend(u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes());
    let mut sum = Crc::new();
    for octets in [name.as_slice(), content] {
        sum.update(octets);
        png.extend(octets);
    }
    png.extend(sum.sum().to_be_bytes());
}

/// A colour space (ISO 32000-1, 8.6), if a pixel of it is easily told; a palette only where it `may_be` one, not as that of another.
fn colours(reading: &mut Reading<'_>, document: &Document, space: &Object, may_be: bool) -> Option<Colours> {
    let resolve = |o| document.dereference(o).ok().map(|(_, o)| o);
    let list = match resolve(space)? {
        Object::Name(name) => return by_name(name),
        Object::Array(list) => list,
        _ => return None,
    };
    match (resolve(list.first()?)?.as_name().ok()?, list.as_slice()) {
        (b"ICCBased", [_, profile, ..]) => match resolve(profile)?.as_stream().ok()?.dict.get_deref(b"N", document).ok()?.as_i64().ok()? {
            1 => Some(Colours::Gray),
            3 => Some(Colours::Rgb),
            4 => Some(Colours::Cmyk),
            _ => None,
        },
        (b"Indexed" | b"I", [_, base, _, table, ..]) if may_be => {
            let table = match resolve(table)? {
                Object::String(octets, _) => octets.clone(),
                Object::Stream(stream) => stream::decode(reading, document, stream).ok()?.data,
                _ => return None,
            };
            let base = colours(reading, document, base, false)?;
            palette(&base, &table)
        }
        (name, _) => by_name(name),
    }
}

fn by_name(name: &[u8]) -> Option<Colours> {
    match name {
        b"DeviceGray" | b"CalGray" | b"G" => Some(Colours::Gray),
        b"DeviceRGB" | b"CalRGB" | b"RGB" => Some(Colours::Rgb),
        b"DeviceCMYK" | b"CMYK" => Some(Colours::Cmyk),
        _ => None,
    }
}

/// Up to 256 colours; a number without one is a fault of the file, of which tesseract will say that it can't read it.
fn palette(base: &Colours, table: &[u8]) -> Option<Colours> {
    const MOST: usize = 256;
    match base {
        Colours::Gray => Some(table.iter().take(MOST).flat_map(|gray| [*gray; 3]).collect()),
        Colours::Rgb => Some(table.as_chunks::<3>().0.iter().take(MOST).flatten().copied().collect()),
        Colours::Cmyk | Colours::Palette(_) => None,
    }
    .filter(|palette: &Vec<u8>| !palette.is_empty())
    .map(Colours::Palette)
}
