//! A mail on its way to the next hop, whoever wrote it.

use crate::{
    address::Address,
    notice::Composed,
    smtp::{
        EnvelopeCommand, Reply,
        client::{Failure, Route},
    },
};
use bytes::Bytes;
use std::sync::Arc;
use tokio::time::Instant;

/// A mail as it leaves.
pub(super) struct Leaving {
    pub(super) from: Option<Address>,
    pub(super) to: Address,
    /// The ESMTP parameters of MAIL, and of RCPT.
    pub(super) mail_parameters: String,
    pub(super) parameters: String,
    /// What stands before the octets.
    pub(super) head: Vec<u8>,
    pub(super) octets: Bytes,
}

impl From<Composed> for Leaving {
    fn from(mail: Composed) -> Leaving {
        // A next hop without SMTPUTF8 refuses it for good, and the sender is told.
        let is_ascii = mail.to.is_ascii() && mail.envelope_from.as_ref().is_none_or(Address::is_ascii);
        let mail_parameters = if is_ascii { String::new() } else { " SMTPUTF8".to_owned() };
        let (from, to, octets) = (mail.envelope_from, mail.to, mail.octets.into());
        Leaving { from, to, mail_parameters, parameters: String::new(), head: Vec::new(), octets }
    }
}

/// The SMTP transaction: the first reply that refuses, or the one to the final dot.
pub(super) async fn transfer(route: &Arc<Route>, mail: &Leaving, deadline: Instant) -> Result<Reply, Failure> {
    let mut hop = route.begin().await?;
    let size = Some(mail.octets.len() as u64);
    let commands = [
        EnvelopeCommand::Mail { from: mail.from.clone(), parameters: mail.mail_parameters.clone(), size },
        EnvelopeCommand::Rcpt { to: mail.to.clone(), parameters: mail.parameters.clone() },
    ];
    let replies = hop.envelope(&commands).await?;
    match replies.into_iter().find(|r| !r.is_positive()) {
        Some(refusal) => {
            hop.reset().await;
            Ok(refusal)
        }
        None => hop.data(&[&mail.head, &mail.octets], deadline).await,
    }
}
