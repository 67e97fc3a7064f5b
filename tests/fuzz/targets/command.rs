//! One command line.

use zegel::smtp::{
    EnvelopeCommand, Reply,
    session::{Offer, Right, Session, Step},
};

/// Everything that can be offered, but for accounts.
pub(super) fn offer(max_size: u64) -> Offer {
    Offer {
        hostname: "gw.example".to_owned(),
        max_size,
        in_memory: None,
        eight_bit: true,
        utf8: true,
        dsn: true,
        require_tls: true,
        starttls: true,
        accounts: None,
        right: Right::Address,
        xforward: true,
    }
}

/// A line that the session takes means the same when the next hop hears it, and holds nothing that could be two lines there.
pub fn command(octets: &[u8]) {
    let mut line = octets.split(|octet| *octet == b'\n').next().unwrap_or_default().to_vec();
    line.extend_from_slice(b"\r\n");
    for with_mail in [false, true] {
        for command in &taken(&line, with_mail) {
            is_one_line(command);
            assert_eq!(taken(written(command).as_bytes(), with_mail), std::slice::from_ref(command), "written again");
        }
    }
}

/// Nothing in it ends a line, or a path, or is left out by another reader.
pub(super) fn is_one_line(command: &EnvelopeCommand) {
    let line = written(command);
    let text = line.strip_suffix("\r\n").expect("it was written so");
    assert!(!text.contains(char::is_control), "{text:?}");
    if let EnvelopeCommand::Mail { .. } = command {
        assert!(text.is_ascii() || command.is_utf8(), "{text:?}");
    }
}

/// As the client of the second leg writes it.
fn written(command: &EnvelopeCommand) -> String {
    match command {
        EnvelopeCommand::Mail { from, parameters, size } => {
            let path = from.as_ref().map_or("", |address| address.as_str());
            let size = size.map(|octets| format!(" SIZE={octets}")).unwrap_or_default();
            format!("MAIL FROM:<{path}>{parameters}{size}\r\n")
        }
        EnvelopeCommand::Rcpt { to, parameters } => format!("RCPT TO:<{to}>{parameters}\r\n"),
    }
}

/// The envelope commands that a session makes of `line`, behind a MAIL that was accepted or without one.
fn taken(line: &[u8], with_mail: bool) -> Vec<EnvelopeCommand> {
    let mut session = Session::new(offer(u64::MAX >> 1), [192, 0, 2, 1].into());
    session.input(b"EHLO client.example\r\n");
    assert_eq!(session.step(), Step::Read);
    if with_mail {
        session.input(b"MAIL FROM:<> SMTPUTF8\r\n");
        assert!(matches!(session.step(), Step::Envelope(_)));
        session.answered(vec![Reply::OK]);
    }
    session.input(line);
    match session.step() {
        Step::Envelope(commands) => commands,
        _ => Vec::new(),
    }
}
