//! A sender who does not react is reminded after 4 hours and after 24, once each, whatever restarts; and never of what he has decided.

use crate::{
    openly::until,
    policies::{ASK, SECRET, asked, press, sweep, world},
    sink::Sink,
    world::{ANNA, BURGER, World, mail, outbox_alone},
};
use reqwest::StatusCode;
use std::{sync::Arc, time::Duration};
use tokio::sync::{Notify, watch};
use zegel::{
    address::Address,
    clock::{Clock as _, SetClock},
    demo::mailbox::Delivered,
    grant,
    notice::Letter,
    outbox::{self, Outbox},
    record::{Approval, Batch, Expect, FORMAT, Key, KeyRange, Sealed, SealedMessage, State},
    seal::lookup_id,
    secret::{Id, Token},
    smtp::client::{ClientOptions, NextHop, Routes},
    store::{Keyring, Store, memory::MemoryStore},
    time::Time,
};

const HOUR: Duration = Duration::from_secs(3600);

const LEVEL_2: &str = "[[policy]]\nname = 'BSN'\nwhen = { rule = 'bsn', to = 'external' }\nthen = 'level 2'";

/// Waits until whatever is due has left.
async fn settled(world: &World) {
    world.running.parts.wake.notify_one();
    let due = [KeyRange::under("outbox"), KeyRange::reminders_until(world.clock.now())];
    let rows = async |range: &KeyRange| world.opened.store.list(range, 1).await.unwrap().len();
    until(async || rows(&due[1]).await + rows(&due[0]).await == 0).await;
}

/// What Anna has after so many further hours.
async fn after(world: &World, hours: u32) -> Vec<Delivered> {
    world.clock.advance(HOUR * hours);
    settled(world).await;
    world.delivered_to(ANNA)
}

