//! What was read of files that come again: logos, templates, the attachment that goes to forty people.
//!
//! Text is held no longer than it is of use. Of a file that comes once nothing is kept but a keyed hash of its ends; it must be met a second time
//! before it is hashed whole, and what is read of it kept: for minutes, in memory, bounded, and wiped when it goes.

use crate::{
    extract::{Extraction, Limits, Unopened},
    secret::random,
};
use aws_lc_rs::hmac;
use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use zeroize::Zeroize as _;

/// How long what was read is kept after its file came last: a mailing to many leaves within minutes.
const TIME: Duration = Duration::from_secs(5 * 60);

/// Octets in all, names and places included, of a gateway that must stay small.
const OCTETS: usize = 32 << 20;

/// Octets of one file: an eighth, or one file would drive all others out.
const OCTETS_OF_ONE: usize = OCTETS / 8;

/// Files of which something is kept.
const FILES: usize = 1024;

/// Files that are known to have come: a megabyte, an hour of a busy gateway.
const MET: usize = 16 * 1024;

/// Octets at either end of a file by which it is recognised at first: names, dates and checksums stand there.
const END: usize = 2048;

/// Which file, read how.
pub(super) type Key = [u8; 32];

/// What was read of files, by a hash whose key nobody has, and which ends with the process.
#[derive(Debug)]
pub(super) struct Cache {
    hash: hmac::Key,
    bounds: Bounds,
    met: Mutex<Met>,
    files: Mutex<Files>,
}

#[derive(Clone, Copy, Debug)]
struct Bounds {
    time: Duration,
    octets: usize,
    octets_of_one: usize,
    files: usize,
    met: usize,
}

/// Files that came, by the hash of their ends; the first is the first to go.
#[derive(Debug, Default)]
struct Met {
    ends: HashSet<Key>,
    order: VecDeque<Key>,
}

#[derive(Debug, Default)]
struct Files {
    by_key: HashMap<Key, File>,
    /// By when they came last: the first is the first to go.
    by_use: BTreeMap<u64, Key>,
    uses: u64,
    octets: usize,
}

#[derive(Debug)]
struct File {
    used: u64,
    at: Instant,
    kept: Kept,
}

/// An extraction whose parts begin where the file's own part ends: the same file may lie elsewhere in the next mail.
#[derive(Debug)]
struct Kept(Extraction);

impl Drop for Kept {
    fn drop(&mut self) {
        self.0.texts.iter_mut().for_each(|text| text.text.zeroize());
        parts(&mut self.0).for_each(|part| part.zeroize());
    }
}

impl Cache {
    pub(super) fn new() -> Cache {
        Cache::with(Bounds { time: TIME, octets: OCTETS, octets_of_one: OCTETS_OF_ONE, files: FILES, met: MET })
    }

    fn with(bounds: Bounds) -> Cache {
        let hash = hmac::Key::new(hmac::HMAC_SHA256, &random::<32>());
        Cache { hash, bounds, met: Mutex::default(), files: Mutex::default() }
    }

    /// Whether a file that looks the same at both ends has come before. From now on this one has.
    pub(super) fn meets_again(&self, part: &Unopened) -> bool {
        let octets = &part.octets;
        let ends = self.hashed(part, [&octets[..octets.len().min(END)], &octets[octets.len().saturating_sub(END)..]]);
        let mut met = lock(&self.met);
        if !met.ends.insert(ends) {
            return true;
        }
        met.order.push_back(ends);
        if met.order.len() > self.bounds.met
            && let Some(first) = met.order.pop_front()
        {
            met.ends.remove(&first);
        }
        false
    }

    /// The key of a file: all its octets, and all else that tells how it is read. What is left of a mail's limits is not in it; see [`Cache::get`].
    pub(super) fn key(&self, part: &Unopened) -> Key {
        self.hashed(part, [&part.octets])
    }

    fn hashed<const N: usize>(&self, part: &Unopened, pieces: [&[u8]; N]) -> Key {
        let mut context = hmac::Context::with_key(&self.hash);
        for length in [part.name.len(), part.media_type.len(), part.octets.len(), N, part.depth.into()] {
            context.update(&(length as u64).to_le_bytes());
        }
        for piece in [part.name.as_bytes(), part.media_type.as_bytes()].iter().chain(&pieces) {
            context.update(piece);
        }
        let mut key = Key::default();
        key.copy_from_slice(context.sign().as_ref());
        key
    }

