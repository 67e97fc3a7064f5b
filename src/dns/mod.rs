//! DNS, with DNSSEC checked here and not believed of a resolver: what a recipient's domain says about its mail servers.
//!
//! Every answer says how sure it is. What cannot be proven is never taken for "there is none": a forged silence must not open a weaker way.

mod answer;
pub mod nta7516;

use answer::Step;
use hickory_resolver::{
    NameServerPool, PoolContext, TlsConfig,
    config::{NameServerConfig, ResolverOpts},
    net::{
        DnsError, NetError,
        dnssec::DnssecDnsHandle,
        runtime::TokioRuntimeProvider,
        xfer::{DnsHandle as _, FirstAnswer as _, RetryDnsHandle},
    },
    proto::{
        dnssec::TrustAnchors,
        op::{DnsRequestOptions, Query},
        rr::{Name, RData, RecordType},
    },
    system_conf::read_system_conf,
};
use std::{
    collections::HashMap,
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, timeout};

/// Whom to ask, and whom to believe.
#[derive(Clone, Debug)]
pub struct Options {
    /// The resolver; `None` is the system's. It need not be trusted: signatures are checked here.
    pub resolver: Option<SocketAddr>,
    /// DNSKEY records in the form of zone files that count as trusted, instead of the root's: for tests.
    pub trust_anchors: Option<String>,
    /// How long one question may take, all that proves its answer included. A mail waits for it, and the portal is there when it takes longer.
    pub time: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options { resolver: None, trust_anchors: None, time: Duration::from_secs(5) }
    }
}

/// One packet to a resolver; the second of two tries must fit into [`Options::time`].
const PACKET_TIME: Duration = Duration::from_secs(2);

/// Answers that are kept. A partner takes about five; most are below a kilobyte.
const MOST_KEPT: usize = 2048;

/// However long an answer may be kept, after an hour it is asked again: what was revoked must not count for days.
const LONGEST_KEPT: Duration = Duration::from_secs(3600);

/// A chain of aliases that is longer leads nowhere.
const MOST_ALIASES: usize = 8;

/// Why there is no resolver.
#[derive(Debug, thiserror::Error)]
#[error("DNS cannot be asked: {0}")]
pub struct Unusable(String);

/// The validator over the resolvers. It keeps what it has verified, and no answers: a kept alias would lose its proof.
type Validator = DnssecDnsHandle<RetryDnsHandle<NameServerPool<TokioRuntimeProvider>>>;

/// How sure an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// The zone is not signed, which its parent has proven.
    Insecure,
    /// Signed, up to the trust anchor.
    Secure,
}

/// What DNS says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// Records; never empty.
    Found(Found<T>),
    /// There is no such name, or no such record: secure if that is proven.
    None(Proof),
    /// It should be signed, and is not, or wrongly.
    Bogus,
    /// No answer in time, an error, or one that proves nothing.
    Failed,
}

/// Records, and how sure they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<T> {
    /// In the order of the answer, duplicates included.
    pub records: Vec<T>,
    /// That of the weakest of them, aliases on the way included.
    pub proof: Proof,
    /// Whose they are: the name asked for, or that to which aliases led.
    pub name: String,
}

/// A mail server of a domain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mx {
    /// The lowest is tried first.
    pub preference: u16,
    /// Its name; empty for "this domain takes no mail" (RFC 7505).
    pub host: String,
}

/// What a server's certificate must be (RFC 6698, 2.1), as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tlsa {
    /// Certificate usage.
    pub usage: u8,
    /// Selector.
    pub selector: u8,
    /// Matching type.
    pub matching: u8,
    /// Certificate association data.
    pub data: Vec<u8>,
}

/// An [`Answer`] as it comes, and how long it may be kept.
enum Asked {
    Found(Found<RData>, Duration),
    None(Proof),
    Bogus,
    Failed,
}

/// Answers that may be given again until then.
type Kept = HashMap<(Name, RecordType), (Instant, Found<RData>)>;

/// Asks DNS.
pub struct Dns {
    validator: Validator,
    time: Duration,
    kept: Mutex<Kept>,
}

impl fmt::Debug for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dns")
    }
}

impl Dns {
    /// Asks as `options` say.
    ///
    /// # Errors
    /// When the system names no resolver, or the trust anchors can't be read.
    pub fn new(options: &Options) -> Result<Dns, Unusable> {
        let error = |e: &dyn fmt::Display| Unusable(e.to_string());
        let servers = match options.resolver {
            Some(address) => {
                let mut server = NameServerConfig::udp_and_tcp(address.ip());
                for connection in &mut server.connections {
                    connection.port = address.port();
                }
                vec![server]
            }
            None => read_system_conf().map_err(|e| error(&e))?.0.name_servers().to_vec(),
        };
        let anchors = match &options.trust_anchors {
            Some(text) => text.parse().map_err(|e| error(&e))?,
            None => TrustAnchors::default(),
        };
        let mut settings = ResolverOpts::default();
        settings.timeout = PACKET_TIME;
        settings.try_tcp_on_error = true;
        let context = PoolContext::new(settings, TlsConfig::new().map_err(|e| error(&e))?);
        let pool = NameServerPool::from_config(servers, Arc::new(context), TokioRuntimeProvider::default());
        let validator = DnssecDnsHandle::with_trust_anchor(RetryDnsHandle::new(pool, 1), Arc::new(anchors));
        Ok(Dns { validator, time: options.time, kept: Mutex::default() })
    }

    /// The mail servers of a domain.
    pub async fn mx(&self, domain: &str) -> Answer<Mx> {
        let take = |data: &RData| match data {
            RData::MX(mx) => Some(Mx { preference: mx.preference, host: host(&mx.exchange)? }),
            _ => None,
        };
        self.ask(domain, RecordType::MX, take).await
    }

