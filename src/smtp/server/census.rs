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
    /// None while a balancer has not said whose connection it is.
    address: Option<IpAddr>,
}

impl Census {
    /// A place for a session of `address`, if there is one.
    pub(super) fn seat(&self, address: IpAddr, limits: &ServerLimits) -> Option<Seat> {
        let mut seat = self.standing(limits)?;
        seat.settle(address, limits).then_some(seat)
    }

    /// A place for a session whose address is not known yet.
    pub(super) fn standing(&self, limits: &ServerLimits) -> Option<Seat> {
        let mut counts = self.counts();
        if counts.total >= limits.sessions {
            return None;
        }
        counts.total += 1;
        drop(counts);
        Some(Seat { census: self.clone(), address: None })
    }

    pub(super) fn total(&self) -> usize {
        self.counts().total
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Counts the session among those of `address`; false when it has too many.
    pub(super) fn settle(&mut self, address: IpAddr, limits: &ServerLimits) -> bool {
        let address = address.to_canonical();
        let mut counts = self.census.counts();
        let count = counts.per_ip.get(&address).copied().unwrap_or(0);
        if count >= limits.sessions_per_ip {
            return false;
        }
        counts.per_ip.insert(address, count + 1);
        self.address = Some(address);
        true
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.census.counts();
        counts.total -= 1;
        let Some(address) = &self.address else { return };
        if let Some(n) = counts.per_ip.get_mut(address) {
            *n -= 1;
            if *n == 0 {
                counts.per_ip.remove(address);
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
