//! Compound files (MS-CFB): a small file system in a file. Read as office programs read it: what the allocation table claims beyond the end of
//! the file, loops, and a broken tree of names cost what they lead to, never the rest.

use super::little::{u16_at, u32_at, u64_at};

/// How a compound file begins (MS-CFB 2.2).
pub(in crate::extract) const MAGIC: &[u8] = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";

/// The header; sector 0 stands behind it, but in files with large sectors one such further.
const HEADER: usize = 512;
/// Sector numbers from here on are marks: DIFSECT, FATSECT, ENDOFCHAIN, FREESECT (MS-CFB 2.1).
const LAST_SECTOR: u32 = 0xFFFF_FFFA;
const END_OF_CHAIN: u32 = 0xFFFF_FFFE;
/// A directory entry (MS-CFB 2.6.1).
const ENTRY: usize = 128;
const MINI_SECTOR: usize = 64;
/// Streams do not share sectors, so all of them together are as long as the file. Ours are read twice at most.
const MOST_READ: usize = 2;

/// A compound file, opened.
pub(super) struct Compound<'o> {
    octets: &'o [u8],
    sector: usize,
    /// Streams shorter than this lie in the mini stream.
    mini_below: u64,
    fat: Vec<u32>,
    mini_fat: Vec<u32>,
    mini_stream: Vec<u8>,
    entries: Vec<Entry>,
    /// Octets that streams may still give.
    left: usize,
    is_damaged: bool,
}

/// A stream or a storage, which is a folder.
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) is_stream: bool,
    /// Entries within, by their numbers, in the order in which they stand in the directory.
    pub(super) children: Vec<usize>,
    start: u32,
    size: u64,
    /// Whether something leads here.
    is_reached: bool,
}

impl<'o> Compound<'o> {
    /// The entry that holds all others.
    pub(super) const ROOT: usize = 0;

    /// Opens a file; `None` when not even its directory can be read.
    pub(super) fn open(octets: &'o [u8]) -> Option<Compound<'o>> {
        if !octets.starts_with(MAGIC) || octets.len() < HEADER {
            return None;
        }
        let sector = if u16_at(octets, 30) == Some(12) { 4096 } else { 512 };
        let mut file = Compound {
            octets,
            sector,
            mini_below: u64::from(u32_at(octets, 56)?),
            fat: Vec::new(),
            mini_fat: Vec::new(),
            mini_stream: Vec::new(),
            entries: Vec::new(),
            left: octets.len().saturating_mul(MOST_READ),
            is_damaged: false,
        };
        file.fat = file.table();
        let (directory, _) = file.chain(u32_at(octets, 48)?, usize::MAX);
        file.entries = directory.chunks_exact(ENTRY).filter_map(|raw| Entry::parse(raw, sector)).collect();
        let root = file.entries.first().filter(|root| !root.is_stream)?;
        let (start, size) = (root.start, usize::try_from(root.size).unwrap_or(usize::MAX));
        let (mini_fat, _) = file.chain(u32_at(octets, 60)?, usize::MAX);
        file.mini_fat = words(&mini_fat);
        if size > 0 {
            file.mini_stream = file.chain(start, size).0;
        }
        file.connect();
        file.check();
        file.left = octets.len().saturating_mul(MOST_READ);
        Some(file)
    }

    /// The FAT: its sectors are listed in the header, and further ones in a chain of their own (DIFAT, MS-CFB 2.5).
    fn table(&mut self) -> Vec<u32> {
        let most = self.octets.len() / self.sector + 1;
        let mut listed: Vec<u32> = (0..109).filter_map(|i| u32_at(self.octets, 76 + 4 * i)).collect();
        let mut next = u32_at(self.octets, 68).unwrap_or(END_OF_CHAIN);
        let mut chained = 0;
        while next < LAST_SECTOR && chained < most {
            let Some(sector) = self.at(next) else {
                self.is_damaged = true;
                break;
            };
            let mut numbers = words(sector);
            next = if sector.len() == self.sector { numbers.pop().unwrap_or(END_OF_CHAIN) } else { END_OF_CHAIN };
            listed.append(&mut numbers);
            chained += 1;
        }
        let claimed = u32_at(self.octets, 44).map_or(0, |n| n as usize);
        let mut fat = Vec::new();
        for number in listed.into_iter().filter(|n| *n < LAST_SECTOR).take(claimed.clamp(1, most)) {
            // That the table claims sectors beyond the end is common, and harmless as long as no stream lies there; a lost piece of it is neither.
            let sector = self.at(number).unwrap_or_default();
            self.is_damaged |= sector.len() < self.sector;
            fat.extend(words(sector));
            fat.resize(fat.len().next_multiple_of(self.sector / 4), END_OF_CHAIN);
        }
        fat
    }

    /// A sector, shorter than others at the end of the file.
    fn at(&self, number: u32) -> Option<&'o [u8]> {
        let start = (number as usize).checked_add(1)?.checked_mul(self.sector)?;
        self.octets.get(start..self.octets.len().min(start.checked_add(self.sector)?)).filter(|s| !s.is_empty())
    }

