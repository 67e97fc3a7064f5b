//! The clock ran years ahead when mail was taken, and was then put right: what stood in the outbox for a second attempt would have left in those
//! years, so that mail acknowledged with 250 reached nobody.

use crate::world::{ANNA, BUUR, World, mail};
use std::time::Duration;
use zegel::{
    address::Address,
    clock::Clock as _,
    grant::{self, About},
    notice::Letter,
    record::Batch,
    secret::Id,
    sweep::{Progress, Sweep},
};

const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test(flavor = "multi_thread")]
async fn mail_of_a_clock_that_was_put_right_leaves_all_the_same() {
    let world = World::new().await;
    let right = world.clock.now();
    world.clock.advance(TEN_YEARS);
    // The outbox lives in that year.
    world.send(ANNA, &[BUUR], mail("[beveiligd] Besluit", "x").as_bytes()).await;
    world.mails_for(BUUR, 1).await;

    // A second attempt, an hour later in that year.
    let letter = Letter::NotSent {
        sender: Address::parse(ANNA).unwrap(),
        recipients: vec![Address::parse(BUUR).unwrap()],
        at: right,
        origins: Vec::new(),
        language: "nl".to_owned(),
    };
    let mut batch = Batch::new();
    let about = About::message(Id::random());
    grant::post(&mut batch, &world.opened.keyring.master(), &letter, about, right.plus(TEN_YEARS).plus(HOUR));
    world.opened.store.commit(batch).await.unwrap();

    world.clock.set(right);
    world.running.parts.wake.notify_one();
    world.mails_for(ANNA, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_ten_years_ahead_at_start_destroys_nothing_at_once() {
    let world = World::new().await;
    world.send(ANNA, &[BUUR], mail("[beveiligd] Besluit", "Het besluit is positief.").as_bytes()).await;
    let link = world.mails_for(BUUR, 1).await[0].link(&world.portal).unwrap();
    let right = world.clock.now();
    world.running.parts.sweep.round().await.unwrap();

    // As after a restart: nothing is known but what stands in the store.
    let sweep = Sweep {
        store: world.opened.store.clone(),
        blobs: world.opened.blobs.clone(),
        keyring: world.opened.keyring.clone(),
        clock: world.clock.clone(),
        progress: Progress::default(),
    };
    world.clock.set(right.plus(TEN_YEARS));
    sweep.round().await.unwrap();
    sweep.orphans().await.unwrap();
    world.clock.set(right);
    assert!(world.open_link(&link).await.is_some(), "the clock was put right in time");

    // Believed to have been off for ten years: the day of the message comes in its turn, and with it everything goes.
    world.clock.set(right.plus(TEN_YEARS));
    for _ in 0..3 {
        world.clock.advance(HOUR);
        sweep.round().await.unwrap();
    }
    assert!(world.open_link(&link).await.is_none());
}
