//! Who may ask: host names, where a form comes from, how much from one address.

use super::answer::Refusal;
use crate::notice::Organisation;
use axum::http::{HeaderMap, header};
use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// So many addresses are remembered at most; beyond, those that are quiet are forgotten.
const MAX_ADDRESSES: usize = 20_000;

const MINUTE: Duration = Duration::from_secs(60);

/// Where a request comes from: the peer, or the one for whom a reverse proxy on this machine speaks.
pub(super) fn address(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if !peer.is_loopback() {
        return peer;
    }
    // The last entry is the proxy's own; whatever stands before it, the client may have written.
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back().and_then(|v| v.to_str().ok());
    forwarded.and_then(|v| v.rsplit(',').next()).and_then(|v| v.trim().parse().ok()).unwrap_or(peer)
}

/// Whether a request is for our host name; links, cookies and origins are about that one only.
pub(super) fn host_is_ours(organisation: &Organisation, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next().and_then(|h| h.to_str().ok()), hosts.next()) else { return false };
    let https = is_https(organisation);
    without_port(host, https).eq_ignore_ascii_case(without_port(organisation.host(), https))
}

/// Whether pages are reached over https.
pub(super) fn is_https(organisation: &Organisation) -> bool {
    organisation.url.starts_with("https://")
}

/// A host without the port that goes without saying.
fn without_port(host: &str, https: bool) -> &str {
    host.strip_suffix(if https { ":443" } else { ":80" }).unwrap_or(host)
}

/// Refuses a form that another site's page sent. The token within the form is compared as well; with neither header, it alone decides.
///
/// `Origin: null` says nothing: browsers send it with our own forms too, since our pages forbid them to say where they come from.
pub(super) fn same_site(organisation: &Organisation, headers: &HeaderMap) -> Result<(), Refusal> {
    let origin = headers.get(header::ORIGIN).filter(|origin| *origin != "null");
    let fits = match (headers.get("sec-fetch-site"), origin) {
        (Some(site), _) => site == "same-origin" || site == "none",
        (None, Some(origin)) => origin.to_str().is_ok_and(|o| {
            let https = is_https(organisation);
            let ours = format!("{}://{}", if https { "https" } else { "http" }, without_port(organisation.host(), https));
            without_port(o, https).eq_ignore_ascii_case(&ours)
        }),
        (None, None) => true,
    };
    if fits { Ok(()) } else { Err(Refusal::Form) }
}

/// Refuses a file to another site's page.
pub(super) fn not_embedded_elsewhere(headers: &HeaderMap) -> Result<(), Refusal> {
    let elsewhere = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site" || site == "same-site");
    if elsewhere { Err(Refusal::Closed) } else { Ok(()) }
}

/// What comes from each address. A shield of this node only; what must hold over nodes and restarts is in the store.
#[derive(Default)]
pub(super) struct Addresses(Arc<Mutex<HashMap<IpAddr, Visits>>>);

#[derive(Debug)]
struct Visits {
    connections: usize,
    forms: u32,
    checks: u32,
    since: Instant,
}

/// A connection's place among those of its address.
pub(super) struct Guest {
    addresses: Arc<Mutex<HashMap<IpAddr, Visits>>>,
    from: IpAddr,
}

impl Addresses {
    /// A place for one more connection, unless its address has too many.
    pub(super) fn admit(&self, from: IpAddr, most: usize) -> Option<Guest> {
        let from = network(from);
        let mut visits = lock(&self.0);
        let entry = entry(&mut visits, from);
        if entry.connections >= most && !from.is_loopback() {
            return None;
        }
        entry.connections += 1;
        Some(Guest { addresses: self.0.clone(), from })
    }

    /// Refuses a form from an address that sent too many within a minute.
    pub(super) fn form(&self, from: IpAddr, most: u32) -> Result<(), Refusal> {
        self.count(from, most, |visits| &mut visits.forms)
    }

    /// Refuses a question whether a mail is genuine from an address that asked too often within a minute.
    pub(super) fn check(&self, from: IpAddr, most: u32) -> Result<(), Refusal> {
        self.count(from, most, |visits| &mut visits.checks)
    }

    fn count(&self, from: IpAddr, most: u32, of: impl Fn(&mut Visits) -> &mut u32) -> Result<(), Refusal> {
        let from = network(from);
        let mut visits = lock(&self.0);
        let entry = entry(&mut visits, from);
        if entry.since.elapsed() >= MINUTE {
            (entry.since, entry.forms, entry.checks) = (Instant::now(), 0, 0);
        }
        let count = of(entry);
        *count += 1;
        // Loopback that speaks for nobody else is a test, or a proxy that doesn't say for whom.
        if *count > most && !from.is_loopback() { Err(Refusal::Often) } else { Ok(()) }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        if let Some(entry) = lock(&self.addresses).get_mut(&self.from) {
            entry.connections -= 1;
        }
    }
}

