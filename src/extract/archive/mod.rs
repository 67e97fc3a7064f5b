//! Archives other than ZIP, and what all of them share. Nothing is ever written to a path; nothing comes out beyond the limits.

pub(super) mod ar;
pub(super) mod cpio;
pub(super) mod foreign;
pub(super) mod rar;
pub(super) mod seven_zip;
pub(super) mod streams;
pub(super) mod tar;

use super::reading::{Here, Reading};
use std::io::{ErrorKind, Read};

/// Memory for the dictionary of one member: four times that of 7-Zip's strongest preset.
const MOST_MEMORY: u64 = 256 << 20;

/// Whether a file begins so, or is so short that it ends within the mark: then it was cut. Two letters are a text.
pub(super) fn begins(octets: &[u8], mark: &[u8]) -> bool {
    let is_cut = || octets.len() >= 3 || !octets.iter().all(u8::is_ascii_graphic);
    octets.starts_with(mark) || (!octets.is_empty() && mark.starts_with(octets) && is_cut())
}

/// What may still come out of one container before it counts as a bomb.
#[derive(Clone, Copy)]
pub(super) struct Ratio(u64);

impl Ratio {
    pub(super) fn new(reading: &Reading<'_>, octets: &[u8]) -> Ratio {
        Ratio(Ratio::limit(reading, octets))
    }

    /// How many octets may come out of these in all.
    pub(super) fn limit(reading: &Reading<'_>, octets: &[u8]) -> u64 {
        (octets.len() as u64).saturating_mul(reading.limits.ratio).max(reading.limits.ratio_from)
    }
}

/// Reads `from` to its end, within the limits. What came out before a fault is kept, and so is the start of an honest large member.
pub(super) fn take(reading: &mut Reading<'_>, here: &Here, from: impl Read, ratio: &mut Ratio, format: &'static str) -> Option<Vec<u8>> {
    let most = reading.limits.member.min(reading.expanded_left()).min(ratio.0);
    let mut octets = Vec::new();
    let end = from.take(most + 1).read_to_end(&mut octets);
    let length = octets.len() as u64;
    reading.expanded(octets.len());
    ratio.0 = ratio.0.saturating_sub(length);
    if length > most {
        let reason = if most == reading.limits.member {
            "member"
        } else if ratio.0 == 0 {
            "ratio"
        } else {
            "expanded"
        };
        reading.too_large(here, reason);
        octets.truncate(usize::try_from(most).unwrap_or(0));
        return (reason == "member").then_some(octets);
    }
    match end {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::OutOfMemory => reading.too_large(here, "memory"),
        Err(_) => reading.damaged(here, format),
    }
    Some(octets)
}
