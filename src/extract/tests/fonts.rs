//! Embedded fonts that alone say what their glyphs mean; each is made here.

use super::{formats::pdf::pdf_with, has_problem, problems, read, texts};
use crate::extract::ProblemKind;
use lopdf::{Dictionary, Document, Object, ObjectId, Stream, dictionary};

/// How a font is put into a document.
#[derive(Clone, Copy)]
enum Use {
    /// One octet a code.
    Simple,
    /// Two octets a code, which are character ids.
    Composite,
}

/// A document that draws `content` in a font of nothing but this program.
fn drawn(content: &str, file: (&str, Vec<u8>), how: Use, extend: impl FnOnce(&mut Document, &mut Dictionary)) -> Vec<u8> {
    let content = format!("BT /F2 10 Tf 50 700 Td {content} Tj ET");
    pdf_with(&[content.as_bytes()], |document, resources| {
        let file = (file.0.to_owned(), document.add_object(Stream::new(dictionary! {}, file.1)));
        let mut descriptor = dictionary! { "Type" => "FontDescriptor", "Flags" => 4 };
        descriptor.set(file.0, file.1);
        let descriptor = document.add_object(descriptor);
        let mut font = match how {
            Use::Simple => dictionary! { "Type" => "Font", "Subtype" => "Type1", "BaseFont" => "X", "FontDescriptor" => descriptor },
            Use::Composite => {
                let inner = dictionary! { "Type" => "Font", "Subtype" => "CIDFontType0", "DW" => 600, "FontDescriptor" => descriptor };
                let inner: ObjectId = document.add_object(inner);
                dictionary! { "Type" => "Font", "Subtype" => "Type0", "Encoding" => "Identity-H", "DescendantFonts" => vec![inner.into()] }
            }
        };
        extend(document, &mut font);
        let font = document.add_object(font);
        resources.set("Font", dictionary! { "F2" => font });
    })
}

fn check(content: &str, file: (&str, Vec<u8>), how: Use, expected: &str) {
    let extraction = read("x.pdf", drawn(content, file, how, |_, _| {}));
    assert_eq!(texts(&extraction)[0].1, expected);
    assert_eq!(problems(&extraction), Vec::<String>::new(), "{expected}");
}

/// An INDEX of CFF.
fn index(objects: &[&[u8]]) -> Vec<u8> {
    if objects.is_empty() {
        return vec![0, 0];
    }
    let mut octets = (objects.len() as u16).to_be_bytes().to_vec();
    octets.push(4);
    let mut offset = 1u32;
    octets.extend(offset.to_be_bytes());
    for object in objects {
        offset += object.len() as u32;
        octets.extend(offset.to_be_bytes());
    }
    octets.extend(objects.concat());
    octets
}

/// A CFF font: `names` are new strings, `charset` and `encoding` tables; glyphs have no outlines.
fn cff(names: &[&str], glyphs: u16, charset: &[u8], encoding: &[u8], is_keyed_by_id: bool) -> Vec<u8> {
    let names: Vec<&[u8]> = names.iter().map(|n| n.as_bytes()).collect();
    let glyphs = index(&vec![&[14][..]; usize::from(glyphs)]);
    let top = |at: u32| {
        let number = |n: u32| [&[29][..], &n.to_be_bytes()].concat();
        let ros = if is_keyed_by_id { vec![139, 139, 139, 12, 30] } else { Vec::new() };
        // A real number and a negative one among them.
        let matrix = vec![30, 0x0A, 0x00, 0x1F, 0xEE, 12, 7];
        let charset_at = number(at);
        let encoding_at = number(at + charset.len() as u32);
        let glyphs_at = number(at + (charset.len() + encoding.len()) as u32);
        [ros, matrix, charset_at, vec![15], encoding_at, vec![16], glyphs_at, vec![17]].concat()
    };
    let head = |at: u32| [vec![1, 0, 4, 1], index(&[b"X"]), index(&[&top(at)]), index(&names), index(&[])].concat();
    let at = head(0).len() as u32;
    [head(at), charset.to_vec(), encoding.to_vec(), glyphs].concat()
}

/// SIDs of `one`, `two`, `three` and `B`.
const ONE: u16 = 18;
const B: u16 = 35;

fn sids(sids: &[u16]) -> Vec<u8> {
    [vec![0], sids.iter().flat_map(|s| s.to_be_bytes()).collect()].concat()
}

