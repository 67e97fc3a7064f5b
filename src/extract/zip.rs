//! ZIP: archives, and the packages that office documents are. Nothing is ever written to a path; nothing is inflated beyond the limits.

mod locals;

use super::{
    Places, ProblemKind, Source,
    archive::{self, Ratio, streams},
    plain,
    reading::{Here, Reading},
};
use bytes::Bytes;
use locals::Local;
use memchr::memmem;
use std::{
    borrow::Cow,
    io::{Cursor, Read},
    ops::Range,
};
use zip::{ZipArchive, ZipReadOptions, read::read_zipfile_from_stream_with_options, result::ZipError};

/// Zstandard (APPNOTE 4.4.5), which the crate reads by a C library only.
const ZSTANDARD: u16 = 93;

/// The other methods that are read: stored, Deflate, Deflate64, BZIP2, LZMA, XZ, PPMd.
const METHODS: [u16; 7] = [0, 8, 9, 12, 14, 95, 98];

/// An opened ZIP.
pub(super) struct Archive<'o> {
    octets: &'o [u8],
    /// `None` without a readable directory.
    zip: Option<ZipArchive<Cursor<&'o [u8]>>>,
    /// What the directory doesn't list, or lists otherwise.
    unlisted: Vec<Local>,
    /// What stands from the unlisted header on that is being read.
    rest: Cursor<&'o [u8]>,
    ratio: Ratio,
    /// Octets that may still come out when they are only measured, since someone else inflates them again.
    unchecked: u64,
}

/// A file in a ZIP.
pub(super) struct Member {
    /// Those of the directory first, then the unlisted ones.
    pub(super) index: usize,
    pub(super) name: String,
    /// As declared: a lie, in a hostile file.
    pub(super) size: u64,
}

/// A member that is unpacked, and not read yet.
struct Unpacked {
    here: Here,
    name: String,
    octets: Vec<u8>,
}

impl Unpacked {
    fn read(self, reading: &mut Reading<'_>) {
        reading.open(&self.here, &self.name, "", Bytes::from(self.octets));
    }
}

/// Reads every member of an archive. Its octets go before the last one is read: of archives in each other two are held at a time.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, octets: Bytes) {
    let last = Archive::open(reading, here, &octets).and_then(|mut archive| {
        archive.comments(reading, here);
        archive.read_all(reading, here)
    });
    drop(octets);
    if let Some(last) = last {
        last.read(reading);
    }
}

