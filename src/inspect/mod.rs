//! The judgement of a mail as a whole: what was found, what the policies say, and so what is done with it.
//!
//! The gateway, `zegel explain` and `zegel check` all come through [`Rulebook::judge`].

mod example;
mod explain;

pub use explain::{findings_as_json, json, problems_as_json, text};

use crate::{
    address::{Address, Domain},
    detect::{Finding, KnownKey, RuleSet},
    envelope::{Envelope, Recipient},
    extract::{Extraction, Places, Problem, ProblemKind, Source, Text},
    fault::{Faults, Files},
    message,
    phone::PhoneNumber,
    policy::{self, MissingPhone, Outcome, Policies, Verdict},
    record::Level,
};
use std::{collections::HashSet, sync::Arc};

/// Everything that judges: one complete set. A mail sees one; a reload makes another.
pub struct Rulebook {
    /// What is looked for.
    pub rules: RuleSet,
    /// What then happens.
    pub policies: Policies,
    /// The organisation's own domains.
    pub internal: Vec<Domain>,
}

/// What became of a mail, and why.
pub struct Inspection {
    /// What was found.
    pub findings: Vec<Finding>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// What happens to each recipient, in the order of the envelope.
    pub verdicts: Vec<Verdict>,
    /// What else than a policy had a say.
    pub remarks: Vec<Remark>,
    /// What the gateway does.
    pub decision: Decision,
}

/// What the gateway does with a mail.
pub enum Decision {
    /// Passes it on to everybody as it is.
    Relay,
    /// Seals it for some.
    Protect(Plan),
    /// Refuses it.
    Reject(Reason),
}

/// Who gets what.
#[derive(Clone)]
pub struct Plan {
    /// Those to whom the mail passes as it is.
    pub relay: Vec<Recipient>,
    /// Those for whom it is sealed, each once however often the envelope names him.
    pub protect: Vec<Protected>,
    /// Those who get the mail itself if transport to their domain is verified, with the level at which it is sealed otherwise, each once. Never
    /// empty together with `protect`.
    pub direct: Vec<Protected>,
    /// What happens to the others while somebody's number is missing.
    pub missing_phone: MissingPhone,
    /// Whether the sender may be asked for a number.
    pub ask: Ask,
    /// Whether the sender hears of what fails later: everybody but a machine, for whom nobody would read it.
    pub tell: bool,
}

/// A recipient for whom the mail is sealed, or would be.
#[derive(Clone)]
pub struct Protected {
    /// The recipient.
    pub recipient: Recipient,
    /// How he proves who he is.
    pub level: Level,
    /// The number that the sender wrote behind the trigger.
    pub phone: Option<PhoneNumber>,
}

/// Whether the sender may get a page of ours that decides something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// One of us.
    Sender,
    /// A sender outside the organisation, or a machine. A mail of level 2 with a number that is not known is refused then.
    Nobody,
}

/// Why a mail is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// The policy that refuses it.
    pub policy: Arc<str>,
}

/// A circumstance that changed what the policies say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// A machine sent it, or the null sender: level 1 at most.
    Automatic,
    /// It tells somebody outside that his own mail did not arrive: it passes.
    Bounce,
    /// The sender wrote a phone number behind the trigger: level 2 at least.
    Number,
}

/// Who sends a mail, as far as that changes what may be done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sender {
    /// One of us.
    Ours,
    /// Somebody else: a mail that is forwarded.
    Outside,
    /// The null sender or a machine (RFC 3834): nobody would read what we write.
    Automatic,
}

/// Under this name a number in the trigger appears where no policy has asked for protection.
const BY_NUMBER: &str = "phone number in the trigger";

impl Rulebook {
    /// Reads rules and policies out of `files`; complete only if no fault was added.
    #[must_use]
    pub fn compile(files: &Files, internal: Vec<Domain>, faults: &Faults) -> Rulebook {
        Rulebook::compile_with(files, None, internal, faults)
    }

    /// The same, with the key of the tables of known values.
    #[must_use]
    pub fn compile_with(files: &Files, key: Option<&Arc<KnownKey>>, internal: Vec<Domain>, faults: &Faults) -> Rulebook {
        let rules = RuleSet::compile_with(files, key, faults);
        let policies = Policies::compile(files, rules.rules().iter().map(|r| &*r.name), faults);
        Rulebook { rules, policies, internal }
    }

    /// Judges a mail.
    #[must_use]
    pub fn judge(&self, envelope: &Envelope, facts: &message::Facts, extraction: &Extraction) -> Inspection {
        self.judge_within(&self.internal, envelope, facts, extraction)
    }

