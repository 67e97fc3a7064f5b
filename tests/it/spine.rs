//! The main job: what becomes of a mail, told from outside.

use crate::world::{ANNA, BURGER, BUUR, COLLEGA, World, contains, mail};
use std::time::Duration;
use zegel::{
    record::{KeyRange, Level},
    smtp::Enhanced,
};

const SECRET: &str = "Het BSN van mevrouw Bakker is 111222333.";

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_mail_goes_on_byte_for_byte_under_one_trace_header() {
    let world = World::new().await;
    let clean = mail("Vergadering", ".\r\n..\r\nDinsdag om half acht.\t \r\n.x");
    let reply = world.send(ANNA, &[BURGER, COLLEGA], clean.as_bytes()).await;
    assert_eq!(reply.code(), 250, "{reply}");
    let [came] = &world.mails_for(BURGER, 1).await[..] else { panic!("once") };
    assert!(came.octets.ends_with(clean.as_bytes()), "{}", String::from_utf8_lossy(&came.octets));
    let above = String::from_utf8_lossy(&came.octets[..came.octets.len() - clean.len()]).into_owned();
    assert!(above.starts_with("Received: from ") && above.matches("\r\n").count() == above.matches("\r\n\t").count() + 1, "{above}");
    assert_eq!(came.to.len(), 2);
    assert!(
        world
            .opened
            .store
            .list(&KeyRange { from: String::new(), to: "~".into() }, 10)
            .await
            .unwrap()
            .iter()
            .all(|(k, _)| k.as_str().starts_with("canary/") || k.as_str().starts_with("sweep/"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sensitive_mail_is_sealed_and_only_the_link_opens_it() {
    let world = World::new().await;
    let reply =
        world.send(ANNA, &[BURGER, BUUR], mail("[beveiligd] Uw dossier", "Alleen voor u: het besluit is positief.").as_bytes()).await;
    assert_eq!(reply.code(), 250, "{reply}");
    for to in [BURGER, BUUR] {
        let [came] = &world.mails_for(to, 1).await[..] else { panic!("one notification each: {:?}", world.subjects()) };
        assert!(!contains(&came.octets, b"besluit"));
        assert_eq!(came.to.len(), 1, "each recipient has a notification of his own");
        let opening = world.open_link(&came.link(&world.portal).expect("a link")).await.expect("it opens");
        assert!(opening.holds("het besluit is positief") && opening.card.subject == "Uw dossier");
        assert_eq!(opening.grant.level, Level::One);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_message_lies_in_its_record_and_a_long_one_in_a_file() {
    let world = World::new().await;
    let blobs = || walkdir(&world.folder.path().join("data/blobs")).len();
    world.send(ANNA, &[BURGER], mail("[beveiligd] Kort", "Het besluit is positief.").as_bytes()).await;
    assert_eq!(blobs(), 0);
    world.send(ANNA, &[BUUR], mail("[beveiligd] Lang", &"Het besluit is positief.\r\n".repeat(400)).as_bytes()).await;
    assert_eq!(blobs(), 1);
    for to in [BURGER, BUUR] {
        let link = world.mails_for(to, 1).await[0].link(&world.portal).unwrap();
        assert!(world.open_link(&link).await.unwrap().holds("Het besluit is positief."));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn internal_recipients_get_the_original_and_external_ones_a_notification() {
    let world = World::new().await;
    let sensitive = mail("Dossier", SECRET);
    world.send(ANNA, &[COLLEGA, BURGER], sensitive.as_bytes()).await;
    let inside = &world.mails_for(COLLEGA, 1).await[0];
    assert!(inside.octets.ends_with(sensitive.as_bytes()));
    // Nobody knows the burger's number: the sender is asked, and nothing leaves.
    let asked = &world.mails_for(ANNA, 1).await[0];
    assert!(!contains(&asked.octets, b"111222333"));
    assert!(world.delivered_to(BURGER).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_sent_again_notifies_nobody_twice() {
    let world = World::new().await;
    let sensitive = mail("[beveiligd] Besluit", "Het besluit is positief.");
    for _ in 0..3 {
        assert_eq!(world.send(ANNA, &[BURGER], sensitive.as_bytes()).await.code(), 250);
    }
    // Another mail's notification leaves after theirs.
    world.send(ANNA, &[BUUR], mail("[beveiligd] Ander", "x").as_bytes()).await;
    world.mails_for(BUUR, 1).await;
    assert_eq!(world.delivered_to(BURGER).len(), 1, "{:?}", world.subjects());
    // To somebody else it is another mail.
    assert_eq!(world.send(ANNA, &[BUUR], sensitive.as_bytes()).await.code(), 250);
    world.mails_for(BUUR, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bounce_is_sealed_at_level_one_at_most_and_nobody_is_asked() {
    let world = World::new().await;
    let reply = world.send("", &[BURGER], mail("Uit kantoor", SECRET).as_bytes()).await;
    assert_eq!(reply.code(), 250, "{reply}");
    let came = &world.mails_for(BURGER, 1).await[0];
    assert!(came.from.is_none() && !contains(&came.octets, b"111222333"));
    assert_eq!(world.open_link(&came.link(&world.portal).unwrap()).await.unwrap().grant.level, Level::One);
    assert!(world.delivered_to(ANNA).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_outside_is_never_asked_for_a_number() {
    let world = World::new().await;
    let reply = world.send("vreemde@elders.example", &[BURGER], mail("Dossier", SECRET).as_bytes()).await;
    assert_eq!(reply.code(), 550, "{reply}");
    assert!(world.outside.mails().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_goes_in_circles_is_refused() {
    let world = World::new().await;
    let hops = "Received: from a by b; Mon, 12 Oct 2026 09:30:00 +0200\r\n".repeat(51);
    assert_eq!(world.send(ANNA, &[BURGER], (hops + &mail("x", "y")).as_bytes()).await.code(), 554);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_cannot_be_read_is_never_passed_as_clean() {
    let world = World::new().await;
    let broken = mail("Bijlage", "").replace("text/plain; charset=utf-8", "multipart/mixed; boundary=\"a\"")
        + "--a\r\nContent-Type: application/pdf; name=\"x.pdf\"\r\nContent-Disposition: attachment; filename=\"x.pdf\"\r\n\r\n%PDF-1.7 broken\r\n--a--\r\n";
    assert_eq!(world.send(ANNA, &[BURGER], broken.as_bytes()).await.code(), 250);
    let came = &world.mails_for(BURGER, 1).await[0];
    assert!(!contains(&came.octets, b"%PDF"), "what can't be read is sealed");
}

#[tokio::test(flavor = "multi_thread")]
async fn held_mail_that_nobody_released_is_told_to_its_sender() {
    let world = World::new().await;
    world.send(ANNA, &[BURGER], mail("Dossier", SECRET).as_bytes()).await;
    world.mails_for(ANNA, 1).await;
    world.clock.advance(Duration::from_secs(7 * 24 * 3600 + 60));
    world.running.parts.sweep.round().await.unwrap();
    let told = &world.mails_for(ANNA, 2).await[1];
    assert!(told.text().contains(BURGER), "{}", told.text());
    assert!(world.delivered_to(BURGER).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_its_last_day_a_message_is_gone_with_its_key() {
    let world = World::new().await;
    world.send(ANNA, &[BURGER], mail("[beveiligd] Besluit", "Het besluit is positief.").as_bytes()).await;
    let link = world.mails_for(BURGER, 1).await[0].link(&world.portal).unwrap();
    assert!(world.open_link(&link).await.is_some());
    let long = "Het besluit is positief.\r\n".repeat(400);
    world.send(ANNA, &[BUUR], mail("[beveiligd] Besluit", &long).as_bytes()).await;
    world.clock.advance(Duration::from_secs(33 * 24 * 3600));
    world.running.parts.sweep.round().await.unwrap();
    assert!(world.open_link(&link).await.is_none());
    let tombstones = world.opened.store.list(&KeyRange::under("message"), 9).await.unwrap();
    assert!(tombstones.len() == 2 && tombstones.iter().all(|(_, record)| !record.value.contains("sealed_card")), "nothing sealed is left");
    let keys: Vec<_> = std::fs::read_dir(world.folder.path().join("keys")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(keys.iter().all(|k| !k.to_string_lossy().starts_with("20")), "the key of the day is destroyed: {keys:?}");
    let blobs = walkdir(&world.folder.path().join("data/blobs"));
    assert!(blobs.is_empty(), "{blobs:?}");
}

fn walkdir(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() { files.extend(walkdir(&entry.path())) } else { files.push(entry.path()) }
    }
    files
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_too_large_for_memory_is_sealed_whole_and_relayed_whole_to_those_who_may_have_it() {
    let world = World::with(
        |folder| {
            std::fs::create_dir(folder.join("policies")).unwrap();
            let policy = "[[policy]]\nname = \"woord\"\nwhen = { rule = \"activation-word\", to = \"external\" }\nthen = \"level 1\"\n\
                          [[policy]]\nname = \"onleesbaar\"\nwhen = { problem = [\"damaged\"], to = \"external\" }\nthen = \"level 1\"\n";
            std::fs::write(folder.join("policies/test.toml"), policy).unwrap();
        },
        |opened| opened,
    )
    .await;
    let line = "Een lange regel zonder iets bijzonders, vele malen herhaald.\r\n";
    let text = mail("[beveiligd] Verslag", &format!("{}Het einde.", line.repeat(160_000)));
    assert_eq!(world.send(ANNA, &[BURGER, COLLEGA], text.as_bytes()).await.code(), 250);
    assert!(world.mails_for(COLLEGA, 1).await[0].octets.ends_with(text.as_bytes()));
    let link = world.mails_for(BURGER, 1).await[0].link(&world.portal).unwrap();
    let opening = world.open_link(&link).await.unwrap();
    let sealed = &opening.parts[0];
    assert!(sealed.len() > 9 << 20 && sealed.trim_ascii_end().ends_with(b"Het einde."));
    let left: Vec<_> = std::fs::read_dir(world.folder.path().join("data")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with(".spill")), "{left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_whose_header_has_no_end_is_refused_for_good_before_it_is_parsed() {
    let world = World::new().await;
    let (body, to) = (mail("Vergadering", "Dinsdag."), ANNA);
    // In memory, and as one that goes to a file.
    for size in [600 << 10, 9 << 20] {
        let fields = "a:b\r\n".repeat(size / 5);
        let reply = world.send(ANNA, &[BURGER], format!("{fields}{body}").as_bytes()).await;
        assert_eq!((reply.code(), reply.enhanced()), (552, Some(Enhanced(5, 3, 4))), "{reply}");
    }
    let long = format!("{}{body}", "X-Lang: een veld van een programma dat er veel schrijft\r\n".repeat(4000));
    assert_eq!(world.send(ANNA, &[to], long.as_bytes()).await.code(), 250);
    assert_eq!(world.mails_for(to, 1).await.len(), 1);
    assert!(world.delivered_to(BURGER).is_empty());
}
