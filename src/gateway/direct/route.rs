//! Which hosts a domain's mail may go to, and what must be proven about each before an octet of it goes there.
//!
//! The first that the domain publishes decides: DANE, else MTA-STS in `enforce`, else the mail servers that the configuration lists. A later one
//! never rescues an earlier one's failure, and what is in doubt is a failure: the portal takes over.

use super::{DirectOptions, Trusted};
use crate::{
    address::Domain,
    dns::{Answer, Dns, Found, Mx, Proof, nta7516},
    mta_sts::{self, Announced, Mode, Policies, Policy},
    smtp::dane::Association,
    time::Time,
};
use std::{fmt, net::IpAddr};

/// Hosts of a domain that are looked at, best first. More would not be reached within the time either.
const MOST_HOSTS: usize = 6;

/// A way to a domain that can be verified.
pub(super) struct Way {
    pub(super) by: By,
    /// In the order in which they are tried; never empty.
    pub(super) hosts: Vec<Host>,
}

/// A mail server.
pub(super) struct Host {
    pub(super) name: String,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) proof: Certificate,
}

/// What its certificate must be.
pub(super) enum Certificate {
    /// One that these name, with the names that count beside an authority.
    Named { associations: Vec<Association>, names: Vec<String> },
    /// A trusted one, for the host's name.
    Trusted,
}

/// By what the way is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Dane,
    MtaSts,
    Listed,
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            By::Dane => "dane",
            By::MtaSts => "mta-sts",
            By::Listed => "trusted",
        })
    }
}

