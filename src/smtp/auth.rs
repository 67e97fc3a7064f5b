//! Names and passwords of clients (RFC 4954): who has an account, and how a password is checked without giving anything away.

use crate::{
    address::{Address, Domain},
    secret::{self, Secret},
};
use argon2::{
    Argon2, Params,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Semaphore, time::Instant};

/// What one check of a password may take: 256 MiB, sixteen passes. A file that asks for more would stop zegel, not an attacker.
const MOST_MEMORY_KIB: u32 = 256 * 1024;
const MOST_PASSES: u32 = 16;
const MOST_LANES: u32 = 16;

/// Checks at once: each takes 19 MiB and some 20 ms of a processor, and judging mail must go on beside them.
const CHECKS_AT_ONCE: usize = 2;

/// Addresses whose failures are remembered; ten thousand take less than 1 MiB.
const ADDRESSES: usize = 10_000;

/// The octets of a name, and of a password: longer ones are nobody's.
pub const LONGEST: usize = 512;

/// Accounts that may hand mail in from anywhere.
pub struct Accounts {
    hashes: BTreeMap<String, PasswordHash>,
    domains: Vec<Domain>,
}

/// What is wrong with a line of a file of accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountFault {
    /// The line, from 1 on.
    pub line: usize,
    /// What is wrong; never what it holds.
    pub what: &'static str,
}

impl Accounts {
    /// Reads lines of the form `name:PHC string`; empty ones and those that begin with `#` are left out. Such an account may send as
    /// anybody in `domains`.
    ///
    /// # Errors
    /// Every fault.
    pub fn parse(text: &str, domains: Vec<Domain>) -> Result<Accounts, Vec<AccountFault>> {
        let (mut hashes, mut faults) = (BTreeMap::new(), Vec::new());
        for (at, line) in text.lines().enumerate() {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let what = match account(line) {
                Ok((name, hash)) => match hashes.insert(name.to_owned(), hash) {
                    None => continue,
                    Some(_) => "the same name as on a line before",
                },
                Err(what) => what,
            };
            faults.push(AccountFault { line: at + 1, what });
        }
        if hashes.is_empty() && faults.is_empty() {
            faults.push(AccountFault { line: 1, what: "no account in it" });
        }
        if faults.is_empty() { Ok(Accounts { hashes, domains }) } else { Err(faults) }
    }

    /// Whether a mail of an account may have this envelope sender: one of the organisation's. The null sender may be used too, since
    /// mail programs confirm reading with it (RFC 8098, 3).
    #[must_use]
    pub fn may_send_as(&self, sender: Option<&Address>) -> bool {
        sender.is_none_or(|address| self.domains.contains(&address.domain()))
    }

    /// Whether name and password belong together. It takes as long for a name that does not exist.
    fn check(&self, credentials: &Credentials) -> bool {
        let known = self.hashes.get(&credentials.name);
        let Some(hash) = known.or_else(|| self.hashes.values().next()) else { return false };
        let fits = Argon2::default().verify_password(credentials.password.expose().as_bytes(), hash).is_ok();
        fits && known.is_some()
    }
}

/// How many there are, and nothing of them.
impl fmt::Debug for Accounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Accounts({})", self.hashes.len())
    }
}

fn account(line: &str) -> Result<(&str, PasswordHash), &'static str> {
    let (name, hash) = line.split_once(':').ok_or("no line of the form name:$argon2id$...")?;
    if name.is_empty() || name.len() > LONGEST || name.contains(|c: char| c.is_control() || c.is_whitespace()) {
        return Err("the name is empty, or holds blanks");
    }
    let hash = PasswordHash::new(hash.trim_end()).map_err(|_| "no PHC string behind the name")?;
    if hash.algorithm.as_str() != "argon2id" || hash.salt.is_none() || hash.hash.is_none() {
        return Err("the PHC string is not one of argon2id");
    }
    let params = Params::try_from(&hash).map_err(|_| "the PHC string's parameters are none of argon2id")?;
    if params.m_cost() > MOST_MEMORY_KIB || params.t_cost() > MOST_PASSES || params.p_cost() > MOST_LANES {
        return Err("checking this password would take more than 256 MiB, 16 passes or 16 lanes");
    }
    Ok((name, hash))
}

