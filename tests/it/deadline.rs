//! One deadline from the client's final dot: whatever is slow, the sender hears 451 in time and keeps the mail.

use crate::{
    sink::{Act, Sink},
    world::{ANNA, BURGER, gateway, mail, outside, send_to},
};
use arc_swap::ArcSwap;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{io::Write as _, net::SocketAddr, ops::Range, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::sync::{Semaphore, watch};
use zegel::{
    address::Domain,
    clock::{Clock as _, SystemClock},
    config,
    gateway::{Entrance, Texts, Times},
    record::{Batch, Key, KeyRange, Record},
    seal::Ciphertext,
    secret::Id,
    smtp::{
        self, Budget, ServerOptions, SpillFolder,
        client::{ClientOptions, NextHop, Routes},
    },
    store::{self, Blobs, BoxFuture, Opened, Room, Store, StoreError, StoreOptions},
    time::Time,
};

/// A gateway with times short enough to wait for.
struct Hurried {
    address: SocketAddr,
    large: Arc<Semaphore>,
    texts: Texts,
    _folder: TempDir,
    _stop: watch::Sender<bool>,
}

const HURRY: Times = Times { answer: Duration::from_secs(3), inspection: Duration::from_secs(1), commit: Duration::from_secs(1) };
/// Long enough for what must not be cut off.
const CALM: Times = Times { answer: Duration::from_secs(60), inspection: Duration::from_secs(60), commit: Duration::from_secs(5) };

impl Hurried {
    async fn before(hop: SocketAddr, times: Times, wrap: impl FnOnce(Opened) -> Opened) -> Hurried {
        let folder = TempDir::new().unwrap();
        let opened = store::open(&StoreOptions::new(folder.path().join("data"), folder.path().join("keys"), SystemClock.now())).unwrap();
        let opened = wrap(opened);
        let mut rulebook = config::built_in().unwrap();
        rulebook.internal = vec![Domain::parse("gemeente.example").unwrap()];
        let hop = NextHop::plain(&hop.ip().to_string(), hop.port());
        let routes = Routes::only(hop, ClientOptions::new("gw.example"));
        let gateway = gateway(Arc::new(ArcSwap::from_pointee(routes)), opened, rulebook, times);
        let (large, texts) = (gateway.large.clone(), gateway.texts.clone());
        let spill = Some(SpillFolder::new(folder.path(), 1 << 30));
        let allow = vec!["127.0.0.0/8".parse().unwrap()];
        let server = ServerOptions { allow, spill, ..ServerOptions::new("gw.example", Budget::new(64 << 20)) };
        let (listener, address) = crate::world::listen().await;
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(smtp::serve(listener, Arc::new(server), Arc::new(Entrance(Arc::new(gateway))), stopped));
        Hurried { address, large, texts, _folder: folder, _stop: stop }
    }

    async fn send(&self, octets: &[u8]) -> String {
        send_to(self.address, ANNA, &[BURGER], octets).await.to_string()
    }
}

/// A mail that is moved out of memory.
fn large() -> String {
    mail("Verslag", &"Een lange regel zonder iets bijzonders.\r\n".repeat(220_000))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_mail_waits_for_its_turn_and_not_longer() {
    let (outside, hop, _stop) = outside().await;
    let calm = Hurried::before(hop, CALM, |opened| opened).await;
    let hurried = Hurried::before(hop, HURRY, |opened| opened).await;
    let (place, other) = (calm.large.clone().acquire_owned().await.unwrap(), hurried.large.clone().acquire_owned().await.unwrap());
    assert!(hurried.send(large().as_bytes()).await.starts_with("451 4.3.0 The inspection"));
    assert!(hurried.send(mail("Kort", "Dinsdag.").as_bytes()).await.starts_with("250 "), "small mail does not wait");
    drop(other);
    let text = large();
    let waiting = calm.send(text.as_bytes());
    tokio::pin!(waiting);
    assert!(tokio::time::timeout(Duration::from_millis(200), &mut waiting).await.is_err());
    drop(place);
    let reply = waiting.await;
    assert!(reply.starts_with("250 "), "{reply}");
    assert!(outside.mails().last().unwrap().octets.ends_with(text.as_bytes()));
    assert_eq!(calm.large.available_permits(), 1);
}

/// A mail with an attachment that must be unpacked, and a body of so many octets.
fn with_attachment(octets: usize) -> String {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("lijst.txt", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(b"een, twee").unwrap();
    let zip = STANDARD.encode(zip.finish().unwrap().into_inner());
    let text = "Een lange regel zonder iets bijzonders.\r\n".repeat(octets / 41);
    let parts = format!(
        "--grens\r\nContent-Type: application/zip; name=lijst.zip\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n\
         {zip}\r\n--grens\r\n\r\n{text}--grens--\r\n"
    );
    mail("Bijlage", &parts).replace("text/plain; charset=utf-8", "multipart/mixed; boundary=grens")
}

#[tokio::test(flavor = "multi_thread")]
async fn while_many_texts_are_in_memory_only_mail_that_would_add_to_them_comes_later() {
    let (outside, hop, _stop) = outside().await;
    let gateway = Hurried::before(hop, HURRY, |opened| opened).await;
    let mut taken = Vec::new();
    while let Ok(Some(room)) = tokio::time::timeout(Duration::from_millis(10), gateway.texts.room(usize::MAX)).await {
        taken.push(room);
    }
    let (small, large) = (with_attachment(100), with_attachment(2 << 20));
    assert!(gateway.send(large.as_bytes()).await.starts_with("451 "), "it has room for the text of its attachment, or reads it without");
    assert!(gateway.send(small.as_bytes()).await.starts_with("250 "), "a small mail waits for large ones");
    assert!(
        gateway.send(mail("Lang", &"Dinsdag.\r\n".repeat(120_000)).as_bytes()).await.starts_with("250 "),
        "a mail without attachments waits"
    );
    drop(taken);
    assert!(gateway.send(large.as_bytes()).await.starts_with("250 "));
    let mails = outside.mails();
    assert!(mails[0].octets.ends_with(small.as_bytes()) && mails[2].octets.ends_with(large.as_bytes()), "both are clean");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_large_mail_is_relayed_the_next_one_is_judged() {
    let sink = Sink::start().await;
    sink.fails("DOT", Act::Hang);
    let gateway = Hurried::before(sink.address(), CALM, |opened| opened).await;
    let text = large();
    let first = gateway.send(text.as_bytes());
    tokio::pin!(first);
    assert!(tokio::time::timeout(Duration::from_millis(10), &mut first).await.is_err());
    tokio::select! {
        _ = &mut first => panic!("the next hop hangs"),
        () = sink.wait_for_mail_to(BURGER) => {}
    }
    assert_eq!(gateway.large.available_permits(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_hangs_is_451_in_time_and_nobody_is_told() {
    let (outside, hop, _stop) = outside().await;
    for hangs in [Hangs::Blobs, Hangs::Commits] {
        let gateway = Hurried::before(hop, HURRY, |opened| Opened {
            store: Arc::new(Stuck(opened.store, hangs)),
            blobs: Arc::new(Stuck(opened.blobs, hangs)),
            ..opened
        })
        .await;
        let reply = gateway.send(mail("[beveiligd] Besluit", &"Het besluit is positief.\r\n".repeat(400)).as_bytes()).await;
        assert!(reply.starts_with("451 4.4.5 "), "{hangs:?}: {reply}");
        assert!(gateway.send(mail("Kort", "Dinsdag.").as_bytes()).await.starts_with("250 "), "clean mail needs no store");
    }
    assert_eq!(outside.mails().len(), 2);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hangs {
    Blobs,
    Commits,
}

struct Stuck<T: ?Sized>(Arc<T>, Hangs);

impl Store for Stuck<dyn Store> {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        self.0.get(key)
    }
    fn list<'a>(&'a self, range: &'a KeyRange, limit: usize) -> BoxFuture<'a, Result<Vec<(Key, Record)>, StoreError>> {
        self.0.list(range, limit)
    }
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        if self.1 == Hangs::Commits { Box::pin(std::future::pending()) } else { self.0.commit(batch) }
    }
}

impl Blobs for Stuck<dyn Blobs> {
    fn put(&self, id: Id, content: Ciphertext) -> BoxFuture<'_, Result<(), StoreError>> {
        if self.1 == Hangs::Blobs { Box::pin(std::future::pending()) } else { self.0.put(id, content) }
    }
    fn get(&self, id: Id, range: Option<Range<u64>>) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        self.0.get(id, range)
    }
    fn delete(&self, id: Id) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.delete(id)
    }
    fn list(&self, before: Time) -> BoxFuture<'_, Result<Vec<Id>, StoreError>> {
        self.0.list(before)
    }
    fn room(&self) -> Room {
        self.0.room()
    }
}
