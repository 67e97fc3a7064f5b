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
    let before = reading.said();
    storage(reading, here, &mut file, Compound::ROOT);
    // Nobody writes a document without a word or a property: one whose directory was wiped looks like that.
    if file.is_damaged() || reading.said() == before {
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
    properties(reading, here, file, id);
    objects(reading, here, file, id, is_message);
    // A drawing of Visio, a page of Publisher: its title is read, and no more.
    if !is_known && file.children(id).iter().any(|child| is_unread(file, *child)) {
        reading.unsupported(here, "unknown-type");
    }
}

/// Whether this is a stream of which nothing is read in a document that nobody knows: what says how an object is shown, holds nothing of it
/// (MS-OLEDS 2.3).
fn is_unread(file: &Compound<'_>, id: usize) -> bool {
    const READ: [&str; 8] = ["\u{1}Ole10Native", "Package", "CONTENTS", "Contents", "EmbeddedOdf", "PROJECT", "PROJECTwm", "PROJECTlk"];
    const SHOWN: [&str; 7] =
        ["\u{1}CompObj", "\u{1}Ole", "\u{3}ObjInfo", "\u{3}LinkInfo", "\u{3}AccessObjSiteData", "\u{3}EPRINT", "\u{3}PRINT"];
    let entry = file.entry(id);
    let name = entry.name.as_str();
    let is_known = [&READ[..], &SHOWN, &properties::STREAMS].iter().any(|names| names.contains(&name)) || name.starts_with("\u{2}OlePres");
    entry.is_stream && !is_known
}

/// The properties of a document: title, author, labels.
fn properties(reading: &mut Reading<'_>, here: &Here, file: &mut Compound<'_>, id: usize) {
    for name in properties::STREAMS {
        let Some(octets) = file.named(id, name) else { continue };
        let (lines, is_whole) = properties::read(&octets);
        if !is_whole && !octets.is_empty() {
            reading.damaged(here, "properties");
        }
        reading.text(&here.part, Source::Properties, lines, Places::None);
    }
}

/// What was put into a document: files, other documents.
fn objects(reading: &mut Reading<'_>, here: &Here, file: &mut Compound<'_>, id: usize, is_message: bool) {
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
            // How the package beside it is encrypted (MS-OFFCRYPTO 2.1), which has been told.
            ("\u{6}DataSpaces", false) if file.find(id, "EncryptedPackage").is_some() => {}
            // Recipients and attachments were read with their message.
            (name, false) if is_message && name.starts_with("__") => {}
            (_, false) => embedded(reading, here, file, child),
            (_, true) => {}
        }
    }
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
