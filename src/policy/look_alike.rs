//! Domains that look like another one: what somebody registers who wants a mail to go astray, and what a typing error makes of a partner's domain.
//!
//! A domain resembles another when a reader takes the two for the same letters (digits for letters, letters of other alphabets, `rn` for `m`), when
//! one letter is more, less, other or swapped with its neighbour, or when the same name stands under another ending. Its own subdomains do not.

use crate::address::Domain;
use unicode_normalization::{UnicodeNormalization as _, char::is_combining_mark};

/// A shorter name has so many neighbours by one letter that nothing follows from it.
const LEAST_TO_MISTYPE: usize = 5;

/// Nor does anything follow from a shorter name under another ending.
const LEAST_TO_MOVE: usize = 4;

/// Whether a mail to `domain` may have been meant for `own`, or should look so.
pub(super) fn resembles(domain: &Domain, own: &Domain) -> bool {
    if is_within(domain, own) || is_within(own, domain) {
        return false;
    }
    let (theirs, ours) = (domain.to_unicode(), own.to_unicode());
    // `mail.gemeemte.example` resembles `gemeente.example` by its end.
    let depth = ours.split('.').count();
    let labels: Vec<&str> = theirs.split('.').collect();
    let theirs = labels[labels.len().saturating_sub(depth)..].join(".");
    let (Some((their_name, their_end)), Some((our_name, our_end))) = (theirs.rsplit_once('.'), ours.rsplit_once('.')) else { return false };
    let (their_look, our_look) = (skeleton(their_name), skeleton(our_name));
    let letters = our_name.chars().count();
    if their_look == our_look {
        // Here or under another ending; what differs in letters only looks the same.
        return their_name != our_name || letters >= LEAST_TO_MOVE;
    }
    their_end == our_end && letters >= LEAST_TO_MISTYPE && (is_mistyped(their_name, our_name) || is_mistyped(&their_look, &our_look))
}

/// Whether `domain` is `other` or below it.
pub(super) fn is_within(domain: &Domain, other: &Domain) -> bool {
    domain.as_str().strip_suffix(other.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The name as it looks at a glance: what is hard to tell apart becomes the same.
fn skeleton(name: &str) -> String {
    let bare: String = name.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).map(look).collect();
    bare.replace("rn", "m").replace("vv", "w").replace("cl", "d")
}

/// The letter for which a reader takes this one (a part of Unicode's confusables, UTS 39: the alphabets in which domains are sold).
fn look(c: char) -> char {
    match c {
        '0' | 'о' | 'ο' | 'օ' | 'ø' => 'o',
        '1' | 'i' | 'і' | 'ι' | 'ı' | 'ӏ' | 'ł' | '|' => 'l',
        '3' | 'е' | 'є' | 'ε' | 'э' => 'e',
        '5' | 'ѕ' => 's',
        'а' | 'α' | '4' => 'a',
        'в' | 'ь' | 'ß' | '8' => 'b',
        'с' | 'ϲ' => 'c',
        'ԁ' | 'đ' => 'd',
        'ɡ' | '9' => 'g',
        'һ' | 'ħ' | 'н' => 'h',
        'ј' => 'j',
        'к' | 'κ' => 'k',
        'м' => 'm',
        'п' | 'η' | 'ո' => 'n',
        'р' | 'ρ' => 'p',
        'ԛ' => 'q',
        'г' => 'r',
        'т' | 'τ' | '7' => 't',
        'υ' | 'ս' => 'u',
        'ν' | 'ѵ' => 'v',
        'ѡ' | 'ω' | 'ԝ' => 'w',
        'х' | 'χ' => 'x',
        'у' | 'γ' => 'y',
        '2' => 'z',
        other => other,
    }
}

/// Whether one letter is more, less or other, or two neighbours are swapped.
fn is_mistyped(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let before = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[before..], &other[before..]);
    let behind = one.iter().rev().zip(other.iter().rev()).take_while(|(a, b)| a == b).count();
    let (one, other) = (&one[..one.len() - behind], &other[..other.len() - behind]);
    match (one, other) {
        ([_], [] | [_]) | ([], [_]) => true,
        ([a, b], [c, d]) => a == d && b == c,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looks_like(theirs: &str, ours: &str) -> bool {
        resembles(&Domain::parse(theirs).unwrap(), &Domain::parse(ours).unwrap())
    }

    #[test]
    fn what_a_reader_or_a_typist_takes_for_the_same_resembles() {
        for theirs in [
            "gemeemte-voorbeeld.nl",  // other letter
            "gemente-voorbeeld.nl",   // one less
            "gemeentee-voorbeeld.nl", // one more
            "gemeenet-voorbeeld.nl",  // swapped
            "gemeentevoorbeeld.nl",   // no hyphen
            "gemeente-voorbeeld.com", // other ending
            "gemeente-v00rbeeld.nl",  // digits
            "gemeente-voorbee1d.nl",
            "gerneente-voorbeeld.nl", // rn for m
            "gеmeente-voorbeeld.nl",  // a Cyrillic letter
            "gemeénte-voorbeeld.nl",
            "mail.gemeemte-voorbeeld.nl", // below one
        ] {
            assert!(looks_like(theirs, "gemeente-voorbeeld.nl"), "{theirs}");
        }
        assert!(looks_like("gemeente.voorbeeld.nl", "gemeente.voorbeeid.nl"));
    }

    #[test]
    fn what_is_its_own_or_another_name_does_not() {
        let ours = "gemeente-voorbeeld.nl";
        for theirs in [ours, "intra.gemeente-voorbeeld.nl", "voorbeeld.nl", "gemeente-elders.nl", "ziekenhuis.example", "nl"] {
            assert!(Domain::parse(theirs).is_ok_and(|theirs| !resembles(&theirs, &Domain::parse(ours).unwrap())), "{theirs}");
        }
        // Names of a few letters have neighbours by chance.
        assert!(!looks_like("ms.nl", "ns.nl") && !looks_like("ns.com", "ns.nl") && !looks_like("abce.nl", "abcd.nl"));
        assert!(!looks_like("voorbeeld.nl", "intra.voorbeeld.nl"), "what it stands below is its own too");
    }
}
