//! What a rule looks for.

use super::{LATER, Reader, Type, list::exact, types};
use crate::{
    detect::lexicon::{Spelling, Stars},
    fault::Table,
};

/// What a rule looks for.
pub(in crate::detect) enum Condition {
    /// Numbers of these types.
    Finds(Vec<Type>),
    /// Terms in the lexicon; the word is the `type` that `explain --format json` tells: `word`, `list`, `text`.
    Terms(&'static str),
    /// Header fields of the mail.
    Header(Vec<HeaderTest>),
}

/// A header field, and what its value has or is.
pub(in crate::detect) struct HeaderTest {
    pub(in crate::detect) name: String,
    pub(in crate::detect) has: Vec<String>,
    pub(in crate::detect) is: Vec<String>,
}

impl Reader<'_> {
    pub(super) fn condition(&mut self, rule: &Table, lists: Option<Table>) -> Option<Condition> {
        let conditions = ["finds", "word", "list", "text", "header"];
        let present: Vec<&str> = conditions.into_iter().filter(|word| rule.has(word)).collect();
        let lists_line = lists.as_ref().map(Table::line);
        let later = rule.words().iter().any(|word| LATER.contains(&word.value.as_str()));
        let condition = match present[..] {
            [] => {
                // A condition that comes later is told by `finish`.
                if !later {
                    rule.fault(rule.line(), "the rule looks for nothing", format!("add one of {}", conditions.join(", ")));
                }
                None
            }
            ["finds"] => Some(Condition::Finds(types(rule))),
            ["word"] => {
                self.terms(rule, rule.texts("word"), Stars::Themselves, Spelling::default());
                Some(Condition::Terms("word"))
            }
            ["text"] => {
                let spelling = Spelling { exact_case: exact(rule, "case"), exact_accents: false };
                self.terms(rule, rule.texts("text"), Stars::Themselves, spelling);
                Some(Condition::Terms("text"))
            }
            ["list"] => {
                self.lists(rule, lists.as_ref());
                Some(Condition::Terms("list"))
            }
            [_] => Some(Condition::Header(rule.tables("header").into_iter().map(header).collect())),
            [one, other, ..] => {
                rule.fault(rule.line(), format!("`{one}` and `{other}` in one rule are not in this version"), "make a rule of each");
                None
            }
        };
        if let (Some(line), false) = (lists_line, present.contains(&"list") || later) {
            rule.fault(line, "`[lists]` is not used", "name its lists in `list = [...]` or leave it out");
        }
        condition
    }
}

fn header(table: Table) -> HeaderTest {
    let name = table.required_text("name", "\"Sensitivity\"").map_or_else(String::new, |n| n.value);
    let values = |word| table.texts(word).into_iter().map(|v| v.value.trim().to_lowercase()).collect::<Vec<_>>();
    let (has, is) = (values("has"), values("is"));
    if has.is_empty() && is.is_empty() {
        table.fault(table.line(), "the header is not compared with anything", "add `is = [...]` or `has = \"...\"`");
    }
    table.finish();
    HeaderTest { name, has, is }
}
