//! Captions as news agencies write them (IPTC-IIM 4.2), and the resources of Photoshop in which they lie.

use super::{facts::Facts, numbers::Numbers, tiff};
use crate::extract::charset;

/// Reads data sets: a mark, record, number, length, value.
pub(super) fn read(octets: &[u8], facts: &mut Facts) {
    const MARK: u8 = 0x1C;
    const LONG: u16 = 0x8000;
    let numbers = Numbers::big(octets);
    if !facts.spend(octets.len()) {
        return;
    }
    let (mut at, mut label) = (0, None);
    while let (Some(&MARK), Some(&record), Some(&number), Some(length)) =
        (octets.get(at), octets.get(at + 1), octets.get(at + 2), numbers.u16(at + 3))
    {
        // A value of over 32 KiB, with a length of its own: no caption.
        let Some(value) = numbers.slice(at + 5, length.into()).filter(|_| length & LONG == 0) else { return facts.damaged() };
        match (record, number) {
            // UTF-8, by its escape sequence.
            (1, 90) => label = (value == b"\x1B%G").then_some("utf-8"),
            (2, number) if value.iter().all(|b| *b >= 0x20 || b"\r\n\t".contains(b)) => {
                facts.add(&name(number), &charset::decode(value, label).text);
            }
            _ => {}
        }
        at += 5 + value.len();
    }
}

/// Reads image resources: a signature, a number, a name, a length, data (Adobe Photoshop File Formats, "Image Resource Blocks").
pub(super) fn resources(octets: &[u8], facts: &mut Facts) {
    let numbers = Numbers::big(octets);
    if !facts.spend(octets.len()) {
        return;
    }
    let mut at = 0;
    while numbers.slice(at, 4) == Some(b"8BIM") {
        let Some((kind, name)) = numbers.u16(at + 4).zip(octets.get(at + 6).map(|n| usize::from(*n))) else { return facts.damaged() };
        let from = at + 6 + (name + 1).next_multiple_of(2);
        let Some(data) = numbers.size(from).and_then(|length| numbers.slice(from + 4, length)) else { return facts.damaged() };
        facts.add_octets("resource", numbers.slice(at + 7, name).unwrap_or_default());
        match kind {
            0x0404 => read(data, facts),
            0x0422 | 0x0423 => tiff::read(data, facts),
            0x0424 => facts.packet(data),
            _ => {}
        }
        at = from + 4 + data.len().next_multiple_of(2);
    }
}

fn name(number: u8) -> String {
    let known = match number {
        5 => "title",
        25 => "keywords",
        40 => "instructions",
        80 => "author",
        85 => "position",
        90 => "city",
        92 => "location",
        101 => "country",
        103 => "reference",
        105 => "headline",
        110 => "credit",
        115 => "source",
        116 => "copyright",
        118 => "contact",
        120 => "caption",
        122 => "writer",
        _ => return format!("IPTC 2:{number}"),
    };
    known.to_owned()
}
