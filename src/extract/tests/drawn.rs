//! What a PDF's page shows and what is meant by it: hidden text, and texts that stand for glyphs.

use super::{
    formats::pdf::{pdf, pdf_with},
    read, texts,
};
use crate::extract::{Span, Text};
use lopdf::{Document, Object, ObjectId, Stream, dictionary};

fn page(octets: Vec<u8>) -> Text {
    read("x.pdf", octets).texts.into_iter().find(|t| t.place(0).is_some_and(|p| p.starts_with("page"))).unwrap_or_else(|| panic!("no page"))
}

/// The stretches of a page that are hidden.
fn hidden(text: &Text) -> String {
    text.spans.iter().filter(|(_, s)| *s == Span::Hidden).map(|(r, _)| &text.text[r.clone()]).collect()
}

fn is_hidden(content: &str) -> bool {
    let text = page(pdf(&[&format!("BT /F1 10 Tf 50 700 Td (seen) Tj ET {content}")]));
    assert!(text.text.contains("111222333"), "{content}: {text:?}");
    match hidden(&text).as_str() {
        "" => false,
        "111222333" => true,
        other => panic!("{content} hides {other}"),
    }
}

#[test]
fn text_that_nobody_sees_is_read_and_told() {
    let at = |x: i32, y: i32| format!("BT /F1 10 Tf {x} {y} Td (111222333) Tj ET");
    let text = at(100, 500);
    for content in [
        format!("3 Tr {text}"),
        format!("1 g {text}"),
        format!("1 1 1 rg {text}"),
        format!("0 0 0 0 k {text}"),
        format!("/DeviceRGB cs 1 1 1 sc {text}"),
        format!("/Pattern cs /P1 scn 1 g 1 sc {text}"),
        format!("0 0 1 rg 90 490 200 50 re f {text}"),
        format!("q 2 0 0 2 0 0 cm 0.5 g 40 240 200 50 re f Q q 0.5 g {text} Q"),
        format!("0.2 g 90 490 m 290 490 l 290 540 l 90 540 l h f {text}"),
        "BT /F1 0.5 Tf 100 500 Td (111222333) Tj ET".to_owned(),
        at(-300, 500),
        at(100, 900),
    ] {
        assert!(is_hidden(&content), "{content}");
    }
}

#[test]
fn text_that_somebody_sees_is_not_called_hidden() {
    let text = "BT /F1 10 Tf 100 500 Td (111222333) Tj ET";
    for content in [
        // White on a dark box, on a round one, on a picture, or with an outline; a line under black text; a box that is drawn around, not filled.
        format!("0 0 1 rg 90 490 200 50 re f 1 g {text}"),
        format!("0 g 90 490 m 290 490 l 290 540 90 540 90 515 c h f 1 g {text}"),
        format!("q 200 0 0 50 90 490 cm BI /W 1 /H 1 ID x EI Q 1 g {text}"),
        format!("1 g 1 Tr {text}"),
        format!("0 g 90 498 200 1 re f {text}"),
        format!("0 g 90 490 200 50 re S {text}"),
        format!("0 g 90 490 200 50 re f 1 g 90 490 200 50 re f 0 g {text}"),
        format!("/Pattern cs /P1 scn {text}"),
        format!("q 3 Tr 1 g Q {text}"),
    ] {
        assert!(!is_hidden(&content), "{content}");
    }
}

#[test]
fn what_is_outside_the_crop_box_is_hidden() {
    let octets = pdf(&["BT /F1 10 Tf 50 700 Td (seen) Tj 0 -600 Td (cut) Tj ET"]);
    let mut document = Document::load_mem(&octets).unwrap();
    let id = document.page_iter().next().unwrap();
    document.get_dictionary_mut(id).unwrap().set("CropBox", vec![0.into(), 400.into(), 600.into(), 800.into()]);
    let mut octets = Vec::new();
    document.save_to(&mut octets).unwrap();
    assert_eq!(hidden(&page(octets)), "cut");
}

#[test]
fn a_form_is_drawn_with_the_state_of_its_caller() {
    let octets = pdf_with(&[b"/F1 10 Tf 3 Tr /Fm Do"], |document, resources| {
        let form = Stream::new(dictionary! { "Subtype" => "Form" }, b"BT 50 700 Td (in it) Tj ET".to_vec());
        let form = document.add_object(form);
        resources.set("XObject", dictionary! { "Fm" => form });
    });
    assert_eq!(hidden(&page(octets)), "in it");
}

/// The page as drawn, and its other readings.
fn check(content: &str, expected: &[&str]) {
    let text = page(pdf(&[content]));
    assert_eq!(text.text.split('\u{1F}').collect::<Vec<_>>(), expected, "{content}");
    assert!(text.spans.iter().all(|(_, s)| *s == Span::Alternative));
}

