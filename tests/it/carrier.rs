//! A stand-in for the five SMS providers on loopback, each as its published interface says: what it is asked, how it answers, how it reports.
//!
//! It remembers what it has taken, fails as it is told to, and signs its reports, genuine and forged. `sms/*.toml` say where each was read.

use aws_lc_rs::{digest, hmac};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse as _, Response},
};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use futures_util::stream;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use zegel::{
    fault::Faults,
    secret::Secret,
    sms::{Account, EMBEDDED, Provider},
    time::Time,
};

/// The account and secrets that it knows.
pub const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub const SECRET: &str = "secret-for-tests";
pub const REPORT_SECRET: &str = "report-secret-for-tests";

/// All that it can play.
pub const ALL: [&str; 5] = ["twilio", "bird", "messagebird", "cm", "spryng"];

/// How a request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fails {
    /// 429, with Retry-After in seconds.
    Busy(u32),
    /// There is no such number.
    BadNumber,
    /// Its owner wants nothing more (Twilio only).
    OptedOut,
    /// The secret is wrong.
    Account,
    /// A status of the server's.
    Down(u16),
    /// It takes the SMS and never answers.
    Hangs,
    /// It takes the SMS, says so, and the body never ends.
    SlowBody,
    /// It takes the SMS and says something else than JSON.
    Garbage,
    /// It takes the SMS and says more than anybody reads.
    TooLarge,
    /// It points elsewhere, to itself.
    Redirect,
}

/// How a report is false.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forged {
    /// It isn't.
    Not,
    /// It bears no signature.
    Unsigned,
    /// It is signed with another secret.
    OtherSecret,
    /// It was signed, and says something else now.
    Changed,
    /// It was signed an hour ago (where a signature says when).
    Old,
    /// It is genuine, and about an SMS that never was.
    Unknown,
}

/// An SMS that it has taken.
#[derive(Clone, Debug)]
pub struct Taken {
    pub to: String,
    pub text: String,
    /// Our name for it; Twilio knows it by the address of the report only.
    pub reference: String,
    pub report_url: Option<String>,
}

#[derive(Default)]
struct Memory {
    asked: usize,
    fails: VecDeque<Fails>,
    taken: Vec<Taken>,
}

/// A provider.
#[derive(Clone)]
pub struct Carrier {
    pub name: &'static str,
    pub address: SocketAddr,
    memory: Arc<Mutex<Memory>>,
}

