//! The values of the pages that recipients and everybody else see.

use super::{PageView, moment};
use crate::time::{Day, Time};
use serde::Serialize;

/// What was wrong with what somebody filled in: a text and the values it may use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The text's key.
    pub word: String,
    /// How many: tries left, numbers that are wrong.
    pub n: Option<u32>,
    /// When it can be done again.
    pub at: Option<Time>,
}

impl Fault {
    /// A text without values.
    #[must_use]
    pub fn new(word: impl Into<String>) -> Fault {
        Fault { word: word.into(), n: None, at: None }
    }
}

/// Where a recipient stands on the way to the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// No password or code is pending: the button that sends one.
    Ask,
    /// One was sent: the field to give it.
    Enter,
    /// Too many wrong ones: nothing but waiting.
    Locked,
}

/// The page behind a recipient's link.
#[derive(Clone, Debug, Serialize)]
pub struct StartPage {
    /// The sender's address.
    pub sender: String,
    /// 1 or 2.
    pub level: u8,
    /// The recipient's address, masked.
    pub address: String,
    /// At level 2 the recipient's number, masked.
    pub phone: Option<String>,
    /// What is shown.
    pub stage: Stage,
    /// When the pending password or code was sent.
    pub sent: Option<Time>,
    /// What is known of the SMS that brought the code, where that is news: `unsure` or `undelivered`.
    pub fate: Option<&'static str>,
    /// When he said that the number is not his.
    pub doubted: Option<Time>,
    /// Whether the sender can be told so.
    pub tells: bool,
    /// How long a password or code works.
    pub minutes: u64,
    /// Until when nothing is taken.
    pub locked_until: Option<Time>,
    /// What was wrong with the last answer.
    pub fault: Option<Fault>,
    /// The code by which mail and page know each other.
    pub reference: String,
    /// The last day of the message.
    pub expires: Day,
    /// The form's token.
    pub form: String,
}

impl PageView for StartPage {
    const TEMPLATE: &'static str = "pages/start.html";

    fn faulty(&self) -> bool {
        self.fault.is_some()
    }

    fn form(&self) -> Option<&str> {
        Some(&self.form)
    }

    fn samples() -> Vec<StartPage> {
        let base = |level, stage, fault: Option<Fault>| StartPage {
            sender: "jan@voorbeeld.example".to_owned(),
            level,
            address: "a•••@elders.example".to_owned(),
            phone: (level == 2).then(|| "+31 6 ••••• 954".to_owned()),
            stage,
            sent: (stage == Stage::Enter).then(|| moment(0)),
            fate: None,
            doubted: None,
            tells: true,
            minutes: 30,
            locked_until: (stage == Stage::Locked).then(|| moment(1)),
            fault,
            reference: "ABCD-2345".to_owned(),
            expires: moment(30).day(),
            form: "token".to_owned(),
        };
        let fault = |word: &str| Some(Fault { word: word.to_owned(), n: Some(2), at: Some(moment(0)) });
        let mut all: Vec<_> =
            [Stage::Ask, Stage::Enter, Stage::Locked].into_iter().flat_map(|stage| [base(1, stage, None), base(2, stage, None)]).collect();
        for kind in ["password", "code"] {
            let level = if kind == "code" { 2 } else { 1 };
            all.extend(["wrong", "empty"].map(|f| base(level, Stage::Enter, fault(&format!("fault-{f}-{kind}")))));
            all.extend(["dead", "none", "limit"].map(|f| base(level, Stage::Ask, fault(&format!("fault-{f}-{kind}")))));
        }
        let of_sms = ["later", "refused", "stopped", "unreachable", "country", "spent"].map(|f| format!("fault-sms-{f}"));
        all.extend(of_sms.iter().map(|f| base(2, Stage::Ask, fault(f))));
        all.extend(["fault-again", "fault-wrong-number"].map(|f| base(2, Stage::Ask, fault(f))));
        all.push(StartPage { doubted: Some(moment(0)), ..base(2, Stage::Ask, None) });
        all.push(StartPage { tells: false, ..base(2, Stage::Ask, None) });
        all.extend(["unsure", "undelivered"].map(|fate| StartPage { fate: Some(fate), ..base(2, Stage::Enter, None) }));
        all
    }
}

