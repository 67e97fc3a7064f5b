//! Times, days and sizes as people write them.

use super::words::Words;
use crate::time::Time;
use fluent_bundle::FluentArgs;
use jiff::civil::Date;

/// `3 februari 2026`.
pub(super) fn day(words: &Words, at: Time) -> Result<String, String> {
    in_words(words, at.local().date())
}

/// The same of a day written `2026-02-03`.
pub(super) fn date(words: &Words, day: &str) -> Result<String, String> {
    in_words(words, day.parse().map_err(|e| format!("`{day}` is no day: {e}"))?)
}

fn in_words(words: &Words, date: Date) -> Result<String, String> {
    let mut args = FluentArgs::new();
    args.set("day", i64::from(date.day()));
    args.set("month", i64::from(date.month()));
    args.set("year", date.year().to_string());
    words.text("date", &args)
}

/// `15:06`.
pub(super) fn clock(at: Time) -> String {
    let at = at.local();
    format!("{:02}:{:02}", at.hour(), at.minute())
}

/// For `<time datetime>`: `2026-02-03T15:06:00+01:00`.
pub(super) fn iso(at: Time) -> String {
    at.local().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// `één uur geleden`.
pub(super) fn ago(words: &Words, at: Time, now: Time) -> Result<String, String> {
    let minutes = now.since(at).as_secs() / 60;
    let (unit, n) = match minutes {
        0 => ("moment", 0),
        1..60 => ("minutes", minutes),
        60..1440 => ("hours", minutes / 60),
        _ => ("days", minutes / 1440),
    };
    let mut args = FluentArgs::new();
    args.set("unit", unit);
    args.set("n", n);
    words.text("ago", &args)
}

/// `1,2 MB`.
pub(super) fn size(words: &Words, bytes: u64) -> Result<String, String> {
    let (unit, scale) = match bytes {
        0..1_000 => return measure(words, bytes.to_string(), "B"),
        1_000..1_000_000 => ("kB", 1_000),
        _ => ("MB", 1_000_000),
    };
    let tenths = (bytes * 10).div_ceil(scale);
    let comma = words.text("decimal-comma", &FluentArgs::new())?;
    let number = if tenths >= 100 || tenths.is_multiple_of(10) {
        tenths.div_ceil(10).to_string()
    } else {
        format!("{}{comma}{}", tenths / 10, tenths % 10)
    };
    measure(words, number, unit)
}

fn measure(words: &Words, number: String, unit: &str) -> Result<String, String> {
    let mut args = FluentArgs::new();
    args.set("number", number);
    args.set("unit", unit);
    words.text("size", &args)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fault::Faults, template::Language};

    fn words(language: Language) -> Words {
        let source = match language {
            Language::Nl => include_str!("../../templates/words/nl.ftl"),
            Language::En => include_str!("../../templates/words/en.ftl"),
            Language::De => include_str!("../../templates/words/de.ftl"),
            Language::Fr => include_str!("../../templates/words/fr.ftl"),
        };
        Words::compile(language, source, None, "", &Faults::default())
    }

    fn at(text: &str) -> Time {
        Time::from_millis(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
    }

    #[test]
    fn a_moment_is_told_in_the_time_of_the_reader() {
        let nl = words(Language::Nl);
        // Just before midnight in UTC it is already the next day in Amsterdam, summer and winter.
        assert_eq!(day(&nl, at("2026-02-02T23:06:00Z")).unwrap(), "3 februari 2026");
        assert_eq!(clock(at("2026-02-02T14:06:00Z")), "15:06");
        assert_eq!(clock(at("2026-07-02T14:06:00Z")), "16:06");
        assert_eq!(iso(at("2026-07-02T14:06:00Z")), "2026-07-02T16:06:00+02:00");
        assert_eq!(date(&words(Language::En), "2026-12-31").unwrap(), "31 December 2026");
        assert_eq!(date(&words(Language::De), "2026-03-01").unwrap(), "1. März 2026");
        assert_eq!(date(&words(Language::Fr), "2026-08-01").unwrap(), "1er août 2026");
        assert_eq!(date(&words(Language::Fr), "2026-02-21").unwrap(), "21 février 2026");
        assert!(date(&nl, "morgen").is_err());
    }

    #[test]
    fn how_long_ago_is_told_in_one_unit() {
        let check = |language, then: &str, expected: &str| {
            assert_eq!(ago(&words(language), at(then), at("2026-02-02T15:00:00Z")).unwrap(), expected);
        };
        check(Language::Nl, "2026-02-02T14:59:30Z", "zojuist");
        check(Language::Nl, "2026-02-02T15:09:30Z", "zojuist"); // a clock that runs ahead
        check(Language::Nl, "2026-02-02T14:59:00Z", "één minuut geleden");
        check(Language::Nl, "2026-02-02T13:30:00Z", "één uur geleden");
        check(Language::En, "2026-02-02T01:00:00Z", "14 hours ago");
        check(Language::De, "2026-02-02T13:30:00Z", "vor einer Stunde");
        check(Language::De, "2026-01-30T01:00:00Z", "vor 3 Tagen");
        check(Language::Fr, "2026-02-02T14:59:30Z", "à l’instant");
        check(Language::Fr, "2026-02-02T14:58:00Z", "il y a 2 minutes");
        check(Language::Nl, "2026-01-30T01:00:00Z", "3 dagen geleden");
    }

    #[test]
    fn sizes_are_rounded_up() {
        let check = |bytes, expected: &str| assert_eq!(size(&words(Language::Nl), bytes).unwrap(), expected);
        check(0, "0 B");
        check(999, "999 B");
        check(1_000, "1 kB");
        check(1_201, "1,3 kB");
        check(123_456, "124 kB");
        check(5_200_000, "5,2 MB");
        check(u64::from(u32::MAX), "4295 MB");
        assert_eq!(size(&words(Language::Fr), 5_200_000).unwrap(), "5,2 Mo");
        assert_eq!(size(&words(Language::En), 5_200_000).unwrap(), "5.2 MB");
    }
}
