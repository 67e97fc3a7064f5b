//! The texts of MTA-STS (RFC 8461): the record that names a policy, and the policy. Pure, and strict: what is not as written there means nothing.

use std::time::Duration;

/// A policy of more lines than this is none.
const MOST_LINES: usize = 1000;

/// RFC 8461, 3.2: a year.
const LONGEST_AGE: u64 = 31_557_600;

/// What the TXT records at `_mta-sts.` say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announced {
    /// No policy.
    Nothing,
    /// A policy, whose text changes when this does.
    Id(String),
    /// Several, or one that can't be read: there is a policy, and nobody can say which.
    Unclear,
}

/// What a policy asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing may be sent elsewhere, or without a certificate that counts.
    Enforce,
    /// Failures are reported only.
    Testing,
    /// No policy any more.
    None,
}

/// A policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What it asks for.
    pub mode: Mode,
    /// How long it may be kept.
    pub max_age: Duration,
    /// Patterns of mail servers, lowercase.
    patterns: Vec<String>,
}

/// Why a text is no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It does not begin with `version: STSv1`.
    #[error("no version STSv1")]
    Version,
    /// `mode` is missing, doubled or unknown.
    #[error("no mode")]
    Mode,
    /// `max_age` is missing, doubled or no number of seconds within a year.
    #[error("no max_age")]
    MaxAge,
    /// No `mx`, or one that is no pattern.
    #[error("no usable mx")]
    Mx,
    /// A line without a colon, or too many of them.
    #[error("a line that is none")]
    Line,
}

/// What `texts`, those at `_mta-sts.` of a domain, say (RFC 8461, 3.1).
#[must_use]
pub fn announced(texts: &[String]) -> Announced {
    let mut records = texts.iter().filter(|t| t.split(';').next().is_some_and(|v| v.trim() == "v=STSv1"));
    match (records.next(), records.next()) {
        (None, _) => Announced::Nothing,
        (Some(one), None) => id(one).map_or(Announced::Unclear, Announced::Id),
        (Some(_), Some(_)) => Announced::Unclear,
    }
}

fn id(record: &str) -> Option<String> {
    let mut ids = record.split(';').skip(1).filter_map(|field| field.trim().strip_prefix("id="));
    let id = ids.next()?.trim();
    let fine = (1..=32).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric());
    (fine && ids.next().is_none()).then(|| id.to_owned())
}

impl Policy {
    /// Reads a policy (RFC 8461, 3.2).
    ///
    /// # Errors
    /// Says what is missing or wrong.
    pub fn parse(text: &str) -> Result<Policy, Fault> {
        let (mut version, mut mode, mut max_age, mut patterns) = (None, None, None, Vec::new());
        for (count, line) in text.lines().enumerate() {
            if count >= MOST_LINES {
                return Err(Fault::Line);
            }
            if line.trim().is_empty() {
                continue;
            }
            let (word, value) = line.split_once(':').ok_or(Fault::Line)?;
            match (word.trim(), value.trim()) {
                ("version", value) => once(&mut version, value, Fault::Version)?,
                ("mode", value) => once(&mut mode, value, Fault::Mode)?,
                ("max_age", value) => once(&mut max_age, value, Fault::MaxAge)?,
                ("mx", value) => patterns.push(pattern(value).ok_or(Fault::Mx)?),
                // Words of later versions.
                _ => {}
            }
        }
        if version != Some("STSv1") {
            return Err(Fault::Version);
        }
        let mode = match mode {
            Some("enforce") => Mode::Enforce,
            Some("testing") => Mode::Testing,
            Some("none") => Mode::None,
            _ => return Err(Fault::Mode),
        };
        let digits = max_age.filter(|age| !age.is_empty() && age.bytes().all(|b| b.is_ascii_digit()));
        let age = digits.and_then(|age| age.parse().ok()).filter(|age| *age <= LONGEST_AGE).ok_or(Fault::MaxAge)?;
        if patterns.is_empty() && mode != Mode::None {
            return Err(Fault::Mx);
        }
        Ok(Policy { mode, max_age: Duration::from_secs(age), patterns })
    }

    /// Whether `host` is one of the mail servers that it names: the very name, or with `*.` one label before the rest.
    #[must_use]
    pub fn names(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.patterns.iter().any(|pattern| match pattern.strip_prefix("*.") {
            Some(parent) => host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
            None => host == *pattern,
        })
    }
}

