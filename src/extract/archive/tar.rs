//! TAR: POSIX ustar and pax, GNU.

use super::{Ratio, take};
use crate::extract::{
    Places, Source, plain,
    reading::{Here, Reading},
};
use bytes::Bytes;
use std::io::Cursor;

/// Octets of a header and of the unit in which everything is padded.
pub(in crate::extract) const BLOCK: usize = 512;

/// Whether the first block is a header: its checksum tells (POSIX, pax, "ustar Interchange Format").
pub(in crate::extract) fn is_tar(octets: &[u8]) -> bool {
    let Some(header) = octets.get(..BLOCK) else { return false };
    let stated = std::str::from_utf8(&header[148..156]).ok().map(|t| t.trim_matches(['\0', ' ']));
    let Some(stated) = stated.and_then(|t| u32::from_str_radix(t, 8).ok()) else { return false };
    let sum: u32 = header.iter().enumerate().map(|(at, o)| if (148..156).contains(&at) { 32 } else { u32::from(*o) }).sum();
    stated == sum && header[0] != 0
}

/// Reads every member.
pub(in crate::extract) fn read(reading: &mut Reading<'_>, here: &Here, octets: &Bytes) {
    let mut archive = ::tar::Archive::new(Cursor::new(&octets[..]));
    // What stands behind the end is read too: programs that join archives leave it there.
    archive.set_ignore_zeros(true);
    let mut ratio = Ratio::new(reading, octets);
    let Ok(entries) = archive.entries_with_seek() else { return reading.damaged(here, "tar") };
    let mut end = 0;
    for entry in entries {
        let Ok(mut entry) = entry else { return reading.damaged(here, "tar") };
        let size = entry.size();
        end = entry.raw_file_position().saturating_add(size.next_multiple_of(BLOCK as u64));
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if let Some(target) = entry.link_name_bytes() {
            let target = plain::clean(String::from_utf8_lossy(&target)).into_owned();
            reading.text(&here.part, Source::FileName, target, Places::None);
        }
        if entry.header().entry_type().is_dir() && size == 0 {
            continue;
        }
        let Some(inner) = reading.enter(here, &name) else { return };
        let Some(member) = take(reading, &inner, &mut entry, &mut ratio, "tar") else { continue };
        if (member.len() as u64) < size.min(reading.limits.member) {
            reading.damaged(&inner, "tar");
        }
        reading.open(&inner, &name, "", Bytes::from(member));
    }
    // Two blocks of zeros are the end; without them the archive was cut between two members.
    let behind = usize::try_from(end).ok().and_then(|end| octets.get(end..)).unwrap_or_default();
    if !octets.ends_with(&[0; 2 * BLOCK]) && behind.len() < 2 * BLOCK {
        reading.damaged(here, "tar");
    }
}
