//! `content.xml`, `styles.xml`: everything a document says, each kind of text by itself.

use super::table::Shown;
use crate::extract::{
    Cell, Places, Source,
    flow::{Flow, pages},
    office::package::on_one_line,
    plain::BASE64,
    reading::{Here, Reading},
    sheet::Sheet,
    xml::{self, Health, Node},
};
use base64::Engine;
use bytes::Bytes;
use quick_xml::events::BytesStart;
use std::{borrow::Cow, collections::HashSet};

/// `text:s` may claim 2^32 blanks; these tell as much.
const MOST_BLANKS: usize = 64;

/// Comments in notes in boxes: what stands deeper is read as part of what it stands in.
const MOST_FRAMES: usize = 1000;

/// What a document is, by the element in its `office:body`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Genre {
    #[default]
    Text,
    Sheets,
    Slides,
    Drawing,
}

/// The kinds of text, each of which flows by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Body,
    Box,
    Comment,
    Notes,
    Deleted,
    Header,
    Footer,
}

const TARGETS: [(Target, &str); 7] = [
    (Target::Body, ""),
    (Target::Box, "text box"),
    (Target::Comment, "comment"),
    (Target::Notes, "notes"),
    (Target::Deleted, "deleted"),
    (Target::Header, "header"),
    (Target::Footer, "footer"),
];

/// One kind of text, and where slides, pages or cells begin in it.
#[derive(Default)]
struct Stream {
    flow: Flow,
    starts: Vec<usize>,
    cells: Vec<(usize, Cell)>,
}

/// Where text goes at present: the body has paragraphs that hold comments that have paragraphs.
struct Frame {
    target: Target,
    /// Of the element that began it.
    depth: usize,
    paragraphs: usize,
    is_after_blank: bool,
}

/// A file of a document as it is read.
#[derive(Default)]
pub(super) struct Content {
    pub(super) health: Health,
    pub(super) genre: Genre,
    /// `styles.xml`: its body are master pages.
    is_styles: bool,
    is_settings: bool,
    streams: [Stream; TARGETS.len()],
    frames: Vec<Frame>,
    pub(super) depth: usize,
    /// Depths of elements that a reader does not see.
    hidden: Vec<usize>,
    style: String,
    hidden_styles: HashSet<String>,
    pub(super) row_has_cell: bool,
    /// Names, alternative texts, links, values of fields: one a line.
    aside: String,
    silent_depth: Option<usize>,
    /// The number of the last sheet.
    pub(super) sheet: u32,
    pub(super) sheets: Vec<Sheet>,
    pub(super) names: String,
    pub(super) literals: String,
    pub(super) tables: Vec<usize>,
    pub(super) row: u32,
    pub(super) rows_repeated: u32,
    pub(super) column: u32,
    pub(super) cell: Option<Shown>,
    pub(super) cells_left: usize,
    /// Slides or pages that are told apart; what follows belongs to the last.
    pages: usize,
    /// Files in base64; one more than may be is told where they are opened.
    members: usize,
    pub(super) is_full: bool,
    files: Vec<(String, String)>,
    is_file: bool,
    name: String,
}

impl Content {
    /// Reads a file by its name; the empty one is a flat document.
    pub(super) fn read(reading: &Reading<'_>, text: &str, file: &str) -> Content {
        let mut content = Content {
            is_styles: file == "styles.xml",
            is_settings: file == "settings.xml",
            frames: vec![Frame { target: Target::Body, depth: 0, paragraphs: 0, is_after_blank: true }],
            cells_left: reading.limits.cells,
            pages: reading.limits.pages,
            members: reading.limits.members,
            ..Content::default()
        };
        content.health = xml::walk(text, |node| match node {
            Node::Open(name, element) => content.open(name, element),
            Node::Close(name) => content.close(name),
            Node::Text(text) => content.text(text),
        });
        // The file ended within it.
        if let Some(cell) = content.cell.take() {
            content.add_cell(&cell);
        }
        content
    }

    fn frame(&mut self) -> &mut Frame {
        if self.frames.is_empty() {
            self.frames.push(Frame { target: Target::Body, depth: 0, paragraphs: 0, is_after_blank: true });
        }
        let last = self.frames.len() - 1;
        &mut self.frames[last]
    }

    pub(super) fn target(&self) -> Target {
        self.frames.last().map_or(Target::Body, |frame| frame.target)
    }

    pub(super) fn flow(&mut self) -> &mut Flow {
        &mut self.streams[self.target() as usize].flow
    }

    /// What is shown in a cell is its own; everything else flows.
    fn push(&mut self, text: &str) {
        let is_hidden = !self.hidden.is_empty();
        if self.target() == Target::Body
            && let Some(cell) = &mut self.cell
        {
            cell.shown.push_str(text);
        } else {
            self.flow().push(text, is_hidden);
        }
    }

