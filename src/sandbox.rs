//! Reads the complex formats of strangers out of the way of everything else.
//!
//! Today that is a thread with a time limit and a guard against panics, at most one per core. A thread cannot be killed: one that hangs keeps its
//! place until it ends, and when every place is taken mail that needs one is answered 451. The worker process that replaces it
//! (extraction.md, section 9) changes [`guarded`] only.

use crate::{
    extract::{self, Extraction, Limits, Problem, ProblemKind, Unopened},
    message::Message,
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};
use tokio::{
    sync::Semaphore,
    task::spawn_blocking,
    time::{Instant, timeout},
};

/// The longest a top-level part may take; the 99th percentile of real documents is a tenth of a second (extraction.md, section 9).
const PART_TIME: Duration = Duration::from_secs(10);

/// The longest all parts of a mail may take together, waiting for places not counted: leaves room for waiting and judging within the 60 s of an
/// inspection. What is left over then is a problem of the mail, which a policy judges; a mail that took longer would be answered 451 for ever.
const MAIL_TIME: Duration = Duration::from_secs(45);

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
    times: Times,
    read: Read,
}

/// How a part is read: [`extract::file`].
type Read = fn(&Unopened, &Limits) -> Extraction;

/// What reading may take.
#[derive(Clone, Copy, Debug)]
struct Times {
    part: Duration,
    mail: Duration,
}

impl Reader {
    /// A reader with one place per core.
    #[must_use]
    pub fn new(limits: Limits) -> Reader {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Reader {
            places: Arc::new(Semaphore::new(cores)),
            limits: Arc::new(limits),
            times: Times { part: PART_TIME, mail: MAIL_TIME },
            read: extract::file,
        }
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

    /// The texts that stand in a mail itself, and what must be unpacked.
    pub async fn shallow(&self, message: &Message) -> (Extraction, Vec<Unopened>) {
        if message.octets().len() <= ON_THE_SPOT_BYTES {
            return guarded_message(message, &self.limits);
        }
        let (message, limits) = (message.clone(), self.limits.clone());
        spawn_blocking(move || guarded_message(&message, &limits)).await.unwrap_or_else(|_| (failed("text"), Vec::new()))
    }

    /// The texts and problems of a mail, once what must be unpacked is.
    ///
    /// # Errors
    /// [`Busy`] when no place came free.
    pub async fn open_all(&self, shallow: Extraction, unopened: Vec<Unopened>) -> Result<Extraction, Busy> {
        let mut opened = Vec::with_capacity(unopened.len());
        let mut left = self.times.mail;
        // Each part is read by itself, but its text stays: only all parts together are bounded by what one mail may hold.
        let mut limits = Limits { text: self.limits.text.saturating_sub(shallow.text_octets()), ..(*self.limits).clone() };
        for part in unopened {
            let at = part.at;
            let (extraction, took) = self.open(part, left, limits.clone()).await?;
            left = left.saturating_sub(took);
            limits.text = limits.text.saturating_sub(extraction.text_octets());
            opened.push((at, extraction));
        }
        Ok(extract::join(shallow, opened))
    }

    /// What a part holds, and how long reading it took.
    async fn open(&self, part: Unopened, left: Duration, limits: Limits) -> Result<(Extraction, Duration), Busy> {
        if left.is_zero() {
            return Ok((problem(&part.part, ProblemKind::Timeout, "mail-time"), Duration::ZERO));
        }
        let place = timeout(PLACE_TIME, self.places.clone().acquire_owned()).await.map_err(|_| Busy)?.map_err(|_| Busy)?;
        let name = part.part.clone();
        let begun = Instant::now();
        let read = self.read;
        let reading = spawn_blocking(move || {
            let _place = place;
            guarded(&part, &limits, read)
        });
        let extraction = match timeout(self.times.part.min(left), reading).await {
            Ok(Ok(extraction)) => extraction,
            Ok(Err(_)) => failed(&name),
            Err(_) => problem(&name, ProblemKind::Timeout, if left < self.times.part { "mail-time" } else { "part-time" }),
        };
        Ok((extraction, begun.elapsed()))
    }
}

/// The one place where a complex format is opened.
fn guarded(part: &Unopened, limits: &Limits, read: Read) -> Extraction {
    catch_unwind(AssertUnwindSafe(|| read(part, limits))).unwrap_or_else(|_| failed(&part.part))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Places, Source, Text};
    use std::sync::{Condvar, Mutex};

    /// Readers hang here until the test has seen what it wanted.
    static GATE: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

    fn hang(_: &Unopened, _: &Limits) -> Extraction {
        let opened = GATE.0.lock().unwrap();
        drop(GATE.1.wait_while(opened, |open| !*open));
        Extraction::default()
    }

    #[tokio::test]
    async fn attachments_that_hang_are_a_problem_of_the_mail_and_not_a_451_for_ever() {
        let mut mail = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n".to_owned();
        for _ in 0..8 {
            mail += "--a\r\nContent-Type: application/pdf; name=x.pdf\r\nContent-Disposition: attachment\r\n\r\n%PDF-1.7\r\n";
        }
        mail += "--a--\r\n";
        let times = Times { part: Duration::from_millis(20), mail: Duration::from_millis(50) };
        let reader = Reader { read: hang, times, places: Arc::new(Semaphore::new(8)), ..Reader::new(Limits::default()) };
        let extraction = reader.read(&Message::new(mail.into_bytes().into())).await;
        *GATE.0.lock().unwrap() = true;
        GATE.1.notify_all();
        let reasons: Vec<_> = extraction.unwrap().problems.iter().map(|p| (p.kind, p.reason)).collect();
        assert_eq!(reasons.len(), 8, "every part is told");
        assert_eq!(reasons[0], (ProblemKind::Timeout, "part-time"));
        assert_eq!(reasons[7], (ProblemKind::Timeout, "mail-time"), "nothing was left for it");
    }

    /// As much text as it may.
    fn greedy(part: &Unopened, limits: &Limits) -> Extraction {
        let text = "x".repeat(limits.text.min(600));
        let text = Text { part: part.part.clone(), source: Source::Attachment, text, places: Places::None, spans: Vec::new() };
        Extraction { texts: vec![text], ..Extraction::default() }
    }

    #[tokio::test]
    async fn all_parts_together_hold_no_more_text_than_a_mail_may() {
        let mut mail = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n".to_owned();
        for _ in 0..8 {
            mail += "--a\r\nContent-Type: application/pdf; name=x.pdf\r\nContent-Disposition: attachment\r\n\r\n%PDF-1.7\r\n";
        }
        mail += "--a--\r\n";
        let reader = Reader { read: greedy, ..Reader::new(Limits { text: 1000, ..Limits::default() }) };
        let extraction = reader.read(&Message::new(mail.into_bytes().into())).await.unwrap();
        assert_eq!(extraction.text_octets(), 1000);
    }
}
