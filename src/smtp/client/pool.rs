//! Connections to one host, kept for the next mail.

use super::{
    super::extensions::Extensions,
    ClientOptions, Failure, NextHop, Route, Transaction,
    connection::{Connection, TlsClient},
};
use crate::metrics::Hop;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

/// Connections to one host.
#[derive(Debug)]
pub struct Pool {
    hop: NextHop,
    options: ClientOptions,
    tls: TlsClient,
    places: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The one used last is used next, so that those in excess grow old.
    idle: Vec<Connection>,
    /// As last seen; none before the first EHLO was answered.
    extensions: Option<Extensions>,
    /// Connects that failed, in a row.
    failures: u32,
    /// Connects that failed, in all.
    all_failures: u64,
    /// Nobody tries before this.
    paused_until: Option<Instant>,
    /// Somebody looks after the idle ones.
    tended: bool,
}

impl Pool {
    /// A pool without connections; they are made when mail comes.
    #[must_use]
    pub fn new(hop: NextHop, options: ClientOptions) -> Arc<Pool> {
        let tls = hop.client_config();
        let places = Arc::new(Semaphore::new(options.connections));
        let state = State { idle: Vec::new(), extensions: None, failures: 0, all_failures: 0, paused_until: None, tended: false };
        Arc::new(Pool { hop, options, tls, places, state: Mutex::new(state) })
    }

    /// What the host can do, as last seen; before that, [`Extensions::ASSUMED`].
    #[must_use]
    pub fn extensions(&self) -> Extensions {
        self.seen().unwrap_or(Extensions::ASSUMED)
    }

    /// What the host can do, if it has ever said so.
    pub(super) fn seen(&self) -> Option<Extensions> {
        self.state().extensions
    }

    /// Where it leads.
    #[must_use]
    pub fn hop(&self) -> &NextHop {
        &self.hop
    }

    /// Connects once and keeps the connection, to learn what the next hop can do before the first mail comes.
    ///
    /// # Errors
    /// Why there is no connection; the next mail tries again.
    pub async fn learn(self: &Arc<Self>) -> Result<Extensions, Failure> {
        let connection = self.fresh().await?;
        let extensions = connection.extensions();
        self.put_back(connection);
        Ok(extensions)
    }

    /// A transaction on a connection that is open, or on a new one.
    ///
    /// # Errors
    /// [`Failure::Unreachable`] or [`Failure::Tls`].
    pub async fn begin(self: &Arc<Self>) -> Result<Transaction, Failure> {
        Route::of(vec![self.clone()]).begin().await
    }

