//! One request to one answer: routes, the headers that every answer bears, and the page of every refusal.

use super::{Limits, archive, check, files, guard, link, numbers, read, reply, reports, server::Desk, session, status, unlock, view};
use crate::{
    notice::Organisation,
    record::Key,
    secret::Id,
    store::{Room, StoreError},
    template::{Language, NoticePage, PageView, Templates},
    time::Time,
};
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header},
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// An answer.
pub(super) type Page = Response<Body>;

/// Why somebody does not get what he asked for. [`Refusal::page`] says what each is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// A link that opens nothing: unknown, expired, another's. They must look alike.
    Gone,
    /// A message that its sender has blocked or recalled, for whoever holds a link to it.
    Withdrawn,
    /// No session, or one that has ended.
    Closed,
    /// A form without its token, or from another site.
    Form,
    /// A request that makes no sense.
    Request,
    /// No such address.
    Missing,
    /// A method that this address doesn't know; the ones it knows.
    Method(&'static str),
    /// A form that is too large.
    Large,
    /// Another host name than ours.
    Host,
    /// Too much at once.
    Busy,
    /// Too much from one address.
    Often,
    /// The store can't be reached.
    Down,
    /// Something that was kept can't be opened.
    Damaged,
    /// A fault of ours.
    Error,
}