/// Why there is no such way, in words for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoWay {
    /// DNS does not answer this.
    #[error("no answer from DNS: {0}")]
    Silent(&'static str),
    /// DNS answers this with a signature that is missing or wrong.
    #[error("DNSSEC is bogus: {0}")]
    Bogus(&'static str),
    #[error("the domain takes no mail")]
    NoMail,
    #[error("no mail server has a public address")]
    NoAddress,
    #[error("several records of NTA 7516 are valid")]
    SeveralPartners,
    #[error("dane: no TLSA record is usable")]
    Unusable,
    #[error("mta-sts: the record is unclear")]
    UnclearRecord,
    #[error("mta-sts: no policy: {0}")]
    NoPolicy(#[from] mta_sts::FetchError),
    #[error("mta-sts: the policy names none of the mail servers")]
    NotInPolicy,
    #[error("no mail server is one of those that [[direct.trusted]] lists")]
    NotListed,
    #[error("the domain publishes neither dane nor mta-sts")]
    Nothing,
}

/// What is asked, and what is known.
pub(super) struct Guide<'a> {
    pub(super) dns: &'a Dns,
    pub(super) policies: &'a Policies,
    pub(super) options: &'a DirectOptions,
    pub(super) now: Time,
}

/// The hosts of a domain, and whether DNS has proven that they are.
struct Candidates {
    hosts: Vec<String>,
    proof: Proof,
}

/// What DNS says about one of them.
struct Candidate {
    name: String,
    addresses: Vec<IpAddr>,
    tlsa: Tlsa,
}

/// What DNS says about its certificate.
enum Tlsa {
    /// Nothing, and that is sure.
    None,
    /// Records of which one at least is usable.
    Usable { associations: Vec<Association>, base: String },
    /// Records, none of them usable.
    Unusable,
    /// Nobody can say.
    Doubt(NoWay),
}

impl Guide<'_> {
    /// The way to `domain`.
    pub(super) async fn way(&self, domain: &Domain) -> Result<Way, NoWay> {
        let candidates = self.candidates(domain).await?;
        let looked = candidates.hosts.iter().map(|host| self.look_at(host, candidates.proof));
        let mut hosts: Vec<Candidate> = Vec::new();
        for candidate in futures_util::future::join_all(looked).await {
            hosts.extend(candidate?);
        }
        if hosts.is_empty() {
            return Err(NoWay::NoAddress);
        }
        if let Some(way) = by_dane(domain, &mut hosts)? {
            return Ok(way);
        }
        if let Some(policy) = self.policy(domain).await?.filter(|p| p.mode == Mode::Enforce) {
            return trusted(By::MtaSts, hosts, |name| policy.names(name)).ok_or(NoWay::NotInPolicy);
        }
        let listed = self.options.trusted.iter().find(|t| t.domain == *domain).ok_or(NoWay::Nothing)?;
        trusted(By::Listed, hosts, |name| lists(listed, name)).ok_or(NoWay::NotListed)
    }

    /// The hosts that take the domain's mail, best first (RFC 5321, 5.1).
    async fn candidates(&self, domain: &Domain) -> Result<Candidates, NoWay> {
        if self.options.nta7516
            && let Some(candidates) = self.partner(domain).await?
        {
            return Ok(candidates);
        }
        match self.dns.mx(domain.as_str()).await {
            Answer::Found(found) => in_order(found).ok_or(NoWay::NoMail),
            // Without MX the domain is its own mail server.
            Answer::None(proof) => Ok(Candidates { hosts: vec![domain.as_str().to_owned()], proof }),
            Answer::Bogus => Err(NoWay::Bogus("MX")),
            Answer::Failed => Err(NoWay::Silent("MX")),
        }
    }

    /// Those that the domain names as a partner under NTA 7516, if it does.
    async fn partner(&self, domain: &Domain) -> Result<Option<Candidates>, NoWay> {
        let found = match self.dns.txt(domain.as_str()).await {
            Answer::Found(found) => found,
            Answer::None(_) => return Ok(None),
            Answer::Bogus => return Err(NoWay::Bogus("TXT")),
            Answer::Failed => return Err(NoWay::Silent("TXT")),
        };
        match nta7516::published(&found.records, self.now.day()) {
            nta7516::Published::Nothing => Ok(None),
            nta7516::Published::Several => Err(NoWay::SeveralPartners),
            nta7516::Published::One(record) if record.hosts.is_empty() => Ok(None),
            nta7516::Published::One(record) => Ok(in_order(Found { records: record.hosts, proof: found.proof, name: found.name })),
        }
    }

    /// The addresses of a host, and what its certificate must be; nothing for a host without address, or with addresses out of reach only.
    async fn look_at(&self, host: &str, named: Proof) -> Result<Option<Candidate>, NoWay> {
        let found = match self.dns.addresses(host).await {
            Answer::Found(found) => found,
            Answer::None(_) => return Ok(None),
            // Without DANE the address proves nothing, and its certificate all: such a host is only not reached.
            Answer::Bogus | Answer::Failed if named == Proof::Insecure => return Ok(None),
            Answer::Bogus => return Ok(Some(Candidate::doubtful(host, NoWay::Bogus("address")))),
            Answer::Failed => return Ok(Some(Candidate::doubtful(host, NoWay::Silent("address")))),
        };
        let addresses = self.options.reach.within(found.records);
        if addresses.is_empty() {
            return Ok(None);
        }
        // RFC 7672, 2.2.2: in a zone that is not signed nobody need ask; a name from DNS that nobody signed can't be proven by DANE (2.2.1).
        let tlsa = if named == Proof::Secure && found.proof == Proof::Secure { self.tlsa(host, &found.name).await } else { Tlsa::None };
        Ok(Some(Candidate { name: host.to_owned(), addresses, tlsa }))
    }

    /// At the name that an alias leads to, else at the host's own (RFC 7672, 2.2.3).
    async fn tlsa(&self, host: &str, leads_to: &str) -> Tlsa {
        let mut bases = vec![leads_to];
        if leads_to != host {
            bases.push(host);
        }
        for base in bases {
            match self.dns.tlsa(base, self.options.port).await {
                Answer::Found(found) if found.proof == Proof::Secure => {
                    let convert =
                        |t: crate::dns::Tlsa| Association { usage: t.usage, selector: t.selector, matching: t.matching, data: t.data };
                    let associations: Vec<_> = found.records.into_iter().map(convert).collect();
                    let usable = associations.iter().any(Association::is_usable);
                    return if usable { Tlsa::Usable { associations, base: base.to_owned() } } else { Tlsa::Unusable };
                }
                Answer::None(Proof::Secure) => {}
                // The host's zone is signed: a part of it that is not is no proof that there are none.
                Answer::Found(_) | Answer::None(Proof::Insecure) | Answer::Failed => return Tlsa::Doubt(NoWay::Silent("TLSA")),
                Answer::Bogus => return Tlsa::Doubt(NoWay::Bogus("TLSA")),
            }
        }
        Tlsa::None
    }

    /// The MTA-STS policy of a domain, if it has one.
    async fn policy(&self, domain: &Domain) -> Result<Option<Policy>, NoWay> {
        let domain = domain.as_str();
        let kept = || self.policies.kept(domain, self.now);
        let announced = match self.dns.txt(&format!("_mta-sts.{domain}")).await {
            Answer::Found(found) => mta_sts::announced(&found.records),
            Answer::None(_) => return Ok(kept()),
            Answer::Bogus => return kept().map(Some).ok_or(NoWay::Bogus("TXT of mta-sts")),
            Answer::Failed => return kept().map(Some).ok_or(NoWay::Silent("TXT of mta-sts")),
        };
        let id = match announced {
            Announced::Nothing => return Ok(kept()),
            Announced::Unclear => return kept().map(Some).ok_or(NoWay::UnclearRecord),
            Announced::Id(id) => id,
        };
        // Those who have it need no address.
        let addresses = if self.policies.has(domain, &id, self.now) {
            Vec::new()
        } else {
            match self.dns.addresses(&format!("mta-sts.{domain}")).await {
                Answer::Found(found) => self.options.reach.within(found.records),
                Answer::None(_) | Answer::Bogus | Answer::Failed => Vec::new(),
            }
        };
        Ok(Some(self.policies.get(domain, &id, &addresses, self.now).await?))
    }
}

