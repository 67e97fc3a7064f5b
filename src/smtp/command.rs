//! Command lines (RFC 5321, 4.1): what a client says, or the reply that tells what is wrong with it.
//!
//! Commands without an argument of weight are read by smtp-proto. MAIL, RCPT and BDAT are read here: smtp-proto removes the quotes of a
//! local part and refuses addresses that exist, and zegel passes an address on as it was written.

use super::reply::{Enhanced, Reply};
use crate::{
    address::Address,
    envelope::dsn::{self, Notify, OriginalRecipient, Return},
    secret::{self, Secret},
};
use smtp_proto::{Error, Request};
use std::fmt::{self, Write as _};

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
        self.parameter("BODY").is_some_and(|body| body.eq_ignore_ascii_case("8BITMIME"))
    }

    /// Whether addresses and header may hold letters outside ASCII (SMTPUTF8, RFC 6531).
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        self.parameter("SMTPUTF8").is_some()
    }

    /// The value of one of the parameters; empty for one without a value.
    #[must_use]
    pub fn parameter(&self, keyword: &str) -> Option<&str> {
        let (EnvelopeCommand::Mail { parameters, .. } | EnvelopeCommand::Rcpt { parameters, .. }) = self;
        dsn::parameter(parameters, keyword)
    }
}

/// A command, its line without fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Ehlo(String),
    Helo(String),
    Envelope(EnvelopeCommand),
    Data,
    /// So many octets of a mail are behind the line (RFC 3030).
    Bdat {
        octets: u64,
        last: bool,
    },
    Rset,
    Noop,
    Help,
    Vrfy,
    StartTls,
    Auth {
        mechanism: String,
        initial: Option<Response>,
    },
    /// The attributes as they were received.
    XForward(String),
    Quit,
    NotImplemented,
}

/// What a client answers to a challenge of AUTH, in base64.
#[derive(Clone)]
pub(super) struct Response(Secret<Vec<u8>>);

impl Response {
    /// `=` is an answer of no octets (RFC 4954, 4).
    pub(super) fn new(text: &[u8]) -> Response {
        Response(Secret::new(if text == b"=" { Vec::new() } else { text.to_vec() }))
    }

    pub(super) fn octets(&self) -> &[u8] {
        self.0.expose()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Response")
    }
}

impl PartialEq for Response {
    fn eq(&self, other: &Response) -> bool {
        secret::equal(self.octets(), other.octets())
    }
}

impl Eq for Response {}

const NOT_UNDERSTOOD: Reply = Reply::fixed(500, Enhanced(5, 5, 2), "Command not recognized");
const BAD_SENDER: Reply = Reply::fixed(501, Enhanced(5, 1, 7), "Bad sender address syntax");
const BAD_RECIPIENT: Reply = Reply::fixed(501, Enhanced(5, 1, 3), "Bad recipient address syntax");
const NO_DOMAIN: Reply = Reply::fixed(550, Enhanced(5, 1, 3), "This server has no mailboxes; give the full address");
const BAD_BODY: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "BODY is 7BIT or 8BITMIME");
const BAD_PARAMETER: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "Syntax error in a parameter");
const TWICE: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "A parameter is given twice");
const BAD_AUTH: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "Syntax: AUTH mechanism");
const NO_ARGUMENT: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "This command takes no argument");
/// Nobody can say how long the chunk behind this line is, so nothing behind it can be read.
pub(super) const BAD_CHUNK: Reply = Reply::fixed(501, Enhanced(5, 5, 4), "Syntax: BDAT octets [LAST], closing");
/// A parameter that is not offered.
pub(super) const UNSUPPORTED: Reply = Reply::fixed(555, Enhanced(5, 5, 4), "Parameter not recognized or not implemented");

