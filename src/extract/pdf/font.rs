//! Fonts: octets of a string to characters and their widths.

use super::{
    cmap::{self, CMap},
    glyphs, standard, stream, truetype,
};
use crate::extract::reading::Reading;
use encoding_rs::Encoding;
use lopdf::{Dictionary, Document, Object};
use std::{borrow::Cow, collections::HashMap};

/// A font, as far as text goes.
#[derive(Debug)]
pub(super) struct Font {
    kind: Kind,
    to_unicode: Option<CMap>,
    /// Type 3 fonts have a unit of their own; for others 0.001.
    unit: f32,
    /// Something of it could not be read.
    pub(super) is_damaged: bool,
}

#[derive(Debug)]
enum Kind {
    /// One octet a code.
    Simple { table: Vec<Option<String>>, widths: Vec<f32> },
    /// One to four octets a code (ISO 32000-1, 9.7).
    Composite { encoding: Codes, glyphs: HashMap<u32, char>, widths: HashMap<u32, f32>, default_width: f32 },
}

/// How strings of a composite font are cut, and what the codes are.
#[derive(Debug)]
enum Codes {
    /// Two octets, a character id: Identity-H, Identity-V.
    Identity,
    /// UTF-16 or UCS-2 already: `UniJIS-UTF16-H`.
    Utf16,
    Utf8,
    /// A character set of East Asia: `90ms-RKSJ-H`.
    Legacy(&'static Encoding),
    Embedded(CMap),
}

/// One character as it is drawn.
pub(super) struct Shown<'f> {
    /// `None`: nobody knows what it means.
    pub(super) text: Option<Cow<'f, str>>,
    /// In text space units for a font of size 1.
    pub(super) width: f32,
    /// The code is a single octet 32, to which word spacing applies.
    pub(super) is_blank: bool,
}

impl Font {
    /// Reads a font dictionary.
    pub(super) fn read(reading: &mut Reading<'_>, document: &Document, font: &Dictionary) -> Font {
        let mut is_damaged = false;
        let mut map = |object: &Object| -> Option<CMap> {
            let stream = document.dereference(object).ok()?.1.as_stream().ok()?;
            let most = reading.limits.map_entries;
            match stream::decode(reading, document, stream) {
                Ok(decoded) => {
                    let map = CMap::parse(&decoded.data, most);
                    is_damaged |= decoded.is_damaged | map.is_cut;
                    Some(map)
                }
                Err(_) => {
                    is_damaged = true;
                    None
                }
            }
        };
        let to_unicode = font.get(b"ToUnicode").ok().and_then(&mut map);
        let embedded = font.get(b"Encoding").ok().and_then(&mut map);
        let subtype = font.get_deref(b"Subtype", document).and_then(Object::as_name).unwrap_or_default();
        let kind =
            if subtype == b"Type0" { composite(reading, document, font, embedded) } else { simple(reading, document, font, subtype) };
        let unit = match font.get_deref(b"FontMatrix", document).and_then(Object::as_array) {
            Ok(matrix) if subtype == b"Type3" => matrix.first().and_then(|n| n.as_float().ok()).map_or(0.001, f32::abs),
            _ => 0.001,
        };
        Font { kind, to_unicode, unit, is_damaged }
    }

    /// Cuts a string into characters.
    pub(super) fn show<'f>(&'f self, text: &[u8], mut draw: impl FnMut(Shown<'f>)) {
        let mut rest = text;
        while !rest.is_empty() {
            let (shown, length) = self.next(rest);
            draw(shown);
            rest = &rest[length.clamp(1, rest.len())..];
        }
    }