impl Candidate {
    fn doubtful(host: &str, why: NoWay) -> Candidate {
        Candidate { name: host.to_owned(), addresses: Vec::new(), tlsa: Tlsa::Doubt(why) }
    }
}

/// `None` for a domain that takes no mail (RFC 7505).
fn in_order(mut found: Found<Mx>) -> Option<Candidates> {
    found.records.retain(|mx| !mx.host.is_empty());
    found.records.sort_by_key(|mx| mx.preference);
    let mut hosts: Vec<String> = Vec::new();
    for mx in found.records {
        if !hosts.contains(&mx.host) && hosts.len() < MOST_HOSTS {
            hosts.push(mx.host);
        }
    }
    (!hosts.is_empty()).then_some(Candidates { hosts, proof: found.proof })
}

/// The way by DANE, if one of the hosts has TLSA records: those that have none are left out then, since nothing would prove them.
fn by_dane(domain: &Domain, hosts: &mut [Candidate]) -> Result<Option<Way>, NoWay> {
    let mut named = Vec::new();
    let (mut unusable, mut doubt) = (false, None);
    for host in hosts.iter_mut() {
        match std::mem::replace(&mut host.tlsa, Tlsa::None) {
            Tlsa::None => {}
            Tlsa::Unusable => unusable = true,
            Tlsa::Doubt(why) => doubt = doubt.or(Some(why)),
            Tlsa::Usable { associations, base } => {
                // RFC 7672, 3.2.2; and the server hears the name whose records these are (8.1).
                let names = vec![base.clone(), host.name.clone(), domain.as_str().to_owned()];
                let proof = Certificate::Named { associations, names };
                named.push(Host { name: base, addresses: std::mem::take(&mut host.addresses), proof });
            }
        }
    }
    if !named.is_empty() {
        return Ok(Some(Way { by: By::Dane, hosts: named }));
    }
    if unusable {
        return Err(NoWay::Unusable);
    }
    doubt.map_or(Ok(None), Err)
}

/// The way over those hosts that `counts` lets pass.
fn trusted(by: By, hosts: Vec<Candidate>, counts: impl Fn(&str) -> bool) -> Option<Way> {
    let host = |c: Candidate| Host { name: c.name, addresses: c.addresses, proof: Certificate::Trusted };
    let hosts: Vec<Host> = hosts.into_iter().filter(|c| counts(&c.name)).map(host).collect();
    (!hosts.is_empty()).then_some(Way { by, hosts })
}

fn lists(listed: &Trusted, host: &str) -> bool {
    listed.mx.iter().any(|name| name.as_str() == host)
}
