//! What zegel tells a sender about the fate of his mail: a delivery status notification (RFC 3464) in a multipart/report (RFC 6522), its first
//! part for people and its second for programs. Nothing of the mail is in it but its Message-ID, and its subject where that may be read.

use super::{Draft, Letter, Organisation, Origin, one_line, quoted, titled};
use crate::{
    address::Address,
    template::{Bodies, DelayedMail, NotNotifiedMail, NotSentMail, RelayedMail, RenderError, Templates},
    time::Time,
};
use mail_builder::{
    headers::{Header as _, content_type::ContentType, text::Text},
    mime::{BodyPart, MimePart},
};

/// What a status field may hold at most: a line of a mail has 998 octets at most.
const MAX_VALUE: usize = 900;

/// RFC 3463: delivery time expired.
const EXPIRED: &str = "4.4.7";
/// RFC 3886: relayed to a server that does not report further.
const RELAYED: &str = "2.1.9";
/// RFC 3463: other mail system status, the mail was lost here.
const LOST: &str = "5.3.0";

/// What a report says to programs.
pub(super) struct Report {
    origin: Origin,
    recipients: Vec<Fate>,
}

/// What became of the mail for one recipient.
struct Fate {
    recipient: Address,
    original: Option<String>,
    action: &'static str,
    status: String,
    diagnostic: Option<String>,
    until: Option<Time>,
}

/// The mail for one of the letters that report; `status` is the sender's link, and its host.
pub(super) fn draft(
    letter: &Letter,
    (status, host): (String, String),
    organisation: &Organisation,
    templates: &Templates,
) -> Result<Draft, RenderError> {
    match letter {
        Letter::NotSent { sender, recipients, at, origins, language } => {
            let origin = origins.first().cloned().unwrap_or_default();
            let names = recipients.iter().map(ToString::to_string).collect();
            let mail = NotSentMail { recipients: names, subject: origin.subject.as_deref().map(one_line), at: *at };
            let title = |l| titled(templates, l, "not-sent-subject", origin.subject.as_deref(), &[]);
            let draft = Draft::of(&mail, sender, language, organisation, templates, title)?;
            let original = |n: usize| origins.get(n).and_then(|o| o.original_recipient.clone());
            let fates = recipients.iter().enumerate();
            let fates = fates.map(|(n, r)| Fate { original: original(n), ..Fate::of(r, &Origin::default(), "failed", EXPIRED) });
            // Several recipients lack a number, but the mail is one: its subject is that of all.
            Ok(Draft { report: Some(Report { origin, recipients: fates.collect() }), ..draft })
        }
        Letter::NotNotified { sender, recipient, subject, reply, origin, language } => {
            let (recipient_text, subject_text) = (recipient.to_string(), subject.as_deref().map(one_line));
            let (at, given_up, reply) = (origin.at, reply.starts_with('4'), &quoted::plain(&one_line(reply)));
            let mail =
                NotNotifiedMail { recipient: recipient_text, subject: subject_text, at, reply: reply.clone(), given_up, status, host };
            let title = |l| titled(templates, l, "not-notified-subject", subject.as_deref(), &[]);
            let draft = Draft::of(&mail, sender, language, organisation, templates, title)?;
            let status = if reply.is_empty() { LOST.to_owned() } else { status_of(reply, '5').unwrap_or_else(|| EXPIRED.to_owned()) };
            Ok(draft.with(origin, Fate { diagnostic: diagnostic(reply), ..Fate::of(recipient, origin, "failed", &status) }))
        }
        Letter::Delayed { sender, recipient, reply, until, origin, language } => {
            let (recipient_text, subject) = (recipient.to_string(), origin.subject.as_deref().map(one_line));
            let reply = &quoted::plain(&one_line(reply));
            let mail = DelayedMail { recipient: recipient_text, subject, at: origin.at, reply: reply.clone(), until: *until, status, host };
            let title = |l| titled(templates, l, "delayed-subject", origin.subject.as_deref(), &[]);
            let draft = Draft::of(&mail, sender, language, organisation, templates, title)?;
            let status = status_of(reply, '4').unwrap_or_else(|| "4.0.0".to_owned());
            let fate = Fate::of(recipient, origin, "delayed", &status);
            Ok(draft.with(origin, Fate { diagnostic: diagnostic(reply), until: Some(*until), ..fate }))
        }
        Letter::Relayed { sender, recipient, origin, language } => {
            let subject = origin.subject.as_deref().map(one_line);
            let mail = RelayedMail { recipient: recipient.to_string(), subject, at: origin.at, status, host };
            let title = |l| titled(templates, l, "relayed-subject", origin.subject.as_deref(), &[]);
            let draft = Draft::of(&mail, sender, language, organisation, templates, title)?;
            Ok(draft.with(origin, Fate::of(recipient, origin, "relayed", RELAYED)))
        }
        _ => unreachable!("called for reports only"),
    }
}

