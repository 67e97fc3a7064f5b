//! The second leg: what zegel says to the next hop, for mail it relays and for mail it writes.
//!
//! A [`Pool`] keeps connections to one host, a [`Route`] is its hosts in the order in which they are tried, and [`Routes`] says which
//! route a recipient has. A [`Transaction`] is one mail on one route, [`Routed`] one whose route its first recipient decides. What was
//! told to a host before the body can be told again, on another connection or to the next host; once an octet of the body has gone
//! nothing is ever sent twice: a repeat then belongs to the sender.

mod body;
mod connection;
mod envelope;
mod pool;
mod remedy;
mod route;
mod routed;
mod transaction;

pub use super::tls::{Identity, Trust};
pub use body::Body;
pub use pool::Pool;
pub use route::{DomainPattern, Route, Routes};
pub use routed::Routed;
pub use transaction::Transaction;

use super::{reply::Reply, tls};
use std::{net::IpAddr, time::Duration};

/// One host that mail goes to.
#[derive(Clone, Debug, PartialEq)]
pub struct NextHop {
    /// A name or an address; what a certificate is checked against.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Its addresses where they are known already, as for direct delivery, which asked for them with DNSSEC; else the name is looked up.
    pub addresses: Vec<IpAddr>,
    /// What it speaks.
    pub protocol: Protocol,
    /// How it is protected on the way.
    pub tls: Tls,
    /// Whose certificates count, where they are checked.
    pub trust: Trust,
    /// Whom we show ourselves as, if it asks.
    pub identity: Option<Identity>,
}

impl NextHop {
    /// A next hop with TLS if it offers it, as SMTP has it by default.
    #[must_use]
    pub fn plain(host: &str, port: u16) -> NextHop {
        NextHop::new(host, port, Tls::Opportunistic)
    }

    /// A next hop that is known by its name, and trusted as the operating system trusts.
    #[must_use]
    pub fn new(host: &str, port: u16, tls: Tls) -> NextHop {
        NextHop {
            host: host.to_owned(),
            port,
            addresses: Vec::new(),
            protocol: Protocol::Smtp,
            tls,
            trust: Trust::Platform,
            identity: None,
        }
    }

    /// Whether TLS as asked for can be spoken at all: a fault here is one of this machine (no trusted certificates).
    ///
    /// # Errors
    /// What is missing.
    pub fn check(&self) -> Result<(), rustls::Error> {
        self.client_config().map(drop)
    }

    fn client_config(&self) -> Result<std::sync::Arc<rustls::ClientConfig>, rustls::Error> {
        match self.tls {
            Tls::Opportunistic => tls::unverifying(self.identity.as_ref()),
            Tls::Required | Tls::Implicit => tls::verifying(&self.trust, self.identity.as_ref()),
        }
    }
}

/// What a next hop speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// SMTP (RFC 5321).
    Smtp,
    /// LMTP (RFC 2033): it answers each recipient after the final dot, which SMTP cannot express; so a mail has one recipient.
    Lmtp,
}

/// How the connection to the next hop is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// `smtp://`: STARTTLS if it is offered; no certificate is checked, and without TLS the mail goes in clear.
    Opportunistic,
    /// `smtp+starttls://`: STARTTLS and a certificate for the host's name, or nothing.
    Required,
    /// `smtps://`: TLS from the first octet, and a certificate for the host's name.
    Implicit,
}

impl Tls {
    /// Whether the host has to prove its name.
    #[must_use]
    pub fn is_verified(self) -> bool {
        self != Tls::Opportunistic
    }
}

