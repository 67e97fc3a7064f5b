//! A whole gateway before next hops of the test's own: what a client hears of them.

use super::{Raw, client_options};
use crate::world::gateway;
use arc_swap::ArcSwap;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::sync::watch;
use zegel::{
    clock::{Clock as _, SystemClock},
    config,
    gateway::{Entrance, Times},
    smtp::{
        self, ServerOptions,
        client::{ClientOptions, NextHop, Routes},
    },
    store::{self, StoreOptions},
};

pub(super) const BODY: &str = "Subject: x\r\n\r\n.een punt\r\nhallo\r\n";

pub(super) struct Gateway {
    pub(super) address: SocketAddr,
    routes: Arc<ArcSwap<Routes>>,
    _folder: TempDir,
    _stop: watch::Sender<bool>,
}

impl Gateway {
    pub(super) async fn start(routes: Routes) -> Gateway {
        Gateway::start_with(routes, super::options()).await
    }

    pub(super) async fn start_with(routes: Routes, server: ServerOptions) -> Gateway {
        let folder = TempDir::new().unwrap();
        let opened = store::open(&StoreOptions::new(folder.path().join("data"), folder.path().join("keys"), SystemClock.now())).unwrap();
        let routes = Arc::new(ArcSwap::from_pointee(routes));
        let inner = gateway(routes.clone(), opened, config::built_in().unwrap(), Times::default());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(smtp::serve(listener, Arc::new(server), Arc::new(Entrance(Arc::new(inner))), stopped));
        Gateway { address, routes, _folder: folder, _stop: stop }
    }

    /// Other routes, from the next transaction on.
    pub(super) fn goes_by(&self, routes: Routes) {
        self.routes.store(Arc::new(routes));
    }

    /// Sends a mail to these recipients, one command at a time: what the client heard first that was no success, and at which command; or
    /// `250` for the mail. Recipients that are refused are left out as long as others are accepted.
    pub(super) async fn send(&self, to: &[&str]) -> String {
        let mut raw = Raw::ready(self.address).await;
        let heard = raw.says("MAIL FROM:<a@a.example>").await;
        if !heard.starts_with('2') {
            return format!("MAIL {}", code(&heard));
        }
        let mut refused = String::new();
        let mut accepted = 0;
        for to in to {
            let heard = raw.says(&format!("RCPT TO:<{to}>")).await;
            match heard.starts_with('2') {
                true => accepted += 1,
                false => refused = format!("RCPT {}", code(&heard)),
            }
        }
        if accepted == 0 {
            return refused;
        }
        let heard = raw.says("DATA").await;
        assert!(heard.starts_with("354"), "{heard}");
        let stuffed = BODY.replace("\r\n.", "\r\n..");
        raw.send(format!("{stuffed}.\r\n").as_bytes()).await;
        let heard = raw.reply().await;
        if heard.starts_with('2') && refused.is_empty() { "250".to_owned() } else { format!("{refused}DOT {}", code(&heard)) }
    }
}

/// The code and the enhanced code.
fn code(reply: &str) -> String {
    reply.split([' ', '-']).take(2).collect::<Vec<_>>().join(" ")
}

/// One route over hops that are given up soon.
pub(super) fn route(hops: Vec<NextHop>) -> Routes {
    Routes::new(hops, Vec::new(), impatient())
}

/// Short enough to be waited for, long enough for a busy machine.
pub(super) fn impatient() -> ClientOptions {
    ClientOptions { reply_time: Duration::from_millis(400), failures: 1000, ..client_options() }
}
