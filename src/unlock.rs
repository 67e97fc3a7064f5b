//! Passwords and codes: asking for one, spending a try, comparing, locking.
//!
//! Nothing here waits or knows the time: records and `now` go in, new records or a refusal come out. A try is spent, and the spending
//! committed, **before** anything is compared: however many guesses come in at once, no more are compared than there were tries.

use crate::{
    record::{Challenge, FORMAT, Grant, Level, Rate, Sealed},
    secret::{self, Secret},
    time::Time,
};
use argon2::{Algorithm, Argon2, Params, Version};
use std::time::Duration;

/// How long a mailed password works: greylisting eats 15 minutes of it.
pub const PASSWORD_TIME: Duration = Duration::from_secs(30 * 60);
/// How long an SMS code works.
pub const CODE_TIME: Duration = Duration::from_secs(10 * 60);
/// Within this time a second "send" sends nothing: a double click, a scanner that presses buttons.
pub const RESEND_TIME: Duration = Duration::from_secs(30);
/// Sent to one recipient within an hour and within a day, over all messages: cost and nuisance are bounded.
pub const PER_HOUR: usize = 5;
/// See [`PER_HOUR`].
pub const PER_DAY: usize = 20;
/// So many wrong answers kill a password or code.
pub const TRIES: u32 = 5;
/// So many wrong answers in a row lock the grant.
pub const TRIES_TO_LOCK: u32 = 15;
/// The first lock; each following one lasts twice as long.
pub const LOCK_TIME: Duration = Duration::from_secs(60 * 60);
/// No lock is longer: the recipient must be able to come back before the message expires.
pub const LONGEST_LOCK: Duration = Duration::from_secs(32 * 60 * 60);

const HOUR: Duration = Duration::from_secs(3600);
/// What a [`Rate`] looks back on.
pub const DAY: Duration = Duration::from_secs(24 * 3600);

/// How long what is sent at this level works.
#[must_use]
pub fn lifetime(level: Level) -> Duration {
    match level {
        Level::One => PASSWORD_TIME,
        Level::Two => CODE_TIME,
    }
}

/// A new password or code for this level.
#[must_use]
pub fn random_answer(level: Level) -> Secret<String> {
    match level {
        Level::One => secret::random_password(),
        Level::Two => secret::random_code(),
    }
}

/// What happens to a wish for a password or code.
#[derive(Clone, Debug)]
pub enum Asked {
    /// One is sent; this is the recipient's new rate.
    Send(Rate),
    /// One was sent a moment ago and still works: nothing is sent.
    AlreadySent,
    /// The grant is locked until then.
    Locked(Time),
    /// Too many were sent; the next may be asked for then.
    Limit(Time),
}

/// Decides on a wish for a password or code. `rate` is the recipient's, over all messages.
#[must_use]
pub fn ask(grant: &Grant, pending: Option<&Challenge>, rate: Option<&Rate>, now: Time) -> Asked {
    if let Some(until) = locked(grant, now) {
        return Asked::Locked(until);
    }
    if pending.is_some_and(|c| is_pending(c, now) && now.since(c.at) < RESEND_TIME) {
        return Asked::AlreadySent;
    }
    // A clock that was set back must not make a recipient wait for times that have not come yet.
    let mut times: Vec<Time> =
        rate.map(|r| r.times.iter().copied().filter(|t| *t <= now && now.since(*t) < DAY).collect()).unwrap_or_default();
    times.sort_unstable();
    let full = |most: usize, span: Duration| {
        let within = times.iter().filter(|t| now.since(**t) < span).count();
        (within >= most).then(|| times[times.len() - most].plus(span))
    };
    if let Some(until) = full(PER_HOUR, HOUR).max(full(PER_DAY, DAY)) {
        return Asked::Limit(until);
    }
    times.push(now);
    Asked::Send(Rate { v: FORMAT, times })
}

/// Whether a challenge can still be answered.
#[must_use]
pub fn is_pending(challenge: &Challenge, now: Time) -> bool {
    challenge.tries_left > 0 && now < challenge.expires
}

