//! Direct delivery: a recipient gets the mail itself, over a way of its own, where transport to his domain is verified at that moment.
//!
//! Everything else is the portal's, in the same transaction: there is no insecure way out.

mod reach;
mod route;

pub use reach::Reach;

use super::{
    Judged, Transfer,
    protect::SAME_MAIL,
    repeat::{Earlier, Name, Names},
};
use crate::{
    address::Domain,
    dns::{self, Dns},
    inspect::{Plan, Protected},
    mta_sts::{self, Policies},
    record::{Batch, Event, Expect, FORMAT, Fact, Key, Sealed},
    secret::Id,
    smtp::{
        EnvelopeCommand, Reply,
        client::{ClientOptions, Failure, NextHop, Route, Tls, Transaction, Trust},
        dane,
    },
    time::Time,
};
use futures_util::future::join_all;
use route::{By, Certificate, Guide, Host, NoWay, Way};
use rustls::pki_types::CertificateDer;
use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

/// The port of mail servers.
const SMTP_PORT: u16 = 25;

/// Of the time for our answer ([`super::Times::answer`]), what finding verified ways and telling envelopes may take, over all domains of a mail.
const OPEN_TIME: Duration = Duration::from_secs(15);

/// What is kept back from direct delivery, so that the portal can still take over.
const SEAL_TIME: Duration = Duration::from_secs(5);

/// Domains of one mail that are tried; for the recipients of others it is sealed.
const MOST_DOMAINS: usize = 20;

/// Domains that are tried at once, over all mails: connections and memory are bounded.
const AT_ONCE: usize = 100;

/// How direct delivery goes.
#[derive(Clone, Debug)]
pub struct DirectOptions {
    /// Whom to ask.
    pub dns: dns::Options,
    /// How MTA-STS policies are fetched.
    pub mta_sts: mta_sts::Options,
    /// Whether a domain's record of NTA 7516 names the hosts.
    pub nta7516: bool,
    /// Domains whose mail servers are trusted by their certificate alone.
    pub trusted: Vec<Trusted>,
    /// Authorities that count instead of the system's: for tests.
    pub authorities: Option<Vec<CertificateDer<'static>>>,
    /// The port of mail servers: another one for tests.
    pub port: u16,
    /// What may be connected to: no configuration widens it.
    pub reach: Reach,
}

impl Default for DirectOptions {
    fn default() -> DirectOptions {
        DirectOptions {
            dns: dns::Options::default(),
            mta_sts: mta_sts::Options::default(),
            nta7516: false,
            trusted: Vec::new(),
            authorities: None,
            port: SMTP_PORT,
            reach: Reach::Public,
        }
    }
}

/// A domain that publishes neither DANE nor MTA-STS, and the mail servers that are expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// The recipients' domain.
    pub domain: Domain,
    /// The only hosts that count.
    pub mx: Vec<Domain>,
}

/// Delivers directly: one for all mails.
pub struct Direct {
    options: DirectOptions,
    dns: Dns,
    policies: Policies,
    client: ClientOptions,
    places: Arc<Semaphore>,
}

impl Direct {
    /// As `options` say; `hostname` is the name that we give ourselves.
    ///
    /// # Errors
    /// When DNS can't be asked.
    pub fn new(options: DirectOptions, hostname: &str) -> Result<Direct, dns::Unusable> {
        let client = ClientOptions {
            connect_time: Duration::from_secs(5),
            open_time: Duration::from_secs(10),
            envelope_time: OPEN_TIME,
            reply_time: Duration::from_secs(10),
            // What was verified was so at that moment: nothing is kept for the next mail.
            idle_connections: 0,
            ..ClientOptions::new(hostname)
        };
        let (dns, policies) = (Dns::new(&options.dns)?, Policies::new(options.mta_sts.clone()));
        Ok(Direct { options, dns, policies, client, places: Arc::new(Semaphore::new(AT_ONCE)) })
    }

