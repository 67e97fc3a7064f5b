//! Presentations of PowerPoint 97 to 2003 (MS-PPT): records within records, read in one pass. A file that was saved again and again still holds
//! what stood there before; that is read too.

use super::{
    compound::Compound,
    little::{size_at, u16_at, u32_at},
};
use crate::extract::{
    Places, ProblemKind, Source,
    image::blip,
    plain,
    reading::{Here, Reading},
};
use bytes::Bytes;
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    io::Read,
};

/// Numbers of records (RecordType, MS-PPT 2.13.24).
mod kind {
    pub(super) const DOCUMENT: u16 = 0x03E8;
    pub(super) const SLIDE: u16 = 0x03EE;
    pub(super) const NOTES: u16 = 0x03F0;
    pub(super) const NOTES_ATOM: u16 = 0x03F1;
    pub(super) const SLIDE_PERSIST_ATOM: u16 = 0x03F3;
    pub(super) const MASTER: u16 = 0x03F8;
    pub(super) const HANDOUT: u16 = 0x0FC9;
    pub(super) const TEXT_CHARS: u16 = 0x0FA0;
    pub(super) const TEXT_BYTES: u16 = 0x0FA8;
    pub(super) const STRING: u16 = 0x0FBA;
    pub(super) const SLIDE_LIST: u16 = 0x0FF0;
    pub(super) const OLE_STORAGE: u16 = 0x1011;
    pub(super) const PERSIST_DIRECTORY: u16 = 0x1772;
    pub(super) const COMMENT: u16 = 0x2EE0;
    pub(super) const CRYPT_SESSION: u16 = 0x2F14;
}

/// What the stream "Current User" says of an encrypted file (CurrentUserAtom, MS-PPT 2.3.2).
const ENCRYPTED: u32 = 0xF3D1_C4DF;
/// Containers within containers; real ones are a dozen deep.
const DEEPEST: usize = 100;

/// Reads the presentation in a storage; false if there is none.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, file: &mut Compound<'_>, id: usize) -> bool {
    let Some(stream) = file.named(id, "PowerPoint Document") else { return false };
    let user = file.named(id, "Current User").unwrap_or_default();
    if u32_at(&user, 12) == Some(ENCRYPTED) || has_crypt_session(&stream) {
        reading.problem(&here.part, None, ProblemKind::Encrypted, "ppt");
        return true;
    }
    let slides = Slides::of(&stream, reading.limits.pages);
    let mut texts = Texts::default();
    let mut records = Records::new(&stream);
    let mut left = reading.limits.text;
    while let Some(record) = records.next() {
        let Some(text) = text(&record) else {
            if record.kind == kind::OLE_STORAGE {
                object(reading, here, &record);
            }
            continue;
        };
        let Some(less) = left.checked_sub(text.len()) else {
            reading.too_large(here, "text");
            break;
        };
        left = less;
        texts.add(slides.place(&record, &records.open), &text);
    }
    if records.is_damaged {
        reading.damaged(here, "ppt");
    }
    texts.hand_over(reading, here);
    blip::read(reading, here, &file.named(id, "Pictures").unwrap_or_default());
    true
}

/// One record that holds no others, and where it stands.
struct Record<'o> {
    kind: u16,
    instance: u16,
    data: &'o [u8],
    /// In a list of slides: to which of them it belongs, from 1.
    listed: u32,
}

/// A record that holds others.
#[derive(Clone, Copy)]
struct Container {
    kind: u16,
    instance: u16,
    start: usize,
    end: usize,
}

/// All records that hold no others, in the order of the stream.
struct Records<'o> {
    octets: &'o [u8],
    at: usize,
    /// What lies around the record that was read last, from the outside in.
    open: Vec<Container>,
    listed: u32,
    is_damaged: bool,
}

