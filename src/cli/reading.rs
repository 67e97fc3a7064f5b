//! Reading a FILE of the command line: a mail, or any other file as the one attachment of an empty mail.

use crate::{
    extract::{self, Extraction, Limits, Problem, ProblemKind, Unopened},
    message::{self, Message},
};
use bytes::Bytes;
use std::{
    fs,
    io::{self, Read},
    panic::{self, AssertUnwindSafe},
    path::Path,
};

/// What was read of a FILE.
pub(super) struct Opened {
    /// Who and when, as the mail says; empty for a file that is no mail.
    pub(super) facts: message::Facts,
    pub(super) extraction: Extraction,
}

/// Reads `file`; `-` is standard input.
pub(super) fn open(file: &str) -> io::Result<Opened> {
    let octets = Bytes::from(read(file)?);
    let limits = Limits::default();
    if message::looks_like_mail(&octets) {
        let message = Message::new(octets);
        let (shallow, unopened) = extract::message(&message, &limits);
        return Ok(Opened { facts: message.facts(), extraction: open_files(shallow, &unopened, &limits) });
    }
    let name = if file == "-" { "stdin" } else { Path::new(file).file_name().and_then(|n| n.to_str()).unwrap_or("file") };
    let (shallow, unopened) = extract::attachment(name, octets, &limits);
    Ok(Opened { facts: message::Facts::default(), extraction: open_files(shallow, &unopened, &limits) })
}

fn read(file: &str) -> io::Result<Vec<u8>> {
    if file != "-" {
        return fs::read(file);
    }
    let mut octets = Vec::new();
    io::stdin().lock().read_to_end(&mut octets)?;
    Ok(octets)
}

/// Opens what the shallow pass left. A reader that fails on a file fails on that file only.
fn open_files(shallow: Extraction, unopened: &[Unopened], limits: &Limits) -> Extraction {
    let open = |file: &Unopened| {
        let opened = panic::catch_unwind(AssertUnwindSafe(|| extract::file(file, limits)));
        (file.at, opened.unwrap_or_else(|_| damaged(file)))
    };
    let opened = unopened.iter().map(open).collect();
    extract::join(shallow, opened)
}

fn damaged(file: &Unopened) -> Extraction {
    let problem = Problem { part: file.part.clone(), place: None, kind: ProblemKind::Damaged, reason: "reader-failed" };
    Extraction { problems: vec![problem], ..Extraction::default() }
}
