//! One spelling for what looks alike, with a map back to the text as it came.
//!
//! Soft hyphens and zero-width characters vanish; every space, dash, quote and digit becomes its ASCII twin; compatibility forms (full-width,
//! ligatures) and accents are folded. ASCII keeps its case. What is left beyond ASCII is letters only, in lower case, so that the scan can
//! take every byte from 0x80 up as part of a word.

use std::{borrow::Cow, ops::Range};
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// A text in its one spelling. Pure ASCII is borrowed as it is.
pub(super) struct Normal<'a> {
    /// The text that is scanned.
    pub(super) text: Cow<'a, str>,
    /// The text as it came.
    pub(super) original: &'a str,
    /// Every [`STRETCH`] octets or so of the original, where both stand; none where they are the same. What lies between is spelt again when it
    /// is asked for: to keep where each character stands takes eight times a text of accents.
    marks: Vec<Mark>,
}

/// From here on octets of the normal text come from there on in the original.
#[derive(Clone, Copy)]
struct Mark {
    normal: u32,
    original: u32,
}

/// Octets between marks: few enough to be spelt again in less than a microsecond.
const STRETCH: usize = 256;

/// Offsets are kept in 32 bits; extraction's limits stay far below this.
const LARGEST: usize = u32::MAX as usize / 16;

impl<'a> Normal<'a> {
    pub(super) fn of(original: &'a str) -> Normal<'a> {
        if original.is_ascii() {
            return Normal { text: Cow::Borrowed(original), original, marks: Vec::new() };
        }
        let original = &original[..original.floor_char_boundary(LARGEST)];
        let mut text = String::with_capacity(original.len());
        let mut marks: Vec<Mark> = Vec::with_capacity(original.len() / STRETCH + 1);
        let mut at = 0;
        while at < original.len() {
            if marks.last().is_none_or(|last| at - last.original as usize >= STRETCH) {
                // Both are at most 16 times LARGEST: no character decomposes into more than 11 times its bytes.
                marks.push(Mark { normal: text.len() as u32, original: at as u32 });
            }
            let stretch = &original.as_bytes()[at..original.len().min(at + STRETCH)];
            let plain = stretch.iter().position(|b| !b.is_ascii()).unwrap_or(stretch.len());
            text.push_str(&original[at..at + plain]);
            at += plain;
            if plain < stretch.len()
                && let Some(c) = original[at..].chars().next()
            {
                fold(c, &mut text);
                at += c.len_utf8();
            }
        }
        Normal { text: Cow::Owned(text), original, marks }
    }

    /// Where the stretch `start..end` of the normal text stands in the original, in bytes.
    pub(super) fn original_range(&self, start: usize, end: usize) -> Range<usize> {
        let from = self.source(start).start;
        if end <= start {
            return from..from;
        }
        let to = self.source(end - 1).end;
        // An accent written as a character of its own belongs to the letter before it.
        let accents = self.original[to..].chars().take_while(|c| is_combining_mark(*c)).map(char::len_utf8).sum::<usize>();
        from..to + if self.marks.is_empty() { 0 } else { accents }
    }

    /// The character of the original from which the byte at `normal` comes; its end for what lies behind.
    fn source(&self, normal: usize) -> Range<usize> {
        let Some(mark) = self.marks.partition_point(|mark| mark.normal as usize <= normal).checked_sub(1).map(|at| self.marks[at]) else {
            return normal..normal + 1;
        };
        let (mut from, mut spelt) = (mark.original as usize, mark.normal as usize);
        let mut spelling = String::new();
        for c in self.original[from..].chars() {
            spelling.clear();
            spelt += if c.is_ascii() {
                1
            } else {
                fold(c, &mut spelling);
                spelling.len()
            };
            if normal < spelt {
                return from..from + c.len_utf8();
            }
            from += c.len_utf8();
        }
        from..from
    }
}

/// Appends what `c`, which is not ASCII, is read as.
fn fold(c: char, text: &mut String) {
    if let Some(d) = digit(c) {
        return text.push(d);
    }
    match c {
        // Soft hyphen, zero-width, joiners, direction marks, variation selectors: not seen, so not there.
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{e0000}'..='\u{e0fff}' => {}
        '\u{85}' | '\u{2028}' | '\u{2029}' => text.push('\n'),
        '\u{2010}'..='\u{2015}' | '\u{2043}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' | '\u{5be}' => text.push('-'),
        '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{b4}' | '\u{2bc}' | '\u{ff07}' => text.push('\''),
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{ab}' | '\u{bb}' | '\u{2039}' | '\u{203a}' | '\u{ff02}' => text.push('"'),
        '\u{b7}' | '\u{2022}' | '\u{2024}' | '\u{2027}' | '\u{2219}' | '\u{22c5}' | '\u{3002}' => text.push('.'),
        '\u{2044}' | '\u{2215}' => text.push('/'),
        // A raised digit is a note's mark, not a digit of the number before it.
        '\u{b2}' | '\u{b3}' | '\u{b9}' | '\u{2070}'..='\u{2094}' => text.push('*'),
        '\u{a2}'..='\u{a5}' | '\u{20a0}'..='\u{20cf}' => text.push('$'),
        'ø' => text.push('o'),
        'Ø' => text.push('O'),
        'ł' => text.push('l'),
        'Ł' => text.push('L'),
        'ß' => text.push_str("ss"),
        'æ' => text.push_str("ae"),
        'œ' => text.push_str("oe"),
        'ı' => text.push('i'),
        _ if c.is_whitespace() => text.push(' '),
        _ => decompose_compatible(c, |c| match c {
            _ if c.is_ascii() => text.push(c),
            _ if is_combining_mark(c) => {}
            _ if c.is_whitespace() => text.push(' '),
            _ if c.is_alphanumeric() => text.extend(c.to_lowercase().filter(|c| !is_combining_mark(*c))),
            _ => text.push('*'),
        }),
    }
}

/// The decimal digits of other scripts: the first of each ten (Unicode, general category Nd).
const ZEROS: [u32; 41] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0,
    0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
    0x104a0, 0x11066, 0x1e950, 0x1fbf0, 0x1d7ce,
];

