//! What hostile visitors, old browsers and late senders found: each of these was wrong once.

use super::*;
use std::ops::Range;
use zegel::{
    record::{Expires, Expiry},
    seal::Ciphertext,
    store::Room,
    sweep::{Progress, Sweep},
    unlock,
};

const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// A browser without fetch metadata (Safari before 16.4): under our own `Referrer-Policy: no-referrer` it sends `Origin: null` with every form.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_browser_that_hides_its_origin_can_send_a_form() {
    let world = World::new().await;
    let [token, other] = world.message(Level::One, None).await;
    let (browser, link) = (Browser::new(), world.link(&token));
    let (_, good) = browser.get(&link).await.form("Stuur mijn wachtwoord");
    let (_, foreign) = browser.get(&world.link(&other)).await.form("Stuur mijn wachtwoord");
    let send =
        async |form: &[(String, String)], headers: &[(&str, &str)]| browser.ask(Method::POST, &link, Some(form), headers).await.status;
    assert_eq!(send(&foreign, &[("origin", "null")]).await, StatusCode::FORBIDDEN, "the form's token still decides");
    assert_eq!(send(&good, &[("origin", "null"), ("sec-fetch-site", "cross-site")]).await, StatusCode::FORBIDDEN);
    assert!(world.letters().await.is_empty());
    assert_eq!(send(&good, &[("origin", "null")]).await, StatusCode::SEE_OTHER);
    assert_eq!(world.letters().await.len(), 1);
}

/// While all hashing is taken (by strangers, say), an answer can't be compared. It must not cost a try.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_compared_costs_no_try() {
    let world = World::with(Limits { hashing: 0, hashing_queue: 0, ..Limits::default() }, None).await;
    let [token, _] = world.message(Level::Two, None).await;
    let answer = unlock::random_answer(Level::Two);
    let challenge = unlock::challenge(&answer, Level::Two, world.keyring.master().code_key(), world.clock.now());
    let mut batch = Batch::new();
    batch.put(Key::challenge(lookup_id(&token)), &challenge, Expect::Absent);
    world.store.commit(batch).await.unwrap();
    let browser = Browser::new();
    let page = browser.get(&world.link(&token)).await;
    let busy = browser.press(&page, "Doorgaan", &[("answer", answer.expose())]).await;
    assert_eq!(busy.status, StatusCode::SERVICE_UNAVAILABLE);
    let (grant, challenge) = (world.grant(&token).await, world.challenge(&token).await.unwrap());
    assert_eq!((grant.wrong_tries, challenge.tries_left), (0, unlock::TRIES));
}

/// Blobs that count what is read of them.
pub(super) struct Metered {
    pub(super) blobs: Arc<MemoryBlobs>,
    read: AtomicUsize,
    /// An octet of a blob that the disk has changed.
    flipped: Mutex<Option<(Id, usize)>>,
    /// Every blob ends here, as if the disk had lost the rest.
    end: AtomicUsize,
    /// Whose readers are counted.
    watched: Mutex<Option<Id>>,
    inside: AtomicUsize,
    most: AtomicUsize,
}

impl Metered {
    pub(super) fn new(blobs: Arc<MemoryBlobs>) -> Metered {
        let [read, inside, most] = [const { AtomicUsize::new(0) }; 3];
        Metered { blobs, read, flipped: Mutex::default(), end: AtomicUsize::new(usize::MAX), watched: Mutex::default(), inside, most }
    }

    /// How much was read so far.
    pub(super) fn read(&self) -> usize {
        self.read.load(Ordering::SeqCst)
    }

    /// Changes an octet of a blob.
    pub(super) fn damage(&self, blob: Id, at: usize) {
        *self.flipped.lock().unwrap() = Some((blob, at));
    }
}