impl Refusal {
    fn page(self) -> (StatusCode, NoticePage) {
        match self {
            Refusal::Gone => (StatusCode::NOT_FOUND, NoticePage::GONE),
            Refusal::Withdrawn => (StatusCode::NOT_FOUND, NoticePage::WITHDRAWN),
            Refusal::Closed => (StatusCode::FORBIDDEN, NoticePage::CLOSED),
            Refusal::Form => (StatusCode::FORBIDDEN, NoticePage::FORM),
            Refusal::Request => (StatusCode::BAD_REQUEST, NoticePage::REQUEST),
            Refusal::Missing => (StatusCode::NOT_FOUND, NoticePage::MISSING),
            Refusal::Method(_) => (StatusCode::METHOD_NOT_ALLOWED, NoticePage::METHOD),
            Refusal::Large => (StatusCode::PAYLOAD_TOO_LARGE, NoticePage::LARGE),
            Refusal::Host => (StatusCode::MISDIRECTED_REQUEST, NoticePage::HOST),
            Refusal::Busy => (StatusCode::SERVICE_UNAVAILABLE, NoticePage::BUSY),
            Refusal::Often => (StatusCode::TOO_MANY_REQUESTS, NoticePage::OFTEN),
            Refusal::Down => (StatusCode::SERVICE_UNAVAILABLE, NoticePage::DOWN),
            Refusal::Damaged => (StatusCode::INTERNAL_SERVER_ERROR, NoticePage::DAMAGED),
            Refusal::Error => (StatusCode::INTERNAL_SERVER_ERROR, NoticePage::ERROR),
        }
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Refusal {
        match error {
            StoreError::Conflict => Refusal::Busy,
            StoreError::Unavailable(why) => {
                tracing::error!("portal: {why}");
                Refusal::Down
            }
        }
    }
}

/// Every address of the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Route<'a> {
    Home,
    Health,
    Check,
    Asset(&'a str),
    Message(&'a str),
    Numbers(&'a str),
    Status(&'a str),
    Read(Id),
    Text(Id),
    Picture(Id, usize),
    File(Id, usize),
    Report(&'a str, Option<&'a str>),
    View(Id, usize),
    All(Id),
    Reply(Id),
    Sent(Id, Id, usize),
}

impl Route<'_> {
    fn of(path: &str) -> Option<Route<'_>> {
        if let Some((grant, (reply, number))) =
            path.strip_prefix("/r/").and_then(|p| p.split_once("/sent/")).and_then(|(g, s)| Some((g, s.split_once('/')?)))
        {
            return Some(Route::Sent(Id::parse(grant)?, Id::parse(reply)?, number.parse().ok()?));
        }
        let mut segments = path.strip_prefix('/')?.split('/');
        let route = match (segments.next()?, segments.next(), segments.next(), segments.next()) {
            ("", None, ..) => Route::Home,
            ("health", None, ..) => Route::Health,
            ("check", None, ..) => Route::Check,
            ("static", Some(name), None, _) => Route::Asset(name),
            ("m", Some(token), None, _) => Route::Message(token),
            ("n", Some(token), None, _) => Route::Numbers(token),
            ("s", Some(token), None, _) => Route::Status(token),
            ("sms", Some(provider), reference, None) => Route::Report(provider, reference),
            ("r", Some(grant), None, _) => Route::Read(Id::parse(grant)?),
            ("r", Some(grant), Some("text"), None) => Route::Text(Id::parse(grant)?),
            ("r", Some(grant), Some("picture"), Some(number)) => Route::Picture(Id::parse(grant)?, number.parse().ok()?),
            ("r", Some(grant), Some("file"), Some(number)) => Route::File(Id::parse(grant)?, number.parse().ok()?),
            ("r", Some(grant), Some("view"), Some(number)) => Route::View(Id::parse(grant)?, number.parse().ok()?),
            ("r", Some(grant), Some("all"), None) => Route::All(Id::parse(grant)?),
            ("r", Some(grant), Some("reply"), None) => Route::Reply(Id::parse(grant)?),
            _ => return None,
        };
        segments.next().is_none().then_some(route)
    }

    fn takes_forms(self) -> bool {
        use Route as R;
        matches!(
            self,
            R::Check | R::Message(_) | R::Numbers(_) | R::Status(_) | R::Read(_) | R::File(..) | R::View(..) | R::All(_) | R::Reply(_)
        )
    }
}

/// A visit: one request with what it needs to be answered.
#[derive(Clone)]
pub(super) struct Visit {
    pub(super) desk: Arc<Desk>,
    pub(super) organisation: Arc<Organisation>,
    pub(super) templates: Arc<Templates>,
    pub(super) now: Time,
    pub(super) headers: HeaderMap,
    /// The language that the visitor chose, or that his browser asks for.
    language: Option<Language>,
}

impl Visit {
    /// Remembers which language the message is in, for a visitor who has no wish.
    pub(super) fn suggest(&mut self, language: &str) {
        self.language = self.language.or(Language::parse(language));
    }

    pub(super) fn language(&self) -> Language {
        self.language.unwrap_or_else(|| Language::of_record(&self.organisation.language))
    }

    /// A page.
    pub(super) fn page(&self, status: StatusCode, view: &impl PageView) -> Result<Page, Refusal> {
        let html = self.templates.page(self.language(), &self.organisation.name, view).map_err(|error| {
            tracing::error!("portal: {error}");
            Refusal::Error
        })?;
        Ok(with(status, "text/html; charset=utf-8", Body::from(html)))
    }

    fn refuse(&self, refusal: Refusal) -> Page {
        let (status, notice) = refusal.page();
        let mut page =
            self.page(status, &notice).unwrap_or_else(|_| with(status, "text/plain; charset=utf-8", Body::from("zegel: error\n")));
        match refusal {
            Refusal::Method(known) => {
                page.headers_mut().insert(header::ALLOW, HeaderValue::from_static(known));
            }
            Refusal::Busy | Refusal::Down => {
                page.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("60"));
            }
            _ => {}
        }
        page
    }
}

/// Answers a request. Never fails; a panic becomes a page.
pub(super) async fn answer(desk: Arc<Desk>, peer: SocketAddr, request: Request<Body>) -> Page {
    let (organisation, templates) = (desk.portal.organisation.load_full(), desk.portal.templates.load_full());
    let (head, body) = request.into_parts();
    let from = guard::address(peer.ip(), &head.headers);
    let (chosen, now) = (chosen_language(&head.uri), desk.portal.clock.now());
    let visit =
        Visit { desk, organisation, templates, now, language: chosen.or_else(|| language_of(&head.headers)), headers: head.headers };
    let for_refusals = visit.clone();
    // A task of its own: a panic becomes a page, and what has begun (a code is being sent) is not cut off when the browser goes away.
    let task = tokio::spawn(route(visit, from, head.method, head.uri, body));
    let mut page = match task.await {
        Ok(Ok(page)) => page,
        Ok(Err(refusal)) => for_refusals.refuse(refusal),
        Err(_) => {
            tracing::error!("portal: a page panicked; this is a bug");
            for_refusals.refuse(Refusal::Error)
        }
    };
    if let Some(language) = chosen {
        session::remember_language(page.headers_mut(), &for_refusals.organisation, language);
    }
    add_headers(page.headers_mut(), &for_refusals.organisation);
    page
}

async fn route(mut visit: Visit, from: IpAddr, method: Method, uri: Uri, body: Body) -> Result<Page, Refusal> {
    let route = Route::of(uri.path());
    if route == Some(Route::Health) && (method == Method::GET || method == Method::HEAD) {
        return Ok(health(&visit).await);
    }
    if !guard::host_is_ours(&visit.organisation, &visit.headers) {
        return Err(Refusal::Host);
    }
    let route = route.ok_or(Refusal::Missing)?;
    if let Route::Report(provider, reference) = route {
        return reports::answer(&visit, &reports::Called { provider, reference, method, uri: &uri, from }, body).await;
    }
    match method {
        Method::GET => get(&mut visit, route).await,
        Method::HEAD => {
            // RFC 9110, 14.2: only GET has ranges.
            visit.headers.remove(header::RANGE);
            get(&mut visit, route).await
        }
        Method::POST if route.takes_forms() => {
            visit.desk.addresses.form(from, visit.desk.portal.limits.forms_per_minute)?;
            if route == Route::Check {
                visit.desk.addresses.check(from, visit.desk.portal.limits.checks_per_minute)?;
            }
            guard::same_site(&visit.organisation, &visit.headers)?;
            if let Route::Reply(grant) = route {
                return reply::post(&mut visit, grant, body).await;
            }
            let form = Form::read(visit.desk.portal.limits, &visit.headers, body).await?;
            post(&mut visit, route, &form).await
        }
        _ if route.takes_forms() => Err(Refusal::Method("GET, HEAD, POST")),
        _ => Err(Refusal::Method("GET, HEAD")),
    }
}

async fn get(visit: &mut Visit, route: Route<'_>) -> Result<Page, Refusal> {
    match route {
        Route::Home => visit.page(StatusCode::OK, &NoticePage::HOME),
        Route::Health => Ok(health(visit).await),
        Route::Check => check::get(visit),
        Route::Asset(name) => asset(visit, name),
        Route::Message(token) => unlock::get(visit, token).await,
        Route::Numbers(token) => numbers::get(visit, token).await,
        Route::Status(token) => status::get(visit, token).await,
        Route::Read(grant) => read::get(visit, grant).await,
        Route::Text(grant) => read::text(visit, grant).await,
        Route::Picture(grant, number) => files::picture(visit, grant, number).await,
        Route::File(grant, number) => files::get(visit, grant, number).await,
        // Answered above.
        Route::Report(..) => Err(Refusal::Missing),
        Route::View(grant, number) => view::get(visit, grant, number).await,
        Route::All(grant) => archive::get(visit, grant).await,
        // Whoever reloads what was wrong with his reply.
        Route::Reply(grant) => see_other(&format!("/r/{grant}")),
        Route::Sent(grant, reply, number) => reply::file(visit, grant, reply, number).await,
    }
}

async fn post(visit: &mut Visit, route: Route<'_>, form: &Form) -> Result<Page, Refusal> {
    match route {
        Route::Check => check::post(visit, form).await,
        Route::Message(token) => unlock::post(visit, token, form).await,
        Route::Numbers(token) => numbers::post(visit, token, form).await,
        Route::Status(token) => status::post(visit, token, form).await,
        Route::Read(grant) => read::leave(visit, grant, form).await,
        Route::File(grant, number) => files::note(visit, grant, number, form).await,
        Route::View(grant, number) => view::note(visit, grant, number, form).await,
        Route::All(grant) => archive::note(visit, grant, form).await,
        _ => Err(Refusal::Missing),
    }
}

/// Whether mail can be taken: the store answers, there is room, and the next hop can be reached.
async fn health(visit: &Visit) -> Page {
    let portal = &visit.desk.portal;
    let answers = portal.store.get(&Key::canary(portal.keyring.master().generation())).await.is_ok();
    let down = StatusCode::SERVICE_UNAVAILABLE;
    let (status, text) = match () {
        () if !answers => (down, "the store does not answer\n"),
        () if portal.blobs.room() == Room::Short => {
            (down, "no room to keep mail: the disk is nearly full, or the folder of the blobs is gone\n")
        }
        () if !(portal.mail_flows)() => (down, "the next hop cannot be reached\n"),
        () => (StatusCode::OK, "ok\n"),
    };
    with(status, "text/plain; charset=utf-8", Body::from(text))
}

fn asset(visit: &Visit, name: &str) -> Result<Page, Refusal> {
    let (content, media_type) = visit.templates.asset(name).ok_or(Refusal::Missing)?;
    let mut page = with(StatusCode::OK, media_type, Body::from(content.to_owned()));
    // Pages ask for it with its version.
    page.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=86400"));
    Ok(page)
}

/// A form that was filled in.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    async fn read(limits: Limits, headers: &HeaderMap, body: Body) -> Result<Form, Refusal> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Refusal::Request);
        }
        let read = tokio::time::timeout(limits.form_time, axum::body::to_bytes(body, limits.form_bytes)).await;
        let octets: Bytes = read.map_err(|_| Refusal::Request)?.map_err(|_| Refusal::Large)?;
        Ok(Form(form_urlencoded::parse(&octets).into_owned().collect()))
    }

    /// What was filled in for `name`; empty when there is no such field.
    pub(super) fn field(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str())
    }

    /// Refuses a form that did not come from our page.
    pub(super) fn came_from(&self, secret: &crate::secret::Token) -> Result<(), Refusal> {
        if crate::seal::form_token_fits(secret, self.field("form")) { Ok(()) } else { Err(Refusal::Form) }
    }
}

