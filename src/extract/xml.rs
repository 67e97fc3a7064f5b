//! XML, event by event: no recursion, and no entity of the document's own is ever expanded.

use super::charset;
use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use std::borrow::Cow;

/// What comes along.
pub(super) enum Node<'x> {
    /// A start tag (or an empty element, followed by its `Close`), by its name without prefix.
    Open(&'x str, &'x BytesStart<'x>),
    /// An end tag.
    Close(&'x str),
    /// Character data, references resolved.
    Text(Cow<'x, str>),
}

/// Whether it was read to its end, and as it was meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Health {
    #[default]
    Whole,
    /// Malformed, cut off, or with a document type that defines entities of its own.
    Damaged,
}

/// Text of an XML file, by its byte order mark or declaration.
pub(super) fn text(octets: &[u8]) -> Cow<'_, str> {
    let start = String::from_utf8_lossy(&octets[..octets.len().min(128)]);
    let declared =
        start.split_once("encoding=").map(|(_, e)| e.trim_start_matches(['"', '\'']).split(['"', '\'']).next().unwrap_or_default());
    charset::decode(octets, Some(declared.unwrap_or("utf-8"))).text
}

/// Whether a document defines entities, which programs put together to words that stand nowhere in it. Those of names for name spaces, as drawing
/// programs write them, are none of these.
pub(super) fn defines_entities(xml: &str) -> bool {
    /// A definition stands in front of the document's first element.
    const WITHIN: usize = 64 * 1024;
    let start = &xml[..xml.floor_char_boundary(WITHIN)];
    let Some(at) = start.find("<!DOCTYPE") else { return false };
    start[at..].match_indices("<!ENTITY").any(|(found, _)| {
        let definition = start[at + found..].split('>').next().unwrap_or_default();
        !definition.contains("http://") && !definition.contains("https://")
    })
}

/// Walks through `xml` to its end or to what can't be read.
pub(super) fn walk(xml: &str, mut visit: impl FnMut(Node<'_>)) -> Health {
    let mut reader = Reader::from_str(xml);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    let mut health = Health::Whole;
    let mut depth = 0usize;
    // Without an element it is none: garbage reads as character data.
    let mut is_xml = xml.trim().is_empty();
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) => {
                depth += 1;
                is_xml = true;
                visit(Node::Open(element.local_name().as_ref(), &element));
            }
            Ok(Event::Empty(element)) => {
                let name = element.local_name();
                is_xml = true;
                visit(Node::Open(name.as_ref(), &element));
                visit(Node::Close(name.as_ref()));
            }
            Ok(Event::End(element)) => {
                depth = depth.saturating_sub(1);
                visit(Node::Close(element.local_name().as_ref()));
            }
            Ok(Event::Text(text)) => visit(Node::Text(text.xml10_content())),
            Ok(Event::CData(text)) => visit(Node::Text(text.into_inner())),
            Ok(Event::GeneralRef(reference)) => match reference.resolve_char_ref() {
                Ok(Some(c)) => visit(Node::Text(Cow::Owned(c.to_string()))),
                _ => match quick_xml::escape::resolve_predefined_entity(&reference) {
                    Some(text) => visit(Node::Text(Cow::Borrowed(text))),
                    None => {
                        visit(Node::Text(Cow::Borrowed(&reference)));
                        health = Health::Damaged;
                    }
                },
            },
            Ok(Event::DocType(definition)) => {
                // Entities may hold text: shown as it stands, since nothing resolves them.
                if definition.contains('[') {
                    health = Health::Damaged;
                    visit(Node::Text(Cow::Borrowed(&definition)));
                }
            }
            Ok(Event::Comment(_) | Event::Decl(_) | Event::PI(_)) => {}
            Ok(Event::Eof) => return if depth == 0 && is_xml { health } else { Health::Damaged },
            Err(_) => return Health::Damaged,
        }
    }
}

/// The value of the attribute `name`, whatever its prefix.
pub(super) fn attribute<'x>(element: &'x BytesStart<'_>, name: &str) -> Option<Cow<'x, str>> {
    element.attributes().with_checks(false).flatten().find(|a| a.key.local_name().as_ref() == name).map(|a| value(a.value))
}

/// All attributes, by their names without prefix.
pub(super) fn attributes<'x>(element: &'x BytesStart<'_>) -> impl Iterator<Item = (String, Cow<'x, str>)> {
    let mut attributes = element.attributes();
    attributes.with_checks(false);
    attributes.flatten().map(|a| (a.key.local_name().as_ref().to_owned(), value(a.value)))
}

fn value(raw: Cow<'_, str>) -> Cow<'_, str> {
    match quick_xml::escape::unescape(&raw) {
        Ok(Cow::Owned(unescaped)) => Cow::Owned(unescaped),
        _ => raw,
    }
}
