//! Widths of the fonts that every reader has and that need not bring theirs (ISO 32000-1, 9.6.2.2).

/// Helvetica, from the blank to the tilde, in thousandths of an em. Close enough for the others to tell blanks from kerning.
const HELVETICA: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278,
    278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722,
    667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556,
    556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

/// The widths of a font by its name.
pub(super) fn widths(font: &[u8]) -> Vec<f32> {
    let is = |part: &[u8]| memchr::memmem::find(font, part).is_some();
    let width = |octet: usize| f32::from(octet.checked_sub(32).and_then(|i| HELVETICA.get(i)).copied().unwrap_or(556));
    match () {
        () if is(b"Courier") || is(b"Mono") => vec![600.0; 256],
        // Times runs about a tenth narrower.
        () if is(b"Times") => (0..256).map(|o| width(o) * 0.9).collect(),
        () => (0..256).map(width).collect(),
    }
}
