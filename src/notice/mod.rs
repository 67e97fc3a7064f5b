//! Every mail that zegel writes, and the SMS.
//!
//! A [`Letter`] is what a mail says. It lies sealed in the outbox and is composed when it leaves, with the templates of that moment.

mod sms;

pub use sms::{sms_text, to_gsm7};

use crate::{
    address::Address,
    record::Level,
    seal::lookup_id,
    secret::{Id, Secret, Token, hex},
    template::{
        Bodies, Language, LockedMail, NotNotifiedMail, NotSentMail, NotificationMail, NumberMail, PasswordMail, RenderError, Templates,
    },
    time::{Day, Time},
};
use mail_builder::{
    MessageBuilder,
    headers::{address::Address as Mailbox, message_id::MessageId, raw::Raw},
};
use serde::{Deserialize, Serialize};

/// What a mail says. `language` is a code ([`Language::code`]), so that a row of another version can still be read.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Letter {
    /// To a recipient: there is a message, here is the link.
    Notification {
        /// The link.
        token: Token,
        /// Who sent the message, as its From says; answers go there. `None` when it has no such thing.
        #[serde(with = "maybe")]
        sender: Option<Address>,
        /// The envelope sender, to which bounces go; `None` is the null sender.
        #[serde(with = "maybe")]
        envelope_from: Option<Address>,
        /// The sender's name; may be empty.
        sender_name: String,
        /// To whom.
        #[serde(with = "one")]
        recipient: Address,
        /// The subject, without trigger; `None` when it holds a finding.
        subject: Option<String>,
        /// The recipient's language.
        language: String,
        /// What the recipient will be asked for.
        level: Level,
        /// The last day of the message.
        expires: Day,
    },
    /// To a recipient: the password that was asked for.
    Password {
        /// To whom.
        #[serde(with = "one")]
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
        #[serde(with = "one")]
        sender: Address,
        /// The subject, without trigger; `None` when it holds a finding.
        subject: Option<String>,
        /// Why the message is protected: one plain sentence each, in the sender's language.
        why: Vec<String>,
        /// The recipients without a number.
        #[serde(with = "many")]
        missing: Vec<Address>,
        /// How many others wait with them.
        others: usize,
        /// Whether some recipients have the message already.
        some_have_it: bool,
        /// When the message was taken.
        at: Time,
        /// The day on which it is given up.
        until: Day,
        /// The sender's language.
        language: String,
    },
    /// To the sender: the message was given up.
    NotSent {
        /// To whom.
        #[serde(with = "one")]
        sender: Address,
        /// Who did not get it.
        #[serde(with = "many")]
        recipients: Vec<Address>,
        /// The subject, without trigger; `None` when it holds a finding or is no longer known.
        subject: Option<String>,
        /// When the message was taken.
        at: Time,
        /// Why.
        reason: NotSent,
        /// The sender's language.
        language: String,
    },
    /// To the sender: a recipient was not told of the message.
    NotNotified {
        /// To whom.
        #[serde(with = "one")]
        sender: Address,
        /// Who was not told.
        #[serde(with = "one")]
        recipient: Address,
        /// The subject, without trigger; `None` when it holds a finding or is no longer known.
        subject: Option<String>,
        /// When the message was taken.
        at: Time,
        /// Why.
        reason: NotNotified,
        /// What the next hop answered last.
        reply: String,
        /// The sender's language.
        language: String,
    },
    /// To the sender: too many wrong tries, the message is locked for a recipient.
    Locked {
        /// To whom.
        #[serde(with = "one")]
        sender: Address,
        /// For whom it is locked.
        #[serde(with = "one")]
        recipient: Address,
        /// When the message was taken.
        at: Time,
        /// Until when.
        until: Time,
        /// The sender's language.
        language: String,
    },
}

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotSent {
    /// No number was given in time.
    Number,
    /// It reached its last day while it was held.
    Expired,
}

/// Why a recipient was not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotNotified {
    /// The next hop refused the notification for good.
    Refused,
    /// It was tried for two days.
    Late,
}

/// Who speaks in mails and on pages.
#[derive(Clone, Debug)]
pub struct Organisation {
    /// As recipients know it.
    pub name: String,
    /// From which address its mails come (`[mail] from`).
    pub from: Address,
    /// What links begin with, without a slash at the end: `https://bericht.voorbeeld.example`.
    pub url: String,
    /// The language of pages where nothing else is known.
    pub language: Language,
}

impl Organisation {
    /// Where links lead, as people recognise it: `bericht.voorbeeld.example`.
    #[must_use]
    pub fn host(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        rest.split('/').next().unwrap_or(rest)
    }
}

