//! Macros (MS-OVBA): the source of each module, which lies packed behind what the compiler made of it; and the forms of a project.

use super::{
    compound::Compound,
    little::{size_at, u16_at},
};
use crate::extract::{
    Places, Source, charset, plain,
    reading::{Here, Reading, quoted},
};
use encoding_rs::{Encoding, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

/// Octets that a chunk unpacks to, at most (MS-OVBA 2.4.1.1.5).
const CHUNK: usize = 4096;

/// Reads the macros, or the form, in a storage; false if it holds neither.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, file: &mut Compound<'_>, id: usize) -> bool {
    if let Some(octets) = file.named(id, "PROJECT").filter(|_| file.find(id, "VBA").is_some()) {
        told(reading, here, charset::decode(&octets, Some("windows-1252")).text, "macro project".to_owned());
    }
    if let Some(directory) = file.named(id, "dir").filter(|_| file.find(id, "_VBA_PROJECT").is_some()) {
        modules(reading, here, file, id, &directory);
        return true;
    }
    form(reading, here, file, id)
}

fn modules(reading: &mut Reading<'_>, here: &Here, file: &mut Compound<'_>, id: usize, directory: &[u8]) {
    let project = unpacked(reading, here, directory).and_then(|directory| Project::parse(&directory));
    if project.is_none() {
        reading.damaged(here, "macros");
    }
    let project = project.unwrap_or_default();
    told(reading, here, Cow::Borrowed(&project.words), "macro project".to_owned());
    for child in file.children(id) {
        let entry = file.entry(child);
        let name = entry.name.clone();
        // What the compiler keeps for itself.
        let is_module = entry.is_stream && !matches!(name.as_str(), "dir" | "_VBA_PROJECT") && !name.starts_with("__SRP_");
        if !is_module {
            continue;
        }
        let stream = file.stream(child);
        let listed = project.modules.iter().find(|m| m.stream.eq_ignore_ascii_case(&name));
        let source = listed.and_then(|m| stream.get(m.offset..)).or_else(|| sought(&stream));
        match source.and_then(|packed| unpacked(reading, here, packed)) {
            Some(source) => {
                let (source, _) = project.encoding.decode_without_bom_handling(&source);
                told(reading, here, source, format!("macro {}", quoted(&name)));
            }
            None => reading.damaged(here, "macros"),
        }
    }
}

fn told(reading: &mut Reading<'_>, here: &Here, text: Cow<'_, str>, place: String) {
    reading.text(&here.part, Source::Attachment, plain::clean(text).into_owned(), Places::Named(place));
}

/// The source in a stream that no list names: it begins with attributes, of which the first octets are never packed.
fn sought(stream: &[u8]) -> Option<&[u8]> {
    let at = memchr::memmem::find(stream, b"\0Attribut")?;
    // In front of the first flags stand the header of the chunk and the mark of the whole.
    stream.get(at.checked_sub(3)?..)
}

/// What the packed list of a project says.
struct Project {
    encoding: &'static Encoding,
    modules: Vec<Module>,
    /// What people wrote about the project and its modules.
    words: String,
}

impl Default for Project {
    fn default() -> Project {
        Project { encoding: WINDOWS_1252, modules: Vec::new(), words: String::new() }
    }
}

struct Module {
    stream: String,
    /// Where in its stream the source begins.
    offset: usize,
}

impl Project {
    /// Reads the records of the list (MS-OVBA 2.3.4.2) up to its end.
    fn parse(octets: &[u8]) -> Option<Project> {
        let (mut project, mut name, mut at) = (Project::default(), String::new(), 0);
        loop {
            let (kind, length) = (u16_at(octets, at)?, size_at(octets, at + 2)?);
            // The version is two octets longer than it says.
            let length = if kind == 0x0009 { 6 } else { length };
            let data = octets.get(at + 6..(at + 6).checked_add(length)?)?;
            match kind {
                0x0003 => project.encoding = u16_at(data, 0).map(u32::from).and_then(charset::code_page).unwrap_or(WINDOWS_1252),
                0x001A => name = project.encoding.decode_without_bom_handling(data).0.into_owned(),
                0x0032 if !data.is_empty() => name = UTF_16LE.decode_without_bom_handling(data).0.into_owned(),
                0x0031 => project.modules.push(Module { stream: std::mem::take(&mut name), offset: size_at(data, 0)? }),
                0x0040 | 0x003C | 0x0048 => {
                    project.words.push_str(&UTF_16LE.decode_without_bom_handling(data).0);
                    project.words.push('\n');
                }
                0x0010 => return Some(project),
                _ => {}
            }
            at += 6 + length;
        }
    }
}

