//! `/r/<grant>/view/<n>`: an attachment in the browser. A picture and a text stand on a page of ours, a PDF is shown by the browser itself.
//!
//! What may be looked at is offered by its declared type or name, and shown only if its first octets agree. HTML and SVG are files only: they act.

use super::{
    answer::{Form, Page, Refusal, Visit, see_other},
    files::{self, Shape},
    guard,
    names::{disposition, safe_name},
    pieces::Pieces,
    read,
    session::Open,
};
use crate::{
    record::{Fact, Part},
    seal::form_token,
    secret::Id,
    template::{NoticePage, ViewPage},
};
use axum::http::StatusCode;
use std::borrow::Cow;

/// A PDF is not sandboxed: browsers' viewers are pages that need scripts of their own. It may load nothing.
const PDF_POLICY: &str = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'";
/// A reader takes a PDF whose mark stands within its first kilobyte (ISO 32000-1, H.3, note 13).
const PDF_MARK_WITHIN: usize = 1024;

/// How an attachment is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    Picture,
    Text,
    Pdf,
}

/// How a part may be shown, by what it is said to be. Many programs declare nothing but octets: then the name counts.
pub(super) fn look(part: &Part) -> Option<Look> {
    let declared = part.media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let extension = part.name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default();
    let look = match (declared.as_str(), extension.as_str()) {
        (declared, _) if files::is_picture(declared) => Look::Picture,
        ("application/pdf", _) => Look::Pdf,
        ("text/plain" | "text/csv", _) => Look::Text,
        ("application/octet-stream" | "", "png" | "jpg" | "jpeg" | "gif" | "webp") => Look::Picture,
        ("application/octet-stream" | "", "pdf") => Look::Pdf,
        ("application/octet-stream" | "", "txt" | "csv") => Look::Text,
        _ => return None,
    };
    (look != Look::Picture || part.size_bytes <= files::MAX_PICTURE_BYTES).then_some(look)
}

/// Notes that an attachment is looked at, then sends the browser there: GET notes nothing.
pub(super) async fn note(visit: &mut Visit, grant: Id, number: usize, form: &Form) -> Result<Page, Refusal> {
    files::note_as(visit, grant, number, form, Fact::Viewed).await?;
    see_other(&format!("/r/{grant}/view/{number}"))
}

/// The attachment.
pub(super) async fn get(visit: &mut Visit, grant: Id, number: usize) -> Result<Page, Refusal> {
    guard::not_embedded_elsewhere(&visit.headers)?;
    let open = Open::find(visit, grant).await?;
    visit.suggest(&open.granted.message.value.language);
    let card = read::card(visit, &open).await?;
    let part = card.files.get(number).ok_or(Refusal::Missing)?;
    let look = look(part).ok_or(Refusal::Missing)?;
    let beginning = files::beginning(visit, &open, part).await?;
    let name = safe_name(&part.name, &part.media_type);
    let path = format!("/r/{grant}");
    let (text, picture) = match look {
        Look::Picture if files::picture_kind(&beginning).is_some() => (None, Some(format!("{path}/picture/{number}"))),
        Look::Text if !beginning.contains(&0) || beginning.starts_with(&[0xff, 0xfe]) || beginning.starts_with(&[0xfe, 0xff]) => {
            (Some(decoded(&beginning, is_cut(&beginning, part)).into_owned()), None)
        }
        Look::Pdf if beginning[..beginning.len().min(PDF_MARK_WITHIN)].windows(5).any(|w| w == b"%PDF-") => {
            let shape = Shape { media_type: "application/pdf", disposition: disposition("inline", &name), policy: PDF_POLICY };
            return files::send(visit, Pieces::of(visit, &open, part).await?, part, &shape).await;
        }
        _ => return visit.page(StatusCode::UNSUPPORTED_MEDIA_TYPE, &NoticePage::UNSHOWN),
    };
    let cut = text.is_some() && is_cut(&beginning, part);
    visit.page(StatusCode::OK, &ViewPage { name, number, text, cut, picture, path, form: form_token(&open.cookie).expose().clone() })
}

fn is_cut(beginning: &[u8], part: &Part) -> bool {
    (beginning.len() as u64) < part.size_bytes
}

/// A text file's letters: by its mark, else UTF-8, else what Windows writes here. One that is `cut` may end within a letter.
fn decoded(octets: &[u8], cut: bool) -> Cow<'_, str> {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(octets) {
        return encoding.decode_without_bom_handling(&octets[mark..]).0;
    }
    match std::str::from_utf8(octets) {
        Ok(text) => text.into(),
        Err(error) if cut && error.error_len().is_none() => String::from_utf8_lossy(&octets[..error.valid_up_to()]),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(octets).0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_act_is_shown() {
        let check = |name: &str, media_type: &str, expected: Option<Look>| {
            let part = Part {
                blob: Id([0; 16]),
                content: None,
                name: name.to_owned(),
                media_type: media_type.to_owned(),
                content_id: None,
                size_bytes: 1,
            };
            assert_eq!(look(&part), expected, "{name} {media_type}");
        };
        check("a.bin", "Application/PDF; name=a.bin", Some(Look::Pdf));
        check("scan.PDF", "application/octet-stream", Some(Look::Pdf));
        check("foto.JPG", "", Some(Look::Picture));
        check("x", "image/webp", Some(Look::Picture));
        check("lijst.csv", "text/csv; charset=utf-8", Some(Look::Text));
        check("x.svg", "image/svg+xml", None);
        check("x.svg", "application/octet-stream", None);
        check("x.pdf", "text/html", None);
        check("x.html", "application/octet-stream", None);
        check("x.docx", "application/octet-stream", None);
    }

    #[test]
    fn a_text_is_read_as_it_was_written() {
        let check = |octets: &[u8], expected: &str| assert_eq!(decoded(octets, false), expected);
        check("één".as_bytes(), "één");
        check(b"\xe9\xe9n \x80", "één €");
        check(b"\xff\xfee\0\xe9\0", "eé");
        check(b"\xef\xbb\xbfx", "x");
        check(b"caf\xe9", "café");
        assert_eq!(decoded(&"één".as_bytes()[..3], true), "é");
    }
}
