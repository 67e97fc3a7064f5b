//! The container: properties, objects, and every way in which it can be broken.

use super::{
    SECTOR, code_page, compound, cut_everywhere, has_problem, holds, place_of, problems, property_set, property_stream, property_string,
    read,
};
use crate::extract::{
    ProblemKind, Source,
    tests::{
        formats::workbook97::{label, workbook},
        xlsx,
    },
};
use proptest::prelude::*;

const SUMMARY: [u8; 4] = [0xE0, 0x85, 0x9F, 0xF2];
const DOCUMENT: [u8; 4] = [0x02, 0xD5, 0xCD, 0xD5];
const CUSTOM: [u8; 4] = [0x05, 0xD5, 0xCD, 0xD5];

fn small() -> Vec<u8> {
    workbook(&[("Blad", vec![label(0, 0, "BSN"), label(1, 0, "111222333")])])
}

#[test]
fn properties_and_labels_are_read() {
    let name = "MSIP_Label_0_Name";
    let mut dictionary = 1u32.to_le_bytes().to_vec();
    dictionary.extend(2u32.to_le_bytes());
    dictionary.extend((name.len() as u32 + 1).to_le_bytes());
    dictionary.extend(name.as_bytes());
    dictionary.extend([0; 3]);
    let summary = property_set(&[code_page(), (2, property_string(b"Dossier Jansen")), (4, property_string(b"Ren\xE9"))]);
    let document = property_set(&[code_page(), (15, property_string(b"Gemeente"))]);
    let custom = property_set(&[code_page(), (0, dictionary), (2, property_string(b"Vertrouwelijk"))]);
    let octets = compound(&[
        ("Workbook", &small()),
        ("\u{5}SummaryInformation", &property_stream(&[(SUMMARY, summary)])),
        ("\u{5}DocumentSummaryInformation", &property_stream(&[(DOCUMENT, document), (CUSTOM, custom)])),
    ]);
    let extraction = read("x.xls", octets);
    assert_eq!(problems(&extraction), Vec::<String>::new());
    let told: Vec<_> = extraction.texts.iter().filter(|t| t.source == Source::Properties).map(|t| t.text.as_str()).collect();
    assert_eq!(told, ["title: Dossier Jansen\ncreator: René\n", "Company: Gemeente\nMSIP_Label_0_Name: Vertrouwelijk\n"]);
}

#[test]
fn objects_are_members() {
    let inner = xlsx("<row r='1'><c r='A1'><v>111222333</v></c></row>", &[], &[]);
    let mut native = vec![0; 4];
    native.extend([2, 0]);
    native.extend(b"brief.txt\0C:\\brief.txt\0\0\0\x03\0");
    native.extend([4, 0, 0, 0, b'C', b':', b'\\', 0, 10, 0, 0, 0]);
    native.extend(b"verpakt 12");
    let octets = compound(&[
        ("Workbook", &small()),
        ("MBD1/Package", &inner),
        ("MBD2/\u{1}Ole10Native", &native),
        ("ObjectPool/_3/Workbook", &workbook(&[("Binnen", vec![label(2, 1, "genest 444")])])),
    ]);
    let extraction = read("x.xls", octets);
    assert_eq!(place_of(&extraction, "verpakt 12").0, "attachment \"x.xls\" > \"MBD2\" > \"brief.txt\"");
    assert_eq!(place_of(&extraction, "genest 444"), ("attachment \"x.xls\" > \"_3\"".to_owned(), Some("sheet 1, B3".to_owned())));
    let sheet = extraction.texts.iter().find(|t| t.text == "111222333").unwrap();
    assert_eq!(sheet.part, "attachment \"x.xls\" > \"MBD1\" > \"Package\"");
    assert_eq!(problems(&extraction), Vec::<String>::new());
}

#[test]
fn what_is_encrypted_or_unknown_is_told() {
    assert_eq!(problems(&read("x.docx", compound(&[("EncryptedPackage", b"?")]))), ["encrypted office"]);
    assert_eq!(problems(&read("x.vsd", compound(&[("VisioDocument", b"?")]))), ["unsupported unknown-type"]);
    assert_eq!(problems(&read("x.doc", compound(&[]))), ["damaged compound"]);
    let octets = compound(&[("Workbook", &small()), ("MBD1/Onbekend", b"?")]);
    assert_eq!(problems(&read("x.xls", octets)), ["unsupported unknown-type"]);
}

#[test]
fn large_and_small_streams_and_many_sectors_are_read() {
    for rows in [1, 300, 120_000] {
        let cells = (0..rows).map(|row| label(row as u16, (row >> 16) as u16, "0123456789012345678901234567890123456789012345")).collect();
        let octets = compound(&[("Workbook", &workbook(&[("Blad", cells)]))]);
        let extraction = read("x.xls", octets);
        assert_eq!(problems(&extraction), Vec::<String>::new(), "{rows} rows");
        assert!(holds(&extraction, "0123456789012345678901234567890123456789012345"));
    }
}

