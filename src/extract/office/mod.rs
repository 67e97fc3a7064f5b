//! Office documents: packages of XML (ECMA-376, ISO 26300), of BIFF12 records (MS-XLSB), and their one-file forms.
//!
//! Names of elements are matched without their namespace: Strict documents have other ones.

mod flat;
mod markup;
mod odf;
pub(super) mod package;
mod pptx;
mod xlsb;
mod xps;

use super::{
    Cell, Places, Source, plain,
    reading::{Here, Reading},
    xlsx,
    xml::{self, Health, Node},
    zip::{self, Archive},
};
use bytes::Bytes;
use package::{Main, Package};
use std::borrow::Cow;

pub(super) use flat::{is_flat, read as read_flat};
pub(super) use odf::read as read_odf;

/// Reads an Office Open XML package: its main part first, then everything else that travels in it.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, octets: &Bytes) {
    let Some(archive) = Archive::open(reading, here, octets) else { return };
    let mut package = Package::new(reading, here, archive);
    if package.is_plain() {
        // An archive that holds office documents, or their parts.
        return zip::read(reading, here, octets.clone());
    }
    package.archive().comments(reading, here);
    match package.main() {
        Some(Main::Word(part)) => word(reading, here, &mut package, &part),
        Some(Main::Slides(part)) => pptx::read(reading, here, &mut package, &part),
        Some(Main::Sheets(part)) => xlsx::read(reading, here, octets, &mut package, &part),
        Some(Main::BinarySheets(part)) => xlsb::read(reading, here, &mut package, &part),
        None => xps::read(reading, here, &mut package),
    }
    package.rest(reading, here);
}

/// A Word document: its text, and what its parts are called.
fn word(reading: &mut Reading<'_>, here: &Here, package: &mut Package<'_>, main: &str) {
    if let Some(octets) = package.take(reading, here, main) {
        markup::read_document(reading, here, &octets);
    }
    package.relations(reading, here, main, "document");
}

/// `name: value` for each property: core, extended and custom ones (ECMA-376, part 1, 22), and those of ODF (1.3, part 3, 4).
///
/// `within` names the element that holds them, where the file holds more than that.
fn properties(reading: &mut Reading<'_>, here: &Here, text: &str, within: Option<&str>) -> Health {
    let (mut lines, mut name, mut value) = (String::new(), String::new(), String::new());
    let mut is_within = within.is_none();
    let mut line = |name: &str, value: &str| {
        if !value.trim().is_empty() {
            lines.push_str(&format!("{name}: {}\n", plain::clean(Cow::Borrowed(value.trim())).replace('\n', " ")));
        }
    };
    let health = xml::walk(text, |node| match node {
        Node::Open(local, _) if Some(local) == within => is_within = true,
        Node::Close(local) if Some(local) == within => is_within = false,
        _ if !is_within => {}
        Node::Open("property" | "user-defined", element) => {
            value.clear();
            name = xml::attribute(element, "name").unwrap_or_default().into_owned();
        }
        // docMetadata/LabelInfo.xml: what `MSIP_Label_*` properties say in older files (MS-OFFCRYPTO 2.6.4).
        Node::Open("label", element) => {
            let id = xml::attribute(element, "id").unwrap_or_default().trim_matches(['{', '}']).to_owned();
            for (key, told) in xml::attributes(element).filter(|(key, _)| key != "id") {
                let key = if key == "enabled" { "Enabled".to_owned() } else { key };
                line(&format!("MSIP_Label_{id}_{key}"), &told);
            }
        }
        Node::Open(local, _) => {
            value.clear();
            let is_type = matches!(
                local,
                "lpwstr" | "lpstr" | "i4" | "i8" | "r8" | "bool" | "filetime" | "vector" | "variant" | "bstr" | "int" | "decimal" | "date"
            );
            if !is_type {
                name = local.to_owned();
            }
        }
        Node::Text(text) => value.push_str(&text),
        Node::Close(_) => {
            line(&name, &value);
            value.clear();
        }
    });
    reading.text(&here.part, Source::Properties, lines, Places::Properties);
    health
}

/// Text data as it stands, where the tags are the labels: data of other programs.
fn as_it_stands(reading: &mut Reading<'_>, here: &Here, text: Cow<'_, str>, place: String) {
    reading.text(&here.part, Source::Attachment, plain::clean(text).into_owned(), Places::Named(place));
}

/// `C14`, `$C$14`: row and column, from 0.
fn cell_reference(reference: &str) -> Option<(u32, u32)> {
    let (mut column, mut row) = (0u32, 0u32);
    for c in reference.bytes().filter(|c| *c != b'$') {
        match c {
            b'A'..=b'Z' | b'a'..=b'z' if row == 0 => {
                column = column.checked_mul(26)?.checked_add(u32::from(c.to_ascii_uppercase() - b'A') + 1)?;
            }
            b'0'..=b'9' => row = row.checked_mul(10)?.checked_add(u32::from(c - b'0'))?,
            _ => return None,
        }
    }
    Some((row.checked_sub(1)?, column.checked_sub(1)?))
}

/// The places of what is said about cells: `comment, sheet 2, C14`.
fn about_cells(what: &str, sheet: u32, cells: &[(usize, (u32, u32))]) -> Places {
    let cells = cells.iter().map(|(at, (row, column))| (*at, Cell { sheet, row: *row, column: *column })).collect();
    Places::Within(what.to_owned(), Box::new(Places::Cells(cells)))
}
