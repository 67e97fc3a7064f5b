//! Reading in worker processes, with workers that do the worst: this binary is its own worker program, so that they need no file that crashes a
//! reader of ours (each such file would be a bug to be fixed). It has no test harness, since a worker must not start in the middle of one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#![allow(unreachable_pub, reason = "the modules of a test binary serve each other")]

mod cache;
mod deaths;
mod hostile;
#[path = "../formats/mod.rs"]
mod formats;
mod machine;
mod pictures;
#[path = "../processes/mod.rs"]
mod processes;
mod room;

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use zegel::{
    extract::{Extraction, Limits, ProblemKind},
    message::Message,
    metrics::Metrics,
    sandbox::{Busy, Options, Reader, Times, work_if_told},
};

/// A test and its name.
type Test = (&'static str, fn());

/// Makes tests of async functions.
macro_rules! tests {
    ($($module:ident: $($name:ident)*;)*) => {
        &[$($((concat!(stringify!($module), "::", stringify!($name)), (|| run($module::$name())) as fn())),*),*]
    };
}

const TESTS: &[Test] = tests! {
    deaths: a_part_comes_back_as_text
        a_panic_costs_the_part_and_keeps_what_was_read
        a_stack_that_overflows_costs_the_part
        a_death_in_the_middle_of_a_word_is_a_crash
        memory_without_end_is_too_large
        computing_without_end_is_a_timeout_and_keeps_what_was_read
        waiting_without_end_is_a_timeout
        attachments_that_hang_are_a_problem_of_the_mail_and_not_a_451_for_ever
        a_worker_that_is_killed_is_replaced_once
        a_worker_that_is_killed_while_it_waits_costs_nothing;
    hostile: no_file_can_be_read
        no_file_can_be_written
        no_socket_can_be_made
        no_process_can_be_started
        no_signal_can_be_sent
        nothing_of_ours_is_in_its_reach
        garbage_is_not_taken
        another_part_is_not_spoken_of
        more_than_a_reader_may_give_is_not_taken;
    machine: nothing_is_left_behind
        without_workers_the_mail_waits
        a_worker_is_replaced_when_it_has_served
        a_stop_signal_to_everybody_leaves_workers_to_their_work
        many_parts_at_once_are_read_by_few;
    room: all_parts_together_hold_no_more_text_than_a_mail_may
        nested_archives_fit_into_a_worker
        all_parts_together_take_no_more_memory_beside_their_text_than_a_mail_may;
    cache: what_comes_again_is_not_read_again
        a_failure_is_no_answer_to_keep;
    pictures: what_it_says_is_text_and_no_problem_is_left
        what_it_is_not_sure_of_stays_a_problem
        a_program_that_fails_leaves_the_problem_and_the_next_picture_is_read
        a_program_that_hangs_is_ended_and_leaves_the_problem
        no_document_goes_unread_because_a_picture_took_its_time
        it_gets_the_picture_and_nothing_else
        it_can_reach_nobody_and_touch_nothing
        without_it_a_picture_is_a_problem_and_so_is_one_that_is_no_picture
        no_more_pictures_are_taken_than_a_mail_may_have
        what_comes_again_is_not_looked_at_again_unless_it_failed
        what_is_missing_is_found_out;
};

fn main() -> ExitCode {
    work_if_told(hostile::read);
    pictures::be_tesseract_if_told();
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let chosen = TESTS.iter().filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str())));
    let (mut passed, mut failed) = (0, 0);
    for (name, test) in chosen {
        let ok = catch_unwind(AssertUnwindSafe(test)).is_ok();
        println!("test {name} ... {}", if ok { "ok" } else { "FAILED" });
        if ok { passed += 1 } else { failed += 1 }
    }
    let result = if failed == 0 { "ok" } else { "FAILED" };
    let left = TESTS.len() - passed - failed;
    println!("\ntest result: {result}. {passed} passed; {failed} failed; 0 ignored; 0 measured; {left} filtered out\n");
    ExitCode::from(u8::from(failed > 0))
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(test);
}

/// A reader whose workers are this binary.
struct Readers {
    reader: Reader,
    metrics: Arc<Metrics>,
}

/// Long enough for a busy machine, where nothing should take long.
const PATIENCE: Times = Times { cpu: Duration::from_secs(60), part: Duration::from_secs(120), mail: Duration::from_secs(120) };

impl Readers {
    fn new() -> Readers {
        Readers::with(|_| {})
    }

    fn with(tune: impl FnOnce(&mut Options)) -> Readers {
        let mut options = Options { workers: 2, times: PATIENCE, ..Options::default() };
        tune(&mut options);
        let metrics = Arc::new(Metrics::default());
        Readers { reader: Reader::new(options, metrics.clone()), metrics }
    }

    /// What comes of a file that makes its worker do what its name says.
    async fn read(&self, name: &str) -> Extraction {
        self.read_octets(name, b"").await
    }

    /// The same, with something in it.
    async fn read_octets(&self, name: &str, octets: &[u8]) -> Extraction {
        self.try_read(name, octets).await.unwrap()
    }

    async fn try_read(&self, name: &str, octets: &[u8]) -> Result<Extraction, Busy> {
        self.reader.read_file(name, [b"%PDF-1.7\n", octets].concat().into()).await
    }

    /// The mail with attachments of these names.
    async fn read_mail(&self, names: &[&str]) -> Extraction {
        let mut mail = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n".to_owned();
        for name in names {
            mail += &format!("--a\r\nContent-Type: application/pdf; name={name}\r\nContent-Disposition: attachment\r\n\r\n%PDF-1.7\r\n");
        }
        self.reader.read(&Message::new((mail + "--a--\r\n").into_bytes().into())).await.unwrap()
    }

    /// A part is read as if nothing had been: what every failure must leave possible.
    async fn is_sound(&self) {
        let extraction = self.read_octets("say", b"alles goed").await;
        assert!(extraction.problems.is_empty(), "{:?}", extraction.problems);
        assert_eq!(said(&extraction), ["alles goed"]);
    }

    /// How often a counter has counted, by its name and label.
    fn counted(&self, name: &str) -> u64 {
        let text = self.metrics.text();
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or(" 0");
        line.trim().parse().unwrap()
    }

    fn failures(&self) -> BTreeMap<&'static str, u64> {
        let of = |how| (how, self.counted(&format!("zegel_reader_failures_total{{how=\"{how}\"}}")));
        ["panicked", "crashed", "memory", "late", "refused", "not started"].map(of).into_iter().filter(|(_, count)| *count > 0).collect()
    }
}

/// The texts that a worker gave; the name of the file is told by ourselves.
fn said(extraction: &Extraction) -> Vec<&str> {
    extraction.texts.iter().filter(|text| text.source == zegel::extract::Source::Attachment).map(|text| text.text.as_str()).collect()
}

fn problems(extraction: &Extraction) -> Vec<(ProblemKind, &'static str)> {
    extraction.problems.iter().map(|problem| (problem.kind, problem.reason)).collect()
}

/// Waits until it is so; a test that would wait for ever is told after two minutes.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + Duration::from_secs(120);
    while !is_so() {
        assert!(std::time::Instant::now() < end, "{what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn less_text(octets: usize) -> Limits {
    Limits { text: octets, ..Limits::default() }
}
