//! The loop header: says in a relayed mail that zegel has judged it, and for whom, so that a mail that comes back from the server it came from is
//! neither judged twice nor goes in circles.
//!
//! `X-Zegel-Processed: <key id>;<MAC>;<time>[;<route secret>]`. The MAC, of the machine's own key, covers what a reader sees of the mail, so it is
//! worth nothing in another one. The MAC's field also names the scope of the verdict: the internal copy of a mixed mail has a valid header too, and
//! must not pass when it is redirected outside. Neither making nor reading one meets the store.

use crate::{
    address::Address,
    envelope::Envelope,
    message::Message,
    seal::{Master, digest},
    secret::{Secret, base64url, equal, from_base64url},
    time::Time,
};
use std::{fmt, time::Duration};

const NAME: &str = "X-Zegel-Processed";

/// How long a verdict holds. Exchange tries for 2 days, Postfix for 5; what takes longer is judged anew.
const HOLDS: Duration = Duration::from_secs(7 * 24 * 3600);

/// A header may be so much ahead of our clock: nodes differ by seconds, not by more.
const AHEAD: Duration = Duration::from_secs(300);

/// So many of these fields are looked at, each costs a MAC: two of ours end the way already, what comes behind others is forged.
const MOST_FIELDS: usize = 10;

/// The octets of a scope and of a MAC in the field.
const SCOPE_LEN: usize = 16;
const MAC_LEN: usize = 32;

/// How mail is marked that may come back to the server it came from.
#[derive(Clone)]
pub struct LoopHeader {
    /// Ends the field, for a server's rules to look for: they can't check a MAC.
    pub secret: Option<Secret<String>>,
}

/// Whether there is one; never which.
impl fmt::Debug for LoopHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.secret.is_some() { "LoopHeader(with a secret)" } else { "LoopHeader" })
    }
}

/// For whom the verdict on a relayed mail holds.
pub enum Scope {
    /// Nothing was found, and no policy asks for more than that: for everybody.
    Everyone,
    /// For these recipients, from this sender.
    These(Vec<Address>),
}

/// What a mail's own header says about its way.
#[derive(Debug, PartialEq, Eq)]
pub enum Passage {
    /// It was not judged, or not for these recipients.
    Judge,
    /// It was judged, and comes by for the first time since.
    Judged,
    /// It was here twice before.
    Circles,
}

/// The field for a mail of the sender `from`, or `None` for one whose header is not made of fields.
#[must_use]
pub fn field(master: &Master, message: &Message, from: Option<&Address>, scope: &Scope, now: Time, header: &LoopHeader) -> Option<Vec<u8>> {
    let scope = &match scope {
        Scope::Everyone => everyone(master),
        Scope::These(to) => these(master, from, to.iter()),
    };
    let covered = Covered::of(message)?;
    let seconds = (now.millis() / 1000).to_string();
    let mac = covered.mac(master, scope, &seconds);
    let token = base64url(&[&scope[..], &mac[..]].concat());
    let secret = header.secret.as_ref().map(|s| format!(";{}", s.expose())).unwrap_or_default();
    Some(format!("{NAME}: {};{token};{seconds}{secret}\r\n", master.generation()).into_bytes())
}

/// What the fields that are in a mail say. Forged ones and old ones say nothing; they can't be removed, since a mail is passed on as it is.
#[must_use]
pub fn read(master: &Master, message: &Message, envelope: &Envelope, now: Time) -> Passage {
    let Some((fields, _)) = message.fields_and_body() else { return Passage::Judge };
    let marks: Vec<_> = fields.iter().filter(|f| f.is(NAME)).take(MOST_FIELDS).map(|f| f.unfolded()).collect();
    if marks.is_empty() {
        return Passage::Judge;
    }
    let Some(covered) = Covered::of(message) else { return Passage::Judge };
    let valid: Vec<_> = marks.iter().filter_map(|mark| covered.scope_of(master, mark, now)).collect();
    let wanted = [everyone(master), these(master, envelope.from.as_ref(), envelope.to.iter().map(|r| &r.address))];
    match valid.as_slice() {
        [] => Passage::Judge,
        [one] if wanted.contains(one) => Passage::Judged,
        [_] => Passage::Judge,
        _ => Passage::Circles,
    }
}

fn everyone(master: &Master) -> [u8; SCOPE_LEN] {
    cut(&master.verdict_mac(&[b"everyone"]))
}

/// Under a key, so that no recipient can try out who else is among them.
fn these<'a>(master: &Master, from: Option<&Address>, to: impl Iterator<Item = &'a Address>) -> [u8; SCOPE_LEN] {
    let from = from.map(Address::canonical).unwrap_or_default();
    let mut to: Vec<String> = to.map(Address::canonical).collect();
    to.sort_unstable();
    to.dedup();
    cut(&master.verdict_mac(&[b"these", from.as_bytes(), to.join("\n").as_bytes()]))
}

fn cut(mac: &[u8; MAC_LEN]) -> [u8; SCOPE_LEN] {
    *mac.first_chunk().expect("16 octets of 32")
}

/// What of a mail decides how it is judged and read. Servers on the way add fields, and fold them anew, but change none of these.
struct Covered {
    fields: Vec<u8>,
    body: [u8; 32],
}

impl Covered {
    fn of(message: &Message) -> Option<Covered> {
        let (fields, body) = message.fields_and_body()?;
        let mut covered = Vec::new();
        for field in fields.iter().filter(|f| is_covered(f.name)) {
            covered.extend(field.name.to_ascii_lowercase());
            covered.push(b':');
            covered.extend(field.unfolded());
            covered.push(b'\n');
        }
        Some(Covered { fields: covered, body: digest([body]) })
    }

    fn mac(&self, master: &Master, scope: &[u8], seconds: &str) -> [u8; MAC_LEN] {
        let generation = master.generation().to_be_bytes();
        master.verdict_mac(&[b"mail", &generation, scope, seconds.as_bytes(), &self.fields, &self.body])
    }

    /// The scope of a valid field.
    fn scope_of(&self, master: &Master, mark: &[u8], now: Time) -> Option<[u8; SCOPE_LEN]> {
        let mark = std::str::from_utf8(mark).ok()?;
        let mut words = mark.split(';');
        let (key_id, token, seconds) = (words.next()?, words.next()?, words.next()?);
        if key_id != master.generation().to_string() {
            return None;
        }
        let at = Time::from_millis(seconds.parse::<u32>().ok().map(i64::from)?.checked_mul(1000)?);
        if now.since(at) > HOLDS || at > now.plus(AHEAD) {
            return None;
        }
        let token = from_base64url(token)?;
        let (scope, mac) = token.split_first_chunk::<SCOPE_LEN>()?;
        equal(mac, &self.mac(master, scope, seconds)).then_some(*scope)
    }
}

/// Message-ID, From and Subject, what says how the body is to be read, and the labels that a sender sets.
fn is_covered(name: &[u8]) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with(b"content-") || matches!(&name[..], b"message-id" | b"from" | b"subject" | b"sensitivity" | b"msip_labels")
}