    /// The addresses of a host, those of version 6 first. One kind that can't be had is no reason to leave the other, but what is forged is.
    pub async fn addresses(&self, host: &str) -> Answer<IpAddr> {
        let six = self.ask(host, RecordType::AAAA, |data| match data {
            RData::AAAA(address) => Some(IpAddr::V6(address.0)),
            _ => None,
        });
        let four = self.ask(host, RecordType::A, |data| match data {
            RData::A(address) => Some(IpAddr::V4(address.0)),
            _ => None,
        });
        let (six, four) = tokio::join!(six, four);
        either(six, four)
    }

    /// What the certificate of the server on `port` of `host` must be.
    pub async fn tlsa(&self, host: &str, port: u16) -> Answer<Tlsa> {
        let take = |data: &RData| match data {
            RData::TLSA(tlsa) => Some(Tlsa {
                usage: tlsa.cert_usage.into(),
                selector: tlsa.selector.into(),
                matching: tlsa.matching.into(),
                data: tlsa.cert_data.clone(),
            }),
            _ => None,
        };
        self.ask(&format!("_{port}._tcp.{host}"), RecordType::TLSA, take).await
    }

    /// The texts at a name, each with its pieces joined. What is not UTF-8 is shown as such, and means nothing to anybody.
    pub async fn txt(&self, name: &str) -> Answer<String> {
        let take = |data: &RData| match data {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        };
        self.ask(name, RecordType::TXT, take).await
    }

    async fn ask<T>(&self, name: &str, kind: RecordType, take: impl Fn(&RData) -> Option<T>) -> Answer<T> {
        let Ok(name) = Name::from_ascii(format!("{name}.")) else { return Answer::Failed };
        // An answer of which one record can't be read is none.
        let taken = |found: Found<RData>| {
            let records: Option<Vec<T>> = found.records.iter().map(&take).collect();
            records.map_or(Answer::Failed, |records| Answer::Found(Found { records, proof: found.proof, name: found.name }))
        };
        if let Some(found) = self.kept(&name, kind) {
            return taken(found);
        }
        match timeout(self.time, Box::pin(self.follow(name.clone(), kind))).await.unwrap_or(Asked::Failed) {
            Asked::Found(found, ttl) => {
                self.keep(name, kind, &found, ttl);
                taken(found)
            }
            Asked::None(proof) => Answer::None(proof),
            Asked::Bogus => Answer::Bogus,
            Asked::Failed => Answer::Failed,
        }
    }

    /// The answer to a question, or to that to which aliases lead.
    async fn follow(&self, mut name: Name, kind: RecordType) -> Asked {
        let mut options = DnsRequestOptions::default();
        options.edns_set_dnssec_ok = true;
        let mut proof = Proof::Secure;
        for _ in 0..MOST_ALIASES {
            let question = self.validator.lookup(Query::query(name.clone(), kind), options).first_answer();
            let step = match question.await {
                Ok(response) => answer::read(&name, kind, &response),
                Err(NetError::Dns(DnsError::Nsec { .. } | DnsError::DnssecBogus)) => Step::Bogus,
                Err(_) => Step::Failed,
            };
            match step {
                Step::Records { records, owner, proof: own, ttl } => {
                    let Some(name) = host(&owner) else { return Asked::Failed };
                    return Asked::Found(Found { records, proof: proof.min(own), name }, ttl);
                }
                Step::Alias { to, proof: own } => {
                    proof = proof.min(own);
                    name = to;
                }
                Step::None(own) => return Asked::None(proof.min(own)),
                Step::Bogus => return Asked::Bogus,
                Step::Failed => return Asked::Failed,
            }
        }
        Asked::Failed
    }

    fn kept(&self, name: &Name, kind: RecordType) -> Option<Found<RData>> {
        let kept = self.lock();
        let (until, found) = kept.get(&(name.clone(), kind))?;
        (Instant::now() < *until).then(|| found.clone())
    }

    fn keep(&self, name: Name, kind: RecordType, found: &Found<RData>, ttl: Duration) {
        let now = Instant::now();
        let mut kept = self.lock();
        if kept.len() >= MOST_KEPT {
            kept.retain(|_, (until, _)| now < *until);
        }
        if kept.len() < MOST_KEPT {
            kept.insert((name, kind), (now + ttl.min(LONGEST_KEPT), found.clone()));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A name as our configuration and certificates write it; `None` for one that no host has. The root is the empty name.
fn host(name: &Name) -> Option<String> {
    let text = name.to_ascii().to_ascii_lowercase();
    let text = text.strip_suffix('.').unwrap_or(&text);
    text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')).then(|| text.to_owned())
}

fn either(first: Answer<IpAddr>, second: Answer<IpAddr>) -> Answer<IpAddr> {
    match (first, second) {
        (Answer::Bogus, _) | (_, Answer::Bogus) => Answer::Bogus,
        (Answer::Found(mut first), Answer::Found(second)) => {
            first.records.extend(second.records);
            first.proof = first.proof.min(second.proof);
            Answer::Found(first)
        }
        // What says that there is none is as sure as it is, and makes the whole no surer.
        (Answer::Found(mut found), Answer::None(proof)) | (Answer::None(proof), Answer::Found(mut found)) => {
            found.proof = found.proof.min(proof);
            Answer::Found(found)
        }
        (Answer::Found(found), Answer::Failed) | (Answer::Failed, Answer::Found(found)) => Answer::Found(found),
        (Answer::None(first), Answer::None(second)) => Answer::None(first.min(second)),
        (Answer::Failed, _) | (_, Answer::Failed) => Answer::Failed,
    }
}
