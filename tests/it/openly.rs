//! A held mail that its sender, or the organisation, lets go as it is: the very octets, in the very envelope, for a reason that is kept.

use crate::{
    loops::smtp_words,
    policies::{ASK, SECRET, ask, asked, press, sweep, waiting, world, write},
    sink::{Act, Sink},
    world::{ANNA, BURGER, BUUR, COLLEGA, World, contains, mail, send_asking},
};
use reqwest::StatusCode;
use std::time::Duration;
use zegel::{
    control::{Answer, Request},
    record::{Event, Fact, Key, KeyRange, SealedMessage, State},
    smtp::Reply,
};

const REASON: &str = "De burger vroeg hier \"zelf\" om.";

/// What was written down of a kind of event: who and why.
async fn told(world: &World, what: Fact) -> Vec<(String, String)> {
    let master = world.opened.keyring.master();
    let rows = world.opened.store.list(&KeyRange::under("event"), usize::MAX).await.unwrap();
    let mut told = Vec::new();
    for (key, row) in rows {
        let event: Event = row.read(&key).unwrap();
        if event.what == what {
            let open =
                |name, sealed: Option<_>| sealed.map(|s| master.open_field(name, &key, &s).unwrap().expose().clone()).unwrap_or_default();
            told.push((open("by", event.by), open("reason", event.reason)));
        }
    }
    told
}

/// Waits half a minute at most until something is so.
pub async fn until(what: impl AsyncFn() -> bool) {
    let wait = async {
        while !what().await {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(30), wait).await.is_ok(), "it never was");
}

async fn message(world: &World) -> SealedMessage {
    let rows = world.opened.store.list(&KeyRange::under("message"), 2).await.unwrap();
    let [(key, row)] = &rows[..] else { panic!("one message") };
    row.read(key).unwrap()
}

