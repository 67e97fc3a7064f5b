//! Names of files as they leave: safe on any system, and said in a header without a way out of it.

use axum::http::HeaderValue;
use std::{collections::HashSet, fmt::Write as _};
use unicode_normalization::UnicodeNormalization as _;

/// The longest name: file systems take 255 bytes, browsers add " (1)".
const MAX_NAME_BYTES: usize = 200;

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

/// `name`, or with a number when the same name was `taken` before; file systems may take `A.txt` and `a.txt` for the same.
pub(super) fn unlike(taken: &mut HashSet<String>, name: String) -> String {
    let at = name.rfind('.').filter(|at| *at > 0).unwrap_or(name.len());
    let mut candidates = std::iter::once(name.clone()).chain((2..).map(|n: u32| format!("{} ({n}){}", &name[..at], &name[at..])));
    candidates.find(|candidate| taken.insert(candidate.to_lowercase())).unwrap_or(name)
}

/// RFC 6266: what a browser does with it, `attachment` or `inline`; a name for old programs, and the real one (RFC 8187).
pub(super) fn disposition(what: &'static str, name: &str) -> HeaderValue {
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
    let text = format!("{what}; filename=\"{ascii}\"; filename*=UTF-8''{encoded}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(what))
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
    fn the_same_name_gets_a_number() {
        let mut taken = HashSet::new();
        let names = ["a.txt", "A.TXT", "a.txt", "a", "a", "a (2)", "b.tar.gz", "b.tar.gz"].map(|n| unlike(&mut taken, n.to_owned()));
        assert_eq!(names, ["a.txt", "A (2).TXT", "a (3).txt", "a", "a (2)", "a (2) (2)", "b.tar.gz", "b.tar (2).gz"]);
    }

    #[test]
    fn the_header_says_the_name_twice() {
        assert_eq!(disposition("attachment", "brief.pdf"), "attachment; filename=\"brief.pdf\"; filename*=UTF-8''brief.pdf");
        assert_eq!(
            disposition("attachment", "één €.pdf"),
            "attachment; filename=\"een _.pdf\"; filename*=UTF-8''%C3%A9%C3%A9n%20%E2%82%AC.pdf"
        );
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
            let header = disposition("attachment", &safe);
            prop_assert!(header.to_str().unwrap().matches('"').count() == 2);
        }
    }
}
