//! Real files, mutated, as attachments through a running zegel: every mail is answered, and none leaves in clear because it could not be read.
//!
//! The files are those of the extraction corpus where it lies beside the checkout, and the record in every format (`tests/formats`), which is all
//! there is without it. `ZEGEL_MUTATED_FILES` says how many, `ZEGEL_MUTATED_SEED` repeats a run; `.ci/long mutated` asks for ten thousand.

use crate::{
    formats::{mail_with, record},
    process::{Zegel, configure, free_port},
    soak::dice::Dice,
    world::{ANNA, contains, outside, send_to},
};
use std::{
    collections::{BTreeMap, HashSet},
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use zegel::{
    extract::{self, Extraction, Limits, Source},
    message::Message,
};

/// Files in `cargo verify`.
const FILES: usize = 240;

/// Of the files of `cargo verify`.
const SEED: u64 = 1;
/// Clients that send at the same time.
const CLIENTS: usize = 4;
/// Mails of one zegel and its mail server, which keeps them all in memory.
const ROUND: usize = 500;
/// How often a mail that is answered 4xx comes again: a busy machine has no worker for a while, and no mail waits for ever.
const TRIES: usize = 10;

/// A problem seals, and so does what the files of the tests hold.
const POLICIES: &str = "[[policy]]\nname = \"Onleesbaar\"\n\
    when = { problem = [\"encrypted\", \"damaged\", \"unsupported\", \"too-deep\", \"too-large\", \"timeout\"], to = \"external\" }\nthen = \"level 1\"\n\
    [[policy]]\nname = \"BSN\"\nwhen = { rule = \"bsn\", to = \"external\" }\nthen = \"level 2\"\n";

/// A file as it was, how much text it gave, and the words of that.
struct Original {
    name: String,
    octets: Vec<u8>,
    text: usize,
    words: HashSet<String>,
}

fn originals() -> Vec<Arc<Original>> {
    let mut files: Vec<(String, Vec<u8>)> = record::files().into_iter().map(|file| (file.name.to_owned(), file.octets)).collect();
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/extraction/files");
    let made = files.len();
    for entry in fs::read_dir(&corpus).into_iter().flatten() {
        let path = entry.unwrap().path();
        files.push((path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()));
    }
    files.sort();
    println!("mutated: {made} files of the tests' own, {} of {}", files.len() - made, corpus.display());
    let original = |(name, octets): (String, Vec<u8>)| {
        let extraction = read(&name, &octets);
        Arc::new(Original { text: text_of(&extraction), words: words_of(&extraction), name, octets })
    };
    files.into_iter().map(original).collect()
}

/// One change, or a few: of the kinds that happen to files on their way, and those that an attacker makes.
fn mutated(original: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut octets = original.to_vec();
    for _ in 0..=dice.below(3) {
        let length = octets.len();
        if length < 2 {
            break;
        }
        let block = 1 + dice.below((length / 2).min(4096));
        let (from, to) = (dice.below(length - block + 1), dice.below(length - block + 1));
        match dice.below(7) {
            0 => octets.truncate(1 + dice.below(length - 1)),
            1 => (0..=dice.below(32)).for_each(|_| octets[dice.below(length)] ^= 1 << dice.below(8)),
            2 => octets[from..from + block].fill(if dice.chance(500) { 0 } else { 0xFF }),
            3 => {
                let copy = octets[from..from + block].to_vec();
                octets.splice(to..to, copy);
            }
            4 => {
                let (one, other) = (octets[from..from + block].to_vec(), octets[to..to + block].to_vec());
                octets[to..to + block].copy_from_slice(&one);
                octets[from..from + block].copy_from_slice(&other);
            }
            5 => drop(octets.drain(from..from + block)),
            _ => length_changed(&mut octets, dice),
        }
    }
    octets
}

/// A number that might be a length becomes another one.
fn length_changed(octets: &mut [u8], dice: &mut Dice) {
    let width = dice.pick(&[1, 2, 4, 8]).min(octets.len());
    let at = dice.below(octets.len() - width + 1);
    let odd = dice.pick(&[0, 1, 0x7F, 0x80, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, u64::MAX]);
    octets[at..at + width].copy_from_slice(&odd.to_le_bytes()[..width]);
}

/// The mail, read in this process.
fn read(name: &str, octets: &[u8]) -> Extraction {
    let limits = Limits::default();
    let (shallow, unopened) = extract::message(&Message::new(mail_with(name, octets).into()), &limits);
    let opened = unopened.iter().map(|part| (part.at, extract::file(part, &limits))).collect();
    extract::join(shallow, opened)
}

/// Octets of text in the attachment itself.
fn text_of(extraction: &Extraction) -> usize {
    let in_file = extraction.texts.iter().filter(|text| text.part.starts_with("attachment") && text.source != Source::FileName);
    in_file.map(|text| text.text.trim().len()).sum()
}

/// Words long enough to be nothing else than words, in the attachment itself.
fn words_of(extraction: &Extraction) -> HashSet<String> {
    const SHORTEST: usize = 6;
    let in_file = extraction.texts.iter().filter(|text| text.part.starts_with("attachment") && text.source != Source::FileName);
    let words = in_file.flat_map(|text| text.text.split(|c: char| !c.is_alphanumeric()));
    words.filter(|word| word.len() >= SHORTEST).map(str::to_owned).collect()
}

/// Whether there is nothing to be read in a file: no letter or digit, but in the tags of what is a page from its first octet on.
fn says_nothing(octets: &[u8]) -> bool {
    let text = String::from_utf8_lossy(octets);
    let mut rest = text.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '<');
    while let Some((_, behind)) = rest.strip_prefix('<').and_then(|tag| tag.split_once('>')) {
        rest = behind.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '<');
    }
    rest.is_empty()
}

