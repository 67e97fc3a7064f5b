//! `zegel init`.

use super::{End, complain};
use crate::config;
use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write},
    os::unix::fs::DirBuilderExt,
    path::Path,
};

/// The commented configuration.
const CONFIGURATION: &str = include_str!("../../deploy/zegel.toml");

pub(super) fn run(dir: &Path, out: &mut impl Write) -> io::Result<End> {
    let mut files = config::embedded("");
    files.insert("zegel.toml".to_owned(), CONFIGURATION.to_owned());
    files.extend(config::SCHEMAS.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
    for (name, text) in &files {
        if let Err(e) = write(dir, name, text, out)? {
            complain(&format!("{}: can't be made: {e}; name a folder that is yours", dir.join(name).display()));
            return Ok(End::Fault);
        }
    }
    if let Err(e) = make_keys(&dir.join("keys"), out)? {
        complain(&format!("{}: can't be made: {e}; name a folder that is yours", dir.join("keys").display()));
        return Ok(End::Fault);
    }
    let path = dir.join("zegel.toml");
    writeln!(out, "\nChange {} to suit you, then:\n  zegel check --config {0}\n  zegel run --config {0}", path.display())?;
    Ok(End::Fine)
}

/// Writes one file, unless there is one; the outer result is about `out`, the inner one about the file.
fn write(dir: &Path, name: &str, text: &str, out: &mut impl Write) -> io::Result<io::Result<()>> {
    let path = dir.join(name);
    if let Err(e) = fs::create_dir_all(path.parent().unwrap_or(dir)) {
        return Ok(Err(e));
    }
    match File::create_new(&path).and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => writeln!(out, "made {}", path.display())?,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => writeln!(out, "kept {}", path.display())?,
        Err(e) => return Ok(Err(e)),
    }
    Ok(Ok(()))
}

/// The keys themselves are made with the store: never without one, so that a lost key is noticed.
fn make_keys(path: &Path, out: &mut impl Write) -> io::Result<io::Result<()>> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => writeln!(out, "made {}", path.display())?,
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => writeln!(out, "kept {}", path.display())?,
        Err(e) => return Ok(Err(e)),
    }
    Ok(Ok(()))
}
