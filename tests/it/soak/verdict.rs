//! Looks, after all is over, for every mail that was acknowledged.

use super::{
    Ledger,
    client::Queued,
    hop::{Hop, Notes, Took},
    letter::{Letter, Role},
};
use crate::world::{open_approval, open_link};
use bytes::Bytes;
use std::collections::BTreeSet;
use zegel::{demo::mailbox::Delivered, message::Message, record::KeyRange, store::Opened};

/// What is left of a soak.
pub(crate) struct Verdict<'a> {
    pub(crate) opened: &'a Opened,
    pub(crate) hop: &'a Hop,
    pub(crate) portal: &'a str,
    pub(crate) ledger: &'a Ledger,
    /// Each may have hit a mail of zegel's own in flight, which then came twice.
    pub(crate) kills: usize,
}

/// What was counted on the way.
#[derive(Default)]
struct Count {
    originals: usize,
    opened: usize,
    approvals: usize,
    told: usize,
    twice: usize,
}

impl Verdict<'_> {
    /// Fails unless every promise was kept; what to print if so.
    pub(crate) async fn reach(&self) -> String {
        let notes = self.hop.notes(|notes| Notes {
            took: notes.took.clone(),
            refused: notes.refused.clone(),
            unheard: notes.unheard.clone(),
            leaks: notes.leaks.clone(),
            faults: notes.faults.clone(),
        });
        assert!(notes.leaks.is_empty(), "in clear to {:?}", notes.leaks);
        assert!(self.ledger.queue.is_empty());
        let rows = async |prefix| self.opened.store.list(&KeyRange::under(prefix), usize::MAX).await.unwrap().len();
        assert_eq!((rows("outbox").await, rows("pending").await), (0, 0), "rows left in the outbox, messages left pending");

        let mut count = Count::default();
        for mail in &self.ledger.taken {
            for to in mail.letter.recipients() {
                self.acknowledged(mail, &to, &notes, &mut count).await;
            }
        }
        for mail in self.ledger.refused.iter().filter(|m| m.unheard == 0) {
            // Nobody ever heard that it might have been taken, so it was not; a hop that lost its own reply may have it.
            for to in mail.letter.recipients().iter().filter(|to| !notes.unheard.contains_key(*to)) {
                assert!(!notes.took.contains_key(to), "{to}: refused, and yet sent");
            }
        }
        format!(
            "{} acknowledged, {} refused: {} originals, {} links opened, {} number pages opened, {} senders told of a refusal; {} came twice, each with a reason; faults {:?}",
            self.ledger.taken.len(),
            self.ledger.refused.len(),
            count.originals,
            count.opened,
            count.approvals,
            count.told,
            count.twice,
            notes.faults
        )
    }

    /// One recipient of a mail that was answered 250.
    async fn acknowledged(&self, mail: &Queued, to: &str, notes: &Notes, count: &mut Count) {
        let (letter, role) = Letter::about(to).expect("it is one of ours");
        let came = notes.took.get(to).map_or(&[][..], |took| took);
        // Each of these is a copy that SMTP can't avoid.
        let reasons = mail.unheard + notes.unheard.get(to).copied().unwrap_or_default();
        match role {
            Role::Unknown => assert!(mail.refused.iter().any(|r| r == to), "{to}: acknowledged, and never refused"),
            Role::Clean => {
                assert!(!came.is_empty(), "{to}: lost");
                assert!(came.iter().all(|t| matches!(t, Took::Original { exact: true })), "{to}: changed on its way");
                assert!(came.len() <= 1 + reasons, "{to}: {} times, with {reasons} reasons", came.len());
                count.originals += 1;
                count.twice += came.len() - 1;
            }
            Role::Sealed if came.is_empty() => {
                assert!(notes.refused.contains(to), "{to}: never notified");
                let told = written(notes, &letter.sender());
                assert!(told.iter().any(|m| m.text().contains(to)), "{to}: refused for good, and the sender was not told");
                count.told += 1;
            }
            Role::Sealed => {
                let mails = self.one(to, notes);
                count.twice += mails.len() - 1;
                let opening = open_link(self.opened, &mails[0].link(self.portal).expect("a link")).await;
                self.is_exact(letter, to, &opening.unwrap_or_else(|| panic!("{to}: the link opens nothing")).parts);
                count.opened += 1;
            }
            Role::Held => {
                assert!(came.is_empty(), "{to}: his number is not known");
                let mails = self.one(&letter.sender(), notes);
                count.twice += mails.len() - 1;
                assert!(mails[0].text().contains(to), "{to}: the number page is about somebody else");
                let (_, parts) = open_approval(self.opened, &mails[0].link(self.portal).expect("a link")).await.expect("a number page");
                self.is_exact(letter, to, &parts);
                count.approvals += 1;
            }
            Role::Sender => panic!("{to} is no recipient"),
        }
    }

    /// The copies of the one mail that zegel wrote to somebody: of another there is none.
    fn one(&self, to: &str, notes: &Notes) -> Vec<Delivered> {
        let mails = written(notes, to);
        assert!(!mails.is_empty(), "{to}: never written to");
        let ids: BTreeSet<_> = mails.iter().map(|m| Message::new(m.octets.clone()).facts().message_id).collect();
        assert_eq!(ids.len(), 1, "{to}: {} different mails", ids.len());
        let reasons = self.kills + notes.unheard.get(to).copied().unwrap_or_default();
        assert!(mails.len() <= 1 + reasons, "{to}: {} times, with {reasons} reasons at most", mails.len());
        mails
    }

    /// A message holds exactly the text and the file that were sent.
    fn is_exact(&self, letter: Letter, to: &str, parts: &[Bytes]) {
        let wanted: Vec<String> = [Some(letter.text()), letter.file()].into_iter().flatten().map(|t| lines(t.as_bytes())).collect();
        let found: Vec<String> = parts.iter().map(|p| lines(p)).collect();
        assert!(wanted == found, "{to}: opens something else than was sent");
    }
}

/// What zegel wrote to somebody.
fn written(notes: &Notes, to: &str) -> Vec<Delivered> {
    let took = notes.took.get(to).into_iter().flatten();
    took.filter_map(|took| match took {
        Took::Written(octets) => Some(Delivered { from: None, to: Vec::new(), octets: octets.clone().into() }),
        Took::Original { .. } => None,
    })
    .collect()
}

/// Text with line ends of one kind: MIME has CRLF, a reader has his own.
fn lines(text: &[u8]) -> String {
    String::from_utf8_lossy(text).replace("\r\n", "\n").trim_end().to_owned()
}
