//! Which addresses mail may go to directly.
//!
//! Whoever owns a domain writes what its mail servers' addresses are. One that points inside the organisation, or at this machine, would have zegel
//! talk to servers that he can't reach himself.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where direct delivery and its policies may connect to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Addresses of the public internet only.
    #[default]
    Public,
    /// This machine and private networks too: for tests, whose partners are on loopback.
    Anywhere,
}

impl Reach {
    pub(super) fn includes(self, address: IpAddr) -> bool {
        self == Reach::Anywhere
            || match address {
                IpAddr::V4(address) => is_public(address),
                IpAddr::V6(address) => is_public_v6(address),
            }
    }

    /// Those of `addresses` that may be connected to.
    pub(super) fn within(self, addresses: Vec<IpAddr>) -> Vec<IpAddr> {
        addresses.into_iter().filter(|address| self.includes(*address)).collect()
    }
}

/// By the registry of special addresses (RFC 6890 and the IANA's list): what it does not call globally reachable is not.
fn is_public(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && b & 0b1100_0000 == 64;
    let benchmarks = a == 198 && b & 0b1111_1110 == 18;
    let protocols = a == 192 && b == 0 && c == 0;
    let relays = a == 192 && b == 88 && c == 99;
    !(a == 0
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || shared
        || benchmarks
        || protocols
        || relays
        // Multicast, and what is reserved, broadcast included.
        || a >= 224)
}

/// 2000::/3 is what is given out; an address with an IPv4 one in it leads where that one leads.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let inner = |high: u16, low: u16| is_public(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)));
    match (a, b) {
        // Mapped (RFC 4291, 2.5.5.2), by NAT64 (RFC 6052), and 6to4 (RFC 3056).
        (0, 0) if (c, d, e, f) == (0, 0, 0, 0xffff) => inner(g, h),
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => inner(g, h),
        (0x2002, _) => inner(b, c),
        // Protocols, Teredo among them (RFC 6890); documentation (RFC 3849, RFC 9637).
        (0x2001, b) if b < 0x200 || b == 0xdb8 => false,
        (0x3fff, b) if b < 0x1000 => false,
        _ => a & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_within_reach() {
        let check = |address: &str, expected: bool| {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(Reach::Public.includes(address), expected, "{address}");
            assert!(Reach::Anywhere.includes(address), "{address}");
        };
        for public in ["1.1.1.1", "11.0.0.1", "100.128.0.1", "172.32.0.1", "192.0.1.1", "198.20.0.1", "223.255.255.255"] {
            check(public, true);
        }
        for inside in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
        ] {
            check(inside, false);
            check(&format!("::ffff:{inside}"), false);
            check(&format!("64:ff9b::{inside}"), false);
        }
        for public in ["2a00:1450::1", "2606:4700::1111", "2001:200::1", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::1"] {
            check(public, true);
        }
        for inside in [
            "::",
            "::1",
            "::127.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "2002:a00:1::1",
            "3fff::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            check(inside, false);
        }
    }
}
