//! HTML of a mail, as its recipient's browser gets it.

use std::collections::HashSet;
use zegel::portal::html::{sanitise, text_of};

/// What was made harmless once is harmless to whoever parses it again: a browser, or the sanitiser itself, which finds nothing to change.
pub fn page(octets: &[u8]) {
    let html = &*String::from_utf8_lossy(octets);
    let _ = text_of(html);
    let clean = |html: &str| sanitise(html, "/r/0/picture/", |_| None);
    let Ok(once) = clean(html) else { return };
    let lower = once.to_ascii_lowercase();
    for tag in ["<script", "<style", "<form", "<input", "<iframe", "<object", "<svg", "<math", "<base", "<meta", "<link"] {
        assert!(!lower.contains(tag), "{tag} is left of {html:?}: {once}");
    }
    let twice = clean(&once).expect("it is no deeper than before");
    let before = words(&once);
    // A style is written anew with escapes where it would be misread, and one with escapes is left out.
    let new: Vec<&str> = words(&twice).into_iter().filter(|word| !before.contains(word) && *word != "style=\"\"").collect();
    assert!(new.is_empty(), "parsed again, {new:?} comes up in {html:?}: {once} and {twice}");
}

/// The words of a page and of its tags. Their order says nothing: of two attributes it is chance which comes first, and where a paragraph begins
/// within another the tags of both are written anew. Of a style each declaration counts by itself: one may be left out between two others.
fn words(page: &str) -> HashSet<&str> {
    page.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '/' | ';')).collect()
}
