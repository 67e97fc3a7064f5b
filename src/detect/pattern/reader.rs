//! Patterns on their way into use: what can't be read, is too large, or would surprise is told, and why.

use super::{LONGEST, Pattern, literal};
use crate::detect::{check::Check, normalise::Normal};
use regex::RegexBuilder;
use regex_syntax::{
    ParserBuilder,
    ast::{self, Ast},
    hir::{Class, Hir, HirKind},
};

/// What is wrong with a pattern, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::detect) struct Flaw {
    pub(in crate::detect) what: String,
    pub(in crate::detect) remedy: String,
}

/// A longer pattern nobody reads.
const MOST_LETTERS: usize = 2000;
/// The memory that a pattern may take, compiled; a pattern of a line takes a twentieth.
const MOST_BYTES: usize = 2 * 1024 * 1024;

/// Reads a pattern, or says everything that is wrong with it.
pub(in crate::detect) fn read(pattern: &str, any_case: bool, check: Option<Check>) -> Result<Pattern, Vec<Flaw>> {
    if pattern.len() > MOST_LETTERS {
        return Err(vec![flaw(
            format!("the pattern has more than {MOST_LETTERS} letters"),
            "make several rules of it and join them by `any`",
        )]);
    }
    let ast = ast::parse::Parser::new().parse(pattern).map_err(|e| {
        let at: String = pattern[e.span().start.offset..].chars().take(12).collect();
        let at = if at.is_empty() { "at its end".to_owned() } else { format!("at `{at}`") };
        let (what, remedy) = unreadable(e.kind());
        vec![flaw(format!("the pattern can't be read {at}: {what}"), remedy)]
    })?;
    let hir = ParserBuilder::new().case_insensitive(any_case).build().parse(pattern).map_err(|e| {
        let what = match &e {
            regex_syntax::Error::Translate(e) => e.kind().to_string(),
            _ => "it is not known here".to_owned(),
        };
        vec![flaw(format!("the pattern can't be read: {what}"), "see docs/rules.md for what a pattern may hold")]
    })?;
    let mut flaws = surprises(pattern, &ast);
    about(&hir, pattern, &mut flaws);
    let regex = RegexBuilder::new(pattern).case_insensitive(any_case).size_limit(MOST_BYTES).dfa_size_limit(MOST_BYTES).build();
    match regex {
        Ok(regex) if flaws.is_empty() => Ok(Pattern { regex, plain: hir.to_string(), check, literals: literal::required(&hir) }),
        Ok(_) => Err(flaws),
        Err(_) => {
            let what = format!("the pattern is too large: it would take more than {} MiB", MOST_BYTES / 1024 / 1024);
            flaws.push(flaw(what, "repeat less ({1,40} instead of {1,4000}), and write [0-9] for \\d and [A-Za-z] for \\w"));
            Err(flaws)
        }
    }
}

fn flaw(what: impl Into<String>, remedy: impl Into<String>) -> Flaw {
    Flaw { what: what.into(), remedy: remedy.into() }
}

/// What is wrong, and what to do.
fn unreadable(kind: &ast::ErrorKind) -> (String, &'static str) {
    let plain = match kind {
        ast::ErrorKind::UnsupportedLookAround => {
            let what = "look-around, including look-ahead and look-behind, is not supported";
            (what, "leave it out; for what stands near, use `[context]` or `all` with `within`")
        }
        ast::ErrorKind::UnsupportedBackreference => {
            let remedy = "leave it out: a pattern can't repeat what it found, since that takes unbounded time";
            ("backreferences are not supported", remedy)
        }
        ast::ErrorKind::GroupUnclosed => ("this ( has no end", "close it with ), or write \\( for the sign itself"),
        ast::ErrorKind::GroupUnopened => ("this ) ends nothing", "open it with (, or write \\) for the sign itself"),
        ast::ErrorKind::ClassUnclosed => ("this [ has no end", "close it with ], or write \\[ for the sign itself"),
        ast::ErrorKind::RepetitionMissing => (
            "nothing stands here that could be repeated",
            "write .{0,20} for up to twenty signs of any kind, \\d{8} for eight digits, \\* for the sign itself",
        ),
        ast::ErrorKind::RepetitionCountUnclosed => ("this { has no end", "close it with }: \\d{8} is eight digits"),
        _ => return (kind.to_string(), "correct it there; \\ before a sign takes it as it is"),
    };
    (plain.0.to_owned(), plain.1)
}

