//! The door for commands while zegel runs: a socket in the data folder that only its owner can open.
//!
//! One process owns a store. A command that needs it asks the one that runs, and opens the store itself when none does: both end in [`carry_out`].

mod phone;
mod quarantine;

use crate::{
    address::Address,
    clock::Clock,
    record::Unreadable,
    seal::Damaged,
    secret::Secret,
    store::{Keyring, Store, StoreError},
};
use serde::{Deserialize, Serialize};
use std::{
    io::{self, Read as _, Write as _},
    os::unix::{fs::PermissionsExt as _, net::UnixStream as BlockingStream},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    sync::watch,
};

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("something in the store can't be opened: {0}; is the key folder the one of this store?")]
    Damaged(#[from] Damaged),
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
    #[error("no number is known for {0}")]
    Unknown(Address),
    #[error("{0} is no address")]
    Address(String),
    #[error("this is no number to which a code can be sent")]
    Number,
    #[error("more than {MOST_NUMBERS} numbers in one request")]
    TooMany,
    #[error("no message {0} waits in quarantine; `zegel quarantine list` shows which do")]
    NotWaiting(String),
    #[error("another policy asks for protection of all who wait: release it without --openly")]
    NotOpenly,
    #[error("it was refused before")]
    Refused,
    #[error("the number of {0} is not known, and the sender can't be asked: `zegel phone set` gives it")]
    NumberMissing(Address),
}

/// So many records are read at a time.
const PAGE: usize = 500;

/// A request is a line of JSON; the longest is an import of [`MOST_NUMBERS`] numbers, each of some 300 octets with its address.
const REQUEST_BYTES: u64 = 512 * 1024;

/// So many numbers are imported by one request: two rows of a batch each.
pub const MOST_NUMBERS: usize = 500;

/// How long one side waits for the other: listing a hundred thousand numbers takes a few seconds.
const WAIT: Duration = Duration::from_secs(60);

/// What a command asks for.
#[derive(Serialize, Deserialize)]
pub enum Request {
    /// Whose numbers are known: a line each, the numbers masked.
    PhoneList,
    /// Remember a recipient's number.
    PhoneSet {
        /// The recipient.
        address: String,
        /// The number, in international form.
        number: Secret<String>,
    },
    /// Remember the numbers of many recipients, [`MOST_NUMBERS`] at most: all of them, or none.
    PhoneImport {
        /// Each recipient with his number, in international form; none twice.
        numbers: Vec<(String, Secret<String>)>,
        /// Only say what would change.
        dry_run: bool,
    },
    /// Forget a recipient's number.
    PhoneForget {
        /// The recipient.
        address: String,
    },
    /// What waits in quarantine: a line each, no content.
    QuarantineList,
    /// Let a message go to its recipients.
    QuarantineRelease {
        /// The message.
        id: String,
        /// Why it goes as it came, to those for whom no policy asks for protection; `None`: all get a link.
        #[serde(default)]
        openly: Option<String>,
    },
    /// Send a message to nobody, and tell its sender.
    QuarantineRefuse {
        /// The message.
        id: String,
        /// What the sender reads; may be empty.
        reason: String,
    },
}

/// What becomes of a request.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// It was done; what to show.
    Done(String),
    /// Numbers were imported.
    Imported(Imported),
    /// It was not; why, and what to do.
    Failed(String),
}

/// What an import did, or would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Imported {
    /// Recipients of whom no number was known.
    pub added: usize,
    /// Recipients of whom another number was known.
    pub changed: usize,
    /// Recipients whose number was known.
    pub unchanged: usize,
}

/// Where the socket is for the store in `folder`.
#[must_use]
pub fn socket(folder: &Path) -> PathBuf {
    folder.join("control.sock")
}

/// Opens the door; one that a process left behind is replaced. Whoever calls this owns the store.
///
/// # Errors
/// When the system refuses: a path of over 107 bytes, for instance.
pub fn open(folder: &Path) -> io::Result<UnixListener> {
    let path = socket(folder);
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    // The folder itself is 0700; this is the second lock on the same door.
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Answers one request at a time until `shutdown` says true.
pub async fn serve(
    listener: UnixListener,
    store: Arc<dyn Store>,
    keyring: Arc<Keyring>,
    clock: Arc<dyn Clock>,
    mut shutdown: watch::Receiver<bool>,
) {
    while !*shutdown.borrow() {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!("the control socket: {error}");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    continue;
                }
            },
            _ = shutdown.changed() => break,
        };
        match tokio::time::timeout(WAIT, answer(stream, store.as_ref(), &keyring, clock.as_ref())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("a command broke off: {error}"),
            Err(_) => tracing::warn!("a command took over {} s", WAIT.as_secs()),
        }
    }
}

async fn answer(mut stream: UnixStream, store: &dyn Store, keyring: &Keyring, clock: &dyn Clock) -> io::Result<()> {
    let mut text = Vec::new();
    (&mut stream).take(REQUEST_BYTES).read_to_end(&mut text).await?;
    let answer = match serde_json::from_slice(&text) {
        Ok(request) => carry_out(&request, store, keyring, clock).await,
        Err(_) => Answer::Failed("this zegel does not know the command; is the one that runs of another version?".to_owned()),
    };
    stream.write_all(&serde_json::to_vec(&answer)?).await?;
    stream.shutdown().await
}

/// Does what a command asks for, on a store that is ours.
pub async fn carry_out(request: &Request, store: &dyn Store, keyring: &Keyring, clock: &dyn Clock) -> Answer {
    let (master, now) = (keyring.master(), clock.now());
    let done = match request {
        Request::PhoneImport { numbers, dry_run } => {
            return match phone::import(store, &master, numbers, *dry_run, now).await {
                Ok(imported) => Answer::Imported(imported),
                Err(trouble) => Answer::Failed(trouble.to_string()),
            };
        }
        Request::PhoneList => phone::list(store, &master).await,
        Request::PhoneSet { address, number } => phone::set(store, &master, address, number, now).await,
        Request::PhoneForget { address } => phone::forget(store, &master, address, now).await,
        Request::QuarantineList => quarantine::list(store, &master).await,
        Request::QuarantineRelease { id, openly } => quarantine::release(store, keyring, id, openly.as_deref(), now).await,
        Request::QuarantineRefuse { id, reason } => quarantine::refuse(store, &master, id, reason, now).await,
    };
    match done {
        Ok(shown) => Answer::Done(shown),
        Err(trouble) => Answer::Failed(trouble.to_string()),
    }
}

/// Asks the zegel that runs over the store in `folder`; `None` when none does.
///
/// # Errors
/// When it does not answer.
pub fn ask(folder: &Path, request: &Request) -> io::Result<Option<Answer>> {
    let mut stream = match BlockingStream::connect(socket(folder)) {
        Ok(stream) => stream,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => return Ok(None),
        Err(e) => return Err(e),
    };
    stream.set_read_timeout(Some(WAIT))?;
    stream.set_write_timeout(Some(WAIT))?;
    stream.write_all(&serde_json::to_vec(request)?)?;
    stream.shutdown(std::net::Shutdown::Write)?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text)?;
    Ok(Some(serde_json::from_slice(&text)?))
}
