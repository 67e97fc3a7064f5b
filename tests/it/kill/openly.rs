//! kill -9 while senders let their mails go openly: what the page has confirmed leaves as it was written, once, and the reason is kept once.

use super::{HELD, mails_for, wait_for_all};
use crate::{
    policies::{ASK, SECRET, write},
    process::{Zegel, configure},
    world::{contains, outside, send_to},
};
use std::collections::BTreeSet;
use tempfile::TempDir;
use tokio::task::JoinSet;
use zegel::{
    clock::{Clock as _, SystemClock},
    record::{Event, Fact, KeyRange},
    secret::random_below,
    store::{self, StoreOptions},
};

/// Lives that are ended while buttons are pressed.
const KILLS: usize = 3;

fn octets(n: usize) -> String {
    let body = format!("{SECRET} merkteken-{n:03}");
    format!("From: a{n}@gemeente.example\r\nTo: h{n}@post.example\r\nSubject: Dossier\r\nMessage-ID: <{n}@x>\r\n\r\n{body}\r\n")
}

/// Chooses on the page of `link`, if there is still a choice; whether the page says that the mail has left. Nobody may answer.
async fn choose(link: String) -> Option<bool> {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let page = client.get(&link).send().await.ok()?.text().await.ok()?;
    let has_left = |page: &str| page.contains("zonder extra beveiliging");
    if has_left(&page) {
        return Some(true);
    }
    let token = page.split("name=\"form\" value=\"").nth(1)?.split('"').next()?;
    let form = [("form", token), ("choice", "open"), ("reason", "mag van de burger"), ("sure", "1")];
    let page = client.post(&link).header("sec-fetch-site", "same-origin").form(&form).send().await.ok()?.text().await.ok()?;
    Some(has_left(&page))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_page_has_let_go_leaves_as_it_was_written() {
    let folder = TempDir::new().unwrap();
    let (outside, hop, _keep) = outside().await;
    let (gateway, portal) = configure(folder.path(), hop);
    write(folder.path(), ASK);
    let mut zegel = Zegel::run(folder.path());
    for n in 0..HELD {
        let reply = send_to(gateway, &format!("a{n}@gemeente.example"), &[&format!("h{n}@post.example")], octets(n).as_bytes()).await;
        assert_eq!(reply.code(), 250, "{reply}");
    }
    wait_for_all(&outside, 'a', "gemeente.example").await;
    let link = |n| mails_for(&outside, &format!("a{n}@gemeente.example"))[0].link(&portal).expect("a link");
    let links: Vec<_> = (0..HELD).map(link).collect();

    let mut left = BTreeSet::new();
    for _ in 0..KILLS {
        let mut presses = JoinSet::new();
        for (n, link) in links.iter().cloned().enumerate().filter(|(n, _)| !left.contains(n)) {
            presses.spawn(async move { (n, choose(link).await) });
        }
        // After one more than so many answers.
        let mut until = random_below(u32::try_from(presses.len().max(1)).unwrap());
        let mut running = Some(zegel);
        while let Some(pressed) = presses.join_next().await {
            if let (n, Some(true)) = pressed.unwrap() {
                left.insert(n);
            }
            match until.checked_sub(1) {
                Some(fewer) => until = fewer,
                None => drop(running.take().map(Zegel::kill)),
            }
        }
        drop(running);
        zegel = Zegel::run(folder.path());
        for n in &left {
            assert_eq!(choose(links[*n].clone()).await, Some(true), "mail {n}: the page had let it go");
        }
    }
    for link in &links {
        assert_eq!(choose(link.clone()).await, Some(true));
    }
    wait_for_all(&outside, 'h', "post.example").await;
    let said = zegel.terminate();
    assert!(said.iter().all(|line| !line.contains("mag van")), "no log repeats a reason");

    let opened = store::open(&StoreOptions::new(folder.path().join("data"), folder.path().join("keys"), SystemClock.now())).unwrap();
    for n in 0..HELD {
        let came = mails_for(&outside, &format!("h{n}@post.example"));
        assert!(came.len() <= 1 + KILLS && came.iter().all(|m| m.octets.ends_with(octets(n).as_bytes())), "h{n}: {}", came.len());
        assert!(came.iter().all(|m| contains(&m.octets, format!("for <h{n}@post.example>").as_bytes())));
    }
    let events = opened.store.list(&KeyRange::under("event"), usize::MAX).await.unwrap();
    let events: Vec<Event> = events.iter().map(|(key, row)| row.read(key).unwrap()).collect();
    let openly: BTreeSet<_> = events.iter().filter(|e| e.what == Fact::SentOpenly).map(|e| e.message.unwrap().to_string()).collect();
    assert_eq!((openly.len(), events.iter().filter(|e| e.what == Fact::SentOpenly).count()), (HELD, HELD), "each is decided about once");
    assert!(opened.store.list(&KeyRange::under("openly"), 1).await.unwrap().is_empty());
}
