//! Compound files and what lies in them: made here record by record, read back, and broken.

mod compound;
mod documents;
mod macros;
mod pictures;
mod xls;

use super::{Extraction, has_problem, holds, problems, read, read_within};

/// Octets of a sector.
const SECTOR: usize = 512;
const END: u32 = 0xFFFF_FFFE;
const FREE: u32 = 0xFFFF_FFFF;

/// A stream or storage on its way into a file.
struct Entry {
    name: String,
    content: Option<Vec<u8>>,
    children: Vec<usize>,
}

/// A compound file with these streams; `storage/stream` makes the storage.
fn compound(streams: &[(&str, &[u8])]) -> Vec<u8> {
    let mut entries = vec![Entry { name: "Root Entry".into(), content: None, children: Vec::new() }];
    for (path, octets) in streams {
        let mut storage = 0;
        let names: Vec<&str> = path.split('/').collect();
        for (i, name) in names.iter().enumerate() {
            let found = entries[storage].children.iter().copied().find(|id| entries[*id].name == *name);
            storage = found.unwrap_or_else(|| {
                let content = (i + 1 == names.len()).then(|| octets.to_vec());
                entries.push(Entry { name: (*name).to_owned(), content, children: Vec::new() });
                let id = entries.len() - 1;
                entries[storage].children.push(id);
                id
            });
        }
    }
    Writer::default().write(&entries)
}

#[derive(Default)]
struct Writer {
    sectors: Vec<u8>,
    fat: Vec<u32>,
    mini: Vec<u8>,
    mini_fat: Vec<u32>,
}

impl Writer {
    /// Adds a chain of sectors; where it starts.
    fn chain(&mut self, octets: &[u8]) -> u32 {
        let start = self.fat.len();
        let count = octets.len().div_ceil(SECTOR);
        self.sectors.extend_from_slice(octets);
        self.sectors.resize((start + count) * SECTOR, 0);
        self.fat.extend((start + 1..start + count).map(|n| n as u32).chain((count > 0).then_some(END)));
        if count > 0 { start as u32 } else { END }
    }

    fn mini_chain(&mut self, octets: &[u8]) -> u32 {
        let start = self.mini_fat.len();
        let count = octets.len().div_ceil(64);
        self.mini.extend_from_slice(octets);
        self.mini.resize((start + count) * 64, 0);
        self.mini_fat.extend((start + 1..start + count).map(|n| n as u32).chain((count > 0).then_some(END)));
        if count > 0 { start as u32 } else { END }
    }