    /// Finds a verified way to `domain` and tells its host `mail` and the recipients.
    async fn open(&self, domain: &Domain, mail: EnvelopeCommand, recipients: &[Protected], now: Time) -> Result<Open, NotSent> {
        let place = self.places.clone().acquire_owned().await.map_err(|_| NotSent::Late)?;
        let guide = Guide { dns: &self.dns, policies: &self.policies, options: &self.options, now };
        let way = guide.way(domain).await?;
        let by = way.by;
        let mut transaction = Route::new(self.hops(way)?, &self.client).begin().await?;
        let mut commands = vec![mail];
        // Its parameters are wishes for notifications, which only the next hop could fulfil.
        commands.extend(recipients.iter().map(|r| EnvelopeCommand::Rcpt { to: r.recipient.address.clone(), parameters: String::new() }));
        let replies = transaction.envelope(&commands).await?;
        let accepted: Vec<bool> = replies.iter().skip(1).map(Reply::is_positive).collect();
        if let Some(refusal) = replies.iter().find(|r| !r.is_positive()).filter(|_| !accepted.contains(&true)) {
            return Err(NotSent::Refused(refusal.code()));
        }
        Ok(Open { by, transaction, accepted, _place: place })
    }

    fn hops(&self, way: Way) -> Result<Vec<NextHop>, NotSent> {
        way.hosts.into_iter().map(|host| self.hop(host)).collect()
    }

    fn hop(&self, host: Host) -> Result<NextHop, NotSent> {
        let trust = match host.proof {
            Certificate::Named { associations, names } => {
                Trust::Verifier(dane::verifier(associations, &names).map_err(|_| NotSent::Failed(Failure::Tls))?)
            }
            Certificate::Trusted => self.options.authorities.clone().map_or(Trust::Platform, Trust::Authorities),
        };
        Ok(NextHop { addresses: host.addresses, trust, ..NextHop::new(&host.name, self.options.port, Tls::Required) })
    }
}

/// A domain's mail server that has taken the envelope.
struct Open {
    by: By,
    transaction: Transaction,
    /// Which of the recipients it takes.
    accepted: Vec<bool>,
    _place: OwnedSemaphorePermit,
}

/// The recipients of a domain, and who has taken their envelope.
struct Ready {
    domain: Domain,
    recipients: Vec<Recipient>,
    by: By,
    transaction: Transaction,
    _place: OwnedSemaphorePermit,
}

/// A recipient, and the name under which the mail is remembered for him.
#[derive(Clone)]
struct Recipient {
    protected: Protected,
    name: Option<Name>,
}

