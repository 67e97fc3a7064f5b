//! Pages, Numbers and Keynote since 2013: archives of `.iwa` files, which are Protocol Buffers packed by Snappy.
//!
//! What the messages mean is told nowhere: their strings are found by their shape. Numbers in cells are none, so that such a file is never told to
//! have been read to its end.

use super::{
    Places, Source, plain,
    reading::{Here, Reading},
};
use std::borrow::Cow;

/// Shorter strings are keys and units, or no strings at all.
const SHORTEST: usize = 2;

/// Whether a file of this extension begins with a chunk.
pub(super) fn is_archive(extension: &str, octets: &[u8]) -> bool {
    extension == "iwa" && octets.first() == Some(&0)
}

/// Reads the strings of one file.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, octets: &[u8]) {
    let most = reading.limits.member.min(reading.expanded_left());
    let (unpacked, end) = unpacked(octets, usize::try_from(most).unwrap_or(usize::MAX));
    reading.expanded(unpacked.len());
    match end {
        End::Whole => {}
        End::Damaged => reading.damaged(here, "snappy"),
        End::TooLarge => reading.too_large(here, "member"),
    }
    let lines = plain::clean(Cow::Owned(strings(&unpacked))).into_owned();
    reading.text(&here.part, Source::Attachment, lines, Places::Named("strings".to_owned()));
    reading.unsupported(here, "document");
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    Damaged,
    TooLarge,
}

/// What the chunks hold: a zero and a length in three octets stand in front of each.
fn unpacked(mut octets: &[u8], most: usize) -> (Vec<u8>, End) {
    let mut out = Vec::new();
    while let [kind, a, b, c, rest @ ..] = octets {
        let length = u32::from_le_bytes([*a, *b, *c, 0]) as usize;
        let (chunk, behind) = rest.split_at(length.min(rest.len()));
        match unpack(chunk, &mut out, most) {
            None if out.len() >= most => return (out, End::TooLarge),
            Some(()) if *kind == 0 && chunk.len() == length => octets = behind,
            _ => return (out, End::Damaged),
        }
    }
    (out, if octets.is_empty() { End::Whole } else { End::Damaged })
}

/// Snappy (format_description.txt): literals, and copies of what came out before. `None` where it is broken, or `most` is reached.
fn unpack(mut octets: &[u8], out: &mut Vec<u8>, most: usize) -> Option<()> {
    let begin = out.len();
    // The length of what comes out, which the rest tells as well.
    varint(&mut octets)?;
    while let Some((&tag, rest)) = octets.split_first() {
        octets = rest;
        let high = usize::from(tag >> 2);
        let (length, distance) = match tag & 3 {
            0 => (if high < 60 { high } else { little(&mut octets, high - 59)? } + 1, None),
            1 => (4 + (high & 7), Some(usize::from(tag >> 5) << 8 | little(&mut octets, 1)?)),
            2 => (high + 1, Some(little(&mut octets, 2)?)),
            _ => (high + 1, Some(little(&mut octets, 4)?)),
        };
        if length > most - out.len() {
            out.resize(most, b' ');
            return None;
        }
        match distance {
            None => {
                let (literal, rest) = octets.split_at_checked(length)?;
                out.extend_from_slice(literal);
                octets = rest;
            }
            Some(distance) => {
                let start = out.len().checked_sub(distance).filter(|start| *start >= begin && distance > 0)?;
                // It may reach into what it writes itself.
                for at in start..start + length {
                    out.push(out[at]);
                }
            }
        }
    }
    Some(())
}

fn little(octets: &mut &[u8], count: usize) -> Option<usize> {
    let (number, rest) = octets.split_at_checked(count)?;
    *octets = rest;
    Some(number.iter().rev().fold(0, |n, octet| n << 8 | usize::from(*octet)))
}

/// A number of seven bits an octet, the lowest first.
fn varint(octets: &mut &[u8]) -> Option<usize> {
    let mut number = 0;
    for shift in (0..35).step_by(7) {
        let (&octet, rest) = octets.split_first()?;
        *octets = rest;
        number |= usize::from(octet & 0x7F) << shift;
        if octet & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// One a line: wherever a field of octets may begin whose length fits, and they are printable.
fn strings(octets: &[u8]) -> String {
    let printable = printable(octets);
    let (mut lines, mut at, mut unprintable) = (String::new(), 0, 0);
    while at < octets.len() {
        let mut rest = &octets[at + 1..];
        // The key of a field with a length (wire type 2).
        let length = if octets[at] & 7 == 2 { varint(&mut rest) } else { None };
        let start = octets.len() - rest.len();
        // Places only ascend, so that all of this stays linear.
        if unprintable < start {
            unprintable = start + printable[start..].iter().position(|is| !is).unwrap_or(octets.len() - start);
        }
        let is_cut = |at: usize| octets.get(at).is_some_and(|octet| octet & 0xC0 == 0x80);
        match length.map(|length| (length, start.saturating_add(length))) {
            Some((length, end)) if length >= SHORTEST && end <= unprintable && !is_cut(start) && !is_cut(end) => {
                lines.push_str(&String::from_utf8_lossy(&octets[start..end]));
                lines.push('\n');
                at = end;
            }
            _ => at += 1,
        }
    }
    lines
}

/// Which octets belong to printable characters of UTF-8.
fn printable(octets: &[u8]) -> Vec<bool> {
    let mut printable = Vec::with_capacity(octets.len());
    for chunk in octets.utf8_chunks() {
        for c in chunk.valid().chars() {
            let is = !c.is_control() || matches!(c, '\n' | '\t' | '\r');
            printable.extend(std::iter::repeat_n(is, c.len_utf8()));
        }
        printable.extend(std::iter::repeat_n(false, chunk.invalid().len()));
    }
    printable
}
