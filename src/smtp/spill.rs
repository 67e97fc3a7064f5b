//! The content of a mail as it was received, and where it goes when it is large: to a file without a name, encrypted under a key that nobody but
//! this process has, and only in memory.
//!
//! The file is no queue: a crash, or the end of the mail, leaves nothing of it. Its tags stay in memory too, so that a block that was changed or
//! swapped on the disk does not open.

use super::budget::{Budget, Permit};
use crate::secret;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use bytes::Bytes;
use std::{
    fmt,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout_at},
};
use zeroize::Zeroizing;

/// Octets that are encrypted and written at once: few enough that twenty mails need 5 MiB between them, enough that a system call does not count.
pub const BLOCK: usize = 256 * 1024;

/// So much of the disk stays free for records and sealed mail, which are worth more than the speed at which large mails come in. The store keeps as
/// much.
const DISK_RESERVE: u64 = 1 << 30;

const TAG: usize = 16;

/// Where large bodies go.
#[derive(Clone, Debug)]
pub struct SpillFolder {
    path: PathBuf,
    room: Budget,
}

impl SpillFolder {
    /// 8 GiB: 160 mails of 50 MiB at once. More wait in their clients.
    pub const DEFAULT_ROOM: u64 = 8 << 30;

    /// The folder `path`, of which at most `room` octets are used at a time.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>, room: u64) -> SpillFolder {
        SpillFolder { path: path.into(), room: Budget::new(room) }
    }

    /// Octets that no mail uses.
    #[must_use]
    pub fn free(&self) -> u64 {
        self.room.free()
    }
}

/// A body that is being received, as far as it was moved out of memory. Its methods block.
pub(super) struct Spill {
    file: File,
    key: LessSafeKey,
    /// One for each block that was written.
    tags: Vec<[u8; TAG]>,
    room: Permit,
}

impl Spill {
    pub(super) fn begin(folder: &SpillFolder) -> io::Result<Spill> {
        let room = folder.room.take(0, 0).ok_or_else(full)?;
        let key = Zeroizing::new(secret::random::<32>());
        let key = UnboundKey::new(&AES_256_GCM, &*key).map_err(io::Error::other)?;
        Ok(Spill { file: nameless(&folder.path)?, key: LessSafeKey::new(key), tags: Vec::new(), room })
    }

    /// Writes the whole blocks of `octets` and takes them out of it.
    ///
    /// # Errors
    /// What could not be written stays in `octets`. Nothing more may be written then: a block that failed was encrypted under its nonce already.
    pub(super) fn write(&mut self, octets: &mut Vec<u8>) -> io::Result<()> {
        let mut sealed = Vec::with_capacity(BLOCK);
        let mut written = 0;
        let outcome = octets.chunks_exact(BLOCK).try_for_each(|block| {
            self.write_block(block, &mut sealed)?;
            written += BLOCK;
            io::Result::Ok(())
        });
        *octets = octets.split_off(written);
        outcome
    }

    fn write_block(&mut self, block: &[u8], sealed: &mut Vec<u8>) -> io::Result<()> {
        let disk = rustix::fs::fstatvfs(&self.file)?;
        if disk.f_bavail.saturating_mul(disk.f_frsize) < DISK_RESERVE || !self.room.try_grow(BLOCK as u64) {
            return Err(full());
        }
        sealed.clear();
        sealed.extend_from_slice(block);
        let number = self.tags.len() as u64;
        let tag = self.key.seal_in_place_separate_tag(nonce(number), Aad::empty(), sealed).map_err(io::Error::other)?;
        self.file.write_all_at(sealed, number * BLOCK as u64)?;
        self.tags.push(tag.as_ref().try_into().map_err(io::Error::other)?);
        Ok(())
    }

    /// The whole body: what was written, and the rest of it, which stays in memory.
    pub(super) fn end(self, rest: Bytes, memory: Budget) -> Content {
        Content::Spilled(Arc::new(Spilled { spill: self, rest, memory }))
    }
}

/// A body of which the first blocks are in a file.
pub struct Spilled {
    spill: Spill,
    rest: Bytes,
    memory: Budget,
}

/// The content of a mail as it was received (RFC 5321, 2.3.1). A clone shares the octets; the last one gives back the room they take.
#[derive(Clone, Debug)]
pub enum Content {
    /// In memory, as nearly all are.
    Memory(Bytes),
    /// Too large for that.
    Spilled(Arc<Spilled>),
}

