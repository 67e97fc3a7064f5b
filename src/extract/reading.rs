//! One extraction in progress: what came out so far, what may still come, and where we are.

use super::{
    Extraction, Fact, FactKind, Limits, Picture, Piece, Places, Problem, ProblemKind, Source, Span, Taker, Text, Unopened, claim,
    flow::Flow, kind, kind::Kind,
};
use bytes::Bytes;
use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

/// The part that is being read.
#[derive(Clone, Debug)]
pub(super) struct Here {
    /// As in [`Text::part`]; empty for the mail itself.
    pub(super) part: String,
    /// Containers around it; 0 for the mail itself.
    pub(super) depth: u8,
}

impl Here {
    /// The mail that was sent.
    pub(super) fn mail() -> Here {
        Here { part: String::new(), depth: 0 }
    }

    /// The part `name` of this one: `text`, `html`.
    pub(super) fn section(&self, name: &str) -> String {
        if self.part.is_empty() { name.to_owned() } else { format!("{} > {name}", self.part) }
    }
}

/// What comes out, and what is left of the limits.
pub(super) struct Reading<'l> {
    pub(super) limits: &'l Limits,
    texts: Vec<Text>,
    problems: Vec<Problem>,
    facts: Vec<Fact>,
    told: HashSet<Problem>,
    /// Who takes texts and problems as they arise; `None` keeps them.
    taker: Option<Taker<'l>>,
    /// Where complex parts are put aside; `None` opens them at once.
    unopened: Option<Vec<Unopened>>,
    expanded_left: u64,
    members_left: usize,
    text_left: usize,
    pictures_left: usize,
    picture_octets_left: usize,
    /// How often a part's name was given out, since two attachments may bear one name.
    names: HashMap<String, u32>,
}

