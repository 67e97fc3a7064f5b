//! Numbers that pass their check by chance: of 60 unrelated numbers of nine digits five pass the 11-proef. An unsure one counts for a number of its
//! own only where most of those that look the same, in its column or else in its text, pass as well.

use super::{
    class::{Class, class},
    finding::Confidence,
    normalise::Normal,
    search::Raw,
};
use crate::extract::{Places, Text};
use std::collections::HashMap;

/// The longest number whose looks are compared.
const LONGEST: usize = 40;
/// So many looks are compared in one text; numbers that look otherwise count for nothing. Each costs a pass over the text.
const SHAPES: usize = 8;

/// The indices of those of `raws` that may be chance, among those of rules that are `counted`.
pub(super) fn chances(text: &Text, normal: &Normal<'_>, raws: &[Raw], counted: &[bool]) -> Vec<usize> {
    let unsure: Vec<usize> = (0..raws.len()).filter(|n| counted[raws[*n].rule] && raws[*n].confidence == Confidence::Low).collect();
    if unsure.is_empty() {
        return Vec::new();
    }
    let bytes = normal.text.as_bytes();
    let mut columns = Columns::new(text, normal);
    // By looks and column: how many there are, and how many were found.
    let mut crowds: HashMap<(usize, u32), (usize, usize)> = HashMap::new();
    let mut shapes: Vec<Vec<u8>> = Vec::new();
    let mut of: Vec<Option<(usize, u32)>> = Vec::with_capacity(unsure.len());
    for n in &unsure {
        let (start, end) = raws[*n].stretch;
        let looks = shape(&bytes[start..end.min(start + LONGEST)]);
        let known = shapes.iter().position(|s| *s == looks);
        let known = known.or_else(|| {
            let room = shapes.len() < SHAPES;
            if room {
                shapes.push(looks);
            }
            room.then(|| shapes.len() - 1)
        });
        let crowd = known.map(|shape| (shape, columns.of(start)));
        if let Some(crowd) = crowd {
            crowds.entry(crowd).or_default().1 += 1;
        }
        of.push(crowd);
    }
    for (number, shape) in shapes.iter().enumerate() {
        let mut columns = Columns::new(text, normal);
        for at in alike(bytes, shape) {
            if let Some(crowd) = crowds.get_mut(&(number, columns.of(at))) {
                crowd.0 += 1;
            }
        }
    }
    // More of one look are found than there are alike when rules find the same number: then all of them pass.
    let is_chance = |crowd: &Option<(usize, u32)>| crowd.and_then(|c| crowds.get(&c)).is_none_or(|(all, found)| found * 2 <= *all);
    unsure.into_iter().zip(&of).filter(|(_, crowd)| is_chance(crowd)).map(|(n, _)| n).collect()
}

/// Digits and letters as kinds, signs as they are: `999.99.999`.
fn shape(written: &[u8]) -> Vec<u8> {
    written.iter().map(|b| looks(*b)).collect()
}

fn looks(b: u8) -> u8 {
    match class(b) {
        Class::Digit => b'9',
        Class::Letter => b'A',
        Class::Other => b,
    }
}

/// Where something of this shape stands by itself.
fn alike<'a>(text: &'a [u8], shape: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let word = |b: Option<&u8>| b.is_some_and(|b| class(*b) != Class::Other);
    let begins = move |at: &usize| (*at == 0 || !word(text.get(*at - 1))) && word(text.get(*at));
    (0..text.len()).filter(begins).filter(move |at| {
        text.get(*at..*at + shape.len()).is_some_and(|here| here.iter().zip(shape).all(|(b, s)| looks(*b) == *s))
            && !word(text.get(*at + shape.len()))
    })
}

/// Which column things stand in: of a sheet, or by tabs, bars and semicolons of the line. To be asked in the order of the text.
struct Columns<'a> {
    text: &'a Text,
    normal: &'a Normal<'a>,
    at: usize,
    column: u32,
}

impl<'a> Columns<'a> {
    fn new(text: &'a Text, normal: &'a Normal<'a>) -> Columns<'a> {
        Columns { text, normal, at: 0, column: 0 }
    }

    fn of(&mut self, at: usize) -> u32 {
        if let Places::Cells(starts) = &self.text.places {
            let at = self.normal.original_range(at, at).start;
            return starts.partition_point(|(start, _)| *start <= at).checked_sub(1).map_or(0, |cell| starts[cell].1.column);
        }
        for b in &self.normal.text.as_bytes()[self.at.min(at)..at] {
            match b {
                b'\n' => self.column = 0,
                b'\t' | b'|' | b';' => self.column += 1,
                _ => {}
            }
        }
        self.at = at;
        self.column
    }
}
