//! How much text a mail may hold.

use crate::{Readers, less_text, machine, problems, said, until};
use std::{
    collections::BTreeSet,
    io::{Cursor, Write as _},
};
use zegel::extract::{Limits, ProblemKind::TooLarge};

pub async fn all_parts_together_hold_no_more_text_than_a_mail_may() {
    let readers = Readers::with(|options| options.limits = less_text(1000));
    let extraction = readers.read_mail(&["greedy"; 8]).await;
    assert!(extraction.text_octets() <= 1000, "{}", extraction.text_octets());
    assert!(extraction.texts.iter().any(|text| text.text.len() == 600));
    assert_eq!(extraction.problems.len(), 7, "{:?}", extraction.problems);
}

/// Text that packs to a bit more than half, in archives in each other: 20 MiB of them.
fn nested() -> Vec<u8> {
    let pack = |members: &[(String, Vec<u8>)]| {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let options = zip::write::SimpleFileOptions::default().compression_level(Some(1));
        for (name, octets) in members {
            writer.start_file(name, options).unwrap();
            writer.write_all(octets).unwrap();
        }
        writer.finish().unwrap().into_inner()
    };
    let mut state = 1_u64;
    let mut letter = || {
        // Knuth's numbers (TAOCP 3.3.4): the same text each time.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        b"etaoinsrhldcumfp"[(state >> 60) as usize]
    };
    let texts: Vec<_> = (0..FILES).map(|i| (format!("{i}.txt"), (0..FILE).map(|_| letter()).collect())).collect();
    (0..4).fold(pack(&texts), |archive, _| pack(&[("x.zip".into(), archive)]))
}

const FILES: usize = 9;
const FILE: usize = 4 << 20;

pub async fn nested_archives_fit_into_a_worker() {
    let octets = nested();
    assert!(octets.len() > 18 << 20, "{}", octets.len());
    until("workers of other tests are gone", || machine::workers().is_empty()).await;
    let readers = Readers::with(|options| options.workers = 1);
    let memory = machine::Peak::begin();
    let extraction = readers.reader.read_file("x.zip", octets.into()).await.unwrap();
    assert_eq!(problems(&extraction), []);
    assert_eq!(said(&extraction).iter().map(|text| text.len()).sum::<usize>(), FILES * FILE);
    let (ours, theirs) = (memory.end(), machine::peak_of(machine::workers()[0]));
    assert!(ours + theirs < 300, "{ours} MiB of ours, {theirs} of the worker");
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
