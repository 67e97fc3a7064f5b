//! The sender chooses how his message goes: with a password, or with a code. Below the level that a policy names nobody can go.

use super::Request;
use crate::{
    grant,
    phone::PhoneNumber,
    portal::answer::{Form, Page, Refusal, Visit, see_other},
    record::{Approval, Batch, Expect, FORMAT, Key, KnownPhone, Level, Waiting},
    release::release,
    seal::{Salt, form_token, lookup_id},
    store::StoreError,
    template::DecidePage,
};
use axum::http::StatusCode;

/// The page as things stand. Changes nothing.
pub(super) fn page(visit: &Visit, request: &Request) -> Result<Page, Refusal> {
    let view = DecidePage {
        subject: request.card.open_subject.clone(),
        at: request.record.value.at,
        recipients: request.waiting.len(),
        level_1: request.waiting.iter().any(|w| w.level == Level::One),
        until: request.approval.value.until.day(),
        form: form_token(&request.token).expose().clone(),
    };
    visit.page(StatusCode::OK, &view)
}

/// The choice; `None` when somebody else changed something meanwhile.
pub(super) async fn post(visit: &mut Visit, request: &mut Request, form: &Form) -> Result<Option<Page>, Refusal> {
    match form.field("choice") {
        // Whoever a policy wants to have level 2 has it already.
        "1" => {}
        "2" => request.waiting.iter_mut().for_each(|w| w.level = Level::Two),
        _ => return page(visit, request).map(Some),
    }
    let store = visit.desk.portal.store.clone();
    for waiter in request.waiting.iter_mut().filter(|w| w.level == Level::Two && w.phone.is_none()) {
        let key = Key::phone(&request.master.address_hash(&waiter.address));
        if let Some(record) = store.get(&key).await? {
            let known: KnownPhone = record.read(&key).map_err(|_| Refusal::Damaged)?;
            let number = request.master.open_field("phone", &key, &known.phone).map_err(|_| Refusal::Damaged)?;
            waiter.phone = PhoneNumber::from_stored(number.expose());
        }
    }
    let batch = match release(&request.held(visit.now)) {
        Ok(batch) => {
            tracing::info!("portal: message {} released recipients={}", request.message, request.waiting.len());
            batch
        }
        Err(_) => numbers_first(request),
    };
    match store.commit(batch).await {
        Ok(()) => see_other(&format!("/n/{}", request.token.in_link().expose())).map(Some),
        Err(StoreError::Conflict) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The choice is made and remembered; what it needs is asked next, on the page of numbers.
fn numbers_first(request: &Request) -> Batch {
    let mut batch = Batch::new();
    let approval = Approval { ask: false, ..request.approval.value.clone() };
    batch.put(Key::approval(lookup_id(&request.token)), &approval, Expect::Version(request.approval.version));
    batch.check(Key::message(request.message), request.record.version);
    for waiter in &request.waiting {
        let seal = |name, text: &str| request.master.seal_field(name, &waiter.key, text, Salt::random());
        let record = Waiting {
            v: FORMAT,
            level: waiter.level,
            address: seal("address", waiter.address.as_str()),
            phone: waiter.phone.as_ref().map(|p| seal("phone", p.expose())),
            origin: Some(grant::seal_origin(&request.master, &waiter.key, &waiter.origin)),
        };
        batch.put(waiter.key.clone(), &record, Expect::Version(waiter.version));
    }
    batch
}
