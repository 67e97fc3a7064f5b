//! Compound files: documents of Word, Excel and PowerPoint up to 2003, mails of Outlook, and what was put into these as an object.
//!
//! A storage within a file is read like a file of its own: a workbook in a document, a message in a message.

mod compound;
mod doc;
mod little;
mod msg;
mod ppt;
mod properties;
mod vba;
mod xls;

use super::{
    Places, ProblemKind, Source,
    reading::{Here, Reading},
};
use bytes::Bytes;
use compound::Compound;
use little::size_at;

pub(super) use compound::MAGIC;

/// Reads a compound file as everything that lies in it.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, octets: &Bytes) {
    if is_bare_workbook(octets) {
        return xls::read(reading, here, octets);
    }
    let Some(mut file) = Compound::open(octets) else {
        reading.damaged(here, "compound");
        return;
    };
    storage(reading, here, &mut file, Compound::ROOT);
    if file.is_damaged() {
        reading.damaged(here, "compound");
    }
}

/// A workbook without a compound file around it, as Excel 2 to 4 wrote them: its first record says so (BOF, with a length of its own each).
pub(super) fn is_bare_workbook(octets: &[u8]) -> bool {
    const STARTS: [&[u8]; 5] = [b"\x09\0\x04\0", b"\x09\x02\x06\0", b"\x09\x04\x06\0", b"\x09\x08\x08\0\0\x05", b"\x09\x08\x10\0\0\x06"];
    STARTS.iter().any(|start| octets.starts_with(start))
}

/// Reads a storage by the streams that it holds; more than one document may lie in it.
fn storage(reading: &mut Reading<'_>, here: &Here, file: &mut Compound<'_>, id: usize) {
    if here.depth > reading.limits.depth {
        reading.problem(&here.part, None, ProblemKind::TooDeep, "depth");
        return;
    }
    let has = |file: &Compound<'_>, name: &str| file.find(id, name).is_some();
    let mut is_known = false;
    if ["EncryptedPackage", "EncryptedSummary", "\u{9}DRMContent"].iter().any(|name| has(file, name)) {
        reading.problem(&here.part, None, ProblemKind::Encrypted, "office");
        is_known = true;
    }
    for name in ["Workbook", "Book"] {
        if let Some(octets) = file.named(id, name) {
            xls::read(reading, here, &octets);
            is_known = true;
        }
    }
    is_known |= doc::read(reading, here, file, id);
    is_known |= ppt::read(reading, here, file, id);
    let is_message = msg::is_message(file, id);
    if is_message {
        msg::read(reading, here, file, id);
    }
    is_known |= is_message;
    is_known |= vba::read(reading, here, file, id);
    is_known |= properties(reading, here, file, id);
    is_known |= objects(reading, here, file, id, is_message);
    if !is_known && !file.children(id).is_empty() {
        reading.unsupported(here, "unknown-type");
    }
}

/// The properties of a document: title, author, labels. Whether there are any.
fn properties(reading: &mut Reading<'_>, here: &Here, file: &mut Compound<'_>, id: usize) -> bool {
    let mut has_any = false;
    for name in properties::STREAMS {
        let Some(octets) = file.named(id, name) else { continue };
        has_any = true;
        let (lines, is_whole) = properties::read(&octets);
        if !is_whole && !octets.is_empty() {
            reading.damaged(here, "properties");
        }
        reading.text(&here.part, Source::Properties, lines, Places::None);
    }
    has_any
}

/// What was put into a document: files, other documents. Whether there is anything of that kind.
fn objects(reading: &mut Reading<'_>, here: &Here, file: &mut Compound<'_>, id: usize, is_message: bool) -> bool {
    let mut has_any = false;
    for child in file.children(id) {
        let entry = file.entry(child);
        let (name, is_stream) = (entry.name.clone(), entry.is_stream);
        match (name.as_str(), is_stream) {
            ("\u{1}Ole10Native", true) => native(reading, here, &file.stream(child)),
            ("Package" | "CONTENTS" | "Contents" | "EmbeddedOdf", true) => {
                let octets = Bytes::from(file.stream(child));
                reading.member(here, &name, "", &octets);
            }
            ("ObjectPool", false) => {
                for object in file.children(child) {
                    embedded(reading, here, file, object);
                }
            }
            // Recipients and attachments were read with their message.
            (name, false) if is_message && name.starts_with("__") => continue,
            (_, false) => embedded(reading, here, file, child),
            (_, true) => continue,
        }
        has_any = true;
    }
    has_any
}

/// A storage as a member.
fn embedded(reading: &mut Reading<'_>, here: &Here, file: &mut Compound<'_>, id: usize) {
    let entry = file.entry(id);
    if entry.is_stream {
        return;
    }
    let name = entry.name.clone();
    if let Some(inner) = reading.enter(here, &name) {
        storage(reading, &inner, file, id);
    }
}

/// A file as the packager wrapped it: its name, its path, where it lay for a moment, and its content (MS-OLEDS 2.3.6 calls it native data; the
/// form of that is the packager's own).
fn native(reading: &mut Reading<'_>, here: &Here, octets: &[u8]) {
    let (name, content) = packaged(octets).unwrap_or(("\u{1}Ole10Native".to_owned(), octets.get(4..).unwrap_or_default()));
    reading.member(here, &name, "", &Bytes::copy_from_slice(content));
}

fn packaged(octets: &[u8]) -> Option<(String, &[u8])> {
    fn string<'o>(octets: &'o [u8], at: &mut usize) -> Option<&'o [u8]> {
        let rest = octets.get(*at..)?;
        let end = memchr::memchr(0, rest)?;
        *at += end + 1;
        Some(&rest[..end])
    }
    // Total length, then a 2 in two octets.
    let mut at = 6;
    let label = string(octets, &mut at)?;
    string(octets, &mut at)?;
    // 3 for an embedded file; then the path once more, behind its length.
    at += 4;
    let path = size_at(octets, at)?;
    at = at.checked_add(4)?.checked_add(path)?;
    let length = size_at(octets, at)?;
    let content = octets.get(at.checked_add(4)?..)?;
    let name = super::charset::decode(label, None).text.into_owned();
    Some((name, &content[..length.min(content.len())]))
}