impl Content {
    /// How many octets it has.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        match self {
            Content::Memory(octets) => octets.len() as u64,
            Content::Spilled(spilled) => spilled.size_bytes(),
        }
    }

    /// All octets, contiguous; what was spilled is read into memory, for which there must be room in the budget by `deadline`.
    ///
    /// # Errors
    /// There was no room in time, or the disk does not give back what was written.
    pub async fn load(&self, deadline: Instant) -> io::Result<Bytes> {
        match self {
            Content::Memory(octets) => Ok(octets.clone()),
            Content::Spilled(spilled) => spilled.clone().load(deadline).await,
        }
    }
}

impl From<Bytes> for Content {
    fn from(octets: Bytes) -> Content {
        Content::Memory(octets)
    }
}

impl Spilled {
    pub(super) fn size_bytes(&self) -> u64 {
        self.blocks() * BLOCK as u64 + self.rest.len() as u64
    }

    fn blocks(&self) -> u64 {
        self.spill.tags.len() as u64
    }

    async fn load(self: Arc<Self>, deadline: Instant) -> io::Result<Bytes> {
        let room = timeout_at(deadline, self.memory.reserve_to_end(self.size_bytes())).await.ok().flatten();
        let room = room.ok_or(io::ErrorKind::TimedOut)?;
        let octets = spawn_blocking(move || self.read_all()).await.map_err(io::Error::other)??;
        Ok(room.hold(octets))
    }

    fn read_all(&self) -> io::Result<Vec<u8>> {
        let size = usize::try_from(self.size_bytes()).map_err(io::Error::other)?;
        let (mut octets, mut sealed) = (vec![0; size], vec![0; BLOCK]);
        for (number, block) in (0..self.blocks()).zip(octets.chunks_exact_mut(BLOCK)) {
            self.read_block(number, &mut sealed, block)?;
        }
        octets[size - self.rest.len()..].copy_from_slice(&self.rest);
        Ok(octets)
    }

    fn read_block(&self, number: u64, sealed: &mut [u8], block: &mut [u8]) -> io::Result<()> {
        let tag = usize::try_from(number).ok().and_then(|n| self.spill.tags.get(n)).ok_or(io::ErrorKind::UnexpectedEof)?;
        self.spill.file.read_exact_at(sealed, number * BLOCK as u64)?;
        let opened = self.spill.key.open_separate_gather(nonce(number), Aad::empty(), sealed, tag, block);
        opened.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "a block of a mail was changed on the disk"))
    }

    /// The piece of this number, from 0; `None` behind the last. Off the async threads.
    pub(super) async fn piece(self: &Arc<Self>, number: u64) -> io::Result<Option<Bytes>> {
        if number >= self.blocks() {
            return Ok((number == self.blocks()).then(|| self.rest.clone()));
        }
        let spilled = self.clone();
        let read = spawn_blocking(move || {
            let (mut sealed, mut block) = (vec![0; BLOCK], vec![0; BLOCK]);
            spilled.read_block(number, &mut sealed, &mut block).map(|()| Bytes::from(block))
        });
        read.await.map_err(io::Error::other)?.map(Some)
    }
}

/// Its size alone.
impl fmt::Debug for Spilled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spilled({} octets)", self.size_bytes())
    }
}

impl fmt::Debug for Spill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spill({} blocks)", self.tags.len())
    }
}

/// Each block of a key has its number as nonce, and is encrypted once.
fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

fn full() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

/// A file in `folder` that has no name: nobody else can open it, and it goes with its last handle, in a crash too.
fn nameless(folder: &Path) -> io::Result<File> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{Mode, OFlags, open};
        match open(folder, OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR) {
            Ok(file) => return Ok(file.into()),
            // Not every file system can do that.
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::ISDIR | rustix::io::Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
    }
    named_and_removed(folder)
}