#[test]
fn a_file_cut_anywhere_is_damaged() {
    let cells = (0..60).map(|row| label(row, 0, "nog een regel tekst in een cel van dit blad")).collect();
    let large = workbook(&[("Blad", cells)]);
    cut_everywhere("x.xls", &compound(&[("Workbook", &large), ("Onbekend", &[7; 5000]), ("MBD1/Package", b"klein")]));
}

#[test]
fn a_table_that_claims_more_than_there_is_harms_nothing() {
    let mut octets = compound(&[("Workbook", &small())]);
    let fat = u32::from_le_bytes(octets[76..80].try_into().unwrap()) as usize;
    for free in octets[(fat + 1) * SECTOR..(fat + 2) * SECTOR].chunks_exact_mut(4).filter(|f| **f == [0xFF; 4]) {
        free.copy_from_slice(&[0xFE, 0xFF, 0xFF, 0xFF]);
    }
    octets[44] = 200;
    let extraction = read("x.xls", octets);
    assert!(holds(&extraction, "111222333"));
    assert_eq!(problems(&extraction), Vec::<String>::new());
}

#[test]
fn chains_and_trees_in_circles_end() {
    let large: Vec<u8> = workbook(&[("Blad", (0..200).map(|row| label(row, 0, "regel van het blad")).collect())]);
    let octets = compound(&[("Workbook", &large), ("MBD1/Package", b"klein"), ("MBD2/Package", b"klein")]);
    let directory = u32::from_le_bytes(octets[48..52].try_into().unwrap()) as usize;
    let fat = u32::from_le_bytes(octets[76..80].try_into().unwrap()) as usize;
    // Every sector leads to itself, to the one before, to the first.
    for target in [|n: u32| n, |n: u32| n.saturating_sub(1), |_| 0] {
        let mut circle = octets.clone();
        for (n, next) in (0u32..).zip(circle[(fat + 1) * SECTOR..(fat + 2) * SECTOR].chunks_exact_mut(4)) {
            next.copy_from_slice(&target(n).to_le_bytes());
        }
        assert!(!read("x.xls", circle).problems.is_empty());
    }
    // Every entry is its own sibling and child, or those of another.
    for target in 0..6u32 {
        let mut circle = octets.clone();
        for entry in circle[(directory + 1) * SECTOR..(directory + 2) * SECTOR].chunks_exact_mut(128) {
            for link in [68, 72, 76] {
                entry[link..link + 4].copy_from_slice(&target.to_le_bytes());
            }
        }
        assert!(has_problem(&read("x.xls", circle), ProblemKind::Damaged, "compound"), "{target}");
    }
}

#[test]
fn storages_in_storages_end_at_the_limit() {
    let path = "MBD/".repeat(400) + "Package";
    let extraction = read("x.xls", compound(&[("Workbook", &small()), (&path, b"diep")]));
    assert!(has_problem(&extraction, ProblemKind::TooDeep, "depth"));
}

/// All streams claim the same sectors, and all of the file.
#[test]
fn streams_that_share_their_sectors_cost_no_more_than_the_file() {
    let names: Vec<String> = (0..2000).map(|n| format!("MBD{n}/CONTENTS")).collect();
    let mut streams: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), b"x".as_slice())).collect();
    let large = vec![b'a'; 1 << 20];
    streams.push(("Groot", &large));
    let mut octets = compound(&streams);
    let start = octets.windows(10).position(|w| w == b"G\0r\0o\0o\0t\0").unwrap() + 116;
    let place: Vec<u8> = octets[start..start + 8].to_vec();
    let contents: Vec<u8> = "CONTENTS".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let entries: Vec<usize> = memchr::memmem::find_iter(&octets, &contents).collect();
    assert_eq!(entries.len(), 2000);
    for entry in entries {
        octets[entry + 116..entry + 124].copy_from_slice(&place);
    }
    let extraction = read("x.xls", octets);
    assert!(has_problem(&extraction, ProblemKind::Damaged, "compound"));
    assert!(extraction.text_octets() < 8 << 20);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_octets_behind_a_header_come_out_as_something(octets: Vec<u8>, sector in 0u8..16) {
        let mut file = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
        file.extend([0; 22]);
        file.extend([sector, 0]);
        file.extend(octets);
        file.resize(file.len().max(600), 3);
        prop_assert!(!read("x.doc", file).problems.is_empty());
    }
}

#[test]
fn a_file_of_which_nothing_is_left_is_damaged() {
    assert_eq!(problems(&read("x.xls", compound(&[]))), ["damaged compound"]);
    assert_eq!(problems(&read("x.doc", compound(&[("\u{5}SummaryInformation", b"")]))), ["damaged compound"]);
}
