//! The thread that writes.

use super::{Answer, is_final, unavailable, version};
use crate::{
    record::{Batch, Expect, Key, Op},
    store::{Failure, StoreError},
};
use rusqlite::{Connection, OptionalExtension, params};
use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

/// So many commits become durable together: more would make the first of them wait.
const GROUP: usize = 256;
/// And so many steps.
const GROUP_OPS: usize = Batch::MAX_OPS;
/// After so many steps the log, then about 16 MB, is copied into the database. With a quarter of it 32 clients got a third fewer commits.
const CHECKPOINT_OPS: usize = 4000;
/// What was deleted or replaced stands in the log, in clear as far as we sealed nothing, until the log is emptied: so long at most.
const SCRUB_TIME: Duration = Duration::from_secs(10);
/// Pages given back to the file system in one step, between which commits go on.
const VACUUM_PAGES: u32 = 200;
/// Free pages that are kept for the next messages.
const KEEP_PAGES: u32 = 1000;
/// With nothing to do the thread looks up so often; any time would do.
const IDLE_TIME: Duration = Duration::from_secs(3600);

/// A batch, and who waits for it.
pub(super) struct Commit {
    pub(super) batch: Batch,
    pub(super) answer: Answer<()>,
}

/// Serves until nobody can ask any more.
pub(super) fn run(connection: Connection, jobs: &Receiver<Commit>, failure: &Failure) {
    let _guard = EndsInPanic(failure);
    let mut writer = Writer { connection, failure, ops_in_log: 0, scrub_at: None };
    loop {
        let wait = writer.scrub_at.map_or(IDLE_TIME, |at| at.saturating_duration_since(Instant::now()));
        match jobs.recv_timeout(wait) {
            Ok(first) => writer.group(first, jobs),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if !failure.is_set() {
            writer.keep_house();
        }
    }
    // After a failure the log stays as it is: the next start reads what really is on the disk.
    if !failure.is_set() {
        writer.empty_log();
    }
}

/// A writer that panics must not leave a store that seems to live.
struct EndsInPanic<'a>(&'a Failure);

impl Drop for EndsInPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.set("its writer panicked");
        }
    }
}

struct Writer<'a> {
    connection: Connection,
    failure: &'a Failure,
    ops_in_log: usize,
    /// When the log is to be emptied.
    scrub_at: Option<Instant>,
}

