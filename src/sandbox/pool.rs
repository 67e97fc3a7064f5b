//! The workers: started ahead, used again, and buried.
//!
//! They are the children of one thread that lasts as long as the pool: Linux sends a child's death signal when the *thread* that started it ends.

use super::{
    Options,
    cache::Cache,
    cage::Lacks,
    frame::Answer,
    line::{End, Line, Parcel},
    worker::{GREETING, GREETING_OCTETS, WORD},
};
use crate::extract::{Limits, Unopened};
use std::{
    io::{self, Read as _},
    os::{
        fd::OwnedFd,
        unix::{net, process::CommandExt as _},
    },
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    time::{sleep, timeout},
};

/// The longest a process may take until it greets; it takes a millisecond.
const START_TIME: Duration = Duration::from_secs(10);

/// A worker is replaced after so many parts: whatever a reader leaves behind does not pile up.
const PARTS: u32 = 500;

/// A worker is replaced after so much CPU: well before the cage would end it in the middle of a part.
const CPU: Duration = Duration::from_secs(60);

/// A worker that keeps so much memory is replaced: one large file must not take it for good.
const MEMORY: u64 = 256 << 20;

/// How often a worker is looked at while it reads. Its CPU time is told in steps of 10 ms anyway.
const LOOK: Duration = Duration::from_millis(100);

/// A part that took less can't have made its worker grow by much: a worker of many such is looked at now and then only.
const SHORT: Duration = Duration::from_millis(20);

/// How often old texts are dropped from the cache when nothing else happens.
const ROUND: Duration = Duration::from_secs(30);

/// All workers.
#[derive(Debug)]
pub(super) struct Pool {
    places: Arc<Semaphore>,
    idle: Idle,
    orders: mpsc::Sender<Order>,
    count: usize,
    /// Whether there are to be workers before they are needed.
    is_ahead: AtomicBool,
}

/// Workers that wait for a part; the last that was used is the first to be used again, its memory still warm.
type Idle = Arc<Mutex<Vec<Worker>>>;

/// A worker, and the right to one.
#[derive(Debug)]
pub(super) struct Lease {
    pub(super) worker: Worker,
    pub(super) place: OwnedSemaphorePermit,
}

/// Why there is no worker.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unavailable {
    /// All of them are busy.
    #[error("all workers were busy for {} s", PLACE_TIME.as_secs())]
    Busy,
    /// None can be started.
    #[error("no worker can be started: {0}")]
    Start(io::Error),
}

/// The longest a part waits for a worker before its mail's sender is asked to come back: leaves room within the 60 s of an inspection.
const PLACE_TIME: Duration = Duration::from_secs(30);

impl Pool {
    /// A pool without workers as yet. The thread that starts them also sees to it that `cache` forgets in time.
    pub(super) fn new(options: &Options, cache: Weak<Cache>) -> Pool {
        let (orders, taken) = mpsc::channel();
        let (places, idle) = (Arc::new(Semaphore::new(options.workers)), Idle::default());
        let keeper = Keeper {
            program: options.program.clone().into(),
            orders: orders.clone(),
            places: places.clone(),
            idle: Arc::downgrade(&idle),
            cache,
            is_told: false,
        };
        if let Err(error) = thread::Builder::new().name("readers".to_owned()).spawn(move || keeper.keep(taken)) {
            tracing::error!("no thread to start workers from, so attachments can't be read: {error}");
        }
        Pool { places, idle, orders, count: options.workers, is_ahead: AtomicBool::new(false) }
    }

    /// Starts all workers, without waiting for them, and from now on a new one for each that ends.
    pub(super) fn start_ahead(&self) {
        self.is_ahead.store(true, Ordering::Relaxed);
        for _ in 0..self.count {
            self.replace();
        }
    }

    /// Has a worker started for one that is missing, without waiting for it.
    pub(super) fn replace(&self) {
        if self.is_ahead.load(Ordering::Relaxed) {
            // Without the thread there is nobody to start one; whoever needs one is told.
            let _ = self.orders.send(Order::StartAhead);
        }
    }

    /// A worker that waits, or a new one.
    pub(super) async fn take(&self) -> Result<Lease, Unavailable> {
        let place = timeout(PLACE_TIME, self.places.clone().acquire_owned()).await.map_err(|_| Unavailable::Busy)?;
        let place = place.map_err(|_| Unavailable::Busy)?;
        let idle = lock(&self.idle).pop();
        let worker = match idle {
            Some(worker) => worker,
            None => self.start().await?,
        };
        Ok(Lease { worker, place })
    }

