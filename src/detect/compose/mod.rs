//! Conditions of several parts: what the one pass found for each part becomes events in the order of the mail, and those are merged.
//!
//! Nothing here looks at a text. Every step sorts events and goes along them once.

mod sweep;

use super::finding::Confidence;
use sweep::{distinct, together, without};

/// A condition in a rule.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) what: What,
    /// How far its parts, and its different values, may lie apart.
    pub(super) within: Within,
    /// So many different values must be found; 1 is no condition.
    pub(super) distinct: usize,
    /// What is less sure is not seen.
    pub(super) confidence: Confidence,
    /// Where one of these holds, it does not.
    pub(super) unless: Vec<Node>,
}

/// What a condition is about.
#[derive(Debug)]
pub(super) enum What {
    /// What the rule of this number finds.
    Rule(usize),
    All(Vec<Node>),
    Any(Vec<Node>),
}

/// How far things may lie apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Within {
    /// So many characters between any two of them, in one text.
    Characters(usize),
    /// Anywhere in one file, or in the mail's own text.
    Document,
    /// Anywhere in the mail.
    Mail,
}

/// Something found, as conditions see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) place: Place,
    pub(super) confidence: Confidence,
    /// Of its value, capitals and separators folded: equal values have equal ones.
    pub(super) value: u64,
    pub(super) kind: Kind,
    /// What it tells of itself.
    pub(super) from: From,
}

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Texts of one file have the same number.
    pub(super) document: u32,
    /// The number of the text in the mail. Header fields have [`Place::HEADER`].
    pub(super) text: u32,
    /// In characters of the normal text.
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Place {
    /// A field of the mail's header stands near everything in it.
    pub(super) const HEADER: Place = Place { document: 0, text: 0, start: 0, end: 0 };

    fn is_header(self) -> bool {
        self.text == 0
    }
}

/// How an event is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Usual,
    /// Not sure, in a crowd of numbers that look the same and are something else: its value does not count.
    Chance,
    /// Stands for all that was found and not kept, between the first and the last of it.
    Rest,
}

/// Where what an event tells is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// The finding of this number.
    Finding(u32),
    /// The finding of this number among those of parts of conditions.
    Part(u32),
    /// The group of this number.
    Group(u32),
    /// Nothing.
    Rest,
}

/// Things that were found together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// The type that `zegel explain` shows.
    pub(super) kind: &'static str,
    /// What joined them, in a phrase.
    pub(super) why: String,
    pub(super) members: Vec<From>,
    /// Whether its place is a stretch of one text that holds all members.
    pub(super) one_stretch: bool,
}

/// The most members of a group that are told.
const TOLD: usize = 6;

/// What conditions are worked out from, and the groups that came of it.
pub(super) struct Events {
    /// By the number of the rule, each in the order of the mail.
    pub(super) of_rule: Vec<Vec<Event>>,
    pub(super) groups: Vec<Group>,
}

impl Node {
    /// What the rule of this number finds, as a condition.
    pub(super) fn of(rule: usize, within: Within) -> Node {
        Node { what: What::Rule(rule), within, distinct: 1, confidence: Confidence::Low, unless: Vec::new() }
    }

    /// Calls `see` for every rule that this condition names.
    pub(super) fn each_rule(&self, see: &mut dyn FnMut(usize)) {
        match &self.what {
            What::Rule(rule) => see(*rule),
            What::All(nodes) | What::Any(nodes) => nodes.iter().for_each(|node| node.each_rule(see)),
        }
        self.unless.iter().for_each(|node| node.each_rule(see));
    }

    /// Calls `see` for every rule of which unsure findings are counted by their values.
    pub(super) fn each_counted(&self, see: &mut dyn FnMut(usize)) {
        if self.distinct > 1 && self.confidence == Confidence::Low {
            self.each_rule(see);
        }
        if let What::All(nodes) | What::Any(nodes) = &self.what {
            nodes.iter().for_each(|node| node.each_counted(see));
        }
        self.unless.iter().for_each(|node| node.each_counted(see));
    }
}

impl Events {
    pub(super) fn new(rules: usize) -> Events {
        Events { of_rule: vec![Vec::new(); rules], groups: Vec::new() }
    }

    /// Where a condition holds, in the order of the mail.
    pub(super) fn of(&mut self, node: &Node) -> Vec<Event> {
        let mut events = match &node.what {
            What::Rule(rule) => self.of_rule[*rule].clone(),
            What::Any(nodes) => {
                let mut all: Vec<Event> = nodes.iter().flat_map(|node| self.of(node)).collect();
                all.sort_by_key(|e| e.place);
                all
            }
            What::All(nodes) => {
                let parts: Vec<Vec<Event>> = nodes.iter().map(|node| self.of(node)).collect();
                let why = format!("all {} parts {}", parts.len(), node.within.told());
                self.keep(together(&parts, node.within), "composite", why)
            }
        };
        events.retain(|e| e.confidence >= node.confidence);
        if node.distinct > 1 {
            let why = format!("{} or more different values {}", node.distinct, node.within.told());
            events = self.keep(distinct(&events, node.distinct, node.within), "distinct", why);
        }
        for node_unless in &node.unless {
            // What stands for others says of no place that one of them stands there.
            let against: Vec<Event> = self.of(node_unless).into_iter().filter(|e| e.kind != Kind::Rest).collect();
            events = without(events, &against, node.within);
        }
        events
    }

    /// Keeps what was found together as groups.
    fn keep(&mut self, found: Vec<sweep::Found>, kind: &'static str, why: String) -> Vec<Event> {
        let mut events = Vec::with_capacity(found.len());
        for sweep::Found { place, confidence, mut members, one_stretch } in found {
            members.truncate(TOLD);
            // What holds a group of several texts lies in several texts itself.
            let one_stretch =
                one_stretch && members.iter().all(|member| !matches!(member, From::Group(n) if !self.groups[*n as usize].one_stretch));
            // Fewer than 2^32: each takes at least one byte of text.
            let from = From::Group(self.groups.len() as u32);
            self.groups.push(Group { kind, why: why.clone(), members, one_stretch });
            let value = u64::from(place.start) << 32 | u64::from(place.text);
            events.push(Event { place, confidence, value, kind: Kind::Usual, from });
        }
        events
    }
}

impl Within {
    fn told(self) -> String {
        match self {
            Within::Characters(most) => format!("within {most} characters"),
            Within::Document => "in one document".to_owned(),
            Within::Mail => "in the mail".to_owned(),
        }
    }
}
