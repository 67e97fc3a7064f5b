use super::*;
use proptest::prelude::*;

/// What a decoder said about some octets.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome {
    ended: bool,
    refused: Option<Refused>,
    body: Vec<u8>,
    taken: usize,
    long_lines: u32,
}

fn decode(pieces: &[&[u8]], limit: u64, nul: Nul) -> Outcome {
    let mut decoder = Decoder::new(limit, nul);
    let mut body = Vec::new();
    let taken = pieces.iter().map(|piece| decoder.decode(piece, &mut body)).sum();
    if decoder.refused().is_some() {
        body.clear();
    }
    Outcome { ended: decoder.has_ended(), refused: decoder.refused(), body, taken, long_lines: decoder.long_lines() }
}

/// The twin: one octet at a time, by looking back over everything read so far. Slow, and without a state to get wrong.
fn twin(input: &[u8], limit: u64, nul: Nul) -> Outcome {
    let end = (0..input.len()).find(|&i| {
        let read = &input[..=i];
        read == b".\r\n" || read.ends_with(b"\r\n.\r\n")
    });
    let taken = end.map_or(input.len(), |i| i + 1);
    // The body without its final `.CRLF`; of an unfinished one, what is certain by now.
    let raw = end.map_or(input, |i| &input[..i - 2]);
    let mut refused = Vec::new();
    for (i, octet) in raw.iter().enumerate() {
        match octet {
            b'\n' if i == 0 || raw[i - 1] != b'\r' => refused.push(Refused::BareLineEnd),
            b'\r' if raw.get(i + 1).is_some_and(|next| *next != b'\n') => refused.push(Refused::BareLineEnd),
            0 if nul == Nul::Refused => refused.push(Refused::Nul),
            _ => {}
        }
    }
    let mut body = Vec::new();
    let mut long_lines = 0;
    let lines = split_lines(raw);
    for line in &lines {
        let complete = line.ends_with(b"\r\n");
        let line = line.strip_prefix(b".").unwrap_or(line);
        let length = line.len() - if complete { 2 } else { 0 };
        if complete && length > 998 {
            long_lines += 1;
        }
        if complete && length > LINE_LIMIT {
            refused.push(Refused::LongLine);
        }
        body.extend_from_slice(line);
    }
    if end.is_none() && body.ends_with(b"\r") {
        body.pop();
    }
    if body.len() as u64 > limit {
        refused.push(Refused::TooLarge);
    }
    let refused = refused.into_iter().min();
    if refused.is_some() {
        body.clear();
    }
    Outcome { ended: end.is_some(), refused, body, taken, long_lines }
}

fn split_lines(raw: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    let mut start = 0;
    for i in 0..raw.len() {
        if i > 0 && raw[i] == b'\n' && raw[i - 1] == b'\r' {
            lines.push(&raw[start..=i]);
            start = i + 1;
        }
    }
    if start < raw.len() {
        lines.push(&raw[start..]);
    }
    lines
}

/// Decodes `input` whole, octet by octet, and cut in two at every place: every time the same, and the same as the twin.
fn everywhere(input: &[u8], limit: u64, nul: Nul) -> Outcome {
    let expected = twin(input, limit, nul);
    assert_eq!(decode(&[input], limit, nul), expected, "whole: {:?}", input.escape_ascii().to_string());
    let octets: Vec<&[u8]> = input.chunks(1).collect();
    assert_eq!(decode(&octets, limit, nul), expected, "by octet: {:?}", input.escape_ascii().to_string());
    for split in 0..=input.len() {
        let (a, b) = input.split_at(split);
        assert_eq!(decode(&[a, b], limit, nul), expected, "split at {split}: {:?}", input.escape_ascii().to_string());
    }
    expected
}

#[track_caller]
fn accepted(wire: &[u8], body: &[u8]) {
    let outcome = everywhere(wire, 1 << 20, Nul::Refused);
    assert_eq!(outcome, Outcome { ended: true, refused: None, body: body.to_vec(), taken: wire.len(), long_lines: outcome.long_lines });
}

/// The octets do not end the body; with a true end behind them, it is refused.
#[track_caller]
fn no_end(middle: &[u8]) {
    let wire = [b"a\r\n\r\nb".as_slice(), middle, b"MAIL FROM:<x@y.example>"].concat();
    assert!(!everywhere(&wire, 1 << 20, Nul::Refused).ended);
    let wire = [&wire[..], b"\r\n.\r\n"].concat();
    let outcome = everywhere(&wire, 1 << 20, Nul::Refused);
    assert_eq!((outcome.ended, outcome.refused, outcome.taken), (true, Some(Refused::BareLineEnd), wire.len()));
}

#[test]
fn nothing_but_crlf_dot_crlf_ends_a_body() {
    no_end(b"\n.\n");
    no_end(b"\r\n.\n");
    no_end(b"\r.\r");
    no_end(b"\r.\r\n");
    no_end(b"\r\n.\r");
    no_end(b"\n.\r\n");
    no_end(b"\r\n.\r\r\n");
    no_end(b"\r\n.\r\r\r\n");
    no_end(b"\r\n\0.\n");
}

