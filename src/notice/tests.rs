use super::*;
use crate::envelope::dsn::Notify;
use crate::time::Day;
use proptest::prelude::*;
use std::sync::LazyLock;

static TEMPLATES: LazyLock<Templates> = LazyLock::new(Templates::embedded);

fn organisation() -> Organisation {
    Organisation {
        name: "Gemeente Voorbeeld".to_owned(),
        from: Address::parse("zegel@voorbeeld.example").unwrap(),
        url: "https://bericht.voorbeeld.example".to_owned(),
        language: "nl".to_owned(),
        hostname: "zegel.voorbeeld.example".to_owned(),
        bounces: None,
        signer: None,
    }
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn notification(sender_name: &str, subject: Option<&str>, token: &Token) -> Letter {
    Letter::Notification {
        token: token.clone(),
        sender: Some(address("jan@voorbeeld.example")),
        envelope_from: Some(address("jan@voorbeeld.example")),
        sender_name: sender_name.to_owned(),
        recipient: address("a@elders.example"),
        subject: subject.map(str::to_owned),
        language: "nl".to_owned(),
        level: Level::One,
        expires: Day("2026-03-05".parse().unwrap()),
        with_text: false,
    }
}

fn at() -> Time {
    Time::from_millis(1_770_127_560_000)
}

fn composed(letter: &Letter) -> Composed {
    // What lies in the outbox is the serialised letter.
    let stored = serde_json::to_vec(letter).unwrap();
    let letter: Letter = serde_json::from_slice(&stored).unwrap();
    compose(&letter, &Token::random(), Id([7; 16]), at(), &organisation(), &TEMPLATES).unwrap()
}

/// A mail as a program that knows nothing of ours reads it.
struct Read {
    headers: Vec<(String, String)>,
    text: String,
    html: String,
}

fn read(octets: &[u8]) -> Read {
    let mail = mail_parser::MessageParser::new().parse(octets).unwrap();
    let head = std::str::from_utf8(&octets[..octets.windows(4).position(|w| w == b"\r\n\r\n").unwrap()]).unwrap();
    let headers = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let headers = headers.split("\r\n").map(|l| l.split_once(": ").unwrap()).map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    Read { headers, text: mail.body_text(0).unwrap().into_owned(), html: mail.body_html(0).unwrap().into_owned() }
}

impl Read {
    fn header(&self, name: &str) -> &str {
        let mut found = self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        let value = &found.next().unwrap_or_else(|| panic!("no {name}")).1;
        assert!(found.next().is_none(), "{name} twice");
        value
    }
}

fn links(text: &str) -> std::collections::BTreeSet<String> {
    text.match_indices("http")
        .map(|(at, _)| text[at..].split(|c: char| c.is_whitespace() || "\"<>".contains(c)).next().unwrap().to_owned())
        .collect()
}

#[test]
fn a_notification_is_what_others_rely_on() {
    let token = Token::random();
    let mail = composed(&notification("Jan de Vries", Some("Uw aanvraag"), &token));
    assert_eq!(mail.envelope_from, Some(address("jan@voorbeeld.example")));
    assert_eq!(mail.to, address("a@elders.example"));
    let read = read(&mail.octets);
    assert_eq!(read.header("From"), "\"Jan de Vries (via Gemeente Voorbeeld)\" <zegel@voorbeeld.example>");
    assert_eq!(read.header("Reply-To"), "<jan@voorbeeld.example>");
    assert_eq!(read.header("Auto-Submitted"), "auto-generated");
    assert_eq!(read.header("X-Auto-Response-Suppress"), "All");
    assert_eq!(read.header("Message-ID"), "<07070707070707070707070707070707@voorbeeld.example>");
    assert_eq!(read.header("Subject"), "Beveiligd bericht: Uw aanvraag");
    assert!(read.header("Content-Type").starts_with("multipart/alternative"));
    let link = message_link(&organisation(), &token).expose().clone();
    assert_eq!(links(&read.text), [link.clone()].into());
    assert_eq!(links(&read.html), [link].into());
    assert!(read.text.contains("Bericht openen") && read.html.contains(">Bericht openen</a>"));
    assert!(read.text.contains(&reference(lookup_id(&token))));
}

#[test]
fn a_subject_that_is_not_given_is_not_there() {
    let read = read(&composed(&notification("", None, &Token::random())).octets);
    assert_eq!(read.header("Subject"), "Beveiligd bericht van jan@voorbeeld.example");
    assert_eq!(read.header("From"), "\"jan@voorbeeld.example (via Gemeente Voorbeeld)\" <zegel@voorbeeld.example>");
    assert!(!read.text.contains("Onderwerp"));
}

#[test]
fn a_password_stands_alone_on_a_line_and_its_mail_holds_no_link() {
    let mail = composed(&Letter::Password {
        recipient: address("a@elders.example"),
        password: Secret::new("k7mp3xqa9dtz".to_owned()),
        grant: Id([1; 16]),
        until: at(),
        language: "nl".to_owned(),
    });
    assert_eq!(mail.envelope_from, None);
    let read = read(&mail.octets);
    assert!(read.text.lines().any(|l| l.trim_end() == "k7mp3xqa9dtz"), "{}", read.text);
    assert!(read.html.contains("<span>k7mp3xqa9dtz</span>"));
    assert_eq!(links(&read.text).len() + links(&read.html).len(), 0);
    assert!(read.text.contains("15:06 uur op 3 februari 2026"));
}

#[test]
fn the_sender_is_told_which_message_why_and_who() {
    let token = Token::random();
    let read = read(
        &composed(&Letter::NumberNeeded {
            token: token.clone(),
            sender: address("jan@voorbeeld.example"),
            subject: Some("Uw aanvraag".to_owned()),
            why: vec!["In de bijlage staat een burgerservicenummer.".to_owned()],
            missing: vec![address("a@elders.example")],
            more: 0,
            others: 2,
            some_have_it: false,
            until: at().day().plus_days(7),
            reminds_of: None,
            language: "nl".to_owned(),
        })
        .octets,
    );
    let link = numbers_link(&organisation(), &token).expose().clone();
    for part in [&read.text, &read.html] {
        assert_eq!(links(part), [link.clone()].into());
        for said in
            ["nog niet verzonden", "Uw aanvraag", "burgerservicenummer", "a@elders.example", "2 andere ontvangers", "10 februari 2026"]
        {
            assert!(part.contains(said), "{said}: {part}");
        }
    }
    // The first sentence says it: nothing was sent.
    assert!(read.text.starts_with("Je bericht is nog niet verzonden"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever people write, our mail has the header fields it always has, no line over 998 octets, and no bare CR or LF.
    #[test]
    fn what_people_write_adds_no_header(name in ".{0,60}|[\\r\\n:=?a\"\\\\(),;<>@ é]{0,40}", subject in "[\\r\\nA-Z: =?\"é\u{202e}語]{0,250}") {
        let letter = notification(&name, Some(&subject), &Token::random());
        let mail = compose(&letter, &Token::random(), Id([7; 16]), at(), &organisation(), &TEMPLATES).unwrap();
        let found = read(&mail.octets);
        let mut names: Vec<_> = found.headers.iter().map(|(n, _)| n.as_str()).collect();
        names.sort_unstable();
        prop_assert_eq!(names, [
            "Auto-Submitted", "Content-Language", "Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Reply-To", "Subject", "To",
            "X-Auto-Response-Suppress",
        ]);
        for line in mail.octets.split(|b| *b == b'\n') {
            prop_assert!(line.is_empty() || line.ends_with(b"\r"));
            prop_assert!(line.len() < 998 && !line[..line.len().saturating_sub(1)].contains(&b'\r'));
        }
        let facts = mail_parser::MessageParser::new().parse(&mail.octets).unwrap();
        prop_assert_eq!(facts.from().unwrap().first().unwrap().address().unwrap(), "zegel@voorbeeld.example");
        let who = if one_line(&name).is_empty() { "jan@voorbeeld.example".to_owned() } else { one_line(&name) };
        let expected = match one_line(&subject).as_str() {
            "" => format!("Beveiligd bericht van {who}"),
            subject => format!("Beveiligd bericht: {subject}"),
        };
        prop_assert_eq!(facts.subject().unwrap(), expected);
    }
}

#[test]
fn a_reference_is_the_same_in_mail_and_page_and_says_nothing() {
    assert_eq!(reference(Id([1; 16])), reference(Id([1; 16])));
    assert_ne!(reference(Id([1; 16])), reference(Id([2; 16])));
    assert_eq!(reference(Id([1; 16])).len(), 9);
}

#[test]
fn what_a_client_says_adds_no_field_to_a_report() {
    let evil = "x\r\nAction: delivered\r\n\r\nFinal-Recipient: rfc822; y@z.example";
    let origin = Origin {
        at: Some(at()),
        message_id: Some(evil.to_owned()),
        subject: Some(evil.to_owned()),
        envelope_id: Some(evil.to_owned()),
        original_recipient: Some(evil.to_owned()),
        replies_to: None,
        notify: Notify::default(),
    };
    let letter = Letter::NotNotified {
        sender: address("jan@voorbeeld.example"),
        recipient: address("a@elders.example"),
        subject: Some(evil.to_owned()),
        reply: evil.to_owned(),
        origin,
        language: "nl".to_owned(),
    };
    let mail = crate::message::Message::new(composed(&letter).octets.into());
    let part = |kind: &str| {
        let part = mail.parts().into_iter().find(|p| p.media_type == kind).unwrap();
        String::from_utf8(part.octets.to_vec()).unwrap()
    };
    let status = part("message/delivery-status");
    let names: Vec<_> = status.lines().map(|l| l.split(':').next().unwrap()).collect();
    assert_eq!(
        names,
        ["Reporting-MTA", "Arrival-Date", "", "Final-Recipient", "Action", "Status", "Diagnostic-Code", "Last-Attempt-Date"],
        "{status}"
    );
    let headers = part("text/rfc822-headers");
    assert!(headers.starts_with("Subject: ") && headers.replace("\r\n ", " ").lines().count() == 1, "{headers}");
    assert_eq!(mail.header_fields().len(), 10);
}

#[test]
fn no_link_of_another_server_stands_in_a_report() {
    let (sender, recipient, language) = (address("jan@voorbeeld.example"), address("a@elders.example"), "nl".to_owned());
    let (origin, subject) = (Origin::default(), None);
    let reply = "550 5.1.1 sign in at https://evil.example/login".to_owned();
    let delayed = Letter::Delayed {
        sender: sender.clone(),
        recipient: recipient.clone(),
        reply: reply.clone(),
        until: at(),
        origin: origin.clone(),
        language: language.clone(),
    };
    for letter in [delayed, Letter::NotNotified { sender, recipient, subject, reply, origin, language }] {
        let octets = String::from_utf8(composed(&letter).octets).unwrap();
        assert!(octets.matches("5.1.1 sign in at [...]").count() >= 2 && !octets.contains("evil"), "{octets}");
    }
}

#[test]
fn the_longest_report_fits_a_row() {
    let long = |n: usize| format!("{:060}@{}.example", n, [&"d".repeat(60)[..]; 3].join("."));
    let text = |octets: usize| Some("x".repeat(octets));
    let origin = |n: usize| Origin { original_recipient: text(300), ..if n == 0 { first() } else { Origin::default() } };
    fn first() -> Origin {
        let text = |octets: usize| Some("語".repeat(octets / 3));
        Origin { at: Some(at()), message_id: text(300), subject: text(900), envelope_id: text(300), ..Origin::default() }
    }
    let letter = Letter::NotSent {
        sender: address("jan@voorbeeld.example"),
        recipients: (0..MOST_REPORTED).map(|n| address(&long(n))).collect(),
        at: at(),
        origins: (0..MOST_REPORTED).map(origin).collect(),
        language: "nl".to_owned(),
    };
    // Sealed, and in base64, within the rest of its row.
    let row = serde_json::to_vec(&letter).unwrap().len().div_ceil(3) * 4 + 1024;
    assert!(row < crate::record::Record::MAX_BYTES, "{row}");
}