/// What has become of mails.
#[derive(Default)]
struct Outcomes {
    counts: BTreeMap<&'static str, usize>,
    failures: BTreeMap<String, usize>,
    times: Vec<Duration>,
    /// What is a fault.
    faults: Vec<String>,
}

impl Outcomes {
    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn tell(&mut self) {
        self.times.sort();
        let at = |share: usize| self.times[(self.times.len() - 1) * share / 100].as_secs_f64() * 1e3;
        println!("mutated: {} mails: {:?}; workers that failed: {:?}", self.times.len(), self.counts, self.failures);
        println!("mutated: answered in p50 {:.1} ms, p99 {:.1} ms, at most {:.0} ms", at(50), at(99), at(100));
    }
}

/// A mail on its way: its number, its file.
struct Sent {
    number: usize,
    octets: Vec<u8>,
    original: Arc<Original>,
}

impl Sent {
    fn to(&self) -> String {
        format!("n{}@post.example", self.number)
    }

    /// Why this must not have left in clear; `None` when it may.
    fn is_wrong_in_clear(&self, outcomes: &mut Outcomes) -> Option<String> {
        let Ok(extraction) = std::panic::catch_unwind(|| read(&self.original.name, &self.octets)) else {
            return Some("a reader panics".into());
        };
        let text = text_of(&extraction);
        if text * 2 < self.original.text {
            outcomes.count("in clear, with less than half of the text");
            self.tell_lost(&extraction);
        }
        if !extraction.problems.is_empty() {
            return Some(format!("a second reading has problems: {:?}", extraction.problems));
        }
        (text == 0 && !says_nothing(&self.octets)).then(|| "no text came out of it, and no problem".into())
    }

    /// Tells which words are no longer read although they still stand in the file as they are.
    fn tell_lost(&self, extraction: &Extraction) {
        let read = words_of(extraction);
        let stands = |word: &&String| {
            let wide: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
            contains(&self.octets, word.as_bytes()) || contains(&self.octets, &wide)
        };
        let mut unread: Vec<&String> = self.original.words.difference(&read).filter(stands).collect();
        unread.sort();
        if !unread.is_empty() {
            let kept = self.kept();
            println!("mutated: {}: {} of {} words not read: {:.150}", kept, unread.len(), self.original.words.len(), format!("{unread:?}"));
        }
    }

    /// Keeps the file, to be looked at.
    fn kept(&self) -> String {
        let kept = std::env::temp_dir().join(format!("zegel-mutated-{}-{}", self.number, self.original.name));
        fs::write(&kept, &self.octets).unwrap();
        kept.display().to_string()
    }
}

