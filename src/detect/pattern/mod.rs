//! `pattern = '...'`, for experts: regular expressions over the normal text.
//!
//! The engine takes linear time for one search; many searches in one text could still add up, so each sees a bounded piece of it. Where a pattern
//! has a literal that must occur, the text is looked through for the literals of all patterns at once, and most patterns are never run; those
//! without one share a pass that says whether any of them matches at all.

mod literal;
mod reader;

pub(super) use reader::{Flaw, read};

use super::{
    check::Check,
    context::By,
    finding::{Confidence, mask_number, mask_word},
    rule::{Condition, Rule},
    scan::Stretch,
    search::{Raw, Search},
};
use aho_corasick::AhoCorasick;
use regex::Regex;

/// A pattern, ready for use.
pub(super) struct Pattern {
    regex: Regex,
    /// The same without outer flags, to be joined with others.
    plain: String,
    check: Option<Check>,
    /// In lower case; one of them stands in every match. Empty: there is none.
    literals: Vec<String>,
}

/// The longest match, in bytes of the normal text; more is cut into several.
const LONGEST: usize = 1024;
/// How far one search goes on. With [`LONGEST`] it bounds what a match can cost.
const PIECE: usize = 2048;

impl Pattern {
    /// Whether a text must be searched from its beginning to its end.
    pub(super) fn is_slow(&self) -> bool {
        self.literals.is_empty()
    }

    /// Where it matches from `from` on; with a group in it, the first one is what is found.
    fn matches(&self, text: &str, from: usize, mut found: impl FnMut(Stretch)) {
        let group = self.regex.captures_len() > 1;
        let mut at = text.floor_char_boundary(from);
        while at < text.len() {
            let end = text.ceil_char_boundary(at + PIECE + LONGEST);
            let seen = &text[..end];
            let begins_here = |start: usize| start < at + PIECE || end == text.len();
            let matched = self.regex.find_at(seen, at).filter(|m| begins_here(m.start()));
            let Some(matched) = matched else {
                at = text.ceil_char_boundary(at + PIECE);
                continue;
            };
            let mut stretch = (matched.start(), matched.end());
            if group && let Some(captures) = self.regex.captures_at(seen, matched.start()) {
                stretch = captures.iter().skip(1).flatten().next().map_or(stretch, |g| (g.start(), g.end()));
            }
            at = matched.end().max(text.ceil_char_boundary(matched.start() + 1));
            let (start, end) = stretch;
            if start < end && self.check.is_none_or(|check| check.passes(&text[start..end])) {
                found(stretch);
            }
        }
    }
}

/// What keeps most patterns from being run over most texts.
#[derive(Default)]
pub(super) struct Gate {
    /// The literals of all patterns.
    literals: Option<AhoCorasick>,
    /// By literal the number of its rule.
    owners: Vec<usize>,
    /// How many patterns have one.
    fast: usize,
    /// Any of the patterns without a literal.
    slow: Option<Regex>,
    slow_rules: Vec<usize>,
    rules: usize,
}

/// A pattern is not in the text.
const NOWHERE: usize = usize::MAX;

impl Gate {
    pub(super) fn of(rules: &[Rule]) -> Gate {
        let patterns = rules.iter().enumerate().filter_map(|(n, rule)| match &rule.condition {
            Condition::Pattern(pattern) => Some((n, pattern)),
            _ => None,
        });
        let mut gate = Gate { rules: rules.len(), ..Gate::default() };
        let (mut literals, mut slow): (Vec<&str>, Vec<String>) = (Vec::new(), Vec::new());
        for (rule, pattern) in patterns {
            for literal in &pattern.literals {
                literals.push(literal);
                gate.owners.push(rule);
            }
            gate.fast += usize::from(!pattern.is_slow());
            if pattern.is_slow() {
                slow.push(format!("(?:{})", pattern.plain));
                gate.slow_rules.push(rule);
            }
        }
        if !literals.is_empty() {
            gate.literals = AhoCorasick::builder().ascii_case_insensitive(true).build(literals).ok();
        }
        // One of them alone is its own gate. Too large together: each is run by itself.
        if slow.len() > 1 {
            gate.slow = Regex::new(&slow.join("|")).ok();
        }
        gate
    }

