//! RAR, 1.3 to 7.

use super::{MOST_MEMORY, Ratio};
use crate::extract::{
    Places, ProblemKind, Source, plain,
    reading::{Here, Reading},
};
use bytes::Bytes;
use rars::{Archive, ArchiveMember, ArchiveReadOptions, ArchiveReader, ErrorKind, ExtractionDecision, ExtractionOutcome};
use std::{
    cell::RefCell,
    io::{self, Write},
    mem,
    rc::Rc,
};

/// Octets of all headers together: names of ten thousand members.
const MOST_HEADER_OCTETS: u64 = 16 << 20;

/// The format has room for less.
const MOST_COMMENT_OCTETS: u64 = 1 << 20;

/// Reads every member. Those of a solid archive depend on the ones before: they are unpacked in one pass, which ends at the first fault.
pub(in crate::extract) fn read(reading: &mut Reading<'_>, here: &Here, octets: &Bytes) {
    let headers =
        ArchiveReadOptions::new().with_max_header_bytes(MOST_HEADER_OCTETS).with_max_header_count(reading.limits.members as u64 * 2);
    let archive = match ArchiveReader::read_with_options(octets, headers) {
        Ok(archive) => archive,
        Err(error) => return refused(reading, here, &error),
    };
    // Zeros may fill the last block.
    let behind = end(octets).and_then(|end| octets.get(end..));
    if behind.is_none_or(|behind| behind.iter().any(|octet| *octet != 0)) {
        reading.damaged(here, "rar");
    }
    let options = ArchiveReadOptions::new().with_max_member_output_bytes(MOST_COMMENT_OCTETS).with_max_reader_workspace_bytes(MOST_MEMORY);
    match archive.comment_with_options(options) {
        Ok(comment) => {
            let comment = plain::clean(String::from_utf8_lossy(&comment.unwrap_or_default())).into_owned();
            reading.text(&here.part, Source::Attachment, comment, Places::Named("comment".into()));
        }
        Err(error) => refused(reading, here, &error),
    }
    let members: Vec<ArchiveMember> = archive.members().collect();
    let is_solid = archive.is_solid();
    let ratio = Ratio::new(reading, octets);
    let mut pass = Pass { reading, here, ratio, is_solid, next: 0, first: 0, current: None, is_over: false };
    while pass.first < members.len() {
        let end = pass.run(&archive);
        let error = match end {
            Ok(()) => return,
            Err(error) => error,
        };
        // What comes behind is independent, or lost.
        let lost = if is_solid { members.len() } else { pass.next.max(pass.first + 1) };
        for member in members.get(pass.next.max(pass.first)..lost).unwrap_or_default().iter().filter(|member| !member.meta.is_directory) {
            let Some(inner) = pass.reading.enter(here, &member.meta.name_lossy()) else { return };
            refused(pass.reading, &inner, &error);
        }
        (pass.first, pass.is_over) = (lost, pass.is_over && is_solid);
    }
}

/// One pass over the members.
struct Pass<'r, 'l> {
    reading: &'r mut Reading<'l>,
    here: &'r Here,
    ratio: Ratio,
    is_solid: bool,
    /// The first member that is read in this pass; those before it were.
    first: usize,
    /// The member that comes next.
    next: usize,
    /// The one that is being unpacked.
    current: Option<Unpacking>,
    /// Whether nothing more may come out.
    is_over: bool,
}

struct Unpacking {
    here: Here,
    name: String,
    most: u64,
    taken: Rc<RefCell<Taken>>,
}