/// An answer with a body.
pub(super) fn with(status: StatusCode, media_type: &'static str, body: Body) -> Page {
    let mut page = Response::new(body);
    *page.status_mut() = status;
    page.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    page
}

/// 303: the browser goes on with GET, and a reload sends nothing again.
pub(super) fn see_other(path: &str) -> Result<Page, Refusal> {
    let mut page = with(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", Body::empty());
    page.headers_mut().insert(header::LOCATION, HeaderValue::from_str(path).map_err(|_| Refusal::Error)?);
    Ok(page)
}

/// Headers of every answer, unless it has its own.
const HEADERS: [(&str, &str); 8] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src 'self'; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
    ),
    ("referrer-policy", "no-referrer"),
    ("x-content-type-options", "nosniff"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), \
         magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), usb=(), \
         xr-spatial-tracking=()",
    ),
    ("cache-control", "no-store"),
    ("x-robots-tag", "noindex, nofollow"),
];

fn add_headers(headers: &mut HeaderMap, organisation: &Organisation) {
    for (name, value) in HEADERS {
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
    if guard::is_https(organisation) {
        let year_two = HeaderValue::from_static("max-age=63072000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year_two);
    }
}

/// `?lang=en`: the switch on every page. A cookie remembers it; nothing in the store changes.
fn chosen_language(uri: &Uri) -> Option<Language> {
    let query = uri.query()?;
    form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "lang").and_then(|(_, code)| Language::parse(&code))
}

fn language_of(headers: &HeaderMap) -> Option<Language> {
    let accepted = || accepted_language(headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok().filter(|h| h.len() <= 1000)?);
    session::language(headers).or_else(accepted)
}

/// The language of ours that the browser weighs highest (RFC 9110, 12.4.2); of several, the first. A weight of zero is a refusal.
fn accepted_language(header: &str) -> Option<Language> {
    let mut best = (0.0, None);
    for range in header.split(',') {
        let language = fluent_langneg::accepted_languages::parse(range).first().and_then(|l| Language::parse(l.language.as_str()));
        let weight = range.split(';').skip(1).find_map(|field| field.trim().strip_prefix("q="));
        let weight = weight.and_then(|q| q.trim().parse().ok()).filter(|q| (0.0..=1.0).contains(q)).unwrap_or(1.0_f32);
        if language.is_some() && weight > best.0 {
            best = (weight, language);
        }
    }
    best.1
}

pub(super) use link::Link;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_these_addresses_exist() {
        let id = Id([0x1f; 16]);
        let check = |path: &str, expected| assert_eq!(Route::of(path), expected, "{path}");
        check("/", Some(Route::Home));
        check("/health", Some(Route::Health));
        check("/check", Some(Route::Check));
        check("/check/x", None);
        check("/m/abc", Some(Route::Message("abc")));
        check(&format!("/r/{id}"), Some(Route::Read(id)));
        check(&format!("/r/{id}/file/3"), Some(Route::File(id, 3)));
        check(&format!("/r/{id}/file/-3"), None);
        check(&format!("/r/{id}/file/3/4"), None);
        check(&format!("/r/{id}/"), None);
        check("/r/x", None);
        check("/sms/twilio", Some(Route::Report("twilio", None)));
        check("/sms/twilio/1f", Some(Route::Report("twilio", Some("1f"))));
        check("/sms/twilio/1f/x", None);
        check("/s/abc", Some(Route::Status("abc")));
        check("/s/abc/x", None);
        check("/m", None);
        check("/m/a/b", None);
        check("//", None);
        check("/static/../x", None);
    }
}
