//! The data folder, the master key and the keys of the days together open no message whose mails have left. Tried by an independent decoder.

use crate::{
    process::has,
    world::{ANNA, BURGER, World, mail},
};
use std::{path::Path, process::Command};
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
    // The decoder is a real one: it takes off the outer layers, and with the link it reads.
    assert_eq!((stolen["grants"].as_u64(), stolen["outer_layers"].as_u64()), (Some(2), Some(2)), "{stolen}");
    let opened = decoder(folder.path(), link.rsplit('/').next());
    assert_eq!(opened["card"]["subject"], "Besluit");
    assert!(opened["parts"].as_object().unwrap().values().any(|t| t.as_str().unwrap().contains(BODY)), "{opened}");
}
