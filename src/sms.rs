//! Sends an SMS: over a provider's HTTP API, or into a file for trying out.

use crate::{
    phone::PhoneNumber,
    secret::{Id, Secret},
    time::Time,
};
use reqwest::{StatusCode, header::RETRY_AFTER};
use serde::Deserialize;
use std::{fmt, path::PathBuf, time::Duration};
use tokio::io::AsyncWriteExt as _;

/// How long connecting may take.
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// How long one request may take: the recipient's page waits for it.
const REQUEST_TIME: Duration = Duration::from_secs(15);
/// The longest that we wait because a provider says so; after more, the recipient presses the button again.
const LONGEST_WAIT: Duration = Duration::from_secs(3);
/// No answer of a provider is longer.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// Twilio's own address; a configuration may name another, for the EU or for tests.
const TWILIO: &str = "https://api.twilio.com";

/// Why an SMS was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SmsError {
    /// The provider can't be reached, or has too much to do: try again in a few minutes.
    #[error("the SMS provider cannot send now")]
    Later,
    /// The provider will never send to this number.
    #[error("the SMS provider refuses this number")]
    Number,
    /// The provider refuses us: account, secret, sender or address in the configuration are wrong. Shouted about in the log.
    #[error("the SMS provider refuses our account; check [sms] in the configuration")]
    Account,
}

/// Where SMS go.
pub enum Sender {
    /// A line of JSON per SMS: for trying out, in clear.
    File(PathBuf),
    /// Twilio's API.
    Twilio(Twilio),
}

/// An account with Twilio.
pub struct Twilio {
    client: reqwest::Client,
    url: String,
    account: String,
    secret: Secret<String>,
    sender: String,
}

impl Sender {
    /// A sender into the file at `path`.
    #[must_use]
    pub fn file(path: PathBuf) -> Sender {
        Sender::File(path)
    }

    /// A sender over Twilio's API, with an account's SID and its secret. `sender` is a number in international form, a name of at most 11 letters
    /// and digits, or a messaging service (`MG...`). `url` is another address than Twilio's own.
    ///
    /// # Errors
    /// When the system gives no HTTP client (no certificates, for example); the text says so.
    pub fn twilio(account: &str, sender: &str, secret: Secret<String>, url: Option<&str>) -> Result<Sender, String> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIME)
            .timeout(REQUEST_TIME)
            // A provider's answer never sends our codes elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .build()
            .map_err(|e| format!("no HTTP client for SMS: {e}"))?;
        let url = url.unwrap_or(TWILIO).trim_end_matches('/').to_owned();
        Ok(Sender::Twilio(Twilio { client, url, account: account.to_owned(), secret, sender: sender.to_owned() }))
    }

    /// Sends `text`. `reference` names it in the log; number and text never get there.
    ///
    /// # Errors
    /// Says whether another try makes sense.
    pub async fn send(&self, to: &PhoneNumber, text: &Secret<String>, reference: Id, now: Time) -> Result<(), SmsError> {
        let result = match self {
            Sender::File(path) => append(path, to, text, now).await,
            Sender::Twilio(twilio) => twilio.send(to, text, reference).await,
        };
        match &result {
            Ok(()) => tracing::info!("sms {reference} sent"),
            Err(e @ SmsError::Account) => tracing::error!("sms {reference} not sent: {e}"),
            Err(e) => tracing::warn!("sms {reference} not sent: {e}"),
        }
        result
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Sender::File(_) => "Sender::File",
            Sender::Twilio(_) => "Sender::Twilio",
        })
    }
}

/// Adds a line; one write, so that lines of two senders don't mix.
async fn append(path: &PathBuf, to: &PhoneNumber, text: &Secret<String>, now: Time) -> Result<(), SmsError> {
    let line = serde_json::json!({"to": to.expose(), "text": text.expose(), "at": now.timestamp().to_string()}).to_string() + "\n";
    let write = async {
        let mut options = tokio::fs::OpenOptions::new();
        options.create(true).append(true).mode(0o600);
        let mut file = options.open(path).await?;
        file.write_all(line.as_bytes()).await?;
        file.flush().await
    };
    write.await.map_err(|e| {
        tracing::error!("{}: {e}", path.display());
        SmsError::Later
    })
}

/// What one request came to.
enum Outcome {
    Sent,
    Failed(SmsError),
    /// Nothing was sent, and it may go better after this time.
    Retry(Duration),
}

/// An error as Twilio tells it.
#[derive(Deserialize)]
struct TwilioError {
    code: u32,
}

impl Twilio {
    /// One repeat after a failure that surely sent nothing or that asks for one; never after a 2xx.
    async fn send(&self, to: &PhoneNumber, text: &Secret<String>, reference: Id) -> Result<(), SmsError> {
        match self.request(to, text, reference).await {
            Outcome::Sent => Ok(()),
            Outcome::Failed(error) => Err(error),
            Outcome::Retry(wait) if wait > LONGEST_WAIT => Err(SmsError::Later),
            Outcome::Retry(wait) => {
                tokio::time::sleep(wait).await;
                match self.request(to, text, reference).await {
                    Outcome::Sent => Ok(()),
                    Outcome::Failed(error) => Err(error),
                    Outcome::Retry(_) => Err(SmsError::Later),
                }
            }
        }
    }

