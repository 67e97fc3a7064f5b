//! The sender chooses how his message goes: with a password, with a code, or, for a reason that he gives, as he wrote it. Below the level that a
//! policy names nobody can go. What goes as he wrote it goes by a second press, on a page that says to whom: the first may have been a slip, or that
//! of a program that tries what a link leads to.

use super::Request;
use crate::{
    notice::MOST_NAMED,
    phone::PhoneNumber,
    portal::answer::{Form, Page, Refusal, Visit, see_other},
    record::{Key, KnownPhone, Level},
    release::{Decided, Held, MOST_REASON_CHARS, Waiter, numbers_first, release},
    seal::form_token,
    store::StoreError,
    template::{DecidePage, OpenlyPage, RecipientLine},
};
use axum::http::StatusCode;

/// The page as things stand. Changes nothing.
pub(super) fn page(visit: &Visit, request: &Request) -> Result<Page, Refusal> {
    shown(visit, request, "", None)
}

/// The page with a reason as it was typed, and the key of the text that says what is wrong with it.
fn shown(visit: &Visit, request: &Request, reason: &str, fault: Option<&'static str>) -> Result<Page, Refusal> {
    let view = DecidePage {
        named: request.waiting.iter().take(MOST_NAMED).map(line).collect(),
        more: request.waiting.len().saturating_sub(MOST_NAMED),
        codes: request.waiting.iter().filter(|w| w.level == Level::Two).count(),
        subject: request.card.open_subject.clone(),
        at: request.record.value.at,
        recipients: request.waiting.len(),
        level_1: request.waiting.iter().any(|w| w.level == Level::One),
        openly: request.waiting.iter().filter(|w| w.as_sent.is_some()).count(),
        reason: reason.to_owned(),
        most_chars: MOST_REASON_CHARS,
        fault,
        until: request.approval.value.until.day(),
        form: form_token(&request.token).expose().clone(),
    };
    visit.page(if fault.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }, &view)
}

/// Asks once more, before the message goes as it was written.
fn sure(visit: &Visit, request: &Request, reason: &str) -> Result<Page, Refusal> {
    let open = || request.waiting.iter().filter(|w| w.as_sent.is_some());
    let view = OpenlyPage {
        subject: request.card.open_subject.clone(),
        at: request.record.value.at,
        named: open().take(MOST_NAMED).map(|w| w.address.to_string()).collect(),
        more: open().count().saturating_sub(MOST_NAMED),
        protected: request.waiting.len() - open().count(),
        reason: reason.to_owned(),
        form: form_token(&request.token).expose().clone(),
    };
    visit.page(StatusCode::OK, &view)
}

fn line(waiter: &Waiter) -> RecipientLine {
    RecipientLine { address: waiter.address.to_string(), code: waiter.level == Level::Two, protected: waiter.as_sent.is_none() }
}

/// A reason as it is kept, or the key of the text that says what is wrong with it.
fn reason(typed: &str) -> Result<&str, &'static str> {
    match typed.trim() {
        "" => Err("reason-empty"),
        reason if reason.chars().count() > MOST_REASON_CHARS => Err("reason-long"),
        reason => Ok(reason),
    }
}

/// The choice; `None` when somebody else changed something meanwhile.
pub(super) async fn post(visit: &mut Visit, request: &mut Request, form: &Form) -> Result<Option<Page>, Refusal> {
    let typed = form.field("reason").replace("\r\n", "\n");
    let mut why = None;
    match form.field("choice") {
        // Whoever a policy wants to have level 2 has it already.
        "1" => {}
        "2" => request.waiting.iter_mut().for_each(|w| w.level = Level::Two),
        // One that is made up gives nothing away: whom a policy protects stays protected.
        "open" if request.waiting.iter().any(|w| w.as_sent.is_some()) => {
            why = Some(match reason(&typed) {
                Ok(reason) => reason,
                Err(fault) => return shown(visit, request, &typed, Some(fault)).map(Some),
            });
            if form.field("sure") != "1" {
                return sure(visit, request, typed.trim()).map(Some);
            }
            request.waiting.iter_mut().for_each(|w| w.openly = true);
        }
        _ => return page(visit, request).map(Some),
    }
    let store = visit.desk.portal.store.clone();
    for waiter in request.waiting.iter_mut().filter(|w| w.lacks_number()) {
        let key = Key::phone(&request.master.address_hash(&waiter.address));
        if let Some(record) = store.get(&key).await? {
            let known: KnownPhone = record.read(&key).map_err(|_| Refusal::Damaged)?;
            let number = request.master.open_field("phone", &key, &known.phone).map_err(|_| Refusal::Damaged)?;
            waiter.phone = PhoneNumber::from_stored(number.expose());
        }
    }
    let sender = request.sender.to_string();
    let held = Held { decided: why.map(|reason| Decided { by: &sender, reason }), ..request.held(visit.now) };
    let batch = release(&held).unwrap_or_else(|_| numbers_first(&held, &request.token));
    let openly = request.waiting.iter().filter(|w| w.goes_openly()).count();
    tracing::info!("portal: message {} decided recipients={} openly={openly}", request.message, request.waiting.len());
    match store.commit(batch).await {
        Ok(()) => see_other(&format!("/n/{}", request.token.in_link().expose())).map(Some),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
