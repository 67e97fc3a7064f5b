//! Combs: characters that stand one by one at even distances, in the boxes of a form or spaced out.
//!
//! A form's citizen number is drawn so, and read as nine words it is none.

use super::{BLANK, Glyph, Glyphs, by_line, is_one_line};

/// Fewer characters than this stand at even distances by chance.
const FEWEST: usize = 4;
/// How far distances may differ, as a share of them.
const UNEVEN: f32 = 0.1;
/// Boxes are at most so many ems apart; more is a table.
const FARTHEST: f32 = 6.0;

/// The page with the characters of each comb moved together; `None` when there is no comb.
pub(super) fn joined(glyphs: &Glyphs) -> Option<Glyphs> {
    if !may_hold_any(glyphs) {
        return None;
    }
    let mut list = glyphs.list.clone();
    let mut blanks = vec![false; list.len()];
    let mut any = false;
    let order = by_line(glyphs);
    for line in order.chunk_by(|a, b| is_one_line(&glyphs.list[*a], &glyphs.list[*b])) {
        let mut line: Vec<usize> = line.to_vec();
        line.sort_by(|a, b| glyphs.list[*a].along.total_cmp(&glyphs.list[*b].along));
        let shown: Vec<usize> = line.iter().copied().filter(|i| !is_blank(glyphs, *i)).collect();
        let mut start = 0;
        while start + FEWEST <= shown.len() {
            let length = comb(glyphs, &shown, start);
            let teeth = &shown[start..start + length];
            start += length.max(1);
            if length < FEWEST {
                continue;
            }
            any = true;
            let (first, last) = (glyphs.list[teeth[0]].along, glyphs.list[teeth[length - 1]].along);
            for i in line.iter().filter(|i| is_blank(glyphs, **i) && (first..last).contains(&glyphs.list[**i].along)) {
                blanks[*i] = true;
            }
            move_together(&mut list, teeth);
        }
    }
    any.then(|| without(glyphs, list, &blanks))
}

/// Whether enough characters are drawn alone: a look that spares most pages the sorting.
fn may_hold_any(glyphs: &Glyphs) -> bool {
    let touches = |a: usize, b: usize| {
        let (first, second) = (&glyphs.list[a], &glyphs.list[b]);
        is_one_line(first, second) && !is_blank(glyphs, a) && !is_blank(glyphs, b) && second.along - first.end <= BLANK * first.em
    };
    let is_alone = |i: &usize| {
        let follows = *i > 0 && touches(i - 1, *i);
        let goes_on = i + 1 < glyphs.list.len() && touches(*i, i + 1);
        !is_blank(glyphs, *i) && !follows && !goes_on
    };
    (0..glyphs.list.len()).filter(is_alone).take(FEWEST).count() == FEWEST
}

fn is_blank(glyphs: &Glyphs, index: usize) -> bool {
    glyphs.text_of(index).trim().is_empty()
}

/// How many of the glyphs of `line` from `start` stand like the teeth of a comb.
fn comb(glyphs: &Glyphs, line: &[usize], start: usize) -> usize {
    let at = |n: usize| &glyphs.list[line[n]];
    let touches = |n: usize| at(n + 1).along - at(n).end <= BLANK * at(n).em;
    let is_tooth = |n: usize| {
        let mut chars = glyphs.text_of(line[n]).chars();
        let is_single = chars.next().is_some_and(char::is_alphanumeric) && chars.next().is_none();
        is_single && !(n > 0 && touches(n - 1)) && !(n + 1 < line.len() && touches(n))
    };
    let middle = |n: usize| f32::midpoint(at(n).along, at(n).end);
    if !is_tooth(start) {
        return 0;
    }
    let mut pitch = None;
    for n in start + 1..line.len() {
        let step = middle(n) - middle(n - 1);
        let pitch = *pitch.get_or_insert(step);
        if !is_tooth(n) || step > FARTHEST * at(n).em || (step - pitch).abs() > UNEVEN * pitch {
            return n - start;
        }
    }
    line.len() - start
}

/// Lets each tooth begin where the one before it ends.
fn move_together(list: &mut [Glyph], teeth: &[usize]) {
    for pair in teeth.windows(2) {
        let at = list[pair[0]].end;
        let tooth = &mut list[pair[1]];
        (tooth.along, tooth.end) = (at, at + (tooth.end - tooth.along));
    }
}

/// The glyphs of `list`, but for those `gone`.
fn without(glyphs: &Glyphs, list: Vec<Glyph>, gone: &[bool]) -> Glyphs {
    let mut left = Glyphs::default();
    for (index, glyph) in list.into_iter().enumerate().filter(|(i, _)| !gone[*i]) {
        left.add(glyphs.text_of(index), glyph);
    }
    left
}
