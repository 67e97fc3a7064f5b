//! What a mail carries, as text: bytes in, texts and problems out.
//!
//! Everything that travels is read, seen or not. Each part ends as text, as a problem, as both (partly read), or as a type known to carry no
//! text: never in silence.

mod archive;
mod ber;
mod charset;
mod claim;
mod cms;
mod data;
mod encoded;
mod flow;
mod html;
mod image;
mod iwork;
mod kind;
mod legacy;
mod limits;
mod mail;
mod mapi;
mod number;
mod office;
mod pdf;
mod picture;
mod plain;
mod reading;
mod reason;
mod rtf;
mod sheet;
mod signature;
mod tnef;
mod xlsx;
mod xml;
mod zip;

pub use limits::Limits;
pub use picture::{Picture, begins_as_picture, unread};
pub use reason::{UNLISTED, reason};

use crate::message::Message;
use bytes::Bytes;
use reading::{Here, Reading};
use std::{fmt, ops::Range};

/// A part in a complex format, which [`message`] found and left alone: to be given to [`file`], guarded.
#[derive(Clone, PartialEq, Eq)]
pub struct Unopened {
    /// The part, as in [`Text::part`].
    pub part: String,
    /// Its file name; may be empty.
    pub name: String,
    /// What the mail says it is: a hint at most, types are told by content.
    pub media_type: String,
    /// The content, transfer-decoded.
    pub octets: Bytes,
    /// How many containers it lies in, the mail itself included.
    pub depth: u8,
    /// Before which of the texts of the shallow extraction its own texts belong.
    pub at: usize,
}

/// Reads what can be read without parsing complex formats: MIME structure, text, HTML, and what a file is. In linear time.
///
/// The parts that it leaves go to [`file`], whose results [`join`] puts back in their places.
#[must_use]
pub fn message(message: &Message, limits: &Limits) -> (Extraction, Vec<Unopened>) {
    let mut reading = Reading::shallow(limits);
    mail::read(&mut reading, message);
    let (mut extraction, unopened) = reading.done();
    extraction.headers = message.header_fields();
    (extraction, unopened)
}

/// Reads one part that [`message`] left, and everything in it, all levels down.
///
/// May be slow, and may panic or overflow on a hostile file for all that we know: the caller guards time, memory and panics, and says a
/// failure with [`Unopened::withheld`].
#[must_use]
pub fn file(unopened: &Unopened, limits: &Limits) -> Extraction {
    let mut reading = Reading::deep(limits);
    let here = Here { part: unopened.part.clone(), depth: unopened.depth };
    reading.reopen(&here, &unopened.name, &unopened.media_type, &unopened.octets);
    reading.done().0
}

/// The same, but each text and problem is handed on as it arises: whoever is stopped on the way has told what it had read.
pub fn file_to(unopened: &Unopened, limits: &Limits, taker: Taker<'_>) {
    let mut reading = Reading::deep(limits);
    let here = Here { part: unopened.part.clone(), depth: unopened.depth };
    reading.hand_on(taker);
    reading.reopen(&here, &unopened.name, &unopened.media_type, &unopened.octets);
}

/// Takes what comes out of a file.
pub type Taker<'a> = &'a mut dyn FnMut(Piece);

/// One thing that came out of a file.
#[derive(Clone, Debug)]
pub enum Piece {
    /// A text.
    Text(Text),
    /// What could not be read.
    Problem(Problem),
    /// What is odd about a file.
    Fact(Fact),
    /// What may show text. It is a problem, unless somebody reads that: see [`unread`].
    Picture(Picture),
}

/// Puts the texts of opened parts where they belong, by [`Unopened::at`]: the order of the mail.
#[must_use]
pub fn join(shallow: Extraction, mut opened: Vec<(usize, Extraction)>) -> Extraction {
    opened.sort_by_key(|(at, _)| *at);
    let mut whole = Extraction { headers: shallow.headers, texts: Vec::new(), problems: shallow.problems, facts: shallow.facts };
    let mut texts = shallow.texts.into_iter();
    let mut position = 0;
    for (at, extraction) in opened {
        whole.texts.extend(texts.by_ref().take(at - position.min(at)));
        position = position.max(at);
        whole.texts.extend(extraction.texts);
        whole.problems.extend(extraction.problems);
        whole.facts.extend(extraction.facts);
    }
    whole.texts.extend(texts);
    whole
}

/// A file as the one attachment of an empty mail: what `zegel explain` does with a FILE that is no mail.
#[must_use]
pub fn attachment(name: &str, octets: Bytes, limits: &Limits) -> (Extraction, Vec<Unopened>) {
    let mut reading = Reading::shallow(limits);
    reading.member(&Here::mail(), name, "", &octets);
    reading.done()
}

