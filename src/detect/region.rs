//! Parts of a mail's text that a rule may leave out: `[ignore] in = ["disclaimer", "url", "signature", "quoted"]`.
//!
//! What can't be recognised as one of them is text like any other: to leave out too little costs a false alarm, to leave out too much a data breach.

use super::scan::Stretch;
use aho_corasick::AhoCorasick;
use std::sync::LazyLock;

/// A set of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Regions(u8);

/// Every word; the bit of each is its index.
pub(super) const WORDS: [&str; 4] = ["disclaimer", "url", "signature", "quoted"];

const DISCLAIMER: u8 = 1;
const URL: u8 = 1 << 1;
const SIGNATURE: u8 = 1 << 2;
const QUOTED: u8 = 1 << 3;

impl Regions {
    /// Adds the one of `word`; `None` for a word that is none.
    pub(super) fn with(self, word: &str) -> Option<Regions> {
        WORDS.iter().position(|w| *w == word).map(|bit| Regions(self.0 | 1 << bit))
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// Where they lie in one text.
#[derive(Debug, Default)]
pub(super) struct Areas {
    /// Each in the order of the text.
    disclaimers: Vec<Stretch>,
    signatures: Vec<Stretch>,
    quoted: Vec<Stretch>,
}

/// Lines of a signature: more is text.
const SIGNATURE_LINES: usize = 12;
/// A line of a signature is short; a sentence is not.
const SIGNATURE_LINE: usize = 80;
const SIGNATURE_WORDS: usize = 10;

/// Lines that end a letter.
const CLOSINGS: [&str; 14] = [
    "met vriendelijke groet",
    "met vriendelijke groeten",
    "vriendelijke groet",
    "vriendelijke groeten",
    "met hartelijke groet",
    "met groet",
    "groet",
    "groeten",
    "mvg",
    "hoogachtend",
    "kind regards",
    "best regards",
    "regards",
    "sincerely",
];

/// What disclaimers say; three of these in one paragraph make one.
const PHRASES: [&str; 32] = [
    "uitsluitend bestemd",
    "uitsluitend gericht",
    "alleen bestemd",
    "alleen voor u bestemd",
    "niet voor u bestemd",
    "niet de beoogde ontvanger",
    "geadresseerde",
    "vertrouwelijk",
    "rechten worden ontleend",
    "rechten ontleend",
    "ten onrechte",
    "abusievelijk",
    "onrechtmatig",
    "openbaarmaking",
    "vermenigvuldiging",
    "verspreiding",
    "niet toegestaan",
    "aansprakelijk",
    "virussen",
    "de afzender te",
    "disclaimer",
    "intended solely",
    "solely for",
    "intended recipient",
    "addressee",
    "confidential",
    "privileged",
    "notify the sender",
    "received this",
    "disclosure",
    "distribution",
    "liab",
];
const ENOUGH: usize = 3;
/// A longer paragraph is no disclaimer.
const PARAGRAPH: usize = 3000;

static DISCLAIMERS: LazyLock<AhoCorasick> =
    LazyLock::new(|| AhoCorasick::builder().ascii_case_insensitive(true).build(PHRASES).expect("a few phrases fit"));

impl Areas {
    /// Looks through a normal text.
    pub(super) fn of(text: &str) -> Areas {
        let mut areas = Areas::default();
        let rest = areas.quotes(text);
        areas.signatures(&text[..rest]);
        areas.disclaimers(text);
        areas
    }

    /// Whether what stands at `stretch` lies in one of `regions`.
    pub(super) fn hold(&self, regions: Regions, (start, end): Stretch) -> bool {
        let kinds = [(DISCLAIMER, &self.disclaimers), (SIGNATURE, &self.signatures), (QUOTED, &self.quoted)];
        kinds.into_iter().filter(|(bit, _)| regions.0 & bit != 0).any(|(_, areas)| {
            let before = areas.partition_point(|area| area.0 <= start);
            before > 0 && end <= areas[before - 1].1
        })
    }

    /// Lines that begin with `>`, and everything from the line on that introduces the mail that is answered. Gives where that begins.
    fn quotes(&mut self, text: &str) -> usize {
        let mut lines = Lines::of(text).peekable();
        let mut last = "";
        while let Some((start, line)) = lines.next() {
            if line.trim_start().starts_with('>') {
                self.quoted.push((start, start + line.len()));
            } else if begins_quote(last, line, lines.peek().map_or("", |(_, next)| next)) {
                self.quoted.push((start, text.len()));
                return start;
            }
            last = line;
        }
        text.len()
    }

    /// Behind `-- ` (RFC 3676, 4.3), or behind a closing: short lines only.
    fn signatures(&mut self, text: &str) {
        let mut lines = Lines::of(text);
        while let Some((start, line)) = lines.next() {
            if line.trim_end() == "--" && line.starts_with("--") {
                self.signatures.push((start, text.len()));
                return;
            }
            let closing = line.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
            if !CLOSINGS.contains(&closing.as_str()) {
                continue;
            }
            let mut end = start + line.len();
            let short = |line: &str| line.len() <= SIGNATURE_LINE && line.split_whitespace().count() <= SIGNATURE_WORDS;
            let more = lines.clone().take_while(|(_, line)| short(line) && !line.trim_start().to_lowercase().starts_with("p.s"));
            for (start, line) in more.filter(|(_, line)| !line.trim().is_empty()).take(SIGNATURE_LINES) {
                end = start + line.len();
            }
            self.signatures.push((start, end));
        }
    }

    /// Paragraphs that say what disclaimers say.
    fn disclaimers(&mut self, text: &str) {
        let mut paragraph = (0, 0);
        let mut said: Vec<usize> = Vec::new();
        for phrase in DISCLAIMERS.find_iter(text) {
            if phrase.start() >= paragraph.1 {
                paragraph = around(text, phrase.start());
                said.clear();
            }
            if !said.contains(&phrase.pattern().as_usize()) {
                said.push(phrase.pattern().as_usize());
                if said.len() == ENOUGH && paragraph.1 - paragraph.0 <= PARAGRAPH {
                    self.disclaimers.push(paragraph);
                }
            }
        }
    }
}

/// The paragraph around `at`: up to a blank line on either side, or further than any disclaimer goes.
fn around(text: &str, at: usize) -> Stretch {
    let from = text.floor_char_boundary(at.saturating_sub(PARAGRAPH + 1));
    let before = &text[from..at];
    let begins = before.rfind("\n\n").map_or(0, |n| n + 2).max(before.rfind("\r\n\r\n").map_or(0, |n| n + 4));
    let behind = &text[at..text.floor_char_boundary(at + PARAGRAPH + 1)];
    let ends = Lines::of(behind).find(|(_, line)| line.trim().is_empty()).map_or(behind.len(), |(start, _)| start);
    (from + begins, at + ends.max(1))
}

/// Whether the mail that is answered begins with `line`: `Op ... schreef Jan:`, `-----Oorspronkelijk bericht-----`, or `Van:` above `Verzonden:`.
fn begins_quote(last: &str, line: &str, next: &str) -> bool {
    // Longer lines are none of these.
    if line.len() > 300 {
        return false;
    }
    let lower = |line: &str| line.trim().to_lowercase();
    let here = lower(line);
    if here.starts_with("---") && ["original message", "oorspronkelijk bericht", "oorspronkelijke bericht"].iter().any(|w| here.contains(w))
    {
        return true;
    }
    if here.ends_with(':') && ["schreef", "wrote"].iter().any(|w| here.contains(w)) {
        let begins = |line: &str| line.starts_with("op ") || line.starts_with("on ");
        return begins(&here) || last.len() <= 300 && begins(&lower(last));
    }
    let heads = |line: &str, heads: &[&str]| heads.iter().any(|head| line.trim_start_matches('*').starts_with(head));
    heads(&here, &["van:", "from:"]) && next.len() <= 300 && heads(&lower(next), &["verzonden:", "sent:", "datum:", "date:"])
}

/// Lines with the offsets at which they begin.
#[derive(Clone)]
struct Lines<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Lines<'a> {
        Lines { text, at: 0 }
    }
}