impl Command {
    /// Reads a line whose end was found to be an exact CRLF; `line` includes it.
    pub(super) fn parse(line: &[u8]) -> Result<Command, Reply> {
        let text = line.strip_suffix(b"\r\n").ok_or(NOT_UNDERSTOOD)?;
        if memchr::memchr3(b'\r', b'\n', 0, text).is_some() {
            return Err(NOT_UNDERSTOOD);
        }
        let verb_end = text.iter().position(|b| !b.is_ascii_alphabetic()).unwrap_or(text.len());
        let (verb, rest) = text.split_at(verb_end);
        match verb {
            v if v.eq_ignore_ascii_case(b"MAIL") => mail(rest).map(Command::Envelope),
            v if v.eq_ignore_ascii_case(b"RCPT") => rcpt(rest).map(Command::Envelope),
            v if v.eq_ignore_ascii_case(b"BDAT") => bdat(rest),
            v if v.eq_ignore_ascii_case(b"AUTH") => auth(rest),
            v if v.eq_ignore_ascii_case(b"XFORWARD") => {
                let attributes = std::str::from_utf8(rest).map_err(|_| BAD_PARAMETER)?;
                Ok(Command::XForward(attributes.to_owned()))
            }
            // smtp-proto skips blanks before the verb.
            [] => Err(NOT_UNDERSTOOD),
            _ => Command::simple(line, text),
        }
    }

    fn simple(line: &[u8], text: &[u8]) -> Result<Command, Reply> {
        // smtp-proto takes commands without argument whatever follows.
        let alone = |command| if text.trim_ascii_end().contains(&b' ') { Err(NO_ARGUMENT) } else { Ok(command) };
        match Request::parse(&mut line.iter()).map_err(|error| refusal(&error))? {
            Request::Ehlo { host } => Ok(Command::Ehlo(host.into_owned())),
            Request::Helo { host } => Ok(Command::Helo(host.into_owned())),
            Request::Data => alone(Command::Data),
            Request::Rset => alone(Command::Rset),
            Request::StartTls => alone(Command::StartTls),
            Request::Quit => alone(Command::Quit),
            Request::Noop { .. } => Ok(Command::Noop),
            Request::Help { .. } => Ok(Command::Help),
            Request::Vrfy { .. } => Ok(Command::Vrfy),
            _ => Ok(Command::NotImplemented),
        }
    }
}

fn refusal(error: &Error) -> Reply {
    match error {
        Error::SyntaxError { syntax } => Reply::new(501, Some(Enhanced(5, 5, 4)), &format!("Syntax: {syntax}")),
        Error::InvalidParameter { param } => Reply::new(501, Some(Enhanced(5, 5, 4)), &format!("Invalid parameter {param}")),
        Error::UnsupportedParameter { .. } => UNSUPPORTED,
        // The line is whole, so it is its argument that ends too early.
        Error::NeedsMoreData { .. } => Reply::fixed(501, Enhanced(5, 5, 4), "Syntax error in parameters or arguments"),
        _ => NOT_UNDERSTOOD,
    }
}

fn auth(rest: &[u8]) -> Result<Command, Reply> {
    let mut words = rest.split(|b| *b == b' ').skip(1);
    let mechanism = words.next().and_then(|word| std::str::from_utf8(word).ok()).filter(|word| !word.is_empty()).ok_or(BAD_AUTH)?;
    let initial = words.next().map(Response::new);
    if words.next().is_some() { Err(BAD_AUTH) } else { Ok(Command::Auth { mechanism: mechanism.to_owned(), initial }) }
}

fn bdat(rest: &[u8]) -> Result<Command, Reply> {
    let rest = rest.strip_prefix(b" ").and_then(|rest| std::str::from_utf8(rest).ok()).ok_or(BAD_CHUNK)?;
    let mut words = rest.split_ascii_whitespace();
    // `parse` alone would take "+5".
    let octets = words.next().filter(|word| word.bytes().all(|b| b.is_ascii_digit())).and_then(|word| word.parse().ok());
    let last = match words.next() {
        None => false,
        Some(word) if word.eq_ignore_ascii_case("LAST") => true,
        Some(_) => return Err(BAD_CHUNK),
    };
    match (octets, words.next()) {
        (Some(octets), None) => Ok(Command::Bdat { octets, last }),
        _ => Err(BAD_CHUNK),
    }
}

