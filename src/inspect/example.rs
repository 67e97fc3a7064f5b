//! The policies' own examples, tried by `zegel check` with the code that judges mail.

use super::{Judging, Rulebook};
use crate::{
    address::Address,
    envelope::{Envelope, QueueId, Recipient},
    extract::{self, Extraction, Fact, Limits, Places, Problem, Source, Text, Unopened},
    fault::Faults,
    message,
    policy::{Besides, Example},
};

impl Rulebook {
    /// Tries every example of the rules and of the policies; each that fails is a fault at its line.
    pub fn check_examples(&self, faults: &Faults) {
        self.rules.check_examples(faults);
        for example in self.policies.examples() {
            self.check_example(example, faults);
        }
    }

    fn check_example(&self, example: &Example, faults: &Faults) {
        let envelope = Envelope {
            id: QueueId::NONE,
            from: example.from.clone(),
            to: example.to.iter().map(|a| Recipient { address: a.clone(), parameters: String::new() }).collect(),
            mail_parameters: String::new(),
        };
        let inspection = self.judge_for(example, &envelope);
        for (address, expected) in &example.expect {
            let Some(verdict) = inspection.verdicts.iter().find(|v| v.to == *address) else { continue };
            // An example says what happens, not what would happen otherwise.
            if verdict.outcome.word() != expected.value.word() {
                let by = verdict.policy.as_ref().map_or(String::new(), |p| format!(", by policy \"{p}\""));
                faults.add(
                    &example.file,
                    expected.line,
                    format!("the example gives {address} \"{}\"{by}, not \"{}\"", verdict.outcome, expected.value),
                    "correct the policy or the example",
                );
            }
        }
    }

    /// Judges as the example's organisation would: that which it names, else ours, to which the sender belongs.
    fn judge_for(&self, example: &Example, envelope: &Envelope) -> super::Inspection {
        let mut internal = example.organisation.clone();
        if internal.is_empty() {
            internal.clone_from(&self.internal);
            internal.extend(example.from.as_ref().map(Address::domain));
        }
        let facts = message::Facts { subject: example.subject.clone(), ..message::Facts::default() };
        let besides = Besides { strangers: &example.strangers, points: example.points };
        self.judge_within(&internal, example.at, &Judging { envelope, facts: &facts, extraction: &extraction(example), besides })
    }
}

/// The example's files are read as those of a mail are, but within this process: they are the organisation's own, and short.
fn read_attachments(example: &Example, extraction: &mut Extraction) {
    for (name, text) in &example.attachments {
        let (part, octets) = (format!("attachment \"{name}\""), text.clone().into_bytes().into());
        let file = Unopened { part, name: name.clone(), media_type: String::new(), octets, depth: 1, at: 0 };
        let read = extract::file(&file, &Limits::default());
        extraction.texts.extend(read.texts);
        extraction.problems.extend(read.problems);
        extraction.facts.extend(read.facts);
    }
}

fn extraction(example: &Example) -> Extraction {
    let text =
        |part: &str, source, text: &str, places| Text { part: part.to_owned(), source, text: text.to_owned(), places, spans: Vec::new() };
    let mut headers = vec![("Subject".to_owned(), example.subject.clone())];
    headers.extend(example.headers.iter().cloned());
    let mut extraction = Extraction {
        headers,
        texts: vec![
            text("subject", Source::Subject, &example.subject, Places::None),
            text("text", Source::Body, &example.body, Places::Lines),
        ],
        problems: example
            .problems
            .iter()
            .map(|kind| Problem { part: "attachment \"example\"".to_owned(), place: None, kind: *kind, reason: "" })
            .collect(),
        facts: example.files.iter().map(|kind| Fact { part: "attachment \"example\"".to_owned(), kind: *kind }).collect(),
    };
    read_attachments(example, &mut extraction);
    extraction
}
