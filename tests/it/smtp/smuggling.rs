//! Nothing but CRLF.CRLF ends a mail, and what holds a bare CR or LF leads to no mail at all.

use super::{Raw, start};
use crate::sink::Sink;

/// What would follow if the octets before it were taken for the end of the mail.
const SMUGGLED: &[u8] = b"MAIL FROM:<evil@a.example>\r\nRCPT TO:<victim@b.example>\r\nDATA\r\nevil\r\n.\r\n";

/// Sends `octets` as a body, in two writes cut at `split`, and returns the reply.
async fn send(raw: &mut Raw, octets: &[u8], split: usize) -> String {
    raw.begins().await;
    raw.send(&octets[..split]).await;
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    raw.send(&octets[split..]).await;
    raw.reply().await
}

#[tokio::test]
async fn no_row_of_the_table_smuggles_a_mail_wherever_it_is_cut() {
    let sink = Sink::start().await;
    let running = start(&sink).await;
    let rows: &[&[u8]] = &[
        b"\n.\n",
        b"\r\n.\n",
        b"\r.\r",
        b"\r.\r\n",
        b"\r\n.\r",
        b"\n.\r\n",
        b"\r\n.\r\r\n",
        b"\r\n.\r\r\r\n",
        b"\r\r\n",
        b"\n",
        b"\r",
        b"\n\r\n",
        b"\r\0\n",
    ];
    for row in rows {
        let octets = [b"Subject: x\r\n\r\nb".as_slice(), row, SMUGGLED].concat();
        for split in 0..=octets.len() {
            let mut raw = Raw::ready(running.address).await;
            let reply = send(&mut raw, &octets, split).await;
            assert!(reply.starts_with("550 5.6.11 "), "{:?} cut at {split}: {reply}", row.escape_ascii().to_string());
            // Client and server agree about where the mail ended.
            assert!(raw.says("NOOP").await.starts_with("250 "));
        }
    }
    // CR CRLF . CRLF is an exact end; what follows are commands, and they say what they say.
    let ends = b"Subject: x\r\n\r\nb\r\r\n.\r\n";
    for split in 0..=ends.len() {
        let mut raw = Raw::ready(running.address).await;
        assert!(send(&mut raw, ends, split).await.starts_with("550 5.6.11 "));
        assert!(raw.says("NOOP").await.starts_with("250 "));
    }
    assert_eq!(sink.mails(), []);
    assert!(!sink.commands().iter().any(|c| c.contains("evil") || c == "DATA"), "the next hop heard of it");
}

#[tokio::test]
async fn no_row_of_the_table_smuggles_a_mail_by_bdat_wherever_its_chunks_are_cut() {
    let sink = Sink::start().await;
    let running = start(&sink).await;
    for row in [b"\r\n.\r\n".as_slice(), b"\n.\n", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r\r\n"] {
        let octets = [b"Subject: x\r\n\r\nb".as_slice(), row, SMUGGLED].concat();
        let before = sink.mails().len();
        for cut in (0..octets.len()).step_by(3) {
            let mut raw = Raw::ready(running.address).await;
            let (a, b) = octets.split_at(cut);
            let first = [format!("BDAT {}\r\n", a.len()).as_bytes(), a].concat();
            let last = [format!("BDAT {} LAST\r\n", b.len()).as_bytes(), b].concat();
            raw.send(&[b"MAIL FROM:<a@a.example>\r\nRCPT TO:<b@b.example>\r\n", &first[..], &last].concat()).await;
            let mut replies = [String::new(), String::new(), String::new(), String::new()];
            for reply in &mut replies {
                *reply = raw.reply().await;
            }
            if row == b"\r\n.\r\n" {
                // Octets like any others: the mail arrives whole, its dots doubled where DATA carries it on.
                assert!(replies[3].starts_with("250 "), "{replies:?}");
                assert!(sink.mails().last().unwrap().octets().ends_with(&octets));
            } else {
                assert!(replies.iter().any(|r| r.starts_with("550 5.6.11 ")) && !replies[3].starts_with("250 "), "{replies:?}");
                assert_eq!(sink.mails().len(), before);
            }
            assert!(raw.says("NOOP").await.starts_with("250 "));
        }
    }
    assert!(!sink.commands().iter().any(|c| c.contains("evil")), "the next hop heard of it");
}

#[tokio::test]
async fn what_is_accepted_arrives_octet_by_octet_behind_one_received_field() {
    let sink = Sink::start().await;
    let running = start(&sink).await;
    let bodies: &[(&[u8], &[u8])] = &[
        (b".\r\n", b""),
        (b"..x\r\n.\r\n", b".x\r\n"),
        (b"Subject: caf\xe9\r\n\r\n\xff\x80\x81\r\n..\r\n...\r\n.\r\n", b"Subject: caf\xe9\r\n\r\n\xff\x80\x81\r\n.\r\n..\r\n"),
        (b"A: b\r\n c\r\n\r\n \t \r\n\r\n\r\n.\r\n", b"A: b\r\n c\r\n\r\n \t \r\n\r\n\r\n"),
    ];
    let mut count = 0;
    for (wire, body) in bodies {
        for split in 0..=wire.len() {
            let mut raw = Raw::ready(running.address).await;
            let reply = send(&mut raw, wire, split).await;
            assert_eq!(reply, "250 2.0.0 ok: queued as S1\n");
            count += 1;
            let sunk = sink.mails().last().unwrap().octets();
            let text = String::from_utf8_lossy(&sunk).into_owned();
            assert_eq!(sink.mails().len(), count);
            assert!(
                text.starts_with("Received: from client.example ([127.0.0.1])\r\n\tby gw.example (zegel) with ESMTP id ID;\r\n"),
                "{text}"
            );
            let header =
                sunk.windows(2).enumerate().filter(|(i, w)| *w == b"\r\n" && sunk.get(i + 2) != Some(&b'\t')).map(|(i, _)| i + 2).next();
            assert_eq!(&sunk[header.unwrap()..], *body, "{:?}", wire.escape_ascii().to_string());
        }
    }
}

#[tokio::test]
async fn a_large_mail_arrives_octet_by_octet() {
    let sink = Sink::start().await;
    let running = start(&sink).await;
    let mut body = Vec::new();
    for line in 0..60_000u32 {
        body.extend_from_slice(match line % 7 {
            0 => b".dot\r\n".as_slice(),
            1 => b"\r\n",
            2 => b"..\r\n",
            _ => b"some octets \xe9 that are no secret at all and fill a line\r\n",
        });
    }
    let mut wire = Vec::new();
    for line in body.split_inclusive(|b| *b == b'\n') {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    wire.extend_from_slice(b".\r\n");
    let mut raw = Raw::ready(running.address).await;
    raw.begins().await;
    raw.send(&wire).await;
    assert!(raw.reply().await.starts_with("250 "));
    let sunk = sink.mails()[0].octets();
    assert_eq!(&sunk[sunk.len() - body.len()..], body);
    assert_eq!(running.options.budget.free(), 64 << 20, "the room is given back");
}
