//! Archives, disk images and mailboxes that nobody here reads, known so that a report says what came.

/// Where a mark stands, what it is, and the reason to be told.
const MARKS: &[(usize, &[u8], &str)] = &[
    (0, b"MSCF\0\0\0\0", "archive"),
    (0, b"ISc(", "archive"),
    (7, b"**ACE**", "archive"),
    (0, b"MSWIM\0\0\0", "archive"),
    (0, b"xar!\0", "archive"),
    (0, b"SIT!\0", "archive"),
    (0, b"StuffIt (c)1997", "archive"),
    (20, b"\xDC\xA7\xC4\xFD", "archive"),
    (0, b"\xED\xAB\xEE\xDB", "archive"),
    (0, b"\xC7\x71", "archive"),
    (0, b"hsqs\x01", "disk-image"),
    // Packed files: compress, pack, LZ4 (its frame, and that of the kernel), lzop, lzip.
    (0, b"\x1F\x9D", "archive"),
    (0, b"\x1F\x1E", "archive"),
    (0, b"\x04\x22\x4D\x18", "archive"),
    (0, b"\x02\x21\x4C\x18", "archive"),
    (0, b"\x89LZO\0\r\n", "archive"),
    (0, b"LZIP\x01", "archive"),
    // Volumes of ISO 9660 and UDF begin at sector 16, of 2048 octets or of 2352 with their frame.
    (0x8001, b"CD001", "disk-image"),
    (0x8001, b"BEA01", "disk-image"),
    (0x9311, b"CD001", "disk-image"),
    (0x9319, b"CD001", "disk-image"),
    (0, b"conectix", "disk-image"),
    (0, b"vhdxfile", "disk-image"),
    (0, b"KDMV\x01\0\0\0", "disk-image"),
    (0, b"KDMV\x02\0\0\0", "disk-image"),
    (0, b"KDMV\x03\0\0\0", "disk-image"),
    (0, b"COWD\x01\0\0\0", "disk-image"),
    (0, b"QFI\xFB", "disk-image"),
    (0x40, b"\x7F\x10\xDA\xBE", "disk-image"),
    (0x200, b"EFI PART", "disk-image"),
    // Outlook's PST and OST, Outlook Express (MS-PST 2.2.2.6).
    (0, b"!BDN", "mailbox"),
    (0, b"\xCF\xAD\x12\xFE", "mailbox"),
];

/// What ends a disk image (VHD, UDIF of Apple), in a block of its own.
const TRAILERS: [&[u8]; 2] = [b"conectix", b"koly\0\0\0\x04"];

/// Octets of that block.
const TRAILER: usize = 512;

/// Octets of the shortest header of a type whose mark is letters.
const SOON: usize = 64;

/// Why a file of such a type can't be read.
pub(in crate::extract) fn reason(octets: &[u8]) -> Option<&'static str> {
    // A text may begin with letters that are a mark; of the files whose marks are letters alone each has zeros soon.
    let has_zeros = octets.iter().take(SOON).any(|octet| *octet == 0);
    let fits = |mark: &[u8], octets: &[u8]| octets.starts_with(mark) && (has_zeros || !mark.iter().all(u8::is_ascii_graphic));
    let mark = MARKS.iter().find(|(at, mark, _)| octets.get(*at..).is_some_and(|octets| fits(mark, octets)));
    let trailer = octets.len().checked_sub(TRAILER).map(|at| &octets[at..]);
    match mark {
        Some((.., reason)) => Some(reason),
        None if is_lzh(octets) || is_arj(octets) || is_lzma(octets) => Some("archive"),
        None if trailer.is_some_and(|t| TRAILERS.iter().any(|mark| t.starts_with(mark))) => Some("disk-image"),
        None => None,
    }
}

/// `-lh5-` and its like behind two octets, and a level of headers that there is.
fn is_lzh(octets: &[u8]) -> bool {
    matches!(octets.get(2..7), Some([b'-', b'l', b'h' | b'z', _, b'-'] | [b'-', b'p', b'm', _, b'-']))
        && octets.get(20).is_some_and(|l| *l < 4)
}

/// The mark of ARJ is short: its main header is 30 to 2600 octets long.
fn is_arj(octets: &[u8]) -> bool {
    let length = octets.get(2..4).map(|l| u16::from_le_bytes([l[0], l[1]]));
    octets.starts_with(b"\x60\xEA") && length.is_some_and(|l| (30..=2600).contains(&l))
}

/// LZMA alone: the usual properties, a dictionary of whole pages, and a size that is unknown or below a terabyte.
fn is_lzma(octets: &[u8]) -> bool {
    let size = octets.get(5..13);
    octets.starts_with(b"\x5D\0\0") && size.is_some_and(|size| *size == [0xFF; 8] || size[5..] == [0; 3])
}
