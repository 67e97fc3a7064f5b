//! Fonts: octets of a string to characters and their widths.

mod cff;
mod codes;
mod program;
mod truetype;
mod type1;
mod widths;

use super::{
    cmap::CMap,
    glyphs::{self, is_meaningful},
    stream,
};
use crate::extract::reading::Reading;
use codes::Codes;
use lopdf::{Dictionary, Document, Object, ObjectId};
use program::Program;
use std::{borrow::Cow, cell::OnceCell, collections::HashMap, rc::Rc};

/// A font, as far as text goes.
#[derive(Debug)]
pub(super) struct Font {
    kind: Kind,
    to_unicode: ToUnicode,
    /// Type 3 fonts have a unit of their own; for others 0.001.
    unit: f32,
    /// The embedded program, read when a code needs it.
    file: Option<ObjectId>,
    program: OnceCell<Rc<Program>>,
    is_type3: bool,
    /// Something of it could not be read.
    pub(super) is_damaged: bool,
}

/// What stands under `ToUnicode`.
#[derive(Debug)]
enum ToUnicode {
    Nothing,
    /// A name, `Identity-H` as a rule, which some producers mean as: codes are characters. Others mean nothing by it.
    Identity,
    Map(CMap),
}

#[derive(Debug)]
enum Kind {
    /// One octet a code.
    Simple { table: Vec<Slot>, default: Vec<Option<String>>, widths: Vec<f32> },
    /// One to four octets a code (ISO 32000-1, 9.7).
    Composite {
        codes: Codes,
        /// Glyph numbers of character ids, two octets each.
        glyphs: Option<Vec<u8>>,
        widths: HashMap<u32, f32>,
        default_width: f32,
    },
}

/// What the document says of a code of a simple font.
#[derive(Clone, Debug)]
enum Slot {
    Text(String),
    /// A glyph name that is on no list.
    Named(Vec<u8>),
    Nothing,
}

/// One character as it is drawn.
pub(super) struct Shown<'f> {
    /// `None`: nobody knows what it means.
    pub(super) text: Option<Cow<'f, str>>,
    /// What copies of it say, where that is other letters than are drawn.
    pub(super) other: Option<String>,
    /// The text is likely, no more: it doesn't count as known.
    pub(super) is_guess: bool,
    /// In text space units for a font of size 1.
    pub(super) width: f32,
    /// The code is a single octet 32, to which word spacing applies.
    pub(super) is_blank: bool,
}

/// Where font programs are read from. Fonts may share one.
pub(super) struct Programs<'p, 'l> {
    pub(super) reading: &'p mut Reading<'l>,
    pub(super) document: &'p Document,
    pub(super) read: &'p mut ReadPrograms,
}

