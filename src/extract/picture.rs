//! Pictures that may show text. Nobody here decodes one: they are handed out, by header and size, to whoever looks at them.

use super::{Problem, ProblemKind};
use bytes::Bytes;
use std::fmt;

/// A picture in a format that can be looked at.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// The part that it is, or of which it is a page; as in [`Text::part`](super::Text::part).
    pub part: String,
    /// The page of a document, from 1; `None` for a picture by itself.
    pub page: Option<usize>,
    /// The picture as a file.
    pub octets: Bytes,
}

/// Its part and size alone.
impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({:?}, {:?}, {} octets)", self.part, self.page, self.octets.len())
    }
}

/// Whether this begins like a picture that leptonica reads from memory. What it doesn't know tesseract takes for a list of files to open, so this is
/// asked again right before it gets one.
#[must_use]
pub fn begins_as_picture(octets: &[u8]) -> bool {
    const BEGINNINGS: [&[u8]; 7] = [b"\x89PNG\r\n\x1A\n", b"\xFF\xD8\xFF", b"BM", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*"];
    let is_webp = octets.starts_with(b"RIFF") && octets.get(8..12) == Some(b"WEBP");
    is_webp || BEGINNINGS.iter().any(|beginning| octets.starts_with(beginning))
}

/// The problems that pictures are which nobody has read: one for all pages of a part.
pub fn unread<'p>(pictures: impl IntoIterator<Item = &'p Picture>) -> Vec<Problem> {
    let mut parts: Vec<(&str, Vec<usize>, bool)> = Vec::new();
    for picture in pictures {
        let at = parts.iter().position(|(part, ..)| *part == picture.part).unwrap_or_else(|| {
            parts.push((&picture.part, Vec::new(), false));
            parts.len() - 1
        });
        match picture.page {
            Some(page) => parts[at].1.push(page),
            None => parts[at].2 = true,
        }
    }
    let problem = |part: &str, place, reason| Problem { part: part.to_owned(), place, kind: ProblemKind::Unsupported, reason };
    let mut problems = Vec::new();
    for (part, mut pages, itself) in parts {
        if itself {
            problems.push(problem(part, None, "image"));
        }
        if !pages.is_empty() {
            pages.sort_unstable();
            pages.dedup();
            problems.push(problem(part, Some(page_list(&pages)), "scanned-pages"));
        }
    }
    problems
}

/// `page 3`, `pages 3-7, 9`.
pub(super) fn page_list(pages: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for page in pages {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *page => *last = *page,
            _ => runs.push((*page, *page)),
        }
    }
    /// A list that a person still reads.
    const MOST: usize = 10;
    let shown: Vec<String> = runs.iter().take(MOST).map(|(a, b)| if a == b { a.to_string() } else { format!("{a}-{b}") }).collect();
    let more = if runs.len() > MOST { " ..." } else { "" };
    format!("{} {}{more}", if pages.len() == 1 { "page" } else { "pages" }, shown.join(", "))
}
