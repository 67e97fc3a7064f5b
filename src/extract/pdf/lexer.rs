//! Content streams and CMaps, token by token. What can't be read is skipped, never the rest of the page.

use crate::extract::image::is_large as is_large_picture;

/// An operand.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    Number(f32),
    Name(Vec<u8>),
    Text(Vec<u8>),
    Array(Vec<Operand>),
    /// `<<`, `>>`, `true`, `null` ...: nothing that text depends on.
    Other,
}

/// A token on the top level.
#[derive(Debug)]
pub(super) enum Token<'c> {
    Operand(Operand),
    Operator(&'c [u8]),
    /// `BI` ... `EI`, and whether both its sides are those of a picture that may show text.
    InlineImage {
        is_large: bool,
    },
}

/// Arrays within arrays; PDF content has none.
const ARRAY_DEPTH: usize = 4;

/// Reads tokens.
pub(super) struct Lexer<'c> {
    content: &'c [u8],
    at: usize,
    /// A string or an image without an end was met.
    pub(super) is_damaged: bool,
    /// No `ID` stands ahead: not searched for again, or a page of `BI` would cost its square.
    is_without_images: bool,
}

impl<'c> Lexer<'c> {
    pub(super) fn new(content: &'c [u8]) -> Lexer<'c> {
        Lexer { content, at: 0, is_damaged: false, is_without_images: false }
    }

    fn peek(&self) -> Option<u8> {
        self.content.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while let Some(byte) = self.peek() {
            match byte {
                b'%' => {
                    let rest = &self.content[self.at..];
                    self.at += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
                }
                b if is_blank(b) => self.at += 1,
                _ => break,
            }
        }
    }

    /// The next token; `None` at the end.
    pub(super) fn next(&mut self) -> Option<Token<'c>> {
        self.skip_blanks();
        let byte = self.peek()?;
        if let Some(operand) = self.operand(byte, 0) {
            return Some(Token::Operand(operand));
        }
        let start = self.at;
        while self.peek().is_some_and(is_regular) {
            self.at += 1;
        }
        if self.at == start {
            // A stray delimiter.
            self.at += 1;
            return Some(Token::Operand(Operand::Other));
        }
        match &self.content[start..self.at] {
            b"true" | b"false" | b"null" => Some(Token::Operand(Operand::Other)),
            b"BI" => Some(Token::InlineImage { is_large: self.skip_image() }),
            operator => Some(Token::Operator(operator)),
        }
    }

    fn operand(&mut self, byte: u8, depth: usize) -> Option<Operand> {
        match byte {
            b'(' => Some(self.literal()),
            b'<' if self.content.get(self.at + 1) == Some(&b'<') => {
                self.at += 2;
                Some(Operand::Other)
            }
            b'<' => Some(self.hexadecimal()),
            b'>' => {
                self.at += if self.content.get(self.at + 1) == Some(&b'>') { 2 } else { 1 };
                Some(Operand::Other)
            }
            b'/' => Some(self.name()),
            b'[' => Some(self.array(depth)),
            b'+' | b'-' | b'.' | b'0'..=b'9' => Some(self.number()),
            _ => None,
        }
    }

