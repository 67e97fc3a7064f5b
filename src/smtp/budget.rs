//! One budget of octets for the bodies of all sessions: memory stays bounded however many mails arrive at once.

use bytes::Bytes;
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

/// Octets that bodies may take over all sessions.
///
/// Who asks for room waits in a queue of two classes: a body that is being received goes before one that has not begun, since only its
/// end gives back what it holds.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Mutex<Room>>);

#[derive(Debug)]
struct Room {
    total: u64,
    free: u64,
    growing: VecDeque<Waiter>,
    beginning: VecDeque<Waiter>,
}

#[derive(Debug)]
struct Waiter {
    octets: u64,
    granted: oneshot::Sender<Permit>,
}

/// Octets of a [`Budget`], given back when this is dropped.
#[derive(Debug)]
pub struct Permit {
    budget: Budget,
    octets: u64,
}

/// Whether room is asked for the first time or for more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Growing,
    Beginning,
}

/// The caller has a deadline of its own.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

impl Budget {
    /// 512 MiB: ten mails of 50 MiB, or all sessions of a busy hour; with what opening them takes (`gateway/texts.rs`) zegel stays below 2 GiB.
    pub const DEFAULT: u64 = 512 << 20;

    /// A budget of so many octets.
    #[must_use]
    pub fn new(octets: u64) -> Budget {
        let room = Room { total: octets, free: octets, growing: VecDeque::new(), beginning: VecDeque::new() };
        Budget(Arc::new(Mutex::new(room)))
    }

    /// Room for `octets`, waited for at most `wait`; `None` when there was none, or never can be.
    pub async fn reserve(&self, octets: u64, wait: Duration) -> Option<Permit> {
        self.ask(octets, wait, Class::Beginning).await
    }

    /// Room for `octets` for somebody whose end gives back what others wait for: goes before those that begin, and waits as long as it is polled.
    pub(super) async fn reserve_to_end(&self, octets: u64) -> Option<Permit> {
        self.ask(octets, FOR_EVER, Class::Growing).await
    }

    /// Room for `octets` if it is there now, `left` stay free, and nobody who grows waits for it.
    pub(super) fn take(&self, octets: u64, left: u64) -> Option<Permit> {
        let mut room = self.room();
        let unhindered = room.growing.is_empty() && octets.saturating_add(left) <= room.free;
        unhindered.then(|| {
            room.free -= octets;
            Permit { budget: self.clone(), octets }
        })
    }

    /// All octets there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.room().total
    }

    /// Octets that nobody holds.
    #[must_use]
    pub fn free(&self) -> u64 {
        self.room().free
    }

    async fn ask(&self, octets: u64, wait: Duration, class: Class) -> Option<Permit> {
        let granted = {
            let mut room = self.room();
            if octets > room.total {
                return None;
            }
            let unhindered = room.growing.is_empty() && (class == Class::Growing || room.beginning.is_empty());
            if unhindered && octets <= room.free {
                room.free -= octets;
                return Some(Permit { budget: self.clone(), octets });
            }
            let (granted, grant) = oneshot::channel();
            let queue = if class == Class::Growing { &mut room.growing } else { &mut room.beginning };
            queue.push_back(Waiter { octets, granted });
            grant
        };
        // Those ahead may have gone away without a word.
        self.give_back(0);
        let outcome = tokio::time::timeout(wait, granted).await.ok().and_then(Result::ok);
        if outcome.is_none() {
            // Whoever stood behind us may fit now.
            self.give_back(0);
        }
        outcome
    }

    /// Gives octets back and serves who waits, each class in the order of asking.
    fn give_back(&self, octets: u64) {
        // A grant that nobody takes any more comes back as a dropped Permit, so none may be dropped while the lock is held.
        let mut refused = Vec::new();
        {
            let mut room = self.room();
            room.free += octets;
            loop {
                let room = &mut *room;
                let queue = if room.growing.is_empty() { &mut room.beginning } else { &mut room.growing };
                let Some(first) = queue.front() else { break };
                if first.granted.is_closed() {
                    queue.pop_front();
                    continue;
                }
                if first.octets > room.free {
                    break;
                }
                let Some(waiter) = queue.pop_front() else { break };
                room.free -= waiter.octets;
                let permit = Permit { budget: self.clone(), octets: waiter.octets };
                if let Err(permit) = waiter.granted.send(permit) {
                    refused.push(permit);
                }
            }
        }
        drop(refused);
    }

    fn room(&self) -> std::sync::MutexGuard<'_, Room> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// How many octets are held.
    #[must_use]
    pub fn octets(&self) -> u64 {
        self.octets
    }

    /// Asks for `more` octets, waited for at most `wait`; says whether they were given.
    pub async fn grow(&mut self, more: u64, wait: Duration) -> bool {
        match self.budget.ask(more, wait, Class::Growing).await {
            Some(mut extra) => {
                self.octets += std::mem::take(&mut extra.octets);
                true
            }
            None => false,
        }
    }

    /// Takes `more` octets if they are there now; says whether they were.
    pub(super) fn try_grow(&mut self, more: u64) -> bool {
        let taken = self.budget.take(more, 0);
        self.add(taken)
    }

    /// Takes `more` octets if half of all is still free then; says whether it was. For those who have another way: the other half is for mails that
    /// begin, or few slow clients with large ones could keep everybody waiting.
    pub(super) fn grow_from_plenty(&mut self, more: u64) -> bool {
        let taken = self.budget.take(more, self.budget.total() / 2);
        self.add(taken)
    }

    fn add(&mut self, taken: Option<Permit>) -> bool {
        let given = taken.is_some();
        self.octets += taken.map_or(0, |mut extra| std::mem::take(&mut extra.octets));
        given
    }

    /// What this is a part of.
    pub(super) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Gives back what is held over `octets`.
    pub fn shrink_to(&mut self, octets: u64) {
        let surplus = self.octets.saturating_sub(octets);
        self.octets -= surplus;
        self.budget.give_back(surplus);
    }

    /// The octets of `body`, holding this permit until their last clone is dropped.
    #[must_use]
    pub fn hold(mut self, mut body: Vec<u8>) -> Bytes {
        body.shrink_to_fit();
        self.shrink_to(body.len() as u64);
        Bytes::from_owner(Held { body, _permit: self })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.budget.give_back(self.octets);
    }
}

