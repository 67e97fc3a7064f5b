//! `zegel hash-password`: what stands for a password in the file of accounts.

use super::{End, complain};
use crate::smtp::auth;
use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write};
use zeroize::Zeroizing;

/// As many octets as AUTH takes of a password, and its line end.
const LINE_OCTETS: u64 = 514;

pub(super) fn run(out: &mut impl Write) -> io::Result<End> {
    let stdin = io::stdin();
    if stdin.is_terminal() {
        eprint!("Password (it is shown while you type): ");
    }
    let mut line = Zeroizing::new(String::new());
    let read = stdin.lock().take(LINE_OCTETS).read_line(&mut line);
    let password = line.strip_suffix('\n').unwrap_or(&line);
    let password = password.strip_suffix('\r').unwrap_or(password);
    if read.is_err() || password.is_empty() || password.len() > auth::LONGEST || password.contains(char::is_control) {
        complain("a password is one line of 1 to 512 octets, without control characters");
        return Ok(End::Fault);
    }
    writeln!(out, "{}", auth::hash_password(password))?;
    Ok(End::Fine)
}
