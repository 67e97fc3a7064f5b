//! Records in SQLite: one file, one thread that writes, a few that read.
//!
//! The writer takes all commits that wait and makes them durable together: with many clients one fsync serves many. Each runs in a savepoint,
//! so a conflict undoes that one only.

mod readers;
mod writer;

use super::{
    BoxFuture, Failure, OpenError, Store, StoreError,
    folder::{self, Lock},
    within_limits,
};
use crate::record::{Batch, Key, KeyRange, Record};
use readers::{Desk, Read};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, config::DbConfig, params};
use std::{
    fs::{self, OpenOptions},
    io,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::oneshot;

/// "zegl": tells `file(1)` and us whose file it is.
const APPLICATION_ID: i32 = 0x7a65_676c;
/// The version of the tables.
const SCHEMA: i32 = 1;
/// So many requests may wait; more are refused at once, which keeps the mail with its sender instead of in our memory.
const QUEUE: usize = 4096;
/// How long SQLite waits for its own locks: only a checkpoint ever does, for readers that take microseconds.
const BUSY_TIME: Duration = Duration::from_secs(5);

/// The database before it serves: what is read of it here is read in place.
pub(super) struct Database {
    path: PathBuf,
    connection: Connection,
}

impl Database {
    /// Makes a new one that holds one record. The file gets its name when all of it is on the disk: a crash leaves none, or a whole one.
    pub(super) fn create(path: &Path, first: (Key, String)) -> Result<Database, OpenError> {
        let unfinished = path.with_extension("new");
        let fault = |what: String| OpenError::new(path, format!("can't be made: {what}"), "look at the disk, and who owns the folder");
        for name in ["new", "new-wal", "new-shm", "new-journal"] {
            match fs::remove_file(path.with_extension(name)) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(fault(e.to_string())),
                _ => {}
            }
        }
        // SQLite gives its log the mode of this file.
        OpenOptions::new().create_new(true).write(true).mode(0o600).open(&unfinished).map_err(|e| fault(e.to_string()))?;
        make_tables(&unfinished, &first).map_err(|e| fault(e.to_string()))?;
        let named = fs::File::open(&unfinished).and_then(|file| file.sync_all()).and_then(|()| fs::rename(&unfinished, path));
        named.and_then(|()| folder::sync(path.parent().unwrap_or(path))).map_err(|e| fault(e.to_string()))?;
        Database::open(path)
    }

    /// Opens one that is there, and checks it when the last process did not end cleanly.
    pub(super) fn open(path: &Path) -> Result<Database, OpenError> {
        let fault = |what: String| OpenError::new(path, what, "restore it from a backup, with the blobs beside it");
        // A clean end leaves the log empty.
        let log = path.with_extension("db-wal");
        let unclean = fs::metadata(&log).is_ok_and(|metadata| metadata.len() > 0);
        let connection = connect(path).map_err(|e| fault(format!("can't be opened: {e}")))?;
        if connection.is_readonly("main").unwrap_or(false) {
            return Err(OpenError::new(path, "can't be written", "let the user that runs zegel own it, with mode 600"));
        }
        let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
        match (number("application_id"), number("user_version")) {
            (Ok(APPLICATION_ID), Ok(SCHEMA)) => {}
            (Ok(APPLICATION_ID), Ok(version)) => {
                let what = format!("was written by a newer zegel (format {version}, this one knows {SCHEMA})");
                return Err(OpenError::new(path, what, "install that version again"));
            }
            (Ok(_), Ok(_)) => return Err(fault("is no database of zegel".to_owned())),
            (Err(e), _) | (_, Err(e)) => return Err(fault(format!("can't be read: {e}"))),
        }
        if unclean {
            let found = connection.pragma_query_value(None, "quick_check", |row| row.get::<_, String>(0));
            match found.as_deref() {
                Ok("ok") => tracing::info!("the last process did not end cleanly; the database was checked and is whole"),
                Ok(what) => return Err(fault(format!("is damaged: {what}"))),
                Err(e) => return Err(fault(format!("is damaged: {e}"))),
            }
        }
        Ok(Database { path: path.to_owned(), connection })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// All records of `range`.
    pub(super) fn list(&self, range: &KeyRange) -> Result<Vec<(Key, Record)>, OpenError> {
        list(&self.connection, range, usize::MAX)
            .map_err(|e| OpenError::new(&self.path, format!("can't be read: {e}"), "restore it from a backup, with the blobs beside it"))
    }

    /// Starts to serve. `lock` is held until the last thread has ended.
    pub(super) fn start(self, failure: Failure, lock: Arc<Lock>) -> Result<SqliteStore, OpenError> {
        let fault = |e: String| OpenError::new(&self.path, format!("can't be served: {e}"), "look at the system's limits, and start again");
        let (readers, mut threads) = Desk::start(&self.path).map_err(|e| fault(e.to_string()))?;
        let (commits, jobs) = sync_channel(QUEUE);
        let (connection, ending) = (self.connection, failure.clone());
        let writer = std::thread::Builder::new().name("store-write".to_owned());
        let writer = writer.spawn(move || {
            writer::run(connection, &jobs, &ending);
            drop(lock);
        });
        threads.push(writer.map_err(|e| OpenError::new(&self.path, format!("can't be served: {e}"), "look at the system's limits"))?);
        Ok(SqliteStore { readers, commits: Some(commits), threads, failure })
    }
}

fn make_tables(path: &Path, (key, value): &(Key, String)) -> rusqlite::Result<()> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // auto_vacuum can be chosen before the first table only.
    connection.execute_batch(&format!(
        "PRAGMA auto_vacuum = INCREMENTAL;
         PRAGMA synchronous = FULL;
         PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {SCHEMA};
         CREATE TABLE record (key TEXT PRIMARY KEY, version INTEGER NOT NULL, value TEXT NOT NULL) STRICT;"
    ))?;
    let version = i64::try_from(Batch::new().version).unwrap_or_default();
    connection.execute("INSERT INTO record VALUES (?1, ?2, ?3)", params![key.as_str(), version, value])?;
    connection.close().map_err(|(_, e)| e)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY_TIME)?;
    // The checkpoints that SQLite makes by itself hide their errors, and one that hid an fsync's would let acknowledged data go: the writer
    // makes them all.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // temp_store: nothing of a record may reach another folder.
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF;
         PRAGMA temp_store = MEMORY;
         PRAGMA journal_mode = WAL;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA synchronous = FULL;
         PRAGMA secure_delete = ON;
         PRAGMA cache_size = -8192;",
    )?;
    Ok(connection)
}

