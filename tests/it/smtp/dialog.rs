//! Conversations as files: `tests/smtp/*.dialog`.
//!
//! ```text
//! # what it shows
//! limit: max_size 1000              before the first line: what the server is told
//! limit: tls                        it has a certificate
//! limit: verified                   the next hop's certificate is checked (smtps:)
//! limit: accounts                   and the account `anna`, password `geheim`, of a.example
//! limit: logins 1                   wrong passwords that an address has
//! limit: allow 192.0.2.0/24         who may connect; left out: this machine
//! limit: xforward 127.0.0.0/8       whose XFORWARD is believed
//! limit: proxy_protocol 127.0.0.0/8 balancers
//! sink: RCPT TO:<bad => 550 no      what the next hop answers there
//! sink: EHLO => PIPELINING SIZE=9   what the next hop offers, = for a blank within
//! C: EHLO client.example            sent with CRLF; lines without an S: between them go out in one write
//! C| a\r\n.\r                       sent as it is, with \r \n \0 \xHH \\
//! S: 250 2.1.0                      the next line of the server begins so
//! S+ 250                            the whole next reply, however many lines it has
//! S: closed                         the server closes
//! TLS                               the handshake
//! mails: 1                          what the next hop has at the end
//! holds: x\r\n                      its last mail holds these octets
//! heard: RSET                       the next hop heard this command
//! unheard: DATA                     it did not
//! ```

use super::{
    Raw, client_options, hop, options, start_with,
    tls::{self, Certificate, certificate},
};
use crate::sink::{Act, Sink};
use std::{
    path::Path,
    sync::{Arc, OnceLock},
};
use tokio::io::{AsyncRead, AsyncWrite};
use zegel::{
    address::Domain,
    smtp::{
        Accounts, ServerOptions, auth,
        client::{Pool, Tls},
    },
};

/// A connection, with or without TLS.
trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Wire for S {}

#[tokio::test]
async fn conversations_go_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/smtp");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "dialog"));
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        run(&name, &std::fs::read_to_string(&file).unwrap()).await;
    }
}

/// What the lines before the conversation say.
fn prepare(name: &str, dialog: &str, sink: &Sink, own: &Certificate) -> ServerOptions {
    let mut options = options();
    for line in dialog.lines() {
        if let Some(limit) = line.strip_prefix("limit: ") {
            match limit.split_once(' ').unwrap_or((limit, "")) {
                ("max_size", value) => options.max_size = value.parse().unwrap(),
                ("allow", value) => options.allow = vec![value.parse().unwrap()],
                ("xforward", value) => options.xforward = vec![value.parse().unwrap()],
                ("proxy_protocol", value) => options.proxy_protocol = vec![value.parse().unwrap()],
                ("logins", value) => options.limits.logins.failures = value.parse().unwrap(),
                ("accounts", _) => options.accounts = Some(accounts()).into(),
                ("tls", _) => options.tls = Some(own.config.clone()).into(),
                ("verified", _) => {}
                (other, _) => panic!("{name}: no limit {other}"),
            }
        } else if let Some(fault) = line.strip_prefix("sink: ") {
            let (at, reply) = fault.split_once(" => ").unwrap();
            if at == "EHLO" {
                let offers: Vec<_> = reply.split(' ').filter(|e| !e.is_empty()).map(|e| e.replace('=', " ")).collect();
                sink.offers(&offers.iter().map(String::as_str).collect::<Vec<_>>());
            } else {
                sink.fails(at, Act::Reply(reply.to_owned()));
            }
        }
    }
    options
}

/// `anna` with the password `geheim`, hashed once for all.
pub(super) fn accounts() -> Arc<Accounts> {
    static HASH: OnceLock<String> = OnceLock::new();
    let line = format!("anna:{}", HASH.get_or_init(|| auth::hash_password("geheim")));
    Arc::new(Accounts::parse(&line, vec![Domain::parse("a.example").unwrap()]).unwrap())
}

async fn run(name: &str, dialog: &str) {
    let own = certificate();
    let verified = dialog.lines().any(|line| line == "limit: verified");
    let sink = if verified { Sink::with_tls(own.config.clone(), true).await } else { Sink::start().await };
    let options = prepare(name, dialog, &sink, &own);
    let to = if verified { tls::hop(&sink, Tls::Implicit, &own) } else { hop(&sink) };
    let pool = Pool::new(to, client_options());
    pool.learn().await.unwrap();
    let running = start_with(options, pool).await;
    let plain = Raw::silent(running.address).await;
    let mut raw: Raw<Box<dyn Wire>> = Raw { stream: Box::new(plain.stream), input: Vec::new() };
    let mut unsent = Vec::new();
    for (number, line) in dialog.lines().enumerate() {
        let place = format!("{name}:{}", number + 1);
        if let Some(text) = line.strip_prefix("C: ") {
            unsent.extend_from_slice(text.as_bytes());
            unsent.extend_from_slice(b"\r\n");
        } else if let Some(text) = line.strip_prefix("C| ") {
            unsent.extend_from_slice(&unescape(text));
        } else if let Some(expected) = line.strip_prefix("S: ") {
            if !unsent.is_empty() {
                raw.send(&std::mem::take(&mut unsent)).await;
            }
            let said = raw.line().await;
            match (expected, said) {
                ("closed", None) => {}
                (_, Some(line)) if line.starts_with(expected) => {}
                (_, said) => panic!("{place}: expected {expected:?}, the server said {said:?}"),
            }
        } else if let Some(code) = line.strip_prefix("S+ ") {
            if !unsent.is_empty() {
                raw.send(&std::mem::take(&mut unsent)).await;
            }
            let said = raw.reply().await;
            assert!(
                !said.is_empty() && said.lines().all(|line| line.starts_with(code)),
                "{place}: expected {code}, the server said {said:?}"
            );
        } else if line == "TLS" {
            let stream = own.connector().connect("127.0.0.1".try_into().unwrap(), raw.stream).await.unwrap();
            raw = Raw { stream: Box::new(stream), input: Vec::new() };
        } else if let Some(octets) = line.strip_prefix("holds: ") {
            let (octets, sunk) = (unescape(octets), sink.mails().last().unwrap().octets());
            let found = sunk.windows(octets.len()).any(|w| w == octets);
            assert!(found, "{place}: the mail is {}", sunk.escape_ascii());
        } else if let Some(count) = line.strip_prefix("mails: ") {
            assert_eq!(sink.mails().len(), count.parse::<usize>().unwrap(), "{place}");
        } else if let Some(command) = line.strip_prefix("heard: ") {
            sink.wait_for_command(command).await;
        } else if let Some(command) = line.strip_prefix("unheard: ") {
            assert!(!sink.commands().iter().any(|c| c.starts_with(command)), "{place}: {:?}", sink.commands());
        }
    }
    assert!(unsent.is_empty(), "{name}: the last lines were never sent; let an S: follow");
}

fn unescape(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('r')) => octets.push(b'\r'),
            ('\\', Some('n')) => octets.push(b'\n'),
            ('\\', Some('0')) => octets.push(0),
            ('\\', Some('x')) => {
                let hex: String = chars.by_ref().take(2).collect();
                octets.push(u8::from_str_radix(&hex, 16).unwrap());
            }
            ('\\', _) => octets.push(b'\\'),
            (c, _) => octets.extend_from_slice(c.to_string().as_bytes()),
        }
    }
    octets
}