#[test]
fn cr_crlf_dot_crlf_ends_the_body_and_it_is_refused() {
    let outcome = everywhere(b"a\r\r\n.\r\nQUIT\r\n", 1 << 20, Nul::Refused);
    assert_eq!((outcome.ended, outcome.refused, outcome.taken), (true, Some(Refused::BareLineEnd), 7));
}

#[test]
fn what_is_accepted_is_kept_octet_by_octet() {
    accepted(b".\r\n", b"");
    accepted(b"..x\r\n.\r\n", b".x\r\n");
    accepted(b"..\r\n.\r\n", b".\r\n");
    accepted(b"\r\n\r\n.\r\n", b"\r\n\r\n");
    accepted(b"a\r\n..b\r\n...\r\nc..\r\n.\r\n", b"a\r\n.b\r\n..\r\nc..\r\n");
    accepted(b"caf\xe9 \xff\x80\r\n.\r\n", b"caf\xe9 \xff\x80\r\n");
    // RFC 5321, 4.5.2: a client that did not double its dot loses it.
    accepted(b".x\r\n.\r\n", b"x\r\n");
}

#[test]
fn octets_behind_the_end_are_left_for_the_next_command() {
    let outcome = everywhere(b"a\r\n.\r\nMAIL FROM:<>\r\n.\r\n", 1 << 20, Nul::Refused);
    assert_eq!((outcome.taken, outcome.body.as_slice()), (6, b"a\r\n".as_slice()));
}

#[test]
fn a_nul_needs_8bitmime() {
    assert_eq!(everywhere(b"a\0b\r\n.\r\n", 100, Nul::Refused).refused, Some(Refused::Nul));
    assert_eq!(everywhere(b"\0\r\n\0\0\r\n.\r\n", 100, Nul::Taken).body, b"\0\r\n\0\0\r\n");
}

#[test]
fn the_size_limit_is_exact() {
    assert_eq!(everywhere(b"12345\r\n.\r\n", 7, Nul::Refused).refused, None);
    assert_eq!(everywhere(b"12345\r\n.\r\n", 6, Nul::Refused).refused, Some(Refused::TooLarge));
    assert_eq!(everywhere(b"12345\n\r\n.\r\n", 1, Nul::Refused).refused, Some(Refused::BareLineEnd));
}

#[test]
fn lines_over_998_are_counted_and_over_64_kib_refused() {
    for (length, long_lines, refused) in
        [(998, 0, None), (999, 1, None), (LINE_LIMIT, 1, None), (LINE_LIMIT + 1, 1, Some(Refused::LongLine))]
    {
        let wire = [b"x\r\n".as_slice(), &vec![b'a'; length], b"\r\ny\r\n.\r\n"].concat();
        for split in [0, 1, 3, 500, wire.len() / 2, wire.len() - 7, wire.len() - 3] {
            let (a, b) = wire.split_at(split);
            let outcome = decode(&[a, b], 1 << 20, Nul::Refused);
            assert_eq!((outcome.ended, outcome.long_lines, outcome.refused), (true, long_lines, refused), "{length}");
        }
    }
}

#[test]
fn what_is_discarded_takes_no_memory_and_is_read_to_its_end() {
    let (mut decoder, mut body) = (Decoder::new(1 << 20, Nul::Refused), Vec::new());
    decoder.decode(b"abc\r\n", &mut body);
    decoder.discard(&mut body);
    assert_eq!(decoder.decode(b"def\r\n.\r\nQUIT", &mut body), 8);
    assert!(decoder.has_ended() && body.capacity() == 0);
}

/// Reads `body` in chunks as they were cut.
fn chunks(pieces: &[&[u8]], limit: u64, nul: Nul) -> Outcome {
    let mut decoder = Decoder::new(limit, nul);
    let mut body = Vec::new();
    for piece in pieces {
        decoder.decode_chunk(piece, &mut body);
    }
    decoder.end_chunks();
    if decoder.refused().is_some() {
        body.clear();
    }
    let taken = pieces.iter().map(|p| p.len()).sum();
    Outcome { ended: decoder.has_ended(), refused: decoder.refused(), body, taken, long_lines: decoder.long_lines() }
}

/// What DATA says about `body`, whose last line may lack its CRLF, and every chunking of it too.
fn chunked_everywhere(body: &[u8], limit: u64, nul: Nul) -> Outcome {
    let outcome = chunks(&[body], limit, nul);
    let octets: Vec<&[u8]> = body.chunks(1).collect();
    assert_eq!(chunks(&octets, limit, nul), outcome, "by octet: {:?}", body.escape_ascii().to_string());
    for split in 0..=body.len() {
        let (a, b) = body.split_at(split);
        assert_eq!(chunks(&[a, b], limit, nul), outcome, "split at {split}: {:?}", body.escape_ascii().to_string());
    }
    if body.ends_with(b"\r\n") || body.is_empty() {
        let wire: Vec<u8> =
            split_lines(body).iter().flat_map(|l| [if l.starts_with(b".") { b".".as_slice() } else { b"" }, *l].concat()).collect();
        let by_data = everywhere(&[&wire[..], b".\r\n"].concat(), limit, nul);
        assert!(by_data.ended);
        assert_eq!(Outcome { taken: body.len(), ..by_data }, outcome, "by DATA: {:?}", body.escape_ascii().to_string());
    }
    outcome
}

