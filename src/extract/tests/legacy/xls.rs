//! Workbooks.

use super::{compound, cut_everywhere, flip_everywhere, has_problem, holds, place_of, problems, read, read_within, wide};
use crate::extract::{
    Limits, ProblemKind, Span,
    tests::formats::workbook97::{
        Record, UNICODE, at, begin, label, labelled, number, octets, shared, styles, text, workbook, workbook_with, xls,
    },
};
use proptest::prelude::*;

#[test]
fn cells_give_all_forms_of_a_number() {
    let multiple =
        [at(15, 3, 0), (1_234_567u32 << 2 | 2).to_le_bytes().to_vec(), vec![0, 0], (50u32 << 2 | 3).to_le_bytes().to_vec(), vec![4, 0]];
    let rows = vec![
        label(0, 0, "Naam"),
        label(0, 2, "BSN"),
        number(13, 0, 1, 12_345_672.0),
        number(13, 2, 0, 111_222_333.0),
        number(14, 0, 2, 44_927.0),
        (0x027E, [at(14, 1, 3).as_slice(), &(44_927u32 << 2 | 2).to_le_bytes()].concat()),
        (0x00BD, multiple.concat()),
    ];
    let extraction = read("x.xls", xls(&styles(), &[("Cliënten", rows)]));
    assert_eq!(problems(&extraction), Vec::<String>::new());
    let sheet = extraction.texts.iter().find(|t| t.text.starts_with("Naam\tBSN")).unwrap();
    let date = "44927\u{1F}01-01-2023\u{1F}2023-01-01 00:00:00";
    assert_eq!(
        sheet.text,
        format!("Naam\tBSN\n12345672\u{1F}012345672\u{1F}012345672\t111222333\n{date}\t{date}\n1234567\u{1F}001234567\t0.5")
    );
    assert_eq!(sheet.place(sheet.text.find("111222333").unwrap()).as_deref(), Some("sheet 1, C14"));
    let padded = sheet.spans.iter().filter(|(_, s)| *s == Span::Padded).map(|(r, _)| &sheet.text[r.clone()]);
    assert_eq!(padded.collect::<Vec<_>>(), ["012345672", "001234567"]);
    assert!(holds(&extraction, "Cliënten"));
}

#[test]
fn shared_strings_are_read_wherever_their_records_are_cut() {
    let strings = ["Naam", "IBAN NL91ABNA0417164300", "Zoë \u{1F600} Ærø", "", "verwijderd 12"];
    for most in 12..80 {
        let cells = vec![labelled(0, 0, 0), labelled(0, 1, 1), labelled(1, 0, 2)];
        let extraction = read("x.xls", xls(&shared(&strings, most), &[("Blad", cells)]));
        assert_eq!(problems(&extraction), Vec::<String>::new(), "{most}");
        assert!(holds(&extraction, "Naam\tIBAN NL91ABNA0417164300\nZoë \u{1F600} Ærø"), "{most}");
        assert_eq!(place_of(&extraction, "verwijderd").1.as_deref(), Some("strings without a cell"));
    }
}

#[test]
fn formulas_give_results_and_literals() {
    let formula = |result: [u8; 8], tokens: &[u8]| {
        let length = (tokens.len() as u16).to_le_bytes();
        (0x0006, [at(4, 1, 0).as_slice(), &result, &[0; 6], &length, tokens].concat())
    };
    let literal = [&[0x44, 0, 0, 0, 0, 0x17, 9, 0], b"111222333".as_slice(), &[0x08]].concat();
    let rows = vec![
        formula([0, 0, 0, 0, 0, 0, 0xFF, 0xFF], &literal),
        (0x0207, text("uitkomst 5")),
        formula(123_456_782f64.to_le_bytes(), &[]),
        formula([1, 0, 1, 0, 0, 0, 0xFF, 0xFF], &[]),
        formula([2, 0, 0x07, 0, 0, 0, 0xFF, 0xFF], &[]),
    ];
    let extraction = read("x.xls", xls(&[], &[("Blad", rows)]));
    assert_eq!(place_of(&extraction, "uitkomst 5").1.as_deref(), Some("sheet 1, B5"));
    assert!(holds(&extraction, "123456782\tTRUE\t#DIV/0!"));
    assert_eq!(place_of(&extraction, "111222333").1.as_deref(), Some("attributes of sheet 1"));
}

