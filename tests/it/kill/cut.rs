//! Cut off at each commit in turn, before it or behind it: a mail that waits for a decision is never lost, is decided about once, and reaches each
//! recipient once, or once more by a delivery that the cut met.

use crate::{
    policies::{SECRET, press, write},
    world::{ANNA, BURGER, BUUR, World, contains, mail},
};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::Notify;
use zegel::{
    control::{Answer, Request, carry_out},
    demo::mailbox::Delivered,
    message::Message,
    record::{Batch, Event, Fact, Key, KeyRange, Record},
    store::{BoxFuture, Opened, Store, StoreError},
};

/// Whether the commit at which a life ends has happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Before,
    Behind,
}

/// A store that answers nothing any more from commit number `at` on.
struct Cut {
    store: Arc<dyn Store>,
    commits: AtomicUsize,
    at: usize,
    end: End,
    over: Notify,
}

const GONE: fn() -> StoreError = || StoreError::Unavailable("cut off".to_owned());

impl Cut {
    fn is_over(&self) -> bool {
        self.commits.load(Ordering::SeqCst) > self.at
    }
}

impl Store for Cut {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Record>, StoreError>> {
        if self.is_over() { Box::pin(async { Err(GONE()) }) } else { self.store.get(key) }
    }

    fn list<'a>(&'a self, range: &'a KeyRange, limit: usize) -> BoxFuture<'a, Result<Vec<(Key, Record)>, StoreError>> {
        if self.is_over() { Box::pin(async { Err(GONE()) }) } else { self.store.list(range, limit) }
    }

    fn commit(&self, batch: Batch) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let number = self.commits.fetch_add(1, Ordering::SeqCst);
            if number < self.at {
                return self.store.commit(batch).await;
            }
            if number == self.at && self.end == End::Behind {
                let _ = self.store.commit(batch).await;
            }
            self.over.notify_one();
            Err(GONE())
        })
    }
}

/// A zegel that is cut off once.
struct Life {
    world: World,
    cut: Option<Arc<Cut>>,
}

impl Life {
    async fn begin(policies: &str, at: usize, end: End) -> Life {
        let mut kept = None;
        let wrap = |opened: Opened| {
            let (commits, over) = (AtomicUsize::new(0), Notify::new());
            let cut = Arc::new(Cut { store: opened.store.clone(), commits, at, end, over });
            kept = Some(cut.clone());
            Opened { store: cut, ..opened }
        };
        let world = World::with(|folder| write(folder, policies), wrap).await;
        Life { world, cut: kept }
    }

    /// The store that is cut off, or the one behind it.
    fn store(&self) -> Arc<dyn Store> {
        match &self.cut {
            Some(cut) => cut.clone(),
            None => self.world.opened.store.clone(),
        }
    }

    /// Takes a step until it is done; a life that ends meanwhile is followed by another, which begins the step anew.
    async fn step<T>(mut self, step: impl AsyncFn(&Life) -> Option<T>) -> (Life, T) {
        loop {
            let done = match &self.cut {
                Some(cut) => tokio::select! {
                    done = step(&self) => done,
                    () = cut.over.notified() => None,
                },
                None => step(&self).await,
            };
            match done {
                Some(done) => return (self, done),
                None if self.cut.take_if(|cut| cut.is_over()).is_some() => self.world = self.world.crash(|opened| opened).await,
                None => tokio::task::yield_now().await,
            }
        }
    }

    /// Whether it was cut off.
    fn ended(&self) -> bool {
        self.cut.is_none()
    }

    async fn events(&self, what: Fact) -> usize {
        let rows = self.world.opened.store.list(&KeyRange::under("event"), usize::MAX).await.unwrap();
        rows.iter().filter(|(key, row)| row.read::<Event>(key).unwrap().what == what).count()
    }

    /// The mails for somebody: one, and one more only of a life that was cut off, which is the same then.
    fn the_mail(&self, to: &str, is: impl Fn(&Delivered) -> bool) -> Delivered {
        let came: Vec<_> = self.world.delivered_to(to).into_iter().filter(is).collect();
        assert!(came.len() == 1 || (came.len() == 2 && self.ended()), "{to}: {:?}", self.world.subjects());
        let id = |m: &Delivered| Message::new(m.octets.clone()).facts().message_id;
        assert!(came.iter().all(|m| id(m) == id(&came[0])), "{to} has two different mails");
        came[0].clone()
    }

    /// Sends the mail as Anna.
    async fn take(&self, to: &[&str], octets: &str) -> Option<()> {
        (self.world.send(ANNA, to, octets.as_bytes()).await.code() == 250).then_some(())
    }

    async fn command(&self, request: Request) -> Answer {
        carry_out(&request, self.store().as_ref(), &self.world.opened.keyring, self.world.clock.as_ref()).await
    }

    /// Nothing is left to do.
    async fn rest(&self) -> Option<()> {
        self.world.running.parts.wake.notify_one();
        self.store().list(&KeyRange::under("outbox"), 1).await.is_ok_and(|rows| rows.is_empty()).then_some(())
    }
}

