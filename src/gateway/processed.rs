//! Marks relayed mail as judged, and knows it when it comes back ([`crate::processed`]).

use super::Transfer;
use crate::{
    inspect::Inspection,
    processed::{self, Passage, Scope},
    smtp::Reply,
};

impl Transfer {
    /// Whether the mail was judged before for all whom its envelope names now.
    pub(super) async fn passage(&mut self) -> Result<Passage, Reply> {
        if self.gateway.options.loops.header.is_none() {
            return Ok(Passage::Judge);
        }
        let (master, envelope, now) = (self.gateway.keyring.master(), self.envelope.clone(), self.gateway.clock.now());
        let passage = self.compute(move |message| processed::read(&master, message, &envelope, now)).await?;
        if passage == Passage::Circles {
            tracing::warn!("{} loops: it was here twice before", self.envelope.id);
        }
        Ok(passage)
    }

    /// Passes on a mail that needs no judgement, or no other one; `why` is for the log.
    pub(super) async fn relay_unjudged(mut self, why: &str) -> Reply {
        let received = match self.compute(|message| message.facts().received_count).await {
            Ok(received) => received,
            Err(reply) => return self.refuse(reply),
        };
        if received > self.gateway.options.loops.max_received {
            tracing::warn!("{} loops: {received} Received fields", self.envelope.id);
            return self.refuse(super::CIRCLES);
        }
        let scope = Scope::These(self.envelope.to.iter().map(|r| r.address.clone()).collect());
        let reply = self.send(scope).await;
        tracing::info!("{} relayed recipients={} reply={} unjudged={why}", self.envelope.id, self.envelope.to.len(), reply.code());
        reply
    }

    /// For whom the verdict on a mail holds that is relayed to its whole envelope.
    pub(super) fn scope(&self, inspection: &Inspection) -> Scope {
        let Inspection { findings, problems, facts, remarks, .. } = inspection;
        let clean = findings.is_empty() && problems.is_empty() && facts.is_empty() && remarks.is_empty();
        if clean && !self.rulebook.policies.bind_clean_mail() {
            Scope::Everyone
        } else {
            Scope::These(self.envelope.to.iter().map(|r| r.address.clone()).collect())
        }
    }

    /// The field for a mail that is relayed; empty where mail is not marked.
    pub(super) async fn stamp(&mut self, scope: Scope) -> Result<Vec<u8>, Reply> {
        let Some(header) = self.gateway.options.loops.header.clone() else { return Ok(Vec::new()) };
        let master = self.gateway.keyring.master();
        let now = self.gateway.clock.now();
        let from = self.envelope.from.clone();
        self.compute(move |message| processed::field(&master, message, from.as_ref(), &scope, now, &header).unwrap_or_default()).await
    }
}
