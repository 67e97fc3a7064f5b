//! Replies (RFC 5321, 4.2) with enhanced status codes (RFC 2034, RFC 3463): ours, and those of the next hop.

use std::{borrow::Cow, fmt};

/// RFC 5321, 4.5.3.1.5: a reply line is at most 512 octets, CRLF included; the code and the enhanced code take some of it.
const LINE_TEXT: usize = 480;

/// A reply keeps this many lines at most: a next hop's refusal may be long-winded, and it becomes our reply.
const LINES: usize = 16;

/// An enhanced status code: class, subject, detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enhanced(pub u8, pub u16, pub u16);

/// What a server answers to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    enhanced: Option<Enhanced>,
    /// Printable ASCII; lines are separated by `\n`.
    text: Cow<'static, str>,
}

impl Reply {
    /// Something unexpected on our side: the sender's server keeps the mail and tries again.
    pub const TRY_LATER: Reply = Reply::fixed(451, Enhanced(4, 3, 0), "Temporary failure, please try again later");
    /// The next hop cannot be reached.
    pub const NEXT_HOP_UNREACHABLE: Reply =
        Reply::fixed(451, Enhanced(4, 4, 1), "The next mail server does not answer, please try again later");
    /// The connection to the next hop was lost before it took responsibility.
    pub const NEXT_HOP_LOST: Reply = Reply::fixed(451, Enhanced(4, 4, 2), "The next mail server broke off, please try again later");
    /// The next hop did not answer in time.
    pub const NEXT_HOP_SLOW: Reply = Reply::fixed(451, Enhanced(4, 4, 5), "The next mail server is too slow, please try again later");
    /// The next hop cannot be reached by the TLS that is asked of it.
    pub const NEXT_HOP_TLS: Reply =
        Reply::fixed(451, Enhanced(4, 7, 5), "The next mail server cannot be reached safely, please try again later");
    /// Agreed.
    pub const OK: Reply = Reply::fixed(250, Enhanced(2, 0, 0), "Ok");

    /// A reply whose text is written in the code: one line of printable ASCII.
    #[must_use]
    pub const fn fixed(code: u16, enhanced: Enhanced, text: &'static str) -> Reply {
        Reply { code, enhanced: Some(enhanced), text: Cow::Borrowed(text) }
    }

    /// A reply with a text made at run time; what may not stand in a reply becomes `?`, and long lines are cut.
    ///
    /// The class of `enhanced` is taken from the code if they disagree: a client may go by either.
    #[must_use]
    pub fn new(code: u16, enhanced: Option<Enhanced>, text: &str) -> Reply {
        let class = u8::try_from(code / 100).unwrap_or(4);
        let enhanced = match enhanced {
            Some(e) if e.0 == class => Some(e),
            _ if matches!(class, 2 | 4 | 5) => Some(Enhanced(class, 0, 0)),
            _ => None,
        };
        let lines: Vec<String> = text.lines().take(LINES).map(printable).collect();
        Reply { code, enhanced, text: Cow::Owned(lines.join("\n")) }
    }

    /// The three-digit code.
    #[must_use]
    pub fn code(&self) -> u16 {
        self.code
    }

    /// The enhanced status code; 3yz replies, greetings and the answer to EHLO have none.
    #[must_use]
    pub fn enhanced(&self) -> Option<Enhanced> {
        self.enhanced
    }

    /// The text, its lines separated by `\n`.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// 2yz: done.
    #[must_use]
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }

    /// 3yz: go on.
    #[must_use]
    pub fn is_intermediate(&self) -> bool {
        self.code / 100 == 3
    }

    /// 5yz: repeating it would not help.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        self.code / 100 == 5
    }

    /// This reply of the next hop as our own: 421 would say that *we* close the connection (RFC 5321, 4.2.1), so it becomes 451.
    #[must_use]
    pub fn relayed(self) -> Reply {
        if self.code == 421 { Reply { code: 451, ..self } } else { self }
    }

    /// Appends the reply as it goes over the wire.
    pub fn write(&self, to: &mut Vec<u8>) {
        // Empty lines at the end count too: with two last lines a client would take the second for the answer to its next command.
        let last = self.text.split('\n').count() - 1;
        for (at, line) in self.text.split('\n').enumerate() {
            let separator = if at < last { '-' } else { ' ' };
            let line = match self.enhanced {
                Some(Enhanced(class, subject, detail)) => format!("{}{separator}{class}.{subject}.{detail} {line}\r\n", self.code),
                None => format!("{}{separator}{line}\r\n", self.code),
            };
            to.extend_from_slice(line.as_bytes());
        }
    }
}

/// For logs: `451 4.4.1 The next mail server does not answer, please try again later`.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.code)?;
        if let Some(Enhanced(class, subject, detail)) = self.enhanced {
            write!(f, "{class}.{subject}.{detail} ")?;
        }
        f.write_str(&self.text.replace('\n', " / "))
    }
}

fn printable(line: &str) -> String {
    line.chars().map(|c| if c == '\t' { ' ' } else { c }).map(|c| if (' '..='~').contains(&c) { c } else { '?' }).take(LINE_TEXT).collect()
}

/// Why octets from the next hop are no reply; the connection is of no further use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the next hop does not speak SMTP")]
pub struct NotSmtp;

