//! What tesseract says of a picture, as text: a word a line, with its place and how sure it is (TSV). It is believed as little as a stranger's file.

use crate::extract::{Picture, Places, Source, Text};

/// Letters and digits up to which a page counts as unread: a photo with a word on it has not been read because of that word.
const FEWEST: usize = 20;

/// A word below this is a guess. Clean print has 90 and more, noise 20 to 50 (of 100).
const SURE: f32 = 60.0;

/// One letter in ten in words that are guesses: more is unread, as glyphs without a meaning are.
const MOST_UNSURE: usize = 10;

/// A gap of so many heights of the words beside it is one between columns; words are a third of that apart.
const COLUMN: i64 = 2;

/// The words of the pages, put together; and whether all pages were read so well that nothing else need be on them.
pub(super) fn text(said: &[u8], picture: &Picture) -> (Option<Text>, bool) {
    let Ok(said) = std::str::from_utf8(said) else { return (None, false) };
    // What stands behind the last end of a line was cut off.
    let whole = said.rfind('\n').map_or("", |end| &said[..end]);
    let mut pages = Pages::default();
    for line in whole.lines() {
        let fields: Vec<&str> = line.splitn(12, '\t').collect();
        match fields.first() {
            Some(&"1") => pages.begin(),
            Some(&"5") => pages.word(&fields),
            // The head, and blocks, paragraphs and lines as a whole.
            Some(&("level" | "2" | "3" | "4")) => {}
            _ => pages.is_odd = true,
        }
    }
    let is_clear = !pages.is_odd && !pages.each.is_empty() && pages.each.iter().all(Page::is_clear);
    let places = match (picture.page, pages.starts.len()) {
        (Some(page), _) => Places::Named(format!("picture, page {page}")),
        (None, 0 | 1) => Places::Named("picture".to_owned()),
        (None, _) => Places::Within("picture".to_owned(), Box::new(Places::Pages(pages.starts))),
    };
    let text = Text { part: picture.part.clone(), source: Source::Attachment, text: pages.text, places, spans: Vec::new() };
    (Some(text).filter(|text| !text.text.trim().is_empty()), is_clear)
}

#[derive(Default)]
struct Pages {
    text: String,
    starts: Vec<usize>,
    each: Vec<Page>,
    /// Block, paragraph and line of the last word, where it ended, and its height.
    last: Option<([u32; 3], i64, i64)>,
    /// Something was not as tesseract says it.
    is_odd: bool,
}

/// How many letters and digits a page has, and how many of them are in words that are guesses.
#[derive(Default)]
struct Page {
    letters: usize,
    unsure: usize,
}

impl Page {
    fn is_clear(&self) -> bool {
        self.letters > FEWEST && self.unsure * MOST_UNSURE <= self.letters
    }
}

