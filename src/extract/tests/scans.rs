//! Scanned pages of a PDF, whose images are handed out as files.

use super::{formats::pdf::pdf_with, pictures::handed_out};
use crate::extract::{Limits, Picture, image::is_lookable};
use flate2::{Compression, write::ZlibEncoder};
use lopdf::{Dictionary, Object, Stream, dictionary};
use std::io::{Read as _, Write as _};

const FULL: &[u8] = b"q 600 0 0 800 0 0 cm /A Do Q";

fn looking() -> Limits {
    Limits { pictures: 10, ..Limits::default() }
}

/// A PDF of pages with these contents, which draw these images.
fn scanned(contents: &[&[u8]], images: Vec<(&str, Dictionary, Vec<u8>)>) -> Vec<u8> {
    pdf_with(contents, |document, resources| {
        let mut objects = Dictionary::new();
        for (name, mut dictionary, data) in images {
            dictionary.set("Subtype", "Image");
            objects.set(name, document.add_object(Stream::new(dictionary, data)));
        }
        resources.set("XObject", objects);
    })
}

fn sides(width: i64, height: i64) -> Dictionary {
    dictionary! { "Width" => width, "Height" => height }
}

fn with(mut dictionary: Dictionary, entries: Vec<(&str, Object)>) -> Dictionary {
    entries.into_iter().for_each(|(name, value)| dictionary.set(name, value));
    dictionary
}

fn packed(octets: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

fn one(dictionary: Dictionary, data: Vec<u8>) -> (Vec<Picture>, Vec<String>) {
    handed_out("x.pdf", scanned(&[FULL], vec![("A", dictionary, data)]), &looking())
}

/// The chunks of a PNG by name, the data unpacked.
fn chunks(png: &[u8]) -> Vec<(String, Vec<u8>)> {
    let (mut at, mut chunks) = (8, Vec::new());
    while let Some(length) = png.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().unwrap()) as usize;
        let (name, content) = (String::from_utf8(png[at + 4..at + 8].to_vec()).unwrap(), &png[at + 8..at + 8 + length]);
        let mut unpacked = Vec::new();
        if name == "IDAT" {
            flate2::read::ZlibDecoder::new(content).read_to_end(&mut unpacked).unwrap();
        }
        chunks.push((name.clone(), if name == "IDAT" { unpacked } else { content.to_vec() }));
        at += 12 + length;
    }
    chunks
}

/// What a PNG's rows hold, each with the octet before it; and its depth and kind.
fn rows(dictionary: Dictionary, data: &[u8]) -> (Vec<u8>, [u8; 2]) {
    let (pictures, told) = one(with(dictionary, vec![("Filter", "FlateDecode".into())]), packed(data));
    assert_eq!((pictures.len(), told), (1, vec![]));
    assert!(is_lookable(&pictures[0].octets) && pictures[0].page == Some(1));
    let chunks = chunks(&pictures[0].octets);
    let rows = chunks.iter().find(|(name, _)| name == "IDAT").unwrap().1.clone();
    (rows, [chunks[0].1[8], chunks[0].1[9]])
}

#[test]
fn a_jpeg_is_handed_out_as_it_is_even_from_within_another_filter() {
    let jpeg = b"\xFF\xD8\xFF\xC0\0\x0B\x08\x03\x20\x02\x58\x01\x01\x11\0\xFF\xD9".to_vec();
    let (pictures, told) = one(with(sides(600, 800), vec![("Filter", "DCTDecode".into())]), jpeg.clone());
    assert_eq!((&*pictures[0].octets, told), (jpeg.as_slice(), vec![]));
    let filters = vec!["FlateDecode".into(), "DCTDecode".into()];
    let (pictures, told) = one(with(sides(600, 800), vec![("Filter", Object::Array(filters))]), packed(&jpeg));
    assert_eq!((&*pictures[0].octets, told), (jpeg.as_slice(), vec![]));
}

