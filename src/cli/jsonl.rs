//! `zegel explain --jsonl`: detection alone, for a pipe of millions of lines.

use super::{End, Explain, complain, complain_all, rulebook};
use crate::{
    detect::{Found, RuleSet},
    extract::{Extraction, Places, Source, Text},
    inspect,
};
use serde::{Deserialize, Serialize};
use std::{
    borrow::Cow,
    fs::File,
    io::{self, BufRead, BufReader, Write},
};

#[derive(Deserialize)]
struct In<'a> {
    id: serde_json::Value,
    #[serde(borrow)]
    text: Cow<'a, str>,
}

#[derive(Serialize)]
struct Out<'a, F: Serialize> {
    id: &'a serde_json::Value,
    findings: F,
}

/// Large, so that a read is many lines.
const IN_BYTES: usize = 1024 * 1024;

pub(super) fn run(options: &Explain, out: &mut impl Write) -> io::Result<End> {
    let rules = match rulebook(options.config.path.as_deref()) {
        Ok(rulebook) => rulebook.rules,
        Err(faults) => return Ok(complain_all(&faults)),
    };
    let standard_input = ["-".to_owned()];
    let files = if options.files.is_empty() { &standard_input[..] } else { &options.files[..] };
    let mut end = End::Fine;
    for file in files {
        let read = if file == "-" {
            lines(BufReader::with_capacity(IN_BYTES, io::stdin().lock()), file, &rules, out)?
        } else {
            match File::open(file) {
                Ok(opened) => lines(BufReader::with_capacity(IN_BYTES, opened), file, &rules, out)?,
                Err(e) => {
                    complain(&format!("{file}: {e}"));
                    End::Fault
                }
            }
        };
        if let End::Fault = read {
            end = End::Fault;
        }
    }
    Ok(end)
}

/// Answers line by line. A line that is no `{"id", "text"}` is told, and the rest goes on.
fn lines<R: io::Read>(mut input: BufReader<R>, file: &str, rules: &RuleSet, out: &mut impl Write) -> io::Result<End> {
    let mut end = End::Fine;
    let mut extraction = Extraction { texts: vec![body()], ..Extraction::default() };
    let (mut line, mut number) = (Vec::new(), 0u64);
    loop {
        // Whoever waits for an answer before writing the next line gets it: we write out before we might wait.
        if !input.buffer().contains(&b'\n') {
            out.flush()?;
        }
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            return Ok(end);
        }
        number += 1;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<In<'_>>(&line) {
            Ok(In { id, text }) => {
                text.as_ref().clone_into(&mut extraction.texts[0].text);
                let Found { findings, problems } = rules.find(&extraction);
                if !problems.is_empty() {
                    complain(&format!("{file}:{number}: this text holds too much to be looked at to its end; cut it into several"));
                    end = End::Fault;
                }
                serde_json::to_writer(&mut *out, &Out { id: &id, findings: inspect::findings_as_json(&findings) })?;
                out.write_all(b"\n")?;
            }
            Err(e) => {
                complain(&format!("{file}:{number}: this is no line {{\"id\", \"text\"}}: {e}"));
                end = End::Fault;
            }
        }
    }
}

fn body() -> Text {
    Text { part: "text".to_owned(), source: Source::Body, text: String::new(), places: Places::Lines, spans: Vec::new() }
}