impl<'o> Archive<'o> {
    /// Opens a ZIP by its directory. Without a readable one, what its local headers lead to is read, and `damaged` said.
    pub(super) fn open(reading: &mut Reading<'_>, here: &Here, octets: &'o [u8]) -> Option<Archive<'o>> {
        // A directory of millions is not held in memory to read the first few of them.
        let is_crowded = memmem::find_iter(octets, b"PK\x01\x02").nth(reading.limits.members).is_some();
        let zip = if is_crowded { None } else { ZipArchive::new(Cursor::new(octets)).ok() };
        let unchecked = Ratio::limit(reading, octets);
        let ratio = Ratio::new(reading, octets);
        let mut archive = Archive { octets, zip, unlisted: Vec::new(), rest: Cursor::new(octets), ratio, unchecked };
        let (members, mut contradicting) = archive.listed();
        // One that can't be counted any more tells that there were too many.
        let found = locals::between(octets, &members, reading.members_left() + 1);
        archive.unlisted = found.locals;
        archive.unlisted.append(&mut contradicting);
        let Some(zip) = &mut archive.zip else {
            let (kind, reason) = if is_crowded { (ProblemKind::TooLarge, "members") } else { (ProblemKind::Damaged, "zip") };
            reading.problem(&here.part, None, kind, reason);
            if let Some(last) = archive.read_all(reading, here) {
                last.read(reading);
            }
            return None;
        };
        // Two entries of one name, overlapping ones, two directories, names with an end in their middle: programs read them differently.
        let is_ambiguous = !archive.unlisted.is_empty() || found.ends > 1 || zip.file_names_raw().any(|name| name.contains(&0));
        if is_ambiguous || zip.has_duplicate_names() || zip.validate_header_consistency().is_err() {
            reading.damaged(here, "zip");
        }
        Some(archive)
    }

    /// Where the members of the directory stand, in order, and the local headers that say something else than it does.
    fn listed(&mut self) -> (Vec<Range<usize>>, Vec<Local>) {
        let (mut ranges, mut contradicting) = (Vec::new(), Vec::new());
        let Some(zip) = &mut self.zip else { return (ranges, contradicting) };
        for index in 0..zip.len() {
            let Ok(file) = zip.by_index_raw(index) else { continue };
            let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
            let (begin, data, packed) = (place(file.header_start()), file.data_start().map_or(usize::MAX, place), file.compressed_size());
            ranges.push(begin..data.saturating_add(place(packed)));
            let local = Local::at(self.octets, begin).filter(|local| local.contradicts(method(&file.entry()), packed));
            contradicting.extend(local);
        }
        ranges.sort_unstable_by_key(|range| range.start);
        (ranges, contradicting)
    }

    /// Comments of the archive and of its members, which nobody sees.
    pub(super) fn comments(&self, reading: &mut Reading<'_>, here: &Here) {
        let Some(zip) = &self.zip else { return };
        let mut text = String::from_utf8_lossy(zip.comment()).into_owned();
        for entry in (0..zip.len()).filter_map(|index| zip.by_index_data(index).ok()).filter(|entry| !entry.comment().is_empty()) {
            text.push('\n');
            text.push_str(entry.comment());
        }
        let text = plain::clean(Cow::Owned(text)).into_owned();
        reading.text(&here.part, Source::Attachment, text, Places::Named("comment".into()));
    }

    /// Everything but directories, in the order of the central directory; behind that, what it doesn't list.
    pub(super) fn members(&self) -> Vec<Member> {
        let listed = (0..self.listed_count()).filter_map(|index| {
            let entry = self.zip.as_ref()?.by_index_data(index).ok()?;
            let name = entry.name().map_or_else(|_| String::from_utf8_lossy(entry.name_raw()).into_owned(), Cow::into_owned);
            // A directory holds nothing; one that does is a file.
            (!entry.is_dir() || entry.size() > 0).then_some(Member { index, name, size: entry.size() })
        });
        let unlisted = self.unlisted.iter().enumerate().map(|(at, local)| {
            let (index, name) = (self.listed_count() + at, local.name());
            Member { index, name, size: local.data.len() as u64 }
        });
        listed.chain(unlisted.filter(|member| !member.name.ends_with('/') || member.size > 0)).collect()
    }

    fn listed_count(&self) -> usize {
        self.zip.as_ref().map_or(0, ZipArchive::len)
    }

    /// Reads all members but the last, which it unpacks.
    fn read_all(&mut self, reading: &mut Reading<'_>, here: &Here) -> Option<Unpacked> {
        let mut before: Option<Unpacked> = None;
        for member in self.members() {
            if let Some(before) = before.take() {
                before.read(reading);
            }
            let inner = reading.enter(here, &member.name)?;
            before = self.take(reading, &inner, member.index).map(|octets| Unpacked { here: inner, name: member.name, octets });
        }
        before
    }

    /// Inflates a member, within the limits. What came out before a fault or a limit is kept.
    pub(super) fn take(&mut self, reading: &mut Reading<'_>, here: &Here, index: usize) -> Option<Vec<u8>> {
        let mut ratio = self.ratio;
        let taken = match self.unpacked(index) {
            Ok(from) => archive::take(reading, here, from, &mut ratio, "zip"),
            Err(error) => {
                refused(reading, here, &error);
                None
            }
        };
        self.ratio = ratio;
        taken
    }

    /// Inflates a member without keeping it: whether it stays within `most` octets, and all that were checked within the ratio.
    pub(super) fn check(&mut self, reading: &mut Reading<'_>, here: &Here, index: usize, most: u64) -> bool {
        let left = self.unchecked;
        let most = most.min(left);
        let measured = match self.unpacked(index) {
            Ok(from) => std::io::copy(&mut from.take(most + 1), &mut std::io::sink()),
            Err(error) => {
                refused(reading, here, &error);
                return false;
            }
        };
        match measured {
            Ok(octets) if octets <= most => {
                self.unchecked -= octets;
                true
            }
            Ok(_) => {
                reading.too_large(here, if most == left { "ratio" } else { "member" });
                false
            }
            Err(_) => {
                reading.damaged(here, "zip");
                true
            }
        }
    }

    /// What a member unpacks to.
    fn unpacked(&mut self, index: usize) -> Result<Box<dyn Read + '_>, ZipError> {
        let listed = self.listed_count();
        if index >= listed {
            return self.unpacked_unlisted(index - listed);
        }
        let zip = self.zip.as_mut().ok_or(ZipError::FileNotFound)?;
        let raw = zip.by_index_raw(index)?;
        let is_ours = is_ours(method(&raw.entry()), raw.encrypted())?;
        let (begin, packed, crc) = (raw.data_start(), raw.compressed_size(), raw.crc32());
        drop(raw);
        if is_ours {
            let begin = begin.and_then(|at| usize::try_from(at).ok()).ok_or(ZipError::FileNotFound)?;
            let end = usize::try_from(packed).ok().and_then(|packed| begin.checked_add(packed));
            let packed = end.and_then(|end| self.octets.get(begin..end)).ok_or(ZipError::FileNotFound)?;
            return Ok(Box::new(Checked::new(streams::zstandard(packed), crc)));
        }
        Ok(Box::new(zip.by_index(index)?))
    }

    fn unpacked_unlisted(&mut self, at: usize) -> Result<Box<dyn Read + '_>, ZipError> {
        let octets = self.octets;
        let local = self.unlisted.get(at).ok_or(ZipError::FileNotFound)?;
        if is_ours(local.method, local.is_encrypted())? {
            let packed = streams::zstandard(&octets[local.data.clone()]);
            return Ok(if local.has_descriptor() { Box::new(packed) } else { Box::new(Checked::new(packed, local.crc)) });
        }
        let mut options = ZipReadOptions::new().override_compressed_size(local.data.len() as u64);
        if local.has_descriptor() {
            options = options.ignore_crc32(true);
        }
        self.rest = Cursor::new(&octets[local.at..]);
        let file = read_zipfile_from_stream_with_options(&mut self.rest, options)?;
        Ok(Box::new(file.ok_or(ZipError::FileNotFound)?))
    }
}

