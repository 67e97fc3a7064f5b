//! Reads a provider's file. Every fault is told with its line and what to do.

use super::{
    super::{
        signature::{Over, Signature},
        template::{Escape, Template, Word},
    },
    Answers, Ask, MEANINGS, Needs, Provider, Reports,
};
use crate::fault::{Faults, Located, Table, did_you_mean};
use reqwest::header::HeaderName;
use std::net::IpAddr;

/// The kinds of signature that files may name.
const KINDS: [&str; 6] = ["twilio", "hmac-sha256", "jwt", "basic", "key", "ip"];

impl Provider {
    /// Reads the provider `name` from the text of `file`; `None` when it has a fault, which is told.
    #[must_use]
    pub fn read(name: &str, file: &str, text: &str, faults: &Faults) -> Option<Provider> {
        let before = faults.len();
        let root = Table::parse(file, text, faults)?;
        let section = |word: &str| {
            if !root.has(word) {
                root.fault(1, format!("`[{word}]` is missing"), "add the section; docs/sms.md says what stands in it");
            }
            root.table(word)
        };
        let needs = section("provider").and_then(needs);
        let sent = section("send").and_then(send);
        let (code, meanings) = root.table("errors").map(errors).unwrap_or_default();
        let reports = root.table("report").map_or(Some(None), |table| {
            let reports = report(&table);
            table.finish();
            reports.map(Some)
        });
        root.finish();
        let (ask, success, id) = sent?;
        if needs.as_ref().is_some_and(|n| n.account.is_none()) && ask.uses(Word::Account) {
            faults.add(
                file,
                1,
                "{account} is used, and nothing says what it is",
                "say so in [provider]: `account = \"the id of the workspace\"`",
            );
        }
        let answers = Answers { success, id, code, meanings };
        let provider = Provider { name: name.to_owned(), needs: needs?, ask, answers, reports: reports? };
        (faults.len() == before).then_some(provider)
    }
}

fn needs(table: Table) -> Option<Needs> {
    let title = table.required_text("title", "\"Twilio\"");
    let [account, account_begins, sender] = ["account", "account_begins", "sender"].map(|word| table.text(word).map(|t| t.value));
    table.finish();
    Some(Needs { title: title?.value, account, account_begins: account_begins.unwrap_or_default(), sender })
}

/// A text with words to fill in.
fn template(table: &Table, text: &Located<String>, escape: Escape) -> Option<Template> {
    let told = |word: String| {
        let remedy = match did_you_mean(&word, Template::known()) {
            Some(meant) => format!("did you mean {{{meant}}}?"),
            None => format!("known here: {{{}}}", Template::known().collect::<Vec<_>>().join("}, {")),
        };
        table.fault(text.line, format!("there is no word {{{word}}}"), remedy);
    };
    Template::parse(&text.value, escape).map_err(told).ok()
}

fn send(table: Table) -> Option<(Ask, Vec<u16>, Option<String>)> {
    let url = table.required_text("url", "\"https://api.provider.example/messages\"").and_then(|text| url(&table, &text));
    let basic = table.text("basic").and_then(|text| {
        if !text.value.contains(':') {
            table.fault(text.line, "`basic` has no colon", "write a name and a password: \"{account}:{secret}\"");
        }
        template(&table, &text, Escape::Nothing)
    });
    let headers = table.table("headers").map(headers).unwrap_or_default();
    let json = kind(&table);
    let body = table.required_text("body", "\"to={to}&text={text}\"").and_then(|text| body(&table, &text, json?));
    let success = table.texts("success").iter().filter_map(|text| status(&table, text)).collect::<Vec<_>>();
    if success.is_empty() && !table.has("success") {
        table.fault(table.line(), "`success` is missing", "name the statuses of an SMS that was taken: `success = [\"200\"]`");
    }
    let id = table.text("id").and_then(|text| pointer(&table, text));
    table.finish();
    let content_type = if json? { "application/json" } else { "application/x-www-form-urlencoded" };
    let (host, path) = url?;
    Some((Ask { host, path, basic, headers, content_type, body: body? }, success, id))
}