impl Pages {
    fn begin(&mut self) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.starts.push(self.text.len());
        self.each.push(Page::default());
        self.last = None;
    }

    fn word(&mut self, fields: &[&str]) {
        if self.add(fields).is_none() {
            self.is_odd = true;
        }
    }

    /// Level, page, block, paragraph, line, word; left, top, width, height; confidence, text.
    fn add(&mut self, fields: &[&str]) -> Option<()> {
        let [_, _, block, paragraph, line, _, left, _, width, height, confidence, word] = fields else { return None };
        let line = [block.parse().ok()?, paragraph.parse().ok()?, line.parse().ok()?];
        let number = |field: &&str| field.parse::<u32>().ok().map(i64::from);
        let (left, width, height) = (number(left)?, number(width)?, number(height)?);
        let confidence: f32 = confidence.parse().ok()?;
        let page = self.each.last_mut()?;
        let word = word.trim();
        if word.is_empty() {
            return Some(());
        }
        let letters = word.chars().filter(|c| c.is_alphanumeric()).count();
        page.letters += letters;
        page.unsure += if confidence >= SURE { 0 } else { letters };
        let between = match self.last {
            None => None,
            Some((same, end, other)) if same == line => Some(if left - end > COLUMN * height.max(other) { '\t' } else { ' ' }),
            Some(_) => Some('\n'),
        };
        self.text.extend(between);
        self.text.extend(word.chars().map(|c| if c.is_control() { ' ' } else { c }));
        self.last = Some((line, left + width, height));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n";
    const PAGE: &str = "1\t1\t0\t0\t0\t0\t0\t0\t600\t600\t-1\t\n";

    fn picture(page: Option<usize>) -> Picture {
        Picture { part: "a".into(), page, octets: bytes::Bytes::new() }
    }

    /// A word in a block and line, from here to there, as sure as that.
    fn word((block, line): (u32, u32), (from, to): (u32, u32), confidence: f32, word: &str) -> String {
        format!("5\t1\t{block}\t1\t{line}\t1\t{from}\t10\t{}\t20\t{confidence}\t{word}\n", to - from)
    }

    fn read(said: &str) -> (String, Option<String>, bool) {
        let (text, is_clear) = text(said.as_bytes(), &picture(None));
        let place = text.as_ref().and_then(|text| text.place(text.text.len()));
        (text.map(|text| text.text).unwrap_or_default(), place, is_clear)
    }

    #[test]
    fn words_lines_columns_and_pages_are_told_apart() {
        let lines = [
            word((1, 1), (0, 50), 90.0, "Naam"),
            word((1, 1), (58, 100), 90.0, "van"),
            word((1, 1), (141, 180), 90.0, "BSN"),
            word((1, 2), (0, 90), 90.0, "111222333"),
            word((2, 1), (0, 90), 90.0, "eronder"),
        ];
        let page = [PAGE, &lines.concat()].concat();
        assert_eq!(read(&[HEAD, &page].concat()), ("Naam van\tBSN\n111222333\neronder".into(), Some("picture".into()), true));
        let (two, place, is_clear) = read(&[HEAD, &page, &page].concat());
        assert_eq!((two.matches("111222333").count(), place, is_clear), (2, Some("picture, page 2".into()), true));
        // A page of a fax with nothing on it was not read.
        assert!(!read(&[HEAD, &page, PAGE].concat()).2);
        let (told, _) = text([HEAD, &page].concat().as_bytes(), &picture(Some(7)));
        assert_eq!(told.unwrap().place(0).as_deref(), Some("picture, page 7"));
    }

    #[test]
    fn a_page_is_read_when_one_letter_in_ten_is_a_guess_and_not_when_two_are() {
        let sure = word((1, 1), (0, 50), 60.0, &"x".repeat(18));
        let page = |more: &str| [HEAD, PAGE, &sure, more].concat();
        assert!(read(&page(&[word((1, 1), (0, 9), 59.9, "xx"), word((1, 1), (0, 9), 60.0, "x")].concat())).2);
        assert!(!read(&page(&word((1, 1), (0, 9), 59.9, "xxx"))).2);
        assert!(!read(&page(&word((1, 1), (0, 9), 96.0, "xx"))).2, "twenty letters are a label");
        assert!(!read(&page(&word((1, 1), (0, 9), 95.0, " "))).2, "what tesseract says of a photo");
        assert!(!read("").2 && !read(HEAD).2);
    }

    #[test]
    fn what_tesseract_does_not_say_makes_no_page_read() {
        let sure = word((1, 1), (0, 50), 96.0, &"x".repeat(30));
        assert!(read(&[PAGE, &sure].concat()).2);
        for odd in ["5\t1\n", "5\t1\t1\t1\t1\t1\t-5\t1\t1\t1\t96\tword\n", "5\t1\t1\t1\t1\t1\t5\t1\t1\t1\tsure\tword\n"] {
            let (text, _, is_clear) = read(&[PAGE, &sure, odd].concat());
            assert!(!is_clear && text == "x".repeat(30), "{odd}");
        }
        assert!(!read(&sure).2, "of no page");
        let (text, _, _) =
            read(&[PAGE, &word((1, 1), (0, 50), 96.0, "een\u{1f}twee\tdrie"), "5\t1\t1\t1\t1\t1\t5\t1\t1\t1\t96\tcut off"].concat());
        assert_eq!(text, "een twee drie");
        assert!(text_of(b"\xFF").is_none());
    }

    fn text_of(said: &[u8]) -> Option<Text> {
        text(said, &picture(None)).0
    }
}
