//! Rich text.

use super::{ProblemKind, has_problem, holds, problems, read, texts};
use crate::extract::{Source, Span};

/// The body of `rtf`, read.
fn body(rtf: &str) -> String {
    body_of(rtf.as_bytes())
}

fn body_of(rtf: &[u8]) -> String {
    let extraction = read("x.rtf", rtf.to_vec());
    assert_eq!(problems(&extraction), Vec::<String>::new(), "{rtf:?}");
    texts(&extraction).into_iter().next().map(|(_, text)| text).unwrap_or_default()
}

#[test]
fn numbers_run_on_over_formatting_and_stop_at_breaks() {
    assert_eq!(body(r"{\rtf1\ansi BSN {\b 111}\i0 222\i 333\par volgende}"), "BSN 111222333\nvolgende");
    assert_eq!(body(r"{\rtf1\trowd naam\cell 111222333\cell\row Jan\cell 12\cell\row na}"), "naam\t111222333\t\nJan\t12\t\nna");
    assert_eq!(body("{\\rtf1 een\\tab twee\\line drie\\\nvier\\~vijf}"), "een\ttwee\ndrie\nvier\u{A0}vijf");
    assert_eq!(body("{\\rtf1 111\r\n222\n333 \\{\\\\\\}}"), "111222333 {\\}");
}

#[test]
fn letters_of_every_charset() {
    assert_eq!(body(r"{\rtf1\ansi\ansicpg1250 \'e8esk\'fd}"), "český");
    assert_eq!(
        body(r"{\rtf1\ansicpg1252{\fonttbl{\f0 A;}{\f1\fcharset238 B;}{\f2\fcharset128 C;}}\f0 \'e8\f1\'e8\f2\'83e\'83\'58\f0 x}"),
        "èčテスx"
    );
    assert_eq!(body(r"{\rtf1{\fonttbl{\f3\fcharset204 A;}}\deff3{\fonttbl{\f3\fcharset204 A;}}\plain \'cf\'f0}"), "Пр");
    // `\u` and what stands in for it: signed, in pairs, of any length.
    assert_eq!(body(r"{\rtf1\uc1 caf\u233\'e9 \u-10179?\u-9011?\uc0\u8364 5{\uc2\u233\'c3\'a9}\uc1 \u-4051?}"), "café \u{1F4CD}€5é-");
    assert_eq!(body(r"{\rtf1{\upr{\'e9}{\*\ud{\u233?}}} x}"), "é x");
}

