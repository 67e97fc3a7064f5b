//! Postfix's own test tools: smtp-sink as a next hop that fails as it is told, smtp-source as a client.

use super::gateway::{Gateway, route};
use crate::{
    postfix::is_root,
    process::{free_port, has, wait_until_listening},
};
use std::{
    net::SocketAddr,
    process::{Child, Command, Stdio},
};
use zegel::smtp::client::NextHop;

/// A smtp-sink, ended with this value.
struct SmtpSink {
    child: Child,
    address: SocketAddr,
}

impl SmtpSink {
    fn start(options: &[&str]) -> SmtpSink {
        let address = free_port();
        let mut command = Command::new("smtp-sink");
        if is_root() {
            command.args(["-u", "nobody"]);
        }
        let child = command
            .args(options)
            .args([&address.to_string(), "100"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("smtp-sink is installed");
        wait_until_listening(address);
        SmtpSink { child, address }
    }

    async fn gateway(&self) -> Gateway {
        Gateway::start(route(vec![NextHop::plain("127.0.0.1", self.address.port())])).await
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// smtp-sink's option, the command at which it acts (`.` is the end of the body), and what the client hears where.
const FAULTS: &[(&str, &str, &str)] = &[
    // Refused for good.
    ("-f", "CONNECT", "MAIL 451"),
    ("-f", "EHLO", "250"),
    ("-f", "MAIL", "MAIL 500"),
    ("-f", "RCPT", "RCPT 500"),
    ("-f", "DATA", "DOT 500"),
    ("-f", ".", "DOT 500"),
    // Refused for now.
    ("-r", "MAIL", "MAIL 450"),
    ("-r", "RCPT", "RCPT 450"),
    ("-r", "DATA", "DOT 450"),
    ("-r", ".", "DOT 450"),
    // Hung up on without a word.
    ("-q", "CONNECT", "MAIL 451"),
    ("-q", "MAIL", "MAIL 451"),
    ("-q", "RCPT", "RCPT 451"),
    ("-q", "DATA", "DOT 451"),
    ("-q", ".", "DOT 451"),
    // Hung up on with 421.
    ("-Q", "MAIL", "MAIL 4"),
    ("-Q", "RCPT", "RCPT 4"),
    ("-Q", "DATA", "DOT 4"),
    ("-Q", ".", "DOT 4"),
];

#[tokio::test(flavor = "multi_thread")]
async fn whatever_smtp_sink_does_wrong_the_client_hears_in_time() {
    if !has("smtp-sink") {
        return;
    }
    for (option, at, expected) in FAULTS {
        let sink = SmtpSink::start(&[option, at]);
        let heard = sink.gateway().await.send(&["b@b.example"]).await;
        assert!(heard.starts_with(expected), "{option} {at}: {heard}, not {expected}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn smtp_source_sends_through_whatever_smtp_sink_does_not_offer() {
    if !has("smtp-source") {
        return;
    }
    // As it is, without ESMTP, without PIPELINING, without 8BITMIME, without enhanced codes.
    for options in [&[][..], &["-e"], &["-p"], &["-8"], &["-E"]] {
        let sink = SmtpSink::start(options);
        let gateway = sink.gateway().await;
        for session in [&["-d"][..], &[]] {
            let sent = Command::new("smtp-source")
                .args(session)
                .args(["-s", "5", "-m", "50", "-l", "5120", "-f", "a@a.example", "-t", "b@b.example", &gateway.address.to_string()])
                .output()
                .expect("smtp-source is installed");
            // It fails on the first reply that is not 2yz.
            assert!(sent.status.success(), "{options:?} {session:?}: {}", String::from_utf8_lossy(&sent.stderr));
        }
    }
}
