//! A pending message that could not even be withdrawn, since the store had failed, stayed with its blobs until the next start.

use crate::world::World;
use std::time::Duration;
use zegel::{
    clock::Clock as _,
    record::{Batch, Expect, FORMAT, Key, SealedMessage, State},
    secret::Id,
};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_pending_is_withdrawn_while_zegel_runs() {
    let world = World::new().await;
    let now = world.clock.now();
    let id = Id::random();
    let message = SealedMessage {
        v: FORMAT,
        state: State::Pending,
        at: now,
        expires: now.day().plus_days(30),
        generation: 1,
        sender: None,
        language: "nl".to_owned(),
        card: Id::random(),
        sealed_card: None,
        original: None,
        ours: true,
        files_only: false,
        blobs: Vec::new(),
        asked: None,
        moved: false,
    };
    let mut batch = Batch::new();
    batch.put(Key::message(id), &message, Expect::Absent);
    batch.put(Key::pending(id), &(), Expect::Absent);
    world.opened.store.commit(batch).await.unwrap();

    let is_there = async || world.opened.store.get(&Key::message(id)).await.unwrap().is_some();
    world.running.parts.sweep.round().await.unwrap();
    assert!(is_there().await, "its transaction may be under way");
    world.clock.advance(Duration::from_secs(2 * 3600));
    world.running.parts.sweep.round().await.unwrap();
    assert!(!is_there().await);
    assert!(world.opened.store.get(&Key::pending(id)).await.unwrap().is_none());
}