#[test]
fn a_compact_font_says_what_its_codes_are() {
    // Codes 1 to 4 are glyphs 1 to 4; two of the names are the font's own.
    let charset = sids(&[ONE, ONE + 1, 391, 392]);
    let names = ["uni0033", "four.tab"];
    let list = cff(&names, 5, &charset, &[0, 4, 1, 2, 3, 4], false);
    check("<0104030201>", ("FontFile3", list.clone()), Use::Simple, "14321");
    // As runs: two of them, and a code that is a second one for a glyph.
    let runs = cff(&names, 5, &charset, &[0x81, 2, 1, 1, 8, 1, 1, 5, 0, 35], false);
    check("<01080902 05>", ("FontFile3", runs), Use::Simple, "1342B");
    // The charset as runs of SIDs, in both widths.
    for charset in [&[1, 0, 18, 2, 0, 35, 0][..], &[2, 0, 18, 0, 2, 0, 35, 0, 0][..]] {
        check("<01020304>", ("FontFile3", cff(&[], 5, charset, &[0, 4, 1, 2, 3, 4], false)), Use::Simple, "123B");
    }
    // The predefined ones: glyph 18 of ISOAdobe is `one`, and codes are those of StandardEncoding.
    let mut predefined = cff(&[], 229, &[], &[], false);
    for (operator, at) in [(15u8, 0u8), (16, 0)] {
        let end = predefined.iter().position(|b| *b == operator).unwrap();
        predefined[end - 4..end].copy_from_slice(&[0, 0, 0, at]);
    }
    check("(B1)", ("FontFile3", predefined), Use::Simple, "B1");
}

#[test]
fn a_compact_font_says_what_its_glyphs_are() {
    let font = cff(&["uni0033"], 4, &sids(&[B, ONE, 391]), &[0, 0], false);
    check("<000100020003>", ("FontFile3", font.clone()), Use::Composite, "B13");
    check("<000100020003>", ("FontFile3", open_type(&[(b"CFF ", font)])), Use::Composite, "B13");
    // Keyed by character ids, 7 to 9, it has no names: an OpenType font has a cmap beside it.
    let keyed = cff(&[], 4, &[2, 0, 7, 0, 2], &[0, 0], true);
    let told = open_type(&[(b"CFF ", keyed.clone()), (b"cmap", cmap(3, 1, b'1'.into()))]);
    check("<000700080009>", ("FontFile3", told), Use::Composite, "123");
    let untold = read("x.pdf", drawn("<000700080009>", ("FontFile3", keyed), Use::Composite, |_, _| {}));
    assert!(has_problem(&untold, ProblemKind::Unsupported, "unmapped-glyphs"));
}

#[test]
fn a_type_1_font_says_what_its_codes_are() {
    let font = |encoding: &str| {
        let text = format!("%!PS-AdobeFont-1.0: X\n/FontName /X def\n/Encoding {encoding}\ncurrentfile eexec \x01\x02 dup 66 /A put");
        ("FontFile", text.into_bytes())
    };
    let own = "256 array\n0 1 255 {1 index exch /.notdef put} for\ndup 1/one put\ndup 2 /two put dup 8#3 /three put\nreadonly def /Other dup 1 /A put";
    check("<010203>", font(own), Use::Simple, "123");
    check("(B1)", font("StandardEncoding def"), Use::Simple, "B1");
}

/// An OpenType font of these tables.
fn open_type(tables: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut octets = [b"OTTO".as_slice(), &(tables.len() as u16).to_be_bytes(), &[0; 6]].concat();
    let mut at = 12 + 16 * tables.len() as u32;
    for (tag, table) in tables {
        let length = table.len() as u32;
        octets.extend([tag.as_slice(), &[0; 4], &at.to_be_bytes(), &length.to_be_bytes()].concat());
        at += length;
    }
    octets.extend(tables.iter().flat_map(|(_, table)| table.clone()));
    octets
}

/// A `cmap` in which glyphs 1 to 3 are the codes from `first` on (format 6).
fn cmap(platform: u16, encoding: u16, first: u16) -> Vec<u8> {
    [0, 1, platform, encoding, 0, 12, 6, 16, 0, first, 3, 1, 2, 3].iter().flat_map(|n: &u16| n.to_be_bytes()).collect()
}

#[test]
fn a_truetype_font_says_what_its_codes_are() {
    // Glyph 1 is the 21st of Macintosh's names, `one`; 2 and 3 have names of the font's own.
    let numbers = [0u16, 20, 258, 259].iter().flat_map(|n| n.to_be_bytes()).collect();
    let post = [vec![0, 2, 0, 0], vec![0; 28], vec![0, 4], numbers, b"\x03two\x07uni0033".to_vec()].concat();
    for cmap in [cmap(1, 0, 1), cmap(3, 0, 0xF001)] {
        let font = open_type(&[(b"cmap", cmap), (b"post", post.clone())]);
        check("<010203>", ("FontFile2", font), Use::Simple, "123");
    }
}

