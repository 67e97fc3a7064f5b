//! `zegel extract`.

use super::{End, Format, complain, complain_all, reading, stocked};
use crate::{
    extract::{Extraction, Places, Text},
    inspect,
};
use serde::Serialize;
use std::{
    io::{self, Write},
    path::Path,
};

#[derive(Serialize)]
struct File<'a, P: Serialize, F: Serialize> {
    file: &'a str,
    texts: Vec<Shown<'a>>,
    problems: P,
    facts: F,
}

#[derive(Serialize)]
struct Shown<'a> {
    part: &'a str,
    place: Option<String>,
    text: &'a str,
}

pub(super) fn run(config: Option<&Path>, format: Format, files: &[String], out: &mut impl Write) -> io::Result<End> {
    let readers = match config.map(stocked).transpose() {
        Ok(config) => config.map(|config| config.readers).unwrap_or_default(),
        Err(faults) => return Ok(complain_all(&faults)),
    };
    let reader = reading::Reader::new(readers)?;
    let mut end = End::Fine;
    for file in files {
        match reader.open(file) {
            Ok(opened) => match format {
                Format::Text => text(file, &opened.extraction, out)?,
                Format::Json => json(file, &opened.extraction, out)?,
            },
            Err(e) => {
                complain(&format!("{file}: {e}"));
                end = End::Fault;
            }
        }
    }
    reader.close();
    Ok(end)
}

fn json(file: &str, extraction: &Extraction, out: &mut impl Write) -> io::Result<()> {
    let texts = extraction.texts.iter().map(|t| Shown { part: &t.part, place: place(t), text: &t.text }).collect();
    let problems = inspect::problems_as_json(&extraction.problems);
    let facts = inspect::facts_as_json(&extraction.facts);
    serde_json::to_writer(&mut *out, &File { file, texts, problems, facts })?;
    writeln!(out)
}

fn text(file: &str, extraction: &Extraction, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{file}")?;
    for text in &extraction.texts {
        writeln!(out, "--- {}{}", text.part, place(text).map_or(String::new(), |p| format!(", {p}")))?;
        // The separator of alternative readings has no shape of its own.
        writeln!(out, "{}", text.text.replace('\u{1f}', "\u{241f}").trim_end_matches('\n'))?;
    }
    for fact in &extraction.facts {
        writeln!(out, "--- file {}: {}", fact.kind.word(), fact.part)?;
    }
    for problem in &extraction.problems {
        writeln!(out, "--- unread {}: {}", problem.kind.word(), problem.part)?;
    }
    Ok(())
}

/// The place that a whole text is: the sheet, or what the text has for a name.
fn place(text: &Text) -> Option<String> {
    match &text.places {
        Places::Named(name) => Some(name.clone()),
        Places::Cells(cells) => cells.first().map(|(_, cell)| format!("sheet {}", cell.sheet)),
        Places::Within(what, _) => Some(what.clone()),
        Places::None | Places::Lines | Places::Pages(_) | Places::Slides(_) | Places::Properties => None,
    }
}
