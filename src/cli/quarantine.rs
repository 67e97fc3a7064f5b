//! `zegel quarantine`: what waits for the organisation's decision.

use super::{End, loaded, phone::ask};
use crate::{control::Request, release::MOST_REASON_CHARS};
use clap::Subcommand;
use std::{
    io::{self, Write},
    path::PathBuf,
};

/// What to do with what waits.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Show what waits: id, since when, until when, sender, number of recipients, policy, rules, subject
    List,
    /// Let a message go to its recipients
    Release {
        id: String,
        /// As it came, without a link, to those for whom no other policy asks for protection
        #[arg(long, requires = "why")]
        openly: bool,
        /// Why it may go openly; kept with the event
        #[arg(long = "reason", id = "why", requires = "openly", value_parser = some_reason)]
        reason: Option<String>,
    },
    /// Send a message to nobody; its sender is told within a minute
    Refuse {
        id: String,
        /// What the sender reads about it
        #[arg(long, default_value = "", value_parser = reason)]
        reason: String,
    },
}

fn reason(text: &str) -> Result<String, String> {
    if text.chars().count() > MOST_REASON_CHARS { Err(format!("at most {MOST_REASON_CHARS} characters")) } else { Ok(text.to_owned()) }
}

fn some_reason(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("say why".to_owned()) } else { reason(text) }
}

/// Runs `command` over the store of the configuration at `path`.
pub(super) fn run(command: &Command, path: Option<PathBuf>, out: &mut impl Write) -> io::Result<End> {
    let config = match loaded(path) {
        Ok(config) => config,
        Err(end) => return Ok(end),
    };
    let request = match command {
        Command::List => Request::QuarantineList,
        Command::Release { id, reason, .. } => Request::QuarantineRelease { id: id.clone(), openly: reason.clone() },
        Command::Refuse { id, reason } => Request::QuarantineRefuse { id: id.clone(), reason: reason.clone() },
    };
    ask(&config, &request, "nothing waits in quarantine", out)
}
