//! Octets to text: byte order marks, labels, and a guess where these fail.

use crate::message;
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{CoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

/// A text and how sure we are of it.
pub(super) struct Decoded<'o> {
    pub(super) text: Cow<'o, str>,
    /// How to read it a second time, where the label is missing or contradicted by the octets.
    pub(super) other: Option<Other<'o>>,
    /// Neither reading makes sense: problem `unsupported`, reason `charset`.
    pub(super) is_unreadable: bool,
}

/// A second reading, not made yet: of a large text two at once would take too much memory.
pub(super) struct Other<'o> {
    octets: &'o [u8],
    encoding: &'static Encoding,
}

impl<'o> Other<'o> {
    fn new(octets: &'o [u8], encoding: &'static Encoding) -> Other<'o> {
        Other { octets, encoding }
    }

    /// The text.
    pub(super) fn text(&self) -> Cow<'o, str> {
        decoded(self.encoding, self.octets).0
    }

    /// Whether it says the same.
    fn is(&self, text: &str) -> bool {
        let mut decoder = self.encoding.new_decoder_without_bom_handling();
        let (mut octets, mut rest, mut piece) = (self.octets, text, [0; 4096]);
        loop {
            let (end, read, written, _) = decoder.decode_to_utf8(octets, &mut piece, true);
            octets = &octets[read..];
            match rest.as_bytes().strip_prefix(&piece[..written]) {
                Some(behind) => rest = &rest[rest.len() - behind.len()..],
                None => return false,
            }
            if end == CoderResult::InputEmpty {
                return rest.is_empty();
            }
        }
    }
}

/// Share of replacement characters above which a text counts as unreadable: one in a hundred.
const MOST_REPLACED: usize = 100;

/// How much of a long text the guess looks at. It was right on the first kilobytes of every sample; the rest only costs time.
const GUESS_FROM: usize = 64 * 1024;

/// Decodes by byte order mark, else by `label`, else by a guess.
pub(super) fn decode<'o>(octets: &'o [u8], label: Option<&str>) -> Decoded<'o> {
    if let Some((encoding, mark)) = Encoding::for_bom(octets) {
        return certain(decoded(encoding, &octets[mark..]));
    }
    if let Some(encoding) = utf16_by_zeros(octets) {
        return certain(decoded(encoding, octets));
    }
    let label = label.map(str::trim).filter(|l| !l.is_empty());
    if octets.is_ascii() && !label.is_some_and(is_stateful) {
        let text = std::str::from_utf8(octets).expect("ASCII is UTF-8");
        // A label that makes something else of plain ASCII (UTF-16, EBCDIC) is how readers are set against each other.
        let other = label.and_then(|l| Encoding::for_label(l.as_bytes())).map(|e| Other::new(octets, e)).filter(|other| !other.is(text));
        return Decoded { text: Cow::Borrowed(text), other, is_unreadable: false };
    }
    match label {
        Some(l) if is_utf7(l) => {
            let (text, malformed) = message::decode_utf7(octets);
            Decoded { text, other: malformed.then(|| Other::new(octets, guess(octets))), is_unreadable: false }
        }
        // "us-ascii" means windows-1252 to encoding_rs, but with octets outside ASCII it only says that nobody set a charset.
        Some(l) if !is_ascii_label(l) => match Encoding::for_label(l.as_bytes()) {
            Some(encoding) => labelled(octets, encoding),
            None => Decoded { is_unreadable: true, ..guessed(octets) },
        },
        _ => guessed(octets),
    }
}

fn labelled<'o>(octets: &'o [u8], encoding: &'static Encoding) -> Decoded<'o> {
    let (text, malformed) = decoded(encoding, octets);
    let is_valid_utf8 = encoding != UTF_8 && std::str::from_utf8(octets).is_ok();
    let second = if is_valid_utf8 { Some(UTF_8) } else { malformed.then(|| guess(octets)) };
    let other = second.filter(|e| *e != encoding).map(|e| Other::new(octets, e));
    let is_unreadable = malformed && is_garbled(&text) && other.as_ref().is_none_or(|other| is_garbled(&other.text()));
    Decoded { other: other.filter(|other| !other.is(&text)), text, is_unreadable }
}

fn guessed(octets: &[u8]) -> Decoded<'_> {
    if let Ok(text) = std::str::from_utf8(octets) {
        return Decoded { text: Cow::Borrowed(text), other: None, is_unreadable: false };
    }
    let encoding = guess(octets);
    let (text, _) = decoded(encoding, octets);
    let western = (encoding != WINDOWS_1252).then(|| Other::new(octets, WINDOWS_1252));
    let is_unreadable = is_garbled(&text);
    Decoded { text, other: western, is_unreadable }
}

/// The text, and whether some of it did not fit. Of a large one no more memory is taken than it needs: encoding_rs takes three times its octets.
fn decoded<'o>(encoding: &'static Encoding, octets: &'o [u8]) -> (Cow<'o, str>, bool) {
    const LARGE: usize = 1 << 20;
    if octets.len() < LARGE || encoding == UTF_8 && std::str::from_utf8(octets).is_ok() {
        return encoding.decode_without_bom_handling(octets);
    }
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let (mut rest, mut text, mut is_malformed) = (octets, String::with_capacity(octets.len() + octets.len() / 8), false);
    loop {
        let (end, read, malformed) = decoder.decode_to_string(rest, &mut text, true);
        rest = &rest[read..];
        is_malformed |= malformed;
        if end == CoderResult::InputEmpty {
            return (Cow::Owned(text), is_malformed);
        }
        // As much again as was needed so far, for as much as is left.
        text.reserve_exact((rest.len() / 4).max(4096));
    }
}

