//! What zegel and a worker say to each other.
//!
//! A request is a head, its length in front of it, and behind it the octets of the part, unless those come as a file descriptor. The answer is
//! frames, each told as it arises: texts, problems, facts, pictures to be looked at, and that this was all. Both ends are the same program, so there is no version.
//!
//! A worker has opened a stranger's file, and may be his by now. So [`Answer`] takes no more than a reader may give, and nothing that is not well
//! formed: UTF-8, the worker's own part, reasons from the list, places and stretches within their text and in order.

use crate::extract::{
    self, Cell, ENTRY_OCTETS, Extraction, Fact, FactKind, Limits, Picture, Piece, Places, Problem, ProblemKind, Source, Span, Text,
    UNLISTED, Unopened,
};
use std::ops::Range;

/// Octets of a part's or place's name: six containers of 200 characters each, written as `\u{10ffff}` if need be, stay below.
const NAME: usize = 64 << 10;

/// Places within each other: a comment, of a sheet, of a document in a document.
const NESTED: usize = 3;

/// What stands before each frame: its kind, its length, and how much of that is text.
pub const HEADER: usize = 9;

const TEXT: u8 = b'T';
const PROBLEM: u8 = b'P';
const FACT: u8 = b'F';
const PICTURE: u8 = b'I';
const DONE: u8 = b'D';

/// Why an answer is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// More than a reader may give.
    TooMuch,
    /// Not what a reader of ours says.
    Malformed,
}

/// How a worker says that it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything has been read, or told.
    Well,
    /// The reader panicked on the way.
    Panicked,
}

/// How the octets of a part reach the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Behind the head.
    Inline,
    /// As a file descriptor beside it.
    Descriptor,
}

/// What a worker is asked to read; the octets follow.
#[derive(Debug)]
pub struct Request {
    /// The part, its octets still missing.
    pub part: Unopened,
    /// How many octets it has.
    pub size: usize,
    /// How they come.
    pub way: Way,
    /// What reading it may cost.
    pub limits: Limits,
}

/// A request for `part`, up to its octets, of which there are `size`.
#[must_use]
pub fn request(part: &Unopened, size: usize, limits: &Limits, way: Way) -> Vec<u8> {
    let mut head = vec![0; 4];
    head.push(u8::from(way == Way::Descriptor));
    put_number(&mut head, size as u64);
    for text in [&part.part, &part.name, &part.media_type] {
        put_text(&mut head, text);
    }
    head.push(part.depth);
    put_limits(&mut head, limits);
    let length = u32::try_from(head.len() - 4).unwrap_or(u32::MAX);
    head[..4].copy_from_slice(&length.to_le_bytes());
    head
}

/// Reads the head of a request, without its length.
#[must_use]
pub fn parse_request(head: &[u8]) -> Option<Request> {
    let mut rest = Rest(head);
    let way = if rest.octet()? == 0 { Way::Inline } else { Way::Descriptor };
    let size = rest.size()?;
    let mut text = || rest.text(usize::MAX);
    let (part, name, media_type) = (text()?, text()?, text()?);
    let part = Unopened { part, name, media_type, depth: rest.octet()?, at: 0, octets: bytes::Bytes::new() };
    let limits = take_limits(&mut rest)?;
    rest.0.is_empty().then_some(Request { part, size, way, limits })
}

/// One list of the limits for both directions; the compiler misses none that is added.
macro_rules! limits {
    ($($limit:ident)*) => {
        fn put_limits(out: &mut Vec<u8>, limits: &Limits) {
            let Limits { $($limit),* } = limits;
            $(put_number(out, u64::try_from(*$limit).unwrap_or(u64::MAX));)*
        }

        fn take_limits(rest: &mut Rest<'_>) -> Option<Limits> {
            Some(Limits { $($limit: rest.number()?.try_into().ok()?),* })
        }
    };
}
limits!(depth expanded member sheet ratio ratio_from members text beside pages cells operations document_operations form_depth annotations map_entries pictures picture_octets);

/// Writes what came out of a reader as a frame.
///
/// Places and stretches that a text lost when it was cut at its limit are brought back into it.
pub fn put(out: &mut Vec<u8>, piece: Piece) {
    match piece {
        Piece::Text(text) => put_piece(out, TEXT, text.text.as_bytes(), |out| put_beside(out, &text)),
        Piece::Problem(problem) => put_piece(out, PROBLEM, &[], |out| put_problem(out, &problem)),
        Piece::Fact(fact) => put_piece(out, FACT, &[], |out| {
            put_text(out, &fact.part);
            out.extend(FactKind::ALL.iter().position(|kind| *kind == fact.kind).and_then(|at| u8::try_from(at).ok()));
        }),
        Piece::Picture(picture) => put_piece(out, PICTURE, &picture.octets, |out| {
            put_text(out, &picture.part);
            put_number(out, picture.page.unwrap_or(0) as u64);
        }),
    }
}

