//! The sections of `zegel.toml`.

use super::{
    accounts, direct, dkim,
    endpoint::Url,
    extract, loops,
    route::{self, Place},
    sms::{self, Sms},
};
use crate::{
    address::{Address, Domain},
    detect::KnownKey,
    fault::{Located, Table},
    gateway::{DirectOptions, Loops, NullSender},
    notice::{RETURN_NAME, Signer},
    sandbox::Ocr,
    smtp::{
        Accounts, Network,
        client::{DomainPattern, NextHop},
    },
    template::Language,
};
use std::{
    net::{IpAddr, SocketAddr},
    path::{Component, Path, PathBuf},
    sync::Arc,
};

/// Who zegel works for.
#[derive(Clone, Debug)]
pub struct Organisation {
    /// As recipients know it.
    pub name: String,
    /// Its own domains: everybody else is external. Never empty.
    pub domains: Vec<Domain>,
    /// The language of its pages and mails: the code of a [`Language`].
    pub language: String,
}

/// How mail comes in, and where it goes.
pub struct Smtp {
    /// Where to listen; never empty.
    pub listen: Vec<SocketAddr>,
    /// The name we give ourselves in the greeting and in EHLO.
    pub hostname: String,
    /// Where mail goes that has no route of its own: hosts, tried in order; never empty.
    pub next_hops: Vec<NextHop>,
    /// `[[route]]`: whose mail goes elsewhere, and where; the first that fits counts.
    pub routes: Vec<(Vec<DomainPattern>, Vec<NextHop>)>,
    /// Who may relay; never empty.
    pub allow: Vec<Network>,
    /// Who may send from anywhere, by name and password.
    pub accounts: Option<Arc<Accounts>>,
    /// Whose XFORWARD is believed.
    pub xforward: Vec<Network>,
    /// Balancers that speak the PROXY protocol.
    pub proxy_protocol: Vec<Network>,
    /// The largest mail, in bytes.
    pub max_size_bytes: u64,
    /// With a certificate STARTTLS is offered.
    pub tls: Option<Arc<rustls::ServerConfig>>,
    /// What keeps mail from going in circles.
    pub loops: Loops,
    /// What becomes of mail from the null sender.
    pub null_sender: NullSender,
}

/// Mail that zegel writes.
#[derive(Clone, Debug)]
pub struct Mail {
    /// Its From.
    pub from: Address,
    /// Where bounces of notifications come back to us; `None` when they go to the sender.
    pub bounces: Option<Address>,
    /// Who signs it; `None` leaves that to the next hop.
    pub signer: Option<Arc<Signer>>,
}

/// Where recipients come.
#[derive(Clone, Debug)]
pub struct Portal {
    /// Where to listen; never empty.
    pub listen: Vec<SocketAddr>,
    /// What links begin with, without a slash at the end: `https://veilig.voorbeeld.example`.
    pub url: String,
}

/// Who may watch zegel.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Where `/metrics` is answered; empty without the section.
    pub listen: Vec<SocketAddr>,
}

/// Where everything is kept.
#[derive(Clone, Debug)]
pub struct Store {
    /// The data folder.
    pub path: PathBuf,
    /// The folder of the keys: never inside the data folder.
    pub keys: PathBuf,
}

/// What could be read; `None` where a fault was told.
pub(super) struct Sections {
    pub(super) organisation: Option<Organisation>,
    pub(super) smtp: Option<Smtp>,
    pub(super) mail: Option<Mail>,
    pub(super) portal: Option<Portal>,
    pub(super) store: Option<Store>,
    pub(super) sms: Option<Sms>,
    /// `None` without the section, too.
    pub(super) direct: Option<DirectOptions>,
    pub(super) metrics: Metrics,
    /// The key of tables of known values, when there is one.
    pub(super) known_key: Option<Arc<KnownKey>>,
    /// How text in pictures is read; `None` when it is not.
    pub(super) ocr: Option<Located<Ocr>>,
}

const DEFAULT_SIZE_BYTES: u64 = 50 * 1024 * 1024;

/// Smaller than this no mail with a document fits; larger than the byte budget of all sessions (512 MiB) none could ever be taken.
const SIZE_RANGE_BYTES: std::ops::RangeInclusive<u64> = 64 * 1024..=512 * 1024 * 1024;