#[test]
fn what_stands_beside_the_cells_is_read() {
    let shape = |number: u16| (0x005D, [[0x15, 0, 0x12, 0], [0x19, 0, number as u8, 0], [0; 4]].concat());
    let words = |count: u16| (0x01B6, [[0; 10].as_slice(), &count.to_le_bytes(), &[0; 6]].concat());
    let go_on = |content: &str| (0x003C, [&[1], wide(content).as_slice()].concat());
    let link = (0x01B8, [[0; 32].as_slice(), &wide("mailto:jan@voorbeeld.example"), &[0, 0]].concat());
    let choices = "ja\0misschien 8";
    let choice = [&[0x17, choices.len() as u8, 0], choices.as_bytes()].concat();
    let texts = [text("invoer 6"), text("x"), text("x"), text("x")].concat();
    let validation = [&[0; 4], texts.as_slice(), &[choice.len() as u8, 0, 0, 0], &choice, &[0; 4]];
    let records = vec![
        (0x0014, text("&Lkop 1")),
        (0x0015, text("voet 2")),
        label(0, 0, "cel"),
        shape(3),
        words(11),
        go_on("opmerking 3"),
        (0x003C, vec![0; 16]),
        shape(4),
        words(9),
        go_on("vorm 4 ok"),
        (0x001C, [at(6, 2, 0).as_slice(), &[3, 0], &text("René")].concat()),
        link,
        (0x01BE, validation.concat()),
    ];
    let name = [&[0, 0, 0, 4, 0, 0], [0; 8].as_slice(), b"\0Naam"].concat();
    let extraction = read("x.xls", xls(&[(0x0018, name)], &[("Een", vec![]), ("Twee", records)]));
    assert_eq!(problems(&extraction), Vec::<String>::new());
    for (content, place) in [
        ("kop 1", "header of sheet 2"),
        ("voet 2", "header of sheet 2"),
        ("opmerking 3", "sheet 2, C7"),
        ("vorm 4", "text box of sheet 2"),
        ("jan@voorbeeld.example", "attributes of sheet 2"),
        ("invoer 6", "attributes of sheet 2"),
        ("misschien 8", "attributes of sheet 2"),
        ("Naam", "names"),
        ("Twee", "names"),
    ] {
        assert_eq!(place_of(&extraction, content).1.as_deref(), Some(place), "{content}");
    }
}

#[test]
fn workbooks_before_excel_97_are_read_code_page() {
    let old = |row: u16, content: &[u8]| (0x0204, [at(row, 0, 0).as_slice(), &(content.len() as u16).to_le_bytes(), content].concat());
    let records = [
        begin(0x0500, 5),
        (0x0042, 1251u16.to_le_bytes().to_vec()),
        (0x000A, Vec::new()),
        begin(0x0500, 0x10),
        old(0, b"\xCF\xF0\xE8\xE2\xE5\xF2 1"),
        (0x001C, [at(0, 0, 3).as_slice(), b"nu!"].concat()),
        (0x000A, Vec::new()),
    ];
    let extraction = read("x.xls", compound(&[("Book", &octets(&records))]));
    assert_eq!(problems(&extraction), Vec::<String>::new());
    assert_eq!(place_of(&extraction, "Привет 1").1.as_deref(), Some("sheet 1, A1"));
    assert!(holds(&extraction, "nu!"));
    let bare = [(0x0009, vec![2, 0, 0x10, 0]), (0x0004, [&at(8, 1, 0), [0, 9].as_slice(), b"111222333"].concat()), (0x000A, Vec::new())];
    assert_eq!(place_of(&read("oud.xls", octets(&bare)), "111222333").1.as_deref(), Some("sheet 1, B9"));
}

#[test]
fn an_encrypted_workbook_is_told() {
    let octets = xls(&[(0x002F, vec![1, 0])], &[("Blad", vec![label(0, 0, "onleesbaar")])]);
    let extraction = read("x.xls", octets);
    assert_eq!(problems(&extraction), ["encrypted xls"]);
    assert!(!holds(&extraction, "onleesbaar"));
}

#[test]
fn the_far_corners_of_a_sheet_are_two_cells() {
    let corners = vec![number(0, 0, 0, 1.0), number(65_535, 255, 0, 111_222_333.0)];
    let extraction = read("x.xls", xls(&[], &[("Blad", corners)]));
    let text = extraction.texts.iter().find(|t| t.text == "1\n111222333").unwrap();
    assert_eq!(text.place(2).as_deref(), Some("sheet 1, IV65536"));
}

