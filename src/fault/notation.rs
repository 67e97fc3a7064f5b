//! What is wrong in a file that is not TOML, in the words of somebody who doesn't know what TOML is.

/// What is wrong in `text` and what to do, by line, for the parser's messages.
///
/// One line is told once, and a list without an end once: there the parser stumbles over all that follows.
pub(super) fn faults(mut told: Vec<(usize, &str)>, text: &str) -> Vec<(usize, String, String)> {
    let lines: Vec<&str> = text.lines().collect();
    told.sort_by_key(|(line, _)| *line);
    let ends = told.iter().find(|(_, message)| message.starts_with("unclosed array,")).map(|(line, _)| *line);
    if let Some(begins) = ends.and_then(|end| (1..=end).rev().find(|line| opens_a_list(lines.get(line - 1).unwrap_or(&"")))) {
        told.retain(|(line, _)| *line < begins);
        told.push((begins, "unclosed array"));
    }
    told.dedup_by_key(|(line, _)| *line);
    let explain = |(line, message): (usize, &str)| {
        let (what, remedy) = fault(message, lines.get(line - 1).unwrap_or(&""));
        (line, what, remedy)
    };
    told.into_iter().map(explain).collect()
}

/// Whether a list begins on this line and does not end on it.
fn opens_a_list(line: &str) -> bool {
    let list = line.split_once('=').map_or("", |(_, value)| value.trim());
    list.starts_with('[') && list.matches('[').count() > list.matches(']').count()
}

/// What is wrong and what to do, for the parser's `message` about a line that reads `line`.
fn fault(message: &str, line: &str) -> (String, String) {
    if let Some(quote) = line.chars().find(|c| "“”„‟‘’‚‛«»".contains(*c)) {
        return (format!("`{quote}` is no quote here"), "write straight quotes: \"text\"".to_owned());
    }
    if line.split('#').next().unwrap_or_default().trim_end().ends_with('=') {
        return ("nothing stands behind the =".to_owned(), "write a value behind it, or take the line out".to_owned());
    }
    let plain = KNOWN.iter().find(|(begins, ..)| message.starts_with(begins));
    if let Some((_, what, remedy)) = plain {
        return ((*what).to_owned(), (*remedy).to_owned());
    }
    if message.starts_with("duplicate key") {
        return duplicate(line);
    }
    (format!("the notation is wrong here: {message}"), "compare it with a file that works".to_owned())
}

/// How the parser's message begins, what is wrong, what to do.
const KNOWN: [(&str, &str, &str); 16] = [
    ("string values must be quoted", "a text stands here without quotes", "write it between quotes: then = \"level 2\""),
    ("invalid basic string", "a text has no quote at its end, or a sign that can't stand in it", "end it with \" on the same line"),
    ("invalid literal string", "a text has no quote at its end, or a sign that can't stand in it", "end it with ' on the same line"),
    ("missing escaped value", ESCAPE.0, ESCAPE.1),
    ("invalid escape", ESCAPE.0, ESCAPE.1),
    ("missing comma between array elements", "there is no comma before this", "put a comma between the parts of a list"),
    (
        "missing comma between key-value pairs",
        "there is no comma before this",
        "put a comma between the parts: { rule = \"bsn\", to = \"external\" }",
    ),
    ("extra comma", "there is a comma too many", "take it out"),
    ("unclosed array table", "the brackets have no end", "close them: [[policy]]"),
    ("unclosed array", "the list that begins here has no end", "close it with ]"),
    ("unclosed inline table", "the braces have no end", "close them with }"),
    ("unclosed table", "the bracket has no end", "close it: [rule]"),
    ("key with no value", "this is no `word = value`", "write = and a value behind the word, or # before a comment"),
    ("missing assignment", "there is no = between a word and its value", "write word = value"),
    ("extra `=`", "there is an = too many", "take it out"),
    ("invalid unquoted key", "this is no word that can stand before an =", "put it between quotes, or write # before a comment"),
];

const ESCAPE: (&str, &str) = ("a \\ in a text between \" begins a special sign", "write \\\\ for a \\, or put the text between '");

/// A word, or a section, that stands in a file twice.
fn duplicate(line: &str) -> (String, String) {
    let line = line.trim();
    let name = line.trim_start_matches('[').split([']', '=', '#']).next().unwrap_or_default().trim();
    if line.starts_with('[') {
        let remedy = format!("join the two, or write [[{name}]] for each of them if there may be several");
        return (format!("`{name}` stands here again"), remedy);
    }
    (format!("`{name}` stands here twice"), "take one of the two out".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::fault::{Faults, Table};

    #[test]
    fn what_is_wrong_is_said_to_people_who_know_no_toml() {
        let check = |text: &str, expected: &[&str]| {
            let faults = Faults::default();
            assert!(Table::parse("x", text, &faults).is_none(), "{text}");
            let told: Vec<_> = faults.take().iter().map(ToString::to_string).collect();
            assert_eq!(told, expected, "{text}");
        };
        check("\nthen = level 2", &["x:2: a text stands here without quotes; write it between quotes: then = \"level 2\""]);
        check("then = “level 2”", &["x:1: `“` is no quote here; write straight quotes: \"text\""]);
        check(
            "name = \"BSN\nx = 1",
            &["x:1: a text has no quote at its end, or a sign that can't stand in it; end it with \" on the same line"],
        );
        check("a = [\n\"b\"\n\"c\"]", &["x:3: there is no comma before this; put a comma between the parts of a list"]);
        check(
            "when = { rule = \"bsn\" to = \"external\" }",
            &["x:1: there is no comma before this; put a comma between the parts: { rule = \"bsn\", to = \"external\" }"],
        );
        check("[smtp", &["x:1: the bracket has no end; close it: [rule]"]);
        check("[[policy]\n", &["x:1: the brackets have no end; close them: [[policy]]"]);
        check("x = [1]\na = [\"b\"\n\nc = [\"d\"]\n[x]\ny = 1", &["x:2: the list that begins here has no end; close it with ]"]);
        check("then =", &["x:1: nothing stands behind the =; write a value behind it, or take the line out"]);
        check("a = 1\na = 2", &["x:2: `a` stands here twice; take one of the two out"]);
        check(
            "[policy]\na = 1\n[[policy]] # twee\na = 2",
            &["x:3: `policy` stands here again; join the two, or write [[policy]] for each of them if there may be several"],
        );
        check(
            "path = \"C:\\data\"",
            &["x:1: a \\ in a text between \" begins a special sign; write \\\\ for a \\, or put the text between '"],
        );
        check("dit is geen regel", &["x:1: this is no `word = value`; write = and a value behind the word, or # before a comment"]);
    }
}
