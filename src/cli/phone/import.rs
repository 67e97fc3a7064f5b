//! `zegel phone import`: a CSV file of recipients in, their numbers remembered, and a line for each row that could not be taken.

use super::{End, answer, complain, told};
use crate::{
    address::Address,
    cli::rows::{Rows, Wrong},
    config::Config,
    control::{Answer, Imported, MOST_NUMBERS, Request},
    phone::{Countries, PhoneNumber},
    secret::Secret,
};
use std::{
    collections::HashMap,
    fs::File,
    io::{self, BufReader, Write},
};

/// So many rows are taken from one file: all of them are held in memory until each was looked at.
const MOST_ROWS: usize = 100_000;

/// The columns that are known: whom, whose name, which number, and a code that was agreed with who has no mobile telephone.
const COLUMNS: [&str; 5] = ["email_address", "full_name", "phone_number", "access_code", "access_code_hint"];

/// The recipients of a file.
#[derive(Default)]
struct Read {
    /// Each with his number, in the order of the file.
    taken: Vec<(Address, PhoneNumber)>,
    /// Where in the file an address stands, lowercased, and in `taken`.
    places: HashMap<String, (usize, usize)>,
    /// Rows that can't be taken.
    rejected: Vec<Wrong>,
}

pub(super) fn run(config: &Config, file: &str, dry_run: bool, out: &mut impl Write) -> io::Result<End> {
    let input: Box<dyn io::BufRead> = match file {
        "-" => Box::new(BufReader::new(io::stdin().lock())),
        path => match File::open(path) {
            Ok(file) => Box::new(BufReader::new(file)),
            Err(e) => return Ok(fault(&format!("{path}: {e}"))),
        },
    };
    let read = match read(Rows::new(input), &config.sms.limits.countries) {
        Ok(read) => read,
        Err((line, what)) => return Ok(fault(&format!("{file}:{line}: {what}; nothing was imported"))),
    };
    read.rejected.iter().for_each(|(line, what)| complain(&format!("{file}:{line}: {what}")));
    let mut all = Imported::default();
    for some in read.taken.chunks(MOST_NUMBERS) {
        let numbers = some.iter().map(|(address, number)| (address.to_string(), Secret::new(number.expose().to_owned()))).collect();
        match answer(config, &Request::PhoneImport { numbers, dry_run })? {
            Answer::Imported(Imported { added, changed, unchanged }) => {
                all = Imported { added: all.added + added, changed: all.changed + changed, unchanged: all.unchanged + unchanged };
            }
            Answer::Failed(why) => {
                let done = all.added + all.changed + all.unchanged;
                return Ok(fault(&format!("{why}; {done} numbers were done before: import the file again")));
            }
            Answer::Done(_) => unreachable!("an import is not answered so"),
        }
    }
    let Imported { added, changed, unchanged } = all;
    let (how, rejected) = (if dry_run { "dry run, nothing is written: " } else { "" }, read.rejected.len());
    writeln!(out, "{how}{added} added, {changed} changed, {unchanged} known already, {rejected} rejected")?;
    Ok(if rejected == 0 { End::Fine } else { End::Fault })
}

fn fault(what: &str) -> End {
    complain(what);
    End::Fault
}

/// The recipients in `rows`; what is wrong with the file as a whole.
fn read(mut rows: Rows, countries: &Countries) -> Result<Read, Wrong> {
    let mut header = rows.next();
    // Excel's own way to say what separates cells.
    if matches!(&header, Some(Ok((_, cells))) if cells.first().is_some_and(|cell| cell.to_ascii_lowercase().starts_with("sep="))) {
        header = rows.next();
    }
    let (line, header) =
        header.unwrap_or_else(|| Err((1, "the file is empty; its first row must hold the names of the columns".to_owned())))?;
    let names: Vec<String> = header.iter().map(|cell| cell.trim().to_ascii_lowercase()).collect();
    if let Some(unknown) = names.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        return Err((line, format!("there is no column \"{unknown}\" in an import; there are: {}", COLUMNS.join(", "))));
    }
    let place = |column: &str| names.iter().position(|name| name == column);
    let missing = |column: &str| (line, format!("the column \"{column}\" is missing; the first row must hold the names of the columns"));
    let address = place("email_address").ok_or_else(|| missing("email_address"))?;
    let number = place("phone_number").ok_or_else(|| missing("phone_number"))?;
    let code = place("access_code");
    let mut read = Read::default();
    for (count, row) in rows.enumerate() {
        if count == MOST_ROWS {
            return Err((line, format!("the file has more than {MOST_ROWS} rows; make several of it")));
        }
        let taken = row.and_then(|(line, cells)| {
            // A stray quote joins two rows into one of as many cells: no cell of ours has two lines.
            let what = if cells.iter().any(|cell| cell.trim().contains('\n')) {
                Err("a cell goes on over several lines; close its quotes".to_owned())
            } else if cells.len() == names.len() {
                let code = code.map_or("", |code| cells[code].trim());
                recipient(&cells[address], &cells[number], code, countries).and_then(|recipient| read.take(line, recipient))
            } else {
                let (has, first) = (cells.len(), names.len());
                Err(format!("this row has {has} cells, and the first row {first}; put quotes around a cell that holds a separator"))
            };
            what.map_err(|what| (line, what))
        });
        read.rejected.extend(taken.err());
    }
    Ok(read)
}

impl Read {
    /// Takes a recipient, unless the file says something else of him before.
    fn take(&mut self, line: usize, (address, number): (Address, PhoneNumber)) -> Result<(), String> {
        match self.places.get(&address.as_str().to_lowercase()) {
            Some((_, place)) if self.taken[*place].1 == number => Ok(()),
            Some((before, _)) => Err(format!("line {before} gives another number for {address}; leave one of them")),
            None => {
                self.places.insert(address.as_str().to_lowercase(), (line, self.taken.len()));
                self.taken.push((address, number));
                Ok(())
            }
        }
    }
}