impl Unopened {
    /// The result for a part whose reader was stopped, or failed.
    #[must_use]
    pub fn withheld(&self, kind: ProblemKind, reason: &'static str) -> Extraction {
        let problem = Problem { part: self.part.clone(), place: None, kind, reason };
        Extraction { problems: vec![problem], ..Extraction::default() }
    }
}

/// Its type and size alone.
impl fmt::Debug for Unopened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unopened({:?}, {} octets, depth {}, at {})", self.media_type, self.octets.len(), self.depth, self.at)
    }
}

/// What detection sees of a mail.
#[derive(Clone, Debug, Default)]
pub struct Extraction {
    /// The header fields of the mail itself, decoded, in order, the subject included: for rules on headers.
    pub headers: Vec<(String, String)>,
    /// The texts, in the order of the mail; the subject first.
    pub texts: Vec<Text>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// What is odd about files, whether or not they could be read.
    pub facts: Vec<Fact>,
}

impl Extraction {
    /// How much text there is.
    #[must_use]
    pub fn text_octets(&self) -> usize {
        self.texts.iter().map(|text| text.text.len()).sum()
    }

    /// What its texts, problems and facts take in memory beside that: [`Limits::beside`].
    #[must_use]
    pub fn beside_octets(&self) -> usize {
        let told = self.problems.iter().map(Problem::octets).sum::<usize>() + self.facts.iter().map(Fact::octets).sum::<usize>();
        self.texts.iter().map(Text::beside_octets).sum::<usize>() + told
    }

    /// All of it, for whoever keeps within memory.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.text_octets() + self.beside_octets()
    }
}

/// One text: a body, a sheet, a page of a document, a file name.
#[derive(Clone, Debug)]
pub struct Text {
    /// Where it was found: `subject`, `text`, `html`, `attachment "x.zip" > "y.xlsx"`.
    pub part: String,
    /// What kind of place that is, for rules' `where`.
    pub source: Source,
    /// The text. `\n` between lines, rows and paragraphs, `\t` between cells, U+001F between alternatives.
    pub text: String,
    /// How offsets in it are told to people.
    pub places: Places,
    /// Stretches that are special; by their start.
    pub spans: Vec<(Range<usize>, Span)>,
}

/// The kinds of place that rules distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The decoded Subject of the mail.
    Subject,
    /// A text or HTML part shown as the mail's body.
    Body,
    /// An attachment or anything inside one, nested mails included.
    Attachment,
    /// A file's name.
    FileName,
    /// A document's properties, one `name: value` a line.
    Properties,
}

/// What is special about a stretch of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// Not seen by a reader of the document.
    Hidden,
    /// A second reading of what stands before it.
    Alternative,
    /// A number of 7 or 8 digits padded with zeros to nine: it lost them in a spreadsheet. Counts only under a label.
    Padded,
}

/// How an offset in a text is told to people. Offsets are in bytes, ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Places {
    /// Not told.
    None,
    /// `line 7`.
    Lines,
    /// `page 3`: where each page begins.
    Pages(Vec<usize>),
    /// `slide 3`: where each slide begins.
    Slides(Vec<usize>),
    /// `property "Title"`: the name in front of the colon, one property a line.
    Properties,
    /// What it is, in front of where it is: `comment, sheet 2, C14`, `notes, slide 4`.
    Within(String, Box<Places>),
    /// `sheet 2, C14`: where each cell begins; sheet from 1, row and column from 0.
    Cells(Vec<(usize, Cell)>),
    /// One name for the whole text: `comment`, `header`.
    Named(String),
}

/// A cell of a workbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// From 1.
    pub sheet: u32,
    /// From 0.
    pub row: u32,
    /// From 0.
    pub column: u32,
}

/// `C14`.
impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A hostile sheet may claim the largest of numbers.
        let (mut letters, mut n) = (Vec::new(), u64::from(self.column) + 1);
        while n > 0 {
            letters.push(char::from(b'A' + ((n - 1) % 26) as u8));
            n = (n - 1) / 26;
        }
        write!(f, "{}{}", letters.iter().rev().collect::<String>(), u64::from(self.row) + 1)
    }
}

/// What one place or stretch takes in memory; a cell takes as much, the others no more.
pub const ENTRY_OCTETS: usize = size_of::<(usize, Cell)>();

impl Text {
    /// What it takes in memory beside the text itself.
    #[must_use]
    pub fn beside_octets(&self) -> usize {
        size_of::<Text>() + self.part.len() + self.places.octets() + self.spans.len() * ENTRY_OCTETS
    }

