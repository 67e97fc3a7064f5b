//! S/MIME, signed documents, and what else comes in BER.

use super::{ProblemKind, docx, has_problem, holds, mail_with, problems, read, read_mail, texts, zip};
use crate::extract::Source;
use base64::Engine as _;
use std::io::Write;

const PKCS7: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x07";
const SMIME: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x01";
const ENTITY: &[u8] =
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nBSN 111=\r\n222333\r\n";

/// An element with its length in as few octets as may be.
fn definite(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match length {
        0..0x80 => vec![length as u8],
        0x80..0x10000 => vec![0x82, (length >> 8) as u8, length as u8],
        _ => vec![0x83, (length >> 16) as u8, (length >> 8) as u8, length as u8],
    };
    [&[tag], &head[..], content].concat()
}

/// One that ends at a mark, as programs write that don't know the length yet.
fn indefinite(tag: u8, content: &[u8]) -> Vec<u8> {
    [&[tag, 0x80], content, &[0, 0]].concat()
}

type Element = fn(u8, &[u8]) -> Vec<u8>;

fn identifier(prefix: &[u8], number: u8) -> Vec<u8> {
    definite(6, &[prefix, &[number]].concat())
}

/// A message of a type, with these fields in front of its content, and some behind.
fn message(kind: &[u8], before: &[u8], content: Option<&[u8]>, element: Element) -> Vec<u8> {
    let content = content.map(|octets| element(0xA0, octets)).unwrap_or_default();
    let inner = element(0x30, &[&identifier(PKCS7, 1), &content[..]].concat());
    let signers = definite(0x31, &definite(0x30, &definite(4, b"handtekening")));
    let body = element(0x30, &[&[2, 1, 1], before, &inner, &signers].concat());
    element(0x30, &[kind, &element(0xA0, &body)].concat())
}

fn signed(content: Option<&[u8]>, element: Element) -> Vec<u8> {
    message(&identifier(PKCS7, 2), &[0x31, 0], content, element)
}

/// A string of octets in pieces of seven, the first of which lies deeper still.
fn in_pieces(octets: &[u8]) -> Vec<u8> {
    let mut pieces: Vec<_> = octets.chunks(7).map(|piece| definite(4, piece)).collect();
    pieces[0] = indefinite(0x24, &pieces[0]);
    indefinite(0x24, &pieces.concat())
}

pub(super) fn signed_mail() -> Vec<u8> {
    signed(Some(&in_pieces(&mail_with("a.txt", b"BSN 111222333"))), indefinite)
}

fn smime(octets: &[u8]) -> String {
    let mail = String::from_utf8(mail_with("smime.p7m", octets)).unwrap();
    let (_, part) = mail.split_once("application/octet-stream").unwrap();
    let part = part.trim_end_matches("--x--\r\n").to_owned();
    format!("Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data{part}")
}

#[test]
fn a_signed_mail_is_read_as_the_mail_that_it_is() {
    for packed in [
        signed(Some(&definite(4, ENTITY)), definite),
        signed(Some(&in_pieces(ENTITY)), indefinite),
        signed(Some(&in_pieces(ENTITY)), definite),
    ] {
        let extraction = read_mail(smime(&packed));
        assert_eq!(problems(&extraction), Vec::<String>::new());
        let body = extraction.texts.iter().find(|t| t.text.contains("BSN 111222333")).unwrap();
        assert_eq!((body.part.as_str(), body.source), ("attachment \"smime.p7m\" > text", Source::Body));
    }
}

