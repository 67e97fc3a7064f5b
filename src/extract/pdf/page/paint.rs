//! What lies under a text: letters in the colour of what they stand on are not seen.

use super::Matrix;

/// Painted areas that are remembered; with more of them nothing is taken for hidden.
const MOST_AREAS: usize = 512;
/// Lines and dots, in units of the page: no text stands on them.
const THIN: f32 = 3.0;
/// Colours that the eye doesn't tell apart.
const SAME: f32 = 0.02;

/// Red, green and blue from 0 to 1; `None` for what is no plain colour, as a pattern or an ink.
pub(super) type Color = Option<[f32; 3]>;

pub(super) const BLACK: Color = Some([0.0; 3]);
const PAPER: Color = Some([1.0; 3]);

/// A colour of a device: gray, RGB or CMYK by its number of components.
pub(super) fn color(components: &[f32]) -> Color {
    match *components {
        [gray] => Some([gray; 3]),
        [red, green, blue] => Some([red, green, blue]),
        [cyan, magenta, yellow, black] => Some([cyan, magenta, yellow].map(|ink| (1.0 - ink - black).max(0.0))),
        _ => None,
    }
}

fn is_same(a: Color, b: Color) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a.iter().zip(b).all(|(a, b)| (a - b).abs() <= SAME))
}

/// Left, bottom, right and top.
#[derive(Clone, Copy, Debug)]
pub(in crate::extract::pdf) struct Area([f32; 4]);

impl Area {
    /// From any two corners that lie opposite each other.
    pub(in crate::extract::pdf) fn between([a, b]: [f32; 2], [c, d]: [f32; 2]) -> Area {
        Area([a.min(c), b.min(d), a.max(c), b.max(d)])
    }

    /// Whether the point lies in it, or no farther than `margin` outside.
    pub(in crate::extract::pdf) fn holds(self, [x, y]: [f32; 2], margin: f32) -> bool {
        let [left, bottom, right, top] = self.0;
        (left - margin..=right + margin).contains(&x) && (bottom - margin..=top + margin).contains(&y)
    }

    /// What both cover; something empty where they don't meet.
    pub(in crate::extract::pdf) fn and(self, other: Area) -> Area {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        Area([a.max(e), b.max(f), c.min(g), d.min(h)])
    }

    fn with(self, [x, y]: [f32; 2]) -> Area {
        let [left, bottom, right, top] = self.0;
        Area([left.min(x), bottom.min(y), right.max(x), top.max(y)])
    }

    fn is_thin(self) -> bool {
        let [left, bottom, right, top] = self.0;
        right - left < THIN || top - bottom < THIN
    }
}

/// What was painted so far, and the path that is being made.
#[derive(Default)]
pub(in crate::extract::pdf) struct Ground {
    areas: Vec<(Area, Color)>,
    rectangles: Vec<Area>,
    /// Around all lines and curves of the path.
    around: Option<Area>,
    is_full: bool,
}

impl Ground {
    /// Adds points to the path.
    pub(super) fn line(&mut self, ctm: Matrix, points: &[f32]) {
        for point in points.chunks_exact(2) {
            let point = ctm.point([point[0], point[1]]);
            self.around = Some(self.around.map_or(Area::between(point, point), |area| area.with(point)));
        }
    }

    pub(super) fn rectangle(&mut self, ctm: Matrix, [x, y, width, height]: [f32; 4]) {
        if self.rectangles.len() < MOST_AREAS {
            let corners = [[x, y], [x + width, y], [x, y + height], [x + width, y + height]].map(|c| ctm.point(c));
            self.rectangles.push(corners.iter().fold(Area::between(corners[0], corners[0]), |area, c| area.with(*c)));
        } else {
            self.is_full = true;
        }
    }

    /// The path is painted, or only used to cut others.
    pub(super) fn end(&mut self, fill: Option<Color>) {
        let areas = self.rectangles.drain(..).chain(self.around.take());
        for area in areas.filter(|area| fill.is_some() && !area.is_thin()) {
            if self.areas.len() < MOST_AREAS {
                self.areas.push((area, fill.flatten()));
            } else {
                self.is_full = true;
            }
        }
    }

    /// An image or a shading: of any colour.
    pub(super) fn picture(&mut self, ctm: Matrix) {
        self.rectangle(ctm, [0.0, 0.0, 1.0, 1.0]);
        self.end(Some(None));
    }

    /// Whether a text of this colour is not seen at this point.
    pub(super) fn hides(&self, color: Color, point: [f32; 2]) -> bool {
        let may_hide = is_same(color, PAPER) || self.areas.iter().any(|(_, c)| is_same(*c, color));
        may_hide && !self.is_full && {
            let under = self.areas.iter().rev().find(|(area, _)| area.holds(point, 0.0));
            is_same(under.map_or(PAPER, |(_, color)| *color), color)
        }
    }
}
