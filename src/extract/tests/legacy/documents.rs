//! Word, PowerPoint and Outlook.

use super::{
    compound, cut_everywhere, flip_everywhere, has_problem, holds, place_of, problems, property_set, property_stream, property_string, read,
};
use crate::extract::{
    ProblemKind,
    tests::formats::office97::{message, presentation, word},
};
use proptest::prelude::*;

const RECORD: &str = "BSN: 111222333";

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
    let octets = presentation(RECORD, "in de notities");
    let extraction = read("x.ppt", octets.clone());
    assert_eq!(problems(&extraction), Vec::<String>::new());
    assert!(holds(&extraction, RECORD) && holds(&extraction, "in de notities"), "{extraction:?}");
    cut_everywhere("x.ppt", &octets);
}

#[test]
fn a_message_gives_subject_recipients_body_and_what_hangs_on_it() {
    let octets = message(RECORD);
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
    for (name, octets) in [
        ("x.doc", word(0, &[(RECORD, false), ("x\r", true)], &[16])),
        ("x.ppt", presentation(RECORD, "in de notities")),
        ("x.msg", message(RECORD)),
    ] {
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
