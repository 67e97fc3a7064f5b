//! `/r/<grant>/file/<n>` and `/r/<grant>/picture/<n>`: files under safe names, never shown as a page of ours.

use super::{
    answer::{Form, Page, Refusal, Visit, see_other, with},
    guard, read,
    session::Open,
};
use crate::{
    grant,
    record::{Batch, Card, Fact, Part},
    seal::{CHUNK_BYTES, ContentKey, HEADER_BYTES, open_range, part_context, sealed_len, sealed_range},
    secret::Id,
    store::Blobs,
};
use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
};
use std::{fmt::Write as _, sync::Arc};
use unicode_normalization::UnicodeNormalization as _;

/// Pictures above this are files only.
const MAX_PICTURE_BYTES: u64 = 20 * 1024 * 1024;
/// How much of a file is opened at a time: what a download holds in memory.
pub(super) const PIECE_BYTES: u64 = 16 * CHUNK_BYTES;
/// The longest name: file systems take 255 bytes, browsers add " (1)".
const MAX_NAME_BYTES: usize = 200;

/// A file's page is no page: it may do nothing, even if a browser shows it.
const FILE_POLICY: &str = "sandbox; default-src 'none'; frame-ancestors 'self'";

/// Notes that a file is fetched, then sends the browser there: GET notes nothing.
pub(super) async fn note(visit: &mut Visit, grant: Id, number: usize, form: &Form) -> Result<Page, Refusal> {
    let open = Open::find(visit, grant).await?;
    form.came_from(&open.cookie)?;
    let card = read::card(visit, &open).await?;
    part(&card, number).ok_or(Refusal::Missing)?;
    let mut batch = Batch::new();
    grant::note(&mut batch, Fact::Downloaded, Some(open.granted.grant.value.message), Some(grant), visit.now);
    visit.desk.portal.store.commit(batch).await?;
    see_other(&format!("/r/{grant}/file/{number}"))
}

/// A file, opened piece by piece as the browser takes it.
pub(super) async fn get(visit: &mut Visit, grant: Id, number: usize) -> Result<Page, Refusal> {
    guard::not_embedded_elsewhere(&visit.headers)?;
    let open = Open::find(visit, grant).await?;
    let card = read::card(visit, &open).await?;
    let part = part(&card, number).ok_or(Refusal::Missing)?.clone();
    let name = if number == card.files.len() { body_name(visit, &part) } else { part.name.clone() };
    let pieces = Pieces::of(visit, &open, &part).await?;
    let length = part.size_bytes;
    let mut page = with(StatusCode::OK, "application/octet-stream", Body::from_stream(pieces.stream()));
    let headers = page.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(&part.media_type)));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::CONTENT_DISPOSITION, disposition(&safe_name(&name, &part.media_type)));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(FILE_POLICY));
    Ok(page)
}

/// A picture within the mail's HTML, if it really is one.
pub(super) async fn picture(visit: &mut Visit, grant: Id, number: usize) -> Result<Page, Refusal> {
    guard::not_embedded_elsewhere(&visit.headers)?;
    let open = Open::find(visit, grant).await?;
    let card = read::card(visit, &open).await?;
    let part = card.files.get(number).filter(|p| p.content_id.is_some() && p.size_bytes <= MAX_PICTURE_BYTES).ok_or(Refusal::Missing)?;
    let octets = read::whole(visit, &open, part).await?;
    let kind = picture_kind(&octets).ok_or(Refusal::Missing)?;
    let mut page = with(StatusCode::OK, kind, Body::from(octets.to_vec()));
    page.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(FILE_POLICY));
    Ok(page)
}

