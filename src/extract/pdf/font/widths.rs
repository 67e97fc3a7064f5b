//! Widths of glyphs, in thousandths of an em (ISO 32000-1, 9.6 and 9.7.4.3).

use super::super::standard;
use lopdf::{Dictionary, Document, Object};
use std::collections::HashMap;

/// Those of the 256 codes of a simple font.
pub(super) fn simple(document: &Document, font: &Dictionary, descriptor: Option<&Dictionary>, name: &[u8]) -> Vec<f32> {
    let Ok(given) = font.get_deref(b"Widths", document).and_then(Object::as_array) else { return standard::widths(name) };
    let missing = descriptor.and_then(|d| d.get_deref(b"MissingWidth", document).ok()?.as_float().ok()).unwrap_or(0.0);
    let first = font.get_deref(b"FirstChar", document).and_then(Object::as_i64).ok().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let mut widths = vec![missing; 256];
    for (slot, width) in widths.iter_mut().skip(first).zip(given) {
        *slot = document.dereference(width).ok().and_then(|(_, w)| w.as_float().ok()).unwrap_or(missing);
    }
    widths
}

/// `/W`: `c [w1 w2 ...]` and `first last w` (ISO 32000-1, 9.7.4.3).
pub(super) fn composite(document: &Document, descendant: &Dictionary, most: usize) -> HashMap<u32, f32> {
    let mut widths = HashMap::new();
    let Ok(list) = descendant.get_deref(b"W", document).and_then(Object::as_array) else { return widths };
    let resolve = |o| document.dereference(o).map_or(o, |(_, o)| o);
    let float = |o: &Object| o.as_float().unwrap_or(0.0);
    let id = |o: &Object| o.as_float().ok().filter(|n| *n >= 0.0).map_or(0, |n| n as u32);
    let mut items = list.iter().map(resolve);
    while let (Some(first), Some(second)) = (items.next(), items.next()) {
        match second {
            Object::Array(given) => widths.extend((id(first)..).zip(given.iter().map(|w| float(resolve(w)))).take(most)),
            last => {
                let width = items.next().map_or(0.0, float);
                widths.extend((id(first)..=id(last)).take(65_536).map(|i| (i, width)));
            }
        }
        if widths.len() > most {
            break;
        }
    }
    widths
}
