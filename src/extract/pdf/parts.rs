//! What a PDF holds beside its pages' content: form fields, annotations, links, outlines, properties, embedded files.

use super::{stream, structure::Structure};
use crate::extract::{
    Places, Source, plain,
    reading::{Here, Reading},
};
use bytes::Bytes;
use lopdf::{Dictionary, Document, Object, StringFormat, decode_text_string};
use std::collections::HashSet;

/// Levels of a field's name, of an outline: real ones stay under 10.
const DEEPEST: usize = 32;

/// Characters of a field's name that are kept: it is repeated for all fields below it.
const NAME_LONGEST: usize = 200;

/// Reads everything but the pages' content.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, document: &Document, structure: &Structure) {
    let mut told = Told { most: reading.limits.text, ..Told::default() };
    fields(reading, here, document, &mut told);
    told.objects(document);
    scripts(reading, here, document, &mut told);
    let notes =
        [(told.fields, "fields"), (told.notes, "comment"), (told.links, "links"), (told.outlines, "outline"), (told.labels, "labels")];
    for (text, place) in notes {
        reading.text(&here.part, Source::Attachment, text, Places::Named(place.into()));
    }
    let (described, starts, apart) = structure.lines(document, reading.limits.pages);
    reading.text(&here.part, Source::Attachment, described, Places::Pages(starts));
    reading.text(&here.part, Source::Attachment, apart, Places::Named("description".into()));
    properties(reading, here, document);
    packets(reading, here, document);
    files(reading, here, document);
}

/// Texts by where they stand, one a line.
#[derive(Default)]
struct Told {
    fields: String,
    notes: String,
    links: String,
    outlines: String,
    /// Captions of buttons, names of layers, what signatures and files are said to be, what pages are called; scripts.
    labels: String,
    /// Octets of these: many may refer to one. More is cut off anyway, and told.
    most: usize,
}

impl Told {
    /// Annotations, actions and outline items are told by their keys, wherever they hang: what no page refers to travels too.
    fn objects(&mut self, document: &Document) {
        for object in document.objects.values() {
            self.labels(document, object, 0);
            let Some(dictionary) = dictionary(object) else { continue };
            self.one(document, dictionary);
            if let Ok(list) = dictionary.get(b"Annots").and_then(Object::as_array) {
                for annotation in list.iter().filter_map(|o| o.as_dict().ok()) {
                    self.one(document, annotation);
                }
            }
        }
    }

    /// Texts by their keys in this object and all that stands in it; what it refers to is an object of its own.
    fn labels(&mut self, document: &Document, object: &Object, depth: usize) {
        /// Text strings (ISO 32000-1, 7.9.2.2) that programs show, wherever they stand.
        const KEYS: [&[u8]; 12] =
            [b"CA", b"RC", b"AC", b"Name", b"Reason", b"Location", b"ContactInfo", b"Desc", b"OverlayText", b"P", b"JS", b"Title"];
        if depth > DEEPEST || self.labels.len() > self.most {
            return;
        }
        if let Object::Array(list) = object {
            return list.iter().for_each(|item| self.labels(document, item, depth + 1));
        }
        let Some(dictionary) = dictionary(object) else { return };
        for (key, value) in dictionary.iter() {
            match value {
                Object::Array(_) | Object::Dictionary(_) => self.labels(document, value, depth + 1),
                _ if KEYS.contains(&key.as_slice()) => {
                    let text = document.dereference(value).ok().filter(|(_, value)| matches!(value, Object::String(..)));
                    line(&mut self.labels, text.and_then(|(_, value)| string(value)));
                }
                _ => {}
            }
        }
    }

    fn one(&mut self, document: &Document, dictionary: &Dictionary) {
        let text = |name: &[u8]| dictionary.get_deref(name, document).ok().and_then(string);
        if dictionary.has(b"Subtype") && dictionary.has(b"Rect") {
            for name in [&b"Contents"[..], b"T", b"Subj", b"RC"] {
                line(&mut self.notes, text(name));
            }
        }
        if dictionary.has(b"Parent")
            && (dictionary.has(b"Dest") || dictionary.has(b"A") || dictionary.has(b"Next") || dictionary.has(b"Prev"))
        {
            line(&mut self.outlines, text(b"Title"));
        }
        let action = dictionary.get_deref(b"A", document).and_then(Object::as_dict).ok();
        for source in [Some(dictionary), action].into_iter().flatten() {
            line(&mut self.links, source.get_deref(b"URI", document).ok().and_then(string));
        }
    }
}

