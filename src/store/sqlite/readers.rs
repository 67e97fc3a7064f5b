//! The threads that read.
//!
//! Of those that have nothing to do the last one that had is asked first: one that is warm, in the processor's caches and SQLite's, answers most
//! requests, and each request wakes one thread. With one queue that all waited at, it went round, and each request woke two.

use super::{Answer, QUEUE, connect_reader, get, list, unavailable};
use crate::record::{Key, KeyRange, Record};
use rusqlite::Connection;
use std::{
    collections::VecDeque,
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle, Thread},
};

/// More readers than this only wait for the same two disks and cores.
const READERS: usize = 4;

/// What is asked.
pub(super) enum Read {
    Get(Key, Answer<Option<Record>>),
    List(KeyRange, usize, Answer<Vec<(Key, Record)>>),
}

/// The desk at which readers are asked.
#[derive(Clone, Default)]
pub(super) struct Desk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    waiting: VecDeque<Read>,
    /// The last one went idle last.
    idle: Vec<Thread>,
    /// How many threads live.
    readers: usize,
    /// Nothing more is asked.
    closed: bool,
}

impl Desk {
    /// Starts the readers of the database at `path`.
    pub(super) fn start(path: &Path) -> io::Result<(Desk, Vec<JoinHandle<()>>)> {
        let desk = Desk::default();
        let threads = (0..READERS).map(|number| desk.employ(number, path)).collect::<io::Result<_>>();
        // Those that have started must not wait for ever.
        let threads = threads.inspect_err(|_| desk.close())?;
        Ok((desk, threads))
    }

    fn employ(&self, number: usize, path: &Path) -> io::Result<JoinHandle<()>> {
        let connection = connect_reader(path).map_err(io::Error::other)?;
        let place = Place::at(self);
        thread::Builder::new().name(format!("store-read-{number}")).spawn(move || place.0.serve(&connection))
    }

    /// Has `request` answered; refused, with the reason, where too many wait or nobody is left.
    pub(super) fn ask(&self, request: Read) -> Result<(), &'static str> {
        let mut state = self.state();
        if state.closed || state.readers == 0 {
            return Err("its threads have ended");
        }
        if state.waiting.len() >= QUEUE {
            return Err("too many requests wait already");
        }
        state.waiting.push_back(request);
        let reader = state.idle.pop();
        drop(state);
        if let Some(reader) = reader {
            reader.unpark();
        }
        Ok(())
    }

    /// Lets the readers end when they have answered what was asked.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.idle.drain(..).for_each(|reader| reader.unpark());
    }

    fn serve(&self, connection: &Connection) {
        while let Some(request) = self.next() {
            match request {
                Read::Get(key, answer) => drop(answer.send(get(connection, &key).map_err(|e| unavailable(&e)))),
                Read::List(range, limit, answer) => drop(answer.send(list(connection, &range, limit).map_err(|e| unavailable(&e)))),
            }
        }
    }

    /// The next request; `None` when there will be none.
    fn next(&self) -> Option<Read> {
        loop {
            let mut state = self.state();
            // Woken without being asked, as `park` may be, it stands among the idle still.
            let me = thread::current();
            state.idle.retain(|reader| reader.id() != me.id());
            if let Some(request) = state.waiting.pop_front() {
                return Some(request);
            }
            if state.closed {
                return None;
            }
            state.idle.push(me);
            drop(state);
            thread::park();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reader's place at the desk; given up however its thread ends.
struct Place(Desk);

impl Place {
    fn at(desk: &Desk) -> Place {
        desk.state().readers += 1;
        Place(desk.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.readers -= 1;
        if state.readers == 0 {
            // Whoever waits must not wait for nobody.
            state.waiting.clear();
        }
    }
}
