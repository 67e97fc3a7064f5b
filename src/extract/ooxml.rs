//! Office Open XML packages (ECMA-376), and Word's documents in them.
//!
//! Names of elements are matched without their namespace: Strict documents have other ones.

use super::{
    Places, Source,
    flow::{Flow, pages},
    plain,
    reading::{Here, Reading},
    xml::{self, Health, Node},
    zip::{Archive, Member},
};
use bytes::Bytes;
use quick_xml::events::BytesStart;
use std::borrow::Cow;

/// Reads a Word document: its text first, then everything else that travels in it.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, octets: &Bytes) {
    let Some(mut archive) = Archive::open(reading, here, octets) else { return };
    let mut members = archive.members();
    let rank = |m: &Member| match m.name.trim_start_matches('/') {
        n if n.starts_with("word/document") => 0,
        n if n.starts_with("word/") && !n.contains("media/") => 1,
        _ => 2,
    };
    members.sort_by_key(rank);
    for member in members {
        read_member(reading, here, &mut archive, &member);
    }
}

/// Reads one member of a package by what it is.
pub(super) fn read_member(reading: &mut Reading<'_>, here: &Here, archive: &mut Archive<'_>, member: &Member) {
    let name = member.name.trim_start_matches('/').to_ascii_lowercase();
    if carries_no_text(&name) {
        return;
    }
    let is_xml = name.ends_with(".xml") || name.ends_with(".rels") || name.ends_with(".vml");
    if !is_xml {
        let Some(inner) = reading.enter(here, &member.name) else { return };
        if let Some(octets) = archive.take(reading, &inner, member.index) {
            reading.open(&inner, &member.name, "", &Bytes::from(octets));
        }
        return;
    }
    if !reading.count_member(here) {
        return;
    }
    let Some(octets) = archive.take(reading, here, member.index) else { return };
    read_xml(reading, here, &name, &octets);
}

/// Reads an XML part by its name.
pub(super) fn read_xml(reading: &mut Reading<'_>, here: &Here, name: &str, octets: &[u8]) {
    let text = xml::text(octets);
    let place = place(name);
    let health = match () {
        () if name == "[content_types].xml" => Health::Whole,
        () if name.ends_with(".rels") => links(reading, here, place, &text),
        () if name.starts_with("docprops/") => properties(reading, here, &text),
        // Data of other programs: the tags are the labels.
        () if name.starts_with("customxml/") => {
            reading.text(&here.part, Source::Attachment, plain::clean(Cow::Borrowed(&text)).into_owned(), Places::Named(place));
            Health::Whole
        }
        () => markup(reading, here, name, place, &text),
    };
    if health == Health::Damaged {
        reading.damaged(here, "xml");
    }
}

/// Parts of a package that are known to carry no text.
fn carries_no_text(name: &str) -> bool {
    name.contains("/printersettings/") || name.ends_with(".odttf") || name.ends_with(".fntdata") || name == "xl/calcchain.xml"
}

/// `word/header2.xml` is `header 2`.
fn place(name: &str) -> String {
    let file = name.rsplit('/').next().unwrap_or(name);
    let stem = file.split('.').next().unwrap_or(file);
    let digits = stem.len() - stem.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (word, number) = stem.split_at(stem.len() - digits);
    let word = match word {
        "comments" | "threadedcomment" | "commentsextended" => "comment",
        "footnotes" => "footnote",
        "endnotes" => "endnote",
        other => other,
    };
    let place = if number.is_empty() { word.to_owned() } else { format!("{word} {number}") };
    if name.ends_with(".rels") { format!("links of {place}") } else { place }
}

/// Link targets outside the package (Open Packaging Conventions, 9.3).
fn links(reading: &mut Reading<'_>, here: &Here, place: String, text: &str) -> Health {
    let mut targets = String::new();
    let health = xml::walk(text, |node| {
        if let Node::Open("Relationship", element) = node
            && xml::attribute(element, "TargetMode").is_some_and(|m| m == "External")
            && let Some(target) = xml::attribute(element, "Target")
        {
            targets.push_str(&plain::clean(target).replace('\n', " "));
            targets.push('\n');
        }
    });
    reading.text(&here.part, Source::Attachment, targets, Places::Named(place));
    health
}

