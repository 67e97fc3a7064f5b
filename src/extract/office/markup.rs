//! The text of WordprocessingML, DrawingML, SpreadsheetML, charts, and of any other XML in a package.

use super::{Health, about_cells, cell_reference, package::on_one_line};
use crate::extract::{
    Places, Source,
    flow::{Flow, pages},
    plain,
    reading::{Here, Reading},
    xml::{self, Node},
};
use quick_xml::events::BytesStart;
use std::ops::Range;

/// Reads the text of a Word document.
pub(super) fn read_document(reading: &mut Reading<'_>, here: &Here, octets: &[u8]) {
    let body = Markup::of(reading, here, &xml::text(octets));
    let pages = Places::Pages(body.pages());
    reading.flow(&here.part, Source::Attachment, body.flow, pages);
    reading.flow(&here.part, Source::Attachment, body.boxes, Places::Named("text box".to_owned()));
    reading.text(&here.part, Source::Attachment, body.aside, Places::Named("attributes".to_owned()));
}

/// Reads any other part; `sheet` is the one whose cells it is about.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, octets: &[u8], place: String, sheet: Option<u32>) {
    let body = Markup::of(reading, here, &xml::text(octets));
    let places = match sheet {
        Some(sheet) if !body.cells.is_empty() => about_cells("comment", sheet, &body.cells),
        _ => Places::Named(place.clone()),
    };
    reading.flow(&here.part, Source::Attachment, body.flow, places);
    reading.flow(&here.part, Source::Attachment, body.boxes, Places::Named(format!("text box of {place}")));
    reading.text(&here.part, Source::Attachment, body.aside, Places::Named(format!("attributes of {place}")));
}

/// A part as its text grows.
#[derive(Default)]
pub(super) struct Markup {
    pub(super) flow: Flow,
    /// Text boxes stand within a paragraph that goes on behind them.
    pub(super) boxes: Flow,
    box_depth: usize,
    /// Alternative texts, names of fields and the like, one a line.
    pub(super) aside: String,
    /// Where comments begin, and which cell each is about.
    pub(super) cells: Vec<(usize, (u32, u32))>,
    /// Where pages begin, but for the first.
    breaks: Vec<usize>,
    /// Within an element whose character data is text.
    text_depth: usize,
    /// The last tag opened an element whose character data tells nothing.
    is_silent: bool,
    /// The last tag opened an element of text: blanks are meant, not layout of the XML.
    is_innermost: bool,
    /// What the text boxes of the last `mc:Choice` said, and where those of this `mc:Fallback` begin.
    choice: Range<usize>,
    fallback: usize,
    /// Within paragraph properties, where `tab` is a tab stop.
    property_depth: usize,
    deleted_depth: usize,
    is_run_hidden: bool,
    row_has_cell: bool,
}

impl Markup {
    /// The text of a whole part; a fault in it is told.
    pub(super) fn of(reading: &mut Reading<'_>, here: &Here, text: &str) -> Markup {
        let mut body = Markup::default();
        if xml::walk(text, |node| body.node(node)) == Health::Damaged {
            reading.damaged(here, "xml");
        }
        body
    }

    pub(super) fn node(&mut self, node: Node<'_>) {
        match node {
            Node::Open(name, element) => {
                self.is_innermost = false;
                self.is_silent = is_silent(name);
                self.open(name, element);
                self.attributes(name, element);
            }
            Node::Close(name) => {
                self.is_innermost = false;
                self.is_silent = false;
                self.close(name);
            }
            Node::Text(text) if self.text_depth > 0 => {
                if !self.is_innermost && text.trim().is_empty() && text.contains('\n') {
                    return;
                }
                let is_hidden = self.is_run_hidden || self.deleted_depth > 0;
                let text = plain::clean(text);
                self.current().push(&text, is_hidden);
            }
            // Whatever else a part says: no list of elements knows them all.
            Node::Text(text) if !self.is_silent && !text.trim().is_empty() => self.tell(&on_one_line(text)),
            Node::Text(_) => {}
        }
    }

    fn tell(&mut self, text: &str) {
        self.aside.push_str(text);
        self.aside.push('\n');
    }

