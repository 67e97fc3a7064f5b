//! The body that is being received, and the room it takes.

use super::super::{
    codec::{Decoder, Nul, Refused},
    reply::{Enhanced, Reply},
    spill::BLOCK,
};
use super::{NO_ROOM, Step};

/// As many octets are read at once; room for them is there before they are read.
pub const READ_ROOM: usize = 32 * 1024;

/// The room for a body whose size was not announced; most mails fit.
pub(super) const FIRST_ROOM: u64 = 64 * 1024;

pub(super) const TOO_LARGE: Reply = Reply::fixed(552, Enhanced(5, 3, 4), "Message too large");
const BARE_LINE_END: Reply = Reply::fixed(550, Enhanced(5, 6, 11), "The message holds a CR or LF that stands alone");
const NUL: Reply = Reply::fixed(554, Enhanced(5, 6, 0), "The message holds a NUL and was not declared 8BITMIME");
const LONG_LINE: Reply = Reply::fixed(554, Enhanced(5, 6, 0), "The message holds a line over 64 KiB");

/// What is in memory of a body that goes to a file: a block that is complete, and what is read behind it.
const SPILL_ROOM: u64 = (BLOCK + READ_ROOM) as u64;

/// The room that is asked for before 354 or before a first chunk. Of a body that is `in_memory` up to so many octets, and announced as larger,
/// only a block will be.
pub(super) fn room_at_first(announced: Option<u64>, max_size: u64, in_memory: Option<u64>) -> u64 {
    let size = announced.unwrap_or(FIRST_ROOM).min(max_size);
    if in_memory.is_some_and(|most| size > most) { SPILL_ROOM } else { size + READ_ROOM as u64 }
}

#[derive(Debug)]
pub(super) struct Body {
    decoder: Decoder,
    octets: Vec<u8>,
    room: u64,
    /// No more than this is ever kept in memory.
    most: u64,
    /// With more than this in memory the body is moved to a file; nothing once that has failed.
    in_memory: Option<u64>,
    had_no_room: bool,
}

impl Body {
    /// A body of at most `max_size` octets, for which there is `room` ([`room_at_first`]).
    pub(super) fn new(announced: Option<u64>, max_size: u64, in_memory: Option<u64>, eight_bit: bool, room: u64) -> Body {
        let nul = if eight_bit { Nul::Taken } else { Nul::Refused };
        let mut body = Body {
            decoder: Decoder::new(max_size, nul),
            octets: Vec::new(),
            room: 0,
            most: max_size + READ_ROOM as u64,
            in_memory: in_memory.map(|most| if announced > Some(most) { BLOCK as u64 } else { most }),
            had_no_room: false,
        };
        body.room(Some(room));
        body
    }

    pub(super) fn decode(&mut self, octets: &[u8]) -> usize {
        self.decoder.decode(octets, &mut self.octets)
    }

    /// Takes octets of a chunk.
    pub(super) fn decode_chunk(&mut self, octets: &[u8]) {
        self.decoder.decode_chunk(octets, &mut self.octets);
    }

    /// The last chunk has ended.
    pub(super) fn end_chunks(&mut self) {
        self.decoder.end_chunks();
    }

    /// Octets received so far.
    pub(super) fn size(&self) -> u64 {
        self.decoder.size()
    }

    pub(super) fn is_refused(&self) -> bool {
        self.decoder.refused().is_some()
    }

    pub(super) fn has_ended(&self) -> bool {
        self.decoder.has_ended()
    }

    pub(super) fn long_lines(&self) -> u32 {
        self.decoder.long_lines()
    }

    /// What is needed before more is read, if anything is.
    pub(super) fn step(&self) -> Option<Step> {
        let enough = self.decoder.refused().is_some() || self.octets.len() as u64 + READ_ROOM as u64 <= self.room || self.room >= self.most;
        if enough {
            return None;
        }
        Some(match self.in_memory {
            // Nothing is moved for less than a block.
            Some(most) if self.can_spill() && self.room >= most => Step::Spill,
            Some(most) => Step::Grow((self.room * 2).min(most.max(SPILL_ROOM)).max(self.octets.len() as u64 + READ_ROOM as u64)),
            None => Step::Grow((self.room * 2).min(self.most)),
        })
    }

    /// Whether there is something that can be moved out of memory.
    pub(super) fn can_spill(&self) -> bool {
        self.in_memory.is_some() && self.octets.len() >= BLOCK
    }

    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.octets)
    }

    /// What was taken has been moved, but for `rest`; or could not be, then no more of the body will be.
    pub(super) fn spilled(&mut self, rest: Vec<u8>, moved: bool) {
        self.octets = rest;
        if moved {
            self.in_memory = Some(BLOCK as u64);
            self.room(Some(SPILL_ROOM));
        } else {
            self.in_memory = None;
        }
    }

    pub(super) fn room(&mut self, given: Option<u64>) {
        match given {
            Some(room) => {
                self.room = room;
                let more = usize::try_from(room).unwrap_or(usize::MAX).saturating_sub(self.octets.len());
                self.octets.reserve_exact(more);
            }
            None => {
                self.had_no_room = true;
                self.decoder.discard(&mut self.octets);
            }
        }
    }

    pub(super) fn room_held(&self) -> u64 {
        if self.decoder.refused().is_some() { 0 } else { self.room }
    }

    /// Why this body is no mail; asked at its end.
    pub(super) fn refusal(&self) -> Option<Reply> {
        let reply = match self.decoder.refused()? {
            Refused::BareLineEnd => BARE_LINE_END,
            Refused::Nul => NUL,
            Refused::LongLine => LONG_LINE,
            Refused::TooLarge if self.had_no_room => NO_ROOM,
            Refused::TooLarge => TOO_LARGE,
        };
        Some(reply)
    }

    pub(super) fn into_octets(self) -> Vec<u8> {
        self.octets
    }
}
