//! Mails that are too large for memory.

use super::{Raw, client_options, hop, options, start_with};
use crate::sink::Sink;
use tempfile::TempDir;
use zegel::smtp::{Budget, ServerOptions, SpillFolder, client::Pool};

const DISK: u64 = 1 << 30;

/// Lines with dots in all places where they matter, of which no two are the same.
fn text(octets: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(octets + 100);
    for number in 0.. {
        if text.len() >= octets {
            break;
        }
        text.extend_from_slice(format!(".{number} {}\r\n..\r\n", "x.".repeat(number % 40)).as_bytes());
    }
    text
}

fn on_the_wire(text: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    for line in text.split_inclusive(|b| *b == b'\n') {
        if line.starts_with(b".") {
            wire.push(b'.');
        }
        wire.extend_from_slice(line);
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

fn with(budget: u64, spill: Option<SpillFolder>) -> ServerOptions {
    ServerOptions { budget: Budget::new(budget), spill, ..options() }
}

async fn announces(raw: &mut Raw, parameters: &str) {
    raw.send(format!("MAIL FROM:<a@a.example>{parameters}\r\nRCPT TO:<b@b.example>\r\nDATA\r\n").as_bytes()).await;
    for code in ["250", "250", "354"] {
        let reply = raw.reply().await;
        assert!(reply.starts_with(code), "{reply}");
    }
}

#[tokio::test]
async fn a_large_mail_passes_octet_by_octet_and_leaves_nothing_on_the_disk_or_in_memory() {
    let (sink, place) = (Sink::start().await, TempDir::new().unwrap());
    let folder = SpillFolder::new(place.path(), DISK);
    let running = start_with(with(64 << 20, Some(folder.clone())), Pool::new(hop(&sink), client_options())).await;
    let text = text(20 << 20);
    for parameters in ["", " SIZE=22000000"] {
        let mut raw = Raw::ready(running.address).await;
        announces(&mut raw, parameters).await;
        raw.send(&on_the_wire(&text)[..text.len() / 2]).await;
        // What is held of it now is a block or so, and the file has no name.
        while folder.free() == DISK {
            tokio::task::yield_now().await;
        }
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
        raw.send(&on_the_wire(&text)[text.len() / 2..]).await;
        assert!(raw.reply().await.starts_with("250 "));
        let mail = sink.mails().pop().unwrap().octets();
        assert!(mail.ends_with(&text) && mail.starts_with(b"Received: "), "the mail was changed");
        assert!(raw.says("NOOP").await.starts_with("250 "));
        assert_eq!((running.options.budget.free(), folder.free()), (64 << 20, DISK));
    }
}

#[tokio::test]
async fn mails_that_together_have_no_room_in_memory_go_to_the_disk_instead_of_waiting() {
    let (sink, place) = (Sink::start().await, TempDir::new().unwrap());
    let folder = SpillFolder::new(place.path(), DISK);
    // Room for two of them, if they stayed in memory.
    let running = start_with(with(8 << 20, Some(folder.clone())), Pool::new(hop(&sink), client_options())).await;
    let text = text(3 << 20);
    let wire = on_the_wire(&text);
    let mut clients = Vec::new();
    for _ in 0..10 {
        let mut raw = Raw::ready(running.address).await;
        announces(&mut raw, "").await;
        raw.send(&wire[..wire.len() - 3]).await;
        clients.push(raw);
    }
    for raw in &mut clients {
        raw.send(&wire[wire.len() - 3..]).await;
        assert!(raw.reply().await.starts_with("250 "));
        assert!(raw.says("NOOP").await.starts_with("250 "));
    }
    assert!(sink.mails().iter().all(|m| m.octets().ends_with(&text)));
    assert_eq!((sink.mails().len(), running.options.budget.free(), folder.free()), (10, 8 << 20, DISK));
}

#[tokio::test]
async fn with_a_disk_that_takes_nothing_or_little_large_mail_flows_through_memory() {
    let (sink, place) = (Sink::start().await, TempDir::new().unwrap());
    let text = text(12 << 20);
    for folder in [SpillFolder::new(place.path().join("missing"), DISK), SpillFolder::new(place.path(), 9 << 20)] {
        let free = folder.free();
        let running = start_with(with(64 << 20, Some(folder.clone())), Pool::new(hop(&sink), client_options())).await;
        for parameters in ["", " SIZE=22000000"] {
            let mut raw = Raw::ready(running.address).await;
            announces(&mut raw, parameters).await;
            raw.send(&on_the_wire(&text)).await;
            assert!(raw.reply().await.starts_with("250 "));
            assert!(sink.mails().pop().unwrap().octets().ends_with(&text));
            assert!(raw.says("NOOP").await.starts_with("250 "));
            assert_eq!((running.options.budget.free(), folder.free()), (64 << 20, free));
        }
    }
}

#[tokio::test]
async fn a_large_body_that_is_refused_or_abandoned_leaves_nothing() {
    let (sink, place) = (Sink::start().await, TempDir::new().unwrap());
    let folder = SpillFolder::new(place.path(), DISK);
    let options = ServerOptions { max_size: 11 << 20, ..with(64 << 20, Some(folder.clone())) };
    let running = start_with(options, Pool::new(hop(&sink), client_options())).await;
    let text = text(10 << 20);
    let bare = [&text[..], b"a bare\nLF\r\n.\r\n"].concat();
    let too_large = on_the_wire(&[&text[..], &text[..]].concat());
    for (octets, code) in [(bare, "550 5.6.11 "), (too_large, "552 5.3.4 ")] {
        let mut raw = Raw::ready(running.address).await;
        announces(&mut raw, "").await;
        raw.send(&octets).await;
        assert!(raw.reply().await.starts_with(code));
        assert!(raw.says("NOOP").await.starts_with("250 "));
        assert_eq!((running.options.budget.free(), folder.free()), (64 << 20, DISK));
    }
    let mut raw = Raw::ready(running.address).await;
    announces(&mut raw, "").await;
    raw.send(&text).await;
    drop(raw);
    while running.options.sessions() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!((sink.mails().len(), running.options.budget.free(), folder.free()), (0, 64 << 20, DISK));
}
