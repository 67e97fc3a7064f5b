//! An account with a provider: one SMS is one request, or a second one where the first surely sent nothing.

use super::{
    Reported, Sms, SmsError,
    breaker::Breaker,
    provider::{Meaning, Provider},
    report::Report,
    template::Word,
};
use crate::{secret::Secret, time::Time};
use reqwest::{
    Response, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};
use std::time::Duration;
use tokio::time::Instant;

/// No answer of a provider is longer.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// No name or code of a provider is longer, as far as the log is concerned.
const MAX_WORD: usize = 64;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Connecting.
    pub connect: Duration,
    /// All that is done for one SMS: the recipient's page waits for it.
    pub all: Duration,
    /// Waiting because a provider says so; it is left alone instead if it wants more.
    pub wait: Duration,
    /// Before the second request where the provider does not say.
    pub pause: Duration,
}

impl Default for Times {
    fn default() -> Times {
        let [connect, all, wait] = [5, 15, 3].map(Duration::from_secs);
        Times { connect, all, wait, pause: Duration::from_millis(300) }
    }
}

/// An account with a provider, as the configuration has it.
#[derive(Clone)]
pub struct Account {
    /// The provider.
    pub provider: Provider,
    /// By which name it knows us; empty where it does without.
    pub account: String,
    /// Whom SMS come from.
    pub sender: String,
    /// By which it knows that it is us.
    pub secret: Secret<String>,
    /// By which we know that a report is its; without it none is taken.
    pub report_secret: Option<Secret<String>>,
    /// Another scheme and host than the provider's own, without a slash at the end.
    pub url: Option<String>,
}

/// An account that sends.
pub(super) struct Carrier {
    account: Account,
    client: reqwest::Client,
    times: Times,
    pub(super) breaker: Breaker,
}

/// What came of asking a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It has taken the SMS.
    Sent,
    /// It may have.
    Perhaps,
    /// It has not, and another will not either.
    Refused(SmsError),
    /// It says that it has not, in an answer behind which nobody is asked again.
    Stopped,
    /// It has not; so long it wants to be left alone.
    Failed(Option<Duration>),
}

/// What one request came to.
enum Answer {
    Final(Outcome),
    /// Nothing was sent, and it may go better after this time, if the provider says one.
    Retry(Option<Duration>),
}

impl Carrier {
    pub(super) fn new(account: Account, times: Times) -> Result<Carrier, String> {
        let client = reqwest::Client::builder()
            .connect_timeout(times.connect)
            // A connection of its own for each SMS: one that is kept may be gone when it is used, and nobody knows then whether anything was sent.
            .pool_max_idle_per_host(0)
            // A provider's answer never sends our codes elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .build()
            .map_err(|e| format!("no HTTP client for SMS: {e}"))?;
        Ok(Carrier { account, client, times, breaker: Breaker::default() })
    }

    pub(super) fn name(&self) -> &str {
        &self.account.provider.name
    }

    pub(super) fn times(&self) -> Times {
        self.times
    }

    pub(super) fn reports_by_get(&self) -> bool {
        self.account.provider.reports.as_ref().is_some_and(|reports| reports.by_get)
    }

    /// What `reported` says, if it is a genuine report of this account's.
    pub(super) fn report(&self, reported: &Reported<'_>, now: Time) -> Option<Report> {
        self.account.provider.reports.as_ref()?.read(reported, self.account.report_secret.as_ref()?, now)
    }

    /// One request, and one more after a failure that surely sent nothing; never after a 2xx.
    pub(super) async fn send(&self, sms: &Sms<'_>, deadline: Instant) -> Outcome {
        let wait = match self.request(sms, deadline).await {
            Answer::Final(outcome) => return outcome,
            Answer::Retry(Some(wait)) if wait > self.times.wait => return Outcome::Failed(Some(wait)),
            Answer::Retry(wait) => wait.unwrap_or(self.times.pause),
        };
        tokio::time::sleep(wait).await;
        match self.request(sms, deadline).await {
            Answer::Final(outcome) => outcome,
            Answer::Retry(wait) => Outcome::Failed(wait.filter(|wait| *wait > self.times.wait)),
        }
    }

