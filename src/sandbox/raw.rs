//! The only `unsafe` code of zegel: what a worker does that no safe interface offers.
#![allow(unsafe_code, reason = "each block says why it is sound")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicBool, Ordering},
};
#[cfg(target_os = "linux")]
use {
    bytes::Bytes,
    rustix::{
        fs::{SealFlags, fcntl_get_seals, fstat},
        mm::{MapFlags, ProtFlags, mmap, munmap},
    },
    std::{ffi::c_void, io, os::fd::OwnedFd, ptr},
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

/// From now on large pieces of memory go back to the system as soon as they are free. By itself the allocator of glibc keeps up to 64 MiB once
/// it has seen large ones, which come one after the other here: what a file unpacks to, its text, the next file.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(super) fn give_memory_back() {
    /// Octets of a piece that is the system's own, and of what may be free at the end of all others: a page fault for each 4 KiB costs little
    /// beside filling them.
    const LARGE: libc::c_int = 1 << 20;
    for parameter in [libc::M_MMAP_THRESHOLD, libc::M_TRIM_THRESHOLD] {
        // SAFETY: it changes two numbers of the allocator, under the allocator's own lock.
        unsafe { libc::mallopt(parameter, LARGE) };
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(super) fn give_memory_back() {}

/// A file in memory that nobody can change any more, as octets, without a copy.
///
/// # Errors
/// What the system says; and a file that can still be changed, or is shorter than `size`.
#[cfg(target_os = "linux")]
pub(super) fn mapped(file: &OwnedFd, size: usize) -> io::Result<Bytes> {
    let is_fixed = fcntl_get_seals(file)?.contains(SealFlags::WRITE | SealFlags::SHRINK);
    let is_long_enough = u64::try_from(fstat(file)?.st_size).is_ok_and(|length| length >= size as u64);
    if !is_fixed || !is_long_enough || size == 0 {
        return Err(io::ErrorKind::InvalidData.into());
    }
    // SAFETY: a new mapping at an address of the kernel's choice replaces none that anybody uses.
    let start = unsafe { mmap(ptr::null_mut(), size, ProtFlags::READ, MapFlags::PRIVATE | MapFlags::POPULATE, file, 0)? };
    Ok(Bytes::from_owner(Mapping { start, size }))
}

/// `size` octets at `start` that can be read and never change: see [`mapped`], which alone makes one.
#[cfg(target_os = "linux")]
struct Mapping {
    start: *mut c_void,
    size: usize,
}

// SAFETY: the memory is nobody's in particular, and is only read, until the one owner unmaps it.
#[cfg(target_os = "linux")]
unsafe impl Send for Mapping {}

#[cfg(target_os = "linux")]
impl AsRef<[u8]> for Mapping {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: `mmap` gave `size` readable octets at `start`, all of them within the file, which its seals keep from shrinking and from being
        // written to; they are there for as long as `self` is, since only `drop` unmaps them.
        unsafe { std::slice::from_raw_parts(self.start.cast(), self.size) }
    }
}

#[cfg(target_os = "linux")]
impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: exactly what `mmap` gave, once, and no slice of it outlives `self`.
        let _ = unsafe { munmap(self.start, self.size) };
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use rustix::fs::{MemfdFlags, fcntl_add_seals, memfd_create};

    #[test]
    fn only_a_file_that_cannot_change_is_mapped_and_no_octet_beyond_it() {
        let file = memfd_create("test", MemfdFlags::ALLOW_SEALING).unwrap();
        rustix::io::write(&file, b"octets").unwrap();
        assert!(mapped(&file, 6).is_err(), "it can be written to and cut");
        fcntl_add_seals(&file, SealFlags::WRITE).unwrap();
        assert!(mapped(&file, 6).is_err(), "it can be cut");
        fcntl_add_seals(&file, SealFlags::SHRINK).unwrap();
        assert!(mapped(&file, 7).is_err() && mapped(&file, 0).is_err());
        assert_eq!(mapped(&file, 4).unwrap(), "octe");
        let octets = mapped(&file, 6).unwrap();
        drop(file);
        assert_eq!(octets.slice(2..), "tets");
    }
}
