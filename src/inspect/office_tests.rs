//! One record, hidden in every corner of every office format: found, and told where. Files are made here.

use crate::{
    detect::RuleSet,
    extract::tests::{
        formats::packages::{four, odf, package, record, with, xlsb},
        read,
    },
};

/// `bsn: slide 2`, for each finding.
fn found(name: &str, octets: Vec<u8>) -> Vec<String> {
    let extraction = read(name, octets);
    assert!(extraction.problems.is_empty(), "{name}: {:?}", extraction.problems);
    let place = |place: Option<String>| place.unwrap_or_else(|| "-".to_owned());
    RuleSet::embedded().find(&extraction).findings.into_iter().map(|f| format!("{}: {}", f.rule, place(f.place))).collect()
}

fn check(name: &str, octets: Vec<u8>, expected: &[&str]) {
    let found = found(name, octets);
    for expected in expected {
        assert!(found.iter().any(|f| f == expected), "{expected} in {name}: {found:?}");
    }
}

const WORD: &str = "<x><p><r><t>BSN 123</t></r><r><t>456</t></r><r><t>782</t></r></p></x>";
const IBAN: &str = "<x><p><r><t>NL91 ABNA</t></r><r><t> 0417 1643 00</t></r></p></x>";
const ILL: &str = "<x><p><r><t>diagnose: schizofrenie</t></r></p></x>";
const PROPERTY: &str = r#"<Properties><property name="BSN"><lpwstr>123456782</lpwstr></property></Properties>"#;

#[test]
fn a_word_document_tells_the_record_from_every_corner() {
    let body = "<document><body><p><r><t>brief</t></r></p><p><r><AlternateContent><Choice><txbxContent><p><r><t>BSN 1234.56.782</t></r></p>\
                </txbxContent></Choice><Fallback><txbxContent><p><r><t>BSN 1234.56.782</t></r></p></txbxContent></Fallback></AlternateContent>\
                </r></p><p><r><docPr descr='diagnose: schizofrenie'/><br type='page'/><t>BSN </t></r><del><r><delText>123456782</delText></r></del></p></body></document>";
    let octets = package(
        "odd/Text.XML",
        &[
            ("odd/text.xml", body.as_bytes()),
            ("odd/a.xml", WORD.as_bytes()),
            ("odd/b.xml", IBAN.as_bytes()),
            ("odd/c.xml", ILL.as_bytes()),
            ("odd/chunk.html", b"<html><p>BSN <b>123</b>456782</p></html>"),
            ("docProps/custom.xml", PROPERTY.as_bytes()),
            ("nobody/knows.xml", WORD.as_bytes()),
        ],
        &[
            ("odd/text.xml", "rId1", "header", "a.xml"),
            ("odd/text.xml", "rId2", "comments", "b.xml"),
            ("odd/text.xml", "rId3", "footnotes", "c.xml"),
            ("odd/text.xml", "rId4", "aFChunk", "chunk.html"),
        ],
    );
    // A package is Word's by the content type of its main part.
    let types = "<Types><Override PartName='/odd/text.xml' ContentType='application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml'/></Types>";
    let octets = with(&octets, "[Content_Types].xml", types.as_bytes());
    let expected = [
        "bsn: page 2",
        "bsn: text box",
        "medical: attributes",
        "bsn: header",
        "iban: comment",
        "medical: footnote",
        // HTML has no lines.
        "bsn: -",
        "bsn: property \"BSN\"",
        "bsn: knows",
    ];
    check("x.docx", octets.clone(), &expected);
    // What the text box says again for old programs is said once.
    assert_eq!(found("x.docx", octets.clone()).iter().filter(|f| *f == "bsn: text box").count(), 1);
    // Behind something else, as in a self-extracting archive.
    check("x.docx", [b"MZ stub ".as_slice(), &octets].concat(), &expected);
}

