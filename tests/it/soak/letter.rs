//! The mails of the soak: everything about one follows from its number and version, so that whoever sees a piece of it can tell the whole.

use super::dice::Dice;

/// What is in every mail's text, and never in what leaves for a protected recipient.
pub(crate) const MARK: &str = "merkteken-";

/// Who a recipient is: the first letter of his address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Gets the mail as it is.
    Clean,
    /// Gets a notification whose link opens the mail.
    Sealed,
    /// Gets nothing: his number is not known, and the sender is asked for it.
    Held,
    /// The next hop does not know him.
    Unknown,
    /// The sender.
    Sender,
}

/// One mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Letter {
    pub(crate) id: usize,
    /// The life of zegel in which it was first sent.
    pub(crate) version: usize,
}

impl Letter {
    /// Whose mail an address is about, and as what; `None` when it is none of ours.
    pub(crate) fn about(address: &str) -> Option<(Letter, Role)> {
        let role = match address.as_bytes().first()? {
            b'c' | b'd' => Role::Clean,
            b's' | b't' => Role::Sealed,
            b'h' => Role::Held,
            b'u' => Role::Unknown,
            b'a' => Role::Sender,
            _ => return None,
        };
        let (id, version) = address[1..].split_once('@')?.0.split_once('.')?;
        Some((Letter { id: id.parse().ok()?, version: version.parse().ok()? }, role))
    }

    fn dice(self) -> Dice {
        Dice::new((self.id as u64) << 32 | self.version as u64)
    }

    fn address(self, letter: char, domain: &str) -> String {
        format!("{letter}{}.{}@{domain}.example", self.id, self.version)
    }

    pub(crate) fn sender(self) -> String {
        self.address('a', "gemeente")
    }

    /// The envelope's recipients.
    pub(crate) fn recipients(self) -> Vec<String> {
        let letters: &[(char, &str)] = match self.id % 10 {
            0 => &[('c', "post")],
            1 => &[('c', "gemeente"), ('d', "post")],
            2 => &[('c', "post"), ('u', "post")],
            3 | 4 => &[('s', "post")],
            5 => &[('s', "post"), ('t', "elders")],
            6 => &[('u', "post"), ('s', "post"), ('c', "gemeente")],
            7 | 8 => &[('c', "gemeente"), ('s', "post")],
            _ if self.id % 20 == 9 => &[('h', "post")],
            _ => &[('c', "gemeente"), ('h', "post")],
        };
        letters.iter().map(|(letter, domain)| self.address(*letter, domain)).collect()
    }

    fn is_protected(self) -> bool {
        self.id % 10 > 2
    }

    /// The text, as the author typed it.
    pub(crate) fn text(self) -> String {
        let mut dice = self.dice();
        let mut text = format!("{MARK}{}\r\n.een punt\r\n", self.letters());
        if self.id % 10 == 9 {
            text.push_str("Het BSN van mevrouw Bakker is 111222333.\r\n");
        }
        words(&mut dice, 60 << (self.id % 7), &mut text);
        text
    }

    /// The attached file: a few MB for one mail in so many.
    pub(crate) fn file(self) -> Option<String> {
        let mut dice = self.dice().split();
        let bytes = match dice.below(40) {
            0 => (1 << 20) + dice.below(2 << 20),
            1..10 => 1 + dice.below(20_000),
            _ => return None,
        };
        let mut text = format!("{MARK}{}\r\n", self.letters());
        words(&mut dice, bytes, &mut text);
        Some(text)
    }

    /// Number and version in letters: a row of digits could be taken for a number that is looked for.
    fn letters(self) -> String {
        format!("{:06}-{:03}", self.id, self.version).bytes().map(|b| if b == b'-' { '-' } else { char::from(b - b'0' + b'k') }).collect()
    }

    /// The octets as its sender's server sends them.
    pub(crate) fn octets(self) -> Vec<u8> {
        let (from, to, mark) = (self.sender(), self.recipients().join(", "), self.letters());
        let subject = if self.is_protected() && self.id % 10 != 9 { "[beveiligd] Bericht" } else { "Bericht" };
        let head = format!(
            "From: Anna <{from}>\r\nTo: {to}\r\nSubject: {subject}\r\nDate: Mon, 12 Oct 2026 09:30:00 +0200\r\n\
             Message-ID: <{mark}@gemeente.example>\r\nMIME-Version: 1.0\r\n"
        );
        let text = format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{}", self.text());
        let Some(file) = self.file() else { return (head + &text).into_bytes() };
        format!(
            "{head}Content-Type: multipart/mixed; boundary=\"grens\"\r\n\r\n--grens\r\n{text}\r\n--grens\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Disposition: attachment; filename=\"bijlage.txt\"\r\n\r\n{file}\r\n--grens--\r\n"
        )
        .into_bytes()
    }
}

/// Adds lines of words that no rule looks for, `bytes` of them or a few more.
fn words(dice: &mut Dice, bytes: usize, text: &mut String) {
    const WORDS: &[&str] = &["boom", "lamp", "kast", "steen", "water", "tafel", "regen", "straat"];
    let end = text.len() + bytes;
    while text.len() < end {
        for _ in 0..12 {
            text.push_str(dice.pick(WORDS));
            text.push(' ');
        }
        text.push_str("\r\n");
    }
}
