//! Office documents made to hurt, and cut off; what is told of them.

use super::{docx, has_problem, holds, problems, read, read_within, texts, zip, zip_stored};
use crate::extract::{Limits, ProblemKind};
use std::io::Write;

fn slides(count: usize) -> Vec<(String, Vec<u8>)> {
    let ids: String = (0..count).map(|i| format!(r#"<sldId id="{i}" r:id="r{i}"/>"#)).collect();
    let relation = |i| format!(r#"<Relationship Id="r{i}" Type="x/slide" Target="slides/slide{i}.xml"/>"#);
    let mut members = vec![
        ("[Content_Types].xml".into(), b"<Types/>".to_vec()),
        ("ppt/presentation.xml".into(), format!("<presentation><sldIdLst>{ids}</sldIdLst></presentation>").into_bytes()),
        (
            "ppt/_rels/presentation.xml.rels".into(),
            format!("<Relationships>{}</Relationships>", (0..count).map(relation).collect::<String>()).into_bytes(),
        ),
    ];
    for i in 0..count {
        members.push((format!("ppt/slides/slide{i}.xml"), format!("<sld><p><r><t>dia {i} van {count}</t></r></p></sld>").into_bytes()));
    }
    members
}

fn packed(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    zip(&members.iter().map(|(name, octets)| (name.as_str(), octets.as_slice())).collect::<Vec<_>>())
}

fn ods(content: &str) -> Vec<u8> {
    let content = format!("<document-content><body><spreadsheet>{content}</spreadsheet></body></document-content>");
    zip(&[("META-INF/manifest.xml", b"<manifest/>"), ("content.xml", content.as_bytes())])
}

#[test]
fn a_repeated_cell_is_said_once() {
    let row = "<table-row number-rows-repeated='1048576'><table-cell number-columns-repeated='16384' value-type='string'><p>woord</p></table-cell></table-row>";
    let extraction = read("x.ods", ods(&format!("<table name='a'>{}</table>", row.repeat(3))));
    assert_eq!(problems(&extraction), Vec::<String>::new());
    let sheet = extraction.texts.iter().find(|t| t.text.contains("woord")).unwrap();
    assert_eq!((sheet.text.as_str(), sheet.place(14).as_deref()), ("woord\nwoord\nwoord", Some("sheet 1, A2097153")));
}

#[test]
fn a_sheet_that_ends_in_a_cell_tells_the_cell() {
    let open = zip(&[
        ("META-INF/manifest.xml", b"<manifest/>".as_slice()),
        ("content.xml", b"<c><spreadsheet><table><table-row><table-cell><p>begin"),
    ]);
    let extraction = read("x.ods", open);
    assert!(holds(&extraction, "begin") && has_problem(&extraction, ProblemKind::Damaged, "xml"));
}

#[test]
fn too_many_cells_of_any_sheet_are_told() {
    let limits = Limits { cells: 10, ..Limits::default() };
    let cells = "<table-row><table-cell value-type='float' value='1'/></table-row>".repeat(20);
    let extraction = read_within("x.ods", ods(&format!("<table name='a'>{cells}</table>")), &limits);
    assert!(has_problem(&extraction, ProblemKind::TooLarge, "cells"), "{:?}", problems(&extraction));
}

#[test]
fn an_encrypted_opendocument_is_told_whoever_packed_it() {
    let manifest =
        "<manifest><file-entry full-path='content.xml'><encryption-data/></file-entry><file-entry full-path='meta.xml'/></manifest>";
    let octets = zip(&[
        ("content.xml", b"\x8f\x02\x99niets"),
        ("meta.xml", b"<meta><title>open</title></meta>"),
        ("META-INF/manifest.xml", manifest.as_bytes()),
    ]);
    let extraction = read("x.odt", octets);
    assert_eq!(problems(&extraction), ["encrypted odf"]);
    assert!(holds(&extraction, "title: open") && !holds(&extraction, "niets"));
}

#[test]
fn documents_stored_in_an_archive_make_no_document_of_it() {
    let inner = zip_stored(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<d><p><r><t>brief</t></r></p></d>")]);
    let sheet = zip_stored(&[("META-INF/manifest.xml", b"<m/>"), ("content.xml", b"<c><text><p>blad</p></text></c>")]);
    for inner in [inner, sheet] {
        let extraction = read("x.zip", zip_stored(&[("a.bin", &inner), ("b.xml", b"<client bsn='111222333'/>")]));
        assert!(holds(&extraction, "<client bsn='111222333'/>"), "{extraction:?}");
        assert!(
            extraction.texts.iter().any(|t| t.part.ends_with("> \"a.bin\"") && (t.text == "brief" || t.text == "blad")),
            "{extraction:?}"
        );
    }
}

#[test]
fn what_is_no_xml_at_all_is_damage() {
    let octets = zip(&[("META-INF/manifest.xml", b"<manifest/>"), ("content.xml", b"ruis zonder een enkel element")]);
    assert!(has_problem(&read("x.odt", octets), ProblemKind::Damaged, "xml"));
}

#[test]
fn a_circle_of_relationships_ends_and_each_part_is_said_once() {
    let mut members = slides(2);
    let circle = r#"<Relationships><Relationship Id="a" Type="x/notesSlide" Target="slide1.xml"/><Relationship Id="b" Type="x/notesSlide" Target="slide0.xml"/></Relationships>"#;
    members.push(("ppt/slides/_rels/slide0.xml.rels".into(), circle.into()));
    members.push(("ppt/slides/_rels/slide1.xml.rels".into(), circle.into()));
    let extraction = read("x.pptx", packed(&members));
    let all: String = texts(&extraction).into_iter().map(|(_, text)| text).collect();
    assert_eq!((all.matches("dia 0").count(), all.matches("dia 1").count()), (1, 1));
    assert_eq!(problems(&extraction), Vec::<String>::new());
}

#[test]
fn of_a_bomb_the_start_is_read_and_the_rest_told() {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let mut member = |name: &str, text: &str, mebibytes: usize| {
        writer.start_file(name, options).unwrap();
        writer.write_all(text.as_bytes()).unwrap();
        (0..mebibytes).for_each(|_| writer.write_all(&[b' '; 1 << 20]).unwrap());
    };
    member("[Content_Types].xml", "<Types/>", 0);
    member("word/document.xml", "<document><p><r><t>begin</t></r></p>", 600);
    member("word/header1.xml", "<header><p><r><t>kop</t></r></p></header>", 0);
    let octets = writer.finish().unwrap().into_inner();
    let extraction = read("x.docx", octets);
    assert!(has_problem(&extraction, ProblemKind::TooLarge, "member"), "{:?}", problems(&extraction));
    assert!(holds(&extraction, "begin") && holds(&extraction, "kop"));
}

#[test]
fn two_million_elements_are_read() {
    let body = "<w:p><w:r/></w:p>".repeat(1_000_000) + "<w:p><w:r><w:t>slot</w:t></w:r></w:p>";
    let limits = Limits { ratio: u64::MAX, ..Limits::default() };
    assert!(holds(&read_within("x.docx", docx(&body, &[]), &limits), "slot"));
}

#[test]
fn sensitivity_labels_and_data_models_are_told() {
    let labels = r#"<labelList><label id="{0f2a}" enabled="1" method="Privileged"/></labelList>"#;
    let extraction = read("x.docx", docx("", &[("docMetadata/LabelInfo.xml", labels.as_bytes()), ("xl/model/item.data", b"PK")]));
    assert!(holds(&extraction, "MSIP_Label_0f2a_Enabled: 1\n"));
    assert!(has_problem(&extraction, ProblemKind::Unsupported, "data-model"));
}

/// Cut short at every hundredth, or with an octet flipped: never silent, never a panic.
#[test]
fn cut_off_office_documents_are_told() {
    let rows: String = (0..300)
        .map(|i| format!("<table-row><table-cell value-type='float' value='{}'><p>{i}</p></table-cell></table-row>", i * 7919))
        .collect();
    let flat = format!(
        "<?xml version='1.0'?><office:document xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0'><spreadsheet><table>{rows}</table></spreadsheet></office:document>"
    );
    let files =
        [("x.ods", ods(&format!("<table name='a'>{rows}</table>"))), ("x.pptx", packed(&slides(20))), ("x.fods", flat.into_bytes())];
    for (name, octets) in files {
        assert_eq!(problems(&read(name, octets.clone())), Vec::<String>::new(), "{name} whole");
        for percent in 4..100 {
            let cut = octets[..octets.len() * percent / 100].to_vec();
            assert!(!read(name, cut).problems.is_empty(), "{name} at {percent} %");
        }
        for at in (0..octets.len()).step_by((octets.len() / 150).max(1)) {
            let mut flipped = octets.clone();
            flipped[at] ^= 0x55;
            read(name, flipped);
        }
    }
}
