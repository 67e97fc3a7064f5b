//! `[sms]` of `zegel.toml`.

use super::{
    files::{Unread, read_text},
    sections::{Store, link_url},
};
use crate::{
    fault::{Located, Table, did_you_mean},
    phone::Countries,
    seal::digest,
    secret::{Secret, hex},
    sms::{Account, EMBEDDED, Limits, Provider, ReportSecret},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Who sends SMS, and how many.
pub struct Sms {
    /// Who.
    pub way: SmsWay,
    /// What bounds their cost.
    pub limits: Limits,
    /// Something that differs when two differ, and holds no secret.
    pub(super) fingerprint: String,
}

/// Who sends SMS.
pub enum SmsWay {
    /// Nobody: each is a line of this file, in clear. For trying out.
    File(PathBuf),
    /// Providers, in the order in which they are asked; never empty.
    Accounts(Vec<Account>),
}

/// How many SMS a day may be written: beyond this it is a slip.
const PER_DAY: std::ops::RangeInclusive<i64> = 1..=1_000_000;

/// The words that belong to one provider.
const WORDS: [&str; 5] = ["account", "sender", "secret_file", "report_secret_file", "url"];

pub(super) fn read(table: Table, folder: &Path, store: Option<&Store>) -> Option<Sms> {
    let limits = limits(&table);
    let provider = table.required_text("provider", "\"file\"");
    let is_file = provider.as_ref().is_some_and(|p| p.value == "file");
    // What tells two configurations apart goes through a digest: secrets are part of it.
    let mut marks = Vec::new();
    let way = if is_file {
        store.map(|store| SmsWay::File(store.path.join("sms.jsonl")))
    } else {
        let first = provider.and_then(|provider| account(&table, &provider, folder, &mut marks));
        match table.table("second") {
            Some(second) => {
                let provider = second.required_text("provider", "\"cm\"");
                let other = provider.and_then(|provider| account(&second, &provider, folder, &mut marks));
                second.finish();
                first.zip(other).map(|(first, other)| SmsWay::Accounts(vec![first, other]))
            }
            None => first.map(|first| SmsWay::Accounts(vec![first])),
        }
    };
    table.finish();
    let (way, limits) = (way?, limits?);
    let place = if let SmsWay::File(path) = &way { path.display().to_string() } else { String::new() };
    let fingerprint = format!("{place} {limits:?} {}", hex(&digest(marks.iter().map(|mark: &String| mark.as_bytes()))));
    Some(Sms { way, limits, fingerprint })
}

fn limits(table: &Table) -> Option<Limits> {
    let codes = table.texts("countries");
    let countries = match Countries::of(codes.iter().map(|code| code.value.as_str())) {
        Ok(_) if !table.has("countries") => Some(Countries::default()),
        Ok(countries) => Some(countries),
        Err(wrong) => {
            let line = codes.iter().find(|code| code.value == wrong).map_or(table.line(), |code| code.line);
            table.fault(
                line,
                format!("there is no country \"{wrong}\""),
                "write codes of two capitals, such as \"NL\", or \"EU\" for all of its members",
            );
            None
        }
    };
    if table.has("countries") && codes.is_empty() {
        table.fault(table.line(), "`countries` names none: nobody would get a code", "name one at least, or leave the line out");
    }
    let number = |word: &str, within: std::ops::RangeInclusive<i64>| {
        let number = table.integer(word)?;
        if !within.contains(&number.value) {
            let remedy = format!("write a whole number from {} to {}", within.start(), within.end());
            table.fault(number.line, format!("`{word}` can't be {}", number.value), remedy);
        }
        u32::try_from(number.value).ok()
    };
    let per_day = number("per_day", PER_DAY).unwrap_or(Limits::PER_DAY);
    let alarm = number("alarm", 1..=100).unwrap_or(Limits::ALARM);
    Some(Limits::new(countries?, per_day, alarm))
}

/// An account with a provider, as `table` names it.
fn account(table: &Table, provider: &Located<String>, folder: &Path, marks: &mut Vec<String>) -> Option<Account> {
    let Some((provider, text)) = described(table, provider, folder) else {
        // Its words are no faults of their own.
        let _ = WORDS.map(|word| table.has(word));
        return None;
    };
    let needs = &provider.needs;
    let account = match &needs.account {
        Some(what) => {
            let account = table.required_text("account", &format!("\"{}...\"", needs.account_begins));
            if let Some(account) = account.as_ref().filter(|a| !is_id(&a.value) || !a.value.starts_with(&needs.account_begins)) {
                table.fault(account.line, format!("\"{}\" is no account of {}", account.value, needs.title), format!("write {what}"));
            }
            account.map(|a| a.value)
        }
        None => Some(String::new()),
    };
    let sender = table.required_text("sender", "\"Voorbeeld\"");
    if let Some(sender) = &sender {
        let (fits, remedy) = match &needs.sender {
            Some(what) => (is_id(&sender.value), format!("write {what}")),
            None => {
                let remedy = "write a number, such as \"+31612345678\", or a name of at most 11 letters, digits and spaces";
                (is_sender(&sender.value), remedy.to_owned())
            }
        };
        if !fits {
            table.fault(sender.line, format!("no SMS can come from \"{}\"", sender.value), remedy);
        }
    }
    let secret = table.required_text("secret_file", "\"keys/sms\"").and_then(|file| secret_of(table, &file, folder));
    let own = table.text("report_secret_file").and_then(|file| {
        let own = secret_of(table, &file, folder)?;
        if provider.report_secret() == ReportSecret::InAddress && own.expose().len() < ADDRESS_SECRET {
            let what = format!("{} holds less than {ADDRESS_SECRET} characters", folder.join(&file.value).display());
            table.fault(file.line, what, "make one with `openssl rand -hex 16`: whoever knows it can report");
        }
        Some(own)
    });
    let url = table.text("url").and_then(|text| link_url(table, &text));
    let (account, sender, secret) = (account?, sender?.value, secret?);
    let report_secret = match provider.report_secret() {
        ReportSecret::Needless | ReportSecret::Same => own.or_else(|| Some(secret.clone())),
        ReportSecret::Own | ReportSecret::InAddress => own,
    };
    let hidden = report_secret.as_ref().map(|s| s.expose().clone());
    marks.push(format!("{text:?} {account:?} {sender:?} {url:?} {:?} {hidden:?}", secret.expose()));
    Some(Account { provider, account, sender, secret, report_secret, url })
}

/// The shortest secret that stands in an address: 16 hexadecimal digits are 64 bits.
const ADDRESS_SECRET: usize = 16;

/// The provider of this name, or of this file, with the text that describes it.
fn described(table: &Table, provider: &Located<String>, folder: &Path) -> Option<(Provider, String)> {
    let written = &provider.value;
    if let Some((name, text)) = EMBEDDED.iter().find(|(name, _)| name == written) {
        let described = Provider::read(name, &format!("sms/{name}.toml"), text, table.faults())?;
        return Some((described, (*text).to_owned()));
    }
    let Some(path) = written.strip_suffix(".toml") else {
        let names: Vec<&str> = ["file"].into_iter().chain(EMBEDDED.iter().map(|(name, _)| *name)).collect();
        let remedy = match did_you_mean(written, names.iter().copied()) {
            Some(meant) => format!("did you mean \"{meant}\"?"),
            None => format!("write \"{}\", or a file that describes it: \"sms/x.toml\"", names.join("\", \"")),
        };
        table.fault(provider.line, format!("there is no provider \"{written}\""), remedy);
        return None;
    };
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        let remedy = "name it in small letters, digits and hyphens: its name stands in the address of its reports";
        table.fault(provider.line, format!("\"{name}\" is no name of a provider"), remedy);
        return None;
    }
    let told = |Unread { what, remedy, .. }| table.fault(provider.line, format!("{written}: {what}"), remedy);
    let text = read_text(&folder.join(written)).map_err(told).ok()?;
    Some((Provider::read(name, written, &text, table.faults())?, text))
}

/// The secret that a file holds.
fn secret_of(table: &Table, file: &Located<String>, folder: &Path) -> Option<Secret<String>> {
    let path = folder.join(&file.value);
    let text = fs::read_to_string(&path)
        .map_err(|e| {
            table.fault(file.line, format!("{} can't be read: {e}", path.display()), "put the secret of the account into this file")
        })
        .ok()?;
    let secret = text.trim().to_owned();
    // Others can't stand in a header.
    if secret.is_empty() || !secret.bytes().all(|b| b.is_ascii_graphic()) {
        table.fault(file.line, format!("{} holds no secret", path.display()), "put the secret into it, and nothing else");
        return None;
    }
    Some(Secret::new(secret))
}

/// What providers name accounts by.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// The longest name that an SMS may come from (3GPP TS 23.040, 9.1.2.5).
const SENDER_LETTERS: usize = 11;

fn is_sender(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let is_name = !text.trim().is_empty() && text.len() <= SENDER_LETTERS && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' ');
    is_number || is_name
}
