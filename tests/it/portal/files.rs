//! Files: one by one, a part of one, all at once, and in the browser.

use super::*;
use std::io::Read as _;

/// A message whose attachments are these, open in a browser: its page.
async fn with_files(world: &World, files: &[(&str, &str, &[u8])]) -> (Browser, Answer, Token) {
    let [token, _] = world.message(Level::One, None).await;
    let (mut card, key, message) = world.card(&token).await;
    card.files.clear();
    for (name, media_type, octets) in files {
        let blob = Id::random();
        let sealed = seal(key.key(), &part_context(message, blob), Salt::random(), octets);
        world.blobs.put(blob, sealed).await.unwrap();
        card.files.push(Part {
            blob,
            content: None,
            name: (*name).to_owned(),
            media_type: (*media_type).to_owned(),
            content_id: None,
            size_bytes: octets.len() as u64,
        });
    }
    world.put_card(&token, &card).await;
    let browser = Browser::new();
    let page = unlock(world, &browser, &token).await;
    (browser, page, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn all_attachments_come_in_one_archive_under_safe_names() {
    let world = World::new().await;
    let nasty = ["../../x.txt", "X.TXT", "CON", "foto\u{202e}gpj.exe", "a\0b", "C:\\map\\brief.pdf", &"é".repeat(300), "", ".."];
    let large = workbook();
    let files: Vec<(&str, &str, &[u8])> =
        nasty.iter().map(|name| (*name, "", if name.is_empty() { &large[..] } else { name.as_bytes() })).collect();
    let (browser, page, _) = with_files(&world, &files).await;
    let archive = browser.press(&page, "Alles downloaden", &[]).await;
    assert_eq!((archive.status, archive.headers["content-type"].to_str().unwrap()), (StatusCode::OK, "application/zip"));
    assert_eq!(archive.headers["content-length"].to_str().unwrap(), archive.octets.len().to_string(), "a browser knows when it broke off");
    assert_eq!(archive.headers["content-disposition"], "attachment; filename=\"bijlagen.zip\"; filename*=UTF-8''bijlagen.zip");
    let mut opened = zip::ZipArchive::new(std::io::Cursor::new(archive.octets)).unwrap();
    let mut names = std::collections::BTreeSet::new();
    for (n, (_, _, expected)) in files.iter().enumerate() {
        let mut file = opened.by_index(n).unwrap();
        let mut octets = Vec::new();
        file.read_to_end(&mut octets).unwrap();
        assert!(octets == *expected, "byte for byte");
        let name = file.name().unwrap().into_owned();
        assert!(name.len() <= 255 && !name.contains(['/', '\\', '\0', ':', '\u{202e}']) && !name.starts_with('.'), "{name:?}");
        assert!(names.insert(name.to_lowercase()), "{name} is there twice");
    }
    assert!(names.contains("x.txt") && names.contains("x (2).txt") && names.contains("_con") && names.contains("brief.pdf"), "{names:?}");
    assert_eq!(world.count(Fact::Downloaded).await, files.len(), "noted for each file");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_breaks_off_is_seen_to_be_broken() {
    let world = World::new().await;
    let large = vec![7; 4 << 20];
    let (browser, page, token) = with_files(&world, &[("een.bin", "", b"1"), ("twee.bin", "", &large)]).await;
    let (card, _, _) = world.card(&token).await;
    world.metered.damage(card.files[1].blob, 3 << 20);
    let cookies: Vec<_> = browser.cookies.lock().unwrap().iter().map(|(n, v)| format!("{n}={v}")).collect();
    let request = browser.client.get(format!("{}/all", page.url)).header(header::COOKIE, cookies.join("; "));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "the damage lies far behind the first octets");
    assert!(answer.bytes().await.is_err(), "the client hears that it is not whole");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_goes_on_where_it_broke_off() {
    let world = World::new().await;
    let (browser, page, _) = with_files(&world, &[("groot.bin", "", &workbook()), ("leeg.bin", "", b"")]).await;
    let url = format!("{}/file/0", page.url);
    let whole = browser.get(&url).await;
    assert_eq!((whole.status, &whole.headers["accept-ranges"]), (StatusCode::OK, &"bytes".parse().unwrap()));
    let tag = whole.headers["etag"].to_str().unwrap().to_owned();
    assert!(tag.starts_with('"'), "a strong one");
    let ask = async |headers: &[(&str, &str)]| browser.ask(Method::GET, &url, None, headers).await;

    let before = world.everything().await;
    let read_before = world.metered.read();
    let part = ask(&[("range", "bytes=2000000-2000009"), ("if-range", &tag)]).await;
    assert_eq!((part.status, part.octets.as_slice()), (StatusCode::PARTIAL_CONTENT, &workbook()[2_000_000..2_000_010]));
    assert_eq!(part.headers["content-range"], "bytes 2000000-2000009/2345678");
    assert!(world.metered.read() - read_before < 100_000, "only the chunk of the range is read");
    for (range, expected) in [("bytes=1048000-1049999", &workbook()[1_048_000..1_050_000]), ("bytes=-7", &workbook()[2_345_671..])] {
        assert!(ask(&[("range", range)]).await.octets == expected, "{range}");
    }
    let rest = ask(&[("range", "bytes=65536-")]).await;
    assert!(rest.octets == workbook()[65_536..] && rest.headers["content-length"] == "2280142");

    let beyond = ask(&[("range", "bytes=2345678-")]).await;
    assert_eq!((beyond.status, beyond.headers["content-range"].to_str().unwrap()), (StatusCode::RANGE_NOT_SATISFIABLE, "bytes */2345678"));
    for headers in [&[("range", "bytes=0-1,5-6")][..], &[("range", "bytes=0-1"), ("if-range", "\"another\"")]] {
        let answer = ask(headers).await;
        assert!(answer.status == StatusCode::OK && answer.octets == workbook(), "{headers:?}");
    }
    let head = browser.ask(Method::HEAD, &url, None, &[("range", "bytes=0-1")]).await;
    assert_eq!((head.status, head.headers["content-length"].to_str().unwrap()), (StatusCode::OK, "2345678"));
    let empty = format!("{}/file/1", page.url);
    assert_eq!(browser.get(&empty).await.status, StatusCode::OK);
    assert_eq!(browser.ask(Method::GET, &empty, None, &[("range", "bytes=0-")]).await.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert!(before == world.everything().await, "whatever is fetched, nothing is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_texts_and_pdfs_are_shown_and_nothing_that_acts() {
    let world = World::new().await;
    let text = "naam;één\r\n<script>alert(1)</script>{{7*7}}\r\n";
    let latin: Vec<u8> = b"caf\xe9".to_vec();
    let files: [(&str, &str, &[u8]); 8] = [
        ("foto.png", "image/png", PNG),
        ("lijst.csv", "text/csv", text.as_bytes()),
        ("oud.txt", "text/plain", &latin),
        ("brief.pdf", "application/octet-stream", b"%PDF-1.7\nx"),
        ("plaatje.svg", "image/svg+xml", b"<svg onload=alert(1)>"),
        ("pagina.html", "text/html", b"<script>alert(1)</script>"),
        ("nep.png", "image/png", b"<svg onload=alert(1)>"),
        ("nep.pdf", "application/pdf", b"<script>alert(1)</script>"),
    ];
    let (browser, page, _) = with_files(&world, &files).await;
    let view = async |name: &str| browser.press(&page, &format!("Bekijken <span class=\"unseen\">{name}<"), &[]).await;

    let picture = view("foto.png").await;
    let source = picture.text().split("<img src=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let shown = browser.get(&world.url(&source)).await;
    assert_eq!((shown.octets.as_slice(), shown.headers["content-type"].to_str().unwrap()), (PNG, "image/png"));
    assert!(shown.headers["content-security-policy"].to_str().unwrap().contains("sandbox"));
    let csv = view("lijst.csv").await;
    assert!(csv.shows("naam;één") && csv.shows("&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}") && !csv.shows("<script>alert"));
    assert!(view("oud.txt").await.shows("café"), "as Windows wrote it");
    assert_eq!(browser.press(&csv, "Downloaden", &[]).await.octets, text.as_bytes());

    let pdf = view("brief.pdf").await;
    assert_eq!((pdf.headers["content-type"].to_str().unwrap(), pdf.octets.as_slice()), ("application/pdf", files[3].2));
    assert!(pdf.headers["content-disposition"].to_str().unwrap().starts_with("inline; "));
    let policy = pdf.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("script") && !policy.contains("sandbox"), "{policy}");

    for name in ["plaatje.svg", "pagina.html"] {
        assert!(!page.shows(&format!("Bekijken <span class=\"unseen\">{name}<")), "{name} is a file only");
    }
    for (number, status) in [(4, 404), (5, 404), (6, 415), (7, 415)] {
        let answer = browser.get(&format!("{}/view/{number}", page.url)).await;
        assert_eq!(answer.status.as_u16(), status, "{number}");
        assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/html") && !answer.shows("alert(1)"));
    }
    assert_eq!(world.count(Fact::Viewed).await, 4);
}