impl<'o> Records<'o> {
    fn new(octets: &'o [u8]) -> Records<'o> {
        Records { octets, at: 0, open: Vec::new(), listed: 0, is_damaged: false }
    }

    fn next(&mut self) -> Option<Record<'o>> {
        loop {
            while self.open.last().is_some_and(|c| c.end <= self.at) {
                self.open.pop();
            }
            let start = self.at;
            let header = (u16_at(self.octets, start), u16_at(self.octets, start + 2), size_at(self.octets, start + 4));
            let (Some(version), Some(kind), Some(length)) = header else {
                self.is_damaged |= start < self.octets.len();
                return None;
            };
            let (instance, begin) = (version >> 4, start + 8);
            let mut end = begin.saturating_add(length);
            if end > self.octets.len() {
                self.is_damaged = true;
                end = self.octets.len();
            }
            if version & 0xF == 0xF {
                // RecordHeader, MS-PPT 2.3.1: a container, whose records are read one by one.
                self.at = begin;
                if kind == kind::SLIDE_LIST {
                    self.listed = 0;
                }
                if self.open.len() < DEEPEST {
                    self.open.push(Container { kind, instance, start, end });
                }
                continue;
            }
            self.at = end;
            if kind == kind::SLIDE_PERSIST_ATOM {
                self.listed += 1;
            }
            return Some(Record { kind, instance, data: &self.octets[begin..end], listed: self.listed });
        }
    }
}

/// The text of a record that holds text.
fn text(record: &Record<'_>) -> Option<String> {
    match record.kind {
        kind::TEXT_CHARS | kind::STRING => Some(encoding_rs::UTF_16LE.decode_without_bom_handling(record.data).0.into_owned()),
        // The lower halves of two octets each.
        kind::TEXT_BYTES => Some(record.data.iter().map(|b| char::from(*b)).collect()),
        _ => None,
    }
}

/// Which container is which slide.
#[derive(Default)]
struct Slides {
    /// Numbers of slides, by the offset of their container.
    by_offset: HashMap<usize, u32>,
    /// By the offset of the container of their notes.
    notes: HashMap<usize, u32>,
    /// The last number that is told.
    most: u32,
}

impl Slides {
    fn of(stream: &[u8], most: usize) -> Slides {
        const SLIDES: u16 = 0;
        let mut slides = Slides { most: u32::try_from(most).unwrap_or(u32::MAX), ..Slides::default() };
        let (mut offsets, mut by_object, mut by_id, mut notes) = (HashMap::new(), HashMap::new(), HashMap::new(), Vec::new());
        let mut records = Records::new(stream);
        while let Some(record) = records.next() {
            let around = &records.open;
            match record.kind {
                kind::PERSIST_DIRECTORY => directory(record.data, &mut offsets),
                kind::SLIDE_PERSIST_ATOM if around.last().is_some_and(|c| (c.kind, c.instance) == (kind::SLIDE_LIST, SLIDES)) => {
                    // Slides beyond the limit are read, but not told apart.
                    let number = record.listed;
                    if number > slides.most {
                        continue;
                    }
                    if let (Some(object), Some(id)) = (u32_at(record.data, 0), u32_at(record.data, 12)) {
                        by_object.insert(object, number);
                        by_id.insert(id, number);
                    }
                }
                kind::NOTES_ATOM => {
                    let container = around.iter().rev().find(|c| c.kind == kind::NOTES);
                    notes.extend(container.and_then(|c| Some((c.start, u32_at(record.data, 0)?))));
                }
                _ => {}
            }
        }
        for (object, number) in by_object {
            slides.by_offset.extend(offsets.get(&object).map(|offset| (*offset, number)));
        }
        slides.notes = notes.into_iter().filter_map(|(offset, id)| Some((offset, *by_id.get(&id)?))).collect();
        slides
    }

    /// Where a record's text is told to be.
    fn place(&self, record: &Record<'_>, around: &[Container]) -> Place {
        let number = |numbers: &HashMap<usize, u32>, c: &Container| numbers.get(&c.start).copied().unwrap_or(0);
        if around.iter().any(|c| c.kind == kind::COMMENT) {
            return Place::new("comment on slide", around.iter().map(|c| number(&self.by_offset, c)).max().unwrap_or(0));
        }
        for container in around.iter().rev() {
            match (container.kind, container.instance) {
                (kind::SLIDE, _) => return Place::new("slide", number(&self.by_offset, container)),
                (kind::NOTES, _) => return Place::new("notes of slide", number(&self.notes, container)),
                (kind::MASTER, _) => return Place::new("master", 0),
                (kind::HANDOUT, _) => return Place::new("handout", 0),
                (kind::SLIDE_LIST, 0) => return Place::new("slide", if record.listed > self.most { 0 } else { record.listed }),
                (kind::SLIDE_LIST, 2) => return Place::new("notes", 0),
                (kind::SLIDE_LIST, _) => return Place::new("master", 0),
                _ => {}
            }
        }
        let is_document = record.kind == kind::STRING && around.first().is_some_and(|c| c.kind == kind::DOCUMENT);
        Place::new(if is_document { "names" } else { "text" }, 0)
    }
}

