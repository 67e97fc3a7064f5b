//! Leaves a provider alone for a while once it has failed several times: recipients wait for their page.

use crate::time::Time;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// So many failures in a row, and the provider is left alone.
const FAILURES: u32 = 3;

/// How long it is left alone.
const REST: Duration = Duration::from_secs(60);

/// The longest that it is left alone because it says so itself.
const LONGEST_REST: Duration = Duration::from_secs(15 * 60);

/// What is known of a provider. A shield of this node only.
#[derive(Debug, Default)]
pub(super) struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    failures: u32,
    until: Option<Time>,
}

impl Breaker {
    /// Until when the provider is left alone, if it is.
    pub(super) fn rests(&self, now: Time) -> Option<Time> {
        // A clock that was set back must not keep it closed for years.
        self.state().until.filter(|until| now < *until && until.since(now) <= LONGEST_REST)
    }

    /// It answered.
    pub(super) fn worked(&self) {
        *self.state() = State::default();
    }

    /// It failed; `asked` is how long it wants to be left alone.
    pub(super) fn failed(&self, asked: Option<Duration>, now: Time) {
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        if let Some(asked) = asked.or((state.failures >= FAILURES).then_some(REST)) {
            state.until = Some(now.plus(asked.min(LONGEST_REST)));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_failures_in_a_row_are_a_rest_of_a_minute() {
        let (breaker, at) = (Breaker::default(), |seconds| Time::from_millis(0).plus(Duration::from_secs(seconds)));
        breaker.failed(None, at(0));
        breaker.failed(None, at(1));
        breaker.worked();
        (2..4).for_each(|s| breaker.failed(None, at(s)));
        assert_eq!(breaker.rests(at(4)), None);
        breaker.failed(None, at(4));
        assert_eq!((breaker.rests(at(5)), breaker.rests(at(64))), (Some(at(64)), None));
        // One request tells whether it works again.
        breaker.failed(None, at(65));
        assert_eq!(breaker.rests(at(66)), Some(at(125)));
        breaker.worked();
        breaker.failed(Some(Duration::from_secs(1_000_000)), at(70));
        assert_eq!(breaker.rests(at(71)), Some(at(70 + 900)));
    }
}
