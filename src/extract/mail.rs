//! A mail's own parts, and mails within it.

use super::{
    Places, ProblemKind, Source, charset, cms, html,
    kind::{self, Kind},
    plain,
    reading::{self, Here, Reading},
};
use crate::message::{Doubt, Message, Part, Role};
use bytes::Bytes;
use memchr::memmem;

/// Reads the mail that was sent: subject first, then its parts in order.
pub(super) fn read(reading: &mut Reading<'_>, message: &Message) {
    let here = Here::mail();
    reading.text("subject", Source::Subject, message.facts().subject, Places::None);
    parts(reading, &here, message, Source::Body);
}

/// Reads a mail that is attached to, or packed in, something. Its header is content too: it travels.
pub(super) fn read_nested(reading: &mut Reading<'_>, here: &Here, octets: &Bytes) {
    read_entity(reading, here, octets, Source::Attachment);
}

/// The same for whatever has a header like a mail's; `source` is what its body is.
pub(super) fn read_entity(reading: &mut Reading<'_>, here: &Here, octets: &Bytes, source: Source) {
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
    parts(reading, here, &message, source);
}

/// Reads several mails in one file (RFC 4155): each begins with a line `From `, behind an empty one and in front of a header.
pub(super) fn read_mbox(reading: &mut Reading<'_>, here: &Here, octets: &Bytes) {
    let mut start = 0;
    while start < octets.len() {
        let end = memmem::find_iter(&octets[start..], b"\nFrom ").map(|at| start + at + 1).find(|at| begins_mail(octets, *at));
        let end = end.unwrap_or(octets.len());
        let mail = octets.slice(start..end);
        let is_last = end == octets.len();
        start = end;
        let line = if mail.starts_with(b"From ") { memchr::memchr(b'\n', &mail).map_or(mail.len(), |at| at + 1) } else { 0 };
        let Some(inner) = reading.enter(here, "message.eml") else { return };
        // The envelope's sender and the day: nobody's header.
        reading.text(
            &inner.section("header"),
            Source::Properties,
            plain::clean(String::from_utf8_lossy(&mail[..line])).into_owned(),
            Places::Lines,
        );
        reading.open(&inner, "message.eml", "message/rfc822", mail.slice(line..));
        if is_last {
            return;
        }
    }
}

/// Whether the `From ` at `at` begins a mail: otherwise somebody wrote that word.
fn begins_mail(octets: &[u8], at: usize) -> bool {
    let (before, behind) = octets.split_at(at);
    let is_behind_empty = before.ends_with(b"\n\n") || before.ends_with(b"\n\r\n");
    let next = memchr::memchr(b'\n', behind).map_or(&[][..], |end| &behind[end + 1..]);
    let name = next.iter().position(|b| !(33..=126).contains(b) || *b == b':').filter(|end| *end > 0);
    is_behind_empty && name.is_some_and(|end| next[end] == b':')
}

fn parts(reading: &mut Reading<'_>, here: &Here, message: &Message, source: Source) {
    // A parser passes over such lines; a program for mail may show them.
    if let Some(header) = message.header_with_other_lines() {
        let part = reading.unique(here.section("text"));
        plain::read(reading, here, &part, source, &header, None);
    }
    let parts = message.parts();
    let is_alone = parts.len() == 1;
    for part in parts {
        if let Some((doubt, octets)) = &part.doubt {
            doubtful(reading, here, &part, *doubt, octets);
        }
        match part.role {
            Role::Body => body(reading, here, &part, source),
            Role::Between => between(reading, here, &part, source),
            Role::Nested => reading.member(here, part.name.as_deref().unwrap_or("message.eml"), "message/rfc822", &part.octets),
            // All of the mail is signed: what the signature holds is its body.
            Role::File if is_alone && source == Source::Body && cms::Type::of_message(&part.octets) == Some(cms::Type::Open) => {
                let name = part.name.as_deref().unwrap_or("smime.p7m");
                if let Some(inner) = reading.enter(here, name) {
                    cms::read(reading, &inner, name, &part.octets, source);
                }
            }
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
    let is_other =
        |k: &Kind| !is_file(k) && !matches!(k, Kind::Text | Kind::Html | Kind::Mail | Kind::Mails | Kind::Folded | Kind::Nothing);
    if kinds.iter().any(is_file) {
        reading.member(here, if is_html { "html" } else { "text" }, "", &part.octets);
    }
    let name = reading.unique(here.section(if is_html { "html" } else { "text" }));
    if let Some(kind) = kinds.iter().find(|k| is_other(k)) {
        let reason = if let Kind::Unsupported(reason) = kind { reason } else { "charset" };
        reading.problem(&name, None, ProblemKind::Unsupported, reason);
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
    reading.compare(&inner, name, std::slice::from_ref(&kind));
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
