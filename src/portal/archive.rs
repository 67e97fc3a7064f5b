//! `/r/<grant>/all`: every attachment in one ZIP, made while it is sent.
//!
//! Written here and not by the `zip` crate: that one wants a `Write` to fill, and can't say how long its archive will be. We know every size before
//! the first octet, so the answer has its exact length, and a browser sees that a download broke off. Nothing is compressed: documents are already.
//!
//! The form is APPNOTE.TXT 6.3.10: stored entries, whose checksum comes behind them (4.3.9), ZIP64 where something is too long for 32 bits (4.5.3).

use super::{
    answer::{Form, Page, Refusal, Visit, see_other, with},
    files, guard,
    names::{disposition, safe_name, unlike},
    pieces::Pieces,
    read,
    session::Open,
};
use crate::{
    record::{Fact, Part},
    secret::Id,
    time::Time,
};
use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, StatusCode, header},
};
use flate2::Crc;
use std::{collections::HashSet, io};
use tokio::sync::mpsc;

/// From here on a size or place needs 64 bits.
const MAX_32: u64 = 0xffff_ffff;
/// From here on the number of entries does.
const MAX_16: u64 = 0xffff;
/// The checksum comes behind the content, and names are UTF-8 (4.4.4).
const FLAGS: u16 = 0x0808;
/// What a reader must be able to do: ZIP64 (4.4.3).
const NEEDED: u16 = 45;

/// Notes each file as downloaded, then sends the browser to the archive: GET notes nothing.
pub(super) async fn note(visit: &mut Visit, grant: Id, form: &Form) -> Result<Page, Refusal> {
    let open = Open::find(visit, grant).await?;
    form.came_from(&open.cookie)?;
    let numbers: Vec<usize> = wanted(visit, &open).await?.into_iter().map(|(number, _)| number).collect();
    files::note_had(visit, open.granted.grant.value.message, grant, &numbers, Fact::Downloaded).await?;
    see_other(&format!("/r/{grant}/all"))
}

/// The archive.
pub(super) async fn get(visit: &mut Visit, grant: Id) -> Result<Page, Refusal> {
    guard::not_embedded_elsewhere(&visit.headers)?;
    let open = Open::find(visit, grant).await?;
    visit.suggest(&open.granted.message.value.language);
    let (mut entries, mut contents, mut taken) = (Vec::new(), Vec::new(), HashSet::new());
    for (_, part) in wanted(visit, &open).await? {
        // All of them before the first is sent: what is missing gets a page that says so.
        let pieces = Pieces::of(visit, &open, &part).await?;
        entries.push(Entry { name: unlike(&mut taken, safe_name(&part.name, &part.media_type)), size_bytes: pieces.length() });
        contents.push(pieces);
    }
    let layout = Layout { entries, at: dos_time(visit.now) };
    let name = format!("{}.zip", visit.templates.text(visit.language(), "files-archive", &[]));
    let length = layout.length();
    let mut page = with(StatusCode::OK, "application/zip", Body::from_stream(stream(layout, contents)));
    let headers = page.headers_mut();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(header::CONTENT_DISPOSITION, disposition("attachment", &safe_name(&name, "application/zip")));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(files::FILE_POLICY));
    Ok(page)
}

/// The files that the page lists as attachments, with their numbers.
async fn wanted(visit: &Visit, open: &Open) -> Result<Vec<(usize, Part)>, Refusal> {
    let card = read::card(visit, open).await?;
    let files: Vec<_> = card.files.iter().cloned().enumerate().filter(|(_, part)| !read::is_in_text(&card, part)).collect();
    if files.is_empty() { Err(Refusal::Missing) } else { Ok(files) }
}

/// Sends the archive as fast as it is taken: one piece is ready while another is opened.
fn stream(layout: Layout, contents: Vec<Pieces>) -> impl futures_util::Stream<Item = Result<Bytes, io::Error>> + Send {
    let (to, mut from) = mpsc::channel(1);
    tokio::spawn(async move {
        // Whoever went away needs no ending; anybody else hears that this is none.
        if let Err(Broken::Damaged) = write(&to, layout, contents).await {
            let _ = to.send(Err(io::ErrorKind::InvalidData.into())).await;
        }
    });
    futures_util::stream::poll_fn(move |cx| from.poll_recv(cx))
}

/// Why an archive has no end.
enum Broken {
    /// Nobody takes it any more.
    Left,
    /// A part of it does not open.
    Damaged,
}

