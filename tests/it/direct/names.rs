//! A name server on loopback: one signed root that holds everything, zones below it that are not signed, and answers that go wrong where they
//! are told to. Signatures are made when they are asked for.

use base64::Engine as _;
use hickory_resolver::proto::{
    dnssec::{
        Algorithm, DnssecSigner, SigningKey as _,
        crypto::EcdsaSigningKey,
        rdata::{DNSKEY, DNSSECRData, NSEC, RRSIG},
    },
    op::{Edns, Message, MessageType, OpCode, Query, ResponseCode},
    rr::{
        DNSClass, Name, RData, Record, RecordSet, RecordType,
        rdata::{A, CNAME, MX, NS, SOA, TLSA, TXT},
    },
};
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::net::UdpSocket;
use zegel::smtp::dane::Association;

const TTL: u32 = 300;

/// What goes wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// The signature is one of something else.
    Signature,
    /// There is none.
    Unsigned,
    /// The answer is that there is nothing, and nobody has signed that.
    Denied,
    /// The same, and beside it stands the SOA of a zone elsewhere that is not signed.
    DeniedByStranger,
    /// SERVFAIL.
    Servfail,
    /// No answer at all.
    Silent,
}

#[derive(Default)]
struct Zone {
    records: BTreeMap<(Name, RecordType), Vec<RData>>,
    /// Delegations without DS.
    unsigned: Vec<Name>,
    wrong: BTreeMap<(Name, RecordType), Wrong>,
    asked: Vec<String>,
    /// Nothing may be kept.
    fleeting: bool,
}

/// The name server.
#[derive(Clone)]
pub(crate) struct Names {
    pub(crate) address: SocketAddr,
    zone: Arc<Mutex<Zone>>,
    signer: Arc<DnssecSigner>,
}

fn name(text: &str) -> Name {
    Name::from_ascii(format!("{}.", text.trim_end_matches('.'))).unwrap()
}

impl Names {
    pub(crate) async fn start() -> Names {
        let pkcs8 = EcdsaSigningKey::generate_pkcs8(Algorithm::ECDSAP256SHA256).unwrap();
        let key = EcdsaSigningKey::from_pkcs8(&pkcs8, Algorithm::ECDSAP256SHA256).unwrap();
        let dnskey = DNSKEY::from_key(&key.to_public_key().unwrap());
        let signer = DnssecSigner::new(dnskey, Box::new(key), Name::root(), Duration::from_secs(3600 * 24 * 3650));
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let names = Names { address: socket.local_addr().unwrap(), zone: Arc::default(), signer: Arc::new(signer) };
        let server = names.clone();
        tokio::spawn(async move {
            let mut room = [0; 4096];
            while let Ok((length, from)) = socket.recv_from(&mut room).await {
                if let Some(answer) = Message::from_vec(&room[..length]).ok().and_then(|question| server.answer(&question)) {
                    let _ = socket.send_to(&answer.to_vec().unwrap(), from).await;
                }
            }
        });
        names
    }

    /// The key that zegel must trust.
    pub(crate) fn trust_anchor(&self) -> String {
        let dnskey = self.signer.dnskey();
        let key = base64::engine::general_purpose::STANDARD.encode(dnskey.public_key().clone().into_inner());
        format!(". {TTL} IN DNSKEY {} 3 {} {key}\n", dnskey.flags(), u8::from(self.signer.key().algorithm()))
    }

    pub(crate) fn mx(&self, domain: &str, preference: u16, host: &str) -> &Names {
        self.add(domain, RecordType::MX, RData::MX(MX::new(preference, name(host))))
    }

    pub(crate) fn a(&self, host: &str, address: [u8; 4]) -> &Names {
        self.add(host, RecordType::A, RData::A(A(Ipv4Addr::from(address))))
    }

    pub(crate) fn alias(&self, from: &str, to: &str) -> &Names {
        self.add(from, RecordType::CNAME, RData::CNAME(CNAME(name(to))))
    }

