//! `zegel run` as an operator meets it: reloads, the end, a second process, commands beside it, what it needs to start, and what it logs.

use crate::{
    process::{Zegel, command, configure, free_port, refused, refused_without_privilege, signal},
    world::{ANNA, BURGER, contains, listen, mail, send_to},
};
use std::{
    fs,
    io::{Read as _, Write as _},
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
};
use zegel::{
    demo::mailbox::Mailbox,
    smtp::{self, Budget, ServerOptions},
};

/// A configuration in a folder, and the mail server behind it.
struct Place {
    folder: TempDir,
    outside: Mailbox,
    gateway: SocketAddr,
    portal: String,
    _next_hop: watch::Sender<bool>,
}

impl Place {
    async fn new() -> Place {
        let (listener, hop) = listen().await;
        let folder = TempDir::new().unwrap();
        let (gateway, portal) = configure(folder.path(), hop);
        let (outside, next_hop) = take_mail(listener);
        Place { folder, outside, gateway, portal, _next_hop: next_hop }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.file(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Replaces `old`, which is there, by `new` in the configuration.
    fn change(&self, old: &str, new: &str) {
        let text = fs::read_to_string(self.file("zegel.toml")).unwrap();
        assert!(text.contains(old), "{text}");
        self.write("zegel.toml", &text.replace(old, new));
    }

    /// The code of the reply to a mail with this subject.
    async fn send(&self, subject: &str) -> u16 {
        send_to(self.gateway, ANNA, &[BURGER], mail(subject, "Tot dinsdag.").as_bytes()).await.code()
    }

    fn health(&self) -> u16 {
        health(&self.portal)
    }
}

fn health(portal: &str) -> u16 {
    get(portal.strip_prefix("http://").unwrap(), "/health").split(' ').nth(1).unwrap().parse().unwrap()
}

/// The whole answer of the server at `address`.
fn get(address: &str, path: &str) -> String {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    // Those who look after machines call them by their address.
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: 192.0.2.7:8080\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn take_mail(listener: TcpListener) -> (Mailbox, watch::Sender<bool>) {
    let outside = Mailbox::default();
    let options =
        ServerOptions { allow: vec!["127.0.0.0/8".parse().unwrap()], ..ServerOptions::new("outside.example", Budget::new(256 << 20)) };
    let (next_hop, stopped) = watch::channel(false);
    tokio::spawn(smtp::serve(listener, Arc::new(options), Arc::new(outside.clone()), stopped));
    (outside, next_hop)
}

/// A rule that looks for `word`.
fn rule(word: &str) -> String {
    format!("[rule]\nname = \"project\"\ntitle = \"Project\"\nword = \"{word}\"\n[examples]\nmatch = [\"{word}\"]\npass = [\"niets\"]\n")
}

/// Refuses what that rule finds.
const POLICIES: &str = "[[policy]]\nname = \"Project\"\nwhen = { rule = \"project\", to = \"external\" }\nthen = \"block\"\n\
                        [[policy]]\nname = \"Onleesbaar\"\nwhen = { problem = [\"encrypted\", \"damaged\"] }\nthen = \"level 1\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_faulty_reload_changes_nothing_and_a_good_one_holds_from_the_next_mail_on() {
    let place = Place::new().await;
    place.write("rules/project.toml", &rule("zeemeeuw"));
    place.write("policies/eigen.toml", POLICIES);
    let mut zegel = Zegel::run(place.path());
    assert_eq!((place.send("zeemeeuw").await, place.send("albatros").await), (550, 250));

    place.write("rules/project.toml", &rule("albatros").replace("title", "titel"));
    place.write("policies/eigen.toml", &POLICIES.replace("\"block\"", "\"blok\""));
    place.change("domains", "domain");
    signal(zegel.pid(), "HUP");
    zegel.wait_for("not reloaded: 5 faults");
    for fault in [
        "policies/eigen.toml:4: `then` can't be \"blok\"; did you mean \"block\"?",
        "rules/project.toml:1: `title` is missing; add ",
        "rules/project.toml:3: unknown word `titel`; did you mean `title`?",
        "zegel.toml:1: `domains` is missing; add ",
        "zegel.toml:3: unknown word `domain`; did you mean `domains`?",
    ] {
        assert!(zegel.said.iter().any(|line| line.contains(fault)), "{fault}\n{}", zegel.said.join("\n"));
    }
    assert_eq!((place.send("zeemeeuw").await, place.send("albatros").await), (550, 250));

    // Rules whose own examples fail are as faulty.
    place.change("domain ", "domains ");
    place.write("policies/eigen.toml", POLICIES);
    place.write("rules/project.toml", &rule("albatros").replace("\"niets\"", "\"de albatros\""));
    signal(zegel.pid(), "HUP");
    zegel.wait_for("not reloaded: 1 fault;");
    assert_eq!((place.send("zeemeeuw").await, place.send("albatros").await), (550, 250));

    place.write("rules/project.toml", &rule("albatros"));
    signal(zegel.pid(), "HUP");
    zegel.wait_for("INFO reloaded");
    assert_eq!((place.send("zeemeeuw").await, place.send("albatros").await), (250, 550));

    // So is a text of the organisation's own that could not be made when a mail needs it, and a key that anybody may read.
    place.write("templates/words/de.ftl", "home-title = Post\npassword-subject = { no-such }\n");
    place.write("dkim.pem", "x");
    place.change("[portal]", "[mail.dkim]\nselector = \"zegel\"\nkey = \"dkim.pem\"\n[portal]");
    fs::set_permissions(place.file("dkim.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    signal(zegel.pid(), "HUP");
    zegel.wait_for("not reloaded: 2 faults;");
    for fault in ["templates/words/de.ftl:2: the text `password-subject` cannot be made", "dkim.pem (mode 644); `chmod 600` it"] {
        assert!(zegel.said.iter().any(|line| line.contains(fault)), "{fault}\n{}", zegel.said.join("\n"));
    }
    zegel.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_names_what_waits_for_a_restart() {
    let place = Place::new().await;
    let mut zegel = Zegel::run(place.path());
    place.change("allow = [\"127.0.0.0/8\"]", "allow = [\"127.0.0.0/8\", \"192.0.2.0/24\"]");
    place.change("path = \"data\"", "path = \"elders\"");
    place.change("Gemeente Voorbeeld", "Gemeente Elders");
    signal(zegel.pid(), "HUP");
    zegel.wait_for("INFO reloaded");
    let told: Vec<_> = zegel.said.iter().filter_map(|line| line.split_once(" WARN ")).map(|(_, text)| text).collect();
    let stays = "has changed, and stays as it was until zegel is restarted";
    // The file of the SMS lies in the store.
    assert_eq!(told, [format!("[smtp] allow {stays}"), format!("[store] {stays}"), format!("[sms] {stays}")]);
    assert_eq!(place.send("[beveiligd] Besluit").await, 250);
    assert!(!place.file("elders").exists());
}

/// A client that says one thing at a time.
struct Client(BufReader<TcpStream>);

impl Client {
    async fn connect(address: SocketAddr) -> Client {
        let mut client = Client(BufReader::new(TcpStream::connect(address).await.unwrap()));
        assert_eq!(client.reply().await, "220");
        client
    }

    async fn say(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).await.unwrap();
    }

    /// The code of the next reply.
    async fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).await.unwrap() > 0, "the connection ends without a reply");
            if line.as_bytes().get(3) != Some(&b'-') {
                return line[..3].to_owned();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn told_to_end_it_finishes_the_mail_in_flight() {
    let place = Place::new().await;
    let mut zegel = Zegel::run(place.path());
    let mut idle = Client::connect(place.gateway).await;
    let mut client = Client::connect(place.gateway).await;
    for (command, code) in [
        ("EHLO mail.gemeente.example\r\n".to_owned(), "250"),
        (format!("MAIL FROM:<{ANNA}>\r\n"), "250"),
        (format!("RCPT TO:<{BURGER}>\r\n"), "250"),
        ("DATA\r\n".to_owned(), "354"),
    ] {
        client.say(&command).await;
        assert_eq!(client.reply().await, code, "{command}");
    }
    client.say("Subject: [beveiligd] Besluit\r\nFrom: ").await;
    signal(zegel.pid(), "TERM");
    zegel.wait_for("INFO stopping");
    assert_eq!(idle.reply().await, "421", "who has nothing under way is sent away at once");
    client.say(&format!("{ANNA}\r\n\r\nTot dinsdag.\r\n.\r\n")).await;
    assert_eq!(client.reply().await, "250");
    assert_eq!(client.reply().await, "421");
    drop((idle, client));
    zegel.wait_for("INFO stopped");
    assert!(TcpStream::connect(place.gateway).await.is_err());

    // What was acknowledged is kept, whether its notification left before the end or after the next start.
    drop(zegel);
    let zegel = Zegel::run(place.path());
    assert!(place.outside.wait_until(|mails| mails.iter().any(|m| m.link(&place.portal).is_some())).await);
    zegel.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_data_is_refused() {
    let place = Place::new().await;
    let zegel = Zegel::run(place.path());
    let text = fs::read_to_string(place.file("zegel.toml")).unwrap();
    let portal = place.portal.strip_prefix("http://").unwrap();
    let other = text.replace(&place.gateway.to_string(), &free_port().to_string()).replace(portal, &free_port().to_string());
    place.write("other.toml", &other);
    let (code, said) = refused(place.path(), "other.toml");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("zegel.lock") && said.contains(&format!("process {}", zegel.pid())) && said.contains("stop it first"), "{said}");
    // On the same ports the other is met there already.
    let (code, said) = refused(place.path(), "zegel.toml");
    assert!(code == 1 && said.contains(&format!("cannot listen on {}", place.gateway)) && said.contains("another zegel"), "{said}");
    // The first one has noticed nothing.
    assert_eq!((place.send("Vergadering").await, place.send("[beveiligd] Besluit").await), (250, 250));
    assert_eq!(command(place.path(), &["phone", "list"]).0, 0);
    zegel.terminate();
    assert!(place.outside.mails().iter().any(|m| m.subject() == "Vergadering"));
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_set_shown_and_forgotten_while_it_runs_and_while_it_does_not() {
    let place = Place::new().await;
    let phone = |arguments: &[&str]| command(place.path(), &[&["phone"], arguments].concat());
    let (code, _, said) = phone(&["set", BURGER, "0612345954"]);
    assert!(code == 1 && said.contains("there is no store yet") && !place.file("data/zegel.db").exists(), "{said}");

    let masked = "+31 6 ••••• 954";
    let walk = |how: &str| {
        let (code, shown, said) = phone(&["list"]);
        assert_eq!((code, shown.as_str(), said.as_str()), (0, "", "zegel: no numbers are known\n"), "{how}");
        let (code, shown, said) = phone(&["set", BURGER, "06-12345954"]);
        assert_eq!((code, shown), (0, format!("{BURGER}\t{masked}\n")), "{how}: {said}");
        let (code, shown, said) = phone(&["list"]);
        assert!(code == 0 && shown.starts_with(&format!("{BURGER}\t{masked}\t")) && shown.lines().count() == 1, "{how}: {shown}{said}");
        let (code, shown, said) = phone(&["forget", BURGER]);
        assert_eq!((code, shown), (0, format!("{BURGER}\tforgotten\n")), "{how}: {said}");
        let (code, _, said) = phone(&["forget", BURGER]);
        assert_eq!((code, said), (1, format!("zegel: no number is known for {BURGER}\n")), "{how}");
    };
    let zegel = Zegel::run(place.path());
    walk("while it runs");
    // Asked, not opened: the store has one owner.
    fs::remove_file(place.file("data/control.sock")).unwrap();
    let (code, _, said) = phone(&["list"]);
    assert!(code == 1 && said.contains("another zegel"), "{said}");
    zegel.terminate();
    walk("while it does not run");

    place.write(
        "numbers.csv",
        "\u{feff}email_address;full_name;phone_number\r\nburger@post.example;\"Burger; B.\";06-12345954\r\nfout;;061\r\n",
    );
    let import = |arguments: &[&str], expected: &str| {
        let (code, shown, said) = phone(&[&["import"], arguments].concat());
        assert_eq!((code, shown.as_str()), (1, expected), "{said}");
        assert!(said.contains("numbers.csv:3: email_address: an address looks like") && said.lines().count() == 1, "{said}");
    };
    import(&["--dry-run", "numbers.csv"], "dry run, nothing is written: 1 added, 0 changed, 0 known already, 1 rejected\n");
    import(&["numbers.csv"], "1 added, 0 changed, 0 known already, 1 rejected\n");
    let zegel = Zegel::run(place.path());
    import(&["numbers.csv"], "0 added, 0 changed, 1 known already, 1 rejected\n");
    assert!(phone(&["list"]).1.contains(masked));
    zegel.terminate();
    assert_eq!(phone(&["forget", BURGER]).0, 0);

    for wrong in [&["set", BURGER, "0201234567"][..], &["set", BURGER, "12"], &["set", "burger", "0612345954"], &["forget"], &[]] {
        assert_eq!(phone(wrong).0, 2, "{wrong:?}");
    }
    assert_eq!(command(TempDir::new().unwrap().path(), &["phone", "list"]).0, 2);

    // What was set by hand is used.
    assert_eq!(phone(&["set", BURGER, "0612345954"]).0, 0);
    let zegel = Zegel::run(place.path());
    let sensitive = mail("Dossier", "Het BSN van mevrouw Bakker is 111222333.");
    assert_eq!(send_to(place.gateway, ANNA, &[BURGER], sensitive.as_bytes()).await.code(), 250);
    let notified = |m: &zegel::demo::mailbox::Delivered| m.to.iter().any(|to| to.as_str() == BURGER);
    assert!(place.outside.wait_until(|mails| mails.iter().any(notified)).await);
    zegel.terminate();
}

/// What was moved away for a check and comes back.
fn away(path: &Path) -> PathBuf {
    let away = path.with_file_name("away");
    fs::rename(path, &away).unwrap();
    away
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_not_start_where_it_could_not_write() {
    let place = Place::new().await;
    Zegel::run(place.path()).terminate();
    for folder in ["data", "data/blobs", "data/blobs/7f", "keys"] {
        let may_write = |yes: bool| fs::set_permissions(place.file(folder), fs::Permissions::from_mode(if yes { 0o700 } else { 0o500 }));
        may_write(false).unwrap();
        let (code, said) = refused_without_privilege(place.path(), "zegel.toml");
        may_write(true).unwrap();
        assert_eq!(code, 1, "{said}");
        assert!(said.contains(&format!("{folder}: can't be written: Permission denied")) && said.contains("; let the user"), "{said}");
    }
    Zegel::run(place.path()).terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_not_start_without_what_opens_its_mail_and_names_the_file() {
    let place = Place::new().await;
    let zegel = Zegel::run(place.path());
    assert_eq!(place.send("[beveiligd] Besluit").await, 250);
    zegel.terminate();
    let (data, keys, master) = (place.file("data"), place.file("keys"), place.file("keys/master-1"));
    let day = fs::read_dir(&keys).unwrap().map(|e| e.unwrap().path()).find(|p| *p != master).expect("the key of a day");
    let check = |what: &str, words: &[&str]| {
        let (code, said) = refused(place.path(), "zegel.toml");
        let last = said.lines().last().unwrap_or_default();
        assert_eq!(code, 1, "{what}: {said}");
        assert!(last.starts_with("zegel: ") && last.contains("; ") && words.iter().all(|word| last.contains(word)), "{what}: {said}");
    };
    let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();

    for (key, words) in [(&master, ["keys/master-1: the master key is missing", "restore"]), (&day, ["the key of a day in use", "restore"])]
    {
        let gone = away(key);
        check("a key is missing", &words);
        fs::rename(gone, key).unwrap();
        mode(key, 0o640);
        check("others may read a key", &[key.file_name().unwrap().to_str().unwrap(), "others may read it (mode 640)", "chmod 600"]);
        mode(key, 0o600);
        let right = fs::read(key).unwrap();
        fs::write(key, "rommel").unwrap();
        check("a key is damaged", &[key.file_name().unwrap().to_str().unwrap(), "restore"]);
        fs::write(key, right).unwrap();
    }
    let right = fs::read(&master).unwrap();
    fs::write(&master, "5a".repeat(32)).unwrap();
    check("another store's master key", &["keys/master-1", "is not the master key", "restore"]);
    fs::write(&master, right).unwrap();

    mode(&keys, 0o777);
    check("others may write among the keys", &["keys: others may write in it (mode 777)", "chmod 700"]);
    mode(&keys, 0o700);

    let gone = away(&data);
    check("the data's disk is not mounted", &["data/zegel.db: is missing", "is its disk mounted?"]);
    assert!(!data.join("zegel.db").exists());
    fs::remove_dir_all(&data).unwrap();
    fs::rename(gone, &data).unwrap();
    let gone = away(&data.join("zegel.db"));
    check("the database is missing", &["data/zegel.db: is missing", "backup"]);
    fs::rename(&gone, data.join("zegel.db")).unwrap();

    // The configuration looks right, but the folder of the keys leads into that of the data.
    fs::rename(&keys, data.join("hidden")).unwrap();
    std::os::unix::fs::symlink(data.join("hidden"), &keys).unwrap();
    check("the keys lie within the data", &["keys: lies within the folder of the store"]);
    fs::remove_file(&keys).unwrap();
    fs::rename(data.join("hidden"), &keys).unwrap();

    // With everything back it is as if nothing had been.
    let zegel = Zegel::run(place.path());
    assert_eq!(place.send("[beveiligd] Besluit").await, 250);
    zegel.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_use_ends_with_2_and_a_fault_with_1() {
    let nowhere = TempDir::new().unwrap();
    for arguments in [&["run"][..], &["run", "--config", "missing.toml"], &["run", "--konfig", "x"]] {
        let (code, _, said) = command(nowhere.path(), arguments);
        assert!(code == 2 && !said.is_empty(), "{arguments:?}: {said}");
    }
    assert!(command(nowhere.path(), &["run"]).2.contains("`zegel init DIR`"));
    assert_eq!(fs::read_dir(nowhere.path()).unwrap().count(), 0);

    let place = Place::new().await;
    place.change("next_hop", "nexthop");
    place.write("rules/project.toml", &rule("zeemeeuw").replace("[rule]", "[rule"));
    place.write("policies/eigen.toml", &POLICIES.replace("external", "extern"));
    let (code, said) = refused(place.path(), "zegel.toml");
    let (_, checked, _) = command(place.path(), &["check", "--config", "zegel.toml"]);
    assert_eq!((code, &said), (1, &checked), "run says what check says");
    for file in ["zegel.toml:", "rules/project.toml:1: ", "policies/eigen.toml:3: "] {
        assert!(said.contains(file), "{said}");
    }
    assert!(!place.file("data").exists() && !place.file("keys").exists(), "nothing is made with a faulty configuration");
    // Here, beside a configuration, `check` without one says what it looks at.
    let (code, _, said) = command(place.path(), &["check"]);
    assert!(code == 0 && said.contains("built-in rules") && said.contains("--config"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_says_whether_mail_can_be_taken() {
    let place = Place::new().await;
    let zegel = Zegel::run(place.path());
    assert_eq!(place.health(), 200);
    let blobs = place.file("data/blobs");
    let gone = away(&blobs);
    assert_eq!(place.health(), 503);
    assert_eq!((place.send("Vergadering").await, place.send("[beveiligd] Besluit").await), (250, 452), "clean mail flows all the same");
    fs::rename(gone, &blobs).unwrap();
    assert_eq!((place.health(), place.send("[beveiligd] Besluit").await), (200, 250));
    zegel.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_next_hop_is_down_mail_stays_with_its_sender() {
    let folder = TempDir::new().unwrap();
    let hop = free_port();
    let (gateway, portal) = configure(folder.path(), hop);
    let mut zegel = Zegel::run(folder.path());
    for subject in ["Vergadering", "[beveiligd] Besluit"] {
        assert_eq!(send_to(gateway, ANNA, &[BURGER], mail(subject, "x").as_bytes()).await.code(), 451);
        zegel.wait_for("the next hop cannot be reached: a mail stays with its sender");
    }
    assert_eq!(health(&portal), 503);
    let (outside, _next_hop) = take_mail(TcpListener::bind(hop).await.unwrap());
    zegel.wait_for("the next hop can be reached again");
    assert_eq!(health(&portal), 200, "found without a mail");
    assert_eq!(send_to(gateway, ANNA, &[BURGER], mail("Vergadering", "x").as_bytes()).await.code(), 250);
    assert_eq!(outside.mails().len(), 1);
    zegel.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_is_counted_for_those_who_watch() {
    let place = Place::new().await;
    let metrics = free_port();
    let more = fs::read_to_string(place.file("zegel.toml")).unwrap() + &format!("[metrics]\nlisten = [\"{metrics}\"]\n");
    place.write("zegel.toml", &more);
    let zegel = Zegel::run(place.path());
    for subject in ["Vergadering", "[beveiligd] Besluit"] {
        assert_eq!(place.send(subject).await, 250);
    }
    // The notification leaves at a moment of its own.
    assert!(place.outside.wait_until(|mails| mails.len() == 2).await);
    // A commit is counted a moment after the row is gone.
    let is_over = |text: &String| text.contains("zegel_outbox_letters 0") && text.contains("fact=\"notified\"");
    let text = std::iter::repeat_with(|| get(&metrics.to_string(), "/metrics")).find(is_over).unwrap();
    for line in [
        "zegel_mails_total{outcome=\"relayed\"} 1",
        "zegel_mails_total{outcome=\"sealed\"} 1",
        "zegel_findings_total{rule=\"activation-word\"} 1",
        "zegel_events_total{fact=\"sealed\"} 1",
        "zegel_events_total{fact=\"notified\"} 1",
        "zegel_answer_seconds_count 2",
        "zegel_store_up 1",
    ] {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    assert!(!text.contains("post.example") && !text.contains("Besluit"), "{text}");
    assert!(get(&metrics.to_string(), "/").starts_with("HTTP/1.1 404 "));
    zegel.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_what_happens_and_nothing_of_whom_and_what() {
    let place = Place::new().await;
    let zegel = Zegel::run(place.path());
    let texts = ["Vertrouwelijk-dossier", "Het BSN van mevrouw Bakker is 111222333.", "#veilig 0612345954 Besluit"];
    for (subject, body) in [(texts[0], texts[1]), (texts[2], "Tot dinsdag."), ("Vergadering", "Tot dinsdag.")] {
        assert_eq!(send_to(place.gateway, ANNA, &[BURGER], mail(subject, body).as_bytes()).await.code(), 250);
    }
    assert_eq!(command(place.path(), &["phone", "set", "buur@post.example", "0612345955"]).0, 0);
    assert!(place.outside.wait_until(|mails| mails.len() == 3).await);
    let links: Vec<String> = place.outside.mails().iter().filter_map(|m| m.link(&place.portal)).collect();
    assert_eq!(links.len(), 2, "a number page and a notification");
    let log = zegel.terminate().join("\n");
    for word in ["sealed", "relayed", "level=2", "rules=bsn"] {
        assert!(log.contains(word), "{word}\n{log}");
    }
    let tokens = links.iter().map(|link| link.rsplit('/').next().unwrap());
    let people = ["anna", "burger", "buur", "Bakker", "12345954", "12345955"];
    for word in ["dossier", "Besluit", "Vergadering", "dinsdag", "111222333"].into_iter().chain(people).chain(tokens) {
        assert!(!contains(log.as_bytes(), word.as_bytes()), "{word} is in the log:\n{log}");
    }
}

/// What a client hears first.
async fn greeting(gateway: SocketAddr) -> String {
    let mut line = String::new();
    BufReader::new(TcpStream::connect(gateway).await.unwrap()).read_line(&mut line).await.unwrap();
    line
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_open_the_door_from_a_reload_on() {
    let place = Place::new().await;
    let made = rcgen::generate_simple_self_signed(vec!["gw.example".to_owned()]).unwrap();
    place.write("c.pem", &made.cert.pem());
    place.write("k.pem", &made.signing_key.serialize_pem());
    place.change("allow = [\"127.0.0.0/8\"]", "allow = [\"192.0.2.0/24\"]\ncertificate = \"c.pem\"\nkey = \"k.pem\"");
    let mut zegel = Zegel::run(place.path());
    assert!(greeting(place.gateway).await.starts_with("554 5.7.1 "));
    place.write("accounts", &format!("anna:{}\n", smtp::auth::hash_password("geheim")));
    fs::set_permissions(place.file("accounts"), fs::Permissions::from_mode(0o600)).unwrap();
    place.change("key = \"k.pem\"", "key = \"k.pem\"\naccounts = \"accounts\"");
    signal(zegel.pid(), "HUP");
    zegel.wait_for("INFO reloaded");
    assert!(greeting(place.gateway).await.starts_with("220 "));
    zegel.terminate();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_names_the_client_that_a_listed_mail_server_speaks_for() {
    let place = Place::new().await;
    place.change("allow = [\"127.0.0.0/8\"]", "allow = [\"127.0.0.0/8\"]\nxforward = [\"127.0.0.1/32\"]");
    let mut zegel = Zegel::run(place.path());
    let mut stream = BufReader::new(TcpStream::connect(place.gateway).await.unwrap());
    let text = mail("Vergadering", "Tot dinsdag.");
    for (said, until) in [
        (String::new(), "220 "),
        ("EHLO postfix.example\r\n".to_owned(), "250 "),
        ("XFORWARD NAME=spike.example ADDR=192.0.2.7 HELO=spike IDENT=4Xyz\r\n".to_owned(), "250 "),
        (format!("MAIL FROM:<{ANNA}>\r\n"), "250 "),
        (format!("RCPT TO:<{BURGER}>\r\n"), "250 "),
        (format!("BDAT {} LAST\r\n{text}", text.len()), "250 "),
    ] {
        stream.write_all(said.as_bytes()).await.unwrap();
        let mut line = String::new();
        while !line.starts_with(until) {
            line.clear();
            assert!(stream.read_line(&mut line).await.unwrap() > 0, "{said}");
        }
    }
    zegel.wait_for("client=spike.example[192.0.2.7] helo=spike ident=4Xyz");
    zegel.terminate();
}
