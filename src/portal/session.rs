//! The cookie of an opened message, and the visitor's language.
//!
//! The cookie's value is the key to the wrap in the session's record: whoever steals the store opens nothing that is being read.

use super::{
    answer::{Refusal, Visit},
    guard,
    link::{Granted, Read, read},
};
use crate::{
    notice::Organisation,
    record::{Batch, Expect, Expires, Expiry, FORMAT, Key, Session},
    seal::{ContentKey, Salt, session_hash, unwrap_session, wrap_session},
    secret::{Id, Token},
    template::Language,
    time::Time,
    unlock::Unlocked,
};
use axum::http::{HeaderMap, HeaderValue, header};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// So many used sessions are remembered at most.
const MAX_SEEN: usize = 50_000;

/// Which sessions were looked at lately, and until when that keeps them open. GET writes nothing to the store, so this is remembered here; after a
/// restart the store's own time counts.
#[derive(Default)]
pub(super) struct Seen(Mutex<HashMap<[u8; 32], Time>>);

impl Seen {
    fn until(&self, session: &[u8; 32]) -> Option<Time> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(session).copied()
    }

    fn extend(&self, session: [u8; 32], until: Time, now: Time) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MAX_SEEN {
            seen.retain(|_, until| *until > now);
        }
        if seen.len() < MAX_SEEN {
            seen.insert(session, until);
        }
    }
}

/// An open message.
pub(super) struct Open {
    /// The cookie's value: forms prove by it that they come from our page.
    pub(super) cookie: Token,
    pub(super) session: Read<Session>,
    pub(super) granted: Granted,
    pub(super) content_key: ContentKey,
}

impl Open {
    /// The message that this visitor has opened under `grant`.
    pub(super) async fn find(visit: &Visit, grant: Id) -> Result<Open, Refusal> {
        let portal = &visit.desk.portal;
        let cookie = cookie(&visit.headers, &name(&visit.organisation, grant)).and_then(Token::parse).ok_or(Refusal::Closed)?;
        let hash = session_hash(&cookie);
        let session: Read<Session> = read(&*portal.store, &Key::session(&hash)).await?.ok_or(Refusal::Closed)?;
        let idle_until = visit.desk.seen.until(&hash).unwrap_or(session.value.idle_until).max(session.value.idle_until);
        if session.value.grant != grant || visit.now >= session.value.until || visit.now >= idle_until {
            return Err(Refusal::Closed);
        }
        // Looked up each time: what is recalled or expired closes at once.
        let granted = Granted::find(portal, grant, visit.now).await?.ok_or(Refusal::Closed)?;
        let content_key = unwrap_session(&cookie, grant, &session.value.wrap).map_err(|_| Refusal::Damaged)?;
        visit.desk.seen.extend(hash, visit.now.plus(portal.limits.idle_time), visit.now);
        Ok(Open { cookie, session, granted, content_key })
    }
}

/// Adds a session to the batch that unlocks `grant`; the cookie's value goes to the browser. Only who has given the right answer gets one.
pub(super) fn begin(visit: &Visit, batch: &mut Batch, grant: Id, content_key: &ContentKey, _proof: &Unlocked) -> Token {
    let limits = &visit.desk.portal.limits;
    let cookie = Token::random();
    let until = visit.now.plus(limits.open_time);
    let wrap = wrap_session(&cookie, grant, content_key, Salt::random());
    let session = Session { v: FORMAT, grant, wrap, idle_until: visit.now.plus(limits.idle_time), until };
    let key = Key::session(&session_hash(&cookie));
    let expiry = Expiry { v: FORMAT, at: until, what: Expires::Key(key.as_str().to_owned()) };
    batch.put(Key::expiry(until.day(), Id::random()), &expiry, Expect::Absent);
    batch.put(key, &session, Expect::Absent);
    cookie
}

/// Gives the browser the cookie of `grant`.
pub(super) fn give(visit: &Visit, headers: &mut HeaderMap, grant: Id, cookie: &Token) {
    let age = visit.desk.portal.limits.open_time.as_secs();
    set(headers, &visit.organisation, &name(&visit.organisation, grant), cookie.in_link().expose(), age);
}

/// Takes the cookie of `grant` back.
pub(super) fn take(visit: &Visit, headers: &mut HeaderMap, grant: Id) {
    set(headers, &visit.organisation, &name(&visit.organisation, grant), "", 0);
}

/// The language that the visitor chose earlier.
pub(super) fn language(headers: &HeaderMap) -> Option<Language> {
    ["__Host-zegel-lang", "zegel-lang"].iter().find_map(|name| Language::parse(cookie(headers, name)?))
}

/// Remembers the visitor's language for a year.
pub(super) fn remember_language(headers: &mut HeaderMap, organisation: &Organisation, language: Language) {
    let name = if guard::is_https(organisation) { "__Host-zegel-lang" } else { "zegel-lang" };
    set(headers, organisation, name, language.code(), 365 * 24 * 3600);
}

fn name(organisation: &Organisation, grant: Id) -> String {
    // The prefix makes the browser refuse the cookie from anybody but this host over https; over http (loopback) it would refuse ours too.
    if guard::is_https(organisation) { format!("__Host-zegel-{grant}") } else { format!("zegel-{grant}") }
}

fn set(headers: &mut HeaderMap, organisation: &Organisation, name: &str, value: &str, age_seconds: u64) {
    let secure = if guard::is_https(organisation) { "; Secure" } else { "" };
    let same_site = if name.ends_with("-lang") { "Lax" } else { "Strict" };
    let text = format!("{name}={value}; Path=/; Max-Age={age_seconds}; HttpOnly; SameSite={same_site}{secure}");
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.append(header::SET_COOKIE, value);
    }
}

fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|h| h.to_str().ok());
    all.flat_map(|h| h.split(';')).filter_map(|pair| pair.trim().split_once('=')).find(|(n, _)| *n == name).map(|(_, value)| value)
}
