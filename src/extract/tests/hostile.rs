//! Files made to hurt: each ends in a problem, and within the limits.

use super::{
    ProblemKind, docx,
    formats::pdf::{pdf, pdf_with},
    has_problem, holds, mail_with, problems, read, read_mail, read_within, xlsx, zip,
};
use crate::extract::{Extraction, Limits, attachment, file};
use lopdf::{Object, Stream, dictionary};
use std::io::Write;

fn check(extraction: &Extraction, kind: ProblemKind, reason: &str) {
    assert!(has_problem(extraction, kind, reason), "{reason} in {:?}", problems(extraction));
}

fn deflated(octets: u64) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::copy(&mut std::io::Read::take(std::io::repeat(b' '), octets), &mut encoder).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_zip_bomb_is_not_inflated() {
    let bomb = zip(&[("nullen.txt", &vec![b' '; 80 << 20])]);
    check(&read("x.zip", bomb), ProblemKind::TooLarge, "ratio");
}

#[test]
fn a_member_over_the_limit_is_read_up_to_it() {
    let limits = Limits { member: 1000, ..Limits::default() };
    let text = "woord ".repeat(1000);
    let extraction = read_within("x.zip", zip(&[("a.txt", text.as_bytes()), ("b.txt", b"daarna")]), &limits);
    check(&extraction, ProblemKind::TooLarge, "member");
    assert!(holds(&extraction, "woord woord") && holds(&extraction, "daarna"));
}

#[test]
fn all_members_together_have_a_limit() {
    let limits = Limits { expanded: 3000, ..Limits::default() };
    let text = "abc ".repeat(500);
    let members: Vec<(String, &[u8])> = (0..5).map(|i| (format!("{i}.txt"), text.as_bytes())).collect();
    let members: Vec<(&str, &[u8])> = members.iter().map(|(n, o)| (n.as_str(), *o)).collect();
    check(&read_within("x.zip", zip(&members), &limits), ProblemKind::TooLarge, "expanded");
}

#[test]
fn archives_in_archives_end_at_the_limit() {
    let mut archive = zip(&[("kern.txt", b"x")]);
    for _ in 0..20 {
        archive = zip(&[("x.zip", &archive)]);
    }
    check(&read("x.zip", archive), ProblemKind::TooDeep, "depth");
    // Ten of itself in itself: a million at the sixth level.
    let mut archive = zip(&[("kern.txt", b"x")]);
    for _ in 0..7 {
        let names: Vec<String> = (0..10).map(|i| format!("{i}.zip")).collect();
        let members: Vec<(&str, &[u8])> = names.iter().map(|n| (n.as_str(), archive.as_slice())).collect();
        archive = zip(&members);
    }
    let extraction = read("x.zip", archive);
    check(&extraction, ProblemKind::TooLarge, "members");
}

#[test]
fn entries_that_overlap_or_share_a_name_are_damage() {
    let octets = zip(&[("a.txt", b"aaaa"), ("b.txt", b"bbbb")]);
    let mut overlapping = octets.clone();
    let second = memchr::memmem::rfind(&overlapping, b"PK\x01\x02").unwrap();
    overlapping[second + 42..second + 46].fill(0);
    check(&read("x.zip", overlapping), ProblemKind::Damaged, "zip");
    let mut same = octets;
    for at in memchr::memmem::find_iter(&same.clone(), b"b.txt") {
        same[at] = b'a';
    }
    check(&read("x.zip", same), ProblemKind::Damaged, "zip");
}

#[test]
fn a_directory_that_lies_about_sizes_is_found_out() {
    let mut octets = xlsx("<row r='1'><c r='A1'><v>1</v></c></row>", &["a"], &[("xl/leugen.xml", &vec![b' '; 80 << 20])]);
    let entries: Vec<usize> = memchr::memmem::find_iter(&octets, b"PK\x01\x02").collect();
    for at in entries {
        octets[at + 24..at + 28].copy_from_slice(&10u32.to_le_bytes());
    }
    let extraction = read("x.xlsx", octets);
    assert!(extraction.problems.iter().any(|p| matches!(p.kind, ProblemKind::TooLarge | ProblemKind::Damaged)), "{extraction:?}");
}

#[test]
fn the_far_corners_of_a_sheet_are_two_cells() {
    let rows = "<row r='1'><c r='A1'><v>1</v></c></row><row r='1048576'><c r='XFD1048576'><v>111222333</v></c></row>";
    let extraction = read("x.xlsx", xlsx(rows, &[], &[]));
    let text = extraction.texts.iter().find(|t| t.text == "1\n111222333").unwrap();
    assert_eq!(text.place(2).as_deref(), Some("sheet 1, XFD1048576"));
}

