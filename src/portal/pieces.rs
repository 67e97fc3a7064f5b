//! A part of a message, opened piece by piece as somebody takes it: one piece is what a download holds in memory.

use super::{
    answer::{Refusal, Visit},
    read,
    session::Open,
};
use crate::{
    record::Part,
    seal::{CHUNK_BYTES, ContentKey, HEADER_BYTES, open_range, part_context, sealed_len, sealed_range},
    secret::Id,
    store::Blobs,
};
use axum::body::Bytes;
use std::{io, ops::Range, sync::Arc};

/// How much of a part is opened at a time.
pub(super) const PIECE_BYTES: u64 = 16 * CHUNK_BYTES;

/// A part whose blob is there in its full length.
pub(super) struct Pieces {
    blobs: Arc<dyn Blobs>,
    key: ContentKey,
    message: Id,
    part: Part,
    header: Vec<u8>,
}

impl Pieces {
    /// Looks at the blob's length: a lost tail would not be noticed before the end.
    pub(super) async fn of(visit: &Visit, open: &Open, part: &Part) -> Result<Pieces, Refusal> {
        Pieces::under(visit.desk.portal.blobs.clone(), open.content_key.clone(), open.granted.grant.value.message, part).await
    }

    /// The same for a part of `message`, whose content key is `key`.
    pub(super) async fn under(blobs: Arc<dyn Blobs>, key: ContentKey, message: Id, part: &Part) -> Result<Pieces, Refusal> {
        let part = part.clone();
        if part.content.is_some() {
            return Ok(Pieces { blobs, key, message, part, header: Vec::new() });
        }
        let header = blobs.get(part.blob, Some(0..HEADER_BYTES)).await?.ok_or_else(|| read::damaged(part.blob))?;
        let sealed = sealed_len(part.size_bytes);
        let tail = blobs.get(part.blob, Some(sealed - 1..sealed + 1)).await?.unwrap_or_default();
        if tail.len() != 1 {
            return Err(read::damaged(part.blob));
        }
        Ok(Pieces { blobs, key, message, part, header })
    }

    /// Its length.
    pub(super) fn length(&self) -> u64 {
        self.part.size_bytes
    }

    /// The first piece of `range`. It ends where a chunk ends, so that no chunk is opened twice.
    pub(super) async fn first_of(&self, range: &Range<u64>) -> Result<Bytes, Refusal> {
        let end = ((range.start / PIECE_BYTES + 1) * PIECE_BYTES).min(range.end);
        self.open(range.start..end).await.ok_or_else(|| read::damaged(self.part.blob))
    }

    async fn open(&self, plain: Range<u64>) -> Option<Bytes> {
        if let Some(text) = &self.part.content {
            let range = usize::try_from(plain.start).ok()?..usize::try_from(plain.end).ok()?;
            return text.as_bytes().get(range).map(Bytes::copy_from_slice);
        }
        let length = self.part.size_bytes;
        let sealed = self.blobs.get(self.part.blob, Some(sealed_range(&plain, length))).await.ok()??;
        let context = part_context(self.message, self.part.blob);
        let mut octets = open_range(self.key.key(), &context, &self.header, &sealed, &plain, length).ok()?;
        Some(Bytes::from(std::mem::take(&mut *octets)))
    }

    /// The octets of `range`. Its first piece is opened before anything is sent: what doesn't open at all gets a page that says so. What turns out
    /// to be damaged later breaks the answer off, which a browser sees by its length.
    pub(super) async fn stream(
        self,
        range: Range<u64>,
    ) -> Result<impl futures_util::Stream<Item = Result<Bytes, io::Error>> + Send, Refusal> {
        let first = self.first_of(&range).await?;
        Ok(futures_util::stream::unfold((self, range, Some(first)), |(pieces, left, first)| async move {
            if left.is_empty() {
                return None;
            }
            let piece = match first {
                Some(piece) => Ok(piece),
                None => pieces.first_of(&left).await,
            };
            match piece {
                Ok(octets) => {
                    let next = left.start + octets.len() as u64..left.end;
                    Some((Ok(octets), (pieces, next, None)))
                }
                Err(_) => Some((Err(io::ErrorKind::InvalidData.into()), (pieces, 0..0, None))),
            }
        }))
    }
}