#[test]
fn bare_pixels_become_a_picture_of_what_is_seen() {
    let of = |space: Object, bits: i64| with(sides(2, 2), vec![("ColorSpace", space), ("BitsPerComponent", bits.into())]);
    let inverted = |dictionary| with(dictionary, vec![("Decode", Object::Array(vec![1.into(), 0.into()]))]);
    let gray = || of("DeviceGray".into(), 8);
    assert_eq!(rows(gray(), b"\x00\x01\x02\x03"), (b"\0\x00\x01\0\x02\x03".to_vec(), [8, 0]));
    assert_eq!(rows(inverted(gray()), b"\x00\x01\x02\x03").0, b"\0\xFF\xFE\0\xFD\xFC");
    // What stands behind the last row is no pixel.
    assert_eq!(rows(gray(), b"\x00\x01\x02\x03\x04").0.len(), 6);
    assert_eq!(rows(of("DeviceGray".into(), 1), b"\x40\x80"), (b"\0\x40\0\x80".to_vec(), [1, 0]));
    assert_eq!(rows(with(sides(2, 2), vec![("ImageMask", true.into())]), b"\x40\x80"), (b"\0\x40\0\x80".to_vec(), [1, 0]));
    let white_red = b"\xFF\xFF\xFF\xFF\x00\x00\x00\x00\x00\x00\x00\xFF";
    assert_eq!(rows(of("DeviceRGB".into(), 8), white_red), (vec![0, 255, 76, 0, 0, 28], [8, 0]));
    let cmyk = b"\0\0\0\0\0\0\0\xFF\xFF\xFF\xFF\0\0\0\0\x0F";
    assert_eq!(rows(of("DeviceCMYK".into(), 8), cmyk).0, [0, 255, 0, 0, 0, 240]);
    let palette = Object::Array(vec!["Indexed".into(), "DeviceGray".into(), 1.into(), Object::string_literal(b"\x07\x09".to_vec())]);
    assert_eq!(rows(of(palette, 8), b"\0\x01\x01\0"), (b"\0\0\x01\0\x01\0".to_vec(), [8, 3]));
}

#[test]
fn a_fax_gets_the_header_of_a_tiff_and_keeps_what_is_dark() {
    let fax = |parameters: Dictionary, more: Vec<(&str, Object)>| {
        let dictionary = with(sides(600, 800), vec![("Filter", "CCITTFaxDecode".into()), ("DecodeParms", parameters.into())]);
        one(with(dictionary, more), b"the lines".to_vec())
    };
    let group_4 = || dictionary! { "K" => -1, "Columns" => 600 };
    let photometric = |(pictures, told): (Vec<Picture>, Vec<String>)| {
        assert_eq!((pictures.len(), told), (1, vec![]));
        let tiff = &pictures[0].octets;
        assert!(is_lookable(tiff) && tiff.ends_with(b"the lines"));
        // The fifth entry: 262.
        assert_eq!(tiff[58..60], 262_u16.to_le_bytes());
        tiff[66]
    };
    let black = |is: bool| with(group_4(), vec![("BlackIs1", is.into())]);
    let inverted = || vec![("Decode", Object::Array(vec![1.into(), 0.into()]))];
    assert_eq!(photometric(fax(group_4(), vec![])), 0);
    assert_eq!(photometric(fax(black(true), vec![])), 1);
    assert_eq!(photometric(fax(black(true), inverted())), 0);
    assert_eq!(photometric(fax(black(false), inverted())), 1);
    let unread = (vec![], vec!["unsupported scanned-pages page 1".to_owned()]);
    assert_eq!(fax(dictionary! { "K" => 0, "Columns" => 600 }, vec![]), unread, "group 3");
    assert_eq!(fax(with(group_4(), vec![("EncodedByteAlign", true.into())]), vec![]), unread);
}

