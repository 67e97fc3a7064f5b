//! Office documents that are packages: Office Open XML, its binary workbook, OpenDocument.

use super::{zip, zip_stored};

pub const TYPES: &str = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#;

/// A Word document with this `<w:body>`, and further parts.
pub fn docx(body: &str, more: &[(&str, &[u8])]) -> Vec<u8> {
    let document = format!(r#"<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="w"><w:body>{body}</w:body></w:document>"#);
    let mut members = vec![("[Content_Types].xml", TYPES.as_bytes()), ("word/document.xml", document.as_bytes())];
    members.extend(more);
    zip(&members)
}

/// A workbook of one sheet with this `<sheetData>`; styles 1 and 2 have the formats `000000000` and `dd-mm-yyyy`.
pub fn xlsx(rows: &str, strings: &[&str], more: &[(&str, &[u8])]) -> Vec<u8> {
    let sheet = format!(r#"<?xml version="1.0"?><worksheet xmlns="m"><sheetData>{rows}</sheetData></worksheet>"#);
    let shared: String = strings.iter().map(|s| format!("<si><t>{s}</t></si>")).collect();
    let shared = format!(r#"<?xml version="1.0"?><sst xmlns="m">{shared}</sst>"#);
    let styles = r#"<?xml version="1.0"?><styleSheet xmlns="m"><numFmts count="2"><numFmt numFmtId="164" formatCode="000000000"/><numFmt numFmtId="165" formatCode="dd\-mm\-yyyy"/></numFmts><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs></styleSheet>"#;
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let workbook = format!(
        r#"<?xml version="1.0"?><workbook xmlns="m" xmlns:r="{office}"><sheets><sheet name="Cliënten" sheetId="1" r:id="rId1"/></sheets></workbook>"#
    );
    let relationships = format!(
        r#"<?xml version="1.0"?><Relationships><Relationship Id="rId1" Type="{office}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#
    );
    let package = format!(
        r#"<?xml version="1.0"?><Relationships><Relationship Id="rId1" Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
    );
    let mut members: Vec<(&str, &[u8])> = vec![
        ("[Content_Types].xml", TYPES.as_bytes()),
        ("_rels/.rels", package.as_bytes()),
        ("xl/workbook.xml", workbook.as_bytes()),
        ("xl/_rels/workbook.xml.rels", relationships.as_bytes()),
        ("xl/styles.xml", styles.as_bytes()),
        ("xl/sharedStrings.xml", shared.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ];
    members.extend(more);
    zip(&members)
}

/// The namespace of relationships.
const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

/// A package of Office Open XML: main part, then all parts, then `part: id kind target` for each relationship.
pub fn package(main: &str, parts: &[(&str, &[u8])], relations: &[(&str, &str, &str, &str)]) -> Vec<u8> {
    let relation =
        |(id, kind, target): (&str, &str, &str)| format!(r#"<Relationship Id="{id}" Type="{OFFICE}/{kind}" Target="{target}"/>"#);
    let whole = |inner: String| format!("<Relationships>{inner}</Relationships>").into_bytes();
    let mut members: Vec<(String, Vec<u8>)> = vec![
        ("[Content_Types].xml".into(), b"<Types/>".to_vec()),
        ("_rels/.rels".into(), whole(relation(("rId1", "officeDocument", main)))),
    ];
    members.extend(parts.iter().map(|(name, octets)| ((*name).to_owned(), octets.to_vec())));
    let mut owners: Vec<&str> = relations.iter().map(|r| r.0).collect();
    owners.dedup();
    for owner in owners {
        let (folder, name) = owner.rsplit_once('/').unwrap();
        let own = relations.iter().filter(|r| r.0 == owner).map(|r| relation((r.1, r.2, r.3))).collect();
        members.push((format!("{folder}/_rels/{name}.rels"), whole(own)));
    }
    zip_stored(&slices(&members))
}

fn slices(members: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    members.iter().map(|(name, octets)| (name.as_str(), octets.as_slice())).collect()
}

/// The same archive with another member.
pub fn with(octets: &[u8], name: &str, content: &[u8]) -> Vec<u8> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(octets)).unwrap();
    let members: Vec<(String, Vec<u8>)> = (0..archive.len())
        .map(|at| {
            let mut file = archive.by_index(at).unwrap();
            let mut octets = Vec::new();
            std::io::Read::read_to_end(&mut file, &mut octets).unwrap();
            (file.name().unwrap().into_owned(), octets)
        })
        .map(|(member, octets)| if member == name { (member, content.to_vec()) } else { (member, octets) })
        .collect();
    zip_stored(&slices(&members))
}

/// A record of BIFF12 (MS-XLSB 2.1.4).
pub fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    let kind = if kind < 128 { vec![kind as u8] } else { vec![(kind & 0x7F) as u8 | 0x80, (kind >> 7) as u8] };
    let size = [(data.len() & 0x7F) as u8 | 0x80, (data.len() >> 7) as u8];
    [kind.as_slice(), &size, data].concat()
}

/// A text with its length in characters (MS-XLSB 2.5.169).
pub fn wide(text: &str) -> Vec<u8> {
    let units: Vec<u16> = text.encode_utf16().collect();
    [u32::try_from(units.len()).unwrap().to_le_bytes().to_vec(), units.into_iter().flat_map(u16::to_le_bytes).collect()].concat()
}

/// A number in four octets.
pub fn four(n: u32) -> [u8; 4] {
    n.to_le_bytes()
}

/// A workbook of one sheet with a citizen number, a date, a formula's literal, a string no cell uses, and a comment.
pub fn xlsb() -> Vec<u8> {
    let book = record(156, &[&[0; 8], wide("rId1").as_slice(), &wide("Blad")].concat());
    let strings =
        [record(19, &[&[0], wide("BSN").as_slice()].concat()), record(19, &[&[0], wide("NL91ABNA0417164300").as_slice()].concat())];
    let cell = |kind, column, style, value: &[u8]| record(kind, &[&four(column), &four(style), value].concat());
    let formula = [&wide("x"), [0; 2].as_slice(), &four(40), &[0x17, 22, 0], &wide("diagnose: schizofrenie")[4..]].concat();
    let sheet = [
        record(145, &[]),
        record(0, &four(0)),
        cell(7, 1, 0, &four(0)),
        record(0, &four(2)),
        cell(5, 1, 0, &12_345_672f64.to_le_bytes()),
        cell(2, 2, 1, &four(44_927 << 2 | 2)),
        cell(8, 3, 0, &formula),
        record(146, &[]),
        record(130, &[]),
    ];
    let styles = [
        record(44, &[&[164, 0], wide("dd-mm-yyyy").as_slice()].concat()),
        record(617, &four(2)),
        record(47, &[0; 16]),
        record(47, &[&[0, 0, 164, 0], [0; 12].as_slice()].concat()),
        record(618, &[]),
    ];
    let place = [four(13), four(13), four(2), four(2)].concat();
    let comments =
        [record(635, &[&four(0), place.as_slice(), &[0; 16]].concat()), record(637, &[&[0], wide("BSN 123456782").as_slice()].concat())];
    package(
        "xl/workbook.bin",
        &[
            ("xl/workbook.bin", &book),
            ("xl/worksheets/sheet1.bin", &sheet.concat()),
            ("xl/sharedStrings.bin", &strings.concat()),
            ("xl/styles.bin", &styles.concat()),
            ("xl/comments1.bin", &comments.concat()),
        ],
        &[
            ("xl/workbook.bin", "rId1", "worksheet", "worksheets/sheet1.bin"),
            ("xl/workbook.bin", "rId2", "sharedStrings", "sharedStrings.bin"),
            ("xl/workbook.bin", "rId3", "styles", "styles.bin"),
            ("xl/worksheets/sheet1.bin", "rId1", "comments", "../comments1.bin"),
        ],
    )
}

/// A package of OpenDocument, with properties.
pub fn odf(kind: &str, content: &str, styles: &str) -> Vec<u8> {
    let content =
        format!("<office:document-content><office:body><office:{kind}>{content}</office:{kind}></office:body></office:document-content>");
    let meta = "<office:document-meta><office:meta><meta:user-defined meta:name='BSN'>123456782</meta:user-defined></office:meta></office:document-meta>";
    zip_stored(&[
        ("mimetype", format!("application/vnd.oasis.opendocument.{kind}").as_bytes()),
        ("content.xml", content.as_bytes()),
        ("styles.xml", format!("<office:document-styles>{styles}</office:document-styles>").as_bytes()),
        ("meta.xml", meta.as_bytes()),
        ("META-INF/manifest.xml", b"<manifest:manifest/>"),
    ])
}
