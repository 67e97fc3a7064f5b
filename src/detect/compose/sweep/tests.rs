//! Every sweep against a twin that tries everything.

use super::*;
use proptest::prelude::*;

fn event(text: u32, start: u32, length: u32, confidence: usize, value: u64) -> Event {
    let place = Place { document: text.div_ceil(2), text, start, end: start + length };
    Event { place, confidence: Confidence::ALL[confidence], value, kind: Kind::Usual, from: From::Rest }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let one = (1u32..4, 0u32..60, 1u32..9, 0usize..3, 0u64..4)
        .prop_map(|(text, start, length, sure, value)| event(text, start, length, sure, value));
    proptest::collection::vec(one, 0..14).prop_map(|mut events| {
        events.sort_by_key(|e| e.place);
        events
    })
}

fn within() -> impl Strategy<Value = Within> {
    prop_oneof![(0usize..25).prop_map(Within::Characters), Just(Within::Document), Just(Within::Mail)]
}

/// Characters between two things.
fn gap(a: Place, b: Place) -> u32 {
    a.start.saturating_sub(b.end).max(b.start.saturating_sub(a.end))
}

fn is_near(a: &Event, b: &Event, within: Within) -> bool {
    match within {
        Within::Characters(reach) => a.place.text == b.place.text && gap(a.place, b.place) as usize <= reach,
        Within::Document => a.place.document == b.place.document,
        Within::Mail => true,
    }
}

/// Every way of taking one of each.
fn choices(parts: &[Vec<Event>]) -> Vec<Vec<Event>> {
    parts.iter().fold(vec![Vec::new()], |ways, part| {
        ways.iter().flat_map(|way| part.iter().map(move |e| way.iter().copied().chain([*e]).collect())).collect()
    })
}

/// The texts in which something was found, with the best confidence in each.
fn by_text(found: impl Iterator<Item = (u32, Confidence)>) -> Vec<(u32, Confidence)> {
    let mut best: std::collections::BTreeMap<u32, Confidence> = std::collections::BTreeMap::new();
    for (text, confidence) in found {
        let best = best.entry(text).or_insert(confidence);
        *best = confidence.max(*best);
    }
    best.into_iter().collect()
}

proptest! {
    #[test]
    fn all_holds_where_one_of_each_lie_near(a in events(), b in events(), c in events(), three in any::<bool>(), within in within()) {
        let parts = if three { vec![a, b, c] } else { vec![a, b] };
        let ways: Vec<Vec<Event>> =
            choices(&parts).into_iter().filter(|way| way.iter().all(|x| way.iter().all(|y| is_near(x, y, within)))).collect();
        let sure = |way: &[Event]| way.iter().map(|e| e.confidence).min().unwrap();
        let naive = by_text(ways.iter().flat_map(|way| way.iter().map(|e| (e.place.text, sure(way)))));
        let found = together(&parts, within);
        prop_assert_eq!(by_text(found.iter().map(|f| (f.place.text, f.confidence))), naive);
        // Every way lies in one of the stretches, at least as sure.
        for way in ways {
            let covers = |f: &Found| way.iter().all(|e| e.place.text != f.place.text || e.place.start >= f.place.start && e.place.end <= f.place.end);
            let last = way.iter().map(|e| e.place).max_by_key(|p| (p.text, p.start)).unwrap();
            prop_assert!(found.iter().any(|f| f.place.text == last.text && f.place.start <= last.start && last.start <= f.place.end && f.confidence >= sure(&way)));
            prop_assert!(matches!(within, Within::Characters(_)) || found.iter().any(covers));
        }
    }

    #[test]
    fn distinct_holds_where_so_many_values_lie_near(events in events(), most in 2usize..4, within in within()) {
        let naive = LEVELS.into_iter().flat_map(|level| {
            let sure: Vec<Event> = events.iter().filter(|e| e.confidence >= level).copied().collect();
            // A crowd whose last to begin is `last`: all that are near it and begin before it, or anything in its scope.
            sure.iter().filter(|last| {
                let crowd = sure.iter().filter(|e| is_near(e, last, within) && (!matches!(within, Within::Characters(_)) || e.place.start <= last.place.start));
                let mut values: Vec<u64> = crowd.map(|e| e.value).collect();
                values.sort_unstable();
                values.dedup();
                values.len() >= most
            }).map(|last| (last.place.text, level)).collect::<Vec<_>>()
        });
        let found = distinct(&events, most, within);
        prop_assert_eq!(by_text(found.iter().map(|f| (f.place.text, f.confidence))), by_text(naive));
    }

    #[test]
    fn unless_takes_away_what_has_one_near(events in events(), against in events(), within in within()) {
        let naive: Vec<Event> = events.iter().filter(|e| !against.iter().any(|a| is_near(e, a, within))).copied().collect();
        prop_assert_eq!(without(events, &against, within), naive);
    }
}

#[test]
fn a_field_of_the_header_is_near_everything() {
    let field = Event { place: Place::HEADER, ..event(1, 0, 0, 2, 9) };
    let word = event(2, 10, 5, 1, 1);
    let found = together(&[vec![field], vec![word]], Within::Characters(3));
    assert_eq!(found.iter().map(|f| (f.place, f.confidence)).collect::<Vec<_>>(), [(word.place, Confidence::Medium)]);
    assert_eq!(together(&[vec![field], vec![field]], Within::Characters(3))[0].place, Place::HEADER);
    assert_eq!(without(vec![word], &[field], Within::Characters(3)), []);
    assert_eq!(without(vec![field], &[word], Within::Characters(3)), [field]);
}

#[test]
fn many_events_are_merged_in_one_go() {
    // 100 000 of each, all near each other: a merge that tried pairs would not end.
    let many = |from: u32| (0..100_000).map(|n| event(1, from + n * 2, 1, 2, u64::from(n))).collect::<Vec<_>>();
    let (a, b) = (many(0), many(1));
    assert_eq!(together(&[a.clone(), b.clone()], Within::Characters(100_000)).len(), 1);
    assert_eq!(distinct(&a, 1000, Within::Characters(100_000)).len(), 1);
    assert_eq!(without(a, &b, Within::Characters(100_000)), []);
}