async fn write(to: &mpsc::Sender<Result<Bytes, io::Error>>, layout: Layout, contents: Vec<Pieces>) -> Result<(), Broken> {
    let send = async |octets: Bytes| to.send(Ok(octets)).await.map_err(|_| Broken::Left);
    let (mut sums, mut place, mut places) = (Vec::new(), 0, Vec::new());
    for (entry, pieces) in layout.entries.iter().zip(&contents) {
        let head = layout.head(entry);
        places.push(place);
        place += head.len() as u64 + entry.size_bytes;
        send(head.into()).await?;
        let (mut left, mut sum) = (0..entry.size_bytes, Crc::new());
        while !left.is_empty() {
            let piece = pieces.first_of(&left).await.map_err(|_| Broken::Damaged)?;
            left.start += piece.len() as u64;
            sum.update(&piece);
            send(piece).await?;
        }
        let tail = Layout::tail(entry, sum.sum());
        place += tail.len() as u64;
        send(tail.into()).await?;
        sums.push(sum.sum());
    }
    send(layout.directory(&sums, &places).into()).await
}

/// A file of an archive.
#[derive(Clone)]
struct Entry {
    name: String,
    size_bytes: u64,
}

impl Entry {
    fn is_long(&self) -> bool {
        self.size_bytes >= MAX_32
    }

    fn size(&self) -> u32 {
        u32::try_from(self.size_bytes).unwrap_or(u32::MAX)
    }
}

/// What an archive consists of beside the contents.
struct Layout {
    entries: Vec<Entry>,
    /// Time and date of every entry (4.4.6).
    at: (u16, u16),
}

impl Layout {
    /// How long the archive is.
    fn length(&self) -> u64 {
        let mut place = 0;
        let mut places = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            places.push(place);
            place += self.head(entry).len() as u64 + entry.size_bytes + Layout::tail(entry, 0).len() as u64;
        }
        place + self.directory(&vec![0; places.len()], &places).len() as u64
    }

    /// What stands before a content (4.3.7). Its sizes and sum follow it.
    fn head(&self, entry: &Entry) -> Vec<u8> {
        let size: u32 = if entry.is_long() { u32::MAX } else { 0 };
        let extra = if entry.is_long() { extra(&[0, 0]) } else { Vec::new() };
        let mut head = Writer::default();
        head.u32(0x0403_4b50).u16(NEEDED).u16(FLAGS).u16(0).u16(self.at.0).u16(self.at.1).u32(0).u32(size).u32(size);
        head.length(&entry.name).u16(extra.len() as u16).octets(entry.name.as_bytes()).octets(&extra);
        head.0
    }

    /// What stands behind it (4.3.9).
    fn tail(entry: &Entry, sum: u32) -> Vec<u8> {
        let mut tail = Writer::default();
        tail.u32(0x0807_4b50).u32(sum);
        if entry.is_long() {
            tail.u64(entry.size_bytes).u64(entry.size_bytes);
        } else {
            tail.u32(entry.size()).u32(entry.size());
        }
        tail.0
    }

    /// The list at the end (4.3.12 to 4.3.16).
    fn directory(&self, sums: &[u32], places: &[u64]) -> Vec<u8> {
        let mut all = Writer::default();
        for ((entry, sum), place) in self.entries.iter().zip(sums).zip(places) {
            let mut long = Vec::new();
            if entry.is_long() {
                long.extend([entry.size_bytes; 2]);
            }
            if *place >= MAX_32 {
                long.push(*place);
            }
            let extra = if long.is_empty() { Vec::new() } else { extra(&long) };
            // Made on Unix, an ordinary file that its owner may write and others read.
            all.u32(0x0201_4b50).u16(0x0300 | NEEDED).u16(NEEDED).u16(FLAGS).u16(0).u16(self.at.0).u16(self.at.1);
            all.u32(*sum).u32(entry.size()).u32(entry.size()).length(&entry.name).u16(extra.len() as u16);
            all.u16(0).u16(0).u16(0).u32(0o100_644 << 16).u32(u32::try_from(*place).unwrap_or(u32::MAX));
            all.octets(entry.name.as_bytes()).octets(&extra);
        }
        let (count, length) = (self.entries.len() as u64, all.0.len() as u64);
        let last = self.entries.last().zip(places.last());
        let start = last.map_or(0, |(e, p)| p + self.head(e).len() as u64 + e.size_bytes + Layout::tail(e, 0).len() as u64);
        if count >= MAX_16 || start >= MAX_32 || length >= MAX_32 {
            all.u32(0x0606_4b50).u64(44).u16(0x0300 | NEEDED).u16(NEEDED).u32(0).u32(0).u64(count).u64(count).u64(length).u64(start);
            all.u32(0x0706_4b50).u32(0).u64(start + length).u32(1);
        }
        let short = u16::try_from(count).unwrap_or(u16::MAX);
        let cut = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        all.u32(0x0605_4b50).u16(0).u16(0).u16(short).u16(short).u32(cut(length)).u32(cut(start)).u16(0);
        all.0
    }
}

/// The extra field of ZIP64 (4.5.3).
fn extra(values: &[u64]) -> Vec<u8> {
    let mut extra = Writer::default();
    extra.u16(1).u16(8 * values.len() as u16);
    for value in values {
        extra.u64(*value);
    }
    extra.0
}

