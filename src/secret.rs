//! Whatever opens a message, and the only source of randomness.
//!
//! Nothing here can be printed: a `Secret` has neither `Debug` nor `Display`, and is wiped from memory when it goes.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// A value that must never be shown, logged or compared in varying time.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes a value into hiding.
    pub fn new(value: T) -> Secret<T> {
        Secret(Zeroizing::new(value))
    }

    /// The value, for the one place that needs it: searching for `expose` finds every use.
    #[must_use]
    pub fn expose(&self) -> &T {
        &self.0
    }
}

/// Only for records that are sealed as a whole before they reach the store.
impl<T: Zeroize + Serialize> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl<'de, T: Zeroize + Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Secret<T>, D::Error> {
        T::deserialize(from).map(Secret::new)
    }
}

/// Fresh random bytes of the operating system.
///
/// # Panics
/// When the system has no randomness to give: nothing may be sealed then.
#[must_use]
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the operating system gives randomness");
    bytes
}

/// A random number below `bound`, without bias (`bound` at least 1).
#[must_use]
pub fn random_below(bound: u32) -> u32 {
    // Rejection sampling: numbers beyond the last whole multiple of `bound` would make the low ones likelier.
    let limit = u32::MAX - u32::MAX % bound;
    loop {
        let number = u32::from_le_bytes(random());
        if number < limit {
            return number % bound;
        }
    }
}

/// Whether two byte strings are equal, in a time that depends on their lengths only.
#[must_use]
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// What a link holds: 32 random bytes, written as 43 characters of base64url.
///
/// It names one recipient's copy of one message and carries the key to it; it never suffices to read.
#[derive(Clone)]
pub struct Token(Zeroizing<[u8; 32]>);

impl Token {
    /// A new token.
    #[must_use]
    pub fn random() -> Token {
        Token(Zeroizing::new(random()))
    }

    /// The token of these bytes.
    #[must_use]
    pub fn of(bytes: [u8; 32]) -> Token {
        Token(Zeroizing::new(bytes))
    }

    /// The bytes from which keys are derived.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 43 characters that stand in a link.
    #[must_use]
    pub fn in_link(&self) -> Secret<String> {
        Secret::new(base64url(&*self.0))
    }

    /// Reads a link's 43 characters; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Token> {
        from_base64url(text)?.try_into().ok().map(|bytes| Token(Zeroizing::new(bytes)))
    }
}

impl Serialize for Token {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.in_link().expose())
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Token, D::Error> {
        let text = Zeroizing::new(String::deserialize(from)?);
        Token::parse(&text).ok_or_else(|| serde::de::Error::custom("not a token"))
    }
}

/// A random name for a record or blob: 128 bits, 32 hexadecimal digits. Not a secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub [u8; 16]);

impl Id {
    /// A new name.
    #[must_use]
    pub fn random() -> Id {
        Id(random())
    }

    /// Reads 32 lowercase hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Id> {
        from_hex(text)?.try_into().ok().map(Id)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Id, D::Error> {
        let text = String::deserialize(from)?;
        Id::parse(&text).ok_or_else(|| serde::de::Error::custom("not an id"))
    }
}

/// The letters of a mailed password: a-z without l and o, and 2-9. 32 of them, none mistaken for another.
const PASSWORD_ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A new level-1 password: 12 characters of 32 symbols, 60 bits.
#[must_use]
pub fn random_password() -> Secret<String> {
    let bytes: [u8; 12] = random();
    // 256 is a multiple of 32: no bias.
    Secret::new(bytes.iter().map(|b| char::from(PASSWORD_ALPHABET[usize::from(b % 32)])).collect())
}

/// A new SMS code: six digits, leading zeros included.
#[must_use]
pub fn random_code() -> Secret<String> {
    Secret::new(format!("{:06}", random_below(1_000_000)))
}

/// Lowercase hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [char::from(DIGITS[usize::from(b >> 4)]), char::from(DIGITS[usize::from(b & 15)])]).collect()
}

/// The bytes of lowercase hexadecimal digits; `None` for anything else.
#[must_use]
pub fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| match b {
        b'0'..=b'9' => Some(b - b'0'),
        b'a'..=b'f' => Some(b - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

/// Base64url without padding (RFC 4648, section 5).
#[must_use]
pub fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

/// The bytes of base64url without padding; `None` for anything else, other spellings of the same bytes included.
#[must_use]
pub fn from_base64url(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_link_and_nothing_else_parses() {
        let token = Token::random();
        let text = token.in_link();
        assert_eq!(text.expose().len(), 43);
        assert_eq!(Token::parse(text.expose()).unwrap().expose(), token.expose());
        for wrong in ["", "abc", &"A".repeat(44), &"!".repeat(43), &format!("{}=", text.expose())] {
            assert!(Token::parse(wrong).is_none(), "{wrong}");
        }
        // The last character of 43 carries four bits only; another spelling of the same bytes is not the same link.
        assert!(Token::parse(&format!("{}B", "A".repeat(42))).is_none());
    }

    #[test]
    fn passwords_and_codes_have_the_form_that_product_md_promises() {
        for _ in 0..200 {
            let password = random_password();
            assert!(password.expose().len() == 12 && password.expose().bytes().all(|b| PASSWORD_ALPHABET.contains(&b)));
            let code = random_code();
            assert!(code.expose().len() == 6 && code.expose().bytes().all(|b| b.is_ascii_digit()));
        }
    }

    #[test]
    fn hex_reads_what_it_writes_only() {
        let id = Id::random();
        assert_eq!(Id::parse(&id.to_string()), Some(id));
        assert_eq!(Id::parse(&id.to_string().to_uppercase().replace(|c: char| c.is_ascii_digit(), "A")), None);
        assert_eq!(from_hex("abc"), None);
    }
}
