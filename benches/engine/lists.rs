//! Lists, tables and patterns: how long they take to load, and how fast a text is looked through with each.

use super::{Dice, cpu, extraction, median, words};
use std::sync::Arc;
use zegel::{
    detect::{EMBEDDED, KnownBuilder, KnownKey, RuleSet},
    extract::Extraction,
    fault::{Faults, Files},
};

const KEY: &str = "0123456789abcdef0123456789abcdef";

/// What a rule set is made of: file names and texts.
type Sources = Vec<(String, String)>;

fn compiled(files: Sources) -> RuleSet {
    let faults = Faults::default();
    let key = Arc::new(KnownKey::parse(KEY).unwrap());
    let rules = RuleSet::compile_with(&files.into_iter().collect::<Files>(), Some(&key), &faults);
    assert!(faults.is_empty(), "{:?}", faults.take());
    rules
}

/// A rule over one file of what it looks for.
fn rule(looks_for: &str, file: &str, content: String) -> Sources {
    let rule = format!("[rule]\nname = 'x'\ntitle = 'X'\n{looks_for}\n");
    vec![("rules/x.toml".to_owned(), rule), (format!("rules/{file}"), content)]
}

fn list(how: &str, words: &[String]) -> Sources {
    rule(&format!("list = 'a'\n[lists]\na = {{ file = 'lists/a.txt', match = '{how}' }}"), "lists/a.txt", words.join("\n"))
}

/// A table of numbers and names.
fn known(column: &str, names: &[String]) -> Sources {
    let key = KnownKey::parse(KEY).unwrap();
    let mut builder = KnownBuilder::new(&key, &["number".to_owned(), "name".to_owned()]).unwrap();
    for (n, two) in names.windows(2).enumerate() {
        builder.row(&[&format!("{:09}", n * 997), &two.join(" ")]);
    }
    let mut table = Vec::new();
    builder.write(&mut table).unwrap();
    rule(&format!("known = {{ file = 'lists/x.edm', column = {column} }}"), "lists/x.edm", String::from_utf8(table).unwrap())
}

fn patterns(pattern: &str) -> Sources {
    let patterns: Vec<String> = (1..=20).map(|n| format!("{{ pattern = '{}' }}", pattern.replace("{n}", &format!("{{{n}}}")))).collect();
    vec![("rules/p.toml".to_owned(), format!("[rule]\nname = 'p'\ntitle = 'P'\nany = [{}]\n", patterns.join(", ")))]
}

fn embedded(wanted: impl Fn(&str) -> bool) -> Sources {
    EMBEDDED.iter().filter(|(name, _)| wanted(name)).map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

/// Mebibytes that this process has in memory.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse::<usize>().ok()).unwrap_or(0) / 1024
}

/// Prints what one set costs.
fn measure(what: &str, files: Sources, mail: &Extraction, rounds: usize) {
    let (before, begun) = (memory(), cpu());
    let rules = compiled(files);
    let (loaded, grown) = (cpu().saturating_sub(begun).as_millis(), memory().saturating_sub(before));
    let mut found = 0;
    let mut times: Vec<_> = (0..rounds)
        .map(|_| {
            let begun = cpu();
            found = rules.find(mail).findings.len();
            cpu().saturating_sub(begun)
        })
        .collect();
    let speed = mail.text_octets() as f64 / 1e6 / median(&mut times).as_secs_f64();
    println!("  {what:<46} {speed:>9.1} MB/s   {found:>8} found   loaded in {loaded:>5} ms, {grown:>3} MiB");
}

/// Each set alone, over `text`.
pub(super) fn run(text: &str, rounds: usize) {
    println!("\nlists, tables and patterns, each alone");
    let mail = extraction(text.to_owned());
    let million = words(&mut Dice(3), 1_000_000, &[]);
    let some = &million[..25_000];
    // A shorter one is no term of such a list.
    let long: Vec<String> = million.iter().filter(|word| word.len() > 4).take(25_000).cloned().collect();
    let simple = ["bsn", "iban", "marking", "activation-word", "sensitivity-label"];
    let is_simple = |name: &str| simple.iter().any(|s| name == format!("rules/{s}.toml"));
    measure("numbers, markings and labels", embedded(is_simple), &mail, rounds);
    measure("all built-in rules", embedded(|_| true), &mail, rounds);
    measure("a list of 10 words", list("word", &million[..10]), &mail, rounds);
    measure("25 000 words", list("word", some), &mail, rounds);
    measure("25 000 words, inflected", list("stem", some), &mail, rounds);
    measure("25 000 words, in compounds", list("part", &long), &mail, rounds);
    measure("1 000 000 words", list("word", &million), &mail, rounds);
    measure("100 000 known numbers", known("'number'", &million[..100_001]), &mail, rounds);
    measure("100 000 known numbers and names", known("['number', 'name']", &million[..100_001]), &mail, rounds);
    measure("20 patterns with a literal", patterns("dossier{n}-[0-9]{4}"), &mail, rounds);
    measure("20 patterns without", patterns(r"\b[A-Z]{2}[0-9]{3}[A-Z]{n}\b"), &mail, rounds);
}
