//! The words of `[smtp]` that keep mail from going in circles, and what is said of mail that nobody answers.

use crate::{
    fault::{Located, Table},
    gateway::{Loops, NullSender},
    processed::LoopHeader,
    secret::Secret,
};
use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::Path,
};

/// Below 10 an ordinary way through an organisation is refused; RFC 5321, 6.3 asks nobody for more than 100.
const RECEIVED: std::ops::RangeInclusive<usize> = 10..=100;

/// Shorter can be guessed; longer does not fit the room that SIZE keeps for our header.
const SECRET_LETTERS: std::ops::RangeInclusive<usize> = 16..=128;

pub(super) fn read(table: &Table, folder: &Path) -> Loops {
    let secret = table.text("loop_secret_file");
    let marks = table.boolean("loop_header").is_some_and(|b| b.value);
    if let Some(secret) = secret.as_ref().filter(|_| !marks) {
        table.fault(secret.line, "`loop_secret_file` without `loop_header`", "add `loop_header = true`, or leave it out");
    }
    let secret = secret.and_then(|file| loop_secret(table, folder, &file));
    Loops { max_received: max_received(table), header: marks.then_some(LoopHeader { secret }) }
}

pub(super) fn null_sender(table: &Table) -> NullSender {
    let Some(word) = table.text("null_sender") else { return NullSender::default() };
    match word.value.as_str() {
        "pass" => NullSender::Pass,
        "protect" => NullSender::Protect,
        "refuse" => NullSender::Refuse,
        other => {
            let remedy =
                "write \"pass\", \"protect\" or \"refuse\", or leave it out: bounces of mail from outside pass, the rest is judged";
            table.fault(word.line, format!("`null_sender` knows no \"{other}\""), remedy);
            NullSender::default()
        }
    }
}

fn max_received(table: &Table) -> usize {
    let Some(number) = table.integer("max_received") else { return Loops::MAX_RECEIVED };
    usize::try_from(number.value).ok().filter(|n| RECEIVED.contains(n)).unwrap_or_else(|| {
        table.fault(number.line, "`max_received` is no number between 10 and 100", "write a number, or leave it out for 50");
        Loops::MAX_RECEIVED
    })
}

fn loop_secret(table: &Table, folder: &Path, file: &Located<String>) -> Option<Secret<String>> {
    let path = folder.join(&file.value);
    let text = fs::read_to_string(&path)
        .map_err(|e| table.fault(file.line, format!("{} can't be read: {e}", path.display()), "put the secret into this file"))
        .ok()?;
    let text = text.trim();
    if !SECRET_LETTERS.contains(&text.len()) || !text.bytes().all(|b| b.is_ascii_alphanumeric()) {
        let what = format!("{} holds no secret of 16 to 128 letters and digits", path.display());
        table.fault(file.line, what, "write one, such as `openssl rand -hex 32` makes");
        return None;
    }
    Some(Secret::new(text.to_owned()))
}

/// Something that differs when the header differs, and holds no secret.
pub(super) fn fingerprint(loops: &Loops) -> String {
    let mut hasher = DefaultHasher::new();
    loops.header.as_ref().and_then(|h| h.secret.as_ref()).map(Secret::expose).hash(&mut hasher);
    format!("{} {:x}", loops.header.is_some(), hasher.finish())
}
