//! The model: what a client may hear at each step, and what must have become of each mail. It knows SMTP's order of commands, the three kinds of mail
//! and four kinds of recipient of this test, and nothing of how zegel does it.
//!
//! While nothing is disturbed each step has one answer. Once the next hop or the store was told to fail, a transaction that saw this may be answered
//! 4yz at any command; whether such a mail was taken all the same is not known, so its recipients *may* have it. After 250 they *must*.

use super::step::{Kind, Who};
use std::collections::{BTreeMap, BTreeSet};

/// What a recipient gets of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gets {
    /// The mail, octet by octet.
    Original,
    /// A link that opens it, and never the text.
    Link,
    /// Nothing: the sender gets a link to it instead.
    Nothing,
}

pub(super) fn gets(kind: Kind, who: Who) -> Gets {
    match (kind, who) {
        (Kind::Clean, _) | (_, Who::Colleague) => Gets::Original,
        (Kind::Marked, _) => Gets::Link,
        (Kind::Secret, _) => Gets::Nothing,
    }
}

/// What the model knows of one client.
#[derive(Clone, Debug, Default)]
pub(super) struct Client {
    pub(super) greeted: bool,
    /// MAIL was accepted.
    pub(super) open: bool,
    pub(super) to: BTreeSet<Who>,
    /// The transaction saw a disturbance of the next hop.
    pub(super) disturbed: bool,
    /// Commands out of order since the last mail that was accepted.
    pub(super) errors: u32,
}

/// So many of them end a session.
const ERRORS: u32 = 20;

/// What is heard then, as the last reply.
pub(super) const SENT_AWAY: Allowed = Allowed::Code(421);

/// Replies by their first digit, or one code exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    Code(u16),
    /// This code, or 4yz.
    OrLater(u16),
    /// MAIL or its recipients are missing.
    OutOfOrder,
}

impl Allowed {
    pub(super) fn is(self, code: u16) -> bool {
        match self {
            Allowed::Code(wanted) => code == wanted,
            Allowed::OrLater(wanted) => code == wanted || code / 100 == 4,
            Allowed::OutOfOrder => code == 503 || code == 554,
        }
    }
}

impl Client {
    fn unless_disturbed(&self, code: u16) -> Allowed {
        if self.disturbed { Allowed::OrLater(code) } else { Allowed::Code(code) }
    }

    /// What may be heard, now that `allowed` would be if it were not one error too many.
    pub(super) fn counted(&mut self, allowed: Allowed) -> Allowed {
        self.errors += u32::from(allowed == Allowed::OutOfOrder);
        if self.errors < ERRORS { allowed } else { SENT_AWAY }
    }

    pub(super) fn may_hear_at_mail(&self) -> Allowed {
        if !self.greeted || self.open { Allowed::OutOfOrder } else { self.unless_disturbed(250) }
    }

    pub(super) fn may_hear_at_rcpt(&self, who: Who) -> Allowed {
        match who {
            _ if !self.open => Allowed::OutOfOrder,
            Who::Nobody => self.unless_disturbed(550),
            _ => self.unless_disturbed(250),
        }
    }

    /// At DATA or BDAT; `Code(354)` is "go on" for both.
    pub(super) fn may_hear_at_data(&self) -> Allowed {
        if self.open && !self.to.is_empty() { self.unless_disturbed(354) } else { Allowed::OutOfOrder }
    }

    /// After the last octet. `store`: whether the store may fail, or holds the same mail as pending; that concerns only mail that is kept.
    pub(super) fn may_hear_at_last(&self, kind: Kind, store: bool) -> Allowed {
        let kept = self.to.iter().any(|who| gets(kind, *who) != Gets::Original);
        if self.disturbed || (kept && store) { Allowed::OrLater(250) } else { Allowed::Code(250) }
    }

    /// RSET, EHLO, the end of a mail.
    pub(super) fn forget(&mut self, disturbed: bool) {
        self.open = false;
        self.to.clear();
        self.disturbed = disturbed;
    }
}

/// How the attempts to send one mail to one recipient ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Fate {
    /// Attempts that were answered 250.
    pub(super) taken: usize,
    /// Attempts of which nobody knows.
    pub(super) unknown: usize,
    /// The sets of recipients it was sealed for: to another set it is another mail.
    pub(super) sets: BTreeSet<Vec<Who>>,
}

/// All mails with their recipients.
#[derive(Debug, Default)]
pub(super) struct Fates {
    pub(super) of: BTreeMap<(usize, Who), Fate>,
    pub(super) kinds: BTreeMap<usize, Kind>,
    /// Mails that a client left behind while they were judged: one that is sent again then is told 451 for as long as that takes.
    pub(super) abandoned: BTreeSet<usize>,
}

impl Fates {
    /// A whole mail was sent; `code` is what was heard, if anything was, and `sure` whether a refusal means that nothing has happened.
    pub(super) fn note(&mut self, mail: usize, kind: Kind, to: &BTreeSet<Who>, code: Option<u16>, sure: bool) {
        self.kinds.insert(mail, kind);
        let set: Vec<Who> = to.iter().copied().filter(|who| gets(kind, *who) != Gets::Original).collect();
        for who in to {
            let fate = self.of.entry((mail, *who)).or_default();
            match code {
                Some(250) => fate.taken += 1,
                Some(_) if sure => continue,
                _ => fate.unknown += 1,
            }
            fate.sets.insert(set.clone());
        }
    }
}

impl Fate {
    /// How many copies of the mail itself there may be. A repeat to the same recipients may be known as one, or not: with nothing sealed it never is.
    pub(super) fn originals(&self, kind: Kind) -> std::ops::RangeInclusive<usize> {
        let least = if kind == Kind::Clean { self.taken } else { self.taken.min(1) };
        least..=self.taken + self.unknown
    }

    /// How many different links there may be.
    pub(super) fn links(&self) -> std::ops::RangeInclusive<usize> {
        self.taken.min(1)..=self.sets.len()
    }
}
