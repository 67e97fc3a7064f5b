//! A mail in the outbox that could not be opened, damaged or sealed under another key, was logged every ten minutes for ever, and nobody was told
//! that its recipient knew of nothing.

use crate::{
    reports::row_that_waits,
    sink::{Act, Sink},
    world::{ANNA, BURGER, World, mail},
};
use zegel::record::{Batch, Event, Expect, Fact, KeyRange, Mail, Op, Sealed};

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_cannot_be_opened_is_given_up_and_its_sender_told() {
    let hop = Sink::start().await;
    let world = World::next_to(hop.address()).await;
    // Passed on live it is accepted once; its notification is not.
    hop.fails_times(&format!("RCPT TO:<{BURGER}"), Act::Reply("451 4.2.0 later".to_owned()), 1, usize::MAX);
    assert_eq!(world.send(ANNA, &[BURGER], mail("[beveiligd] Besluit", "x").as_bytes()).await.code(), 250);
    let (key, row) = row_that_waits(&world, 1).await;
    let mut damaged: Mail = row.read(&key).unwrap();
    damaged.letter = Sealed(vec![7; 80]);
    let mut batch = Batch::new();
    batch.ops.push(Op::Put { key: key.clone(), value: serde_json::to_string(&damaged).unwrap(), expect: Expect::Version(row.version) });
    world.opened.store.commit(batch).await.unwrap();
    hop.heals();
    world.clock.advance(std::time::Duration::from_secs(180));
    world.running.parts.wake.notify_one();
    hop.wait_for_mail_to(ANNA).await;

    let notice = hop.mails().into_iter().find(|m| m.to == [ANNA]).unwrap();
    assert_eq!(notice.from, "");
    let text = zegel::message::Message::new(notice.octets().into()).readable().text.unwrap();
    assert!(text.contains(BURGER) && text.contains("bij ons verloren gegaan"), "{text}");
    let events = world.opened.store.list(&KeyRange::under("event"), 100).await.unwrap();
    let facts: Vec<Fact> = events.iter().map(|(key, row)| row.read::<Event>(key).unwrap().what).collect();
    assert_eq!(facts.iter().filter(|f| **f == Fact::NotNotified).count(), 1, "{facts:?}");
    let rows = world.opened.store.list(&KeyRange::under("outbox"), 10).await.unwrap();
    assert!(rows.iter().all(|(key, row)| row.read::<Mail>(key).unwrap().letter != damaged.letter), "its row is gone");
}
