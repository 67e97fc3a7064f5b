//! The values of mails.

use super::{MailView, moment};
use crate::time::{Day, Time};
use serde::Serialize;

/// The mail with a recipient's link.
#[derive(Clone, Debug, Serialize)]
pub struct NotificationMail {
    /// The sender's address.
    pub sender: String,
    /// The sender's name; may be empty.
    pub sender_name: String,
    /// The subject, unless it holds a finding.
    pub subject: Option<String>,
    /// 1 or 2.
    pub level: u8,
    /// The link.
    pub link: String,
    /// Where it leads.
    pub host: String,
    /// The code by which mail and page know each other.
    pub reference: String,
    /// The last day of the message.
    pub expires: Day,
}

impl MailView for NotificationMail {
    const TEMPLATE: &'static str = "notification";

    fn essence(&self) -> Option<&str> {
        Some(&self.link)
    }

    fn samples() -> Vec<NotificationMail> {
        let full = NotificationMail {
            sender: "jan@voorbeeld.example".to_owned(),
            sender_name: "Jan de Vries".to_owned(),
            subject: Some("Uw aanvraag".to_owned()),
            level: 1,
            link: "https://bericht.voorbeeld.example/m/x".to_owned(),
            host: "bericht.voorbeeld.example".to_owned(),
            reference: "ABCD-2345".to_owned(),
            expires: moment(30).day(),
        };
        vec![NotificationMail { sender_name: String::new(), subject: None, level: 2, ..full.clone() }, full]
    }
}

/// What leads to a message's files, in the mail that brings its text.
#[derive(Clone, Debug, Serialize)]
pub struct FilesMail {
    /// 1 or 2.
    pub level: u8,
    /// The link.
    pub link: String,
    /// Where it leads.
    pub host: String,
    /// The code by which mail and page know each other.
    pub reference: String,
    /// The last day of the message.
    pub expires: Day,
}

impl MailView for FilesMail {
    const TEMPLATE: &'static str = "files";

    fn essence(&self) -> Option<&str> {
        Some(&self.link)
    }

    fn samples() -> Vec<FilesMail> {
        let full = FilesMail {
            level: 1,
            link: "https://bericht.voorbeeld.example/m/x".to_owned(),
            host: "bericht.voorbeeld.example".to_owned(),
            reference: "ABCD-2345".to_owned(),
            expires: moment(30).day(),
        };
        vec![FilesMail { level: 2, ..full.clone() }, full]
    }
}

/// The mail with a password.
#[derive(Clone, Debug, Serialize)]
pub struct PasswordMail {
    /// The password.
    pub password: String,
    /// Until when it works.
    pub until: Time,
    /// The code by which mail and page know each other.
    pub reference: String,
}

impl MailView for PasswordMail {
    const TEMPLATE: &'static str = "password";

    fn essence(&self) -> Option<&str> {
        Some(&self.password)
    }

    fn samples() -> Vec<PasswordMail> {
        vec![PasswordMail { password: "k7mp3xqa9dtz".to_owned(), until: moment(0), reference: "ABCD-2345".to_owned() }]
    }
}

/// The mail that asks a sender for numbers.
#[derive(Clone, Debug, Serialize)]
pub struct NumberMail {
    /// The subject, unless it holds a finding.
    pub subject: Option<String>,
    /// When the message was taken.
    pub at: Time,
    /// Whether this reminds him of it.
    pub reminder: bool,
    /// Why it is protected: a plain sentence each.
    pub why: Vec<String>,
    /// Recipients without a number.
    pub missing: Vec<String>,
    /// How many more there are.
    pub more: usize,
    /// How many others wait with them.
    pub others: usize,
    /// Whether some recipients already have the message.
    pub some_have_it: bool,
    /// The sender's link.
    pub link: String,
    /// Where it leads.
    pub host: String,
    /// The day before which the numbers must be there.
    pub until: Day,
}

impl MailView for NumberMail {
    const TEMPLATE: &'static str = "number";

    fn essence(&self) -> Option<&str> {
        Some(&self.link)
    }

    fn samples() -> Vec<NumberMail> {
        let full = NumberMail {
            subject: Some("Uw aanvraag".to_owned()),
            at: moment(0),
            reminder: true,
            why: vec!["Er staat een burgerservicenummer in de bijlage.".to_owned()],
            missing: vec!["a@elders.example".to_owned(), "b@elders.example".to_owned()],
            more: 3,
            others: 2,
            some_have_it: false,
            link: "https://bericht.voorbeeld.example/n/x".to_owned(),
            host: "bericht.voorbeeld.example".to_owned(),
            until: moment(7).day(),
        };
        vec![NumberMail { reminder: false, subject: None, why: vec![], more: 0, others: 0, some_have_it: true, ..full.clone() }, full]
    }
}

/// The mail that says that a held message was given up.
#[derive(Clone, Debug, Serialize)]
pub struct NotSentMail {
    /// Who did not get it.
    pub recipients: Vec<String>,
    /// The subject, unless it holds a finding.
    pub subject: Option<String>,
    /// When the message was taken.
    pub at: Time,
}

