//! Opening the store of one machine: the folder, its lock, the keys, the database and the blobs, each checked against the others.

use super::{
    Blobs, Failure, Store,
    files::{self, FileBlobs, FileLimits},
    folder,
    keys::{self, Keyring},
    sqlite::Database,
};
use crate::{seal, time::Time};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Why the store is not opened. Its text names the file, says what is wrong with it, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}; {remedy}", path.display())]
pub struct OpenError {
    /// The file or folder.
    pub path: PathBuf,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

impl OpenError {
    pub(super) fn new(path: &Path, what: impl Into<String>, remedy: impl Into<String>) -> OpenError {
        OpenError { path: path.to_owned(), what: what.into(), remedy: remedy.into() }
    }
}

/// Where things are.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The folder of the database and the blobs; made when it is missing.
    pub path: PathBuf,
    /// The folder of the keys; never within `path`, whose backups must not hold them.
    pub keys: PathBuf,
    /// Where the service manager puts credentials (systemd: `$CREDENTIALS_DIRECTORY`); a master key found there is used before that in `keys`.
    pub credentials: Option<PathBuf>,
    /// Now: keys of past days may be missing.
    pub now: Time,
    /// What stays free on the disk.
    pub limits: FileLimits,
}

impl StoreOptions {
    /// A store with the usual limits.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, keys: impl Into<PathBuf>, now: Time) -> StoreOptions {
        StoreOptions { path: path.into(), keys: keys.into(), credentials: None, now, limits: FileLimits::default() }
    }
}

/// A store that was found whole.
#[derive(Clone)]
pub struct Opened {
    /// Its records.
    pub store: Arc<dyn Store>,
    /// Its blobs.
    pub blobs: Arc<dyn Blobs>,
    /// Its keys.
    pub keyring: Arc<Keyring>,
    /// Tells when the disk failed for good: the program must end then.
    pub failure: Failure,
}

/// Whether there is a store at `path`: one that can't be looked at counts as there.
#[must_use]
pub fn is_there(path: &Path) -> bool {
    database(path).try_exists().unwrap_or(true)
}

fn database(path: &Path) -> PathBuf {
    path.join("zegel.db")
}

/// Opens the store, or makes a new one with a new master key when the folder holds none.
///
/// Blocks: call it before serving, or off the async threads.
///
/// # Errors
/// Whatever is not as it must be; nothing was changed then, except that missing folders were made.
pub fn open(options: &StoreOptions) -> Result<Opened, OpenError> {
    let StoreOptions { path, keys: keys_path, .. } = options;
    seal::self_test().map_err(|_| {
        OpenError::new(
            path,
            "this machine computes the encryption wrongly",
            "don't use it; look at its memory and processor, and reinstall zegel",
        )
    })?;
    folder::make(path)?;
    let lock = Arc::new(folder::Lock::take(path, Some("zegel.lock"))?);
    folder::make(keys_path)?;
    folder::refuse_writable(keys_path)?;
    keys::refuse_within(keys_path, path)?;
    let keys_lock = folder::Lock::take(keys_path, None)?;

    let (database_path, blobs_path) = (database(path), path.join("blobs"));
    let new = !is_there(path);
    if new && files::any(&blobs_path) {
        let remedy = format!("restore it from a backup; to begin anew, move {} away", path.display());
        return Err(OpenError::new(&database_path, "is missing, though there are sealed messages beside it", remedy));
    }
    if let (true, Some(day)) = (new, keys::any_bucket(keys_path)?) {
        let what = format!("is missing, though {} is the key of a store", keys_path.join(day.to_string()).display());
        let remedy = format!("is its disk mounted? Restore it from a backup; to begin anew, move {} away", keys_path.display());
        return Err(OpenError::new(&database_path, what, remedy));
    }
    let master = match (keys::load_master(options)?, new) {
        (Some(master), _) => master,
        (None, true) => keys::make_master(keys_path)?,
        (None, false) => return Err(keys::master_is_missing(keys_path)),
    };
    let failure = Failure::default();
    let database = if new { Database::create(&database_path, keys::canary_of(&master))? } else { Database::open(&database_path)? };
    let keys = keys::check(options, master, keys_lock, &database)?;
    let blobs = FileBlobs::open(&blobs_path, options.limits, failure.clone(), lock.clone())?;
    let store: Arc<dyn Store> = Arc::new(database.start(failure.clone(), lock)?);
    Ok(Opened { keyring: Arc::new(keys.with(store.clone(), failure.clone())), store, blobs: Arc::new(blobs), failure })
}

#[cfg(test)]
mod tests;
