//! The soak: mail of all kinds for some time through the real binary, which is killed, reloaded and restarted at random moments, from clients that
//! hang up at any octet, to a next hop that refuses, hangs, and drops at any octet. In the end nothing that was acknowledged is lost, nothing that
//! was to be sealed has left in clear, nobody has heard of a mail twice without a reason, and memory has stayed flat.
//!
//! `ZEGEL_SOAK_SECONDS` says how long, `ZEGEL_SOAK_SEED` repeats the choices of a run (their order among processes is the system's). The folder of
//! a run that fails stays, with its ledger: `B id version` before a mail is sent, `A id version` once it is acknowledged.

mod client;
pub(crate) mod dice;
mod hop;
mod letter;
mod life;
mod verdict;

use client::Queued;
use dice::Dice;
use hop::Hop;
use life::{Lives, Plan};
use std::{
    collections::VecDeque,
    io::Write as _,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};
use verdict::Verdict;
use zegel::{
    clock::{Clock as _, SystemClock},
    record::{Batch, Expect, Key, KeyRange, Op},
    secret::Id,
    store::{self, Opened, StoreOptions},
};

/// Seconds of load in `cargo verify`; `.ci/run` and `.ci/long` ask for more.
const SECONDS: u64 = 6;

/// Faults of the next hop in a thousand commands.
const HOP_FAULTS: usize = 25;

/// What each mail has come to.
#[derive(Default)]
pub(crate) struct Ledger {
    /// To be sent, or to be sent again.
    pub(crate) queue: VecDeque<Queued>,
    pub(crate) taken: Vec<Queued>,
    pub(crate) refused: Vec<Queued>,
    /// Mails begun so far.
    pub(crate) begun: usize,
    file: Option<std::fs::File>,
}

impl Ledger {
    fn new(file: std::fs::File) -> Arc<Mutex<Ledger>> {
        Arc::new(Mutex::new(Ledger { file: Some(file), ..Ledger::default() }))
    }

    /// Writes down that a mail is begun (`B`) or acknowledged (`A`).
    pub(crate) fn write(&mut self, what: char, letter: letter::Letter) {
        let file = self.file.as_mut().expect("it was opened");
        writeln!(file, "{what} {} {}", letter.id, letter.version).expect("the ledger can be written");
    }
}

fn open_store(folder: &std::path::Path) -> Opened {
    store::open(&StoreOptions::new(folder.join("data"), folder.join("keys"), SystemClock.now())).unwrap()
}

/// Makes every row of the outbox due, as hours would. No zegel runs on the folder.
async fn let_hours_pass(opened: &Opened) -> usize {
    let rows = opened.store.list(&KeyRange::under("outbox"), usize::MAX).await.unwrap();
    let count = rows.len();
    for (key, record) in rows {
        let id = key.segments().last().and_then(Id::parse).unwrap();
        let mut batch = Batch::new();
        let now = Key::outbox(SystemClock.now(), id);
        batch.delete(key, Expect::Version(record.version));
        batch.ops.push(Op::Put { key: now, value: record.value, expect: Expect::Absent });
        opened.store.commit(batch).await.unwrap();
    }
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_acknowledged_is_lost_whatever_fails() {
    let seconds = std::env::var("ZEGEL_SOAK_SECONDS").ok().map_or(SECONDS, |s| s.parse().expect("ZEGEL_SOAK_SECONDS is a whole number"));
    let seed = Dice::seed("ZEGEL_SOAK_SEED");
    // Kept unless all is well: it is what a failure is looked for in.
    let folder: PathBuf = tempfile::Builder::new().prefix("zegel-soak-").tempdir().unwrap().keep();
    println!("soak: ZEGEL_SOAK_SEED={seed} ZEGEL_SOAK_SECONDS={seconds} folder={}", folder.display());
    let mut dice = Dice::new(seed);
    let patience = if seconds < 60 { Duration::from_millis(600) } else { Duration::from_secs(5) };
    let hop = Hop::start(dice.split(), HOP_FAULTS, patience).await;
    let ledger = Ledger::new(std::fs::File::create(folder.join("ledger")).unwrap());
    let mut lives = Lives::new(&folder, &hop, ledger.clone(), dice);

    let end = Instant::now() + Duration::from_secs(seconds);
    let steady = Duration::from_secs((seconds / 4).clamp(3, 300));
    let short = Duration::from_secs((seconds / 30).clamp(1, 20));
    let lives_of_a_kind = [Plan::Steady(steady), Plan::Short(short), Plan::Short(short), Plan::Short(short)];
    for plan in lives_of_a_kind.into_iter().cycle() {
        // On a busy machine a life may take longer than the whole soak should: one of each kind there is.
        if Instant::now() >= end && lives.count() >= lives_of_a_kind.len() {
            break;
        }
        lives.live(plan).await;
    }

    // From now on all is well: everything waiting arrives.
    hop.heal();
    lives.live(Plan::Settling).await;
    for _ in 0..4 {
        let opened = open_store(&folder);
        let waiting = let_hours_pass(&opened).await;
        drop(opened);
        if waiting == 0 {
            break;
        }
        lives.live(Plan::Draining(waiting)).await;
    }
    let opened = open_store(&folder);
    let ledger = std::mem::take(&mut *ledger.lock().unwrap());
    let verdict = Verdict { opened: &opened, hop: &hop, portal: &lives.portal, ledger: &ledger, kills: lives.kills };
    let told = verdict.reach().await;
    lives.is_sound();
    println!("soak: {told}; {}", lives.told());
    std::fs::remove_dir_all(folder).unwrap();
}
