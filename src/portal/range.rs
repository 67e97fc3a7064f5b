//! A part of a file (RFC 9110, 14): so that a download that broke off goes on where it was.
//!
//! A download is asked for by POST, which notes it, and fetched by GET, which notes nothing: a browser repeats the GET as often as it likes.

use super::answer::{Page, with};
use crate::{record::Part, seal::digest, secret::hex};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
};
use std::ops::Range;

/// Which octets a request asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of them: it asks for no part, for several at once, for what makes no sense, or for a part of what was another file.
    Whole,
    /// These.
    Part(Range<u64>),
    /// Some beyond the end.
    Beyond,
}

/// What names the content of a part, for ever: a blob never changes. The blob's own name stays inside.
pub(super) fn tag(part: &Part) -> HeaderValue {
    let digest = digest([b"zegel/1 tag".as_slice(), &part.blob.0, part.media_type.as_bytes()]);
    HeaderValue::from_str(&format!("\"{}\"", hex(&digest[..16]))).unwrap_or(HeaderValue::from_static("\"\""))
}

/// What `headers` ask for of `length` octets that `tag` names.
pub(super) fn wanted(headers: &HeaderMap, tag: &HeaderValue, length: u64) -> Wanted {
    let mut ranges = headers.get_all(header::RANGE).iter();
    let (Some(range), None) = (ranges.next().and_then(|r| r.to_str().ok()), ranges.next()) else { return Wanted::Whole };
    // A date is compared with nothing: we say none.
    if headers.get(header::IF_RANGE).is_some_and(|known| known != tag) {
        return Wanted::Whole;
    }
    let Some((unit, set)) = range.split_once('=') else { return Wanted::Whole };
    let Some((from, to)) = set.split_once('-').filter(|_| unit.trim().eq_ignore_ascii_case("bytes")) else { return Wanted::Whole };
    match (number(from), number(to)) {
        (Some(Number::Is(from)), Some(Number::Is(to))) if from > to => Wanted::Whole,
        (Some(Number::Is(from)), Some(to)) if from < length => {
            let end = match to {
                Number::Is(to) => to.saturating_add(1).min(length),
                Number::Missing => length,
            };
            Wanted::Part(from..end)
        }
        (Some(Number::Missing), Some(Number::Is(last))) if last > 0 && length > 0 => Wanted::Part(length.saturating_sub(last)..length),
        (Some(Number::Missing), Some(Number::Missing)) | (None, _) | (_, None) => Wanted::Whole,
        _ => Wanted::Beyond,
    }
}

enum Number {
    Missing,
    Is(u64),
}

/// `None` when it is none. One that is too large for us is beyond every end.
fn number(text: &str) -> Option<Number> {
    let text = text.trim();
    if text.is_empty() {
        return Some(Number::Missing);
    }
    text.bytes().all(|b| b.is_ascii_digit()).then(|| Number::Is(text.parse().unwrap_or(u64::MAX)))
}

/// 416: the file is so long only.
pub(super) fn beyond(length: u64) -> Page {
    let mut page = with(StatusCode::RANGE_NOT_SATISFIABLE, "text/plain; charset=utf-8", Body::empty());
    if let Ok(value) = HeaderValue::from_str(&format!("bytes */{length}")) {
        page.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_file_is_asked_for_in_three_ways() {
        let check = |range: &'static str, expected: Wanted| {
            let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(range))]);
            assert_eq!(wanted(&headers, &HeaderValue::from_static("\"a\""), 1000), expected, "{range}");
        };
        check("bytes=0-0", Wanted::Part(0..1));
        check("bytes=10-19", Wanted::Part(10..20));
        check("Bytes = 10 - 19", Wanted::Part(10..20));
        check("bytes=990-", Wanted::Part(990..1000));
        check("bytes=990-5000", Wanted::Part(990..1000));
        check("bytes=0-99999999999999999999999999", Wanted::Part(0..1000));
        check("bytes=-10", Wanted::Part(990..1000));
        check("bytes=-5000", Wanted::Part(0..1000));
        check("bytes=1000-", Wanted::Beyond);
        check("bytes=99999999999999999999999999-", Wanted::Beyond);
        check("bytes=-0", Wanted::Beyond);
        for whole in ["bytes=1-2,5-6", "bytes=20-10", "bytes=-", "bytes=a-b", "bytes=+1-2", "bytes", "lines=1-2", ""] {
            check(whole, Wanted::Whole);
        }
    }

    #[test]
    fn a_part_of_what_was_another_file_is_not_given() {
        let check = |known: &'static str, expected: Wanted| {
            let range = (header::RANGE, HeaderValue::from_static("bytes=10-19"));
            let headers = HeaderMap::from_iter([range, (header::IF_RANGE, HeaderValue::from_static(known))]);
            assert_eq!(wanted(&headers, &HeaderValue::from_static("\"a\""), 1000), expected, "{known}");
        };
        check("\"a\"", Wanted::Part(10..20));
        check("\"b\"", Wanted::Whole);
        check("W/\"a\"", Wanted::Whole);
        check("Mon, 12 Oct 2026 09:30:00 GMT", Wanted::Whole);
    }

    #[test]
    fn of_nothing_there_is_no_part() {
        let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static("bytes=-5"))]);
        assert_eq!(wanted(&headers, &HeaderValue::from_static("\"a\""), 0), Wanted::Beyond);
    }
}