/// Whether any file of the store holds this in clear.
fn on_disk(world: &World, text: &str) -> bool {
    let mut folders = vec![world.folder.path().join("data")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            match entry.file_type().unwrap() {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() && contains(&std::fs::read(entry.path()).unwrap(), text.as_bytes()) => return true,
                _ => {}
            }
        }
    }
    false
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_sender_lets_go_arrives_as_he_wrote_it_and_his_reason_is_kept() {
    let world = world(ASK).await;
    let octets = mail("Dossier", SECRET);
    assert_eq!(world.send(ANNA, &[BURGER], octets.as_bytes()).await.code(), 250);
    let link = asked(&world).await;
    let world = world.crash(|opened| opened).await;
    let (status, page) = press(&link, &[("choice", "open"), ("reason", REASON)]).await;
    assert!(status == StatusCode::OK && page.contains("zonder extra beveiliging"), "{status} {page}");

    let came = &world.mails_for(BURGER, 1).await[0];
    assert!(came.octets.ends_with(octets.as_bytes()), "{}", String::from_utf8_lossy(&came.octets));
    assert!(came.octets.starts_with(b"Received: ") && contains(&came.octets, b"for <burger@post.example>"));
    assert_eq!(came.from.as_ref().unwrap().as_str(), ANNA);
    assert_eq!(told(&world, Fact::SentOpenly).await, [(ANNA.to_owned(), REASON.to_owned())]);
    assert!(world.opened.store.list(&KeyRange::under("grant"), 1).await.unwrap().is_empty(), "nobody has a link");

    // Decided once.
    assert!(reqwest::get(&link).await.unwrap().text().await.unwrap().contains("zonder extra beveiliging"));
    let World { running, .. } = &world;
    assert!(!on_disk(&world, SECRET) && !on_disk(&world, "zelf"), "nothing of it lies about in clear");
    running.parts.wake.notify_one();
    // Nothing is kept of it after some days.
    world.clock.advance(Duration::from_secs(6 * 24 * 3600));
    sweep(&world).await;
    let message = message(&world).await;
    assert!(message.state == State::Gone && message.blobs.is_empty());
    assert_eq!(world.delivered_to(BURGER).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_reason_nothing_leaves_and_the_page_says_so() {
    let world = world(ASK).await;
    assert_eq!(world.send(ANNA, &[BURGER], mail("Dossier", SECRET).as_bytes()).await.code(), 250);
    let link = asked(&world).await;
    for (typed, fault) in [("  ", "Vul in waarom"), (&"te lang ".repeat(40), "hooguit 300 tekens")] {
        let (status, page) = press(&link, &[("choice", "open"), ("reason", typed)]).await;
        assert!(status == StatusCode::UNPROCESSABLE_ENTITY && page.contains(fault), "{status} {page}");
        assert!(typed.trim().is_empty() || page.contains("te lang te lang"), "what was typed is not lost");
    }
    // He may still choose otherwise; what was kept for the other way goes.
    assert!(message(&world).await.original.is_some());
    assert_eq!(press(&link, &[("choice", "1")]).await.0, StatusCode::OK);
    let opening = world.open_link(&world.mails_for(BURGER, 1).await[0].link(&world.portal).unwrap()).await.unwrap();
    assert!(opening.holds(SECRET));
    let message = message(&world).await;
    assert!(message.original.is_none() && message.blobs.is_empty());
    assert!(told(&world, Fact::SentOpenly).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_press_alone_lets_nothing_go_openly_and_the_page_says_to_whom_it_would() {
    let policies = format!("{ASK}\n[[policy]]\nname = 'Buur'\nwhen = {{ rule = 'bsn', to = 'buur@post.example' }}\nthen = 'level 1'");
    let world = world(policies.leak()).await;
    assert_eq!(world.send(ANNA, &[BURGER, BUUR], mail("Dossier", SECRET).as_bytes()).await.code(), 250);
    let link = asked(&world).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let page = client.get(&link).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("buur@post.example (blijft beveiligd)"), "{page}");
    let token = page.split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form = [("form", token), ("choice", "open"), ("reason", REASON)];
    let answer = client.post(&link).header("sec-fetch-site", "same-origin").form(&form).send().await.unwrap();
    let (status, page) = (answer.status(), answer.text().await.unwrap());
    assert!(status == StatusCode::OK && page.contains("Zonder beveiliging verzenden?") && page.contains("name=\"sure\""), "{page}");
    assert!(page.contains("<li>burger@post.example</li>") && !page.contains("<li>buur@"), "{page}");
    assert!(
        page.contains("Voor één ontvanger moet het beveiligd blijven") && page.contains("De burger vroeg hier &quot;zelf&quot; om."),
        "{page}"
    );
    assert!(world.delivered_to(BURGER).is_empty() && told(&world, Fact::SentOpenly).await.is_empty());
    assert!(reqwest::get(&link).await.unwrap().text().await.unwrap().contains("value=\"2\""), "it still waits");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_not_on_offer_where_a_policy_asks_for_protection_or_binds_the_sender() {
    let level = format!("{ASK}\n[[policy]]\nname = 'BSN'\nwhen = {{ rule = 'bsn', to = 'external' }}\nthen = 'level 1'");
    for policies in [format!("{ASK}\nmode = 'mandatory'"), level] {
        let world = world(policies.leak()).await;
        assert_eq!(world.send(ANNA, &[BURGER], mail("Dossier", SECRET).as_bytes()).await.code(), 250);
        let link = asked(&world).await;
        let page = reqwest::get(&link).await.unwrap().text().await.unwrap();
        assert!(page.contains("value=\"1\"") && !page.contains("value=\"open\""), "{page}");
        assert!(message(&world).await.original.is_none(), "nor is anything kept for it");
        // One that is made up changes nothing.
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let token = page.split("name=\"form\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let form = [("form", token), ("choice", "open"), ("reason", REASON)];
        client.post(&link).header("sec-fetch-site", "same-origin").form(&form).send().await.unwrap();
        assert!(reqwest::get(&link).await.unwrap().text().await.unwrap().contains("name=\"choice\""), "it still waits");
        assert!(world.delivered_to(BURGER).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_a_policy_protects_stays_protected_while_the_others_get_it_as_it_is() {
    let policies = format!("{ASK}\n[[policy]]\nname = 'Buur'\nwhen = {{ rule = 'bsn', to = 'buur@post.example' }}\nthen = 'level 2'");
    let world = world(policies.leak()).await;
    let octets = mail("Dossier", SECRET);
    assert_eq!(world.send(ANNA, &[BURGER, BUUR], octets.as_bytes()).await.code(), 250);
    let link = asked(&world).await;
    let page = reqwest::get(&link).await.unwrap().text().await.unwrap();
    for told in ["<li>burger@post.example</li>", "buur@post.example (altijd met sms-code)", "Eén ontvanger krijgt toch een code per sms"] {
        assert!(page.contains(told), "{told}: {page}");
    }
    let (_, page) = press(&link, &[("choice", "open"), ("reason", REASON)]).await;
    assert!(page.contains(BUUR) && !page.contains(BURGER) && page.contains("number-0"), "{page}");
    assert!(world.mails_for(BURGER, 1).await[0].octets.ends_with(octets.as_bytes()));
    assert!(world.delivered_to(BUUR).is_empty());
    assert_eq!(press(&link, &[("number-0", "06 12345678")]).await.0, StatusCode::OK);
    let notification = world.mails_for(BUUR, 1).await[0].link(&world.portal).unwrap();
    assert!(world.open_link(&notification).await.unwrap().holds(SECRET));
    assert_eq!((world.delivered_to(BURGER).len(), world.delivered_to(BUUR).len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn its_envelope_is_the_senders_own_and_a_refusal_is_told_to_him() {
    let hop = Sink::start().await;
    hop.offers(&["PIPELINING", "8BITMIME", "DSN", "SMTPUTF8", "SIZE 50000000"]);
    let world = World::next_to_writing(hop.address(), |folder| write(folder, ASK)).await;
    let octets = mail("Dossier", &format!("{SECRET}\r\n.. punten en tekens: \u{e9}"));
    let to = [(BURGER, " NOTIFY=FAILURE ORCPT=rfc822;burger+2Boud@post.example"), (BUUR, "")];
    // Just started, zegel may not know yet what the next hop can do.
    let mut reply = Reply::TRY_LATER;
    while reply.code() == 451 {
        reply = send_asking(world.gateway, (ANNA, " BODY=8BITMIME RET=HDRS ENVID=QQ314"), &to, octets.as_bytes()).await;
    }
    assert_eq!(reply.code(), 250);
    hop.wait_for_mail_to(ANNA).await;
    let asked = hop.mails().into_iter().find(|m| m.to == [ANNA]).unwrap();
    let text = zegel::message::Message::new(asked.octets().into()).readable().text.unwrap();
    let link = text.split_whitespace().find(|word| word.contains("/n/")).unwrap().to_owned();
    hop.fails_times("RCPT TO:<buur@", Act::Reply("550 5.1.1 no such mailbox".to_owned()), 0, 9);
    assert_eq!(press(&link, &[("choice", "open"), ("reason", REASON)]).await.0, StatusCode::OK);
    hop.wait_for_mail_to(BURGER).await;
    let came = hop.mails().into_iter().find(|m| m.to == [BURGER]).unwrap();
    assert!(came.octets().ends_with(octets.as_bytes()) && came.from == ANNA);
    for word in ["BODY=8BITMIME", "RET=HDRS", "ENVID=QQ314"] {
        assert!(came.mail.contains(word), "{}", came.mail);
    }
    let asked = "RCPT TO:<burger@post.example> NOTIFY=FAILURE ORCPT=rfc822;burger+2Boud@post.example";
    // Once when it came, and once when it went.
    assert_eq!(hop.commands().iter().filter(|c| c.contains(asked)).count(), 2);
    let is_report = |m: &crate::sink::Sunk| m.to == [ANNA] && contains(&m.octets(), b"Action: failed");
    until(async || hop.mails().iter().any(is_report)).await;
    let report = String::from_utf8(hop.mails().into_iter().find(is_report).unwrap().octets()).unwrap();
    assert!(report.contains("Final-Recipient: rfc822; buur@post.example") && report.contains("Original-Envelope-Id: QQ314"), "{report}");
    until(async || world.opened.store.list(&KeyRange::under("openly"), 1).await.unwrap().is_empty()).await;
    assert_eq!(told(&world, Fact::Relayed).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_tried_until_the_next_hop_has_it_and_what_is_damaged_meanwhile_is_told() {
    let hop = Sink::start().await;
    let world = World::next_to_writing(hop.address(), |folder| write(folder, ASK)).await;
    let octets = mail("Dossier", SECRET);
    assert_eq!(world.send(ANNA, &[BURGER, BUUR], octets.as_bytes()).await.code(), 250);
    hop.wait_for_mail_to(ANNA).await;
    let text = zegel::message::Message::new(hop.mails()[0].octets().into()).readable().text.unwrap();
    let link = text.split_whitespace().find(|word| word.contains("/n/")).unwrap().to_owned();
    hop.fails("RCPT TO:<bu", Act::Reply("451 4.2.0 busy".to_owned()));
    assert_eq!(press(&link, &[("choice", "open"), ("reason", REASON)]).await.0, StatusCode::OK);
    until(async || hop.commands().iter().filter(|c| c.starts_with("RCPT TO:<bu")).count() >= 4).await;
    let world = world.crash(|opened| opened).await;
    hop.heals();
    // One of the two is damaged on disk.
    let rows = world.opened.store.list(&KeyRange::under("openly"), 9).await.unwrap();
    assert_eq!(rows.len(), 2);
    let mut batch = zegel::record::Batch::new();
    batch.delete(Key::openly(rows[1].0.segments().nth(1).and_then(zegel::secret::Id::parse).unwrap(), 1), zegel::record::Expect::Anything);
    world.opened.store.commit(batch).await.unwrap();
    world.clock.advance(Duration::from_secs(3600));
    world.running.parts.wake.notify_one();
    hop.wait_for_mail_to(BURGER).await;
    let lost =
        |m: &crate::sink::Sunk| m.to == [ANNA] && contains(&m.octets(), b"buur@post.example") && contains(&m.octets(), b"Status: 5.3.0");
    until(async || hop.mails().iter().any(lost)).await;
    assert_eq!(hop.mails().iter().filter(|m| m.to == [BURGER]).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_marked_as_judged_like_any_mail_that_is_relayed() {
    let world = World::with(
        |folder| {
            smtp_words(folder, "loop_header = true");
            write(folder, ASK);
        },
        |opened| opened,
    )
    .await;
    assert_eq!(world.send(ANNA, &[BURGER], mail("Dossier", SECRET).as_bytes()).await.code(), 250);
    let link = asked(&world).await;
    assert_eq!(press(&link, &[("choice", "open"), ("reason", REASON)]).await.0, StatusCode::OK);
    let came = world.mails_for(BURGER, 1).await[0].octets.to_vec();
    // Its server brings it by once more: it passes to the same, and to nobody else.
    assert_eq!(world.send(ANNA, &[BURGER], &came).await.code(), 250);
    world.mails_for(BURGER, 2).await;
    assert_eq!(world.send(ANNA, &[BUUR], &came).await.code(), 250);
    world.mails_for(ANNA, 2).await;
    assert!(world.delivered_to(BUUR).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_lets_it_go_openly_hears_for_how_many_it_stays_protected() {
    let policies = "[[policy]]\nname = 'Kijken'\nwhen = { rule = 'bsn', to = 'external' }\nthen = 'quarantine'\n\
                    [[policy]]\nname = 'Buur'\nwhen = { rule = 'bsn', to = 'buur@post.example' }\nthen = 'level 1'";
    let world = world(policies).await;
    assert_eq!(world.send(ANNA, &[BURGER, BUUR], mail("Dossier", SECRET).as_bytes()).await.code(), 250);
    let (id, _) = waiting(&world).await;
    let answer = ask(&world, Request::QuarantineRelease { id, openly: Some(REASON.to_owned()) }).await;
    assert!(matches!(&answer, Answer::Done(said) if said.contains("1 of 2 recipients get a link")), "{answer:?}");
    world.running.parts.wake.notify_one();
    assert!(contains(&world.mails_for(BURGER, 1).await[0].octets, SECRET.as_bytes()));
    assert!(!contains(&world.mails_for(BUUR, 1).await[0].octets, SECRET.as_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_organisation_lets_go_openly_what_only_the_quarantine_held() {
    let held = "[[policy]]\nname = 'Kijken'\nwhen = { rule = 'bsn', to = 'external' }\nthen = 'quarantine'\nmode = 'mandatory'";
    let level = format!("{held}\n[[policy]]\nname = 'BSN'\nwhen = {{ rule = 'bsn', to = 'external' }}\nthen = 'level 1'");
    for (policies, works) in [(held.to_owned(), true), (level, false)] {
        let world = world(policies.leak()).await;
        let octets = mail("Dossier", SECRET);
        assert_eq!(world.send(ANNA, &[BURGER, COLLEGA], octets.as_bytes()).await.code(), 250);
        let (id, _) = waiting(&world).await;
        let openly = Some(REASON.to_owned());
        let answer = ask(&world, Request::QuarantineRelease { id: id.clone(), openly }).await;
        if !works {
            assert!(matches!(&answer, Answer::Failed(why) if why.contains("without --openly")), "{answer:?}");
            continue;
        }
        assert!(matches!(answer, Answer::Done(_)), "{answer:?}");
        world.running.parts.wake.notify_one();
        assert!(world.mails_for(BURGER, 1).await[0].octets.ends_with(octets.as_bytes()));
        assert_eq!(told(&world, Fact::SentOpenly).await, [("zegel quarantine".to_owned(), REASON.to_owned())]);
        assert!(matches!(ask(&world, Request::QuarantineRelease { id, openly: None }).await, Answer::Failed(_)), "decided once");
    }
}
