//! Why something could not be read: the words of [`Problem::reason`](super::Problem::reason).

/// Every reason that a reader gives (extraction.md, section 7), sorted. What a worker says is matched with these, so that no word of a stranger's
/// making reaches a policy, a page or a log.
const REASONS: &[&str] = &[
    "7z",
    "ar",
    "archive",
    "base64",
    "binhex",
    "bzip2",
    "cells",
    "charset",
    "compound",
    "compression",
    "cpio",
    "data-model",
    "database",
    "depth",
    "disk-image",
    "doc",
    "document",
    "executable",
    "expanded",
    "external",
    "groups",
    "gzip",
    "header",
    "image",
    "macros",
    "mailbox",
    "media",
    "member",
    "members",
    "memory",
    "mime",
    "odf",
    "office",
    "page",
    "pages",
    "partial",
    "pdf",
    "pgp",
    "ppt",
    "properties",
    "rar",
    "ratio",
    "rights-management",
    "rtf",
    "scanned-pages",
    "smime",
    "snappy",
    "tar",
    "text",
    "time",
    "tnef",
    "unknown-type",
    "unlisted",
    "unmapped-glyphs",
    "uuencode",
    "volume",
    "words",
    "xls",
    "xlsb",
    "xlsx",
    "xml",
    "xz",
    "yenc",
    "zip",
    "zstd",
];

/// What stands for a reason that is not in the list: a bug, but a problem all the same.
pub const UNLISTED: &str = "unlisted";

/// `word` as the list has it.
#[must_use]
pub fn reason(word: &str) -> Option<&'static str> {
    REASONS.binary_search(&word).ok().map(|at| REASONS[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_can_be_searched() {
        assert!(REASONS.is_sorted_by(|a, b| a < b));
        assert_eq!(reason("pdf"), Some("pdf"));
        assert_eq!(reason("not a reason"), None);
    }
}
