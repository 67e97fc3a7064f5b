//! Mail addresses and domains: parsed once, compared as mail compares them.

use std::{fmt, str::FromStr};

/// A mailbox of RFC 5321, 4.1.2: `Jan.Jansen@voorbeeld.example`, kept as it was written, compared without regard to case.
///
/// ASCII only: SMTPUTF8 is not offered. The local part is compared without case too: RFC 5321 lets a host distinguish, no host in
/// practice does, and a number remembered for `Jan@` must be found for `jan@`.
#[derive(Clone, Debug)]
pub struct Address {
    text: String,
    at: usize,
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not of the form `name@domain`.
    #[error("an address looks like name@domain.example")]
    Syntax,
    /// Longer than 254 octets (RFC 5321, 4.5.3.1.3) or a local part over 64.
    #[error("the address is too long")]
    TooLong,
    /// Holds octets outside ASCII.
    #[error("the address holds letters outside ASCII")]
    NotAscii,
}

impl Address {
    /// Parses an address without angle brackets.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Address, AddressError> {
        if !text.is_ascii() {
            return Err(AddressError::NotAscii);
        }
        if text.len() > 254 {
            return Err(AddressError::TooLong);
        }
        let at = text.rfind('@').ok_or(AddressError::Syntax)?;
        let (local, domain) = (&text[..at], &text[at + 1..]);
        if local.len() > 64 {
            return Err(AddressError::TooLong);
        }
        if !(is_dot_string(local) || is_quoted_string(local)) || !(is_domain(domain) || is_literal(domain)) {
            return Err(AddressError::Syntax);
        }
        Ok(Address { text: text.to_owned(), at })
    }

    /// The address as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What stands before the `@`.
    #[must_use]
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }

    /// The domain.
    #[must_use]
    pub fn domain(&self) -> Domain {
        Domain(self.text[self.at + 1..].to_ascii_lowercase())
    }

    /// The form under which things about this address are found again: lowercased.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.text.to_ascii_lowercase()
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Address) -> bool {
        self.text.eq_ignore_ascii_case(&other.text)
    }
}

impl Eq for Address {}

impl std::hash::Hash for Address {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.canonical().hash(state);
    }
}

impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Address) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Address {
    fn cmp(&self, other: &Address) -> std::cmp::Ordering {
        self.canonical().cmp(&other.canonical())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Address, AddressError> {
        Address::parse(text)
    }
}

/// A domain name, lowercase, in its ASCII form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Domain(String);

impl Domain {
    /// Parses a domain as a person writes it; an internationalised one becomes its ASCII form (IDNA).
    ///
    /// # Errors
    /// [`AddressError::Syntax`] when it is no domain name.
    pub fn parse(text: &str) -> Result<Domain, AddressError> {
        let ascii = idna::domain_to_ascii(text.trim()).map_err(|_| AddressError::Syntax)?;
        if is_domain(&ascii) { Ok(Domain(ascii)) } else { Err(AddressError::Syntax) }
    }

    /// The ASCII form, lowercase.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// RFC 5321, 4.1.2 Dot-string; empty atoms are let through, since mailboxes such as `jan..jansen@` exist in Japan and elsewhere.
fn is_dot_string(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b))
}

fn is_quoted_string(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else { return false };
    let mut bytes = inner.bytes();
    while let Some(byte) = bytes.next() {
        let fine = match byte {
            b'\\' => bytes.next().is_some_and(|b| (32..=126).contains(&b)),
            b'"' => false,
            other => (32..=126).contains(&other),
        };
        if !fine {
            return false;
        }
    }
    true
}

fn is_domain(text: &str) -> bool {
    let label = |l: &str| {
        !l.is_empty()
            && l.len() <= 63
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    text.len() <= 253 && !text.is_empty() && text.split('.').all(label)
}

/// An address literal, `[192.0.2.1]` or `[IPv6:2001:db8::1]`: accepted, since the next hop decides about it.
fn is_literal(text: &str) -> bool {
    text.strip_prefix('[')
        .and_then(|t| t.strip_suffix(']'))
        .is_some_and(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-".contains(&b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, valid: bool) {
        assert_eq!(Address::parse(text).is_ok(), valid, "{text}");
    }

    #[test]
    fn addresses_are_taken_as_rfc_5321_writes_them() {
        check("a@b.example", true);
        check("jan..jansen@b.example", true);
        check("\"jan jansen\"@b.example", true);
        check("\"a\"b\"@b.example", false);
        check("a@[192.0.2.1]", true);
        check("a@localhost", true);
        check("a b@c.example", false);
        check("a@", false);
        check("@b.example", false);
        check("a@b..example", false);
        check("a@-b.example", false);
        check("a\r\n@b.example", false);
        check("é@b.example", false);
        check(&format!("{}@b.example", "a".repeat(65)), false);
    }

    #[test]
    fn case_makes_no_difference() {
        assert_eq!(Address::parse("Jan@B.Example").unwrap(), Address::parse("jan@b.example").unwrap());
        assert_eq!(Domain::parse("Müller.example").unwrap().as_str(), "xn--mller-kva.example");
    }
}
