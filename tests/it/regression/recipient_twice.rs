//! A client named one recipient twice, once in capitals: he got two notifications, and with a number behind the trigger the batch remembered that
//! number twice, which the store refuses, so that the mail was answered 451 for ever.

use crate::world::{ANNA, BURGER, BUUR, World, mail};

const LOUD_BURGER: &str = "BURGER@Post.example";

#[tokio::test(flavor = "multi_thread")]
async fn who_is_named_twice_is_notified_once() {
    let world = World::new().await;
    let reply = world.send(ANNA, &[BURGER, LOUD_BURGER, BURGER], mail("[beveiligd] Besluit", "Het is positief.").as_bytes()).await;
    assert_eq!(reply.code(), 250, "{reply}");
    world.send(ANNA, &[BUUR], mail("[beveiligd] Ander", "x").as_bytes()).await;
    world.mails_for(BUUR, 1).await;
    assert_eq!(world.outside.mails().len(), 2, "{:?}", world.subjects());
}

#[tokio::test(flavor = "multi_thread")]
async fn his_number_behind_the_trigger_is_remembered_once() {
    let world = World::new().await;
    let reply = world.send(ANNA, &[BURGER, LOUD_BURGER], mail("#veilig 0612345678 Besluit", "Het is positief.").as_bytes()).await;
    assert_eq!(reply.code(), 250, "{reply}");
    assert_eq!(world.mails_for(BURGER, 1).await.len(), 1, "{:?}", world.subjects());
}
