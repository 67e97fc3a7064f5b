//! Real mail servers as next hops, Exim and OpenSMTPD, and real clients, Exim and swaks. The servers lie in a folder of their own (`.ci/peers`),
//! which `ZEGEL_PEERS` names, and are run there by chroot; what is passed on ends in a sink of the test's.

use super::gateway::{Gateway, route};
use crate::{
    postfix::is_root,
    process::{free_port, has, wait_until_listening},
    sink::{Sink, Sunk},
    world::{ANNA, BURGER, BUUR, World, contains, mail, send_asking},
};
use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use zegel::{
    demo::mailbox::Delivered,
    smtp::client::{NextHop, Protocol, Routes},
};

/// Where the servers were unpacked.
fn peers() -> Option<PathBuf> {
    let root = std::env::var_os("ZEGEL_PEERS").map(PathBuf::from).filter(|root| root.join("complete").exists());
    assert!(root.is_some() || std::env::var_os("ZEGEL_REQUIRE_PROGRAMS").is_none(), "ZEGEL_PEERS names no folder that .ci/peers made");
    if root.is_none() {
        println!("LEFT OUT: ZEGEL_PEERS names no folder with Exim and OpenSMTPD (.ci/peers makes one)");
    }
    root.filter(|_| is_root())
}

/// A server of the test's own on loopback, ended with this value.
struct Peer {
    child: Child,
    address: SocketAddr,
    /// Its files, outside and inside its root.
    folder: PathBuf,
}

impl Peer {
    /// Runs a server in `root`; `arguments` is given a configuration's path there, and its text is made of the folder and the port.
    fn start(root: PathBuf, program: &str, arguments: &[&str], configuration: impl Fn(&str, u16) -> String) -> Peer {
        let address = free_port();
        let inside = format!("/tmp/peer-{}", address.port());
        let folder = root.join(&inside[1..]);
        fs::create_dir_all(&folder).unwrap();
        // Exim delivers as its own user.
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        fs::write(folder.join("conf"), configuration(&inside, address.port())).unwrap();
        let child = Command::new("chroot")
            .arg(root)
            .arg(program)
            .args(arguments)
            .arg(format!("{inside}/conf"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.join("stderr")).unwrap())
            .spawn()
            .expect("there is a chroot");
        wait_until_listening(address);
        Peer { child, address, folder }
    }

    fn exim(root: PathBuf, onward: SocketAddr) -> Peer {
        Peer::start(root, "/usr/sbin/exim4", &["-bdf", "-q1s", "-C"], |folder, port| {
            format!(
                "primary_hostname = exim.example\nlocal_interfaces = 127.0.0.1\ndaemon_smtp_ports = {port}\nspool_directory = {folder}/spool\n\
                 log_file_path = {folder}/%slog\npid_file_path = {folder}/pid\nacl_smtp_rcpt = rcpt\nacl_smtp_data = accept\n\
                 chunking_advertise_hosts = *\ndsn_advertise_hosts = *\nhost_lookup =\nrfc1413_hosts =\nkeep_environment =\n\
                 tls_advertise_hosts =\nsmtp_accept_max = 50\nbegin acl\nrcpt:\n  deny message = no such user\n       local_parts = nobody\n  accept\n\
                 begin routers\nall:\n  driver = manualroute\n  transport = onward\n  route_list = * 127.0.0.1 byname\n  self = send\n\
                 begin transports\nonward:\n  driver = smtp\n  port = {}\nbegin retry\n* * F,1h,1s\n",
                onward.port()
            )
        })
    }

    /// There is one at a time: its queue and its socket are at paths that cannot be chosen.
    fn opensmtpd(root: PathBuf, onward: SocketAddr) -> Peer {
        Peer::start(root, "/usr/sbin/smtpd", &["-d", "-f"], |_, port| {
            format!(
                "listen on 127.0.0.1 port {port} hostname smtpd.example\naction \"out\" relay host smtp://{onward}\n\
                 match from any for rcpt-to \"nobody@b.example\" reject\nmatch from any for any action \"out\"\n"
            )
        })
    }

    fn hop(&self) -> NextHop {
        NextHop::plain("127.0.0.1", self.address.port())
    }

