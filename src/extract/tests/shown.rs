//! What an ordinary program shows is read or told, in whatever way it is shown: the tricks of somebody who wants it to pass.

use super::{
    formats::pdf::{pdf, pdf_with},
    has_problem, holds, problems, read,
};
use crate::extract::{Extraction, ProblemKind};
use lopdf::{Dictionary, Document, Object, ObjectId, Stream, dictionary};

const BSN: &str = "111222333";
const WRITTEN: &str = "BT /F1 12 Tf 50 700 Td (BSN 111222333) Tj ET";

fn is_unread(octets: Vec<u8>) -> bool {
    has_problem(&read("x.pdf", octets), ProblemKind::Unsupported, "scanned-pages")
}

fn image(document: &mut Document, resources: &mut Dictionary, side: i64) {
    let image = dictionary! { "Subtype" => "Image", "Width" => side, "Height" => side };
    let image = document.add_object(Stream::new(image, vec![0; 9]));
    resources.set("XObject", dictionary! { "A" => image });
}

/// A page that shows an image of so many pixels on either side.
fn shows(content: &str, side: i64) -> Vec<u8> {
    pdf_with(&[content.as_bytes()], |document, resources| image(document, resources, side))
}

#[test]
fn a_picture_on_a_page_counts_as_elsewhere() {
    let letter = "BT /F1 12 Tf 50 700 Td (Geachte heer, hierbij een kopie van het paspoort.) Tj ET ";
    for place in ["q 240 0 0 150 0 0 cm /A Do Q", "q 600 0 0 800 0 0 cm /A Do Q"] {
        assert!(is_unread(shows(place, 500)), "{place}");
        assert!(is_unread(shows(&[letter, place].concat(), 500)), "{place}");
        assert!(!is_unread(shows(&[letter, place].concat(), 499)), "a logo");
    }
    // A scan with its text under it, which nobody sees.
    assert!(!is_unread(shows(&["3 Tr ", letter, "q 600 0 0 800 0 0 cm /A Do Q"].concat(), 500)));
    let inline = |side: u32| pdf(&[&format!("{letter} BI /W {side} /H {side} ID x EI ")]);
    assert!(is_unread(inline(500)) && !is_unread(inline(499)));
}

#[test]
fn letters_drawn_as_outlines_are_told() {
    let outlines = |count: usize| format!("0 0 m {} f", "1 2 3 4 5 6 c ".repeat(count));
    assert!(is_unread(pdf(&[&outlines(200)])));
    assert!(!is_unread(pdf(&[&outlines(150)])), "a logo");
    assert!(!is_unread(pdf(&[&format!("{} BT /F1 12 Tf 50 700 Td (een tekening met een bijschrift) Tj ET", outlines(200))])));
}

#[test]
fn a_number_without_meaning_is_told_however_much_stands_around_it() {
    let page = |digits: usize| {
        let letter = "BT /F1 12 Tf 50 700 Td (Een brief van ongeveer honderd letters, zodat hier heel veel te lezen is, meer dan genoeg, en nog wat meer) Tj ET";
        let content = format!("{letter} BT /F2 12 Tf 50 600 Td <{}> Tj ET", "0001".repeat(digits));
        read(
            "x.pdf",
            pdf_with(&[content.as_bytes()], |document, resources| {
                let below = document.add_object(dictionary! { "Type" => "Font", "Subtype" => "CIDFontType2" });
                let font = dictionary! { "Type" => "Font", "Subtype" => "Type0", "Encoding" => "Identity-H", "DescendantFonts" => vec![below.into()] };
                let mut fonts = resources.get(b"Font").and_then(Object::as_dict).unwrap().clone();
                fonts.set("F2", font);
                resources.set("Font", fonts);
            }),
        )
    };
    assert_eq!(problems(&page(8)), ["unsupported unmapped-glyphs"]);
    assert_eq!(problems(&page(7)), [""; 0]);
}

/// A stream that writes the number in a font of its own resources.
fn writing(document: &mut Document, mut dictionary: Dictionary, content: &str) -> ObjectId {
    let font = dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica" };
    dictionary.set("Resources", dictionary! { "Font" => dictionary! { "F1" => font } });
    document.add_object(Stream::new(dictionary, content.into()))
}

