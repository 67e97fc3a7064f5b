//! The worker: a process that reads one part after another, and can do nothing else.
//!
//! It is zegel's own program, started again with [`WORD`], and comes here before configuration, logging and threads.

use super::{
    cage::{self, Lacks},
    frame::{self, Ended, Request, Way},
    ocr::child,
    raw,
};
use crate::extract::{Limits, Piece, Taker, Text, Unopened};
use bytes::Bytes;
use rustix::{
    cmsg_space,
    net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg},
};
use std::{
    io::{self, IoSliceMut, Read as _, Write as _},
    mem::MaybeUninit,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::net::UnixStream,
    },
    panic::{AssertUnwindSafe, catch_unwind, set_hook},
    time::{Duration, Instant},
};

/// The only argument of a worker; of no use to anybody but zegel itself.
pub(super) const WORD: &str = "--read-what-comes-on-standard-input";

/// What a worker says first, with what its cage lacks behind it.
pub(super) const GREETING: u8 = b'Z';

/// Octets of the greeting.
pub(super) const GREETING_OCTETS: usize = 2;

/// Read and written at once: a short part comes in one call, and its answer leaves in one.
const BLOCK: usize = 64 << 10;

/// How long something that was read may wait for more of it before it is told: it is what remains when the worker is killed.
const UNTOLD: Duration = Duration::from_millis(1);

/// How a part is read, handing on each text and problem as it arises: [`crate::extract::file_to`].
pub type Read = fn(&Unopened, &Limits, Taker<'_>);

/// Becomes a worker, and does not come back, if that is what this process was started for: the first thing that a program does which serves as
/// [`super::Options::program`].
///
/// The same for a process that is to run tesseract (`ocr/child.rs`).
pub fn work_if_told(read: Read) {
    child::become_it_if_told();
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == WORD) && arguments.next().is_none() {
        work(read);
    }
}

fn work(read: Read) -> ! {
    // Before anything is opened, so that all that is open was inherited.
    let mut lacks = Lacks::default().and(Lacks::CLOSING, close_all_others());
    raw::outlive_stop_signals();
    // What a panic says may quote a file.
    set_hook(Box::new(|_| {}));
    lacks = lacks.and(Lacks::DEATH_SIGNAL, die_with_parent());
    // If memory runs out, the system takes a worker, not zegel (proc(5)). It may always be told so; where it can't be, it may take whom it wants.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    // Where it was started may be a file system that somebody wants to unmount.
    let _ = std::env::set_current_dir("/");
    let Ok(socket) = io::stdin().as_fd().try_clone_to_owned() else { raw::end(1) };
    raw::end_when_memory_is_refused();
    raw::give_memory_back();
    let lacks = cage::lock(lacks);
    let mut conversation = Conversation { socket: socket.into(), read, block: vec![0; BLOCK], told: Told::default() };
    // It ends when zegel hangs up, or is gone.
    raw::end(i32::from(conversation.hold(lacks).is_err()))
}

/// Closes all that was inherited but the standard descriptors.
#[cfg(target_os = "linux")]
pub(super) fn close_all_others() -> bool {
    raw::close_all_others()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn close_all_others() -> bool {
    false
}

/// When zegel is killed, its workers are. Where the kernel can't, they find their socket closed, once they are done with their part.
#[cfg(target_os = "linux")]
pub(super) fn die_with_parent() -> bool {
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL)).is_ok()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn die_with_parent() -> bool {
    false
}

struct Conversation {
    socket: UnixStream,
    read: Read,
    /// The first octets of a request.
    block: Vec<u8>,
    told: Told,
}

impl Conversation {
    fn hold(&mut self, lacks: Lacks) -> io::Result<()> {
        self.socket.write_all(&[GREETING, lacks.to_octet()])?;
        while let Some(request) = self.request()? {
            self.answer(&request)?;
        }
        Ok(())
    }

