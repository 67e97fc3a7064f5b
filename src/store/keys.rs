//! The keys in use: the master key and one bucket key a day of expiry, in a folder of their own outside the store and its backups.
//!
//! ```text
//! keys/master-1       64 hexadecimal digits; the number is its generation
//! keys/2026-12-21     the bucket key of that day, sealed under the master key
//! bucket/2026-12-21   a record of the store: this day's key was used, so it must be there
//! canary/1            a record of the store: the master key with which it was made
//! ```
//!
//! A key that is missing is never silently made anew: what was sealed under it would be lost without anybody having been told.

use super::{
    Failure, OpenError, Store, StoreError, StoreOptions,
    folder::{self, WriteError},
    sqlite::Database,
};
use crate::{
    record::{Batch, Expect, FORMAT, Key, KeyRange, Sealed},
    seal::{self, Bucket, Master, Salt},
    secret,
    time::Day,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};
use zeroize::Zeroizing;

/// Rotation will make the next; until then a store has one.
const GENERATION: u32 = 1;

/// `canary/<generation>`.
#[derive(Serialize, Deserialize)]
struct Canary {
    v: u8,
    canary: Sealed,
}

/// `bucket/<day>`.
#[derive(Serialize, Deserialize)]
struct InUse {
    v: u8,
}

/// The keys of a store that is open.
pub struct Keyring {
    master: Arc<Master>,
    folder: Option<Folder>,
    store: Arc<dyn Store>,
    buckets: RwLock<BTreeMap<Day, Arc<Bucket>>>,
    /// Held while a key is made: two that are made for one day at a time would overwrite each other, and what was sealed under the loser could
    /// never be opened.
    making: tokio::sync::Mutex<()>,
}

struct Folder {
    path: PathBuf,
    failure: Failure,
    /// Two stores over one folder would destroy each other's keys.
    _lock: folder::Lock,
}

impl Keyring {
    /// Keys that exist in memory only, for a store that does.
    #[must_use]
    pub fn in_memory(store: Arc<dyn Store>) -> Keyring {
        Keyring {
            master: Arc::new(Master::random(GENERATION)),
            folder: None,
            store,
            buckets: RwLock::default(),
            making: tokio::sync::Mutex::default(),
        }
    }

    /// The master key under which everything new is sealed.
    #[must_use]
    pub fn master(&self) -> Arc<Master> {
        self.master.clone()
    }

    /// The key of `day`, made now if it is the first that expires on that day.
    ///
    /// # Errors
    /// `Unavailable` when it can't be written, or was used before and is missing.
    pub async fn bucket(&self, day: Day) -> Result<Arc<Bucket>, StoreError> {
        if let Some(bucket) = self.existing(day) {
            return Ok(bucket);
        }
        let _making = self.making.lock().await;
        if let Some(bucket) = self.existing(day) {
            return Ok(bucket);
        }
        let made = match &self.folder {
            None => Bucket::random(day),
            Some(folder) => self.used_or_made(folder, day).await?,
        };
        Ok(self.buckets.write().unwrap_or_else(PoisonError::into_inner).entry(day).or_insert(Arc::new(made)).clone())
    }

    async fn used_or_made(&self, folder: &Folder, day: Day) -> Result<Bucket, StoreError> {
        let row = row(day);
        let used = self.store.get(&row).await?.is_some();
        let (path, master, failure) = (folder.path.clone(), self.master.clone(), folder.failure.clone());
        let bucket = tokio::task::spawn_blocking(move || {
            failure.check()?;
            if used { read(&path, day, &master) } else { make(&path, day, &master, &failure) }
        });
        let bucket = bucket.await.unwrap_or_else(|e| Err(StoreError::Unavailable(e.to_string())))?;
        if !used {
            // The file first: a key without a record does no harm, a record without its key stops the next start.
            let mut batch = Batch::new();
            batch.put(row, &InUse { v: FORMAT }, Expect::Anything);
            self.store.commit(batch).await?;
        }
        Ok(bucket)
    }

    /// The key of `day`, if there is one: for opening, which never makes one.
    #[must_use]
    pub fn existing(&self, day: Day) -> Option<Arc<Bucket>> {
        self.buckets.read().unwrap_or_else(PoisonError::into_inner).get(&day).cloned()
    }

