//! A sender's mail server: keeps each mail until it is told 250 or 5yz, pipelines or not, sends by DATA or BDAT, and hangs up at any octet.

use super::{dice::Dice, letter::Letter};
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// Longer than zegel takes for any answer, the one to the dot included.
const PATIENCE: Duration = Duration::from_secs(120);

/// A mail in the queue of its sender's server.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    pub(crate) letter: Letter,
    /// Attempts whose last octet was sent, and whose reply nobody heard.
    pub(crate) unheard: usize,
    /// Recipients who were refused for good at RCPT.
    pub(crate) refused: Vec<String>,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// 250 to the last octet.
    Taken,
    /// 5yz: its sender is told by his own server.
    Refused,
    /// 4yz.
    Later,
    /// The connection ended, or was ended.
    Nothing,
}

/// One client with at most one connection.
pub(crate) struct Client {
    gateway: SocketAddr,
    dice: Dice,
    /// Times in a thousand mails that it hangs up somewhere.
    hangs_up: usize,
    open: Option<Connection>,
}

struct Connection {
    stream: TcpStream,
    input: Vec<u8>,
    chunking: bool,
    /// Octets until it hangs up.
    left: Option<usize>,
}

/// The connection is over.
struct Gone;

impl Client {
    pub(crate) fn new(gateway: SocketAddr, dice: Dice, hangs_up: usize) -> Client {
        Client { gateway, dice, hangs_up, open: None }
    }

    /// Sends a mail once.
    pub(crate) async fn attempt(&mut self, mail: &mut Queued) -> Heard {
        let octets = mail.letter.octets();
        let mut all_sent = false;
        match self.transaction(mail, &octets, &mut all_sent).await {
            Ok(heard) => {
                if heard != Heard::Taken || self.dice.chance(300) {
                    self.quit().await;
                }
                heard
            }
            Err(Gone) => {
                self.open = None;
                mail.unheard += usize::from(all_sent);
                Heard::Nothing
            }
        }
    }

    /// Ends the connection politely, so that its octets are not thrown away.
    pub(crate) async fn quit(&mut self) {
        if let Some(mut open) = self.open.take() {
            let _ = open.send(b"QUIT\r\n").await;
        }
    }

    async fn transaction(&mut self, mail: &mut Queued, octets: &[u8], all_sent: &mut bool) -> Result<Heard, Gone> {
        if self.open.is_none() {
            self.open = Some(Connection::greet(self.gateway).await?);
        }
        let dice = &mut self.dice;
        let open = self.open.as_mut().ok_or(Gone)?;
        if dice.chance(self.hangs_up) {
            // Often enough just behind the last octet, where it matters most.
            open.left = Some(if dice.chance(400) { usize::MAX } else { dice.below(octets.len() + 300) });
        }
        let chunks = open.chunking && dice.chance(500);
        let to: Vec<_> = mail.letter.recipients().into_iter().filter(|r| !mail.refused.contains(r)).collect();
        let mut commands = vec![format!("MAIL FROM:<{}>\r\n", mail.letter.sender())];
        commands.extend(to.iter().map(|to| format!("RCPT TO:<{to}>\r\n")));
        let replies = open.say_all(&commands, dice.chance(500)).await?;
        if replies[0] / 100 != 2 || replies.iter().any(|r| r / 100 == 4) {
            return Ok(if replies[0] / 100 == 5 { Heard::Refused } else { Heard::Later });
        }
        mail.refused.extend(to.iter().zip(&replies[1..]).filter(|(_, r)| **r / 100 == 5).map(|(to, _)| to.clone()));
        if replies[1..].iter().all(|r| r / 100 == 5) {
            return Ok(Heard::Refused);
        }
        let reply = if chunks { open.chunks(octets, dice, all_sent).await? } else { open.data(octets, all_sent).await? };
        Ok(match reply / 100 {
            2 => Heard::Taken,
            5 => Heard::Refused,
            _ => Heard::Later,
        })
    }
}

