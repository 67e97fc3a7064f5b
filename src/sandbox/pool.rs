//! The workers: started ahead, used again, and buried.
//!
//! They are the children of one thread that lasts as long as the pool: Linux sends a child's death signal when the *thread* that started it ends.

use super::{
    Options,
    cache::Cache,
    cage::Lacks,
    frame::{self, Answer, Ended, HEADER, Header, Refused, Way},
    worker::{GREETING, GREETING_OCTETS, WORD},
};
use crate::extract::{Limits, Unopened};
use bytes::{Buf, Bytes};
use std::{
    fs::File,
    io::{self, IoSlice, Read as _, Write as _},
    mem::MaybeUninit,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::{net, process::CommandExt as _},
    },
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, mpsc},
    thread,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader, Interest},
    net::UnixStream,
    sync::{OwnedSemaphorePermit, Semaphore, oneshot},
    task::spawn_blocking,
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

/// Parts larger than this come as a file, which the worker maps: it needs no second copy, and nobody need carry it block by block.
const INLINE: usize = 16 << 20;

/// Frames larger than this are decoded off the async threads: a millisecond and more.
const LARGE: usize = 512 << 10;

/// What a worker's answer is read into: an answer to a short part comes in one call.
const BLOCK: usize = 64 << 10;

/// How often old texts are dropped from the cache when nothing else happens.
const ROUND: Duration = Duration::from_secs(30);

/// All workers.
#[derive(Debug)]
pub(super) struct Pool {
    places: Arc<Semaphore>,
    idle: Idle,
    orders: mpsc::Sender<Order>,
    count: usize,
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
        Pool { places, idle, orders, count: options.workers }
    }

    /// Starts all workers, without waiting for them.
    pub(super) fn start_ahead(&self) {
        for _ in 0..self.count {
            self.replace();
        }
    }

    /// Starts a worker, without waiting for it.
    pub(super) fn replace(&self) {
        // Without the thread there is nobody to start one; whoever needs one is told.
        let _ = self.orders.send(Order::StartAhead);
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
        // Only now, or the next one would start another.
        drop(idle);
        drop(place);
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
        let worker = Worker { child: Some(child), line: Line::New(Some(ours)), parts: 0, orders: self.orders.clone() };
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

/// The socket: it joins the async world when it is first used there, and stays.
#[derive(Debug)]
enum Line {
    New(Option<net::UnixStream>),
    Open(BufReader<UnixStream>),
}

/// How a conversation ended.
#[derive(Debug)]
pub(super) enum End {
    /// The worker said that it is done.
    Done(Ended),
    /// What it said is not taken.
    Refused(Refused),
    /// The time was over.
    Late,
    /// It hung up.
    Gone,
}

impl Worker {
    /// Has it read a part, for at most so long by the clock and by its own CPU time; what it tells is in `answer`, whatever the end.
    pub(super) async fn read(&mut self, part: &Unopened, limits: &Limits, (clock, cpu): (Duration, Duration), answer: &mut Answer) -> End {
        let id = self.child.as_ref().map_or(0, Child::id);
        tokio::select! {
            biased;
            talked = self.line.talk(part, limits, answer) => match talked {
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

impl Line {
    async fn talk(&mut self, part: &Unopened, limits: &Limits, answer: &mut Answer) -> io::Result<End> {
        let line = self.open()?;
        if part.octets.len() <= INLINE || cfg!(not(target_os = "linux")) {
            let head = frame::request(part, limits, Way::Inline);
            line.write_all_buf(&mut Buf::chain(&*head, &*part.octets)).await?;
        } else {
            let file = as_file(part.octets.clone()).await?;
            send_with(line.get_mut(), &frame::request(part, limits, Way::Descriptor), &file).await?;
        }
        loop {
            let mut header = [0; HEADER];
            line.read_exact(&mut header).await?;
            let header = match answer.header(header) {
                Ok(header) => header,
                Err(refused) => return Ok(End::Refused(refused)),
            };
            // It grows as octets come in, not as they are announced.
            let mut body = Vec::with_capacity(header.body.min(BLOCK));
            line.take(header.body as u64).read_to_end(&mut body).await?;
            match taken(answer, header, body).await {
                Ok(None) => {}
                // Nothing stands behind it: it would pass for the answer about the next part.
                Ok(Some(_)) if !line.buffer().is_empty() => return Ok(End::Refused(Refused::Malformed)),
                Ok(Some(ended)) => return Ok(End::Done(ended)),
                Err(refused) => return Ok(End::Refused(refused)),
            }
        }
    }

    fn open(&mut self) -> io::Result<&mut BufReader<UnixStream>> {
        if let Line::New(socket) = self {
            let socket = socket.take().ok_or(io::ErrorKind::NotConnected)?;
            *self = Line::Open(BufReader::with_capacity(BLOCK, UnixStream::from_std(socket)?));
        }
        match self {
            Line::Open(line) => Ok(line),
            Line::New(_) => Err(io::ErrorKind::NotConnected.into()),
        }
    }
}

/// Takes a frame into the answer; a large one on another thread.
async fn taken(answer: &mut Answer, header: Header, body: Vec<u8>) -> Result<Option<Ended>, Refused> {
    if body.len() <= LARGE {
        return answer.frame(header, body);
    }
    let mut moved = std::mem::take(answer);
    let took = spawn_blocking(move || {
        let took = moved.frame(header, body);
        (moved, took)
    });
    let (moved, took) = took.await.map_err(|_| Refused::Malformed)?;
    *answer = moved;
    took
}

#[cfg(not(target_os = "linux"))]
async fn as_file(_: Bytes) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The octets as a file in memory, which nobody can change any more.
#[cfg(target_os = "linux")]
async fn as_file(octets: Bytes) -> io::Result<File> {
    use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
    let filled = spawn_blocking(move || {
        let mut file = File::from(memfd_create("part", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?);
        file.write_all(&octets)?;
        fcntl_add_seals(&file, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
        Ok(file)
    });
    filled.await?
}

/// Sends `head`, and with its first octets a descriptor (unix(7), SCM_RIGHTS).
async fn send_with(socket: &mut UnixStream, head: &[u8], file: &File) -> io::Result<()> {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    let sent = socket.async_io(Interest::WRITABLE, || {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        let descriptors = [file.as_fd()];
        control.push(SendAncillaryMessage::ScmRights(&descriptors));
        Ok(sendmsg(&*socket, &[IoSlice::new(head)], &mut control, SendFlags::NOSIGNAL)?)
    });
    let sent = sent.await?;
    socket.write_all(&head[sent..]).await
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
