//! A sender's page with everything around it: the mails that lead there, the outbox that it tells of, the sweep that follows it, faults below it.

use crate::{
    bounces,
    faults::{Fails, Trap, Whose},
    openly::until,
    policies::{self, press, sweep},
    reports,
    world::{ANNA, BURGER, World, mail},
};
use reqwest::StatusCode;
use std::time::Duration;
use zegel::{
    clock::Clock as _,
    demo::mailbox::Delivered,
    envelope::dsn::Notify,
    record::{Event, Fact, Key, KeyRange, SealedMessage, State},
    secret::Id,
    time::Time,
};

const DAY: Duration = Duration::from_secs(24 * 3600);

const BODY: &str = "Het besluit is positief, zegt de commissie.";

async fn get(link: &str) -> (StatusCode, String) {
    let answer = reqwest::Client::builder().no_proxy().build().unwrap().get(link).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

/// The page to which a mail to the sender leads.
fn page_of(mail: &Delivered) -> String {
    let text = mail.text();
    text.split_whitespace().find(|word| word.contains("/s/")).unwrap_or_else(|| panic!("{text}")).to_owned()
}

/// The only message, and its page.
async fn message(world: &World) -> (Id, String) {
    let rows = world.opened.store.list(&KeyRange::under("message"), 9).await.unwrap();
    let id = Id::parse(rows[0].0.segments().nth(1).unwrap()).unwrap();
    (id, format!("{}/s/{}", world.portal, world.opened.keyring.master().status_token(id).in_link().expose()))
}

async fn record(world: &World, id: Id) -> SealedMessage {
    let key = Key::message(id);
    world.opened.store.get(&key).await.unwrap().unwrap().read(&key).unwrap()
}

async fn facts(world: &World, fact: Fact) -> usize {
    let events = world.opened.store.list(&KeyRange::under("event"), 200).await.unwrap();
    events.iter().filter(|(key, row)| row.read::<Event>(key).unwrap().what == fact).count()
}

/// Sends a message that is large enough for blobs, the `count`th of them; the link of its notification.
async fn send(world: &World, count: usize) -> String {
    let sensitive = mail("[beveiligd] Besluit", &format!("{BODY}\r\n").repeat(900));
    assert_eq!(world.send(ANNA, &[BURGER], sensitive.as_bytes()).await.code(), 250);
    world.mails_for(BURGER, count).await[count - 1].link(&world.portal).unwrap()
}

async fn blobs(world: &World) -> usize {
    world.opened.blobs.list(Time::from_millis(i64::MAX)).await.unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_tells_when_a_notification_left_and_that_it_came_back_and_the_mail_about_it_leads_there() {
    let world = bounces::world().await;
    let path = bounces::return_path(&world, BURGER).await;
    let (_, page) = message(&world).await;
    until(async || !get(&page).await.1.contains("nog niet verstuurd")).await;
    assert_eq!(world.send("", &[&path], bounces::report("failed").as_bytes()).await.code(), 250);
    let told = world.mails_for(ANNA, 1).await;
    assert_eq!(page_of(&told[0]), page);
    let (status, text) = get(&page).await;
    assert!(status == StatusCode::OK && text.contains("Niet aangekomen") && text.contains(BURGER), "{text}");
    // The link holds no key: with it and the whole store nothing is opened.
    assert!(world.open_link(&page.replace("/s/", "/m/")).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_a_delivery_report_has_the_page_from_the_beginning() {
    let (hop, world) = reports::refused("", Notify { success: true, failure: true, delay: false }).await;
    world.clock.advance(Duration::from_secs(4000));
    world.running.parts.wake.notify_one();
    hop.wait_for_mail_to(ANNA).await;
    let told = hop.mails().into_iter().find(|m| m.to == [ANNA]).unwrap();
    let text = String::from_utf8_lossy(&told.octets()).replace("=\r\n", "");
    let (_, page) = message(&world).await;
    assert!(text.contains(&page), "{text}");
    let (_, text) = press(&page, &[("do", "block")]).await;
    assert!(text.contains("Niemand kan het nu lezen"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_that_has_not_left_when_its_message_is_recalled_does_not_leave() {
    let (hop, world) = reports::refused("", Notify::default()).await;
    let (id, page) = message(&world).await;
    let (_, text) = press(&page, &[("do", "recall"), ("sure", "1")]).await;
    assert!(text.contains("niemand kan het meer lezen") && text.contains("nog niet verstuurd"), "{text}");
    assert_eq!(record(&world, id).await.state, State::Recalled);
    world.clock.advance(Duration::from_secs(4000));
    world.running.parts.wake.notify_one();
    until(async || world.opened.store.list(&KeyRange::under("outbox"), 1).await.unwrap().is_empty()).await;
    assert!(hop.mails().iter().all(|m| m.to != [BURGER]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_day_was_moved_goes_on_that_day_and_not_before_across_restarts() {
    let world = World::new().await;
    let link = send(&world, 1).await;
    let (id, page) = message(&world).await;
    let first = record(&world, id).await.expires;
    let later = first.plus_days(40);
    assert!(press(&page, &[("do", "day"), ("day", &later.to_string())]).await.1.contains(&later.to_string()));
    let world = world.crash(|opened| opened).await;
    // The sweep believes a clock that has gone on by a day, not one that jumped.
    let pass = async |world: &World, days: u32| {
        for _ in 0..days {
            world.clock.advance(DAY);
            sweep(world).await;
        }
    };
    pass(&world, 35).await;
    assert!(world.clock.now() > first.plus_days(2).begins() && world.open_link(&link).await.unwrap().holds(BODY));
    pass(&world, 37).await;
    assert_eq!((record(&world, id).await.state, blobs(&world).await), (State::Gone, 0));
    assert!(world.open_link(&link).await.is_none() && world.opened.keyring.existing(later).is_none(), "its key is destroyed");
    assert!(get(&page).await.1.contains("verlopen of niet verzonden"));

    // A shorter time ends at once, whatever the row of before says.
    let link = send(&world, 2).await;
    let rows = world.opened.store.list(&KeyRange::under("message"), 9).await.unwrap();
    let ids = rows.iter().map(|(key, _)| Id::parse(key.segments().nth(1).unwrap()).unwrap());
    let mut alive = Vec::new();
    for id in ids {
        if record(&world, id).await.state == State::Sent {
            alive.push(id);
        }
    }
    let token = world.opened.keyring.master().status_token(alive[0]);
    let page = format!("{}/s/{}", world.portal, token.in_link().expose());
    let today = world.clock.now().day();
    press(&page, &[("do", "day"), ("day", &today.to_string())]).await;
    assert!(world.open_link(&link).await.unwrap().holds(BODY));
    pass(&world, 1).await;
    assert_eq!((record(&world, alive[0]).await.state, blobs(&world).await), (State::Gone, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recall_is_whole_or_has_not_happened_whichever_step_fails_and_a_second_press_ends_it() {
    for how in [Fails::Before, Fails::After, Fails::Panics] {
        for at in 0.. {
            let trap = Trap::new(Whose::Gateways, at, how);
            let world = World::with(|_| {}, |opened| trap.set(opened)).await;
            let link = send(&world, 1).await;
            let (id, page) = message(&world).await;
            until(async || facts(&world, Fact::Notified).await == 1).await;
            let (_, shown) = get(&page).await;
            let form = shown.split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
            trap.arm();
            let fields = [("form", form.as_str()), ("do", "recall"), ("sure", "1")];
            let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
            let answer = client.post(&page).form(&fields).send().await.unwrap().status();
            let sprung = trap.sprung();
            trap.disarm();
            let state = record(&world, id).await.state;
            match state {
                State::Sent => {
                    let opening = world.open_link(&link).await.unwrap();
                    assert!(opening.holds(BODY) && answer.is_server_error(), "{how:?} at {at}: {answer}");
                }
                State::Recalled => assert!(get(&link).await.1.contains("geblokkeerd of ingetrokken"), "{how:?} at {at}"),
                other => panic!("{how:?} at {at}: {other:?}"),
            }
            let again = client.post(&page).form(&fields).send().await.unwrap().status();
            assert_eq!((again, record(&world, id).await.state), (StatusCode::SEE_OTHER, State::Recalled), "{how:?} at {at}");
            assert_eq!(facts(&world, Fact::Recalled).await, 1, "{how:?} at {at}: told once");
            assert!(get(&link).await.1.contains("geblokkeerd of ingetrokken"));
            // What a failure left of its blobs is swept.
            world.clock.advance(DAY);
            sweep(&world).await;
            world.running.parts.sweep.orphans().await.unwrap();
            assert_eq!(blobs(&world).await, 0, "{how:?} at {at}");
            if !sprung {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_by_which_a_sender_was_asked_lives_as_long_as_the_message_whose_day_he_moved() {
    let world = policies::world("[[policy]]\nname = 'BSN'\nwhen = { rule = 'bsn', to = 'external' }\nthen = 'level 2'").await;
    assert_eq!(world.send(ANNA, &[BURGER], mail("Dossier", "Het BSN is 111222333.").as_bytes()).await.code(), 250);
    let asked = policies::asked(&world).await;
    let (_, done) = press(&asked, &[("number-0", "06 12345678")]).await;
    let page = asked.replace("/n/", "/s/");
    assert!(done.contains(page.strip_prefix(&world.portal).unwrap()), "{done}");
    let (id, _) = message(&world).await;
    let later = record(&world, id).await.expires.plus_days(40);
    press(&page, &[("do", "day"), ("day", &later.to_string())]).await;
    for _ in 0..60 {
        world.clock.advance(DAY);
        sweep(&world).await;
    }
    let (status, text) = get(&page).await;
    assert!(status == StatusCode::OK && text.contains(BURGER) && text.contains("name=\"day\""), "{text}");
    for _ in 0..15 {
        world.clock.advance(DAY);
        sweep(&world).await;
    }
    assert_eq!((get(&page).await.0, record(&world, id).await.state), (StatusCode::NOT_FOUND, State::Gone));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_of_the_organisation_has_no_page_that_decides() {
    let world = World::new().await;
    let outsider = "iemand@elders.example";
    let forwarded = mail("[beveiligd] Besluit", BODY).replace(ANNA, outsider);
    assert_eq!(world.send(outsider, &[BURGER], forwarded.as_bytes()).await.code(), 250);
    world.mails_for(BURGER, 1).await;
    let (_, page) = message(&world).await;
    assert_eq!(get(&page).await.0, StatusCode::NOT_FOUND);
}
