//! Blobs as files: `blobs/ab/<id>`, where `ab` are the first two digits of the id.
//!
//! `put` returns only when content and name are durable, and no record names a blob before that: what a crash leaves half written is an orphan.

use super::{
    Blobs, BoxFuture, Failure, OpenError, Room, StoreError,
    folder::{self, WriteError},
};
use crate::{seal::Ciphertext, secret::Id, time::Time};
use std::{
    collections::HashMap,
    fs::{self, DirBuilder, File},
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant, UNIX_EPOCH},
};

/// What protects the disk and the blobs that are not yet named.
#[derive(Clone, Copy, Debug)]
pub struct FileLimits {
    /// So many bytes stay free: the database, its log and other programs need room when the blobs have filled the rest.
    pub reserve_bytes: u64,
    /// So many per cent of the disk stay free: file systems slow down and split files when nearly full.
    pub reserve_percent: u64,
    /// For so long after `put`, by the monotonic clock, a blob is not listed: its commit may be under way. A wall clock that jumps must not make
    /// the sweep take it for an orphan.
    pub in_flight: Duration,
}

impl Default for FileLimits {
    fn default() -> FileLimits {
        FileLimits { reserve_bytes: 1 << 30, reserve_percent: 5, in_flight: Duration::from_secs(3600) }
    }
}

/// Blobs in a folder of this machine.
pub(super) struct FileBlobs {
    inner: Arc<Inner>,
}

struct Inner {
    root: PathBuf,
    limits: FileLimits,
    failure: Failure,
    recent: Mutex<HashMap<Id, Instant>>,
    /// Held as long as a blob may be written.
    _lock: Arc<folder::Lock>,
}

impl FileBlobs {
    /// Opens the folder, making it and its 256 folders when they are missing.
    pub(super) fn open(root: &Path, limits: FileLimits, failure: Failure, lock: Arc<folder::Lock>) -> Result<FileBlobs, OpenError> {
        let fault = |e: io::Error| OpenError::new(root, format!("can't be made: {e}"), "let the user that runs zegel own it");
        folder::make(root)?;
        let mut made = false;
        for first in 0..=255u8 {
            let folder = root.join(format!("{first:02x}"));
            match DirBuilder::new().mode(0o700).create(&folder) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => folder::refuse_unwritable(&folder)?,
                result => {
                    result.map_err(fault)?;
                    made = true;
                }
            }
        }
        if made {
            folder::sync(root).map_err(fault)?;
        }
        let inner = Inner { root: root.to_owned(), limits, failure, recent: Mutex::default(), _lock: lock };
        Ok(FileBlobs { inner: Arc::new(inner) })
    }

    /// Files are never touched on the async threads.
    fn run<T: Send + 'static>(&self, act: impl FnOnce(&Inner) -> io::Result<T> + Send + 'static) -> BoxFuture<'_, Result<T, StoreError>> {
        let inner = self.inner.clone();
        Box::pin(async move {
            inner.failure.check()?;
            let result = tokio::task::spawn_blocking(move || act(&inner)).await;
            result.map_err(|e| e.to_string()).and_then(|done| done.map_err(|e| e.to_string())).map_err(StoreError::Unavailable)
        })
    }
}

impl Inner {
    fn path(&self, id: Id) -> PathBuf {
        let name = id.to_string();
        self.root.join(&name[..2]).join(name)
    }

    fn recent<T>(&self, act: impl FnOnce(&mut HashMap<Id, Instant>) -> T) -> T {
        act(&mut self.recent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, id: Id, content: &[u8]) -> io::Result<()> {
        let path = self.path(id);
        self.recent(|recent| recent.insert(id, Instant::now()));
        folder::write_unsought(path.parent().unwrap_or(&self.root), &id.to_string(), content).map_err(|error| {
            if let WriteError::NotDurable(_) = error {
                self.failure.set(format!("{}: {error}", path.display()));
            }
            io::Error::other(format!("{}: {error}", path.display()))
        })
    }

    fn get(&self, id: Id, range: Option<Range<u64>>) -> io::Result<Option<Vec<u8>>> {
        let mut file = match File::open(self.path(id)) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            result => result?,
        };
        let mut content = Vec::new();
        match range {
            None => {
                content.reserve_exact(usize::try_from(file.metadata()?.len()).unwrap_or(0));
                file.read_to_end(&mut content)?;
            }
            Some(range) => {
                file.seek(SeekFrom::Start(range.start))?;
                file.take(range.end.saturating_sub(range.start)).read_to_end(&mut content)?;
            }
        }
        Ok(Some(content))
    }

    fn delete(&self, id: Id) -> io::Result<()> {
        self.recent(|recent| recent.remove(&id));
        // Not made durable: after a crash the file is an orphan again, and swept again.
        folder::remove(&self.path(id))
    }

    fn list(&self, before: Time) -> io::Result<Vec<Id>> {
        let in_flight = self.limits.in_flight;
        self.recent(|recent| recent.retain(|_, put| put.elapsed() < in_flight));
        let before = UNIX_EPOCH + Duration::from_millis(u64::try_from(before.millis()).unwrap_or(0));
        let mut found = Vec::new();
        for folder in fs::read_dir(&self.root)? {
            for entry in fs::read_dir(folder?.path())? {
                let entry = entry?;
                let name = entry.file_name().into_string().unwrap_or_default();
                let unfinished = name.strip_prefix('.').and_then(|name| name.strip_suffix(".tmp"));
                let Some(id) = Id::parse(unfinished.unwrap_or(&name)) else { continue };
                // Whatever vanishes meanwhile was deleted by somebody who knew it.
                let old = entry.metadata().and_then(|metadata| metadata.modified()).is_ok_and(|modified| modified < before);
                if !old || self.recent(|recent| recent.contains_key(&id)) {
                    continue;
                }
                if unfinished.is_some() {
                    folder::remove(&entry.path())?;
                } else {
                    found.push(id);
                }
            }
        }
        found.sort();
        Ok(found)
    }
}

impl Blobs for FileBlobs {
    fn put(&self, id: Id, content: Ciphertext) -> BoxFuture<'_, Result<(), StoreError>> {
        self.run(move |inner| inner.put(id, content.as_bytes()))
    }

    fn get(&self, id: Id, range: Option<Range<u64>>) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        self.run(move |inner| inner.get(id, range))
    }

    fn delete(&self, id: Id) -> BoxFuture<'_, Result<(), StoreError>> {
        self.run(move |inner| inner.delete(id))
    }

    /// Also removes files that an older version left unfinished.
    fn list(&self, before: Time) -> BoxFuture<'_, Result<Vec<Id>, StoreError>> {
        self.run(move |inner| inner.list(before))
    }

    fn room(&self) -> Room {
        let Ok(disk) = rustix::fs::statvfs(&self.inner.root) else { return Room::Short };
        let limits = &self.inner.limits;
        let reserve = limits.reserve_bytes.max(disk.f_blocks.saturating_mul(disk.f_frsize) / 100 * limits.reserve_percent);
        if disk.f_bavail.saturating_mul(disk.f_frsize) < reserve { Room::Short } else { Room::Enough }
    }
}

/// Whether a folder of blobs holds any: a store whose database is gone must not begin anew and sweep them as orphans.
pub(super) fn any(root: &Path) -> bool {
    let Ok(folders) = fs::read_dir(root) else { return false };
    folders.flatten().any(|folder| fs::read_dir(folder.path()).is_ok_and(|mut entries| entries.next().is_some()))
}
