//! What a sender is told of the fate of a mail that zegel took from him, as a program reads it (RFC 3461, 3464, 6522).

use crate::{
    process::has,
    sink::{Act, Sink, Sunk},
    world::{ANNA, BURGER, World, contains, mail, send_asking},
};
use std::{
    io::Write as _,
    process::{Command, Stdio},
    time::Duration,
};
use zegel::{
    address::Address,
    clock::Clock as _,
    envelope::dsn::Notify,
    grant::seal_origin,
    message::Message,
    notice::{Letter, Organisation, Origin, compose},
    record::{Batch, Event, Expect, Fact, Grant, Key, KeyRange, Level, Mail, Record},
    secret::{Id, Secret, Token},
    smtp::Reply,
    template::Templates,
    time::Time,
};

const BODY: &str = "Het besluit is positief, zegt de commissie.";
const HOUR: Duration = Duration::from_secs(3600);

/// The one row of the outbox, once it has had so many tries and nobody works at it.
pub async fn row_that_waits(world: &World, tries: u32) -> (Key, Record) {
    loop {
        let rows = world.opened.store.list(&KeyRange::under("outbox"), 10).await.unwrap();
        let waits = |(key, row): &(Key, Record)| row.read::<Mail>(key).is_ok_and(|m| !m.claimed && m.tries >= tries && m.grant.is_some());
        match rows.into_iter().find(waits) {
            Some(row) => return row,
            None => tokio::task::yield_now().await,
        }
    }
}

/// A world whose next hop takes the mail itself but not its notification; one such mail, of whose fate the sender wants to hear so much.
pub async fn refused(reply: &str, notify: Notify) -> (Sink, World) {
    let hop = Sink::start().await;
    let world = World::next_to(hop.address()).await;
    hop.fails_times(&format!("RCPT TO:<{BURGER}"), Act::Reply("451 4.2.0 later".to_owned()), 1, usize::MAX);
    assert_eq!(world.send(ANNA, &[BURGER], mail("[beveiligd] Besluit", BODY).as_bytes()).await.code(), 250);
    row_that_waits(&world, 1).await;
    wants(&world, notify).await;
    hop.heals();
    if !reply.is_empty() {
        hop.fails(&format!("RCPT TO:<{BURGER}"), Act::Reply(reply.to_owned()));
    }
    (hop, world)
}

/// Writes into the recipient's grant what RCPT and MAIL would have said.
async fn wants(world: &World, notify: Notify) {
    let (key, record) = world.opened.store.list(&KeyRange::under("grant"), 2).await.unwrap().remove(0);
    let grant: Grant = record.read(&key).unwrap();
    let master = world.opened.keyring.master();
    let origin = zegel::grant::open_origin(&master, &key, grant.origin.as_ref());
    let origin = Origin {
        envelope_id: Some("QQ=314159".to_owned()),
        original_recipient: Some("rfc822;b@elders.example".to_owned()),
        notify,
        ..origin
    };
    let mut batch = Batch::new();
    let origin = Some(seal_origin(&master, &key, &origin));
    batch.put(key, &Grant { origin, ..grant }, Expect::Version(record.version));
    world.opened.store.commit(batch).await.unwrap();
}

/// Lets an hour pass, and the row have its turn.
async fn an_hour_later(world: &World) {
    let (key, row) = row_that_waits(world, 1).await;
    let tries = row.read::<Mail>(&key).unwrap().tries;
    world.clock.advance(HOUR + HOUR / 5);
    world.running.parts.wake.notify_one();
    loop {
        let rows = world.opened.store.list(&KeyRange::under("outbox"), 10).await.unwrap();
        let same = rows.iter().filter_map(|(key, row)| row.read::<Mail>(key).ok()).find(|m| m.grant.is_some());
        match same {
            Some(mail) if mail.tries == tries || mail.claimed => tokio::task::yield_now().await,
            _ => return,
        }
    }
}

fn told(hop: &Sink) -> Vec<Sunk> {
    hop.mails().into_iter().filter(|m| m.to == [ANNA]).collect()
}

