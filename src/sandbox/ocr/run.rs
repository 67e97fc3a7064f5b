//! One run of tesseract: a picture in, what it says out, and an end to it whatever it does.

use super::child::{NO_CAGE, NO_PROGRAM, WORD};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::process::{CommandExt as _, ExitStatusExt as _},
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    thread::sleep,
    time::{Duration, Instant},
};

/// Octets of what one picture says: 4 MiB. A dense page of A4 has a hundred thousand, a line a word.
const SAID: usize = 4 << 20;

/// How often somebody looks whether the time is over.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// How long a process that has closed its output gets to end by itself, and a look at it.
const ENDING: (u32, Duration) = (100, Duration::from_millis(10));

/// What is run.
pub(super) struct Run<'a> {
    /// A program that begins with [`super::super::work_if_told`].
    pub(super) reader: &'a Path,
    pub(super) program: &'a Path,
    pub(super) arguments: &'a [&'a str],
    pub(super) input: &'a [u8],
    pub(super) until: Instant,
}

/// How it ended.
#[derive(Debug)]
pub(super) enum Ended {
    Well,
    Late,
    /// It said more than anybody reads.
    TooMuch,
    /// By itself, but not well.
    Badly(ExitStatus),
    /// It never began.
    NotStarted(io::Error),
}

impl Ended {
    /// In words, unless it ended well.
    pub(super) fn how(&self) -> Option<String> {
        match self {
            Ended::Well => None,
            Ended::Late => Some("took too long".to_owned()),
            Ended::TooMuch => Some("says more than a picture can hold".to_owned()),
            Ended::NotStarted(error) => Some(format!("can't be started: {error}")),
            Ended::Badly(status) => Some(match (status.code(), status.signal()) {
                (Some(NO_CAGE), _) => "is not run, since it can't be confined".to_owned(),
                (Some(NO_PROGRAM), _) => "can't be run".to_owned(),
                (Some(code), _) => format!("ended with status {code}"),
                (None, signal) => format!("ended by signal {}", signal.unwrap_or_default()),
            }),
        }
    }
}

/// Runs it, and gives what it said, whatever its end. Waits; gives up when `abandoned`.
///
/// The thread that calls this is the process's parent, with which it would be killed: it stays here until that is over.
pub(super) fn run(run: &Run<'_>, abandoned: &AtomicBool) -> (Vec<u8>, Ended) {
    let mut said = Vec::new();
    let mut child = match start(run) {
        Ok(child) => child,
        Err(error) => return (said, Ended::NotStarted(error)),
    };
    let heard = hear(&mut child, &mut said, run.until, abandoned);
    let ended = match heard {
        Ok(Ended::Well) => ending(&mut child),
        Ok(ended) => ended,
        Err(error) => Ended::NotStarted(error),
    };
    // Nothing of it is left, and nobody's but our own child can have this id until it is waited for.
    let _ = child.kill();
    let _ = child.wait();
    (said, ended)
}

fn start(run: &Run<'_>) -> io::Result<Child> {
    Command::new(run.reader)
        .arg0("zegel-pictures")
        .arg(WORD)
        .arg(run.program)
        .args(run.arguments)
        .env_clear()
        .stdin(file_of(run.input)?)
        .stdout(Stdio::piped())
        // It may quote what it reads: nobody hears that.
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}

/// A file in memory: no picture touches a disk, and nobody need carry it while we listen.
#[cfg(target_os = "linux")]
fn file_of(octets: &[u8]) -> io::Result<File> {
    use std::io::{Seek as _, Write as _};
    let mut file = File::from(rustix::fs::memfd_create("picture", rustix::fs::MemfdFlags::CLOEXEC)?);
    file.write_all(octets)?;
    file.rewind()?;
    Ok(file)
}

#[cfg(not(target_os = "linux"))]
fn file_of(_: &[u8]) -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Until it says no more.
fn hear(child: &mut Child, said: &mut Vec<u8>, until: Instant, abandoned: &AtomicBool) -> io::Result<Ended> {
    let mut output = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let mut block = [0; 16 << 10];
    loop {
        if abandoned.load(Ordering::Relaxed) || Instant::now() >= until {
            return Ok(Ended::Late);
        }
        let looked = &mut [PollFd::new(&output, PollFlags::IN)];
        if poll(looked, Some(&LOOK))? == 0 {
            continue;
        }
        let count = output.read(&mut block)?;
        if count == 0 {
            return Ok(Ended::Well);
        }
        if said.len() + count > SAID {
            return Ok(Ended::TooMuch);
        }
        said.extend_from_slice(&block[..count]);
    }
}

fn ending(child: &mut Child) -> Ended {
    for _ in 0..ENDING.0 {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ended::Well,
            Ok(Some(status)) if status.signal() == Some(rustix::process::Signal::XCPU.as_raw()) => return Ended::Late,
            Ok(Some(status)) => return Ended::Badly(status),
            Ok(None) => sleep(ENDING.1),
            Err(error) => return Ended::NotStarted(error),
        }
    }
    Ended::Late
}