    /// A new worker.
    pub(super) async fn start(&self) -> Result<Worker, Unavailable> {
        let (answer, started) = oneshot::channel();
        let no_thread = || Unavailable::Start(io::ErrorKind::BrokenPipe.into());
        self.orders.send(Order::Start(answer)).map_err(|_| no_thread())?;
        started.await.map_err(|_| no_thread())?.map_err(Unavailable::Start)
    }

    /// Takes a worker back that did what it was asked, `took` long; it is replaced when it has served its time.
    pub(super) fn give_back(&self, Lease { mut worker, place }: Lease, took: Duration) {
        worker.parts += 1;
        if worker.has_served(took) {
            drop((worker, place));
            self.replace();
            return;
        }
        let mut idle = lock(&self.idle);
        if is_wanted(&idle, &self.places, 1) {
            idle.push(worker);
        }
        // One that was to be replaced while this part was read may have been taken for the one that waited then.
        let is_missing = is_wanted(&idle, &self.places, 1);
        // Only now, or the next one would start another.
        drop((idle, place));
        if is_missing {
            self.replace();
        }
    }
}

/// Whether one more worker may wait: there are as many as there are free places, of which some are about to be `freed`.
fn is_wanted(idle: &[Worker], places: &Semaphore, freed: usize) -> bool {
    idle.len() < places.available_permits() + freed
}

/// Nothing in the pool's own code panics while it holds the lock, and if it did, a list of workers would still be one.
fn lock(idle: &Mutex<Vec<Worker>>) -> MutexGuard<'_, Vec<Worker>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the lasting thread, and with it all workers.
impl Drop for Pool {
    fn drop(&mut self) {
        lock(&self.idle).clear();
        let _ = self.orders.send(Order::End);
    }
}

/// What the lasting thread is asked.
#[derive(Debug)]
enum Order {
    Start(oneshot::Sender<io::Result<Worker>>),
    StartAhead,
    /// Ends a process, whatever it does, and tells how it ended: by itself, if it had.
    Bury(Child, Option<oneshot::Sender<ExitStatus>>),
    End,
}

/// The lasting thread: parent of all workers.
struct Keeper {
    program: Arc<Path>,
    orders: mpsc::Sender<Order>,
    places: Arc<Semaphore>,
    idle: Weak<Mutex<Vec<Worker>>>,
    cache: Weak<Cache>,
    /// What the cage lacks is told once.
    is_told: bool,
}

impl Keeper {
    /// Until the pool is gone, and all workers with it.
    fn keep(mut self, orders: mpsc::Receiver<Order>) {
        loop {
            match orders.recv_timeout(ROUND) {
                Ok(Order::Start(answer)) => {
                    // Who asked may be gone: then the worker goes as well.
                    let _ = answer.send(self.start());
                }
                Ok(Order::StartAhead) => self.start_ahead(),
                Ok(Order::Bury(child, told)) => bury(child, told),
                Ok(Order::End) => break,
                Err(_) => {}
            }
            if let Some(cache) = self.cache.upgrade() {
                cache.forget_what_is_old();
            }
        }
        // From here on only workers know the way to us.
        drop(self);
        for order in orders {
            if let Order::Bury(child, told) = order {
                bury(child, told);
            }
        }
    }

    fn start_ahead(&mut self) {
        let Some(idle) = self.idle.upgrade() else { return };
        if !is_wanted(&lock(&idle), &self.places, 0) {
            return;
        }
        match self.start() {
            Ok(worker) => {
                let mut idle = lock(&idle);
                // Somebody may have started one meanwhile, and brought it back.
                if is_wanted(&idle, &self.places, 0) {
                    idle.push(worker);
                }
            }
            Err(error) => tracing::error!("no worker can be started, so mail with attachments stays with its senders: {error}"),
        }
    }

