//! kill -9 at random moments under load: what was acknowledged is never lost, and nobody is notified twice but by a notification in flight.

mod cut;
mod openly;
mod release;

use crate::{
    process::{Zegel, configure},
    sink::{Act, Sink},
    world::{contains, open_link, outside_observed, send_to},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};
use tempfile::TempDir;
use tokio::sync::Notify;
use zegel::{
    clock::{Clock as _, SystemClock},
    demo::mailbox::{Delivered, Mailbox},
    message::Message,
    secret::random_below,
    store::{self, StoreOptions},
};

/// Held mails, each of a sender of its own.
const HELD: usize = 12;

fn mails_for(outside: &Mailbox, to: &str) -> Vec<Delivered> {
    outside.mails().into_iter().filter(|m| m.to.iter().any(|a| a.as_str() == to)).collect()
}

async fn wait_for_all(outside: &Mailbox, letter: char, domain: &str) {
    let wanted: BTreeSet<String> = (0..HELD).map(|n| format!("{letter}{n}@{domain}")).collect();
    let came = |mails: &[Delivered]| wanted.is_subset(&mails.iter().flat_map(|m| &m.to).map(ToString::to_string).collect());
    assert!(outside.wait_until(came).await, "not everybody has a mail: {wanted:?}");
}

/// Rounds in `cargo verify`; `.ci/long` asks for more.
const ROUNDS: usize = 4;
/// Mails a round.
const MAILS: usize = 60;
/// Clients that send at the same time.
const CLIENTS: usize = 6;

/// What was sent, and whether it was acknowledged at the first attempt or later.
#[derive(Default)]
struct Ledger {
    acknowledged: Mutex<BTreeSet<usize>>,
    events: AtomicUsize,
    event: Notify,
}

impl Ledger {
    fn happened(&self) {
        self.events.fetch_add(1, Ordering::SeqCst);
        self.event.notify_waiters();
    }
}

/// The kinds of mail, by number: clean, sealed, or both.
fn recipients(n: usize) -> (Option<String>, Option<String>) {
    let (clean, sealed) = (format!("c{n}@gemeente.example"), format!("s{n}@post.example"));
    match n % 3 {
        0 => (Some(clean), None),
        1 => (None, Some(sealed)),
        _ => (Some(clean), Some(sealed)),
    }
}

fn marker(n: usize) -> String {
    format!("merkteken-{n:06}")
}

fn octets(n: usize) -> String {
    let subject = if n.is_multiple_of(3) { "Bericht" } else { "[beveiligd] Bericht" };
    format!(
        "From: anna@gemeente.example\r\nTo: iemand@post.example\r\nSubject: {subject}\r\nDate: Mon, 12 Oct 2026 09:30:00 +0200\r\n\
         Message-ID: <{0}@gemeente.example>\r\n\r\n{0} {1}\r\n",
        marker(n),
        "tekst ".repeat(n % 500)
    )
}

async fn send(gateway: SocketAddr, n: usize) -> bool {
    let (clean, sealed) = recipients(n);
    let to: Vec<&str> = clean.iter().chain(&sealed).map(String::as_str).collect();
    send_to(gateway, "anna@gemeente.example", &to, octets(n).as_bytes()).await.is_positive()
}