impl Carrier {
    /// Starts one that fails so often, in this way, before it works.
    pub async fn start(name: &'static str, fails: &[Fails]) -> Carrier {
        let (listener, address) = crate::world::listen().await;
        let memory = Memory { fails: fails.iter().copied().collect(), ..Memory::default() };
        let carrier = Carrier { name, address, memory: Arc::new(Mutex::new(memory)) };
        let router = Router::new().fallback(answer).with_state(carrier.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        carrier
    }

    /// Zegel's account with it.
    pub fn account(&self) -> Account {
        let (name, text) = EMBEDDED.iter().find(|(name, _)| *name == self.name).unwrap();
        let provider = Provider::read(name, "x.toml", text, &Faults::default()).unwrap();
        let report_secret = if self.name == "twilio" { SECRET } else { REPORT_SECRET };
        Account {
            provider,
            account: ACCOUNT.to_owned(),
            sender: "Gemeente".to_owned(),
            secret: Secret::new(SECRET.to_owned()),
            report_secret: Some(Secret::new(report_secret.to_owned())),
            url: Some(format!("http://{}", self.address)),
        }
    }

    /// Every SMS so far.
    pub fn taken(&self) -> Vec<Taken> {
        self.memory.lock().unwrap().taken.clone()
    }

    /// How many requests came.
    pub fn asked(&self) -> usize {
        self.memory.lock().unwrap().asked
    }

    /// The six digits of the last text.
    pub fn last_code(&self) -> String {
        let text = self.taken().pop().expect("an SMS was sent").text;
        text.split(|c: char| !c.is_ascii_digit()).find(|w| w.len() == 6).expect("a code").to_owned()
    }

    /// Reports that the last SMS arrived, or did not; the status of the answer, and its body.
    pub async fn report(&self, portal: &str, arrived: bool, forged: Forged, now: Time) -> (u16, String) {
        let mut taken = self.taken().pop().expect("an SMS was sent");
        if forged == Forged::Unknown {
            let nobody = "0".repeat(32);
            taken.report_url = taken.report_url.map(|url| url.replace(&taken.reference, &nobody));
            taken.reference = nobody;
        }
        let signed = self.write_report(portal, &taken, arrived != (forged == Forged::Changed), forged, now);
        let mut sent = self.write_report(portal, &taken, arrived, forged, now);
        sent.headers = if forged == Forged::Unsigned { Vec::new() } else { signed.headers };
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.request(sent.method, &sent.url);
        for (name, value) in sent.headers {
            request = request.header(name, value);
        }
        let kind = if sent.body.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
        let response = request.header("content-type", kind).body(sent.body).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    fn write_report(&self, portal: &str, taken: &Taken, arrived: bool, forged: Forged, now: Time) -> Report {
        let secret = if self.name == "twilio" { SECRET } else { REPORT_SECRET };
        let secret = if forged == Forged::OtherSecret { "another-secret-for-tests" } else { secret };
        let hour = if forged == Forged::Old { 3600 } else { 0 };
        let second = now.millis() / 1000 - hour;
        let key = if forged == Forged::Unsigned { "" } else { secret };
        match self.name {
            "twilio" => {
                let url = taken.report_url.clone().unwrap();
                let status = if arrived { "delivered" } else { "undelivered" };
                let fields =
                    [("AccountSid", ACCOUNT), ("ErrorCode", "30003"), ("MessageSid", "SM1"), ("MessageStatus", status), ("To", &taken.to)];
                let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields.iter().rev()).finish();
                let text = url.clone() + &fields.iter().map(|(n, v)| format!("{n}{v}")).collect::<String>();
                let mac =
                    STANDARD.encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.as_bytes()), text.as_bytes()));
                Report { method: Method::POST, url, headers: vec![("x-twilio-signature", mac)], body }
            }
            "bird" => {
                let url = format!("{portal}/sms/bird");
                let status = if arrived { "delivered" } else { "delivery_failed" };
                let payload = json!({"id": "1", "reference": taken.reference, "status": status, "direction": "outgoing"});
                let body = json!({"service": "channels", "event": "sms.outbound", "payload": payload}).to_string();
                let signed = [format!("{second}\n{url}\n").as_bytes(), &sha256(body.as_bytes())].concat();
                let headers = vec![
                    ("messagebird-signature", STANDARD.encode(mac(secret, &signed))),
                    ("messagebird-request-timestamp", second.to_string()),
                ];
                Report { method: Method::POST, url, headers, body }
            }
            "messagebird" => {
                let status = if arrived { "delivered" } else { "delivery_failed" };
                let base = taken.report_url.clone().unwrap();
                let url = format!("{base}?id=1&reference={}&recipient=31612345678&status={status}&statusErrorCode=103", taken.reference);
                let url_hash = hex(&sha256(url.as_bytes()));
                let claims = json!({"iss": "MessageBird", "nbf": second, "exp": second + 60, "jti": "1", "url_hash": url_hash}).to_string();
                let signed =
                    format!("{}.{}", URL_SAFE_NO_PAD.encode("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"), URL_SAFE_NO_PAD.encode(claims));
                let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac(secret, signed.as_bytes())));
                Report { method: Method::GET, url, headers: vec![("messagebird-signature-jwt", token)], body: String::new() }
            }
            "cm" => {
                let code = if arrived { "2" } else { "3" };
                let status = json!({"code": code, "errorCode": "", "errorDescription": ""});
                let message = json!({"received": "2026-10-12T09:30:00", "to": taken.to, "reference": taken.reference, "status": status});
                let body = json!({"messages": {"msg": message}}).to_string();
                Report { method: Method::POST, url: format!("{portal}/sms/cm?key={key}"), headers: Vec::new(), body }
            }
            _ => {
                let code = if arrived { "10" } else { "20" };
                let url = format!("{portal}/sms/spryng?key={key}&reference={}&statusCode={code}", taken.reference);
                Report { method: Method::GET, url, headers: Vec::new(), body: String::new() }
            }
        }
    }

    /// Whether its reports bear a signature over what they say, and over the time.
    pub fn signs(&self, forged: Forged) -> bool {
        match forged {
            Forged::Changed => !["cm", "spryng"].contains(&self.name),
            Forged::Old => ["bird", "messagebird"].contains(&self.name),
            _ => true,
        }
    }

    /// What was asked, as the provider understands it, or how it refuses.
    fn read(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Result<Taken, (StatusCode, Value)> {
        let header = |name: &str| headers.get(name).and_then(|h| h.to_str().ok()).unwrap_or_default();
        let [path, authorization, token, content_type] =
            [uri.path(), header("authorization"), header("x-cm-producttoken"), header("content-type")];
        let basic = format!("Basic {}", STANDARD.encode(format!("{ACCOUNT}:{SECRET}")));
        let (is_ours, is_known) = match self.name {
            "twilio" => (path == format!("/2010-04-01/Accounts/{ACCOUNT}/Messages.json"), authorization == basic),
            "bird" => (path == format!("/workspaces/{ACCOUNT}/channels/Gemeente/messages"), authorization == format!("AccessKey {SECRET}")),
            "messagebird" => (path == "/messages", authorization == format!("AccessKey {SECRET}")),
            "cm" => (path == "/v1.0/message", token == SECRET),
            _ => (path == "/v1/messages", authorization == format!("Bearer {SECRET}")),
        };
        if *method != Method::POST || !is_ours {
            return Err((StatusCode::NOT_FOUND, json!({"code": 20404, "message": "not found"})));
        }
        if !is_known {
            return Err((StatusCode::UNAUTHORIZED, json!({"code": 20003, "message": "Authenticate"})));
        }
        let wanted = if self.name == "twilio" { "application/x-www-form-urlencoded" } else { "application/json" };
        if content_type != wanted {
            return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, json!({"code": 20415, "message": "wrong type"})));
        }
        let missing = || (StatusCode::BAD_REQUEST, json!({"code": 21604, "message": "something is missing"}));
        if self.name == "twilio" { form(body) } else { json(self.name, body) }.ok_or_else(missing)
    }
}

