//! Open Packaging Conventions (ECMA-376, part 2): parts in a ZIP, what each is, and which leads to which.

use super::{Health, markup};
use crate::extract::{
    Places, Source, plain,
    reading::{Here, Reading},
    xml::{self, Node},
    zip::{Archive, Member},
};
use bytes::Bytes;
use std::{borrow::Cow, collections::HashMap};

/// A package that is being read. A part is read once, however often it is referred to: circles end by that.
pub(in crate::extract) struct Package<'o> {
    archive: Archive<'o>,
    /// The parts by their name in lower case without the first slash, in the order of the archive; `None` once they are read.
    parts: Vec<(String, Option<Member>)>,
    /// Where each name stands; the first of several last.
    places: HashMap<String, Vec<usize>>,
    /// Content types of parts, and by extension.
    overrides: HashMap<String, String>,
    defaults: HashMap<String, String>,
    root: Vec<Relation>,
    /// What the package says of its parts.
    facts: HashMap<String, Fact>,
}

/// What is known of a part from those that refer to it.
#[derive(Clone, Debug, Default)]
struct Fact {
    /// The last segment of the relationship's type: `header`, `comments`.
    kind: String,
    /// Whose it is: `slide 4`, `sheet 2`.
    owner: Option<String>,
    /// The sheet whose cells it is about.
    sheet: Option<u32>,
}

/// A relationship within the package.
#[derive(Clone, Debug)]
pub(in crate::extract) struct Relation {
    pub(in crate::extract) id: String,
    /// The last segment of its type, which transitional and strict documents share.
    pub(in crate::extract) kind: String,
    /// The part it leads to, as in [`Package::parts`].
    pub(in crate::extract) target: String,
}

/// The targets of relationships by their ids.
pub(in crate::extract) fn targets(relations: &[Relation]) -> HashMap<&str, &str> {
    relations.iter().map(|r| (r.id.as_str(), r.target.as_str())).collect()
}

/// What a package is, with its main part.
pub(super) enum Main {
    Word(String),
    Sheets(String),
    BinarySheets(String),
    Slides(String),
}

