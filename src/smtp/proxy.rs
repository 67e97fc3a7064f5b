//! The PROXY protocol, versions 1 and 2 (HAProxy, proxy-protocol.txt): a balancer says whose connection it passes on.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// What every header of version 2 begins with; nothing that speaks SMTP does.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// Version 1: the longest line, CRLF included.
const LINE_OCTETS: usize = 107;

/// No header, or one that breaks the protocol: the connection is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no header of the PROXY protocol")]
pub struct Malformed;

/// Reads a header, and not an octet more; the caller bounds the time. `None` when the balancer speaks for itself (LOCAL, UNKNOWN).
///
/// # Errors
/// [`Malformed`] when there is none, or the stream ends within it.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<SocketAddr>, Malformed> {
    // Both versions are longer than this.
    let mut start = [0; SIGNATURE.len()];
    stream.read_exact(&mut start).await.map_err(|_| Malformed)?;
    if start == SIGNATURE { version_2(stream).await } else { version_1(&start, stream).await }
}

async fn version_1(start: &[u8], stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<SocketAddr>, Malformed> {
    if !start.starts_with(b"PROXY ") {
        return Err(Malformed);
    }
    let mut line = start.to_vec();
    // Octet by octet: what follows belongs to SMTP or to a TLS handshake.
    while !line.ends_with(b"\n") {
        if line.len() >= LINE_OCTETS {
            return Err(Malformed);
        }
        line.push(stream.read_u8().await.map_err(|_| Malformed)?);
    }
    parse_line(&line)
}

fn parse_line(line: &[u8]) -> Result<Option<SocketAddr>, Malformed> {
    let line = line.strip_suffix(b"\r\n").and_then(|l| std::str::from_utf8(l).ok()).ok_or(Malformed)?;
    let words: Vec<&str> = line.split(' ').collect();
    let port = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u16>().ok()).flatten().ok_or(Malformed);
    match words[..] {
        // The rest of such a line means nothing.
        ["PROXY", "UNKNOWN", ..] => Ok(None),
        ["PROXY", "TCP4", from, to, from_port, to_port] => {
            let (from, _): (Ipv4Addr, Ipv4Addr) = (from.parse().map_err(|_| Malformed)?, to.parse().map_err(|_| Malformed)?);
            port(to_port)?;
            Ok(Some(SocketAddr::from((from, port(from_port)?))))
        }
        ["PROXY", "TCP6", from, to, from_port, to_port] => {
            let (from, _): (Ipv6Addr, Ipv6Addr) = (from.parse().map_err(|_| Malformed)?, to.parse().map_err(|_| Malformed)?);
            port(to_port)?;
            Ok(Some(SocketAddr::from((IpAddr::V6(from).to_canonical(), port(from_port)?))))
        }
        _ => Err(Malformed),
    }
}

