//! Word, Excel, ZIP.

use super::{docx, has_problem, holds, problems, read, texts, xlsx, zip};
use crate::extract::{ProblemKind, Source, Span};

fn paragraph(runs: &str) -> String {
    format!("<w:p>{runs}</w:p>")
}

fn run(text: &str) -> String {
    format!("<w:r><w:t>{text}</w:t></w:r>")
}

#[test]
fn runs_join_and_paragraphs_and_cells_break() {
    let cell = |t: &str| format!("<w:tc>{}</w:tc>", paragraph(&run(t)));
    let table = format!("<w:tbl><w:tr>{}{}</w:tr><w:tr>{}{}</w:tr></w:tbl>", cell("Naam"), cell("BSN"), cell("A"), cell("111222333"));
    let body = [
        paragraph(&(run("111") + &run("222") + &run("333"))),
        paragraph("<w:pPr><w:tabs><w:tab w:val='x'/></w:tabs></w:pPr><w:r><w:t>a</w:t><w:tab/><w:t>b &amp; c</w:t></w:r>"),
        table,
    ]
    .concat();
    assert_eq!(texts(&read("x.docx", docx(&body, &[])))[0].1, "111222333\na\tb & c\nNaam\tBSN\nA\t111222333");
}

#[test]
fn deleted_and_hidden_text_is_read_and_the_visible_besides() {
    let body = paragraph(
        &(run("111")
            + "<w:del><w:r><w:delText>999</w:delText></w:r></w:del><w:r><w:rPr><w:vanish/></w:rPr><w:t>8</w:t></w:r>"
            + &run("222333")),
    );
    let extraction = read("x.docx", docx(&body, &[]));
    let told: Vec<_> = texts(&extraction).into_iter().map(|(_, t)| t).collect();
    assert_eq!(told, ["1119998222333", "111222333"]);
    assert_eq!(extraction.texts[1].spans, [(3..7, Span::Hidden)]);
}

#[test]
fn every_part_of_a_document_is_read() {
    let wrap = |t: &str| format!("<w:x xmlns:w='w'><w:p><w:r><w:t>{t}</w:t></w:r></w:p></w:x>");
    let (header, comment, note) = (wrap("kop 1"), wrap("opmerking 2"), wrap("noot 3"));
    let rels = "<Relationships><Relationship TargetMode='External' Target='https://x.example/4'/></Relationships>";
    let core = "<cp:coreProperties><dc:title>titel 5</dc:title></cp:coreProperties>";
    let inner = zip(&[("diep.txt", b"diep 6")]);
    let extraction = read(
        "x.docx",
        docx(
            &(paragraph(&run("tekst")) + "<w:p><w:r><wp:docPr descr='alt 7'/></w:r></w:p>"),
            &[
                ("word/header1.xml", header.as_bytes()),
                ("word/comments.xml", comment.as_bytes()),
                ("word/footnotes.xml", note.as_bytes()),
                ("word/_rels/document.xml.rels", rels.as_bytes()),
                ("docProps/core.xml", core.as_bytes()),
                ("word/embeddings/x.zip", &inner),
            ],
        ),
    );
    for text in ["kop 1", "opmerking 2", "noot 3", "https://x.example/4", "title: titel 5", "diep 6", "alt 7"] {
        assert!(holds(&extraction, text), "{text}");
    }
    assert!(extraction.texts.iter().any(|t| t.part == "attachment \"x.docx\" > \"word/embeddings/x.zip\" > \"diep.txt\""));
    let title = extraction.texts.iter().find(|t| t.text.contains("titel 5")).unwrap();
    assert_eq!(title.source, Source::Properties);
    let header = extraction.texts.iter().find(|t| t.text == "kop 1").unwrap();
    assert_eq!(header.place(0).as_deref(), Some("header 1"));
    assert_eq!(problems(&extraction), Vec::<String>::new());
}

#[test]
fn pages_of_a_document_begin_at_its_breaks() {
    let body = [paragraph(&run("een")), paragraph("<w:r><w:br w:type='page'/></w:r>"), paragraph(&run("twee"))].concat();
    let extraction = read("x.docx", docx(&body, &[]));
    let text = &extraction.texts[1];
    assert_eq!(text.place(0).as_deref(), Some("page 1"));
    assert_eq!(text.place(text.text.find("twee").unwrap()).as_deref(), Some("page 2"));
}

