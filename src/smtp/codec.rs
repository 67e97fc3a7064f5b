//! The body of DATA (RFC 5321, 4.5.2), both ways, and that of BDAT (RFC 3030); the one place where SMTP smuggling is stopped.
//!
//! Only an exact CRLF.CRLF ends a body of DATA, and only its announced length ends a chunk. A bare CR or LF makes the body refused, never repaired: a changed body breaks DKIM, and a next
//! hop that reads line ends differently would see the end of the mail, and further commands, where we saw neither. The decoder keeps
//! its state over any split of the octets: what it says never depends on how they arrived.

use memchr::{memchr2, memchr3};

/// The longest line that is accepted, CRLF excluded. RFC 5321 allows 998; Exchange sends longer ones.
pub const LINE_LIMIT: usize = 64 * 1024;

/// RFC 5321, 4.5.3.1.6: lines over this many octets (CRLF excluded) are counted.
const LINE_STANDARD: usize = 998;

/// Where in the body the next octet stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// Behind an exact CRLF, or at the very beginning.
    LineStart,
    /// Within a line.
    Line,
    /// Behind a CR within a line.
    Cr,
    /// Behind a dot at the start of a line.
    Dot,
    /// Behind a dot and CR at the start of a line: LF ends the body.
    DotCr,
    /// The body has ended.
    End,
}

/// Why a body is refused. If several reasons hold, the first in this order is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refused {
    /// A CR or LF that stands alone.
    BareLineEnd,
    /// A NUL in a body that was not declared 8BITMIME (RFC 6152: then it is 7BIT).
    Nul,
    /// A line over [`LINE_LIMIT`].
    LongLine,
    /// Larger than the limit.
    TooLarge,
}

/// Reads the body of one mail: of DATA by [`Decoder::decode`], of BDAT by [`Decoder::decode_chunk`].
#[derive(Debug)]
pub struct Decoder {
    at: At,
    refused: Option<Refused>,
    nul: Nul,
    size_limit: u64,
    size: u64,
    line: usize,
    long_lines: u32,
}

/// Whether a NUL is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nul {
    /// The body is 7BIT.
    Refused,
    /// The body is declared 8BITMIME.
    Taken,
}

impl Decoder {
    /// A decoder for a body of at most `size_limit` octets, dot-stuffing and the final dot not counted.
    #[must_use]
    pub fn new(size_limit: u64, nul: Nul) -> Decoder {
        Decoder { at: At::LineStart, refused: None, nul, size_limit, size: 0, line: 0, long_lines: 0 }
    }

    /// Decodes `input` behind what is in `body`, and returns how many octets belonged to this body.
    ///
    /// Fewer than all of them only if the body has ended; the rest are the next commands. Nothing more is kept of a body that is
    /// refused, but it is read to its end.
    pub fn decode(&mut self, input: &[u8], body: &mut Vec<u8>) -> usize {
        let mut at = 0;
        while at < input.len() && self.at != At::End {
            at += if self.at == At::Line { self.line(&input[at..], body) } else { self.octet(input[at], body) };
        }
        at
    }

    /// Takes octets of a chunk (RFC 3030) behind what is in `body`: all of `input` belongs to it, a dot means nothing, and line ends
    /// are judged across chunks.
    pub fn decode_chunk(&mut self, input: &[u8], body: &mut Vec<u8>) {
        let Some(first) = input.first() else { return };
        let mut from = 0;
        if self.at == At::Cr {
            if *first == b'\n' {
                self.count_line(0);
                self.keep(b"\r\n", body);
                from = 1;
            } else {
                self.refuse(Refused::BareLineEnd);
            }
        }
        self.at = At::Line;
        let (mut at, mut line_start, mut end) = (from, from, input.len());
        while let Some(found) = memchr3(b'\r', b'\n', 0, &input[at..]) {
            at += found;
            match (input[at], input.get(at + 1)) {
                (b'\r', Some(b'\n')) => {
                    self.count_line(at - line_start);
                    at += 2;
                    line_start = at;
                }
                // What comes next decides, in this chunk or another.
                (b'\r', None) => {
                    self.at = At::Cr;
                    end = at;
                    break;
                }
                (0, _) => {
                    if self.nul == Nul::Refused {
                        self.refuse(Refused::Nul);
                    }
                    at += 1;
                }
                _ => {
                    self.refuse(Refused::BareLineEnd);
                    at += 1;
                }
            }
        }
        self.line += end - line_start;
        self.keep(&input[from..end], body);
    }

    /// The last chunk has ended. Its last line may do so without a CRLF.
    pub fn end_chunks(&mut self) {
        if self.at == At::Cr {
            self.refuse(Refused::BareLineEnd);
        }
        if self.line > 0 {
            self.count_line(0);
        }
        self.at = At::End;
    }

