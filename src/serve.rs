//! Puts the parts together and keeps them running: opens the store, starts the roles, reloads, drains.

mod ground;
mod next_hops;
mod scrape;

use crate::{
    clock::{Clock, SystemClock},
    config::{self, Config},
    fault::{Fault, Faults},
    gateway::{self, Direct, Texts},
    inspect::Rulebook,
    metrics::Metrics,
    notice::Organisation,
    outbox, release,
    sandbox::Reader,
    sms,
    smtp::{
        self, Budget, ServerOptions, SpillFolder,
        client::{ClientOptions, Routes},
    },
    store::{self, OpenError, Opened, StoreError, StoreOptions},
    sweep::Sweep,
    template::Templates,
    time::Time,
};
use arc_swap::{ArcSwap, ArcSwapOption};
use ground::{Ground, Players};
use std::{io::ErrorKind, net::SocketAddr, path::Path, process::ExitCode, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::{Notify, watch},
    task::JoinSet,
};
use tracing_subscriber::fmt::format::FmtSpan;

/// How long stopping waits for what is under way: a mail in flight gets 60 s from the SMTP server, a page less.
const STOP_TIME: Duration = Duration::from_secs(75);

/// How long a message can be read.
const RETENTION_DAYS: u32 = 30;

/// Why zegel does not start. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store.
    #[error("{0}")]
    Store(#[from] OpenError),
    /// The store answers, but not as it should.
    #[error("{0}")]
    Answer(#[from] StoreError),
    /// A part can't be set up.
    #[error("{0}")]
    Part(String),
}

/// Sockets that are bound already.
#[derive(Debug, Default)]
pub struct Listeners {
    /// For mail.
    pub smtp: Vec<TcpListener>,
    /// For the portal.
    pub portal: Vec<TcpListener>,
    /// For who watches zegel.
    pub metrics: Vec<TcpListener>,
}

impl Listeners {
    /// Binds what the configuration says.
    ///
    /// # Errors
    /// Names the address that can't be had.
    pub fn bind(config: &Config) -> Result<Listeners, StartError> {
        let bind = |addresses: &[SocketAddr]| -> Result<Vec<TcpListener>, StartError> {
            addresses.iter().map(|a| smtp::listen(*a).map_err(|e| cannot_listen(*a, &e))).collect()
        };
        Ok(Listeners { smtp: bind(&config.smtp.listen)?, portal: bind(&config.portal.listen)?, metrics: bind(&config.metrics.listen)? })
    }
}

fn cannot_listen(address: SocketAddr, error: &std::io::Error) -> StartError {
    let remedy = match error.kind() {
        ErrorKind::AddrInUse => "end the program that uses it (another zegel?), or choose another port",
        ErrorKind::PermissionDenied => {
            "ports below 1024 are for programs with CAP_NET_BIND_SERVICE: give zegel that, or choose a higher port and lead this one to it"
        }
        ErrorKind::AddrNotAvailable => "write an address that this machine has, or 0.0.0.0 for all of them",
        _ => "choose another address",
    };
    StartError::Part(format!("cannot listen on {address}: {error}; {remedy}"))
}

/// What a reload replaces.
struct Swappable {
    rulebook: Arc<ArcSwap<Rulebook>>,
    templates: Arc<ArcSwap<Templates>>,
    organisation: Arc<ArcSwap<Organisation>>,
    routes: Arc<ArcSwap<Routes>>,
    /// Holds the certificate and the accounts.
    server: Arc<ServerOptions>,
    /// What only a restart replaces.
    fixed: Vec<(&'static str, String)>,
}

/// A running zegel.
pub struct Running {
    roles: JoinSet<()>,
    stop: watch::Sender<bool>,
    swappable: Swappable,
    /// For tests and tools that look at what happens.
    pub parts: Parts,
}

/// The parts that others may look at while zegel runs.
#[derive(Clone)]
pub struct Parts {
    /// Records, blobs and keys.
    pub opened: Opened,
    /// The sweeper.
    pub sweep: Arc<Sweep>,
    /// Wakes the outbox.
    pub wake: Arc<Notify>,
}

/// Starts everything, with the store that the configuration names.
///
/// # Errors
/// What keeps it from starting.
pub async fn start(config: Config, listeners: Listeners, clock: Arc<dyn Clock>) -> Result<Running, StartError> {
    let options = store_options(&config, clock.now());
    let opened = tokio::task::spawn_blocking(move || store::open(&options)).await.map_err(|e| StartError::Part(e.to_string()))??;
    start_with(config, listeners, clock, opened).await
}

/// Starts everything over a store that is open already: tests hand in one that fails.
///
/// # Errors
/// What keeps it from starting.
pub async fn start_with(config: Config, listeners: Listeners, clock: Arc<dyn Clock>, opened: Opened) -> Result<Running, StartError> {
    let (fixed, organisation) = (config.fixed(), organisation(&config));
    let routes = Routes::new(config.smtp.next_hops, config.smtp.routes, ClientOptions::new(&config.smtp.hostname));
    let wake = Arc::new(Notify::new());
    let server = Arc::new(ServerOptions {
        allow: config.smtp.allow,
        accounts: ArcSwapOption::new(config.smtp.accounts),
        xforward: config.smtp.xforward,
        proxy_protocol: config.smtp.proxy_protocol,
        max_size: config.smtp.max_size_bytes,
        tls: ArcSwapOption::new(config.smtp.tls),
        spill: Some(SpillFolder::new(&config.store.path, SpillFolder::DEFAULT_ROOM)),
        ..ServerOptions::new(&config.smtp.hostname, Budget::new(Budget::DEFAULT))
    });
    let swappable = Swappable {
        fixed,
        routes: Arc::new(ArcSwap::from_pointee(routes)),
        server: server.clone(),
        organisation: Arc::new(ArcSwap::from_pointee(organisation)),
        templates: Arc::new(ArcSwap::from_pointee(config.templates)),
        rulebook: Arc::new(ArcSwap::from_pointee(config.rulebook)),
    };
    let gateway_options = gateway::Options {
        hostname: config.smtp.hostname,
        language: config.organisation.language,
        retention_days: RETENTION_DAYS,
        hold_time: release::NUMBER_TIME,
        loops: config.smtp.loops,
        null_sender: config.smtp.null_sender,
        times: gateway::Times::default(),
    };
    let metrics = Arc::new(Metrics::default());
    let (store, tray) = outbox::claiming(store::counted(opened.store, metrics.clone()), clock.clone(), wake.clone());
    let opened = Opened { store, ..opened };
    let ground = Ground { swappable: &swappable, opened: &opened, folder: &config.store.path, clock, wake, metrics };
    next_hops::learn(&swappable.routes);
    let (outbox, sweep) = (ground.outbox(gateway_options.loops.header.clone()), ground.sweep());
    // We are the sole owner of the store: what is pending or claimed was left by our previous life.
    sweep.withdraw_pending().await?;
    outbox.reclaim().await?;

    let direct = config.direct.map(|options| Direct::new(options, &gateway_options.hostname)).transpose();
    let direct = direct.map_err(|e| StartError::Part(format!("[direct]: {e}")))?;
    let reader = Reader::new(config.readers, ground.metrics.clone());
    let texts = Texts::new(reader.limits());
    reader.start_ahead();
    let (gateway, portal) =
        (ground.gateway(gateway_options, (reader, texts), direct), ground.portal(sms_sender(config.sms, ground.metrics.clone())?));
    let parts = Parts { opened: opened.clone(), sweep: sweep.clone(), wake: ground.wake.clone() };
    let (roles, stop) = ground.roles(listeners, Players { gateway, portal, outbox, tray, sweep });
    Ok(Running { roles, stop, swappable, parts })
}

impl Running {
    /// Puts a new set of rules, policies, templates and names in force; mail and pages that have begun keep theirs.
    ///
    /// Gives the words of `zegel.toml` that have changed and need a restart ([`Config::fixed`]).
    pub fn reload(&self, config: Config) -> Vec<&'static str> {
        let changed = self.swappable.fixed.iter().zip(config.fixed()).filter(|(old, new)| **old != *new).map(|(old, _)| old.0).collect();
        self.swappable.organisation.store(Arc::new(organisation(&config)));
        self.swappable.templates.store(Arc::new(config.templates));
        self.swappable.rulebook.store(Arc::new(config.rulebook));
        self.swappable.server.tls.store(config.smtp.tls);
        let routes = self.swappable.routes.load().replaced_by(config.smtp.next_hops, config.smtp.routes);
        self.swappable.routes.store(Arc::new(routes));
        next_hops::learn(&self.swappable.routes);
        self.swappable.server.accounts.store(config.smtp.accounts);
        changed
    }

    /// Stops taking mail and visitors, and waits for what is under way.
    pub async fn stop(mut self) {
        let _ = self.stop.send(true);
        let ended = tokio::time::timeout(STOP_TIME, async { while self.roles.join_next().await.is_some() {} }).await;
        if ended.is_err() {
            tracing::warn!("something was still under way after {} s", STOP_TIME.as_secs());
        }
    }

    /// Waits until the disk fails for good, or a part ends by itself, which none should; says which.
    async fn broken(&mut self) -> String {
        let failure = self.parts.opened.failure.clone();
        tokio::select! {
            why = failure.happened() => format!("the disk failed, so zegel ends before it loses mail: {why}; look at the disk, then start it again"),
            ended = self.roles.join_next() => match ended {
                Some(Err(e)) => format!("a part of zegel ended: {e}; this is a bug"),
                _ => "a part of zegel ended by itself; this is a bug".to_owned(),
            },
        }
    }
}

/// `zegel run`: until SIGTERM or SIGINT; SIGHUP reloads.
pub async fn run(path: &Path) -> ExitCode {
    log_to_stderr();
    if let Err(error) = store::harden() {
        tracing::warn!("memory may end up in a core dump: {error}");
    }
    raise_open_files();
    // First of all: a signal that comes before anybody waits for it ends the process.
    let signals = match Signals::receive() {
        Ok(signals) => signals,
        Err(error) => {
            eprintln!("zegel: signals cannot be received: {error}");
            return ExitCode::FAILURE;
        }
    };
    let config = match checked(path) {
        Ok(config) => config,
        Err(faults) => {
            eprintln!("{}", listed(&faults));
            return ExitCode::FAILURE;
        }
    };
    match run_until_told(config, path, signals).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("zegel: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What a service manager says: reload, or end.
struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn receive() -> std::io::Result<Signals> {
        Ok(Signals {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }
}

async fn run_until_told(config: Config, path: &Path, mut signals: Signals) -> Result<(), StartError> {
    let listeners = Listeners::bind(&config)?;
    let addresses =
        |all: &[TcpListener]| all.iter().filter_map(|l| l.local_addr().ok()).map(|a| a.to_string()).collect::<Vec<_>>().join(",");
    let (smtp, portal) = (addresses(&listeners.smtp), addresses(&listeners.portal));
    let mut running = start(config, listeners, Arc::new(SystemClock)).await?;
    tracing::info!("ready smtp={smtp} portal={portal}");
    loop {
        tokio::select! {
            _ = signals.hangup.recv() => reload(&running, path),
            _ = signals.terminate.recv() => break,
            _ = signals.interrupt.recv() => break,
            why = running.broken() => {
                running.stop().await;
                return Err(StartError::Part(why));
            }
        }
    }
    tracing::info!("stopping");
    running.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// The configuration at `path`, its rules' and policies' own examples tried.
fn checked(path: &Path) -> Result<Config, Vec<Fault>> {
    let mut config = Config::load(path)?;
    if let Some(lack) = config.take_stock() {
        tracing::warn!("{lack}");
    }
    let faults = Faults::default();
    config.rulebook.check_examples(&faults);
    // What was right yesterday must not stop mail today: these are told, and the set takes effect.
    for doubt in config.rulebook.policies.doubts(SystemClock.now().local().date()) {
        tracing::warn!("{}:{}: {}; {}", doubt.file, doubt.line, doubt.what, doubt.remedy);
    }
    if faults.is_empty() { Ok(config) } else { Err(faults.take()) }
}

fn reload(running: &Running, path: &Path) {
    match checked(path) {
        Ok(config) => {
            for word in running.reload(config) {
                tracing::warn!("{word} has changed, and stays as it was until zegel is restarted");
            }
            tracing::info!("reloaded");
        }
        Err(faults) => {
            for fault in &faults {
                tracing::error!("{fault}");
            }
            let s = if faults.len() == 1 { "" } else { "s" };
            tracing::error!("not reloaded: {} fault{s}; everything goes on as before", faults.len());
        }
    }
}

/// Lets the process open as many files as the system allows it: each session is one, and the usual soft limit is 1024.
fn raise_open_files() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(error) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!("the limit on open files stays as it is: {error}");
    }
}

/// One line a fact on standard error; with `ZEGEL_LOG=zegel=debug` also a line for each step of a mail, with its time. What a panic says may quote content, so only its place is told.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("ZEGEL_LOG").unwrap_or_else(|_| "zegel=info".into());
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_target(false)
        .with_span_events(FmtSpan::CLOSE)
        .try_init();
    silence_panics();
}

/// Replaces the panic message, which may quote the content of a mail, by the place in our code.
pub fn silence_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!("panic at {place}");
    }));
}

fn listed(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn organisation(config: &Config) -> Organisation {
    Organisation {
        name: config.organisation.name.clone(),
        from: config.mail.from.clone(),
        url: config.portal.url.clone(),
        language: config.organisation.language.clone(),
        hostname: config.smtp.hostname.clone(),
        bounces: config.mail.bounces.clone(),
        signer: config.mail.signer.clone(),
    }
}

/// The store that a configuration names.
#[must_use]
pub fn store_options(config: &Config, now: Time) -> StoreOptions {
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(Into::into);
    StoreOptions { credentials, ..StoreOptions::new(&config.store.path, &config.store.keys, now) }
}

fn sms_sender(sms: config::Sms, metrics: Arc<Metrics>) -> Result<sms::Sender, StartError> {
    let sender = match sms.way {
        config::SmsWay::File(path) => sms::Sender::file(path),
        config::SmsWay::Accounts(accounts) => sms::Sender::over(accounts, sms::Times::default()).map_err(StartError::Part)?,
    };
    Ok(sender.within(sms.limits, metrics))
}
