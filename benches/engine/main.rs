//! What detection costs: beside other engines (25 000 words in 50 lists, and numbers), over texts that mean to be slow, and list by list; all over
//! mail-like text made from a seed.
//!
//!     cargo run --release --ignore-rust-version -p engine [-- MEBIBYTES [ROUNDS [FOLDER]]]
//!
//! CPU time of this thread; every round runs all contenders one after the other, and the medians are told: trust the ratios. The others find the
//! same words and check that they stand alone, but neither weigh a number by what stands around it nor mask it. With FOLDER the text and the words
//! are written there for `benches/vectorscan.c`.
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

mod lists;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use regex::bytes::{Regex, RegexBuilder};
use std::{
    fs,
    hint::black_box,
    path::Path,
    time::{Duration, Instant},
};
use zegel::{
    detect::RuleSet,
    extract::{Extraction, Places, Source, Text},
    fault::{Faults, Files},
};

const LISTS: usize = 50;
const WORDS: usize = 25_000;

/// A small generator (SplitMix64), so that every run has the same text.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        (self.next() % most as u64) as usize
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// A word of two to four syllables, as Dutch ones look.
fn word(dice: &mut Dice) -> String {
    const BEGIN: [&str; 20] = ["b", "d", "g", "h", "k", "l", "m", "n", "p", "r", "s", "st", "t", "v", "w", "z", "sch", "br", "kl", ""];
    const VOWEL: [&str; 14] = ["a", "e", "i", "o", "u", "aa", "ee", "oo", "ie", "oe", "ui", "ij", "eu", "au"];
    const END: [&str; 10] = ["", "", "n", "r", "t", "l", "s", "ng", "k", "cht"];
    (0..2 + dice.below(3)).map(|_| format!("{}{}{}", dice.of(&BEGIN), dice.of(&VOWEL), dice.of(&END))).collect()
}

/// Different words, none of them in `others`.
fn words(dice: &mut Dice, count: usize, others: &[String]) -> Vec<String> {
    let mut taken: std::collections::HashSet<String> = others.iter().cloned().collect();
    let mut all = Vec::with_capacity(count);
    while all.len() < count {
        let word = word(dice);
        if word.len() > 3 && taken.insert(word.clone()) {
            all.push(word);
        }
    }
    all
}

/// Mail-like text: mostly common words, a listed one in two hundred, a number now and then, capitals and signs.
fn text(dice: &mut Dice, common: &[String], listed: &[String], octets: usize) -> String {
    let mut text = String::with_capacity(octets + 100);
    while text.len() < octets {
        match dice.below(400) {
            0 | 1 => text += dice.of::<String>(listed),
            2 => text += &format!("BSN {}", 100_000_000 + dice.below(800_000_000)),
            3 => text += &format!("{}-{}-20{:02}", 1 + dice.below(28), 1 + dice.below(12), dice.below(27)),
            4 => text += &format!("06{:08}", dice.below(100_000_000)),
            5 => text += &format!("NL{:02}BANK{:010}", dice.below(97), dice.below(1_000_000_000)),
            6 => text += &format!("{}@post.example", dice.of::<String>(common)),
            7..20 => text += &dice.below(3000).to_string(),
            // A few words make most of any text.
            n => text += &common[dice.below(if n < 250 { 300 } else { common.len() })],
        }
        text += [" ", " ", " ", " ", " ", " ", ", ", ". ", "\n", " "][dice.below(10)];
    }
    text
}

fn extraction(text: String) -> Extraction {
    let text = Text { part: "text".to_owned(), source: Source::Body, text, places: Places::Lines, spans: Vec::new() };
    Extraction { texts: vec![text], ..Extraction::default() }
}

