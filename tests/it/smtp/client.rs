//! The client against a next hop that refuses, hangs and hangs up wherever it can: nothing is lost, nothing is sent twice.

use super::{client_options, codes, hop, mail, rcpt};
use crate::sink::{Act, Sink};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;
use zegel::smtp::{
    EnvelopeCommand, Reply,
    client::{ClientOptions, Failure, Pool},
};

const BODY: &[u8] = b"Subject: x\r\n\r\n.dot\r\n";

/// For a next hop that hangs: short enough to be waited for, long enough for a busy machine.
const PATIENCE: Duration = Duration::from_millis(400);

fn pool(sink: &Sink) -> Arc<Pool> {
    Pool::new(hop(sink), ClientOptions { failures: 1000, ..client_options() })
}

fn impatient(sink: &Sink) -> Arc<Pool> {
    Pool::new(hop(sink), ClientOptions { reply_time: PATIENCE, failures: 1000, ..client_options() })
}

fn soon() -> Instant {
    Instant::now() + PATIENCE
}

fn later() -> Instant {
    Instant::now() + Duration::from_secs(30)
}

/// A whole mail; what the client would be told.
async fn send(pool: &Arc<Pool>, deadline: Instant) -> Result<Reply, Failure> {
    let mut transaction = pool.begin().await?;
    let replies = transaction.envelope(&[mail("a@a.example"), rcpt("b@b.example")]).await?;
    if let Some(refusal) = replies.iter().find(|r| !r.is_positive()) {
        return Ok(refusal.clone());
    }
    transaction.data(&[b"X: y\r\n", BODY], deadline).await
}

fn reply(text: &str) -> Act {
    Act::Reply(text.to_owned())
}

fn last(text: &str) -> Act {
    Act::Last(text.to_owned())
}

#[tokio::test]
async fn a_mail_goes_out_as_it_is_and_the_connection_is_kept() {
    let sink = Sink::start().await;
    let pool = pool(&sink);
    for count in 1..=3 {
        let reply = send(&pool, later()).await.unwrap();
        assert_eq!(reply.to_string(), "250 2.0.0 ok: queued as S1");
        let mails = sink.mails();
        assert_eq!(
            (mails.len(), mails[0].from.as_str(), mails[0].to.as_slice()),
            (count, "a@a.example", ["b@b.example".to_owned()].as_slice())
        );
        assert_eq!(mails[0].wire, b"X: y\r\nSubject: x\r\n\r\n..dot\r\n");
    }
    assert_eq!((sink.connections(), pool.idle()), (1, 1));
    assert!(!sink.commands().contains(&"RSET".to_owned()));
}

/// Every command, every way to fail: what the sender hears, and how many mails there are.
#[tokio::test]
async fn whatever_the_next_hop_does_the_sender_hears_the_truth() {
    let lost = |dot_sent| Err(Failure::Lost { dot_sent });
    let slow = |dot_sent| Err(Failure::Timeout { dot_sent });
    let cases: Vec<(&str, Act, Result<u16, Failure>, usize)> = vec![
        ("CONNECT", reply("554 5.7.1 go away"), Err(Failure::Unreachable), 0),
        ("CONNECT", last("421 4.3.2 busy"), Err(Failure::Unreachable), 0),
        ("CONNECT", reply("HTTP/1.1 400 what?"), Err(Failure::Unreachable), 0),
        ("CONNECT", Act::Hang, Err(Failure::Unreachable), 0),
        ("CONNECT", Act::Drop, Err(Failure::Unreachable), 0),
        ("EHLO", Act::Hang, Err(Failure::Unreachable), 0),
        ("EHLO", Act::Drop, Err(Failure::Unreachable), 0),
        ("EHLO", reply("502 5.5.1 what?"), Ok(250), 1),
        ("MAIL", reply("451 4.7.1 later"), Ok(451), 0),
        ("MAIL", reply("550 5.7.1 no"), Ok(550), 0),
        ("MAIL", reply("354 what?"), lost(false), 0),
        ("MAIL", last("421 4.3.2 bye"), lost(false), 0),
        ("MAIL", Act::Hang, slow(false), 0),
        ("MAIL", Act::Drop, lost(false), 0),
        ("RCPT", reply("450 4.2.0 greylisted"), Ok(450), 0),
        ("RCPT", reply("550 5.1.1 no such user"), Ok(550), 0),
        ("RCPT", last("421 4.3.2 bye"), lost(false), 0),
        ("RCPT", Act::Hang, slow(false), 0),
        ("RCPT", Act::Drop, lost(false), 0),
        ("DATA", reply("452 4.3.1 full"), Ok(452), 0),
        ("DATA", reply("554 5.7.1 no"), Ok(554), 0),
        ("DATA", reply("250 2.0.0 what?"), lost(false), 0),
        ("DATA", reply("354 go on\r\n250 2.0.0 taken already"), lost(false), 0),
        ("DATA", last("421 4.3.2 bye"), lost(false), 0),
        ("DATA", Act::Hang, slow(false), 0),
        ("DATA", Act::Drop, lost(false), 0),
        ("BODY", Act::Hang, slow(true), 0),
        ("BODY", Act::Drop, lost(true), 0),
        ("DOT", reply("451 4.3.0 later"), Ok(451), 0),
        ("DOT", reply("554 5.7.1 spam"), Ok(554), 0),
        ("DOT", last("421 4.3.2 bye"), Ok(451), 0),
        ("DOT", reply("354 what?"), lost(true), 0),
        // From here on the next hop has the mail, and only it knows.
        ("DOT", Act::Hang, slow(true), 1),
        ("DOT", Act::Drop, lost(true), 1),
    ];
    for (at, act, expected, mails) in cases {
        let sink = Sink::start().await;
        let hangs = matches!(act, Act::Hang);
        let (pool, deadline) = if hangs { (impatient(&sink), soon()) } else { (pool(&sink), later()) };
        sink.fails(at, act.clone());
        let outcome = send(&pool, deadline).await;
        assert_eq!(outcome.as_ref().map(Reply::code).map_err(|f| *f), expected, "{at} {act:?}");
        assert_eq!(sink.mails().len(), if at == "DOT" && act_takes(&act) { 1 } else { mails }, "{at} {act:?}");
        let heard = sink.commands().iter().filter(|c| *c == "DATA").count();
        assert!(heard <= if at == "DATA" { 2 } else { 1 }, "{at} {act:?}: once 354 was said nothing is sent again");
        if let Err(failure) = outcome {
            assert_eq!(failure.reply().code(), 451);
        }
        // Whatever was left of it, the next mail goes its way, once.
        sink.heals();
        let before = sink.mails().len();
        assert_eq!(send(&pool, later()).await.unwrap().code(), 250, "{at} {act:?}");
        assert_eq!(sink.mails().len(), before + 1, "{at} {act:?}");
    }
}

