//! `/n/<token>`: the sender gives the numbers that are missing, and the message goes out at once. Where he has to choose first how it goes, he does
//! so here too ([`decide`]).

mod decide;

use super::{
    answer::{Form, Page, Refusal, Visit, see_other},
    link::{Read, is_readable, read},
    read::open_card,
};
use crate::{
    address::Address,
    grant::{self, Handover},
    phone::{Countries, PhoneNumber},
    record::{Approval, Card, Key, KeyRange, SealedMessage, State, Waiting},
    release::{AsSent, Held, Waiter, release},
    seal::{Bucket, ContentKey, Master, form_token, lookup_id, unwrap},
    secret::{Id, Token},
    store::StoreError,
    template::{Fault, NoticePage, NumberRow, NumbersPage},
    time::Time,
};
use axum::http::StatusCode;
use std::sync::Arc;

/// So many recipients can wait: as many as an SMTP transaction takes.
const MAX_WAITING: usize = 1000;
/// How often a release is tried when somebody else changed the records meanwhile.
const ATTEMPTS: usize = 3;

/// What a sender's link leads to.
enum Link {
    /// A message that waits for numbers.
    Waits(Box<Request>),
    /// One that was released.
    Released {
        /// By a choice alone, without a number.
        chosen: bool,
        /// Somebody gets it as it came.
        openly: bool,
    },
    /// One that its sender has blocked or recalled.
    Withdrawn,
    /// One that was given up, since the numbers did not come in time.
    TooLate,
}

/// A message that waits for numbers.
struct Request {
    token: Token,
    approval: Read<Approval>,
    message: Id,
    record: Read<SealedMessage>,
    card: Card,
    sender: Address,
    content_key: ContentKey,
    master: Arc<Master>,
    bucket: Arc<Bucket>,
    waiting: Vec<Waiter>,
}

/// The page as things stand. Changes nothing.
pub(super) async fn get(visit: &mut Visit, token: &str) -> Result<Page, Refusal> {
    match Link::find(visit, token).await? {
        Link::Waits(request) if request.approval.value.ask => decide::page(visit, &request),
        Link::Waits(request) => {
            let typed = vec![String::new(); request.missing().count()];
            page(visit, &request, &typed, &[])
        }
        Link::Released { chosen, openly } => {
            let page = match (openly, chosen) {
                (true, _) => NoticePage::SENT_OPENLY,
                (false, true) => NoticePage::DECIDED,
                (false, false) => NoticePage::NUMBERS_DONE,
            };
            visit.page(StatusCode::OK, &NoticePage { status: Some(format!("/s/{token}")), ..page })
        }
        Link::Withdrawn => see_other(&format!("/s/{token}")),
        Link::TooLate => visit.page(StatusCode::GONE, &NoticePage::NUMBERS_TOO_LATE),
    }
}

/// The numbers.
pub(super) async fn post(visit: &mut Visit, token: &str, form: &Form) -> Result<Page, Refusal> {
    for _ in 0..ATTEMPTS {
        let mut request = match Link::find(visit, token).await? {
            Link::Waits(request) => request,
            // By another click.
            Link::Released { .. } => return see_other(&format!("/n/{token}")),
            Link::Withdrawn => return see_other(&format!("/s/{token}")),
            Link::TooLate => return visit.page(StatusCode::GONE, &NoticePage::NUMBERS_TOO_LATE),
        };
        form.came_from(&request.token)?;
        if request.approval.value.ask {
            match decide::post(visit, &mut request, form).await? {
                Some(page) => return Ok(page),
                None => continue,
            }
        }
        let typed: Vec<String> = (0..request.missing().count()).map(|n| form.field(&field(n)).to_owned()).collect();
        let parsed: Vec<_> = typed.iter().map(|t| parse(t, &visit.desk.portal.sms.limits.countries)).collect();
        let faults: Vec<_> = parsed.iter().map(|p| p.as_ref().err().copied()).collect();
        if faults.iter().any(Option::is_some) {
            return page(visit, &request, &typed, &faults);
        }
        for (waiter, phone) in request.waiting.iter_mut().filter(|w| w.lacks_number()).zip(parsed) {
            (waiter.phone, waiter.given) = (phone.ok(), true);
        }
        let batch = release(&request.held(visit.now)).map_err(|_| Refusal::Error)?;
        match visit.desk.portal.store.commit(batch).await {
            Ok(()) => {
                tracing::info!("portal: message {} released recipients={}", request.message, request.waiting.len());
                return see_other(&format!("/n/{token}"));
            }
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::Busy)
}

/// A number as it was typed, or the key of the text that says what is wrong with it.
fn parse(typed: &str, countries: &Countries) -> Result<PhoneNumber, &'static str> {
    if typed.trim().is_empty() {
        return Err("phone-empty");
    }
    PhoneNumber::parse_within(typed, countries).map_err(crate::phone::PhoneFault::word)
}

fn field(number: usize) -> String {
    format!("number-{number}")
}

