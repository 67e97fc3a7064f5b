//! Archives within archives, whole, broken, and made to hurt.

pub(super) use super::formats::archives::{COPY, bzip2, crc, gzip, number, rar, seven_zip, seven_zip_of, tar, xz, zstd};
use super::{ProblemKind, has_problem, holds, mail_with, problems, read, read_mail, zip};
use std::io::Read;

type Pack = fn(&[u8]) -> Vec<u8>;

pub(super) const RECORD: &[u8] = b"BSN: 111222333\nIBAN NL91 ABNA 0417 1643 00\ndiagnose\n";

/// Every container of [`RECORD`], with the part that it is in.
fn containers() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    vec![
        ("x.txt.gz", gzip(RECORD), "x.txt"),
        ("x.txt.bz2", bzip2(RECORD), "x.txt"),
        ("x.txt.xz", xz(RECORD), "x.txt"),
        ("x.txt.zst", zstd(RECORD), "x.txt"),
        ("x.tar", tar(&[("map/a.txt", RECORD)]), "map/a.txt"),
        ("x.7z", seven_zip("a.txt", RECORD, COPY), "a.txt"),
        ("x.rar", rar("a.txt", RECORD, 0), "a.txt"),
        ("x.zip", zip(&[("a.txt", RECORD)]), "a.txt"),
    ]
}

#[test]
fn a_record_is_found_in_every_container() {
    for (name, octets, inner) in containers() {
        let extraction = read(name, octets);
        assert_eq!(problems(&extraction), Vec::<String>::new(), "{name}");
        let part = format!("attachment \"{name}\" > \"{inner}\"");
        assert!(extraction.texts.iter().any(|t| t.part == part && t.text.as_bytes() == RECORD), "{name}: {extraction:?}");
    }
}

#[test]
fn a_record_is_found_under_five_containers() {
    let packed = gzip(&tar(&[("b.eml", &mail_with("c.txt", RECORD))])[..]);
    let octets = zip(&[("x.7z", &seven_zip("y.tar.gz", &packed, COPY))]);
    let extraction = read("x.zip", octets.clone());
    let part = "attachment \"x.zip\" > \"x.7z\" > \"y.tar.gz\" > \"y.tar\" > \"b.eml\" > \"c.txt\"";
    assert!(extraction.texts.iter().any(|t| t.part == part) || has_problem(&extraction, ProblemKind::TooDeep, "depth"));
    let extraction = read_mail(mail_with("x.7z", &seven_zip("y.tar.gz", &packed, COPY)));
    let part = "attachment \"x.7z\" > \"y.tar.gz\" > \"y.tar\" > \"b.eml\" > \"c.txt\"";
    assert!(extraction.texts.iter().any(|t| t.part == part && t.text.as_bytes() == RECORD), "{extraction:?}");
}

#[test]
fn what_is_cut_off_is_told() {
    for (name, octets, _) in containers() {
        // The end of a RAR needs no block, and that of a TAR may be shorter.
        let whole = octets.len() - if matches!(name, "x.rar") { 7 } else { 0 };
        // Less than a header of a TAR is no TAR yet.
        let (first, whole) = if name == "x.tar" { (512, 1024 + 512) } else { (8, whole) };
        for length in (first..whole).step_by(1 + whole / 60) {
            assert!(!read(name, octets[..length].to_vec()).problems.is_empty(), "{name} cut at {length} of {whole}");
        }
    }
}

#[test]
fn encrypted_members_are_told() {
    assert_eq!(problems(&read("x.7z", seven_zip("a.txt", RECORD, &[0x24, 6, 0xF1, 7, 1, 1, 0]))), ["encrypted 7z"]);
    assert_eq!(problems(&read("x.rar", rar("a.txt", RECORD, 4))), ["encrypted rar"]);
}

/// AES-256 and SHA-256 of 7-Zip, as a coder of a 7z.
const AES: &[u8] = &[0x24, 6, 0xF1, 7, 1, 1, 0];

