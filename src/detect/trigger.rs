//! Triggers: words by which a sender asks for sealing. A telephone number may stand behind one, and both are taken out of what zegel writes.

use super::{
    RuleSet,
    normalise::Normal,
    place::View,
    rule::Condition,
    scan::{Stretch, scan},
    types::Kinds,
};
use crate::{
    extract::{Places, Source, Text},
    phone::PhoneNumber,
};
use std::ops::Range;

/// The longest way of writing a telephone number.
const NUMBER: usize = 40;

/// The telephone number behind a trigger that ends at `end`: where it ends, and the number if it can be called.
///
/// A number that is not valid belongs to the trigger all the same: a slip of the pen must not turn protection off, nor be shown to anyone.
pub(super) fn number_behind(text: &[u8], end: usize) -> (usize, Option<PhoneNumber>) {
    let start = end + text[end..].iter().take(3).take_while(|b| matches!(b, b' ' | b':' | b'=' | b'(')).count();
    let length = text[start..]
        .iter()
        .take(NUMBER)
        .take_while(|b| b.is_ascii_digit() || matches!(b, b'+' | b' ' | b'(' | b')' | b'-' | b'.' | b'/'))
        .count();
    let mut run = &text[start..start + length];
    while let [rest @ .., last] = run
        && !last.is_ascii_digit()
    {
        run = rest;
    }
    let digits = run.iter().filter(|b| b.is_ascii_digit()).count();
    if digits < 6 {
        return (end, None);
    }
    let whole = start + run.len();
    // "#veilig 06 12345678 2 dossiers": what follows the number may look like more of it.
    loop {
        if let Ok(number) = std::str::from_utf8(run).map_err(|_| ()).and_then(|number| PhoneNumber::parse(number).map_err(|_| ())) {
            return (start + run.len(), Some(number));
        }
        match run.iter().rposition(|b| *b == b' ') {
            Some(at) => run = &run[..at],
            None => return (whole, None),
        }
    }
}

