//! The mails that the demo sends, made here: one clean, one by activation word, one with a citizen number inside a workbook inside a ZIP.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::io::{Cursor, Write as _};
use zip::{ZipWriter, result::ZipError, write::SimpleFileOptions};

/// Who sends in the demo.
pub const SENDER: &str = "anna.devries@voorbeeld.example";
/// Who receives: outside the organisation.
pub const RECIPIENT: &str = "burger@post.example";

/// A mail to send.
#[derive(Debug)]
pub struct Sample {
    /// What it shows.
    pub title: &'static str,
    /// Its octets, lines ended by CRLF.
    pub octets: Vec<u8>,
}

/// A clean mail.
#[must_use]
pub fn clean() -> Sample {
    let body = "Beste meneer Bakker,\r\n\r\nDe raadsvergadering is dinsdag om 19.30 uur in het gemeentehuis.\r\n\r\nMet vriendelijke groet,\r\nAnna de Vries\r\n";
    let octets = format!("{}Content-Type: text/plain; charset=utf-8\r\n\r\n{body}", head("clean", "Raadsvergadering dinsdag"));
    Sample { title: "a clean mail", octets: octets.into_bytes() }
}

/// A mail whose sender asks for protection by the activation word.
#[must_use]
pub fn activation_word() -> Sample {
    let body = "Beste meneer Bakker,\r\n\r\nHierbij de uitslag van ons gesprek. Dit blijft tussen ons.\r\n\r\nAnna de Vries\r\n";
    let octets = format!("{}Content-Type: text/plain; charset=utf-8\r\n\r\n{body}", head("word", "[beveiligd] Uitslag van ons gesprek"));
    Sample { title: "a mail with the activation word: level 1", octets: octets.into_bytes() }
}

/// A mail with the ZIP of [`zipped`].
#[must_use]
pub fn workbook_in_zip(zipped: &[u8]) -> Sample {
    let head = head("zip", "Overzicht van uw dossier");
    let octets = format!(
        "{head}Content-Type: multipart/mixed; boundary=\"grens\"\r\n\r\n--grens\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nBeste meneer \
         Bakker,\r\n\r\nIn de bijlage staat het overzicht.\r\n\r\nAnna de Vries\r\n--grens\r\nContent-Type: application/zip; name=\"dossier.zip\"\r\n\
         Content-Disposition: attachment; filename=\"dossier.zip\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}--grens--\r\n",
        base64_lines(zipped)
    );
    Sample { title: "a mail with a citizen number in a workbook in a ZIP: level 2, number unknown", octets: octets.into_bytes() }
}

fn head(name: &str, subject: &str) -> String {
    let date = jiff::Zoned::now().strftime("%a, %d %b %Y %H:%M:%S %z").to_string();
    let id = crate::secret::Id::random();
    format!(
        "From: Anna de Vries <{SENDER}>\r\nTo: B. Bakker <{RECIPIENT}>\r\nSubject: {subject}\r\nDate: {date}\r\n\
         Message-ID: <{name}-{id}@voorbeeld.example>\r\nMIME-Version: 1.0\r\n"
    )
}

/// Base64 in lines of 76 characters (RFC 2045, 6.8).
fn base64_lines(octets: &[u8]) -> String {
    let text = STANDARD.encode(octets);
    let mut lines = String::with_capacity(text.len() + text.len() / 38 + 2);
    for line in text.as_bytes().chunks(76) {
        lines.extend(line.iter().map(|b| char::from(*b)));
        lines.push_str("\r\n");
    }
    lines
}

/// A ZIP that holds `dossier.xlsx`.
///
/// # Errors
/// Never in practice: it is written to memory.
pub fn zipped(workbook: &[u8]) -> Result<Vec<u8>, ZipError> {
    archive(&[("dossier.xlsx", workbook)])
}

/// A workbook with one sheet: a header row and one person.
///
/// # Errors
/// Never in practice: it is written to memory.
pub fn workbook() -> Result<Vec<u8>, ZipError> {
    let row = |number: u32, cells: &[&str]| {
        let cells: String = cells
            .iter()
            .zip('A'..)
            .map(|(text, column)| format!("<c r=\"{column}{number}\" t=\"inlineStr\"><is><t>{text}</t></is></c>"))
            .collect();
        format!("<row r=\"{number}\">{cells}</row>")
    };
    let sheet = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{}{}</sheetData></worksheet>",
        row(1, &["Naam", "BSN", "Dossier"]),
        row(2, &["B. Bakker", "111222333", "2026-0114"])
    );
    archive(&[
        (
            "[Content_Types].xml",
            br#"<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#,
        ),
        (
            "_rels/.rels",
            br#"<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
        ),
        (
            "xl/workbook.xml",
            br#"<?xml version="1.0" encoding="UTF-8"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Dossiers" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
        ),
        (
            "xl/_rels/workbook.xml.rels",
            br#"<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#,
        ),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

fn archive(files: &[(&str, &[u8])]) -> Result<Vec<u8>, ZipError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, octets) in files {
        zip.start_file(*name, SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated))?;
        zip.write_all(octets)?;
    }
    Ok(zip.finish()?.into_inner())
}
