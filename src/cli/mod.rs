//! The command line. Each command is one function; what they print and how they end is an interface (tests/cli.rs).

mod check;
mod edm;
mod explain;
mod extract;
mod init;
mod jsonl;
mod judging;
mod password;
mod phone;
mod quarantine;
mod reading;
mod replay;
mod rows;

use crate::{
    address::Address,
    config::{self, Config},
    demo,
    fault::Fault,
    inspect::Rulebook,
    serve,
};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

/// An e-mail gateway that recognises sensitive mail and seals it.
#[derive(Parser)]
#[command(name = "zegel", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a commented configuration, rules, policies and a folder for keys; existing files are left as they are
    Init {
        /// The folder; made if it isn't there
        dir: PathBuf,
    },
    /// List every fault in configuration, rules and policies, and try their examples
    Check {
        #[command(flatten)]
        config: ConfigOption,
    },
    /// Say what is found in a mail or file, and what happens to it
    Explain(Explain),
    /// Take mail, until SIGTERM; SIGHUP reads rules, policies, templates and certificate anew
    Run {
        /// The configuration; left out: ./zegel.toml
        #[arg(long = "config", value_name = "FILE")]
        path: Option<PathBuf>,
    },
    /// Everything on loopback with nothing to set up: sample mails, a mailbox page, the portal
    Demo {
        /// Walk the recipient's path and end
        #[arg(long)]
        once: bool,
    },
    /// The phone numbers that are remembered for recipients
    Phone {
        /// The configuration; left out: ./zegel.toml
        #[arg(long = "config", value_name = "FILE", global = true)]
        path: Option<PathBuf>,
        #[command(subcommand)]
        command: phone::Command,
    },
    /// Say what rules and policies would have made of mail of the past, and how another set differs
    Replay {
        #[command(flatten)]
        config: ConfigOption,
        /// A recipient to whom nobody of the organisation has written before; left out: none is one
        #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
        first_contact: Vec<Address>,
        /// A folder with the rules/ or policies/, or both, to compare with
        #[arg(long, value_name = "DIR")]
        against: Option<PathBuf>,
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        /// An mbox, a Maildir, or a folder of mails
        #[arg(value_name = "MBOX|DIR")]
        archive: PathBuf,
    },
    /// Mail that waits for the organisation's decision
    Quarantine {
        /// The configuration; left out: ./zegel.toml
        #[arg(long = "config", value_name = "FILE", global = true)]
        path: Option<PathBuf>,
        #[command(subcommand)]
        command: quarantine::Command,
    },
    /// Exact data match: tables that recognise your own records and tell nothing about them
    Edm {
        #[command(subcommand)]
        command: edm::Command,
    },
    /// Print what stands for a password in the file of accounts; the password is a line of standard input
    HashPassword,
    /// Print the text that detection sees of a mail or file
    Extract {
        #[command(flatten)]
        config: ConfigOption,
        #[arg(long, value_enum, default_value_t)]
        format: Format,
        /// Mails or other files; - is standard input
        #[arg(required = true)]
        files: Vec<String>,
    },
}

#[derive(Args)]
struct ConfigOption {
    /// The configuration; left out: built-in rules and policies
    #[arg(long = "config", value_name = "FILE")]
    path: Option<PathBuf>,
}

#[derive(Args)]
struct Explain {
    #[command(flatten)]
    config: ConfigOption,
    /// The envelope's sender ("" is the null sender); left out: the mail's From
    #[arg(long, value_name = "ADDRESS", value_parser = sender)]
    from: Option<Sender>,
    /// A recipient of the envelope; left out: the mail's To, Cc and Bcc
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    to: Vec<Address>,
    /// A recipient to whom nobody of the organisation has written before; left out: none is one
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    first_contact: Vec<Address>,
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Read lines {"id", "text"} and print {"id", "findings"} for each
    #[arg(long, conflicts_with_all = ["from", "to"])]
    jsonl: bool,
    /// Mails or other files; - is standard input
    #[arg(required_unless_present = "jsonl")]
    files: Vec<String>,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people
    #[default]
    Text,
    /// One object a line for each FILE
    Json,
}

/// A sender on the command line; `None` is the null sender.
#[derive(Clone)]
struct Sender(Option<Address>);

fn sender(text: &str) -> Result<Sender, crate::address::AddressError> {
    if matches!(text, "" | "<>") { Ok(Sender(None)) } else { Address::parse(text).map(|a| Sender(Some(a))) }
}

/// How a command ended.
enum End {
    /// Nothing wrong.
    Fine,
    /// A fault was found and has been told.
    Fault,
    /// It was not used as it must be.
    WrongUse,
}

