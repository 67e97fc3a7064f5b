//! Who is connected, and how often.

use super::{super::session::Right, ServerLimits};
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
    /// Of these, sessions that must prove an account.
    strangers: usize,
    per_ip: HashMap<IpAddr, usize>,
}

/// One session's place; free again when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    census: Census,
    /// Whose it is and by what right; none while a balancer has not said so.
    client: Option<(IpAddr, Right)>,
}

impl Census {
    /// A place for a session of `address`, if there is one.
    pub(super) fn seat(&self, address: IpAddr, right: Right, limits: &ServerLimits) -> Option<Seat> {
        let mut seat = self.standing(limits)?;
        seat.settle(address, right, limits).then_some(seat)
    }

    /// A place for a session whose address is not known yet.
    pub(super) fn standing(&self, limits: &ServerLimits) -> Option<Seat> {
        let mut counts = self.counts();
        if counts.total >= limits.sessions {
            return None;
        }
        counts.total += 1;
        drop(counts);
        Some(Seat { census: self.clone(), client: None })
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
    pub(super) fn settle(&mut self, address: IpAddr, right: Right, limits: &ServerLimits) -> bool {
        let address = address.to_canonical();
        let mut counts = self.census.counts();
        let count = counts.per_ip.get(&address).copied().unwrap_or(0);
        let full = match right {
            Right::Address => count >= limits.sessions_per_ip,
            Right::Account => count >= limits.strangers_per_ip || counts.strangers >= limits.strangers,
        };
        if full {
            return false;
        }
        counts.strangers += usize::from(right == Right::Account);
        counts.per_ip.insert(address, count + 1);
        self.client = Some((address, right));
        true
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut counts = self.census.counts();
        counts.total -= 1;
        let Some((address, right)) = self.client else { return };
        counts.strangers -= usize::from(right == Right::Account);
        if let Some(n) = counts.per_ip.get_mut(&address) {
            *n -= 1;
            if *n == 0 {
                counts.per_ip.remove(&address);
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
        let seat = |address: &str| census.seat(address.parse().unwrap(), Right::Address, &limits);
        let seats: Vec<Seat> = (0..2).filter_map(|_| seat("192.0.2.1")).collect();
        assert_eq!(seats.len(), 2);
        assert!(seat("::ffff:192.0.2.1").is_none());
        let other = seat("192.0.2.2");
        assert!(other.is_some() && seat("192.0.2.2").is_none());
        drop(seats);
        assert!(seat("192.0.2.1").is_some());
        drop(other);
        assert_eq!((census.total(), census.counts().per_ip.len()), (0, 0));
    }

    #[test]
    fn strangers_leave_room_for_those_who_are_allowed() {
        let limits = ServerLimits { strangers: 3, strangers_per_ip: 2, ..ServerLimits::default() };
        let census = Census::default();
        let seat = |address: &str, right| census.seat(address.parse().unwrap(), right, &limits);
        let two = [seat("192.0.2.1", Right::Account), seat("192.0.2.1", Right::Account)];
        assert!(two.iter().all(Option::is_some) && seat("192.0.2.1", Right::Account).is_none());
        let third = seat("192.0.2.2", Right::Account);
        assert!(third.is_some() && seat("192.0.2.3", Right::Account).is_none());
        assert!(seat("192.0.2.3", Right::Address).is_some());
        drop(two);
        assert!(seat("192.0.2.3", Right::Account).is_some());
        drop(third);
        assert_eq!((census.total(), census.counts().strangers), (0, 0));
    }
}