/// A recipient as a row gives him; else what is wrong. A number is never repeated: this goes to a screen, and from there to a ticket.
fn recipient(address: &str, number: &str, code: &str, countries: &Countries) -> Result<(Address, PhoneNumber), String> {
    let (address, number) = (cell(address), cell(number));
    let address = Address::parse(address).map_err(|fault| format!("email_address: {fault}"))?;
    if number.is_empty() {
        return Err(match code {
            "" => format!("phone_number of {address} is empty"),
            _ => format!("{address} has an access code only, and this version opens messages by SMS only; give a number"),
        });
    }
    let number = PhoneNumber::parse_within(number, countries).map_err(|fault| format!("phone_number of {address}: {}", told(fault)))?;
    Ok((address, number))
}

/// What a cell says. Who wants to keep Excel from eating the zero of a number writes `="0612345678"` or `'0612345678`.
fn cell(text: &str) -> &str {
    let text = text.trim();
    let text = text.strip_prefix('=').map_or(text, |text| text.trim_matches('"'));
    text.strip_prefix('\'').unwrap_or(text).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(csv: &'static [u8], expected: &[(&str, &str)], rejected: &[(usize, &str)]) {
        let read = read(Rows::new(Box::new(csv)), &Countries::default()).unwrap_or_else(|(line, what)| panic!("{line}: {what}"));
        let taken: Vec<_> = read.taken.iter().map(|(a, n)| (a.as_str(), n.expose())).collect();
        assert_eq!(taken, expected);
        assert_eq!(read.rejected.len(), rejected.len(), "{:?}", read.rejected);
        for ((line, what), (expected, word)) in read.rejected.iter().zip(rejected) {
            assert!(line == expected && what.contains(word), "{line}: {what}, not {expected}: {word}");
            assert!(!what.contains("0201234567") && !what.contains("0612345679"), "a number is shown: {what}");
        }
    }

    const BRAM: (&str, &str) = ("bram@zorg.example", "+31612345678");

    #[test]
    fn a_file_is_taken_as_spreadsheets_write_it() {
        check(b"email_address,phone_number\nbram@zorg.example,0612345678\n", &[BRAM], &[]);
        check(b"\xef\xbb\xbfEmail_Address;Phone_Number\r\n\"bram@zorg.example\";\"06-12345678\"\r\n\r\n", &[BRAM], &[]);
        check(b"sep=;\r\nphone_number;email_address\r\n=\"0612345678\"; bram@zorg.example \r\n", &[BRAM], &[]);
        check(b"email_address\tfull_name\tphone_number\nbram@zorg.example\tVisser, B.\t'0612345678", &[BRAM], &[]);
        check(b"email_address,full_name,phone_number\nbram@zorg.example,\"Visser, \"\"Bram\"\"\",0612345678\n", &[BRAM], &[]);
        check(b"email_address,phone_number\nbram@zorg.example,612345678\n", &[BRAM], &[]);
        check(b"email_address,phone_number\nbram@zorg.example,0612345678\nBram@zorg.example,+31612345678\n", &[BRAM], &[]);
    }

    #[test]
    fn a_stray_quote_gives_nobody_the_number_of_another() {
        let csv = b"email_address,full_name,phone_number\nbram@zorg.example,\"Visser,0612345679\ncas@zorg.example,\"Cas,0612345677\n\
            bram@zorg.example,\"Visser, Bram\nregel 2\",0612345678\nbram@zorg.example,Bram,0612345678\n";
        check(csv, &[BRAM], &[(2, "several lines"), (4, "several lines")]);
    }

    #[test]
    fn each_row_that_cannot_be_taken_is_told_with_its_line_and_the_others_are_taken() {
        let csv = b"email_address;full_name;phone_number;access_code;access_code_hint\n\
            bram@zorg.example;Bram;0612345678;;\n\
            geen adres;X;0612345678;;\n\
            cas@zorg.example;Cas;0201234567;;\n\
            dirk@zorg.example;Dirk;;;\n\
            eva@zorg.example;Eva;;geheim;onze hond\n\
            fleur@zorg.example;Fleur;061234;;\n\
            gijs@zorg.example;Gijs;+12127365000;;\n\
            bram@ZORG.example;Bram;0612345679;;\n\
            hans;0612345678\n\
            \xff@zorg.example;Y;0612345678;;\n\
            \"ine@zorg.example\nx\";I;0612345678;;\n\
            jan@zorg.example;J;\"0612345678;;\n";
        let rejected = [
            (3, "an address looks like"),
            (4, "gets no SMS"),
            (5, "is empty"),
            (6, "access code only"),
            (7, "no telephone number that exists"),
            (8, "no codes are sent to this country"),
            (9, "line 2 gives another number"),
            (10, "this row has 2 cells"),
            (11, "UTF-8"),
            (12, "goes on over several lines"),
            (14, "have no end"),
        ];
        check(csv, &[BRAM], &rejected);
    }

    #[test]
    fn a_file_that_is_no_such_table_is_refused_as_a_whole() {
        let refused = |csv: &'static [u8]| read(Rows::new(Box::new(csv)), &Countries::default()).err().unwrap_or_else(|| panic!("taken"));
        assert!(refused(b"").1.contains("empty"));
        assert!(refused(b"bram@zorg.example;0612345678\n").1.contains("no column \"bram@zorg.example\""));
        assert!(refused(b"email_address;full_name\n").1.contains("\"phone_number\" is missing"));
    }
}