/// Waits until another mail's notification has left: whatever was to leave before it, has.
async fn all_has_left(hop: &Sink, world: &World) {
    assert_eq!(world.send(ANNA, &["laatste@post.example"], mail("[beveiligd] Laatste", "x").as_bytes()).await.code(), 250);
    hop.wait_for_mail_to("laatste@post.example").await;
    loop {
        if world.opened.store.list(&KeyRange::under("outbox"), 1).await.unwrap().is_empty() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn facts(world: &World) -> Vec<Fact> {
    let events = world.opened.store.list(&KeyRange::under("event"), 200).await.unwrap();
    events.iter().map(|(key, row)| row.read::<Event>(key).unwrap().what).collect()
}

/// The report's status part, its lines sorted out: fields of the message, then of the recipient.
fn status(report: &Sunk) -> String {
    let octets = report.octets();
    let message = Message::new(octets.clone().into());
    let facts = message.facts();
    assert!(facts.report && facts.automatic, "{}", String::from_utf8_lossy(&octets));
    assert_eq!(report.from, "", "nobody answers a report");
    assert!(!contains(&octets, BODY.as_bytes()) && !contains(&octets, b"/m/"));
    let fields = message.header_fields();
    assert!(fields.contains(&("Auto-Submitted".to_owned(), "auto-replied".to_owned())));
    read_by_python(&octets, fields.len(), REPORT);
    let part = message.parts().into_iter().find(|p| p.media_type == "message/delivery-status").expect("a status");
    String::from_utf8(part.octets.to_vec()).unwrap()
}

const REPORT: &str = "multipart/alternative message/delivery-status text/rfc822-headers";

/// Another program's parser sees as many fields and these parts, and no defect.
fn read_by_python(octets: &[u8], fields: usize, parts: &str) {
    if !has("python3") {
        return;
    }
    let script = "import email,email.policy,sys\nm=email.message_from_binary_file(sys.stdin.buffer,policy=email.policy.default)\n\
                  print(len(m.keys()),*(p.get_content_type() for p in m.iter_parts()),len(m.defects))";
    let mut python = Command::new("python3").args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    python.stdin.take().unwrap().write_all(octets).unwrap();
    let output = String::from_utf8(python.wait_with_output().unwrap().stdout).unwrap();
    assert_eq!(output.trim(), format!("{fields} {parts} 0"));
}

/// Each kind of letter, with texts that try to be more than a text.
pub fn letters() -> Vec<Letter> {
    let evil = "Uw \"zaak\" \r\nBcc: x@evil.example\r\n\r\n=?utf-8?q?=0D=0AX:_y?= é\u{202e} ".repeat(8);
    let address = |text: &str| Address::parse(text).unwrap();
    let (sender, recipient, language) = (address(ANNA), address(BURGER), "nl".to_owned());
    let (now, subject, reply) = (Time::from_millis(1_791_790_000_000), Some(evil.clone()), evil.clone());
    let text = || Some(evil.clone());
    let origin = Origin {
        at: Some(now),
        message_id: text(),
        subject: text(),
        envelope_id: text(),
        original_recipient: text(),
        replies_to: None,
        notify: Notify::default(),
    };
    let (token, until) = (Token::random(), now);
    vec![
        Letter::ReplyNotSent { recipient: recipient.clone(), sender: sender.clone(), at: now, language: language.clone() },
        Letter::Notification {
            token: token.clone(),
            sender: Some(sender.clone()),
            envelope_from: None,
            sender_name: evil.clone(),
            recipient: recipient.clone(),
            subject: subject.clone(),
            language: language.clone(),
            level: Level::One,
            expires: now.day(),
            with_text: false,
        },
        Letter::Password {
            recipient: recipient.clone(),
            password: Secret::new("k7mp3xqa9dtz".to_owned()),
            grant: Id([1; 16]),
            until,
            language: language.clone(),
        },
        Letter::NumberNeeded {
            token,
            sender: sender.clone(),
            subject: subject.clone(),
            why: vec![evil.clone()],
            missing: vec![recipient.clone()],
            more: 0,
            others: 0,
            some_have_it: false,
            until: now.day(),
            reminds_of: None,
            language: language.clone(),
        },
        Letter::NotSent {
            sender: sender.clone(),
            recipients: vec![recipient.clone()],
            at: now,
            origins: vec![origin.clone()],
            language: language.clone(),
        },
        Letter::NotNotified {
            sender: sender.clone(),
            recipient: recipient.clone(),
            subject,
            reply: reply.clone(),
            origin: origin.clone(),
            language: language.clone(),
        },
        Letter::Delayed {
            sender: sender.clone(),
            recipient: recipient.clone(),
            reply,
            until,
            origin: origin.clone(),
            language: language.clone(),
        },
        Letter::Relayed { sender: sender.clone(), recipient: recipient.clone(), origin, language: language.clone() },
        Letter::Locked { sender, recipient, at: now, until, language },
    ]
}

#[test]
fn every_mail_that_zegel_writes_is_read_alike_by_other_programs() {
    let organisation = Organisation {
        name: "Gemeente Voorbeeld".to_owned(),
        from: Address::parse("zegel@gemeente.example").unwrap(),
        url: "https://bericht.gemeente.example".to_owned(),
        language: "nl".to_owned(),
        hostname: "zegel.gemeente.example".to_owned(),
        bounces: None,
        signer: None,
    };
    let templates = Templates::embedded();
    for letter in letters() {
        let mail =
            compose(&letter, &Token::random(), Id([7; 16]), Time::from_millis(1_791_790_000_000), &organisation, &templates).unwrap();
        let fields = Message::new(mail.octets.clone().into()).header_fields();
        let expected = if letter.kind() == "notification" { 11 } else { 10 };
        assert_eq!(fields.len(), expected, "{}: {fields:?}", letter.kind());
        let reports = matches!(letter.kind(), "not-sent" | "not-notified" | "delayed" | "relayed");
        let parts = if reports { REPORT } else { "text/plain text/html" };
        read_by_python(&mail.octets, expected, parts);
        assert!(mail.octets.split(|b| *b == b'\n').all(|line| line.is_empty() || (line.ends_with(b"\r") && line.len() < 998)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_in_a_report_that_programs_read() {
    let (hop, world) = refused("550 5.1.1 no such mailbox", Notify::default()).await;
    world.clock.advance(Duration::from_secs(120));
    world.running.parts.wake.notify_one();
    hop.wait_for_mail_to(ANNA).await;
    let report = told(&hop).remove(0);
    let status = status(&report);
    for line in [
        "Original-Envelope-Id: QQ=314159",
        "Reporting-MTA: dns; zegel.gemeente.example",
        "Original-Recipient: rfc822;b@elders.example",
        "Final-Recipient: rfc822; burger@post.example",
        "Action: failed",
        "Status: 5.1.1",
        "Diagnostic-Code: smtp; 550 5.1.1 no such mailbox",
    ] {
        assert!(status.lines().any(|l| l == line), "{line}: {status}");
    }
    let text = Message::new(report.octets().into()).readable().text.unwrap();
    assert!(text.contains(BURGER) && text.contains("niet aangekomen") && text.contains("geweigerd"), "{text}");
    assert!(contains(&report.octets(), b"@gemeente.example>\r\nSubject: Besluit"), "its Message-ID, and the subject without the word");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_silence_is_not_told() {
    for notify in [Notify::NEVER, Notify { success: true, failure: false, delay: true }] {
        let (hop, world) = refused("550 5.1.1 no such mailbox", notify).await;
        world.clock.advance(Duration::from_secs(120));
        world.running.parts.wake.notify_one();
        all_has_left(&hop, &world).await;
        assert_eq!(told(&hop), []);
        assert!(facts(&world).await.contains(&Fact::NotNotified), "it is known all the same");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_success_hears_that_it_was_relayed() {
    let (hop, world) = refused("", Notify { success: true, failure: true, delay: false }).await;
    world.clock.advance(Duration::from_secs(120));
    world.running.parts.wake.notify_one();
    hop.wait_for_mail_to(ANNA).await;
    let status = status(&told(&hop)[0]);
    assert!(status.contains("Action: relayed\r\nStatus: 2.1.9\r\n") && status.contains("Original-Envelope-Id: QQ=314159\r\n"), "{status}");
    // Nobody hears of success unasked.
    all_has_left(&hop, &world).await;
    assert_eq!(told(&hop).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_in_mail_and_rcpt_stands_in_the_report() {
    let hop = Sink::start().await;
    hop.offers(&["PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES", "DSN"]);
    let world = World::next_to(hop.address()).await;
    let to = [(BURGER, " NOTIFY=success,DELAY ORCPT=rfc822;b+2Bx@elders.example"), ("tweede@post.example", " NOTIFY=NEVER")];
    // Just started, zegel may not know yet what the next hop can do.
    let mut taken = Reply::TRY_LATER;
    for _ in 0..100 {
        if taken.code() == 451 {
            let asked = (ANNA, " RET=FULL ENVID=QQ+3D314159");
            taken = send_asking(world.gateway, asked, &to, mail("[beveiligd] Besluit", BODY).as_bytes()).await;
        }
    }
    assert_eq!(taken.code(), 250, "{taken}");
    hop.wait_for_mail_to(ANNA).await;
    all_has_left(&hop, &world).await;
    let reports = told(&hop);
    assert_eq!(reports.len(), 1, "only of the recipient for whom it was asked");
    let status = status(&reports[0]);
    for line in [
        "Original-Envelope-Id: QQ=314159",
        "Original-Recipient: rfc822;b+x@elders.example",
        &format!("Final-Recipient: rfc822; {BURGER}"),
        "Action: relayed",
    ] {
        assert!(status.lines().any(|l| l == line), "{line}: {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delay_is_told_once_after_four_hours_and_the_end_after_two_days() {
    let (hop, world) = refused("451 4.2.0 mailbox is busy", Notify::default()).await;
    let begun = world.clock.now();
    while world.clock.now().since(begun) < 3 * HOUR {
        an_hour_later(&world).await;
    }
    assert_eq!(told(&hop), [], "not before");
    while told(&hop).is_empty() {
        assert!(world.clock.now().since(begun) < 6 * HOUR);
        an_hour_later(&world).await;
        if world.clock.now().since(begun) >= 4 * HOUR {
            hop.wait_for_mail_to(ANNA).await;
        }
    }
    let delayed = status(&told(&hop)[0]);
    for line in ["Action: delayed", "Status: 4.2.0", "Diagnostic-Code: smtp; 451 4.2.0 mailbox is busy"] {
        assert!(delayed.lines().any(|l| l == line), "{line}: {delayed}");
    }
    assert!(delayed.contains("Will-Retry-Until: "));
    while world.clock.now().since(begun) < 48 * HOUR {
        assert_eq!(told(&hop).len(), 1, "once");
        an_hour_later(&world).await;
    }
    all_has_left(&hop, &world).await;
    let reports = told(&hop);
    assert_eq!(reports.len(), 2);
    let failed = status(&reports[1]);
    assert!(failed.contains("Action: failed\r\nStatus: 4.4.7\r\n"), "{failed}");
    let text = Message::new(reports[1].octets().into()).readable().text.unwrap();
    assert!(text.contains("dagenlang geprobeerd") && !text.contains("geweigerd"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_delay_is_told_to_whom_did_not_ask() {
    let (hop, world) = refused("451 4.2.0 mailbox is busy", Notify { success: false, failure: true, delay: false }).await;
    let begun = world.clock.now();
    while world.clock.now().since(begun) < 7 * HOUR {
        an_hour_later(&world).await;
    }
    hop.heals();
    an_hour_later(&world).await;
    all_has_left(&hop, &world).await;
    assert_eq!(told(&hop), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_mail_that_was_given_up_is_reported_for_each_recipient() {
    let hop = Sink::start().await;
    let world = World::next_to(hop.address()).await;
    let held = mail("Dossier", "Het BSN van mevrouw Bakker is 111222333.");
    assert_eq!(world.send(ANNA, &[BURGER, "tweede@post.example"], held.as_bytes()).await.code(), 250);
    hop.wait_for_mail_to(ANNA).await;
    world.clock.advance(8 * 24 * HOUR);
    world.running.parts.sweep.round().await.unwrap();
    all_has_left(&hop, &world).await;
    let reports = told(&hop);
    assert_eq!(reports.len(), 2, "the question, and that it was given up");
    let status = status(&reports[1]);
    for to in [BURGER, "tweede@post.example"] {
        assert!(status.contains(&format!("\r\n\r\nFinal-Recipient: rfc822; {to}\r\nAction: failed\r\nStatus: 4.4.7\r\n")), "{status}");
    }
}
