//! The headers that stand in front of the members themselves (APPNOTE 4.3.7). What a directory doesn't list travels all the same, and programs
//! that read a ZIP from its start unpack it.

use memchr::memmem;
use std::ops::Range;

/// Octets in front of the name.
const FIXED: usize = 30;

/// A local header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Local {
    /// Where it begins.
    pub(super) at: usize,
    /// What is packed, as far as the header tells. With a data descriptor (4.3.9) the sizes stand behind the data: then up to there for what is
    /// stored, and as far as there is anything for what ends by itself.
    pub(super) data: Range<usize>,
    /// General purpose flags (4.4.4).
    pub(super) flags: u16,
    /// How it is packed (4.4.5).
    pub(super) method: u16,
    /// Of the unpacked octets; 0 where a descriptor holds it.
    pub(super) crc: u32,
    name: Vec<u8>,
}

/// What stands in the gaps that a directory leaves.
#[derive(Default)]
pub(super) struct Found {
    pub(super) locals: Vec<Local>,
    /// End records (4.3.16) that could be some.
    pub(super) ends: usize,
}

impl Local {
    /// Whether sizes and checksum stand behind the data.
    pub(super) fn has_descriptor(&self) -> bool {
        self.flags & 8 != 0
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & 1 != 0
    }

    /// Its name as UTF-8, with U+FFFD for what isn't.
    pub(super) fn name(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }

    /// The header at `at`, if one stands there whole.
    pub(super) fn at(octets: &[u8], at: usize) -> Option<Local> {
        let header = octets.get(at..)?;
        let short = |at: usize| Some(u16::from_le_bytes(header.get(at..at + 2)?.try_into().ok()?));
        let long = |at: usize| Some(u32::from_le_bytes(header.get(at..at + 4)?.try_into().ok()?));
        if !header.starts_with(b"PK\x03\x04") {
            return None;
        }
        let (flags, method, crc, packed) = (short(6)?, short(8)?, long(14)?, long(18)?);
        let (name, extra) = (usize::from(short(26)?), usize::from(short(28)?));
        let begin = at + FIXED + name + extra;
        let name = header.get(FIXED..FIXED + name)?.to_vec();
        if begin > octets.len() {
            return None;
        }
        let mut local = Local { at, data: begin..octets.len(), flags, method, crc, name };
        let stated = (!local.has_descriptor()).then_some(packed as usize);
        let packed = stated.or_else(|| (method == 0).then(|| before_descriptor(&octets[begin..])).flatten());
        if let Some(packed) = packed {
            local.data.end = begin.saturating_add(packed).min(octets.len());
        }
        Some(local)
    }

    /// Whether it says something else than the directory does, in what matters for reading.
    pub(super) fn contradicts(&self, method: u16, packed: u64) -> bool {
        // Beyond four octets the size stands in a field of its own (4.5.3), which is compared elsewhere.
        let is_other_size = !self.has_descriptor() && packed != self.data.len() as u64 && packed < u64::from(u32::MAX);
        self.method != method || is_other_size
    }
}

/// How many octets stand before a data descriptor that says just that.
fn before_descriptor(octets: &[u8]) -> Option<usize> {
    memmem::find_iter(octets, b"PK\x07\x08").find(|at| {
        let packed = octets.get(at + 8..at + 12).and_then(|p| p.try_into().ok()).map(u32::from_le_bytes);
        packed == u32::try_from(*at).ok()
    })
}

/// Whether an end record could stand at `at`: on one disk, its directory before it.
fn is_end(octets: &[u8], at: usize) -> bool {
    let Some(record) = octets.get(at..at + 22) else { return false };
    let long = |at: usize| u32::from_le_bytes([record[at], record[at + 1], record[at + 2], record[at + 3]]);
    record[4..8] == [0; 4] && record[8..10] == record[10..12] && (long(12) as usize) <= at
}

/// What stands outside of `members`, which are in order of their beginnings. At most `most` headers: one more than may be read tells that.
pub(super) fn between(octets: &[u8], members: &[Range<usize>], most: usize) -> Found {
    let mut found = Found::default();
    let mut begin = 0;
    for member in members.iter().chain([&(octets.len()..octets.len())]) {
        search(octets, begin..member.start.min(octets.len()), most, &mut found);
        begin = begin.max(member.end);
    }
    found
}

fn search(octets: &[u8], gap: Range<usize>, most: usize, found: &mut Found) {
    let mut at = gap.start;
    while let Some(next) = octets.get(at..gap.end).and_then(|gap| memmem::find(gap, b"PK")) {
        at += next;
        match octets.get(at + 2..at + 4) {
            Some([3, 4]) => {
                let Some(local) = Local::at(octets, at) else {
                    at += 2;
                    continue;
                };
                // Archives in archives are found when what is stored is opened. Packed data may hide what stands behind its own end.
                let is_passed = local.method == 0 && !local.data.is_empty() && local.data.end < octets.len();
                at = if is_passed { local.data.end } else { at + 4 };
                found.locals.push(local);
                if found.locals.len() >= most {
                    return;
                }
                continue;
            }
            Some([5, 6]) if is_end(octets, at) => found.ends += 1,
            _ => {}
        }
        at += 2;
    }
}
