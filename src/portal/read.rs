//! `/r/<grant>`: the message, for the browser that unlocked it.

use super::{
    answer::{Form, Page, Refusal, Visit},
    files, html,
    session::{self, Open},
};
use crate::{
    record::{Batch, Card, Expect, Key, Part},
    seal::{card_context, form_token, open, part_context, session_hash},
    secret::Id,
    template::{File, MessagePage, NoticePage, TextPage},
};
use axum::http::{HeaderValue, StatusCode, header};
use zeroize::Zeroizing;

/// A longer text is shown cut off and can be downloaded whole.
const MAX_TEXT_BYTES: usize = 1024 * 1024;

/// What the frame with the mail's HTML may do: show pictures of ours and open links elsewhere, nothing else.
const FRAME_POLICY: &str = "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; \
                            frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox allow-same-origin";

/// The message.
pub(super) async fn get(visit: &mut Visit, grant: Id) -> Result<Page, Refusal> {
    let open = Open::find(visit, grant).await?;
    visit.suggest(&open.granted.message.value.language);
    let card = card(visit, &open).await?;
    let body = body(visit, &open, &card, grant).await?;
    let (pictures, files) = listed(visit, &card, body.cut);
    let view = MessagePage {
        subject: card.subject,
        sender_name: card.sender_name,
        sender: card.sender,
        at: card.date,
        now: visit.now,
        text: body.text,
        text_cut: body.cut,
        html: body.html.is_some(),
        too_complex: body.too_complex,
        files,
        pictures,
        path: path(grant),
        form: form_token(&open.cookie).expose().clone(),
    };
    visit.page(StatusCode::OK, &view)
}

/// Its HTML, in a page of its own.
pub(super) async fn text(visit: &mut Visit, grant: Id) -> Result<Page, Refusal> {
    let open = Open::find(visit, grant).await?;
    visit.suggest(&open.granted.message.value.language);
    let card = card(visit, &open).await?;
    let html = body(visit, &open, &card, grant).await?.html.ok_or(Refusal::Missing)?;
    let mut page = visit.page(StatusCode::OK, &TextPage { html })?;
    page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(FRAME_POLICY));
    Ok(page)
}

/// Closes the message in this browser.
pub(super) async fn leave(visit: &mut Visit, grant: Id, form: &Form) -> Result<Page, Refusal> {
    let open = Open::find(visit, grant).await?;
    form.came_from(&open.cookie)?;
    visit.suggest(&open.granted.message.value.language);
    let mut batch = Batch::new();
    batch.delete(Key::session(&session_hash(&open.cookie)), Expect::Version(open.session.version));
    visit.desk.portal.store.commit(batch).await?;
    let mut page = visit.page(StatusCode::OK, &NoticePage::LEFT)?;
    session::take(visit, page.headers_mut(), grant);
    page.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    Ok(page)
}

fn path(grant: Id) -> String {
    format!("/r/{grant}")
}

/// What the message page says in full.
struct Shown {
    text: Option<String>,
    html: Option<String>,
    too_complex: bool,
    cut: bool,
}

/// The mail's HTML if it can be made harmless, else its text.
async fn body(visit: &Visit, open: &Open, card: &Card, grant: Id) -> Result<Shown, Refusal> {
    let html = match &card.html {
        Some(part) if part.size_bytes <= html::MAX_BYTES => Some(part_text(visit, open, part).await?),
        _ => None,
    };
    let text = match &card.text {
        Some(part) => Some(part_text(visit, open, part).await?),
        None => None,
    };
    let pictures = files::pictures(card, &path(grant));
    let too_long = card.html.is_some() && html.is_none();
    let made = tokio::task::spawn_blocking(move || {
        let base = pictures.base.clone();
        let safe = html.as_deref().map(|h| html::sanitise(h, &base, move |id| pictures.address(id)));
        match (safe, text) {
            (Some(Ok(html)), _) => Shown { text: None, html: Some(html), too_complex: false, cut: false },
            (failed, Some(text)) => shown_text(&text, failed.is_some() || too_long),
            (Some(Err(html::TooComplex)), None) => shown_text(&html::text_of(html.as_deref().unwrap_or_default()), true),
            (None, None) => Shown { text: None, html: None, too_complex: too_long, cut: too_long },
        }
    });
    made.await.map_err(|_| Refusal::Error)
}

fn shown_text(text: &str, too_complex: bool) -> Shown {
    let end = text.floor_char_boundary(MAX_TEXT_BYTES);
    Shown { text: Some(text[..end].to_owned()), html: None, too_complex, cut: end < text.len() }
}

async fn part_text(visit: &Visit, open: &Open, part: &Part) -> Result<String, Refusal> {
    let octets = whole(visit, open, part).await?;
    Ok(String::from_utf8_lossy(&octets).into_owned())
}

/// What the message consists of.
pub(super) async fn card(visit: &Visit, opened: &Open) -> Result<Card, Refusal> {
    let (id, message) = (opened.granted.grant.value.message, &opened.granted.message.value);
    let sealed = visit.desk.portal.blobs.get(message.card, None).await?.ok_or_else(|| damaged(message.card))?;
    let card = open(opened.content_key.key(), &card_context(id, message.card), &sealed).map_err(|_| damaged(message.card))?;
    serde_json::from_slice(&card).map_err(|_| damaged(message.card))
}

/// A part, opened as a whole; its length is compared, so that a lost tail is noticed.
pub(super) async fn whole(visit: &Visit, opened: &Open, part: &Part) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let sealed = visit.desk.portal.blobs.get(part.blob, None).await?.ok_or_else(|| damaged(part.blob))?;
    let context = part_context(opened.granted.grant.value.message, part.blob);
    let octets = open(opened.content_key.key(), &context, &sealed).map_err(|_| damaged(part.blob))?;
    if octets.len() as u64 == part.size_bytes { Ok(octets) } else { Err(damaged(part.blob)) }
}

/// Something that was kept is missing or changed: shouted about, never shown as if it were right.
pub(super) fn damaged(blob: Id) -> Refusal {
    tracing::error!("portal: blob {blob} is missing or damaged");
    Refusal::Damaged
}

/// Pictures of the text apart from attachments; a text that is cut off, or HTML that can't be shown, can be had as a file.
fn listed(visit: &Visit, card: &Card, whole_text: bool) -> (Vec<File>, Vec<File>) {
    let mut pictures = Vec::new();
    let mut others = Vec::new();
    for (number, part) in card.files.iter().enumerate() {
        let file = File { number, name: files::safe_name(&part.name, &part.media_type), size_bytes: part.size_bytes };
        if part.content_id.is_some() && card.html.is_some() && files::is_picture(&part.media_type) {
            pictures.push(file);
        } else {
            others.push(file);
        }
    }
    if whole_text && let Some(part) = files::body_part(card) {
        let name = visit.templates.text(visit.language(), "message-whole-text", &[]);
        let extension = if part.media_type.starts_with("text/html") { "html" } else { "txt" };
        others.push(File { number: card.files.len(), name: format!("{name}.{extension}"), size_bytes: part.size_bytes });
    }
    (pictures, others)
}
