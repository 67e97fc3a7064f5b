//! One zegel after another on the same folder, under load, each ended at a moment that nobody chose.

use super::{
    Ledger,
    client::{Client, Heard, Queued},
    dice::Dice,
    hop::Hop,
    letter::Letter,
};
use crate::process::{Zegel, configure, signal};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{task::JoinSet, time::sleep};

/// Clients that send at the same time.
const CLIENTS: usize = 8;

/// Times in a thousand mails that a client hangs up.
const HANGS_UP: usize = 60;

/// Resident memory at the end of a life may be so many hundredths of that after its warm-up, and [`SLACK_KB`] besides.
const GROWTH_PERCENT: u64 = 125;

/// What a few large mails under way at once make of a difference.
const SLACK_KB: u64 = 24 << 10;

/// What a life is like.
#[derive(Clone, Copy)]
pub(crate) enum Plan {
    /// Under load for so long, with reloads; then ended by kill -9 or SIGTERM.
    Steady(Duration),
    /// Under load for a random part of this time, perhaps killed before it is ready.
    Short(Duration),
    /// Every mail that waits is sent again until it has its answer.
    Settling,
    /// Until the outbox, with so many rows, has got rid of them.
    Draining(usize),
}

/// The lives of a soak.
pub(crate) struct Lives {
    folder: PathBuf,
    gateway: SocketAddr,
    pub(crate) portal: String,
    configuration: String,
    ledger: Arc<Mutex<Ledger>>,
    dice: Dice,
    count: usize,
    pub(crate) kills: usize,
    reloads: usize,
    /// Memory in KB after the warm-up and at the end, of each steady life.
    memory: Vec<(u64, u64)>,
    /// Lines of the log that no life may have.
    complaints: Vec<String>,
}

impl Lives {
    pub(crate) fn new(folder: &Path, hop: &Hop, ledger: Arc<Mutex<Ledger>>, dice: Dice) -> Lives {
        let (gateway, portal) = configure(folder, hop.address);
        let configuration = fs::read_to_string(folder.join("zegel.toml")).unwrap();
        Lives {
            folder: folder.to_owned(),
            gateway,
            portal,
            configuration,
            ledger,
            dice,
            count: 0,
            kills: 0,
            reloads: 0,
            memory: Vec::new(),
            complaints: Vec::new(),
        }
    }

    /// Lives so far.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// One life from start to end.
    pub(crate) async fn live(&mut self, plan: Plan) {
        self.count += 1;
        self.configured(true);
        let said = match plan {
            Plan::Steady(time) => self.steady(time).await,
            Plan::Short(most) if self.dice.chance(150) => {
                let zegel = Zegel::start(&self.folder);
                sleep(self.dice.time(most.min(Duration::from_millis(500)))).await;
                self.kill(zegel)
            }
            Plan::Short(most) => {
                let zegel = tokio::task::block_in_place(|| Zegel::run(&self.folder));
                let load = Load::begin(self);
                sleep(self.dice.time(most)).await;
                let said = self.kill(zegel);
                load.end().await;
                said
            }
            Plan::Settling => {
                let zegel = tokio::task::block_in_place(|| Zegel::run(&self.folder));
                self.settle().await;
                tokio::task::block_in_place(|| zegel.terminate())
            }
            Plan::Draining(rows) => {
                let mut zegel = tokio::task::block_in_place(|| Zegel::run(&self.folder));
                tokio::task::block_in_place(|| (0..rows).for_each(|_| zegel.wait_for("INFO mail ")));
                tokio::task::block_in_place(|| zegel.terminate())
            }
        };
        self.complaints.extend(said.into_iter().filter(|line| line.contains("panic") || line.contains("this is a bug")));
    }

    fn kill(&mut self, zegel: Zegel) -> Vec<String> {
        self.kills += 1;
        zegel.kill()
    }

    /// A life long enough to see whether memory grows.
    async fn steady(&mut self, time: Duration) -> Vec<String> {
        let mut zegel = tokio::task::block_in_place(|| Zegel::run(&self.folder));
        let load = Load::begin(self);
        let begun = Instant::now();
        let mut most = (0, 0);
        while begun.elapsed() < time {
            sleep(self.dice.time(Duration::from_millis(200))).await;
            let resident = resident_kb(zegel.pid());
            let warm = begun.elapsed() < time / 2;
            let half = if warm { &mut most.0 } else { &mut most.1 };
            *half = resident.max(*half);
            if self.dice.chance(60) {
                self.reload(&mut zegel);
            }
        }
        self.memory.push(most);
        if self.dice.chance(500) {
            let said = self.kill(zegel);
            load.end().await;
            return said;
        }
        load.stop.store(true, Ordering::SeqCst);
        let said = tokio::task::block_in_place(|| zegel.terminate());
        load.end().await;
        said
    }

