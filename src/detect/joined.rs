//! Findings of conditions of several parts: where they hold, and which parts were met, masked.

use super::{
    compose::{Event, From, Group},
    finding::{Collector, Finding},
    rule::Condition,
};
use crate::extract::{Extraction, Source};

/// The most phrases about one finding.
const PHRASES: usize = 12;
/// The most parts whose masks stand beside each other.
const MASKS: usize = 3;

impl Collector<'_> {
    /// Works out every rule that joins what others find.
    pub(super) fn join(&mut self, extraction: &Extraction) {
        let Some(mut events) = self.events.take() else { return };
        let rules = self.rules;
        for number in &rules.joined {
            let Condition::Joined(node) = &rules.all[*number].condition else { continue };
            let found = events.of(node);
            for event in &found {
                let Some(more) = self.counts.next(*number, event.confidence) else { continue };
                if let Some(mut finding) = self.told(event, &events.groups, extraction) {
                    finding.rule = rules.all[*number].info.name.clone();
                    finding.confidence = event.confidence;
                    finding.why.extend(more);
                    self.findings.push(finding);
                }
            }
            events.of_rule[*number] = found;
        }
    }

    /// An event as a finding.
    fn told(&self, event: &Event, groups: &[Group], extraction: &Extraction) -> Option<Finding> {
        let group = match event.from {
            From::Group(group) => &groups[group as usize],
            from => return self.alone(event, from, extraction),
        };
        let mut teller = Teller { collector: self, groups, why: Vec::new(), members: Vec::new(), all: true };
        teller.group(group);
        let Teller { why, members, all, .. } = teller;
        let one = group.one_stretch && members.iter().all(|m| m.start.is_some());
        let masked = masked(&members);
        let first = members.iter().min_by_key(|m| m.start);
        let (part, source) = place(event, extraction).or_else(|| first.map(|m| (m.part.clone(), m.source)))?;
        // What the subject holds part of must not be shown as a subject, and what the body holds part of must not travel as a text.
        let lies_in = |source| members.iter().any(|m| m.source == source);
        let source = if lies_in(Source::Subject) {
            Source::Subject
        } else if lies_in(Source::Body) || !all || members.iter().any(|m| m.part.starts_with("header ")) {
            Source::Body
        } else {
            source
        };
        Some(Finding {
            rule: "".into(),
            kind: group.kind,
            confidence: event.confidence,
            part,
            source,
            place: first.filter(|_| one).and_then(|m| m.place.clone()),
            masked,
            start: members.iter().filter_map(|m| m.start).min().filter(|_| one),
            end: members.iter().filter_map(|m| m.end).max().filter(|_| one),
            why,
            phone: None,
        })
    }

    /// What one part found, told as it is.
    fn alone(&self, event: &Event, from: From, extraction: &Extraction) -> Option<Finding> {
        if let Some(found) = self.at(from) {
            let mut finding = found.clone();
            if matches!(from, From::Finding(_)) {
                finding.why.insert(0, format!("rule \"{}\"", found.rule));
            }
            return Some(finding);
        }
        let (part, source) = place(event, extraction)?;
        let (rule, why) = ("".into(), vec!["more than is kept".to_owned()]);
        let masked = "•".to_owned();
        Some(Finding {
            rule,
            kind: "composite",
            confidence: event.confidence,
            part,
            source,
            place: None,
            masked,
            start: None,
            end: None,
            why,
            phone: None,
        })
    }

    fn at(&self, from: From) -> Option<&Finding> {
        match from {
            From::Finding(n) => self.findings.get(n as usize),
            From::Part(n) => self.parts.get(n as usize),
            From::Group(_) | From::Rest => None,
        }
    }
}

/// The masks of a few parts beside each other: of all numbers together no more than four digits show.
fn masked(members: &[&Finding]) -> String {
    let mut masked = String::new();
    for member in members.iter().take(MASKS) {
        let shown = masked.bytes().filter(u8::is_ascii_digit).count() + member.masked.bytes().filter(u8::is_ascii_digit).count();
        let hide = |c: char| if shown > 4 && c.is_ascii_digit() { '•' } else { c };
        masked = [masked.as_str(), &member.masked.chars().map(hide).collect::<String>()].join(if masked.is_empty() { "" } else { " + " });
    }
    masked
}

/// The part and the kind of the text in which an event stands.
fn place(event: &Event, extraction: &Extraction) -> Option<(String, Source)> {
    let text = extraction.texts.get((event.place.text as usize).checked_sub(1)?)?;
    Some((text.part.clone(), text.source))
}

/// Goes through a group and the groups in it.
struct Teller<'a> {
    collector: &'a Collector<'a>,
    groups: &'a [Group],
    why: Vec<String>,
    members: Vec<&'a Finding>,
    /// Whether every member is among them.
    all: bool,
}

impl<'a> Teller<'a> {
    fn group(&mut self, group: &'a Group) {
        self.why.push(group.why.clone());
        for member in &group.members {
            if self.why.len() >= PHRASES {
                self.all = false;
                return;
            }
            match member {
                From::Group(inner) => self.group(&self.groups[*inner as usize]),
                from => match self.collector.at(*from) {
                    Some(finding) => self.member(*from, finding),
                    None => {
                        self.all = false;
                        self.why.push("more than is kept".to_owned());
                    }
                },
            }
        }
    }

    /// `rule "bsn" (high) in the text, line 3: •••••2333`
    fn member(&mut self, from: From, finding: &'a Finding) {
        let what = if matches!(from, From::Finding(_)) { format!("rule \"{}\"", finding.rule) } else { finding.kind.to_owned() };
        let place = finding.place.as_ref().map_or_else(String::new, |place| format!(", {place}"));
        self.why.push(format!("{what} ({}) in {}{place}: {}", finding.confidence.word(), finding.part, finding.masked));
        self.members.push(finding);
    }
}
