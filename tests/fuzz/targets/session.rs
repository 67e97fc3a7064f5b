//! One conversation.

use super::{
    codec::{Outcome, twin},
    command::is_one_line,
    reply::are_replies,
};
use zegel::{
    smtp::{
        EnvelopeCommand, Reply, TlsFacts,
        codec::Nul,
        reply::Enhanced,
        session::{Offer, READ_ROOM, Session, Step},
    },
    time::Time,
};

/// So large may a mail be: few enough octets to be exceeded by short inputs.
const MAX_SIZE: u64 = 500;

/// A conversation as a dialogue of tests/smtp would have it, with octets 0xF0 to 0xFF as stage directions: the client's octets up to there
/// arrive in one piece, and are answered in the mood that the last four bits say.
pub fn session(octets: &[u8]) {
    let offer = Offer { hostname: "gw.example".to_owned(), max_size: MAX_SIZE, eight_bit: true, starttls: true };
    let mut stage = Stage {
        session: Session::new(offer, [192, 0, 2, 1].into()),
        mood: 0,
        may_take_body: false,
        wire: None,
        nul: Nul::Refused,
        secured: false,
        closed: false,
    };
    stage.play();
    for piece in octets.split_inclusive(|octet| *octet >= 0xF0) {
        let said = match piece.split_last() {
            Some((direction, said)) if *direction >= 0xF0 => {
                stage.mood = direction & 0x0F;
                said
            }
            _ => piece,
        };
        for said in said.chunks(READ_ROOM) {
            stage.hear(said);
        }
    }
}

/// The session, and what its surroundings know by themselves.
struct Stage {
    session: Session,
    mood: u8,
    /// 354 was said, and no mail has followed it.
    may_take_body: bool,
    /// What the client sent behind the 354.
    wire: Option<Vec<u8>>,
    nul: Nul,
    secured: bool,
    closed: bool,
}

impl Stage {
    fn hear(&mut self, said: &[u8]) {
        if self.closed {
            return;
        }
        assert_eq!(self.session.is_in_body(), self.wire.is_some());
        if let Some(wire) = &mut self.wire {
            wire.extend_from_slice(said);
        }
        self.session.input(said);
        self.play();
    }

    /// Does what the session asks for, until it wants to hear more.
    fn play(&mut self) {
        // Each line of a piece asks for a few steps at most, and a piece is one read.
        for _ in 0..READ_ROOM * 4 {
            let step = self.session.step();
            assert!(self.session.room_held() <= MAX_SIZE + READ_ROOM as u64, "{} octets of room", self.session.room_held());
            match step {
                Step::Read => return self.said(),
                Step::Envelope(commands) => self.envelope(&commands),
                Step::Listen => self.listen(),
                Step::Room(octets) | Step::Grow(octets) => self.room(octets),
                Step::Message(received) => {
                    let header = received.header("gw.example", "0123456789AB", None, Time::from_millis(0));
                    are_fields(&header);
                    self.message();
                }
                Step::Reset => self.body_is_over(),
                Step::StartTls => self.secure(),
                Step::Close => return self.close(),
            }
        }
        panic!("a session without an end");
    }

    /// Looks at what the session says.
    fn said(&mut self) {
        let said = self.session.output();
        are_replies(&said);
        let go_ons = said.split(|octet| *octet == b'\n').filter(|line| line.starts_with(b"354")).count();
        assert_eq!(go_ons > 0, self.session.is_in_body() && self.wire.is_none(), "354 is said when a body may come, and only then");
        if go_ons > 0 {
            assert_eq!(go_ons, 1);
            self.may_take_body = true;
            self.wire = Some(Vec::new());
        }
        assert_eq!(self.session.is_in_body(), self.wire.is_some());
    }

    fn envelope(&mut self, commands: &[EnvelopeCommand]) {
        assert!(!commands.is_empty(), "the handler is asked nothing");
        for command in commands {
            is_one_line(command);
            if let EnvelopeCommand::Mail { .. } = command {
                self.nul = if command.is_eight_bit() { Nul::Taken } else { Nul::Refused };
            }
        }
        let answers = commands.len() - usize::from(self.mood == 5);
        let replies = (0..answers).map(|at| self.answer(at)).collect();
        self.session.answered(replies);
    }