/// `354 what?` to the final dot: the sink counts the mail as taken, as such a server might.
fn act_takes(act: &Act) -> bool {
    matches!(act, Act::Hang | Act::Drop)
}

#[tokio::test]
async fn a_connection_that_died_in_the_pool_costs_no_mail() {
    for act in [Act::Drop, Act::Hang, last("421 4.4.2 idle too long")] {
        for at in ["MAIL", "RCPT", "DATA"] {
            let sink = Sink::start().await;
            let pool = impatient(&sink);
            send(&pool, later()).await.unwrap();
            sink.fails_times(at, act.clone(), 0, 1);
            assert_eq!(send(&pool, later()).await.map(|r| r.code()), Ok(250), "{at} {act:?}");
            assert_eq!((sink.mails().len(), sink.connections()), (2, 2), "{at} {act:?}");
        }
    }
}

#[tokio::test]
async fn what_is_repeated_must_be_answered_as_before() {
    for (skip, at, expected) in [(1, "RCPT TO:<b", Err(Failure::Changed)), (1, "MAIL", Err(Failure::Changed)), (9, "RCPT", Ok(250))] {
        let sink = Sink::start().await;
        let pool = pool(&sink);
        sink.fails_times("DATA", Act::Drop, 0, 1);
        sink.fails_times("RCPT TO:<no", reply("550 5.1.1 no"), 0, 1);
        sink.fails_times(at, reply("450 4.2.0 changed my mind"), skip, 1);
        let mut transaction = pool.begin().await.unwrap();
        let replies = transaction.envelope(&[mail("a@a.example"), rcpt("no@b.example"), rcpt("b@b.example")]).await.unwrap();
        assert_eq!(codes(&replies), [250, 550, 250]);
        assert_eq!(transaction.data(&[BODY], later()).await.map(|r| r.code()), expected, "{at}");
        // Who was refused stays refused, whatever the next hop would say today: the sender has been told.
        assert!(sink.mails().iter().all(|m| m.to == ["b@b.example"]));
        assert_eq!(sink.commands().iter().filter(|c| c.contains("<no@")).count(), 1);
    }
}

#[tokio::test]
async fn an_envelope_that_is_given_up_is_reset_before_anybody_else_gets_the_connection() {
    let sink = Sink::start().await;
    let pool = pool(&sink);
    let mut transaction = pool.begin().await.unwrap();
    transaction.envelope(&[mail("a@a.example"), rcpt("b@b.example")]).await.unwrap();
    transaction.reset().await;
    assert_eq!(codes(&transaction.envelope(&[mail("c@a.example"), rcpt("d@b.example")]).await.unwrap()), [250, 250]);
    assert_eq!(sink.commands().iter().filter(|c| *c == "RSET").count(), 1);
    drop(transaction);
    send(&pool, later()).await.unwrap();
    assert_eq!(sink.mails().len(), 1);
    assert_eq!(sink.mails()[0].to, ["b@b.example"]);
}