    pub(crate) fn txt(&self, owner: &str, pieces: &[&str]) -> &Names {
        self.add(owner, RecordType::TXT, RData::TXT(TXT::new(pieces.iter().map(|p| (*p).to_owned()).collect())))
    }

    pub(crate) fn tlsa(&self, host: &str, port: u16, association: &Association) -> &Names {
        let Association { usage, selector, matching, data } = association.clone();
        let tlsa = TLSA::new(usage.into(), selector.into(), matching.into(), data);
        self.add(&format!("_{port}._tcp.{host}"), RecordType::TLSA, RData::TLSA(tlsa))
    }

    /// `zone` and everything below it is not signed, which the root proves.
    pub(crate) fn unsigned(&self, zone: &str) -> &Names {
        self.zone.lock().unwrap().unsigned.push(name(zone));
        self.add(zone, RecordType::NS, RData::NS(NS(name("ns.example"))))
    }

    /// From now on this question is answered wrongly.
    pub(crate) fn wrong(&self, owner: &str, kind: RecordType, wrong: Wrong) -> &Names {
        self.zone.lock().unwrap().wrong.insert((name(owner), kind), wrong);
        self
    }

    /// From now on no answer may be kept.
    pub(crate) fn fleeting(&self) -> &Names {
        self.zone.lock().unwrap().fleeting = true;
        self
    }

    /// Every question so far: `MX zorg.example.`
    pub(crate) fn asked(&self) -> Vec<String> {
        self.zone.lock().unwrap().asked.clone()
    }

    fn add(&self, owner: &str, kind: RecordType, data: RData) -> &Names {
        self.zone.lock().unwrap().records.entry((name(owner), kind)).or_default().push(data);
        self
    }

    fn answer(&self, question: &Message) -> Option<Message> {
        let query = question.queries.first()?.clone();
        let mut zone = self.zone.lock().unwrap();
        zone.asked.push(format!("{} {}", query.query_type(), query.name()));
        let mut answer = Message::new(question.metadata.id, MessageType::Response, OpCode::Query);
        answer.add_query(query.clone());
        answer.metadata.recursion_desired = true;
        answer.metadata.recursion_available = true;
        let mut edns = Edns::new();
        edns.set_max_payload(4096).set_dnssec_ok(true);
        answer.set_edns(edns);
        match zone.wrong.get(&(query.name().clone(), query.query_type())) {
            Some(Wrong::Silent) => return None,
            Some(Wrong::Servfail) => answer.metadata.response_code = ResponseCode::ServFail,
            Some(Wrong::Denied) => {}
            Some(Wrong::DeniedByStranger) => {
                let stranger = zone.unsigned.first().cloned().unwrap();
                answer.add_authority(soa(&stranger));
            }
            Some(Wrong::Signature) => {
                self.fill(&zone, &query, &mut answer);
                for record in answer.answers.iter_mut().filter(|r| r.record_type() == RecordType::RRSIG) {
                    let RData::DNSSEC(DNSSECRData::RRSIG(signature)) = &record.data else { continue };
                    let (input, mut octets) = (signature.input().clone(), signature.sig().to_vec());
                    octets[7] ^= 1;
                    record.data = RData::DNSSEC(DNSSECRData::RRSIG(RRSIG::from_sig(input, octets)));
                }
            }
            Some(Wrong::Unsigned) => {
                self.fill(&zone, &query, &mut answer);
                answer.answers.retain(|r| r.record_type() != RecordType::RRSIG);
            }
            None => self.fill(&zone, &query, &mut answer),
        }
        if zone.fleeting {
            answer.answers.iter_mut().for_each(|record| record.ttl = 0);
        }
        Some(answer)
    }

