//! Tables: of a spreadsheet cell by cell, with their values; anywhere else as text.

use super::content::{Content, Genre, Target};
use crate::extract::{Span, office::package::on_one_line, sheet::Sheet, xml};
use quick_xml::events::BytesStart;
use std::borrow::Cow;

/// A cell of a spreadsheet that is being read.
pub(super) struct Shown {
    pub(super) repeated: u32,
    kind: String,
    value: String,
    pub(super) shown: String,
    depth: usize,
}

impl Content {
    pub(super) fn open_table(&mut self, name: &str, element: &BytesStart<'_>) {
        let value = |name: &str| xml::attribute(element, name).unwrap_or_default();
        let repeated = |name: &str| value(name).parse::<u32>().unwrap_or(1).max(1);
        if name == "table" {
            self.tables.push(self.depth);
            if self.is_sheet() {
                self.sheet = self.sheet.saturating_add(1);
                // An empty one leaves nothing but its number.
                self.sheets.pop_if(|sheet| sheet.text.is_empty());
                self.sheets.push(Sheet { number: self.sheet, ..Sheet::default() });
                self.names.push_str(&on_one_line(value("name")));
                self.names.push('\n');
                self.row = 0;
                self.cell = None;
            }
        } else if !self.is_sheet() {
            match name {
                "table-row" => {
                    self.flow().row();
                    self.row_has_cell = false;
                }
                _ => {
                    let is_first = !self.row_has_cell;
                    self.flow().cell(is_first);
                    self.row_has_cell = true;
                }
            }
        } else if name == "table-row" {
            self.rows_repeated = repeated("number-rows-repeated");
            self.column = 0;
        } else if self.cell.is_none() {
            let kind = value("value-type").into_owned();
            let given = match kind.as_str() {
                "date" => value("date-value"),
                "time" => value("time-value"),
                "boolean" => value("boolean-value"),
                "string" | "" => value("string-value"),
                _ => value("value"),
            };
            let cell = Shown {
                repeated: repeated("number-columns-repeated"),
                value: given.into_owned(),
                kind,
                shown: String::new(),
                depth: self.depth,
            };
            for literal in value("formula").split('"').skip(1).step_by(2).filter(|l| !l.trim().is_empty()) {
                self.literals.push_str(&on_one_line(Cow::Borrowed(literal)));
                self.literals.push('\n');
            }
            self.cell = Some(cell);
        }
    }

    /// Whether rows and cells are those of a sheet, and not of a table in a comment, a box or a cell.
    fn is_sheet(&self) -> bool {
        self.genre == Genre::Sheets && self.tables.len() == 1 && self.target() == Target::Body
    }

    pub(super) fn close_table(&mut self, name: &str) {
        match name {
            "table" => {
                self.tables.pop();
                self.flow().row();
            }
            _ if !self.is_sheet() => match name {
                "table-row" => self.flow().row(),
                _ => self.flow().cell_end(),
            },
            "table-row" => self.row = self.row.saturating_add(self.rows_repeated),
            _ if self.cell.as_ref().is_some_and(|cell| cell.depth == self.depth) => {
                if let Some(cell) = self.cell.take() {
                    self.add_cell(&cell);
                    self.column = self.column.saturating_add(cell.repeated);
                }
            }
            _ => {}
        }
    }

    /// A cell that is repeated says nothing more than once.
    pub(super) fn add_cell(&mut self, cell: &Shown) {
        let shown = cell.shown.trim();
        if shown.is_empty() && cell.value.is_empty() {
            return;
        }
        if self.cells_left == 0 {
            self.is_full = true;
            return;
        }
        self.cells_left -= 1;
        let Some(sheet) = self.sheets.last_mut() else { return };
        sheet.begin(self.row, self.column);
        let is_number = matches!(cell.kind.as_str(), "float" | "percentage" | "currency");
        match cell.value.parse::<f64>() {
            Ok(value) if is_number => {
                let shown = Some(on_one_line(Cow::Borrowed(shown))).filter(|s| !s.is_empty());
                return sheet.number_shown(value, shown);
            }
            _ if shown.is_empty() => sheet.words(&cell.value),
            _ => {
                sheet.words(shown);
                if !cell.value.is_empty() && cell.value != shown {
                    sheet.alternative(&on_one_line(Cow::Borrowed(&cell.value)), Span::Alternative);
                }
            }
        }
        // 2026-11-25T00:00:00 as people write it here.
        let date = cell.value.split('T').next().unwrap_or_default();
        if let (true, [year, month, day]) = (cell.kind == "date", date.split('-').collect::<Vec<_>>().as_slice()) {
            sheet.alternative(&on_one_line(Cow::Owned(format!("{day}-{month}-{year}"))), Span::Alternative);
        }
    }
}