#[test]
fn what_cannot_be_made_a_picture_stays_a_scanned_page() {
    let unread = (vec![], vec!["unsupported scanned-pages page 1".to_owned()]);
    let gray =
        |width, height, bits: i64| with(sides(width, height), vec![("ColorSpace", "DeviceGray".into()), ("BitsPerComponent", bits.into())]);
    for (dictionary, data) in [
        (with(sides(600, 800), vec![("Filter", "JBIG2Decode".into())]), b"x".to_vec()),
        (with(sides(600, 800), vec![("Filter", "JPXDecode".into())]), b"x".to_vec()),
        (with(sides(600, 800), vec![("Filter", "DCTDecode".into())]), b"no JPEG".to_vec()),
        (gray(2, 2, 8), b"\0\0\0".to_vec()),
        (gray(2, 2, 16), b"\0\0\0\0\0\0\0\0".to_vec()),
        (gray(-1, 2, 8), b"\0".to_vec()),
        (gray(i64::from(u32::MAX), i64::from(u32::MAX), 8), b"\0".to_vec()),
        (gray(0, 0, 8), b"".to_vec()),
        (with(gray(2, 2, 8), vec![("ColorSpace", Object::Array(vec![]))]), b"\0\0\0\0".to_vec()),
        (with(gray(2, 2, 8), vec![("Filter", "FlateDecode".into())]), packed(b"\0\0\0\0")[..8].to_vec()),
    ] {
        let told = format!("{dictionary:?}");
        assert_eq!(one(dictionary, data), unread, "{told}");
    }
    // A bomb: a hundred million pixels, of which no more is unpacked than a member may have.
    let bomb = with(gray(10_000, 10_000, 8), vec![("Filter", "FlateDecode".into())]);
    assert_eq!(one(bomb, packed(&vec![0; 100_000_000])), unread);
}

#[test]
fn a_page_is_looked_at_only_if_that_leaves_no_scan() {
    let gray = || with(sides(2, 2), vec![("ColorSpace", "DeviceGray".into()), ("BitsPerComponent", 8.into())]);
    let images = || {
        let other = with(sides(600, 800), vec![("Filter", "JBIG2Decode".into())]);
        vec![("A", gray(), b"\0\0\0\0".to_vec()), ("B", other, b"x".to_vec())]
    };
    let handed = |content: &[u8]| {
        let (pictures, told) = handed_out("x.pdf", scanned(&[content], images()), &looking());
        (pictures.len(), told)
    };
    let unread = vec!["unsupported scanned-pages page 1".to_owned()];
    // Side by side: a corner of the page that is not looked at is none; most of it is.
    assert_eq!(handed(b"q 500 0 0 800 0 0 cm /A Do Q q 100 0 0 800 500 0 cm /B Do Q"), (1, vec![]));
    assert_eq!(handed(b"q 200 0 0 800 0 0 cm /A Do Q q 400 0 0 800 200 0 cm /B Do Q"), (1, unread.clone()));
    // On top of each other, as scanners do that tell letters from paper.
    assert_eq!(handed(b"q 600 0 0 800 0 0 cm /A Do /B Do Q"), (1, unread.clone()));
    assert_eq!(handed(b"q 600 0 0 800 0 0 cm /A Do /A Do Q"), (2, vec![]));
    // In strips.
    let strips: String = (0..10).map(|n| format!("q 600 0 0 80 0 {} cm /A Do Q ", n * 80)).collect();
    assert_eq!(handed(strips.as_bytes()), (4, unread));
}

#[test]
fn what_is_unpacked_to_be_looked_at_is_not_taken_from_what_a_mail_may_hold() {
    let image = with(
        sides(2000, 1000),
        vec![("ColorSpace", "DeviceGray".into()), ("BitsPerComponent", 8.into()), ("Filter", "FlateDecode".into())],
    );
    let pages = vec![FULL; 5];
    let octets = scanned(&pages, vec![("A", image, packed(&vec![0; 2_000_000]))]);
    let limits = Limits { expanded: 3_000_000, pictures: 4, ..Limits::default() };
    let (pictures, told) = handed_out("x.pdf", octets, &limits);
    assert_eq!(
        (pictures.iter().map(|picture| picture.page).collect::<Vec<_>>(), told),
        (vec![Some(1), Some(2), Some(3), Some(4)], vec!["unsupported scanned-pages page 5".to_owned()])
    );
}

#[test]
fn an_image_of_which_a_mask_says_what_is_seen_is_not_looked_at() {
    for mask in ["SMask", "Mask"] {
        let dictionary = with(sides(700, 600), vec![("Filter", "DCTDecode".into()), (mask, Object::Reference((1, 0)))]);
        let (pictures, problems) = one(dictionary, b"\xFF\xD8\xFF\xC0\0\x0B\x08\x02\x58\x02\xBC\x01\x01\x11\0\xFF\xD9".to_vec());
        assert!(pictures.is_empty() && problems == ["unsupported scanned-pages page 1"], "{problems:?}");
    }
}
