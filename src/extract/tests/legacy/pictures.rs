//! Pictures in documents of Office 97 to 2003, in rich text and in Outlook's bodies: none is passed over in silence.

use super::{compound, holds, problems, read, wide};
use crate::extract::tests::{
    formats::{
        office97::{slides, word_with},
        workbook97::{label, xls},
    },
    pictures::{enhanced_metafile, png, text_record},
};
use std::io::Write;

/// A record of OfficeArt with a picture in it: type, instance, content behind one identifier.
fn blip(kind: u16, instance: u16, content: &[u8]) -> Vec<u8> {
    let body = [&[7; 16], content].concat();
    [&(instance << 4).to_le_bytes()[..], &kind.to_le_bytes(), &(body.len() as u32).to_le_bytes(), &body].concat()
}

/// A large picture as a file of its own.
fn scan() -> Vec<u8> {
    blip(0xF01E, 0x6E0, &[&[0xFF], png(1000, 1400).as_slice()].concat())
}

fn packed(octets: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

/// A packed metafile.
fn metafile(octets: &[u8]) -> Vec<u8> {
    let header = [&(octets.len() as u32).to_le_bytes()[..], &[0; 24], &[0; 4], &[0, 0xFE]].concat();
    blip(0xF01A, 0x3D4, &[header, packed(octets)].concat())
}

#[test]
fn a_scan_pasted_into_a_document_is_told_wherever_it_lies() {
    let word = word_with("zie de scan\r", &[], &[("Data", &[&[0; 68], scan().as_slice()].concat())]);
    assert_eq!(problems(&read("x.doc", word)), ["unsupported image"]);
    let floating = word_with("zie de scan\r", &scan(), &[]);
    assert_eq!(problems(&read("x.doc", floating)), ["unsupported image"]);
    let slides = compound(&[("PowerPoint Document", &slides("zie de scan", "")), ("Pictures", &scan())]);
    assert_eq!(problems(&read("x.ppt", slides)), ["unsupported image"]);
    let drawings = [&[0x0F, 0, 0, 0xF0, 0, 1, 0, 0], scan().as_slice()].concat();
    // Cut by the records within the picture's own header.
    let (first, second) = drawings.split_at(14);
    let globals = [(0x00EB, first.to_vec()), (0x003C, second.to_vec())];
    assert_eq!(problems(&read("x.xls", xls(&globals, &[("Blad", vec![label(0, 0, "x")])]))), ["unsupported image"]);
}

#[test]
fn logos_are_no_problem_and_a_picture_cut_short_is() {
    let logo = blip(0xF01D, 0x46A, &[&[0xFF], &b"\xFF\xD8\xFF\xC0\0\x11\x08\0\x60\0\x60\x03"[..]].concat());
    assert_eq!(problems(&read("x.doc", word_with("tekst\r", &logo, &[]))), Vec::<String>::new());
    let cut = scan();
    let word = word_with("tekst\r", &[], &[("Data", &cut[..cut.len() - 4])]);
    assert!(problems(&read("x.doc", word)).contains(&"damaged image".to_owned()));
}

#[test]
fn what_a_metafile_in_a_document_writes_is_read() {
    let drawing = enhanced_metafile(&[text_record((0, 0), "BSN: 111222333")]);
    let extraction = read("x.doc", word_with("tekst\r", &metafile(&drawing), &[]));
    assert!(holds(&extraction, "BSN: 111222333") && problems(&extraction).is_empty(), "{extraction:?}");
    // Outlook shows another body, but the picture in this one travels too.
    let rtf = format!(r"{{\rtf1 x{{\pict\pngblip {}}}}}", png(1000, 1400).iter().map(|o| format!("{o:02x}")).collect::<String>());
    let plain = [&(rtf.len() as u32 + 12).to_le_bytes()[..], &(rtf.len() as u32).to_le_bytes(), b"MELA", &[0; 4], rtf.as_bytes()].concat();
    let mail =
        compound(&[("__properties_version1.0", &[0; 32]), ("__substg1.0_1000001F", &wide("de tekst")), ("__substg1.0_10090102", &plain)]);
    assert_eq!(problems(&read("x.msg", mail)), ["unsupported image"]);
}

#[test]
fn bitmaps_and_metafiles_in_rich_text_are_looked_at() {
    let hex = |octets: &[u8]| octets.iter().map(|o| format!("{o:02x}")).collect::<String>();
    let dib = |width: u32, height: u32| [40u32, width, height, 1, 0].map(u32::to_le_bytes).concat();
    let picture = |word: &str, octets: &[u8]| problems(&read("x.rtf", format!(r"{{\rtf1{{\pict\{word} {}}}}}", hex(octets))));
    assert_eq!(picture("dibitmap0", &dib(800, 600)), ["unsupported image"]);
    assert_eq!(picture("dibitmap0", &dib(80, 600)), Vec::<String>::new());
    let drawing = enhanced_metafile(&[text_record((0, 0), "BSN: 111222333")]);
    let extraction = read("x.rtf", format!(r"{{\rtf1{{\pict\emfblip\picwgoal9000\pichgoal9000 {}}}}}", hex(&drawing)));
    assert!(holds(&extraction, "BSN: 111222333") && problems(&extraction).is_empty(), "{extraction:?}");
}