impl Blobs for Metered {
    fn put(&self, id: Id, content: Ciphertext) -> BoxFuture<'_, Result<(), StoreError>> {
        self.blobs.put(id, content)
    }

    fn get(&self, id: Id, range: Option<Range<u64>>) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        Box::pin(async move {
            if *self.watched.lock().unwrap() == Some(id) {
                self.most.fetch_max(self.inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                // Room for others to come in, if they may.
                for _ in 0..2000 {
                    tokio::task::yield_now().await;
                }
                self.inside.fetch_sub(1, Ordering::SeqCst);
            }
            let start = usize::try_from(range.as_ref().map_or(0, |r| r.start)).unwrap();
            let mut found = self.blobs.get(id, range).await;
            if let Ok(Some(octets)) = &mut found {
                let flipped = self.flipped.lock().unwrap().filter(|(blob, at)| *blob == id && *at >= start);
                if let Some(octet) = flipped.and_then(|(_, at)| octets.get_mut(at - start)) {
                    *octet ^= 1;
                }
                octets.truncate(self.end.load(Ordering::SeqCst).saturating_sub(start));
                self.read.fetch_add(octets.len(), Ordering::SeqCst);
            }
            found
        })
    }

    fn delete(&self, id: Id) -> BoxFuture<'_, Result<(), StoreError>> {
        self.blobs.delete(id)
    }

    fn list(&self, before: Time) -> BoxFuture<'_, Result<Vec<Id>, StoreError>> {
        self.blobs.list(before)
    }

    fn room(&self) -> Room {
        self.blobs.room()
    }
}

/// Puts another text into the message of `token`, as a mail with this text would have.
async fn retext(world: &World, token: &Token, browser: &Browser, text: &str) -> Answer {
    let grant = world.grant(token).await;
    let key = Key::message(grant.message);
    let record = world.store.get(&key).await.unwrap().unwrap();
    let message: SealedMessage = record.read(&key).unwrap();
    let bucket = world.keyring.existing(message.expires).unwrap();
    let content_key = zegel::seal::unwrap(&world.keyring.master(), &bucket, token, grant.message, &grant.wrap).unwrap();
    let sealed = world.blobs.get(message.card, None).await.unwrap().unwrap();
    let card = zegel::seal::open(content_key.key(), &card_context(grant.message, message.card), &sealed).unwrap();
    let mut card: Card = serde_json::from_slice(&card).unwrap();
    let put = async |id: Id, context, octets: &[u8]| {
        world.blobs.put(id, seal(content_key.key(), &context, Salt::random(), octets)).await.unwrap();
    };
    let part = card.text.as_mut().unwrap();
    (part.blob, part.content, part.size_bytes) = (Id::random(), None, text.len() as u64);
    put(part.blob, part_context(grant.message, part.blob), text.as_bytes()).await;
    let new = Id::random();
    put(new, card_context(grant.message, new), &serde_json::to_vec(&card).unwrap()).await;
    let mut batch = Batch::new();
    batch.put(key, &SealedMessage { card: new, ..message }, Expect::Version(record.version));
    world.store.commit(batch).await.unwrap();
    unlock(world, browser, token).await
}

/// A text of the largest mail that is taken was opened whole for each look at its page: a few visitors filled the memory.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_text_is_read_no_further_than_it_is_shown() {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, None).await;
    let browser = Browser::new();
    let text = "één regel van een lang verhaal\n".repeat(200_000);
    let page = retext(&world, &token, &browser, &text).await;
    assert!(page.shows("te lang om hier helemaal te tonen") && page.shows("één regel van een lang verhaal"), "{}", page.text().len());
    assert!(!page.shows("\u{fffd}"), "not cut within a letter");
    world.metered.read.store(0, Ordering::SeqCst);
    assert_eq!(browser.get(&page.url).await.octets.len(), page.octets.len());
    let read = world.metered.read.load(Ordering::SeqCst);
    assert!(read < 1_200_000, "{read} bytes were read to show {}", page.octets.len());

    let file = browser.press(&page, "hele tekst.txt", &[]).await;
    assert!(file.octets == text.as_bytes(), "the whole of it can be downloaded");
    assert_eq!(file.headers["content-disposition"], "attachment; filename=\"hele tekst.txt\"; filename*=UTF-8''hele%20tekst.txt");
}

