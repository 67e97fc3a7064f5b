//! Chance by a seed: what a run did can be done again.

use std::time::{Duration, SystemTime};

/// `SplitMix64` (Steele, Lea, Flood 2014): small, and good enough for choosing what to break.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// The seed that the environment names in `variable`, else one of the moment.
    pub(crate) fn seed(variable: &str) -> u64 {
        let given = std::env::var(variable).ok().map(|s| s.parse().unwrap_or_else(|_| panic!("{variable} is a whole number")));
        given.unwrap_or_else(|| SystemTime::UNIX_EPOCH.elapsed().map_or(0, |t| u64::from(t.subsec_nanos())))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is at least 1.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("it is below a usize")
    }

    /// Whether something happens that happens so often in a thousand times.
    pub(crate) fn chance(&mut self, per_mille: usize) -> bool {
        self.below(1000) < per_mille
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// A time up to `most`.
    pub(crate) fn time(&mut self, most: Duration) -> Duration {
        Duration::from_millis(self.below(usize::try_from(most.as_millis()).expect("it is short") + 1) as u64)
    }

    /// Other dice, for somebody who throws at times of his own.
    pub(crate) fn split(&mut self) -> Dice {
        Dice(self.next())
    }
}
