//! Checks of numbers that a pattern may ask for: `check = "luhn"`.

use super::number::eleven;

/// What a number that a pattern found must pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// The 11-proef of the BSN: nine digits, or eight that lost a zero.
    Elfproef,
    /// ISO/IEC 7812-1, annex B: cards, and many numbers of customers.
    Luhn,
    /// ISO 7064, MOD 97-10; with two letters and two digits in front as an IBAN (ISO 13616) has it.
    Mod97,
}

/// Every check, by its word.
pub(super) const CHECKS: [(&str, Check); 3] = [("elfproef", Check::Elfproef), ("luhn", Check::Luhn), ("mod97", Check::Mod97)];

impl Check {
    pub(super) fn word(self) -> &'static str {
        CHECKS.iter().find(|(_, check)| *check == self).map_or("", |(word, _)| word)
    }

    /// Whether a number passes, however it is written: what is no digit (or letter, for mod 97) says nothing.
    pub(super) fn passes(self, written: &str) -> bool {
        match self {
            Check::Elfproef => elfproef(&digits(written)),
            Check::Luhn => luhn(&digits(written)),
            Check::Mod97 => mod97(written),
        }
    }
}

fn digits(written: &str) -> Vec<u8> {
    written.bytes().filter(u8::is_ascii_digit).map(|b| b - b'0').collect()
}

fn elfproef(digits: &[u8]) -> bool {
    let mut nine = [0; 9];
    match digits.len() {
        8 => nine[1..].copy_from_slice(digits),
        9 => nine.copy_from_slice(digits),
        _ => return false,
    }
    eleven(&nine)
}

fn luhn(digits: &[u8]) -> bool {
    let doubled = |d: u8| if d > 4 { u32::from(d) * 2 - 9 } else { u32::from(d) * 2 };
    let sum: u32 = digits.iter().rev().enumerate().map(|(n, d)| if n % 2 == 1 { doubled(*d) } else { u32::from(*d) }).sum();
    digits.len() > 1 && sum.is_multiple_of(10) && digits.iter().any(|d| *d != 0)
}

fn mod97(written: &str) -> bool {
    let mut signs: Vec<u8> = written.bytes().filter(u8::is_ascii_alphanumeric).map(|b| b.to_ascii_uppercase()).collect();
    if matches!(signs[..], [a, b, c, d, _, ..] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() && c.is_ascii_digit() && d.is_ascii_digit())
    {
        signs.rotate_left(4);
    }
    let value = signs.iter().fold(0u32, |value, sign| match sign {
        b'0'..=b'9' => (value * 10 + u32::from(sign - b'0')) % 97,
        _ => (value * 100 + u32::from(sign - b'A') + 10) % 97,
    });
    signs.len() > 2 && value == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(check: Check, passes: &[&str], fails: &[&str]) {
        assert!(passes.iter().all(|n| check.passes(n)), "{passes:?}");
        assert!(!fails.iter().any(|n| check.passes(n)), "{fails:?}");
    }

    #[test]
    fn checks_are_those_of_their_standards() {
        check(Check::Elfproef, &["111222333", "1112.22.333", "10000008"], &["111222334", "000000000", "1112223330", ""]);
        check(Check::Luhn, &["4111 1111 1111 1111", "79927398713", "18"], &["79927398710", "0000", "0", ""]);
        check(Check::Mod97, &["NL91 ABNA 0417 1643 00", "nl91abna0417164300", "486"], &["NL92ABNA0417164300", "487", "1", ""]);
    }
}