async fn waiting_reminders(world: &World) -> usize {
    world.opened.store.list(&KeyRange::under("reminder"), 9).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_gives_no_number_is_reminded_twice_and_then_told_that_it_was_not_sent() {
    let mut world = world(LEVEL_2).await;
    assert_eq!(world.send(ANNA, &[BURGER], mail("Dossier", SECRET).as_bytes()).await.code(), 250);
    let link = asked(&world).await;
    assert_eq!(after(&world, 3).await.len(), 1);
    for (hours, mails) in [(1, 2), (19, 2), (1, 3), (24, 3), (24, 3)] {
        // Every look of its own process: nothing is forgotten, nothing sent again.
        world = world.crash(|opened| opened).await;
        // Its sweep has looked at the clock before that goes on: a process that begins beside a clock days ahead waits an hour, in case it is wrong.
        sweep(&world).await;
        let came = after(&world, hours).await;
        assert_eq!(came.len(), mails, "{:?}", world.subjects());
        for reminder in &came[1..] {
            assert!(reminder.subject().starts_with("Herinnering: Nummer nodig"), "{}", reminder.subject());
            assert!(reminder.text().contains(&link) && reminder.text().contains("Dit is een herinnering"), "{}", reminder.text());
            let day = |mail: &Delivered| mail.text().lines().find(|l| l.starts_with("Het gaat om")).unwrap().to_owned();
            assert_eq!(day(reminder), day(&came[0]), "it names the message's own time");
        }
    }
    world.clock.advance(HOUR * 24 * 5);
    sweep(&world).await;
    settled(&world).await;
    let last = world.mails_for(ANNA, 4).await.pop().unwrap();
    assert!(last.subject().starts_with("Niet verzonden"), "{}", last.subject());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_decided_is_reminded_of_nothing() {
    for (policy, fields) in [(LEVEL_2, ("number-0", "06 12345678")), (ASK, ("choice", "1"))] {
        let world = world(policy).await;
        assert_eq!(world.send(ANNA, &[BURGER], mail("Dossier", SECRET).as_bytes()).await.code(), 250);
        let link = asked(&world).await;
        assert_eq!(after(&world, 5).await.len(), 2);
        assert_eq!((press(&link, &[fields]).await.0, waiting_reminders(&world).await), (StatusCode::OK, 0));
        world.mails_for(BURGER, 1).await;
        assert_eq!(after(&world, 48).await.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_chosen_a_code_is_reminded_of_the_number_only() {
    let world = world(ASK).await;
    assert_eq!(world.send(ANNA, &[BURGER], mail("Dossier", SECRET).as_bytes()).await.code(), 250);
    let link = asked(&world).await;
    assert!(after(&world, 4).await[1].subject().starts_with("Herinnering: Kies hoe"));
    assert!(press(&link, &[("choice", "2")]).await.1.contains("number-0"));
    assert_eq!(after(&world, 3).await.len(), 2);
    assert!(after(&world, 1).await[2].subject().starts_with("Herinnering: Nummer nodig"), "counted from the choice");
    assert_eq!(after(&world, 20).await.len(), 4, "{:?}", world.subjects());
    assert_eq!(press(&link, &[("number-0", "06 12345678")]).await.0, StatusCode::OK);
    world.mails_for(BURGER, 1).await;
}

/// The outbox of one of several nodes over one store.
fn node(store: Arc<MemoryStore>, keyring: &Arc<Keyring>, clock: &Arc<SetClock>, hop: &Sink) -> (Arc<Outbox>, outbox::Tray) {
    let wake = Arc::new(Notify::new());
    let (store, tray) = outbox::claiming(store, clock.clone(), wake.clone());
    let routes = Routes::only(NextHop::plain("127.0.0.1", hop.address().port()), ClientOptions::new("zegel.example"));
    (Arc::new(outbox_alone(store, keyring.clone(), routes, clock.clone(), wake)), tray)
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_nodes_one_reminds() {
    const HELD: usize = 40;
    let (hop, clock) = (Sink::start().await, Arc::new(SetClock::at(Time::from_millis(1_800_000_000_000))));
    let store = Arc::new(MemoryStore::new());
    let keyring = Arc::new(Keyring::in_memory(store.clone()));
    let now = clock.now();
    for n in 0..HELD {
        let (message, token, mut batch) = (Id::random(), Token::random(), Batch::new());
        let (v, until) = (FORMAT, now.plus(HOUR * 24 * 7));
        let record = SealedMessage {
            v,
            state: State::Held,
            at: now,
            expires: now.day().plus_days(30),
            generation: 1,
            sender: None,
            language: "nl".to_owned(),
            card: Id::random(),
            sealed_card: None,
            original: None,
            ours: true,
            files_only: false,
            blobs: Vec::new(),
            asked: None,
            moved: false,
        };
        batch.put(Key::message(message), &record, Expect::Absent);
        let (wrap, reminders) = (Sealed(Vec::new()), Vec::new());
        let approval = Approval { v, message, wrap, until, released: None, ask: true, openly: false, reminders };
        batch.put(Key::approval(lookup_id(&token)), &approval, Expect::Absent);
        let letter = Letter::Ask {
            token,
            sender: Address::parse(&format!("anna{n}@gemeente.example")).unwrap(),
            recipients: vec![Address::parse(BURGER).unwrap()],
            more: 0,
            subject: None,
            why: Vec::new(),
            policy: "Zelf kiezen".to_owned(),
            until: until.day(),
            reminds_of: None,
            language: "nl".to_owned(),
        };
        grant::remind(&mut batch, &keyring.master(), letter, (message, now), &grant::reminders(now, until), now);
        store.commit(batch).await.unwrap();
    }
    clock.advance(HOUR * 4);
    let (stop, stopped) = watch::channel(false);
    let nodes: Vec<_> = (0..3).map(|_| node(store.clone(), &keyring, &clock, &hop)).collect();
    let nodes: Vec<_> = nodes.into_iter().map(|(outbox, tray)| tokio::spawn(outbox.run(tray, stopped.clone()))).collect();
    let due = [KeyRange::under("outbox"), KeyRange::reminders_until(clock.now())];
    let rows = async |range: &KeyRange| store.list(range, 1).await.unwrap().len();
    until(async || rows(&due[1]).await + rows(&due[0]).await == 0).await;
    stop.send(true).unwrap();
    for node in nodes {
        node.await.unwrap();
    }
    let mut to: Vec<_> = hop.mails().into_iter().flat_map(|m| m.to).collect();
    to.sort();
    assert_eq!(to.len(), HELD);
    to.dedup();
    assert_eq!((to.len(), store.list(&KeyRange::under("reminder"), 99).await.unwrap().len()), (HELD, HELD));
}
