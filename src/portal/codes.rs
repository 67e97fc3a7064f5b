//! A code by SMS: sent once for each press of the button, counted before it leaves, and taken back when it surely did not.
//!
//! The challenge is committed first, then the SMS is sent: a crash between the two leaves a code that nobody got, and another can be asked for.
//! The other way round would leave a code that arrives and opens nothing.

use super::{
    answer::{Refusal, Visit},
    link::{Link, Read, as_read, read},
    unlock::{pause, put_rate},
};
use crate::{
    grant,
    notice::sms_text,
    phone::PhoneNumber,
    record::{Batch, Expect, Expires, Expiry, FORMAT, Fact, Key, Rate, SentSms, SmsFate, SpentSms},
    secret::{Id, Secret},
    sms::{Sent, Sms, SmsError},
    store::StoreError,
    template::Language,
    time::Time,
    unlock,
};
use std::time::Duration;

/// How often counting is tried when others count at the same time. When none of them works, nothing is sent.
const ATTEMPTS: u32 = 20;

/// Providers report for two days at most: a telephone that is off for longer gets no SMS.
const REPORTED: Duration = Duration::from_secs(2 * 24 * 3600);

/// A code that is committed and not yet sent.
pub(super) struct Pending {
    pub(super) code: Secret<String>,
    /// Its SMS's name.
    pub(super) reference: Id,
    /// The batch that wrote challenge and rate.
    pub(super) version: u64,
    /// The recipient's rate before it.
    pub(super) rate: Option<Rate>,
    /// The recipient's rate with it.
    pub(super) new_rate: Rate,
}

/// Why no code was sent.
pub(super) enum NotSent {
    /// No SMS was, or can be.
    Sms(SmsError),
    /// All that may be sent in a day were; the next may be then.
    Spent(Time),
}

/// Adds the record by which reports find the grant, and the row that lets it expire.
pub(super) fn record(batch: &mut Batch, link: &Link, reference: Id, now: Time) {
    let sms = SentSms { v: FORMAT, message: link.grant.value.message, grant: link.lookup, fate: SmsFate::Underway };
    let key = Key::sms(reference);
    let at = now.plus(REPORTED);
    let expiry = Expiry { v: FORMAT, at, what: Expires::Key(key.as_str().to_owned()) };
    batch.put(Key::expiry(at.day(), reference), &expiry, Expect::Absent);
    batch.put(key, &sms, Expect::Absent);
}

/// Sends a pending code. One that was surely not sent is taken back, and does not count where that is nobody's fault here.
pub(super) async fn send(visit: &Visit, link: &Link, phone: &PhoneNumber, pending: &Pending) -> Result<Result<(), NotSent>, Refusal> {
    match spend(visit).await {
        Ok(Ok(())) => {}
        Ok(Err(until)) => {
            take_back(visit, link, pending, true).await?;
            return Ok(Err(NotSent::Spent(until)));
        }
        Err(refusal) => {
            // Nothing was sent; if the store does not take it back either, the code is one that nobody got.
            let _ = take_back(visit, link, pending, true).await;
            return Err(refusal);
        }
    }
    let text = sms_text(&pending.code, &visit.organisation, &visit.templates, Language::of_record(&link.message.value.language));
    let lifetime = unlock::lifetime(link.grant.value.level);
    let sms = Sms { to: phone, text: &text, reference: pending.reference, portal: &visit.organisation.url, lifetime };
    match visit.desk.portal.sms.send(&sms, visit.now).await {
        Ok(sent) => note_sent(visit, link, pending.reference, sent, pending.version).await.map(Ok),
        Err(error) => {
            give_back(visit).await?;
            take_back(visit, link, pending, matches!(error, SmsError::Later(_))).await?;
            Ok(Err(NotSent::Sms(error)))
        }
    }
}

async fn note_sent(visit: &Visit, link: &Link, reference: Id, sent: Sent, version: u64) -> Result<(), Refusal> {
    let (store, message) = (&visit.desk.portal.store, link.grant.value.message);
    let mut batch = Batch::new();
    let fact = if sent == Sent::Surely { Fact::CodeSent } else { Fact::CodeUnsure };
    grant::note(&mut batch, fact, Some(message), Some(link.lookup), visit.now);
    store.commit(batch).await?;
    if sent == Sent::Perhaps {
        let mut batch = Batch::new();
        let sms = SentSms { v: FORMAT, message, grant: link.lookup, fate: SmsFate::Unsure };
        batch.put(Key::sms(reference), &sms, Expect::Version(version));
        match store.commit(batch).await {
            // A report came meanwhile: it knows better.
            Ok(()) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Takes a code back that was not sent, so that another can be asked for at once; `uncounted` gives the recipient his turn back.
async fn take_back(visit: &Visit, link: &Link, pending: &Pending, uncounted: bool) -> Result<(), Refusal> {
    let portal = &visit.desk.portal;
    let mut batch = Batch::new();
    batch.delete(Key::challenge(link.lookup), Expect::Version(pending.version));
    grant::note(&mut batch, Fact::CodeFailed, Some(link.grant.value.message), Some(link.lookup), visit.now);
    let mut turn = Batch::new();
    if uncounted {
        let old = pending.rate.clone().unwrap_or_default();
        put_rate(&mut turn, link.rate_key(portal), Some((&pending.new_rate, pending.version)), &old);
    }
    for batch in [batch, turn] {
        match portal.store.commit(batch).await {
            // Answered or replaced meanwhile.
            Ok(()) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Counts one more for today, in the store: all nodes count together. Gives back when the next may be sent if that would be too many.
async fn spend(visit: &Visit) -> Result<Result<(), Time>, Refusal> {
    let sms = &visit.desk.portal.sms;
    match count(visit, |today| (today < sms.limits.per_day).then(|| today + 1)).await? {
        Some(today) => {
            sms.spent(today);
            Ok(Ok(()))
        }
        None => {
            tracing::error!("sms: all {} of today are spent ([sms] per_day); nobody gets a code before tomorrow", sms.limits.per_day);
            Ok(Err(visit.now.day().plus_days(1).begins()))
        }
    }
}

/// Counts one back that was not sent.
async fn give_back(visit: &Visit) -> Result<(), Refusal> {
    count(visit, |today| today.checked_sub(1)).await.map(|_| ())
}

/// Changes the day's count; `None` where `change` leaves it as it is.
async fn count(visit: &Visit, change: impl Fn(u32) -> Option<u32>) -> Result<Option<u32>, Refusal> {
    let (store, key, day) = (&visit.desk.portal.store, Key::spent_sms(), visit.now.day());
    for attempt in 0..ATTEMPTS {
        let spent: Option<Read<SpentSms>> = read(&**store, &key).await?;
        let today = spent.as_ref().filter(|s| s.value.day == day).map_or(0, |s| s.value.count);
        let Some(count) = change(today) else { return Ok(None) };
        let mut batch = Batch::new();
        batch.put(key.clone(), &SpentSms { v: FORMAT, day, count }, as_read(spent.as_ref()));
        match store.commit(batch).await {
            Ok(()) => return Ok(Some(count)),
            Err(StoreError::Conflict) => pause(attempt).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::Busy)
}
