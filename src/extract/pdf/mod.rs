//! PDF.
use super::reading::{Here, Reading};
use bytes::Bytes;
pub(super) fn read(reading: &mut Reading<'_>, here: &Here, _octets: &Bytes) {
    reading.unsupported(here, "unknown-type");
}