impl RuleSet {
    /// A subject without triggers and the telephone numbers behind them.
    #[must_use]
    pub fn strip_subject(&self, subject: &str) -> String {
        let ranges = self.triggers(subject, Source::Subject);
        if ranges.is_empty() {
            return subject.to_owned();
        }
        let stripped = without(subject, &ranges);
        // "#veilig: Uw dossier" leaves a colon behind.
        stripped.trim().trim_start_matches([':', ',']).split(' ').filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// A plain text without triggers and the telephone numbers behind them; a line that held nothing else goes too.
    #[must_use]
    pub fn strip_text(&self, text: &str) -> String {
        let ranges = self.triggers(text, Source::Body);
        let whole = ranges.into_iter().map(|range| {
            let line = text[..range.start].rfind('\n').map_or(0, |n| n + 1);
            let end = text[range.end..].find('\n').map_or(text.len(), |n| range.end + n + 1);
            let alone = text[line..range.start].trim().is_empty() && text[range.end..end].trim().is_empty();
            if alone { line..end } else { range }
        });
        without(text, &whole.collect::<Vec<_>>())
    }

    /// The same for HTML: its first line as it is shown is what counts, and only text is taken out, no tag.
    #[must_use]
    pub fn strip_html(&self, html: &str) -> String {
        let shown = Shown::first_line(html);
        let ranges: Vec<Range<usize>> =
            self.triggers(&shown.text, Source::Body).into_iter().flat_map(|range| shown.origins[range].iter().cloned()).collect();
        without(html, &ranges)
    }

    /// Where triggers that are to be taken out stand in a text, their numbers included.
    fn triggers(&self, text: &str, source: Source) -> Vec<Range<usize>> {
        let normal = Normal::of(text);
        let bytes = normal.text.as_bytes();
        let scanned = scan(&normal, &self.lexicon, self.rules.all.len(), Kinds::default());
        let text = Text { part: String::new(), source, text: text.to_owned(), places: Places::None, spans: Vec::new() };
        let view = View::of(&text, bytes, true);
        let mut ranges: Vec<Stretch> = Vec::new();
        for (rule, finds) in self.rules.all.iter().zip(&scanned.finds) {
            if !rule.info.strip || !matches!(rule.condition, Condition::Terms(_)) {
                continue;
            }
            for (start, end) in finds {
                let end = if rule.info.phone { number_behind(bytes, *end).0 } else { *end };
                if rule.places.holds(&text, &view, (*start, end)) {
                    ranges.push((*start, end));
                }
            }
        }
        ranges.sort_unstable();
        ranges.into_iter().map(|(start, end)| normal.original_range(start, end)).collect()
    }
}

/// `text` without `ranges`, which are in order, and without the space behind each.
fn without(text: &str, ranges: &[Range<usize>]) -> String {
    let mut rest = String::with_capacity(text.len());
    let mut at = 0;
    for range in ranges {
        rest.push_str(&text[at..range.start.max(at)]);
        at = range.end.max(at);
        if rest.is_empty() || rest.ends_with([' ', '\n']) {
            at += text[at..].len() - text[at..].trim_start_matches(' ').len();
        }
    }
    rest.push_str(&text[at..]);
    rest
}

/// The first line of HTML that has something to read, and where each of its bytes comes from.
struct Shown {
    text: String,
    origins: Vec<Range<usize>>,
}

/// Elements whose content is not shown.
const UNSEEN: [&str; 5] = ["head", "style", "script", "title", "template"];

/// Elements within a line; every other one ends it.
const INLINE: [&str; 16] =
    ["a", "abbr", "b", "big", "code", "em", "font", "i", "mark", "small", "span", "strong", "sub", "sup", "u", "wbr"];

impl Shown {
    fn first_line(html: &str) -> Shown {
        let mut shown = Shown { text: String::new(), origins: Vec::new() };
        let mut at = 0;
        while let Some(rest) = html.get(at..).filter(|r| !r.is_empty()) {
            let length = if let Some(comment) = rest.strip_prefix("<!--") {
                comment.find("-->").map_or(rest.len(), |n| n + 7)
            } else if rest.starts_with('<') {
                let length = rest.find('>').map_or(rest.len(), |n| n + 1);
                let name: String = rest[1..length].trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
                let name = name.to_ascii_lowercase();
                if !name.is_empty() && !INLINE.contains(&name.as_str()) && !shown.text.trim().is_empty() {
                    break;
                }
                if UNSEEN.contains(&name.as_str()) && !rest.starts_with("</") { length + end_of(&rest[length..], &name) } else { length }
            } else {
                let (c, length) = character(rest);
                // In HTML the end of a line is a space.
                let c = if c.is_ascii_whitespace() { ' ' } else { c };
                shown.text.push(c);
                shown.origins.extend(std::iter::repeat_n(at..at + length, c.len_utf8()));
                length
            };
            at += length;
        }
        shown
    }
}

/// How far it is to the end tag of `name`.
fn end_of(html: &str, name: &str) -> usize {
    let mut at = 0;
    while let Some(n) = html[at..].find("</") {
        at += n;
        if html[at + 2..].get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name)) {
            return at;
        }
        at += 2;
    }
    html.len()
}

/// The first character of `html`, which is no tag, and how many bytes it is written in.
fn character(html: &str) -> (char, usize) {
    let reference = html.strip_prefix('&').and_then(|rest| rest.get(..rest.find(';').filter(|n| *n <= 8)?));
    let decoded = reference.and_then(|reference| match reference {
        "nbsp" => Some('\u{a0}'),
        "num" => Some('#'),
        "lbrack" | "lsqb" => Some('['),
        "rbrack" | "rsqb" => Some(']'),
        "plus" => Some('+'),
        _ => {
            let digits = reference.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)
        }
    });
    match (decoded, reference) {
        (Some(c), Some(reference)) => (c, reference.len() + 2),
        _ => html.chars().next().map_or((' ', 1), |c| (c, c.len_utf8())),
    }
}
