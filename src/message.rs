//! The message: its octets as they were received, and what its header and its MIME structure say. The one file that knows mail-parser; what
//! needs no parser is in `header`.

mod header;

pub use header::{Field, looks_like_mail};

use crate::{address::Address, time::Time};
use bytes::Bytes;
use mail_parser::{DecodeProblems, HeaderForm, HeaderName, MessageParser, MessagePart, PartFlags, PartKind};
use std::{borrow::Cow, fmt};

/// A mail, exactly as it came in. A clone shares the octets.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    octets: Bytes,
}

/// What the header tells, parsed once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The Subject, encoded words decoded; empty when there is none.
    pub subject: String,
    /// The Message-ID, without its angle brackets.
    pub message_id: Option<String>,
    /// The Date.
    pub date: Option<Time>,
    /// The Date as it was written, for the idempotence key: two mails that only differ in its spelling are two mails.
    pub date_raw: Option<String>,
    /// The first mailbox of From: display name (may be empty) and address.
    pub from: Option<(String, Address)>,
    /// The mailboxes of To, Cc and Bcc, in that order. They show people who need not be in the envelope.
    pub recipients_in_header: Vec<Address>,
    /// How many Received fields there are: a loop shows by them.
    pub received_count: usize,
    /// Written by a program (RFC 3834, 5): `Auto-Submitted` other than `no`, `Precedence: bulk` or `auto_reply`, or an
    /// `X-Auto-Response-Suppress`. Nobody is to be mailed about it.
    pub automatic: bool,
    /// A multipart/report (RFC 6522): a bounce or a receipt.
    pub report: bool,
    /// Who wrote the mail that a report quotes, in whole or its header (RFC 3462).
    pub report_of: Option<Address>,
}

/// What a delivery status notification says (RFC 3464), as far as one recipient's fate goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryStatus {
    /// The mail came to its end without being delivered; else it is only late, or was passed on.
    pub failed: bool,
    /// Status: `5.1.1`; empty when it says none.
    pub status: String,
    /// What the last server said, without its `smtp;`; empty when it says nothing.
    pub diagnostic: String,
}

/// A mail taken apart for sealing and showing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readable {
    /// The Subject, decoded.
    pub subject: String,
    /// The body as plain text; made from the HTML where the mail has no text of its own.
    pub text: Option<String>,
    /// The body as HTML, as it was sent: to be sanitised by whoever shows it.
    pub html: Option<String>,
    /// Everything else: attachments, inline images, nested mails.
    pub files: Vec<File>,
}

/// A file of a mail, byte-identical to what was attached.
#[derive(Clone, PartialEq, Eq)]
pub struct File {
    /// As the sender named it; whoever offers it for download makes it safe. Never empty.
    pub name: String,
    /// Lowercase, without parameters: `application/pdf`.
    pub media_type: String,
    /// Content-ID without angle brackets: what `cid:` links in the HTML name.
    pub content_id: Option<String>,
    /// Meant to be shown within the text.
    pub inline: bool,
    /// The transfer-decoded content.
    pub octets: Bytes,
}

/// One leaf of the MIME structure (or text between the leaves), transfer-decoded.
#[derive(Clone, Debug)]
pub struct Part {
    /// Lowercase, without parameters. Empty when not given.
    pub media_type: String,
    /// The `charset` parameter.
    pub charset: Option<String>,
    /// The file name, when one is given.
    pub name: Option<String>,
    /// Where it stands.
    pub role: Role,
    /// The transfer-decoded content.
    pub octets: Bytes,
    /// Set when parsers may disagree about this part, with the octets as they stand in the mail: these are to be inspected too.
    pub doubt: Option<(Doubt, Bytes)>,
}

/// What a part is in its mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Shown as (part of) the body.
    Body,
    /// A file: `Content-Disposition: attachment`, a name, or no text type.
    File,
    /// A mail within the mail (message/rfc822, message/global).
    Nested,
    /// Text before, between or behind the parts of a multipart, which nobody shows but everybody gets.
    Between,
}

/// Why a part may be read differently by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The structure or the transfer encoding is broken.
    Damaged,
    /// Nested deeper, or in more parts, than mail-parser's limits.
    TooDeep,
}