#[tokio::test]
async fn a_connection_whose_replies_nobody_waited_for_serves_nobody_else() {
    let sink = Sink::start().await;
    let pool = Pool::new(hop(&sink), client_options());
    sink.fails_times("RCPT", Act::Hang, 0, 1);
    let mut transaction = pool.begin().await.unwrap();
    let commands = [mail("a@a.example"), rcpt("lost@b.example")];
    tokio::select! {
        _ = transaction.envelope(&commands) => panic!("the sink does not answer"),
        () = sink.wait_for_command("RCPT") => {}
    }
    drop(transaction);
    assert_eq!(pool.idle(), 0);
    send(&pool, later()).await.unwrap();
    assert_eq!((sink.connections(), sink.mails()[0].to.as_slice()), (2, ["b@b.example".to_owned()].as_slice()));
}

#[tokio::test]
async fn a_next_hop_without_pipelining_hears_one_command_at_a_time() {
    let sink = Sink::start().await;
    sink.offers(&[]);
    let pool = pool(&sink);
    assert_eq!(send(&pool, later()).await.unwrap().code(), 250);
    // Not told about SIZE and BODY, which it does not know.
    let sized = EnvelopeCommand::Mail { from: None, parameters: " BODY=7BIT".to_owned(), size: Some(5) };
    let mut transaction = pool.begin().await.unwrap();
    transaction.envelope(&[sized, rcpt("b@b.example")]).await.unwrap();
    assert_eq!(sink.commands().iter().rfind(|c| c.starts_with("MAIL")).unwrap(), "MAIL FROM:<>");
    transaction.reset().await;
    // And never given what it cannot take.
    let eight_bit = EnvelopeCommand::Mail { from: None, parameters: " BODY=8BITMIME".to_owned(), size: None };
    assert_eq!(codes(&transaction.envelope(&[eight_bit, rcpt("b@b.example")]).await.unwrap()), [451, 503]);
}

#[tokio::test]
async fn a_refused_mail_from_takes_its_recipients_with_it() {
    for extensions in [&["PIPELINING"][..], &[]] {
        let sink = Sink::start().await;
        sink.offers(extensions);
        sink.fails_times("MAIL", reply("550 5.7.1 no"), 0, 1);
        let mut transaction = pool(&sink).begin().await.unwrap();
        let replies = transaction.envelope(&[mail("a@a.example"), rcpt("b@b.example"), rcpt("c@b.example")]).await.unwrap();
        assert_eq!(codes(&replies), [550, 503, 503]);
    }
}

#[tokio::test]
async fn a_host_that_is_down_is_left_alone_for_a_while() {
    let sink = Sink::start().await;
    sink.fails("CONNECT", Act::Drop);
    let pool = Pool::new(hop(&sink), client_options());
    for _ in 0..20 {
        assert_eq!(pool.begin().await.err(), Some(Failure::Unreachable));
    }
    assert_eq!(sink.connections(), 5);
    // And tried again after it.
    let sink = Sink::start().await;
    sink.fails_times("CONNECT", Act::Drop, 0, 5);
    let pool = Pool::new(hop(&sink), ClientOptions { pause: Duration::ZERO, ..client_options() });
    for _ in 0..5 {
        assert!(pool.begin().await.is_err());
    }
    assert_eq!(send(&pool, later()).await.unwrap().code(), 250);
}

#[tokio::test]
async fn connections_do_not_grow_old_nor_serve_for_ever() {
    let sink = Sink::start().await;
    let pool_of_two = Pool::new(hop(&sink), ClientOptions { mails_per_connection: 2, ..client_options() });
    for _ in 0..5 {
        send(&pool_of_two, later()).await.unwrap();
    }
    assert_eq!((sink.mails().len(), sink.connections()), (5, 3));

    let sink = Sink::start().await;
    let idle = Pool::new(hop(&sink), ClientOptions { idle_time: Duration::from_millis(10), ..client_options() });
    send(&idle, later()).await.unwrap();
    sink.wait_for_command("QUIT").await;
    assert_eq!(idle.idle(), 0);
    send(&idle, later()).await.unwrap();
    assert_eq!((sink.mails().len(), sink.connections()), (2, 2));
}

#[tokio::test]
async fn transactions_wait_for_their_turn() {
    let sink = Sink::start().await;
    let pool = Pool::new(hop(&sink), ClientOptions { connections: 2, ..client_options() });
    let sending: Vec<_> = (0..20)
        .map(|_| {
            tokio::spawn({
                let pool = pool.clone();
                async move { send(&pool, later()).await }
            })
        })
        .collect();
    for sent in sending {
        assert_eq!(sent.await.unwrap().unwrap().code(), 250);
    }
    assert_eq!((sink.mails().len(), sink.connections()), (20, 2));
}

