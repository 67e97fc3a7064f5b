//! Holds a sealed message until its sender has given the numbers of its recipients.

use super::{Judged, Transfer, hand_over::put_expiry, protect::Reader, sealing::Sealing};
use crate::{
    grant::{self, About},
    notice::{Letter, MOST_NAMED, MOST_REASONS, excerpt},
    record::{Approval, Batch, Expect, Expires, FORMAT, Fact, Key, State, Waiting},
    seal::{Salt, lookup_id, wrap},
    secret::Token,
};

impl Transfer {
    /// Adds the recipients who wait, the sender's link, and the mail that asks for their numbers.
    pub(super) fn hold(&self, batch: &mut Batch, sealing: &Sealing, waiting: &[&Reader], recipients: usize, judged: &Judged) {
        let Some(sender) = self.envelope.from.clone() else { return };
        for (number, reader) in (0..).zip(waiting) {
            let key = Key::waiting(sealing.id, number);
            let seal = |name, text: &str| sealing.master.seal_field(name, &key, text, Salt::random());
            let record = Waiting {
                v: FORMAT,
                level: reader.level,
                address: seal("address", reader.address.as_str()),
                phone: reader.phone.as_ref().map(|p| seal("phone", p.expose())),
                origin: Some(grant::seal_origin(&sealing.master, &key, &reader.origin)),
            };
            batch.put(key.clone(), &record, Expect::Absent);
        }
        let token = Token::random();
        let salts = [Salt::random(), Salt::random()];
        let wrap = wrap(&sealing.master, &sealing.bucket, &token, sealing.id, &sealing.content_key, salts);
        let approval = Key::approval(lookup_id(&token));
        put_expiry(batch, sealing.expires.plus_days(1).begins(), Expires::Key(approval.as_str().to_owned()));
        let until = sealing.now.plus(self.gateway.options.hold_time);
        batch.put(approval, &Approval { v: FORMAT, message: sealing.id, wrap, until, released: None }, Expect::Absent);
        let mut missing: Vec<_> = waiting.iter().filter(|r| r.lacks_number()).map(|r| r.address.clone()).collect();
        let others = waiting.len() - missing.len();
        let more = missing.len().saturating_sub(MOST_NAMED);
        missing.truncate(MOST_NAMED);
        let why = self.rulebook.sentences(&judged.inspection, &self.gateway.options.language);
        let letter = Letter::NumberNeeded {
            token,
            sender,
            subject: self.open_subject(judged),
            why: why.iter().take(MOST_REASONS).map(|sentence| excerpt(sentence)).collect(),
            others,
            more,
            some_have_it: waiting.len() < recipients,
            missing,
            until: until.day(),
            language: self.gateway.options.language.clone(),
        };
        let about = About { message: sealing.id, grant: None, only_if: Some(State::Held) };
        grant::post(batch, &sealing.master, &letter, about, sealing.now);
        self.event(batch, Fact::Held, sealing);
        put_expiry(batch, until, Expires::Held(sealing.id));
    }
}
