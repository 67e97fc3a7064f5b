//! ZIPs as no packer of today writes them: made octet by octet (APPNOTE 4.3).

use super::{
    ProblemKind,
    archives::{RECORD, bzip2, crc, xz, zstd},
    has_problem, holds, problems, read, zip,
};
use std::io::{Read, Write};

/// A member, as its headers tell of it.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) name: Vec<u8>,
    method: u16,
    flags: u16,
    pub(super) packed: Vec<u8>,
    /// As told, which may be a lie.
    pub(super) packed_size: u32,
    crc: u32,
    pub(super) size: u32,
    extra: Vec<u8>,
}

fn packed_by(method: u16, name: &str, octets: &[u8]) -> Entry {
    let (crc, size, packed) = (crc(octets), octets.len() as u32, pack(method, octets));
    Entry { name: name.into(), method, flags: 0x0800, packed_size: packed.len() as u32, packed, crc, size, extra: Vec::new() }
}

pub(super) fn stored(name: &str, octets: &[u8]) -> Entry {
    packed_by(0, name, octets)
}

fn pack(method: u16, octets: &[u8]) -> Vec<u8> {
    match method {
        0 => octets.to_vec(),
        // Deflate64 is the same for what holds no match over 258 octets and nothing farther than 32 KiB.
        8 | 9 => {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(octets).unwrap();
            encoder.finish().unwrap()
        }
        12 => bzip2(octets),
        14 => {
            let options = lzma_rust2::LzmaOptions::with_preset(1);
            let mut writer = lzma_rust2::LzmaWriter::new_no_header(Vec::new(), &options, false).unwrap();
            writer.write_all(octets).unwrap();
            // Version, length of the properties, and these (5.8.8).
            [&[9, 20, 5, 0, writer.props()][..], &options.dict_size.to_le_bytes(), &writer.finish().unwrap()].concat()
        }
        93 => zstd(octets),
        95 => xz(octets),
        98 => {
            let mut writer = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
            let options = ::zip::write::SimpleFileOptions::default().compression_method(::zip::CompressionMethod::Ppmd);
            writer.start_file("x", options).unwrap();
            writer.write_all(octets).unwrap();
            let mut archive = ::zip::ZipArchive::new(writer.finish().unwrap()).unwrap();
            let mut packed = Vec::new();
            archive.by_index_raw(0).unwrap().read_to_end(&mut packed).unwrap();
            packed
        }
        _ => vec![0; 10],
    }
}

impl Entry {
    /// What both headers hold, from the flags to the lengths.
    fn common(&self) -> Vec<u8> {
        let words = [self.flags, self.method, 0, 0x21].map(u16::to_le_bytes).concat();
        let sizes = [self.crc, self.packed_size, self.size].map(u32::to_le_bytes).concat();
        let lengths = [self.name.len() as u16, self.extra.len() as u16].map(u16::to_le_bytes).concat();
        [words, sizes, lengths].concat()
    }

    pub(super) fn local(&self) -> Vec<u8> {
        [b"PK\x03\x04\x14\0", &self.common()[..], &self.name, &self.extra, &self.packed].concat()
    }

    pub(super) fn central(&self, at: usize) -> Vec<u8> {
        let comment = [0; 10];
        [b"PK\x01\x02\x14\0\x14\0", &self.common()[..], &comment, &(at as u32).to_le_bytes(), &self.name, &self.extra].concat()
    }
}

pub(super) fn end(count: usize, at: usize, size: usize) -> Vec<u8> {
    let count = (count as u16).to_le_bytes();
    [b"PK\x05\x06\0\0\0\0", &count[..], &count, &(size as u32).to_le_bytes(), &(at as u32).to_le_bytes(), &[0, 0]].concat()
}

/// An archive whose directory lists those that are told.
pub(super) fn archive(entries: &[(Entry, bool)]) -> Vec<u8> {
    let (mut octets, mut directory, mut count) = (Vec::new(), Vec::new(), 0);
    for (entry, is_listed) in entries {
        if *is_listed {
            directory.extend(entry.central(octets.len()));
            count += 1;
        }
        octets.extend(entry.local());
    }
    let at = octets.len();
    [octets, directory.clone(), end(count, at, directory.len())].concat()
}