/// Until when the grant is locked, if it is.
#[must_use]
pub fn locked(grant: &Grant, now: Time) -> Option<Time> {
    grant.locked_until.filter(|until| now < *until)
}

/// The challenge that `answer` answers. Slow on purpose: see [`hash`].
#[must_use]
pub fn challenge(answer: &Secret<String>, level: Level, code_key: &[u8; 32], now: Time) -> Challenge {
    let salt: [u8; 16] = secret::random();
    let hash = hash(answer.expose(), &salt, code_key);
    Challenge {
        v: FORMAT,
        hash: Sealed(hash.to_vec()),
        salt: Sealed(salt.to_vec()),
        at: now,
        expires: now.plus(lifetime(level)),
        tries_left: TRIES,
        sms: None,
    }
}

/// Why no answer is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The grant is locked until then.
    Locked(Time),
    /// Too many wrong answers, and nobody locked the grant yet: lock it now ([`lock`]).
    MustLock,
    /// No password or code is pending: expired, used, or killed by wrong answers.
    NothingPending,
}

/// A try that is about to be spent: commit [`Spending::grant`] and [`Spending::challenge`] at the versions they were read at, then, and only
/// then, go on with [`Spending::committed`].
#[must_use]
pub struct Spending {
    /// The grant as it must be written.
    pub grant: Grant,
    /// The challenge as it must be written.
    pub challenge: Challenge,
}

/// Spends a try of `challenge`. What is written counts the try as wrong; a right answer is set right afterwards.
///
/// # Errors
/// Says why no answer is taken.
pub fn spend(grant: &Grant, challenge: Option<&Challenge>, now: Time) -> Result<Spending, Refusal> {
    if let Some(until) = locked(grant, now) {
        return Err(Refusal::Locked(until));
    }
    if grant.wrong_tries >= TRIES_TO_LOCK {
        return Err(Refusal::MustLock);
    }
    let challenge = challenge.filter(|c| is_pending(c, now)).ok_or(Refusal::NothingPending)?;
    let (mut grant, mut challenge) = (grant.clone(), challenge.clone());
    challenge.tries_left -= 1;
    grant.wrong_tries += 1;
    Ok(Spending { grant, challenge })
}

impl Spending {
    /// The try is spent: it may be compared.
    pub fn committed(self) -> Try {
        Try { challenge: self.challenge, wrong_tries: self.grant.wrong_tries }
    }
}

/// A try that was spent. It is compared once.
#[must_use]
pub struct Try {
    challenge: Challenge,
    wrong_tries: u32,
}

/// Proof that the holder of this grant gave the right answer; [`Try::verify`] is the only way to get one.
pub struct Unlocked(());

/// A wrong answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// How often this password or code can still be tried.
    pub tries_left: u32,
    /// It was one too many: lock the grant ([`lock`]).
    pub must_lock: bool,
}

impl Try {
    /// Compares what was typed. Slow on purpose: see [`hash`].
    ///
    /// # Errors
    /// [`Wrong`] says how many tries are left.
    pub fn verify(self, typed: &str, code_key: &[u8; 32]) -> Result<Unlocked, Wrong> {
        let hash = hash(&forgiving(typed), &self.challenge.salt.0, code_key);
        if secret::equal(&hash, &self.challenge.hash.0) {
            return Ok(Unlocked(()));
        }
        Err(Wrong { tries_left: self.challenge.tries_left, must_lock: self.wrong_tries >= TRIES_TO_LOCK })
    }
}

/// The grant after a right answer.
#[must_use]
pub fn opened(grant: &Grant, _proof: &Unlocked, now: Time) -> Grant {
    Grant { wrong_tries: 0, locked_until: None, locks: 0, read: grant.read.or(Some(now)), ..grant.clone() }
}

