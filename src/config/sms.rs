//! `[sms]` of `zegel.toml`.

use super::sections::{Store, link_url};
use crate::{fault::Table, secret::Secret};
use std::{
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
};

/// Who sends SMS.
pub enum Sms {
    /// Nobody: each is a line of this file, in clear. For trying out.
    File(PathBuf),
    /// Twilio.
    Twilio {
        /// The account's SID.
        account: String,
        /// The number or name that it comes from.
        sender: String,
        /// The auth token.
        secret: Secret<String>,
        /// Another base address than Twilio's, without a slash at the end: for tests.
        url: Option<String>,
    },
}

impl Sms {
    /// Something that differs when two differ, and holds no secret.
    pub(super) fn fingerprint(&self) -> String {
        match self {
            Sms::File(path) => path.display().to_string(),
            Sms::Twilio { account, sender, secret, url } => {
                let mut hasher = DefaultHasher::new();
                secret.expose().hash(&mut hasher);
                format!("{account:?} {sender:?} {url:?} {:x}", hasher.finish())
            }
        }
    }
}

pub(super) fn read(table: Table, folder: &Path, store: Option<&Store>) -> Option<Sms> {
    let provider = table.required_text("provider", "\"file\"");
    let sms = provider.and_then(|provider| match provider.value.as_str() {
        "file" => store.map(|store| Sms::File(store.path.join("sms.jsonl"))),
        "twilio" => twilio(&table, folder),
        other => {
            let later = ["bird", "spryng", "cm"].contains(&other) || other.ends_with(".toml");
            let what = if later {
                format!("the provider \"{other}\" is not in this version")
            } else {
                format!("there is no provider \"{other}\"")
            };
            table.fault(provider.line, what, "write \"file\" (to try things out) or \"twilio\"");
            // Its words are no faults of their own.
            for word in ["account", "sender", "secret_file", "url"] {
                let _ = table.has(word);
            }
            None
        }
    });
    table.finish();
    sms
}

/// The longest name that an SMS may come from (3GPP TS 23.040, 9.1.2.5).
const SENDER_LETTERS: usize = 11;

fn twilio(table: &Table, folder: &Path) -> Option<Sms> {
    let account = table.required_text("account", "\"AC...\"");
    if let Some(account) = account.as_ref().filter(|a| !a.value.starts_with("AC") || !a.value.bytes().all(|b| b.is_ascii_alphanumeric())) {
        table.fault(
            account.line,
            format!("\"{}\" is no account of Twilio", account.value),
            "write its Account SID: AC, and letters and digits",
        );
    }
    let sender = table.required_text("sender", "\"Voorbeeld\"");
    if let Some(sender) = sender.as_ref().filter(|s| !is_sender(&s.value)) {
        let remedy = "write a number, such as \"+31612345678\", or a name of at most 11 letters, digits and spaces";
        table.fault(sender.line, format!("no SMS can come from \"{}\"", sender.value), remedy);
    }
    let secret = table.required_text("secret_file", "\"keys/twilio\"").and_then(|file| {
        let path = folder.join(&file.value);
        let text = fs::read_to_string(&path)
            .map_err(|e| table.fault(file.line, format!("{} can't be read: {e}", path.display()), "put the auth token into this file"))
            .ok()?;
        let token = text.trim().to_owned();
        if token.is_empty() || token.contains(char::is_whitespace) {
            table.fault(file.line, format!("{} holds no auth token", path.display()), "put the auth token into it, and nothing else");
            return None;
        }
        Some(Secret::new(token))
    });
    let url = table.text("url").and_then(|text| link_url(table, &text));
    Some(Sms::Twilio { account: account?.value, sender: sender?.value, secret: secret?, url })
}

fn is_sender(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let is_name = !text.trim().is_empty() && text.len() <= SENDER_LETTERS && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b' ');
    is_number || is_name
}
