//! The header as it stands, line by line: linear, and independent of how a parser reads it.

use super::Message;
use bytes::Bytes;

/// More octets than this no header may have: twice what Exchange takes. A parser makes of them up to fifty times as much in memory.
const MAX_OCTETS: usize = 512 * 1024;

/// Nor more fields: real mail has below a hundred, and each takes a hundred octets beside its own.
const MAX_FIELDS: usize = 5000;

/// A header field as it stands in the mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name, as it is written.
    pub name: &'a [u8],
    /// What follows the colon, folded lines and the last CRLF included.
    pub value: &'a [u8],
}

impl Field<'_> {
    /// Whether it is this field; names have no case (RFC 5322, 2.2).
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value on one line, a single space wherever there was white space: a server may fold a field anew.
    #[must_use]
    pub fn unfolded(&self) -> Vec<u8> {
        self.value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(&b' ')
    }
}

impl Message {
    /// Whether the header has more octets or fields than a reader should have to keep: to be asked before anything is parsed.
    #[must_use]
    pub fn has_long_header(&self) -> bool {
        let octets = &self.octets[..self.octets.len().min(MAX_OCTETS + 1)];
        let (mut at, mut fields) = (0, 0);
        while at < octets.len() {
            let end = line_end(octets, at);
            let line = &octets[at..end];
            if is_blank(line) {
                return false;
            }
            fields += usize::from(!line.starts_with(b" ") && !line.starts_with(b"\t"));
            if fields > MAX_FIELDS {
                return true;
            }
            at = end;
        }
        at > MAX_OCTETS
    }

    /// The header as it stands, when a line of it is neither a field nor goes on with one: an empty line was lost, and what stands behind was meant
    /// to be body. The line that mailboxes have in front is none of these.
    #[must_use]
    pub fn header_with_other_lines(&self) -> Option<Bytes> {
        let (mut at, mut holds_others) = (0, false);
        while at < self.octets.len() {
            let end = line_end(&self.octets, at);
            let line = &self.octets[at..end];
            if is_blank(line) {
                break;
            }
            let is_folded = at > 0 && matches!(line[0], b' ' | b'\t');
            let name = memchr::memchr(b':', line).map(|colon| line[..colon].trim_ascii_end());
            let is_field = name.is_some_and(|name| !name.is_empty() && name.iter().all(|b| (33..=126).contains(b)));
            holds_others |= !(is_folded || is_field || at == 0 && line.starts_with(b"From "));
            at = end;
        }
        holds_others.then(|| self.octets.slice(..at))
    }

    /// The header's fields and the body as they stand; `None` when a line of the header is no field: readers may disagree then about where it ends.
    ///
    /// Linear, and independent of how the rest is parsed.
    #[must_use]
    pub fn fields_and_body(&self) -> Option<(Vec<Field<'_>>, &[u8])> {
        let octets = &self.octets[..];
        let (mut fields, mut at) = (Vec::new(), 0);
        while at < octets.len() {
            let end = field_end(octets, at);
            let field = &octets[at..end];
            at = end;
            if field == b"\r\n" {
                break;
            }
            let colon = memchr::memchr(b':', field)?;
            let name = &field[..colon];
            if name.is_empty() || !name.iter().all(|b| (33..=126).contains(b)) {
                return None;
            }
            fields.push(Field { name, value: &field[colon + 1..] });
        }
        Some((fields, &octets[at..]))
    }

    /// The octets without any Received field, folded lines included, for the idempotence key: a mail that is sent again has new ones.
    ///
    /// Linear, and independent of how the rest is parsed.
    pub fn without_received(&self) -> impl Iterator<Item = &[u8]> {
        let octets = &self.octets[..];
        let (mut kept, mut kept_from, mut at) = (Vec::new(), 0, 0);
        while at < octets.len() {
            let end = field_end(octets, at);
            let field = &octets[at..end];
            if is_blank(field) {
                break;
            }
            if is_received(field) {
                kept.push(&octets[kept_from..at]);
                kept_from = end;
            }
            at = end;
        }
        kept.push(&octets[kept_from..]);
        kept.into_iter().filter(|slice| !slice.is_empty())
    }
}

/// Whether a file is a mail: header fields first, one of them of the kind that only mails have.
#[must_use]
pub fn looks_like_mail(octets: &[u8]) -> bool {
    /// More header than any mail has; a text file gives up sooner.
    const MAX_LINES: usize = 1000;
    const TYPICAL: [&str; 10] =
        ["from", "to", "subject", "date", "received", "message-id", "return-path", "mime-version", "content-type", "reply-to"];
    let octets = octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets);
    let mut typical = 0;
    for (number, line) in octets.split_inclusive(|b| *b == b'\n').take(MAX_LINES).enumerate() {
        if is_blank(line) {
            return typical > 0 && number > 0;
        }
        let is_mbox_line = number == 0 && line.starts_with(b"From ");
        if is_mbox_line || (number > 0 && line.starts_with(b" ")) || (number > 0 && line.starts_with(b"\t")) {
            continue;
        }
        let Some(colon) = memchr::memchr(b':', line) else { return false };
        let name = line[..colon].trim_ascii_end();
        if name.is_empty() || !name.iter().all(|b| (33..=126).contains(b)) {
            return false;
        }
        typical += usize::from(TYPICAL.iter().any(|t| name.eq_ignore_ascii_case(t.as_bytes())));
    }
    typical > 1
}

/// Where the field that begins at `at` ends: behind the last of its folded lines.
fn field_end(octets: &[u8], at: usize) -> usize {
    let mut end = line_end(octets, at);
    let is_blank = is_blank(&octets[at..end]);
    while !is_blank && matches!(octets.get(end), Some(b' ' | b'\t')) {
        end = line_end(octets, end);
    }
    end
}

/// Behind the line that `from` lies in.
fn line_end(octets: &[u8], from: usize) -> usize {
    memchr::memchr(b'\n', &octets[from..]).map_or(octets.len(), |i| from + i + 1)
}

fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\r\n" | b"\n")
}

fn is_received(field: &[u8]) -> bool {
    let name = field.split(|b| *b == b':').next().unwrap_or_default();
    name.len() < field.len() && name.trim_ascii_end().eq_ignore_ascii_case(b"received")
}