    /// Judges a mail as an organisation with the domains `internal` would.
    #[must_use]
    pub fn judge_within(&self, internal: &[Domain], envelope: &Envelope, facts: &message::Facts, extraction: &Extraction) -> Inspection {
        let findings = self.rules.find(extraction);
        let to: Vec<Address> = envelope.to.iter().map(|r| r.address.clone()).collect();
        let from = envelope.from.as_ref();
        let problems = &extraction.problems;
        let mut verdicts = self.policies.decide(&policy::Facts { from, to: &to, findings: &findings, problems, internal });
        let case = Case { envelope, facts, internal };
        let trigger = (case.sender() == Sender::Ours).then(|| Trigger::of(&findings)).flatten();
        let remarks = case.adjust(&mut verdicts, trigger.as_ref());
        let decision = case.decision(&verdicts, trigger.and_then(|t| t.phone));
        Inspection { findings, problems: problems.clone(), verdicts, remarks, decision }
    }

    /// `subject` as zegel may write it where it can be read: without the trigger; `None` when it holds something sensitive.
    #[must_use]
    pub fn open_subject(&self, inspection: &Inspection, subject: &str) -> Option<String> {
        let strips = |finding: &Finding| self.rules.rules().iter().any(|r| r.name == finding.rule && r.strip);
        if inspection.findings.iter().any(|f| f.source == Source::Subject && !strips(f)) {
            return None;
        }
        // What is left is looked at again: without the trigger between them two halves may make a number.
        let subject = self.rules.strip_subject(subject);
        let text =
            Text { part: "subject".to_owned(), source: Source::Subject, text: subject.clone(), places: Places::None, spans: Vec::new() };
        let again = Extraction { texts: vec![text], ..Extraction::default() };
        self.rules.find(&again).iter().all(strips).then_some(subject)
    }

    /// Why the mail is protected, one plain sentence each, for its sender.
    #[must_use]
    pub fn sentences(&self, inspection: &Inspection, language: &str) -> Vec<String> {
        let mut sentences = Vec::new();
        for name in inspection.rules() {
            let rule = self.rules.rules().iter().find(|r| *r.name == *name);
            sentences.extend(rule.map(|r| if r.explain.is_empty() { r.title.clone() } else { r.explain.clone() }));
        }
        let mut problems: Vec<_> = inspection.verdicts.iter().flat_map(|v| v.problems.iter().copied()).collect();
        problems.sort_unstable();
        problems.dedup();
        sentences.extend(problems.into_iter().map(|p| sentence(p, language).to_owned()));
        sentences
    }
}

/// A mail's circumstances.
struct Case<'a> {
    envelope: &'a Envelope,
    facts: &'a message::Facts,
    internal: &'a [Domain],
}

impl Case<'_> {
    /// Changes what the policies say where the circumstances ask for it.
    fn adjust(&self, verdicts: &mut [Verdict], trigger: Option<&Trigger>) -> Vec<Remark> {
        let mut remarks = Vec::new();
        for verdict in verdicts {
            let remark = if self.is_bounce_to_outside() {
                pass(verdict).then_some(Remark::Bounce)
            } else if self.sender() == Sender::Automatic {
                lower(verdict).then_some(Remark::Automatic)
            } else {
                trigger.filter(|t| !self.is_internal(&verdict.to) && t.raise(verdict)).map(|_| Remark::Number)
            };
            remarks.extend(remark.filter(|r| !remarks.contains(r)));
        }
        remarks
    }

    fn decision(&self, verdicts: &[Verdict], phone: Option<PhoneNumber>) -> Decision {
        // SMTP gives one reply to the final dot: a mail that one recipient may not get is refused for all, so that its sender hears of it.
        if let Some(verdict) = verdicts.iter().find(|v| v.outcome == Outcome::Block) {
            return Decision::Reject(Reason { policy: verdict.policy.clone().unwrap_or_else(|| "block".into()) });
        }
        let phone = phone.filter(|_| self.has_one_external());
        let ask = if self.sender() == Sender::Ours { Ask::Sender } else { Ask::Nobody };
        let tell = self.sender() != Sender::Automatic;
        let mut plan =
            Plan { relay: Vec::new(), protect: Vec::new(), direct: Vec::new(), missing_phone: MissingPhone::SendReady, ask, tell };
        let mut protected = HashSet::new();
        for (recipient, verdict) in self.envelope.to.iter().zip(verdicts) {
            let (Outcome::Level(level) | Outcome::Direct(level)) = verdict.outcome else {
                plan.relay.push(recipient.clone());
                continue;
            };
            if !protected.insert(&recipient.address) {
                continue;
            }
            let recipient = recipient.clone();
            let phone = phone.clone().filter(|_| !self.is_internal(&recipient.address));
            plan.missing_phone = plan.missing_phone.max(verdict.missing_phone);
            let place = if matches!(verdict.outcome, Outcome::Direct(_)) { &mut plan.direct } else { &mut plan.protect };
            place.push(Protected { recipient, level, phone });
        }
        if plan.protect.is_empty() && plan.direct.is_empty() { Decision::Relay } else { Decision::Protect(plan) }
    }

    fn sender(&self) -> Sender {
        match &self.envelope.from {
            None => Sender::Automatic,
            Some(_) if self.facts.automatic => Sender::Automatic,
            Some(from) if self.is_internal(from) => Sender::Ours,
            Some(_) => Sender::Outside,
        }
    }

    /// Whether this tells somebody outside that his own mail did not arrive: what it quotes came from there.
    fn is_bounce_to_outside(&self) -> bool {
        self.envelope.from.is_none() && self.facts.report && self.facts.report_of.as_ref().is_some_and(|of| !self.is_internal(of))
    }

    /// Whether the mail has one external recipient, those that other transactions carry included: a mail server may split a mail by recipient,
    /// and the number must not become that of somebody else.
    fn has_one_external(&self) -> bool {
        let named = self.envelope.to.iter().map(|r| &r.address).chain(&self.facts.recipients_in_header);
        let mut external = named.filter(|a| !self.is_internal(a));
        external.next().is_some_and(|first| external.all(|other| other == first))
    }

    fn is_internal(&self, address: &Address) -> bool {
        address.is_within(self.internal)
    }
}

