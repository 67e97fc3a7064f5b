//! What a report on a sender's mail will say of it (RFC 3461).

use super::{Judged, Transfer};
use crate::{address::Address, envelope::Recipient, notice::Origin};

/// The longest text of a client that is kept with a grant and repeated in letters, which must fit a row. An address has 254 octets at most, ENVID
/// 100 (RFC 3461, 4.4), and who has a longer Message-ID does not mean to find his mail by it.
const MAX_TEXT: usize = 300;

impl Transfer {
    /// The sender's mail towards one recipient, as a report on it needs it.
    pub(super) fn origin(&self, recipient: &Recipient, judged: &Judged) -> Origin {
        let fits = |text: &String| text.len() <= MAX_TEXT;
        Origin {
            at: Some(self.gateway.clock.now()),
            message_id: judged.facts.message_id.clone().filter(fits),
            subject: self.open_subject(judged),
            envelope_id: self.envelope.sender_id(),
            original_recipient: recipient.original().map(|original| original.to_string()).filter(fits),
            replies_to: self.replies_to(judged).map(|address| address.to_string()),
            notify: recipient.notify(),
        }
    }

    /// The sender's own mailbox, for replies: as From says, where that is one of ours, else the one that the mail came from.
    fn replies_to<'a>(&'a self, judged: &'a Judged) -> Option<&'a Address> {
        let from = judged.facts.from.as_ref().map(|(_, address)| address).filter(|a| a.is_within(&self.rulebook.internal));
        from.or(self.envelope.from.as_ref()).filter(|_| judged.inspection.ours)
    }
}
