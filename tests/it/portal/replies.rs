//! Replies: from the form on the page to the sender's own mailbox, and back onto the page.

use super::*;
use crate::{
    sink::{Act, Sink},
    world,
};

/// A file of a form: its name, its media type, its octets.
type Chosen<'a> = (&'a str, &'a str, &'a [u8]);

const BOUNDARY: &str = "----zegelboundary";

/// What a browser sends for the form of a reply; `fields` are its hidden ones.
fn filled_in(fields: &[(String, String)], text: &str, files: &[Chosen<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    let plain = fields.iter().filter(|(name, _)| name != "files").map(|(n, v)| (n.as_str(), v.as_str()));
    for (name, value) in plain.chain([("text", text)]) {
        body.extend(format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").into_bytes());
    }
    let none: [Chosen<'_>; 1] = [("", "application/octet-stream", b"")];
    for (name, media_type, octets) in if files.is_empty() { &none } else { files } {
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\nContent-Type: {media_type}\r\n\r\n"
        );
        body.extend(head.into_bytes());
        body.extend(*octets);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    body
}

/// Sends a reply with the form that `page` shows; the answer, without going where it leads.
async fn reply(browser: &Browser, page: &Answer, text: &str, files: &[Chosen<'_>], headers: &[(&str, &str)]) -> Answer {
    let (action, fields) = page.form("Antwoord versturen");
    send(browser, &browser::join(&page.url, &action), filled_in(&fields, text, files).into(), headers).await
}

async fn send(browser: &Browser, url: &str, body: reqwest::Body, headers: &[(&str, &str)]) -> Answer {
    let cookies: Vec<_> = browser.cookies.lock().unwrap().iter().map(|(n, v)| format!("{n}={v}")).collect();
    let mut request = browser.client.post(url).header(header::COOKIE, cookies.join("; ")).body(body);
    request = request.header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Answer { url: url.to_owned(), status, headers, octets: response.bytes().await.unwrap().to_vec() }
}

async fn open(world: &World) -> (Browser, Answer, Token) {
    let [token, _] = world.message(Level::One, None).await;
    let browser = Browser::new();
    let page = unlock(world, &browser, &token).await;
    (browser, page, token)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_arrives_in_the_senders_own_mailbox_in_the_same_thread() {
    let world = world::World::new().await;
    let mail = world::mail("[beveiligd] Uw dossier", "Hierbij het besluit.");
    let original = mail.split("Message-ID: <").nth(1).unwrap().split('>').next().unwrap().to_owned();
    assert!(world.send(world::ANNA, &[world::BURGER], mail.as_bytes()).await.is_positive());
    let link = world.mails_for(world::BURGER, 1).await[0].link(&world.portal).unwrap();
    let browser = Browser::new();
    let page = browser.get(&link).await;
    let page = browser.press(&page, "Stuur mijn wachtwoord", &[]).await;
    let mail = world.mails_for(world::BURGER, 2).await.last().unwrap().text();
    let is_password = |l: &&str| l.len() == 12 && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let page = browser.press(&page, "Doorgaan", &[("answer", mail.lines().find(is_password).unwrap())]).await;
    assert!(page.shows("Beantwoorden") && page.shows(world::ANNA) && !page.shows("Gesprek"));

    let (text, file) = ("Dank u wel.\r\nMijn rekening is geheim.\r\n.\r\nGroet", workbook());
    let files: [Chosen<'_>; 2] = [("../één.pdf", "application/pdf", &file), ("x.txt", "text/plain; charset=utf-8", b"geheim stuk")];
    let sent = reply(&browser, &page, text, &files, &[]).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
    // The same press again.
    assert_eq!(reply(&browser, &page, text, &files, &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(world.opened.store.list(&KeyRange::under("reply"), 10).await.unwrap().len(), 1);

    let came = world.mails_for(world::ANNA, 1).await;
    let parsed = mail_parser::MessageParser::new().parse(&came[0].octets[..]).unwrap();
    let from = parsed.from().unwrap().first().unwrap();
    assert_eq!(from.address(), Some("zegel@gemeente.example"), "the organisation's own address");
    assert_eq!(from.name(), Some("burger@post.example (via Gemeente Voorbeeld)"));
    assert_eq!(parsed.reply_to().unwrap().first().unwrap().address(), Some(world::BURGER));
    assert_eq!(parsed.subject(), Some("Re: Uw dossier"));
    for field in ["In-Reply-To", "References"] {
        assert!(world::contains(&came[0].octets, format!("\r\n{field}: <{original}>\r\n").as_bytes()), "{field}");
    }
    assert!(parsed.body_text(0).unwrap().starts_with(text), "{:?}", parsed.body_text(0));
    let readable = zegel::message::Message::new(came[0].octets.clone()).readable();
    let attached: Vec<_> = readable.files.iter().map(|f| (f.name.clone(), f.octets.to_vec())).collect();
    assert!(attached == [("één.pdf".to_owned(), file.clone()), ("x.txt".to_owned(), b"geheim stuk".to_vec())]);

    let page = browser.get(&page.url).await;
    assert!(page.shows("Gesprek") && page.shows("Mijn rekening is geheim.") && page.shows("Uw antwoord is verstuurd"), "{}", page.text());
    let path = page.text().split("href=\"").find(|t| t.contains("/sent/")).unwrap().split('"').next().unwrap().to_owned();
    assert!(browser.get(&browser::join(&page.url, &path)).await.octets == file, "a copy, byte for byte");
    for secret in ["rekening", "geheim stuk", "Uw dossier"] {
        assert!(!on_disk(&world.folder.path().join("data"), secret.as_bytes()), "{secret} lies on the disk");
    }
}

fn on_disk(folder: &std::path::Path, wanted: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().map(Result::unwrap).any(|entry| {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            on_disk(&entry.path(), wanted)
        } else {
            kind.is_file() && world::contains(&std::fs::read(entry.path()).unwrap(), wanted)
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_conversation_is_in_order_and_its_recipients_own() {
    let world = World::new().await;
    let [mine, theirs] = world.message(Level::One, None).await;
    let (browser, other) = (Browser::new(), Browser::new());
    let mut page = unlock(&world, &browser, &mine).await;
    for text in ["Eerste <b>antwoord</b> {{7*7}}", "Tweede"] {
        world.clock.advance(Duration::from_secs(60));
        assert_eq!(reply(&browser, &page, text, &[], &[]).await.status, StatusCode::SEE_OTHER);
        page = browser.get(&page.url).await;
    }
    // The same words once more are another reply: the page has a new form.
    assert_eq!(reply(&browser, &page, "Tweede", &[], &[]).await.status, StatusCode::SEE_OTHER);
    let page = browser.get(&page.url).await;
    let text = page.text();
    let first = text.find("Eerste &lt;b&gt;antwoord&lt;/b&gt; {{7*7}}").expect("as text");
    assert!(first < text.find("Tweede").unwrap() && text.matches("Tweede</pre>").count() == 2);
    assert_eq!(world.count(Fact::Replied).await, 3);
    world.clock.advance(Duration::from_secs(600));
    assert!(!browser.get(&page.url).await.shows("role=\"status\""), "what was sent a moment ago is news no longer");

    let their_page = unlock(&world, &other, &theirs).await;
    assert!(!their_page.shows("Tweede") && !their_page.shows("Gesprek"));
    let path = world.store.list(&KeyRange::under("reply"), 1).await.unwrap()[0].0.segments().last().unwrap().to_owned();
    assert_eq!(other.get(&format!("{}/sent/{path}/0", their_page.url)).await.status, StatusCode::NOT_FOUND);
    let letters = world.letters().await;
    let replies: Vec<_> = letters
        .iter()
        .filter_map(|l| if let Letter::Reply { sender, recipient, .. } = l { Some((sender, recipient)) } else { None })
        .collect();
    assert!(replies.len() == 3 && replies.iter().all(|(s, r)| s.as_str() == SENDER && r.as_str() == RECIPIENT), "to the sender only");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_is_not_ours_or_says_nothing_changes_nothing() {
    let world = World::new().await;
    let (browser, page, _) = open(&world).await;
    let other = world.message(Level::One, None).await;
    let theirs = unlock(&world, &browser, &other[0]).await;
    let before = world.everything().await;
    let (action, fields) = page.form("Antwoord versturen");
    let url = browser::join(&page.url, &action);
    let foreign = theirs.form("Antwoord versturen").1;
    for fields in [&foreign, &fields[1..].to_vec(), &Vec::new()] {
        assert_eq!(send(&browser, &url, filled_in(fields, "x", &[]).into(), &[]).await.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(reply(&browser, &page, "x", &[], &[("sec-fetch-site", "cross-site")]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(reply(&Browser::new(), &page, "x", &[], &[]).await.status, StatusCode::FORBIDDEN, "without the cookie");
    let empty = reply(&browser, &page, " \r\n", &[], &[]).await;
    assert!(empty.status == StatusCode::UNPROCESSABLE_ENTITY && empty.shows("Schrijf eerst een bericht") && empty.shows("<title>Fout: "));
    for cut in [10, 300, 500] {
        let mut body = filled_in(&fields, "x", &[("a", "", &[7; 1000])]);
        body.truncate(body.len() - cut);
        assert_eq!(send(&browser, &url, body.into(), &[]).await.status, StatusCode::BAD_REQUEST, "broken off");
    }
    assert!(before == world.everything().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_much_is_refused_by_name_and_the_text_is_kept() {
    let limits = Limits { reply_bytes: 3_000_000, reply_files: 2, reply_text_bytes: 1000, ..Limits::default() };
    let world = World::with(limits, None).await;
    let (browser, page, _) = open(&world).await;
    let before = world.everything().await;
    let blobs = world.blobs.list(Time::MAX).await.unwrap().len();
    let large = vec![7; 2_000_000];
    let check = async |files: &[Chosen<'_>], text: &str, says: &str| {
        let answer = reply(&browser, &page, text, files, &[]).await;
        assert!(answer.status == StatusCode::PAYLOAD_TOO_LARGE && answer.shows(says), "{says}: {}", answer.status);
        assert_eq!(answer.shows("wat ik &lt;typte&gt;</textarea>"), text.len() < 1000, "{says}");
    };
    let typed = "wat ik <typte>";
    check(&[("a", "", &large), ("b", "", &large)], typed, "hoogstens 3 MB").await;
    check(&[("a", "", b"1"), ("b", "", b"2"), ("c", "", b"3")], typed, "hoogstens 2 tegelijk").await;
    check(&[], &"x".repeat(1001), "te lang").await;
    // Five gigabytes are refused as soon as the text is there; none of them has to come.
    let (action, fields) = page.form("Antwoord versturen");
    let body = filled_in(&fields, typed, &[("film.mp4", "video/mp4", b"")]);
    let cookies: Vec<_> = browser.cookies.lock().unwrap().iter().map(|(n, v)| format!("{n}={v}")).collect();
    let head = format!(
        "POST {action} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\nContent-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: 5368709120\r\n\r\n",
        world.address,
        cookies.join("; ")
    );
    let mut stream = TcpStream::connect(world.address).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body[..body.len() - BOUNDARY.len() - 8]).await.unwrap();
    // A browser that goes on sending meanwhile is not cut off before it has read why.
    stream.write_all(&vec![7; 16 << 20]).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("hoogstens 3 MB") && answer.contains("wat ik &lt;typte&gt;"), "{answer}");

    assert!(before == world.everything().await);
    assert_eq!(world.blobs.list(Time::MAX).await.unwrap().len(), blobs, "nothing is left of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_takes_a_reply_none_is_offered() {
    let world = World::new().await;
    let [token, _] = world.message(Level::One, None).await;
    let key = Key::grant(lookup_id(&token));
    let grant = Grant { origin: None, ..world.grant(&token).await };
    let mut batch = Batch::new();
    batch.put(key, &grant, Expect::Anything);
    world.store.commit(batch).await.unwrap();
    let browser = Browser::new();
    let page = unlock(&world, &browser, &token).await;
    assert!(page.status == StatusCode::OK && !page.shows("Beantwoorden"));
    let answer = send(&browser, &format!("{}/reply", page.url), filled_in(&[], "x", &[]).into(), &[]).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

/// The text of the mails that came for `to`, once there are `count` of them.
async fn texts_for(hop: &Sink, to: &str, count: usize) -> Vec<String> {
    loop {
        let mails: Vec<_> = hop.mails().into_iter().filter(|mail| mail.to == [to]).collect();
        if mails.len() >= count {
            let text = |octets: Vec<u8>| mail_parser::MessageParser::new().parse(&octets).unwrap().body_text(0).unwrap().into_owned();
            return mails.iter().map(|mail| text(mail.octets())).collect();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_does_not_arrive_is_told_to_who_wrote_it() {
    let hop = Sink::start().await;
    let world = world::World::next_to(hop.address()).await;
    assert!(world.send(world::ANNA, &[world::BURGER], world::mail("[beveiligd] Besluit", "x").as_bytes()).await.is_positive());
    let text = texts_for(&hop, world::BURGER, 1).await.remove(0);
    let link = text.split_whitespace().find(|word| word.starts_with(&format!("{}/m/", world.portal))).unwrap().to_owned();
    let browser = Browser::new();
    let page = browser.press(&browser.get(&link).await, "Stuur mijn wachtwoord", &[]).await;
    let text = texts_for(&hop, world::BURGER, 2).await.remove(1);
    let password = text.lines().map(str::trim).find(|l| l.len() == 12 && l.bytes().all(|b| b.is_ascii_alphanumeric())).unwrap();
    let page = browser.press(&page, "Doorgaan", &[("answer", password)]).await;
    hop.fails(&format!("RCPT TO:<{}", world::ANNA), Act::Reply("550 5.1.1 no such user".to_owned()));
    assert_eq!(reply(&browser, &page, "Dank u.", &[], &[]).await.status, StatusCode::SEE_OTHER);
    let told = texts_for(&hop, world::BURGER, 3).await.remove(2);
    assert!(told.contains("Uw antwoord is niet aangekomen bij anna@gemeente.example.") && !told.contains("Dank u."), "{told}");
}
