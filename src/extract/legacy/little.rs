//! Little-endian numbers at a place in octets; `None` beyond their end.

/// Two octets.
pub(super) fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(octets.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

/// Four octets.
pub(super) fn u32_at(octets: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(octets.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// Eight octets.
pub(super) fn u64_at(octets: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(octets.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// A number with a point.
pub(super) fn f64_at(octets: &[u8], at: usize) -> Option<f64> {
    u64_at(octets, at).map(f64::from_bits)
}

/// A place or length of four octets.
pub(super) fn size_at(octets: &[u8], at: usize) -> Option<usize> {
    u32_at(octets, at).and_then(|n| usize::try_from(n).ok())
}
