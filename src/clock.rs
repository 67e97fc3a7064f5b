//! The clock: the system's, or one that a test sets.

use crate::time::Time;
use std::{
    sync::{
        LazyLock,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Time;

    /// The time since some moment of this process, as the processor counts it: unlike [`Clock::now`] it is never put back or ahead.
    fn uptime(&self) -> Duration;
}

/// The system's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Time {
        Time::from_millis(jiff::Timestamp::now().as_millisecond())
    }

    fn uptime(&self) -> Duration {
        static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
        FIRST.elapsed()
    }
}

/// A clock that stands still until it is set: for tests, which must not wait seven days.
#[derive(Debug)]
pub struct SetClock {
    now: AtomicI64,
    uptime: AtomicU64,
}

impl SetClock {
    /// A clock that shows `at`.
    #[must_use]
    pub fn at(at: Time) -> SetClock {
        SetClock { now: AtomicI64::new(at.millis()), uptime: AtomicU64::new(0) }
    }

    /// Puts the clock to `at`, which may be earlier; no time passes.
    pub fn set(&self, at: Time) {
        self.now.store(at.millis(), Ordering::SeqCst);
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let millis = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.uptime.fetch_add(millis, Ordering::SeqCst);
        self.now.fetch_add(i64::try_from(millis).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for SetClock {
    fn now(&self) -> Time {
        Time::from_millis(self.now.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> Duration {
        Duration::from_millis(self.uptime.load(Ordering::SeqCst))
    }
}
