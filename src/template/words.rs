//! The words of one language: Fluent texts, of which an organisation may replace single ones.

use super::Language;
use crate::fault::{Faults, did_you_mean};
use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use std::collections::{BTreeMap, BTreeSet};

/// The words of one language.
pub(super) struct Words {
    bundle: FluentBundle<FluentResource>,
}

impl Words {
    /// `embedded` with the texts of `own` in place of its own where it has them. Faults are about `own`, named `file`.
    pub(super) fn compile(language: Language, embedded: &str, own: Option<&str>, file: &str, faults: &Faults) -> Words {
        let locale = language.code().parse().expect("the codes of our languages are language codes");
        let mut bundle = FluentBundle::new_concurrent(vec![locale]);
        // The marks around inserted values would end up in mails and subjects as invisible characters.
        bundle.set_use_isolating(false);
        bundle.add_resource_overriding(read(embedded, file, faults));
        if let Some(own) = own {
            check_against(embedded, own, file, faults);
            bundle.add_resource_overriding(read(own, file, faults));
        }
        Words { bundle }
    }

    /// The text of `key`.
    ///
    /// # Errors
    /// What is wrong, in plain words: no such text, or a value it asks for is missing.
    pub(super) fn text(&self, key: &str, args: &FluentArgs<'_>) -> Result<String, String> {
        let pattern = self.bundle.get_message(key).and_then(|m| m.value()).ok_or_else(|| format!("there is no text `{key}`"))?;
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(args), &mut errors).into_owned();
        match errors.first() {
            None => Ok(text),
            Some(error) => Err(format!("the text `{key}` cannot be made: {error}")),
        }
    }
}

/// Makes every text with sample values, as templates, subjects and SMS do: a text that fails only for one recipient, or when nobody looks, must not
/// get that far.
pub(super) fn try_all(words: &Words, embedded: &str, own: Option<&str>, file: &str, faults: &Faults) {
    let theirs = own.map(messages).unwrap_or_default();
    for (key, message) in messages(embedded) {
        let line = theirs.get(key).map_or(1, |own| own.line);
        for sample in 0..SAMPLES {
            let args = message.values.iter().map(|name| (*name, value(name, sample))).collect();
            match words.text(key, &args) {
                Ok(text) if text.trim().is_empty() => {
                    faults.add(
                        file,
                        line,
                        format!("the text `{key}` says nothing"),
                        "write a text, or leave it out to use the built-in one",
                    );
                }
                Ok(text) if key == "sms-code" && !text.starts_with(CODE) => {
                    let remedy = "begin it with `{ $code }`: a long SMS is cut at its end, and telephones offer what stands first";
                    faults.add(file, line, format!("the text `{key}` does not begin with the code"), remedy);
                }
                Ok(_) => continue,
                Err(what) => faults.add(file, line, what, "compare it with the built-in text, which `zegel init` writes"),
            }
            break;
        }
    }
}

/// So many values are tried of each kind: as many as there are months.
const SAMPLES: u8 = 12;

/// Stands for a code.
const CODE: &str = "042815";

/// The sample of a value: a number where the built-in texts choose by one, else words as a template would hand them in.
fn value(name: &str, sample: u8) -> FluentValue<'static> {
    match name {
        "n" | "minutes" | "size" => FluentValue::from(i64::from(sample)),
        "day" | "month" => FluentValue::from(i64::from(sample) + 1),
        "unit" => FluentValue::from(["moment", "minutes", "hours", "days", "B", "kB", "MB"][usize::from(sample) % 7]),
        "code" => FluentValue::from(CODE),
        _ => FluentValue::from("{ $x }"),
    }
}

fn read(source: &str, file: &str, faults: &Faults) -> FluentResource {
    match FluentResource::try_new(source.to_owned()) {
        Ok(resource) => resource,
        Err((resource, errors)) => {
            for error in errors {
                let line = source[..error.pos.start.min(source.len())].matches('\n').count() + 1;
                faults.add(
                    file,
                    line,
                    format!("this text cannot be read: {error}"),
                    "write `key = text`; choices such as `[one]` and `*[other]` each stand on a line of their own, indented",
                );
            }
            resource
        }
    }
}

/// An organisation's texts may only replace ours, with the values that ours get.
fn check_against(embedded: &str, own: &str, file: &str, faults: &Faults) {
    let known = messages(embedded);
    for (key, message) in messages(own) {
        let Some(ours) = known.get(key) else {
            let remedy = match did_you_mean(key, known.keys().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "leave it out; only texts that exist can be replaced".to_owned(),
            };
            faults.add(file, message.line, format!("unknown text `{key}`"), remedy);
            continue;
        };
        for value in message.values.difference(&ours.values) {
            let remedy = match ours.values.is_empty() {
                true => "this text has no values; leave it out".to_owned(),
                false => format!("known here: {}", ours.values.iter().map(|v| format!("${v}")).collect::<Vec<_>>().join(", ")),
            };
            faults.add(file, message.line, format!("the text `{key}` uses an unknown value `${value}`"), remedy);
        }
    }
}

/// A text of a file of words: where it begins and which values it uses.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Message<'a> {
    pub(super) line: usize,
    pub(super) values: BTreeSet<&'a str>,
}

/// The texts of a file of words. A message begins at the left margin with its key; whatever is indented belongs to it.
pub(super) fn messages(source: &str) -> BTreeMap<&str, Message<'_>> {
    let mut found: BTreeMap<&str, Message<'_>> = BTreeMap::new();
    let mut current = "";
    for (number, line) in source.lines().enumerate() {
        if line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            current = line.split(['=', ' ']).next().unwrap_or_default();
            found.insert(current, Message { line: number + 1, values: BTreeSet::new() });
        } else if line.starts_with('#') {
            continue;
        }
        if let Some(message) = found.get_mut(current) {
            let names = line.split('$').skip(1).map(|rest| {
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).unwrap_or(rest.len());
                &rest[..end]
            });
            message.values.extend(names);
        }
    }
    found
}