/// What stands before and behind a long text in its frame: so its octets need not be copied into one.
pub fn around(text: &Text) -> ([u8; HEADER], Vec<u8>) {
    let mut beside = Vec::new();
    put_beside(&mut beside, text);
    (header(TEXT, text.text.len() + beside.len(), text.text.len()), beside)
}

/// Writes that this was all.
pub fn put_done(out: &mut Vec<u8>, ended: Ended) {
    put_piece(out, DONE, &[], |out| out.push(u8::from(ended == Ended::Panicked)));
}

fn put_piece(out: &mut Vec<u8>, kind: u8, text: &[u8], beside: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend([0; HEADER]);
    out.extend(text);
    beside(out);
    let header = header(kind, out.len() - start - HEADER, text.len());
    out[start..start + HEADER].copy_from_slice(&header);
}

fn header(kind: u8, body: usize, text: usize) -> [u8; HEADER] {
    // Of more than 4 GiB, which no worker can hold, the far end would see a length that does not fit.
    let length = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
    let mut header = [kind; HEADER];
    header[1..5].copy_from_slice(&length(body));
    header[5..9].copy_from_slice(&length(text));
    header
}

fn put_beside(out: &mut Vec<u8>, text: &Text) {
    put_text(out, &text.part);
    out.push(match text.source {
        Source::Subject => 0,
        Source::Body => 1,
        Source::Attachment => 2,
        Source::FileName => 3,
        Source::Properties => 4,
    });
    put_places(out, text, &text.places, NESTED);
    put_number(out, text.spans.len() as u64);
    let mut last = 0;
    for (range, span) in &text.spans {
        let within = |at: usize| text.text.floor_char_boundary(at.min(text.text.len()));
        let start = within(range.start).max(last);
        put_number(out, (start - last) as u64);
        put_number(out, within(range.end).saturating_sub(start) as u64);
        out.push(match span {
            Span::Hidden => 0,
            Span::Alternative => 1,
            Span::Padded => 2,
        });
        last = start;
    }
}

/// `nested` places may still lie in each other.
fn put_places(out: &mut Vec<u8>, text: &Text, places: &Places, nested: usize) {
    // Offsets ascend: told is how much further each lies.
    let mut last = 0;
    let mut further = |at: usize| {
        let at = at.min(text.text.len()).max(last);
        let further = at - last;
        last = at;
        further as u64
    };
    match places {
        Places::None => out.push(0),
        Places::Lines => out.push(1),
        Places::Named(name) => {
            out.push(2);
            put_text(out, name);
        }
        Places::Properties => out.push(6),
        Places::Within(what, places) => {
            // What lies too deep is told by its outer name alone.
            out.push(if nested > 0 { 7 } else { 2 });
            put_text(out, what);
            if nested > 0 {
                put_places(out, text, places, nested - 1);
            }
        }
        Places::Pages(starts) | Places::Slides(starts) => {
            out.push(if matches!(places, Places::Pages(_)) { 3 } else { 5 });
            put_number(out, starts.len() as u64);
            starts.iter().for_each(|start| put_number(out, further(*start)));
        }
        Places::Cells(starts) => {
            out.push(4);
            put_number(out, starts.len() as u64);
            for (start, Cell { sheet, row, column }) in starts {
                put_number(out, further(*start));
                [sheet, row, column].into_iter().for_each(|n| put_number(out, u64::from(*n)));
            }
        }
    }
}

fn put_problem(out: &mut Vec<u8>, problem: &Problem) {
    put_text(out, &problem.part);
    put_text(out, problem.place.as_deref().unwrap_or_default());
    // Both ends have the one list of kinds.
    out.extend(ProblemKind::ALL.iter().position(|kind| *kind == problem.kind).and_then(|at| u8::try_from(at).ok()));
    put_text(out, problem.reason);
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put_number(out, text.len() as u64);
    out.extend(text.as_bytes());
}

/// The length of a frame's body, and how much of that is text, once [`Answer::header`] has found them bearable.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    kind: u8,
    /// Octets of the body.
    pub body: usize,
    text: usize,
}

