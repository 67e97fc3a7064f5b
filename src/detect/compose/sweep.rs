//! The merges behind `all`, `distinct` and `unless`.
//!
//! Things are near each other when at most so many characters lie between any two of them. That is so when each, with so many characters added
//! to its end, reaches the beginning of the last one: one sweep over beginnings finds all.

use super::{Event, From, Kind, Place, Within};
use crate::detect::finding::Confidence;
use std::{cmp::Reverse, collections::HashMap};

/// Things that lie near each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) place: Place,
    pub(super) confidence: Confidence,
    pub(super) members: Vec<From>,
    pub(super) one_stretch: bool,
}

/// From the surest on.
const LEVELS: [Confidence; 3] = [Confidence::High, Confidence::Medium, Confidence::Low];

/// Where one of each of `parts` lie within reach of each other. Those that overlap are one; it is as sure as the surest of them.
pub(super) fn together(parts: &[Vec<Event>], within: Within) -> Vec<Found> {
    let mut all: Vec<(Event, usize)> = parts.iter().enumerate().flat_map(|(part, events)| events.iter().map(move |e| (*e, part))).collect();
    all.sort_by_key(|(e, part)| (e.place, *part));
    let mut found = Vec::new();
    for level in LEVELS {
        let sure = || all.iter().filter(|(e, _)| e.confidence >= level);
        let everywhere: Vec<Option<Event>> = (0..parts.len())
            .map(|part| sure().map(|(e, p)| (*e, *p)).find(|(e, p)| *p == part && e.place.is_header()).map(|(e, _)| e))
            .collect();
        if let Some(fields) = everywhere.iter().copied().collect::<Option<Vec<Event>>>().filter(|fields| !fields.is_empty()) {
            found.push(Found {
                place: Place::HEADER,
                confidence: level,
                members: fields.iter().map(|e| e.from).collect(),
                one_stretch: false,
            });
        }
        let texts = sure().filter(|(e, _)| !e.place.is_header());
        match within {
            Within::Characters(reach) => near(texts, &everywhere, reach, level, &mut found),
            Within::Document | Within::Mail => anywhere(texts, &everywhere, within, level, &mut found),
        }
    }
    joined(found)
}

fn near<'a>(
    events: impl Iterator<Item = &'a (Event, usize)>,
    everywhere: &[Option<Event>],
    reach: usize,
    level: Confidence,
    found: &mut Vec<Found>,
) {
    // Of each part, the one that reaches furthest so far.
    let mut furthest: Vec<Option<Event>> = vec![None; everywhere.len()];
    for (event, part) in events {
        let here = event.place;
        for last in &mut furthest {
            if last.is_some_and(|l| l.place.text != here.text || (l.place.end as usize).saturating_add(reach) < here.start as usize) {
                *last = None;
            }
        }
        if furthest[*part].is_none_or(|l| l.place.end < here.end) {
            furthest[*part] = Some(*event);
        }
        let near: Option<Vec<Event>> = furthest.iter().zip(everywhere).map(|(near, field)| near.or(*field)).collect();
        let Some(near) = near else { continue };
        let start = near.iter().filter(|e| !e.place.is_header()).map(|e| e.place.start).min().unwrap_or(here.start);
        let end = near.iter().map(|e| e.place.end).max().unwrap_or(here.end);
        let place = Place { start, end, ..here };
        if !goes_on(found, place, level) {
            let members = near.iter().map(|e| e.from).collect();
            found.push(Found { place, confidence: level, members, one_stretch: true });
        }
    }
}

/// Makes the last one longer when the next overlaps it.
fn goes_on(found: &mut [Found], next: Place, level: Confidence) -> bool {
    let last = found.last_mut().filter(|last| last.confidence == level && last.place.text == next.text && next.start <= last.place.end);
    if let Some(last) = last {
        last.place = Place { start: last.place.start.min(next.start), end: last.place.end.max(next.end), ..last.place };
        return true;
    }
    false
}

/// Without a distance: all texts of a document, or of the mail, are one. Found in each of them that holds a part.
fn anywhere<'a>(
    events: impl Iterator<Item = &'a (Event, usize)>,
    everywhere: &[Option<Event>],
    within: Within,
    level: Confidence,
    found: &mut Vec<Found>,
) {
    let events: Vec<&(Event, usize)> = events.collect();
    for scope in scopes(&events, within, |(e, _)| e.place) {
        let mut first = everywhere.to_vec();
        for (event, part) in scope {
            first[*part].get_or_insert(*event);
        }
        if let Some(first) = first.into_iter().collect::<Option<Vec<Event>>>() {
            in_each_text(scope.iter().map(|(e, _)| e.place), &first.iter().map(|e| e.from).collect::<Vec<_>>(), level, found);
        }
    }
}

/// Pieces of events in order that belong to one document, or all of them.
fn scopes<T>(events: &[T], within: Within, place: impl Fn(&T) -> Place) -> impl Iterator<Item = &[T]> {
    events.chunk_by(move |a, b| within == Within::Mail || place(a).document == place(b).document)
}