/// `name: value` for each property: core, extended and custom ones (ECMA-376, part 1, 22).
fn properties(reading: &mut Reading<'_>, here: &Here, text: &str) -> Health {
    let (mut lines, mut name, mut value) = (String::new(), String::new(), String::new());
    let health = xml::walk(text, |node| match node {
        Node::Open("property", element) => name = xml::attribute(element, "name").unwrap_or_default().into_owned(),
        Node::Open(local, _) => {
            value.clear();
            if !matches!(local, "lpwstr" | "lpstr" | "i4" | "i8" | "r8" | "bool" | "filetime" | "vector" | "variant" | "bstr") {
                name = local.to_owned();
            }
        }
        Node::Text(text) => value.push_str(&text),
        Node::Close(_) => {
            if !value.trim().is_empty() {
                lines.push_str(&format!("{name}: {}\n", plain::clean(Cow::Borrowed(value.trim())).replace('\n', " ")));
            }
            value.clear();
        }
    });
    reading.text(&here.part, Source::Properties, lines, Places::None);
    health
}

/// The text of WordprocessingML, DrawingML, SpreadsheetML and charts.
fn markup(reading: &mut Reading<'_>, here: &Here, name: &str, place: String, text: &str) -> Health {
    let mut body = Markup::default();
    let health = xml::walk(text, |node| body.node(node));
    let is_document = name.starts_with("word/document");
    let places = if is_document { Places::Pages(pages(&body.flow.text, &body.breaks)) } else { Places::Named(place.clone()) };
    reading.flow(&here.part, Source::Attachment, body.flow, places);
    let boxes = if is_document { "text box".to_owned() } else { format!("text box of {place}") };
    reading.flow(&here.part, Source::Attachment, body.boxes, Places::Named(boxes));
    let aside = if is_document { "attributes".to_owned() } else { format!("attributes of {place}") };
    reading.text(&here.part, Source::Attachment, body.aside, Places::Named(aside));
    health
}

/// A part as its text grows.
#[derive(Default)]
struct Markup {
    flow: Flow,
    /// Text boxes stand within a paragraph that goes on behind them.
    boxes: Flow,
    box_depth: usize,
    /// Alternative texts, names of fields and the like, one a line.
    aside: String,
    /// Where pages begin, but for the first.
    breaks: Vec<usize>,
    /// Within an element whose character data is text.
    text_depth: usize,
    /// Within paragraph properties, where `tab` is a tab stop.
    property_depth: usize,
    deleted_depth: usize,
    is_run_hidden: bool,
    row_has_cell: bool,
}

impl Markup {
    fn node(&mut self, node: Node<'_>) {
        match node {
            Node::Open(name, element) => {
                self.open(name, element);
                self.attributes(name, element);
            }
            Node::Close(name) => self.close(name),
            Node::Text(text) if self.text_depth > 0 => {
                let is_hidden = self.is_run_hidden || self.deleted_depth > 0;
                let text = plain::clean(text);
                self.current().push(&text, is_hidden);
            }
            Node::Text(_) => {}
        }
    }

    fn current(&mut self) -> &mut Flow {
        if self.box_depth > 0 { &mut self.boxes } else { &mut self.flow }
    }

