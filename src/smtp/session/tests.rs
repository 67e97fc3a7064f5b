//! The session alone: octets and answers in, steps out.

use super::*;
use crate::address::Address;

fn session() -> Session {
    let offer = Offer {
        hostname: "gw.example".to_owned(),
        max_size: 1000,
        in_memory: None,
        eight_bit: true,
        utf8: true,
        dsn: true,
        require_tls: true,
        starttls: false,
        accounts: None,
        right: Right::Address,
        xforward: false,
    };
    let mut session = Session::new(offer, "192.0.2.1".parse().unwrap());
    assert_eq!(session.step(), Step::Read);
    assert_eq!(said(&mut session), "220 gw.example ESMTP zegel\r\n");
    session.input(b"EHLO client.example\r\n");
    assert_eq!(session.step(), Step::Read);
    said(&mut session);
    session
}

fn said(session: &mut Session) -> String {
    String::from_utf8(session.output()).unwrap()
}

fn mail() -> EnvelopeCommand {
    EnvelopeCommand::Mail { from: None, parameters: String::new(), size: None }
}

fn rcpt(to: &str) -> EnvelopeCommand {
    EnvelopeCommand::Rcpt { to: Address::parse(to).unwrap(), parameters: String::new() }
}

fn refused() -> Reply {
    Reply::new(550, None, "no")
}

/// Up to the body, whose room is `room`.
fn in_body(room: u64) -> Session {
    let mut session = session();
    session.input(b"MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n");
    assert_eq!(session.step(), Step::Envelope(vec![mail(), rcpt("a@b.example")]));
    session.answered(vec![Reply::OK, Reply::OK]);
    assert_eq!(session.step(), Step::Listen);
    session.listened();
    assert_eq!(session.step(), Step::Room(1000 + READ_ROOM as u64));
    session.room(Some(room));
    assert_eq!(
        session.step(),
        if room >= 1000 + READ_ROOM as u64 { Step::Read } else { Step::Grow((room * 2).min(1000 + READ_ROOM as u64)) }
    );
    assert!(said(&mut session).ends_with("354 End data with <CR><LF>.<CR><LF>\r\n"));
    session
}

#[test]
fn what_came_together_is_asked_together_and_answered_in_order() {
    let mut session = session();
    session.input(b"MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nRCPT TO:<wrong\r\nRCPT TO:<c@b.example>\r\nNOOP\r\n");
    assert_eq!(session.step(), Step::Envelope(vec![mail(), rcpt("a@b.example"), rcpt("c@b.example")]));
    session.answered(vec![Reply::OK, refused(), Reply::new(421, None, "bye")]);
    assert_eq!(session.step(), Step::Read);
    let codes: Vec<String> = said(&mut session).lines().map(|line| line[..3].to_owned()).collect();
    assert_eq!(codes, ["250", "550", "501", "451", "250"]);
    assert!(session.has_transaction());
}

#[test]
fn a_handler_that_says_too_little_or_nonsense_has_accepted_nothing() {
    for replies in [vec![], vec![refused(), Reply::OK], vec![Reply::new(354, None, "go on"), Reply::OK]] {
        let mut session = session();
        session.input(b"MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n");
        assert!(matches!(session.step(), Step::Envelope(_)));
        session.answered(replies);
        assert_eq!(session.step(), Step::Listen);
        session.listened();
        assert_eq!(session.step(), Step::Read);
        assert!(!said(&mut session).contains("250") && !session.has_transaction() && !session.is_in_body());
    }
}

#[test]
fn a_refused_body_gives_its_room_back_at_once_and_the_handler_hears_of_it() {
    let mut session = in_body(1000 + READ_ROOM as u64);
    assert!(session.room_held() > 0);
    session.input(b"a\nb");
    assert_eq!((session.step(), session.room_held()), (Step::Read, 0));
    session.input(b"\r\n.\r\nMAIL FROM:<>\r\n");
    assert_eq!(session.step(), Step::Reset);
    assert_eq!(session.step(), Step::Envelope(vec![mail()]));
    assert!(said(&mut session).starts_with("550 5.6.11 "));
}

#[test]
fn the_body_asks_for_room_before_it_is_read_and_is_dropped_without() {
    let mut session = in_body(100);
    session.room(None);
    assert_eq!((session.step(), session.room_held()), (Step::Read, 0));
    session.input(b"a\r\n.\r\n");
    assert_eq!(session.step(), Step::Reset);
    assert!(said(&mut session).starts_with("452 4.3.1 "));
}

