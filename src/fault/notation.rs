//! What is wrong in a file that is not TOML, in the words of somebody who doesn't know what TOML is.

/// One message of the parser: its line, what it says, and the text from where it says it to the end of that line.
pub(super) struct Told<'a> {
    pub(super) line: usize,
    pub(super) message: &'a str,
    pub(super) at: &'a str,
}

/// What is wrong in `text` and what to do, by line, for the parser's messages.
///
/// One line is told once; and a list or braces without an end, or a section that stands there twice, once: there the parser stumbles over all that
/// follows.
pub(super) fn faults(mut told: Vec<Told<'_>>, text: &str) -> Vec<(usize, String, String)> {
    let lines: Vec<&str> = text.lines().collect();
    told.sort_by_key(|told| told.line);
    let list = told.iter().find(|told| told.message.starts_with("unclosed array,")).map(|told| (told.line, ('[', ']'), "unclosed array"));
    let braces = || told.iter().find(|told| told.message.contains("inline table") || told.message == NO_COMMA && told.at.contains('='));
    let open = list.or_else(|| braces().map(|told| (told.line, ('{', '}'), "unclosed inline table")));
    if let Some((end, signs, message)) = open
        && let Some(begins) = (1..=end).rev().find(|line| opens(lines.get(line - 1).unwrap_or(&""), signs))
        && begins < end
        && (signs.0 == '[' || balance(text, signs) > 0)
    {
        told.retain(|told| told.line < begins);
        told.push(Told { line: begins, message, at: "" });
    }
    told.dedup_by_key(|told| told.line);
    let mut again = false;
    told.retain(|told| {
        let section = lines.get(told.line - 1).is_some_and(|line| line.trim_start().starts_with('['));
        let twice = told.message.starts_with("duplicate key");
        let follows = again && twice && !section;
        again = twice && section || follows;
        !follows
    });
    told.into_iter()
        .map(|told| {
            let (what, remedy) = fault(&told, lines.get(told.line - 1).unwrap_or(&""));
            (told.line, what, remedy)
        })
        .collect()
}

const NO_COMMA: &str = "missing comma between key-value pairs";

/// Whether a list or braces begin on this line and do not end on it.
fn opens(line: &str, (open, close): (char, char)) -> bool {
    let value = line.split_once('=').map_or("", |(_, value)| value.trim());
    value.starts_with(open) && balance(line, (open, close)) > 0
}

/// How many more of these signs open than close.
fn balance(text: &str, (open, close): (char, char)) -> isize {
    text.chars().map(|c| isize::from(c == open) - isize::from(c == close)).sum()
}

/// What is wrong and what to do, for a message about a line that reads `line`.
fn fault(told: &Told<'_>, line: &str) -> (String, String) {
    if let Some(quote) = line.chars().find(|c| "“”„‟‘’‚‛«»".contains(*c)) {
        return (format!("`{quote}` is no quote here"), "write straight quotes: \"text\"".to_owned());
    }
    if line.split('#').next().unwrap_or_default().trim_end().ends_with('=') {
        return ("nothing stands behind the =".to_owned(), "write a value behind it, or take the line out".to_owned());
    }
    if let Some((what, remedy)) = value(told, line) {
        return (what.to_owned(), remedy.to_owned());
    }
    let plain = KNOWN.iter().find(|(begins, ..)| told.message.starts_with(begins));
    if let Some((_, what, remedy)) = plain {
        return ((*what).to_owned(), (*remedy).to_owned());
    }
    if told.message.starts_with("duplicate key") {
        return duplicate(line, told.at);
    }
    (format!("the notation is wrong here: {}", told.message), "compare it with a file that works".to_owned())
}

/// Values that are clear to people, and nothing to the parser: dates of every kind, percentages, yes and no, texts side by side.
fn value(told: &Told<'_>, line: &str) -> Option<(&'static str, &'static str)> {
    let word = line.split('=').next().unwrap_or_default().trim();
    let figures = told.at.len() - told.at.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let unquoted = told.message.starts_with("string values must be quoted");
    if told.message.starts_with("invalid date") && told.message.contains(" between ") {
        return Some(("there is no such day", "write a day that exists, the year first: 2027-06-30"));
    }
    if told.message.starts_with("invalid date") || unquoted && figures > 0 && matches!(word, "until" | "ends" | "at") {
        return Some(("this is no date", "write the year first, then the month and the day, without quotes: 2027-01-31"));
    }
    if unquoted && figures > 0 && told.at[figures..].trim_start().starts_with('%') {
        return Some((
            "percentages are not used here",
            "write confidence = \"medium\" (or \"low\", \"high\"), and points = 80 without a sign",
        ));
    }
    let answer: String = told.at.chars().take_while(char::is_ascii_alphabetic).collect();
    if unquoted && ["ja", "nee", "yes", "no", "waar", "onwaar", "aan", "uit", "on", "off", "True", "False"].contains(&answer.as_str()) {
        return Some(("yes and no have words of their own", "write true for yes or false for no, without quotes"));
    }
    are_side_by_side(line).then_some(("several texts stand here without brackets", "put them into a list: rule = [\"bsn\", \"iban\"]"))
}

