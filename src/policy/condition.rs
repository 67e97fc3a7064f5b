//! The `when` of a policy.

use super::{
    Besides, Facts,
    look_alike::{is_within, resembles},
    window::Window,
};
use crate::{
    address::{Address, Domain},
    detect::Confidence,
    extract::{FactKind, ProblemKind},
};
use jiff::civil::DateTime;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// A `when`: everything in it must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Condition {
    /// One of these rules found something, at this confidence or better. Empty: no matter.
    pub(super) rules: Vec<Arc<str>>,
    /// Something of one of these types was found, at this confidence or better. Empty: no matter.
    pub(super) finds: Vec<String>,
    /// The rules that found something, at this confidence or better, have so many points together.
    pub(super) points: Option<u32>,
    pub(super) confidence: Option<Confidence>,
    /// One of these problems is there. Empty: no matter.
    pub(super) problems: Vec<ProblemKind>,
    /// One of these is true of some file. Empty: no matter.
    pub(super) files: Vec<FactKind>,
    /// A problem for one of these reasons is there. Empty: no matter.
    pub(super) reasons: Vec<String>,
    /// One of these header fields is there. Empty: no matter.
    pub(super) headers: Vec<Header>,
    pub(super) recipients: Option<Count>,
    /// It is one of these times. Empty: no matter.
    pub(super) at: Vec<Window>,
    pub(super) from: Option<Who>,
    pub(super) to: Option<Who>,
    /// All of these hold.
    pub(super) all: Vec<Condition>,
    /// One of these holds. Empty: no matter.
    pub(super) any: Vec<Condition>,
    /// None of these holds.
    pub(super) unless: Vec<Condition>,
}

/// A header field, and what its value is or has; capitals don't matter.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) is: Vec<String>,
    pub(super) has: Vec<String>,
}

impl Header {
    fn is_in(&self, headers: &[(String, String)]) -> bool {
        headers.iter().filter(|(name, _)| self.name.eq_ignore_ascii_case(name)).any(|(_, value)| {
            let value = value.trim().to_lowercase();
            (self.is.is_empty() && self.has.is_empty()) || self.is.contains(&value) || self.has.iter().any(|part| value.contains(part))
        })
    }
}

/// So many recipients at least, each counted once, those of the header too; and what must be true of the one who is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Count {
    pub(super) all: Option<usize>,
    pub(super) external: Option<usize>,
    /// External domains.
    pub(super) domains: Option<usize>,
    /// Nobody of the organisation has written to this one before.
    pub(super) first_contact: bool,
    /// His domain resembles one of the organisation's or one that the policies name.
    pub(super) look_alike: bool,
}

/// People: whoever one of these names.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Who {
    pub(super) internal: bool,
    pub(super) external: bool,
    pub(super) addresses: Vec<Address>,
    pub(super) domains: Vec<Domain>,
    pub(super) groups: Vec<Arc<Group>>,
}

/// People that a file lists under a name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Group {
    pub(super) addresses: HashSet<Address>,
    pub(super) domains: HashSet<Domain>,
}

impl Who {
    pub(super) fn includes(&self, address: &Address, internal: &[Domain]) -> bool {
        let domain = address.domain();
        let inside = address.is_within(internal);
        (self.internal && inside)
            || (self.external && !inside)
            || self.addresses.contains(address)
            || self.domains.contains(&domain)
            || self.groups.iter().any(|group| group.addresses.contains(address) || group.domains.contains(&domain))
    }

    /// Whether everybody whom `other` names is named here too, as far as the words show.
    pub(super) fn covers(&self, other: &Who) -> bool {
        (self.internal && self.external)
            || ((!other.internal || self.internal)
                && (!other.external || self.external)
                && other.addresses.iter().all(|a| self.addresses.contains(a) || self.domains.contains(&a.domain()))
                && other.domains.iter().all(|d| self.domains.contains(d))
                && other.groups.iter().all(|g| self.groups.contains(g)))
    }
}

/// By what conditions hold, each once.
#[derive(Default)]
pub(super) struct Reasons {
    pub(super) rules: Vec<Arc<str>>,
    pub(super) problems: Vec<ProblemKind>,
    pub(super) files: Vec<FactKind>,
}

/// What was found in a mail, summed up once for all recipients.
pub(super) struct Summary<'a> {
    pub(super) now: DateTime,
    pub(super) from: Option<&'a Address>,
    pub(super) internal: &'a [Domain],
    besides: Besides<'a>,
    partners: &'a [Domain],
    headers: &'a [(String, String)],
    /// The best confidence of each rule that found something.
    rules: HashMap<&'a str, Confidence>,
    /// The best confidence of each type, and the rules that found it.
    types: HashMap<&'a str, Vec<(&'a Arc<str>, Confidence)>>,
    points: &'a [(Arc<str>, u32)],
    problems: Vec<ProblemKind>,
    files: Vec<FactKind>,
    /// Kinds and reasons of problems.
    reasons: Vec<(ProblemKind, &'a str)>,
    recipients: (usize, usize, usize),
}

