//! What a mail carries beside documents: mailboxes, saved pages, files in texts, calendars, cards, and what nobody reads.

use super::{Limits, ProblemKind, has_problem, holds, mail_with, problems, read, read_mail, read_within, texts, zip};
use crate::extract::Source;
use base64::Engine as _;

/// The start of a program of Windows.
const PROGRAM: &[u8] = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xFF\xFF\0\0\xB8\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0\
    \0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x40\0\0\0PE\0\0\x64\x86";

fn base64(octets: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(octets)
}

fn part_of(extraction: &crate::extract::Extraction, text: &str) -> String {
    extraction.texts.iter().find(|t| t.text.contains(text)).unwrap_or_else(|| panic!("{text} in {extraction:?}")).part.clone()
}

#[test]
fn all_mails_of_a_mailbox_are_read() {
    let second = String::from_utf8(mail_with("a.zip", &zip(&[("b.txt", b"BSN 111222333")]))).unwrap();
    let mailbox = format!(
        "From a@b.example Mon Jan  1 00:00:00 2024\r\nFrom: a@b.example\r\nSubject: een\r\n\r\nEerst.\r\n\r\nFrom hier\r\n123\r\n\r\n\
         From c@d.example Tue Jan  2 00:00:00 2024\r\n{second}\r\n\r\nFrom e@f.example Wed Jan  3 00:00:00 2024\r\nSubject: drie\r\nTo: x@y.example\r\n\r\nDerde\r\n"
    );
    for name in ["postvak", "postvak.mbox", "x.txt"] {
        let extraction = read(name, mailbox.clone());
        assert_eq!(problems(&extraction), Vec::<String>::new(), "{name}");
        assert_eq!(part_of(&extraction, "From hier"), format!("attachment \"{name}\" > \"message.eml\" > text"));
        assert_eq!(part_of(&extraction, "BSN 111222333"), format!("attachment \"{name}\" > \"message.eml\" (2) > \"a.zip\" > \"b.txt\""));
        assert_eq!(part_of(&extraction, "Derde"), format!("attachment \"{name}\" > \"message.eml\" (3) > text"));
        assert!(holds(&extraction, "From c@d.example Tue"));
    }
}

#[test]
fn a_mailbox_of_a_million_mails_ends_at_the_limit() {
    let mailbox = "From a\nTo: b\nFrom: c\n\nx\n\n".repeat(1_000_000);
    let extraction = read("x.mbox", mailbox);
    assert!(has_problem(&extraction, ProblemKind::TooLarge, "members"), "{:?}", problems(&extraction));
    let none = "From a\n\n".repeat(300_000);
    assert!(!read("x.mbox", none).problems.is_empty());
}

#[test]
fn a_saved_page_is_read_with_its_parts() {
    let page = format!(
        "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://zegel.example/\r\nSubject: Dossier\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/related; type=\"text/html\"; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n\
         Content-Location: https://zegel.example/\r\n\r\n<p>BSN 111<b>22=\r\n2</b>333\r\n--b\r\nContent-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--\r\n",
        base64(&zip(&[("a.txt", b"IBAN 123")]))
    );
    for name in ["pagina.mht", "pagina.mhtml", "brief.doc"] {
        let extraction = read(name, page.clone());
        assert_eq!(problems(&extraction), Vec::<String>::new());
        assert_eq!(part_of(&extraction, "BSN 111222333"), format!("attachment \"{name}\" > html"));
        assert!(holds(&extraction, "IBAN 123"));
        assert_eq!(
            holds(&extraction, "boundary=\"b\"\n\n--b"),
            name.ends_with("doc"),
            "once as it stands, unless the name says what it is"
        );
    }
}

#[test]
fn what_lies_elsewhere_or_in_pieces_is_told() {
    for (media_type, reason) in
        [("message/partial; id=x; number=1; total=2", "partial"), ("message/external-body; access-type=URL", "external")]
    {
        let alone = format!("Subject: x\r\nContent-Type: {media_type}\r\n\r\nSubject: BSN 111222333\r\n\r\ntekst\r\n");
        let extraction = read_mail(alone.clone());
        assert!(has_problem(&extraction, ProblemKind::Unsupported, reason), "{:?}", problems(&extraction));
        assert!(holds(&extraction, "BSN 111222333"));
        let within = format!("Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{alone}\r\n--b--\r\n");
        assert!(has_problem(&read_mail(within), ProblemKind::Unsupported, reason));
    }
}

