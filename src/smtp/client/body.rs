//! The body on its way: DATA with its dots doubled (RFC 5321, 4.5.2), or BDAT as it is (RFC 3030).

use super::{
    super::{codec::Encoder, reply::Reply},
    ClientOptions, Failure,
    connection::{Connection, Ending},
};
use std::{future::Future, io};
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
pub(super) enum LineEnds {
    Exact,
    /// They are looked at on the way: before a doubtful octet goes out the connection is given up, and the next hop has no mail.
    Unseen,
}

/// Sends the body, and waits for the reply to its end.
pub(super) async fn transfer<B: Body>(
    connection: &mut Connection,
    body: &mut B,
    framing: Framing,
    line_ends: LineEnds,
    deadline: Instant,
    options: &ClientOptions,
) -> Result<Reply, Failure> {
    let size = body.size();
    let mut block = Vec::with_capacity(usize::try_from(size).unwrap_or(BLOCK).min(BLOCK) + FRAME);
    let mut encoder = Encoder::default();
    if framing == Framing::Chunk {
        block.extend_from_slice(format!("BDAT {size} LAST\r\n").as_bytes());
    }
    let (mut sent, mut check) = (0u64, Check::default());
    while let Some(octets) = timeout_at(deadline, body.block()).await.map_err(|_| Failure::TIMEOUT)?.map_err(|_| Failure::Unreadable)? {
        sent += octets.len() as u64;
        if line_ends == LineEnds::Unseen && !check.octets(octets) {
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
    if line_ends == LineEnds::Unseen && !check.is_over() {
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

/// Looks for a CR or LF that stands alone, over any split of the octets.
#[derive(Default)]
struct Check {
    cr_pending: bool,
}

impl Check {
    fn octets(&mut self, octets: &[u8]) -> bool {
        let mut rest = octets;
        if self.cr_pending {
            match rest.split_first() {
                None => return true,
                Some((b'\n', behind)) => rest = behind,
                Some(_) => return false,
            }
        }
        self.cr_pending = rest.last() == Some(&b'\r');
        let whole = if self.cr_pending { &rest[..rest.len() - 1] } else { rest };
        super::super::codec::has_exact_line_ends(&[whole])
    }

    fn is_over(&self) -> bool {
        !self.cr_pending
    }
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
                let mut check = Check::default();
                let seen = check.octets(&octets[..at]) && check.octets(b"") && check.octets(&octets[at..]) && check.is_over();
                assert_eq!(seen, exact, "{octets:?} split at {at}");
            }
        }
    }
}
