//! What a next hop can do: the lines of its answer to EHLO (RFC 5321, 4.1.1.1).

use super::reply::Reply;

/// The service extensions that make a difference to zegel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extensions {
    /// PIPELINING (RFC 2920): commands may be sent without waiting for each reply.
    pub pipelining: bool,
    /// 8BITMIME (RFC 6152): bodies with octets over 127.
    pub eight_bit: bool,
    /// SIZE (RFC 1870): `Some(0)` is "no fixed limit".
    pub size: Option<u64>,
    /// ENHANCEDSTATUSCODES (RFC 2034).
    pub enhanced: bool,
    /// STARTTLS (RFC 3207).
    pub starttls: bool,
    /// CHUNKING (RFC 3030): BDAT.
    pub chunking: bool,
    /// SMTPUTF8 (RFC 6531): addresses and header fields outside ASCII.
    pub utf8: bool,
    /// DSN (RFC 3461): NOTIFY, ORCPT, RET and ENVID.
    pub dsn: bool,
    /// REQUIRETLS (RFC 8689): never onward without a verified TLS connection.
    pub require_tls: bool,
}

impl Extensions {
    /// What is assumed of a next hop that was not spoken to yet: what nearly all have. A wrong guess gives a 451 and no loss.
    pub const ASSUMED: Extensions = Extensions {
        pipelining: true,
        eight_bit: true,
        size: None,
        enhanced: true,
        starttls: false,
        chunking: false,
        utf8: false,
        dsn: false,
        require_tls: false,
    };

    /// Reads the answer to EHLO; its first line is the greeting.
    #[must_use]
    pub fn parse(reply: &Reply) -> Extensions {
        let mut extensions = Extensions::default();
        for line in reply.text().lines().skip(1) {
            let mut words = line.split_ascii_whitespace();
            let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
            match keyword.as_str() {
                "PIPELINING" => extensions.pipelining = true,
                "8BITMIME" => extensions.eight_bit = true,
                "ENHANCEDSTATUSCODES" => extensions.enhanced = true,
                "STARTTLS" => extensions.starttls = true,
                "CHUNKING" => extensions.chunking = true,
                "SMTPUTF8" => extensions.utf8 = true,
                "DSN" => extensions.dsn = true,
                "REQUIRETLS" => extensions.require_tls = true,
                "SIZE" => extensions.size = Some(words.next().and_then(|w| w.parse().ok()).unwrap_or(0)),
                _ => {}
            }
        }
        extensions
    }

    /// What both can do; of two size limits the lesser.
    #[must_use]
    pub fn common(self, other: Extensions) -> Extensions {
        let size = match (self.size, other.size) {
            (Some(a), Some(b)) if a > 0 && b > 0 => Some(a.min(b)),
            (Some(a), Some(b)) => Some(a.max(b)),
            (known, None) | (None, known) => known,
        };
        Extensions {
            pipelining: self.pipelining && other.pipelining,
            eight_bit: self.eight_bit && other.eight_bit,
            size,
            enhanced: self.enhanced && other.enhanced,
            starttls: self.starttls && other.starttls,
            chunking: self.chunking && other.chunking,
            utf8: self.utf8 && other.utf8,
            dsn: self.dsn && other.dsn,
            require_tls: self.require_tls && other.require_tls,
        }
    }

    /// The largest mail that passes: `ours`, or what the next hop takes less the room for our header.
    #[must_use]
    pub fn size_limit(&self, ours: u64) -> u64 {
        match self.size {
            None | Some(0) => ours,
            Some(theirs) => ours.min(theirs.saturating_sub(super::HEADER_ROOM)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ehlo_reply_is_read_whatever_its_case() {
        let wire = b"250-hop greets 8BITMIME\r\n250-pipelining\r\n250-SIZE 5000\r\n250-XEXCH50\r\n250 StartTLS\r\n";
        let (reply, _) = super::super::reply::parse(wire).unwrap().unwrap();
        let extensions = Extensions::parse(&reply);
        assert_eq!(extensions, Extensions { pipelining: true, size: Some(5000), starttls: true, ..Extensions::default() });
        assert_eq!(extensions.size_limit(1 << 20), 5000 - 1024);
        assert_eq!(Extensions::ASSUMED.size_limit(7), 7);
    }

    #[test]
    fn of_two_hosts_only_what_both_can_do_is_said() {
        let check = |a: Option<u64>, b: Option<u64>, both: Option<u64>| {
            let of = |size| Extensions { size, ..Extensions::ASSUMED };
            assert_eq!((of(a).common(of(b)), of(b).common(of(a))), (of(both), of(both)), "{a:?} {b:?}");
        };
        check(Some(5), Some(7), Some(5));
        check(Some(0), Some(7), Some(7)); // "no fixed limit"
        check(None, Some(7), Some(7));
        check(Some(0), None, Some(0));
        let dsn = Extensions { dsn: true, chunking: true, ..Extensions::ASSUMED };
        assert_eq!(dsn.common(Extensions::ASSUMED), Extensions::ASSUMED);
    }
}
