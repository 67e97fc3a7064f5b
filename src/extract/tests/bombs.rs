//! Archives made to hurt: small ones that unpack to much, many members, archives in themselves.

use super::{
    ProblemKind,
    archives::{RECORD, gzip, tar, xz, zstd},
    has_problem, holds, problems, read, read_within, zip,
    zips::{archive, end, stored},
};
use crate::extract::Limits;
use std::io::{Read, Write};

fn spaces(octets: u64) -> std::io::Take<std::io::Repeat> {
    std::io::repeat(b' ').take(octets)
}

#[test]
fn a_zstandard_bomb_ends_at_its_limit() {
    let extraction = read("x.zst", zstd(spaces(8 << 20)));
    assert_eq!(problems(&extraction), ["too-large ratio"]);
    // A bomb in a bomb: each of them is small beside what it unpacks to.
    let extraction = read("x.xz", xz(&gzip(spaces(80 << 20))[..]));
    assert!(has_problem(&extraction, ProblemKind::TooLarge, "ratio"), "{:?}", problems(&extraction));
}

#[test]
fn millions_of_members_cost_what_the_limit_allows() {
    // As many as make sense in a test; only the limit of them is opened.
    let limits = Limits { members: 100, ..Limits::default() };
    let members: Vec<_> = (0..20_000).map(|i| (stored(&format!("{i}"), b"x"), true)).collect();
    let extraction = read_within("x.zip", archive(&members), &limits);
    assert!(has_problem(&extraction, ProblemKind::TooLarge, "members"), "{:?}", problems(&extraction));
    let named: Vec<&str> = extraction.texts.iter().filter(|t| t.part != "attachment \"x.zip\"").map(|t| t.text.as_str()).collect();
    assert!((100..=200).contains(&named.len()), "{}", named.len());
    // Listed by none, or one of a million in an archive that is itself a member.
    let unlisted: Vec<_> = (0..20_000).map(|i| (stored(&format!("{i}"), b"x"), i == 0)).collect();
    for octets in [archive(&unlisted), zip(&[("y.zip", &archive(&members))])] {
        let extraction = read_within("x.zip", octets, &limits);
        assert!(has_problem(&extraction, ProblemKind::TooLarge, "members") && extraction.texts.len() < 300, "{}", extraction.texts.len());
    }
    let names: Vec<String> = (0..2000).map(|i| i.to_string()).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"x".as_slice())).collect();
    let extraction = read_within("x.tar", tar(&members), &limits);
    assert!(has_problem(&extraction, ProblemKind::TooLarge, "members") && extraction.texts.len() < 300);
}

/// Each member of it is the rest of the archive, its directory included: all that it holds, once more, and so on.
#[test]
fn an_archive_of_what_is_behind_each_member_ends() {
    const COUNT: usize = 40;
    let header = stored("x.zip", b"").local().len();
    let directory = COUNT * stored("x.zip", b"").central(0).len();
    let whole = COUNT * header + directory + 22;
    let (mut locals, mut central) = (Vec::new(), Vec::new());
    for i in 0..COUNT {
        let mut entry = stored("x.zip", &vec![0; whole - (i + 1) * header]);
        entry.packed_size = entry.size;
        entry.packed.clear();
        locals.extend(entry.local());
        central.extend(entry.central(i * header));
    }
    let octets = [&locals[..], &central, &end(COUNT, locals.len(), central.len())].concat();
    let extraction = read_within("x.zip", octets, &Limits { members: 1000, ..Limits::default() });
    assert!(has_problem(&extraction, ProblemKind::Damaged, "zip"), "{:?}", problems(&extraction));
    assert!(
        extraction.problems.iter().any(|p| matches!(p.kind, ProblemKind::TooLarge | ProblemKind::TooDeep)),
        "{:?}",
        problems(&extraction)
    );
}

#[test]
fn a_tar_that_is_cut_at_any_block_is_told() {
    let octets = tar(&[("a.txt", RECORD), ("map/b.txt", &RECORD.repeat(20)), ("c.txt", b"x")]);
    assert_eq!(octets.len() % 512, 0);
    for length in (1..octets.len() - 512).filter(|length| length % 512 <= 1 || *length < 600) {
        assert!(!read("x.tar", octets[..length].to_vec()).problems.is_empty(), "cut at {length} of {}", octets.len());
    }
    let joined = [&octets[..], &tar(&[("d.txt", b"erachter")])].concat();
    let extraction = read("x.tar", joined);
    assert!(holds(&extraction, "erachter") && extraction.problems.is_empty(), "{extraction:?}");
}

#[test]
fn a_zip_that_is_cut_at_any_record_is_told() {
    let mut writer = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in ["a.txt", "b.txt", "c.txt"] {
        writer.start_file(name, ::zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(RECORD).unwrap();
    }
    let octets = writer.finish().unwrap().into_inner();
    for length in 3..octets.len() {
        let extraction = read("x", octets[..length].to_vec());
        assert!(!extraction.problems.is_empty(), "cut at {length} of {}", octets.len());
        // What stands whole is read.
        assert!(length < octets.len() / 2 || holds(&extraction, "111222333"), "cut at {length}: {extraction:?}");
    }
}