/// Programs that were read already.
#[derive(Default)]
pub(super) struct ReadPrograms(HashMap<ObjectId, Rc<Program>>);

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
        let to_unicode = match font.get(b"ToUnicode") {
            Ok(Object::Name(name)) if name.starts_with(b"Identity") => ToUnicode::Identity,
            Ok(object) => map(object).map_or(ToUnicode::Nothing, ToUnicode::Map),
            Err(_) => ToUnicode::Nothing,
        };
        let embedded = font.get(b"Encoding").ok().and_then(&mut map);
        let subtype = font.get_deref(b"Subtype", document).and_then(Object::as_name).unwrap_or_default();
        let descendant = descendant(document, font);
        let described = if subtype == b"Type0" { descendant } else { Some(font) };
        let descriptor = described.and_then(|d| d.get_deref(b"FontDescriptor", document).ok()?.as_dict().ok());
        let file = descriptor.and_then(|d| [&b"FontFile"[..], b"FontFile2", b"FontFile3"].iter().find_map(|key| d.get(key).ok()));
        let kind = if subtype == b"Type0" {
            composite(reading, document, font, descendant, embedded)
        } else {
            simple(document, font, descriptor, subtype)
        };
        let unit = match font.get_deref(b"FontMatrix", document).and_then(Object::as_array) {
            Ok(matrix) if subtype == b"Type3" => matrix.first().and_then(|n| n.as_float().ok()).map_or(0.001, f32::abs),
            _ => 0.001,
        };
        let file = file.and_then(|f| f.as_reference().ok());
        Font { kind, to_unicode, unit, file, program: OnceCell::new(), is_type3: subtype == b"Type3", is_damaged }
    }

    /// Cuts a string into characters.
    pub(super) fn show<'f>(&'f self, programs: &mut Programs<'_, '_>, text: &[u8], mut draw: impl FnMut(Shown<'f>)) {
        let mut rest = text;
        while !rest.is_empty() {
            let (shown, length) = self.next(programs, rest);
            draw(shown);
            rest = &rest[length.clamp(1, rest.len())..];
        }
    }

    fn next(&self, programs: &mut Programs<'_, '_>, rest: &[u8]) -> (Shown<'_>, usize) {
        match &self.kind {
            Kind::Simple { table, default, widths } => {
                let octet = rest[0];
                let mapped = self.mapped((octet.into(), 1)).or_else(|| self.mapped((octet.into(), 2)));
                let slot = &table[usize::from(octet)];
                if let (Some(copied), Slot::Text(drawn)) = (&mapped, slot)
                    && self.is_drawn_otherwise(drawn, copied)
                {
                    let width = widths[usize::from(octet)] * self.unit;
                    return (Shown { text: Some(drawn.into()), other: mapped, is_guess: false, width, is_blank: octet == b' ' }, 1);
                }
                let (text, is_guess) = match (mapped, slot) {
                    (Some(text), _) => (Some(Cow::Owned(text)), false),
                    (None, Slot::Text(text)) => (Some(text.into()), false),
                    (None, Slot::Named(name)) => (says_code(name, octet).map(|c| Cow::Owned(c.into())), true),
                    (None, Slot::Nothing) => {
                        let built_in = self.program(programs).and_then(|p| p.by_code.get(&octet));
                        (built_in.or(default[usize::from(octet)].as_ref()).map(Cow::from), false)
                    }
                };
                (Shown { text, other: None, is_guess, width: widths[usize::from(octet)] * self.unit, is_blank: octet == b' ' }, 1)
            }
            Kind::Composite { codes, glyphs, widths, default_width } => {
                let map = if let ToUnicode::Map(map) = &self.to_unicode { Some(map) } else { None };
                let (code, id, own) = codes.next(rest, map);
                let known = self.mapped(code).or(own).map(Cow::Owned).or_else(|| {
                    let glyph = match glyphs {
                        Some(glyphs) => glyphs.chunks_exact(2).nth(id as usize).map(|g| u32::from(u16::from_be_bytes([g[0], g[1]])))?,
                        None => id,
                    };
                    self.program(programs)?.by_id.get(&glyph).map(Cow::from)
                });
                let guess = || char::from_u32(code.0).filter(|c| matches!(self.to_unicode, ToUnicode::Identity) && !c.is_control());
                let is_guess = known.is_none();
                let text = known.or_else(|| guess().map(|c| Cow::Owned(c.into())));
                let width = widths.get(&id).copied().unwrap_or(*default_width) * self.unit;
                (Shown { text, other: None, is_guess, width, is_blank: code == (32, 1) }, code.1)
            }
        }
    }

    /// Whether a font that need not be embedded draws other letters than ToUnicode tells: it goes by its encoding.
    fn is_drawn_otherwise(&self, drawn: &str, copied: &str) -> bool {
        let told = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
        self.file.is_none() && !self.is_type3 && told(drawn) != told(copied)
    }

    /// What ToUnicode says.
    fn mapped(&self, code: super::cmap::Code) -> Option<String> {
        let text = match &self.to_unicode {
            ToUnicode::Nothing | ToUnicode::Identity => None,
            ToUnicode::Map(map) => map.text(code),
        };
        text.filter(|t| is_meaningful(t))
    }

    /// The embedded program; none when there is none.
    fn program(&self, programs: &mut Programs<'_, '_>) -> Option<&Program> {
        let id = self.file?;
        let program = self.program.get_or_init(|| {
            let mut read = || {
                let file = programs.document.get_object(id).ok()?.as_stream().ok()?;
                let font = stream::decode(programs.reading, programs.document, file).ok()?;
                Some(Program::read(programs.document, &font.data))
            };
            match programs.read.0.get(&id) {
                Some(program) => Rc::clone(program),
                None => {
                    // What can't be read says nothing: its glyphs are then unmapped, which is told.
                    let program = Rc::new(read().unwrap_or_default());
                    programs.read.0.insert(id, Rc::clone(&program));
                    program
                }
            }
        });
        Some(program)
    }
}