/// A PHC string for `password`: Argon2id with 19 MiB, two passes, one lane (OWASP's minimum).
///
/// # Panics
/// When the system has no randomness or no 19 MiB to give.
#[must_use]
pub fn hash_password(password: &str) -> String {
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &secret::random::<16>());
    hash.expect("16 bytes are a salt, and the default parameters are within Argon2's bounds").to_string()
}

/// What a client says it is.
#[derive(Clone)]
pub struct Credentials {
    pub(super) name: String,
    pub(super) password: Secret<String>,
}

impl Credentials {
    /// Name and password, neither of them empty nor longer than any real one.
    pub(super) fn new(name: &str, password: Secret<String>) -> Option<Credentials> {
        let fine = |text: &str| !text.is_empty() && text.len() <= LONGEST;
        (fine(name) && fine(password.expose())).then(|| Credentials { name: name.to_owned(), password })
    }
}

/// Neither the password nor the name: people type one for the other.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials")
    }
}

impl PartialEq for Credentials {
    fn eq(&self, other: &Credentials) -> bool {
        self.name == other.name && secret::equal(self.password.expose().as_bytes(), other.password.expose().as_bytes())
    }
}

impl Eq for Credentials {}

/// What a check gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is this account.
    Account(String),
    /// Name and password don't belong together.
    Wrong,
    /// Its address had too many failures; nothing was checked.
    TooMany,
    /// No place to check it now.
    Busy,
}

/// What bounds the guessing of passwords.
#[derive(Clone, Copy, Debug)]
pub struct LoginLimits {
    /// Failures of one address (of one /64, for IPv6) within [`LoginLimits::time`]; people behind one address share them.
    pub failures: u32,
    /// An address is free of its failures again so long after the first.
    pub time: Duration,
    /// Waiting for a place to check; clients wait minutes for a reply, and a queue that long helps nobody.
    pub wait: Duration,
}

impl Default for LoginLimits {
    fn default() -> LoginLimits {
        LoginLimits { failures: 20, time: Duration::from_secs(600), wait: Duration::from_secs(10) }
    }
}

/// Checks passwords, away from the threads that carry mail; for all sessions.
#[derive(Debug)]
pub struct Logins {
    places: Arc<Semaphore>,
    tries: Mutex<HashMap<IpAddr, Tries>>,
}

#[derive(Clone, Copy, Debug)]
struct Tries {
    count: u32,
    since: Instant,
}

impl Default for Logins {
    fn default() -> Logins {
        Logins { places: Arc::new(Semaphore::new(CHECKS_AT_ONCE)), tries: Mutex::default() }
    }
}

impl Logins {
    /// Checks what a client of `address` says.
    pub(super) async fn check(&self, accounts: Arc<Accounts>, credentials: Credentials, address: IpAddr, limits: &LoginLimits) -> Verdict {
        let address = neighbourhood(address);
        // A try is spent before anything is compared: however many come at once, no more are compared than there were tries.
        if !self.spend(address, limits) {
            return Verdict::TooMany;
        }
        let Ok(Ok(place)) = tokio::time::timeout(limits.wait, self.places.clone().acquire_owned()).await else {
            self.give_back(address, 1);
            return Verdict::Busy;
        };
        let name = credentials.name.clone();
        let checked = tokio::task::spawn_blocking(move || {
            let fits = accounts.check(&credentials);
            drop(place);
            fits
        });
        match checked.await {
            Ok(true) => {
                self.give_back(address, u32::MAX);
                Verdict::Account(name)
            }
            Ok(false) => Verdict::Wrong,
            Err(_) => Verdict::Busy,
        }
    }

