//! What a file's name says that it is, beside what it is.

use super::kind::Kind;

/// Kinds of file between which a wrong extension is no accident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Text,
    Rtf,
    Pdf,
    Office,
    Image,
    Media,
    Archive,
    Executable,
    /// Of old word processors.
    Document,
    Database,
}

/// Whether one of the things that a file is contradicts its extension. An extension that is not listed says nothing.
///
/// What programs write under each other's names, and open so, is no contradiction: a `.doc` that is RTF, an `.xls` that is HTML or CSV, a
/// `.jpg` that is a PNG, an encrypted `.docx`, which is a compound file, a `.zip` that is a document.
pub(super) fn is_contradicted(name: &str, kinds: &[Kind]) -> bool {
    let allowed = allowed(name);
    !allowed.is_empty() && kinds.iter().filter_map(family).any(|family| !allowed.contains(&family))
}

/// What may stand under the extension of `name`.
fn allowed(name: &str) -> &'static [Family] {
    use Family::{Archive, Document, Image, Media, Office, Pdf, Rtf, Text};
    // Windows leaves blanks and dots at the end of a name away.
    let extension = name.trim_end_matches([' ', '.']).rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref().unwrap_or_default() {
        "pdf" => &[Pdf],
        "docx" | "docm" | "dotx" | "dotm" | "xlsx" | "xlsm" | "xltx" | "xlsb" | "pptx" | "pptm" | "ppsx" | "potx" | "vsdx" | "xps"
        | "oxps" => &[Office],
        "odt" | "ods" | "odp" | "odg" | "ott" | "vsd" | "mpp" | "pub" => &[Office],
        "fodt" | "fods" | "fodp" | "msg" => &[Office, Text],
        "doc" | "dot" | "xls" | "xlt" | "ppt" | "pps" | "wri" | "wps" | "rtf" => &[Office, Text, Rtf, Document],
        "txt" | "csv" | "tsv" | "log" | "md" | "json" | "xml" | "yaml" | "yml" | "ics" | "vcf" | "eml" | "mht" | "mhtml" | "mbox"
        | "htm" | "html" | "xhtml" | "svg" => &[Text, Rtf, Office],
        "jpg" | "jpeg" | "jpe" | "png" | "gif" | "bmp" | "webp" | "tif" | "tiff" | "heic" | "avif" | "ico" | "emf" | "wmf" => &[Image],
        "mp3" | "wav" | "m4a" | "mp4" | "mov" | "avi" | "wmv" | "wma" | "mkv" | "webm" | "ogg" | "flac" | "aac" | "amr" | "mpg"
        | "mpeg" => &[Media],
        "zip" | "7z" | "rar" | "tar" | "gz" | "tgz" | "bz2" | "xz" | "zst" | "cab" | "iso" | "lzh" | "epub" | "pages" | "numbers"
        | "key" => &[Archive, Office],
        _ => &[],
    }
}

/// `None` for what is of no kind, or can be under any name.
fn family(kind: &Kind) -> Option<Family> {
    Some(match kind {
        Kind::Text | Kind::Folded | Kind::Html | Kind::Svg | Kind::Mail | Kind::Mails => Family::Text,
        Kind::Rtf => Family::Rtf,
        Kind::Pdf => Family::Pdf,
        Kind::Office | Kind::OpenDocument | Kind::FlatOffice | Kind::Compound => Family::Office,
        Kind::Image | Kind::Metafile | Kind::Unsupported("image") => Family::Image,
        Kind::Unsupported("media") => Family::Media,
        Kind::Zip | Kind::SevenZip | Kind::Tar | Kind::Rar | Kind::Ar | Kind::Cpio | Kind::Packed(_) => Family::Archive,
        Kind::Unsupported("archive" | "disk-image") => Family::Archive,
        Kind::Unsupported("executable") => Family::Executable,
        Kind::Unsupported("database" | "mailbox") => Family::Database,
        Kind::Unsupported("document") => Family::Document,
        Kind::Nothing | Kind::Tnef | Kind::Signed | Kind::PackedCms | Kind::Armoured | Kind::Certificate | Kind::Iwork => return None,
        Kind::Stretch(_) | Kind::Encrypted(_) | Kind::Unsupported(_) => return None,
    })
}
