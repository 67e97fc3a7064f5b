//! What mails say, before they are composed.

use super::{Origin, stored};
use crate::{
    address::Address,
    record::{Fact, Level},
    secret::{Id, Secret, Token},
    time::{Day, Time},
};
use serde::{Deserialize, Serialize};

/// What a mail says. `language` is a code ([`crate::template::Language::code`]), so that a row of another version can still be read.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Letter {
    /// To a recipient: there is a message, here is the link.
    Notification {
        /// The link.
        token: Token,
        /// Who sent the message, as its From says; answers go there. `None` when it has no such thing.
        #[serde(with = "stored::maybe")]
        sender: Option<Address>,
        /// The envelope sender, to which bounces go; `None` is the null sender.
        #[serde(with = "stored::maybe")]
        envelope_from: Option<Address>,
        /// The sender's name; may be empty.
        sender_name: String,
        /// To whom.
        #[serde(with = "stored::one")]
        recipient: Address,
        /// The subject, without trigger; `None` when it holds a finding.
        subject: Option<String>,
        /// The recipient's language.
        language: String,
        /// What the recipient will be asked for.
        level: Level,
        /// The last day of the message.
        expires: Day,
        /// Whether the mail brings the message's text, and the link leads to its files.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        with_text: bool,
    },
    /// To a recipient: the password that was asked for.
    Password {
        /// To whom.
        #[serde(with = "stored::one")]
        recipient: Address,
        /// The password.
        password: Secret<String>,
        /// The grant it opens; names the reference that the page shows too.
        grant: Id,
        /// Until when it works.
        until: Time,
        /// The recipient's language.
        language: String,
    },
    /// To the sender: the message waits for phone numbers.
    NumberNeeded {
        /// The sender's link.
        token: Token,
        /// To whom.
        #[serde(with = "stored::one")]
        sender: Address,
        /// The subject, without trigger; `None` when it holds a finding.
        subject: Option<String>,
        /// Why the message is protected: one plain sentence each, in the sender's language.
        why: Vec<String>,
        /// The recipients without a number, [`super::MOST_NAMED`] of them at most; the page shows all.
        #[serde(with = "stored::many")]
        missing: Vec<Address>,
        /// How many more there are.
        #[serde(default)]
        more: usize,
        /// How many others wait with them.
        others: usize,
        /// Whether some recipients have the message already.
        some_have_it: bool,
        /// The day on which it is given up.
        until: Day,
        /// When the message was taken, if this reminds him of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reminds_of: Option<Time>,
        /// The sender's language.
        language: String,
    },
    /// To the sender: nobody gave the numbers in time, the message was given up.
    NotSent {
        /// To whom.
        #[serde(with = "stored::one")]
        sender: Address,
        /// Who did not get it, [`super::MOST_REPORTED`] of them at most: a longer list is several letters.
        #[serde(with = "stored::many")]
        recipients: Vec<Address>,
        /// When the message was taken.
        at: Time,
        /// What he wants to hear about each of them, in their order.
        #[serde(default)]
        origins: Vec<Origin>,
        /// The sender's language.
        language: String,
    },
    /// To the sender: a recipient was not told of the message.
    NotNotified {
        /// To whom.
        #[serde(with = "stored::one")]
        sender: Address,
        /// Who was not told.
        #[serde(with = "stored::one")]
        recipient: Address,
        /// The subject, without trigger; `None` when it holds a finding or is no longer known.
        subject: Option<String>,
        /// What the next hop answered last; empty when the mail was lost here.
        reply: String,
        /// What the sender's mail was.
        #[serde(default)]
        origin: Origin,
        /// The sender's language.
        language: String,
    },
    /// To the sender: a recipient could not be told of the message yet.
    Delayed {
        /// To whom.
        #[serde(with = "stored::one")]
        sender: Address,
        /// Who was not told.
        #[serde(with = "stored::one")]
        recipient: Address,
        /// What the next hop answered last.
        reply: String,
        /// Until when it is tried.
        until: Time,
        /// What the sender's mail was.
        origin: Origin,
        /// The sender's language.
        language: String,
    },
    /// To the sender, who asked for it: the next hop has taken the mail that tells a recipient of the message.
    Relayed {
        /// To whom.
        #[serde(with = "stored::one")]
        sender: Address,
        /// Who was told.
        #[serde(with = "stored::one")]
        recipient: Address,
        /// What the sender's mail was.
        origin: Origin,
        /// The sender's language.
        language: String,
    },
    /// To a recipient: the sender's own mail, as it came. Its octets lie sealed with the message, and this opens them.
    Openly {
        /// Opens the content key in the record of this recipient.
        token: Token,
        /// To whom.
        #[serde(with = "stored::one")]
        recipient: Address,
        /// The subject, without trigger; `None` when it holds a finding.
        subject: Option<String>,
    },
    /// To the sender: he decides how his message goes.
    Ask {
        /// The sender's link.
        token: Token,
        /// To whom.
        #[serde(with = "stored::one")]
        sender: Address,
        /// The recipients, [`super::MOST_NAMED`] of them at most.
        #[serde(with = "stored::many")]
        recipients: Vec<Address>,
        /// How many more there are.
        more: usize,
        /// The subject, without trigger; `None` when it holds a finding.
        subject: Option<String>,
        /// What was found: one plain sentence each, in the sender's language.
        why: Vec<String>,
        /// The policy, as its file names it.
        policy: String,
        /// The day on which it is given up.
        until: Day,
        /// When the message was taken, if this reminds him of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reminds_of: Option<Time>,
        /// The sender's language.
        language: String,
    },
    /// To the sender: what a policy, or whoever decided, made of his message.
    Told {
        /// What.
        what: Told,
        /// To whom.
        #[serde(with = "stored::one")]
        sender: Address,
        /// The recipients, [`super::MOST_NAMED`] of them at most.
        #[serde(with = "stored::many")]
        recipients: Vec<Address>,
        /// How many more there are.
        more: usize,
        /// The subject, without trigger; `None` when it holds a finding.
        subject: Option<String>,
        /// When the message was taken.
        at: Time,
        /// What was found: one plain sentence each, in the sender's language.
        why: Vec<String>,
        /// The policy, as its file names it.
        policy: String,
        /// Why it was refused, as whoever did so wrote.
        reason: Option<String>,
        /// The day on which it is given up.
        until: Option<Day>,
        /// The sender's language.
        language: String,
    },
    /// To the sender: the SMS with a recipient's code did not arrive.
    Undelivered {
        /// To whom.
        #[serde(with = "stored::one")]
        sender: Address,
        /// Whose code it was.
        #[serde(with = "stored::one")]
        recipient: Address,
        /// His number, masked.
        phone: String,
        /// His grant, where the mail leads.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grant: Option<Id>,
        /// When the message was taken.
        at: Time,
        /// The sender's language.
        language: String,
    },
    /// To the sender: a recipient says that the number to which his code would go is not his.
    WrongNumber {
        /// To whom.
        #[serde(with = "stored::one")]
        sender: Address,
        /// Who says so.
        #[serde(with = "stored::one")]
        recipient: Address,
        /// The number, masked.
        phone: String,
        /// His grant, where the mail leads.
        grant: Id,
        /// When the message was taken.
        at: Time,
        /// The sender's language.
        language: String,
    },
    /// To the sender: what a recipient replied. The reply itself is a sealed message of its own, the one that the mail is about.
    Reply {
        /// The reply's secret.
        token: Token,
        /// To whom.
        #[serde(with = "stored::one")]
        sender: Address,
        /// Who replied.
        #[serde(with = "stored::one")]
        recipient: Address,
        /// The subject of the message that he replies to.
        subject: String,
        /// Its Message-ID, without angle brackets.
        in_reply_to: Option<String>,
        /// The sender's language.
        language: String,
    },
    /// To a recipient: his reply did not arrive.
    ReplyNotSent {
        /// To whom.
        #[serde(with = "stored::one")]
        recipient: Address,
        /// Who should have got it.
        #[serde(with = "stored::one")]
        sender: Address,
        /// When he replied.
        at: Time,
        /// The recipient's language.
        language: String,
    },
    /// To the sender: too many wrong tries, the message is locked for a recipient.
    Locked {
        /// To whom.
        #[serde(with = "stored::one")]
        sender: Address,
        /// For whom it is locked.
        #[serde(with = "stored::one")]
        recipient: Address,
        /// When the message was taken.
        at: Time,
        /// Until when.
        until: Time,
        /// The sender's language.
        language: String,
    },
}

