//! Reads the complex formats of strangers in processes that can do nothing else.
//!
//! A worker is this very program, started again without environment, files, network or keys (`cage.rs`). It is killed when a part takes too long,
//! and replaced when it crashes: that costs the part its reading, and nothing else. What it says is believed as little as a stranger's file.

mod cache;
mod cage;
pub mod frame;
mod line;
mod ocr;
mod pool;
mod raw;
mod worker;

pub use ocr::{Lack, Ocr};
pub use worker::{Read, work_if_told};

use crate::{
    extract::{self, ENTRY_OCTETS, Extraction, Limits, Picture, Problem, ProblemKind, Unopened},
    message::Message,
    metrics::{Metrics, ReaderFailure},
};
use cache::Cache;
use frame::{Answer, Ended, Refused};
use line::{End, Parcel};
use ocr::Eyes;
use pool::{Lease, Pool, Unavailable};
use std::{
    os::unix::process::ExitStatusExt as _,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    process::ExitStatus,
    sync::Arc,
    time::Duration,
};
use tokio::{task::spawn_blocking, time::Instant};

/// A mail up to this size is read on the spot: handing it to another thread costs more than reading it.
const ON_THE_SPOT_BYTES: usize = 64 * 1024;

/// A part up to this size is hashed on the spot.
const HASHED_ON_THE_SPOT: usize = 256 * 1024;

/// No worker was to be had in time: answer 451. Never a problem of the mail, or a busy hour would turn clean mail into sealed mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// How parts are read.
#[derive(Clone, Debug)]
pub struct Options {
    /// What a worker runs: a program that begins with [`work_if_told`]. This one.
    pub program: PathBuf,
    /// How many there are at most: one a core, since they only compute, and no more than one for each GiB of memory, which each may take.
    pub workers: usize,
    /// What reading a mail may cost.
    pub limits: Limits,
    /// What it may take.
    pub times: Times,
    /// Whether files that come again are known. A command reads each of its files once, and the key of the cache costs ten times what a PDF does:
    /// the first randomness of a process, for which aws-lc measures its own jitter.
    pub remembers: bool,
    /// How text in pictures is read; `None`: a picture that may show text is a problem.
    pub ocr: Option<Ocr>,
}

impl Default for Options {
    fn default() -> Options {
        // The file that runs, also when an upgrade has put another in its place.
        #[cfg(target_os = "linux")]
        let program = "/proc/self/exe".into();
        #[cfg(not(target_os = "linux"))]
        let program = std::env::current_exe().unwrap_or_default();
        Options { program, workers: workers(), limits: Limits::default(), times: Times::default(), remembers: true, ocr: None }
    }
}

fn workers() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores.min(gibibytes()).max(1)
}

#[cfg(target_os = "linux")]
fn gibibytes() -> usize {
    let system = rustix::system::sysinfo();
    usize::try_from((u128::from(system.totalram) * u128::from(system.mem_unit)) >> 30).unwrap_or(usize::MAX)
}

#[cfg(not(target_os = "linux"))]
fn gibibytes() -> usize {
    usize::MAX
}

/// What reading may take.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// CPU time of one top-level part: 10 s; the 99th percentile of real documents is a tenth of a second (extraction.md, section 9).
    pub cpu: Duration,
    /// The same on the clock, since a busy machine is not the part's fault: 30 s.
    pub part: Duration,
    /// All parts of a mail together, waiting for workers not counted: 45 s, which leaves room for waiting and judging within the 60 s of an
    /// inspection. What is left over then is a problem of the mail, which a policy judges; a mail that took longer would be answered 451 for ever.
    pub mail: Duration,
}

impl Default for Times {
    fn default() -> Times {
        Times { cpu: Duration::from_secs(10), part: Duration::from_secs(30), mail: Duration::from_secs(45) }
    }
}

/// Reads mail.
#[derive(Clone, Debug)]
pub struct Reader(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: Options,
    pool: Pool,
    cache: Option<Arc<Cache>>,
    eyes: Option<Eyes>,
    metrics: Arc<Metrics>,
}

