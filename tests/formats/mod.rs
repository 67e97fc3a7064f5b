//! Files of every format, made by code: the unit tests of the readers and the integration tests read the same ones.
#![allow(dead_code, unreachable_pub, reason = "three test binaries share it, and none uses all of it")]

pub mod archives;
pub mod compound;
pub mod office97;
pub mod packages;
pub mod pdf;
pub mod record;
pub mod scan;
pub mod winmail;
pub mod workbook97;

use std::io::Write;

/// A ZIP of these members.
pub fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    zip_by(zip::CompressionMethod::Deflated, members)
}

/// A ZIP whose members stand in it as they are.
pub fn zip_stored(members: &[(&str, &[u8])]) -> Vec<u8> {
    zip_by(zip::CompressionMethod::Stored, members)
}

fn zip_by(method: zip::CompressionMethod, members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    for (name, octets) in members {
        writer.start_file(*name, options).unwrap();
        writer.write_all(octets).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A mail with one base64 attachment.
pub fn mail_with(name: &str, octets: &[u8]) -> Vec<u8> {
    use base64::Engine;
    let packed = base64::engine::general_purpose::STANDARD.encode(octets);
    let lines: Vec<&str> = packed.as_bytes().chunks(76).map(|l| std::str::from_utf8(l).unwrap()).collect();
    format!(
        "From: a@b.example\r\nTo: c@d.example\r\nSubject: Dossier\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\nZie de bijlage.\r\n--x\r\nContent-Type: application/octet-stream\r\n\
         Content-Disposition: attachment; filename=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--x--\r\n",
        lines.join("\r\n")
    )
    .into_bytes()
}
