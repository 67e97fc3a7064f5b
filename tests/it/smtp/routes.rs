//! Several next hops, and routes by recipient domain.

use super::{
    client_options, codes,
    gateway::{BODY, Gateway, impatient, route},
    hop, mail, rcpt,
};
use crate::sink::{Act, Sink};
use bytes::Bytes;
use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::Instant;
use tracing::instrument::WithSubscriber as _;
use zegel::smtp::{
    Content, EnvelopeCommand, Extensions, Reply,
    client::{Body, ClientOptions, Failure, NextHop, Protocol, Routed, Routes},
};

fn later() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

fn drop_it() -> Act {
    Act::Drop
}

fn refuses(text: &str) -> Act {
    Act::Reply(text.to_owned())
}

/// Routes: the first sink for everybody, the second for `partner.example` and what is below it.
fn two(default: &Sink, partner: &Sink) -> Routes {
    let to = vec!["partner.example".parse().unwrap(), "*.partner.example".parse().unwrap()];
    Routes::new(vec![hop(default)], vec![(to, vec![hop(partner)])], impatient())
}

fn lmtp(sink: &Sink) -> NextHop {
    NextHop { protocol: Protocol::Lmtp, ..hop(sink) }
}

#[tokio::test]
async fn wherever_the_first_host_fails_before_the_body_the_second_gets_the_mail_once() {
    let gateway = Gateway::start(route(Vec::new())).await;
    for at in ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"] {
        for act in [Act::Drop, Act::Last("421 4.3.2 bye".to_owned()), Act::Hang] {
            let (first, second) = (Sink::start().await, Sink::start().await);
            first.fails(at, act.clone());
            gateway.goes_by(route(vec![hop(&first), hop(&second)]));
            assert_eq!(gateway.send(&["b@b.example"]).await, "250", "{at} {act:?}");
            assert_eq!((first.mails().len(), second.mails().len()), (0, 1), "{at} {act:?}");
            assert!(second.mails()[0].octets().ends_with(BODY.as_bytes()), "{at} {act:?}");
        }
    }
}

#[tokio::test]
async fn once_the_body_has_begun_no_other_host_hears_of_the_mail() {
    let gateway = Gateway::start(route(Vec::new())).await;
    for extensions in [&["PIPELINING"][..], &["PIPELINING", "CHUNKING"]] {
        for (at, taken) in [("BODY", 0), ("DOT", 1)] {
            let (first, second) = (Sink::start().await, Sink::start().await);
            first.offers(extensions);
            first.fails(at, drop_it());
            gateway.goes_by(route(vec![hop(&first), hop(&second)]));
            assert_eq!(gateway.send(&["b@b.example"]).await, "DOT 451 4.4.2", "{at}");
            assert_eq!((first.mails().len(), second.mails().len()), (taken, 0), "{at}");
            assert!(second.commands().iter().all(|c| !c.starts_with("MAIL")), "{at}");
        }
    }
}

#[tokio::test]
async fn a_refusal_of_the_first_host_is_an_answer_and_no_failure() {
    let gateway = Gateway::start(route(Vec::new())).await;
    for (at, text, heard) in [
        ("MAIL", "550 5.7.1 no", "MAIL 550 5.7.1"),
        ("RCPT", "450 4.2.0 later", "RCPT 450 4.2.0"),
        ("DOT", "554 5.7.1 spam", "DOT 554 5.7.1"),
    ] {
        let (first, second) = (Sink::start().await, Sink::start().await);
        first.fails(at, refuses(text));
        gateway.goes_by(route(vec![hop(&first), hop(&second)]));
        assert_eq!(gateway.send(&["b@b.example"]).await, heard);
        assert_eq!(second.connections(), 0);
    }
}

