//! Rich Text Format (specification 1.9.1), and HTML that Outlook packs in it (MS-OXRTFEX).
//!
//! One pass over the octets; groups lie on a stack of ours, with a bound.

mod fonts;
pub(super) mod lzfu;
mod object;
mod picture;
mod words;

use super::{
    Places, ProblemKind, Source, charset,
    flow::{Flow, pages},
    html, plain,
    reading::{Here, Reading},
};
use bytes::Bytes;
use encoding_rs::Encoding;
use fonts::Fonts;
use picture::{Content, Picture};
use std::borrow::Cow;
use words::{Aside, To};

/// Groups within groups: Word writes a few dozen. Deeper ones are read as if they were not there, and told.
const MOST_GROUPS: usize = 20_000;

/// `\uc`: octets that stand in for a character in programs without Unicode. A larger one would hide text from us.
const LONGEST_FALLBACK: i32 = 8;

/// Reads a document.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, octets: &[u8]) {
    read_as(reading, here, &here.part, Source::Attachment, octets);
}

/// Reads a text in RTF as Outlook packs it (LZFu); what came out of one that is damaged is read.
pub(super) fn read_packed(reading: &mut Reading<'_>, here: &Here, part: &str, source: Source, octets: &[u8]) {
    let text = unpacked(reading, part, octets);
    read_as(reading, here, part, source, &text);
}

/// Reads the pictures and files alone of a text in RTF as Outlook packs it: another body says its words.
pub(super) fn read_enclosed(reading: &mut Reading<'_>, here: &Here, part: &str, octets: &[u8]) {
    let text = unpacked(reading, part, octets);
    let document = Document::read(&text);
    if document.has_large_picture {
        reading.problem(part, None, ProblemKind::Unsupported, "image");
    }
    for (name, octets) in document.members {
        reading.member(here, &name, "", &Bytes::from(octets));
    }
}

fn unpacked(reading: &mut Reading<'_>, part: &str, octets: &[u8]) -> Vec<u8> {
    let text = lzfu::decompress(octets).unwrap_or_else(|broken| {
        reading.problem(part, None, ProblemKind::Damaged, "rtf");
        broken.rtf
    });
    reading.expanded(text.len());
    text
}

/// Reads a text in RTF that is told to be `part`: the body of a mail in Outlook's formats.
pub(super) fn read_as(reading: &mut Reading<'_>, here: &Here, part: &str, source: Source, octets: &[u8]) {
    let document = Document::read(octets);
    if document.is_too_deep {
        reading.problem(part, None, ProblemKind::TooDeep, "groups");
    }
    if document.is_damaged {
        reading.problem(part, None, ProblemKind::Damaged, "rtf");
    }
    if document.has_large_picture {
        reading.problem(part, None, ProblemKind::Unsupported, "image");
    }
    if document.is_html {
        html::read(reading, here, part, source, document.html.as_bytes(), Some("utf-8"));
    }
    let mut first = Some(Places::Pages(pages(&document.flows[0].text, &document.breaks)));
    for (flow, (_, place)) in document.flows.into_iter().zip(Aside::ALL) {
        reading.flow(part, source, flow, first.take().unwrap_or_else(|| Places::Named(place.into())));
    }
    reading.text(part, Source::Properties, document.properties, Places::None);
    for (name, octets) in document.members {
        reading.member(here, &name, "", &Bytes::from(octets));
    }
}

/// What holds until the group ends.
#[derive(Clone, Copy)]
struct Group {
    to: To,
    /// Where text went before `\upr` (RTF 1.9.1, "Unicode in RTF").
    outer: To,
    encoding: &'static Encoding,
    fallback: i32,
    is_hidden: bool,
    /// Within `\htmlrtf`: formatting that the HTML says in its own way.
    is_suppressed: bool,
}

impl Group {
    /// Whether octets of the one may be decoded together with the other's.
    fn joins(&self, other: &Group) -> bool {
        self.to == other.to
            && self.encoding == other.encoding
            && (self.is_hidden, self.is_suppressed) == (other.is_hidden, other.is_suppressed)
    }
}

struct Document<'o> {
    octets: &'o [u8],
    at: usize,
    group: Group,
    groups: Vec<Group>,
    /// Open groups that the stack has no room for.
    beyond: usize,
    fonts: Fonts,
    /// `\*` was read, and its word comes.
    is_starred: bool,
    /// The word that is being read is the first of its group.
    opens_group: bool,
    /// Octets not decoded yet, since a character may take two; and the state in which they came.
    pending: (Vec<u8>, Group),
    /// Octets to leave out behind `\u`.
    skip: i32,
    /// The first half of a surrogate pair.
    high: Option<u16>,
    /// The value that is being collected, and the name before it.
    field: String,
    name: String,
    hex: Vec<u8>,
    nibble: Option<u8>,
    picture: Picture,
    flows: [Flow; Aside::ALL.len()],
    breaks: Vec<usize>,
    html: String,
    is_html: bool,
    properties: String,
    members: Vec<(String, Vec<u8>)>,
    has_large_picture: bool,
    is_too_deep: bool,
    is_damaged: bool,
}

