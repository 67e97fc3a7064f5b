//! What a sender hears of a policy: why his mail is refused, and what was noticed in one that passed.

use super::{Judged, Transfer};
use crate::{
    grant::{self, About},
    inspect::Reason,
    notice::{Letter, MOST_NAMED, MOST_REASONS, Told, excerpt},
    record::Batch,
    secret::Id,
    smtp::{Enhanced, Reply},
};

impl Transfer {
    /// The reply to a mail that a policy refuses: which one, why in plain words, and what to do. The sender's mail server repeats it.
    pub(super) fn blocked(&self, reason: &Reason, judged: &Judged) -> Reply {
        let language = &self.gateway.options.language;
        let (not_sent, remedy) = if language == "en" {
            (
                "Not sent: the policy \"{}\" of your organisation refuses this message",
                "Take it out and send the message again, or ask your help desk.",
            )
        } else {
            (
                "Niet verzonden: het beleid \"{}\" van je organisatie weigert dit bericht",
                "Haal dat weg en stuur het bericht opnieuw, of vraag je helpdesk.",
            )
        };
        let mut text = not_sent.replace("{}", &excerpt(&reason.policy));
        if let [one] = &reason.to[..] {
            text += &format!(" ({one})");
        }
        let why = self.rulebook.sentences(&judged.inspection, language);
        for line in why.iter().take(MOST_REASONS).map(|sentence| excerpt(sentence)).chain([remedy.to_owned()]) {
            text += "\n";
            text += &line;
        }
        Reply::new(550, Some(Enhanced(5, 7, 1)), &text)
    }

    /// Counts and logs the policies that only watch.
    pub(super) fn watched(&self, judged: &Judged) {
        for (policy, mode) in judged.inspection.watched() {
            self.gateway.metrics.watched(policy, mode);
            self.log(judged, &format_args!("watched policy={policy:?} mode={mode}"));
        }
    }

    /// The letter that tells the sender what was noticed in a mail that passes, if a policy wants him to know; to be committed once it has passed.
    pub(super) fn noticed(&self, judged: &Judged) -> Option<Batch> {
        let (notice, sender) = (judged.inspection.notice()?, self.envelope.from.clone()?);
        let now = self.gateway.clock.now();
        let why = self.rulebook.notice_sentences(&notice, &self.gateway.options.language);
        let letter = Letter::Told {
            what: Told::Noticed,
            sender,
            recipients: notice.to.iter().take(MOST_NAMED).cloned().collect(),
            more: notice.to.len().saturating_sub(MOST_NAMED),
            subject: self.open_subject(judged),
            at: now,
            why: why.iter().take(MOST_REASONS).map(|sentence| excerpt(sentence)).collect(),
            policy: notice.policies.first().map(|policy| excerpt(policy)).unwrap_or_default(),
            reason: None,
            until: None,
            language: self.gateway.options.language.clone(),
        };
        let mut batch = Batch::new();
        // It is about no message of ours.
        grant::post(&mut batch, &self.gateway.keyring.master(), &letter, About::message(Id::random()), now);
        Some(batch)
    }
}
