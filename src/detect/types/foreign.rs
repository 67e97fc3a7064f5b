//! Personal numbers of other countries. Forms and sums as python-stdnum 2.2 documents them, which `.ci/oracle` compares them with.

use super::{
    checks::{is_day, luhn, mod_11_10, number, weighted},
    code::Code,
};

/// Belgium, rijksregisternummer and BIS number: 97 minus the first nine digits mod 97; a 2 in front for who was born in 2000 or later.
///
/// Months 20 or 40 higher are BIS numbers; month 0 and days that are no days of it are numbers of people whose birthday is unknown.
pub(super) fn be_rrn(code: &Code<'_>) -> bool {
    let Some(whole) = number(code.compact) else { return false };
    let (nine, check) = (whole / 100, whole % 100);
    let month = nine / 100_000 % 100;
    (97 - nine % 97 == check || 97 - (nine + 2_000_000_000) % 97 == check)
        && month % 20 <= 12
        && month <= 52
        && nine / 1000 % 100 <= 31
        && whole > 0
}

/// Germany, Steuerliche Identifikationsnummer: of the first ten digits exactly one stands there two or three times; ISO 7064 mod 11,10.
pub(super) fn de_idnr(code: &Code<'_>) -> bool {
    let mut counts = [0u8; 10];
    if !code.is_digits() || code.compact[0] == b'0' {
        return false;
    }
    for digit in &code.compact[..10] {
        counts[usize::from(digit - b'0')] += 1;
    }
    let mut repeated = counts.iter().filter(|n| **n > 1);
    matches!((repeated.next(), repeated.next()), (Some(2 | 3), None)) && mod_11_10(code.compact)
}

/// France, numéro d'inscription au répertoire: 97 minus the first thirteen mod 97; Corsica's 2A and 2B count as 19 and 18.
///
/// Sex 1 to 4, 7 or 8; months 1 to 12, and 20 or more for a birthday that is not known in full (INSEE).
pub(super) fn fr_nir(code: &Code<'_>) -> bool {
    let mut digits = [0u8; 15];
    digits.copy_from_slice(code.compact);
    match &code.compact[5..7] {
        b"2A" => digits[5..7].copy_from_slice(b"19"),
        b"2B" => digits[5..7].copy_from_slice(b"18"),
        _ => {}
    }
    let (Some(first), Some(check)) = (number(&digits[..13]), number(&digits[13..])) else { return false };
    let month = first / 100_000_000 % 100;
    97 - first % 97 == check && matches!(digits[0], b'1'..=b'4' | b'7' | b'8') && ((1..=12).contains(&month) || month >= 20)
}

/// Spain, NIF of people: DNI, NIE (X, Y, Z) and K, L, M: the letter is the number mod 23.
pub(super) fn es_nif(code: &Code<'_>) -> bool {
    const LETTERS: &[u8; 23] = b"TRWAGMYFPDXBNJZSQVHLCKE";
    let [first, middle @ .., letter] = code.compact else { return false };
    let (Some(lead), Some(seven)) = (
        match first {
            b'X' | b'K' | b'L' | b'M' => Some(0),
            b'Y' => Some(1),
            b'Z' => Some(2),
            digit => digit.is_ascii_digit().then(|| u64::from(digit - b'0')),
        },
        number(middle),
    ) else {
        return false;
    };
    LETTERS[((lead * 10_000_000 + seven) % 23) as usize] == *letter
}

/// Poland, PESEL: weights 1 3 7 9, and a birthday whose month tells the century.
pub(super) fn pl_pesel(code: &Code<'_>) -> bool {
    let Some(sum) = weighted(code.compact, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) else { return false };
    let (Some(year), Some(month), Some(day)) = (number(&code.compact[..2]), number(&code.compact[2..4]), number(&code.compact[4..6]))
    else {
        return false;
    };
    let century = [1900, 2000, 2100, 2200, 1800][(month / 20) as usize % 5];
    sum % 10 == 0 && is_day(century + year, month % 20, day)
}

/// Sweden, personnummer: a birthday and Luhn over the last ten; 60 more in the day is a samordningsnummer.
pub(super) fn se_pn(code: &Code<'_>) -> bool {
    let ten = &code.compact[code.compact.len() - 10..];
    let century = if code.compact.len() == 12 { &code.compact[..2] } else { b"20" };
    let (Some(year), Some(month), Some(day)) = (number(century).zip(number(&ten[..2])), number(&ten[2..4]), number(&ten[4..6])) else {
        return false;
    };
    let day = if day > 60 { day - 60 } else { day };
    let is_year = code.compact.len() == 10 || (18..=20).contains(&year.0);
    is_year && is_day(year.0 * 100 + year.1, month, day) && luhn(ten)
}

