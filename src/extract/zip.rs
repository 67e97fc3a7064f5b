//! ZIP: archives, and the packages that office documents are. Nothing is ever written to a path; nothing is inflated beyond the limits.

use super::{
    ProblemKind,
    reading::{Here, Reading},
};
use bytes::Bytes;
use memchr::memmem;
use std::io::{Cursor, Read};
use zip::{ZipArchive, read::ZipFile, result::ZipError};

/// An opened ZIP.
pub(super) struct Archive<'o> {
    zip: ZipArchive<Cursor<&'o [u8]>>,
    /// Octets that may still come out before this is a bomb.
    ratio_left: u64,
    /// The same for octets that are only measured, since someone else inflates them again.
    unchecked: u64,
}

/// An entry of the central directory.
pub(super) struct Member {
    pub(super) index: usize,
    pub(super) name: String,
    /// As declared: a lie, in a hostile file.
    pub(super) size: u64,
}

/// Reads every member of an archive.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, octets: &Bytes) {
    let Some(mut archive) = Archive::open(reading, here, octets) else { return };
    for member in archive.members() {
        let Some(inner) = reading.enter(here, &member.name) else { break };
        if let Some(octets) = archive.take(reading, &inner, member.index) {
            reading.open(&inner, &member.name, "", &Bytes::from(octets));
        }
    }
}

impl<'o> Archive<'o> {
    /// Opens a ZIP by its directory. Without a readable one, what its local headers lead to is read, and `damaged` said.
    pub(super) fn open(reading: &mut Reading<'_>, here: &Here, octets: &'o [u8]) -> Option<Archive<'o>> {
        match ZipArchive::new(Cursor::new(octets)) {
            // The end of a directory that lists nothing, in a file with members: another one's, or a forged one.
            Ok(zip) if zip.is_empty() && memmem::find(octets, b"PK\x03\x04").is_some() => {
                reading.damaged(here, "zip");
                salvage(reading, here, octets);
                None
            }
            Ok(mut zip) => {
                // Two entries of one name, overlapping ones, local headers that the directory doesn't list: programs read them differently.
                if zip.has_duplicate_names() || zip.validate_header_consistency().is_err() {
                    reading.damaged(here, "zip");
                }
                let ratio_left = ratio_limit(reading, octets);
                Some(Archive { zip, ratio_left, unchecked: ratio_left })
            }
            Err(_) => {
                reading.damaged(here, "zip");
                salvage(reading, here, octets);
                None
            }
        }
    }

    /// Everything but directories, in the order of the central directory.
    pub(super) fn members(&self) -> Vec<Member> {
        (0..self.zip.len())
            .filter_map(|index| {
                let entry = self.zip.by_index_data(index).ok()?;
                let name =
                    entry.name().map_or_else(|_| String::from_utf8_lossy(entry.name_raw()).into_owned(), std::borrow::Cow::into_owned);
                // A directory holds nothing; one that does is a file.
                (!entry.is_dir() || entry.size() > 0).then_some(Member { index, name, size: entry.size() })
            })
            .collect()
    }

    /// Inflates a member, within the limits. What came out before a fault or a limit is kept.
    pub(super) fn take(&mut self, reading: &mut Reading<'_>, here: &Here, index: usize) -> Option<Vec<u8>> {
        let mut file = match self.zip.by_index(index) {
            Ok(file) => file,
            Err(error) => {
                refused(reading, here, &error);
                return None;
            }
        };
        inflate(reading, here, &mut file, &mut self.ratio_left)
    }

    /// Inflates a member without keeping it: whether it stays within `most` octets, and all that were checked within the ratio.
    pub(super) fn check(&mut self, reading: &mut Reading<'_>, here: &Here, index: usize, most: u64) -> bool {
        let most = most.min(self.unchecked);
        let mut file = match self.zip.by_index(index) {
            Ok(file) => file,
            Err(error) => {
                refused(reading, here, &error);
                return false;
            }
        };
        match std::io::copy(&mut (&mut file).take(most + 1), &mut std::io::sink()) {
            Ok(octets) if octets <= most => {
                self.unchecked -= octets;
                true
            }
            Ok(_) => {
                reading.too_large(here, if most == self.unchecked { "ratio" } else { "member" });
                false
            }
            Err(_) => {
                reading.damaged(here, "zip");
                true
            }
        }
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

fn ratio_limit(reading: &Reading<'_>, octets: &[u8]) -> u64 {
    (octets.len() as u64).saturating_mul(reading.limits.ratio).max(reading.limits.ratio_from)
}

fn inflate(reading: &mut Reading<'_>, here: &Here, file: &mut ZipFile<'_, impl Read>, ratio_left: &mut u64) -> Option<Vec<u8>> {
    /// What the directory says about a size is not believed beyond this.
    const FIRST: u64 = 1 << 20;
    let most = reading.limits.member.min(reading.expanded_left()).min(*ratio_left);
    let mut octets = Vec::with_capacity(usize::try_from(file.size().min(most).min(FIRST)).unwrap_or(0));
    let end = file.take(most + 1).read_to_end(&mut octets);
    let length = octets.len() as u64;
    reading.expanded(octets.len());
    *ratio_left = ratio_left.saturating_sub(length);
    if length > most {
        let reason = if most == reading.limits.member {
            "member"
        } else if *ratio_left == 0 {
            "ratio"
        } else {
            "expanded"
        };
        reading.too_large(here, reason);
        octets.truncate(usize::try_from(most).unwrap_or(0));
        // The start of an honest large file is worth reading; of a bomb nothing is.
        return (reason == "member").then_some(octets);
    }
    if end.is_err() {
        reading.damaged(here, "zip");
    }
    Some(octets)
}

/// Reads what stands behind local headers, one after the other from the start, as long as they lead on.
fn salvage(reading: &mut Reading<'_>, here: &Here, octets: &[u8]) {
    let Some(start) = memchr::memmem::find(octets, b"PK\x03\x04") else { return };
    let mut ratio_left = ratio_limit(reading, octets);
    let mut rest = Cursor::new(&octets[start..]);
    while let Ok(Some(mut file)) = zip::read::read_zipfile_from_stream(&mut rest) {
        let name = String::from_utf8_lossy(file.name_raw()).into_owned();
        let Some(inner) = reading.enter(here, &name) else { return };
        if let Some(octets) = inflate(reading, &inner, &mut file, &mut ratio_left) {
            reading.open(&inner, &name, "", &Bytes::from(octets));
        }
    }
}
