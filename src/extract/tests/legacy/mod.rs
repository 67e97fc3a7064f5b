//! Compound files and what lies in them: made here record by record, read back, and broken.

mod compound;
mod documents;
mod macros;
mod pictures;
mod xls;

use super::{
    Extraction,
    formats::compound::{SECTOR, code_page, compound, property_set, property_stream, property_string, wide},
    has_problem, holds, problems, read, read_within,
};

/// What the extraction says about a text: its part and place.
fn place_of(extraction: &Extraction, text: &str) -> (String, Option<String>) {
    let found = extraction
        .texts
        .iter()
        .find(|t| t.text.contains(text))
        .unwrap_or_else(|| panic!("{text} is not there: {:?}", problems(extraction)));
    (found.part.clone(), found.place(found.text.find(text).unwrap()))
}

/// Cuts a file at every sector and everywhere near its end: nothing is silent.
fn cut_everywhere(name: &str, octets: &[u8]) {
    assert_eq!(problems(&read(name, octets.to_vec())), Vec::<String>::new(), "{name} whole");
    for at in (8..octets.len()).step_by(SECTOR / 2) {
        let extraction = read(name, octets[..at].to_vec());
        assert!(!extraction.problems.is_empty(), "{name} cut at {at} of {}", octets.len());
    }
}

/// Changes octets of a stream and of the file around it: whatever comes out, it comes out.
fn flip_everywhere(name: &str, octets: &[u8]) {
    for at in 0..octets.len() {
        for flip in [0x01, 0x80, 0xFF] {
            let mut flipped = octets.to_vec();
            flipped[at] ^= flip;
            read(name, flipped);
        }
    }
}
