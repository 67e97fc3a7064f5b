//! The body on its way: DATA with its dots doubled (RFC 5321, 4.5.2), or BDAT as it is (RFC 3030).

use super::{
    super::{
        codec::{Encoder, LineEnds},
        reply::Reply,
        spill::Spilled,
    },
    ClientOptions, Failure,
    connection::{Connection, Ending},
};
use bytes::Bytes;
use std::{future::Future, io, sync::Arc};
use tokio::time::{Instant, timeout_at};

/// Octets of a body that are encoded and sent at once.
const BLOCK: usize = 64 * 1024;

/// Room for what stands around a block: `BDAT 12345 LAST`, or the final dot.
const FRAME: usize = 64;

/// The octets of a mail, block by block: they need not all be in memory.
pub trait Body: Send {
    /// How many octets there are in all; BDAT says so beforehand.
    fn size(&self) -> u64;

    /// The next block; `None` behind the last one.
    ///
    /// # Errors
    /// The system's. The mail is not sent then.
    fn block(&mut self) -> impl Future<Output = io::Result<Option<&[u8]>>> + Send;
}

/// A body in memory: its octets are those of the slices one after the other.
pub(super) struct Slices<'a> {
    parts: std::slice::Iter<'a, &'a [u8]>,
    size: u64,
}

impl<'a> Slices<'a> {
    pub(super) fn of(parts: &'a [&'a [u8]]) -> Slices<'a> {
        Slices { parts: parts.iter(), size: parts.iter().map(|p| p.len() as u64).sum() }
    }
}

impl Body for Slices<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    async fn block(&mut self) -> io::Result<Option<&[u8]>> {
        Ok(self.parts.next().copied())
    }
}

/// A header of ours, and behind it a body that was spilled.
pub(super) struct Spill<'a> {
    header: &'a [u8],
    spilled: &'a Arc<Spilled>,
    /// The piece that is read next; before the first comes the header.
    next: Option<u64>,
    piece: Bytes,
}

impl<'a> Spill<'a> {
    pub(super) fn behind(header: &'a [u8], spilled: &'a Arc<Spilled>) -> Spill<'a> {
        Spill { header, spilled, next: None, piece: Bytes::new() }
    }
}

impl Body for Spill<'_> {
    fn size(&self) -> u64 {
        self.header.len() as u64 + self.spilled.size_bytes()
    }

    async fn block(&mut self) -> io::Result<Option<&[u8]>> {
        let Some(number) = self.next else {
            self.next = Some(0);
            return Ok(Some(self.header));
        };
        self.next = Some(number + 1);
        let Some(piece) = self.spilled.piece(number).await? else { return Ok(None) };
        self.piece = piece;
        Ok(Some(&self.piece))
    }
}

/// How a body is told from what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// DATA was said and answered with 354; a dot ends the body.
    Dot,
    /// One BDAT says how long it is.
    Chunk,
}

/// Who has looked at the line ends of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Looked {
    /// They are exact.
    Before,
    /// They are looked at on the way: before a doubtful octet goes out the connection is given up, and the next hop has no mail.
    OnTheWay,
}

/// Sends the body, and waits for the reply to its end.
pub(super) async fn transfer<B: Body>(
    connection: &mut Connection,
    body: &mut B,
    framing: Framing,
    looked: Looked,
    deadline: Instant,
    options: &ClientOptions,
) -> Result<Reply, Failure> {
    let size = body.size();
    let mut block = Vec::with_capacity(usize::try_from(size).unwrap_or(BLOCK).min(BLOCK) + FRAME);
    let mut encoder = Encoder::default();
    if framing == Framing::Chunk {
        block.extend_from_slice(format!("BDAT {size} LAST\r\n").as_bytes());
    }
    let (mut sent, mut check) = (0u64, LineEnds::default());
    while let Some(octets) = timeout_at(deadline, body.block()).await.map_err(|_| Failure::TIMEOUT)?.map_err(|_| Failure::Unreadable)? {
        sent += octets.len() as u64;
        if looked == Looked::OnTheWay && !check.are_exact(octets) {
            return Err(Failure::BareLineEnd);
        }
        for piece in octets.chunks(BLOCK) {
            if block.len() + piece.len() > BLOCK && block.len() > FRAME {
                if let Err(failure) = send(connection, &block, Ending::No, deadline, options).await {
                    return refusal(connection).await.ok_or(failure);
                }
                block.clear();
            }
            match framing {
                Framing::Dot => encoder.encode(piece, &mut block),
                Framing::Chunk => block.extend_from_slice(piece),
            }
        }
    }
    // The end is still unsaid, so there is no mail yet.
    if looked == Looked::OnTheWay && !check.are_complete() {
        return Err(Failure::BareLineEnd);
    }
    if sent != size {
        return Err(Failure::Unreadable);
    }
    if framing == Framing::Dot {
        encoder.end(&mut block);
    }
    if let Err(failure) = send(connection, &block, Ending::Yes, deadline, options).await {
        return refusal(connection).await.ok_or(failure.after_dot());
    }
    match connection.reply_until(deadline).await {
        Ok(reply) if reply.is_intermediate() => Err(Failure::LOST.after_dot()),
        // A host that does not know its own BDAT says nothing about the mail; the sender's next attempt meets another EHLO.
        Ok(reply) if framing == Framing::Chunk && matches!(reply.code(), 500..=504) => Err(Failure::LOST),
        Ok(reply) => Ok(reply),
        Err(failure) => Err(failure.after_dot()),
    }
}

async fn send(
    connection: &mut Connection,
    block: &[u8],
    ending: Ending,
    deadline: Instant,
    options: &ClientOptions,
) -> Result<(), Failure> {
    timeout_at(deadline, connection.body(block, ending, options)).await.unwrap_or(Err(Failure::TIMEOUT))
}

/// A next hop that has enough of a body says so and hangs up: then that is its reply, and it has no mail.
async fn refusal(connection: &mut Connection) -> Option<Reply> {
    let reply = connection.reply_until(Instant::now()).await.ok()?;
    if reply.is_positive() || reply.is_intermediate() { None } else { Some(reply) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_line_end_is_seen_wherever_the_octets_are_split() {
        for (octets, exact) in [
            (&b"a\r\nb\r\n"[..], true),
            (b"", true),
            (b"a\rb", false),
            (b"a\nb", false),
            (b"\n", false),
            (b"a\r\r\n", false),
            (b"a\r\n\r", false),
            (b"\r\n\r\n", true),
        ] {
            for at in 0..=octets.len() {
                let mut check = LineEnds::default();
                let seen = check.are_exact(&octets[..at]) && check.are_exact(b"") && check.are_exact(&octets[at..]) && check.are_complete();
                assert_eq!(seen, exact, "{octets:?} split at {at}");
            }
        }
    }
}