impl Pass<'_, '_> {
    /// Unpacks until the end, or the first fault, of which the member that it is about has been told.
    fn run(&mut self, archive: &Archive) -> Result<(), rars::Error> {
        self.next = 0;
        let options = ArchiveReadOptions::new().with_max_reader_workspace_bytes(MOST_MEMORY).with_rar50_dictionary_size_limit(MOST_MEMORY);
        let end = archive.extract_with_control(options, |member| {
            self.finish(None);
            self.decide(member)
        });
        self.finish(end.as_ref().err());
        match end {
            Ok(ExtractionOutcome::Complete | ExtractionOutcome::Stopped) => Ok(()),
            Err(_) if self.is_over => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn decide(&mut self, member: &ArchiveMember) -> Result<ExtractionDecision, rars::Error> {
        let index = self.next;
        self.next += 1;
        if self.is_over {
            return Ok(ExtractionDecision::Stop);
        }
        if index < self.first || member.meta.is_directory {
            return Ok(ExtractionDecision::Skip);
        }
        let name = member.meta.name_lossy();
        let Some(inner) = self.reading.enter(self.here, &name) else { return Ok(ExtractionDecision::Stop) };
        if let rars::ArchiveMemberDetail::Rar50Plus { redirection: Some(link), .. } = &member.detail {
            let target = plain::clean(String::from_utf8_lossy(&link.target_name)).into_owned();
            self.reading.text(&inner.part, Source::FileName, target, Places::None);
            return Ok(ExtractionDecision::Skip);
        }
        if member.meta.is_encrypted || member.meta.is_split_before || member.meta.is_split_after {
            match member.meta.is_encrypted {
                true => self.reading.problem(&inner.part, None, ProblemKind::Encrypted, "rar"),
                false => self.reading.unsupported(&inner, "volume"),
            }
            return match (self.is_solid, member.meta.is_encrypted) {
                (false, _) => Ok(ExtractionDecision::Skip),
                (true, true) => Err(rars::Error::FeatureDisabled { feature: "encryption" }),
                (true, false) => Err(rars::Error::CannotSkipSolidMember),
            };
        }
        let most = self.reading.limits.member.min(self.reading.expanded_left()).min(self.ratio.0);
        let taken = Rc::new(RefCell::new(Taken::default()));
        self.current = Some(Unpacking { here: inner, name, most, taken: taken.clone() });
        // Of a solid archive the rest of a large member is unpacked for those behind it, as long as anything may come out.
        let all = if self.is_solid { self.reading.expanded_left().min(self.ratio.0) } else { most };
        Ok(ExtractionDecision::Extract(Box::new(Sink { taken, most, all })))
    }

    /// Reads what came out of the member that was being unpacked, as far as it came.
    fn finish(&mut self, error: Option<&rars::Error>) {
        let Some(Unpacking { here, name, most, taken }) = self.current.take() else { return };
        let taken = mem::take(&mut *taken.borrow_mut());
        self.reading.expanded(usize::try_from(taken.count).unwrap_or(usize::MAX));
        self.ratio.0 = self.ratio.0.saturating_sub(taken.count);
        if taken.count > most {
            let is_member = most == self.reading.limits.member;
            let reason = if is_member {
                "member"
            } else if self.ratio.0 == 0 {
                "ratio"
            } else {
                "expanded"
            };
            self.reading.too_large(&here, reason);
            if !is_member || (error.is_some() && self.is_solid) {
                self.is_over = true;
                self.reading.too_large(self.here, reason);
            }
            if !is_member {
                return;
            }
        } else if let Some(error) = error {
            refused(self.reading, &here, error);
        }
        self.reading.open(&here, &name, "", Bytes::from(taken.octets));
    }
}

/// What came out of a member.
#[derive(Default)]
struct Taken {
    octets: Vec<u8>,
    /// With those that were not kept.
    count: u64,
}

/// Takes what comes out of a member: keeps the first `most` octets, and refuses more than `all`.
struct Sink {
    taken: Rc<RefCell<Taken>>,
    most: u64,
    all: u64,
}

impl Write for Sink {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut taken = self.taken.borrow_mut();
        let room = self.most.saturating_sub(taken.count).min(octets.len() as u64);
        taken.octets.extend_from_slice(octets.get(..usize::try_from(room).unwrap_or(0)).unwrap_or_default());
        taken.count += octets.len() as u64;
        if taken.count > self.all { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(octets.len()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
/// Where the block that ends an archive ends itself: without it one that was cut between two members reads like a whole one. Programs before
/// RAR 3 wrote none, so theirs are told to be damaged, and read.
fn end(octets: &[u8]) -> Option<usize> {
    if octets.starts_with(b"RE~^") {
        return Some(octets.len());
    }
    let is_newest = octets.starts_with(b"Rar!\x1A\x07\x01");
    let (mut at, last) = if is_newest { (8, 5) } else { (7, 0x7B) };
    loop {
        let (kind, length) = if is_newest { newest_block(octets.get(at..)?) } else { block(octets.get(at..)?) }?;
        at = at.checked_add(length)?;
        if kind == last {
            return (at <= octets.len()).then_some(at);
        }
    }
}

/// Type and length, with its data, of a block of RAR 1.5 to 4 (technote.txt of RAR 4).
fn block(octets: &[u8]) -> Option<(u64, usize)> {
    let long = |at: usize| Some(u64::from(u32::from_le_bytes(octets.get(at..at + 4)?.try_into().ok()?)));
    let (kind, flags) = (*octets.get(2)?, u16::from_le_bytes([*octets.get(3)?, *octets.get(4)?]));
    let size = u64::from(u16::from_le_bytes([*octets.get(5)?, *octets.get(6)?])).max(7);
    let is_file = matches!(kind, 0x74 | 0x7A);
    let data = if is_file || flags & 0x8000 != 0 { long(7)? } else { 0 };
    let high = if is_file && flags & 0x100 != 0 { long(32)? } else { 0 };
    Some((u64::from(kind), usize::try_from(size + data + (high << 32)).ok()?))
}

/// The same of RAR 5 (technote.txt of RAR 5): checksum, length, type, flags, then how long the extra area and the data are.
fn newest_block(octets: &[u8]) -> Option<(u64, usize)> {
    let mut at = 4;
    let size = number(octets, &mut at)?;
    let header = at;
    let (kind, flags) = (number(octets, &mut at)?, number(octets, &mut at)?);
    if flags & 1 != 0 {
        number(octets, &mut at)?;
    }
    let data = if flags & 2 != 0 { number(octets, &mut at)? } else { 0 };
    Some((kind, header.checked_add(usize::try_from(size.checked_add(data)?).ok()?)?))
}

/// Seven bits an octet, the lowest first.
fn number(octets: &[u8], at: &mut usize) -> Option<u64> {
    let mut number = 0;
    for place in 0..9 {
        let octet = *octets.get(*at)?;
        *at += 1;
        number |= u64::from(octet & 0x7F) << (7 * place);
        if octet & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn refused(reading: &mut Reading<'_>, here: &Here, error: &rars::Error) {
    if let rars::Error::FeatureDisabled { feature: "encryption" } = error.root_cause() {
        return reading.problem(&here.part, None, ProblemKind::Encrypted, "rar");
    }
    if let rars::Error::CannotSkipSolidMember = error.root_cause() {
        return reading.unsupported(here, "volume");
    }
    match error.kind() {
        ErrorKind::PasswordRequired | ErrorKind::BadPassword => reading.problem(&here.part, None, ProblemKind::Encrypted, "rar"),
        ErrorKind::UnsupportedFormat | ErrorKind::UnsupportedFeature => reading.unsupported(here, "compression"),
        ErrorKind::ResourceLimit => reading.too_large(here, "member"),
        _ => reading.damaged(here, "rar"),
    }
}