/// Multiparts and nested mails together. mail-parser's own default; real mail stays under 10.
const MAX_DEPTH: usize = 64;
/// Parts of one mail: mail-parser's own default; real mail stays under 500.
const MAX_PARTS: usize = 10_000;

impl Message {
    /// A mail of these octets.
    #[must_use]
    pub fn new(octets: Bytes) -> Message {
        Message { octets }
    }

    /// As they were received.
    #[must_use]
    pub fn octets(&self) -> &Bytes {
        &self.octets
    }

    fn parse(&self) -> Option<mail_parser::Message<'_>> {
        // Encoded nested mails are kept whole: each level is parsed by whoever opens it, under the depth limit of extraction.
        MessageParser::new().max_depth(MAX_DEPTH).max_parts(MAX_PARTS).max_encoded_nesting(0).parse(&self.octets[..])
    }

    /// What the header tells.
    #[must_use]
    pub fn facts(&self) -> Facts {
        let Some(parsed) = MessageParser::new().parse_headers(&self.octets[..]) else { return Facts::default() };
        let headers = parsed.headers();
        let raw = |name: &'static str| headers.get(name).map(|h| lossy(h.raw_value()).trim().to_owned());
        let word = |name| raw(name).map(|v| v.split([';', ' ', '\t', '(']).next().unwrap_or_default().to_ascii_lowercase());
        let report = parsed.is_content_type("multipart", "report");
        let lists = headers.all_to().chain(headers.all_cc()).chain(headers.all_bcc());
        Facts {
            subject: subject(&parsed),
            message_id: headers.message_id().map(str::to_owned),
            date: headers.date().filter(|d| d.is_valid()).map(|d| Time::from_millis(d.to_timestamp().saturating_mul(1000))),
            date_raw: raw("Date"),
            from: headers.from().and_then(|list| {
                list.mailboxes().find_map(|m| Some((m.name().unwrap_or_default().to_owned(), Address::parse(m.address()?).ok()?)))
            }),
            recipients_in_header: lists
                .flat_map(|list| list.mailboxes().filter_map(|m| Address::parse(m.address()?).ok()).collect::<Vec<_>>())
                .collect(),
            received_count: headers.all(HeaderName::Received).count(),
            automatic: word("Auto-Submitted").is_some_and(|v| v != "no")
                || word("Precedence").is_some_and(|v| v == "bulk" || v == "auto_reply")
                || headers.contains("X-Auto-Response-Suppress"),
            report,
            report_of: report.then(|| self.quoted_sender()).flatten(),
        }
    }

    /// The From of the first mail, or mail header, that this one holds.
    fn quoted_sender(&self) -> Option<Address> {
        let quoted = self.parts().into_iter().find(|p| p.role == Role::Nested || p.media_type == "text/rfc822-headers")?;
        // Only the header is read, so a report within a report is not followed.
        let header = MessageParser::new().parse_headers(&quoted.octets[..])?;
        header.headers().from()?.mailboxes().find_map(|m| Address::parse(m.address()?).ok())
    }

    /// What the mail says as a delivery status notification; `None` when it is none. One that no program can read tells of a failure: what
    /// reports success or a delay is written by those who do it right.
    #[must_use]
    pub fn delivery_status(&self) -> Option<DeliveryStatus> {
        let parsed = MessageParser::new().parse_headers(&self.octets[..])?;
        let of_delivery =
            parsed.content_type().and_then(|t| t.attribute("report-type")).is_some_and(|t| t.eq_ignore_ascii_case("delivery-status"));
        if !(parsed.is_content_type("multipart", "report") && of_delivery) {
            return None;
        }
        let status = self.parts().into_iter().find(|p| p.media_type == "message/delivery-status");
        let text = status.map(|p| lossy(&p.octets).replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", " ")).unwrap_or_default();
        let field = |group: &str, name: &str| {
            let mut lines = group.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(n, _)| n.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
        };
        let groups: Vec<&str> = text.split("\n\n").filter(|group| field(group, "Action").is_some()).collect();
        let is_failure = |group: &&&str| field(group, "Action").is_some_and(|a| a.eq_ignore_ascii_case("failed"));
        let group = groups.iter().find(is_failure).or(groups.first()).copied().unwrap_or_default();
        let diagnostic = field(group, "Diagnostic-Code").unwrap_or_default();
        let diagnostic = diagnostic.split_once(';').map_or(diagnostic.as_str(), |(_, text)| text.trim()).to_owned();
        let failed = groups.is_empty() || groups.iter().any(|g| is_failure(&g));
        Some(DeliveryStatus { failed, status: field(group, "Status").unwrap_or_default(), diagnostic })
    }

    /// Every header field of the mail itself, decoded and unfolded, in order.
    #[must_use]
    pub fn header_fields(&self) -> Vec<(String, String)> {
        let Some(parsed) = MessageParser::new().parse_headers(&self.octets[..]) else { return Vec::new() };
        let headers = parsed.headers();
        headers
            .iter()
            .map(|header| {
                let text = header.parse_as(HeaderForm::Text).value().as_text().map(str::to_owned);
                (header.raw_name().to_owned(), text.unwrap_or_else(|| lossy(header.raw_value()).trim().to_owned()))
            })
            .collect()
    }

    /// The leaves of the MIME structure in the order of the mail, without opening nested mails; and text between them.
    #[must_use]
    pub fn parts(&self) -> Vec<Part> {
        let Some(parsed) = self.parse() else {
            return vec![Part { doubt: Some((Doubt::Damaged, self.octets.clone())), ..self.plain(Role::Body, self.octets.clone()) }];
        };
        let mut parts = Vec::new();
        for part in parsed.root().parts() {
            if part.is_multipart() {
                self.between(&part, &mut parts);
            } else {
                parts.push(self.leaf(&part));
            }
        }
        parts
    }

    fn plain(&self, role: Role, octets: Bytes) -> Part {
        Part { media_type: "text/plain".into(), charset: None, name: None, role, octets, doubt: None }
    }

    fn leaf(&self, part: &MessagePart<'_>) -> Part {
        let media_type = media_type(part);
        let (octets, problems) = part.decoded_checked();
        let name = part.attachment_name().map(str::to_owned);
        let role = if is_nested(part, &media_type) {
            Role::Nested
        } else if name.is_none() && matches!(media_type.as_str(), "text/plain" | "text/html" | "") && !is_attachment(part) {
            Role::Body
        } else {
            Role::File
        };
        let doubt = self.doubt(part, problems, role).map(|doubt| (doubt, self.share(part.raw())));
        let charset = part.content_type().and_then(|t| t.attribute("charset")).map(str::to_owned);
        Part { media_type, charset, name, role, octets: self.own(octets), doubt }
    }

    /// Octets that belong to a multipart but to none of its parts: preamble, epilogue. Everybody receives them, so they are read.
    fn between(&self, multipart: &MessagePart<'_>, parts: &mut Vec<Part>) {
        let start = multipart.offset_body();
        let body = multipart.raw_body();
        let within = |offset: u32| (offset.saturating_sub(start) as usize).min(body.len());
        let boundary = multipart.boundary().unwrap_or_default();
        let children: Vec<_> = multipart.children().collect();
        let preamble_end = children.first().map_or(body.len(), |c| within(c.offset_header()));
        let epilogue = children.last().map_or(body.len(), |c| within(c.offset_end()));
        for gap in [&body[..preamble_end], &body[epilogue..]] {
            let text = without_delimiters(gap, boundary);
            if !text.trim_ascii().is_empty() {
                parts.push(self.plain(Role::Between, Bytes::from(text)));
            }
        }
        if let Some(doubt) = self.doubt(multipart, DecodeProblems::default(), Role::Between) {
            let empty = self.plain(Role::Between, Bytes::new());
            parts.push(Part { doubt: Some((doubt, self.share(multipart.raw()))), ..empty });
        }
    }

    fn doubt(&self, part: &MessagePart<'_>, problems: DecodeProblems, role: Role) -> Option<Doubt> {
        let flags = part.flags();
        let is_root = part.parent().is_none();
        let twice = |name: HeaderName<'static>| part.headers().all(name).count() > 1;
        if flags.contains(PartFlags::LIMIT_REACHED) {
            return Some(Doubt::TooDeep);
        }
        // An encoded nested mail was kept whole on purpose (see `parse`), and a mail may be a header alone (RFC 5322, 3.5).
        let broken = PartFlags::MISSING_DELIMITER | PartFlags::FALLBACK_DELIMITER | PartFlags::UNTERMINATED;
        let cut = flags.contains(PartFlags::NO_BLANK_LINE) && !is_root && role != Role::Nested;
        // Readers differ in which of two fields they believe, and a wrong transfer encoding hides the whole part.
        let contradicts = twice(HeaderName::ContentType) || twice(HeaderName::ContentTransferEncoding);
        let is_hollow = media_type(part).starts_with("multipart/") && part.children().len() == 0;
        (flags.intersects(broken) || cut || contradicts || is_hollow || !problems.is_empty()).then_some(Doubt::Damaged)
    }

    /// The mail for sealing and showing. Where decoding is doubtful the whole original is added as a file, so that nothing is lost.
    #[must_use]
    pub fn readable(&self) -> Readable {
        let mut files = Vec::new();
        let taken = self.take_apart(|file| {
            files.push(file);
            Ok::<(), std::convert::Infallible>(())
        });
        match taken {
            Ok(readable) => Readable { files, ..readable },
            Err(never) => match never {},
        }
    }

    /// How many files [`Message::take_apart`] gives, the whole original not counted.
    #[must_use]
    pub fn file_count(&self) -> usize {
        self.parse().map_or(1, |parsed| parsed.root().parts().filter(is_file).count())
    }

    /// As [`Message::readable`], but each file is given to `each` as soon as it is decoded: no more than one need be in memory.
    ///
    /// # Errors
    /// That of `each`, which ends it.
    pub fn take_apart<E>(&self, mut each: impl FnMut(File) -> Result<(), E>) -> Result<Readable, E> {
        let Some(parsed) = self.parse() else {
            each(self.whole())?;
            return Ok(Readable::default());
        };
        let root = parsed.root();
        let mut doubtful = false;
        let mut number = 0;
        for part in root.parts() {
            let (octets, problems) = part.decoded_checked();
            let shown = is_shown(&part);
            let problems = if shown { part.text_checked().map_or(problems, |(_, p)| p) } else { problems };
            let role = if shown { Role::Body } else { Role::File };
            doubtful |= self.doubt(&part, problems, role).is_some();
            if is_file(&part) {
                number += 1;
                each(self.file(&part, octets, number))?;
            }
        }
        if doubtful {
            each(self.whole())?;
        }
        let (mut text, mut html, mut has_html) = (String::new(), String::new(), false);
        for part in root.text_body().filter(MessagePart::is_text) {
            let piece = part.text().unwrap_or_default();
            let plain = if matches!(part.kind(), PartKind::Html) { Cow::Owned(mail_parser::html_to_text(&piece)) } else { piece };
            join(&mut text, &plain, "\n");
        }
        for part in root.html_body().filter(MessagePart::is_text) {
            let is_html = matches!(part.kind(), PartKind::Html);
            has_html |= is_html;
            let piece = part.text().unwrap_or_default();
            let markup = if is_html { piece } else { Cow::Owned(format!("<pre>{}</pre>", escaped(&piece))) };
            join(&mut html, &markup, "\n");
        }
        let some = |s: String| (!s.trim().is_empty()).then_some(s);
        Ok(Readable { subject: subject(&parsed), text: some(text), html: some(html).filter(|_| has_html), files: Vec::new() })
    }

    fn file(&self, part: &MessagePart<'_>, octets: Cow<'_, [u8]>, number: usize) -> File {
        let media_type = media_type(part);
        let nested = is_nested(part, &media_type);
        let given = part.attachment_name().map(str::trim).filter(|n| !n.is_empty()).map(str::to_owned);
        let name = given.unwrap_or_else(|| match (nested, part.nested().and_then(|m| m.headers().subject())) {
            (true, Some(subject)) if !subject.trim().is_empty() => format!("{}.eml", subject.trim()),
            (true, _) => format!("bericht-{number}.eml"),
            _ => format!("bijlage-{number}{}", extension(&media_type)),
        });
        File { name, media_type, content_id: part.content_id().map(str::to_owned), inline: part.is_inline(), octets: self.own(octets) }
    }

    /// The mail itself as a file.
    fn whole(&self) -> File {
        let (name, media_type) = ("bericht.eml".into(), "message/rfc822".into());
        File { name, media_type, content_id: None, inline: false, octets: self.octets.clone() }
    }

    /// Shares what lies within the mail.
    fn share(&self, slice: &[u8]) -> Bytes {
        let own = self.octets.as_ptr_range();
        let is_within = own.contains(&slice.as_ptr()) && slice.len() <= own.end as usize - slice.as_ptr() as usize;
        if is_within { self.octets.slice_ref(slice) } else { Bytes::copy_from_slice(slice) }
    }

    fn own(&self, octets: Cow<'_, [u8]>) -> Bytes {
        match octets {
            Cow::Borrowed(slice) => self.share(slice),
            Cow::Owned(vec) => Bytes::from(vec),
        }
    }
}

