//! The TXT record by which a domain says that it takes care mail as NTA 7516 wants, and on which hosts.
//!
//! Two forms are in use: `v=NTA7516-1;startdate=2026-01;enddate=2027-12;provider=x;ntamx=10 host;ntamx=20 host` and the older
//! `v=NTA7516;version:2026-01;expire:2027-12;provider:x;ntamx:host`. The record says where, never how well: transport is verified all the same.

use super::Mx;
use crate::{address::Domain, time::Day};

/// Nobody has more hosts.
const MOST_HOSTS: usize = 16;

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The first and the last month in which it is valid, as year and month.
    months: (Month, Month),
    form: Form,
    /// Where such mail goes, lowest preference first; empty: to the domain's mail servers.
    pub hosts: Vec<Mx>,
}

/// Year and month.
type Month = (i16, i8);

/// The older form counts only where the newer is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Older,
    Newer,
}

/// What the texts of a domain say today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// Nothing that is valid.
    Nothing,
    /// This.
    One(Record),
    /// More than one record is valid: nobody can say which is meant.
    Several,
}

impl Record {
    /// Reads a text whose pieces are joined already; `None` for one that is something else, or faulty.
    #[must_use]
    pub fn parse(text: &str) -> Option<Record> {
        let mut fields = text.split(';').map(str::trim);
        let (form, separator, words) = match fields.next()?.strip_prefix("v=")?.trim() {
            "NTA7516-1" => (Form::Newer, '=', ("startdate", "enddate")),
            "NTA7516" => (Form::Older, ':', ("version", "expire")),
            _ => return None,
        };
        let (mut first, mut last, mut hosts) = (None, None, Vec::new());
        for field in fields.filter(|f| !f.is_empty()) {
            let (word, value) = field.split_once(separator)?;
            let (word, value) = (word.trim().to_ascii_lowercase(), value.trim());
            if word == words.0 {
                once(&mut first, month(value)?)?;
            } else if word == words.1 {
                once(&mut last, month(value)?)?;
            } else if word == "ntamx" {
                hosts.push(host(value)?);
            }
            // `provider`, and words of later versions, change nothing for us.
        }
        hosts.sort();
        let months = (first?, last?);
        (months.0 <= months.1 && hosts.len() <= MOST_HOSTS).then_some(Record { months, form, hosts })
    }

    /// Whether it is valid: from the first day of its first month to the last day of its last.
    #[must_use]
    pub fn is_valid_on(&self, day: Day) -> bool {
        let month = (day.0.year(), day.0.month());
        self.months.0 <= month && month <= self.months.1
    }
}

/// What `texts`, those of one domain, say on `today`.
#[must_use]
pub fn published(texts: &[String], today: Day) -> Published {
    let valid: Vec<Record> = texts.iter().filter_map(|text| Record::parse(text)).filter(|r| r.is_valid_on(today)).collect();
    let newer: Vec<&Record> = valid.iter().filter(|r| r.form == Form::Newer).collect();
    let counting = if newer.is_empty() { valid.iter().collect() } else { newer };
    match counting.as_slice() {
        [] => Published::Nothing,
        [one] => Published::One((*one).clone()),
        _ => Published::Several,
    }
}

fn once<T>(place: &mut Option<T>, value: T) -> Option<()> {
    place.replace(value).is_none().then_some(())
}

/// `2026-01`.
fn month(text: &str) -> Option<Month> {
    let (year, month) = text.split_once('-')?;
    let digits = |part: &str, count| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(year, 4) || !digits(month, 2) {
        return None;
    }
    let month = month.parse().ok().filter(|m| (1..=12).contains(m))?;
    Some((year.parse().ok()?, month))
}