#[test]
fn what_is_beside_an_encrypted_member_is_read() {
    let names: Vec<u8> = [0].into_iter().chain("a\0b.txt\0".encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let size = number(RECORD.len());
    let sizes = [&size[..], &size].concat();
    let sums = crc(RECORD).to_le_bytes().repeat(2);
    let header = [
        &[1, 4, 6, 0, 2, 9][..],
        &sizes,
        &[0, 7, 0x0B, 2, 0, 1],
        AES,
        &[1],
        COPY,
        &[0x0C],
        &sizes,
        &[0, 8, 0x0A, 1],
        &sums,
        &[0, 0, 5, 2, 0x11],
        &number(names.len()),
        &names,
        &[0, 0],
    ]
    .concat();
    let extraction = read("x.7z", seven_zip_of(&RECORD.repeat(2), &header));
    assert_eq!(problems(&extraction), ["encrypted 7z"]);
    assert!(extraction.problems.iter().any(|p| p.part.ends_with("> \"a\"")) && holds(&extraction, "111222333"), "{extraction:?}");
}

#[test]
fn archives_that_hide_their_names_are_told() {
    let size = number(RECORD.len());
    let header = [&[0x17, 6, 0, 1, 9][..], &size, &[0, 7, 0x0B, 1, 0, 1], AES, &[0x0C], &size, &[0, 0]].concat();
    assert_eq!(problems(&read("x.7z", seven_zip_of(RECORD, &header))), ["encrypted 7z"]);
    // RAR 4: a flag of the main header. RAR 5: a header of its own, with version, flags, rounds and salt.
    let main = [&[0x73, 0x80, 0, 13, 0][..], &[0; 6]].concat();
    let four = [b"Rar!\x1A\x07\0", &(crc(&main) as u16).to_le_bytes()[..], &main, &[0x5A; 64]].concat();
    let encryption = [&[21, 4, 0, 0, 0, 15][..], &[7; 16]].concat();
    let five = [b"Rar!\x1A\x07\x01\0", &crc(&encryption).to_le_bytes()[..], &encryption, &[0x5A; 64]].concat();
    for octets in [four, five] {
        assert_eq!(problems(&read("x.rar", octets)), ["encrypted rar"]);
    }
}

#[test]
fn bombs_and_dictionaries_end_at_their_limits() {
    let zeros = || std::io::repeat(0).take(4 << 20);
    for (name, octets) in [("x.gz", gzip(zeros())), ("x.bz2", bzip2(zeros())), ("x.xz", xz(zeros()))] {
        let extraction = read(name, octets);
        assert!(has_problem(&extraction, ProblemKind::TooLarge, "ratio"), "{name}: {:?}", problems(&extraction));
    }
    let greedy = seven_zip("a.txt", RECORD, &[0x23, 3, 1, 1, 5, 0x5D, 0xFF, 0xFF, 0xFF, 0xFF]);
    assert_eq!(problems(&read("x.7z", greedy)), ["too-large memory"]);
    let mut nested = RECORD.to_vec();
    for _ in 0..20 {
        nested = gzip(&nested[..]);
    }
    assert!(has_problem(&read("x.gz", nested), ProblemKind::TooDeep, "depth"));
    let mut huge = tar(&[("a.txt", RECORD)]);
    huge[124..136].copy_from_slice(b"77777777777\0");
    let sum: u32 = huge[..512].iter().enumerate().map(|(i, o)| if (148..156).contains(&i) { 32 } else { u32::from(*o) }).sum();
    huge[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let extraction = read("x.tar", huge);
    assert!(has_problem(&extraction, ProblemKind::Damaged, "tar") && holds(&extraction, "111222333"), "{:?}", problems(&extraction));
}

#[test]
fn streams_in_a_row_are_one_file() {
    let packers: [(&str, Pack); 4] = [("x.gz", |o| gzip(o)), ("x.bz2", |o| bzip2(o)), ("x.xz", |o| xz(o)), ("x.zst", |o| zstd(o))];
    for (name, pack) in packers {
        let both = [pack(b"BSN 111"), pack(b"222333")].concat();
        let extraction = read(name, both.clone());
        assert!(holds(&extraction, "BSN 111222333") && extraction.problems.is_empty(), "{name}: {extraction:?}");
        let extraction = read(name, [&both[..], b"rommel"].concat());
        assert!(holds(&extraction, "BSN 111222333") && !extraction.problems.is_empty(), "{name}");
    }
}