/// Sends as a mail server does, until it is taken or refused for good: the last code, and how long that answer took.
async fn answered(gateway: SocketAddr, sent: &Sent) -> (u16, usize, Duration) {
    let mail = mail_with(&sent.original.name, &sent.octets);
    for tries in 1.. {
        let begun = Instant::now();
        let code = send_to(gateway, ANNA, &[&sent.to()], &mail).await.code();
        if code / 100 != 4 || tries == TRIES {
            return (code, tries, begun.elapsed());
        }
    }
    unreachable!("it is tried so often only")
}

/// `ROUND` mails at most through a zegel of their own.
async fn round(mails: Vec<Sent>, outcomes: &mut Outcomes) {
    let folder = TempDir::new().unwrap();
    let (outside, hop, _keep) = outside().await;
    let (gateway, _) = configure(folder.path(), hop);
    let metrics = free_port();
    let config = fs::read_to_string(folder.path().join("zegel.toml")).unwrap() + &format!("[metrics]\nlisten = [\"{metrics}\"]\n");
    fs::write(folder.path().join("zegel.toml"), config).unwrap();
    fs::create_dir(folder.path().join("policies")).unwrap();
    fs::write(folder.path().join("policies/eigen.toml"), POLICIES).unwrap();
    let zegel = Zegel::run(folder.path());
    let (mails, mut clients) = (Arc::new(mails), tokio::task::JoinSet::new());
    for client in 0..CLIENTS {
        let mails = mails.clone();
        clients.spawn(async move {
            let mut answers = Vec::new();
            for at in (client..mails.len()).step_by(CLIENTS) {
                answers.push((at, answered(gateway, &mails[at]).await));
            }
            answers
        });
    }
    let answers = clients.join_all().await.concat();
    // What is clean was handed on before its answer.
    let arrived = outside.mails();
    let is_of = |to: &str, of: &Sent| to == of.to();
    for (at, (code, tries, took)) in answers {
        let sent = &mails[at];
        outcomes.times.push(took);
        if tries > 1 {
            outcomes.count("answered 4xx at first");
        }
        let in_clear = arrived.iter().any(|m| m.to.iter().any(|to| is_of(to.as_str(), sent)) && contains(&m.octets, b"Zie de bijlage."));
        outcomes.count(if in_clear { "in clear" } else { "sealed or held" });
        let fault = if code != 250 {
            Some(format!("answered {code} after {tries} tries"))
        } else if in_clear {
            sent.is_wrong_in_clear(outcomes)
        } else {
            None
        };
        if let Some(fault) = fault {
            outcomes.faults.push(format!("{}: {fault}", sent.kept()));
        }
    }
    for (how, count) in failures(metrics) {
        *outcomes.failures.entry(how).or_default() += count;
    }
    zegel.terminate();
}

/// How workers have failed, by the metrics.
fn failures(address: SocketAddr) -> Vec<(String, usize)> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let failure = |line: &str| {
        let (how, count) = line.strip_prefix("zegel_reader_failures_total{how=\"")?.split_once("\"} ")?;
        Some((how.to_owned(), count.trim().parse().ok()?))
    };
    answer.lines().filter_map(failure).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn mutated_files_are_answered_and_none_passes_unread() {
    let files = std::env::var("ZEGEL_MUTATED_FILES").ok().map_or(FILES, |n| n.parse().expect("ZEGEL_MUTATED_FILES is a whole number"));
    // Every run of the tests sends the same files: those that look for new findings say how many they want.
    let looks = ["ZEGEL_MUTATED_FILES", "ZEGEL_MUTATED_SEED"].iter().any(|name| std::env::var_os(name).is_some());
    let seed = if looks { Dice::seed("ZEGEL_MUTATED_SEED") } else { SEED };
    println!("mutated: ZEGEL_MUTATED_SEED={seed} ZEGEL_MUTATED_FILES={files}");
    let (mut dice, originals) = (Dice::new(seed), originals());
    let mut outcomes = Outcomes::default();
    for begin in (0..files).step_by(ROUND) {
        let make = |number| {
            let original = &originals[number % originals.len()];
            Sent { number, octets: mutated(&original.octets, &mut dice), original: original.clone() }
        };
        round((begin..files.min(begin + ROUND)).map(make).collect(), &mut outcomes).await;
    }
    outcomes.tell();
    assert!(outcomes.faults.is_empty(), "{} of them:\n{}", outcomes.faults.len(), outcomes.faults.join("\n"));
}
