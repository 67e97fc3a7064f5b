//! Telephone numbers that can receive an SMS.

use phonenumber::{Mode, Type, country::Id as Country, metadata::DATABASE};
use zeroize::Zeroize;

/// A telephone number in international form (E.164): `+31612345678`.
///
/// It has no `Debug` and no `Display`: numbers never reach a log. [`PhoneNumber::masked`] is what people are shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber(String);

/// Why a text is no number to which a code can be sent. The text of each is for the person who typed it (see the words `phone-*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PhoneFault {
    /// Not a telephone number at all, or one that does not exist in its country's plan.
    Invalid,
    /// A number that exists but gets no SMS: a landline, an information line, a machine's number.
    NoSms,
    /// A country to which the organisation does not send.
    Country,
}

impl PhoneFault {
    /// The word under which templates keep the explanation.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            PhoneFault::Invalid => "phone-invalid",
            PhoneFault::NoSms => "phone-no-sms",
            PhoneFault::Country => "phone-country",
        }
    }
}

/// Countries to which codes are sent. Premium ranges elsewhere are what SMS pumping lives on (portal.md, section 10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Countries(Vec<Country>);

/// The neighbours, and the European Union: where the recipients of a Dutch organisation live.
const USUAL: [&str; 7] = ["NL", "BE", "DE", "FR", "LU", "GB", "EU"];

/// What "EU" stands for in a list of countries.
const UNION: [Country; 27] = {
    use Country::{AT, BE, BG, CY, CZ, DE, DK, EE, ES, FI, FR, GR, HR, HU, IE, IT, LT, LU, LV, MT, NL, PL, PT, RO, SE, SI, SK};
    [AT, BE, BG, CY, CZ, DE, DK, EE, ES, FI, FR, GR, HR, HU, IE, IT, LT, LU, LV, MT, NL, PL, PT, RO, SE, SI, SK]
};

impl Countries {
    /// The countries of these codes (ISO 3166-1, two capitals); "EU" is all of its members.
    ///
    /// # Errors
    /// The first that is no country.
    pub fn of<'a>(codes: impl IntoIterator<Item = &'a str>) -> Result<Countries, &'a str> {
        let mut countries = Vec::new();
        for code in codes {
            match code {
                "EU" => countries.extend(UNION),
                code => countries.push(code.parse().map_err(|_| code)?),
            }
        }
        Ok(Countries(countries))
    }

    /// Whether codes are sent to this number's country.
    #[must_use]
    pub fn allow(&self, number: &PhoneNumber) -> bool {
        let country = phonenumber::parse(None, number.expose()).ok().and_then(|n| n.country().id());
        country.is_some_and(|c| self.0.contains(&c))
    }
}

impl Default for Countries {
    fn default() -> Countries {
        Countries::of(USUAL).expect("these are codes of countries")
    }
}

impl PhoneNumber {
    /// Parses a number as a person writes it: `06-12 34 56 78`, `+32 470 12 34 56`, `0031612345678`. Without a country it is Dutch.
    ///
    /// # Errors
    /// Says why no code can be sent to it.
    pub fn parse(text: &str) -> Result<PhoneNumber, PhoneFault> {
        PhoneNumber::parse_within(text, &Countries::default())
    }

    /// The same, for the countries to which an organisation sends.
    ///
    /// # Errors
    /// Says why no code can be sent to it.
    pub fn parse_within(text: &str, countries: &Countries) -> Result<PhoneNumber, PhoneFault> {
        let text: String = text.trim().chars().map(western_digit).collect();
        // Longer than any way of writing 15 digits; the library must not see a novel.
        if text.len() > 40 {
            return Err(PhoneFault::Invalid);
        }
        let text = match text.strip_prefix("00") {
            Some(rest) => format!("+{rest}"),
            None => text,
        };
        let number = phonenumber::parse(Some(Country::NL), &text).map_err(|_| PhoneFault::Invalid)?;
        if !number.is_valid() {
            return Err(PhoneFault::Invalid);
        }
        let country = number.country().id().ok_or(PhoneFault::Country)?;
        if !countries.0.contains(&country) {
            return Err(PhoneFault::Country);
        }
        let national = number.national().to_string();
        // The library calls 097 (machine to machine) a mobile number; nobody reads an SMS there.
        let machine = country == Country::NL && national.starts_with("97");
        match number.number_type(&DATABASE) {
            Type::Mobile | Type::FixedLineOrMobile if !machine => Ok(PhoneNumber(number.format().mode(Mode::E164).to_string())),
            _ => Err(PhoneFault::NoSms),
        }
    }

