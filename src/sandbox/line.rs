//! The way to a worker and back: a part goes, what was read of it comes.

use super::frame::{self, Answer, Ended, HEADER, Header, Refused, Way};
use crate::extract::{Limits, Unopened};
use bytes::{Buf, Bytes};
use std::{
    fs::File,
    io::{self, IoSlice, Write as _},
    mem::MaybeUninit,
    os::{fd::AsFd as _, unix::net},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, BufReader, Interest},
    net::UnixStream,
    task::spawn_blocking,
};

/// Parts larger than this come as a file, which the worker maps: it needs no second copy, and nobody need carry it block by block.
const INLINE: usize = 16 << 20;

/// Frames larger than this are decoded off the async threads: a millisecond and more.
const LARGE: usize = 512 << 10;

/// What a worker's answer is read into: an answer to a short part comes in one call.
const BLOCK: usize = 64 << 10;

/// A part on its way: more than one worker may have to read it.
#[derive(Debug)]
pub(super) enum Parcel {
    Inline(Bytes),
    /// Its octets, which nobody else needs any more, and how many there are.
    File(File, usize),
}

impl Parcel {
    pub(super) async fn of(octets: Bytes) -> Parcel {
        if octets.len() <= INLINE {
            return Parcel::Inline(octets);
        }
        match as_file(octets.clone()).await {
            Ok(file) => Parcel::File(file, octets.len()),
            Err(_) => Parcel::Inline(octets),
        }
    }
}

/// The socket: it joins the async world when it is first used there, and stays.
#[derive(Debug)]
pub(super) enum Line {
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

impl Line {
    pub(super) fn new(socket: net::UnixStream) -> Line {
        Line::New(Some(socket))
    }

    /// Asks for a part to be read, whose octets are in `parcel`, and takes what is told into `answer`.
    pub(super) async fn talk(&mut self, part: &Unopened, parcel: &Parcel, limits: &Limits, answer: &mut Answer) -> io::Result<End> {
        let line = self.open()?;
        match parcel {
            Parcel::Inline(octets) => {
                let head = frame::request(part, octets.len(), limits, Way::Inline);
                line.write_all_buf(&mut Buf::chain(&*head, &**octets)).await?;
            }
            Parcel::File(file, size) => send_with(line.get_mut(), &frame::request(part, *size, limits, Way::Descriptor), file).await?,
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
            if body.len() < header.body {
                // It ended in the middle of a word; how it did says more.
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
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

/// Takes a frame into the answer; a large one on another thread. Should the time be over just then, what was read is lost, as it is by a crash.
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