fn is_damaged(octets: Vec<u8>) -> super::Extraction {
    let extraction = read("x.zip", octets);
    assert!(has_problem(&extraction, ProblemKind::Damaged, "zip"), "{extraction:?}");
    extraction
}

#[test]
fn every_method_is_read_and_its_checksum_looked_at() {
    for method in [0, 8, 9, 12, 14, 93, 95, 98] {
        let entry = packed_by(method, "a.txt", RECORD);
        let octets = archive(&[(entry.clone(), true)]);
        let extraction = read("x.zip", octets);
        assert_eq!(problems(&extraction), Vec::<String>::new(), "{method}");
        assert!(extraction.texts.iter().any(|t| t.text.as_bytes() == RECORD), "{method}: {extraction:?}");
        is_damaged(archive(&[(Entry { crc: 1, ..entry.clone() }, true)]));
        let cut = Entry { packed: entry.packed[..entry.packed.len() * 2 / 3].to_vec(), packed_size: entry.packed_size * 2 / 3, ..entry };
        assert!(!read("x.zip", archive(&[(cut, true)])).problems.is_empty(), "{method} cut");
    }
}

#[test]
fn an_unknown_method_and_a_password_cost_their_members_only() {
    let entries = |entry: Entry| archive(&[(entry, true), (stored("b.txt", RECORD), true)]);
    for (entry, problem) in [
        (packed_by(97, "a.txt", RECORD), "unsupported compression"),
        (Entry { flags: 0x0801, ..stored("a.txt", RECORD) }, "encrypted zip"),
        (Entry { flags: 0x0801, method: 99, ..stored("a.txt", RECORD) }, "encrypted zip"),
        (Entry { flags: 0x0801, method: 93, ..stored("a.txt", RECORD) }, "encrypted zip"),
    ] {
        let extraction = read("x.zip", entries(entry));
        assert_eq!(problems(&extraction), [problem]);
        assert!(holds(&extraction, "111222333"), "{extraction:?}");
    }
}

#[test]
fn members_that_the_directory_does_not_list_are_read() {
    let extraction = is_damaged(archive(&[(stored("a.txt", b"gezien"), true), (packed_by(8, "b.txt", RECORD), false)]));
    assert!(holds(&extraction, "gezien") && holds(&extraction, "111222333"), "{extraction:?}");
    for method in [8, 12, 93, 95] {
        let extraction = is_damaged(archive(&[(packed_by(method, "b.txt", RECORD), false), (stored("a.txt", b"gezien"), true)]));
        assert!(holds(&extraction, "gezien") && holds(&extraction, "111222333"), "{method}: {extraction:?}");
    }
    // Written as a stream: sizes and checksum stand behind the data.
    for method in [0, 8] {
        let entry = packed_by(method, "b.txt", RECORD);
        let packed = entry.packed.clone();
        let local = Entry { flags: 0x0808, packed: Vec::new(), packed_size: 0, crc: 0, size: 0, ..entry.clone() }.local();
        let numbers = [entry.crc, packed.len() as u32, entry.size].map(u32::to_le_bytes).concat();
        let streamed = [&local[..], &packed, b"PK\x07\x08", &numbers].concat();
        let extraction = is_damaged([&streamed[..], &zip(&[("a.txt", b"gezien")])].concat());
        assert!(holds(&extraction, "gezien"), "{method}: {extraction:?}");
        assert!(extraction.texts.iter().any(|t| t.text.as_bytes() == RECORD), "{method}: {extraction:?}");
    }
}

