//! Reading a FILE of the command line: a mail, or any other file as the one attachment of an empty mail.

use crate::{
    extract::Extraction,
    message::{self, Message},
    metrics::Metrics,
    sandbox,
};
use bytes::Bytes;
use std::{
    fs,
    io::{self, Read},
    path::Path,
    sync::Arc,
};

/// What was read of a FILE.
pub(super) struct Opened {
    /// Who and when, as the mail says; empty for a file that is no mail.
    pub(super) facts: message::Facts,
    pub(super) extraction: Extraction,
}

/// Reads files as the gateway does.
pub(super) struct Reader {
    reader: sandbox::Reader,
    runtime: tokio::runtime::Runtime,
}

impl Reader {
    /// Reads as the gateway with these options does; without a configuration as one that has nothing set.
    pub(super) fn new(options: sandbox::Options) -> io::Result<Reader> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let options = sandbox::Options { remembers: false, ..options };
        Ok(Reader { reader: sandbox::Reader::new(options, Arc::new(Metrics::default())), runtime })
    }

    /// Reads `file`; `-` is standard input.
    pub(super) fn open(&self, file: &str) -> io::Result<Opened> {
        let octets = Bytes::from(octets_of(file)?);
        if message::looks_like_mail(&octets) {
            return self.mail(octets);
        }
        let name = if file == "-" { "stdin" } else { Path::new(file).file_name().and_then(|n| n.to_str()).unwrap_or("file") };
        let extraction = self.runtime.block_on(self.reader.read_file(name, octets)).map_err(busy)?;
        Ok(Opened { facts: message::Facts::default(), extraction })
    }

    /// Reads a mail; several threads may at once.
    pub(super) fn mail(&self, octets: Bytes) -> io::Result<Opened> {
        let message = Message::new(octets);
        let extraction = self.runtime.block_on(self.reader.read(&message)).map_err(busy)?;
        Ok(Opened { facts: message.facts(), extraction })
    }

    /// Ends without waiting for a worker.
    pub(super) fn close(self) {
        self.runtime.shutdown_background();
    }
}

fn busy<E>(_: E) -> io::Error {
    io::Error::other("no process can be started to read it; is /proc mounted, and is there memory?")
}

fn octets_of(file: &str) -> io::Result<Vec<u8>> {
    if file != "-" {
        return fs::read(file);
    }
    let mut octets = Vec::new();
    io::stdin().lock().read_to_end(&mut octets)?;
    Ok(octets)
}