    fn line(&mut self) {
        if self.target() == Target::Body
            && let Some(cell) = &mut self.cell
        {
            if !cell.shown.is_empty() {
                cell.shown.push(' ');
            }
        } else {
            self.flow().line();
        }
    }

    fn tell(&mut self, text: Cow<'_, str>) {
        if !text.trim().is_empty() {
            self.aside.push_str(&on_one_line(text));
            self.aside.push('\n');
        }
    }

    fn open(&mut self, name: &str, element: &BytesStart<'_>) {
        self.depth += 1;
        let value = |name: &str| xml::attribute(element, name).unwrap_or_default();
        if value("display") == "none" && name != "text-properties" || self.hidden_styles.contains(&*value("style-name")) {
            self.hidden.push(self.depth);
        }
        match self.target_of(name) {
            Some(target) => self.enter(target),
            // An alternative text stands within a paragraph, and is no text of it.
            None if matches!(name, "desc" | "title") && self.frames.len() <= MOST_FRAMES => {
                self.frames.push(Frame { target: self.target(), depth: self.depth, paragraphs: 0, is_after_blank: true });
            }
            None => {}
        }
        match name {
            "spreadsheet" => self.genre = Genre::Sheets,
            "presentation" => self.genre = Genre::Slides,
            "drawing" => self.genre = Genre::Drawing,
            "style" => self.style = value("name").into_owned(),
            "text-properties" if value("display") == "none" || value("color").eq_ignore_ascii_case("#ffffff") => {
                self.hidden_styles.insert(self.style.clone());
            }
            "p" | "h" => {
                self.line();
                let frame = self.frame();
                frame.paragraphs += 1;
                frame.is_after_blank = true;
            }
            "s" => {
                let blanks = value("c").parse().unwrap_or(1).min(MOST_BLANKS);
                self.push(&" ".repeat(blanks));
            }
            "tab" => self.push("\t"),
            "line-break" => self.line(),
            "soft-page-break" if self.target() == Target::Body => self.start(),
            "page" if matches!(self.genre, Genre::Slides | Genre::Drawing) => self.start(),
            "binary-data" => {
                self.is_file = true;
                let name = if self.name.is_empty() { "object".to_owned() } else { self.name.clone() };
                if self.files.len() <= self.members {
                    self.files.push((name, String::new()));
                }
            }
            "frame" => self.name = value("name").into_owned(),
            "meta" | "manifest" => self.silence(),
            "config-item" if !self.is_settings || value("type") != "string" || value("name").contains("Setup") => self.silence(),
            "table" | "table-row" | "table-cell" | "covered-table-cell" => self.open_table(name, element),
            _ => {}
        }
        self.attributes(name, element);
    }

    /// Elements that begin another kind of text.
    fn target_of(&self, name: &str) -> Option<Target> {
        let is_page = matches!(self.genre, Genre::Slides | Genre::Drawing);
        Some(match name {
            "annotation" => Target::Comment,
            "note" | "notes" => Target::Notes,
            "tracked-changes" => Target::Deleted,
            "header" | "header-left" | "header-first" => Target::Header,
            "footer" | "footer-left" | "footer-first" => Target::Footer,
            // On a slide they are what is shown; in a text they stand within a paragraph that goes on behind them.
            "text-box" | "custom-shape" | "rect" | "ellipse" | "circle" | "line" | "connector" | "caption" | "polygon" | "polyline"
            | "path"
                if !is_page =>
            {
                Target::Box
            }
            _ => return None,
        })
    }

    fn enter(&mut self, target: Target) {
        if self.frames.len() > MOST_FRAMES {
            return;
        }
        self.frames.push(Frame { target, depth: self.depth, paragraphs: 0, is_after_blank: true });
        let at = self.streams[target as usize].flow.text.len();
        self.streams[target as usize].flow.row();
        if let (Some(sheet), true) = (self.sheets.last(), self.cell.is_some()) {
            let cell = Cell { sheet: sheet.number, row: self.row, column: self.column };
            self.streams[target as usize].cells.push((at, cell));
        }
    }

    /// A slide or page begins, for all kinds of text.
    fn start(&mut self) {
        if self.streams[0].starts.len() >= self.pages {
            return;
        }
        for stream in &mut self.streams {
            stream.starts.push(stream.flow.text.len());
        }
    }

    fn silence(&mut self) {
        self.silent_depth.get_or_insert(self.depth);
    }

