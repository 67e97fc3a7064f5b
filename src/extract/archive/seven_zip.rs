//! 7z (7zFormat.txt of 7-Zip).

use super::{MOST_MEMORY, Ratio, take};
use crate::extract::{
    ProblemKind,
    reading::{Here, Reading},
};
use bytes::Bytes;
use sevenz_rust2::{Archive, Block, BlockDecoder, Error, Password};
use std::io::Cursor;

/// Reads every member. One block that is encrypted or damaged doesn't hide the others.
pub(in crate::extract) fn read(reading: &mut Reading<'_>, here: &Here, octets: &Bytes) {
    let mut source = Cursor::new(&octets[..]);
    let password = Password::empty();
    let archive = match Archive::read(&mut source, &password) {
        Ok(archive) => archive,
        Err(error) => return refused(reading, here, &error),
    };
    let mut ratio = Ratio::new(reading, octets);
    for file in archive.files.iter().filter(|file| !file.has_stream() && !file.is_directory()) {
        if reading.enter(here, file.name()).is_none() {
            return;
        }
    }
    for (index, block) in archive.blocks.iter().enumerate() {
        let decoder = BlockDecoder::new(1, index, &archive, &password, &mut source);
        let entries = decoder.entries().to_vec();
        let mut visited = 0;
        let mut is_full = false;
        let end = if needs_much(block) {
            Err(Error::MaxMemLimited { max_kb: 0, actaul_kb: 0 })
        } else {
            decoder.for_each_entries(&mut |entry, from| {
                visited += 1;
                if !entry.has_stream() {
                    return Ok(true);
                }
                let Some(inner) = reading.enter(here, entry.name()) else {
                    is_full = true;
                    return Ok(false);
                };
                let Some(member) = take(reading, &inner, from, &mut ratio, "7z") else {
                    is_full = true;
                    return Ok(false);
                };
                // What is behind a cut member would have to be unpacked to be left out.
                let is_whole = member.len() as u64 >= entry.size();
                reading.open(&inner, entry.name(), "", Bytes::from(member));
                Ok(is_whole)
            })
        };
        if is_full {
            return;
        }
        let is_cut = visited < entries.len();
        let error = match end {
            Ok(_) if !is_cut => continue,
            Ok(_) => Error::ChecksumVerificationFailed,
            Err(error) => error,
        };
        for entry in entries.get(visited..).unwrap_or_default() {
            let Some(inner) = reading.enter(here, entry.name()) else { return };
            refused(reading, &inner, &error);
        }
        if !is_cut {
            refused(reading, here, &error);
        }
    }
}

/// Whether a coder asks for more memory than it gets: LZMA's and PPMd's properties hold it, LZMA2's one octet stands for it.
fn needs_much(block: &Block) -> bool {
    block.coders.iter().any(|coder| {
        let properties = coder.properties();
        let stated = properties.get(1..5).and_then(|p| p.try_into().ok()).map(u32::from_le_bytes);
        let memory = match coder.encoder_method_id() {
            [0x03, 0x01, 0x01] | [0x03, 0x04, 0x01] => stated.map_or(0, u64::from),
            [0x21] => properties.first().map_or(0, |p| u64::from(2 | p & 1) << (p / 2 + 11).min(40)),
            _ => 0,
        };
        memory > MOST_MEMORY
    })
}

fn refused(reading: &mut Reading<'_>, here: &Here, error: &Error) {
    match error {
        Error::UnsupportedCompressionMethod(method) if method.contains("AES") => {
            reading.problem(&here.part, None, ProblemKind::Encrypted, "7z");
        }
        Error::PasswordRequired | Error::MaybeBadPassword(_) => reading.problem(&here.part, None, ProblemKind::Encrypted, "7z"),
        Error::UnsupportedCompressionMethod(_) | Error::UnsupportedVersion { .. } | Error::ExternalUnsupported | Error::Unsupported(_) => {
            reading.unsupported(here, "compression");
        }
        Error::MaxMemLimited { .. } => reading.too_large(here, "memory"),
        _ => reading.damaged(here, "7z"),
    }
}
