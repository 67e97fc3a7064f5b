//! The judgement of a mail as a whole: what was found, what the policies say, and so what is done with it.
//!
//! The gateway, `zegel explain` and `zegel check` all come through [`Rulebook::judge`].

mod case;
mod example;
mod explain;

pub use explain::{facts_as_json, findings_as_json, json, problems_as_json, text};

use crate::{
    address::{Address, Domain},
    detect::{Finding, Found, KnownKey, RuleSet},
    envelope::{Envelope, Recipient},
    extract::{Extraction, Fact, FactKind, Places, Problem, ProblemKind, Source, Text},
    fault::{Faults, Files},
    message,
    phone::PhoneNumber,
    policy::{self, Besides, MissingPhone, Mode, Outcome, Policies, Verdict},
    record::Level,
    time::Time,
};
use case::{Case, Sender, Trigger};
use jiff::civil::DateTime;
use std::sync::Arc;

/// Everything that judges: one complete set. A mail sees one; a reload makes another.
pub struct Rulebook {
    /// What is looked for.
    pub rules: RuleSet,
    /// What then happens.
    pub policies: Policies,
    /// The organisation's own domains.
    pub internal: Vec<Domain>,
}

/// A mail that is judged.
#[derive(Clone, Copy)]
pub struct Judging<'a> {
    /// From whom to whom it goes.
    pub envelope: &'a Envelope,
    /// What its header says.
    pub facts: &'a message::Facts,
    /// What was read in it.
    pub extraction: &'a Extraction,
    /// What is known beside it.
    pub besides: Besides<'a>,
}

/// What became of a mail, and why.
pub struct Inspection {
    /// What was found.
    pub findings: Vec<Finding>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// What is odd about files.
    pub facts: Vec<Fact>,
    /// What happens to each recipient, in the order of the envelope.
    pub verdicts: Vec<Verdict>,
    /// What else than a policy had a say.
    pub remarks: Vec<Remark>,
    /// What the gateway does.
    pub decision: Decision,
    /// Whether the sender is one of us, and no machine.
    pub ours: bool,
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
    /// Whether those for whom it is sealed wait until somebody has decided; nobody is served directly then.
    pub hold: Hold,
    /// What of it is sealed.
    pub scope: policy::Scope,
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
    /// The level below which whoever decides about a held mail can't go; `None` where no policy names one.
    pub floor: Option<Level>,
    /// Whether whoever decides may let it go to him as it is.
    pub openly: bool,
    /// The number that the sender wrote behind the trigger.
    pub phone: Option<PhoneNumber>,
}

