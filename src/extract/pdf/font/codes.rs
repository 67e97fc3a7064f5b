//! How strings of a composite font are cut into codes (ISO 32000-1, 9.7.5).

use super::super::cmap::{self, CMap};
use encoding_rs::Encoding;
use std::borrow::Cow;

/// How strings of a composite font are cut, and what the codes are.
#[derive(Debug)]
pub(super) enum Codes {
    /// Two octets, a character id: Identity-H, Identity-V.
    Identity,
    /// UTF-16 or UCS-2 already: `UniJIS-UTF16-H`.
    Utf16,
    Utf8,
    /// A character set of East Asia: `90ms-RKSJ-H`.
    Legacy(&'static Encoding),
    Embedded(CMap),
}

impl Codes {
    /// A predefined CMap.
    pub(super) fn named(name: &[u8]) -> Codes {
        let name = String::from_utf8_lossy(name);
        let legacy = [
            ("90ms-RKSJ", "shift_jis"),
            ("90pv-RKSJ", "shift_jis"),
            ("RKSJ", "shift_jis"),
            ("EUC-", "euc-jp"),
            ("GBK", "gbk"),
            ("GB-EUC", "gbk"),
            ("GBpc-EUC", "gbk"),
            ("B5", "big5"),
            ("KSC", "euc-kr"),
        ];
        match () {
            () if name.starts_with("Uni") && name.contains("UTF8") => Codes::Utf8,
            () if name.starts_with("Uni") && !name.contains("UTF32") => Codes::Utf16,
            () if name.starts_with("Identity") => Codes::Identity,
            () => match legacy.iter().find(|(part, _)| name.contains(part)) {
                Some((_, label)) => Encoding::for_label(label.as_bytes()).map_or(Codes::Identity, Codes::Legacy),
                None => Codes::Identity,
            },
        }
    }

    /// The next code, its character id, and its meaning if the encoding itself tells it.
    pub(super) fn next(&self, rest: &[u8], to_unicode: Option<&CMap>) -> (cmap::Code, u32, Option<String>) {
        let wide = |length: usize| {
            let length = length.min(rest.len());
            let code = cmap::number(&rest[..length]);
            ((code, length), code)
        };
        match self {
            Codes::Embedded(map) if map.has_spaces() => {
                let code = map.next_code(rest).unwrap_or_else(|| wide(1).0);
                (code, map.id(code).unwrap_or(code.0), None)
            }
            Codes::Identity | Codes::Embedded(_) => {
                // Some producers give a one-octet map to an Identity font.
                let own = to_unicode.filter(|m| {
                    m.has_spaces() && m.next_code(rest).is_some_and(|c| c.1 == 1) && m.next_code(rest).is_some_and(|c| m.text(c).is_some())
                });
                let length = if own.is_some() { 1 } else { 2 };
                let (code, id) = wide(length);
                (code, id, None)
            }
            Codes::Utf16 => {
                let is_pair = rest.len() >= 4 && (0xD8..0xDC).contains(&rest[0]);
                let (code, id) = wide(if is_pair { 4 } else { 2 });
                let units = rest[..code.1].chunks_exact(2).map(|p| u16::from_be_bytes([p[0], p[1]]));
                (code, id, char::decode_utf16(units).next().and_then(Result::ok).map(String::from))
            }
            Codes::Utf8 => {
                let length = match rest[0] {
                    0xF0.. => 4,
                    0xE0.. => 3,
                    0xC0.. => 2,
                    _ => 1,
                };
                let (code, id) = wide(length);
                (code, id, std::str::from_utf8(&rest[..code.1]).ok().map(str::to_owned))
            }
            Codes::Legacy(encoding) => {
                let decoded = |n: usize| encoding.decode_without_bom_handling_and_without_replacement(rest.get(..n)?);
                let length = (1..=3).find(|n| decoded(*n).is_some()).unwrap_or(1);
                let (code, id) = wide(length);
                (code, id, decoded(length).map(Cow::into_owned))
            }
        }
    }
}
