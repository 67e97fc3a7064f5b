//! HTML of a mail, as its recipient's browser gets it.

use zegel::portal::html::{sanitise, text_of};

/// What was made harmless once is harmless to whoever parses it again: a browser, or the sanitiser itself, which finds nothing to change.
pub fn page(octets: &[u8]) {
    let html = &*String::from_utf8_lossy(octets);
    let _ = text_of(html);
    // Of two attributes that are added it is chance which comes first.
    let ordered = |page: String| {
        page.replace("target=\"_blank\" rel=\"noopener noreferrer nofollow\"", "rel=\"noopener noreferrer nofollow\" target=\"_blank\"")
    };
    let clean = |html: &str| sanitise(html, "/r/0/picture/", |_| None).map(ordered);
    let Ok(once) = clean(html) else { return };
    let lower = once.to_ascii_lowercase();
    for tag in ["<script", "<style", "<form", "<input", "<iframe", "<object", "<svg", "<math", "<base", "<meta", "<link"] {
        assert!(!lower.contains(tag), "{tag} is left of {html:?}: {once}");
    }
    assert_eq!(clean(&once).as_ref(), Ok(&once), "parsed again it is another page: {html:?}");
}