#[test]
fn files_in_a_text_are_members_and_the_text_stays() {
    let uu = "begin 644 geheim.txt\n&9V5H96EM\n`\nend\n";
    let text = format!("Voor.\nbegin 644 vergeefs\n{uu}Tussen.\nbegin-base64 644 b.txt\n{}\n====\nNa.\n", base64(b"BSN 111222333"));
    let extraction = read_mail(format!("Subject: x\r\n\r\n{}", text.replace('\n', "\r\n")));
    assert_eq!(problems(&extraction), Vec::<String>::new());
    assert_eq!(part_of(&extraction, "BSN 111222333"), "attachment \"b.txt\"");
    assert!(texts(&extraction).contains(&("attachment \"geheim.txt\"".into(), "geheim".into())), "{extraction:?}");
    assert!(holds(&extraction, "Tussen.") && holds(&extraction, "Na."));
    assert!(has_problem(&read("x.txt", uu.replace("end", "")), ProblemKind::Damaged, "uuencode"));
    // Blanks at the end, which mean zeros, were lost.
    assert!(holds(&read("x.txt", "begin 644 a.txt\n#86%A\n&86)C\n`\nend\n"), "aaaabc"));
    let many = "begin 644 a\n".repeat(300_000);
    assert_eq!(problems(&read("x.txt", many)), Vec::<String>::new());
    assert_eq!(problems(&read("x.txt", "Zie:\n=ybegin line=128 size=3 name=a\n)*+\n=yend\n")), ["unsupported yenc"]);
    let binhex = "(This file must be converted with BinHex 4.0)\r\n\r\n:$f*TEQKPH#jdCA0b!!!:\r\n";
    assert_eq!(problems(&read("x.hqx", binhex)), ["unsupported binhex"]);
    assert_eq!(problems(&read_mail(format!("Subject: x\r\n\r\n{}{binhex}", "Hallo.\r\n".repeat(300)))), ["unsupported binhex"]);
}

