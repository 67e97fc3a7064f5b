//! Pictures of text, drawn with strokes by a pen: what a scanner would give of a page with the record on it.

use flate2::{Compression, Crc, write::ZlibEncoder};
use std::io::Write as _;

/// The strokes of a letter, on a grid six wide and ten high, from the upper left.
type Strokes = &'static [&'static [(f32, f32)]];

const B: Strokes = &[
    &[(0.0, 0.0), (0.0, 10.0)],
    &[(0.0, 0.0), (3.5, 0.0), (4.7, 0.6), (5.2, 1.6), (5.2, 2.9), (4.7, 4.0), (3.5, 4.6), (0.0, 4.6)],
    &[(3.5, 4.6), (5.0, 5.2), (5.7, 6.3), (5.7, 8.0), (5.0, 9.3), (3.5, 10.0), (0.0, 10.0)],
];
const S: Strokes = &[&[
    (5.4, 1.6),
    (4.7, 0.5),
    (3.4, 0.0),
    (2.0, 0.0),
    (0.8, 0.6),
    (0.3, 1.7),
    (0.4, 3.0),
    (1.2, 4.0),
    (3.0, 4.8),
    (4.8, 5.6),
    (5.6, 6.8),
    (5.5, 8.3),
    (4.7, 9.5),
    (3.4, 10.0),
    (1.9, 10.0),
    (0.7, 9.4),
    (0.0, 8.2),
]];
const N: Strokes = &[&[(0.0, 10.0), (0.0, 0.0), (6.0, 10.0), (6.0, 0.0)]];
const ONE: Strokes = &[&[(0.8, 1.8), (3.0, 0.0), (3.0, 10.0)], &[(0.8, 10.0), (5.2, 10.0)]];
const TWO: Strokes =
    &[&[(0.4, 2.4), (0.8, 1.0), (2.0, 0.1), (3.6, 0.0), (5.0, 0.8), (5.5, 2.2), (5.1, 3.8), (3.8, 5.6), (0.3, 10.0), (5.7, 10.0)]];
const THREE: Strokes = &[
    &[(0.5, 1.6), (1.4, 0.4), (2.8, 0.0), (4.2, 0.3), (5.1, 1.3), (5.1, 3.0), (4.2, 4.2), (2.4, 4.7)],
    &[(2.4, 4.7), (4.4, 5.2), (5.5, 6.4), (5.5, 8.0), (4.6, 9.4), (3.0, 10.0), (1.5, 9.8), (0.2, 8.6)],
];
const COLON: Strokes = &[&[(1.0, 3.6), (1.0, 3.8)], &[(1.0, 9.6), (1.0, 9.8)]];

/// Half as wide as the pen is.
const PEN: f32 = 0.75;

/// The record, often enough to fill more than a label's worth of letters.
pub const RECORD: [&str; 3] = ["BSN: 111222333"; 3];

/// Letters and digits that say nothing.
pub const NOTHING: [&str; 4] = ["BSN 123 321"; 4];

fn strokes(letter: char) -> (Strokes, f32) {
    match letter {
        'B' => (B, 6.0),
        'S' => (S, 6.0),
        'N' => (N, 6.0),
        '1' => (ONE, 6.0),
        '2' => (TWO, 6.0),
        '3' => (THREE, 6.0),
        ':' => (COLON, 2.0),
        ' ' => (&[], 6.0),
        other => panic!("nobody has drawn a {other}"),
    }
}

/// A page in black and white.
pub struct Scan {
    pub width: usize,
    pub height: usize,
    dark: Vec<bool>,
}

impl Scan {
    /// Lines of text, `unit` pixels for each of the grid's.
    pub fn of(lines: &[&str], unit: f32) -> Scan {
        let margin = 6.0 * unit;
        let longest = lines.iter().map(|line| line.len()).max().unwrap_or(0);
        let width = (longest as f32 * 8.6 * unit + 2.0 * margin) as usize;
        let height = (lines.len() as f32 * 20.0 * unit + 2.0 * margin) as usize;
        let mut scan = Scan { width, height, dark: vec![false; width * height] };
        for (number, line) in lines.iter().enumerate() {
            let (mut left, top) = (margin, margin + number as f32 * 20.0 * unit);
            for letter in line.chars() {
                let (strokes, advance) = strokes(letter);
                for ends in strokes.iter().flat_map(|stroke| stroke.windows(2)) {
                    scan.stroke(ends[0], ends[1], (left, top), unit);
                }
                left += (advance + 2.6) * unit;
            }
        }
        scan
    }

    fn stroke(&mut self, from: (f32, f32), to: (f32, f32), (left, top): (f32, f32), unit: f32) {
        let reach = |one: f32, other: f32, start: f32, most: usize| {
            let edge = |at: f32| ((start + at * unit).max(0.0) as usize).min(most);
            edge(one.min(other) - 1.0)..edge(one.max(other) + 1.0)
        };
        for y in reach(from.1, to.1, top, self.height) {
            for x in reach(from.0, to.0, left, self.width) {
                if distance(((x as f32 - left) / unit, (y as f32 - top) / unit), from, to) < PEN {
                    self.dark[y * self.width + x] = true;
                }
            }
        }
    }