fn mail(rest: &[u8]) -> Result<EnvelopeCommand, Reply> {
    let (path, rest) = path(rest, " FROM:").ok_or(BAD_SENDER)?;
    let from = match path {
        "" => None,
        path => Some(Address::parse(path).map_err(|_| BAD_SENDER)?),
    };
    let (mut parameters, mut size) = (String::new(), None);
    for word in rest.split_ascii_whitespace() {
        let (keyword, value) = word.split_once('=').map_or((word, None), |(keyword, value)| (keyword, Some(value)));
        let known = |other: &str| keyword.eq_ignore_ascii_case(other);
        if known("SIZE") {
            let octets = value.filter(|v| v.bytes().all(|b| b.is_ascii_digit())).and_then(|v| v.parse().ok());
            let octets = octets.ok_or(Reply::fixed(501, Enhanced(5, 5, 4), "SIZE is a number"))?;
            if size.replace(octets).is_some() {
                return Err(TWICE);
            }
            continue;
        }
        // RFC 4954, 5: who submitted the mail at first. It is taken from clients that say it, and believed of none.
        if known("AUTH") && value.is_some_and(|v| v == "<>" || dsn::xtext(v).is_some()) {
            continue;
        }
        let fine = match value {
            Some(body) if known("BODY") => {
                if !body.eq_ignore_ascii_case("7BIT") && !body.eq_ignore_ascii_case("8BITMIME") {
                    return Err(BAD_BODY);
                }
                true
            }
            Some(value) if known("RET") => Return::parse(value).is_some(),
            Some(value) if known("ENVID") => dsn::envelope_id(value).is_some(),
            value if known("SMTPUTF8") || known("REQUIRETLS") => value.is_none(),
            None if known("BODY") || known("RET") || known("ENVID") => false,
            _ => return Err(UNSUPPORTED),
        };
        append(&mut parameters, word, fine)?;
    }
    Ok(EnvelopeCommand::Mail { from, parameters, size })
}

fn rcpt(rest: &[u8]) -> Result<EnvelopeCommand, Reply> {
    let (path, rest) = path(rest, " TO:").ok_or(BAD_RECIPIENT)?;
    if path.eq_ignore_ascii_case("postmaster") {
        return Err(NO_DOMAIN);
    }
    // RFC 5321, 3.3 and appendix C: a source route `@a,@b:` is taken and ignored.
    let mailbox = match path.strip_prefix('@') {
        Some(_) => path.split_once(':').ok_or(BAD_RECIPIENT)?.1,
        None => path,
    };
    let to = Address::parse(mailbox).map_err(|_| BAD_RECIPIENT)?;
    let mut parameters = String::new();
    for word in rest.split_ascii_whitespace() {
        let (keyword, value) = word.split_once('=').unwrap_or((word, ""));
        let fine = match keyword {
            k if k.eq_ignore_ascii_case("NOTIFY") => Notify::parse(value).is_some(),
            k if k.eq_ignore_ascii_case("ORCPT") => OriginalRecipient::parse(value).is_some(),
            _ => return Err(UNSUPPORTED),
        };
        append(&mut parameters, word, fine)?;
    }
    Ok(EnvelopeCommand::Rcpt { to, parameters })
}

/// Keeps a parameter as it was received, if it is `fine` and the first of its kind.
fn append(parameters: &mut String, word: &str, fine: bool) -> Result<(), Reply> {
    let keyword = word.split_once('=').map_or(word, |(keyword, _)| keyword);
    if dsn::parameter(parameters, keyword).is_some() {
        return Err(TWICE);
    }
    if !fine {
        return Err(BAD_PARAMETER);
    }
    let _ = write!(parameters, " {word}");
    Ok(())
}

