//! PDF (ISO 32000-1): lopdf's parser of objects, and a text layer of our own above it.
//!
//! Read are the pages' text, annotations, form fields, outlines, links, properties and embedded files.

mod cmap;
mod font;
mod glyphs;
mod layout;
mod lexer;
mod page;
mod parts;
mod scan;
mod standard;
mod stream;
mod structure;

use super::{
    Places, ProblemKind, Source, Span,
    picture::page_list,
    reading::{Here, Reading},
};
use bytes::Bytes;
use layout::PageText;
use lopdf::{Dictionary, Document, LoadOptions, Object, ObjectId};
use page::{Area, Matrix, Shared, Walker};
use scan::Scan;
use std::{collections::HashSet, ops::Range};
use structure::Structure;

/// Letters up to which a page under an image counts as scanned: scanners stamp a line of text on each page.
const SCANNED_LETTERS: usize = 20;
/// Share of a page that an image covers when it is a scan.
const SCANNED_AREA: f32 = 0.5;
/// One in ten glyphs without a meaning: more is unreadable.
const MOST_UNMAPPED: usize = 10;
/// So many of them in a row may be a citizen number, however much can be read around it.
const NUMBER: usize = 8;
/// Steps of paths from which a page almost without letters may be one whose letters are drawn as outlines: a line of text has some hundreds.
const OUTLINES: usize = 200;
/// Content streams of a page: real ones have one to ten.
const MOST_CONTENTS: usize = 10_000;
/// `%%EOF` stands within the last octets of a whole file (ISO 32000-1, annex H.3, note 18).
const END_WITHIN: usize = 1024;

/// Reads a PDF.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, octets: &Bytes) {
    let limit = usize::try_from(reading.limits.member).unwrap_or(usize::MAX);
    let options = LoadOptions { max_decompressed_size: Some(limit), ..LoadOptions::default() };
    let document = match Document::load_mem_with_options(octets, options) {
        Ok(document) => document,
        Err(lopdf::Error::Decompress(lopdf::DecompressError::MemoryLimitExceeded { .. })) => return reading.too_large(here, "member"),
        Err(_) if memchr::memmem::find(octets, b"/Encrypt").is_some() => return encrypted(reading, here),
        Err(_) => return reading.damaged(here, "pdf"),
    };
    // lopdf tries the empty password itself: what that opens, everybody reads.
    if document.trailer.has(b"Encrypt") && document.encryption_state.is_none() {
        return encrypted(reading, here);
    }
    if document.xref_recovery.is_some() || is_cut(octets) {
        reading.damaged(here, "pdf");
    }
    let structure = Structure::read(&document);
    pages(reading, here, &document, &structure);
    parts::read(reading, here, &document, &structure);
}

/// Whether the end is missing, or a later revision begins behind it and doesn't end (ISO 32000-1, 7.5.6).
fn is_cut(octets: &[u8]) -> bool {
    let tail = &octets[octets.len().saturating_sub(END_WITHIN)..];
    match memchr::memmem::rfind(tail, b"%%EOF") {
        Some(at) => tail[at + 5..].trim_ascii_start().first().is_some_and(|b| b.is_ascii_digit() || matches!(b, b'x' | b't' | b's')),
        None => true,
    }
}

fn encrypted(reading: &mut Reading<'_>, here: &Here) {
    reading.problem(&here.part, None, ProblemKind::Encrypted, "pdf");
}

/// Pages with the same problem are told in one.
#[derive(Default)]
struct Troubles {
    damaged: Vec<usize>,
    too_large: Vec<usize>,
    scanned: Vec<Scan>,
    unmapped: Vec<usize>,
    /// Pages that may show text as outlines, or in an image of their content.
    drawn: Vec<usize>,
}

