//! `cpio` archives: the portable form of POSIX (`odc`), and that of SVR4 with and without checksums (cpio(5)).

use super::{Ratio, take};
use crate::extract::reading::{Here, Reading};
use bytes::Bytes;

/// Octets of a header of SVR4, and of POSIX.
const NEW: usize = 110;
const OLD: usize = 76;

/// The name of what ends an archive.
const TRAILER: &[u8] = b"TRAILER!!!";

/// A file that is shorter than a header counts as the start of one from here on: a number of fewer digits is a number.
const CUT_FROM: usize = 40;

struct Header {
    length: usize,
    name: usize,
    size: usize,
    /// Of names and contents, to a multiple of this.
    padding: usize,
    is_directory: bool,
    sum: Option<u32>,
}

/// Whether a header stands at the start, or the start of one is all that there is.
pub(in crate::extract) fn is_cpio(octets: &[u8]) -> bool {
    let is_cut = || octets.len() >= CUT_FROM && octets.len() < NEW && octets.iter().all(u8::is_ascii_hexdigit);
    [b"070701", b"070702", b"070707"].iter().any(|magic| octets.starts_with(*magic)) && (header(octets).is_some() || is_cut())
}

/// Reads every member.
pub(in crate::extract) fn read(reading: &mut Reading<'_>, here: &Here, octets: &Bytes) {
    let mut ratio = Ratio::new(reading, octets);
    let mut rest = &octets[..];
    loop {
        let Some(header) = header(rest) else { return reading.damaged(here, "cpio") };
        let begin = (header.length.saturating_add(header.name)).next_multiple_of(header.padding);
        let name = rest.get(header.length..header.length.saturating_add(header.name)).and_then(|name| name.strip_suffix(b"\0"));
        let (Some(name), Some(content)) = (name, rest.get(begin..)) else { return reading.damaged(here, "cpio") };
        if name == TRAILER {
            // Zeros fill the last block.
            if content.iter().any(|octet| *octet != 0) {
                reading.damaged(here, "cpio");
            }
            return;
        }
        rest = rest.get(begin.saturating_add(header.size).next_multiple_of(header.padding)..).unwrap_or_default();
        if header.is_directory && header.size == 0 {
            continue;
        }
        let (content, is_whole) = (&content[..header.size.min(content.len())], header.size <= content.len());
        let name = String::from_utf8_lossy(name).into_owned();
        let Some(inner) = reading.enter(here, &name) else { return };
        let Some(member) = take(reading, &inner, content, &mut ratio, "cpio") else { continue };
        let sum = content.iter().fold(0_u32, |sum, octet| sum.wrapping_add(u32::from(*octet)));
        if !is_whole || header.sum.is_some_and(|stated| stated != sum) {
            reading.damaged(&inner, "cpio");
        }
        reading.open(&inner, &name, "", Bytes::from(member));
    }
}

fn header(octets: &[u8]) -> Option<Header> {
    let number = |at: usize, digits: usize, radix| {
        let text = std::str::from_utf8(octets.get(at..at + digits)?).ok()?;
        u32::from_str_radix(text, radix).ok().or_else(|| (radix == 8).then_some(u32::MAX))
    };
    let new = |at: usize| number(6 + at * 8, 8, 16);
    let is_directory = |mode: u32| mode & 0o170_000 == 0o040_000;
    match octets.get(..6)? {
        magic @ (b"070701" | b"070702") => {
            octets.get(..NEW).filter(|header| header.iter().all(u8::is_ascii_hexdigit))?;
            let (name, size, is_directory) = (new(11)? as usize, new(6)? as usize, is_directory(new(1)?));
            let sum = (magic == b"070702").then(|| new(12)).flatten();
            Some(Header { length: NEW, name, size, padding: 4, is_directory, sum })
        }
        b"070707" => {
            octets.get(..OLD).filter(|header| header.iter().all(|digit| (b'0'..b'8').contains(digit)))?;
            let (name, size, is_directory) = (number(59, 6, 8)? as usize, number(65, 11, 8)? as usize, is_directory(number(18, 6, 8)?));
            Some(Header { length: OLD, name, size, padding: 1, is_directory, sum: None })
        }
        _ => None,
    }
}