    /// Connections that wait for a mail.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.state().idle.len()
    }

    /// Host and port.
    pub(super) fn name(&self) -> String {
        format!("{}:{}", self.hop.host, self.hop.port)
    }

    /// How the host does, for those who watch.
    pub(super) fn health(&self) -> Hop {
        let state = self.state();
        Hop {
            host: self.name(),
            up: state.failures == 0,
            idle: i64::try_from(state.idle.len()).unwrap_or(i64::MAX),
            failures: state.all_failures,
        }
    }

    pub(super) fn options(&self) -> &ClientOptions {
        &self.options
    }

    /// An idle connection that looks alive, else a new one.
    pub(super) async fn connection(self: &Arc<Self>) -> Result<Connection, Failure> {
        let place = self.place().await?;
        loop {
            // The lock is not held while the connection is looked at.
            let idle = self.state().idle.pop();
            let Some(mut connection) = idle else { return self.open(place).await };
            if connection.idle_since.elapsed() < self.options.idle_time && connection.is_quiet().await {
                connection.place = Some(place);
                return Ok(connection);
            }
            self.dismiss(connection);
        }
    }

    /// A new connection.
    pub(super) async fn fresh(self: &Arc<Self>) -> Result<Connection, Failure> {
        let place = self.place().await?;
        self.open(place).await
    }

    /// A place among the transactions that may be open; idle connections have none.
    async fn place(&self) -> Result<OwnedSemaphorePermit, Failure> {
        let place = timeout(self.options.connection_wait, self.places.clone().acquire_owned()).await;
        place.ok().and_then(Result::ok).ok_or(Failure::Unreachable)
    }

    /// Connects, unless that has failed too often just now.
    async fn open(&self, place: OwnedSemaphorePermit) -> Result<Connection, Failure> {
        self.may_try()?;
        let opening = Box::pin(Connection::open(&self.hop, &self.tls, &self.options));
        match timeout(self.options.open_time, opening).await.unwrap_or(Err(Failure::Unreachable)) {
            Ok(mut connection) => {
                connection.place = Some(place);
                let mut state = self.state();
                let failures = std::mem::take(&mut state.failures);
                state.paused_until = None;
                state.extensions = Some(connection.extensions());
                drop(state);
                if failures >= self.options.failures {
                    tracing::info!(next_hop = %self.hop.host, failures, "smtp: the next hop is up again");
                }
                Ok(connection)
            }
            Err(failure) => {
                self.note_failure();
                // What was lost or late before EHLO was answered is a next hop that cannot be reached.
                Err(if failure == Failure::Tls { failure } else { Failure::Unreachable })
            }
        }
    }

    /// Keeps a connection whose last transaction is over, if it is worth it.
    pub(super) fn put_back(self: &Arc<Self>, mut connection: Connection) {
        if !connection.is_settled() {
            return;
        }
        connection.used = true;
        connection.place = None;
        connection.idle_since = Instant::now();
        let mut state = self.state();
        if connection.mails >= self.options.mails_per_connection || state.idle.len() >= self.options.idle_connections {
            drop(state);
            self.dismiss(connection);
            return;
        }
        state.idle.push(connection);
        let begin_tending = !state.tended && tokio::runtime::Handle::try_current().is_ok();
        state.tended |= begin_tending;
        drop(state);
        if begin_tending {
            tokio::spawn(tend(Arc::downgrade(self), self.options.idle_time));
        }
    }

    /// Says QUIT in the background.
    pub(super) fn dismiss(&self, connection: Connection) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let options = self.options.clone();
            runtime.spawn(async move { connection.quit(&options).await });
        }
    }

    /// After a pause one tries; the others wait no longer than before until that one knows better.
    fn may_try(&self) -> Result<(), Failure> {
        let mut state = self.state();
        let now = Instant::now();
        match state.paused_until {
            Some(until) if now < until => Err(Failure::Unreachable),
            Some(_) => {
                state.paused_until = Some(now + self.pause(state.failures));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// How long nobody tries after so many failures; none at first.
    fn pause(&self, failures: u32) -> Duration {
        let Some(beyond) = failures.checked_sub(self.options.failures) else { return Duration::ZERO };
        self.options.pause.saturating_mul(1 << beyond.min(16)).min(self.options.longest_pause)
    }

    fn note_failure(&self) {
        let mut state = self.state();
        state.failures = state.failures.saturating_add(1);
        state.all_failures += 1;
        if state.failures < self.options.failures {
            return;
        }
        let (failures, pause) = (state.failures, self.pause(state.failures));
        state.paused_until = Some(Instant::now() + pause);
        drop(state);
        // It may be down all night: that is one fact.
        if failures == self.options.failures {
            tracing::warn!(next_hop = %self.hop.host, failures, "smtp: the next hop is down, and is tried now and then only");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reload may replace the pool: the host hears QUIT rather than nothing.
impl Drop for Pool {
    fn drop(&mut self) {
        for connection in std::mem::take(&mut self.state().idle) {
            self.dismiss(connection);
        }
    }
}

/// Lets connections go that idled too long, as long as there are any.
async fn tend(pool: Weak<Pool>, idle_time: Duration) {
    loop {
        tokio::time::sleep(idle_time).await;
        let Some(pool) = pool.upgrade() else { return };
        let old: Vec<Connection> = {
            let mut state = pool.state();
            let (young, old) = std::mem::take(&mut state.idle).into_iter().partition(|c| c.idle_since.elapsed() < idle_time);
            state.idle = young;
            state.tended = !state.idle.is_empty();
            old
        };
        let done = !pool.state().tended;
        for connection in old {
            pool.dismiss(connection);
        }
        if done {
            return;
        }
    }
}
