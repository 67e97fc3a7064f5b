//! Files are made here, by code; what they hold is read back.

mod archives;
mod documents;
mod facts;
mod hostile;
mod html;
mod legacy;
mod mails;
mod office;
mod pdfs;
mod pictures;
mod rtf;
mod tnef;

use super::{Extraction, Limits, ProblemKind, attachment, file, join, message};
use crate::message::Message;
use bytes::Bytes;
use std::io::Write;

/// Reads a file, all levels down, as the program does.
fn read(name: &str, octets: impl Into<Bytes>) -> Extraction {
    read_within(name, octets, &Limits::default())
}

fn read_within(name: &str, octets: impl Into<Bytes>, limits: &Limits) -> Extraction {
    opened(attachment(name, octets.into(), limits), limits)
}

fn read_mail(octets: impl Into<Bytes>) -> Extraction {
    let limits = Limits::default();
    opened(message(&Message::new(octets.into()), &limits), &limits)
}

fn opened((shallow, unopened): (Extraction, Vec<super::Unopened>), limits: &Limits) -> Extraction {
    let opened = unopened.iter().map(|u| (u.at, file(u, limits))).collect();
    join(shallow, opened)
}

/// All texts but file names and properties, by part.
fn texts(extraction: &Extraction) -> Vec<(String, String)> {
    let is_content = |s| !matches!(s, super::Source::FileName | super::Source::Properties);
    extraction.texts.iter().filter(|t| is_content(t.source)).map(|t| (t.part.clone(), t.text.clone())).collect()
}

fn holds(extraction: &Extraction, text: &str) -> bool {
    extraction.texts.iter().any(|t| t.text.contains(text))
}

/// `damaged mime`, for each problem.
fn problems(extraction: &Extraction) -> Vec<String> {
    extraction.problems.iter().map(|p| format!("{} {}", p.kind.word(), p.reason)).collect()
}

fn has_problem(extraction: &Extraction, kind: ProblemKind, reason: &str) -> bool {
    extraction.problems.iter().any(|p| p.kind == kind && p.reason == reason)
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    for (name, octets) in members {
        writer.start_file(*name, options).unwrap();
        writer.write_all(octets).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

const TYPES: &str = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>"#;

/// A Word document with this `<w:body>`, and further parts.
fn docx(body: &str, more: &[(&str, &[u8])]) -> Vec<u8> {
    let document = format!(r#"<?xml version="1.0" encoding="UTF-8"?><w:document xmlns:w="w"><w:body>{body}</w:body></w:document>"#);
    let mut members = vec![("[Content_Types].xml", TYPES.as_bytes()), ("word/document.xml", document.as_bytes())];
    members.extend(more);
    zip(&members)
}

/// A workbook of one sheet with this `<sheetData>`; styles 1 and 2 have the formats `000000000` and `dd-mm-yyyy`.
fn xlsx(rows: &str, strings: &[&str], more: &[(&str, &[u8])]) -> Vec<u8> {
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

/// A mail with one base64 attachment.
fn mail_with(name: &str, octets: &[u8]) -> Vec<u8> {
    use base64::Engine;
    let packed = base64::engine::general_purpose::STANDARD.encode(octets);
    let lines: Vec<&str> = packed.as_bytes().chunks(76).map(|l| std::str::from_utf8(l).unwrap()).collect();
    format!(
        "From: a@b.example\r\nTo: c@d.example\r\nSubject: Dossier\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\nZie de bijlage.\r\n--x\r\nContent-Type: application/octet-stream\r\n\
         Content-Disposition: attachment; filename=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--x--\r\n",
        lines.join("\r\n")
    )
    .into_bytes()
}
