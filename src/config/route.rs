//! Where mail goes: the `next_hop` of `[smtp]` and of each `[[route]]`, and the certificates that belong to them.

use super::endpoint;
use crate::{
    fault::{Located, Table},
    smtp::{
        client::{DomainPattern, Identity, NextHop, Trust},
        tls::{self, TlsError},
    },
};
use std::{collections::HashMap, fs, net::SocketAddr, path::Path, sync::Arc};

/// What a next hop is read beside.
pub(super) struct Place<'a> {
    /// Where file names begin.
    pub(super) folder: &'a Path,
    /// Where zegel listens: a next hop there would be itself.
    pub(super) listen: &'a [SocketAddr],
}

/// Every `[[route]]`; `None` where one is at fault.
pub(super) fn routes(tables: Vec<Table>, place: &Place<'_>) -> Option<Vec<(Vec<DomainPattern>, Vec<NextHop>)>> {
    let mut lines = HashMap::new();
    let routes: Vec<_> = tables.into_iter().map(|table| route(table, place, &mut lines)).collect();
    routes.into_iter().collect()
}

fn route(table: Table, place: &Place<'_>, lines: &mut HashMap<DomainPattern, usize>) -> Option<(Vec<DomainPattern>, Vec<NextHop>)> {
    let texts = table.texts("to");
    if texts.is_empty() {
        table.fault(table.line(), "`to` is missing", "name the domains whose mail goes this way, such as `to = [\"partner.example\"]`");
    }
    let mut to = Vec::with_capacity(texts.len());
    for text in &texts {
        let Ok(pattern) = text.value.parse::<DomainPattern>() else {
            let remedy = "write partner.example, or *.partner.example for everything below it";
            table.fault(text.line, format!("\"{}\" is no domain", text.value), remedy);
            continue;
        };
        if let Some(line) = lines.insert(pattern.clone(), text.line) {
            table.fault(text.line, format!("\"{}\" has a route already, on line {line}", text.value), "leave one of them out");
        }
        to.push(pattern);
    }
    let hops = next_hops(&table, place);
    table.finish();
    (!to.is_empty()).then_some((to, hops?))
}

/// `next_hop`, one or several, with `client_certificate`, `client_key` and `ca` for all of them.
pub(super) fn next_hops(table: &Table, place: &Place<'_>) -> Option<Vec<NextHop>> {
    let texts = table.texts("next_hop");
    if texts.is_empty() {
        table.fault(table.line(), "`next_hop` is missing", "add a line such as `next_hop = \"smtp://127.0.0.1:2500\"`");
    }
    let identity = pair(table, "client_certificate", "client_key", place.folder, Identity::new);
    let trust = trust(table, place.folder);
    let hops: Vec<_> = texts.iter().map(|text| next_hop(table, text, place)).collect();
    let (identity, trust) = (identity?, trust?);
    let hops: Vec<NextHop> =
        hops.into_iter().map(|hop| Some(NextHop { identity: identity.clone(), trust: trust.clone(), ..hop? })).collect::<Option<_>>()?;
    if let (Some(ca), false) = (table.text("ca"), hops.iter().any(|hop| hop.tls.is_verified())) {
        table.fault(
            ca.line,
            "`ca` has no effect: no certificate is checked with smtp:// and lmtp://",
            "write smtp+starttls:// or smtps://, or leave it out",
        );
    }
    for (hop, text) in hops.iter().zip(&texts) {
        if let Err(e) = hop.check() {
            table.fault(
                text.line,
                format!("certificates of the next hop can't be checked here: {e}"),
                "install the package ca-certificates",
            );
        }
    }
    (!hops.is_empty()).then_some(hops)
}

fn next_hop(table: &Table, text: &Located<String>, place: &Place<'_>) -> Option<NextHop> {
    let Some(next_hop) = endpoint::next_hop(&text.value) else {
        table.fault(text.line, format!("\"{}\" is no next hop", text.value), endpoint::FORMS);
        return None;
    };
    if place.listen.iter().any(|address| endpoint::is_same(&next_hop, address)) {
        table.fault(text.line, "the next hop is zegel itself", "name the server that mail goes to after zegel");
    }
    Some(next_hop)
}

/// Whose certificates count: those of `ca`, else the system's. `None` where that is at fault.
fn trust(table: &Table, folder: &Path) -> Option<Trust> {
    let Some(file) = table.text("ca") else { return Some(Trust::Platform) };
    let remedy = "name a PEM file with the certificates of the authorities that count";
    let certificates = tls::certificates(&pem(table, &file, folder, remedy)?);
    certificates.map(Trust::Authorities).map_err(|e| table.fault(file.line, e.to_string(), remedy)).ok()
}

/// `certificate` and `key`, with which STARTTLS is offered.
pub(super) fn certificate(table: &Table, folder: &Path) -> Option<Arc<rustls::ServerConfig>> {
    pair(table, "certificate", "key", folder, tls::server_config).flatten()
}

/// A certificate chain and its key, from two files; `Some(None)` where neither is named, `None` where they are at fault.
fn pair<T>(
    table: &Table,
    certificate: &str,
    key: &str,
    folder: &Path,
    make: impl FnOnce(&[u8], &[u8]) -> Result<T, TlsError>,
) -> Option<Option<T>> {
    let (chain_file, key_file) = match (table.text(certificate), table.text(key)) {
        (Some(chain_file), Some(key_file)) => (chain_file, key_file),
        (Some(one), None) => {
            table.fault(one.line, format!("`{certificate}` without `{key}`"), format!("add `{key}`"));
            return None;
        }
        (None, Some(one)) => {
            table.fault(one.line, format!("`{key}` without `{certificate}`"), format!("add `{certificate}`"));
            return None;
        }
        (None, None) => return Some(None),
    };
    let chain = pem(table, &chain_file, folder, "name a PEM file with the whole chain");
    let key_pem = pem(table, &key_file, folder, "name the PEM file of the certificate's key");
    let line = |error: &TlsError| if matches!(error, TlsError::Certificate) { chain_file.line } else { key_file.line };
    make(&chain?, &key_pem?)
        .map(Some)
        .map_err(|e| table.fault(line(&e), e.to_string(), "name a certificate chain and the key that belongs to it, both PEM"))
        .ok()
}

fn pem(table: &Table, file: &Located<String>, folder: &Path, remedy: &str) -> Option<Vec<u8>> {
    let path = folder.join(&file.value);
    fs::read(&path).map_err(|e| table.fault(file.line, format!("{} can't be read: {e}", path.display()), remedy)).ok()
}