impl<'o> Package<'o> {
    /// Reads the content types and the relationships of the package itself.
    pub(super) fn new(reading: &mut Reading<'_>, here: &Here, archive: Archive<'o>) -> Package<'o> {
        let mut parts: Vec<_> = archive.members().into_iter().map(|m| (part_name(&m.name), Some(m))).collect();
        if parts.len() > reading.members_left() {
            reading.too_large(here, "members");
            parts.truncate(reading.members_left());
        }
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, (name, _)) in parts.iter().enumerate().rev() {
            places.entry(name.clone()).or_default().push(at);
        }
        let (overrides, defaults, root, facts) = Default::default();
        let mut package = Package { archive, parts, places, overrides, defaults, root, facts };
        if let Some(octets) = package.take(reading, here, "[content_types].xml") {
            package.types(reading, here, &octets);
        }
        package.root = package.relations(reading, here, "", "package");
        package
    }

    fn types(&mut self, reading: &mut Reading<'_>, here: &Here, octets: &[u8]) {
        let health = xml::walk(&xml::text(octets), |node| {
            let Node::Open(name, element) = node else { return };
            let value = |name| xml::attribute(element, name).map(|v| v.to_ascii_lowercase());
            match (name, value("PartName"), value("Extension"), value("ContentType")) {
                ("Override", Some(part), _, Some(kind)) => self.overrides.insert(part_name(&part), kind),
                ("Default", _, Some(extension), Some(kind)) => self.defaults.insert(extension, kind),
                _ => None,
            };
        });
        if health == Health::Damaged {
            reading.damaged(here, "xml");
        }
    }

    /// Whether it holds nothing that makes a package of an archive.
    pub(super) fn is_plain(&self) -> bool {
        self.root.is_empty() && self.main().is_none()
    }

    fn content_type(&self, part: &str) -> &str {
        let by_extension = || part.rsplit_once('.').and_then(|(_, extension)| self.defaults.get(extension));
        self.overrides.get(part).or_else(by_extension).map_or("", String::as_str)
    }

    /// By the relationship of the package and the content type it leads to; without these by the usual names.
    pub(super) fn main(&self) -> Option<Main> {
        let told = self.root.iter().filter(|r| r.kind == "officeDocument").map(|r| r.target.as_str());
        let usual = self.unread().map(|(name, _)| name);
        told.clone().find_map(|part| self.main_by_type(part)).or_else(|| told.chain(usual).find_map(main_by_name))
    }

    fn main_by_type(&self, part: &str) -> Option<Main> {
        let (kind, part) = (self.content_type(part), part.to_owned());
        Some(match () {
            () if kind.contains("wordprocessingml") || kind.contains("ms-word") => Main::Word(part),
            () if kind.contains("sheet.binary") => Main::BinarySheets(part),
            () if kind.contains("spreadsheetml") || kind.contains("ms-excel") => Main::Sheets(part),
            () if kind.contains("presentationml") || kind.contains("ms-powerpoint") => Main::Slides(part),
            () => return None,
        })
    }

    /// The members that nobody has read yet.
    pub(in crate::extract) fn unread(&self) -> impl Iterator<Item = (&str, &Member)> {
        self.parts.iter().filter_map(|(name, member)| Some((name.as_str(), member.as_ref()?)))
    }

    /// Leaves a part out of what is read at the end.
    pub(in crate::extract) fn remove(&mut self, part: &str) -> Option<Member> {
        let at = self.places.get_mut(part)?.pop()?;
        self.parts.get_mut(at)?.1.take()
    }

    pub(in crate::extract) fn archive(&mut self) -> &mut Archive<'o> {
        &mut self.archive
    }

    /// Inflates a part, unless it was read before.
    pub(in crate::extract) fn take(&mut self, reading: &mut Reading<'_>, here: &Here, part: &str) -> Option<Vec<u8>> {
        let member = self.remove(part)?;
        if !reading.count_member(here) {
            return None;
        }
        self.archive.take(reading, here, member.index)
    }

    /// Where the relationships of `part` lead (9.3); those that lead outside are links, told as text.
    pub(in crate::extract) fn relations(&mut self, reading: &mut Reading<'_>, here: &Here, part: &str, place: &str) -> Vec<Relation> {
        let (folder, name) = part.rsplit_once('/').unwrap_or(("", part));
        let file = part_name(&format!("{folder}/_rels/{name}.rels"));
        let Some(octets) = self.take(reading, here, &file) else { return Vec::new() };
        // No part leads to more parts than there may be.
        let most = reading.limits.members;
        let (mut targets, mut relations, mut is_full) = (String::new(), Vec::new(), false);
        let health = xml::walk(&xml::text(&octets), |node| {
            let Node::Open("Relationship", element) = node else { return };
            let value = |name| xml::attribute(element, name).unwrap_or_default();
            if value("TargetMode").eq_ignore_ascii_case("External") {
                targets.push_str(&plain::clean(value("Target")).replace('\n', " "));
                targets.push('\n');
            } else if relations.len() < most {
                let kind = value("Type");
                let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                relations.push(Relation { id: value("Id").into_owned(), kind, target: resolved(folder, &value("Target")) });
            } else {
                is_full = true;
            }
        });
        if health == Health::Damaged {
            reading.damaged(here, "xml");
        }
        if is_full {
            reading.too_large(here, "members");
        }
        for relation in &relations {
            self.facts.entry(relation.target.clone()).or_default().kind.clone_from(&relation.kind);
        }
        reading.text(&here.part, Source::Attachment, targets, Places::Named(format!("links of {place}")));
        relations
    }

    /// Says whose a part is, so that its place can be told.
    pub(in crate::extract) fn belongs(&mut self, part: &str, owner: &str, sheet: Option<u32>) {
        let fact = self.facts.entry(part.to_owned()).or_default();
        fact.owner = Some(owner.to_owned());
        fact.sheet = sheet;
    }

    /// Reads every part that is left, whether or not anybody refers to it: those beside the main part first.
    pub(super) fn rest(&mut self, reading: &mut Reading<'_>, here: &Here) {
        let mut parts: Vec<String> = self.unread().map(|(name, _)| name.to_owned()).collect();
        parts.sort_by_key(|name| (!name.starts_with("word/") || name.contains("/media/"), name.ends_with(".rels")));
        for part in parts {
            if part.ends_with(".rels") {
                self.links(reading, here, &part);
            } else if let Some(member) = self.remove(&part) {
                let fact = self.facts.get(&part).cloned().unwrap_or_default();
                self.part(reading, here, &part, &member, &fact);
            }
        }
    }

    /// The relationships of a part that nobody followed.
    fn links(&mut self, reading: &mut Reading<'_>, here: &Here, part: &str) {
        let name = part.replace("_rels/", "");
        let name = name.strip_suffix(".rels").unwrap_or(&name);
        let place = place(name, &self.facts.get(name).cloned().unwrap_or_default());
        self.relations(reading, here, name, &place);
        // Named like relationships, but standing where none are.
        if let Some(octets) = self.take(reading, here, part) {
            markup::read(reading, here, &octets, format!("links of {place}"), None);
        }
    }

    /// Reads one part by what it is.
    fn part(&mut self, reading: &mut Reading<'_>, here: &Here, part: &str, member: &Member, fact: &Fact) {
        if carries_no_text(part) {
            return;
        }
        if part.starts_with("xl/model/") {
            return reading.unsupported(here, "data-model");
        }
        let kind = self.content_type(part);
        let is_xml = [".xml", ".rels", ".vml"].iter().any(|e| part.ends_with(e)) || kind.ends_with("+xml") && !kind.contains("xhtml");
        // `altChunk` embeds a whole document in another format, whatever its name.
        if !is_xml || fact.kind == "aFChunk" {
            let Some(inner) = reading.enter(here, &member.name) else { return };
            if let Some(octets) = self.archive.take(reading, &inner, member.index) {
                reading.open(&inner, &member.name, "", Bytes::from(octets));
            }
            return;
        }
        if !reading.count_member(here) {
            return;
        }
        let Some(octets) = self.archive.take(reading, here, member.index) else { return };
        read_xml(reading, here, part, &octets, fact);
    }

    /// Reads an XML part that has been inflated already.
    pub(in crate::extract) fn read_xml(&self, reading: &mut Reading<'_>, here: &Here, part: &str, octets: &[u8]) {
        let fact = self.facts.get(part).cloned().unwrap_or_default();
        read_xml(reading, here, part, octets, &fact);
    }
}

