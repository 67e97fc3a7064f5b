//! The portal over real sockets: what a recipient, a sender, a scanner and an attacker see.

mod browser;
mod codes;
mod files;
mod guards;
mod guessing;
mod hostile;
mod reading;
mod replies;
mod slow;
mod sms_codes;
mod status;

use browser::{Answer, Browser};
use reqwest::{Method, StatusCode, header};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{Barrier, watch},
};
use zegel::{
    address::Address,
    clock::{Clock as _, SetClock},
    grant,
    notice::{Letter, Organisation, Origin},
    phone::PhoneNumber,
    portal::{self, Limits, Portal},
    record::{
        Approval, Batch, Card, Challenge, Event, Expect, FORMAT, Fact, Grant, Key, KeyRange, KnownPhone, Level, Mail, Part, Record,
        SealedMessage, State, Waiting,
    },
    seal::{ContentKey, Salt, card_context, lookup_id, open, part_context, seal, unwrap, wrap},
    secret::{Id, Token},
    sms,
    store::{
        Blobs, BoxFuture, Keyring, Store, StoreError,
        memory::{MemoryBlobs, MemoryStore},
    },
    template::Templates,
    time::Time,
};

const SENDER: &str = "anna@gemeente.example";
const RECIPIENT: &str = "burger@elders.example";
const OTHER: &str = "buur@elders.example";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and then some";

/// A store whose readers of a challenge can be made to wait for each other, so that all of them decide on the same state.
struct Meeting {
    store: Arc<MemoryStore>,
    barrier: Mutex<Option<Arc<Barrier>>>,
    readers: AtomicUsize,
}

impl Meeting {
    /// The next `count` readers of a challenge go on together.
    fn call(&self, count: usize) {
        *self.barrier.lock().unwrap() = Some(Arc::new(Barrier::new(count)));
        self.readers.store(count, Ordering::SeqCst);
    }
}

impl Store for Meeting {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        Box::pin(async move {
            let found = self.store.get(key).await;
            let takes_part = |n: usize| n.checked_sub(1);
            if key.as_str().starts_with("challenge/") && self.readers.fetch_update(Ordering::SeqCst, Ordering::SeqCst, takes_part).is_ok() {
                let barrier = self.barrier.lock().unwrap().clone().unwrap();
                barrier.wait().await;
            }
            found
        })
    }

    fn list<'a>(&'a self, range: &'a KeyRange, limit: usize) -> BoxFuture<'a, Result<Vec<(Key, Record)>, StoreError>> {
        self.store.list(range, limit)
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        self.store.commit(batch)
    }
}

/// A portal with a store in memory, and what stands around it.
struct World {
    store: Arc<MemoryStore>,
    meeting: Arc<Meeting>,
    blobs: Arc<MemoryBlobs>,
    metered: Arc<hostile::Metered>,
    keyring: Arc<Keyring>,
    clock: Arc<SetClock>,
    address: SocketAddr,
    folder: tempfile::TempDir,
    stop: watch::Sender<bool>,
    served: tokio::task::JoinHandle<()>,
}

impl World {
    async fn new() -> World {
        World::with(Limits::default(), None).await
    }

    async fn with(limits: Limits, sms: Option<sms::Sender>) -> World {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(MemoryStore::new());
        let keyring = Arc::new(Keyring::in_memory(store.clone()));
        let clock = Arc::new(SetClock::at(Time::from_millis(1_791_790_000_000)));
        let blobs = Arc::new(MemoryBlobs::new());
        let metered = Arc::new(hostile::Metered::new(blobs.clone()));
        let meeting = Arc::new(Meeting { store: store.clone(), barrier: Mutex::default(), readers: AtomicUsize::new(0) });
        let (stop, _) = watch::channel(false);
        let sms = sms.unwrap_or_else(|| sms::Sender::file(folder.path().join("sms.jsonl")));
        let unserved = tokio::spawn(async {});
        let address = "127.0.0.1:0".parse().unwrap();
        let mut world = World { store, meeting, blobs, metered, keyring, clock, address, folder, stop, served: unserved };
        (world.address, world.served) = world.node(limits, sms).await;
        world
    }

    /// Another node over the same store: where it is.
    async fn node(&self, limits: Limits, sms: sms::Sender) -> (SocketAddr, tokio::task::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let organisation = Organisation {
            name: "Gemeente Voorbeeld".to_owned(),
            from: Address::parse("zegel@gemeente.example").unwrap(),
            url: format!("http://{address}"),
            language: "nl".to_owned(),
            hostname: "zegel.voorbeeld.example".to_owned(),
            bounces: None,
            signer: None,
        };
        let portal = Portal {
            store: self.meeting.clone(),
            blobs: self.metered.clone(),
            keyring: self.keyring.clone(),
            sms,
            templates: Arc::new(arc_swap::ArcSwap::from_pointee(Templates::embedded())),
            organisation: Arc::new(arc_swap::ArcSwap::from_pointee(organisation)),
            clock: self.clock.clone(),
            mail_flows: Arc::new(|| true),
            limits,
        };
        (address, tokio::spawn(portal::serve(listener, Arc::new(portal), self.stop.subscribe())))
    }

