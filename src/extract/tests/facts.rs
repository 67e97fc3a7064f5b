//! What is told about pictures, by each of the ways to tell it.

use super::{holds, problems, read};
use crate::extract::{Extraction, Source};
use std::io::Write;

const RECORD: &str = "BSN: 111222333";

/// The property under which the record is told.
fn property(extraction: &Extraction) -> Option<String> {
    let text = extraction.texts.iter().find(|t| t.source == Source::Properties && t.text.contains("111222333"))?;
    text.place(text.text.find("111222333")?)
}

fn check(name: &str, octets: &[u8], expected: &str) {
    let extraction = read(name, octets.to_vec());
    assert_eq!(problems(&extraction), Vec::<String>::new(), "{name}: {expected}");
    assert_eq!(property(&extraction).as_deref(), Some(format!("property \"{expected}\"").as_str()), "{name}: {extraction:?}");
}

/// TIFF with these tags in its first directory, and those behind `0x8769` in one of its own.
fn tiff(tags: &[(u16, u16, &[u8])], exif: &[(u16, u16, &[u8])]) -> Vec<u8> {
    let mut octets = b"II*\0\x08\0\0\0".to_vec();
    let directory = |octets: &mut Vec<u8>, tags: &[(u16, u16, &[u8])], next: Option<u32>| {
        let count = tags.len() + usize::from(next.is_some());
        let mut values = octets.len() + 2 + 12 * count + 4;
        let (mut entries, mut behind) = ((count as u16).to_le_bytes().to_vec(), Vec::new());
        for (tag, kind, value) in tags {
            entries.extend([tag.to_le_bytes(), kind.to_le_bytes()].concat());
            entries.extend((value.len() as u32).to_le_bytes());
            if value.len() <= 4 {
                entries.extend([value, &[0; 4][value.len()..]].concat());
            } else {
                entries.extend((values as u32).to_le_bytes());
                behind.extend_from_slice(value);
                values += value.len();
            }
        }
        if next.is_some() {
            entries.extend([0x69, 0x87, 4, 0, 1, 0, 0, 0]);
            entries.extend((values as u32).to_le_bytes());
        }
        octets.extend([entries, vec![0; 4], behind].concat());
    };
    directory(&mut octets, tags, (!exif.is_empty()).then_some(0));
    if !exif.is_empty() {
        directory(&mut octets, exif, None);
    }
    octets
}

fn jpeg(segments: &[(u8, &[u8])]) -> Vec<u8> {
    let segments: Vec<u8> =
        segments.iter().flat_map(|(marker, data)| [&[0xFF, *marker][..], &(data.len() as u16 + 2).to_be_bytes(), data].concat()).collect();
    [b"\xFF\xD8\xFF\xC0\0\x0B\x08\0\x10\0\x10\x01\x01\x11\0".as_slice(), &segments, b"\xFF\xD9"].concat()
}

fn png(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let chunk = |(kind, data): &(&[u8; 4], &[u8])| [&(data.len() as u32).to_be_bytes()[..], kind.as_slice(), data, b"crc."].concat();
    let header = [&16u32.to_be_bytes()[..], &16u32.to_be_bytes(), b"\x08\x06\0\0\0"].concat();
    let chunks: Vec<u8> = [(b"IHDR", header.as_slice())].iter().chain(chunks).flat_map(chunk).collect();
    [b"\x89PNG\r\n\x1A\n".as_slice(), &chunks].concat()
}

