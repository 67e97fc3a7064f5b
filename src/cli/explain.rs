//! `zegel explain`.

use super::{End, Explain, Format, complain, complain_all, reading, rulebook, say_what_is_not_read};
use crate::{
    address::{Address, Domain},
    clock::{Clock as _, SystemClock},
    envelope::{Envelope, QueueId, Recipient},
    inspect::{self, Inspection, Rulebook},
};
use std::io::{self, Write};

pub(super) fn run(options: &Explain, out: &mut impl Write) -> io::Result<End> {
    say_what_is_not_read(options.config.path.as_deref());
    let rulebook = match rulebook(options.config.path.as_deref()) {
        Ok(rulebook) => rulebook,
        Err(faults) => return Ok(complain_all(&faults)),
    };
    let reader = reading::Reader::new()?;
    let mut end = End::Fine;
    for file in &options.files {
        match reader.open(file) {
            Ok(opened) => {
                let inspection = judge(&rulebook, options, &opened);
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

fn judge(rulebook: &Rulebook, options: &Explain, opened: &reading::Opened) -> Inspection {
    // Without a configuration nothing is known of the organisation but that the sender belongs to it.
    let ours = rulebook.internal.first().map_or("internal.invalid", Domain::as_str);
    let from = match &options.from {
        Some(sender) => sender.0.clone(),
        None => opened.facts.from.as_ref().map(|(_, address)| address.clone()).or_else(|| Address::parse(&format!("unknown@{ours}")).ok()),
    };
    let senders_domain;
    let internal = if options.config.path.is_some() {
        &rulebook.internal[..]
    } else {
        senders_domain = from.as_ref().map(Address::domain);
        senders_domain.as_slice()
    };
    let envelope = Envelope { id: QueueId::NONE, from, to: recipients(options, opened), mail_parameters: String::new() };
    rulebook.judge_within(internal, SystemClock.now().local().datetime(), &envelope, &opened.facts, &opened.extraction)
}

/// `--to`, else those of the header, else one of whom only is known that he is outside.
fn recipients(options: &Explain, opened: &reading::Opened) -> Vec<Recipient> {
    let mut to = options.to.clone();
    if to.is_empty() {
        to.clone_from(&opened.facts.recipients_in_header);
    }
    if to.is_empty() {
        to.extend(Address::parse("unknown@external.invalid"));
    }
    to.into_iter().map(|address| Recipient { address, parameters: String::new() }).collect()
}