/// The dictionary of an object that has one.
pub(super) fn dictionary(object: &Object) -> Option<&Dictionary> {
    match object {
        Object::Dictionary(dictionary) => Some(dictionary),
        Object::Stream(stream) => Some(&stream.dict),
        _ => None,
    }
}

/// A text string as a person reads it.
pub(super) fn string(object: &Object) -> Option<String> {
    match object {
        Object::String(octets, _) => decode_text_string(object).ok().or_else(|| Some(String::from_utf8_lossy(octets).into_owned())),
        Object::Name(name) => Some(String::from_utf8_lossy(name).into_owned()),
        _ => None,
    }
}

/// Adds a line, unless there is nothing to say.
pub(super) fn line(lines: &mut String, text: Option<String>) {
    if let Some(text) = text.filter(|t| !t.trim().is_empty()) {
        lines.push_str(plain::clean(text.into()).trim());
        lines.push('\n');
    }
}

/// `name: value` for the fields of a form: the tree, not the widgets, since the value is whole there (ISO 32000-1, 12.7.3).
fn fields(reading: &mut Reading<'_>, here: &Here, document: &Document, told: &mut Told) {
    let form = document.catalog().and_then(|c| c.get_deref(b"AcroForm", document)).and_then(Object::as_dict);
    let Ok(roots) = form.and_then(|f| f.get_deref(b"Fields", document)).and_then(Object::as_array) else { return };
    let mut seen = HashSet::new();
    let mut open: Vec<(&Object, String, usize)> = roots.iter().rev().map(|o| (o, String::new(), 0)).collect();
    while let Some((object, above, depth)) = open.pop() {
        if told.fields.len() > reading.limits.text {
            // More is cut off anyway, and told.
            break;
        }
        if object.as_reference().is_ok_and(|id| !seen.insert(id)) || depth > DEEPEST {
            continue;
        }
        let Ok((_, Object::Dictionary(field))) = document.dereference(object) else { continue };
        let own = field.get_deref(b"T", document).ok().and_then(string).map(|t| t.chars().take(NAME_LONGEST).collect::<String>());
        let name = match own {
            Some(own) if above.is_empty() => own,
            Some(own) => format!("{above}.{own}"),
            None => above,
        };
        for key in [&b"V"[..], b"DV", b"RV", b"Opt", b"TU"] {
            let Ok(value) = field.get_deref(key, document) else { continue };
            for value in values(reading, here, document, value) {
                line(&mut told.fields, Some(format!("{name}: {value}")));
            }
        }
        if let Ok(kids) = field.get_deref(b"Kids", document).and_then(Object::as_array) {
            open.extend(kids.iter().rev().map(|o| (o, name.clone(), depth + 1)));
        }
    }
}

/// The texts of a field's value: one, or several, or pairs of export and display value.
fn values(reading: &mut Reading<'_>, here: &Here, document: &Document, value: &Object) -> Vec<String> {
    let each = |o: &Object| -> Vec<String> {
        match document.dereference(o) {
            Ok((_, Object::Array(pair))) => pair.iter().filter_map(|o| string(document.dereference(o).ok()?.1)).collect(),
            Ok((_, one)) => string(one).into_iter().collect(),
            Err(_) => Vec::new(),
        }
    };
    match value {
        Object::Array(list) => list.iter().take(10_000).flat_map(each).collect(),
        // Long texts are streams; what they hold is a text string all the same.
        Object::Stream(stream) => match stream::decode(reading, document, stream) {
            Ok(decoded) => string(&Object::String(decoded.data, StringFormat::Literal)).into_iter().collect(),
            Err(refused) => {
                match refused {
                    stream::Refused::TooLarge => reading.too_large(here, "member"),
                    stream::Refused::Damaged => reading.damaged(here, "pdf"),
                }
                Vec::new()
            }
        },
        one => string(one).into_iter().collect(),
    }
}

/// The information dictionary, and XMP as it stands: its tags are the labels.
fn properties(reading: &mut Reading<'_>, here: &Here, document: &Document) {
    let mut lines = String::new();
    if let Ok(info) = document.trailer.get_deref(b"Info", document).and_then(Object::as_dict) {
        for (name, value) in info.iter() {
            if let Some(text) = document.dereference(value).ok().and_then(|(_, v)| string(v)) {
                line(&mut lines, Some(format!("{}: {}", String::from_utf8_lossy(name), text.replace(['\r', '\n'], " "))));
            }
        }
    }
    reading.text(&here.part, Source::Properties, lines, Places::Named("properties".into()));
    // Pages and images have their own; and the document's is one, whatever it calls itself.
    let own = document.catalog().and_then(|c| c.get(b"Metadata")).and_then(Object::as_reference).ok();
    for (id, object) in &document.objects {
        let Ok(stream) = object.as_stream() else { continue };
        if own == Some(*id) || stream.dict.get_deref(b"Type", document).and_then(Object::as_name).is_ok_and(|name| name == b"Metadata") {
            packet(reading, here, document, stream, Source::Properties, "metadata");
        }
    }
}

