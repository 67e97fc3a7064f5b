//! What the server promises, beyond a single conversation.

use super::{Raw, client_options, hop, options, start, start_with};
use crate::sink::{Act, Sink};
use std::time::Duration;
use zegel::smtp::{
    Budget, ServerLimits, ServerOptions,
    client::{ClientOptions, Pool},
};

#[tokio::test]
async fn whoever_is_not_allowed_hears_so_and_nothing_else() {
    let sink = Sink::start().await;
    let options = ServerOptions { allow: vec!["192.0.2.0/24".parse().unwrap()], ..options() };
    let running = start_with(options, Pool::new(hop(&sink), client_options())).await;
    let mut raw = Raw::silent(running.address).await;
    assert!(raw.reply().await.starts_with("554 5.7.1 "));
    assert!(raw.is_closed().await);
}

#[tokio::test]
async fn sessions_are_bounded_and_places_come_back() {
    let sink = Sink::start().await;
    let limits = ServerLimits { sessions_per_ip: 2, ..ServerLimits::default() };
    let running = start_with(ServerOptions { limits, ..options() }, Pool::new(hop(&sink), client_options())).await;
    let mut first = Raw::connect(running.address).await;
    let _second = Raw::connect(running.address).await;
    let mut third = Raw::silent(running.address).await;
    assert!(third.reply().await.starts_with("421 4.7.0 "));
    assert!(first.says("QUIT").await.starts_with("221 "));
    assert!(first.is_closed().await);
    drop(first);
    while running.options.sessions() > 1 {
        tokio::task::yield_now().await;
    }
    Raw::connect(running.address).await;
}

#[tokio::test]
async fn a_client_that_speaks_first_is_not_greeted() {
    let sink = Sink::start().await;
    let running = start(&sink).await;
    // Whether the octets are there before the greeting is for the system to say; either way they bring nobody anywhere.
    let mut raw = Raw::silent(running.address).await;
    raw.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    let said = raw.reply().await;
    assert!(said.starts_with("503 5.5.0 ") || said.starts_with("220 "), "{said}");
}

#[tokio::test]
async fn a_mail_that_finds_no_room_is_told_to_come_later_and_nothing_of_it_is_left() {
    let sink = Sink::start().await;
    let limits = ServerLimits { room_time: Duration::from_millis(20), ..ServerLimits::default() };
    let options = ServerOptions { limits, budget: Budget::new(300_000), ..options() };
    let running = start_with(options, Pool::new(hop(&sink), client_options())).await;
    let mut holder = Raw::ready(running.address).await;
    holder.send(b"MAIL FROM:<a@a.example> SIZE=200000\r\nRCPT TO:<b@b.example>\r\nDATA\r\n").await;
    for code in ["250", "250", "354"] {
        assert!(holder.reply().await.starts_with(code));
    }
    // Announced, and no room: said before 354.
    let mut announced = Raw::ready(running.address).await;
    assert!(announced.says("MAIL FROM:<a@a.example> SIZE=100000").await.starts_with("250 "));
    assert!(announced.says("RCPT TO:<b@b.example>").await.starts_with("250 "));
    assert!(announced.says("DATA").await.starts_with("452 4.3.1 "));
    // The transaction is as it was: with room it can go on.
    holder.send(b"x\r\n.\r\n").await;
    assert!(holder.reply().await.starts_with("250 "));
    assert!(announced.says("DATA").await.starts_with("354 "));
    // More than was announced, and more than there is room for: read to its end, then refused.
    let mut other = Raw::ready(running.address).await;
    other.send(b"MAIL FROM:<a@a.example> SIZE=100000\r\nRCPT TO:<b@b.example>\r\nDATA\r\n").await;
    for code in ["250", "250", "354"] {
        assert!(other.reply().await.starts_with(code));
    }
    let line = [b"x".repeat(98), b"\r\n".to_vec()].concat();
    announced.send(&line.repeat(2500)).await;
    announced.send(b".\r\n").await;
    assert!(announced.reply().await.starts_with("452 4.3.1 "));
    other.send(b"x\r\n.\r\n").await;
    assert!(other.reply().await.starts_with("250 "));
    assert!(announced.says("NOOP").await.starts_with("250 "));
    assert_eq!((sink.mails().len(), running.options.budget.free()), (2, 300_000));
}

#[tokio::test]
async fn shutting_down_says_goodbye_to_the_idle_and_waits_for_mails_in_flight() {
    let sink = Sink::start().await;
    let running = start(&sink).await;
    let mut idle = Raw::ready(running.address).await;
    let mut busy = Raw::ready(running.address).await;
    busy.begins().await;
    running.stop.send(true).unwrap();
    assert!(idle.reply().await.starts_with("421 4.3.2 "));
    assert!(idle.is_closed().await);
    busy.send(b"x\r\n.\r\n").await;
    assert!(busy.reply().await.starts_with("250 "));
    assert!(busy.reply().await.starts_with("421 4.3.2 "));
    running.serving.await.unwrap();
    assert_eq!(sink.mails().len(), 1);
}

#[tokio::test]
async fn a_session_that_does_not_end_is_cut_off_and_its_mail_stays_with_the_client() {
    let sink = Sink::start().await;
    let limits = ServerLimits { drain_time: Duration::from_millis(20), ..ServerLimits::default() };
    let running = start_with(ServerOptions { limits, ..options() }, Pool::new(hop(&sink), client_options())).await;
    let mut busy = Raw::ready(running.address).await;
    busy.begins().await;
    busy.send(b"half a mail\r\n").await;
    running.stop.send(true).unwrap();
    running.serving.await.unwrap();
    assert!(busy.is_closed().await);
    assert_eq!(sink.mails(), []);
}