    fn spend(&self, address: IpAddr, limits: &LoginLimits) -> bool {
        let now = Instant::now();
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= ADDRESSES && !tries.contains_key(&address) {
            tries.retain(|_, t| now - t.since < limits.time);
            // Still full: somebody with ten thousand addresses. One of the least busy goes.
            if tries.len() >= ADDRESSES
                && let Some(idle) = tries.iter().min_by_key(|(_, t)| (t.count, t.since)).map(|(address, _)| *address)
            {
                tries.remove(&idle);
            }
        }
        let entry = tries.entry(address).or_insert(Tries { count: 0, since: now });
        if now - entry.since >= limits.time {
            *entry = Tries { count: 0, since: now };
        }
        let free = entry.count < limits.failures;
        entry.count += u32::from(free);
        free
    }

    /// Gives tries back to an address: the one that was not used, or all after it proved itself.
    fn give_back(&self, address: IpAddr, count: u32) {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = tries.get_mut(&address) {
            entry.count = entry.count.saturating_sub(count);
            if entry.count == 0 {
                tries.remove(&address);
            }
        }
    }
}

/// One household or server has all addresses of its /64.
fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts(lines: &str) -> Result<Accounts, Vec<AccountFault>> {
        Accounts::parse(lines, vec![Domain::parse("müller.example").unwrap()])
    }

    fn credentials(name: &str, password: &str) -> Credentials {
        Credentials::new(name, Secret::new(password.to_owned())).unwrap()
    }

    #[test]
    fn a_file_of_accounts_is_read_and_its_faults_told_without_what_it_holds() {
        let hash = hash_password("pw");
        let good = accounts(&format!("# people\n\nanna:{hash}\npiet@a.example:{hash}\n")).unwrap();
        assert_eq!(format!("{good:?}"), "Accounts(2)");
        let huge = hash.replace("m=19456", "m=2000000");
        let other = hash.replace("argon2id", "argon2i");
        let faults = accounts(&format!("anna:{hash}\nanna:{hash}\npiet\n:{hash}\na b:{hash}\nx:pw\nx:{huge}\nx:{other}\n")).unwrap_err();
        assert_eq!(faults.iter().map(|f| f.line).collect::<Vec<_>>(), [2, 3, 4, 5, 6, 7, 8]);
        assert!(accounts("# none\n").is_err());
    }

    #[test]
    fn an_account_sends_as_the_organisation_and_as_nobody() {
        let accounts = accounts(&format!("anna:{}", hash_password("pw"))).unwrap();
        for (sender, may) in [("a@müller.example", true), ("a@XN--MLLER-KVA.example", true), ("a@b.example", false)] {
            assert_eq!(accounts.may_send_as(Some(&Address::parse(sender).unwrap())), may, "{sender}");
        }
        assert!(accounts.may_send_as(None));
    }

    #[tokio::test]
    async fn guessing_is_bounded_for_each_address_and_success_clears_it() {
        let accounts = Arc::new(accounts(&format!("anna:{}", hash_password("pw"))).unwrap());
        let (logins, limits) = (Logins::default(), LoginLimits { failures: 2, ..LoginLimits::default() });
        let (here, there) = ("2001:db8::1".parse().unwrap(), "2001:db8:0:1::1".parse().unwrap());
        let check =
            async |name: &str, password: &str, from| logins.check(accounts.clone(), credentials(name, password), from, &limits).await;
        assert_eq!(check("anna", "no", here).await, Verdict::Wrong);
        assert_eq!(check("anna", "pw", here).await, Verdict::Account("anna".to_owned()));
        assert_eq!(check("nobody", "pw", here).await, Verdict::Wrong);
        assert_eq!(check("anna", "no", "2001:db8::2".parse().unwrap()).await, Verdict::Wrong);
        assert_eq!(check("anna", "pw", here).await, Verdict::TooMany);
        assert_eq!(check("anna", "pw", there).await, Verdict::Account("anna".to_owned()));
    }
}