    /// An octet a pixel.
    pub fn gray(&self) -> Vec<u8> {
        self.dark.iter().map(|dark| if *dark { 0 } else { 255 }).collect()
    }

    /// A bit a pixel, each row from a whole octet on; white is 1.
    pub fn bits(&self) -> Vec<u8> {
        let octet = |pixels: &[bool]| pixels.iter().enumerate().map(|(at, dark)| u8::from(!dark) << (7 - at)).sum::<u8>();
        self.dark.chunks(self.width).flat_map(|row| row.chunks(8).map(octet).collect::<Vec<_>>()).collect()
    }

    /// A PNG (ISO 15948).
    pub fn png(&self) -> Vec<u8> {
        let sides = [self.width, self.height].map(|side| u32::try_from(side).unwrap().to_be_bytes()).concat();
        let rows: Vec<u8> = self.gray().chunks(self.width).flat_map(|row| [&[0], row].concat()).collect();
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(&rows).unwrap();
        let chunk = |name: &[u8], content: &[u8]| {
            let mut sum = Crc::new();
            sum.update(name);
            sum.update(content);
            [&u32::try_from(content.len()).unwrap().to_be_bytes(), name, content, &sum.sum().to_be_bytes()].concat()
        };
        let head = chunk(b"IHDR", &[sides.as_slice(), &[8, 0, 0, 0, 0]].concat());
        [b"\x89PNG\r\n\x1A\n".to_vec(), head, chunk(b"IDAT", &packed.finish().unwrap()), chunk(b"IEND", &[])].concat()
    }

    /// A bitmap of Windows, of a bit a pixel.
    pub fn bmp(&self) -> Vec<u8> {
        let row = self.width.div_ceil(32) * 4;
        let numbers = |numbers: &[usize]| numbers.iter().flat_map(|n| u32::try_from(*n).unwrap().to_le_bytes()).collect::<Vec<_>>();
        let head = [b"BM".to_vec(), numbers(&[62 + row * self.height, 0, 62, 40, self.width, self.height]), vec![1, 0, 1, 0]].concat();
        let colours = [numbers(&[0, 0, 0, 0, 2, 0]), vec![0, 0, 0, 0, 255, 255, 255, 0]].concat();
        let bits = self.bits();
        let rows = bits.chunks(self.width.div_ceil(8)).rev();
        let rows = rows.flat_map(|octets| octets.iter().copied().chain(std::iter::repeat_n(0, row - octets.len())).collect::<Vec<_>>());
        [head, colours, rows.collect()].concat()
    }

    /// A JPEG (ITU T.81) of a block of eight by eight pixels for each pixel: only how light each block is need be told.
    pub fn jpeg(&self) -> Vec<u8> {
        let segment = |marker: u8, content: &[u8]| {
            [&[0xFF, marker], u16::try_from(content.len() + 2).unwrap().to_be_bytes().as_slice(), content].concat()
        };
        let sides = [self.height, self.width].map(|side| u16::try_from(8 * side).unwrap().to_be_bytes()).concat();
        // A step is eight times an eighth: white and black are 128 and -127 apart from gray.
        let steps = segment(0xDB, &[&[0], [8; 64].as_slice()].concat());
        let frame = segment(0xC0, &[&[8], sides.as_slice(), &[1, 1, 0x11, 0]].concat());
        // Two codes for the difference to the last block, `0`: none, `10`: eight bits follow; and one for the end of a block, `0`.
        let light = segment(0xC4, &[&[0x00, 1, 1], [0; 14].as_slice(), &[0, 8]].concat());
        let rest = segment(0xC4, &[&[0x10, 1], [0; 15].as_slice(), &[0]].concat());
        let scan = segment(0xDA, &[1, 1, 0, 0, 63, 0]);
        let (mut bits, mut last): (Vec<u8>, i16) = (Vec::new(), 0);
        for dark in &self.dark {
            // The first block lies in the margin: it is 128 from nothing, which takes eight bits as the others do.
            let level: i16 = if *dark { -127 } else { 128 };
            let difference = level - last;
            last = level;
            match difference {
                0 => bits.push(0),
                _ => {
                    let coded = if difference > 0 { difference } else { difference + 255 };
                    bits.extend([1, 0]);
                    bits.extend((0..8).rev().map(|bit| (coded >> bit & 1) as u8));
                }
            }
            bits.push(0);
        }
        bits.resize(bits.len().next_multiple_of(8), 1);
        let octets = bits.chunks(8).map(|octet| octet.iter().fold(0, |octet, bit| octet << 1 | bit));
        let coded: Vec<u8> = octets.flat_map(|octet: u8| if octet == 0xFF { vec![0xFF, 0] } else { vec![octet] }).collect();
        [vec![0xFF, 0xD8], steps, frame, light, rest, scan, coded, vec![0xFF, 0xD9]].concat()
    }
}

fn distance((x, y): (f32, f32), from: (f32, f32), to: (f32, f32)) -> f32 {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let along = (((x - from.0) * dx + (y - from.1) * dy) / (dx * dx + dy * dy)).clamp(0.0, 1.0);
    (x - from.0 - along * dx).hypot(y - from.1 - along * dy)
}
