//! Direct delivery: a recipient gets the mail itself, over a way of its own, where transport to his domain is verified at that moment.
//!
//! Everything else is the portal's, in the same transaction: there is no insecure way out.

mod route;

use crate::{address::Domain, dns, mta_sts};
use rustls::pki_types::CertificateDer;

/// The port of mail servers.
const SMTP_PORT: u16 = 25;

/// How direct delivery goes.
#[derive(Clone, Debug)]
pub struct DirectOptions {
    /// Whom to ask.
    pub dns: dns::Options,
    /// How MTA-STS policies are fetched.
    pub mta_sts: mta_sts::Options,
    /// Whether a domain's record of NTA 7516 names the hosts.
    pub nta7516: bool,
    /// Domains whose mail servers are trusted by their certificate alone.
    pub trusted: Vec<Trusted>,
    /// Authorities that count instead of the system's: for tests.
    pub authorities: Option<Vec<CertificateDer<'static>>>,
    /// The port of mail servers: another one for tests.
    pub port: u16,
}

impl Default for DirectOptions {
    fn default() -> DirectOptions {
        DirectOptions {
            dns: dns::Options::default(),
            mta_sts: mta_sts::Options::default(),
            nta7516: false,
            trusted: Vec::new(),
            authorities: None,
            port: SMTP_PORT,
        }
    }
}

/// A domain that publishes neither DANE nor MTA-STS, and the mail servers that are expected there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trusted {
    /// The recipients' domain.
    pub domain: Domain,
    /// The only hosts that count.
    pub mx: Vec<Domain>,
}
