//! Files of complex formats. Within a packed file nothing is found by changing octets, so the XML of office documents is put into it here.

use bytes::Bytes;
use zegel::extract::{Extraction, Limits, Places, Unopened, file};

/// Low enough for short inputs to reach each.
pub(super) fn limits() -> Limits {
    Limits {
        depth: 3,
        expanded: 1 << 20,
        member: 256 << 10,
        sheet: 256 << 10,
        ratio: 200,
        ratio_from: 64 << 10,
        members: 50,
        text: 256 << 10,
        beside: 1 << 20,
        pages: 20,
        cells: 1000,
        operations: 2000,
        document_operations: 10_000,
        form_depth: 4,
        annotations: 20,
        map_entries: 1000,
        pictures: 4,
        picture_octets: 64 << 10,
    }
}

/// A PDF.
pub fn pdf(octets: &[u8]) {
    read("a.pdf", "application/pdf", octets.to_vec());
}

/// The program of a font that alone says what its glyphs mean: used with one octet a code, and with two.
pub fn font(octets: &[u8]) {
    let content = "BT /A 9 Tf 50 700 Td <0001020304202F303132414261627A80FF> Tj /B 9 Tf 0 -20 Td <00000001000200030010> Tj ET";
    let dictionaries = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/Contents 8 0 R/Resources<</Font<</A 4 0 R/B 5 0 R>>>>>>",
        "<</Type/Font/Subtype/Type1/BaseFont/X/FontDescriptor 7 0 R>>",
        "<</Type/Font/Subtype/Type0/Encoding/Identity-H/DescendantFonts[6 0 R]>>",
        "<</Type/Font/Subtype/CIDFontType0/FontDescriptor 7 0 R>>",
        "<</Type/FontDescriptor/FontFile3 9 0 R>>",
    ];
    let streams = [content.as_bytes(), octets].map(|s| [format!("<</Length {}>>stream\n", s.len()).as_bytes(), s, b"\nendstream"].concat());
    let (mut file, mut table) = (b"%PDF-1.7\n".to_vec(), String::from("xref\n0 10\n0000000000 65535 f \n"));
    for (object, number) in dictionaries.map(|d| d.as_bytes().to_vec()).into_iter().chain(streams).zip(1..) {
        table += &format!("{:010} 00000 n \n", file.len());
        file.extend([format!("{number} 0 obj\n").as_bytes(), &object, b"\nendobj\n"].concat());
    }
    let end = format!("{table}trailer<</Root 1 0 R/Size 10>>\nstartxref\n{}\n%%EOF\n", file.len());
    file.extend(end.as_bytes());
    read("a.pdf", "application/pdf", file);
}

/// Anything that may be a ZIP archive, and office documents as they are on disk.
pub fn zip(octets: &[u8]) {
    read("a.zip", "application/zip", octets.to_vec());
}

/// A compound file, or a bare workbook: Word, Excel and PowerPoint up to 2003, and Outlook.
pub fn legacy(octets: &[u8]) {
    read("a.doc", "application/msword", octets.to_vec());
}

/// A picture of any kind, a metafile, or a drawing.
pub fn image(octets: &[u8]) {
    read("a.svg", "image/png", octets.to_vec());
}

/// The text of a Word document, of its comments, and of its properties; a NUL stands between them.
pub fn docx(octets: &[u8]) {
    let parts = parts(octets);
    let members = [
        ("[Content_Types].xml", b"<Types/>".as_slice()),
        ("word/document.xml", parts[0]),
        ("word/comments.xml", parts[1]),
        ("docProps/custom.xml", parts[2]),
        ("word/_rels/document.xml.rels", parts[3]),
    ];
    read("a.docx", "", archive(&members));
}

