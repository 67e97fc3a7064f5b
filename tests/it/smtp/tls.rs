//! TLS on both legs. Certificates are made by the test: no key lies in the repository.

use super::{
    Raw, client_options,
    gateway::{Gateway, route},
    mail, options, rcpt, start, start_with,
};
use crate::{
    process::{Zegel, configure, signal},
    sink::{Act, Sink},
};
use rustls::pki_types::{CertificateDer, ServerName};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zegel::smtp::{
    Extensions, Reply, ServerOptions,
    client::{ClientOptions, Failure, Identity, NextHop, Pool, Tls, Trust},
    tls,
};

pub(super) struct Certificate {
    pub(super) config: Arc<rustls::ServerConfig>,
    der: CertificateDer<'static>,
}

impl Certificate {
    /// A client that trusts this one.
    pub(super) fn connector(&self) -> tokio_rustls::TlsConnector {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config).into()
    }
}

pub(super) fn certificate() -> Certificate {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let config = tls::server_config(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes()).unwrap();
    Certificate { config, der: made.cert.der().clone() }
}

pub(super) fn hop(sink: &Sink, tls: Tls, trusted: &Certificate) -> NextHop {
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
    let name = ServerName::try_from("127.0.0.1").unwrap();
    let mut stream = own.connector().connect(name, raw.stream).await.unwrap();
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

/// A chain of an authority, an intermediate one and a host, as PEM.
struct Chain {
    root: CertificateDer<'static>,
    chain: String,
    leaf: String,
    key: String,
}

fn chain(name: &str, until: Option<i32>) -> Chain {
    let authority = |name: &str| {
        let mut params = rcgen::CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params
    };
    let keys: Vec<_> = (0..3).map(|_| rcgen::KeyPair::generate().unwrap()).collect();
    let (root_params, middle_params) = (authority("root"), authority("middle"));
    let root = root_params.self_signed(&keys[0]).unwrap();
    let middle = middle_params.signed_by(&keys[1], &rcgen::Issuer::from_params(&root_params, &keys[0])).unwrap();
    let mut params = rcgen::CertificateParams::new(vec![name.to_owned()]).unwrap();
    if let Some(year) = until {
        params.not_after = rcgen::date_time_ymd(year, 1, 1);
    }
    let leaf = params.signed_by(&keys[2], &rcgen::Issuer::from_params(&middle_params, &keys[1])).unwrap();
    Chain { root: root.der().clone(), chain: format!("{}{}", leaf.pem(), middle.pem()), leaf: leaf.pem(), key: keys[2].serialize_pem() }
}

impl Chain {
    fn server(&self) -> Arc<rustls::ServerConfig> {
        tls::server_config(self.chain.as_bytes(), self.key.as_bytes()).unwrap()
    }

    /// A hop at the sink that trusts the authority.
    fn hop(&self, sink: &Sink, tls: Tls) -> NextHop {
        NextHop { trust: Trust::Authorities(vec![self.root.clone()]), ..NextHop::new("127.0.0.1", sink.address().port(), tls) }
    }
}

#[tokio::test]
async fn whatever_is_wrong_with_the_certificate_nothing_of_the_mail_is_sent() {
    let gateway = Gateway::start(route(Vec::new())).await;
    let good = chain("127.0.0.1", None);
    for (what, shown, trusted) in [
        ("foreign name", &chain("mail.other.example", None), None),
        ("expired", &chain("127.0.0.1", Some(2001)), None),
        ("unknown authority", &chain("127.0.0.1", None), Some(&good)),
    ] {
        for (tls, implicit) in [(Tls::Required, false), (Tls::Implicit, true)] {
            let sink = Sink::with_tls(shown.server(), implicit).await;
            gateway.goes_by(route(vec![trusted.unwrap_or(shown).hop(&sink, tls)]));
            assert_eq!(gateway.send(&["b@b.example"]).await, "MAIL 451 4.7.5", "{what} {tls:?}");
            assert!(sink.mails().is_empty() && !sink.commands().iter().any(|c| c.starts_with("MAIL")), "{what} {tls:?}");
        }
        // Without TLS it would have to go in clear to the same host.
        let sink = Sink::with_tls(shown.server(), false).await;
        gateway.goes_by(route(vec![super::hop(&sink)]));
        assert_eq!(gateway.send(&["b@b.example"]).await, "250", "{what}");
        assert!(sink.mails()[0].tls, "{what}");
    }
    let sink = Sink::start().await;
    gateway.goes_by(route(vec![good.hop(&sink, Tls::Required)]));
    assert_eq!(gateway.send(&["b@b.example"]).await, "MAIL 451 4.7.5", "STARTTLS was taken out");
    assert_eq!(sink.mails(), []);
    let sink = Sink::with_tls(good.server(), false).await;
    gateway.goes_by(route(vec![good.hop(&sink, Tls::Required)]));
    assert_eq!(gateway.send(&["b@b.example"]).await, "250");
}

#[tokio::test]
async fn a_hop_that_asks_who_we_are_gets_the_whole_chain() {
    let (host, us) = (certificate(), chain("zegel.gemeente.example", None));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(us.root.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone()).build().unwrap();
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let config = rustls::ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_client_cert_verifier(verifier.clone())
            .with_cert_resolver(host.config.cert_resolver.clone());
        let config = Arc::new(config);
        let identity = |chain: &str| Some(Identity::new(chain.as_bytes(), us.key.as_bytes()).unwrap());
        for (identity, taken) in [(identity(&us.chain), true), (identity(&us.leaf), false), (None, false)] {
            let sink = Sink::with_tls(config.clone(), false).await;
            let outcome = send(NextHop { identity, ..hop(&sink, Tls::Required, &host) }).await;
            assert_eq!((outcome.is_ok(), sink.mails().len()), (taken, usize::from(taken)), "{version:?} {outcome:?}");
        }
    }
    let other = chain("zegel.gemeente.example", None);
    assert!(Identity::new(us.chain.as_bytes(), other.key.as_bytes()).is_err(), "another certificate's key");
}

