//! What is signed, packed or encrypted by the Cryptographic Message Syntax (RFC 5652), as S/MIME (RFC 8551) and signed documents (`x.pdf.p7m`)
//! are; and certificates (RFC 5280). Nothing is verified: what a signature is worth is for its recipient to find out.

use super::{
    Places, ProblemKind, Source,
    archive::{self, Ratio},
    ber::{Node, Tag, Walk},
    charset, mail,
    plain::{self, BASE64},
    reading::{Here, Reading},
};
use base64::Engine as _;
use bytes::Bytes;
use std::{borrow::Cow, ops::Range};

/// What a message is, by its content type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// Its content can be read: signed, digested, authenticated, or just content.
    Open,
    Compressed,
    Encrypted,
}

impl Type {
    /// By the object identifier.
    fn of(identifier: &[u8]) -> Option<Type> {
        /// 1.2.840.113549.1.7 (RFC 5652, section 4 and on), and id-smime-ct, 1.2.840.113549.1.9.16.1.
        const PKCS7: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x07";
        const SMIME: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x01";
        if let Some(number) = identifier.strip_prefix(PKCS7) {
            return match number {
                [1 | 2 | 5] => Some(Type::Open),
                [3 | 4 | 6] => Some(Type::Encrypted),
                _ => None,
            };
        }
        match identifier.strip_prefix(SMIME)? {
            [2] => Some(Type::Open),
            // RFC 3274 and RFC 5083.
            [9] => Some(Type::Compressed),
            [23] => Some(Type::Encrypted),
            _ => None,
        }
    }

    /// What `octets` are, by their first element, if they are a message.
    pub(super) fn of_message(octets: &[u8]) -> Option<Type> {
        let mut walk = Walk::new(octets);
        match (walk.next()?, walk.next()?) {
            (Node::Open(Tag::SEQUENCE), Node::Value(Tag::IDENTIFIER, identifier)) => Type::of(identifier),
            _ => None,
        }
    }
}

/// Whether this is a certificate: a sequence that begins with a sequence of a version (RFC 5280, 4.1; version 1 leaves that out, and nobody
/// issues it any more).
pub(super) fn is_certificate(octets: &[u8]) -> bool {
    let mut walk = Walk::new(octets);
    let opens = [Node::Open(Tag::SEQUENCE), Node::Open(Tag::SEQUENCE), Node::Open(Tag::CONTEXT_0), Node::Value(Tag(0x02), &[2])];
    opens.into_iter().all(|expected| walk.next() == Some(expected))
}

/// Reads a message. A signature without content carries no text.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, name: &str, octets: &Bytes, source: Source) {
    let message = Message::of(octets);
    if !message.is_whole {
        reading.damaged(here, "smime");
    }
    let content = message.content.map(|content| match content {
        Cow::Borrowed(piece) => octets.slice_ref(piece),
        Cow::Owned(pieces) => Bytes::from(pieces),
    });
    let content = match (message.kind, content) {
        (Some(Type::Encrypted), _) => return reading.problem(&here.part, None, ProblemKind::Encrypted, "smime"),
        (None, _) => return reading.unsupported(here, "unknown-type"),
        (Some(Type::Compressed), Some(content)) => {
            let mut ratio = Ratio::new(reading, octets);
            // RFC 3274, 1.2: there is one algorithm, ZLIB.
            let inflater = flate2::bufread::ZlibDecoder::new(&content[..]);
            archive::take(reading, here, inflater, &mut ratio, "smime").map(Bytes::from)
        }
        (Some(Type::Open | Type::Compressed), content) => content,
    };
    if let Some(content) = content {
        signed(reading, here, name, &content, source);
    }
}

/// Whether what stands at `at` is read as (part of) the content of a message.
pub(super) fn covers(octets: &[u8], at: usize) -> bool {
    match Message::of(octets).content {
        Some(Cow::Borrowed(content)) => octets.get(at..).is_some_and(|rest| content.as_ptr_range().contains(&rest.as_ptr())),
        _ => false,
    }
}

