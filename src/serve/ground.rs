//! What all roles stand on, and how they are made and started.

use super::{
    Listeners, Swappable, next_hops,
    scrape::{self, Scrape},
};
use crate::{
    clock::Clock,
    control,
    gateway::{self, Direct, Entrance, Gateway, Texts},
    http,
    metrics::Metrics,
    outbox::{self, Outbox, Tray},
    portal::{self, Portal},
    sandbox::Reader,
    sms, smtp,
    store::Opened,
    sweep::{self, Sweep},
};
use std::{
    path::Path,
    sync::{Arc, Mutex},
};
use tokio::{
    sync::{Notify, Semaphore, watch},
    task::JoinSet,
};

/// Those who play the roles.
pub(super) struct Players {
    pub(super) gateway: Arc<Gateway>,
    pub(super) portal: Arc<Portal>,
    pub(super) outbox: Arc<Outbox>,
    pub(super) tray: Tray,
    pub(super) sweep: Arc<Sweep>,
}

/// What all roles stand on.
pub(super) struct Ground<'a> {
    pub(super) swappable: &'a Swappable,
    pub(super) opened: &'a Opened,
    /// The folder of the store.
    pub(super) folder: &'a Path,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) wake: Arc<Notify>,
    pub(super) metrics: Arc<Metrics>,
}

impl Ground<'_> {
    /// Starts all roles; they end when they are told to stop.
    pub(super) fn roles(&self, listeners: Listeners, players: Players) -> (JoinSet<()>, watch::Sender<bool>) {
        let Players { gateway, portal, outbox, tray, sweep } = players;
        let (server, routes) = (&self.swappable.server, &self.swappable.routes);
        let (stop, stopped) = watch::channel(false);
        let mut roles = JoinSet::new();
        for listener in listeners.smtp {
            roles.spawn(smtp::serve(listener, server.clone(), Arc::new(Entrance(gateway.clone())), stopped.clone()));
        }
        for listener in listeners.portal {
            roles.spawn(portal::serve(listener, portal.clone(), stopped.clone()));
        }
        for listener in listeners.metrics {
            let (metrics, opened) = (self.metrics.clone(), self.opened.clone());
            let scrape = Scrape { metrics, opened, server: server.clone(), routes: routes.clone(), texts: gateway.texts.clone() };
            roles.spawn(http::serve("metrics", listener, scrape::LIMITS, Arc::new(scrape), stopped.clone()));
        }
        // Without the door zegel works all the same; only commands must wait until it has stopped.
        match control::open(self.folder) {
            Ok(door) => {
                let Opened { store, keyring, .. } = self.opened.clone();
                roles.spawn(control::serve(door, store, keyring, self.clock.clone(), stopped.clone()));
            }
            Err(error) => {
                let socket = control::socket(self.folder);
                tracing::warn!("commands such as `zegel phone` cannot reach this zegel: {}: {error}", socket.display());
            }
        }
        roles.spawn(next_hops::look_after(routes.clone(), stopped.clone()));
        roles.spawn(outbox.run(tray, stopped.clone()));
        roles.spawn(sweep.run(stopped));
        (roles, stop)
    }

    pub(super) fn outbox(&self) -> Arc<Outbox> {
        Arc::new(Outbox {
            store: self.opened.store.clone(),
            keyring: self.opened.keyring.clone(),
            routes: self.swappable.routes.clone(),
            templates: self.swappable.templates.clone(),
            organisation: self.swappable.organisation.clone(),
            clock: self.clock.clone(),
            wake: self.wake.clone(),
            under_way: outbox::UnderWay::default(),
            slow: outbox::Slow::default(),
            replies: outbox::Replies::new(self.opened.blobs.clone()),
        })
    }

    pub(super) fn sweep(&self) -> Arc<Sweep> {
        Arc::new(Sweep {
            store: self.opened.store.clone(),
            blobs: self.opened.blobs.clone(),
            keyring: self.opened.keyring.clone(),
            clock: self.clock.clone(),
            progress: sweep::Progress::default(),
        })
    }

    pub(super) fn gateway(&self, options: gateway::Options, (reader, texts): (Reader, Texts), direct: Option<Direct>) -> Arc<Gateway> {
        Arc::new(Gateway {
            options,
            rulebook: self.swappable.rulebook.clone(),
            reader,
            texts,
            routes: self.swappable.routes.clone(),
            direct,
            store: self.opened.store.clone(),
            blobs: self.opened.blobs.clone(),
            keyring: self.opened.keyring.clone(),
            clock: self.clock.clone(),
            organisation: self.swappable.organisation.clone(),
            metrics: self.metrics.clone(),
            large: Arc::new(Semaphore::new(1)),
            live: Arc::new(Mutex::default()),
        })
    }

    pub(super) fn portal(&self, sms: sms::Sender) -> Arc<Portal> {
        let routes = self.swappable.routes.clone();
        Arc::new(Portal {
            mail_flows: Arc::new(move || routes.load().is_up()),
            store: self.opened.store.clone(),
            blobs: self.opened.blobs.clone(),
            keyring: self.opened.keyring.clone(),
            sms,
            templates: self.swappable.templates.clone(),
            organisation: self.swappable.organisation.clone(),
            clock: self.clock.clone(),
            limits: portal::Limits::default(),
        })
    }
}
