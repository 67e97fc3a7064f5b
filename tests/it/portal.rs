//! The portal over real sockets: what a recipient, a sender, a scanner and an attacker see.

mod hostile;

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
    sync::{Barrier, Notify, watch},
};
use zegel::{
    address::Address,
    clock::{Clock as _, SetClock},
    notice::{Letter, Organisation},
    phone::PhoneNumber,
    portal::{self, Limits, Portal},
    record::{
        Approval, Batch, Card, Challenge, Event, Expect, FORMAT, Fact, Grant, Key, KeyRange, KnownPhone, Level, Mail, Part, Record,
        SealedMessage, State, Waiting,
    },
    seal::{ContentKey, Salt, card_context, lookup_id, part_context, seal, wrap},
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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(MemoryStore::new());
        let keyring = Arc::new(Keyring::in_memory(store.clone()));
        let clock = Arc::new(SetClock::at(Time::from_millis(1_791_790_000_000)));
        let blobs = Arc::new(MemoryBlobs::new());
        let metered = Arc::new(hostile::Metered::new(blobs.clone()));
        let organisation = Organisation {
            name: "Gemeente Voorbeeld".to_owned(),
            from: Address::parse("zegel@gemeente.example").unwrap(),
            url: format!("http://{address}"),
            language: "nl".to_owned(),
        };
        let meeting = Arc::new(Meeting { store: store.clone(), barrier: Mutex::default(), readers: AtomicUsize::new(0) });
        let portal = Portal {
            store: meeting.clone(),
            blobs: metered.clone(),
            keyring: keyring.clone(),
            sms: sms.unwrap_or_else(|| sms::Sender::file(folder.path().join("sms.jsonl"))),
            templates: Arc::new(arc_swap::ArcSwap::from_pointee(Templates::embedded())),
            organisation: Arc::new(arc_swap::ArcSwap::from_pointee(organisation)),
            clock: clock.clone(),
            wake: Arc::new(Notify::new()),
            limits,
        };
        let (stop, stopped) = watch::channel(false);
        let served = tokio::spawn(portal::serve(listener, Arc::new(portal), stopped));
        World { store, meeting, blobs, metered, keyring, clock, address, folder, stop, served }
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
            &Approval { v: FORMAT, message: id, wrap, until: self.clock.now().plus(Duration::from_secs(7 * 24 * 3600)), released: None },
            Expect::Absent,
        );
        for (number, (to, level, phone)) in (0..).zip(waiting) {
            let key = Key::waiting(id, number);
            let field = |name, text| master.seal_field(name, &key, text, Salt::random());
            let row = Waiting { v: FORMAT, level: *level, address: field("address", to), phone: phone.map(|p| field("phone", p)) };
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
            blobs,
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

/// A browser: cookies, forms, no scripts.
#[derive(Clone)]
struct Browser {
    client: reqwest::Client,
    cookies: Arc<Mutex<BTreeMap<String, String>>>,
}

struct Answer {
    url: String,
    status: StatusCode,
    headers: header::HeaderMap,
    octets: Vec<u8>,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.octets).into_owned()
    }

    fn shows(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    /// The form whose button says `button`: its address and hidden fields.
    fn form(&self, button: &str) -> (String, Vec<(String, String)>) {
        let text = self.text();
        let form = text.split("<form").skip(1).map(|f| f.split("</form>").next().unwrap()).find(|f| f.contains(button));
        let form = form.unwrap_or_else(|| panic!("no button {button}: {text}"));
        let attribute = |tag: &str, name: &str| {
            let at = tag.find(&format!(" {name}=\""))? + name.len() + 3;
            Some(tag[at..].split('"').next()?.to_owned())
        };
        let head = form.split('>').next().unwrap();
        let action = attribute(head, "action").unwrap_or_default();
        let fields = form.split("<input").skip(1).filter_map(|i| Some((attribute(i, "name")?, attribute(i, "value").unwrap_or_default())));
        (action, fields.collect())
    }
}

impl Browser {
    fn new() -> Browser {
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        Browser { client, cookies: Arc::default() }
    }

