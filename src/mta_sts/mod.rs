//! MTA-STS (RFC 8461): fetches the policies that domains publish, and keeps them as long as they say.

mod policy;

pub use policy::{Announced, Fault, Mode, Policy, announced};

use crate::time::Time;
use reqwest::{Certificate, Client, StatusCode, header::CONTENT_TYPE, redirect};
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// How the hosts of policies are asked.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Another port than that of HTTPS: for tests.
    pub port: Option<u16>,
    /// Authorities that count, in DER, instead of the system's: for tests.
    pub roots: Option<Vec<Vec<u8>>>,
}

/// Connecting, and the whole answer. A mail waits for it.
const CONNECT_TIME: Duration = Duration::from_secs(4);
const ANSWER_TIME: Duration = Duration::from_secs(8);

/// RFC 8461, 3.3 suggests this limit.
const MOST_BYTES: usize = 64 * 1024;

/// Policies that are kept. Beyond that the one fetched first goes: it is fetched again when it is needed.
const MOST_POLICIES: usize = 1000;

/// Why there is no policy where one is announced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The host can't be reached, its certificate does not count, or it takes too long.
    #[error("its host does not answer as it should")]
    Host,
    /// Something else than 200 with a plain text of at most 64 KiB; a redirect counts as that too (RFC 8461, 3.3).
    #[error("its host has something else")]
    Answer,
    /// The text is none.
    #[error("it is faulty: {0}")]
    Fault(#[from] Fault),
}

/// Policies by domain.
pub struct Policies {
    options: Options,
    kept: Mutex<HashMap<String, Kept>>,
}

struct Kept {
    id: String,
    policy: Policy,
    at: Time,
}

impl Policies {
    /// None yet.
    #[must_use]
    pub fn new(options: Options) -> Policies {
        Policies { options, kept: Mutex::default() }
    }

    /// The policy of `domain` that is kept and still counts at `now`, whatever DNS says by now: a policy outlives its announcement, so that
    /// nobody can take it away by silencing DNS (RFC 8461, 5.1).
    #[must_use]
    pub fn kept(&self, domain: &str, now: Time) -> Option<Policy> {
        self.lock().get(domain).filter(|kept| kept.counts(now)).map(|kept| kept.policy.clone())
    }

    /// The policy of `domain` that is announced with `id`: the one that is kept, else as its host, one of `addresses`, has it.
    ///
    /// # Errors
    /// Why there is none; an older one that still counts stands in for it.
    pub async fn get(&self, domain: &str, id: &str, addresses: &[IpAddr], now: Time) -> Result<Policy, FetchError> {
        if let Some(kept) = self.lock().get(domain).filter(|kept| kept.id == id && kept.counts(now)) {
            return Ok(kept.policy.clone());
        }
        match self.fetch(domain, addresses).await {
            Ok(policy) => {
                self.keep(domain, Kept { id: id.to_owned(), policy: policy.clone(), at: now });
                Ok(policy)
            }
            Err(error) => self.kept(domain, now).ok_or(error),
        }
    }

    /// Whether the policy with this `id` need not be fetched.
    #[must_use]
    pub fn has(&self, domain: &str, id: &str, now: Time) -> bool {
        self.lock().get(domain).is_some_and(|kept| kept.id == id && kept.counts(now))
    }

    async fn fetch(&self, domain: &str, addresses: &[IpAddr]) -> Result<Policy, FetchError> {
        let host = format!("mta-sts.{domain}");
        let port = self.options.port.unwrap_or(443);
        let url = format!("https://{host}:{port}/.well-known/mta-sts.txt");
        let client = self.client(&host, addresses, port).map_err(|_| FetchError::Host)?;
        let mut answer = client.get(url).send().await.map_err(|_| FetchError::Host)?;
        let plain = answer.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(|v| v.starts_with("text/plain"));
        if answer.status() != StatusCode::OK || !plain {
            return Err(FetchError::Answer);
        }
        let mut octets = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|_| FetchError::Host)? {
            if octets.len() + piece.len() > MOST_BYTES {
                return Err(FetchError::Answer);
            }
            octets.extend_from_slice(&piece);
        }
        let text = String::from_utf8(octets).map_err(|_| FetchError::Answer)?;
        Ok(Policy::parse(&text)?)
    }

    /// One client a fetch: it goes to the addresses that our DNS gave, and keeps nothing.
    fn client(&self, host: &str, addresses: &[IpAddr], port: u16) -> reqwest::Result<Client> {
        let addresses: Vec<_> = addresses.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
        let mut builder = Client::builder()
            .connect_timeout(CONNECT_TIME)
            .timeout(ANSWER_TIME)
            .redirect(redirect::Policy::none())
            .referer(false)
            .https_only(true)
            .no_proxy()
            .tls_version_min(reqwest::tls::Version::TLS_1_2)
            .resolve_to_addrs(host, &addresses);
        if let Some(roots) = &self.options.roots {
            let roots = roots.iter().map(|der| Certificate::from_der(der)).collect::<Result<Vec<_>, _>>()?;
            builder = builder.tls_certs_only(roots);
        }
        builder.build()
    }

    fn keep(&self, domain: &str, kept: Kept) {
        let mut all = self.lock();
        if all.len() >= MOST_POLICIES
            && !all.contains_key(domain)
            && let Some(oldest) = all.iter().min_by_key(|(_, kept)| kept.at).map(|(domain, _)| domain.clone())
        {
            all.remove(&oldest);
        }
        all.insert(domain.to_owned(), kept);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn counts(&self, now: Time) -> bool {
        now < self.at.plus(self.policy.max_age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(max_age: u64) -> Policy {
        Policy::parse(&format!("version: STSv1\nmode: enforce\nmx: mx.zorg.example\nmax_age: {max_age}")).unwrap()
    }

    #[test]
    fn a_policy_counts_as_long_as_it_says_and_the_oldest_makes_place() {
        let policies = Policies::new(Options::default());
        let at = |seconds: i64| Time::from_millis(seconds * 1000);
        policies.keep("zorg.example", Kept { id: "a".into(), policy: policy(60), at: at(1000) });
        assert!(policies.has("zorg.example", "a", at(1059)));
        assert!(!policies.has("zorg.example", "b", at(1059)));
        assert!(policies.kept("zorg.example", at(1059)).is_some());
        assert_eq!(policies.kept("zorg.example", at(1060)), None);
        for number in 0..MOST_POLICIES {
            policies.keep(&format!("{number}.example"), Kept { id: "a".into(), policy: policy(600), at: at(1010) });
        }
        assert_eq!(policies.lock().len(), MOST_POLICIES);
        assert_eq!(policies.kept("zorg.example", at(1011)), None);
    }
}