/// An address in two: scheme and host, and what is behind them.
fn url(table: &Table, text: &Located<String>) -> Option<(String, Template)> {
    let loopback = ["http://127.0.0.1", "http://[::1]", "http://localhost"];
    if !text.value.starts_with("https://") && !loopback.iter().any(|l| text.value.starts_with(l)) {
        table.fault(text.line, "codes and the secret would travel in clear", "write an address that begins with https://");
        return None;
    }
    let from = text.value.find("://").map_or(0, |at| at + 3);
    let end = text.value[from..].find('/').map_or(text.value.len(), |at| from + at);
    let (host, path) = text.value.split_at(end);
    if host.contains(['{', '@', '?', '#']) || host.ends_with('/') {
        let remedy = "write a host as it is; words may stand in the path behind it";
        table.fault(text.line, format!("\"{host}\" is no host"), remedy);
        return None;
    }
    Some((host.to_owned(), template(table, &Located { value: path.to_owned(), line: text.line }, Escape::Path)?))
}

fn headers(table: Table) -> Vec<(String, Template)> {
    let mut headers = Vec::new();
    for name in table.words() {
        if HeaderName::from_bytes(name.value.as_bytes()).is_err() {
            table.fault(name.line, format!("\"{}\" is no name of a header", name.value), "write letters, digits and hyphens");
        }
        let value = table.text(&name.value).and_then(|text| template(&table, &text, Escape::Nothing));
        headers.extend(value.map(|value| (name.value, value)));
    }
    headers
}

/// `type`: whether a body is JSON.
fn kind(table: &Table) -> Option<bool> {
    let kind = table.required_text("type", "\"json\"")?;
    match kind.value.as_str() {
        "json" => Some(true),
        "form" => Some(false),
        other => {
            table.fault(kind.line, format!("there is no type \"{other}\""), "write \"json\" or \"form\"");
            None
        }
    }
}

fn body(table: &Table, text: &Located<String>, json: bool) -> Option<Template> {
    // A form is one line; written on several it can be read.
    let value = if json { text.value.trim().to_owned() } else { text.value.lines().map(str::trim).collect() };
    let template = template(table, &Located { value, line: text.line }, if json { Escape::Json } else { Escape::Form })?;
    if !template.uses(Word::Text) || ![Word::To, Word::ToDigits, Word::To00].iter().any(|to| template.uses(*to)) {
        table.fault(text.line, "`body` lacks the number or the text", "use {text}, and {to}, {to_digits} or {to_00}");
    }
    // A number needs no quotes.
    let sample = template.fill(|word| if word == Word::Seconds { "600".to_owned() } else { "a\"b\\c\n".to_owned() });
    if json && let Err(e) = serde_json::from_str::<serde_json::Value>(&sample) {
        let remedy = "write it as JSON, with each word but {seconds} between quotes: \"{text}\"";
        // A text of several lines begins behind the line of its three quotes.
        let line = if text.value.contains('\n') { text.line + e.line() } else { text.line };
        let what = e.to_string();
        table.fault(line, format!("`body` is no JSON: {}", what.split(" at line").next().unwrap_or(&what)), remedy);
    }
    Some(template)
}

fn status(table: &Table, text: &Located<String>) -> Option<u16> {
    let status = text.value.parse().ok().filter(|status| (200..300).contains(status));
    if status.is_none() {
        table.fault(text.line, format!("\"{}\" is no status of success", text.value), "write one from \"200\" to \"299\"");
    }
    status
}

fn pointer(table: &Table, text: Located<String>) -> Option<String> {
    let fine = text.value.starts_with('/');
    if !fine {
        table.fault(text.line, format!("\"{}\" is no place in JSON", text.value), "write a pointer (RFC 6901), such as \"/errors/0/code\"");
    }
    fine.then_some(text.value)
}

fn errors(table: Table) -> (Vec<String>, Vec<(super::Meaning, Vec<String>)>) {
    let code: Vec<_> = table.texts("code").into_iter().filter_map(|text| pointer(&table, text)).collect();
    let codes = |word: &str| table.texts(word).into_iter().map(|text| text.value).collect();
    let meanings = MEANINGS.map(|(word, meaning)| (meaning, codes(word))).into();
    if code.is_empty() && !table.has("code") {
        table.fault(table.line(), "`code` is missing", "say where an answer holds its error code: `code = \"/code\"`");
    }
    table.finish();
    (code, meanings)
}