    /// The next request with its octets; `None` when there will be none.
    fn request(&mut self) -> io::Result<Option<Request>> {
        let mut space = [MaybeUninit::uninit(); cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let block = &mut [IoSliceMut::new(&mut self.block)];
        let received = recvmsg(&self.socket, block, &mut control, RecvFlags::CMSG_CLOEXEC)?;
        if received.bytes == 0 {
            return Ok(None);
        }
        let descriptor = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        let mut had = &self.block[..received.bytes];
        let length = self.take(&mut had, 4)?;
        let length = length.try_into().map(u32::from_le_bytes).map_err(|_| io::ErrorKind::InvalidData)?;
        let head = self.take(&mut had, length as usize)?;
        let mut request = frame::parse_request(&head).ok_or(io::ErrorKind::InvalidData)?;
        request.part.octets = match request.way {
            Way::Inline => self.take(&mut had, request.size)?.into(),
            Way::Descriptor => octets_of(&descriptor.ok_or(io::ErrorKind::InvalidData)?, request.size)?,
        };
        Ok(Some(request))
    }

    /// The next `count` octets: what is `had` already, and the rest from the socket.
    fn take(&self, had: &mut &[u8], count: usize) -> io::Result<Vec<u8>> {
        let mut taken = vec![0; count];
        let (here, rest) = had.split_at(count.min(had.len()));
        taken[..here.len()].copy_from_slice(here);
        (&self.socket).read_exact(&mut taken[here.len()..])?;
        *had = rest;
        Ok(taken)
    }

    fn answer(&mut self, request: &Request) -> io::Result<()> {
        let (socket, told) = (&self.socket, &mut self.told);
        told.last = None;
        let reading = catch_unwind(AssertUnwindSafe(|| {
            (self.read)(&request.part, &request.limits, &mut |piece| told.tell(piece, socket));
        }));
        frame::put_done(&mut self.told.waiting, if reading.is_ok() { Ended::Well } else { Ended::Panicked });
        self.told.send(&self.socket)
    }
}

#[cfg(target_os = "linux")]
fn octets_of(descriptor: &OwnedFd, size: usize) -> io::Result<Bytes> {
    raw::mapped(descriptor, size)
}

/// Elsewhere parts come behind their heads.
#[cfg(not(target_os = "linux"))]
fn octets_of(_: &OwnedFd, _: usize) -> io::Result<Bytes> {
    Err(io::ErrorKind::Unsupported.into())
}

/// What was read, on its way.
struct Told {
    waiting: Vec<u8>,
    /// When something was told last; nothing yet of this part.
    last: Option<Instant>,
}

impl Default for Told {
    fn default() -> Told {
        Told { waiting: Vec::with_capacity(BLOCK), last: None }
    }
}

impl Told {
    fn tell(&mut self, piece: Piece, socket: &UnixStream) {
        let is_told = match piece {
            Piece::Text(text) if text.text.len() >= BLOCK => self.tell_long(&text, socket),
            piece => {
                frame::put(&mut self.waiting, piece);
                let is_due = self.waiting.len() >= BLOCK || self.last.is_none_or(|last| last.elapsed() >= UNTOLD);
                if is_due { self.send(socket) } else { Ok(()) }
            }
        };
        if is_told.is_err() {
            // Nobody listens any more.
            raw::end(1);
        }
    }

    /// A text of many MiB is held once.
    fn tell_long(&mut self, text: &Text, mut socket: &UnixStream) -> io::Result<()> {
        let (header, beside) = frame::around(text);
        self.waiting.extend(header);
        self.send(socket)?;
        socket.write_all(text.text.as_bytes())?;
        self.waiting.extend(beside);
        self.send(socket)
    }

    fn send(&mut self, mut socket: &UnixStream) -> io::Result<()> {
        socket.write_all(&self.waiting)?;
        self.waiting.clear();
        self.waiting.shrink_to(BLOCK);
        self.last = Some(Instant::now());
        Ok(())
    }
}
