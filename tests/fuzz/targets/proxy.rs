//! What a balancer says in front of a connection.

use std::{
    future::Future,
    net::SocketAddr,
    pin::pin,
    task::{Context, Poll, Waker},
};
use zegel::smtp::proxy::{Malformed, read};

/// A header is taken as soon as it is whole, and not an octet behind it; one that is cut is none.
pub fn proxy(octets: &[u8]) {
    let (found, left) = taken(octets);
    assert!(octets.ends_with(left));
    if found.is_ok() {
        let header = &octets[..octets.len() - left.len()];
        assert_eq!(taken(header), (found, [].as_slice()));
        assert_eq!(taken(&header[..header.len() - 1]).0, Err(Malformed));
        assert!(found.is_ok_and(|from| from.is_none_or(|from| from.ip() == from.ip().to_canonical())));
    }
}

/// What a header says, and what stands behind it.
fn taken(octets: &[u8]) -> (Result<Option<SocketAddr>, Malformed>, &[u8]) {
    let mut stream = octets;
    let found = match pin!(read(&mut stream)).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(found) => found,
        Poll::Pending => unreachable!("octets in memory are waited for"),
    };
    (found, stream)
}
