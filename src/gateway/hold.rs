//! Holds a sealed message until its sender has given the numbers of its recipients, or the organisation has decided about it.

use super::{Judged, Transfer, hand_over::put_expiry, protect::Reader, sealing::Sealing};
use crate::{
    envelope::Recipient,
    grant::{self, About},
    inspect::{Ask, Hold, Plan},
    notice::{Letter, MOST_NAMED, MOST_REASONS, Told, excerpt},
    record::{Approval, Batch, Expect, Expires, FORMAT, Fact, Key, Waiting},
    release::{self, AsSent, Details},
    seal::{Salt, lookup_id, wrap},
    secret::Token,
    time::Time,
};

/// For what somebody waits.
struct Wait<'a> {
    /// When the message is given up.
    until: Time,
    /// Whether its sender chooses first how it goes.
    ask: bool,
    /// The mails that remind him.
    reminders: &'a [Key],
}

impl Transfer {
    /// Adds the recipients who wait, the sender's link, and the mail that asks for their numbers.
    pub(super) fn hold(&self, batch: &mut Batch, sealing: &Sealing, waiting: &[&Reader], recipients: usize, judged: &Judged) {
        let Some(sender) = self.envelope.from.clone() else { return };
        let until = sealing.now.plus(self.gateway.options.hold_time);
        let reminders = grant::reminders(sealing.now, until);
        let token = self.wait(batch, sealing, waiting, &Wait { until, ask: false, reminders: &reminders }, judged);
        let mut missing: Vec<_> = waiting.iter().filter(|r| r.lacks_number()).map(|r| r.address.clone()).collect();
        let others = waiting.len() - missing.len();
        let more = missing.len().saturating_sub(MOST_NAMED);
        missing.truncate(MOST_NAMED);
        let letter = Letter::NumberNeeded {
            token,
            sender,
            subject: self.open_subject(judged),
            why: self.why(judged),
            others,
            more,
            some_have_it: waiting.len() < recipients,
            missing,
            until: until.day(),
            reminds_of: None,
            language: self.gateway.options.language.clone(),
        };
        self.held(batch, sealing, letter, &reminders, until);
    }

    /// Adds the mail that asks the sender, those that remind him, and the day on which nobody waits for him any more.
    fn held(&self, batch: &mut Batch, sealing: &Sealing, letter: Letter, reminders: &[Key], until: Time) {
        grant::ask(batch, &sealing.master, letter, (sealing.id, sealing.now), reminders, sealing.now);
        self.event(batch, Fact::Held, sealing);
        put_expiry(batch, until, Expires::Held(sealing.id));
    }

    /// Why the mail is protected, for its sender.
    fn why(&self, judged: &Judged) -> Vec<String> {
        let why = self.rulebook.sentences(&judged.inspection, &self.gateway.options.language);
        why.iter().take(MOST_REASONS).map(|sentence| excerpt(sentence)).collect()
    }

    /// Adds everybody's place in the queue, and the mail that asks the sender how his message is to go.
    pub(super) fn ask(&self, batch: &mut Batch, sealing: &Sealing, readers: &[Reader], policy: &str, judged: &Judged) {
        let Some(sender) = self.envelope.from.clone() else { return };
        let until = sealing.now.plus(self.gateway.options.hold_time);
        let reminders = grant::reminders(sealing.now, until);
        let token =
            self.wait(batch, sealing, &readers.iter().collect::<Vec<_>>(), &Wait { until, ask: true, reminders: &reminders }, judged);
        let letter = Letter::Ask {
            token,
            sender,
            recipients: readers.iter().take(MOST_NAMED).map(|r| r.address.clone()).collect(),
            more: readers.len().saturating_sub(MOST_NAMED),
            subject: self.open_subject(judged),
            why: self.why(judged),
            policy: excerpt(policy),
            until: until.day(),
            reminds_of: None,
            language: self.gateway.options.language.clone(),
        };
        self.held(batch, sealing, letter, &reminders, until);
    }

