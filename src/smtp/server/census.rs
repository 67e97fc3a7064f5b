//! Who is connected, and how often.

use super::ServerLimits;
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Counts sessions, in all and per address.
#[derive(Clone, Debug, Default)]
pub struct Census(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    total: usize,
    per_ip: HashMap<IpAddr, usize>,
}

/// One session's place; free again when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    census: Census,
    address: IpAddr,
}

impl Census {
    /// A place for a session of `address`, if there is one.
    pub(super) fn seat(&self, address: IpAddr, limits: &ServerLimits) -> Option<Seat> {
        let address = address.to_canonical();
        let mut counts = self.counts();
        if counts.total >= limits.sessions || counts.per_ip.get(&address).is_some_and(|n| *n >= limits.sessions_per_ip) {
            return None;
        }
        counts.total += 1;
        *counts.per_ip.entry(address).or_default() += 1;
        Some(Seat { census: self.clone(), address })
    }

    pub(super) fn total(&self) -> usize {
        self.counts().total
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.census.counts();
        counts.total -= 1;
        if let Some(n) = counts.per_ip.get_mut(&self.address) {
            *n -= 1;
            if *n == 0 {
                counts.per_ip.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_cannot_take_all_places_and_places_come_back() {
        let limits = ServerLimits { sessions: 3, sessions_per_ip: 2, ..ServerLimits::default() };
        let census = Census::default();
        let (a, b) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let seats: Vec<Seat> = (0..2).filter_map(|_| census.seat(a, &limits)).collect();
        assert_eq!(seats.len(), 2);
        assert!(census.seat("::ffff:192.0.2.1".parse().unwrap(), &limits).is_none());
        let other = census.seat(b, &limits);
        assert!(other.is_some() && census.seat(b, &limits).is_none());
        drop(seats);
        assert!(census.seat(a, &limits).is_some());
        drop(other);
        assert_eq!((census.total(), census.counts().per_ip.len()), (0, 0));
    }
}
