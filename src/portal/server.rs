//! The portal as a site: what it remembers while it runs, and who is let in.

use super::{
    Portal, answer,
    guard::{Addresses, Guest},
    session::Seen,
};
use crate::http::{self, HttpLimits};
use axum::{
    body::Body,
    http::{Request, Response},
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, atomic::AtomicUsize},
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
};

/// A portal with what it remembers while it runs.
pub(super) struct Desk {
    pub(super) portal: Arc<Portal>,
    /// Who is connected, and how many forms came from where.
    pub(super) addresses: Addresses,
    /// Which sessions were used lately.
    pub(super) seen: Seen,
    /// Hashes that may run.
    pub(super) hashing: Arc<Semaphore>,
    /// Mails whose HTML may be made harmless.
    pub(super) making: Arc<Semaphore>,
    /// Replies that may come in.
    pub(super) replying: Semaphore,
    /// Hashes that run or wait.
    pub(super) hashes: AtomicUsize,
}

impl Desk {
    pub(super) fn new(portal: Arc<Portal>) -> Desk {
        let hashing = Arc::new(Semaphore::new(portal.limits.hashing.max(1)));
        let making = Arc::new(Semaphore::new(portal.limits.making.max(1)));
        let replying = Semaphore::new(portal.limits.replies);
        Desk { replying, addresses: Addresses::default(), seen: Seen::default(), hashing, making, hashes: AtomicUsize::new(0), portal }
    }
}

/// Serves the portal until `shutdown` says true; answers under way are finished.
pub async fn serve(listener: TcpListener, portal: Arc<Portal>, shutdown: watch::Receiver<bool>) {
    let limits = portal.limits;
    let limits = HttpLimits {
        connections: limits.connections,
        head_time: limits.head_time,
        stall_time: limits.stall_time,
        drain_time: limits.drain_time,
    };
    http::serve("portal", listener, limits, Arc::new(Desk::new(portal)), shutdown).await;
}

impl http::Site for Desk {
    type Guest = Guest;

    fn admit(&self, peer: IpAddr) -> Option<Guest> {
        self.addresses.admit(peer, self.portal.limits.connections_per_address)
    }

    async fn answer(self: Arc<Self>, peer: SocketAddr, request: Request<Body>) -> Response<Body> {
        answer::answer(self, peer, request).await
    }
}
