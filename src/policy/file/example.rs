//! The examples of a policy file.

use super::words::{address, domain, fact, number, outcome, problem};
use crate::{
    address::{Address, Domain},
    extract::{FactKind, ProblemKind},
    fault::{Located, Table},
    policy::Outcome,
};
use jiff::civil::{Date, DateTime, date};

/// A mail and what must become of it; `zegel check` tries it.
#[derive(Clone, Debug)]
pub struct Example {
    /// The file it stands in.
    pub file: String,
    /// Where it begins.
    pub line: usize,
    /// The organisation's domains in this example, when it names them.
    pub organisation: Vec<Domain>,
    /// When the mail is sent, on the organisation's wall clock.
    pub at: DateTime,
    /// The sender; `None` is the null sender.
    pub from: Option<Address>,
    /// The recipients.
    pub to: Vec<Address>,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub body: String,
    /// Header fields, name and value.
    pub headers: Vec<(String, String)>,
    /// What could not be read.
    pub problems: Vec<ProblemKind>,
    /// What is odd about its files.
    pub files: Vec<FactKind>,
    /// Points that count as found, beside those of the rules.
    pub points: u32,
    /// The recipients to whom nobody has written before.
    pub strangers: Vec<Address>,
    /// Files that are with it: name and text.
    pub attachments: Vec<(String, String)>,
    /// What must happen, with the line that says so.
    pub expect: Vec<(Address, Located<Outcome>)>,
}

/// When an example is sent that doesn't say so: a Monday at noon, before any day that a policy names. What an example gives never changes by itself
/// then, and a set that was right yesterday is right today.
const LONG_AGO: DateTime = date(2000, 1, 3).at(12, 0, 0, 0);

pub(super) fn read_example(table: Table) -> Option<Example> {
    let mut example = Example {
        file: table.file().to_owned(),
        line: table.line(),
        organisation: table.texts("organisation").iter().filter_map(|d| domain(&table, d)).collect(),
        at: at(&table).unwrap_or(LONG_AGO),
        from: None,
        to: Vec::new(),
        subject: String::new(),
        body: String::new(),
        headers: Vec::new(),
        problems: Vec::new(),
        files: Vec::new(),
        points: 0,
        strangers: Vec::new(),
        attachments: Vec::new(),
        expect: Vec::new(),
    };
    for word in ["mail", "expect"] {
        if !table.has(word) {
            table.fault(table.line(), format!("`{word}` is missing"), EXAMPLE_REMEDY);
        }
    }
    if let Some(mail) = table.table("mail") {
        read_example_mail(mail, &mut example);
    }
    if let Some(expect) = table.table("expect") {
        for word in expect.words() {
            let address = address(&expect, &word);
            let outcome = expect.text(&word.value).and_then(|text| outcome(&expect, &word.value, &text).map(|value| (text.line, value)));
            if let (Some(address), Some((line, value))) = (address, outcome) {
                if !example.to.contains(&address) {
                    expect.fault(word.line, format!("{address} is no recipient of this example"), "add it to `to` of `mail`");
                }
                example.expect.push((address, Located { value, line }));
            }
        }
        if expect.words().is_empty() {
            expect.fault(expect.line(), "the example expects nothing", EXAMPLE_REMEDY);
        }
        expect.finish();
    }
    table.finish();
    Some(example)
}

const EXAMPLE_REMEDY: &str = "write `mail = { from = \"a@ours.example\", to = \"b@theirs.example\", body = \"..\" }` and `expect = { \"b@theirs.example\" = \"level 1\" }`";

fn read_example_mail(mail: Table, example: &mut Example) {
    example.from = mail.text("from").filter(|from| !from.value.is_empty()).and_then(|from| address(&mail, &from));
    if !mail.has("from") {
        mail.fault(mail.line(), "the example's mail has no sender", "add `from`; \"\" is the null sender");
    }
    example.to = mail.texts("to").iter().filter_map(|to| address(&mail, to)).collect();
    if !mail.has("to") {
        mail.fault(mail.line(), "the example's mail has no recipient", "add `to`");
    }
    example.subject = mail.text("subject").map(|s| s.value).unwrap_or_default();
    example.body = mail.text("body").map(|s| s.value).unwrap_or_default();
    for field in mail.texts("header") {
        match field.value.split_once(':') {
            Some((name, value)) if !name.trim().is_empty() => example.headers.push((name.trim().to_owned(), value.trim().to_owned())),
            _ => mail.fault(field.line, "this is no header field", "write it as `header = \"Sensitivity: Private\"`"),
        }
    }
    example.problems = mail.texts("problem").iter().filter_map(|word| problem(&mail, word)).collect();
    example.files = mail.texts("file").iter().filter_map(|word| fact(&mail, word)).collect();
    example.points = number(&mail, "points").unwrap_or_default();
    for stranger in mail.texts("first_contact") {
        let Some(address) = address(&mail, &stranger) else { continue };
        if !example.to.contains(&address) {
            mail.fault(stranger.line, format!("{address} is no recipient of this example"), "add it to `to`");
        }
        example.strangers.push(address);
    }
    for file in mail.tables("attachment") {
        let name = file.required_text("name", "\"lijst.csv\"").map(|name| name.value).unwrap_or_default();
        example.attachments.push((name, file.text("text").map(|text| text.value).unwrap_or_default()));
        file.finish();
    }
    mail.finish();
}

/// `at = 2026-12-01`, at noon then, or `at = "2026-12-01 19:30"`.
fn at(table: &Table) -> Option<DateTime> {
    if !table.is_texts("at") {
        return table.date("at").map(|day| day.value.at(12, 0, 0, 0));
    }
    let text = table.text("at")?;
    let moment = text.value.split_once(' ').and_then(|(day, time)| Some(day.parse::<Date>().ok()?.to_datetime(time.trim().parse().ok()?)));
    if moment.is_none() {
        table.fault(text.line, format!("`at` can't be \"{}\"", text.value), "write a day, 2026-12-01, or \"2026-12-01 19:30\"");
    }
    moment
}
