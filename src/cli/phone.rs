//! `zegel phone`: asks the zegel that runs, or opens the store itself when none does.

mod import;

use super::{End, complain, loaded};
use crate::{
    address::Address,
    clock::{Clock as _, SystemClock},
    config::Config,
    control::{self, Answer, Request},
    phone::{PhoneFault, PhoneNumber},
    secret::Secret,
    serve, store,
};
use clap::Subcommand;
use std::{
    io::{self, Write},
    path::PathBuf,
};

/// What to do with the numbers.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Show whose numbers are known, since when and from whom; the numbers masked
    List,
    /// Remember a recipient's number
    Set {
        #[arg(value_parser = Address::parse)]
        address: Address,
        #[arg(value_parser = number)]
        number: PhoneNumber,
    },
    /// Remember the numbers in a CSV file; each row that can't be taken is told with its line, and the others are taken
    ///
    /// The first row holds the names of the columns: email_address and phone_number; full_name, access_code and access_code_hint may stand there too
    /// and are not kept. Cells stand between commas, semicolons or tabs, in quotes or not; the text is UTF-8. A second import of the same file
    /// changes nothing.
    Import {
        /// Only say what would change
        #[arg(long)]
        dry_run: bool,
        /// The CSV file; - is standard input
        #[arg(value_name = "FILE.csv")]
        file: String,
    },
    /// Forget a recipient's number
    Forget {
        #[arg(value_parser = Address::parse)]
        address: Address,
    },
}

fn number(text: &str) -> Result<PhoneNumber, &'static str> {
    PhoneNumber::parse(text).map_err(told)
}

/// What is wrong with a number, and what to do.
fn told(fault: PhoneFault) -> &'static str {
    match fault {
        PhoneFault::Invalid => "this is no telephone number that exists; write it as in 0612345678 or +32470123456",
        PhoneFault::NoSms => "this number gets no SMS; give a mobile number",
        PhoneFault::Country => "no codes are sent to this country",
    }
}

/// Runs `command` over the store of the configuration at `path`.
pub(super) fn run(command: &Command, path: Option<PathBuf>, out: &mut impl Write) -> io::Result<End> {
    let config = match loaded(path) {
        Ok(config) => config,
        Err(end) => return Ok(end),
    };
    let request = match command {
        Command::List => Request::PhoneList,
        Command::Set { address, number } => {
            Request::PhoneSet { address: address.to_string(), number: Secret::new(number.expose().to_owned()) }
        }
        Command::Import { dry_run, file } => return import::run(&config, file, *dry_run, out),
        Command::Forget { address } => Request::PhoneForget { address: address.to_string() },
    };
    ask(&config, &request, "no numbers are known", out)
}

/// Asks the zegel that runs, else does it; what it says when there is `nothing` to show.
pub(super) fn ask(config: &Config, request: &Request, nothing: &str, out: &mut impl Write) -> io::Result<End> {
    match answer(config, request)? {
        Answer::Done(shown) => {
            if shown.is_empty() {
                complain(nothing);
            }
            out.write_all(shown.as_bytes())?;
            Ok(End::Fine)
        }
        Answer::Failed(why) => {
            complain(&why);
            Ok(End::Fault)
        }
        Answer::Imported(_) => unreachable!("only an import is answered so"),
    }
}

/// What the zegel that runs answers, or what is done here.
fn answer(config: &Config, request: &Request) -> io::Result<Answer> {
    match control::ask(&config.store.path, request) {
        Ok(Some(answer)) => Ok(answer),
        Ok(None) => ourselves(config, request),
        Err(e) => {
            let socket = control::socket(&config.store.path);
            let path = socket.display();
            Ok(Answer::Failed(format!("{path}: the zegel that runs can't be asked: {e}; run this as the user that runs zegel")))
        }
    }
}

/// Nobody runs: the store is ours for the moment.
fn ourselves(config: &Config, request: &Request) -> io::Result<Answer> {
    // Made here, it would belong to whoever types, not to the user that runs zegel.
    if !store::is_there(&config.store.path) {
        let path = config.store.path.display();
        return Ok(Answer::Failed(format!("{path}: there is no store yet; `zegel run` makes it")));
    }
    let opened = match store::open(&serve::store_options(config, SystemClock.now())) {
        Ok(opened) => opened,
        Err(error) => return Ok(Answer::Failed(error.to_string())),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(control::carry_out(request, opened.store.as_ref(), &opened.keyring, &SystemClock)))
}
