//! The workers of a running zegel: they end with it, and whoever kills them harms no mail. What they can and can't do is in `tests/readers`.

use crate::{
    process::{Zegel, configure},
    processes::ended,
    world::{ANNA, BURGER, World, contains, mail, outside, send_to},
};
use std::{
    fs,
    io::Write as _,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use zegel::secret::random_below;

/// Mails, and clients that send them.
const MAILS: usize = 60;
const CLIENTS: usize = 4;

/// The processes that were started by `parent`.
fn workers(parent: u32) -> Vec<i32> {
    let parent = parent.to_string();
    let of_parent = |pid: &i32| parent_of(*pid).is_some_and(|of| of == parent);
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(of_parent).collect()
}

/// A process's parent, while it is there.
fn parent_of(pid: i32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(1).map(str::to_owned)
}

/// Refuses mail with an attachment that says `zeemeeuw`, and seals what can't be read.
fn configured(folder: &Path) {
    fs::create_dir(folder.join("rules")).unwrap();
    fs::create_dir(folder.join("policies")).unwrap();
    let rule =
        "[rule]\nname = \"project\"\ntitle = \"Project\"\nword = \"zeemeeuw\"\n[examples]\nmatch = [\"zeemeeuw\"]\npass = [\"niets\"]\n";
    let policies = "[[policy]]\nname = \"Project\"\nwhen = { rule = \"project\", to = \"external\" }\nthen = \"block\"\n\
                    [[policy]]\nname = \"Onleesbaar\"\nwhen = { problem = [\"encrypted\", \"damaged\", \"too-large\", \"timeout\"] }\nthen = \"level 1\"\n";
    fs::write(folder.join("rules/project.toml"), rule).unwrap();
    fs::write(folder.join("policies/eigen.toml"), policies).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_end_with_zegel_however_it_ends() {
    let folder = TempDir::new().unwrap();
    let (_outside, hop, _keep) = outside().await;
    let (gateway, _) = configure(folder.path(), hop);
    for end in [Zegel::terminate, Zegel::kill] {
        let zegel = Zegel::run(folder.path());
        let pid = zegel.pid();
        assert_eq!(send_to(gateway, ANNA, &[BURGER], octets(0).as_bytes()).await.code(), 250);
        let started = workers(pid);
        assert!(!started.is_empty(), "one has read the attachment");
        end(zegel);
        for worker in started {
            ended(worker).await;
        }
    }
}

/// A mail whose attachment says its number, and if that is odd the word that must not leave.
fn octets(n: usize) -> String {
    // Enough for a kill to meet its reader at work.
    let mut text = format!("bijlage {n} ").repeat(20_000);
    if !n.is_multiple_of(2) {
        text += "zeemeeuw";
    }
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("bijlage.txt", zip::write::SimpleFileOptions::default()).unwrap();
    archive.write_all(text.as_bytes()).unwrap();
    let archive = archive.finish().unwrap().into_inner();
    use base64::Engine as _;
    let lines: Vec<String> = base64::engine::general_purpose::STANDARD
        .encode(archive)
        .as_bytes()
        .chunks(76)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect();
    format!(
        "From: {ANNA}\r\nTo: n{n}@post.example\r\nSubject: Bericht\r\nMessage-ID: <w{n}@gemeente.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: application/zip; name=bijlage.zip\r\nContent-Disposition: attachment; filename=bijlage.zip\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}\r\n",
        lines.join("\r\n")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_are_killed_at_random_lose_no_mail_and_let_none_pass_unread() {
    let folder = TempDir::new().unwrap();
    let (outside, hop, _keep) = outside().await;
    let (gateway, _) = configure(folder.path(), hop);
    configured(folder.path());
    let zegel = Zegel::run(folder.path());
    let (pid, over, kills) = (zegel.pid(), Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let killer = {
        let (over, kills) = (over.clone(), kills.clone());
        tokio::spawn(async move {
            while !over.load(Ordering::SeqCst) {
                for worker in workers(pid) {
                    let worker = rustix::process::Pid::from_raw(worker).unwrap();
                    if random_below(4) == 0 && rustix::process::kill_process(worker, rustix::process::Signal::KILL).is_ok() {
                        kills.fetch_add(1, Ordering::SeqCst);
                    }
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
    };
    let mut clients = tokio::task::JoinSet::new();
    for client in 0..CLIENTS {
        clients.spawn(async move {
            let mut answers = Vec::new();
            for n in (client..MAILS).step_by(CLIENTS) {
                // As its server does, until it is taken or refused for good.
                let code = loop {
                    let code = send_to(gateway, ANNA, &[&format!("n{n}@post.example")], octets(n).as_bytes()).await.code();
                    if code / 100 != 4 {
                        break code;
                    }
                };
                answers.push((n, code));
            }
            answers
        });
    }
    let answers = clients.join_all().await.concat();
    over.store(true, Ordering::SeqCst);
    killer.await.unwrap();

    assert!(kills.load(Ordering::SeqCst) > 0);
    for (n, code) in &answers {
        assert!(*code == 250 || (*code == 550 && !n.is_multiple_of(2)), "mail {n}: {code}");
    }
    let to = |n: &usize| format!("n{n}@post.example");
    let taken: Vec<_> = answers.iter().filter(|(_, code)| *code == 250).map(|(n, _)| *n).collect();
    let came = outside.wait_until(|mails| taken.iter().all(|n| mails.iter().any(|m| m.to.iter().any(|a| a.as_str() == to(n))))).await;
    assert!(came, "a mail that was taken is lost");
    let mails = outside.mails();
    let in_clear = |n: &usize| mails.iter().any(|m| m.to.iter().any(|a| a.as_str() == to(n)) && contains(&m.octets, b"bijlage.zip"));
    let passed: Vec<_> = (0..MAILS).filter(|n| !n.is_multiple_of(2) && in_clear(n)).collect();
    assert!(passed.is_empty(), "unread, and passed: {passed:?}");
    let (read, sealed) =
        (answers.iter().filter(|(n, code)| *code == 550 || in_clear(n)).count(), taken.iter().filter(|n| !in_clear(n)).count());
    println!("{} kills, {MAILS} mails: {read} read, {sealed} sealed since both tries were killed", kills.load(Ordering::SeqCst));
    // And now in peace.
    for n in [MAILS, MAILS + 1] {
        let code = send_to(gateway, ANNA, &[&to(&n)], octets(n).as_bytes()).await.code();
        assert_eq!(code, if n.is_multiple_of(2) { 250 } else { 550 });
    }
    zegel.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_workers_mail_with_attachments_waits_and_other_mail_goes() {
    let world = World::tuned(|_| {}, |config| config.readers.program = "/nowhere/zegel".into(), |opened| opened).await;
    assert_eq!(world.send(ANNA, &[BURGER], octets(0).as_bytes()).await.code(), 451);
    assert_eq!(world.send(ANNA, &[BURGER], mail("Vergadering", "Tot dinsdag.").as_bytes()).await.code(), 250);
    assert_eq!(world.mails_for(BURGER, 1).await.len(), 1);
}
