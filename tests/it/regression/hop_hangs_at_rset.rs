//! A mail was sealed and committed, and then its client had to wait for the next hop's answer to RSET: with a next hop that hangs 60 s longer, which
//! may be past the time for our answer, and then a mail that was taken was answered 451.

use crate::{
    sink::{Act, Sink},
    world::{ANNA, BURGER, World, mail},
};

#[tokio::test(flavor = "multi_thread")]
async fn who_hands_a_mail_over_does_not_wait_for_a_hanging_next_hop() {
    let hop = Sink::start().await;
    let world = World::next_to(hop.address()).await;
    hop.fails("RSET", Act::Hang);
    let sensitive = mail("[beveiligd] Besluit", "Het is positief.");
    tokio::select! {
        biased;
        () = hop.wait_for_end_of_hang() => panic!("the reply came after zegel had given up waiting for RSET"),
        reply = world.send(ANNA, &[BURGER], sensitive.as_bytes()) => assert_eq!(reply.code(), 250, "{reply}"),
    }
}