/// Reads what was signed: a part of a mail (RFC 8551, 3.1), or any file.
fn signed(reading: &mut Reading<'_>, here: &Here, name: &str, content: &Bytes, source: Source) {
    // A depth of its own, so that signatures around signatures end.
    if begins_as_mime(content) {
        let inner = Here { part: here.part.clone(), depth: here.depth.saturating_add(1) };
        if inner.depth > reading.limits.depth {
            return reading.problem(&here.part, None, ProblemKind::TooDeep, "depth");
        }
        return mail::read_entity(reading, &inner, content, source);
    }
    let stem =
        name.rsplit_once('.').filter(|(_, e)| matches!(e.to_ascii_lowercase().as_str(), "p7m" | "p7s" | "p7z")).map(|(stem, _)| stem);
    reading.member(here, stem.unwrap_or("content"), "", content);
}

/// Whether the first line is a header field (RFC 5322, 2.2), or there is no header at all.
fn begins_as_mime(content: &[u8]) -> bool {
    let line = content.split(|b| *b == b'\n').next().unwrap_or_default();
    let is_name = |name: &[u8]| !name.is_empty() && name.iter().all(|b| (33..=126).contains(b));
    line.trim_ascii().is_empty() || memchr::memchr(b':', line).is_some_and(|colon| is_name(&line[..colon]))
}

/// A message, unwrapped.
struct Message<'o> {
    kind: Option<Type>,
    /// Where it stands, or put together.
    content: Option<Cow<'o, [u8]>>,
    is_whole: bool,
}

impl<'o> Message<'o> {
    /// ContentInfo, and what lies in it: the content stands at the same place in all types that don't encrypt (RFC 5652, 5.1, 7, 9.1; RFC 3274, 1.1).
    fn of(octets: &'o [u8]) -> Message<'o> {
        const SEQUENCE: Tag = Tag::SEQUENCE;
        const CONTEXT_0: Tag = Tag::CONTEXT_0;
        let (mut path, mut kind, mut content) = (Vec::new(), None, None);
        let mut walk = Walk::new(octets);
        for node in &mut walk {
            match node {
                Node::Open(tag) => path.push(tag),
                Node::Close => {
                    path.pop();
                }
                Node::Value(tag, value) => match path[..] {
                    [SEQUENCE] if tag == Tag::IDENTIFIER => kind = kind.or(Type::of(value)),
                    // Of other types than OCTET STRING nobody says what they hold: they are read as they stand.
                    [SEQUENCE, CONTEXT_0, SEQUENCE, SEQUENCE, CONTEXT_0, ..] | [SEQUENCE, CONTEXT_0, Tag::OCTETS, ..] => {
                        add(&mut content, value);
                    }
                    [SEQUENCE, CONTEXT_0] if tag == Tag::OCTETS => add(&mut content, value),
                    _ => {}
                },
            }
        }
        Message { kind, content, is_whole: walk.is_whole() && is_padding(walk.rest()) }
    }
}

/// One piece stays where it is; of several, which may be millions, no more is kept than their octets.
fn add<'o>(content: &mut Option<Cow<'o, [u8]>>, piece: &'o [u8]) {
    match content {
        None => *content = Some(Cow::Borrowed(piece)),
        Some(content) => content.to_mut().extend_from_slice(piece),
    }
}

