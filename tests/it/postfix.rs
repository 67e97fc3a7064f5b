//! A real Postfix sends through zegel: as its relay host, and as its before-queue proxy filter.

use crate::{
    process::{Zegel, configure, free_port, has},
    world::{contains, outside, send_to},
};
use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};
use tempfile::TempDir;
use zegel::demo::mailbox::Delivered;

/// How Postfix is told of zegel.
#[derive(Clone, Copy)]
pub enum Way {
    /// `relayhost`: from its queue.
    Relayhost,
    /// `smtpd_proxy_filter`: before its queue, while its own client waits.
    ProxyFilter,
}

/// A Postfix of the test's own on loopback, ended with this value.
pub struct Postfix {
    child: Child,
    master: u32,
    pub address: SocketAddr,
}

impl Postfix {
    pub fn start(folder: &Path, zegel: SocketAddr, way: Way) -> Postfix {
        let folder = folder.join("postfix");
        for inner in ["conf", "queue", "data", "log"] {
            fs::create_dir_all(folder.join(inner)).unwrap();
        }
        let address = free_port();
        fs::write(folder.join("conf/main.cf"), main_cf(&folder, zegel, way)).unwrap();
        fs::write(folder.join("conf/master.cf"), master_cf(address)).unwrap();
        let own = |path: &str, owner: &str| assert!(Command::new("chown").arg(owner).arg(folder.join(path)).status().unwrap().success());
        own("data", "postfix");
        // Its processes run as another user and must get through to their queue.
        for path in [folder.parent().unwrap(), folder.as_path()] {
            assert!(Command::new("chmod").arg("755").arg(path).status().unwrap().success());
        }
        let child = Command::new("postfix")
            .arg("-c")
            .arg(folder.join("conf"))
            .arg("start-fg")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("postfix is installed");
        crate::process::wait_until_listening(address);
        let master = fs::read_to_string(folder.join("queue/pid/master.pid")).unwrap().trim().parse().unwrap();
        Postfix { child, master, address }
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        // Its master takes its other processes along.
        let _ = Command::new("kill").arg(self.master.to_string()).status();
        let _ = self.child.wait();
    }
}

fn main_cf(folder: &Path, zegel: SocketAddr, way: Way) -> String {
    let path = folder.display();
    let (host, port) = (zegel.ip(), zegel.port());
    let way = match way {
        Way::Relayhost => format!("relayhost = [{host}]:{port}\n"),
        Way::ProxyFilter => format!("smtpd_proxy_filter = {host}:{port}\nrelayhost = [{host}]:9\n"),
    };
    format!(
        "compatibility_level = 3.6\nqueue_directory = {path}/queue\ndata_directory = {path}/data\ncommand_directory = /usr/sbin\n\
         daemon_directory = /usr/lib/postfix/sbin\nmail_owner = postfix\nsetgid_group = postdrop\nmaillog_file = {path}/log/mail.log\n\
         maillog_file_prefixes = {path}\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nmyhostname = mail.gemeente.example\nmydestination =\n\
         local_recipient_maps =\nalias_maps =\nmynetworks = 127.0.0.0/8\nsmtpd_relay_restrictions = permit_mynetworks, reject\n\
         smtpd_peername_lookup = no\ndisable_dns_lookups = yes\nsmtp_dns_support_level = disabled\nsmtp_tls_security_level = none\n\
         minimal_backoff_time = 1s\nmaximal_backoff_time = 5s\nqueue_run_delay = 1s\n{way}"
    )
}

fn master_cf(address: SocketAddr) -> String {
    let mut services = format!("{address} inet n - n - - smtpd\n");
    for (name, kind, command) in [
        ("pickup", "unix n - n 60 1", "pickup"),
        ("cleanup", "unix n - n - 0", "cleanup"),
        ("qmgr", "unix n - n 300 1", "qmgr"),
        ("tlsmgr", "unix - - n 1000? 1", "tlsmgr"),
        ("rewrite", "unix - - n - -", "trivial-rewrite"),
        ("bounce", "unix - - n - 0", "bounce"),
        ("defer", "unix - - n - 0", "bounce"),
        ("trace", "unix - - n - 0", "bounce"),
        ("verify", "unix - - n - 1", "verify"),
        ("flush", "unix n - n 1000? 0", "flush"),
        ("proxymap", "unix - - n - -", "proxymap"),
        ("smtp", "unix - - n - -", "smtp"),
        ("relay", "unix - - n - -", "smtp"),
        ("error", "unix - - n - -", "error"),
        ("retry", "unix - - n - -", "error"),
        ("discard", "unix - - n - -", "discard"),
        ("anvil", "unix - - n - 1", "anvil"),
        ("scache", "unix - - n - 1", "scache"),
        ("postlog", "unix-dgram n - n - 1", "postlogd"),
    ] {
        services.push_str(&format!("{name} {kind} {command}\n"));
    }
    services
}

