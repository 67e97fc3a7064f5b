//! `/m/<token>`: asks for a password or code, and takes it.

use super::{
    answer::{Form, Link, Page, Refusal, Visit, see_other},
    codes::{self, NotSent, Pending},
    link::{Granted, as_read, masked},
    server::Desk,
    session,
};
use crate::{
    grant::{self, About},
    notice::{Letter, reference},
    phone::PhoneNumber,
    recall,
    record::{Batch, Expect, Expires, Expiry, FORMAT, Fact, Key, Level, Rate, SmsFate},
    seal::{form_token, unwrap},
    secret::{Id, Secret, random_below},
    sms::SmsError,
    store::StoreError,
    template::{Fault, NoticePage, Stage, StartPage},
    unlock::{self, Asked, Refusal as Untaken, Try, Unlocked, Wrong},
};
use axum::http::StatusCode;
use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

/// How often a step is decided anew when somebody else changed the records meanwhile.
const ATTEMPTS: u32 = 6;

/// The page of a link, as things stand. Changes nothing.
pub(super) async fn get(visit: &mut Visit, token: &str) -> Result<Page, Refusal> {
    let link = match Link::find(&visit.desk.portal, token, visit.now).await {
        Err(Refusal::Withdrawn) => return withdrawn(visit, token).await,
        found => found?,
    };
    page(visit, &link, StatusCode::OK, None)
}

/// The page of a message that its sender has blocked or recalled: whoever holds its link reads whom to ask.
async fn withdrawn(visit: &Visit, token: &str) -> Result<Page, Refusal> {
    let sender = Granted::who_withdrew(&visit.desk.portal, token).await?;
    visit.page(StatusCode::NOT_FOUND, &NoticePage { sender, ..NoticePage::WITHDRAWN })
}

/// The buttons of that page.
pub(super) async fn post(visit: &mut Visit, token: &str, form: &Form) -> Result<Page, Refusal> {
    let link = match Link::find(&visit.desk.portal, token, visit.now).await {
        Err(Refusal::Gone) => {
            // As much work as for a link that exists.
            if form.field("do") == "open" {
                let typed = Secret::new(form.field("answer").to_owned());
                Turn::take(visit)?.hash(move |key| unlock::pretend(typed.expose(), key)).await?;
            }
            return Err(Refusal::Gone);
        }
        Err(Refusal::Withdrawn) => return withdrawn(visit, token).await,
        other => other?,
    };
    form.came_from(&link.token)?;
    match form.field("do") {
        "send" => send(visit, link, token).await,
        "open" => open(visit, link, token, form.field("answer")).await,
        "wrong-number" => wrong_number(visit, link, token, !form.field("sure").is_empty()).await,
        _ => Err(Refusal::Request),
    }
}

/// Sends a password or code, unless one was sent a moment ago.
async fn send(visit: &mut Visit, mut link: Link, token: &str) -> Result<Page, Refusal> {
    for attempt in 0..ATTEMPTS {
        let rate = link.rate(&visit.desk.portal).await?;
        let pending = link.challenge.as_ref().map(|c| &c.value);
        let new_rate = match unlock::ask(&link.grant.value, pending, rate.as_ref().map(|r| &r.value), visit.now) {
            Asked::AlreadySent => return see_other(&format!("/m/{token}")),
            Asked::Locked(_) => return page(visit, &link, StatusCode::TOO_MANY_REQUESTS, None),
            Asked::Limit(until) => {
                let fault = Fault { at: Some(until), ..fault("limit", link.grant.value.level) };
                return page(visit, &link, StatusCode::TOO_MANY_REQUESTS, Some(fault));
            }
            Asked::Send(rate) => rate,
        };
        let level = link.grant.value.level;
        let answer = unlock::random_answer(level);
        let (copy, now) = (answer.clone(), visit.now);
        let mut challenge = Turn::take(visit)?.hash(move |key| unlock::challenge(&copy, level, key, now)).await?;
        let mut batch = Batch::new();
        let reference = Id::random();
        if level == Level::Two {
            challenge.sms = Some(reference);
            codes::record(&mut batch, &link, reference, visit.now);
        }
        batch.check(Key::grant(link.lookup), link.grant.version);
        batch.put(Key::challenge(link.lookup), &challenge, as_read(link.challenge.as_ref()));
        put_rate(&mut batch, link.rate_key(&visit.desk.portal), rate.as_ref().map(|r| (&r.value, r.version)), &new_rate);
        if level == Level::One {
            post_password(visit, &mut batch, &link, answer.clone(), challenge.expires);
        }
        let version = batch.version;
        match visit.desk.portal.store.commit(batch).await {
            Ok(()) => {
                let pending = Pending { code: answer, reference, version, rate: rate.map(|r| r.value), new_rate };
                return sent(visit, link, token, pending).await;
            }
            Err(StoreError::Conflict) => link = again(visit, token, attempt).await?,
            Err(error) => return Err(error.into()),
        }
    }
    page(visit, &link, StatusCode::SERVICE_UNAVAILABLE, Some(Fault::new("fault-again")))
}

