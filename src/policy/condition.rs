//! The `when` of a policy.

use super::{Summary, Verdict};
use crate::{
    address::{Address, Domain},
    detect::Confidence,
    extract::{FactKind, ProblemKind},
};
use std::sync::Arc;

/// A `when`: everything in it must hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Condition {
    /// One of these rules found something, at this confidence or better. Empty: no matter.
    pub(super) rules: Vec<Arc<str>>,
    pub(super) confidence: Option<Confidence>,
    /// One of these problems is there. Empty: no matter.
    pub(super) problems: Vec<ProblemKind>,
    /// One of these is true of some file. Empty: no matter.
    pub(super) files: Vec<FactKind>,
    pub(super) from: Option<Who>,
    pub(super) to: Option<Who>,
    /// One of these holds. Empty: no matter.
    pub(super) any: Vec<Condition>,
    /// None of these holds.
    pub(super) unless: Vec<Condition>,
}

/// People: whoever one of these names.
#[derive(Clone, Debug, Default)]
pub(super) struct Who {
    pub(super) internal: bool,
    pub(super) external: bool,
    pub(super) addresses: Vec<Address>,
    pub(super) domains: Vec<Domain>,
}

impl Who {
    fn includes(&self, address: &Address, internal: &[Domain]) -> bool {
        let domain = address.domain();
        let inside = address.is_within(internal);
        (self.internal && inside) || (self.external && !inside) || self.addresses.contains(address) || self.domains.contains(&domain)
    }
}

impl Condition {
    pub(super) fn holds(&self, mail: &Summary<'_>, to: &Address) -> bool {
        (self.rules.is_empty() || self.rules.iter().any(|rule| self.found(mail, rule)))
            && (self.problems.is_empty() || self.problems.iter().any(|p| mail.problems.contains(p)))
            && (self.files.is_empty() || self.files.iter().any(|f| mail.files.contains(f)))
            // The null sender is nobody: no `from` means it, and no `unless = { from = .. }` lets it pass.
            && self.from.as_ref().is_none_or(|who| mail.from.is_some_and(|from| who.includes(from, mail.internal)))
            && self.to.as_ref().is_none_or(|who| who.includes(to, mail.internal))
            && (self.any.is_empty() || self.any.iter().any(|c| c.holds(mail, to)))
            && !self.unless.iter().any(|c| c.holds(mail, to))
    }

    fn found(&self, mail: &Summary<'_>, rule: &str) -> bool {
        mail.rules.get(rule).is_some_and(|best| *best >= self.confidence.unwrap_or(Confidence::Low))
    }

    /// Adds the rules, problems and facts by which this condition holds.
    pub(super) fn reasons(&self, mail: &Summary<'_>, to: &Address, verdict: &mut Verdict) {
        for rule in self.rules.iter().filter(|rule| self.found(mail, rule)) {
            if !verdict.rules.contains(rule) {
                verdict.rules.push(rule.clone());
            }
        }
        for problem in self.problems.iter().filter(|p| mail.problems.contains(p)) {
            if !verdict.problems.contains(problem) {
                verdict.problems.push(*problem);
            }
        }
        for fact in self.files.iter().filter(|f| mail.files.contains(f)) {
            if !verdict.files.contains(fact) {
                verdict.files.push(*fact);
            }
        }
        for condition in self.any.iter().filter(|c| c.holds(mail, to)) {
            condition.reasons(mail, to, verdict);
        }
    }

    /// Whether this may hold without any finding, problem or fact; whom it names is not looked at.
    pub(super) fn may_hold_for_clean_mail(&self) -> bool {
        let any = self.any.is_empty() || self.any.iter().any(Condition::may_hold_for_clean_mail);
        self.rules.is_empty() && self.problems.is_empty() && self.files.is_empty() && any
    }

    /// Whether any problem is named, so that somebody thought of mail that can't be read.
    pub(super) fn names_a_problem(&self) -> bool {
        !self.problems.is_empty() || self.any.iter().any(Condition::names_a_problem)
    }
}