fn packed(octets: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

fn xmp() -> String {
    format!(
        "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='r'><rdf:Description xmlns:dc='d'><dc:description><rdf:Alt>\
         <rdf:li xml:lang='x-default'>{RECORD}</rdf:li></rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"
    )
}

fn iptc() -> Vec<u8> {
    let set = [b"\x1C\x02\x78\0\x0E".as_slice(), RECORD.as_bytes()].concat();
    [b"8BIM\x04\x04\0\0".as_slice(), &(set.len() as u32).to_be_bytes(), &set, &[0]].concat()
}

#[test]
fn a_photograph_tells_its_tags() {
    let wide: Vec<u8> = RECORD.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let comment = [b"ASCII\0\0\0", RECORD.as_bytes()].concat();
    let of = |tags: &[(u16, u16, &[u8])], exif: &[(u16, u16, &[u8])]| [b"Exif\0\0".as_slice(), &tiff(tags, exif)].concat();
    let description: &[(u16, u16, &[u8])] = &[(0x010E, 2, RECORD.as_bytes())];
    check("x.jpg", &jpeg(&[(0xE1, &of(description, &[]))]), "ImageDescription");
    check("x.jpg", &jpeg(&[(0xE1, &of(&[(0x9C9C, 1, &wide)], &[]))]), "XPComment");
    check("x.tif", &tiff(&[(256, 3, &[16, 0]), (257, 3, &[16, 0]), (0x010E, 2, RECORD.as_bytes())], &[]), "ImageDescription");
    let wrong = jpeg(&[(0xE1, &of(&[(0x010E, 2, RECORD.as_bytes())], &[]))]);
    let cut = [&wrong[..wrong.len() - 8], b"\xFF\xD9"].concat();
    assert_eq!(problems(&read("x.jpg", cut)), ["damaged image"]);
    let mut nested = of(&[], &[(0x9286, 7, &comment)]);
    // Where the second directory lies.
    let at = nested.len() - 6 - (2 + 12 + 4 + comment.len());
    nested[6 + 8 + 2 + 8..][..4].copy_from_slice(&(at as u32).to_le_bytes());
    check("x.jpg", &jpeg(&[(0xE1, &nested)]), "UserComment");
}

#[test]
fn captions_packets_and_comments_are_read_wherever_they_lie() {
    let wide = [b"http://ns.adobe.com/xap/1.0/\0", xmp().as_bytes()].concat();
    check("x.jpg", &jpeg(&[(0xE1, &wide)]), "description");
    check("x.jpg", &jpeg(&[(0xED, &[b"Photoshop 3.0\0", iptc().as_slice()].concat())]), "caption");
    check("x.jpg", &jpeg(&[(0xFE, RECORD.as_bytes())]), "comment");
    check("x.jpg", &jpeg(&[(0xDA, b"\x01\x01\0\0\x3F\0"), (0xFE, RECORD.as_bytes())]), "comment");
    check("x.png", &png(&[(b"tEXt", &[b"Comment\0", RECORD.as_bytes()].concat())]), "Comment");
    check("x.png", &png(&[(b"zTXt", &[b"Comment\0\0".as_slice(), &packed(RECORD.as_bytes())].concat())]), "Comment");
    check("x.png", &png(&[(b"iTXt", &[b"Titel\0\x01\0nl\0\0".as_slice(), &packed(RECORD.as_bytes())].concat())]), "Titel");
    check("x.png", &png(&[(b"iTXt", &[b"XML:com.adobe.xmp\0\0\0\0\0", xmp().as_bytes()].concat())]), "description");
    check("x.png", &png(&[(b"eXIf", &tiff(&[(0x8298, 2, RECORD.as_bytes())], &[]))]), "Copyright");
    let profile: String = iptc().iter().map(|o| format!("{o:02x}")).collect();
    check(
        "x.png",
        &png(&[(b"zTXt", &[b"Raw profile type iptc\0\0".as_slice(), &packed(format!("\niptc\n 30\n{profile}\n").as_bytes())].concat())]),
        "caption",
    );
    let gif = |block: &[u8]| [b"GIF89a\x10\0\x10\0\0\0\0".as_slice(), b"\x2C\0\0\0\0\x10\0\x10\0\0\x02\x01\0\0", block, b"\x3B"].concat();
    check("x.gif", &gif(&[b"\x21\xFE\x0E".as_slice(), RECORD.as_bytes(), b"\0"].concat()), "comment");
    check("x.gif", &gif(&[b"\x21\x01\x0C            \x0E".as_slice(), RECORD.as_bytes(), b"\0"].concat()), "text");
    let riff = |kind: &[u8; 4], data: &[u8]| {
        [b"RIFF\0\0\0\0WEBPVP8X\x0A\0\0\0\0\0\0\0\x0F\0\0\x0F\0\0".as_slice(), kind, &(data.len() as u32).to_le_bytes(), data].concat()
    };
    check("x.webp", &riff(b"XMP ", xmp().as_bytes()), "description");
    check("x.webp", &riff(b"EXIF", &tiff(&[(0x013B, 2, RECORD.as_bytes())], &[])), "Artist");
    let heif = [
        b"\0\0\0\x14ftypheic\0\0\0\0heic\0\0\0\x14ispe\0\0\0\0\0\0\0\x10\0\0\0\x10".as_slice(),
        b"Exif\0\0",
        &tiff(&[(0x013B, 2, RECORD.as_bytes())], &[]),
    ]
    .concat();
    check("x.heic", &heif, "Artist");
}

#[test]
fn a_drawing_is_read_as_it_is_shown() {
    let picture: String = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, png(&[(b"tEXt", b"Comment\0in het plaatje")]));
    let svg = format!(
        "<?xml version='1.0'?><!-- in de kantlijn --><svg xmlns='http://www.w3.org/2000/svg'><title>Dossier</title><desc>van Jan</desc><text x='1'>BSN: 111<tspan \
         fill='red'>222</tspan>333</text><text><tspan x='1'>een</tspan><tspan x='2'>twee</tspan></text><image href='data:image/png;base64,{picture}'/></svg>"
    );
    let extraction = read("x.svg", svg.clone());
    assert_eq!(problems(&extraction), Vec::<String>::new());
    assert!(holds(&extraction, "Dossier\nvan Jan\nBSN: 111222333\neen\ntwee"), "{extraction:?}");
    assert!(holds(&extraction, "in het plaatje") && holds(&extraction, "in de kantlijn"), "{extraction:?}");
    assert_eq!(problems(&read("x.svg", svg[..svg.len() - 20].to_owned())), ["damaged xml"]);
}

#[test]
fn tags_that_lie_or_lead_in_circles_cost_nothing() {
    // Ten thousand tags that lead to the same long value, and a directory that is its own successor.
    let mut octets = b"II*\0\x08\0\0\0\x10\x27".to_vec();
    for _ in 0..10_000 {
        octets.extend(b"\x0E\x01\x02\0\0\x80\0\0\x20\0\0\0");
    }
    octets.extend(b"\x08\0\0\0");
    octets.extend([b'x'; 0x8000]);
    let extraction = read("x.tif", octets);
    assert!(
        extraction.text_octets() < 8 << 20 && problems(&extraction).contains(&"too-large text".to_owned()),
        "{:?}",
        problems(&extraction)
    );
    let bomb = png(&[(b"zTXt", &[b"Comment\0\0".as_slice(), &packed(&vec![b'x'; 100 << 20])].concat())]);
    assert_eq!(problems(&read("x.png", bomb)), ["too-large ratio"]);
}
