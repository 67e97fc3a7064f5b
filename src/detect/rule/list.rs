//! Words, phrases and lists of them, on their way into the lexicon.

use super::Reader;
use crate::{
    detect::lexicon::{BadTerm, Spelling, Stars, Use},
    fault::{Located, Table, did_you_mean},
};

/// `match`: what of a term must stand in the text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The term, as whole words.
    Word,
    /// Its last word in any Dutch inflection.
    Inflected,
    /// The term, or a long word that holds it.
    Part,
}

impl Reader<'_> {
    /// The lists that `list` names, out of `[lists]`.
    pub(super) fn lists(&mut self, table: &Table) {
        let lists = self.lists.table.take();
        let known: Vec<String> = lists.iter().flat_map(|l| l.words()).map(|w| w.value).collect();
        for Located { value, line } in table.texts("list") {
            if let Some(list) = lists.as_ref().filter(|_| known.contains(&value)).and_then(|lists| lists.table(&value)) {
                self.list(list);
            } else if !known.contains(&value) {
                let remedy = match did_you_mean(&value, known.iter().map(String::as_str)) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => format!("describe it in `[lists]`: `{value} = {{ file = \"lists/{value}.txt\" }}`"),
                };
                table.fault(line, format!("there is no list `{value}`"), remedy);
            }
            self.lists.used.push(value);
        }
        self.lists.table = lists;
    }

    /// Tells of lists that no condition names; they are read all the same, for their faults.
    pub(super) fn finish_lists(&mut self) {
        let Some(lists) = self.lists.table.take() else { return };
        if self.lists.used.is_empty() {
            return lists.fault(lists.line(), "`[lists]` is not used", "name its lists in `list = [...]` or leave it out");
        }
        for Located { value: name, line } in
            lists.words().into_iter().filter(|word| !self.lists.used.contains(&word.value)).collect::<Vec<_>>()
        {
            lists.fault(line, format!("the list `{name}` is not used"), "name it in `list` or leave it out");
            if let Some(list) = lists.table(&name) {
                self.list(list);
            }
        }
    }

    fn list(&mut self, list: Table) {
        let matching = list.text("match");
        let mut form = Form::Word;
        let mut spelling = Spelling { exact_case: exact(&list, "case"), exact_accents: exact(&list, "accents") };
        match matching.as_ref().map(|m| m.value.as_str()) {
            None | Some("word") => {}
            Some("exact") => spelling = Spelling { exact_case: true, exact_accents: true },
            Some("stem") => form = Form::Inflected,
            Some("part") => form = Form::Part,
            Some(other) => {
                list.fault(matching.as_ref().map_or(1, |m| m.line), format!("unknown match \"{other}\""), "use word, stem, part or exact");
            }
        }
        match (list.has("file"), list.has("words")) {
            (true, false) => {
                if let Some((file, text)) = list.text("file").and_then(|name| self.file(&list, &name)) {
                    self.list_file(&list, &file, &text, form, spelling);
                }
            }
            (false, true) => {
                let terms = list.texts("words");
                if let [all] = &terms[..]
                    && all.value.matches(',').count() > 1
                {
                    let what = "the whole list stands between one pair of quotes, so it is looked for as it stands there";
                    list.fault(all.line, what, "give each term its own quotes: words = [\"astma\", \"diabetes\"]");
                }
                for term in terms {
                    if let Err(bad) = self.add(&term.value, form, spelling, Use::Find { rule: self.index }) {
                        list.fault(term.line, bad_term(&term.value, &bad), remedy(&bad));
                    }
                }
            }
            (true, true) => list.fault(list.line(), "a list has `file` or `words`, not both", "make two lists of it"),
            (false, false) => list.fault(list.line(), "the list is empty", "add `words = [...]` or `file = \"lists/x.txt\"`"),
        }
        list.finish();
    }

    /// A file named in a rule; names are relative to `rules/`.
    pub(super) fn file(&self, table: &Table, name: &Located<String>) -> Option<(String, String)> {
        let file = format!("rules/{}", name.value);
        let text = self.files.get(&file).cloned();
        // One that is there and can't be read has been told.
        if text.is_none() && !table.faults().any_in(|faulty| faulty == file) {
            let own = file.rsplit(['/', '\\']).next().unwrap_or_default();
            let meant = self.files.keys().filter_map(|file| file.strip_prefix("rules/")).find(|file| *file == format!("lists/{own}"));
            let remedy = match meant {
                Some(meant) => format!("did you mean \"{meant}\"?"),
                None => "correct the name (it is relative to rules/) or add the file".to_owned(),
            };
            table.fault(name.line, format!("there is no file {file}"), remedy);
        }
        text.map(|text| (file, text))
    }

    /// A term a line, `# comment`, `-term` for what is not to be found although a part of it is listed.
    fn list_file(&mut self, list: &Table, file: &str, text: &str, form: Form, spelling: Spelling) {
        // What is told here stands on every line, as a rule: once is enough.
        if let Some((line, (what, remedy))) = entries(text).find_map(|(line, term)| Some((line, no_term(term)?))) {
            return list.faults().add(file, line, what, remedy);
        }
        let mut some = entries(text);
        if let (Some((line, all)), None) = (some.next(), some.next())
            && all.contains(',')
        {
            let what = "the whole list stands on one line, so it is looked for as it stands there";
            return list.faults().add(file, line, what, "write each term on a line of its own, without commas");
        }
        // Bullets. A list of exceptions alone may stand beside another one, but nobody puts a space there.
        if entries(text).next().is_some() && entries(text).all(|(_, term)| term.starts_with("- ")) {
            let remedy = "take the - out: -term is what is not to be found, though a part of it is listed";
            return list.faults().add(file, 1, "every line of this list begins with -, so it finds nothing", remedy);
        }
        for (line, term) in entries(text) {
            let (term, form, what) = match term.strip_prefix('-') {
                // A compound that is not meant is named whole.
                Some(term) => (term.trim(), if form == Form::Part { Form::Word } else { form }, Use::Except { rule: self.index }),
                None => (term, form, Use::Find { rule: self.index }),
            };
            if let Err(bad) = self.add(term, form, spelling, what) {
                list.faults().add(file, line, bad_term(term, &bad), remedy(&bad));
            }
        }
    }

    fn add(&mut self, term: &str, form: Form, spelling: Spelling, what: Use) -> Result<(), BadTerm> {
        match form {
            Form::Word => self.lexicon.add(term, Stars::Themselves, spelling, what),
            Form::Inflected => self.lexicon.add_inflected(term, spelling, what),
            Form::Part => {
                self.lexicon.parts.add(term, what)?;
                self.lexicon.add(term, Stars::Themselves, spelling, what)
            }
        }
    }

    pub(super) fn terms(&mut self, table: &Table, terms: Vec<Located<String>>, stars: Stars, spelling: Spelling) {
        for term in terms {
            self.term(table, &term, stars, spelling, Use::Find { rule: self.index });
        }
    }

    pub(super) fn term(&mut self, table: &Table, term: &Located<String>, stars: Stars, spelling: Spelling, what: Use) {
        if let Err(bad) = self.lexicon.add(&term.value, stars, spelling, what) {
            table.fault(term.line, bad_term(&term.value, &bad), remedy(&bad));
        }
    }
}