    /// The place of byte `offset`, as people are told: `line 7`, `page 3`, `sheet 2, C14`.
    #[must_use]
    pub fn place(&self, offset: usize) -> Option<String> {
        self.places.of(&self.text, offset)
    }
}

impl Places {
    /// What they take in memory beside their own fields.
    fn octets(&self) -> usize {
        match self {
            Places::None | Places::Lines | Places::Properties => 0,
            Places::Named(name) => name.len(),
            Places::Pages(starts) | Places::Slides(starts) => starts.len() * ENTRY_OCTETS,
            Places::Cells(starts) => starts.len() * ENTRY_OCTETS,
            Places::Within(what, places) => what.len() + size_of::<Places>() + places.octets(),
        }
    }

    fn of(&self, text: &str, offset: usize) -> Option<String> {
        match self {
            Places::None => None,
            Places::Named(name) => Some(name.clone()),
            Places::Lines => {
                let before = &text.as_bytes()[..offset.min(text.len())];
                Some(format!("line {}", 1 + before.iter().filter(|b| **b == b'\n').count()))
            }
            Places::Pages(starts) => Some(format!("page {}", starts.partition_point(|s| *s <= offset).max(1))),
            Places::Slides(starts) => Some(format!("slide {}", starts.partition_point(|s| *s <= offset).max(1))),
            Places::Properties => {
                let before = &text[..text.floor_char_boundary(offset)];
                let line = &text[before.rfind('\n').map_or(0, |at| at + 1)..];
                let name = line.split(": ").next().unwrap_or(line);
                Some(format!("property {}", reading::quoted(name.lines().next().unwrap_or_default())))
            }
            Places::Within(what, places) => Some(places.of(text, offset).map_or_else(|| what.clone(), |place| format!("{what}, {place}"))),
            Places::Cells(starts) => {
                let at = starts.partition_point(|(s, _)| *s <= offset).checked_sub(1)?;
                let cell = starts[at].1;
                Some(format!("sheet {}, {cell}", cell.sheet))
            }
        }
    }
}

/// Something that could not be read, and so could not be judged.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Problem {
    /// The part, as in [`Text::part`].
    pub part: String,
    /// The place within it: `pages 3-7`.
    pub place: Option<String>,
    /// What is wrong.
    pub kind: ProblemKind,
    /// Details, from a fixed list (extraction.md, section 7): `unknown-type`.
    pub reason: &'static str,
}

impl Problem {
    /// What it takes in memory.
    #[must_use]
    pub fn octets(&self) -> usize {
        size_of::<Problem>() + self.part.len() + self.place.as_ref().map_or(0, String::len)
    }
}

/// The six ways in which a part can withhold its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ProblemKind {
    /// A password or key is needed.
    Encrypted,
    /// Broken: truncated, contradicting itself, or a reader failed on it.
    Damaged,
    /// A type that this version doesn't read.
    Unsupported,
    /// Nested deeper than the limit.
    TooDeep,
    /// Larger than a limit.
    TooLarge,
    /// Reading it took longer than the limit.
    Timeout,
}

impl ProblemKind {
    /// Every kind, for policies and their faults.
    pub const ALL: [ProblemKind; 6] = [
        ProblemKind::Encrypted,
        ProblemKind::Damaged,
        ProblemKind::Unsupported,
        ProblemKind::TooDeep,
        ProblemKind::TooLarge,
        ProblemKind::Timeout,
    ];

    /// The word of policies and of `zegel explain`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            ProblemKind::Encrypted => "encrypted",
            ProblemKind::Damaged => "damaged",
            ProblemKind::Unsupported => "unsupported",
            ProblemKind::TooDeep => "too-deep",
            ProblemKind::TooLarge => "too-large",
            ProblemKind::Timeout => "timeout",
        }
    }
}

/// Something about a file that policies may ask for, though it hides nothing from us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// The part, as in [`Text::part`].
    pub part: String,
    /// What is odd.
    pub kind: FactKind,
}

impl Fact {
    /// What it takes in memory.
    #[must_use]
    pub fn octets(&self) -> usize {
        size_of::<Fact>() + self.part.len()
    }
}

/// What can be odd about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FactKind {
    /// Its name says one type, its content is another, or another as well: docs/formats.md has the rule.
    WrongExtension,
}

impl FactKind {
    /// Every kind, for policies and their faults.
    pub const ALL: [FactKind; 1] = [FactKind::WrongExtension];

    /// The word of policies and of `zegel explain`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            FactKind::WrongExtension => "wrong-extension",
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
