//! The spine: what happens to a mail between the sender's DATA and our reply.
//!
//! MAIL and RCPT are passed to the next hop as they come in; the final dot brings the judgement. Clean mail goes on over the open transaction and
//! never meets the store. A 2xx of ours means: the next hop, or a durable commit, has every recipient. Whatever goes wrong is 451.

mod bounces;
mod contacts;
mod direct;
mod hand_over;
mod hold;
mod null_sender;
mod origin;
mod processed;
mod protect;
mod repeat;
mod sealing;
mod texts;
mod told;

pub use direct::{Direct, DirectOptions, Reach, Trusted};
pub use null_sender::NullSender;
pub use texts::Texts;

use crate::{
    address::Address,
    clock::Clock,
    envelope::{Envelope, QueueId, Recipient},
    extract::Extraction,
    inspect::{Decision, Inspection, Judging, Plan, Rulebook},
    message::{Facts, Message},
    metrics::{Answer, Metrics},
    notice::{Organisation, Returned},
    policy::Besides,
    processed::{LoopHeader, Passage, Scope},
    sandbox::Reader,
    secret::Id,
    smtp::{
        self, Content, EnvelopeCommand, Extensions, Peer, Received, Reply,
        client::{Failure, Routed, Routes},
    },
    store::{Blobs, Keyring, Store},
};
use arc_swap::ArcSwap;
use contacts::Contacts;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout, timeout_at},
};
use tracing::Instrument as _;

/// How long an answer may take, counted from the client's final dot.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// RFC 5321, 4.5.3.2.6: the client waits ten minutes for our reply to the final dot, but Postfix's proxy filter only 100 s. Answering 451 well
    /// before that keeps the mail in the client's queue; answering too late makes it send the mail twice.
    pub answer: Duration,
    /// Of that, what reading and judging may take, waiting for their turn included; the rest is the next hop's, or the store's.
    pub inspection: Duration,
    /// A commit that began in time may end so much later: then the mail is taken, and 451 would bring it again. Within Postfix's 100 s.
    pub commit: Duration,
}

impl Default for Times {
    fn default() -> Times {
        Times { answer: Duration::from_secs(90), inspection: Duration::from_secs(60), commit: Duration::from_secs(5) }
    }
}

const SEALING_SLOW: Reply = Reply::fixed(451, smtp::Enhanced(4, 4, 5), "Sealing this message takes too long, please try again later");

/// Judging a mail up to this size on the spot is cheaper than handing it to another thread.
const ON_THE_SPOT_BYTES: usize = 64 * 1024;

/// What the gateway is told by the configuration.
#[derive(Clone, Debug)]
pub struct Options {
    /// The name in trace headers.
    pub hostname: String,
    /// The language of an organisation's own senders and, so far, of its recipients.
    pub language: String,
    /// Days until a message goes (1 to 365).
    pub retention_days: u32,
    /// How long a message waits for a phone number.
    pub hold_time: Duration,
    /// How long an answer may take.
    pub times: Times,
    /// What keeps mail from going in circles.
    pub loops: Loops,
    /// What becomes of mail from the null sender.
    pub null_sender: NullSender,
}

/// What keeps mail from going in circles.
#[derive(Clone, Debug)]
pub struct Loops {
    /// More `Received` fields than this are a loop.
    pub max_received: usize,
    /// Says in each mail that zegel judged it; `None` where mail never comes back.
    pub header: Option<LoopHeader>,
}

impl Loops {
    /// RFC 5321, 6.3 advises at least 100 `Received` for relays in general; a mail comes to us from its own organisation, after a handful of hops.
    pub const MAX_RECEIVED: usize = 50;
}

