//! A page's content, walked through: what is drawn, where, and how (ISO 32000-1, 8 and 9).

mod marks;
mod paint;

pub(super) use paint::Area;

use super::{
    font::{Font, Programs, ReadPrograms},
    layout::Glyphs,
    lexer::{Lexer, Operand, Token},
    stream::{self, Refused},
    structure::Structure,
};
use crate::extract::reading::Reading;
use lopdf::{Dictionary, Document, Object, ObjectId, Stream};
use marks::Marks;
use paint::{Color, Ground};
use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

/// Saved graphics states; real pages stay under 30.
const MOST_SAVED: usize = 256;
/// Glyphs of one page: more than any page has, and 40 MB of memory.
const MOST_GLYPHS: usize = 1_000_000;
/// Images of one page that are remembered: a scan in strips has hundreds.
const MOST_IMAGES: usize = 1000;
/// Tiling patterns of one list of resources: more than any page uses.
const MOST_PATTERNS: usize = 256;

/// A transformation: `[a b c d e f]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Matrix(pub(super) [f32; 6]);

impl Matrix {
    pub(super) const IDENTITY: Matrix = Matrix([1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);

    pub(super) fn translation(x: f32, y: f32) -> Matrix {
        Matrix([1.0, 0.0, 0.0, 1.0, x, y])
    }

    /// First this, then `next`.
    fn then(self, next: Matrix) -> Matrix {
        let ([a, b, c, d, e, f], [g, h, i, j, k, l]) = (self.0, next.0);
        Matrix([a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + l])
    }

    fn point(self, [x, y]: [f32; 2]) -> [f32; 2] {
        let [a, b, c, d, e, f] = self.0;
        [a * x + c * y + e, b * x + d * y + f]
    }
}

/// What a page drew.
#[derive(Default)]
pub(super) struct Drawn {
    pub(super) glyphs: Glyphs,
    /// Area under images, in units of the page.
    pub(super) image_area: f32,
    /// The images that are objects of their own, with the area that each takes.
    pub(super) images: Vec<(ObjectId, f32)>,
    pub(super) is_damaged: bool,
    pub(super) is_too_large: bool,
    /// Glyphs with a meaning, and without.
    pub(super) mapped: usize,
    pub(super) unmapped: usize,
    /// The longest row of glyphs without a meaning, and the one that is being drawn.
    pub(super) longest_unmapped: usize,
    unmapped_row: usize,
    /// Steps of the paths that were painted: letters may be drawn so.
    pub(super) outlines: usize,
    /// An image in the content itself is large enough to show a text.
    pub(super) has_large_inline: bool,
    ground: Ground,
    /// Octets of the texts that stand for something drawn, or describe it.
    told: usize,
}

/// Fonts and forms that were read already: pages share them.
pub(super) struct Shared<'s> {
    structure: &'s Structure,
    /// By the address of the dictionary: it need not be an object of its own.
    fonts: HashMap<*const Dictionary, Rc<Font>>,
    programs: ReadPrograms,
    contents: HashMap<ObjectId, Rc<[u8]>>,
    /// Images that are pictures by themselves: the same one on the next page says nothing new.
    pub(super) seen_pictures: HashSet<ObjectId>,
    /// Operations of all pages so far.
    operations: usize,
}

