//! Clients that mean harm, or are broken: what they get, and that nothing of them is left.

use super::{Raw, Running, client_options, hop, options, start, start_with, tls::certificate};
use crate::{
    sink::Sink,
    world::{World, mail},
};
use std::{net::SocketAddr, time::Duration};
use tokio::io::AsyncReadExt as _;
use zegel::smtp::{ServerLimits, ServerOptions, client::Pool};

/// Short enough to be reached by a test, long enough for everything else in it.
const SHORT: Duration = Duration::from_millis(300);

async fn limited(sink: &Sink, limits: ServerLimits) -> Running {
    start_with(ServerOptions { limits, ..options() }, Pool::new(hop(sink), client_options())).await
}

/// Once every session has ended: nobody is counted, and all room is free.
async fn nothing_is_left(running: &Running) {
    while running.options.sessions() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(running.options.budget.free(), running.options.budget.total());
}

/// Sends `piece` again and again, never long silent, until the server says something.
async fn trickle(raw: &mut Raw, piece: &[u8]) -> String {
    loop {
        raw.send(piece).await;
        if let Ok(reply) = tokio::time::timeout(Duration::from_millis(5), raw.reply()).await {
            return reply;
        }
    }
}

#[tokio::test]
async fn who_sends_just_enough_not_to_be_silent_is_cut_off_all_the_same() {
    let sink = Sink::start().await;
    let limits = ServerLimits { command_time: SHORT, ..ServerLimits::default() };
    let running = limited(&sink, limits).await;
    let mut raw = Raw::connect(running.address).await;
    assert!(trickle(&mut raw, b"N").await.starts_with("421 4.4.2 "), "a command line");

    let limits = ServerLimits { body_time: SHORT, linger_time: Duration::from_millis(10), ..ServerLimits::default() };
    let running = limited(&sink, limits).await;
    let mut raw = Raw::ready(running.address).await;
    raw.begins().await;
    assert!(trickle(&mut raw, b"x\r\n").await.starts_with("421 4.4.2 "), "a body");
    // A chunk that is refused, and never asked for room.
    let mut raw = Raw::ready(running.address).await;
    raw.send(b"BDAT 60000000\r\n").await;
    assert!(trickle(&mut raw, b"x").await.starts_with("421 4.4.2 "), "a chunk that is thrown away");
    // Chunks of one octet, each answered: the whole mail has one time.
    let mut raw = Raw::ready(running.address).await;
    assert!(raw.says("MAIL FROM:<a@a.example>").await.starts_with("250 "));
    assert!(raw.says("RCPT TO:<b@b.example>").await.starts_with("250 "));
    let last = loop {
        raw.send(b"BDAT 1\r\nx").await;
        match raw.reply().await {
            reply if reply.starts_with("250 ") => {}
            reply => break reply,
        }
    };
    assert!(last.starts_with("421 4.4.2 "), "{last}");
    drop(raw);
    nothing_is_left(&running).await;
    assert_eq!(sink.mails(), []);
}

#[tokio::test]
async fn a_handshake_and_a_proxy_header_that_never_come_hold_no_place() {
    let sink = Sink::start().await;
    let limits = ServerLimits { handshake_time: SHORT, proxy_time: SHORT, ..ServerLimits::default() };
    let own = certificate();
    let options = ServerOptions { limits: limits.clone(), tls: Some(own.config).into(), ..options() };
    let running = start_with(options, Pool::new(hop(&sink), client_options())).await;
    let mut raw = Raw::ready(running.address).await;
    assert!(raw.says("STARTTLS").await.starts_with("220 "));
    assert!(raw.is_closed().await);
    nothing_is_left(&running).await;

    let balancers = vec!["127.0.0.0/8".parse().unwrap()];
    let options = ServerOptions { limits, proxy_protocol: balancers, ..super::options() };
    let running = start_with(options, Pool::new(hop(&sink), client_options())).await;
    let mut raw = Raw::silent(running.address).await;
    raw.send(b"PROXY TCP4 127.0.0.1 ").await;
    assert!(raw.is_closed().await);
    nothing_is_left(&running).await;
}

#[tokio::test]
async fn a_line_without_an_end_ends_the_session() {
    let sink = Sink::start().await;
    let running = start(&sink).await;
    let mut raw = Raw::ready(running.address).await;
    for _ in 0..17 {
        raw.send(&[b'a'; 4096]).await;
    }
    assert!(raw.reply().await.starts_with("500 5.5.2 "));
    assert!(raw.is_closed().await);
    drop(raw);
    nothing_is_left(&running).await;
}

#[tokio::test]
async fn five_thousand_recipients_are_a_thousand_and_the_rest_is_told_to_come_in_another_mail() {
    let sink = Sink::start().await;
    let running = start(&sink).await;
    let mut raw = Raw::ready(running.address).await;
    let recipients: String = (0..5000).map(|i| format!("RCPT TO:<r{i}@b.example>\r\n")).collect();
    raw.send(format!("MAIL FROM:<a@a.example>\r\n{recipients}BDAT 3 LAST\r\nx\r\n").as_bytes()).await;
    assert!(raw.reply().await.starts_with("250 "));
    for i in 0..5000 {
        let reply = raw.reply().await;
        assert!(reply.starts_with(if i < 1000 { "250 " } else { "452 4.5.3 " }), "{i}: {reply}");
    }
    assert!(raw.reply().await.starts_with("250 "));
    assert_eq!(sink.mails()[0].to.len(), 1000);
}