fn connect_reader(path: &Path) -> rusqlite::Result<Connection> {
    let connection = connect(path)?;
    connection.execute_batch("PRAGMA query_only = ON;")?;
    Ok(connection)
}

/// Records in SQLite.
pub(super) struct SqliteStore {
    readers: Desk,
    /// `None` only while it closes.
    commits: Option<SyncSender<writer::Commit>>,
    threads: Vec<JoinHandle<()>>,
    failure: Failure,
}

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

impl SqliteStore {
    fn read<T>(&self, request: impl FnOnce(Answer<T>) -> Read) -> Asked<T> {
        self.failure.check()?;
        let (answer, answered) = oneshot::channel();
        self.readers.ask(request(answer)).map_err(|why| StoreError::Unavailable(why.to_owned()))?;
        Ok(answered)
    }

    fn write(&self, batch: Batch) -> Asked<()> {
        self.failure.check()?;
        let (answer, answered) = oneshot::channel();
        let commits = self.commits.as_ref().ok_or_else(|| StoreError::Unavailable("the store is closing".to_owned()))?;
        commits.try_send(writer::Commit { batch, answer }).map_err(|e| {
            StoreError::Unavailable(match e {
                TrySendError::Full(_) => format!("{QUEUE} requests wait already"),
                TrySendError::Disconnected(_) => "its thread has ended".to_owned(),
            })
        })?;
        Ok(answered)
    }
}

/// An answer to wait for.
type Asked<T> = Result<oneshot::Receiver<Result<T, StoreError>>, StoreError>;

async fn answered<T>(asked: Asked<T>) -> Result<T, StoreError> {
    asked?.await.unwrap_or_else(|_| Err(StoreError::Unavailable("its thread ended before it answered".to_owned())))
}

impl Store for SqliteStore {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        let asked = self.read(|answer| Read::Get(key.clone(), answer));
        Box::pin(answered(asked))
    }

    fn list<'a>(&'a self, range: &'a KeyRange, limit: usize) -> BoxFuture<'a, Result<Vec<(Key, Record)>, StoreError>> {
        let asked = self.read(|answer| Read::List(range.clone(), limit, answer));
        Box::pin(answered(asked))
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            within_limits(&batch)?;
            answered(self.write(batch)).await
        })
    }
}

impl Drop for SqliteStore {
    /// Answers what was asked, empties the log into the database, and releases the lock.
    fn drop(&mut self) {
        self.readers.close();
        drop(self.commits.take());
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

fn get(connection: &Connection, key: &Key) -> rusqlite::Result<Option<Record>> {
    let mut statement = connection.prepare_cached("SELECT version, value FROM record WHERE key = ?1")?;
    statement.query_row([key.as_str()], |row| Ok(Record { version: version(row.get(0)?), value: row.get(1)? })).optional()
}

fn list(connection: &Connection, range: &KeyRange, limit: usize) -> rusqlite::Result<Vec<(Key, Record)>> {
    let mut statement =
        connection.prepare_cached("SELECT key, version, value FROM record WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3")?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = statement.query_map(params![range.from, range.to, limit], |row| {
        let text: String = row.get(0)?;
        let key = Key::parse(&text).ok_or_else(|| {
            rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, "the database holds a key that is not ours".into())
        })?;
        Ok((key, Record { version: version(row.get(1)?), value: row.get(2)? }))
    })?;
    rows.collect()
}

/// Versions have 63 bits, so that they fit SQLite's integers.
fn version(kept: i64) -> u64 {
    u64::try_from(kept).unwrap_or_default()
}

fn unavailable(error: &rusqlite::Error) -> StoreError {
    StoreError::Unavailable(error.to_string())
}

/// Whether the disk can't be trusted any more after this error. A full disk can.
fn is_final(error: &rusqlite::Error) -> bool {
    // SQLITE_IOERR_SHMSIZE and SQLITE_IOERR_NOMEM: no room for the log's index, which is only rebuilt from the log; nothing was lost.
    const PASSING: [i32; 2] = [10 | 19 << 8, 10 | 12 << 8];
    match error.sqlite_error() {
        Some(e) if e.code == ErrorCode::SystemIoFailure => !PASSING.contains(&e.extended_code),
        Some(e) => matches!(e.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::ReadOnly),
        None => false,
    }
}

#[cfg(test)]
mod tests;