/// Runs the command that the process was started with.
///
/// Exit status: 0 fine, 1 a fault was found, 2 wrong use.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::parse().command {
        Command::Run { path } => return run_until_told(path),
        Command::Demo { once } => return on_a_runtime(demo::run(once)),
        other => Cli { command: other },
    };
    let mut out = io::BufWriter::with_capacity(OUT_BYTES, io::stdout().lock());
    let end = run(cli.command, &mut out).and_then(|end| out.flush().map(|()| end));
    match end {
        Ok(End::Fine) => ExitCode::SUCCESS,
        Ok(End::Fault) => ExitCode::FAILURE,
        Ok(End::WrongUse) => ExitCode::from(WRONG_USE),
        // Whoever reads our output has seen enough (`| head`).
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(e) => {
            complain(&e.to_string());
            ExitCode::FAILURE
        }
    }
}

/// Large, since `explain --jsonl` writes millions of short lines.
const OUT_BYTES: usize = 256 * 1024;

fn run(command: Command, out: &mut impl Write) -> io::Result<End> {
    match command {
        Command::Init { dir } => init::run(&dir, out),
        Command::Check { config } => check::run(config.path.as_deref(), out),
        Command::Explain(options) if options.jsonl => jsonl::run(&options, out),
        Command::Explain(options) => explain::run(&options, out),
        Command::Extract { config, format, files } => extract::run(config.path.as_deref(), format, &files, out),
        Command::Phone { path, command } => phone::run(&command, path, out),
        Command::Replay { config, first_contact, against, format, archive } => {
            replay::run(config.path.as_deref(), &first_contact, against.as_deref(), format, &archive, out)
        }
        Command::Quarantine { path, command } => quarantine::run(&command, path, out),
        Command::HashPassword => password::run(out),
        Command::Edm { command } => edm::run(&command, out),
        Command::Run { .. } | Command::Demo { .. } => Ok(End::Fine), // `main` has taken them.
    }
}

/// The configuration of commands that need one: the one named, else `./zegel.toml`; `None` after saying that there is none.
fn configuration(path: Option<PathBuf>) -> Option<PathBuf> {
    let path = path.unwrap_or_else(|| PathBuf::from("zegel.toml"));
    if path.exists() {
        return Some(path);
    }
    complain(&format!("there is no {}; name the configuration with --config, or make one with `zegel init DIR`", path.display()));
    None
}

/// The configuration of a command that works on its store; else how the command ends, which has been told.
fn loaded(path: Option<PathBuf>) -> Result<Config, End> {
    let path = configuration(path).ok_or(End::WrongUse)?;
    Config::load(&path).map_err(|faults| complain_all(&faults))
}

/// Wrong use, as clap ends it.
const WRONG_USE: u8 = 2;

fn run_until_told(path: Option<PathBuf>) -> ExitCode {
    match configuration(path) {
        Some(path) => on_a_runtime(async move { serve::run(&path).await }),
        None => ExitCode::from(WRONG_USE),
    }
}

fn on_a_runtime(task: impl Future<Output = ExitCode>) -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let ended = runtime.block_on(task);
            // A reader that hangs on a hostile file must not keep the process.
            runtime.shutdown_background();
            ended
        }
        Err(e) => {
            complain(&format!("no threads to run on: {e}"));
            ExitCode::FAILURE
        }
    }
}

/// The rules and policies of a configuration, or the built-in ones.
fn rulebook(config: Option<&Path>) -> Result<Rulebook, Vec<Fault>> {
    match config {
        Some(path) => Config::load(path).map(|config| config.rulebook),
        None => config::built_in(),
    }
}

/// A configuration that a command reads and judges files by; what of it can't be done here is told.
fn stocked(path: &Path) -> Result<Config, Vec<Fault>> {
    let mut config = Config::load(path)?;
    if let Some(lack) = config.take_stock() {
        complain(&lack.to_string());
    }
    Ok(config)
}

/// Who has a configuration here and doesn't name it may think that it is used.
fn say_what_is_not_read(config: Option<&Path>) {
    if config.is_none() && Path::new("zegel.toml").exists() {
        complain("the built-in rules and policies are used; for your own: --config zegel.toml");
    }
}

/// Tells a fault that is not this command's result.
fn complain(what: &str) {
    // Nobody to tell when standard error is closed.
    let _ = writeln!(io::stderr(), "zegel: {what}");
}

fn complain_all(faults: &[Fault]) -> End {
    for fault in faults {
        let _ = writeln!(io::stderr(), "{fault}");
    }
    End::Fault
}