/// A mail that is ready to leave.
pub struct Composed {
    /// The envelope sender; `None` is the null sender.
    pub envelope_from: Option<Address>,
    /// The only recipient.
    pub to: Address,
    /// The mail, CRLF line ends.
    pub octets: Vec<u8>,
}

/// The code by which a recipient sees that mail and page belong together: `ABCD-2345`. It opens nothing and is no secret.
#[must_use]
pub fn reference(grant: Id) -> String {
    // 32 symbols that nobody mistakes for each other on the telephone.
    const SYMBOLS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let digest = crate::seal::digest([b"zegel/1 reference".as_slice(), &grant.0]);
    let letters: String = digest[..8].iter().map(|b| char::from(SYMBOLS[usize::from(b % 32)])).collect();
    format!("{}-{}", &letters[..4], &letters[4..])
}

/// A recipient's link.
#[must_use]
pub fn message_link(organisation: &Organisation, token: &Token) -> Secret<String> {
    Secret::new(format!("{}/m/{}", organisation.url, token.in_link().expose()))
}

/// A sender's link to a message that waits for numbers.
#[must_use]
pub fn numbers_link(organisation: &Organisation, token: &Token) -> Secret<String> {
    Secret::new(format!("{}/n/{}", organisation.url, token.in_link().expose()))
}

/// The mail that says what `letter` says. `id` is the outbox row's: a second delivery of it has the same Message-ID.
///
/// # Errors
/// [`RenderError`] when a template fails although its check passed.
pub fn compose(letter: &Letter, id: Id, now: Time, organisation: &Organisation, templates: &Templates) -> Result<Composed, RenderError> {
    let name = &organisation.name;
    let host = organisation.host().to_owned();
    let spoken = |code: &str| Language::of_record(code);
    let draft = match letter {
        Letter::Notification { token, sender, envelope_from, sender_name, recipient, subject, language, level, expires } => {
            let language = spoken(language);
            let shown = sender.as_ref().map_or_else(|| name.clone(), ToString::to_string);
            let who = if sender_name.trim().is_empty() { shown.clone() } else { one_line(sender_name) };
            let mail = NotificationMail {
                sender: shown,
                sender_name: one_line(sender_name),
                subject: subject.as_deref().map(one_line),
                level: number(*level),
                link: message_link(organisation, token).expose().clone(),
                host,
                reference: reference(lookup_id(token)),
                expires: *expires,
            };
            let subject = titled(templates, language, "notification-subject", subject.as_deref(), &[("sender", &who)]);
            Draft {
                from: templates.text(language, "mail-from", &[("sender", &who), ("organisation", name)]),
                reply_to: sender.clone(),
                envelope_from: envelope_from.clone(),
                ..Draft::new(language, organisation, recipient, subject, templates.mail(language, name, &mail)?)
            }
        }
        Letter::Password { recipient, password, grant, until, language } => {
            let language = spoken(language);
            let mail = PasswordMail { password: password.expose().clone(), until: *until, reference: reference(*grant) };
            let subject = templates.text(language, "password-subject", &[]);
            Draft::new(language, organisation, recipient, subject, templates.mail(language, name, &mail)?)
        }
        Letter::NumberNeeded { token, sender, subject, why, missing, others, some_have_it, at, until, language } => {
            let language = spoken(language);
            let mail = NumberMail {
                subject: subject.as_deref().map(one_line),
                at: *at,
                why: why.iter().map(|s| one_line(s)).collect(),
                missing: missing.iter().map(ToString::to_string).collect(),
                others: *others,
                some_have_it: *some_have_it,
                link: numbers_link(organisation, token).expose().clone(),
                host,
                until: *until,
            };
            let subject = titled(templates, language, "number-subject", subject.as_deref(), &[]);
            Draft::new(language, organisation, sender, subject, templates.mail(language, name, &mail)?)
        }
        Letter::NotSent { sender, recipients, subject, at, reason, language } => {
            let language = spoken(language);
            let mail = NotSentMail {
                recipients: recipients.iter().map(ToString::to_string).collect(),
                subject: subject.as_deref().map(one_line),
                at: *at,
                reason: match reason {
                    NotSent::Number => "number",
                    NotSent::Expired => "expired",
                },
            };
            let subject = titled(templates, language, "not-sent-subject", subject.as_deref(), &[]);
            Draft::new(language, organisation, sender, subject, templates.mail(language, name, &mail)?)
        }
        Letter::NotNotified { sender, recipient, subject, at, reason, reply, language } => {
            let language = spoken(language);
            let mail = NotNotifiedMail {
                recipient: recipient.to_string(),
                subject: subject.as_deref().map(one_line),
                at: *at,
                reason: match reason {
                    NotNotified::Refused => "refused",
                    NotNotified::Late => "late",
                },
                reply: one_line(reply),
            };
            let subject = titled(templates, language, "not-notified-subject", subject.as_deref(), &[]);
            Draft::new(language, organisation, sender, subject, templates.mail(language, name, &mail)?)
        }
        Letter::Locked { sender, recipient, at, until, language } => {
            let language = spoken(language);
            let mail = LockedMail { recipient: recipient.to_string(), at: *at, until: *until };
            let subject = templates.text(language, "locked-subject", &[("recipient", recipient.as_str())]);
            Draft::new(language, organisation, sender, subject, templates.mail(language, name, &mail)?)
        }
    };
    Ok(draft.build(id, now, organisation))
}

