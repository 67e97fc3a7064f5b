use super::*;
use crate::{
    record::{Key, KeyRange},
    secret::Id,
    store::{Room, StoreError},
    time::Day,
};
use std::{fs, os::unix::fs::PermissionsExt, time::Duration};
use tempfile::TempDir;

/// A folder with `data` and `keys`, as beside a configuration.
struct Place(TempDir);

impl Place {
    fn new() -> Place {
        Place(TempDir::new().unwrap())
    }

    fn options(&self) -> StoreOptions {
        StoreOptions::new(self.data(""), self.keys(""), now())
    }

    fn open(&self) -> Opened {
        open(&self.options()).unwrap()
    }

    /// Why it is not opened.
    fn refused(&self) -> String {
        open(&self.options()).map(drop).unwrap_err().to_string()
    }

    fn data(&self, name: &str) -> PathBuf {
        self.0.path().join("data").join(name)
    }

    fn keys(&self, name: &str) -> PathBuf {
        self.0.path().join("keys").join(name)
    }

    fn all_keys(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.keys("")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn now() -> Time {
    day("2026-12-21").begins()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn check(text: &str, file: &str, words: &str) {
    assert!(text.contains(file) && text.contains(words), "{text}");
}

#[tokio::test]
async fn a_new_store_makes_its_master_key_and_knows_it_again() {
    let place = Place::new();
    let made = *place.open().keyring.master().expose();
    assert_eq!(place.all_keys(), ["master-1"]);
    assert_eq!(*place.open().keyring.master().expose(), made);
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for (path, wanted) in
        [(place.data(""), 0o700), (place.keys(""), 0o700), (place.keys("master-1"), 0o600), (place.data("zegel.db"), 0o600)]
    {
        assert_eq!(mode(path.clone()), wanted, "{}", path.display());
    }
}

#[tokio::test]
async fn a_key_made_beforehand_or_before_a_crash_is_used() {
    let place = Place::new();
    let made = *keys::make_master(&place.keys("")).unwrap().expose();
    assert!(keys::make_master(&place.keys("")).is_err(), "never over another");
    assert_eq!(*place.open().keyring.master().expose(), made);
}

#[tokio::test]
async fn a_store_without_its_master_key_stops_and_makes_no_other() {
    let place = Place::new();
    drop(place.open());
    let content = fs::read(place.keys("master-1")).unwrap();
    fs::remove_file(place.keys("master-1")).unwrap();
    check(&place.refused(), "keys/master-1", "the master key is missing");
    assert!(place.all_keys().is_empty());

    keys::make_master(&place.keys("")).unwrap();
    check(&place.refused(), "keys/master-1", "not the master key with which this store was made");
    fs::write(place.keys("master-1"), "0123").unwrap();
    check(&place.refused(), "keys/master-1", "64 hexadecimal digits");
    fs::write(place.keys("master-1"), content).unwrap();
    place.open();
}

#[tokio::test]
async fn a_master_key_may_come_from_the_service_manager() {
    let place = Place::new();
    let made = *place.open().keyring.master().expose();
    let credentials = place.0.path().join("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::rename(place.keys("master-1"), credentials.join("zegel-master-1")).unwrap();
    let options = StoreOptions { credentials: Some(credentials), ..place.options() };
    assert_eq!(*open(&options).unwrap().keyring.master().expose(), made);
}

#[tokio::test]
async fn keys_that_others_may_read_are_refused() {
    let place = Place::new();
    place.open().keyring.bucket(day("2026-12-31")).await.unwrap();
    for name in ["master-1", "2026-12-31"] {
        fs::set_permissions(place.keys(name), fs::Permissions::from_mode(0o640)).unwrap();
        check(&place.refused(), name, "others may read it");
        fs::set_permissions(place.keys(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    place.open();
}

#[tokio::test]
async fn keys_within_the_stores_folder_are_refused() {
    let place = Place::new();
    let options = StoreOptions { keys: place.data("keys"), ..place.options() };
    check(&open(&options).map(drop).unwrap_err().to_string(), "data/keys", "within the folder of the store");
    let around = StoreOptions { keys: place.data("../data/keys"), ..place.options() };
    assert!(open(&around).is_err());
}

#[tokio::test]
async fn a_folder_is_used_by_one_zegel_at_a_time() {
    let place = Place::new();
    let opened = place.open();
    check(&place.refused(), "zegel.lock", "another zegel");
    // The same keys under another store.
    let other = StoreOptions { path: place.0.path().join("other"), ..place.options() };
    check(&open(&other).map(drop).unwrap_err().to_string(), "keys", "another zegel");
    assert!(!place.0.path().join("other/zegel.db").exists());
    drop(opened);
    place.open();
}

#[tokio::test]
async fn messages_without_a_database_are_not_swept_as_orphans_of_a_new_one() {
    let place = Place::new();
    drop(place.open());
    fs::rename(place.data("zegel.db"), place.data("zegel.elsewhere")).unwrap();
    drop(place.open());
    fs::remove_file(place.data("zegel.db")).unwrap();
    fs::write(place.data("blobs/ab").join("ab".repeat(16)), "sealed").unwrap();
    check(&place.refused(), "zegel.db", "is missing, though there are sealed messages");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_has_one_key_whoever_is_first() {
    let place = Place::new();
    let opened = place.open();
    assert!(opened.keyring.existing(day("2026-12-31")).is_none());
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let keyring = opened.keyring.clone();
            tokio::spawn(async move { keyring.bucket(day("2026-12-31")).await.unwrap() })
        })
        .collect();
    let mut made = Vec::new();
    for task in tasks {
        made.push(task.await.unwrap());
    }
    assert!(made.iter().all(|bucket| Arc::ptr_eq(bucket, &made[0])));
    assert_eq!(place.all_keys(), ["2026-12-31", "master-1"]);

    // What was wrapped with it opens after a restart.
    let (token, key) = (crate::secret::Token::random(), seal::ContentKey::random());
    let (message, salts) = (Id::random(), [seal::Salt::random(), seal::Salt::random()]);
    let wrap = seal::wrap(&opened.keyring.master(), &made[0], &token, message, &key, salts);
    drop(opened);
    let keyring = place.open().keyring;
    let bucket = keyring.existing(day("2026-12-31")).unwrap();
    assert!(seal::unwrap(&keyring.master(), &bucket, &token, message, &wrap).is_ok());
}

#[tokio::test]
async fn a_missing_key_of_a_day_in_use_stops_the_store_naming_the_file() {
    let place = Place::new();
    {
        let opened = place.open();
        for text in ["2026-12-20", "2026-12-21", "2026-12-31"] {
            opened.keyring.bucket(day(text)).await.unwrap();
        }
    }
    // Past: destroyed as it should be, and used again by a restored database.
    fs::remove_file(place.keys("2026-12-20")).unwrap();
    let keyring = place.open().keyring;
    assert!(matches!(keyring.bucket(day("2026-12-20")).await, Err(StoreError::Unavailable(what)) if what.contains("2026-12-20")));
    drop(keyring);
    for text in ["2026-12-21", "2026-12-31"] {
        let kept = fs::read(place.keys(text)).unwrap();
        fs::remove_file(place.keys(text)).unwrap();
        check(&place.refused(), &format!("keys/{text}"), "the key of a day in use is missing");
        assert!(!place.keys(text).exists(), "never silently made anew");

        fs::write(place.keys(text), &kept[..100]).unwrap();
        fs::set_permissions(place.keys(text), fs::Permissions::from_mode(0o600)).unwrap();
        check(&place.refused(), &format!("keys/{text}"), "damaged");
        fs::write(place.keys(text), &kept).unwrap();
    }
    place.open();
}

#[tokio::test]
async fn days_that_have_passed_are_destroyed_for_good() {
    let place = Place::new();
    let opened = place.open();
    for text in ["2026-12-19", "2026-12-20", "2026-12-21"] {
        opened.keyring.bucket(day(text)).await.unwrap();
    }
    opened.keyring.destroy_until(day("2026-12-20")).await.unwrap();
    assert_eq!(place.all_keys(), ["2026-12-21", "master-1"]);
    assert!(opened.keyring.existing(day("2026-12-19")).is_none());
    let rows = opened.store.list(&KeyRange::under("bucket"), 9).await.unwrap();
    assert_eq!(rows.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["bucket/2026-12-21"]);
    drop((opened, rows));
    place.open();
}

#[tokio::test]
async fn a_key_that_can_not_be_written_is_not_used() {
    let place = Place::new();
    let opened = place.open();
    fs::create_dir(place.keys(".2026-12-31.tmp")).unwrap(); // In the way of the new file, for root too.
    assert!(matches!(opened.keyring.bucket(day("2026-12-31")).await, Err(StoreError::Unavailable(_))));
    assert!(opened.keyring.existing(day("2026-12-31")).is_none());
    assert_eq!(opened.store.get(&Key::parse("bucket/2026-12-31").unwrap()).await, Ok(None));
    assert!(!opened.failure.is_set(), "nothing was lost");
    fs::remove_dir(place.keys(".2026-12-31.tmp")).unwrap();
    opened.keyring.bucket(day("2026-12-31")).await.unwrap();
}

fn blob() -> seal::Ciphertext {
    seal::seal(&seal::Key::new([1; 32]), &seal::part_context(Id([0; 16]), Id([0; 16])), seal::Salt::random(), b"part")
}

#[tokio::test]
async fn orphans_are_found_by_age_and_never_while_they_may_be_in_flight() {
    let place = Place::new();
    let (young, unfinished) = (Id::random(), Id::random());
    let opened = place.open();
    opened.blobs.put(young, blob()).await.unwrap();
    assert_eq!(opened.blobs.list(Time::MAX).await, Ok(vec![]), "whatever the wall clock says");
    drop(opened);

    let name = unfinished.to_string();
    let left = place.data("blobs").join(&name[..2]).join(format!(".{name}.tmp"));
    fs::write(&left, "half").unwrap();
    let opened = place.open();
    assert_eq!(opened.blobs.list(now().minus(Duration::from_secs(3600 * 24 * 365 * 50))).await, Ok(vec![]));
    assert!(left.exists());
    assert_eq!(opened.blobs.list(Time::MAX).await, Ok(vec![young]));
    assert!(!left.exists(), "what a crash left unfinished goes too");
}

#[tokio::test]
async fn a_blob_that_can_not_be_written_is_said_so_and_the_next_one_is_kept() {
    let place = Place::new();
    let opened = place.open();
    let id = Id([0xab; 16]);
    fs::remove_dir(place.data("blobs/ab")).unwrap();
    assert!(matches!(opened.blobs.put(id, blob()).await, Err(StoreError::Unavailable(_))));
    fs::create_dir(place.data("blobs/ab")).unwrap();
    opened.blobs.put(id, blob()).await.unwrap();
    // A name is written once.
    assert!(matches!(opened.blobs.put(id, blob()).await, Err(StoreError::Unavailable(_))));
    assert!(!opened.failure.is_set());
    opened.failure.set("fsync: I/O error");
    assert!(matches!(opened.blobs.put(Id::random(), blob()).await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn little_room_is_told_before_a_body_is_read() {
    let place = Place::new();
    let with = |limits| open(&StoreOptions { limits, ..place.options() }).unwrap().blobs.room();
    let limits = FileLimits { reserve_bytes: 0, reserve_percent: 0, ..FileLimits::default() };
    assert_eq!(with(limits), Room::Enough);
    assert_eq!(with(FileLimits { reserve_bytes: u64::MAX, ..limits }), Room::Short);
    assert_eq!(with(FileLimits { reserve_percent: 101, ..limits }), Room::Short);
}
