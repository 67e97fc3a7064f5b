//! kill -9 while senders give numbers on the page: what the page has confirmed is kept, and each held mail leaves once.

use super::{HELD, mails_for, wait_for_all};
use crate::{
    process::{Zegel, configure},
    world::{contains, open_link, outside, send_to},
};
use std::collections::BTreeSet;
use tempfile::TempDir;
use tokio::task::JoinSet;
use zegel::{
    clock::{Clock as _, SystemClock},
    demo::visitor::Visitor,
    message::Message,
    secret::random_below,
    store::{self, StoreOptions},
};

/// Lives that are ended while buttons are pressed.
const KILLS: usize = 3;

/// The button of the number page.
const BUTTON: &str = "Opslaan en verzenden";

fn text(n: usize) -> String {
    format!("merkteken-{}. Het BSN van mevrouw Bakker is 111222333.", "x".repeat(n + 1))
}

/// What a press has come to.
#[derive(PartialEq, Eq, Debug)]
enum Pressed {
    /// The page says so, now or before.
    Released,
    /// Nobody answered: it may be so.
    Unknown,
}

/// Opens the number page and presses its button, if it still has one.
async fn press(approval: String) -> Pressed {
    let mut sender = Visitor::new().unwrap();
    let Ok(page) = sender.open(&approval).await else { return Pressed::Unknown };
    let Some(form) = page.forms().into_iter().find(|form| form.button == BUTTON) else { return Pressed::Released };
    let field = form.fields.into_iter().map(|(name, _)| name).find(|name| name != "form").expect("a field for the number");
    match sender.press(&page, BUTTON, &[(&field, "06 - 12 34 59 54")]).await {
        Ok(page) if page.status.is_success() && page.forms().iter().all(|form| form.button != BUTTON) => Pressed::Released,
        Ok(page) => panic!("{}: {}", page.status, page.text()),
        Err(_) => Pressed::Unknown,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_the_page_has_taken_is_kept_and_its_mail_leaves_once() {
    let folder = TempDir::new().unwrap();
    let (outside, hop, _keep) = outside().await;
    let (gateway, portal) = configure(folder.path(), hop);
    let mut zegel = Zegel::run(folder.path());
    for n in 0..HELD {
        let mail = format!("From: a{n}@gemeente.example\r\nTo: h{n}@post.example\r\nSubject: Dossier\r\n\r\n{}\r\n", text(n));
        let reply = send_to(gateway, &format!("a{n}@gemeente.example"), &[&format!("h{n}@post.example")], mail.as_bytes()).await;
        assert_eq!(reply.code(), 250, "{reply}");
    }
    // What was held is acknowledged as well: the first kill may hit the mails that ask for numbers.
    zegel.kill();
    zegel = Zegel::run(folder.path());
    wait_for_all(&outside, 'a', "gemeente.example").await;
    let approvals: Vec<_> =
        (0..HELD).map(|n| mails_for(&outside, &format!("a{n}@gemeente.example"))[0].link(&portal).expect("a link")).collect();

    let mut released = BTreeSet::new();
    for _ in 0..KILLS {
        let mut presses = JoinSet::new();
        for (n, approval) in approvals.iter().cloned().enumerate().filter(|(n, _)| !released.contains(n)) {
            presses.spawn(async move { (n, press(approval).await) });
        }
        // After one more than so many answers.
        let mut until = random_below(u32::try_from(presses.len()).unwrap());
        let mut running = Some(zegel);
        while let Some(pressed) = presses.join_next().await {
            let (n, pressed) = pressed.unwrap();
            if pressed == Pressed::Released {
                released.insert(n);
            }
            match until.checked_sub(1) {
                Some(fewer) => until = fewer,
                None => drop(running.take().map(Zegel::kill)),
            }
        }
        drop(running);
        zegel = Zegel::run(folder.path());
        for n in &released {
            let page = Visitor::new().unwrap().open(&approvals[*n]).await.unwrap();
            assert!(page.forms().iter().all(|form| form.button != BUTTON), "mail {n}: the page had taken the number");
        }
        if released.len() == HELD {
            break;
        }
    }
    for approval in &approvals {
        assert_eq!(press(approval.clone()).await, Pressed::Released);
    }
    wait_for_all(&outside, 'h', "post.example").await;
    zegel.terminate();

    let opened = store::open(&StoreOptions::new(folder.path().join("data"), folder.path().join("keys"), SystemClock.now())).unwrap();
    for n in 0..HELD {
        let to = format!("h{n}@post.example");
        let came = mails_for(&outside, &to);
        let ids: BTreeSet<_> = came.iter().map(|m| Message::new(m.octets.clone()).facts().message_id).collect();
        assert_eq!(ids.len(), 1, "{to} has {} different notifications", ids.len());
        assert!(came.iter().all(|m| !contains(&m.octets, text(n).as_bytes())));
        let opening = open_link(&opened, &came[0].link(&portal).unwrap()).await.unwrap_or_else(|| panic!("{to}: the link opens nothing"));
        assert!(opening.holds(&text(n)) && opening.grant.phone.is_some(), "{to}");
    }
}