    fn current(&mut self) -> &mut Flow {
        if self.box_depth > 0 { &mut self.boxes } else { &mut self.flow }
    }

    fn open(&mut self, name: &str, element: &BytesStart<'_>) {
        match name {
            _ if is_text(name) => {
                self.text_depth += 1;
                self.is_innermost = true;
            }
            _ if is_line(name) => {
                self.current().line();
                self.text_depth += 1;
                self.is_innermost = true;
            }
            "comment" | "threadedComment" => {
                self.flow.line();
                if let Some(cell) = xml::attribute(element, "ref").and_then(|r| cell_reference(&r)) {
                    self.cells.push((self.flow.text.len(), cell));
                }
            }
            "Choice" => self.choice = self.boxes.text.len()..self.boxes.text.len(),
            "Fallback" => self.fallback = self.boxes.text.len(),
            "p" | "si" => self.current().line(),
            "pPr" | "tabs" | "tabLst" => self.property_depth += 1,
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
            _ if is_text(name) => self.text_depth = self.text_depth.saturating_sub(1),
            "Choice" => self.choice.end = self.boxes.text.len(),
            "Fallback" => self.forget_fallback(),
            _ if is_line(name) => {
                self.text_depth = self.text_depth.saturating_sub(1);
                self.current().line();
            }
            "p" | "si" => self.current().line(),
            "pPr" | "tabs" | "tabLst" => self.property_depth = self.property_depth.saturating_sub(1),
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

    /// The same text box twice, for old programs: once is enough.
    fn forget_fallback(&mut self) {
        let text = &self.boxes.text;
        let of = |range: Range<usize>| text.get(range).unwrap_or_default().trim();
        let said = of(self.fallback..text.len());
        if !said.is_empty() && self.choice.end <= self.fallback && said == of(self.choice.clone()) {
            self.boxes.truncate(self.fallback);
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
        let is_field = matches!(
            element_name,
            "listEntry" | "default" | "alias" | "tag" | "listItem" | "textInput" | "placeholder" | "docVar" | "query" | "connectString"
        );
        let is_named = matches!(
            element_name,
            "docPr" | "cNvPr" | "cmAuthor" | "bookmarkStart" | "docVar" | "definedName" | "tableColumn" | "cacheField" | "sheet" | "author"
        );
        let is_cached = matches!(element_name, "s" | "n" | "d");
        for (name, value) in xml::attributes(element) {
            let is_told = match name.as_str() {
                "descr" | "title" | "alt" | "instr" | "string" | "displayText" | "displayName" | "author" | "prompt" | "promptTitle"
                | "error" | "errorTitle" | "helpText" | "statusText" | "tooltip" | "caption" | "connection" | "command" => true,
                "val" | "value" => is_field,
                "name" => is_named,
                // Values of a pivot cache (ECMA-376, part 1, 18.10).
                "v" => is_cached,
                _ => false,
            };
            if is_told && !value.trim().is_empty() {
                self.tell(&on_one_line(value));
            }
        }
    }

    /// Where pages begin: at the breaks that the document holds, else once after so many characters.
    pub(super) fn pages(&self) -> Vec<usize> {
        pages(&self.flow.text, &self.breaks)
    }
}

/// Elements whose character data is text, and goes on in the next one.
fn is_text(name: &str) -> bool {
    matches!(name, "t" | "delText" | "instrText" | "delInstrText")
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
            | "Text"
    )
}

/// Elements whose character data are measures, references or formulas.
fn is_silent(name: &str) -> bool {
    matches!(
        name,
        "f" | "col"
            | "colOff"
            | "row"
            | "rowOff"
            | "sqref"
            | "posOffset"
            | "pctPosHOffset"
            | "pctPosVOffset"
            | "pctWidth"
            | "pctHeight"
            | "align"
            | "formatCode"
            | "Anchor"
            | "Row"
            | "Column"
            | "AutoFill"
            | "MoveWithCells"
            | "SizeWithCells"
            | "Visible"
            | "idx"
    )
}

fn is_off(element: &BytesStart<'_>) -> bool {
    xml::attribute(element, "val").is_some_and(|v| matches!(&*v, "0" | "false" | "off"))
}
