//! The schemas and the parser know the same words, and what the schemas refuse the parser refuses.

use super::SCHEMAS;
use crate::{
    config::{Config, embedded},
    detect::RuleSet,
    fault::{Faults, Files},
    policy::Policies,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path};

fn schema(name: &str) -> Value {
    let (_, text) = SCHEMAS.iter().find(|(schema, _)| *schema == format!("schema/{name}.json")).unwrap();
    serde_json::from_str(text).unwrap()
}

/// The schema for a file of this name.
fn schema_of(file: &str) -> Option<Value> {
    let top = |folder: &str| file.strip_prefix(folder).is_some_and(|rest| !rest.contains('/') && rest.ends_with(".toml"));
    match file {
        "zegel.toml" => Some(schema("zegel")),
        _ if top("rules/") => Some(schema("rule")),
        _ if top("policies/") => Some(schema("policy")),
        _ => None,
    }
}

/// What an editor would underline in `text`; `None` when it is no TOML.
fn refused(file: &str, text: &str) -> Option<Vec<String>> {
    let value: toml::Value = toml::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let schema = schema_of(file)?;
    let mut errors = Vec::new();
    validate(&as_json(&value), &schema, &schema, file, &mut errors);
    Some(errors)
}

/// As editors see TOML: a date is a text.
fn as_json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(n) => json!(n),
        toml::Value::Float(f) => json!(f),
        toml::Value::Boolean(b) => json!(b),
        toml::Value::Datetime(when) => json!(when.to_string()),
        toml::Value::Array(items) => items.iter().map(as_json).collect(),
        toml::Value::Table(table) => table.iter().map(|(word, value)| (word.clone(), as_json(value))).collect(),
    }
}

/// The keywords that our schemas use; another one ends the test.
fn validate(value: &Value, schema: &Value, root: &Value, word: &str, errors: &mut Vec<String>) {
    for (keyword, says) in schema.as_object().unwrap() {
        let fine = match keyword.as_str() {
            "$schema" | "title" | "description" | "definitions" => true,
            "$ref" => {
                validate(value, root.pointer(says.as_str().unwrap().trim_start_matches('#')).unwrap(), root, word, errors);
                true
            }
            "type" => match says.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "integer" => value.is_i64(),
                other => panic!("type {other}"),
            },
            "enum" => says.as_array().unwrap().contains(value),
            "pattern" => value.as_str().is_none_or(|text| regex::Regex::new(says.as_str().unwrap()).unwrap().is_match(text)),
            "format" => value.as_str().is_none_or(|text| text.parse::<jiff::civil::Date>().is_ok()),
            "minimum" => value.as_i64().is_none_or(|n| n >= says.as_i64().unwrap()),
            "maximum" => value.as_i64().is_none_or(|n| n <= says.as_i64().unwrap()),
            "minProperties" => value.as_object().is_none_or(|table| table.len() as u64 >= says.as_u64().unwrap()),
            "required" => {
                let missing =
                    says.as_array().unwrap().iter().filter(|needed| value.is_object() && value.get(needed.as_str().unwrap()).is_none());
                errors.extend(missing.map(|needed| format!("`{}` is missing", needed.as_str().unwrap())));
                true
            }
            "properties" => {
                for (word, inner) in says.as_object().unwrap() {
                    value.get(word).into_iter().for_each(|value| validate(value, inner, root, word, errors));
                }
                true
            }
            "additionalProperties" => {
                let known = |word: &String| schema.get("properties").is_some_and(|known| known.get(word).is_some());
                for (word, value) in value.as_object().into_iter().flatten().filter(|(word, _)| !known(word)) {
                    match says {
                        Value::Bool(false) => errors.push(format!("`{word}` is unknown")),
                        inner => validate(value, inner, root, word, errors),
                    }
                }
                true
            }
            "items" => {
                value.as_array().into_iter().flatten().for_each(|item| validate(item, says, root, word, errors));
                true
            }
            "anyOf" => {
                let tries = says.as_array().unwrap().iter().map(|one| {
                    let mut errors = Vec::new();
                    validate(value, one, root, word, &mut errors);
                    errors
                });
                let tries: Vec<_> = tries.collect();
                if tries.iter().all(|errors| !errors.is_empty()) {
                    errors.extend(tries.into_iter().flatten());
                }
                true
            }
            other => panic!("keyword {other}"),
        };
        if !fine {
            errors.push(format!("`{word}` can't be {value}"));
        }
    }
}

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the folders of tests/check, by its name there, with what `zegel check` says of it.
fn checked() -> Vec<(String, String, Vec<String>)> {
    let mut all = Vec::new();
    for folder in fs::read_dir(repository().join("tests/check")).unwrap().map(|entry| entry.unwrap().path()) {
        let expected = fs::read_to_string(folder.join("expected")).unwrap();
        for part in ["", "rules", "policies"] {
            let entries = fs::read_dir(folder.join(part)).into_iter().flatten().map(|entry| entry.unwrap());
            for entry in entries.filter(|entry| entry.path().is_file()) {
                let name = [part, &entry.file_name().to_string_lossy()].concat().replacen(part, &format!("{part}/"), 1);
                let name = name.trim_start_matches('/').to_owned();
                let said = expected.lines().filter_map(|line| line.strip_prefix(&format!("{name}:"))?.split_once(": "));
                let said = said.map(|(_, what)| what.to_owned()).collect();
                // What is no UTF-8 no editor shows.
                let Ok(text) = fs::read_to_string(entry.path()) else { continue };
                all.push((name, text, said));
            }
        }
    }
    all
}

