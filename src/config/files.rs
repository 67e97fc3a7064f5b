//! The folders beside the configuration.

use crate::{
    detect,
    fault::{Faults, Files},
    policy, template,
};
use std::{fs, io, path::Path};

/// The largest file that is read: a list of a million terms is smaller.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// How deep folders may nest.
const MAX_DEPTH: usize = 4;

/// The embedded files whose names begin with `prefix`: `rules/`, `policies/`, `templates/`.
#[must_use]
pub fn embedded(prefix: &str) -> Files {
    let all = detect::EMBEDDED.iter().chain(policy::EMBEDDED).chain(template::EMBEDDED);
    all.filter(|(name, _)| name.starts_with(prefix)).map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

/// The files of `folder/name`, as `name/..`; `None` when there is nothing of this name.
///
/// A file or a link to nowhere of this name is a fault: whoever made it meant something else than the embedded files.
#[must_use]
pub fn read_folder(folder: &Path, name: &str, faults: &Faults) -> Option<Files> {
    let path = folder.join(name);
    if fs::symlink_metadata(&path).is_err_and(|e| e.kind() == io::ErrorKind::NotFound) {
        return None;
    }
    let mut files = Files::new();
    walk(&path, name, MAX_DEPTH, &mut files, faults);
    Some(files)
}

fn walk(path: &Path, name: &str, depth: usize, files: &mut Files, faults: &Faults) {
    let remedy = "it must be a folder that zegel's user may read; where there is none, the built-in files serve";
    let unread = |e: io::Error| faults.add(name, 1, format!("this folder can't be read: {}", reason(&e)), remedy);
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(e) => return unread(e),
    };
    for entry in entries {
        let entry = match entry {
            Ok(entry) => entry,
            Err(e) => return unread(e),
        };
        let last = entry.file_name().to_string_lossy().into_owned();
        // Editors' and administrators' left-overs.
        if last.starts_with('.') || last.ends_with('~') || last.ends_with(".bak") || last.ends_with(".md") {
            continue;
        }
        let (path, name) = (entry.path(), format!("{name}/{last}"));
        if last.contains(char::REPLACEMENT_CHARACTER) {
            faults.add(&name, 1, "the name of this file is no UTF-8", "rename it");
        } else if !path.is_dir() {
            file(&path, name, files, faults);
        } else if depth == 0 {
            faults.add(&name, 1, "folders nest too deep", format!("at most {MAX_DEPTH} deep"));
        } else {
            walk(&path, &name, depth - 1, files, faults);
        }
    }
}

fn file(path: &Path, name: String, files: &mut Files, faults: &Faults) {
    match wanted(&name) {
        Wanted::Yes => {}
        Wanted::No => return,
        Wanted::Elsewhere(remedy) => return faults.add(&name, 1, "this file would not be read", remedy),
    }
    match read_text(path) {
        Ok(text) => drop(files.insert(name, text)),
        Err(Unread { line, what, remedy }) => faults.add(&name, line, what, remedy),
    }
}

/// What to make of a file, by its name.
enum Wanted {
    Yes,
    No,
    /// It looks like one of ours and would be passed over; what to do.
    Elsewhere(&'static str),
}

/// A rule or policy that is passed over because of its name would be missed by nobody until it is too late: so that is a fault. Pictures
/// among the templates are not.
fn wanted(name: &str) -> Wanted {
    let ends = |endings: &[&str]| endings.iter().any(|e| name.ends_with(e));
    if name.starts_with("templates/") {
        return if ends(&[".html", ".txt", ".ftl", ".css", ".js", ".svg", ".toml"]) { Wanted::Yes } else { Wanted::No };
    }
    if name.starts_with("rules/lists/") {
        return if ends(&[".toml"]) {
            Wanted::Elsewhere("rules stand in rules/ itself; the name of a list ends in .txt")
        } else {
            Wanted::Yes
        };
    }
    if name.starts_with("policies/groups/") {
        return if ends(&[".txt"]) {
            Wanted::Yes
        } else {
            Wanted::Elsewhere("the name of a group's file ends in .txt; policies stand in policies/ itself")
        };
    }
    if !ends(&[".toml"]) {
        return Wanted::Elsewhere("end its name in .toml, or move it away");
    }
    // A rule's name is its file's, so rules have one folder.
    if name.strip_prefix("rules/").is_some_and(|rest| rest.contains('/')) {
        return Wanted::Elsewhere("rules stand in rules/ itself, only lists have a folder: move it there");
    }
    Wanted::Yes
}

/// Why a file that somebody wrote is not read.
pub(super) struct Unread {
    pub(super) line: usize,
    pub(super) what: String,
    pub(super) remedy: &'static str,
}

/// Reads a text; says where it stops being one.
pub(super) fn read_text(path: &Path) -> Result<String, Unread> {
    let at_1 = |what: String, remedy| Unread { line: 1, what, remedy };
    let unreadable = |e: io::Error| match e.kind() {
        io::ErrorKind::NotFound => at_1("there is no such file".to_owned(), "correct its name; if it is a link, correct where it leads"),
        _ => at_1(format!("can't be read: {}", reason(&e)), "let zegel's user read it"),
    };
    if fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE_BYTES {
        return Err(at_1("is larger than 64 MiB".to_owned(), "split it, or move it away"));
    }
    let octets = fs::read(path).map_err(unreadable)?;
    if octets.starts_with(b"\xff\xfe") || octets.starts_with(b"\xfe\xff") {
        return Err(at_1("is written in UTF-16".to_owned(), SAVE_AS_UTF_8));
    }
    // What a person sees in a program of its own is no text: a workbook, a document.
    if [&b"PK\x03\x04"[..], b"\xd0\xcf\x11\xe0", b"{\\rtf", b"%PDF"].iter().any(|begins| octets.starts_with(begins)) {
        return Err(at_1("is no plain text, but a document of another program".to_owned(), "save it there as plain text (.txt), in UTF-8"));
    }
    String::from_utf8(octets).map_err(|e| {
        let good = &e.as_bytes()[..e.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|o| **o == b'\n').count();
        Unread { line, what: "a letter in this line is not written in UTF-8".to_owned(), remedy: SAVE_AS_UTF_8 }
    })
}

const SAVE_AS_UTF_8: &str = "save the file with UTF-8 as its encoding (in Notepad: Save As, Encoding)";

/// What the system says, without its number: `Permission denied`.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}
