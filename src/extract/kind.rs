//! What a file is: told by its content, not by its name or by what the mail says. The name only tells apart kinds of text.

use super::{
    archive::{streams::Packing, tar},
    charset,
    image::metafile,
    legacy, office, tnef,
};
use crate::message;
use memchr::memmem;

/// What a file can be read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Known to carry no text.
    Nothing,
    Text,
    /// iCalendar, vCard.
    Folded,
    Html,
    Mail,
    Pdf,
    Zip,
    /// What lies in it, its streams tell: its reader tells them apart. Or the stream of an old workbook on its own.
    Compound,
    /// A package of Office Open XML.
    Office,
    /// A package of OpenDocument.
    OpenDocument,
    /// An office document that is one XML file.
    FlatOffice,
    Rtf,
    Tnef,
    SevenZip,
    Tar,
    Rar,
    Packed(Packing),
    Image,
    /// Drawing operations, which may write text.
    Metafile,
    Svg,
    Encrypted(&'static str),
    Unsupported(&'static str),
}

impl Kind {
    /// Whether its reader parses a complex format, and so runs guarded.
    pub(super) fn is_complex(&self) -> bool {
        matches!(self, Kind::Pdf | Kind::Zip | Kind::Office | Kind::OpenDocument | Kind::FlatOffice | Kind::Compound)
            || matches!(
                self,
                Kind::Rtf | Kind::Tnef | Kind::SevenZip | Kind::Tar | Kind::Rar | Kind::Packed(_) | Kind::Image | Kind::Metafile
            )
    }
}

/// `%PDF-` counts anywhere in these first octets, as readers take it.
const PDF_HEADER_WITHIN: usize = 1024;

/// Everything that `octets` can be read as: where two types fit, a recipient's program may pick either.
pub(super) fn kinds(name: &str, media_type: &str, octets: &[u8]) -> Vec<Kind> {
    if octets.is_empty() {
        return vec![Kind::Nothing];
    }
    let mut kinds = Vec::new();
    if memmem::find(&octets[..octets.len().min(PDF_HEADER_WITHIN)], b"%PDF-").is_some() {
        kinds.push(Kind::Pdf);
    }
    if let Some(kind) = package(octets) {
        kinds.push(kind);
    }
    if kinds.is_empty()
        && let Some(kind) = by_magic(name, media_type, octets)
    {
        kinds.push(kind);
    }
    if kinds.iter().all(|k| *k == Kind::Image) && has_zip_end(octets) {
        kinds.push(Kind::Zip);
    }
    if kinds.is_empty() {
        kinds = texts(name, media_type, octets);
    } else if matches!(kinds[..], [Kind::Image | Kind::Rtf]) && claims_text(&extension(name), media_type) && media_type != "text/rtf" {
        // Six letters make a picture of any text, and a browser goes by the name.
        kinds.extend(kinds_of_text(&extension(name), media_type, octets));
    }
    kinds
}

/// A ZIP, and which one: its members tell.
fn package(octets: &[u8]) -> Option<Kind> {
    let begins_so = octets.starts_with(b"PK\x03\x04") || octets.starts_with(b"PK\x05\x06");
    if !begins_so && (octets.starts_with(b"\xD0\xCF\x11\xE0") || !has_zip_end(octets)) {
        return None;
    }
    let holds = |member: &[u8]| memmem::find(octets, member).is_some();
    // ODF: the member "mimetype" comes first and is stored (ODF 1.3, part 2, 3.3).
    let is_odf = octets.get(30..).is_some_and(|o| o.starts_with(b"mimetypeapplication/vnd.oasis.opendocument"));
    Some(match () {
        () if holds(b"[Content_Types].xml") => Kind::Office,
        // Written by other packers, in another order.
        () if is_odf || holds(b"META-INF/manifest.xml") && (holds(b"content.xml") || holds(b"encrypted-package")) => Kind::OpenDocument,
        () => Kind::Zip,
    })
}

/// The end record of a ZIP anywhere (APPNOTE 4.3.16), its directory right before it: self-extracting archives, pictures with a rider.
fn has_zip_end(octets: &[u8]) -> bool {
    let Some(at) = memmem::rfind(octets, b"PK\x05\x06") else { return false };
    let Some(size) = octets.get(at + 12..at + 16).and_then(|s| <[u8; 4]>::try_from(s).ok()).map(u32::from_le_bytes) else { return false };
    let directory = at.checked_sub(size as usize);
    directory.is_some_and(|d| size > 0 && octets[d..].starts_with(b"PK\x01\x02"))
}

fn by_magic(name: &str, media_type: &str, octets: &[u8]) -> Option<Kind> {
    const IMAGES: [&[u8]; 10] = [
        b"\x89PNG\r\n\x1A\n",
        b"\xFF\xD8\xFF",
        b"GIF87a",
        b"GIF89a",
        b"BM",
        b"II*\0",
        b"MM\0*",
        b"\0\0\x01\0",
        b"8BPS\0",
        b"\0\0\0\x0CjP  ",
    ];
    const MEDIA: [&[u8]; 8] = [b"ID3", b"\xFF\xFB", b"OggS", b"fLaC", b"\x1A\x45\xDF\xA3", b"FLV\x01", b"#!AMR", b"MThd"];
    let is = |magic: &&[u8]| octets.starts_with(magic);
    let riff = |form: &[u8]| octets.starts_with(b"RIFF") && octets.get(8..12) == Some(form);
    let is_bmp =
        !octets.starts_with(b"BM") || octets.get(14..18).is_some_and(|s| matches!(s[0], 12 | 40 | 52 | 56 | 64 | 108 | 124) && s[1] == 0);
    if (IMAGES.iter().any(is) && is_bmp) || riff(b"WEBP") {
        return Some(Kind::Image);
    }
    if metafile::is_one(octets) {
        return Some(Kind::Metafile);
    }
    if octets.starts_with(&tnef::SIGNATURE) {
        return Some(Kind::Tnef);
    }
    // Word asks for no more of it.
    if octets.trim_ascii_start().starts_with(b"{\\rt") {
        return Some(Kind::Rtf);
    }
    if octets.starts_with(legacy::MAGIC) || legacy::is_bare_workbook(octets) {
        return Some(Kind::Compound);
    }
    if octets.starts_with(b"7z\xBC\xAF\x27\x1C") {
        return Some(Kind::SevenZip);
    }
    if octets.starts_with(b"Rar!\x1A\x07") || octets.starts_with(b"RE~^") {
        return Some(Kind::Rar);
    }
    if let Some(packing) = Packing::of(octets) {
        return Some(Kind::Packed(packing));
    }
    if tar::is_tar(octets) {
        return Some(Kind::Tar);
    }
    if octets.starts_with(b"\x76\xE8\x04\x60\xC4\x11\xE3\x86") {
        return Some(Kind::Encrypted("rights-management"));
    }
    if octets.first() == Some(&0x30) && octets.len() > 32 {
        return cryptographic(name, media_type, octets);
    }
    let is_movie = octets.get(4..8) == Some(b"ftyp");
    let is_still =
        is_movie && octets.get(8..12).is_some_and(|b| [b"heic", b"mif1", b"avif"].contains(&<&[u8; 4]>::try_from(b).unwrap_or(b"    ")));
    if is_still {
        return Some(Kind::Image);
    }
    (is_movie || MEDIA.iter().any(is) || riff(b"WAVE") || riff(b"AVI ")).then_some(Kind::Unsupported("media"))
}

/// CMS (RFC 5652): a detached signature carries no text; enveloped data is encrypted; anything else is not read in this version.
fn cryptographic(name: &str, media_type: &str, octets: &[u8]) -> Option<Kind> {
    const PKCS7: &[u8] = b"\x06\x09\x2A\x86\x48\x86\xF7\x0D\x01\x07";
    /// id-smime-ct-authEnvelopedData, RFC 5083.
    const AUTH_ENVELOPED: &[u8] = b"\x06\x0B\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x01\x17";
    let start = &octets[..octets.len().min(32)];
    if memmem::find(start, AUTH_ENVELOPED).is_some() {
        return Some(Kind::Encrypted("smime"));
    }
    let at = memmem::find(start, PKCS7)?;
    match octets.get(at + PKCS7.len())? {
        3 | 4 | 6 => Some(Kind::Encrypted("smime")),
        2 => {
            // encapContentInfo with nothing but its type: `30 0B` + OID, or an indefinite length closed right behind it.
            let data = [PKCS7, b"\x01"].concat();
            let inner = memmem::find(octets, &data)?;
            let is_closed = octets.get(inner.wrapping_sub(2)..inner) == Some(b"\x30\x0B");
            let is_empty = octets.get(inner + data.len()..inner + data.len() + 2) == Some(b"\0\0");
            let is_signature = media_type.ends_with("pkcs7-signature") || name.to_ascii_lowercase().ends_with(".p7s");
            Some(if is_signature && (is_closed || is_empty) { Kind::Nothing } else { Kind::Unsupported("signed") })
        }
        _ => Some(Kind::Unsupported("unknown-type")),
    }
}

/// Text, or nothing that is known. What claims to be text and is none was perhaps garbled on its way: it is read all the same.
fn texts(name: &str, media_type: &str, octets: &[u8]) -> Vec<Kind> {
    let extension = extension(name);
    match (is_text(octets), claims_text(&extension, media_type)) {
        (true, _) => kinds_of_text(&extension, media_type, octets),
        (false, true) => [kinds_of_text(&extension, media_type, octets), vec![Kind::Unsupported("charset")]].concat(),
        (false, false) => vec![Kind::Unsupported("unknown-type")],
    }
}

fn extension(name: &str) -> String {
    name.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase()).unwrap_or_default()
}

