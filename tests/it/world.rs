//! A temporary zegel in this process: real sockets, real store, a mail server that keeps what it gets, and a clock the test sets.

use crate::process::free_port;
use arc_swap::ArcSwap;
use bytes::Bytes;
use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore, watch},
    time::Instant,
};
use zegel::{
    address::Address,
    clock::{Clock, SetClock, SystemClock},
    config::Config,
    demo::mailbox::{Delivered, Mailbox},
    extract,
    gateway::{self, Gateway, Loops, NullSender, Texts, Times},
    inspect::Rulebook,
    metrics::Metrics,
    notice::Organisation,
    outbox::{Outbox, Slow, UnderWay},
    record::{Approval, Card, Grant, Key, Sealed, SealedMessage},
    sandbox::{Options, Reader},
    seal::{card_context, lookup_id, open, part_context, unwrap},
    secret::{Id, Token},
    serve::{Listeners, Running, start_with},
    smtp::{
        self, Budget, EnvelopeCommand, Reply, ServerOptions,
        client::{ClientOptions, NextHop, Pool, Routes},
    },
    store::{self, Keyring, Opened, Store, StoreOptions, memory::MemoryBlobs},
    template::Templates,
};

/// What workers run: the real binary, since this one is none.
const READERS: &str = env!("CARGO_BIN_EXE_zegel");

/// Who sends in the tests: inside.
pub const ANNA: &str = "anna@gemeente.example";
/// A recipient outside.
pub const BURGER: &str = "burger@post.example";
/// Another one.
pub const BUUR: &str = "buur@post.example";
/// A colleague inside.
pub const COLLEGA: &str = "collega@gemeente.example";

/// A temporary zegel and the world around it.
pub struct World {
    pub folder: TempDir,
    pub outside: Mailbox,
    pub gateway: SocketAddr,
    pub portal: String,
    pub clock: Arc<SetClock>,
    pub opened: Opened,
    pub running: Running,
    _next_hop: watch::Sender<bool>,
}

impl World {
    /// With the embedded rules and policies.
    pub async fn new() -> World {
        World::with(|_| {}, |opened| opened).await
    }

    /// With files of the test's own beside the configuration (`write` gets the folder), and with a store that `wrap` puts something around.
    pub async fn with(write: impl FnOnce(&Path), wrap: impl FnOnce(Opened) -> Opened) -> World {
        World::tuned(write, |_| {}, wrap).await
    }

    /// The same, with a configuration that `tune` changes where files can't.
    pub async fn tuned(write: impl FnOnce(&Path), tune: impl FnOnce(&mut Config), wrap: impl FnOnce(Opened) -> Opened) -> World {
        let (outside, hop, next_hop) = outside().await;
        World::before(hop, outside, next_hop, write, tune, wrap).await
    }

    /// Before a next hop of the test's own.
    pub async fn next_to(hop: SocketAddr) -> World {
        World::before(hop, Mailbox::default(), watch::channel(false).0, |_| {}, |_| {}, |opened| opened).await
    }

    /// Before a next hop of the test's own, with files of the test's own beside the configuration.
    pub async fn next_to_writing(hop: SocketAddr, write: impl FnOnce(&Path)) -> World {
        World::before(hop, Mailbox::default(), watch::channel(false).0, write, |_| {}, |opened| opened).await
    }

    /// Before a next hop of the test's own, with a store that `wrap` puts something around.
    pub async fn next_to_with(hop: SocketAddr, wrap: impl FnOnce(Opened) -> Opened) -> World {
        World::before(hop, Mailbox::default(), watch::channel(false).0, |_| {}, |_| {}, wrap).await
    }

    /// Cuts zegel off wherever it waits, as a crash would, and starts another on the same folder and at the same time.
    pub async fn crash(self, wrap: impl FnOnce(Opened) -> Opened) -> World {
        let World { folder, outside, clock, opened, running, _next_hop, .. } = self;
        drop((opened, running));
        World::on(folder, clock, outside, _next_hop, |_| {}, wrap).await
    }