/// Rules with `lists` lists of the words, and the numbers when `numbers`.
fn rules(words: &[String], lists: usize, numbers: bool) -> RuleSet {
    let mut files = Files::new();
    for (at, words) in words.chunks(words.len().div_ceil(lists.max(1)).max(1)).enumerate() {
        let rule = format!(
            "[rule]\nname = 'list-{at}'\ntitle = 'x'\nlist = 'words'\n[lists]\nwords = {{ file = 'lists/{at}.txt' }}\n[examples]\nmatch = ['{}']\npass = ['x']\n",
            words[0]
        );
        files.insert(format!("rules/list-{at}.toml"), rule);
        files.insert(format!("rules/lists/{at}.txt"), words.join("\n"));
    }
    if numbers {
        let built_in = zegel::config::embedded("rules/");
        files.extend(built_in.into_iter().filter(|(name, _)| name.ends_with("bsn.toml") || name.ends_with("iban.toml")));
    }
    let faults = Faults::default();
    let rules = RuleSet::compile(&files, &faults);
    assert!(faults.is_empty(), "{:?}", faults.take().first());
    rules
}

/// Time on the processor of this thread. Linux brings the figure up to date when a thread gives its turn away, else at each tick of 4 ms only.
fn cpu() -> Duration {
    std::thread::yield_now();
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(stat.split(' ').next().unwrap().parse().unwrap())
}

/// Something that looks for the same, and how many it found.
type Contender<'a> = (&'a str, Box<dyn Fn() -> usize + 'a>);