#[test]
fn what_lies_in_a_signed_mail_is_read_all_levels_down() {
    let mail = mail_with("dossier.zip", &zip(&[("a.txt", b"BSN 111222333")]));
    let twice = signed(Some(&in_pieces(smime(&signed(Some(&definite(4, &mail)), definite)).as_bytes())), indefinite);
    let extraction = read_mail(smime(&twice));
    let expected = "attachment \"smime.p7m\" > \"smime.p7m\" > \"dossier.zip\" > \"a.txt\"";
    assert!(texts(&extraction).contains(&(expected.to_owned(), "BSN 111222333".to_owned())), "{extraction:?}");
    assert_eq!(problems(&extraction), Vec::<String>::new());
    // Beside other parts it is an attachment like any other.
    let extraction = read_mail(mail_with("brief.p7m", &signed(Some(&definite(4, ENTITY)), definite)));
    assert!(extraction.texts.iter().any(|t| t.text.contains("BSN 111222333") && t.source == Source::Attachment));
}

/// Where a document is found that lies where nobody looks in a signature, and where a program for ZIPs finds it.
fn part_of_hidden(document: &[u8]) -> String {
    let octets = message(&identifier(PKCS7, 2), &[&[0x31, 0], &definite(0xA0, &definite(4, document))[..]].concat(), None, definite);
    let extraction = read("x.zip", octets);
    extraction.texts.iter().find(|t| t.text.contains("BSN 111222333")).unwrap().part.clone()
}

#[test]
fn a_signed_document_is_read_under_its_own_name() {
    let document = docx("<w:p><w:r><w:t>BSN 111222333</w:t></w:r></w:p>", &[]);
    let extraction = read("brief.docx.p7m", signed(Some(&definite(4, &document)), definite));
    let found = extraction.texts.iter().find(|t| t.text.contains("BSN 111222333")).unwrap();
    assert_eq!(found.part, "attachment \"brief.docx.p7m\" > \"brief.docx\"");
    let armoured = |octets: &[u8]| base64::engine::general_purpose::STANDARD.encode(octets);
    let packed = armoured(&signed(Some(&definite(4, &document)), definite));
    assert!(holds(&read("brief.docx.p7m", packed.clone()), "BSN 111222333"));
    let block = format!("Zie onder.\n-----BEGIN PKCS7-----\n{packed}\n-----END PKCS7-----\n");
    assert!(holds(&read("brief.pem", block.split_once('\n').unwrap().1.to_owned()), "BSN 111222333"));
    let extraction = read_mail(format!("Subject: x\r\n\r\n{}{}", "Hallo.\r\n".repeat(300), block.replace('\n', "\r\n")));
    assert!(holds(&extraction, "BSN 111222333") && extraction.problems.is_empty(), "{extraction:?}");
    assert_eq!(part_of_hidden(&document), "attachment \"x.zip\"");
    // PKCS #7 of old may sign what is no string of octets (RFC 2315, 9.1).
    assert!(holds(&read("x.p7m", signed(Some(&definite(0x30, &definite(0x0C, b"BSN 111222333"))), definite)), "BSN 111222333"));
}

#[test]
fn a_signature_alone_carries_no_text_and_what_is_encrypted_is_told() {
    let check = |octets: Vec<u8>, expected: &[&str]| assert_eq!(problems(&read("smime.p7m", octets)), expected);
    check(signed(None, definite), &[]);
    check(signed(None, indefinite), &[]);
    for kind in [identifier(PKCS7, 3), identifier(PKCS7, 4), identifier(PKCS7, 6), identifier(SMIME, 23)] {
        check(message(&kind, &[0x31, 0], None, definite), &["encrypted smime"]);
        check(message(&kind, &[0x31, 0], Some(&definite(4, ENTITY)), indefinite), &["encrypted smime"]);
    }
    check(message(&identifier(PKCS7, 9), &[], None, definite), &["unsupported unknown-type"]);
    check([signed(None, definite), b"en de rest".to_vec()].concat(), &["damaged smime"]);
}