#[test]
fn a_presentation_tells_the_slide() {
    let slides = r#"<presentation><sldIdLst><sldId id="256" r:id="rId2"/><sldId id="257" r:id="rId1"/></sldIdLst></presentation>"#;
    let table = "<sld show='0'><tbl><tr><tc><p><r><t>BSN</t></r></p></tc><tc><p><r><t>1234 56 </t></r><r><t>782</t></r></p></tc></tr></tbl><cNvPr descr='NL91ABNA0417164300'/></sld>";
    let octets = package(
        "ppt/presentation.xml",
        &[
            ("ppt/presentation.xml", slides.as_bytes()),
            ("ppt/slides/slide1.xml", table.as_bytes()),
            ("ppt/slides/slide2.xml", IBAN.as_bytes()),
            ("ppt/notesSlides/notesSlide1.xml", WORD.as_bytes()),
            ("ppt/comments/comment1.xml", b"<cmLst><cm><text>diagnose: schizofrenie</text></cm></cmLst>"),
            ("ppt/diagrams/data1.xml", WORD.as_bytes()),
            ("ppt/charts/chart7.xml", b"<chart><v>NL91ABNA0417164300</v></chart>"),
            ("ppt/slideMasters/slideMaster1.xml", WORD.as_bytes()),
        ],
        &[
            ("ppt/presentation.xml", "rId1", "slide", "slides/slide1.xml"),
            ("ppt/presentation.xml", "rId2", "slide", "slides/slide2.xml"),
            ("ppt/slides/slide1.xml", "rId1", "notesSlide", "../notesSlides/notesSlide1.xml"),
            ("ppt/slides/slide1.xml", "rId2", "comments", "../comments/comment1.xml"),
            ("ppt/slides/slide1.xml", "rId3", "diagramData", "../diagrams/data1.xml"),
            ("ppt/slides/slide2.xml", "rId1", "chart", "../charts/chart7.xml"),
            ("ppt/slides/slide2.xml", "rId2", "slide", "slide2.xml"),
        ],
    );
    let expected = [
        "iban: slide 1",
        "bsn: slide 2",
        "iban: attributes, slide 2",
        "bsn: notes, slide 2",
        "medical: comment, slide 2",
        "bsn: data 1, slide 2",
        "iban: chart 7, slide 1",
        "bsn: master 1",
    ];
    check("x.pptx", octets, &expected);
}

#[test]
fn a_workbook_tells_sheet_and_cell() {
    let workbook = r#"<workbook><sheets><sheet name="Blad" sheetId="1" r:id="rId1"/><sheet name="Weg" sheetId="2" state="veryHidden" r:id="rId2"/></sheets></workbook>"#;
    let first = "<worksheet><sheetData><row r='1'><c r='A1' t='inlineStr'><is><t>Totaal</t></is></c></row></sheetData></worksheet>";
    let hidden = "<worksheet><sheetData><row r='1'><c r='B1' t='inlineStr'><is><t>BSN</t></is></c></row><row r='3'><c r='B3'><v>12345672</v></c></row></sheetData></worksheet>";
    let comments = "<comments><commentList><comment ref='C14'><text><r><t>BSN 1234</t></r><r><t>56782</t></r></text></comment><comment ref='D2'><text><t>NL91ABNA0417164300</t></text></comment></commentList></comments>";
    let octets = package(
        "xl/workbook.xml",
        &[
            ("xl/workbook.xml", workbook.as_bytes()),
            ("xl/worksheets/sheet1.xml", first.as_bytes()),
            ("xl/worksheets/sheet2.xml", hidden.as_bytes()),
            ("xl/worksheets/sheet9.xml", first.replace("Totaal", "BSN 123456782").as_bytes()),
            ("xl/comments1.xml", comments.as_bytes()),
            ("xl/drawings/drawing1.xml", ILL.as_bytes()),
            ("xl/externalLinks/externalLink1.xml", b"<x><v>NL91ABNA0417164300</v></x>"),
        ],
        &[
            ("xl/workbook.xml", "rId1", "worksheet", "worksheets/sheet1.xml"),
            ("xl/workbook.xml", "rId2", "worksheet", "worksheets/sheet2.xml"),
            ("xl/worksheets/sheet2.xml", "rId1", "comments", "../comments1.xml"),
            ("xl/worksheets/sheet2.xml", "rId2", "drawing", "../drawings/drawing1.xml"),
        ],
    );
    let expected = [
        "bsn: sheet 2, B3",
        "bsn: comment, sheet 2, C14",
        "iban: comment, sheet 2, D2",
        "medical: drawing 1, sheet 2",
        "iban: externallink 1",
        // A sheet that was taken out of the workbook's list, but not out of the file.
        "bsn: sheet 9",
    ];
    check("x.xlsx", octets, &expected);
}