/// The part with this number: a file, or behind the last one the text that could not be shown whole.
fn part(card: &Card, number: usize) -> Option<&Part> {
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

/// The first [`PIECE_BYTES`] of a part; that it is all there is looked at too.
pub(super) async fn beginning(visit: &Visit, open: &Open, part: &Part) -> Result<Bytes, Refusal> {
    Ok(Pieces::of(visit, open, part).await?.first)
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

/// A part that is opened piece by piece.
struct Pieces {
    blobs: Arc<dyn Blobs>,
    key: ContentKey,
    message: Id,
    part: Part,
    header: Vec<u8>,
    /// Opened before anything is sent.
    first: Bytes,
}

impl Pieces {
    /// Looks at the blob's length first: a lost tail would not be noticed before the end.
    async fn of(visit: &Visit, open: &Open, part: &Part) -> Result<Pieces, Refusal> {
        let blobs = visit.desk.portal.blobs.clone();
        let (message, key) = (open.granted.grant.value.message, open.content_key.clone());
        if let Some(text) = &part.content {
            let first = Bytes::from(text.clone());
            return Ok(Pieces { blobs, key, message, part: part.clone(), header: Vec::new(), first });
        }
        let header = blobs.get(part.blob, Some(0..HEADER_BYTES)).await?.ok_or_else(|| read::damaged(part.blob))?;
        let sealed = sealed_len(part.size_bytes);
        let tail = blobs.get(part.blob, Some(sealed - 1..sealed + 1)).await?.unwrap_or_default();
        if tail.len() != 1 {
            return Err(read::damaged(part.blob));
        }
        let mut pieces = Pieces { blobs, key, message, part: part.clone(), header, first: Bytes::new() };
        // The first piece before any header is sent: what doesn't open at all gets a page that says so.
        pieces.first = pieces.piece(0).await.ok_or_else(|| read::damaged(part.blob))?;
        Ok(pieces)
    }

    async fn piece(&self, from: u64) -> Option<Bytes> {
        let length = self.part.size_bytes;
        let plain = from..(from + PIECE_BYTES).min(length);
        let sealed = self.blobs.get(self.part.blob, Some(sealed_range(&plain, length))).await.ok()??;
        let context = part_context(self.message, self.part.blob);
        let mut octets = open_range(self.key.key(), &context, &self.header, &sealed, &plain, length).ok()?;
        Some(Bytes::from(std::mem::take(&mut *octets)))
    }

    fn stream(self) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + Send {
        futures_util::stream::unfold((self, 0), |(mut pieces, from)| async move {
            if from >= pieces.part.size_bytes {
                return None;
            }
            let piece = if from == 0 { Some(std::mem::take(&mut pieces.first)) } else { pieces.piece(from).await };
            match piece {
                Some(octets) => {
                    let next = from + octets.len() as u64;
                    Some((Ok(octets), (pieces, next)))
                }
                None => {
                    tracing::error!("portal: blob {} is damaged at {from}", pieces.part.blob);
                    Some((Err(std::io::ErrorKind::InvalidData.into()), (pieces, u64::MAX)))
                }
            }
        })
    }
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
fn picture_kind(octets: &[u8]) -> Option<&'static str> {
    match octets {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// A name under which any system can save a file, and which shows what it is: no folders, no device names, no letters that turn the direction of
/// writing around (`gpj.exe` shown as `exe.jpg`).
pub(super) fn safe_name(name: &str, media_type: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let visible = last.chars().filter_map(|c| match c {
        '<' | '>' | ':' | '"' | '|' | '?' | '*' => Some('_'),
        c if c.is_control() => None,
        '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff0}'..='\u{ffff}'
        | '\u{e0000}'..='\u{e007f}' => None,
        '\u{ad}' | '\u{61c}' | '\u{180e}' => None,
        c if c.is_whitespace() => Some(' '),
        c => Some(c),
    });
    let mut name: String = visible.nfc().collect();
    name = name.trim_matches([' ', '.']).to_owned();
    if name.is_empty() {
        name = match media_type.split(';').next().unwrap_or_default().trim() {
            "message/rfc822" => "bericht.eml",
            "application/pdf" => "bestand.pdf",
            _ => "bestand",
        }
        .to_owned();
    }
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered =
        |prefix: &str| stem.strip_prefix(prefix).is_some_and(|n| n.chars().count() == 1 && n.chars().all(|c| "0123456789¹²³".contains(c)));
    if ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].contains(&stem.as_str()) || numbered("COM") || numbered("LPT") {
        name.insert(0, '_');
    }
    shortened(name)
}

/// Cut to what file systems take, the extension kept.
fn shortened(mut name: String) -> String {
    if name.len() <= MAX_NAME_BYTES {
        return name;
    }
    let extension = name.rfind('.').map(|at| name[at..].to_owned()).filter(|e| e.len() <= 16).unwrap_or_default();
    name.truncate(name.floor_char_boundary(MAX_NAME_BYTES - extension.len()));
    name.truncate(name.trim_end_matches([' ', '.']).len());
    name + &extension
}

/// RFC 6266: a name for old programs, and the real one (RFC 8187).
fn disposition(name: &str) -> HeaderValue {
    let plain = |c: char| if c.is_ascii_alphanumeric() || " !#$&+-.^_`{}~()[],;=@'".contains(c) { c } else { '_' };
    let ascii: String = name.nfkd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)).map(plain).collect();
    let mut encoded = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    let text = format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{encoded}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_is_safe_to_save_under() {
        let check = |name: &str, expected: &str| assert_eq!(safe_name(name, "application/octet-stream"), expected, "{name:?}");
        check("overzicht 2026.xlsx", "overzicht 2026.xlsx");
        check("../../etc/passwd", "passwd");
        check("C:\\Windows\\x.exe", "x.exe");
        check("..", "bestand");
        check("", "bestand");
        check(".htaccess", "htaccess");
        check("CON", "_CON");
        check("nul.txt", "_nul.txt");
        check("com1.tar.gz", "_com1.tar.gz");
        check("common.txt", "common.txt");
        check("foto\u{202e}gpj.exe", "fotogpj.exe");
        check("a\0b\r\nc\".txt", "abc_.txt");
        check("naam.txt. ", "naam.txt");
        check("e\u{301}.txt", "é.txt");
        let long = safe_name(&("é".repeat(300) + ".docx"), "");
        assert!(long.len() <= MAX_NAME_BYTES && long.ends_with("é.docx"));
    }

    #[test]
    fn the_header_says_the_name_twice() {
        assert_eq!(disposition("brief.pdf"), "attachment; filename=\"brief.pdf\"; filename*=UTF-8''brief.pdf");
        assert_eq!(disposition("één €.pdf"), "attachment; filename=\"een _.pdf\"; filename*=UTF-8''%C3%A9%C3%A9n%20%E2%82%AC.pdf");
    }

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

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_name_becomes_one_that_is_safe(name in "\\PC{0,40}|[./\\\\:\u{202e}\u{0}a-c\r\n \"]{0,300}") {
            let safe = safe_name(&name, "");
            prop_assert!(!safe.is_empty() && safe.len() <= MAX_NAME_BYTES + 4 && !safe.starts_with('.') && !safe.ends_with(['.', ' ']));
            let bad = ['/', '\\', '\0', '\r', '\n', '"', ':', '\u{202e}'];
            prop_assert!(!safe.contains(bad));
            prop_assert_eq!(&safe_name(&safe, ""), &safe, "once safe, it stays");
            let header = disposition(&safe);
            prop_assert!(header.to_str().unwrap().matches('"').count() == 2);
        }
    }
}
