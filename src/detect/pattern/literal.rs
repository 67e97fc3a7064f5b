//! Literals that must stand in every match of a pattern.

use regex_syntax::hir::{Class, Hir, HirKind};

/// A shorter literal stands everywhere.
const SHORTEST: usize = 3;
/// More alternatives than this are no filter.
const MOST: usize = 64;

/// In lower case, of which one stands in every match; the rarest there is, taken for the longest. Empty: there is none.
pub(super) fn required(hir: &Hir) -> Vec<String> {
    let found = any_of(hir).unwrap_or_default();
    if found.iter().all(|literal| literal.len() >= SHORTEST) { found } else { Vec::new() }
}

fn any_of(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(literal) => lower(&literal.0).map(|l| vec![l]),
        HirKind::Capture(capture) => any_of(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => any_of(&repetition.sub),
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(any_of(part)?);
            }
            (all.len() <= MOST).then_some(all)
        }
        HirKind::Concat(parts) => {
            let mut best: Vec<Vec<String>> = Vec::new();
            let mut run = String::new();
            for part in parts {
                match piece(part) {
                    Some(piece) => run.push_str(&piece),
                    None => {
                        best.push(vec![std::mem::take(&mut run)]);
                        best.extend(any_of(part));
                    }
                }
            }
            best.push(vec![run]);
            let shortest = |literals: &Vec<String>| literals.iter().map(String::len).min().unwrap_or(0);
            best.into_iter().max_by_key(shortest).filter(|literals| shortest(literals) > 0)
        }
        _ => piece(hir).map(|l| vec![l]),
    }
}

/// What can only be this text, capitals aside.
fn piece(hir: &Hir) -> Option<String> {
    match hir.kind() {
        HirKind::Literal(literal) => lower(&literal.0),
        // `(?i)a` is the class of both. The Kelvin sign and the long s are letters of their classes too, and never in a normal text.
        HirKind::Class(Class::Unicode(class)) => {
            let mut ascii =
                class.iter().flat_map(|range| range.start()..=range.end()).take(4).filter(char::is_ascii).map(|c| c.to_ascii_lowercase());
            let first = ascii.next().filter(char::is_ascii_alphabetic)?;
            (class.iter().map(|range| range.len()).sum::<usize>() <= 3 && ascii.all(|c| c == first)).then(|| first.to_string())
        }
        _ => None,
    }
}

fn lower(literal: &[u8]) -> Option<String> {
    std::str::from_utf8(literal).ok().map(str::to_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_stand_in_every_match_is_found() {
        let check = |pattern: &str, expected: &[&str]| {
            assert_eq!(required(&regex_syntax::parse(pattern).unwrap()), expected, "{pattern}");
        };
        check(r"CL-\d{6}", &["cl-"]);
        check(r"(?i)klantnr\.? ?\d+", &["klantnr"]);
        check(r"\d{4}(dossier|zaak)\d", &["dossier", "zaak"]);
        check(r"(?:abc)?\d+", &[]);
        check(r"(?:abc)+\d", &["abc"]);
        check(r"\bA\d{8}\b", &[]);
        check(r"(ab|\d)c", &[]);
        check(r"x?(?i)risk(?-i)Y", &["risky"]);
    }
}
