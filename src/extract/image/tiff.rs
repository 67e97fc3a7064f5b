//! Tags of TIFF (6.0), which EXIF is made of (CIPA DC-008).

use super::{facts::Facts, iptc, numbers::Numbers};
use encoding_rs::UTF_16LE;
use std::collections::HashSet;

/// Directories of one file: a fax of so many pages.
const DIRECTORIES: usize = 1000;

/// Reads all directories: the chain of the first, and what they lead to.
pub(super) fn read(octets: &[u8], facts: &mut Facts) {
    let Some(numbers) = numbers(octets) else { return facts.damaged() };
    let mut seen = HashSet::new();
    let mut ahead: Vec<(usize, bool)> = numbers.size(4).map(|at| (at, false)).into_iter().collect();
    while let Some((at, is_place)) = ahead.pop() {
        if at == 0 || !seen.insert(at) || seen.len() > DIRECTORIES {
            continue;
        }
        let Some(count) = numbers.u16(at).map(usize::from) else {
            facts.damaged();
            continue;
        };
        if !facts.spend(12 * count) {
            return;
        }
        for i in 0..count {
            match Entry::parse(numbers, at + 2 + 12 * i) {
                Some(entry) => entry.read(numbers, is_place, facts, &mut ahead),
                None => facts.damaged(),
            }
        }
        // In EXIF the chain often ends with the data.
        ahead.extend(numbers.size(at + 2 + 12 * count).map(|next| (next, false)));
    }
}

/// The order of numbers, as the first two octets tell it.
pub(super) fn numbers(octets: &[u8]) -> Option<Numbers<'_>> {
    match octets.get(..4)? {
        b"II*\0" => Some(Numbers::little(octets)),
        b"MM\0*" => Some(Numbers::big(octets)),
        _ => None,
    }
}

/// The sides of the largest directory in the chain: ImageWidth and ImageLength.
pub(super) fn size(octets: &[u8]) -> Option<(u32, u32)> {
    let numbers = numbers(octets)?;
    let (mut at, mut largest) = (numbers.size(4)?, None);
    for _ in 0..DIRECTORIES {
        let count = usize::from(numbers.u16(at)?);
        let side = |wanted: u16| {
            let entry = (0..count).map(|i| at + 2 + 12 * i).find(|entry| numbers.u16(*entry) == Some(wanted))?;
            Entry::parse(numbers, entry)?.number(numbers)
        };
        let sides = side(256).zip(side(257));
        largest = largest.into_iter().chain(sides).max_by_key(|(width, height): &(u32, u32)| (*width).min(*height));
        at = numbers.size(at + 2 + 12 * count).unwrap_or(0);
        if at == 0 {
            break;
        }
    }
    largest
}

struct Entry<'o> {
    tag: u16,
    kind: u16,
    data: &'o [u8],
}

