//! What reading leaves on the machine: processes, descriptors, memory.

use crate::{Readers, problems, said, until};
use std::{collections::BTreeSet, fs, path::PathBuf};
use zegel::sandbox::Busy;

/// Children of this process, with the letter of their state.
fn children() -> Vec<(i32, char)> {
    let us = std::process::id().to_string();
    let child = |entry: fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        (fields.next()? == us).then_some((pid, state))
    };
    fs::read_dir("/proc").unwrap().filter_map(|entry| child(entry.ok()?)).collect()
}

/// The workers that run.
pub fn workers() -> Vec<i32> {
    children().into_iter().filter(|(_, state)| *state != 'Z').map(|(pid, _)| pid).collect()
}

/// How many children of this process have this name (the 15 letters of it that the system keeps), and run.
pub fn named(name: &str) -> usize {
    let is_so = |pid: &i32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| name.starts_with(comm.trim()));
    workers().iter().filter(|pid| is_so(pid)).count()
}

/// Kills workers that have been computing for a while, as the system does that runs out of memory.
pub fn kill_busy_workers() {
    let ticks = |pid: &i32| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(11)?.parse::<u32>().ok()
    };
    workers().iter().filter(|pid| ticks(pid).is_some_and(|ticks| ticks >= 5)).for_each(|pid| kill(*pid));
}

/// Kills all workers, whatever they do.
pub fn kill_workers() {
    workers().into_iter().for_each(kill);
}

fn kill(pid: i32) {
    // It may be gone.
    let _ = rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL);
}

/// How much memory of ours something takes at most.
pub struct Peak {
    before: u64,
}

impl Peak {
    pub fn begin() -> Peak {
        // The peak so far is forgotten (proc(5), clear_refs).
        fs::write("/proc/self/clear_refs", "5").unwrap();
        Peak { before: Peak::so_far() }
    }

    /// In MiB; nothing, where the system's own count is rougher than that.
    pub fn end(&self) -> u64 {
        Peak::so_far().saturating_sub(self.before) >> 10
    }

    /// In KiB.
    fn so_far() -> u64 {
        most_of("self")
    }
}

/// What a process has held at most, in MiB.
pub fn peak_of(pid: i32) -> u64 {
    most_of(&pid.to_string()) >> 10
}

/// In KiB.
fn most_of(process: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

fn descriptors() -> BTreeSet<PathBuf> {
    fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| fs::read_link(entry.unwrap().path()).ok()).collect()
}

pub async fn nothing_is_left_behind() {
    until("workers of other tests are gone", || children().is_empty()).await;
    let before = descriptors().len();
    {
        let readers = Readers::new();
        readers.reader.start_ahead();
        for name in ["overflow", "panic", "nothing", "say", "who", "open"].repeat(3) {
            readers.read(name).await;
        }
        readers.read_octets("say", &vec![b'x'; 20 << 20]).await;
        until("the dead are buried, two live", || children().len() == 2 && workers().len() == 2).await;
        // A socket each, and no more.
        assert_eq!(descriptors().len(), before + 2, "{:?}", descriptors());
    }
    until("the workers end with their reader", || children().is_empty()).await;
    until("and their sockets", || descriptors().len() == before).await;
}

pub async fn without_workers_the_mail_waits() {
    for program in ["/nowhere/zegel", "/bin/true", "/bin/echo"] {
        let readers = Readers::with(|options| options.program = program.into());
        assert_eq!(readers.try_read("say", b"x").await.err(), Some(Busy), "{program}");
        assert_eq!(readers.counted("zegel_reader_failures_total{how=\"not started\"}"), 1);
    }
}

pub async fn a_worker_is_replaced_when_it_has_served() {
    let readers = Readers::with(|options| options.workers = 1);
    let mut who = BTreeSet::new();
    for number in 0..501 {
        who.insert(said(&readers.read_octets("who", format!("{number}").as_bytes()).await).concat());
    }
    assert_eq!(who.len(), 2);
}

pub async fn a_stop_signal_to_everybody_leaves_workers_to_their_work() {
    let readers = Readers::with(|options| options.workers = 1);
    let before = said(&readers.read("who").await).concat();
    for pid in workers() {
        for signal in [rustix::process::Signal::TERM, rustix::process::Signal::INT, rustix::process::Signal::HUP] {
            rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), signal).unwrap();
        }
    }
    assert_eq!(said(&readers.read_octets("who", b"still").await).concat(), before);
}

pub async fn many_parts_at_once_are_read_by_few() {
    let readers = Readers::new();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..100 {
        let reader = readers.reader.clone();
        tasks.spawn(async move { reader.read_file("say", format!("%PDF-1.7\nnumber {number}").into()).await.unwrap() });
    }
    let mut heard = BTreeSet::new();
    while let Some(extraction) = tasks.join_next().await {
        let extraction = extraction.unwrap();
        assert_eq!(problems(&extraction), []);
        heard.insert(said(&extraction).concat());
        assert!(workers().len() <= 2);
    }
    assert_eq!(heard.len(), 100);
}
