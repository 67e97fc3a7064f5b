//! Moments and days as records keep them: UTC, whole milliseconds.

use jiff::{
    Timestamp, Zoned,
    civil::Date,
    tz::{TimeZone, TimeZoneDatabase},
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr, sync::LazyLock, time::Duration};

/// The wall clock of the organisation and of those who read its pages. Its rules are compiled in: nothing is read from disk.
static ZONE: LazyLock<TimeZone> =
    LazyLock::new(|| TimeZoneDatabase::bundled().get("Europe/Amsterdam").expect("the compiled-in rules have Amsterdam"));

/// A moment: milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Time(i64);

impl Time {
    /// The last moment that a key can hold: 13 digits (the year 2286).
    pub const MAX: Time = Time(9_999_999_999_999);

    /// The moment so many milliseconds after 1970-01-01 UTC, clamped to what a key can hold.
    #[must_use]
    pub fn from_millis(millis: i64) -> Time {
        Time(millis.clamp(0, Time::MAX.0))
    }

    /// Milliseconds since 1970-01-01 UTC.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }

    /// This moment and `span` later.
    #[must_use]
    pub fn plus(self, span: Duration) -> Time {
        Time::from_millis(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// This moment and `span` earlier.
    #[must_use]
    pub fn minus(self, span: Duration) -> Time {
        Time::from_millis(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is not after it.
    #[must_use]
    pub fn since(self, earlier: Time) -> Duration {
        Duration::from_millis(u64::try_from(self.0 - earlier.0).unwrap_or(0))
    }

    /// The UTC day that holds this moment.
    #[must_use]
    pub fn day(self) -> Day {
        Day(self.timestamp().to_zoned(TimeZone::UTC).date())
    }

    /// On the wall clock of the organisation.
    #[must_use]
    pub fn local(self) -> Zoned {
        self.timestamp().to_zoned(ZONE.clone())
    }

    /// For calendars and languages.
    #[must_use]
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_millisecond(self.0).expect("a Time lies within jiff's range")
    }
}

/// 13 digits, so that keys sort by time.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:013}", self.0)
    }
}

/// A UTC day: `2026-12-21`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub Date);

impl Day {
    /// So many days later.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Day {
        Day(self.0.saturating_add(jiff::Span::new().days(i64::from(days.min(1_000_000)))))
    }

    /// The first moment of this day.
    #[must_use]
    pub fn begins(self) -> Time {
        let midnight = self.0.to_zoned(TimeZone::UTC).expect("every date has a midnight in UTC");
        Time::from_millis(midnight.timestamp().as_millisecond())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl FromStr for Day {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Day, jiff::Error> {
        text.parse().map(Day)
    }
}

impl Serialize for Day {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Day, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}
