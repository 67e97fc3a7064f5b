//! Policies: what happens to a mail, per recipient, given what was found in it, what could not be read, who sends and who receives.
//!
//! The strictest outcome wins, and the order of the lines never matters: so no line can hide another.

mod condition;
mod file;

pub use file::{EMBEDDED, Example};

use crate::{
    address::{Address, Domain},
    detect::{Confidence, Finding},
    extract::{Fact, FactKind, Problem, ProblemKind},
    record::Level,
};
use condition::Condition;
use std::{collections::HashMap, fmt, sync::Arc};

/// What happens to a mail for one recipient; the strictest is the greatest.
///
/// The language knows `ask` and `quarantine` too, between these; this version does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The mail passes as it is.
    None,
    /// The recipient gets the mail itself, straight from zegel, if transport to his domain is verified at that moment; otherwise it is sealed at
    /// this level. Of several policies that say so the strictest level counts.
    Direct(Level),
    /// The mail is sealed; the recipient gets a link in its place.
    Level(Level),
    /// The mail is refused.
    Block,
}

impl Outcome {
    /// Every outcome, mildest first; `direct` with the level that holds unless its policy names another.
    pub const ALL: [Outcome; 5] =
        [Outcome::None, Outcome::Direct(Level::One), Outcome::Level(Level::One), Outcome::Level(Level::Two), Outcome::Block];

    /// The word of policies and of `zegel explain`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Outcome::None => "none",
            Outcome::Direct(_) => "direct",
            Outcome::Level(Level::One) => "level 1",
            Outcome::Level(Level::Two) => "level 2",
            Outcome::Block => "block",
        }
    }

    /// The outcome that `word` names.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Outcome> {
        Outcome::ALL.into_iter().find(|o| o.word() == word)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// What happens to the other recipients of a mail while the number of one is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum MissingPhone {
    /// Those whose way is clear are notified at once.
    SendReady,
    /// Nobody is notified until every number is there.
    #[default]
    HoldAll,
}

/// What a decision rests on. Anything that depends on the world (the date, a directory) would be a field here too.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The envelope's sender; `None` is the null sender.
    pub from: Option<&'a Address>,
    /// The envelope's recipients.
    pub to: &'a [Address],
    /// What was found.
    pub findings: &'a [Finding],
    /// What could not be read.
    pub problems: &'a [Problem],
    /// What is odd about files.
    pub files: &'a [Fact],
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
    /// What happens to others while this recipient's number is missing.
    pub missing_phone: MissingPhone,
    /// The rules by whose findings it comes to this outcome, those of other policies that say the same included.
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
    examples: Vec<Example>,
    /// The first line that says `direct`: its file and number.
    direct: Option<(String, usize)>,
}

#[derive(Clone, Debug)]
struct Policy {
    name: Arc<str>,
    when: Condition,
    then: Outcome,
    missing_phone: MissingPhone,
}

/// What was found in a mail, summed up once for all recipients.
struct Summary<'a> {
    from: Option<&'a Address>,
    internal: &'a [Domain],
    /// The best confidence of each rule that found something.
    rules: HashMap<&'a str, Confidence>,
    problems: Vec<ProblemKind>,
    files: Vec<FactKind>,
}

impl Policies {
    /// What happens to a mail: one verdict per recipient, in their order.
    #[must_use]
    pub fn decide(&self, mail: &Facts<'_>) -> Vec<Verdict> {
        let mut rules = HashMap::new();
        for finding in mail.findings {
            let best = rules.entry(&*finding.rule).or_insert(finding.confidence);
            *best = (*best).max(finding.confidence);
        }
        let mut problems: Vec<_> = mail.problems.iter().map(|p| p.kind).collect();
        problems.sort_unstable();
        problems.dedup();
        let mut files: Vec<_> = mail.files.iter().map(|f| f.kind).collect();
        files.sort_unstable();
        files.dedup();
        let summary = Summary { from: mail.from, internal: mail.internal, rules, problems, files };
        mail.to.iter().map(|to| self.verdict(&summary, to)).collect()
    }