fn refused(reading: &mut Reading<'_>, here: &Here, error: &ZipError) {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => {
            reading.problem(&here.part, None, ProblemKind::Encrypted, "zip");
        }
        ZipError::CompressionMethodNotSupported(99) => reading.problem(&here.part, None, ProblemKind::Encrypted, "zip"),
        ZipError::UnsupportedArchive(_) | ZipError::CompressionMethodNotSupported(_) => reading.unsupported(here, "compression"),
        _ => reading.damaged(here, "zip"),
    }
}

/// Whether a member is unpacked without the crate, which would tell only later that it can't.
fn is_ours(method: u16, is_encrypted: bool) -> Result<bool, ZipError> {
    match method {
        _ if is_encrypted => Ok(false),
        ZSTANDARD => Ok(true),
        method if METHODS.contains(&method) => Ok(false),
        method => Err(ZipError::CompressionMethodNotSupported(method)),
    }
}

/// How an entry is packed (APPNOTE 4.4.5).
fn method(entry: &zip::read::ZipFileEntry<'_>) -> u16 {
    #[allow(deprecated, reason = "there is no other way to the number")]
    entry.compression().to_u16()
}

/// Says when what came out isn't what went in.
struct Checked<R> {
    from: R,
    crc: flate2::Crc,
    stated: u32,
}

impl<R> Checked<R> {
    fn new(from: R, stated: u32) -> Checked<R> {
        Checked { from, crc: flate2::Crc::new(), stated }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.from.read(buffer)?;
        self.crc.update(&buffer[..length]);
        if length == 0 && !buffer.is_empty() && self.crc.sum() != self.stated {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        Ok(length)
    }
}
