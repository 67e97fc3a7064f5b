use super::*;

fn mail(text: &str) -> Message {
    Message::new(Bytes::from(text.replace('\n', "\r\n")))
}

#[test]
fn the_header_tells_its_facts() {
    let facts = mail(
        "Received: by x\n\tfor y\nreceived: by z\nFrom: =?utf-8?q?J=C3=B8rgen?= <J@b.example>\nTo: a@b.example, Groep: c@d.example;\nCc: \"x, y\" <e@f.example>\n\
         Subject: =?utf-8?b?ZMOpIHphYWs=?=\nMessage-ID: <1@b.example>\nDate: Sat, 20 Nov 2021 14:22:01 -0800\nAuto-Submitted: auto-replied (x)\n\nx\n",
    )
    .facts();
    assert_eq!(facts.subject, "dé zaak");
    assert_eq!(facts.message_id.as_deref(), Some("1@b.example"));
    assert_eq!(facts.date.map(Time::millis), Some(1_637_446_921_000));
    assert_eq!(facts.date_raw.as_deref(), Some("Sat, 20 Nov 2021 14:22:01 -0800"));
    assert_eq!(facts.from, Some(("Jørgen".to_owned(), Address::parse("j@b.example").unwrap())));
    let to: Vec<&str> = facts.recipients_in_header.iter().map(Address::as_str).collect();
    assert_eq!(to, ["a@b.example", "c@d.example", "e@f.example"]);
    assert_eq!(facts.received_count, 2);
    assert!(facts.automatic && !facts.report);
}

#[test]
fn a_header_is_long_by_its_octets_or_its_fields() {
    let check = |header: &str, body: &str, long: bool| {
        assert_eq!(mail(&format!("{header}\n{body}")).has_long_header(), long, "{} octets", header.len());
    };
    let (fields, folds) = ("a:b\n".repeat(4000), format!("Cc: {}\n", "x,\n ".repeat(6000)));
    check("Subject: a\n", &fields.repeat(200), false);
    check(&fields, "", false);
    check(&fields.repeat(2), "", true);
    check(&folds, "", false);
    check(&folds.repeat(30), "", true);
    check(&format!("Subject: {}\n", "x".repeat(600_000)), "", true);
    check("", &"x".repeat(600_000), false);
    assert!(mail(&"x".repeat(600_000)).has_long_header(), "no end of it is seen");
    assert!(!mail("Subject: a").has_long_header());
}

#[test]
fn automatic_mail_is_recognised() {
    let check = |field: &str, automatic: bool| assert_eq!(mail(&format!("{field}\n\nx")).facts().automatic, automatic, "{field}");
    check("Subject: x", false);
    check("Auto-Submitted: no", false);
    check("Auto-Submitted: auto-generated; owner-email=a@b.example", true);
    check("Precedence: bulk", true);
    check("Precedence: list", false);
    check("X-Auto-Response-Suppress: All", true);
    assert!(mail("Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n").facts().report);
}

#[test]
fn received_fields_make_no_difference() {
    let kept = |text: &str| String::from_utf8(mail(text).without_received().collect::<Vec<_>>().concat()).unwrap();
    let without = "Subject: a\nX: b\n  c\n\nReceived: in the body\n";
    let crlf = without.replace('\n', "\r\n");
    assert_eq!(kept(without), crlf);
    assert_eq!(kept(&format!("Received: x\n\ty\nRECEIVED : z\n{without}")), crlf);
    assert_eq!(kept("Subject: a\nReceived: x\n y\nX: b\n  c\n\nReceived: in the body\n"), crlf);
    assert_eq!(kept("Received-SPF: pass\n\n"), "Received-SPF: pass\r\n\r\n");
    assert_eq!(kept("Received: only"), "");
}

