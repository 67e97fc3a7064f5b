//! Files within a text: uuencode (POSIX, `uuencode`), in both of its alphabets, and armour.

use super::plain::BASE64;
use base64::Engine as _;

/// A file that stands in a text.
pub(super) struct Encoded {
    pub(super) name: String,
    pub(super) octets: Vec<u8>,
    /// It goes on to its `end`.
    pub(super) is_whole: bool,
}

/// Files in the text as `begin 644 name` ... `end`, or `begin-base64 644 name` ... `====`: attachments to Outlook.
pub(super) fn files(text: &str) -> Vec<Encoded> {
    let mut files = Vec::new();
    let mut from = 0;
    while let Some(found) = memchr::memmem::find(&text.as_bytes()[from..], b"begin") {
        let start = from + found;
        from = start + "begin".len();
        let at_line_start = start == 0 || text.as_bytes()[start - 1] == b'\n';
        let Some((head, body)) = text[from..].split_once('\n').filter(|_| at_line_start) else { continue };
        let (rest, is_base64) = head.strip_prefix("-base64").map_or((head, false), |rest| (rest, true));
        let Some((mode, name)) = rest.strip_prefix(' ').and_then(|rest| rest.trim_end().split_once(' ')) else { continue };
        if !(3..=4).contains(&mode.len()) || !mode.bytes().all(|b| (b'0'..=b'7').contains(&b)) {
            continue;
        }
        let (octets, length, is_whole) = if is_base64 { base64_lines(body) } else { uuencoded_lines(body) };
        // Where a line fits no more the next file may begin.
        from += head.len() + 1 + length;
        if !octets.is_empty() {
            files.push(Encoded { name: name.to_owned(), octets, is_whole });
        }
    }
    files
}

/// What stands in armour (RFC 7468, 9) further down a text, with all behind it. Where a text begins so, all of it is that file.
pub(super) fn signed(text: &str) -> Option<Encoded> {
    let starts = ["\n-----BEGIN PKCS7-----", "\n-----BEGIN CMS-----"].iter().filter_map(|start| text.find(start));
    let octets = text.as_bytes()[starts.min()? + 1..].to_vec();
    Some(Encoded { name: "signed.pem".to_owned(), octets, is_whole: true })
}

/// The octets, how long their lines are, and whether an end stands behind them.
fn uuencoded_lines(body: &str) -> (Vec<u8>, usize, bool) {
    let (mut octets, mut length) = (Vec::new(), 0);
    for line in body.split_inclusive('\n') {
        let trimmed = line.trim_end_matches(['\r', '\n']);
        if trimmed.trim_end() == "end" {
            return (octets, length + line.len(), true);
        }
        if !uudecode(trimmed, &mut octets) {
            break;
        }
        length += line.len();
    }
    (octets, length, false)
}

fn base64_lines(body: &str) -> (Vec<u8>, usize, bool) {
    let (mut packed, mut length) = (String::new(), 0);
    let mut is_ended = false;
    for line in body.split_inclusive('\n') {
        is_ended = line.trim_end() == "====";
        if is_ended || !line.trim_end().bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=')) {
            break;
        }
        packed.push_str(line.trim_end());
        length += line.len();
    }
    let octets = BASE64.decode(packed);
    let is_whole = is_ended && octets.is_ok();
    (octets.unwrap_or_default(), length, is_whole)
}

fn uudecode(line: &str, octets: &mut Vec<u8>) -> bool {
    let value = |b: u8| b.wrapping_sub(32) & 63;
    let bytes = line.as_bytes();
    let Some((&count, data)) = bytes.split_first() else { return true };
    let count = usize::from(value(count));
    if bytes.iter().any(|b| !(32..=96).contains(b)) || data.len() > count.div_ceil(3) * 4 + 1 {
        return false;
    }
    // Blanks at the end of a line, which mean zeros, are lost on the way.
    let mut data = data.to_vec();
    data.resize(count.div_ceil(3) * 4, b' ');
    let before = octets.len();
    for group in data.chunks_exact(4) {
        let v = |i: usize| value(group[i]);
        octets.extend([v(0) << 2 | v(1) >> 4, v(1) << 4 | v(2) >> 2, v(2) << 6 | v(3)]);
    }
    octets.truncate(before + count);
    true
}