/// The message behind the code.
#[derive(Clone, Debug, Serialize)]
pub struct MessagePage {
    /// Its subject; empty when it has none.
    pub subject: String,
    /// The sender's name; may be empty.
    pub sender_name: String,
    /// The sender's address.
    pub sender: String,
    /// When it was sent.
    pub at: Time,
    /// Now, for "an hour ago".
    pub now: Time,
    /// Its text, unless its HTML is shown.
    pub text: Option<String>,
    /// The text is longer than a page can show.
    pub text_cut: bool,
    /// Whether its HTML is shown, in a frame.
    pub html: bool,
    /// Whether its HTML is left out because it can't be made safe.
    pub too_complex: bool,
    /// Attachments, and the text where it could not be shown whole.
    pub files: Vec<File>,
    /// How many of them are attachments: several can be had at once.
    pub attachments: usize,
    /// Pictures that belong in the text.
    pub pictures: Vec<File>,
    /// What its recipient replied, oldest first.
    pub said: Vec<Said>,
    /// Whether the last of it was sent a moment ago.
    pub just_sent: bool,
    /// The form for a reply, where somebody takes one.
    pub reply: Option<ReplyForm>,
    /// Where its parts are, without a slash at the end.
    pub path: String,
    /// The forms' token.
    pub form: String,
}

/// What a recipient replied.
#[derive(Clone, Debug, Serialize)]
pub struct Said {
    /// Its name within the conversation.
    pub id: String,
    /// When.
    pub at: Time,
    /// Its text; may be empty.
    pub text: String,
    /// Its files.
    pub files: Vec<File>,
}

/// The form for a reply.
#[derive(Clone, Debug, Serialize)]
pub struct ReplyForm {
    /// Who gets it.
    pub to: String,
    /// What makes a second press of the same button known.
    pub once: String,
    /// What was typed so far.
    pub text: String,
    /// All files together.
    pub most_bytes: u64,
    /// How many files.
    pub most_files: usize,
    /// What was wrong with it.
    pub fault: Option<Fault>,
}

/// A file that can be downloaded.
#[derive(Clone, Debug, Serialize)]
pub struct File {
    /// Its place among the parts of the message.
    pub number: usize,
    /// Its name, safe to show and to save under.
    pub name: String,
    /// Its size.
    pub size_bytes: u64,
    /// Whether it can be shown in the browser.
    pub view: bool,
}

impl PageView for MessagePage {
    const TEMPLATE: &'static str = "pages/message.html";

    fn faulty(&self) -> bool {
        self.reply.as_ref().is_some_and(|reply| reply.fault.is_some())
    }

    fn form(&self) -> Option<&str> {
        Some(&self.form)
    }

    fn samples() -> Vec<MessagePage> {
        let file = File { number: 0, name: "overzicht <2026>.xlsx".to_owned(), size_bytes: 12_345, view: true };
        let plain = File { view: false, ..file.clone() };
        let said = Said { id: "0".to_owned(), at: moment(0), text: "Dank u.\n\n{{7*7}}".to_owned(), files: vec![] };
        let reply = |fault| ReplyForm {
            to: "jan@voorbeeld.example".to_owned(),
            once: "token".to_owned(),
            text: "Dank <u>".to_owned(),
            most_bytes: 25_000_000,
            most_files: 20,
            fault,
        };
        let full = MessagePage {
            subject: "Uw aanvraag".to_owned(),
            sender_name: "Jan de Vries".to_owned(),
            sender: "jan@voorbeeld.example".to_owned(),
            at: moment(0),
            now: moment(1),
            text: Some("Geachte mevrouw,\n\n{{7*7}}".to_owned()),
            text_cut: true,
            html: false,
            too_complex: true,
            files: vec![file.clone(), plain],
            attachments: 2,
            pictures: vec![file.clone()],
            said: vec![said.clone(), Said { text: String::new(), files: vec![file], ..said }],
            just_sent: true,
            reply: Some(reply(None)),
            path: "/r/0".to_owned(),
            form: "token".to_owned(),
        };
        let bare = MessagePage {
            subject: String::new(),
            sender_name: String::new(),
            text: None,
            text_cut: false,
            too_complex: false,
            files: vec![],
            attachments: 0,
            pictures: vec![],
            said: vec![],
            just_sent: false,
            reply: None,
            ..full.clone()
        };
        let faults = ["large", "many", "long", "empty", "often"].map(|f| Fault { word: format!("fault-reply-{f}"), n: Some(25), at: None });
        let mut all = vec![MessagePage { html: true, ..full.clone() }, full.clone(), bare];
        all.extend(faults.map(|fault| MessagePage { reply: Some(reply(Some(fault))), ..full.clone() }));
        all
    }
}