fn read_xml(reading: &mut Reading<'_>, here: &Here, part: &str, octets: &[u8], fact: &Fact) {
    let place = place(part, fact);
    let is_properties = part.starts_with("docprops/") || part.starts_with("docmetadata/") || fact.kind.ends_with("-properties");
    // Data of other programs: the tags are the labels.
    if part.starts_with("customxml/") {
        return super::as_it_stands(reading, here, xml::text(octets), place);
    }
    if !is_properties {
        return markup::read(reading, here, octets, place, fact.sheet);
    }
    if super::properties(reading, here, &xml::text(octets), None) == Health::Damaged {
        reading.damaged(here, "xml");
    }
}

fn main_by_name(part: &str) -> Option<Main> {
    let is = |start: &str| part.starts_with(start);
    Some(match () {
        () if is("word/document") => Main::Word(part.to_owned()),
        () if is("xl/workbook.bin") => Main::BinarySheets(part.to_owned()),
        () if is("xl/workbook") || is("xl/worksheets/") => Main::Sheets(part.to_owned()),
        () if is("ppt/presentation") => Main::Slides(part.to_owned()),
        () => return None,
    })
}

/// Names of parts are equal without regard to case (6.2.2.3), and begin with a slash that ZIP leaves out.
pub(in crate::extract) fn part_name(name: &str) -> String {
    name.replace('\\', "/").trim_start_matches('/').to_ascii_lowercase()
}

/// A target (RFC 3986, 5.2.4) seen from a folder.
fn resolved(folder: &str, target: &str) -> String {
    let target = target.split(['#', '?']).next().unwrap_or_default();
    let from = if target.starts_with('/') { "" } else { folder };
    let mut segments: Vec<&str> = Vec::new();
    for segment in from.split('/').chain(target.split('/')) {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            other => segments.push(other),
        }
    }
    part_name(&segments.join("/"))
}

/// Parts of a package that are known to carry no text.
fn carries_no_text(part: &str) -> bool {
    part.contains("/printersettings/") || part.ends_with(".odttf") || part.ends_with(".fntdata") || part == "xl/calcchain.xml"
}

/// `word/header2.xml` is `header 2`; what belongs to a slide or sheet says so: `chart 1, slide 4`.
fn place(part: &str, fact: &Fact) -> String {
    if let ("worksheet" | "chartsheet" | "dialogsheet", Some(owner)) = (fact.kind.as_str(), &fact.owner) {
        return owner.clone();
    }
    let file = part.rsplit('/').next().unwrap_or(part);
    let stem = file.split('.').next().unwrap_or(file);
    let digits = stem.len() - stem.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (word, number) = stem.split_at(stem.len() - digits);
    let is_told = matches!(fact.kind.as_str(), "header" | "footer" | "comments" | "footnotes" | "endnotes" | "chart" | "notesSlide");
    let word = match if is_told { fact.kind.as_str() } else { word } {
        "comments" | "threadedcomment" | "commentsextended" | "moderncomment_" => "comment",
        "footnotes" => "footnote",
        "endnotes" => "endnote",
        "notesSlide" | "notesslide" => "notes",
        "slidemaster" => "master",
        "slidelayout" => "layout",
        other => other,
    };
    let place = if number.is_empty() { word.to_owned() } else { format!("{word} {number}") };
    fact.owner.as_ref().map_or_else(|| place.clone(), |owner| format!("{place}, {owner}"))
}

/// A part's own text, cleaned for one line.
pub(super) fn on_one_line(text: Cow<'_, str>) -> String {
    plain::clean(text).replace(['\n', '\t'], " ")
}
