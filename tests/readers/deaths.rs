//! Workers that end, one way or another, in the middle of a part.

use crate::{PATIENCE, Readers, machine, problems, said, until};
use std::{collections::BTreeMap, time::Duration};
use zegel::{
    extract::ProblemKind::{Damaged, Timeout, TooLarge},
    sandbox::Times,
};

/// As small as no busy machine makes it by itself: CPU time is counted, and what these tests wait for needs none.
const HASTE: Times = Times { cpu: Duration::from_millis(300), ..PATIENCE };

pub async fn a_part_comes_back_as_text() {
    let readers = Readers::new();
    // Behind the head, in many reads, and as a file.
    for octets in [0, 1, 5000, 100 << 10, 1 << 20, 20 << 20] {
        let text: String = ('a'..='z').cycle().take(octets).collect();
        let extraction = readers.read_octets("say", text.as_bytes()).await;
        assert!(said(&extraction).concat() == text, "{octets} octets come back otherwise");
        assert_eq!(problems(&extraction), []);
    }
    assert_eq!(readers.failures(), BTreeMap::new());
}

pub async fn a_panic_costs_the_part_and_keeps_what_was_read() {
    let readers = Readers::new();
    let extraction = readers.read_mail(&["panic", "say"]).await;
    assert_eq!(said(&extraction), ["before", ""]);
    assert_eq!(problems(&extraction), [(Damaged, "reader-failed")]);
    assert_eq!(readers.failures(), BTreeMap::from([("panicked", 1)]));
    readers.is_sound().await;
}

pub async fn a_stack_that_overflows_costs_the_part() {
    let readers = Readers::new();
    assert_eq!(problems(&readers.read("overflow").await), [(Damaged, "reader-crashed")]);
    assert_eq!(readers.failures(), BTreeMap::from([("crashed", 2)]), "it was tried once more");
    readers.is_sound().await;
}

pub async fn a_death_in_the_middle_of_a_word_is_a_crash() {
    let readers = Readers::new();
    assert_eq!(problems(&readers.read("half").await), [(Damaged, "reader-crashed")]);
    assert_eq!(readers.failures(), BTreeMap::from([("crashed", 2)]), "it was tried once more");
    readers.is_sound().await;
}

pub async fn memory_without_end_is_too_large() {
    let readers = Readers::new();
    for name in ["memory-at-once", "memory-bit-by-bit"] {
        let memory = machine::Peak::begin();
        assert_eq!(problems(&readers.read(name).await), [(TooLarge, "memory")], "{name}");
        assert!(memory.end() < 64, "it was the worker's memory, not ours");
    }
    assert_eq!(readers.failures(), BTreeMap::from([("memory", 2)]));
    readers.is_sound().await;
}

pub async fn computing_without_end_is_a_timeout_and_keeps_what_was_read() {
    let readers = Readers::with(|options| options.times = HASTE);
    let extraction = readers.read("compute").await;
    assert_eq!(said(&extraction), ["before"]);
    assert_eq!(problems(&extraction), [(Timeout, "part-time")]);
    assert_eq!(readers.failures(), BTreeMap::from([("late", 1)]));
    readers.is_sound().await;
}

pub async fn waiting_without_end_is_a_timeout() {
    let readers = Readers::with(|options| options.times.part = Duration::from_millis(300));
    assert_eq!(problems(&readers.read("wait").await), [(Timeout, "part-time")]);
    assert_eq!(readers.failures(), BTreeMap::from([("late", 1)]));
}

pub async fn attachments_that_hang_are_a_problem_of_the_mail_and_not_a_451_for_ever() {
    let times = Times { part: Duration::from_millis(200), mail: Duration::from_millis(500), ..PATIENCE };
    let readers = Readers::with(|options| options.times = times);
    let told = problems(&readers.read_mail(&["wait"; 8]).await);
    assert_eq!(told.len(), 8, "every part is told");
    assert_eq!(told[0], (Timeout, "part-time"));
    assert_eq!(told[7], (Timeout, "mail-time"), "nothing was left for it");
}

pub async fn a_worker_that_is_killed_is_replaced_once() {
    let readers = Readers::new();
    let crashed = || readers.counted("zegel_reader_failures_total{how=\"crashed\"}");
    // Once: whoever killed it has nothing against the part.
    let killing = until("a worker is killed", || {
        machine::kill_busy_workers();
        crashed() == 1
    });
    let (extraction, ()) = tokio::join!(readers.read("think"), killing);
    assert_eq!((said(&extraction), problems(&extraction)), (vec!["thought"], vec![]));
    // For ever: that is its end.
    let killing = until("two workers are killed", || {
        machine::kill_busy_workers();
        crashed() == 3
    });
    let (extraction, ()) = tokio::join!(readers.read("compute"), killing);
    assert_eq!(problems(&extraction), [(Damaged, "reader-crashed")]);
    readers.is_sound().await;
}

pub async fn a_worker_that_is_killed_while_it_waits_costs_nothing() {
    let readers = Readers::new();
    readers.is_sound().await;
    machine::kill_workers();
    assert_eq!(said(&readers.read_octets("say", b"toch").await), ["toch"]);
}