    /// Octets that were taken so far, those of a refused body included.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether the final dot was seen, or the last chunk.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.at == At::End
    }

    /// Why the body is refused, if it is.
    #[must_use]
    pub fn refused(&self) -> Option<Refused> {
        self.refused
    }

    /// Drops what was kept and keeps nothing more: the body is read to its end, and not taken for another reason than its octets.
    pub fn discard(&mut self, body: &mut Vec<u8>) {
        self.size_limit = 0;
        self.refuse(Refused::TooLarge);
        *body = Vec::new();
    }

    /// How many lines were longer than RFC 5321 allows.
    #[must_use]
    pub fn long_lines(&self) -> u32 {
        self.long_lines
    }

    /// Takes octets from within a line on, as many as possible, and returns how many.
    ///
    /// Whole lines are taken in one copy: only a dot at the start of a line, a doubtful octet or the end of `input` interrupts it.
    fn line(&mut self, input: &[u8], body: &mut Vec<u8>) -> usize {
        let mut at = 0;
        let mut line_start = 0;
        let end = loop {
            let Some(found) = memchr3(b'\r', b'\n', 0, &input[at..]) else { break input.len() };
            at += found;
            match input[at] {
                0 => {
                    if self.nul == Nul::Refused {
                        self.refuse(Refused::Nul);
                    }
                    at += 1;
                }
                b'\n' => {
                    self.refuse(Refused::BareLineEnd);
                    at += 1;
                }
                // The octets behind the CR decide; if they are here and unremarkable, the run goes on.
                _ => match input[at + 1..] {
                    [b'\n', next, ..] if next != b'.' && next != b'\r' && next != b'\n' && next != 0 => {
                        self.count_line(at - line_start);
                        at += 2;
                        line_start = at;
                    }
                    _ => break at,
                },
            }
        };
        self.line += end - line_start;
        self.keep(&input[..end], body);
        if end < input.len() {
            self.at = At::Cr;
            return end + 1;
        }
        end
    }

    /// Takes one octet at a place where it decides something, and returns 1; 0 for an octet that [`Decoder::line`] is to take.
    fn octet(&mut self, octet: u8, body: &mut Vec<u8>) -> usize {
        self.at = match (self.at, octet) {
            (At::LineStart, b'.') => At::Dot,
            (At::Dot, b'\r') => At::DotCr,
            (At::DotCr, b'\n') => At::End,
            (At::Cr, b'\n') => {
                self.count_line(0);
                self.keep(b"\r\n", body);
                At::LineStart
            }
            // Of CR CR LF the second CR may still end the line, and is the first one bare.
            (At::Cr | At::DotCr, b'\r') => {
                self.refuse(Refused::BareLineEnd);
                At::Cr
            }
            (At::LineStart, b'\r') => At::Cr,
            // Anything else behind a CR makes it a bare one. Behind a dot at the start of a line the dot is dropped (RFC 5321, 4.5.2).
            (At::Cr | At::DotCr, _) => {
                self.refuse(Refused::BareLineEnd);
                self.at = At::Line;
                return 0;
            }
            (At::LineStart | At::Dot | At::Line, _) => {
                self.at = At::Line;
                return 0;
            }
            (At::End, _) => return 0,
        };
        1
    }

    fn keep(&mut self, octets: &[u8], body: &mut Vec<u8>) {
        self.size += octets.len() as u64;
        if self.size > self.size_limit {
            self.refuse(Refused::TooLarge);
        }
        if self.refused.is_none() {
            body.extend_from_slice(octets);
        } else if body.capacity() > 0 {
            *body = Vec::new();
        }
    }

    /// A line ends behind `more` octets that are not in `self.line` yet.
    fn count_line(&mut self, more: usize) {
        let length = self.line + more;
        self.line = 0;
        if length > LINE_STANDARD {
            self.long_lines = self.long_lines.saturating_add(1);
        }
        if length > LINE_LIMIT {
            self.refuse(Refused::LongLine);
        }
    }

    fn refuse(&mut self, why: Refused) {
        self.refused = Some(self.refused.map_or(why, |known| known.min(why)));
    }
}

/// Whether every CR and LF of `parts`, taken as one, belongs to a CRLF: what may be sent.
#[must_use]
pub fn has_exact_line_ends(parts: &[&[u8]]) -> bool {
    let mut ends = LineEnds::default();
    parts.iter().all(|part| ends.are_exact(part)) && ends.are_complete()
}

/// Looks at octets that come in pieces: whether every CR and LF belongs to a CRLF.
#[derive(Debug, Default)]
pub struct LineEnds {
    cr_pending: bool,
}

impl LineEnds {
    /// Whether those of the next piece are; a CR at its end is for the piece behind it to say.
    #[must_use]
    pub fn are_exact(&mut self, piece: &[u8]) -> bool {
        let Some(first) = piece.first() else { return true };
        let mut at = 0;
        if std::mem::take(&mut self.cr_pending) {
            if *first != b'\n' {
                return false;
            }
            at = 1;
        }
        while let Some(found) = memchr2(b'\r', b'\n', &piece[at..]) {
            at += found;
            match (piece[at], piece.get(at + 1)) {
                (b'\r', Some(b'\n')) => at += 2,
                (b'\r', None) => {
                    self.cr_pending = true;
                    at += 1;
                }
                _ => return false,
            }
        }
        true
    }

    /// Whether no CR stands at the end.
    #[must_use]
    pub fn are_complete(&self) -> bool {
        !self.cr_pending
    }
}

/// Writes the body of one DATA command: dots at the start of a line are doubled, nothing else is touched.
#[derive(Debug)]
pub struct Encoder {
    at_line_start: bool,
}

impl Default for Encoder {
    fn default() -> Encoder {
        Encoder { at_line_start: true }
    }
}

impl Encoder {
    /// Appends `octets`, encoded, to `to`.
    pub fn encode(&mut self, octets: &[u8], to: &mut Vec<u8>) {
        let mut from = 0;
        if self.at_line_start && octets.first() == Some(&b'.') {
            to.push(b'.');
        }
        for found in memchr::memmem::find_iter(octets, b"\n.") {
            to.extend_from_slice(&octets[from..=found]);
            to.push(b'.');
            from = found + 1;
        }
        to.extend_from_slice(&octets[from..]);
        if let Some(last) = octets.last() {
            self.at_line_start = *last == b'\n';
        }
    }

    /// Appends the final dot, behind a CRLF if the last line has none.
    pub fn end(self, to: &mut Vec<u8>) {
        to.extend_from_slice(if self.at_line_start { b".\r\n".as_slice() } else { b"\r\n.\r\n" });
    }
}

#[cfg(test)]
mod tests;
