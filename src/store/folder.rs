//! Folders that are ours alone: private, locked, and durable when a function here returns.

use super::OpenError;
use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};
use zeroize::Zeroizing;

/// Makes `path` and what leads to it, open to us only.
pub(super) fn make(path: &Path) -> Result<(), OpenError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|e| OpenError::new(path, format!("can't be made: {e}"), "make it yourself, owned by the user that runs zegel"))?;
    refuse_unwritable(path)?;
    refuse_network(path)
}

/// Refuses a folder in which nothing can be made: better told at start than by the first mail that is to be sealed.
pub(super) fn refuse_unwritable(path: &Path) -> Result<(), OpenError> {
    use rustix::fs::{Access, AtFlags, CWD, accessat};
    accessat(CWD, path, Access::WRITE_OK | Access::EXEC_OK, AtFlags::EACCESS).map_err(|e| {
        OpenError::new(path, format!("can't be written: {e}"), "let the user that runs zegel own it, on a disk that is not read-only")
    })
}

/// Refuses a folder in which others can write: they could put files of their own in place of ours.
pub(super) fn refuse_writable(path: &Path) -> Result<(), OpenError> {
    let fault = |e: io::Error| OpenError::new(path, format!("can't be read: {e}"), "let the user that runs zegel own it");
    let mode = fs::metadata(path).map_err(fault)?.permissions().mode() & 0o777;
    if mode & 0o022 != 0 {
        let remedy = "think about who may have changed what is in it, then `chmod 700` it";
        return Err(OpenError::new(path, format!("others may write in it (mode {mode:03o})"), remedy));
    }
    Ok(())
}

/// A lock that other processes respect; released when it goes, by a crash too.
#[derive(Debug)]
pub(super) struct Lock(#[allow(dead_code, reason = "held, not read")] File);

impl Lock {
    /// Locks `folder` by the file `name` in it, or, without a name, by the folder itself.
    pub(super) fn take(folder: &Path, name: Option<&str>) -> Result<Lock, OpenError> {
        let path = name.map_or_else(|| folder.to_owned(), |name| folder.join(name));
        let fault = |e: io::Error| OpenError::new(&path, format!("can't be locked: {e}"), "let the user that runs zegel own it");
        let file = match name {
            Some(_) => OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(0o600).open(&path),
            None => File::open(&path),
        };
        let mut file = file.map_err(fault)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(e)) => return Err(fault(e)),
            Err(TryLockError::WouldBlock) => {
                let mut process = String::new();
                if name.is_some() {
                    let _ = file.read_to_string(&mut process);
                }
                let who =
                    if process.is_empty() { "another zegel".to_owned() } else { format!("another zegel (process {})", process.trim()) };
                return Err(OpenError::new(&path, format!("{who} uses this folder"), "stop it first: two would tell recipients twice"));
            }
        }
        if name.is_some() {
            // For the message above; it does no harm when this fails.
            let _ = file.set_len(0).and_then(|()| file.write_all(format!("{}\n", std::process::id()).as_bytes()));
        }
        Ok(Lock(file))
    }
}

/// Locks and fsync can't be relied on over NFS and SMB.
fn refuse_network(path: &Path) -> Result<(), OpenError> {
    #[cfg(target_os = "linux")]
    {
        // statfs(2).
        const NETWORK: [(i64, &str); 4] = [(0x6969, "NFS"), (0x517b, "SMB"), (0xff53_4d42, "CIFS"), (0xfe53_4d42, "SMB")];
        let kind = rustix::fs::statfs(path).map_err(|e| OpenError::new(path, format!("can't be read: {e}"), "check the disk"))?.f_type;
        // 32-bit systems give the number a sign.
        let kind = i64::from(kind as u32);
        if let Some((_, name)) = NETWORK.iter().find(|(number, _)| *number == kind) {
            return Err(OpenError::new(
                path,
                format!("lies on {name}, where neither locks nor writes can be relied on"),
                "use a local disk",
            ));
        }
    }
    Ok(())
}

/// Makes what was created, renamed or removed in `folder` durable.
pub(super) fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Why a file was not written.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    /// Somebody was first. What is there stays.
    #[error("it is there already")]
    Exists,
    /// Nothing was written: no room, no right.
    #[error("{0}")]
    Io(io::Error),
    /// It may be there now and gone tomorrow. Trying again would be told a lie: see [`super::Failure`].
    #[error("fsync: {0}")]
    NotDurable(io::Error),
}

/// Writes a file that must not be there yet: all of it is there, durably, or nothing.
pub(super) fn write_new(folder: &Path, name: &str, content: &[u8]) -> Result<(), WriteError> {
    let unfinished = folder.join(format!(".{name}.tmp"));
    let written = remove(&unfinished).map_err(WriteError::Io).and_then(|()| write(&unfinished, content));
    let named = written.and_then(|()| rename_new(&unfinished, &folder.join(name)));
    if named.is_err() {
        // A full disk gets its room back at once, and no secret is left in a file that nobody knows.
        let _ = remove(&unfinished);
    }
    named.and_then(|()| sync(folder).map_err(WriteError::NotDurable))
}