impl<'a> Summary<'a> {
    pub(super) fn of(mail: &Facts<'a>, points: &'a [(Arc<str>, u32)], partners: &'a [Domain]) -> Summary<'a> {
        let mut rules = HashMap::new();
        let mut types: HashMap<&str, Vec<(&Arc<str>, Confidence)>> = HashMap::new();
        for finding in mail.findings {
            let best = rules.entry(&*finding.rule).or_insert(finding.confidence);
            *best = (*best).max(finding.confidence);
            let found = types.entry(finding.kind).or_default();
            match found.iter_mut().find(|(rule, _)| **rule == finding.rule) {
                Some((_, best)) => *best = (*best).max(finding.confidence),
                None => found.push((&finding.rule, finding.confidence)),
            }
        }
        let mut reasons: Vec<_> = mail.problems.iter().map(|p| (p.kind, p.reason)).collect();
        reasons.sort_unstable();
        reasons.dedup();
        let mut problems: Vec<_> = reasons.iter().map(|(kind, _)| *kind).collect();
        problems.dedup();
        let mut files: Vec<_> = mail.files.iter().map(|f| f.kind).collect();
        files.sort_unstable();
        files.dedup();
        let (now, from, internal, headers) = (mail.now, mail.from, mail.internal, mail.headers);
        let besides = mail.besides;
        Summary { now, from, internal, besides, partners, headers, rules, types, points, problems, files, reasons, recipients: count(mail) }
    }

    fn points(&self, confidence: Confidence) -> u32 {
        let found = self.points.iter().filter(|(rule, _)| self.rules.get(&**rule).is_some_and(|best| *best >= confidence));
        found.fold(self.besides.points, |sum, (_, points)| sum.saturating_add(*points))
    }
}

impl Summary<'_> {
    /// Whether the recipient's domain resembles one that is known, and neither is nor stands below one.
    fn is_look_alike(&self, to: &Address) -> bool {
        let (domain, mut known) = (to.domain(), self.internal.iter().chain(self.partners));
        !known.clone().any(|one| is_within(&domain, one)) && known.any(|one| resembles(&domain, one))
    }
}

/// All recipients, the external ones, and their domains.
fn count(mail: &Facts<'_>) -> (usize, usize, usize) {
    let all: HashSet<&Address> = mail.to.iter().chain(mail.named).collect();
    let external: Vec<_> = all.iter().filter(|a| !a.is_within(mail.internal)).collect();
    let domains: HashSet<Domain> = external.iter().map(|a| a.domain()).collect();
    (all.len(), external.len(), domains.len())
}

impl Condition {
    pub(super) fn holds(&self, mail: &Summary<'_>, to: &Address) -> bool {
        (self.rules.is_empty() || self.rules.iter().any(|rule| self.found(mail, rule)))
            && (self.finds.is_empty() || self.finders(mail).next().is_some())
            && self.points.is_none_or(|points| mail.points(self.sure()) >= points)
            && (self.problems.is_empty() || self.problems.iter().any(|p| mail.problems.contains(p)))
            && (self.files.is_empty() || self.files.iter().any(|f| mail.files.contains(f)))
            && (self.reasons.is_empty() || self.reasoned(mail).next().is_some())
            && (self.headers.is_empty() || self.headers.iter().any(|h| h.is_in(mail.headers)))
            && self.recipients.is_none_or(|count| count.holds(mail, to))
            && (self.at.is_empty() || self.at.iter().any(|window| window.holds(mail.now)))
            // The null sender is nobody: no `from` means it, and no `unless = { from = .. }` lets it pass.
            && self.from.as_ref().is_none_or(|who| mail.from.is_some_and(|from| who.includes(from, mail.internal)))
            && self.to.as_ref().is_none_or(|who| who.includes(to, mail.internal))
            && self.all.iter().all(|c| c.holds(mail, to))
            && (self.any.is_empty() || self.any.iter().any(|c| c.holds(mail, to)))
            && !self.unless.iter().any(|c| c.holds(mail, to))
    }

    fn sure(&self) -> Confidence {
        self.confidence.unwrap_or(Confidence::Low)
    }

    fn found(&self, mail: &Summary<'_>, rule: &str) -> bool {
        mail.rules.get(rule).is_some_and(|best| *best >= self.sure())
    }