    /// Takes back a number that was stored in its international form.
    #[must_use]
    pub fn from_stored(text: &str) -> Option<PhoneNumber> {
        let digits = text.strip_prefix('+')?;
        ((8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())).then(|| PhoneNumber(text.to_owned()))
    }

    /// The international form, for the SMS provider and the sealed record only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// `+31 6 ••••• 954`: country, first digit and last three, always as many bullets, so that the length says nothing.
    #[must_use]
    pub fn masked(&self) -> String {
        let (country, national) = self.0[1..].split_at(country_digits(&self.0[1..]));
        format!("+{country} {} ••••• {}", &national[..1], &national[national.len() - 3..])
    }
}

impl Drop for PhoneNumber {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// How many digits of a number are its country's (ITU-T E.164, D): one in North America and for Russia, three in the groups that Europe's
/// smaller countries share, elsewhere mostly two.
fn country_digits(digits: &str) -> usize {
    match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [b'3', b'5' | b'7' | b'8', ..] | [b'4', b'2', ..] => 3,
        _ => 2,
    }
}

/// Arabic-Indic and full-width digits as ASCII: keyboards in the Netherlands produce both.
fn western_digit(c: char) -> char {
    let ascii = |zero: char| char::from_digit(c as u32 - zero as u32, 10).unwrap_or(c);
    match c {
        '\u{660}'..='\u{669}' => ascii('\u{660}'),
        '\u{6f0}'..='\u{6f9}' => ascii('\u{6f0}'),
        '\u{ff10}'..='\u{ff19}' => ascii('\u{ff10}'),
        '\u{ff0b}' => '+',
        '\u{a0}' | '\u{202f}' | '\u{2009}' => ' ',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, PhoneFault>) {
        assert_eq!(PhoneNumber::parse(text).as_ref().map(PhoneNumber::expose).map_err(|f| *f), expected, "{text}");
    }

    #[test]
    fn numbers_are_taken_as_people_write_them() {
        check("0612345678", Ok("+31612345678"));
        check("06-12 34 56 78", Ok("+31612345678"));
        check("0031 6 12345678", Ok("+31612345678"));
        check("+31 (0)6 12345678", Ok("+31612345678"));
        check("+32 470 12 34 56", Ok("+32470123456"));
        check("٠٦١٢٣٤٥٦٧٨", Ok("+31612345678"));
        check("020 624 1111", Err(PhoneFault::NoSms));
        check("097012345678", Err(PhoneFault::NoSms));
        check("0900 1234", Err(PhoneFault::NoSms));
        check("061234567", Err(PhoneFault::Invalid));
        check("+1 212 736 5000", Err(PhoneFault::Country));
        check("+351 912 345 678", Ok("+351912345678"));
        check("hallo", Err(PhoneFault::Invalid));
        check("", Err(PhoneFault::Invalid));
        check(&"1".repeat(1000), Err(PhoneFault::Invalid));
    }

    #[test]
    fn an_organisation_says_to_which_countries_it_sends() {
        let number = |text| PhoneNumber::parse(text).unwrap();
        let (dutch, american) = (Countries::of(["NL"]).unwrap(), Countries::of(["NL", "US"]).unwrap());
        assert!(dutch.allow(&number("0612345678")) && !dutch.allow(&number("+32 470 12 34 56")));
        assert!(Countries::of(["EU"]).unwrap().allow(&number("+32 470 12 34 56")));
        assert_eq!(PhoneNumber::parse_within("+32 470 12 34 56", &dutch).err(), Some(PhoneFault::Country));
        assert!(PhoneNumber::parse_within("+1 212 736 5000", &american).is_ok());
        assert_eq!(Countries::of(["NL", "Holland"]), Err("Holland"));
    }

    #[test]
    fn a_mask_shows_country_first_digit_and_last_three() {
        assert_eq!(PhoneNumber::parse("0612345954").unwrap().masked(), "+31 6 ••••• 954");
        assert_eq!(PhoneNumber::parse("+352 621 123 456").unwrap().masked(), "+352 6 ••••• 456");
        assert_eq!(PhoneNumber::parse("+351 912 345 678").unwrap().masked(), "+351 9 ••••• 678");
        assert_eq!(PhoneNumber::parse("+48 512 345 678").unwrap().masked(), "+48 5 ••••• 678");
    }
}