/// What a sender is told of his message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// It passed, though a policy that only tells applies to it.
    Noticed,
    /// It waits for the organisation's decision.
    Quarantined,
    /// The organisation refused it.
    Refused,
    /// Nobody decided in time.
    Expired,
}

impl Told {
    /// The word of logs and templates.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Told::Noticed => "noticed",
            Told::Quarantined => "quarantined",
            Told::Refused => "refused",
            Told::Expired => "expired",
        }
    }
}

impl Letter {
    /// Makes it one that reminds its reader of a message that was taken `at` this moment.
    pub fn remind(&mut self, at: Time) {
        if let Letter::NumberNeeded { reminds_of, .. } | Letter::Ask { reminds_of, .. } = self {
            *reminds_of = Some(at);
        }
    }

    /// What it is, for the log.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Letter::Notification { .. } => "notification",
            Letter::Password { .. } => "password",
            Letter::NumberNeeded { reminds_of: Some(_), .. } | Letter::Ask { reminds_of: Some(_), .. } => "reminder",
            Letter::NumberNeeded { .. } => "number-needed",
            Letter::NotSent { .. } => "not-sent",
            Letter::NotNotified { .. } => "not-notified",
            Letter::Delayed { .. } => "delayed",
            Letter::Relayed { .. } => "relayed",
            Letter::Openly { .. } => "openly",
            Letter::Ask { .. } => "ask",
            Letter::Told { what, .. } => what.word(),
            Letter::Undelivered { .. } => "undelivered",
            Letter::WrongNumber { .. } => "wrong-number",
            Letter::Reply { .. } => "reply",
            Letter::ReplyNotSent { .. } => "reply-not-sent",
            Letter::Locked { .. } => "locked",
        }
    }

    /// What has happened once the next hop has taken it.
    #[must_use]
    pub fn fact_when_taken(&self) -> Option<Fact> {
        match self {
            Letter::Notification { .. } => Some(Fact::Notified),
            Letter::Password { .. } => Some(Fact::PasswordSent),
            Letter::Openly { .. } => Some(Fact::Relayed),
            Letter::Reply { .. } => Some(Fact::ReplySent),
            _ => None,
        }
    }

    /// The recipient whom it was to tell of a message, or to bring it: if it can't be delivered, the sender must know.
    #[must_use]
    pub fn notified(&self) -> Option<&Address> {
        match self {
            Letter::Notification { recipient, .. } | Letter::Openly { recipient, .. } => Some(recipient),
            _ => None,
        }
    }

    /// The message's subject, where it is known and holds no finding.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        match self {
            Letter::Notification { subject, .. }
            | Letter::NumberNeeded { subject, .. }
            | Letter::NotNotified { subject, .. }
            | Letter::Openly { subject, .. }
            | Letter::Ask { subject, .. }
            | Letter::Told { subject, .. } => subject.as_deref(),
            _ => None,
        }
    }
}
