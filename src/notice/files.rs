//! The mail of which only the files are kept behind a link: its text travels, below what leads to the files.

use super::{Composed, Contents, Draft, Letter, Organisation, message_link, reference, titled};
use crate::{
    message::escaped,
    record::Level,
    seal::lookup_id,
    secret::Id,
    template::{Bodies, FilesMail, RenderError, Templates},
    time::Time,
};
use std::ops::Range;

/// The mail with the sender's text and the link to his files. It comes from the organisation's own address, so that nobody's DMARC policy is broken,
/// and answers go to who wrote it.
///
/// # Errors
/// [`RenderError`] when `letter` is no notification, or a template fails although its check passed.
pub fn compose_with_text(
    letter: &Letter,
    contents: Contents,
    id: Id,
    at: Time,
    organisation: &Organisation,
    templates: &Templates,
) -> Result<Composed, RenderError> {
    let Letter::Notification { token, sender, envelope_from, sender_name, recipient, subject, language, level, expires, .. } = letter
    else {
        return Err(RenderError::without_contents());
    };
    let address = sender.as_ref().map_or_else(|| organisation.name.clone(), ToString::to_string);
    let name = super::one_line(sender_name);
    let who = if name.is_empty() { address } else { name };
    let mail = FilesMail {
        level: if *level == Level::One { 1 } else { 2 },
        link: message_link(organisation, token).expose().clone(),
        host: organisation.host().to_owned(),
        reference: reference(lookup_id(token)),
        expires: *expires,
    };
    let title = |l| match subject.as_deref() {
        Some(subject) if !subject.trim().is_empty() => subject.to_owned(),
        _ => titled(templates, l, "notification-subject", None, &[("sender", &who)]),
    };
    let draft = Draft::of(&mail, recipient, language, organisation, templates, title)?;
    let from = templates.text(draft.language, "mail-from", &[("sender", &who), ("organisation", &organisation.name)]);
    let Bodies { text: ours_as_text, html: ours_as_html } = draft.bodies;
    let html = match &contents.html {
        Some(html) => insert(html, &ours_as_html),
        None => insert(&as_html(&contents.text, draft.language.code(), &draft.subject), &ours_as_html),
    };
    let bodies = Bodies { text: format!("{}\r\n{}", ours_as_text.trim_end(), contents.text), html };
    let draft = Draft { from, reply_to: sender.clone(), envelope_from: envelope_from.clone(), bodies, by_a_person: true, ..draft };
    draft.build(id, at, organisation)
}

/// A page of `text`, its lines as they are.
fn as_html(text: &str, language: &str, title: &str) -> String {
    let [escaped, title] = [text, title].map(escaped);
    format!(
        "<!doctype html><html lang=\"{language}\"><head><meta charset=\"utf-8\"><title>{title}</title></head><body><div style=\"white-space:pre-wrap;font-family:Arial,Helvetica,sans-serif\">{escaped}</div></body></html>"
    )
}

/// `html` with `ours` at the head of its body: whatever the sender leaves open can't swallow it. Pictures that lie in the message go, since they are
/// among the files; the sender's own words are not touched.
fn insert(html: &str, ours: &str) -> String {
    let (mut out, mut kept, mut at) = (String::with_capacity(html.len() + ours.len()), 0, 0);
    let mut begins = None;
    while let Some(tag) = next_tag(html, at) {
        at = tag.end;
        let text = &html[tag.clone()];
        if is_named(text, "body") && begins.is_none() {
            out.push_str(&html[kept..tag.end]);
            (kept, begins) = (tag.end, Some(out.len()));
        } else if is_named(text, "img") && text.to_ascii_lowercase().contains("cid:") {
            out.push_str(&html[kept..tag.start]);
            kept = tag.end;
        }
    }
    out.push_str(&html[kept..]);
    // A page without a body's tag begins with its text, or with a head, before which a reader takes what it finds for the body all the same.
    out.insert_str(begins.unwrap_or(0), ours);
    out
}

/// The next tag from `from` on, comments passed over; its end stands behind `>`, which in quotes ends nothing.
fn next_tag(html: &str, from: usize) -> Option<Range<usize>> {
    let mut start = from + html[from..].find('<')?;
    while html[start..].starts_with("<!--") {
        let end = start + 4 + html[start + 4..].find("-->")? + 3;
        start = end + html[end..].find('<')?;
    }
    let mut quote = None;
    for (at, b) in html[start..].bytes().enumerate() {
        match (quote, b) {
            (None, b'>') => return Some(start..start + at + 1),
            (None, b'"' | b'\'') => quote = Some(b),
            (Some(open), _) if open == b => quote = None,
            _ => {}
        }
    }
    None
}

/// Whether `tag` opens an element of this name.
fn is_named(tag: &str, name: &str) -> bool {
    let rest = tag.get(1..=name.len()).filter(|start| start.eq_ignore_ascii_case(name)).map(|_| &tag[name.len() + 1..]);
    rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_whitespace() || matches!(c, '>' | '/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_stands_at_the_head_of_the_body_whatever_the_page_is_like() {
        for (html, expected) in [
            ("<html><body class=\"a>b\">x</body>", "<html><body class=\"a>b\">OURSx</body>"),
            ("<!-- <body> --><BODY>x<body>y", "<!-- <body> --><BODY>OURSx<body>y"),
            ("x <b>y</b>", "OURSx <b>y</b>"),
            ("<bodyguard>x", "OURS<bodyguard>x"),
            ("<body>x<!-- never closed", "<body>OURSx<!-- never closed"),
            ("<body title='never closed", "OURS<body title='never closed"),
            ("<", "OURS<"),
            ("", "OURS"),
        ] {
            assert_eq!(insert(html, "OURS"), expected);
        }
    }

    #[test]
    fn pictures_of_the_message_go_and_nothing_else_does() {
        let html =
            "<body>a<img src=\"CID:logo@x\" alt=\"é\">b<img src=\"https://x.example/cid\">c<imgs cid:>d<p title=\"<img src=cid:x>\">e";
        let kept = "<body>ab<img src=\"https://x.example/cid\">c<imgs cid:>d<p title=\"<img src=cid:x>\">e";
        assert_eq!(insert(html, ""), kept);
    }
}