/// The mail's HTML in its frame.
#[derive(Clone, Debug, Serialize)]
pub struct TextPage {
    /// Sanitised HTML; written as it is.
    #[serde(serialize_with = "as_markup")]
    pub html: String,
}

fn as_markup<S: serde::Serializer>(html: &str, to: S) -> Result<S::Ok, S::Error> {
    minijinja::Value::from_safe_string(html.to_owned()).serialize(to)
}

impl PageView for TextPage {
    const TEMPLATE: &'static str = "pages/text.html";

    fn samples() -> Vec<TextPage> {
        vec![TextPage { html: "<p>Geachte mevrouw</p>".to_owned() }]
    }
}

/// An attachment, shown in the browser.
#[derive(Clone, Debug, Serialize)]
pub struct ViewPage {
    /// Its name, safe to show.
    pub name: String,
    /// Its place among the parts of the message.
    pub number: usize,
    /// Its text, if it is one.
    pub text: Option<String>,
    /// The text is longer than a page can show.
    pub cut: bool,
    /// Where its picture is, if it is one.
    pub picture: Option<String>,
    /// Where the message is.
    pub path: String,
    /// The form's token.
    pub form: String,
}

impl PageView for ViewPage {
    const TEMPLATE: &'static str = "pages/view.html";

    fn form(&self) -> Option<&str> {
        Some(&self.form)
    }

    fn samples() -> Vec<ViewPage> {
        let text = ViewPage {
            name: "brief <1>.txt".to_owned(),
            number: 1,
            text: Some("Geachte mevrouw,\n\n{{7*7}}".to_owned()),
            cut: true,
            picture: None,
            path: "/r/0".to_owned(),
            form: "token".to_owned(),
        };
        vec![ViewPage { text: None, cut: false, picture: Some("/r/0/picture/1".to_owned()), ..text.clone() }, text]
    }
}

/// The page that tells whether a mail is genuine.
#[derive(Clone, Debug, Serialize)]
pub struct CheckPage {
    /// What was typed.
    pub reference: String,
    /// `ask`, `faulty`, `known` or `unknown`.
    pub stage: &'static str,
    /// When the mail was sent, of a known one.
    pub on: Option<Day>,
    /// Where links of genuine mails lead.
    pub host: String,
}

/// What is known of the code of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// Nothing was asked yet.
    Ask,
    /// It is no code.
    Faulty,
    /// A mail of that day bears it.
    Known(Day),
    /// No mail of ours bears it, or its message is gone.
    Unknown,
}

impl CheckPage {
    /// The page about `reference`; links of genuine mails lead to `host`.
    #[must_use]
    pub fn new(reference: String, checked: Checked, host: String) -> CheckPage {
        let (stage, on) = match checked {
            Checked::Ask => ("ask", None),
            Checked::Faulty => ("faulty", None),
            Checked::Known(day) => ("known", Some(day)),
            Checked::Unknown => ("unknown", None),
        };
        CheckPage { reference, stage, on, host }
    }
}

impl PageView for CheckPage {
    const TEMPLATE: &'static str = "pages/check.html";

    fn faulty(&self) -> bool {
        self.stage == "faulty"
    }

    fn samples() -> Vec<CheckPage> {
        let all = [Checked::Ask, Checked::Faulty, Checked::Known(moment(0).day()), Checked::Unknown];
        all.map(|checked| CheckPage::new("ABCD-2345".to_owned(), checked, "bericht.voorbeeld.example".to_owned())).into()
    }
}

/// A page that only says something.
#[derive(Clone, Debug, Serialize)]
pub struct NoticePage {
    /// The heading: the key of a text.
    pub title: &'static str,
    /// The sentences: keys of texts, which may use the organisation's name.
    pub sentences: &'static [&'static str],
    /// Whom to ask.
    pub sender: Option<String>,
    /// Where a sender sees what becomes of his message.
    pub status: Option<String>,
}