/// `case = "exact"`, `accents = "any"`.
pub(super) fn exact(table: &Table, word: &str) -> bool {
    table.text(word).is_some_and(|text| {
        if !matches!(text.value.as_str(), "any" | "exact") {
            table.fault(text.line, format!("unknown {word} \"{}\"", text.value), "use any or exact");
        }
        text.value == "exact"
    })
}

/// Why a line of a list is no term, and what to do: it comes from a sheet, or from a list in a program's notation.
fn no_term(line: &str) -> Option<(&'static str, &'static str)> {
    if line.contains([';', '\t']) {
        return Some(("this line has several columns", "keep one term on each line: copy a single column of the sheet into the file"));
    }
    let bare = line.trim_end_matches(',');
    let quoted = bare.len() > 1 && bare.starts_with('"') && bare.ends_with('"');
    (quoted || bare.len() < line.len())
        .then_some(("quotes and commas are not needed here", "write each term as it is, on a line of its own"))
}

/// The lines of a list that say something, with their numbers.
pub(super) fn entries(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(n, line)| (n + 1, line.trim_start_matches('\u{feff}').trim()))
        .map(|(n, line)| (n, line.split(" #").next().unwrap_or(line).trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn bad_term(term: &str, bad: &BadTerm) -> String {
    match bad {
        BadTerm::Empty => format!("`{term}` has no letter or digit in it"),
        BadTerm::Star => format!("`{term}` has its `*` in the wrong place"),
        BadTerm::Short => format!("`{term}` is no single word of five letters or more, so `match = \"part\"` would find it everywhere"),
        BadTerm::Many => format!("`{term}` is one term too many"),
    }
}

fn remedy(bad: &BadTerm) -> &'static str {
    match bad {
        BadTerm::Empty => "write a word or a phrase",
        BadTerm::Star => "put one `*` at the end, behind two letters or more",
        BadTerm::Short => "put it into a list with `match = \"word\"` or \"stem\"",
        BadTerm::Many => "`match = \"part\"` takes 100 000 terms in all; use `match = \"stem\"` for the rest",
    }
}