#[tokio::test]
async fn what_the_client_was_told_must_hold_on_the_second_host() {
    let (first, second) = (Sink::start().await, Sink::start().await);
    first.fails("DATA", drop_it());
    second.fails("RCPT", refuses("550 5.1.1 not here"));
    let gateway = Gateway::start(route(vec![hop(&first), hop(&second)])).await;
    assert_eq!(gateway.send(&["b@b.example"]).await, "DOT 451 4.3.0");
    assert_eq!((first.mails(), second.mails()), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn all_hosts_down_is_451_and_the_first_is_used_again_when_it_is_well() {
    let (first, second) = (Sink::start().await, Sink::start().await);
    let options = ClientOptions { pause: Duration::ZERO, ..impatient() };
    let gateway = Gateway::start(Routes::new(vec![hop(&first), hop(&second)], Vec::new(), options)).await;
    first.fails("CONNECT", drop_it());
    second.fails("CONNECT", drop_it());
    assert_eq!(gateway.send(&["b@b.example"]).await, "MAIL 451 4.4.1");
    second.heals();
    assert_eq!(gateway.send(&["b@b.example"]).await, "250");
    first.heals();
    assert_eq!(gateway.send(&["b@b.example"]).await, "250");
    assert_eq!((first.mails().len(), second.mails().len()), (1, 1));
}

#[tokio::test]
async fn a_host_that_is_down_is_not_asked_by_every_mail_while_another_takes_them() {
    let (first, second) = (Sink::start().await, Sink::start().await);
    first.fails("CONNECT", drop_it());
    let gateway = Gateway::start(route(vec![hop(&first), hop(&second)])).await;
    for _ in 0..10 {
        assert_eq!(gateway.send(&["b@b.example"]).await, "250");
    }
    assert_eq!((first.connections(), second.mails().len()), (1, 10));
}

#[tokio::test]
async fn mail_goes_by_the_route_of_its_recipient() {
    let (default, partner) = (Sink::start().await, Sink::start().await);
    let gateway = Gateway::start(two(&default, &partner)).await;
    for (to, sink) in [("b@b.example", &default), ("p@partner.example", &partner), ("q@Mail.PARTNER.example", &partner)] {
        assert_eq!(gateway.send(&[to]).await, "250");
        sink.wait_for_mail_to(to).await;
    }
    assert_eq!((default.mails().len(), partner.mails().len()), (1, 2));
}

#[tokio::test]
async fn a_recipient_of_another_route_is_for_another_transaction() {
    let (default, partner) = (Sink::start().await, Sink::start().await);
    let routes = Arc::new(two(&default, &partner));
    for together in [true, false] {
        let mut routed = Routed::new(routes.clone());
        let commands = [mail("a@a.example"), rcpt("p@partner.example"), rcpt("b@b.example"), rcpt("q@partner.example")];
        let mut replies = Vec::new();
        for group in commands.chunks(if together { 4 } else { 1 }) {
            replies.extend(routed.envelope(group).await.unwrap());
        }
        assert_eq!(codes(&replies), [250, 250, 452, 250]);
        assert_eq!(replies[2].to_string(), "452 4.5.3 Send this recipient in another transaction");
        assert_eq!(routed.content(b"x\r\n", &Content::Memory(Bytes::new()), later()).await.unwrap().code(), 250);
        assert_eq!(partner.mails().last().unwrap().to, ["p@partner.example", "q@partner.example"]);
    }
    assert_eq!((default.mails().len(), default.connections(), partner.mails().len()), (0, 0, 2));
}

#[tokio::test]
async fn a_route_that_accepted_nobody_binds_nobody() {
    for (at, act, expected) in [
        ("RCPT", refuses("550 5.1.1 no such user"), [250, 550, 250]),
        // What it thinks of the sender is told with the recipient, and only there.
        ("MAIL", refuses("550 5.7.1 not you"), [250, 550, 250]),
        ("CONNECT", drop_it(), [250, 451, 250]),
        ("RCPT", drop_it(), [250, 451, 250]),
    ] {
        for together in [true, false] {
            let (default, partner) = (Sink::start().await, Sink::start().await);
            partner.fails(at, act.clone());
            let mut routed = Routed::new(Arc::new(two(&default, &partner)));
            let commands = [mail("a@a.example"), rcpt("p@partner.example"), rcpt("b@b.example")];
            let mut replies = Vec::new();
            for group in commands.chunks(if together { 3 } else { 1 }) {
                replies.extend(routed.envelope(group).await.unwrap());
            }
            assert_eq!(codes(&replies), expected, "{at} {act:?}");
            assert_eq!(routed.content(b"x\r\n", &Content::Memory(Bytes::new()), later()).await.unwrap().code(), 250);
            assert_eq!((default.mails().len(), partner.mails().len()), (1, 0), "{at} {act:?}");
        }
    }
}

#[tokio::test]
async fn a_transaction_that_is_given_up_leaves_nothing_for_the_next() {
    let (default, partner) = (Sink::start().await, Sink::start().await);
    let mut routed = Routed::new(Arc::new(two(&default, &partner)));
    routed.envelope(&[mail("a@a.example"), rcpt("p@partner.example")]).await.unwrap();
    routed.reset().await;
    let replies = routed.envelope(&[mail("c@a.example"), rcpt("b@b.example")]).await.unwrap();
    assert_eq!(codes(&replies), [250, 250]);
    routed.content(b"x\r\n", &Content::Memory(Bytes::new()), later()).await.unwrap();
    assert_eq!(
        (default.mails()[0].from.as_str(), default.mails()[0].to.as_slice()),
        ("c@a.example", ["b@b.example".to_owned()].as_slice())
    );
    assert_eq!(partner.mails(), []);
}

#[tokio::test]
async fn no_more_is_offered_than_every_route_can_do() {
    let (default, partner) = (Sink::start().await, Sink::start().await);
    default.offers(&["PIPELINING", "8BITMIME", "SIZE 5000", "DSN", "SMTPUTF8"]);
    partner.offers(&["PIPELINING", "SIZE 7000", "DSN"]);
    let routes = two(&default, &partner);
    routes.learn().await.unwrap();
    let expected = Extensions { pipelining: true, size: Some(5000), dsn: true, ..Extensions::default() };
    assert_eq!(routes.extensions(), expected);
}

#[tokio::test]
async fn routes_that_are_replaced_keep_the_connections_of_hosts_that_stay() {
    let (default, partner) = (Sink::start().await, Sink::start().await);
    let routes = two(&default, &partner);
    routes.learn().await.unwrap();
    let former = routes;
    let routes = former.replaced_by(vec![hop(&default)], Vec::new());
    drop(former);
    partner.wait_for_command("QUIT").await;
    let mut routed = Routed::new(Arc::new(routes));
    routed.envelope(&[mail("a@a.example"), rcpt("p@partner.example")]).await.unwrap();
    routed.content(b"x\r\n", &Content::Memory(Bytes::new()), later()).await.unwrap();
    assert_eq!((default.connections(), default.mails().len()), (1, 1));
}

#[tokio::test]
async fn an_lmtp_hop_gets_one_recipient_a_mail() {
    let sink = Sink::start().await;
    let gateway = Gateway::start(route(vec![lmtp(&sink)])).await;
    // The client is told at RCPT, where it can still send the second one a mail of his own.
    assert_eq!(gateway.send(&["b@b.example", "c@b.example"]).await, "RCPT 452 4.5.3DOT 250 2.0.0");
    assert_eq!(gateway.send(&["c@b.example"]).await, "250");
    let to: Vec<_> = sink.mails().iter().map(|m| m.to.clone()).collect();
    assert_eq!(to, [["b@b.example"], ["c@b.example"]]);
    assert!(sink.commands()[0].starts_with("LHLO ") && !sink.commands().iter().any(|c| c.starts_with("EHLO")));
    // A recipient that was refused takes no place.
    sink.fails("RCPT TO:<no@", refuses("550 5.1.1 no such user"));
    assert_eq!(gateway.send(&["no@b.example", "b@b.example"]).await, "RCPT 550 5.1.1DOT 250 2.0.0");
}

#[tokio::test]
async fn with_chunking_a_mail_goes_out_as_it_is_in_one_piece() {
    let sink = Sink::start().await;
    sink.offers(&["PIPELINING", "8BITMIME", "CHUNKING"]);
    let gateway = Gateway::start(route(vec![hop(&sink)])).await;
    for _ in 0..2 {
        assert_eq!(gateway.send(&["b@b.example"]).await, "250");
    }
    let mails = sink.mails();
    assert!(mails.iter().all(|m| m.chunked && m.wire.ends_with(BODY.as_bytes())), "{mails:?}");
    assert!(!sink.commands().iter().any(|c| c == "DATA"));
    assert_eq!(sink.connections(), 1);
}

#[tokio::test]
async fn before_bdat_the_connection_is_looked_at_since_no_354_will_prove_it() {
    let sink = Sink::start().await;
    sink.offers(&["CHUNKING"]);
    let routes = route(vec![hop(&sink)]);
    let mut transaction = routes.of(&super::address("b@b.example")).begin().await.unwrap();
    // The last answer before the body is also the last thing the host says on this connection.
    sink.fails_times("RCPT", Act::Last("250 2.1.5 ok".to_owned()), 0, 1);
    transaction.envelope(&[mail("a@a.example"), rcpt("b@b.example")]).await.unwrap();
    sink.wait_for_hang_up().await;
    assert_eq!(transaction.data(&[b"x\r\n"], later()).await.unwrap().code(), 250);
    assert_eq!((sink.connections(), sink.mails().len()), (2, 1));
}

#[tokio::test]
async fn parameters_pass_on_as_they_came_where_the_host_knows_them() {
    let all = ["PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "SIZE 100000"];
    let told = EnvelopeCommand::Mail {
        from: Some(super::address("a@a.example")),
        parameters: " body=8bitmime SMTPUTF8 RET=HDRS ENVID=x+2By".to_owned(),
        size: None,
    };
    let to = EnvelopeCommand::Rcpt {
        to: super::address("b@b.example"),
        parameters: " NOTIFY=FAILURE,DELAY ORCPT=rfc822;b@b.example".to_owned(),
    };
    for (missing, expected) in [
        ("", vec!["250", "250"]),
        ("SMTPUTF8", vec!["550 5.6.7", "503"]),
        ("8BITMIME", vec!["451 4.6.3", "503"]),
        ("DSN", vec!["451 4.3.3", "503"]),
    ] {
        let sink = Sink::start().await;
        sink.offers(&all.iter().copied().filter(|e| *e != missing).collect::<Vec<_>>());
        let mut transaction = route(vec![hop(&sink)]).of(&super::address("b@b.example")).begin().await.unwrap();
        let replies = transaction.envelope(&[told.clone(), to.clone()]).await.unwrap();
        assert!(replies.iter().zip(&expected).all(|(r, e)| r.to_string().starts_with(e)), "{missing}: {replies:?}");
        if missing.is_empty() {
            let heard = sink.commands();
            assert_eq!(heard[1], "MAIL FROM:<a@a.example> body=8bitmime SMTPUTF8 RET=HDRS ENVID=x+2By");
            assert_eq!(heard[2], "RCPT TO:<b@b.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;b@b.example");
        } else {
            assert!(!sink.commands().iter().any(|c| c.starts_with("MAIL")), "{missing}");
        }
    }
}

#[tokio::test]
async fn what_only_a_host_that_is_down_can_do_is_asked_for_later() {
    // A host that has SMTPUTF8 or not, stands first or last of the route, and is up or down; the other one lacks it.
    for (has_it, first, up, expected) in [
        (true, true, true, "250"),
        (true, false, true, "250"),
        (true, true, false, "451 4.3.3"),
        (true, false, false, "451 4.4."),
        (false, true, true, "550 5.6.7"),
        (false, true, false, "550 5.6.7"),
    ] {
        let (able, lacking) = (Sink::start().await, Sink::start().await);
        able.offers(if has_it { &["PIPELINING", "SMTPUTF8"] } else { &["PIPELINING"] });
        let hops = if first { vec![hop(&able), hop(&lacking)] } else { vec![hop(&lacking), hop(&able)] };
        let routes = route(hops);
        routes.learn().await.unwrap();
        let route = routes.of(&super::address("b@b.example"));
        if !up {
            able.fails("", Act::Drop);
        }
        let mail = EnvelopeCommand::Mail { from: None, parameters: " SMTPUTF8".to_owned(), size: None };
        let replies = route.begin().await.unwrap().envelope(&[mail]).await.unwrap_or_else(|failure| vec![failure.reply()]);
        assert!(replies[0].to_string().starts_with(expected), "{has_it} {first} {up}: {replies:?}");
        let told = |sink: &Sink| sink.commands().iter().any(|c| c.starts_with("MAIL"));
        assert!(!told(&lacking) && (!up || told(&able) == has_it), "{has_it} {first} {up}");
    }
}

#[tokio::test]
async fn a_mail_that_requires_tls_never_goes_to_a_host_that_has_not_proved_its_name() {
    let sink = Sink::start().await;
    sink.offers(&["PIPELINING", "REQUIRETLS"]);
    let routes = route(vec![hop(&sink)]);
    routes.learn().await.unwrap();
    assert!(!routes.extensions().require_tls);
    let told = EnvelopeCommand::Mail { from: None, parameters: " REQUIRETLS".to_owned(), size: None };
    let replies = Routed::new(Arc::new(routes)).envelope(&[told]).await.unwrap();
    assert!(replies[0].to_string().starts_with("550 5.7.30 "), "{replies:?}");
}

/// A body of blocks, the last of which cannot be read.
struct Blocks(Vec<io::Result<&'static [u8]>>, u64, Option<&'static [u8]>);

impl Body for Blocks {
    fn size(&self) -> u64 {
        self.1
    }

    async fn block(&mut self) -> io::Result<Option<&[u8]>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        self.2 = Some(self.0.remove(0)?);
        Ok(self.2)
    }
}

#[tokio::test]
async fn a_body_that_is_read_in_blocks_arrives_whole_or_not_at_all() {
    let unreadable = || Err(io::Error::other("disk"));
    for extensions in [&["PIPELINING"][..], &["PIPELINING", "CHUNKING"]] {
        for (blocks, size, expected) in [
            (vec![Ok(&b"X: y\r"[..]), Ok(b"\n"), Ok(b"\r\n.dot\r\n")], 14, Ok(250)),
            (vec![Ok(b"X: y\r\n\r\n"), unreadable()], 14, Err(Failure::Unreadable)),
            (vec![Ok(b"X: y\r\n\r\n")], 14, Err(Failure::Unreadable)),
            (vec![Ok(b"X: y\r\n"), Ok(b"\r\n.\n"), Ok(b"abcd")], 14, Err(Failure::BareLineEnd)),
            (vec![Ok(b"X: y\r\n\r\nabcde\r")], 14, Err(Failure::BareLineEnd)),
        ] {
            let sink = Sink::start().await;
            sink.offers(extensions);
            let shown = format!("{blocks:?}");
            let mut transaction = route(vec![hop(&sink)]).of(&super::address("b@b.example")).begin().await.unwrap();
            transaction.envelope(&[mail("a@a.example"), rcpt("b@b.example")]).await.unwrap();
            let outcome = transaction.data_of(&mut Blocks(blocks, size, None), later()).await;
            assert_eq!(outcome.as_ref().map(Reply::code).map_err(|f| *f), expected, "{shown}");
            assert_eq!(sink.mails().len(), usize::from(expected.is_ok()), "{shown}");
        }
    }
}

#[tokio::test]
async fn a_host_whose_addresses_are_known_is_not_looked_up() {
    let sink = Sink::start().await;
    let known = NextHop { addresses: vec!["127.0.0.1".parse().unwrap()], ..NextHop::plain("mx.invalid", sink.address().port()) };
    let gateway = Gateway::start(Routes::only(known, client_options())).await;
    assert_eq!(gateway.send(&["b@b.example"]).await, "250");
}

/// What was logged, line by line.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_host_that_is_down_all_night_is_told_of_once_and_once_more_when_it_is_back() {
    let (sink, log) = (Sink::start().await, Log::default());
    sink.fails("CONNECT", Act::Drop);
    let options = ClientOptions { pause: Duration::ZERO, failures: 3, ..client_options() };
    let routes = Routes::new(vec![hop(&sink)], Vec::new(), options);
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    async {
        for _ in 0..20 {
            assert_eq!(routes.learn().await, Err(Failure::Unreachable));
        }
        sink.heals();
        routes.learn().await.unwrap();
        routes.learn().await.unwrap();
    }
    .with_subscriber(subscriber)
    .await;
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let said: Vec<&str> = log.lines().filter_map(|line| line.split("smtp: ").nth(1)?.split("next_hop=").next()).map(str::trim).collect();
    assert_eq!(
        said,
        ["the next hop cannot be reached", "the next hop is down, and is tried now and then only", "the next hop is up again"],
        "{log}"
    );
}
