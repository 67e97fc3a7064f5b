//! Every step of protecting a mail is made to fail in turn: 2xx means that nobody is lost, and nothing leaks whatever happens.

use crate::world::{ANNA, BURGER, COLLEGA, World, contains, mail, open_approval};
use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::Notify;
use zegel::{
    address::Address,
    clock::Clock,
    grant::{self, About},
    message::Message,
    notice::Letter,
    record::{Batch, Key, KeyRange, Op, Record},
    seal::Ciphertext,
    secret::{Id, Secret},
    store::{Blobs, BoxFuture, Opened, Room, Store, StoreError},
    time::Time,
};

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fails {
    /// Before anything happened.
    Before,
    /// After it happened: the outcome is unknown to the caller.
    After,
    /// By a bug.
    Panics,
}

/// Whose calls are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    /// The gateway's: everything but what follows.
    Gateways,
    /// The outbox's: commits that move or delete its rows.
    Outboxes,
}

/// Fails at call number `at` from the moment it is armed, over store and blobs together.
#[derive(Clone)]
pub(crate) struct Trap {
    calls: Arc<AtomicUsize>,
    reached: Arc<Notify>,
    at: usize,
    how: Fails,
    whose: Whose,
}

/// No call is counted before the trap is armed: start-up is another test's business.
const DISARMED: usize = usize::MAX / 2;

impl Trap {
    pub(crate) fn new(whose: Whose, at: usize, how: Fails) -> Trap {
        Trap { calls: Arc::new(AtomicUsize::new(DISARMED)), reached: Arc::default(), at, how, whose }
    }

    pub(crate) fn arm(&self) {
        self.calls.store(0, Ordering::SeqCst);
    }

    pub(crate) fn disarm(&self) {
        self.calls.store(DISARMED, Ordering::SeqCst);
    }

    /// Waits until it is reached; whether it was.
    async fn springs(&self) -> bool {
        tokio::time::timeout(Duration::from_secs(30), self.reached.notified()).await.is_ok()
    }

    pub(crate) fn sprung(&self) -> bool {
        let calls = self.calls.load(Ordering::SeqCst);
        calls > self.at && calls < DISARMED
    }

    pub(crate) fn set(&self, opened: Opened) -> Opened {
        Opened { store: Arc::new(Faulty(opened.store, self.clone())), blobs: Arc::new(Faulty(opened.blobs, self.clone())), ..opened }
    }

    /// Runs `call` unless it is its turn to fail.
    async fn around<T>(&self, whose: Whose, call: BoxFuture<'_, Result<T, StoreError>>) -> Result<T, StoreError> {
        if whose != self.whose {
            return call.await;
        }
        let broken = || StoreError::Unavailable("made to fail".to_owned());
        if self.calls.fetch_add(1, Ordering::SeqCst) != self.at {
            return call.await;
        }
        self.reached.notify_one();
        match self.how {
            Fails::Before => Err(broken()),
            Fails::After => call.await.and(Err(broken())),
            Fails::Panics => panic!("made to fail"),
        }
    }
}

/// The sweep writes down how far it has gone at moments of its own: counting that would make the count depend on time.
fn of_the_sweep(key: &Key) -> bool {
    key.as_str().starts_with("sweep/")
}

struct Faulty<T: ?Sized>(Arc<T>, Trap);

impl Store for Faulty<dyn Store> {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        if of_the_sweep(key) {
            return self.0.get(key);
        }
        // Messages and grants are read by the outbox, at moments of its own.
        let whose =
            if key.as_str().starts_with("message/") || key.as_str().starts_with("grant/") { Whose::Outboxes } else { Whose::Gateways };
        Box::pin(self.1.around(whose, self.0.get(key)))
    }
    fn list<'a>(&'a self, range: &'a KeyRange, limit: usize) -> BoxFuture<'a, Result<Vec<(Key, Record)>, StoreError>> {
        // Listing is the outbox's and the sweeper's poll: it would make the count depend on time.
        self.0.list(range, limit)
    }
    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        if batch.ops.iter().any(|op| matches!(op, Op::Put { key, .. } if of_the_sweep(key))) {
            return self.0.commit(batch);
        }
        let moves = |op: &Op| matches!(op, Op::Delete { key, .. } if key.as_str().starts_with("outbox/"));
        let whose = if batch.ops.iter().any(moves) { Whose::Outboxes } else { Whose::Gateways };
        Box::pin(self.1.around(whose, self.0.commit(batch)))
    }
}

impl Blobs for Faulty<dyn Blobs> {
    fn put(&self, id: Id, content: Ciphertext) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.1.around(Whose::Gateways, self.0.put(id, content)))
    }
    fn get(&self, id: Id, range: Option<Range<u64>>) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        Box::pin(self.1.around(Whose::Gateways, self.0.get(id, range)))
    }
    fn delete(&self, id: Id) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.1.around(Whose::Gateways, self.0.delete(id)))
    }
    fn list(&self, before: Time) -> BoxFuture<'_, Result<Vec<Id>, StoreError>> {
        self.0.list(before)
    }
    fn room(&self) -> Room {
        self.0.room()
    }
}