fn lock(visits: &Mutex<HashMap<IpAddr, Visits>>) -> MutexGuard<'_, HashMap<IpAddr, Visits>> {
    visits.lock().unwrap_or_else(PoisonError::into_inner)
}

fn entry(visits: &mut HashMap<IpAddr, Visits>, from: IpAddr) -> &mut Visits {
    if visits.len() >= MAX_ADDRESSES {
        visits.retain(|_, v| v.connections > 0 || v.since.elapsed() < MINUTE);
    }
    visits.entry(from).or_insert_with(|| Visits { connections: 0, forms: 0, checks: 0, since: Instant::now() })
}

/// An IPv6 network counts as one address: everybody has a whole one.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => IpAddr::V4(v4),
            None if v6.is_loopback() => address,
            None => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;

    fn organisation(url: &str) -> Organisation {
        Organisation {
            name: "x".into(),
            from: Address::parse("z@x.example").unwrap(),
            url: url.into(),
            language: "nl".into(),
            hostname: "x".into(),
            bounces: None,
            signer: None,
        }
    }

    fn headers(fields: &[(&'static str, &str)]) -> HeaderMap {
        fields.iter().map(|(n, v)| (axum::http::HeaderName::from_static(n), v.parse().unwrap())).collect()
    }

    #[test]
    fn only_our_host_is_answered() {
        let check =
            |url, host, expected| assert_eq!(host_is_ours(&organisation(url), &headers(&[("host", host)])), expected, "{url} {host}");
        check("https://b.example", "b.example", true);
        check("https://b.example", "B.EXAMPLE:443", true);
        check("https://b.example", "b.example:80", false);
        check("https://b.example:8443", "b.example:8443", true);
        check("http://127.0.0.1:8080", "127.0.0.1:8080", true);
        check("http://127.0.0.1:8080", "localhost:8080", false);
        check("https://b.example", "b.example.evil.example", false);
        assert!(!host_is_ours(&organisation("https://b.example"), &HeaderMap::new()));
    }

    #[test]
    fn a_form_of_another_site_is_refused() {
        let check = |fields: &[(&'static str, &str)], expected: bool| {
            assert_eq!(same_site(&organisation("https://b.example"), &headers(fields)).is_ok(), expected, "{fields:?}");
        };
        check(&[], true);
        check(&[("sec-fetch-site", "same-origin")], true);
        check(&[("sec-fetch-site", "none")], true);
        check(&[("sec-fetch-site", "same-site")], false);
        check(&[("sec-fetch-site", "cross-site"), ("origin", "https://b.example")], false);
        check(&[("origin", "https://b.example")], true);
        check(&[("origin", "http://b.example")], false);
        check(&[("origin", "null")], true);
        check(&[("origin", "null"), ("sec-fetch-site", "cross-site")], false);
        check(&[("origin", "https://evil.example")], false);
    }

    #[test]
    fn an_address_has_so_many_connections_and_forms() {
        let addresses = Addresses::default();
        let from = "2001:db8::1".parse().unwrap();
        let neighbour = "2001:db8::2".parse().unwrap();
        let guests: Vec<_> = (0..3).map(|_| addresses.admit(from, 3).unwrap()).collect();
        assert!(addresses.admit(neighbour, 3).is_none());
        assert!(addresses.admit("2001:db8:0:1::1".parse().unwrap(), 3).is_some());
        drop(guests);
        assert!(addresses.admit(neighbour, 3).is_some());
        assert!((0..5).all(|_| addresses.form(from, 5).is_ok()) && addresses.form(neighbour, 5).is_err());
        assert!((0..50).all(|_| addresses.form("127.0.0.1".parse().unwrap(), 5).is_ok()));
    }

    #[test]
    fn a_proxy_speaks_for_its_clients_on_loopback_only() {
        let forwarded = headers(&[("x-forwarded-for", "6.6.6.6, 192.0.2.7")]);
        assert_eq!(address("127.0.0.1".parse().unwrap(), &forwarded), "192.0.2.7".parse::<IpAddr>().unwrap());
        assert_eq!(address("198.51.100.1".parse().unwrap(), &forwarded), "198.51.100.1".parse::<IpAddr>().unwrap());
    }
}
