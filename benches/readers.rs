//! What a worker costs: its start, and the way of a part there and of a tenth of it back as text, the key of the cache included.
//!
//!     cargo bench --ignore-rust-version --bench readers [-- ROUNDS]
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

use bytes::Bytes;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use zegel::{
    extract::{Limits, Piece, Places, Source, Taker, Text, Unopened},
    metrics::Metrics,
    sandbox::{Options, Reader, work_if_told},
};

/// A tenth of the part as text.
fn tenth(part: &Unopened, _: &Limits, taker: Taker<'_>) {
    let text = String::from_utf8_lossy(&part.octets[part.octets.len() - part.octets.len() / 10..]).into_owned();
    taker(Piece::Text(Text { part: part.part.clone(), source: Source::Attachment, text, places: Places::None, spans: Vec::new() }));
}

/// A part that no cache has met.
fn part(size: usize, number: usize) -> Bytes {
    let mut octets = format!("%PDF-1.7\n{number}\n").into_bytes();
    octets.resize(size.max(octets.len()), b'x');
    octets.into()
}

fn reader(workers: usize) -> Reader {
    Reader::new(Options { workers, ..Options::default() }, Arc::new(Metrics::default()))
}

fn told(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    println!("{what:<28} p50 {:>8.0} us   p99 {:>8.0} us   ({} times)", at(0.5), at(0.99), times.len());
}

async fn measure(rounds: usize) {
    let mut times = Vec::new();
    for number in 0..50 {
        let begun = Instant::now();
        reader(1).read_file("x", part(1000, number)).await.unwrap();
        times.push(begun.elapsed());
    }
    told("start and first answer", times);
    for size in [1 << 10, 10 << 10, 100 << 10, 1 << 20, 10 << 20, 32 << 20] {
        let reader = reader(1);
        let count = (rounds * (100 << 10) / size).clamp(20, rounds);
        let mut times = Vec::new();
        for number in 0..count {
            let octets = part(size, number);
            let begun = Instant::now();
            let extraction = reader.read_file("x", octets).await.unwrap();
            times.push(begun.elapsed());
            assert_eq!(extraction.problems, []);
        }
        told(&format!("{} KiB", size >> 10), times);
    }
    let (reader, octets, mut times) = (reader(1), part(100 << 10, 0), Vec::new());
    for _ in 0..rounds {
        let begun = Instant::now();
        reader.read_file("x", octets.clone()).await.unwrap();
        times.push(begun.elapsed());
    }
    told("100 KiB, cached", times);
}

fn main() {
    work_if_told(tenth);
    let rounds = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(2000);
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
        // As in the gateway: on one of the runtime's own threads.
        tokio::spawn(measure(rounds)).await.unwrap();
    });
}