    async fn request(&self, sms: &Sms<'_>, deadline: Instant) -> Answer {
        let (name, reference) = (self.name(), sms.reference);
        // With less time than that nobody would know whether it was the connecting that took too long.
        if Instant::now() + self.times.connect > deadline {
            tracing::warn!("sms {reference} not sent by {name}: no time is left to ask it");
            return Answer::Final(Outcome::Failed(None));
        }
        let Some(request) = self.compose(sms) else {
            tracing::error!("sms {reference} not sent: a header for {name} holds what no header can; look at [sms] and the secret");
            return Answer::Final(Outcome::Failed(None));
        };
        let response = match tokio::time::timeout_at(deadline, request.send()).await {
            Ok(Ok(response)) => response,
            // Only a connection that was never made surely sent nothing. One that takes too long would do so again.
            Ok(Err(e)) if e.is_connect() => {
                tracing::warn!("sms {reference} not sent by {name}: it can't be reached");
                return if e.is_timeout() { Answer::Final(Outcome::Failed(None)) } else { Answer::Retry(None) };
            }
            Ok(Err(_)) | Err(_) => {
                tracing::warn!("sms {reference} perhaps sent by {name}: no answer came");
                return Answer::Final(Outcome::Perhaps);
            }
        };
        let status = response.status();
        let wait = retry_after(response.headers());
        let body = tokio::time::timeout_at(deadline, json(response)).await.ok().flatten();
        self.judge(status, body.as_ref(), wait, sms)
    }

    /// The request; `None` when a value does not fit its header.
    fn compose(&self, sms: &Sms<'_>) -> Option<reqwest::RequestBuilder> {
        let (ask, account) = (&self.account.provider.ask, &self.account);
        let value = |word| match word {
            Word::To => sms.to.expose().to_owned(),
            Word::ToDigits => sms.to.expose().trim_start_matches('+').to_owned(),
            Word::To00 => sms.to.expose().replacen('+', "00", 1),
            Word::Text => sms.text.expose().clone(),
            Word::Sender => account.sender.clone(),
            Word::Reference => sms.reference.to_string(),
            Word::Account => account.account.clone(),
            Word::Secret => account.secret.expose().clone(),
            Word::ReportUrl => format!("{}/sms/{}/{}", sms.portal, self.name(), sms.reference),
            Word::Seconds => sms.lifetime.as_secs().to_string(),
        };
        let host = account.url.as_ref().unwrap_or(&ask.host);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(ask.content_type));
        for (name, template) in &ask.headers {
            let mut filled = HeaderValue::from_str(&template.fill(value)).ok()?;
            filled.set_sensitive(true);
            headers.insert(HeaderName::from_bytes(name.as_bytes()).ok()?, filled);
        }
        if let Some(basic) = &ask.basic {
            use base64::Engine as _;
            let mut filled =
                HeaderValue::from_str(&format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(basic.fill(value)))).ok()?;
            filled.set_sensitive(true);
            headers.insert(AUTHORIZATION, filled);
        }
        Some(self.client.post(format!("{host}{}", ask.path.fill(value))).headers(headers).body(ask.body.fill(value)))
    }

    /// What an answer means. Neither it nor anything of it but codes reaches the log.
    fn judge(&self, status: StatusCode, body: Option<&serde_json::Value>, wait: Option<Duration>, sms: &Sms<'_>) -> Answer {
        let (name, answers, reference) = (self.name(), &self.account.provider.answers, sms.reference);
        let code = body.and_then(|body| answers.code(body)).unwrap_or_default();
        let meaning = answers.meaning(&code);
        if status.is_success() {
            return Answer::Final(self.taken(status, body, meaning, sms));
        }
        let told = format!("status={} code={}", status.as_u16(), loggable(&code, sms));
        match (status, meaning) {
            (_, Some(Meaning::BackOff)) | (StatusCode::TOO_MANY_REQUESTS, _) => {
                tracing::warn!("sms {reference} not sent by {name}, which has too much to do: {told}");
                Answer::Retry(wait.or(Some(Duration::from_secs(1))))
            }
            (_, Some(meaning)) => {
                tracing::warn!("sms {reference} refused by {name}: {told}");
                Answer::Final(refusal(meaning))
            }
            // Whoever stands before the provider asked it, and heard nothing: the same as a silence of its own.
            (StatusCode::GATEWAY_TIMEOUT, None) => {
                tracing::warn!("sms {reference} perhaps sent by {name}: {told}");
                Answer::Final(Outcome::Perhaps)
            }
            (status, None) if status.is_server_error() => {
                tracing::warn!("sms {reference} not sent by {name}: {told}");
                Answer::Retry(wait)
            }
            _ => {
                tracing::error!("sms {reference} not sent: {name} refuses our account or request; check [sms]: {told}");
                Answer::Final(Outcome::Failed(None))
            }
        }
    }

    /// A 2xx: it counts as sent whatever else it says, unless it says by a code of the file that it was not.
    fn taken(&self, status: StatusCode, body: Option<&serde_json::Value>, meaning: Option<Meaning>, sms: &Sms<'_>) -> Outcome {
        let (name, answers, reference) = (self.name(), &self.account.provider.answers, sms.reference);
        if let Some(meaning) = meaning {
            tracing::warn!("sms {reference} refused by {name} in a {}", status.as_u16());
            return refusal(meaning);
        }
        let id = answers.id.as_ref().and_then(|pointer| super::provider::scalar(body?.pointer(pointer)?));
        match id {
            Some(id) if answers.is_success(status) => tracing::info!("sms {reference} sent by={name} id={}", loggable(&id, sms)),
            _ => tracing::warn!("sms {reference} sent by={name}, but its answer was not as expected: status={}", status.as_u16()),
        }
        Outcome::Sent
    }
}

