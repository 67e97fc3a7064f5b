//! The file of accounts that `[smtp] accounts` names.

use super::sections::Organisation;
use crate::{
    fault::{Located, Table},
    smtp::Accounts,
};
use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::Arc,
};
use zeroize::Zeroizing;

/// Ten thousand accounts take 1 MiB; a larger file is not one of accounts.
const FILE_BYTES: u64 = 4 << 20;

/// The accounts, if any are configured; without a certificate their passwords would travel in clear.
pub(super) fn read(table: &Table, folder: &Path, organisation: Option<&Organisation>, has_certificate: bool) -> Option<Arc<Accounts>> {
    let file = table.text("accounts")?;
    if !has_certificate && !table.has("certificate") {
        table.fault(file.line, "`accounts` without `certificate`: passwords would travel in clear", "add `certificate` and `key`");
    }
    let remedy = "name a file with a line name:PHC for each account; `zegel hash-password` prints the PHC string";
    let text = read_private(table, &file, &folder.join(&file.value), remedy)?;
    let domains = organisation.map(|o| o.domains.clone()).unwrap_or_default();
    let faults = match Accounts::parse(&text, domains) {
        Ok(accounts) => return Some(Arc::new(accounts)),
        Err(faults) => faults,
    };
    for fault in faults {
        let remedy = "write name:PHC, as `zegel hash-password` prints the PHC string, one account a line";
        table.fault(file.line, format!("{}:{}: {}", file.value, fault.line, fault.what), remedy);
    }
    None
}

/// The text of a file that nobody else may read: who has hashes can try passwords on them at leisure, who has a key signs as the organisation.
pub(super) fn read_private(table: &Table, file: &Located<String>, path: &Path, remedy: &str) -> Option<Zeroizing<String>> {
    let read = || -> io::Result<(u32, Zeroizing<String>)> {
        let opened = File::open(path)?;
        let mode = opened.metadata()?.permissions().mode();
        let mut text = Zeroizing::new(String::new());
        if opened.take(FILE_BYTES + 1).read_to_string(&mut text)? as u64 > FILE_BYTES {
            return Err(io::Error::other("it is larger than 4 MiB"));
        }
        Ok((mode, text))
    };
    match read() {
        Ok((mode, _)) if mode & 0o077 != 0 => {
            let what = format!("others may read {} (mode {:03o})", path.display(), mode & 0o777);
            table.fault(file.line, what, "`chmod 600` it, and let the user that runs zegel own it");
            None
        }
        Ok((_, text)) => Some(text),
        Err(error) => {
            table.fault(file.line, format!("{} can't be read: {error}", path.display()), remedy);
            None
        }
    }
}