#[test]
fn what_glyphs_and_patterns_of_forms_write_is_read() {
    let pattern = pdf_with(&[b"/A Do"], |document, resources| {
        let pattern = writing(document, dictionary! { "PatternType" => 1 }, WRITTEN);
        let own = dictionary! { "Pattern" => dictionary! { "P" => pattern } };
        let form = dictionary! { "Subtype" => "Form", "Resources" => own };
        let form = document.add_object(Stream::new(form, b"/Pattern cs /P scn 0 0 600 800 re f".to_vec()));
        resources.set("XObject", dictionary! { "A" => form });
    });
    assert!(holds(&read("x.pdf", pattern), BSN));
    let glyph = pdf_with(&[b"BT /F3 12 Tf (A) Tj ET"], |document, resources| {
        let procedure = writing(document, Dictionary::new(), WRITTEN);
        let font = dictionary! { "Type" => "Font", "Subtype" => "Type3", "CharProcs" => dictionary! { "A" => procedure } };
        resources.set("Font", dictionary! { "F3" => font });
    });
    assert!(holds(&read("x.pdf", glyph), BSN));
}

#[test]
fn a_font_that_is_not_embedded_draws_what_its_encoding_says() {
    let map = "begincmap 1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfrange <30> <39> <0061> endbfrange endcmap";
    let extraction = read(
        "x.pdf",
        pdf_with(&[WRITTEN.as_bytes()], |document, resources| {
            let map = document.add_object(Stream::new(Dictionary::new(), map.into()));
            let font = dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "Helvetica", "Encoding" => "WinAnsiEncoding", "ToUnicode" => map };
            resources.set("Font", dictionary! { "F1" => font });
        }),
    );
    assert!(holds(&extraction, "BSN 111222333") && holds(&extraction, "BSN bbbcccddd"), "{:?}", extraction.texts);
}

#[test]
fn what_other_readers_may_find_and_this_one_does_not_is_damaged() {
    let nothing = read("x.pdf", pdf(&["BT /F1 12 Tf 50 700 Td (een brief) Tj ET /A Do"]));
    assert_eq!(problems(&nothing), ["damaged pdf"]);
    assert_eq!(problems(&read("x.pdf", pdf(&[&"q ".repeat(257)]))), ["damaged pdf"]);
    assert_eq!(problems(&read("x.pdf", pdf(&[&"q ".repeat(256)]))), [""; 0]);
}

fn page(html: &str) -> Extraction {
    read("p.html", format!("<html>{html}"))
}

#[test]
fn what_a_style_sheet_shows_is_read() {
    for html in [
        r#"<style>p::before{content:"BSN \31\31\31\32\32\32\33 33"}</style>"#,
        r#"<style>p::before{content:"BSN 111" "222" '333'}</style>"#,
        r#"<style>:root{--x:"BSN 111222333"} p::before{content:var(--x)}</style>"#,
        r#"<style>p::before{content:attr( zzz )}</style><p zzz="BSN 111222333">"#,
        r#"<style>p{counter-reset:x 111222333}</style>"#,
        r#"<style>li{list-style-type:"BSN 111222333"}</style>"#,
        r#"<li style="color:red;list-style-type:'BSN 111222333'">"#,
        "<ol start=111222333><li>",
        r#"<iframe srcdoc="BSN 111&lt;b&gt;222333">"#,
    ] {
        assert!(holds(&page(html), BSN), "{html}");
    }
    assert!(!holds(&page("<style>@font-face{panose-1:111222333}</style><p zzz=111222333>x"), BSN));
}

#[test]
fn files_in_links_are_found_wherever_a_browser_takes_them() {
    // A GIF of 500 by 500 pixels.
    let link = "image/gif;base64,R0lGODlh9AH0AQAAAA==";
    for html in [
        format!("<img src='data:{link}'>"),
        format!("<img src='data:{}'>", link.replace(';', "; ")),
        format!("<img src='da\nta:{link}'>"),
        format!("<video poster='data:{link}'>"),
        format!("<p style='background:url(data:{link})'>"),
        format!("<style>p{{background:url(\"DATA:{link}\")}}</style>"),
        format!("<script>x = 'data:{link}'</script>"),
    ] {
        assert_eq!(problems(&page(&html)), ["unsupported image"], "{html}");
    }
}

#[test]
fn entities_of_a_documents_own_are_told() {
    let own = "<?xml version='1.0'?><!DOCTYPE html [<!ENTITY a '111'><!ENTITY b '222333'>]><html>BSN &a;&b;</html>";
    for name in ["a.xhtml", "a.html", "a.xml", "a.svg"] {
        assert_eq!(problems(&read(name, own)), ["damaged xml"], "{name}");
    }
    assert!(holds(&read("a.html", "<!DOCTYPE html [<!ENTITY a 'BSN 111222333'>]><html>&a;</html>"), BSN));
    let spaces = "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY ns 'http://ns.example/'>]><x>een</x>";
    assert_eq!(problems(&read("a.xml", spaces)), [""; 0]);
}

