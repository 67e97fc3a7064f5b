//! What an officer should look at though it is no fault: lines that can never win, and what has passed its date.

use super::{Mode, Outcome, Policies, Policy, exception::Exception};
use jiff::civil::Date;

/// Something about a line that is probably not what its writer means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Doubt {
    /// The file.
    pub file: String,
    /// The line.
    pub line: usize,
    /// What is doubtful.
    pub what: String,
    /// What to do about it.
    pub remedy: String,
    /// Whether `zegel check` fails by it. A zegel that runs or starts takes the set all the same: what was right yesterday must not stop mail today.
    pub fails: bool,
}

impl Policies {
    /// Everything doubtful on this day, by file and line.
    #[must_use]
    pub fn doubts(&self, today: Date) -> Vec<Doubt> {
        let mut doubts: Vec<_> = self
            .exceptions
            .iter()
            .filter(|e| e.ends < today)
            .map(|e| {
                let what = format!("the exception \"{}\" ended on {} and has no effect", e.name, e.ends);
                doubt(&e.place, what, "take it out, or give it a later day and say why in `reason`".to_owned(), true)
            })
            .collect();
        doubts.extend(self.exceptions.iter().filter_map(|e| self.never_lowers(e)));
        for policy in &self.policies {
            doubts.extend(self.never_wins(policy));
            if let Some((day, mode)) = policy.until.filter(|(day, _)| *day <= today) {
                let what =
                    format!("the policy \"{}\" is no longer \"{}\" but \"{}\", since {day}", policy.name, policy.mode.word(), mode.word());
                doubts.push(doubt(&policy.place, what, "take `mode` and `until` out if that is meant".to_owned(), false));
            }
        }
        doubts.sort();
        doubts
    }

    /// An exception for what no policy says, whether it acts or only watches yet.
    fn never_lowers(&self, exception: &Exception) -> Option<Doubt> {
        let said = |outcome: &Outcome| self.policies.iter().any(|p| p.then.word() == outcome.word());
        if exception.lowers.iter().any(said) {
            return None;
        }
        let words: Vec<&str> = Outcome::ALL.iter().filter(|o| **o != Outcome::None && said(o)).map(|o| o.word()).collect();
        let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
        let what = format!("the exception \"{}\" lowers what no policy says, and has no effect", exception.name);
        Some(doubt(&exception.place, what, format!("policies say: {}", words.join(", ")), false))
    }

    /// A policy whose every case another one decides more strictly.
    fn never_wins(&self, policy: &Policy) -> Option<Doubt> {
        let always = |p: &Policy, least: Mode| p.mode >= least && p.until.is_none_or(|(_, then)| then >= least);
        if !always(policy, Mode::Automatic) {
            return None;
        }
        let stricter = |p: &&Policy| rank(p.then) > rank(policy.then) && always(p, Mode::Automatic) && p.when.covers(&policy.when);
        let other = self.policies.iter().find(stricter)?;
        let what = format!("the policy \"{}\" can never win: wherever it holds, \"{}\" does too, and is stricter", policy.name, other.name);
        let remedy = match policy.then {
            Outcome::None => "\"none\" excepts nobody: add `unless` to the stricter policy, or write an [[exception]]".to_owned(),
            _ => format!("take it out, or narrow \"{}\" ({}:{})", other.name, other.place.0, other.place.1),
        };
        Some(doubt(&policy.place, what, remedy, false))
    }
}

/// Where an outcome stands among all, whatever level hangs on it.
fn rank(outcome: Outcome) -> Option<usize> {
    Outcome::ALL.iter().position(|o| o.word() == outcome.word())
}

fn doubt((file, line): &(String, usize), what: String, remedy: String, fails: bool) -> Doubt {
    Doubt { file: file.clone(), line: *line, what, remedy, fails }
}