fn digit(c: char) -> Option<char> {
    let c = c as u32;
    // Five styles of mathematical digits stand in one row.
    if (0x1d7ce..0x1d800).contains(&c) {
        return char::from_digit((c - 0x1d7ce) % 10, 10);
    }
    if c < 0x660 {
        return None;
    }
    ZEROS.iter().find(|zero| (**zero..**zero + 10).contains(&c)).and_then(|zero| char::from_digit(c - zero, 10))
}

/// The normal form of a word or phrase in a rule: like a text's, outer space trimmed and inner space single.
pub(super) fn phrase(text: &str) -> String {
    Normal::of(text).text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(original: &str, expected: &str) {
        assert_eq!(Normal::of(original).text, expected, "{original:?}");
    }

    #[test]
    fn what_looks_alike_reads_alike() {
        check("111222333", "111222333");
        check("111\u{a0}222\u{202f}333", "111 222 333");
        check("111\u{ad}222\u{200b}333", "111222333");
        check("111\u{2011}222\u{2013}333", "111-222-333");
        check("１１１٢٢٢۳۳۳𝟏", "1112223331");
        check("Cliënt cafe\u{301} ﬁets ĳs", "Client cafe fiets ijs");
        check("“x” ‘y’ •bsn €5 m²", "\"x\" 'y' .bsn $5 m*");
        check("Ж日本", "ж日本");
    }

    #[test]
    fn ascii_is_not_copied() {
        assert!(matches!(Normal::of("BSN 111222333\r\n").text, Cow::Borrowed(_)));
    }

    #[test]
    fn every_stretch_maps_back_to_whole_characters() {
        let original = "é\u{ad}１２\u{200b}3 ﬁ–日x\u{301}\u{feff}";
        let normal = Normal::of(original);
        assert_eq!(normal.text, "e123 fi-日x");
        let back = |start, end| &original[normal.original_range(start, end)];
        assert_eq!(back(0, 1), "é");
        assert_eq!(back(1, 4), "１２\u{200b}3");
        assert_eq!(back(5, 6), "ﬁ");
        assert_eq!(back(5, 7), "ﬁ");
        assert_eq!(back(7, 8), "–");
        assert_eq!(back(8, 11), "日");
        assert_eq!(back(11, 12), "x\u{301}");
    }

    #[test]
    fn long_texts_map_back_as_short_ones_do() {
        let original = "één \u{200b}１２\u{ad} ".repeat(1000) + &"\u{feff}".repeat(10_000) + "BSN";
        let normal = Normal::of(&original);
        for (at, _) in normal.text.match_indices("12") {
            assert_eq!(&original[normal.original_range(at, at + 2)], "１２");
        }
        let end = normal.text.len();
        assert_eq!(&original[normal.original_range(end - 3, end)], "BSN");
        assert_eq!(normal.original_range(end, end), original.len()..original.len());
        assert!(normal.marks.len() < original.len() / 200, "a mark takes little of what its stretch does");
    }

    proptest::proptest! {
        #[test]
        fn the_map_goes_forward_and_never_leaves_the_text(original in "\\PC{0,40}") {
            let normal = Normal::of(&original);
            let mut last = 0;
            for (at, c) in normal.text.char_indices() {
                let range = normal.original_range(at, at + c.len_utf8());
                assert!(range.start >= last && range.start < range.end && range.end <= original.len());
                assert!(original.is_char_boundary(range.start) && original.is_char_boundary(range.end), "{original:?} {at}");
                last = range.start;
            }
        }
    }
}
