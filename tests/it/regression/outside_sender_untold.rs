//! A notification was refused for good, and its sender, who was outside the organisation, never heard of it although his mail had been taken.

use crate::{
    sink::{Act, Sink},
    world::{BURGER, World, mail},
};

const OUTSIDER: &str = "vreemde@elders.example";

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_outside_hears_that_his_recipient_was_not_reached() {
    let hop = Sink::start().await;
    let world = World::next_to(hop.address()).await;
    // The gateway's own RCPT is accepted, the notification's is not.
    hop.fails_times(&format!("RCPT TO:<{BURGER}>"), Act::Reply("550 5.1.1 unknown".to_owned()), 1, 1);
    let reply = world.send(OUTSIDER, &[BURGER], mail("[beveiligd] Besluit", "Het is positief.").as_bytes()).await;
    assert_eq!(reply.code(), 250, "{reply}");
    hop.wait_for_command(&format!("RCPT TO:<{OUTSIDER}>")).await;
}