/// Takes mail: one for all sessions.
pub struct Gateway {
    /// What the configuration says.
    pub options: Options,
    /// The rules and policies in force; a mail sees one set.
    pub rulebook: Arc<ArcSwap<Rulebook>>,
    /// Reads what mail carries.
    pub reader: Reader,
    /// Room for what it finds.
    pub texts: Texts,
    /// Where clean mail goes; a mail sees one set.
    pub routes: Arc<ArcSwap<Routes>>,
    /// How mail goes to its recipient's own server; `None` where that is not set up.
    pub direct: Option<Direct>,
    /// Records of sealed mail.
    pub store: Arc<dyn Store>,
    /// Its sealed parts.
    pub blobs: Arc<dyn Blobs>,
    /// Its keys.
    pub keyring: Arc<Keyring>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// In whose name mail is sent, and where its bounces come back.
    pub organisation: Arc<ArcSwap<Organisation>>,
    /// Where mails are counted.
    pub metrics: Arc<Metrics>,
    /// Who holds this has a mail in memory that was spilled: one at a time, since parsing wants it contiguous and takes the like of it again.
    pub large: Arc<Semaphore>,
    /// Messages that a live transaction holds pending: any other pending one was left by a failure.
    pub live: Arc<Mutex<HashSet<crate::secret::Id>>>,
}

/// What goes in circles is refused for good: its sender's server must not try again.
const CIRCLES: Reply = Reply::fixed(554, smtp::Enhanced(5, 4, 6), "Too many hops: this message goes in circles");

const LONG_HEADER: Reply = Reply::fixed(552, smtp::Enhanced(5, 3, 4), "The header of this message is too long");

const INSPECTION_SLOW: Reply = Reply::fixed(451, smtp::Enhanced(4, 3, 0), "The inspection takes too long, please try again later");

/// How a mail that took this `way` was answered.
fn answer(way: Answer, reply: &Reply) -> Answer {
    match way {
        way if reply.is_positive() => way,
        Answer::Blocked => Answer::Blocked,
        _ if reply.is_permanent() => Answer::Refused,
        _ => Answer::Deferred,
    }
}

/// [`Gateway`] as the SMTP server's service.
#[derive(Clone)]
pub struct Entrance(pub Arc<Gateway>);

impl smtp::Service for Entrance {
    type Handler = Session;

    fn begin(&self, _peer: &Peer) -> Session {
        Session { gateway: self.0.clone(), open: None }
    }

    fn extensions(&self) -> Extensions {
        self.0.routes.load().extensions()
    }
}

/// One client's session: at most one transaction at a time.
pub struct Session {
    gateway: Arc<Gateway>,
    open: Option<Open>,
}

/// A transaction that is open towards the next hop.
struct Open {
    envelope: Envelope,
    hop: Routed,
    /// The grants whose notifications come back with this mail: such recipients are ours.
    returned: Vec<Id>,
}

impl smtp::Handler for Session {
    async fn envelope(&mut self, commands: &[EnvelopeCommand]) -> Vec<Reply> {
        match self.pass_on(commands).await {
            Ok(replies) => replies,
            Err(failure) => {
                self.open = None;
                tracing::warn!("{failure}: a mail stays with its sender");
                vec![failure.reply(); commands.len()]
            }
        }
    }

    async fn data(&mut self, content: Content, received: Received) -> Reply {
        let Some(open) = self.open.take() else { return Reply::TRY_LATER };
        let (id, times, size, dot) = (open.envelope.id, self.gateway.options.times, content.size_bytes(), Instant::now());
        if !open.returned.is_empty() {
            let reply = self.gateway.take_bounce(&open.envelope, &open.returned, &content).await;
            if open.envelope.to.is_empty() || !reply.is_positive() {
                return reply;
            }
        }
        let transfer = Transfer {
            gateway: self.gateway.clone(),
            rulebook: self.gateway.rulebook.load_full(),
            envelope: open.envelope,
            hop: open.hop,
            content,
            loaded: None,
            digest: None,
            received,
            deadline: dot + times.answer,
        };
        // A task of its own: a panic becomes 451, and a commit that has begun is not cut off when the client hangs up or the time is over.
        let transfer = tokio::spawn(transfer.run().instrument(tracing::debug_span!("mail", %id)));
        let (way, reply) = match timeout(times.answer + times.commit, transfer).await {
            Ok(Ok(answered)) => answered,
            Ok(Err(_)) => {
                tracing::error!("{id} panicked: this is a bug; the mail stays with its sender");
                (Answer::Deferred, Reply::TRY_LATER)
            }
            Err(_) => {
                tracing::warn!("{id} took longer than {} s", (times.answer + times.commit).as_secs());
                (Answer::Deferred, Reply::NEXT_HOP_SLOW)
            }
        };
        self.gateway.metrics.mail(answer(way, &reply), size, dot.elapsed());
        reply
    }

