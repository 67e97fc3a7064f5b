//! Addresses of servers, as the configuration writes them.

use crate::{
    address::Domain,
    smtp::client::{NextHop, Protocol, Tls},
};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Reads `smtp://host:port`, and what else [`FORMS`] says.
pub(super) fn next_hop(text: &str) -> Option<NextHop> {
    let (scheme, rest) = text.split_once("://")?;
    let (protocol, tls, default_port) = match scheme {
        "smtp" => (Protocol::Smtp, Tls::Opportunistic, Some(25)),
        "smtp+starttls" => (Protocol::Smtp, Tls::Required, Some(25)),
        "smtps" => (Protocol::Smtp, Tls::Implicit, Some(465)),
        // RFC 2033, 5: LMTP must not use port 25, and has none of its own.
        "lmtp" => (Protocol::Lmtp, Tls::Opportunistic, None),
        _ => return None,
    };
    let (host, port) = host_and_port(rest.strip_suffix('/').unwrap_or(rest))?;
    Some(NextHop { protocol, ..NextHop::new(&host, port.or(default_port)?, tls) })
}

/// How a next hop may be written.
pub(super) const FORMS: &str = "write smtp://HOST:PORT, smtp+starttls://HOST:PORT, smtps://HOST:PORT or lmtp://HOST:PORT";

/// Whether `next_hop` is certainly the same place as `address`, on which we listen.
pub(super) fn is_same(next_hop: &NextHop, address: &SocketAddr) -> bool {
    let everywhere = address.ip().is_unspecified();
    let Ok(ip) = next_hop.host.parse::<IpAddr>() else { return false };
    next_hop.port == address.port() && (ip == address.ip() || (everywhere && ip.is_loopback()))
}

/// What links begin with: `https://veilig.voorbeeld.example`.
pub(super) struct Url {
    /// All of it, without a slash at the end.
    pub(super) text: String,
    pub(super) encrypted: bool,
    pub(super) host: String,
}

impl Url {
    pub(super) fn parse(text: &str) -> Option<Url> {
        let text = text.strip_suffix('/').unwrap_or(text);
        let (scheme, rest) = text.split_once("://")?;
        let encrypted = match scheme {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let (host, _) = host_and_port(rest)?;
        Some(Url { text: text.to_owned(), encrypted, host })
    }

    pub(super) fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }
}

/// `host`, `host:25`, `[::1]:25`.
fn host_and_port(text: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            host.parse::<Ipv6Addr>().ok()?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':')?) })
        }
        None => {
            let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
            Domain::parse(host).ok()?;
            (host, port)
        }
    };
    let port = match port {
        Some(port) => Some(port.parse::<u16>().ok().filter(|p| *p > 0)?),
        None => None,
    };
    Some((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_next_hop_says_how_it_is_encrypted() {
        let check = |text: &str, expected: Option<(&str, u16, Tls)>| {
            let got = next_hop(text);
            assert_eq!(got.as_ref().map(|n| (n.host.as_str(), n.port, n.tls)), expected, "{text}");
        };
        check("smtp://127.0.0.1:2500", Some(("127.0.0.1", 2500, Tls::Opportunistic)));
        check("smtp+starttls://mail.example", Some(("mail.example", 25, Tls::Required)));
        check("smtps://mail.example/", Some(("mail.example", 465, Tls::Implicit)));
        check("smtp://[::1]:2500", Some(("::1", 2500, Tls::Opportunistic)));
        check("lmtp://127.0.0.1:24", Some(("127.0.0.1", 24, Tls::Opportunistic)));
        check("lmtp://127.0.0.1", None);
        check("smtp://[::1", None);
        check("http://mail.example", None);
        check("smtp://mail.example:0", None);
        check("smtp://mail.example:25x", None);
        check("smtp://user@mail.example", None);
        check("smtp://", None);
        check("mail.example:25", None);
    }

    #[test]
    fn links_begin_with_a_host_and_nothing_behind_it() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(Url::parse(text).map(|u| u.text).as_deref(), expected, "{text}");
        check("https://veilig.voorbeeld.example/", Some("https://veilig.voorbeeld.example"));
        check("http://127.0.0.1:8080", Some("http://127.0.0.1:8080"));
        check("https://a.example/zegel", None);
        check("https://a.example?x", None);
        check("ftp://a.example", None);
        check("a.example", None);
    }
}
