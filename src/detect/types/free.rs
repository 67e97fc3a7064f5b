//! What is found by a sign, a prefix or the word before it, and not by a run of letters and digits: addresses, secrets, passwords, houses.

/// The longest local part (RFC 5321, 4.5.3.1.1) and domain.
const LOCAL: usize = 64;
const DOMAIN: usize = 255;

/// The address of mail whose `@` stands at `at`.
pub(in crate::detect) fn email(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let is_local =
        |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'%' | b'+' | b'-' | b'\'' | b'&' | b'=') || **b >= 0x80;
    let mut start = at - text[..at].iter().rev().take(LOCAL).take_while(is_local).count();
    start += text[start..at].iter().take_while(|b| !b.is_ascii_alphanumeric() && **b < 0x80).count();
    let is_domain = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-') || **b >= 0x80;
    let mut end = at + 1 + text[at + 1..].iter().take(DOMAIN).take_while(is_domain).count();
    end -= text[at + 1..end].iter().rev().take_while(|b| matches!(b, b'.' | b'-')).count();
    let domain = &text[at + 1..end];
    let top = domain.rsplit(|b| *b == b'.').next().filter(|top| top.len() >= 2 && top.len() < domain.len())?;
    let fits =
        top.iter().all(|b| b.is_ascii_alphabetic() || *b >= 0x80) && !domain.starts_with(b".") && !domain.windows(2).any(|w| w == b"..");
    (start < at && fits).then_some((start, end))
}

/// How a secret begins, how many characters of it follow at least, and which: letters and digits and these.
///
/// Prefixes as their makers publish them (GitHub, AWS, Slack, GitLab, Google, Stripe, npm, age; RFC 7468 for PEM; PuTTY's key files).
const SECRETS: [(&[u8], usize, &[u8]); 24] = [
    (b"AKIA", 16, b""),
    (b"ASIA", 16, b""),
    (b"AIza", 35, b"_-"),
    (b"AGE-SECRET-KEY-1", 58, b""),
    (b"BEGIN PRIVATE KEY-----", 0, b""),
    (b"BEGIN ENCRYPTED PRIVATE KEY-----", 0, b""),
    (b"BEGIN RSA PRIVATE KEY-----", 0, b""),
    (b"BEGIN EC PRIVATE KEY-----", 0, b""),
    (b"BEGIN DSA PRIVATE KEY-----", 0, b""),
    (b"BEGIN OPENSSH PRIVATE KEY-----", 0, b""),
    (b"BEGIN PGP PRIVATE KEY BLOCK-----", 0, b""),
    (b"PuTTY-User-Key-File-", 1, b":"),
    (b"ghp_", 36, b""),
    (b"gho_", 36, b""),
    (b"ghu_", 36, b""),
    (b"ghs_", 36, b""),
    (b"ghr_", 36, b""),
    (b"github_pat_", 60, b"_"),
    (b"glpat-", 20, b"_-"),
    (b"npm_", 36, b""),
    (b"sk_live_", 24, b""),
    (b"xoxb-", 20, b"-"),
    (b"xoxp-", 20, b"-"),
    (b"xoxa-", 20, b"-"),
];

/// The end of the secret that begins with the word at `start`.
#[inline]
pub(in crate::detect) fn secret(text: &[u8], start: usize) -> Option<usize> {
    // Words of mail seldom begin like this, so the prefixes are seldom compared.
    match text.get(start..start + 2)? {
        b"AK" | b"AS" | b"AI" | b"AG" | b"BE" | b"Pu" | b"gh" | b"gi" | b"gl" | b"np" | b"sk" | b"xo" => by_prefix(text, start),
        b"ey" if text[start..].starts_with(b"eyJ") && !is_in_url(text, start) => token(text, start),
        _ => None,
    }
}

fn by_prefix(text: &[u8], start: usize) -> Option<usize> {
    let (prefix, least, also) = SECRETS.iter().find(|(prefix, ..)| text[start..].starts_with(prefix))?;
    let from = start + prefix.len();
    let end = from + text[from..].iter().take(LONGEST_SECRET).take_while(|b| b.is_ascii_alphanumeric() || also.contains(b)).count();
    (end - from >= *least && (*least == 0 || !is_monotone(&text[from..end]))).then_some(end)
}

/// A JSON web token: three parts of base64url, of which the first two begin with `{"`.
fn token(text: &[u8], start: usize) -> Option<usize> {
    let part = |from: usize| {
        from + text[from..].iter().take(LONGEST_SECRET).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')).count()
    };
    let head = part(start);
    if head < start + 10 || !text[head..].starts_with(b".eyJ") {
        return None;
    }
    let claims = part(head + 1);
    (claims > head + 6 && text.get(claims) == Some(&b'.')).then(|| part(claims + 1))
}

/// Whether `start` stands in the address of a page: links to a survey or out of a list carry tokens that open nothing else.
fn is_in_url(text: &[u8], start: usize) -> bool {
    // Behind a full stop it is a later part of a token; behind a space or a quote no part of an address.
    match start.checked_sub(1).map(|at| text[at]) {
        Some(b'.') => return true,
        Some(b'/' | b'=' | b'&' | b'?' | b'-' | b'_' | b'%' | b'#') => {}
        _ => return false,
    }
    // Addresses are longer than this only behind their token.
    let before = &text[start.saturating_sub(300)..start];
    let word = before.rsplit(|b| b.is_ascii_whitespace() || matches!(b, b'"' | b'<')).next().unwrap_or(before);
    word.windows(3).any(|w| w == b"://")
}