/// One life of zegel: loaded until it is killed at a random event.
async fn life(folder: &Path, gateway: SocketAddr, ledger: &Arc<Ledger>, numbers: std::ops::Range<usize>) {
    let zegel = Zegel::run(folder);
    let begun = ledger.events.load(Ordering::SeqCst);
    let end = begun + 1 + random_below((MAILS * 2) as u32) as usize;
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        let (ledger, numbers) = (ledger.clone(), numbers.clone());
        clients.spawn(async move {
            for n in numbers.skip(client).step_by(CLIENTS) {
                if !send(gateway, n).await {
                    return;
                }
                ledger.acknowledged.lock().unwrap().insert(n);
                ledger.happened();
            }
        });
    }
    loop {
        let event = ledger.event.notified();
        if ledger.events.load(Ordering::SeqCst) >= end || clients.is_empty() {
            break;
        }
        tokio::select! {
            () = event => {}
            _ = clients.join_next() => {}
        }
    }
    zegel.kill();
    while clients.join_next().await.is_some() {}
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_random_moments_it_loses_nothing_and_notifies_nobody_twice() {
    let rounds = std::env::var("ZEGEL_KILL_ROUNDS").ok().and_then(|r| r.parse().ok()).unwrap_or(ROUNDS);
    let folder = TempDir::new().unwrap();
    let (outside, hop, _keep, observed) = outside_observed().await;
    let (gateway, portal) = configure(folder.path(), hop);
    let ledger = Arc::new(Ledger::default());
    let (counter, counted) = (ledger.clone(), outside.clone());
    let arrivals = tokio::spawn(async move {
        let mut seen = 0;
        loop {
            if counted.wait_until(|mails| mails.len() > seen).await {
                seen += 1;
                counter.happened();
            }
        }
    });

    // How many mails had arrived when each life was over.
    let mut lives = Vec::new();
    for round in 0..rounds {
        life(folder.path(), gateway, &ledger, round * MAILS..(round + 1) * MAILS).await;
        // What it had sent when it was killed is still being read.
        while observed.sessions() > 0 {
            tokio::task::yield_now().await;
        }
        lives.push(outside.mails().len());
    }
    // The last life is not killed: everything that was not acknowledged is sent again, as its sender's server would.
    let zegel = Zegel::run(folder.path());
    for n in 0..rounds * MAILS {
        if !ledger.acknowledged.lock().unwrap().contains(&n) {
            assert!(send(gateway, n).await, "mail {n} is not taken after the restart");
        }
    }
    arrivals.abort();
    let sealed = |n: &usize| recipients(*n).1;
    let wanted = (0..rounds * MAILS).filter_map(|n| sealed(&n)).collect::<BTreeSet<_>>();
    for _ in 0..4 {
        let all = |mails: &[Delivered]| {
            let came: BTreeSet<_> = mails.iter().flat_map(|m| &m.to).map(ToString::to_string).collect();
            wanted.is_subset(&came)
        };
        if outside.wait_until(all).await {
            break;
        }
    }
    zegel.terminate();

    let opened = store::open(&StoreOptions::new(folder.path().join("data"), folder.path().join("keys"), SystemClock.now())).unwrap();
    let mut by_recipient: BTreeMap<String, Vec<Delivered>> = BTreeMap::new();
    let mut last_life: BTreeMap<String, usize> = BTreeMap::new();
    for (number, mail) in outside.mails().into_iter().enumerate() {
        let life = lives.partition_point(|end| *end <= number);
        for to in &mail.to {
            // Once a life: it comes again only when a kill met it in flight.
            let before = last_life.insert(to.to_string(), life);
            assert!(!to.as_str().starts_with('s') || before != Some(life), "{to} was notified twice in life {life}");
            by_recipient.entry(to.to_string()).or_default().push(mail.clone());
        }
    }
    let mut repeated = 0;
    for n in 0..rounds * MAILS {
        let (clean, sealed) = recipients(n);
        if let Some(to) = clean {
            let came = by_recipient.get(&to).unwrap_or_else(|| panic!("{to} is lost"));
            assert!(came.iter().all(|m| m.octets.ends_with(octets(n).as_bytes())));
        }
        if let Some(to) = sealed {
            let came = by_recipient.get(&to).unwrap_or_else(|| panic!("{to} was never notified"));
            let ids: BTreeSet<_> = came.iter().map(|m| Message::new(m.octets.clone()).facts().message_id).collect();
            assert_eq!(ids.len(), 1, "{to} has {} different notifications", ids.len());
            repeated += came.len() - 1;
            assert!(came.iter().all(|m| !contains(&m.octets, marker(n).as_bytes())));
            let opening =
                open_link(&opened, &came[0].link(&portal).unwrap()).await.unwrap_or_else(|| panic!("{to}: the link opens nothing"));
            assert!(opening.holds(&marker(n)));
        }
    }
    println!("{rounds} kills, {} mails, {repeated} notifications in flight at a kill came twice", rounds * MAILS);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_the_next_hops_yes_and_the_flip_nobody_is_notified_until_the_repeat() {
    let folder = TempDir::new().unwrap();
    let hop = Sink::start().await;
    let (gateway, _) = configure(folder.path(), hop.address());
    let (clean, sealed) = recipients(2);
    let (clean, sealed) = (clean.unwrap(), sealed.unwrap());
    let zegel = Zegel::run(folder.path());
    hop.fails_times("DOT", Act::Hang, 0, 1);
    let client = tokio::spawn(send(gateway, 2));
    hop.wait_for_mail_to(&clean).await;
    zegel.kill();
    assert!(!client.await.unwrap(), "its client was told nothing");

    let zegel = Zegel::run(folder.path());
    assert!(send(gateway, 2).await, "what was pending is not in the way");
    hop.wait_for_mail_to(&sealed).await;
    // And once more: the client did not hear this 250 either.
    assert!(send(gateway, 2).await);
    zegel.terminate();
    let came = |who: &str| hop.mails().iter().filter(|m| m.to.iter().any(|to| to == who)).count();
    assert_eq!((came(&clean), came(&sealed)), (2, 1), "SMTP can't keep the clean one from coming twice");
    let opened = store::open(&StoreOptions::new(folder.path().join("data"), folder.path().join("keys"), SystemClock.now())).unwrap();
    let messages = opened.store.list(&zegel::record::KeyRange::under("message"), 9).await.unwrap();
    assert_eq!(messages.len(), 1, "of the first attempt nothing is left");
}
