//! HTML, as a part of a mail.

use super::documents::{is_within, limits, open_all};
use zegel::{extract, message::Message};

/// Whatever a page holds: what stands behind it is read, and so is a page that is text alone.
pub fn html(octets: &[u8]) {
    let Ok(html) = std::str::from_utf8(octets) else { return };
    if html.contains(['\0', '\u{feff}']) {
        // Zeros and byte order marks make another charset of it.
        return;
    }
    let texts = texts(&format!("{html} zegelwas"));
    assert!(texts.iter().any(|text| text.contains("zegelwas")), "what stands behind {html:?} is lost: {texts:?}");
    if !html.contains(['<', '&']) {
        let words =
            |text: &str| text.split(|c: char| c <= ' ' || c == '\x7f').filter(|w| !w.is_empty()).map(str::to_owned).collect::<Vec<_>>();
        let expected = words(&format!("{html} zegelwas"));
        assert!(texts.iter().any(|text| words(text) == expected), "words of {html:?} are lost: {texts:?}");
    }
}

fn texts(html: &str) -> Vec<String> {
    let mail = format!("MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{html}");
    let (extraction, unopened) = extract::message(&Message::new(mail.into_bytes().into()), &limits());
    is_within(&extraction, &limits());
    open_all(&unopened);
    extraction.texts.into_iter().map(|text| text.text).collect()
}
