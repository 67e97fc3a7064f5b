//! Word, PowerPoint and Outlook.

use super::{
    compound, cut_everywhere, flip_everywhere, has_problem, holds, place_of, problems, property_set, property_stream, property_string,
    read, wide,
};
use crate::extract::ProblemKind;
use proptest::prelude::*;

const RECORD: &str = "BSN: 111222333";

/// A Word document of 1997 or later: the body in two pieces, one of them of one octet a character; then a footnote.
fn word(flags: u16, pieces: &[(&str, bool)], counts: &[u32]) -> Vec<u8> {
    let (stream, table) = word_streams(flags, pieces, counts);
    compound(&[("WordDocument", &stream), ("1Table", &table)])
}

/// A Word document of one piece, with octets behind its text and further streams.
pub(super) fn word_with(text: &str, behind: &[u8], streams: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut stream, table) = word_streams(0, &[(text, false)], &[text.len() as u32]);
    stream.extend(behind);
    compound(&[&[("WordDocument", stream.as_slice()), ("1Table", &table)], streams].concat())
}

/// Its two streams.
fn word_streams(flags: u16, pieces: &[(&str, bool)], counts: &[u32]) -> (Vec<u8>, Vec<u8>) {
    let mut stream = vec![0; 0x400];
    stream[..4].copy_from_slice(&[0xEC, 0xA5, 0xC1, 0]);
    stream[10..12].copy_from_slice(&(flags | 0x0200).to_le_bytes());
    for (i, count) in counts.iter().enumerate() {
        stream[0x4C + 4 * i..0x50 + 4 * i].copy_from_slice(&count.to_le_bytes());
    }
    let (mut at, mut positions, mut descriptors) = (0u32, 0u32.to_le_bytes().to_vec(), Vec::new());
    for (text, is_wide) in pieces {
        let offset = stream.len() as u32;
        stream.extend(if *is_wide { wide(text) } else { text.bytes().collect() });
        at += text.encode_utf16().count() as u32;
        positions.extend(at.to_le_bytes());
        descriptors.extend([0, 0]);
        descriptors.extend((if *is_wide { offset } else { (offset * 2) | 0x4000_0000 }).to_le_bytes());
        descriptors.extend([0, 0]);
    }
    let table = [positions, descriptors].concat();
    let clx = [&[2], &(table.len() as u32).to_le_bytes()[..], &table].concat();
    let place = 0x9A + 8 * 33;
    stream[place + 4..place + 8].copy_from_slice(&(clx.len() as u32).to_le_bytes());
    (stream, clx)
}

/// A record of PowerPoint: version and instance, type, content.
fn record(version: u16, kind: u16, content: &[u8]) -> Vec<u8> {
    [&version.to_le_bytes()[..], &kind.to_le_bytes(), &(content.len() as u32).to_le_bytes(), content].concat()
}

fn presentation() -> Vec<u8> {
    compound(&[("PowerPoint Document", &slides()), ("Current User", &[0; 20])])
}

/// Its stream.
pub(super) fn slides() -> Vec<u8> {
    let slide = record(0xF, 0x03EE, &record(0xF, 0xF00D, &record(0, 0x0FA0, &wide(RECORD))));
    let notes = record(0xF, 0x03F0, &record(0xF, 0xF00D, &record(0, 0x0FA8, b"in de notities")));
    [slide, notes].concat()
}

fn message() -> Vec<u8> {
    let named = |tag: &str| format!("__substg1.0_{tag}");
    let (subject, body, plain) = (named("0037001F"), named("1000001F"), named("3701000D"));
    let file = "__attach_version1.0_#00000000";
    let inner = format!("__attach_version1.0_#00000001/{plain}");
    let stream = |storage: &str, tag: &str| format!("{storage}/{}", named(tag));
    compound(&[
        ("__properties_version1.0", &[0; 32]),
        (&subject, &wide("Onderwerp van de mail")),
        (&body, &wide(RECORD)),
        (&stream("__recip_version1.0_#00000000", "39FE001F"), &wide("jan@post.example")),
        (&stream(file, "3707001F"), &wide("lijst.txt")),
        (&stream(file, "37010102"), b"in de bijlage"),
        (&format!("{inner}/__properties_version1.0"), &[0; 24]),
        (&format!("{inner}/{body}"), &wide("in de mail erin")),
    ])
}

