use super::{writer::Commit, *};
use crate::record::{Expect, Op};
use rusqlite::ffi;
use tempfile::TempDir;

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn put(at: &str, value: &str) -> Batch {
    Batch { ops: vec![Op::Put { key: key(at), value: value.to_owned(), expect: Expect::Anything }], ..Batch::new() }
}

fn create(folder: &TempDir) -> Database {
    Database::create(&folder.path().join("zegel.db"), (key("first/1"), "\"first\"".to_owned())).unwrap()
}

fn start(database: Database, folder: &TempDir, failure: Failure) -> SqliteStore {
    database.start(failure, Arc::new(Lock::take(folder.path(), Some("zegel.lock")).unwrap())).unwrap()
}

fn error(extended_code: i32) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(extended_code), None)
}

#[test]
fn a_failing_disk_ends_the_store_and_a_full_one_does_not() {
    for code in
        [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_TRUNCATE, ffi::SQLITE_CORRUPT]
    {
        assert!(is_final(&error(code)), "{code}");
    }
    for code in
        [ffi::SQLITE_FULL, ffi::SQLITE_BUSY, ffi::SQLITE_LOCKED, ffi::SQLITE_NOMEM, ffi::SQLITE_IOERR_SHMSIZE, ffi::SQLITE_IOERR_NOMEM]
    {
        assert!(!is_final(&error(code)), "{code}");
    }
}

#[tokio::test]
async fn after_a_failure_nothing_is_taken_until_the_next_start() {
    let folder = TempDir::new().unwrap();
    let failure = Failure::default();
    let store = start(create(&folder), &folder, failure.clone());
    store.commit(put("a/1", "1")).await.unwrap();
    failure.set("fsync: I/O error");
    assert!(matches!(store.commit(put("a/2", "2")).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.get(&key("a/1")).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(store.list(&KeyRange::under("a"), 9).await, Err(StoreError::Unavailable(_))));
    drop(store);
    assert!(std::fs::metadata(folder.path().join("zegel.db-wal")).unwrap().len() > 0, "the log was left as it was");
    let store = start(Database::open(&folder.path().join("zegel.db")).unwrap(), &folder, Failure::default());
    assert_eq!(store.get(&key("a/1")).await.unwrap().unwrap().value, "1");
    assert_eq!(store.get(&key("a/2")).await, Ok(None));
}

#[tokio::test]
async fn a_full_disk_refuses_and_then_goes_on() {
    let folder = TempDir::new().unwrap();
    let database = create(&folder);
    database.connection.pragma_update(None, "max_page_count", 60).unwrap();
    let failure = Failure::default();
    let store = start(database, &folder, failure.clone());
    let large = "x".repeat(Record::MAX_BYTES);
    let mut kept = 0;
    while store.commit(put(&format!("a/{kept}"), &large)).await.is_ok() {
        kept += 1;
    }
    assert!((5..60).contains(&kept), "{kept}");
    assert!(!failure.is_set());
    assert_eq!(store.list(&KeyRange::under("a"), 99).await.unwrap().len(), kept);
    let room = Batch { ops: vec![Op::Delete { key: key("a/0"), expect: Expect::Anything }], ..Batch::new() };
    store.commit(room).await.unwrap();
    store.commit(put("a/again", &large)).await.unwrap();
}

#[test]
fn what_was_deleted_is_in_no_file_when_house_was_kept() {
    let folder = TempDir::new().unwrap();
    let failure = Failure::default();
    let (jobs, queue) = sync_channel(9999);
    let mut answers = Vec::new();
    let mut commit = |batch: Batch| {
        let (answer, answered) = oneshot::channel();
        jobs.send(Commit { batch, answer }).unwrap();
        answers.push(answered);
    };
    let secret = |n: usize| format!("\"planted {n} {}\"", "secret ".repeat(1000));
    (0..2000).for_each(|n| commit(put(&format!("a/{n}"), &secret(n))));
    commit(Batch {
        ops: (0..2000).map(|n| Op::Delete { key: key(&format!("a/{n}")), expect: Expect::Anything }).collect(),
        ..Batch::new()
    });
    drop(jobs);
    let database = create(&folder);
    writer::serve_then_keep_house(database.connection, &queue, &failure);
    assert!(answers.into_iter().all(|mut answer| answer.try_recv().unwrap().is_ok()));

    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let path = entry.unwrap().path();
        let content = std::fs::read(&path).unwrap();
        assert!(!content.windows(7).any(|window| window == b"secret "), "{}", path.display());
        assert!(content.len() < 6_000_000, "{} has {} bytes: its pages were not given back", path.display(), content.len());
    }
    assert!(!failure.is_set());
}

#[test]
fn files_of_others_and_of_newer_versions_are_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("zegel.db");
    let refused = |sql: &str| {
        let _ = std::fs::remove_file(&path);
        drop(create(&folder));
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(sql).unwrap();
        drop(connection);
        Database::open(&path).map(drop).unwrap_err().to_string()
    };
    assert!(refused("PRAGMA user_version = 2").contains("newer zegel"));
    assert!(refused("PRAGMA application_id = 0").contains("no database of zegel"));
    std::fs::write(&path, "hello, this is a text").unwrap();
    assert!(Database::open(&path).map(drop).unwrap_err().to_string().contains("zegel.db"));
}

#[test]
fn damage_is_found_after_an_unclean_end() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("zegel.db");
    let database = create(&folder);
    for n in 0..200 {
        let value = "x".repeat(500);
        database.connection.execute("INSERT INTO record VALUES (?1, 1, ?2)", params![format!("a/{n}"), value]).unwrap();
    }
    database.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    // A log that is not empty is what a crash leaves.
    database.connection.execute("INSERT INTO record VALUES ('b/1', 1, '{}')", []).unwrap();
    drop(database);
    assert!(std::fs::metadata(path.with_extension("db-wal")).unwrap().len() > 0);
    Database::open(&path).unwrap();

    let mut content = std::fs::read(&path).unwrap();
    let middle = content.len() / 2 / 4096 * 4096;
    content[middle..middle + 4096].fill(0xa5);
    std::fs::write(&path, content).unwrap();
    let text = Database::open(&path).map(drop).unwrap_err().to_string();
    assert!(text.contains("is damaged") && text.contains("backup"), "{text}");
}

#[test]
fn what_a_crash_left_of_a_new_database_is_made_anew() {
    let folder = TempDir::new().unwrap();
    for name in ["zegel.new", "zegel.new-journal", "zegel.new-wal"] {
        std::fs::write(folder.path().join(name), "half").unwrap();
    }
    let database = create(&folder);
    assert_eq!(database.list(&KeyRange::under("first")).unwrap()[0].1.value, "\"first\"");
    use std::os::unix::fs::PermissionsExt;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
}
