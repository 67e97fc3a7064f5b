//! Words that speak of a person: with one of them near, a number that only has the form of a BSN probably is one.

use super::lexicon::{Lexicon, PersonWord, Spelling, Stars, Use};

/// Birth, and people in the care of an organisation. In normal form (no accents).
const PLAIN: [&str; 26] = [
    "geb",
    "geboren",
    "geboortedatum",
    "geboortedag",
    "geboortejaar",
    "geboorteplaats",
    "geb.datum",
    "gebdat",
    "date of birth",
    "dob",
    "born",
    "birthdate",
    "patient",
    "patiente",
    "patienten",
    "client",
    "cliente",
    "clienten",
    "clientgegevens",
    "inwoner",
    "overleden",
    "echtgenoot",
    "echtgenote",
    "minderjarige",
    "burger",
    "pupil",
];

/// Before a name.
const TITLES: [&str; 18] = [
    "mevrouw", "mevr", "mevr.", "mw", "mw.", "dhr", "dhr.", "meneer", "de heer", "heer", "dr.", "drs.", "mr.", "ing.", "mrs", "mrs.",
    "ms.", "mej.",
];

/// Adds them to the index.
pub(super) fn add(lexicon: &mut Lexicon) {
    let words = PLAIN.map(|w| (w, PersonWord::Plain)).into_iter().chain(TITLES.map(|w| (w, PersonWord::Title)));
    for (word, kind) in words {
        lexicon.add(word, Stars::Themselves, Spelling::default(), Use::Person(kind)).expect("each of them has a letter");
    }
}
