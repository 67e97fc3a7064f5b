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
};

const TEN_YEARS: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

#[tokio::test(flavor = "multi_thread")]
async fn mail_of_a_clock_that_was_put_right_leaves_all_the_same() {
    let world = World::new().await;
    let right = world.clock.now();
    world.clock.advance(TEN_YEARS);
    // The outbox lives in that year.
    world.send(ANNA, &[BUUR], mail("[beveiligd] Besluit", "x").as_bytes()).await;
    world.mails_for(BUUR, 1).await;

    world.clock.set(right);
    let letter = Letter::NotSent {
        sender: Address::parse(ANNA).unwrap(),
        recipients: vec![Address::parse(BUUR).unwrap()],
        at: right,
        origins: Vec::new(),
        language: "nl".to_owned(),
    };
    let mut batch = Batch::new();
    let about = About { message: Id::random(), grant: None, only_if: None };
    grant::post(&mut batch, &world.opened.keyring.master(), &letter, about, right.plus(TEN_YEARS));
    world.opened.store.commit(batch).await.unwrap();
    world.running.parts.wake.notify_one();
    world.mails_for(ANNA, 1).await;
}