struct Held {
    body: Vec<u8>,
    _permit: Permit,
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::Future, pin::pin, task::Poll};

    const LONG: Duration = Duration::from_secs(3600);

    /// Polls once; the future must not be ready.
    async fn waits<F: Future>(mut future: std::pin::Pin<&mut F>) {
        std::future::poll_fn(|cx| {
            assert!(future.as_mut().poll(cx).is_pending(), "room was given");
            Poll::Ready(())
        })
        .await;
    }

    #[tokio::test]
    async fn a_body_that_grows_goes_before_one_that_begins() {
        let budget = Budget::new(100);
        let mut a = budget.reserve(40, LONG).await.unwrap();
        let b = budget.reserve(40, LONG).await.unwrap();
        let mut begins = pin!(budget.reserve(60, LONG));
        waits(begins.as_mut()).await;
        assert!(a.grow(20, LONG).await, "room for the one that grows is not kept for the one that begins");
        drop(b);
        waits(begins.as_mut()).await;
        drop(a);
        assert_eq!(begins.await.unwrap().octets(), 60);
        assert_eq!(budget.free(), 100);
    }

    #[tokio::test]
    async fn nobody_waits_longer_than_asked_and_nothing_is_lost() {
        let budget = Budget::new(100);
        let a = budget.reserve(100, LONG).await.unwrap();
        assert!(budget.reserve(1, Duration::from_millis(1)).await.is_none());
        assert!(budget.reserve(101, LONG).await.is_none(), "what never fits is refused at once");
        drop(a);
        assert_eq!(budget.free(), 100);
    }

    #[tokio::test]
    async fn one_who_gave_up_does_not_hold_up_the_others() {
        let budget = Budget::new(100);
        let a = budget.reserve(50, LONG).await.unwrap();
        {
            let mut large = pin!(budget.reserve(100, LONG));
            waits(large.as_mut()).await;
        }
        let mut small = pin!(budget.reserve(60, LONG));
        waits(small.as_mut()).await;
        drop(a);
        assert_eq!(small.await.unwrap().octets(), 60);
        assert_eq!(budget.free(), 100);
    }

    #[tokio::test]
    async fn the_octets_hold_their_room_until_the_last_clone_goes() {
        let budget = Budget::new(100);
        let body = budget.reserve(80, LONG).await.unwrap().hold(b"twelve bytes".to_vec());
        assert_eq!(budget.free(), 88);
        let clone = body.slice(3..);
        drop(body);
        assert_eq!(budget.free(), 88);
        drop(clone);
        assert_eq!(budget.free(), 100);
    }
}