/// For whose decision a sealed mail waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It waits for nobody, or for a number only.
    No,
    /// Its sender's, because of this policy.
    Sender(Arc<str>),
    /// The organisation's, because of this policy.
    Quarantine(Arc<str>),
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
    /// The recipients because of whom it is refused.
    pub to: Vec<Address>,
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
    /// The sender is outside the organisation and can't be asked what to do: the strictest level that a policy names.
    NotAsked,
}

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
        let policies = Policies::compile(files, rules.rules().iter().map(|r| (&*r.name, r.points)), faults);
        Rulebook { rules, policies, internal }
    }

    /// Judges a mail that comes now.
    #[must_use]
    pub fn judge(&self, mail: &Judging<'_>, now: Time) -> Inspection {
        self.judge_within(&self.internal, now.local().datetime(), mail)
    }

    /// Judges a mail as an organisation with the domains `internal` would, when its wall clock says `now`.
    #[must_use]
    pub fn judge_within(&self, internal: &[Domain], now: DateTime, mail: &Judging<'_>) -> Inspection {
        let Judging { envelope, facts, extraction, besides } = *mail;
        let Found { findings, problems: unread } = self.rules.find(extraction);
        let problems: Vec<Problem> = extraction.problems.iter().cloned().chain(unread).collect();
        let to: Vec<Address> = envelope.to.iter().map(|r| r.address.clone()).collect();
        let from = envelope.from.as_ref();
        let files = &extraction.facts;
        let (headers, named) = (&extraction.headers, &facts.recipients_in_header);
        let known =
            policy::Facts { now, from, to: &to, named, headers, findings: &findings, problems: &problems, files, besides, internal };
        let mut verdicts = self.policies.decide(&known);
        let case = Case { envelope, facts, internal };
        let trigger = (case.sender() == Sender::Ours).then(|| Trigger::of(&findings)).flatten();
        let remarks = case.adjust(&mut verdicts, trigger.as_ref());
        let mut decision = case.decision(&verdicts, trigger.and_then(|t| t.phone));
        if let Decision::Protect(plan) = &mut decision
            && (case.sender() != Sender::Ours || !lies_in_files(&findings, &problems, files))
        {
            plan.scope = policy::Scope::Message;
        }
        let ours = case.sender() == Sender::Ours;
        Inspection { findings, problems, facts: files.clone(), verdicts, remarks, decision, ours }
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
        let found = self.rules.find(&again);
        (found.problems.is_empty() && found.findings.iter().all(strips)).then_some(subject)
    }

    /// Why the mail is protected, one plain sentence each, for its sender.
    #[must_use]
    pub fn sentences(&self, inspection: &Inspection, language: &str) -> Vec<String> {
        let problems: Vec<_> = inspection.verdicts.iter().flat_map(|v| v.problems.iter().copied()).collect();
        let files: Vec<_> = inspection.verdicts.iter().flat_map(|v| v.files.iter().copied()).collect();
        self.explained(inspection.rules().into_iter(), problems, &files, language)
    }

    /// What a notice is about, one plain sentence each.
    #[must_use]
    pub fn notice_sentences(&self, notice: &Notice, language: &str) -> Vec<String> {
        self.explained(notice.rules.iter().map(|r| &**r), notice.problems.clone(), &notice.files, language)
    }

    fn explained<'a>(
        &self,
        rules: impl Iterator<Item = &'a str>,
        mut problems: Vec<ProblemKind>,
        files: &[FactKind],
        language: &str,
    ) -> Vec<String> {
        let mut sentences = Vec::new();
        for name in rules {
            let rule = self.rules.rules().iter().find(|r| *r.name == *name);
            sentences.extend(rule.map(|r| if r.explain.is_empty() { r.title.clone() } else { r.explain.clone() }));
        }
        problems.sort_unstable();
        problems.dedup();
        sentences.extend(problems.into_iter().map(|p| sentence(p, language).to_owned()));
        if files.contains(&FactKind::WrongExtension) {
            let dutch = "Een bijlage is iets anders dan haar naam zegt.";
            sentences.push(if language == "en" { "An attachment is not what its name says." } else { dutch }.to_owned());
        }
        sentences
    }
}

/// What the sender is told of a mail that passed all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The policies that say so, each once.
    pub policies: Vec<Arc<str>>,
    /// Whose rules found something.
    rules: Vec<Arc<str>>,
    problems: Vec<ProblemKind>,
    files: Vec<FactKind>,
    /// The recipients it is about.
    pub to: Vec<Address>,
}

impl Inspection {
    /// What the sender is to be told, if a policy of mode `notify` applies; who nobody may write to is not told here either.
    #[must_use]
    pub fn notice(&self) -> Option<Notice> {
        let mut notice = Notice { policies: Vec::new(), rules: Vec::new(), problems: Vec::new(), files: Vec::new(), to: Vec::new() };
        for verdict in &self.verdicts {
            for watched in verdict.watched.iter().filter(|w| w.mode == Mode::Notify && w.outcome != Outcome::None) {
                add(&mut notice.policies, [&watched.policy]);
                add(&mut notice.rules, &watched.rules);
                add(&mut notice.problems, &watched.problems);
                add(&mut notice.files, &watched.files);
                add(&mut notice.to, [&verdict.to]);
            }
        }
        (self.ours && !notice.policies.is_empty()).then_some(notice)
    }

    /// The policies that only watch and apply, each once with its mode.
    #[must_use]
    pub fn watched(&self) -> Vec<(&str, &'static str)> {
        let mut watched = Vec::new();
        for one in self.verdicts.iter().flat_map(|v| &v.watched) {
            add(&mut watched, [&(&*one.policy, one.mode.word())]);
        }
        watched
    }

    /// Whether the sender is one of us, and no machine.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.ours
    }

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

/// Whether there is something about files, and everything that was found, and everything that could not be read, lies in them: nothing in the mail's
/// own subject, text or header.
fn lies_in_files(findings: &[Finding], problems: &[Problem], facts: &[Fact]) -> bool {
    if findings.is_empty() && problems.is_empty() && facts.is_empty() {
        return false;
    }
    let in_a_file = |part: &str| part.starts_with("attachment ");
    let found = findings.iter().all(|f| in_a_file(&f.part) && !matches!(f.source, Source::Subject | Source::Body));
    found && problems.iter().all(|p| in_a_file(&p.part))
}

/// Adds what is not there yet.
fn add<'a, T: PartialEq + Clone + 'a>(all: &mut Vec<T>, more: impl IntoIterator<Item = &'a T>) {
    for one in more {
        if !all.contains(one) {
            all.push(one.clone());
        }
    }
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
