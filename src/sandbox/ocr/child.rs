//! The process that becomes tesseract. Like a worker it is zegel's own program, started again; it locks itself in, and then runs the other one.

use super::cage;
use crate::sandbox::{raw, worker};
use std::{ffi::OsString, os::unix::process::CommandExt as _, path::Path, process::Command};

/// The first argument of such a process; the program follows, and what that is told.
pub(super) const WORD: &str = "--run-tesseract-on-standard-input";

/// Exit status of one whose cage has a gap. `EX_OSERR` of sysexits.h.
pub(super) const NO_CAGE: i32 = 71;

/// Exit status of one that can't run the program. `EX_OSFILE` of sysexits.h.
pub(super) const NO_PROGRAM: i32 = 72;

/// Becomes the program, and does not come back, if that is what this process was started for.
pub(in crate::sandbox) fn become_it_if_told() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_some_and(|first| first == WORD)
        && let Some(program) = arguments.next()
    {
        become_it(&program, arguments.collect())
    }
}

fn become_it(program: &OsString, arguments: Vec<OsString>) -> ! {
    // A worker does without what the kernel lacks, since it can still open no file. This one can, so its cage is whole, or there is none to look.
    let is_closed = worker::close_all_others() && worker::die_with_parent();
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    let is_there = std::env::set_current_dir("/").is_ok();
    if !is_closed || !is_there || !cage::lock_around(Path::new(program)) {
        raw::end(NO_CAGE);
    }
    // One thread: a picture has one core, and no more processes or threads can be made anyway.
    let error = Command::new(program).args(arguments).env_clear().env("OMP_THREAD_LIMIT", "1").exec();
    drop(error);
    raw::end(NO_PROGRAM)
}