/// Secrets are shorter; a longer run is data.
const LONGEST_SECRET: usize = 4096;

/// Whether one character is all there is: `AKIAXXXXXXXXXXXXXXXX` in a manual.
fn is_monotone(text: &[u8]) -> bool {
    text.iter().all(|b| *b == text[0])
}

/// A password in a sentence is not longer than this.
const LONGEST_PASSWORD: usize = 128;

/// Where the password stands whose word ends at `label`: behind `:` or `=`, or behind `is` when it can be nothing else.
pub(in crate::detect) fn password(text: &[u8], label: usize) -> Option<(usize, usize)> {
    let spaces = |from: usize| from + text[from..].iter().take(3).take_while(|b| **b == b' ').count();
    let mut at = spaces(label);
    let rest = &text[at..];
    let sign = matches!(rest.first(), Some(b':' | b'='));
    if sign {
        at = spaces(at + 1);
        at += usize::from(text.get(at) == Some(&b'\n'));
    } else if rest.len() > 3 && rest[..2].eq_ignore_ascii_case(b"is") && matches!(rest[2], b' ' | b':') {
        at = spaces(at + 2 + usize::from(rest[2] == b':'));
    } else {
        return None;
    }
    let quote = text.get(at).copied().filter(|b| matches!(b, b'"' | b'\'' | b'`'));
    at += usize::from(quote.is_some());
    let is_value = |b: &&u8| b.is_ascii_graphic() && quote != Some(**b) || **b >= 0x80;
    let mut end = at + text[at..].iter().take(LONGEST_PASSWORD + 1).take_while(is_value).count();
    // A full stop or a comma ends the sentence.
    if quote.is_none() {
        end -= usize::from(matches!(text[at..end].last(), Some(b'.' | b',' | b';' | b')')));
    }
    is_password(&text[at..end], sign).then_some((at, end))
}

/// Whether a word is made up: several kinds of characters, and no template (`${DB_PASSWORD}`), address or date.
fn is_password(word: &[u8], sign: bool) -> bool {
    if !(6..=LONGEST_PASSWORD).contains(&word.len()) || is_monotone(word) || is_template(word) {
        return false;
    }
    let has = |is: fn(&u8) -> bool| usize::from(word.iter().any(is));
    let kinds = has(u8::is_ascii_lowercase) + has(u8::is_ascii_uppercase) + has(u8::is_ascii_digit) + has(|b| b.is_ascii_punctuation());
    let letters = word.iter().any(u8::is_ascii_alphabetic);
    // `Wachtwoord: Vergeten!` and `password: niet-nodig` are words. None are: a digit among letters, a sign within or one that ends no sentence,
    // and capitals that come back: `hyVGSEvgXjYe`.
    let figures = word.iter().any(u8::is_ascii_digit);
    let odd = |b: &u8| b.is_ascii_punctuation() && !matches!(b, b'-' | b'\'' | b'/' | b'.' | b'_');
    let (last, before) = word.split_last().map_or((0, word), |(last, before)| (*last, before));
    let sign_within = before.iter().any(odd) || odd(&last) && !matches!(last, b'!' | b'?' | b'"' | b')' | b':' | b';' | b',' | b'*');
    let humps = word.windows(2).filter(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase()).count();
    let url = word.windows(3).any(|w| w == b"://") || word.starts_with(b"www.");
    letters && !url && kinds >= if sign { 2 } else { 3 } && (figures || sign_within || humps > 1)
}

fn is_template(word: &[u8]) -> bool {
    // `%DB_PASSWORD%`
    let is_variable = |name: &[u8]| name.iter().all(|b| b.is_ascii_uppercase() || *b == b'_');
    let whole = match word {
        [b'%', name @ .., b'%'] => is_variable(name),
        [b'$', b'{' | b'(', ..] | [b'{', b'{', ..] | [b'<', ..] | [b'[', ..] | [b'*', b'*', b'*', ..] | [b'.', b'.', ..] => true,
        _ => false,
    };
    whole || word.windows(2).any(|w| w == b"${" || w == b"$(" || w == b"{{")
}

/// Whether a street and the number of a house stand before the postcode at `start`, or the number of a house behind it, at `end`.
pub(super) fn has_house(text: &[u8], start: usize, end: usize) -> bool {
    let back = |from: usize, most: usize, is: fn(&u8) -> bool| from - text[..from].iter().rev().take(most).take_while(|b| is(b)).count();
    let gap = back(start, 4, |b| matches!(b, b' ' | b',' | b'\n' | b'\r' | b'\t' | b';' | b'|'));
    let suffix = back(gap, 3, |b| b.is_ascii_alphabetic() || matches!(b, b'-'));
    let number =
        [gap, suffix].into_iter().map(|at| (at, back(at, 5, u8::is_ascii_digit))).find(|(at, from)| from < at).map(|(_, from)| from);
    let street = number.is_some_and(|from| {
        let word = back(from, 2, |b| *b == b' ' || *b == b'\t');
        gap < start && word < from && text[..word].last().is_some_and(|b| b.is_ascii_lowercase() || *b >= 0x80 || *b == b'.')
    });
    let behind = &text[end..];
    let sign = behind.iter().take(2).take_while(|b| matches!(b, b' ' | b',')).count();
    let digits = behind[sign..].iter().take(6).take_while(|b| b.is_ascii_digit()).count();
    street || sign > 0 && (1..=5).contains(&digits) && !behind.get(sign + digits).is_some_and(|b| matches!(b, b'.' | b',' | b'%' | b':'))
}