/// Tells the sender, once, that the number is not the recipient's. A scanner that presses every button ticks no box.
async fn wrong_number(visit: &mut Visit, mut link: Link, token: &str, sure: bool) -> Result<Page, Refusal> {
    for attempt in 0..ATTEMPTS {
        let (Some(phone), Some(sender), None) = (&link.phone, &link.sender, link.doubted) else {
            return see_other(&format!("/m/{token}"));
        };
        if !sure {
            return page(visit, &link, StatusCode::UNPROCESSABLE_ENTITY, Some(Fault::new("fault-wrong-number")));
        }
        let message = link.grant.value.message;
        let (recipient, phone, grant) = (link.recipient.clone(), phone.masked(), link.lookup);
        let (at, language) = (link.message.value.at, link.message.value.language.clone());
        let letter = Letter::WrongNumber { sender: sender.clone(), recipient, phone, grant, at, language };
        let mut batch = Batch::new();
        batch.check(Key::grant(grant), link.grant.version);
        put_rate(&mut batch, recall::doubted(grant), None, &Rate { v: FORMAT, times: vec![visit.now] });
        grant::post(&mut batch, &visit.desk.portal.keyring.master(), &letter, About::message(message), visit.now);
        grant::note(&mut batch, Fact::NumberDoubted, Some(message), Some(grant), visit.now);
        match visit.desk.portal.store.commit(batch).await {
            Ok(()) => return see_other(&format!("/m/{token}")),
            Err(StoreError::Conflict) => link = again(visit, token, attempt).await?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::Busy)
}

fn post_password(visit: &Visit, batch: &mut Batch, link: &Link, password: Secret<String>, until: crate::time::Time) {
    let letter = Letter::Password {
        recipient: link.recipient.clone(),
        password,
        grant: link.lookup,
        until,
        language: link.message.value.language.clone(),
    };
    let about = About { message: link.grant.value.message, grant: Some(link.lookup), openly: None, only_if: None };
    grant::post(batch, &visit.desk.portal.keyring.master(), &letter, about, visit.now);
}

/// The challenge is committed: the password mail lies in the outbox, an SMS is sent now.
async fn sent(visit: &mut Visit, link: Link, token: &str, pending: Pending) -> Result<Page, Refusal> {
    let Some(phone) = &link.phone else {
        return see_other(&format!("/m/{token}"));
    };
    let Err(why) = codes::send(visit, &link, phone, &pending).await? else {
        return see_other(&format!("/m/{token}"));
    };
    let (status, fault) = told(&why);
    // As the code was taken back, the page shows the button again.
    let link = Link::find(&visit.desk.portal, token, visit.now).await?;
    page(visit, &link, status, Some(fault))
}

/// What the recipient is told of a code that was not sent.
fn told(why: &NotSent) -> (StatusCode, Fault) {
    let (word, at) = match why {
        NotSent::Sms(SmsError::Later(at)) => ("later", Some(*at)),
        NotSent::Spent(at) => ("spent", Some(*at)),
        NotSent::Sms(SmsError::Unreachable) => ("unreachable", None),
        NotSent::Sms(SmsError::Number) => ("refused", None),
        NotSent::Sms(SmsError::OptedOut) => ("stopped", None),
        NotSent::Sms(SmsError::Country) => ("country", None),
    };
    let status = if at.is_some() { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::UNPROCESSABLE_ENTITY };
    (status, Fault { at, ..Fault::new(format!("fault-sms-{word}")) })
}

/// Writes a rate with the row that lets it expire, which moves along: it goes two days after the last time.
pub(super) fn put_rate(batch: &mut Batch, key: Key, old: Option<(&Rate, u64)>, new: &Rate) {
    let row = |rate: &Rate| {
        let at = rate.times.last()?.plus(2 * unlock::DAY);
        let digest = crate::seal::digest([key.as_str().as_bytes()]);
        Some((Key::expiry(at.day(), Id(*digest.first_chunk()?)), Expiry { v: FORMAT, at, what: Expires::Key(key.as_str().to_owned()) }))
    };
    let new_row = row(new);
    if let Some((old_key, _)) = old.and_then(|(rate, _)| row(rate))
        && new_row.as_ref().is_none_or(|(new_key, _)| *new_key != old_key)
    {
        batch.delete(old_key, Expect::Anything);
    }
    if let Some((new_key, expiry)) = new_row {
        batch.put(new_key, &expiry, Expect::Anything);
    }
    let expect = old.map_or(Expect::Absent, |(_, version)| Expect::Version(version));
    // Without a time it has no row that would let it expire, and says nothing.
    if new.times.is_empty() { batch.delete(key, expect) } else { batch.put(key, new, expect) }
}

/// Takes an answer. A try is spent, durably, before it is compared.
async fn open(visit: &mut Visit, mut link: Link, token: &str, typed: &str) -> Result<Page, Refusal> {
    let level = link.grant.value.level;
    if typed.trim().is_empty() {
        return page(visit, &link, StatusCode::UNPROCESSABLE_ENTITY, Some(fault("empty", level)));
    }
    // A turn before the try: one that could not be compared must not be lost.
    let turn = Turn::take(visit)?;
    for attempt in 0..ATTEMPTS {
        let spending = match unlock::spend(&link.grant.value, link.challenge.as_ref().map(|c| &c.value), visit.now) {
            Ok(spending) => spending,
            Err(Untaken::Locked(_)) => return page(visit, &link, StatusCode::TOO_MANY_REQUESTS, None),
            Err(Untaken::MustLock) => return lock(visit, link, token).await,
            Err(Untaken::NothingPending) => {
                let killed = link.challenge.as_ref().is_some_and(|c| c.value.tries_left == 0);
                return page(visit, &link, StatusCode::UNPROCESSABLE_ENTITY, Some(fault(if killed { "dead" } else { "none" }, level)));
            }
        };
        let mut batch = Batch::new();
        batch.put(Key::grant(link.lookup), &spending.grant, Expect::Version(link.grant.version));
        batch.put(Key::challenge(link.lookup), &spending.challenge, as_read(link.challenge.as_ref()));
        let version = batch.version;
        match visit.desk.portal.store.commit(batch).await {
            Ok(()) => {
                let (salt, committed) = (spending.challenge.salt.clone(), spending.committed());
                return match compare(turn, committed, typed).await? {
                    Ok(unlocked) => enter(visit, token, &unlocked, &salt).await,
                    Err(wrong) => refused(visit, token, wrong, version).await,
                };
            }
            Err(StoreError::Conflict) => link = again(visit, token, attempt).await?,
            Err(error) => return Err(error.into()),
        }
    }
    page(visit, &link, StatusCode::SERVICE_UNAVAILABLE, Some(Fault::new("fault-again")))
}

async fn compare(turn: Turn, spent: Try, typed: &str) -> Result<Result<Unlocked, Wrong>, Refusal> {
    let typed = Secret::new(typed.to_owned());
    turn.hash(move |key| spent.verify(typed.expose(), key)).await
}

/// The right answer: the challenge is used up, the message opened for this browser.
async fn enter(visit: &mut Visit, token: &str, unlocked: &Unlocked, salt: &crate::record::Sealed) -> Result<Page, Refusal> {
    for attempt in 0..ATTEMPTS {
        let link = Link::find(&visit.desk.portal, token, visit.now).await?;
        // Used up by the same answer from another browser, or replaced: it works once.
        let Some(challenge) = link.challenge.as_ref().filter(|c| c.value.salt == *salt) else {
            return page(visit, &link, StatusCode::UNPROCESSABLE_ENTITY, Some(fault("none", link.grant.value.level)));
        };
        let portal = &visit.desk.portal;
        let bucket = portal.keyring.existing(link.message.value.expires).ok_or(Refusal::Gone)?;
        let content_key = unwrap(&portal.keyring.master(), &bucket, &link.token, link.grant.value.message, &link.grant.value.wrap);
        let content_key = content_key.map_err(|_| {
            tracing::error!("portal: the wrap of grant {} does not open", link.lookup);
            Refusal::Damaged
        })?;
        let (message, grant) = (Some(link.grant.value.message), Some(link.lookup));
        let mut batch = Batch::new();
        batch.put(Key::grant(link.lookup), &unlock::opened(&link.grant.value, unlocked, visit.now), Expect::Version(link.grant.version));
        batch.delete(Key::challenge(link.lookup), Expect::Version(challenge.version));
        grant::note(&mut batch, Fact::Unlocked, message, grant, visit.now);
        if link.grant.value.read.is_none() {
            grant::note(&mut batch, Fact::Read, message, grant, visit.now);
        }
        let cookie = session::begin(visit, &mut batch, link.lookup, &content_key, unlocked);
        match portal.store.commit(batch).await {
            Ok(()) => {
                let mut page = see_other(&format!("/r/{}", link.lookup))?;
                session::give(visit, page.headers_mut(), link.lookup, &cookie);
                return Ok(page);
            }
            Err(StoreError::Conflict) => pause(attempt).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::Busy)
}

/// A wrong answer, already counted by the batch `version`.
async fn refused(visit: &mut Visit, token: &str, wrong: Wrong, version: u64) -> Result<Page, Refusal> {
    let link = Link::find(&visit.desk.portal, token, visit.now).await?;
    let mut batch = Batch::new();
    grant::note(&mut batch, Fact::WrongTry, Some(link.grant.value.message), Some(link.lookup), visit.now);
    visit.desk.portal.store.commit(batch).await?;
    if wrong.must_lock {
        return lock(visit, link, token).await;
    }
    // Another browser may have moved things on; the page shows what holds now.
    let level = link.grant.value.level;
    let still = link.challenge.as_ref().is_some_and(|c| c.version == version || unlock::is_pending(&c.value, visit.now));
    let fault = match wrong.tries_left {
        n if n > 0 && still => Fault { n: Some(n), ..fault("wrong", level) },
        _ => fault("dead", level),
    };
    page(visit, &link, StatusCode::UNPROCESSABLE_ENTITY, Some(fault))
}

/// Locks the grant and tells the sender, once.
async fn lock(visit: &mut Visit, mut link: Link, token: &str) -> Result<Page, Refusal> {
    for attempt in 0..ATTEMPTS {
        if unlock::locked(&link.grant.value, visit.now).is_some() {
            break;
        }
        let locked = unlock::lock(&link.grant.value, visit.now);
        let message = link.grant.value.message;
        let mut batch = Batch::new();
        batch.put(Key::grant(link.lookup), &locked, Expect::Version(link.grant.version));
        grant::note(&mut batch, Fact::Locked, Some(message), Some(link.lookup), visit.now);
        if let (Some(sender), Some(until)) = (&link.sender, locked.locked_until) {
            let (at, language) = (link.message.value.at, link.message.value.language.clone());
            let letter = Letter::Locked { sender: sender.clone(), recipient: link.recipient.clone(), at, until, language };
            let about = About::message(message);
            grant::post(&mut batch, &visit.desk.portal.keyring.master(), &letter, about, visit.now);
        }
        match visit.desk.portal.store.commit(batch).await {
            Ok(()) => {
                tracing::warn!("portal: grant {} is locked after {} wrong tries", link.lookup, unlock::TRIES_TO_LOCK);
            }
            Err(StoreError::Conflict) => pause(attempt).await,
            Err(error) => return Err(error.into()),
        }
        link = Link::find(&visit.desk.portal, token, visit.now).await?;
    }
    page(visit, &link, StatusCode::TOO_MANY_REQUESTS, None)
}

/// The link as it is after a conflict, and a little later.
async fn again(visit: &Visit, token: &str, attempt: u32) -> Result<Link, Refusal> {
    pause(attempt).await;
    Link::find(&visit.desk.portal, token, visit.now).await
}

/// Jitter, so that those who met do not meet again.
pub(super) async fn pause(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(u64::from(random_below(10 << attempt.min(5)) + 1))).await;
}

/// A place among the password hashes that run or wait. There are few: one costs 19 MiB and is asked for by strangers.
struct Turn(Arc<Desk>);

impl Turn {
    /// Takes a place, unless too many wait already.
    fn take(visit: &Visit) -> Result<Turn, Refusal> {
        let limits = visit.desk.portal.limits;
        let turn = Turn(visit.desk.clone());
        // Counted back by the drop.
        let before = turn.0.hashes.fetch_add(1, Ordering::SeqCst);
        if before < limits.hashing + limits.hashing_queue { Ok(turn) } else { Err(Refusal::Busy) }
    }

    /// Runs a password hash off the async threads.
    async fn hash<T: Send + 'static>(self, work: impl FnOnce(&[u8; 32]) -> T + Send + 'static) -> Result<T, Refusal> {
        // A task of its own, so that the place is taken until the work is done, even if the visitor goes away meanwhile.
        let task = tokio::spawn(async move {
            let _permit = self.0.hashing.clone().acquire_owned().await;
            let master = self.0.portal.keyring.master();
            tokio::task::spawn_blocking(move || work(master.code_key())).await
        });
        task.await.and_then(|result| result).map_err(|_| Refusal::Error)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.hashes.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A fault that is told differently of passwords and of codes.
fn fault(what: &str, level: Level) -> Fault {
    let kind = match level {
        Level::One => "password",
        Level::Two => "code",
    };
    Fault::new(format!("fault-{what}-{kind}"))
}

/// The page of a link.
fn page(visit: &mut Visit, link: &Link, status: StatusCode, fault: Option<Fault>) -> Result<Page, Refusal> {
    visit.suggest(&link.message.value.language);
    let grant = &link.grant.value;
    let locked_until = unlock::locked(grant, visit.now);
    let pending = link.challenge.as_ref().map(|c| &c.value).filter(|c| unlock::is_pending(c, visit.now));
    let stage = match (locked_until, pending) {
        (Some(_), _) => Stage::Locked,
        (None, Some(_)) => Stage::Enter,
        (None, None) => Stage::Ask,
    };
    let view = StartPage {
        sender: link.sender.as_ref().map_or_else(|| visit.organisation.name.clone(), ToString::to_string),
        level: match grant.level {
            Level::One => 1,
            Level::Two => 2,
        },
        address: masked(&link.recipient),
        phone: link.phone.as_ref().map(PhoneNumber::masked),
        stage,
        sent: pending.map(|c| c.at),
        fate: link.fate.and_then(|fate| match fate {
            SmsFate::Unsure => Some("unsure"),
            SmsFate::Undelivered => Some("undelivered"),
            SmsFate::Underway | SmsFate::Delivered => None,
        }),
        doubted: link.doubted,
        tells: link.sender.is_some(),
        minutes: unlock::lifetime(grant.level).as_secs() / 60,
        locked_until,
        fault,
        reference: reference(link.lookup),
        expires: link.message.value.expires,
        form: form_token(&link.token).expose().clone(),
    };
    visit.page(status, &view)
}
