//! RAR, 1.3 to 7.

use super::MOST_MEMORY;
use crate::extract::{
    ProblemKind,
    reading::{Here, Reading},
};
use bytes::Bytes;
use rars::{ArchiveReadOptions, ArchiveReader, ErrorKind};

/// Octets of all headers together: names of ten thousand members.
const MOST_HEADER_OCTETS: u64 = 16 << 20;

/// Reads every member, one by one. Those of a solid archive depend on the ones before, which are unpacked again for each and not counted again:
/// what bounds that is the worker's time.
pub(in crate::extract) fn read(reading: &mut Reading<'_>, here: &Here, octets: &Bytes) {
    let ratio = (octets.len() as u64).saturating_mul(reading.limits.ratio).max(reading.limits.ratio_from);
    let headers =
        ArchiveReadOptions::new().with_max_header_bytes(MOST_HEADER_OCTETS).with_max_header_count(reading.limits.members as u64 * 2);
    let archive = match ArchiveReader::read_with_options(octets, headers) {
        Ok(archive) => archive,
        Err(error) => return refused(reading, here, &error),
    };
    if !has_end(octets) {
        reading.damaged(here, "rar");
    }
    let mut left = ratio;
    for (index, member) in archive.members().enumerate() {
        if member.meta.is_directory {
            continue;
        }
        let name = member.meta.name_lossy();
        let Some(inner) = reading.enter(here, &name) else { return };
        if member.meta.is_encrypted {
            reading.problem(&inner.part, None, ProblemKind::Encrypted, "rar");
            continue;
        }
        if member.meta.is_split_before || member.meta.is_split_after {
            reading.unsupported(&inner, "volume");
            continue;
        }
        let most = reading.limits.member.min(reading.expanded_left()).min(left);
        let options = ArchiveReadOptions::new()
            .with_max_member_output_bytes(most)
            .with_max_reader_workspace_bytes(MOST_MEMORY)
            .with_rar50_dictionary_size_limit(MOST_MEMORY);
        match archive.read_member_at_with_options(index, options) {
            Ok(Some(member)) => {
                left = left.saturating_sub(member.len() as u64);
                reading.expanded(member.len());
                reading.open(&inner, &name, "", &Bytes::from(member));
            }
            Ok(None) => {}
            Err(error) => refused(reading, &inner, &error),
        }
    }
}

/// Whether the block that ends an archive stands there: one that was cut between two members reads like a whole one. Programs before RAR 3
/// wrote none, so theirs are told to be damaged, and read.
fn has_end(octets: &[u8]) -> bool {
    /// Room for a longer end block, and a few octets behind it.
    const WITHIN: usize = 64;
    let end = &octets[octets.len().saturating_sub(WITHIN)..];
    let is_newest = octets.starts_with(b"Rar!\x1A\x07\x01");
    // RAR 5: size, type 5, flags. RAR 4: type, flags, size.
    end.windows(5)
        .any(|w| if is_newest { w[1] == 5 && (2..8).contains(&w[0]) } else { w[0] == 0x7B && (7..=30).contains(&w[3]) && w[4] == 0 })
        || octets.starts_with(b"RE~^")
}

fn refused(reading: &mut Reading<'_>, here: &Here, error: &rars::Error) {
    if let rars::Error::FeatureDisabled { feature: "encryption" } = error.root_cause() {
        return reading.problem(&here.part, None, ProblemKind::Encrypted, "rar");
    }
    match error.kind() {
        ErrorKind::PasswordRequired | ErrorKind::BadPassword => reading.problem(&here.part, None, ProblemKind::Encrypted, "rar"),
        ErrorKind::UnsupportedFormat | ErrorKind::UnsupportedFeature => reading.unsupported(here, "compression"),
        ErrorKind::ResourceLimit => reading.too_large(here, "member"),
        _ => reading.damaged(here, "rar"),
    }
}
