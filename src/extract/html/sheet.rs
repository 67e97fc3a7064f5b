//! What stands in a `<style>`: a style sheet (CSS Syntax Level 3) as far as it looks like one. No program shows that, and its numbers are
//! measures, colours and marks of fonts: some nine digits of Outlook's own pass for a citizen number. All else that stands there is read.

use memchr::memmem;

/// How far the content of a `<style>` is a style sheet; from there on it is something else. `tell` gets what people write in a sheet:
/// comments, texts to show (`content`), and declarations that are none.
pub(super) fn length(content: &str, tell: impl FnMut(&str)) -> usize {
    Sheet { content, at: 0, start: 0, depth: 0, is_address_open: false, tell }.read()
}

struct Sheet<'h, T> {
    content: &'h str,
    at: usize,
    /// Where the selector or declaration begins that is being read.
    start: usize,
    /// Of braces.
    depth: usize,
    /// Nothing ahead ends an address: not searched for again, or this would not be linear.
    is_address_open: bool,
    tell: T,
}

impl<T: FnMut(&str)> Sheet<'_, T> {
    fn read(mut self) -> usize {
        let bytes = self.content.as_bytes();
        while let Some(rest) = bytes.get(self.at..).filter(|rest| !rest.is_empty()) {
            let is_first = self.start == self.at;
            let passed = match rest[0] {
                b'/' if rest.starts_with(b"/*") => {
                    let Some(length) = memmem::find(&rest[2..], b"*/") else { return self.start };
                    (self.tell)(&self.content[self.at + 2..self.at + 2 + length]);
                    length + 4
                }
                // Older programs want a comment of HTML around it.
                b'<' if rest.starts_with(b"<!--") => 4,
                b'-' if is_first && rest.starts_with(b"-->") => 3,
                b'<' if begins_tag(rest) => return self.start,
                b'{' | b'}' | b';' => {
                    if !self.ends(rest[0]) {
                        return self.start;
                    }
                    self.at += 1;
                    self.start = self.at;
                    continue;
                }
                b' ' | b'\t' | b'\r' | b'\n' => 1,
                _ => {
                    self.at += self.length_of_value(rest);
                    continue;
                }
            };
            self.at += passed;
            // What stands in front of a selector is no part of it.
            self.start += if is_first { passed } else { 0 };
        }
        self.at = bytes.len();
        if self.depth > 0 {
            self.declaration();
            return self.at;
        }
        if self.start == self.at { self.at } else { self.start }
    }

    /// The length of a string, with its quotes, or of an address; else of one octet, or two behind a backslash.
    fn length_of_value(&mut self, rest: &[u8]) -> usize {
        let is_address = || rest.get(..4).is_some_and(|r| r.eq_ignore_ascii_case(b"url(")) && !matches!(rest.get(4), Some(b'"' | b'\''));
        match rest[0] {
            b'\\' => 2,
            b'"' | b'\'' => string_length(rest).unwrap_or(1),
            b'u' | b'U' if !self.is_address_open && is_address() => {
                let end = memchr::memchr2(b')', b'\n', rest);
                self.is_address_open = end.is_none();
                end.unwrap_or(1)
            }
            _ => 1,
        }
    }

    fn segment(&self) -> &str {
        self.content[self.start..self.at].trim_end()
    }

    /// At the end of a selector or a declaration: whether it is one.
    fn ends(&mut self, by: u8) -> bool {
        match by {
            b'{' => {
                self.depth += 1;
                is_selector(self.segment())
            }
            _ if self.depth == 0 => self.segment().is_empty() || is_statement(self.segment()),
            _ => {
                self.declaration();
                self.depth -= usize::from(by == b'}');
                true
            }
        }
    }

    fn declaration(&mut self) {
        let segment = self.content[self.start..self.at].trim_end();
        let (name, value) = segment.split_once(':').map_or((segment, None), |(name, value)| (name.trim_end(), Some(value)));
        // Old programs are told apart by a sign in front: `*zoom`, `_height`.
        let is_name = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'*' | b'\\' | b'#' | b'$'));
        match value {
            Some(value) if is_name && shows_text(name) => told(value, &mut self.tell),
            Some(_) if is_name => {}
            _ => (self.tell)(segment),
        }
    }
}

/// What an attribute `style` shows.
pub(super) fn inline(style: &str, mut tell: impl FnMut(&str)) {
    for (name, value) in style.split(';').filter_map(|declaration| declaration.split_once(':')) {
        if shows_text(name.trim()) {
            told(value, &mut tell);
        }
    }
}

/// Properties whose strings and numbers are shown: of generated content (CSS Lists 3, CSS Counter Styles 3, CSS Text 4), and those of one's own, which
/// others refer to.
fn shows_text(name: &str) -> bool {
    const NAMES: [&str; 14] = [
        "content",
        "quotes",
        "list-style",
        "list-style-type",
        "counter-reset",
        "counter-set",
        "counter-increment",
        "symbols",
        "additive-symbols",
        "prefix",
        "suffix",
        "negative",
        "text-overflow",
        "hyphenate-character",
    ];
    name.starts_with("--") || NAMES.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Tells a value as it stands, and its strings put together where that says something else.
fn told(value: &str, tell: &mut impl FnMut(&str)) {
    if value.contains(['"', '\'']) || value.contains(|c: char| c.is_ascii_digit()) {
        tell(value);
    }
    let mut together = String::new();
    let (mut quote, mut chars) = (None, value.chars().peekable());
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            // An escape (CSS Syntax 3, 4.3.7): six digits at most, and a blank behind them.
            ('\\', Some(_)) => {
                let mut code = String::new();
                while let Some(digit) = chars.next_if(|c| code.len() < 6 && c.is_ascii_hexdigit()) {
                    code.push(digit);
                }
                match u32::from_str_radix(&code, 16).ok().and_then(char::from_u32) {
                    Some(c) => {
                        together.push(c);
                        chars.next_if(|c| c.is_ascii_whitespace());
                    }
                    None => together.extend(chars.next().filter(|c| *c != '\n')),
                }
            }
            (c, Some(_)) => together.push(c),
            _ => {}
        }
    }
    if !value.contains(&together) {
        tell(&together);
    }
}

fn begins_tag(rest: &[u8]) -> bool {
    rest.get(1).is_some_and(|o| o.is_ascii_alphabetic() || matches!(o, b'/' | b'!' | b'?'))
}

/// A selector, or an at-rule with a block, names things: no word of it begins with a digit (but for `50%` of an animation, and what stands in
/// brackets), and no sentence ends in it.
fn is_selector(segment: &str) -> bool {
    let mut depth = 0i32;
    for word in segment.split_ascii_whitespace() {
        let is_number = word.starts_with(|c: char| c.is_ascii_digit()) && !word.contains('%');
        if depth == 0 && (is_number || word.ends_with('.')) {
            return false;
        }
        depth += word.bytes().map(|b| i32::from(matches!(b, b'(' | b'[')) - i32::from(matches!(b, b')' | b']'))).sum::<i32>();
    }
    true
}

/// An at-rule without a block.
fn is_statement(segment: &str) -> bool {
    ["@import", "@charset", "@namespace", "@layer"]
        .iter()
        .any(|name| segment.get(..name.len()).is_some_and(|s| s.eq_ignore_ascii_case(name)))
}

/// `None` when its line ends before it does.
fn string_length(rest: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match *rest.get(at)? {
            b'\\' => at += 2,
            b'\n' => return None,
            octet if octet == rest[0] => return Some(at + 1),
            _ => at += 1,
        }
    }
}