/// The sender's link, once he has it.
async fn link(life: &Life) -> Option<String> {
    let found = life.world.delivered_to(ANNA).into_iter().find_map(|mail| {
        let text = mail.text();
        text.split_whitespace().find(|word| word.contains("/n/")).map(str::to_owned)
    });
    if found.is_none() {
        tokio::task::yield_now().await;
    }
    found
}

/// Presses a button of the sender's page, unless that was done already.
async fn choose(link: &str, button: &str, fields: &[(&str, &str)]) -> Option<()> {
    let page = reqwest::get(link).await.ok()?.text().await.ok()?;
    if page.contains(button) {
        let (status, page) = press(link, fields).await;
        return (status.is_success() && !page.contains(button)).then_some(());
    }
    ["number-0", "zonder extra beveiliging"].iter().any(|next| page.contains(next)).then_some(())
}

/// One that waits for its sender: openly to one, behind a code to another whose number is asked then. Gives whether it was cut off.
async fn asked(at: usize, end: End) -> bool {
    let policies = "[[policy]]\nname = 'Zelf kiezen'\nwhen = { rule = 'bsn', to = 'external' }\nthen = 'ask'\n\
                    [[policy]]\nname = 'Buur'\nwhen = { rule = 'bsn', to = 'buur@post.example' }\nthen = 'level 2'";
    let octets = mail("Dossier", SECRET);
    let life = Life::begin(policies, at, end).await;
    let (life, ()) = life.step(async |life: &Life| life.take(&[BURGER, BUUR], &octets).await).await;
    let (mut life, link) = life.step(link).await;
    let presses = [("value=\"open\"", &[("choice", "open"), ("reason", "mag")][..]), ("number-0", &[("number-0", "06 12345678")][..])];
    for (button, fields) in presses {
        (life, ()) = life.step(async |_: &Life| choose(&link, button, fields).await).await;
    }
    let (life, ()) = life.step(Life::rest).await;
    assert!(life.the_mail(BURGER, |_| true).octets.ends_with(octets.as_bytes()));
    let notification = life.the_mail(BUUR, |_| true).link(&life.world.portal).unwrap();
    assert!(life.world.open_link(&notification).await.unwrap().holds(SECRET));
    life.the_mail(ANNA, |_| true);
    assert_eq!((life.events(Fact::SentOpenly).await, life.events(Fact::Released).await, life.events(Fact::Relayed).await), (1, 1, 1));
    for (kind, count) in [("message", 1), ("grant", 1), ("waiting", 0), ("openly", 0), ("reminder", 0)] {
        assert_eq!(life.world.opened.store.list(&KeyRange::under(kind), 9).await.unwrap().len(), count, "{kind}");
    }
    life.ended()
}

/// One that waits in quarantine, and is let go as it came or behind a password.
async fn quarantined(at: usize, end: End, openly: Option<&str>) -> bool {
    let policies = "[[policy]]\nname = 'Kijken'\nwhen = { rule = 'bsn', to = 'external' }\nthen = 'quarantine'";
    let octets = mail("Dossier", SECRET);
    let life = Life::begin(policies, at, end).await;
    let (life, ()) = life.step(async |life: &Life| life.take(&[BURGER], &octets).await).await;
    let decide = async |life: &Life| {
        let Answer::Done(list) = life.command(Request::QuarantineList).await else { return None };
        let Some(id) = list.split('\t').next().filter(|id| !id.is_empty()) else { return Some(()) };
        let request = Request::QuarantineRelease { id: id.to_owned(), openly: openly.map(str::to_owned) };
        matches!(life.command(request).await, Answer::Done(_)).then_some(())
    };
    let (life, ()) = life.step(decide).await;
    let (life, ()) = life.step(Life::rest).await;
    let came = life.the_mail(BURGER, |_| true);
    match openly {
        Some(_) => assert!(came.octets.ends_with(octets.as_bytes())),
        None => assert!(life.world.open_link(&came.link(&life.world.portal).unwrap()).await.unwrap().holds(SECRET)),
    }
    assert!(openly.is_some() || !contains(&came.octets, SECRET.as_bytes()));
    life.the_mail(ANNA, |_| true);
    assert_eq!((life.events(Fact::Quarantined).await, life.events(Fact::Released).await), (1, 1));
    assert_eq!(life.events(Fact::SentOpenly).await, usize::from(openly.is_some()));
    for (kind, count) in [("message", 1), ("quarantine", 0), ("waiting", 0), ("openly", 0)] {
        assert_eq!(life.world.opened.store.list(&KeyRange::under(kind), 9).await.unwrap().len(), count, "{kind}");
    }
    life.ended()
}

/// A round for each commit, until there is none left to be cut off at; there are `least` at least.
async fn every_commit(least: usize, round: impl AsyncFn(usize, End) -> bool) {
    for end in [End::Before, End::Behind] {
        let mut at = 0;
        while round(at, end).await {
            at += 1;
        }
        assert!(at >= least, "only {at} commits");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_at_any_commit_a_message_that_waits_for_its_sender_is_decided_about_once() {
    every_commit(6, asked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_at_any_commit_a_message_in_quarantine_is_let_go_once() {
    every_commit(4, async |at, end| quarantined(at, end, None).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_at_any_commit_a_message_in_quarantine_goes_openly_once() {
    every_commit(4, async |at, end| quarantined(at, end, Some("gebeld")).await).await;
}
