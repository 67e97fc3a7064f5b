//! Rules that name rules: in which order they are worked out, and that none waits for itself.

use super::{Condition, Rule};
use crate::{detect::compose::Node, fault::Faults};

/// So long a chain of rules nobody oversees; it also bounds our own calls.
const LONGEST: usize = 32;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// On the chain that is being followed.
    Open,
    Done,
}

/// The numbers of the rules that join what others find, each behind those it needs. A rule that needs itself is a fault that names the chain.
pub(super) fn order(rules: &[Rule], faults: &Faults) -> Vec<usize> {
    let mut walk = Walk { rules, faults, states: vec![State::New; rules.len()], chain: Vec::new(), order: Vec::new() };
    for rule in 0..rules.len() {
        walk.visit(rule);
    }
    walk.order
}

struct Walk<'a> {
    rules: &'a [Rule],
    faults: &'a Faults,
    states: Vec<State>,
    chain: Vec<usize>,
    order: Vec<usize>,
}

impl Walk<'_> {
    fn visit(&mut self, number: usize) {
        let Condition::Joined(node) = &self.rules[number].condition else { return };
        match self.states[number] {
            State::Done => return,
            State::Open => return self.circle(number),
            State::New => {}
        }
        if self.chain.len() == LONGEST {
            let rule = &self.rules[number];
            let remedy = "name the last of them directly";
            return self.faults.add(&rule.file, rule.line, format!("more than {LONGEST} rules name one another in a row"), remedy);
        }
        self.states[number] = State::Open;
        self.chain.push(number);
        let mut needed = Vec::new();
        Node::each_rule(node, &mut |rule| needed.push(rule));
        for rule in needed {
            self.visit(rule);
        }
        self.chain.pop();
        self.states[number] = State::Done;
        self.order.push(number);
    }

    fn circle(&self, number: usize) {
        let begins = self.chain.iter().position(|n| *n == number).unwrap_or(0);
        let chain: Vec<&str> = self.chain[begins..].iter().chain([&number]).map(|n| &*self.rules[*n].info.name).collect();
        let rule = &self.rules[number];
        self.faults.add(
            &rule.file,
            rule.line,
            format!("the rule waits for itself: {}", chain.join(" -> ")),
            "take one of these names out of `rule`",
        );
    }
}
