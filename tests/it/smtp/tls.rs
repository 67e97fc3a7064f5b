//! TLS on both legs. Certificates are made by the test: no key lies in the repository.

use super::{Raw, client_options, mail, options, rcpt, start, start_with};
use crate::sink::{Act, Sink};
use rustls::pki_types::{CertificateDer, ServerName};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zegel::smtp::{
    Extensions, Reply, ServerOptions,
    client::{Failure, NextHop, Pool, Tls, Trust},
    tls,
};

struct Certificate {
    config: Arc<rustls::ServerConfig>,
    der: CertificateDer<'static>,
}

fn certificate() -> Certificate {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let config = tls::server_config(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes()).unwrap();
    Certificate { config, der: made.cert.der().clone() }
}

fn hop(sink: &Sink, tls: Tls, trusted: &Certificate) -> NextHop {
    NextHop { trust: Trust::Authorities(vec![trusted.der.clone()]), ..NextHop::new("127.0.0.1", sink.address().port(), tls) }
}

async fn send(hop: NextHop) -> Result<Reply, Failure> {
    let mut transaction = Pool::new(hop, client_options()).begin().await?;
    transaction.envelope(&[mail("a@a.example"), rcpt("b@b.example")]).await?;
    transaction.data(&[b"x\r\n"], tokio::time::Instant::from_std(Instant::now() + Duration::from_secs(30))).await
}

#[tokio::test]
async fn the_next_hop_is_reached_as_safely_as_it_is_asked() {
    let (own, other) = (certificate(), certificate());
    for (tls, implicit, trusted, safe) in [
        (Tls::Opportunistic, false, &other, true),
        (Tls::Required, false, &own, true),
        (Tls::Required, false, &other, false),
        (Tls::Implicit, true, &own, true),
        (Tls::Implicit, true, &other, false),
    ] {
        let sink = Sink::with_tls(own.config.clone(), implicit).await;
        let outcome = send(hop(&sink, tls, trusted)).await;
        if safe {
            assert_eq!(outcome.unwrap().code(), 250, "{tls:?}");
            assert!(sink.mails()[0].tls);
        } else {
            assert_eq!(outcome, Err(Failure::Tls), "{tls:?}");
            assert_eq!(sink.mails(), []);
        }
    }
}

#[tokio::test]
async fn required_tls_that_is_not_offered_is_no_delivery_and_opportunistic_is_one_in_clear() {
    let own = certificate();
    let sink = Sink::start().await;
    assert_eq!(send(hop(&sink, Tls::Required, &own)).await, Err(Failure::Tls));
    assert!(!sink.commands().iter().any(|c| c.starts_with("MAIL")));
    assert_eq!(send(hop(&sink, Tls::Opportunistic, &own)).await.unwrap().code(), 250);
    assert!(!sink.mails()[0].tls);
}

#[tokio::test]
async fn a_next_hop_whose_starttls_fails_gets_the_mail_in_clear_only_if_that_is_allowed() {
    let own = certificate();
    for (act, clear) in [(Act::Reply("454 4.7.0 not now".to_owned()), true), (Act::Last("220 2.0.0 come".to_owned()), true)] {
        let sink = Sink::with_tls(own.config.clone(), false).await;
        sink.fails("STARTTLS", act);
        assert_eq!(send(hop(&sink, Tls::Required, &own)).await, Err(Failure::Tls));
        assert_eq!(send(hop(&sink, Tls::Opportunistic, &own)).await.is_ok(), clear);
        assert!(sink.mails().iter().all(|m| !m.tls));
    }
}

#[tokio::test]
async fn what_somebody_put_behind_the_next_hops_220_is_not_believed() {
    let own = certificate();
    let sink = Sink::with_tls(own.config.clone(), false).await;
    sink.fails("STARTTLS", Act::Reply("220 2.0.0 ready\r\n250-evil\r\n250 SIZE 1".to_owned()));
    for tls in [Tls::Required, Tls::Opportunistic] {
        assert_eq!(send(hop(&sink, tls, &own)).await, Err(Failure::Unreachable));
    }
    assert_eq!(sink.mails(), []);
}

#[tokio::test]
async fn starttls_is_offered_once_and_everything_said_before_it_is_forgotten() {
    let own = certificate();
    let sink = Sink::start().await;
    let options = ServerOptions { tls: Some(own.config.clone()).into(), ..options() };
    let running = start_with(options, Pool::new(super::hop(&sink), client_options())).await;
    let mut raw = Raw::connect(running.address).await;
    assert!(raw.says("EHLO client.example").await.contains("250-STARTTLS\n"));
    assert!(raw.says("STARTTLS").await.starts_with("220 2.0.0 "));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(own.der.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, raw.stream).await.unwrap();
    let mut said = String::new();
    for (line, expected) in [
        ("MAIL FROM:<a@a.example>", "503 5.5.1 "),
        ("EHLO again.example", "250-gw.example"),
        ("STARTTLS", "503 5.5.1 "),
        ("MAIL FROM:<a@a.example>", "250 "),
        ("RCPT TO:<b@b.example>", "250 "),
        ("DATA", "354 "),
        ("Subject: x\r\n\r\ny\r\n.", "250 "),
        ("QUIT", "221 "),
    ] {
        stream.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        let mut room = [0; 4096];
        let n = stream.read(&mut room).await.unwrap();
        let reply = String::from_utf8_lossy(&room[..n]).into_owned();
        assert!(reply.starts_with(expected), "{line}: {reply}");
        said.push_str(&reply);
    }
    assert!(!said.contains("250-STARTTLS"));
    let octets = String::from_utf8(sink.mails()[0].octets()).unwrap();
    assert!(
        octets.contains("from again.example ([127.0.0.1])\r\n\t(using TLSv1.3 with cipher TLS13_") && octets.contains("with ESMTPS id")
    );
}

#[tokio::test]
async fn commands_behind_starttls_end_the_session_and_are_never_obeyed() {
    let own = certificate();
    let sink = Sink::start().await;
    let options = ServerOptions { tls: Some(own.config.clone()).into(), ..options() };
    let running = start_with(options, Pool::new(super::hop(&sink), client_options())).await;
    let mut raw = Raw::ready(running.address).await;
    raw.send(b"STARTTLS\r\nMAIL FROM:<evil@a.example>\r\n").await;
    assert!(raw.reply().await.starts_with("503 5.5.0 "));
    assert!(raw.is_closed().await);
    // The same in a packet of its own is taken for a handshake, and fails as one.
    let mut raw = Raw::ready(running.address).await;
    assert!(raw.says("STARTTLS").await.starts_with("220 "));
    raw.send(b"MAIL FROM:<evil@a.example>\r\n").await;
    let mut rest = Vec::new();
    let _ = raw.stream.read_to_end(&mut rest).await;
    assert!(!rest.windows(3).any(|w| w == b"250"));
    assert_eq!(sink.commands(), Vec::<String>::new());
}

#[tokio::test]
async fn without_a_certificate_starttls_is_not_offered() {
    let sink = Sink::start().await;
    let running = start(&sink).await;
    let mut raw = Raw::connect(running.address).await;
    assert!(!raw.says("EHLO client.example").await.contains("STARTTLS"));
    assert!(raw.says("STARTTLS").await.starts_with("502 5.5.1 "));
    assert_eq!(running.pool.extensions(), Extensions::ASSUMED);
}
