//! `zegel check`.

use super::{End, say_what_is_not_read};
use crate::{
    clock::{Clock as _, SystemClock},
    config::{self, Config},
    fault::{Fault, Faults},
    inspect::Rulebook,
};
use std::{
    io::{self, Write},
    path::Path,
};

/// Every fault; when there is none, the examples of rules and policies.
pub(super) fn run(config: Option<&Path>, out: &mut impl Write) -> io::Result<End> {
    say_what_is_not_read(config);
    let (rulebook, lack) = match stock(config) {
        Ok(stock) => stock,
        Err(faults) => return tell(&faults, out),
    };
    let faults = Faults::default();
    rulebook.check_examples(&faults);
    if let Some(Fault { file, line, what, remedy }) = lack {
        faults.add(&file, line, what, remedy);
    }
    if !faults.is_empty() {
        return tell(&faults.take(), out);
    }
    let doubts = rulebook.policies.doubts(SystemClock.now().local().date());
    let (failing, notes): (Vec<_>, Vec<_>) = doubts.into_iter().partition(|doubt| doubt.fails);
    for doubt in notes {
        writeln!(out, "{}:{}: note: {}; {}", doubt.file, doubt.line, doubt.what, doubt.remedy)?;
    }
    for doubt in &failing {
        faults.add(&doubt.file, doubt.line, &doubt.what, &doubt.remedy);
    }
    if !faults.is_empty() {
        return tell(&faults.take(), out);
    }
    for gap in rulebook.rules.gaps() {
        let what = if gap.missed { "is a known miss (`gap`), and no fault" } else { "is found now; move it from `gap` to `match`" };
        writeln!(out, "{}:{}: note: this example {what}", gap.file, gap.line)?;
    }
    for note in rulebook.rules.notes() {
        writeln!(out, "{}:{}: note: {}", note.file, note.line, note.what)?;
    }
    let what = config.map_or("built-in rules and policies".to_owned(), |path| path.display().to_string());
    let (rules, policies, examples) = (rulebook.rules.rules().len(), rulebook.policies.len(), rulebook.policies.examples().len());
    writeln!(out, "{what}: no faults ({rules} rules and their examples, {policies} policies, {examples} examples)")?;
    Ok(End::Fine)
}

/// The rules and policies of a configuration, or the built-in ones, and what can't be done here of what it asks for.
fn stock(config: Option<&Path>) -> Result<(Rulebook, Option<Fault>), Vec<Fault>> {
    let Some(path) = config else { return config::built_in().map(|rulebook| (rulebook, None)) };
    let mut config = Config::load(path)?;
    let lack = config.take_stock();
    Ok((config.rulebook, lack))
}

fn tell(faults: &[Fault], out: &mut impl Write) -> io::Result<End> {
    for fault in faults {
        writeln!(out, "{fault}")?;
    }
    Ok(End::Fault)
}