/// `10 host`, or `host` alone as the older form has it.
fn host(text: &str) -> Option<Mx> {
    let (preference, name) = match text.split_once(char::is_whitespace) {
        Some((preference, name)) => (preference.parse().ok()?, name.trim()),
        None => (0, text),
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    let host = Domain::parse(name).ok().filter(|d| d.as_str().contains('.') && !d.as_str().starts_with('['))?;
    Some(Mx { preference, host: host.as_str().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NEW: &str = "v=NTA7516-1;startdate=2026-03;enddate=2026-11;provider=zegel;ntamx=20 b.zorg.example;ntamx=10 a.zorg.example.";

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    /// The hosts of `text`, or `None` where it is no record.
    fn check(text: &str, expected: Option<&[&str]>) {
        let hosts = Record::parse(text).map(|r| r.hosts.iter().map(|h| h.host.clone()).collect::<Vec<_>>());
        assert_eq!(hosts.as_deref().map(|h| h.iter().map(String::as_str).collect::<Vec<_>>()), expected.map(<[&str]>::to_vec), "{text}");
    }

    #[test]
    fn both_forms_are_read_and_the_lowest_number_comes_first() {
        check(NEW, Some(&["a.zorg.example", "b.zorg.example"]));
        check("v=NTA7516;version:2026-03;expire:2026-11;provider:x;ntamx:mx.zorg.example", Some(&["mx.zorg.example"]));
        check("v=NTA7516-1; StartDate=2026-03 ; enddate=2026-03; later=yes;", Some(&[]));
        check("v=spf1 -all", None);
        check("v=NTA7516-2;startdate=2026-03;enddate=2026-11", None);
        check("v=NTA7516-1;startdate=2026-03", None);
        check("v=NTA7516-1;startdate=2026-3;enddate=2026-11", None);
        check("v=NTA7516-1;startdate=2026-03;enddate=2026-13", None);
        check("v=NTA7516-1;startdate=2026-11;enddate=2026-03", None);
        check("v=NTA7516-1;startdate=2026-03;startdate=2026-04;enddate=2026-11", None);
        check("v=NTA7516-1;startdate:2026-03;enddate:2026-11", None);
        check("v=NTA7516-1;startdate=2026-03;enddate=2026-11;ntamx=10", None);
        check("v=NTA7516-1;startdate=2026-03;enddate=2026-11;ntamx=a mx.zorg.example", None);
        check("v=NTA7516-1;startdate=2026-03;enddate=2026-11;ntamx=10 [127.0.0.1]", None);
    }

    #[test]
    fn a_record_is_valid_from_the_first_day_to_the_last() {
        let record = Record::parse(NEW).unwrap();
        for (when, valid) in [("2026-02-28", false), ("2026-03-01", true), ("2026-11-30", true), ("2026-12-01", false)] {
            assert_eq!(record.is_valid_on(day(when)), valid, "{when}");
        }
    }

    #[test]
    fn the_newer_form_counts_and_two_of_it_mean_nothing() {
        let texts = |all: &[&str]| all.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let old = "v=NTA7516;version:2026-01;expire:2026-12;ntamx:old.zorg.example";
        let today = day("2026-05-05");
        assert_eq!(published(&texts(&["v=spf1 -all"]), today), Published::Nothing);
        assert_eq!(published(&texts(&[old, NEW]), today), Published::One(Record::parse(NEW).unwrap()));
        assert_eq!(published(&texts(&[old, NEW]), day("2026-12-05")), Published::One(Record::parse(old).unwrap()));
        assert_eq!(published(&texts(&[NEW, NEW]), today), Published::Several);
    }

    proptest! {
        #[test]
        fn whatever_stands_there_never_panics(text in "(v=NTA7516(-1)?)?[ -~é]{0,80}") {
            let _ = Record::parse(&text);
        }

        #[test]
        fn what_is_written_is_read(
            first in (2020i16..2040, 1i8..=12), months in 0i8..12, hosts in prop::collection::vec((0u16..100, "[a-z]{1,8}"), 0..5), spaces in " {0,2}",
        ) {
            let last = if first.1 + months > 12 { (first.0 + 1, first.1 + months - 12) } else { (first.0, first.1 + months) };
            let mut text = format!("v=NTA7516-1;{spaces}startdate={:04}-{:02};enddate={:04}-{:02};provider=p", first.0, first.1, last.0, last.1);
            for (preference, host) in &hosts {
                text += &format!(";{spaces}ntamx={preference} {spaces}{host}.example");
            }
            let record = Record::parse(&text).expect("it is one");
            let mut expected: Vec<_> = hosts.iter().map(|(p, h)| Mx { preference: *p, host: format!("{h}.example") }).collect();
            expected.sort();
            prop_assert_eq!(&record.hosts, &expected);
            prop_assert!(record.is_valid_on(Day(jiff::civil::date(first.0, first.1, 1))));
            prop_assert!(record.is_valid_on(Day(jiff::civil::date(last.0, last.1, 1).last_of_month())));
            prop_assert!(!record.is_valid_on(Day(jiff::civil::date(first.0, first.1, 1).yesterday().unwrap())));
            prop_assert!(!record.is_valid_on(Day(jiff::civil::date(last.0, last.1, 1).last_of_month().tomorrow().unwrap())));
        }
    }
}