#[test]
fn packed_content_is_unpacked_within_the_limits() {
    let deflated = |octets: &[u8]| {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(octets).unwrap();
        encoder.finish().unwrap()
    };
    let algorithm = definite(0x30, &definite(6, b"\x2A\x86\x48\x86\xF7\x0D\x01\x09\x10\x03\x08"));
    let packed = |octets: &[u8]| message(&identifier(SMIME, 9), &algorithm, Some(&definite(4, &deflated(octets))), definite);
    assert!(holds(&read_mail(smime(&packed(ENTITY))), "BSN 111222333"));
    let bomb = read("smime.p7m", packed(&vec![b' '; 80 << 20]));
    assert!(has_problem(&bomb, ProblemKind::TooLarge, "ratio"), "{:?}", problems(&bomb));
    let cut = message(&identifier(SMIME, 9), &algorithm, Some(&definite(4, &deflated(ENTITY)[..40])), definite);
    assert!(has_problem(&read("smime.p7m", cut), ProblemKind::Damaged, "smime"));
}

#[test]
fn a_signed_mail_that_is_cut_is_never_silent() {
    let long = [ENTITY, &b"regel met tekst\r\n".repeat(40)].concat();
    for octets in [signed(Some(&definite(4, &long)), definite), signed(Some(&in_pieces(&long)), indefinite)] {
        // Before that there is nothing to tell what it is.
        for end in 20..octets.len() - 1 {
            let extraction = read("smime.p7m", octets[..end].to_vec());
            assert!(!extraction.problems.is_empty(), "at {end}: {extraction:?}");
        }
        assert!(holds(&read("smime.p7m", octets[..octets.len() / 2].to_vec()), "BSN 111222333"));
    }
}

#[test]
fn signatures_around_signatures_end() {
    let mut octets = signed(Some(&definite(4, ENTITY)), definite);
    for _ in 0..12 {
        octets = signed(Some(&definite(4, smime(&octets).as_bytes())), definite);
    }
    let extraction = read_mail(smime(&octets));
    assert!(has_problem(&extraction, ProblemKind::TooDeep, "depth"), "{:?}", problems(&extraction));
    let hollow = [&[0x30, 0x80], &identifier(PKCS7, 2)[..], &[0xA0, 0x80].repeat(2_000_000)].concat();
    assert_eq!(problems(&read("smime.p7m", hollow)), ["damaged smime"]);
    // A piece for every letter.
    let letters = [ENTITY, &b"abc ".repeat(200_000)].concat();
    let pieces: Vec<u8> = letters.iter().flat_map(|letter| [4, 1, *letter]).collect();
    let extraction = read("smime.p7m", signed(Some(&indefinite(0x24, &pieces)), indefinite));
    assert!(holds(&extraction, "BSN 111222333") && extraction.problems.is_empty());
}

#[test]
fn the_names_in_a_certificate_are_read() {
    let name = |tag: u8, value: &[u8]| definite(0x31, &definite(0x30, &[definite(6, &[0x55, 4, 5]), definite(tag, value)].concat()));
    let subject = definite(0x30, &[name(0x13, b"111222333"), name(0x0C, "Zoë Zegel".as_bytes())].concat());
    let others = definite(0x30, &definite(0x81, b"zoe@zegel.example"));
    let extension = definite(0xA3, &definite(0x30, &definite(0x30, &[definite(6, &[0x55, 0x1D, 0x11]), definite(4, &others)].concat())));
    let body = definite(0x30, &[definite(0xA0, &[2, 1, 2]), vec![2, 2, 1, 2], subject, extension].concat());
    let certificate = definite(0x30, &[body, definite(3, &[0; 40])].concat());
    let packed = base64::engine::general_purpose::STANDARD.encode(&certificate);
    let armoured = format!("-----BEGIN CERTIFICATE-----\n{packed}\n-----END CERTIFICATE-----\n").into_bytes();
    for octets in [certificate, armoured] {
        let extraction = read("zoe.cer", octets);
        assert_eq!(problems(&extraction), Vec::<String>::new());
        assert!(holds(&extraction, "111222333\nZoë Zegel\nzoe@zegel.example"), "{extraction:?}");
    }
}
