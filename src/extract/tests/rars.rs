//! RAR archives as programs write them: packed, solid, of every generation.

use super::{ProblemKind, archives::RECORD, has_problem, holds, problems, read, read_within};
use crate::extract::Limits;
use rars::{ArchiveVersion, Builder};

fn archive(version: ArchiveVersion, is_solid: bool, members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(version).solid(is_solid).compression_level(Some(3)).comment(Some(b"opmerking 999".to_vec()));
    for (name, octets) in members {
        builder.add_bytes(name.as_bytes().to_vec(), octets.to_vec(), None, None).unwrap();
    }
    let mut octets = builder.to_bytes().unwrap();
    if version == ArchiveVersion::Rar30 {
        // The builder leaves out what RAR itself has written since then.
        octets.extend(b"\xC4\x3D\x7B\x00\x40\x07\x00");
    }
    octets
}

const VERSIONS: [(ArchiveVersion, bool); 6] = [
    (ArchiveVersion::Rar30, false),
    (ArchiveVersion::Rar30, true),
    (ArchiveVersion::Rar50, false),
    (ArchiveVersion::Rar50, true),
    (ArchiveVersion::Rar70, false),
    (ArchiveVersion::Rar70, true),
];

#[test]
fn packed_and_solid_archives_are_read() {
    let text = "woord nummer ".repeat(5000);
    for (version, is_solid) in VERSIONS {
        let octets = archive(version, is_solid, &[("a.txt", text.as_bytes()), ("b.txt", RECORD), ("map/c.txt", text.as_bytes())]);
        assert!(octets.len() < text.len() / 4, "it is packed");
        let extraction = read("x.rar", octets);
        assert_eq!(problems(&extraction), Vec::<String>::new(), "{version:?} {is_solid}");
        assert!(holds(&extraction, "111222333") && holds(&extraction, "opmerking 999"), "{extraction:?}");
        assert_eq!(extraction.texts.iter().filter(|t| t.text == text).count(), 2);
    }
}

#[test]
fn an_archive_that_is_cut_anywhere_is_told() {
    for (version, is_solid) in VERSIONS {
        let octets = archive(version, is_solid, &[("a.txt", RECORD), ("b.txt", &RECORD.repeat(3)), ("c.txt", b"achteraan")]);
        for length in 3..octets.len() {
            assert!(!read("x.rar", octets[..length].to_vec()).problems.is_empty(), "{version:?} {is_solid} cut at {length}");
        }
        let behind = read("x.rar", [&octets[..], b"rommel"].concat());
        assert!(has_problem(&behind, ProblemKind::Damaged, "rar") && holds(&behind, "111222333"));
        assert_eq!(problems(&read("x.rar", [&octets[..], &[0; 100]].concat())), Vec::<String>::new(), "a last block filled up");
    }
}

#[test]
fn a_broken_member_costs_those_that_depend_on_it() {
    let words: String = (0..3000).map(|i| format!("woord{} ", i * 7919 % 1000)).collect();
    for (version, is_solid) in VERSIONS {
        let mut octets = archive(version, is_solid, &[("a.txt", RECORD), ("b.txt", words.as_bytes()), ("c.txt", b"achteraan")]);
        let middle = octets.len() / 2;
        octets[middle..middle + 40].fill(0x55);
        let extraction = read("x.rar", octets);
        assert!(!extraction.problems.is_empty() && holds(&extraction, "111222333"), "{version:?} {is_solid}: {extraction:?}");
        assert!(holds(&extraction, "achteraan") != is_solid, "{version:?} {is_solid}: {:?}", problems(&extraction));
        if is_solid {
            assert!(extraction.problems.iter().any(|p| p.part.ends_with("> \"c.txt\"")), "{:?}", extraction.problems);
        }
    }
}

#[test]
fn limits_hold_for_what_is_unpacked_for_others_too() {
    let text = "woord ".repeat(1000);
    for (version, is_solid) in VERSIONS {
        let members: [(&str, &[u8]); 3] = [("a.txt", text.as_bytes()), ("b.txt", RECORD), ("c.txt", text.as_bytes())];
        let octets = archive(version, is_solid, &members);
        let extraction = read_within("x.rar", octets.clone(), &Limits { member: 1000, ..Limits::default() });
        assert!(has_problem(&extraction, ProblemKind::TooLarge, "member"), "{version:?} {is_solid}: {:?}", problems(&extraction));
        assert!(holds(&extraction, "woord woord") && holds(&extraction, "111222333"), "{version:?} {is_solid}: {extraction:?}");
        let extraction = read_within("x.rar", octets, &Limits { expanded: 3000, ..Limits::default() });
        assert!(has_problem(&extraction, ProblemKind::TooLarge, "expanded"), "{version:?} {is_solid}: {:?}", problems(&extraction));
    }
    let bomb = archive(ArchiveVersion::Rar50, true, &[("a.txt", &vec![b' '; 4 << 20]), ("b.txt", RECORD)]);
    let extraction = read("x.rar", bomb);
    assert!(has_problem(&extraction, ProblemKind::TooLarge, "ratio"), "{:?}", problems(&extraction));
}

/// Each of these is read by unpacking all those before it, were they read one by one: 45 000 of them instead of 300.
#[test]
fn a_solid_archive_of_many_members_is_one_pass() {
    let names: Vec<String> = (0..300).map(|i| format!("{i}.txt")).collect();
    let text = "woord nummer ".repeat(300);
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), text.as_bytes())).collect();
    let extraction = read_within("x.rar", archive(ArchiveVersion::Rar50, true, &members), &Limits { ratio: 2000, ..Limits::default() });
    assert_eq!(problems(&extraction), Vec::<String>::new());
    assert_eq!(extraction.texts.iter().filter(|t| t.text == text).count(), 300);
}
