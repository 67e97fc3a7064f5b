//! Where in a mail a rule looks: `where = ["subject", "body"]`.

use super::{
    class::{Class, class},
    scan::Stretch,
};
use crate::extract::{Places, Source, Text};

/// The places of a rule's `where`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Where(u16);

/// Every word of `where`; the bit of each is its index.
pub(super) const WORDS: [&str; 11] = [
    "subject",
    "body",
    "attachments",
    "filenames",
    "headers",
    "subject-start",
    "subject-end",
    "first-line",
    "line-alone",
    "attachment-first-page",
    "document-properties",
];

const SUBJECT: u16 = 1;
const BODY: u16 = 1 << 1;
const ATTACHMENTS: u16 = 1 << 2;
const FILENAMES: u16 = 1 << 3;
const HEADERS: u16 = 1 << 4;
const SUBJECT_START: u16 = 1 << 5;
const SUBJECT_END: u16 = 1 << 6;
const FIRST_LINE: u16 = 1 << 7;
const LINE_ALONE: u16 = 1 << 8;
const FIRST_PAGE: u16 = 1 << 9;
const PROPERTIES: u16 = 1 << 10;

/// A document without pages: what counts as its first one, in bytes (extraction.md, section 10).
const PAGE: usize = 3000;

impl Default for Where {
    fn default() -> Where {
        Where(SUBJECT | BODY | ATTACHMENTS)
    }
}

impl Where {
    /// No place at all, to which words are added.
    pub(super) const NOWHERE: Where = Where(0);

    /// Adds the place of `word`; `None` for a word that is none.
    pub(super) fn with(self, word: &str) -> Option<Where> {
        WORDS.iter().position(|w| *w == word).map(|bit| Where(self.0 | 1 << bit))
    }

    /// The kind of text in which the examples of a rule are looked for.
    pub(super) fn example_source(self) -> Source {
        match self.0 {
            w if w & (BODY | FIRST_LINE | LINE_ALONE) != 0 => Source::Body,
            w if w & (SUBJECT | SUBJECT_START | SUBJECT_END) != 0 => Source::Subject,
            w if w & (ATTACHMENTS | FIRST_PAGE) != 0 => Source::Attachment,
            w if w & FILENAMES != 0 => Source::FileName,
            w if w & PROPERTIES != 0 => Source::Properties,
            _ => Source::Body,
        }
    }

    pub(super) fn looks_at_headers(self) -> bool {
        self.0 & HEADERS != 0
    }

    /// Whether the rule wants what stands at `stretch` of the normal text of `text`.
    pub(super) fn holds(self, text: &Text, view: &View<'_>, stretch: Stretch) -> bool {
        if view.header {
            return self.looks_at_headers();
        }
        let anywhere = match text.source {
            Source::Subject => SUBJECT,
            Source::Body => BODY,
            Source::FileName => FILENAMES,
            // Properties travel inside the attachment.
            Source::Attachment => ATTACHMENTS,
            Source::Properties => ATTACHMENTS | PROPERTIES,
        };
        if self.0 & anywhere != 0 {
            return true;
        }
        let (start, end) = stretch;
        match text.source {
            Source::Subject => {
                self.0 & SUBJECT_START != 0 && is_blank(&view.text[reply_prefixes(view.text)..start.max(reply_prefixes(view.text))])
                    || self.0 & SUBJECT_END != 0 && is_blank(&view.text[end..])
                    || self.0 & LINE_ALONE != 0 && is_alone(view.text, stretch)
            }
            Source::Body => {
                self.0 & FIRST_LINE != 0 && start < view.first_line_end || self.0 & LINE_ALONE != 0 && is_alone(view.text, stretch)
            }
            Source::Attachment => {
                self.0 & FIRST_PAGE != 0 && start < view.first_page_end || self.0 & LINE_ALONE != 0 && is_alone(view.text, stretch)
            }
            Source::Properties => self.0 & LINE_ALONE != 0 && is_alone(view.text, stretch),
            Source::FileName => false,
        }
    }
}

/// What `where` needs to know of a normal text.
pub(super) struct View<'a> {
    pub(super) text: &'a [u8],
    first_line_end: usize,
    first_page_end: usize,
    header: bool,
}

impl<'a> View<'a> {
    /// `first` says that no other text of the same document came before.
    pub(super) fn of(text: &Text, normal: &'a [u8], first: bool) -> View<'a> {
        let begins = normal.iter().position(|b| !b.is_ascii_whitespace()).unwrap_or(0);
        let first_line_end = normal[begins..].iter().position(|b| *b == b'\n').map_or(normal.len(), |n| begins + n);
        let first_page_end = match &text.places {
            _ if !first => 0,
            // Offsets of the original; close enough for a page, since folding changes lengths by a few bytes only.
            Places::Pages(starts) => starts.get(1).copied().unwrap_or(normal.len()),
            _ => PAGE,
        };
        let header = text.source == Source::Properties && text.part.starts_with(HEADER_PART);
        View { text: normal, first_line_end, first_page_end, header }
    }
}

/// How the part of a header field begins; parts of files begin with `attachment`.
const HEADER_PART: &str = "header \"";

/// The part of a header field: `header "Sensitivity"`.
pub(super) fn header_part(name: &str) -> String {
    let name: String = name.chars().filter(|c| c.is_ascii_graphic() && *c != '"').take(80).collect();
    format!("{HEADER_PART}{name}\"")
}

/// A kind of text in an explanation.
pub(super) fn name(source: Source) -> &'static str {
    match source {
        Source::Subject => "the subject",
        Source::Body => "the text",
        Source::Attachment => "an attachment",
        Source::FileName => "a file's name",
        Source::Properties => "properties",
    }
}

/// Nothing to be read: no letter, no digit.
fn is_blank(text: &[u8]) -> bool {
    text.iter().all(|b| class(*b) == Class::Other)
}

/// Whether nothing else stands on the line but signs that surround: `*** TLP:RED ***`.
fn is_alone(text: &[u8], (start, end): Stretch) -> bool {
    let bare = |b: &u8| class(*b) == Class::Other && *b != b'+';
    let before = text[..start].iter().rev().find(|b| !bare(b) || **b == b'\n');
    let after = text[end..].iter().find(|b| !bare(b) || **b == b'\n');
    before.is_none_or(|b| *b == b'\n') && after.is_none_or(|b| *b == b'\n')
}

/// Behind `Re: `, `FW: ` and the like: a reply to a mail with a trigger is triggered too.
pub(super) fn reply_prefixes(subject: &[u8]) -> usize {
    const PREFIXES: [&[u8]; 8] = [b"re:", b"fw:", b"fwd:", b"aw:", b"antw:", b"betr:", b"doorst:", b"wg:"];
    let mut at = 0;
    loop {
        at += subject[at..].iter().take_while(|b| b.is_ascii_whitespace()).count();
        let Some(prefix) = PREFIXES.iter().find(|p| subject[at..].len() >= p.len() && subject[at..at + p.len()].eq_ignore_ascii_case(p))
        else {
            return at;
        };
        at += prefix.len();
    }
}
