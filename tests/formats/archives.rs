//! Archives and packed files.

use std::io::{Read, Write};

pub fn crc(octets: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(octets);
    crc.sum()
}

pub fn gzip(octets: impl Read) -> Vec<u8> {
    packed(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best()), octets, |e| e.finish().unwrap())
}

pub fn packed<W: Write>(mut encoder: W, mut octets: impl Read, finish: impl Fn(W) -> Vec<u8>) -> Vec<u8> {
    std::io::copy(&mut octets, &mut encoder).unwrap();
    finish(encoder)
}

pub fn bzip2(octets: impl Read) -> Vec<u8> {
    packed(::bzip2::write::BzEncoder::new(Vec::new(), ::bzip2::Compression::best()), octets, |e| e.finish().unwrap())
}

pub fn xz(octets: impl Read) -> Vec<u8> {
    let writer = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    packed(writer, octets, |e| e.finish().unwrap())
}

pub fn zstd(octets: impl Read) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(octets, ruzstd::encoding::CompressionLevel::Fastest)
}

pub fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, octets) in members {
        let mut header = ::tar::Header::new_gnu();
        header.set_size(octets.len() as u64);
        builder.append_data(&mut header, name, *octets).unwrap();
    }
    builder.into_inner().unwrap()
}

/// A number of 7z (7zFormat.txt, "REAL_UINT64 and UINT64").
pub fn number(n: usize) -> Vec<u8> {
    if n < 0x80 { vec![n as u8] } else { [&[0xFF][..], &(n as u64).to_le_bytes()].concat() }
}

/// A 7z of one member, by the coder that is given with its flags.
pub fn seven_zip(name: &str, octets: &[u8], coder: &[u8]) -> Vec<u8> {
    let names: Vec<u8> = [0].into_iter().chain(name.encode_utf16().chain([0]).flat_map(u16::to_le_bytes)).collect();
    let size = number(octets.len());
    let header = [
        &[1, 4, 6, 0, 1, 9][..],
        &size,
        &[0, 7, 0x0B, 1, 0, 1],
        coder,
        &[0x0C],
        &size,
        &[0, 8, 0x0A, 1],
        &crc(octets).to_le_bytes(),
        &[0, 0, 5, 1, 0x11],
        &number(names.len()),
        &names,
        &[0, 0],
    ]
    .concat();
    seven_zip_of(octets, &header)
}

/// A 7z of these packed octets and this header.
pub fn seven_zip_of(octets: &[u8], header: &[u8]) -> Vec<u8> {
    let start = [&(octets.len() as u64).to_le_bytes()[..], &(header.len() as u64).to_le_bytes(), &crc(header).to_le_bytes()].concat();
    [b"7z\xBC\xAF\x27\x1C\0\x04", &crc(&start).to_le_bytes()[..], &start, octets, header].concat()
}

pub const COPY: &[u8] = &[1, 0];

/// A RAR 4 of one stored member.
pub fn rar(name: &str, octets: &[u8], flags: u16) -> Vec<u8> {
    let block = |kind: u8, flags: u16, rest: &[u8]| {
        let body = [&[kind][..], &flags.to_le_bytes(), &(rest.len() as u16 + 7).to_le_bytes(), rest].concat();
        [&(crc(&body) as u16).to_le_bytes()[..], &body].concat()
    };
    let size = (octets.len() as u32).to_le_bytes();
    let file = [
        &size[..],
        &size,
        &[0],
        &crc(octets).to_le_bytes(),
        &[0; 4],
        &[20, 0x30],
        &(name.len() as u16).to_le_bytes(),
        &[0; 4],
        name.as_bytes(),
    ];
    [b"Rar!\x1A\x07\0", &block(0x73, 0, &[0; 6])[..], &block(0x74, 0x8000 | flags, &file.concat()), octets, &block(0x7B, 0x4000, &[])]
        .concat()
}
