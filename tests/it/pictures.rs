//! Text in pictures, read by the real tesseract: what `zegel explain` tells of it, and what the gateway does with such a mail.

use crate::{
    formats::{
        packages::docx,
        pdf::pdf_with,
        scan::{NOTHING, RECORD, Scan},
    },
    process::{Zegel, command, configure, has},
    world::{ANNA, BURGER, contains, outside, send_to},
};
use lopdf::{Dictionary, Object, Stream, dictionary};
use std::{fs, net::SocketAddr, path::Path};
use tempfile::TempDir;

/// What is asked of tesseract, and installed with it for the tests.
const LOOKS: &str = "[extract]\nocr = true\nocr_languages = [\"nld\", \"eng\"]\n";

/// Where the record is found in a file: the part within it, and the place.
type Tells = &'static [(&'static str, &'static str)];

/// A configuration with a section of its own beside what it needs.
fn configured(folder: &Path, section: &str) -> SocketAddr {
    configured_before(folder, "127.0.0.1:9".parse().unwrap(), section)
}

fn configured_before(folder: &Path, hop: SocketAddr, section: &str) -> SocketAddr {
    let (gateway, _) = configure(folder, hop);
    let path = folder.join("zegel.toml");
    fs::write(&path, fs::read_to_string(&path).unwrap() + section).unwrap();
    gateway
}

/// Findings by rule, part and place; and problems by part, kind and reason.
fn explained(folder: &Path, configuration: &[&str], file: &str) -> (Vec<[String; 3]>, Vec<[String; 3]>) {
    let (status, told, complaints) = command(folder, &[&["explain", "--format", "json"], configuration, &[file]].concat());
    assert_eq!(status, 0, "{complaints}");
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    let list = |name: &str, keys: [&str; 3]| {
        let entries = told[name].as_array().unwrap().iter();
        let mut list: Vec<_> = entries.map(|entry| keys.map(|key| entry[key].as_str().unwrap_or_default().to_owned())).collect();
        list.dedup();
        list
    };
    (list("findings", ["rule", "part", "place"]), list("problems", ["part", "problem", "reason"]))
}

/// A PDF whose pages are these images.
fn scanned(images: Vec<(Dictionary, Vec<u8>)>) -> Vec<u8> {
    let contents: Vec<String> = (0..images.len()).map(|n| format!("q 600 0 0 800 0 0 cm /Im{n} Do Q")).collect();
    let contents: Vec<&[u8]> = contents.iter().map(|content| content.as_bytes()).collect();
    pdf_with(&contents, |document, resources| {
        let mut objects = Dictionary::new();
        for (number, (mut dictionary, data)) in images.into_iter().enumerate() {
            dictionary.set("Subtype", "Image");
            let is_packed = dictionary.has(b"Filter");
            let mut stream = Stream::new(dictionary, data);
            if !is_packed {
                stream.compress().unwrap();
            }
            objects.set(format!("Im{number}"), document.add_object(stream));
        }
        resources.set("XObject", objects);
    })
}

/// The record as pages of gray and of black-and-white pixels, as a JPEG, and in white on black that is shown as black on white.
fn pages() -> Vec<u8> {
    let (scan, blocks) = (Scan::of(&RECORD, 4.0), Scan::of(&RECORD, 1.6));
    let image = |scan: &Scan, times: usize, bits: i64| {
        let (width, height) = ((scan.width * times) as i64, (scan.height * times) as i64);
        dictionary! { "Width" => width, "Height" => height, "ColorSpace" => "DeviceGray", "BitsPerComponent" => bits }
    };
    let mut jpeg = image(&blocks, 8, 8);
    jpeg.set("Filter", "DCTDecode");
    let mut negative = image(&scan, 1, 8);
    negative.set("Decode", Object::Array(vec![1.into(), 0.into()]));
    let (gray, bits) = (scan.gray(), scan.bits());
    let inverted = gray.iter().map(|octet| !octet).collect();
    scanned(vec![(image(&scan, 1, 8), gray), (image(&scan, 1, 1), bits), (jpeg, blocks.jpeg()), (negative, inverted)])
}

