//! A transaction whose route its first recipient decides.

use super::{
    super::{command::EnvelopeCommand, reply::Reply, spill::Content},
    Failure, Route, Routes, Transaction,
    envelope::ANOTHER_MAIL,
};
use std::sync::Arc;
use tokio::time::Instant;

/// One mail to whichever route its recipients have.
///
/// Where there is one route, its host hears MAIL and RCPT as they come. Where there are several, MAIL is taken and told with the first
/// recipient, and a refusal of it is then the reply to RCPT; a recipient of another route hears `452 4.5.3`, which makes a client send the
/// mail to it in a transaction of its own (RFC 5321, 4.5.3.1.10).
#[derive(Debug)]
pub struct Routed {
    routes: Arc<Routes>,
    /// The route that was chosen, and what is open there.
    open: Option<(Arc<Route>, Transaction)>,
    /// Whether that route has accepted a recipient, so that the others must follow.
    bound: bool,
    /// MAIL that was taken; every route hears it with its first recipient.
    mail: Option<EnvelopeCommand>,
}

impl Routed {
    /// A transaction that has not begun.
    #[must_use]
    pub fn new(routes: Arc<Routes>) -> Routed {
        Routed { routes, open: None, bound: false, mail: None }
    }

    /// Tells the next hop, and returns its replies: one each, in order.
    ///
    /// # Errors
    /// Nobody can say what the next hop has heard then; the transaction is over.
    pub async fn envelope(&mut self, commands: &[EnvelopeCommand]) -> Result<Vec<Reply>, Failure> {
        if let Some(route) = self.routes.single().cloned() {
            return self.transaction(&route).await?.envelope(commands).await;
        }
        let mut replies: Vec<Option<Reply>> = vec![None; commands.len()];
        if let Some(mail @ EnvelopeCommand::Mail { .. }) = commands.first() {
            self.mail = Some(mail.clone());
            self.bound = false;
            replies[0] = Some(Reply::OK);
        }
        // Each time round one recipient is answered at least.
        while let Some(first) = (0..commands.len()).find(|at| replies[*at].is_none()) {
            let route = match &self.open {
                Some((route, _)) if self.bound => route.clone(),
                _ => route_of(&self.routes, &commands[first]).clone(),
            };
            let (here, elsewhere): (Vec<usize>, Vec<usize>) = (first..commands.len())
                .filter(|at| replies[*at].is_none())
                .partition(|at| Arc::ptr_eq(route_of(&self.routes, &commands[*at]), &route));
            let told: Vec<EnvelopeCommand> = here.iter().map(|at| commands[*at].clone()).collect();
            for (at, reply) in here.iter().zip(self.recipients(&route, &told).await?) {
                replies[*at] = Some(reply);
            }
            if self.bound {
                for at in elsewhere {
                    replies[at] = Some(ANOTHER_MAIL);
                }
            }
        }
        Ok(replies.into_iter().flatten().collect())
    }

    /// Tells `route` these recipients, behind MAIL unless it has heard that.
    async fn recipients(&mut self, route: &Arc<Route>, recipients: &[EnvelopeCommand]) -> Result<Vec<Reply>, Failure> {
        if self.bound {
            return if recipients.is_empty() { Ok(Vec::new()) } else { self.transaction(route).await?.envelope(recipients).await };
        }
        let mut commands = Vec::with_capacity(recipients.len() + 1);
        commands.extend(self.mail.clone());
        commands.extend_from_slice(recipients);
        let told = async {
            let transaction = self.transaction(route).await?;
            transaction.reset().await;
            transaction.envelope(&commands).await
        };
        let mut replies = match told.await {
            Ok(replies) => replies.into_iter(),
            // Nobody was accepted yet, so nothing is lost: those of another route may still be.
            Err(failure) => {
                tracing::warn!("{failure}: its recipients stay with their sender");
                self.open = None;
                return Ok(vec![failure.reply(); recipients.len()]);
            }
        };
        match replies.next() {
            Some(reply) if !reply.is_positive() => Ok(vec![reply; recipients.len()]),
            _ => {
                let replies: Vec<Reply> = replies.collect();
                self.bound = replies.iter().any(Reply::is_positive);
                Ok(replies)
            }
        }
    }

    /// What is open on `route`, else a new transaction; what was open elsewhere is given up.
    async fn transaction(&mut self, route: &Arc<Route>) -> Result<&mut Transaction, Failure> {
        let open = match self.open.take() {
            Some((open, transaction)) if Arc::ptr_eq(&open, route) => transaction,
            _ => route.begin().await?,
        };
        Ok(&mut self.open.insert((route.clone(), open)).1)
    }

    /// [`Transaction::content`] on the route that was chosen.
    ///
    /// # Errors
    /// As there; [`Failure::Lost`] when nothing is open.
    pub async fn content(&mut self, header: &[u8], content: &Content, deadline: Instant) -> Result<Reply, Failure> {
        self.bound = false;
        match &mut self.open {
            Some((_, transaction)) => transaction.content(header, content, deadline).await,
            None => Err(Failure::LOST),
        }
    }

    /// Gives up what was told so far; then another envelope may follow.
    pub async fn reset(&mut self) {
        self.bound = false;
        self.mail = None;
        if let Some((_, transaction)) = &mut self.open {
            transaction.reset().await;
        }
    }
}

/// Where a command goes; MAIL itself goes nowhere.
fn route_of<'a>(routes: &'a Routes, command: &EnvelopeCommand) -> &'a Arc<Route> {
    match command {
        EnvelopeCommand::Rcpt { to, .. } => routes.of(to),
        EnvelopeCommand::Mail { .. } => routes.default_route(),
    }
}
