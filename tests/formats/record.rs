//! One record - a citizen number with its label, an account number, a medical word - in every format, oddly formatted, and where zegel must say
//! that each of them is. A format more is a row more in [`files`].

use super::{
    archives::{COPY, bzip2, gzip, rar, seven_zip, tar, xz, zstd},
    mail_with,
    office97::{message, presentation, word},
    packages::{docx, odf, package, xlsb, xlsx},
    pdf::pdf,
    winmail::{attached, winmail},
    workbook97::{label, xls},
    zip,
};

/// A file that holds the record.
pub struct Filed {
    pub name: &'static str,
    pub octets: Vec<u8>,
    /// Rule, part within the file (` > "a.txt"`), place; the place is empty where the format has none.
    pub tells: Vec<(&'static str, &'static str, &'static str)>,
}

/// The record as a text: dots, a space that does not break, a soft hyphen.
const TEXT: &str = "BSN: 1234.56.782\nIBAN NL91 ABNA\u{A0}0417 1643 00\ndiagnose: schizo\u{AD}frenie\n";

/// What [`TEXT`] tells, wherever it lies.
fn lines(part: &'static str) -> Vec<(&'static str, &'static str, &'static str)> {
    vec![("bsn", part, "line 1"), ("iban", part, "line 2"), ("medical", part, "line 3")]
}

/// All of them.
pub fn files() -> Vec<Filed> {
    [texts(), documents(), sheets(), older(), containers()].into_iter().flatten().collect()
}

fn filed(name: &'static str, octets: impl Into<Vec<u8>>, tells: &[(&'static str, &'static str, &'static str)]) -> Filed {
    Filed { name, octets: octets.into(), tells: tells.to_vec() }
}

