//! The three classes of bytes in a normal text.

/// What a byte of a normal text is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Class {
    /// Neither of the others: space, punctuation.
    Other,
    /// A letter; everything beyond ASCII is one, see `normalise`.
    Letter,
    /// 0 to 9.
    Digit,
}

static CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut b = 0;
    while b < 256 {
        let byte = b as u8;
        if byte.is_ascii_digit() {
            classes[b] = Class::Digit;
        } else if byte.is_ascii_alphabetic() || byte >= 0x80 {
            classes[b] = Class::Letter;
        }
        b += 1;
    }
    classes
};

/// The class of `b`.
#[inline]
pub(super) fn class(b: u8) -> Class {
    CLASSES[usize::from(b)]
}

/// The highest bit of each of eight bytes.
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The same byte eight times.
const fn eight(b: u8) -> u64 {
    u64::from_le_bytes([b; 8])
}

/// Of bytes below 0x80, the highest bit of each that is `low..=high`.
#[inline]
fn within(seven: u64, low: u8, high: u8) -> u64 {
    // No sum reaches the next byte: 0x7f + 0x7f.
    (seven + eight(0x80 - low)) & !(seven + eight(0x7f - high)) & HIGH
}

/// How many of eight bytes, from the lowest on, are letters.
#[inline]
pub(super) fn letters(eight_bytes: u64) -> usize {
    // Bit 5 tells capitals from small letters.
    let letter = within(eight_bytes & !HIGH | eight(0x20), b'a', b'z') | eight_bytes & HIGH;
    (!letter & HIGH).trailing_zeros() as usize / 8
}

/// How many of eight bytes, from the lowest on, are digits.
#[inline]
pub(super) fn digits(eight_bytes: u64) -> usize {
    let digit = within(eight_bytes & !HIGH, b'0', b'9') & !eight_bytes;
    (!digit & HIGH).trailing_zeros() as usize / 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eight_at_a_time_are_the_same_as_one_by_one() {
        for b in 0..=255u8 {
            for at in 0..8 {
                let mut bytes = [b'x'; 8];
                bytes[at] = b;
                let expected = bytes.iter().take_while(|b| class(**b) == Class::Letter).count();
                assert_eq!(letters(u64::from_le_bytes(bytes)), expected, "letters, {b:#x} at {at}");
                let mut bytes = [b'7'; 8];
                bytes[at] = b;
                let expected = bytes.iter().take_while(|b| class(**b) == Class::Digit).count();
                assert_eq!(digits(u64::from_le_bytes(bytes)), expected, "digits, {b:#x} at {at}");
            }
        }
    }
}
