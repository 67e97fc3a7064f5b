//! `[extract]`: what is read of mail that is not read by itself.

use crate::{
    fault::{Located, Table},
    sandbox::Ocr,
};

/// Languages that are read at once: each makes a picture take longer.
const MOST_LANGUAGES: usize = 5;

/// How text in pictures is read, and the line that asks for it; `None` when it is not.
pub(super) fn read(table: Table) -> Option<Located<Ocr>> {
    let is_wanted = table.boolean("ocr");
    let texts = table.texts("ocr_languages");
    if table.has("ocr_languages") && (texts.is_empty() || texts.len() > MOST_LANGUAGES) {
        let line = texts.first().map_or(table.line(), |text| text.line);
        table.fault(
            line,
            "`ocr_languages` names none, or more than five",
            "name those that your mail is written in, as in [\"nld\", \"eng\"]",
        );
    }
    let languages: Vec<String> = texts.iter().filter_map(|text| language(&table, text)).collect();
    let languages = if texts.is_empty() { ["nld", "eng"].map(str::to_owned).to_vec() } else { languages };
    let program = table.text("tesseract").map_or_else(Ocr::usual_program, |text| {
        if !text.value.starts_with('/') {
            table.fault(
                text.line,
                format!("\"{}\" is no program's full path", text.value),
                "write it as in /usr/bin/tesseract, or leave it out",
            );
        }
        text.value.into()
    });
    table.finish();
    let wanted = is_wanted.filter(|wanted| wanted.value)?;
    Some(Located { value: Ocr { program, languages }, line: wanted.line })
}

/// A language by tesseract's name. It becomes part of a path and of an argument of several, so that little else is one.
fn language(table: &Table, text: &Located<String>) -> Option<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.value.len() < 3 || text.value.len() > 40 || !text.value.chars().all(is_name) {
        let remedy = "write it as `tesseract --list-langs` does: nld, eng, deu, fra";
        table.fault(text.line, format!("\"{}\" is no language of tesseract's", text.value), remedy);
        return None;
    }
    Some(text.value.clone())
}