/// Names like `a65` for code 65 say no more than the code, as in the bitmap fonts of TeX: ASCII as a rule.
fn says_code(name: &[u8], code: u8) -> Option<char> {
    let digits = name.iter().rposition(|b| !b.is_ascii_digit()).map_or(name, |last| &name[last + 1..]);
    let number: Option<u8> = std::str::from_utf8(digits).ok().and_then(|d| d.parse().ok());
    (number == Some(code) && code.is_ascii_graphic()).then_some(char::from(code))
}

fn simple(document: &Document, font: &Dictionary, descriptor: Option<&Dictionary>, subtype: &[u8]) -> Kind {
    let name = font.get_deref(b"BaseFont", document).and_then(Object::as_name).unwrap_or_default();
    let encoding = font.get_deref(b"Encoding", document).ok();
    let base_name = match encoding {
        Some(Object::Name(name)) => Some(name.as_slice()),
        Some(Object::Dictionary(d)) => d.get_deref(b"BaseEncoding", document).and_then(Object::as_name).ok(),
        _ => None,
    };
    let fallback: &[u8] = if subtype == b"TrueType" { b"WinAnsiEncoding" } else { b"StandardEncoding" };
    let default = glyphs::built_in(name).unwrap_or_else(|| glyphs::base_encoding(document, base_name.unwrap_or(fallback)));
    let mut table = match base_name {
        Some(base) => glyphs::base_encoding(document, base).into_iter().map(|text| text.map_or(Slot::Nothing, Slot::Text)).collect(),
        None => vec![Slot::Nothing; 256],
    };
    if let Some(Object::Dictionary(dictionary)) = encoding
        && let Ok(differences) = dictionary.get_deref(b"Differences", document).and_then(Object::as_array)
    {
        let mut code = 0usize;
        for item in differences.iter().take(4096) {
            match document.dereference(item).map_or(item, |(_, o)| o) {
                Object::Integer(n) => code = usize::try_from(*n).unwrap_or(usize::MAX),
                Object::Name(name) => {
                    if let Some(slot) = table.get_mut(code) {
                        *slot = glyphs::by_name(document, name).map_or_else(|| Slot::Named(name.clone()), Slot::Text);
                    }
                    code = code.saturating_add(1);
                }
                _ => {}
            }
        }
    }
    Kind::Simple { table, default, widths: widths::simple(document, font, descriptor, name) }
}

fn descendant<'d>(document: &'d Document, font: &'d Dictionary) -> Option<&'d Dictionary> {
    let list = font.get_deref(b"DescendantFonts", document).ok()?.as_array().ok()?;
    document.dereference(list.first()?).ok()?.1.as_dict().ok()
}

fn composite(
    reading: &mut Reading<'_>,
    document: &Document,
    font: &Dictionary,
    descendant: Option<&Dictionary>,
    embedded: Option<CMap>,
) -> Kind {
    let codes = match embedded {
        Some(map) => Codes::Embedded(map),
        None => Codes::named(font.get_deref(b"Encoding", document).and_then(Object::as_name).unwrap_or_default()),
    };
    let Some(descendant) = descendant else {
        return Kind::Composite { codes, glyphs: None, widths: HashMap::new(), default_width: 1000.0 };
    };
    let default_width = descendant.get_deref(b"DW", document).ok().and_then(|w| w.as_float().ok()).unwrap_or(1000.0);
    let widths = widths::composite(document, descendant, reading.limits.map_entries);
    let glyphs = descendant.get_deref(b"CIDToGIDMap", document).and_then(Object::as_stream).ok();
    let glyphs = glyphs.and_then(|map| stream::decode(reading, document, map).ok()).map(|d| {
        // Character ids have two octets, and so do glyph numbers.
        let mut glyphs = d.data;
        glyphs.truncate(2 << 16);
        glyphs
    });
    Kind::Composite { codes, glyphs, widths, default_width }
}