/// Italy, codice fiscale: letters of the name, birthday, place, and a letter that is a sum; digits may be letters where two people share one.
pub(super) fn it_cf(code: &Code<'_>) -> bool {
    const ODD: [u32; 26] = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let value = |b: u8| if b.is_ascii_digit() { u32::from(b - b'0') } else { u32::from(b - b'A') };
    let digit = |at: usize| match code.compact[at] {
        b @ b'0'..=b'9' => Some(u64::from(b - b'0')),
        b => b"LMNPQRSTUV".iter().position(|l| *l == b).map(|n| n as u64),
    };
    let letters = [0, 1, 2, 3, 4, 5, 11, 15].iter().all(|at| code.compact[*at].is_ascii_uppercase());
    let month = b"ABCDEHLMPRST".iter().position(|l| *l == code.compact[8]);
    let (Some(month), Some(year), Some(day), true) =
        (month, digit(6).zip(digit(7)), digit(9).zip(digit(10)), letters && (12..=14).all(|at| digit(at).is_some()))
    else {
        return false;
    };
    let sum: u32 = code.compact[..15].iter().enumerate().map(|(n, b)| if n % 2 == 0 { ODD[value(*b) as usize] } else { value(*b) }).sum();
    let (year, day) = (year.0 * 10 + year.1, (day.0 * 10 + day.1) % 40);
    // Of the two centuries that a year may be of, 2000 had the leap day.
    is_day(2000 + year, month as u64 + 1, day) && sum % 26 == u32::from(code.compact[15] - b'A')
}

/// Denmark, CPR: a birthday, and a digit that tells its century. Since 2007 numbers are issued that fail the old mod 11: it refuses nothing.
pub(super) fn dk_cpr(code: &Code<'_>) -> bool {
    let (Some(day), Some(month), Some(year)) = (number(&code.compact[..2]), number(&code.compact[2..4]), number(&code.compact[4..6]))
    else {
        return false;
    };
    let century = match code.compact[6] {
        b'5'..=b'8' if year >= 58 => 1800,
        b'0'..=b'3' => 1900,
        b'4' | b'9' if year >= 37 => 1900,
        _ => 2000,
    };
    code.is_digits() && is_day(century + year, month, day)
}

/// Finland, henkilötunnus: birthday, sign of the century, number from 002 on, and a character that is the number mod 31.
pub(super) fn fi_hetu(code: &Code<'_>) -> bool {
    const CHECK: &[u8; 31] = b"0123456789ABCDEFHJKLMNPRSTUVWXY";
    let mut written = [0u8; 11];
    if code.written.len() != 11 {
        return false;
    }
    for (to, b) in written.iter_mut().zip(code.written) {
        *to = b.to_ascii_uppercase();
    }
    let century = match written[6] {
        b'+' => 1800,
        b'-' | b'U'..=b'Y' => 1900,
        b'A'..=b'F' => 2000,
        _ => return false,
    };
    let (Some(birthday), Some(serial)) = (number(&written[..6]), number(&written[7..10])) else { return false };
    let (day, month, year) = (birthday / 10_000, birthday / 100 % 100, birthday % 100);
    (2..900).contains(&serial) && is_day(century + year, month, day) && CHECK[((birthday * 1000 + serial) % 31) as usize] == written[10]
}

/// A letter at its end speaks for a henkilötunnus.
pub(super) fn hetu_raises(code: &Code<'_>) -> bool {
    code.compact.last().is_some_and(u8::is_ascii_uppercase)
}

/// Portugal, NIF: weights 9 to 2 mod 11, where 10 counts as 0. People's begin with 1, 2, 3 or 45; companies' count as well, as stdnum has it.
pub(super) fn pt_nif(code: &Code<'_>) -> bool {
    let (Some(sum), Some(check)) = (weighted(&code.compact[..8], &[9, 8, 7, 6, 5, 4, 3, 2]), number(&code.compact[8..])) else {
        return false;
    };
    code.compact[0] != b'0' && ((11 - sum % 11) % 11 % 10) as u64 == check
}

/// United Kingdom, national insurance number: two letters, six digits, A to D. Letters and pairs that are never issued: HMRC, NIM39110. No check.
pub(super) fn uk_nino(code: &Code<'_>) -> bool {
    let [one, two, digits @ .., last] = code.compact else { return false };
    let never = |b: &u8| matches!(b, b'D' | b'F' | b'I' | b'Q' | b'U' | b'V');
    one.is_ascii_uppercase()
        && two.is_ascii_uppercase()
        && !never(one)
        && !never(two)
        && *two != b'O'
        && ![b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"].contains(&&[*one, *two])
        && digits.iter().all(u8::is_ascii_digit)
        && matches!(last, b'A'..=b'D')
}