    fn open(&mut self, name: &str, element: &BytesStart<'_>) {
        match name {
            "t" | "delText" | "instrText" | "delInstrText" => self.text_depth += 1,
            _ if is_line(name) => {
                self.current().line();
                self.text_depth += 1;
            }
            "p" | "si" => self.current().line(),
            "pPr" | "tabs" => self.property_depth += 1,
            "tab" if self.property_depth == 0 => self.current().push("\t", false),
            "br" | "cr" if self.property_depth == 0 => {
                if xml::attribute(element, "type").is_some_and(|t| t == "page") {
                    self.page_break();
                }
                self.current().line();
            }
            "lastRenderedPageBreak" => self.page_break(),
            "noBreakHyphen" => self.current().push("-", false),
            "softHyphen" => self.current().push("\u{AD}", false),
            "sym" => self.symbol(element),
            "r" => self.is_run_hidden = false,
            "vanish" | "webHidden" | "specVanish" => self.is_run_hidden |= !is_off(element),
            "color" if self.property_depth == 0 => {
                self.is_run_hidden |= xml::attribute(element, "val").is_some_and(|v| v.eq_ignore_ascii_case("ffffff"))
            }
            "del" | "moveFrom" if self.property_depth == 0 => self.deleted_depth += 1,
            "txbxContent" => {
                self.box_depth += 1;
                self.boxes.line();
            }
            "tr" => {
                self.current().row();
                self.row_has_cell = false;
            }
            "tc" => {
                let is_first = !self.row_has_cell;
                self.current().cell(is_first);
                self.row_has_cell = true;
            }
            _ => {}
        }
    }

    fn close(&mut self, name: &str) {
        match name {
            "t" | "delText" | "instrText" | "delInstrText" => self.text_depth = self.text_depth.saturating_sub(1),
            _ if is_line(name) => {
                self.text_depth = self.text_depth.saturating_sub(1);
                self.current().line();
            }
            "p" | "si" => self.current().line(),
            "pPr" | "tabs" => self.property_depth = self.property_depth.saturating_sub(1),
            "r" => self.is_run_hidden = false,
            "del" | "moveFrom" if self.property_depth == 0 => self.deleted_depth = self.deleted_depth.saturating_sub(1),
            "txbxContent" => self.box_depth = self.box_depth.saturating_sub(1),
            "tc" => self.current().cell_end(),
            "tr" | "tbl" => self.current().row(),
            _ => {}
        }
    }

    fn page_break(&mut self) {
        if self.box_depth == 0 && self.flow.text.len() > self.breaks.last().copied().unwrap_or(0) {
            self.breaks.push(self.flow.text.len());
        }
    }

    /// A character of a symbol font: its code, in the private use area for most.
    fn symbol(&mut self, element: &BytesStart<'_>) {
        let code = xml::attribute(element, "char").and_then(|c| u32::from_str_radix(&c, 16).ok());
        if let Some(c) = code.map(|c| if (0xF020..0xF0FF).contains(&c) { c - 0xF000 } else { c }).and_then(char::from_u32) {
            self.current().push(c.encode_utf8(&mut [0; 4]), false);
        }
    }

    fn attributes(&mut self, element_name: &str, element: &BytesStart<'_>) {
        let is_field = matches!(element_name, "listEntry" | "default" | "alias" | "tag" | "listItem" | "textInput" | "placeholder");
        let is_cached = matches!(element_name, "s" | "n" | "d");
        for (name, value) in xml::attributes(element) {
            let is_told = match name.as_str() {
                "descr" | "title" | "alt" | "instr" | "string" | "displayText" | "author" | "prompt" | "promptTitle" | "error"
                | "helpText" | "statusText" | "tooltip" => true,
                "val" | "value" => is_field,
                // Values of a pivot cache (ECMA-376, part 1, 18.10).
                "v" => is_cached,
                _ => false,
            };
            if is_told && !value.trim().is_empty() {
                self.aside.push_str(&plain::clean(value).replace('\n', " "));
                self.aside.push('\n');
            }
        }
    }
}

/// Elements whose character data is text and stands on a line of its own.
fn is_line(name: &str) -> bool {
    matches!(
        name,
        "v" | "text"
            | "formula"
            | "formula1"
            | "formula2"
            | "oddHeader"
            | "oddFooter"
            | "evenHeader"
            | "evenFooter"
            | "firstHeader"
            | "firstFooter"
            | "definedName"
            | "author"
    )
}

fn is_off(element: &BytesStart<'_>) -> bool {
    xml::attribute(element, "val").is_some_and(|v| matches!(&*v, "0" | "false" | "off"))
}