#[test]
fn files_in_calendars_and_cards_are_members() {
    let document = base64(&super::docx("<w:p><w:r><w:t>BSN 111222333</w:t></w:r></w:p>", &[]));
    let folded: String = document.as_bytes().chunks(70).map(|line| format!(" {}\r\n", std::str::from_utf8(line).unwrap())).collect();
    let calendar = |parameters: &str, value: &str| {
        format!(
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Overleg\\, over\\nzaak\r\nATTACH{parameters}:{value}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
    };
    let check = |octets: String, part: &str| {
        let extraction = read("x.ics", octets);
        assert_eq!(problems(&extraction), Vec::<String>::new());
        assert_eq!(part_of(&extraction, "BSN 111222333"), format!("attachment \"x.ics\" > \"{part}\""));
        extraction
    };
    let extraction = check(calendar(";ENCODING=BASE64;VALUE=BINARY;X-FILENAME=\"zaak: 1.docx\"", &format!("\r\n{folded}")), "zaak: 1.docx");
    assert!(holds(&extraction, "SUMMARY:Overleg, over\nzaak"));
    check(calendar(";VALUE=URI", &format!("data:application/octet-stream;base64,\r\n{folded}")), "attach");
    let card = format!("BEGIN:VCARD\r\nVERSION:2.1\r\nN:Zegel;Zoë\r\nPHOTO;JPEG;BASE64:\r\n{folded}\r\nEND:VCARD\r\n");
    check(card.clone(), "photo");
    assert!(holds(&read("x.vcf", card), "N:Zegel;Zoë"));
    let broken = read("x.ics", calendar(";ENCODING=BASE64", "BSN 111222333!"));
    assert!(has_problem(&broken, ProblemKind::Damaged, "base64") && holds(&broken, "BSN 111222333"));
}

#[test]
fn files_in_links_of_a_page_are_members_of_their_type() {
    let pack = base64(&zip(&[("a.txt", b"BSN 111222333")]));
    for link in [
        format!("data:application/zip;base64,{pack}"),
        format!(" DATA:;base64,\n{pack}"),
        format!("data&#58;;base64,{}", pack.replace('=', "%3D")),
    ] {
        let extraction = read("x.html", format!("<html><a href='{link}'>x</a>"));
        assert_eq!(part_of(&extraction, "BSN 111222333"), "attachment \"x.html\" > \"data:\" > \"a.txt\"");
    }
    let extraction = read("x.html", "<html><iframe src='data:text/html,BSN 111%3Cb%3E222%3C/b%3E333'>");
    assert!(holds(&extraction, "BSN 111222333"), "{extraction:?}");
}

#[test]
fn whatever_a_mailbox_holds_is_told_by_what_it_is() {
    let check = |name: &str, start: &[u8], expected: &str| {
        let octets = [start, &[0x80, 1, 2, 0, 0xFE, 9].repeat(20)].concat();
        let expected: &[&str] = if expected.is_empty() { &[] } else { &[expected] };
        assert_eq!(problems(&read(name, octets)), expected, "{name}");
    };
    check("lied.mp3", b"ID3\x03\0", "unsupported media");
    check("lied.mp3", b"\xFF\xFB\x90\x44", "unsupported media");
    check("film.wmv", b"\x30\x26\xB2\x75\x8E\x66\xCF\x11", "unsupported media");
    check("film.mp4", b"\0\0\0\x18ftypmp42", "unsupported media");
    check("spraak.wav", b"RIFF\x24\0\0\0WAVEfmt ", "unsupported media");
    check("foto.heic", b"\0\0\0\x18ftypheic", "damaged image");
    check("scan.tif", b"II*\0", "damaged image");
    check("tekening.dwg", b"AC1027\0\0", "unsupported document");
    check("plaatje.emf", b"\x01\0\0\0\x6C\0\0\0", "unsupported unknown-type");
    check("plaatje.wmf", b"\xD7\xCD\xC6\x9A", "damaged image");
    check("rontgen.dcm", &[&[0; 128], &b"DICM"[..]].concat(), "unsupported image");
    check("zegel.exe", PROGRAM, "unsupported executable");
    check("map.lnk", b"\x4C\0\0\0\x01\x14\x02\0", "unsupported executable");
    check("zaken.sqlite", b"SQLite format 3\0", "unsupported database");
    check("zaken.accdb", b"\0\x01\0\0Standard ACE DB\0", "unsupported database");
    check("post.pst", b"!BDN", "unsupported mailbox");
    check("notities.one", b"\xE4\x52\x5C\x7B\x8C\xD8\xA7\x4D\xAE\xB1", "unsupported document");
    check("brief.wpd", b"\xFFWPC", "unsupported document");
    check("pak.cab", b"MSCF\0\0\0\0", "unsupported archive");
    check("pak.lzh", b"\x20\x30-lh5-", "unsupported archive");
    check("letter.ttf", b"\0\x01\0\0\0\x10", "");
    check("letter.woff2", b"wOF2\0\x01", "");
    check("brief.docx.pfile", b".pfile\x02\0\0\0", "encrypted rights-management");
    check("message.rpmsg", b"\x76\xE8\x04\x60\xC4\x11\xE3\x86", "encrypted rights-management");
    check("brief.gpg", b"\x85\x01\x0C\x03", "encrypted pgp");
    check("brief.pgp", b"\xC1\x5E\x03", "encrypted pgp");
    check("brief.gpg", b"\x8C\x0D\x04\x09", "encrypted pgp");
    check("iets.dat", b"\x81\x82\x83", "unsupported unknown-type");
}

#[test]
fn text_is_text_whatever_it_begins_with() {
    for start in ["ID3 ", "MZ ", "BM ", "AC10", "!BDN", "wOFF", "070701", "FWS", "8BPS", ".pfile", "OggS"] {
        let extraction = read("brief", format!("{start}BSN 111222333"));
        assert!(holds(&extraction, "BSN 111222333") && extraction.problems.is_empty(), "{start}: {extraction:?}");
    }
    for (name, text) in [
        ("x.edi", "UNA:+.? 'UNB+UNOC:3+1+2+BSN?: 111222333'"),
        ("x.yaml", "bsn: 111222333\nnaam: x\n"),
        ("x.json", "{\"bsn\": 111222333}"),
        ("x.csv", "naam;bsn\nx;111222333\n"),
        ("x.svg", "<svg><text>111222333</text></svg>"),
    ] {
        let extraction = read(name, text);
        assert!(holds(&extraction, "111222333") && extraction.problems.is_empty(), "{name}: {extraction:?}");
    }
}

#[test]
fn an_encrypted_mail_is_told_however_it_is_packed() {
    let armour = "-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n-----END PGP MESSAGE-----\r\n";
    let mime = format!(
        "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\r\n\r\n--b\r\nContent-Type: application/pgp-encrypted\r\n\r\n\
         Version: 1\r\n--b\r\nContent-Type: application/octet-stream; name=\"encrypted.asc\"\r\n\r\n{armour}\r\n--b--\r\n"
    );
    for mail in [mime, format!("Subject: x\r\n\r\nHallo,\r\n{armour}")] {
        assert_eq!(problems(&read_mail(mail)), ["encrypted pgp"]);
    }
}

#[test]
fn a_book_is_read() {
    let chapter = "<?xml version=\"1.0\"?><html xmlns=\"http://www.w3.org/1999/xhtml\"><body><p>BSN 111<b>222</b>333</p></body></html>";
    let book =
        zip(&[("mimetype", b"application/epub+zip"), ("OEBPS/1.xhtml", chapter.as_bytes()), ("OEBPS/style.css", b"p { margin: 0 }")]);
    let extraction = read("boek.epub", book);
    assert!(holds(&extraction, "BSN 111222333") && extraction.problems.is_empty(), "{extraction:?}");
    assert!(extraction.texts.iter().any(|t| t.source == Source::FileName && t.text == "OEBPS/1.xhtml"));
}

#[test]
fn a_name_that_says_something_else_is_a_fact() {
    let facts = |name: &str, octets: Vec<u8>| {
        let extraction = read(name, octets);
        extraction.facts.iter().map(|f| format!("{} {}", f.kind.word(), f.part)).collect::<Vec<_>>()
    };
    let document = || super::docx("<w:p><w:r><w:t>x</w:t></w:r></w:p>", &[]);
    let archive = || zip(&[("a.txt", b"x")]);
    let pdf = || super::formats::pdf::pdf(&["BT /F1 10 Tf 50 700 Td (x) Tj ET"]);
    let program = || PROGRAM.to_vec();
    let png = || b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10".to_vec();
    let html = || b"<html><p>x".to_vec();
    let wrong = [
        ("factuur.pdf", archive()),
        ("factuur.pdf", html()),
        ("factuur.pdf", [pdf(), archive()].concat()),
        ("foto.jpg", document()),
        ("foto.png", [png(), archive()].concat()),
        ("verslag.docx", html()),
        ("verslag.docx", archive()),
        ("verslag.doc", program()),
        ("verslag.pdf. ", program()),
        ("zip.zip", program()),
        ("brief.txt", pdf()),
        ("VERSLAG.XLSX", pdf()),
    ];
    for (name, octets) in wrong {
        assert_eq!(facts(name, octets), [format!("wrong-extension attachment {}", crate::extract::reading::quoted(name))]);
    }
    let right = [
        ("verslag.doc", br"{\rtf1 x}".to_vec()),
        ("lijst.xls", html()),
        ("lijst.xls", b"a;b\n".to_vec()),
        ("verslag.doc", document()),
        ("verslag.docm", document()),
        ("verslag.zip", document()),
        ("verslag.docx", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1....".to_vec()),
        ("pagina.htm", b"zomaar tekst".to_vec()),
        ("lijst.txt", html()),
        ("foto.jpeg", png()),
        ("setup.exe", program()),
        ("zonder naam", program()),
        ("kapot.pdf", vec![0x80, 1, 2, 0, 0xFE, 9]),
        ("leeg.pdf", Vec::new()),
    ];
    for (name, octets) in right {
        assert_eq!(facts(name, octets), Vec::<String>::new(), "{name}");
    }
    // Wherever it lies.
    let nested = facts("x.zip", zip(&[("factuur.pdf", &archive())]));
    assert_eq!(nested, ["wrong-extension attachment \"x.zip\" > \"factuur.pdf\""]);
    let mail = mail_with("factuur.pdf", &html());
    assert_eq!(read_mail(mail.clone()).facts.len(), 1);
    let mail = String::from_utf8(mail).unwrap().replace("octet-stream", "octet-stream; charset=utf-8");
    assert_eq!(read_mail(mail).facts.len(), 1);
}

#[test]
fn printed_pages_are_read_run_by_run() {
    let glyphs = |x: f64, y: u32, text: &str| {
        format!("<Glyphs OriginX='{x}' OriginY='{y}' FontRenderingEmSize='10' Indices=',55;,55;,55' UnicodeString='{text}'/>")
    };
    let page = |runs: &str| format!("<FixedPage xmlns='http://schemas.openxps.org/oxps/v1.0'>{runs}</FixedPage>").into_bytes();
    let runs =
        [glyphs(10.0, 20, "BSN"), glyphs(30.0, 20, "111"), glyphs(46.5, 20, "222"), glyphs(63.0, 20, "333"), glyphs(200.0, 20, "{}{x}")]
            .concat();
    let second = "<Canvas FixedPage.NavigateUri='https://zegel.example/zaak'><Glyphs UnicodeString='einde' RenderTransform='1,0,0,1,5,50'/></Canvas>";
    let relation = "<Relationships><Relationship Id='r' Type='http://schemas.openxps.org/oxps/v1.0/fixedrepresentation' Target='/FixedDocSeq.fdseq'/></Relationships>";
    let members = |first: &[u8]| {
        zip(&[
            ("[Content_Types].xml", super::formats::packages::TYPES.as_bytes()),
            ("_rels/.rels", relation.as_bytes()),
            ("Documents/1/Pages/10.fpage", &page("<Glyphs UnicodeString='tien'/>")),
            ("Documents/1/Pages/1.fpage", first),
            ("Documents/1/Pages/2.fpage", &page(second)),
        ])
    };
    let extraction = read("afdruk.xps", members(&page(&runs)));
    let text = extraction.texts.iter().find(|t| t.text.contains("BSN")).unwrap();
    assert_eq!(text.text, "BSN 111222333\t{x}\neinde\ntien\n");
    assert_eq!(text.place(text.text.find("tien").unwrap()).as_deref(), Some("page 3"));
    assert!(
        holds(&extraction, "https://zegel.example/zaak") && extraction.problems.is_empty() && extraction.facts.is_empty(),
        "{extraction:?}"
    );
    let unmapped = read("afdruk.oxps", members(&page("<Glyphs Indices='3;4;5'/>")));
    assert_eq!(problems(&unmapped), ["unsupported unmapped-glyphs"]);
    assert_eq!(unmapped.problems[0].place.as_deref(), Some("page 1"));
}

/// One chunk: a literal that holds a field, and the rest of it as copies.
pub(super) fn iwa(text: &[u8]) -> Vec<u8> {
    let mut packed = vec![0x80, 0x80, 0x04, (2 << 2), 0x1A, (text.len() & 0x7F) as u8 | 0x80, (text.len() >> 7) as u8];
    for piece in text.chunks(200) {
        packed.extend([60 << 2, (piece.len() - 1) as u8]);
        packed.extend(piece);
    }
    // "333" once more by a copy of the last three, six octets long: it reaches into itself.
    packed.extend([0x1A - 0x19 + (2 << 2), 3]);
    [&[0], &(packed.len() as u32).to_le_bytes()[..3], &packed].concat()
}

#[test]
fn the_strings_of_pages_are_read_and_the_rest_told() {
    let piece = iwa("Burgerservicenummer één 111222333".as_bytes());
    let document = zip(&[
        ("Index/Document.iwa", &piece),
        ("Index/Tables/Tile.iwa", &[&piece[..], &piece].concat()),
        ("Metadata/x.plist", b"<plist/>"),
    ]);
    let extraction = read("brief.pages", document);
    assert_eq!(part_of(&extraction, "Burgerservicenummer één 111222333"), "attachment \"brief.pages\" > \"Index/Document.iwa\"");
    assert_eq!(problems(&extraction), ["unsupported document", "unsupported document"]);
    assert_eq!(extraction.facts, []);
    for end in 1..piece.len() {
        assert!(has_problem(&read("x.iwa", piece[..end].to_vec()), ProblemKind::Damaged, "snappy"), "at {end}");
    }
    // 64 octets out of three, for ever; and keys that promise a string each, none of which ends.
    let limits = Limits { member: 1 << 20, ..Limits::default() };
    let bomb = [&[0, 0xFF, 0xFF, 0, 0x80, 0x80, 0x80, 0x80, 0x04, 0, b'a'][..], &[0xFE, 1, 0].repeat(21_842)].concat();
    assert!(has_problem(&read_within("x.iwa", bomb, &limits), ProblemKind::TooLarge, "member"));
    let keys = [&[0xF4, 0xFF, 0xFF][..], &[b'z', 0xFF, 0x7F].repeat(21_845)].concat();
    let keys =
        [&[0, keys.len() as u8 + 3, ((keys.len() + 3) >> 8) as u8, ((keys.len() + 3) >> 16) as u8, 0xFF, 0xFF, 3][..], &keys].concat();
    assert!(has_problem(&read("x.iwa", keys.repeat(20)), ProblemKind::Unsupported, "document"));
}

#[test]
fn of_a_drawing_more_is_asked_than_its_properties() {
    use super::formats::compound::{code_page, compound, property_set, property_stream, property_string};
    let drawing = |streams: &[(&str, &[u8])]| problems(&read("tekening.vsd", compound(streams)));
    let title = property_stream(&[([0xE0, 0x85, 0x9F, 0xF2], property_set(&[code_page(), (2, property_string(b"Plattegrond"))]))]);
    assert_eq!(drawing(&[("\u{5}SummaryInformation", b""), ("VisioDocument", &[7; 5000])]), ["unsupported unknown-type"]);
    assert_eq!(drawing(&[("\u{5}SummaryInformation", &title), ("\u{1}CompObj", &[7; 5000])]), Vec::<String>::new());
}
