//! One conversation.

use super::{
    codec::twin,
    command::{is_one_line, offer},
    reply::are_replies,
};
use std::{
    collections::VecDeque,
    sync::{Arc, LazyLock},
};
use zegel::{
    address::Domain,
    smtp::{
        Accounts, EnvelopeCommand, Reply, TlsFacts,
        auth::{Verdict, hash_password},
        codec::{Nul, has_exact_line_ends},
        command::LINE_LIMIT,
        reply::Enhanced,
        session::{Offer, READ_ROOM, Session, Step},
    },
    time::Time,
};

/// So large may a mail be: few enough octets to be exceeded by short inputs.
const MAX_SIZE: u64 = 500;

static ACCOUNTS: LazyLock<Arc<Accounts>> = LazyLock::new(|| {
    let domains = vec![Domain::parse("b.example").expect("it is a domain")];
    Arc::new(Accounts::parse(&format!("jan:{}", hash_password("x")), domains).expect("it is an account"))
});

/// A conversation as a dialogue of tests/smtp would have it, with octets 0xF0 to 0xFF as stage directions: the client's octets up to there
/// arrive in one piece, and are answered in the mood that the last four bits say.
pub fn session(octets: &[u8]) {
    let offer = Offer { accounts: Some(ACCOUNTS.clone()), ..offer(MAX_SIZE) };
    let mut stage =
        Stage { session: Session::new(offer, [192, 0, 2, 1].into()), mood: 0, reader: Reader::default(), secured: false, closed: false };
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

/// The session's twin as far as bodies go: it reads what the client says with nothing to go by but the octets and the replies that the client
/// has heard, and knows every mail that may come of it.
#[derive(Default)]
struct Reader {
    octets: Vec<u8>,
    expects: Expects,
    /// The chunks since the last one that ended a mail.
    chunks: Vec<Vec<u8>>,
    /// Bodies that have ended. One that came in chunks may have begun with any of them: those before may belong to a mail that was given up.
    bodies: VecDeque<Vec<Vec<u8>>>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Expects {
    #[default]
    Command,
    /// Behind 334.
    Answer,
    /// Behind 354.
    Body,
    Chunk {
        left: usize,
        last: bool,
    },
}

impl Reader {
    fn hear(&mut self, said: &[u8]) {
        self.octets.extend_from_slice(said);
        while self.step() {}
    }

    /// Takes one line, body or piece of a chunk from the front, if it is there.
    fn step(&mut self) -> bool {
        match self.expects {
            Expects::Body => {
                let outcome = twin(&self.octets, MAX_SIZE, Nul::Taken);
                if !outcome.ended {
                    return false;
                }
                if outcome.refused.is_none() {
                    self.bodies.push_back(vec![outcome.body]);
                }
                self.octets.drain(..outcome.taken);
            }
            Expects::Chunk { left, last } => {
                if self.octets.len() < left {
                    return false;
                }
                self.chunks.push(self.octets.drain(..left).collect());
                if last {
                    let chunks = std::mem::take(&mut self.chunks);
                    self.bodies.push_back((0..chunks.len()).map(|first| chunks[first..].concat()).collect());
                }
            }
            Expects::Command | Expects::Answer => {
                let Some(end) = self.octets.iter().position(|octet| *octet == b'\n') else { return false };
                let line: Vec<u8> = self.octets.drain(..=end).collect();
                if self.expects == Expects::Command {
                    self.line(&line);
                    return true;
                }
            }
        }
        self.expects = Expects::Command;
        true
    }

    /// Octets follow a line of BDAT, whatever the session makes of it; unless it is none, then the session ends.
    fn line(&mut self, line: &[u8]) {
        let text = line.strip_suffix(b"\r\n").filter(|text| line.len() <= LINE_LIMIT && !text.iter().any(|o| matches!(o, b'\r' | 0)));
        let text = text.and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default().to_ascii_uppercase();
        let words: Vec<&str> = text.strip_prefix("BDAT ").unwrap_or_default().split_ascii_whitespace().collect();
        let (octets, last) = match words[..] {
            [octets] => (octets, false),
            [octets, "LAST"] => (octets, true),
            _ => return,
        };
        if let Ok(left) = octets.parse() {
            self.expects = Expects::Chunk { left, last };
        }
    }

    /// What the client hears decides how the next octets are to be read.
    fn answered(&mut self, said: &[u8]) {
        let last = said.strip_suffix(b"\r\n").and_then(|said| said.rsplit(|octet| *octet == b'\n').next()).unwrap_or_default();
        match last.get(..3) {
            Some(b"354") => self.expects = Expects::Body,
            Some(b"334") => self.expects = Expects::Answer,
            _ => {}
        }
    }
}

/// The session, and what its surroundings know by themselves.
struct Stage {
    session: Session,
    mood: u8,
    reader: Reader,
    secured: bool,
    closed: bool,
}

impl Stage {
    fn hear(&mut self, said: &[u8]) {
        if self.closed {
            return;
        }
        self.reader.hear(said);
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
                Step::Spill => panic!("bodies stay in memory here"),
                Step::Message(received) => {
                    let header = received.header("gw.example", "0123456789AB", None, Time::from_millis(0));
                    are_fields(&header);
                    assert!(received.client.is_none_or(|client| !client.contains(|c: char| c.is_control())));
                    assert!(received.account.is_none() || self.secured);
                    self.message();
                }
                Step::Reset => {
                    assert!(!self.session.has_transaction() && self.session.room_held() == 0);
                }
                Step::Authenticate(_) => self.authenticate(),
                Step::StartTls => {
                    self.secure();
                    if self.closed {
                        return;
                    }
                }
                Step::Close => return self.close(),
            }
        }
        panic!("a session without an end");
    }

    /// Looks at what the session says.
    fn said(&mut self) {
        let said = self.session.output();
        are_replies(&said);
        self.reader.answered(&said);
        let go_ons = said.split(|octet| *octet == b'\n').filter(|line| line.starts_with(b"354")).count();
        assert!(go_ons <= usize::from(self.reader.expects == Expects::Body), "354 is said when a body may come, and as the last thing");
        assert!(go_ons == 0 || self.session.is_in_body());
    }

    fn envelope(&mut self, commands: &[EnvelopeCommand]) {
        assert!(!commands.is_empty(), "the handler is asked nothing");
        commands.iter().for_each(is_one_line);
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
            6 if at > 0 => Reply::new(550, None, "nobody of that name\n\n\n"),
            _ => Reply::OK,
        }
    }

    fn listen(&mut self) {
        if self.mood == 7 {
            self.session.input(b"too early\r\n");
        }
        self.session.listened();
        assert!(self.mood != 7 || !matches!(self.session.step(), Step::Room(_)), "354 though the client did not wait for it");
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
        let body = self.session.take_body();
        assert!(has_exact_line_ends(&[&body]) && body.len() as u64 <= MAX_SIZE);
        // Those before it had no transaction, or were refused by it.
        while let Some(expected) = self.reader.bodies.pop_front() {
            if expected.contains(&body) {
                self.session.judged(self.answer(0));
                assert!(!self.session.has_transaction());
                return;
            }
        }
        panic!("a mail that nobody sent: {}", body.escape_ascii());
    }

    fn authenticate(&mut self) {
        assert!(self.secured, "a password in clear");
        self.session.authenticated(match self.mood {
            10 => Verdict::Wrong,
            11 => Verdict::TooMany,
            12 => Verdict::Busy,
            _ => Verdict::Account("jan".to_owned()),
        });
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
        match self.session.step() {
            Step::Read => assert!(self.session.output().starts_with(b"503 "), "EHLO in clear counts behind STARTTLS"),
            // It was one mistake too many.
            Step::Close => self.close(),
            step => panic!("{step:?} behind STARTTLS"),
        }
        self.reader = Reader::default();
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
