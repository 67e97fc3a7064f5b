//! Text as it stands: text/plain, CSV, XML, JSON; and calendars and cards, whose lines are folded.

use super::{
    Places, Source,
    charset::{self, Decoded},
    data, encoded,
    reading::{Here, Reading},
};
use base64::{Engine, alphabet, engine};
use bytes::{Buf as _, Bytes};
use std::borrow::Cow;

/// As people and programs write it: with or without padding, and with odd last bits.
pub(super) const BASE64: engine::GeneralPurpose = engine::GeneralPurpose::new(
    &alphabet::STANDARD,
    engine::GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(engine::DecodePaddingMode::Indifferent),
);

/// Reads a text. `part` is where it is told to be.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, part: &str, source: Source, octets: &[u8], charset: Option<&str>) {
    let Decoded { text, other, is_unreadable } = charset::decode(octets, charset);
    let members = members(reading, part, is_unreadable, &text);
    reading.text(part, source, clean(text).into_owned(), Places::Lines);
    in_another_charset(reading, part, source, other.as_ref());
    read_members(reading, here, part, members);
}

/// Reads a file that is text. Its own octets become the text where they can: of a large one there is no second copy.
pub(super) fn read_file(reading: &mut Reading<'_>, here: &Here, mut octets: Bytes) {
    let (part, source) = (&here.part, Source::Attachment);
    let Decoded { text, other, is_unreadable } = charset::decode(&octets, None);
    let members = members(reading, part, is_unreadable, &text);
    if other.is_some() {
        reading.text(part, source, clean(text).into_owned(), Places::Lines);
        in_another_charset(reading, part, source, other.as_ref());
    } else {
        let text = match text {
            Cow::Owned(text) => {
                drop(octets);
                text
            }
            Cow::Borrowed(plain) => {
                octets.advance(octets.len() - plain.len());
                String::from_utf8(octets.into()).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
            }
        };
        reading.text(part, source, clean(text.into()).into_owned(), Places::Lines);
    }
    read_members(reading, here, part, members);
}

/// Says what of a text can't be read; the files in it.
fn members(reading: &mut Reading<'_>, part: &str, is_unreadable: bool, text: &str) -> Vec<encoded::Encoded> {
    if is_unreadable {
        reading.problem(part, None, super::ProblemKind::Unsupported, "charset");
    }
    if text.trim_start().starts_with("-----BEGIN PGP MESSAGE-----") || text.contains("\n-----BEGIN PGP MESSAGE-----") {
        reading.problem(part, None, super::ProblemKind::Encrypted, "pgp");
    }
    // yEnc (draft 1.3), whose octets are no text any more; BinHex (RFC 1741, 3), behind whatever text.
    if text.starts_with("=ybegin ") || text.contains("\n=ybegin ") {
        reading.problem(part, None, super::ProblemKind::Unsupported, "yenc");
    }
    if text.contains("(This file must be converted with BinHex") {
        reading.problem(part, None, super::ProblemKind::Unsupported, "binhex");
    }
    if text.trim_start_matches(['\u{FEFF}', ' ', '\n', '\r', '\t']).starts_with("<?xml") && super::xml::defines_entities(text) {
        reading.problem(part, None, super::ProblemKind::Damaged, "xml");
    }
    let mut members = encoded::files(text);
    members.extend(encoded::signed(text));
    members
}

fn in_another_charset(reading: &mut Reading<'_>, part: &str, source: Source, other: Option<&charset::Other<'_>>) {
    if let Some(other) = other {
        reading.text(part, source, clean(other.text()).into_owned(), Places::Named("in another charset".into()));
    }
}

fn read_members(reading: &mut Reading<'_>, here: &Here, part: &str, members: Vec<encoded::Encoded>) {
    for member in members {
        if !member.is_whole {
            reading.problem(part, None, super::ProblemKind::Damaged, "uuencode");
        }
        reading.member(here, &member.name, "", &Bytes::from(member.octets));
    }
}

/// Reads iCalendar (RFC 5545, 3.1) and vCard (RFC 6350, 3.2): unfolded, unescaped, quoted-printable undone, enclosed files as members.
pub(super) fn read_folded(reading: &mut Reading<'_>, here: &Here, octets: &[u8], charset: Option<&str>) {
    let Decoded { text, is_unreadable, .. } = charset::decode(octets, charset.or(Some("utf-8")));
    if is_unreadable {
        reading.unsupported(here, "charset");
    }
    let unfolded = unfolded(&text);
    let mut lines = String::with_capacity(unfolded.len());
    let mut members = Vec::new();
    for line in unfolded.lines() {
        let colon = colon(line);
        let (name, value) = colon.map_or((line, ""), |at| (&line[..at], &line[at + 1..]));
        let parameters = name.to_ascii_uppercase();
        let is = |word: &str| parameters.split(';').skip(1).any(|p| p.trim() == word);
        let is_base64 = is("ENCODING=BASE64") || is("ENCODING=B") || is("BASE64") || is("ENCODING=\"BASE64\"");
        if is_base64 {
            let packed: String = value.split_whitespace().collect();
            match BASE64.decode(packed) {
                Ok(octets) => members.push(Enclosed { name: file_name(name), media_type: String::new(), octets }),
                Err(_) => {
                    reading.damaged(here, "base64");
                    lines.push_str(value);
                }
            }
            lines.push_str(name);
        } else if parameters.contains("QUOTED-PRINTABLE") {
            lines.push_str(name);
            lines.push(':');
            lines.push_str(&charset::decode(&quoted_printable(value), Some("utf-8")).text);
        } else if let Some(link) = data::Link::of(value) {
            members.push(Enclosed { name: file_name(name), media_type: link.media_type, octets: link.octets });
            lines.push_str(name);
        } else {
            lines.push_str(&unescaped(line));
        }
        lines.push('\n');
    }
    reading.text(&here.part, Source::Attachment, clean(Cow::Owned(lines)).into_owned(), Places::Lines);
    for member in members {
        reading.member(here, &member.name, &member.media_type, &Bytes::from(member.octets));
    }
}