#[test]
fn a_chunk_is_octets_whatever_they_look_like() {
    for body in [b"".as_slice(), b"a\r\n.\r\nb\r\n", b".\r\n", b"..\r\n", b"\r\n\r\n", b"no line end", b"QUIT\r\n.", b"\xff\x80\r\n"] {
        let outcome = chunked_everywhere(body, 1 << 20, Nul::Refused);
        assert_eq!((outcome.refused, outcome.body.as_slice()), (None, body));
    }
    for body in [b"a\nb\r\n".as_slice(), b"a\rb\r\n", b"a\r", b"\r\r\n", b"a\n", b"\n.\r\n", b"\r\n.\r"] {
        assert_eq!(chunked_everywhere(body, 1 << 20, Nul::Refused).refused, Some(Refused::BareLineEnd), "{}", body.escape_ascii());
    }
    assert_eq!(chunked_everywhere(b"a\0\r\n", 9, Nul::Refused).refused, Some(Refused::Nul));
    assert_eq!(chunked_everywhere(b"a\0\r\n", 9, Nul::Taken).refused, None);
    assert_eq!(chunked_everywhere(b"12345\r\n", 7, Nul::Refused).refused, None);
    assert_eq!(chunked_everywhere(b"12345\r\n", 6, Nul::Refused).refused, Some(Refused::TooLarge));
    assert_eq!(chunks(&[&vec![b'a'; LINE_LIMIT], b"a"], 1 << 20, Nul::Refused).refused, Some(Refused::LongLine));
    assert_eq!(chunks(&[&vec![b'a'; 999], b"\r", b"\n"], 1 << 20, Nul::Refused).long_lines, 1);
}

/// Octets that matter, more often than others.
fn octet() -> impl Strategy<Value = u8> {
    prop_oneof![3 => Just(b'\r'), 3 => Just(b'\n'), 3 => Just(b'.'), 1 => Just(0u8), 2 => any::<u8>()]
}

fn line_piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => Just(b"\r\n".to_vec()), 2 => Just(b"\r\n.".to_vec()), 1 => Just(b"\r\n.\r\n".to_vec()), 3 => octet().prop_map(|o| vec![o]),
        3 => proptest::collection::vec(any::<u8>().prop_filter("text", |b| *b > 31), 0..40),
    ]
}

proptest! {
    #[test]
    fn the_decoder_agrees_with_its_slow_twin(pieces in proptest::collection::vec(line_piece(), 0..20), limit in 0u64..200) {
        everywhere(&pieces.concat(), limit, Nul::Refused);
    }

    #[test]
    fn the_same_octets_by_data_and_by_chunks_are_the_same_mail(pieces in proptest::collection::vec(line_piece(), 0..12), ends in any::<bool>(), limit in 0u64..200) {
        let end = if ends { b"\r\n".as_slice() } else { b"" };
        let body = [&pieces.concat()[..], end].concat();
        // What would end a body of DATA too early has no twin there, since a client doubles the dot.
        chunked_everywhere(&body, limit, Nul::Refused);
    }

    #[test]
    fn what_is_encoded_is_decoded_to_the_same_octets(lines in proptest::collection::vec(proptest::collection::vec(octet().prop_filter("text", |b| *b != b'\r' && *b != b'\n'), 0..12), 0..12), cut in 0usize..200) {
        let body: Vec<u8> = lines.iter().flat_map(|line| [line.as_slice(), b"\r\n"].concat()).collect();
        let (a, b) = body.split_at(cut.min(body.len()));
        let (mut encoder, mut wire) = (Encoder::default(), Vec::new());
        encoder.encode(a, &mut wire);
        encoder.encode(b, &mut wire);
        encoder.end(&mut wire);
        let outcome = everywhere(&wire, 1 << 20, Nul::Taken);
        prop_assert_eq!(outcome.body, body);
        prop_assert!(outcome.ended && outcome.refused.is_none() && outcome.taken == wire.len());
    }

    #[test]
    fn line_ends_are_checked_across_parts(octets in proptest::collection::vec(octet(), 0..30), cut in 0usize..30) {
        let (a, b) = octets.split_at(cut.min(octets.len()));
        let rest = octets.escape_ascii().to_string().replace("\\r\\n", "");
        prop_assert_eq!(has_exact_line_ends(&[a, b"", b]), !rest.contains("\\r") && !rest.contains("\\n"));
    }
}
