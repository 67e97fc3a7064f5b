//! PDF, made by lopdf's writer.

use super::{
    formats::pdf::{pdf, pdf_with},
    has_problem, holds, problems, read, texts,
};
use crate::extract::{ProblemKind, Span};
use lopdf::{Dictionary, Document, Object, ObjectId, Stream, dictionary};

fn first(octets: Vec<u8>) -> String {
    texts(&read("x.pdf", octets)).into_iter().next().map(|(_, t)| t).unwrap_or_default()
}

fn set_in_catalog(document: &mut Document, name: &str, object: impl Into<Object>) {
    document.catalog_mut().unwrap().set(name, object);
}

fn check(content: &str, expected: &str) {
    assert_eq!(first(pdf(&[content])), expected, "{content}");
}

#[test]
fn positions_make_words_lines_and_cells() {
    check("BT /F1 10 Tf 50 700 Td (BSN 111) Tj (222333) Tj ET", "BSN 111222333");
    check("BT /F1 10 Tf 50 700 Td [(111) -20 (222) 30 (333)] TJ ET", "111222333");
    check("BT /F1 10 Tf 50 700 Td [(een) -300 (twee)] TJ ET", "een twee");
    check("BT /F1 10 Tf 14 TL 50 700 Td (een) Tj T* (twee) Tj (drie) ' ET", "een\ntwee\ndrie");
    check(
        "BT /F1 10 Tf 1 0 0 1 300 700 Tm (BSN) Tj 1 0 0 1 50 700 Tm (Naam) Tj 1 0 0 1 50 680 Tm (A) Tj 1 0 0 1 300 680 Tm (42) Tj ET",
        "Naam\tBSN\nA\t42",
    );
    check("BT /F1 10 Tf 0 1 -1 0 300 100 Tm (gedraaid) Tj ET", "gedraaid");
    check("BT /F1 10 Tf 50 700 Td (caf\\351 \\(x\\) \\\ny) Tj <4142> Tj ET", "café (x) yAB");
}

#[test]
fn an_unreadable_token_does_not_end_the_page() {
    check("BT /F1 10 Tf 50 700 Td (een) Tj ET }} >> ] garbage 1 2 BT /F1 10 Tf 50 600 Td (twee) Tj ET", "een\ntwee");
    check("BT /F1 10 Tf 50 700 Td (een) Tj ET BI /W 1 /H 1 ID \x01EIx EI Q BT /F1 10 Tf 50 600 Td (twee) Tj ET", "een\ntwee");
}

#[test]
fn digits_in_another_order_are_given_in_both() {
    let extraction = read("x.pdf", pdf(&["BT /F1 10 Tf 1 0 0 1 50 600 Tm (22) Tj 1 0 0 1 50 700 Tm (11) Tj ET"]));
    let text = extraction.texts.iter().find(|t| t.text.contains("11")).unwrap();
    assert_eq!(text.text, "11\n22\u{1F}22\n11");
    assert_eq!(text.spans, [(6..11, Span::Alternative)]);
}

#[test]
fn characters_in_the_boxes_of_a_form_are_one_word_too() {
    let boxed = |text: &str, step: usize| {
        let drawn: Vec<String> = text.chars().enumerate().map(|(i, c)| format!("1 0 0 1 {} 700 Tm ({c}) Tj", 100 + i * step)).collect();
        texts(&read("x.pdf", pdf(&[&format!("BT /F1 10 Tf 1 0 0 1 20 700 Tm (BSN) Tj {} ET", drawn.join(" "))])))[0].1.clone()
    };
    // Boxes half an em apart, and three.
    assert_eq!(boxed("111222333", 12), "BSN\t1 1 1 2 2 2 3 3 3\u{1F}BSN\t111222333");
    assert_eq!(boxed("111222333", 30), "BSN\t1\t1\t1\t2\t2\t2\t3\t3\t3\u{1F}BSN\t111222333");
    // Not what is no comb: touching, or far apart as in a table.
    assert_eq!(boxed("111222333", 5), "BSN\t111222333");
    assert!(!boxed("111222333", 80).contains("11"));
    check("BT /F1 10 Tf 50 700 Td 20 Tc (AB12) Tj ET", "A\tB\t1\t2\u{1F}AB12");
    check("BT /F1 10 Tf 50 700 Td (1 2 3 4 en verder) Tj ET", "1 2 3 4 en verder\u{1F}1234 en verder");
}

