//! Plays a conversation against a real zegel, and compares.

use super::{
    flaky::{self, Next},
    rules::{self, Allowed, Client, Fates, Gets, gets},
    step::{Kind, Step, Who},
};
use crate::{
    sink::{Act, Sink, Sunk},
    world::{ANNA, World, contains, open_approval},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    time::{sleep, timeout},
};
use zegel::{demo::mailbox::Delivered, message::Message, record::KeyRange};

/// A reply comes within this, or never.
const PATIENCE: Duration = Duration::from_secs(60);

/// What went wrong, as one sentence.
type Wrong = String;

/// A mark in the text of each mail, and in no mail that zegel writes.
fn mark(mail: usize) -> String {
    format!("merkteken{}.", "x".repeat(mail + 1))
}

fn text(mail: usize, kind: Kind) -> String {
    let secret = if kind == Kind::Secret { "Het BSN van mevrouw Bakker is 111222333.\r\n" } else { "" };
    format!("{}\r\n.een punt\r\n{secret}", mark(mail))
}

fn octets(mail: usize, kind: Kind) -> Vec<u8> {
    let subject = if kind == Kind::Marked { "[beveiligd] Bericht" } else { "Bericht" };
    format!(
        "From: Anna <{ANNA}>\r\nTo: iemand@post.example\r\nSubject: {subject}\r\nDate: Mon, 12 Oct 2026 09:30:00 +0200\r\n\
         Message-ID: <{mail}@gemeente.example>\r\n\r\n{}",
        text(mail, kind)
    )
    .into_bytes()
}

/// One conversation under way.
struct Play {
    world: World,
    hop: Sink,
    next: Next,
    wires: [Option<Wire>; 2],
    clients: [Client; 2],
    fates: Fates,
    /// The next hop may fail at this moment; the store may.
    hop_fails: bool,
    store_fails: bool,
    /// Each may have made a mail of zegel's own leave once more.
    disturbances: usize,
}

/// Plays `steps` from the first to the last; what went otherwise than the model says.
pub(super) async fn play(steps: &[Step]) -> Result<(), Wrong> {
    let hop = Sink::start().await;
    knows_not_everybody(&hop);
    let next = Next::default();
    let flaky = next.clone();
    let world = World::next_to_with(hop.address(), |opened| flaky::around(opened, flaky)).await;
    let clients = [Client::default(), Client::default()];
    let mut play = Play {
        world,
        hop,
        next,
        wires: [None, None],
        clients,
        fates: Fates::default(),
        hop_fails: false,
        store_fails: false,
        disturbances: 0,
    };
    for step in steps {
        play = play.step(step.clone()).await.map_err(|why| format!("{step:?}: {why}"))?;
    }
    knows_not_everybody(&play.hop);
    play.next.lock().unwrap().take();
    play.drain().await?;
    play.compare().await
}

/// Heals the next hop, but for one recipient whom it never knows.
fn knows_not_everybody(hop: &Sink) {
    hop.heals();
    hop.fails(&format!("RCPT TO:<{}", Who::Nobody.address()), Act::Reply("550 5.1.1 no such user".to_owned()));
}