fn texts() -> Vec<Filed> {
    let html = "<html><p>BSN <b>123</b>45<i></i>6782</p><img alt='NL91ABNA0417164300'><p style='display:none'>diagnose: schizo&shy;frenie</p></html>";
    let calendar = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDESCRIPTION:BSN 1234\r\n 56782\r\nLOCATION:NL91 ABNA 0417\r\n  1643 00\r\nSUMMARY:diagnose: schizo\r\n frenie\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let card = "BEGIN:VCARD\r\nVERSION:2.1\r\nNOTE;ENCODING=QUOTED-PRINTABLE:BSN 1234=\r\n56782\r\nTITLE:NL91 ABNA 0417 1643 00\r\nROLE:diagnose: schizo\r\n frenie\r\nEND:VCARD\r\n";
    let wide: Vec<u8> = [0xFF, 0xFE].into_iter().chain(TEXT.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    vec![
        filed("x.txt", TEXT, &lines("")),
        filed("wide.txt", wide, &lines("")),
        filed("x.html", html, &[("bsn", "", ""), ("iban", "", "attributes and comments"), ("medical", "", "")]),
        filed("x.ics", calendar, &[("bsn", "", "line 3"), ("iban", "", "line 4"), ("medical", "", "line 5")]),
        filed("x.vcf", card, &[("bsn", "", "line 3"), ("iban", "", "line 4"), ("medical", "", "line 5")]),
    ]
}

fn documents() -> Vec<Filed> {
    let pages = [
        "BT /F1 10 Tf 50 700 Td (BSN 12) Tj (34) Tj [(56) -20 (782)] TJ ET",
        "BT /F1 10 Tf 50 700 Td (NL91 ABNA 0417) Tj 0 -14 Td (1643 00) Tj 0 -14 Td (diagnose: schizofrenie) Tj ET",
    ];
    let body = "<w:p><w:r><w:t>BSN 1234</w:t></w:r><w:r><w:t>56782</w:t></w:r></w:p><w:p><w:r><w:br w:type='page'/><w:t>NL91 ABNA</w:t></w:r><w:r><w:t> 0417 1643 00</w:t></w:r></w:p>";
    let comment = "<x><w:p><w:r><w:t>diagnose: </w:t></w:r><w:r><w:t>schizofrenie</w:t></w:r></w:p></x>";
    let slides = r#"<presentation><sldIdLst><sldId id="1" r:id="rId1"/><sldId id="2" r:id="rId2"/></sldIdLst></presentation>"#;
    let pptx = package(
        "ppt/presentation.xml",
        &[
            ("ppt/presentation.xml", slides.as_bytes()),
            ("ppt/slides/slide1.xml", b"<sld><p><r><t>diagnose: </t></r><r><t>schizofrenie</t></r></p></sld>"),
            ("ppt/slides/slide2.xml", b"<sld show='0'><p><r><t>BSN 1234</t></r><r><t>56782</t></r></p></sld>"),
            ("ppt/notesSlides/notesSlide1.xml", b"<x><p><r><t>NL91 ABNA</t></r><r><t> 0417 1643 00</t></r></p></x>"),
        ],
        &[
            ("ppt/presentation.xml", "rId1", "slide", "slides/slide1.xml"),
            ("ppt/presentation.xml", "rId2", "slide", "slides/slide2.xml"),
            ("ppt/slides/slide2.xml", "rId1", "notesSlide", "../notesSlides/notesSlide1.xml"),
        ],
    );
    let odt = "<text:p>BSN 123<text:span>456</text:span>782</text:p><text:p>x<office:annotation><text:p>diagnose: schizofrenie</text:p></office:annotation></text:p>";
    let header = "<style:master-page><style:header><text:p>NL91 ABNA<text:s/>0417 1643 00</text:p></style:header></style:master-page>";
    let odp = "<draw:page><draw:text-box><text:p>diagnose: schizofrenie</text:p></draw:text-box></draw:page><draw:page><draw:text-box><text:p>BSN 123<text:span>456782</text:span>\
               </text:p></draw:text-box><presentation:notes><draw:text-box><text:p>NL91 ABNA 0417 1643 00</text:p></draw:text-box></presentation:notes></draw:page>";
    let flat = "<?xml version='1.0'?><office:document xmlns:office='urn:oasis:names:tc:opendocument:xmlns:office:1.0'><office:meta><meta:user-defined meta:name='BSN'>\
                123456782</meta:user-defined></office:meta><office:body><office:text><text:p>NL91 ABNA <text:span>0417</text:span> 1643 00</text:p>\
                <text:p>diagnose: schizofrenie</text:p></office:text></office:body></office:document>";
    let rtf =
        r"{\rtf1\ansi BSN {\b 1234}\i0 56782\par\page NL91 ABNA\~0417 1643 00{\v  diagnose: schizo\-frenie}{\footnote BSN 1234{\i 56782}}}";
    vec![
        filed("x.pdf", pdf(&pages), &[("bsn", "", "page 1"), ("iban", "", "page 2"), ("medical", "", "page 2")]),
        filed(
            "x.docx",
            docx(body, &[("word/comments.xml", comment.as_bytes())]),
            &[("bsn", "", "page 1"), ("iban", "", "page 2"), ("medical", "", "comment")],
        ),
        filed("x.pptx", pptx, &[("bsn", "", "slide 2"), ("iban", "", "notes, slide 2"), ("medical", "", "slide 1")]),
        filed("x.odt", odf("text", odt, header), &[("bsn", "", "page 1"), ("iban", "", "header"), ("medical", "", "comment")]),
        filed("x.odp", odf("presentation", odp, ""), &[("bsn", "", "slide 2"), ("iban", "", "notes, slide 2"), ("medical", "", "slide 1")]),
        filed("x.fodt", flat, &[("bsn", "", "property \"BSN\""), ("iban", "", "page 1"), ("medical", "", "page 1")]),
        filed("x.rtf", rtf, &[("bsn", "", "page 1"), ("bsn", "", "note"), ("iban", "", "page 2"), ("medical", "", "page 2")]),
    ]
}

fn sheets() -> Vec<Filed> {
    let cells = "<row r='1'><c r='A1' t='s'><v>0</v></c><c r='C1' t='s'><v>1</v></c></row><row r='14'><c r='C14' s='1'><v>12345672</v></c></row>\
                 <row r='15'><c r='A15' t='s'><v>2</v></c><c r='B15' t='s'><v>3</v></c></row>";
    let book = xlsx(cells, &["Naam", "BSN", "NL91 ABNA 0417 1643 00", "diagnose: schizofrenie"], &[]);
    let empty = "<table:table-cell table:number-columns-repeated='3'/>";
    let ods = format!(
        "<table:table table:name='Een'/><table:table table:name='Twee'><table:table-row table:number-rows-repeated='4'>{empty}<table:table-cell office:value-type='string'>\
         <text:p>BSN</text:p></table:table-cell></table:table-row><table:table-row>{empty}<table:table-cell office:value-type='float' office:value='12345672'>\
         <text:p>12.345.672</text:p></table:table-cell><table:table-cell><office:annotation><text:p>diagnose: schizofrenie</text:p></office:annotation></table:table-cell>\
         <table:table-cell table:formula='of:=CONCATENATE(&quot;NL91ABNA0417164300&quot;)'/></table:table-row></table:table>"
    );
    vec![
        filed("x.xlsx", book, &[("bsn", "", "sheet 1, C14"), ("iban", "", "sheet 1, A15"), ("medical", "", "sheet 1, B15")]),
        filed(
            "x.ods",
            odf("spreadsheet", &ods, ""),
            &[("bsn", "", "sheet 2, D5"), ("iban", "", "formulas"), ("medical", "", "comment, sheet 2, E5")],
        ),
        filed(
            "x.xlsb",
            xlsb(),
            &[
                ("bsn", "", "sheet 1, B3"),
                ("bsn", "", "comment, sheet 1, C14"),
                ("iban", "", "strings without a cell"),
                ("medical", "", "beside the cells, sheet 1"),
            ],
        ),
    ]
}

fn older() -> Vec<Filed> {
    let first = vec![label(0, 0, "Naam")];
    let second =
        vec![label(0, 2, "BSN"), label(13, 2, "1234 56 782"), label(14, 0, "NL91ABNA0417164300"), label(15, 1, "diagnose: schizofrenie")];
    let doc = word(0, &[("BSN: 1234", false), ("56782 diagnose: schizofrenie\r", true), ("NL91 ABNA 0417 1643 00\r", false)], &[38, 23]);
    let tnef = winmail(&[attached("lijst.txt", TEXT.as_bytes())]);
    vec![
        filed(
            "x.xls",
            xls(&[], &[("Een", first), ("Twee", second)]),
            &[("bsn", "", "sheet 2, C14"), ("iban", "", "sheet 2, A15"), ("medical", "", "sheet 2, B16")],
        ),
        filed("x.doc", doc, &[("bsn", "", "page 1"), ("iban", "", "footnote"), ("medical", "", "page 1")]),
        filed(
            "x.ppt",
            presentation("BSN: 1234 56 782 diagnose: schizofrenie", "NL91 ABNA 0417 1643 00"),
            &[("bsn", "", "slide 2"), ("iban", "", "notes of slide 2"), ("medical", "", "slide 2")],
        ),
        filed("x.msg", message(TEXT), &lines(" > text")),
        filed("winmail.dat", tnef, &lines(" > \"lijst.txt\"")),
    ]
}

fn containers() -> Vec<Filed> {
    let text = TEXT.as_bytes();
    let nested = zip(&[("b.7z", &seven_zip("c.tar.gz", &gzip(&tar(&[("d.txt", text)])[..]), COPY))]);
    vec![
        filed(
            "x.eml",
            mail_with("a.txt", text),
            &[("bsn", " > \"a.txt\"", "line 1"), ("iban", " > \"a.txt\"", "line 2"), ("medical", " > \"a.txt\"", "line 3")],
        ),
        filed("x.zip", zip(&[("map/a.txt", text)]), &lines(" > \"map/a.txt\"")),
        filed("x.7z", seven_zip("a.txt", text, COPY), &lines(" > \"a.txt\"")),
        filed("x.tar", tar(&[("a.txt", text)]), &lines(" > \"a.txt\"")),
        filed("x.txt.gz", gzip(text), &lines(" > \"x.txt\"")),
        filed("x.txt.bz2", bzip2(text), &lines(" > \"x.txt\"")),
        filed("x.txt.xz", xz(text), &lines(" > \"x.txt\"")),
        filed("x.txt.zst", zstd(text), &lines(" > \"x.txt\"")),
        filed("x.rar", rar("a.txt", text, 0), &lines(" > \"a.txt\"")),
        filed("nested.zip", nested, &lines(" > \"b.7z\" > \"c.tar.gz\" > \"c.tar\" > \"d.txt\"")),
    ]
}