    fn next(&self, rest: &[u8]) -> (Shown<'_>, usize) {
        match &self.kind {
            Kind::Simple { table, widths } => {
                let octet = rest[0];
                let mapped = self.to_unicode.as_ref().and_then(|map| map.text((octet.into(), 1)).or_else(|| map.text((octet.into(), 2))));
                let text =
                    mapped.filter(|t| is_meaningful(t)).map(Cow::Owned).or_else(|| table[usize::from(octet)].as_deref().map(Cow::Borrowed));
                (Shown { text, width: widths[usize::from(octet)] * self.unit, is_blank: octet == b' ' }, 1)
            }
            Kind::Composite { encoding, glyphs, widths, default_width } => {
                let (code, id, own) = encoding.next(rest, self.to_unicode.as_ref());
                let mapped = self.to_unicode.as_ref().and_then(|map| map.text(code)).filter(|t| is_meaningful(t));
                let text = mapped.or(own).or_else(|| glyphs.get(&id).map(|c| (*c).into())).map(Cow::Owned);
                let width = widths.get(&id).copied().unwrap_or(*default_width) * self.unit;
                (Shown { text, width, is_blank: code == (32, 1) }, code.1)
            }
        }
    }
}

impl Codes {
    fn named(name: &[u8]) -> Codes {
        let name = String::from_utf8_lossy(name);
        let legacy = [
            ("90ms-RKSJ", "shift_jis"),
            ("90pv-RKSJ", "shift_jis"),
            ("RKSJ", "shift_jis"),
            ("EUC-", "euc-jp"),
            ("GBK", "gbk"),
            ("GB-EUC", "gbk"),
            ("GBpc-EUC", "gbk"),
            ("B5", "big5"),
            ("KSC", "euc-kr"),
        ];
        match () {
            () if name.starts_with("Uni") && name.contains("UTF8") => Codes::Utf8,
            () if name.starts_with("Uni") && !name.contains("UTF32") => Codes::Utf16,
            () if name.starts_with("Identity") => Codes::Identity,
            () => match legacy.iter().find(|(part, _)| name.contains(part)) {
                Some((_, label)) => Encoding::for_label(label.as_bytes()).map_or(Codes::Identity, Codes::Legacy),
                None => Codes::Identity,
            },
        }
    }

    /// The next code, its character id, and its meaning if the encoding itself tells it.
    fn next(&self, rest: &[u8], to_unicode: Option<&CMap>) -> (cmap::Code, u32, Option<String>) {
        let wide = |length: usize| {
            let length = length.min(rest.len());
            let code = cmap::number(&rest[..length]);
            ((code, length), code)
        };
        match self {
            Codes::Embedded(map) if map.has_spaces() => {
                let code = map.next_code(rest).unwrap_or_else(|| wide(1).0);
                (code, map.id(code).unwrap_or(code.0), None)
            }
            Codes::Identity | Codes::Embedded(_) => {
                // Some producers give a one-octet map to an Identity font.
                let own = to_unicode.filter(|m| {
                    m.has_spaces() && m.next_code(rest).is_some_and(|c| c.1 == 1) && m.next_code(rest).is_some_and(|c| m.text(c).is_some())
                });
                let length = if own.is_some() { 1 } else { 2 };
                let (code, id) = wide(length);
                (code, id, None)
            }
            Codes::Utf16 => {
                let is_pair = rest.len() >= 4 && (0xD8..0xDC).contains(&rest[0]);
                let (code, id) = wide(if is_pair { 4 } else { 2 });
                let units = rest[..code.1].chunks_exact(2).map(|p| u16::from_be_bytes([p[0], p[1]]));
                (code, id, char::decode_utf16(units).next().and_then(Result::ok).map(String::from))
            }
            Codes::Utf8 => {
                let length = match rest[0] {
                    0xF0.. => 4,
                    0xE0.. => 3,
                    0xC0.. => 2,
                    _ => 1,
                };
                let (code, id) = wide(length);
                (code, id, std::str::from_utf8(&rest[..code.1]).ok().map(str::to_owned))
            }
            Codes::Legacy(encoding) => {
                let decoded = |n: usize| encoding.decode_without_bom_handling_and_without_replacement(rest.get(..n)?);
                let length = (1..=3).find(|n| decoded(*n).is_some()).unwrap_or(1);
                let (code, id) = wide(length);
                (code, id, decoded(length).map(Cow::into_owned))
            }
        }
    }
}

