//! The page with the texts that stand for glyphs in their place.

use super::{Glyph, Glyphs, is_one_line};

/// The page as its author wants it read; `None` when that says no other letters or digits than what is drawn.
pub(super) fn replaced(glyphs: &Glyphs) -> Option<Glyphs> {
    let mut stand_ins: Vec<_> = glyphs.stand_ins.iter().filter(|(range, _)| !range.is_empty()).collect();
    // The outer one stands for all that is in it.
    stand_ins.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
    let mut end = 0;
    stand_ins.retain(|(range, _)| {
        let is_outer = range.start >= end;
        end = end.max(range.end);
        is_outer
    });
    let is_other = |range: &std::ops::Range<usize>, text: &str| {
        let drawn = range.clone().flat_map(|i| glyphs.text_of(i).chars());
        !drawn.filter(|c| c.is_alphanumeric()).eq(text.chars().filter(|c| c.is_alphanumeric()))
    };
    if !stand_ins.iter().any(|(range, text)| is_other(range, text)) {
        return None;
    }
    let mut other = Glyphs::default();
    let mut next = 0;
    for (range, text) in stand_ins {
        (next..range.start).for_each(|i| other.add(glyphs.text_of(i), glyphs.list[i]));
        let first = glyphs.list[range.start];
        let on_line = glyphs.list[range.clone()].iter().filter(|g| is_one_line(&first, g));
        let (along, end) = on_line.fold((first.along, first.end), |(a, e), g| (a.min(g.along), e.max(g.end)));
        other.add(&super::shown(text), Glyph { along, end, ..first });
        next = range.end;
    }
    (next..glyphs.list.len()).for_each(|i| other.add(glyphs.text_of(i), glyphs.list[i]));
    Some(other)
}

/// Texts that stand for what has no glyphs, one a line.
pub(super) fn apart(glyphs: &Glyphs) -> Option<String> {
    let texts = glyphs.stand_ins.iter().filter(|(range, _)| range.is_empty()).map(|(_, text)| super::shown(text));
    let lines: Vec<_> = texts.filter(|text| !text.trim().is_empty()).collect();
    (!lines.is_empty()).then(|| lines.join("\n"))
}