/// The median CPU time of each contender, in rounds of all of them.
fn race(contenders: &[Contender<'_>], rounds: usize) -> Vec<(Duration, usize)> {
    let mut times = vec![Vec::new(); contenders.len()];
    let mut found = vec![0; contenders.len()];
    for _ in 0..rounds {
        for (at, (_, run)) in contenders.iter().enumerate() {
            let begun = cpu();
            found[at] = black_box(run());
            times[at].push(cpu().saturating_sub(begun));
        }
    }
    times.iter_mut().zip(found).map(|(times, found)| (median(times), found)).collect()
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Prints a race: megabytes a second, and how many times as fast the first is.
fn tell(title: &str, contenders: &[Contender<'_>], octets: usize, rounds: usize) {
    println!("\n{title}");
    let results = race(contenders, rounds);
    for ((name, _), (time, found)) in contenders.iter().zip(&results) {
        let speed = octets as f64 / 1e6 / time.as_secs_f64();
        let ratio = time.as_secs_f64() / results[0].0.as_secs_f64();
        println!("  {name:<46} {speed:>9.1} MB/s   {found:>8} found   the first is {ratio:>7.2} times as fast");
    }
}

fn alone(text: &[u8], start: usize, end: usize) -> bool {
    let letter = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(|b| b.is_ascii_alphanumeric());
    !letter(start.checked_sub(1)) && !letter(Some(end))
}

fn automaton(words: &[String], kind: AhoCorasickKind) -> AhoCorasick {
    AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::LeftmostLongest).kind(Some(kind)).build(words).unwrap()
}

/// A regular expression for each list, and some for numbers as they are often written.
fn expressions(words: &[String]) -> Vec<Regex> {
    let lists = words.chunks(words.len().div_ceil(LISTS)).map(|list| format!(r"(?-u)\b(?:{})\b", list.join("|")));
    let numbers =
        [r"(?-u)\b\d{9}\b", r"(?-u)\b\d{3}[. -]\d{3}[. -]\d{3}\b", r"(?-u)\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b"].map(str::to_owned);
    let built = |text: String| RegexBuilder::new(&text).case_insensitive(true).size_limit(1 << 30).build().unwrap();
    lists.chain(numbers).map(built).collect()
}

/// Lists of a few words to many, and texts that mean to be slow.
fn own(common: &[String], listed: &[String], mail: &Extraction, octets: usize, rounds: usize) {
    let sets = [(10, 1), (1000, 1), (2500, 5), (10_000, 20), (25_000, 50)]
        .map(|(count, lists)| (count, lists, rules(&listed[..count], lists, true)));
    let named: Vec<String> = sets.iter().map(|(count, lists, _)| format!("{count} words in {lists} lists, and numbers")).collect();
    let contenders: Vec<Contender<'_>> = sets
        .iter()
        .zip(&named)
        .map(|((.., rules), name)| (name.as_str(), Box::new(|| rules.find(mail).findings.len()) as Box<dyn Fn() -> usize>))
        .collect();
    tell("from few words to many (the first has the fewest)", &contenders, octets, rounds);

    let (.., rules) = &sets[4];
    let same = |text: String| extraction(text.chars().cycle().take(octets).collect());
    let mut dice = Dice(7);
    let digits: String = (0..octets).map(|_| char::from(b'0' + dice.below(10) as u8)).collect();
    let groups: String = (0..octets / 4).map(|_| format!("{:03} ", dice.below(1000))).collect();
    let hostile = [
        ("mail", extraction(mail.texts[0].text.clone())),
        ("digits in one row", extraction(digits)),
        ("digits in groups of three", extraction(groups)),
        ("signs @ alone", same("@".to_owned())),
        ("letters without a space", same(common.concat())),
        ("labels alone", same("bsn ".to_owned())),
        ("valid numbers alone", same("111222333 ".to_owned())),
        ("letters with accents", same("é ü ".to_owned())),
    ];
    let contenders: Vec<Contender<'_>> =
        hostile.iter().map(|(name, text)| (*name, Box::new(move || rules.find(text).findings.len()) as Box<dyn Fn() -> usize>)).collect();
    tell("texts that mean to be slow (the first is none)", &contenders, octets, rounds.min(3));
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mebibytes: usize = arguments.next().map_or(4, |a| a.parse().unwrap());
    let rounds: usize = arguments.next().map_or(5, |a| a.parse().unwrap());
    let mut dice = Dice(1);
    let common = words(&mut dice, 20_000, &[]);
    let listed = words(&mut dice, WORDS, &common);
    let text = text(&mut dice, &common, &listed, mebibytes << 20);
    let octets = text.len();
    if let Some(folder) = arguments.next() {
        fs::write(Path::new(&folder).join("text"), &text).unwrap();
        fs::write(Path::new(&folder).join("words"), listed.join("\n")).unwrap();
    }

    let begun = Instant::now();
    let all = rules(&listed, LISTS, true);
    println!("{WORDS} words in {LISTS} lists, and numbers: ready in {} ms", begun.elapsed().as_millis());
    let lists = rules(&listed, LISTS, false);
    let (nfa, dfa) = (automaton(&listed, AhoCorasickKind::ContiguousNFA), automaton(&listed, AhoCorasickKind::DFA));
    let mail = extraction(text.clone());
    let bytes = text.as_bytes();
    let by = |automaton: &AhoCorasick| automaton.find_iter(bytes).filter(|m| alone(bytes, m.start(), m.end())).count();
    let contenders: [Contender<'_>; 3] = [
        ("zegel, lists", Box::new(|| lists.find(&mail).findings.len())),
        ("aho-corasick, contiguous NFA", Box::new(|| by(&nfa))),
        ("aho-corasick, DFA", Box::new(|| by(&dfa))),
    ];
    tell("lists alone", &contenders, octets, rounds);

    let expressions = expressions(&listed);
    // One expression after the other is slow: a part of the text says enough.
    let part = &bytes[..octets / 4];
    let part_of_mail = extraction(String::from_utf8_lossy(part).into_owned());
    let contenders: [Contender<'_>; 2] = [
        ("zegel, lists and numbers", Box::new(|| all.find(&part_of_mail).findings.len())),
        ("one regular expression a rule", Box::new(|| expressions.iter().map(|e| e.find_iter(part).count()).sum())),
    ];
    tell("lists and numbers", &contenders, part.len(), rounds);
    let contenders: [Contender<'_>; 2] = [
        ("zegel, lists and numbers", Box::new(|| all.find(&mail).findings.len())),
        ("memchr, an octet that is not there", Box::new(|| memchr::memchr_iter(0, bytes).count())),
    ];
    tell("beside the reading of memory alone", &contenders, octets, rounds);
    own(&common, &listed, &mail, octets, rounds);
    lists::run(&text, rounds);
}