    async fn before(
        hop: SocketAddr,
        outside: Mailbox,
        next_hop: watch::Sender<bool>,
        write: impl FnOnce(&Path),
        tune: impl FnOnce(&mut Config),
        wrap: impl FnOnce(Opened) -> Opened,
    ) -> World {
        let folder = TempDir::new().unwrap();
        let (gateway, page) = (free_port(), free_port());
        let portal = format!("http://{page}");
        std::fs::write(folder.path().join("zegel.toml"), configuration(&portal, gateway, page, hop)).unwrap();
        write(folder.path());
        World::on(folder, Arc::new(SetClock::at(SystemClock.now())), outside, next_hop, tune, wrap).await
    }

    /// Over a folder that holds a configuration.
    async fn on(
        folder: TempDir,
        clock: Arc<SetClock>,
        outside: Mailbox,
        next_hop: watch::Sender<bool>,
        tune: impl FnOnce(&mut Config),
        wrap: impl FnOnce(Opened) -> Opened,
    ) -> World {
        let mut config = Config::load(&folder.path().join("zegel.toml")).unwrap_or_else(|faults| panic!("{faults:#?}"));
        config.readers.program = READERS.into();
        tune(&mut config);
        let options = StoreOptions::new(&config.store.path, &config.store.keys, clock.now());
        // One that was cut off lets go of lock and ports within moments.
        let opened = patiently(|| store::open(&options).map_err(|e| e.to_string())).await;
        let listeners = patiently(|| Listeners::bind(&config).map_err(|e| e.to_string())).await;
        let (gateway, portal) = (config.smtp.listen[0], config.portal.url.clone());
        let wrapped = wrap(opened.clone());
        let running = start_with(config, listeners, clock.clone(), wrapped).await.unwrap();
        World { folder, outside, gateway, portal, clock, opened, running, _next_hop: next_hop }
    }

    /// Sends a mail in a transaction of its own; the first refusal, or the reply to the final dot.
    pub async fn send(&self, from: &str, to: &[&str], octets: &[u8]) -> Reply {
        send_to(self.gateway, from, to, octets).await
    }

    /// The mails that came for `to`, once there are `count` of them.
    pub async fn mails_for(&self, to: &str, count: usize) -> Vec<Delivered> {
        let is_for = |m: &Delivered| m.to.iter().any(|a| a.as_str() == to);
        let came = self.outside.wait_until(|mails| mails.iter().filter(|m| is_for(m)).count() >= count).await;
        assert!(came, "{count} mails for {to}, but there are: {:?}", self.subjects());
        self.delivered_to(to)
    }

    /// The mails that have come for `to` by now.
    pub fn delivered_to(&self, to: &str) -> Vec<Delivered> {
        self.outside.mails().into_iter().filter(|m| m.to.iter().any(|a| a.as_str() == to)).collect()
    }

    pub fn subjects(&self) -> Vec<String> {
        self.outside.mails().iter().map(|m| format!("{:?}: {}", m.to, m.subject())).collect()
    }

    /// What the holder of a link can open, as the portal would after the code.
    pub async fn open_link(&self, link: &str) -> Option<Opening> {
        open_link(&self.opened, link).await
    }
}

/// Sends a mail to `server` in a transaction of its own; the first refusal, or the reply to the final dot.
pub async fn send_to(server: SocketAddr, from: &str, to: &[&str], octets: &[u8]) -> Reply {
    let to: Vec<_> = to.iter().map(|to| (*to, "")).collect();
    send_asking(server, (from, ""), &to, octets).await
}

