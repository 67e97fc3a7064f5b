//! Mail of the past: an mbox, a Maildir, or a folder of mails, read one mail at a time however large it is.

use crate::message;
use bytes::Bytes;
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read as _},
    path::{Path, PathBuf},
};

/// The longest mail that is replayed: a few times what mail servers take. A longer one is told, and left out.
const MAX_MAIL_BYTES: u64 = 256 * 1024 * 1024;

/// How deep folders may nest: below that it is no archive but a circle.
const MAX_DEPTH: usize = 32;

/// What the archive holds next.
pub(super) enum Entry {
    /// A mail, and what it is called: its path below the archive, in an mbox with its number.
    Mail(String, Bytes),
    /// A file that is neither a mail nor an mbox.
    NoMail(String),
    /// What could not be read, and why.
    Unread(String, io::Error),
}

/// Goes through an archive in the order of its names.
pub(super) struct Archive {
    root: PathBuf,
    /// What is still to be looked at, the next one last.
    waiting: Vec<(PathBuf, usize)>,
    mbox: Option<Mbox>,
}

impl Archive {
    /// # Errors
    /// When there is nothing at `root`.
    pub(super) fn open(root: &Path) -> io::Result<Archive> {
        fs::metadata(root)?;
        Ok(Archive { root: root.to_owned(), waiting: vec![(root.to_owned(), 0)], mbox: None })
    }

    fn name(&self, path: &Path) -> String {
        let below = path.strip_prefix(&self.root).ok().filter(|p| !p.as_os_str().is_empty()).unwrap_or(path);
        below.display().to_string()
    }

    fn file(&mut self, path: &Path) -> Option<Entry> {
        let name = self.name(path);
        match opened(path) {
            Ok(Opened::Mbox(reader)) => {
                self.mbox = Some(Mbox { name, reader, number: 0, begun: false, broken: false });
                None
            }
            Ok(Opened::Mail(octets)) => Some(Entry::Mail(name, octets)),
            Ok(Opened::Other) => Some(Entry::NoMail(name)),
            Err(e) => Some(Entry::Unread(name, e)),
        }
    }

    /// Puts what a folder holds before everything else that waits.
    fn folder(&mut self, path: &Path, depth: usize) -> io::Result<()> {
        if depth >= MAX_DEPTH {
            return Err(io::Error::other("folders nest too deep"));
        }
        let mut inside = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            inside.push((entry.file_name(), entry.path(), entry.file_type()?));
        }
        // What stands in `tmp` is not delivered yet (Maildir).
        let maildir = inside.iter().any(|(name, ..)| name == "cur");
        // A link to a folder may lead in a circle.
        inside.retain(|(name, path, kind)| !(maildir && name == "tmp" || kind.is_symlink() && path.is_dir()));
        inside.sort_by(|a, b| b.0.cmp(&a.0));
        self.waiting.extend(inside.into_iter().map(|(_, path, _)| (path, depth + 1)));
        Ok(())
    }
}

impl Iterator for Archive {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        loop {
            if let Some(mbox) = &mut self.mbox {
                match mbox.next() {
                    Some(entry) => return Some(entry),
                    None => self.mbox = None,
                }
            }
            let (path, depth) = self.waiting.pop()?;
            if path.is_dir() {
                if let Err(e) = self.folder(&path, depth) {
                    return Some(Entry::Unread(self.name(&path), e));
                }
            } else if let Some(entry) = self.file(&path) {
                return Some(entry);
            }
        }
    }
}

enum Opened {
    Mbox(BufReader<File>),
    Mail(Bytes),
    Other,
}

fn opened(path: &Path) -> io::Result<Opened> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    let first = reader.fill_buf()?;
    if first.starts_with(FROM) {
        return Ok(Opened::Mbox(reader));
    }
    // The beginning says enough; a large file that is no mail is not read.
    if !message::looks_like_mail(first) {
        return Ok(Opened::Other);
    }
    if length > MAX_MAIL_BYTES {
        return Err(too_long());
    }
    let mut octets = Vec::new();
    reader.take(MAX_MAIL_BYTES).read_to_end(&mut octets)?;
    Ok(Opened::Mail(octets.into()))
}

fn too_long() -> io::Error {
    io::Error::other("longer than 256 MiB")
}

/// What the line before each mail begins with (RFC 4155).
const FROM: &[u8] = b"From ";