impl<'s> Shared<'s> {
    pub(super) fn new(structure: &'s Structure) -> Shared<'s> {
        Shared {
            structure,
            fonts: HashMap::new(),
            programs: ReadPrograms::default(),
            contents: HashMap::new(),
            seen_pictures: HashSet::new(),
            operations: 0,
        }
    }
}

/// The graphics state, as far as text depends on it.
#[derive(Clone)]
struct State {
    ctm: Matrix,
    font: Option<Rc<Font>>,
    size: f32,
    character_spacing: f32,
    word_spacing: f32,
    scale: f32,
    leading: f32,
    rise: f32,
    /// Neither filled nor stroked.
    is_invisible: bool,
    /// Stroked, in whatever colour.
    is_outlined: bool,
    is_transparent: bool,
    fill: Color,
    /// The components of a fill colour say which it is.
    is_fill_plain: bool,
}

impl State {
    fn new(ctm: Matrix) -> State {
        State {
            ctm,
            font: None,
            size: 0.0,
            character_spacing: 0.0,
            word_spacing: 0.0,
            scale: 1.0,
            leading: 0.0,
            rise: 0.0,
            is_invisible: false,
            is_outlined: false,
            is_transparent: false,
            fill: paint::BLACK,
            is_fill_plain: true,
        }
    }
}

/// Walks through the content of one page and all that it draws.
pub(super) struct Walker<'w, 'l, 's> {
    pub(super) document: &'w Document,
    pub(super) reading: &'w mut Reading<'l>,
    pub(super) shared: &'w mut Shared<'s>,
    pub(super) drawn: Drawn,
    operations_left: usize,
    /// The forms that are being drawn, the innermost last.
    within: Vec<ObjectId>,
    page: ObjectId,
    marks: Marks,
    /// Patterns that were drawn.
    patterns: HashSet<ObjectId>,
}