/// Sends a mail as `send_to` does, with the ESMTP parameters beside each address: ` NOTIFY=NEVER`.
pub async fn send_asking(server: SocketAddr, (from, parameters): (&str, &str), to: &[(&str, &str)], octets: &[u8]) -> Reply {
    let pool = Pool::new(NextHop::plain(&server.ip().to_string(), server.port()), ClientOptions::new("mail.gemeente.example"));
    let from = (!from.is_empty()).then(|| Address::parse(from).unwrap());
    let mut commands = vec![EnvelopeCommand::Mail { from, parameters: parameters.to_owned(), size: None }];
    let rcpt =
        |(to, parameters): &(&str, &str)| EnvelopeCommand::Rcpt { to: Address::parse(to).unwrap(), parameters: (*parameters).to_owned() };
    commands.extend(to.iter().map(rcpt));
    let mut transaction = match pool.begin().await {
        Ok(transaction) => transaction,
        Err(failure) => return failure.reply(),
    };
    let replies = match transaction.envelope(&commands).await {
        Ok(replies) => replies,
        Err(failure) => return failure.reply(),
    };
    if let Some(refusal) = replies.into_iter().find(|r| !r.is_positive()) {
        return refusal;
    }
    match transaction.data(&[octets], Instant::now() + Duration::from_secs(120)).await {
        Ok(reply) => reply,
        Err(failure) => failure.reply(),
    }
}

/// What the holder of a link can open: the card, and the octets of each part; `None` when there is no such grant.
pub async fn open_link(opened: &Opened, link: &str) -> Option<Opening> {
    let token = Token::parse(link.rsplit('/').next()?)?;
    let key = Key::grant(lookup_id(&token));
    let grant: Grant = opened.store.get(&key).await.unwrap()?.read(&key).unwrap();
    let (card, parts) = open_message(opened, &token, grant.message, &grant.wrap).await?;
    Some(Opening { card, parts, grant })
}

/// What the sender of a held message can open by the link to the number page.
pub async fn open_approval(opened: &Opened, link: &str) -> Option<(Card, Vec<Bytes>)> {
    let token = Token::parse(link.rsplit('/').next()?)?;
    let key = Key::approval(lookup_id(&token));
    let approval: Approval = opened.store.get(&key).await.unwrap()?.read(&key).unwrap();
    open_message(opened, &token, approval.message, &approval.wrap).await
}

async fn open_message(opened: &Opened, token: &Token, id: Id, wrap: &Sealed) -> Option<(Card, Vec<Bytes>)> {
    let message_key = Key::message(id);
    let message: SealedMessage = opened.store.get(&message_key).await.unwrap()?.read(&message_key).unwrap();
    let bucket = opened.keyring.existing(message.expires).unwrap();
    let content_key = unwrap(&opened.keyring.master(), &bucket, token, id, wrap).unwrap();
    let blob = async |id| opened.blobs.get(id, None).await.unwrap().expect("the blob is there");
    let sealed = match message.sealed_card {
        Some(sealed) => sealed.0,
        None => blob(message.card).await,
    };
    let card = open(content_key.key(), &card_context(id, message.card), &sealed).unwrap();
    let card: Card = serde_json::from_slice(&card).unwrap();
    let mut parts = Vec::new();
    for part in card.text.iter().chain(&card.html).chain(&card.files) {
        if let Some(text) = &part.content {
            parts.push(Bytes::from(text.clone()));
            continue;
        }
        let octets = open(content_key.key(), &part_context(id, part.blob), &blob(part.blob).await).unwrap();
        parts.push(Bytes::from(octets.to_vec()));
    }
    Some((card, parts))
}

/// The outside world: a mail server that keeps what it gets, its address, and what ends it.
pub async fn outside() -> (Mailbox, SocketAddr, watch::Sender<bool>) {
    let (outside, address, end, _) = outside_observed().await;
    (outside, address, end)
}

/// The same, with what tells how many sessions are open.
pub async fn outside_observed() -> (Mailbox, SocketAddr, watch::Sender<bool>, Arc<ServerOptions>) {
    let outside = Mailbox::default();
    let (listener, address) = listen().await;
    let allow = vec!["127.0.0.0/8".parse().unwrap()];
    let options = Arc::new(ServerOptions { allow, ..ServerOptions::new("outside.example", Budget::new(256 << 20)) });
    let (end, ended) = watch::channel(false);
    tokio::spawn(smtp::serve(listener, options.clone(), Arc::new(outside.clone()), ended));
    (outside, address, end, options)
}

/// What a link opens.
pub struct Opening {
    pub card: Card,
    pub parts: Vec<Bytes>,
    pub grant: Grant,
}

impl Opening {
    /// Whether any part holds `text`.
    pub fn holds(&self, text: &str) -> bool {
        self.parts.iter().any(|p| contains(p, text.as_bytes()))
    }
}

