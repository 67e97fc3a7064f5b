//! Which hosts a recipient's mail goes to, and in which order they are tried.

use super::{
    super::extensions::Extensions, ClientOptions, Failure, NextHop, Pool, Transaction, connection::Connection, envelope::Elsewhere,
};
use crate::{
    address::{Address, Domain},
    metrics::Hop,
};
use std::{fmt, str::FromStr, sync::Arc};
use tokio::time::timeout;

/// The hosts of a route, in the order in which they are tried.
#[derive(Debug)]
pub struct Route(Vec<Arc<Pool>>);

impl Route {
    /// A route over `pools`, of which there is one at least.
    #[must_use]
    pub fn of(pools: Vec<Arc<Pool>>) -> Arc<Route> {
        Arc::new(Route(pools))
    }

    /// A route over `hops`; with several of them a host that does not answer is left alone at once, since mail need not wait for it.
    #[must_use]
    pub fn new(hops: Vec<NextHop>, options: &ClientOptions) -> Arc<Route> {
        Route::reusing(hops, options, &[])
    }

    /// The same, with those of the pools of `former` that lead to the same place.
    fn reusing(hops: Vec<NextHop>, options: &ClientOptions, former: &[Arc<Pool>]) -> Arc<Route> {
        let failures = if hops.len() > 1 { 1 } else { options.failures };
        let pool = |hop: NextHop| {
            let same = former.iter().find(|p| *p.hop() == hop && p.options().failures == failures);
            same.cloned().unwrap_or_else(|| Pool::new(hop, ClientOptions { failures, ..options.clone() }))
        };
        Route::of(hops.into_iter().map(pool).collect())
    }

    /// Its hosts, in order: what tells it from other routes, before and after a reload.
    #[must_use]
    pub fn name(&self) -> String {
        self.0.iter().map(|pool| pool.name()).collect::<Vec<_>>().join(",")
    }

    /// What all its hosts can do, as far as they were ever spoken to; before that, [`Extensions::ASSUMED`].
    #[must_use]
    pub fn extensions(&self) -> Extensions {
        self.0.iter().filter_map(|p| p.seen()).reduce(Extensions::common).unwrap_or(Extensions::ASSUMED)
    }

    /// Connects once to each host that was never spoken to, to learn what it can do before the first mail comes; and to each that could not be
    /// reached the last time, to learn whether it is well again.
    ///
    /// # Errors
    /// Why none of them could be reached; the next mail tries again.
    pub async fn learn(&self) -> Result<(), Failure> {
        let mut outcome = Err(Failure::Unreachable);
        for pool in &self.0 {
            let was_up = pool.health().up;
            // A reload has kept the pool.
            if pool.seen().is_some() && was_up {
                outcome = Ok(());
                continue;
            }
            match pool.learn().await {
                Ok(_) => outcome = Ok(()),
                Err(failure) => {
                    // Who is down is asked every few seconds.
                    if was_up {
                        tracing::warn!(next_hop = %pool.hop().host, "smtp: {failure}");
                    }
                    outcome = outcome.or(Err(failure));
                }
            }
        }
        outcome
    }

    /// A transaction with the first host that answers.
    ///
    /// # Errors
    /// [`Failure::Unreachable`] or [`Failure::Tls`], when none does.
    pub async fn begin(self: &Arc<Self>) -> Result<Transaction, Failure> {
        let (at, connection) = self.connection(0).await?;
        Ok(Transaction::new(self.clone(), at, connection))
    }

    /// A connection to the first host from this place on that answers, and which that is.
    pub(super) async fn connection(&self, from: usize) -> Result<(usize, Connection), Failure> {
        let Some(first) = self.0.first() else { return Err(Failure::Unreachable) };
        let any = async {
            let mut failure = Failure::Unreachable;
            for (at, pool) in self.0.iter().enumerate().skip(from) {
                match pool.connection().await {
                    Ok(connection) => return Ok((at, connection)),
                    Err(why) => failure = why,
                }
            }
            Err(failure)
        };
        timeout(first.options().envelope_time, any).await.unwrap_or(Err(Failure::Unreachable))
    }

    /// What hosts other than the one at this place can do.
    pub(super) fn elsewhere(&self, at: usize) -> Elsewhere {
        Elsewhere::of(self.0.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, pool)| pool.seen()))
    }

    /// The host at this place, from 0.
    pub(super) fn host(&self, at: usize) -> Option<&Arc<Pool>> {
        self.0.get(at)
    }
}

/// A recipient domain as a route names it: `partner.example`, or `*.partner.example` for everything below it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DomainPattern {
    domain: Domain,
    below: bool,
}

impl DomainPattern {
    /// Whether it stands for `domain`.
    #[must_use]
    pub fn matches(&self, domain: &Domain) -> bool {
        let (domain, own) = (domain.as_str(), self.domain.as_str());
        if self.below { domain.strip_suffix(own).is_some_and(|front| front.ends_with('.')) } else { domain == own }
    }
}