#[tokio::test]
async fn nothing_with_a_bare_line_end_is_ever_sent() {
    let sink = Sink::start().await;
    let pool = pool(&sink);
    for body in [&b"a\nb\r\n"[..], b"a\rb\r\n", b"a\r\n.\n", b"a\r"] {
        let mut transaction = pool.begin().await.unwrap();
        transaction.envelope(&[mail("a@a.example"), rcpt("b@b.example")]).await.unwrap();
        assert_eq!(transaction.data(&[b"X: y\r\n", body], later()).await, Err(Failure::BareLineEnd));
    }
    assert_eq!(sink.mails(), []);
    assert!(!sink.commands().contains(&"DATA".to_owned()));
    // A last line without its end gets one.
    let mut transaction = pool.begin().await.unwrap();
    transaction.envelope(&[mail("a@a.example"), rcpt("b@b.example")]).await.unwrap();
    assert_eq!(transaction.data(&[b"a"], later()).await.unwrap().code(), 250);
    assert_eq!(sink.mails()[0].wire, b"a\r\n");
}

#[tokio::test]
async fn a_refusal_in_the_middle_of_a_large_body_is_a_refusal() {
    let sink = Sink::start().await;
    sink.fails("BODY", last("552 5.3.4 too large"));
    let pool = pool(&sink);
    let mut transaction = pool.begin().await.unwrap();
    transaction.envelope(&[mail("a@a.example"), rcpt("b@b.example")]).await.unwrap();
    let line = [b"x".repeat(98), b"\r\n".to_vec()].concat();
    let outcome = transaction.data(&[&line.repeat(200_000)], later()).await;
    // The connection may be cut before we read the reason; it is a refusal or a loss, and no mail.
    assert!(matches!(outcome, Err(Failure::Lost { dot_sent: false })) || outcome.is_ok_and(|r| r.code() == 552));
    assert_eq!(sink.mails(), []);
}

/// A row of numbers that looks like chance and is the same every time.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

#[tokio::test]
async fn under_any_mishap_no_mail_is_lost_and_none_is_sent_twice() {
    let sink = Sink::start().await;
    let pool =
        Pool::new(hop(&sink), ClientOptions { connections: 8, reply_time: Duration::from_millis(60), failures: 1000, ..client_options() });
    let mut dice = Dice(7);
    let (mut taken, mut doubtful) = (0, 0);
    for round in 0..60 {
        for _ in 0..3 {
            let at = ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "BODY", "DOT", "RSET"][dice.throw(8)];
            let act = match dice.throw(5) {
                0 => Act::Hang,
                1 => reply("451 4.3.0 later"),
                2 => last("421 4.3.2 bye"),
                _ => Act::Drop,
            };
            sink.fails_times(at, act, dice.throw(6), 1);
        }
        let sending: Vec<_> = (0..6)
            .map(|i| {
                let (pool, give_up) = (pool.clone(), dice.throw(6) == 0);
                tokio::spawn(async move {
                    let to = format!("r{round}-{i}@b.example");
                    let sent = async {
                        let mut transaction = pool.begin().await?;
                        let replies = transaction.envelope(&[mail("a@a.example"), rcpt(&to)]).await?;
                        match replies.iter().find(|r| !r.is_positive()) {
                            Some(refusal) => Ok(refusal.clone()),
                            None if give_up => Ok(Reply::TRY_LATER),
                            None => transaction.data(&[to.as_bytes()], Instant::now() + Duration::from_millis(100)).await,
                        }
                    };
                    (sent.await, to)
                })
            })
            .collect();
        for sent in sending {
            let (outcome, to) = sent.await.unwrap();
            let arrived: Vec<_> = sink.mails().into_iter().filter(|m| m.to.contains(&to)).collect();
            assert!(arrived.iter().all(|m| m.to == [to.clone()] && m.wire == format!("{to}\r\n").into_bytes()), "mixed up: {arrived:?}");
            match outcome {
                Ok(reply) if reply.is_positive() => {
                    assert_eq!(arrived.len(), 1, "{to} was said to be taken");
                    taken += 1;
                }
                Err(Failure::Lost { dot_sent: true } | Failure::Timeout { dot_sent: true }) => {
                    assert!(arrived.len() <= 1, "{to} was sent twice");
                    doubtful += 1;
                }
                // `421` or a refusal at the dot is the next hop's word that it has not got the mail.
                other => assert_eq!(arrived.len(), 0, "{to}: {other:?}, and it was sent all the same"),
            }
        }
    }
    assert!(taken > 50 && doubtful > 5, "taken {taken}, doubtful {doubtful}: this tried too little");
}
