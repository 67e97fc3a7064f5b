//! A next hop that fails in every way there is, before a whole gateway: `tests/hop/faults.txt`. A fault never becomes a 2xx, nothing is sent
//! twice, and the next mail goes its way.
//!
//! That a next hop hangs behind the final dot is tried in `client.rs`: the gateway waits a minute and a half there.

use super::{
    gateway::{Gateway, route},
    hop,
};
use crate::sink::{Act, Sink};

const CASES: &str = include_str!("../../hop/faults.txt");

fn act(text: &str) -> Act {
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    let rest = rest.replace("\\r\\n", "\r\n");
    match verb {
        "reply" => Act::Reply(rest),
        "last" => Act::Last(rest),
        "hang" => Act::Hang,
        "drop" => Act::Drop,
        "slow" => Act::Slow,
        "endless" => Act::Last("250-and so on\r\n".repeat(5000)),
        other => panic!("no such act: {other}"),
    }
}

#[tokio::test]
async fn whatever_the_next_hop_does_the_client_hears_the_truth() {
    let gateway = Gateway::start(route(Vec::new())).await;
    let mut wrong = Vec::new();
    for case in CASES.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let [at, what, heard, mails] = case.split('|').map(str::trim).collect::<Vec<_>>()[..] else { panic!("{case}") };
        let mails: usize = mails.parse().unwrap();
        for extensions in [&["PIPELINING", "8BITMIME"][..], &["PIPELINING", "8BITMIME", "CHUNKING"]] {
            // Without EHLO, or without DATA, there is nothing to say by one or the other.
            if extensions.contains(&"CHUNKING") && at == "DATA" {
                continue;
            }
            let sink = Sink::start().await;
            sink.offers(extensions);
            sink.fails(at, act(what));
            gateway.goes_by(route(vec![hop(&sink)]));
            let got = gateway.send(&["b@b.example"]).await;
            let sunk = sink.mails().len();
            let fits = if got == "250" { sunk == 1 && mails == 1 } else { sunk <= mails };
            if got != heard || !fits {
                wrong.push(format!("{case}\n    with {extensions:?} it was: {got}, and {sunk} mails"));
            }
            sink.heals();
            let again = gateway.send(&["b@b.example"]).await;
            if again != "250" || sink.mails().len() != sunk + 1 {
                wrong.push(format!("{case}\n    with {extensions:?} the next mail: {again}"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn wherever_its_replies_are_cut_off_no_mail_is_said_to_be_taken() {
    let gateway = Gateway::start(route(Vec::new())).await;
    for extensions in [&["PIPELINING"][..], &["PIPELINING", "CHUNKING"], &[]] {
        let mut octets = 0;
        loop {
            let sink = Sink::start().await;
            sink.offers(extensions);
            sink.cuts_off_after(octets);
            gateway.goes_by(route(vec![hop(&sink)]));
            let heard = gateway.send(&["b@b.example"]).await;
            let sunk = sink.mails().len();
            if heard == "250" {
                assert_eq!(sunk, 1);
                break;
            }
            assert!(heard.contains(" 451 4.4."), "cut off after {octets}: {heard}");
            assert!(sunk <= usize::from(heard.starts_with("DOT")), "cut off after {octets}: {heard}, and {sunk} mails");
            octets += 1;
            assert!(octets < 1000);
        }
        assert!(octets > 100, "this tried too little: {octets}");
    }
}

#[tokio::test]
async fn a_host_that_cannot_be_reached_or_found_is_451() {
    let nobody = crate::process::free_port();
    let gateway = Gateway::start(route(Vec::new())).await;
    for hop in [("127.0.0.1", nobody.port()), ("nobody.invalid", 25)] {
        gateway.goes_by(route(vec![zegel::smtp::client::NextHop::plain(hop.0, hop.1)]));
        assert_eq!(gateway.send(&["b@b.example"]).await, "MAIL 451 4.4.1");
    }
}
