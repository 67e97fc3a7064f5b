//! Policies: what happens to a mail, per recipient, given what was found in it, what could not be read, who sends, who receives, and when.
//!
//! The strictest outcome wins, and the order of the lines never matters: so no line can hide another. Exceptions lower outcomes, each policy's
//! by itself. A policy that only watches (`monitor`, `notify`) decides nothing and is told beside the verdict.

mod condition;
mod doubts;
mod exception;
mod file;
mod look_alike;
mod outcome;
mod window;

pub use doubts::Doubt;
pub use file::{EMBEDDED, Example};
pub use outcome::{MissingPhone, Mode, Outcome, Scope};

use crate::{
    address::{Address, Domain},
    detect::Finding,
    extract::{Fact, FactKind, Problem, ProblemKind},
    record::Level,
};
use condition::{Condition, Reasons, Summary};
use exception::Exception;
use jiff::civil::{Date, DateTime};
use std::sync::Arc;

/// What is known of a mail beside what is in it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Besides<'a> {
    /// The recipients to whom nobody of the organisation has written before, as far as that is known.
    pub strangers: &'a [Address],
    /// Points that count as found: an example states them.
    pub points: u32,
}

/// What a decision rests on. Anything that depends on the world (a directory) would be a field here too.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The moment on the organisation's wall clock ([`crate::time::Time::local`]): policies may change on a day and differ by the hour.
    pub now: DateTime,
    /// The envelope's sender; `None` is the null sender.
    pub from: Option<&'a Address>,
    /// The envelope's recipients.
    pub to: &'a [Address],
    /// Those that the header names: a mail server may split a mail, and a count must see all of them.
    pub named: &'a [Address],
    /// The mail's header fields, name and value.
    pub headers: &'a [(String, String)],
    /// What was found.
    pub findings: &'a [Finding],
    /// What could not be read.
    pub problems: &'a [Problem],
    /// What is odd about files.
    pub files: &'a [Fact],
    /// What is known beside the mail.
    pub besides: Besides<'a>,
    /// The organisation's own domains: everything else is external. A subdomain counts only when it is listed.
    pub internal: &'a [Domain],
}

/// What the policies say about one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The recipient.
    pub to: Address,
    /// What happens.
    pub outcome: Outcome,
    /// The policy that says so; `None` when nothing happens.
    pub policy: Option<Arc<str>>,
    /// The other policies that applied, strictest first.
    pub overruled: Vec<Arc<str>>,
    /// Whether the sender may lower it: [`Mode::Mandatory`] when one of the policies that say so forbids it.
    pub mode: Mode,
    /// What of the mail is sealed: the whole when one of the policies wants that.
    pub scope: Scope,
    /// The strictest level that a policy names, the winner included: what holds where nobody can be asked, and after a release.
    pub level: Option<Level>,
    /// Whether whoever decides about the held mail may let it go to him as it is: no other policy asks for protection, and those by which the
    /// sender is asked leave him the choice.
    pub openly: bool,
    /// The exception that lowered it.
    pub lowered: Option<Lowered>,
    /// The policies that apply and only watch, strictest first.
    pub watched: Vec<Watched>,
    /// What happens to others while this recipient's number is missing.
    pub missing_phone: MissingPhone,
    /// The rules by whose findings it comes to this outcome, those of other policies that say the same included.
    pub rules: Vec<Arc<str>>,
    /// The problems by which it does.
    pub problems: Vec<ProblemKind>,
    /// What is odd about files, by which it does.
    pub files: Vec<FactKind>,
}

/// What an exception did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lowered {
    /// The exception's name.
    pub exception: Arc<str>,
    /// Its reason, as it stands in the file.
    pub reason: Arc<str>,
    /// What it would have been.
    pub from: Outcome,
    /// The policy that had won.
    pub policy: Arc<str>,
}