#[test]
fn the_message_is_what_was_sent_and_the_transaction_is_over() {
    let mut session = in_body(1000 + READ_ROOM as u64);
    session.input(b"..a\r\n.\r\nRCPT TO:<c@b.example>\r\n");
    let Step::Message(received) = session.step() else { panic!() };
    assert_eq!((received.helo.as_str(), received.protocol()), ("client.example", "ESMTP"));
    assert_eq!(session.take_body(), b".a\r\n");
    assert!(!session.has_transaction());
    session.judged(Reply::OK);
    assert_eq!(session.step(), Step::Read);
    let said = said(&mut session);
    assert!(said.starts_with("250 2.0.0 ") && said.contains("\r\n503 5.5.1 "), "{said}");
}

#[test]
fn an_answer_to_the_dot_that_answers_nothing_is_not_passed_on() {
    let mut session = in_body(1000 + READ_ROOM as u64);
    session.input(b"a\r\n.\r\n");
    assert!(matches!(session.step(), Step::Message(_)));
    session.judged(Reply::new(354, None, "go on"));
    assert_eq!(session.step(), Step::Read);
    assert!(said(&mut session).starts_with("451 "));
}

#[test]
fn rset_and_ehlo_give_the_transaction_up() {
    for command in [&b"RSET\r\n"[..], b"EHLO again.example\r\n"] {
        let mut session = session();
        session.input(b"MAIL FROM:<>\r\n");
        assert_eq!(session.step(), Step::Envelope(vec![mail()]));
        session.answered(vec![Reply::OK]);
        session.input(command);
        assert_eq!(session.step(), Step::Reset);
        assert_eq!(session.step(), Step::Read);
        assert!(!session.has_transaction() && session.is_idle());
    }
}

#[test]
fn idle_commands_count_as_errors_in_the_end_and_a_mail_clears_them() {
    let mut session = session();
    for _ in 0..IDLE_COMMANDS + ERRORS - 1 {
        session.input(b"NOOP\r\n");
        assert_eq!(session.step(), Step::Read);
    }
    session.input(b"NOOP\r\n");
    assert_eq!(session.step(), Step::Close);
    assert!(said(&mut session).ends_with("421 4.7.0 Too many errors, closing\r\n"));
}

/// Gives `input` in the pieces it was cut into to a session that takes everything: the mails, and what was said.
fn converse(pieces: &[&[u8]]) -> (Vec<Vec<u8>>, String) {
    let mut session = session();
    let (mut mails, mut replies) = (Vec::new(), String::new());
    for piece in pieces {
        session.input(piece);
        loop {
            match session.step() {
                Step::Read | Step::Close => break,
                Step::Envelope(commands) => session.answered(vec![Reply::OK; commands.len()]),
                Step::Listen => session.listened(),
                Step::Room(octets) | Step::Grow(octets) => session.room(Some(octets)),
                Step::Message(_) => {
                    mails.push(session.take_body());
                    session.judged(Reply::OK);
                }
                Step::Reset => {}
                other => panic!("{other:?}"),
            }
        }
        replies.push_str(&said(&mut session));
    }
    (mails, replies)
}

fn codes(replies: &str) -> Vec<&str> {
    replies.lines().map(|line| line.get(..3).unwrap_or(line)).collect()
}

const ENVELOPE: &[u8] = b"MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\n";

#[test]
fn every_split_of_a_conversation_gives_the_same_mail() {
    let commands = [ENVELOPE, b"DATA\r\n"].concat();
    let body = b"..a\r\n\r\nb\r\n.\r\nQUIT\r\n";
    for split in 0..=commands.len().max(body.len()) {
        let (a, b) = commands.split_at(split.min(commands.len()));
        let (c, d) = body.split_at(split.min(body.len()));
        let (mails, replies) = converse(&[a, b, c, d]);
        assert_eq!(mails, [b".a\r\n\r\nb\r\n"], "split at {split}");
        assert_eq!(codes(&replies), ["250", "250", "354", "250", "221"], "{replies}");
    }
}

#[test]
fn every_split_of_chunks_gives_the_same_mail_and_no_command_is_read_out_of_them() {
    let chunks = b"BDAT 8\r\na\r\n.\r\nb\rBDAT 13\r\n\nQUIT\r\nRSET\r\nBDAT 0 LAST\r\nNOOP\r\n";
    let all = [ENVELOPE, chunks].concat();
    for split in 0..=all.len() {
        let (a, b) = all.split_at(split);
        let (mails, replies) = converse(&[a, b]);
        assert_eq!(mails, [b"a\r\n.\r\nb\r\nQUIT\r\nRSET\r\n"], "split at {split}");
        assert_eq!(codes(&replies), ["250"; 6], "{replies}");
    }
    let octets: Vec<&[u8]> = all.chunks(1).collect();
    assert_eq!(converse(&octets).0.len(), 1);
}

