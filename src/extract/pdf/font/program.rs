//! What an embedded font program says of its glyphs, where the document doesn't.

use super::super::glyphs;
use super::{cff::Cff, truetype, type1};
use lopdf::Document;
use std::collections::HashMap;

/// An embedded font program, as far as text goes.
#[derive(Debug, Default)]
pub(super) struct Program {
    /// The built-in encoding of a font of one octet a code.
    pub(super) by_code: HashMap<u8, String>,
    /// By character id, which is the glyph's number unless the font says otherwise.
    pub(super) by_id: HashMap<u32, String>,
}

impl Program {
    /// Reads a font program of any kind: what it is, its first octets say.
    pub(super) fn read(document: &Document, font: &[u8]) -> Program {
        match font {
            [0, 1, 0, 0, ..] | [b't', b'r', b'u', b'e', ..] | [b'O', b'T', b'T', b'O', ..] => Program::open_type(document, font),
            [1, ..] => Cff::read(font).map(|cff| Program::cff(document, &cff)).unwrap_or_default(),
            _ => Program::type1(document, font),
        }
    }

    fn type1(document: &Document, font: &[u8]) -> Program {
        let by_code = match type1::encoding(font) {
            Some(type1::Encoding::Standard) => standard(document),
            Some(type1::Encoding::Own(codes)) => named(document, codes),
            None => HashMap::new(),
        };
        Program { by_code, by_id: HashMap::new() }
    }

    fn cff(document: &Document, cff: &Cff<'_>) -> Program {
        let by_code = if cff.is_standard() { standard(document) } else { named(document, cff.codes()) };
        let by_id = cff.ids().filter_map(|(glyph, id)| Some((id.into(), glyphs::by_name(document, cff.name(glyph)?)?))).collect();
        Program { by_code, by_id }
    }

    fn open_type(document: &Document, font: &[u8]) -> Program {
        let cff = truetype::table(font, b"CFF ").and_then(Cff::read);
        let mut program = cff.as_ref().map(|cff| Program::cff(document, cff)).unwrap_or_default();
        let by_glyph = truetype::characters(font);
        match cff.filter(|cff| cff.is_keyed_by_id) {
            Some(cff) => {
                let ids = cff.ids().filter_map(|(glyph, id)| Some((id.into(), by_glyph.get(&glyph.into())?.to_string())));
                program.by_id.extend(ids);
            }
            None => program.by_id.extend(by_glyph.iter().map(|(glyph, c)| (*glyph, c.to_string()))),
        }
        program.post(document, font);
        for (code, glyph) in truetype::codes(font) {
            if let Some(text) = program.by_id.get(&glyph) {
                program.by_code.insert(code, text.clone());
            }
        }
        program
    }

    /// Glyphs without a character have a name perhaps.
    fn post(&mut self, document: &Document, font: &[u8]) {
        /// Macintosh's first three names stand for nothing; behind them come those of ASCII, and of the upper half of MacRoman.
        const FIRST: usize = 3;
        const UPPER: usize = 98;
        let roman = glyphs::base_encoding(document, b"MacRomanEncoding");
        for (glyph, name) in (0u32..).zip(truetype::names(font)) {
            let text = match name {
                Ok(number) => {
                    let octet = if number < UPPER { number.checked_sub(FIRST).map(|n| n + 0x20) } else { Some(number - UPPER + 0x80) };
                    octet.and_then(|octet| roman.get(octet).cloned().flatten())
                }
                Err(name) => glyphs::by_name(document, name),
            };
            if let Some(text) = text {
                self.by_id.entry(glyph).or_insert(text);
            }
        }
    }
}

fn named(document: &Document, codes: Vec<(u8, &[u8])>) -> HashMap<u8, String> {
    codes.into_iter().filter_map(|(code, name)| Some((code, glyphs::by_name(document, name)?))).collect()
}

fn standard(document: &Document) -> HashMap<u8, String> {
    (0..=u8::MAX).zip(glyphs::base_encoding(document, b"StandardEncoding")).filter_map(|(code, text)| Some((code, text?))).collect()
}
