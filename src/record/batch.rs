//! A change of the store: all of it happens, durably, or none.

use super::Key;
use crate::secret;

/// A value as the store holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The random number of the batch that wrote it.
    pub version: u64,
    /// JSON text, at most [`Record::MAX_BYTES`], without NUL.
    pub value: String,
}

impl Record {
    /// The largest value: PostgreSQL and sled keep larger ones elsewhere, where durability differs.
    pub const MAX_BYTES: usize = 16 * 1024;
}

/// What must be true of a key for a batch to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// Nothing: only where a repeat does no harm.
    Anything,
    /// The key isn't there. Only for keys that the batch itself writes.
    Absent,
    /// The key has this version.
    Version(u64),
}

/// One step of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Writes a value.
    Put {
        /// The key.
        key: Key,
        /// The value.
        value: String,
        /// The condition.
        expect: Expect,
    },
    /// Removes a key; one that isn't there counts as removed under `Anything`.
    Delete {
        /// The key.
        key: Key,
        /// The condition.
        expect: Expect,
    },
    /// Writes nothing: guards a record that was only read.
    Check {
        /// The key.
        key: Key,
        /// The version it must have.
        version: u64,
    },
}

/// A list of steps that happen together. Every key occurs at most once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Given to every key the batch writes: 63 random bits (SQL's integers have a sign), drawn once. No counter: a key that is deleted and
    /// made again never shows an old version, and after a lost answer the version says whose batch won.
    pub version: u64,
    /// The steps.
    pub ops: Vec<Op>,
}

impl Batch {
    /// The most keys in a batch: 1000 recipients with all that belongs to them.
    pub const MAX_OPS: usize = 8000;
    /// The most bytes of values in a batch.
    pub const MAX_BYTES: usize = 16 * 1024 * 1024;

    /// An empty batch with a version of its own.
    #[must_use]
    pub fn new() -> Batch {
        Batch { version: u64::from_le_bytes(secret::random()) >> 1, ops: Vec::new() }
    }

    /// Adds: write `record` to `key`.
    ///
    /// # Panics
    /// Never in practice: our records serialise.
    pub fn put(&mut self, key: Key, record: &impl serde::Serialize, expect: Expect) {
        let value = serde_json::to_string(record).expect("records have text keys and no foreign types");
        self.ops.push(Op::Put { key, value, expect });
    }

    /// Adds: remove `key`.
    pub fn delete(&mut self, key: Key, expect: Expect) {
        self.ops.push(Op::Delete { key, expect });
    }

    /// Adds: `key` must have `version`.
    pub fn check(&mut self, key: Key, version: u64) {
        self.ops.push(Op::Check { key, version });
    }
}

impl Default for Batch {
    fn default() -> Batch {
        Batch::new()
    }
}