/// Nothing, zero and private use say nothing.
fn is_meaningful(text: &str) -> bool {
    !text.is_empty() && !text.chars().all(|c| matches!(c, '\0' | '\u{FFFD}' | '\u{E000}'..='\u{F8FF}'))
}

fn simple(reading: &mut Reading<'_>, document: &Document, font: &Dictionary, subtype: &[u8]) -> Kind {
    let name = font.get_deref(b"BaseFont", document).and_then(Object::as_name).unwrap_or_default();
    let descriptor = font.get_deref(b"FontDescriptor", document).and_then(Object::as_dict).ok();
    let encoding = font.get_deref(b"Encoding", document).ok();
    let base_name = match encoding {
        Some(Object::Name(name)) => Some(name.as_slice()),
        Some(Object::Dictionary(d)) => d.get_deref(b"BaseEncoding", document).and_then(Object::as_name).ok(),
        _ => None,
    };
    let fallback: &[u8] = if subtype == b"TrueType" { b"WinAnsiEncoding" } else { b"StandardEncoding" };
    let mut table = match base_name {
        Some(base) => glyphs::base_encoding(document, base),
        None => glyphs::built_in(name).unwrap_or_else(|| glyphs::base_encoding(document, fallback)),
    };
    if base_name.is_none()
        && let Some(program) = descriptor.and_then(|d| program(reading, document, d))
    {
        for (code, name) in program.names(document) {
            if let Some(slot) = table.get_mut(usize::from(code)) {
                *slot = glyphs::by_name(document, &name).or_else(|| slot.take());
            }
        }
    }
    if let Some(Object::Dictionary(dictionary)) = encoding
        && let Ok(differences) = dictionary.get_deref(b"Differences", document).and_then(Object::as_array)
    {
        let mut code = 0usize;
        for item in differences.iter().take(4096) {
            match document.dereference(item).map_or(item, |(_, o)| o) {
                Object::Integer(n) => code = usize::try_from(*n).unwrap_or(usize::MAX),
                Object::Name(name) => {
                    if let Some(slot) = table.get_mut(code) {
                        *slot = glyphs::by_name(document, name);
                    }
                    code = code.saturating_add(1);
                }
                _ => {}
            }
        }
    }
    Kind::Simple { table, widths: simple_widths(document, font, descriptor, name) }
}

fn simple_widths(document: &Document, font: &Dictionary, descriptor: Option<&Dictionary>, name: &[u8]) -> Vec<f32> {
    let Ok(given) = font.get_deref(b"Widths", document).and_then(Object::as_array) else { return standard::widths(name) };
    let missing = descriptor.and_then(|d| d.get_deref(b"MissingWidth", document).ok()?.as_float().ok()).unwrap_or(0.0);
    let first = font.get_deref(b"FirstChar", document).and_then(Object::as_i64).ok().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let mut widths = vec![missing; 256];
    for (slot, width) in widths.iter_mut().skip(first).zip(given) {
        *slot = document.dereference(width).ok().and_then(|(_, w)| w.as_float().ok()).unwrap_or(missing);
    }
    widths
}

/// A font program's own encoding.
struct Program(Vec<u8>);

impl Program {
    /// Codes and glyph names of a Type 1 font's clear text: `dup 65 /A put` (Adobe Type 1 Font Format, 2.2).
    fn names(&self, _document: &Document) -> Vec<(u8, Vec<u8>)> {
        let clear = memchr::memmem::find(&self.0, b"eexec").map_or(&self.0[..self.0.len().min(65_536)], |end| &self.0[..end]);
        let Some(start) = memchr::memmem::find(clear, b"/Encoding") else { return Vec::new() };
        let words: Vec<&[u8]> = clear[start..].split(|b| b.is_ascii_whitespace()).filter(|w| !w.is_empty()).collect();
        words
            .windows(4)
            .filter(|w| w[0] == b"dup" && w[3] == b"put")
            .filter_map(|w| Some((std::str::from_utf8(w[1]).ok()?.parse().ok()?, w[2].strip_prefix(b"/")?.to_vec())))
            .collect()
    }
}

