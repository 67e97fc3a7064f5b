//! One row that cannot be read, or cannot be claimed, made the outbox try it again at once and for ever; sixteen of them kept all mail from leaving.
//! One such row among those that expire kept everything behind it, the keys of past days included.

use crate::world::{ANNA, BURGER, World, mail};
use arc_swap::ArcSwap;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::sync::{Notify, watch};
use zegel::{
    address::Address,
    clock::{Clock as _, SetClock},
    config::Config,
    notice::Organisation,
    outbox::{self, Outbox, Slow, UnderWay},
    record::{Batch, Expect, FORMAT, Key, KeyRange, Mail, Op, Record, Sealed},
    secret::Id,
    smtp::client::{ClientOptions, NextHop, Routes},
    store::{self, BoxFuture, Store, StoreError, StoreOptions, memory::MemoryStore},
    time::Time,
};

/// A record of a version to come.
const LATER_VERSION: &str = r#"{"v":9}"#;

fn unreadable(key: Key) -> Op {
    Op::Put { key, value: LATER_VERSION.to_owned(), expect: Expect::Absent }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_cannot_be_read_keep_no_mail_from_leaving() {
    let world = World::new().await;
    let mut batch = Batch::new();
    batch.ops.extend((0..40).map(|_| unreadable(Key::outbox(Time::from_millis(0), Id::random()))));
    world.opened.store.commit(batch).await.unwrap();
    assert_eq!(world.send(ANNA, &[BURGER], mail("[beveiligd] Besluit", "x").as_bytes()).await.code(), 250);
    world.mails_for(BURGER, 1).await;
    // They stay: a newer version may know what they are.
    let rows = world.opened.store.list(&KeyRange::under("outbox"), 100).await.unwrap();
    assert_eq!(rows.iter().filter(|(_, row)| row.value == LATER_VERSION).count(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_expiry_that_cannot_be_read_keeps_nothing_from_going() {
    let world = World::new().await;
    world.send(ANNA, &[BURGER], mail("[beveiligd] Besluit", "x").as_bytes()).await;
    let link = world.mails_for(BURGER, 1).await[0].link(&world.portal).unwrap();
    let mut batch = Batch::new();
    let id = Id::parse("00000000000000000000000000000000").unwrap();
    batch.ops.push(unreadable(Key::expiry(Time::from_millis(0).day(), id)));
    world.opened.store.commit(batch).await.unwrap();
    world.clock.advance(Duration::from_secs(33 * 24 * 3600));
    let _ = world.running.parts.sweep.round().await;
    assert!(world.open_link(&link).await.is_none());
    let keys: Vec<_> = std::fs::read_dir(world.folder.path().join("keys")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(keys.iter().all(|k| !k.to_string_lossy().starts_with("20")), "the key of the day is destroyed: {keys:?}");
}

/// A store whose disk is full, and that counts how often the outbox looks.
struct Full(MemoryStore, AtomicUsize);

impl Store for Full {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        self.0.get(key)
    }
    fn list<'a>(&'a self, range: &'a KeyRange, limit: usize) -> BoxFuture<'a, Result<Vec<(Key, Record)>, StoreError>> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.list(range, limit)
    }
    fn commit(&self, _: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(std::future::ready(Err(StoreError::Unavailable("the disk is full".to_owned()))))
    }
}

#[tokio::test]
async fn a_row_that_cannot_be_claimed_is_tried_again_with_patience() {
    let folder = TempDir::new().unwrap();
    let config = crate::world::configuration(
        "http://127.0.0.1:1",
        crate::process::free_port(),
        crate::process::free_port(),
        crate::process::free_port(),
    );
    std::fs::write(folder.path().join("zegel.toml"), config).unwrap();
    let config = Config::load(&folder.path().join("zegel.toml")).unwrap_or_else(|faults| panic!("{faults:#?}"));
    let clock = Arc::new(SetClock::at(Time::from_millis(1_800_000_000_000)));
    let opened = store::open(&StoreOptions::new(folder.path().join("data"), folder.path().join("keys"), clock.now())).unwrap();

    let full = Full(MemoryStore::new(), AtomicUsize::new(0));
    let mut batch = Batch::new();
    let row = Mail {
        v: FORMAT,
        at: clock.now(),
        about: Id::random(),
        grant: None,
        openly: None,
        only_if: None,
        tries: 0,
        claimed: false,
        delay_told: false,
        letter: Sealed(Vec::new()),
    };
    batch.put(Key::outbox(clock.now(), Id::random()), &row, Expect::Absent);
    full.0.commit(batch).await.unwrap();
    let wake = Arc::new(Notify::new());
    let store = Arc::new(full);
    let (_, tray) = outbox::claiming(store.clone(), clock.clone(), wake.clone());
    let (stop, stopped) = watch::channel(false);
    let outbox = Arc::new(Outbox {
        store: store.clone(),
        keyring: opened.keyring.clone(),
        routes: Arc::new(ArcSwap::from_pointee(Routes::only(NextHop::plain("127.0.0.1", 1), ClientOptions::new("zegel.example")))),
        templates: Arc::new(ArcSwap::from_pointee(config.templates)),
        organisation: Arc::new(ArcSwap::from_pointee(organisation())),
        clock,
        wake,
        under_way: UnderWay::default(),
        slow: Slow::default(),
        blobs: Arc::new(zegel::store::memory::MemoryBlobs::new()),
        loop_header: None,
        large: Arc::new(tokio::sync::Semaphore::new(1)),
    });
    let running = tokio::spawn(outbox.run(tray, stopped));
    // On one thread each turn given away lets the outbox go once around, unless it waits.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
    }
    let looks = store.1.load(Ordering::SeqCst);
    stop.send(true).unwrap();
    running.await.unwrap();
    assert!(looks < 100, "{looks} looks without a wait");
}

pub(crate) fn organisation() -> Organisation {
    Organisation {
        name: "Gemeente Voorbeeld".to_owned(),
        from: Address::parse("zegel@gemeente.example").unwrap(),
        url: "http://127.0.0.1:1".to_owned(),
        language: "nl".to_owned(),
        hostname: "zegel.voorbeeld.example".to_owned(),
        bounces: None,
        signer: None,
    }
}
