//! Mails as Outlook saves them (MS-OXMSG): a stream for each property, a storage for each recipient and attachment.

use super::{
    compound::Compound,
    little::{size_at, u16_at, u32_at},
    storage,
};
use crate::extract::{
    Places, Source, charset, html, mapi, plain,
    reading::{Here, Reading},
    rtf,
};
use bytes::Bytes;
use encoding_rs::{Encoding, UTF_16LE, WINDOWS_1252};
use std::{borrow::Cow, collections::HashMap, fmt::Write};

/// Fixed-length properties, and what a storage with this stream is: a message, or a part of one.
const PROPERTIES: &str = "__properties_version1.0";
const NAMES: &str = "__nameid_version1.0";

/// Types of properties (MS-OXCDATA 2.11.1).
mod kind {
    pub(super) const STRING_8: u16 = 0x001E;
    pub(super) const STRING: u16 = 0x001F;
    pub(super) const BINARY: u16 = 0x0102;
    pub(super) const MULTIPLE: u16 = 0x1000;
}

/// Whether a storage is a message.
pub(super) fn is_message(file: &Compound<'_>, id: usize) -> bool {
    file.find(id, PROPERTIES).is_some()
}

/// Reads the message in a storage.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, file: &mut Compound<'_>, id: usize) {
    let properties = Properties::of(file, id, None);
    let names = named(file);
    let mut lines = properties.lines(&names);
    for child in file.children(id) {
        if file.entry(child).name.starts_with("__recip_version1.0_") {
            let recipient = Properties::of(file, child, Some(properties.encoding));
            let told: Vec<&str> = recipient.strings.iter().map(|(_, value)| value.trim()).filter(|v| !v.is_empty()).collect();
            let _ = writeln!(lines, "recipient: {}", one_line(&told.join(" ")));
        }
    }
    let subject = properties.string(mapi::SUBJECT).unwrap_or_default().to_owned();
    reading.text(&here.section("subject"), Source::Attachment, plain::clean(Cow::Owned(subject)).into_owned(), Places::None);
    reading.text(&here.section("header"), Source::Properties, lines, Places::Lines);
    body(reading, here, &properties);
    for child in file.children(id) {
        if file.entry(child).name.starts_with("__attach_version1.0_") {
            attachment(reading, here, file, child, properties.encoding);
        }
    }
}

/// The body in all its forms: programs show the one or the other.
fn body(reading: &mut Reading<'_>, here: &Here, properties: &Properties) {
    let (mut has_body, part) = (false, here.section("text"));
    if let Some(text) = properties.string(mapi::BODY).filter(|t| !t.trim().is_empty()) {
        let text = plain::clean(Cow::Borrowed(text)).into_owned();
        reading.text(&part, Source::Attachment, text, Places::Lines);
        has_body = true;
    }
    if let Some(text) = properties.string(mapi::HTML) {
        html::read(reading, here, &here.section("html"), Source::Attachment, text.as_bytes(), Some("utf-8"));
        has_body = true;
    } else if let Some(octets) = properties.binary(mapi::HTML).filter(|o| !o.is_empty()) {
        html::read(reading, here, &here.section("html"), Source::Attachment, octets, Some(properties.encoding_of_html.name()));
        has_body = true;
    }
    if let Some(packed) = properties.binary(mapi::RTF).filter(|o| !o.is_empty()) {
        let part = here.section("rtf");
        if has_body {
            rtf::read_enclosed(reading, here, &part, packed);
        } else {
            rtf::read_packed(reading, here, &part, Source::Attachment, packed);
        }
    }
}

/// A file, a message, or an object.
fn attachment(reading: &mut Reading<'_>, here: &Here, file: &mut Compound<'_>, id: usize, encoding: &'static Encoding) {
    /// Attachments that lie elsewhere: their path travels, they don't (PidTagAttachMethod, MS-OXCMSG 2.2.2.9).
    const ELSEWHERE: [u32; 4] = [2, 3, 4, 7];
    let properties = Properties::of(file, id, Some(encoding));
    let names = [mapi::LONG_FILE_NAME, mapi::FILE_NAME, mapi::DISPLAY_NAME];
    let name = names.iter().find_map(|tag| properties.string(*tag).filter(|name| !name.trim().is_empty()));
    let object = file.children(id).into_iter().find(|child| {
        let entry = file.entry(*child);
        !entry.is_stream && parsed(&entry.name).is_some_and(|(tag, _, _)| tag == mapi::DATA)
    });
    if let Some(object) = object {
        let name = name.unwrap_or("message.msg");
        if let Some(inner) = reading.enter(here, name) {
            storage(reading, &inner, file, object);
        }
        return;
    }
    let media_type = properties.string(mapi::MEDIA_TYPE).unwrap_or_default().to_ascii_lowercase();
    let name = name.unwrap_or("attachment");
    match properties.binary(mapi::DATA) {
        Some(octets) => reading.member(here, name, &media_type, &Bytes::copy_from_slice(octets)),
        None => {
            let Some(inner) = reading.enter(here, name) else { return };
            reading.text(&inner.part, Source::Properties, properties.lines(&HashMap::new()), Places::Lines);
            if properties.fixed(mapi::METHOD).is_some_and(|method| ELSEWHERE.contains(&method)) {
                reading.unsupported(&inner, "external");
            }
        }
    }
}

/// What a storage says.
struct Properties {
    strings: Vec<(u16, String)>,
    binaries: Vec<(u16, Vec<u8>)>,
    fixed: HashMap<u16, u32>,
    encoding: &'static Encoding,
    encoding_of_html: &'static Encoding,
}