/// The grant after too many wrong answers: each lock lasts twice as long as the one before.
#[must_use]
pub fn lock(grant: &Grant, now: Time) -> Grant {
    let span = LOCK_TIME.saturating_mul(1 << grant.locks.min(10)).min(LONGEST_LOCK);
    Grant { wrong_tries: 0, locked_until: Some(now.plus(span)), locks: grant.locks.saturating_add(1), ..grant.clone() }
}

/// What people type, without what they can't be blamed for: spaces, hyphens, capitals, full-width and Arabic-Indic digits.
fn forgiving(typed: &str) -> String {
    let digit = |c: char, zero: u32| char::from_digit((c as u32).wrapping_sub(zero), 10);
    typed
        .chars()
        .filter(|c| {
            !c.is_whitespace() && !c.is_control() && !matches!(c, '-' | '\u{2010}'..='\u{2015}' | '\u{200b}'..='\u{200f}' | '\u{feff}')
        })
        .map(|c| digit(c, 0x660).or_else(|| digit(c, 0x6f0)).or_else(|| digit(c, 0xff10)).unwrap_or(c.to_ascii_lowercase()))
        .take(64)
        .collect()
}

/// Argon2id with 19 MiB, two passes, one lane (OWASP's minimum), keyed: who steals the store can't try codes at all.
fn hash(answer: &str, salt: &[u8], code_key: &[u8; 32]) -> [u8; 32] {
    let params = Params::new(19 * 1024, 2, 1, Some(32)).expect("these parameters are within Argon2's bounds");
    let argon2 = Argon2::new_with_secret(code_key, Algorithm::Argon2id, Version::V0x13, params).expect("32 bytes are a short secret");
    let mut hash = [0; 32];
    argon2.hash_password_into(answer.as_bytes(), salt, &mut hash).expect("16 bytes are a salt, 32 a length");
    hash
}

