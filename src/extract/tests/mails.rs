//! Mails and their parts.

use super::{ProblemKind, has_problem, holds, mail_with, problems, read, read_mail, texts, zip};
use crate::{extract::Source, message::Message};
use bytes::Bytes;

#[test]
fn a_mail_is_read_in_its_order() {
    let extraction = read_mail(
        "Subject: =?utf-8?q?d=C3=A9_zaak?=\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\
         Content-Transfer-Encoding: quoted-printable\r\n\r\nBSN 111=\r\n222333 caf=E9\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>BSN <b>111</b>222333\r\n--b--\r\n",
    );
    let told: Vec<_> = texts(&extraction).into_iter().map(|(p, t)| format!("{p}: {}", t.trim())).collect();
    assert_eq!(told, ["subject: dé zaak", "text: BSN 111222333 café", "html: BSN 111222333"]);
    assert_eq!(extraction.headers[0], ("Subject".to_owned(), "dé zaak".to_owned()));
    assert_eq!(problems(&extraction), Vec::<String>::new());
}

#[test]
fn texts_of_opened_parts_stand_where_the_part_stood() {
    let archive = zip(&[("a.txt", b"in de zip")]);
    let mail = String::from_utf8(mail_with("x.zip", &archive)).unwrap();
    let mail = mail.replace("\r\n--x--", "\r\n--x\r\nContent-Type: text/plain\r\n\r\nslot\r\n--x--");
    let extraction = read_mail(mail);
    let told: Vec<_> = texts(&extraction).into_iter().map(|(p, t)| format!("{p}: {}", t.trim())).collect();
    assert_eq!(told, ["subject: Dossier", "text: Zie de bijlage.", "attachment \"x.zip\" > \"a.txt\": in de zip", "text (2): slot"]);
    let names: Vec<_> = extraction.texts.iter().filter(|t| t.source == Source::FileName).map(|t| t.text.as_str()).collect();
    assert_eq!(names, ["x.zip", "a.txt"]);
}

#[test]
fn nested_mails_are_opened_however_they_are_packed() {
    let inner = mail_with("geheim.txt", b"BSN 111222333");
    let outer = mail_with("bericht.eml", &inner);
    assert!(holds(&read_mail(outer), "BSN 111222333"));
    let encoded = String::from_utf8(mail_with("b.eml", &inner)).unwrap().replace("application/octet-stream", "message/rfc822");
    assert!(holds(&read_mail(encoded), "BSN 111222333"));
    let plain = format!(
        "Subject: x\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\nContent-Type: message/rfc822\r\n\r\n{}\r\n--o--\r\n",
        String::from_utf8(inner).unwrap()
    );
    let extraction = read_mail(plain);
    assert!(
        extraction.texts.iter().any(|t| t.part == "attachment \"message.eml\" > \"geheim.txt\"" && t.text == "BSN 111222333"),
        "{extraction:?}"
    );
    assert_eq!(problems(&extraction), Vec::<String>::new());
}

#[test]
fn an_endless_header_of_a_nested_mail_is_a_problem_and_read_as_text() {
    let fields = format!("From: a@b.example\r\nTo: c@d.example\r\n{}X-Dossier: BSN 111222333\r\n\r\nx\r\n", "a:b\r\n".repeat(6000));
    let extraction = read_mail(format!("Subject: x\r\nContent-Type: message/rfc822\r\n\r\n{fields}"));
    assert!(has_problem(&extraction, ProblemKind::TooLarge, "header"), "{:?}", problems(&extraction));
    assert!(holds(&extraction, "BSN 111222333"));
}

#[test]
fn a_text_is_read_whatever_its_first_letters_make_of_it() {
    for start in ["GIF89a\u{1}\u{1}\u{1}\u{1}", "GIF87a, ", "%PDF-1.4 "] {
        for media_type in ["text/plain", "text/html", "text/plain; charset=utf-8"] {
            let extraction = read_mail(format!("Content-Type: {media_type}\r\n\r\n{start}BSN 111222333\r\n"));
            assert!(holds(&extraction, "BSN 111222333"), "{start} {media_type}: {extraction:?}");
        }
    }
    for name in ["a.txt", "a.html", "a.csv"] {
        assert!(holds(&read_mail(mail_with(name, b"GIF89a\x01\x01\x01\x01BSN 111222333")), "BSN 111222333"), "{name}");
    }
}

#[test]
fn mails_in_mails_end_at_the_limit() {
    let mut mail = b"Subject: kern\r\n\r\nBSN 111222333\r\n".to_vec();
    for _ in 0..12 {
        mail = mail_with("bericht.eml", &mail);
    }
    let extraction = read_mail(mail);
    assert!(has_problem(&extraction, ProblemKind::TooDeep, "depth"), "{:?}", problems(&extraction));
}

#[test]
fn multiparts_without_end_are_a_problem() {
    let mut mail = String::from("Subject: x\r\n");
    for i in 0..2000 {
        mail.push_str(&format!("Content-Type: multipart/mixed; boundary=b{i}\r\n\r\n--b{i}\r\n"));
    }
    mail.push_str("\r\nBSN 111222333\r\n");
    let extraction = read_mail(mail);
    assert!(has_problem(&extraction, ProblemKind::TooDeep, "mime"), "{:?}", problems(&extraction));
    assert!(holds(&extraction, "BSN 111222333"));
}

