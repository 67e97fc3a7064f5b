//! Mail from the null sender `<>`: bounces and receipts, which nobody answers (RFC 5321, 4.5.5).

use super::{Gateway, Open, Transfer};
use crate::{
    message::Facts,
    notice::Returned,
    smtp::{Enhanced, EnvelopeCommand, Reply, client::Failure},
};

/// What becomes of mail from the null sender. There is nobody to tell or to ask, so whatever is sealed of it gets level 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NullSender {
    /// A report whose quoted mail came from outside passes: it brings back what was there already. The rest is judged.
    #[default]
    Judge,
    /// All of it passes without a judgement.
    Pass,
    /// All of it is judged.
    Protect,
    /// None of it is taken.
    Refuse,
}

const NO_SUCH_ADDRESS: Reply = Reply::fixed(550, Enhanced(5, 1, 1), "There is no such address for bounces");
const NOT_TAKEN: Reply = Reply::fixed(550, Enhanced(5, 7, 1), "This server takes no mail from the null sender");

impl NullSender {
    /// The facts by which a mail is judged: where everything is judged, no report is a bounce that passes.
    #[must_use]
    pub fn facts(self, facts: Facts) -> Facts {
        if self == NullSender::Protect { Facts { report_of: None, ..facts } } else { facts }
    }
}

impl Transfer {
    /// What becomes of this mail, if the null sender sent it. Bounces come from mail servers: a person with an account, or whoever has stolen his
    /// password, would write one and get anything out in it.
    pub(super) fn null_sender(&self) -> NullSender {
        match self.gateway.options.null_sender {
            NullSender::Judge | NullSender::Pass if self.received.account.is_some() => NullSender::Protect,
            configured => configured,
        }
    }

    pub(super) fn passes_as_null_sender(&self) -> bool {
        self.envelope.from.is_none() && self.null_sender() == NullSender::Pass
    }
}

impl Open {
    /// Tells the next hop what it must hear, and answers the rest.
    pub(super) async fn envelope(&mut self, gateway: &Gateway, commands: &[EnvelopeCommand]) -> Result<Vec<Reply>, Failure> {
        let from = commands.iter().find_map(|c| if let EnvelopeCommand::Mail { from, .. } = c { Some(from) } else { None });
        let is_null = from.unwrap_or(&self.envelope.from).is_none();
        let ours: Vec<Option<Reply>> = commands.iter().map(|command| answer(gateway, is_null, command)).collect();
        if ours.iter().all(Option::is_none) {
            return self.hop.envelope(commands).await;
        }
        let theirs: Vec<_> = commands.iter().zip(&ours).filter(|(_, ours)| ours.is_none()).map(|(c, _)| c.clone()).collect();
        let mut replies = if theirs.is_empty() { Vec::new() } else { self.hop.envelope(&theirs).await? }.into_iter();
        Ok(ours.into_iter().map(|ours| ours.or_else(|| replies.next()).unwrap_or(Reply::TRY_LATER)).collect())
    }
}

/// What we answer ourselves.
fn answer(gateway: &Gateway, is_null: bool, command: &EnvelopeCommand) -> Option<Reply> {
    let EnvelopeCommand::Rcpt { to, .. } = command else { return None };
    match gateway.returned(to) {
        Returned::Grant(_) => Some(Reply::OK),
        Returned::Forged => Some(NO_SUCH_ADDRESS),
        Returned::NotOurs => (is_null && gateway.options.null_sender == NullSender::Refuse).then_some(NOT_TAKEN),
    }
}
