//! The data folder, the master key and the keys of the days together open no message whose mails have left. Tried by an independent decoder.

use crate::{
    openly::until,
    policies::{ASK, SECRET, press, write},
    process::has,
    sink::{Act, Sink},
    world::{ANNA, BURGER, World, mail},
};
use std::{path::Path, process::Command, time::Duration};
use zegel::record::KeyRange;

/// Debian's own Python: the one that apt's python3-cryptography is for.
const PYTHON: &str = "/usr/bin/python3";

const BODY: &str = "Het besluit is positief, zegt de commissie.";

fn decoder(folder: &Path, token: Option<&str>) -> serde_json::Value {
    let out = Command::new(PYTHON)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/decoder.py"))
        .arg(folder.join("data"))
        .arg(folder.join("keys"))
        .args(token)
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).unwrap()
}

fn can_run() -> bool {
    let there = has(PYTHON) && Command::new(PYTHON).args(["-c", "import cryptography"]).status().is_ok_and(|s| s.success());
    assert!(there || std::env::var_os("ZEGEL_REQUIRE_PROGRAMS").is_none(), "python3-cryptography is not installed");
    if !there {
        println!("LEFT OUT: python3-cryptography is not installed");
    }
    there
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_openly_opens_by_its_row_until_the_next_hop_has_it_and_by_nothing_then() {
    if !can_run() {
        return;
    }
    let hop = Sink::start().await;
    let world = World::next_to_writing(hop.address(), |folder| write(folder, ASK)).await;
    assert_eq!(world.send(ANNA, &[BURGER], mail("Dossier", SECRET).as_bytes()).await.code(), 250);
    hop.wait_for_mail_to(ANNA).await;
    let text = zegel::message::Message::new(hop.mails()[0].octets().into()).readable().text.unwrap();
    let link = text.split_whitespace().find(|word| word.contains("/n/")).unwrap().to_owned();
    hop.fails("RCPT TO:<burger", Act::Reply("451 4.2.0 busy".to_owned()));
    press(&link, &[("choice", "open"), ("reason", "mag")]).await;
    let stolen = decoder(world.folder.path(), None);
    let counts = |stolen: &serde_json::Value| ["reminders", "by_letters", "messages"].map(|name| stolen[name].as_array().unwrap().len());
    assert_eq!((counts(&stolen), stolen["openly"].as_u64()), ([0, 1, 0], Some(1)), "{stolen}");
    hop.heals();
    world.clock.advance(Duration::from_secs(3600));
    world.running.parts.wake.notify_one();
    hop.wait_for_mail_to(BURGER).await;
    until(async || world.opened.store.list(&KeyRange::under("openly"), 1).await.unwrap().is_empty()).await;
    let stolen = decoder(world.folder.path(), None);
    assert_eq!((counts(&stolen), stolen["openly"].as_u64()), ([0, 0, 0], Some(0)), "{stolen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_disk_with_all_its_keys_opens_nothing_that_was_delivered() {
    if !can_run() {
        return;
    }
    let world = World::new().await;
    world.send(ANNA, &[BURGER], mail("[beveiligd] Besluit", BODY).as_bytes()).await;
    let link = world.mails_for(BURGER, 1).await[0].link(&world.portal).unwrap();
    // Held: its sender has been asked for a number.
    world.send(ANNA, &[BURGER], mail("Dossier", "Het BSN is 111222333.").as_bytes()).await;
    world.mails_for(ANNA, 1).await;
    // The rows of these mails go with the commit after the next hop's 250: stopping waits for that.
    let World { running, opened, folder, .. } = world;
    running.stop().await;
    assert!(opened.store.list(&KeyRange::under("outbox"), 1).await.unwrap().is_empty());

    let stolen = decoder(folder.path(), None);
    assert_eq!(stolen["messages"], serde_json::json!([]), "{stolen}");
    assert_eq!(stolen["letters"], serde_json::json!([]), "{stolen}");
    // What reminds the sender of a held message has its link: SECURITY.md says so. That opens the held one, and no other.
    assert_eq!(
        (&stolen["reminders"], stolen["by_letters"].as_array().map(Vec::len)),
        (&serde_json::json!([true, true]), Some(1)),
        "{stolen}"
    );
    // The decoder is a real one: it takes off the outer layers, and with the link it reads.
    assert_eq!((stolen["grants"].as_u64(), stolen["outer_layers"].as_u64()), (Some(2), Some(2)), "{stolen}");
    let opened = decoder(folder.path(), link.rsplit('/').next());
    assert_eq!(opened["card"]["subject"], "Besluit");
    assert!(opened["parts"].as_object().unwrap().values().any(|t| t.as_str().unwrap().contains(BODY)), "{opened}");
}
