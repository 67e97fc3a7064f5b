//! The only `unsafe` code of zegel: what a worker does to itself that no safe interface offers.
#![allow(unsafe_code, reason = "each block says why it is sound")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicBool, Ordering},
};

/// Exit status of a worker that was refused memory. `EX_SOFTWARE` of sysexits.h: none that Rust or a shell uses by itself.
pub(super) const NO_MEMORY: i32 = 70;

/// Whether a refused allocation ends the process: so it is in a worker, from [`end_when_memory_is_refused`] on.
static ENDS: AtomicBool = AtomicBool::new(false);

/// The system's allocator, which knows how to die quietly. Where memory is refused, Rust would abort, and an abort looks like a bug of a reader;
/// here it is a file that is too large.
struct Allocator;

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

// SAFETY: every call goes to `System` as it came, and its answer goes back as it is, so `System`'s own promises hold. `granted` looks at the pointer's
// value only, allocates nothing and does not unwind: it returns, or the process is over.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        granted(unsafe { System.alloc(layout) })
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        granted(unsafe { System.alloc_zeroed(layout) })
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        granted(unsafe { System.realloc(pointer, layout, size) })
    }
}

fn granted(pointer: *mut u8) -> *mut u8 {
    if pointer.is_null() && ENDS.load(Ordering::Relaxed) {
        end(NO_MEMORY);
    }
    pointer
}

/// From now on a refused allocation ends the process with [`NO_MEMORY`].
pub(super) fn end_when_memory_is_refused() {
    ENDS.store(true, Ordering::Relaxed);
}

/// Ends the process at once: no destructors, nothing flushed.
pub(super) fn end(status: i32) -> ! {
    // SAFETY: `_exit` may be called at any moment, from anywhere (POSIX: async-signal-safe), and does not return.
    unsafe { libc::_exit(status) }
}

/// Closes every file descriptor but the three standard ones. Tells whether the kernel could (Linux 5.9).
///
/// To be called as the first thing of a process, while nothing in it owns a descriptor.
#[cfg(target_os = "linux")]
pub(super) fn close_all_others() -> bool {
    // SAFETY: the call touches no memory of ours. It closes descriptors behind nobody's back: nothing of this process has opened any yet.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) == 0 }
}

/// Lets the signals that end a whole service or a terminal's foreground pass by: zegel ends its workers itself, and may still need them.
pub(super) fn outlive_stop_signals() {
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP] {
        // SAFETY: `SIG_IGN` is a valid disposition of each of these signals; no handler of ours is ever run.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}
