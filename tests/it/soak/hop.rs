//! A next hop that fails at random, and notes down what it took: whom for, and whether it was the mail itself, octet by octet.
//!
//! It shares no code with zegel's SMTP. What it hears of a mail whose envelope names a protected recipient is looked through even where it breaks
//! off in the middle.

use super::{
    dice::Dice,
    letter::{Letter, MARK, Role},
};
use crate::world::contains;
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// A mail that was taken for somebody.
#[derive(Clone, Debug)]
pub(crate) enum Took {
    /// The sender's mail, and whether it was so exactly, under nothing but trace fields.
    Original { exact: bool },
    /// One that zegel wrote.
    Written(Vec<u8>),
}

/// What the hop knows.
#[derive(Default)]
pub(crate) struct Notes {
    /// What was taken, by recipient.
    pub(crate) took: BTreeMap<String, Vec<Took>>,
    /// Recipients of transactions that were refused for good.
    pub(crate) refused: BTreeSet<String>,
    /// How often a recipient's mail was taken and the reply was lost, or came too late.
    pub(crate) unheard: BTreeMap<String, usize>,
    /// Protected recipients for whom text in clear was heard.
    pub(crate) leaks: BTreeSet<String>,
    /// Faults, by kind.
    pub(crate) faults: BTreeMap<&'static str, usize>,
}

struct State {
    notes: Notes,
    dice: Dice,
    /// Faults in a thousand commands; none at the end.
    per_mille: usize,
    /// The longest that an answer is held back.
    patience: Duration,
}

/// The next hop.
#[derive(Clone)]
pub(crate) struct Hop {
    pub(crate) address: SocketAddr,
    state: Arc<Mutex<State>>,
}

/// What goes wrong at a reply.
enum Fault {
    Refuse(&'static str),
    /// A last reply.
    Leave(&'static str),
    /// So much of the usual reply, then the end.
    CutAt(usize),
    Late(Duration),
    /// No answer until the client goes.
    Hang,
}

/// A hop that may answer so late may also never answer at all: zegel then waits for its whole time-out, too long for a short run.
const PATIENT: Duration = Duration::from_secs(4);

impl Hop {
    pub(crate) async fn start(dice: Dice, per_mille: usize, patience: Duration) -> Hop {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = State { notes: Notes::default(), dice, per_mille, patience };
        let hop = Hop { address: listener.local_addr().unwrap(), state: Arc::new(Mutex::new(state)) };
        let accepting = hop.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let conversation = Conversation { hop: accepting.clone(), stream, input: Vec::new() };
                tokio::spawn(conversation.run());
            }
        });
        hop
    }

    /// No more faults.
    pub(crate) fn heal(&self) {
        self.state.lock().unwrap().per_mille = 0;
    }

    /// Looks at what was noted.
    pub(crate) fn notes<T>(&self, look: impl FnOnce(&Notes) -> T) -> T {
        look(&self.state.lock().unwrap().notes)
    }

    /// What goes wrong now, if anything. `for_good`: whether a refusal may be one for good.
    fn fault(&self, at: &'static str, usual: &str, for_good: bool) -> Option<Fault> {
        let mut state = self.state.lock().unwrap();
        let per_mille = state.per_mille * if at == "DOT" { 2 } else { 1 };
        if !state.dice.chance(per_mille) {
            return None;
        }
        *state.notes.faults.entry(at).or_default() += 1;
        let patience = state.patience;
        Some(match state.dice.below(7) {
            0 | 1 => Fault::Refuse("451 4.3.0 not now"),
            2 if for_good => Fault::Refuse("554 5.7.1 never"),
            2 | 3 => Fault::Leave("421 4.3.2 closing"),
            4 | 5 => Fault::CutAt(state.dice.below(usual.len() + 1)),
            6 if patience >= PATIENT && state.dice.chance(50) => Fault::Hang,
            _ => Fault::Late(state.dice.time(patience)),
        })
    }

    /// Where a body breaks off, if it does.
    fn body_ends_at(&self) -> Option<usize> {
        let mut state = self.state.lock().unwrap();
        let per_mille = state.per_mille;
        state.dice.chance(per_mille).then(|| {
            *state.notes.faults.entry("BODY").or_default() += 1;
            state.dice.below(6000)
        })
    }

    fn offers_chunking(&self) -> bool {
        self.state.lock().unwrap().dice.chance(500)
    }

    fn note(&self, note: impl FnOnce(&mut Notes)) {
        note(&mut self.state.lock().unwrap().notes);
    }

    /// Looks for text in clear in what was heard of a body, and notes it down if it was taken.
    fn heard(&self, to: &[String], octets: &[u8], taken: bool) {
        let marked = contains(octets, MARK.as_bytes());
        self.note(|notes| {
            for address in to {
                let Some((letter, role)) = Letter::about(address) else { continue };
                if role != Role::Clean && marked {
                    notes.leaks.insert(address.clone());
                }
                let took = match role {
                    Role::Clean => Took::Original { exact: is_under_trace_fields(octets, &letter.octets()) },
                    _ => Took::Written(octets.to_vec()),
                };
                if taken {
                    notes.took.entry(address.clone()).or_default().push(took);
                }
            }
        });
    }
}

