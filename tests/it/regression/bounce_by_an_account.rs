//! Whoever had an account could write a bounce himself: MAIL FROM:<> and a report that quoted an outsider passed unjudged, whatever it carried.
//! Found by asking how a virus with a stolen password would get a list of citizen numbers out.

use crate::{
    null_sender::bounce,
    world::{BURGER, contains, gateway, outside},
};
use arc_swap::ArcSwap;
use std::sync::Arc;
use tempfile::TempDir;
use zegel::{
    address::{Address, Domain},
    clock::{Clock as _, SystemClock},
    config,
    gateway::{Entrance, NullSender, Times},
    smtp::{
        EnvelopeCommand, Handler as _, Peer, Received, Service as _,
        client::{ClientOptions, NextHop, Routes},
    },
    store::{self, StoreOptions},
};

/// Whether the mail, quoting an outsider, came out as it is.
async fn passes(null_sender: NullSender, account: Option<&str>) -> bool {
    let (outside, hop, _stop) = outside().await;
    let folder = TempDir::new().unwrap();
    let opened = store::open(&StoreOptions::new(folder.path().join("data"), folder.path().join("keys"), SystemClock.now())).unwrap();
    let mut rulebook = config::built_in().unwrap();
    rulebook.internal = vec![Domain::parse("gemeente.example").unwrap()];
    let routes = Routes::only(NextHop::plain(&hop.ip().to_string(), hop.port()), ClientOptions::new("gw.example"));
    let mut gateway = gateway(Arc::new(ArcSwap::from_pointee(routes)), opened, rulebook, Times::default());
    gateway.options.null_sender = null_sender;
    let mut session = Entrance(Arc::new(gateway)).begin(&Peer { address: hop });
    let envelope = [
        EnvelopeCommand::Mail { from: None, parameters: String::new(), size: None },
        EnvelopeCommand::Rcpt { to: Address::parse(BURGER).unwrap(), parameters: String::new() },
    ];
    assert!(session.envelope(&envelope).await.iter().all(|reply| reply.is_positive()));
    let received = Received {
        helo: "x.example".to_owned(),
        peer: hop.ip(),
        extended: true,
        utf8: false,
        tls: None,
        account: account.map(str::to_owned),
        client: None,
        long_lines: 0,
    };
    assert_eq!(session.data(bytes::Bytes::from(bounce(BURGER)).into(), received).await.code(), 250);
    outside.mails().iter().any(|m| contains(&m.octets, b"111222333"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bounce_that_a_person_wrote_is_judged() {
    for null_sender in [NullSender::Judge, NullSender::Pass] {
        assert!(passes(null_sender, None).await, "a mail server's {null_sender:?}");
        assert!(!passes(null_sender, Some("anna")).await, "an account's {null_sender:?}");
    }
}
