//! What waits in quarantine, and the decision about it. Content is never shown: whoever decides sees why the message waits, and asks its sender.

use super::{PAGE, Trouble};
use crate::{
    address::Address,
    grant::{self, Handover},
    phone::PhoneNumber,
    record::{Approval, Batch, Card, Expect, Key, KeyRange, KnownPhone, Quarantined, Record, SealedMessage, Waiting},
    release::{self, AsSent, Decided, Details, Entered, Held, MOST_REASON_CHARS, Waiter},
    seal::{Master, lookup_id, unwrap},
    secret::Id,
    store::{Keyring, Store, StoreError},
    time::Time,
};
use serde::de::DeserializeOwned;
use std::fmt::Write as _;

/// A line for each message that waits: when it came, when it goes, its id, sender, number of recipients, policy, rules, and subject if that may be
/// shown.
pub(super) async fn list(store: &dyn Store, master: &Master) -> Result<String, Trouble> {
    let (mut range, mut out) = (KeyRange::under("quarantine"), String::new());
    loop {
        let page = store.list(&range, PAGE).await?;
        for (key, record) in &page {
            let row: Quarantined = record.read(key)?;
            let Some(id) = key.segments().nth(1).and_then(Id::parse).filter(|_| row.refused.is_none()) else { continue };
            let details = release::open_details(master, key, &row)?;
            let recipients = store.list(&KeyRange::waiting_of(id), usize::MAX).await?.len();
            let sender = details.sender.as_deref().unwrap_or("<>");
            let (policy, rules, subject) = (&details.policy, details.rules.join(","), details.subject.unwrap_or_else(|| "-".to_owned()));
            let (at, until) = (row.at.day(), row.until.day());
            let _ = writeln!(out, "{id}\t{at}\t{until}\t{sender}\t{recipients}\t{policy}\t{rules}\t{subject}");
        }
        match page.last() {
            Some((key, _)) if page.len() == PAGE => range = range.behind(key),
            _ => return Ok(out),
        }
    }
}

/// A message that waits, with everything that its release needs.
struct Case {
    id: Id,
    row: (Quarantined, u64),
    details: Details,
    message: (SealedMessage, u64),
    approval: (Approval, u64),
    waiting: Vec<Waiter>,
}

async fn read<T: DeserializeOwned>(store: &dyn Store, key: &Key) -> Result<Option<(T, u64)>, Trouble> {
    let Some(record) = store.get(key).await? else { return Ok(None) };
    Ok(Some((record.read(key)?, record.version)))
}

impl Case {
    async fn find(store: &dyn Store, master: &Master, text: &str) -> Result<Case, Trouble> {
        let not_waiting = || Trouble::NotWaiting(text.to_owned());
        let id = Id::parse(text).ok_or_else(not_waiting)?;
        let key = Key::quarantine(id);
        let row: (Quarantined, u64) = read(store, &key).await?.ok_or_else(not_waiting)?;
        if row.0.refused.is_some() {
            return Err(Trouble::Refused);
        }
        let details = release::open_details(master, &key, &row.0)?;
        let message = read(store, &Key::message(id)).await?.ok_or_else(not_waiting)?;
        let approval = read(store, &Key::approval(lookup_id(&details.token))).await?.ok_or_else(not_waiting)?;
        let mut waiting = Vec::new();
        for (key, record) in store.list(&KeyRange::waiting_of(id), usize::MAX).await? {
            waiting.push(waiter(store, master, key, &record).await?);
        }
        Ok(Case { id, row, details, message, approval, waiting })
    }
}

/// A recipient who waits, with the number that is known by now.
async fn waiter(store: &dyn Store, master: &Master, key: Key, record: &Record) -> Result<Waiter, Trouble> {
    let row: Waiting = record.read(&key)?;
    let address = master.open_field("address", &key, &row.address)?;
    let address = Address::parse(address.expose()).map_err(|_| Trouble::Address("what a record holds".to_owned()))?;
    let mut phone = match &row.phone {
        Some(sealed) => PhoneNumber::from_stored(master.open_field("phone", &key, sealed)?.expose()),
        None => None,
    };
    if phone.is_none() {
        let known_key = Key::phone(&master.address_hash(&address));
        if let Some((known, _)) = read::<KnownPhone>(store, &known_key).await? {
            phone = PhoneNumber::from_stored(master.open_field("phone", &known_key, &known.phone)?.expose());
        }
    }
    let origin = grant::open_origin(master, &key, row.origin.as_ref());
    let as_sent = row.as_sent.as_ref().map(|sealed| AsSent::open(master, &key, sealed)).transpose()?;
    let Waiting { level, first_contact, .. } = row;
    Ok(Waiter { key, version: record.version, address, level, phone, given: false, origin, first_contact, as_sent, openly: false })
}