impl Reader {
    /// A reader whose workers are started when they are needed.
    #[must_use]
    pub fn new(mut options: Options, metrics: Arc<Metrics>) -> Reader {
        let eyes = options.ocr.take().map(|ocr| Eyes::new(ocr, &options));
        options.limits.pictures = if eyes.is_some() { Limits::PICTURES } else { 0 };
        let cache = options.remembers.then(|| Arc::new(Cache::new()));
        let pool = Pool::new(&options, cache.as_ref().map(Arc::downgrade).unwrap_or_default());
        Reader(Arc::new(Inner { pool, cache, eyes, options, metrics }))
    }

    /// Starts all workers now, so that the first mails don't wait for them.
    pub fn start_ahead(&self) {
        self.0.pool.start_ahead();
    }

    /// What reading a mail may cost.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.0.options.limits
    }

    /// The texts and problems of a mail.
    ///
    /// # Errors
    /// [`Busy`] when there was no worker.
    pub async fn read(&self, message: &Message) -> Result<Extraction, Busy> {
        let (shallow, unopened) = self.shallow(message).await;
        self.open_all(shallow, unopened).await
    }

    /// The texts that stand in a mail itself, and what must be unpacked.
    pub async fn shallow(&self, message: &Message) -> (Extraction, Vec<Unopened>) {
        self.0.shallow(message).await
    }

    /// The texts and problems of a mail, once what must be unpacked is.
    ///
    /// # Errors
    /// [`Busy`] when there was no worker.
    pub async fn open_all(&self, shallow: Extraction, unopened: Vec<Unopened>) -> Result<Extraction, Busy> {
        self.0.open_all(shallow, unopened).await
    }

    /// The texts and problems of a file, as if it were the one attachment of an empty mail.
    ///
    /// # Errors
    /// [`Busy`] when there was no worker.
    pub async fn read_file(&self, name: &str, octets: bytes::Bytes) -> Result<Extraction, Busy> {
        let (shallow, unopened) = extract::attachment(name, octets, &self.0.options.limits);
        self.0.open_all(shallow, unopened).await
    }
}

async fn key(cache: &Arc<Cache>, part: &Unopened) -> cache::Key {
    if part.octets.len() <= HASHED_ON_THE_SPOT {
        return cache.key(part);
    }
    let (elsewhere, copy) = (cache.clone(), part.clone());
    match spawn_blocking(move || elsewhere.key(&copy)).await {
        Ok(key) => key,
        Err(_) => cache.key(part),
    }
}

impl Inner {
    async fn shallow(&self, message: &Message) -> (Extraction, Vec<Unopened>) {
        let limits = &self.options.limits;
        if message.octets().len() <= ON_THE_SPOT_BYTES {
            return guarded(message, limits);
        }
        let (message, limits) = (message.clone(), limits.clone());
        spawn_blocking(move || guarded(&message, &limits)).await.unwrap_or_else(|_| failed())
    }

    async fn open_all(&self, shallow: Extraction, unopened: Vec<Unopened>) -> Result<Extraction, Busy> {
        let mut opened = Vec::with_capacity(unopened.len());
        let mut left = self.options.times.mail;
        // Each part is read by itself, but what comes of it stays: only all parts together are bounded by what one mail may hold.
        let mut limits = self.options.limits.clone();
        let take = |limits: &mut Limits, extraction: &Extraction| {
            limits.text = limits.text.saturating_sub(extraction.text_octets());
            limits.beside = limits.beside.saturating_sub(extraction.beside_octets());
            // A cell takes a place, and a stretch if it is read in two ways: a worker that knows says what it left out.
            limits.cells = limits.cells.min(limits.beside / (2 * ENTRY_OCTETS));
        };
        take(&mut limits, &shallow);
        for part in unopened {
            let read = self.open(part, left, &limits).await?;
            left = left.saturating_sub(read.took);
            take(&mut limits, &read.extraction);
            limits.pictures = limits.pictures.saturating_sub(read.pictures.len());
            limits.picture_octets = limits.picture_octets.saturating_sub(read.pictures.iter().map(|picture| picture.octets.len()).sum());
            opened.push(read);
        }
        // Last, so that no document goes unread because pictures took its time.
        self.look(&mut opened, left, limits).await;
        Ok(extract::join(shallow, opened.into_iter().map(|read| (read.part.at, read.extraction)).collect()))
    }