    /// What was read of this file before, if that is known and does not exceed what may still come out of this mail.
    pub(super) fn get(&self, key: &Key, part: &Unopened, limits: &Limits) -> Option<Extraction> {
        let mut files = lock(&self.files);
        let File { kept, at, .. } = files.by_key.get(key)?;
        if at.elapsed() > self.bounds.time {
            return None;
        }
        let mut extraction = kept.0.clone();
        parts(&mut extraction).for_each(|own| own.insert_str(0, &part.part));
        if extraction.text_octets() > limits.text || extraction.beside_octets() > limits.beside {
            return None;
        }
        files.touch(key);
        Some(extraction)
    }

    /// Keeps what was read of a file to its end.
    pub(super) fn put(&self, key: Key, part: &Unopened, extraction: &Extraction) {
        // A text that was cut is whole in another mail, which has room for it.
        let is_cut = extraction.problems.iter().any(|problem| ["text", "cells"].contains(&problem.reason));
        if is_cut || extraction.octets() > self.bounds.octets_of_one {
            return;
        }
        let mut kept = Kept(extraction.clone());
        // A reader that named another part than its own would be told of under a wrong one.
        let is_own = parts(&mut kept.0).all(|own| own.strip_prefix(&part.part).map(str::to_owned).map(|rest| *own = rest).is_some());
        if is_own {
            lock(&self.files).keep(key, kept, self.bounds);
        }
    }

    /// Drops what was not of use for some time.
    pub(super) fn forget_what_is_old(&self) {
        lock(&self.files).forget_before(Instant::now().checked_sub(self.bounds.time));
    }
}

/// Nothing panics while it holds one of these locks; if it did, what is there would still be true.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Files {
    /// Met just now.
    fn touch(&mut self, key: &Key) {
        if let Some(file) = self.by_key.get_mut(key) {
            self.uses += 1;
            self.by_use.remove(&file.used);
            (file.used, file.at) = (self.uses, Instant::now());
            self.by_use.insert(file.used, *key);
        }
    }

    fn keep(&mut self, key: Key, kept: Kept, bounds: Bounds) {
        self.remove(&key);
        self.octets += kept.0.octets();
        self.by_key.insert(key, File { used: 0, at: Instant::now(), kept });
        self.touch(&key);
        while (self.by_key.len() > bounds.files || self.octets > bounds.octets) && self.remove_first() {}
    }

    fn forget_before(&mut self, horizon: Option<Instant>) {
        let Some(horizon) = horizon else { return };
        while self.first().is_some_and(|file| file.at < horizon) && self.remove_first() {}
    }

    fn first(&self) -> Option<&File> {
        self.by_key.get(self.by_use.first_key_value()?.1)
    }

    fn remove_first(&mut self) -> bool {
        let first = self.by_use.first_key_value().map(|(_, key)| *key);
        first.is_some_and(|key| self.remove(&key))
    }

    fn remove(&mut self, key: &Key) -> bool {
        let Some(file) = self.by_key.remove(key) else { return false };
        self.by_use.remove(&file.used);
        self.octets -= file.kept.0.octets();
        true
    }
}

