//! International bank account numbers (ISO 13616): the exact form of each country, and mod 97.

/// Form of the part behind the two check digits: how many `n` digits, `a` letters, `c` letters or digits. From the SWIFT IBAN registry.
const COUNTRIES: [(&[u8; 2], &str); 89] = [
    (b"AD", "8n12c"),
    (b"AE", "19n"),
    (b"AL", "8n16c"),
    (b"AT", "16n"),
    (b"AZ", "4a20c"),
    (b"BA", "16n"),
    (b"BE", "12n"),
    (b"BG", "4a6n8c"),
    (b"BH", "4a14c"),
    (b"BI", "23n"),
    (b"BR", "23n1a1c"),
    (b"BY", "4c4n16c"),
    (b"CH", "5n12c"),
    (b"CR", "18n"),
    (b"CY", "8n16c"),
    (b"CZ", "20n"),
    (b"DE", "18n"),
    (b"DJ", "23n"),
    (b"DK", "14n"),
    (b"DO", "4c20n"),
    (b"EE", "16n"),
    (b"EG", "25n"),
    (b"ES", "20n"),
    (b"FI", "14n"),
    (b"FK", "2a12n"),
    (b"FO", "14n"),
    (b"FR", "10n11c2n"),
    (b"GB", "4a14n"),
    (b"GE", "2a16n"),
    (b"GI", "4a15c"),
    (b"GL", "14n"),
    (b"GR", "7n16c"),
    (b"GT", "24c"),
    (b"HN", "4a20n"),
    (b"HR", "17n"),
    (b"HU", "24n"),
    (b"IE", "4a14n"),
    (b"IL", "19n"),
    (b"IQ", "4a15n"),
    (b"IS", "22n"),
    (b"IT", "1a10n12c"),
    (b"JO", "4a4n18c"),
    (b"KW", "4a22c"),
    (b"KZ", "3n13c"),
    (b"LB", "4n20c"),
    (b"LC", "4a24c"),
    (b"LI", "5n12c"),
    (b"LT", "16n"),
    (b"LU", "3n13c"),
    (b"LV", "4a13c"),
    (b"LY", "21n"),
    (b"MC", "10n11c2n"),
    (b"MD", "20c"),
    (b"ME", "18n"),
    (b"MK", "3n10c2n"),
    (b"MN", "16n"),
    (b"MR", "23n"),
    (b"MT", "4a5n18c"),
    (b"MU", "4a19n3a"),
    (b"NI", "4a20n"),
    (b"NL", "4a10n"),
    (b"NO", "11n"),
    (b"OM", "3n16c"),
    (b"PK", "4a16c"),
    (b"PL", "24n"),
    (b"PS", "4a21c"),
    (b"PT", "21n"),
    (b"QA", "4a21c"),
    (b"RO", "4a16c"),
    (b"RS", "18n"),
    (b"RU", "14n15c"),
    (b"SA", "2n18c"),
    (b"SC", "4a20n3a"),
    (b"SD", "14n"),
    (b"SE", "20n"),
    (b"SI", "15n"),
    (b"SK", "20n"),
    (b"SM", "1a10n12c"),
    (b"SO", "19n"),
    (b"ST", "21n"),
    (b"SV", "4a20n"),
    (b"TL", "19n"),
    (b"TN", "20n"),
    (b"TR", "6n16c"),
    (b"UA", "6n19c"),
    (b"VA", "18n"),
    (b"VG", "4a16n"),
    (b"XK", "16n"),
    (b"YE", "4a4n18c"),
];

/// The longest there is (Russia); room for one that grows.
const LONGEST: usize = 34;

/// The end of the IBAN that begins at `start`, where a word of letters begins or the country's two letters at its end.
///
/// In any case; spaces, dots or dashes one at a time, and at most one end of a line, may stand between any two characters.
pub(super) fn at(text: &[u8], start: usize) -> Option<usize> {
    let written = text.get(start..start + 2)?;
    let country = [written[0].to_ascii_uppercase(), written[1].to_ascii_uppercase()];
    let form = COUNTRIES[COUNTRIES.binary_search_by_key(&&country, |(c, _)| c).ok()?].1;
    let mut reader = Reader { text, at: start + 2, lines: 0 };
    // `no 12 345 ...` is a sentence; `NO 12 345 ...` is not.
    if written.iter().any(u8::is_ascii_lowercase) && !text.get(start + 2).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let mut number = [0u8; LONGEST];
    let mut length = 4;
    number[..2].copy_from_slice(&country);
    for place in &mut number[2..4] {
        *place = reader.next(b'n')?;
    }
    let mut count = 0;
    for b in form.bytes() {
        if b.is_ascii_digit() {
            count = count * 10 + usize::from(b - b'0');
            continue;
        }
        for _ in 0..count {
            *number.get_mut(length)? = reader.next(b)?;
            length += 1;
        }
        count = 0;
    }
    let ends = !text.get(reader.at).is_some_and(|b| b.is_ascii_alphanumeric() || *b >= 0x80);
    let check = (number[2] - b'0') * 10 + number[3] - b'0';
    (ends && (2..=98).contains(&check) && remainder(&number[..length]) == 1).then_some(reader.at)
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    lines: usize,
}

impl Reader<'_> {
    /// The next character of `kind`, in upper case, over at most one separator.
    fn next(&mut self, kind: u8) -> Option<u8> {
        let separator = match self.text.get(self.at..)? {
            [b' ' | b'.' | b'-', ..] => 1,
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => 0,
        };
        if separator > 0 && matches!(self.text[self.at], b'\n' | b'\r') {
            self.lines += 1;
            if self.lines > 1 {
                return None;
            }
        }
        let b = self.text.get(self.at + separator)?.to_ascii_uppercase();
        let fits = match kind {
            b'n' => b.is_ascii_digit(),
            b'a' => b.is_ascii_alphabetic(),
            _ => b.is_ascii_alphanumeric(),
        };
        self.at += separator + 1;
        fits.then_some(b)
    }
}

/// ISO 7064, mod 97-10: the first four characters moved to the end, letters as 10 to 35.
fn remainder(number: &[u8]) -> u32 {
    number[4..].iter().chain(&number[..4]).fold(0, |rest, b| match b {
        b'0'..=b'9' => (rest * 10 + u32::from(b - b'0')) % 97,
        _ => (rest * 100 + u32::from(b - b'A') + 10) % 97,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(at(text.as_bytes(), 0).map(|end| &text[..end]), expected, "{text:?}");
    }

    #[test]
    fn an_iban_is_found_as_people_write_it() {
        for text in [
            "NL91ABNA0417164300",
            "nl91abna0417164300",
            "NL91 ABNA 0417 1643 00",
            "NL 91 ABNA 0417164300",
            "NL91.ABNA.0417.1643.00",
            "NL91-ABNA-0417-1643-00",
            "NL91ABNA0417\n164300",
            "GB29NWBK60161331926819",
            "FR1420041010050500013M02606",
        ] {
            check(text, Some(text));
        }
        check("NL91 ABNA 0417 1643 00 t.n.v. Jan", Some("NL91 ABNA 0417 1643 00"));
    }

    #[test]
    fn a_wrong_one_is_not() {
        check("NL92ABNA0417164300", None);
        check("NL91ABNA041716430", None);
        check("NL91ABNA04171643001", None);
        check("XX91ABNA0417164300", None);
        check("NL91 ABNA  0417164300", None);
        check("NL91", None);
        check("", None);
    }

    #[test]
    fn the_table_is_in_order() {
        assert!(COUNTRIES.is_sorted_by_key(|(country, _)| country));
    }
}