#[test]
fn everything_that_is_shipped_or_taught_fits_its_schema() {
    let mut files: Vec<(String, String)> = embedded("rules/").into_iter().chain(embedded("policies/")).collect();
    files.push(("zegel.toml".to_owned(), fs::read_to_string(repository().join("deploy/zegel.toml")).unwrap()));
    for page in ["docs/rules.md", "docs/policies.md"] {
        let text = fs::read_to_string(repository().join(page)).unwrap();
        for block in text.split("```toml\n# ").skip(1) {
            let (name, text) = block.split("```").next().unwrap().split_once('\n').unwrap();
            files.push((name.to_owned(), text.to_owned()));
        }
    }
    let mut count = 0;
    for (name, text) in files {
        if let Some(errors) = refused(&name, &text) {
            count += 1;
            assert_eq!(errors, [""; 0], "{name}");
        }
    }
    assert!(count > 25, "{count}");
}

#[test]
fn what_a_schema_refuses_zegel_refuses() {
    for (name, text, said) in checked() {
        let errors = refused(&name, &text).unwrap_or_default();
        assert!(errors.is_empty() || !said.is_empty(), "{name}: {errors:?}\n{text}");
    }
}

/// The word, or the value, that a fault is about, when it is one that a schema can see.
fn seen(fault: &str) -> Option<String> {
    let between = |sign: char| Some(fault.split(sign).nth(1)?.to_owned());
    let what = fault.split(';').next()?;
    let word = between('`')?;
    // A date in quotes is a text to editors too; times, names of files and what the outcome must be are the parser's own.
    if what.contains("is a text") && ["until", "ends"].contains(&word.as_str()) || word == "at" || what.contains("can't be read") {
        return None;
    }
    let visible = what.starts_with("unknown word")
        || what.starts_with('`') && ["` is missing", "` can't be \"", "` is a "].iter().any(|s| what.contains(s));
    visible.then_some(word)
}

#[test]
fn every_fault_that_a_schema_can_see_is_underlined() {
    let mut count = 0;
    for (name, text, said) in checked() {
        let Some(errors) = refused(&name, &text) else { continue };
        for fault in said.iter().filter(|fault| !fault.contains("not in this version")) {
            // An empty list is as good as none to the parser.
            let Some(word) = seen(fault).filter(|word| !text.contains(&format!("{word} = []"))) else { continue };
            count += 1;
            let word = word.trim_matches(['[', ']']);
            assert!(errors.iter().any(|error| error.contains(&format!("`{word}`"))), "{name}: {fault}\n{errors:#?}");
        }
    }
    assert!(count > 40, "{count}");
}

/// What the parser says of one file that is otherwise in order.
fn faults(name: &str, text: &str) -> String {
    let faults = Faults::default();
    let mut files = Files::from([(name.to_owned(), text.to_owned())]);
    match name.split('/').next() {
        Some("rules") => drop(RuleSet::compile(&files, &faults)),
        Some("policies") => drop(Policies::compile(&std::mem::take(&mut files), [("bsn", 0)], &faults)),
        _ => {
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("zegel.toml"), whole(text)).unwrap();
            let found = Config::load(&folder.path().join("zegel.toml")).err().unwrap_or_default();
            found.into_iter().for_each(|fault| faults.add(&fault.file, fault.line, fault.what, fault.remedy));
        }
    }
    faults.take().iter().map(|fault| format!("{fault}\n")).collect()
}

