//! `/r/<grant>`: the message, for the browser that unlocked it.

use super::{
    answer::{Form, Page, Refusal, Visit},
    files, html,
    link::Granted,
    names::safe_name,
    pieces::PIECE_BYTES,
    reply::{self, Unsent},
    session::{self, Open},
    view,
};
use crate::{
    record::{Batch, Card, Expect, Key, Part, SealedMessage},
    seal::{self, ContentKey, form_token, session_hash},
    secret::Id,
    store::Blobs,
    template::{File, MessagePage, NoticePage, TextPage},
};
use axum::http::{HeaderValue, StatusCode, header};
use zeroize::Zeroizing;

/// A longer text is shown cut off and can be downloaded whole.
const MAX_TEXT_BYTES: usize = PIECE_BYTES as usize;

/// What the frame with the mail's HTML may do: show pictures of ours and open links elsewhere, nothing else.
const FRAME_POLICY: &str = "default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; \
                            frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox allow-same-origin";

/// The message.
pub(super) async fn get(visit: &mut Visit, grant: Id) -> Result<Page, Refusal> {
    let open = Open::find(visit, grant).await?;
    visit.suggest(&open.granted.message.value.language);
    show(visit, &open, grant, None).await
}

/// The page of a message, with what was wrong with a reply.
pub(super) async fn show(visit: &Visit, open: &Open, grant: Id, unsent: Option<Unsent>) -> Result<Page, Refusal> {
    let card = card(visit, open).await?;
    let body = body(visit, open, &card, grant).await?;
    let talk = reply::talk(visit, open, grant, unsent.as_ref()).await?;
    let (pictures, files) = listed(visit, &card, body.cut);
    let attachments = card.files.len() - pictures.len();
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
        attachments,
        pictures,
        said: talk.said,
        just_sent: talk.just_sent,
        reply: talk.form,
        path: path(grant),
        form: form_token(&open.cookie).expose().clone(),
    };
    visit.page(unsent.map_or(StatusCode::OK, |u| u.status()), &view)
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

/// The mail's HTML if it can be made harmless, else its text. No more is opened than is shown.
async fn body(visit: &Visit, open: &Open, card: &Card, grant: Id) -> Result<Shown, Refusal> {
    let words = match &card.html {
        Some(part) if part.size_bytes <= html::MAX_BYTES => match harmless(visit, open, card, part, grant).await? {
            Ok(html) => return Ok(Shown { text: None, html: Some(html), too_complex: false, cut: false }),
            Err(words) => words,
        },
        _ => None,
    };
    let too_complex = card.html.is_some();
    let (text, cut) = match (&card.text, words) {
        (Some(part), _) => {
            let octets = files::beginning(visit, open, part).await?;
            (Some(whole_letters(&octets)), part.size_bytes > octets.len() as u64)
        }
        (None, Some(words)) => {
            let end = words.floor_char_boundary(MAX_TEXT_BYTES);
            (Some(words[..end].to_owned()), end < words.len())
        }
        (None, None) => (None, too_complex),
    };
    Ok(Shown { text, html: None, too_complex, cut })
}

/// The HTML without what acts. When that takes too long: its words, unless the mail has a text of its own.
async fn harmless(visit: &Visit, open: &Open, card: &Card, part: &Part, grant: Id) -> Result<Result<String, Option<String>>, Refusal> {
    // Before anything is read: who waits holds nothing. Kept until the work is done, even if the visitor goes away meanwhile.
    let place = visit.desk.making.clone().acquire_owned().await.map_err(|_| Refusal::Error)?;
    let octets = whole(visit, open, part).await?;
    let (pictures, has_text) = (files::pictures(card, &path(grant)), card.text.is_some());
    let made = tokio::task::spawn_blocking(move || {
        let _place = place;
        let (html, base) = (String::from_utf8_lossy(&octets), pictures.base.clone());
        html::sanitise(&html, &base, move |id| pictures.address(id)).map_err(|html::TooComplex| (!has_text).then(|| html::text_of(&html)))
    });
    made.await.map_err(|_| Refusal::Error)
}

/// The text that begins with `octets`, which may end within a letter.
fn whole_letters(octets: &[u8]) -> String {
    let end = match std::str::from_utf8(octets) {
        Err(cut) if cut.error_len().is_none() => cut.valid_up_to(),
        _ => octets.len(),
    };
    String::from_utf8_lossy(&octets[..end]).into_owned()
}

/// What the message consists of.
pub(super) async fn card(visit: &Visit, opened: &Open) -> Result<Card, Refusal> {
    let Granted { grant, message, .. } = &opened.granted;
    open_card(&*visit.desk.portal.blobs, grant.value.message, &message.value, &opened.content_key).await
}

/// The card of the message `id`, which stands in its record or is a blob.
pub(super) async fn open_card(blobs: &dyn Blobs, id: Id, message: &SealedMessage, key: &ContentKey) -> Result<Card, Refusal> {
    let name = message.card;
    let blob = match &message.sealed_card {
        Some(_) => None,
        None => blobs.get(name, None).await?,
    };
    let sealed = message.sealed_card.as_ref().map(|sealed| &sealed.0).or(blob.as_ref()).ok_or_else(|| damaged(name))?;
    seal::open_card(key, id, name, sealed).map_err(|_| damaged(name))
}

/// A part, opened as a whole.
pub(super) async fn whole(visit: &Visit, opened: &Open, part: &Part) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    if let Some(text) = &part.content {
        return Ok(Zeroizing::new(text.clone().into_bytes()));
    }
    let sealed = visit.desk.portal.blobs.get(part.blob, None).await?.ok_or_else(|| damaged(part.blob))?;
    seal::open_part(&opened.content_key, opened.granted.grant.value.message, part, &sealed).map_err(|_| damaged(part.blob))
}

/// Something that was kept is missing or changed: shouted about, never shown as if it were right.
pub(super) fn damaged(blob: Id) -> Refusal {
    tracing::error!("portal: blob {blob} is missing or damaged");
    Refusal::Damaged
}

/// Whether a file is a picture that the text shows, and no attachment.
pub(super) fn is_in_text(card: &Card, part: &Part) -> bool {
    part.content_id.is_some() && card.html.is_some() && files::is_picture(&part.media_type)
}

/// Pictures of the text apart from attachments; a text that is cut off, or HTML that can't be shown, can be had as a file.
fn listed(visit: &Visit, card: &Card, whole_text: bool) -> (Vec<File>, Vec<File>) {
    let mut pictures = Vec::new();
    let mut others = Vec::new();
    for (number, part) in card.files.iter().enumerate() {
        let name = safe_name(&part.name, &part.media_type);
        let file = File { number, name, size_bytes: part.size_bytes, view: view::look(part).is_some() };
        if is_in_text(card, part) {
            pictures.push(file);
        } else {
            others.push(file);
        }
    }
    if whole_text && let Some(part) = files::body_part(card) {
        let name = files::body_name(visit, part);
        others.push(File { number: card.files.len(), name, size_bytes: part.size_bytes, view: false });
    }
    (pictures, others)
}
