//! Pictures: how large they are, what metafiles write, and what is told about them.

use super::{holds, problems, read};
use crate::extract::{Limits, Picture, Piece, attachment, file, file_to, unread};

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
        bitmap_record(299, 2000),
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

/// What is handed out of a file where pictures are looked at, and the problems that are told at once.
pub(super) fn handed_out(name: &str, octets: Vec<u8>, limits: &Limits) -> (Vec<Picture>, Vec<String>) {
    let (mut pictures, mut told) = (Vec::new(), Vec::new());
    let (_, unopened) = attachment(name, octets.into(), limits);
    file_to(&unopened[0], limits, &mut |piece| match piece {
        Piece::Picture(picture) => pictures.push(picture),
        Piece::Problem(problem) => told.push(format!("{} {} {}", problem.kind.word(), problem.reason, problem.place.unwrap_or_default())),
        _ => {}
    });
    (pictures, told)
}

fn looking() -> Limits {
    Limits { pictures: 3, ..Limits::default() }
}

#[test]
fn a_large_picture_is_handed_out_as_it_is_and_one_that_cannot_be_looked_at_stays_a_problem() {
    let unread = vec!["unsupported image ".to_owned()];
    let octets = png(600, 600);
    let (pictures, told) = handed_out("x.png", octets.clone(), &looking());
    assert_eq!((pictures.len(), told), (1, vec![]));
    assert_eq!((pictures[0].part.as_str(), pictures[0].page, &*pictures[0].octets), ("attachment \"x.png\"", None, octets.as_slice()));
    // Nobody looks; too many pixels; more pictures than one in it; a format that isn't looked at.
    let animated = [png(600, 600), b"acTL".to_vec()].concat();
    let frame = b"\x2C\0\0\0\0\x58\x02\x58\x02\0\x02\x01\0\0";
    let gif = |frames: usize| [b"GIF89a\x58\x02\x58\x02\0\0\0".to_vec(), frame.repeat(frames), b";".to_vec()].concat();
    let jpeg2000 = [b"\0\0\0\x0CjP  \r\n\x87\n".as_slice(), b"ihdr", &600_u32.to_be_bytes(), &600_u32.to_be_bytes(), &[0; 100]].concat();
    for (octets, limits) in [
        (octets.clone(), Limits::default()),
        (octets.clone(), Limits { picture_octets: octets.len() - 1, ..looking() }),
        (png(100_000, 1000), looking()),
        (animated, looking()),
        (gif(2), looking()),
        (jpeg2000, looking()),
    ] {
        assert_eq!(handed_out("x", octets, &limits), (vec![], unread.clone()));
    }
    assert_eq!(handed_out("x.gif", gif(1), &looking()).0.len(), 1);
    // Logos are nobody's trouble.
    assert_eq!(handed_out("x.png", png(499, 500), &looking()), (vec![], vec![]));
}

#[test]
fn no_more_pictures_of_a_mail_are_handed_out_than_may_be() {
    let octets = png(600, 600);
    let members: Vec<_> = ["a.png", "b.png", "c.png", "d.png"].map(|name| (name, octets.as_slice())).to_vec();
    let (pictures, told) = handed_out("x.zip", super::formats::zip(&members), &looking());
    assert_eq!((pictures.len(), told.len()), (3, 1));
    // A reader whose findings are kept, not taken, hands nothing out: it could not be told apart from what was looked at.
    let (_, unopened) = attachment("x.png", octets.into(), &looking());
    assert_eq!(problems(&file(&unopened[0], &looking())), ["unsupported image"]);
}

#[test]
fn pictures_that_nobody_could_read_are_told_by_part_and_page() {
    let picture = |part: &str, page| Picture { part: part.into(), page, octets: bytes::Bytes::new() };
    let pictures = [picture("a", Some(3)), picture("b", None), picture("a", Some(2)), picture("a", Some(3)), picture("a", Some(7))];
    let told: Vec<_> = unread(&pictures).into_iter().map(|p| (p.part, p.place, p.reason)).collect();
    assert_eq!(told, [("a".into(), Some("pages 2-3, 7".into()), "scanned-pages"), ("b".into(), None, "image")]);
}
