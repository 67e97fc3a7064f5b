//! `/r/<grant>/file/<n>` and `/r/<grant>/picture/<n>`: files under safe names, never shown as a page of ours.

use super::{
    answer::{Form, Page, Refusal, Visit, see_other, with},
    guard,
    link::read as read_row,
    names::{disposition, safe_name},
    pieces::Pieces,
    range::{self, Wanted},
    read,
    session::Open,
    unlock::pause,
};
use crate::{
    grant,
    record::{Batch, Card, Expect, FORMAT, Fact, Key, Part, Receipt},
    secret::Id,
    store::StoreError,
};
use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
};

/// Pictures above this are files only.
pub(super) const MAX_PICTURE_BYTES: u64 = 20 * 1024 * 1024;

/// How often a receipt is written when somebody else writes it too.
const ATTEMPTS: u32 = 6;

/// A file's page is no page: it may do nothing, even if a browser shows it.
pub(super) const FILE_POLICY: &str = "sandbox; default-src 'none'; frame-ancestors 'self'";

/// Notes that a file is fetched, then sends the browser there: GET notes nothing.
pub(super) async fn note(visit: &mut Visit, grant: Id, number: usize, form: &Form) -> Result<Page, Refusal> {
    note_as(visit, grant, number, form, Fact::Downloaded).await?;
    see_other(&format!("/r/{grant}/file/{number}"))
}

/// Notes `what` happens to a file.
pub(super) async fn note_as(visit: &Visit, grant: Id, number: usize, form: &Form, what: Fact) -> Result<(), Refusal> {
    let open = Open::find(visit, grant).await?;
    form.came_from(&open.cookie)?;
    let card = read::card(visit, &open).await?;
    part(&card, number).ok_or(Refusal::Missing)?;
    note_had(visit, open.granted.grant.value.message, grant, &[number], what).await
}

/// Notes `what` happens to each of these files, and for their sender when that was first so.
pub(super) async fn note_had(visit: &Visit, message: Id, grant: Id, numbers: &[usize], what: Fact) -> Result<(), Refusal> {
    let (store, key) = (&visit.desk.portal.store, Key::of_message(message, grant));
    for attempt in 0..ATTEMPTS {
        let mut batch = Batch::new();
        for _ in numbers {
            grant::note(&mut batch, what, Some(message), Some(grant), visit.now);
        }
        if let Some(row) = read_row::<Option<Receipt>>(&**store, &key).await? {
            let mut receipt = Receipt { v: FORMAT, ..row.value.unwrap_or_default() };
            if receipt.had(numbers.iter().copied(), visit.now) {
                batch.put(key.clone(), &receipt, Expect::Version(row.version));
            }
        }
        match store.commit(batch).await {
            Ok(()) => return Ok(()),
            Err(StoreError::Conflict) => pause(attempt).await,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Refusal::Busy)
}

/// A file.
pub(super) async fn get(visit: &mut Visit, grant: Id, number: usize) -> Result<Page, Refusal> {
    guard::not_embedded_elsewhere(&visit.headers)?;
    let open = Open::find(visit, grant).await?;
    visit.suggest(&open.granted.message.value.language);
    let card = read::card(visit, &open).await?;
    let part = part(&card, number).ok_or(Refusal::Missing)?;
    let name = if number == card.files.len() { body_name(visit, part) } else { part.name.clone() };
    send(visit, Pieces::of(visit, &open, part).await?, part, &Shape::download(&name, part)).await
}

/// As what a part goes out.
pub(super) struct Shape {
    pub(super) media_type: &'static str,
    pub(super) disposition: HeaderValue,
    pub(super) policy: &'static str,
}

impl Shape {
    /// As a file to save under `name`.
    pub(super) fn download(name: &str, part: &Part) -> Shape {
        let disposition = disposition("attachment", &safe_name(name, &part.media_type));
        Shape { media_type: media_type(&part.media_type), disposition, policy: FILE_POLICY }
    }
}

/// A part, or what is asked for of it, opened piece by piece as the browser takes it.
pub(super) async fn send(visit: &Visit, pieces: Pieces, part: &Part, shape: &Shape) -> Result<Page, Refusal> {
    let (tag, length) = (range::tag(part), pieces.length());
    let (status, range) = match range::wanted(&visit.headers, &tag, length) {
        Wanted::Whole => (StatusCode::OK, 0..length),
        Wanted::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        Wanted::Beyond => return Ok(range::beyond(length)),
    };
    let mut page = with(status, shape.media_type, Body::from_stream(pieces.stream(range.clone()).await?));
    let headers = page.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::ETAG, tag);
    headers.insert(header::CONTENT_DISPOSITION, shape.disposition.clone());
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(shape.policy));
    if status == StatusCode::PARTIAL_CONTENT {
        let place = format!("bytes {}-{}/{length}", range.start, range.end - 1);
        headers.insert(header::CONTENT_RANGE, HeaderValue::from_str(&place).map_err(|_| Refusal::Error)?);
    }
    Ok(page)
}