    /// What a part holds, its pictures not looked at yet.
    async fn open(&self, mut part: Unopened, left: Duration, limits: &Limits) -> Result<Opened, Busy> {
        // What comes for the first time is hardly looked at.
        let place = match &self.cache {
            Some(cache) if cache.meets_again(&part) => Some((cache, key(cache, &part).await)),
            _ => None,
        };
        let known = place.and_then(|(cache, key)| cache.get(&key, &part, limits));
        self.metrics.reader_cache(known.is_some());
        let told = |part, extraction| Opened { part, extraction, took: Duration::ZERO, pictures: Vec::new(), key: None };
        if let Some(extraction) = known {
            return Ok(told(part, extraction));
        }
        if left.is_zero() {
            let extraction = part.withheld(ProblemKind::Timeout, "mail-time");
            return Ok(told(part, extraction));
        }
        let parcel = Parcel::of(std::mem::take(&mut part.octets)).await;
        let mut reading = Reading { inner: self, part: &part, parcel, limits, left, answer: Answer::new(&part, limits) };
        let (failure, took) = reading.read().await?;
        let Answer { mut extraction, pictures, .. } = reading.answer;
        if let Some((kind, reason)) = failure {
            extraction.problems.extend(part.withheld(kind, reason).problems);
        }
        // Another mail has room for pictures that this one had no more room for.
        let is_whole = limits.pictures == self.options.limits.pictures || !extraction.problems.iter().any(is_picture);
        let key = place.map(|(_, key)| key).filter(|_| failure.is_none() && is_whole);
        Ok(Opened { part, extraction, took, pictures, key })
    }

    /// Looks at the pictures of all parts, and keeps what will be the same when a part comes again.
    async fn look(&self, opened: &mut [Opened], left: Duration, mut limits: Limits) {
        let pictures: Vec<Picture> = opened.iter().flat_map(|read| read.pictures.iter().cloned()).collect();
        let sights = match &self.eyes {
            Some(eyes) if !pictures.is_empty() => eyes.look(&pictures, left).await,
            _ => Vec::new(),
        };
        let mut sights = sights.into_iter();
        for read in opened {
            let of_it = sights.by_ref().take(read.pictures.len());
            let is_final = ocr::tell(&read.pictures, of_it, &mut limits, &mut read.extraction, &self.metrics);
            if let (Some(cache), Some(key), true) = (&self.cache, read.key, is_final) {
                cache.put(key, &read.part, &read.extraction);
            }
        }
    }

    /// There is no worker: the mail stays with its sender, and somebody should know.
    fn none(&self, why: &Unavailable) -> Busy {
        tracing::warn!("{why}");
        if matches!(why, Unavailable::Start(_)) {
            self.metrics.reader_failed(ReaderFailure::NotStarted);
        }
        Busy
    }
}

/// What a part held.
struct Opened {
    /// The part, without its octets.
    part: Unopened,
    extraction: Extraction,
    /// How long reading it took.
    took: Duration,
    /// What is to be looked at.
    pictures: Vec<Picture>,
    /// Under which it is kept.
    key: Option<cache::Key>,
}

/// Whether a picture is unread.
fn is_picture(problem: &Problem) -> bool {
    ["image", "scanned-pages"].contains(&problem.reason)
}

/// One part, with a worker or two.
struct Reading<'a> {
    inner: &'a Inner,
    /// Without its octets.
    part: &'a Unopened,
    parcel: Parcel,
    limits: &'a Limits,
    left: Duration,
    answer: Answer,
}

