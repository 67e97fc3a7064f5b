//! Presentations (PPTX): slides in the order they are shown in, and what belongs to each.

use super::{
    markup::Markup,
    package::{Package, targets},
};
use crate::extract::{
    Places, Source,
    flow::Flow,
    reading::{Here, Reading},
    xml::{self, Node},
};

/// One kind of text of all slides, and where it begins for each of them.
#[derive(Default)]
struct Stream {
    flow: Flow,
    starts: Vec<usize>,
}

impl Stream {
    /// What is added next belongs to the next slide.
    fn slide(&mut self) {
        self.starts.push(self.flow.text.len());
    }

    fn places(&mut self) -> Places {
        Places::Slides(std::mem::take(&mut self.starts))
    }
}

/// All slides as their text grows.
#[derive(Default)]
struct Slides {
    shown: Stream,
    notes: Stream,
    comments: Stream,
    /// Alternative texts, names of objects.
    attributes: Stream,
}

/// Reads the slides; masters, layouts, charts and diagrams are left for the end, and know their slide by then.
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, package: &mut Package<'_>, main: &str) {
    let Some(octets) = package.take(reading, here, main) else { return };
    let relations = package.relations(reading, here, main, "presentation");
    let targets = targets(&relations);
    let mut order = shown(&xml::text(&octets), |id| targets.get(id).map(|target| (*target).to_owned()));
    // Slides that no list shows travel all the same.
    order.extend(relations.iter().filter(|r| r.kind == "slide").map(|r| r.target.clone()));
    let mut slides = Slides::default();
    let mut number = 0u32;
    for part in order {
        if let Some(octets) = package.take(reading, here, &part) {
            number += 1;
            slides.read(reading, here, package, &part, &octets, number);
        }
    }
    slides.done(reading, here);
    package.read_xml(reading, here, main, &octets);
}

/// The slides by the list of their ids (ECMA-376, part 1, 19.2.1.34).
fn shown(text: &str, target: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut order = Vec::new();
    let _ = xml::walk(text, |node| {
        if let Node::Open("sldId", element) = node {
            // `id` and `r:id` share a local name.
            order.extend(xml::attributes(element).filter(|(name, _)| name == "id").find_map(|(_, id)| target(&id)));
        }
    });
    order
}

impl Slides {
    fn read(&mut self, reading: &mut Reading<'_>, here: &Here, package: &mut Package<'_>, part: &str, octets: &[u8], number: u32) {
        for stream in [&mut self.shown, &mut self.notes, &mut self.comments, &mut self.attributes] {
            stream.slide();
        }
        self.add(reading, here, octets, |slides| &mut slides.shown);
        let place = format!("slide {number}");
        for relation in package.relations(reading, here, part, &place) {
            let kind = relation.kind.as_str();
            if !matches!(kind, "notesSlide" | "comments" | "comment") {
                if !matches!(kind, "slideLayout" | "slide") {
                    package.belongs(&relation.target, &place, None);
                }
                continue;
            }
            let Some(octets) = package.take(reading, here, &relation.target) else { continue };
            let is_note = kind == "notesSlide";
            self.add(reading, here, &octets, |slides| if is_note { &mut slides.notes } else { &mut slides.comments });
            package.relations(reading, here, &relation.target, &format!("{}, {place}", if is_note { "notes" } else { "comment" }));
        }
    }

    fn add(&mut self, reading: &mut Reading<'_>, here: &Here, octets: &[u8], stream: impl Fn(&mut Slides) -> &mut Stream) {
        let body = Markup::of(reading, here, &xml::text(octets));
        let stream = stream(self);
        stream.flow.append(&body.flow);
        stream.flow.append(&body.boxes);
        self.attributes.flow.row();
        self.attributes.flow.push(&body.aside, false);
    }

    fn done(mut self, reading: &mut Reading<'_>, here: &Here) {
        let places = self.shown.places();
        reading.flow(&here.part, Source::Attachment, self.shown.flow, places);
        for (what, mut stream) in [("notes", self.notes), ("comment", self.comments), ("attributes", self.attributes)] {
            let places = Places::Within(what.to_owned(), Box::new(stream.places()));
            reading.flow(&here.part, Source::Attachment, stream.flow, places);
        }
    }
}
