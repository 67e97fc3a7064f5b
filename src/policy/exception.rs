//! Exceptions: they lower what the policies say, for some people, for a reason, until a day.

use super::{
    Outcome,
    condition::{Summary, Who},
};
use crate::{address::Address, record::Level};
use jiff::civil::Date;
use std::sync::Arc;

/// An `[[exception]]`.
#[derive(Clone, Debug)]
pub(super) struct Exception {
    pub(super) name: Arc<str>,
    /// Where it stands: file and line.
    pub(super) place: (String, usize),
    pub(super) from: Option<Who>,
    pub(super) to: Option<Who>,
    /// It applies to these outcomes.
    pub(super) lowers: Vec<Outcome>,
    /// What they become.
    pub(super) into: Outcome,
    pub(super) reason: Arc<str>,
    /// The last day on which it holds.
    pub(super) ends: Date,
}

impl Exception {
    /// Whether it applies to a mail that would meet `outcome`.
    pub(super) fn holds(&self, mail: &Summary<'_>, to: &Address, outcome: Outcome) -> bool {
        mail.now.date() <= self.ends
            && self.lowers.iter().any(|o| o.word() == outcome.word())
            && self.from.as_ref().is_none_or(|who| mail.from.is_some_and(|from| who.includes(from, mail.internal)))
            && self.to.as_ref().is_none_or(|who| who.includes(to, mail.internal))
    }

    /// What becomes of `outcome`. Where transport is not verified `direct` falls back to the level that was lowered, and to level 2 where there was
    /// none.
    pub(super) fn lowered(&self, outcome: Outcome, level: Option<Level>) -> Outcome {
        match (self.into, outcome) {
            (Outcome::Direct(_), Outcome::Level(level)) => Outcome::Direct(level),
            (Outcome::Direct(_), _) => Outcome::Direct(level.unwrap_or(Level::Two)),
            (Outcome::Ask(_), _) => Outcome::Ask(level),
            (into, _) => into,
        }
    }
}