#[test]
fn shared_strings_that_lie_about_their_number_cost_nothing() {
    let mut records = shared(&["een", "twee"], 80);
    records[0].1[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
    let extraction = read("x.xls", xls(&records, &[("Blad", vec![labelled(0, 0, 1), labelled(0, 1, 7), label(0, 2, "verder")])]));
    assert!(holds(&extraction, "twee\tverder"));
    assert!(has_problem(&extraction, ProblemKind::Damaged, "xls"));
}

/// One long string in many cells is a bomb.
#[test]
fn a_string_in_all_cells_ends_at_the_limit() {
    let long = "x".repeat(3000);
    let limits = Limits { text: 100_000, ..Limits::default() };
    let cells: Vec<Record> = (0..10_000).map(|row| labelled(row, 0, 0)).collect();
    let octets = xls(&shared(&[&long], 8000), &[("Een", cells.clone()), ("Twee", cells)]);
    let extraction = read_within("x.xls", octets, &limits);
    assert!(has_problem(&extraction, ProblemKind::TooLarge, "cells"));
    // The name of the file was read before.
    assert!(extraction.text_octets() <= limits.text + "x.xls".len());
}

#[test]
fn millions_of_records_end_at_the_limit() {
    let limits = Limits { cells: 1000, ..Limits::default() };
    let cells: Vec<Record> = (0..5000).map(|row| number(row, 0, 0, 1.0)).collect();
    assert!(has_problem(&read_within("x.xls", xls(&[], &[("Blad", cells)]), &limits), ProblemKind::TooLarge, "cells"));
    // Substreams in substreams, a million deep; and as many that nobody listed.
    let deep: Vec<u8> = octets(&[begin(UNICODE, 0x20)]).repeat(500_000);
    assert!(!read("x.xls", compound(&[("Workbook", &deep)])).problems.is_empty());
    let flat: Vec<u8> = octets(&[begin(UNICODE, 0x10), (0x000A, Vec::new())]).repeat(300_000);
    read("x.xls", compound(&[("Workbook", &flat)]));
}

#[test]
fn a_list_that_leads_nowhere_is_told_and_its_sheets_are_read() {
    let mut stream = workbook(&[("Een", vec![label(0, 0, "eerste")]), ("Twee", vec![label(0, 0, "tweede")])]);
    let at = stream.windows(2).position(|w| w == [0x85, 0]).unwrap() + 4;
    stream[at..at + 4].copy_from_slice(&[0xFF; 4]);
    let extraction = read("x.xls", compound(&[("Workbook", &stream)]));
    assert!(has_problem(&extraction, ProblemKind::Damaged, "xls"));
    assert!(holds(&extraction, "tweede"));
}

#[test]
fn a_workbook_cut_or_changed_is_never_silent_and_never_panics() {
    let rows: Vec<Record> = (0..200).map(|row| number(row, 1, row % 4, f64::from(row) * 1e5)).collect();
    cut_everywhere("x.xls", &xls(&styles(), &[("Blad", rows)]));
    let stream =
        workbook_with(&[styles(), shared(&["een", "twee drie"], 20)].concat(), &[("B", vec![labelled(0, 0, 1), label(1, 0, "x")])]);
    flip_everywhere("x.xls", &stream);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// Records of every kind that is read, with anything in them.
    #[test]
    fn any_records_come_out_as_something(records: Vec<(prop::sample::Index, Vec<u8>)>, old: bool) {
        const KINDS: [u16; 36] = [
            0x0809, 0x000A, 0x003C, 0x0042, 0x0022, 0x041E, 0x00E0, 0x0085, 0x00FC, 0x0018, 0x01AE, 0x00FD, 0x0204, 0x00D6, 0x027E, 0x00BD,
            0x0203, 0x0205, 0x0006, 0x0207, 0x0014, 0x089C, 0x001C, 0x005D, 0x01B6, 0x01B8, 0x01BE, 0x005A, 0x100D, 0x00CD, 0x04BC, 0x0221,
            0x0002, 0x0003, 0x0004, 0x0007,
        ];
        let mut stream = octets(&[begin(if old { 0x0500 } else { UNICODE }, 5)]);
        let records: Vec<Record> = records.into_iter().map(|(kind, data)| (*kind.get(&KINDS), data)).collect();
        stream.extend(octets(&records));
        read("x.xls", stream);
    }
}

#[test]
fn a_workbook_whose_start_was_overwritten_is_told() {
    let file = compound(&[("Workbook", &[0; 600]), ("CONTENTS", b"wat ernaast staat")]);
    let extraction = read("x.xls", file);
    assert!(holds(&extraction, "wat ernaast staat"));
    assert_eq!(problems(&extraction), ["damaged xls"]);
}
