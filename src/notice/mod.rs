//! Every mail that zegel writes, and the SMS.
//!
//! A [`Letter`] is what a mail says. It lies sealed in the outbox and is composed when it leaves, with the templates of that moment.

mod dkim;
mod files;
mod letter;
mod origin;
mod quoted;
mod reply;
mod report;
mod return_path;
mod sms;
mod stored;

pub use dkim::{NoKey, Signer};
pub use files::compose_with_text;
pub use letter::{Letter, Told};
pub use origin::Origin;
pub use reply::{Contents, compose_reply};
pub use return_path::{RETURN_NAME, Returned, return_path, returned};
pub use sms::{sms_text, to_gsm7};

use crate::{
    address::Address,
    record::Level,
    seal::lookup_id,
    secret::{Id, Secret, Token, hex},
    template::{
        AskMail, Bodies, Language, LockedMail, MailView, NotificationMail, NumberMail, PasswordMail, RenderError, Templates, ToldMail,
        UndeliveredMail, WrongNumberMail,
    },
    time::Time,
};
use mail_builder::{
    MessageBuilder,
    headers::{address::Address as Mailbox, message_id::MessageId, raw::Raw},
};
use report::Report;
use std::sync::Arc;

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
    pub language: String,
    /// The name of our mail server, as reports give it.
    pub hostname: String,
    /// Where bounces of notifications come back to us (`[mail] bounces`); `None` when they go to the sender.
    pub bounces: Option<Address>,
    /// Who signs its mails (`[mail.dkim]`); `None` leaves that to the next hop.
    pub signer: Option<Arc<Signer>>,
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

/// What a reference consists of: 32 symbols that nobody mistakes for each other on the telephone.
const SYMBOLS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// The code by which a recipient sees that mail and page belong together: `ABCD-2345`. It opens nothing and is no secret.
#[must_use]
pub fn reference(grant: Id) -> String {
    let digest = crate::seal::digest([b"zegel/1 reference".as_slice(), &grant.0]);
    let letters: String = digest[..8].iter().map(|b| char::from(SYMBOLS[usize::from(b % 32)])).collect();
    format!("{}-{}", &letters[..4], &letters[4..])
}

/// The reference that somebody typed or pasted, as [`reference`] writes it; `None` when it can't be one.
#[must_use]
pub fn reference_of(typed: &str) -> Option<String> {
    let is_between = |c: char| c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}');
    let letters: String = typed.chars().filter(|c| !is_between(*c)).take(9).map(|c| c.to_ascii_uppercase()).collect();
    let fits = letters.len() == 8 && letters.bytes().all(|b| SYMBOLS.contains(&b));
    fits.then(|| format!("{}-{}", &letters[..4], &letters[4..]))
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

/// The sender's link to what has become of a message; `seal::Master::status_token` makes the token.
#[must_use]
pub fn status_link(organisation: &Organisation, token: &Token) -> Secret<String> {
    Secret::new(format!("{}/s/{}", organisation.url, token.in_link().expose()))
}

/// The mail that says what `letter` says. `status` is where the sender sees what became of the message it is about. `id` is the outbox row's: a second delivery of it has the same Message-ID. `at` is when the letter was
/// written.
///
/// # Errors
/// [`RenderError`] when a template fails although its check passed.
pub fn compose(
    letter: &Letter,
    status: &Token,
    id: Id,
    at: Time,
    organisation: &Organisation,
    templates: &Templates,
) -> Result<Composed, RenderError> {
    let (link, host) = (status_link(organisation, status).expose().clone(), organisation.host().to_owned());
    let draft = match letter {
        Letter::Notification { with_text: true, .. } | Letter::Reply { .. } => return Err(RenderError::without_contents()),
        Letter::Notification { .. } => notification(letter, organisation, templates)?,
        Letter::NumberNeeded { .. } => number_needed(letter, at, organisation, templates)?,
        Letter::Password { recipient, password, grant, until, language } => {
            let mail = PasswordMail { password: password.expose().clone(), until: *until, reference: reference(*grant) };
            Draft::of(&mail, recipient, language, organisation, templates, |l| templates.text(l, "password-subject", &[]))?
        }
        Letter::NotSent { .. } | Letter::NotNotified { .. } | Letter::Delayed { .. } | Letter::Relayed { .. } => {
            report::draft(letter, (link, host), organisation, templates)?
        }
        Letter::Openly { .. } => unreachable!("the sender has written it"),
        Letter::ReplyNotSent { .. } => reply::not_sent(letter, organisation, templates)?,
        Letter::Ask { .. } => ask(letter, at, organisation, templates)?,
        Letter::Told { .. } => told(letter, organisation, templates)?,
        Letter::Undelivered { sender, recipient, phone, grant, at, language } => {
            let link = at_number(link, *grant);
            let mail = UndeliveredMail { recipient: recipient.to_string(), phone: phone.clone(), at: *at, status: link, host };
            let title = |l| templates.text(l, "undelivered-subject", &[("recipient", recipient.as_str())]);
            Draft::of(&mail, sender, language, organisation, templates, title)?
        }
        Letter::WrongNumber { sender, recipient, phone, grant, at, language } => {
            let link = at_number(link, Some(*grant));
            let mail = WrongNumberMail { recipient: recipient.to_string(), phone: phone.clone(), at: *at, status: link, host };
            let title = |l| templates.text(l, "wrong-number-subject", &[("recipient", recipient.as_str())]);
            Draft::of(&mail, sender, language, organisation, templates, title)?
        }
        Letter::Locked { sender, recipient, at, until, language } => {
            let mail = LockedMail { recipient: recipient.to_string(), at: *at, until: *until, status: link, host };
            let title = |l| templates.text(l, "locked-subject", &[("recipient", recipient.as_str())]);
            Draft::of(&mail, sender, language, organisation, templates, title)?
        }
    };
    draft.build(id, at, organisation)
}