fn guess(octets: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    let sample = &octets[..octets.len().min(GUESS_FROM)];
    detector.feed(sample, true);
    detector.guess(None, Utf8Detection::Allow)
}

fn certain((text, malformed): (Cow<'_, str>, bool)) -> Decoded<'_> {
    let is_unreadable = malformed && is_garbled(&text);
    Decoded { text, other: None, is_unreadable }
}

/// UTF-16 without a byte order mark: at least a third of all octets are zero, all at even or all at odd places.
pub(super) fn utf16_by_zeros(octets: &[u8]) -> Option<&'static Encoding> {
    let sample = &octets[..octets.len().min(4096)];
    let zeros = |parity: usize| sample.iter().skip(parity).step_by(2).filter(|b| **b == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let many = (sample.len() / 3).max(2);
    match (even, odd) {
        (e, 0) if e >= many => Some(UTF_16BE),
        (0, o) if o >= many => Some(UTF_16LE),
        _ => None,
    }
}

/// The encoding that Windows numbers so (MS-UCODEREF, 2.2.1); `None` for one that nobody here can decode.
pub(super) fn code_page(number: u32) -> Option<&'static Encoding> {
    let label = match number {
        874 => "windows-874",
        932 => "shift_jis",
        936 | 54936 => "gb18030",
        949 | 1361 | 51949 => "euc-kr",
        950 => "big5",
        866 => "ibm866",
        1200 => "utf-16le",
        1201 => "utf-16be",
        1250..=1258 => return Encoding::for_label(format!("windows-{number}").as_bytes()),
        // With the highest bit: Excel 4 and 5.
        0x8001 => "windows-1252",
        10000 | 0x8000 => "macintosh",
        10007 => "x-mac-cyrillic",
        20127 => "windows-1252",
        20866 => "koi8-r",
        21866 => "koi8-u",
        20932 | 51932 => "euc-jp",
        28591..=28606 => return Encoding::for_label(format!("iso-8859-{}", number - 28590).as_bytes()),
        38598 => "iso-8859-8-i",
        50220..=50222 => "iso-2022-jp",
        65001 => "utf-8",
        _ => return None,
    };
    Encoding::for_label(label.as_bytes())
}

fn is_garbled(text: &str) -> bool {
    let replaced = text.chars().filter(|c| *c == '\u{FFFD}').count();
    replaced * MOST_REPLACED > text.chars().count()
}

fn is_ascii_label(label: &str) -> bool {
    ["us-ascii", "ascii", "ansi_x3.4-1968", "7bit", "unknown-8bit", "default"].iter().any(|l| label.eq_ignore_ascii_case(l))
}

/// Charsets that write other letters with ASCII octets.
fn is_stateful(label: &str) -> bool {
    is_utf7(label) || ["iso-2022-jp", "hz-gb-2312", "iso-2022-kr", "iso-2022-cn"].iter().any(|l| label.eq_ignore_ascii_case(l))
}

fn is_utf7(label: &str) -> bool {
    ["utf-7", "utf7", "utf_7", "csutf7", "unicode-1-1-utf-7", "csunicode11utf7"].iter().any(|l| label.eq_ignore_ascii_case(l))
}

/// The charset in which Windows writes a language (MS-LCID), where characters are one or two octets.
pub(super) fn by_language(id: u16) -> &'static Encoding {
    let page = match (id, id & 0x03FF) {
        (0x0C1A | 0x1C1A | 0x281A | 0x301A, _) => 1251,
        (0x0404 | 0x0C04 | 0x1404, _) => 950,
        (_, 0x01 | 0x20 | 0x29) => 1256,
        (_, 0x02 | 0x19 | 0x22 | 0x23 | 0x2F) => 1251,
        (_, 0x04) => 936,
        (_, 0x05 | 0x0E | 0x15 | 0x18 | 0x1A | 0x1B | 0x1C | 0x24) => 1250,
        (_, 0x08) => 1253,
        (_, 0x0D) => 1255,
        (_, 0x11) => 932,
        (_, 0x12) => 949,
        (_, 0x1E) => 874,
        (_, 0x1F | 0x2C) => 1254,
        (_, 0x25..=0x27) => 1257,
        (_, 0x2A) => 1258,
        _ => 1252,
    };
    code_page(page).unwrap_or(WINDOWS_1252)
}

/// The charset of a font, by its number in Windows (LOGFONT, lfCharSet).
pub(super) fn by_font(number: u8) -> Option<&'static Encoding> {
    code_page(match number {
        0 => 1252,
        77 => 10000,
        128 => 932,
        129 => 949,
        134 => 936,
        136 => 950,
        161 => 1253,
        162 => 1254,
        163 => 1258,
        177 => 1255,
        178 => 1256,
        186 => 1257,
        204 => 1251,
        222 => 874,
        238 => 1250,
        _ => return None,
    })
}