/// One group for each text that has one of the events in it.
fn in_each_text(places: impl Iterator<Item = Place>, members: &[From], confidence: Confidence, found: &mut Vec<Found>) {
    let places: Vec<Place> = places.collect();
    let one = places.iter().all(|p| p.text == places[0].text);
    for text in places.chunk_by(|a, b| a.text == b.text) {
        let end = text.iter().map(|p| p.end).max().unwrap_or(0);
        found.push(Found { place: Place { end, ..text[0] }, confidence, members: members.to_vec(), one_stretch: one });
    }
}

/// In order, those that overlap made one.
fn joined(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by_key(|f| (f.place.text, f.place.start, Reverse(f.confidence), f.place.end));
    let mut joined: Vec<Found> = Vec::with_capacity(found.len().min(1024));
    for next in found {
        match joined.last_mut() {
            Some(last) if last.place.text == next.place.text && next.place.start <= last.place.end => {
                last.place.end = last.place.end.max(next.place.end);
                if next.confidence > last.confidence {
                    (last.confidence, last.members) = (next.confidence, next.members);
                }
            }
            _ => joined.push(next),
        }
    }
    joined
}

/// Where `most` different values lie within reach of each other.
pub(super) fn distinct(events: &[Event], most: usize, within: Within) -> Vec<Found> {
    let mut found = Vec::new();
    for level in LEVELS {
        let counts = |e: &&Event| e.confidence >= level && e.kind == Kind::Usual;
        let events: Vec<Event> = events.iter().filter(counts).copied().collect();
        match within {
            Within::Characters(reach) => {
                for text in events.chunk_by(|a, b| a.place.text == b.place.text) {
                    crowds(text, most, reach, level, &mut found);
                }
            }
            Within::Document | Within::Mail => {
                for scope in scopes(&events, within, |e| e.place) {
                    let mut first: HashMap<u64, usize> = HashMap::new();
                    for (n, event) in scope.iter().enumerate() {
                        first.entry(event.value).or_insert(n);
                    }
                    if first.len() >= most {
                        let mut first: Vec<usize> = first.into_values().collect();
                        first.sort_unstable();
                        let members: Vec<From> = first.iter().take(super::TOLD).map(|n| scope[*n].from).collect();
                        in_each_text(scope.iter().map(|e| e.place), &members, level, &mut found);
                    }
                }
            }
        }
    }
    joined(found)
}

/// Stretches of one text in which `most` different values lie within reach of each other.
fn crowds(text: &[Event], most: usize, reach: usize, level: Confidence, found: &mut Vec<Found>) {
    let mut by_end: Vec<&Event> = text.iter().collect();
    by_end.sort_by_key(|e| e.place.end);
    let mut gone = 0;
    let mut values: HashMap<u64, usize> = HashMap::new();
    let mut end = 0;
    for event in text {
        *values.entry(event.value).or_default() += 1;
        end = end.max(event.place.end);
        while let Some(first) = by_end.get(gone).filter(|e| (e.place.end as usize).saturating_add(reach) < event.place.start as usize) {
            if let Some(count) = values.get_mut(&first.value) {
                *count -= 1;
                if *count == 0 {
                    values.remove(&first.value);
                }
            }
            gone += 1;
        }
        if values.len() < most {
            continue;
        }
        let start = by_end[gone].place.start.min(event.place.start);
        let place = Place { start, end, ..event.place };
        if !goes_on(found, place, level) {
            let mut members = Vec::with_capacity(super::TOLD);
            let mut told: Vec<u64> = Vec::new();
            for near in by_end[gone..].iter().filter(|e| e.place.start <= event.place.start) {
                if !told.contains(&near.value) {
                    told.push(near.value);
                    members.push(near.from);
                }
                if members.len() == super::TOLD {
                    break;
                }
            }
            found.push(Found { place, confidence: level, members, one_stretch: true });
        }
    }
}

/// The events that have none of `against` within reach.
pub(super) fn without(mut events: Vec<Event>, against: &[Event], within: Within) -> Vec<Event> {
    if against.is_empty() {
        return events;
    }
    if within == Within::Mail || against.iter().any(|e| e.place.is_header()) {
        return Vec::new();
    }
    let Within::Characters(reach) = within else {
        events.retain(|e| against.binary_search_by_key(&e.place.document, |a| a.place.document).is_err());
        return events;
    };
    // For each of `against`, the furthest end of all up to it in its text.
    let mut furthest: Vec<(u32, u32, u32)> = Vec::with_capacity(against.len());
    for Place { text, start, end, .. } in against.iter().map(|e| e.place) {
        let before = furthest.last().filter(|f| f.0 == text).map_or(0, |f| f.2);
        furthest.push((text, start, end.max(before)));
    }
    events.retain(|e| {
        let (text, last) = (e.place.text, (e.place.end as usize).saturating_add(reach));
        let behind = furthest.partition_point(|f| (f.0, f.1 as usize) <= (text, last));
        let near = behind.checked_sub(1).map(|n| furthest[n]).filter(|f| f.0 == text);
        near.is_none_or(|f| (f.2 as usize).saturating_add(reach) < e.place.start as usize)
    });
    events
}

#[cfg(test)]
mod tests;