/// Writes a file that nobody looks for before this has returned: a crash may leave a part of it under its name, which [`write_new`] never does. For
/// that the folder is changed once, not three times, and its second fsync finds little to do.
pub(super) fn write_unsought(folder: &Path, name: &str, content: &[u8]) -> Result<(), WriteError> {
    let path = folder.join(name);
    let written = write(&path, content);
    if matches!(&written, Err(error) if !matches!(error, WriteError::Exists)) {
        // A full disk gets its room back at once.
        let _ = remove(&path);
    }
    written.and_then(|()| sync(folder).map_err(WriteError::NotDurable))
}

fn write(path: &Path, content: &[u8]) -> Result<(), WriteError> {
    let opened = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path);
    let mut file = opened.map_err(|e| if e.kind() == io::ErrorKind::AlreadyExists { WriteError::Exists } else { WriteError::Io(e) })?;
    file.write_all(content).map_err(WriteError::Io)?;
    file.sync_all().map_err(WriteError::NotDurable)
}

/// Removes a file; one that isn't there counts as removed.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn rename_new(from: &Path, to: &Path) -> Result<(), WriteError> {
    use rustix::{
        fs::{CWD, RenameFlags, renameat_with},
        io::Errno,
    };
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::EXIST) => Err(WriteError::Exists),
        // Some file systems don't know the flag. The folder is locked: nobody else writes here between the two calls.
        Err(Errno::INVAL | Errno::NOSYS) if to.exists() => Err(WriteError::Exists),
        Err(Errno::INVAL | Errno::NOSYS) => fs::rename(from, to).map_err(WriteError::Io),
        result => result.map_err(|e| WriteError::Io(e.into())),
    }
}

/// Reads a file of secrets, and refuses one that others can read. `None` when it isn't there.
pub(super) fn read_private(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, OpenError> {
    let fault = |e: io::Error| OpenError::new(path, format!("can't be read: {e}"), "let the user that runs zegel own it");
    let mut file = match File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        result => result.map_err(fault)?,
    };
    let metadata = file.metadata().map_err(fault)?;
    if metadata.permissions().mode() & 0o077 != 0 {
        let remedy = "think about who may have read it, then `chmod 600` it";
        return Err(OpenError::new(path, format!("others may read it (mode {:03o})", metadata.permissions().mode() & 0o777), remedy));
    }
    // All keys are shorter; a buffer that grew would leave its older self behind in memory.
    let mut content = Zeroizing::new(vec![0; 4096]);
    let mut len = 0;
    while len < content.len() {
        match file.read(&mut content[len..]).map_err(fault)? {
            0 => break,
            more => len += more,
        }
    }
    content.truncate(len);
    Ok(Some(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_once_and_is_ours_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(".key.tmp"), "left by a crash").unwrap();
        write_new(folder.path(), "key", b"one").unwrap();
        assert!(matches!(write_new(folder.path(), "key", b"two"), Err(WriteError::Exists)));
        let path = folder.path().join("key");
        assert_eq!(**read_private(&path).unwrap().unwrap(), *b"one");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing unfinished is left");
    }

    #[test]
    fn a_file_that_is_not_sought_yet_replaces_none_and_leaves_nothing_when_it_fails() {
        let folder = tempfile::tempdir().unwrap();
        write_unsought(folder.path(), "blob", b"one").unwrap();
        assert!(matches!(write_unsought(folder.path(), "blob", b"two"), Err(WriteError::Exists)));
        assert_eq!(fs::read(folder.path().join("blob")).unwrap(), b"one");
        assert!(matches!(write_unsought(&folder.path().join("missing"), "blob", b"two"), Err(WriteError::Io(_))));
        assert_eq!(fs::metadata(folder.path().join("blob")).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_secret_that_others_may_read_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        assert!(read_private(&path).unwrap().is_none());
        write_new(folder.path(), "key", b"one").unwrap();
        for mode in [0o640, 0o604, 0o620, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let text = read_private(&path).unwrap_err().to_string();
            assert!(text.contains("key: others may read it") && text.contains("chmod 600"), "{text}");
        }
    }

    #[test]
    fn a_folder_has_one_user() {
        let folder = tempfile::tempdir().unwrap();
        for name in [Some("zegel.lock"), None] {
            let held = Lock::take(folder.path(), name).unwrap();
            let text = Lock::take(folder.path(), name).unwrap_err().to_string();
            assert!(text.contains("another zegel"), "{text}");
            drop(held);
            Lock::take(folder.path(), name).unwrap();
        }
    }
}
