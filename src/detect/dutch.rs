//! Dutch inflection: every form that a word of a list may have in a text. Forms are made when a list is read and stand in the lexicon beside the
//! word, so that a text is looked through as fast as without. Stemming both sides would cost every word of every mail instead, and would take
//! different words for one.
//!
//! A form that is no word costs nothing, since nobody writes it; so where spelling depends on stress or sound both ways are made. Endings that make
//! another word of it (`-ing`, `-er`, `-loos`) are not.

/// A shorter word is not inflected: its forms would be other words.
const SHORTEST: usize = 4;

/// The other forms of a word in normal form: plural, adjective, diminutive, and those of a verb when it ends like one.
pub(super) fn forms(word: &str) -> Vec<String> {
    // Abbreviations (`PTSS`) have no forms.
    if word.len() < SHORTEST || !word.bytes().all(|b| b.is_ascii_alphabetic()) || word.bytes().skip(1).any(|b| b.is_ascii_uppercase()) {
        return Vec::new();
    }
    let mut forms = Vec::with_capacity(16);
    plurals(word, &mut forms);
    diminutives(word, &mut forms);
    verbs(word, &mut forms);
    forms.sort_unstable();
    forms.dedup();
    forms.retain(|form| form != word);
    forms
}

fn is_vowel(b: u8) -> bool {
    matches!(b.to_ascii_lowercase(), b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

/// The last letter, and the two before it.
fn ending(word: &str) -> [u8; 3] {
    let bytes = word.as_bytes();
    let at = |n: usize| bytes.len().checked_sub(n).map_or(b' ', |i| bytes[i]);
    [at(3), at(2), at(1)]
}

/// A single vowel before a single consonant at the end: `kat`, `stoornis`, `slap`.
fn is_short(word: &str) -> bool {
    let [a, b, c] = ending(word);
    !is_vowel(a) && is_vowel(b) && !is_vowel(c)
}

/// What a word looks like before an ending that begins with a vowel: `maan` -> `man`, `kat` -> `katt`, `brief` -> `briev`, `huis` -> `huiz`.
fn before_vowel(word: &str) -> Vec<String> {
    let [a, b, c] = ending(word);
    if is_vowel(c) {
        return Vec::new();
    }
    let cut = |n: usize| &word[..word.len() - n];
    let mut bases = vec![word.to_owned()];
    if a == b && is_vowel(a) {
        bases.push(format!("{}{}", cut(2), char::from(c)));
    } else if is_short(word) && !matches!(c, b'w' | b'x' | b'h' | b'j') {
        bases.push(format!("{word}{}", char::from(c)));
    }
    let voiced = match c {
        b'f' => 'v',
        b's' => 'z',
        _ => return bases,
    };
    let more: Vec<String> =
        bases.iter().filter(|base| !is_short(base)).map(|base| format!("{}{voiced}", &base[..base.len() - 1])).collect();
    bases.extend(more);
    bases
}

/// `-en`, `-s`, `-n`, and `-e` of adjectives.
fn plurals(word: &str, forms: &mut Vec<String>) {
    let [_, before, last] = ending(word);
    for base in before_vowel(word) {
        forms.push(format!("{base}e"));
        forms.push(format!("{base}en"));
    }
    if !matches!(last, b's' | b'x' | b'z') {
        forms.push(format!("{word}s"));
    }
    match (before, last) {
        // `fobieën` reads `fobieen`.
        (b'i' | b'e', b'e') => forms.push(format!("{word}en")),
        (_, b'e') => forms.push(format!("{word}n")),
        _ => {}
    }
    if let Some(stem) = word.strip_suffix("heid") {
        forms.push(format!("{stem}heden"));
    }
}

/// `-je` and its kin, each with `-s`.
fn diminutives(word: &str, forms: &mut Vec<String>) {
    let [a, b, c] = ending(word);
    let mut made = Vec::with_capacity(3);
    match c {
        b'a' | b'i' | b'o' | b'u' if !is_vowel(b) => made.push(format!("{word}{}tje", char::from(c))),
        b'g' if b == b'n' => {
            made.push(format!("{}kje", &word[..word.len() - 1]));
            made.push(format!("{word}etje"));
        }
        b'm' => made.push(format!("{word}pje")),
        b'l' | b'n' | b'r' | b'w' | b'j' => made.push(format!("{word}tje")),
        _ if is_vowel(c) => made.push(format!("{word}tje")),
        _ => made.push(format!("{word}je")),
    }
    if matches!(c, b'l' | b'm' | b'n' | b'r') && is_vowel(b) && !is_vowel(a) {
        made.push(format!("{word}{}etje", char::from(c)));
    }
    for form in made {
        forms.push(format!("{form}s"));
        forms.push(form);
    }
}

/// Prefixes of verbs that take no `ge-` in their participle.
const WITHOUT_GE: [&str; 7] = ["be", "ge", "er", "her", "mis", "ont", "ver"];

/// A word that ends in `-en` may be a verb, or a plural, whose stem is found too: `mishandelen`, `mishandelt`, `mishandeld`.
fn verbs(word: &str, forms: &mut Vec<String>) {
    let Some(stem) = word.strip_suffix("en").filter(|stem| stem.len() >= SHORTEST && stem.bytes().any(is_vowel)) else { return };
    let [_, b, c] = ending(stem);
    let cut = &stem[..stem.len() - 1];
    let mut stems = vec![match c {
        b'v' => format!("{cut}f"),
        b'z' => format!("{cut}s"),
        _ if b == c && !is_vowel(c) => cut.to_owned(),
        _ => stem.to_owned(),
    }];
    if is_short(stem) {
        let last = stems[0].len() - 1;
        stems.push(format!("{}{}{}", &stems[0][..last], char::from(b), &stems[0][last..]));
    }
    forms.push(format!("{word}d"));
    forms.push(format!("{word}de"));
    for stem in stems {
        for ending in ["t", "te", "ten", "de", "den"] {
            forms.push(format!("{stem}{ending}"));
        }
        let participle = if WITHOUT_GE.iter().any(|prefix| stem.starts_with(prefix)) { stem.clone() } else { format!("ge{stem}") };
        for ending in ["d", "t", "de", "te"] {
            forms.push(format!("{participle}{ending}"));
        }
        // `gescheiden`, `verslaafd`: a stem that ends in the sound itself takes none.
        if stem.ends_with(['d', 't']) {
            forms.push(participle);
        }
        forms.push(stem);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, expected: &str) {
        let forms = forms(word);
        for form in expected.split(' ') {
            assert!(forms.iter().any(|f| f == form), "{word} -> {form}, of {forms:?}");
        }
        assert!(forms.len() < 40, "{word}: {}", forms.len());
    }

    #[test]
    fn words_are_inflected_as_dutch_spells_them() {
        check("stoornis", "stoornissen stoornisje stoornisjes");
        check("psychose", "psychosen psychoses");
        check("fobie", "fobieen fobies fobietje");
        check("gezwel", "gezwellen gezwelletje gezwelletjes");
        check("abces", "abcessen abcesje");
        check("brief", "brieven briefje");
        check("huis", "huizen huisje huisjes");
        check("maan", "manen maantje");
        check("tumor", "tumoren tumors tumortje");
        check("verslaving", "verslavingen verslavinkje");
        check("verslaafd", "verslaafde verslaafden");
        check("autistisch", "autistische autistischen");
        check("ziekte", "ziekten ziektes");
        check("afhankelijkheid", "afhankelijkheden");
        check("mishandelen", "mishandelt mishandelde mishandelden mishandeld mishandelend");
        check("slapen", "slaap slaapt geslaapt slapend");
        check("pesten", "pest pestte gepest");
        check("opname", "opnamen opnames");
        check("Verpleegkundige", "Verpleegkundigen");
    }

    #[test]
    fn what_has_no_inflection_has_none() {
        for word in ["PTSS", "hiv", "covid19", "", "soa"] {
            assert_eq!(forms(word), Vec::<String>::new(), "{word}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_word_fails_or_explodes(word in "[a-zA-Z]{0,12}|\\PC{0,6}") {
            proptest::prop_assert!(forms(&word).len() < 64);
        }
    }
}