    async fn ask(&self, method: Method, url: &str, form: Option<&[(String, String)]>, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.client.request(method, url);
        let cookies: Vec<_> = self.cookies.lock().unwrap().iter().map(|(n, v)| format!("{n}={v}")).collect();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(form) = form {
            request = request.form(form);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        for cookie in headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            if cookie.contains("Max-Age=0") {
                cookies.remove(name)
            } else {
                cookies.insert(name.to_owned(), value.to_owned())
            };
        }
        Answer { url: url.to_owned(), status, headers, octets: response.bytes().await.unwrap().to_vec() }
    }

    async fn get(&self, url: &str) -> Answer {
        self.ask(Method::GET, url, None, &[]).await
    }

    /// Fills in the form of `button` and follows where it leads.
    async fn press(&self, page: &Answer, button: &str, values: &[(&str, &str)]) -> Answer {
        let answer = self.press_only(page, button, values).await;
        match answer.headers.get(header::LOCATION) {
            Some(to) => self.get(&join(&answer.url, to.to_str().unwrap())).await,
            None => answer,
        }
    }

    async fn press_only(&self, page: &Answer, button: &str, values: &[(&str, &str)]) -> Answer {
        let (action, mut fields) = page.form(button);
        for (name, value) in values {
            fields.iter_mut().find(|(n, _)| n == name).unwrap_or_else(|| panic!("no field {name}")).1 = (*value).to_owned();
        }
        let url = join(&page.url, &action);
        self.ask(Method::POST, &url, Some(&fields), &[("sec-fetch-site", "same-origin")]).await
    }
}

fn join(base: &str, path: &str) -> String {
    if path.is_empty() {
        return base.to_owned();
    }
    let host = base.splitn(4, '/').take(3).collect::<Vec<_>>().join("/");
    format!("{host}{path}")
}

