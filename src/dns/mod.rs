//! DNS, with DNSSEC checked here and not believed of a resolver: what a recipient's domain says about its mail servers.
//!
//! Every answer says how sure it is. What cannot be proven is never taken for "there is none": a forged silence must not open a weaker way.

pub mod nta7516;

use hickory_resolver::{
    Resolver, TokioResolver,
    config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts},
    lookup::Lookup,
    net::{DnsError, NetError, NoRecords, runtime::TokioRuntimeProvider},
    proto::{
        dnssec::{self, TrustAnchors, rdata::DNSSECRData},
        rr::{Name, RData, Record, RecordType},
    },
};
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::time::timeout;

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

/// Answers that are kept. A partner takes about five; an answer is at most 64 KiB, most are below one.
const CACHED_ANSWERS: u64 = 2048;

/// However long an answer may be kept, after an hour it is asked again: what was revoked must not count for days.
const LONGEST_TTL: Duration = Duration::from_secs(3600);

/// Texts at the top of a domain can be many; whoever sends more than this wants something else.
const MOST_RECORDS: usize = 200;

/// A chain of aliases that is longer leads nowhere.
const MOST_ALIASES: usize = 8;

/// Why there is no resolver.
#[derive(Debug, thiserror::Error)]
#[error("DNS cannot be asked: {0}")]
pub struct Unusable(String);

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

/// Asks DNS.
pub struct Dns {
    resolver: TokioResolver,
    time: Duration,
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
        let provider = TokioRuntimeProvider::default();
        let mut builder = match options.resolver {
            Some(address) => {
                let mut server = NameServerConfig::udp_and_tcp(address.ip());
                for connection in &mut server.connections {
                    connection.port = address.port();
                }
                Resolver::builder_with_config(ResolverConfig::from_name_servers(vec![server]), provider)
            }
            None => Resolver::builder(provider).map_err(|e| error(&e))?,
        };
        set(builder.options_mut());
        let anchors = match &options.trust_anchors {
            Some(text) => text.parse().map_err(|e| error(&e))?,
            None => TrustAnchors::default(),
        };
        let resolver = builder.with_trust_anchor(Arc::new(anchors)).build().map_err(|e| error(&e))?;
        Ok(Dns { resolver, time: options.time })
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
        // With its dot at the end no search list is tried.
        let Ok(name) = Name::from_ascii(format!("{name}.")) else { return Answer::Failed };
        match timeout(self.time, Box::pin(self.resolver.lookup(name.clone(), kind))).await {
            Ok(Ok(lookup)) => positive(&name, kind, &lookup, take),
            Ok(Err(NetError::Dns(DnsError::NoRecordsFound(silence)))) => Answer::from_silence(&silence),
            Ok(Err(NetError::Dns(DnsError::DnssecBogus | DnsError::Nsec { .. }))) => Answer::Bogus,
            Ok(Err(_)) | Err(_) => Answer::Failed,
        }
    }
}

fn set(options: &mut ResolverOpts) {
    options.validate = true;
    options.timeout = PACKET_TIME;
    options.attempts = 1;
    options.edns0 = true;
    options.cache_size = CACHED_ANSWERS;
    options.positive_max_ttl = Some(LONGEST_TTL);
    options.negative_max_ttl = Some(LONGEST_TTL);
    options.preserve_intermediates = true;
    options.try_tcp_on_error = true;
    // A hosts file proves nothing.
    options.use_hosts_file = ResolveHosts::Never;
}

impl<T> Answer<T> {
    /// What silence means. The validator has checked the denial; here it must be one of the zone that was asked: an unsigned SOA of somebody
    /// else's zone beside it proves nothing.
    fn from_silence(silence: &NoRecords) -> Answer<T> {
        let authorities: &[Record] = silence.authorities.as_deref().unwrap_or_default();
        let mut records = authorities.iter().filter(|r| r.record_type() != RecordType::RRSIG).peekable();
        let asked = silence.query.name();
        let unsigned =
            authorities.iter().any(|r| r.record_type() == RecordType::SOA && r.proof == dnssec::Proof::Insecure && r.name.zone_of(asked));
        if unsigned {
            return Answer::None(Proof::Insecure);
        }
        let denies = |r: &Record| matches!(r.record_type(), RecordType::NSEC | RecordType::NSEC3);
        let proven = authorities.iter().any(denies) && records.peek().is_some() && records.all(|r| r.proof.is_secure());
        if proven { Answer::None(Proof::Secure) } else { Answer::Failed }
    }
}

fn positive<T>(asked: &Name, kind: RecordType, lookup: &Lookup, take: impl Fn(&RData) -> Option<T>) -> Answer<T> {
    let answers = lookup.answers();
    let mut used: Vec<&Record> = Vec::new();
    let mut name = asked;
    while let Some(alias) = answers.iter().find(|r| r.record_type() == RecordType::CNAME && r.name == *name) {
        let RData::CNAME(target) = &alias.data else { return Answer::Failed };
        used.push(alias);
        name = &target.0;
        if used.len() > MOST_ALIASES {
            return Answer::Failed;
        }
    }
    let found: Vec<&Record> = answers.iter().filter(|r| r.record_type() == kind && r.name == *name).collect();
    if found.is_empty() || found.len() > MOST_RECORDS {
        return Answer::Failed;
    }
    used.extend(&found);
    let proof = match used.iter().map(|r| r.proof).min() {
        Some(dnssec::Proof::Secure) if is_proven_wildcard(lookup) => Proof::Secure,
        Some(dnssec::Proof::Insecure) => Proof::Insecure,
        Some(dnssec::Proof::Bogus) => return Answer::Bogus,
        _ => return Answer::Failed,
    };
    let records: Option<Vec<T>> = found.iter().map(|r| take(&r.data)).collect();
    match (records, host(name)) {
        (Some(records), Some(name)) => Answer::Found(Found { records, proof, name }),
        _ => Answer::Failed,
    }
}

/// Whether an answer that was made from a wildcard comes with proof that nothing nearer exists (RFC 4035, 5.3.4). The validator asks for it
/// too, but not where all that stands beside the answer is unsigned.
fn is_proven_wildcard(lookup: &Lookup) -> bool {
    let wildcard = lookup.answers().iter().any(|r| match &r.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) => signature.input().num_labels < r.name.num_labels(),
        _ => false,
    });
    let mut beside = lookup.authorities().iter().filter(|r| r.record_type() != RecordType::RRSIG).peekable();
    !wildcard || (beside.peek().is_some() && beside.all(|r| r.proof.is_secure()))
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
