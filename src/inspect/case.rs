//! What the circumstances of a mail make of what the policies say, and so what is done.

use super::{Ask, Decision, Hold, Plan, Protected, Reason, Remark};
use crate::{
    address::{Address, Domain},
    detect::Finding,
    envelope::Envelope,
    message,
    phone::PhoneNumber,
    policy::{MissingPhone, Outcome, Scope, Verdict},
    record::Level,
};
use std::{collections::HashSet, sync::Arc};

/// Who sends a mail, as far as that changes what may be done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sender {
    /// One of us.
    Ours,
    /// Somebody else: a mail that is forwarded.
    Outside,
    /// The null sender or a machine (RFC 3834): nobody would read what we write.
    Automatic,
}

/// Under this name a number in the trigger appears where no policy has asked for protection.
const BY_NUMBER: &str = "phone number in the trigger";

/// A mail's circumstances.
pub(super) struct Case<'a> {
    pub(super) envelope: &'a Envelope,
    pub(super) facts: &'a message::Facts,
    pub(super) internal: &'a [Domain],
}

impl Case<'_> {
    /// Changes what the policies say where the circumstances ask for it.
    pub(super) fn adjust(&self, verdicts: &mut [Verdict], trigger: Option<&Trigger>) -> Vec<Remark> {
        let mut remarks = Vec::new();
        for verdict in verdicts {
            let remark = if self.is_bounce_to_outside() {
                pass(verdict).then_some(Remark::Bounce)
            } else if self.sender() == Sender::Automatic {
                lower(verdict).then_some(Remark::Automatic)
            } else if let (Sender::Outside, Outcome::Ask(level)) = (self.sender(), verdict.outcome) {
                verdict.outcome = Outcome::Level(level.unwrap_or(Level::One));
                verdict.openly = false;
                Some(Remark::NotAsked)
            } else {
                trigger.filter(|t| !self.is_internal(&verdict.to) && t.raise(verdict)).map(|_| Remark::Number)
            };
            remarks.extend(remark.filter(|r| !remarks.contains(r)));
        }
        remarks
    }

    pub(super) fn decision(&self, verdicts: &[Verdict], phone: Option<PhoneNumber>) -> Decision {
        // SMTP gives one reply to the final dot: a mail that one recipient may not get is refused for all, so that its sender hears of it.
        if let Some(reason) = refusal(verdicts) {
            return Decision::Reject(reason);
        }
        let phone = phone.filter(|_| self.has_one_external());
        let hold = hold(verdicts);
        let ask = if self.sender() == Sender::Ours { Ask::Sender } else { Ask::Nobody };
        let tell = self.sender() != Sender::Automatic;
        let missing_phone = MissingPhone::SendReady;
        let mut plan =
            Plan { relay: Vec::new(), protect: Vec::new(), direct: Vec::new(), hold, scope: Scope::Attachments, missing_phone, ask, tell };
        let mut protected = HashSet::new();
        for (recipient, verdict) in self.envelope.to.iter().zip(verdicts) {
            let Some((level, floor)) = levels(verdict) else {
                plan.relay.push(recipient.clone());
                continue;
            };
            if !protected.insert(&recipient.address) {
                continue;
            }
            let recipient = recipient.clone();
            let phone = phone.clone().filter(|_| !self.is_internal(&recipient.address));
            plan.missing_phone = plan.missing_phone.max(verdict.missing_phone);
            plan.scope = plan.scope.max(verdict.scope);
            // A mail that waits for a decision is one mail: nobody gets it earlier by another way.
            let is_direct = matches!(verdict.outcome, Outcome::Direct(_)) && plan.hold == Hold::No;
            let place = if is_direct { &mut plan.direct } else { &mut plan.protect };
            let openly = verdict.openly && plan.hold != Hold::No;
            place.push(Protected { recipient, level, floor, openly, phone });
        }
        if plan.protect.is_empty() && plan.direct.is_empty() { Decision::Relay } else { Decision::Protect(plan) }
    }

    pub(super) fn sender(&self) -> Sender {
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

/// Why the mail is refused, if it is.
fn refusal(verdicts: &[Verdict]) -> Option<Reason> {
    let blocked = || verdicts.iter().filter(|v| v.outcome == Outcome::Block);
    let policy = blocked().next()?.policy.clone().unwrap_or_else(|| "block".into());
    Some(Reason { policy, to: blocked().map(|v| v.to.clone()).collect() })
}

/// For whose decision the mail waits: the strictest of all recipients'.
fn hold(verdicts: &[Verdict]) -> Hold {
    let policy = |verdict: &Verdict| verdict.policy.clone().unwrap_or_else(|| "?".into());
    let strictest = verdicts.iter().rev().filter(|v| matches!(v.outcome, Outcome::Ask(_) | Outcome::Quarantine)).max_by_key(|v| v.outcome);
    match strictest {
        Some(verdict) if verdict.outcome == Outcome::Quarantine => Hold::Quarantine(policy(verdict)),
        Some(verdict) => Hold::Sender(policy(verdict)),
        None => Hold::No,
    }
}

/// The level at which the mail is sealed for somebody, and the one below which nobody can go; `None` where it passes.
fn levels(verdict: &Verdict) -> Option<(Level, Option<Level>)> {
    match verdict.outcome {
        Outcome::None => None,
        Outcome::Direct(level) | Outcome::Level(level) => Some((level, Some(level))),
        Outcome::Ask(floor) => Some((floor.unwrap_or(Level::One), floor)),
        Outcome::Quarantine => Some((verdict.level.unwrap_or(Level::One), verdict.level)),
        // Refused before; were it not, it would be sealed.
        Outcome::Block => Some((Level::Two, Some(Level::Two))),
    }
}

/// A phone number that the sender wrote behind the activation word.
pub(super) struct Trigger {
    rule: Arc<str>,
    /// `None` when there are several: the sender is asked which one is right.
    pub(super) phone: Option<PhoneNumber>,
}

impl Trigger {
    pub(super) fn of(findings: &[Finding]) -> Option<Trigger> {
        let mut numbers = findings.iter().filter_map(|f| Some((&f.rule, f.phone.as_ref()?)));
        let (rule, phone) = numbers.next()?;
        let same = numbers.all(|(_, other)| other == phone);
        Some(Trigger { rule: rule.clone(), phone: same.then(|| phone.clone()) })
    }

    /// Whoever gives a number wants the mail opened with it. Says whether that changed anything.
    fn raise(&self, verdict: &mut Verdict) -> bool {
        verdict.outcome = match verdict.outcome {
            Outcome::Ask(None | Some(Level::One)) => Outcome::Ask(Some(Level::Two)),
            // What the sender himself wants is no decision of the organisation's: it is still held, and goes at this level then.
            Outcome::Quarantine if verdict.level < Some(Level::Two) => Outcome::Quarantine,
            outcome if outcome < Outcome::Level(Level::Two) => Outcome::Level(Level::Two),
            _ => return false,
        };
        verdict.level = Some(Level::Two);
        verdict.openly = false;
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
        Outcome::Ask(_) => Outcome::Level(Level::One),
        Outcome::Quarantine if verdict.level == Some(Level::Two) => Outcome::Quarantine,
        _ => return false,
    };
    verdict.level = Some(Level::One);
    verdict.openly = false;
    true
}

fn pass(verdict: &mut Verdict) -> bool {
    if verdict.outcome == Outcome::None {
        return false;
    }
    verdict.outcome = Outcome::None;
    verdict.openly = false;
    verdict.policy = None;
    verdict.overruled.clear();
    verdict.rules.clear();
    verdict.problems.clear();
    verdict.files.clear();
    true
}
