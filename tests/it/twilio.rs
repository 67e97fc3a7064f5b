//! A stand-in for Twilio on loopback that behaves as its published API: form in, Basic authentication, 201 with a SID, errors as JSON.
//!
//! POST /2010-04-01/Accounts/{Sid}/Messages.json; see <https://www.twilio.com/docs/messaging/api/message-resource>.

use axum::{
    Form, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::post,
};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

/// The account and secret it knows.
pub const ACCOUNT: &str = "AC0123456789abcdef0123456789abcdef";
pub const SECRET: &str = "twilio-secret-for-tests";

/// The messages it has taken.
#[derive(Clone, Default)]
pub struct Twilio(Arc<Mutex<Vec<(String, String)>>>);

impl Twilio {
    /// Starts one; gives the base address for `[sms] url`.
    pub async fn start() -> (Twilio, SocketAddr) {
        let twilio = Twilio::default();
        let (listener, address) = crate::world::listen().await;
        let router = Router::new().route("/2010-04-01/Accounts/{account}/Messages.json", post(take)).with_state(twilio.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (twilio, address)
    }

    /// Every number and text so far.
    pub fn taken(&self) -> Vec<(String, String)> {
        self.0.lock().unwrap().clone()
    }

    /// The six digits of the last text.
    pub fn last_code(&self) -> String {
        let (_, text) = self.taken().pop().expect("an SMS was sent");
        text.split(|c: char| !c.is_ascii_digit()).find(|w| w.len() == 6).expect("a code").to_owned()
    }
}

async fn take(
    State(twilio): State<Twilio>,
    Path(account): Path<String>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Response {
    use base64::Engine as _;
    let expected = base64::engine::general_purpose::STANDARD.encode(format!("{ACCOUNT}:{SECRET}"));
    if account != ACCOUNT || headers.get("authorization").and_then(|h| h.to_str().ok()) != Some(&format!("Basic {expected}")) {
        return failure(StatusCode::UNAUTHORIZED, 20003, "Authenticate");
    }
    let (Some(to), Some(body)) = (form.get("To"), form.get("Body")) else {
        return failure(StatusCode::BAD_REQUEST, 21604, "A 'To' phone number and a 'Body' are required.");
    };
    if !form.contains_key("From") && !form.contains_key("MessagingServiceSid") {
        return failure(StatusCode::BAD_REQUEST, 21603, "A 'From' phone number is required.");
    }
    if !to.starts_with('+') || to.len() < 9 {
        return failure(StatusCode::BAD_REQUEST, 21211, "The 'To' number is not a valid phone number.");
    }
    twilio.0.lock().unwrap().push((to.clone(), body.clone()));
    let answer = serde_json::json!({ "sid": "SM0123456789abcdef0123456789abcdef", "status": "queued", "error_code": null, "to": to });
    json(StatusCode::CREATED, &answer)
}

fn failure(status: StatusCode, code: u32, message: &str) -> Response {
    let more = format!("https://www.twilio.com/docs/errors/{code}");
    json(status, &serde_json::json!({ "code": code, "message": message, "more_info": more, "status": status.as_u16() }))
}

fn json(status: StatusCode, value: &serde_json::Value) -> Response {
    (status, [("content-type", "application/json")], value.to_string()).into_response()
}