#[test]
fn a_binary_workbook_tells_sheet_and_cell() {
    let expected = ["bsn: sheet 1, B3", "bsn: comment, sheet 1, C14", "iban: strings without a cell", "medical: beside the cells, sheet 1"];
    check("x.xlsb", xlsb(), &expected);
    let extraction = read("x.xlsb", xlsb());
    assert!(extraction.texts.iter().any(|t| t.text.contains("44927\u{1F}01-01-2023")), "{extraction:?}");
}

#[test]
fn a_binary_sheet_that_is_cut_off_is_told_and_far_corners_cost_nothing() {
    let number = |column: u32| record(5, &[&four(column), &four(0), 123_456_782f64.to_le_bytes().as_slice()].concat());
    let corners = [record(0, &four(0)), number(0), record(0, &four(u32::MAX)), number(u32::MAX), record(130, &[])].concat();
    let extraction = read("x.xlsb", with(&xlsb(), "xl/worksheets/sheet1.bin", &corners));
    let sheet = extraction.texts.iter().find(|t| t.text == "123456782\n123456782").unwrap();
    assert_eq!(sheet.place(12).as_deref(), Some("sheet 1, MWLQKWV4294967296"));
    for length in 0..corners.len() {
        let extraction = read("x.xlsb", with(&xlsb(), "xl/worksheets/sheet1.bin", &corners[..length]));
        let told = extraction.problems.iter().map(|p| (p.kind.word(), p.reason, p.place.as_deref()));
        assert!(told.eq([("damaged", "xlsb", Some("sheet 1"))]), "{length}: {:?}", extraction.problems);
    }
}

const HEADER: &str = "<style:master-page><style:header><text:p>NL91 ABNA 0417 1643 00</text:p></style:header></style:master-page>";

#[test]
fn an_opendocument_text_tells_the_record_from_every_corner() {
    let content = "<text:tracked-changes><text:changed-region><text:deletion><text:p>NL91ABNA0417164300</text:p></text:deletion></text:changed-region></text:tracked-changes>\
                   <text:p>BSN <text:span>123</text:span><office:annotation><dc:creator>x</dc:creator><text:p>diagnose: schizofrenie</text:p></office:annotation>456\
                   <text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>BSN 123456782</text:p></text:note-body></text:note>782</text:p>\
                   <text:p><draw:frame><draw:text-box><text:p>NL91 ABNA<text:s/>0417 1643 00</text:p></draw:text-box><svg:desc>diagnose: schizofrenie</svg:desc></draw:frame></text:p>";
    let expected = [
        "bsn: page 1",
        "medical: comment",
        "bsn: notes",
        "iban: deleted",
        "iban: text box",
        "medical: attributes",
        "iban: header",
        "bsn: property \"BSN\"",
    ];
    check("x.odt", odf("text", &content.replace(">456\n", ">456"), HEADER), &expected);
}