#[test]
fn a_record_in_a_picture_is_found_where_it_stands() {
    if !has("tesseract") {
        return;
    }
    let folder = TempDir::new().unwrap();
    configured(folder.path(), LOOKS);
    let scan = Scan::of(&[RECORD.as_slice(), &[""; 6]].concat(), 5.0);
    assert!(scan.width >= 500 && scan.height >= 500);
    let files: [(&str, Vec<u8>, Tells, &str); 5] = [
        ("foto.png", scan.png(), &[("", "picture")], "image"),
        ("foto.bmp", scan.bmp(), &[("", "picture")], "image"),
        ("foto.jpg", Scan::of(&[RECORD.as_slice(), &[""; 2]].concat(), 1.6).jpeg(), &[("", "picture")], "image"),
        ("brief.docx", docx("<w:p/>", &[("word/media/image1.png", &scan.png())]), &[(" > \"word/media/image1.png\"", "picture")], "image"),
        (
            "scan.pdf",
            pages(),
            &[("", "picture, page 1"), ("", "picture, page 2"), ("", "picture, page 3"), ("", "picture, page 4")],
            "scanned-pages",
        ),
    ];
    for (name, octets, tells, reason) in files {
        fs::write(folder.path().join(name), octets).unwrap();
        let of = |part: &str| format!("attachment \"{name}\"{part}");
        let (found, problems) = explained(folder.path(), &["--config", "zegel.toml"], name);
        let expected: Vec<_> = tells.iter().map(|(part, place)| ["bsn".to_owned(), of(part), (*place).to_owned()]).collect();
        assert_eq!((found, problems), (expected, vec![]), "{name}");
        // Where nobody looks, it is a problem.
        let (found, problems) = explained(folder.path(), &[], name);
        assert_eq!((found, problems), (vec![], vec![[of(tells[0].0), "unsupported".into(), reason.into()]]), "{name}");
    }
}

#[test]
fn a_picture_that_is_cut_short_or_lies_about_its_size_stays_a_problem() {
    if !has("tesseract") {
        return;
    }
    let folder = TempDir::new().unwrap();
    configured(folder.path(), LOOKS);
    let png = Scan::of(&[RECORD.as_slice(), &[""; 6]].concat(), 5.0).png();
    let jpeg = Scan::of(&[RECORD.as_slice(), &[""; 2]].concat(), 1.6).jpeg();
    let sized = |octets: &[u8], at: usize, size: &[u8]| [&octets[..at], size, &octets[at + size.len()..]].concat();
    let large = [7000_u32.to_be_bytes(), 7000_u32.to_be_bytes()].concat();
    // The names of files, behind what a bitmap begins with.
    let list = [b"BM".as_slice(), &[0; 12], &[40, 0, 0, 0, 0x58, 2, 0, 0, 0x58, 2, 0, 0], b"/etc/passwd\n"].concat();
    for (name, octets) in [
        ("half.png", png[..png.len() / 2].to_vec()),
        ("head.png", png[..40].to_vec()),
        // The sum of the header is wrong as well.
        ("large.png", sized(&png, 16, &large)),
        ("huge.png", sized(&png, 16, &[0x7F; 8])),
        ("head.jpg", jpeg[..330].to_vec()),
        ("list.bmp", list),
    ] {
        fs::write(folder.path().join(name), octets).unwrap();
        let (found, problems) = explained(folder.path(), &["--config", "zegel.toml"], name);
        assert!(found.is_empty() || name == "half.png", "{name}: {found:?}");
        assert!(problems.iter().any(|[part, ..]| *part == format!("attachment \"{name}\"")), "{name}: {problems:?}");
    }
}