/// Scripts that are streams (ISO 32000-1, table 217): a form may fill in its fields when it is opened.
fn scripts(reading: &mut Reading<'_>, here: &Here, document: &Document, told: &mut Told) {
    let actions = document.objects.values().filter_map(dictionary).filter_map(|action| action.get(b"JS").ok()?.as_reference().ok());
    for id in actions.collect::<HashSet<_>>() {
        let Ok(stream) = document.get_object(id).and_then(Object::as_stream) else { continue };
        match stream::decode(reading, document, stream) {
            Ok(decoded) => line(&mut told.labels, string(&Object::String(decoded.data, StringFormat::Literal))),
            Err(_) => reading.damaged(here, "pdf"),
        }
    }
}

/// XFA: the form and its data as XML, whole or in packets (ISO 32000-1, 12.7.8).
fn packets(reading: &mut Reading<'_>, here: &Here, document: &Document) {
    let xfa = document
        .catalog()
        .and_then(|c| c.get_deref(b"AcroForm", document))
        .and_then(Object::as_dict)
        .and_then(|f| f.get_deref(b"XFA", document));
    let streams: Vec<_> = match xfa {
        Ok(Object::Stream(stream)) => vec![stream],
        Ok(Object::Array(list)) => list.iter().take(64).filter_map(|o| document.dereference(o).ok()?.1.as_stream().ok()).collect(),
        _ => Vec::new(),
    };
    for stream in streams {
        packet(reading, here, document, stream, Source::Attachment, "form data");
    }
}

fn packet(reading: &mut Reading<'_>, here: &Here, document: &Document, stream: &lopdf::Stream, source: Source, place: &str) {
    match stream::decode(reading, document, stream) {
        Ok(decoded) => {
            let text = plain::clean(crate::extract::xml::text(&decoded.data)).into_owned();
            if text.contains("&#")
                && let Ok(resolved) = quick_xml::escape::unescape(&text)
            {
                reading.text(&here.part, source, plain::clean(resolved).into_owned(), Places::Named(place.into()));
            }
            reading.text(&here.part, source, text, Places::Named(place.into()));
        }
        Err(_) => reading.damaged(here, "pdf"),
    }
}

/// Embedded files: every file specification with a stream, wherever it hangs (ISO 32000-1, 7.11).
fn files(reading: &mut Reading<'_>, here: &Here, document: &Document) {
    let mut seen = HashSet::new();
    let mut specifications: Vec<&Dictionary> = Vec::new();
    for object in document.objects.values() {
        let Some(dictionary) = dictionary(object) else { continue };
        if dictionary.has(b"EF") {
            specifications.push(dictionary);
        }
        if let Ok(Object::Dictionary(inner)) = dictionary.get(b"FS")
            && inner.has(b"EF")
        {
            specifications.push(inner);
        }
        if let Ok(names) = dictionary.get(b"Names").and_then(Object::as_array) {
            specifications.extend(names.iter().filter_map(|o| o.as_dict().ok()).filter(|d| d.has(b"EF")));
        }
    }
    for specification in specifications {
        let name = [&b"UF"[..], b"F"].iter().find_map(|n| specification.get_deref(n, document).ok().and_then(string)).unwrap_or_default();
        let Ok(embedded) = specification.get_deref(b"EF", document).and_then(Object::as_dict) else { continue };
        for (_, file) in embedded.iter().take(8) {
            if file.as_reference().is_ok_and(|id| !seen.insert(id)) {
                continue;
            }
            let Ok((_, Object::Stream(stream))) = document.dereference(file) else {
                reading.damaged(here, "pdf");
                continue;
            };
            let Some(inner) = reading.enter(here, &name) else { return };
            match stream::decode(reading, document, stream) {
                Ok(decoded) => reading.open(&inner, &name, "", Bytes::from(decoded.data)),
                Err(stream::Refused::TooLarge) => reading.too_large(&inner, "member"),
                Err(stream::Refused::Damaged) => reading.damaged(&inner, "pdf"),
            }
        }
    }
}
