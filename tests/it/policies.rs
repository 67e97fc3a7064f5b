//! What policies do beside sealing: a block that helps, a notice, and the quarantine, told from outside.

use crate::world::{ANNA, BURGER, COLLEGA, World, contains, mail};
use reqwest::{Client, StatusCode, redirect::Policy};
use std::{collections::HashSet, path::Path, time::Duration};
use zegel::{
    control::{Answer, Request, carry_out},
    message::Message,
    record::{KeyRange, Level},
};

pub const SECRET: &str = "Het BSN van mevrouw Bakker is 111222333.";

/// Writes these policies beside one for what can't be read.
pub fn write(folder: &Path, policies: &str) {
    std::fs::create_dir(folder.join("policies")).unwrap();
    let unread = "[[policy]]\nname = \"onleesbaar\"\nwhen = { problem = \"damaged\", to = \"external\" }\nthen = \"level 1\"\n";
    std::fs::write(folder.join("policies/test.toml"), format!("{policies}\n{unread}")).unwrap();
}

/// A zegel with these policies beside one for what can't be read.
pub async fn world(policies: &'static str) -> World {
    World::with(|folder| write(folder, policies), |opened| opened).await
}

pub async fn ask(world: &World, request: Request) -> Answer {
    carry_out(&request, world.opened.store.as_ref(), &world.opened.keyring, world.clock.as_ref()).await
}

/// The one message in quarantine, and its line.
pub async fn waiting(world: &World) -> (String, String) {
    let Answer::Done(list) = ask(world, Request::QuarantineList).await else { panic!("it lists") };
    let [line] = &list.lines().collect::<Vec<_>>()[..] else { panic!("one line: {list:?}") };
    (line.split('\t').next().unwrap().to_owned(), (*line).to_owned())
}