/// Why a part was not read to its end: what is told of it.
type Failure = Option<(ProblemKind, &'static str)>;

impl Reading<'_> {
    /// Reads, and once more on a fresh worker when one crashes: it may have been the last of many parts that did it, or somebody who killed it.
    async fn read(&mut self) -> Result<(Failure, Duration), Busy> {
        let pool = &self.inner.pool;
        let mut lease = pool.take().await.map_err(|why| self.inner.none(&why))?;
        let begun = Instant::now();
        let times = self.inner.options.times;
        let most = times.part.min(self.left);
        let late = (ProblemKind::Timeout, if self.left < times.part { "mail-time" } else { "part-time" });
        for is_last in [false, true] {
            self.answer = Answer::new(self.part, self.limits);
            let clock = most.saturating_sub(begun.elapsed());
            let end = lease.worker.read((self.part, &self.parcel), self.limits, (clock, times.cpu), &mut self.answer).await;
            let took = begun.elapsed();
            let (failure, told) = match end {
                End::Done(Ended::Well) => {
                    pool.give_back(lease, took);
                    return Ok((None, took));
                }
                // Its state is whatever the reader left; another takes its place.
                End::Done(Ended::Panicked) => (ReaderFailure::Panicked, (ProblemKind::Damaged, "reader-failed")),
                End::Refused(Refused::TooMuch) => (ReaderFailure::Refused, (ProblemKind::TooLarge, "answer")),
                End::Refused(Refused::Malformed) => (ReaderFailure::Refused, (ProblemKind::Damaged, "reader-failed")),
                End::Late => (ReaderFailure::Late, late),
                End::Gone => {
                    let Lease { worker, place } = lease;
                    let (failure, told) = explained(worker.bury().await, late);
                    self.inner.metrics.reader_failed(failure);
                    if failure == ReaderFailure::Crashed && !is_last {
                        let worker = pool.start().await.map_err(|why| self.inner.none(&why))?;
                        lease = Lease { worker, place };
                        continue;
                    }
                    pool.replace();
                    return Ok((Some(told), begun.elapsed()));
                }
            };
            self.inner.metrics.reader_failed(failure);
            drop(lease);
            pool.replace();
            return Ok((Some(told), took));
        }
        // The last try has returned.
        Ok((Some((ProblemKind::Damaged, "reader-failed")), begun.elapsed()))
    }
}

/// What it means that a worker ended in the middle of a part.
fn explained(status: Option<ExitStatus>, late: (ProblemKind, &'static str)) -> (ReaderFailure, (ProblemKind, &'static str)) {
    let signal = status.and_then(|status| status.signal());
    match status.and_then(|status| status.code()) {
        Some(raw::NO_MEMORY) => (ReaderFailure::Memory, (ProblemKind::TooLarge, "memory")),
        _ if signal == Some(rustix::process::Signal::XCPU.as_raw()) => (ReaderFailure::Late, late),
        code => {
            let how = match (code, signal) {
                (_, Some(signal)) => format!("signal {signal}"),
                (Some(code), None) => format!("status {code}"),
                (None, None) => "unknown".to_owned(),
            };
            tracing::error!("a worker ended in the middle of a part ({how}): unless somebody killed it, this is a bug");
            (ReaderFailure::Crashed, (ProblemKind::Damaged, "reader-crashed"))
        }
    }
}

/// MIME, text and HTML are read here, by code that has neither recursion nor anything else that could end a process.
fn guarded(message: &Message, limits: &Limits) -> (Extraction, Vec<Unopened>) {
    catch_unwind(AssertUnwindSafe(|| extract::message(message, limits))).unwrap_or_else(|_| failed())
}

fn failed() -> (Extraction, Vec<Unopened>) {
    let part =
        Unopened { part: "text".into(), name: String::new(), media_type: String::new(), octets: bytes::Bytes::new(), depth: 0, at: 0 };
    (part.withheld(ProblemKind::Damaged, "reader-failed"), Vec::new())
}
