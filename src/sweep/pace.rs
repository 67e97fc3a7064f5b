//! How far the sweep may go when the clock may be wrong: a clock that jumps years ahead must not destroy, within a minute, whatever zegel keeps.
//!
//! What expires is gone for good, so the clock alone is not believed. It may run a day ahead of what was reached before plus the time that
//! has passed since, which the processor counts. Beyond that (a wrong clock, or zegel was not running for days) a day's worth goes each hour: who
//! looks at the log has time to put the clock right, and after an honest pause everything is gone some hours late.

use crate::time::Time;
use std::time::Duration;

/// So far ahead a clock is believed, and so much goes at once when it isn't (docs/operating.md, The clock).
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Between two such steps: thirty days of messages take more than a day, and a pause of a week is made good in a night.
const STEP_TIME: Duration = Duration::from_secs(3600);

/// How far the sweep has gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// What was due by then has been swept.
    reached: Time,
    /// The uptime ([`crate::clock::Clock::uptime`]) at which that was so.
    at: Duration,
}

/// What a look at the clock gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It is believed.
    Fine,
    /// It is too far ahead; nothing more goes for now.
    Waiting,
    /// It is too far ahead; the next day's worth goes.
    Step,
}

impl Pace {
    /// A sweep that had gone as far as `reached`.
    pub(super) fn resumed(reached: Time, uptime: Duration) -> Pace {
        Pace { reached, at: uptime }
    }

    /// What is due by then may go.
    pub(super) fn reached(&self) -> Time {
        self.reached
    }

    /// Looks at the clock and moves on as far as it is believed. `next` is the first moment after the day of [`Pace::reached`] at which anything
    /// is due: days on which nothing is are not waited for.
    pub(super) fn look(&mut self, now: Time, uptime: Duration, next: Option<Time>) -> Judgement {
        let elapsed = uptime.saturating_sub(self.at);
        let judgement = match () {
            () if now <= self.reached.plus(elapsed).plus(DAY) => Judgement::Fine,
            () if elapsed < STEP_TIME => return Judgement::Waiting,
            () => Judgement::Step,
        };
        self.reached = match judgement {
            Judgement::Step => next.unwrap_or(now).max(self.reached).plus(DAY).min(now),
            _ => now,
        };
        self.at = uptime;
        judgement
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

    fn start() -> (Time, Pace) {
        let now = Time::from_millis(1_700_000_000_000);
        (now, Pace::resumed(now, Duration::ZERO))
    }

    #[test]
    fn a_clock_that_goes_with_the_processor_is_believed() {
        let (start, mut pace) = start();
        for days in [1, 2, 40, 400] {
            let passed = DAY * days;
            assert_eq!(pace.look(start.plus(passed), passed, None), Judgement::Fine);
            assert_eq!(pace.reached(), start.plus(passed));
        }
        assert_eq!(pace.look(start, DAY * 401, None), Judgement::Fine, "a clock that goes back destroys nothing");
        assert_eq!(pace.reached(), start);
    }

    #[test]
    fn after_a_jump_a_day_goes_each_hour() {
        let (start, mut pace) = start();
        let ahead = start.plus(YEAR);
        assert_eq!(pace.look(ahead, Duration::ZERO, Some(start.plus(HOUR * 5))), Judgement::Waiting);
        assert_eq!(pace.reached(), start);
        for step in 1..=3u32 {
            let next = Some(pace.reached().plus(HOUR * 5));
            assert_eq!(pace.look(ahead, HOUR * step, next), Judgement::Step);
            assert_eq!(pace.look(ahead, HOUR * step, next), Judgement::Waiting);
        }
        assert_eq!(pace.reached(), start.plus((DAY + HOUR * 5) * 3));
        assert_eq!(pace.look(start.plus(HOUR * 3), HOUR * 3, None), Judgement::Fine, "the clock is put right");
        assert_eq!(pace.reached(), start.plus(HOUR * 3));
    }

    #[test]
    fn days_without_anything_due_cost_no_time() {
        let (start, mut pace) = start();
        let ahead = start.plus(YEAR * 50);
        assert_eq!(pace.look(ahead, HOUR, Some(start.plus(YEAR))), Judgement::Step);
        assert_eq!(pace.reached(), start.plus(YEAR + DAY));
        assert_eq!(pace.look(ahead, HOUR * 2, None), Judgement::Step);
        assert_eq!(pace.reached(), ahead);
    }
}