/// A policy that applies and decides nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Its name.
    pub policy: Arc<str>,
    /// [`Mode::Monitor`] or [`Mode::Notify`].
    pub mode: Mode,
    /// What it would do.
    pub outcome: Outcome,
    /// The rules by whose findings it applies.
    pub rules: Vec<Arc<str>>,
    /// The problems by which it does.
    pub problems: Vec<ProblemKind>,
    /// What is odd about files, by which it does.
    pub files: Vec<FactKind>,
}

/// A set of policies, ready to decide.
#[derive(Clone, Debug, Default)]
pub struct Policies {
    policies: Vec<Policy>,
    exceptions: Vec<Exception>,
    examples: Vec<Example>,
    /// The domains that policies, exceptions and groups name: nobody takes one of them for another.
    partners: Vec<Domain>,
    /// The points of each rule that has some.
    points: Vec<(Arc<str>, u32)>,
    /// The first line that says `direct`: its file and number.
    direct: Option<(String, usize)>,
}

#[derive(Clone, Debug)]
struct Policy {
    name: Arc<str>,
    /// Where it stands: file and line.
    place: (String, usize),
    when: Condition,
    then: Outcome,
    mode: Mode,
    /// From this day the mode is the second one.
    until: Option<(Date, Mode)>,
    scope: Scope,
    missing_phone: MissingPhone,
}

impl Policy {
    /// What it does on this day.
    fn mode(&self, today: Date) -> Mode {
        match self.until {
            Some((day, then)) if today >= day => then,
            _ => self.mode,
        }
    }
}

/// What a policy that applies and acts comes to for one recipient.
struct Said<'a> {
    policy: &'a Policy,
    /// The exception that lowered it.
    exception: Option<&'a Exception>,
    outcome: Outcome,
}

impl Said<'_> {
    /// Whether whoever decides about the mail may let it go as it is, as far as this policy goes. What an exception lowered was lowered once already.
    fn leaves_the_choice(&self) -> bool {
        self.exception.is_none() && matches!(self.outcome, Outcome::None | Outcome::Ask(_) | Outcome::Quarantine)
    }
}

impl Policies {
    /// What happens to a mail: one verdict per recipient, in their order.
    #[must_use]
    pub fn decide(&self, mail: &Facts<'_>) -> Vec<Verdict> {
        let summary = Summary::of(mail, &self.points, &self.partners);
        mail.to.iter().map(|to| self.verdict(&summary, to)).collect()
    }

