//! Mail addresses and domains: parsed once, compared as mail compares them.

use std::{fmt, str::FromStr};

/// A mailbox of RFC 5321, 4.1.2: `Jan.Jansen@voorbeeld.example`, kept as it was written, compared without regard to case.
///
/// It may hold letters outside ASCII (RFC 6531); only SMTP must ask whether it does. The local part is compared without case too:
/// RFC 5321 lets a host distinguish, no host in practice does, and a number remembered for `Jan@` must be found for `jan@`. A domain
/// is the same however it is written, `müller.example` or `xn--mller-kva.example`.
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
}

impl Address {
    /// Parses an address without angle brackets.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn parse(text: &str) -> Result<Address, AddressError> {
        if text.len() > 254 {
            return Err(AddressError::TooLong);
        }
        let at = text.rfind('@').ok_or(AddressError::Syntax)?;
        let (local, domain) = (&text[..at], &text[at + 1..]);
        if local.len() > 64 {
            return Err(AddressError::TooLong);
        }
        let domain_is_fine = if domain.is_ascii() { is_domain(domain) || is_literal(domain) } else { a_labels(domain).is_some() };
        if !(is_dot_string(local) || is_quoted_string(local)) || !domain_is_fine {
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

    /// Whether it holds no letter outside ASCII: such an address goes wherever mail goes, any other only where SMTPUTF8 does.
    #[must_use]
    pub fn is_ascii(&self) -> bool {
        self.text.is_ascii()
    }

    /// The domain, in its ASCII form.
    #[must_use]
    pub fn domain(&self) -> Domain {
        let written = &self.text[self.at + 1..];
        let ascii = if written.is_ascii() { None } else { a_labels(written) };
        Domain(ascii.unwrap_or_else(|| written.to_ascii_lowercase()))
    }

    /// Whether this is a mailbox of one of `domains`, and leads nowhere else. `jan%elders.example@voorbeeld.example`, `elders.example!jan@` and
    /// `"jan@elders.example"@` name another mailbox behind that domain's servers by old custom (RFC 1123, 5.2.16), which some still follow:
    /// Postfix does, by default, for whoever may relay.
    #[must_use]
    pub fn is_within(&self, domains: &[Domain]) -> bool {
        !self.local().contains(['@', '%', '!']) && domains.contains(&self.domain())
    }

    /// The form under which things about this address are found again: lowercase, the domain in its ASCII form.
    #[must_use]
    pub fn canonical(&self) -> String {
        if self.is_ascii() { self.text.to_ascii_lowercase() } else { format!("{}@{}", lowercase(self.local()), self.domain()) }
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Address) -> bool {
        self.text.eq_ignore_ascii_case(&other.text) || (!(self.is_ascii() && other.is_ascii()) && self.canonical() == other.canonical())
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
        a_labels(text.trim()).map(Domain).ok_or(AddressError::Syntax)
    }

    /// The ASCII form, lowercase.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form that people read.
    #[must_use]
    pub fn to_unicode(&self) -> String {
        idna::domain_to_unicode(&self.0).0
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Lowercase; but no letter outside ASCII becomes one inside, as U+212A, the sign of kelvin, would become `k`: those are two mailboxes.
fn lowercase(text: &str) -> String {
    let lower = |c: char| match c.to_lowercase().next() {
        Some(first) if first.is_ascii() && !c.is_ascii() => c.to_string(),
        _ => c.to_lowercase().collect(),
    };
    text.chars().map(lower).collect()
}

/// A domain in its ASCII form (IDNA), lowercase.
fn a_labels(text: &str) -> Option<String> {
    idna::domain_to_ascii(text).ok().filter(|ascii| is_domain(ascii))
}

/// RFC 5321, 4.1.2 Dot-string, with the letters of RFC 6531, 3.3; empty atoms are let through, since mailboxes such as `jan..jansen@`
/// exist in Japan and elsewhere.
fn is_dot_string(text: &str) -> bool {
    let fine = |c: char| if c.is_ascii() { c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c) } else { is_visible(c) };
    !text.is_empty() && text.chars().all(fine)
}

/// A character outside ASCII that may stand in an address. What is not seen, or turns the order of what is, would make two addresses
/// look like one, on pages and in log lines.
fn is_visible(c: char) -> bool {
    let hidden = matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffd}' | '\u{e0000}'..='\u{e0fff}');
    !(c.is_control() || c.is_whitespace() || hidden)
}

fn is_quoted_string(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else { return false };
    let visible = |c: char| if c.is_ascii() { (' '..='~').contains(&c) } else { is_visible(c) };
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        let fine = match c {
            '\\' => chars.next().is_some_and(|c| (' '..='~').contains(&c)),
            '"' => false,
            other => visible(other),
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
        check("é@b.example", true);
        check("j@müller.example", true);
        check("\"jø rgen\"@b.example", true);
        check("j\u{202e}@b.example", false);
        check("j\u{200b}@b.example", false);
        check("j\u{85}@b.example", false);
        check("j\u{a0}@b.example", false);
        check("j@b\u{202e}c.example", false);
        check(&format!("j@{}.example", "ü".repeat(63)), false);
        check(&format!("{}@b.example", "a".repeat(65)), false);
    }

    #[test]
    fn case_makes_no_difference() {
        assert_eq!(Address::parse("Jan@B.Example").unwrap(), Address::parse("jan@b.example").unwrap());
        assert_eq!(Domain::parse("Müller.example").unwrap().as_str(), "xn--mller-kva.example");
    }

    #[test]
    fn a_domain_is_the_same_however_it_is_written() {
        let (unicode, ascii) = (Address::parse("Jörg@MÜLLER.example").unwrap(), Address::parse("jörg@xn--mller-kva.Example").unwrap());
        assert_eq!(unicode, ascii);
        assert_eq!((unicode.canonical(), unicode.domain()), (ascii.canonical(), ascii.domain()));
        assert_eq!(unicode.as_str(), "Jörg@MÜLLER.example", "kept as it was written");
        assert_eq!(Address::parse("a@müller.example").unwrap(), Address::parse("a@xn--mller-kva.example").unwrap());
        assert_ne!(Address::parse("a@müller.example").unwrap(), Address::parse("a@muller.example").unwrap());
        assert_ne!(Address::parse("\u{212a}@b.example").unwrap(), Address::parse("k@b.example").unwrap());
    }
}