impl<'o> Entry<'o> {
    /// Tag, type, count, and four octets that hold the value or say where it lies.
    fn parse(numbers: Numbers<'o>, at: usize) -> Option<Entry<'o>> {
        let (tag, kind, count) = (numbers.u16(at)?, numbers.u16(at + 2)?, numbers.size(at + 4)?);
        let width = match kind {
            3 | 8 => 2,
            4 | 9 | 11 | 13 => 4,
            5 | 10 | 12 => 8,
            _ => 1,
        };
        let length = count.checked_mul(width)?;
        let from = if length <= 4 { at + 8 } else { numbers.size(at + 8)? };
        // A value that is no text may be out of reach: thumbnails, notes of the maker that a program has moved.
        let data = numbers.slice(from, length);
        (data.is_some() || !is_text(tag, kind)).then_some(Entry { tag, kind, data: data.unwrap_or_default() })
    }

    fn number(&self, numbers: Numbers<'_>) -> Option<u32> {
        let own = self.numbers(numbers);
        if self.kind == 3 { own.u16(0).map(u32::from) } else { own.u32(0) }
    }

    /// Its own data, in the order of the file.
    fn numbers(&self, numbers: Numbers<'_>) -> Numbers<'o> {
        numbers.of(self.data)
    }

    fn read(&self, numbers: Numbers<'_>, is_place: bool, facts: &mut Facts, ahead: &mut Vec<(usize, bool)>) {
        /// Directories that one entry leads to: pages within pages.
        const MOST: usize = 64;
        match (self.tag, self.kind) {
            (0x014A | 0x8769 | 0x8825 | 0xA005, _) => {
                let own = self.numbers(numbers);
                ahead.extend((0..self.data.len() / 4).take(MOST).filter_map(|i| Some((own.size(4 * i)?, self.tag == 0x8825))));
            }
            (0x02BC, _) => facts.packet(self.data),
            (0x83BB, _) => iptc::read(self.data, facts),
            (0x8649, _) => iptc::resources(self.data, facts),
            (0x9286, _) => self.comment("UserComment", facts),
            (0x1B | 0x1C, 7) if is_place => self.comment("GPS", facts),
            (2 | 4, 5) if is_place => self.angle(numbers, facts),
            (0x9C9B..=0x9C9F, _) if !facts.spend(self.data.len()) => {}
            (0x9C9B..=0x9C9F, _) => facts.add(&name(self.tag), &UTF_16LE.decode_without_bom_handling(self.data).0),
            // ASCII, which hardly anybody keeps to; and UTF-8 since EXIF 3. Several values have zeros between them.
            (_, 2 | 129) if !facts.spend(self.data.len()) => {}
            (tag, 2 | 129) => {
                let name = if is_place { format!("GPS {tag:04x}") } else { name(tag) };
                facts.add_octets(&name, &self.data.iter().map(|b| if *b == 0 { b' ' } else { *b }).collect::<Vec<u8>>());
            }
            _ => {}
        }
    }

    /// A text behind eight octets that name its charset (CIPA DC-008, 4.6.5).
    fn comment(&self, name: &str, facts: &mut Facts) {
        if !facts.spend(self.data.len()) {
            return;
        }
        let (charset, text) = self.data.split_at(self.data.len().min(8));
        match charset {
            b"UNICODE\0" => match crate::extract::charset::utf16_by_zeros(text) {
                Some(encoding) => facts.add(name, &encoding.decode(text).0),
                None => facts.add(name, &UTF_16LE.decode(text).0),
            },
            b"JIS\0\0\0\0\0" => facts.add(name, &encoding_rs::ISO_2022_JP.decode(text).0),
            b"ASCII\0\0\0" | [0, ..] => facts.add_octets(name, text),
            _ => facts.add_octets(name, self.data),
        }
    }

    /// Degrees, minutes and seconds.
    fn angle(&self, numbers: Numbers<'_>, facts: &mut Facts) {
        let own = self.numbers(numbers);
        let part = |i: usize| Some(f64::from(own.u32(8 * i)?) / f64::from(own.u32(8 * i + 4)?.max(1)));
        let told: Vec<String> = (0..3).map_while(part).map(|n| n.to_string()).collect();
        facts.add(if self.tag == 2 { "GPSLatitude" } else { "GPSLongitude" }, &told.join(" "));
    }
}

fn is_text(tag: u16, kind: u16) -> bool {
    matches!(kind, 2 | 129) || matches!(tag, 0x02BC | 0x83BB | 0x8649 | 0x9286 | 0x9C9B..=0x9C9F)
}

/// What programs call the tags that people fill in.
fn name(tag: u16) -> String {
    let known = match tag {
        0x010D => "DocumentName",
        0x010E => "ImageDescription",
        0x010F => "Make",
        0x0110 => "Model",
        0x011D => "PageName",
        0x0131 => "Software",
        0x0132 => "DateTime",
        0x013B => "Artist",
        0x013C => "HostComputer",
        0x8298 => "Copyright",
        0x9003 => "DateTimeOriginal",
        0x9C9B => "XPTitle",
        0x9C9C => "XPComment",
        0x9C9D => "XPAuthor",
        0x9C9E => "XPKeywords",
        0x9C9F => "XPSubject",
        0xA420 => "ImageUniqueID",
        0xA430 => "CameraOwnerName",
        0xA431 => "BodySerialNumber",
        _ => return format!("tag {tag:04x}"),
    };
    known.to_owned()
}