pub async fn sweep(world: &World) {
    world.running.parts.sweep.round().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_says_which_policy_why_and_what_to_do() {
    let world = world("[[policy]]\nname = 'Nooit mailen'\nwhen = { rule = 'bsn', to = 'external' }\nthen = 'block'").await;
    let reply = world.send(ANNA, &[BURGER, COLLEGA], mail("Dossier", SECRET).as_bytes()).await;
    assert_eq!(reply.code(), 550);
    for part in ["Nooit mailen", BURGER, "burgerservicenummer", "helpdesk"] {
        assert!(reply.text().contains(part), "{part}: {}", reply.text());
    }
    assert!(!reply.text().contains("111222333"));
    assert!(world.outside.mails().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_notifies_lets_the_mail_pass_and_tells_its_sender_once() {
    let world = world("[[policy]]\nname = 'Let op'\nwhen = { rule = 'bsn', to = 'external' }\nthen = 'level 2'\nmode = 'notify'").await;
    let open = mail("Dossier", SECRET);
    assert_eq!(world.send(ANNA, &[BURGER], open.as_bytes()).await.code(), 250);
    assert!(world.mails_for(BURGER, 1).await[0].octets.ends_with(open.as_bytes()));
    let told = &world.mails_for(ANNA, 1).await[0];
    assert!(told.from.is_none() && told.text().contains("Let op") && told.text().contains(BURGER), "{}", told.text());
    assert!(!contains(&told.octets, b"111222333"));
    // Neither a machine nor a stranger is told: their mails leave before one that is.
    assert_eq!(world.send("", &[BURGER], open.as_bytes()).await.code(), 250);
    assert_eq!(world.send("vreemde@elders.example", &[BURGER], open.as_bytes()).await.code(), 250);
    assert_eq!(world.send(ANNA, &[BURGER], mail("Dossier", SECRET).as_bytes()).await.code(), 250);
    world.mails_for(ANNA, 2).await;
    assert!(world.delivered_to("vreemde@elders.example").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_monitors_changes_nothing() {
    let world = world("[[policy]]\nname = 'Kijk'\nwhen = { rule = 'bsn' }\nthen = 'block'\nmode = 'monitor'").await;
    let open = mail("Dossier", SECRET);
    assert_eq!(world.send(ANNA, &[BURGER], open.as_bytes()).await.code(), 250);
    assert!(world.mails_for(BURGER, 1).await[0].octets.ends_with(open.as_bytes()));
    assert!(world.opened.store.list(&KeyRange::under("outbox"), 9).await.unwrap().is_empty());
}

const QUARANTINE: &str = "[[policy]]\nname = 'Eerst kijken'\nwhen = { rule = 'bsn', to = 'external' }\nthen = 'quarantine'";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_quarantine_waits_over_a_crash_and_goes_when_it_is_released() {
    let world = world(QUARANTINE).await;
    let sensitive = mail("Dossier", SECRET);
    assert_eq!(world.send(ANNA, &[COLLEGA, BURGER], sensitive.as_bytes()).await.code(), 250);
    assert!(world.mails_for(COLLEGA, 1).await[0].octets.ends_with(sensitive.as_bytes()));
    let told = &world.mails_for(ANNA, 1).await[0];
    assert!(told.text().contains("Eerst kijken") && told.text().contains(BURGER), "{}", told.text());
    assert!(told.link(&world.portal).is_none(), "the sender gets no link");

    let world = world.crash(|opened| opened).await;
    world.clock.advance(Duration::from_secs(6 * 24 * 3600));
    sweep(&world).await;
    let (id, line) = waiting(&world).await;
    assert!(line.contains(ANNA) && line.contains("Eerst kijken") && line.contains("\tbsn\t") && !line.contains("111222333"), "{line}");
    assert!(world.delivered_to(BURGER).is_empty());

    assert_eq!(ask(&world, Request::QuarantineRelease { id: id.clone(), openly: None }).await, Answer::Done(format!("{id}\treleased\n")));
    world.running.parts.wake.notify_one();
    let link = world.mails_for(BURGER, 1).await[0].link(&world.portal).unwrap();
    let opening = world.open_link(&link).await.unwrap();
    assert!(opening.holds(SECRET) && opening.grant.level == Level::One);
    // Decided once: neither again, nor by its day.
    assert!(matches!(ask(&world, Request::QuarantineRelease { id, openly: None }).await, Answer::Failed(_)));
    world.clock.advance(Duration::from_secs(2 * 24 * 3600));
    sweep(&world).await;
    assert!(world.open_link(&link).await.is_some());
    // A letter that was in flight at the crash may come twice, and is the same one then.
    let letters = world.delivered_to(ANNA).into_iter().map(|mail| Message::new(mail.octets).facts().message_id);
    assert_eq!((letters.collect::<HashSet<_>>().len(), world.delivered_to(BURGER).len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_told_to_its_sender_and_gone() {
    let world = world(QUARANTINE).await;
    assert_eq!(world.send(ANNA, &[BURGER], mail("Dossier", SECRET).as_bytes()).await.code(), 250);
    world.mails_for(ANNA, 1).await;
    let (id, _) = waiting(&world).await;
    let reason = "Gebruik het portaal.".to_owned();
    assert!(matches!(ask(&world, Request::QuarantineRefuse { id: id.clone(), reason }).await, Answer::Done(_)));
    // A crash before it is carried out loses nothing, and nobody can release it any more.
    let world = world.crash(|opened| opened).await;
    assert!(matches!(ask(&world, Request::QuarantineRelease { id, openly: None }).await, Answer::Failed(_)));
    sweep(&world).await;
    world.running.parts.wake.notify_one();
    // The letter of before may have been in flight at the crash, and come once more.
    let told = match world.mails_for(ANNA, 2).await {
        letters if letters[1].text() == letters[0].text() => world.mails_for(ANNA, 3).await.remove(2),
        mut letters => letters.remove(1),
    };
    assert!(told.text().contains("Gebruik het portaal.") && told.text().contains(BURGER), "{}", told.text());
    assert!(world.delivered_to(BURGER).is_empty());
    for gone in ["quarantine", "waiting", "of", "grant"] {
        assert!(world.opened.store.list(&KeyRange::under(gone), 9).await.unwrap().is_empty(), "{gone}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_decides_about_expires_and_is_told() {
    let world = world(QUARANTINE).await;
    assert_eq!(world.send(ANNA, &[BURGER], mail("Dossier", SECRET).as_bytes()).await.code(), 250);
    world.mails_for(ANNA, 1).await;
    world.clock.advance(Duration::from_secs(7 * 24 * 3600 + 60));
    sweep(&world).await;
    world.running.parts.wake.notify_one();
    let told = &world.mails_for(ANNA, 2).await[1];
    assert!(told.text().contains("vrijgegeven") && told.text().contains(BURGER), "{}", told.text());
    assert_eq!(ask(&world, Request::QuarantineList).await, Answer::Done(String::new()));
    assert!(world.delivered_to(BURGER).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_for_which_a_number_is_missing_asks_the_sender_but_never_a_stranger() {
    let both = "[[policy]]\nname = 'Eerst kijken'\nwhen = { rule = 'bsn', to = 'external' }\nthen = 'quarantine'\n\
                [[policy]]\nname = 'BSN'\nwhen = { rule = 'bsn', to = 'external' }\nthen = 'level 2'";
    let world = world(both).await;
    assert_eq!(world.send("vreemde@elders.example", &[BURGER], mail("Dossier", SECRET).as_bytes()).await.code(), 250);
    let (id, _) = waiting(&world).await;
    let Answer::Failed(why) = ask(&world, Request::QuarantineRelease { id: id.clone(), openly: None }).await else {
        panic!("a number is missing")
    };
    assert!(why.contains(BURGER), "{why}");
    assert!(matches!(ask(&world, Request::QuarantineRefuse { id, reason: String::new() }).await, Answer::Done(_)));
    sweep(&world).await;

    assert_eq!(world.send(ANNA, &[BURGER], mail("Dossier", SECRET).as_bytes()).await.code(), 250);
    world.mails_for(ANNA, 1).await;
    world.clock.advance(Duration::from_secs(3 * 24 * 3600));
    let (id, _) = waiting(&world).await;
    assert!(matches!(ask(&world, Request::QuarantineRelease { id, openly: None }).await, Answer::Done(_)));
    world.running.parts.wake.notify_one();
    let asked = &world.mails_for(ANNA, 2).await[1];
    assert!(asked.text().contains("/n/"), "{}", asked.text());
    // The days of the quarantine are over, those of the number are not.
    world.clock.advance(Duration::from_secs(5 * 24 * 3600));
    sweep(&world).await;
    assert_eq!(world.delivered_to(ANNA).len(), 2);
    world.clock.advance(Duration::from_secs(3 * 24 * 3600));
    sweep(&world).await;
    world.running.parts.wake.notify_one();
    world.mails_for(ANNA, 3).await;
}

/// Looks at the page of `link`, presses the button with this `choice` there, fills in the fields, says once more that it is meant where that is
/// asked, and gives the page to which that leads.
pub async fn press(link: &str, fields: &[(&str, &str)]) -> (StatusCode, String) {
    let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    let page = client.get(link).send().await.unwrap().text().await.unwrap();
    for (name, value) in fields {
        assert!(
            page.contains(&format!("name=\"{name}\"")) && (*name != "choice" || page.contains(&format!("value=\"{value}\""))),
            "{page}"
        );
    }
    let token = page.split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let mut form = [&[("form", token)], fields].concat();
    let mut answer = client.post(link).header("sec-fetch-site", "same-origin").form(&form).send().await.unwrap();
    while answer.status() != StatusCode::SEE_OTHER {
        let (status, page) = (answer.status(), answer.text().await.unwrap());
        if !page.contains("name=\"sure\"") || form.contains(&("sure", "1")) {
            return (status, page);
        }
        form.push(("sure", "1"));
        answer = client.post(link).header("sec-fetch-site", "same-origin").form(&form).send().await.unwrap();
    }
    let next = client.get(link).send().await.unwrap();
    (next.status(), next.text().await.unwrap())
}

/// The link of the only mail to Anna.
pub async fn asked(world: &World) -> String {
    let mail = &world.mails_for(ANNA, 1).await[0];
    let text = mail.text();
    text.split_whitespace().find(|word| word.contains("/n/")).unwrap_or_else(|| panic!("{text}")).to_owned()
}

/// Mail with a number of ours waits for its sender.
pub const ASK: &str = "[[policy]]\nname = 'Zelf kiezen'\nwhen = { rule = 'bsn', to = 'external' }\nthen = 'ask'";

#[tokio::test(flavor = "multi_thread")]
async fn the_sender_chooses_how_his_message_goes() {
    let world = world(ASK).await;
    assert_eq!(world.send(ANNA, &[BURGER], mail("Dossier", SECRET).as_bytes()).await.code(), 250);
    let link = asked(&world).await;
    assert!(world.delivered_to(BURGER).is_empty());
    let world = world.crash(|opened| opened).await;
    let (status, page) = press(&link, &[("choice", "1")]).await;
    assert!(status == StatusCode::OK && page.contains("Je bericht is verzonden"), "{status} {page}");
    let notification = world.mails_for(BURGER, 1).await[0].link(&world.portal).unwrap();
    let opening = world.open_link(&notification).await.unwrap();
    assert!(opening.holds(SECRET) && opening.grant.level == Level::One);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_chooses_a_code_gives_the_number_next() {
    let world = world(ASK).await;
    assert_eq!(world.send(ANNA, &[BURGER], mail("Dossier", SECRET).as_bytes()).await.code(), 250);
    let link = asked(&world).await;
    let (_, page) = press(&link, &[("choice", "2")]).await;
    assert!(page.contains(BURGER) && page.contains("number-0"), "{page}");
    assert!(world.delivered_to(BURGER).is_empty());
    let (status, page) = press(&link, &[("number-0", "06 12345678")]).await;
    assert!(status == StatusCode::OK && page.contains("Je bericht is verzonden"), "{status} {page}");
    let notification = world.mails_for(BURGER, 1).await[0].link(&world.portal).unwrap();
    assert_eq!(world.open_link(&notification).await.unwrap().grant.level, Level::Two);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_chooses_less_than_another_policy_asks() {
    let both = "[[policy]]\nname = 'Zelf kiezen'\nwhen = { rule = 'bsn', to = 'external' }\nthen = 'ask'\n\
                [[policy]]\nname = 'BSN'\nwhen = { rule = 'bsn', to = 'external' }\nthen = 'level 2'";
    let world = world(both).await;
    assert_eq!(world.send(ANNA, &[BURGER], mail("Dossier", SECRET).as_bytes()).await.code(), 250);
    let link = asked(&world).await;
    let page = reqwest::get(&link).await.unwrap().text().await.unwrap();
    assert!(page.contains("burger@post.example (altijd met sms-code)"), "{page}");
    assert!(page.contains("value=\"2\"") && !page.contains("name=\"choice\" value=\"1\""), "{page}");
    // One that is made up gives nothing away.
    let client = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    let token = page.split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let made_up = [("form", token), ("choice", "1")];
    client.post(&link).header("sec-fetch-site", "same-origin").form(&made_up).send().await.unwrap();
    assert!(reqwest::get(&link).await.unwrap().text().await.unwrap().contains("number-0"), "the number is asked");
    assert!(world.delivered_to(BURGER).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_and_a_stranger_are_never_asked() {
    let world = world(ASK).await;
    for from in ["", "vreemde@elders.example"] {
        assert_eq!(world.send(from, &[BURGER], mail("Dossier", SECRET).as_bytes()).await.code(), 250);
    }
    for came in world.mails_for(BURGER, 2).await {
        assert_eq!(world.open_link(&came.link(&world.portal).unwrap()).await.unwrap().grant.level, Level::One);
    }
    assert!(world.opened.store.list(&KeyRange::under("approval"), 9).await.unwrap().is_empty());
}