/// The place on a status page where a recipient's number is changed: browsers open what is folded there.
fn at_number(status: String, grant: Option<Id>) -> String {
    grant.map_or_else(|| status.clone(), |grant| format!("{status}#number-{grant}"))
}

fn notification(letter: &Letter, organisation: &Organisation, templates: &Templates) -> Result<Draft, RenderError> {
    let Letter::Notification { token, sender, envelope_from, sender_name, recipient, subject, language, level, expires, .. } = letter
    else {
        unreachable!("called for notifications only")
    };
    let address = sender.as_ref().map_or_else(|| organisation.name.clone(), ToString::to_string);
    let name = one_line(sender_name);
    let who = if name.is_empty() { address.clone() } else { name.clone() };
    let mail = NotificationMail {
        sender: address,
        sender_name: name,
        subject: subject.as_deref().map(one_line),
        level: match level {
            Level::One => 1,
            Level::Two => 2,
        },
        link: message_link(organisation, token).expose().clone(),
        host: organisation.host().to_owned(),
        reference: reference(lookup_id(token)),
        expires: *expires,
    };
    let title = |l| titled(templates, l, "notification-subject", subject.as_deref(), &[("sender", &who)]);
    let draft = Draft::of(&mail, recipient, language, organisation, templates, title)?;
    let from = templates.text(draft.language, "mail-from", &[("sender", &who), ("organisation", &organisation.name)]);
    Ok(Draft { from, reply_to: sender.clone(), envelope_from: envelope_from.clone(), ..draft })
}

fn number_needed(letter: &Letter, at: Time, organisation: &Organisation, templates: &Templates) -> Result<Draft, RenderError> {
    let Letter::NumberNeeded { token, sender, subject, why, missing, more, others, some_have_it, until, reminds_of, language } = letter
    else {
        unreachable!("called for this letter only")
    };
    let mail = NumberMail {
        subject: subject.as_deref().map(one_line),
        at: reminds_of.unwrap_or(at),
        reminder: reminds_of.is_some(),
        why: why.iter().map(|s| one_line(s)).collect(),
        missing: missing.iter().map(ToString::to_string).collect(),
        more: *more,
        others: *others,
        some_have_it: *some_have_it,
        link: numbers_link(organisation, token).expose().clone(),
        host: organisation.host().to_owned(),
        until: *until,
    };
    let title = |l| reminding(templates, l, *reminds_of, titled(templates, l, "number-subject", subject.as_deref(), &[]));
    Draft::of(&mail, sender, language, organisation, templates, title)
}

fn ask(letter: &Letter, at: Time, organisation: &Organisation, templates: &Templates) -> Result<Draft, RenderError> {
    let Letter::Ask { token, sender, recipients, more, subject, why, policy, until, reminds_of, language } = letter else {
        unreachable!("called for this letter only")
    };
    let mail = AskMail {
        recipients: recipients.iter().map(ToString::to_string).collect(),
        more: *more,
        subject: subject.as_deref().map(one_line),
        at: reminds_of.unwrap_or(at),
        reminder: reminds_of.is_some(),
        why: why.iter().map(|s| one_line(s)).collect(),
        policy: one_line(policy),
        link: numbers_link(organisation, token).expose().clone(),
        host: organisation.host().to_owned(),
        until: *until,
    };
    let title = |l| reminding(templates, l, *reminds_of, titled(templates, l, "ask-subject", subject.as_deref(), &[]));
    Draft::of(&mail, sender, language, organisation, templates, title)
}

