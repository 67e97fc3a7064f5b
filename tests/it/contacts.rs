//! To whom nobody has written before: known where a policy asks for it, and only once a mail has really gone there.

use crate::{
    faults::{Fails, Trap, Whose},
    policies::{asked, press, sweep, world, write},
    world::{ANNA, BURGER, BUUR, COLLEGA, World, contains, mail},
};
use reqwest::StatusCode;
use std::time::Duration;
use zegel::record::KeyRange;

const DAY: Duration = Duration::from_secs(24 * 3600);

const NEW: &str = "[[policy]]\nname = 'Nieuw adres'\nwhen = { recipients = { first_contact = true }, to = 'external' }\nthen = 'ask'";

async fn contacts(world: &World) -> usize {
    world.opened.store.list(&KeyRange::under("contact"), 99).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_address_is_asked_about_until_a_mail_has_gone_there_and_again_after_a_year() {
    let world = world(NEW).await;
    let plain = |n: u32| mail("Vergadering", &format!("Dinsdag {n}."));
    assert_eq!(world.send(ANNA, &[BURGER, COLLEGA], plain(1).as_bytes()).await.code(), 250);
    let link = asked(&world).await;
    assert_eq!((world.delivered_to(BURGER).len(), world.delivered_to(COLLEGA).len(), contacts(&world).await), (0, 1, 0));
    assert_eq!(press(&link, &[("choice", "open"), ("reason", "Nieuwe klant")]).await.0, StatusCode::OK);
    world.mails_for(BURGER, 1).await;
    assert_eq!(contacts(&world).await, 1);

    // Known now; the same address in other letters too. Another is asked about.
    assert_eq!(world.send(ANNA, &["burger@POST.example"], plain(2).as_bytes()).await.code(), 250);
    assert_eq!(world.delivered_to("burger@POST.example").len(), 1);
    assert_eq!(world.send(ANNA, &[BUUR], plain(3).as_bytes()).await.code(), 250);
    assert_eq!(world.delivered_to(BUUR).len(), 0);

    // Each month it is written down anew, so a year without mail counts, not one since the first.
    for _ in 0..5 {
        world.clock.advance(DAY * 90);
        sweep(&world).await;
        assert_eq!(world.send(ANNA, &[BURGER], plain(4).as_bytes()).await.code(), 250);
    }
    assert_eq!(world.delivered_to(BURGER).len(), 6);
    world.clock.advance(DAY * 366);
    assert_eq!(world.send(ANNA, &[BURGER], plain(5).as_bytes()).await.code(), 250);
    assert_eq!(world.delivered_to(BURGER).len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_got_it_openly_is_known_while_another_still_waits_for_a_number() {
    let policies =
        format!("{NEW}\n[[policy]]\nname = 'Buur'\nwhen = {{ recipients = {{ all = 2 }}, to = 'buur@post.example' }}\nthen = 'level 2'");
    let world = world(policies.leak()).await;
    assert_eq!(world.send(ANNA, &[BURGER, BUUR], mail("Vergadering", "Dinsdag.").as_bytes()).await.code(), 250);
    let link = asked(&world).await;
    assert!(press(&link, &[("choice", "open"), ("reason", "Nieuwe klant")]).await.1.contains("number-0"));
    world.mails_for(BURGER, 1).await;
    assert_eq!(contacts(&world).await, 1);
    assert_eq!(press(&link, &[("number-0", "06 12345678")]).await.0, StatusCode::OK);
    world.mails_for(BUUR, 1).await;
    assert_eq!(contacts(&world).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_sent_again_is_not_relayed_because_its_recipient_is_known_by_it() {
    let level_1 = "[[policy]]\nname = 'Nieuw adres'\nwhen = { recipients = { first_contact = true }, to = 'external' }\nthen = 'level 1'";
    for policies in [NEW, level_1] {
        let world = world(policies).await;
        let octets = mail("Vergadering", "Dinsdag.");
        assert_eq!(world.send(ANNA, &[BURGER], octets.as_bytes()).await.code(), 250);
        if policies == NEW {
            assert_eq!(press(&asked(&world).await, &[("choice", "1")]).await.0, StatusCode::OK);
        }
        world.mails_for(BURGER, 1).await;
        // Our reply was lost, so the sender's server brings it again.
        assert_eq!(world.send(ANNA, &[BURGER], octets.as_bytes()).await.code(), 250);
        // Another mail passes.
        assert_eq!(world.send(ANNA, &[BURGER], mail("Vergadering", "Woensdag.").as_bytes()).await.code(), 250);
        let came = world.delivered_to(BURGER);
        assert_eq!(came.iter().filter(|m| contains(&m.octets, b"Dinsdag")).count(), 0);
        assert_eq!(came.len(), 2, "a link, and the other mail");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_mail_makes_its_recipients_known_and_a_strangers_mail_does_not() {
    let policy =
        "[[policy]]\nname = 'Nieuw adres'\nwhen = { rule = 'bsn', recipients = { first_contact = true }, to = 'external' }\nthen = 'block'";
    let world = world(policy).await;
    let secret = || mail("Dossier", crate::policies::SECRET);
    assert_eq!(world.send("vreemde@elders.example", &[BURGER], mail("Doorgestuurd", "Dag.").as_bytes()).await.code(), 250);
    assert_eq!(world.send(ANNA, &[BURGER], secret().as_bytes()).await.code(), 550);
    assert_eq!((contacts(&world).await, world.delivered_to(BURGER).len()), (0, 1));
    assert_eq!(world.send(ANNA, &[BURGER], mail("Vergadering", "Dinsdag.").as_bytes()).await.code(), 250);
    // The row is committed behind the reply's cause, before the reply.
    assert_eq!(contacts(&world).await, 1);
    assert_eq!(world.send(COLLEGA, &[BURGER], secret().as_bytes()).await.code(), 250);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_does_not_say_keeps_the_mail_with_its_sender_and_is_not_asked_for_nothing() {
    for (policies, code) in [(NEW, 451), ("", 250)] {
        let trap = Trap::new(Whose::Gateways, 0, Fails::Before);
        let armed = trap.clone();
        let world = World::with(|folder| write(folder, policies), move |opened| trap.set(opened)).await;
        armed.arm();
        assert_eq!(world.send(ANNA, &[BURGER], mail("Vergadering", "Dinsdag.").as_bytes()).await.code(), code);
        assert_eq!(armed.sprung(), code == 451, "no policy asks: no look");
    }
}