#[tokio::test]
async fn a_second_connection_goes_on_with_the_session_of_the_first() {
    let own = certificate();
    for (tls, implicit) in [(Tls::Opportunistic, false), (Tls::Required, false), (Tls::Implicit, true)] {
        let sink = Sink::with_tls(own.config.clone(), implicit).await;
        let pool = Pool::new(hop(&sink, tls, &own), ClientOptions { mails_per_connection: 1, ..client_options() });
        for _ in 0..3 {
            let mut transaction = pool.begin().await.unwrap();
            transaction.envelope(&[mail("a@a.example"), rcpt("b@b.example")]).await.unwrap();
            let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
            assert_eq!(transaction.data(&[b"x\r\n"], deadline).await.unwrap().code(), 250);
        }
        assert_eq!((sink.connections(), sink.resumed()), (3, 2), "{tls:?}");
    }
}

#[tokio::test]
async fn a_client_that_comes_back_resumes_its_session() {
    let own = certificate();
    let sink = Sink::start().await;
    let options = ServerOptions { tls: Some(own.config.clone()).into(), ..options() };
    let running = start_with(options, Pool::new(super::hop(&sink), client_options())).await;
    let mut roots = rustls::RootCertStore::empty();
    roots.add(own.der.clone()).unwrap();
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots.clone())
            .with_no_client_auth();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        for expected in [rustls::HandshakeKind::Full, rustls::HandshakeKind::Resumed] {
            let mut raw = Raw::ready(running.address).await;
            assert!(raw.says("STARTTLS").await.starts_with("220 "));
            let mut stream = connector.connect(ServerName::try_from("127.0.0.1").unwrap(), raw.stream).await.unwrap();
            // The ticket comes with the first answer.
            stream.write_all(b"QUIT\r\n").await.unwrap();
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).await.unwrap();
            assert_eq!(stream.get_ref().1.handshake_kind(), Some(expected), "{version:?}");
        }
    }
}

/// Next hops, routes, authorities and client certificates: all of it as an operator changes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_reload_brings_other_next_hops_and_certificates() {
    let folder = tempfile::TempDir::new().unwrap();
    let (first, second, partner) = (Sink::start().await, chain("127.0.0.1", None), Sink::start().await);
    let secured = Sink::with_tls(second.server(), false).await;
    let (gateway, _) = configure(folder.path(), first.address());
    let mut zegel = Zegel::run(folder.path());
    let send_as = async |to: &str, subject: &str| {
        let text = crate::world::mail(subject, "Tot dinsdag.");
        crate::world::send_to(gateway, "a@gemeente.example", &[to], text.as_bytes()).await.code()
    };
    let send = async |to: &str| send_as(to, "Bericht").await;
    assert_eq!(send("b@b.example").await, 250);
    assert_eq!(first.mails().len(), 1);

    let path = folder.path().join("zegel.toml");
    let before = std::fs::read_to_string(&path).unwrap();
    let pem = |der: &CertificateDer<'_>| {
        use base64::Engine as _;
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        let lines: Vec<_> = text.as_bytes().chunks(64).map(|l| String::from_utf8_lossy(l)).collect();
        format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
    };
    std::fs::write(folder.path().join("ca.pem"), pem(&second.root)).unwrap();
    let after = before.replace(
        &format!("next_hop = \"smtp://{}\"", first.address()),
        &format!("next_hop = \"smtp+starttls://{}\"\nca = \"ca.pem\"", secured.address()),
    );
    std::fs::write(&path, format!("{after}[[route]]\nto = [\"*.partner.example\"]\nnext_hop = [\"smtp://{}\"]\n", partner.address()))
        .unwrap();
    signal(zegel.pid(), "HUP");
    zegel.wait_for("INFO reloaded");
    assert_eq!((send("b@b.example").await, send("p@mail.partner.example").await), (250, 250));
    assert_eq!((first.mails().len(), secured.mails().len(), partner.mails().len()), (1, 1, 1));
    assert!(secured.mails()[0].tls);
    // What zegel writes goes by its recipient's route too.
    assert_eq!(send_as("q@mail.partner.example", "[beveiligd] Besluit").await, 250);
    partner.wait_for_mail_to("q@mail.partner.example").await;
    assert_eq!((secured.mails().len(), partner.mails().len()), (1, 2));

    // An authority that did not issue its certificate: the log says what to do.
    std::fs::write(folder.path().join("ca.pem"), pem(&chain("127.0.0.1", None).root)).unwrap();
    signal(zegel.pid(), "HUP");
    zegel.wait_for("name its authority's certificate in `ca`");
    assert_eq!(send("b@b.example").await, 451);
    assert_eq!(secured.mails().len(), 1);
    zegel.terminate();
}