    /// The octets of a chain of sectors, `size` at most; and whether all of them are there.
    fn chain(&mut self, start: u32, size: usize) -> (Vec<u8>, bool) {
        let mut octets = Vec::with_capacity(size.min(self.octets.len()));
        let (mut next, mut steps) = (start, self.octets.len() / self.sector + 1);
        while octets.len() < size && next < LAST_SECTOR {
            let sector = self.at(next).filter(|_| steps > 0 && self.left > 0);
            let Some(sector) = sector else {
                self.is_damaged = true;
                return (octets, false);
            };
            let part = &sector[..sector.len().min(size - octets.len())];
            self.left = self.left.saturating_sub(part.len());
            octets.extend_from_slice(part);
            steps -= 1;
            next = self.fat.get(next as usize).copied().unwrap_or(END_OF_CHAIN);
        }
        let is_whole = size == usize::MAX || octets.len() == size;
        self.is_damaged |= !is_whole;
        (octets, is_whole)
    }

    /// The same within the mini stream.
    fn mini_chain(&mut self, start: u32, size: usize) -> Vec<u8> {
        let mut octets = Vec::with_capacity(size.min(self.mini_stream.len()));
        let (mut next, mut steps) = (start, self.mini_stream.len() / MINI_SECTOR + 1);
        while octets.len() < size && next < LAST_SECTOR && steps > 0 && self.left > 0 {
            let from = (next as usize).saturating_mul(MINI_SECTOR);
            let most = from.saturating_add(MINI_SECTOR.min(size - octets.len())).min(self.mini_stream.len());
            let Some(part) = self.mini_stream.get(from..most) else { break };
            self.left = self.left.saturating_sub(part.len());
            octets.extend_from_slice(part);
            steps -= 1;
            next = self.mini_fat.get(next as usize).copied().unwrap_or(END_OF_CHAIN);
        }
        self.is_damaged |= octets.len() < size;
        octets
    }

    /// Makes lists of children out of the red-black trees of siblings (MS-CFB 2.6.4), each entry in one place only. What no tree holds, though
    /// it is in use, counts as lying in the root.
    fn connect(&mut self) {
        let links: Vec<_> = self.entries.iter().map(|e| e.children.clone()).collect();
        for entry in &mut self.entries {
            entry.children.clear();
        }
        let mut storages = vec![Self::ROOT];
        self.entries[Self::ROOT].is_reached = true;
        while let Some(storage) = storages.pop() {
            let mut siblings = vec![links[storage][2]];
            let mut children = Vec::new();
            while let Some(id) = siblings.pop() {
                if id == Entry::NONE {
                    continue;
                }
                let Some(entry) = self.entries.get_mut(id).filter(|e| !e.is_reached && !e.name.is_empty()) else {
                    self.is_damaged = true;
                    continue;
                };
                entry.is_reached = true;
                if !entry.is_stream {
                    storages.push(id);
                }
                children.push(id);
                siblings.extend([links[id][0], links[id][1]]);
            }
            children.sort_unstable();
            self.entries[storage].children = children;
        }
        let lost: Vec<usize> = (0..self.entries.len()).filter(|id| self.entries[*id].is_lost()).collect();
        self.is_damaged |= !lost.is_empty();
        for id in lost {
            self.entries[id].is_reached = true;
            self.entries[Self::ROOT].children.push(id);
        }
    }

