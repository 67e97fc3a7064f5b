//! How much text a mail may hold.

use crate::{Readers, less_text};

pub async fn all_parts_together_hold_no_more_text_than_a_mail_may() {
    let readers = Readers::with(|options| options.limits = less_text(1000));
    let extraction = readers.read_mail(&["greedy"; 8]).await;
    assert!(extraction.text_octets() <= 1000, "{}", extraction.text_octets());
    assert!(extraction.texts.iter().any(|text| text.text.len() == 600));
    assert_eq!(extraction.problems.len(), 7, "{:?}", extraction.problems);
}
