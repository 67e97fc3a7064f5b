//! `/sms/<provider>`: where SMS providers report what became of an SMS.
//!
//! Whoever asks hears the same, whether the report is genuine, forged or about nothing we know: only one that is genuine and about an SMS of ours
//! changes anything. The signature is checked before the store is asked.

use super::{
    answer::{Page, Refusal, Visit, with},
    link::{Granted, People, Read, read},
    unlock::{pause, put_rate},
};
use crate::{
    grant::{self, About},
    notice::Letter,
    recall,
    record::{Batch, Expect, FORMAT, Fact, Key, Rate, SentSms, SmsFate},
    secret::Id,
    sms::{Became, Report, Reported},
    store::StoreError,
};
use axum::{
    body::Body,
    http::{Method, StatusCode, Uri},
};
use std::net::IpAddr;

/// No provider's report is longer.
const MAX_BYTES: usize = 64 * 1024;

/// How often a report is tried when somebody else changed the record meanwhile.
const ATTEMPTS: u32 = 6;

/// How the address was asked.
pub(super) struct Called<'a> {
    pub(super) provider: &'a str,
    pub(super) reference: Option<&'a str>,
    pub(super) method: Method,
    pub(super) uri: &'a Uri,
    pub(super) from: IpAddr,
}

/// Takes a report, if it is one.
pub(super) async fn answer(visit: &Visit, called: &Called<'_>, body: Body) -> Result<Page, Refusal> {
    let sms = &visit.desk.portal.sms;
    let by_get = called.method == Method::GET && sms.reports_by_get(called.provider);
    if called.method != Method::POST && !by_get {
        return Err(Refusal::Method(if sms.reports_by_get(called.provider) { "GET, POST" } else { "POST" }));
    }
    let read = tokio::time::timeout(visit.desk.portal.limits.form_time, axum::body::to_bytes(body, MAX_BYTES)).await;
    let body = read.map_err(|_| Refusal::Request)?.map_err(|_| Refusal::Large)?;
    let path = called.uri.path_and_query().map_or("", |p| p.as_str());
    // As the provider was given it: a proxy may have changed what we see of scheme and host.
    let url = format!("{}{path}", visit.organisation.url);
    let header = |name: &str| visit.headers.get(name).and_then(|value| value.to_str().ok());
    let reported = Reported { by_get, url: &url, header: &header, body: &body, from: called.from, reference: called.reference };
    if let Some(report) = sms.report(called.provider, &reported, visit.now) {
        note(visit, report).await?;
    }
    Ok(with(StatusCode::OK, "text/plain; charset=utf-8", Body::from("ok\n")))
}

/// Writes down what a genuine report says; a repeat changes nothing.
async fn note(visit: &Visit, report: Report) -> Result<(), Refusal> {
    let (store, key) = (&visit.desk.portal.store, Key::sms(report.reference));
    for attempt in 0..ATTEMPTS {
        let Some(sms): Option<Read<SentSms>> = read(&**store, &key).await? else { return Ok(()) };
        let Some((fate, fact)) = news(sms.value.fate, report.became) else { return Ok(()) };
        let (message, grant) = (Some(sms.value.message), Some(sms.value.grant));
        let mut batch = Batch::new();
        batch.put(key.clone(), &SentSms { fate, ..sms.value }, Expect::Version(sms.version));
        grant::note(&mut batch, fact, message, grant, visit.now);
        if fate == SmsFate::Undelivered {
            tell_sender(visit, &mut batch, sms.value.grant).await?;
        }
        match store.commit(batch).await {
            Ok(()) => {
                if fate == SmsFate::Undelivered {
                    tracing::warn!("sms {} did not arrive, says its provider", report.reference);
                }
                return Ok(());
            }
            Err(StoreError::Conflict) => pause(attempt).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::Busy)
}

/// Tells the sender that a code did not arrive, as he gave the number: once, however many codes do not.
async fn tell_sender(visit: &Visit, batch: &mut Batch, grant: Id) -> Result<(), Refusal> {
    let portal = &visit.desk.portal;
    let told = recall::undelivered(grant);
    if read::<Rate>(&*portal.store, &told).await?.is_some() {
        return Ok(());
    }
    let granted = match Granted::find(portal, grant, visit.now).await {
        Ok(Some(granted)) => granted,
        Ok(None) | Err(Refusal::Withdrawn) => return Ok(()),
        Err(refusal) => return Err(refusal),
    };
    let People { recipient, phone: Some(phone), sender: Some(sender) } = granted.people(portal)? else { return Ok(()) };
    let (at, language) = (granted.message.value.at, granted.message.value.language.clone());
    let letter = Letter::Undelivered { sender, recipient, phone: phone.masked(), grant: Some(grant), at, language };
    let about = About::message(granted.grant.value.message);
    grant::post(batch, &portal.keyring.master(), &letter, about, visit.now);
    put_rate(batch, told, None, &Rate { v: FORMAT, times: vec![visit.now] });
    Ok(())
}

/// What a report adds to what is known. What arrived has arrived, whatever comes later; what did not may still.
fn news(known: SmsFate, became: Became) -> Option<(SmsFate, Fact)> {
    match (known, became) {
        (SmsFate::Delivered, _)
        | (SmsFate::Undelivered, Became::Undelivered | Became::Underway)
        | (SmsFate::Underway, Became::Underway) => None,
        (_, Became::Delivered) => Some((SmsFate::Delivered, Fact::CodeDelivered)),
        (_, Became::Undelivered) => Some((SmsFate::Undelivered, Fact::CodeUndelivered)),
        (SmsFate::Unsure, Became::Underway) => Some((SmsFate::Underway, Fact::CodeSent)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_arrived_stays_so_and_a_repeat_is_no_news() {
        let after = |known, became| news(known, became).map(|(fate, _)| fate);
        assert_eq!(after(SmsFate::Underway, Became::Undelivered), Some(SmsFate::Undelivered));
        assert_eq!(after(SmsFate::Undelivered, Became::Delivered), Some(SmsFate::Delivered));
        assert_eq!(after(SmsFate::Unsure, Became::Underway), Some(SmsFate::Underway));
        for became in [Became::Delivered, Became::Undelivered, Became::Underway] {
            assert_eq!(after(SmsFate::Delivered, became), None);
        }
        assert_eq!((after(SmsFate::Undelivered, Became::Undelivered), after(SmsFate::Undelivered, Became::Underway)), (None, None));
    }
}