    fn verdict(&self, mail: &Summary<'_>, to: &Address) -> Verdict {
        let mut applying: Vec<&Policy> = self.policies.iter().filter(|p| p.when.holds(mail, to)).collect();
        // A stable sort: among equals the first in the files wins, which decides about nothing but its name.
        applying.sort_by_key(|p| std::cmp::Reverse(p.then));
        let mut verdict = Verdict {
            to: to.clone(),
            outcome: Outcome::None,
            policy: None,
            overruled: Vec::new(),
            missing_phone: MissingPhone::SendReady,
            rules: Vec::new(),
            problems: Vec::new(),
            files: Vec::new(),
        };
        let Some((winner, others)) = applying.split_first() else { return verdict };
        if winner.then == Outcome::None {
            return verdict;
        }
        verdict.outcome = winner.then;
        verdict.policy = Some(winner.name.clone());
        verdict.overruled = others.iter().map(|p| p.name.clone()).collect();
        for policy in applying.iter().filter(|p| p.then.word() == winner.then.word()) {
            verdict.missing_phone = verdict.missing_phone.max(policy.missing_phone);
            policy.when.reasons(mail, to, &mut verdict);
        }
        verdict
    }

    /// Whether a mail in which nothing was found, and nothing could not be read, may come to something all the same by who sends it to whom.
    #[must_use]
    pub fn bind_clean_mail(&self) -> bool {
        self.policies.iter().any(|p| p.then != Outcome::None && p.when.may_hold_for_clean_mail())
    }

    /// The examples that the files hold.
    #[must_use]
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// Where a policy says `direct`, if any does: a file and its line. It needs `[direct]` in the configuration.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{extract::Source, fault::Faults};

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn finding(rule: &str, confidence: Confidence) -> Finding {
        Finding {
            rule: rule.into(),
            kind: "bsn",
            confidence,
            part: "text".into(),
            source: Source::Body,
            place: None,
            masked: "•••••6782".into(),
            start: None,
            end: None,
            why: Vec::new(),
            phone: None,
        }
    }

    fn policies(text: &str) -> Policies {
        let faults = Faults::default();
        let text = format!("{text}\n[[policy]]\nname = 'unread'\nwhen = {{ problem = 'timeout' }}\nthen = 'none'\n");
        let files = [("policies/x.toml".to_owned(), text)].into();
        let policies = Policies::compile(&files, ["bsn", "iban", "activation-word"], &faults);
        assert_eq!(faults.take(), []);
        policies
    }

    const BSN: &str = "
        [[policy]]
        name = 'sure'
        when = { rule = 'bsn', confidence = 'high', to = 'external' }
        then = 'level 2'
        [[policy]]
        name = 'likely'
        when = { rule = ['bsn', 'iban'], confidence = 'medium', to = 'external' }
        then = 'level 1'
        [[policy]]
        name = 'unreadable'
        when = { problem = ['encrypted', 'damaged'] }
        then = 'level 1'
        [[policy]]
        name = 'fine'
        when = { rule = 'bsn' }
        then = 'none'
        [[policy]]
        name = 'never'
        when = { any = [{ rule = 'iban' }, { problem = 'encrypted' }], unless = { from = 'boss@a.example' }, to = { domains = ['rival.example'] } }
        then = 'block'
        ";

    /// The verdict of [`BSN`] as `outcome|policy|overruled`.
    fn check(from: &str, to: &str, findings: &[(&str, Confidence)], problems: &[ProblemKind], expected: &str) {
        let findings: Vec<_> = findings.iter().map(|(rule, confidence)| finding(rule, *confidence)).collect();
        let problems: Vec<_> = problems.iter().map(|kind| Problem { part: "x".into(), place: None, kind: *kind, reason: "" }).collect();
        let (from, to) = (Address::parse(from).ok(), [address(to)]);
        let internal = [Domain::parse("a.example").unwrap()];
        let facts = Facts { from: from.as_ref(), to: &to, findings: &findings, problems: &problems, files: &[], internal: &internal };
        let verdict = policies(BSN).decide(&facts).remove(0);
        let got = format!("{}|{}|{}", verdict.outcome, verdict.policy.as_deref().unwrap_or("-"), verdict.overruled.join(","));
        assert_eq!(got, expected);
    }

