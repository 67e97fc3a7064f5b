//! Answers Prometheus: what was counted, and what is looked at now.

use crate::{
    gateway::Texts,
    http::{HttpLimits, Site},
    metrics::{Metrics, Sample},
    record::{Key, KeyRange},
    smtp::{ServerOptions, client::Routes},
    store::{Opened, Room},
};
use arc_swap::ArcSwap;
use axum::{
    body::Body,
    http::{HeaderValue, Method, Request, Response, StatusCode, header},
};
use std::{
    collections::HashSet,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

/// A scraper or two, and somebody who looks.
pub(super) const LIMITS: HttpLimits = HttpLimits {
    connections: 16,
    head_time: Duration::from_secs(5),
    stall_time: Duration::from_secs(10),
    drain_time: Duration::from_secs(1),
};

/// Looking at the store may take so long: scrapers give up after ten seconds.
const LOOK_TIME: Duration = Duration::from_secs(5);

/// Rows that are counted at most: an alarm has long been given by then, and counting must cost little.
const COUNTED: usize = 10_000;

/// What a scrape looks at.
pub(super) struct Scrape {
    pub(super) metrics: Arc<Metrics>,
    pub(super) opened: Opened,
    pub(super) server: Arc<ServerOptions>,
    pub(super) routes: Arc<ArcSwap<Routes>>,
    pub(super) texts: Texts,
}

impl Site for Scrape {
    type Guest = ();

    fn admit(&self, _peer: IpAddr) -> Option<()> {
        Some(())
    }

    async fn answer(self: Arc<Self>, _peer: SocketAddr, request: Request<Body>) -> Response<Body> {
        if request.uri().path() != "/metrics" {
            return plain(StatusCode::NOT_FOUND, "see /metrics\n".to_owned());
        }
        if request.method() != Method::GET && request.method() != Method::HEAD {
            return plain(StatusCode::METHOD_NOT_ALLOWED, "GET only\n".to_owned());
        }
        self.metrics.sample(&self.look().await);
        let mut response = plain(StatusCode::OK, self.metrics.text());
        let openmetrics = HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, openmetrics);
        response
    }
}

impl Scrape {
    async fn look(&self) -> Sample {
        let budget = &self.server.budget;
        let stored = tokio::time::timeout(LOOK_TIME, self.look_at_store()).await.ok().flatten();
        let (queue, held) = stored.unwrap_or_default();
        Sample {
            queue,
            held,
            sessions: count(self.server.sessions()),
            body_bytes: budget.total().saturating_sub(budget.free()),
            text_bytes: self.texts.taken(),
            hops: self.routes.load().health(),
            store_up: stored.is_some() && self.opened.blobs.room() == Room::Enough,
        }
    }

    /// Letters and messages that wait; `None` when the store does not answer.
    async fn look_at_store(&self) -> Option<(i64, i64)> {
        let store = &self.opened.store;
        let letters = store.list(&KeyRange::under("outbox"), COUNTED).await.ok()?;
        let waiting = store.list(&KeyRange::under("waiting"), COUNTED).await.ok()?;
        let held: HashSet<&str> = waiting.iter().filter_map(|(key, _)| message_of(key)).collect();
        Some((count(letters.len()), count(held.len())))
    }
}

/// The message in `waiting/<message>/<number>`.
fn message_of(key: &Key) -> Option<&str> {
    key.segments().nth(1)
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn plain(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
