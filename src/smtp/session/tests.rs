//! The session alone: octets and answers in, steps out.

use super::*;
use crate::address::Address;

fn session() -> Session {
    let offer = Offer { hostname: "gw.example".to_owned(), max_size: 1000, eight_bit: true, starttls: false };
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

#[test]
fn every_split_of_a_conversation_gives_the_same_mail() {
    let commands = b"MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\n";
    let body = b"..a\r\n\r\nb\r\n.\r\nQUIT\r\n";
    for split in 0..=commands.len().max(body.len()) {
        let mut session = session();
        let mut replies = String::new();
        let mut mails = Vec::new();
        for conversation in [commands.as_slice(), body] {
            let (a, b) = conversation.split_at(split.min(conversation.len()));
            for piece in [a, b] {
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
                        other => panic!("{other:?}"),
                    }
                }
                replies.push_str(&said(&mut session));
            }
        }
        assert_eq!(mails, [b".a\r\n\r\nb\r\n"], "split at {split}");
        assert_eq!(replies.matches("\r\n").count(), 5, "{replies}");
    }
}
