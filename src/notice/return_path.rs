//! The envelope sender of a notification: an address of ours that holds its grant (VERP), so that a bounce, however it is written, finds its row.
//!
//! `bounce+<token>@mail.voorbeeld.example`; the token is the grant's id and a keyed tag in base32, since servers on the way may change the case.

use crate::{address::Address, seal::Master, secret, secret::Id};

const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// The octets of an id and its tag.
const TOKEN_OCTETS: usize = 26;
/// The letters of a token: 208 bits, 5 each.
const TOKEN_LETTERS: usize = 42;

/// The longest name that `[mail] bounces` may have: a local part has 64 octets at most (RFC 5321, 4.5.3.1.1), the `+` is one.
pub const RETURN_NAME: usize = 64 - 1 - TOKEN_LETTERS;

/// What a recipient's address is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returned {
    /// Somebody else's.
    NotOurs,
    /// It looks like one of ours, and is not.
    Forged,
    /// The one for the bounces of this grant's notification.
    Grant(Id),
}

/// Where bounces of `grant`'s notification go; `None` if the configured name left no room, which is a fault of the configuration.
#[must_use]
pub fn return_path(bounces: &Address, master: &Master, grant: Id) -> Option<Address> {
    let token = base32(&[&grant.0[..], &master.bounce_tag(grant)[..]].concat());
    Address::parse(&format!("{}+{token}@{}", bounces.local(), bounces.domain())).ok()
}

/// Whose bounces come to `address`.
#[must_use]
pub fn returned(bounces: &Address, master: &Master, address: &Address) -> Returned {
    let local = address.local().to_ascii_lowercase();
    let name = bounces.local().to_ascii_lowercase();
    let Some(rest) = local.strip_prefix(&name).filter(|_| address.domain() == bounces.domain()) else { return Returned::NotOurs };
    let Some(token) = rest.strip_prefix('+') else { return if rest.is_empty() { Returned::Forged } else { Returned::NotOurs } };
    let Some(octets) = from_base32(token) else { return Returned::Forged };
    match octets.split_first_chunk::<16>() {
        Some((id, tag)) if secret::equal(tag, &master.bounce_tag(Id(*id))) => Returned::Grant(Id(*id)),
        _ => Returned::Forged,
    }
}

fn base32(octets: &[u8]) -> String {
    let mut letters = String::with_capacity(octets.len().div_ceil(5) * 8);
    let (mut bits, mut held) = (0u32, 0u32);
    for octet in octets {
        bits = bits << 8 | u32::from(*octet);
        held += 8;
        while held >= 5 {
            held -= 5;
            letters.push(char::from(ALPHABET[(bits >> held & 31) as usize]));
        }
    }
    if held > 0 {
        letters.push(char::from(ALPHABET[(bits << (5 - held) & 31) as usize]));
    }
    letters
}

/// The octets of a token; `None` for anything that [`base32`] does not write.
fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(TOKEN_OCTETS);
    let (mut bits, mut held) = (0u32, 0u32);
    for letter in text.bytes() {
        let value = ALPHABET.iter().position(|l| *l == letter)?;
        bits = bits << 5 | u32::try_from(value).ok()?;
        held += 5;
        if held >= 8 {
            held -= 8;
            octets.push(u8::try_from(bits >> held & 255).ok()?);
        }
    }
    (octets.len() == TOKEN_OCTETS && base32(&octets) == text).then_some(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bounce_finds_its_grant_and_a_guess_finds_nothing() {
        let (master, grant) = (Master::random(1), Id([0xA5; 16]));
        for name in ["bounce", "terug.post", &"b".repeat(RETURN_NAME)] {
            let bounces = Address::parse(&format!("{name}@mail.voorbeeld.example")).unwrap();
            let address = return_path(&bounces, &master, grant).unwrap();
            let check = |text: &str, expected: Returned| {
                assert_eq!(returned(&bounces, &master, &Address::parse(text).unwrap()), expected, "{text}");
            };
            check(address.as_str(), Returned::Grant(grant));
            check(&address.as_str().to_ascii_uppercase(), Returned::Grant(grant));
            let token = &address.local()[name.len() + 1..];
            let other = if token.ends_with('a') { "e" } else { "a" };
            check(&format!("{name}+{}{other}@mail.voorbeeld.example", &token[..TOKEN_LETTERS - 1]), Returned::Forged);
            check(&format!("{name}+{}b@mail.voorbeeld.example", &token[..TOKEN_LETTERS - 1]), Returned::Forged);
            check(&format!("{name}+{}@mail.voorbeeld.example", &token[1..]), Returned::Forged);
            check(&format!("{name}@mail.voorbeeld.example"), Returned::Forged);
            check(&format!("{name}+{token}@voorbeeld.example"), Returned::NotOurs);
            check(&format!("{name}-x@mail.voorbeeld.example"), Returned::NotOurs);
            assert_eq!(returned(&bounces, &Master::random(1), &address), Returned::Forged);
        }
        let too_long = Address::parse(&format!("{}@x.example", "b".repeat(RETURN_NAME + 1))).unwrap();
        assert_eq!(return_path(&too_long, &master, grant), None);
    }
}