    /// Destroys the keys of `last` and of every day before it, for good: no wrap of those days opens any more, in old backups neither.
    ///
    /// # Errors
    /// `Unavailable`; some keys may be left, the next call destroys them.
    pub async fn destroy_until(&self, last: Day) -> Result<(), StoreError> {
        let days: Vec<Day> = self.buckets.read().unwrap_or_else(PoisonError::into_inner).range(..=last).map(|(day, _)| *day).collect();
        for day in days {
            // The record goes first: a key without a record is destroyed later, a record without its key stops the next start.
            let mut batch = Batch::new();
            batch.delete(row(day), Expect::Anything);
            self.store.commit(batch).await?;
            if let Some(Folder { path, failure, .. }) = &self.folder {
                let (path, failure) = (path.clone(), failure.clone());
                let removed = tokio::task::spawn_blocking(move || remove(&path, day, &failure)).await;
                removed.map_err(|e| e.to_string()).and_then(|r| r.map_err(|e| e.to_string())).map_err(StoreError::Unavailable)?;
            }
            self.buckets.write().unwrap_or_else(PoisonError::into_inner).remove(&day);
            tracing::info!("the key of {day} is destroyed");
        }
        Ok(())
    }
}

/// The key of a day that was used before: never made anew.
fn read(path: &Path, day: Day, master: &Master) -> Result<Bucket, StoreError> {
    let found = load_bucket(path, day, master).map_err(|e| StoreError::Unavailable(e.to_string()))?;
    found.ok_or_else(|| StoreError::Unavailable(key_is_missing(path, day).to_string()))
}

/// A new key, durably in its file; or the one in the file, when somebody was first.
fn make(path: &Path, day: Day, master: &Master, failure: &Failure) -> Result<Bucket, StoreError> {
    let bucket = Bucket::random(day);
    let sealed = master.seal_bucket(&bucket, Salt::random());
    match folder::write_new(path, &day.to_string(), &sealed.0) {
        Ok(()) => Ok(bucket),
        Err(WriteError::Exists) => read(path, day, master),
        Err(error) => {
            let what = format!("{}: {error}", path.join(day.to_string()).display());
            if let WriteError::NotDurable(_) = error {
                failure.set(&what);
            }
            Err(StoreError::Unavailable(what))
        }
    }
}

fn remove(path: &Path, day: Day, failure: &Failure) -> io::Result<()> {
    folder::remove(&path.join(day.to_string()))?;
    folder::sync(path).inspect_err(|e| failure.set(format!("{}: fsync: {e}", path.display())))
}

fn key_is_missing(folder: &Path, day: Day) -> OpenError {
    let remedy = "restore it from its copy; without it the messages that expire on that day can never be opened";
    OpenError::new(&folder.join(day.to_string()), "the key of a day in use is missing", remedy)
}

fn row(day: Day) -> Key {
    Key::parse(&format!("bucket/{day}")).expect("a day is digits and hyphens")
}

fn canary_key() -> Key {
    Key::canary(GENERATION)
}

/// The record by which a new store will know its master key.
pub(super) fn canary_of(master: &Master) -> (Key, String) {
    let canary = Canary { v: FORMAT, canary: master.canary(Salt::random()) };
    (canary_key(), serde_json::to_string(&canary).expect("a sealed text serialises"))
}

fn master_name() -> String {
    format!("master-{GENERATION}")
}

/// Reads the master key, from the service manager's credentials or from its file.
pub(super) fn load_master(options: &StoreOptions) -> Result<Option<Master>, OpenError> {
    let credential = options.credentials.as_ref().map(|folder| folder.join(format!("zegel-{}", master_name())));
    for path in credential.into_iter().chain([options.keys.join(master_name())]) {
        let Some(content) = folder::read_private(&path)? else { continue };
        let digits = std::str::from_utf8(&content).unwrap_or_default().trim_ascii();
        let bytes = Zeroizing::new(secret::from_hex(digits).unwrap_or_default());
        let Ok(root) = bytes.as_slice().try_into() else {
            return Err(OpenError::new(&path, "holds no master key (64 hexadecimal digits)", "restore it from its copy"));
        };
        return Ok(Some(Master::new(GENERATION, seal::Key::new(root))));
    }
    Ok(None)
}

/// Makes a master key in `folder`, durably. It is never written over another.
///
/// # Errors
/// Names the file when it can't be written, or is there already.
pub fn make_master(folder: &Path) -> Result<Master, OpenError> {
    folder::make(folder)?;
    let master = Master::random(GENERATION);
    let digits = Zeroizing::new(secret::hex(master.expose()));
    folder::write_new(folder, &master_name(), format!("{}\n", *digits).as_bytes()).map_err(|e| {
        OpenError::new(&folder.join(master_name()), format!("can't be written: {e}"), "let the user that runs zegel own it")
    })?;
    Ok(master)
}

