//! `/s/<token>`: what has become of a sender's message, and what he can still do about it ([`act`]).
//!
//! Two links lead here. The one in every mail to the sender holds a tag of the message's name, and no key: whoever steals the store can't make it, and
//! it opens no content. The one by which he was asked for a number holds the content key as well, and then the names of the files are shown.

mod act;

use super::{
    answer::{Form, Page, Refusal, Visit, see_other},
    files::{body_name, body_part},
    link::{Read, is_readable, read},
    names::safe_name,
    read::{is_in_text, open_card},
    unlock::pause,
};
use crate::{
    address::Address,
    grant,
    phone::PhoneNumber,
    recall::{self, Belongings},
    record::{Approval, Card, Grant, Key, KeyRange, Receipt, SealedMessage, State, Waiting},
    seal::{Master, form_token, lookup_id, unwrap},
    secret::{Id, Token},
    store::StoreError,
    template::{StatusFile, StatusPage, StatusRow},
    unlock,
};
use axum::http::StatusCode;
use std::sync::Arc;

/// So many recipients are shown: as many as an SMTP transaction takes.
const MAX_RECIPIENTS: usize = 1000;
/// So many lines about files are shown: more would take a browser, and us, too long. Of more, those that were had, first of all.
const MAX_LINES: usize = 5000;
/// How often something is done anew when somebody else changed the records meanwhile.
const ATTEMPTS: u32 = 6;

/// A message as its sender's link shows it.
struct Status {
    token: Token,
    id: Id,
    message: Read<SealedMessage>,
    sender: Address,
    master: Arc<Master>,
    asked: Option<(Id, Read<Approval>)>,
    /// Whether the link is the one by which the sender was asked.
    by_asking: bool,
    /// What the message consists of, where the link opens it.
    card: Option<Card>,
    recipients: Vec<Recipient>,
    /// Who waits for a number, or for the sender's choice.
    waiting: Vec<(Key, u64, Address)>,
    /// Whether it is on its way to somebody as it came.
    leaving_openly: bool,
}

/// A recipient who has a link.
struct Recipient {
    lookup: Id,
    grant: Read<Grant>,
    receipt: Receipt,
    address: Address,
    /// At level 2, until the message is recalled.
    phone: Option<PhoneNumber>,
    /// The message's subject, unless it holds a finding.
    subject: Option<String>,
}

