//! Workers that a stranger's file has taken over.

use crate::{Readers, less_text, machine, problems, processes::ended, said};
use std::{
    collections::BTreeMap,
    fs,
    hint::black_box,
    io,
    net::UdpSocket,
    os::fd::AsFd as _,
    process::Command,
    time::{Duration, Instant},
};
use zegel::{
    extract::{
        Cell, Limits, Picture, Piece, Places,
        ProblemKind::{Damaged, Timeout, TooLarge},
        Source, Taker, Text, Unopened,
    },
    sandbox::frame,
};

/// What a worker does with a part: what its name says; archives are read as ever.
pub fn read(part: &Unopened, limits: &Limits, taker: Taker<'_>) {
    if part.name.ends_with(".zip") || part.name.ends_with(".png") {
        return zegel::extract::file_to(part, limits, taker);
    }
    let mut say = |text: &str| taker(Piece::Text(text_of(part, text)));
    match part.name.as_str() {
        "say" => say(std::str::from_utf8(part.octets.strip_prefix(b"%PDF-1.7\n").unwrap_or(b"")).unwrap()),
        "nothing" => {}
        "panic" => {
            say("before");
            panic!("as a reader might");
        }
        "overflow" => say(&deeper(1).to_string()),
        "memory-at-once" => say(&vec![b'x'; black_box(1 << 40)].len().to_string()),
        "memory-bit-by-bit" => {
            let mut boxes = Vec::new();
            loop {
                boxes.push(Box::new([black_box(1_u8); 4000]));
            }
        }
        "compute" => {
            say("before");
            loop {
                black_box(());
            }
        }
        "think" => {
            let begun = Instant::now();
            while begun.elapsed().as_millis() < 1000 {}
            say("thought");
        }
        "wait" => {
            // Zegel says nothing before it has heard an answer.
            let _ = rustix::io::read(io::stdin().as_fd(), &mut [0; 1]);
        }
        "who" => say(&std::process::id().to_string()),
        "what" => say(&format!("{:?} {:?}", std::env::args().collect::<Vec<_>>(), std::env::vars().collect::<Vec<_>>())),
        "open" => say(&fs::read_to_string("/etc/hostname").is_ok().to_string()),
        "write" => say(&fs::write("/tmp/zegel-was-here", "x").is_ok().to_string()),
        "socket" => say(&UdpSocket::bind("127.0.0.1:0").is_ok().to_string()),
        "start" => say(&Command::new("/bin/true").spawn().is_ok().to_string()),
        "signal" => say(&rustix::process::getppid().is_some_and(|p| rustix::process::test_kill_process(p).is_ok()).to_string()),
        "garbage" => raw(&part.octets[9..]),
        "half" => {
            raw(&[&b"T"[..], &[100, 0, 0, 0], &[90, 0, 0, 0], b"half of it"].concat());
            std::process::abort();
        }
        "other" => {
            let other = Unopened { part: "attachment \"another\"".into(), ..part.clone() };
            taker(Piece::Text(text_of(&other, "of another")));
        }
        "flood" => loop {
            say("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        },
        "greedy" => say(&"x".repeat(600)),
        "pictures" => (0..=Limits::PICTURES).for_each(|_| taker(Piece::Picture(picture_of(part, part.part.clone(), 100)))),
        "large-picture" => taker(Piece::Picture(picture_of(part, part.part.clone(), limits.picture_octets + 1))),
        "other-picture" => taker(Piece::Picture(picture_of(part, "attachment \"another\"".into(), 100))),
        "cells" => taker(Piece::Text(of_cells(part, 100))),
        name => panic!("{name} is not known"),
    }
}

/// A sheet of so many cells, each a letter.
fn of_cells(part: &Unopened, count: u32) -> Text {
    let cells = (0..count).map(|row| (row as usize, Cell { sheet: 1, row, column: 0 })).collect();
    Text { places: Places::Cells(cells), ..text_of(part, &"x".repeat(count as usize)) }
}

/// A picture that nobody need look at.
fn picture_of(part: &Unopened, name: String, octets: usize) -> Picture {
    Picture { part: name, page: Some(1), octets: part.octets.iter().copied().cycle().take(octets).collect() }
}

fn text_of(part: &Unopened, text: &str) -> Text {
    let (part, text) = (part.part.clone(), text.to_owned());
    Text { part, source: Source::Attachment, text, places: Places::None, spans: Vec::new() }
}

#[expect(unconditional_recursion, reason = "what a reader may do to a nested file")]
fn deeper(depth: u64) -> u64 {
    black_box([depth; 64])[black_box(1)] + deeper(black_box(depth + 1))
}

/// Says what no worker of ours says.
fn raw(octets: &[u8]) {
    let _ = rustix::io::write(io::stdin().as_fd(), octets);
}

/// The kernel ends a worker that tries, and a second one.
async fn is_not_possible(name: &str) {
    let readers = Readers::new();
    let extraction = readers.read(name).await;
    assert_eq!((said(&extraction), problems(&extraction)), (vec![], vec![(Damaged, "reader-crashed")]), "{name}");
    assert_eq!(readers.failures(), BTreeMap::from([("crashed", 2)]), "{name}");
    readers.is_sound().await;
}

pub async fn no_file_can_be_read() {
    is_not_possible("open").await;
}

pub async fn no_file_can_be_written() {
    is_not_possible("write").await;
    assert!(!fs::exists("/tmp/zegel-was-here").unwrap());
}

pub async fn no_socket_can_be_made() {
    is_not_possible("socket").await;
}

pub async fn no_process_can_be_started() {
    is_not_possible("start").await;
}

pub async fn no_signal_can_be_sent() {
    is_not_possible("signal").await;
}

pub async fn nothing_of_ours_is_in_its_reach() {
    // Open, and to be inherited, as a careless program that started us may have left it.
    let left_open = rustix::io::dup(fs::File::open("/etc/hostname").unwrap()).unwrap();
    let readers = Readers::new();
    let what = readers.read("what").await;
    assert_eq!(said(&what), ["[\"zegel-reader\", \"--read-what-comes-on-standard-input\"] []"], "no environment");
    // Workers of other tests end with those.
    let ours: i32 = said(&readers.read("who").await).concat().parse().unwrap();
    for other in machine::workers().into_iter().filter(|pid| *pid != ours) {
        ended(other).await;
    }
    let workers = [ours];
    let open: Vec<_> =
        fs::read_dir(format!("/proc/{}/fd", workers[0])).unwrap().map(|e| fs::read_link(e.unwrap().path()).unwrap()).collect();
    let is_known = |path: &std::path::PathBuf| path.to_str().is_some_and(|p| p == "/dev/null" || p.starts_with("socket:"));
    assert!(open.len() == 4 && open.iter().all(is_known), "{open:?}");
    assert_eq!(fs::read_to_string(format!("/proc/{}/oom_score_adj", workers[0])).unwrap().trim(), "1000", "the first to go");
    drop(left_open);
}

pub async fn garbage_is_not_taken() {
    let readers = Readers::new();
    let header = |kind: u8, body: u32, text: u32| [&[kind], body.to_le_bytes().as_slice(), &text.to_le_bytes()].concat();
    let mut not_utf8 = header(b'T', 6, 2);
    not_utf8.extend(b"\xff\xff\0\0\0\0");
    // It would be the whole answer to the next part.
    let twice = [header(b'D', 1, 0), vec![0], header(b'D', 1, 0), vec![0]].concat();
    for octets in [vec![b'x'; 100], header(b'T', 3, 4), header(b'D', 1, 1), not_utf8, twice] {
        let extraction = readers.read_octets("garbage", &octets).await;
        assert_eq!((said(&extraction), problems(&extraction)), (vec![], vec![(Damaged, "reader-failed")]), "{octets:?}");
        readers.is_sound().await;
    }
    // Announced, and never said; and nobody has set memory aside for it.
    let readers = Readers::with(|options| options.times.part = Duration::from_millis(300));
    let memory = machine::Peak::begin();
    let extraction = readers.read_octets("garbage", &header(b'T', 50 << 20, 50 << 20)).await;
    assert_eq!((said(&extraction), problems(&extraction)), (vec![], vec![(Timeout, "part-time")]));
    assert!(memory.end() < 16);
    readers.is_sound().await;
}

pub async fn another_part_is_not_spoken_of() {
    let readers = Readers::new();
    let extraction = readers.read("other").await;
    assert_eq!((said(&extraction), problems(&extraction)), (vec![], vec![(Damaged, "reader-failed")]));
    readers.is_sound().await;
}

pub async fn more_than_a_reader_may_give_is_not_taken() {
    let readers = Readers::with(|options| options.limits = less_text(10 << 20));
    let memory = machine::Peak::begin();
    let extraction = readers.read("flood").await;
    assert_eq!(problems(&extraction), [(TooLarge, "answer")]);
    let octets: usize = said(&extraction).iter().map(|text| text.len()).sum();
    assert!(octets <= 10 << 20, "{octets}");
    assert!(memory.end() < 128, "{} MiB", memory.end());
    assert_eq!(frame::HEADER, 9, "as garbage is made above");
    readers.is_sound().await;
}