#[test]
fn cells_give_all_forms_of_a_number() {
    let rows = "<row r='1'><c r='A1' t='s'><v>0</v></c><c r='C1' t='s'><v>1</v></c></row>\
                <row r='14'><c r='A14' s='1'><v>12345672</v></c><c r='C14'><v>111222333</v></c></row>\
                <row r='15'><c r='A15' s='2'><v>44927</v></c><c r='B15'><v>1234567</v></c><c r='C15'><v>0.5</v></c></row>";
    let extraction = read("x.xlsx", xlsx(rows, &["Naam", "BSN", "verwijderd"], &[]));
    assert_eq!(problems(&extraction), Vec::<String>::new());
    let sheet = extraction.texts.iter().find(|t| t.text.starts_with("Naam\tBSN")).unwrap();
    assert_eq!(
        sheet.text,
        "Naam\tBSN\n12345672\u{1F}012345672\u{1F}012345672\t111222333\n44927\u{1F}01-01-2023\u{1F}2023-01-01 00:00:00\t1234567\u{1F}001234567\t0.5"
    );
    assert_eq!(sheet.place(sheet.text.find("111222333").unwrap()).as_deref(), Some("sheet 1, C14"));
    let padded = sheet.spans.iter().filter(|(_, s)| *s == Span::Padded).map(|(r, _)| &sheet.text[r.clone()]);
    assert_eq!(padded.collect::<Vec<_>>(), ["012345672", "001234567"]);
    assert!(holds(&extraction, "Cliënten") && holds(&extraction, "verwijderd"));
}

#[test]
fn what_stands_beside_the_cells_is_read() {
    let sheet = "<?xml version='1.0'?><worksheet xmlns='m'><sheetData><row r='1'><c r='A1' t='str'><f>CONCATENATE(\"BSN 111222333\",B1)</f><v>x</v></c></row></sheetData>\
                 <dataValidations><dataValidation><formula1>\"keuze 1\"</formula1></dataValidation></dataValidations><headerFooter><oddHeader>kop 2</oddHeader></headerFooter></worksheet>";
    let comments = "<comments><commentList><comment><text><r><t>opmerking 3</t></r></text></comment></commentList></comments>";
    let cache = "<pivotCacheRecords><r><s v='bron 4'/></r></pivotCacheRecords>";
    let mut octets =
        xlsx("", &[], &[("xl/comments1.xml", comments.as_bytes()), ("xl/pivotCache/pivotCacheRecords1.xml", cache.as_bytes())]);
    // The sheet above replaces the empty one of the helper.
    let archive = zip::ZipArchive::new(std::io::Cursor::new(octets.clone())).unwrap();
    let names: Vec<String> = archive.file_names().map(|n| n.unwrap().into_owned()).collect();
    let mut archive = archive;
    let members: Vec<(String, Vec<u8>)> = names
        .into_iter()
        .map(|name| {
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut archive.by_name(&name).unwrap(), &mut content).unwrap();
            let content = if name.ends_with("sheet1.xml") { sheet.as_bytes().to_vec() } else { content };
            (name, content)
        })
        .collect();
    let members: Vec<(&str, &[u8])> = members.iter().map(|(n, o)| (n.as_str(), o.as_slice())).collect();
    octets = zip(&members);
    let extraction = read("x.xlsx", octets);
    for text in ["BSN 111222333", "keuze 1", "kop 2", "opmerking 3", "bron 4"] {
        assert!(holds(&extraction, text), "{text} in {extraction:?}");
    }
}

#[test]
fn a_broken_sheet_is_told_and_read_as_text() {
    let extraction = read("x.xlsx", xlsx("<row r='1'><c r='A1' t='s'><v>99</v></c><c r='B1'><v>111222333</v></c></row>", &["a"], &[]));
    assert!(has_problem(&extraction, ProblemKind::Damaged, "xlsx"));
    assert!(holds(&extraction, "111222333"));
}

#[test]
fn a_zip_gives_names_and_members() {
    let inner = xlsx("<row r='1'><c r='A1'><v>111222333</v></c></row>", &[], &[]);
    let extraction = read("x.zip", zip(&[("map/y.xlsx", &inner), ("lees mij.txt", b"hallo")]));
    let sheet = extraction.texts.iter().find(|t| t.text == "111222333").unwrap();
    assert_eq!(sheet.part, "attachment \"x.zip\" > \"map/y.xlsx\"");
    let names: Vec<_> = extraction.texts.iter().filter(|t| t.source == Source::FileName).map(|t| t.text.as_str()).collect();
    assert_eq!(names, ["x.zip", "map/y.xlsx", "lees mij.txt"]);
}

#[test]
fn encrypted_members_are_told_and_the_others_read() {
    let mut octets = zip(&[("geheim.txt", b"niet te lezen"), ("open.txt", b"wel te lezen")]);
    // General purpose bit 0 (APPNOTE 4.4.4), in the local header and in the directory.
    for (magic, flags) in [(&b"PK\x03\x04"[..], 6), (b"PK\x01\x02", 8)] {
        let at = memchr::memmem::find(&octets, magic).unwrap();
        octets[at + flags] |= 1;
    }
    let extraction = read("x.zip", octets);
    let told = extraction.problems.iter().find(|p| p.kind == ProblemKind::Encrypted).unwrap();
    assert_eq!(told.part, "attachment \"x.zip\" > \"geheim.txt\"");
    assert!(holds(&extraction, "wel te lezen"));
}
