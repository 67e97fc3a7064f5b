//! Networks that may relay: the allow-list, without which zegel does not start.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    str::FromStr,
};

/// An address range: `127.0.0.0/8`, `2001:db8::/32`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

/// Why a text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Not of the form `192.0.2.0/24`.
    #[error("a network looks like 192.0.2.0/24 or 2001:db8::/32")]
    Syntax,
    /// `192.0.2.1/24`: which of the two is meant?
    #[error("the address does not begin a network of this size")]
    HostBits,
}

impl Network {
    /// The addresses that share their first `prefix_bits` bits with `address`.
    ///
    /// # Errors
    /// A prefix longer than the address, or an address with bits behind it.
    pub fn new(address: IpAddr, prefix_bits: u8) -> Result<Network, NetworkError> {
        if prefix_bits > if address.is_ipv4() { 32 } else { 128 } {
            return Err(NetworkError::Syntax);
        }
        let network = Network { address, prefix_bits };
        if network.contains(address) { Ok(network) } else { Err(NetworkError::HostBits) }
    }

    /// Whether `address` lies in this network; an IPv4 address in its IPv6 form (`::ffff:192.0.2.1`) counts as what it is.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(_), IpAddr::V4(_)) | (IpAddr::V6(_), IpAddr::V6(_)) => {
                bits(address.to_canonical()) & self.mask() == bits(self.address)
            }
            _ => false,
        }
    }

    fn mask(&self) -> u128 {
        let width = if self.address.is_ipv4() { 32 } else { 128 };
        let host_bits = u32::from(width - self.prefix_bits);
        let all = if width == 32 { u128::from(u32::MAX) } else { u128::MAX };
        all.checked_shr(host_bits).and_then(|ones| ones.checked_shl(host_bits)).unwrap_or(0) & all
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => Ipv6Addr::to_bits(v6),
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Network, NetworkError> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| NetworkError::Syntax)?;
        let width: u8 = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix {
            Some(prefix) => prefix.trim().parse().map_err(|_| NetworkError::Syntax)?,
            None => width,
        };
        Network::new(address, prefix_bits)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix_bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(network: &str, address: &str, inside: bool) {
        let parsed: Network = network.parse().unwrap();
        assert_eq!(parsed.contains(address.parse().unwrap()), inside, "{network} {address}");
    }

    #[test]
    fn an_address_is_in_its_network_and_in_no_other() {
        check("127.0.0.0/8", "127.9.9.9", true);
        check("127.0.0.0/8", "::ffff:127.0.0.1", true);
        check("127.0.0.0/8", "128.0.0.1", false);
        check("127.0.0.0/8", "::1", false);
        check("192.0.2.1", "192.0.2.1", true);
        check("192.0.2.1", "192.0.2.2", false);
        check("0.0.0.0/0", "203.0.113.7", true);
        check("0.0.0.0/0", "::1", false);
        check("2001:db8::/32", "2001:db8:1::1", true);
        check("2001:db8::/32", "2001:db9::1", false);
        check("::/0", "::1", true);
        check("::/0", "192.0.2.1", false);
        assert_eq!("192.0.2.1/24".parse::<Network>(), Err(NetworkError::HostBits));
        for wrong in ["", "localhost", "127.0.0.0/33", "127.0.0.0/", "127.0.0.0/-1", "10.0.0.0/8/8"] {
            assert_eq!(wrong.parse::<Network>(), Err(NetworkError::Syntax), "{wrong}");
        }
    }
}
