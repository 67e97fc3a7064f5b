//! What a file is, where more than one thing is right: archives in front of others, cut to their marks, or read by nobody.

use super::{
    ProblemKind,
    archives::{RECORD, bzip2, gzip, rar, tar, xz, zstd},
    formats::pdf::pdf,
    has_problem, holds, problems, read, zip,
};

fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut octets = b"!<arch>\n".to_vec();
    for (name, content) in members {
        octets.extend(format!("{name:<16}0           0     0     100644  {:<10}`\n", content.len()).into_bytes());
        octets.extend(*content);
        octets.extend(vec![b'\n'; content.len() % 2]);
    }
    octets
}

/// As SVR4 writes it, or POSIX.
fn cpio(members: &[(&str, &[u8])], magic: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    for (name, content) in members.iter().chain(&[("TRAILER!!!", b"".as_slice())]) {
        let (mode, size, name_size) = (0o100_644, content.len(), name.len() + 1);
        let padding = if magic == "070707" { 1 } else { 4 };
        let sum: u32 = content.iter().map(|o| u32::from(*o)).sum();
        octets.extend(
            match magic {
                "070707" => format!("070707{:06o}{:06o}{mode:06o}{:035o}{name_size:06o}{size:011o}", 1, 1, 0),
                _ => format!(
                    "{magic}{:08X}{mode:08X}{:032X}{size:08X}{:032X}{name_size:08X}{:08X}",
                    1,
                    0,
                    0,
                    if magic == "070702" { sum } else { 0 }
                ),
            }
            .into_bytes(),
        );
        for part in [format!("{name}\0").as_bytes(), content] {
            octets.extend(part);
            octets.resize(octets.len().next_multiple_of(padding), 0);
        }
    }
    octets
}

#[test]
fn ar_and_cpio_are_read() {
    let files = [
        ("x.ar", ar(&[("a.txt/", RECORD), ("b.txt", b"onschuldig")]), "a.txt"),
        ("x.ar", ar(&[("//", b"een lange naam.txt/\nanders.txt/\n"), ("/20", RECORD)]), "anders.txt"),
        ("x.ar", ar(&[("#1/8", &[b"lang.txt", RECORD].concat())]), "lang.txt"),
        (
            "x.deb",
            ar(&[("debian-binary", b"2.0\n"), ("data.tar.gz", &gzip(&tar(&[("a.txt", RECORD)])[..]))]),
            "data.tar.gz\" > \"data.tar\" > \"a.txt",
        ),
        ("x.cpio", cpio(&[("map/a.txt", RECORD), ("b", b"xyz")], "070701"), "map/a.txt"),
        ("x.cpio", cpio(&[("a.txt", RECORD)], "070702"), "a.txt"),
        ("x.cpio", cpio(&[("a.txt", RECORD), ("b", b"xyz")], "070707"), "a.txt"),
    ];
    for (name, octets, inner) in files {
        let extraction = read(name, octets.clone());
        assert_eq!(problems(&extraction), Vec::<String>::new(), "{inner}: {extraction:?}");
        let part = format!("attachment \"{name}\" > \"{inner}\"");
        assert!(extraction.texts.iter().any(|t| t.part == part && t.text.as_bytes() == RECORD), "{extraction:?}");
        // Between two members nothing tells that there were more in an `ar`.
        for length in (1..octets.len()).filter(|_| name == "x.cpio") {
            assert!(!read(name, octets[..length].to_vec()).problems.is_empty(), "{name} cut at {length} of {}", octets.len());
        }
    }
    let octets = ar(&[("a.txt", RECORD)]);
    for length in (9..octets.len()).filter(|l| *l != octets.len() - RECORD.len() % 2) {
        assert!(!read("x.ar", octets[..length].to_vec()).problems.is_empty(), "cut at {length}");
    }
    let mut wrong = cpio(&[("a.txt", RECORD)], "070702");
    let at = memchr::memmem::find(&wrong, b"BSN").unwrap();
    wrong[at] = b'b';
    assert_eq!(problems(&read("x.cpio", wrong)), ["damaged cpio"]);
}

#[test]
fn an_archive_that_holds_another_type_at_either_end_is_read_as_itself() {
    let pdf = pdf(&["BT /F1 10 Tf 50 700 Td (in een pdf) Tj ET"]);
    let zip = zip(&[("a.txt", b"in een zip")]);
    let members: [(&str, &[u8]); 4] = [("a.pdf", &pdf), ("vooraan.txt", RECORD), ("b.txt", b"tussenin"), ("z.zip", &zip)];
    let files = [("x.tar", tar(&members)), ("x.ar", ar(&members)), ("x.cpio", cpio(&members, "070701"))];
    for (name, octets) in files {
        let extraction = read(name, octets);
        for text in ["in een pdf", "111222333", "tussenin", "in een zip"] {
            assert!(holds(&extraction, text), "{text} in {name}: {extraction:?}");
        }
    }
    let tar = tar(&members);
    let extraction = read("x.tar", tar);
    assert_eq!(extraction.texts.iter().filter(|t| t.text.contains("in een zip")).count(), 1, "and its members once");
    assert_eq!(problems(&extraction), Vec::<String>::new());
    let rar = rar("z.zip", &zip, 0);
    assert!(read("x.rar", rar).texts.iter().any(|t| t.part == "attachment \"x.rar\" > \"z.zip\" > \"a.txt\""));
}

