//! What a sender's mail was, as far as a report on it says so, and what he wants to hear of it (RFC 3461).

use crate::{envelope::dsn::Notify, time::Time};
use serde::{Deserialize, Serialize};

/// A sender's mail towards one recipient. Lies sealed with the recipient's grant: it names people, and may hold a subject.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Origin {
    /// When it was taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// Its Message-ID, without angle brackets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<String>,
    /// Its subject, unless that holds a finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// ENVID, decoded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub envelope_id: Option<String>,
    /// ORCPT with its type, decoded: `rfc822;a@b.example`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub original_recipient: Option<String>,
    /// Where a recipient's reply goes, in clear: the sender's own mailbox. `None` when he is not of the organisation, or a program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replies_to: Option<String>,
    /// NOTIFY.
    pub notify: Notify,
}
