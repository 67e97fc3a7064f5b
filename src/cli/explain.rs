//! `zegel explain`.

use super::{
    End, Explain, Format, Sender, complain, complain_all,
    judging::{Given, judge},
    reading, say_what_is_not_read, stocked,
};
use crate::{
    config,
    fault::Fault,
    gateway::NullSender,
    inspect::{self, Rulebook},
    sandbox,
};
use std::{
    io::{self, Write},
    path::Path,
};

pub(super) fn run(options: &Explain, out: &mut impl Write) -> io::Result<End> {
    say_what_is_not_read(options.config.path.as_deref());
    let (rulebook, null_sender, readers) = match judges(options.config.path.as_deref()) {
        Ok(judges) => judges,
        Err(faults) => return Ok(complain_all(&faults)),
    };
    let is_null = matches!(options.from, Some(Sender(None)));
    if is_null {
        say_what_comes_first(null_sender);
    }
    let reader = reading::Reader::new(readers)?;
    let given = Given {
        configured: options.config.path.is_some(),
        from: options.from.as_ref(),
        to: &options.to,
        strangers: &options.first_contact,
    };
    let mut end = End::Fine;
    for file in &options.files {
        match reader.open(file) {
            Ok(mut opened) => {
                if is_null {
                    opened.facts = null_sender.facts(opened.facts);
                }
                let inspection = judge(&rulebook, given, &opened);
                match options.format {
                    Format::Text => out.write_all(inspect::text(file, &inspection).as_bytes())?,
                    Format::Json => writeln!(out, "{}", inspect::json(file, &inspection))?,
                }
            }
            Err(e) => {
                complain(&format!("{file}: {e}"));
                end = End::Fault;
            }
        }
    }
    reader.close();
    Ok(end)
}

/// The rules and policies of a configuration, or the built-in ones, what becomes of mail from the null sender, and how attachments are read.
fn judges(config: Option<&Path>) -> Result<(Rulebook, NullSender, sandbox::Options), Vec<Fault>> {
    match config {
        Some(path) => stocked(path).map(|config| (config.rulebook, config.smtp.null_sender, config.readers)),
        None => config::built_in().map(|rulebook| (rulebook, NullSender::default(), sandbox::Options::default())),
    }
}

/// Where the configuration says what becomes of all mail from the null sender, a judgement is not the last word.
fn say_what_comes_first(null_sender: NullSender) {
    match null_sender {
        NullSender::Pass => {
            complain("`null_sender = \"pass\"`: mail from the null sender passes, whatever is said here, unless it comes by an account")
        }
        NullSender::Refuse => complain("`null_sender = \"refuse\"`: mail from the null sender is refused, whatever is said here"),
        NullSender::Judge | NullSender::Protect => {}
    }
}