#[test]
fn what_a_directory_lists_otherwise_is_read_both_ways() {
    let entry = packed_by(8, "a.txt", RECORD);
    let lie =
        Entry { method: 0, packed: entry.packed[..4].to_vec(), packed_size: 4, size: 4, crc: crc(&entry.packed[..4]), ..entry.clone() };
    let directory = lie.central(0);
    let local = entry.local();
    let octets = [&local[..], &directory, &end(1, local.len(), directory.len())].concat();
    assert!(holds(&is_damaged(octets), "111222333"));
    // One name twice: a program takes the first, another the last.
    let extraction = is_damaged(archive(&[(stored("a.txt", RECORD), true), (stored("a.txt", b"onschuldig"), true)]));
    assert!(holds(&extraction, "111222333") && holds(&extraction, "onschuldig"), "{extraction:?}");
}

#[test]
fn two_archives_in_a_row_are_both_read() {
    let both = [zip(&[("a.txt", RECORD)]), zip(&[("b.txt", b"onschuldig")])].concat();
    let extraction = is_damaged(both);
    assert!(holds(&extraction, "111222333") && holds(&extraction, "onschuldig"), "{extraction:?}");
    // Two directories of one member: a second end record, however it came there.
    let octets = archive(&[(stored("a.txt", RECORD), true)]);
    let record = octets[octets.len() - 22..].to_vec();
    assert!(holds(&is_damaged([octets, record].concat()), "111222333"));
}

#[test]
fn names_are_read_in_each_of_their_codings() {
    let named = |name: &[u8], flags: u16, extra: &[u8]| Entry { name: name.into(), flags, extra: extra.into(), ..stored("", b"x") };
    let unicode = |name: &[u8], of: &[u8]| {
        let body = [&[1][..], &crc(of).to_le_bytes(), name].concat();
        [&[0x75, 0x70][..], &(body.len() as u16).to_le_bytes(), &body].concat()
    };
    let latin = b"cli\xEBnt 111222333.txt";
    for (entry, name) in [
        (named(b"cli\x89nt 111222333.txt", 0, b""), "cliënt 111222333.txt"),
        (named("cliënt 111222333.txt".as_bytes(), 0x0800, b""), "cliënt 111222333.txt"),
        (named(latin, 0, &unicode("cliënt 111222333.txt".as_bytes(), latin)), "cliënt 111222333.txt"),
    ] {
        let extraction = read("x.zip", archive(&[(entry, true)]));
        assert_eq!(problems(&extraction), Vec::<String>::new(), "{name}");
        assert!(extraction.texts.iter().any(|t| t.source == crate::extract::Source::FileName && t.text == name), "{extraction:?}");
    }
    let stale = named(b"client.txt", 0, &unicode(b"anders.txt", b"vroeger.txt"));
    assert!(holds(&read("x.zip", archive(&[(stale, true)])), "client.txt"), "that of a renamed file is not believed (4.6.9)");
    let extraction = is_damaged(archive(&[(Entry { name: b"a.txt\0.exe".to_vec(), ..stored("", RECORD) }, true)]));
    assert!(holds(&extraction, "111222333"));
}

#[test]
fn comments_are_read() {
    let octets = archive(&[(stored("a.txt", b"x"), true)]);
    let comment = b"BSN 111222333";
    let octets = [&octets[..octets.len() - 2], &(comment.len() as u16).to_le_bytes(), comment].concat();
    let extraction = read("x.zip", octets);
    assert!(holds(&extraction, "BSN 111222333") && extraction.problems.is_empty(), "{extraction:?}");
}

#[test]
fn without_a_directory_members_are_found_by_their_own_headers() {
    let members = [stored("a.txt", b"vooraan"), packed_by(8, "b.txt", RECORD), stored("c.txt", b"achteraan")];
    let octets: Vec<u8> = members.iter().flat_map(Entry::local).collect();
    let extraction = is_damaged(octets.clone());
    assert!(["vooraan", "111222333", "achteraan"].iter().all(|text| holds(&extraction, text)), "{extraction:?}");
    // One broken header doesn't hide what stands behind it.
    let mut broken = octets;
    let second = memchr::memmem::find(&broken[4..], b"PK\x03\x04").unwrap() + 4;
    broken[second + 8] = 77;
    let extraction = is_damaged(broken);
    assert!(["vooraan", "achteraan"].iter().all(|text| holds(&extraction, text)), "{extraction:?}");
}