/// Why a domain's recipients do not get the mail itself, in words for the log.
#[derive(Debug, thiserror::Error)]
enum NotSent {
    #[error("{0}")]
    NoWay(#[from] NoWay),
    #[error("{0}")]
    Failed(#[from] Failure),
    #[error("refused with {0}")]
    Refused(u16),
    #[error("there was not enough time")]
    Late,
    #[error("the mail has too many domains")]
    TooMany,
    #[error("[direct] takes effect at the next start")]
    NotSetUp,
}

impl Transfer {
    /// Delivers to those whom `plan` wants to have the mail itself, and does for everybody else what [`Transfer::protected`] does. They come
    /// last, since nothing that was delivered can be taken back; whom it fails with is sealed for.
    pub(super) async fn direct(&mut self, plan: &Plan, judged: &Judged) -> Result<Reply, Reply> {
        let end = self.deadline;
        let Unserved { recipients, mut had_it } = self.unserved(plan, judged).await?;
        let (ready, fallen) = self.open_all(recipients).await;
        if !ready.is_empty() {
            // Those who are served first leave half of the time.
            self.deadline = Instant::now() + end.saturating_duration_since(Instant::now()) / 2;
        }
        let mut others = Plan { direct: Vec::new(), ..plan.clone() };
        let mut names = Names {
            whole: self.seen_key(&others, judged).await?.filter(|_| !others.protect.is_empty()),
            each: Vec::new(),
            relayed: self.relayed_hash(plan),
        };
        let mut taken = None;
        match (self.earlier(names.whole.as_ref()).await?, names.whole) {
            (Earlier::Underway, _) => return Err(SAME_MAIL),
            (Earlier::Taken(found, version), Some(name)) => {
                tracing::info!("{} is a repeat of a mail that was taken", self.envelope.id);
                had_it |= self.had_it(plan, &found);
                others.protect.clear();
                names.whole = None;
                taken = Some((name, found, version)).filter(|_| !had_it);
            }
            _ => {}
        }
        if had_it {
            others.relay.clear();
        }
        names.each = fallen.iter().filter_map(|r| r.name).collect();
        others.protect.extend(fallen.into_iter().map(|r| r.protected));
        let relays = !others.relay.is_empty();
        let reply = self.serve(&others, judged, &names).await?;
        if let Some((name, found, version)) = taken {
            self.remember_relayed(plan, &name, found, version).await;
        }
        self.deadline = end;
        self.unload();
        let late = self.deliver(ready, &names.relayed).await;
        if !late.is_empty() {
            let names = Names { whole: None, each: late.iter().filter_map(|r| r.name).collect(), ..names };
            let protect = late.into_iter().map(|r| r.protected).collect();
            let rest = Plan { relay: Vec::new(), protect, direct: Vec::new(), ..plan.clone() };
            // Others have it by now: 451 rather than a refusal for good, and however late it is.
            self.deadline = end.max(Instant::now() + SEAL_TIME);
            if self.serve(&rest, judged, &names).await.is_err() {
                if relays {
                    self.remember_relay(judged, names.relayed).await;
                }
                return Err(Reply::TRY_LATER);
            }
        }
        Ok(reply)
    }

    /// Seals and relays as `plan` says; a reply that is not positive is an `Err`.
    async fn serve(&mut self, plan: &Plan, judged: &Judged, names: &Names) -> Result<Reply, Reply> {
        let reply = if !plan.protect.is_empty() {
            let readers = self.readers(plan, judged).await?;
            self.sealed(plan, &readers, judged, names).await?
        } else if !plan.relay.is_empty() {
            self.relay_to_some(plan).await?
        } else {
            self.taken()
        };
        if reply.is_positive() { Ok(reply) } else { Err(reply) }
    }

    /// The recipients whom no earlier attempt has served, directly or by the portal.
    async fn unserved(&mut self, plan: &Plan, judged: &Judged) -> Result<Unserved, Reply> {
        let identity = self.identity(&judged.facts).await?;
        let master = self.gateway.keyring.master();
        let mut unserved = Unserved { recipients: Vec::new(), had_it: self.was_relayed(plan, identity.as_ref()).await? };
        for protected in &plan.direct {
            let name = identity.as_ref().map(|mail| mail.name(&master, &[&protected.recipient.address]));
            match self.earlier(name.as_ref()).await? {
                Earlier::Underway => return Err(SAME_MAIL),
                Earlier::Taken(found, _) => unserved.had_it |= self.had_it(plan, &found),
                Earlier::None => unserved.recipients.push(Recipient { protected: protected.clone(), name }),
            }
        }
        Ok(unserved)
    }

    /// Opens a transaction with each domain's own mail server, all at once; gives those that are open, and the recipients for whom there is none.
    async fn open_all(&self, recipients: Vec<Recipient>) -> (Vec<Ready>, Vec<Recipient>) {
        let mut domains: BTreeMap<Domain, Vec<Recipient>> = BTreeMap::new();
        for recipient in recipients {
            domains.entry(recipient.protected.recipient.address.domain()).or_default().push(recipient);
        }
        let until = self.deadline.min(Instant::now() + OPEN_TIME);
        let attempts = domains.iter().enumerate().map(|(at, (domain, recipients))| async move {
            if at >= MOST_DOMAINS {
                return Err(NotSent::TooMany);
            }
            let direct = self.gateway.direct.as_ref().ok_or(NotSent::NotSetUp)?;
            let recipients: Vec<_> = recipients.iter().map(|r| r.protected.clone()).collect();
            let opening = direct.open(domain, self.own_mail(), &recipients, self.gateway.clock.now());
            timeout_at(until, Box::pin(opening)).await.unwrap_or(Err(NotSent::Late))
        });
        let attempts = join_all(attempts).await;
        let (mut ready, mut fallen) = (Vec::new(), Vec::new());
        for ((domain, recipients), attempt) in domains.into_iter().zip(attempts) {
            match attempt {
                Ok(Open { by, transaction, accepted, _place }) => {
                    let mut mine = Vec::new();
                    for (recipient, accepted) in recipients.into_iter().zip(accepted) {
                        if accepted { mine.push(recipient) } else { fallen.push(recipient) }
                    }
                    ready.push(Ready { domain, recipients: mine, by, transaction, _place });
                }
                Err(why) => {
                    self.tell(&domain, recipients.len(), &why);
                    fallen.extend(recipients);
                }
            }
        }
        (ready, fallen)
    }

    /// MAIL as a stranger hears it: what the body is, not what the sender wants to be notified of.
    fn own_mail(&self) -> EnvelopeCommand {
        let keeps = |word: &&str| {
            let keyword = word.split('=').next().unwrap_or_default();
            ["BODY", "SMTPUTF8", "REQUIRETLS"].iter().any(|kept| keyword.eq_ignore_ascii_case(kept))
        };
        let parameters = self.envelope.mail_parameters.split_ascii_whitespace().filter(keeps).map(|word| format!(" {word}")).collect();
        EnvelopeCommand::Mail { from: self.envelope.from.clone(), parameters, size: Some(self.content.size_bytes()) }
    }

    /// Sends the mail to those who have taken its envelope, all at once, and remembers it; gives the recipients who do not have it for sure.
    async fn deliver(&self, ready: Vec<Ready>, relayed: &Sealed) -> Vec<Recipient> {
        let until = self.deadline.checked_sub(SEAL_TIME).unwrap_or(self.deadline);
        let sent = join_all(ready.into_iter().map(|one| Box::pin(self.deliver_one(one, until)))).await;
        let (mut delivered, mut late) = (Vec::new(), Vec::new());
        for outcome in sent {
            match outcome {
                Ok(recipients) => delivered.extend(recipients),
                Err(recipients) => late.extend(recipients),
            }
        }
        if delivered.is_empty() {
            return late;
        }
        let mut batch = Batch::new();
        let now = self.gateway.clock.now();
        for _ in &delivered {
            let event = Event {
                v: FORMAT,
                what: Fact::Direct,
                message: None,
                grant: None,
                queue: Some(self.envelope.id.to_string()),
                by: None,
                reason: None,
            };
            batch.put(Key::event(now, Id::random()), &event, Expect::Absent);
        }
        let each = delivered.iter().filter_map(|r| r.name).collect();
        self.remember_direct(&mut batch, &Names { whole: None, each, relayed: relayed.clone() });
        if self.commit_now(batch).await.is_err() {
            tracing::warn!("{} was delivered directly and is not remembered: a repeat would be delivered again", self.envelope.id);
        }
        late
    }

    async fn deliver_one(&self, mut ready: Ready, until: Instant) -> Result<Vec<Recipient>, Vec<Recipient>> {
        let only = match ready.recipients.as_slice() {
            [one] => Some(&one.protected.recipient.address),
            _ => None,
        };
        let trace = self.trace(only);
        let count = ready.recipients.len();
        let why = match ready.transaction.content(&trace, &self.content, until).await {
            Ok(reply) if reply.is_positive() => {
                tracing::info!("{} direct domain={} recipients={count} by={}", self.envelope.id, ready.domain, ready.by);
                return Ok(ready.recipients);
            }
            Ok(reply) => NotSent::Refused(reply.code()),
            Err(failure) => NotSent::Failed(failure),
        };
        self.tell(&ready.domain, count, &why);
        Err(ready.recipients)
    }

    fn tell(&self, domain: &Domain, recipients: usize, why: &dyn fmt::Display) {
        tracing::warn!("{} not direct domain={domain} recipients={recipients}, the portal takes over: {why}", self.envelope.id);
    }
}

/// Recipients who are still to be served, and whether those to whom the mail is relayed had it from an earlier attempt.
struct Unserved {
    recipients: Vec<Recipient>,
    had_it: bool,
}