impl FromStr for DomainPattern {
    type Err = crate::address::AddressError;

    fn from_str(text: &str) -> Result<DomainPattern, Self::Err> {
        let (below, text) = text.strip_prefix("*.").map_or((false, text), |rest| (true, rest));
        Ok(DomainPattern { domain: Domain::parse(text)?, below })
    }
}

impl fmt::Display for DomainPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.below { "*." } else { "" }, self.domain)
    }
}

/// Every route there is.
#[derive(Debug)]
pub struct Routes {
    default: Arc<Route>,
    others: Vec<(Vec<DomainPattern>, Arc<Route>)>,
    options: ClientOptions,
}

impl Routes {
    /// One route for all mail.
    #[must_use]
    pub fn only(hop: NextHop, options: ClientOptions) -> Routes {
        Routes::new(vec![hop], Vec::new(), options)
    }

    /// The hosts of the default route, and those of the domains that have a route of their own; of several that fit the first counts.
    #[must_use]
    pub fn new(default: Vec<NextHop>, others: Vec<(Vec<DomainPattern>, Vec<NextHop>)>, options: ClientOptions) -> Routes {
        Routes::built(default, others, options, &[])
    }

    /// Other routes, which keep the connections to hosts that are in these too.
    #[must_use]
    pub fn replaced_by(&self, default: Vec<NextHop>, others: Vec<(Vec<DomainPattern>, Vec<NextHop>)>) -> Routes {
        let former: Vec<_> = self.all().flat_map(|route| route.0.iter().cloned()).collect();
        Routes::built(default, others, self.options.clone(), &former)
    }

    fn built(
        default: Vec<NextHop>,
        others: Vec<(Vec<DomainPattern>, Vec<NextHop>)>,
        options: ClientOptions,
        former: &[Arc<Pool>],
    ) -> Routes {
        let default = Route::reusing(default, &options, former);
        let others = others.into_iter().map(|(to, hops)| (to, Route::reusing(hops, &options, former))).collect();
        Routes { default, others, options }
    }

    /// The route of a recipient.
    #[must_use]
    pub fn of(&self, recipient: &Address) -> &Arc<Route> {
        if self.others.is_empty() {
            return &self.default;
        }
        let domain = recipient.domain();
        let own = self.others.iter().find(|(to, _)| to.iter().any(|pattern| pattern.matches(&domain)));
        own.map_or(&self.default, |(_, route)| route)
    }

    /// The route of everybody who has none of his own.
    pub(super) fn default_route(&self) -> &Arc<Route> {
        &self.default
    }

    /// The route of all mail, if there is one only.
    pub(super) fn single(&self) -> Option<&Arc<Route>> {
        self.others.is_empty().then_some(&self.default)
    }

    /// What all routes can do: as much can be offered before a recipient is known.
    #[must_use]
    pub fn extensions(&self) -> Extensions {
        self.all().map(|r| r.extensions()).reduce(Extensions::common).unwrap_or(Extensions::ASSUMED)
    }

    /// Connects once to every host.
    ///
    /// # Errors
    /// The last route of which no host could be reached says why; the next mail tries again.
    pub async fn learn(&self) -> Result<(), Failure> {
        let mut outcome = Ok(());
        for route in self.all() {
            outcome = route.learn().await.and(outcome);
        }
        outcome
    }

    /// How each host does, for those who watch.
    #[must_use]
    pub fn health(&self) -> Vec<Hop> {
        self.all().flat_map(|route| &route.0).map(|pool| pool.health()).collect()
    }

    /// Whether a host of the default route could be reached when that was last tried: without one no mail can be taken.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.default.0.iter().any(|pool| pool.health().up)
    }

    fn all(&self) -> impl Iterator<Item = &Arc<Route>> {
        std::iter::once(&self.default).chain(self.others.iter().map(|(_, route)| route))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_what_is_below() {
        let check = |pattern: &str, domain: &str, expected: bool| {
            let pattern: DomainPattern = pattern.parse().unwrap();
            assert_eq!(pattern.matches(&Domain::parse(domain).unwrap()), expected, "{pattern} {domain}");
        };
        check("partner.example", "partner.example", true);
        check("partner.example", "PARTNER.example", true);
        check("partner.example", "a.partner.example", false);
        check("*.partner.example", "a.partner.example", true);
        check("*.partner.example", "a.b.partner.example", true);
        check("*.partner.example", "partner.example", false);
        check("*.partner.example", "otherpartner.example", false);
        for wrong in ["*", "*.", "a.*.example", "*partner.example", ""] {
            assert!(wrong.parse::<DomainPattern>().is_err(), "{wrong:?}");
        }
    }
}
