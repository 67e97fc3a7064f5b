//! The one form of everything sealed: a header of 80 bytes, then chunks of AES-256-GCM in the STREAM construction.
//!
//! ```text
//! 0        8      9       10         12           16         48             80
//! "zegel/1\n"  kind  suite=1  zero (2)  generation (4)  salt (32)  commitment (32)  chunks ...
//! HKDF-SHA-256(salt, key, context), 64 bytes  =  chunk key (32) ‖ commitment (32)
//! chunk n at 80 + 65 552 n:  AES-256-GCM(chunk key, nonce = n (11 bytes) ‖ last (1 byte), AAD = header, 64 KiB of text) ‖ tag (16)
//! ```
//!
//! GCM alone opens one ciphertext under two keys; the commitment, compared in constant time before the first chunk, rules that out.
//! A nonce used twice would give the text away, so every sealing has a salt, hence a chunk key, of its own.

use super::{Context, keys::Key};
use crate::{record::Sealed, secret};
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf,
};
use std::ops::Range;
use zeroize::{Zeroize as _, Zeroizing};

/// How much plain text a chunk holds.
pub const CHUNK_BYTES: u64 = 64 * 1024;
/// How long the header is.
pub const HEADER_BYTES: u64 = 80;

const TAG_BYTES: u64 = 16;
const CHUNK: usize = CHUNK_BYTES as usize;
const HEADER: usize = HEADER_BYTES as usize;
const TAG: usize = TAG_BYTES as usize;
const SEALED_CHUNK: usize = CHUNK + TAG;
const MAGIC: &[u8; 8] = b"zegel/1\n";
/// AES-256-GCM with HKDF-SHA-256, the only suite so far.
const SUITE: u8 = 1;

/// What was sealed can't be opened: it was changed, cut or moved, or sealed under another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("damaged, or sealed with another key")]
pub struct Damaged;

/// What makes a sealing unlike any other. It can't be cloned, and one sealing consumes it.
pub struct Salt([u8; 32]);

impl Salt {
    /// A fresh one.
    #[must_use]
    pub fn random() -> Salt {
        Salt(secret::random())
    }

    #[cfg(test)]
    pub(crate) fn fixed(bytes: [u8; 32]) -> Salt {
        Salt(bytes)
    }
}

/// Sealed octets. Only [`seal`] makes them, and blobs take nothing else: plain text can't reach the disk by mistake.
#[derive(Clone, PartialEq, Eq)]
pub struct Ciphertext(Vec<u8>);

impl Ciphertext {
    /// The octets as they lie on disk.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// For a record's field.
    #[must_use]
    pub fn into_sealed(self) -> Sealed {
        Sealed(self.0)
    }
}

/// The length of what [`seal`] makes of so many bytes.
#[must_use]
pub fn sealed_len(plain_len: u64) -> u64 {
    HEADER_BYTES + plain_len + TAG_BYTES * plain_len.div_ceil(CHUNK_BYTES).max(1)
}

/// Which sealed bytes hold the chunks in which the plain bytes `plain` lie, in a text of `plain_len` bytes.
#[must_use]
pub fn sealed_range(plain: &Range<u64>, plain_len: u64) -> Range<u64> {
    let whole_chunk = CHUNK_BYTES + TAG_BYTES;
    let first = plain.start.min(plain_len) / CHUNK_BYTES;
    let end = plain.end.min(plain_len).div_ceil(CHUNK_BYTES).max(first + 1);
    let from = (HEADER_BYTES + first * whole_chunk).min(sealed_len(plain_len));
    from..(HEADER_BYTES + end * whole_chunk).min(sealed_len(plain_len))
}

/// Seals `plaintext` under `key`, for the place that `context` names.
#[must_use]
pub fn seal(key: &Key, context: &Context, salt: Salt, plaintext: &[u8]) -> Ciphertext {
    let (chunk_key, commitment) = derive(key, context, &salt.0);
    let sealed_bytes = usize::try_from(sealed_len(plaintext.len() as u64)).expect("what fits in memory is counted by a usize");
    let mut sealed = Vec::with_capacity(sealed_bytes);
    sealed.extend(header(context, &salt.0, &commitment));
    let header: [u8; HEADER] = sealed[..].try_into().expect("the header was just written");

    let last = plaintext.len().div_ceil(CHUNK).max(1) - 1;
    for number in 0..=last {
        let from = number * CHUNK;
        let start = sealed.len();
        sealed.extend_from_slice(&plaintext[from..plaintext.len().min(from + CHUNK)]);
        let tag = chunk_key
            .seal_in_place_separate_tag(nonce(number as u64, number == last), Aad::from(&header), &mut sealed[start..])
            .expect("a chunk is shorter than GCM's limit");
        sealed.extend_from_slice(tag.as_ref());
    }
    Ciphertext(sealed)
}