/// A configuration in which only the first section of `text` is not in order.
fn whole(text: &str) -> String {
    const REST: [&str; 5] = [
        "[organisation]\nname = \"x\"\ndomains = [\"x.example\"]\n",
        "[smtp]\nlisten = [\"127.0.0.1:2525\"]\nnext_hop = \"smtp://127.0.0.1:2500\"\nallow = [\"127.0.0.0/8\"]\n",
        "[portal]\nlisten = [\"127.0.0.1:8080\"]\nurl = \"http://127.0.0.1:8080\"\n",
        "[store]\npath = \"data\"\n",
        "[sms]\nprovider = \"file\"\n",
    ];
    let rest = REST.into_iter().filter(|section| section.lines().next() != text.lines().next());
    format!("{text}\n{}", rest.collect::<String>())
}

/// The words that the parser lists behind `sign`, in the fault that speaks of `zzz`.
fn listed(said: &str, sign: &str) -> BTreeSet<String> {
    let line = said.lines().find(|line| line.contains("zzz") && line.contains(sign)).unwrap_or_else(|| panic!("{sign}: {said}"));
    let words = line.split(sign).nth(1).unwrap().split(", ");
    words.map(|word| word.trim_matches('"').to_owned()).collect()
}

/// The tables of each kind of file: where the schema has it, and a file with a word in it that nobody knows.
const TABLES: [(&str, &str, &str); 36] = [
    ("rules/x.toml", "", "zzz = 1\n[rule]\nname = \"x\"\ntitle = \"x\"\nword = \"x\""),
    ("rules/x.toml", "/properties/rule", "[rule]\nzzz = 1\npattern = 'abc'"),
    ("rules/x.toml", "/definitions/condition", "[rule]\nall = [{ zzz = 1, pattern = 'abc', where = \"body\" }]"),
    ("rules/x.toml", "/definitions/header", "[rule]\nheader = [{ zzz = 1 }]"),
    ("rules/x.toml", "/definitions/known", "[rule]\nknown = { zzz = 1 }"),
    ("rules/x.toml", "/definitions/list", "[rule]\nlist = \"l\"\n[lists]\nl = { zzz = 1, words = [\"a\"] }"),
    ("rules/x.toml", "/properties/context", "[rule]\nfinds = \"bsn\"\n[context]\nzzz = 1"),
    ("rules/x.toml", "/properties/ignore", "[rule]\nfinds = \"bsn\"\n[ignore]\nzzz = 1"),
    ("rules/x.toml", "/properties/examples", "[rule]\nfinds = \"bsn\"\n[examples]\nzzz = 1"),
    ("rules/x.toml", "/definitions/mail", "[examples]\nmail = [{ zzz = 1 }]"),
    ("rules/x.toml", "/definitions/mail/properties/expect", "[examples]\nmail = [{ expect = { zzz = 1 } }]"),
    ("policies/x.toml", "", "zzz = 1\n[[policy]]\nname = \"x\""),
    ("policies/x.toml", "/properties/defaults", "[defaults]\nzzz = 1"),
    ("policies/x.toml", "/definitions/policy", "[[policy]]\nzzz = 1\nthen = \"direct\""),
    ("policies/x.toml", "/definitions/when", "[[policy]]\nwhen = { zzz = 1 }"),
    ("policies/x.toml", "/definitions/who/anyOf/1", "[[policy]]\nwhen = { to = { zzz = 1 } }"),
    ("policies/x.toml", "/definitions/header", "[[policy]]\nwhen = { header = { zzz = 1 } }"),
    ("policies/x.toml", "/definitions/when/properties/recipients", "[[policy]]\nwhen = { recipients = { zzz = 1 } }"),
    ("policies/x.toml", "/definitions/exception", "[[exception]]\nzzz = 1"),
    ("policies/x.toml", "/definitions/exception/properties/lowers", "[[exception]]\nlowers = { zzz = 1, to = \"direct\" }"),
    ("policies/x.toml", "/definitions/example", "[[example]]\nzzz = 1"),
    ("policies/x.toml", "/definitions/example/properties/mail", "[[example]]\nmail = { zzz = 1 }"),
    ("zegel.toml", "", "zzz = 1"),
    ("zegel.toml", "/properties/organisation", "[organisation]\nzzz = 1"),
    ("zegel.toml", "/properties/smtp", "[smtp]\nzzz = 1"),
    ("zegel.toml", "/definitions/route", "[[route]]\nzzz = 1\nnext_hop = \"smtp://x.example\""),
    ("zegel.toml", "/properties/mail", "[mail]\nzzz = 1"),
    ("zegel.toml", "/properties/mail/properties/dkim", "[mail.dkim]\nzzz = 1"),
    ("zegel.toml", "/properties/portal", "[portal]\nzzz = 1"),
    ("zegel.toml", "/properties/store", "[store]\nzzz = 1"),
    ("zegel.toml", "/properties/sms", "[sms]\nzzz = 1\nprovider = \"twilio\""),
    ("zegel.toml", "/properties/sms/properties/second", "[sms]\nprovider = \"twilio\"\n[sms.second]\nzzz = 1\nprovider = \"twilio\""),
    ("zegel.toml", "/properties/direct", "[direct]\nzzz = 1"),
    ("zegel.toml", "/definitions/trusted", "[direct]\ntrusted = [{ zzz = 1 }]"),
    ("zegel.toml", "/properties/metrics", "[metrics]\nzzz = 1"),
    ("zegel.toml", "/properties/detection", "[detection]\nzzz = 1"),
];