/// The subject of a mail: with the message's own, or without.
fn titled(templates: &Templates, language: Language, key: &str, subject: Option<&str>, values: &[(&str, &str)]) -> String {
    match subject.map(one_line).filter(|s| !s.is_empty()) {
        Some(subject) => templates.text(language, key, &[("subject", &subject)]),
        None => templates.text(language, &format!("{key}-none"), values),
    }
}

fn number(level: Level) -> u8 {
    match level {
        Level::One => 1,
        Level::Two => 2,
    }
}

/// A mail before it becomes octets.
struct Draft {
    from: String,
    reply_to: Option<Address>,
    envelope_from: Option<Address>,
    to: Address,
    subject: String,
    bodies: Bodies,
    language: Language,
}

impl Draft {
    /// A mail of the organisation with the null envelope sender: nothing answers it, so nothing can loop.
    fn new(language: Language, organisation: &Organisation, to: &Address, subject: String, bodies: Bodies) -> Draft {
        Draft { from: organisation.name.clone(), reply_to: None, envelope_from: None, to: to.clone(), subject, bodies, language }
    }

    fn build(self, id: Id, now: Time, organisation: &Organisation) -> Composed {
        let mut mail = MessageBuilder::new()
            .from(Mailbox::new_address(Some(header(&self.from)), organisation.from.as_str().to_owned()))
            .to(Mailbox::new_address(None::<String>, self.to.as_str().to_owned()))
            .subject(header(&self.subject))
            .date(now.millis() / 1000)
            .message_id(MessageId::new(format!("{}@{}", hex(&id.0), organisation.from.domain())))
            // RFC 3834, 5: other programs answer neither this mail nor its bounce.
            .header("Auto-Submitted", Raw::new("auto-generated"))
            .header("X-Auto-Response-Suppress", Raw::new("All"))
            .header("Content-Language", Raw::new(self.language.code()))
            .text_body(self.bodies.text)
            .html_body(self.bodies.html);
        if let Some(reply_to) = &self.reply_to {
            mail = mail.reply_to(Mailbox::new_address(None::<String>, reply_to.as_str().to_owned()));
        }
        let mut octets = Vec::new();
        mail.serialize(&mut octets);
        Composed { envelope_from: self.envelope_from, to: self.to, octets }
    }
}

/// The longest value that goes into a header field: a subject of several kilobytes helps nobody.
const MAX_HEADER_CHARS: usize = 300;

/// A text that others wrote, fit for a header field: one line, no control characters (a line break would begin a field of the writer's choice),
/// none that turn the direction of writing around.
fn one_line(text: &str) -> String {
    let visible = |c: char| match c {
        c if c.is_control() => ' ',
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => ' ',
        c => c,
    };
    text.chars().map(visible).collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A header field's value: one line, not endless.
fn header(text: &str) -> String {
    let mut line = one_line(text);
    if let Some((end, _)) = line.char_indices().nth(MAX_HEADER_CHARS) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// An address as text.
mod one {
    use crate::address::Address;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(address: &Address, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(address.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Address, D::Error> {
        Address::parse(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}

/// An address that may be missing, as text.
mod maybe {
    use crate::address::Address;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(address: &Option<Address>, to: S) -> Result<S::Ok, S::Error> {
        address.as_ref().map(Address::as_str).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Address>, D::Error> {
        Option::<String>::deserialize(from)?.map(|text| Address::parse(&text)).transpose().map_err(D::Error::custom)
    }
}

/// Addresses as texts.
mod many {
    use crate::address::Address;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(addresses: &[Address], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(addresses.iter().map(Address::as_str))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Address>, D::Error> {
        let texts = Vec::<String>::deserialize(from)?;
        texts.iter().map(|text| Address::parse(text)).collect::<Result<_, _>>().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests;
