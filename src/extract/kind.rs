//! What a file is: told by its content, not by its name or by what the mail says. The name only tells apart kinds of text.

use super::{
    archive::{ar, begins, cpio, foreign, streams::Packing, tar},
    charset, cms,
    image::metafile,
    iwork, legacy, office, signature, tnef,
};
use crate::message;
use memchr::memmem;
use std::ops::Range;

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
    /// Mails one after the other: mbox.
    Mails,
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
    Ar,
    Cpio,
    Packed(Packing),
    /// A CMS message that isn't encrypted (RFC 5652): what lies in it can be taken out as it is.
    Signed,
    /// One that must be unpacked.
    PackedCms,
    /// Base64 of such ones, or of certificates.
    Armoured,
    Certificate,
    /// A piece of a document of Pages, Numbers or Keynote.
    Iwork,
    Image,
    /// Drawing operations, which may write text.
    Metafile,
    Svg,
    /// Some of it is a file by itself.
    Stretch(Range<usize>),
    Encrypted(&'static str),
    Unsupported(&'static str),
}

impl Kind {
    /// Whether its reader parses a complex format, and so runs guarded.
    pub(super) fn is_complex(&self) -> bool {
        matches!(self, Kind::Pdf | Kind::Zip | Kind::Office | Kind::OpenDocument | Kind::FlatOffice | Kind::Compound)
            || matches!(
                self,
                Kind::PackedCms | Kind::Armoured | Kind::Certificate | Kind::Iwork | Kind::Stretch(_) | Kind::Image | Kind::Metafile
            )
            || matches!(self, Kind::Rtf | Kind::Tnef | Kind::SevenZip | Kind::Tar | Kind::Rar | Kind::Ar | Kind::Cpio | Kind::Packed(_))
    }
}

/// `%PDF-` counts anywhere in these first octets, as readers take it.
const PDF_HEADER_WITHIN: usize = 1024;

/// The end record of a ZIP (APPNOTE 4.3.16).
const ZIP_END: &[u8] = b"PK\x05\x06";

/// Everything that `octets` can be read as: where two types fit, a recipient's program may pick either.
pub(super) fn kinds(name: &str, media_type: &str, octets: &[u8]) -> Vec<Kind> {
    if octets.is_empty() {
        return vec![Kind::Nothing];
    }
    if iwork::is_archive(&extension(name), octets) {
        return vec![Kind::Iwork];
    }
    let mut kinds = Vec::new();
    let pdf = memmem::find(&octets[..octets.len().min(PDF_HEADER_WITHIN)], b"%PDF-");
    // The first member of an archive stands behind its own header.
    let is_tar = tar::is_tar(octets);
    kinds.extend(pdf.filter(|at| !is_tar || *at < tar::BLOCK).map(|_| Kind::Pdf));
    let package = package(octets).filter(|_| !is_tar);
    let has_other = !kinds.is_empty() || package.is_some();
    if pdf != Some(0) && !begins_as_package(octets) {
        // Something else in which a PDF or a ZIP lies, or which one was hung on to.
        let first = kinds.len();
        kinds.extend(by_magic(octets));
        kinds.extend(foreign::reason(octets).map(Kind::Unsupported));
        if has_other && kinds.len() == first {
            kinds.extend(in_front(octets, pdf));
        }
    }
    // What is signed stands in its wrapper as it is.
    let is_signed = kinds == [Kind::Signed] && memmem::rfind(octets, ZIP_END).is_some_and(|at| cms::covers(octets, at));
    kinds.extend(package.filter(|_| !is_signed));
    if kinds == [Kind::Image] {
        kinds.extend(rider(octets).map(|start| Kind::Stretch(start..octets.len())));
    }
    if kinds.is_empty() {
        kinds = texts(name, media_type, octets);
        if octets.len() < tar::BLOCK && CLAIM_ARCHIVE.contains(&extension(name).as_str()) {
            // Of a TAR that was cut in its first name only that is left.
            kinds.push(Kind::Unsupported("archive"));
        }
    } else if matches!(kinds[..], [Kind::Image | Kind::Rtf | Kind::Unsupported(_)])
        && claims_text(&extension(name), media_type)
        && media_type != "text/rtf"
    {
        // Six letters make a picture of any text, and a browser goes by the name.
        kinds.extend(kinds_of_text(&extension(name), media_type, octets));
    }
    kinds
}

/// Names of archives: a short text that bears one is perhaps what is left of it.
const CLAIM_ARCHIVE: [&str; 16] =
    ["7z", "ace", "ar", "arj", "bz2", "cab", "cpio", "deb", "gz", "lzh", "rar", "tar", "tgz", "xz", "zip", "zst"];

/// What stands in front of a PDF or a ZIP, of no type that has a mark: a web page, a script, a program that unpacks itself.
fn in_front(octets: &[u8], pdf: Option<usize>) -> Option<Kind> {
    let end = pdf.or_else(|| memmem::find(octets, b"PK\x03\x04")).unwrap_or(0);
    let octets = &octets[..end];
    let blank = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets).iter().all(|octet| octet.is_ascii_whitespace() || *octet == 0);
    (!blank).then_some(Kind::Stretch(0..end))
}

