//! `data:` links (RFC 2397): files within a link.

use super::plain::{BASE64, hex_decoded};
use base64::Engine as _;

/// What such a link holds.
pub(super) struct Link {
    /// Lowercase, without parameters; empty when not given.
    pub(super) media_type: String,
    pub(super) octets: Vec<u8>,
}

impl Link {
    /// Takes a link apart. What claims to be base64 and is none is taken as it stands.
    pub(super) fn of(link: &str) -> Option<Link> {
        let link = link.trim_start_matches(|c: char| c <= ' ');
        let scheme = link.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("data:"))?;
        let (head, data) = link[scheme.len()..].split_once(',')?;
        let head = head.to_ascii_lowercase();
        let media_type = head.split(';').next().unwrap_or_default().trim().to_owned();
        let octets = hex_decoded(data.as_bytes(), b'%');
        if !head.trim_end().ends_with(";base64") {
            return Some(Link { media_type, octets });
        }
        let packed: Vec<u8> = octets.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
        Some(Link { media_type, octets: BASE64.decode(packed).unwrap_or(octets) })
    }
}