/// Whether only a comma stands between two texts that are in no list: `rule = "bsn", "iban"`.
fn are_side_by_side(line: &str) -> bool {
    let mut depth = 0;
    line.split('"').step_by(2).enumerate().any(|(n, between)| {
        depth += balance(between, ('[', ']'));
        n > 0 && depth == 0 && between.trim() == ","
    })
}

/// How the parser's message begins, what is wrong, what to do.
const KNOWN: [(&str, &str, &str); 16] = [
    ("string values must be quoted", "a text stands here without quotes", "write it between quotes: then = \"level 2\""),
    ("invalid basic string", "a text has no quote at its end, or a sign that can't stand in it", "end it with \" on the same line"),
    ("invalid literal string", "a text has no quote at its end, or a sign that can't stand in it", "end it with ' on the same line"),
    ("missing escaped value", ESCAPE.0, ESCAPE.1),
    ("invalid escape", ESCAPE.0, ESCAPE.1),
    ("missing comma between array elements", "there is no comma before this", "put a comma between the parts of a list"),
    (NO_COMMA, "there is no comma before this", "put a comma between the parts: { rule = \"bsn\", to = \"external\" }"),
    ("extra comma", "there is a comma too many", "take it out"),
    ("unclosed array table", "the brackets have no end", "close them: [[policy]]"),
    ("unclosed array", "the list that begins here has no end", "close it with ]"),
    ("unclosed inline table", "the braces that begin here have no end", "close them with }"),
    ("unclosed table", "the bracket has no end", "close it: [rule]"),
    ("key with no value", "this is no `word = value`", "write = and a value behind the word, or # before a comment"),
    ("missing assignment", "there is no = between a word and its value", "write word = value"),
    ("extra `=`", "there is an = too many", "take it out"),
    ("invalid unquoted key", "this is no word that can stand before an =", "put it between quotes, or write # before a comment"),
];

const ESCAPE: (&str, &str) = ("a \\ in a text between \" begins a special sign", "write \\\\ for a \\, or put the text between '");

/// A word, or a section, that stands in a file twice; `at` begins with it.
fn duplicate(line: &str, at: &str) -> (String, String) {
    let line = line.trim();
    let name = at.trim_start_matches('[').split([']', '=', '#']).next().unwrap_or_default().trim();
    if line.starts_with('[') {
        let remedy = format!("join the two, or write [[{name}]] for each of them if there may be several");
        return (format!("`{name}` stands here again"), remedy);
    }
    (format!("`{name}` stands here twice"), "take one of the two out; several values go into a list: [\"a\", \"b\"]".to_owned())
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
        check("a = 1\na = 2", &["x:2: `a` stands here twice; take one of the two out; several values go into a list: [\"a\", \"b\"]"]);
        check(
            "w = { a = 1, a = 2 }",
            &["x:1: `a` stands here twice; take one of the two out; several values go into a list: [\"a\", \"b\"]"],
        );
        check(
            "[policy]\na = 1\n[[policy]] # twee\na = 2",
            &["x:3: `policy` stands here again; join the two, or write [[policy]] for each of them if there may be several"],
        );
        check(
            "path = \"C:\\data\"",
            &["x:1: a \\ in a text between \" begins a special sign; write \\\\ for a \\, or put the text between '"],
        );
        check(
            "w = { a = \"b\", \"c\" }",
            &["x:1: several texts stand here without brackets; put them into a list: rule = [\"bsn\", \"iban\"]"],
        );
        check("[[p]]\nw = { a = 1\nb = 2\n\n[[p]]\nw = { a = 1 }", &["x:2: the braces that begin here have no end; close them with }"]);
        let date = "x:1: this is no date; write the year first, then the month and the day, without quotes: 2027-01-31";
        check("until = 01-02-2027", &[date]);
        check("ends = 1 februari 2027", &[date]);
        check("ends = 2027-06-31", &["x:1: there is no such day; write a day that exists, the year first: 2027-06-30"]);
        let percent = "percentages are not used here; write confidence = \"medium\" (or \"low\", \"high\"), and points = 80 without a sign";
        check("w = { points = 80%, to = \"x\" }", &[&format!("x:1: {percent}")]);
        check("strip = ja", &["x:1: yes and no have words of their own; write true for yes or false for no, without quotes"]);
        check("dit is geen regel", &["x:1: this is no `word = value`; write = and a value behind the word, or # before a comment"]);
    }
}
