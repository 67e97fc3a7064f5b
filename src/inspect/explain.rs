//! The explanation of an inspection, for people and for programs. It holds masked texts only.

use super::{Ask, Decision, Inspection, Remark};
use crate::{
    detect::Finding,
    extract::{Fact, Problem},
    policy::{Outcome, Scope, Verdict},
    record::Level,
};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

#[derive(Serialize)]
struct File<'a, F: Serialize, P: Serialize, O: Serialize> {
    file: &'a str,
    findings: F,
    problems: P,
    facts: O,
    /// `attachments` when the text travels and the files are sealed.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    recipients: Vec<To<'a>>,
}

#[derive(Serialize)]
struct Found<'a> {
    rule: &'a str,
    r#type: &'a str,
    confidence: &'static str,
    part: &'a str,
    place: Option<&'a str>,
    masked: &'a str,
    start: Option<usize>,
    end: Option<usize>,
    why: &'a [String],
    /// That a number was given; never which.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    phone: bool,
}

#[derive(Serialize)]
struct Unread<'a> {
    part: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<&'a str>,
    problem: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'static str,
}

#[derive(Serialize)]
struct Odd<'a> {
    part: &'a str,
    fact: &'static str,
}

#[derive(Serialize)]
struct To<'a> {
    to: &'a str,
    outcome: &'static str,
    policy: Option<&'a str>,
    overruled: Vec<&'a str>,
    /// `automatic` or `mandatory`; left out where nothing happens.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
    /// For `ask` and `quarantine`: the strictest level that a policy names.
    #[serde(skip_serializing_if = "Option::is_none")]
    at_least: Option<&'static str>,
    /// That whoever decides may let it go as it is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    openly: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<Excepted<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    watched: Vec<Watching<'a>>,
}

/// The exception that lowered an outcome, and what it would have been by which policy.
#[derive(Serialize)]
struct Excepted<'a> {
    name: &'a str,
    reason: &'a str,
    lowered: &'static str,
    policy: &'a str,
}

/// A policy that applies, and only watches.
#[derive(Serialize)]
struct Watching<'a> {
    policy: &'a str,
    mode: &'static str,
    outcome: &'static str,
}

impl<'a> To<'a> {
    fn of(verdict: &'a Verdict) -> To<'a> {
        let lowered = verdict.lowered.as_ref();
        To {
            to: verdict.to.as_str(),
            outcome: verdict.outcome.word(),
            policy: verdict.policy.as_deref(),
            overruled: verdict.overruled.iter().map(|name| &**name).collect(),
            mode: verdict.policy.as_ref().map(|_| verdict.mode.word()),
            at_least: at_least(verdict).map(|level| Outcome::Level(level).word()),
            openly: verdict.openly,
            exception: lowered.map(|l| Excepted { name: &l.exception, reason: &l.reason, lowered: l.from.word(), policy: &l.policy }),
            watched: verdict
                .watched
                .iter()
                .map(|w| Watching { policy: &w.policy, mode: w.mode.word(), outcome: w.outcome.word() })
                .collect(),
        }
    }
}

/// The level below which a held mail can't go.
fn at_least(verdict: &Verdict) -> Option<Level> {
    verdict.level.filter(|_| matches!(verdict.outcome, Outcome::Ask(_) | Outcome::Quarantine))
}

/// One line of JSON, for programs: its fields are an interface.
///
/// # Panics
/// Never: it holds text and numbers only.
#[must_use]
pub fn json(file: &str, inspection: &Inspection) -> String {
    let recipients = inspection.verdicts.iter().map(To::of);
    let whole = File {
        file,
        findings: findings_as_json(&inspection.findings),
        problems: problems_as_json(&inspection.problems),
        facts: facts_as_json(&inspection.facts),
        scope: files_only(inspection).then_some("attachments"),
        recipients: recipients.collect(),
    };
    serde_json::to_string(&whole).expect("text and numbers always serialise")
}

/// Findings as JSON shows them.
pub fn findings_as_json(findings: &[Finding]) -> impl Serialize + '_ {
    findings
        .iter()
        .map(|f| Found {
            rule: &f.rule,
            r#type: f.kind,
            confidence: f.confidence.word(),
            part: &f.part,
            place: f.place.as_deref(),
            masked: &f.masked,
            start: f.start,
            end: f.end,
            why: &f.why,
            phone: f.phone.is_some(),
        })
        .collect::<Vec<_>>()
}

/// Problems as JSON shows them.
pub fn problems_as_json(problems: &[Problem]) -> impl Serialize + '_ {
    problems
        .iter()
        .map(|p| Unread { part: &p.part, place: p.place.as_deref(), problem: p.kind.word(), reason: p.reason })
        .collect::<Vec<_>>()
}

/// Facts about files as JSON shows them.
pub fn facts_as_json(facts: &[Fact]) -> impl Serialize + '_ {
    facts.iter().map(|f| Odd { part: &f.part, fact: f.kind.word() }).collect::<Vec<_>>()
}

