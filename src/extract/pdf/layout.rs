//! Glyphs on a page to words and lines.

mod bidi;
mod comb;
mod replaced;

use super::page::{Area, Matrix};
use std::{borrow::Cow, cmp::Ordering, collections::HashMap, ops::Range};

/// Gaps and steps, in ems, that make a blank, a tab and a new line.
const BLANK: f32 = 0.17;
const TAB: f32 = 1.5;
const BACK: f32 = 1.0;
const LINE: f32 = 0.4;

/// Glyphs in the order in which they are drawn.
#[derive(Default)]
pub(super) struct Glyphs {
    text: String,
    list: Vec<Glyph>,
    /// Texts that stand for glyphs, which may be none.
    stand_ins: Vec<(Range<usize>, String)>,
    /// What is seen of the page; all of it if unknown.
    pub(super) visible: Option<Area>,
}

/// A glyph in the frame of its own writing direction: `along` grows with the text, `across` upwards.
#[derive(Clone, Copy)]
struct Glyph {
    text_end: u32,
    /// Direction in degrees.
    angle: i16,
    is_hidden: bool,
    along: f32,
    end: f32,
    across: f32,
    em: f32,
}

/// A run of glyphs on one line, without a tab in it.
struct Segment {
    angle: i16,
    along: f32,
    end: f32,
    across: f32,
    em: f32,
    text: String,
    hidden: Vec<Range<usize>>,
}

/// Text of a page.
#[derive(Default)]
pub(super) struct PageText {
    pub(super) text: String,
    pub(super) hidden: Vec<Range<usize>>,
    /// Other readings of it: in the order in which it is drawn, where its digits then stand in another order; with the characters of combs joined;
    /// with what stands for glyphs in their place.
    pub(super) alternatives: Vec<String>,
}

impl Glyphs {
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    /// Adds a glyph: `at` maps its em square to the page, `end` is where the next one would stand.
    pub(super) fn push(&mut self, text: &str, at: Matrix, end: Matrix, is_invisible: bool) {
        let [a, b, c, d, x, y] = at.0;
        let width = a.hypot(b);
        let (ux, uy) = if width > 0.0 { (a / width, b / width) } else { (1.0, 0.0) };
        let em = c.hypot(d);
        let all = [x, y, ux, uy, em, end.0[4], end.0[5]];
        if !all.iter().all(|n| n.is_finite()) {
            return;
        }
        let is_outside = self.visible.is_some_and(|area| !area.holds([x, y], em));
        self.text.push_str(&shown(text));
        self.list.push(Glyph {
            text_end: u32::try_from(self.text.len()).unwrap_or(u32::MAX),
            angle: uy.atan2(ux).to_degrees().round() as i16,
            // Under one point nobody reads it.
            is_hidden: is_invisible || is_outside || em < 1.0,
            along: x * ux + y * uy,
            end: end.0[4] * ux + end.0[5] * uy,
            across: y * ux - x * uy,
            em: em.max(0.01),
        });
    }

    /// Octets of all their texts.
    pub(super) fn octets(&self) -> usize {
        self.text.len()
    }

    /// A text stands for the glyphs from `from` on.
    pub(super) fn stands_for(&mut self, from: usize, text: String) {
        self.stand_ins.push((from..self.list.len(), text));
    }

    fn add(&mut self, text: &str, glyph: Glyph) {
        self.text.push_str(text);
        self.list.push(Glyph { text_end: u32::try_from(self.text.len()).unwrap_or(u32::MAX), ..glyph });
    }

    fn text_of(&self, index: usize) -> &str {
        let start = index.checked_sub(1).map_or(0, |before| self.list[before].text_end as usize);
        self.text.get(start..self.list[index].text_end as usize).unwrap_or_default()
    }

    /// How many letters and digits were drawn.
    pub(super) fn letters(&self) -> usize {
        self.text.chars().filter(|c| c.is_alphanumeric()).count()
    }

    /// How many of them nobody sees.
    pub(super) fn hidden_letters(&self) -> usize {
        let hidden = (0..self.list.len()).filter(|i| self.list[*i].is_hidden);
        hidden.map(|i| self.text_of(i).chars().filter(|c| c.is_alphanumeric()).count()).sum()
    }

    /// Puts the glyphs into lines.
    pub(super) fn into_text(self) -> PageText {
        let replaced = replaced::replaced(&self).map(|glyphs| PageText::of(bidi::in_reading_order(glyphs).segments()).text);
        let apart = replaced::apart(&self);
        let glyphs = bidi::in_reading_order(self);
        let segments = glyphs.segments();
        let drawn = drawn_order(&segments);
        let mut page = PageText::of(segments);
        let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).collect::<Vec<_>>();
        page.alternatives.extend(Some(drawn).filter(|d| digits(d) != digits(&page.text)));
        page.alternatives.extend(comb::joined(&glyphs).map(|glyphs| PageText::of(glyphs.segments()).text));
        page.alternatives.extend(replaced.into_iter().chain(apart));
        page
    }

    fn segments(&self) -> Vec<Segment> {
        let mut segments: Vec<Segment> = Vec::new();
        let mut start = 0;
        for glyph in &self.list {
            let range = start..glyph.text_end as usize;
            start = range.end;
            let Some(text) = self.text.get(range) else { continue };
            let follows = segments.last_mut().filter(|s| s.takes(glyph));
            match follows {
                Some(segment) => segment.push(glyph, text),
                None if text.trim().is_empty() => {}
                None => segments.push(Segment::new(glyph, text)),
            }
        }
        for segment in &mut segments {
            segment.text.truncate(segment.text.trim_end().len());
            let length = segment.text.len();
            segment.hidden.retain_mut(|r| {
                r.end = r.end.min(length);
                r.start < r.end
            });
        }
        segments
    }
}