#[tokio::test]
async fn a_client_that_is_silent_too_long_is_told_and_the_next_hop_freed() {
    let sink = Sink::start().await;
    let limits = ServerLimits { command_time: Duration::from_millis(30), block_time: Duration::from_millis(30), ..ServerLimits::default() };
    let running = start_with(ServerOptions { limits, ..options() }, Pool::new(hop(&sink), client_options())).await;
    let mut raw = Raw::connect(running.address).await;
    assert!(raw.reply().await.starts_with("421 4.4.2 "));
    let limits = ServerLimits { block_time: Duration::from_millis(30), ..ServerLimits::default() };
    let running = start_with(ServerOptions { limits, ..options() }, Pool::new(hop(&sink), client_options())).await;
    let mut raw = Raw::ready(running.address).await;
    raw.begins().await;
    raw.send(b"half a mail\r\n").await;
    assert!(raw.reply().await.starts_with("421 4.4.2 "));
    assert!(raw.is_closed().await);
    sink.wait_for_command("RSET").await;
    assert_eq!((sink.mails().len(), running.options.budget.free()), (0, 64 << 20));
}

#[tokio::test]
async fn a_client_that_hangs_up_in_its_mail_has_sent_none() {
    let sink = Sink::start().await;
    let running = start(&sink).await;
    let mut raw = Raw::ready(running.address).await;
    raw.begins().await;
    raw.send(b"half a mail\r\n.\r").await;
    drop(raw);
    sink.wait_for_command("RSET").await;
    assert_eq!(sink.mails(), []);
}

#[tokio::test]
async fn a_panic_is_451_and_the_server_goes_on() {
    let sink = Sink::start().await;
    let running = start(&sink).await;
    let mut raw = Raw::ready(running.address).await;
    raw.begins().await;
    raw.send(b"PANIC\r\n.\r\n").await;
    assert!(raw.reply().await.starts_with("451 4.3.0 "));
    assert!(raw.is_closed().await);
    let mut raw = Raw::ready(running.address).await;
    raw.begins().await;
    raw.send(b"x\r\n.\r\n").await;
    assert!(raw.reply().await.starts_with("250 "));
    assert_eq!((sink.mails().len(), running.options.budget.free()), (1, 64 << 20));
}

#[tokio::test]
async fn no_more_is_offered_than_the_next_hop_takes() {
    let sink = Sink::start().await;
    sink.offers(&["SIZE 5000", "PIPELINING"]);
    let pool = Pool::new(hop(&sink), client_options());
    pool.learn().await.unwrap();
    let running = start_with(options(), pool).await;
    let mut raw = Raw::connect(running.address).await;
    let offer = raw.says("EHLO client.example").await;
    assert!(offer.contains("SIZE 3976\n") && !offer.contains("8BITMIME"), "{offer}");
    assert!(raw.says("MAIL FROM:<a@a.example> SIZE=3977").await.starts_with("552 5.3.4 "));
    assert!(raw.says("MAIL FROM:<a@a.example> BODY=8BITMIME").await.starts_with("555 "));
    assert!(raw.says("MAIL FROM:<a@a.example> SIZE=3976 BODY=7BIT").await.starts_with("250 "));
    sink.wait_for_command("MAIL FROM:<a@a.example> SIZE=5000").await;
}

#[tokio::test]
async fn a_thousand_recipients_are_taken_and_each_refusal_is_told_where_it_belongs() {
    let sink = Sink::start().await;
    sink.fails("RCPT TO:<r500@", Act::Reply("550 5.1.1 no such user".to_owned()));
    let running = start(&sink).await;
    let mut raw = Raw::ready(running.address).await;
    let recipients: String = (0..=1000).map(|i| format!("RCPT TO:<r{i}@b.example>\r\n")).collect();
    raw.send(format!("MAIL FROM:<a@a.example>\r\n{recipients}DATA\r\n").as_bytes()).await;
    assert!(raw.reply().await.starts_with("250 "));
    for i in 0..1000 {
        let expected = if i == 500 { "550 5.1.1 no such user" } else { "250 2.0.0 ok" };
        assert!(raw.reply().await.starts_with(expected));
    }
    assert!(raw.reply().await.starts_with("452 4.5.3 "));
    assert!(raw.reply().await.starts_with("354 "));
    raw.send(b"x\r\n.\r\n").await;
    assert!(raw.reply().await.starts_with("250 "));
    assert_eq!(sink.mails()[0].to.len(), 999);
}

#[tokio::test]
async fn a_next_hop_that_is_down_is_451_at_mail() {
    let sink = Sink::start().await;
    sink.fails("CONNECT", Act::Drop);
    let running = start_with(options(), Pool::new(hop(&sink), ClientOptions { failures: 1000, ..client_options() })).await;
    let mut raw = Raw::ready(running.address).await;
    raw.send(b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n").await;
    assert!(raw.reply().await.starts_with("451 4.4.1 "));
    assert!(raw.reply().await.starts_with("451 4.4.1 "));
    assert!(raw.reply().await.starts_with("503 5.5.1 "));
    sink.heals();
    raw.begins().await;
    raw.send(b"x\r\n.\r\n").await;
    assert!(raw.reply().await.starts_with("250 "));
}
