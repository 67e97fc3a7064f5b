//! `data:` links (RFC 2397): files within a link.

use super::plain::{BASE64, hex_decoded};
use base64::Engine as _;

/// What such a link holds.
pub(super) struct Link {
    /// Lowercase, without parameters; empty when not given.
    pub(super) media_type: String,
    pub(super) octets: Vec<u8>,
}

/// The links in base64 within a style sheet or a script.
pub(super) fn links(text: &str) -> impl Iterator<Item = Link> {
    /// From the scheme to the comma: a media type and its parameters.
    const HEAD_LONGEST: usize = 200;
    let is_data = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'%' | b'-' | b'_');
    memchr::memchr_iter(b':', text.as_bytes()).filter_map(move |colon| {
        let rest = text.get(colon.checked_sub(4)?..)?;
        rest.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("data"))?;
        let head = rest.get(..rest.floor_char_boundary(HEAD_LONGEST))?.split_once(',')?.0;
        if !head.to_ascii_lowercase().ends_with("base64") {
            return None;
        }
        // One link ends before the next begins, or this would not be linear.
        let start = head.len() + 1;
        let end = rest.bytes().skip(start).position(|b| !is_data(b)).map_or(rest.len(), |length| start + length);
        Link::of(&rest[..end])
    })
}

impl Link {
    /// Takes a link apart. What claims to be base64 and is none is taken as it stands.
    pub(super) fn of(link: &str) -> Option<Link> {
        // As browsers take it (URL Standard, 4.4): without the tabs and line ends in it.
        let link: String = link.trim_start_matches(|c: char| c <= ' ').chars().filter(|c| !matches!(c, '\t' | '\r' | '\n')).collect();
        let scheme = link.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("data:"))?;
        let (head, data) = link[scheme.len()..].split_once(',')?;
        let head = head.to_ascii_lowercase();
        let media_type = head.split(';').next().unwrap_or_default().trim().to_owned();
        let octets = hex_decoded(data.as_bytes(), b'%');
        // Blanks may stand behind the semicolon (Fetch Standard, 6).
        let is_base64 = head.trim_end().strip_suffix("base64").is_some_and(|head| head.trim_end_matches(' ').ends_with(';'));
        if !is_base64 {
            return Some(Link { media_type, octets });
        }
        let packed: Vec<u8> = octets.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
        Some(Link { media_type, octets: BASE64.decode(packed).unwrap_or(octets) })
    }
}
