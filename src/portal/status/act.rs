//! What a press of a button on the status page comes to. What is as he wants it already is done: a second press changes nothing.

use super::{Status, Wrong};
use crate::{
    phone::PhoneNumber,
    portal::answer::{Form, Refusal, Visit},
    recall::{self, Sent},
    record::{Batch, State},
    secret::Id,
    time::Day,
};

/// What is to be done.
pub(super) enum Step {
    /// This.
    Change(Change),
    /// Nothing: it is so.
    Done,
    /// Nothing, since something is wrong with the form.
    Wrong(Wrong),
}

/// A change of a message.
pub(super) struct Change {
    pub(super) batch: Batch,
    /// To be deleted behind it.
    pub(super) blobs: Vec<Id>,
    /// For the log.
    pub(super) what: &'static str,
}

impl Change {
    fn of(what: &'static str, batch: Batch) -> Step {
        Step::Change(Change { batch, blobs: Vec::new(), what })
    }
}

/// What a form asks for, of a message as it is now.
pub(super) async fn decide(visit: &Visit, status: &Status, form: &Form) -> Result<Step, Refusal> {
    let sent = Sent {
        master: &status.master,
        id: status.id,
        message: &status.message.value,
        version: status.message.version,
        by: &status.sender,
        now: visit.now,
    };
    let state = status.message.value.state;
    // What its day has taken cannot be changed any more: the page says so.
    if status.is_over(visit) {
        return Ok(Step::Done);
    }
    Ok(match (form.field("do"), state) {
        ("block", State::Sent) => Change::of("blocked", sent.block()),
        ("unblock", State::Blocked) => Change::of("unblocked", sent.unblock()),
        ("block" | "unblock", _) => Step::Done,
        ("recall", State::Sent | State::Blocked | State::Held) if form.field("sure").is_empty() => Step::Wrong(Wrong::NotSure),
        ("recall", State::Sent | State::Blocked | State::Held) => {
            let (batch, blobs) = (sent.destroy(&status.belongings()), status.message.value.blobs.clone());
            Step::Change(Change { batch, blobs, what: "recalled" })
        }
        ("recall", _) => Step::Done,
        ("day", State::Sent | State::Blocked) => day(visit, status, &sent, form.field("day")).await?,
        ("number", State::Sent | State::Blocked | State::Held) => number(visit, status, &sent, form)?,
        ("day" | "number", _) => Step::Done,
        _ => return Err(Refusal::Request),
    })
}

/// Another last day.
async fn day(visit: &Visit, status: &Status, sent: &Sent<'_>, typed: &str) -> Result<Step, Refusal> {
    let days = recall::days(sent.message.at, visit.now);
    let Some(day) = typed.trim().parse::<Day>().ok().filter(|day| days.contains(day)) else {
        return Ok(Step::Wrong(Wrong::Day(typed.chars().take(40).collect())));
    };
    if day == sent.message.expires {
        return Ok(Step::Done);
    }
    // The wraps of those rows are named after links that only the mails on their way hold.
    if status.leaving_openly {
        return Err(Refusal::Busy);
    }
    let keyring = &visit.desk.portal.keyring;
    let from = keyring.existing(sent.message.expires).ok_or(Refusal::Damaged)?;
    let to = keyring.bucket(day).await?;
    let batch = sent.move_day(&status.belongings(), [&from, &to]).map_err(|_| {
        tracing::error!("portal: a wrap of message {} does not open; its day stays", status.id);
        Refusal::Damaged
    })?;
    Ok(Change::of("moved to another day", batch))
}

/// Another number for one of the recipients.
fn number(visit: &Visit, status: &Status, sent: &Sent<'_>, form: &Form) -> Result<Step, Refusal> {
    let whose = Id::parse(form.field("grant")).and_then(|lookup| status.recipients.iter().find(|r| r.lookup == lookup));
    let Some((recipient, known)) = whose.and_then(|r| Some((r, r.phone.as_ref()?))) else { return Err(Refusal::Request) };
    let typed = form.field("number");
    if typed.trim().is_empty() {
        return Ok(Step::Wrong(Wrong::Number(recipient.lookup, String::new(), "phone-empty")));
    }
    let number = match PhoneNumber::parse_within(typed, &visit.desk.portal.sms.limits.countries) {
        Ok(number) => number,
        Err(fault) => return Ok(Step::Wrong(Wrong::Number(recipient.lookup, typed.chars().take(40).collect(), fault.word()))),
    };
    if number == *known {
        return Ok(Step::Done);
    }
    let grant = (recipient.grant.value.clone(), recipient.grant.version);
    Ok(Change::of("given another number", sent.change_number(recipient.lookup, &grant, &recipient.address, &number)))
}
