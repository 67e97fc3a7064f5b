//! Containers of files. Where a checksum or a table would stop every change of an octet, it is made here around the octets given.

#[allow(dead_code, reason = "the tests of the formats use all of it")]
#[path = "../../formats/compound.rs"]
mod compound;

use super::documents::{crc32, read};
use compound::compound;

/// Local headers of a ZIP without any directory, behind a first member.
pub fn locals(octets: &[u8]) {
    let first = b"PK\x03\x04\x14\0\0\0\0\0\0\0\x21\0\x83\x16\xDC\x8C\x01\0\0\0\x01\0\0\0\x01\0\0\0ax";
    read("a.zip", "application/zip", [first, octets].concat());
}

/// Members of an `ar` archive.
pub fn ar(octets: &[u8]) {
    read("a.deb", "", [b"!<arch>\n", octets].concat());
}

/// Members of a `cpio` archive: an octet for the form, the mode and lengths as they are to be stated, and what stands behind the header.
pub fn cpio(octets: &[u8]) {
    let (mut rest, mut archive) = (octets, Vec::new());
    while let Some(([form, numbers @ ..], behind)) = rest.split_first_chunk::<9>() {
        rest = behind;
        let [mode, name, size, sum] = std::array::from_fn(|i| u16::from_le_bytes([numbers[2 * i], numbers[2 * i + 1]]));
        archive.extend(match form % 3 {
            0 => format!("070707{0:012o}{mode:06o}{0:035o}{name:06o}{size:011o}", 0).into_bytes(),
            newer => format!("07070{newer}{0:08x}{mode:08x}{0:032x}{size:08x}{0:032x}{name:08x}{sum:08x}", 0).into_bytes(),
        });
        archive.extend_from_slice(piece(&mut rest));
    }
    read("a.cpio", "", archive);
}

/// Blocks of a RAR archive: an octet for the generation, and then the header of each block, which gets its length and checksum, and its data.
pub fn rar(octets: &[u8]) {
    let Some((generation, mut rest)) = octets.split_first() else { return };
    let is_newest = generation & 1 == 1;
    let mut archive = if is_newest { b"Rar!\x1A\x07\x01\0".to_vec() } else { b"Rar!\x1A\x07\0".to_vec() };
    while !rest.is_empty() {
        let (header, data) = (piece(&mut rest), piece(&mut rest));
        let length = header.len() as u8;
        if is_newest {
            let header = [if length < 0x80 { vec![length] } else { vec![length, 1] }, header.to_vec()].concat();
            archive.extend(crc32(&header).to_le_bytes());
            archive.extend(header);
        } else if let Some((start, header)) = header.split_first_chunk::<3>() {
            let header = [start.as_slice(), &(7 + header.len() as u16).to_le_bytes(), header].concat();
            archive.extend((crc32(&header) as u16).to_le_bytes());
            archive.extend(header);
        }
        archive.extend_from_slice(data);
    }
    read("a.rar", "", archive);
}

/// Records of a metafile; the first octet says of which kind.
pub fn metafile(octets: &[u8]) {
    let Some((kind, records)) = octets.split_first() else { return };
    let header = if kind & 1 == 1 {
        b"\x01\0\x09\0\0\x03\0\0\0\0\0\0\0\0\0\0\0\0".to_vec()
    } else {
        [[1, 0, 0, 0, 88, 0, 0, 0].as_slice(), &[0; 32], b" EMF", &[0; 44]].concat()
    };
    read("a.emf", "", [&header, records].concat());
}

/// Streams of a compound file, each behind two octets of length; the first octet says of which document.
pub fn streams(octets: &[u8]) {
    const DOCUMENTS: [[&str; 4]; 5] = [
        ["WordDocument", "1Table", "Data", "ObjectPool/_1/\u{1}Ole10Native"],
        ["PowerPoint Document", "Pictures", "Current User", "\u{5}SummaryInformation"],
        [
            "__properties_version1.0",
            "__substg1.0_10090102",
            "__nameid_version1.0/__substg1.0_00030102",
            "__attach_version1.0_#00000000/__substg1.0_37010102",
        ],
        ["VBA/dir", "VBA/Module1", "VBA/_VBA_PROJECT", "PROJECT"],
        ["Workbook", "\u{5}DocumentSummaryInformation", "Form/f", "Form/o"],
    ];
    let Some((kind, mut rest)) = octets.split_first() else { return };
    let document = DOCUMENTS[usize::from(*kind) % DOCUMENTS.len()];
    let mut streams = Vec::new();
    for name in document {
        let stream = long_piece(&mut rest);
        streams.push((name, if name == "VBA/dir" { unpacked(stream) } else { stream.to_vec() }));
    }
    let streams: Vec<(&str, &[u8])> = streams.iter().map(|(name, stream)| (*name, stream.as_slice())).collect();
    read("a.doc", "application/msword", compound(&streams));
}

/// A container (MS-OVBA 2.4.1) of octets that stand for themselves.
fn unpacked(octets: &[u8]) -> Vec<u8> {
    const MOST: usize = 3640;
    let tokens: Vec<u8> = octets[..octets.len().min(MOST)].chunks(8).flat_map(|eight| [&[0], eight].concat()).collect();
    [&[1][..], &(0xB000 | (tokens.len() as u16).saturating_sub(1)).to_le_bytes(), &tokens].concat()
}

/// What stands behind an octet that says how long it is.
fn piece<'o>(rest: &mut &'o [u8]) -> &'o [u8] {
    let Some((length, behind)) = rest.split_first() else { return &[] };
    let (piece, behind) = behind.split_at(behind.len().min((*length).into()));
    *rest = behind;
    piece
}

fn long_piece<'o>(rest: &mut &'o [u8]) -> &'o [u8] {
    let Some((length, behind)) = rest.split_first_chunk::<2>() else { return &[] };
    let (piece, behind) = behind.split_at(behind.len().min(u16::from_le_bytes(*length).into()));
    *rest = behind;
    piece
}
