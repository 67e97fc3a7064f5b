//! Hebrew and Arabic: put in the order in which they are read, however they are drawn.
//!
//! Some programs draw such a line from its first letter, others from the left. Its glyphs are mirrored so that reading order is ascending, like
//! everywhere else; what runs left to right in it, numbers above all, keeps its own order.

use super::{Glyph, Glyphs, by_line, is_one_line};

/// Which way a glyph is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Right,
    Left,
    /// Blanks and punctuation go with what surrounds them.
    Neutral,
}

/// The page with its right-to-left lines in reading order.
pub(super) fn in_reading_order(glyphs: Glyphs) -> Glyphs {
    if !glyphs.text.chars().any(is_right_to_left) {
        return glyphs;
    }
    let order = by_line(&glyphs);
    let mut turned: Vec<Option<Glyph>> = vec![None; glyphs.list.len()];
    let mut lines = Vec::new();
    for line in order.chunk_by(|a, b| is_one_line(&glyphs.list[*a], &glyphs.list[*b])) {
        if line.iter().any(|i| direction(glyphs.text_of(*i)) == Direction::Left) {
            let mut line = line.to_vec();
            turn(&glyphs, &mut line, &mut turned);
            lines.extend(line);
        }
    }
    let kept = (0..glyphs.list.len()).filter(|i| turned[*i].is_none());
    let mut ordered = Glyphs::default();
    for index in kept.chain(lines) {
        ordered.add(glyphs.text_of(index), turned[index].unwrap_or(glyphs.list[index]));
    }
    ordered
}

/// Gives the glyphs of a line their new places, and sorts `line` by them.
fn turn(glyphs: &Glyphs, line: &mut [usize], turned: &mut [Option<Glyph>]) {
    line.sort_by(|a, b| glyphs.list[*a].along.total_cmp(&glyphs.list[*b].along));
    let directions: Vec<Direction> = line.iter().map(|i| direction(glyphs.text_of(*i))).collect();
    let count = |which| directions.iter().filter(|d| **d == which).count();
    let base = if count(Direction::Left) > count(Direction::Right) { Direction::Left } else { Direction::Right };
    let directions = resolved(&directions, base);
    let mut start = 0;
    for run in directions.chunk_by(|a, b| a == b) {
        let indices = &line[start..start + run.len()];
        start += run.len();
        let left = indices.iter().map(|i| glyphs.list[*i].along).fold(f32::INFINITY, f32::min);
        let right = indices.iter().map(|i| glyphs.list[*i].end).fold(f32::NEG_INFINITY, f32::max);
        for index in indices {
            let glyph = glyphs.list[*index];
            // Mirrored within its run where that is read from the right, and the run as a whole where the line is.
            let within = if run[0] == Direction::Left { right - glyph.end } else { glyph.along - left };
            let along = if base == Direction::Left { within - right } else { within + left };
            turned[*index] = Some(Glyph { along, end: along + (glyph.end - glyph.along), ..glyph });
        }
    }
    let place = |index: &usize| turned[*index].map_or(0.0, |g| g.along);
    line.sort_by(|a, b| place(a).total_cmp(&place(b)));
}

/// Neutral glyphs between two of one direction have it, others that of the line.
fn resolved(directions: &[Direction], base: Direction) -> Vec<Direction> {
    let strong = |d: &&Direction| **d != Direction::Neutral;
    let mut before = base;
    let around = directions.iter().enumerate().map(|(n, direction)| {
        if *direction != Direction::Neutral {
            before = *direction;
            return *direction;
        }
        let after = directions[n..].iter().find(strong).copied().unwrap_or(base);
        if before == after { before } else { base }
    });
    around.collect()
}

fn direction(text: &str) -> Direction {
    match text.chars().find(|c| c.is_alphanumeric()) {
        Some(c) if is_right_to_left(c) => Direction::Left,
        Some(_) => Direction::Right,
        None => Direction::Neutral,
    }
}

/// The blocks of Hebrew, Arabic and their presentation forms (Unicode, DerivedBidiClass: R and AL); digits are read from the left in them too.
fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFE}') && !c.is_numeric()
}