fn pages(reading: &mut Reading<'_>, here: &Here, document: &Document, structure: &Structure) {
    let mut shared = Shared::new(structure);
    let mut troubles = Troubles::default();
    let mut text = String::new();
    let (mut starts, mut spans): (Vec<usize>, Vec<(Range<usize>, Span)>) = (Vec::new(), Vec::new());
    let mut count = 0;
    for (index, id) in document.page_iter().enumerate() {
        if index >= reading.limits.pages {
            reading.too_large(here, "pages");
            break;
        }
        if text.len() > reading.limits.text {
            reading.too_large(here, "text");
            break;
        }
        count += 1;
        let page = page(reading, document, &mut shared, id, index + 1, &mut troubles);
        if !text.is_empty() {
            text.push('\n');
        }
        let start = text.len();
        starts.push(start);
        text.push_str(&page.text);
        spans.extend(page.hidden.into_iter().map(|r| (r.start + start..r.end + start, Span::Hidden)));
        for other in page.alternatives {
            text.push('\u{1F}');
            let from = text.len();
            text.push_str(&other);
            spans.push((from..text.len(), Span::Alternative));
        }
    }
    let declared = document.catalog().and_then(|c| c.get_deref(b"Pages", document)?.as_dict()?.get_deref(b"Count", document)?.as_i64());
    let is_hidden = hides_pages(document);
    if is_hidden || count == 0 || (count < reading.limits.pages && declared.is_ok_and(|n| usize::try_from(n).is_ok_and(|n| n > count))) {
        reading.damaged(here, "pages");
    }
    reading.spanned(&here.part, Source::Attachment, text, Places::Pages(starts), spans);
    let mut scanned = scan::hand_out(reading, here, document, &troubles.scanned);
    scanned.extend(troubles.drawn);
    scanned.sort_unstable();
    scanned.dedup();
    let mut tell = |pages: &[usize], kind, reason| {
        if !pages.is_empty() {
            reading.problem(&here.part, Some(page_list(pages)), kind, reason);
        }
    };
    tell(&troubles.damaged, ProblemKind::Damaged, "pdf");
    tell(&troubles.too_large, ProblemKind::TooLarge, "page");
    tell(&scanned, ProblemKind::Unsupported, "scanned-pages");
    tell(&troubles.unmapped, ProblemKind::Unsupported, "unmapped-glyphs");
}

/// Whether a page hangs in the tree that our list of pages does not lead to, since it calls itself something else: some readers don't ask.
fn hides_pages(document: &Document) -> bool {
    let listed: HashSet<ObjectId> = document.page_iter().collect();
    let is_page = |page: &Dictionary| page.has(b"Contents") && page.has(b"Parent") && !page.has(b"Subtype");
    let others = document.objects.iter().filter(|(id, object)| object.as_dict().is_ok_and(is_page) && !listed.contains(id));
    let others: HashSet<ObjectId> = others.map(|(id, _)| *id).collect();
    let kids = document.objects.values().filter_map(|object| object.as_dict().ok()?.get_deref(b"Kids", document).ok()?.as_array().ok());
    !others.is_empty() && kids.flatten().any(|kid| kid.as_reference().is_ok_and(|kid| others.contains(&kid)))
}

fn page(
    reading: &mut Reading<'_>,
    document: &Document,
    shared: &mut Shared<'_>,
    id: ObjectId,
    number: usize,
    troubles: &mut Troubles,
) -> PageText {
    let Ok(dictionary) = document.get_dictionary(id) else {
        troubles.damaged.push(number);
        return PageText::default();
    };
    let empty = Dictionary::new();
    let resources = inherited(document, dictionary, b"Resources").and_then(|r| r.as_dict().ok()).unwrap_or(&empty);
    let mut walker = Walker::new(document, reading, shared, id);
    walker.drawn.glyphs.visible = visible(document, dictionary);
    let mut content = Vec::new();
    let contents = contents(document, dictionary);
    walker.drawn.is_too_large |= contents.len() >= MOST_CONTENTS;
    for object in contents {
        match object.as_stream() {
            Ok(stream) => {
                content.extend(walker.content(stream));
                // The parts of a page's content are separate tokens (ISO 32000-1, table 30).
                content.push(b'\n');
            }
            Err(_) => walker.drawn.is_damaged = true,
        }
    }
    walker.draw(&content, resources);
    walker.patterns(resources);
    annotations(&mut walker, document, dictionary, resources);
    let drawn = walker.drawn;
    if drawn.is_damaged {
        troubles.damaged.push(number);
    }
    if drawn.is_too_large {
        troubles.too_large.push(number);
    }
    if drawn.unmapped * MOST_UNMAPPED > drawn.mapped + drawn.unmapped || drawn.longest_unmapped >= NUMBER {
        troubles.unmapped.push(number);
    }
    let area = SCANNED_AREA * area(document, dictionary);
    let letters = drawn.glyphs.letters();
    if (drawn.outlines >= OUTLINES && letters <= SCANNED_LETTERS) || drawn.has_large_inline {
        troubles.drawn.push(number);
    }
    let is_scan = drawn.image_area >= area && letters <= SCANNED_LETTERS;
    // Under a scan stands its text, which nobody sees.
    let is_read = drawn.image_area >= area && drawn.glyphs.hidden_letters() > SCANNED_LETTERS;
    let is_large = |id: &ObjectId| document.get_object(*id).and_then(Object::as_stream).is_ok_and(|image| scan::is_large(document, image));
    if is_scan {
        troubles.scanned.push(Scan { page: number, images: drawn.images, image_area: drawn.image_area, most_unread: area });
    } else if !is_read {
        let pictures: Vec<_> = drawn.images.into_iter().filter(|(id, _)| shared.seen_pictures.insert(*id) && is_large(id)).collect();
        if !pictures.is_empty() {
            let image_area = pictures.iter().map(|(_, area)| area).sum();
            troubles.scanned.push(Scan { page: number, images: pictures, image_area, most_unread: 0.0 });
        }
    }
    drawn.glyphs.into_text()
}