/// How the client behaves; every number with its reason.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// The name we say in EHLO.
    pub hostname: String,
    /// A TCP connection, over all addresses of the host; and a TLS handshake.
    pub connect_time: Duration,
    /// All of it with one host, up to the answer to EHLO.
    pub open_time: Duration,
    /// Finding a connection over all hosts of a route, and likewise telling them an envelope, retries included. Our client waits five
    /// minutes for our answer to MAIL (RFC 5321, 4.5.3.2.2): twice this must stay below that.
    pub envelope_time: Duration,
    /// One reply to EHLO, STARTTLS, MAIL, RCPT, DATA or RSET. RFC 5321, 4.5.3.2 allows five minutes, which with a retry would be longer
    /// than our client waits.
    pub reply_time: Duration,
    /// Taking one block of the body, likewise.
    pub block_time: Duration,
    /// A connection that idled longer is not used again: Postfix under stress closes after 10 s, others after 60 s or more, and a
    /// firewall may forget it without a word.
    pub idle_time: Duration,
    /// Connections kept for the next mail.
    pub idle_connections: usize,
    /// Transactions at once. Postfix takes 50 connections of one client by default; on a relay of one's own that is set higher.
    pub connections: usize,
    /// Waiting for one's turn.
    pub connection_wait: Duration,
    /// Mails over one connection: some servers count, and a load balancer gets the chance to choose anew.
    pub mails_per_connection: u32,
    /// So many failed connects in a row, and nobody tries for a while: sessions must not all wait for a host that is down. On a route
    /// with further hosts the first failure is enough, since mail need not wait there.
    pub failures: u32,
    /// The first such pause; each further failure doubles it.
    pub pause: Duration,
    /// The longest such pause: a host that is back should not have to wait for us.
    pub longest_pause: Duration,
}

impl ClientOptions {
    /// The defaults, and the name we say in EHLO.
    #[must_use]
    pub fn new(hostname: impl Into<String>) -> ClientOptions {
        ClientOptions {
            hostname: hostname.into(),
            connect_time: Duration::from_secs(30),
            open_time: Duration::from_secs(60),
            envelope_time: Duration::from_secs(140),
            reply_time: Duration::from_secs(60),
            block_time: Duration::from_secs(60),
            idle_time: Duration::from_secs(30),
            idle_connections: 100,
            connections: 500,
            connection_wait: Duration::from_secs(20),
            mails_per_connection: 1000,
            failures: 5,
            pause: Duration::from_secs(5),
            longest_pause: Duration::from_secs(30),
        }
    }
}

/// Why there is no reply of the next hop. In every case the mail stays with who sent it to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection could be made, or the next hop does not want one.
    #[error("the next hop cannot be reached")]
    Unreachable,
    /// The connection was lost, or what came over it was not SMTP. With `dot_sent` the next hop may have the mail.
    #[error("the connection to the next hop was lost")]
    Lost {
        /// Whether the final dot may have gone out.
        dot_sent: bool,
    },
    /// The next hop did not answer in time. With `dot_sent` it may have the mail.
    #[error("the next hop does not answer")]
    Timeout {
        /// Whether the final dot may have gone out.
        dot_sent: bool,
    },
    /// After the connection was lost and made again, the next hop answered otherwise than it had, and our client knows the old answer.
    #[error("the next hop changed its mind")]
    Changed,
    /// TLS is asked for and cannot be had.
    #[error("no TLS with the next hop")]
    Tls,
    /// The octets of the mail could not be had to their end; the next hop has not got its end either.
    #[error("the mail cannot be read any more")]
    Unreadable,
    /// What was to be sent holds a bare CR or LF: it is never sent (smuggling), and whoever made it is at fault.
    #[error("the mail holds a CR or LF that stands alone")]
    BareLineEnd,
}

impl Failure {
    /// What our client hears.
    #[must_use]
    pub fn reply(&self) -> Reply {
        match self {
            Failure::Unreachable => Reply::NEXT_HOP_UNREACHABLE,
            Failure::Lost { .. } => Reply::NEXT_HOP_LOST,
            Failure::Timeout { .. } => Reply::NEXT_HOP_SLOW,
            Failure::Tls => Reply::NEXT_HOP_TLS,
            Failure::Changed | Failure::Unreadable | Failure::BareLineEnd => Reply::TRY_LATER,
        }
    }

    const LOST: Failure = Failure::Lost { dot_sent: false };
    const TIMEOUT: Failure = Failure::Timeout { dot_sent: false };

    /// The same, when the final dot may have gone out.
    fn after_dot(self) -> Failure {
        match self {
            Failure::Lost { .. } => Failure::Lost { dot_sent: true },
            Failure::Timeout { .. } => Failure::Timeout { dot_sent: true },
            other => other,
        }
    }
}