/// Twilio's form.
fn form(body: &[u8]) -> Option<Taken> {
    let fields: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
    let field = |name: &str| fields.get(name).filter(|v| !v.is_empty()).cloned();
    let report_url = field("StatusCallback")?;
    let reference = report_url.rsplit('/').next()?.to_owned();
    let validity: u32 = field("ValidityPeriod")?.parse().ok()?;
    let taken = Taken { to: field("To")?, text: field("Body")?, reference, report_url: Some(report_url) };
    (field("From")? == "Gemeente" && (1..=36_000).contains(&validity) && taken.to.starts_with('+')).then_some(taken)
}

/// The others' JSON.
fn json(name: &str, body: &[u8]) -> Option<Taken> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let text = |pointer: &str| body.pointer(pointer)?.as_str().map(str::to_owned);
    let (from, to, said, reference) = match name {
        "bird" => (None, "/receiver/contacts/0/identifierValue", "/body/text/text", "/reference"),
        "cm" => (Some("/messages/msg/0/from"), "/messages/msg/0/to/0/number", "/messages/msg/0/body/content", "/messages/msg/0/reference"),
        _ => (Some("/originator"), "/recipients/0", "/body", "/reference"),
    };
    let begins = match name {
        "bird" => "+316",
        "cm" => "00316",
        _ => "316",
    };
    let to = text(to)?;
    let fits = to.starts_with(begins) && from.is_none_or(|from| text(from).as_deref() == Some("Gemeente"));
    fits.then_some(Taken { to, text: text(said)?, reference: text(reference)?, report_url: text("/reportUrl") })
}