fn told(letter: &Letter, organisation: &Organisation, templates: &Templates) -> Result<Draft, RenderError> {
    let Letter::Told { what, sender, recipients, more, subject, at, why, policy, reason, until, language } = letter else {
        unreachable!("called for this letter only")
    };
    let mail = ToldMail {
        what: what.word(),
        recipients: recipients.iter().map(ToString::to_string).collect(),
        more: *more,
        subject: subject.as_deref().map(one_line),
        at: *at,
        why: why.iter().map(|s| one_line(s)).collect(),
        policy: one_line(policy),
        reason: reason.as_deref().map(one_line),
        until: *until,
    };
    let title = |l| titled(templates, l, &format!("told-{}-subject", what.word()), subject.as_deref(), &[]);
    Draft::of(&mail, sender, language, organisation, templates, title)
}

/// The subject of a mail: with the message's own, or without.
fn titled(templates: &Templates, language: Language, key: &str, subject: Option<&str>, values: &[(&str, &str)]) -> String {
    match subject.map(one_line).filter(|s| !s.is_empty()) {
        Some(subject) => templates.text(language, key, &[("subject", &subject)]),
        None => templates.text(language, &format!("{key}-none"), values),
    }
}

/// The subject `title` of a mail that may remind its reader.
fn reminding(templates: &Templates, language: Language, reminds_of: Option<Time>, title: String) -> String {
    if reminds_of.is_some() { templates.text(language, "reminder-subject", &[("title", &title)]) } else { title }
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
    /// Whether a person wrote what it says: then other programs may answer it.
    by_a_person: bool,
    /// What makes it a report to programs too.
    report: Option<Report>,
}

impl Draft {
    /// A mail of the organisation with the null envelope sender: nothing answers it, so nothing can loop.
    fn of(
        mail: &impl MailView,
        to: &Address,
        language: &str,
        organisation: &Organisation,
        templates: &Templates,
        subject: impl FnOnce(Language) -> String,
    ) -> Result<Draft, RenderError> {
        let language = Language::of_record(language);
        let bodies = templates.mail(language, &organisation.name, mail)?;
        let (from, subject) = (organisation.name.clone(), subject(language));
        Ok(Draft { from, reply_to: None, envelope_from: None, to: to.clone(), subject, bodies, language, by_a_person: false, report: None })
    }

    fn build(self, id: Id, at: Time, organisation: &Organisation) -> Result<Composed, RenderError> {
        let mut mail = MessageBuilder::new()
            .from(Mailbox::new_address(Some(excerpt(&self.from)), organisation.from.as_str().to_owned()))
            .to(Mailbox::new_address(None::<String>, self.to.as_str().to_owned()))
            .subject(excerpt(&self.subject))
            .date(at.millis() / 1000)
            .message_id(MessageId::new(format!("{}@{}", hex(&id.0), organisation.from.domain())))
            .header("Content-Language", Raw::new(self.language.code()));
        if !self.by_a_person {
            // RFC 3834, 5: other programs answer neither this mail nor its bounce.
            mail = mail
                .header("Auto-Submitted", Raw::new(if self.report.is_some() { "auto-replied" } else { "auto-generated" }))
                .header("X-Auto-Response-Suppress", Raw::new("All"));
        }
        mail = match self.report {
            Some(report) => mail.body(report.body(self.bodies, at, &organisation.hostname)),
            None => mail.text_body(self.bodies.text).html_body(self.bodies.html),
        };
        if let Some(reply_to) = &self.reply_to {
            mail = mail.reply_to(Mailbox::new_address(None::<String>, reply_to.as_str().to_owned()));
        }
        Ok(Composed { envelope_from: self.envelope_from, to: self.to, octets: written(mail, at, organisation)? })
    }
}

/// A mail as it leaves, signed by the organisation if it has a key.
fn written(mail: MessageBuilder<'_>, at: Time, organisation: &Organisation) -> Result<Vec<u8>, RenderError> {
    let mut octets = Vec::new();
    mail.serialize(&mut octets);
    if let Some(signer) = &organisation.signer {
        signer.sign(&mut octets, at)?;
    }
    Ok(octets)
}

/// The longest text of others that a mail of ours repeats: a subject of several kilobytes helps nobody.
const MAX_CHARS: usize = 300;

/// So many recipients are named in one letter: an address may have 254 octets, and the sealed letter must fit a record.
pub const MOST_NAMED: usize = 20;

/// So many recipients are named in one report, with what the sender called each of them.
pub const MOST_REPORTED: usize = 10;

/// So many reasons for protecting a message are told in one letter.
pub const MOST_REASONS: usize = 8;

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

/// A text that others wrote as a letter repeats it, or a header field: one line, not endless.
#[must_use]
pub fn excerpt(text: &str) -> String {
    let mut line = one_line(text);
    if let Some((end, _)) = line.char_indices().nth(MAX_CHARS) {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests;