const BODY: &str = "Het besluit is positief, zegt de commissie.";

const SECRET: &str = "Het BSN van mevrouw Bakker is 111222333.";

/// One mail to one clean and one protected recipient, with the trap at call `at`. Says whether the trap was reached.
async fn round(to: &[&str], at: usize, how: Fails) -> bool {
    let trap = Trap::new(Whose::Gateways, at, how);
    let world = World::with(
        |folder| {
            // Only outside does the word protect: so one mail has both kinds of recipients.
            std::fs::create_dir(folder.join("policies")).unwrap();
            let policy = "[[policy]]\nname = \"woord\"\nwhen = { rule = \"activation-word\", to = \"external\" }\nthen = \"level 1\"\n\
                          [[policy]]\nname = \"onleesbaar\"\nwhen = { problem = [\"damaged\"], to = \"external\" }\nthen = \"level 1\"\n";
            std::fs::write(folder.join("policies/test.toml"), policy).unwrap();
        },
        |opened| trap.set(opened),
    )
    .await;
    // Too long for its record: a blob is among the steps.
    let sensitive = mail("[beveiligd] Besluit", &format!("{BODY}\r\n").repeat(200));
    trap.arm();
    let first = world.send(ANNA, to, sensitive.as_bytes()).await;
    let sprung = trap.sprung();
    let taken_at_once = first.is_positive();
    // As a mail server does: until it is taken.
    trap.disarm();
    let mut reply = first;
    for _ in 0..3 {
        if !reply.is_positive() {
            assert_eq!(reply.code() / 100, 4, "{how:?} at {at}: a failure of ours is temporary: {reply}");
            reply = world.send(ANNA, to, sensitive.as_bytes()).await;
        }
    }
    assert!(reply.is_positive(), "{how:?} at {at}: never taken: {reply}");

    let notifications = world.mails_for(BURGER, 1).await;
    for notification in &notifications {
        assert!(!contains(&notification.octets, BODY.as_bytes()), "{how:?} at {at}: leaked");
    }
    let opening = world.open_link(&notifications[0].link(&world.portal).expect("a link")).await.expect("it opens");
    assert!(opening.holds(BODY), "{how:?} at {at}");
    if to.contains(&COLLEGA) {
        let originals = world.mails_for(COLLEGA, 1).await;
        assert!(originals.iter().all(|m| m.octets.ends_with(sensitive.as_bytes())));
        assert!(originals.len() == 1 || !taken_at_once, "{how:?} at {at}: a mail taken at once is relayed once");
    }
    // Nothing more comes: another mail's notification leaves behind all of this one's.
    world.send(ANNA, &["laatste@post.example"], mail("[beveiligd] Laatste", "x").as_bytes()).await;
    world.mails_for("laatste@post.example", 1).await;
    assert_eq!(world.delivered_to(BURGER).len(), 1, "{how:?} at {at}: {:?}", world.subjects());
    world.running.stop().await;
    sprung
}

/// One mail that needs a number which nobody has, with the trap at call `at`. Says whether the trap was reached.
async fn held(at: usize, how: Fails) -> bool {
    let trap = Trap::new(Whose::Gateways, at, how);
    let world = World::with(|_| {}, |opened| trap.set(opened)).await;
    let secret = mail("Dossier", SECRET);
    trap.arm();
    let mut reply = world.send(ANNA, &[BURGER], secret.as_bytes()).await;
    let sprung = trap.sprung();
    trap.disarm();
    for _ in 0..3 {
        if !reply.is_positive() {
            assert_eq!(reply.code() / 100, 4, "{how:?} at {at}: a failure of ours is temporary: {reply}");
            reply = world.send(ANNA, &[BURGER], secret.as_bytes()).await;
        }
    }
    assert!(reply.is_positive(), "{how:?} at {at}: never taken: {reply}");
    let asked = world.mails_for(ANNA, 1).await;
    let link = asked[0].link(&world.portal).expect("a link");
    let (_, parts) = open_approval(&world.opened, &link).await.unwrap_or_else(|| panic!("{how:?} at {at}: the number page opens nothing"));
    assert!(parts.iter().any(|part| contains(part, SECRET.as_bytes())), "{how:?} at {at}");
    world.send(ANNA, &["laatste@post.example"], mail("[beveiligd] Laatste", "x").as_bytes()).await;
    world.mails_for("laatste@post.example", 1).await;
    assert_eq!(world.delivered_to(ANNA).len(), 1, "{how:?} at {at}: {:?}", world.subjects());
    assert!(world.delivered_to(BURGER).is_empty(), "{how:?} at {at}");
    world.running.stop().await;
    sprung
}

