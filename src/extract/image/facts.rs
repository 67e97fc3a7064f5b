//! What is told about a picture: names and values, from whatever tells them.

use super::super::{
    Places, Source, charset, plain,
    reading::{Here, Reading},
    xml::{self, Health, Node},
};
use std::borrow::Cow;

/// Octets that are told of one picture: places in it may lead to the same long value again and again.
const MOST: usize = 4 << 20;

/// `name: value` lines as they are found.
pub(super) struct Facts {
    lines: String,
    /// Octets that may still be looked at.
    left: usize,
    is_full: bool,
    is_damaged: bool,
}

impl Facts {
    /// Of a picture of so many octets: an octet may stand in a tag, in what that leads to, and so on, but not in thousands.
    pub(super) fn new(octets: usize) -> Facts {
        const TIMES: usize = 8;
        Facts { lines: String::new(), left: octets.saturating_mul(TIMES).saturating_add(MOST), is_full: false, is_damaged: false }
    }

    /// Whether so many octets may be looked at.
    pub(super) fn spend(&mut self, octets: usize) -> bool {
        self.is_full |= octets > self.left;
        self.left = self.left.saturating_sub(octets);
        !self.is_full
    }

    /// One of them, unless it says nothing.
    pub(super) fn add(&mut self, name: &str, value: &str) {
        let one_line = |text: &str| plain::clean(Cow::Borrowed(text.trim_matches(['\0', ' ', '\n', '\r', '\t']))).replace('\n', " ");
        let value = one_line(value);
        if value.is_empty() {
            return;
        }
        self.is_full |= self.lines.len() + value.len() > MOST;
        if !self.is_full {
            self.lines.push_str(&format!("{}: {value}\n", one_line(name)));
        }
    }

    /// The same in a charset that nobody declares.
    pub(super) fn add_octets(&mut self, name: &str, value: &[u8]) {
        if self.spend(value.len()) && self.lines.len() + value.len() <= MOST {
            self.add(name, &charset::decode(value, None).text);
        } else {
            self.is_full = true;
        }
    }

    /// Something that should tell more can't be read.
    pub(super) fn damaged(&mut self) {
        self.is_damaged = true;
    }

    /// An XMP packet (ISO 16684-1): properties as elements or attributes; lists within them are values of the one around.
    pub(super) fn packet(&mut self, octets: &[u8]) {
        if !self.spend(octets.len()) {
            return;
        }
        let text = xml::text(octets);
        let text = text.trim_matches(['\0', '\u{FEFF}']);
        let (mut name, mut value) = (String::new(), String::new());
        let is_frame = |local: &str| matches!(local, "xmpmeta" | "RDF" | "Description" | "li" | "Bag" | "Seq" | "Alt" | "value");
        let health = xml::walk(text, |node| match node {
            Node::Open(local, element) => {
                value.clear();
                if !is_frame(local) {
                    local.clone_into(&mut name);
                }
                for (key, told) in xml::attributes(element).filter(|(key, told)| !is_name_space(key, told)) {
                    self.add(&key, &told);
                }
            }
            Node::Text(text) => value.push_str(&text),
            Node::Close(_) => {
                self.add(&name, &value);
                value.clear();
            }
        });
        if health == Health::Damaged {
            // What can't be walked is told as it stands.
            self.add("XMP", text);
        }
    }

    /// All XMP packets that lie anywhere in a file: they are made to be found so (ISO 16684-3, 1).
    pub(super) fn packets(&mut self, octets: &[u8]) {
        const MOST_PACKETS: usize = 100;
        let mut rest = octets;
        for _ in 0..MOST_PACKETS {
            let Some(start) = memchr::memmem::find(rest, b"<x:xmpmeta") else { return };
            let end = memchr::memmem::find(&rest[start..], b"</x:xmpmeta>").map_or(rest.len(), |end| start + end + 12);
            self.packet(&rest[start..end]);
            rest = &rest[end..];
        }
    }

    /// Hands them over.
    pub(super) fn done(self, reading: &mut Reading<'_>, here: &Here) {
        if self.is_damaged {
            reading.damaged(here, "image");
        }
        if self.is_full {
            reading.too_large(here, "text");
        }
        reading.text(&here.part, Source::Properties, self.lines, Places::Properties);
    }
}

/// Attributes that tell nothing: where names come from, and languages.
fn is_name_space(key: &str, value: &str) -> bool {
    matches!(key, "xmlns" | "about" | "parseType" | "lang" | "xmptk")
        || value.starts_with("http://ns.")
        || value.starts_with("http://www.w3.org/")
}