    /// Seals a message to [`RECIPIENT`] and [`OTHER`] as the gateway does: their tokens.
    async fn message(&self, level: Level, html: Option<&str>) -> [Token; 2] {
        let (id, key, card, blobs) = self.seal(html).await;
        let master = self.keyring.master();
        let message = self.record(id, card, blobs, State::Sent);
        let bucket = self.keyring.bucket(message.expires).await.unwrap();
        let mut batch = Batch::new();
        batch.put(Key::message(id), &message, Expect::Absent);
        let tokens = [Token::random(), Token::random()];
        let origin = Origin { message_id: Some("1@gemeente.example".to_owned()), replies_to: Some(SENDER.to_owned()), ..Origin::default() };
        for (token, to) in tokens.iter().zip([RECIPIENT, OTHER]) {
            let grant_key = Key::grant(lookup_id(token));
            let field = |name, text| master.seal_field(name, &grant_key, text, Salt::random());
            let grant = Grant {
                v: FORMAT,
                message: id,
                level,
                address: field("address", to),
                phone: (level == Level::Two).then(|| field("phone", "+31612345954")),
                wrap: wrap(&master, &bucket, token, id, &key, [Salt::random(), Salt::random()]),
                wrong_tries: 0,
                locked_until: None,
                locks: 0,
                read: None,
                origin: Some(grant::seal_origin(&master, &grant_key, &origin)),
                bounced: None,
            };
            batch.put(grant_key, &grant, Expect::Absent);
            batch.put(Key::of_message(id, lookup_id(token)), &(), Expect::Absent);
        }
        self.store.commit(batch).await.unwrap();
        tokens
    }

    /// Seals a message that waits for numbers: the sender's token.
    async fn held(&self, waiting: &[(&str, Level, Option<&str>)]) -> (Token, Id) {
        let (id, key, card, blobs) = self.seal(None).await;
        let master = self.keyring.master();
        let message = self.record(id, card, blobs, State::Held);
        let bucket = self.keyring.bucket(message.expires).await.unwrap();
        let token = Token::random();
        let mut batch = Batch::new();
        batch.put(Key::message(id), &message, Expect::Absent);
        let wrap = wrap(&master, &bucket, &token, id, &key, [Salt::random(), Salt::random()]);
        batch.put(
            Key::approval(lookup_id(&token)),
            &Approval {
                v: FORMAT,
                message: id,
                wrap,
                until: self.clock.now().plus(Duration::from_secs(7 * 24 * 3600)),
                released: None,
                ask: false,
                openly: false,
                reminders: Vec::new(),
            },
            Expect::Absent,
        );
        for (number, (to, level, phone)) in (0..).zip(waiting) {
            let key = Key::waiting(id, number);
            let field = |name, text| master.seal_field(name, &key, text, Salt::random());
            let (address, phone) = (field("address", to), phone.map(|p| field("phone", p)));
            let row = Waiting { v: FORMAT, level: *level, address, phone, origin: None, first_contact: false, as_sent: None };
            batch.put(key.clone(), &row, Expect::Absent);
        }
        self.store.commit(batch).await.unwrap();
        (token, id)
    }

    fn record(&self, id: Id, card: Id, blobs: Vec<Id>, state: State) -> SealedMessage {
        let now = self.clock.now();
        let sender = self.keyring.master().seal_field("sender", &Key::message(id), SENDER, Salt::random());
        SealedMessage {
            v: FORMAT,
            state,
            at: now,
            expires: now.day().plus_days(30),
            generation: self.keyring.master().generation(),
            sender: Some(sender),
            language: "nl".to_owned(),
            card,
            sealed_card: None,
            original: None,
            ours: true,
            files_only: false,
            blobs,
            asked: None,
            moved: false,
        }
    }

    async fn seal(&self, html: Option<&str>) -> (Id, ContentKey, Id, Vec<Id>) {
        let (id, key) = (Id::random(), ContentKey::random());
        let mut blobs = Vec::new();
        let mut part = |name: &str, media_type: &str, content_id: Option<&str>, octets: &[u8]| {
            let blob = Id::random();
            blobs.push((blob, seal(key.key(), &part_context(id, blob), Salt::random(), octets)));
            Part {
                blob,
                content: None,
                name: name.to_owned(),
                media_type: media_type.to_owned(),
                content_id: content_id.map(str::to_owned),
                size_bytes: octets.len() as u64,
            }
        };
        let card = Card {
            subject: "Uw <b>aanvraag</b>".to_owned(),
            open_subject: None,
            sender_name: "Anna de Vries".to_owned(),
            sender: SENDER.to_owned(),
            date: self.clock.now(),
            text: Some(part("", "text/plain", None, "Het besluit is positief.\r\n".as_bytes())),
            html: html.map(|h| part("", "text/html", None, h.as_bytes())),
            files: vec![
                part("../overzicht één.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", None, &workbook()),
                part("logo.png", "image/png", Some("logo@x"), PNG),
                part("x.svg", "image/png", Some("svg@x"), b"<svg onload=alert(1)>"),
            ],
        };
        let blob = Id::random();
        blobs.push((blob, seal(key.key(), &card_context(id, blob), Salt::random(), &serde_json::to_vec(&card).unwrap())));
        let ids = blobs.iter().map(|(id, _)| *id).collect();
        for (id, ciphertext) in blobs {
            self.blobs.put(id, ciphertext).await.unwrap();
        }
        (id, key, blob, ids)
    }