/// Numbers with the lowest octet first.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn octets(&mut self, octets: &[u8]) -> &mut Writer {
        self.0.extend_from_slice(octets);
        self
    }

    fn u16(&mut self, n: u16) -> &mut Writer {
        self.octets(&n.to_le_bytes())
    }

    fn u32(&mut self, n: u32) -> &mut Writer {
        self.octets(&n.to_le_bytes())
    }

    fn u64(&mut self, n: u64) -> &mut Writer {
        self.octets(&n.to_le_bytes())
    }

    /// A name's: names are a file system's, at most 255 octets.
    fn length(&mut self, name: &str) -> &mut Writer {
        self.u16(name.len() as u16)
    }
}

/// A moment as MS-DOS tells it, on the organisation's clock.
fn dos_time(at: Time) -> (u16, u16) {
    let local = at.local();
    let part = |n: i8| u16::try_from(n).unwrap_or(0);
    let time = (part(local.hour()) << 11) | (part(local.minute()) << 5) | (part(local.second()) / 2);
    let year = u16::try_from(local.year() - 1980).unwrap_or(0).min(127);
    (time, (year << 9) | (part(local.month()) << 5) | part(local.day()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    /// An archive of these contents.
    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let entries = files.iter().map(|(name, octets)| Entry { name: (*name).to_owned(), size_bytes: octets.len() as u64 }).collect();
        let layout = Layout { entries, at: dos_time(Time::from_millis(1_791_790_000_000)) };
        let (mut all, mut sums, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for (entry, (_, octets)) in layout.entries.iter().zip(files) {
            let mut sum = Crc::new();
            sum.update(octets);
            places.push(all.len() as u64);
            all.extend(layout.head(entry));
            all.extend(*octets);
            all.extend(Layout::tail(entry, sum.sum()));
            sums.push(sum.sum());
        }
        all.extend(layout.directory(&sums, &places));
        assert_eq!(all.len() as u64, layout.length());
        all
    }

    #[test]
    fn an_archive_opens_with_every_name_and_content() {
        let files: [(&str, &[u8]); 3] = [("één.txt", b"een"), ("leeg", b""), ("x (2).pdf", &[7; 70_000])];
        let mut opened = zip::ZipArchive::new(io::Cursor::new(archive(&files))).unwrap();
        assert_eq!(opened.len(), 3);
        for (n, (name, content)) in files.iter().enumerate() {
            let mut file = opened.by_index(n).unwrap();
            let mut octets = Vec::new();
            file.read_to_end(&mut octets).unwrap();
            assert_eq!((&*file.name().unwrap(), octets.as_slice(), file.last_modified().unwrap().year()), (*name, *content, 2026));
        }
    }

    /// A file that has holes where the contents are: reading the list needs nothing else.
    struct Sparse {
        pieces: Vec<(u64, Vec<u8>)>,
        length: u64,
        at: u64,
    }

    impl io::Read for Sparse {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = usize::try_from((self.length - self.at).min(into.len() as u64)).unwrap();
            into[..count].fill(0);
            for (start, octets) in &self.pieces {
                for (n, octet) in octets.iter().enumerate() {
                    if let Some(place) = (start + n as u64).checked_sub(self.at).filter(|p| *p < count as u64) {
                        into[usize::try_from(place).unwrap()] = *octet;
                    }
                }
            }
            self.at += count as u64;
            Ok(count)
        }
    }

    impl io::Seek for Sparse {
        fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
            self.at = match to {
                io::SeekFrom::Start(n) => n,
                io::SeekFrom::End(n) => self.length.checked_add_signed(n).unwrap(),
                io::SeekFrom::Current(n) => self.at.checked_add_signed(n).unwrap(),
            };
            Ok(self.at)
        }
    }

    #[test]
    fn an_archive_beyond_four_gigabytes_opens() {
        let entries: Vec<_> = [("groot.bin", 5 << 30), ("klein.txt", 3), ("grens.bin", MAX_32), ("net niet.bin", MAX_32 - 1)]
            .map(|(name, size_bytes)| Entry { name: name.to_owned(), size_bytes })
            .into();
        let layout = Layout { entries: entries.clone(), at: (0, 33) };
        let (mut pieces, mut places, mut at) = (Vec::new(), Vec::new(), 0);
        for entry in &entries {
            places.push(at);
            let (head, tail) = (layout.head(entry), Layout::tail(entry, 0));
            let behind = at + head.len() as u64 + entry.size_bytes;
            pieces.push((at, head));
            at = behind + tail.len() as u64;
            pieces.push((behind, tail));
        }
        pieces.push((at, layout.directory(&[0; 4], &places)));
        let mut opened = zip::ZipArchive::new(Sparse { pieces, length: layout.length(), at: 0 }).unwrap();
        for (n, entry) in entries.iter().enumerate() {
            let file = opened.by_index_raw(n).unwrap();
            assert_eq!((&*file.name().unwrap(), file.size()), (entry.name.as_str(), entry.size_bytes));
        }
    }
}