    /// Whether every stream is there, those included that nobody reads: a file that was cut short is damaged wherever it was cut.
    fn check(&mut self) {
        let mini = (self.mini_stream.len() / MINI_SECTOR + 1, MINI_SECTOR, self.mini_stream.len());
        let large = (self.octets.len() / self.sector + 1, self.sector, self.octets.len().saturating_sub(self.sector));
        let mut steps = [MOST_READ * large.0, MOST_READ * mini.0];
        for entry in self.entries.iter().filter(|e| e.is_stream && e.is_reached) {
            let is_mini = entry.size < self.mini_below;
            let ((_, sector, end), table) = if is_mini { (mini, &self.mini_fat) } else { (large, &self.fat) };
            let steps = &mut steps[usize::from(is_mini)];
            let (mut left, mut next) = (entry.size, entry.start);
            while left > 0 && *steps > 0 && next < LAST_SECTOR {
                let start = (next as usize).saturating_mul(sector);
                let here = end.saturating_sub(start).min(sector) as u64;
                if here < left.min(sector as u64) {
                    break;
                }
                left = left.saturating_sub(here);
                *steps -= 1;
                next = table.get(next as usize).copied().unwrap_or(END_OF_CHAIN);
            }
            self.is_damaged |= left > 0;
        }
    }

    /// The entry `id`: of [`Compound::ROOT`], [`Compound::find`] or [`Entry::children`].
    pub(super) fn entry(&self, id: usize) -> &Entry {
        &self.entries[id]
    }

    /// The entries in a storage.
    pub(super) fn children(&self, storage: usize) -> Vec<usize> {
        self.entries[storage].children.clone()
    }

    /// The entry `name` of a storage; names are compared without case (MS-CFB 2.6.4).
    pub(super) fn find(&self, storage: usize, name: &str) -> Option<usize> {
        self.entries[storage].children.iter().copied().find(|id| self.entries[*id].name.eq_ignore_ascii_case(name))
    }

    /// The content of a stream, as far as it can be reached.
    pub(super) fn stream(&mut self, id: usize) -> Vec<u8> {
        let Entry { start, size, is_stream, .. } = self.entries[id];
        if !is_stream || size == 0 {
            return Vec::new();
        }
        let length = usize::try_from(size).unwrap_or(usize::MAX - 1);
        if size < self.mini_below { self.mini_chain(start, length) } else { self.chain(start, length).0 }
    }

    /// The content of the stream `name`, if there is one.
    pub(super) fn named(&mut self, storage: usize, name: &str) -> Option<Vec<u8>> {
        let id = self.find(storage, name).filter(|id| self.entries[*id].is_stream)?;
        Some(self.stream(id))
    }

    /// Whether something was found broken so far: in the directory, or in a stream that was read.
    pub(super) fn is_damaged(&self) -> bool {
        self.is_damaged
    }
}

impl Entry {
    /// NOSTREAM.
    const NONE: usize = 0xFFFF_FFFF;

    /// `children` holds the left sibling, the right one and the child, until [`Compound::connect`] has made lists of them.
    fn parse(raw: &[u8], sector: usize) -> Option<Entry> {
        let length = usize::from(u16_at(raw, 64)?).min(64) / 2;
        let wide = (0..length).filter_map(|i| u16_at(raw, 2 * i)).take_while(|c| *c != 0);
        let kind = *raw.get(66)?;
        let name: String = char::decode_utf16(wide).map(|c| c.unwrap_or('\u{FFFD}')).collect();
        // 0: not in use, and then without a name for us.
        let name = if matches!(kind, 1 | 2 | 5) { name } else { String::new() };
        // The upper half of the size means nothing in files with small sectors.
        let size = u64_at(raw, 120)? & if sector == 512 { 0xFFFF_FFFF } else { u64::MAX };
        let links = [68, 72, 76].map(|at| u32_at(raw, at).map_or(Entry::NONE, |n| n as usize));
        Some(Entry { name, is_stream: kind == 2, children: links.to_vec(), start: u32_at(raw, 116)?, size, is_reached: false })
    }

    fn is_lost(&self) -> bool {
        !self.is_reached && !self.name.is_empty() && (!self.is_stream || self.size > 0)
    }
}

fn words(octets: &[u8]) -> Vec<u32> {
    octets.chunks_exact(4).filter_map(|w| u32_at(w, 0)).collect()
}