    fn write(mut self, entries: &[Entry]) -> Vec<u8> {
        let mut places: Vec<(u32, usize)> = Vec::new();
        for entry in entries {
            let octets = entry.content.as_deref().unwrap_or_default();
            let start = if octets.len() < 4096 { self.mini_chain(octets) } else { self.chain(octets) };
            places.push((if entry.content.is_some() { start } else { 0 }, octets.len()));
        }
        let mini = std::mem::take(&mut self.mini);
        places[0] = (self.chain(&mini), mini.len());
        let mini_fat: Vec<u8> = self.mini_fat.iter().flat_map(|n| n.to_le_bytes()).collect();
        let mini_fat_at = self.chain(&mini_fat);
        let directory = self.chain(&directory(entries, &places));
        // The table holds its own sectors, and those that list it beyond the header's 109.
        let (mut fat, mut lists) = (0usize, 0usize);
        while (self.fat.len() + fat + lists).div_ceil(128) > fat {
            fat += 1;
            lists = fat.saturating_sub(109).div_ceil(127);
        }
        let first = self.fat.len() as u32;
        let lists_at = first + fat as u32;
        self.fat.extend(std::iter::repeat_n(0xFFFF_FFFD, fat));
        self.fat.extend(std::iter::repeat_n(0xFFFF_FFFC, lists));
        self.fat.resize(fat * 128, FREE);
        self.sectors.extend(self.fat.iter().flat_map(|n| n.to_le_bytes()));
        let numbers: Vec<u32> = (first..first + fat as u32).collect();
        for (i, list) in numbers.get(109..).unwrap_or_default().chunks(127).enumerate() {
            let mut list = list.to_vec();
            list.resize(127, FREE);
            list.push(if i + 1 < lists { lists_at + i as u32 + 1 } else { END });
            self.sectors.extend(list.iter().flat_map(|n| n.to_le_bytes()));
        }
        let mut header = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
        header.extend([0; 16]);
        header.extend([0x3E, 0, 3, 0, 0xFE, 0xFF, 9, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        let mini_fat_sectors = mini_fat.len().div_ceil(SECTOR) as u32;
        let lists_start = if lists > 0 { lists_at } else { END };
        for number in [fat as u32, directory, 0, 4096, mini_fat_at, mini_fat_sectors, lists_start, lists as u32] {
            header.extend(number.to_le_bytes());
        }
        let mut listed: Vec<u32> = numbers.into_iter().take(109).collect();
        listed.resize(109, FREE);
        header.extend(listed.iter().flat_map(|n| n.to_le_bytes()));
        [header, self.sectors].concat()
    }
}

fn directory(entries: &[Entry], places: &[(u32, usize)]) -> Vec<u8> {
    let mut right = vec![FREE; entries.len()];
    for entry in entries {
        for pair in entry.children.windows(2) {
            right[pair[0]] = pair[1] as u32;
        }
    }
    let mut directory = Vec::new();
    for (id, entry) in entries.iter().enumerate() {
        let mut raw: Vec<u8> = entry.name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let length = raw.len() as u16 + 2;
        raw.resize(64, 0);
        raw.extend(length.to_le_bytes());
        let kind = match (id, &entry.content) {
            (0, _) => 5,
            (_, None) => 1,
            (_, Some(_)) => 2,
        };
        raw.extend([kind, 1]);
        let child = entry.children.first().map_or(FREE, |c| *c as u32);
        for number in [FREE, right[id], child] {
            raw.extend(number.to_le_bytes());
        }
        raw.extend([0; 36]);
        raw.extend(places[id].0.to_le_bytes());
        raw.extend((places[id].1 as u64).to_le_bytes());
        directory.extend(raw);
    }
    directory.resize(directory.len().next_multiple_of(SECTOR), 0);
    directory
}

/// A string as in a property set: its length, its octets, padding.
fn property_string(text: &[u8]) -> Vec<u8> {
    let mut value = 30u32.to_le_bytes().to_vec();
    value.extend((text.len() as u32 + 1).to_le_bytes());
    value.extend(text);
    value.push(0);
    value.resize(value.len().next_multiple_of(4), 0);
    value
}

/// A set of properties: number and value each.
fn property_set(properties: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let (mut table, mut values) = (Vec::new(), Vec::new());
    let start = 8 + 8 * properties.len();
    for (id, value) in properties {
        table.extend(id.to_le_bytes());
        table.extend(((start + values.len()) as u32).to_le_bytes());
        values.extend(value);
    }
    let size = (start + values.len()) as u32;
    [&size.to_le_bytes(), &(properties.len() as u32).to_le_bytes(), table.as_slice(), values.as_slice()].concat()
}

/// A stream of property sets: the first four octets of the name of each, and what it holds.
fn property_stream(sets: &[([u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut stream = vec![0xFE, 0xFF, 0, 0, 0, 0, 0, 0];
    stream.extend([0; 16]);
    stream.extend((sets.len() as u32).to_le_bytes());
    let mut at = 28 + 20 * sets.len();
    for (id, set) in sets {
        stream.extend(id);
        stream.extend([0; 12]);
        stream.extend((at as u32).to_le_bytes());
        at += set.len();
    }
    stream.extend(sets.iter().flat_map(|(_, set)| set.clone()));
    stream
}

/// The code page of a set: 1252.
fn code_page() -> (u32, Vec<u8>) {
    (1, [2, 0, 0, 0, 0xE4, 0x04, 0, 0].to_vec())
}

/// A text of two octets a character.
fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// What the extraction says about a text: its part and place.
fn place_of(extraction: &Extraction, text: &str) -> (String, Option<String>) {
    let found = extraction
        .texts
        .iter()
        .find(|t| t.text.contains(text))
        .unwrap_or_else(|| panic!("{text} is not there: {:?}", problems(extraction)));
    (found.part.clone(), found.place(found.text.find(text).unwrap()))
}

/// Cuts a file at every sector and everywhere near its end: nothing is silent.
fn cut_everywhere(name: &str, octets: &[u8]) {
    assert_eq!(problems(&read(name, octets.to_vec())), Vec::<String>::new(), "{name} whole");
    for at in (8..octets.len()).step_by(SECTOR / 2) {
        let extraction = read(name, octets[..at].to_vec());
        assert!(!extraction.problems.is_empty(), "{name} cut at {at} of {}", octets.len());
    }
}

/// Changes octets of a stream and of the file around it: whatever comes out, it comes out.
fn flip_everywhere(name: &str, octets: &[u8]) {
    for at in 0..octets.len() {
        for flip in [0x01, 0x80, 0xFF] {
            let mut flipped = octets.to_vec();
            flipped[at] ^= flip;
            read(name, flipped);
        }
    }
}