/// A file whose name is taken away before anything is written.
fn named_and_removed(folder: &Path) -> io::Result<File> {
    let path = folder.join(format!(".spill-{}", secret::hex(&secret::random::<16>())));
    let file = OpenOptions::new().create_new(true).read(true).write(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{os::unix::fs::PermissionsExt, time::Duration};

    fn text(octets: usize) -> Vec<u8> {
        (0..octets).map(|n| b'a' + u8::try_from(n / 1000 % 26).unwrap()).collect()
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_secs(60)
    }

    fn spilled(folder: &SpillFolder, memory: &Budget, octets: &[u8]) -> Content {
        let (mut spill, mut rest) = (Spill::begin(folder).unwrap(), octets.to_vec());
        spill.write(&mut rest).unwrap();
        assert!(rest.len() < BLOCK);
        spill.end(rest.into(), memory.clone())
    }

    #[tokio::test]
    async fn what_was_spilled_comes_back_whole_and_by_pieces_and_all_room_is_given_back() {
        let place = tempfile::tempdir().unwrap();
        let (folder, memory) = (SpillFolder::new(place.path(), 1 << 30), Budget::new(1 << 30));
        for size in [BLOCK, 3 * BLOCK, 3 * BLOCK + 1, 4 * BLOCK - 1] {
            let octets = text(size);
            let content = spilled(&folder, &memory, &octets);
            assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0, "a file has a name");
            assert_eq!(content.size_bytes(), size as u64);
            let loaded = content.load(later()).await.unwrap();
            assert_eq!((loaded == octets, memory.free()), (true, (1 << 30) - size as u64));
            drop(loaded);
            let Content::Spilled(spilled) = &content else { panic!() };
            let mut pieces = Vec::new();
            for number in 0.. {
                let Some(piece) = spilled.piece(number).await.unwrap() else { break };
                pieces.extend_from_slice(&piece);
            }
            assert!(pieces == octets);
            drop(content);
            assert_eq!((folder.free(), memory.free()), (1 << 30, 1 << 30));
        }
    }

    #[tokio::test]
    async fn nothing_readable_reaches_the_disk_and_what_was_changed_there_does_not_open() {
        let place = tempfile::tempdir().unwrap();
        for file in [nameless(place.path()).unwrap(), named_and_removed(place.path()).unwrap()] {
            assert_eq!((file.metadata().unwrap().permissions().mode() & 0o777, fs::read_dir(place.path()).unwrap().count()), (0o600, 0));
        }
        let memory = Budget::new(1 << 30);
        let content = spilled(&SpillFolder::new(place.path(), 1 << 30), &memory, &text(2 * BLOCK));
        let Content::Spilled(spilled) = &content else { panic!() };
        let mut on_disk = vec![0; 2 * BLOCK];
        spilled.spill.file.read_exact_at(&mut on_disk, 0).unwrap();
        assert!(!on_disk.windows(8).any(|w| w == b"aaaaaaaa" || w == b"bbbbbbbb"));
        // Two blocks swapped, then one octet turned.
        let (first, second) = on_disk.split_at(BLOCK);
        spilled.spill.file.write_all_at(&[second, first].concat(), 0).unwrap();
        assert_eq!(content.load(later()).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
        on_disk[BLOCK + 7] ^= 1;
        spilled.spill.file.write_all_at(&on_disk, 0).unwrap();
        assert!(spilled.piece(0).await.is_ok() && spilled.piece(1).await.is_err());
        assert_eq!(memory.free(), 1 << 30);
    }

    #[test]
    fn a_disk_without_room_leaves_the_octets_where_they_are() {
        let place = tempfile::tempdir().unwrap();
        let folder = SpillFolder::new(place.path(), 2 * BLOCK as u64);
        let (mut spill, octets) = (Spill::begin(&folder).unwrap(), text(3 * BLOCK + 5));
        let mut rest = octets.clone();
        assert_eq!(spill.write(&mut rest).unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert!(rest == octets[2 * BLOCK..] && spill.tags.len() == 2);
        assert!(Spill::begin(&SpillFolder::new(place.path().join("missing"), 1 << 30)).is_err());
    }

    #[tokio::test]
    async fn loading_waits_for_room_until_the_deadline() {
        let place = tempfile::tempdir().unwrap();
        let memory = Budget::new(2 * BLOCK as u64);
        let content = spilled(&SpillFolder::new(place.path(), 1 << 30), &memory, &text(2 * BLOCK));
        let held = memory.take(1, 0).unwrap();
        let error = content.load(Instant::now() + Duration::from_millis(1)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        drop(held);
        assert!(content.load(later()).await.is_ok());
    }
}
