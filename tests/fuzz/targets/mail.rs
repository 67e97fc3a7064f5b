//! A whole mail.

use super::documents::{is_within, limits, open_all};
use bytes::Bytes;
use zegel::{extract, message::Message};

/// What is told of a mail comes from its octets: all of its fields that are kept for the idempotence key, no more text than there is, and every
/// leaf read the same for detection and for showing.
pub fn mail(octets: &[u8]) {
    let message = Message::new(Bytes::copy_from_slice(octets));
    let facts = message.facts();
    assert_eq!(facts, message.facts());
    assert!(!facts.subject.contains(['\r', '\n']), "{:?}", facts.subject);
    without_received(&message, facts.received_count);
    if let Some((fields, body)) = message.fields_and_body() {
        assert!(octets.ends_with(body) && fields.len() <= octets.len());
    }
    let _ = message.delivery_status();
    let readable = message.readable();
    assert!(readable.files.iter().all(|file| !file.name.is_empty()));
    // Decoding never makes more than it is given, but for the one copy of the original that a doubtful mail gets.
    let files: usize = readable.files.iter().map(|file| file.octets.len()).sum();
    assert!(files <= 2 * octets.len() + 1, "{files} octets of files out of {}", octets.len());
    for part in message.parts() {
        assert!(part.octets.len() <= octets.len(), "a part is longer than its mail");
    }
    let (extraction, unopened) = extract::message(&message, &limits());
    is_within(&extraction, &limits());
    assert!(unopened.is_sorted_by_key(|part| part.at) && unopened.iter().all(|part| part.at <= extraction.texts.len()));
    open_all(&unopened);
}

fn without_received(message: &Message, received_count: usize) {
    let kept: Vec<u8> = message.without_received().flatten().copied().collect();
    assert!(kept.len() <= message.octets().len());
    let again = Message::new(kept.clone().into());
    assert_eq!(again.without_received().flatten().copied().collect::<Vec<u8>>(), kept, "taken out in one go");
    if received_count == 0 && !message.octets().to_ascii_lowercase().windows(8).any(|w| w == b"received") {
        assert_eq!(kept, message.octets()[..]);
    }
}
