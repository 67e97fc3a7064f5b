//! The built-in encoding of a Type 1 font program (Adobe Type 1 Font Format, 2.2).
//!
//! It stands in the clear text. The encrypted part holds the outlines by name, and codes are nowhere in it: it is not opened.

/// Octets of clear text that are looked at: real ones have up to 10 000.
const CLEAR: usize = 65_536;

/// What the font says of its codes.
pub(super) enum Encoding<'f> {
    Standard,
    /// Codes and the names of their glyphs.
    Own(Vec<(u8, &'f [u8])>),
}

/// Reads the encoding: `/Encoding StandardEncoding def`, or `dup 65 /A put` for each code.
pub(super) fn encoding(font: &[u8]) -> Option<Encoding<'_>> {
    let clear = &font[..font.len().min(CLEAR)];
    let clear = &clear[..memchr::memmem::find(clear, b"eexec").unwrap_or(clear.len())];
    let start = memchr::memmem::find(clear, b"/Encoding")? + b"/Encoding".len();
    let mut words = Words(&clear[start..]);
    if words.next()? == b"StandardEncoding" {
        return Some(Encoding::Standard);
    }
    let mut codes = Vec::new();
    let mut before: [&[u8]; 3] = [b""; 3];
    for word in words {
        if let ([b"dup", code, name], b"put") = (before, word) {
            codes.extend(number(code).zip(name.strip_prefix(b"/")));
        }
        // What may follow are other things that are put.
        if matches!(word, b"def" | b"readonly") && !codes.is_empty() {
            break;
        }
        before = [before[1], before[2], word];
    }
    Some(Encoding::Own(codes))
}

/// A code in decimal, or with its base in front: `8#101`.
fn number(word: &[u8]) -> Option<u8> {
    let word = std::str::from_utf8(word).ok()?;
    match word.split_once('#') {
        Some((base, digits)) => u8::from_str_radix(digits, base.parse().ok().filter(|b| (2..=36).contains(b))?).ok(),
        None => word.parse().ok(),
    }
}

/// Words of PostScript: a `/` begins one without a blank before it.
struct Words<'f>(&'f [u8]);

impl<'f> Iterator for Words<'f> {
    type Item = &'f [u8];

    fn next(&mut self) -> Option<&'f [u8]> {
        let start = self.0.iter().position(|b| !b.is_ascii_whitespace() && *b != 0)?;
        let rest = &self.0[start..];
        let is_end = |b: &u8| b.is_ascii_whitespace() || matches!(b, 0 | b'/');
        let length = 1 + rest[1..].iter().position(is_end).unwrap_or(rest.len() - 1);
        let (word, behind) = rest.split_at(length);
        self.0 = behind;
        Some(word)
    }
}
