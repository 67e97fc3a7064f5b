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

/// The files of `folder/name`, as `name/..`; `None` when there is no such folder.
#[must_use]
pub fn read_folder(folder: &Path, name: &str, faults: &Faults) -> Option<Files> {
    let path = folder.join(name);
    if !path.is_dir() {
        return None;
    }
    let mut files = Files::new();
    walk(&path, name, MAX_DEPTH, &mut files, faults);
    Some(files)
}

fn walk(path: &Path, name: &str, depth: usize, files: &mut Files, faults: &Faults) {
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(e) => return faults.add(name, 1, format!("this folder can't be read: {e}"), "let zegel's user read it"),
    };
    for entry in entries.flatten() {
        let Ok(last) = entry.file_name().into_string() else { continue };
        // Editors' and administrators' left-overs.
        if last.starts_with('.') || last.ends_with('~') || last.ends_with(".bak") || last.ends_with(".md") {
            continue;
        }
        let (path, name) = (entry.path(), format!("{name}/{last}"));
        if path.is_dir() {
            match depth.checked_sub(1) {
                Some(depth) => walk(&path, &name, depth, files, faults),
                None => faults.add(&name, 1, "folders nest too deep", format!("at most {MAX_DEPTH} deep")),
            }
            continue;
        }
        let Some(wanted) = wanted(&name) else { continue };
        if let Err(ending) = wanted {
            faults.add(&name, 1, "this file would not be read", format!("end its name in {ending}, or move it away"));
            continue;
        }
        match read(&path) {
            Ok(text) => {
                files.insert(name, text);
            }
            Err(e) => faults.add(&name, 1, format!("can't be read: {e}"), "make it a UTF-8 text that zegel's user may read"),
        }
    }
}

/// Whether a file is one of ours. A rule or policy that is passed over because of its name would be missed by nobody until it is too late:
/// so that is a fault. Pictures among the templates are not.
fn wanted(name: &str) -> Option<Result<(), &'static str>> {
    let ends = |endings: &[&str]| endings.iter().any(|e| name.ends_with(e));
    if name.starts_with("templates/") {
        return ends(&[".html", ".txt", ".ftl", ".css", ".js", ".svg", ".toml"]).then_some(Ok(()));
    }
    Some(if ends(&[".toml"]) || name.starts_with("rules/lists/") { Ok(()) } else { Err(".toml") })
}

fn read(path: &Path) -> io::Result<String> {
    if fs::metadata(path)?.len() > MAX_FILE_BYTES {
        return Err(io::Error::other("it is larger than 64 MiB"));
    }
    fs::read_to_string(path)
}
