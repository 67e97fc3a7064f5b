//! A recipient's link, looked up: the grant, the message, and the password or code that is pending.

use super::{Portal, answer::Refusal};
use crate::{
    address::Address,
    phone::PhoneNumber,
    recall,
    record::{Challenge, Expect, Grant, Key, Level, Rate, SealedMessage, SentSms, SmsFate, State},
    seal::lookup_id,
    secret::{Id, Token},
    store::Store,
    time::Time,
};
use serde::de::DeserializeOwned;

/// A record with the version at which it was read.
pub(super) struct Read<T> {
    pub(super) value: T,
    pub(super) version: u64,
}

/// Reads the record at `key`.
pub(super) async fn read<T: DeserializeOwned>(store: &dyn Store, key: &Key) -> Result<Option<Read<T>>, Refusal> {
    let Some(record) = store.get(key).await? else { return Ok(None) };
    match record.read(key) {
        Ok(value) => Ok(Some(Read { value, version: record.version })),
        Err(error) => {
            tracing::error!("portal: {error}");
            Err(Refusal::Damaged)
        }
    }
}

/// What a record must be when it is written again: as it was read.
pub(super) fn as_read<T>(read: Option<&Read<T>>) -> Expect {
    read.map_or(Expect::Absent, |r| Expect::Version(r.version))
}

/// Whether the message can be read: it is there, and its last day is not over.
pub(super) fn is_readable(message: &SealedMessage, now: Time) -> bool {
    matches!(message.state, State::Sent | State::Held) && now < message.expires.plus_days(1).begins()
}

/// Whether its sender has blocked or recalled a message that could still be read.
fn is_withdrawn(message: &SealedMessage, now: Time) -> bool {
    matches!(message.state, State::Blocked | State::Recalled) && now < message.expires.plus_days(1).begins()
}

/// A grant with its message, for whoever holds the link or the session.
pub(super) struct Granted {
    lookup: Id,
    pub(super) grant: Read<Grant>,
    pub(super) message: Read<SealedMessage>,
}

impl Granted {
    /// The grant `lookup`, if its message can be read.
    pub(super) async fn find(portal: &Portal, lookup: Id, now: Time) -> Result<Option<Granted>, Refusal> {
        let Some(grant) = read::<Grant>(&*portal.store, &Key::grant(lookup)).await? else { return Ok(None) };
        let message = read::<SealedMessage>(&*portal.store, &Key::message(grant.value.message)).await?;
        if message.as_ref().is_some_and(|m| is_withdrawn(&m.value, now)) {
            return Err(Refusal::Withdrawn);
        }
        Ok(message.filter(|m| is_readable(&m.value, now)).map(|message| Granted { lookup, grant, message }))
    }

    /// The sender of a message that he has withdrawn, for whoever holds a link to it.
    pub(super) async fn who_withdrew(portal: &Portal, text: &str) -> Result<Option<String>, Refusal> {
        let Some(token) = Token::parse(text) else { return Ok(None) };
        let Some(grant) = read::<Grant>(&*portal.store, &Key::grant(lookup_id(&token))).await? else { return Ok(None) };
        let key = Key::message(grant.value.message);
        let Some(message) = read::<SealedMessage>(&*portal.store, &key).await? else { return Ok(None) };
        let sender = message.value.sender.as_ref().and_then(|sealed| portal.keyring.master().open_field("sender", &key, sealed).ok());
        Ok(sender.map(|sender| sender.expose().clone()))
    }

    /// Who has to do with it.
    pub(super) fn people(&self, portal: &Portal) -> Result<People, Refusal> {
        let master = portal.keyring.master();
        let grant_key = Key::grant(self.lookup);
        let open = |name, of: &Key, sealed| master.open_field(name, of, sealed).map_err(|_| Refusal::Damaged);
        let recipient = open("address", &grant_key, &self.grant.value.address)?;
        let recipient = Address::parse(recipient.expose()).map_err(|_| Refusal::Damaged)?;
        let phone = match &self.grant.value.phone {
            Some(sealed) => Some(PhoneNumber::from_stored(open("phone", &grant_key, sealed)?.expose()).ok_or(Refusal::Damaged)?),
            None => None,
        };
        if self.grant.value.level == Level::Two && phone.is_none() {
            tracing::error!("portal: grant {} of level 2 has no number", self.lookup);
            return Err(Refusal::Damaged);
        }
        let sender = match &self.message.value.sender {
            Some(sealed) => {
                let text = open("sender", &Key::message(self.grant.value.message), sealed)?;
                Some(Address::parse(text.expose()).map_err(|_| Refusal::Damaged)?)
            }
            None => None,
        };
        Ok(People { recipient, phone, sender })
    }
}

/// The people of a grant.
pub(super) struct People {
    pub(super) recipient: Address,
    /// At level 2.
    pub(super) phone: Option<PhoneNumber>,
    /// `None` when nobody may be told of anything: a machine.
    pub(super) sender: Option<Address>,
}

/// A link that is good, with all that belongs to it.
pub(super) struct Link {
    pub(super) token: Token,
    pub(super) lookup: Id,
    pub(super) grant: Read<Grant>,
    pub(super) message: Read<SealedMessage>,
    pub(super) challenge: Option<Read<Challenge>>,
    /// What is known of the SMS that brought it.
    pub(super) fate: Option<SmsFate>,
    /// When its recipient said that the number is not his.
    pub(super) doubted: Option<Time>,
    pub(super) recipient: Address,
    /// At level 2.
    pub(super) phone: Option<PhoneNumber>,
    /// `None` when nobody may be told of anything: a machine.
    pub(super) sender: Option<Address>,
}

impl Link {
    /// Looks a link up as it is now.
    pub(super) async fn find(portal: &Portal, text: &str, now: Time) -> Result<Link, Refusal> {
        let token = Token::parse(text).ok_or(Refusal::Gone)?;
        let lookup = lookup_id(&token);
        let granted = Granted::find(portal, lookup, now).await?.ok_or(Refusal::Gone)?;
        let challenge: Option<Read<Challenge>> = read(&*portal.store, &Key::challenge(lookup)).await?;
        let fate = match challenge.as_ref().and_then(|c| c.value.sms) {
            Some(sms) => read::<SentSms>(&*portal.store, &Key::sms(sms)).await?.map(|sms| sms.value.fate),
            None => None,
        };
        let People { recipient, phone, sender } = granted.people(portal)?;
        let Granted { grant, message, .. } = granted;
        let doubted = match grant.value.level {
            Level::One => None,
            Level::Two => read::<Rate>(&*portal.store, &recall::doubted(lookup)).await?.and_then(|r| r.value.times.last().copied()),
        };
        Ok(Link { token, lookup, grant, message, challenge, fate, doubted, recipient, phone, sender })
    }

    /// Where this recipient's rate of passwords or codes is kept: over all messages.
    pub(super) fn rate_key(&self, portal: &Portal) -> Key {
        let what = match self.grant.value.level {
            Level::One => "password",
            Level::Two => "code",
        };
        Key::rate(what, &portal.keyring.master().address_hash(&self.recipient))
    }

    /// This recipient's rate.
    pub(super) async fn rate(&self, portal: &Portal) -> Result<Option<Read<Rate>>, Refusal> {
        read(&*portal.store, &self.rate_key(portal)).await
    }
}

/// An address as its owner recognises it, and a stranger does not: `a•••@elders.example`. Always as many bullets.
pub(super) fn masked(address: &Address) -> String {
    let first = address.local().chars().next().unwrap_or('•');
    format!("{first}•••@{}", address.domain())
}