    /// SIGHUP, sometimes with a configuration that is none.
    fn reload(&mut self, zegel: &mut Zegel) {
        self.reloads += 1;
        let right = self.dice.chance(500);
        self.configured(right);
        signal(zegel.pid(), "HUP");
        tokio::task::block_in_place(|| zegel.wait_for(if right { "INFO reloaded" } else { "not reloaded: 1 fault" }));
    }

    fn configured(&self, right: bool) {
        let text = if right { self.configuration.clone() } else { self.configuration.replace("domains", "domain") };
        let text = if right { text } else { text.replace("[organisation]", "[organisation]\ndomains = [\"gemeente.example\"]") };
        fs::write(self.folder.join("zegel.toml"), text).unwrap();
    }

    /// The next hop is well: every mail has its answer after few attempts.
    async fn settle(&self) {
        let mut client = Client::new(self.gateway, Dice::new(1), 0);
        let mut left = 20 + 3 * self.ledger.lock().unwrap().queue.len();
        loop {
            let Some(mut mail) = self.ledger.lock().unwrap().queue.pop_front() else { break };
            let heard = client.attempt(&mut mail).await;
            left -= 1;
            assert!(left > 0, "all is well, and yet {mail:?} hears {heard:?}");
            note(&self.ledger, mail, heard);
        }
        client.quit().await;
    }

    /// Fails if a life had something to complain of, or grew.
    pub(crate) fn is_sound(&self) {
        assert!(self.complaints.is_empty(), "{:#?}", self.complaints);
        for (warm, end) in &self.memory {
            assert!(*end <= warm * GROWTH_PERCENT / 100 + SLACK_KB, "memory grows: {warm} KB after the warm-up, {end} KB at the end");
        }
    }

    pub(crate) fn told(&self) -> String {
        let memory: Vec<_> = self.memory.iter().map(|(warm, end)| format!("{}->{}", warm >> 10, end >> 10)).collect();
        format!("{} lives, {} kills, {} reloads, memory in MB {}", self.count, self.kills, self.reloads, memory.join(" "))
    }
}

/// The clients of one life.
struct Load {
    clients: JoinSet<()>,
    stop: Arc<AtomicBool>,
}

impl Load {
    fn begin(lives: &mut Lives) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(send_until(stop.clone(), lives.ledger.clone(), lives.gateway, lives.count, lives.dice.split()));
        }
        Load { clients, stop }
    }

    /// Waits until no attempt is under way; zegel has gone.
    async fn end(mut self) {
        self.stop.store(true, Ordering::SeqCst);
        while let Some(ended) = self.clients.join_next().await {
            ended.unwrap();
        }
    }
}

/// Sends old mails and new ones, until told to stop or nobody answers.
async fn send_until(stop: Arc<AtomicBool>, ledger: Arc<Mutex<Ledger>>, gateway: SocketAddr, version: usize, mut dice: Dice) {
    let mut client = Client::new(gateway, dice.split(), HANGS_UP);
    while !stop.load(Ordering::SeqCst) {
        let mut mail = next(&ledger, version, &mut dice);
        let heard = client.attempt(&mut mail).await;
        note(&ledger, mail, heard);
        if matches!(heard, Heard::Later | Heard::Nothing) {
            // As a server with a queue would; a dead zegel is not asked a thousand times a second.
            sleep(Duration::from_millis(5 + dice.below(60) as u64)).await;
        }
    }
    client.quit().await;
}

/// One of those that wait, or a new one.
fn next(ledger: &Mutex<Ledger>, version: usize, dice: &mut Dice) -> Queued {
    let mut ledger = ledger.lock().unwrap();
    if dice.chance(500)
        && let Some(mail) = ledger.queue.pop_front()
    {
        return mail;
    }
    let letter = Letter { id: ledger.begun, version };
    ledger.begun += 1;
    ledger.write('B', letter);
    Queued { letter, unheard: 0, refused: Vec::new() }
}

fn note(ledger: &Mutex<Ledger>, mail: Queued, heard: Heard) {
    let mut ledger = ledger.lock().unwrap();
    match heard {
        Heard::Taken => {
            ledger.write('A', mail.letter);
            ledger.taken.push(mail);
        }
        Heard::Refused => ledger.refused.push(mail),
        Heard::Later | Heard::Nothing => ledger.queue.push_back(mail),
    }
}

/// Resident memory; 0 when the process has gone.
fn resident_kb(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|l| l.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}