/// The octets of a reply that are waited for without an end: Exchange's longest refusals take some 2 KiB.
const REPLY_OCTETS: usize = 16 * 1024;

/// Takes one reply from the front of `input`: the reply and the octets it took, or `None` while it is incomplete.
///
/// Lines may end in a bare LF here: nothing after a reply is taken on trust because of where it ended, and some servers do it.
///
/// # Errors
/// [`NotSmtp`] for anything but one code on all lines, or for a reply without an end.
pub fn parse(input: &[u8]) -> Result<Option<(Reply, usize)>, NotSmtp> {
    let mut lines: Vec<&[u8]> = Vec::new();
    let (mut at, mut code) = (0, None);
    while let Some(end) = memchr::memchr(b'\n', &input[at..]) {
        let line = &input[at..at + end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        at += end + 1;
        let digits = line.get(..3).filter(|d| d.iter().all(u8::is_ascii_digit)).ok_or(NotSmtp)?;
        let this = digits.iter().fold(0u16, |code, d| code * 10 + u16::from(d - b'0'));
        if *code.get_or_insert(this) != this || !(200..600).contains(&this) {
            return Err(NotSmtp);
        }
        lines.push(line.get(4..).unwrap_or_default());
        match line.get(3) {
            Some(b'-') => {}
            None | Some(b' ') => return Ok(Some((from_lines(this, &lines), at))),
            Some(_) => return Err(NotSmtp),
        }
        if at > REPLY_OCTETS {
            return Err(NotSmtp);
        }
    }
    if input.len() > REPLY_OCTETS { Err(NotSmtp) } else { Ok(None) }
}

fn from_lines(code: u16, lines: &[&[u8]]) -> Reply {
    let mut enhanced = None;
    let mut texts: Vec<String> = Vec::new();
    for line in lines {
        let line = String::from_utf8_lossy(line);
        let (code, text) = match line.split_once(' ') {
            Some((first, rest)) => (parse_enhanced(first), rest),
            None => (parse_enhanced(&line), ""),
        };
        match code {
            Some(code) => {
                enhanced = enhanced.or(Some(code));
                texts.push(text.to_owned());
            }
            None => texts.push(line.into_owned()),
        }
    }
    Reply::new(code, enhanced, &texts.join("\n"))
}

fn parse_enhanced(word: &str) -> Option<Enhanced> {
    let mut parts = word.split('.');
    let class = parts.next()?.parse().ok().filter(|c| matches!(c, 2 | 4 | 5))?;
    let (subject, detail) = (parts.next()?, parts.next()?);
    let number = |text: &str| if text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None };
    match parts.next() {
        Some(_) => None,
        None => Some(Enhanced(class, number(subject)?, number(detail)?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wire: &str, ours: &str) {
        let (reply, taken) = parse(wire.as_bytes()).unwrap().unwrap();
        let mut written = Vec::new();
        reply.write(&mut written);
        assert_eq!((String::from_utf8(written).unwrap().as_str(), taken), (ours, wire.len()), "{wire:?}");
    }

    #[test]
    fn a_next_hops_reply_is_told_as_it_is() {
        check("250 2.1.0 Ok\r\n", "250 2.1.0 Ok\r\n");
        check("250 Ok\r\n", "250 2.0.0 Ok\r\n");
        check("550-5.7.1 no\r\n550 5.7.1 way\r\n", "550-5.7.1 no\r\n550 5.7.1 way\r\n");
        check("550-5.7.1 no\r\n550 way\r\n", "550-5.7.1 no\r\n550 5.7.1 way\r\n");
        check("452 5.7.1 mixed up\r\n", "452 4.0.0 mixed up\r\n");
        check("550 1.2.3.4 is listed\r\n", "550 5.0.0 1.2.3.4 is listed\r\n");
        check("354 go on\r\n", "354 go on\r\n");
        check("250\r\n", "250 2.0.0 \r\n");
        check("451 4.7.0 caf\u{e9}\tx\n", "451 4.7.0 caf? x\r\n");
        // One reply, not two.
        check("250-a\r\n250-\r\n250 \r\n", "250-2.0.0 a\r\n250 2.0.0 \r\n");
    }

    #[test]
    fn nothing_else_is_a_reply() {
        for wire in ["HTTP/1.1 200 OK\r\n", "250-a\r\n251 b\r\n", "99\r\n", "150 x\r\n", "250_x\r\n", "\r\n"] {
            assert_eq!(parse(wire.as_bytes()), Err(NotSmtp), "{wire:?}");
        }
        assert_eq!(parse(b"250-a\r\n250 b\r"), Ok(None));
        assert_eq!(parse("250-a\r\n".repeat(5000).as_bytes()), Err(NotSmtp));
        assert_eq!(parse(&[b'2'; 20_000]), Err(NotSmtp));
    }

    #[test]
    fn a_reply_line_stays_below_512_octets_and_421_is_not_passed_on() {
        let mut written = Vec::new();
        Reply::new(550, None, &"x".repeat(5000)).write(&mut written);
        assert!(written.len() <= 512);
        assert_eq!(Reply::new(421, None, "bye").relayed().code(), 451);
        assert_eq!(Reply::new(550, None, "a\r\n250 b").to_string(), "550 5.0.0 a / 250 b");
    }
}