/// One mail of the mixed load.
struct Sent {
    octets: Vec<u8>,
    /// Recipients who must get it as it is.
    clean: Vec<String>,
    /// Recipients who must get one notification and never the text.
    sealed: Vec<String>,
    marker: String,
}

/// Mails of many kinds: clean ones with awkward lines, sealed ones at both levels, and mixed recipients.
fn load(count: usize) -> Vec<Sent> {
    (0..count)
        .map(|n| {
            let marker = format!("merkteken-{n:04}-{}", "x".repeat(n % 30));
            let (subject, clean, sealed): (String, Vec<String>, Vec<String>) = match n % 5 {
                0 | 1 => (format!("Bericht {n}"), vec![format!("c{n}@post.example")], vec![]),
                2 => (format!("[beveiligd] Bericht {n}"), vec![], vec![format!("s{n}@post.example"), format!("t{n}@post.example")]),
                3 => (format!("#veilig 0612345678 Bericht {n}"), vec![], vec![format!("s{n}@post.example")]),
                _ => (format!("BSN-loos bericht {n}"), vec![format!("c{n}@post.example"), format!("d{n}@post.example")], vec![]),
            };
            let to: Vec<_> = clean.iter().chain(&sealed).map(String::as_str).collect();
            let to = to.join(", ");
            let long = "L".repeat(998 - marker.len());
            let body = format!("{marker}{long}\r\n.een punt\r\n..\r\n \t\r\n\u{e9}\u{20ac} acht bits\r\n{}", "regel\r\n".repeat(n % 40));
            let octets = format!(
                "From: Anna <anna@gemeente.example>\r\nTo: {to}\r\nSubject: {subject}\r\nDate: Mon, 12 Oct 2026 09:30:00 +0200\r\n\
                 Message-ID: <{marker}@gemeente.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
                 Content-Transfer-Encoding: 8bit\r\n\r\n{body}"
            );
            Sent { octets: octets.into_bytes(), clean, sealed, marker }
        })
        .collect()
}

async fn five_hundred_mails(way: Way) {
    if !has("postfix") || !is_root() {
        return;
    }
    let folder = TempDir::new().unwrap();
    let (outside, hop, _keep) = outside().await;
    let (smtp, _) = configure(folder.path(), hop);
    let zegel = Zegel::run(folder.path());
    let postfix = Postfix::start(folder.path(), smtp, way);

    let sent = Arc::new(load(500));
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..8 {
        let (sent, to) = (sent.clone(), postfix.address);
        clients.spawn(async move {
            for mail in sent.iter().skip(client).step_by(8) {
                let all: Vec<&str> = mail.clean.iter().chain(&mail.sealed).map(String::as_str).collect();
                let reply = send_to(to, "anna@gemeente.example", &all, &mail.octets).await;
                assert_eq!(reply.code(), 250, "{reply}");
            }
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    let wanted: usize = sent.iter().map(|s| s.clean.len() + s.sealed.len()).sum();
    let arrived = |mails: &[Delivered]| mails.iter().map(|m| m.to.len()).sum::<usize>();
    for _ in 0..10 {
        // Each wait ends after half a minute; Postfix's queue may need more.
        if outside.wait_until(|mails| arrived(mails) >= wanted).await {
            break;
        }
    }
    // Nothing more follows: a last mail comes behind everything.
    send_to(postfix.address, "anna@gemeente.example", &["laatste@post.example"], &load(1)[0].octets).await;
    outside.wait_until(|mails| mails.iter().any(|m| m.to.iter().any(|a| a.as_str() == "laatste@post.example"))).await;
    drop(postfix);
    zegel.terminate();

    let mut by_recipient: BTreeMap<String, Vec<Delivered>> = BTreeMap::new();
    for mail in outside.mails() {
        for to in &mail.to {
            by_recipient.entry(to.to_string()).or_default().push(mail.clone());
        }
    }
    for mail in sent.iter() {
        for to in &mail.clean {
            let [came] = &by_recipient[to][..] else { panic!("{to} got {} mails", by_recipient[to].len()) };
            assert!(came.octets.ends_with(&mail.octets), "{to}: changed on its way");
        }
        for to in &mail.sealed {
            let came = by_recipient.get(to).map_or(&[][..], |m| m);
            let [came] = came else { panic!("{to} got {} notifications", came.len()) };
            assert!(!contains(&came.octets, mail.marker.as_bytes()), "{to}: in the clear");
        }
    }
}

pub fn is_root() -> bool {
    let root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout == b"0\n");
    if !root {
        println!("LEFT OUT: Postfix needs root");
    }
    root
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_mails_through_postfix_with_zegel_as_relayhost() {
    five_hundred_mails(Way::Relayhost).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_mails_through_postfix_with_zegel_as_proxy_filter() {
    five_hundred_mails(Way::ProxyFilter).await;
}