    /// What the message of `token` consists of, its content key, and its id.
    async fn card(&self, token: &Token) -> (Card, ContentKey, Id) {
        let grant = self.grant(token).await;
        let key = Key::message(grant.message);
        let message: SealedMessage = self.store.get(&key).await.unwrap().unwrap().read(&key).unwrap();
        let bucket = self.keyring.existing(message.expires).unwrap();
        let content_key = unwrap(&self.keyring.master(), &bucket, token, grant.message, &grant.wrap).unwrap();
        let sealed = self.blobs.get(message.card, None).await.unwrap().unwrap();
        let card = open(content_key.key(), &card_context(grant.message, message.card), &sealed).unwrap();
        (serde_json::from_slice(&card).unwrap(), content_key, grant.message)
    }

    /// Puts `card` in the place of that one.
    async fn put_card(&self, token: &Token, card: &Card) {
        let (_, content_key, id) = self.card(token).await;
        let key = Key::message(id);
        let message: SealedMessage = self.store.get(&key).await.unwrap().unwrap().read(&key).unwrap();
        let sealed = seal(content_key.key(), &card_context(id, message.card), Salt::random(), &serde_json::to_vec(card).unwrap());
        self.blobs.put(message.card, sealed).await.unwrap();
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn link(&self, token: &Token) -> String {
        self.url(&format!("/m/{}", token.in_link().expose()))
    }

    /// The letters in the outbox, oldest first.
    async fn letters(&self) -> Vec<Letter> {
        let rows = self.store.list(&KeyRange::under("outbox"), 1000).await.unwrap();
        rows.iter()
            .map(|(key, record)| {
                let mail: Mail = record.read(key).unwrap();
                let id = Id::parse(key.segments().last().unwrap()).unwrap();
                serde_json::from_slice(&self.keyring.master().open_letter(id, &mail.letter).unwrap()).unwrap()
            })
            .collect()
    }

    async fn password(&self, token: &Token) -> String {
        self.letters()
            .await
            .into_iter()
            .filter_map(|l| match l {
                Letter::Password { password, grant, .. } if grant == lookup_id(token) => Some(password.expose().clone()),
                _ => None,
            })
            .next_back()
            .expect("a password was sent")
    }

    fn sms(&self) -> Vec<String> {
        let lines = std::fs::read_to_string(self.folder.path().join("sms.jsonl")).unwrap_or_default();
        lines.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap()["text"].as_str().unwrap().to_owned()).collect()
    }

    fn code(&self) -> String {
        self.sms().last().expect("an SMS was sent")[..6].to_owned()
    }

    async fn facts(&self) -> Vec<Fact> {
        let rows = self.store.list(&KeyRange::under("event"), 1000).await.unwrap();
        rows.iter().map(|(key, record)| record.read::<Event>(key).unwrap().what).collect()
    }

    async fn count(&self, fact: Fact) -> usize {
        self.facts().await.iter().filter(|f| **f == fact).count()
    }

    async fn everything(&self) -> Vec<(Key, Record)> {
        self.store.list(&KeyRange { from: String::new(), to: "~".to_owned() }, usize::MAX).await.unwrap()
    }

    async fn grant(&self, token: &Token) -> Grant {
        let key = Key::grant(lookup_id(token));
        self.store.get(&key).await.unwrap().unwrap().read(&key).unwrap()
    }

    async fn challenge(&self, token: &Token) -> Option<Challenge> {
        let key = Key::challenge(lookup_id(token));
        self.store.get(&key).await.unwrap().map(|r| r.read(&key).unwrap())
    }
}

fn workbook() -> Vec<u8> {
    (0..3_000_000u32).flat_map(|n| (n % 251).to_le_bytes()).take(2_345_678).collect()
}

/// Opens a message at level 1: the page with it.
async fn unlock(world: &World, browser: &Browser, token: &Token) -> Answer {
    let page = browser.get(&world.link(token)).await;
    let page = browser.press(&page, "Stuur mijn wachtwoord", &[]).await;
    browser.press(&page, "Doorgaan", &[("answer", &world.password(token).await)]).await
}
