//! Keys of XML, JSON and forms: `<inp.bsn soort="n">111222333`, `"clientBsn": "111222333"`, `?rsin=111222333`.

use super::{
    context::{By, Verdict},
    lexicon::{Lexicon, Use},
    scan::Label,
};

/// What a word says about a number, for or against: `None` when it says nothing.
pub(super) type Says<'a> = &'a dyn Fn(Use) -> Option<bool>;

/// How far back a tag may begin, its attributes included.
const TAG: usize = 300;
/// How long a key may be.
const KEY: usize = 64;

/// What the key says whose value begins at `start`, where `says` tells what a word in it says; `None` when there is none, or it says nothing.
pub(super) fn verdict(text: &[u8], start: usize, labels: &[Label], lexicon: &Lexicon, says: Says<'_>) -> Option<Verdict> {
    let (from, to) = key(text, start)?;
    let split = labels.partition_point(|l| l.end <= from);
    let mut within = labels[split..].iter().take_while(|l| l.start < to);
    Some(match within.clone().find(|l| l.wanted).or_else(|| within.next()) {
        Some(label) => Verdict { wanted: label.wanted, by: By::Key((label.start, label.end)) },
        None => Verdict { wanted: composed(std::str::from_utf8(&text[from..to]).ok()?, lexicon, says)?, by: By::Key((from, to)) },
    })
}

/// The key whose value begins at `start`.
fn key(text: &[u8], start: usize) -> Option<(usize, usize)> {
    let back = |from: usize, most: usize, is: fn(&u8) -> bool| from - text[..from].iter().rev().take(most).take_while(|b| is(b)).count();
    let opening = back(start, 4, |b| matches!(b, b' ' | b'"' | b'\'' | b'[' | b'\n'));
    let sign = *text.get(opening.checked_sub(1)?)?;
    if sign == b'>' {
        let tag = text[..opening].iter().rev().take(TAG).position(|b| *b == b'<')?;
        let from = opening - tag;
        let name = text[from..opening].iter().take_while(|b| is_name(b)).count();
        return (name > 0).then_some((from, from + name));
    }
    let end = back(opening.saturating_sub(1), 3, |b| matches!(b, b' ' | b'"' | b'\''));
    // `klant:` without quotes is prose, which the nearest label decides.
    let quoted = text[end..opening].iter().any(|b| matches!(b, b'"' | b'\''));
    if sign != b'=' && !(sign == b':' && quoted) {
        return None;
    }
    let from = back(end, KEY, is_name);
    (from < end).then_some((from, end))
}

fn is_name(b: &u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b':') || *b >= 0x80
}

/// Endings of a key that say nothing about what its value is: `geborenop`, `peselnumber`.
const ENDINGS: [&str; 12] = ["nummer", "nummers", "number", "numero", "nr", "no", "code", "id", "datum", "date", "op", "am"];
/// A label of fewer letters could be the end of some other word.
const SHORTEST_END: usize = 5;
/// Unless it has no vowel: `klantbsn`.
const SHORTEST_ABBREVIATION: usize = 3;

/// What a key says in which no label stands as a word of its own: its words taken one by one (`clientBsn`), without an ending, or its own end
/// (`partnergeboortedatum`). An end speaks only for a number: `border` is no order.
fn composed(key: &str, lexicon: &Lexicon, says: Says<'_>) -> Option<bool> {
    let said = |words: &str| {
        let mut said = None;
        lexicon.all(words, |hit| {
            if let Some(wanted) = says(hit.what) {
                said = Some(said.unwrap_or(false) || wanted);
            }
        });
        said
    };
    let joined: String = key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let bare = || ENDINGS.iter().filter_map(|ending| joined.strip_suffix(ending)).find_map(said);
    let is_label = |end: &str| {
        let abbreviation = !end.contains(['a', 'e', 'i', 'o', 'u', 'y']);
        end.len() >= if abbreviation { SHORTEST_ABBREVIATION } else { SHORTEST_END }
    };
    let ends = || joined.char_indices().skip(1).map(|(at, _)| &joined[at..]).filter(|end| is_label(end));
    let end = || ends().any(|end| said(end) == Some(true)).then_some(true);
    humps(key).and_then(|words| said(&words)).or_else(|| said(&joined)).or_else(bare).or_else(end)
}

/// The words of `clientBsn`, apart.
fn humps(key: &str) -> Option<String> {
    if !key.as_bytes().windows(2).any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()) {
        return None;
    }
    let mut words = String::with_capacity(key.len() + 4);
    for c in key.chars() {
        if c.is_ascii_uppercase() {
            words.push(' ');
        }
        words.push(c);
    }
    Some(words)
}
