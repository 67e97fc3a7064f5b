//! How much text a mail may hold.

use crate::{Readers, less_text, problems};
use std::collections::BTreeSet;
use zegel::extract::{Limits, ProblemKind::TooLarge};

pub async fn all_parts_together_hold_no_more_text_than_a_mail_may() {
    let readers = Readers::with(|options| options.limits = less_text(1000));
    let extraction = readers.read_mail(&["greedy"; 8]).await;
    assert!(extraction.text_octets() <= 1000, "{}", extraction.text_octets());
    assert!(extraction.texts.iter().any(|text| text.text.len() == 600));
    assert_eq!(extraction.problems.len(), 7, "{:?}", extraction.problems);
}

/// Of a workbook whose cells hold a letter each, the cells take twelve times as much memory as the text.
pub async fn all_parts_together_take_no_more_memory_beside_their_text_than_a_mail_may() {
    let beside = 10_000;
    let readers = Readers::with(|options| options.limits = Limits { beside, ..Limits::default() });
    // The third time it could be had from the cache, and is to be counted all the same.
    for _ in 0..3 {
        let extraction = readers.read_mail(&["cells"; 8]).await;
        assert!(
            extraction.beside_octets() < beside + 8 * 200,
            "{}: what is told of those that were left out comes on top",
            extraction.beside_octets()
        );
        assert!(extraction.texts.iter().any(|text| text.text.len() == 100));
        assert_eq!(BTreeSet::from_iter(problems(&extraction)), BTreeSet::from([(TooLarge, "answer")]));
    }
}
