//! The SMTP envelope: who sends to whom, as told by MAIL and RCPT (RFC 5321, 2.3.1).

pub mod dsn;

use crate::{address::Address, secret};
use std::fmt;

/// One transaction's envelope. The header's From, To and Cc play no part in delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// Names the transaction in log, reply and trace header.
    pub id: QueueId,
    /// The reverse-path; `None` is the null sender `<>` (bounces, notifications).
    pub from: Option<Address>,
    /// The accepted recipients, in the order of their RCPT.
    pub to: Vec<Recipient>,
    /// The ESMTP parameters of MAIL as they were received, without those that zegel answers itself (SIZE): ` BODY=8BITMIME`.
    pub mail_parameters: String,
}

/// An accepted recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The forward-path.
    pub address: Address,
    /// The ESMTP parameters of its RCPT as they were received.
    pub parameters: String,
}

impl Envelope {
    /// Whether the mail's addresses and header may hold letters outside ASCII (SMTPUTF8, RFC 6531).
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        dsn::parameter(&self.mail_parameters, "SMTPUTF8").is_some()
    }

    /// The sender's own name of the transaction, decoded (ENVID).
    #[must_use]
    pub fn sender_id(&self) -> Option<String> {
        dsn::parameter(&self.mail_parameters, "ENVID").and_then(dsn::envelope_id)
    }
}

impl Recipient {
    /// When the sender wants to be told about this recipient (NOTIFY).
    #[must_use]
    pub fn notify(&self) -> dsn::Notify {
        dsn::parameter(&self.parameters, "NOTIFY").and_then(dsn::Notify::parse).unwrap_or_default()
    }

    /// The recipient as the sender knows it (ORCPT).
    #[must_use]
    pub fn original(&self) -> Option<dsn::OriginalRecipient> {
        dsn::parameter(&self.parameters, "ORCPT").and_then(dsn::OriginalRecipient::parse)
    }
}

/// A transaction's name: twelve hexadecimal digits, random.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct QueueId([u8; 6]);

impl QueueId {
    /// The name of no transaction: that of examples and of mail that is only explained.
    pub const NONE: QueueId = QueueId([0; 6]);

    /// A new name.
    #[must_use]
    pub fn random() -> QueueId {
        QueueId(secret::random())
    }
}

impl fmt::Display for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&secret::hex(&self.0).to_uppercase())
    }
}

impl fmt::Debug for QueueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