#[test]
fn what_is_read_from_the_right_is_put_in_reading_order_however_it_is_drawn() {
    // Alef, bet, gimel; digits have their own codes.
    let map = "1 begincodespacerange <0000> <FFFF> endcodespacerange 2 beginbfrange <0001> <0003> <05D0> <0030> <0039> <0030> endbfrange \
               1 beginbfchar <0020> <0020> endbfchar";
    let drawn = |content: &'static str| {
        let octets = pdf_with(&[content.as_bytes()], |document, resources| {
            let font = composite(document, Some(map));
            resources.set("Font", dictionary! { "F2" => font });
        });
        first(octets)
    };
    // "alef bet gimel 12": from the left, and letter by letter from the right.
    let expected = "\u{5D0}\u{5D1}\u{5D2} 12";
    assert_eq!(drawn("BT /F2 10 Tf 50 700 Td <003100320020000300020001> Tj ET"), expected);
    let logical = "BT /F2 10 Tf 1 0 0 1 86 700 Tm <0001> Tj 1 0 0 1 80 700 Tm <0002> Tj 1 0 0 1 74 700 Tm <0003> Tj \
                   1 0 0 1 50 700 Tm <00310032> Tj ET";
    assert_eq!(drawn(logical), expected);
}

#[test]
fn pages_are_told() {
    let extraction = read("x.pdf", pdf(&["BT /F1 10 Tf 50 700 Td (een) Tj ET", "BT /F1 10 Tf 50 700 Td (twee) Tj ET"]));
    let text = extraction.texts.iter().find(|t| t.text == "een\ntwee").unwrap();
    assert_eq!(text.place(4).as_deref(), Some("page 2"));
    assert_eq!(problems(&extraction), Vec::<String>::new());
}

#[test]
fn invisible_text_under_a_scan_is_read() {
    let extraction = read("x.pdf", pdf(&["BT 3 Tr /F1 10 Tf 50 700 Td (BSN 111222333) Tj ET"]));
    let text = extraction.texts.iter().find(|t| t.text == "BSN 111222333").unwrap();
    assert!(text.spans.iter().all(|(_, s)| *s == Span::Hidden) && !text.spans.is_empty());
}

#[test]
fn scanned_pages_are_a_problem() {
    let image = |document: &mut Document, resources: &mut Dictionary| {
        let image = document
            .add_object(Stream::new(dictionary! { "Type" => "XObject", "Subtype" => "Image", "Width" => 1, "Height" => 1 }, vec![0]));
        resources.set("XObject", dictionary! { "Im" => image });
    };
    let scan = &b"q 600 0 0 800 0 0 cm /Im Do Q"[..];
    let text = b"BT /F1 10 Tf 50 700 Td (een bladzijde met genoeg letters) Tj ET";
    let extraction = read("x.pdf", pdf_with(&[text, scan, scan], image));
    let problem = &extraction.problems[0];
    assert_eq!((problem.kind, problem.reason, problem.place.as_deref()), (ProblemKind::Unsupported, "scanned-pages", Some("pages 2-3")));
    assert_eq!(problems(&read("x.pdf", pdf_with(&[b"q 100 0 0 100 0 0 cm /Im Do Q"], image))), Vec::<String>::new());
}

fn composite(document: &mut Document, to_unicode: Option<&str>) -> ObjectId {
    let descendant = document.add_object(dictionary! { "Type" => "Font", "Subtype" => "CIDFontType2", "DW" => 600 });
    let mut font =
        dictionary! { "Type" => "Font", "Subtype" => "Type0", "Encoding" => "Identity-H", "DescendantFonts" => vec![descendant.into()] };
    if let Some(map) = to_unicode {
        let map = document.add_object(Stream::new(dictionary! {}, map.as_bytes().to_vec()));
        font.set("ToUnicode", map);
    }
    document.add_object(font)
}

#[test]
fn maps_give_codes_their_meaning_and_unmapped_ones_are_a_problem() {
    let map = "1 begincodespacerange <0000> <FFFF> endcodespacerange 1 beginbfrange <0001> <000A> <0030> endbfrange 1 beginbfchar <0020> <00660069> endbfchar \
               1 beginbfrange <0030> <0031> [<0041> <0042>] endbfrange";
    let content = b"BT /F2 10 Tf 50 700 Td <0002000300040020003000310002> Tj ET";
    let with = |map: Option<&'static str>| {
        pdf_with(&[content], move |document, resources| {
            let font = composite(document, map);
            resources.set("Font", dictionary! { "F2" => font });
        })
    };
    let extraction = read("x.pdf", with(Some(map)));
    assert!(holds(&extraction, "123fiAB1"), "{extraction:?}");
    assert_eq!(problems(&extraction), Vec::<String>::new());
    assert!(has_problem(&read("x.pdf", with(None)), ProblemKind::Unsupported, "unmapped-glyphs"));
    let claims_all = "1 begincodespacerange <00000000> <FFFFFFFF> endcodespacerange 1 beginbfrange <00000000> <FFFFFFFF> <0030> endbfrange";
    read("x.pdf", with(Some(claims_all)));
}

