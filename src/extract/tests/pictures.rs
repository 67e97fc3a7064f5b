//! Pictures: how large they are, what metafiles write, and what is told about them.

use super::{holds, problems, read};

/// A PNG as far as its header.
pub(super) fn png(width: u32, height: u32) -> Vec<u8> {
    [&b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR"[..], &width.to_be_bytes(), &height.to_be_bytes(), b"\x08\x06\0\0\0....\0\0\0\0IEND...."].concat()
}

fn words(numbers: &[i32]) -> Vec<u8> {
    numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
}

/// A record of an enhanced metafile: type, length, content.
fn record(kind: i32, content: &[u8]) -> Vec<u8> {
    [words(&[kind, content.len() as i32 + 8]), content.to_vec()].concat()
}

/// A text of ten units a letter at a place (EMR_EXTTEXTOUTW).
pub(super) fn text_record((x, y): (i32, i32), text: &str) -> Vec<u8> {
    let mut units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let count = units.len() / 2;
    units.resize(units.len().next_multiple_of(4), 0);
    let head = words(&[0, 0, 0, 0, 1, 0, 0, x, y, count as i32, 76, 0, 0, 0, 0, 0, 76 + units.len() as i32]);
    record(84, &[head, units, words(&vec![10; count])].concat())
}

pub(super) fn enhanced_metafile(records: &[Vec<u8>]) -> Vec<u8> {
    let mut header = vec![0; 80];
    header[32..36].copy_from_slice(b" EMF");
    [record(1, &header), records.concat(), record(14, &[0; 12])].concat()
}

/// A bitmap of this size (EMR_STRETCHDIBITS).
fn bitmap_record(width: i32, height: i32) -> Vec<u8> {
    record(81, &[words(&[0; 10]), words(&[80, 40, 0, 0, 0, 0, 0, 0]), words(&[40, width, height, 1, 0])].concat())
}

#[test]
fn a_metafile_is_what_it_writes() {
    let drawing = enhanced_metafile(&[
        text_record((0, 0), "BSN: 111"),
        text_record((80, 0), "222333"),
        text_record((300, 0), "Jan"),
        text_record((0, 20), "eronder"),
        bitmap_record(300, 2000),
    ]);
    let extraction = read("x.emf", drawing.clone());
    assert!(holds(&extraction, "BSN: 111222333\tJan\neronder") && problems(&extraction).is_empty(), "{extraction:?}");
    assert_eq!(problems(&read("x.emf", drawing[..drawing.len() - 20].to_vec())), ["damaged image"]);
    assert_eq!(problems(&read("x.emf", enhanced_metafile(&[bitmap_record(1700, 2200)]))), ["unsupported image"]);
    let strips: Vec<_> = (0..10).map(|_| bitmap_record(1700, 64)).collect();
    assert_eq!(problems(&read("x.emf", enhanced_metafile(&strips))), ["unsupported image"]);
}

#[test]
fn glyphs_by_number_are_told() {
    let by_number = |count: usize| {
        let mut text = text_record((0, 0), &"x".repeat(count));
        text[52..56].copy_from_slice(&0x10u32.to_le_bytes());
        problems(&read("x.emf", enhanced_metafile(&[text])))
    };
    assert_eq!(by_number(20), Vec::<String>::new());
    assert_eq!(by_number(21), ["unsupported unmapped-glyphs"]);
}

#[test]
fn gdi_plus_is_read_where_it_draws_alone() {
    let plus = |flags: u16, text: &str| {
        let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let content = [words(&[0, 0, units.len() as i32 / 2, 0, 0, 0, 0]), units].concat();
        let inner = |kind: u16, flags: u16, content: &[u8]| {
            [&kind.to_le_bytes()[..], &flags.to_le_bytes(), &words(&[content.len() as i32 + 12, content.len() as i32]), content].concat()
        };
        let records = [&b"EMF+"[..], &inner(0x4001, flags, &[0; 16]), &inner(0x401C, 0, &content)].concat();
        enhanced_metafile(&[record(70, &[words(&[records.len() as i32]), records].concat())])
    };
    assert!(holds(&read("x.emf", plus(0, "BSN: 111222333")), "BSN: 111222333"));
    assert!(!holds(&read("x.emf", plus(1, "BSN: 111222333")), "BSN: 111222333"), "said by the records around it as well");
}

#[test]
fn windows_metafiles_are_read_with_either_header() {
    let record = |kind: u16, content: &[u8]| [&((content.len() as u32 + 6) / 2).to_le_bytes()[..], &kind.to_le_bytes(), content].concat();
    let font = [&[0; 13], &[238][..], &[0; 4]].concat();
    let text = [&0u16.to_le_bytes()[..], &0u16.to_le_bytes(), &14u16.to_le_bytes(), &[0, 0], b"BSN: 111222333"].concat();
    let other = [&6u16.to_le_bytes()[..], b"\xE8e\x9Aka.", &20u16.to_le_bytes(), &0u16.to_le_bytes()].concat();
    let body = [record(0x02FB, &font), record(0x0A32, &text), record(0x0521, &other), record(0, &[])].concat();
    let bare = [&[1, 0, 9, 0, 0, 3][..], &[0; 12], &body].concat();
    let placed = [&b"\xD7\xCD\xC6\x9A"[..], &[0; 18], &bare].concat();
    for octets in [bare, placed] {
        let extraction = read("x.wmf", octets.clone());
        assert!(holds(&extraction, "BSN: 111222333\nčeška.") && problems(&extraction).is_empty(), "{extraction:?}");
        assert_eq!(problems(&read("x.wmf", octets[..octets.len() - 3].to_vec())), ["damaged image"]);
    }
}

#[test]
fn small_pictures_of_every_kind_are_no_problem_and_large_ones_are() {
    let tiff = |side: u16| {
        [
            &b"II*\0\x08\0\0\0\x02\0"[..],
            &[0, 1, 3, 0, 1, 0, 0, 0],
            &side.to_le_bytes(),
            &[0, 0, 1, 1, 3, 0, 1, 0, 0, 0],
            &side.to_le_bytes(),
            &[0; 6],
        ]
        .concat()
    };
    let heif =
        |side: u32| [&b"\0\0\0\x14ftypheic\0\0\0\0heic\0\0\0\x14ispe\0\0\0\0"[..], &side.to_be_bytes(), &side.to_be_bytes()].concat();
    let jp2 = |side: u32| [&b"\0\0\0\x0CjP  \r\n\x87\n\0\0\0\x16ihdr"[..], &side.to_be_bytes(), &side.to_be_bytes()].concat();
    let psd = |side: u32| [&b"8BPS\0\x01\0\0\0\0\0\0\0\x03"[..], &side.to_be_bytes(), &side.to_be_bytes(), &[0; 16]].concat();
    let check = |name: &str, small: Vec<u8>, large: Vec<u8>| {
        assert_eq!(problems(&read(name, small)), Vec::<String>::new(), "{name}");
        assert_eq!(problems(&read(name, large)), ["unsupported image"], "{name}");
    };
    check("x.tif", tiff(499), tiff(500));
    check("x.heic", heif(499), heif(500));
    check("x.jp2", jp2(499), jp2(500));
    check("x.psd", psd(499), psd(500));
    assert_eq!(problems(&read("favicon.ico", b"\0\0\x01\0\x01\0\0\0\0\0\x01\0\x20\0\0\0\0\0\x16\0\0\0".to_vec())), Vec::<String>::new());
}
