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
