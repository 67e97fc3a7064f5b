//! Command lines (RFC 5321, 4.1): what a client says, or the reply that tells what is wrong with it.
//!
//! The grammar is smtp-proto's. Paths are taken from the line itself, since smtp-proto removes the quotes of a local part and zegel
//! passes an address on as it was written.

use super::reply::{Enhanced, Reply};
use crate::address::{Address, AddressError};
use smtp_proto::{Error, Request};
use std::fmt::Write as _;

/// RFC 5321, 4.5.3.1.4 asks for 512 octets, extensions add to it; nothing we offer needs more than 4096, CRLF included.
pub const LINE_LIMIT: usize = 4096;

/// A command about the envelope: what the next hop must hear and answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EnvelopeCommand {
    /// MAIL FROM.
    Mail {
        /// The reverse-path; `None` is the null sender `<>`.
        from: Option<Address>,
        /// The parameters as they were received, without SIZE: ` BODY=8BITMIME`, or empty.
        parameters: String,
        /// The announced size in octets, if any.
        size: Option<u64>,
    },
    /// RCPT TO.
    Rcpt {
        /// The forward-path.
        to: Address,
        /// The parameters as they were received.
        parameters: String,
    },
}

impl EnvelopeCommand {
    /// Whether the body is declared 8BITMIME.
    #[must_use]
    pub fn is_eight_bit(&self) -> bool {
        matches!(self, EnvelopeCommand::Mail { parameters, .. } if parameters.to_ascii_uppercase().contains(" BODY=8BITMIME"))
    }
}

/// A command, its line without fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Ehlo(String),
    Helo(String),
    Envelope(EnvelopeCommand),
    Data,
    /// CHUNKING is not offered; so many octets are behind the line all the same.
    Bdat(usize),
    Rset,
    Noop,
    Help,
    Vrfy,
    StartTls,
    Quit,
    NotImplemented,
}

const NOT_UNDERSTOOD: Reply = Reply::fixed(500, Enhanced(5, 5, 2), "Command not recognized");
const BAD_SENDER: Reply = Reply::fixed(501, Enhanced(5, 1, 7), "Bad sender address syntax");
const BAD_RECIPIENT: Reply = Reply::fixed(501, Enhanced(5, 1, 3), "Bad recipient address syntax");
const NO_DOMAIN: Reply = Reply::fixed(550, Enhanced(5, 1, 3), "This server has no mailboxes; give the full address");
const ASCII_ONLY: Reply = Reply::fixed(553, Enhanced(5, 6, 7), "SMTPUTF8 is not supported");
const BAD_BODY: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "BODY is 7BIT or 8BITMIME");
const NO_ARGUMENT: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "This command takes no argument");

impl Command {
    /// Reads a line whose end was found to be an exact CRLF; `line` includes it.
    pub(super) fn parse(line: &[u8]) -> Result<Command, Reply> {
        let text = line.strip_suffix(b"\r\n").ok_or(NOT_UNDERSTOOD)?;
        if memchr::memchr3(b'\r', b'\n', 0, text).is_some() {
            return Err(NOT_UNDERSTOOD);
        }
        // smtp-proto skips blanks before the verb, and takes commands without argument whatever follows.
        if !text.first().is_some_and(u8::is_ascii_alphabetic) {
            return Err(NOT_UNDERSTOOD);
        }
        let alone = || if text.trim_ascii_end().contains(&b' ') { Err(NO_ARGUMENT) } else { Ok(()) };
        let request = match Request::parse(&mut line.iter()) {
            Ok(request) => request,
            // smtp-proto refuses `jan..jansen@`, which exists; what an address may be is said by Address alone.
            Err(Error::InvalidSenderAddress) => return mail(text).map(Command::Envelope),
            Err(Error::InvalidRecipientAddress) => return rcpt(text).map(Command::Envelope),
            Err(error) => return Err(refusal(&error)),
        };
        let command = match request {
            Request::Ehlo { host } => Command::Ehlo(host.into_owned()),
            Request::Helo { host } => Command::Helo(host.into_owned()),
            Request::Mail { .. } => Command::Envelope(mail(text)?),
            Request::Rcpt { .. } => Command::Envelope(rcpt(text)?),
            Request::Data => alone().map(|()| Command::Data)?,
            Request::Rset => alone().map(|()| Command::Rset)?,
            Request::StartTls => alone().map(|()| Command::StartTls)?,
            Request::Quit => alone().map(|()| Command::Quit)?,
            Request::Bdat { chunk_size, .. } => Command::Bdat(chunk_size),
            Request::Noop { .. } => Command::Noop,
            Request::Help { .. } => Command::Help,
            Request::Vrfy { .. } => Command::Vrfy,
            _ => Command::NotImplemented,
        };
        Ok(command)
    }
}

