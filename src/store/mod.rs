//! The store: three verbs, and blobs beside it.
//!
//! An engine is small, since the interesting logic (states, tries, leases) stands above it, in plain functions that build a [`Batch`].
//! `memory` is the model, `sqlite` and `files` keep records and blobs on one machine's disk; all engines pass one suite (`conformance`).
//! `keys` holds the keys of what they keep, and [`open()`] checks that all three belong together.

#[cfg(test)]
mod conformance;
mod counted;
mod failure;
mod files;
mod folder;
pub mod keys;
pub mod memory;
mod open;
mod sqlite;

pub use counted::counted;
pub use failure::Failure;
pub use files::FileLimits;
pub use keys::{Keyring, harden};
pub use open::{OpenError, Opened, StoreOptions, is_there, open};

use crate::{
    record::{Batch, Expect, Key, KeyRange, Op, Record},
    seal::Ciphertext,
    secret::Id,
    time::Time,
};
use std::{collections::HashSet, ops::Range, pin::Pin};

/// What an async function of a trait object returns: such traits can't have `async fn` yet.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why the store did not do as told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// An expectation was not met; nothing happened. Read again, decide anew.
    #[error("someone else changed the record")]
    Conflict,
    /// The store can't be used now, or it is not known whether the batch happened: answer 451, or the "try again" page. The text is for the log.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
}

/// Where records are kept.
pub trait Store: Send + Sync {
    /// The record at `key`.
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>>;

    /// The first `limit` records of `range`, by key, as they all were at one moment.
    ///
    /// Keep no cursor over time: commits become visible out of key order, and a cursor skips late ones. Begin at the range's beginning.
    fn list<'a>(&'a self, range: &'a KeyRange, limit: usize) -> BoxFuture<'a, Result<Vec<(Key, Record)>, StoreError>>;

    /// Does all of `batch`, durably, or nothing.
    ///
    /// After `Unavailable` the batch may have happened. Repeat the same batch: a conflict on a key whose random id is ours, or our version
    /// found there, means that it had.
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// Whether there is room for another message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// There is.
    Enough,
    /// Little is left: refuse (SMTP 452, HTTP 507) before the body is read.
    Short,
}

/// Where sealed parts are kept: each text and file is a blob under a random name, so that equal contents can't be told.
///
/// A blob is durable before the commit that names it, and its deletion is committed before it goes: a crash leaves orphans, which are swept.
pub trait Blobs: Send + Sync {
    /// Keeps a blob; durable when it returns Ok.
    fn put(&self, id: Id, content: Ciphertext) -> BoxFuture<'_, Result<(), StoreError>>;

    /// The blob, or the bytes of it that lie within `range`; fewer when it ends before. `None` when there is no such blob.
    fn get(&self, id: Id, range: Option<Range<u64>>) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>>;

    /// Removes a blob; one that isn't there counts as removed.
    fn delete(&self, id: Id) -> BoxFuture<'_, Result<(), StoreError>>;

    /// The blobs that were put before `before`: only for sweeping orphans.
    fn list(&self, before: Time) -> BoxFuture<'_, Result<Vec<Id>, StoreError>>;

    /// Whether more can be put.
    fn room(&self) -> Room;
}

/// Refuses a batch that some engine could not keep: all have the same limits, so that none is found to have others later.
fn within_limits(batch: &Batch) -> Result<(), StoreError> {
    let refuse = |what: String| Err(StoreError::Unavailable(format!("{what}; this is a bug in zegel")));
    if batch.ops.len() > Batch::MAX_OPS {
        return refuse(format!("a batch of {} steps, at most {} can be", batch.ops.len(), Batch::MAX_OPS));
    }
    if i64::try_from(batch.version).is_err() {
        return refuse("a batch whose version has 64 bits, 63 can be".to_owned());
    }
    let mut keys = HashSet::with_capacity(batch.ops.len());
    let mut bytes = 0;
    for op in &batch.ops {
        let (Op::Put { key, .. } | Op::Delete { key, .. } | Op::Check { key, .. }) = op;
        if !keys.insert(key) {
            return refuse(format!("a batch with two steps for {key}"));
        }
        let Op::Put { value, .. } = op else { continue };
        bytes += value.len();
        if value.len() > Record::MAX_BYTES {
            return refuse(format!("a value of {} bytes for {key}, at most {} can be", value.len(), Record::MAX_BYTES));
        }
        if holds_nul(value) {
            return refuse(format!("a value with NUL for {key}"));
        }
    }
    if bytes > Batch::MAX_BYTES {
        return refuse(format!("a batch of {bytes} bytes, at most {} can be", Batch::MAX_BYTES));
    }
    Ok(())
}

/// Whether JSON text holds NUL, raw or escaped: PostgreSQL's jsonb refuses `\u0000`, and one such value breaks a whole report.
fn holds_nul(json: &str) -> bool {
    let mut rest = json;
    while let Some(at) = rest.find(['\\', '\0']) {
        let tail = &rest[at..];
        if tail.starts_with('\0') || tail.starts_with("\\u0000") {
            return true;
        }
        // The backslash and what it escapes; the latter may be a letter of several bytes in text that is not JSON.
        rest = &tail[1 + tail[1..].chars().next().map_or(0, char::len_utf8)..];
    }
    false
}

/// Whether a key at `version`, or absent, is as expected.
fn met(expect: Expect, version: Option<u64>) -> bool {
    match expect {
        Expect::Anything => true,
        Expect::Absent => version.is_none(),
        Expect::Version(wanted) => version == Some(wanted),
    }
}