impl Writer<'_> {
    /// Commits what waits, as one transaction.
    fn group(&mut self, first: Commit, jobs: &Receiver<Commit>) {
        let mut ops = first.batch.ops.len();
        let mut group = vec![first];
        while group.len() < GROUP && ops < GROUP_OPS {
            let Ok(next) = jobs.try_recv() else { break };
            ops += next.batch.ops.len();
            group.push(next);
        }
        // Queued before the failure was known.
        if let Err(error) = self.failure.check() {
            group.into_iter().for_each(|job| drop(job.answer.send(Err(error.clone()))));
            return;
        }
        match self.transaction(&group) {
            Ok(met) => {
                self.ops_in_log += ops;
                self.scrub_at.get_or_insert_with(|| Instant::now() + SCRUB_TIME);
                for (job, met) in group.into_iter().zip(met) {
                    let _ = job.answer.send(if met { Ok(()) } else { Err(StoreError::Conflict) });
                }
            }
            Err(error) => {
                self.note(&error);
                if !self.connection.is_autocommit()
                    && let Err(error) = self.connection.execute_batch("ROLLBACK")
                {
                    self.failure.set(format!("a transaction can't be undone: {error}"));
                }
                tracing::error!("a commit failed: {error}");
                // Conflicts too: they may rest on a commit of this group, which did not happen.
                group.into_iter().for_each(|job| drop(job.answer.send(Err(unavailable(&error)))));
            }
        }
    }

    /// Which batches happened; the others met a conflict.
    fn transaction(&self, group: &[Commit]) -> rusqlite::Result<Vec<bool>> {
        self.run("BEGIN IMMEDIATE")?;
        let mut met = Vec::with_capacity(group.len());
        for job in group {
            self.run("SAVEPOINT batch")?;
            let all = self.apply(&job.batch)?;
            if !all {
                self.run("ROLLBACK TO batch")?;
            }
            self.run("RELEASE batch")?;
            met.push(all);
        }
        self.run("COMMIT")?;
        Ok(met)
    }

    fn run(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    /// Does the steps until one meets a conflict. Every key occurs once, so checking step by step is checking all before.
    fn apply(&self, batch: &Batch) -> rusqlite::Result<bool> {
        for op in &batch.ops {
            let met = match op {
                Op::Put { key, value, expect } => self.put(key, value, *expect, batch.version)?,
                Op::Delete { key, expect } => self.delete(key, *expect)?,
                Op::Check { key, version } => self.version_of(key)? == Some(*version),
            };
            if !met {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn put(&self, key: &Key, value: &str, expect: Expect, version: u64) -> rusqlite::Result<bool> {
        let new = kept(version);
        let changed = match expect {
            Expect::Anything => self
                .connection
                .prepare_cached("INSERT INTO record VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET version = ?2, value = ?3")?
                .execute(params![key.as_str(), new, value])?,
            Expect::Absent => self
                .connection
                .prepare_cached("INSERT INTO record VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
                .execute(params![key.as_str(), new, value])?,
            Expect::Version(old) => self
                .connection
                .prepare_cached("UPDATE record SET version = ?2, value = ?3 WHERE key = ?1 AND version = ?4")?
                .execute(params![key.as_str(), new, value, kept(old)])?,
        };
        Ok(changed == 1)
    }

    fn delete(&self, key: &Key, expect: Expect) -> rusqlite::Result<bool> {
        match expect {
            Expect::Anything => {
                self.connection.prepare_cached("DELETE FROM record WHERE key = ?1")?.execute([key.as_str()])?;
                Ok(true)
            }
            Expect::Absent => Ok(self.version_of(key)?.is_none()),
            Expect::Version(old) => {
                let mut statement = self.connection.prepare_cached("DELETE FROM record WHERE key = ?1 AND version = ?2")?;
                Ok(statement.execute(params![key.as_str(), kept(old)])? == 1)
            }
        }
    }

    fn version_of(&self, key: &Key) -> rusqlite::Result<Option<u64>> {
        let mut statement = self.connection.prepare_cached("SELECT version FROM record WHERE key = ?1")?;
        statement.query_row([key.as_str()], |row| Ok(version(row.get(0)?))).optional()
    }

    /// What must be done now and then, a step at a time: commits wait for one step only.
    fn keep_house(&mut self) {
        if self.scrub_at.is_some_and(|at| at <= Instant::now()) {
            match self.give_back_pages() {
                Ok(More::Yes) => {}
                Ok(More::No) => self.empty_log(),
                Err(error) => self.later(&error),
            }
        } else if self.ops_in_log >= CHECKPOINT_OPS {
            match self.checkpoint("PASSIVE") {
                Ok(_) => self.ops_in_log = 0,
                Err(error) => self.later(&error),
            }
        }
    }

    fn give_back_pages(&self) -> rusqlite::Result<More> {
        let free: u32 = self.connection.pragma_query_value(None, "freelist_count", |row| row.get(0))?;
        if free <= KEEP_PAGES {
            return Ok(More::No);
        }
        // Each row is a page: the work is done by asking for all of them.
        let mut statement = self.connection.prepare(&format!("PRAGMA incremental_vacuum({VACUUM_PAGES})"))?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        Ok(More::Yes)
    }

    /// Copies the log into the database and cuts it to nothing: what was deleted is in no file then.
    fn empty_log(&mut self) {
        match self.checkpoint("TRUNCATE") {
            Ok(Done::All) => {
                self.scrub_at = None;
                self.ops_in_log = 0;
            }
            // A reader held it; deleted text is still in the file.
            Ok(Done::Busy) => self.scrub_at = Some(Instant::now() + SCRUB_TIME),
            Err(error) => self.later(&error),
        }
    }

    fn checkpoint(&self, how: &str) -> rusqlite::Result<Done> {
        let busy: i32 = self.connection.query_row(&format!("PRAGMA wal_checkpoint({how})"), [], |row| row.get(0))?;
        Ok(if busy == 0 { Done::All } else { Done::Busy })
    }

    fn later(&mut self, error: &rusqlite::Error) {
        tracing::error!("the database's log can't be emptied: {error}");
        self.note(error);
        self.ops_in_log = 0;
        self.scrub_at = Some(Instant::now() + SCRUB_TIME);
    }

    fn note(&self, error: &rusqlite::Error) {
        if is_final(error) {
            self.failure.set(error.to_string());
        }
    }
}

/// Whether there are more free pages to give back.
enum More {
    Yes,
    No,
}

/// How a checkpoint ended.
enum Done {
    All,
    Busy,
}

/// Versions have 63 bits; `within_limits` refused others.
fn kept(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

/// Commits all that is queued, then keeps house until nothing is left to do.
#[cfg(test)]
pub(super) fn serve_then_keep_house(connection: Connection, jobs: &Receiver<Commit>, failure: &Failure) {
    let mut writer = Writer { connection, failure, ops_in_log: 0, scrub_at: None };
    while let Ok(first) = jobs.try_recv() {
        writer.group(first, jobs);
    }
    while writer.scrub_at.is_some() {
        writer.scrub_at = Some(Instant::now());
        writer.keep_house();
    }
}
