//! Numbers at a place in octets, in either order; `None` beyond their end.

/// Octets, and the order of the numbers in them.
#[derive(Clone, Copy)]
pub(super) struct Numbers<'o> {
    pub(super) octets: &'o [u8],
    is_big: bool,
}

impl<'o> Numbers<'o> {
    /// The first octet is the lowest.
    pub(super) fn little(octets: &'o [u8]) -> Numbers<'o> {
        Numbers { octets, is_big: false }
    }

    /// The first octet is the highest.
    pub(super) fn big(octets: &'o [u8]) -> Numbers<'o> {
        Numbers { octets, is_big: true }
    }

    /// Other octets in the same order.
    pub(super) fn of<'p>(self, octets: &'p [u8]) -> Numbers<'p> {
        Numbers { octets, is_big: self.is_big }
    }

    /// `length` octets.
    pub(super) fn slice(self, at: usize, length: usize) -> Option<&'o [u8]> {
        self.octets.get(at..at.checked_add(length)?)
    }

    /// Two octets.
    pub(super) fn u16(self, at: usize) -> Option<u16> {
        let octets = self.slice(at, 2)?.try_into().ok()?;
        Some(if self.is_big { u16::from_be_bytes(octets) } else { u16::from_le_bytes(octets) })
    }

    /// Two octets with a sign.
    pub(super) fn i16(self, at: usize) -> Option<i16> {
        self.u16(at).map(u16::cast_signed)
    }

    /// Four octets.
    pub(super) fn u32(self, at: usize) -> Option<u32> {
        let octets = self.slice(at, 4)?.try_into().ok()?;
        Some(if self.is_big { u32::from_be_bytes(octets) } else { u32::from_le_bytes(octets) })
    }

    /// Four octets with a sign.
    pub(super) fn i32(self, at: usize) -> Option<i32> {
        self.u32(at).map(u32::cast_signed)
    }

    /// A place or length of four octets.
    pub(super) fn size(self, at: usize) -> Option<usize> {
        self.u32(at).and_then(|n| usize::try_from(n).ok())
    }
}
