//! Single words from outside: addresses, numbers, tokens, keys, networks.

use zegel::{
    address::{Address, Domain},
    envelope::dsn,
    phone::PhoneNumber,
    record::{Approval, Card, Challenge, Grant, Key, Mail, Record, SealedMessage, Session},
    secret::{Id, Token},
    smtp::{Accounts, Network},
    template::Language,
    time::Day,
};

/// What is read is written as it was, is read again as the same, and holds nothing that would be a second word elsewhere.
pub fn words(octets: &[u8]) {
    let text = &*String::from_utf8_lossy(octets);
    records(text);
    address(text);
    phone(text);
    parameters(text);
    if let Err(faults) = Accounts::parse(text, Vec::new()) {
        assert!(faults.iter().all(|fault| (1..=text.lines().count().max(1)).contains(&fault.line)) && !faults.is_empty());
    }
    if let Some(token) = Token::parse(text) {
        assert_eq!(token.in_link().expose(), text, "a token that is written in two ways");
    }
    if let Some(id) = Id::parse(text) {
        assert_eq!(id.to_string(), text);
    }
    if let Some(key) = Key::parse(text) {
        assert!(key.as_str() == text && text.len() <= Key::MAX_BYTES && !text.contains(".."));
        assert!(key.segments().all(|segment| !segment.is_empty()));
    }
    if let Ok(network) = text.parse::<Network>() {
        assert_eq!(network.to_string().parse::<Network>().map(|n| n.to_string()), Ok(network.to_string()));
    }
    if let Ok(day) = text.parse::<Day>() {
        assert_eq!(day.to_string().parse::<Day>().ok(), Some(day));
    }
    if let Some(language) = Language::parse(text) {
        assert!(Language::ALL.contains(&language));
    }
}

fn address(text: &str) {
    if let Ok(address) = Address::parse(text) {
        assert_eq!(address.as_str(), text);
        assert!(!address.is_ascii() || format!("{}@{}", address.local(), address.domain()).to_ascii_lowercase() == address.canonical());
        assert!(!text.contains(char::is_control), "{text:?}");
        let lone = |c: char| !address.local().starts_with('"') && address.local().contains(c);
        assert!(!lone(' ') && !lone('<') && !lone('>') && !lone(',') && !lone('@'), "{text:?}");
        assert_eq!(Address::parse(&address.canonical()).as_ref(), Ok(&address));
    }
    if let Ok(domain) = Domain::parse(text) {
        assert_eq!(Domain::parse(domain.as_str()), Ok(domain.clone()), "a domain that is another when it is read again");
        assert!(Address::parse(&format!("a@{domain}")).is_ok_and(|address| address.domain() == domain), "{domain}");
    }
}

/// Values of ESMTP parameters go into reports that zegel writes: whatever they decode to is printable, and on one line.
fn parameters(text: &str) {
    let is_plain = |decoded: &str| decoded.bytes().all(|octet| (b' '..=b'~').contains(&octet)) && decoded.len() <= text.len();
    assert!(dsn::xtext(text).is_none_or(|decoded| is_plain(&decoded)));
    assert!(dsn::envelope_id(text).is_none_or(|decoded| is_plain(&decoded) && !decoded.is_empty()));
    if let Some(original) = dsn::OriginalRecipient::parse(text) {
        assert!(is_plain(&original.address) || original.kind == "utf-8" && !original.address.contains(char::is_control));
    }
    assert!(dsn::Return::parse(text).is_none() || dsn::Notify::parse(text).is_none());
}

fn phone(text: &str) {
    if let Some(number) = PhoneNumber::from_stored(text) {
        assert!(shows_little(&number) && number.expose() == text);
    }
    if let Ok(number) = PhoneNumber::parse(text) {
        assert!(shows_little(&number));
        assert!(PhoneNumber::from_stored(number.expose()).is_some(), "a number that can't be stored");
        assert!(PhoneNumber::parse(number.expose()).is_ok_and(|again| again == number), "a number that is another when it is read again");
    }
}

fn shows_little(number: &PhoneNumber) -> bool {
    number.masked().chars().filter(char::is_ascii_digit).count() <= 7 && number.masked().contains('•')
}

/// Records as a store gives them back, perhaps of another version: refused, or read, and then written so that they are read as the same.
fn records(text: &str) {
    fn check<T: serde::de::DeserializeOwned + serde::Serialize>(text: &str) {
        let key = Key::grant(Id([1; 16]));
        let read = |text: &str| Record { value: text.into(), version: 1 }.read::<T>(&key).ok();
        let Some(value) = read(text) else { return };
        let written = serde_json::to_string(&value).expect("records are written as JSON");
        let again = read(&written).expect("what was written can be read");
        assert_eq!(serde_json::to_string(&again).ok(), Some(written));
    }
    check::<Grant>(text);
    check::<SealedMessage>(text);
    check::<Approval>(text);
    check::<Challenge>(text);
    check::<Mail>(text);
    check::<Session>(text);
    check::<Card>(text);
}
