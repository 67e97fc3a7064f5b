//! Character references: numeric ones, and the named ones of HTML 4 with those of HTML 5 that stand for ASCII or for blanks.

use std::{borrow::Cow, collections::HashMap, sync::LazyLock};

/// Names of U+00A0 to U+00FF, in order (HTML 4.01, 24.2.1). These are also known without their semicolon.
const LATIN: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para middot \
cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc \
Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring \
aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml \
yacute thorn yuml";

/// The others, by name.
const NAMED: [(&str, char); 74] = [
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("excl", '!'),
    ("num", '#'),
    ("dollar", '$'),
    ("percnt", '%'),
    ("lpar", '('),
    ("rpar", ')'),
    ("ast", '*'),
    ("midast", '*'),
    ("plus", '+'),
    ("comma", ','),
    ("period", '.'),
    ("sol", '/'),
    ("colon", ':'),
    ("semi", ';'),
    ("equals", '='),
    ("quest", '?'),
    ("commat", '@'),
    ("lsqb", '['),
    ("lbrack", '['),
    ("bsol", '\\'),
    ("rsqb", ']'),
    ("rbrack", ']'),
    ("Hat", '^'),
    ("lowbar", '_'),
    ("UnderBar", '_'),
    ("grave", '`'),
    ("lcub", '{'),
    ("lbrace", '{'),
    ("vert", '|'),
    ("verbar", '|'),
    ("rcub", '}'),
    ("rbrace", '}'),
    ("NonBreakingSpace", '\u{A0}'),
    ("ensp", '\u{2002}'),
    ("emsp", '\u{2003}'),
    ("numsp", '\u{2007}'),
    ("puncsp", '\u{2008}'),
    ("thinsp", '\u{2009}'),
    ("hairsp", '\u{200A}'),
    ("ZeroWidthSpace", '\u{200B}'),
    ("zwnj", '\u{200C}'),
    ("zwj", '\u{200D}'),
    ("lrm", '\u{200E}'),
    ("rlm", '\u{200F}'),
    ("NoBreak", '\u{2060}'),
    ("hyphen", '\u{2010}'),
    ("dash", '\u{2010}'),
    ("ndash", '\u{2013}'),
    ("mdash", '\u{2014}'),
    ("minus", '\u{2212}'),
    ("lsquo", '\u{2018}'),
    ("rsquo", '\u{2019}'),
    ("sbquo", '\u{201A}'),
    ("ldquo", '\u{201C}'),
    ("rdquo", '\u{201D}'),
    ("bdquo", '\u{201E}'),
    ("bull", '\u{2022}'),
    ("hellip", '\u{2026}'),
    ("permil", '\u{2030}'),
    ("lsaquo", '\u{2039}'),
    ("rsaquo", '\u{203A}'),
    ("euro", '\u{20AC}'),
    ("trade", '\u{2122}'),
    ("OElig", '\u{152}'),
    ("oelig", '\u{153}'),
    ("Scaron", '\u{160}'),
    ("scaron", '\u{161}'),
];

/// All names.
static NAMES: LazyLock<HashMap<&str, char>> = LazyLock::new(|| LATIN.split(' ').zip('\u{A0}'..).chain(NAMED).collect());

/// The longest name that is known without its semicolon.
const LONGEST_LEGACY: usize = 6;

/// The longest name that is looked for.
const LONGEST: usize = 32;

/// Windows-1252 for the numbers 128 to 159, as every browser reads them (HTML, 13.2.5.80).
const C1: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8D}Ž\u{8F}\u{90}‘’“”•–—˜™š›œ\u{9D}žŸ";

/// Reads the reference at the start of `rest`, which is a `&`; what it stands for and how long it is. None there: the `&` itself.
pub(super) fn read(rest: &str) -> (String, usize) {
    let body = &rest[1..];
    if let Some(number) = body.strip_prefix('#') {
        let (digits, radix) = match number.strip_prefix(['x', 'X']) {
            Some(hex) => (hex, 16),
            None => (number, 10),
        };
        let count = digits.bytes().take(LONGEST).take_while(|b| char::from(*b).is_digit(radix)).count();
        if count > 0 {
            let value = u32::from_str_radix(&digits[..count], radix).unwrap_or(u32::MAX);
            let start = rest.len() - digits.len();
            let end = start + count + usize::from(digits[count..].starts_with(';'));
            return (character(value).to_string(), end);
        }
    }
    let count = body.bytes().take(LONGEST).take_while(u8::is_ascii_alphanumeric).count();
    let name = &body[..count];
    let is_closed = body[count..].starts_with(';');
    match named(name) {
        Some(c) if is_closed => (c.to_string(), count + 2),
        _ => match (1..=count.min(LONGEST_LEGACY)).rev().find_map(|n| legacy(&name[..n]).map(|c| (c, n))) {
            Some((c, n)) => (c.to_string(), n + 1 + usize::from(is_closed && n == count)),
            None => ("&".into(), 1),
        },
    }
}

/// A value with all its references resolved.
pub(super) fn resolve(value: &str) -> Cow<'_, str> {
    if !value.contains('&') {
        return Cow::Borrowed(value);
    }
    let mut resolved = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        resolved.push_str(&rest[..at]);
        let (text, length) = read(&rest[at..]);
        resolved.push_str(&text);
        rest = &rest[at + length..];
    }
    resolved.push_str(rest);
    Cow::Owned(resolved)
}

fn character(value: u32) -> char {
    match value {
        0x80..=0x9F => C1.chars().nth(value as usize - 0x80).unwrap_or('\u{FFFD}'),
        _ => char::from_u32(value).unwrap_or('\u{FFFD}'),
    }
}

fn named(name: &str) -> Option<char> {
    NAMES.get(name).copied()
}

/// Names known without a semicolon.
fn legacy(name: &str) -> Option<char> {
    match name {
        "AMP" => Some('&'),
        "LT" => Some('<'),
        "GT" => Some('>'),
        "QUOT" => Some('"'),
        _ => named(name).filter(|c| matches!(c, '&' | '<' | '>' | '"' | '\u{A0}'..='\u{FF}')),
    }
}