/// Tries again until it works, for half a minute.
async fn patiently<T>(attempt: impl Fn() -> Result<T, String>) -> T {
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        match attempt() {
            Ok(done) => return done,
            Err(why) => assert!(Instant::now() < end, "{why}"),
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

pub async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// The smallest configuration that runs.
pub fn configuration(portal: &str, smtp: SocketAddr, http: SocketAddr, hop: SocketAddr) -> String {
    format!(
        "[organisation]\nname = \"Gemeente Voorbeeld\"\ndomains = [\"gemeente.example\"]\nlanguage = \"nl\"\n\
         [smtp]\nlisten = [\"{smtp}\"]\nnext_hop = \"smtp://{hop}\"\nallow = [\"127.0.0.0/8\"]\n\
         [portal]\nlisten = [\"{http}\"]\nurl = \"{portal}\"\n[store]\npath = \"data\"\n[sms]\nprovider = \"file\"\n"
    )
}

/// A gateway by itself, over a store that is open, without a server.
pub fn gateway(routes: Arc<ArcSwap<Routes>>, opened: Opened, rulebook: Rulebook, times: Times) -> Gateway {
    let options = gateway::Options {
        hostname: "gw.example".to_owned(),
        language: "nl".to_owned(),
        retention_days: 30,
        hold_time: Duration::from_secs(3600),
        times,
        loops: Loops { max_received: Loops::MAX_RECEIVED, header: None },
        null_sender: NullSender::default(),
    };
    let metrics = Arc::new(Metrics::default());
    Gateway {
        options,
        rulebook: Arc::new(ArcSwap::from_pointee(rulebook)),
        reader: Reader::new(Options { program: READERS.into(), ..Options::default() }, metrics.clone()),
        texts: Texts::new(&extract::Limits::default()),
        routes,
        direct: None,
        store: opened.store,
        blobs: opened.blobs,
        keyring: opened.keyring,
        clock: Arc::new(SystemClock),
        organisation: Arc::new(ArcSwap::from_pointee(organisation())),
        metrics,
        large: Arc::new(Semaphore::new(1)),
        live: Arc::default(),
    }
}

/// An outbox by itself, over a store that is open, without anything around it.
pub fn outbox_alone(store: Arc<dyn Store>, keyring: Arc<Keyring>, routes: Routes, clock: Arc<dyn Clock>, wake: Arc<Notify>) -> Outbox {
    Outbox {
        store,
        keyring,
        routes: Arc::new(ArcSwap::from_pointee(routes)),
        templates: Arc::new(ArcSwap::from_pointee(Templates::embedded())),
        organisation: Arc::new(ArcSwap::from_pointee(organisation())),
        clock,
        wake,
        under_way: UnderWay::default(),
        slow: Slow::default(),
        blobs: Arc::new(MemoryBlobs::new()),
        loop_header: None,
        large: Arc::new(Semaphore::new(1)),
    }
}

/// In whose name one part by itself writes.
fn organisation() -> Organisation {
    Organisation {
        name: "Gemeente Voorbeeld".to_owned(),
        from: Address::parse("zegel@gemeente.example").unwrap(),
        url: "http://127.0.0.1:1".to_owned(),
        language: "nl".to_owned(),
        hostname: "gw.example".to_owned(),
        bounces: None,
        signer: None,
    }
}

static NUMBER: AtomicU32 = AtomicU32::new(1);

/// A plain mail with everything a mail server adds; each has a Message-ID of its own.
pub fn mail(subject: &str, body: &str) -> String {
    let number = NUMBER.fetch_add(1, Ordering::SeqCst);
    format!(
        "From: Anna de Vries <{ANNA}>\r\nTo: {BURGER}\r\nSubject: {subject}\r\nDate: Mon, 12 Oct 2026 09:30:00 +0200\r\n\
         Message-ID: <{number}@gemeente.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n"
    )
}

pub fn contains(octets: &[u8], wanted: &[u8]) -> bool {
    octets.windows(wanted.len()).any(|w| w == wanted)
}