fn claims_text(extension: &str, media_type: &str) -> bool {
    media_type.starts_with("text/") || matches!(extension, "txt" | "csv" | "htm" | "html" | "xml" | "json" | "ics" | "vcf" | "eml")
}

/// Kinds of text: by name and media type, and by how it begins.
fn kinds_of_text(extension: &str, media_type: &str, octets: &[u8]) -> Vec<Kind> {
    let start = String::from_utf8_lossy(&octets[..octets.len().min(1024)]).to_ascii_lowercase();
    let start = start.trim_start_matches(['\u{FEFF}', ' ', '\t', '\r', '\n', '\u{FFFD}', '\0']);
    if matches!(media_type, "message/partial" | "message/external-body") {
        return vec![Kind::Unsupported("unknown-type")];
    }
    if extension == "eml" || matches!(media_type, "message/rfc822" | "message/global") {
        return vec![Kind::Mail];
    }
    if message::looks_like_mail(octets) {
        // "Onderwerp: ...", "BSN: ..." looks like a header too: read it as what it is written as, and as a mail.
        return vec![Kind::Text, Kind::Mail];
    }
    let is_card = start.starts_with("begin:v") || matches!(extension, "ics" | "vcf" | "ifb");
    if is_card || matches!(media_type, "text/calendar" | "text/vcard" | "text/x-vcard" | "text/directory") {
        return vec![Kind::Folded];
    }
    let begins_so = ["<!doctype html", "<html", "<head", "<body"].iter().any(|tag| start.starts_with(tag));
    if office::is_flat(start) {
        return vec![Kind::FlatOffice];
    }
    let is_xhtml = start.starts_with("<?xml") && start.contains("<html");
    if start.starts_with("<svg") || start.starts_with("<?xml") && start.contains("<svg") && !start.contains("<html") {
        return vec![Kind::Svg];
    }
    if begins_so || is_xhtml || matches!(extension, "htm" | "html" | "xhtml") || media_type == "text/html" {
        return vec![Kind::Html];
    }
    vec![Kind::Text]
}

/// Text has no zeros (but for UTF-16) and hardly any control characters.
fn is_text(octets: &[u8]) -> bool {
    /// One in a hundred: a form feed, an escape, a stray octet in a log file.
    const MOST_CONTROLS: usize = 100;
    if octets.starts_with(b"\xFF\xFE") || octets.starts_with(b"\xFE\xFF") || charset::utf16_by_zeros(octets).is_some() {
        return true;
    }
    let is_control = |b: &&u8| **b < 0x20 && !matches!(**b, b'\t' | b'\n' | b'\r' | 0x0C | 0x1B);
    let controls = octets.iter().filter(is_control).count();
    let zeros = memchr::memchr_iter(0, octets).count();
    zeros * 1000 <= octets.len() && (controls <= 2 || controls * MOST_CONTROLS <= octets.len())
}
