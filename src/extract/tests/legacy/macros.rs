//! Macros: their sources are read, and what can't be read is told.

use super::{compound, holds, place_of, problems, read};

/// A container of octets that stand for themselves (MS-OVBA 2.4.1).
fn container(octets: &[u8]) -> Vec<u8> {
    let tokens: Vec<u8> = octets.chunks(8).flat_map(|eight| [&[0], eight].concat()).collect();
    [&[1][..], &(0xB000 | (tokens.len() as u16 - 1)).to_le_bytes(), &tokens].concat()
}

/// A record of the list of modules.
fn record(kind: u16, data: &[u8]) -> Vec<u8> {
    [&kind.to_le_bytes()[..], &(data.len() as u32).to_le_bytes(), data].concat()
}

/// A project of one module, whose source begins behind seven octets.
fn project(module: &[u8]) -> Vec<u8> {
    let version = b"\x09\0\x04\0\0\0\x01\0\0\0\x02\0";
    let list = [
        &record(3, &1252u16.to_le_bytes())[..],
        version,
        &record(0x1A, b"Module1"),
        &record(0x31, &7u32.to_le_bytes()),
        &record(0x10, &[]),
    ];
    let module = [b"cached.", module].concat();
    compound(&[
        ("VBA/dir", &container(&list.concat())),
        ("VBA/_VBA_PROJECT", b"\xCC\x61\xFF\xFF\0\0\0"),
        ("VBA/Module1", &module),
        ("PROJECT", b"ID=\"{0}\"\r\nModule=Module1\r\n"),
    ])
}

#[test]
fn a_document_with_macros_is_readable() {
    let extraction = read("vbaProject.bin", project(&container(b"Attribute VB_Name = \"Module1\"\r\n' BSN: 111222333\r\n")));
    assert_eq!(problems(&extraction), Vec::<String>::new());
    assert_eq!(place_of(&extraction, "BSN: 111222333").1.as_deref(), Some("macro \"Module1\""));
}

#[test]
fn sources_are_unpacked_as_the_specification_has_it() {
    // MS-OVBA 3.2.2.
    let packed = [
        0x01, 0x2F, 0xB0, 0x00, 0x23, 0x61, 0x61, 0x61, 0x62, 0x63, 0x64, 0x65, 0x82, 0x66, 0x00, 0x70, 0x61, 0x67, 0x68, 0x69, 0x6A, 0x01,
        0x38, 0x08, 0x61, 0x6B, 0x6C, 0x00, 0x30, 0x6D, 0x6E, 0x6F, 0x70, 0x06, 0x71, 0x02, 0x70, 0x04, 0x10, 0x72, 0x73, 0x74, 0x75, 0x76,
        0x10, 0x77, 0x78, 0x79, 0x7A, 0x00, 0x3C,
    ];
    assert!(holds(&read("vbaProject.bin", project(&packed)), "#aaabcdefaaaaghijaaaaaklaaamnopqaaaaaaaaaaaarstuvwxyzaaa"));
}

#[test]
fn a_source_that_cannot_be_unpacked_is_told() {
    for broken in [&b"\x02\0\xB0x"[..], b"\x01\x05\xB0\0abc", b"\x01\x02\xB0\x01\xFF\xFF", b""] {
        assert_eq!(problems(&read("vbaProject.bin", project(broken))), ["damaged macros"], "{broken:?}");
    }
}

#[test]
fn the_texts_of_a_form_are_read() {
    let form = compound(&[
        ("Form1/f", b"\0\x04\x20\0BSN: 111222333\0\0"),
        ("Form1/o", b"\0\x02\x14\0k\0n\0o\0p\0\0\0"),
        ("Form1/\u{3}VBFrame", b"Begin {C62A69F0}"),
    ]);
    let extraction = read("x.bin", form);
    assert!(holds(&extraction, "BSN: 111222333\nknop") && problems(&extraction).is_empty(), "{extraction:?}");
}
