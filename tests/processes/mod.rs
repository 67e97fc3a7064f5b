//! Waiting for processes that are no children of ours, or that others bury: two test binaries do.

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, PidfdFlags, pidfd_open},
};

/// Waits until a process has ended, however that was; its parent need not have buried it. The kernel tells: nothing is asked again and again.
pub async fn ended(pid: i32) {
    // Two minutes are for a test that would wait for ever.
    const PATIENCE: Timespec = Timespec { tv_sec: 120, tv_nsec: 0 };
    // None of that number is left: it has ended, and was buried.
    let Ok(process) = pidfd_open(Pid::from_raw(pid).unwrap(), PidfdFlags::empty()) else { return };
    let wait = move || poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&PATIENCE));
    assert_eq!(tokio::task::spawn_blocking(wait).await.unwrap(), Ok(1), "process {pid} does not end");
}