impl Play {
    async fn step(mut self, step: Step) -> Result<Play, Wrong> {
        match step {
            Step::Ehlo(client) => {
                self.hears(client, "EHLO mail.gemeente.example\r\n", Allowed::Code(250)).await?;
                self.clients[client].greeted = true;
                self.clients[client].forget(false);
            }
            Step::Mail(client) => {
                self.clients[client].disturbed |= self.hop_fails && !self.clients[client].open;
                let allowed = self.clients[client].may_hear_at_mail();
                let code = self.hears(client, &format!("MAIL FROM:<{ANNA}>\r\n"), allowed).await?;
                self.clients[client].open |= code == 250;
            }
            Step::Rcpt(client, who) => {
                let allowed = self.clients[client].may_hear_at_rcpt(who);
                let code = self.hears(client, &format!("RCPT TO:<{}>\r\n", who.address()), allowed).await?;
                if code == 250 {
                    self.clients[client].to.insert(who);
                }
            }
            Step::Body { client, mail, kind, chunks } => self.body(client, mail, kind, chunks).await?,
            Step::Abandoned { client, mail, kind } => {
                if self.data(client).await? {
                    let to = self.clients[client].to.clone();
                    self.wire(client).await?.say(&stuffed(&octets(mail, kind))).await?;
                    self.fates.note(mail, kind, &to, None, false);
                    self.fates.abandoned.insert(mail);
                    self.hang_up(client);
                }
            }
            Step::Broken { client, mail, kind } => {
                if self.data(client).await? {
                    let octets = octets(mail, kind);
                    self.wire(client).await?.say(&octets[..octets.len() / 2]).await?;
                    self.hang_up(client);
                }
            }
            Step::Rset(client) => {
                self.hears(client, "RSET\r\n", Allowed::Code(250)).await?;
                self.clients[client].forget(false);
            }
            Step::Noop(client) => drop(self.hears(client, "NOOP\r\n", Allowed::Code(250)).await?),
            Step::Quit(client) => {
                self.hears(client, "QUIT\r\n", Allowed::Code(221)).await?;
                self.hang_up(client);
            }
            Step::HangUp(client) => self.hang_up(client),
            Step::Hop(at, fault) => {
                self.hop.fails_times(at, fault.act(), 0, 1);
                self.disturb();
                self.hop_fails = true;
            }
            Step::Store(fault) => {
                *self.next.lock().unwrap() = Some(fault);
                self.disturb();
                self.store_fails = true;
            }
            Step::Heal => {
                knows_not_everybody(&self.hop);
                self.next.lock().unwrap().take();
                (self.hop_fails, self.store_fails) = (false, false);
            }
            Step::Crash => return Ok(self.crash().await),
        }
        Ok(self)
    }

    /// What is open now may suffer.
    fn disturb(&mut self) {
        self.disturbances += 1;
        for client in self.clients.iter_mut().filter(|c| c.open) {
            client.disturbed = true;
        }
    }

    fn hang_up(&mut self, client: usize) {
        self.wires[client] = None;
        self.clients[client] = Client::default();
    }

    async fn crash(mut self) -> Play {
        self.disturbances += 1;
        (0..2).for_each(|client| self.hang_up(client));
        let flaky = self.next.clone();
        self.next.lock().unwrap().take();
        self.store_fails = false;
        Play { world: self.world.crash(|opened| flaky::around(opened, flaky)).await, ..self }
    }

    /// DATA; whether the body is wanted.
    async fn data(&mut self, client: usize) -> Result<bool, Wrong> {
        let allowed = self.clients[client].may_hear_at_data();
        Ok(self.hears(client, "DATA\r\n", allowed).await? == 354)
    }

    async fn body(&mut self, client: usize, mail: usize, kind: Kind, chunks: bool) -> Result<(), Wrong> {
        let octets = octets(mail, kind);
        let chunks = chunks && self.wire(client).await?.chunking;
        if !chunks && !self.data(client).await? {
            return Ok(());
        }
        let known = self.clients[client].clone();
        let ready = known.open && !known.to.is_empty();
        let allowed = if ready {
            known.may_hear_at_last(kind, self.store_fails || self.fates.abandoned.contains(&mail))
        } else {
            known.may_hear_at_data()
        };
        let said = if chunks { [format!("BDAT {} LAST\r\n", octets.len()).as_bytes(), &octets].concat() } else { stuffed(&octets) };
        let code = self.hears(client, said, allowed).await?;
        if chunks && !ready {
            // RFC 3030, 2: after a BDAT that was refused nothing is left of the transaction.
            self.clients[client].forget(false);
        }
        if ready {
            self.fates.note(mail, kind, &known.to, Some(code), matches!(allowed, Allowed::Code(_)));
            self.clients[client].forget(false);
            if code == 250 {
                self.clients[client].errors = 0;
            }
        }
        Ok(())
    }