fn program(reading: &mut Reading<'_>, document: &Document, descriptor: &Dictionary) -> Option<Program> {
    let stream = descriptor.get_deref(b"FontFile", document).ok()?.as_stream().ok()?;
    stream::decode(reading, document, stream).ok().map(|d| Program(d.data))
}

fn composite(reading: &mut Reading<'_>, document: &Document, font: &Dictionary, embedded: Option<CMap>) -> Kind {
    let encoding = match embedded {
        Some(map) => Codes::Embedded(map),
        None => Codes::named(font.get_deref(b"Encoding", document).and_then(Object::as_name).unwrap_or_default()),
    };
    let first = font.get_deref(b"DescendantFonts", document).and_then(Object::as_array).ok().and_then(|a| a.first());
    let descendant = first.and_then(|o| document.dereference(o).ok()?.1.as_dict().ok());
    let Some(descendant) = descendant else {
        return Kind::Composite { encoding, glyphs: HashMap::new(), widths: HashMap::new(), default_width: 1000.0 };
    };
    let default_width = descendant.get_deref(b"DW", document).ok().and_then(|w| w.as_float().ok()).unwrap_or(1000.0);
    let widths = composite_widths(document, descendant, reading.limits.map_entries);
    // Without ToUnicode the glyph ids are all there is: the font's own cmap read backwards.
    let needs_glyphs = !font.has(b"ToUnicode") && matches!(encoding, Codes::Identity | Codes::Embedded(_));
    let glyphs = if needs_glyphs { reversed(reading, document, descendant) } else { HashMap::new() };
    Kind::Composite { encoding, glyphs, widths, default_width }
}

fn reversed(reading: &mut Reading<'_>, document: &Document, descendant: &Dictionary) -> HashMap<u32, char> {
    let file = descendant
        .get_deref(b"FontDescriptor", document)
        .and_then(Object::as_dict)
        .and_then(|d| d.get_deref(b"FontFile2", document).or_else(|_| d.get_deref(b"FontFile3", document)))
        .and_then(Object::as_stream);
    let Ok(file) = file else { return HashMap::new() };
    let Ok(program) = stream::decode(reading, document, file) else { return HashMap::new() };
    let by_glyph = truetype::characters(&program.data);
    let map = descendant.get_deref(b"CIDToGIDMap", document).and_then(Object::as_stream);
    let Some(map) = map.ok().and_then(|m| stream::decode(reading, document, m).ok()) else { return by_glyph };
    let ids = map.data.chunks_exact(2).map(|p| u32::from(u16::from_be_bytes([p[0], p[1]])));
    (0u32..).zip(ids).filter_map(|(id, glyph)| by_glyph.get(&glyph).map(|c| (id, *c))).collect()
}

/// `/W`: `c [w1 w2 ...]` and `first last w` (ISO 32000-1, 9.7.4.3).
fn composite_widths(document: &Document, descendant: &Dictionary, most: usize) -> HashMap<u32, f32> {
    let mut widths = HashMap::new();
    let Ok(list) = descendant.get_deref(b"W", document).and_then(Object::as_array) else { return widths };
    let resolve = |o| document.dereference(o).map_or(o, |(_, o)| o);
    let float = |o: &Object| o.as_float().unwrap_or(0.0);
    let id = |o: &Object| o.as_float().ok().filter(|n| *n >= 0.0).map_or(0, |n| n as u32);
    let mut items = list.iter().map(resolve);
    while let (Some(first), Some(second)) = (items.next(), items.next()) {
        match second {
            Object::Array(given) => widths.extend((id(first)..).zip(given.iter().map(|w| float(resolve(w)))).take(most)),
            last => {
                let width = items.next().map_or(0.0, float);
                widths.extend((id(first)..=id(last)).take(65_536).map(|i| (i, width)));
            }
        }
        if widths.len() > most {
            break;
        }
    }
    widths
}