/// The most findings of one rule that the text shows; JSON shows all.
const SHOWN: usize = 20;

/// Text for people, a few lines per finding.
#[must_use]
pub fn text(file: &str, inspection: &Inspection) -> String {
    let mut out = String::new();
    // Writing to a String never fails.
    let _ = write(&mut out, file, inspection);
    out
}

fn write(out: &mut String, file: &str, inspection: &Inspection) -> fmt::Result {
    writeln!(out, "{file}")?;
    if inspection.findings.is_empty() && inspection.problems.is_empty() {
        writeln!(out, "  nothing found, everything read")?;
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in &inspection.findings {
        let count = counts.entry(&finding.rule).or_default();
        *count += 1;
        if *count <= SHOWN {
            write_finding(out, finding)?;
        }
    }
    for (rule, count) in counts.into_iter().filter(|(_, count)| *count > SHOWN) {
        writeln!(out, "  found {rule}: {} more", count - SHOWN)?;
    }
    for problem in &inspection.problems {
        write!(out, "  unread {}: {}", problem.kind.word(), problem.part)?;
        write!(out, "{}", problem.place.as_ref().map_or(String::new(), |p| format!(", {p}")))?;
        writeln!(out, "{}", if problem.reason.is_empty() { String::new() } else { format!(" ({})", problem.reason) })?;
    }
    for fact in &inspection.facts {
        writeln!(out, "  file {}: {}", fact.kind.word(), fact.part)?;
    }
    for verdict in &inspection.verdicts {
        write_verdict(out, verdict)?;
    }
    for remark in &inspection.remarks {
        writeln!(out, "  {}", sentence(*remark))?;
    }
    match &inspection.decision {
        Decision::Reject(reason) => writeln!(out, "  refused for everybody, by \"{}\"", reason.policy),
        Decision::Protect(plan)
            if plan.ask == Ask::Nobody && plan.protect.iter().chain(&plan.direct).any(|p| p.level == Level::Two && p.phone.is_none()) =>
        {
            writeln!(out, "  its sender is outside the organisation and can't be asked for a number: refused unless all numbers are known")
        }
        Decision::Protect(_) | Decision::Relay => Ok(()),
    }?;
    if files_only(inspection) {
        writeln!(out, "  only the files are sealed, if it has a text and files: nothing was found elsewhere, and the text travels")?;
    }
    Ok(())
}

/// Whether what is sealed of the mail is its files.
fn files_only(inspection: &Inspection) -> bool {
    matches!(&inspection.decision, Decision::Protect(plan) if plan.scope == Scope::Attachments)
}

fn write_verdict(out: &mut String, verdict: &Verdict) -> fmt::Result {
    write!(out, "  {}: {}", verdict.to, verdict.outcome)?;
    if let Outcome::Direct(level) = verdict.outcome {
        write!(out, " where transport is verified, else {}", Outcome::Level(level))?;
    }
    if let Some(level) = at_least(verdict) {
        write!(out, ", at least {}", Outcome::Level(level))?;
    }
    if verdict.openly {
        write!(out, ", or openly")?;
    }
    if let Some(policy) = &verdict.policy {
        write!(out, ", by \"{policy}\"")?;
    }
    let names: Vec<_> = verdict.overruled.iter().map(|name| format!("\"{name}\"")).collect();
    writeln!(out, "{}", if names.is_empty() { String::new() } else { format!("; applied as well: {}", names.join(", ")) })?;
    if let Some(lowered) = &verdict.lowered {
        writeln!(
            out,
            "    \"{}\" by \"{}\" was lowered by the exception \"{}\": {}",
            lowered.from, lowered.policy, lowered.exception, lowered.reason
        )?;
    }
    for watched in &verdict.watched {
        writeln!(out, "    \"{}\" applies, and only watches ({}): it would be {}", watched.policy, watched.mode.word(), watched.outcome)?;
    }
    Ok(())
}

fn sentence(remark: Remark) -> &'static str {
    match remark {
        Remark::Automatic => "sent by a machine: level 1 at most",
        Remark::Bounce => "tells somebody outside that his own mail did not arrive: passes",
        Remark::Number => "a phone number in the trigger: level 2 at least",
        Remark::NotAsked => {
            "its sender is outside the organisation and can't be asked: the strictest level that a policy names, else level 1"
        }
    }
}

fn write_finding(out: &mut String, finding: &Finding) -> fmt::Result {
    write!(out, "  found {} ({}): {}", finding.rule, finding.confidence.word(), finding.masked)?;
    writeln!(out, "{}", if finding.phone.is_some() { ", with a phone number" } else { "" })?;
    writeln!(out, "    in {}{}", finding.part, finding.place.as_ref().map_or(String::new(), |p| format!(", {p}")))?;
    if !finding.why.is_empty() {
        writeln!(out, "    {}", finding.why.join("; "))?;
    }
    Ok(())
}
