//! `ar` archives: Debian packages, libraries of a linker (ar(5)).

use super::{Ratio, take};
use crate::extract::reading::{Here, Reading};
use bytes::Bytes;

/// What every one begins with.
pub(in crate::extract) const MAGIC: &[u8] = b"!<arch>\n";

/// Octets of a member's header: name, time, owner, group, mode, size, all in characters.
const HEADER: usize = 60;

/// Reads every member.
pub(in crate::extract) fn read(reading: &mut Reading<'_>, here: &Here, octets: &Bytes) {
    let mut ratio = Ratio::new(reading, octets);
    let mut names: &[u8] = &[];
    let mut rest = octets.get(MAGIC.len()..).unwrap_or_default();
    while !rest.is_empty() {
        let Some((name, size)) = header(rest) else { return reading.damaged(here, "ar") };
        let content = &rest[HEADER..];
        let (content, is_whole) = (&content[..size.min(content.len())], size <= content.len());
        // Members begin at even octets.
        rest = rest.get(HEADER.saturating_add(size.next_multiple_of(2))..).unwrap_or_default();
        let (name, content) = named(name, content, names);
        if name == "//" {
            names = content;
        }
        let Some(inner) = reading.enter(here, &name) else { return };
        let Some(member) = take(reading, &inner, content, &mut ratio, "ar") else { continue };
        if !is_whole {
            reading.damaged(&inner, "ar");
        }
        reading.open(&inner, &name, "", Bytes::from(member));
    }
}

/// Name and size.
fn header(octets: &[u8]) -> Option<(&str, usize)> {
    let header = octets.get(..HEADER).filter(|header| header.ends_with(b"`\n"))?;
    let field = |range| Some(std::str::from_utf8(header.get(range)?).ok()?.trim_end());
    Some((field(0..16)?, field(48..58)?.parse().ok()?))
}

/// A name over sixteen characters stands in front of the content (BSD), or in the member `//`, and a number tells where (GNU).
fn named<'o>(name: &str, content: &'o [u8], names: &[u8]) -> (String, &'o [u8]) {
    let lossy = |octets: &[u8]| String::from_utf8_lossy(octets).trim_end_matches('\0').to_owned();
    if let Some((long, content)) = name.strip_prefix("#1/").and_then(|n| content.split_at_checked(n.parse().ok()?)) {
        return (lossy(long), content);
    }
    if let Some(long) = name.strip_prefix('/').and_then(|at| names.get(at.parse::<usize>().ok()?..)) {
        let end = memchr::memchr2(b'\n', b'/', long).unwrap_or(long.len());
        return (lossy(&long[..end]), content);
    }
    let is_table = name.trim_matches('/').is_empty();
    (if is_table { name } else { name.trim_end_matches('/') }.to_owned(), content)
}
