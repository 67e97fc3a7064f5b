//! Formulas as workbooks hold them: tokens, of which only the texts are wanted (MS-XLS 2.5.198).

use super::super::little::u16_at;
use super::strings::Script;

/// The string literals of a formula, one a line. Ends at a token whose length is not known.
pub(super) fn literals(tokens: &[u8], script: Script, out: &mut String) {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        at += 1;
        let length = match (token, class(*token)) {
            (0x17, _) => {
                let Some((text, end)) = script.short(tokens, at) else { return };
                if !text.trim().is_empty() {
                    // The items of a list are separated by zeros.
                    out.push_str(&text.replace('\0', "\n"));
                    out.push('\n');
                }
                end - at
            }
            // An attribute; that of CHOOSE has a table of jumps.
            (0x19, _) => match (tokens.get(at), u16_at(tokens, at + 1)) {
                (Some(flags), Some(jumps)) if flags & 4 != 0 => 3 + 2 * (usize::from(jumps) + 1),
                _ => 3,
            },
            (_, class) => match length(class, script.is_unicode) {
                Some(length) => length,
                None => return,
            },
        };
        at += length;
    }
}

/// Operands come in three classes, which differ in two bits.
fn class(token: u8) -> u8 {
    if token < 0x20 { token } else { token & 0x1F | 0x20 }
}

/// Octets behind a token; references are shorter from Excel 97 on.
fn length(token: u8, is_unicode: bool) -> Option<usize> {
    let either = |new: usize, old: usize| Some(if is_unicode { new } else { old });
    match token {
        0x03..=0x16 => Some(0),
        0x1C | 0x1D => Some(1),
        0x1E | 0x21 | 0x29 => Some(2),
        0x22 => Some(3),
        0x01 | 0x02 => Some(4),
        0x1F => Some(8),
        0x20 => Some(7),
        0x26..=0x28 => Some(6),
        0x23 => either(4, 14),
        0x24 | 0x2A | 0x2C => either(4, 3),
        0x25 | 0x2B | 0x2D => either(8, 6),
        0x39 => either(6, 24),
        0x3A | 0x3C => either(6, 17),
        0x3B | 0x3D => either(10, 20),
        _ => None,
    }
}