impl Link {
    async fn find(visit: &mut Visit, text: &str) -> Result<Link, Refusal> {
        match Link::look(visit, text).await {
            // What is given up while we read looks damaged; a second look tells.
            Err(Refusal::Damaged) => Link::look(visit, text).await,
            found => found,
        }
    }

    async fn look(visit: &mut Visit, text: &str) -> Result<Link, Refusal> {
        let portal = visit.desk.portal.clone();
        let token = Token::parse(text).ok_or(Refusal::Gone)?;
        let approval: Read<Approval> = read(&*portal.store, &Key::approval(lookup_id(&token))).await?.ok_or(Refusal::Gone)?;
        let message = approval.value.message;
        let message_key = Key::message(message);
        let record: Read<SealedMessage> = read(&*portal.store, &message_key).await?.ok_or(Refusal::Gone)?;
        visit.suggest(&record.value.language);
        match (approval.value.released, record.value.state) {
            (_, State::Blocked | State::Recalled) => return Ok(Link::Withdrawn),
            (Some(_), _) if is_readable(&record.value, visit.now) => {
                return Ok(Link::Released { chosen: approval.value.ask, openly: approval.value.openly });
            }
            (Some(_), _) | (None, State::Pending) => return Err(Refusal::Gone),
            (None, State::Held) if is_readable(&record.value, visit.now) => {}
            (None, _) => return Ok(Link::TooLate),
        }
        let master = portal.keyring.master();
        let bucket = portal.keyring.existing(record.value.expires).ok_or(Refusal::Gone)?;
        let content_key = unwrap(&master, &bucket, &token, message, &approval.value.wrap).map_err(|_| Refusal::Damaged)?;
        let card = open_card(&*portal.blobs, message, &record.value, &content_key).await?;
        let sender = record.value.sender.as_ref().ok_or(Refusal::Damaged)?;
        let sender = master.open_field("sender", &message_key, sender).map_err(|_| Refusal::Damaged)?;
        let sender = Address::parse(sender.expose()).map_err(|_| Refusal::Damaged)?;
        let mut waiting = Vec::new();
        for (key, row) in portal.store.list(&KeyRange::waiting_of(message), MAX_WAITING).await? {
            waiting.push(waiter(&master, key, &row)?);
        }
        Ok(Link::Waits(Box::new(Request { token, approval, message, record, card, sender, content_key, master, bucket, waiting })))
    }
}

impl Request {
    /// The recipients for whom a number is asked.
    fn missing(&self) -> impl Iterator<Item = &Waiter> {
        self.waiting.iter().filter(|w| w.lacks_number())
    }

    fn held(&self, now: Time) -> Held<'_> {
        let handover = Handover { master: &self.master, bucket: &self.bucket, message: self.message, content_key: &self.content_key, now };
        Held {
            handover,
            message: &self.record.value,
            version: self.record.version,
            approval_key: Key::approval(lookup_id(&self.token)),
            approval: &self.approval.value,
            approval_version: self.approval.version,
            card: &self.card,
            sender: Some(&self.sender),
            waiting: &self.waiting,
            decided: None,
        }
    }
}

/// A row of the queue, opened.
fn waiter(master: &Master, key: Key, row: &crate::record::Record) -> Result<Waiter, Refusal> {
    let waiting: Waiting = row.read(&key).map_err(|_| Refusal::Damaged)?;
    let address = master.open_field("address", &key, &waiting.address).map_err(|_| Refusal::Damaged)?;
    let address = Address::parse(address.expose()).map_err(|_| Refusal::Damaged)?;
    let phone = match &waiting.phone {
        Some(sealed) => PhoneNumber::from_stored(master.open_field("phone", &key, sealed).map_err(|_| Refusal::Damaged)?.expose()),
        None => None,
    };
    let origin = grant::open_origin(master, &key, waiting.origin.as_ref());
    let as_sent = waiting.as_sent.as_ref().map(|sealed| AsSent::open(master, &key, sealed)).transpose().map_err(|_| Refusal::Damaged)?;
    let Waiting { level, first_contact, .. } = waiting;
    Ok(Waiter { key, version: row.version, address, level, phone, given: false, origin, first_contact, as_sent, openly: false })
}

fn page(visit: &Visit, request: &Request, typed: &[String], faults: &[Option<&'static str>]) -> Result<Page, Refusal> {
    let row = |(n, waiter): (usize, &Waiter)| NumberRow {
        name: field(n),
        address: waiter.address.to_string(),
        value: typed.get(n).cloned().unwrap_or_default(),
        fault: faults.get(n).copied().flatten(),
    };
    let rows: Vec<_> = request.missing().enumerate().map(row).collect();
    let wrong = u32::try_from(faults.iter().flatten().count()).unwrap_or(u32::MAX);
    let view = NumbersPage {
        subject: request.card.open_subject.clone(),
        at: request.record.value.at,
        others: request.waiting.len() - rows.len(),
        rows,
        until: request.approval.value.until.day(),
        fault: (wrong > 0).then(|| Fault { word: "numbers-faults".to_owned(), n: Some(wrong), at: None }),
        form: form_token(&request.token).expose().clone(),
    };
    visit.page(if wrong > 0 { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &view)
}