#[test]
fn the_same_octets_by_data_and_by_bdat_are_the_same_mail_or_the_same_refusal() {
    for body in [
        b"Subject: x\r\n\r\ny\r\n".as_slice(),
        b"",
        b".\r\n..\r\n",
        b"a\nb\r\n",
        b"a\r\r\n",
        b"a\0b\r\n",
        &[b'x'; 998].map(|_| b'\n'),
        &[&[b'x'; 999][..], b"\r\n"].concat(),
    ] {
        let mut wire = Vec::new();
        for line in body.split_inclusive(|b| *b == b'\n') {
            wire.extend_from_slice(if line.starts_with(b".") { b"." } else { b"" });
            wire.extend_from_slice(line);
        }
        wire.extend_from_slice(if body.ends_with(b"\r\n") || body.is_empty() { b".\r\n" } else { b"\r\n.\r\n" });
        let by_data = converse(&[ENVELOPE, b"DATA\r\n", &wire]);
        let refusal = by_data.1.lines().nth(3).unwrap();
        for cut in (0..=body.len()).step_by(1 + body.len() / 50) {
            let (a, b) = body.split_at(cut);
            let first = [format!("BDAT {}\r\n", a.len()).as_bytes(), a].concat();
            let last = [format!("BDAT {} LAST\r\n", b.len()).as_bytes(), b].concat();
            let by_bdat = converse(&[ENVELOPE, &first, &last]);
            assert_eq!(by_bdat.0, by_data.0, "{}", body.escape_ascii());
            assert!(by_bdat.1.lines().any(|line| line == refusal), "{}: {}, not {refusal}", body.escape_ascii(), by_bdat.1);
        }
    }
}

#[test]
fn a_refused_chunk_ends_its_transaction_and_those_behind_it_are_read_and_dropped() {
    let refused = b"BDAT 1\r\n\nBDAT 6\r\nQUIT\r\nBDAT 0\r\nRCPT TO:<c@b.example>\r\nBDAT 6 LAST\r\nRSET\r\n";
    let (mails, replies) = converse(&[ENVELOPE, refused, ENVELOPE, b"BDAT 3 LAST\r\na\r\n"]);
    assert_eq!(codes(&replies), ["250", "250", "550", "503", "503", "503", "503", "250", "250", "250"], "{replies}");
    assert_eq!(mails, [b"a\r\n"]);
    // However many follow, they are no mistake each.
    let (_, replies) = converse(&[ENVELOPE, b"BDAT 1\r\n\n", &b"BDAT 1\r\nx".repeat(50)]);
    assert!(!replies.contains("421"), "{replies}");
}

#[test]
fn what_is_out_of_order_around_chunks_changes_nothing() {
    let (mails, replies) = converse(&[
        b"BDAT 6 LAST\r\nQUIT\r\n",
        b"MAIL FROM:<>\r\nBDAT 6\r\nQUIT\r\n",
        ENVELOPE,
        b"BDAT 3\r\na\r\n",
        b"DATA\r\n",
        b"MAIL FROM:<>\r\nRCPT TO:<c@b.example>\r\nNOOP\r\n",
        b"BDAT 3 LAST\r\nb\r\n",
        b"BDAT 3 LAST\r\nb\r\n",
    ]);
    assert_eq!(codes(&replies), ["503", "250", "554", "250", "250", "250", "503", "503", "503", "250", "250", "503"], "{replies}");
    assert_eq!(mails, [b"a\r\nb\r\n"]);
}

#[test]
fn a_chunk_over_the_limit_is_refused_at_its_line_and_one_far_over_it_not_read() {
    let huge = format!("BDAT {} LAST\r\n", DISCARDED_CHUNK + 1);
    let (_, replies) = converse(&[ENVELOPE, huge.as_bytes(), b"NOOP\r\n"]);
    assert_eq!(codes(&replies), ["250", "250", "552"], "{replies}");
    let over = [b"BDAT 500\r\n".as_slice(), &[b'x'; 500], b"BDAT 501 LAST\r\n", &[b'x'; 501], b"NOOP\r\n"].concat();
    let (mails, replies) = converse(&[ENVELOPE, &over]);
    assert_eq!((codes(&replies), mails.len()), (vec!["250", "250", "250", "552", "250"], 0), "{replies}");
}

#[test]
fn a_first_chunk_asks_for_room_and_without_is_dropped_with_its_transaction() {
    let mut session = session();
    session.input(ENVELOPE);
    assert!(matches!(session.step(), Step::Envelope(_)));
    session.answered(vec![Reply::OK, Reply::OK]);
    session.input(b"BDAT 900 LAST\r\nQUIT\r\n");
    assert_eq!(session.step(), Step::Room(1000 + READ_ROOM as u64));
    session.room(None);
    assert_eq!((session.step(), session.step(), session.room_held()), (Step::Reset, Step::Read, 0));
    session.input(&[b'x'; 894]);
    assert_eq!(session.step(), Step::Read);
    assert!(said(&mut session).ends_with("452 4.3.1 No room for this message now, please try again later\r\n"));
    assert!(session.is_idle());
}
