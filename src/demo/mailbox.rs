//! The outside world of the demo: a mail server that keeps what it gets, and a page that shows it.

use crate::{
    address::Address,
    message::Message,
    smtp::{Content, EnvelopeCommand, Extensions, Handler, Peer, Received, Reply, Service},
};
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::{
    fmt::Write as _,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Notify, time::Instant};

/// How long a large mail may take from the disk.
const LOAD_TIME: Duration = Duration::from_secs(30);

/// A mail as it arrived.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// The envelope's sender.
    pub from: Option<Address>,
    /// The envelope's recipients.
    pub to: Vec<Address>,
    /// The octets.
    pub octets: bytes::Bytes,
}

impl Delivered {
    /// The decoded subject.
    #[must_use]
    pub fn subject(&self) -> String {
        Message::new(self.octets.clone()).facts().subject
    }

    /// The text part.
    #[must_use]
    pub fn text(&self) -> String {
        Message::new(self.octets.clone()).readable().text.unwrap_or_default()
    }

    /// The first link in the text part that begins with `url`.
    #[must_use]
    pub fn link(&self, url: &str) -> Option<String> {
        self.text().split_whitespace().find(|word| word.starts_with(url)).map(str::to_owned)
    }
}

/// Keeps what it gets, newest last.
#[derive(Clone, Debug, Default)]
pub struct Mailbox(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    mails: Mutex<Vec<Delivered>>,
    arrived: Notify,
}

impl Mailbox {
    /// Everything so far.
    #[must_use]
    pub fn mails(&self) -> Vec<Delivered> {
        self.0.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The first mail from number `from` on that `wanted` says yes to; waits for it at most half a minute.
    pub async fn wait_for(&self, from: usize, wanted: impl Fn(&Delivered) -> bool) -> Option<Delivered> {
        let found = |mails: &[Delivered]| mails.iter().skip(from).find(|m| wanted(m)).cloned();
        self.wait_until(|mails| found(mails).is_some()).await;
        found(&self.mails())
    }

    /// Waits at most half a minute until the mails are as `wanted`; says whether they became so.
    pub async fn wait_until(&self, wanted: impl Fn(&[Delivered]) -> bool) -> bool {
        tokio::time::timeout(Duration::from_secs(30), async {
            loop {
                let arrived = self.0.arrived.notified();
                tokio::pin!(arrived);
                // Registered before the look: a mail that arrives between the two wakes us.
                arrived.as_mut().enable();
                if wanted(&self.mails()) {
                    return;
                }
                arrived.await;
            }
        })
        .await
        .is_ok()
    }
}

impl Service for Mailbox {
    type Handler = Delivery;

    fn begin(&self, _peer: &Peer) -> Delivery {
        Delivery { mailbox: self.clone(), from: None, to: Vec::new() }
    }

    fn extensions(&self) -> Extensions {
        Extensions { size: Some(50 << 20), ..Extensions::ASSUMED }
    }
}

/// One session that delivers to a [`Mailbox`].
#[derive(Debug)]
pub struct Delivery {
    mailbox: Mailbox,
    from: Option<Address>,
    to: Vec<Address>,
}

impl Handler for Delivery {
    async fn envelope(&mut self, commands: &[EnvelopeCommand]) -> Vec<Reply> {
        for command in commands {
            match command {
                EnvelopeCommand::Mail { from, .. } => self.from.clone_from(from),
                EnvelopeCommand::Rcpt { to, .. } => self.to.push(to.clone()),
            }
        }
        vec![Reply::OK; commands.len()]
    }

    async fn data(&mut self, content: Content, _received: Received) -> Reply {
        let Ok(octets) = content.load(Instant::now() + LOAD_TIME).await else { return Reply::TRY_LATER };
        let mail = Delivered { from: self.from.take(), to: std::mem::take(&mut self.to), octets };
        self.mailbox.0.mails.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
        self.mailbox.0.arrived.notify_waiters();
        Reply::OK
    }

    async fn reset(&mut self) {
        self.from = None;
        self.to.clear();
    }
}

/// What the mailbox page shows.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The mails.
    pub mailbox: Mailbox,
    /// The file into which SMS are written.
    pub sms: PathBuf,
    /// What the portal's links begin with: these become links on the page.
    pub portal: String,
}

/// The mailbox page's routes.
pub fn page(shown: Shown) -> Router {
    Router::new().route("/", get(list)).route("/mail/{number}", get(mail)).with_state(shown)
}

async fn list(State(shown): State<Shown>) -> Response {
    let mut rows = String::new();
    for (number, mail) in shown.mailbox.mails().iter().enumerate().rev() {
        let to: Vec<_> = mail.to.iter().map(ToString::to_string).collect();
        let subject = mail.subject();
        let _ = write!(
            rows,
            "<li><a href=\"/mail/{number}\"><b>{}</b></a><br><small>{} → {}</small></li>",
            escape(if subject.is_empty() { "(no subject)" } else { &subject }),
            escape(&mail.from.as_ref().map_or_else(|| "<>".to_owned(), ToString::to_string)),
            escape(&to.join(", "))
        );
    }
    let mut sms = String::new();
    for line in tokio::fs::read_to_string(&shown.sms).await.unwrap_or_default().lines().rev() {
        if let Ok(message) = serde_json::from_str::<serde_json::Value>(line) {
            let field = |name: &str| escape(message.get(name).and_then(|v| v.as_str()).unwrap_or_default());
            let _ = write!(sms, "<li><small>{}</small><pre>{}</pre></li>", field("to"), field("text"));
        }
    }
    let empty = "<li>(none yet)</li>".to_owned();
    let [rows, sms] = [rows, sms].map(|list| if list.is_empty() { empty.clone() } else { list });
    html(&format!(
        "<h1>The outside world</h1><p>All mail that left, and every SMS. Reload to see more.</p><h2>Mail</h2><ul>{rows}</ul><h2>SMS</h2><ul>{sms}</ul>"
    ))
}

async fn mail(State(shown): State<Shown>, Path(number): Path<usize>) -> Response {
    let Some(mail) = shown.mailbox.mails().into_iter().nth(number) else { return StatusCode::NOT_FOUND.into_response() };
    let text: String = mail
        .text()
        .split_inclusive(char::is_whitespace)
        .map(|word| {
            let link = word.trim();
            if link.starts_with(&shown.portal) {
                format!("<a href=\"{0}\">{0}</a>{1}", escape(link), &word[link.len()..])
            } else {
                escape(word)
            }
        })
        .collect();
    html(&format!("<p><a href=\"/\">← all</a></p><h1>{}</h1><pre>{text}</pre>", escape(&mail.subject())))
}

fn html(body: &str) -> Response {
    const STYLE: &str = ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui;max-width:48rem;margin:2rem auto;padding:0 1rem;overflow-wrap:break-word}h1{font-size:1.6rem}h2{font-size:1.2rem}pre{white-space:pre-wrap;overflow-wrap:anywhere}li{margin:.5rem 0}";
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>zegel demo: the outside world</title><style>{STYLE}</style>{body}"
    );
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(
        HeaderName::from_static("content-security-policy"),
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"),
    );
    (headers, page).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
