//! Drawings as XML (SVG 2): what they write, what they are called, and the files that lie in their links.

use crate::extract::{
    Places, Source, data,
    flow::{Flow, letters_joined},
    plain,
    reading::{Here, Reading},
    xml::{self, Health, Node},
};
use bytes::Bytes;
use std::borrow::Cow;

/// Reads a drawing.
pub(in crate::extract) fn read(reading: &mut Reading<'_>, here: &Here, octets: &[u8]) {
    let (mut flow, mut aside, mut embedded, mut is_break) = (Flow::default(), String::new(), Vec::new(), false);
    let text = xml::text(octets);
    let health = xml::walk(&text, |node| match node {
        Node::Open(name, element) => {
            // Spans and links run on; spans with a place of their own are lines.
            let is_placed = name == "tspan" && xml::attributes(element).any(|(key, _)| matches!(key.as_str(), "x" | "y" | "dy"));
            is_break |= is_placed || !matches!(name, "tspan" | "a" | "textPath" | "b" | "i" | "span");
            for (key, value) in xml::attributes(element).filter(|(key, _)| is_told(key)) {
                if value.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:")) {
                    embedded.extend(data::Link::of(&value));
                } else if !value.starts_with('#') {
                    aside.push_str(&format!("{key}: {}\n", plain::clean(value).replace('\n', " ")));
                }
            }
        }
        Node::Close(name) => is_break |= !matches!(name, "tspan" | "a" | "textPath" | "b" | "i" | "span"),
        Node::Text(text) if text.trim().is_empty() && text.contains('\n') => {}
        Node::Text(text) => {
            if std::mem::take(&mut is_break) {
                flow.line();
            }
            flow.push(&plain::clean(text), false);
        }
    });
    if health == Health::Damaged {
        reading.damaged(here, "xml");
        reading.text(&here.part, Source::Attachment, plain::clean(Cow::Borrowed(&text)).into_owned(), Places::Named("as it stands".into()));
    }
    comments(&text, &mut aside);
    let letters = letters_joined(&flow.text);
    reading.flow(&here.part, Source::Attachment, flow, Places::Lines);
    reading.text(&here.part, Source::Attachment, letters.unwrap_or_default(), Places::Named("letters joined".into()));
    reading.text(&here.part, Source::Attachment, aside, Places::Named("attributes".into()));
    for link in embedded {
        reading.member(here, "data:", &link.media_type, &Bytes::from(link.octets));
    }
}

/// Comments, which travel though nobody sees them.
fn comments(text: &str, out: &mut String) {
    let mut rest = text;
    while let Some((_, behind)) = rest.split_once("<!--") {
        let (comment, behind) = behind.split_once("-->").unwrap_or((behind, ""));
        out.push_str(&plain::clean(Cow::Borrowed(comment)));
        out.push('\n');
        rest = behind;
    }
}

/// Attributes that hold words or links; `data-` ones, which programs fill.
fn is_told(key: &str) -> bool {
    matches!(key, "href" | "src" | "title" | "label" | "id" | "alt" | "aria-label" | "desc" | "value") || key.starts_with("data-")
}
