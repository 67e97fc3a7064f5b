//! The values of the pages on which a sender decides and sees what became of his message.

use super::{PageView, moment, page::Fault};
use crate::time::{Day, Time};
use serde::Serialize;

/// The page on which a sender gives the numbers that are missing.
#[derive(Clone, Debug, Serialize)]
pub struct NumbersPage {
    /// The message's subject, unless it holds a finding.
    pub subject: Option<String>,
    /// When the message was taken.
    pub at: Time,
    /// A row per recipient without a number.
    pub rows: Vec<NumberRow>,
    /// How many others wait with them.
    pub others: usize,
    /// The day before which the numbers must be there.
    pub until: Day,
    /// How many rows are wrong.
    pub fault: Option<Fault>,
    /// The form's token.
    pub form: String,
}

/// One recipient without a number.
#[derive(Clone, Debug, Serialize)]
pub struct NumberRow {
    /// The field's name.
    pub name: String,
    /// The recipient's address.
    pub address: String,
    /// What was typed so far.
    pub value: String,
    /// What is wrong with it: the key of a text.
    pub fault: Option<&'static str>,
}

impl PageView for NumbersPage {
    const TEMPLATE: &'static str = "pages/numbers.html";

    fn faulty(&self) -> bool {
        self.fault.is_some()
    }

    fn form(&self) -> Option<&str> {
        Some(&self.form)
    }

    fn samples() -> Vec<NumbersPage> {
        let row = |fault| NumberRow {
            name: "number-0".to_owned(),
            address: "a@elders.example".to_owned(),
            value: "\"06".to_owned(),
            fault: Some(fault),
        };
        let full = NumbersPage {
            subject: Some("Uw aanvraag".to_owned()),
            at: moment(0),
            rows: ["phone-empty", "phone-invalid", "phone-no-sms", "phone-country"].map(row).into(),
            others: 2,
            until: moment(7).day(),
            fault: Some(Fault { word: "numbers-faults".to_owned(), n: Some(4), at: None }),
            form: "token".to_owned(),
        };
        let fresh = NumberRow { value: String::new(), fault: None, ..row("phone-empty") };
        vec![NumbersPage { subject: None, rows: vec![fresh], others: 0, fault: None, ..full.clone() }, full]
    }
}

/// A recipient of a message whose sender decides how it goes.
#[derive(Clone, Debug, Serialize)]
pub struct RecipientLine {
    /// His address.
    pub address: String,
    /// A policy asks for level 2 for him.
    pub code: bool,
    /// It can't go to him as it is.
    pub protected: bool,
}

/// The sender's page for a message about which he decides.
#[derive(Clone, Debug, Serialize)]
pub struct DecidePage {
    /// The message's subject, unless it holds a finding.
    pub subject: Option<String>,
    /// When the message was taken.
    pub at: Time,
    /// How many recipients wait.
    pub recipients: usize,
    /// Who they are, the first of them.
    pub named: Vec<RecipientLine>,
    /// How many more there are.
    pub more: usize,
    /// How many of all get a code whatever he chooses.
    pub codes: usize,
    /// Whether level 1 is on offer: no policy asks for more, for one of them at least.
    pub level_1: bool,
    /// To how many of them it may go as it is.
    pub openly: usize,
    /// The reason as it was typed.
    pub reason: String,
    /// How long it may be, in characters.
    pub most_chars: usize,
    /// What is wrong with it: the key of a text.
    pub fault: Option<&'static str>,
    /// The day before which he must choose.
    pub until: Day,
    /// The form's token.
    pub form: String,
}

impl PageView for DecidePage {
    const TEMPLATE: &'static str = "pages/decide.html";

    fn faulty(&self) -> bool {
        self.fault.is_some()
    }

    fn form(&self) -> Option<&str> {
        Some(&self.form)
    }

    fn samples() -> Vec<DecidePage> {
        let (subject, form) = (Some("Uw aanvraag".to_owned()), "token".to_owned());
        let full = DecidePage {
            subject,
            at: moment(0),
            recipients: 2,
            named: vec![
                RecipientLine { address: "burger@post.example".to_owned(), code: false, protected: false },
                RecipientLine { address: "buur@post.example".to_owned(), code: true, protected: true },
            ],
            more: 3,
            codes: 1,
            level_1: true,
            openly: 1,
            reason: "Al \"openbaar\" <b>".to_owned(),
            most_chars: 300,
            fault: Some("reason-long"),
            until: moment(7).day(),
            form,
        };
        let fresh = DecidePage { openly: 2, codes: 0, more: 0, reason: String::new(), fault: None, ..full.clone() };
        let empty = DecidePage { fault: Some("reason-empty"), ..fresh.clone() };
        vec![DecidePage { subject: None, level_1: false, openly: 0, ..fresh.clone() }, fresh, empty, full]
    }
}

/// The sender's page that asks once more before a message goes as he wrote it.
#[derive(Clone, Debug, Serialize)]
pub struct OpenlyPage {
    /// The message's subject, unless it holds a finding.
    pub subject: Option<String>,
    /// When the message was taken.
    pub at: Time,
    /// To whom it goes so, the first of them.
    pub named: Vec<String>,
    /// How many more there are.
    pub more: usize,
    /// For how many others it stays protected.
    pub protected: usize,
    /// Why, as he wrote it.
    pub reason: String,
    /// The form's token.
    pub form: String,
}