/// A picture, within the mail's HTML or attached, if it really is one.
pub(super) async fn picture(visit: &mut Visit, grant: Id, number: usize) -> Result<Page, Refusal> {
    guard::not_embedded_elsewhere(&visit.headers)?;
    let open = Open::find(visit, grant).await?;
    let card = read::card(visit, &open).await?;
    let part = card.files.get(number).filter(|p| p.size_bytes <= MAX_PICTURE_BYTES).ok_or(Refusal::Missing)?;
    let octets = read::whole(visit, &open, part).await?;
    let kind = picture_kind(&octets).ok_or(Refusal::Missing)?;
    let mut page = with(StatusCode::OK, kind, Body::from(octets.to_vec()));
    page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(FILE_POLICY));
    Ok(page)
}

/// The part with this number: a file, or behind the last one the text that could not be shown whole.
pub(super) fn part(card: &Card, number: usize) -> Option<&Part> {
    if number == card.files.len() { body_part(card) } else { card.files.get(number) }
}

/// The text of the mail as a file.
pub(super) fn body_part(card: &Card) -> Option<&Part> {
    card.text.as_ref().or(card.html.as_ref())
}

/// The name of that file.
pub(super) fn body_name(visit: &Visit, part: &Part) -> String {
    let extension = if part.media_type.starts_with("text/html") { "html" } else { "txt" };
    format!("{}.{extension}", visit.templates.text(visit.language(), "message-whole-text", &[]))
}

/// The first [`super::pieces::PIECE_BYTES`] of a part; that it is all there is looked at too.
pub(super) async fn beginning(visit: &Visit, open: &Open, part: &Part) -> Result<Bytes, Refusal> {
    Pieces::of(visit, open, part).await?.first_of(&(0..part.size_bytes)).await
}

/// The pictures that a mail's HTML may show.
pub(super) struct Pictures {
    /// What their addresses begin with.
    pub(super) base: String,
    ids: Vec<(usize, String)>,
}

/// The pictures of a message whose parts are below `path`.
pub(super) fn pictures(card: &Card, path: &str) -> Pictures {
    let ids = card.files.iter().enumerate().filter_map(|(n, p)| Some((n, p.content_id.clone()?))).collect();
    Pictures { base: format!("{path}/picture/"), ids }
}

impl Pictures {
    /// The address of the picture with this Content-ID (RFC 2392: percent-encoded in the link).
    pub(super) fn address(&self, cid: &str) -> Option<String> {
        let decoded = percent_decoded(cid);
        self.ids.iter().find(|(_, id)| *id == cid || *id == decoded).map(|(n, _)| format!("{}{n}", self.base))
    }
}

fn percent_decoded(text: &str) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = |at: usize| after.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (first, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                octets.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = &after[2..];
            }
            _ => {
                octets.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}

/// The types under which files go out. What a browser could show as a page of ours goes as octets; nosniff keeps it so.
fn media_type(declared: &str) -> &'static str {
    const PLAIN: [&str; 16] = [
        "application/pdf",
        "application/zip",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/webp",
        "text/calendar",
        "text/csv",
    ];
    let declared = declared.split(';').next().unwrap_or_default().trim();
    PLAIN.into_iter().find(|t| t.eq_ignore_ascii_case(declared)).unwrap_or("application/octet-stream")
}

/// Whether a media type says it is a picture that browsers show. SVG is none: it can hold scripts.
pub(super) fn is_picture(media_type: &str) -> bool {
    ["image/png", "image/jpeg", "image/jpg", "image/gif", "image/webp"].iter().any(|t| media_type.eq_ignore_ascii_case(t))
}

/// What a picture is by its first bytes.
pub(super) fn picture_kind(octets: &[u8]) -> Option<&'static str> {
    match octets {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_what_its_bytes_say() {
        assert_eq!(picture_kind(b"\x89PNG\r\n\x1a\n...."), Some("image/png"));
        assert_eq!(picture_kind(b"RIFF1234WEBPVP8 "), Some("image/webp"));
        assert_eq!(picture_kind(b"<svg onload=alert(1)>"), None);
        assert!(!is_picture("image/svg+xml"));
        assert_eq!(media_type("text/html; charset=utf-8"), "application/octet-stream");
        assert_eq!(media_type("Application/PDF; name=x"), "application/pdf");
    }

    #[test]
    fn a_content_id_is_found_as_links_write_it() {
        let pictures = Pictures { base: "/r/0/picture/".into(), ids: vec![(3, "logo%1@x y".into()), (4, "a@b".into())] };
        assert_eq!(pictures.address("a@b").as_deref(), Some("/r/0/picture/4"));
        assert_eq!(pictures.address("logo%251@x%20y").as_deref(), Some("/r/0/picture/3"));
        assert_eq!(pictures.address("zz"), None);
    }
}