impl PageText {
    fn of(segments: Vec<Segment>) -> PageText {
        let mut page = PageText::default();
        for line in lines(segments) {
            if !page.text.is_empty() {
                page.text.push('\n');
            }
            for (index, segment) in line.into_iter().enumerate() {
                if index > 0 {
                    page.text.push('\t');
                }
                let start = page.text.len();
                page.hidden.extend(segment.hidden.iter().map(|r| r.start + start..r.end + start));
                page.text.push_str(&segment.text);
            }
        }
        page
    }
}

impl Segment {
    fn new(glyph: &Glyph, text: &str) -> Segment {
        let mut segment = Segment {
            angle: glyph.angle,
            along: glyph.along,
            end: glyph.along,
            across: glyph.across,
            em: glyph.em,
            text: String::new(),
            hidden: Vec::new(),
        };
        segment.push(glyph, text);
        segment
    }

    /// Whether the glyph goes on where this one ends.
    fn takes(&self, glyph: &Glyph) -> bool {
        let em = self.em.max(glyph.em);
        let gap = glyph.along - self.end;
        self.angle == glyph.angle && (glyph.across - self.across).abs() <= LINE * em && gap <= TAB * em && gap >= -BACK * em
    }

    fn push(&mut self, glyph: &Glyph, text: &str) {
        let gap = glyph.along - self.end;
        if gap > BLANK * self.em.min(glyph.em) && !self.text.ends_with(' ') && !text.starts_with(' ') && !self.text.is_empty() {
            self.text.push(' ');
        }
        let start = self.text.len();
        self.text.push_str(text);
        if glyph.is_hidden {
            self.hidden.push(start..self.text.len());
        }
        self.end = self.end.max(glyph.end);
    }
}

/// Control characters become blanks: nobody forges a break.
fn shown(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_control) { text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect() } else { text.into() }
}

/// The indices of the glyphs, those of a line together.
fn by_line(glyphs: &Glyphs) -> Vec<usize> {
    let mut order: Vec<usize> = (0..glyphs.list.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&glyphs.list[*a], &glyphs.list[*b]);
        a.angle.cmp(&b.angle).then_with(|| b.across.total_cmp(&a.across))
    });
    order
}

fn is_one_line(a: &Glyph, b: &Glyph) -> bool {
    a.angle == b.angle && (a.across - b.across).abs() <= LINE * a.em.min(b.em)
}

/// Segments by line from top to bottom, each line by its direction. Directions in the order in which they first occur.
fn lines(segments: Vec<Segment>) -> Vec<Vec<Segment>> {
    let mut ranks: HashMap<i16, usize> = HashMap::new();
    for segment in &segments {
        let next = ranks.len();
        ranks.entry(segment.angle).or_insert(next);
    }
    let mut segments = segments;
    segments.sort_by(|a, b| ranks[&a.angle].cmp(&ranks[&b.angle]).then_with(|| descending(a.across, b.across)));
    let mut lines: Vec<Vec<Segment>> = Vec::new();
    for segment in segments {
        let on_line = |line: &&mut Vec<Segment>| {
            line.first().is_some_and(|f| f.angle == segment.angle && (f.across - segment.across).abs() <= LINE * f.em.min(segment.em))
        };
        match lines.last_mut().filter(on_line) {
            Some(line) => line.push(segment),
            None => lines.push(vec![segment]),
        }
    }
    for line in &mut lines {
        line.sort_by(|a, b| descending(b.along, a.along));
        join(line);
    }
    lines
}

/// Segments of one line that touch are one: a word may be drawn in pieces, in any order.
fn join(line: &mut Vec<Segment>) {
    let mut joined: Vec<Segment> = Vec::with_capacity(line.len());
    for segment in line.drain(..) {
        let gap = joined.last().map(|last| segment.along - last.end);
        match joined.last_mut() {
            Some(last) if gap.is_some_and(|g| g <= TAB * last.em && g >= -LINE * last.em) => {
                if gap.is_some_and(|g| g > BLANK * last.em.min(segment.em)) {
                    last.text.push(' ');
                }
                let start = last.text.len();
                last.hidden.extend(segment.hidden.iter().map(|r| r.start + start..r.end + start));
                last.text.push_str(&segment.text);
                last.end = last.end.max(segment.end);
            }
            _ => joined.push(segment),
        }
    }
    *line = joined;
}

fn drawn_order(segments: &[Segment]) -> String {
    let mut text = String::new();
    let mut before: Option<&Segment> = None;
    for segment in segments {
        if let Some(before) = before {
            let same_line = before.angle == segment.angle && (before.across - segment.across).abs() <= LINE * segment.em;
            text.push(if same_line { '\t' } else { '\n' });
        }
        text.push_str(&segment.text);
        before = Some(segment);
    }
    text
}

fn descending(a: f32, b: f32) -> Ordering {
    b.partial_cmp(&a).unwrap_or(Ordering::Equal)
}
