//! The next hop was lost between two RCPT commands: the first was answered 451, but what came behind it went, without MAIL, over a new connection,
//! and the 503 that it got there bounced the mail for good.

use crate::{
    sink::{Act, Sink},
    world::{ANNA, BURGER, BUUR, COLLEGA, World, mail},
};
use std::time::Duration;
use tokio::time::Instant;
use zegel::{
    address::Address,
    smtp::{
        EnvelopeCommand,
        client::{ClientOptions, NextHop, Pool},
    },
};

fn rcpt(to: &str) -> EnvelopeCommand {
    EnvelopeCommand::Rcpt { to: Address::parse(to).unwrap(), parameters: String::new() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_next_hop_lost_in_the_middle_of_an_envelope_bounces_nothing() {
    let hop = Sink::start().await;
    let world = World::next_to(hop.address()).await;
    // Twice, since one lost connection is made good.
    hop.fails_times(&format!("RCPT TO:<{COLLEGA}>"), Act::Drop, 0, 2);

    let gateway = world.gateway;
    let pool = Pool::new(NextHop::plain(&gateway.ip().to_string(), gateway.port()), ClientOptions::new("mail.gemeente.example"));
    let mut client = pool.begin().await.unwrap();
    let from = EnvelopeCommand::Mail { from: Some(Address::parse(ANNA).unwrap()), parameters: String::new(), size: None };
    let first = client.envelope(&[from, rcpt(BURGER)]).await.unwrap();
    assert!(first.iter().all(|r| r.is_positive()), "{first:?}");
    for to in [COLLEGA, BUUR] {
        let reply = &client.envelope(&[rcpt(to)]).await.unwrap()[0];
        assert_eq!(reply.code(), 451, "{to}: {reply}");
    }
    let reply = client.data(&[mail("Vergadering", "Dinsdag.").as_bytes()], Instant::now() + Duration::from_secs(60)).await.unwrap();
    assert_eq!(reply.code(), 451, "{reply}");
    assert!(hop.mails().is_empty());
}