#[test]
fn what_travels_beside_the_text_is_read_and_does_not_break_it() {
    let rtf = r"{\rtf1{\info{\title Dossier}{\*\company Zorg}{\doccomm BSN 100000009}}{\*\userprops{\propname Zaak}\proptype30{\staticval 77}}
{\header kop}{\*\generator Riched}{\*\onbekend niet te lezen}{\stylesheet{\s1 Standaard;}}
111{\footnote noot 5}222{\*\annotation{\*\atnauthor Jan} let op}333
{\field{\*\fldinst{HYPERLINK http://x.example/?bsn=111222333}}{\fldrslt link}}{\v verborgen}{\deleted weg}
{\shp{\*\shpinst{\sp{\sn shapeType}{\sv 75}}{\sp{\sn wzDescription}{\sv een foto}}{\shptxt in het vak}}}
{\*\docvar {naam}{waarde}}{\field{\*\fldinst FORMTEXT}{\*\formfield{\ffname veld}{\*\ffdeftext standaard}}}}";
    let extraction = read("x.rtf", rtf.as_bytes().to_vec());
    assert_eq!(problems(&extraction), Vec::<String>::new());
    let found = texts(&extraction);
    assert_eq!(found[0].1, "111222333linkverborgenweg", "{found:?}");
    assert!(found.iter().any(|(_, t)| t == "111222333link"), "without what is hidden: {found:?}");
    let hidden: Vec<_> = extraction.texts.iter().find(|t| t.text == found[0].1).unwrap().spans.clone();
    assert_eq!(hidden, [(13..25, Span::Hidden)]);
    for expected in ["kop", "noot 5", "let op", "Jan", "?bsn=111222333", "een foto", "in het vak", "naam\nwaarde", "veld\nstandaard"] {
        assert!(holds(&extraction, expected), "{expected}: {extraction:#?}");
    }
    assert!(!holds(&extraction, "Riched") && !holds(&extraction, "niet te lezen") && !holds(&extraction, "Standaard;"));
    let properties = extraction.texts.iter().find(|t| t.source == Source::Properties).unwrap();
    assert_eq!(properties.text, "title: Dossier\ncompany: Zorg\ncomment: BSN 100000009\nZaak: 77\n");
    let places: Vec<_> = extraction.texts.iter().filter_map(|t| t.place(0)).collect();
    assert!(places.contains(&"note".to_owned()) && places.contains(&"page 1".to_owned()), "{places:?}");
}

#[test]
fn html_in_disguise_is_read_as_html() {
    let rtf = r"{\rtf1\ansi\ansicpg1252\fromhtml1 {\*\htmltag64 <html>}{\*\htmltag64 <p>}BSN 111{\*\htmltag84 <b>}\htmlrtf {\b 9\htmlrtf0 222{\*\htmltag84 </b>}\htmlrtf }\htmlrtf0 333{\*\htmltag84 &euro;}{\*\mhtmltag84 niet}\par{\*\htmltag72 </p>}}";
    let extraction = read("x.rtf", rtf.as_bytes().to_vec());
    assert_eq!(texts(&extraction)[0].1.trim(), "BSN 111222333€");
    assert!(!holds(&extraction, "niet") && extraction.texts.iter().any(|t| t.text == "9"), "{extraction:?}");
}

/// A file in OLE 1's packaging (MS-OLEDS, 2.2.5), as hex.
fn object(class: &str, data: &[u8]) -> String {
    let text = |s: &str| [&(s.len() as u32 + 1).to_le_bytes()[..], s.as_bytes(), b"\0"].concat();
    let octets = [&b"\x01\x05\0\0\x02\0\0\0"[..], &text(class), &text(""), &text(""), &(data.len() as u32).to_le_bytes(), data].concat();
    octets.iter().map(|o| format!("{o:02x}")).collect()
}

#[test]
fn objects_and_pictures_are_members() {
    let package = [&b"\x02\0geheim.txt\0C:\\geheim.txt\0\0\0\x03\0\x04\0\0\0C:\\\0\x0d\0\0\0BSN 111222333"[..], b"\0\0"].concat();
    let rtf = format!(
        r"{{\rtf1{{\object\objemb{{\*\objclass Package}}{{\*\objdata {}}}{{\result{{\pict\wmetafile8 00}}}}}}}}",
        object("Package", &package)
    );
    let extraction = read("x.rtf", rtf.into_bytes());
    assert!(
        extraction.texts.iter().any(|t| t.part == "attachment \"x.rtf\" > \"geheim.txt\"" && t.text == "BSN 111222333"),
        "{extraction:?}"
    );
    let rtf = format!(r"{{\rtf1{{\*\objdata {}}}}}", object("Blad", b"BSN 111222333"));
    assert!(holds(&read("x.rtf", rtf.into_bytes()), "BSN 111222333"));
    let raw = [&br"{\rtf1{\*\objdata\bin13 "[..], b"BSN 111222333}}"].concat();
    assert!(holds(&read("x.rtf", raw), "BSN 111222333"));
    let scan = "89504e470d0a1a0a0000000d49484452000003e8000003e8";
    let extraction = read("x.rtf", format!(r"{{\rtf1{{\*\shppict{{\pict\pngblip {scan}}}}}{{\nonshppict{{\pict\wmetafile8 00}}}}}}"));
    assert_eq!(problems(&extraction), ["unsupported image"]);
    let metafile = read("x.rtf", r"{\rtf1{\pict\emfblip\picwgoal9000\pichgoal9000 00}}");
    assert_eq!(problems(&metafile), ["unsupported image"]);
}

#[test]
fn millions_of_braces_need_no_stack() {
    let rtf = format!("{{\\rtf1 voor {}diep 111222333{} na}}", "{".repeat(3_000_000), "}".repeat(3_000_000));
    let extraction = read("x.rtf", rtf);
    assert!(has_problem(&extraction, ProblemKind::TooDeep, "groups") && extraction.problems.len() == 1, "{:?}", extraction.problems);
    assert!(holds(&extraction, "voor diep 111222333 na"));
}

#[test]
fn broken_rtf_is_told_and_read() {
    for rtf in
        ["{\\rtf1 BSN 111222333", "{\\rtf1 BSN 111222333\\", "{\\rtf1 BSN 111222333\\'x}", "{\\rtf1 BSN 111222333{\\*\\objdata\\bin99 x}}"]
    {
        let extraction = read("x.rtf", rtf);
        assert!(has_problem(&extraction, ProblemKind::Damaged, "rtf") && holds(&extraction, "BSN 111222333"), "{rtf}");
    }
    assert!(holds(&read("x.rtf", "{\\rtf1 x}BSN 111222333"), "BSN 111222333"));
    assert!(holds(&read("x.rtf", "{\\rtf1{\\uc99\\u65 12345678BSN 111222333}}"), "BSN 111222333"));
    // A program that goes by the name shows it as text.
    assert!(holds(&read("x.txt", "{\\rt{\\*\\geheim BSN 111222333}}"), "BSN 111222333"));
}

#[test]
fn a_font_table_cut_short_swallows_no_text() {
    let text = "Het gaat om de heer Jansen uit Ede, die daar al lang woont. ".repeat(3);
    let rtf = format!("{{\\rtf1{{\\fonttbl{{\\f0\\fswiss Aria{text}BSN 111222333}}}}}}");
    assert!(holds(&read("x.rtf", rtf), "BSN 111222333"));
    let named = read("x.rtf", format!("{{\\rtf1{{\\fonttbl{}}}x}}", "{\\f0\\fnil Times New Roman;}".repeat(20)));
    assert_eq!(named.texts.iter().filter(|text| text.text.contains("Times")).count(), 0, "{named:?}");
}

#[test]
fn a_table_of_lists_that_lost_its_end_swallows_no_text() {
    let rtf = "{\\rtf1{\\*\\listtable{\\list{\\listlevel\\li720{\\leveltext 7}}\\pard\\plain{\\b BSN} 111222333\\par}}";
    let extraction = read("x.rtf", rtf);
    assert!(holds(&extraction, "BSN 111222333"), "{extraction:?}");
    assert!(holds(&extraction, "7"), "the label of a level: {extraction:?}");
}