impl<'l> Reading<'l> {
    /// Puts complex parts aside.
    pub(super) fn shallow(limits: &'l Limits) -> Reading<'l> {
        Reading { unopened: Some(Vec::new()), ..Reading::deep(limits) }
    }

    /// Opens everything.
    pub(super) fn deep(limits: &'l Limits) -> Reading<'l> {
        Reading {
            limits,
            texts: Vec::new(),
            problems: Vec::new(),
            facts: Vec::new(),
            told: HashSet::new(),
            taker: None,
            unopened: None,
            expanded_left: limits.expanded,
            members_left: limits.members,
            text_left: limits.text,
            pictures_left: limits.pictures,
            picture_octets_left: limits.picture_octets,
            names: HashMap::new(),
        }
    }

    /// Hands texts and problems on as they arise.
    pub(super) fn hand_on(&mut self, taker: Taker<'l>) {
        self.taker = Some(taker);
    }

    pub(super) fn done(self) -> (Extraction, Vec<Unopened>) {
        (
            Extraction { headers: Vec::new(), texts: self.texts, problems: self.problems, facts: self.facts },
            self.unopened.unwrap_or_default(),
        )
    }

    /// A name for a part that no other part has: `text`, `text (2)`.
    pub(super) fn unique(&mut self, part: String) -> String {
        let count = self.names.entry(part.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { part } else { format!("{part} ({count})") }
    }

    /// Says that something could not be read; the same thing once.
    pub(super) fn problem(&mut self, part: &str, place: Option<String>, kind: ProblemKind, reason: &'static str) {
        let part = if part.is_empty() { "mail" } else { part };
        debug_assert!(super::reason(reason).is_some(), "{reason:?} is not listed in extract/reason.rs: it would not get out of a worker");
        let problem = Problem { part: part.to_owned(), place, kind, reason };
        if self.told.insert(problem.clone()) {
            match &mut self.taker {
                Some(taker) => taker(Piece::Problem(problem)),
                None => self.problems.push(problem),
            }
        }
    }

    pub(super) fn damaged(&mut self, here: &Here, reason: &'static str) {
        self.problem(&here.part, None, ProblemKind::Damaged, reason);
    }

    pub(super) fn too_large(&mut self, here: &Here, reason: &'static str) {
        self.problem(&here.part, None, ProblemKind::TooLarge, reason);
    }

    pub(super) fn unsupported(&mut self, here: &Here, reason: &'static str) {
        self.problem(&here.part, None, ProblemKind::Unsupported, reason);
    }

    /// Says what is odd about a file that is these things.
    pub(super) fn compare(&mut self, here: &Here, name: &str, kinds: &[Kind]) {
        if !claim::is_contradicted(name, kinds) {
            return;
        }
        let fact = Fact { part: here.part.clone(), kind: FactKind::WrongExtension };
        match &mut self.taker {
            Some(taker) => taker(Piece::Fact(fact)),
            None => self.facts.push(fact),
        }
    }

    /// Adds a text, if it holds anything.
    pub(super) fn text(&mut self, part: &str, source: Source, text: String, places: Places) {
        self.spanned(part, source, text, places, Vec::new());
    }

    /// Adds a text with special stretches.
    pub(super) fn spanned(&mut self, part: &str, source: Source, mut text: String, places: Places, spans: Vec<(Range<usize>, Span)>) {
        if text.trim().is_empty() {
            return;
        }
        if text.len() > self.text_left {
            text.truncate(text.floor_char_boundary(self.text_left));
            self.problem(part, None, ProblemKind::TooLarge, "text");
        }
        self.text_left -= text.len();
        let text = Text { part: part.to_owned(), source, text, places, spans };
        match &mut self.taker {
            Some(taker) => taker(Piece::Text(text)),
            None => self.texts.push(text),
        }
    }

    /// Adds a text of which some is hidden, and, where that differs, what a reader sees of it: a number may stand around hidden letters.
    pub(super) fn flow(&mut self, part: &str, source: Source, flow: Flow, places: Places) {
        let visible = flow.visible();
        let spans = flow.hidden.iter().map(|range| (range.clone(), Span::Hidden)).collect();
        self.spanned(part, source, flow.text, places, spans);
        if let Some(visible) = visible {
            self.text(part, source, visible, Places::Named("without hidden text".into()));
        }
    }

    /// Hands out a picture that may show text; `page` is that of a document. Tells whether somebody will look at it: else it is for the caller to
    /// say that it is unread. Without a taker nobody does, and nobody could tell afterwards.
    pub(super) fn hand_out(&mut self, here: &Here, page: Option<usize>, octets: &Bytes) -> bool {
        let Some(taker) = &mut self.taker else { return false };
        if self.pictures_left == 0 || octets.len() > self.picture_octets_left {
            return false;
        }
        self.pictures_left -= 1;
        self.picture_octets_left -= octets.len();
        taker(Piece::Picture(Picture { part: here.part.clone(), page, octets: octets.clone() }));
        true
    }

    /// Whether any picture may still be handed out.
    pub(super) fn hands_out(&self) -> bool {
        self.taker.is_some() && self.pictures_left > 0
    }

    /// What has come out so far, as a number of its own for each state: the same twice, and nothing came between.
    pub(super) fn said(&self) -> (usize, usize, usize) {
        (self.text_left, self.members_left, self.told.len())
    }

    /// How many octets may still come out of containers.
    pub(super) fn expanded_left(&self) -> u64 {
        self.expanded_left
    }

    /// Counts octets that came out of a container.
    pub(super) fn expanded(&mut self, octets: usize) {
        self.expanded_left = self.expanded_left.saturating_sub(octets as u64);
    }

    /// How many members there may still be.
    pub(super) fn members_left(&self) -> usize {
        self.members_left
    }

    /// Takes one of the members that a mail may have.
    pub(super) fn count_member(&mut self, here: &Here) -> bool {
        if self.members_left == 0 {
            self.too_large(here, "members");
            return false;
        }
        self.members_left -= 1;
        true
    }

    /// Begins a file that lies in `parent`: gives it a part, and its name as a text. `None` when there were too many.
    pub(super) fn enter(&mut self, parent: &Here, name: &str) -> Option<Here> {
        if !self.count_member(parent) {
            return None;
        }
        let quoted = quoted(name);
        let part = if parent.part.is_empty() { format!("attachment {quoted}") } else { format!("{} > {quoted}", parent.part) };
        let part = self.unique(part);
        self.text(&part, Source::FileName, name.chars().take(4096).collect(), Places::None);
        Some(Here { part, depth: parent.depth.saturating_add(1) })
    }

    /// Reads a file that lies in `parent`: an attachment, a member of an archive.
    pub(super) fn member(&mut self, parent: &Here, name: &str, media_type: &str, octets: &Bytes) {
        if let Some(here) = self.enter(parent, name) {
            self.open(&here, name, media_type, octets.clone());
        }
    }

    /// Reads `octets` as everything that they may be.
    pub(super) fn open(&mut self, here: &Here, name: &str, media_type: &str, octets: Bytes) {
        if here.depth > self.limits.depth {
            self.problem(&here.part, None, ProblemKind::TooDeep, "depth");
            return;
        }
        let kinds = kind::kinds(name, media_type, &octets);
        self.compare(here, name, &kinds);
        if let Some(unopened) = &mut self.unopened
            && kinds.iter().any(Kind::is_complex)
        {
            let (part, name, media_type) = (here.part.clone(), name.to_owned(), media_type.to_owned());
            unopened.push(Unopened { part, name, media_type, octets, depth: here.depth, at: self.texts.len() });
            return;
        }
        self.read_all(here, name, media_type, kinds, octets);
    }

    /// Reads what was put aside. What it is was compared with its name then.
    pub(super) fn reopen(&mut self, here: &Here, name: &str, media_type: &str, octets: &Bytes) {
        self.read_all(here, name, media_type, kind::kinds(name, media_type, octets), octets.clone());
    }

    fn read_all(&mut self, here: &Here, name: &str, media_type: &str, mut kinds: Vec<Kind>, octets: Bytes) {
        // Whoever reads them last takes the octets: a text needs no second copy of them, an archive none of itself while its last member is read.
        let last = kinds.pop_if(|kind| matches!(kind, Kind::Text | Kind::Zip));
        self.read_each(here, name, media_type, kinds, &octets);
        match last {
            Some(Kind::Text) => super::plain::read_file(self, here, octets),
            Some(_) => super::zip::read(self, here, octets),
            None => {}
        }
    }

    fn read_each(&mut self, here: &Here, name: &str, media_type: &str, kinds: Vec<Kind>, octets: &Bytes) {
        for kind in kinds {
            match kind {
                // Of a stretch none is taken any more: each would be shorter by an octet or two.
                Kind::Stretch(range) => {
                    let octets = octets.slice(range);
                    for kind in kind::kinds(name, media_type, &octets) {
                        self.read(here, name, kind, &octets);
                    }
                }
                kind => self.read(here, name, kind, octets),
            }
        }
    }

    fn read(&mut self, here: &Here, name: &str, kind: Kind, octets: &Bytes) {
        match kind {
            Kind::Stretch(_) => self.damaged(here, "zip"),
            Kind::Nothing => {}
            Kind::Text => super::plain::read(self, here, &here.part, Source::Attachment, octets, None),
            Kind::Folded => super::plain::read_folded(self, here, octets, None),
            Kind::Html => super::html::read(self, here, &here.part, Source::Attachment, octets, None),
            Kind::Mail => super::mail::read_nested(self, here, octets),
            Kind::Mails => super::mail::read_mbox(self, here, octets),
            Kind::Pdf => super::pdf::read(self, here, octets),
            Kind::Zip => super::zip::read(self, here, octets.clone()),
            Kind::Office => super::office::read(self, here, octets),
            Kind::OpenDocument => super::office::read_odf(self, here, octets),
            Kind::FlatOffice => super::office::read_flat(self, here, octets),
            Kind::Compound => super::legacy::read(self, here, octets),
            Kind::Rtf => super::rtf::read(self, here, octets),
            Kind::Tnef => super::tnef::read(self, here, octets),
            Kind::SevenZip => super::archive::seven_zip::read(self, here, octets),
            Kind::Tar => super::archive::tar::read(self, here, octets),
            Kind::Rar => super::archive::rar::read(self, here, octets),
            Kind::Ar => super::archive::ar::read(self, here, octets),
            Kind::Cpio => super::archive::cpio::read(self, here, octets),
            Kind::Packed(packing) => super::archive::streams::read(self, here, packing, name, octets),
            Kind::Signed | Kind::PackedCms => super::cms::read(self, here, name, octets, Source::Attachment),
            Kind::Armoured => super::cms::read_armoured(self, here, name, octets),
            Kind::Certificate => super::cms::read_certificate(self, here, octets),
            Kind::Iwork => super::iwork::read(self, here, octets),
            Kind::Image => super::image::read(self, here, octets),
            Kind::Metafile => super::image::metafile::read(self, here, octets),
            Kind::Svg => super::image::svg::read(self, here, octets),
            Kind::Encrypted(reason) => self.problem(&here.part, None, ProblemKind::Encrypted, reason),
            Kind::Unsupported(reason) => self.unsupported(here, reason),
        }
    }
}

/// A name as a part shows it: in quotes, on one line, at most 200 characters.
pub(super) fn quoted(name: &str) -> String {
    const LONGEST: usize = 200;
    let mut shown = String::from("\"");
    for c in name.chars().take(LONGEST) {
        match c {
            '"' | '\\' => shown.extend(['\\', c]),
            c if c.is_control() => shown.extend(c.escape_default()),
            c => shown.push(c),
        }
    }
    shown.push('"');
    shown
}