impl<'a> Iterator for Lines<'a> {
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<(usize, &'a str)> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let start = self.at;
        let length = memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
        self.at += length + 1;
        Some((start, rest[..length].trim_end_matches('\r')))
    }
}

/// How far an address of a web page reaches, either way.
const ADDRESS: usize = 500;

/// Whether what stands at `stretch` is part of an address of a web page: `https://voorbeeld.example/111222333`.
pub(super) fn in_url(regions: Regions, text: &[u8], (start, _): Stretch) -> bool {
    if regions.0 & URL == 0 {
        return false;
    }
    let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'<' | b'>' | b'"' | b'\'' | b'(' | b'[' | 0x1f);
    let word = &text[..start];
    let word = &word[word.len() - word.iter().rev().take(ADDRESS).take_while(|b| !ends(b)).count()..];
    word.windows(3).any(|w| w == b"://") || word.len() >= 4 && word[..4].eq_ignore_ascii_case(b"www.")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of the words `x1`, `x2`... lie in a region.
    fn inside(word: &str, text: &str) -> Vec<usize> {
        let regions = Regions::default().with(word).unwrap();
        let areas = Areas::of(text);
        (1..10)
            .filter(|n| {
                text.find(&format!("x{n}"))
                    .is_some_and(|at| areas.hold(regions, (at, at + 2)) || in_url(regions, text.as_bytes(), (at, at + 2)))
            })
            .collect()
    }

    #[test]
    fn quoted_text_is_what_is_answered() {
        assert_eq!(inside("quoted", "x1\n> x2\n>x3\nx4\n\nOp 3 mei schreef Jan:\nx5\nx6"), [2, 3, 5, 6]);
        assert_eq!(inside("quoted", "x1\r\n\r\nOn Mon, 3 May 2027, Jan <jan@a.example>\r\nwrote:\r\nx2"), [2]);
        assert_eq!(inside("quoted", "x1\n-----Oorspronkelijk bericht-----\nx2"), [2]);
        assert_eq!(inside("quoted", "x1\nVan: Jan\nVerzonden: maandag\nx2"), [2]);
        assert_eq!(inside("quoted", "Van: de gemeente\nx1\nHij schreef:\nx2 > x3"), [0; 0]);
    }

    #[test]
    fn a_signature_is_a_few_short_lines() {
        assert_eq!(inside("signature", "x1\nMet vriendelijke groet,\n\nJan x2\nKvK x3\n"), [2, 3]);
        assert_eq!(inside("signature", "x1\n-- \nx2\nx3"), [2, 3]);
        let more = "x1\nGroeten\nJan x2\nO ja, dit wilde ik er nog bij zeggen over het nummer van die klant: x3\nx4";
        assert_eq!(inside("signature", more), [2]);
        assert_eq!(inside("signature", "Met vriendelijke groet\nJan\nP.S. het nummer is x1"), [0; 0]);
        assert_eq!(inside("signature", "Met vriendelijke groet stuur ik x1 mee\nx2"), [0; 0]);
    }

    #[test]
    fn a_disclaimer_says_three_things_that_disclaimers_say() {
        let text = "x1 vertrouwelijk\n\nDit bericht is vertrouwelijk en uitsluitend bestemd voor de geadresseerde.\nKvK x2\n\nx3";
        assert_eq!(inside("disclaimer", text), [2]);
        assert_eq!(inside("disclaimer", "Dit is vertrouwelijk, voor de geadresseerde: x1"), [0; 0]);
        assert_eq!(
            inside("disclaimer", "This e-mail is confidential, for the intended recipient only. Notify the sender. x1\r\n\r\nx2"),
            [1]
        );
    }

    #[test]
    fn an_address_of_a_page_goes_on_to_the_next_space() {
        assert_eq!(inside("url", "https://a.example/d?x1=x2 x3 <www.a.example/x4> jan@a.example/x5"), [1, 2, 4]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_fails(text in "([a-z>: .\n-]|vertrouwelijk|geadresseerde|ten onrechte|--|Op |schreef:|groet|\r\n|é){0,40}") {
            let areas = Areas::of(&text);
            proptest::prop_assert!([areas.disclaimers, areas.signatures, areas.quoted].iter().flatten().all(|s| s.0 <= s.1 && s.1 <= text.len()));
        }
    }
}
