//! What a replay came to: sums, and the mails that would be treated otherwise.

use crate::{
    address::Address,
    inspect::{Ask, Decision, Inspection},
    policy::Outcome,
    record::Level,
};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    io::{self, Write},
    sync::Arc,
};

/// What one set of rules and policies makes of a mail.
pub(super) struct Judgement {
    /// Per recipient, in their order: what happens, and the policy that says so.
    outcomes: Vec<(Outcome, Option<Arc<str>>)>,
    /// The rules that find something in it.
    rules: BTreeSet<Arc<str>>,
    /// Those who need a code by SMS, and whether the sender gave the number.
    by_sms: Vec<(Address, bool)>,
    /// Whether the sender can be asked for a number that is missing.
    ask: Ask,
}

impl Judgement {
    pub(super) fn of(inspection: &Inspection) -> Judgement {
        let outcomes = inspection.verdicts.iter().map(|v| (v.outcome, v.policy.clone())).collect();
        let rules = inspection.findings.iter().map(|f| f.rule.clone()).collect();
        let Decision::Protect(plan) = &inspection.decision else {
            return Judgement { outcomes, rules, by_sms: Vec::new(), ask: Ask::Nobody };
        };
        let by_sms = plan.protect.iter().filter(|p| p.level == Level::Two);
        let by_sms = by_sms.map(|p| (p.recipient.address.clone(), p.phone.is_some())).collect();
        Judgement { outcomes, rules, by_sms, ask: plan.ask }
    }

    /// What happens to the mail where it is treated most strictly.
    fn strictest(&self) -> Outcome {
        self.outcomes.iter().map(|(outcome, _)| *outcome).max().unwrap_or(Outcome::None)
    }

    /// Whether each recipient is treated alike by both.
    fn same(&self, other: &Judgement) -> bool {
        self.outcomes.iter().map(|o| o.0).eq(other.outcomes.iter().map(|o| o.0))
    }
}

/// What became of an entry of the archive.
pub(super) enum Replayed {
    Mail { name: String, now: Judgement, then: Option<Judgement> },
    NoMail(String),
    Unread(String, String),
}

/// Everything that a replay came to.
#[derive(Default)]
pub(super) struct Report {
    compares: bool,
    mails: Vec<(usize, String, Judgement, Option<Judgement>)>,
    /// Files that are no mail.
    none: Vec<String>,
    /// What could not be read, and why.
    pub(super) unread: Vec<(String, String)>,
}

/// One set's sums.
#[derive(Default, Serialize)]
struct Sums<'a> {
    /// Mails by what happens to the recipient who is treated most strictly.
    outcomes: BTreeMap<&'static str, usize>,
    /// Mails in which a rule finds something.
    rules: BTreeMap<&'a str, usize>,
    /// Codes by SMS, one for each recipient and mail.
    sms: usize,
    /// Mails that wait until their sender has given a number; no number is known at the start, and each is asked for once.
    held: usize,
    /// Mails that are refused because their sender can't be asked for a number.
    no_number: usize,
    #[serde(skip)]
    known: HashSet<&'a Address>,
}

impl<'a> Sums<'a> {
    fn add(&mut self, judgement: &'a Judgement) {
        *self.outcomes.entry(judgement.strictest().word()).or_default() += 1;
        for rule in &judgement.rules {
            *self.rules.entry(rule).or_default() += 1;
        }
        let missing = judgement.by_sms.iter().any(|(to, given)| !given && !self.known.contains(to));
        if missing && judgement.ask == Ask::Nobody {
            self.no_number += 1;
            return;
        }
        self.sms += judgement.by_sms.len();
        self.held += usize::from(missing);
        self.known.extend(judgement.by_sms.iter().map(|(to, _)| to));
    }
}

/// Recipients of one mail who are treated alike.
#[derive(Serialize)]
struct Change<'a> {
    recipients: usize,
    now: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    now_policy: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    then: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    then_policy: Option<&'a str>,
}

#[derive(Serialize)]
struct Line<'a> {
    mail: &'a str,
    recipients: Vec<Change<'a>>,
}

#[derive(Serialize)]
struct Last<'a> {
    mails: usize,
    listed: usize,
    now: Sums<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    then: Option<Sums<'a>>,
    no_mail: usize,
    unread: Vec<&'a str>,
}

impl Report {
    /// An empty one; `compares` says whether there are two sets.
    pub(super) fn new(compares: bool) -> Report {
        Report { compares, ..Report::default() }
    }

    /// Adds what became of the entry `number`.
    pub(super) fn add(&mut self, number: usize, replayed: Replayed) {
        match replayed {
            Replayed::Mail { name, now, then } => self.mails.push((number, name, now, then)),
            Replayed::NoMail(name) => self.none.push(name),
            Replayed::Unread(name, reason) => self.unread.push((name, reason)),
        }
    }

    /// Puts everything in the order of the archive, whichever thread was first.
    pub(super) fn finish(&mut self) {
        self.mails.sort_by_key(|mail| mail.0);
        self.none.sort();
        self.unread.sort();
    }

