//! Check digits: sums that several types share. Each takes digits or letters in ASCII, without separators; what is no digit fails.

/// The sum of digits times weights; `None` when there is something else than a digit, or another number of them.
pub(super) fn weighted(digits: &[u8], weights: &[i32]) -> Option<i32> {
    if digits.len() != weights.len() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().zip(weights).map(|(d, weight)| i32::from(d - b'0') * weight).sum())
}

/// A number in digits; `None` for anything else, and for more than 18 of them.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 18 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |n, d| n * 10 + u64::from(d - b'0')))
}

/// What nine digits leave in the 11-proef of the BSN, 0 to 10: 0 for BSN and RSIN, 5 for the onderwijsnummer. All zeros was never issued.
pub(super) fn eleven(digits: &[u8]) -> Option<i32> {
    let sum = weighted(digits, &[9, 8, 7, 6, 5, 4, 3, 2, -1])?;
    digits.iter().any(|d| *d != b'0').then_some(sum.rem_euclid(11))
}

/// The 11-proef of bank account numbers as they were before IBAN: nine or ten digits, weights 10 to 1.
pub(super) fn account(digits: &[u8]) -> bool {
    const WEIGHTS: [i32; 10] = [10, 9, 8, 7, 6, 5, 4, 3, 2, 1];
    let Some(weights) = WEIGHTS.len().checked_sub(digits.len()).and_then(|from| WEIGHTS.get(from..)) else { return false };
    weighted(digits, weights).is_some_and(|sum| sum > 0 && sum % 11 == 0)
}

/// Luhn (ISO/IEC 7812-1, annex B): finds every wrong digit, one number in ten passes.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let doubled = |d: u32| if d > 4 { d * 2 - 9 } else { d * 2 };
    let digit = |(n, b): (usize, &u8)| b.is_ascii_digit().then(|| u32::from(b - b'0')).map(|d| if n % 2 == 1 { doubled(d) } else { d });
    digits.iter().rev().enumerate().map(digit).sum::<Option<u32>>().is_some_and(|sum| sum % 10 == 0) && !digits.is_empty()
}

/// ISO 7064, mod 97-10: letters count as 10 to 35. One number in 97 passes.
pub(super) fn mod_97_10(code: &[u8]) -> bool {
    let rest = code.iter().try_fold(0u32, |rest, b| match b {
        b'0'..=b'9' => Some((rest * 10 + u32::from(b - b'0')) % 97),
        b'A'..=b'Z' => Some((rest * 100 + u32::from(b - b'A') + 10) % 97),
        _ => None,
    });
    rest == Some(1)
}

/// ISO 7064, mod 11,10: finds every wrong digit, one number in ten passes.
pub(super) fn mod_11_10(digits: &[u8]) -> bool {
    let step = |check: u32, b: &u8| {
        let sum = if check == 0 { 10 } else { check };
        b.is_ascii_digit().then(|| (sum * 2 % 11 + u32::from(b - b'0')) % 10)
    };
    digits.iter().try_fold(5, step) == Some(1)
}

/// The 7-3-1 sum of ICAO 9303-3, section 4.9: letters count as 10 to 35.
pub(super) fn icao(code: &[u8], check: u8) -> bool {
    let value = |b: &u8| match b {
        b'0'..=b'9' => Some(u32::from(b - b'0')),
        b'A'..=b'Z' => Some(u32::from(b - b'A') + 10),
        _ => None,
    };
    let sum = code.iter().zip([7, 3, 1].into_iter().cycle()).map(|(b, weight)| value(b).map(|v| v * weight)).sum::<Option<u32>>();
    check.is_ascii_digit() && sum.is_some_and(|sum| sum % 10 == u32::from(check - b'0'))
}

/// Whether the calendar has this day.
pub(super) fn is_day(year: u64, month: u64, day: u64) -> bool {
    let last = match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return false,
    };
    (1..=last).contains(&day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_examples_pass_and_their_neighbours_do_not() {
        // Wikipedia (nl), Elfproef.
        assert!(account(b"123456789") && account(b"0417164300") && !account(b"123456788") && !account(b"0000000000"));
        assert_eq!(eleven(b"111222333"), Some(0));
        assert_eq!(eleven(b"000000000"), None);
        // Test numbers of payment firms.
        assert!(luhn(b"4111111111111111") && luhn(b"378282246310005") && !luhn(b"4111111111111112") && !luhn(b"") && !luhn(b"41x1"));
        // ISO 7064, and python-stdnum's documentation.
        assert!(mod_97_10(b"9999123456789012141490") && mod_97_10(b"NL123456789B13") && !mod_97_10(b"NL123456789B12"));
        assert!(mod_11_10(b"36574261809") && mod_11_10(b"002006673085") && !mod_11_10(b"36574261890"));
        // ICAO 9303-3, appendix A.
        assert!(icao(b"520727", b'3') && icao(b"AB2134", b'5') && !icao(b"AB2134", b'6'));
        assert!(is_day(2000, 2, 29) && !is_day(1900, 2, 29) && !is_day(2026, 4, 31) && !is_day(2026, 0, 1) && !is_day(2026, 1, 0));
    }

    #[test]
    fn one_wrong_digit_is_found() {
        fn changed(number: &[u8], check: impl Fn(&[u8]) -> bool) {
            assert!(check(number));
            for at in 0..number.len() {
                for digit in b'0'..=b'9' {
                    let mut wrong = number.to_vec();
                    wrong[at] = digit;
                    assert!(digit == number[at] || !check(&wrong), "{}", String::from_utf8_lossy(&wrong));
                }
            }
        }
        changed(b"4111111111111111", luhn);
        changed(b"9999123456789012141490", mod_97_10);
        changed(b"36574261809", mod_11_10);
        changed(b"111222333", |n| eleven(n) == Some(0));
        changed(b"0417164300", account);
    }
}