/// What a worker has answered so far. The default takes nothing.
#[derive(Debug, Default)]
pub struct Answer {
    /// What came out.
    pub extraction: Extraction,
    /// What is to be looked at.
    pub pictures: Vec<Picture>,
    part: String,
    text_left: usize,
    beside_left: usize,
    pictures_left: usize,
    picture_octets_left: usize,
}

impl Answer {
    /// Nothing yet, about this part.
    #[must_use]
    pub fn new(part: &Unopened, limits: &Limits) -> Answer {
        Answer {
            part: part.part.clone(),
            text_left: limits.text,
            beside_left: limits.beside,
            pictures_left: limits.pictures,
            picture_octets_left: limits.picture_octets,
            ..Answer::default()
        }
    }

    /// What stands before a frame. Its body may be waited for: it is not more than may still come.
    ///
    /// # Errors
    /// Why the answer is not taken.
    pub fn header(&mut self, header: [u8; HEADER]) -> Result<Header, Refused> {
        let [kind, a, b, c, d, e, f, g, h] = header;
        if ![TEXT, PROBLEM, FACT, PICTURE, DONE].contains(&kind) {
            return Err(Refused::Malformed);
        }
        let length = |octets| u32::from_le_bytes(octets) as usize;
        let (body, text) = (length([a, b, c, d]), length([e, f, g, h]));
        let beside = body.checked_sub(text).ok_or(Refused::Malformed)?;
        let left = if kind == PICTURE { &mut self.picture_octets_left } else { &mut self.text_left };
        *left = left.checked_sub(text).ok_or(Refused::TooMuch)?;
        // What stands beside a text takes more room in memory than here; that is asked of each piece.
        if beside > self.beside_left {
            return Err(Refused::TooMuch);
        }
        Ok(Header { kind, body, text })
    }

    /// Takes a frame; tells how the worker ended once it has.
    ///
    /// # Errors
    /// Why the answer is not taken.
    pub fn frame(&mut self, header: Header, mut body: Vec<u8>) -> Result<Option<Ended>, Refused> {
        if body.len() != header.body {
            return Err(Refused::Malformed);
        }
        let beside = body.split_off(header.text);
        let mut rest = Rest(&beside);
        match header.kind {
            TEXT => {
                body.shrink_to_fit();
                let text = String::from_utf8(body).map_err(|_| Refused::Malformed)?;
                let text = self.text(text, &mut rest)?;
                self.extraction.texts.push(text);
            }
            PROBLEM if header.text == 0 => {
                let problem = self.problem(&mut rest).ok_or(Refused::Malformed)?;
                self.take(problem.octets())?;
                self.extraction.problems.push(problem);
            }
            FACT if header.text == 0 => {
                let fact = self.fact(&mut rest).ok_or(Refused::Malformed)?;
                self.take(fact.octets())?;
                self.extraction.facts.push(fact);
            }
            PICTURE => {
                self.pictures_left = self.pictures_left.checked_sub(1).ok_or(Refused::TooMuch)?;
                let (part, page) = self.own_part(&mut rest).zip(rest.size()).ok_or(Refused::Malformed)?;
                let page = Some(page).filter(|page| *page > 0);
                self.pictures.push(Picture { part, page, octets: body.into() });
            }
            DONE if header.text == 0 => {
                return match beside.as_slice() {
                    [0] => Ok(Some(Ended::Well)),
                    [1] => Ok(Some(Ended::Panicked)),
                    _ => Err(Refused::Malformed),
                };
            }
            _ => return Err(Refused::Malformed),
        }
        if rest.0.is_empty() { Ok(None) } else { Err(Refused::Malformed) }
    }

    fn text(&mut self, text: String, rest: &mut Rest<'_>) -> Result<Text, Refused> {
        let left = self.beside_left;
        let part = self.own_part(rest).ok_or(Refused::Malformed)?;
        let source = match rest.octet() {
            Some(0) => Source::Subject,
            Some(1) => Source::Body,
            Some(2) => Source::Attachment,
            Some(3) => Source::FileName,
            Some(4) => Source::Properties,
            _ => return Err(Refused::Malformed),
        };
        let places = self.places(&text, rest, NESTED)?;
        let count = self.count(rest)?;
        let (mut last, mut spans) = (0, Vec::with_capacity(count));
        for _ in 0..count {
            spans.push(span(&text, &mut last, rest).ok_or(Refused::Malformed)?);
        }
        let text = Text { part, source, text, places, spans };
        self.beside_left = left;
        self.take(text.beside_octets())?;
        Ok(text)
    }