/// Whether `octets` end in `original` and begin with fields that a gateway may add.
fn is_under_trace_fields(octets: &[u8], original: &[u8]) -> bool {
    octets.strip_suffix(original).is_some_and(|above| {
        let above = String::from_utf8_lossy(above);
        let may_be_there = |line: &str| ["Received: ", "X-Zegel-", "\t", " "].iter().any(|start| line.starts_with(start));
        above.starts_with("Received: ") && above.ends_with("\r\n") && above.lines().all(may_be_there)
    })
}

struct Conversation {
    hop: Hop,
    stream: TcpStream,
    input: Vec<u8>,
}

impl Conversation {
    async fn run(mut self) {
        // Gone is gone: whoever hangs up has ended the conversation.
        let _ = self.converse().await;
    }

    async fn converse(&mut self) -> Option<()> {
        self.answer("CONNECT", "220 hop.example ESMTP", false).await?;
        let (mut from, mut to) = (None, Vec::new());
        let mut chunks = Vec::new();
        loop {
            let line = self.line().await?;
            let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => {
                    (from, to) = (None, Vec::new());
                    let more = if self.hop.offers_chunking() { "250-CHUNKING\r\n" } else { "" };
                    let usual = format!("250-hop.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n{more}250 SIZE 104857600");
                    self.answer("EHLO", &usual, false).await?;
                }
                "MAIL" if from.is_none() => {
                    if self.answer("MAIL", "250 2.1.0 ok", false).await? {
                        (from, to) = (Some(path(&line)), Vec::new());
                        chunks.clear();
                    }
                }
                "RCPT" if from.is_some() => {
                    let address = path(&line);
                    if matches!(Letter::about(&address), Some((_, Role::Unknown))) {
                        self.say("550 5.1.1 no such user").await?;
                    } else if self.answer("RCPT", "250 2.1.5 ok", false).await? {
                        to.push(address);
                    }
                }
                "DATA" if !to.is_empty() => {
                    if self.refusable(&to, "DATA", "354 go on").await? {
                        let octets = self.body(&to).await?;
                        self.dot(&std::mem::take(&mut to), &octets).await?;
                        from = None;
                    }
                }
                "BDAT" => {
                    let mut words = line.split(' ').skip(1);
                    let size = words.next()?.parse().ok()?;
                    self.chunk(&mut chunks, size, &to).await?;
                    if words.next().is_some_and(|w| w.eq_ignore_ascii_case("LAST")) {
                        let octets = std::mem::take(&mut chunks);
                        if to.is_empty() {
                            self.say("503 5.5.1 no recipients").await?;
                        } else {
                            self.dot(&std::mem::take(&mut to), &octets).await?;
                        }
                        from = None;
                    } else {
                        self.say("250 2.0.0 go on").await?;
                    }
                }
                "RSET" => {
                    (from, to) = (None, Vec::new());
                    self.answer("RSET", "250 2.0.0 ok", false).await?;
                }
                "QUIT" => {
                    self.answer("QUIT", "221 2.0.0 bye", false).await?;
                    return None;
                }
                "MAIL" | "RCPT" | "DATA" => {
                    self.say("503 5.5.1 bad sequence").await?;
                }
                _ => {
                    self.say("250 2.0.0 ok").await?;
                }
            }
        }
    }

    /// After the last octet: a refusal, or the mail is taken, whoever hears of that.
    async fn dot(&mut self, to: &[String], octets: &[u8]) -> Option<()> {
        let usual = "250 2.0.0 queued";
        let fault = self.hop.fault("DOT", usual, may_be_refused_for_good(to));
        let refused = matches!(fault, Some(Fault::Refuse(_) | Fault::Leave(_)));
        self.hop.heard(to, octets, !refused);
        if matches!(fault, Some(Fault::CutAt(_) | Fault::Hang)) {
            self.hop.note(|notes| to.iter().for_each(|t| *notes.unheard.entry(t.clone()).or_default() += 1));
        }
        if matches!(fault, Some(Fault::Refuse(reply)) if reply.starts_with('5')) {
            self.hop.note(|notes| notes.refused.extend(to.iter().cloned()));
        }
        self.act(fault, usual).await?;
        Some(())
    }

    /// Answers a command that may be refused for good, which is noted down.
    async fn refusable(&mut self, to: &[String], at: &'static str, usual: &str) -> Option<bool> {
        let fault = self.hop.fault(at, usual, may_be_refused_for_good(to));
        if matches!(fault, Some(Fault::Refuse(reply)) if reply.starts_with('5')) {
            self.hop.note(|notes| notes.refused.extend(to.iter().cloned()));
        }
        self.act(fault, usual).await
    }

    /// Answers a command, perhaps otherwise than usual; whether the answer was positive.
    async fn answer(&mut self, at: &'static str, usual: &str, for_good: bool) -> Option<bool> {
        let fault = self.hop.fault(at, usual, for_good);
        self.act(fault, usual).await
    }

    async fn act(&mut self, fault: Option<Fault>, usual: &str) -> Option<bool> {
        match fault {
            None => self.say(usual).await,
            Some(Fault::Refuse(reply)) => self.say(reply).await,
            Some(Fault::Leave(reply)) => self.say(reply).await.and(None),
            Some(Fault::CutAt(at)) => self.stream.write_all(&usual.as_bytes()[..at]).await.ok().and(None),
            Some(Fault::Late(time)) => {
                tokio::time::sleep(time).await;
                self.say(usual).await
            }
            Some(Fault::Hang) => {
                while self.more().await.is_some() {}
                None
            }
        }
    }

    async fn say(&mut self, reply: &str) -> Option<bool> {
        self.stream.write_all(format!("{reply}\r\n").as_bytes()).await.ok()?;
        Some(reply.starts_with(['2', '3']))
    }

    /// Reads more; `None` at the end of the connection.
    async fn more(&mut self) -> Option<()> {
        self.input.reserve(64 << 10);
        let read = self.stream.read_buf(&mut self.input).await.ok()?;
        (read > 0).then_some(())
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(end) = self.input.windows(2).position(|w| w == b"\r\n") {
                let line: Vec<u8> = self.input.drain(..end + 2).collect();
                return Some(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            self.more().await?;
        }
    }

    /// The octets up to the dot, dots no longer doubled; `None` when the connection ends before.
    async fn body(&mut self, to: &[String]) -> Option<Vec<u8>> {
        let breaks_off = self.hop.body_ends_at();
        let mut searched = 0;
        loop {
            if self.input.starts_with(b".\r\n") {
                self.input.drain(..3);
                return Some(Vec::new());
            }
            if let Some(at) = self.input[searched..].windows(5).position(|w| w == b"\r\n.\r\n") {
                let body: Vec<u8> = self.input.drain(..searched + at + 5).collect();
                return Some(unstuffed(&body[..body.len() - 3]));
            }
            searched = self.input.len().saturating_sub(4);
            if breaks_off.is_some_and(|at| self.input.len() >= at) || self.more().await.is_none() {
                self.hop.heard(to, &self.input, false);
                return None;
            }
        }
    }

    async fn chunk(&mut self, chunks: &mut Vec<u8>, size: usize, to: &[String]) -> Option<()> {
        let breaks_off = self.hop.body_ends_at();
        while self.input.len() < size {
            if breaks_off.is_some_and(|at| self.input.len() >= at) || self.more().await.is_none() {
                self.hop.heard(to, &self.input, false);
                return None;
            }
        }
        chunks.extend(self.input.drain(..size));
        Some(())
    }
}

/// A refusal for good of what zegel tells a sender has nobody left to hear of it: that is no loss of ours to find.
fn may_be_refused_for_good(to: &[String]) -> bool {
    to.iter().all(|t| !matches!(Letter::about(t), Some((_, Role::Sender))))
}

fn path(line: &str) -> String {
    line.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(path, _)| path.to_owned()).unwrap_or_default()
}

fn unstuffed(body: &[u8]) -> Vec<u8> {
    let mut octets = Vec::with_capacity(body.len());
    let mut at_start = true;
    for (at, octet) in body.iter().enumerate() {
        if !(at_start && *octet == b'.') {
            octets.push(*octet);
        }
        at_start = *octet == b'\n' && at > 0 && body[at - 1] == b'\r';
    }
    octets
}