/// Unpacks a container within the limits, as far as it goes; `None` where it is none.
fn unpacked(reading: &mut Reading<'_>, here: &Here, packed: &[u8]) -> Option<Vec<u8>> {
    let most = usize::try_from(reading.limits.member.min(reading.expanded_left())).unwrap_or(usize::MAX);
    let mut octets = Vec::new();
    let (mut rest, mut is_whole) = (packed.strip_prefix(&[1])?, true);
    while !rest.is_empty() {
        if octets.len() + CHUNK > most {
            reading.too_large(here, "member");
            break;
        }
        // Behind the last chunk may stand what fills a sector.
        let Some((chunk, is_packed, behind)) = chunk(rest) else {
            is_whole = rest.iter().all(|b| *b == 0);
            break;
        };
        if !is_packed {
            octets.extend_from_slice(&chunk[..chunk.len().min(CHUNK)]);
        } else if unpack(chunk, &mut octets).is_none() {
            is_whole = false;
            break;
        }
        rest = behind;
    }
    reading.expanded(octets.len());
    if !is_whole {
        reading.damaged(here, "macros");
    }
    Some(octets)
}

/// The data of a chunk, whether they are packed, and what follows (MS-OVBA 2.4.1.1.5).
fn chunk(octets: &[u8]) -> Option<(&[u8], bool, &[u8])> {
    const SIGNATURE: u16 = 3;
    let header = u16_at(octets, 0)?;
    let length = usize::from(header & 0xFFF) + 1;
    let rest = &octets[2..];
    let (data, behind) = rest.split_at(length.min(rest.len()));
    (header >> 12 & 7 == SIGNATURE && data.len() == length).then_some((data, header >> 15 == 1, behind))
}

/// Flags for eight tokens each: an octet, or what stood some octets before (MS-OVBA 2.4.1.3.5).
fn unpack(chunk: &[u8], octets: &mut Vec<u8>) -> Option<()> {
    let start = octets.len();
    let mut at = 0;
    while let Some(flags) = chunk.get(at) {
        at += 1;
        for bit in 0..8 {
            let Some(&octet) = chunk.get(at) else { break };
            if flags >> bit & 1 == 0 {
                octets.push(octet);
                at += 1;
                continue;
            }
            let token = u16_at(chunk, at)?;
            at += 2;
            // As many bits as it takes to reach back to the start of the chunk, four at least; the others are the length.
            let so_far = octets.len() - start;
            let bits = so_far.checked_next_power_of_two()?.trailing_zeros().max(4);
            let length = usize::from(token & 0xFFFF_u16.checked_shr(bits)?) + 3;
            let back = usize::from(token >> (16_u32.checked_sub(bits)?)) + 1;
            if back > so_far || so_far + length > CHUNK {
                return None;
            }
            for _ in 0..length {
                octets.push(octets[octets.len() - back]);
            }
        }
    }
    Some(())
}

/// A form: its description as text, and the texts of its controls, told by their shape (MS-OFORMS 2.2).
fn form(reading: &mut Reading<'_>, here: &Here, file: &mut Compound<'_>, id: usize) -> bool {
    const DESCRIPTION: &str = "\u{3}VBFrame";
    let is_form = file.find(id, "f").is_some() && file.find(id, "o").is_some();
    let description = file.named(id, DESCRIPTION);
    if !is_form && description.is_none() {
        return false;
    }
    let mut text = charset::decode(&description.unwrap_or_default(), Some("windows-1252")).text.into_owned();
    for name in ["f", "o"] {
        words(&file.named(id, name).unwrap_or_default(), &mut text);
    }
    told(reading, here, Cow::Owned(text), "macro form".to_owned());
    true
}

/// Runs of four letters or more, one a line; in one octet or two each.
fn words(octets: &[u8], out: &mut String) {
    const SHORTEST: usize = 4;
    let is_letter = |b: u8| b >= 0x20 && b != 0x7F;
    let mut run = Vec::new();
    let mut at = 0;
    while at <= octets.len() {
        match octets.get(at) {
            Some(&b) if is_letter(b) => {
                run.push(b);
                // A letter of two octets.
                at += if octets.get(at + 1) == Some(&0) && octets.get(at + 2).is_some_and(|b| is_letter(*b)) { 2 } else { 1 };
            }
            _ => {
                if run.len() >= SHORTEST {
                    out.push_str(&WINDOWS_1252.decode_without_bom_handling(&run).0);
                    out.push('\n');
                }
                run.clear();
                at += 1;
            }
        }
    }
}