/// A mail with a picture attached.
fn mail_with(subject: &str, picture: &[u8]) -> String {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(picture);
    let lines: Vec<String> = encoded.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    format!(
        "From: {ANNA}\r\nTo: {BURGER}\r\nSubject: {subject}\r\nMessage-ID: <{subject}@gemeente.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: image/png; name=foto.png\r\nContent-Disposition: attachment; filename=foto.png\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        lines.join("\r\n")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_legible_picture_passes_and_one_with_a_record_is_sealed() {
    if !has("tesseract") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let (outside, hop, _keep) = outside().await;
    let gateway = configured_before(folder.path(), hop, LOOKS);
    let zegel = Zegel::run(folder.path());
    for (subject, lines) in [("zonder", NOTHING.as_slice()), ("met", &RECORD)] {
        let picture = Scan::of(&[lines, &[""; 6]].concat(), 5.0).png();
        let code = send_to(gateway, ANNA, &[BURGER], mail_with(subject, &picture).as_bytes()).await.code();
        assert_eq!(code, 250, "{subject}");
    }
    let in_clear = |subject: &str| outside.mails().iter().any(|mail| contains(&mail.octets, format!("Subject: {subject}\r\n").as_bytes()));
    assert!(outside.wait_until(|mails| !mails.is_empty()).await);
    assert!(in_clear("zonder") && !in_clear("met"));
    zegel.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_tesseract_zegel_says_so_runs_and_takes_no_picture_for_read() {
    let folder = TempDir::new().unwrap();
    let (outside, hop, _keep) = outside().await;
    let gateway = configured_before(folder.path(), hop, "[extract]\nocr = true\ntesseract = \"/nowhere/tesseract\"\n");
    let says = "there is no /nowhere/tesseract, so text in pictures is not read; \
                install it, on Debian: apt-get install tesseract-ocr tesseract-ocr-nld tesseract-ocr-eng";
    let line = fs::read_to_string(folder.path().join("zegel.toml")).unwrap().lines().position(|line| line == "ocr = true").unwrap() + 1;
    let says = format!("zegel.toml:{line}: {says}");

    let (status, told, _) = command(folder.path(), &["check", "--config", "zegel.toml"]);
    assert_eq!((status, told.trim()), (1, says.as_str()));
    let picture = Scan::of(&[NOTHING.as_slice(), &[""; 6]].concat(), 5.0).png();
    fs::write(folder.path().join("foto.png"), &picture).unwrap();
    let (_, _, complaints) = command(folder.path(), &["extract", "--config", "zegel.toml", "foto.png"]);
    assert_eq!(complaints.trim(), format!("zegel: {says}"));
    let (_, problems) = explained(folder.path(), &["--config", "zegel.toml"], "foto.png");
    assert_eq!(problems, [["attachment \"foto.png\"", "unsupported", "image"]]);

    let mut zegel = Zegel::start(folder.path());
    zegel.wait_for(&says);
    zegel.wait_for("ready");
    assert_eq!(send_to(gateway, ANNA, &[BURGER], mail_with("foto", &picture).as_bytes()).await.code(), 250);
    assert!(outside.wait_until(|mails| !mails.is_empty()).await);
    assert!(!outside.mails().iter().any(|mail| contains(&mail.octets, b"Subject: foto\r\n")), "it was sealed");
    zegel.terminate();
}

#[test]
fn a_language_that_is_not_there_is_told_with_its_package() {
    if !has("tesseract") {
        return;
    }
    let folder = TempDir::new().unwrap();
    configured(folder.path(), "[extract]\nocr = true\nocr_languages = [\"nld\", \"tlh_old\"]\n");
    let (status, told, _) = command(folder.path(), &["check", "--config", "zegel.toml"]);
    assert_eq!(status, 1);
    assert!(told.contains("doesn't know tlh_old") && told.contains("apt-get install tesseract-ocr-tlh-old"), "{told}");
    configured(folder.path(), LOOKS);
    let (status, told, complaints) = command(folder.path(), &["check", "--config", "zegel.toml"]);
    assert_eq!(status, 0, "{told}{complaints}");
}
