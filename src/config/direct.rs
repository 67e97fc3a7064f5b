//! `[direct]`: recipients who get the mail itself where transport to their domain is verified.

use super::sections::domain;
use crate::{
    address::Domain,
    fault::{Located, Table},
    gateway::{DirectOptions, Trusted},
};
use std::net::SocketAddr;

pub(super) fn read(table: Table) -> DirectOptions {
    table.not_yet(&["hostname", "client_certificate", "require_tls"]);
    let mut options = DirectOptions::default();
    options.dns.resolver = table.text("resolver").and_then(|text| resolver(&table, &text));
    options.nta7516 = table.boolean("nta7516").is_some_and(|b| b.value);
    for inner in table.tables("trusted") {
        options.trusted.extend(trusted(inner, &options.trusted));
    }
    table.finish();
    options
}

fn resolver(table: &Table, text: &Located<String>) -> Option<SocketAddr> {
    let address = text.value.parse::<SocketAddr>().ok().filter(|a| a.port() != 0);
    if address.is_none() {
        let remedy = "write an IP address and a port, such as \"127.0.0.1:53\"; left out: the system's resolver";
        table.fault(text.line, format!("no resolver can be asked at \"{}\"", text.value), remedy);
    }
    address
}

/// `[[direct.trusted]]`: a domain, and the mail servers that are expected there.
fn trusted(table: Table, earlier: &[Trusted]) -> Option<Trusted> {
    let written = table.required_text("domain", "\"partner.example\"");
    let name = written.as_ref().and_then(|text| domain(&table, text));
    if let (Some(text), Some(name)) = (&written, &name)
        && earlier.iter().any(|t| t.domain == *name)
    {
        table.fault(text.line, format!("\"{name}\" is listed already"), "put all its mail servers into one list");
    }
    let texts = table.texts("mx");
    if texts.is_empty() {
        // Its name comes from DNS that nobody signed: only one that is written here can be trusted.
        table.fault(table.line(), "`mx` names no mail server", "add a line such as `mx = [\"mail.partner.example\"]`");
    }
    let mx: Vec<Domain> = texts.iter().filter_map(|text| host(&table, text)).collect();
    table.finish();
    (!mx.is_empty()).then_some(())?;
    Some(Trusted { domain: name?, mx })
}

fn host(table: &Table, text: &Located<String>) -> Option<Domain> {
    let host = Domain::parse(&text.value).ok().filter(|d| d.as_str().contains('.') && d.as_str().parse::<std::net::IpAddr>().is_err());
    if host.is_none() {
        table.fault(text.line, format!("\"{}\" is no mail server's name", text.value), "write it as in mail.partner.example");
    }
    host
}
