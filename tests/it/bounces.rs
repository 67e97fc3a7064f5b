//! A notification that comes back hours later, from a server behind the next hop: its sender hears of it once, whoever sends how many reports.

use crate::world::{ANNA, BURGER, COLLEGA, World, contains, mail};
use std::{path::Path, time::Duration};
use zegel::record::{Event, Fact, KeyRange};

pub async fn world() -> World {
    let write = |folder: &Path| {
        let file = folder.join("zegel.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text + "[mail]\nbounces = \"bounce@mail.gemeente.example\"\n").unwrap();
    };
    World::with(write, |opened| opened).await
}

/// Sends a message; the envelope sender of its notification.
pub async fn return_path(world: &World, to: &str) -> String {
    assert_eq!(world.send(ANNA, &[to], mail("[beveiligd] Besluit", "Het besluit is positief.").as_bytes()).await.code(), 250);
    world.mails_for(to, 1).await[0].from.as_ref().unwrap().to_string()
}

pub fn report(action: &str) -> String {
    mail("Undelivered Mail Returned to Sender", "").replace(
        "Content-Type: text/plain; charset=utf-8\r\n\r\n",
        &format!(
            "Auto-Submitted: auto-replied\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\n\
             Sorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.post.example\r\n\r\n\
             Final-Recipient: rfc822; {BURGER}\r\nAction: {action}\r\nStatus: 5.1.1\r\n\
             Diagnostic-Code: smtp; 550 5.1.1 no such mailbox, ask https://evil.example/login or <help@evil.example>\r\n\r\n--b--\r\n"
        ),
    )
}

async fn failures(world: &World) -> usize {
    let events = world.opened.store.list(&KeyRange::under("event"), 200).await.unwrap();
    events.iter().filter(|(key, row)| row.read::<Event>(key).unwrap().what == Fact::NotNotified).count()
}

/// Waits until whatever was to leave has left.
async fn all_has_left(world: &World) {
    while !world.opened.store.list(&KeyRange::under("outbox"), 1).await.unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bounce_is_told_to_the_sender_once_and_relayed_to_nobody() {
    let world = world().await;
    let path = return_path(&world, BURGER).await;
    assert!(path.starts_with("bounce+") && path.ends_with("@mail.gemeente.example"), "{path}");

    // Late is not failed, and an answering machine is no report.
    assert_eq!(world.send("", &[&path], report("delayed").as_bytes()).await.code(), 250);
    assert_eq!(world.send("", &[&path], mail("Afwezig", "Ik ben er niet.").as_bytes()).await.code(), 250);
    all_has_left(&world).await;
    assert_eq!((world.delivered_to(ANNA).len(), failures(&world).await), (0, 0));

    let shouted = path.to_uppercase();
    for to in [&path, &shouted, &path] {
        assert_eq!(world.send("", &[to], report("failed").as_bytes()).await.code(), 250);
    }
    let told = world.mails_for(ANNA, 1).await;
    all_has_left(&world).await;
    assert_eq!((world.delivered_to(ANNA).len(), failures(&world).await), (1, 1), "{:?}", world.subjects());
    assert!(
        contains(&told[0].octets, b"Diagnostic-Code: smtp; 550 5.1.1 no such mailbox, ask [...] or [...]\r\n") && told[0].from.is_none()
    );
    assert!(!contains(&told[0].octets, b"evil"), "a hostile server's links are repeated in a mail of ours");
    assert!(told[0].text().contains(BURGER) && told[0].subject() == "Niet aangekomen: Besluit", "{}", told[0].text());
    let to_us = |m: &zegel::demo::mailbox::Delivered| m.to.iter().any(|to| to.as_str().to_lowercase().starts_with("bounce"));
    assert!(!world.outside.mails().iter().any(to_us), "{:?}", world.subjects());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_reports_come_to_addresses_that_are_ours() {
    let world = world().await;
    let path = return_path(&world, BURGER).await;
    let (name, domain) = path.split_once('@').unwrap();
    let other = if name.ends_with('a') { "i" } else { "a" };
    for forged in [format!("{}{other}@{domain}", &name[..name.len() - 1]), format!("bounce+x@{domain}"), format!("bounce@{domain}")] {
        let reply = world.send("", &[&forged], report("failed").as_bytes()).await.to_string();
        assert!(reply.starts_with("550 5.1.1 "), "{forged}: {reply}");
    }
    let reply = world.send(BURGER, &[&path], mail("Hallo", "Bent u daar?").as_bytes()).await.to_string();
    assert!(reply.starts_with("550 5.7.1 "), "{reply}");
    // Some servers send reports in a name of their own.
    assert_eq!(world.send("mailer-daemon@post.example", &[&path], report("failed").as_bytes()).await.code(), 250);
    world.mails_for(ANNA, 1).await;
    // An ordinary recipient beside it gets the mail.
    assert_eq!(world.send("", &[&path, COLLEGA], report("failed").as_bytes()).await.code(), 250);
    assert_eq!(world.mails_for(COLLEGA, 1).await[0].to.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bounce_that_comes_after_the_end_of_its_message_is_dropped() {
    let world = world().await;
    let path = return_path(&world, BURGER).await;
    // A sweep that begins beside a clock weeks ahead would wait an hour.
    world.running.parts.sweep.round().await.unwrap();
    world.clock.advance(Duration::from_secs(33 * 24 * 3600));
    world.running.parts.sweep.round().await.unwrap();
    assert_eq!(world.send("", &[&path], report("failed").as_bytes()).await.code(), 250);
    all_has_left(&world).await;
    assert_eq!((world.delivered_to(ANNA).len(), failures(&world).await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_such_an_address_the_sender_gets_the_bounce_himself() {
    let world = World::new().await;
    assert_eq!(return_path(&world, BURGER).await, ANNA);
    assert_eq!(world.send("", &["bounce@mail.gemeente.example"], report("failed").as_bytes()).await.code(), 250);
    world.mails_for("bounce@mail.gemeente.example", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_by_a_machine_bounces_to_nobody() {
    let world = world().await;
    assert_eq!(world.send("", &[BURGER], mail("[beveiligd] Melding", "x").as_bytes()).await.code(), 250);
    assert_eq!(world.mails_for(BURGER, 1).await[0].from, None);
}
