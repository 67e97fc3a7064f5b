//! A message in quarantine: what is kept of it for whoever decides, and the steps of the decision.

use super::Waiter;
use crate::{
    address::Address,
    grant::{self, note},
    notice::{Letter, MOST_NAMED},
    record::{Approval, Batch, Expect, Expires, Expiry, FORMAT, Fact, Key, Quarantined, Sealed, SealedMessage, State},
    seal::{Damaged, Master, Salt, lookup_id},
    secret::{Id, Token},
    time::Time,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What is kept of a message for whoever decides, and for the mails that follow. Sealed under the field key.
#[derive(Serialize, Deserialize)]
pub struct Details {
    /// The link that opens it: nobody has it.
    pub token: Token,
    /// The envelope's sender; `None` is the null sender.
    pub sender: Option<String>,
    /// Who the recipient sees as sender: name and address.
    pub shown: (String, String),
    /// The subject, without trigger; `None` when it holds a finding.
    pub subject: Option<String>,
    /// The policy that holds it.
    pub policy: String,
    /// The rules by which it does.
    pub rules: Vec<String>,
    /// Why, one plain sentence each.
    pub why: Vec<String>,
    /// Whether the sender may be asked for a number.
    pub may_ask: bool,
    /// Whether the sender hears of what becomes of it.
    pub tell: bool,
}

/// Opens the details of the record at `key`.
///
/// # Errors
/// [`Damaged`] when they are not what was sealed here.
pub fn open_details(master: &Master, key: &Key, record: &Quarantined) -> Result<Details, Damaged> {
    let text = master.open_field("details", key, &record.details)?;
    serde_json::from_str(text.expose()).map_err(|_| Damaged)
}

/// Adds the record by which a message is found in quarantine, and the day on which it is given up.
///
/// # Panics
/// Never in practice: details serialise.
pub fn enter(batch: &mut Batch, master: &Master, message: Id, details: &Details, at: Time, until: Time) {
    let key = Key::quarantine(message);
    let text = zeroize::Zeroizing::new(serde_json::to_string(details).expect("details have text keys and no foreign types"));
    let details = master.seal_field("details", &key, &text, Salt::random());
    batch.put(key, &Quarantined { v: FORMAT, at, until, details, refused: None }, Expect::Absent);
    expire(batch, until, Expires::Quarantined(message));
}

/// Adds the moment at which the sweep looks whether the message still waits.
fn expire(batch: &mut Batch, at: Time, what: Expires) {
    batch.put(Key::expiry(at.day(), Id::random()), &Expiry { v: FORMAT, at, what }, Expect::Absent);
}

/// Adds: the message is refused. The sweep takes it away within a minute and tells the sender, so that a crash in between loses nothing.
pub fn refuse(batch: &mut Batch, master: &Master, message: Id, record: &Quarantined, version: u64, reason: &str, now: Time) {
    let key = Key::quarantine(message);
    let refused = Some(master.seal_field("refused", &key, reason, Salt::random()));
    batch.put(key, &Quarantined { refused, ..record.clone() }, Expect::Version(version));
    expire(batch, now, Expires::Quarantined(message));
    note(batch, Fact::Refused, Some(message), None, now);
}

/// The approval of a message in quarantine, as it was read, and the message.
pub struct Entered<'a> {
    /// The message's record and version.
    pub message: (&'a SealedMessage, u64),
    /// The approval and its version.
    pub approval: (&'a Approval, u64),
    /// The version of the quarantine's record.
    pub version: u64,
}

/// The message is released, but a number is missing: it is held for it, as it would have been without quarantine, and its sender is asked.
#[must_use]
pub fn leave_for_number(master: &Master, id: Id, entered: &Entered<'_>, details: Details, waiting: &[Waiter], now: Time) -> Batch {
    let until = now.plus(super::NUMBER_TIME);
    let mut batch = Batch::new();
    let (message, version) = entered.message;
    batch.put(Key::message(id), &SealedMessage { state: State::Held, ..message.clone() }, Expect::Version(version));
    let (approval, version) = entered.approval;
    let reminders = grant::reminders(now, until);
    let keys = reminders.iter().map(|key| key.as_str().to_owned()).collect();
    let approval = Approval { until, reminders: keys, ..approval.clone() };
    batch.put(Key::approval(lookup_id(&details.token)), &approval, Expect::Version(version));
    batch.delete(Key::quarantine(id), Expect::Version(entered.version));
    let mut missing: Vec<Address> = waiting.iter().filter(|w| w.lacks_number()).map(|w| w.address.clone()).collect();
    let others = waiting.len() - missing.len();
    let more = missing.len().saturating_sub(MOST_NAMED);
    missing.truncate(MOST_NAMED);
    if let Some(sender) = details.sender.as_deref().and_then(|s| Address::parse(s).ok()) {
        let (token, subject, why, language) = (details.token, details.subject, details.why, message.language.clone());
        let (some_have_it, until) = (false, until.day());
        let reminds_of = None;
        let letter = Letter::NumberNeeded { token, sender, subject, why, missing, more, others, some_have_it, until, reminds_of, language };
        grant::ask(&mut batch, master, letter, (id, message.at), &reminders, now);
    }
    note(&mut batch, Fact::Held, Some(id), None, now);
    expire(&mut batch, until, Expires::Held(id));
    batch
}

/// How long a message waits in quarantine.
pub const QUARANTINE_TIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a reason may say, in characters: the letter that repeats it must fit a row.
pub const MOST_REASON_CHARS: usize = 300;

/// The sealed explanation of the record at `key`, if it was refused.
///
/// # Errors
/// [`Damaged`] when it is not what was sealed here.
pub fn open_reason(master: &Master, key: &Key, refused: Option<&Sealed>) -> Result<Option<String>, Damaged> {
    refused.map(|sealed| Ok(master.open_field("refused", key, sealed)?.expose().to_string())).transpose()
}