    fn array(&mut self, depth: usize) -> Operand {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek() {
                None => {
                    self.is_damaged = true;
                    return Operand::Array(items);
                }
                Some(b']') => {
                    self.at += 1;
                    return Operand::Array(items);
                }
                Some(b'[') if depth >= ARRAY_DEPTH => self.at += 1,
                Some(byte) => match self.operand(byte, depth + 1) {
                    Some(item) => items.push(item),
                    None => {
                        // An operator within an array: the array was never closed.
                        if byte.is_ascii_alphabetic() || matches!(byte, b'\'' | b'"') {
                            return Operand::Array(items);
                        }
                        self.at += 1;
                    }
                },
            }
        }
    }

    fn number(&mut self) -> Operand {
        let start = self.at;
        self.at += 1;
        while self.peek().is_some_and(|b| b.is_ascii_digit() || b == b'.' || b == b'-') {
            self.at += 1;
        }
        let text = std::str::from_utf8(&self.content[start..self.at]).unwrap_or_default();
        // Some producers write "--5" or "1.2-3": what can be read of it counts.
        let number = text.parse().or_else(|_| {
            let inner = text.trim_start_matches('-');
            inner.split('-').next().unwrap_or_default().parse().map(|n: f32| if text.starts_with('-') { -n } else { n })
        });
        Operand::Number(number.ok().filter(|n: &f32| n.is_finite()).unwrap_or(0.0))
    }

    fn name(&mut self) -> Operand {
        self.at += 1;
        let mut name = Vec::new();
        while let Some(byte) = self.peek().filter(|b| is_regular(*b)) {
            let hex = (byte == b'#').then(|| hex_pair(self.content.get(self.at + 1..self.at + 3))).flatten();
            name.push(hex.unwrap_or(byte));
            self.at += if hex.is_some() { 3 } else { 1 };
        }
        Operand::Name(name)
    }

    fn hexadecimal(&mut self) -> Operand {
        self.at += 1;
        let mut digits = Vec::new();
        loop {
            match self.peek() {
                Some(b'>') => {
                    self.at += 1;
                    break;
                }
                Some(byte) => {
                    digits.extend(char::from(byte).to_digit(16).map(|d| d as u8));
                    self.at += 1;
                }
                None => {
                    self.is_damaged = true;
                    break;
                }
            }
        }
        Operand::Text(digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).copied().unwrap_or(0)).collect())
    }

    /// ISO 32000-1, 7.3.4.2.
    fn literal(&mut self) -> Operand {
        self.at += 1;
        let (mut text, mut depth) = (Vec::new(), 1u32);
        while let Some(byte) = self.peek() {
            self.at += 1;
            match byte {
                b'(' => depth += 1,
                b')' if depth == 1 => return Operand::Text(text),
                b')' => depth -= 1,
                b'\\' => {
                    self.escape(&mut text);
                    continue;
                }
                _ => {}
            }
            text.push(byte);
        }
        self.is_damaged = true;
        Operand::Text(text)
    }

    fn escape(&mut self, text: &mut Vec<u8>) {
        let Some(byte) = self.peek() else { return };
        self.at += 1;
        match byte {
            b'n' => text.push(b'\n'),
            b'r' => text.push(b'\r'),
            b't' => text.push(b'\t'),
            b'b' => text.push(8),
            b'f' => text.push(12),
            b'\r' => self.at += usize::from(self.peek() == Some(b'\n')),
            b'\n' => {}
            b'0'..=b'7' => {
                let mut value = u32::from(byte - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else { break };
                    value = value * 8 + u32::from(digit - b'0');
                    self.at += 1;
                }
                text.push((value & 0xFF) as u8);
            }
            other => text.push(other),
        }
    }

    /// Behind `BI`: its data may hold anything, `EI` too; the end is an `EI` between white space that text operators could follow.
    fn skip_image(&mut self) -> bool {
        if self.is_without_images {
            return false;
        }
        let rest = &self.content[self.at..];
        let start = memchr::memmem::find_iter(rest, b"ID")
            .find(|i| rest.get(i + 2).is_none_or(|b| is_blank(*b)) && (*i == 0 || !is_regular(rest[i - 1])));
        let Some(start) = start else {
            self.is_damaged = true;
            self.is_without_images = true;
            return false;
        };
        let is_large = is_large(&rest[..start]);
        let data = &rest[start + 2..];
        let is_end = |i: &usize| {
            let before = *i == 0 || is_blank(data[i - 1]);
            let behind = &data[i + 2..];
            let is_text = behind.iter().take(16).all(|b| matches!(b, b'\t' | b'\n' | b'\r' | 0x0C | 0x20..=0x7E));
            before && behind.first().is_none_or(|b| is_blank(*b)) && is_text
        };
        match memchr::memmem::find_iter(data, b"EI").find(is_end) {
            Some(end) => self.at += start + 2 + end + 2,
            None => {
                self.is_damaged = true;
                self.at = self.content.len();
            }
        }
        is_large
    }
}

/// Whether an image whose dictionary this is (ISO 32000-1, table 93) may show a text.
fn is_large(dictionary: &[u8]) -> bool {
    let mut lexer = Lexer::new(dictionary);
    let (mut width, mut height, mut name) = (0.0, 0.0, Vec::new());
    while let Some(token) = lexer.next() {
        match token {
            Token::Operand(Operand::Name(next)) => name = next,
            Token::Operand(Operand::Number(n)) if matches!(name.as_slice(), b"W" | b"Width") => width = n,
            Token::Operand(Operand::Number(n)) if matches!(name.as_slice(), b"H" | b"Height") => height = n,
            _ => {}
        }
    }
    is_large_picture(width as u32, height as u32)
}

fn hex_pair(pair: Option<&[u8]>) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(pair?).ok()?, 16).ok()
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0C | b'\r' | b' ')
}

fn is_regular(byte: u8) -> bool {
    !is_blank(byte) && !matches!(byte, b'(' | b')' | b'<' | b'>' | b'[' | b']' | b'{' | b'}' | b'/' | b'%')
}
