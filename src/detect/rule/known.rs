//! `known = { file = "lists/x.edm", column = "bsn" }` on its way into use.

use super::Reader;
use crate::{
    detect::known::{Asked, Known},
    fault::{Located, Table, did_you_mean},
};
use std::sync::Arc;

/// How far values of one record may lie apart when nothing is said, in characters.
const NEAR: i64 = 100;
const FARTHEST: i64 = 10_000;

impl Reader<'_> {
    /// What a rule asks of a table; `None` after telling what is wrong.
    pub(super) fn known(&mut self, rule: &Table) -> Option<Asked> {
        let table = rule.table("known")?;
        let asked = self.asked(&table);
        table.finish();
        asked
    }

    fn asked(&mut self, table: &Table) -> Option<Asked> {
        let file = table.required_text("file", "\"lists/clienten.edm\"");
        let names = table.texts("column");
        if names.is_empty() {
            table.fault(table.line(), "`column` is missing", "name the columns that must be found: column = \"bsn\"");
        }
        let within = table.integer("within");
        if let Some(within) = within.as_ref().filter(|w| !(1..=FARTHEST).contains(&w.value)) {
            table.fault(
                within.line,
                format!("`within = {}` is not between 1 and {FARTHEST}", within.value),
                "write a number of characters: within = 100",
            );
        }
        let known = self.table_of(table, &file?)?;
        let number = |Located { value, line }: &Located<String>| {
            let number = known.names().iter().position(|name| name == value);
            if number.is_none() {
                let remedy = match did_you_mean(value, known.names()) {
                    Some(meant) => format!("did you mean \"{meant}\"?"),
                    None => format!("its columns: {}", known.names().join(", ")),
                };
                table.fault(*line, format!("the table has no column \"{value}\""), remedy);
            }
            number.and_then(|n| u8::try_from(n).ok())
        };
        let mut columns: Vec<u8> = names.iter().filter_map(number).collect();
        columns.sort_unstable();
        columns.dedup();
        if let ([only], Some(name)) = (&columns[..], names.first())
            && known.is_weak(*only)
        {
            let what = format!("\"{}\" has values of fewer than six letters or digits, which stand in mails by chance", name.value);
            table.fault(name.line, what, "name another column as well: column = [\"achternaam\", \"geboortedatum\"]");
        }
        let within = usize::try_from(within.map_or(NEAR, |w| w.value)).unwrap_or_default();
        (!columns.is_empty()).then_some(Asked { known, columns, within })
    }

    /// A table, read once however many rules ask it.
    fn table_of(&mut self, table: &Table, name: &Located<String>) -> Option<Arc<Known>> {
        if let Some(known) = self.tables.get(&name.value) {
            return known.clone();
        }
        let read = self.file(table, name).and_then(|(file, text)| {
            let Some(key) = self.key else {
                let remedy = "add a section [detection] with `edm_key = \"keys/edm.key\"` to zegel.toml, and name it with --config";
                table.fault(name.line, format!("there is no key for {file}"), remedy);
                return None;
            };
            let told = |(line, what, remedy)| table.faults().add(&file, line, what, remedy);
            Known::parse(&text, key).map_err(told).ok().map(Arc::new)
        });
        self.tables.insert(name.value.clone(), read.clone());
        read
    }
}