pub(super) fn read(root: Table, folder: &Path) -> Sections {
    root.not_yet(&["limits", "log", "retention", "audit", "transfer", "admin"]);
    let organisation = section(&root, "organisation", "name = \"Gemeente Voorbeeld\"").and_then(organisation);
    let mail = match root.table("mail") {
        Some(table) => mail(table, folder, organisation.as_ref()),
        None => organisation.as_ref().and_then(|o| from_zegel(o).map(|from| Mail { from, bounces: None, signer: None })),
    };
    let mut taken = Vec::new();
    let portal = section(&root, "portal", "listen = [\"127.0.0.1:8080\"]").and_then(|t| portal(t, &mut taken));
    let routes = root.tables("route");
    let smtp = section(&root, "smtp", "listen = [\"127.0.0.1:2525\"]")
        .and_then(|t| smtp(t, routes, folder, organisation.as_ref(), portal.as_ref(), &mut taken));
    let store = section(&root, "store", "path = \"data\"").and_then(|t| store(t, folder));
    let sms = section(&root, "sms", "provider = \"file\"").and_then(|t| sms::read(t, folder, store.as_ref()));
    let direct = root.table("direct").map(direct::read);
    let metrics = root.table("metrics").map(|t| metrics(t, &mut taken)).unwrap_or_default();
    let known_key = root.table("detection").and_then(|t| detection(t, folder));
    let ocr = root.table("extract").and_then(extract::read);
    root.finish();
    Sections { organisation, smtp, mail, portal, store, sms, direct, metrics, known_key, ocr }
}

/// `[detection]`: the file of the key with which `zegel edm build` made tables.
fn detection(table: Table, folder: &Path) -> Option<Arc<KnownKey>> {
    let file = table.required_text("edm_key", "\"keys/edm.key\"");
    let key = file.and_then(|file| {
        let path = folder.join(&file.value);
        let told = |what: String, remedy: &str| table.fault(file.line, format!("{} {what}", path.display()), remedy);
        let remedy = "make one, `openssl rand -base64 32 > keys/edm.key`, that zegel's user may read and nobody else";
        let text = std::fs::read_to_string(&path).map_err(|e| told(format!("can't be read: {e}"), remedy)).ok()?;
        KnownKey::parse(&text).map_err(|remedy| told("is too short for a key".to_owned(), remedy)).ok()
    });
    table.finish();
    key.map(Arc::new)
}

fn section(root: &Table, name: &str, example: &str) -> Option<Table> {
    if !root.has(name) {
        root.fault(1, format!("`[{name}]` is missing"), format!("add the section, beginning with `{example}`"));
    }
    root.table(name)
}

fn organisation(table: Table) -> Option<Organisation> {
    let name = table.required_text("name", "\"Gemeente Voorbeeld\"");
    if let Some(name) = name.as_ref().filter(|n| n.value.trim().is_empty() || n.value.contains(char::is_control)) {
        table.fault(name.line, "the organisation's name is empty or holds control characters", "write it as recipients know it");
    }
    let texts = table.texts("domains");
    let domains: Vec<_> = texts.iter().filter_map(|text| domain(&table, text)).collect();
    if texts.is_empty() {
        table.fault(table.line(), "`domains` is missing", "add a line such as `domains = [\"voorbeeld.example\"]`");
    }
    let language = table.text("language");
    if let Some(language) = language.as_ref().filter(|l| Language::parse(&l.value).is_none()) {
        table.fault(
            language.line,
            format!("the language \"{}\" is not in this version", language.value),
            "write \"nl\", \"en\", \"de\" or \"fr\"",
        );
    }
    table.finish();
    (!domains.is_empty()).then_some(())?;
    Some(Organisation { name: name?.value, domains, language: language.map_or_else(|| "nl".to_owned(), |l| l.value) })
}

pub(super) fn domain(table: &Table, text: &Located<String>) -> Option<Domain> {
    Domain::parse(&text.value)
        .map_err(|_| table.fault(text.line, format!("\"{}\" is no domain", text.value), "write it as in voorbeeld.example"))
        .ok()
}

/// `zegel@` the first domain. `None` only for a domain too long for an address.
fn from_zegel(organisation: &Organisation) -> Option<Address> {
    Address::parse(&format!("zegel@{}", organisation.domains.first()?)).ok()
}

fn mail(table: Table, folder: &Path, organisation: Option<&Organisation>) -> Option<Mail> {
    let address = |text: &Located<String>| {
        Address::parse(&text.value).map_err(|e| table.fault(text.line, format!("\"{}\" is no address", text.value), e.to_string())).ok()
    };
    let written = table.text("from");
    let from = match &written {
        Some(text) => address(text),
        None => organisation.and_then(from_zegel),
    };
    if let (Some(text), Some(false)) = (&written, from.as_ref().map(Address::is_ascii)) {
        let remedy = "write one in ASCII: many mail servers take no mail from others";
        table.fault(text.line, format!("\"{}\" holds letters outside ASCII", text.value), remedy);
    }
    let bounces = table.text("bounces").and_then(|text| {
        let bounces = address(&text)?;
        // Quotes would have to enclose what is put behind the name.
        if bounces.local().len() > RETURN_NAME || bounces.local().starts_with('"') {
            let what = format!("the name of \"{}\" leaves no room for what zegel puts behind it", text.value);
            table.fault(text.line, what, format!("write {RETURN_NAME} letters and digits at most, as in bounce@mail.voorbeeld.example"));
        }
        Some(bounces)
    });
    let signer = table.table("dkim").and_then(|t| dkim::read(t, folder, from.as_ref()));
    table.finish();
    from.map(|from| Mail { from, bounces, signer })
}