/// The content streams of a page.
fn contents<'d>(document: &'d Document, page: &'d Dictionary) -> Vec<&'d Object> {
    let resolve = |o: &'d Object| document.dereference(o).map_or(&Object::Null, |(_, o)| o);
    match page.get(b"Contents").map(resolve) {
        Ok(Object::Array(list)) => list.iter().take(MOST_CONTENTS).map(resolve).collect(),
        Ok(one) => vec![one],
        Err(_) => Vec::new(),
    }
}

/// An attribute that pages inherit from the nodes above them (ISO 32000-1, 7.7.3.4).
fn inherited<'d>(document: &'d Document, page: &'d Dictionary, name: &[u8]) -> Option<&'d Object> {
    /// Deeper than any page tree, and an end to one that goes in circles.
    const DEEPEST: usize = 64;
    let mut node = page;
    for _ in 0..DEEPEST {
        if let Ok(object) = node.get_deref(name, document) {
            return Some(object);
        }
        node = node.get_deref(b"Parent", document).ok()?.as_dict().ok()?;
    }
    None
}

/// The page's area in its own units; A4 where it doesn't say.
fn area(document: &Document, page: &Dictionary) -> f32 {
    const A4: f32 = 595.0 * 842.0;
    match bounds(document, page, b"MediaBox") {
        Some([left, bottom, right, top]) if right != left && top != bottom => ((right - left) * (top - bottom)).abs(),
        _ => A4,
    }
}

/// What is seen of a page (ISO 32000-1, 14.11.2).
fn visible(document: &Document, page: &Dictionary) -> Option<Area> {
    let area = |name| bounds(document, page, name).map(|[left, bottom, right, top]| Area::between([left, bottom], [right, top]));
    match (area(b"MediaBox"), area(b"CropBox")) {
        (Some(media), Some(crop)) => Some(media.and(crop)),
        (media, crop) => media.or(crop),
    }
}

fn bounds(document: &Document, page: &Dictionary, name: &[u8]) -> Option<[f32; 4]> {
    let list = inherited(document, page, name)?.as_array().ok()?;
    let numbers: Vec<f32> = list.iter().take(4).filter_map(|o| document.dereference(o).ok()?.1.as_float().ok()).collect();
    numbers.try_into().ok()
}

/// Draws the normal appearance of each annotation, in all its states, where it stands.
fn annotations(walker: &mut Walker<'_, '_, '_>, document: &Document, page: &Dictionary, resources: &Dictionary) {
    let Ok(list) = page.get_deref(b"Annots", document).and_then(Object::as_array) else { return };
    walker.drawn.is_too_large |= list.len() > walker.reading.limits.annotations;
    let mut seen = HashSet::new();
    for annotation in list.iter().take(walker.reading.limits.annotations) {
        let Ok((_, Object::Dictionary(annotation))) = document.dereference(annotation) else { continue };
        let Ok(normal) = annotation.get_deref(b"AP", document).and_then(Object::as_dict).and_then(|a| a.get(b"N")) else { continue };
        /// Real ones have two; the operations of the page end what claims more.
        const MOST_STATES: usize = 1000;
        let states: Vec<ObjectId> = match document.dereference(normal) {
            Ok((Some(id), Object::Stream(_))) => vec![id],
            Ok((_, Object::Dictionary(states))) => states.iter().filter_map(|(_, o)| o.as_reference().ok()).take(MOST_STATES).collect(),
            _ => Vec::new(),
        };
        for id in states {
            let Ok(form) = document.get_object(id).and_then(Object::as_stream) else { continue };
            let corner = |d: &Dictionary, name| {
                page::numbers(document, d, name).filter(|n| n.len() == 4).map_or([0.0, 0.0], |n| [n[0].min(n[2]), n[1].min(n[3])])
            };
            let ([x, y], [left, bottom]) = (corner(annotation, b"Rect"), corner(&form.dict, b"BBox"));
            // One appearance may serve thousands of annotations in different places; its text is then read where it stands first.
            if seen.insert(id) {
                walker.form(id, Matrix::translation(x - left, y - bottom), resources);
            }
        }
    }
}
