//! BDAT (RFC 3030): a mail in chunks, each of the length that its command announces.
//!
//! Nothing but that length ends a chunk, and a chunk is never read as commands, also where it is refused. A refused chunk ends its
//! transaction: were the next one taken, a mail with a hole would be delivered.

use super::{
    super::reply::Reply,
    MAIL_FIRST, NO_RECIPIENTS, NO_ROOM, Phase, READ_ROOM, Session, Step,
    body::{self, Body, TOO_LARGE},
};

/// A refused chunk is read to its end up to this size: 64 MiB is more than clients put into one, and more than most send at all. Who
/// announces more hears the refusal at once and is hung up on, since reading it could take for ever.
pub const DISCARDED_CHUNK: u64 = 64 << 20;

/// The chunk that is being read.
#[derive(Debug)]
pub(super) struct Chunk {
    octets: u64,
    left: u64,
    last: bool,
    /// Its octets are read and thrown away, and this is said.
    refusal: Option<Reply>,
}

impl Chunk {
    /// Takes octets of the front of `input`, and returns how many belong to this chunk.
    pub(super) fn take(&mut self, input: &[u8], body: Option<&mut Body>) -> usize {
        let taken = usize::try_from(self.left).map_or(input.len(), |left| left.min(input.len()));
        self.left -= taken as u64;
        if let Some(body) = body {
            body.decode_chunk(&input[..taken]);
        }
        taken
    }
}

impl Session {
    /// The line of BDAT was read; its chunk comes next.
    pub(super) fn bdat(&mut self, octets: u64, last: bool) {
        let received = self.body.as_ref().map_or(0, Body::size);
        let refusal = match &self.transaction {
            None => Some(MAIL_FIRST),
            Some(transaction) if transaction.accepted == 0 => Some(NO_RECIPIENTS),
            Some(_) if received.saturating_add(octets) > self.offer.max_size => Some(TOO_LARGE),
            Some(_) => None,
        };
        let begins = refusal.is_none() && self.body.is_none();
        if let Some(reply) = &refusal {
            self.give_up();
            if octets > DISCARDED_CHUNK {
                return self.close(reply);
            }
        }
        self.chunk = Some(Chunk { octets, left: octets, last, refusal });
        self.phase = if begins { Phase::Room } else { Phase::Body };
    }

    /// The room that is asked for before the first chunk is taken, or before 354.
    pub(super) fn first_room(&self) -> u64 {
        body::room_at_first(self.announced(), self.offer.max_size, self.offer.in_memory)
    }

    /// The size of the body as its client announced it, by SIZE or by a first chunk, which others may follow.
    pub(super) fn announced(&self) -> Option<u64> {
        let size = self.transaction.as_ref().and_then(|t| t.size);
        size.max(self.chunk.as_ref().map(|chunk| chunk.octets.max(body::FIRST_ROOM)))
    }

    /// There is no room for the first chunk.
    pub(super) fn refuse_chunk(&mut self) {
        if let Some(chunk) = &mut self.chunk {
            chunk.refusal = Some(NO_ROOM);
            self.give_up();
            self.phase = Phase::Body;
        }
    }

    /// More of the chunk, more room for it, or its end.
    pub(super) fn chunk_step(&mut self) -> Option<Step> {
        let Session { chunk: Some(chunk), body, lines, .. } = self else { return None };
        while chunk.left > 0 {
            if let Some(step) = body.as_ref().and_then(Body::step) {
                return Some(step);
            }
            // What came together with the line of BDAT.
            let most = usize::try_from(chunk.left).unwrap_or(READ_ROOM).min(READ_ROOM);
            if lines.take(most, |octets| chunk.take(octets, body.as_mut())) == 0 {
                return Some(Step::Read);
            }
        }
        self.chunk_ended()
    }

    fn chunk_ended(&mut self) -> Option<Step> {
        let chunk = self.chunk.take()?;
        self.phase = Phase::Commands;
        if let Some(reply) = chunk.refusal {
            // Those that were under way behind a refused one are no further mistake.
            if self.chunks_given_up && reply == MAIL_FIRST {
                self.idle(&reply);
            } else if reply.is_permanent() {
                self.fault(&reply);
            } else {
                self.reply(&reply);
            }
            self.chunks_given_up = !chunk.last;
            return None;
        }
        let body = self.body.as_mut()?;
        if chunk.last {
            body.end_chunks();
        }
        if body.is_refused() || chunk.last {
            self.chunks_given_up = !chunk.last;
            return Some(self.body_ended());
        }
        // A client could go on with nothing for ever.
        if chunk.octets == 0 {
            self.idle(&Reply::OK);
        } else {
            self.reply(&Reply::OK);
        }
        None
    }

    fn give_up(&mut self) {
        if self.transaction.is_some() {
            self.forget_transaction();
        }
    }
}