/// Seals a text that comes in pieces, as [`seal`] does a whole one: no more of it than a chunk is ever held in clear.
pub struct Sealer {
    chunk_key: LessSafeKey,
    header: [u8; HEADER],
    sealed: Vec<u8>,
    /// What is not sealed yet: at most a chunk, since only the end tells which is the last.
    rest: Zeroizing<Vec<u8>>,
    number: u64,
}

impl Sealer {
    /// Begins to seal under `key`, for the place that `context` names.
    #[must_use]
    pub fn new(key: &Key, context: &Context, salt: Salt) -> Sealer {
        let (chunk_key, commitment) = derive(key, context, &salt.0);
        let header = header(context, &salt.0, &commitment);
        Sealer { chunk_key, header, sealed: header.to_vec(), rest: Zeroizing::new(Vec::with_capacity(CHUNK)), number: 0 }
    }

    /// Adds a piece.
    pub fn push(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            if self.rest.len() == CHUNK {
                self.close(false);
            }
            let (now, later) = piece.split_at(piece.len().min(CHUNK - self.rest.len()));
            self.rest.extend_from_slice(now);
            piece = later;
        }
    }

    /// The whole of it.
    #[must_use]
    pub fn finish(mut self) -> Ciphertext {
        self.close(true);
        Ciphertext(self.sealed)
    }

    fn close(&mut self, last: bool) {
        let start = self.sealed.len();
        self.sealed.extend_from_slice(&self.rest);
        let tag = self
            .chunk_key
            .seal_in_place_separate_tag(nonce(self.number, last), Aad::from(&self.header), &mut self.sealed[start..])
            .expect("a chunk is shorter than GCM's limit");
        self.sealed.extend_from_slice(tag.as_ref());
        self.rest.zeroize();
        self.number += 1;
    }
}

/// Opens what [`seal`] made under the same key for the same place.
///
/// # Errors
/// [`Damaged`] whatever is wrong with it.
pub fn open(key: &Key, context: &Context, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Damaged> {
    let (header, body) = sealed.split_first_chunk::<HEADER>().ok_or(Damaged)?;
    let opener = Opener::new(key, context, header)?;
    let last = body.len().div_ceil(SEALED_CHUNK).max(1) - 1;
    opener.chunks(body, 0, last)
}

/// Opens the bytes `plain` of a text of `plain_len` bytes, given the sealed header and the sealed bytes of [`sealed_range`].
///
/// Only the chunks that are needed are opened. That the tail isn't cut off can't be seen here: compare the blob's length with [`sealed_len`].
///
/// # Errors
/// [`Damaged`] whatever is wrong with it, and when the text has no such bytes.
pub fn open_range(
    key: &Key,
    context: &Context,
    header: &[u8],
    chunks: &[u8],
    plain: &Range<u64>,
    plain_len: u64,
) -> Result<Zeroizing<Vec<u8>>, Damaged> {
    let wanted = sealed_range(plain, plain_len);
    if plain.start > plain.end || plain.end > plain_len || chunks.len() as u64 != wanted.end - wanted.start {
        return Err(Damaged);
    }
    let opener = Opener::new(key, context, header.try_into().map_err(|_| Damaged)?)?;
    let first = plain.start / CHUNK_BYTES;
    let mut text = if chunks.is_empty() {
        Zeroizing::new(Vec::new()) // The empty range behind a last chunk that is full.
    } else {
        let last = plain_len.div_ceil(CHUNK_BYTES).max(1) - 1;
        opener.chunks(chunks, first, usize::try_from(last - first).map_err(|_| Damaged)?)?
    };
    let from = usize::try_from(plain.start - first * CHUNK_BYTES).map_err(|_| Damaged)?;
    let len = usize::try_from(plain.end - plain.start).map_err(|_| Damaged)?;
    if text.len() < from + len {
        return Err(Damaged);
    }
    text.copy_within(from..from + len, 0);
    text.truncate(len);
    Ok(text)
}

/// A header whose commitment was found to be the key's.
struct Opener<'a> {
    header: &'a [u8; HEADER],
    chunk_key: LessSafeKey,
}