    fn places(&mut self, text: &str, rest: &mut Rest<'_>, nested: usize) -> Result<Places, Refused> {
        const MALFORMED: Refused = Refused::Malformed;
        let mut last = 0;
        match rest.octet() {
            Some(0) => Ok(Places::None),
            Some(1) => Ok(Places::Lines),
            Some(2) => rest.text(NAME).filter(|name| !name.is_empty()).map(Places::Named).ok_or(MALFORMED),
            Some(kind @ (3 | 5)) => {
                let count = self.count(rest)?;
                let start = |_| further(text, &mut last, rest).ok_or(MALFORMED);
                let starts = (0..count).map(start).collect::<Result<_, _>>();
                starts.map(if kind == 3 { Places::Pages } else { Places::Slides })
            }
            Some(6) => Ok(Places::Properties),
            Some(7) if nested > 0 => {
                let what = rest.text(NAME).filter(|name| !name.is_empty()).ok_or(MALFORMED)?;
                Ok(Places::Within(what, Box::new(self.places(text, rest, nested - 1)?)))
            }
            Some(4) => {
                let count = self.count(rest)?;
                let mut starts = Vec::with_capacity(count);
                for _ in 0..count {
                    let start = further(text, &mut last, rest).ok_or(MALFORMED)?;
                    starts.push((start, cell(rest).ok_or(MALFORMED)?));
                }
                Ok(Places::Cells(starts))
            }
            _ => Err(MALFORMED),
        }
    }

    /// How many entries follow, for which memory may be set aside: no more than may still come, nor than there are octets for.
    fn count(&mut self, rest: &mut Rest<'_>) -> Result<usize, Refused> {
        let count = rest.size().filter(|count| *count <= rest.0.len()).ok_or(Refused::Malformed)?;
        self.take(count.saturating_mul(ENTRY_OCTETS))?;
        Ok(count)
    }

    /// Takes of what a mail's pieces may still take beside their text.
    fn take(&mut self, octets: usize) -> Result<(), Refused> {
        self.beside_left = self.beside_left.checked_sub(octets).ok_or(Refused::TooMuch)?;
        Ok(())
    }

    fn problem(&self, rest: &mut Rest<'_>) -> Option<Problem> {
        let part = self.own_part(rest)?;
        let place = Some(rest.text(NAME)?).filter(|place| !place.is_empty());
        let kind = *ProblemKind::ALL.get(usize::from(rest.octet()?))?;
        let reason = extract::reason(&rest.text(NAME)?).unwrap_or(UNLISTED);
        Some(Problem { part, place, kind, reason })
    }

    fn fact(&self, rest: &mut Rest<'_>) -> Option<Fact> {
        Some(Fact { part: self.own_part(rest)?, kind: *FactKind::ALL.get(usize::from(rest.octet()?))? })
    }

    /// A worker speaks of the part that it was given, and what lies in that.
    fn own_part(&self, rest: &mut Rest<'_>) -> Option<String> {
        rest.text(self.part.len().saturating_add(NAME)).filter(|part| part.starts_with(&self.part))
    }
}

/// The next of ascending offsets in `text`.
fn further(text: &str, last: &mut usize, rest: &mut Rest<'_>) -> Option<usize> {
    *last = last.checked_add(rest.size()?).filter(|at| *at <= text.len())?;
    Some(*last)
}

fn cell(rest: &mut Rest<'_>) -> Option<Cell> {
    let mut number = || u32::try_from(rest.number()?).ok();
    // Columns are told from 1.
    Some(Cell { sheet: number()?, row: number()?, column: number()? }).filter(|cell| cell.row < u32::MAX && cell.column < u32::MAX)
}

fn span(text: &str, last: &mut usize, rest: &mut Rest<'_>) -> Option<(Range<usize>, Span)> {
    let start = further(text, last, rest)?;
    let range = start..start.checked_add(rest.size()?)?;
    text.get(range.clone())?;
    let span = match rest.octet()? {
        0 => Span::Hidden,
        1 => Span::Alternative,
        2 => Span::Padded,
        _ => return None,
    };
    Some((range, span))
}

/// What is left to be read of a frame.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// LEB128, of at most 64 bits.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let octet = self.octet()?;
            let bits = u64::from(octet & 0x7F);
            if shift == 63 && bits > 1 {
                return None;
            }
            number |= bits << shift;
            if octet & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn size(&mut self) -> Option<usize> {
        self.number()?.try_into().ok()
    }

    fn text(&mut self, most: usize) -> Option<String> {
        let length = self.size().filter(|length| *length <= most)?;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok().map(str::to_owned)
    }
}

#[cfg(test)]
mod tests;
