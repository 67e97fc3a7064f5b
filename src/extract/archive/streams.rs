//! One packed file without a directory: GZIP (RFC 1952), BZIP2, XZ, Zstandard (RFC 8878). Several streams in a row are one file.

use super::{MOST_MEMORY, Ratio, begins, take};
use crate::extract::reading::{Here, Reading};
use bytes::Bytes;
use flate2::bufread::GzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use std::io::{self, Read};

/// How the file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::extract) enum Packing {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

impl Packing {
    /// By its first octets.
    pub(in crate::extract) fn of(octets: &[u8]) -> Option<Packing> {
        let is = |mark: &[u8]| begins(octets, mark);
        // A cut one has less of its first block's mark, or of its end's.
        let block = octets.get(4..octets.len().min(10)).unwrap_or_default();
        let is_block = octets.get(3).is_none_or(u8::is_ascii_digit)
            && (b"1AY&SY".starts_with(block) || b"\x17\x72\x45\x38\x50\x90".starts_with(block));
        Some(match () {
            () if is(b"\x1F\x8B\x08") => Packing::Gzip,
            () if is(b"BZh") && is_block => Packing::Bzip2,
            () if is(b"\xFD7zXZ\0") => Packing::Xz,
            () if is(b"\x28\xB5\x2F\xFD") || is_skippable(octets) => Packing::Zstd,
            () => return None,
        })
    }

    fn word(self) -> &'static str {
        match self {
            Packing::Gzip => "gzip",
            Packing::Bzip2 => "bzip2",
            Packing::Xz => "xz",
            Packing::Zstd => "zstd",
        }
    }
}

/// A frame that says nothing (RFC 8878, 3.1.2), before one that does.
fn is_skippable(octets: &[u8]) -> bool {
    octets.first().is_some_and(|o| o >> 4 == 5) && octets.get(1..4) == Some(b"\x2A\x4D\x18")
}

/// Reads the file within.
pub(in crate::extract) fn read(reading: &mut Reading<'_>, here: &Here, packing: Packing, name: &str, octets: &Bytes) {
    let inner_name = inner_name(packing, name, octets);
    let mut ratio = Ratio::new(reading, octets);
    let Some(inner) = reading.enter(here, &inner_name) else { return };
    let word = packing.word();
    let unpacked = match packing {
        Packing::Xz => {
            let limit = u32::try_from(MOST_MEMORY >> 10).unwrap_or(u32::MAX);
            take(reading, &inner, XzReader::new_mem_limit(&octets[..], true, limit), &mut ratio, word)
        }
        _ => take(reading, &inner, Streams { packing, rest: octets, current: None }, &mut ratio, word),
    };
    if let Some(unpacked) = unpacked {
        reading.open(&inner, &inner_name, "", Bytes::from(unpacked));
    }
}

/// `x.tar` in `x.tgz` or `x.tar.gz`; the name that a GZIP holds (RFC 1952, 2.3) when the file has none.
fn inner_name(packing: Packing, name: &str, octets: &[u8]) -> String {
    let stored = || {
        let decoder = (packing == Packing::Gzip).then(|| GzDecoder::new(octets))?;
        Some(decoder.header()?.filename()?.iter().map(|o| char::from(*o)).collect::<String>())
    };
    if let Some(stored) = stored() {
        return stored;
    }
    match name.rsplit_once('.') {
        Some((stem, extension)) if ["tgz", "tbz", "tbz2", "txz", "tzst"].contains(&extension.to_ascii_lowercase().as_str()) => {
            format!("{stem}.tar")
        }
        Some((stem, _)) if !stem.is_empty() => stem.to_owned(),
        _ => "content".to_owned(),
    }
}

/// What Zstandard frames unpack to: a member of a ZIP.
pub(in crate::extract) fn zstandard(octets: &[u8]) -> impl Read {
    Streams { packing: Packing::Zstd, rest: octets, current: None }
}

/// The streams one after the other; zeros may pad the end, and nothing else may stand there.
struct Streams<'o> {
    packing: Packing,
    rest: &'o [u8],
    current: Option<Stream<'o>>,
}

enum Stream<'o> {
    Gzip(Box<GzDecoder<&'o [u8]>>),
    Bzip2(bzip2::bufread::BzDecoder<&'o [u8]>),
    Zstd(Box<StreamingDecoder<&'o [u8], FrameDecoder>>),
}

impl<'o> Streams<'o> {
    fn begin(&mut self) -> io::Result<Option<Stream<'o>>> {
        while self.packing == Packing::Zstd && is_skippable(self.rest) {
            let length = self.rest.get(4..8).and_then(|l| l.try_into().ok()).map_or(usize::MAX, |l| u32::from_le_bytes(l) as usize);
            self.rest = self.rest.get(8..).and_then(|rest| rest.get(length..)).ok_or(io::ErrorKind::UnexpectedEof)?;
        }
        if self.rest.iter().all(|octet| *octet == 0) {
            return Ok(None);
        }
        Ok(Some(match self.packing {
            Packing::Bzip2 => Stream::Bzip2(bzip2::bufread::BzDecoder::new(self.rest)),
            Packing::Zstd => {
                let decoder = StreamingDecoder::new(self.rest).map_err(io::Error::other)?;
                Stream::Zstd(Box::new(decoder))
            }
            Packing::Gzip | Packing::Xz => Stream::Gzip(Box::new(GzDecoder::new(self.rest))),
        }))
    }
}

impl Read for Streams<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.current.is_none() {
                self.current = self.begin()?;
            }
            let Some(stream) = &mut self.current else { return Ok(0) };
            let length = match stream {
                Stream::Gzip(decoder) => decoder.read(buffer)?,
                Stream::Bzip2(decoder) => decoder.read(buffer)?,
                Stream::Zstd(decoder) => decoder.read(buffer)?,
            };
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
            self.rest = match self.current.take() {
                Some(Stream::Gzip(decoder)) => decoder.into_inner(),
                Some(Stream::Bzip2(decoder)) => decoder.into_inner(),
                Some(Stream::Zstd(decoder)) => {
                    let (rest, decoder) = decoder.into_parts();
                    if decoder.get_checksum_from_data().is_some_and(|stated| decoder.get_calculated_checksum() != Some(stated)) {
                        return Err(io::ErrorKind::InvalidData.into());
                    }
                    rest
                }
                None => return Ok(0),
            };
        }
    }
}