    /// A client's connection, made if there is none.
    async fn wire(&mut self, client: usize) -> Result<&mut Wire, Wrong> {
        if self.wires[client].is_none() {
            self.wires[client] = Some(Wire::connect(self.world.gateway).await?);
        }
        Ok(self.wires[client].as_mut().expect("it was made"))
    }

    /// Says something and hears a reply that the model allows; its code.
    async fn hears(&mut self, client: usize, said: impl AsRef<[u8]>, allowed: Allowed) -> Result<u16, Wrong> {
        let allowed = self.clients[client].counted(allowed);
        let wire = self.wire(client).await?;
        wire.say(said.as_ref()).await?;
        let (code, text) = wire.reply().await?;
        if allowed == rules::SENT_AWAY {
            self.hang_up(client);
        }
        if allowed.is(code) { Ok(code) } else { Err(format!("heard “{text}”, allowed is {allowed:?}")) }
    }

    /// Lets time pass until zegel has nothing more to send.
    async fn drain(&mut self) -> Result<(), Wrong> {
        for _ in 0..60 {
            for _ in 0..40 {
                let busy = !self.world.opened.store.list(&KeyRange::under("outbox"), 1).await.unwrap().is_empty();
                let pending = !self.world.opened.store.list(&KeyRange::under("pending"), 1).await.unwrap().is_empty();
                if !busy && !pending {
                    return Ok(());
                }
                self.world.running.parts.wake.notify_one();
                sleep(Duration::from_millis(25)).await;
            }
            // The wait after a failure, or the lease of a claim that was cut off.
            self.world.clock.advance(Duration::from_secs(3700));
            self.world.running.parts.sweep.round().await.map_err(|e| e.to_string())?;
            self.disturbances += 1;
        }
        Err("something never leaves".to_owned())
    }
}

impl Play {
    /// What everybody has is what the model says.
    async fn compare(&self) -> Result<(), Wrong> {
        let mut found = Found::default();
        for mail in self.hop.mails() {
            for to in &mail.to {
                self.look_at(&mail, to, &mut found).await?;
            }
        }
        for ((mail, who), fate) in &self.fates.of {
            let kind = self.fates.kinds[mail];
            let at = format!("mail {mail}, {kind:?}, to {who:?}, {fate:?}");
            let (copies, links) =
                (found.originals.remove(&(*mail, *who)).unwrap_or(0), found.links.remove(&(*mail, *who)).unwrap_or_default());
            match gets(kind, *who) {
                Gets::Original if !fate.originals(kind).contains(&copies) => return Err(format!("{at}: {copies} times")),
                Gets::Link if !fate.links().contains(&links.len()) => return Err(format!("{at}: {} links", links.len())),
                Gets::Link if links.values().any(|copies| *copies > 1 + self.disturbances) => return Err(format!("{at}: {links:?}")),
                Gets::Nothing if fate.taken > 0 && !found.asked.contains(mail) => {
                    return Err(format!("{at}: nobody was asked for his number"));
                }
                _ => {}
            }
        }
        let too_much = (found.originals.keys().next(), found.links.keys().next());
        if too_much == (None, None) { Ok(()) } else { Err(format!("{too_much:?} came, and was never taken")) }
    }

