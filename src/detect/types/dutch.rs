//! Forms of Dutch numbers. Those of which no authority publishes a check are forms only: they count beside their label.

use super::{
    checks::{account, eleven, icao, luhn, mod_97_10},
    code::Code,
};

/// RSIN: the 11-proef of the BSN, for legal persons.
pub(super) fn rsin(code: &Code<'_>) -> bool {
    eleven(code.compact) == Some(0)
}

/// Onderwijsnummer: begins with 10, and leaves 5 in the 11-proef, so it is never a BSN too (python-stdnum, stdnum.nl.onderwijsnummer).
pub(super) fn onderwijsnummer(code: &Code<'_>) -> bool {
    code.compact.starts_with(b"10") && eleven(code.compact) == Some(5)
}

/// `NLdddddddddBdd`, the nine digits; never a sub-number 00.
fn vat(code: &Code<'_>) -> Option<[u8; 9]> {
    let [b'N', b'L', digits @ .., b'B', sub1, sub2] = code.compact else { return None };
    let fits = digits.iter().chain([sub1, sub2]).all(u8::is_ascii_digit) && (*sub1, *sub2) != (b'0', b'0');
    digits.try_into().ok().filter(|_| fits)
}

/// VAT number of a legal person, or, since 2020, of anybody: mod 97-10 over the whole (python-stdnum, stdnum.nl.btw).
pub(super) fn nl_vat(code: &Code<'_>) -> bool {
    vat(code).is_some() && mod_97_10(code.compact)
}

/// VAT number of before 2020: the nine digits pass the 11-proef, so for a sole trader they are his BSN.
pub(super) fn nl_vat_bsn(code: &Code<'_>) -> bool {
    vat(code).is_some_and(|digits| eleven(&digits) == Some(0)) && !mod_97_10(code.compact)
}

/// Nine or ten digits with the 11-proef of banks; numbers of the Postbank, three to seven digits, had no check.
pub(super) fn bank_account_old(code: &Code<'_>) -> bool {
    code.is_digits() && if code.compact.len() >= 9 { account(code.compact) } else { code.compact.len() <= 7 }
}

/// Brand by prefix, the lengths of that brand, and Luhn. Prefixes: ISO/IEC 7812 as the brands publish them.
pub(super) fn credit_card(code: &Code<'_>) -> bool {
    let digits = code.compact;
    if !code.is_digits() {
        return false;
    }
    let prefix = |n: usize| digits[..n].iter().fold(0u32, |p, d| p * 10 + u32::from(d - b'0'));
    let (two, three, four) = (prefix(2), prefix(3), prefix(4));
    let length = digits.len();
    let brand = match two {
        40..=49 => matches!(length, 13 | 16 | 19),
        51..=55 => length == 16,
        22..=27 => length == 16 && (2221..=2720).contains(&four),
        34 | 37 => length == 15,
        30 => length == 14 && (three <= 305 || three == 309),
        36 | 38 | 39 => (14..=19).contains(&length),
        65 => (16..=19).contains(&length),
        60 => four == 6011 && (16..=19).contains(&length),
        35 => (16..=19).contains(&length) && (3528..=3589).contains(&four),
        62 => (16..=19).contains(&length),
        _ => false,
    };
    brand && luhn(digits)
}

/// Two letters, six letters or digits, one digit, in capitals, without the letter O (RvIG, since 2019 no zeros either).
pub(super) fn nl_passport(code: &Code<'_>) -> bool {
    let [first, second, middle @ .., last] = code.compact else { return false };
    let letter = |b: &u8| b.is_ascii_uppercase() && *b != b'O';
    code.upper
        && code.groups == 1
        && letter(first)
        && letter(second)
        && last.is_ascii_digit()
        && middle.iter().all(|b| letter(b) || b.is_ascii_digit())
}

/// Whether the ninth digit is the ICAO sum of the eight before it. *Unverified* for Dutch documents: it raises and never refuses.
pub(super) fn passport_digit(compact: &[u8]) -> bool {
    matches!(compact, [number @ .., check] if number.len() == 8 && icao(number, *check))
}

/// Digits only, however many the row of the table says.
pub(super) fn digits(code: &Code<'_>) -> bool {
    code.is_digits()
}

/// Digits in one group: `AGB 01704854`, `UZOVI 3311`.
pub(super) fn one_group(code: &Code<'_>) -> bool {
    code.is_digits() && code.groups == 1
}

/// Kinds of driving licence begin with 3 to 6 (*unverified*: form only).
pub(super) fn nl_driving_licence(code: &Code<'_>) -> bool {
    code.is_digits() && matches!(code.compact[0], b'3'..=b'6')
}

/// The first digit is no zero. Of the sums told for the A-number none could be confirmed: form only.
pub(super) fn a_number(code: &Code<'_>) -> bool {
    code.is_digits() && code.compact[0] != b'0'
}

/// Three groups joined by dashes: the side codes 1 to 14 of the RDW. Codes from 7 on have no vowels, and no C or Q.
pub(super) fn licence_plate(code: &Code<'_>) -> bool {
    let kind = |b: &u8| if b.is_ascii_digit() { b'9' } else { b'X' };
    let mut form = [0u8; 6];
    for (to, b) in form.iter_mut().zip(code.compact) {
        *to = kind(b);
    }
    let dashes = |first: usize, second: usize| {
        code.groups == 3 && code.written.len() == 8 && code.written[first] == b'-' && code.written[second + 1] == b'-'
    };
    let (old, fits) = match &form {
        b"XX9999" | b"9999XX" | b"99XX99" | b"XX99XX" | b"XXXX99" | b"99XXXX" => (true, dashes(2, 4)),
        b"99XXX9" | b"XXX99X" | b"XX999X" | b"999XX9" => (false, dashes(2, 5) || dashes(3, 5)),
        b"9XXX99" | b"X999XX" | b"X99XXX" | b"9XX999" => (false, dashes(1, 4) || dashes(1, 3)),
        _ => return false,
    };
    code.upper && fits && (old || !code.compact.iter().any(|b| matches!(b, b'A' | b'E' | b'I' | b'O' | b'U' | b'Y' | b'C' | b'Q')))
}

/// `[1-9]ddd LL`, in capitals, not SA, SD or SS (PostNL).
pub(super) fn postcode(code: &Code<'_>) -> bool {
    let [first, b, c, d, one, two] = code.compact else { return false };
    let joined = code.written.len() == 6 || code.written.get(4) == Some(&b' ') && code.written.len() == 7;
    code.upper
        && joined
        && (b'1'..=b'9').contains(first)
        && [b, c, d].iter().all(|d| d.is_ascii_digit())
        && one.is_ascii_uppercase()
        && two.is_ascii_uppercase()
        && !(*one == b'S' && matches!(two, b'A' | b'D' | b'S'))
}

/// A Dutch mobile number: `06 12345678`, `0031 6 12345678`; `+31` stands before its digits.
pub(super) fn phone_mobile(code: &Code<'_>) -> bool {
    let rest = match code.compact {
        [b'0', b'6', rest @ ..] | [b'0', b'0', b'3', b'1', b'6', rest @ ..] => rest,
        [b'3', b'1', b'6', rest @ ..] if code.plus => rest,
        [b'3', b'1', b'0', b'6', rest @ ..] if code.plus => rest,
        _ => return false,
    };
    rest.len() == 8 && rest.iter().all(u8::is_ascii_digit)
}

/// KvK number, and the twelve digits of a branch.
pub(super) fn kvk(code: &Code<'_>) -> bool {
    code.is_digits() && matches!(code.compact.len(), 8 | 12)
}