    async fn reset(&mut self) {
        if let Some(mut open) = self.open.take() {
            open.hop.reset().await;
        }
    }
}

impl Session {
    /// Tells the next hop, and remembers what it accepted.
    async fn pass_on(&mut self, commands: &[EnvelopeCommand]) -> Result<Vec<Reply>, Failure> {
        let mut open = match self.open.take() {
            Some(open) => open,
            // The connection was lost in the middle of an envelope, and with it what the client had told: it must begin again.
            None if matches!(commands.first(), Some(EnvelopeCommand::Rcpt { .. })) => return Err(Failure::Lost { dot_sent: false }),
            None => Open {
                envelope: Envelope { id: QueueId::random(), from: None, to: Vec::new(), mail_parameters: String::new() },
                hop: Routed::new(self.gateway.routes.load_full()),
                returned: Vec::new(),
            },
        };
        let replies = open.envelope(&self.gateway, commands).await?;
        for (command, reply) in commands.iter().zip(&replies) {
            match command {
                _ if !reply.is_positive() => {}
                EnvelopeCommand::Mail { from, parameters, .. } => {
                    open.envelope.from = from.clone();
                    open.envelope.mail_parameters.clone_from(parameters);
                }
                EnvelopeCommand::Rcpt { to, parameters } => match self.gateway.returned(to) {
                    Returned::Grant(grant) => open.returned.push(grant),
                    _ => open.envelope.to.push(Recipient { address: to.clone(), parameters: parameters.clone() }),
                },
            }
        }
        self.open = Some(open);
        Ok(replies)
    }
}

/// A mail between its final dot and our reply.
struct Transfer {
    gateway: Arc<Gateway>,
    rulebook: Arc<Rulebook>,
    envelope: Envelope,
    hop: Routed,
    content: Content,
    loaded: Option<Loaded>,
    /// Of all octets but the `Received` fields, once it was asked for.
    digest: Option<[u8; 32]>,
    received: Received,
    deadline: Instant,
}

/// A mail whose octets are in memory, to be judged or sealed.
struct Loaded {
    message: Message,
    /// The place of one that is there for the moment only.
    _place: Option<OwnedSemaphorePermit>,
}

impl Gateway {
    /// A mail in memory, its header fit to be parsed; one that was spilled waits for its turn.
    async fn load(&self, id: QueueId, content: &Content, deadline: Instant) -> Result<Loaded, Reply> {
        let place = match content {
            Content::Memory(_) => None,
            Content::Spilled(_) => {
                let place = timeout_at(deadline, self.large.clone().acquire_owned()).await;
                Some(place.map_err(|_| INSPECTION_SLOW)?.map_err(|_| Reply::TRY_LATER)?)
            }
        };
        let octets = content.load(deadline).await.map_err(|error| {
            tracing::warn!("{id} bytes={} cannot be read into memory: {error}", content.size_bytes());
            Reply::TRY_LATER
        })?;
        let message = Message::new(octets);
        if message.has_long_header() {
            return Err(LONG_HEADER);
        }
        Ok(Loaded { message, _place: place })
    }
}

/// Whether a mail is judged on the spot: it is small, and so is what came out of it. A workbook of some kilobytes may hold 64 MiB of text.
fn is_small(message: &Message, extraction: &Extraction) -> bool {
    message.octets().len().max(extraction.text_octets()) <= ON_THE_SPOT_BYTES
}

/// What reading and judging gives.
struct Judged {
    facts: Facts,
    inspection: Inspection,
    contacts: Contacts,
}