#[test]
fn where_tounicode_ends_the_font_goes_on() {
    // It knows code 1 only, and says of 2 what says nothing.
    let with = |map: &'static str, name: &'static str| {
        move |document: &mut Document, font: &mut Dictionary| {
            let map = document.add_object(Stream::new(dictionary! {}, map.as_bytes().to_vec()));
            font.set(name, map);
        }
    };
    let font = || ("FontFile3", cff(&[], 4, &sids(&[B, ONE, ONE + 1]), &[0, 3, 1, 2, 3], false));
    let simple = "1 begincodespacerange <00> <FF> endcodespacerange 2 beginbfchar <01> <0039> <02> <E001> endbfchar";
    let composite = "1 begincodespacerange <0000> <FFFF> endcodespacerange 1 beginbfchar <0001> <0039> endbfchar";
    let first = |octets| texts(&read("x.pdf", octets))[0].1.clone();
    assert_eq!(first(drawn("<010203>", font(), Use::Simple, with(simple, "ToUnicode"))), "912");
    assert_eq!(first(drawn("<000100020003>", font(), Use::Composite, with(composite, "ToUnicode"))), "912");
    // Differences go before the font's own encoding.
    let octets = drawn("<010203>", font(), Use::Simple, |document, font| {
        with(simple, "ToUnicode")(document, font);
        font.set("Encoding", dictionary! { "Differences" => vec![Object::Integer(3), "eight".into()] });
    });
    assert_eq!(first(octets), "918");
}

#[test]
fn a_tounicode_that_is_a_name_is_a_guess_and_a_problem() {
    let file = ("FontFile3", cff(&[], 2, &sids(&[B]), &[0, 0], false));
    let extraction = read("x.pdf", drawn("<000100390038>", file, Use::Composite, |_, font| font.set("ToUnicode", "Identity-H")));
    assert_eq!(texts(&extraction)[0].1, "B98");
    assert!(has_problem(&extraction, ProblemKind::Unsupported, "unmapped-glyphs"));
}

#[test]
fn a_name_that_only_repeats_its_code_is_a_guess_and_a_problem() {
    let named = |content| {
        read(
            "x.pdf",
            drawn(content, ("FontFile", Vec::new()), Use::Simple, |_, font| {
                font.set("Encoding", dictionary! { "Differences" => vec![Object::Integer(49), "a49".into(), "G50".into(), "a7".into()] });
            }),
        )
    };
    assert_eq!(texts(&named("(123)"))[0].1, "12\u{FFFD}");
    assert!(has_problem(&named("(12)"), ProblemKind::Unsupported, "unmapped-glyphs"));
}

#[test]
fn old_style_figures_are_figures() {
    let octets = drawn("(1)", ("FontFile", Vec::new()), Use::Simple, |_, font| {
        font.set("Encoding", dictionary! { "Differences" => vec![Object::Integer(49), "sevenoldstyle".into()] });
    });
    assert_eq!(texts(&read("x.pdf", octets))[0].1, "7");
}

/// Fonts of every kind, each with all that its reader looks at.
fn fonts() -> Vec<Vec<u8>> {
    let names = cff(&["uni0033"], 4, &sids(&[B, ONE, 391]), &[0x80, 3, 1, 2, 3, 1, 4, 0, 35], false);
    let runs = cff(&[], 4, &[1, 0, 18, 2], &[1, 1, 1, 2], false);
    let keyed = cff(&[], 4, &[2, 0, 7, 0, 2], &[0, 0], true);
    let post = [vec![0, 2, 0, 0], vec![0; 28], vec![0, 2, 0, 20, 1, 2], b"\x03two".to_vec()].concat();
    let type1 = b"%!PS\n/Encoding 256 array\ndup 1/one put dup 8#2 /two put\nreadonly def currentfile eexec".to_vec();
    vec![names, runs.clone(), keyed.clone(), open_type(&[(b"CFF ", keyed), (b"cmap", cmap(3, 1, 49)), (b"post", post)]), runs, type1]
}

#[test]
fn a_font_that_lies_is_survived() {
    for font in fonts() {
        let cut = (0..font.len()).map(|length| font[..length].to_vec());
        let changed = (0..font.len()).flat_map(|at| {
            [0, 1, 0x7F, 0xFF].map(|octet| {
                let mut font = font.clone();
                font[at] = octet;
                font
            })
        });
        for font in cut.chain(changed) {
            for (how, content) in [(Use::Simple, "<010203>"), (Use::Composite, "<000100020003>")] {
                let extraction = read("x.pdf", drawn(content, ("FontFile3", font.clone()), how, |_, _| {}));
                assert!(!extraction.texts.is_empty());
            }
        }
    }
}

#[test]
fn one_long_name_for_every_glyph_costs_nothing() {
    // 65 535 glyphs with the same name of 40 000 octets: 2.6 GB, were it taken at its word.
    let name = "A_".repeat(20_000) + "A";
    let charset = sids(&vec![391; 65_534]);
    let octets = drawn("<0001>", ("FontFile3", cff(&[&name], u16::MAX, &charset, &[0, 0], false)), Use::Composite, |_, _| {});
    assert!(has_problem(&read("x.pdf", octets), ProblemKind::Unsupported, "unmapped-glyphs"));
}
