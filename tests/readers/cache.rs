//! Files that come again.

use crate::{Readers, said};

pub async fn what_comes_again_is_not_read_again() {
    let readers = Readers::new();
    // Who reads it says who it is.
    let first = readers.read_octets("who", b"logo").await;
    let second = readers.read_octets("who", b"logo").await;
    assert_eq!(readers.counted("zegel_reader_cache_total{result=\"hit\"}"), 0, "its text was not kept at first");
    let third = readers.read_octets("who", b"logo").await;
    assert_eq!(readers.counted("zegel_reader_cache_total{result=\"hit\"}"), 1);
    assert_eq!(said(&second), said(&third));
    assert_eq!(said(&first).len(), 1);
    assert_eq!(third.texts.iter().map(|text| text.part.as_str()).collect::<Vec<_>>(), ["attachment \"who\""; 2]);
    // Another name is another file: by it a type may be told.
    readers.read_octets("say", b"logo").await;
    assert_eq!(readers.counted("zegel_reader_cache_total{result=\"hit\"}"), 1);
}

pub async fn a_failure_is_no_answer_to_keep() {
    let readers = Readers::new();
    for _ in 0..4 {
        readers.read("panic").await;
    }
    assert_eq!(readers.counted("zegel_reader_cache_total{result=\"hit\"}"), 0);
    assert_eq!(readers.counted("zegel_reader_cache_total{result=\"miss\"}"), 4);
}