impl Transfer {
    /// Takes responsibility for the mail, or says why not; and which way it went if the reply is a positive one.
    async fn run(mut self) -> (Answer, Reply) {
        match self.passage().await {
            Ok(Passage::Judge) if self.passes_as_null_sender() => return (Answer::Relayed, self.relay_unjudged("null_sender").await),
            Ok(Passage::Judge) => {}
            Ok(Passage::Judged) => return (Answer::Relayed, self.relay_unjudged("judged_before").await),
            Ok(Passage::Circles) => return (Answer::Refused, self.refuse(CIRCLES)),
            Err(reply) => return (Answer::Deferred, self.refuse(reply)),
        }
        let begun = Instant::now();
        let until = self.deadline.min(begun + self.gateway.options.times.inspection);
        let judged = match timeout_at(until, self.judge().instrument(tracing::debug_span!("judge"))).await {
            Ok(Ok(judged)) => judged,
            Ok(Err(reply)) => return (Answer::Refused, self.refuse(reply)),
            Err(_) => return (Answer::Deferred, self.refuse(INSPECTION_SLOW)),
        };
        let Inspection { problems, .. } = &judged.inspection;
        self.gateway.metrics.inspected(begun.elapsed(), judged.inspection.rules(), problems.iter().map(|p| p.kind.word()));
        self.watched(&judged);
        let (gateway, id) = (self.gateway.clone(), self.envelope.id);
        let after = [
            ("its sender is not told what was noticed", self.noticed(&judged)),
            ("to whom it went is not remembered", self.contacted(&judged)),
        ];
        let (way, reply) = self.carry_out(&judged).await;
        for (not_done, batch) in after.into_iter().filter(|_| reply.is_positive()) {
            // The mail has passed: it must not come again because of what can't be written.
            let Some(batch) = batch else { continue };
            if let Err(error) = gateway.store.commit(batch).await {
                tracing::warn!("{id} {not_done}: {error}");
            }
        }
        (way, reply)
    }

    /// Does what was decided.
    async fn carry_out(self, judged: &Judged) -> (Answer, Reply) {
        match &judged.inspection.decision {
            Decision::Relay => (Answer::Relayed, self.relay(judged).instrument(tracing::debug_span!("relay")).await),
            Decision::Protect(plan) => {
                let way = match plan {
                    _ if !plan.direct.is_empty() => Answer::Direct,
                    _ if plan.relay.is_empty() => Answer::Sealed,
                    _ => Answer::Both,
                };
                (way, self.protect(plan, judged).instrument(tracing::debug_span!("protect")).await)
            }
            Decision::Reject(reason) => {
                self.log(judged, &format_args!("blocked policy={:?}", reason.policy));
                let reply = self.blocked(reason, judged);
                (Answer::Blocked, self.refuse(reply))
            }
        }
    }

    /// The mail in memory. One that was spilled waits for its turn, and is let go of by [`Transfer::unload`].
    async fn load(&mut self) -> Result<Message, Reply> {
        let loaded = match self.loaded.take() {
            Some(loaded) => loaded,
            None => self.gateway.load(self.envelope.id, &self.content, self.deadline).await?,
        };
        Ok(self.loaded.insert(loaded).message.clone())
    }

