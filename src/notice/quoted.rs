//! What another mail server said, as zegel repeats it: its codes and its plain words.
//!
//! The mail that repeats it comes from the organisation's own zegel, so its reader trusts it, and a hostile server chooses the words. Nothing that a
//! mail program would make a link of is repeated: an address of a page or of somebody who waits for an answer would be taken for ours.
//! Phone numbers pass: they can't be told from the numbers that honest servers write.

/// Stands where a word was left out.
const LEFT_OUT: &str = "[...]";

/// `reply` with every word left out that a mail program could turn into a link.
pub(super) fn plain(reply: &str) -> String {
    reply.split(' ').map(|word| if may_be_a_link(word) { LEFT_OUT } else { word }).collect::<Vec<_>>().join(" ")
}

/// An address of a page, a person or a share, or a name of a host. Numbers with dots between them are status codes and versions.
fn may_be_a_link(word: &str) -> bool {
    word.contains(['@', '\u{ff20}', '\\']) || word.contains("//") || names_a_scheme(word) || names_a_host(word)
}

/// `mailto:x`, `tel:0900`; a word that merely ends in a colon is none.
fn names_a_scheme(word: &str) -> bool {
    word.match_indices(':').any(|(at, _)| {
        word[..at].ends_with(|c: char| c.is_ascii_alphabetic()) && word[at + 1..].starts_with(|c: char| c.is_alphanumeric() || c == '+')
    })
}

/// A dot within a word, before a letter; or any within a path. Browsers take other dots for one too (UTS #46).
fn names_a_host(word: &str) -> bool {
    let is_dot = |c: char| matches!(c, '.' | '\u{2024}' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}');
    let within = |(at, dot): (usize, char)| {
        is_dot(dot)
            && word[..at].ends_with(char::is_alphanumeric)
            && word[at + dot.len_utf8()..].starts_with(|c: char| c.is_alphabetic() || (c.is_alphanumeric() && word.contains('/')))
    };
    word.char_indices().any(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_server_says_is_repeated_without_anything_to_follow() {
        let check = |said: &str, repeated: &str| assert_eq!(plain(said), repeated);
        let same = |said: &str| check(said, said);
        same("550 5.1.1 no such mailbox");
        same("552-5.2.2 (#5.2.2) Mailbox full: quota of 1.5 GB used, since 10:30.");
        same("451 4.2.0 Postfach voll. Später wieder; 12/7");
        check("550 5.1.1 see https://evil.example/login now", "550 5.1.1 see [...] now");
        check("550 see:http://1.2.3.4/x HTTPS://EVIL", "550 [...] [...]");
        check("550 (www.evil.example) evil.example/x, \"evil.example\".", "550 [...] [...] [...]");
        check("550 1.2.3.4/login 550 5.1.1", "550 [...] 550 5.1.1");
        check("550 evil\u{3002}example bücher.example \u{ff57}\u{ff0e}evil", "550 [...] [...] [...]");
        check("550 <helpdesk@evil.example> mailto:helpdesk tel:+31900", "550 [...] [...] [...]");
        check("550 \\\\evil\\share //evil", "550 [...] [...]");
        same("");
    }
}