/// Plays a round for every call that can fail, and every way it can; at least so many of them there are.
async fn every_step(least: usize, round: impl AsyncFn(usize, Fails) -> bool) {
    for how in [Fails::Before, Fails::After, Fails::Panics] {
        let mut steps = 0;
        while round(steps, how).await {
            steps += 1;
            assert!(steps < 60, "{how:?}: no end of steps");
        }
        assert!(steps >= least, "{how:?}: only {steps} steps were made to fail");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_means_nobody_is_lost_and_nothing_leaks() {
    every_step(3, async |at, how| round(&[BURGER], at, how).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_means_nobody_is_lost_when_some_get_the_mail_itself() {
    every_step(4, async |at, how| round(&[COLLEGA, BURGER], at, how).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_means_the_sender_is_asked_for_the_number_that_is_missing() {
    every_step(3, held).await;
}

/// One notification, posted by `post`, with the trap at the outbox's call `at`. Says whether it was reached.
async fn delivery(at: usize, how: Fails, post: impl AsyncFn(&World)) -> bool {
    let trap = Trap::new(Whose::Outboxes, at, how);
    let world = World::with(|_| {}, |opened| trap.set(opened)).await;
    trap.arm();
    post(&world).await;
    // Else it could be the other mail's step that fails.
    if !trap.springs().await {
        return false;
    }
    for _ in 0..20 {
        // Another mail's way through the outbox shows that this one's has come to its end or to a wait.
        let other = format!("ander{}@post.example", world.outside.mails().len());
        world.send(ANNA, &[&other], mail("[beveiligd] Ander", "x").as_bytes()).await;
        world.mails_for(&other, 1).await;
        if !world.delivered_to(BURGER).is_empty() {
            break;
        }
        // Past the lease of a claim whose worker died, and past the first back-off.
        world.clock.advance(Duration::from_secs(660));
        world.running.parts.wake.notify_one();
    }
    let came = world.delivered_to(BURGER);
    assert!(!came.is_empty(), "{how:?} at {at}: never notified");
    let ids: std::collections::BTreeSet<_> = came.iter().map(|m| Message::new(m.octets.clone()).facts().message_id).collect();
    assert!(ids.len() == 1 && came.len() <= 2, "{how:?} at {at}: {:?}", world.subjects());
    world.running.stop().await;
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_leaves_whichever_step_of_its_delivery_fails() {
    for how in [Fails::Before, Fails::After, Fails::Panics] {
        for at in 0..3 {
            let post = async |world: &World| {
                assert!(world.send(ANNA, &[BURGER], mail("[beveiligd] Besluit", BODY).as_bytes()).await.is_positive());
            };
            assert!(delivery(at, how, post).await, "{how:?} at {at} was never reached");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_lay_in_the_outbox_leaves_whichever_step_of_its_delivery_fails() {
    for how in [Fails::Before, Fails::After, Fails::Panics] {
        for at in 0..3 {
            assert!(delivery(at, how, lie_in_the_outbox).await, "{how:?} at {at} was never reached");
        }
    }
}

/// As a mail that nobody claimed when it was posted, since there were many.
async fn lie_in_the_outbox(world: &World) {
    let to = Address::parse(BURGER).unwrap();
    let (password, until) = (Secret::new("x".to_owned()), world.clock.now().plus(Duration::from_secs(900)));
    let letter = Letter::Password { recipient: to, password, grant: Id::random(), until, language: "nl".to_owned() };
    let mut batch = Batch::new();
    let about = About::message(Id::random());
    grant::post(&mut batch, &world.opened.keyring.master(), &letter, about, world.clock.now());
    world.opened.store.commit(batch).await.unwrap();
    world.running.parts.wake.notify_one();
}

#[tokio::test(flavor = "multi_thread")]
async fn clean_mail_flows_while_the_store_is_gone() {
    struct Gone;
    fn gone<T>() -> BoxFuture<'static, Result<T, StoreError>>
    where
        T: Send + 'static,
    {
        Box::pin(std::future::ready(Err(StoreError::Unavailable("gone".to_owned()))))
    }
    impl Store for Gone {
        fn get<'a>(&'a self, _: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
            gone()
        }
        fn list<'a>(&'a self, range: &'a KeyRange, _: usize) -> BoxFuture<'a, Result<Vec<(Key, Record)>, StoreError>> {
            // At start it is there.
            if range.from.starts_with("pending") || range.from == "outbox/" { Box::pin(std::future::ready(Ok(Vec::new()))) } else { gone() }
        }
        fn commit(&self, _: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
            gone()
        }
    }
    let marked = |folder: &std::path::Path| crate::loops::smtp_words(folder, "loop_header = true");
    let world = World::with(marked, |opened| Opened { store: Arc::new(Gone), ..opened }).await;
    let clean = mail("Vergadering", "Dinsdag.");
    assert_eq!(world.send(ANNA, &[BURGER], clean.as_bytes()).await.code(), 250);
    assert!(world.mails_for(BURGER, 1).await[0].octets.ends_with(clean.as_bytes()));
    assert_eq!(world.send(ANNA, &[BURGER], mail("[beveiligd] x", BODY).as_bytes()).await.code(), 451);
    assert_eq!(world.outside.mails().len(), 1);
}