    /// Computes something of the mail; of a large one off the async threads, since every octet may be looked at.
    async fn compute<T: Send + 'static>(&mut self, what: impl FnOnce(&Message) -> T + Send + 'static) -> Result<T, Reply> {
        let message = self.load().await?;
        if message.octets().len() <= ON_THE_SPOT_BYTES {
            return Ok(what(&message));
        }
        tokio::task::spawn_blocking(move || what(&message)).await.map_err(|_| Reply::TRY_LATER)
    }

    /// Lets go of the octets where they are in a file too: whoever waits to judge the next large mail need not wait for a next hop.
    fn unload(&mut self) {
        self.loaded = None;
    }

    /// Reads and judges the mail.
    async fn judge(&mut self) -> Result<Judged, Reply> {
        let message = self.load().await?;
        let read = self.read(&message).await?;
        let contacts = self.contacts(&message).await?;
        let (rulebook, envelope) = (self.rulebook.clone(), self.envelope.clone());
        let (null_sender, now) = (self.null_sender(), self.gateway.clock.now());
        let on_the_spot = is_small(&message, &read.extraction);
        let judge = move || {
            let facts = null_sender.facts(message.facts());
            // All of it is moved here: the room is held as long as the texts, also when nobody waits for the outcome any more.
            let read = &read;
            let besides = Besides { strangers: &contacts.first, points: 0 };
            let inspection = rulebook.judge(&Judging { envelope: &envelope, facts: &facts, extraction: &read.extraction, besides }, now);
            Judged { facts, inspection, contacts }
        };
        let judged = if on_the_spot { judge() } else { tokio::task::spawn_blocking(judge).await.map_err(|_| Reply::TRY_LATER)? };
        if judged.facts.received_count > self.gateway.options.loops.max_received {
            tracing::warn!("{} loops: {} Received fields", self.envelope.id, judged.facts.received_count);
            return Err(CIRCLES);
        }
        Ok(judged)
    }

    /// Passes the mail on to everybody as it is, behind our trace header.
    async fn relay(mut self, judged: &Judged) -> Reply {
        let scope = self.scope(&judged.inspection);
        let reply = self.send(scope).await;
        self.log(judged, &format_args!("relayed recipients={} reply={}", self.envelope.to.len(), reply.code()));
        reply
    }

    /// Sends the octets over the open transaction; the next hop's reply is ours.
    async fn send(&mut self, scope: Scope) -> Reply {
        let only = match self.envelope.to.as_slice() {
            [one] => Some(&one.address),
            _ => None,
        };
        let mut header = self.trace(only);
        match self.stamp(scope).await {
            Ok(stamp) => header.extend(stamp),
            Err(reply) => return reply,
        }
        self.unload();
        match self.hop.content(&header, &self.content, self.deadline).await {
            Ok(reply) => reply.relayed(),
            Err(failure) => failure.reply(),
        }
    }

    /// Our trace header (RFC 5321, 4.4).
    fn trace(&self, only: Option<&Address>) -> Vec<u8> {
        self.received.header(&self.gateway.options.hostname, &self.envelope.id.to_string(), only, self.gateway.clock.now())
    }

    /// Gives the transaction up towards the next hop, which has seen nothing but addresses.
    fn refuse(self, reply: Reply) -> Reply {
        tracing::info!("{} refused reply={}", self.envelope.id, reply.code());
        reply
    }

    /// One line on what was decided: rules and problems by name, never content.
    fn log(&self, judged: &Judged, what: &dyn std::fmt::Display) {
        let problems: Vec<_> = judged.inspection.problems.iter().map(|p| p.kind.word()).collect();
        let of = |word: &str, whose: &Option<String>| whose.as_ref().map(|text| format!(" {word}={text}")).unwrap_or_default();
        tracing::info!(
            "{} {what} bytes={} rules={} problems={}{}{}",
            self.envelope.id,
            self.content.size_bytes(),
            judged.inspection.rules().join(","),
            problems.join(","),
            of("account", &self.received.account),
            of("client", &self.received.client),
        );
    }
}

impl Transfer {
    /// Seals the mail for those who need it so, and relays it to the others. The open transaction is dropped with the
    /// transfer: its RSET is said in the background, since our client need not wait for a next hop that has no part in this mail.
    async fn protect(mut self, plan: &Plan, judged: &Judged) -> Reply {
        let served = if plan.direct.is_empty() { self.protected(plan, judged).await } else { Box::pin(self.direct(plan, judged)).await };
        match served {
            Ok(reply) | Err(reply) => reply,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Places, Source, Text};

    #[test]
    fn what_a_small_mail_unpacks_to_is_not_judged_on_the_threads_that_carry_mail() {
        let extraction = |octets: usize| {
            let text = "x".repeat(octets);
            let text = Text { part: "x".into(), source: Source::Attachment, text, places: Places::None, spans: Vec::new() };
            Extraction { texts: vec![text.clone(), text], ..Extraction::default() }
        };
        let mail = |octets: usize| Message::new(vec![b'x'; octets].into());
        assert!(is_small(&mail(1000), &extraction(1000)));
        assert!(!is_small(&mail(1000), &extraction(ON_THE_SPOT_BYTES)));
        assert!(!is_small(&mail(ON_THE_SPOT_BYTES + 1), &extraction(1)));
    }
}