impl Connection {
    async fn greet(gateway: SocketAddr) -> Result<Connection, Gone> {
        let stream = TcpStream::connect(gateway).await.map_err(|_| Gone)?;
        stream.set_nodelay(true).map_err(|_| Gone)?;
        let mut open = Connection { stream, input: Vec::new(), chunking: false, left: None };
        if open.reply().await?.0 != 220 {
            return Err(Gone);
        }
        open.send(b"EHLO mail.gemeente.example\r\n").await?;
        let (code, text) = open.reply().await?;
        open.chunking = text.contains("CHUNKING");
        if code == 250 { Ok(open) } else { Err(Gone) }
    }

    /// Says commands, at once or one by one; their codes.
    async fn say_all(&mut self, commands: &[String], at_once: bool) -> Result<Vec<u16>, Gone> {
        let mut codes = Vec::new();
        if at_once {
            self.send(commands.concat().as_bytes()).await?;
        }
        for command in commands {
            if !at_once {
                self.send(command.as_bytes()).await?;
            }
            codes.push(self.reply().await?.0);
        }
        Ok(codes)
    }

    async fn data(&mut self, octets: &[u8], all_sent: &mut bool) -> Result<u16, Gone> {
        self.send(b"DATA\r\n").await?;
        let code = self.reply().await?.0;
        if code != 354 {
            return Ok(code);
        }
        let mut stuffed = Vec::with_capacity(octets.len() + 64);
        for line in octets.split_inclusive(|o| *o == b'\n') {
            if line.starts_with(b".") {
                stuffed.push(b'.');
            }
            stuffed.extend_from_slice(line);
        }
        stuffed.extend_from_slice(b".\r\n");
        self.last(&stuffed, all_sent).await
    }

    async fn chunks(&mut self, octets: &[u8], dice: &mut Dice, all_sent: &mut bool) -> Result<u16, Gone> {
        let (first, rest) = octets.split_at(dice.below(octets.len()));
        self.send(&[format!("BDAT {}\r\n", first.len()).as_bytes(), first].concat()).await?;
        let code = self.reply().await?.0;
        if code != 250 {
            return Ok(code);
        }
        self.last(&[format!("BDAT {} LAST\r\n", rest.len()).as_bytes(), rest].concat(), all_sent).await
    }

    /// Sends the last octets of a mail, and hears what becomes of it.
    async fn last(&mut self, octets: &[u8], all_sent: &mut bool) -> Result<u16, Gone> {
        self.send(octets).await?;
        *all_sent = true;
        if self.left.take().is_some() {
            // It was to hang up while this mail was under way: after its last octet at the latest.
            return Err(Gone);
        }
        Ok(self.reply().await?.0)
    }

    async fn send(&mut self, octets: &[u8]) -> Result<(), Gone> {
        let until = self.left.unwrap_or(usize::MAX).min(octets.len());
        timeout(PATIENCE, self.stream.write_all(&octets[..until])).await.map_err(|_| Gone)?.map_err(|_| Gone)?;
        if let Some(left) = &mut self.left {
            *left -= until;
        }
        if until < octets.len() { Err(Gone) } else { Ok(()) }
    }

    /// The next reply: its code and its text.
    async fn reply(&mut self) -> Result<(u16, String), Gone> {
        let mut text = String::new();
        loop {
            let Some(end) = self.input.windows(2).position(|w| w == b"\r\n") else {
                let mut room = [0; 4096];
                let read = timeout(PATIENCE, self.stream.read(&mut room)).await.map_err(|_| Gone)?.map_err(|_| Gone)?;
                if read == 0 {
                    return Err(Gone);
                }
                self.input.extend_from_slice(&room[..read]);
                continue;
            };
            let line: Vec<u8> = self.input.drain(..end + 2).collect();
            let line = String::from_utf8_lossy(&line[..end]).into_owned();
            text.push_str(&line);
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok((line.get(..3).and_then(|c| c.parse().ok()).ok_or(Gone)?, text));
            }
        }
    }
}
