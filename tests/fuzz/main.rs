//! Replays the corpus of every fuzz target: octets that once broke a promise, or that reach far into a parser.
//!
//! `.ci/long fuzz` looks for new ones; a finding becomes a file in `corpus/<target>/`, and stays.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(unreachable_pub, reason = "the targets are shared with the crate in fuzz/")]

mod targets;

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};
use targets::TARGETS;

/// The corpus is read by people and by every run of the tests: what it holds is minimised.
const MOST_FILES: usize = 400;
const MOST_OCTETS: usize = 1 << 20;

/// Runs `target` over each file of its folder; tells all that fail.
fn replay(name: &str, target: fn(&[u8])) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let files = files(&folder);
    assert!(!files.is_empty(), "{} holds nothing", folder.display());
    let fails = |path: &std::path::PathBuf| {
        let octets = fs::read(path).unwrap();
        catch_unwind(AssertUnwindSafe(|| target(&octets))).is_err().then(|| path.display().to_string())
    };
    files.iter().filter_map(fails).collect()
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).map(|entries| entries.map(|e| e.unwrap().path()).collect()).unwrap_or_default();
    files.sort();
    files
}

#[test]
fn nothing_of_the_corpus_breaks_a_promise() {
    let broken: Vec<String> = TARGETS.iter().flat_map(|(name, target)| replay(name, *target)).collect();
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_corpus_is_small_and_every_folder_of_it_has_its_target() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let folders = files(&corpus);
    let names: Vec<_> = folders.iter().map(|f| f.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert!(names.iter().all(|name| TARGETS.iter().any(|(target, _)| target == name)), "{names:?}");
    let files: Vec<_> = folders.iter().flat_map(|folder| files(folder)).collect();
    let octets: usize = files.iter().map(|f| fs::metadata(f).unwrap().len() as usize).sum();
    assert!(files.len() <= MOST_FILES && octets <= MOST_OCTETS, "{} files, {octets} octets", files.len());
}