    fn verdict(&self, mail: &Summary<'_>, to: &Address) -> Verdict {
        let mut applying: Vec<&Policy> = self.policies.iter().filter(|p| p.when.holds(mail, to)).collect();
        // A stable sort: among equals the first in the files wins, which decides about nothing but its name.
        applying.sort_by_key(|p| std::cmp::Reverse(p.then));
        let (acting, watching): (Vec<&Policy>, Vec<&Policy>) = applying.into_iter().partition(|p| p.mode(mail.now.date()).acts());
        let mut verdict = Verdict {
            to: to.clone(),
            outcome: Outcome::None,
            policy: None,
            overruled: Vec::new(),
            mode: Mode::Automatic,
            scope: Scope::Message,
            level: None,
            openly: false,
            lowered: None,
            watched: watching.iter().map(|p| p.watch(mail, to)).collect(),
            missing_phone: MissingPhone::SendReady,
            rules: Vec::new(),
            problems: Vec::new(),
            files: Vec::new(),
        };
        if acting.first().is_none_or(|winner| winner.then == Outcome::None) {
            return verdict;
        }
        let named = acting.iter().filter_map(|p| p.then.level()).max();
        let said: Vec<Said<'_>> = acting.iter().map(|policy| self.said(mail, to, policy, named)).collect();
        let level = said.iter().filter_map(|s| s.outcome.level()).max();
        let (Some(winner), Some(strictest)) = (said.first(), said.iter().map(|s| s.outcome).max()) else { return verdict };
        verdict.lowered = winner.exception.map(|exception| Lowered {
            exception: exception.name.clone(),
            reason: exception.reason.clone(),
            from: winner.policy.then,
            policy: winner.policy.name.clone(),
        });
        if strictest == Outcome::None {
            return verdict;
        }
        verdict.level = level.max(named);
        verdict.outcome = match strictest {
            Outcome::Ask(_) => Outcome::Ask(verdict.level),
            // The level that a `direct` names counts too: the mail does not go directly.
            Outcome::Level(least) => Outcome::Level(level.unwrap_or(least)),
            other => other,
        };
        let decides = |said: &&Said<'_>| match verdict.outcome {
            Outcome::Level(level) => said.outcome.level() == Some(level),
            outcome => said.outcome.word() == outcome.word(),
        };
        // The first of equals.
        let Some(decisive) = said.iter().rev().filter(decides).max_by_key(|s| s.outcome) else { return verdict };
        verdict.policy = Some(decisive.policy.name.clone());
        verdict.overruled = acting.iter().filter(|p| p.name != decisive.policy.name).map(|p| p.name.clone()).collect();
        // The text of a mail travels only where every policy that seals it, at whatever level, lets it.
        let seals = said.iter().filter(|s| s.outcome != Outcome::None);
        verdict.scope = seals.map(|s| s.policy.scope).max().unwrap_or_default();
        let mut reasons = Reasons::default();
        for policy in acting.iter().filter(|p| p.then.word() == decisive.policy.then.word()) {
            verdict.missing_phone = verdict.missing_phone.max(policy.missing_phone);
            verdict.mode = verdict.mode.max(policy.mode(mail.now.date()));
            policy.when.reasons(mail, to, &mut reasons);
        }
        Reasons { rules: verdict.rules, problems: verdict.problems, files: verdict.files } = reasons;
        verdict.openly = said.iter().all(Said::leaves_the_choice)
            && match verdict.outcome {
                // The mode binds the sender, not the organisation.
                Outcome::Quarantine => true,
                Outcome::Ask(_) => verdict.mode != Mode::Mandatory,
                _ => false,
            };
        verdict
    }

    /// What a policy comes to for this recipient once exceptions have lowered it: of several the mildest counts, whichever comes first. `named` is
    /// the strictest level that any policy names.
    fn said<'a>(&'a self, mail: &Summary<'_>, to: &Address, policy: &'a Policy, named: Option<Level>) -> Said<'a> {
        let applying = self.exceptions.iter().filter(|e| e.holds(mail, to, policy.then));
        match applying.map(|e| (e, e.lowered(policy.then, named))).min_by_key(|(_, outcome)| *outcome) {
            Some((exception, outcome)) => Said { policy, exception: Some(exception), outcome },
            None => Said { policy, exception: None, outcome: policy.then },
        }
    }

    /// Whether a mail in which nothing was found, and nothing could not be read, may come to something all the same by who sends it to whom.
    #[must_use]
    pub fn bind_clean_mail(&self) -> bool {
        self.policies.iter().any(|p| p.then != Outcome::None && p.when.may_hold_for_clean_mail())
    }

    /// Whether any policy asks to whom nobody has written before: then that must be known for every mail.
    #[must_use]
    pub fn ask_for_first_contact(&self) -> bool {
        self.policies.iter().any(|p| p.when.any_of(&|c| c.recipients.is_some_and(|r| r.first_contact)))
    }

    /// The examples that the files hold.
    #[must_use]
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// Where a policy or an exception says `direct`, if any does: a file and its line. It needs `[direct]` in the configuration.
    #[must_use]
    pub fn direct(&self) -> Option<(&str, usize)> {
        self.direct.as_ref().map(|(file, line)| (file.as_str(), *line))
    }

    /// How many policies there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.policies.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }
}

impl Policy {
    fn watch(&self, mail: &Summary<'_>, to: &Address) -> Watched {
        let mut reasons = Reasons::default();
        self.when.reasons(mail, to, &mut reasons);
        let Reasons { rules, problems, files } = reasons;
        Watched { policy: self.name.clone(), mode: self.mode(mail.now.date()), outcome: self.then, rules, problems, files }
    }
}

#[cfg(test)]
mod tests;