#[test]
fn labels_of_lists_in_rtf_are_read() {
    let list = r"{\rtf1{\*\listtable{\list{\listlevel{\leveltext\'0dBSN 111222333;}{\levelnumbers;}}}}een}";
    assert!(holds(&read("a.rtf", list), BSN));
    assert!(holds(&read("a.rtf", r"{\rtf1{\*\pn\pndec{\pntxtb BSN 111222333 }}een}"), BSN));
}

#[test]
fn a_picture_is_as_large_as_programs_show_it() {
    let gif =
        |screen: u8| [b"GIF89a".as_slice(), &[screen, 0, screen, 0, 0, 0, 0], b"!\xFE\x01x\0,\0\0\0\0\xF4\x01\xF4\x01\0\x02\0;"].concat();
    assert_eq!(problems(&read("a.gif", gif(9))), ["unsupported image"]);
    // Its height is told behind its pixels.
    let jpeg = b"\xFF\xD8\xFF\xC0\0\x0B\x08\0\0\x09\0\x01\x01\x11\0\xFF\xD9".to_vec();
    assert_eq!(problems(&read("a.jpg", jpeg)), ["damaged image"]);
}

#[test]
fn what_a_pdf_says_beside_its_pages_is_read() {
    let with = |object: Dictionary| {
        read(
            "x.pdf",
            pdf_with(&[b""], |document, _| {
                document.add_object(object);
            }),
        )
    };
    let text = || Object::string_literal("BSN 111222333");
    for object in [
        dictionary! { "S" => "JavaScript", "JS" => text() },
        dictionary! { "Nums" => vec![0.into(), dictionary! { "P" => text() }.into()] },
        dictionary! { "MK" => dictionary! { "CA" => text() } },
        dictionary! { "Type" => "OCG", "Name" => text() },
        dictionary! { "V" => dictionary! { "Type" => "Sig", "Reason" => text() } },
        dictionary! { "Type" => "Filespec", "Desc" => text() },
        dictionary! { "Parent" => 1, "Title" => text() },
    ] {
        assert!(holds(&with(object.clone()), "BSN 111222333"), "{object:?}");
    }
    let stream = |dictionary: Dictionary, content: &str| {
        let stream = Stream::new(dictionary, content.into());
        read(
            "x.pdf",
            pdf_with(&[b""], |document, _| {
                let id = document.add_object(stream);
                document.add_object(dictionary! { "JS" => id });
            }),
        )
    };
    assert!(holds(&stream(Dictionary::new(), "app.alert('BSN 111222333')"), "BSN 111222333"));
    assert!(holds(&stream(dictionary! { "Type" => "Metadata" }, "<dc:title>BSN &#49;11222333</dc:title>"), "BSN 111222333"));
}

#[test]
fn a_page_that_calls_itself_something_else_is_told() {
    let hidden = |kind: &str| {
        let octets = pdf_with(&[b"", WRITTEN.as_bytes()], |_, _| {});
        let mut document = Document::load_mem(&octets).unwrap();
        let last = document.page_iter().last().unwrap();
        document.get_dictionary_mut(last).unwrap().set("Type", kind);
        let parent = document.get_dictionary(last).and_then(|page| page.get(b"Parent")?.as_reference()).unwrap();
        document.get_dictionary_mut(parent).unwrap().set("Count", 1);
        let mut octets = Vec::new();
        document.save_to(&mut octets).unwrap();
        problems(&read("x.pdf", octets))
    };
    assert_eq!(hidden("Pagx"), ["damaged pages"]);
    assert_eq!(hidden("Page"), [""; 0]);
}

#[test]
fn a_photo_of_a_telephones_screen_is_a_picture_that_may_show_text() {
    let png = |width: u32, height: u32| {
        let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
        problems(&read("a.png", [b"\x89PNG\r\n\x1A\n\0\0\0\x0DIHDR".as_slice(), &sides, &[8, 0, 0, 0, 0]].concat()))
    };
    for (width, height) in [(480, 800), (300, 834), (2000, 300)] {
        assert_eq!(png(width, height), ["unsupported image"], "{width} {height}");
    }
    for (width, height) in [(300, 833), (299, 4000), (1600, 200)] {
        assert_eq!(png(width, height), [""; 0], "{width} {height}");
    }
}

#[test]
fn letters_that_are_placed_one_by_one_are_a_word_too() {
    let each = |before: &str, behind: &str, text: &str| text.chars().map(|c| format!("{before}{c}{behind}")).collect::<String>();
    let digits = |text: &str| page(&each("<div style='float:left'>", "</div>", text));
    assert!(holds(&digits(BSN), BSN));
    assert!(!holds(&digits("1112223"), "1112223"), "the marks of a list");
    let svg = ["<svg>", &each("<text x='1'>", "</text>", "BSN111222333"), "</svg>"].concat();
    assert!(holds(&read("a.svg", svg), "BSN111222333"));
}
