//! BER (X.690), element by element: in one pass, without recursion, and lenient. What ends too early, or claims more than there is, is
//! given as far as it goes.

/// Constructed elements within each other. A certificate within a signature reaches 12.
const MAX_DEPTH: usize = 32;

/// Octets of a tag number (8.1.2.4), and of a length (8.1.3.5): more than any that can stand in memory.
const MAX_NUMBER: usize = 8;

/// A tag: class and number, without the bit that says whether more elements lie within. Numbers above 30 are not told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tag(pub(super) u8);

impl Tag {
    pub(super) const OCTETS: Tag = Tag(0x04);
    pub(super) const IDENTIFIER: Tag = Tag(0x06);
    pub(super) const SEQUENCE: Tag = Tag(0x10);
    /// `[0]` of whatever it stands in.
    pub(super) const CONTEXT_0: Tag = Tag(0x80);
}

/// What comes along.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Node<'o> {
    /// An element begins that holds others.
    Open(Tag),
    /// The last one that was opened ends.
    Close,
    /// An element that holds octets.
    Value(Tag, &'o [u8]),
}

/// A walk through the first element of some octets, and all that lies in it.
pub(super) struct Walk<'o> {
    octets: &'o [u8],
    at: usize,
    open: Vec<End>,
    has_begun: bool,
    is_whole: bool,
}

/// Where an open element ends: behind its length, or at a mark, which stands before this place.
#[derive(Clone, Copy)]
enum End {
    At(usize),
    Mark(usize),
}

enum Length {
    Of(usize),
    /// Two zeros mark the end (8.1.3.6).
    Indefinite,
}

impl<'o> Walk<'o> {
    pub(super) fn new(octets: &'o [u8]) -> Walk<'o> {
        Walk { octets, at: 0, open: Vec::new(), has_begun: false, is_whole: true }
    }

    /// Whether all that was passed so far was as it should be.
    pub(super) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// What stands behind the element, once that has ended.
    pub(super) fn rest(&self) -> &'o [u8] {
        self.octets.get(self.at..).unwrap_or_default()
    }

    /// The next node that begins before `limit`; `None` where nothing sensible does.
    fn element(&mut self, limit: usize) -> Option<Node<'o>> {
        let (tag, is_constructed, length, start) = header(&self.octets[..limit], self.at)?;
        let end = match length {
            Length::Indefinite if !is_constructed => return None,
            Length::Indefinite => End::Mark(limit),
            Length::Of(length) => {
                let end = start.saturating_add(length);
                self.is_whole &= end <= limit;
                End::At(end.min(limit))
            }
        };
        match end {
            End::At(end) if !is_constructed => {
                self.at = end;
                return Some(Node::Value(tag, &self.octets[start..end]));
            }
            _ if self.open.len() >= MAX_DEPTH => return None,
            _ => {}
        }
        self.at = start;
        self.open.push(end);
        Some(Node::Open(tag))
    }
}

impl<'o> Iterator for Walk<'o> {
    type Item = Node<'o>;

    fn next(&mut self) -> Option<Node<'o>> {
        if self.open.is_empty() && self.has_begun {
            return None;
        }
        self.has_begun = true;
        let limit = match self.open.last() {
            Some(End::At(limit) | End::Mark(limit)) => *limit,
            None => self.octets.len(),
        };
        let is_marked = matches!(self.open.last(), Some(End::Mark(_)));
        if is_marked && self.octets[self.at..limit].starts_with(&[0, 0]) {
            self.at += 2;
            self.open.pop();
            return Some(Node::Close);
        }
        if self.at < limit {
            if let Some(node) = self.element(limit) {
                return Some(node);
            }
            // What can't be told ends the element in which it stands.
            self.is_whole = false;
            self.at = limit;
        }
        self.is_whole &= !is_marked;
        self.open.pop().map(|_| Node::Close)
    }
}

/// The tag at `at`, whether its element holds others, its length, and where its content begins.
fn header(octets: &[u8], at: usize) -> Option<(Tag, bool, Length, usize)> {
    let first = *octets.get(at)?;
    let mut at = at + 1;
    if first & 0x1F == 0x1F {
        let number = octets.get(at..)?.iter().take(MAX_NUMBER).position(|octet| octet & 0x80 == 0)?;
        at += number + 1;
    }
    let length = *octets.get(at)?;
    at += 1;
    let length = match length {
        0x80 => Length::Indefinite,
        0..0x80 => Length::Of(length.into()),
        _ => {
            let count = usize::from(length & 0x7F);
            let digits = octets.get(at..at + count.min(MAX_NUMBER)).filter(|_| count <= MAX_NUMBER)?;
            at += count;
            let length = digits.iter().fold(0u64, |length, digit| length << 8 | u64::from(*digit));
            Length::Of(usize::try_from(length).unwrap_or(usize::MAX))
        }
    };
    Some((Tag(first & !0x20), first & 0x20 != 0, length, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a walk comes across: `(` and `)` around what lies within an element, values as they are; whether all is whole, and what is left.
    fn walked(octets: &[u8]) -> (String, bool, usize) {
        let mut walk = Walk::new(octets);
        let mut told = String::new();
        for node in &mut walk {
            match node {
                Node::Open(tag) => told.push_str(&format!("{:x}(", tag.0)),
                Node::Close => told.push(')'),
                Node::Value(tag, value) => told.push_str(&format!("{:x}={} ", tag.0, String::from_utf8_lossy(value))),
            }
        }
        (told, walk.is_whole(), walk.rest().len())
    }

    fn check(octets: &[u8], expected: &str, is_whole: bool, rest: usize) {
        assert_eq!(walked(octets), (expected.to_owned(), is_whole, rest), "{octets:x?}");
    }

    #[test]
    fn lengths_are_read_however_they_are_written() {
        check(b"\x30\x03\x04\x01a", "10(4=a )", true, 0);
        check(b"\x30\x80\x04\x01a\0\0", "10(4=a )", true, 0);
        check(b"\x30\x80\x24\x80\x04\x01a\x04\x01b\0\0\0\0xy", "10(4(4=a 4=b ))", true, 2);
        check(b"\x30\x83\0\0\x03\x04\x01a", "10(4=a )", true, 0);
        check(b"\x30\x05\xBF\x87\x01\x01a", "10(9f())", false, 0);
        check(b"\x04\x02ab", "4=ab ", true, 0);
    }

    #[test]
    fn what_is_cut_or_lies_is_read_as_far_as_it_goes() {
        check(b"", "", true, 0);
        check(b"\x30", "", false, 0);
        check(b"\x30\x7F\x04\x09ab", "10(4=ab )", false, 0);
        check(b"\x30\x80\x04\x01a", "10(4=a )", false, 0);
        check(b"\x30\x04\x30\x09\x04\0\x04\0", "10(10(4= ))", false, 2);
        check(b"\x30\x88\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x04\x01a", "10(4=a )", false, 0);
        check(b"\x30\x89\0\0\0\0\0\0\0\0\x03\x04\x01a", "", false, 0);
        check(b"\x04\x80ab\0\0", "", false, 0);
    }

    #[test]
    fn elements_within_elements_end_at_the_limit() {
        let (told, is_whole, _) = walked(&[0x30, 0x80].repeat(1_000_000));
        assert!(!is_whole && told.matches('(').count() == MAX_DEPTH && told.matches(')').count() == MAX_DEPTH);
    }
}
