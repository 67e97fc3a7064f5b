//! Reads the complex formats of strangers out of the way of everything else.
//!
//! Today that is a thread with a time limit and a guard against panics, at most one per core. A thread cannot be killed: one that hangs keeps its
//! place until it ends, and when every place is taken mail that needs one is answered 451. The worker process that replaces it
//! (extraction.md, section 9) changes [`open`] only.

use crate::{
    extract::{self, Extraction, Limits, Problem, ProblemKind, Unopened},
    message::Message,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::Semaphore, task::spawn_blocking, time::timeout};

/// The longest a top-level part may take; the 99th percentile of real documents is a tenth of a second (extraction.md, section 9).
const PART_TIME: Duration = Duration::from_secs(10);

/// The longest a mail waits for a free place before its sender is asked to come back: leaves room within the 60 s of an inspection.
const PLACE_TIME: Duration = Duration::from_secs(30);

/// A mail up to this size is read on the spot: handing it to another thread costs more than reading it.
const ON_THE_SPOT_BYTES: usize = 64 * 1024;

/// No place came free in time: answer 451. Never a problem of the mail, or a busy hour would turn clean mail into sealed mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// Reads mail.
#[derive(Clone, Debug)]
pub struct Reader {
    places: Arc<Semaphore>,
    limits: Arc<Limits>,
}

impl Reader {
    /// A reader with one place per core.
    #[must_use]
    pub fn new(limits: Limits) -> Reader {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Reader { places: Arc::new(Semaphore::new(cores)), limits: Arc::new(limits) }
    }

    /// The texts and problems of a mail.
    ///
    /// # Errors
    /// [`Busy`] when no place came free.
    pub async fn read(&self, message: &Message) -> Result<Extraction, Busy> {
        let (shallow, unopened) = self.shallow(message).await;
        self.open_all(shallow, unopened).await
    }

    /// The texts and problems of a file, as if it were the one attachment of an empty mail.
    ///
    /// # Errors
    /// [`Busy`] when no place came free.
    pub async fn read_file(&self, name: &str, octets: bytes::Bytes) -> Result<Extraction, Busy> {
        let (shallow, unopened) = extract::attachment(name, octets, &self.limits);
        self.open_all(shallow, unopened).await
    }

    async fn shallow(&self, message: &Message) -> (Extraction, Vec<Unopened>) {
        if message.octets().len() <= ON_THE_SPOT_BYTES {
            return guarded_message(message, &self.limits);
        }
        let (message, limits) = (message.clone(), self.limits.clone());
        spawn_blocking(move || guarded_message(&message, &limits)).await.unwrap_or_else(|_| (failed("text"), Vec::new()))
    }

    async fn open_all(&self, shallow: Extraction, unopened: Vec<Unopened>) -> Result<Extraction, Busy> {
        let mut opened = Vec::with_capacity(unopened.len());
        for part in unopened {
            opened.push((part.at, self.open(part).await?));
        }
        Ok(extract::join(shallow, opened))
    }

    async fn open(&self, part: Unopened) -> Result<Extraction, Busy> {
        let place = timeout(PLACE_TIME, self.places.clone().acquire_owned()).await.map_err(|_| Busy)?.map_err(|_| Busy)?;
        let (limits, name) = (self.limits.clone(), part.part.clone());
        let reading = spawn_blocking(move || {
            let _place = place;
            open(&part, &limits)
        });
        Ok(match timeout(PART_TIME, reading).await {
            Ok(Ok(extraction)) => extraction,
            Ok(Err(_)) => failed(&name),
            Err(_) => problem(&name, ProblemKind::Timeout, "part-time"),
        })
    }
}

/// The one place where a complex format is opened.
fn open(part: &Unopened, limits: &Limits) -> Extraction {
    catch_unwind(AssertUnwindSafe(|| extract::file(part, limits))).unwrap_or_else(|_| failed(&part.part))
}

fn guarded_message(message: &Message, limits: &Limits) -> (Extraction, Vec<Unopened>) {
    catch_unwind(AssertUnwindSafe(|| extract::message(message, limits))).unwrap_or_else(|_| (failed("text"), Vec::new()))
}

fn failed(part: &str) -> Extraction {
    problem(part, ProblemKind::Damaged, "reader-failed")
}

fn problem(part: &str, kind: ProblemKind, reason: &'static str) -> Extraction {
    Extraction { problems: vec![Problem { part: part.to_owned(), place: None, kind, reason }], ..Extraction::default() }
}