/// As much work as a real comparison, for an answer to nothing: so that the time tells nothing about which links exist.
pub fn pretend(typed: &str, code_key: &[u8; 32]) {
    let _ = hash(&forgiving(typed), &[0; 16], code_key);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Id;

    const KEY: [u8; 32] = [7; 32];

    fn at(seconds: u64) -> Time {
        Time::from_millis(1_770_000_000_000).plus(Duration::from_secs(seconds))
    }

    fn grant() -> Grant {
        Grant {
            v: FORMAT,
            message: Id([0; 16]),
            level: Level::Two,
            address: Sealed(vec![]),
            phone: None,
            wrap: Sealed(vec![]),
            wrong_tries: 0,
            locked_until: None,
            locks: 0,
            read: None,
            origin: None,
            bounced: None,
        }
    }

    fn pending(answer: &str) -> Challenge {
        challenge(&Secret::new(answer.to_owned()), Level::Two, &KEY, at(0))
    }

    /// The grant and challenge after one answer, and what came of it.
    fn answer(grant: &mut Grant, challenge: &mut Challenge, typed: &str, now: Time) -> Result<(), Result<Wrong, Refusal>> {
        let spending = spend(grant, Some(challenge), now).map_err(Err)?;
        (*grant, *challenge) = (spending.grant.clone(), spending.challenge.clone());
        match spending.committed().verify(typed, &KEY) {
            Ok(unlocked) => *grant = opened(grant, &unlocked, now),
            Err(wrong) => return Err(Ok(wrong)),
        }
        Ok(())
    }

    #[test]
    fn an_answer_is_taken_as_people_type_it() {
        let (mut g, mut c) = (grant(), pending("042815"));
        for typed in ["042815", " 042 815 ", "04-28-15", "٠٤٢٨١٥", "０４２８１５"] {
            let fresh = Challenge { tries_left: TRIES, ..c.clone() };
            c = fresh;
            assert_eq!(answer(&mut g, &mut c, typed, at(1)), Ok(()), "{typed}");
        }
        let mut c = challenge(&Secret::new("k7mp3xqa9dtz".to_owned()), Level::One, &KEY, at(0));
        assert_eq!(answer(&mut g, &mut c, "K7MP 3XQA 9DTZ", at(1)), Ok(()));
        assert_eq!((g.wrong_tries, g.read), (0, Some(at(1))));
        assert!(spend(&g, Some(&pending("1")), at(601)).is_err_and(|r| r == Refusal::NothingPending));
    }

    #[test]
    fn five_wrong_answers_kill_a_code_and_fifteen_lock_the_grant() {
        let mut g = grant();
        for code in 0..3 {
            let mut c = pending("042815");
            for n in (0..TRIES).rev() {
                let wrong = Wrong { tries_left: n, must_lock: code == 2 && n == 0 };
                assert_eq!(answer(&mut g, &mut c, "000000", at(1)), Err(Ok(wrong)));
            }
            let right_but_late = answer(&mut g, &mut c, "042815", at(1));
            assert_eq!(right_but_late, Err(Err(if code == 2 { Refusal::MustLock } else { Refusal::NothingPending })));
        }
        g = lock(&g, at(10));
        assert_eq!(g.locked_until, Some(at(10 + 3600)));
        assert_eq!(answer(&mut g, &mut pending("042815"), "042815", at(11)), Err(Err(Refusal::Locked(at(3610)))));
        assert!(matches!(ask(&g, None, None, at(11)), Asked::Locked(_)));
        // The next lock lasts twice as long, and none more than 32 hours.
        assert_eq!(lock(&g, at(4000)).locked_until, Some(at(4000 + 7200)));
        assert_eq!(lock(&Grant { locks: u32::MAX, ..g.clone() }, at(0)).locked_until, Some(at(32 * 3600)));
        // After the lock a right answer opens, and all is forgotten.
        let mut c = Challenge { expires: at(9999), ..pending("042815") };
        assert_eq!(answer(&mut g, &mut c, "042815", at(3700)), Ok(()));
        assert_eq!((g.locks, g.locked_until), (0, None));
    }

    #[test]
    fn a_second_click_sends_nothing_and_the_sixth_in_an_hour_waits() {
        let mut rate = None;
        for n in 0..5 {
            match ask(&grant(), None, rate.as_ref(), at(n * 60)) {
                Asked::Send(new) => rate = Some(new),
                other => panic!("{other:?}"),
            }
        }
        let next = |seconds| ask(&grant(), None, rate.as_ref(), at(seconds));
        assert!(matches!(next(300), Asked::Limit(until) if until == at(3600)));
        assert!(matches!(next(3600), Asked::Send(_)));
        assert!(matches!(ask(&grant(), Some(&pending("1")), None, at(29)), Asked::AlreadySent));
        assert!(matches!(ask(&grant(), Some(&pending("1")), None, at(30)), Asked::Send(_)));
        // A code that was killed by wrong answers can be replaced at once.
        let dead = Challenge { tries_left: 0, ..pending("1") };
        assert!(matches!(ask(&grant(), Some(&dead), None, at(1)), Asked::Send(_)));
    }

    #[test]
    fn twenty_a_day_are_enough() {
        let times: Vec<_> = (0..20).map(|n| at(n * 3600)).collect();
        let rate = Rate { v: FORMAT, times };
        assert!(matches!(ask(&grant(), None, Some(&rate), at(20 * 3600)), Asked::Limit(until) if until == at(24 * 3600)));
        let Asked::Send(new) = ask(&grant(), None, Some(&rate), at(25 * 3600)) else { panic!("a day is over") };
        assert_eq!(new.times.len(), 19);
        // A clock that jumped back ten years locks nobody out.
        assert!(matches!(ask(&grant(), None, Some(&rate), Time::from_millis(0)), Asked::Send(_)));
    }

    #[test]
    fn a_hash_without_the_key_or_salt_is_another() {
        let c = pending("042815");
        assert_ne!(hash("042815", &c.salt.0, &[8; 32]).to_vec(), c.hash.0);
        assert_ne!(hash("042815", &[0; 16], &KEY).to_vec(), c.hash.0);
        assert_ne!(pending("042815").hash, c.hash);
    }
}