/// Its size alone: content never reaches a log.
impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({} octets)", self.octets.len())
    }
}

/// Name and size alone.
impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "File({:?}, {} octets)", self.media_type, self.octets.len())
    }
}

/// Text in one of the charsets that mail uses and encoding_rs does not know (UTF-7); and whether some of it did not fit.
#[must_use]
pub fn decode_utf7(octets: &[u8]) -> (Cow<'_, str>, bool) {
    mail_parser::Charset::from_label(b"utf-7").unwrap_or_default().decode_checked(octets)
}

fn subject(parsed: &mail_parser::Message<'_>) -> String {
    parsed.subject().unwrap_or_default().to_owned()
}

fn media_type(part: &MessagePart<'_>) -> String {
    part.content_type().map_or_else(String::new, |t| match t.subtype() {
        Some(subtype) => format!("{}/{subtype}", t.ctype()).to_ascii_lowercase(),
        None => t.ctype().to_ascii_lowercase(),
    })
}

fn is_nested(part: &MessagePart<'_>, media_type: &str) -> bool {
    part.is_message() || matches!(media_type, "message/rfc822" | "message/global")
}

fn is_attachment(part: &MessagePart<'_>) -> bool {
    part.content_disposition().is_some_and(|d| d.is_attachment())
}

