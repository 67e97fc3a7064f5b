//! Learns what the next hops can do, and whether one that was down is well again.

use crate::smtp::client::Routes;
use arc_swap::ArcSwap;
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// How often a next hop that is down is tried. Whoever asks `/health` may send no mail meanwhile, and nothing else would find it well again.
const LOOK: Duration = Duration::from_secs(5);

/// What the next hops can do is offered to clients; until it is known, what nearly all can.
pub(super) fn learn(routes: &ArcSwap<Routes>) {
    let routes = routes.load_full();
    tokio::spawn(async move {
        if let Err(failure) = routes.learn().await {
            tracing::warn!("{failure}: until it can be used, mail stays with its senders");
        }
    });
}

/// Tries next hops that are down, until `shutdown` says true.
pub(super) async fn look_after(routes: Arc<ArcSwap<Routes>>, mut shutdown: watch::Receiver<bool>) {
    while !*shutdown.borrow() {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = shutdown.changed() => return,
        }
        let routes = routes.load_full();
        if routes.is_up() {
            continue;
        }
        tokio::select! {
            learnt = routes.learn() => if learnt.is_ok() {
                tracing::info!("the next hop can be reached again");
            },
            _ = shutdown.changed() => return,
        }
    }
}