#[test]
fn a_header_is_read_field_by_field_or_not_at_all() {
    let read = |text: &str| {
        let mail = mail(text);
        let (fields, body) = mail.fields_and_body()?;
        let fields: Vec<_> = fields.iter().map(|f| [f.name.to_vec(), f.unfolded()].map(|b| String::from_utf8(b).unwrap())).collect();
        Some((fields, String::from_utf8(body.to_vec()).unwrap()))
    };
    let field = |name: &str, value: &str| [name.to_owned(), value.to_owned()];
    let (fields, body) = read("Subject: a\n\tb  c\nX:\n\nbody: x\n").unwrap();
    assert_eq!((fields, body.as_str()), (vec![field("Subject", "a b c"), field("X", "")], "body: x\r\n"));
    assert_eq!(read("\nx").unwrap(), (vec![], "x".to_owned()));
    for odd in ["Subject: a\nno field\n\nx", "Sub ject: a\n\nx", " a: b\n\n", ": b\n\n"] {
        assert_eq!(read(odd), None, "{odd}");
    }
}

#[test]
fn a_bounce_says_what_became_of_a_mail() {
    let report = |kind: &str, status: &str| {
        mail(&format!(
            "Content-Type: multipart/report; report-type={kind}; boundary=b\n\n--b\n\nHelaas.\n--b\nContent-Type: message/delivery-status\n\n{status}\n--b--\n"
        ))
        .delivery_status()
    };
    let check = |status: &str, failed: bool, code: &str, diagnostic: &str| {
        let expected = DeliveryStatus { failed, status: code.to_owned(), diagnostic: diagnostic.to_owned() };
        assert_eq!(report("delivery-status", status), Some(expected), "{status}");
    };
    let of = "Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b.example\n";
    check(
        &format!("{of}Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 no\n  such user\n"),
        true,
        "5.1.1",
        "550 5.1.1 no  such user",
    );
    check(&format!("{of}action:DELAYED\nStatus: 4.0.0\n"), false, "4.0.0", "");
    check(
        &format!("{of}Action: relayed\nStatus: 2.1.9\n\nFinal-Recipient: rfc822; c@d.example\nAction: failed\nStatus: 5.0.0\n"),
        true,
        "5.0.0",
        "",
    );
    check("zomaar", true, "", "");
    assert_eq!(report("disposition-notification", of), None);
    assert_eq!(mail("Subject: Afwezig\nAuto-Submitted: auto-replied\n\nIk ben er niet.").delivery_status(), None);
}

#[test]
fn a_mail_is_told_from_a_text() {
    let check = |text: &str, is_mail: bool| assert_eq!(looks_like_mail(text.as_bytes()), is_mail, "{text}");
    check("Subject: x\n\nbody", true);
    check("From someone Sat Nov 20\nDate: x\n\n", true);
    check("Naam: Jan\nWoonplaats: Ede\n\nHallo", false);
    check("Beste mevrouw,\n\nSubject: x", false);
    check("Subject: x\nFrom: y", true);
    check("", false);
}

#[test]
fn a_mail_is_taken_apart_for_reading() {
    let readable = mail(
        "Subject: x\nContent-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: multipart/alternative; boundary=a\n\n--a\n\ntekst\n--a\nContent-Type: text/html\n\n\
         <p>tekst</p>\n--a--\n--m\nContent-Type: image/png\nContent-ID: <c1>\nContent-Disposition: inline; filename=l.png\nContent-Transfer-Encoding: base64\n\nAAECAw==\n\
         --m\nContent-Type: message/rfc822\n\nSubject: binnen\n\nx\n--m--\n",
    )
    .readable();
    assert_eq!((readable.subject.as_str(), readable.text.as_deref(), readable.html.as_deref()), ("x", Some("tekst"), Some("<p>tekst</p>")));
    let files: Vec<_> = readable.files.iter().map(|f| (f.name.as_str(), &f.octets[..], f.content_id.as_deref(), f.inline)).collect();
    assert_eq!(files, [("l.png", &[0u8, 1, 2, 3][..], Some("c1"), true), ("binnen.eml", b"Subject: binnen\r\n\r\nx", None, false)]);
}

#[test]
fn where_decoding_is_doubtful_the_original_is_added() {
    let broken = mail("Subject: x\nContent-Type: multipart/mixed; boundary=m\n\n--m\n\ntekst\n");
    let readable = broken.readable();
    let last = readable.files.last().unwrap();
    assert_eq!((last.name.as_str(), &last.octets), ("bericht.eml", broken.octets()));
    let no_mail = Message::new(Bytes::from_static(b"zomaar"));
    assert_eq!(&no_mail.readable().files[0].octets, no_mail.octets());
}