    #[test]
    fn the_strictest_policy_wins_for_each_recipient() {
        use Confidence::{High, Low, Medium};
        check("x@a.example", "y@b.example", &[], &[], "none|-|");
        check("x@a.example", "y@b.example", &[("bsn", Low)], &[], "none|-|");
        check("x@a.example", "y@b.example", &[("bsn", Low), ("bsn", Medium), ("bsn", Low)], &[], "level 1|likely|fine");
        check("x@a.example", "y@b.example", &[("bsn", High)], &[], "level 2|sure|likely,fine");
        check("x@a.example", "y@A.EXAMPLE", &[("bsn", High)], &[], "none|-|");
        check("x@a.example", "y@sub.a.example", &[("bsn", High)], &[], "level 2|sure|likely,fine");
        check("x@a.example", "y@a.example", &[], &[ProblemKind::Damaged], "level 1|unreadable|");
        check("x@a.example", "y@a.example", &[], &[ProblemKind::TooDeep], "none|-|");
        check("x@a.example", "y@rival.example", &[("iban", Low)], &[], "block|never|");
        check("x@a.example", "y@rival.example", &[], &[ProblemKind::Encrypted], "block|never|unreadable");
        check("Boss@a.example", "y@rival.example", &[("iban", Low)], &[], "none|-|");
        check("", "y@rival.example", &[("iban", Low)], &[], "block|never|");
    }

    #[test]
    fn direct_gives_way_to_every_level_and_falls_back_to_the_strictest_that_is_named() {
        let partner = "
            [[policy]]
            name = 'partner'
            when = { rule = ['bsn', 'iban'], to = { domains = ['zorg.example'] } }
            then = 'direct'
            [[policy]]
            name = 'hospital'
            when = { rule = 'iban', to = { domains = ['zorg.example'] } }
            then = 'direct'
            otherwise = 'level 2'
            [[policy]]
            name = 'sure'
            when = { rule = 'bsn', confidence = 'high' }
            then = 'level 1'
            ";
        let outcome = |findings: &[Finding]| {
            let to = [address("y@zorg.example")];
            policies(partner).decide(&Facts { from: None, to: &to, findings, problems: &[], files: &[], internal: &[] }).remove(0).outcome
        };
        assert_eq!(outcome(&[finding("bsn", Confidence::Low)]), Outcome::Direct(Level::One));
        assert_eq!(outcome(&[finding("iban", Confidence::Low)]), Outcome::Direct(Level::Two));
        assert_eq!(outcome(&[finding("iban", Confidence::Low), finding("bsn", Confidence::High)]), Outcome::Level(Level::One));
        assert_eq!(outcome(&[]), Outcome::None);
    }

    #[test]
    fn a_verdict_says_by_what_it_came_about() {
        let findings = [finding("iban", Confidence::High), finding("bsn", Confidence::Low)];
        let problems = [Problem { part: "x".into(), place: None, kind: ProblemKind::Encrypted, reason: "" }];
        let to = [address("y@rival.example")];
        let facts = Facts { from: None, to: &to, findings: &findings, problems: &problems, files: &[], internal: &[] };
        let verdict = policies(BSN).decide(&facts).remove(0);
        assert_eq!((&*verdict.rules[0], verdict.rules.len(), &verdict.problems[..]), ("iban", 1, &[ProblemKind::Encrypted][..]));
    }

    #[test]
    fn a_policy_may_ask_for_a_file_whose_name_is_wrong() {
        let policies = policies("[[policy]]\nname = 'odd'\nwhen = { file = ['wrong-extension'], to = 'external' }\nthen = 'block'");
        let to = [address("y@b.example")];
        let decide =
            |files: &[Fact]| policies.decide(&Facts { from: None, to: &to, findings: &[], problems: &[], files, internal: &[] }).remove(0);
        let verdict = decide(&[Fact { part: "attachment".into(), kind: FactKind::WrongExtension }]);
        assert_eq!((verdict.outcome, &verdict.files[..]), (Outcome::Block, &[FactKind::WrongExtension][..]));
        assert_eq!(decide(&[]).outcome, Outcome::None);
        assert!(!policies.bind_clean_mail());
    }

    #[test]
    fn holding_everybody_is_the_stricter_answer_to_a_missing_number() {
        let both = "defaults = { missing_phone = 'send_ready' }\n[[policy]]\nname = 'a'\nwhen = { rule = 'bsn' }\nthen = 'level 2'";
        let findings = [finding("bsn", Confidence::High)];
        let to = [address("y@b.example")];
        let facts = Facts { from: None, to: &to, findings: &findings, problems: &[], files: &[], internal: &[] };
        assert_eq!(policies(both).decide(&facts)[0].missing_phone, MissingPhone::SendReady);
        assert_eq!(policies(BSN).decide(&facts)[0].missing_phone, MissingPhone::HoldAll);
    }
}
