//! `scope = "attachments"`: the text travels, the files wait behind the link; and everything else than files keeps the whole message back.

use crate::{
    policies::{asked, press, world},
    world::{ANNA, BURGER, COLLEGA, World, contains},
};
use reqwest::StatusCode;

const FILES: &str = "[[policy]]\nname = 'Bestanden'\nwhen = { rule = 'bsn', to = 'external' }\nthen = 'level 1'\nscope = 'attachments'\n";

const TEXT: &str = "Beste heer Bakker, hierbij de stukken & een groet.";

/// A number as rules find it, for a file.
const IN_A_FILE: &str = "BSN 123456782";

/// A mail of Anna's with a text, HTML where `html` is not empty, and a file.
fn with_file(subject: &str, text: &str, html: &str, file: &str) -> String {
    let bodies = if html.is_empty() {
        format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n")
    } else {
        format!(
            "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n\
             --b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n--b--\r\n"
        )
    };
    format!(
        "From: Anna <{ANNA}>\r\nTo: {BURGER}\r\nSubject: {subject}\r\nMessage-ID: <1@gemeente.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n{bodies}--a\r\n\
         Content-Type: text/plain; name=\"stukken.txt\"\r\nContent-Disposition: attachment; filename=\"stukken.txt\"\r\n\r\n{file}\r\n--a--\r\n"
    )
}

/// The same with the file in front of the text.
fn file_first(text: &str, file: &str) -> String {
    format!(
        "From: Anna <{ANNA}>\r\nTo: {BURGER}\r\nSubject: Uw stukken\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n\
         --a\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=\"stukken.txt\"\r\n\r\n{file}\r\n\
         --a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n--a--\r\n"
    )
}

/// A mail whose first part is a text with a name: a file to some, the text to whoever reads it. Beside it a file.
fn named_first(text: &str) -> String {
    format!(
        "From: Anna <{ANNA}>\r\nTo: {BURGER}\r\nSubject: Uw stukken\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n\
         --a\r\nContent-Type: text/plain; charset=utf-8; name=\"brief.txt\"\r\n\r\nBeste heer Bakker {text}\r\n\
         --a\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=\"stukken.txt\"\r\n\r\nniets\r\n--a--\r\n"
    )
}

/// What came for the recipient: the fields of its head, its text and its HTML.
struct Came {
    octets: Vec<u8>,
    text: String,
    html: String,
    link: String,
}