fn has_crypt_session(stream: &[u8]) -> bool {
    let mut records = Records::new(stream);
    while let Some(record) = records.next() {
        if record.kind == kind::CRYPT_SESSION || records.open.iter().any(|c| c.kind == kind::CRYPT_SESSION) {
            return true;
        }
    }
    false
}

/// Offsets of persistent objects (PersistDirectoryAtom, MS-PPT 2.3.4); what comes later in the file replaces what came before.
fn directory(data: &[u8], offsets: &mut HashMap<u32, usize>) {
    /// Real files list some thousands.
    const MOST: usize = 1_000_000;
    let mut at = 0;
    while let Some(entry) = u32_at(data, at).filter(|_| offsets.len() < MOST) {
        at += 4;
        let (first, count) = (entry & 0xF_FFFF, entry >> 20);
        for object in first..first + count {
            let Some(offset) = size_at(data, at) else { return };
            offsets.insert(object, offset);
            at += 4;
        }
    }
}

/// `slide 4`; no number where it is not known: `slide` of an earlier version of the file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    word: &'static str,
    number: u32,
}

impl Place {
    fn new(word: &'static str, number: u32) -> Place {
        Place { word, number }
    }
}

/// Texts by their places; slides first.
#[derive(Default)]
struct Texts {
    slides: BTreeMap<u32, String>,
    others: BTreeMap<Place, String>,
}

impl Texts {
    fn add(&mut self, place: Place, text: &str) {
        let all = if place.word == "slide" && place.number > 0 {
            self.slides.entry(place.number).or_default()
        } else {
            self.others.entry(place).or_default()
        };
        // Marks of extensions are no text.
        if !text.trim().is_empty() && !text.starts_with("___PPT") {
            all.push_str(&plain::clean(Cow::Borrowed(text)));
            all.push('\n');
        }
    }

    fn hand_over(self, reading: &mut Reading<'_>, here: &Here) {
        let slides = self.slides.into_iter().map(|(number, text)| (Place::new("slide", number), text));
        for (place, text) in slides.chain(self.others) {
            let name = match place.number {
                0 => place.word.to_owned(),
                number => format!("{} {number}", place.word),
            };
            reading.text(&here.part, Source::Attachment, text, Places::Named(name));
        }
    }
}

/// A compound file, mostly packed (ExOleObjStg, MS-PPT 2.10.34): an object, a control, macros.
fn object(reading: &mut Reading<'_>, here: &Here, record: &Record<'_>) {
    const PACKED: u16 = 1;
    let Some(inner) = reading.enter(here, "object") else { return };
    if record.instance != PACKED {
        return reading.open(&inner, "", "", Bytes::copy_from_slice(record.data));
    }
    let most = reading.limits.member.min(reading.expanded_left());
    let ratio = (record.data.len() as u64).saturating_mul(reading.limits.ratio).max(reading.limits.ratio_from);
    let mut octets = Vec::new();
    let packed = record.data.get(4..).unwrap_or_default();
    let end = flate2::read::ZlibDecoder::new(packed).take(most.min(ratio) + 1).read_to_end(&mut octets);
    reading.expanded(octets.len());
    if octets.len() as u64 > most.min(ratio) {
        return reading.too_large(&inner, if most > ratio { "ratio" } else { "member" });
    }
    if end.is_err() {
        reading.damaged(&inner, "ppt");
    }
    if !octets.is_empty() {
        reading.open(&inner, "", "", Bytes::from(octets));
    }
}
