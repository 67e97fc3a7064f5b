//! First octets of what nobody here reads, each with the reason that says what it is; and of what carries no text.
//!
//! None of these is text: of octets that read as text the first few decide nothing.

use super::kind::Kind;

/// Pictures whose size is not looked at.
const IMAGES: &[&[u8]] =
    &[b"II\xBC\x01", b"\x01\0\x09\0\0\x03", b"\0\0\0\x0CJXL ", b"\xFF\x0A", b"AT&TFORM", b"gimp xcf", b"\xC5\xD0\xD3\xC6"];

const MEDIA: &[&[u8]] = &[
    b"ID3",
    b"OggS",
    b"fLaC",
    b"\x1A\x45\xDF\xA3",
    b"FLV\x01",
    b"#!AMR",
    b"MThd",
    b".snd",
    b"caff",
    b"\x30\x26\xB2\x75\x8E\x66\xCF\x11",
    b"\0\0\x01\xBA",
    b"\0\0\x01\xB3",
];

const EXECUTABLES: &[&[u8]] = &[
    b"\x7FELF",
    b"\xCF\xFA\xED\xFE",
    b"\xCE\xFA\xED\xFE",
    b"\xFE\xED\xFA\xCE",
    b"\xFE\xED\xFA\xCF",
    b"\xCA\xFE\xBA\xBE",
    b"dex\n",
    b"\0asm",
    // A link to a file (MS-SHLLINK 2.1), compiled help, Flash.
    b"\x4C\0\0\0\x01\x14\x02\0",
    b"ITSF",
    b"FWS",
    b"CWS",
    b"ZWS",
];

/// Those of passwords among them.
const DATABASES: &[&[u8]] = &[
    b"SQLite format 3\0",
    b"\0\x01\0\0Standard Jet DB",
    b"\0\x01\0\0Standard ACE DB",
    b"\x1A\0\0\x04\0\0",
    b"\x03\xD9\xA2\x9A",
    b"PAR1",
    b"\x89HDF",
];

/// OneNote (MS-ONESTORE 2.3.1, both of its types), WordPerfect, HWP, Lotus 1-2-3, Write, Word 1 and 2, drawings of AutoCAD.
const DOCUMENTS: &[&[u8]] = &[
    b"\xE4\x52\x5C\x7B\x8C\xD8\xA7\x4D",
    b"\xA1\x2F\xFF\x43\xD9\xEF\x76\x4C",
    b"\xFFWPC",
    b"AC10",
    b"(DWF V",
    b"HWP Document File",
    b"\0\0\x1A\0",
    b"\0\0\x02\0",
    b"\x31\xBE\0\0",
    b"\x32\xBE\0\0",
    b"\x9B\xA5",
    b"\xDB\xA5",
];

/// Shapes of letters; what they write stands elsewhere.
const FONTS: &[&[u8]] = &[b"\0\x01\0\0\0", b"OTTO\0", b"true\0", b"ttcf\0", b"wOFF", b"wOF2"];

/// What else stands in the middle of a file: where, and what.
const FURTHER: &[(usize, &[u8], &str)] = &[
    (128, b"DICM", "image"),
    (257, b"ustar", "archive"),
    (60, b"BOOKMOBI", "document"),
    (4, b"mdat", "media"),
    (4, b"moov", "media"),
    (4, b"wide", "media"),
];

/// What `octets`, which are no text, begin as.
pub(super) fn kind(octets: &[u8]) -> Option<Kind> {
    let is = |magics: &[&[u8]]| magics.iter().any(|magic| octets.starts_with(magic));
    let at = |at: usize, magic: &[u8]| octets.get(at..).is_some_and(|rest| rest.starts_with(magic));
    // Where one begins like another, the longer stands first.
    let known = [(DATABASES, "database"), (DOCUMENTS, "document"), (IMAGES, "image"), (MEDIA, "media")];
    if let Some((_, reason)) = known.iter().find(|(magics, _)| is(magics)) {
        return Some(Kind::Unsupported(reason));
    }
    if is(EXECUTABLES) || is_program(octets) {
        return Some(Kind::Unsupported("executable"));
    }
    if let Some((_, _, reason)) = FURTHER.iter().find(|(place, magic, _)| at(*place, magic)) {
        return Some(Kind::Unsupported(reason));
    }
    // ISO base media (ISO 14496-12, 4.3), of stills and of films.
    if at(4, b"ftyp") {
        let is_still = [b"heic", b"heix", b"mif1", b"avif", b"crx "].iter().any(|brand| at(8, *brand));
        return Some(if is_still { Kind::Image } else { Kind::Unsupported("media") });
    }
    // Frames of MPEG audio and of AAC (ISO 11172-3, 2.4.1.3): eleven bits, and no layer that doesn't exist.
    let is_frame = matches!(octets, [0xFF, second, ..] if second & 0xE0 == 0xE0 && second & 0x18 != 0x08 && *second < 0xFE);
    let is_riff = octets.starts_with(b"RIFF") && [&b"WAVE"[..], b"AVI ", b"ACON", b"RMID"].iter().any(|form| at(8, form));
    let is_aiff = octets.starts_with(b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC"));
    if is_frame || is_riff || is_aiff {
        return Some(Kind::Unsupported("media"));
    }
    is(FONTS).then_some(Kind::Nothing)
}

/// A program of Windows: where the number at 0x3C leads its own header begins (PE format, "MS-DOS Stub").
fn is_program(octets: &[u8]) -> bool {
    let place = octets.get(0x3C..0x40).and_then(|place| place.try_into().ok()).map(|place| u32::from_le_bytes(place) as usize);
    let header = place.and_then(|place| octets.get(place..)).unwrap_or_default();
    octets.starts_with(b"MZ") && [&b"PE\0\0"[..], b"NE", b"LE", b"LX"].iter().any(|magic| header.starts_with(magic))
}

/// What is encrypted, and by what.
pub(super) fn encrypted(octets: &[u8]) -> Option<&'static str> {
    // message.rpmsg, and what MS-EFSR 2.2.2.3 describes, in which Azure Information Protection wraps any file.
    let is_managed = octets.starts_with(b"\x76\xE8\x04\x60\xC4\x11\xE3\x86") || octets.starts_with(b".pfile");
    if is_managed {
        return Some("rights-management");
    }
    // RFC 9580, 4.2, 5.1 and 5.3: a message begins with a session key, for somebody's key (version 3 or 6) or a password (4 to 6); its length has
    // one or two octets, in the older or the newer form.
    let is_pgp = match octets {
        [0x84, _, version, ..] | [0x85, _, _, version, ..] | [0xC1, 0..=0xBF, version, ..] | [0xC1, 0xC0..=0xDF, _, version, ..] => {
            matches!(version, 3 | 6)
        }
        [0x8C | 0xC3, 4..=0x80, version, ..] => matches!(version, 4..=6),
        _ => false,
    };
    is_pgp.then_some("pgp")
}