    /// One mail that the next hop has, for one of its recipients.
    async fn look_at(&self, sunk: &Sunk, to: &str, found: &mut Found) -> Result<(), Wrong> {
        let octets = sunk.octets();
        let original = self.fates.kinds.iter().find(|(mail, _)| contains(&octets, mark(**mail).as_bytes()));
        let who = Who::ALL.into_iter().find(|who| who.address() == to);
        match (who, original) {
            (Some(Who::Nobody), _) => return Err("somebody was written to whom the next hop refuses".to_owned()),
            (Some(who), Some((mail, kind))) if gets(*kind, who) == Gets::Original => {
                if !octets.ends_with(&self::octets(*mail, *kind)) {
                    return Err(format!("mail {mail} was changed on its way to {who:?}"));
                }
                *found.originals.entry((*mail, who)).or_default() += 1;
            }
            (_, Some((mail, _))) => return Err(format!("mail {mail} leaves in clear for {to}")),
            (who, None) => {
                let written = Delivered { from: None, to: Vec::new(), octets: octets.into() };
                let Some(link) = written.link(&self.world.portal) else { return Err(format!("no link for {to}")) };
                let parts = match who {
                    Some(_) => self.world.open_link(&link).await.map(|opening| opening.parts),
                    None => open_approval(&self.world.opened, &link).await.map(|(_, parts)| parts),
                };
                let Some(mail) = parts.and_then(|parts| self.mail_in(&parts)) else {
                    return Err(format!("the link for {to} opens none of the mails"));
                };
                let id = Message::new(written.octets).facts().message_id;
                match who {
                    Some(who) => *found.links.entry((mail, who)).or_default().entry(id).or_default() += 1,
                    None => drop(found.asked.insert(mail)),
                }
            }
        }
        Ok(())
    }

    /// Which mail's text this is, exactly and alone.
    fn mail_in(&self, parts: &[bytes::Bytes]) -> Option<usize> {
        let lines = |text: &[u8]| String::from_utf8_lossy(text).replace("\r\n", "\n").trim_end().to_owned();
        let [part] = parts else { return None };
        self.fates.kinds.iter().find(|(mail, kind)| lines(text(**mail, **kind).as_bytes()) == lines(part)).map(|(mail, _)| *mail)
    }
}

/// What the next hop has, in the model's words.
#[derive(Default)]
struct Found {
    originals: BTreeMap<(usize, Who), usize>,
    /// Copies by Message-ID.
    links: BTreeMap<(usize, Who), BTreeMap<Option<String>, usize>>,
    /// Mails whose sender was asked for a number.
    asked: BTreeSet<usize>,
}

/// A client's connection.
struct Wire {
    stream: BufReader<TcpStream>,
    chunking: bool,
}

impl Wire {
    async fn connect(gateway: std::net::SocketAddr) -> Result<Wire, Wrong> {
        let stream = TcpStream::connect(gateway).await.map_err(|e| e.to_string())?;
        let mut wire = Wire { stream: BufReader::new(stream), chunking: false };
        match wire.reply().await? {
            (220, _) => Ok(wire),
            (_, text) => Err(format!("greeted with {text}")),
        }
    }

    async fn say(&mut self, octets: &[u8]) -> Result<(), Wrong> {
        self.stream.get_mut().write_all(octets).await.map_err(|e| e.to_string())
    }

    async fn reply(&mut self) -> Result<(u16, String), Wrong> {
        loop {
            let mut line = String::new();
            let read = timeout(PATIENCE, self.stream.read_line(&mut line)).await.map_err(|_| "no reply")?.map_err(|e| e.to_string())?;
            if read == 0 {
                return Err("the connection ends without a reply".to_owned());
            }
            self.chunking |= line.contains("CHUNKING");
            if line.as_bytes().get(3) != Some(&b'-') {
                let code = line.get(..3).and_then(|c| c.parse().ok()).ok_or_else(|| format!("“{line}” is no reply"))?;
                return Ok((code, line.trim_end().to_owned()));
            }
        }
    }
}

/// The octets of a body as DATA wants them, with the final dot.
fn stuffed(octets: &[u8]) -> Vec<u8> {
    let mut wire = Vec::with_capacity(octets.len() + 8);
    for line in octets.split_inclusive(|o| *o == b'\n') {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    wire.extend_from_slice(b".\r\n");
    wire
}