#[test]
fn a_text_that_stands_for_glyphs_is_read_in_their_place() {
    let marked = |list: &str| format!("BT /F1 10 Tf 50 700 Td (BSN ) Tj /Span {list} BDC (xxxx) Tj EMC ( einde) Tj ET");
    check(&marked("<</ActualText (111222333)>>"), &["BSN xxxx einde", "BSN 111222333 einde"]);
    check(&marked("<</MCID 3 /ActualText <FEFF00310031>>>"), &["BSN xxxx einde", "BSN 11 einde"]);
    // It says what is drawn already, but for signs: one reading is enough.
    check(&marked("<</ActualText (xx\\255xx)>>"), &["BSN xxxx einde"]);
    check(&marked("<</Lang (nl)>>"), &["BSN xxxx einde"]);
    // The outer one counts; ends too many and too few are survived.
    let nested = "BT /F1 10 Tf 50 700 Td /A <</ActualText (111)>> BDC (a) Tj /B <</ActualText (222)>> BDC (b) Tj EMC (c) Tj EMC EMC (d) Tj \
                  /C <</ActualText (333)>> BDC (e) Tj ET";
    check(nested, &["abcde", "111d333"]);
    // Nothing is drawn as letters; a point, and a description.
    let drawing = "/Figure <</ActualText (111222333) /Alt (de kaart)>> BDC 0 0 10 10 re f EMC /P <</ActualText (444)>> DP BT /F1 10 Tf 50 700 Td (x) Tj ET";
    check(drawing, &["x", "de kaart\n111222333\n444"]);
}

#[test]
fn a_text_that_stands_for_glyphs_may_be_named_and_reach_into_forms() {
    let octets = pdf_with(&[b"/Span /Mc0 BDC /Fm Do EMC"], |document, resources| {
        let form = Stream::new(
            dictionary! { "Subtype" => "Form", "Resources" => resources.clone() },
            b"EMC BT /F1 10 Tf 50 700 Td (xxxx) Tj ET /Open <</ActualText (y)>> BDC".to_vec(),
        );
        let form = document.add_object(form);
        resources.set("XObject", dictionary! { "Fm" => form });
        let list = document.add_object(dictionary! { "ActualText" => Object::string_literal("111222333") });
        resources.set("Properties", dictionary! { "Mc0" => list });
    });
    assert_eq!(page(octets).text.split('\u{1F}').collect::<Vec<_>>(), ["xxxx", "111222333", "y"]);
}

/// Adds a structure element for the page.
fn element(document: &mut Document, page: ObjectId, kids: Object, name: &str, text: &str) {
    let element = dictionary! { "S" => "Span", "Pg" => page, "K" => kids, name => Object::string_literal(text) };
    document.add_object(element);
}

#[test]
fn the_structure_tree_says_what_stands_for_glyphs() {
    let content = b"BT /F1 10 Tf 50 700 Td (BSN ) Tj /Span <</MCID 0>> BDC (xx) Tj EMC /Span <</MCID 1>> BDC (yy) Tj EMC ET".as_slice();
    let mut document = Document::load_mem(&pdf_with(&[b"", content], |_, _| {})).unwrap();
    let page_id = document.page_iter().nth(1).unwrap();
    element(&mut document, page_id, vec![0.into(), Object::Dictionary(dictionary! { "MCID" => 1 })].into(), "ActualText", "111222333");
    element(&mut document, page_id, 7.into(), "Alt", "een kaart");
    document.add_object(dictionary! { "S" => "Figure", "E" => Object::string_literal("voluit") });
    let mut octets = Vec::new();
    document.save_to(&mut octets).unwrap();
    let extraction = read("x.pdf", octets);
    let all: Vec<(String, Option<String>)> = extraction.texts.iter().map(|t| (t.text.clone(), t.place(t.text.len() - 1))).collect();
    let on_page = Some("page 2".to_owned());
    assert!(all.iter().any(|(t, _)| t.ends_with("BSN xxyy\u{1F}BSN 111222333")), "{all:?}");
    assert!(all.contains(&("111222333\neen kaart\n".into(), on_page)), "{all:?}");
    assert!(all.contains(&("voluit\n".into(), Some("description".into()))), "{all:?}");
}

#[test]
fn a_page_that_says_much_with_little_ends() {
    // A form of a megabyte that stands for nothing, drawn 1000 times.
    let octets = pdf_with(&[&b"/Fm Do ".repeat(1000)], |document, resources| {
        let text = "1".repeat(1 << 20);
        let form = Stream::new(dictionary! { "Subtype" => "Form" }, format!("/P <</ActualText ({text})>> DP").into_bytes());
        let form = document.add_object(form);
        resources.set("XObject", dictionary! { "Fm" => form });
    });
    let extraction = read("x.pdf", octets);
    assert!(extraction.problems.iter().any(|p| p.reason == "page" || p.reason == "text"), "{:?}", extraction.problems);
    assert!(texts(&extraction).iter().map(|(_, t)| t.len()).sum::<usize>() <= 64 << 20);
}

#[test]
fn a_code_that_stands_for_a_megabyte_stands_for_little() {
    let map = format!("1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfchar <41> <{}> endbfchar", "0031".repeat(1 << 18));
    let content = format!("BT /F2 10 Tf 50 700 Td ({}) Tj ET", "A".repeat(100_000));
    let octets = pdf_with(&[content.as_bytes()], |document, resources| {
        let map = document.add_object(Stream::new(dictionary! {}, map.into_bytes()));
        let font = dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica", "ToUnicode" => map };
        resources.set("Font", dictionary! { "F2" => document.add_object(font) });
    });
    let length = page(octets).text.len();
    assert!((1_000_000..=64 << 20).contains(&length), "{length}");
}