impl MailView for NotSentMail {
    const TEMPLATE: &'static str = "not-sent";

    fn samples() -> Vec<NotSentMail> {
        let full = NotSentMail { recipients: vec!["a@elders.example".to_owned()], subject: Some("Uw aanvraag".to_owned()), at: moment(0) };
        vec![NotSentMail { subject: None, ..full.clone() }, full]
    }
}

/// The mail that says that a recipient was not told of a message.
#[derive(Clone, Debug, Serialize)]
pub struct NotNotifiedMail {
    /// Who was not told.
    pub recipient: String,
    /// The subject, unless it holds a finding.
    pub subject: Option<String>,
    /// When the message was taken; messages of older versions do not say.
    pub at: Option<Time>,
    /// What the next hop answered; empty when the mail was lost here.
    pub reply: String,
    /// Whether it was tried until the end, rather than refused for good.
    pub given_up: bool,
    /// Where the sender sees what has become of his message.
    pub status: String,
    /// Where that leads.
    pub host: String,
}

impl MailView for NotNotifiedMail {
    const TEMPLATE: &'static str = "not-notified";

    fn samples() -> Vec<NotNotifiedMail> {
        let full = NotNotifiedMail {
            status: sample_status(),
            host: "bericht.voorbeeld.example".to_owned(),
            recipient: "a@elders.example".to_owned(),
            subject: Some("Uw aanvraag".to_owned()),
            at: Some(moment(0)),
            reply: "550 5.1.1 no such mailbox".to_owned(),
            given_up: false,
        };
        let lost = NotNotifiedMail { subject: None, at: None, reply: String::new(), ..full.clone() };
        vec![lost, NotNotifiedMail { given_up: true, ..full.clone() }, full]
    }
}

/// The mail that says that a recipient could not be told yet.
#[derive(Clone, Debug, Serialize)]
pub struct DelayedMail {
    /// Who was not told.
    pub recipient: String,
    /// The subject, unless it holds a finding.
    pub subject: Option<String>,
    /// When the message was taken.
    pub at: Option<Time>,
    /// What the next hop answered.
    pub reply: String,
    /// Until when it is tried.
    pub until: Time,
    /// Where the sender sees what has become of his message.
    pub status: String,
    /// Where that leads.
    pub host: String,
}

impl MailView for DelayedMail {
    const TEMPLATE: &'static str = "delayed";

    fn samples() -> Vec<DelayedMail> {
        let full = DelayedMail {
            status: sample_status(),
            host: "bericht.voorbeeld.example".to_owned(),
            recipient: "a@elders.example".to_owned(),
            subject: Some("Uw aanvraag".to_owned()),
            at: Some(moment(0)),
            reply: "451 4.2.0 mailbox is busy".to_owned(),
            until: moment(2),
        };
        vec![DelayedMail { subject: None, at: None, ..full.clone() }, full]
    }
}

/// The mail that says that a recipient's notification has left.
#[derive(Clone, Debug, Serialize)]
pub struct RelayedMail {
    /// Who was told.
    pub recipient: String,
    /// The subject, unless it holds a finding.
    pub subject: Option<String>,
    /// When the message was taken.
    pub at: Option<Time>,
    /// Where the sender sees what has become of his message.
    pub status: String,
    /// Where that leads.
    pub host: String,
}

impl MailView for RelayedMail {
    const TEMPLATE: &'static str = "relayed";

    fn samples() -> Vec<RelayedMail> {
        let (recipient, subject) = ("a@elders.example".to_owned(), Some("Uw aanvraag".to_owned()));
        let full =
            RelayedMail { status: sample_status(), host: "bericht.voorbeeld.example".to_owned(), recipient, subject, at: Some(moment(0)) };
        vec![RelayedMail { subject: None, at: None, ..full.clone() }, full]
    }
}

/// The mail that says that the SMS with a recipient's code did not arrive.
#[derive(Clone, Debug, Serialize)]
pub struct UndeliveredMail {
    /// Whose code it was.
    pub recipient: String,
    /// His number, masked.
    pub phone: String,
    /// When the message was taken.
    pub at: Time,
    /// Where the sender sees what has become of his message.
    pub status: String,
    /// Where that leads.
    pub host: String,
}

impl MailView for UndeliveredMail {
    const TEMPLATE: &'static str = "undelivered";

    fn samples() -> Vec<UndeliveredMail> {
        vec![UndeliveredMail {
            status: sample_status(),
            host: "bericht.voorbeeld.example".to_owned(),
            recipient: "a@elders.example".to_owned(),
            phone: "+31 6 ••••• 954".to_owned(),
            at: moment(0),
        }]
    }
}

/// The mail that says that a recipient's number is not his.
#[derive(Clone, Debug, Serialize)]
pub struct WrongNumberMail {
    /// Who says so.
    pub recipient: String,
    /// The number, masked.
    pub phone: String,
    /// When the message was taken.
    pub at: Time,
    /// Where the sender changes it.
    pub status: String,
    /// Where that leads.
    pub host: String,
}