struct Report {
    method: Method,
    url: String,
    headers: Vec<(&'static str, String)>,
    body: String,
}

async fn answer(State(carrier): State<Carrier>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let fails = {
        let mut memory = carrier.memory.lock().unwrap();
        memory.asked += 1;
        memory.fails.pop_front()
    };
    let taken = match carrier.read(&method, &uri, &headers, &body) {
        Ok(taken) => taken,
        Err((status, body)) => return with_json(status, &body),
    };
    let (to, reference) = (taken.to.clone(), taken.reference.clone());
    let takes = || carrier.memory.lock().unwrap().taken.push(taken.clone());
    match fails {
        None => takes(),
        Some(Fails::Hangs) => {
            takes();
            return std::future::pending().await;
        }
        Some(Fails::SlowBody) => {
            takes();
            return (success(carrier.name).0, Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>())).into_response();
        }
        Some(Fails::Garbage) => {
            takes();
            return (success(carrier.name).0, "<html>thank you</html>").into_response();
        }
        Some(Fails::TooLarge) => {
            takes();
            return (success(carrier.name).0, "x".repeat(200_000)).into_response();
        }
        Some(Fails::Busy(seconds)) => {
            return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", seconds.to_string())], "{\"code\": 20429}").into_response();
        }
        Some(Fails::Down(status)) => return (StatusCode::from_u16(status).unwrap(), "<html>down</html>").into_response(),
        Some(Fails::Account) => return with_json(StatusCode::UNAUTHORIZED, &json!({"code": 20003, "message": "Authenticate"})),
        Some(Fails::OptedOut) => return with_json(StatusCode::BAD_REQUEST, &json!({"code": 21610, "message": "unsubscribed"})),
        Some(Fails::Redirect) => {
            return (StatusCode::TEMPORARY_REDIRECT, [("location", uri.path().to_owned())]).into_response();
        }
        Some(Fails::BadNumber) => return bad_number(carrier.name),
    }
    let (status, body) = success(carrier.name);
    with_json(status, &serde_json::from_str(&body.replace("TO", &to).replace("REFERENCE", &reference)).unwrap())
}

/// How each says that it has taken an SMS.
fn success(name: &str) -> (StatusCode, &'static str) {
    match name {
        "twilio" => {
            (StatusCode::CREATED, r#"{"sid": "SM0123456789abcdef0123456789abcdef", "status": "queued", "error_code": null, "to": "TO"}"#)
        }
        "bird" => {
            (StatusCode::ACCEPTED, r#"{"id": "3fa85f64-5717-4562-b3fc-2c963f66afa6", "reference": "REFERENCE", "status": "accepted"}"#)
        }
        "messagebird" => (
            StatusCode::CREATED,
            r#"{"id": "49e40bae0b374f1ca5e3d04d46edc7c1", "reference": "REFERENCE", "recipients": {"totalCount": 1}}"#,
        ),
        "cm" => (
            StatusCode::OK,
            r#"{"details": "Created 1 message(s)", "errorCode": 0, "messages": [{"to": "TO", "status": "Accepted", "reference": "REFERENCE", "messageErrorCode": 0}]}"#,
        ),
        _ => (StatusCode::OK, r#"{"id": "9dbc5ffb-7524-4fae-9514-51decd94a44f", "reference": "REFERENCE"}"#),
    }
}

/// How each says that there is no such number. CM says so in a 200, too, as the answers of a list have one status.
fn bad_number(name: &str) -> Response {
    match name {
        "twilio" => with_json(
            StatusCode::BAD_REQUEST,
            &json!({"code": 21211, "message": "The 'To' number is not a valid phone number.", "status": 400}),
        ),
        "bird" => with_json(StatusCode::UNPROCESSABLE_ENTITY, &json!({"code": "InvalidPhoneNumber", "message": "no"})),
        "messagebird" => {
            with_json(StatusCode::UNPROCESSABLE_ENTITY, &json!({"errors": [{"code": 9, "description": "no (correct) recipients found"}]}))
        }
        "cm" => with_json(StatusCode::OK, &json!({"errorCode": 201, "messages": [{"status": "Rejected", "messageErrorCode": 303}]})),
        _ => with_json(StatusCode::UNPROCESSABLE_ENTITY, &json!({"code": "invalid_recipient"})),
    }
}

fn with_json(status: StatusCode, value: &Value) -> Response {
    (status, [("content-type", "application/json")], value.to_string()).into_response()
}

fn mac(secret: &str, octets: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), octets).as_ref().to_vec()
}

fn sha256(octets: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, octets).as_ref().to_vec()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|b| format!("{b:02x}")).collect()
}