    /// By number of rule, from where on its pattern may match.
    fn begins(&self, text: &str) -> Vec<usize> {
        let mut begins = vec![NOWHERE; self.rules];
        match &self.literals {
            Some(literals) => {
                let mut missing = self.fast;
                for literal in literals.find_overlapping_iter(text) {
                    let begin = &mut begins[self.owners[literal.pattern().as_usize()]];
                    if *begin == NOWHERE {
                        *begin = literal.start().saturating_sub(LONGEST);
                        missing -= 1;
                    }
                    if missing == 0 {
                        break;
                    }
                }
            }
            None => self.owners.iter().for_each(|rule| begins[*rule] = 0),
        }
        let slow = match &self.slow {
            Some(slow) => slow.find(text).map_or(NOWHERE, |m| m.start()),
            None => 0,
        };
        self.slow_rules.iter().for_each(|rule| begins[*rule] = slow);
        begins
    }
}

impl Search<'_> {
    /// What a pattern finds: sure, unless the rule has labels that must speak for it.
    pub(super) fn pattern(&mut self, index: usize, rule: &Rule, pattern: &Pattern) {
        let text = &*self.normal.text;
        let gate = &self.rules.patterns;
        let from = self.begins.get_or_insert_with(|| gate.begins(text))[index];
        if from == NOWHERE {
            return;
        }
        let mut stretches = Vec::new();
        pattern.matches(text, from, |stretch| stretches.push(stretch));
        let scanned = std::mem::take(&mut self.scanned);
        let context = self.context(index, rule, &scanned);
        for stretch in stretches {
            let written = &text[stretch.0..stretch.1];
            let verdict = context.around(stretch);
            let person = if verdict.is_none() { context.person_beside(stretch) } else { None };
            let confidence = match &verdict {
                Some(verdict) if !verdict.wanted => continue,
                Some(_) => Confidence::High,
                None if rule.context.is_none() => Confidence::High,
                None if person.is_some() => Confidence::Medium,
                None => Confidence::Low,
            };
            if rule.ignores(written) {
                continue;
            }
            let Some(more) = self.counted(index, rule, stretch, confidence) else { continue };
            let label = verdict.filter(|v| !matches!(v.by, By::Key(_))).map(|v| context.told(&v, stretch));
            let check = pattern.check.map(|c| format!("passes {}", c.word()));
            let why = label.or(person).into_iter().chain(["pattern".to_owned()]).chain(check).chain(more).collect();
            let masked = if written.bytes().filter(u8::is_ascii_digit).count() > 4 { mask_number(written) } else { mask_word(written) };
            self.raws.push(Raw { rule: index, kind: "pattern", stretch, confidence, masked, why, phone: None });
        }
        self.scanned = scanned;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &Pattern, text: &str) -> Vec<Stretch> {
        let mut found = Vec::new();
        pattern.matches(text, 0, |stretch| found.push(stretch));
        found
    }

    #[test]
    fn pieces_of_a_long_text_lose_no_match_and_make_none() {
        let pattern = read(r"\b[A-Z]{2}\d{3,}\b", false, None).map_err(drop).expect("it is faultless");
        for before in (0..10_000).step_by(7) {
            let text = format!("{}AB1234 é CD12E", "é ".repeat(before / 2));
            let start = before / 2 * 3;
            assert_eq!(matches(&pattern, &text), [(start, start + 6)], "{before}");
        }
    }

    #[test]
    fn a_pattern_that_could_look_far_ahead_for_each_match_does_not() {
        // Each `a` is a match only after a look for a `z` in the rest of the line: the square of its length, were it not for pieces.
        let pattern = read("a.*z|a", false, None).map_err(drop).expect("it is faultless");
        assert_eq!(matches(&pattern, &"a".repeat(20_000)).len(), 20_000);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

        #[test]
        fn pieces_change_nothing(words in proptest::collection::vec("(AB12|ab|é| |\n|x){1,30}", 0..400)) {
            let text = words.join(" ");
            let pattern = read(r"\bAB1(2)\b|x\s?x", false, None).map_err(drop).expect("it is faultless");
            let whole: Vec<Stretch> = Regex::new(r"\bAB12\b|x\s?x").expect("it is faultless").find_iter(&text).map(|m| (m.start(), m.end())).collect();
            let pieces = matches(&pattern, &text);
            // A group is found instead of the whole where it takes part.
            let groups: Vec<Stretch> = whole.into_iter().map(|(start, end)| if text[start..].starts_with("AB") { (end - 1, end) } else { (start, end) }).collect();
            proptest::prop_assert_eq!(pieces, groups);
        }
    }
}
