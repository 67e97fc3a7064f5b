//! Rich Text Format.

#[allow(dead_code, reason = "its first caller comes with the reader of RTF")]
pub(super) mod lzfu;
