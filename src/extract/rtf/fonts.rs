//! Which charset a font of RTF writes in.

use crate::extract::charset::by_font;
use encoding_rs::{Encoding, WINDOWS_1252};
use std::collections::HashMap;

/// Fonts that are remembered; a real document has hundreds at most, and more of them fall back to the document's charset.
const MOST: usize = 4096;

/// Octets of a font's name: Windows has 32 characters, each perhaps written in four.
const LONGEST_NAME: usize = 128;

/// The font table, and what stands in for a font that isn't in it.
pub(super) struct Fonts {
    encodings: HashMap<i32, &'static Encoding>,
    /// The font whose entry is being read.
    defining: i32,
    /// Octets of its name so far.
    name: usize,
    /// `\ansicpg`: the charset of the document.
    pub(super) document: &'static Encoding,
    /// `\deff`: the font of text before any is chosen.
    pub(super) first: i32,
}

impl Fonts {
    pub(super) fn new() -> Fonts {
        Fonts { encodings: HashMap::new(), defining: 0, name: 0, document: WINDOWS_1252, first: 0 }
    }

    pub(super) fn begin(&mut self, font: i32) {
        self.defining = font;
        self.name = 0;
    }

    /// An octet of a font's name, which a semicolon ends; false when this has become too long for one: it is text behind a table cut short.
    pub(super) fn names(&mut self, octet: u8) -> bool {
        self.name = if octet == b';' { 0 } else { self.name + 1 };
        self.name <= LONGEST_NAME
    }

    /// `\fcharset` or `\cpg` of the font that is being read.
    pub(super) fn set(&mut self, encoding: Option<&'static Encoding>) {
        if let Some(encoding) = encoding
            && self.encodings.len() < MOST
        {
            self.encodings.insert(self.defining, encoding);
        }
    }

    pub(super) fn get(&self, font: i32) -> &'static Encoding {
        self.encodings.get(&font).copied().unwrap_or(self.document)
    }
}

/// What `\fcharset` means (RTF 1.9.1, "Font Table"); `None` for the document's own. Symbols are told apart by their font alone.
pub(super) fn by_charset(charset: i32) -> Option<&'static Encoding> {
    const SYMBOLS: i32 = 2;
    by_font(if charset == SYMBOLS { 0 } else { u8::try_from(charset).ok()? })
}