/// What a code says of the number.
fn refusal(meaning: Meaning) -> Outcome {
    match meaning {
        Meaning::Number => Outcome::Refused(SmsError::Number),
        Meaning::OptedOut => Outcome::Refused(SmsError::OptedOut),
        Meaning::Unreachable => Outcome::Refused(SmsError::Unreachable),
        Meaning::BackOff => Outcome::Stopped,
    }
}

/// The seconds of `Retry-After` (RFC 9110, 10.2.3); a date counts as nothing.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

/// An answer's body, if it is JSON of a length that answers have.
async fn json(mut response: Response) -> Option<serde_json::Value> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&body).ok()
}

/// A provider's word, fit for the log: letters, digits and hyphens, and not many; never the number or the code, which it may say back to us.
fn loggable(word: &str, sms: &Sms<'_>) -> String {
    let word: String = word.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).take(MAX_WORD).collect();
    let number = sms.to.expose();
    let tail = number.get(number.len().saturating_sub(6)..).unwrap_or(number);
    let mut codes = sms.text.expose().split(|c: char| !c.is_ascii_digit()).filter(|digits| digits.len() >= 6);
    if word.is_empty() || word.contains(tail) || codes.any(|code| word.contains(code)) { "-".to_owned() } else { word }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{phone::PhoneNumber, secret::Id};

    #[test]
    fn what_a_provider_says_back_of_number_and_code_is_not_logged() {
        let to = PhoneNumber::parse("0612345678").unwrap();
        let text = Secret::new("042815 is uw code\n\n@voorbeeld.example #042815".to_owned());
        let sms = Sms { to: &to, text: &text, reference: Id([1; 16]), portal: "https://x", lifetime: Duration::ZERO };
        assert_eq!(loggable("21211", &sms), "21211");
        assert_eq!(loggable("SM01-ab\n\u{1b}[31mx", &sms), "SM01-ab31mx");
        for word in ["0031612345678", "x345678", "your code 042815", "", "\n"] {
            assert_eq!(loggable(word, &sms), "-", "{word}");
        }
        assert_eq!(loggable(&"x".repeat(1000), &sms).len(), MAX_WORD);
    }
}