    /// The mails worth a line: those that change; with one set those to which anything happens.
    fn listed(&self) -> impl Iterator<Item = Line<'_>> {
        let worth = |now: &Judgement, then: Option<&Judgement>| match then {
            Some(then) => !now.same(then),
            None => now.strictest() != Outcome::None,
        };
        let listed = self.mails.iter().filter(move |(_, _, now, then)| worth(now, then.as_ref()));
        listed.map(|(_, name, now, then)| Line { mail: name, recipients: changes(now, then.as_ref()) })
    }

    fn sums(&self) -> (Sums<'_>, Option<Sums<'_>>) {
        let (mut now, mut then) = (Sums::default(), self.compares.then(Sums::default));
        for (_, _, before, after) in &self.mails {
            now.add(before);
            if let (Some(sums), Some(after)) = (&mut then, after) {
                sums.add(after);
            }
        }
        (now, then)
    }

    /// One object a line for each listed mail, and one with the sums.
    pub(super) fn json(&self, out: &mut impl Write) -> io::Result<()> {
        let mut listed = 0;
        for line in self.listed() {
            listed += 1;
            serde_json::to_writer(&mut *out, &line)?;
            writeln!(out)?;
        }
        let (now, then) = self.sums();
        let unread = self.unread.iter().map(|(name, _)| name.as_str()).collect();
        serde_json::to_writer(&mut *out, &Last { mails: self.mails.len(), listed, now, then, no_mail: self.none.len(), unread })?;
        writeln!(out)
    }

    /// The same for people.
    pub(super) fn text(&self, out: &mut impl Write) -> io::Result<()> {
        let mut listed = 0;
        for line in self.listed() {
            listed += 1;
            writeln!(out, "{}", line.mail)?;
            for change in &line.recipients {
                writeln!(out, "  {change}")?;
            }
        }
        if listed > 0 {
            writeln!(out)?;
        }
        let (now, then) = self.sums();
        let what = if self.compares { "would be treated otherwise" } else { "would not pass as they are" };
        writeln!(out, "{listed} of {} mails {what}.", self.mails.len())?;
        match self.none.as_slice() {
            [] => {}
            [only] => writeln!(out, "One file is no mail: {only}")?,
            [first, ..] => writeln!(out, "{} files are no mail: {first}, ..", self.none.len())?,
        }
        writeln!(out)?;
        table(out, &now, then.as_ref())
    }
}

/// The recipients of a mail, those who are treated alike together; with two sets only those who are treated otherwise.
fn changes<'a>(now: &'a Judgement, then: Option<&'a Judgement>) -> Vec<Change<'a>> {
    let mut changes: Vec<Change<'_>> = Vec::new();
    for (at, (before, policy)) in now.outcomes.iter().enumerate() {
        let after = then.and_then(|then| then.outcomes.get(at));
        if after.map_or(*before == Outcome::None, |after| after.0 == *before) {
            continue;
        }
        let change = Change {
            recipients: 1,
            now: before.word(),
            now_policy: policy.as_deref(),
            then: after.map(|a| a.0.word()),
            then_policy: after.and_then(|a| a.1.as_deref()),
        };
        match changes.iter_mut().find(|c| c.like() == change.like()) {
            Some(same) => same.recipients += 1,
            None => changes.push(change),
        }
    }
    changes
}

impl Change<'_> {
    fn like(&self) -> (&str, Option<&str>, Option<&str>, Option<&str>) {
        (self.now, self.now_policy, self.then, self.then_policy)
    }
}

impl std::fmt::Display for Change<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let people = if self.recipients == 1 { "recipient" } else { "recipients" };
        let by = |policy: Option<&str>| policy.map_or(String::new(), |policy| format!(" ({policy})"));
        write!(f, "{} {people}: {}{}", self.recipients, self.now, by(self.now_policy))?;
        match self.then {
            Some(then) => write!(f, " -> {then}{}", by(self.then_policy)),
            None => Ok(()),
        }
    }
}

/// The sums of both sets side by side.
fn table(out: &mut impl Write, now: &Sums<'_>, then: Option<&Sums<'_>>) -> io::Result<()> {
    let rules: BTreeSet<&str> = then.iter().flat_map(|t| t.rules.keys()).chain(now.rules.keys()).copied().collect();
    let of = |title, count: &dyn Fn(&Sums<'_>) -> usize| (title, count(now), then.map(count));
    let mut rows: Vec<(&str, usize, Option<usize>)> =
        Outcome::ALL.into_iter().map(|o| of(o.word(), &|sums| sums.outcomes.get(o.word()).copied().unwrap_or(0))).collect();
    rows.push(of("codes by SMS", &|sums| sums.sms));
    rows.push(of("waiting for a number", &|sums| sums.held));
    rows.push(of("refused without a number", &|sums| sums.no_number));
    rows.extend(rules.iter().map(|name| of(name, &|sums| sums.rules.get(name).copied().unwrap_or(0))));
    let width = rows.iter().map(|row| row.0.chars().count()).max().unwrap_or(0);
    if then.is_some() {
        writeln!(out, "  {:width$}  {:>8}  {:>8}", "", "now", "then")?;
    }
    for (at, (title, now, then)) in rows.iter().enumerate() {
        if at + rules.len() == rows.len() {
            writeln!(out, "\nMails in which a rule finds something:")?;
        }
        write!(out, "  {title:width$}  {now:>8}")?;
        match then {
            Some(then) => writeln!(out, "  {then:>8}")?,
            None => writeln!(out)?,
        }
    }
    Ok(())
}
