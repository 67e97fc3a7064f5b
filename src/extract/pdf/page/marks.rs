//! Marked content, and the text that stands for it (ISO 32000-1, 14.6 and 14.9.4).

use super::super::{layout::Glyphs, lexer::Operand, parts, structure::Structure};
use lopdf::{Dictionary, Document, Object, ObjectId, StringFormat};

/// Sequences within sequences; real ones are some ten deep.
const DEEPEST: usize = 256;

/// The sequences that are open, the innermost last.
#[derive(Default)]
pub(super) struct Marks {
    open: Vec<Option<Mark>>,
    /// Open ones beyond those.
    deeper: usize,
}

/// A sequence for which a text stands.
struct Mark {
    text: String,
    /// The first of its glyphs.
    from: usize,
}

impl Marks {
    /// `BMC` or `BDC`.
    pub(super) fn begin(&mut self, text: Option<String>, glyphs: &Glyphs) {
        if self.open.len() < DEEPEST {
            self.open.push(text.map(|text| Mark { text, from: glyphs.len() }));
        } else {
            self.deeper += 1;
        }
    }

    /// `EMC`, which ends nothing that began outside of the content stream it stands in: `outer` sequences.
    pub(super) fn end(&mut self, outer: usize, glyphs: &mut Glyphs) {
        if self.deeper > 0 {
            self.deeper -= 1;
        } else if self.open.len() > outer
            && let Some(Some(mark)) = self.open.pop()
        {
            glyphs.stands_for(mark.from, mark.text);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// A content stream ends, and with it what it left open.
    pub(super) fn close(&mut self, outer: usize, glyphs: &mut Glyphs) {
        self.deeper = 0;
        while self.open.len() > outer {
            self.end(outer, glyphs);
        }
    }
}

/// What the operands of `BDC` say: a text to stand for the sequence, and texts about it.
pub(super) fn texts(
    document: &Document,
    operands: &[Operand],
    resources: &Dictionary,
    structure: Option<(&Structure, ObjectId)>,
) -> (Option<String>, Vec<String>) {
    let listed = match operands.get(1) {
        Some(Operand::Name(name)) => {
            let lists = resources.get_deref(b"Properties", document).and_then(Object::as_dict);
            lists.and_then(|l| l.get_deref(name, document)?.as_dict()).ok()
        }
        _ => None,
    };
    let value = |name: &[u8]| match listed {
        Some(list) => list.get_deref(name, document).ok().and_then(parts::string),
        None => match inline(operands, name)? {
            Operand::Text(octets) => parts::string(&Object::String(octets.clone(), StringFormat::Literal)),
            _ => None,
        },
    };
    let number = match listed {
        Some(list) => list.get_deref(b"MCID", document).and_then(Object::as_i64).ok(),
        None => inline(operands, b"MCID").and_then(|o| if let Operand::Number(n) = o { Some(*n as i64) } else { None }),
    };
    let marked = || structure.zip(number).and_then(|((structure, page), number)| structure.text(page, number));
    let actual = value(b"ActualText").or_else(|| marked().map(str::to_owned));
    (actual, [&b"Alt"[..], b"E"].iter().filter_map(|name| value(name)).collect())
}

/// A value of the dictionary that stands among the operands.
fn inline<'o>(operands: &'o [Operand], name: &[u8]) -> Option<&'o Operand> {
    let at = operands.iter().skip(1).position(|o| matches!(o, Operand::Name(n) if n == name))?;
    operands.get(at + 2)
}
