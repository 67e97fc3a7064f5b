//! A mail's own parts, and mails within it.

use super::{
    Places, ProblemKind, Source, charset, html,
    kind::{self, Kind},
    plain,
    reading::{self, Here, Reading},
};
use crate::message::{Doubt, Message, Part, Role};
use bytes::Bytes;

/// Reads the mail that was sent: subject first, then its parts in order.
pub(super) fn read(reading: &mut Reading<'_>, message: &Message) {
    let here = Here::mail();
    reading.text("subject", Source::Subject, message.facts().subject, Places::None);
    parts(reading, &here, message, Source::Body);
}

/// Reads a mail that is attached to, or packed in, something. Its header is content too: it travels.
pub(super) fn read_nested(reading: &mut Reading<'_>, here: &Here, octets: &Bytes) {
    let message = Message::new(octets.clone());
    if message.has_long_header() {
        reading.too_large(here, "header");
        return plain::read(reading, here, &here.section("header"), Source::Attachment, octets, None);
    }
    let fields = message.header_fields();
    if fields.is_empty() && !octets.is_empty() {
        reading.damaged(here, "mime");
    }
    reading.text(&here.section("subject"), Source::Attachment, message.facts().subject, Places::None);
    let header: String = fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    reading.text(&here.section("header"), Source::Properties, plain::clean(header.into()).into_owned(), Places::Lines);
    parts(reading, here, &message, Source::Attachment);
}

fn parts(reading: &mut Reading<'_>, here: &Here, message: &Message, source: Source) {
    for part in message.parts() {
        if let Some((doubt, octets)) = &part.doubt {
            doubtful(reading, here, &part, *doubt, octets);
        }
        match part.role {
            Role::Body => body(reading, here, &part, source),
            Role::Between => between(reading, here, &part, source),
            Role::Nested => reading.member(here, part.name.as_deref().unwrap_or("message.eml"), "message/rfc822", &part.octets),
            Role::File => file(reading, here, &part),
        }
    }
}

fn body(reading: &mut Reading<'_>, here: &Here, part: &Part, source: Source) {
    let is_html = part.media_type == "text/html";
    // A PDF that calls itself text/plain is shown as a PDF by programs that look at the content, and as text by all others: a text that
    // begins with `GIF89a` is read by its recipient.
    let kinds = kind::kinds("", &part.media_type, &part.octets);
    let is_file = |k: &Kind| k.is_complex() || matches!(k, Kind::Image);
    let is_other = |k: &Kind| !is_file(k) && !matches!(k, Kind::Text | Kind::Html | Kind::Mail | Kind::Folded | Kind::Nothing);
    if kinds.iter().any(is_file) {
        reading.member(here, if is_html { "html" } else { "text" }, "", &part.octets);
    }
    let name = reading.unique(here.section(if is_html { "html" } else { "text" }));
    if kinds.iter().any(is_other) {
        reading.problem(&name, None, ProblemKind::Unsupported, "charset");
    }
    let charset = part.charset.as_deref();
    if is_html {
        html::read(reading, here, &name, source, &part.octets, charset);
    } else {
        plain::read(reading, here, &name, source, &part.octets, charset);
    }
}

fn between(reading: &mut Reading<'_>, here: &Here, part: &Part, source: Source) {
    if !part.octets.is_empty() {
        let name = reading.unique(here.section("text between parts"));
        plain::read(reading, here, &name, source, &part.octets, None);
    }
}

/// An attachment. What its charset is, only the mail can tell.
fn file(reading: &mut Reading<'_>, here: &Here, part: &Part) {
    let name = part.name.as_deref().unwrap_or(&part.media_type);
    let mut kinds = kind::kinds(name, &part.media_type, &part.octets).into_iter();
    let (Some(kind), None, Some(_)) = (kinds.next(), kinds.next(), &part.charset) else {
        return reading.member(here, name, &part.media_type, &part.octets);
    };
    let charset = part.charset.as_deref();
    let is_text = matches!(kind, Kind::Text | Kind::Html | Kind::Folded);
    if !is_text || here.depth >= reading.limits.depth {
        return reading.member(here, name, &part.media_type, &part.octets);
    }
    let Some(inner) = reading.enter(here, name) else { return };
    match kind {
        Kind::Html => html::read(reading, &inner, &inner.part, Source::Attachment, &part.octets, charset),
        Kind::Folded => plain::read_folded(reading, &inner, &part.octets, charset),
        _ => plain::read(reading, &inner, &inner.part, Source::Attachment, &part.octets, charset),
    }
}

/// Parsers disagree about broken mail, and disagreement is the evasion: so what stands there is read as it stands, too.
fn doubtful(reading: &mut Reading<'_>, here: &Here, part: &Part, doubt: Doubt, octets: &Bytes) {
    let name = match (&part.name, here.part.is_empty()) {
        (Some(name), true) => format!("attachment {}", reading::quoted(name)),
        (Some(name), false) => here.section(&reading::quoted(name)),
        (None, _) if part.media_type == "text/html" => here.section("html"),
        (None, _) => here.section("text"),
    };
    match doubt {
        Doubt::Damaged => reading.problem(&name, None, ProblemKind::Damaged, "mime"),
        Doubt::TooDeep => reading.problem(&name, None, ProblemKind::TooDeep, "mime"),
    }
    let source = if here.depth == 0 { Source::Body } else { Source::Attachment };
    let raw = charset::decode(octets, part.charset.as_deref()).text;
    reading.text(&name, source, plain::clean(raw).into_owned(), Places::Named("raw".into()));
}
