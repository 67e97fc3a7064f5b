//! `zegel edm build`: a CSV file in, a table of keyed hashes out.

use super::{End, complain, rows::Rows};
use crate::detect::{KnownBuilder, KnownKey, KnownRow};
use clap::Subcommand;
use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    path::PathBuf,
};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Print a table for `known = { file = "lists/x.edm", column = ".." }`, made of a CSV file
    ///
    /// The first row holds the names of the columns. Cells stand between commas, semicolons or tabs, in quotes or not; the text is UTF-8.
    Build {
        /// The file of the key: 32 random letters or more, the file that `edm_key` in zegel.toml names
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// A column to take, by its name in the first row; may be given several times
        #[arg(long, value_name = "NAME", required = true)]
        column: Vec<String>,
        /// The CSV file; - is standard input
        csv: String,
    },
}

pub(super) fn run(command: &Command, out: &mut impl Write) -> io::Result<End> {
    let Command::Build { key, column, csv } = command;
    let text = match fs::read_to_string(key) {
        Ok(text) => text,
        Err(e) => return Ok(fault(&format!("{}: {e}", key.display()))),
    };
    let key = match KnownKey::parse(&text) {
        Ok(key) => key,
        Err(remedy) => return Ok(fault(&format!("{} is too short for a key; {remedy}", key.display()))),
    };
    let input: Box<dyn BufRead> = match csv.as_str() {
        "-" => Box::new(BufReader::new(io::stdin().lock())),
        path => match File::open(path) {
            Ok(file) => Box::new(BufReader::with_capacity(1024 * 1024, file)),
            Err(e) => return Ok(fault(&format!("{path}: {e}"))),
        },
    };
    match build(&key, column, Rows::new(input)) {
        Ok((builder, rows)) => {
            let values = builder.write(out)?;
            complain(&format!("{values} values of {rows} rows"));
            Ok(End::Fine)
        }
        // Half a table would miss half of what is known, so nothing is written.
        Err(faults) => {
            faults.iter().for_each(|what| complain(&format!("{csv}:{what}")));
            Ok(End::Fault)
        }
    }
}

fn fault(what: &str) -> End {
    complain(what);
    End::Fault
}

/// So many faults are told; who sees more corrects the file's cause, not its rows.
const MOST_FAULTS: usize = 20;

/// The table of all rows, and how many there were; or what is wrong, by line.
fn build<'k>(key: &'k KnownKey, names: &[String], mut rows: Rows) -> Result<(KnownBuilder<'k>, u64), Vec<String>> {
    let at = |line: usize, what: String| format!("{line}: {what}");
    let header = match rows.next() {
        Some(Ok((_, header))) => header,
        Some(Err((line, what))) => return Err(vec![at(line, what)]),
        None => return Err(vec![at(1, "the file is empty; its first row must hold the names of the columns".to_owned())]),
    };
    let mut faults = Vec::new();
    let mut places = Vec::with_capacity(names.len());
    for name in names {
        match header.iter().position(|cell| cell.trim() == name.trim()) {
            Some(place) => places.push(place),
            None => faults.push(at(1, format!("there is no column \"{name}\"; there are: {}", header.join(", ")))),
        }
    }
    let Some(mut builder) = KnownBuilder::new(key, names).filter(|_| faults.is_empty()) else {
        if faults.is_empty() {
            faults.push(at(1, "more than 16 columns; make several tables of it".to_owned()));
        }
        return Err(faults);
    };
    let mut count = 0;
    for row in rows {
        let taken = row.and_then(|(line, cells)| {
            if cells.len() != header.len() {
                return Err((
                    line,
                    format!(
                        "this row has {} cells, and the first row {}; put quotes around a cell that holds a separator",
                        cells.len(),
                        header.len()
                    ),
                ));
            }
            let values: Vec<&str> = places.iter().map(|place| cells[*place].as_str()).collect();
            match builder.row(&values) {
                KnownRow::Taken(_) => Ok(()),
                unfit => Err((line, format!("{unfit}; correct it or empty it"))),
            }
        });
        count += 1;
        if let Err((line, what)) = taken {
            faults.push(at(line, what));
            if faults.len() == MOST_FAULTS {
                faults.push(at(line, "and perhaps more".to_owned()));
                break;
            }
        }
    }
    if faults.is_empty() { Ok((builder, count)) } else { Err(faults) }
}