impl<'o> Document<'o> {
    fn read(octets: &'o [u8]) -> Document<'o> {
        let fonts = Fonts::new();
        let outside = Group {
            to: To::Text(Aside::Behind),
            outer: To::Text(Aside::Behind),
            encoding: fonts.document,
            fallback: 1,
            is_hidden: false,
            is_suppressed: false,
        };
        let mut document = Document {
            octets,
            at: 0,
            group: outside,
            groups: Vec::new(),
            beyond: 0,
            fonts,
            is_starred: false,
            opens_group: false,
            pending: (Vec::new(), outside),
            skip: 0,
            high: None,
            field: String::new(),
            name: String::new(),
            hex: Vec::new(),
            nibble: None,
            picture: Picture::default(),
            flows: Default::default(),
            breaks: Vec::new(),
            html: String::new(),
            is_html: false,
            properties: String::new(),
            members: Vec::new(),
            has_large_picture: false,
            is_too_deep: false,
            is_damaged: false,
        };
        while let Some(&octet) = octets.get(document.at) {
            document.at += 1;
            match octet {
                b'{' => document.open(),
                b'}' => document.close(),
                b'\\' => document.control(),
                b'\r' | b'\n' => {}
                other => document.octet(other),
            }
        }
        document.flush();
        document.is_damaged |= !document.groups.is_empty() || document.beyond > 0;
        while !document.groups.is_empty() {
            document.close();
        }
        document
    }

    fn open(&mut self) {
        self.skip = 0;
        self.is_starred = false;
        if self.groups.len() >= MOST_GROUPS {
            self.beyond += 1;
            self.is_too_deep = true;
            return;
        }
        self.groups.push(self.group);
        if self.groups.len() == 1 {
            self.group.to = To::Text(Aside::Body);
        }
        if let To::Text(aside @ Aside::Variable) = self.group.to {
            self.flush();
            self.flows[aside as usize].line();
        }
    }

    fn close(&mut self) {
        self.skip = 0;
        self.is_starred = false;
        if self.beyond > 0 {
            self.beyond -= 1;
            return;
        }
        let Some(outer) = self.groups.pop() else { return };
        if outer.to != self.group.to {
            self.leave();
        }
        self.group = outer;
    }

    /// At the end of a destination.
    fn leave(&mut self) {
        self.flush();
        match self.group.to {
            To::Text(aside) if aside != Aside::Body => self.flows[aside as usize].line(),
            To::Info(name) => self.property(name),
            To::PropertyName | To::ShapeName => self.name = std::mem::take(&mut self.field).trim().to_owned(),
            To::PropertyValue => {
                let name = std::mem::take(&mut self.name);
                self.property(&name);
            }
            To::ShapeValue => {
                let value = std::mem::take(&mut self.field);
                if words::is_told(&self.name) {
                    let attributes = &mut self.flows[Aside::Attribute as usize];
                    attributes.line();
                    attributes.push(&value, false);
                }
            }
            To::Fonts => {
                let first = self.fonts.get(self.fonts.first);
                if let Some(outer) = self.groups.last_mut() {
                    outer.encoding = first;
                }
                self.group.encoding = first;
            }
            To::Object => {
                let octets = std::mem::take(&mut self.hex);
                if !octets.is_empty() {
                    self.members.push(object::unpacked(octets));
                }
            }
            To::Picture => self.picture_ends(),
            _ => {}
        }
    }

    fn property(&mut self, name: &str) {
        let value = std::mem::take(&mut self.field);
        if !value.trim().is_empty() {
            self.properties.push_str(&format!("{name}: {}\n", value.trim().replace('\n', " ")));
        }
    }

    fn picture_ends(&mut self) {
        let octets = std::mem::take(&mut self.hex);
        match std::mem::take(&mut self.picture).content(octets) {
            Content::Member(name, octets) => self.members.push((name.to_owned(), octets)),
            Content::Large => self.has_large_picture = true,
            Content::Nothing => {}
        }
    }

    /// Behind a backslash: a word with its number, or a symbol.
    fn control(&mut self) {
        let Some(&symbol) = self.octets.get(self.at) else {
            self.is_damaged = true;
            return;
        };
        if !symbol.is_ascii_alphabetic() {
            self.at += 1;
            return self.symbol(symbol);
        }
        let start = self.at;
        self.opens_group = self.octets[..start - 1].trim_ascii_end().last() == Some(&b'{');
        while self.octets.get(self.at).is_some_and(u8::is_ascii_alphabetic) {
            self.at += 1;
        }
        let octets = self.octets;
        let word = &octets[start..self.at];
        let number = self.number();
        if self.octets.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        let is_starred = std::mem::take(&mut self.is_starred);
        if word == b"bin" {
            return self.binary(number.unwrap_or(0));
        }
        match self.group.to {
            // Nothing that is left out has paragraphs: a table of styles or lists lost its end, and this is text.
            To::Skip | To::Frame if matches!(word, b"par" | b"pard") => self.group.to = To::Text(Aside::Attribute),
            To::Skip => {}
            _ => self.word(word, number, is_starred),
        }
    }

    fn number(&mut self) -> Option<i32> {
        let start = self.at;
        let is_negative = self.octets.get(self.at) == Some(&b'-');
        let digits = start + usize::from(is_negative);
        let mut at = digits;
        let mut number = 0i32;
        while let Some(digit) = self.octets.get(at).filter(|o| o.is_ascii_digit()) {
            number = number.saturating_mul(10).saturating_add(i32::from(digit - b'0'));
            at += 1;
        }
        if at == digits {
            return None;
        }
        self.at = at;
        Some(if is_negative { -number } else { number })
    }

    /// `\bin`: octets as they are.
    fn binary(&mut self, length: i32) {
        let length = usize::try_from(length).unwrap_or(0);
        let rest = &self.octets[self.at..];
        let data = &rest[..length.min(rest.len())];
        self.is_damaged |= length > rest.len();
        if matches!(self.group.to, To::Object | To::Picture) {
            self.hex.extend_from_slice(data);
        }
        self.at += data.len();
    }

    fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'*' => self.is_starred = true,
            b'\'' => {
                let digits = self.octets.get(self.at..self.at + 2).and_then(|d| std::str::from_utf8(d).ok());
                match digits.and_then(|d| u8::from_str_radix(d, 16).ok()) {
                    Some(octet) => {
                        self.at += 2;
                        self.octet(octet);
                    }
                    None => self.is_damaged = true,
                }
            }
            b'\\' | b'{' | b'}' => self.octet(symbol),
            b'\r' | b'\n' => self.line(),
            b'~' => self.insert("\u{A0}"),
            b'-' => self.insert("\u{AD}"),
            b'_' => self.insert("\u{2011}"),
            _ => {}
        }
    }

    /// An octet of text, or a digit of data.
    fn octet(&mut self, octet: u8) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        match self.group.to {
            To::Skip | To::Frame => {}
            To::Object | To::Picture => self.digit(octet),
            To::Fonts if self.fonts.names(octet) => {}
            _ => {
                if self.group.to == To::Fonts {
                    self.group.to = To::Text(Aside::Attribute);
                }
                if !self.pending.0.is_empty() && !self.pending.1.joins(&self.group) {
                    self.flush();
                }
                self.pending.1 = self.group;
                self.pending.0.push(octet);
            }
        }
    }

    fn digit(&mut self, octet: u8) {
        let Some(digit) = char::from(octet).to_digit(16) else { return };
        match self.nibble.take() {
            Some(high) => self.hex.push(high << 4 | digit as u8),
            None => self.nibble = Some(digit as u8),
        }
    }

    /// Decodes what is pending.
    fn flush(&mut self) {
        if self.pending.0.is_empty() {
            return;
        }
        let (octets, group) = (std::mem::take(&mut self.pending.0), self.pending.1);
        let (text, _) = group.encoding.decode_without_bom_handling(&octets);
        self.put(group, &text);
        // Keep its room: there are many short ones.
        self.pending.0 = octets;
        self.pending.0.clear();
    }

    /// A character behind all octets so far.
    fn insert(&mut self, text: &str) {
        if self.skip > 0 {
            self.skip -= 1;
            return;
        }
        self.flush();
        self.put(self.group, text);
    }

    fn put(&mut self, group: Group, text: &str) {
        let text = plain::clean(Cow::Borrowed(text));
        match group.to {
            To::Text(Aside::Body) if self.is_html && group.is_suppressed => self.flows[Aside::Suppressed as usize].push(&text, true),
            To::Text(Aside::Body) if self.is_html => self.html.push_str(&text),
            To::Text(aside) => self.flows[aside as usize].push(&text, group.is_hidden),
            To::HtmlTag => self.html.push_str(&text),
            To::Info(_) | To::PropertyName | To::PropertyValue | To::ShapeName | To::ShapeValue => self.field.push_str(&text),
            To::Skip | To::Frame | To::Fonts | To::Object | To::Picture => {}
        }
    }

    fn line(&mut self) {
        self.flush();
        match self.group.to {
            To::Text(Aside::Body) if self.is_html && !self.group.is_suppressed => self.html.push_str("\r\n"),
            To::Text(aside) => self.flows[aside as usize].line(),
            To::HtmlTag => self.html.push_str("\r\n"),
            _ => {}
        }
    }

    fn word(&mut self, word: &[u8], number: Option<i32>, is_starred: bool) {
        if let Some(text) = words::character(word) {
            return self.insert(text);
        }
        if self.format(word, number) {
            return;
        }
        match words::destination(word) {
            // Only as the first word of its group: `\title` in a text is none.
            Some(to) if is_starred || self.opens_group => self.enter(to),
            Some(_) => {}
            None if is_starred && !words::is_transparent(word) => {
                self.flush();
                self.group.to = To::Skip;
            }
            None => {}
        }
    }

    fn enter(&mut self, to: To) {
        self.flush();
        self.group.to = if to == To::HtmlTag && !self.is_html { To::Skip } else { to };
        match to {
            To::Text(aside) => self.flows[aside as usize].line(),
            To::Object | To::Picture => {
                self.hex.clear();
                self.nibble = None;
                self.picture = Picture::default();
            }
            _ => self.field.clear(),
        }
    }

    /// Words that change how text is read, or break it. Whether `word` is one.
    fn format(&mut self, word: &[u8], number: Option<i32>) -> bool {
        let is_on = number != Some(0);
        match word {
            b"u" => self.unicode(number.unwrap_or(0)),
            b"uc" => self.group.fallback = number.unwrap_or(1).clamp(0, LONGEST_FALLBACK),
            b"par" | b"line" | b"sect" | b"softline" | b"lbr" => self.line(),
            b"page" | b"softpage" | b"column" => {
                self.line();
                let length = self.flows[0].text.len();
                if self.group.to == To::Text(Aside::Body) && word != b"column" && length > self.breaks.last().copied().unwrap_or(0) {
                    self.breaks.push(length);
                }
            }
            b"cell" | b"nestcell" => self.cell(),
            b"row" | b"nestrow" => {
                self.flush();
                if let To::Text(aside) = self.group.to {
                    self.flows[aside as usize].row();
                }
            }
            b"f" if self.group.to == To::Fonts => self.fonts.begin(number.unwrap_or(0)),
            b"fcharset" => self.fonts.set(fonts::by_charset(number.unwrap_or(1))),
            b"cpg" if self.group.to == To::Fonts => self.fonts.set(page(number)),
            b"f" => self.group.encoding = self.fonts.get(number.unwrap_or(0)),
            b"deff" => self.fonts.first = number.unwrap_or(0),
            b"ansicpg" => self.document(page(number)),
            b"mac" => self.document(charset::code_page(10000)),
            b"v" | b"webhidden" | b"deleted" => self.group.is_hidden = is_on,
            b"plain" => {
                self.group.is_hidden = false;
                self.group.encoding = self.fonts.get(self.fonts.first);
            }
            b"htmlrtf" => self.group.is_suppressed = is_on,
            b"fromhtml" => self.is_html = is_on,
            b"upr" => {
                self.flush();
                self.group.outer = self.group.to;
                self.group.to = To::Text(Aside::Plain);
            }
            b"ud" => {
                self.flush();
                self.group.to = self.group.outer;
            }
            _ => return self.picture.word(word, number),
        }
        true
    }

    fn document(&mut self, encoding: Option<&'static Encoding>) {
        if let Some(encoding) = encoding {
            self.fonts.document = encoding;
            self.group.encoding = encoding;
        }
    }

    fn cell(&mut self) {
        self.flush();
        match self.group.to {
            To::Text(Aside::Body) if self.is_html => {}
            To::Text(aside) => self.flows[aside as usize].cell(false),
            _ => {}
        }
    }

    /// `\u`: a UTF-16 code unit, written as a signed number; octets for other programs follow.
    fn unicode(&mut self, number: i32) {
        self.flush();
        let unit = (number & 0xFFFF) as u16;
        // Words for symbols of fonts write these 0xF000 higher.
        let unit = if (0xF020..=0xF0FF).contains(&unit) { unit - 0xF000 } else { unit };
        let high = self.high.take();
        self.skip = 0;
        if (0xD800..0xDC00).contains(&unit) {
            self.high = Some(unit);
        } else {
            let units = high.into_iter().chain([unit]);
            let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
            self.put(self.group, &text);
        }
        self.skip = self.group.fallback;
    }
}

fn page(number: Option<i32>) -> Option<&'static Encoding> {
    charset::code_page(u32::try_from(number?).ok()?)
}