#[test]
fn a_document_gives_its_pieces_in_order_and_its_stories_apart() {
    let octets = word(0, &[("BSN: 111", false), ("222333 \u{20AC}\r", true), ("onderaan\r", false)], &[17, 9]);
    let extraction = read("x.doc", octets.clone());
    assert_eq!(problems(&extraction), Vec::<String>::new());
    assert!(holds(&extraction, "BSN: 111222333 \u{20AC}"), "{extraction:?}");
    assert_eq!(place_of(&extraction, RECORD).1.as_deref(), Some("page 1"));
    assert_eq!(place_of(&extraction, "onderaan").1.as_deref(), Some("footnote"));
    cut_everywhere("x.doc", &octets);
}

#[test]
fn a_piece_out_of_range_is_told_and_the_others_are_read() {
    let mut octets = word(0, &[(RECORD, false), ("en verder\r", true)], &[24]);
    // The second piece is said to lie far behind the end.
    let place = octets.windows(2).rposition(|w| w == [0x0E, 0x04]).unwrap();
    octets[place..place + 2].copy_from_slice(&[0xFF, 0x7F]);
    let extraction = read("x.doc", octets);
    assert!(holds(&extraction, RECORD));
    assert!(has_problem(&extraction, ProblemKind::Damaged, "doc"), "{:?}", problems(&extraction));
}

#[test]
fn what_is_encrypted_is_told() {
    assert_eq!(problems(&read("x.doc", word(0x0100, &[("x", false)], &[1]))), ["encrypted doc"]);
    let mut user = vec![0; 20];
    user[12..16].copy_from_slice(&0xF3D1_C4DFu32.to_le_bytes());
    assert_eq!(problems(&read("x.ppt", compound(&[("PowerPoint Document", &[]), ("Current User", &user)]))), ["encrypted ppt"]);
}

#[test]
fn a_presentation_gives_slides_and_notes() {
    let octets = presentation();
    let extraction = read("x.ppt", octets.clone());
    assert_eq!(problems(&extraction), Vec::<String>::new());
    assert!(holds(&extraction, RECORD) && holds(&extraction, "in de notities"), "{extraction:?}");
    cut_everywhere("x.ppt", &octets);
}

#[test]
fn a_message_gives_subject_recipients_body_and_what_hangs_on_it() {
    let octets = message();
    let extraction = read("x.msg", octets.clone());
    assert_eq!(problems(&extraction), Vec::<String>::new());
    for text in ["Onderwerp van de mail", RECORD, "jan@post.example", "lijst.txt", "in de bijlage", "in de mail erin"] {
        assert!(holds(&extraction, text), "{text} in {extraction:?}");
    }
    assert_eq!(place_of(&extraction, "in de bijlage").0, "attachment \"x.msg\" > \"lijst.txt\"");
    cut_everywhere("x.msg", &octets);
}

#[test]
fn labels_are_properties() {
    let dictionary = {
        let name = b"MSIP_Label_x_Name\0";
        [&1u32.to_le_bytes()[..], &2u32.to_le_bytes(), &(name.len() as u32).to_le_bytes(), name].concat()
    };
    let first = ([0x02, 0xD5, 0xCD, 0xD5], property_set(&[super::code_page()]));
    let custom = ([0x05, 0xD5, 0xCD, 0xD5], property_set(&[super::code_page(), (0, dictionary), (2, property_string(b"Vertrouwelijk"))]));
    let labels = property_stream(&[first, custom]);
    let mut stream = vec![0; 0x400];
    stream[..4].copy_from_slice(&[0xEC, 0xA5, 0xC1, 0]);
    let extraction = read("x.doc", compound(&[("WordDocument", &stream), ("\u{5}DocumentSummaryInformation", &labels)]));
    assert!(holds(&extraction, "MSIP_Label_x_Name: Vertrouwelijk"), "{extraction:?}");
}

#[test]
fn changed_octets_never_take_the_reader_down() {
    for (name, octets) in [("x.doc", word(0, &[(RECORD, false), ("x\r", true)], &[16])), ("x.ppt", presentation()), ("x.msg", message())] {
        flip_everywhere(name, &octets);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_streams_come_out_as_something(first: Vec<u8>, second: Vec<u8>) {
        let document = [b"\xEC\xA5\xC1\0", first.as_slice()].concat();
        read("x.doc", compound(&[("WordDocument", &document), ("0Table", &second), ("1Table", &second)]));
        read("x.doc", compound(&[("WordDocument", &[b"\xDC\xA5\x65\0", first.as_slice()].concat())]));
        read("x.ppt", compound(&[("PowerPoint Document", &first), ("Current User", &second)]));
        let message = [("__properties_version1.0", first.as_slice()), ("__substg1.0_10090102", &second), ("__substg1.0_1000001E", &first)];
        read("x.msg", compound(&message));
    }
}