impl Properties {
    /// Reads a storage; `encoding` is that of the message around it.
    fn of(file: &mut Compound<'_>, id: usize, encoding: Option<&'static Encoding>) -> Properties {
        let fixed = fixed(&file.named(id, PROPERTIES).unwrap_or_default());
        let page = |tag| fixed.get(&tag).and_then(|page| charset::code_page(*page));
        let language = fixed.get(&mapi::LANGUAGE).map(|id| charset::by_language((*id & 0xFFFF) as u16));
        // 1200 says that strings are Unicode, which their type does too.
        let own = [page(mapi::CODE_PAGE), page(mapi::INTERNET_CODE_PAGE), language].into_iter().flatten().find(|e| *e != UTF_16LE);
        let encoding = encoding.or(own).unwrap_or(WINDOWS_1252);
        let encoding_of_html = page(mapi::INTERNET_CODE_PAGE).unwrap_or(encoding);
        let mut properties = Properties { strings: Vec::new(), binaries: Vec::new(), fixed, encoding, encoding_of_html };
        for child in file.children(id) {
            let entry = file.entry(child);
            let Some((tag, kind, is_value)) = parsed(&entry.name).filter(|_| entry.is_stream) else { continue };
            match kind {
                kind::BINARY if matches!(tag, mapi::RTF | mapi::HTML | mapi::DATA) => properties.binaries.push((tag, file.stream(child))),
                kind::STRING => properties.strings.push((tag, decode(UTF_16LE, &file.stream(child)))),
                kind::STRING_8 => properties.strings.push((tag, decode(encoding, &file.stream(child)))),
                _ if is_value && kind == kind::MULTIPLE | kind::STRING => {
                    properties.strings.push((tag, decode(UTF_16LE, &file.stream(child))));
                }
                _ if is_value && kind == kind::MULTIPLE | kind::STRING_8 => {
                    properties.strings.push((tag, decode(encoding, &file.stream(child))));
                }
                _ => {}
            }
        }
        properties
    }

    fn string(&self, tag: u16) -> Option<&str> {
        self.strings.iter().find(|(t, _)| *t == tag).map(|(_, value)| value.as_str())
    }

    fn binary(&self, tag: u16) -> Option<&[u8]> {
        self.binaries.iter().find(|(t, _)| *t == tag).map(|(_, value)| value.as_slice())
    }

    fn fixed(&self, tag: u16) -> Option<u32> {
        self.fixed.get(&tag).copied()
    }

    /// `name: value` for each string, but for subject and bodies; the header of the mail as it came.
    fn lines(&self, names: &HashMap<u16, String>) -> String {
        let mut lines = String::new();
        for (tag, value) in &self.strings {
            match *tag {
                mapi::SUBJECT | mapi::BODY | mapi::HTML => continue,
                mapi::HEADER => {
                    lines.push_str(plain::clean(Cow::Borrowed(value)).trim_end());
                    lines.push('\n');
                    continue;
                }
                _ if value.trim().is_empty() => continue,
                _ => {}
            }
            let name = names.get(tag).map_or_else(|| mapi::name(*tag), |name| Cow::Borrowed(name.as_str()));
            let _ = writeln!(lines, "{}: {}", one_line(&name), one_line(value));
        }
        lines
    }
}

/// Properties of four octets or fewer: 16 octets each behind a header, whose length depends on what the storage is (MS-OXMSG 2.4).
fn fixed(octets: &[u8]) -> HashMap<u16, u32> {
    const ENTRY: usize = 16;
    let header = octets.len() % ENTRY;
    // A message at the top has 32 octets, one within 24, a recipient or attachment 8: what is read too early has no known number.
    let entries = octets.get(header..).unwrap_or_default().chunks_exact(ENTRY);
    entries.filter_map(|entry| Some((u16_at(entry, 2)?, u32_at(entry, 8)?))).collect()
}

/// Number and type of the property that a stream or storage holds, and whether it is one value of several: `__substg1.0_1000001F`.
fn parsed(name: &str) -> Option<(u16, u16, bool)> {
    let rest = name.strip_prefix("__substg1.0_")?;
    let number = |range| rest.get(range).and_then(|digits| u16::from_str_radix(digits, 16).ok());
    Some((number(0..4)?, number(4..8)?, rest.len() > 8))
}

/// The names of properties from 0x8000 on: labels of classification among them (MS-OXMSG 2.2.3).
fn named(file: &mut Compound<'_>) -> HashMap<u16, String> {
    /// There are no numbers for more.
    const MOST: usize = 0x7FFE;
    let Some(id) = file.find(Compound::ROOT, NAMES) else { return HashMap::new() };
    let entries = file.named(id, "__substg1.0_00030102").unwrap_or_default();
    let strings = file.named(id, "__substg1.0_00040102").unwrap_or_default();
    let name = |entry: &[u8]| {
        let (place, flags, index) = (size_at(entry, 0)?, u16_at(entry, 4)?, u16_at(entry, 6)?);
        let name = if flags & 1 == 0 {
            format!("property {place:04x}")
        } else {
            let length = size_at(&strings, place)?.min(1024);
            decode(UTF_16LE, strings.get(place + 4..)?.get(..length)?)
        };
        Some((index.checked_add(mapi::NAMED)?, name))
    };
    entries.chunks_exact(8).take(MOST).filter_map(name).collect()
}

fn decode(encoding: &'static Encoding, octets: &[u8]) -> String {
    encoding.decode_without_bom_handling(octets).0.trim_end_matches('\0').to_owned()
}

fn one_line(text: &str) -> String {
    plain::clean(Cow::Borrowed(text.trim())).replace('\n', " ")
}