#[tokio::test]
async fn places_are_bounded_in_all_and_by_the_address_that_a_balancer_names() {
    let sink = Sink::start().await;
    let running = limited(&sink, ServerLimits { sessions: 1, ..ServerLimits::default() }).await;
    let first = Raw::connect(running.address).await;
    assert!(Raw::silent(running.address).await.reply().await.starts_with("421 4.7.0 "));
    drop(first);
    nothing_is_left(&running).await;
    Raw::connect(running.address).await;

    let here = vec!["127.0.0.0/8".parse().unwrap()];
    let limits = ServerLimits { sessions_per_ip: 1, ..ServerLimits::default() };
    let options = ServerOptions { limits, proxy_protocol: here, allow: vec!["192.0.2.0/24".parse().unwrap()], ..options() };
    let running = start_with(options, Pool::new(hop(&sink), client_options())).await;
    let client = async |address: &str| {
        let mut raw = Raw::silent(running.address).await;
        raw.send(format!("PROXY TCP4 {address} 10.0.0.1 1 25\r\n").as_bytes()).await;
        let reply = raw.reply().await;
        (raw, reply)
    };
    let (_first, reply) = client("192.0.2.1").await;
    assert!(reply.starts_with("220 "));
    assert!(client("192.0.2.1").await.1.starts_with("421 4.7.0 "));
    assert!(client("192.0.2.2").await.1.starts_with("220 "));
}

/// Says `steps` one after the other, each with as many replies as it has, and leaves after `octets` of them. Whether all was said.
async fn leaves_after(address: SocketAddr, steps: &[(&[u8], usize)], mut octets: usize) {
    let mut raw = Raw::connect(address).await;
    for (step, replies) in steps {
        if octets < step.len() {
            return raw.send(&step[..octets]).await;
        }
        octets -= step.len();
        raw.send(step).await;
        for _ in 0..*replies {
            assert!(matches!(raw.reply().await.as_bytes()[0], b'2' | b'3'));
        }
    }
}

#[tokio::test]
async fn a_connection_may_break_at_every_octet_and_no_mail_is_half_taken() {
    let data: &[(&[u8], usize)] = &[
        (b"EHLO client.example\r\n", 1),
        (b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\nDATA\r\n", 3),
        (b"Subject: x\r\n\r\nwhole\r\n.\r\n", 1),
        (b"QUIT\r\n", 1),
    ];
    let bdat: &[(&[u8], usize)] = &[
        (b"EHLO client.example\r\n", 1),
        (b"MAIL FROM:<a@a.example>\r\n", 1),
        (b"RCPT TO:<b@b.example>\r\nBDAT 14\r\nSubject: x\r\n\r\n", 2),
        (b"BDAT 7 LAST\r\nwhole\r\n", 1),
        (b"RSET\r\n", 1),
    ];
    for steps in [data, bdat] {
        let sink = Sink::start().await;
        let running = limited(&sink, ServerLimits { linger_time: Duration::from_millis(10), ..ServerLimits::default() }).await;
        let total: usize = steps.iter().map(|(step, _)| step.len()).sum();
        let before_the_end: usize = steps[..steps.len() - 1].iter().map(|(step, _)| step.len()).sum();
        for octets in 0..=total {
            leaves_after(running.address, steps, octets).await;
        }
        nothing_is_left(&running).await;
        let mails = sink.mails();
        assert_eq!(mails.len(), 1 + total - before_the_end, "those that were said to their end");
        assert!(mails.iter().all(|m| m.octets().ends_with(b"Subject: x\r\n\r\nwhole\r\n")));
    }
}

#[tokio::test]
async fn commands_sent_in_clear_behind_starttls_are_no_part_of_the_session_behind_tls() {
    let (sink, own) = (Sink::start().await, certificate());
    let options = ServerOptions { tls: Some(own.config.clone()).into(), ..options() };
    let running = start_with(options, Pool::new(hop(&sink), client_options())).await;
    let injected = b"STARTTLS\r\nMAIL FROM:<evil@a.example>\r\nRCPT TO:<b@b.example>\r\n";
    for cut in 10..=injected.len() {
        let mut raw = Raw::ready(running.address).await;
        raw.send(&injected[..cut]).await;
        let reply = raw.reply().await;
        if cut == 10 {
            assert!(reply.starts_with("220 2.0.0 "), "{reply}");
            continue;
        }
        assert!(reply.starts_with("503 5.5.0 "), "{reply}");
        let mut rest = Vec::new();
        let _ = raw.stream.read_to_end(&mut rest).await;
        assert_eq!(rest, b"");
    }
    assert_eq!(sink.commands(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipient_outside_ascii_is_told_of_a_sealed_mail_by_smtputf8() {
    let sink = Sink::start().await;
    sink.offers(&["PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 100000000"]);
    let world = World::next_to(sink.address()).await;
    // What the next hop can do is known once it was asked.
    let mut raw = loop {
        let mut raw = Raw::silent(world.gateway).await;
        raw.reply().await;
        if raw.says("EHLO client.example").await.contains("250-SMTPUTF8") {
            break raw;
        }
    };
    assert!(raw.says("MAIL FROM:<anna@gemeente.example> BODY=8BITMIME SMTPUTF8").await.starts_with("250 "));
    assert!(raw.says("RCPT TO:<zoë@bücher.example>").await.starts_with("250 "));
    assert!(raw.says("DATA").await.starts_with("354 "));
    raw.send(mail("[beveiligd] Uw dossier", "Alleen voor u.\r\n.").as_bytes()).await;
    assert!(raw.reply().await.starts_with("250 "));
    sink.wait_for_mail_to("zoë@bücher.example").await;
    let told = sink.mails().into_iter().find(|m| m.to == ["zoë@bücher.example"]).unwrap();
    assert!(told.mail.ends_with(" SMTPUTF8") || told.mail.contains(" SMTPUTF8 "), "{}", told.mail);
    assert!(!told.octets().windows(12).any(|w| w == b"Alleen voor "));
}