/// Lets a message go: each recipient gets a link, at the level that the policies say. Where a number is missing its sender is asked first. With a
/// reason to let it go `openly` those get it as it came for whom no policy asks for protection.
pub(super) async fn release(store: &dyn Store, keyring: &Keyring, text: &str, openly: Option<&str>, now: Time) -> Result<String, Trouble> {
    let master = keyring.master();
    let Case { id, row, details, message, approval, mut waiting } = Case::find(store, &master, text).await?;
    waiting.iter_mut().for_each(|w| w.openly = openly.is_some());
    if openly.is_some() && !waiting.iter().any(Waiter::goes_openly) {
        return Err(Trouble::NotOpenly);
    }
    let reason = openly.map(|reason| reason.chars().take(MOST_REASON_CHARS).collect::<String>());
    if let Some(waiter) = waiting.iter().find(|w| w.lacks_number()) {
        if !details.may_ask || openly.is_some() {
            return Err(Trouble::NumberMissing(waiter.address.clone()));
        }
        let entered = Entered { message: (&message.0, message.1), approval: (&approval.0, approval.1), version: row.1 };
        commit(store, release::leave_for_number(&master, id, &entered, details, &waiting, now), text).await?;
        return Ok(format!("{id}\treleased; its sender is asked for a number first\n"));
    }
    let bucket = keyring.existing(message.0.expires).ok_or_else(|| Trouble::NotWaiting(text.to_owned()))?;
    let content_key = unwrap(&master, &bucket, &details.token, id, &approval.0.wrap)?;
    // What a notification says of the message; its parts are not looked at.
    let card = Card {
        subject: String::new(),
        open_subject: details.subject.clone(),
        sender_name: details.shown.0.clone(),
        sender: details.shown.1.clone(),
        date: row.0.at,
        text: None,
        html: None,
        files: Vec::new(),
    };
    let sender = details.sender.as_deref().and_then(|sender| Address::parse(sender).ok());
    let held = Held {
        handover: Handover { master: &master, bucket: &bucket, message: id, content_key: &content_key, now },
        message: &message.0,
        version: message.1,
        approval_key: Key::approval(lookup_id(&details.token)),
        approval: &approval.0,
        approval_version: approval.1,
        card: &card,
        sender: sender.as_ref(),
        waiting: &waiting,
        decided: reason.as_deref().map(|reason| Decided { by: "zegel quarantine", reason }),
    };
    let mut batch = release::release(&held).map_err(|_| Trouble::Number)?;
    batch.delete(Key::quarantine(id), Expect::Version(row.1));
    commit(store, batch, text).await?;
    let protected = waiting.iter().filter(|w| !w.goes_openly()).count();
    Ok(match openly.filter(|_| protected > 0) {
        None => format!("{id}\treleased\n"),
        Some(_) => format!("{id}\treleased; {protected} of {} recipients get a link, since a policy protects it for them\n", waiting.len()),
    })
}

/// Sends a message to nobody.
pub(super) async fn refuse(store: &dyn Store, master: &Master, text: &str, reason: &str, now: Time) -> Result<String, Trouble> {
    let Case { id, row, .. } = Case::find(store, master, text).await?;
    let reason: String = reason.chars().take(MOST_REASON_CHARS).collect();
    let mut batch = Batch::new();
    release::refuse(&mut batch, master, id, &row.0, row.1, &reason, now);
    commit(store, batch, text).await?;
    Ok(format!("{id}\trefused\n"))
}

/// Of two decisions at a time one wins.
async fn commit(store: &dyn Store, batch: Batch, text: &str) -> Result<(), Trouble> {
    match store.commit(batch).await {
        Err(StoreError::Conflict) => Err(Trouble::NotWaiting(text.to_owned())),
        done => Ok(done?),
    }
}
