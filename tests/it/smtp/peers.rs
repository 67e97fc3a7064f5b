//! Real mail servers as next hops, Exim and OpenSMTPD, and a real client, swaks. The servers lie in a folder of their own (`.ci/peers`), which
//! `ZEGEL_PEERS` names, and are run there by chroot; what they pass on ends in a sink of the test's.

use super::gateway::{Gateway, route};
use crate::{
    postfix::is_root,
    process::{free_port, has, wait_until_listening},
    sink::Sink,
};
use std::{
    fs,
    net::SocketAddr,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::task::JoinSet;
use zegel::smtp::client::{NextHop, Protocol, Routes};

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