/// Where in a picture another file begins that is read from wherever it stands: an archive, or a PDF further down than most look for it.
fn rider(octets: &[u8]) -> Option<usize> {
    const RIDERS: [&[u8]; 4] = [b"Rar!\x1A\x07", b"7z\xBC\xAF\x27\x1C", b"%PDF-1.", b"%PDF-2."];
    RIDERS.iter().filter_map(|rider| memmem::find(octets, rider)).min()
}

fn begins_as_package(octets: &[u8]) -> bool {
    begins(octets, b"PK\x03\x04") || begins(octets, ZIP_END)
}

/// A ZIP, and which one: its members tell.
fn package(octets: &[u8]) -> Option<Kind> {
    if !begins_as_package(octets) && (octets.starts_with(b"\xD0\xCF\x11\xE0") || !has_zip_end(octets)) {
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
    let Some(at) = memmem::rfind(octets, ZIP_END) else { return false };
    let Some(size) = octets.get(at + 12..at + 16).and_then(|s| <[u8; 4]>::try_from(s).ok()).map(u32::from_le_bytes) else { return false };
    let directory = at.checked_sub(size as usize);
    directory.is_some_and(|d| size > 0 && octets[d..].starts_with(b"PK\x01\x02"))
}

fn by_magic(octets: &[u8]) -> Option<Kind> {
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
    let is = |magic: &&[u8]| octets.starts_with(magic);
    let is_webp = octets.starts_with(b"RIFF") && octets.get(8..12) == Some(b"WEBP");
    let is_bmp =
        !octets.starts_with(b"BM") || octets.get(14..18).is_some_and(|s| matches!(s[0], 12 | 40 | 52 | 56 | 64 | 108 | 124) && s[1] == 0);
    if (IMAGES.iter().any(is) && is_bmp) || is_webp {
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
    if begins(octets, b"7z\xBC\xAF\x27\x1C") {
        return Some(Kind::SevenZip);
    }
    if octets.starts_with(ar::MAGIC) {
        return Some(Kind::Ar);
    }
    if cpio::is_cpio(octets) {
        return Some(Kind::Cpio);
    }
    if begins(octets, b"Rar!\x1A\x07") || octets.starts_with(b"RE~^") {
        return Some(Kind::Rar);
    }
    if let Some(packing) = Packing::of(octets) {
        return Some(Kind::Packed(packing));
    }
    if tar::is_tar(octets) {
        return Some(Kind::Tar);
    }
    if let Some(kind) = cryptographic(octets) {
        return Some(kind);
    }
    // Of the rest the first octets are few, and letters among them.
    if is_text(octets) {
        return None;
    }
    signature::encrypted(octets).map(Kind::Encrypted).or_else(|| signature::kind(octets))
}

/// CMS (RFC 5652), and certificates.
fn cryptographic(octets: &[u8]) -> Option<Kind> {
    match cms::Type::of_message(octets) {
        Some(cms::Type::Open) => Some(Kind::Signed),
        Some(cms::Type::Compressed) => Some(Kind::PackedCms),
        Some(cms::Type::Encrypted) => Some(Kind::Encrypted("smime")),
        None => cms::is_certificate(octets).then_some(Kind::Certificate),
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
    const TEXTS: [&str; 23] = [
        "txt", "csv", "htm", "html", "xml", "json", "ics", "vcf", "eml", "md", "log", "tsv", "tab", "yaml", "yml", "xhtml", "mht", "mhtml",
        "mbox", "svg", "ini", "sql", "edi",
    ];
    media_type.starts_with("text/") || TEXTS.contains(&extension)
}

/// Kinds of text: by name and media type, and by how it begins.
fn kinds_of_text(extension: &str, media_type: &str, octets: &[u8]) -> Vec<Kind> {
    let start = String::from_utf8_lossy(&octets[..octets.len().min(1024)]).to_ascii_lowercase();
    let start = start.trim_start_matches(['\u{FEFF}', ' ', '\t', '\r', '\n', '\u{FFFD}', '\0']);
    match media_type {
        // RFC 2046, 5.2.2 and 5.2.3: the rest travels in other mails, or lies elsewhere.
        "message/partial" => return vec![Kind::Text, Kind::Unsupported("partial")],
        "message/external-body" => return vec![Kind::Text, Kind::Unsupported("external")],
        _ => {}
    }
    if media_type == "application/mac-binhex40" {
        return vec![Kind::Text, Kind::Unsupported("binhex")];
    }
    let is_mail = message::looks_like_mail(octets);
    if (start.starts_with("from ") && is_mail) || media_type == "application/mbox" || extension == "mbox" {
        return vec![Kind::Mails];
    }
    let is_page = matches!(media_type, "multipart/related" | "application/x-mimearchive") || matches!(extension, "mht" | "mhtml");
    if extension == "eml" || matches!(media_type, "message/rfc822" | "message/global") || is_page && is_mail {
        return vec![Kind::Mail];
    }
    if is_mail {
        // "Onderwerp: ...", "BSN: ..." looks like a header too: read it as what it is written as, and as a mail.
        return vec![Kind::Text, Kind::Mail];
    }
    let is_card = start.starts_with("begin:v") || matches!(extension, "ics" | "vcf" | "ifb");
    if is_card || matches!(media_type, "text/calendar" | "text/vcard" | "text/x-vcard" | "text/directory") {
        return vec![Kind::Folded];
    }
    if cms::is_armoured(start, matches!(extension, "p7m" | "p7s" | "p7c" | "p7b" | "cer" | "crt") || media_type.contains("pkcs7")) {
        return vec![Kind::Text, Kind::Armoured];
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

/// Text has no zeros (but for UTF-16) and hardly any control characters, and something beside them.
fn is_text(octets: &[u8]) -> bool {
    /// One in a hundred: a form feed, an escape, a stray octet in a log file.
    const MOST_CONTROLS: usize = 100;
    if octets.starts_with(b"\xFF\xFE") || octets.starts_with(b"\xFE\xFF") || charset::utf16_by_zeros(octets).is_some() {
        return true;
    }
    let is_control = |b: &&u8| **b < 0x20 && !matches!(**b, b'\t' | b'\n' | b'\r' | 0x0C | 0x1B);
    let controls = octets.iter().filter(is_control).count();
    let zeros = memchr::memchr_iter(0, octets).count();
    zeros * 1000 <= octets.len() && controls < octets.len() && (controls <= 2 || controls * MOST_CONTROLS <= octets.len())
}