    /// The rules that found one of the types.
    fn finders<'a>(&'a self, mail: &'a Summary<'_>) -> impl Iterator<Item = &'a Arc<str>> {
        let found = self.finds.iter().filter_map(|kind| mail.types.get(kind.as_str())).flatten();
        found.filter(|(_, best)| *best >= self.sure()).map(|(rule, _)| *rule)
    }

    /// The problems there are for one of the reasons; of the kinds that are named, if any is.
    fn reasoned<'a>(&'a self, mail: &'a Summary<'_>) -> impl Iterator<Item = ProblemKind> {
        let wanted = |kind: &ProblemKind| self.problems.is_empty() || self.problems.contains(kind);
        mail.reasons.iter().filter(move |(kind, reason)| wanted(kind) && self.reasons.iter().any(|r| r == reason)).map(|(kind, _)| *kind)
    }

    /// Adds that by which this condition holds.
    pub(super) fn reasons(&self, mail: &Summary<'_>, to: &Address, reasons: &mut Reasons) {
        let named = self.rules.iter().filter(|rule| self.found(mail, rule)).chain(self.finders(mail));
        let pointed = mail.points.iter().filter(|(rule, _)| self.points.is_some() && self.found(mail, rule)).map(|(rule, _)| rule);
        for rule in named.chain(pointed) {
            if !reasons.rules.contains(rule) {
                reasons.rules.push(rule.clone());
            }
        }
        let there = self.problems.iter().copied().filter(|p| mail.problems.contains(p));
        for problem in there.chain(self.reasoned(mail)) {
            if !reasons.problems.contains(&problem) {
                reasons.problems.push(problem);
            }
        }
        for fact in self.files.iter().filter(|f| mail.files.contains(f)) {
            if !reasons.files.contains(fact) {
                reasons.files.push(*fact);
            }
        }
        for condition in self.all.iter().chain(&self.any).filter(|c| c.holds(mail, to)) {
            condition.reasons(mail, to, reasons);
        }
    }

    /// Whether this may hold without any finding, problem or fact; whom it names is not looked at.
    pub(super) fn may_hold_for_clean_mail(&self) -> bool {
        let any = self.any.is_empty() || self.any.iter().any(Condition::may_hold_for_clean_mail);
        let all = self.all.iter().all(Condition::may_hold_for_clean_mail);
        let found = self.rules.is_empty() && self.finds.is_empty() && self.points.is_none_or(|points| points == 0);
        found && self.problems.is_empty() && self.files.is_empty() && self.reasons.is_empty() && any && all
    }

    /// Whether `what` holds for this condition or one within it.
    pub(super) fn any_of(&self, what: &dyn Fn(&Condition) -> bool) -> bool {
        what(self) || self.all.iter().chain(&self.any).chain(&self.unless).any(|c| c.any_of(what))
    }

    /// Adds the domains that are named here.
    pub(super) fn domains(&self, named: &mut Vec<Domain>) {
        named.extend(self.from.iter().chain(&self.to).flat_map(|who| who.domains.iter().cloned()));
        for condition in self.all.iter().chain(&self.any).chain(&self.unless) {
            condition.domains(named);
        }
    }

    /// Whether any problem is named, so that somebody thought of mail that can't be read.
    pub(super) fn names_a_problem(&self) -> bool {
        !self.problems.is_empty() || self.all.iter().chain(&self.any).any(Condition::names_a_problem)
    }

    /// Whether this holds wherever `other` does, as far as the words show; not showing it decides nothing.
    pub(super) fn covers(&self, other: &Condition) -> bool {
        let within =
            |mine: &[Arc<str>], theirs: &[Arc<str>]| mine.is_empty() || (!theirs.is_empty() && theirs.iter().all(|t| mine.contains(t)));
        let who = |mine: &Option<Who>, theirs: &Option<Who>| match (mine, theirs) {
            (None, _) => true,
            (Some(mine), Some(theirs)) => mine.covers(theirs),
            (Some(_), None) => false,
        };
        let problems = self.problems.is_empty() || (!other.problems.is_empty() && other.problems.iter().all(|p| self.problems.contains(p)));
        within(&self.rules, &other.rules)
            && self.sure() <= other.sure()
            && problems
            && who(&self.from, &other.from)
            && who(&self.to, &other.to)
            && (self.finds.is_empty() || self.finds == other.finds)
            && self.points.is_none_or(|mine| other.points.is_some_and(|theirs| mine <= theirs))
            && (self.reasons.is_empty() || self.reasons == other.reasons)
            && (self.files.is_empty() || self.files == other.files)
            && (self.headers.is_empty() || self.headers == other.headers)
            && (self.recipients.is_none() || self.recipients == other.recipients)
            && (self.at.is_empty() || self.at == other.at)
            && self.all.iter().all(|c| other.all.contains(c))
            && (self.any.is_empty() || self.any == other.any)
            && self.unless.iter().all(|c| other.unless.contains(c))
    }
}

impl Count {
    fn holds(self, mail: &Summary<'_>, to: &Address) -> bool {
        let (all, external, domains) = mail.recipients;
        (!self.first_contact || mail.besides.strangers.contains(to))
            && (!self.look_alike || mail.is_look_alike(to))
            && self.all.is_none_or(|least| all >= least)
            && self.external.is_none_or(|least| external >= least)
            && self.domains.is_none_or(|least| domains >= least)
    }
}