    fn fill(&self, zone: &Zone, query: &Query, answer: &mut Message) {
        let (owner, kind) = (query.name(), query.query_type());
        let cut = zone.unsigned.iter().find(|cut| cut.zone_of(owner));
        // The DS of a zone that is cut off is the business of the zone above.
        let signed = cut.is_none_or(|cut| kind == RecordType::DS && owner == cut);
        if owner.is_root() && kind == RecordType::DNSKEY {
            let key = RData::DNSSEC(DNSSECRData::DNSKEY(self.signer.to_dnskey()));
            return answer.insert_answers(self.signed(owner, kind, vec![key]));
        }
        let there = |kind| zone.records.get(&(owner.clone(), kind)).cloned();
        for kind in [kind, RecordType::CNAME] {
            if let Some(data) = there(kind) {
                return answer.insert_answers(if signed { self.signed(owner, kind, data) } else { records(owner, &data) });
            }
        }
        let exists = owner.is_root() || zone.records.keys().any(|(name, _)| owner.zone_of(name));
        if !exists {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        match cut.filter(|_| !signed) {
            Some(cut) => {
                answer.add_authority(soa(cut));
            }
            None => answer.insert_authorities(self.denial(zone, owner, exists)),
        }
    }

    /// That there is no such record, or no such name (RFC 4035, 3.1.3).
    fn denial(&self, zone: &Zone, owner: &Name, exists: bool) -> Vec<Record> {
        let mut proof = self.signed(&Name::root(), RecordType::SOA, vec![soa(&Name::root()).data]);
        let mut nsecs: BTreeMap<Name, NSEC> = BTreeMap::new();
        if exists {
            let types = zone.records.keys().filter(|(name, _)| name == owner).map(|(_, kind)| *kind);
            nsecs.insert(owner.clone(), NSEC::new_cover_self(owner.prepend_label("0").unwrap(), types));
        } else {
            let mut encloser = owner.base_name();
            while !encloser.is_root() && !zone.records.keys().any(|(name, _)| encloser.zone_of(name)) {
                encloser = encloser.base_name();
            }
            for denied in [owner.clone(), encloser.prepend_label("*").unwrap()] {
                let mut names: Vec<&Name> = zone.records.keys().map(|(name, _)| name).collect();
                names.dedup();
                let before = names.iter().rev().find(|n| ***n < denied).map_or(Name::root(), |n| (*n).clone());
                let after = names.iter().find(|n| ***n > denied).map_or(Name::root(), |n| (*n).clone());
                let types: Vec<_> = zone.records.keys().filter(|(name, _)| *name == before).map(|(_, kind)| *kind).collect();
                nsecs.insert(before, NSEC::new_cover_self(after, types));
            }
        }
        for (owner, nsec) in nsecs {
            proof.extend(self.signed(&owner, RecordType::NSEC, vec![RData::DNSSEC(DNSSECRData::NSEC(nsec))]));
        }
        proof
    }

    fn signed(&self, owner: &Name, kind: RecordType, data: Vec<RData>) -> Vec<Record> {
        let mut set = RecordSet::with_ttl(owner.clone(), kind, TTL);
        for data in &data {
            set.add_rdata(data.clone());
        }
        let begins = rcgen::date_time_ymd(2024, 1, 1);
        let signature = RRSIG::from_rrset(&set, DNSClass::IN, begins, &self.signer).unwrap();
        let mut all = records(owner, &data);
        all.push(Record::from_rdata(owner.clone(), TTL, RData::DNSSEC(DNSSECRData::RRSIG(signature))));
        all
    }
}

fn records(owner: &Name, data: &[RData]) -> Vec<Record> {
    data.iter().map(|data| Record::from_rdata(owner.clone(), TTL, data.clone())).collect()
}

fn soa(zone: &Name) -> Record {
    let data = SOA::new(name("ns.example"), name("hostmaster.example"), 1, 3600, 600, 86400, 60);
    Record::from_rdata(zone.clone(), TTL, RData::SOA(data))
}