/// A text that lost its tail on the disk is damaged, even if the beginning, which is shown, is still there.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_text_that_lost_its_tail_is_damaged() {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, None).await;
    let browser = Browser::new();
    let page = retext(&world, &token, &browser, &"x".repeat(3_000_000)).await;
    assert_eq!(page.status, StatusCode::OK);
    world.metered.end.store(2_000_000, Ordering::SeqCst);
    assert!(browser.get(&page.url).await.shows("beschadigd"));
}

/// Making HTML harmless takes memory and time: a visitor who asked for the same heavy letter on all his connections had them all made at once.
#[tokio::test(flavor = "multi_thread")]
async fn few_letters_are_made_at_a_time() {
    let world = World::with(Limits { making: 2, ..Limits::default() }, None).await;
    let [token, _] = world.message(Level::One, Some("<p>Het besluit is <b>positief</b>.</p>")).await;
    let browser = Browser::new();
    let page = unlock(&world, &browser, &token).await;
    let key = Key::message(world.grant(&token).await.message);
    let message: SealedMessage = world.store.get(&key).await.unwrap().unwrap().read(&key).unwrap();
    *world.metered.watched.lock().unwrap() = Some(message.blobs[1]);
    let mut views = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (browser, url) = (browser.clone(), format!("{}/text", page.url));
        views.spawn(async move { browser.get(&url).await });
    }
    assert!(views.join_all().await.iter().all(|a| a.shows("<b>positief</b>")));
    let most = world.metered.most.load(Ordering::SeqCst);
    assert!((1..=2).contains(&most), "{most} at a time");
}

/// What a browser's `Accept-Language` asks for most, not what it names first.
#[tokio::test(flavor = "multi_thread")]
async fn languages_are_weighed() {
    let world = World::new().await;
    let browser = Browser::new();
    for (asked, expected) in [
        ("nl;q=0.1, en;q=0.9", "en"),
        ("en;q=0, it", "nl"),
        ("en;q=0.5, nl;q=0.5", "en"),
        ("it, es;q=0.9", "nl"),
        ("it, de-CH;q=0.9, fr;q=0.8", "de"),
        ("fr", "fr"),
        ("EN-us", "en"),
        ("*", "nl"),
        (",,;;q=,=", "nl"),
        ("en;q=7, nl;q=nan", "en"),
    ] {
        let page = browser.ask(Method::GET, &world.url("/"), None, &[("accept-language", asked)]).await;
        assert!(page.shows(&format!("<html lang=\"{expected}\">")), "{asked}");
    }
}

fn sweep(world: &World) -> Sweep {
    Sweep {
        store: world.store.clone(),
        blobs: world.blobs.clone(),
        keyring: world.keyring.clone(),
        clock: world.clock.clone(),
        progress: Progress::default(),
    }
}

/// The messages are read some at a time: none of them may be overlooked, or its blobs would go with the orphans.
#[tokio::test(flavor = "multi_thread")]
async fn of_many_messages_none_loses_its_blobs_to_the_sweep() {
    let world = World::new().await;
    let key = ContentKey::random();
    let put = async |id: Id, blob: Id| {
        world.blobs.put(blob, seal(key.key(), &part_context(id, blob), Salt::random(), b"x")).await.unwrap();
    };
    let mut batch = Batch::new();
    let mut named = Vec::new();
    for _ in 0..600 {
        let (id, blob) = (Id::random(), Id::random());
        put(id, blob).await;
        batch.put(Key::message(id), &world.record(id, blob, vec![blob], State::Sent), Expect::Absent);
        named.push(blob);
    }
    world.store.commit(batch).await.unwrap();
    let orphan = Id::random();
    put(Id::random(), orphan).await;
    sweep(&world).orphans().await.unwrap();
    named.sort();
    assert_eq!(world.blobs.list(world.clock.now()).await.unwrap(), named);
}