fn smtp(
    table: Table,
    routes: Vec<Table>,
    folder: &Path,
    organisation: Option<&Organisation>,
    portal: Option<&Portal>,
    taken: &mut Vec<Located<SocketAddr>>,
) -> Option<Smtp> {
    table.not_yet(&["auth", "routes"]);
    let listen = listen(&table, "127.0.0.1:2525", taken);
    let place = Place { folder, listen: &listen };
    let next_hops = route::next_hops(&table, &place);
    let routes = route::routes(routes, &place);
    let allow = allow(&table);
    let max_size_bytes = size(&table, "max_size").unwrap_or(DEFAULT_SIZE_BYTES);
    let hostname = hostname(&table).or_else(|| default_hostname(organisation, portal));
    let tls = route::certificate(&table, folder);
    let accounts = accounts::read(&table, folder, organisation, tls.is_some());
    let (xforward, proxy_protocol) = (networks(&table, "xforward"), networks(&table, "proxy_protocol"));
    let (loops, null_sender) = (loops::read(&table, folder), loops::null_sender(&table));
    table.finish();
    (!listen.is_empty() && !allow.is_empty()).then_some(())?;
    Some(Smtp {
        hostname: hostname?,
        next_hops: next_hops?,
        routes: routes?,
        listen,
        allow,
        accounts,
        xforward,
        proxy_protocol,
        max_size_bytes,
        tls,
        loops,
        null_sender,
    })
}

fn hostname(table: &Table) -> Option<String> {
    let text = table.text("hostname")?;
    Some(domain(table, &text)?.as_str().to_owned())
}

/// The portal's name, if it has one: a name that resolves to this machine.
fn default_hostname(organisation: Option<&Organisation>, portal: Option<&Portal>) -> Option<String> {
    let host = portal.and_then(|p| Url::parse(&p.url)).map(|url| url.host);
    let named = host.filter(|h| h.contains('.') && h.parse::<IpAddr>().is_err() && Domain::parse(h).is_ok());
    named.or_else(|| organisation.and_then(|o| Some(format!("zegel.{}", o.domains.first()?))))
}

/// `listen`; `taken` are the addresses of the other sections, and these too afterwards.
fn listen(table: &Table, example: &str, taken: &mut Vec<Located<SocketAddr>>) -> Vec<SocketAddr> {
    let texts = table.texts("listen");
    if texts.is_empty() && !table.has("listen") {
        table.fault(table.line(), "`listen` is missing", format!("add a line such as `listen = [\"{example}\"]`"));
    } else if texts.is_empty() {
        table.fault(table.line(), "`listen` names no address", format!("write an address and a port, such as \"{example}\""));
    }
    let parse = |text: &Located<String>| {
        let remedy = format!("write an IP address and a port, such as \"{example}\"");
        text.value.parse().map_err(|_| table.fault(text.line, format!("zegel can't listen on \"{}\"", text.value), remedy)).ok()
    };
    let listen: Vec<SocketAddr> = texts.iter().filter_map(parse).collect();
    for (address, text) in listen.iter().zip(&texts).filter(|_| listen.len() == texts.len()) {
        if let Some(other) = taken.iter().find(|other| is_same_place(other.value, *address)) {
            let what = format!("\"{}\" is listened on already, on line {}", text.value, other.line);
            table.fault(text.line, what, "choose another port");
        }
        taken.push(Located { value: *address, line: text.line });
    }
    listen
}

/// Whether two listeners can't both be there. Port 0 is any that is free.
fn is_same_place(a: SocketAddr, b: SocketAddr) -> bool {
    let everywhere = a.is_ipv4() == b.is_ipv4() && (a.ip().is_unspecified() || b.ip().is_unspecified());
    a.port() != 0 && a.port() == b.port() && (a.ip() == b.ip() || everywhere)
}

fn allow(table: &Table) -> Vec<Network> {
    let texts = table.texts("allow");
    if texts.is_empty() {
        table.fault(
            table.line(),
            "`allow` is missing: zegel would relay for everybody, or for nobody",
            "name the mail server's networks, such as `allow = [\"127.0.0.0/8\"]`",
        );
    }
    parse_networks(table, &texts, "an open relay", "name the mail server's networks only")
}

