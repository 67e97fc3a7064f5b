//! The body of DATA.

use super::pieces;
use zegel::smtp::codec::{Decoder, Encoder, LINE_LIMIT, Nul, Refused, has_exact_line_ends};

/// Bodies over this many octets are too large: few enough to be reached by short inputs.
const SIZE_LIMIT: u64 = 200;

/// What a decoder says of some octets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) ended: bool,
    pub(super) refused: Option<Refused>,
    /// Empty when refused.
    pub(super) body: Vec<u8>,
    pub(super) taken: usize,
}

/// The decoder says what its twin says, however the octets arrive; what it takes is written again as it was; and nothing but exact line ends
/// is taken.
pub fn codec(octets: &[u8]) {
    for (size_limit, nul) in [(u64::MAX, Nul::Taken), (u64::MAX, Nul::Refused), (SIZE_LIMIT, Nul::Taken)] {
        let expected = twin(octets, size_limit, nul);
        assert_eq!(decoded(&[octets], size_limit, nul), expected, "whole");
        assert_eq!(decoded(&octets.chunks(1).collect::<Vec<_>>(), size_limit, nul), expected, "one by one");
        assert_eq!(decoded(&pieces(octets), size_limit, nul), expected, "in pieces");
        if expected.ended && expected.refused.is_none() {
            written_again(&octets[..expected.taken], &expected.body);
        }
    }
    assert_eq!(has_exact_line_ends(&pieces(octets)), exact_line_ends(octets));
    sent_and_received(octets);
    chunks(octets);
}

/// The same octets by BDAT: however they are cut into chunks, they are refused for what DATA refuses them for, or taken as they are.
fn chunks(octets: &[u8]) {
    for (size_limit, nul) in [(u64::MAX, Nul::Taken), (u64::MAX, Nul::Refused), (SIZE_LIMIT, Nul::Taken)] {
        let refused = [
            (!exact_line_ends(octets)).then_some(Refused::BareLineEnd),
            (nul == Nul::Refused && octets.contains(&0)).then_some(Refused::Nul),
            octets.split(|o| *o == b'\n').any(|line| line.len() > LINE_LIMIT + 1).then_some(Refused::LongLine),
            (octets.len() as u64 > size_limit).then_some(Refused::TooLarge),
        ];
        let refused = refused.into_iter().flatten().min();
        for parts in [vec![octets], octets.chunks(1).collect(), pieces(octets)] {
            let (mut decoder, mut body) = (Decoder::new(size_limit, nul), Vec::new());
            parts.iter().for_each(|part| decoder.decode_chunk(part, &mut body));
            decoder.end_chunks();
            assert!(decoder.has_ended());
            assert_eq!(decoder.refused(), refused, "in {} chunks", parts.len());
            assert!(refused.is_some() || body == octets, "in {} chunks", parts.len());
        }
    }
}

/// What was taken has exact line ends, and its encoding is what came in.
fn written_again(wire: &[u8], body: &[u8]) {
    assert!(has_exact_line_ends(&[body]));
    assert_eq!(encoded(&[body]), undoubled(wire), "written again");
    assert_eq!(encoded(&pieces(body)), encoded(&[body]), "written in pieces");
}

/// `wire` without dots at the start of a line that nobody had to double: a decoder drops these too.
fn undoubled(wire: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    for line in wire.split_inclusive(|octet| *octet == b'\n') {
        match line {
            b".\r\n" => plain.extend_from_slice(line),
            [b'.', rest @ ..] if rest.first() != Some(&b'.') => plain.extend_from_slice(rest),
            line => plain.extend_from_slice(line),
        }
    }
    plain
}

/// Whatever may be sent arrives as it is, in one mail.
fn sent_and_received(octets: &[u8]) {
    if !exact_line_ends(octets) {
        return;
    }
    let mut wire = encoded(&[octets]);
    let length = wire.len();
    wire.extend_from_slice(b"QUIT\r\n");
    let received = decoded(&[&wire], u64::MAX, Nul::Taken);
    let mut sent = octets.to_vec();
    if !sent.is_empty() && !sent.ends_with(b"\r\n") {
        sent.extend_from_slice(b"\r\n");
    }
    let is_long = sent.split(|o| *o == b'\n').any(|line| line.len() > LINE_LIMIT);
    assert!(received.ended && received.taken == length);
    assert!(is_long || received.body == sent);
}

fn encoded(parts: &[&[u8]]) -> Vec<u8> {
    let (mut encoder, mut wire) = (Encoder::default(), Vec::new());
    parts.iter().for_each(|part| encoder.encode(part, &mut wire));
    encoder.end(&mut wire);
    wire
}

fn decoded(parts: &[&[u8]], size_limit: u64, nul: Nul) -> Outcome {
    let (mut decoder, mut body, mut taken) = (Decoder::new(size_limit, nul), Vec::new(), 0);
    for part in parts {
        let (was_refused, before) = (decoder.refused().is_some(), body.len());
        let here = decoder.decode(part, &mut body);
        assert!(here == part.len() || decoder.has_ended(), "octets were left before the end");
        assert!(!was_refused || body.len() <= before, "more is kept of a refused body");
        taken += here;
    }
    if decoder.refused().is_some() {
        body.clear();
    }
    Outcome { ended: decoder.has_ended(), refused: decoder.refused(), body, taken }
}

fn exact_line_ends(octets: &[u8]) -> bool {
    let before = |at: usize| at.checked_sub(1).map(|before| octets[before]);
    octets.iter().enumerate().all(|(at, octet)| match octet {
        b'\n' => before(at) == Some(b'\r'),
        b'\r' => octets.get(at + 1) == Some(&b'\n'),
        _ => true,
    })
}

/// The decoder's twin: it looks back over all octets so far for each, and has no state to get wrong.
pub(super) fn twin(octets: &[u8], size_limit: u64, nul: Nul) -> Outcome {
    let ends = |upto: usize| octets[..upto] == *b".\r\n" || octets[..upto].ends_with(b"\r\n.\r\n");
    let end = (1..=octets.len()).find(|upto| ends(*upto));
    let raw = end.map_or(octets, |end| &octets[..end - 3]);
    let mut refused = Vec::new();
    for (at, octet) in raw.iter().enumerate() {
        match octet {
            b'\n' if at == 0 || raw[at - 1] != b'\r' => refused.push(Refused::BareLineEnd),
            b'\r' if raw.get(at + 1).is_some_and(|next| *next != b'\n') => refused.push(Refused::BareLineEnd),
            0 if nul == Nul::Refused => refused.push(Refused::Nul),
            _ => {}
        }
    }
    let (mut body, mut start) = (Vec::new(), 0);
    for at in 0..raw.len() {
        let is_line_end = raw[..=at].ends_with(b"\r\n");
        if is_line_end || at + 1 == raw.len() {
            let line = raw[start..=at].strip_prefix(b".").unwrap_or(&raw[start..=at]);
            body.extend_from_slice(line);
            start = at + 1;
            if is_line_end && line.len() - 2 > LINE_LIMIT {
                refused.push(Refused::LongLine);
            }
        }
    }
    if end.is_none() && body.ends_with(b"\r") {
        // Whether it counts is not known before the next octet.
        body.pop();
    }
    if body.len() as u64 > size_limit {
        refused.push(Refused::TooLarge);
    }
    let refused = refused.into_iter().min();
    if refused.is_some() {
        body.clear();
    }
    Outcome { ended: end.is_some(), refused, body, taken: end.unwrap_or(octets.len()) }
}