    /// Starts a worker, and waits until it greets.
    fn start(&mut self) -> io::Result<Worker> {
        let (mut ours, theirs) = net::UnixStream::pair()?;
        let child = Command::new(&*self.program)
            .arg0("zegel-reader")
            .arg(WORD)
            .env_clear()
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What a terminal sends to those in its foreground is not for workers.
            .process_group(0)
            .spawn()?;
        ours.set_read_timeout(Some(START_TIME))?;
        let mut greeting = [0; GREETING_OCTETS];
        let greeted = ours.read_exact(&mut greeting).and_then(|()| ours.set_nonblocking(true));
        let worker = Worker { child: Some(child), line: Line::new(ours), parts: 0, orders: self.orders.clone() };
        match (greeted, greeting) {
            (Ok(()), [GREETING, lacks]) => {
                self.tell(Lacks::from_octet(lacks));
                Ok(worker)
            }
            (Err(error), _) => Err(error),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn tell(&mut self, lacks: Lacks) {
        let missing = lacks.names();
        if !missing.is_empty() && !std::mem::replace(&mut self.is_told, true) {
            tracing::warn!("attachments are read in workers that this system confines less than it could: no {}", missing.join(", no "));
        }
    }
}

/// A process that is over, or has closed its socket, keeps the status with which it ended: the signal comes too late to change it.
fn bury(mut child: Child, told: Option<oneshot::Sender<ExitStatus>>) {
    let _ = child.kill();
    if let (Ok(status), Some(told)) = (child.wait(), told) {
        let _ = told.send(status);
    }
}

/// A process that reads one part at a time. It ends when this goes.
#[derive(Debug)]
pub(super) struct Worker {
    /// There until it is buried.
    child: Option<Child>,
    line: Line,
    parts: u32,
    orders: mpsc::Sender<Order>,
}

impl Worker {
    /// Has it read a part, for at most so long by the clock and by its own CPU time; what it tells is in `answer`, whatever the end.
    pub(super) async fn read(
        &mut self,
        (part, parcel): (&Unopened, &Parcel),
        limits: &Limits,
        (clock, cpu): (Duration, Duration),
        answer: &mut Answer,
    ) -> End {
        let id = self.child.as_ref().map_or(0, Child::id);
        tokio::select! {
            biased;
            talked = self.line.talk(part, parcel, limits, answer) => match talked {
                Ok(end) => end,
                Err(_) => End::Gone,
            },
            () = overworked(id, cpu) => End::Late,
            () = sleep(clock) => End::Late,
        }
    }

    /// Ends it, and tells how it had ended, if by itself.
    pub(super) async fn bury(mut self) -> Option<ExitStatus> {
        let (told, status) = oneshot::channel();
        self.orders.send(Order::Bury(self.child.take()?, Some(told))).ok()?;
        status.await.ok()
    }

    /// Whether it is to be replaced, after a part that took so long.
    fn has_served(&self, took: Duration) -> bool {
        if self.parts >= PARTS {
            return true;
        }
        if took < SHORT && !self.parts.is_multiple_of(16) {
            return false;
        }
        self.child.as_ref().and_then(|child| Usage::of(child.id())).is_some_and(|usage| usage.cpu >= CPU || usage.memory >= MEMORY)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(child) = self.child.take()
            && let Err(mpsc::SendError(Order::Bury(child, told))) = self.orders.send(Order::Bury(child, None))
        {
            bury(child, told);
        }
    }
}

/// Until a process has used so much more CPU time than at the first look at it.
async fn overworked(id: u32, most: Duration) {
    let mut before = None;
    loop {
        sleep(LOOK).await;
        // Where it can't be seen the clock alone decides.
        let Some(usage) = Usage::of(id) else { continue };
        if usage.cpu.saturating_sub(*before.get_or_insert(usage.cpu)) >= most {
            return;
        }
    }
}

/// What a process has used, as proc(5) tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Usage {
    cpu: Duration,
    /// Octets of memory that are its at the moment.
    memory: u64,
}

impl Usage {
    fn of(id: u32) -> Option<Usage> {
        Usage::parse(&std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
    }

    fn parse(stat: &str) -> Option<Usage> {
        // The second field is the program's name, in parentheses, and may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        // Field 3 is the first of them.
        let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
        let ticks = number(14)? + number(15)?;
        let cpu = Duration::from_millis(ticks.saturating_mul(1000) / rustix::param::clock_ticks_per_second().max(1));
        Some(Usage { cpu, memory: number(24)?.saturating_mul(rustix::param::page_size() as u64) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_has_used_is_read_behind_its_name() {
        let stat = format!("7 (a) b 1 2) S 1 7 7 0 -1 4194560 107 0 0 0 150 50 0 0 20 0 1 0 100 8192000 {} 18446744073709551615 1 1", 3);
        let usage = Usage::parse(&stat).unwrap();
        assert_eq!(usage.cpu, Duration::from_millis(200 * 1000 / rustix::param::clock_ticks_per_second()));
        assert_eq!(usage.memory, 3 * rustix::param::page_size() as u64);
        assert!(Usage::of(std::process::id()).is_some_and(|usage| usage.memory > 0));
    }
}