#[test]
fn an_opendocument_sheet_tells_the_cell() {
    let empty = "<table:table-cell table:number-columns-repeated='3'/>";
    let content = format!(
        "<table:table table:name='Een'><table:table-row table:number-rows-repeated='1048576'><table:table-cell table:number-columns-repeated='16384' \
         office:value-type='string'><text:p>x</text:p></table:table-cell></table:table-row></table:table>\
         <table:table table:name='Twee' table:style-name='verborgen'><table:table-row table:number-rows-repeated='4'>{empty}<table:table-cell office:value-type='string'>\
         <text:p>BSN</text:p></table:table-cell></table:table-row><table:table-row>{empty}<table:table-cell office:value-type='float' office:value='12345672'>\
         <text:p>12.345.672</text:p></table:table-cell><table:table-cell><office:annotation><text:p>diagnose: schizofrenie</text:p></office:annotation></table:table-cell>\
         <table:table-cell table:formula='of:=CONCATENATE(&quot;NL91ABNA0417164300&quot;)'/></table:table-row></table:table>"
    );
    let expected = ["bsn: sheet 2, D5", "medical: comment, sheet 2, E5", "iban: formulas", "iban: header", "bsn: property \"BSN\""];
    check("x.ods", odf("spreadsheet", &content, HEADER), &expected);
}

#[test]
fn an_opendocument_presentation_tells_the_slide() {
    let content = "<draw:page><draw:frame><draw:text-box><text:p>Welkom</text:p></draw:text-box></draw:frame></draw:page>\
                   <draw:page><draw:frame><draw:text-box><text:p>BSN 123<text:span>456782</text:span></text:p></draw:text-box></draw:frame>\
                   <presentation:notes><draw:text-box><text:p>NL91 ABNA 0417 1643 00</text:p></draw:text-box></presentation:notes>\
                   <office:annotation><text:p>diagnose: schizofrenie</text:p></office:annotation></draw:page>";
    check("x.odp", odf("presentation", content, ""), &["bsn: slide 2", "iban: notes, slide 2", "medical: comment, slide 2"]);
}

#[test]
fn documents_of_one_file_tell_the_record() {
    let flat = "<?xml version='1.0'?><office:document xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0'><office:meta><meta:user-defined meta:name='BSN'>\
                123456782</meta:user-defined></office:meta><office:body><office:text><text:p>NL91 ABNA 0417 1643 00</text:p></office:text></office:body></office:document>";
    check("x.fodt", flat.into(), &["iban: page 1", "bsn: property \"BSN\""]);
    let word = "<?xml version='1.0'?><?mso-application progid='Word.Document'?><w:wordDocument xmlns:w='http://schemas.microsoft.com/office/word/2003/wordml'>\
                <o:CustomDocumentProperties><o:BSN>123456782</o:BSN></o:CustomDocumentProperties><w:binData w:name='a.txt'>ZGlhZ25vc2U6IHNjaGl6b2ZyZW5pZQ==</w:binData>\
                <w:body><w:p><w:r><w:t>NL91 ABNA</w:t></w:r><w:r><w:t> 0417 1643 00</w:t></w:r></w:p></w:body></w:wordDocument>";
    check("x.xml", word.into(), &["iban: page 1", "bsn: property \"BSN\"", "medical: line 1"]);
    let opc = "<?xml version='1.0'?><pkg:package xmlns:pkg='http://schemas.microsoft.com/office/2006/xmlPackage'><pkg:part pkg:name='/word/document.xml'><pkg:xmlData>\
               <w:document><w:body><w:p><w:r><w:t>BSN 123456</w:t></w:r><w:r><w:t>782</w:t></w:r></w:p></w:body></w:document></pkg:xmlData></pkg:part></pkg:package>";
    check("x.xml", opc.into(), &["bsn: page 1"]);
    let book = "<?xml version='1.0'?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet' xmlns:ss='urn:schemas-microsoft-com:office:spreadsheet'><Worksheet ss:Name='a'><Table>\
                <Row><Cell ss:Index='3'><Data ss:Type='String'>BSN</Data></Cell></Row><Row ss:Index='5'><Cell ss:Index='3'><Data ss:Type='Number'>12345672</Data>\
                <Comment><ss:Data>diagnose: schizofrenie</ss:Data></Comment></Cell></Row></Table></Worksheet></Workbook>";
    check("x.xml", book.into(), &["bsn: sheet 1, C5", "medical: attributes"]);
}
