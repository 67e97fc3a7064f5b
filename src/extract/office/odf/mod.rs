//! OpenDocument (ISO 26300; ODF 1.3): texts, spreadsheets, presentations, drawings; as packages and as one file.

mod content;
mod table;

use super::{Health, package::Package, properties};
use crate::extract::{
    ProblemKind,
    reading::{Here, Reading},
    xml::{self, Node},
    zip::{self, Archive},
};
use bytes::Bytes;
use content::Content;
use std::collections::HashSet;

/// Reads a package: the content first, then styles (headers and footers are there), properties, and everything else.
pub(in crate::extract) fn read(reading: &mut Reading<'_>, here: &Here, octets: &Bytes) {
    let Some(archive) = Archive::open(reading, here, octets) else { return };
    let mut package = Package::new(reading, here, archive);
    if !package.unread().any(|(part, _)| matches!(part, "content.xml" | "mimetype" | "encrypted-package")) {
        // An archive that holds such documents.
        return zip::read(reading, here, octets.clone());
    }
    package.archive().comments(reading, here);
    let sealed = sealed(reading, here, &mut package);
    if !sealed.is_empty() {
        reading.problem(&here.part, None, ProblemKind::Encrypted, "odf");
    }
    for part in &sealed {
        package.remove(part);
    }
    let mut parts: Vec<String> = package.unread().map(|(name, _)| name.to_owned()).collect();
    parts.sort_by_key(|part| rank(part));
    for part in parts {
        let (folder, file) = part.rsplit_once('/').unwrap_or(("", &part));
        match file {
            "content.xml" | "styles.xml" | "settings.xml" | "meta.xml" => {
                let Some(octets) = package.take(reading, here, &part) else { continue };
                read_part(reading, here, folder, file, &xml::text(&octets));
            }
            _ if carries_no_text(&part) => {
                package.remove(&part);
            }
            _ => {}
        }
    }
    package.rest(reading, here);
}

/// Reads a document that is one XML file (part 3, 3.1.1: `office:document`).
pub(super) fn read_flat(reading: &mut Reading<'_>, here: &Here, text: &str) {
    let health = properties(reading, here, text, Some("meta"));
    let content = Content::read(reading, text, "");
    content.done(reading, here, "");
    if health == Health::Damaged {
        reading.damaged(here, "xml");
    }
}

fn read_part(reading: &mut Reading<'_>, here: &Here, folder: &str, file: &str, text: &str) {
    if file == "meta.xml" {
        if properties(reading, here, text, None) == Health::Damaged {
            reading.damaged(here, "xml");
        }
        return;
    }
    let content = Content::read(reading, text, file);
    let is_whole = content.health == Health::Whole;
    content.done(reading, here, folder);
    if !is_whole {
        reading.damaged(here, "xml");
    }
}

/// The document itself before the objects in it, and of each its content before the rest.
fn rank(part: &str) -> (bool, u8) {
    let order = ["content.xml", "styles.xml", "meta.xml"].iter().position(|file| part.ends_with(file)).unwrap_or(3);
    (part.contains('/'), u8::try_from(order).unwrap_or(u8::MAX))
}

/// The members that the manifest says are encrypted (part 2, 4.8).
fn sealed(reading: &mut Reading<'_>, here: &Here, package: &mut Package<'_>) -> HashSet<String> {
    let mut sealed = HashSet::new();
    let Some(octets) = package.take(reading, here, "meta-inf/manifest.xml") else { return sealed };
    let mut entry = String::new();
    let health = xml::walk(&xml::text(&octets), |node| match node {
        Node::Open("file-entry", element) => entry = xml::attribute(element, "full-path").unwrap_or_default().to_ascii_lowercase(),
        Node::Open("encryption-data", _) => {
            sealed.insert(entry.clone());
        }
        _ => {}
    });
    if health == Health::Damaged {
        reading.damaged(here, "xml");
    }
    sealed
}

/// Members of fixed meaning that carry no text, the pictures of embedded objects that are read themselves among them.
fn carries_no_text(part: &str) -> bool {
    matches!(part, "mimetype" | "layout-cache" | "manifest.rdf")
        || part.starts_with("objectreplacements/") && !part.contains('.')
        || part.starts_with("configurations2/")
        || part.starts_with("fonts/") && [".ttf", ".otf", ".ttc"].iter().any(|e| part.ends_with(e))
}
