//! `zegel explain`.

use super::{
    End, Explain, Format, complain, complain_all,
    judging::{Given, judge},
    reading, rulebook, say_what_is_not_read,
};
use crate::inspect;
use std::io::{self, Write};

pub(super) fn run(options: &Explain, out: &mut impl Write) -> io::Result<End> {
    say_what_is_not_read(options.config.path.as_deref());
    let rulebook = match rulebook(options.config.path.as_deref()) {
        Ok(rulebook) => rulebook,
        Err(faults) => return Ok(complain_all(&faults)),
    };
    let reader = reading::Reader::new()?;
    let given = Given { configured: options.config.path.is_some(), from: options.from.as_ref(), to: &options.to };
    let mut end = End::Fine;
    for file in &options.files {
        match reader.open(file) {
            Ok(opened) => {
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