/// What stands between `<` and its `>` behind `keyword`, quoted strings respected, and what follows.
fn path<'a>(rest: &'a [u8], keyword: &str) -> Option<(&'a str, &'a str)> {
    let text = std::str::from_utf8(rest).ok()?;
    let (said, text) = text.split_at_checked(keyword.len())?;
    // RFC 5321, 3.3 allows no blank here; many clients send one.
    let text = text.trim_start_matches(' ');
    let start = text.starts_with('<').then_some(1).filter(|_| said.eq_ignore_ascii_case(keyword))?;
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
        assert!(matches!(parse("MAIL FROM:<\u{e9}@m\u{fc}ller.example> smtputf8"), Ok(Command::Envelope(m)) if m.is_utf8()));
        let asked = parse("RCPT TO:<a@b.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+2Bx@b.example");
        let Ok(Command::Envelope(EnvelopeCommand::Rcpt { parameters, .. })) = asked else { panic!() };
        assert_eq!(parameters, " NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a+2Bx@b.example");
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
            ("RCPT TO:<a@b.example>x", 501),
            ("RCPT FROM:<a@b.example>", 501),
            ("RCPT TO:<a@b.example> NOTIFY=", 501),
            ("RCPT TO:<a@b.example> NOTIFY", 501),
            ("RCPT TO:<a@b.example> NOTIFY=NEVER,DELAY", 501),
            ("RCPT TO:<a@b.example> NOTIFY=NEVER NOTIFY=NEVER", 501),
            ("RCPT TO:<a@b.example> ORCPT=rfc822;a=b", 501),
            ("RCPT TO:<a@b.example> RET=FULL", 555),
            ("RCPT TO:<a\u{202e}@b.example>", 501),
            ("MAIL TO:<a@b.example>", 501),
            ("MAIL FROM:<a@b.example> SMTPUTF8=1", 501),
            ("MAIL FROM:<a@b.example> SMTPUTF8 smtputf8", 501),
            ("MAIL FROM:<a@b.example> REQUIRETLS=", 501),
            ("MAIL FROM:<a@b.example> RET=ALL", 501),
            ("MAIL FROM:<a@b.example> RET", 501),
            ("MAIL FROM:<a@b.example> ENVID=a=b", 501),
            ("MAIL FROM:<a@b.example> NOTIFY=NEVER", 555),
            ("MAIL FROM:<a@b.example> BODY", 501),
            ("MAIL FROM:<a@b.example> BODY=BINARYMIME", 501),
            ("MAIL FROM:<a@b.example> SIZE=5 SIZE=6", 501),
            ("MAIL FROM:<a@b.example> SIZE", 501),
            ("AUTH", 501),
            ("AUTH ", 501),
            ("AUTH PLAIN a b", 501),
            ("BDAT", 501),
            ("BDAT x", 501),
            ("BDAT +5", 501),
            ("BDAT -5", 501),
            ("BDAT 5 FIRST", 501),
            ("BDAT 5 LAST LAST", 501),
            ("BDAT\t5", 501),
            ("BDAT 18446744073709551616", 501),
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
        assert_eq!(parse("BDAT 5 last"), Ok(Command::Bdat { octets: 5, last: true }));
        assert_eq!(parse("bdat 0"), Ok(Command::Bdat { octets: 0, last: false }));
        assert_eq!(parse("noop anything"), Ok(Command::Noop));
        assert_eq!(parse("QUIT "), Ok(Command::Quit));
        let auth = |initial: Option<&[u8]>| Ok(Command::Auth { mechanism: "plain".to_owned(), initial: initial.map(Response::new) });
        assert_eq!(parse("auth plain"), auth(None));
        assert_eq!(parse("AUTH plain ="), auth(Some(b"")));
        assert_eq!(parse("AUTH plain AGEAYg=="), auth(Some(b"AGEAYg==")));
        assert_eq!(parse("MAIL FROM:<a@b.example> AUTH=<>"), mail(Some("a@b.example"), "", None));
        assert_eq!(parse("EXPN a"), Ok(Command::NotImplemented));
        assert!(Command::parse(b"NOOP\n").is_err());
    }
}
