//! Office documents that are one XML file: Flat OPC, the XML of Word and Excel 2003, flat OpenDocument.

use super::{Health, markup::Markup, odf, properties};
use crate::extract::{
    Places, Source,
    plain::BASE64,
    reading::{Here, Reading},
    sheet::Sheet,
    xml::{self, Node},
};
use base64::Engine;
use bytes::Bytes;
use quick_xml::events::BytesStart;
use std::collections::HashMap;

/// Whether XML that begins so, in lower case, is an office document.
pub(in crate::extract) fn is_flat(start: &str) -> bool {
    const NAMESPACES: [&str; 4] = [
        "schemas.microsoft.com/office/2006/xmlpackage",
        "schemas.microsoft.com/office/word/2003/wordml",
        "urn:schemas-microsoft-com:office:spreadsheet",
        "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    ];
    let is_xml = start.starts_with("<?xml") || start.starts_with("<?mso-application") || start.starts_with('<') && !start.starts_with("<!");
    is_xml && !start.contains("<html") && NAMESPACES.iter().any(|namespace| start.contains(namespace))
}

/// Reads such a document.
pub(in crate::extract) fn read(reading: &mut Reading<'_>, here: &Here, octets: &Bytes) {
    let text = xml::text(octets);
    let is_open = text.get(..text.floor_char_boundary(4096)).is_some_and(|start| start.contains("opendocument:xmlns:office"));
    if is_open {
        return odf::read_flat(reading, here, &text);
    }
    let mut document = Document::default();
    let health = xml::walk(&text, |node| document.node(node));
    document.done(reading, here);
    // `DocumentProperties` and the like of 2003; `Properties` and `coreProperties` of Flat OPC.
    for element in ["DocumentProperties", "CustomDocumentProperties", "Properties", "coreProperties"] {
        if text.contains(element) {
            properties(reading, here, &text, Some(element));
        }
    }
    if health == Health::Damaged {
        reading.damaged(here, "xml");
    }
}

/// A document as it is read: text, or the cells of a workbook; and files in base64.
#[derive(Default)]
struct Document {
    body: Markup,
    book: Book,
    files: Vec<(String, String)>,
    part: String,
    /// Within base64.
    is_file: bool,
}

impl Document {
    fn node(&mut self, node: Node<'_>) {
        match &node {
            Node::Open("part", element) => {
                self.body.flow.row();
                self.part = xml::attribute(element, "name").unwrap_or_default().into_owned();
            }
            // pkg:binaryData, w:binData.
            Node::Open("binaryData" | "binData", element) => {
                self.is_file = true;
                let name = xml::attribute(element, "name").map_or_else(|| self.part.clone(), std::borrow::Cow::into_owned);
                if self.files.len() <= MOST_FILES {
                    self.files.push((name, String::new()));
                }
                return;
            }
            Node::Close("binaryData" | "binData") => self.is_file = false,
            Node::Text(text) if self.is_file => {
                if let Some((_, file)) = self.files.last_mut() {
                    file.extend(text.chars().filter(|c| !c.is_whitespace()));
                }
                return;
            }
            _ => {}
        }
        if !self.book.node(&node) {
            self.body.node(node);
        }
    }

    fn done(self, reading: &mut Reading<'_>, here: &Here) {
        let pages = Places::Pages(self.body.pages());
        reading.flow(&here.part, Source::Attachment, self.body.flow, pages);
        reading.flow(&here.part, Source::Attachment, self.body.boxes, Places::Named("text box".to_owned()));
        reading.text(&here.part, Source::Attachment, self.body.aside, Places::Named("attributes".to_owned()));
        for sheet in self.book.sheets {
            reading.spanned(&here.part, Source::Attachment, sheet.text, Places::Cells(sheet.cells), sheet.spans);
        }
        if self.book.is_full {
            reading.too_large(here, "cells");
        }
        for (name, packed) in self.files {
            match BASE64.decode(packed) {
                Ok(octets) => reading.member(here, &name, "", &Bytes::from(octets)),
                Err(_) => reading.damaged(here, "base64"),
            }
        }
    }
}

/// XML Spreadsheet 2003: `Worksheet`, `Row`, `Cell`, `Data`, with positions only where some are left out.
#[derive(Default)]
struct Book {
    /// The number of the last sheet.
    sheet: u32,
    sheets: Vec<Sheet>,
    formats: HashMap<String, String>,
    style: String,
    row: u32,
    column: u32,
    cell_style: String,
    is_number: bool,
    comment_depth: usize,
    data: Option<String>,
    cells: usize,
    is_full: bool,
}

/// As [`crate::extract::Limits::members`]: one more is told where they are opened.
const MOST_FILES: usize = 10_000;

/// As [`crate::extract::Limits::cells`].
const MOST_CELLS: usize = 2_000_000;

impl Book {
    /// Takes what belongs to cells; what does not is the document's.
    fn node(&mut self, node: &Node<'_>) -> bool {
        match node {
            Node::Open(name, element) => self.open(name, element),
            Node::Text(text) => {
                let Some(data) = &mut self.data else { return false };
                data.push_str(text);
            }
            Node::Close("Data") => {
                let Some(data) = self.data.take() else { return false };
                self.cell(&data);
            }
            Node::Close("Comment") => self.comment_depth = self.comment_depth.saturating_sub(1),
            Node::Close(_) => {}
        }
        matches!(node, Node::Text(_)) || matches!(node, Node::Close("Data"))
    }

    fn open(&mut self, name: &str, element: &BytesStart<'_>) {
        let value = |name| xml::attribute(element, name).unwrap_or_default().into_owned();
        let next = |at: u32| value("Index").parse().unwrap_or_else(|_| at.saturating_add(1));
        match name {
            "Style" => self.style = value("ID"),
            "NumberFormat" => {
                self.formats.insert(self.style.clone(), value("Format"));
            }
            "Worksheet" => {
                self.row = 0;
                self.sheet = self.sheet.saturating_add(1);
                // An empty one leaves nothing but its number.
                self.sheets.pop_if(|sheet| sheet.text.is_empty());
                self.sheets.push(Sheet { number: self.sheet, ..Sheet::default() });
            }
            "Row" if !self.sheets.is_empty() => {
                self.row = next(self.row);
                self.column = 0;
            }
            "Cell" if !self.sheets.is_empty() => {
                self.column = next(self.column);
                self.cell_style = value("StyleID");
            }
            "Comment" => self.comment_depth += 1,
            "Data" if !self.sheets.is_empty() && self.comment_depth == 0 => {
                self.is_number = value("Type") == "Number";
                self.data = Some(String::new());
            }
            _ => {}
        }
    }

    fn cell(&mut self, data: &str) {
        if self.cells >= MOST_CELLS {
            self.is_full = true;
            return;
        }
        self.cells += 1;
        let Some(sheet) = self.sheets.last_mut() else { return };
        sheet.begin(self.row.saturating_sub(1), self.column.saturating_sub(1));
        match data.trim().parse::<f64>() {
            Ok(number) if self.is_number => sheet.number(number, self.formats.get(&self.cell_style).map(String::as_str)),
            _ => sheet.words(data),
        }
    }
}