fn report(table: &Table) -> Option<Reports> {
    let methods = table.texts("method");
    for method in methods.iter().filter(|m| !["GET", "POST"].contains(&m.value.as_str())) {
        table.fault(method.line, format!("reports do not come by {}", method.value), "write \"POST\", or \"GET\" where it has no other");
    }
    let by_get = methods.iter().find(|m| m.value == "GET");
    let json = kind(table);
    let place = |text: Located<String>| if json == Some(true) { pointer(table, text) } else { Some(text.value) };
    let reference =
        table.required_text("reference", "\"path\"").map(|text| if text.value == "path" { Some(None) } else { place(text).map(Some) });
    let status = table.required_text("status", "\"status\"").and_then(place);
    let [delivered, undelivered] = ["delivered", "undelivered"].map(|word| {
        if !table.has(word) {
            table.fault(table.line(), format!("`{word}` is missing"), format!("name the states of an SMS that is {word}"));
        }
        table.texts(word).into_iter().map(|text| text.value).collect()
    });
    if !table.has("signature") {
        let remedy = "say how a report proves that it is genuine: `signature = { kind = \"key\", parameter = \"key\" }`";
        table.fault(table.line(), "`signature` is missing: anybody could report", remedy);
    }
    let signature = table.table("signature").and_then(signature)?;
    if let (Some(get), Signature::Addresses(_)) = (by_get, &signature) {
        table.fault(get.line, "a report by GET needs more than an address as its proof", "write method = [\"POST\"]");
    }
    let (json, reference, status) = (json?, reference??, status?);
    Some(Reports { by_get: by_get.is_some(), json, reference, status, delivered, undelivered, signature })
}

fn signature(table: Table) -> Option<Signature> {
    let kind = table.required_text("kind", "\"key\"")?;
    let header = || {
        let header = table.required_text("header", "\"X-Signature\"")?;
        let fine = HeaderName::from_bytes(header.value.as_bytes()).is_ok();
        if !fine {
            table.fault(header.line, format!("\"{}\" is no name of a header", header.value), "write letters, digits and hyphens");
        }
        fine.then_some(header.value)
    };
    let signature = match kind.value.as_str() {
        "twilio" => header().map(|header| Signature::Twilio { header }),
        "jwt" => header().map(|header| Signature::Jwt { header, issuer: table.text("issuer").map(|t| t.value) }),
        "hmac-sha256" => header().and_then(|header| hmac(&table, header)),
        "basic" => Some(Signature::Basic),
        "key" => table.required_text("parameter", "\"key\"").map(|t| Signature::Key { parameter: t.value }),
        "ip" => addresses(&table),
        other => {
            let remedy = did_you_mean(other, KINDS)
                .map_or_else(|| format!("known: {}", KINDS.join(", ")), |meant| format!("did you mean \"{meant}\"?"));
            table.fault(kind.line, format!("there is no signature \"{other}\""), remedy);
            // Its words are no faults of their own.
            let _ = ["header", "issuer", "over", "timestamp", "encoding", "parameter", "addresses"].map(|word| table.has(word));
            None
        }
    };
    table.finish();
    signature
}

fn hmac(table: &Table, header: String) -> Option<Signature> {
    let mut over = Vec::new();
    for text in table.texts("over") {
        match text.value.as_str() {
            "timestamp" => over.push(Over::Timestamp),
            "url" => over.push(Over::Url),
            "body" => over.push(Over::Body),
            "body-sha256" => over.push(Over::BodyDigest),
            other => table.fault(text.line, format!("a signature is not over \"{other}\""), "known: timestamp, url, body, body-sha256"),
        }
    }
    if !over.contains(&Over::Body) && !over.contains(&Over::BodyDigest) {
        table.fault(
            table.line(),
            "the signature leaves the body out: anybody could change it",
            "write `over = [\"body\"]`, or what the provider signs",
        );
    }
    let timestamp = table.text("timestamp").map(|t| t.value);
    if over.contains(&Over::Timestamp) && timestamp.is_none() {
        table.fault(table.line(), "`timestamp` is missing", "name the header in which the time of the signature stands");
    }
    let encoding = table.text("encoding");
    let hex = match encoding.as_ref().map(|e| (e.value.as_str(), e.line)) {
        None | Some(("base64", _)) => false,
        Some(("hex", _)) => true,
        Some((other, line)) => {
            table.fault(line, format!("there is no encoding \"{other}\""), "write \"base64\" or \"hex\"");
            false
        }
    };
    Some(Signature::Hmac { header, over, timestamp, hex })
}

fn addresses(table: &Table) -> Option<Signature> {
    let texts = table.texts("addresses");
    if texts.is_empty() {
        table.fault(table.line(), "`addresses` is missing", "name the IP addresses from which reports come");
    }
    let parse = |text: &Located<String>| {
        let told =
            |_| table.fault(text.line, format!("\"{}\" is no IP address", text.value), "write single addresses, such as \"192.0.2.1\"");
        text.value.parse::<IpAddr>().map_err(told).ok()
    };
    Some(Signature::Addresses(texts.iter().filter_map(parse).collect()))
}