fn once<'a>(place: &mut Option<&'a str>, value: &'a str, fault: Fault) -> Result<(), Fault> {
    if place.replace(value).is_none() { Ok(()) } else { Err(fault) }
}

fn pattern(text: &str) -> Option<String> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    let label = |l: &str| !l.is_empty() && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    (name.len() <= 253 && name.contains('.') && name.split('.').all(label)).then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(all: &[&str]) -> Vec<String> {
        all.iter().map(|t| (*t).to_owned()).collect()
    }

    #[test]
    fn one_record_announces_a_policy() {
        let id = |id: &str| Announced::Id(id.to_owned());
        assert_eq!(announced(&texts(&["v=spf1 -all", "v=STSv1; id=20160831085700Z;"])), id("20160831085700Z"));
        assert_eq!(announced(&texts(&["v=STSv1;id=a"])), id("a"));
        assert_eq!(announced(&texts(&["v=spf1 -all"])), Announced::Nothing);
        assert_eq!(announced(&texts(&["v=STSv2; id=a"])), Announced::Nothing);
        assert_eq!(announced(&texts(&["v=STSv1; id=a", "v=STSv1; id=b"])), Announced::Unclear);
        assert_eq!(announced(&texts(&["v=STSv1;"])), Announced::Unclear);
        assert_eq!(announced(&texts(&["v=STSv1; id=a-b"])), Announced::Unclear);
        assert_eq!(announced(&texts(&[&format!("v=STSv1; id={}", "a".repeat(33))])), Announced::Unclear);
    }

    fn check(text: &str, expected: Result<Mode, Fault>) {
        assert_eq!(Policy::parse(text).map(|p| p.mode), expected, "{text:?}");
    }

    #[test]
    fn a_policy_is_read_as_rfc_8461_writes_it() {
        let rfc = "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmx: backupmx.example.com\r\nmax_age: 604800\r\n";
        check(rfc, Ok(Mode::Enforce));
        check("version: STSv1\nmode: testing\nmx:mx.example.com\nmax_age:0\nlater: yes", Ok(Mode::Testing));
        check("version: STSv1\nmode: none\nmax_age: 1", Ok(Mode::None));
        check("", Err(Fault::Version));
        check("<html>", Err(Fault::Line));
        check("mode: enforce\nmx: mx.example.com\nmax_age: 1", Err(Fault::Version));
        check("version: STSv1\nversion: STSv1\nmode: none\nmax_age: 1", Err(Fault::Version));
        check("version: STSv1\nmode: Enforce\nmx: mx.example.com\nmax_age: 1", Err(Fault::Mode));
        check("version: STSv1\nmode: enforce\nmode: none\nmx: mx.example.com\nmax_age: 1", Err(Fault::Mode));
        check("version: STSv1\nmode: enforce\nmax_age: 1", Err(Fault::Mx));
        check("version: STSv1\nmode: enforce\nmx: *\nmax_age: 1", Err(Fault::Mx));
        check("version: STSv1\nmode: enforce\nmx: mx.*.example.com\nmax_age: 1", Err(Fault::Mx));
        check("version: STSv1\nmode: enforce\nmx: mx.example.com", Err(Fault::MaxAge));
        check("version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: +5", Err(Fault::MaxAge));
        check("version: STSv1\nmode: enforce\nmx: mx.example.com\nmax_age: 31557601", Err(Fault::MaxAge));
    }

    #[test]
    fn a_star_stands_for_one_label() {
        let policy = Policy::parse("version: STSv1\nmode: enforce\nmx: Mail.example.com\nmx: *.example.net\nmax_age: 1").unwrap();
        for (host, named) in [
            ("mail.example.com", true),
            ("MAIL.example.com", true),
            ("a.example.net", true),
            ("a.b.example.net", false),
            ("example.net", false),
            (".example.net", false),
            ("mail.example.com.evil.example", false),
            ("xmail.example.com", false),
        ] {
            assert_eq!(policy.names(host), named, "{host}");
        }
    }

    proptest! {
        #[test]
        fn whatever_comes_never_panics_and_never_enforces_by_chance(text in "((version|mode|mx|max_age|x)?: ?(STSv1|enforce|[ -~é]{0,12})?\r?\n){0,8}") {
            if let Ok(policy) = Policy::parse(&text) {
                prop_assert!(text.contains("STSv1") && text.contains("mode"));
                prop_assert!(policy.mode == Mode::None || text.contains("mx"));
            }
        }
    }
}
