//! What one response of the validator proves. The validator has marked each record; here is decided which of them count.

use super::Proof;
use hickory_resolver::proto::{
    dnssec::{self, rdata::DNSSECRData},
    op::{Message, ResponseCode},
    rr::{Name, RData, Record, RecordType},
};
use std::time::Duration;

/// Texts at the top of a domain can be many; whoever sends more than this wants something else.
const MOST_RECORDS: usize = 200;

/// Aliases in one response; more lead nowhere.
const MOST_ALIASES: usize = 8;

/// Where a response leads.
pub(super) enum Step {
    /// Records, whose they are, and how long they may be kept.
    Records { records: Vec<RData>, owner: Name, proof: Proof, ttl: Duration },
    /// To another name, which must be asked.
    Alias { to: Name, proof: Proof },
    /// There is nothing.
    None(Proof),
    /// It should be signed, and is not, or wrongly.
    Bogus,
    /// It proves nothing.
    Failed,
}

/// Reads the response to the question for `kind` at `asked`.
pub(super) fn read(asked: &Name, kind: RecordType, response: &Message) -> Step {
    if !matches!(response.metadata.response_code, ResponseCode::NoError | ResponseCode::NXDomain) {
        return Step::Failed;
    }
    let mut used: Vec<&Record> = Vec::new();
    let mut owner = asked;
    while let Some(alias) = response.answers.iter().find(|r| r.record_type() == RecordType::CNAME && r.name == *owner) {
        let RData::CNAME(target) = &alias.data else { return Step::Failed };
        used.push(alias);
        owner = &target.0;
        if used.len() > MOST_ALIASES {
            return Step::Failed;
        }
    }
    let found: Vec<&Record> = response.answers.iter().filter(|r| r.record_type() == kind && r.name == *owner).collect();
    used.extend(&found);
    if used.is_empty() {
        return silence(asked, response);
    }
    let proof = match used.iter().map(|r| r.proof).min() {
        Some(dnssec::Proof::Secure) if is_proven_wildcard(response) => Proof::Secure,
        Some(dnssec::Proof::Insecure) => Proof::Insecure,
        Some(dnssec::Proof::Bogus) => return Step::Bogus,
        _ => return Step::Failed,
    };
    if found.is_empty() {
        return Step::Alias { to: owner.clone(), proof };
    }
    if found.len() > MOST_RECORDS {
        return Step::Failed;
    }
    let ttl = Duration::from_secs(used.iter().map(|r| r.ttl).min().unwrap_or(0).into());
    Step::Records { records: found.iter().map(|r| r.data.clone()).collect(), owner: owner.clone(), proof, ttl }
}

/// What silence means. The validator has checked the denial; here it must be one of the zone that was asked: an unsigned SOA of somebody else's
/// zone, which it lets pass, proves nothing.
fn silence(asked: &Name, response: &Message) -> Step {
    let authorities = &response.authorities;
    let is_zone = |r: &Record| r.record_type() == RecordType::SOA && r.name.zone_of(asked);
    if authorities.iter().any(|r| is_zone(r) && r.proof == dnssec::Proof::Insecure) {
        return Step::None(Proof::Insecure);
    }
    let denies = |r: &Record| matches!(r.record_type(), RecordType::NSEC | RecordType::NSEC3);
    let proven = authorities.iter().any(denies) && is_all_secure(authorities);
    if proven { Step::None(Proof::Secure) } else { Step::Failed }
}

/// Whether an answer that was made from a wildcard comes with proof that nothing nearer exists (RFC 4035, 5.3.4). The validator asks for it
/// too, but not where all that stands beside the answer is unsigned.
fn is_proven_wildcard(response: &Message) -> bool {
    let wildcard = response.answers.iter().any(|r| match &r.data {
        RData::DNSSEC(DNSSECRData::RRSIG(signature)) => signature.input().num_labels < r.name.num_labels(),
        _ => false,
    });
    !wildcard || (!response.authorities.is_empty() && is_all_secure(&response.authorities))
}

/// Signatures themselves carry no proof.
fn is_all_secure(records: &[Record]) -> bool {
    records.iter().filter(|r| r.record_type() != RecordType::RRSIG).all(|r| r.proof.is_secure())
}