/// What is wrong with a form.
enum Wrong {
    /// The box that says "I know" is not ticked.
    NotSure,
    /// Not a day to which the message can be moved; as it was typed.
    Day(String),
    /// Not a number to which a code can be sent: whose, as it was typed, and the key of the text that says why.
    Number(Id, String, &'static str),
}

/// The page as things stand. Changes nothing.
pub(super) async fn get(visit: &mut Visit, token: &str) -> Result<Page, Refusal> {
    let status = Status::find(visit, token).await?;
    page(visit, &status, None)
}

/// The buttons of that page.
pub(super) async fn post(visit: &mut Visit, token: &str, form: &Form) -> Result<Page, Refusal> {
    for attempt in 0..ATTEMPTS {
        let status = Status::find(visit, token).await?;
        form.came_from(&status.token)?;
        let change = match act::decide(visit, &status, form).await? {
            act::Step::Change(change) => change,
            // By another click.
            act::Step::Done => return see_other(&format!("/s/{token}")),
            act::Step::Wrong(wrong) => return page(visit, &status, Some(&wrong)),
        };
        match visit.desk.portal.store.commit(change.batch).await {
            Ok(()) => {
                tracing::info!("portal: message {} {} by its sender", status.id, change.what);
                for blob in change.blobs {
                    if let Err(error) = visit.desk.portal.blobs.delete(blob).await {
                        tracing::warn!("a blob stays until it is swept as an orphan: {error}");
                    }
                }
                return see_other(&format!("/s/{token}"));
            }
            Err(StoreError::Conflict) => pause(attempt).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::Busy)
}

impl Status {
    async fn find(visit: &mut Visit, text: &str) -> Result<Status, Refusal> {
        let portal = visit.desk.portal.clone();
        let (store, master) = (&*portal.store, portal.keyring.master());
        let token = Token::parse(text).ok_or(Refusal::Gone)?;
        let lookup = lookup_id(&token);
        let (id, by_asking) = match (master.status_of(&token), read::<Approval>(store, &Key::approval(lookup)).await?) {
            (Some(id), _) => (id, false),
            (None, Some(approval)) => (approval.value.message, true),
            (None, None) => return Err(Refusal::Gone),
        };
        let key = Key::message(id);
        let message: Read<SealedMessage> =
            read(store, &key).await?.filter(|m: &Read<SealedMessage>| m.value.state != State::Pending).ok_or(Refusal::Gone)?;
        // One of whose fate nobody may be told has no such page, nor has one of somebody else's: the pages of ours decide.
        if !message.value.ours {
            return Err(Refusal::Gone);
        }
        let sender = address(&master, "sender", &key, message.value.sender.as_ref().ok_or(Refusal::Gone)?)?;
        visit.suggest(&message.value.language);
        let asked = message.value.asked.or(by_asking.then_some(lookup));
        let asked = match asked {
            Some(asked) => read::<Approval>(store, &Key::approval(asked)).await?.map(|approval| (asked, approval)),
            None => None,
        };
        let mut status = Status {
            token,
            id,
            sender,
            asked,
            by_asking,
            card: None,
            recipients: Vec::new(),
            waiting: Vec::new(),
            leaving_openly: !store.list(&KeyRange::openly_of(id), 1).await?.is_empty(),
            master,
            message,
        };
        status.people(visit).await?;
        status.card = status.opened(visit).await;
        Ok(status)
    }

    /// Reads who has the message, and who waits for it.
    async fn people(&mut self, visit: &Visit) -> Result<(), Refusal> {
        let store = &*visit.desk.portal.store;
        for (key, row) in store.list(&KeyRange::grants_of(self.id), MAX_RECIPIENTS).await? {
            let Some(lookup) = key.segments().last().and_then(Id::parse) else { continue };
            let grant_key = Key::grant(lookup);
            let Some(grant) = read::<Grant>(store, &grant_key).await? else { continue };
            let receipt: Option<Receipt> = row.read(&key).map_err(|_| Refusal::Damaged)?;
            let phone = match &grant.value.phone {
                Some(sealed) => {
                    let number = self.master.open_field("phone", &grant_key, sealed).map_err(|_| Refusal::Damaged)?;
                    PhoneNumber::from_stored(number.expose())
                }
                None => None,
            };
            let address = address(&self.master, "address", &grant_key, &grant.value.address)?;
            let subject = grant::open_origin(&self.master, &grant_key, grant.value.origin.as_ref()).subject;
            self.recipients.push(Recipient { lookup, grant, receipt: receipt.unwrap_or_default(), address, phone, subject });
        }
        for (key, row) in store.list(&KeyRange::waiting_of(self.id), MAX_RECIPIENTS).await? {
            let waiting: Waiting = row.read(&key).map_err(|_| Refusal::Damaged)?;
            let address = address(&self.master, "address", &key, &waiting.address)?;
            self.waiting.push((key, row.version, address));
        }
        self.recipients.sort_by(|a, b| a.address.as_str().cmp(b.address.as_str()));
        Ok(())
    }

    /// The message's card, if the link holds the content key. It only adds the names of the files, so whatever is wrong leaves them out.
    async fn opened(&self, visit: &Visit) -> Option<Card> {
        let portal = &visit.desk.portal;
        let (_, approval) = self.asked.as_ref().filter(|_| self.by_asking)?;
        if !matches!(self.message.value.state, State::Sent | State::Blocked | State::Held) {
            return None;
        }
        let bucket = portal.keyring.existing(self.message.value.expires)?;
        let key = unwrap(&self.master, &bucket, &self.token, self.id, &approval.value.wrap).ok()?;
        open_card(&*portal.blobs, self.id, &self.message.value, &key).await.ok()
    }

    /// Everything that an act may have to change.
    fn belongings(&self) -> Belongings {
        Belongings {
            grants: self.recipients.iter().map(|r| (r.lookup, (r.grant.value.clone(), r.grant.version))).collect(),
            waiting: self.waiting.iter().map(|(key, version, _)| (key.clone(), *version)).collect(),
            asked: self.asked.as_ref().map(|(lookup, approval)| (*lookup, (approval.value.clone(), approval.version))),
        }
    }

    /// Whether its last day is over.
    fn is_over(&self, visit: &Visit) -> bool {
        self.message.value.state == State::Gone || visit.now >= self.message.value.expires.plus_days(1).begins()
    }

    /// The word of its state.
    fn state(&self, visit: &Visit) -> &'static str {
        match self.message.value.state {
            _ if self.is_over(visit) => "gone",
            State::Pending | State::Quarantined => "waiting",
            State::Held => "held",
            State::Sent => "sent",
            State::Blocked => "blocked",
            State::Recalled if self.recipients.is_empty() => "cancelled",
            State::Recalled => "recalled",
            State::Gone => "gone",
        }
    }
}

fn address(master: &Master, name: &'static str, key: &Key, sealed: &crate::record::Sealed) -> Result<Address, Refusal> {
    let text = master.open_field(name, key, sealed).map_err(|_| Refusal::Damaged)?;
    Address::parse(text.expose()).map_err(|_| Refusal::Damaged)
}

fn page(visit: &Visit, status: &Status, wrong: Option<&Wrong>) -> Result<Page, Refusal> {
    let message = &status.message.value;
    let days = recall::days(message.at, visit.now);
    let openly = status.asked.as_ref().is_some_and(|(_, approval)| approval.value.openly);
    let subject =
        status.card.as_ref().map_or_else(|| status.recipients.first().and_then(|r| r.subject.clone()), |card| card.open_subject.clone());
    let is_held = message.state == State::Held && is_readable(message, visit.now);
    let view = StatusPage {
        subject,
        at: message.at,
        state: status.state(visit),
        expires: message.expires,
        read: status.recipients.iter().filter(|r| r.grant.value.read.is_some()).count(),
        rows: status.recipients.iter().map(|r| row(visit, status, r, wrong)).collect(),
        waiting: status.waiting.iter().map(|(_, _, address)| address.to_string()).collect(),
        numbers: (status.by_asking && is_held).then(|| format!("/n/{}", status.token.in_link().expose())),
        openly,
        moves: !status.leaving_openly && !status.recipients.is_empty(),
        day: match wrong {
            Some(Wrong::Day(typed)) => typed.clone(),
            _ => message.expires.to_string(),
        },
        first_day: *days.start(),
        last_day: *days.end(),
        fault: match wrong {
            Some(Wrong::NotSure) => Some("status-sure-fault"),
            Some(Wrong::Day(_)) => Some("status-day-fault"),
            Some(Wrong::Number(_, _, word)) => Some(word),
            None => None,
        },
        wrong: match wrong {
            Some(Wrong::NotSure) => "recall",
            Some(Wrong::Day(_)) => "day",
            Some(Wrong::Number(..)) => "number",
            None => "",
        },
        form: form_token(&status.token).expose().clone(),
    };
    visit.page(if wrong.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &view)
}

fn row(visit: &Visit, status: &Status, recipient: &Recipient, wrong: Option<&Wrong>) -> StatusRow {
    let grant = &recipient.grant.value;
    let typed = match wrong {
        Some(Wrong::Number(whose, typed, _)) if *whose == recipient.lookup => Some(typed.clone()),
        _ => None,
    };
    StatusRow {
        grant: recipient.lookup.to_string(),
        address: recipient.address.to_string(),
        phone: recipient.phone.as_ref().map(PhoneNumber::masked),
        notified: recipient.receipt.notified,
        failed: grant.bounced.or(recipient.receipt.failed),
        read: grant.read,
        locked_until: unlock::locked(grant, visit.now),
        files: files(visit, status, &recipient.receipt),
        wrong: typed.is_some(),
        typed: typed.unwrap_or_default(),
    }
}

/// Each file with when it was first had: all of them where their names are known, else those that were had.
fn files(visit: &Visit, status: &Status, receipt: &Receipt) -> Vec<StatusFile> {
    let at = |number: usize| receipt.files.iter().find(|(n, _)| *n == number).map(|(_, at)| *at);
    let share = MAX_LINES / status.recipients.len().max(1);
    let Some(card) = &status.card else {
        let mut had: Vec<_> = receipt.files.iter().map(|(n, at)| StatusFile { number: n + 1, name: None, at: Some(*at) }).collect();
        had.sort_by_key(|file| file.number);
        had.truncate(share);
        return had;
    };
    let listed = card.files.iter().enumerate().filter(|(_, part)| !is_in_text(card, part));
    let mut files: Vec<_> =
        listed.map(|(n, part)| StatusFile { number: n + 1, name: Some(safe_name(&part.name, &part.media_type)), at: at(n) }).collect();
    // The text, where it was so long that it was fetched as a file.
    if let Some((whole, part)) = at(card.files.len()).zip(body_part(card)) {
        files.push(StatusFile { number: card.files.len() + 1, name: Some(body_name(visit, part)), at: Some(whole) });
    }
    if files.len() > share {
        files.retain(|file| file.at.is_some());
        files.truncate(share);
    }
    files
}
