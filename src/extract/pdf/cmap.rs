//! CMaps: how a string is cut into codes, and what codes stand for (ISO 32000-1, 9.7.5 and 9.10.3).
//!
//! Ranges are kept as ranges: one may claim 2^32 codes.

use super::lexer::{Lexer, Operand, Token};

/// A code and its length in octets: `<20>` and `<0020>` differ.
pub(super) type Code = (u32, usize);

/// A parsed CMap.
#[derive(Debug, Default)]
pub(super) struct CMap {
    /// First code, last code and length of each codespace range.
    spaces: Vec<(u32, u32, usize)>,
    /// Codes to Unicode.
    unicode: Ranges<String>,
    /// Codes to character ids.
    ids: Ranges<u32>,
    /// More entries than the limit.
    pub(super) is_cut: bool,
}

/// Length of the code, its first and last value, and what the first stands for; sorted by length and first value.
#[derive(Debug)]
struct Ranges<T>(Vec<(usize, u32, u32, T)>);

impl<T> Default for Ranges<T> {
    fn default() -> Self {
        Ranges(Vec::new())
    }
}

impl<T> Ranges<T> {
    fn sort(&mut self) {
        self.0.sort_by_key(|(length, first, ..)| (*length, *first));
    }

    /// The entry that holds `code`, and how far into it.
    fn find(&self, (code, length): Code) -> Option<(&T, u32)> {
        let at = self.0.partition_point(|(l, first, ..)| (*l, *first) <= (length, code));
        let (l, first, last, target) = self.0.get(at.checked_sub(1)?)?;
        (*l == length && *last >= code).then(|| (target, code - first))
    }
}

impl CMap {
    /// Parses a CMap; at most `most` entries of it.
    pub(super) fn parse(content: &[u8], most: usize) -> CMap {
        let mut map = CMap::default();
        let mut lexer = Lexer::new(content);
        let mut operands = Vec::new();
        while let Some(token) = lexer.next() {
            match token {
                Token::Operand(operand) => operands.push(operand),
                Token::Operator(operator) => {
                    map.section(operator, &operands);
                    operands.clear();
                }
                Token::InlineImage { .. } => {}
            }
            if operands.len() + map.unicode.0.len() + map.ids.0.len() + map.spaces.len() > most {
                map.is_cut = true;
                break;
            }
        }
        map.unicode.sort();
        map.ids.sort();
        map
    }

    fn section(&mut self, operator: &[u8], operands: &[Operand]) {
        match operator {
            b"endcodespacerange" => {
                /// Each code is compared with all of them; real maps have one to ten.
                const MOST: usize = 100;
                for pair in operands.chunks_exact(2).take(MOST.saturating_sub(self.spaces.len())) {
                    if let (Some((first, length)), Some((last, _))) = (code(&pair[0]), code(&pair[1])) {
                        self.spaces.push((first, last, length));
                    }
                }
            }
            b"endbfchar" => {
                for pair in operands.chunks_exact(2) {
                    if let (Some((source, length)), Some(text)) = (code(&pair[0]), unicode(&pair[1])) {
                        self.unicode.0.push((length, source, source, text));
                    }
                }
            }
            b"endbfrange" => {
                for triple in operands.chunks_exact(3) {
                    self.range(triple);
                }
            }
            b"endcidchar" | b"endcidrange" => {
                let is_range = operator == b"endcidrange";
                for entry in operands.chunks_exact(if is_range { 3 } else { 2 }) {
                    let last = if is_range { &entry[1] } else { &entry[0] };
                    if let (Some((first, length)), Some((last, _)), Some(Operand::Number(id))) = (code(&entry[0]), code(last), entry.last())
                    {
                        self.ids.0.push((length, first, last, *id as u32));
                    }
                }
            }
            _ => {}
        }
    }

    fn range(&mut self, triple: &[Operand]) {
        let (Some((first, length)), Some((last, _))) = (code(&triple[0]), code(&triple[1])) else { return };
        match &triple[2] {
            Operand::Array(targets) => {
                for (source, target) in (first..=last).zip(targets) {
                    self.unicode.0.extend(unicode(target).map(|text| (length, source, source, text)));
                }
            }
            target => self.unicode.0.extend(unicode(target).map(|text| (length, first, last, text))),
        }
    }

    /// Cuts the next code off `text`; `None` when no codespace range of this map fits.
    pub(super) fn next_code(&self, text: &[u8]) -> Option<Code> {
        (1..=4.min(text.len())).find_map(|length| {
            let code = number(&text[..length]);
            let fits = |(first, last, l): &(u32, u32, usize)| {
                // A code fits if each of its octets does (Adobe TN 5014).
                *l == length && (0..length).all(|i| (octet(*first, i)..=octet(*last, i)).contains(&octet(code, i)))
            };
            self.spaces.iter().any(fits).then_some((code, length))
        })
    }

    /// What a code stands for.
    pub(super) fn text(&self, code: Code) -> Option<String> {
        let (text, offset) = self.unicode.find(code)?;
        if offset == 0 {
            return Some(text.clone());
        }
        let mut chars: Vec<char> = text.chars().collect();
        let last = chars.pop()?;
        chars.push(char::from_u32(u32::from(last).checked_add(offset)?)?);
        Some(chars.into_iter().collect())
    }

    /// The character id of a code.
    pub(super) fn id(&self, code: Code) -> Option<u32> {
        self.ids.find(code).map(|(id, offset)| id.saturating_add(offset))
    }

    /// Whether it cuts strings.
    pub(super) fn has_spaces(&self) -> bool {
        !self.spaces.is_empty()
    }
}

fn octet(code: u32, index: usize) -> u32 {
    code >> (8 * index) & 0xFF
}

/// A big-endian number of up to four octets.
pub(super) fn number(octets: &[u8]) -> u32 {
    octets.iter().fold(0, |n, b| n << 8 | u32::from(*b))
}

fn code(operand: &Operand) -> Option<Code> {
    match operand {
        Operand::Text(octets) if (1..=4).contains(&octets.len()) => Some((number(octets), octets.len())),
        _ => None,
    }
}

/// UTF-16BE; a single octet is Latin.
fn unicode(operand: &Operand) -> Option<String> {
    /// Octets that a code may stand for (ISO 32000-1, 9.10.3).
    const MOST: usize = 512;
    let Operand::Text(octets) = operand else { return None };
    let octets = &octets[..octets.len().min(MOST)];
    if let [octet] = *octets {
        return Some(char::from(octet).into());
    }
    let units = octets.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    Some(char::decode_utf16(units).map(|c| c.unwrap_or('\u{FFFD}')).collect())
}