#[test]
fn too_many_cells_end_the_sheet() {
    let limits = Limits { cells: 10, ..Limits::default() };
    let row = "<row><c><v>1</v></c></row>".repeat(100);
    check(&read_within("x.xlsx", xlsx(&row, &[], &[]), &limits), ProblemKind::TooLarge, "cells");
}

#[test]
fn entities_are_not_expanded() {
    let bomb = "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'>]><w:document xmlns:w='w'><w:p><w:r><w:t>&b; tekst</w:t></w:r></w:p></w:document>";
    let octets = zip(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", bomb.as_bytes())]);
    let extraction = read("x.docx", octets);
    check(&extraction, ProblemKind::Damaged, "xml");
    assert!(holds(&extraction, "tekst") && extraction.texts.iter().all(|t| t.text.len() < 1000));
}

#[test]
fn deep_xml_needs_no_stack() {
    let deep = format!("{}<w:p><w:r><w:t>diep</w:t></w:r></w:p>{}", "<w:x>".repeat(300_000), "</w:x>".repeat(300_000));
    // So even a text packs to a thousandth of its size, which else counts as a bomb.
    let limits = Limits { ratio: u64::MAX, ..Limits::default() };
    assert!(holds(&read_within("x.docx", docx(&deep, &[]), &limits), "diep"));
}

#[test]
fn a_bomb_in_a_pdf_is_not_inflated() {
    let octets = pdf_with(&[b"BT /F1 10 Tf 50 700 Td (tekst) Tj ET /Fm Do"], |document, resources| {
        let bomb = Stream::new(dictionary! { "Subtype" => "Form", "Filter" => "FlateDecode" }, deflated(80 << 20));
        let twice = {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(&deflated(80 << 20)).unwrap();
            Stream::new(
                dictionary! { "Subtype" => "Form", "Filter" => vec!["FlateDecode".into(), "FlateDecode".into()] },
                encoder.finish().unwrap(),
            )
        };
        let (bomb, twice) = (document.add_object(bomb), document.add_object(twice));
        resources.set("XObject", dictionary! { "Fm" => bomb, "Fn" => twice });
    });
    let extraction = read("x.pdf", octets);
    check(&extraction, ProblemKind::TooLarge, "page");
    assert!(holds(&extraction, "tekst"));
}

#[test]
fn forms_that_call_each_other_end() {
    let octets = pdf_with(&[b"/F0 Do"], |document, resources| {
        let ids: Vec<_> = (0..30).map(|_| document.new_object_id()).collect();
        for (i, id) in ids.iter().enumerate() {
            let next = ids.get(i + 1).copied().unwrap_or(ids[0]);
            let inner = dictionary! { "XObject" => dictionary! { "N" => next } };
            let form = Stream::new(dictionary! { "Subtype" => "Form", "Resources" => inner }, b"/N Do ".repeat(10));
            document.objects.insert(*id, form.into());
        }
        resources.set("XObject", dictionary! { "F0" => ids[0] });
    });
    check(&read_within("x.pdf", octets, &Limits { operations: 20_000, ..Limits::default() }), ProblemKind::TooLarge, "page");
    let itself = pdf_with(&[b"/F0 Do BT /F1 10 Tf (tekst) Tj ET"], |document, resources| {
        let id = document.new_object_id();
        resources.set("XObject", dictionary! { "F0" => id });
        let form = Stream::new(dictionary! { "Subtype" => "Form", "Resources" => resources.clone() }, b"/F0 Do".to_vec());
        document.objects.insert(id, form.into());
    });
    assert!(holds(&read("x.pdf", itself), "tekst"));
}

#[test]
fn nested_objects_and_circles_in_a_pdf_end() {
    let arrays = "[".repeat(200_000);
    read("x.pdf", format!("%PDF-1.4\n1 0 obj\n{arrays}\nendobj\ntrailer<</Root 1 0 R>>\n%%EOF"));
    read("x.pdf", format!("%PDF-1.4\n1 0 obj\n{}\nendobj\ntrailer<</Root 1 0 R>>\n%%EOF", "<</A ".repeat(200_000)));
    read("x.pdf", pdf(&[&format!("{arrays} BT /F1 10 Tf (x) Tj ET")]));
    let circle = "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Kids[2 0 R]/Parent 2 0 R/Count 1>>\nendobj\n\
                  trailer<</Root 1 0 R/Prev 0>>\nstartxref\n0\n%%EOF";
    check(&read("x.pdf", circle), ProblemKind::Damaged, "pages");
    let length = "%PDF-1.4\n1 0 obj\n<</Length 1 0 R>>\nstream\nx\nendstream\nendobj\ntrailer<</Root 1 0 R>>\n%%EOF";
    assert!(!read("x.pdf", length).problems.is_empty());
}

#[test]
fn broken_data_in_a_pdf_is_told() {
    let octets = pdf_with(&[b"/Fm Do"], |document, resources| {
        let mut data = deflated(100_000);
        let middle = data.len() / 2;
        data.truncate(middle);
        let form = document.add_object(Stream::new(dictionary! { "Subtype" => "Form", "Filter" => "FlateDecode" }, data));
        resources.set("XObject", dictionary! { "Fm" => form });
    });
    check(&read("x.pdf", octets), ProblemKind::Damaged, "pdf");
    let unknown = pdf_with(&[b"/Fm Do"], |document, resources| {
        let form = Stream::new(dictionary! { "Subtype" => "Form", "Filter" => Object::Name(b"Geheim".to_vec()) }, b"x".to_vec());
        let form = document.add_object(form);
        resources.set("XObject", dictionary! { "Fm" => form });
    });
    check(&read("x.pdf", unknown), ProblemKind::Damaged, "pdf");
}

/// A file cut short is never taken for a whole one.
#[test]
fn what_is_cut_off_is_never_silent() {
    let words: Vec<String> = (0..400).map(|i| format!("woord{} ", i * 7919 % 1000)).collect();
    let text = words.concat();
    let paragraphs: String = words.iter().map(|w| format!("<w:p><w:r><w:t>{w}</w:t></w:r></w:p>")).collect();
    let rows: String = (1..200).map(|r| format!("<row r='{r}'><c r='A{r}'><v>{}</v></c></row>", r * 7919)).collect();
    let pages: Vec<String> = words.chunks(40).map(|w| format!("BT /F1 10 Tf 50 700 Td ({}) Tj ET", w.concat())).collect();
    let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
    let archive = zip(&[("a.txt", text.as_bytes()), ("b.txt", text.as_bytes())]);
    let files =
        [("x.docx", docx(&paragraphs, &[])), ("x.xlsx", xlsx(&rows, &["a", "b"], &[])), ("x.pdf", pdf(&pages)), ("x.zip", archive.clone())];
    for (name, octets) in files {
        assert_eq!(problems(&read(name, octets.clone())), Vec::<String>::new(), "{name} whole");
        for percent in 1..100 {
            let cut = octets[..octets.len() * percent / 100].to_vec();
            let extraction = read(name, cut);
            assert!(!extraction.problems.is_empty(), "{name} at {percent} %: {extraction:?}");
        }
    }
    let mail = mail_with("x.zip", &archive);
    let header = memchr::memmem::find(&mail, b"\r\n\r\n").unwrap() + 4;
    assert_eq!(problems(&read_mail(mail.clone())), Vec::<String>::new());
    for percent in 0..100 {
        let cut = mail[..header + (mail.len() - 6 - header) * percent / 100].to_vec();
        assert!(!read_mail(cut).problems.is_empty(), "mail at {percent} %");
    }
}

#[test]
fn flipped_octets_never_panic() {
    let words = "BSN 111222333 ".repeat(40);
    let body = format!("<w:p><w:r><w:t>{words}</w:t></w:r></w:p>");
    let page = format!("BT /F1 10 Tf 50 700 Td ({words}) Tj ET");
    let rows = "<row r='1'><c r='A1' t='s'><v>0</v></c><c r='B1' s='1'><v>12345672</v></c></row>";
    let files = [
        ("x.docx", docx(&body, &[])),
        ("x.xlsx", xlsx(rows, &["a"], &[])),
        ("x.pdf", pdf(&[&page])),
        ("x.eml", mail_with("a.txt", words.as_bytes())),
        ("x.p7m", super::signed::signed_mail()),
        ("x.iwa", super::carried::iwa(words.as_bytes())),
    ];
    for (name, octets) in files {
        let step = (octets.len() / 150).max(1);
        for at in (0..octets.len()).step_by(step) {
            let mut flipped = octets.clone();
            flipped[at] ^= 0x55;
            read(name, flipped);
        }
    }
}

#[test]
fn a_complex_part_is_left_alone_until_it_is_opened() {
    let limits = Limits::default();
    let (shallow, unopened) = attachment("x.zip", zip(&[("a.txt", b"diep")]).into(), &limits);
    assert!(!holds(&shallow, "diep") && unopened.len() == 1);
    assert!(holds(&file(&unopened[0], &limits), "diep"));
    let withheld = unopened[0].withheld(ProblemKind::Timeout, "time");
    assert_eq!(withheld.problems[0].part, "attachment \"x.zip\"");
}

#[test]
fn the_end_of_an_empty_directory_hides_no_members() {
    let mut octets = zip(&[("a.txt", b"BSN 111222333")]);
    octets.extend(b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    let extraction = read("x.zip", octets);
    assert!(holds(&extraction, "BSN 111222333") && !extraction.problems.is_empty(), "{extraction:?}");
}