impl NoticePage {
    const fn of(title: &'static str, sentences: &'static [&'static str]) -> NoticePage {
        NoticePage { title, sentences, sender: None, status: None }
    }

    /// A link that opens nothing, for whatever reason.
    pub const GONE: NoticePage = NoticePage::of("gone-title", &["gone", "gone-link", "gone-ask"]);
    /// Its sender has blocked or recalled the message.
    pub const WITHDRAWN: NoticePage = NoticePage::of("withdrawn-title", &["withdrawn", "withdrawn-ask"]);
    /// The session has ended, or is another browser's.
    pub const CLOSED: NoticePage = NoticePage::of("closed-title", &["closed", "closed-again"]);
    /// The message was closed by its reader.
    pub const LEFT: NoticePage = NoticePage::of("left-title", &["left"]);
    /// The portal without a link.
    pub const HOME: NoticePage = NoticePage::of("home-title", &["home", "home-how"]);
    /// A file that is not what its name says, or too large to show.
    pub const UNSHOWN: NoticePage = NoticePage::of("unshown-title", &["unshown"]);
    /// The numbers are there, the message has left.
    pub const NUMBERS_DONE: NoticePage = NoticePage::of("numbers-done-title", &["numbers-done", "numbers-done-kept"]);
    /// The sender has chosen, the message has left.
    pub const DECIDED: NoticePage = NoticePage::of("decide-done-title", &["numbers-done"]);
    /// The sender has decided that it goes as he wrote it.
    pub const SENT_OPENLY: NoticePage = NoticePage::of("decide-done-title", &["openly-done", "openly-done-others"]);
    /// The numbers did not come in time, the message was given up.
    pub const NUMBERS_TOO_LATE: NoticePage = NoticePage::of("numbers-late-title", &["numbers-late", "numbers-late-who", "numbers-late-do"]);
    /// A form whose token or origin is wrong.
    pub const FORM: NoticePage = NoticePage::of("refused-form-title", &["refused-form"]);
    /// A request that can't be read.
    pub const REQUEST: NoticePage = NoticePage::of("refused-request-title", &["refused-request"]);
    /// An address that doesn't exist.
    pub const MISSING: NoticePage = NoticePage::of("refused-missing-title", &["refused-missing"]);
    /// A method that this address doesn't know.
    pub const METHOD: NoticePage = NoticePage::of("refused-method-title", &["refused-method"]);
    /// A form that is too large.
    pub const LARGE: NoticePage = NoticePage::of("refused-large-title", &["refused-large"]);
    /// A host name that isn't ours.
    pub const HOST: NoticePage = NoticePage::of("refused-host-title", &["refused-host"]);
    /// Too much at once.
    pub const BUSY: NoticePage = NoticePage::of("refused-busy-title", &["refused-busy"]);
    /// Too many tries from one address.
    pub const OFTEN: NoticePage = NoticePage::of("refused-often-title", &["refused-often"]);
    /// The store can't be reached.
    pub const DOWN: NoticePage = NoticePage::of("refused-down-title", &["refused-down"]);
    /// A part that doesn't open.
    pub const DAMAGED: NoticePage = NoticePage::of("refused-damaged-title", &["refused-damaged"]);
    /// A fault of zegel.
    pub const ERROR: NoticePage = NoticePage::of("refused-error-title", &["refused-error"]);
}

impl PageView for NoticePage {
    const TEMPLATE: &'static str = "pages/notice.html";

    fn samples() -> Vec<NoticePage> {
        use NoticePage as N;
        let (sender, status) = (Some("jan@voorbeeld.example".to_owned()), Some("/s/x".to_owned()));
        vec![
            N { sender, status, ..N::WITHDRAWN },
            N::GONE,
            N::CLOSED,
            N::LEFT,
            N::HOME,
            N::UNSHOWN,
            N::NUMBERS_DONE,
            N::DECIDED,
            N::SENT_OPENLY,
            N::NUMBERS_TOO_LATE,
            N::FORM,
            N::REQUEST,
            N::MISSING,
            N::METHOD,
            N::LARGE,
            N::HOST,
            N::BUSY,
            N::OFTEN,
            N::DOWN,
            N::DAMAGED,
            N::ERROR,
        ]
    }
}
