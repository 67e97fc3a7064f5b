//! Mail from the null sender, and from machines: nobody gets a mail about it, and `null_sender` says what becomes of it.

use crate::{
    loops::smtp_words,
    world::{ANNA, BURGER, World, contains, mail},
};
use zegel::record::{KeyRange, SealedMessage};

const BSN: &str = "Het BSN van mevrouw Bakker is 111222333.";

async fn world(words: &str) -> World {
    World::with(|folder| smtp_words(folder, words), |opened| opened).await
}

/// A bounce that quotes a mail of `author`.
pub fn bounce(author: &str) -> String {
    mail("Onbestelbaar", "").replace(
        "Content-Type: text/plain; charset=utf-8\r\n\r\n",
        &format!(
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nNiet bezorgd.\r\n--b\r\n\
             Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x.example\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\n\
             Action: failed\r\nStatus: 5.1.1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: {author}\r\nSubject: x\r\n\r\n{BSN}\r\n--b--\r\n"
        ),
    )
}

/// What became of a mail to somebody outside: passed, sealed or refused.
async fn fate(world: &World, from: &str, octets: &str) -> &'static str {
    let before = world.delivered_to(BURGER).len();
    if world.send(from, &[BURGER], octets.as_bytes()).await.code() != 250 {
        return "refused";
    }
    let came = world.mails_for(BURGER, before + 1).await;
    if contains(&came.last().unwrap().octets, b"111222333") { "passed" } else { "sealed" }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_configuration_says_what_becomes_of_the_null_senders_mail() {
    let (of_outside, of_ours, other) = (bounce(BURGER), bounce(ANNA), mail("Dossier", BSN));
    for (words, expected) in [
        ("", ["passed", "sealed", "sealed"]),
        ("null_sender = \"pass\"", ["passed", "passed", "passed"]),
        ("null_sender = \"protect\"", ["sealed", "sealed", "sealed"]),
        ("null_sender = \"refuse\"", ["refused", "refused", "refused"]),
    ] {
        let world = world(words).await;
        for (octets, expected) in [&of_outside, &of_ours, &other].into_iter().zip(expected) {
            assert_eq!(fate(&world, "", octets).await, expected, "{words}: {octets}");
        }
        // Nobody is left to tell, and what was sealed has no sender.
        assert_eq!(world.outside.mails().len(), world.delivered_to(BURGER).len(), "{words}: {:?}", world.subjects());
        for (key, record) in world.opened.store.list(&KeyRange::under("message"), 9).await.unwrap() {
            assert!(record.read::<SealedMessage>(&key).unwrap().sender.is_none());
        }
        // Only the null sender is meant.
        assert_eq!(world.send(ANNA, &[BURGER], mail("Vergadering", "Dinsdag.").as_bytes()).await.code(), 250, "{words}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_marks_a_mail_as_automatic_nobody_is_asked_or_told() {
    let world = World::new().await;
    for field in ["Auto-Submitted: auto-replied", "Precedence: bulk", "Precedence: auto_reply", "X-Auto-Response-Suppress: All"] {
        // Level 2 without a number would ask the sender for one.
        let octets = mail("Dossier", BSN).replace("MIME-Version", &format!("{field}\r\nMIME-Version"));
        assert_eq!(fate(&world, ANNA, &octets).await, "sealed", "{field}");
    }
    assert!(world.delivered_to(ANNA).is_empty(), "{:?}", world.subjects());
    for field in ["Auto-Submitted: no", "Precedence: list"] {
        let octets = mail("Dossier", BSN).replace("MIME-Version", &format!("{field}\r\nMIME-Version"));
        assert_eq!(world.send(ANNA, &[BURGER], octets.as_bytes()).await.code(), 250);
    }
    world.mails_for(ANNA, 2).await;
}
