//! A partner outside: his names, his certificates, his mail server, the host of his MTA-STS policy, and a zegel that may deliver to him.

use super::names::Names;
use crate::{
    sink::{Act, Sink},
    world::{ANNA, World, contains, mail},
};
use aws_lc_rs::digest::{SHA256, digest};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PublicKeyData as _};
use rustls::{ServerConfig, pki_types::CertificateDer};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use zegel::{
    config::Config,
    gateway::{DirectOptions, Reach, Trusted},
    smtp::{Reply, dane::Association, tls},
    store::Opened,
};

/// Somebody there.
pub(crate) const JANSEN: &str = "b.jansen@zorg.example";
/// Somebody else there.
pub(crate) const BAKKER: &str = "c.bakker@zorg.example";

/// The partner's mail server.
pub(crate) const MX: &str = "mx.zorg.example";

/// What must not be read on the way.
pub(crate) const SECRET: &str = "BSN: 123456782";

const POLICIES: &str = r#"
[[policy]]
name = "BSN"
when = { rule = "bsn", to = "external", unless = { to = { domains = ["zorg.example"] } } }
then = "level 1"
[[policy]]
name = "Partner"
when = { rule = "bsn", to = { domains = ["zorg.example"] } }
then = "direct"
[[policy]]
name = "Onleesbaar"
when = { problem = "encrypted", to = "external" }
then = "level 1"
"#;

/// Whether the partner's mail server can be spoken to safely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Safety {
    /// With the certificate of [`Partner::key`].
    Tls,
    /// STARTTLS is offered and refused.
    Broken,
    /// STARTTLS is not offered.
    Stripped,
}

pub(crate) struct Partner {
    pub(crate) names: Names,
    pub(crate) sink: Sink,
    pub(crate) safety: Safety,
    /// Whose certificates zegel trusts.
    pub(crate) authority: CertificateDer<'static>,
    /// The public key of the mail server.
    pub(crate) key: Vec<u8>,
    /// Where the policies of MTA-STS are answered.
    pub(crate) policy_port: u16,
    /// Connections to that.
    pub(crate) policy_asked: Arc<AtomicUsize>,
    pub(crate) nta7516: bool,
    pub(crate) trusted: Vec<Trusted>,
    pub(crate) reach: Reach,
}

impl Partner {
    /// A mail server with a certificate for `name` that the authority signed; its policy host has `policy`.
    pub(crate) async fn new(safety: Safety, name: &str, policy: &'static str) -> Partner {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let certificate = |name: &str| {
            let key = KeyPair::generate().unwrap();
            let made = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
            let config = tls::server_config(made.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap();
            (config, key.subject_public_key_info())
        };
        let (config, key) = certificate(name);
        let sink = if safety == Safety::Stripped { Sink::start().await } else { Sink::with_tls(config, false).await };
        if safety == Safety::Broken {
            sink.fails("STARTTLS", Act::Reply("454 4.7.0 no TLS now".to_owned()));
        }
        let (policy_port, policy_asked) = policy_host(certificate("mta-sts.zorg.example").0, policy).await;
        let names = Names::start().await;
        names.a(MX, [127, 0, 0, 1]).a("mta-sts.zorg.example", [127, 0, 0, 1]);
        let authority = authority.der().clone();
        let (trusted, reach) = (Vec::new(), Reach::Anywhere);
        Partner { names, sink, safety, authority, key, policy_port, policy_asked, nta7516: false, trusted, reach }
    }

    /// The record that names the mail server's key.
    pub(crate) fn association(&self) -> Association {
        Association { usage: 3, selector: 1, matching: 1, data: digest(&SHA256, &self.key).as_ref().to_vec() }
    }

    /// Publishes MX and TLSA.
    pub(crate) fn dane(&self) -> &Names {
        self.names.mx("zorg.example", 10, MX).tlsa(MX, self.sink.address().port(), &self.association())
    }

    /// A zegel that may deliver here.
    pub(crate) async fn world(&self) -> World {
        self.world_over(|opened| opened).await
    }

    pub(crate) async fn world_over(&self, wrap: impl FnOnce(Opened) -> Opened) -> World {
        let write = |folder: &std::path::Path| {
            std::fs::create_dir(folder.join("policies")).unwrap();
            std::fs::write(folder.join("policies/eigen.toml"), POLICIES).unwrap();
            let file = folder.join("zegel.toml");
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::write(file, format!("{text}[direct]\nresolver = \"{}\"\n", self.names.address)).unwrap();
        };
        World::tuned(write, |config| self.tune(config), wrap).await
    }

    fn tune(&self, config: &mut Config) {
        let direct: &mut DirectOptions = config.direct.as_mut().unwrap();
        direct.dns.trust_anchors = Some(self.names.trust_anchor());
        direct.dns.time = Duration::from_secs(3);
        direct.mta_sts.port = Some(self.policy_port);
        direct.mta_sts.roots = Some(vec![self.authority.to_vec()]);
        direct.authorities = Some(vec![self.authority.clone()]);
        direct.port = self.sink.address().port();
        direct.nta7516 = self.nta7516;
        direct.reach = self.reach;
        direct.trusted.clone_from(&self.trusted);
    }

    /// The mails that the partner's server took, all of them over TLS.
    pub(crate) fn taken(&self, case: &str) -> usize {
        let mails = self.sink.mails();
        assert!(mails.iter().all(|m| m.tls), "{case}: a mail came in clear");
        if self.safety != Safety::Tls {
            let heard = self.sink.commands();
            assert!(!heard.iter().any(|c| c.starts_with("MAIL") || c.starts_with("RCPT")), "{case}: {heard:?}");
        }
        mails.len()
    }
}

/// Sends a mail that must not travel in clear; the reply, and the mail.
pub(crate) async fn send(world: &World, to: &[&str]) -> (Reply, String) {
    let sensitive = mail("Uw gegevens", SECRET);
    (world.send(ANNA, to, sensitive.as_bytes()).await, sensitive)
}

/// How often the portal took over for `to`: notifications that have come by the time that there are `expected` of them, and a later one for
/// somebody else.
pub(crate) async fn sealed_for(world: &World, to: &str, expected: usize) -> usize {
    world.mails_for(to, expected).await;
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let last = format!("last-{}@post.example", NUMBER.fetch_add(1, Ordering::SeqCst));
    let (reply, _) = send(world, &[&last]).await;
    assert_eq!(reply.code(), 250);
    world.mails_for(&last, 1).await;
    let mails = world.delivered_to(to);
    assert!(mails.iter().all(|m| !contains(&m.octets, SECRET.as_bytes())), "the secret went to {to} by the next hop");
    mails.len()
}

/// A web server that has one text: its port, and how often it was spoken to.
async fn policy_host(config: Arc<ServerConfig>, policy: &'static str) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = tokio_rustls::TlsAcceptor::from(config);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(policy.as_bytes()).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    (port, asked)
}