    fn log(&self) -> String {
        ["mainlog", "stderr"].iter().filter_map(|name| fs::read_to_string(self.folder.join(name)).ok()).collect()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // SIGTERM: OpenSMTPD's first process takes its others along.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
        if std::thread::panicking() {
            println!("the next hop had said:\n{}", self.log());
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A hundred mails over four sessions at a time, and what is refused: each arrives once, its body as it was.
async fn a_hundred_mails(hop: NextHop, sink: &Sink) {
    let gateway = Arc::new(Gateway::start(Routes::only(hop, super::client_options())).await);
    let mut clients = JoinSet::new();
    for client in 0..4 {
        let gateway = gateway.clone();
        clients.spawn(async move {
            for n in (client..100).step_by(4) {
                assert_eq!(gateway.send(&[&format!("r{n}@b.example")]).await, "250");
            }
        });
    }
    while let Some(ended) = clients.join_next().await {
        ended.unwrap();
    }
    assert_eq!(gateway.send(&["nobody@b.example"]).await.split(' ').take(2).collect::<Vec<_>>(), ["RCPT", "550"]);
    assert!(gateway.send(&["nobody@b.example", "last@b.example"]).await.contains("DOT 250"));
    for n in 0..100 {
        tokio::time::timeout(Duration::from_secs(120), sink.wait_for_mail_to(&format!("r{n}@b.example"))).await.expect("it arrives");
    }
    tokio::time::timeout(Duration::from_secs(120), sink.wait_for_mail_to("last@b.example")).await.expect("it arrives");
    let mails = sink.mails();
    assert_eq!(mails.iter().map(|m| m.to.len()).sum::<usize>(), 101);
    assert!(mails.iter().all(|m| m.octets().ends_with(b"\r\n\r\n.een punt\r\nhallo\r\n")), "{mails:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn exim_takes_mail_in_chunks_and_hands_it_on_unchanged() {
    let Some(root) = peers() else { return };
    let sink = Sink::start().await;
    let exim = Peer::exim(root, sink.address());
    a_hundred_mails(exim.hop(), &sink).await;
    // Exim notes with a K what came by BDAT.
    assert!(exim.log().lines().filter(|l| l.contains(" <= ")).all(|l| l.contains(" K ")), "{}", exim.log());
}

/// Stands between a client and its server, and keeps what the client says: a list of octets a connection.
struct Tap {
    address: SocketAddr,
    said: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Tap {
    async fn before(server: SocketAddr) -> Tap {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tap = Tap { address: listener.local_addr().unwrap(), said: Arc::default() };
        let said = tap.said.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (mut from_client, mut to_client) = client.into_split();
                let (mut from_server, mut to_server) = TcpStream::connect(server).await.unwrap().into_split();
                tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
                let (said, mut octets) = (said.clone(), [0; 4096]);
                let connection = {
                    let mut said = said.lock().unwrap();
                    said.push(Vec::new());
                    said.len() - 1
                };
                tokio::spawn(async move {
                    while let Ok(count @ 1..) = from_client.read(&mut octets).await {
                        said.lock().unwrap()[connection].extend_from_slice(&octets[..count]);
                        to_server.write_all(&octets[..count]).await.unwrap();
                    }
                });
            }
        });
        tap
    }

    /// The chunks of each mail that was sent by BDAT to its last.
    fn chunked(&self) -> Vec<Vec<Vec<u8>>> {
        let mut mails = Vec::new();
        for said in &*self.said.lock().unwrap() {
            let (mut rest, mut chunks) = (&said[..], Vec::new());
            while let Some(end) = rest.windows(2).position(|w| w == b"\r\n") {
                let line = String::from_utf8_lossy(&rest[..end]).to_ascii_uppercase();
                rest = &rest[end + 2..];
                assert!(!line.starts_with("DATA"), "a mail came by DATA");
                let Some(size) = line.strip_prefix("BDAT ") else { continue };
                let size: usize = size.split(' ').next().unwrap().parse().unwrap();
                chunks.push(rest[..size].to_vec());
                rest = &rest[size..];
                if line.ends_with(" LAST") {
                    mails.push(std::mem::take(&mut chunks));
                }
            }
        }
        mails
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exim_sends_in_chunks_and_clean_mail_goes_on_unchanged_and_sensitive_mail_is_sealed() {
    let Some(root) = peers() else { return };
    for extensions in [&["PIPELINING", "8BITMIME"][..], &["PIPELINING", "8BITMIME", "CHUNKING"]] {
        let sink = Sink::start().await;
        sink.offers(extensions);
        let world = World::next_to(sink.address()).await;
        let tap = Tap::before(world.gateway).await;
        let exim = Peer::exim(root.clone(), tap.address);
        let lines = "een regel van een lange brief, met een é\r\n";
        let clean = [
            ("stip", mail("Stippen", ".\r\n..\r\n.een\r\n...\r\n\r\n.")),
            ("acht", mail("Acht bits", "Ik hoor het graag: één, à la carte, €")),
            // Exim's chunks have 8 KiB.
            ("groot", mail("Groot", &lines.repeat(5000))),
        ];
        for (name, octets) in &clean {
            let to: Vec<_> = (0..3).map(|n| format!("{name}{n}@b.example")).collect();
            let to: Vec<_> = to.iter().map(|to| (to.as_str(), "")).collect();
            assert_eq!(send_asking(exim.address, (ANNA, " BODY=8BITMIME"), &to, octets.as_bytes()).await.code(), 250);
        }
        let sensitive = mail("[beveiligd] Besluit", "Het besluit is positief.");
        assert_eq!(send_asking(exim.address, (ANNA, ""), &[(BURGER, ""), (BUUR, "")], sensitive.as_bytes()).await.code(), 250);

        let arrives = |to: String| {
            let sink = sink.clone();
            async move { tokio::time::timeout(Duration::from_secs(120), sink.wait_for_mail_to(&to)).await.expect("it arrives") }
        };
        for name in ["stip0", "acht0", "groot0"] {
            arrives(format!("{name}@b.example")).await;
        }
        for to in [BURGER, BUUR] {
            arrives(to.to_owned()).await;
        }
        let (sunk, sent) = (sink.mails(), tap.chunked());
        assert_eq!((sent.len(), sunk.len()), (4, 5), "four mails came in, three went on and two notifications out");
        for (name, octets) in &clean {
            unchanged(&sunk, &sent, name, octets);
        }
        for to in [BURGER, BUUR] {
            let notification = sunk.iter().find(|m| m.to == [to]).expect("each has his own");
            assert!(!contains(&notification.octets(), b"positief"));
            let came = Delivered { from: None, to: Vec::new(), octets: notification.octets().into() };
            let opening = world.open_link(&came.link(&world.portal).expect("a link")).await.expect("it opens");
            assert!(opening.holds("Het besluit is positief."));
        }
    }
}

/// The mail to `name` came once, to all three, as Exim had sent it in chunks, below our trace header.
fn unchanged(sunk: &[Sunk], sent: &[Vec<Vec<u8>>], name: &str, octets: &str) {
    let [came] = &sunk.iter().filter(|m| m.to.iter().any(|to| to.starts_with(name))).collect::<Vec<_>>()[..] else {
        panic!("{name}: once")
    };
    assert_eq!(came.to.len(), 3);
    let body = octets.split_once("\r\n\r\n").unwrap().1.as_bytes();
    let mine = |chunks: &&Vec<Vec<u8>>| chunks.concat().ends_with(body);
    let chunks = sent.iter().find(mine).expect("Exim sends the body as it is");
    assert_eq!(chunks.len() > 1, body.len() > 100_000, "{name}: {} chunks", chunks.len());
    let (came, chunks) = (came.octets(), chunks.concat());
    assert!(came.ends_with(&chunks), "{name}: not as it was sent");
    let above = String::from_utf8(came[..came.len() - chunks.len()].to_vec()).unwrap();
    assert!(above.starts_with("Received: from ") && above.matches("\r\n").count() == above.matches("\r\n\t").count() + 1, "{above}");
}

#[tokio::test(flavor = "multi_thread")]
async fn opensmtpd_takes_mail_without_pipelining_and_hands_it_on_unchanged() {
    let Some(root) = peers() else { return };
    let sink = Sink::start().await;
    let opensmtpd = Peer::opensmtpd(root, sink.address());
    a_hundred_mails(opensmtpd.hop(), &sink).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_exim_is_down_another_takes_its_place() {
    let Some(root) = peers() else { return };
    let sink = Sink::start().await;
    let exim = Peer::exim(root, sink.address());
    let backup = Sink::start().await;
    let hops = vec![exim.hop(), super::hop(&backup)];
    let gateway = Gateway::start(route(hops.clone())).await;
    assert_eq!(gateway.send(&["one@b.example"]).await, "250");
    sink.wait_for_mail_to("one@b.example").await;
    // The process of a connection that is open outlives its daemon, so no such connection is kept.
    gateway.goes_by(route(hops));
    drop(exim);
    assert_eq!(gateway.send(&["two@b.example"]).await, "250");
    assert_eq!((backup.mails().len(), sink.mails().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn swaks_sends_over_tls_and_in_one_write_through_every_kind_of_hop() {
    if !has("swaks") {
        return;
    }
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let tls = zegel::smtp::tls::server_config(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes()).unwrap();
    for (extensions, protocol) in [
        (&["PIPELINING", "8BITMIME"][..], Protocol::Smtp),
        (&["PIPELINING", "8BITMIME", "CHUNKING"], Protocol::Smtp),
        (&["8BITMIME"], Protocol::Lmtp),
    ] {
        let sink = Sink::start().await;
        sink.offers(extensions);
        let hop = NextHop { protocol, ..super::hop(&sink) };
        let options = zegel::smtp::ServerOptions { tls: Some(tls.clone()).into(), ..super::options() };
        let gateway = Gateway::start_with(Routes::only(hop, super::client_options()), options).await;
        for arguments in [&[][..], &["--tls"], &["--pipeline"], &["--tls", "--pipeline"]] {
            let before = sink.mails().len();
            let out = Command::new("swaks")
                .args(["--server", "127.0.0.1", "--port", &gateway.address.port().to_string(), "--helo", "client.example"])
                .args(["--from", "a@a.example", "--to", "b@b.example", "--body", "eerste regel\\n.tweede"])
                .args(arguments)
                .output()
                .expect("swaks is installed");
            assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stdout));
            let mails = sink.mails();
            assert_eq!(mails.len(), before + 1, "{arguments:?}");
            let octets = String::from_utf8(mails[before].octets()).unwrap();
            assert!(octets.contains("eerste regel\r\n.tweede"), "{arguments:?}: {octets}");
            assert_eq!(octets.contains("with ESMTPS id"), arguments.contains(&"--tls"), "{arguments:?}");
        }
    }
}
