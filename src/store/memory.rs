//! A store in memory: the model that every engine is compared with, and the store of tests.

use super::{Blobs, BoxFuture, Room, Store, StoreError, met, within_limits};
use crate::{
    record::{Batch, Expect, Key, KeyRange, Op, Record},
    seal::Ciphertext,
    secret::Id,
    time::Time,
};
use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Mutex, PoisonError},
};

/// Records in memory.
#[derive(Default)]
pub struct MemoryStore {
    records: Mutex<BTreeMap<String, (Key, Record)>>,
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<String, (Key, Record)>) -> T) -> T {
        // A commit changes the map only after all expectations were met, and can't panic then: a poisoned map is whole.
        act(&mut self.records.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Store for MemoryStore {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move { Ok(self.with(|records| records.get(key.as_str()).map(|(_, record)| record.clone()))) })
    }

    fn list<'a>(&'a self, range: &'a KeyRange, limit: usize) -> BoxFuture<'a, Result<Vec<(Key, Record)>, StoreError>> {
        Box::pin(async move {
            if range.from >= range.to {
                return Ok(Vec::new());
            }
            Ok(self
                .with(|records| records.range(range.from.clone()..range.to.clone()).take(limit).map(|(_, found)| found.clone()).collect()))
        })
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            within_limits(&batch)?;
            self.with(|records| {
                let fits = |op: &Op| {
                    let (key, expect) = match op {
                        Op::Put { key, expect, .. } | Op::Delete { key, expect } => (key, *expect),
                        Op::Check { key, version } => (key, Expect::Version(*version)),
                    };
                    met(expect, records.get(key.as_str()).map(|(_, record)| record.version))
                };
                if !batch.ops.iter().all(fits) {
                    return Err(StoreError::Conflict);
                }
                for op in batch.ops {
                    match op {
                        Op::Put { key, value, .. } => {
                            records.insert(key.as_str().to_owned(), (key, Record { version: batch.version, value }));
                        }
                        Op::Delete { key, .. } => {
                            records.remove(key.as_str());
                        }
                        Op::Check { .. } => {}
                    }
                }
                Ok(())
            })
        })
    }
}

/// Blobs in memory.
#[derive(Default)]
pub struct MemoryBlobs {
    blobs: Mutex<BTreeMap<Id, Vec<u8>>>,
}

impl MemoryBlobs {
    /// No blobs.
    #[must_use]
    pub fn new() -> MemoryBlobs {
        MemoryBlobs::default()
    }

    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<Id, Vec<u8>>) -> T) -> T {
        act(&mut self.blobs.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Blobs for MemoryBlobs {
    fn put(&self, id: Id, content: Ciphertext) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.with(|blobs| blobs.insert(id, content.as_bytes().to_vec()));
            Ok(())
        })
    }

    fn get(&self, id: Id, range: Option<Range<u64>>) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        Box::pin(async move {
            Ok(self.with(|blobs| {
                let blob = blobs.get(&id)?;
                let Some(range) = range else { return Some(blob.clone()) };
                let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(blob.len());
                Some(blob.get(within(range.start)..within(range.end)).unwrap_or_default().to_vec())
            }))
        })
    }

    fn delete(&self, id: Id) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.with(|blobs| blobs.remove(&id));
            Ok(())
        })
    }

    /// All of them: memory keeps no times.
    fn list(&self, _before: Time) -> BoxFuture<'_, Result<Vec<Id>, StoreError>> {
        Box::pin(async move { Ok(self.with(|blobs| blobs.keys().copied().collect())) })
    }

    fn room(&self) -> Room {
        Room::Enough
    }
}
