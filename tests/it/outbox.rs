//! The outbox by itself, over a store in memory.

use crate::{
    sink::{Act, Sink},
    world::outbox_alone,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::{Notify, watch};
use zegel::{
    address::Address,
    clock::{Clock, SetClock},
    grant::{self, About},
    notice::Letter,
    outbox::{self, Outbox, Slow, Tray},
    record::{Batch, Expect, FORMAT, Key, KeyRange, Mail, Sealed},
    secret::{Id, Secret},
    smtp::client::{ClientOptions, NextHop, Routes},
    store::{Keyring, Store, memory::MemoryStore},
    time::Time,
};

/// More than there are places.
const MAILS: usize = 40;

/// An outbox by itself, before a next hop for `hangs.example` and one for everybody else.
struct Alone {
    store: Arc<dyn Store>,
    keyring: Arc<Keyring>,
    clock: Arc<SetClock>,
    outbox: Arc<Outbox>,
}

impl Alone {
    fn before(hangs: &Sink, well: &Sink, slow: Slow) -> (Alone, Tray) {
        let clock = Arc::new(SetClock::at(Time::from_millis(1_800_000_000_000)));
        let (memory, wake) = (Arc::new(MemoryStore::new()), Arc::new(Notify::new()));
        let (store, tray) = outbox::claiming(memory, clock.clone(), wake.clone());
        let keyring = Arc::new(Keyring::in_memory(store.clone()));
        let hop = |sink: &Sink| vec![NextHop::plain("127.0.0.1", sink.address().port())];
        let routes =
            Routes::new(hop(well), vec![(vec!["hangs.example".parse().unwrap()], hop(hangs))], ClientOptions::new("zegel.example"));
        let outbox = Arc::new(Outbox { slow, ..outbox_alone(store.clone(), keyring.clone(), routes, clock.clone(), wake) });
        (Alone { store, keyring, clock, outbox }, tray)
    }

    async fn post(&self, to: &str) {
        let (password, until) = (Secret::new("x".to_owned()), self.clock.now().plus(Duration::from_secs(900)));
        let recipient = Address::parse(to).unwrap();
        let letter = Letter::Password { recipient, password, grant: Id::random(), until, language: "nl".to_owned() };
        let mut batch = Batch::new();
        let about = About::message(Id::random());
        grant::post(&mut batch, &self.keyring.master(), &letter, about, self.clock.now());
        self.store.commit(batch).await.unwrap();
    }

    async fn rows(&self) -> Vec<Mail> {
        let rows = self.store.list(&KeyRange::under("outbox"), usize::MAX).await.unwrap();
        rows.iter().map(|(key, row)| row.read(key).unwrap()).collect()
    }
}

/// A dozen mails to a next hop that took them and did not answer kept all others from leaving, by other routes too, for five minutes at a time.
#[tokio::test(flavor = "multi_thread")]
async fn a_next_hop_that_hangs_keeps_no_mail_of_the_others() {
    let (hangs, well) = (Sink::start().await, Sink::start().await);
    hangs.fails("DOT", Act::Hang);
    let (alone, tray) = Alone::before(&hangs, &well, Slow::after(Duration::ZERO));
    for n in 0..MAILS {
        alone.post(&format!("n{n}@hangs.example")).await;
    }
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(alone.outbox.clone().run(tray, stopped));
    alone.post("somebody@elsewhere.example").await;
    let came = tokio::time::timeout(Duration::from_secs(30), well.wait_for_mail_to("somebody@elsewhere.example")).await;
    assert!(came.is_ok(), "it waits for {} that hang", hangs.mails().len());
    assert!(hangs.mails().len() < MAILS, "the one that hangs is flooded");
}

#[tokio::test]
async fn a_former_life_that_had_claimed_many_leaves_them_all_to_the_next() {
    let (hangs, well) = (Sink::start().await, Sink::start().await);
    let (alone, _tray) = Alone::before(&hangs, &well, Slow::default());
    let claimed = async || alone.rows().await.iter().filter(|mail| mail.claimed).count();
    let now = alone.clock.now();
    let mut batch = Batch::new();
    for _ in 0..600 {
        let (v, at, about, letter) = (FORMAT, now, Id::random(), Sealed(Vec::new()));
        let mail = Mail { v, at, about, grant: None, openly: None, only_if: None, tries: 1, claimed: true, delay_told: false, letter };
        batch.put(Key::outbox(now.plus(Duration::from_secs(600)), Id::random()), &mail, Expect::Absent);
    }
    alone.store.commit(batch).await.unwrap();
    assert_eq!(claimed().await, 600);
    alone.outbox.reclaim().await.unwrap();
    assert_eq!((claimed().await, alone.rows().await.len()), (0, 600));
}
