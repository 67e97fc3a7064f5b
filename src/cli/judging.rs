//! Judging what was read of a FILE, as the gateway would judge the mail.

use super::{Sender, reading::Opened};
use crate::{
    address::{Address, Domain},
    clock::{Clock as _, SystemClock},
    envelope::{Envelope, QueueId, Recipient},
    inspect::{Inspection, Judging, Rulebook},
    policy::Besides,
};

/// What the command line says of the envelope, which a file doesn't hold.
#[derive(Clone, Copy, Default)]
pub(super) struct Given<'a> {
    /// Whether there is a configuration: without one nothing is known of the organisation but that the sender belongs to it.
    pub(super) configured: bool,
    /// The sender; `None`: the mail's From.
    pub(super) from: Option<&'a Sender>,
    /// The recipients; empty: the mail's To, Cc and Bcc.
    pub(super) to: &'a [Address],
    /// Those to whom nobody has written before.
    pub(super) strangers: &'a [Address],
}

/// Judges a mail.
pub(super) fn judge(rulebook: &Rulebook, given: Given<'_>, opened: &Opened) -> Inspection {
    let ours = rulebook.internal.first().map_or("internal.invalid", Domain::as_str);
    let from = match given.from {
        Some(sender) => sender.0.clone(),
        None => opened.facts.from.as_ref().map(|(_, address)| address.clone()).or_else(|| Address::parse(&format!("unknown@{ours}")).ok()),
    };
    let senders_domain;
    let internal = if given.configured {
        &rulebook.internal[..]
    } else {
        senders_domain = from.as_ref().map(Address::domain);
        senders_domain.as_slice()
    };
    let envelope = Envelope { id: QueueId::NONE, from, to: recipients(given.to, opened), mail_parameters: String::new() };
    let besides = Besides { strangers: given.strangers, points: 0 };
    let mail = Judging { envelope: &envelope, facts: &opened.facts, extraction: &opened.extraction, besides };
    rulebook.judge_within(internal, SystemClock.now().local().datetime(), &mail)
}

/// `--to`, else those of the header, else one of whom only is known that he is outside.
fn recipients(given: &[Address], opened: &Opened) -> Vec<Recipient> {
    let mut to = given.to_vec();
    if to.is_empty() {
        to.clone_from(&opened.facts.recipients_in_header);
    }
    if to.is_empty() {
        to.extend(Address::parse("unknown@external.invalid"));
    }
    to.into_iter().map(|address| Recipient { address, parameters: String::new() }).collect()
}
