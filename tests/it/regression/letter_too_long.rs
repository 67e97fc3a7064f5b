//! A letter must fit a row of the outbox, and what it repeats is chosen by strangers: a subject or a name of 20 KB, or hundreds of recipients without
//! a number, were answered 451 for ever; and when such a message was given up, the sweeper failed at it in every round.

use crate::{
    sink::{Act, Sink},
    world::{ANNA, BURGER, World, mail},
};
use std::time::Duration;
use zegel::demo::mailbox::Delivered;

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_subject_is_cut_in_the_notification() {
    let world = World::new().await;
    let words = "lang ".repeat(4000);
    let reply = world.send(ANNA, &[BURGER], mail(&format!("[beveiligd] {words}"), "Het is positief.").as_bytes()).await;
    assert_eq!(reply.code(), 250, "{reply}");
    let came = &world.mails_for(BURGER, 1).await[0];
    let opening = world.open_link(&came.link(&world.portal).unwrap()).await.unwrap();
    assert!(opening.card.subject.len() >= 19_000, "behind the link it is whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_name_of_the_sender_is_cut_in_the_notification() {
    let world = World::new().await;
    let name = format!("\"{}\" <{ANNA}>", "Anna ".repeat(4000));
    let mail = mail("[beveiligd] Besluit", "Het is positief.").replace(&format!("Anna de Vries <{ANNA}>"), &name);
    let reply = world.send(ANNA, &[BURGER], mail.as_bytes()).await;
    assert_eq!(reply.code(), 250, "{reply}");
    world.mails_for(BURGER, 1).await;
}

/// Addresses as long as RFC 5321 allows.
fn far_too_many() -> Vec<String> {
    let domain = format!("{}.{}.{}.example", "a".repeat(60), "b".repeat(60), "c".repeat(50));
    (0..400).map(|n| format!("{n:04}{}@{domain}", "x".repeat(60))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_recipients_without_a_number_are_asked_for_and_given_up_by_name() {
    let world = World::new().await;
    let recipients = far_too_many();
    let to: Vec<&str> = recipients.iter().map(String::as_str).collect();
    let reply = world.send(ANNA, &to, mail("Dossier", "Het BSN van mevrouw Bakker is 111222333.").as_bytes()).await;
    assert_eq!(reply.code(), 250, "{reply}");
    let asked = world.mails_for(ANNA, 1).await[0].text();
    assert!(asked.contains(&recipients[0]), "{asked}");

    world.clock.advance(Duration::from_secs(7 * 24 * 3600 + 60));
    world.running.parts.sweep.round().await.unwrap();
    let told = |mails: &[Delivered]| mails.iter().filter(|m| m.to[0].as_str() == ANNA).skip(1).map(Delivered::text).collect::<String>();
    let all_told = world.outside.wait_until(|mails| recipients.iter().all(|r| told(mails).contains(r))).await;
    assert!(all_told, "some were given up without a word");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_refusal_is_cut_in_the_notice_to_the_sender() {
    let hop = Sink::start().await;
    let world = World::next_to(hop.address()).await;
    // Sixteen lines are kept of a reply; a quotation mark takes two octets in a record.
    let line = "\"".repeat(480);
    let refusal = format!("{}550 {line}", format!("550-{line}\r\n").repeat(15));
    // The gateway's own RCPT is accepted, the notification's is not.
    hop.fails_times(&format!("RCPT TO:<{BURGER}>"), Act::Reply(refusal), 1, 1);
    let reply = world.send(ANNA, &[BURGER], mail("[beveiligd] Besluit", "Het is positief.").as_bytes()).await;
    assert_eq!(reply.code(), 250, "{reply}");
    hop.wait_for_command(&format!("RCPT TO:<{ANNA}>")).await;
}
