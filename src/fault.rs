//! Faults in files that people write, and a reader of TOML that collects all of them at once.

mod dutch;
mod notation;
mod table;

pub use table::{Located, Table};

use std::{cell::RefCell, fmt, rc::Rc};

/// A fault in a file that a person wrote: where it is, what is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file, as a person would name it: `rules/bsn.toml`.
    pub file: String,
    /// The line, from 1; 1 when the fault is about the file as a whole.
    pub line: usize,
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
}

/// One line, whatever the word was that it repeats.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = format!("{}:{}: {}; {}", self.file, self.line, self.what, self.remedy);
        f.write_str(&line.replace(char::is_control, " "))
    }
}

/// Files that people write, by the name under which faults tell of them: `rules/bsn.toml`, `rules/lists/diagnoses.txt`.
pub type Files = std::collections::BTreeMap<String, String>;

/// The faults found so far; a clone adds to the same list.
#[derive(Clone, Debug, Default)]
pub struct Faults(Rc<RefCell<Vec<Fault>>>);

impl Faults {
    /// Adds a fault.
    pub fn add(&self, file: &str, line: usize, what: impl Into<String>, remedy: impl Into<String>) {
        self.0.borrow_mut().push(Fault { file: file.to_owned(), line, what: what.into(), remedy: remedy.into() });
    }

    /// Whether none was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// Whether a fault was found in a file whose name is `like` that: what others say of its content is no news then.
    #[must_use]
    pub fn any_in(&self, like: impl Fn(&str) -> bool) -> bool {
        self.0.borrow().iter().any(|fault| like(&fault.file))
    }

    /// How many were found so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    /// Everything found so far, by file and line, each once.
    #[must_use]
    pub fn take(&self) -> Vec<Fault> {
        let mut all = self.0.take();
        all.sort();
        all.dedup();
        all
    }
}

/// The word of `known` that was probably meant by `word`: at most two letters differ, and fewer than half of them, or `word` is its beginning.
/// Capitals don't count; a Dutch word means the English one. `None` where two are as likely: a guess between "level 1" and "level 2" would decide for somebody.
#[must_use]
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let known: Vec<&str> = known.into_iter().collect();
    if let Some(meant) = dutch::meant(&word, &known) {
        return Some(meant);
    }
    let mut known: Vec<_> = known.into_iter().map(|k| (edit_distance(&word, &k.to_lowercase()), k)).collect();
    known.sort_unstable();
    known.dedup();
    let near: Vec<_> = known.iter().filter(|(d, k)| *d <= 2 && *d * 2 < k.chars().count().max(2)).collect();
    let begun: Vec<_> = known.iter().filter(|(_, k)| word.len() >= MOST_OF_A_WORD && k.to_lowercase().starts_with(&word)).collect();
    match (near.as_slice(), begun.as_slice()) {
        ([(first, _), (second, _), ..], _) if first == second => None,
        ([(_, meant), ..], _) | ([], [(_, meant)]) => Some(meant),
        _ => None,
    }
}

/// So many letters tell which word was begun.
const MOST_OF_A_WORD: usize = 3;

/// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours each count one.
fn edit_distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let change = usize::from(a[i - 1] != b[j - 1]);
                let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + change);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised() {
        let known = ["elfproef", "mod97", "luhn"];
        assert_eq!(did_you_mean("elfproof", known), Some("elfproef"));
        assert_eq!(did_you_mean("lunh", known), Some("luhn"));
        assert_eq!(did_you_mean("LUHN", known), Some("luhn"));
        assert_eq!(did_you_mean("anything", known), None);
        let words = ["client_certificate", "client_key", "level 1", "level 2"];
        assert_eq!(did_you_mean("client_cert", words), Some("client_certificate"));
        assert_eq!(did_you_mean("client", words), None, "two begin so");
        assert_eq!(did_you_mean("level 3", words), None, "two are as near");
        assert_eq!(did_you_mean("lefel 2", words), Some("level 2"));
        assert_eq!(did_you_mean("Niveau 2", words), Some("level 2"));
        assert_eq!(did_you_mean("tekst", ["word", "body"]), Some("body"));
        assert_eq!(did_you_mean("tekst", ["rule"]), None, "what is not known here is not meant");
    }
}
