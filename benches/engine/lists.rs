//! Detection by itself: how long lists take to load, and how fast a text is looked through. `cargo bench --bench detect`; figures in docs/performance.md.

use std::{fmt::Write, sync::Arc, time::Instant};
use zegel::{
    detect::{KnownBuilder, KnownKey, RuleSet},
    extract::{Extraction, Places, Source, Text},
    fault::{Faults, Files},
};

/// Words nobody wrote, the same ones in every run.
fn words(count: usize, seed: u64) -> Vec<String> {
    let mut state = seed;
    let mut next = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let parts = [
        "ver", "ge", "be", "lan", "ding", "huis", "zorg", "kin", "der", "maat", "werk", "stel", "ling", "op", "vang", "wet", "recht",
        "schap",
    ];
    (0..count)
        .map(|_| {
            (0..2 + next(3)).map(|_| parts[next(parts.len() as u64) as usize]).collect::<String>()
                + &format!("{}", (b'a' + next(26) as u8) as char)
        })
        .collect()
}

fn rules(files: &[(&str, String)]) -> RuleSet {
    let faults = Faults::default();
    let key = Arc::new(KnownKey::parse(KEY).expect("it is long enough"));
    let files: Files = files.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
    let rules = RuleSet::compile_with(&files, Some(&key), &faults);
    assert!(faults.is_empty(), "{:?}", faults.take());
    rules
}

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// A rule over a table of known numbers and names.
fn known(count: usize, column: &str) -> Vec<(&'static str, String)> {
    let key = KnownKey::parse(KEY).expect("it is long enough");
    let mut builder = KnownBuilder::new(&key, &["number".to_owned(), "name".to_owned()]).expect("two columns");
    for (n, name) in words(count, 11).iter().enumerate() {
        builder.row(&[&format!("{:09}", n * 997), &format!("{name} {}", letters(n + 100))]);
    }
    let mut table = Vec::new();
    builder.write(&mut table).expect("memory is written");
    let rule = format!("[rule]\nname = \"x\"\ntitle = \"X\"\nknown = {{ file = \"lists/x.edm\", column = {column} }}\n");
    vec![("rules/x.toml", rule), ("rules/lists/x.edm", String::from_utf8(table).unwrap_or_default())]
}

fn list(how: &str, count: usize) -> Vec<(&'static str, String)> {
    let rule = format!("[rule]\nname = \"x\"\ntitle = \"X\"\nlist = \"a\"\n[lists]\na = {{ file = \"lists/a.txt\", match = \"{how}\" }}\n");
    // A million different ones: a number is made letters, since each list of so few syllables repeats itself.
    let words = words(count, 7).into_iter().enumerate().map(|(n, w)| format!("{w}{}", letters(n)));
    vec![("rules/x.toml", rule), ("rules/lists/a.txt", words.collect::<Vec<_>>().join("\n"))]
}

fn letters(mut n: usize) -> String {
    let mut text = String::new();
    while n > 0 {
        text.push((b'a' + (n % 26) as u8) as char);
        n /= 26;
    }
    text
}

fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse::<usize>().ok()).unwrap_or(0) / 1024
}

fn load(what: &str, files: &[(&str, String)]) -> RuleSet {
    let before = memory();
    let began = Instant::now();
    let rules = rules(files);
    println!("load {what}: {:.0} ms, {} MiB", began.elapsed().as_secs_f64() * 1e3, memory().saturating_sub(before));
    rules
}

fn scan(what: &str, rules: &RuleSet, mail: &Extraction) {
    let bytes: usize = mail.texts.iter().map(|t| t.text.len()).sum();
    let mut best = f64::MAX;
    let mut found = 0;
    for _ in 0..7 {
        let began = Instant::now();
        found = rules.find(mail).len();
        best = best.min(began.elapsed().as_secs_f64());
    }
    println!("scan {what}: {:.0} MB/s, {found} findings", bytes as f64 / 1e6 / best);
}

fn main() {
    let mut text = String::new();
    for (n, word) in words(600_000, 3).iter().enumerate() {
        text.push_str(word);
        text.push_str(if n % 13 == 12 { ".\n" } else { " " });
        if n % 997 == 0 {
            let _ = write!(text, "zaak {} van 3-4-2026 ", 100_000_000 + n * 7);
        }
    }
    let text = Text { part: "text".to_owned(), source: Source::Body, text, places: Places::Lines, spans: Vec::new() };
    let mail = Extraction { texts: vec![text], ..Extraction::default() };
    let embedded = |wanted: &dyn Fn(&str) -> bool| {
        zegel::detect::EMBEDDED.iter().filter(|(name, _)| wanted(name)).map(|(name, text)| (*name, (*text).to_owned())).collect::<Vec<_>>()
    };
    let simple = ["bsn", "iban", "marking", "activation-word", "sensitivity-label"];
    scan("numbers and words only", &rules(&embedded(&|name| simple.iter().any(|s| name == format!("rules/{s}.toml")))), &mail);
    scan("all built-in rules", &rules(&embedded(&|_| true)), &mail);
    scan("a list of 10 words", &rules(&list("word", 10)), &mail);
    scan("a list of 25 000 words", &load("25 000 words", &list("word", 25_000)), &mail);
    scan("the same inflected", &load("25 000 words, inflected", &list("stem", 25_000)), &mail);
    scan("the same in compounds", &load("25 000 words, in compounds", &list("part", 25_000)), &mail);
    scan("a list of a million words", &load("1 000 000 words", &list("word", 1_000_000)), &mail);
    scan("known numbers", &load("100 000 known records", &known(100_000, "\"number\"")), &mail);
    scan("known numbers and names", &load("100 000 known records", &known(100_000, "[\"number\", \"name\"]")), &mail);
    for (what, pattern) in [("with a literal", "dossier{n}-[0-9]{4}"), ("without", "\\\\b[A-Z]{2}[0-9]{3}[A-Z]{n}\\\\b")] {
        let patterns: Vec<String> =
            (1..=20).map(|n| format!("{{ pattern = \"{}\" }}", pattern.replace("{n}", &format!("{{{n}}}")))).collect();
        let rule = format!("[rule]\nname = \"p\"\ntitle = \"P\"\nany = [{}]\n", patterns.join(", "));
        scan(&format!("20 patterns {what}"), &rules(&[("rules/p.toml", rule)]), &mail);
    }
}