    async fn request(&self, to: &PhoneNumber, text: &Secret<String>, reference: Id) -> Outcome {
        let from = if self.sender.starts_with("MG") { "MessagingServiceSid" } else { "From" };
        let form = [
            ("To", to.expose()),
            (from, self.sender.as_str()),
            ("Body", text.expose().as_str()),
            // A code that comes later than this is of no use.
            ("ValidityPeriod", "600"),
            // Twilio keeps neither the text nor the whole number.
            ("ContentRetention", "discard"),
            ("AddressRetention", "obfuscate"),
        ];
        let url = format!("{}/2010-04-01/Accounts/{}/Messages.json", self.url, self.account);
        let request = self.client.post(url).basic_auth(&self.account, Some(self.secret.expose())).form(&form);
        let response = match request.send().await {
            Ok(response) => response,
            // Only a connection that was never made surely sent nothing.
            Err(e) if e.is_connect() => return Outcome::Retry(Duration::from_millis(200)),
            Err(e) => {
                tracing::warn!("sms {reference}: {}", e.without_url());
                return Outcome::Failed(SmsError::Later);
            }
        };
        let status = response.status();
        if status.is_success() {
            return Outcome::Sent;
        }
        let wait = response.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok()).map(Duration::from_secs);
        let code = error_code(response).await;
        tracing::warn!("sms {reference}: status={} code={code:?}", status.as_u16());
        judge(status, code, wait)
    }
}

/// What an answer other than 2xx means.
fn judge(status: StatusCode, code: Option<u32>, wait: Option<Duration>) -> Outcome {
    match (status, code) {
        (StatusCode::TOO_MANY_REQUESTS, _) => Outcome::Retry(wait.unwrap_or(Duration::from_secs(1))),
        (status, _) if status.is_server_error() => Outcome::Retry(wait.unwrap_or(Duration::from_millis(500))),
        // Not a number, no such number, opted out, not reachable from this sender, a landline.
        (_, Some(21211 | 21217 | 21408 | 21610 | 21612 | 21614 | 30003 | 30005 | 30006)) => Outcome::Failed(SmsError::Number),
        _ => Outcome::Failed(SmsError::Account),
    }
}

async fn error_code(mut response: reqwest::Response) -> Option<u32> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    serde_json::from_slice::<TwilioError>(&body).ok().map(|e| e.code)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{io::AsyncReadExt as _, net::TcpListener};

    fn number() -> PhoneNumber {
        PhoneNumber::parse("0612345678").unwrap()
    }

    fn text() -> Secret<String> {
        Secret::new("042815 is uw code\n\n@voorbeeld.example #042815".to_owned())
    }

    #[tokio::test]
    async fn the_file_has_a_line_of_json_per_sms() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sms.jsonl");
        let sender = Sender::File(path.clone());
        for _ in 0..2 {
            sender.send(&number(), &text(), Id([1; 16]), Time::from_millis(0)).await.unwrap();
        }
        let lines = std::fs::read_to_string(path).unwrap();
        let lines: Vec<serde_json::Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1], serde_json::json!({"to": "+31612345678", "text": text().expose(), "at": "1970-01-01T00:00:00Z"}));
    }

    /// A provider that gives these answers, one per request, and what it was asked.
    async fn provider(answers: Vec<&'static str>) -> (Sender, tokio::task::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let served = tokio::spawn(async move {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                loop {
                    let mut buffer = [0; 4096];
                    let n = stream.read(&mut buffer).await.unwrap();
                    request.extend_from_slice(&buffer[..n]);
                    let text = String::from_utf8_lossy(&request).into_owned();
                    let length = text
                        .lines()
                        .find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length: ").map(|n| n.parse::<usize>().unwrap()));
                    if let (Some(end), Some(length)) = (text.find("\r\n\r\n"), length)
                        && request.len() >= end + 4 + length
                    {
                        asked.push(text);
                        break;
                    }
                }
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
            asked
        });
        (Sender::twilio("AC1", "Voorbeeld", Secret::new("geheim".to_owned()), Some(&url)).unwrap(), served)
    }

    const CREATED: &str = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";
    const BUSY: &str = "HTTP/1.1 429 Too Many\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    const BUSY_LONG: &str = "HTTP/1.1 429 Too Many\r\nRetry-After: 60\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    const BAD_NUMBER: &str = "HTTP/1.1 400 Bad Request\r\nContent-Length: 15\r\nConnection: close\r\n\r\n{\"code\": 21211}";
    const BAD_SECRET: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 15\r\nConnection: close\r\n\r\n{\"code\": 20003}";
    const ELSEWHERE: &str = "HTTP/1.1 307 Temporary\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

    async fn check(answers: Vec<&'static str>, expected: Result<(), SmsError>) -> Vec<String> {
        let (sender, served) = provider(answers).await;
        assert_eq!(sender.send(&number(), &text(), Id([1; 16]), Time::from_millis(0)).await, expected);
        served.await.unwrap()
    }

    #[tokio::test]
    async fn twilio_is_asked_as_its_documentation_says() {
        let asked = check(vec![CREATED], Ok(())).await;
        assert!(asked[0].starts_with("POST /2010-04-01/Accounts/AC1/Messages.json HTTP/1.1\r\n"), "{}", asked[0]);
        assert!(
            asked[0].contains("authorization: Basic QUMxOmdlaGVpbQ==")
                && asked[0].contains("content-type: application/x-www-form-urlencoded")
        );
        assert!(asked[0].contains("To=%2B31612345678&From=Voorbeeld&Body=042815+is+uw+code"));
    }

    #[tokio::test]
    async fn what_failed_is_tried_once_more_only_where_that_helps() {
        check(vec![BUSY, CREATED], Ok(())).await;
        check(vec![BUSY, BUSY], Err(SmsError::Later)).await;
        check(vec![BUSY_LONG], Err(SmsError::Later)).await;
        check(vec![BAD_NUMBER], Err(SmsError::Number)).await;
        check(vec![BAD_SECRET], Err(SmsError::Account)).await;
        check(vec![ELSEWHERE], Err(SmsError::Account)).await;
        // A connection that breaks after the request may have sent it: not again.
        check(vec![""], Err(SmsError::Later)).await;
    }
}