fn refusal(error: &Error) -> Reply {
    match error {
        Error::SyntaxError { syntax } => Reply::new(501, Some(Enhanced(5, 5, 4)), &format!("Syntax: {syntax}")),
        Error::InvalidParameter { param } => Reply::new(501, Some(Enhanced(5, 5, 4)), &format!("Invalid parameter {param}")),
        Error::UnsupportedParameter { .. } => unsupported(),
        // The line is whole, so it is its argument that ends too early.
        Error::NeedsMoreData { .. } => Reply::fixed(501, Enhanced(5, 5, 4), "Syntax error in parameters or arguments"),
        _ => NOT_UNDERSTOOD,
    }
}

fn unsupported() -> Reply {
    Reply::fixed(555, Enhanced(5, 5, 4), "Parameter not recognized or not implemented")
}

fn mail(text: &[u8]) -> Result<EnvelopeCommand, Reply> {
    let (path, rest) = path(text).ok_or(BAD_SENDER)?;
    let from = match path {
        "" => None,
        path => Some(address(path, BAD_SENDER)?),
    };
    let (mut parameters, mut size, mut body) = (String::new(), None, false);
    for word in rest.split_ascii_whitespace() {
        let (keyword, value) = word.split_once('=').unwrap_or((word, ""));
        match keyword.to_ascii_uppercase().as_str() {
            "SIZE" if size.is_none() => {
                size = Some(value.parse().map_err(|_| Reply::new(501, Some(Enhanced(5, 5, 4)), "SIZE is a number"))?)
            }
            "BODY" if !body => {
                if !value.eq_ignore_ascii_case("7BIT") && !value.eq_ignore_ascii_case("8BITMIME") {
                    return Err(BAD_BODY);
                }
                body = true;
                let _ = write!(parameters, " {word}");
            }
            _ => return Err(unsupported()),
        }
    }
    Ok(EnvelopeCommand::Mail { from, parameters, size })
}

fn rcpt(text: &[u8]) -> Result<EnvelopeCommand, Reply> {
    let (path, rest) = path(text).ok_or(BAD_RECIPIENT)?;
    if path.eq_ignore_ascii_case("postmaster") {
        return Err(NO_DOMAIN);
    }
    // RFC 5321, 3.3 and appendix C: a source route `@a,@b:` is taken and ignored.
    let mailbox = match path.strip_prefix('@') {
        Some(_) => path.split_once(':').ok_or(BAD_RECIPIENT)?.1,
        None => path,
    };
    let to = address(mailbox, BAD_RECIPIENT)?;
    if !rest.trim_ascii().is_empty() {
        return Err(unsupported());
    }
    Ok(EnvelopeCommand::Rcpt { to, parameters: String::new() })
}

fn address(path: &str, bad: Reply) -> Result<Address, Reply> {
    Address::parse(path).map_err(|error| match error {
        AddressError::NotAscii => ASCII_ONLY,
        AddressError::Syntax | AddressError::TooLong => bad,
    })
}