/// What is read otherwise than its writer thought.
fn surprises(pattern: &str, ast: &Ast) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    if let Some(letter) = pattern.chars().find(|c| !c.is_ascii() && Normal::of(&c.to_string()).text != *c.to_string()) {
        let folded = Normal::of(&letter.to_string()).text.into_owned();
        let remedy = if folded.is_empty() { "leave it out".to_owned() } else { format!("write {folded}") };
        flaws.push(flaw(format!("`{letter}` is never in the text that is searched, whose accents and signs are made plain"), remedy));
    }
    if pattern.contains("##") {
        flaws.push(flaw("`#` is only that sign in a pattern", "write \\d for a digit: \\d{8} is eight of them"));
    }
    let mut anchors = Anchors { multi_line: false, lines: Vec::new() };
    // It never fails: it only looks.
    let _ = ast::visit(ast, &mut anchors);
    for sign in anchors.lines.into_iter().filter(|_| !anchors.multi_line) {
        let (what, text) = if sign == '^' { ("beginning", "\\A") } else { ("end", "\\z") };
        let remedy = format!("begin the pattern with (?m) to mean the {what} of a line, or write {text} for that of the text");
        flaws.push(flaw(format!("`{sign}` is the {what} of the whole text, not of a line"), remedy));
    }
    flaws
}

struct Anchors {
    multi_line: bool,
    lines: Vec<char>,
}

impl ast::Visitor for &mut Anchors {
    type Output = ();
    type Err = ();

    fn finish(self) -> Result<(), ()> {
        Ok(())
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), ()> {
        let flags = match ast {
            Ast::Flags(set) => Some(&set.flags),
            Ast::Group(group) => group.flags(),
            Ast::Assertion(assertion) => {
                match assertion.kind {
                    ast::AssertionKind::StartLine if !self.lines.contains(&'^') => self.lines.push('^'),
                    ast::AssertionKind::EndLine if !self.lines.contains(&'$') => self.lines.push('$'),
                    _ => {}
                }
                None
            }
            _ => None,
        };
        self.multi_line |= flags.is_some_and(|flags| flags.flag_state(ast::Flag::MultiLine) == Some(true));
        Ok(())
    }
}

/// What the pattern as a whole would do.
fn about(hir: &Hir, pattern: &str, flaws: &mut Vec<Flaw>) {
    let properties = hir.properties();
    if properties.minimum_len().is_none() {
        flaws.push(flaw("the pattern can't match anything", "correct it: something in it excludes itself"));
    } else if properties.minimum_len() == Some(0) {
        flaws.push(flaw("the pattern matches where nothing stands", "say what must be there: `\\d+` instead of `\\d*`"));
    } else if properties.minimum_len().is_some_and(|least| least > LONGEST) {
        flaws.push(flaw(
            format!("the pattern matches more than {LONGEST} characters only"),
            "look for less: what stands in it is found anyway",
        ));
    }
    if runs_on(hir) {
        let what = format!("a part of the pattern goes on over the end of the line: `{pattern}`");
        flaws.push(flaw(what, "exclude the end of the line as well, [^;\\n], and leave out (?s)"));
    }
}

/// Whether anything is repeated without bound that may be both a letter and the end of a line.
fn runs_on(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Repetition(repetition) => {
            let any = |hir: &Hir| match hir.kind() {
                HirKind::Class(Class::Unicode(class)) => {
                    let has = |c: char| class.iter().any(|range| range.start() <= c && c <= range.end());
                    has('\n') && (has('e') || has('1'))
                }
                _ => false,
            };
            repetition.max.is_none() && any(&repetition.sub) || runs_on(&repetition.sub)
        }
        HirKind::Capture(capture) => runs_on(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(runs_on),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaws(pattern: &str) -> Vec<String> {
        read(pattern, false, None).err().unwrap_or_default().into_iter().map(|f| f.what).collect()
    }

    #[test]
    fn what_would_surprise_is_told() {
        let check = |pattern: &str, expected: &[&str]| assert_eq!(flaws(pattern), expected, "{pattern}");
        check(r"CL-\d{6}", &[]);
        check(r"(?m)^CL-\d{6}$", &[]);
        check(r"\ACL", &[]);
        check("^CL$", &["`^` is the beginning of the whole text, not of a line", "`$` is the end of the whole text, not of a line"]);
        check(r"\d*", &["the pattern matches where nothing stands"]);
        check(r"a(?=b)", &["the pattern can't be read at `(?=b)`: look-around, including look-ahead and look-behind, is not supported"]);
        check(r"(a)\1", &["the pattern can't be read at `\\1`: backreferences are not supported"]);
        check("a(b", &["the pattern can't be read at `(b`: this ( has no end"]);
        check("*CL", &["the pattern can't be read at `*CL`: nothing stands here that could be repeated"]);
        check("CL-####", &["`#` is only that sign in a pattern"]);
        check("café", &["`é` is never in the text that is searched, whose accents and signs are made plain"]);
        check("x[^;]*y", &["a part of the pattern goes on over the end of the line: `x[^;]*y`"]);
        check(r"x[^;\n]*y\s+z", &[]);
        check(r"\w{1,900}\w{1,900}", &["the pattern is too large: it would take more than 2 MiB"]);
        check(r"x{2000}", &["the pattern matches more than 1024 characters only"]);
    }
}