/// The lines of `gap` that are no delimiter of `boundary`.
fn without_delimiters(gap: &[u8], boundary: &str) -> Vec<u8> {
    let is_delimiter = |line: &[u8]| {
        let rest = line.trim_ascii().strip_prefix(b"--").and_then(|l| l.strip_prefix(boundary.as_bytes()));
        rest.is_some_and(|r| r.is_empty() || r == b"--")
    };
    gap.split_inclusive(|b| *b == b'\n').filter(|line| !is_delimiter(line)).flatten().copied().collect()
}

/// Whether a part is what the recipient sees as the body.
fn is_shown(part: &MessagePart<'_>) -> bool {
    part.is_text() && (part.in_text_body() || part.in_html_body())
}

fn is_file(part: &MessagePart<'_>) -> bool {
    !is_shown(part) && !part.is_multipart()
}

fn join(whole: &mut String, piece: &str, between: &str) {
    if !whole.is_empty() {
        whole.push_str(between);
    }
    whole.push_str(piece);
}

/// A text as HTML shows it.
#[must_use]
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn lossy(octets: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(octets)
}

/// What a nameless file is called, so that a click on it does something sensible.
fn extension(media_type: &str) -> &'static str {
    match media_type {
        "text/plain" | "" => ".txt",
        "text/html" => ".html",
        "text/calendar" => ".ics",
        "image/png" => ".png",
        "image/jpeg" => ".jpg",
        "image/gif" => ".gif",
        "application/pdf" => ".pdf",
        _ => ".bin",
    }
}

#[cfg(test)]
mod tests;