async fn came(world: &World) -> Came {
    let mail = world.mails_for(BURGER, 1).await.remove(0);
    let parsed = mail_parser::MessageParser::new().parse(&mail.octets).unwrap();
    let (text, html) = (parsed.body_text(0).unwrap().into_owned(), parsed.body_html(0).unwrap().into_owned());
    assert_eq!(parsed.attachments().count(), 0, "no file travels");
    Came { link: mail.link(&world.portal).unwrap(), text, html, octets: mail.octets.to_vec() }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_travels_and_the_files_wait_behind_the_link() {
    let world = world(FILES).await;
    let html = "<html><body><p>Beste <b>heer Bakker</b><img src=\"cid:logo\"></p></body></html>";
    assert_eq!(world.send(ANNA, &[BURGER], with_file("Uw stukken", TEXT, html, IN_A_FILE).as_bytes()).await.code(), 250);
    // Whoever takes over after a crash can do the same.
    let world = world.crash(|opened| opened).await;
    let came = came(&world).await;
    assert!(came.text.contains(TEXT) && came.text.contains("Bestanden downloaden") && came.text.contains(&came.link), "{}", came.text);
    assert!(came.html.contains("<body><table") && came.html.contains("<p>Beste <b>heer Bakker</b></p></body>"), "{}", came.html);
    assert!(!contains(&came.octets, b"123456782") && !contains(&came.octets, b"stukken.txt") && !contains(&came.octets, b"Auto-Submitted"));
    for field in ["Subject: Uw stukken\r\n", &format!("Reply-To: <{ANNA}>\r\n"), "(via "] {
        assert!(contains(&came.octets, field.as_bytes()), "{field}");
    }
    let opening = world.open_link(&came.link).await.unwrap();
    assert!(opening.holds(IN_A_FILE) && opening.card.files[0].name == "stukken.txt");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_without_html_becomes_a_page_of_its_text() {
    let world = world(FILES).await;
    assert_eq!(world.send(ANNA, &[BURGER], with_file("Uw stukken", TEXT, "", IN_A_FILE).as_bytes()).await.code(), 250);
    let came = came(&world).await;
    assert!(came.html.contains("hierbij de stukken &amp; een groet.") && came.html.contains("Bestanden downloaden"), "{}", came.html);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_outside_of_files_keeps_the_whole_message_back() {
    let composite = "[[policy]]\nname = 'Samen'\nwhen = { rule = 'samen', to = 'external' }\nthen = 'level 1'\nscope = 'attachments'\n";
    let whole = format!("{FILES}[[policy]]\nname = 'Geheel'\nwhen = {{ rule = 'bsn', to = 'external' }}\nthen = 'level 1'\n");
    let marked = "[[policy]]\nname = 'Alles'\nwhen = { to = 'external' }\nthen = 'level 1'\nscope = 'attachments'\n";
    let drawn = format!("<html><body><p>Beste heer Bakker</p><iframe srcdoc=\"{IN_A_FILE}\"></iframe></body></html>");
    let cases: [(&str, &str, String); 9] = [
        ("in the text", FILES, with_file("Uw stukken", &format!("{TEXT} {IN_A_FILE}"), "", IN_A_FILE)),
        ("in the subject", FILES, with_file(IN_A_FILE, TEXT, "", "niets")),
        ("one policy wants the whole", &whole, with_file("Uw stukken", TEXT, "", IN_A_FILE)),
        ("a condition met partly in the text", composite, with_file("Uw stukken", &format!("{TEXT} aap"), "", "noot")),
        ("the same, the file in front", composite, file_first(&format!("{TEXT} aap"), "noot")),
        ("a text with a name, which people see as text", FILES, named_first(IN_A_FILE)),
        ("a file within the text, which would leave with it", FILES, with_file("Uw stukken", TEXT, &drawn, IN_A_FILE)),
        ("nothing found at all", marked, with_file("Uw stukken", TEXT, "", "niets")),
        ("no file at all", FILES, format!("From: {ANNA}\r\nSubject: x\r\nContent-Type: text/plain\r\n\r\n{TEXT} {IN_A_FILE}\r\n")),
    ];
    for (name, policies, octets) in cases {
        let world = world_with_rule(policies).await;
        assert_eq!(world.send(ANNA, &[BURGER], octets.as_bytes()).await.code(), 250, "{name}");
        let came = came(&world).await;
        assert!(!came.text.contains("Beste heer Bakker") && came.text.contains("Bericht openen"), "{name}: {}", came.text);
        assert!(world.open_link(&came.link).await.unwrap().holds("Beste heer Bakker"), "{name}");
    }
}

/// A zegel with these policies, and with the rule `samen` where they ask for it.
async fn world_with_rule(policies: &str) -> World {
    let write = |root: &std::path::Path| {
        if policies.contains("samen") {
            let rule = "[rule]\nname = 'samen'\ntitle = 'Samen'\nall = [{ word = 'aap' }, { word = 'noot' }]\n\
                        [examples]\nmatch = ['aap noot']\npass = ['aap']\n";
            std::fs::create_dir(root.join("rules")).unwrap();
            std::fs::write(root.join("rules/samen.toml"), rule).unwrap();
        }
        crate::policies::write(root, policies);
    };
    World::with(write, |opened| opened).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_number_gets_the_text_with_it_and_colleagues_get_the_mail_itself() {
    let world = world(FILES.replace("level 1", "level 2").leak()).await;
    let octets = with_file("Uw stukken", TEXT, "", IN_A_FILE);
    assert_eq!(world.send(ANNA, &[BURGER, COLLEGA], octets.as_bytes()).await.code(), 250);
    assert!(contains(&world.mails_for(COLLEGA, 1).await[0].octets, octets.as_bytes()));
    let link = asked(&world).await;
    assert!(world.delivered_to(BURGER).is_empty());
    let (status, _) = press(&link, &[("number-0", "0612345678")]).await;
    assert_eq!(status, StatusCode::OK);
    let came = came(&world).await;
    assert!(came.text.contains(TEXT) && came.text.contains("sms"), "{}", came.text);
}