#[test]
fn what_parsers_read_differently_is_read_as_it_stands_too() {
    let cut = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nBSN 111222333\r\n";
    let extraction = read_mail(cut);
    assert!(has_problem(&extraction, ProblemKind::Damaged, "mime"));
    let twice =
        "Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\nBSN 111222333\r\n--b\r\n\r\nniets\r\n--b--\r\n";
    let extraction = read_mail(twice);
    assert!(has_problem(&extraction, ProblemKind::Damaged, "mime"));
    assert!(holds(&extraction, "BSN 111222333"));
    let unknown = "Content-Type: text/plain\r\nContent-Transfer-Encoding: x-geheim\r\n\r\nBSN 111222333\r\n";
    assert!(has_problem(&read_mail(unknown), ProblemKind::Damaged, "mime"));
    assert!(has_problem(&read_mail("geen kop, geen lege regel"), ProblemKind::Damaged, "mime"));
}

#[test]
fn text_around_the_parts_is_read() {
    let mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\nvooraf 111222333\r\n--b\r\n\r\nhoofd\r\n--b--\r\nachteraf 100000009\r\n";
    let extraction = read_mail(mail);
    assert!(holds(&extraction, "vooraf 111222333") && holds(&extraction, "achteraf 100000009"), "{extraction:?}");
}

#[test]
fn what_carries_no_text_is_no_problem_and_the_rest_is() {
    let check = |name: &str, octets: &[u8], expected: &[&str]| assert_eq!(problems(&read(name, octets.to_vec())), expected, "{name}");
    let png = |w: u32, h: u32| [&b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR"[..], &w.to_be_bytes(), &h.to_be_bytes()].concat();
    check("logo.png", &png(299, 3000), &[]);
    check("scan.png", &png(500, 500), &["unsupported image"]);
    check("x.gif", b"GIF89a\x01\0\x01\0", &[]);
    check("x.jpg", b"\xFF\xD8\xFF\xE0\0\x04ab\xFF\xC0\0\x11\x08\x02\0\x02\0\x03", &["unsupported image"]);
    check("x.jpg", b"\xFF\xD8\xFF\xE0\0", &["damaged image"]);
    check("x.bin", b"\x01\x02\x03\x04\x00\x00\x05", &["unsupported unknown-type"]);
    check("leeg.pdf", b"", &[]);
    // What a cut has left of a packed file is no text.
    check("x.txt.gz", b"\x1F", &["damaged gzip"]);
    check("oud.doc", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1....", &["damaged compound"]);
    check("x.asc", b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n", &["encrypted pgp"]);
}

#[test]
fn a_picture_with_a_rider_is_read_as_both() {
    let picture = [&b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10"[..], &zip(&[("a.txt", b"BSN 111222333")])].concat();
    assert!(holds(&read("logo.png", picture), "BSN 111222333"));
}

#[test]
fn names_are_shown_on_one_line() {
    let extraction = read("a\"b\r\nc.txt", "x");
    assert_eq!(extraction.texts[0].part, "attachment \"a\\\"b\\r\\nc.txt\"");
}

#[test]
fn a_nested_mail_is_taken_from_its_content_too() {
    let message = Message::new(Bytes::from(mail_with("x.txt", b"y")));
    assert!(crate::message::looks_like_mail(message.octets()));
    assert!(holds(&read("zonder-naam", mail_with("x.txt", b"BSN 111222333")), "BSN 111222333"));
}

#[test]
fn polyglots_are_read_as_each_thing_that_they_are() {
    let archive = zip(&[("a.txt", b"BSN 111222333")]);
    let html = [b"<!DOCTYPE html><p>IBAN 1<b>2</b>3<!-- ", &archive[..], b" -->"].concat();
    let extraction = read("pagina.html", html);
    assert!(holds(&extraction, "BSN 111222333") && holds(&extraction, "IBAN 123"), "{extraction:?}");
    let png = b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\x10\0\0\0\x10\0";
    let extraction = read("foto.png", [&png[..], &archive].concat());
    assert!(holds(&extraction, "BSN 111222333") && has_problem(&extraction, ProblemKind::Unsupported, "image"), "{extraction:?}");
    let pdf = super::formats::pdf::pdf(&["BT /F1 10 Tf 50 700 Td (IBAN 123) Tj ET"]);
    for octets in [[&pdf[..], &archive].concat(), [&b"GIF89a\x01\0\x01\0"[..], &[9; 3000], &pdf].concat()] {
        let extraction = read("x.pdf", octets.clone());
        assert!(holds(&extraction, "IBAN 123"), "{extraction:?}");
        assert_eq!(holds(&extraction, "BSN 111222333"), !octets.starts_with(b"GIF"), "{extraction:?}");
    }
    // An archive of archives is no polyglot, but read as one nothing is lost.
    let mut tar = tar::Builder::new(Vec::new());
    for (name, octets) in [("los.txt", &b"IBAN 123"[..]), ("b.zip", &archive)] {
        let mut header = tar::Header::new_ustar();
        header.set_size(octets.len() as u64);
        tar.append_data(&mut header, name, octets).unwrap();
    }
    let extraction = read("x.tar", tar.into_inner().unwrap());
    assert!(holds(&extraction, "IBAN 123") && holds(&extraction, "BSN 111222333"), "{extraction:?}");
    let rar = [b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10", &b"Rar!\x1A\x07\0...."[..]].concat();
    assert!(!read("logo.png", rar).problems.is_empty());
}

#[test]
fn a_body_that_ran_into_the_header_is_read() {
    let mail = "From: a@b.example\r\nSubject: x\r\nde cli\u{eb}nt heeft\r\n BSN 111222333\r\nen meer\r\n";
    let extraction = read("x.eml", mail);
    assert!(super::holds(&extraction, "heeft\n BSN 111222333\nen meer"), "{extraction:?}");
    // An ordinary header is told once.
    let extraction = read("x.eml", "From x Wed Nov 25\nFrom: a@b.example\nSubject : x\n\ty\n\ntekst");
    assert_eq!(extraction.texts.iter().filter(|text| text.text.contains("a@b.example")).count(), 1, "{extraction:?}");
}