impl Inspection {
    /// The rules by which something happens to the mail, each once, for the log and for [`Rulebook::sentences`].
    #[must_use]
    pub fn rules(&self) -> Vec<&str> {
        let mut rules: Vec<&str> = Vec::new();
        for rule in self.verdicts.iter().flat_map(|v| &v.rules) {
            if !rules.contains(&&**rule) {
                rules.push(rule);
            }
        }
        rules
    }
}

/// A phone number that the sender wrote behind the activation word.
struct Trigger {
    rule: Arc<str>,
    /// `None` when there are several: the sender is asked which one is right.
    phone: Option<PhoneNumber>,
}

impl Trigger {
    fn of(findings: &[Finding]) -> Option<Trigger> {
        let mut numbers = findings.iter().filter_map(|f| Some((&f.rule, f.phone.as_ref()?)));
        let (rule, phone) = numbers.next()?;
        let same = numbers.all(|(_, other)| other == phone);
        Some(Trigger { rule: rule.clone(), phone: same.then(|| phone.clone()) })
    }

    /// Whoever gives a number wants the mail opened with it. Says whether that changed anything.
    fn raise(&self, verdict: &mut Verdict) -> bool {
        if verdict.outcome >= Outcome::Level(Level::Two) {
            return false;
        }
        verdict.outcome = Outcome::Level(Level::Two);
        if verdict.policy.is_none() {
            verdict.policy = Some(BY_NUMBER.into());
            verdict.missing_phone = MissingPhone::default();
        }
        if !verdict.rules.contains(&self.rule) {
            verdict.rules.push(self.rule.clone());
        }
        true
    }
}

/// There is nobody to ask for a number: level 1 at most.
fn lower(verdict: &mut Verdict) -> bool {
    verdict.outcome = match verdict.outcome {
        Outcome::Level(Level::Two) => Outcome::Level(Level::One),
        Outcome::Direct(Level::Two) => Outcome::Direct(Level::One),
        _ => return false,
    };
    true
}

fn pass(verdict: &mut Verdict) -> bool {
    if verdict.outcome == Outcome::None {
        return false;
    }
    verdict.outcome = Outcome::None;
    verdict.policy = None;
    verdict.overruled.clear();
    verdict.rules.clear();
    verdict.problems.clear();
    true
}

/// What the sender is told about something that could not be read.
fn sentence(problem: ProblemKind, language: &str) -> &'static str {
    let dutch = language != "en";
    match problem {
        ProblemKind::Encrypted if dutch => "Een bijlage is met een wachtwoord beveiligd en kon niet worden gecontroleerd.",
        ProblemKind::Encrypted => "An attachment is protected by a password and could not be checked.",
        ProblemKind::Damaged if dutch => "Een deel van het bericht is beschadigd en kon niet worden gecontroleerd.",
        ProblemKind::Damaged => "A part of the message is damaged and could not be checked.",
        ProblemKind::Unsupported if dutch => "Een bijlage heeft een type dat niet kan worden gecontroleerd.",
        ProblemKind::Unsupported => "An attachment is of a type that can't be checked.",
        ProblemKind::TooDeep | ProblemKind::TooLarge | ProblemKind::Timeout if dutch => {
            "Een bijlage is te groot of te ingewikkeld om te worden gecontroleerd."
        }
        ProblemKind::TooDeep | ProblemKind::TooLarge | ProblemKind::Timeout => "An attachment is too large or too complex to be checked.",
    }
}

#[cfg(test)]
mod office_tests;
#[cfg(test)]
mod tests;