/// The first sheet of a workbook, its shared strings, its styles and the workbook itself; a NUL stands between them.
pub fn xlsx(octets: &[u8]) {
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let parts = parts(octets);
    let workbook =
        format!(r#"<workbook xmlns="m" xmlns:r="{OFFICE}"><sheets><sheet name="Blad" sheetId="1" r:id="rId1"/></sheets></workbook>"#);
    let sheets =
        format!(r#"<Relationships><Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#);
    let package =
        format!(r#"<Relationships><Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#);
    let members = [
        ("[Content_Types].xml", b"<Types/>".as_slice()),
        ("_rels/.rels", package.as_bytes()),
        ("xl/workbook.xml", if parts[3].is_empty() { workbook.as_bytes() } else { parts[3] }),
        ("xl/_rels/workbook.xml.rels", sheets.as_bytes()),
        ("xl/worksheets/sheet1.xml", parts[0]),
        ("xl/sharedStrings.xml", parts[1]),
        ("xl/styles.xml", parts[2]),
    ];
    read("a.xlsx", "", archive(&members));
}

/// A presentation's list of slides, its relationships, its first slide and that one's relationships; a NUL stands between them.
pub fn pptx(octets: &[u8]) {
    let parts = parts(octets);
    let members = [
        ("[Content_Types].xml", b"<Types/>".as_slice()),
        ("ppt/presentation.xml", parts[0]),
        ("ppt/_rels/presentation.xml.rels", parts[1]),
        ("ppt/slides/slide1.xml", parts[2]),
        ("ppt/slides/_rels/slide1.xml.rels", parts[3]),
        ("ppt/notesSlides/notesSlide1.xml", parts[2]),
    ];
    read("a.pptx", "", archive(&members));
}

/// A binary sheet, as which the other parts of its workbook are read too: records are told by their numbers.
pub fn xlsb(octets: &[u8]) {
    let kinds = ["worksheet", "sharedStrings", "styles"];
    let relations: String =
        kinds.iter().map(|kind| format!(r#"<Relationship Id="{kind}" Type="x/{kind}" Target="{kind}.bin"/>"#)).collect();
    let relations = format!("<Relationships>{relations}</Relationships>");
    let comments = r#"<Relationships><Relationship Id="c" Type="x/comments" Target="comments.bin"/></Relationships>"#;
    // BrtBundleSh: state, number, relationship, name.
    let wide = |text: &str| [&[text.len() as u8, 0, 0, 0], text.bytes().flat_map(|b| [b, 0]).collect::<Vec<_>>().as_slice()].concat();
    let sheet = [[0; 8].as_slice(), &wide("worksheet"), &wide("Blad")].concat();
    let book = [&[0x9C, 0x01, sheet.len() as u8], sheet.as_slice()].concat();
    let members = [
        ("[Content_Types].xml", b"<Types/>".as_slice()),
        ("xl/workbook.bin", &book),
        ("xl/_rels/workbook.bin.rels", relations.as_bytes()),
        ("xl/worksheet.bin", octets),
        ("xl/_rels/worksheet.bin.rels", comments.as_bytes()),
        ("xl/sharedStrings.bin", octets),
        ("xl/styles.bin", octets),
        ("xl/comments.bin", octets),
        ("xl/pivotCache.bin", octets),
    ];
    read("a.xlsb", "", archive(&members));
}

/// Content, styles, properties and manifest of an OpenDocument; a NUL stands between them.
pub fn odf(octets: &[u8]) {
    let parts = parts(octets);
    let members = [
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet".as_slice()),
        ("content.xml", parts[0]),
        ("styles.xml", parts[1]),
        ("meta.xml", parts[2]),
        ("META-INF/manifest.xml", parts[3]),
    ];
    read("a.ods", "", archive(&members));
}

/// An office document that is one XML file: what it begins with says which.
pub fn office_xml(octets: &[u8]) {
    read("a.xml", "text/xml", octets.to_vec());
}

fn parts(octets: &[u8]) -> [&[u8]; 4] {
    let mut parts = octets.splitn(4, |octet| *octet == 0);
    std::array::from_fn(|_| parts.next().unwrap_or_default())
}

pub(super) fn read(name: &str, media_type: &str, octets: Vec<u8>) {
    let unopened =
        Unopened { part: "attachment".into(), name: name.into(), media_type: media_type.into(), octets: octets.into(), depth: 1, at: 0 };
    is_within(&file(&unopened, &limits()), &limits());
}

/// The texts are within the limits, and what is told of their places lies in them.
pub(super) fn is_within(extraction: &Extraction, limits: &Limits) {
    assert!(extraction.texts.iter().map(|text| text.text.len()).sum::<usize>() <= limits.text, "more text than the limit");
    for text in &extraction.texts {
        for (range, _) in &text.spans {
            // A text that was cut at the limit may have lost the end of a stretch, or all of it.
            let is_cut = text.text.len() < range.end && extraction.problems.iter().any(|p| p.reason == "text");
            assert!(is_cut || text.text.get(range.clone()).is_some(), "{range:?} in {text:?}");
        }
        assert!(text.spans.is_sorted_by_key(|(range, _)| range.start));
        match &text.places {
            Places::Pages(starts) | Places::Slides(starts) => assert!(starts.is_sorted(), "{text:?}"),
            Places::Cells(starts) => assert!(starts.is_sorted_by_key(|(start, _)| *start), "{text:?}"),
            Places::None | Places::Lines | Places::Named(_) | Places::Properties | Places::Within(..) => {}
        }
        for at in 0..=text.text.len().min(50) {
            assert!(text.place(at).is_none_or(|place| !place.is_empty()));
        }
    }
    let told: std::collections::HashSet<_> = extraction.problems.iter().collect();
    assert_eq!(told.len(), extraction.problems.len(), "a problem is told twice");
}

/// A ZIP archive of stored members (APPNOTE.TXT, 4.3).
fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, octets) in members {
        let number = |n: usize| u32::try_from(n).expect("inputs are small").to_le_bytes();
        let name_length = u16::try_from(name.len()).expect("names are short").to_le_bytes();
        let facts = [
            // Version, flags, method, time and date.
            [20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0].as_slice(),
            &crc32(octets).to_le_bytes(),
            &number(octets.len()),
            &number(octets.len()),
            &name_length,
            &[0, 0],
        ]
        .concat();
        directory.extend([b"PK\x01\x02\x14\x00", facts.as_slice(), &[0; 10], &number(archive.len()), name.as_bytes()].concat());
        archive.extend([b"PK\x03\x04", facts.as_slice(), name.as_bytes(), octets].concat());
    }
    let count = u16::try_from(members.len()).expect("members are few").to_le_bytes();
    let lengths = [directory.len(), archive.len()].map(|n| u32::try_from(n).expect("inputs are small").to_le_bytes());
    let end = [b"PK\x05\x06\0\0\0\0", count.as_slice(), &count, &lengths[0], &lengths[1], &[0, 0]].concat();
    archive.extend(directory);
    archive.extend(end);
    archive
}

pub(super) fn crc32(octets: &[u8]) -> u32 {
    !octets
        .iter()
        .fold(!0, |crc, octet| (0..8).fold(crc ^ u32::from(*octet), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 }))
}

/// What a mail or page left unopened.
pub(super) fn open_all(unopened: &[Unopened]) {
    for part in unopened {
        let part = Unopened { octets: Bytes::copy_from_slice(&part.octets), ..part.clone() };
        is_within(&file(&part, &limits()), &limits());
    }
}

/// Rich text, with what it packs.
pub fn rtf(octets: &[u8]) {
    read("a.rtf", "application/rtf", [b"{\\rtf1", octets].concat());
}

/// Attributes of a winmail.dat, packed RTF in them too.
pub fn tnef(octets: &[u8]) {
    read("winmail.dat", "application/ms-tnef", [b"\x78\x9F\x3E\x22\x01\0", octets].concat());
}

/// What stands in a signed mail, from its version on.
pub fn ber(octets: &[u8]) {
    read("smime.p7m", "application/pkcs7-mime", [b"\x30\x80\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07\x02\xA0\x80", octets].concat());
}

/// An archive of any kind: its first octets tell.
pub fn archive_of_any_kind(octets: &[u8]) {
    read("a.bin", "", octets.to_vec());
}