/// A file in a property: ATTACH, PHOTO, LOGO, SOUND, KEY.
struct Enclosed {
    name: String,
    media_type: String,
    octets: Vec<u8>,
}

/// Where the value of a property begins: its parameters may hold colons in quotes (RFC 5545, 3.1).
fn colon(line: &str) -> Option<usize> {
    let mut is_quoted = false;
    let found = line.bytes().position(|b| {
        is_quoted ^= b == b'"';
        b == b':' && !is_quoted
    });
    found.or_else(|| line.find(':'))
}

/// What the file in a property is called: by its parameters (RFC 8607, 4.1; Outlook has names of its own), else as the property.
fn file_name(property: &str) -> String {
    const NAMES: [&str; 4] = ["FILENAME", "X-FILENAME", "X-ORACLE-FILENAME", "X-APPLE-FILENAME"];
    let named =
        property.split(';').skip(1).filter_map(|p| p.split_once('=')).find(|(name, _)| NAMES.iter().any(|n| name.eq_ignore_ascii_case(n)));
    match named {
        Some((_, name)) => name.trim_matches('"').to_owned(),
        None => property.split(';').next().unwrap_or_default().to_lowercase(),
    }
}

/// `\n` for every kind of line end, and blanks for control characters: only extraction itself makes breaks between cells and readings.
pub(super) fn clean(text: Cow<'_, str>) -> Cow<'_, str> {
    let is_odd = |b: u8| (b < 0x20 && b != b'\n' && b != b'\t') || b == 0x7F;
    if !text.bytes().any(is_odd) {
        return text;
    }
    let text = match text {
        Cow::Owned(text) => return Cow::Owned(cleaned(text)),
        Cow::Borrowed(text) => text,
    };
    let mut cleaned = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.bytes().position(is_odd) {
        cleaned.push_str(&rest[..at]);
        match rest.as_bytes()[at] {
            b'\r' if rest[at + 1..].starts_with('\n') => {}
            b'\r' | 0x0B | 0x0C => cleaned.push('\n'),
            _ => cleaned.push(' '),
        }
        rest = &rest[at + 1..];
    }
    cleaned.push_str(rest);
    Cow::Owned(cleaned)
}

/// The same in place.
fn cleaned(text: String) -> String {
    let mut octets = text.into_bytes();
    let mut length = 0;
    for at in 0..octets.len() {
        octets[length] = match octets[at] {
            b'\r' if octets.get(at + 1) == Some(&b'\n') => continue,
            b'\r' | 0x0B | 0x0C => b'\n',
            b'\n' | b'\t' => octets[at],
            0..0x20 | 0x7F => b' ',
            other => other,
        };
        length += 1;
    }
    octets.truncate(length);
    String::from_utf8(octets).expect("only ASCII became other ASCII")
}

/// Lines that begin with a blank belong to the line before; in quoted-printable ones so does what follows a `=` at the end.
fn unfolded(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    // Whether the property that is being put together is quoted-printable, and whether its last line ended in a soft break.
    let (mut is_printable, mut is_soft) = (false, false);
    for line in text.split('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match line.strip_prefix([' ', '\t']) {
            _ if is_soft => whole.push_str(line),
            Some(rest) => whole.push_str(rest),
            None => {
                if !whole.is_empty() {
                    whole.push('\n');
                }
                whole.push_str(line);
                let name = line.split(':').next().unwrap_or_default();
                is_printable = name.to_ascii_uppercase().contains("QUOTED-PRINTABLE");
            }
        }
        is_soft = is_printable && line.ends_with('=');
        if is_soft {
            whole.pop();
        }
    }
    whole
}

/// RFC 5545, 3.3.11: `\n`, `\,`, `\;` and `\\`.
fn unescaped(line: &str) -> Cow<'_, str> {
    if !line.contains('\\') {
        return Cow::Borrowed(line);
    }
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => plain.push('\\'),
            },
            other => plain.push(other),
        }
    }
    Cow::Owned(plain)
}

fn quoted_printable(text: &str) -> Vec<u8> {
    hex_decoded(text.as_bytes(), b'=')
}

/// Octets of which some are written as `sign` and two hexadecimal digits; what only looks so stands as it is.
pub(super) fn hex_decoded(octets: &[u8], sign: u8) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(octets.len());
    let mut at = 0;
    while at < octets.len() {
        let hex = (octets[at] == sign).then(|| octets.get(at + 1..at + 3)).flatten().and_then(|h| std::str::from_utf8(h).ok());
        match hex.and_then(|h| u8::from_str_radix(h, 16).ok()) {
            Some(octet) => {
                decoded.push(octet);
                at += 3;
            }
            None => {
                decoded.push(octets[at]);
                at += 1;
            }
        }
    }
    decoded
}