#[test]
fn names_of_glyphs_are_understood() {
    let octets = pdf_with(&[b"BT /F2 10 Tf 50 700 Td (\x01\x02\x03\x04\x05) Tj ET"], |document, resources| {
        let differences: Vec<Object> = vec![1.into(), "one".into(), "uni0032".into(), "three.tab".into(), "f_i".into(), "Euro".into()];
        let encoding = dictionary! { "Type" => "Encoding", "Differences" => differences };
        let font = document.add_object(dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "X", "Encoding" => encoding });
        resources.set("Font", dictionary! { "F2" => font });
    });
    assert_eq!(first(octets), "123fi€");
}

#[test]
fn forms_fields_notes_and_files_are_read() {
    let octets = pdf_with(&[b"q 1 0 0 1 10 10 cm /Fm Do Q"], |document, resources| {
        let form = Stream::new(
            dictionary! { "Subtype" => "Form", "Resources" => resources.clone() },
            b"BT /F1 10 Tf (in het formulier) Tj ET".to_vec(),
        );
        let form = document.add_object(form);
        resources.set("XObject", dictionary! { "Fm" => form });
        let field = document.add_object(dictionary! { "T" => Object::string_literal("BSN"), "V" => Object::string_literal("111222333") });
        let forms = dictionary! { "Fields" => vec![field.into()] };
        set_in_catalog(document, "AcroForm", forms);
        document.add_object(dictionary! { "Type" => "Annot", "Subtype" => "Text", "Rect" => vec![0.into(); 4], "Contents" => Object::string_literal("een noot") });
        let file = document.add_object(Stream::new(dictionary! { "Type" => "EmbeddedFile" }, b"diep verborgen".to_vec()));
        document
            .add_object(dictionary! { "Type" => "Filespec", "UF" => Object::string_literal("x.txt"), "EF" => dictionary! { "F" => file } });
        let info = document.add_object(dictionary! { "Title" => Object::string_literal("de titel") });
        document.trailer.set("Info", info);
    });
    let extraction = read("x.pdf", octets);
    for text in ["in het formulier", "BSN: 111222333", "een noot", "diep verborgen", "Title: de titel"] {
        assert!(holds(&extraction, text), "{text} in {extraction:?}");
    }
    assert!(extraction.texts.iter().any(|t| t.part == "attachment \"x.pdf\" > \"x.txt\""));
}

#[test]
fn long_values_of_fields_are_streams() {
    let octets = |extend: fn(&mut Stream)| {
        pdf_with(&[b""], move |document, _| {
            let mut value = Stream::new(dictionary! {}, b"111222333 en veel meer ".repeat(20));
            extend(&mut value);
            let value = document.add_object(value);
            let field = document.add_object(dictionary! { "T" => Object::string_literal("BSN"), "V" => value });
            set_in_catalog(document, "AcroForm", dictionary! { "Fields" => vec![field.into()] });
        })
    };
    assert!(holds(&read("x.pdf", octets(|value| value.compress().unwrap())), "BSN: 111222333 en veel meer"));
    let broken = read("x.pdf", octets(|value| value.dict.set("Filter", "DCTDecode")));
    assert_eq!(problems(&broken), ["damaged pdf"]);
}

#[test]
fn an_encrypted_pdf_is_told() {
    let octets = pdf_with(&[b"BT /F1 10 Tf (x) Tj ET"], |document, _| {
        let standard = dictionary! { "Filter" => "Standard", "V" => 1, "R" => 2, "P" => -4, "O" => Object::string_literal([1u8; 32]), "U" => Object::string_literal([2u8; 32]) };
        let standard = document.add_object(standard);
        document.trailer.set("ID", vec![Object::string_literal("a"), Object::string_literal("a")]);
        document.trailer.set("Encrypt", standard);
    });
    assert_eq!(problems(&read("x.pdf", octets)), ["encrypted pdf"]);
}