fn parts(extraction: &mut Extraction) -> impl Iterator<Item = &mut String> {
    let problems = extraction.problems.iter_mut().map(|problem| &mut problem.part);
    let facts = extraction.facts.iter_mut().map(|fact| &mut fact.part);
    extraction.texts.iter_mut().map(|text| &mut text.part).chain(problems).chain(facts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::{Places, Problem, ProblemKind, Source, Text};

    fn part(name: &str, octets: &str) -> Unopened {
        let (part, octets) = (format!("attachment \"{name}\""), octets.to_owned().into());
        Unopened { part, name: name.into(), media_type: String::new(), octets, depth: 1, at: 0 }
    }

    fn extraction(part: &Unopened, text: &str) -> Extraction {
        let name = format!("{} > \"sheet\"", part.part);
        let text = Text { part: name.clone(), source: Source::Attachment, text: text.into(), places: Places::None, spans: Vec::new() };
        let problem = Problem { part: name, place: None, kind: ProblemKind::Damaged, reason: "zip" };
        Extraction { texts: vec![text], problems: vec![problem], ..Extraction::default() }
    }

    /// What is kept of a file beside its text.
    fn beside() -> usize {
        extraction(&Unopened { part: String::new(), ..part("", "") }, "").octets()
    }

    /// Room for three files, or for what 100 octets of text in three files take, of which one may have 50.
    fn small() -> Cache {
        let one = extraction(&part("a", ""), "").octets();
        Cache::with(Bounds { time: TIME, octets: 100 + 3 * beside(), octets_of_one: 50 + one, files: 3, met: 3 })
    }

    fn has(cache: &Cache, part: &Unopened) -> bool {
        cache.get(&cache.key(part), part, &Limits::default()).is_some()
    }

    fn put(cache: &Cache, part: &Unopened, octets: usize) {
        cache.put(cache.key(part), part, &extraction(part, &"x".repeat(octets)));
    }

    #[test]
    fn a_file_is_found_wherever_it_lies_and_only_that_file() {
        let (cache, kept) = (small(), part("a.zip", "octets"));
        cache.put(cache.key(&kept), &kept, &extraction(&kept, "text"));
        let elsewhere = Unopened { part: "message > attachment \"a.zip\" (2)".into(), ..kept.clone() };
        let found = cache.get(&cache.key(&elsewhere), &elsewhere, &Limits::default()).unwrap();
        assert_eq!(found.texts[0].part, "message > attachment \"a.zip\" (2) > \"sheet\"");
        assert_eq!(found.problems[0].part, found.texts[0].part);
        for other in [
            part("b.zip", "octets"),
            part("a.zip", "Octets"),
            Unopened { media_type: "text/csv".into(), ..kept.clone() },
            Unopened { depth: 2, ..kept.clone() },
        ] {
            assert!(!has(&cache, &other), "{other:?}");
        }
        // The hints and the octets are told apart.
        let moved = Unopened { name: "a.zi".into(), media_type: "p".into(), ..kept.clone() };
        assert_ne!(cache.key(&moved), cache.key(&kept));
    }

    #[test]
    fn a_mail_gets_no_more_text_than_it_has_room_for_and_no_text_that_was_cut() {
        let (cache, kept) = (small(), part("a.zip", "octets"));
        put(&cache, &kept, 10);
        let room = |text, beside| cache.get(&cache.key(&kept), &kept, &Limits { text, beside, ..Limits::default() }).is_some();
        let beside = extraction(&kept, "").octets();
        assert!(room(10, beside) && !room(9, beside) && !room(10, beside - 1));
        for reason in ["text", "cells"] {
            let cut = part(reason, "octets");
            let mut extraction = extraction(&cut, "text");
            extraction.problems[0].reason = reason;
            cache.put(cache.key(&cut), &cut, &extraction);
            assert!(!has(&cache, &cut), "{reason}");
        }
    }

    #[test]
    fn the_first_to_go_is_what_was_of_no_use_for_longest() {
        let (cache, parts) = (small(), ["a", "b", "c", "d"].map(|name| part(name, "octets")));
        parts[..3].iter().for_each(|part| put(&cache, part, 10));
        assert!(has(&cache, &parts[0]));
        put(&cache, &parts[3], 10);
        assert_eq!(parts.each_ref().map(|part| has(&cache, part)), [true, false, true, true], "three files");
        put(&cache, &parts[1], 50);
        put(&cache, &parts[2], 50);
        assert_eq!(parts.each_ref().map(|part| has(&cache, part)), [false, true, true, false], "100 octets");
        put(&cache, &parts[0], 51);
        assert!(!has(&cache, &parts[0]), "one file has too much");
        assert_eq!(lock(&cache.files).octets, 100 + 2 * beside());
    }

    #[test]
    fn nothing_is_kept_for_longer_than_its_time() {
        let cache = Cache::with(Bounds { time: Duration::ZERO, ..small().bounds });
        let kept = part("a", "octets");
        put(&cache, &kept, 10);
        assert!(!has(&cache, &kept));
        assert_eq!(lock(&cache.files).octets, 10 + beside());
        cache.forget_what_is_old();
        let files = lock(&cache.files);
        assert_eq!((files.octets, files.by_key.len(), files.by_use.len()), (0, 0, 0));
    }

    #[test]
    fn a_file_is_met_again_by_its_ends_until_others_came() {
        let cache = small();
        let long = |middle: &str| part("a", &[&"x".repeat(END), middle, &"y".repeat(END)].concat());
        assert!(!cache.meets_again(&long("1")));
        assert!(cache.meets_again(&long("1")));
        assert!(cache.meets_again(&long("2")), "its ends are the same: the key tells them apart");
        assert_ne!(cache.key(&long("1")), cache.key(&long("2")));
        assert!(!cache.meets_again(&long("33")));
        ["b", "c"].iter().for_each(|name| assert!(!cache.meets_again(&part(name, ""))));
        assert!(!cache.meets_again(&long("1")));
    }
}
