//! Word, PowerPoint and Outlook, in compound files.

use super::compound::{compound, wide};

/// A Word document of 1997 or later: the body in two pieces, one of them of one octet a character; then a footnote.
pub fn word(flags: u16, pieces: &[(&str, bool)], counts: &[u32]) -> Vec<u8> {
    let (stream, table) = word_streams(flags, pieces, counts);
    compound(&[("WordDocument", &stream), ("1Table", &table)])
}

/// A Word document of one piece, with octets behind its text and further streams.
pub fn word_with(text: &str, behind: &[u8], streams: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut stream, table) = word_streams(0, &[(text, false)], &[text.len() as u32]);
    stream.extend(behind);
    compound(&[&[("WordDocument", stream.as_slice()), ("1Table", &table)], streams].concat())
}

/// Its two streams.
fn word_streams(flags: u16, pieces: &[(&str, bool)], counts: &[u32]) -> (Vec<u8>, Vec<u8>) {
    let mut stream = vec![0; 0x400];
    stream[..4].copy_from_slice(&[0xEC, 0xA5, 0xC1, 0]);
    stream[10..12].copy_from_slice(&(flags | 0x0200).to_le_bytes());
    for (i, count) in counts.iter().enumerate() {
        stream[0x4C + 4 * i..0x50 + 4 * i].copy_from_slice(&count.to_le_bytes());
    }
    let (mut at, mut positions, mut descriptors) = (0u32, 0u32.to_le_bytes().to_vec(), Vec::new());
    for (text, is_wide) in pieces {
        let offset = stream.len() as u32;
        stream.extend(if *is_wide { wide(text) } else { text.bytes().collect() });
        at += text.encode_utf16().count() as u32;
        positions.extend(at.to_le_bytes());
        descriptors.extend([0, 0]);
        descriptors.extend((if *is_wide { offset } else { (offset * 2) | 0x4000_0000 }).to_le_bytes());
        descriptors.extend([0, 0]);
    }
    let table = [positions, descriptors].concat();
    let clx = [&[2], &(table.len() as u32).to_le_bytes()[..], &table].concat();
    let place = 0x9A + 8 * 33;
    stream[place + 4..place + 8].copy_from_slice(&(clx.len() as u32).to_le_bytes());
    (stream, clx)
}

/// A record of PowerPoint: version and instance, type, content.
pub fn record(version: u16, kind: u16, content: &[u8]) -> Vec<u8> {
    [&version.to_le_bytes()[..], &kind.to_le_bytes(), &(content.len() as u32).to_le_bytes(), content].concat()
}

/// A presentation whose second slide says `slide`, with a note.
pub fn presentation(slide: &str, notes: &str) -> Vec<u8> {
    compound(&[("PowerPoint Document", &slides(slide, notes)), ("Current User", &[0; 20])])
}

/// Its stream.
pub fn slides(slide: &str, notes: &str) -> Vec<u8> {
    let drawing = |text: Vec<u8>| record(0xF, 0xF00D, &text);
    let slide = record(0xF, 0x03EE, &drawing(record(0, 0x0FA0, &wide(slide))));
    // NotesAtom, MS-PPT 2.5.12: the slide by its number in the file.
    let of_slide = record(1, 0x03F1, &[&257u32.to_le_bytes()[..], &[0; 4]].concat());
    let notes = record(0xF, 0x03F0, &[of_slide, drawing(record(0, 0x0FA8, notes.as_bytes()))].concat());
    // SlidePersistAtom, MS-PPT 2.4.14.5: object, flags, texts, number.
    let listed = |object: u32, number: u32| record(0, 0x03F3, &[object, 0, 0, number, 0].map(u32::to_le_bytes).concat());
    let document = record(0xF, 0x03E8, &record(0xF, 0x0FF0, &[listed(9, 256), listed(1, 257)].concat()));
    // PersistDirectoryAtom, MS-PPT 2.3.4: one object from the first on, at the start of the stream.
    let directory = record(0, 0x1772, &[1 | 1 << 20, 0].map(u32::to_le_bytes).concat());
    [slide, notes, document, directory].concat()
}

/// A message with this body, a recipient, a file, and a message in it.
pub fn message(body: &str) -> Vec<u8> {
    let named = |tag: &str| format!("__substg1.0_{tag}");
    let (subject, text, plain) = (named("0037001F"), named("1000001F"), named("3701000D"));
    let file = "__attach_version1.0_#00000000";
    let inner = format!("__attach_version1.0_#00000001/{plain}");
    let stream = |storage: &str, tag: &str| format!("{storage}/{}", named(tag));
    compound(&[
        ("__properties_version1.0", &[0; 32]),
        (&subject, &wide("Onderwerp van de mail")),
        (&text, &wide(body)),
        (&stream("__recip_version1.0_#00000000", "39FE001F"), &wide("jan@post.example")),
        (&stream(file, "3707001F"), &wide("lijst.txt")),
        (&stream(file, "37010102"), b"in de bijlage"),
        (&format!("{inner}/__properties_version1.0"), &[0; 24]),
        (&format!("{inner}/{text}"), &wide("in de mail erin")),
    ])
}
