//! `[mail.dkim]`: with which key zegel's own mails are signed.

use super::{accounts::read_private, sections::domain};
use crate::{
    address::{Address, Domain},
    fault::{Located, Table},
    notice::Signer,
};
use std::{path::Path, sync::Arc};

const REMEDY: &str = "make one, `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out keys/dkim.pem`, that zegel's user may read and nobody else";

/// The signer; `from` is whose mails they are.
pub(super) fn read(table: Table, folder: &Path, from: Option<&Address>) -> Option<Arc<Signer>> {
    let selector = table.required_text("selector", "\"zegel\"").and_then(|text| domain(&table, &text));
    let written = table.text("domain");
    let theirs = match &written {
        Some(text) => domain(&table, text),
        None => from.map(Address::domain),
    };
    if let (Some(text), Some(domain), Some(from)) = (&written, &theirs, from)
        && !is_within(&from.domain(), domain)
    {
        let what = format!("a signature of \"{}\" doesn't count for mail from {from}: DMARC wants the same domain", text.value);
        table.fault(text.line, what, format!("write {}, or the domain above it, or leave `domain` out", from.domain().as_str()));
    }
    let key = table.required_text("key", "\"keys/dkim.pem\"");
    let signer = key.and_then(|key| signer(&table, &key, folder, theirs?, selector?));
    table.finish();
    signer
}

fn signer(table: &Table, key: &Located<String>, folder: &Path, domain: Domain, selector: Domain) -> Option<Arc<Signer>> {
    let path = folder.join(&key.value);
    let pem = read_private(table, key, &path, REMEDY)?;
    let made = Signer::new(domain, selector, pem.as_bytes());
    made.map(Arc::new).map_err(|e| table.fault(key.line, format!("{} {e}", path.display()), REMEDY)).ok()
}

/// Whether `name` is `domain` or below it.
fn is_within(name: &Domain, domain: &Domain) -> bool {
    name == domain || name.as_str().strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'))
}