    fn close(&mut self, name: &str) {
        match name {
            "p" | "h" => {
                let frame = self.frame();
                frame.paragraphs = frame.paragraphs.saturating_sub(1);
                if self.cell.is_none() || self.target() != Target::Body {
                    self.flow().line();
                }
            }
            "binary-data" => self.is_file = false,
            "table" | "table-row" | "table-cell" | "covered-table-cell" => self.close_table(name),
            _ => {}
        }
        if self.frames.len() > 1 && self.frame().depth == self.depth {
            self.frames.pop();
        }
        if self.hidden.last() == Some(&self.depth) {
            self.hidden.pop();
        }
        if self.silent_depth == Some(self.depth) {
            self.silent_depth = None;
        }
        self.depth = self.depth.saturating_sub(1);
    }

    fn text(&mut self, text: Cow<'_, str>) {
        if self.is_file {
            if let Some((_, file)) = self.files.last_mut() {
                file.extend(text.chars().filter(|c| !c.is_whitespace()));
            }
        } else if self.frame().paragraphs > 0 {
            let mut is_after_blank = self.frame().is_after_blank;
            let collapsed = collapsed(&text, &mut is_after_blank);
            self.frame().is_after_blank = is_after_blank;
            self.push(&collapsed);
        } else if self.silent_depth.is_none() {
            self.tell(text);
        }
    }

    fn attributes(&mut self, element_name: &str, element: &BytesStart<'_>) {
        if self.silent_depth.is_some() {
            return;
        }
        let is_cell = matches!(element_name, "table-cell" | "covered-table-cell");
        let is_named = matches!(element_name, "bookmark" | "bookmark-start" | "frame" | "named-range" | "named-expression" | "section");
        let is_valued = matches!(
            element_name,
            "user-field-decl" | "variable-set" | "hidden" | "option" | "textarea" | "text" | "formatted-text" | "change-track-table-cell"
        );
        for (name, value) in xml::attributes(element) {
            let is_told = match name.as_str() {
                "href" => value.contains(':') || value.contains('@'),
                "string-value" => !is_cell,
                "label"
                | "current-value"
                | "alternative-text"
                | "title"
                | "author"
                | "expression"
                | "condition"
                | "connection-resource" => true,
                "value" => is_valued,
                "name" => is_named,
                _ => false,
            };
            if is_told {
                self.tell(value);
            }
        }
    }

    /// Hands over what was read; `folder` is that of an object within the document.
    pub(super) fn done(mut self, reading: &mut Reading<'_>, here: &Here, folder: &str) {
        let within = |places: Places| match (folder, places) {
            ("", places) => places,
            (folder, Places::None) => Places::Named(folder.to_owned()),
            (folder, places) => Places::Within(folder.to_owned(), Box::new(places)),
        };
        for sheet in std::mem::take(&mut self.sheets) {
            reading.spanned(&here.part, Source::Attachment, sheet.text, within(Places::Cells(sheet.cells)), sheet.spans);
        }
        if self.is_full {
            reading.too_large(here, "cells");
        }
        let streams = std::mem::take(&mut self.streams);
        for ((target, name), stream) in TARGETS.into_iter().zip(streams) {
            let places = self.places(target, &stream);
            let places = match (name, places) {
                ("", places) => places,
                (name, Places::None | Places::Pages(_)) => Places::Named(name.to_owned()),
                (name, places) => Places::Within(name.to_owned(), Box::new(places)),
            };
            reading.flow(&here.part, Source::Attachment, stream.flow, within(places));
        }
        for (text, name) in [(self.names, "names"), (self.literals, "formulas"), (self.aside, "attributes")] {
            reading.text(&here.part, Source::Attachment, text, within(Places::Named(name.to_owned())));
        }
        for (name, packed) in self.files {
            match BASE64.decode(packed) {
                Ok(octets) => reading.member(here, &name, "", &Bytes::from(octets)),
                Err(_) => reading.damaged(here, "base64"),
            }
        }
    }

    fn places(&self, target: Target, stream: &Stream) -> Places {
        if !stream.cells.is_empty() {
            return Places::Cells(stream.cells.clone());
        }
        match self.genre {
            _ if self.is_styles && target == Target::Body => Places::Named("master".to_owned()),
            Genre::Slides if !stream.starts.is_empty() => Places::Slides(stream.starts.clone()),
            Genre::Drawing if !stream.starts.is_empty() => Places::Pages(stream.starts.clone()),
            Genre::Text if !self.is_settings => Places::Pages(pages(&stream.flow.text, &stream.starts)),
            _ => Places::None,
        }
    }
}

/// Blanks and line ends of the XML are one blank, at the start of a paragraph none (part 3, 6.1.2).
fn collapsed(text: &str, is_after_blank: &mut bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        let is_blank = c <= ' ';
        if !is_blank {
            shown.push(c);
        } else if !*is_after_blank {
            shown.push(' ');
        }
        *is_after_blank = is_blank;
    }
    shown
}