/// Opens a message at level 1: the page with it.
async fn unlock(world: &World, browser: &Browser, token: &Token) -> Answer {
    let page = browser.get(&world.link(token)).await;
    let page = browser.press(&page, "Stuur mijn wachtwoord", &[]).await;
    browser.press(&page, "Doorgaan", &[("answer", &world.password(token).await)]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_reads_at_level_one_by_forms_alone() {
    let world = World::new().await;
    let html = "<h1>Besluit</h1><p onclick=\"x()\">Het besluit is <b>positief</b>.<img src=\"cid:logo@x\"><img src=\"https://x.example/p.gif\"></p>";
    let [token, _] = world.message(Level::One, Some(html)).await;
    let browser = Browser::new();
    let page = browser.get(&world.link(&token)).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.shows(SENDER) && page.shows("b•••@elders.example") && !page.shows(RECIPIENT) && !page.shows("positief"));
    let page = browser.press(&page, "Stuur mijn wachtwoord", &[]).await;
    assert!(page.shows("Voer wachtwoord in") && page.shows("Klik hier om een nieuwe te ontvangen"));
    let wrong = browser.press(&page, "Doorgaan", &[("answer", "aaaa bbbb cccc")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.shows("Dit wachtwoord klopt niet. U kunt het nog 4 keer proberen.") && wrong.shows("<title>Fout: "));
    let password = world.password(&token).await.to_uppercase();
    let page = browser.press(&wrong, "Doorgaan", &[("answer", &format!(" {} {} ", &password[..6], &password[6..]))]).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    assert!(page.url.contains("/r/") && !page.url.contains(token.in_link().expose()));
    assert!(
        page.shows("Uw &lt;b&gt;aanvraag&lt;/b&gt;")
            && page.shows("Anna de Vries")
            && page.shows("zojuist")
            && page.shows("overzicht één.xlsx")
    );

    let frame = browser.get(&format!("{}/text", page.url)).await;
    assert!(frame.shows("<b>positief</b>") && !frame.shows("onclick") && !frame.shows("x.example"));
    let policy = frame.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("sandbox allow-popups") && policy.contains("default-src 'none'") && !policy.contains("allow-scripts"));
    let picture = browser.get(&format!("{}/picture/1", page.url)).await;
    assert_eq!((picture.octets.as_slice(), &picture.headers["content-type"]), (PNG, &"image/png".parse().unwrap()));
    assert_eq!(browser.get(&format!("{}/picture/2", page.url)).await.status, StatusCode::NOT_FOUND);

    let file = browser.press(&page, "overzicht één.xlsx", &[]).await;
    assert!(file.octets == workbook(), "byte for byte");
    assert_eq!(
        file.headers["content-disposition"],
        "attachment; filename=\"overzicht een.xlsx\"; filename*=UTF-8''overzicht%20%C3%A9%C3%A9n.xlsx"
    );
    assert_eq!(file.headers["content-length"], "2345678");
    for fact in [Fact::WrongTry, Fact::Unlocked, Fact::Read, Fact::Downloaded] {
        assert_eq!(world.count(fact).await, 1, "{fact:?}");
    }

    let left = browser.press(&page, "Sluiten", &[]).await;
    assert!(left.shows("Bericht gesloten"));
    assert_eq!(browser.get(&page.url).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_reads_at_level_two_by_sms() {
    let world = World::new().await;
    let [token, _] = world.message(Level::Two, None).await;
    let browser = Browser::new();
    let page = browser.get(&world.link(&token)).await;
    assert!(page.shows("+31 6 ••••• 954") && !page.shows("12345954"));
    let page = browser.press(&page, "Stuur mijn SMS-code", &[]).await;
    assert!(page.shows("Voer SMS-code in") && page.shows("inputmode=\"numeric\"") && page.shows("autocomplete=\"one-time-code\""));
    let code = world.code();
    let read = browser.press(&page, "Doorgaan", &[("answer", &format!("{} {}", &code[..3], &code[3..]))]).await;
    assert!(read.shows("Het besluit is positief."), "{}", read.text());
    assert_eq!((world.count(Fact::CodeSent).await, world.count(Fact::Unlocked).await), (1, 1));
    assert_eq!(world.grant(&token).await.read, Some(world.clock.now()));
    // The code is used up, for every browser.
    let again = browser.press(&page, "Doorgaan", &[("answer", &code)]).await;
    assert!(again.shows("al gebruikt") && again.status == StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_gives_the_numbers_and_the_message_goes_out_at_once() {
    let world = World::new().await;
    let waiting = [(RECIPIENT, Level::Two, None), (OTHER, Level::Two, None), ("derde@elders.example", Level::Two, Some("+31687654321"))];
    let (token, id) = world.held(&waiting).await;
    let (browser, link) = (Browser::new(), world.url(&format!("/n/{}", token.in_link().expose())));
    let page = browser.get(&link).await;
    assert!(
        page.shows(RECIPIENT) && page.shows(OTHER) && !page.shows("derde@") && page.shows("nog één ontvanger") && !page.shows("aanvraag")
    );
    let page = browser.press(&page, "Opslaan en verzenden", &[("number-0", "06 12345954"), ("number-1", "020 624 1111\"<")]).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(page.shows("geen bestaand telefoonnummer") || page.shows("geen sms"), "{}", page.text());
    assert!(page.shows("value=\"06 12345954\"") && page.shows("value=\"020 624 1111&quot;&lt;\"") && page.shows("aria-invalid=\"true\""));
    let empty = browser.press(&page, "Opslaan en verzenden", &[("number-1", " ")]).await;
    assert!(empty.shows("Vul een mobiel nummer in.") && world.letters().await.is_empty());

    // Two clicks at once: one release.
    let fill = || browser.press(&page, "Opslaan en verzenden", &[("number-0", "06 12345954"), ("number-1", "+32 470 12 34 56")]);
    let (one, two) = tokio::join!(fill(), fill());
    assert!(one.shows("Je bericht is verzonden") && two.shows("Je bericht is verzonden"), "{}", two.text());
    let letters = world.letters().await;
    assert_eq!(letters.len(), 3);
    let mut told = Vec::new();
    for letter in &letters {
        let Letter::Notification { token, recipient, subject, envelope_from, level, .. } = letter else { panic!("notifications only") };
        assert!(subject.is_none() && *envelope_from == Address::parse(SENDER).ok() && *level == Level::Two);
        told.push(recipient.to_string());
        let page = browser.get(&world.link(token)).await;
        assert!(page.shows("Stuur mijn SMS-code"));
    }
    told.sort();
    assert_eq!(told, [RECIPIENT, OTHER, "derde@elders.example"]);
    let key = Key::message(id);
    let message: SealedMessage = world.store.get(&key).await.unwrap().unwrap().read(&key).unwrap();
    assert_eq!(message.state, State::Sent);
    assert!(world.store.list(&KeyRange::waiting_of(id), 10).await.unwrap().is_empty());
    // The given numbers are remembered, for the address in any spelling.
    let key = Key::phone(&world.keyring.master().address_hash(&Address::parse("Buur@Elders.example").unwrap()));
    let known: KnownPhone = world.store.get(&key).await.unwrap().unwrap().read(&key).unwrap();
    let phone = world.keyring.master().open_field("phone", &key, &known.phone).unwrap();
    assert_eq!(phone.expose(), "+32470123456");
    assert_eq!((world.count(Fact::PhoneSet).await, world.count(Fact::Released).await), (2, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_guesses_at_once_are_five_compared() {
    let world = World::new().await;
    let [token, _] = world.message(Level::Two, None).await;
    let browser = Browser::new();
    let page = browser.get(&world.link(&token)).await;
    let page = Arc::new(browser.press(&page, "Stuur mijn SMS-code", &[]).await);
    let code = world.code();
    world.meeting.call(32);
    let mut guesses = tokio::task::JoinSet::new();
    for n in 0..32 {
        let (page, browser) = (page.clone(), Browser::new());
        let guess = format!("{:06}", (code.parse::<u32>().unwrap() + 1 + n) % 1_000_000);
        guesses.spawn(async move { browser.press_only(&page, "Doorgaan", &[("answer", &guess)]).await.status });
    }
    while let Some(status) = guesses.join_next().await {
        assert!(matches!(status.unwrap().as_u16(), 422 | 503));
    }
    assert_eq!(world.count(Fact::WrongTry).await, 5);
    let (grant, challenge) = (world.grant(&token).await, world.challenge(&token).await.unwrap());
    assert_eq!((grant.wrong_tries, challenge.tries_left), (5, 0));
    let late = browser.press(&page, "Doorgaan", &[("answer", &code)]).await;
    assert!(late.status == StatusCode::UNPROCESSABLE_ENTITY && late.shows("werkt niet meer") && late.shows("Stuur mijn SMS-code"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_answer_from_many_at_once_opens_once() {
    let world = World::new().await;
    let [token, _] = world.message(Level::Two, None).await;
    let browser = Browser::new();
    let page = browser.get(&world.link(&token)).await;
    let page = Arc::new(browser.press(&page, "Stuur mijn SMS-code", &[]).await);
    let code = world.code();
    world.meeting.call(16);
    let mut answers = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let (page, code, browser) = (page.clone(), code.clone(), Browser::new());
        answers.spawn(async move { browser.press_only(&page, "Doorgaan", &[("answer", &code)]).await.status });
    }
    let statuses = answers.join_all().await;
    assert_eq!(statuses.iter().filter(|s| **s == StatusCode::SEE_OTHER).count(), 1, "{statuses:?}");
    assert_eq!(world.store.list(&KeyRange::under("session"), 100).await.unwrap().len(), 1);
}

/// Asks for a code and answers wrongly until it is dead.
async fn waste_a_code(world: &World, token: &Token) -> Answer {
    let browser = Browser::new();
    world.clock.advance(Duration::from_secs(31));
    let page = browser.get(&world.link(token)).await;
    let mut page = browser.press(&page, "Stuur mijn SMS-code", &[]).await;
    let wrong = if world.code() == "000000" { "111111" } else { "000000" };
    for _ in 0..5 {
        page = browser.press(&page, "Doorgaan", &[("answer", wrong)]).await;
    }
    page
}

#[tokio::test(flavor = "multi_thread")]
async fn fifteen_wrong_tries_lock_the_message_and_tell_its_sender_once() {
    let world = World::new().await;
    let [token, other] = world.message(Level::Two, None).await;
    for _ in 0..2 {
        assert!(waste_a_code(&world, &token).await.shows("werkt niet meer"));
    }
    let locked = waste_a_code(&world, &token).await;
    assert!(locked.shows("op slot") && locked.status == StatusCode::TOO_MANY_REQUESTS && !locked.shows("<form"));
    let letters = world.letters().await;
    let [Letter::Locked { sender, recipient, until, .. }] = &letters[..] else { panic!("one letter") };
    assert_eq!((sender.as_str(), recipient.as_str()), (SENDER, RECIPIENT));
    assert_eq!(until.since(world.clock.now()), Duration::from_secs(3600));
    assert_eq!(world.count(Fact::Locked).await, 1);
    // The other recipient is not locked out, and after an hour this one is no longer.
    assert!(Browser::new().get(&world.link(&other)).await.shows("Stuur mijn SMS-code"));
    world.clock.advance(Duration::from_secs(3600));
    let browser = Browser::new();
    let page = browser.get(&world.link(&token)).await;
    let page = browser.press(&page, "Stuur mijn SMS-code", &[]).await;
    assert!(browser.press(&page, "Doorgaan", &[("answer", &world.code())]).await.shows("Het besluit is positief."));
}

#[tokio::test(flavor = "multi_thread")]
async fn codes_are_bounded_per_recipient_and_a_second_click_sends_none() {
    let world = World::new().await;
    let [first, _] = world.message(Level::Two, None).await;
    let [second, _] = world.message(Level::Two, None).await;
    let browser = Browser::new();
    let page = browser.get(&world.link(&first)).await;
    for _ in 0..3 {
        browser.press(&page, "Stuur mijn SMS-code", &[]).await;
    }
    assert_eq!(world.sms().len(), 1, "within 30 s the pending code stays");
    let old = world.code();
    for n in 0..4 {
        world.clock.advance(Duration::from_secs(31));
        let token = if n % 2 == 0 { &second } else { &first };
        let page = browser.get(&world.link(token)).await;
        let button = if page.shows("Stuur mijn SMS-code") { "Stuur mijn SMS-code" } else { "Klik hier om een nieuwe te ontvangen" };
        assert_eq!(browser.press(&page, button, &[]).await.status, StatusCode::OK);
    }
    assert_eq!(world.sms().len(), 5);
    world.clock.advance(Duration::from_secs(31));
    let page = browser.get(&world.link(&first)).await;
    let page = browser.press(&page, "Klik hier om een nieuwe te ontvangen", &[]).await;
    assert!(page.status == StatusCode::TOO_MANY_REQUESTS && page.shows("te vaak een code aangevraagd"));
    assert_eq!(world.sms().len(), 5);
    // A new code replaced the old one.
    assert!(old == world.code() || browser.press(&page, "Doorgaan", &[("answer", &old)]).await.shows("klopt niet"));
    // The counters have rows that let them expire: one each.
    let expiring = world.store.list(&KeyRange::under("expiry"), 100).await.unwrap();
    assert_eq!(expiring.iter().filter(|(_, r)| r.value.contains("rate/code/")).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_could_not_be_sent_is_taken_back() {
    let sms = sms::Sender::file("/no/such/folder/sms.jsonl".into());
    let world = World::with(Limits::default(), Some(sms)).await;
    let [token, _] = world.message(Level::Two, None).await;
    let browser = Browser::new();
    let page = browser.get(&world.link(&token)).await;
    let page = browser.press(&page, "Stuur mijn SMS-code", &[]).await;
    assert!(page.status == StatusCode::SERVICE_UNAVAILABLE && page.shows("kon niet verstuurd worden") && page.shows("Stuur mijn SMS-code"));
    assert!(world.challenge(&token).await.is_none() && world.count(Fact::CodeFailed).await == 1);
}

/// Every address, with what it takes to be shown it.
fn addresses(token: &Token, numbers: &Token, read: &str) -> Vec<String> {
    let mut all = vec!["/".to_owned(), "/health".to_owned(), "/static/zegel.css".to_owned(), "/static/zegel.js".to_owned()];
    all.push(format!("/m/{}", token.in_link().expose()));
    all.push(format!("/n/{}", numbers.in_link().expose()));
    all.extend(["", "/text", "/picture/1", "/file/0", "/file/1"].map(|p| format!("{read}{p}")));
    all.extend(["/m/x", "/n/x", "/r/x", "/x", "/static/x", "/static/..%2f", "/?lang=en", "//", "/health/x"].map(str::to_owned));
    all.push(format!("/m/{}", Token::random().in_link().expose()));
    all.push(format!("/r/{}", Id::random()));
    all
}

/// A world with a message that is open in a browser: the path of its page.
async fn open_world() -> (World, Browser, Token, Token, String) {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, Some("<p>x</p>")).await;
    let (numbers, _) = world.held(&[(RECIPIENT, Level::Two, None)]).await;
    let browser = Browser::new();
    let page = unlock(&world, &browser, &token).await;
    let read = page.url.strip_prefix(&world.url("")).unwrap().to_owned();
    (world, browser, token, numbers, read)
}

#[tokio::test(flavor = "multi_thread")]
async fn get_and_head_leave_the_store_as_it_is() {
    let (world, browser, token, numbers, read) = open_world().await;
    let before = world.everything().await;
    for browser in [&browser, &Browser::new()] {
        for address in addresses(&token, &numbers, &read) {
            for method in [Method::HEAD, Method::GET] {
                browser.ask(method, &world.url(&address), None, &[]).await;
            }
        }
    }
    assert!(before == world.everything().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_bears_the_headers() {
    let (world, browser, token, numbers, read) = open_world().await;
    let mut answers = Vec::new();
    for address in addresses(&token, &numbers, &read) {
        for method in [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::OPTIONS] {
            answers.push((format!("{method} {address}"), browser.ask(method, &world.url(&address), None, &[]).await));
        }
    }
    let large = vec![("form".to_owned(), "x".repeat(200_000))];
    answers.push(("large".to_owned(), browser.ask(Method::POST, &world.link(&token), Some(&large), &[]).await));
    answers.push(("host".to_owned(), browser.ask(Method::GET, &world.link(&token), None, &[("host", "evil.example")]).await));
    let statuses: std::collections::BTreeSet<u16> = answers.iter().map(|(_, a)| a.status.as_u16()).collect();
    assert_eq!(statuses, [200, 400, 403, 404, 405, 413, 421].into());
    for (what, answer) in &answers {
        let header = |name: &str| answer.headers.get(name).unwrap_or_else(|| panic!("{what}: no {name}")).to_str().unwrap();
        assert!(header("content-security-policy").contains("default-src 'none'"), "{what}");
        assert!(
            !header("content-security-policy").contains("unsafe-eval") && !header("content-security-policy").contains("script-src 'unsafe")
        );
        assert_eq!(header("referrer-policy"), "no-referrer", "{what}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{what}");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{what}");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin", "{what}");
        assert_eq!(header("x-robots-tag"), "noindex, nofollow", "{what}");
        assert!(header("permissions-policy").contains("camera=()"), "{what}");
        if !what.contains("/static/zegel.") {
            assert_eq!(header("cache-control"), "no-store", "{what}");
        }
        assert!(answer.headers.get("server").is_none());
    }
    let post_file = answers.iter().find(|(w, _)| w == &format!("PUT {read}/file/0")).unwrap();
    assert_eq!(post_file.1.headers["allow"], "GET, HEAD, POST");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_open_nothing_look_alike_and_say_what_to_do() {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, None).await;
    let [buried, _] = world.message(Level::One, None).await;
    let key = Key::message(world.grant(&buried).await.message);
    let gone: SealedMessage = world.store.get(&key).await.unwrap().unwrap().read(&key).unwrap();
    let mut batch = Batch::new();
    batch.put(key, &SealedMessage { state: State::Gone, ..gone }, Expect::Anything);
    world.store.commit(batch).await.unwrap();
    let (numbers, _) = world.held(&[(RECIPIENT, Level::Two, None)]).await;
    world.clock.advance(Duration::from_secs(31 * 24 * 3600));
    let browser = Browser::new();
    let foreign = world.link(&numbers);
    let links =
        [world.link(&Token::random()), world.link(&token), world.link(&buried), foreign, world.url("/m/kort"), world.url("/n/kort")];
    let mut pages = Vec::new();
    for link in &links {
        for form in [None, Some(vec![("do".to_owned(), "open".to_owned()), ("answer".to_owned(), "x".to_owned())])] {
            let method = if form.is_some() { Method::POST } else { Method::GET };
            let page = browser.ask(method, link, form.as_deref(), &[]).await;
            assert_eq!(page.status, StatusCode::NOT_FOUND, "{link}");
            pages.push(page.text());
        }
    }
    assert!(pages.iter().all(|p| *p == pages[0]) && pages[0].contains("Vraag de afzender"));
}

#[tokio::test(flavor = "multi_thread")]
async fn on_its_last_day_a_message_can_still_be_read() {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, None).await;
    world.clock.advance(Duration::from_secs(30 * 24 * 3600));
    assert_eq!(Browser::new().get(&world.link(&token)).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_without_its_token_or_from_another_site_does_nothing() {
    let (world, browser, token, numbers, read) = open_world().await;
    let before = world.everything().await;
    let other = world.message(Level::One, None).await;
    let after_message = world.everything().await;
    assert_ne!(before.len(), after_message.len());
    let fresh = world.link(&other[0]);
    let page = browser.get(&fresh).await;
    let (_, good) = page.form("Stuur mijn wachtwoord");
    let without: Vec<_> = good.iter().filter(|(n, _)| n != "form").cloned().collect();
    let of_another = browser.get(&world.link(&other[1])).await.form("Stuur mijn wachtwoord").1;
    for form in [&without, &of_another] {
        assert_eq!(browser.ask(Method::POST, &fresh, Some(form), &[("sec-fetch-site", "same-origin")]).await.status, StatusCode::FORBIDDEN);
    }
    for headers in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")] {
        assert_eq!(browser.ask(Method::POST, &fresh, Some(&good), &[headers]).await.status, StatusCode::FORBIDDEN);
    }
    for path in
        [read.clone(), format!("{read}/file/0"), format!("/n/{}", numbers.in_link().expose()), format!("/m/{}", token.in_link().expose())]
    {
        let form =
            [("form".to_owned(), "x".to_owned()), ("do".to_owned(), "send".to_owned()), ("number-0".to_owned(), "0612345678".to_owned())];
        assert_eq!(browser.ask(Method::POST, &world.url(&path), Some(&form), &[]).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert!(world.everything().await == after_message);
    // With neither header the token alone decides: old browsers.
    assert_eq!(browser.ask(Method::POST, &fresh, Some(&good), &[]).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_opens_its_own_message_only_and_ends() {
    let (world, browser, token, _, read) = open_world().await;
    let [mine, other] = world.message(Level::One, None).await;
    let theirs = format!("/r/{}", lookup_id(&other));
    assert_eq!(browser.get(&world.url(&theirs)).await.status, StatusCode::FORBIDDEN);
    // The same cookie under another message's name.
    let stolen = browser.cookies.lock().unwrap().values().next().unwrap().clone();
    let thief = Browser::new();
    thief.cookies.lock().unwrap().insert(format!("zegel-{}", lookup_id(&other)), stolen);
    assert_eq!(thief.get(&world.url(&theirs)).await.status, StatusCode::FORBIDDEN);
    // Two messages are open side by side.
    assert_eq!(unlock(&world, &browser, &mine).await.status, StatusCode::OK);
    assert_eq!(browser.get(&world.url(&read)).await.status, StatusCode::OK);
    // Looking at it keeps it open for an hour more, but not longer than eight.
    for _ in 0..9 {
        world.clock.advance(Duration::from_secs(50 * 60));
        assert_eq!(browser.get(&world.url(&read)).await.status, StatusCode::OK);
    }
    world.clock.advance(Duration::from_secs(61 * 60));
    assert_eq!(browser.get(&world.url(&read)).await.status, StatusCode::FORBIDDEN);
    assert!(browser.get(&world.link(&token)).await.shows("Stuur mijn wachtwoord"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recalled_closes_at_once() {
    let (world, browser, token, _, read) = open_world().await;
    let mut batch = Batch::new();
    batch.delete(Key::grant(lookup_id(&token)), Expect::Anything);
    world.store.commit(batch).await.unwrap();
    for path in ["", "/text", "/file/0", "/picture/1"] {
        assert_eq!(browser.get(&world.url(&format!("{read}{path}"))).await.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_sites_page_gets_no_file() {
    let (world, browser, _, _, read) = open_world().await;
    for path in ["/file/0", "/picture/1"] {
        let answer = browser.ask(Method::GET, &world.url(&format!("{read}{path}")), None, &[("sec-fetch-site", "cross-site")]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_part_is_a_page_that_says_so_never_wrong_content() {
    let (world, browser, token, _, read) = open_world().await;
    let key = Key::message(world.grant(&token).await.message);
    let message: SealedMessage = world.store.get(&key).await.unwrap().unwrap().read(&key).unwrap();
    let two = [message.blobs[1], message.blobs[2]];
    for blob in two {
        world.blobs.delete(blob).await.unwrap();
    }
    for path in ["", "/text", "/file/0"] {
        let page = browser.get(&world.url(&format!("{read}{path}"))).await;
        assert!(page.status == StatusCode::INTERNAL_SERVER_ERROR && page.shows("beschadigd"), "{path}");
    }
    assert_eq!(browser.get(&world.url(&format!("{read}/file/1"))).await.octets, PNG);
}

#[tokio::test(flavor = "multi_thread")]
async fn html_that_is_too_deep_is_shown_as_text() {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, Some(&"<div>".repeat(100_000))).await;
    let browser = Browser::new();
    let page = unlock(&world, &browser, &token).await;
    assert!(page.shows("te ingewikkeld") && page.shows("Het besluit is positief.") && !page.shows("<iframe"));
    assert_eq!(browser.get(&format!("{}/text", page.url)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_that_presses_every_button_costs_one_mail_and_gains_nothing() {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, None).await;
    let scanner = Browser::new();
    for _ in 0..3 {
        let page = scanner.get(&world.link(&token)).await;
        let text = page.text();
        for form in text.split("<form").skip(1) {
            let button = if form.contains("Stuur mijn wachtwoord") {
                "Stuur mijn wachtwoord"
            } else if form.contains("Doorgaan") {
                "Doorgaan"
            } else {
                "Klik hier"
            };
            let answer = scanner.press(&page, button, &[]).await;
            assert!(!answer.shows("positief") && !answer.shows("aanvraag"));
        }
    }
    assert_eq!(world.letters().await.len(), 1);
    // The recipient opens it all the same.
    let browser = Browser::new();
    let page = browser.get(&world.link(&token)).await;
    assert!(browser.press(&page, "Doorgaan", &[("answer", &world.password(&token).await)]).await.shows("positief"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_speak_the_language_that_was_chosen() {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, None).await;
    let browser = Browser::new();
    let link = world.link(&token);
    assert!(browser.get(&link).await.shows("Stuur mijn wachtwoord"));
    let english = browser.ask(Method::GET, &link, None, &[("accept-language", "fr, en-GB;q=0.9, nl;q=0.1")]).await;
    assert!(english.shows("Send my password") && english.shows("<html lang=\"en\">") && english.shows("?lang=nl"));
    assert!(browser.get(&format!("{link}?lang=en")).await.shows("Send my password"));
    assert!(browser.get(&link).await.shows("Send my password"), "remembered");
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_and_half_connections_are_closed_and_stopping_waits_for_none() {
    let limits = Limits { head_time: Duration::from_millis(200), form_time: Duration::from_millis(200), ..Limits::default() };
    let world = World::with(limits, None).await;
    let [token, _] = world.message(Level::One, None).await;
    let path = format!("/m/{}", token.in_link().expose());
    let host = world.address;
    let form =
        format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nfo");
    for (sent, answered) in
        [("", false), ("GET / HT", false), ("PRI", false), ("GET / HTTP/1.1\r\nHost: x\r\nA", false), (form.as_str(), true)]
    {
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // Ends when the portal closes the connection.
        let _ = stream.read_to_end(&mut answer).await;
        assert_eq!(answer.starts_with(b"HTTP/1.1 400"), answered || answer.starts_with(b"HTTP/1.1 400"), "{sent:?}");
    }
    // A connection that is kept open does not hold up the end.
    let idle = TcpStream::connect(host).await.unwrap();
    world.stop.send(true).unwrap();
    world.served.await.unwrap();
    drop(idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_phone_number_never_reaches_a_page() {
    let world = World::new().await;
    let [token, _] = world.message(Level::Two, None).await;
    let number = PhoneNumber::from_stored("+31612345954").unwrap();
    let page = Browser::new().get(&world.link(&token)).await;
    assert!(page.shows(&number.masked()) && !page.shows("345954"));
}
