//! How sure a candidate of the table's types is.

use super::{Candidate, Kind, free};
use crate::detect::{
    Confidence,
    context::{By, Context, Verdict},
    scan::{Label, Scanned, Stretch, longest},
};

/// The labels as type `kind` and rule `rule` see them: its own words are for it, those of other types against it.
///
/// A strong check, and a form that nothing else has, are not overruled by the words of other types: only a rule's own can be against them.
pub(in crate::detect) fn view(scanned: &Scanned, rule: usize, kind: Kind) -> Vec<Label> {
    let strong = kind.row().is_some_and(super::Row::is_strong) || matches!(kind, Kind::POSTCODE | Kind::PLATE);
    let named = scanned.named.iter().map(|(stretch, kinds)| Label { start: stretch.0, end: stretch.1, wanted: kinds.has(kind) });
    let mut labels: Vec<Label> = named.filter(|label| label.wanted || !strong).collect();
    if !scanned.labels[rule].is_empty() {
        labels.extend(&scanned.labels[rule]);
        longest(&mut labels, |l| (l.start, l.end));
    }
    labels
}

/// One stretch is one thing: what overlaps one with a strong check is gone, or left to its label, and of one type the longest stays. Gives them by type.
pub(in crate::detect) fn strongest(candidates: &mut Vec<Candidate>, ibans: &[Stretch]) {
    // A title takes nothing: "8640 MW Ede" is a postcode.
    let strong = |c: &Candidate| c.kind != Kind::PERSON && c.kind.row().is_some_and(super::Row::is_strong);
    let mut taken: Vec<Stretch> =
        candidates.iter().filter(|c| strong(c) && !c.attached).map(|c| (c.start, c.end)).chain(ibans.iter().copied()).collect();
    longest(&mut taken, |s| *s);
    candidates.retain_mut(|c| {
        let at = taken.partition_point(|t| t.1 <= c.start);
        let Some(over) = taken.get(at).filter(|t| t.0 < c.end) else { return true };
        // On the very same stretch its own label may still say that it is this type, and by chance passes the other's check.
        c.rivalled |= !strong(c);
        *over == (c.start, c.end)
    });
    candidates.sort_unstable_by_key(|c| (c.kind, c.start, std::cmp::Reverse(c.end)));
    let mut last: Option<(Kind, usize)> = None;
    candidates.retain(|c| {
        let free = last.is_none_or(|(kind, end)| kind != c.kind || c.start >= end);
        if free {
            last = Some((c.kind, c.end));
        }
        free
    });
}

/// How sure a rule is about a candidate, and why; `None` when it is something else.
pub(in crate::detect) fn weigh(
    candidate: &Candidate,
    verdict: Option<&Verdict>,
    listed: bool,
    context: &Context<'_>,
) -> Option<(Confidence, Vec<String>)> {
    let row = candidate.kind.row()?;
    let stretch = (candidate.start, candidate.end);
    let check = row.check.to_owned();
    match verdict {
        Some(verdict) if !verdict.wanted => None,
        Some(verdict)
            if verdict.is_certain() || !(candidate.attached || row.alone.is_none() && is_beyond(verdict, listed, stretch, context)) =>
        {
            let spread = candidate.kind == Kind::DOB && !verdict.is_certain();
            let sure = if spread { Confidence::Medium } else { row.labelled };
            Some((sure, vec![context.told(verdict, stretch), check]))
        }
        _ => {
            let alone = row.alone.filter(|_| !candidate.rivalled)?;
            if candidate.attached {
                return row.is_strong().then(|| (Confidence::Low, vec!["hangs on a word by a sign".to_owned(), check]));
            }
            if candidate.raised {
                return Some((alone.max(Confidence::Medium), vec!["its form speaks for it".to_owned(), check]));
            }
            if candidate.kind == Kind::POSTCODE && free::has_house(context.text, stretch.0, stretch.1) {
                return Some((Confidence::Medium, vec!["a house number beside it".to_owned(), check]));
            }
            match context.person_beside(stretch).filter(|_| alone == Confidence::Low) {
                Some(person) => Some((Confidence::Medium, vec![person, check])),
                None => Some((alone, vec![check])),
            }
        }
    }
}

/// A label reaches its number, not what stands behind that: "AGB 01704854 voor 12345678 euro".
fn is_beyond(verdict: &Verdict, listed: bool, (start, end): Stretch, context: &Context<'_>) -> bool {
    let By::Near(label) = verdict.by else { return false };
    let between = if label.end <= start { label.end..start } else { end..label.start };
    !listed && context.text.get(between).is_some_and(|b| b.iter().any(u8::is_ascii_digit))
}
