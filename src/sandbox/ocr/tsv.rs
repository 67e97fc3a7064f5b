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
            _ => {}
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