/// What stands between the first `<` and its `>`, quoted strings respected, and what follows.
fn path(text: &[u8]) -> Option<(&str, &str)> {
    // Not UTF-8: no address of ours. U+FFFD would make it "outside ASCII", which is the truth, so both end in a refusal.
    let text = std::str::from_utf8(text).ok()?;
    let start = text.find('<')? + 1;
    let mut quoted = false;
    let mut octets = text.bytes().enumerate().skip(start);
    while let Some((at, octet)) = octets.next() {
        match octet {
            b'"' => quoted = !quoted,
            b'\\' if quoted => {
                octets.next();
            }
            b'>' if !quoted => {
                let rest = &text[at + 1..];
                return (rest.is_empty() || rest.starts_with(' ')).then_some((&text[start..at], rest));
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, u16> {
        Command::parse(format!("{line}\r\n").as_bytes()).map_err(|reply| reply.code())
    }

    fn mail(from: Option<&str>, parameters: &str, size: Option<u64>) -> Result<Command, u16> {
        let from = from.map(|text| Address::parse(text).unwrap());
        Ok(Command::Envelope(EnvelopeCommand::Mail { from, parameters: parameters.to_owned(), size }))
    }

    fn rcpt(to: &str) -> Result<Command, u16> {
        Ok(Command::Envelope(EnvelopeCommand::Rcpt { to: Address::parse(to).unwrap(), parameters: String::new() }))
    }

    #[test]
    fn the_envelope_is_taken_as_it_was_written() {
        assert_eq!(parse("MAIL FROM:<a@b.example>"), mail(Some("a@b.example"), "", None));
        assert_eq!(parse("mail from: <a@b.example> size=5 body=8bitmime"), mail(Some("a@b.example"), " body=8bitmime", Some(5)));
        assert_eq!(parse("MAIL FROM:<>"), mail(None, "", None));
        assert_eq!(parse("RCPT TO:<Jan.Jansen@B.Example>"), rcpt("Jan.Jansen@B.Example"));
        assert_eq!(parse("RCPT TO:<jan..jansen@b.example>"), rcpt("jan..jansen@b.example"));
        assert_eq!(parse("RCPT TO:<@x.example,@y.example:a@b.example>"), rcpt("a@b.example"));
        let Ok(Command::Envelope(EnvelopeCommand::Rcpt { to, .. })) = parse(r#"RCPT TO:<"a> \" b"@c.example>"#) else { panic!() };
        assert_eq!(to.as_str(), r#""a> \" b"@c.example"#);
        assert!(matches!(parse("MAIL FROM:<a@b.example> BODY=8BITMIME"), Ok(Command::Envelope(m)) if m.is_eight_bit()));
        assert!(matches!(parse("MAIL FROM:<a@b.example> BODY=7BIT"), Ok(Command::Envelope(m)) if !m.is_eight_bit()));
    }

    #[test]
    fn what_is_wrong_is_told_by_its_code() {
        for (line, code) in [
            ("RCPT TO:a@b.example", 501),
            ("RCPT TO:<a@b.example", 501),
            ("RCPT TO:<>", 501),
            ("RCPT TO:<a>", 501),
            ("RCPT TO:<postmaster>", 550),
            ("RCPT TO:<a@b.example>x", 555),
            ("RCPT TO:<a@b.example> NOTIFY=NEVER", 555),
            ("RCPT TO:<\u{e9}@b.example>", 553),
            ("MAIL FROM:<a@b.example> SMTPUTF8", 555),
            ("MAIL FROM:<a@b.example> BODY=BINARYMIME", 501),
            ("MAIL FROM:<a@b.example> SIZE=5 SIZE=6", 555),
            ("MAIL FROM:<a@b.example> SIZE=-1", 501),
            ("MAIL FROM:<a@b.example> SIZE=99999999999999999999999", 501),
            ("MAIL FROM:<a@b.example> X", 555),
            ("MAIL FROM", 501),
            ("EHLO", 501),
            ("DATA now", 501),
            ("QUIT now", 501),
            (" NOOP", 500),
            ("", 500),
            ("FOO", 500),
            ("NO\0OP", 500),
            ("NOOP\rRSET", 500),
            ("NOOP\nRSET", 500),
        ] {
            assert_eq!(parse(line), Err(code), "{line:?}");
        }
        assert_eq!(parse("BDAT 5 LAST"), Ok(Command::Bdat(5)));
        assert_eq!(parse("noop anything"), Ok(Command::Noop));
        assert_eq!(parse("QUIT "), Ok(Command::Quit));
        assert_eq!(parse("AUTH PLAIN"), Ok(Command::NotImplemented));
        assert!(Command::parse(b"NOOP\n").is_err());
    }
}