/// An mbox: mails one behind the other, each behind a line `From `, a `From ` of its own text quoted by `>` (the dialects mboxo and mboxrd).
struct Mbox {
    name: String,
    reader: BufReader<File>,
    number: usize,
    /// Whether the line before the next mail has been read.
    begun: bool,
    /// Whether reading has failed: it would fail again.
    broken: bool,
}

impl Mbox {
    fn next(&mut self) -> Option<Entry> {
        if self.broken {
            return None;
        }
        let mut octets = Vec::new();
        let mut line = Vec::new();
        let mut empty_before = true;
        let mut long = false;
        loop {
            line.clear();
            match (&mut self.reader).take(MAX_MAIL_BYTES).read_until(b'\n', &mut line) {
                Err(e) => {
                    self.broken = true;
                    return Some(Entry::Unread(self.name.clone(), e));
                }
                Ok(0) if !self.begun => return None,
                Ok(0) => break self.begun = false,
                Ok(_) => {}
            }
            if empty_before && line.starts_with(FROM) {
                if std::mem::replace(&mut self.begun, true) {
                    break;
                }
                continue;
            }
            empty_before = line == b"\n" || line == b"\r\n";
            let quotes = line.iter().take_while(|b| **b == b'>').count();
            let unquoted = &line[usize::from(quotes > 0 && line[quotes..].starts_with(FROM))..];
            long |= octets.len() as u64 + unquoted.len() as u64 > MAX_MAIL_BYTES;
            if !long {
                octets.extend_from_slice(unquoted);
            }
        }
        self.number += 1;
        let name = format!("{}#{}", self.name, self.number);
        if long { Some(Entry::Unread(name, too_long())) } else { Some(Entry::Mail(name, octets.into())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The entries of a folder with these files, as `name: content`.
    fn entries(files: &[(&str, &str)]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let told = |entry| match entry {
            Entry::Mail(name, octets) => format!("{name}: {}", String::from_utf8_lossy(&octets)),
            Entry::NoMail(name) => format!("{name} is none"),
            Entry::Unread(name, e) => format!("{name}: {e}"),
        };
        Archive::open(folder.path()).unwrap().map(told).collect()
    }

    const MAIL: &str = "From: a@a.example\nSubject: x\n\ntext\n";

    #[test]
    fn mails_of_an_mbox_are_told_apart_and_their_text_is_as_it_was() {
        let mbox = "From a@a.example Mon Oct 12 09:30:00 2026\nSubject: 1\n\n>From here\n>>From there\nFrom the middle of a line's paragraph\n\n\
                    From b@b.example Mon Oct 12 09:30:00 2026\nSubject: 2\n\nno end of line";
        assert_eq!(
            entries(&[("old.mbox", mbox)]),
            [
                "old.mbox#1: Subject: 1\n\nFrom here\n>From there\nFrom the middle of a line's paragraph\n\n",
                "old.mbox#2: Subject: 2\n\nno end of line"
            ]
        );
        assert_eq!(entries(&[("crlf", "From a\r\nSubject: 1\r\n\r\nx\r\n\r\nFrom b\r\nSubject: 2\r\n\r\ny\r\n")]).len(), 2);
        assert_eq!(entries(&[("one", "From a\n")]), ["one#1: "]);
    }

    #[test]
    fn a_maildir_gives_what_was_delivered_and_its_subfolders() {
        let all = entries(&[("cur/1:2,S", MAIL), ("new/2", MAIL), ("tmp/3", MAIL), (".Sent/cur/4:2,", MAIL), (".Sent/tmp/5", MAIL)]);
        let names: Vec<_> = all.iter().map(|e| e.split(": F").next().unwrap()).collect();
        assert_eq!(names, [".Sent/cur/4:2,", "cur/1:2,S", "new/2"]);
    }

    #[test]
    fn a_folder_gives_its_mails_in_order_and_says_what_is_none() {
        assert_eq!(
            entries(&[("b/2.eml", MAIL), ("a/1.eml", MAIL), ("c.txt", "just text"), ("d.eml", "")]),
            [format!("a/1.eml: {MAIL}"), format!("b/2.eml: {MAIL}"), "c.txt is none".to_owned(), "d.eml is none".to_owned()]
        );
    }

    #[test]
    #[cfg(unix)]
    fn a_folder_that_leads_to_itself_ends() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a.eml"), MAIL).unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("self")).unwrap();
        assert_eq!(Archive::open(folder.path()).unwrap().count(), 1);
    }
}