pub(super) fn master_is_missing(folder: &Path) -> OpenError {
    let remedy = "restore it from its copy, since nothing in the store can be opened without it; no other is made for a store that exists";
    OpenError::new(&folder.join(master_name()), "the master key is missing", remedy)
}

/// Keys within the store's folder would go into its backups, which then open themselves.
pub(super) fn refuse_within(keys: &Path, store: &Path) -> Result<(), OpenError> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if real(keys).starts_with(real(store)) {
        let remedy = "move the keys elsewhere ([store] keys), and back them up apart from it";
        return Err(OpenError::new(keys, "lies within the folder of the store", remedy));
    }
    Ok(())
}

/// Keys that were found to fit their store.
pub(super) struct Checked {
    master: Master,
    buckets: BTreeMap<Day, Arc<Bucket>>,
    folder: PathBuf,
    lock: folder::Lock,
}

impl Checked {
    pub(super) fn with(self, store: Arc<dyn Store>, failure: Failure) -> Keyring {
        Keyring {
            master: Arc::new(self.master),
            buckets: RwLock::new(self.buckets),
            folder: Some(Folder { path: self.folder, failure, _lock: self.lock }),
            store,
            making: tokio::sync::Mutex::default(),
        }
    }
}

/// Checks the keys against the store: its canary opens, and every day in use has its key.
pub(super) fn check(options: &StoreOptions, master: Master, lock: folder::Lock, database: &Database) -> Result<Checked, OpenError> {
    let path = options.keys.join(master_name());
    let canaries = database.list(&KeyRange::under("canary"))?;
    let ours = canaries.iter().find(|(key, _)| *key == canary_key());
    let Some(canary) = ours.and_then(|(key, record)| record.read::<Canary>(key).ok()) else {
        return Err(OpenError::new(
            database.path(),
            "does not know its master key: its canary is missing",
            "restore the store from a backup",
        ));
    };
    if !master.made(&canary.canary) {
        return Err(OpenError::new(&path, "is not the master key with which this store was made", "restore the right one from its copy"));
    }
    if canaries.len() > 1 {
        return Err(OpenError::new(database.path(), "has several master keys, which this version can't use", "install a newer zegel"));
    }

    let buckets = load_buckets(&options.keys, &master)?;
    let today = options.now.day();
    for (key, _) in database.list(&KeyRange::under("bucket"))? {
        let Some(day) = key.segments().nth(1).and_then(|day| day.parse::<Day>().ok()) else { continue };
        if buckets.contains_key(&day) {
            continue;
        }
        if day >= today {
            return Err(key_is_missing(&options.keys, day));
        }
        // After restoring a backup: the key was destroyed when its day had passed, as it should be.
        tracing::warn!("the key of {day} is gone; the day is past, so what it sealed stays closed");
    }
    Ok(Checked { master, buckets, folder: options.keys.clone(), lock })
}

/// The last day of which there is a key.
pub(super) fn any_bucket(folder: &Path) -> Result<Option<Day>, OpenError> {
    Ok(days(folder)?.into_iter().max())
}

/// The days of which there are keys.
fn days(folder: &Path) -> Result<Vec<Day>, OpenError> {
    let fault = |e: io::Error| OpenError::new(folder, format!("can't be read: {e}"), "let the user that runs zegel own it");
    let mut days = Vec::new();
    for entry in fs::read_dir(folder).map_err(fault)? {
        let name = entry.map_err(fault)?.file_name();
        days.extend(name.to_str().and_then(|name| name.parse::<Day>().ok().filter(|day| day.to_string() == name)));
    }
    Ok(days)
}

fn load_buckets(folder: &Path, master: &Master) -> Result<BTreeMap<Day, Arc<Bucket>>, OpenError> {
    let mut buckets = BTreeMap::new();
    for day in days(folder)? {
        if let Some(bucket) = load_bucket(folder, day, master)? {
            buckets.insert(day, Arc::new(bucket));
        }
    }
    Ok(buckets)
}

fn load_bucket(folder: &Path, day: Day, master: &Master) -> Result<Option<Bucket>, OpenError> {
    let path = folder.join(day.to_string());
    let Some(sealed) = folder::read_private(&path)? else { return Ok(None) };
    let fault = || OpenError::new(&path, "is damaged, or another store's", "restore it from its copy");
    master.open_bucket(day, &sealed).map(Some).map_err(|_| fault())
}

/// Keeps the process's memory out of core dumps and other processes of the same user, as far as the system allows.
///
/// # Errors
/// What the system refused; zegel can run without, but should say so.
pub fn harden() -> io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}
