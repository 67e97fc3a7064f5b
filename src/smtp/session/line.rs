//! Command lines out of whatever arrived: only an exact CRLF ends one.

use super::super::command::LINE_LIMIT;
use zeroize::Zeroize as _;

/// An overlong line is skipped for so many octets; who sends more is not speaking SMTP.
const SKIP_LIMIT: usize = 64 * 1024;

/// Octets received and not understood yet.
#[derive(Debug, Default)]
pub(super) struct Lines {
    octets: Vec<u8>,
    at: usize,
    /// So many octets of an overlong line were dropped.
    skipped: usize,
}

/// What stands at the front.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// A line of at most [`LINE_LIMIT`] octets, CRLF included; gone only after [`Lines::advance`].
    Whole(Vec<u8>),
    /// A longer one, its octets dropped; gone only after [`Lines::advance`].
    TooLong,
    /// A line that ends in a bare LF, or none at all: what follows cannot be told from it.
    Broken,
    /// Nothing yet.
    Incomplete,
}

impl Lines {
    pub(super) fn push(&mut self, octets: &[u8]) {
        if self.at > 0 {
            self.octets.drain(..self.at);
            self.at = 0;
        }
        self.octets.extend_from_slice(octets);
    }

    /// Whether the client said nothing that was not understood.
    pub(super) fn is_empty(&self) -> bool {
        self.at == self.octets.len() && self.skipped == 0
    }

    /// The line at the front.
    pub(super) fn front(&mut self) -> Line {
        let rest = &self.octets[self.at..];
        let Some(end) = memchr::memchr(b'\n', rest) else {
            if self.skipped + rest.len() > LINE_LIMIT {
                // A CR at the end may belong to the LF that comes.
                let kept = rest.last().copied();
                self.skipped += rest.len() - 1;
                self.octets.clear();
                self.octets.extend(kept);
                self.at = 0;
            }
            return if self.skipped > SKIP_LIMIT { Line::Broken } else { Line::Incomplete };
        };
        if end == 0 || rest[end - 1] != b'\r' {
            Line::Broken
        } else if self.skipped + end + 1 > LINE_LIMIT {
            Line::TooLong
        } else {
            Line::Whole(rest[..=end].to_vec())
        }
    }

    /// Shows at most `most` of the octets that were not understood yet, since they may be no line but part of a chunk, and takes away
    /// as many as `show` says.
    pub(super) fn take(&mut self, most: usize, show: impl FnOnce(&[u8]) -> usize) -> usize {
        let end = self.octets.len().min(self.at + most);
        let taken = show(&self.octets[self.at..end]);
        self.at += taken;
        self.let_go();
        taken
    }

    /// Takes the line at the front away.
    pub(super) fn advance(&mut self) {
        self.skipped = 0;
        if let Some(end) = memchr::memchr(b'\n', &self.octets[self.at..]) {
            self.at += end + 1;
        }
        self.let_go();
    }

    /// As [`Lines::advance`], for a line that holds a password.
    pub(super) fn advance_wiping(&mut self) {
        if let Some(end) = memchr::memchr(b'\n', &self.octets[self.at..]) {
            self.octets[self.at..self.at + end].zeroize();
        }
        self.advance();
    }

    fn let_go(&mut self) {
        if self.at == self.octets.len() {
            // Ten thousand idle sessions keep no buffers.
            self.octets = Vec::new();
            self.at = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8], split: usize) -> Vec<Line> {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for piece in [&input[..split], &input[split..]] {
            lines.push(piece);
            loop {
                match lines.front() {
                    Line::Incomplete => break,
                    Line::Broken => {
                        found.push(Line::Broken);
                        return found;
                    }
                    line => {
                        found.push(line);
                        lines.advance();
                    }
                }
            }
        }
        found
    }

    #[track_caller]
    fn check(input: &[u8], expected: &[Line]) {
        for split in 0..=input.len() {
            assert_eq!(lines(input, split), expected, "split at {split}");
        }
    }

    #[test]
    fn a_line_ends_in_an_exact_crlf_wherever_the_reads_were_cut() {
        let whole = |text: &[u8]| Line::Whole(text.to_vec());
        check(b"A\r\nB\r\nC", &[whole(b"A\r\n"), whole(b"B\r\n")]);
        check(b"A\rB\r\n", &[whole(b"A\rB\r\n")]);
        check(b"A\nB\r\n", &[Line::Broken]);
        check(b"\n", &[Line::Broken]);
        check(b"\r\n", &[whole(b"\r\n")]);
    }

    #[test]
    fn a_line_over_4096_octets_is_one_fault_and_takes_no_memory() {
        let fits = [vec![b'a'; LINE_LIMIT - 2], b"\r\n".to_vec()].concat();
        let long = [vec![b'a'; LINE_LIMIT - 1], b"\r\n".to_vec()].concat();
        for split in [0, 1, LINE_LIMIT - 1, LINE_LIMIT, long.len() - 1] {
            assert_eq!(lines(&[&long[..], b"B\r\n"].concat(), split), [Line::TooLong, Line::Whole(b"B\r\n".to_vec())], "{split}");
            assert_eq!(lines(&fits, split.min(fits.len())), [Line::Whole(fits.clone())]);
        }
        let mut endless = Lines::default();
        let mut broken = false;
        for _ in 0..100 {
            endless.push(&[b'a'; 4096]);
            broken |= endless.front() == Line::Broken;
            assert!(endless.octets.len() <= 2 * LINE_LIMIT);
        }
        assert!(broken, "a line without an end must not go on for ever");
    }
}