#[test]
fn schema_and_parser_know_the_same_words() {
    let mut differing = Vec::new();
    for (name, at, text) in TABLES {
        let known = schema_of(name).unwrap().pointer(at).unwrap_or_else(|| panic!("{at}"))["properties"].clone();
        let known: BTreeSet<String> = known.as_object().unwrap().keys().cloned().collect();
        let said = listed(&faults(name, text), "known here: ");
        if known != said {
            let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| a.difference(b).cloned().collect::<Vec<_>>().join(", ");
            differing.push(format!(
                "{name} {at}: in the schema only: {}; in the parser only: {}",
                only(&known, &said),
                only(&said, &known)
            ));
        }
    }
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}

/// Words that are one of several: where the schema has them, and a file with another one.
const CHOICES: [(&str, &str, &str, &str); 15] = [
    ("rules/x.toml", "/definitions/type", "[rule]\nfinds = \"zzz\"", "known: "),
    ("rules/x.toml", "/definitions/place", "[rule]\nword = \"x\"\nwhere = \"zzz\"", "known: "),
    ("rules/x.toml", "/definitions/condition/properties/check", "[rule]\npattern = 'abc'\ncheck = \"zzz\"", "known: "),
    ("rules/x.toml", "/properties/ignore/properties/in/anyOf/0", "[rule]\nfinds = \"bsn\"\n[ignore]\nin = \"zzz\"", "known: "),
    ("policies/x.toml", "/definitions/outcome", "[[policy]]\nthen = \"zzz\"", "write one of: "),
    ("policies/x.toml", "/definitions/policy/properties/otherwise", "[[policy]]\nthen = \"direct\"\notherwise = \"zzz\"", "write one of: "),
    ("policies/x.toml", "/definitions/policy/properties/mode", "[[policy]]\nmode = \"zzz\"", "write one of: "),
    ("policies/x.toml", "/definitions/policy/properties/scope", "[[policy]]\nscope = \"zzz\"", "write one of: "),
    ("policies/x.toml", "/properties/defaults/properties/mode", "[defaults]\nmode = \"zzz\"", "write one of: "),
    ("policies/x.toml", "/properties/defaults/properties/scope", "[defaults]\nscope = \"zzz\"", "write one of: "),
    ("policies/x.toml", "/properties/defaults/properties/missing_phone", "[defaults]\nmissing_phone = \"zzz\"", "write one of: "),
    ("policies/x.toml", "/definitions/when/properties/confidence", "[[policy]]\nwhen = { confidence = \"zzz\" }", "write one of: "),
    ("policies/x.toml", "/definitions/when/properties/problem/anyOf/0", "[[policy]]\nwhen = { problem = \"zzz\" }", "write one of: "),
    ("policies/x.toml", "/definitions/when/properties/file/anyOf/0", "[[policy]]\nwhen = { file = \"zzz\" }", "write one of: "),
    (
        "policies/x.toml",
        "/definitions/example/properties/mail/properties/problem/anyOf/0",
        "[[example]]\nmail = { problem = \"zzz\" }",
        "write one of: ",
    ),
];

#[test]
fn schema_and_parser_know_the_same_choices() {
    for (name, at, text, sign) in CHOICES {
        let known = schema_of(name).unwrap().pointer(at).unwrap_or_else(|| panic!("{at}"))["enum"].clone();
        let known: BTreeSet<String> = known.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect();
        assert_eq!(known, listed(&faults(name, text), sign), "{name} {at}");
    }
}