/// Reads a certificate: the names in it, and all other strings.
pub(super) fn read_certificate(reading: &mut Reading<'_>, here: &Here, octets: &Bytes) {
    let (mut lines, mut extensions) = (String::new(), Vec::new());
    let mut walk = Walk::new(octets);
    for node in &mut walk {
        match node {
            // The value of an extension is BER of its own (RFC 5280, 4.1).
            Node::Value(Tag::OCTETS, value) => extensions.push(value),
            Node::Value(tag, value) => string(tag, value, &mut lines),
            Node::Open(_) | Node::Close => {}
        }
    }
    if !walk.is_whole() || !is_padding(walk.rest()) {
        reading.damaged(here, "smime");
    }
    for node in extensions.into_iter().flat_map(Walk::new) {
        if let Node::Value(tag, value) = node {
            string(tag, value, &mut lines);
        }
    }
    reading.text(&here.part, Source::Properties, plain::clean(Cow::Owned(lines)).into_owned(), Places::None);
}

/// UTF8String, PrintableString, TeletexString, IA5String and BMPString (X.680, table 1), and the names of a subject that have the tags `[1]`,
/// `[2]` and `[6]` (RFC 5280, 4.2.1.6).
fn string(tag: Tag, value: &[u8], lines: &mut String) {
    let is_text = |value: &[u8]| !value.iter().any(|b| *b < b' ');
    let label = match tag.0 {
        0x0C | 0x13 | 0x14 | 0x16 => "utf-8",
        0x81 | 0x82 | 0x86 if is_text(value) => "utf-8",
        0x1E => "utf-16be",
        _ => return,
    };
    lines.push_str(&charset::decode(value, Some(label)).text);
    lines.push('\n');
}

fn is_padding(rest: &[u8]) -> bool {
    rest.iter().all(|b| matches!(b, 0 | b'\r' | b'\n'))
}

/// Blocks of armour that hold what is read here (RFC 7468, 8 and 9; OpenSSL writes `PKCS7`).
const ARMOURED: [&str; 5] = ["PKCS7", "CMS", "CERTIFICATE", "TRUSTED CERTIFICATE", "X509 CERTIFICATE"];

/// Whether a text, in lower case, begins with armour, or is the base64 of a message without any: `MI` is the start of a long sequence.
pub(super) fn is_armoured(start: &str, claims: bool) -> bool {
    let is_block = start.strip_prefix("-----begin ").is_some_and(|rest| ARMOURED.iter().any(|a| rest.starts_with(&a.to_ascii_lowercase())));
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || b"+/=\r\n".contains(&b);
    is_block || (claims && start.starts_with("mi") && start.bytes().take(256).all(is_base64))
}

/// Reads what lies in armour: each block by what it is. Text around it is read as text by somebody else.
pub(super) fn read_armoured(reading: &mut Reading<'_>, here: &Here, name: &str, octets: &Bytes) {
    let text = charset::decode(octets, Some("utf-8")).text;
    for block in blocks(&text) {
        let packed: String = text[block].split_whitespace().collect();
        let Ok(inner) = BASE64.decode(packed) else {
            reading.damaged(here, "base64");
            continue;
        };
        if !reading.count_member(here) {
            return;
        }
        let inner = Bytes::from(inner);
        match Type::of_message(&inner) {
            Some(_) => read(reading, here, name, &inner, Source::Attachment),
            None if is_certificate(&inner) => read_certificate(reading, here, &inner),
            None => reading.unsupported(here, "unknown-type"),
        }
    }
}

/// Where the base64 of each block stands; without any block all of it is one.
fn blocks(text: &str) -> Vec<Range<usize>> {
    let (mut blocks, mut at) = (Vec::new(), 0);
    let mut begun = None;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let label = |line: &str, word: &str| line.trim().strip_prefix(word)?.strip_suffix("-----").map(|label| ARMOURED.contains(&label));
        if label(line, "-----BEGIN ") == Some(true) {
            begun = Some(at);
        } else if line.starts_with("-----END ")
            && let Some(begin) = begun.take()
        {
            blocks.push(begin..start);
        }
    }
    // Never closed: what is there is read.
    let is_bare = blocks.is_empty() && begun.is_none();
    blocks.extend(begun.or(is_bare.then_some(0)).map(|begin| begin..text.len()));
    blocks
}