impl MailView for WrongNumberMail {
    const TEMPLATE: &'static str = "wrong-number";

    fn samples() -> Vec<WrongNumberMail> {
        vec![WrongNumberMail {
            recipient: "a@elders.example".to_owned(),
            phone: "+31 6 ••••• 954".to_owned(),
            at: moment(0),
            status: sample_status(),
            host: "bericht.voorbeeld.example".to_owned(),
        }]
    }
}

/// The mail that says that a message is locked for a recipient.
#[derive(Clone, Debug, Serialize)]
pub struct LockedMail {
    /// For whom.
    pub recipient: String,
    /// When the message was taken.
    pub at: Time,
    /// Until when.
    pub until: Time,
    /// Where the sender sees what has become of his message.
    pub status: String,
    /// Where that leads.
    pub host: String,
}

impl MailView for LockedMail {
    const TEMPLATE: &'static str = "locked";

    fn samples() -> Vec<LockedMail> {
        vec![LockedMail {
            status: sample_status(),
            host: "bericht.voorbeeld.example".to_owned(),
            recipient: "a@elders.example".to_owned(),
            at: moment(0),
            until: moment(1),
        }]
    }
}

/// The mail that tells a recipient that his reply did not arrive.
#[derive(Clone, Debug, Serialize)]
pub struct ReplyNotSentMail {
    /// Who should have got it.
    pub sender: String,
    /// When he replied.
    pub at: Time,
}

impl MailView for ReplyNotSentMail {
    const TEMPLATE: &'static str = "reply-not-sent";

    fn samples() -> Vec<ReplyNotSentMail> {
        vec![ReplyNotSentMail { sender: "jan@voorbeeld.example".to_owned(), at: moment(0) }]
    }
}

/// The mail that tells a sender what a policy, or whoever decided, made of his message.
#[derive(Clone, Debug, Serialize)]
pub struct ToldMail {
    /// `noticed`, `quarantined`, `refused` or `expired`.
    pub what: &'static str,
    /// The recipients.
    pub recipients: Vec<String>,
    /// How many more there are.
    pub more: usize,
    /// The subject, unless it holds a finding.
    pub subject: Option<String>,
    /// When the message was taken.
    pub at: Time,
    /// What was found: a plain sentence each.
    pub why: Vec<String>,
    /// The policy.
    pub policy: String,
    /// Why it was refused, as whoever did so wrote.
    pub reason: Option<String>,
    /// The day before which somebody must decide.
    pub until: Option<Day>,
}

impl MailView for ToldMail {
    const TEMPLATE: &'static str = "told";

    fn samples() -> Vec<ToldMail> {
        let full = ToldMail {
            what: "quarantined",
            recipients: vec!["a@elders.example".to_owned()],
            more: 2,
            subject: Some("Uw aanvraag".to_owned()),
            at: moment(0),
            why: vec!["Er staat een burgerservicenummer in de bijlage.".to_owned()],
            policy: "Lijsten".to_owned(),
            reason: Some("Hoort in het portaal.".to_owned()),
            until: Some(moment(7).day()),
        };
        let bare = ToldMail { more: 0, subject: None, why: Vec::new(), reason: None, until: None, ..full.clone() };
        let other = |what| ToldMail { what, ..bare.clone() };
        vec![other("noticed"), other("refused"), other("expired"), bare, full]
    }
}

/// The mail that asks a sender how his message is to go.
#[derive(Clone, Debug, Serialize)]
pub struct AskMail {
    /// The recipients.
    pub recipients: Vec<String>,
    /// How many more there are.
    pub more: usize,
    /// The subject, unless it holds a finding.
    pub subject: Option<String>,
    /// When the message was taken.
    pub at: Time,
    /// Whether this reminds him of it.
    pub reminder: bool,
    /// What was found: a plain sentence each.
    pub why: Vec<String>,
    /// The policy.
    pub policy: String,
    /// The sender's link.
    pub link: String,
    /// Where it leads.
    pub host: String,
    /// The day before which he must choose.
    pub until: Day,
}

impl MailView for AskMail {
    const TEMPLATE: &'static str = "ask";

    fn essence(&self) -> Option<&str> {
        Some(&self.link)
    }

    fn samples() -> Vec<AskMail> {
        let full = AskMail {
            recipients: vec!["a@elders.example".to_owned()],
            more: 2,
            subject: Some("Uw aanvraag".to_owned()),
            at: moment(0),
            reminder: true,
            why: vec!["Er staat een burgerservicenummer in de bijlage.".to_owned()],
            policy: "Onleesbare bijlage".to_owned(),
            link: "https://bericht.voorbeeld.example/n/x".to_owned(),
            host: "bericht.voorbeeld.example".to_owned(),
            until: moment(7).day(),
        };
        vec![AskMail { reminder: false, more: 0, subject: None, why: Vec::new(), ..full.clone() }, full]
    }
}

fn sample_status() -> String {
    "https://bericht.voorbeeld.example/s/x".to_owned()
}
