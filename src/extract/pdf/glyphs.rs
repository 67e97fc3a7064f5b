//! Glyph names and base encodings to Unicode (ISO 32000-1, annex D).
//!
//! The Adobe glyph list and the encodings' tables are lopdf's: reached through a font dictionary made for the purpose, since it keeps them to itself.

use lopdf::{Dictionary, Document, Object};

/// A base encoding, by its name.
pub(super) fn base_encoding(document: &Document, name: &[u8]) -> Vec<Option<String>> {
    let name: &[u8] =
        if matches!(name, b"MacRomanEncoding" | b"MacExpertEncoding" | b"WinAnsiEncoding") { name } else { b"StandardEncoding" };
    let font = font(Object::Name(name.to_vec()));
    let Ok(encoding) = font.get_font_encoding(document) else { return vec![None; 256] };
    (0..=255u8).map(|octet| encoding.bytes_to_string(&[octet]).ok().filter(|t| !t.is_empty())).collect()
}

/// The characters of a glyph name: `A`, `uni0041`, `u1F600`, `f_i`, `a.alt` (Adobe Glyph List Specification, 2).
pub(super) fn by_name(document: &Document, name: &[u8]) -> Option<String> {
    /// Octets of a name: 63 by the rules, some more for a ligature of many. One name may stand for every glyph of a font.
    const LONGEST: usize = 127;
    let name = std::str::from_utf8(name).ok().filter(|name| name.len() <= LONGEST)?;
    let base = name.split('.').next().filter(|b| !b.is_empty())?;
    let text: String = base.split('_').map(|piece| component(document, piece)).collect::<Option<_>>()?;
    is_meaningful(&text).then_some(text)
}

/// Nothing, zero and private use say nothing.
pub(super) fn is_meaningful(text: &str) -> bool {
    !text.is_empty() && !text.chars().all(|c| matches!(c, '\0' | '\u{FFFD}' | '\u{E000}'..='\u{F8FF}'))
}

fn component(document: &Document, name: &str) -> Option<String> {
    let hex = |digits: &str| u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
    if let Some(digits) = name.strip_prefix("uni").filter(|d| d.len() >= 4 && d.len() % 4 == 0 && d.is_ascii()) {
        let chars: Option<String> = digits.as_bytes().chunks(4).map(|d| std::str::from_utf8(d).ok().and_then(hex)).collect();
        if chars.is_some() {
            return chars;
        }
    }
    if let Some(c) = name.strip_prefix('u').filter(|d| (4..=6).contains(&d.len())).and_then(hex) {
        return Some(c.into());
    }
    let text = listed(document, name)?;
    if is_meaningful(&text) {
        return Some(text);
    }
    // The list gives old-style figures and small capitals places for private use: what they are variants of says more.
    let base = ["oldstyle", "small", "superior", "inferior"].iter().find_map(|variant| name.strip_suffix(variant))?;
    listed(document, base)
}

/// The Adobe glyph list.
fn listed(document: &Document, name: &str) -> Option<String> {
    let mut encoding = Dictionary::new();
    encoding.set("Differences", vec![Object::Integer(0), Object::Name(name.as_bytes().to_vec())]);
    let font = font(Object::Dictionary(encoding));
    // With a name that it doesn't know, lopdf falls back to the base encoding, which has nothing at 0.
    font.get_font_encoding(document).ok()?.bytes_to_string(&[0]).ok().filter(|t| !t.is_empty())
}

fn font(encoding: Object) -> Dictionary {
    let mut font = Dictionary::new();
    font.set("Type", Object::Name(b"Font".to_vec()));
    font.set("Encoding", encoding);
    font
}

/// The encodings that the two symbol fonts are born with.
pub(super) fn built_in(font: &[u8]) -> Option<Vec<Option<String>>> {
    const GREEK: [&str; 2] = ["ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ", "αβχδεφγηιϕκλμνοπθρστυϖωξψζ"];
    let is = |part: &[u8]| memchr::memmem::find(font, part).is_some();
    let symbol = |octet: u8| -> Option<char> {
        match octet {
            b'A'..=b'Z' => GREEK[0].chars().nth(usize::from(octet - b'A')),
            b'a'..=b'z' => GREEK[1].chars().nth(usize::from(octet - b'a')),
            b' '..=b'~' => Some(char::from(octet)),
            0xA0 => Some('€'),
            0xB0 | 0xB1 => Some(char::from(octet)),
            0xB7 => Some('•'),
            _ => Some('\u{25A1}').filter(|_| octet > 0xA0),
        }
    };
    let dingbat = |octet: u8| match octet {
        b' ' => Some(' '),
        0x21..=0x7E | 0xA1..=0xFE => char::from_u32(0x2700 + u32::from(octet) - 0x20),
        _ => None,
    };
    let table = |map: &dyn Fn(u8) -> Option<char>| Some((0..=255).map(|o| map(o).map(String::from)).collect());
    match () {
        () if is(b"ZapfDingbats") || is(b"Wingdings") => table(&dingbat),
        () if font == b"Symbol" || font.ends_with(b"+Symbol") || font.starts_with(b"Symbol,") => table(&symbol),
        () => None,
    }
}
