//! What a provider's file says: how it is asked, what its answers mean, and how it reports what became of an SMS.

mod read;

use super::{
    signature::Signature,
    template::{Template, Word},
};
use reqwest::StatusCode;

/// A provider, as its file describes it.
#[derive(Clone)]
pub struct Provider {
    /// By which name it is known: in the log, in metrics, in the address of its reports.
    pub(super) name: String,
    /// What `[sms]` must say for it.
    pub needs: Needs,
    pub(super) ask: Ask,
    pub(super) answers: Answers,
    pub(super) reports: Option<Reports>,
}

/// What `[sms]` must say for a provider.
#[derive(Clone, Debug)]
pub struct Needs {
    /// How its maker is called: `Twilio`.
    pub title: String,
    /// What to write as `account`; `None` when it has none.
    pub account: Option<String>,
    /// How an account begins.
    pub account_begins: String,
    /// What to write as `sender`; `None` when it is a number or a name.
    pub sender: Option<String>,
}

/// How a provider is asked to send.
#[derive(Clone)]
pub(super) struct Ask {
    /// Scheme and host, without a slash at the end; `[sms] url` takes its place.
    pub(super) host: String,
    /// What stands behind it.
    pub(super) path: Template,
    /// Name and password of Basic authentication (RFC 7617), with a colon between them.
    pub(super) basic: Option<Template>,
    pub(super) headers: Vec<(String, Template)>,
    pub(super) content_type: &'static str,
    pub(super) body: Template,
}

/// What a provider's answers mean.
#[derive(Clone)]
pub(super) struct Answers {
    /// The statuses of an SMS that it has taken. Another 2xx is told in the log.
    pub(super) success: Vec<u16>,
    /// Where its own name for the SMS stands (JSON pointer, RFC 6901).
    pub(super) id: Option<String>,
    /// Where its error code stands.
    pub(super) code: Vec<String>,
    /// Which codes mean what.
    pub(super) meanings: Vec<(Meaning, Vec<String>)>,
}

/// What an error code means to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// There is no such number, or never an SMS for it.
    Number,
    /// Its owner wants no SMS of this sender.
    OptedOut,
    /// The telephone is off, or out of reach.
    Unreachable,
    /// We ask too much at once.
    BackOff,
}

/// Each meaning as files write it.
pub(super) const MEANINGS: [(&str, Meaning); 4] =
    [("number", Meaning::Number), ("opted_out", Meaning::OptedOut), ("unreachable", Meaning::Unreachable), ("back_off", Meaning::BackOff)];

/// How a provider reports what became of an SMS.
#[derive(Clone)]
pub(super) struct Reports {
    /// Whether it may come by GET.
    pub(super) by_get: bool,
    /// Whether its body is JSON, rather than a form.
    pub(super) json: bool,
    /// Where our reference stands; `None` when it is the end of the address.
    pub(super) reference: Option<String>,
    /// Where the state stands.
    pub(super) status: String,
    pub(super) delivered: Vec<String>,
    pub(super) undelivered: Vec<String>,
    pub(super) signature: Signature,
}

/// By what secret reports prove themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportSecret {
    /// There are no reports, or none that a secret would prove.
    Needless,
    /// By the one that requests bear.
    Same,
    /// By one of its own, with which they are signed.
    Own,
    /// By one of its own, which stands in the address that the provider is given.
    InAddress,
}

impl Provider {
    /// By what secret its reports prove themselves.
    #[must_use]
    pub fn report_secret(&self) -> ReportSecret {
        match self.reports.as_ref().map(|reports| &reports.signature) {
            None | Some(Signature::Addresses(_)) => ReportSecret::Needless,
            Some(Signature::Twilio { .. }) => ReportSecret::Same,
            Some(Signature::Hmac { .. } | Signature::Jwt { .. }) => ReportSecret::Own,
            Some(Signature::Basic | Signature::Key { .. }) => ReportSecret::InAddress,
        }
    }
}

impl Ask {
    /// Whether a request says `word`.
    fn uses(&self, word: Word) -> bool {
        let headers = self.headers.iter().map(|(_, value)| value);
        headers.chain([&self.path, &self.body]).chain(&self.basic).any(|template| template.uses(word))
    }
}

impl Answers {
    /// The error code of an answer, if it has one: a number or a text.
    pub(super) fn code(&self, answer: &serde_json::Value) -> Option<String> {
        self.code.iter().find_map(|pointer| scalar(answer.pointer(pointer)?))
    }

    /// What a code means, where the file says so.
    pub(super) fn meaning(&self, code: &str) -> Option<Meaning> {
        self.meanings.iter().find(|(_, codes)| codes.iter().any(|c| c == code)).map(|(meaning, _)| *meaning)
    }

    /// Whether this is the status of an SMS that was taken.
    pub(super) fn is_success(&self, status: StatusCode) -> bool {
        self.success.contains(&status.as_u16())
    }
}

/// A text or a number of JSON, as text.
pub(super) fn scalar(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
