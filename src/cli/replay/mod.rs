//! `zegel replay`: what the rules and policies would have made of mail of the past, and what another set would.
//!
//! The report names mails and counts; it holds nothing of what is in them, and no address.

mod archive;
mod report;

use super::{
    End, Format, complain, complain_all,
    judging::{Given, judge},
    reading, say_what_is_not_read, stocked,
};
use crate::{address::Address, config, fault::Fault, inspect::Rulebook, sandbox};
use archive::{Archive, Entry};
use report::{Judgement, Replayed, Report};
use std::{
    io::{self, Write},
    path::Path,
    sync::{Mutex, PoisonError},
    thread,
};

pub(super) fn run(
    config: Option<&Path>,
    strangers: &[Address],
    against: Option<&Path>,
    format: Format,
    archive: &Path,
    out: &mut impl Write,
) -> io::Result<End> {
    say_what_is_not_read(config);
    let (now, readers) = match current(config) {
        Ok(current) => current,
        Err(faults) => return Ok(complain_all(&faults)),
    };
    let then = match against.map(|folder| config::proposed(folder, config, now.internal.clone())).transpose() {
        Ok(then) => then,
        Err(faults) => return Ok(complain_all(&faults)),
    };
    let archive_of = match Archive::open(archive) {
        Ok(archive) => archive,
        Err(e) => {
            complain(&format!("{}: {e}", archive.display()));
            return Ok(End::Fault);
        }
    };
    let reader = reading::Reader::new(readers)?;
    let replay = Replay {
        now: &now,
        then: then.as_ref(),
        given: Given { configured: config.is_some(), strangers, ..Given::default() },
        reader: &reader,
    };
    let report = replay.all(archive_of);
    reader.close();
    for (name, reason) in &report.unread {
        complain(&format!("{name}: {reason}"));
    }
    match format {
        Format::Text => report.text(out)?,
        Format::Json => report.json(out)?,
    }
    Ok(if report.unread.is_empty() { End::Fine } else { End::Fault })
}

/// The rules and policies of a configuration, or the built-in ones, and how attachments are read.
fn current(config: Option<&Path>) -> Result<(Rulebook, sandbox::Options), Vec<Fault>> {
    match config {
        Some(path) => stocked(path).map(|config| (config.rulebook, config.readers)),
        None => config::built_in().map(|rulebook| (rulebook, sandbox::Options::default())),
    }
}

/// One replay under way.
struct Replay<'a> {
    now: &'a Rulebook,
    then: Option<&'a Rulebook>,
    given: Given<'a>,
    reader: &'a reading::Reader,
}

impl Replay<'_> {
    /// Judges every mail of the archive, on every core.
    fn all(&self, archive: Archive) -> Report {
        let archive = Mutex::new(archive.enumerate());
        let report = Mutex::new(Report::new(self.then.is_some()));
        let threads = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    // One mail is held by each thread, never more: the lock is released before it is judged.
                    while let Some((number, entry)) = { archive.lock().unwrap_or_else(PoisonError::into_inner).next() } {
                        let replayed = self.one(entry);
                        report.lock().unwrap_or_else(PoisonError::into_inner).add(number, replayed);
                    }
                });
            }
        });
        let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
        report.finish();
        report
    }

    fn one(&self, entry: Entry) -> Replayed {
        let (name, octets) = match entry {
            Entry::Mail(name, octets) => (name, octets),
            Entry::NoMail(name) => return Replayed::NoMail(name),
            Entry::Unread(name, e) => return Replayed::Unread(name, e.to_string()),
        };
        match self.reader.mail(octets) {
            Ok(opened) => {
                let judged = |rulebook: &Rulebook| Judgement::of(&judge(rulebook, self.given, &opened));
                Replayed::Mail { name, now: judged(self.now), then: self.then.map(judged) }
            }
            Err(e) => Replayed::Unread(name, e.to_string()),
        }
    }
}