impl<'w, 'l, 's> Walker<'w, 'l, 's> {
    pub(super) fn new(
        document: &'w Document,
        reading: &'w mut Reading<'l>,
        shared: &'w mut Shared<'s>,
        page: ObjectId,
    ) -> Walker<'w, 'l, 's> {
        let operations_left = reading.limits.operations.min(reading.limits.document_operations.saturating_sub(shared.operations));
        Walker {
            document,
            reading,
            shared,
            drawn: Drawn::default(),
            operations_left,
            within: Vec::new(),
            page,
            marks: Marks::default(),
            patterns: HashSet::new(),
        }
    }

    /// Decodes a content stream; none if that fails, which is noted.
    pub(super) fn content(&mut self, stream: &Stream) -> Vec<u8> {
        match stream::decode(self.reading, self.document, stream) {
            Ok(decoded) => {
                self.drawn.is_damaged |= decoded.is_damaged;
                decoded.data
            }
            Err(Refused::Damaged) => {
                self.drawn.is_damaged = true;
                Vec::new()
            }
            Err(Refused::TooLarge) => {
                self.drawn.is_too_large = true;
                Vec::new()
            }
        }
    }

    /// Draws an appearance or a pattern.
    pub(super) fn form(&mut self, id: ObjectId, ctm: Matrix, parent: &Dictionary) {
        self.form_with(id, State::new(ctm), parent);
    }

    /// Draws a form with all of the state that is in force where it is called (ISO 32000-1, 8.10.1).
    fn form_with(&mut self, id: ObjectId, mut state: State, parent: &Dictionary) {
        if self.within.contains(&id) {
            return;
        }
        if self.within.len() >= self.reading.limits.form_depth {
            self.drawn.is_too_large = true;
            return;
        }
        let Ok(form) = self.document.get_object(id).and_then(Object::as_stream) else {
            self.drawn.is_damaged = true;
            return;
        };
        let content = match self.shared.contents.get(&id) {
            Some(content) => Rc::clone(content),
            None => {
                let content: Rc<[u8]> = self.content(form).into();
                self.shared.contents.insert(id, Rc::clone(&content));
                content
            }
        };
        let matrix = matrix(self.document, &form.dict, b"Matrix").unwrap_or(Matrix::IDENTITY);
        let document = self.document;
        let own = form.dict.get_deref(b"Resources", document).and_then(Object::as_dict).ok();
        self.within.push(id);
        state.ctm = matrix.then(state.ctm);
        self.draw_with(&content, state, own.unwrap_or(parent));
        if let Some(own) = own {
            self.patterns(own);
        }
        self.within.pop();
    }

    /// Tiling patterns may draw text (ISO 32000-1, 8.7.3).
    pub(super) fn patterns(&mut self, resources: &Dictionary) {
        let document = self.document;
        let Ok(patterns) = resources.get_deref(b"Pattern", document).and_then(Object::as_dict) else { return };
        self.drawn.is_too_large |= patterns.len() > MOST_PATTERNS;
        for (_, pattern) in patterns.iter().take(MOST_PATTERNS) {
            let Ok(id) = pattern.as_reference() else { continue };
            let kind =
                document.get_object(id).and_then(Object::as_stream).and_then(|s| s.dict.get_deref(b"PatternType", document)?.as_i64());
            if kind.is_ok_and(|kind| kind == 1) && self.patterns.insert(id) {
                self.form(id, Matrix::IDENTITY, resources);
            }
        }
    }

    /// Glyphs of a Type 3 font are content (ISO 32000-1, 9.6.5), which may write in other fonts and show images: each is drawn once in a document.
    fn glyph_procedures(&mut self, font: &Dictionary) {
        let document = self.document;
        let Ok(procedures) = font.get_deref(b"CharProcs", document).and_then(Object::as_dict) else { return };
        let empty = Dictionary::new();
        let resources = font.get_deref(b"Resources", document).and_then(Object::as_dict).unwrap_or(&empty);
        let unit = matrix(document, font, b"FontMatrix").unwrap_or(Matrix::IDENTITY);
        for id in procedures.iter().filter_map(|(_, procedure)| procedure.as_reference().ok()) {
            self.form(id, unit, resources);
        }
    }

    /// Draws a page's content.
    pub(super) fn draw(&mut self, content: &[u8], resources: &Dictionary) {
        self.draw_with(content, State::new(Matrix::IDENTITY), resources);
    }

    fn draw_with(&mut self, content: &[u8], state: State, resources: &Dictionary) {
        let outer = self.marks.len();
        let mut pen = Pen { state, saved: Vec::new(), text: Matrix::IDENTITY, line: Matrix::IDENTITY, outer };
        self.tokens(content, &mut pen, resources);
        self.marks.close(outer, &mut self.drawn.glyphs);
    }

    fn tokens(&mut self, content: &[u8], pen: &mut Pen, resources: &Dictionary) {
        let mut lexer = Lexer::new(content);
        let mut operands: Vec<Operand> = Vec::new();
        while let Some(token) = lexer.next() {
            match token {
                Token::Operand(operand) => {
                    // Operators take six operands at most; more are left over from something broken.
                    if operands.len() >= 64 {
                        operands.clear();
                        self.drawn.is_damaged = true;
                    }
                    operands.push(operand);
                    continue;
                }
                Token::InlineImage { is_large } => {
                    self.drawn.has_large_inline |= is_large;
                    self.image(pen);
                }
                Token::Operator(operator) => self.operator(pen, operator, &operands, resources),
            }
            operands.clear();
            self.operations_left = self.operations_left.saturating_sub(1);
            self.shared.operations += 1;
            let is_long = self.drawn.glyphs.len() > MOST_GLYPHS || self.drawn.glyphs.octets() + self.drawn.told > self.reading.limits.text;
            if self.operations_left == 0 || is_long {
                self.drawn.is_too_large = true;
                return;
            }
        }
        self.drawn.is_damaged |= lexer.is_damaged;
    }

    fn operator(&mut self, pen: &mut Pen, operator: &[u8], operands: &[Operand], resources: &Dictionary) {
        let number = |index: usize| match operands.get(index) {
            Some(Operand::Number(n)) => *n,
            _ => 0.0,
        };
        let all = || Matrix([number(0), number(1), number(2), number(3), number(4), number(5)]);
        match operator {
            b"q" if pen.saved.len() < MOST_SAVED => pen.saved.push(pen.state.clone()),
            // What is restored later is then another one, and its font too.
            b"q" => self.drawn.is_damaged = true,
            b"Q" => pen.state = pen.saved.pop().unwrap_or_else(|| pen.state.clone()),
            b"cm" => pen.state.ctm = all().then(pen.state.ctm),
            b"BT" => (pen.text, pen.line) = (Matrix::IDENTITY, Matrix::IDENTITY),
            b"Tc" => pen.state.character_spacing = number(0),
            b"Tw" => pen.state.word_spacing = number(0),
            b"Tz" => pen.state.scale = number(0) / 100.0,
            b"TL" => pen.state.leading = number(0),
            b"Ts" => pen.state.rise = number(0),
            b"Tr" => {
                pen.state.is_invisible = number(0) == 3.0 || number(0) == 7.0;
                pen.state.is_outlined = number(0) != 0.0 && number(0) != 4.0;
            }
            b"Tf" => {
                pen.state.size = number(1);
                if let Some(Operand::Name(name)) = operands.first() {
                    pen.state.font = self.font(name, resources);
                }
            }
            b"Td" => pen.next_line(number(0), number(1)),
            b"TD" => {
                pen.state.leading = -number(1);
                pen.next_line(number(0), number(1));
            }
            b"Tm" => (pen.text, pen.line) = (all(), all()),
            b"T*" => pen.next_line(0.0, -pen.state.leading),
            b"Tj" => self.show_operand(pen, operands.first()),
            b"'" => {
                pen.next_line(0.0, -pen.state.leading);
                self.show_operand(pen, operands.first());
            }
            b"\"" => {
                (pen.state.word_spacing, pen.state.character_spacing) = (number(0), number(1));
                pen.next_line(0.0, -pen.state.leading);
                self.show_operand(pen, operands.get(2));
            }
            b"TJ" => self.show_operand(pen, operands.first()),
            b"gs" => self.parameters(pen, operands, resources),
            b"Do" => self.x_object(pen, operands, resources),
            b"BMC" => self.marks.begin(None, &self.drawn.glyphs),
            b"BDC" => self.mark(operands, resources),
            b"DP" => {
                if let Some(text) = self.describe(operands, resources) {
                    self.drawn.glyphs.stands_for(self.drawn.glyphs.len(), text);
                }
            }
            b"EMC" => self.marks.end(pen.outer, &mut self.drawn.glyphs),
            _ => self.paint(pen, operator, operands, resources),
        }
    }

    /// Colours, and the areas that are filled with them.
    fn paint(&mut self, pen: &mut Pen, operator: &[u8], operands: &[Operand], resources: &Dictionary) {
        let numbers = || operands.iter().filter_map(|o| if let Operand::Number(n) = o { Some(*n) } else { None });
        let ground = &mut self.drawn.ground;
        match operator {
            b"m" | b"l" | b"c" | b"v" | b"y" => self.drawn.outlines += 1,
            _ => {}
        }
        match operator {
            b"g" | b"rg" | b"k" => {
                pen.state.is_fill_plain = true;
                pen.state.fill = paint::color(&numbers().collect::<Vec<_>>());
            }
            b"cs" => {
                pen.state.is_fill_plain = self.is_plain(operands, resources);
                pen.state.fill = paint::BLACK.filter(|_| pen.state.is_fill_plain);
            }
            b"sc" | b"scn" if pen.state.is_fill_plain => pen.state.fill = paint::color(&numbers().collect::<Vec<_>>()),
            b"m" | b"l" | b"c" | b"v" | b"y" => ground.line(pen.state.ctm, &numbers().collect::<Vec<_>>()),
            b"re" => {
                if let Ok(rectangle) = numbers().collect::<Vec<_>>().try_into() {
                    ground.rectangle(pen.state.ctm, rectangle);
                }
            }
            b"f" | b"F" | b"f*" | b"B" | b"B*" | b"b" | b"b*" => ground.end(Some(pen.state.fill).filter(|_| !pen.state.is_transparent)),
            b"S" | b"s" | b"n" => ground.end(None),
            b"sh" => ground.picture(Matrix([1e6, 0.0, 0.0, 1e6, -5e5, -5e5])),
            _ => {}
        }
    }

    /// Whether the components of a colour space are those of a device (ISO 32000-1, 8.6).
    fn is_plain(&self, operands: &[Operand], resources: &Dictionary) -> bool {
        let Some(Operand::Name(name)) = operands.first() else { return false };
        let document = self.document;
        let own = resources.get_deref(b"ColorSpace", document).and_then(|s| s.as_dict()?.get_deref(name, document)).ok();
        let name = match own {
            Some(Object::Array(space)) => space.first().and_then(|o| o.as_name().ok()).unwrap_or_default(),
            Some(Object::Name(name)) => name,
            _ => name.as_slice(),
        };
        matches!(name, b"DeviceGray" | b"DeviceRGB" | b"DeviceCMYK" | b"CalGray" | b"CalRGB" | b"ICCBased")
    }

    fn mark(&mut self, operands: &[Operand], resources: &Dictionary) {
        let actual = self.describe(operands, resources);
        self.marks.begin(actual, &self.drawn.glyphs);
    }

    /// Notes what is said about a sequence; gives what is to be read in its place.
    fn describe(&mut self, operands: &[Operand], resources: &Dictionary) -> Option<String> {
        let structure = Some((self.shared.structure, self.page)).filter(|_| self.within.is_empty());
        let (actual, about) = marks::texts(self.document, operands, resources, structure);
        self.drawn.told += actual.iter().chain(&about).map(String::len).sum::<usize>();
        for text in about {
            self.drawn.glyphs.stands_for(self.drawn.glyphs.len(), text);
        }
        actual
    }

    fn show_operand(&mut self, pen: &mut Pen, operand: Option<&Operand>) {
        match operand {
            Some(Operand::Text(text)) => self.show(pen, text),
            Some(Operand::Array(items)) => {
                for item in items {
                    match item {
                        Operand::Text(text) => self.show(pen, text),
                        Operand::Number(shift) => pen.advance(-shift / 1000.0 * pen.state.size * pen.state.scale),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }

    fn show(&mut self, pen: &mut Pen, text: &[u8]) {
        let Some(font) = pen.state.font.clone() else {
            // Without a font nobody knows what the octets mean.
            self.drawn.unmapped += text.len();
            return;
        };
        let most = self.reading.limits.text;
        let Drawn { glyphs, mapped, unmapped, unmapped_row, longest_unmapped, ground, .. } = &mut self.drawn;
        let is_hidden = {
            let state = &pen.state;
            let middle =
                Matrix::translation(0.25 * state.size * state.scale, 0.25 * state.size + state.rise).then(pen.text).then(state.ctm);
            let is_seen = state.is_outlined || !ground.hides(state.fill, [middle.0[4], middle.0[5]]);
            state.is_invisible || state.is_transparent || !is_seen
        };
        let mut programs = Programs { reading: &mut *self.reading, document: self.document, read: &mut self.shared.programs };
        font.show(&mut programs, text, |shown| {
            if glyphs.len() > MOST_GLYPHS || glyphs.octets() > most {
                return;
            }
            let state = &pen.state;
            let spacing = state.character_spacing + if shown.is_blank { state.word_spacing } else { 0.0 };
            let width = shown.width * state.size * state.scale;
            let at = Matrix([state.size * state.scale, 0.0, 0.0, state.size, 0.0, state.rise]).then(pen.text).then(state.ctm);
            let end = Matrix::translation(width, 0.0).then(pen.text).then(state.ctm);
            match shown.text.as_deref() {
                Some(text) => {
                    let count = if shown.is_guess { &mut *unmapped } else { &mut *mapped };
                    *count += usize::from(!text.trim().is_empty());
                    // Points and blanks stand within numbers.
                    *unmapped_row = if text.contains(char::is_alphanumeric) { 0 } else { *unmapped_row };
                    glyphs.push(text, at, end, is_hidden);
                    if let Some(other) = shown.other {
                        glyphs.stands_for(glyphs.len() - 1, other);
                    }
                }
                None => {
                    *unmapped += 1;
                    *unmapped_row += 1;
                    *longest_unmapped = (*longest_unmapped).max(*unmapped_row);
                    glyphs.push("\u{FFFD}", at, end, is_hidden);
                }
            }
            pen.advance(width + spacing * pen.state.scale);
        });
    }

    fn font(&mut self, name: &[u8], resources: &Dictionary) -> Option<Rc<Font>> {
        let fonts = resources.get_deref(b"Font", self.document).and_then(Object::as_dict).ok()?;
        self.load_font(fonts.get(name).ok()?)
    }

    fn load_font(&mut self, entry: &Object) -> Option<Rc<Font>> {
        let dictionary = self.document.dereference(entry).ok()?.1.as_dict().ok()?;
        let address: *const Dictionary = dictionary;
        if let Some(font) = self.shared.fonts.get(&address) {
            return Some(Rc::clone(font));
        }
        let font = Rc::new(Font::read(self.reading, self.document, dictionary));
        self.drawn.is_damaged |= font.is_damaged;
        self.shared.fonts.insert(address, Rc::clone(&font));
        self.glyph_procedures(dictionary);
        Some(font)
    }

    /// A graphics state parameter dictionary can set the font too, and make all that follows transparent.
    fn parameters(&mut self, pen: &mut Pen, operands: &[Operand], resources: &Dictionary) {
        let Some(Operand::Name(name)) = operands.first() else { return };
        let document = self.document;
        let set = resources.get_deref(b"ExtGState", document).and_then(Object::as_dict).ok();
        let set = set.and_then(|s| s.get_deref(name, document).ok()?.as_dict().ok());
        if let Some(alpha) = set.and_then(|s| s.get_deref(b"ca", document).ok()?.as_float().ok()) {
            pen.state.is_transparent = alpha <= 0.0;
        }
        let font = set.and_then(|s| s.get_deref(b"Font", document).ok()?.as_array().ok());
        if let Some([font, size]) = font.map(Vec::as_slice) {
            pen.state.font = self.load_font(font);
            pen.state.size = size.as_float().unwrap_or(0.0);
        }
    }

    fn x_object(&mut self, pen: &Pen, operands: &[Operand], resources: &Dictionary) {
        let Some(Operand::Name(name)) = operands.first() else { return };
        let document = self.document;
        let objects = resources.get_deref(b"XObject", document).and_then(Object::as_dict).ok();
        let Some(id) = objects.and_then(|o| o.get(name).ok()?.as_reference().ok()) else {
            // Other readers may find what the parser of objects did not.
            self.drawn.is_damaged = true;
            return;
        };
        let Ok(object) = document.get_object(id).and_then(Object::as_stream) else {
            self.drawn.is_damaged = true;
            return;
        };
        match object.dict.get_deref(b"Subtype", document).and_then(Object::as_name) {
            Ok(b"Form") => self.form_with(id, pen.state.clone(), resources),
            Ok(b"Image") => {
                let area = self.image(pen);
                if self.drawn.images.len() < MOST_IMAGES {
                    self.drawn.images.push((id, area));
                } else {
                    self.drawn.is_too_large = true;
                }
            }
            _ => {}
        }
    }

    /// An image fills the unit square: its area.
    fn image(&mut self, pen: &Pen) -> f32 {
        let [a, b, c, d, ..] = pen.state.ctm.0;
        let area = (a * d - b * c).abs();
        self.drawn.image_area += area;
        self.drawn.ground.picture(pen.state.ctm);
        area
    }
}

/// State while one content stream is drawn.
struct Pen {
    state: State,
    saved: Vec<State>,
    text: Matrix,
    line: Matrix,
    /// Marked-content sequences that were open before.
    outer: usize,
}

impl Pen {
    fn next_line(&mut self, x: f32, y: f32) {
        self.line = Matrix::translation(x, y).then(self.line);
        self.text = self.line;
    }

    fn advance(&mut self, by: f32) {
        self.text = Matrix::translation(by, 0.0).then(self.text);
    }
}

/// An array of six numbers.
pub(super) fn matrix(document: &Document, dictionary: &Dictionary, name: &[u8]) -> Option<Matrix> {
    let numbers = numbers(document, dictionary, name)?;
    numbers.try_into().ok().map(Matrix)
}

/// An array of numbers.
pub(super) fn numbers(document: &Document, dictionary: &Dictionary, name: &[u8]) -> Option<Vec<f32>> {
    let list = dictionary.get_deref(name, document).ok()?.as_array().ok()?;
    list.iter().take(16).map(|o| document.dereference(o).ok()?.1.as_float().ok()).collect()
}