    fn answer(&self, at: usize) -> Reply {
        match self.mood {
            1 => Reply::new(550, None, "no"),
            2 if at % 2 == 1 => Reply::new(450, Some(Enhanced(4, 2, 0)), "later\r\n250 smuggled"),
            3 => Reply::new(354, None, "go on"),
            4 => Reply::new(421, None, &"bye ".repeat(300)),
            6 if at > 0 => Reply::new(550, None, "nobody of that name"),
            _ => Reply::OK,
        }
    }

    fn listen(&mut self) {
        if self.mood == 7 {
            self.session.input(b"too early\r\n");
        }
        self.session.listened();
        assert!(self.mood != 7 || !self.session.is_in_body());
    }

    fn room(&mut self, octets: u64) {
        assert!(octets <= MAX_SIZE + READ_ROOM as u64, "room for {octets} octets");
        let given = match self.mood {
            8 => None,
            // Not yet as much as is needed: more is asked for.
            9 if !self.session.is_in_body() => Some(1),
            _ => Some(octets),
        };
        self.session.room(given);
    }

    fn message(&mut self) {
        assert!(std::mem::take(&mut self.may_take_body), "a mail without 354");
        let wire = self.wire.take().expect("octets behind the 354");
        let Outcome { ended, refused, body, .. } = twin(&wire, MAX_SIZE, self.nul);
        assert!(ended && refused.is_none(), "a mail that has not ended, or is refused: {refused:?}");
        assert_eq!(self.session.take_body(), body);
        self.session.judged(self.answer(0));
        assert!(!self.session.has_transaction());
    }

    /// A body was refused, or a transaction given up.
    fn body_is_over(&mut self) {
        if let Some(wire) = self.wire.take() {
            assert!(std::mem::take(&mut self.may_take_body));
            let outcome = twin(&wire, MAX_SIZE, self.nul);
            assert!(outcome.ended, "a body was given up before its end");
        }
        assert!(!self.session.has_transaction() && !self.session.is_in_body());
        assert_eq!(self.session.room_held(), 0);
    }

    /// TLS begins; nothing that was said before counts, and what came in clear with it does not either.
    fn secure(&mut self) {
        assert!(!std::mem::replace(&mut self.secured, true), "TLS within TLS");
        self.said();
        self.session.input(b"EHLO between.example\r\nMAIL FROM:<between@evil.example>\r\n");
        self.session.secured(TlsFacts { version: "TLSv1.3", cipher: "TLS13_AES_256_GCM_SHA384" });
        assert!(self.session.is_idle() && !self.session.has_transaction());
        assert_eq!(self.session.step(), Step::Read, "a command in clear counts behind STARTTLS");
        self.session.input(b"MAIL FROM:<>\r\n");
        assert_eq!(self.session.step(), Step::Read, "EHLO in clear counts behind STARTTLS");
        assert!(self.session.output().starts_with(b"503 "));
    }

    fn close(&mut self) {
        let said = self.session.output();
        are_replies(&said);
        assert!(!said.is_empty(), "a session that closes without a word");
        self.closed = true;
        self.session.input(b"MAIL FROM:<>\r\nDATA\r\n.\r\n");
        for _ in 0..3 {
            assert_eq!(self.session.step(), Step::Close, "a closed session goes on");
        }
        assert!(self.session.output().is_empty() && !self.session.is_in_body());
    }
}

/// Header fields, folded lines included: nothing in them ends the header.
fn are_fields(header: &[u8]) {
    assert!(header.ends_with(b"\r\n"));
    for line in header[..header.len() - 2].split(|octet| *octet == b'\n') {
        let text = line.strip_suffix(b"\r").unwrap_or(line);
        assert!(!text.is_empty() && text.iter().all(|octet| *octet == b'\t' || (b' '..=b'~').contains(octet)));
    }
}