impl Opener<'_> {
    fn new<'a>(key: &Key, context: &Context, found: &'a [u8; HEADER]) -> Result<Opener<'a>, Damaged> {
        let salt: &[u8; 32] = found[16..48].try_into().expect("32 bytes of 80");
        let (chunk_key, commitment) = derive(key, context, salt);
        if secret::equal(found, &header(context, salt, &commitment)) { Ok(Opener { header: found, chunk_key }) } else { Err(Damaged) }
    }

    /// Opens whole chunks, the first of which has the number `first`; the one at `last` in this list ends the text.
    fn chunks(&self, body: &[u8], first: u64, last: usize) -> Result<Zeroizing<Vec<u8>>, Damaged> {
        let count = body.len().div_ceil(SEALED_CHUNK);
        let mut text = Zeroizing::new(vec![0; body.len().checked_sub(count.max(1) * TAG).ok_or(Damaged)?]);
        let mut room = text.as_mut_slice();
        for (index, chunk) in body.chunks(SEALED_CHUNK).enumerate() {
            let number = first + index as u64;
            let (sealed, tag) = chunk.split_at_checked(chunk.len().wrapping_sub(TAG)).ok_or(Damaged)?;
            // Only a text that is empty as a whole has an empty chunk: otherwise one text could be sealed in two ways.
            if sealed.is_empty() && number != 0 {
                return Err(Damaged);
            }
            let (here, rest) = room.split_at_mut_checked(sealed.len()).ok_or(Damaged)?;
            self.chunk_key
                .open_separate_gather(nonce(number, index == last), Aad::from(self.header), sealed, tag, here)
                .map_err(|_| Damaged)?;
            room = rest;
        }
        Ok(text)
    }
}

fn header(context: &Context, salt: &[u8; 32], commitment: &[u8; 32]) -> [u8; HEADER] {
    let mut header = [0; HEADER];
    header[..8].copy_from_slice(MAGIC);
    header[8] = context.kind as u8;
    header[9] = SUITE;
    header[12..16].copy_from_slice(&context.generation.to_be_bytes());
    header[16..48].copy_from_slice(salt);
    header[48..].copy_from_slice(commitment);
    header
}

fn nonce(number: u64, last: bool) -> Nonce {
    let mut bytes = [0; 12];
    bytes[3..11].copy_from_slice(&number.to_be_bytes());
    bytes[11] = u8::from(last);
    Nonce::assume_unique_for_key(bytes)
}

fn derive(key: &Key, context: &Context, salt: &[u8; 32]) -> (LessSafeKey, [u8; 32]) {
    let mut both = Zeroizing::new([0; 64]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(key.expose())
        .expand(&[&context.info], Bytes64)
        .and_then(|out| out.fill(&mut *both))
        .expect("64 bytes are within HKDF's limit");
    let chunk_key = UnboundKey::new(&AES_256_GCM, &both[..32]).expect("AES-256 takes 32 bytes");
    (LessSafeKey::new(chunk_key), both[32..].try_into().expect("32 bytes of 64"))
}

struct Bytes64;

impl hkdf::KeyType for Bytes64 {
    fn len(&self) -> usize {
        64
    }
}

/// Opens a text that was sealed when this format was made: a library or processor that computes otherwise is found before it seals anything.
///
/// # Errors
/// [`Damaged`] when it does not open, or to another text.
pub fn self_test() -> Result<(), Damaged> {
    let sealed = secret::from_hex(VECTOR).ok_or(Damaged)?;
    let opened = open(&Key::new([7; 32]), &Context::new(super::Kind::Canary, 1, &[b"vector"]), &sealed)?;
    if *opened == *b"zegel" { Ok(()) } else { Err(Damaged) }
}

/// "zegel" under the key 07..07 with the salt 09..09; tests/decoder.py opens the same.
pub(super) const VECTOR: &str = "7a6567656c2f310a090100000000000109090909090909090909090909090909090909090909090909090909090909094408c10923d16a2e14a7cdfa255196e314589f6818b7dd69aef86253863d447815588d3539fb3e6616a240edc1aa82e4805f2e30d0";

/// A text whose last chunk is empty, which [`seal`] never makes.
#[cfg(test)]
pub(super) fn seal_with_empty_end(key: &Key, context: &Context, salt: Salt, chunk: &[u8]) -> Vec<u8> {
    let (chunk_key, commitment) = derive(key, context, &salt.0);
    let header = header(context, &salt.0, &commitment);
    let mut sealed = chunk.to_vec();
    chunk_key.seal_in_place_append_tag(nonce(0, false), Aad::from(&header), &mut sealed).expect("short enough");
    let end = chunk_key.seal_in_place_separate_tag(nonce(1, true), Aad::from(&header), &mut []).expect("short enough");
    [&header[..], &sealed, end.as_ref()].concat()
}