#[test]
fn what_stands_in_front_of_a_zip_or_a_pdf_is_not_passed_over() {
    let zip = zip(&[("a.txt", b"in een zip")]);
    let pdf = pdf(&["BT /F1 10 Tf 50 700 Td (in een pdf) Tj ET"]);
    for (rest, text) in [(&zip, "in een zip"), (&pdf, "in een pdf")] {
        let extraction = read("x.txt", [RECORD, rest].concat());
        assert!(holds(&extraction, "BSN: 111222333") && holds(&extraction, text), "{extraction:?}");
        let program = [&[0x4D, 0x5A, 0x90, 0, 3, 0, 0, 0, 0xFF, 0xFE, 1, 2, 3][..], rest].concat();
        let extraction = read("x.exe", program);
        assert!(holds(&extraction, text) && has_problem(&extraction, ProblemKind::Unsupported, "unknown-type"), "{extraction:?}");
        let extraction = read("x.bin", [b"\xEF\xBB\xBF\r\n", &rest[..]].concat());
        assert!(holds(&extraction, text) && !has_problem(&extraction, ProblemKind::Unsupported, "unknown-type"), "{extraction:?}");
    }
    let picture = [b"GIF89a\x01\0\x01\0\0\0\0;", &zip[..]].concat();
    assert!(holds(&read("x.gif", picture), "in een zip"));
}

#[test]
fn a_file_that_was_cut_to_its_mark_is_no_text() {
    let files = [
        ("x.gz", gzip(RECORD)),
        ("x.bz2", bzip2(RECORD)),
        ("x.xz", xz(RECORD)),
        ("x.zst", zstd(RECORD)),
        ("x.zip", zip(&[("a.txt", RECORD)])),
        ("x.rar", rar("a.txt", RECORD, 0)),
        ("x.7z", b"7z\xBC\xAF\x27\x1C\0\x04".to_vec()),
        ("x.tar", tar(&[("map/a.txt", RECORD)])),
    ];
    for (name, octets) in &files {
        for length in 1..octets.len().min(600) - 8 {
            assert!(!read(name, octets[..length].to_vec()).problems.is_empty(), "{name} cut at {length}");
            // Without its name, once there is more than a text would have.
            if length >= 3 && *name != "x.tar" {
                assert!(!read("x", octets[..length].to_vec()).problems.is_empty(), "{name} without a name, cut at {length}");
            }
        }
    }
    for text in ["B", "PK", "7z", "BZ", "Ra"] {
        assert_eq!(problems(&read("x.txt", text.as_bytes())), Vec::<String>::new(), "{text}");
    }
}

/// `mark` at `at` of an otherwise empty file of `length` octets.
fn marked(at: usize, mark: &[u8], length: usize) -> Vec<u8> {
    let mut octets = vec![0; length];
    octets[at..at + mark.len()].copy_from_slice(mark);
    octets
}

#[test]
fn archives_and_images_that_nobody_reads_are_told() {
    let lzh = b"\x20\0-lh5-\0\0\0\0\0\0\0\0\0\0\0\0\x20\x01\x05a.txt";
    let files: [(&str, Vec<u8>, &str); 22] = [
        ("cab", marked(0, b"MSCF", 100), "archive"),
        ("lzh", lzh.to_vec(), "archive"),
        ("arj", marked(0, b"\x60\xEA\x2B\0\x22\x0B\x01", 100), "archive"),
        ("ace", marked(7, b"**ACE**", 100), "archive"),
        ("rpm", marked(0, b"\xED\xAB\xEE\xDB\x03", 100), "archive"),
        ("wim", marked(0, b"MSWIM", 300), "archive"),
        ("xar", marked(0, b"xar!", 100), "archive"),
        ("z", b"\x1F\x9D\x90bcd".to_vec(), "archive"),
        ("lz4", b"\x04\x22\x4D\x18\x64\x40\xA7".to_vec(), "archive"),
        ("lzma", [&b"\x5D\0\0\x80\0"[..], &[0xFF; 8], b"abc"].concat(), "archive"),
        ("lz", b"LZIP\x01\x0Cabcdefgh".to_vec(), "archive"),
        ("iso", marked(0x8001, b"CD001", 0x9000), "disk-image"),
        ("udf", marked(0x8001, b"BEA01", 0x9000), "disk-image"),
        ("vhd", marked(0, b"conectix", 1024), "disk-image"),
        ("vhd", marked(512, b"conectix", 1024), "disk-image"),
        ("vhdx", marked(0, b"vhdxfile", 100), "disk-image"),
        ("vmdk", marked(0, b"KDMV\x01", 512), "disk-image"),
        ("qcow2", marked(0, b"QFI\xFB\0\0\0\x03", 100), "disk-image"),
        ("vdi", marked(0x40, b"\x7F\x10\xDA\xBE", 512), "disk-image"),
        ("dmg", marked(512, b"koly\0\0\0\x04", 1024), "disk-image"),
        ("pst", marked(0, b"!BDN", 564), "mailbox"),
        ("dbx", marked(0, b"\xCF\xAD\x12\xFE", 100), "mailbox"),
    ];
    for (extension, octets, reason) in files {
        // Its name doesn't matter.
        for name in [format!("x.{extension}"), "x.txt".into()] {
            let extraction = read(&name, octets.clone());
            assert_eq!(problems(&extraction), [format!("unsupported {reason}")], "{name} {extension}");
        }
        // A ZIP that lies in one is read, and doesn't speak for the rest.
        let extraction = read("x.bin", [octets, zip(&[("a.txt", RECORD)])].concat());
        assert!(holds(&extraction, "111222333") && !extraction.problems.is_empty(), "{extension}: {extraction:?}");
    }
}
