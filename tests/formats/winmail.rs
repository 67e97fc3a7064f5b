//! winmail.dat: attributes (MS-OXTNEF).

/// An attribute: level, number, data, checksum.
pub fn attribute(level: u8, number: u32, data: &[u8]) -> Vec<u8> {
    let sum = data.iter().fold(0u16, |s, o| s.wrapping_add(u16::from(*o)));
    [&[level][..], &number.to_le_bytes(), &(data.len() as u32).to_le_bytes(), data, &sum.to_le_bytes()].concat()
}

/// A variable property, with one value.
pub fn property(kind: u16, number: u16, data: &[u8]) -> Vec<u8> {
    let padding = vec![0; data.len().next_multiple_of(4) - data.len()];
    [&kind.to_le_bytes()[..], &number.to_le_bytes(), &1u32.to_le_bytes(), &(data.len() as u32).to_le_bytes(), data, &padding].concat()
}

pub fn properties(all: &[Vec<u8>]) -> Vec<u8> {
    [&(all.len() as u32).to_le_bytes()[..], &all.concat()].concat()
}

pub fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

pub fn winmail(attributes: &[Vec<u8>]) -> Vec<u8> {
    [&0x223E_9F78u32.to_le_bytes()[..], &[1, 0], &attributes.concat()].concat()
}

/// An attachment with the names that Outlook gives it.
pub fn attached(name: &str, data: &[u8]) -> Vec<u8> {
    let more = properties(&[property(0x1F, 0x3707, &wide(name))]);
    [
        attribute(2, 0x0006_9002, &[0; 14]),
        attribute(2, 0x0001_8010, b"KORT~1.TXT\0"),
        attribute(2, 0x0006_800F, data),
        attribute(2, 0x0006_9005, &more),
    ]
    .concat()
}