impl PageView for OpenlyPage {
    const TEMPLATE: &'static str = "pages/openly.html";

    fn samples() -> Vec<OpenlyPage> {
        let full = OpenlyPage {
            subject: Some("Uw aanvraag".to_owned()),
            at: moment(0),
            named: vec!["burger@post.example".to_owned()],
            more: 2,
            protected: 1,
            reason: "Al \"openbaar\" <b>".to_owned(),
            form: "token".to_owned(),
        };
        vec![OpenlyPage { subject: None, more: 0, protected: 0, ..full.clone() }, full]
    }
}

/// The page on which a sender sees what has become of his message.
#[derive(Clone, Debug, Serialize)]
pub struct StatusPage {
    /// The message's subject, unless it holds a finding or is not known.
    pub subject: Option<String>,
    /// When the message was taken.
    pub at: Time,
    /// `sent`, `blocked`, `recalled`, `cancelled` (recalled before anybody had it), `held`, `waiting` or `gone`.
    pub state: &'static str,
    /// The last day of the message.
    pub expires: Day,
    /// How many have read it.
    pub read: usize,
    /// The recipients who have a link.
    pub rows: Vec<StatusRow>,
    /// The recipients who wait.
    pub waiting: Vec<String>,
    /// Where the sender gives what they wait for, if this link leads there too.
    pub numbers: Option<String>,
    /// Whether somebody was to get it as it was written.
    pub openly: bool,
    /// Whether its day can be moved.
    pub moves: bool,
    /// The day in the form, as it was typed.
    pub day: String,
    /// The first day to which it can be moved.
    pub first_day: Day,
    /// The last one.
    pub last_day: Day,
    /// What is wrong with a form: the key of a text.
    pub fault: Option<&'static str>,
    /// With which: `recall`, `day`, `number`, or nothing.
    pub wrong: &'static str,
    /// The form's token.
    pub form: String,
}

/// A recipient who has a link.
#[derive(Clone, Debug, Serialize)]
pub struct StatusRow {
    /// The grant, as the form names it.
    pub grant: String,
    /// His address.
    pub address: String,
    /// His number, masked, at level 2.
    pub phone: Option<String>,
    /// When the mail with the link left.
    pub notified: Option<Time>,
    /// When it came back, or was given up.
    pub failed: Option<Time>,
    /// When he first read the message.
    pub read: Option<Time>,
    /// Until when it is locked for him.
    pub locked_until: Option<Time>,
    /// The files.
    pub files: Vec<StatusFile>,
    /// Whether a number was given that is wrong.
    pub wrong: bool,
    /// That number, as it was typed.
    pub typed: String,
}

/// A file, and when a recipient first had it.
#[derive(Clone, Debug, Serialize)]
pub struct StatusFile {
    /// Its number, from 1.
    pub number: usize,
    /// Its name, where the link opens that.
    pub name: Option<String>,
    /// When it was first fetched or looked at.
    pub at: Option<Time>,
}

impl PageView for StatusPage {
    const TEMPLATE: &'static str = "pages/status.html";

    fn faulty(&self) -> bool {
        self.fault.is_some()
    }

    fn samples() -> Vec<StatusPage> {
        let file = |name: Option<&str>, at| StatusFile { number: 1, name: name.map(str::to_owned), at };
        let row = StatusRow {
            grant: "0".to_owned(),
            address: "a@elders.example".to_owned(),
            phone: Some("+31 6 ••••• 954".to_owned()),
            notified: Some(moment(0)),
            failed: None,
            read: Some(moment(1)),
            locked_until: Some(moment(2)),
            files: vec![file(Some("brief <b>.pdf"), Some(moment(1))), file(None, Some(moment(1))), file(Some("x"), None)],
            wrong: false,
            typed: String::new(),
        };
        let fresh = StatusRow { phone: None, notified: None, read: None, locked_until: None, files: Vec::new(), ..row.clone() };
        let failed = StatusRow { failed: Some(moment(0)), ..fresh.clone() };
        let full = StatusPage {
            subject: Some("Uw aanvraag".to_owned()),
            at: moment(0),
            state: "sent",
            expires: moment(30).day(),
            read: 1,
            rows: vec![row, fresh, failed],
            waiting: vec!["b@elders.example".to_owned()],
            numbers: Some("/n/x".to_owned()),
            openly: true,
            moves: true,
            day: moment(30).day().to_string(),
            first_day: moment(1).day(),
            last_day: moment(365).day(),
            fault: None,
            wrong: "",
            form: "token".to_owned(),
        };
        let wrong = |wrong, fault| StatusPage { wrong, fault: Some(fault), ..full.clone() };
        let other = |state| StatusPage { state, subject: None, read: 0, numbers: None, openly: false, moves: false, ..full.clone() };
        let mut samples: Vec<_> = ["sent", "blocked", "recalled", "cancelled", "held", "waiting", "gone"].map(other).into();
        samples.extend([wrong("recall", "status-sure-fault"), wrong("day", "status-day-fault")]);
        let mut number = wrong("number", "phone-invalid");
        number.rows.iter_mut().take(1).for_each(|row| (row.wrong, row.typed) = (true, "\"06".to_owned()));
        samples.push(number);
        samples.extend([StatusPage { state: "held", ..full.clone() }, StatusPage { state: "recalled", ..full.clone() }, full]);
        samples
    }
}