    /// Adds everybody's place in the quarantine, what whoever decides must know, and the mail that tells the sender.
    pub(super) fn quarantine(&self, batch: &mut Batch, sealing: &Sealing, readers: &[Reader], plan: &Plan, judged: &Judged) {
        let Hold::Quarantine(policy) = &plan.hold else { return };
        let until = sealing.now.plus(release::QUARANTINE_TIME);
        let token = self.wait(batch, sealing, &readers.iter().collect::<Vec<_>>(), &Wait { until, ask: false, reminders: &[] }, judged);
        let details = Details {
            token,
            sender: self.envelope.from.as_ref().map(ToString::to_string),
            shown: self.shown_sender(judged),
            subject: self.open_subject(judged),
            policy: excerpt(policy),
            rules: judged.inspection.rules().iter().take(MOST_REASONS).map(|rule| excerpt(rule)).collect(),
            why: self.why(judged),
            may_ask: plan.ask == Ask::Sender,
            tell: plan.tell,
        };
        release::enter(batch, &sealing.master, sealing.id, &details, sealing.now, until);
        self.event(batch, Fact::Quarantined, sealing);
        // A sender outside may be an attacker who tries what is noticed: he hears of the end only.
        let Some(sender) = self.envelope.from.clone().filter(|_| plan.ask == Ask::Sender) else { return };
        let letter = Letter::Told {
            what: Told::Quarantined,
            sender,
            recipients: readers.iter().take(MOST_NAMED).map(|r| r.address.clone()).collect(),
            more: readers.len().saturating_sub(MOST_NAMED),
            subject: details.subject,
            at: sealing.now,
            why: details.why,
            policy: details.policy,
            reason: None,
            until: Some(until.day()),
            language: self.gateway.options.language.clone(),
        };
        grant::post(batch, &sealing.master, &letter, About::message(sealing.id), sealing.now);
    }

    /// What it takes to send the mail on to a recipient as it is.
    pub(super) fn as_sent(&self, recipient: &Recipient) -> AsSent {
        AsSent {
            from: self.envelope.from.as_ref().map(ToString::to_string),
            mail_parameters: self.envelope.mail_parameters.clone(),
            parameters: recipient.parameters.clone(),
            trace: String::from_utf8_lossy(&self.trace(Some(&recipient.address))).into_owned(),
        }
    }

    /// Adds those who wait and the link by which they will be given theirs.
    fn wait(&self, batch: &mut Batch, sealing: &Sealing, waiting: &[&Reader], wait: &Wait<'_>, judged: &Judged) -> Token {
        for (number, reader) in (0..).zip(waiting) {
            let key = Key::waiting(sealing.id, number);
            let seal = |name, text: &str| sealing.master.seal_field(name, &key, text, Salt::random());
            let record = Waiting {
                v: FORMAT,
                level: reader.level,
                address: seal("address", reader.address.as_str()),
                phone: reader.phone.as_ref().map(|p| seal("phone", p.expose())),
                origin: Some(grant::seal_origin(&sealing.master, &key, &reader.origin)),
                first_contact: judged.is_new(&reader.address),
                as_sent: reader.as_sent.as_ref().map(|as_sent| as_sent.seal(&sealing.master, &key)),
            };
            batch.put(key.clone(), &record, Expect::Absent);
        }
        let token = sealing.asking.clone();
        let salts = [Salt::random(), Salt::random()];
        let wrap = wrap(&sealing.master, &sealing.bucket, &token, sealing.id, &sealing.content_key, salts);
        let approval = Key::approval(lookup_id(&token));
        put_expiry(batch, sealing.expires.plus_days(1).begins(), Expires::Key(approval.as_str().to_owned()));
        let Wait { until, ask, reminders } = *wait;
        let reminders = reminders.iter().map(|key| key.as_str().to_owned()).collect();
        let record = Approval { v: FORMAT, message: sealing.id, wrap, until, released: None, ask, openly: false, reminders };
        batch.put(approval, &record, Expect::Absent);
        token
    }
}