async fn version_2(stream: &mut (impl AsyncRead + Unpin)) -> Result<Option<SocketAddr>, Malformed> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).await.map_err(|_| Malformed)?;
    let [command, family, high, low] = head;
    let length = usize::from(u16::from_be_bytes([high, low]));
    // Two addresses of IPv6 and two ports; what follows are TLVs.
    let mut addresses = [0; 36];
    let wanted = match (command, family) {
        // LOCAL: whatever family it names, its addresses are to be skipped.
        (0x20, _) | (0x21, 0x00) => 0,
        (0x21, 0x11) => 12,
        (0x21, 0x21) => 36,
        _ => return Err(Malformed),
    };
    let mut rest = length.checked_sub(wanted).ok_or(Malformed)?;
    stream.read_exact(&mut addresses[..wanted]).await.map_err(|_| Malformed)?;
    // At most 64 KiB, by the protocol itself.
    let mut skipped = [0; 512];
    while rest > 0 {
        let piece = rest.min(skipped.len());
        stream.read_exact(&mut skipped[..piece]).await.map_err(|_| Malformed)?;
        rest -= piece;
    }
    let port = |at: usize| u16::from_be_bytes([addresses[at], addresses[at + 1]]);
    match wanted {
        12 => {
            let [a, b, c, d, ..] = addresses;
            Ok(Some(SocketAddr::from((Ipv4Addr::new(a, b, c, d), port(8)))))
        }
        36 => {
            let from: [u8; 16] = addresses[..16].try_into().map_err(|_| Malformed)?;
            Ok(Some(SocketAddr::from((IpAddr::V6(Ipv6Addr::from(from)).to_canonical(), port(32)))))
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a header says, and what is left behind it; it must say the same wherever it is cut.
    async fn check(header: &[u8], expected: Result<Option<&str>, Malformed>) {
        let expected = expected.map(|text| text.map(|text| text.parse::<SocketAddr>().unwrap()));
        let octets = [header, b"EHLO x"].concat();
        for split in 0..=header.len() {
            let (a, b) = octets.split_at(split);
            let mut stream = a.chain(b);
            assert_eq!(read(&mut stream).await, expected, "{} cut at {split}", header.escape_ascii());
            if expected.is_ok() {
                let mut left = Vec::new();
                stream.read_to_end(&mut left).await.unwrap();
                assert_eq!(left, b"EHLO x");
            }
        }
    }

    fn v2(command: u8, family: u8, payload: &[u8]) -> Vec<u8> {
        let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, payload].concat()
    }

    #[tokio::test]
    async fn version_1_is_read_and_nothing_behind_it() {
        check(b"PROXY TCP4 192.0.2.7 10.0.0.1 56324 25\r\n", Ok(Some("192.0.2.7:56324"))).await;
        check(b"PROXY TCP6 2001:db8::7 ::1 56324 25\r\n", Ok(Some("[2001:db8::7]:56324"))).await;
        check(b"PROXY UNKNOWN\r\n", Ok(None)).await;
        check(b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n", Ok(None)).await;
        for wrong in [
            "PROXY TCP4 192.0.2.7 10.0.0.1 56324\r\n",
            "PROXY TCP4 192.0.2.7 10.0.0.1 56324 25 1\r\n",
            "PROXY TCP4 192.0.2.7 10.0.0.1 +5 25\r\n",
            "PROXY TCP4 192.0.2.7 10.0.0.1 65536 25\r\n",
            "PROXY TCP4 ::1 10.0.0.1 5 25\r\n",
            "PROXY  TCP4 192.0.2.7 10.0.0.1 5 25\r\n",
            "PROXY TCP4 192.0.2.7 10.0.0.1 5 25\n",
            "PROXY UDP4 192.0.2.7 10.0.0.1 5 25\r\n",
            "EHLO client.example\r\n",
        ] {
            check(wrong.as_bytes(), Err(Malformed)).await;
        }
        check(&[b"PROXY UNKNOWN ".to_vec(), vec![b'x'; 200]].concat(), Err(Malformed)).await;
    }

    #[tokio::test]
    async fn version_2_is_read_and_its_tlvs_are_skipped() {
        let v4 = [192, 0, 2, 7, 10, 0, 0, 1, 0xdc, 0x04, 0, 25];
        check(&v2(0x21, 0x11, &v4), Ok(Some("192.0.2.7:56324"))).await;
        check(&v2(0x21, 0x11, &[&v4[..], &[4, 2, 88]].concat()[..]), Ok(Some("192.0.2.7:56324"))).await;
        check(&v2(0x21, 0x11, &[&v4[..], &[0; 700]].concat()), Ok(Some("192.0.2.7:56324"))).await;
        let v6 = [&"2001:db8::7".parse::<Ipv6Addr>().unwrap().octets()[..], &[0; 16], &[0xdc, 0x04, 0, 25]].concat();
        check(&v2(0x21, 0x21, &v6), Ok(Some("[2001:db8::7]:56324"))).await;
        check(&v2(0x20, 0x00, &[]), Ok(None)).await;
        check(&v2(0x20, 0x11, &v4), Ok(None)).await;
        check(&v2(0x21, 0x00, &[1, 2, 3]), Ok(None)).await;
        for wrong in [v2(0x11, 0x11, &v4), v2(0x22, 0x11, &v4), v2(0x21, 0x12, &v4), v2(0x21, 0x31, &[0; 216]), v2(0x21, 0x11, &v4[..11])] {
            check(&wrong, Err(Malformed)).await;
        }
    }
}
