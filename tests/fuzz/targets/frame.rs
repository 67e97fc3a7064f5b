//! What a worker says, which a stranger's file may have taken over.

use super::documents::{is_within, limits};
use bytes::Bytes;
use zegel::{
    extract::{Extraction, Limits, Picture, Piece, Unopened},
    sandbox::frame::{Answer, HEADER, Refused, Way, parse_request, put, request},
};

/// A request is read as it was written; an answer is within the limits and of its own part, and what was taken of it is taken again as it was.
pub fn frame(octets: &[u8]) {
    if let Some(asked) = parse_request(octets) {
        let size = asked.size;
        let part = asked.part;
        let way = asked.way;
        let head = request(&part, size, &asked.limits, way);
        let again = parse_request(&head[4..]).expect("what was written can be read");
        assert_eq!(usize::try_from(u32::from_le_bytes([head[0], head[1], head[2], head[3]])).expect("it is short"), head.len() - 4);
        assert!(again.way == way && again.size == size && format!("{:?}", again.limits) == format!("{:?}", asked.limits));
        assert_eq!((again.part.part, again.part.name, again.part.media_type), (part.part, part.name, part.media_type));
        assert!(matches!(way, Way::Inline | Way::Descriptor));
    }
    let part = Unopened { part: "a".into(), name: String::new(), media_type: String::new(), octets: Bytes::new(), depth: 1, at: 0 };
    let (extraction, pictures, _) = answer(&part, octets);
    is_within(&unique(&extraction), &limits());
    assert!(
        extraction
            .texts
            .iter()
            .map(|text| &text.part)
            .chain(extraction.problems.iter().map(|p| &p.part))
            .chain(extraction.facts.iter().map(|f| &f.part))
            .chain(pictures.iter().map(|p| &p.part))
            .all(|p| p.starts_with('a'))
    );
    let Limits { pictures: most, picture_octets, .. } = limits();
    assert!(pictures.len() <= most && pictures.iter().map(|p| p.octets.len()).sum::<usize>() <= picture_octets);
    let mut said = Vec::new();
    extraction.texts.iter().cloned().map(Piece::Text).for_each(|piece| put(&mut said, piece));
    extraction.problems.iter().cloned().map(Piece::Problem).for_each(|piece| put(&mut said, piece));
    extraction.facts.iter().cloned().map(Piece::Fact).for_each(|piece| put(&mut said, piece));
    pictures.iter().cloned().map(Piece::Picture).for_each(|piece| put(&mut said, piece));
    let (again, seen, refused) = answer(&part, &said);
    assert_eq!(refused, None);
    assert_eq!(seen, pictures);
    assert_eq!(format!("{again:?}"), format!("{extraction:?}"));
}

/// Each problem once: a worker may say one twice, a reader doesn't.
fn unique(extraction: &Extraction) -> Extraction {
    let mut unique = extraction.clone();
    let mut told = std::collections::HashSet::new();
    unique.problems.retain(|problem| told.insert(problem.clone()));
    unique
}

/// What is taken of what a worker says, and why no more.
fn answer(part: &Unopened, mut octets: &[u8]) -> (Extraction, Vec<Picture>, Option<Refused>) {
    let mut answer = Answer::new(part, &limits());
    while let Some((header, rest)) = octets.split_first_chunk::<HEADER>() {
        let header = match answer.header(*header) {
            Ok(header) => header,
            Err(refused) => return (answer.extraction, answer.pictures, Some(refused)),
        };
        let Some((body, rest)) = rest.split_at_checked(header.body) else { break };
        match answer.frame(header, body.to_vec()) {
            Ok(None) => octets = rest,
            Ok(Some(_)) => break,
            Err(refused) => return (answer.extraction, answer.pictures, Some(refused)),
        }
    }
    (answer.extraction, answer.pictures, None)
}
