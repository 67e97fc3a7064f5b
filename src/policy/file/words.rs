//! The words that policies, exceptions and examples have in common.

use crate::{
    address::{Address, Domain},
    detect::Confidence,
    extract::{FactKind, ProblemKind},
    fault::{Located, Table, did_you_mean},
    policy::{Mode, Outcome, Scope},
};

pub(super) fn address(table: &Table, text: &Located<String>) -> Option<Address> {
    Address::parse(&text.value).map_err(|e| table.fault(text.line, format!("\"{}\" is no address", text.value), e.to_string())).ok()
}

pub(super) fn domain(table: &Table, text: &Located<String>) -> Option<Domain> {
    let remedy = || {
        // What stands around a domain in an address, in that of a page, or before its subdomains.
        let bare = text.value.trim().trim_start_matches("https://").trim_start_matches("http://").trim_start_matches("*.");
        let bare = bare.rsplit('@').next().unwrap_or(bare).split('/').next().unwrap_or_default();
        match Domain::parse(bare) {
            Ok(bare) if text.value.starts_with('*') => format!("write \"{bare}\"; each of its subdomains is named by itself"),
            Ok(bare) => format!("write \"{bare}\""),
            Err(_) => "write it as in voorbeeld.example".to_owned(),
        }
    };
    Domain::parse(&text.value).map_err(|_| table.fault(text.line, format!("\"{}\" is no domain", text.value), remedy())).ok()
}

pub(super) fn outcome(table: &Table, word: &str, text: &Located<String>) -> Option<Outcome> {
    let outcome = Outcome::from_word(&text.value);
    if outcome.is_none() {
        unknown(table, text, word, &Outcome::ALL.map(Outcome::word));
    }
    outcome
}

/// `then` with the level that `otherwise` names for a domain to which transport is not verified.
pub(super) fn otherwise(table: &Table, then: Outcome) -> Option<Outcome> {
    let Some(text) = table.text("otherwise") else { return Some(then) };
    if !matches!(then, Outcome::Direct(_)) {
        table.fault(text.line, format!("`otherwise` beside `then = \"{then}\"`"), "leave it out: it belongs to `then = \"direct\"`");
        return None;
    }
    match Outcome::from_word(&text.value) {
        Some(Outcome::Level(level)) => Some(Outcome::Direct(level)),
        _ => {
            unknown(table, &text, "otherwise", &["level 1", "level 2"]);
            None
        }
    }
}

pub(super) fn confidence(table: &Table, text: &Located<String>) -> Option<Confidence> {
    match text.value.as_str() {
        "low" => Some(Confidence::Low),
        "medium" => Some(Confidence::Medium),
        "high" => Some(Confidence::High),
        _ => {
            unknown(table, text, "confidence", &["low", "medium", "high"]);
            None
        }
    }
}

pub(super) fn problem(table: &Table, text: &Located<String>) -> Option<ProblemKind> {
    let problem = ProblemKind::ALL.into_iter().find(|p| p.word() == text.value);
    if problem.is_none() {
        unknown(table, text, "problem", &ProblemKind::ALL.map(ProblemKind::word));
    }
    problem
}

pub(super) fn fact(table: &Table, text: &Located<String>) -> Option<FactKind> {
    let fact = FactKind::ALL.into_iter().find(|f| f.word() == text.value);
    if fact.is_none() {
        unknown(table, text, "file", &FactKind::ALL.map(FactKind::word));
    }
    fact
}

pub(super) fn unknown(table: &Table, text: &Located<String>, word: &str, known: &[&str]) {
    let remedy = match did_you_mean(&text.value, known.iter().copied()) {
        Some(meant) => format!("did you mean \"{meant}\"?"),
        None => format!("write one of: {}", quoted(known)),
    };
    table.fault(text.line, format!("`{word}` can't be \"{}\"", text.value), remedy);
}

pub(super) fn quoted(words: &[&str]) -> String {
    words.iter().map(|w| format!("\"{w}\"")).collect::<Vec<_>>().join(", ")
}

pub(super) fn quoted_problems() -> String {
    quoted(&ProblemKind::ALL.map(ProblemKind::word))
}

pub(super) fn mode(table: &Table) -> Option<Mode> {
    let text = table.text("mode")?;
    let mode = Mode::ALL.into_iter().find(|m| m.word() == text.value);
    if mode.is_none() {
        unknown(table, &text, "mode", &Mode::ALL.map(Mode::word));
    }
    mode
}

pub(super) fn scope(table: &Table) -> Option<Scope> {
    let text = table.text("scope")?;
    match text.value.as_str() {
        "message" => Some(Scope::Message),
        "attachments" => Some(Scope::Attachments),
        _ => {
            unknown(table, &text, "scope", &["message", "attachments"]);
            None
        }
    }
}

/// A whole number that is not below zero.
pub(super) fn number(table: &Table, word: &str) -> Option<u32> {
    let number = table.integer(word)?;
    let value = u32::try_from(number.value).ok();
    if value.is_none() {
        table.fault(number.line, format!("`{word}` can't be {}", number.value), "write a number such as 80");
    }
    value
}