/// A message that waits for numbers, with the row that gives it up after a week.
async fn held_for_a_week(world: &World) -> (String, Id) {
    let (token, id) = world.held(&[(RECIPIENT, Level::Two, None), (OTHER, Level::Two, None)]).await;
    let at = world.clock.now().plus(WEEK);
    let mut batch = Batch::new();
    batch.put(Key::expiry(at.day(), Id::random()), &Expiry { v: FORMAT, at, what: Expires::Held(id) }, Expect::Absent);
    world.store.commit(batch).await.unwrap();
    (world.url(&format!("/n/{}", token.in_link().expose())), id)
}

/// A sender who came too late read a page for recipients: "ask the sender to send it again".
#[tokio::test(flavor = "multi_thread")]
async fn a_sender_who_comes_too_late_is_told_so() {
    let world = World::new().await;
    let (link, _) = held_for_a_week(&world).await;
    let browser = Browser::new();
    let page = browser.get(&link).await;
    world.clock.advance(WEEK);
    sweep(&world).round().await.unwrap();
    let fill = [("number-0", "06 12345954"), ("number-1", "06 12345955")];
    for answer in [browser.get(&link).await, browser.press(&page, "Opslaan en verzenden", &fill).await] {
        assert_eq!(answer.status, StatusCode::GONE);
        assert!(answer.shows("Je bericht is niet verzonden") && !answer.shows("Vraag de afzender"), "{}", answer.text());
    }
    assert!(matches!(&world.letters().await[..], [Letter::NotSent { .. }]));
}

/// With `send_ready` others have the message; those who waited were given up. The page then said that everybody had got it.
#[tokio::test(flavor = "multi_thread")]
async fn who_was_given_up_is_not_told_as_sent() {
    let world = World::new().await;
    let (link, id) = held_for_a_week(&world).await;
    let mut batch = Batch::new();
    batch.put(Key::of_message(id, Id::random()), &(), Expect::Absent);
    world.store.commit(batch).await.unwrap();
    world.clock.advance(WEEK);
    sweep(&world).round().await.unwrap();
    let page = Browser::new().get(&link).await;
    assert!(page.shows("Je bericht is niet verzonden") && !page.shows("Alle ontvangers"), "{}", page.text());
}

/// The numbers and the end of the week come at the same moment: the message goes out, or its sender is told that it did not. Never both.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_and_the_end_of_the_wait_exclude_each_other() {
    for _ in 0..20 {
        let world = World::new().await;
        let (link, _) = held_for_a_week(&world).await;
        let browser = Browser::new();
        let page = browser.get(&link).await;
        world.clock.advance(WEEK);
        let sweep = sweep(&world);
        let fill = [("number-0", "06 12345954"), ("number-1", "06 12345955")];
        let (answer, swept) = tokio::join!(browser.press(&page, "Opslaan en verzenden", &fill), sweep.round());
        swept.unwrap();
        match &world.letters().await[..] {
            [Letter::NotSent { .. }] => assert!(answer.shows("Je bericht is niet verzonden"), "{}", answer.text()),
            [Letter::Notification { .. }, Letter::Notification { .. }] => {
                assert!(answer.shows("Je bericht is verzonden"), "{}", answer.text())
            }
            letters => panic!("{} letters", letters.len()),
        }
    }
}

/// The page names the day on which the message is really given up, whatever the configuration says.
#[tokio::test(flavor = "multi_thread")]
async fn the_number_page_names_the_day_that_counts() {
    let world = World::new().await;
    let (token, id) = world.held(&[(RECIPIENT, Level::Two, None)]).await;
    let key = Key::approval(lookup_id(&token));
    let approval: Approval = world.store.get(&key).await.unwrap().unwrap().read(&key).unwrap();
    let until = Time::from_millis(1_790_000_000_000);
    let mut batch = Batch::new();
    batch.put(key, &Approval { until, ..approval }, Expect::Anything);
    world.store.commit(batch).await.unwrap();
    assert_eq!(approval.message, id);
    let page = Browser::new().get(&world.url(&format!("/n/{}", token.in_link().expose()))).await;
    assert!(page.shows("vóór 21 september 2026"), "{}", page.text());
}