/// The networks that `word` lists; none without it.
fn networks(table: &Table, word: &str) -> Vec<Network> {
    parse_networks(table, &table.texts(word), "anybody could pass for anybody", "name the machines that stand before zegel only")
}

fn parse_networks(table: &Table, texts: &[Located<String>], everybody: &str, remedy: &str) -> Vec<Network> {
    let parse = |text: &Located<String>| match text.value.parse::<Network>() {
        Ok(network) if network.to_string().ends_with("/0") => {
            table.fault(text.line, format!("\"{}\" is everybody: {everybody}", text.value), remedy);
            None
        }
        Ok(network) => Some(network),
        Err(e) => {
            let remedy = "write its first address and its size, as in 10.1.0.0/16, or one address";
            table.fault(text.line, format!("\"{}\" is no network: {e}", text.value), remedy);
            None
        }
    };
    texts.iter().filter_map(parse).collect()
}

/// A number of bytes, or a text with a unit: `"50 MiB"`.
fn size(table: &Table, word: &str) -> Option<u64> {
    let (line, bytes) = if table.is_texts(word) {
        let text = table.text(word)?;
        (text.line, size_of(&text.value))
    } else {
        let number = table.integer(word)?;
        (number.line, u64::try_from(number.value).ok())
    };
    let fine = bytes.filter(|b| SIZE_RANGE_BYTES.contains(b));
    if fine.is_none() {
        table.fault(line, format!("`{word}` is no size between 64 KiB and 512 MiB"), "write it as in \"50 MiB\", or as a number of bytes");
    }
    fine
}

fn size_of(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text[digits.len()..].trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "kB" => 1000,
        "MB" => 1_000_000,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

fn portal(table: Table, taken: &mut Vec<Located<SocketAddr>>) -> Option<Portal> {
    table.not_yet(&["certificate", "key", "acme", "oidc"]);
    let listen = listen(&table, "127.0.0.1:8080", taken);
    let url = table.required_text("url", "\"https://veilig.voorbeeld.example\"").and_then(|text| link_url(&table, &text));
    table.finish();
    (!listen.is_empty()).then_some(())?;
    Some(Portal { listen, url: url? })
}

/// An address that links may begin with: a host and nothing behind it, encrypted unless it is this machine.
pub(super) fn link_url(table: &Table, text: &Located<String>) -> Option<String> {
    let Some(url) = Url::parse(&text.value) else {
        let remedy = "write it as in https://veilig.voorbeeld.example, without a path";
        table.fault(text.line, format!("\"{}\" is no address that links can begin with", text.value), remedy);
        return None;
    };
    if !url.encrypted && !url.is_loopback() {
        table.fault(text.line, "links and codes would travel in clear", "write https:// (http:// is for this machine only)");
        return None;
    }
    Some(url.text)
}

fn metrics(table: Table, taken: &mut Vec<Located<SocketAddr>>) -> Metrics {
    let listen = listen(&table, "127.0.0.1:9090", taken);
    table.finish();
    Metrics { listen }
}

fn store(table: Table, folder: &Path) -> Option<Store> {
    table.not_yet(&["database", "blobs", "engine", "binding", "escrow"]);
    let folder_at = |word: &str, text: Located<String>| {
        if text.value.is_empty() {
            table.fault(text.line, format!("`{word}` is no folder"), format!("name one, such as \"{word}\""));
            return None;
        }
        Some(Located { value: folder.join(text.value), line: text.line })
    };
    // Whoever names a database has no need of a path, and is told that of the database only.
    let elsewhere = table.words().iter().any(|word| word.value == "database");
    let path = if elsewhere { table.text("path") } else { table.required_text("path", "\"data\"") };
    let path = path.and_then(|text| folder_at("path", text));
    let keys = match table.text("keys") {
        Some(text) => folder_at("keys", text),
        None => Some(Located { value: folder.join("keys"), line: table.line() }),
    };
    if let (Some(path), Some(keys)) = (&path, &keys)
        && plain(&keys.value).starts_with(plain(&path.value))
    {
        table.fault(keys.line, "the keys would lie within the data folder, and in its backups", "set `keys` to a folder outside `path`");
    }
    table.finish();
    Some(Store { path: path?.value, keys: keys?.value })
}

/// A path without `.` and `..`, to compare; links are not followed, since the folders may not exist yet.
fn plain(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut plain = PathBuf::new();
    for component in absolute.components() {
        match component {
            Component::ParentDir => drop(plain.pop()),
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}
