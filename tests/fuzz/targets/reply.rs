//! What a next hop answers.

use super::pieces;
use zegel::smtp::{
    Extensions,
    reply::{Reply, parse},
};

/// More octets than this are never waited for: the parser's limit, and the longest piece that is read behind it.
const MOST: usize = 17 * 1024;

/// A reply is found as soon as it is there and not before, takes no octet too many, and is told again within the bounds of our own replies.
pub fn reply(octets: &[u8]) {
    let whole = parse(octets);
    if let Ok(Some((reply, taken))) = &whole {
        assert!(*taken <= octets.len() && octets[..*taken].ends_with(b"\n"));
        assert_eq!(parse(&octets[..*taken]), whole, "without what stands behind it");
        for upto in 0..*taken {
            assert_eq!(parse(&octets[..upto]), Ok(None), "cut at {upto}");
        }
        told_again(reply);
        let extensions = Extensions::parse(reply);
        assert!(extensions.size_limit(1000) <= 1000);
    }
    assert!(octets.len() < MOST || whole != Ok(None), "a reply without an end is waited for");
    let mut input = Vec::new();
    for piece in pieces(octets) {
        input.extend_from_slice(piece);
        match parse(&input) {
            Ok(None) => {}
            found => return assert_eq!(found, whole, "in pieces"),
        }
    }
    assert_eq!(whole, Ok(None));
}

fn told_again(reply: &Reply) {
    let mut wire = Vec::new();
    reply.clone().relayed().write(&mut wire);
    are_replies(&wire);
    assert_eq!(wire.iter().filter(|octet| **octet == b'\n').count(), reply.text().split('\n').count());
    let (again, taken) = parse(&wire).expect("ours is a reply").expect("it is complete");
    assert_eq!(taken, wire.len());
    assert_eq!(again.code(), if reply.code() == 421 { 451 } else { reply.code() });
}

/// Whether `wire` is replies and nothing else: lines of at most 512 octets, CRLF included (RFC 5321, 4.5.3.1.5), of printable ASCII.
pub(super) fn are_replies(wire: &[u8]) {
    assert!(wire.is_empty() || wire.ends_with(b"\r\n"));
    for line in wire.split_inclusive(|octet| *octet == b'\n') {
        let shown = String::from_utf8_lossy(line);
        assert!(line.len() <= 512, "{} octets: {shown}", line.len());
        let text = line.strip_suffix(b"\r\n").expect("a line ends in CRLF");
        assert!(text.iter().all(|octet| (b' '..=b'~').contains(octet)), "{shown:?}");
        assert!(text.len() >= 4 && text[..3].iter().all(u8::is_ascii_digit) && matches!(text[3], b' ' | b'-'), "{shown:?}");
    }
}
