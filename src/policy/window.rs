//! Times of the week: `mo-fr 08:00-18:00`.

use jiff::civil::{DateTime, Time, Weekday};

/// A part of the week, on the organisation's wall clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// Monday first.
    days: [bool; 7],
    from: Time,
    /// The first moment behind it; `None` is the end of the day. Before `from`: it ends on the day after.
    until: Option<Time>,
}

/// The days as files name them, in English and in Dutch.
const DAYS: [[&str; 2]; 7] = [["mo", "ma"], ["tu", "di"], ["we", "wo"], ["th", "do"], ["fr", "vr"], ["sa", "za"], ["su", "zo"]];

impl Window {
    /// Reads days, hours, or both: `mo-fr 08:00-18:00`, `sa,su`, `22:00-06:00`.
    pub(super) fn parse(text: &str) -> Option<Window> {
        let text = text.trim().to_lowercase();
        let (days, hours) = match text.split_once(' ') {
            Some((days, hours)) => (Some(days), Some(hours.trim())),
            None if text.starts_with(|c: char| c.is_ascii_digit()) => (None, Some(text.as_str())),
            None => (Some(text.as_str()), None),
        };
        let days = days.map_or(Some([true; 7]), parse_days)?;
        let (from, until) = hours.map_or(Some((Time::midnight(), None)), parse_hours)?;
        Some(Window { days, from, until })
    }

    /// Whether `now` lies within it.
    pub(super) fn holds(&self, now: DateTime) -> bool {
        let (day, time) = (now.weekday(), now.time());
        match self.until {
            None => self.has(day) && time >= self.from,
            Some(until) if self.from < until => self.has(day) && self.from <= time && time < until,
            // Over midnight: what began yesterday is not over yet.
            Some(until) => (self.has(day) && time >= self.from) || (self.has(day.previous()) && time < until),
        }
    }

    fn has(&self, day: Weekday) -> bool {
        usize::try_from(day.to_monday_zero_offset()).is_ok_and(|at| self.days.get(at) == Some(&true))
    }
}

fn parse_days(text: &str) -> Option<[bool; 7]> {
    let number = |word: &str| DAYS.iter().position(|names| names.contains(&word));
    let mut days = [false; 7];
    for range in text.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last) = (number(first)?, number(last)?);
        let mut day = first;
        loop {
            *days.get_mut(day)? = true;
            if day == last {
                break;
            }
            day = (day + 1) % days.len();
        }
    }
    Some(days)
}

fn parse_hours(text: &str) -> Option<(Time, Option<Time>)> {
    let (from, until) = text.split_once('-')?;
    let until = if until.trim() == "24:00" { None } else { Some(parse_time(until)?) };
    let from = parse_time(from)?;
    (until != Some(from)).then_some((from, until))
}

fn parse_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let digits = |s: &str| if s.len() <= 2 && s.bytes().all(|b| b.is_ascii_digit()) { s.parse::<i8>().ok() } else { None };
    Time::new(digits(hour)?, digits(minute)?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(window: &str, now: &str, expected: bool) {
        assert_eq!(Window::parse(window).unwrap().holds(now.parse().unwrap()), expected, "{window} {now}");
    }

    #[test]
    fn a_window_holds_from_its_first_moment_until_its_last() {
        // 2026-11-23 is a Monday.
        check("mo-fr 08:00-18:00", "2026-11-23T08:00", true);
        check("mo-fr 08:00-18:00", "2026-11-23T07:59:59", false);
        check("mo-fr 08:00-18:00", "2026-11-23T18:00", false);
        check("ma-vr 8:00-18:00", "2026-11-27T17:59", true);
        check("mo-fr 08:00-18:00", "2026-11-28T12:00", false);
        check("sa,su", "2026-11-29T23:59", true);
        check("fr-mo", "2026-11-23T00:00", true);
        check("fr-mo", "2026-11-24T00:00", false);
        check("08:00-24:00", "2026-11-24T23:59:59", true);
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        check("fr 22:00-06:00", "2026-11-27T22:00", true);
        check("fr 22:00-06:00", "2026-11-28T05:59", true);
        check("fr 22:00-06:00", "2026-11-28T22:00", false);
        check("fr 22:00-06:00", "2026-11-27T05:00", false);
    }

    #[test]
    fn what_is_no_window_is_told() {
        for text in ["", "mon", "mo 8-18", "08:00-08:00", "25:00-26:00", "mo-fr 08:00", "mo - fr", "+8:00-9:00"] {
            assert_eq!(Window::parse(text), None, "{text}");
        }
    }
}