impl Draft {
    fn with(self, origin: &Origin, fate: Fate) -> Draft {
        Draft { report: Some(Report { origin: origin.clone(), recipients: vec![fate] }), ..self }
    }
}

impl Fate {
    fn of(recipient: &Address, origin: &Origin, action: &'static str, status: &str) -> Fate {
        let original = origin.original_recipient.clone();
        Fate { recipient: recipient.clone(), original, action, status: status.to_owned(), diagnostic: None, until: None }
    }
}

/// The enhanced status code of a reply as we keep it (`550 5.1.1 no such mailbox`), if it is of this class.
fn status_of(reply: &str, class: char) -> Option<String> {
    let word = reply.split(' ').nth(1)?;
    let is_code = word.starts_with(class) && word.split('.').count() == 3 && word.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    is_code.then(|| word.to_owned())
}

fn diagnostic(reply: &str) -> Option<String> {
    let printable: String = reply.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
    (!printable.is_empty()).then(|| format!("smtp; {printable}"))
}

impl Report {
    /// The body of the mail; `at` is when the letter was written, `hostname` who reports.
    pub(super) fn body(self, bodies: Bodies, at: Time, hostname: &str) -> MimePart<'static> {
        let people = vec![MimePart::new("text/plain", bodies.text), MimePart::new("text/html", bodies.html)];
        let parts = vec![
            MimePart::new("multipart/alternative", people),
            as_it_is("message/delivery-status", self.status(at, hostname)),
            as_it_is("text/rfc822-headers", self.headers()),
        ];
        MimePart::new(ContentType::new("multipart/report").attribute("report-type", "delivery-status"), parts)
    }

    fn status(&self, at: Time, hostname: &str) -> Fields {
        let mut fields = Fields::default();
        fields.add("Original-Envelope-Id", self.origin.envelope_id.as_deref());
        fields.add("Reporting-MTA", Some(&format!("dns; {hostname}")));
        fields.add("Arrival-Date", self.origin.at.map(date).as_deref());
        for fate in &self.recipients {
            fields.end_group();
            fields.add("Original-Recipient", fate.original.as_deref());
            fields.add("Final-Recipient", Some(&format!("rfc822; {}", fate.recipient)));
            fields.add("Action", Some(fate.action));
            fields.add("Status", Some(&fate.status));
            fields.add("Diagnostic-Code", fate.diagnostic.as_deref());
            fields.add("Last-Attempt-Date", Some(&date(at)));
            fields.add("Will-Retry-Until", fate.until.map(date).as_deref());
        }
        fields
    }

    /// By what the sender's program recognises his mail.
    fn headers(&self) -> Fields {
        let mut fields = Fields::default();
        fields.add("Message-ID", self.origin.message_id.as_ref().map(|id| format!("<{id}>")).as_deref());
        if let Some(subject) = self.origin.subject.as_deref().map(super::excerpt).filter(|s| !s.is_empty()) {
            fields.0.extend(b"Subject: ");
            Text::new(subject).write_header(&mut fields.0, "Subject: ".len());
        }
        fields
    }
}

/// A part that stands in the mail as we wrote it: ASCII, in lines.
fn as_it_is(media_type: &'static str, fields: Fields) -> MimePart<'static> {
    MimePart::new(media_type, BodyPart::Binary(fields.0.into())).transfer_encoding("7bit")
}

/// Lines of fields.
#[derive(Default)]
struct Fields(Vec<u8>);

impl Fields {
    /// Adds a field, unless its value would be more than one: a line break would begin a field of its writer's choice.
    fn add(&mut self, name: &str, value: Option<&str>) {
        let Some(value) = value.filter(|v| !v.is_empty() && v.len() <= MAX_VALUE && v.bytes().all(|b| (b' '..=b'~').contains(&b))) else {
            return;
        };
        self.0.extend(format!("{name}: {value}\r\n").into_bytes());
    }

    fn end_group(&mut self) {
        self.0.extend(b"\r\n");
    }
}

fn date(at: Time) -> String {
    at.timestamp().strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}
