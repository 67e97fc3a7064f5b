//! A text of a provider's file with `{words}` that are filled in, each escaped for where it stands.

use std::fmt::Write as _;

/// What can be filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The number: `+31612345678`.
    To,
    /// The same without the plus.
    ToDigits,
    /// The same as it is dialled from abroad: `0031612345678`.
    To00,
    /// The text of the SMS.
    Text,
    /// Whom it comes from: `[sms] sender`.
    Sender,
    /// Our name for this SMS: 32 hexadecimal digits.
    Reference,
    /// `[sms] account`.
    Account,
    /// What `[sms] secret_file` holds.
    Secret,
    /// Where the provider sends the delivery report of this SMS.
    ReportUrl,
    /// How long the code works, in seconds: later it need not be delivered.
    Seconds,
}

/// Each word as files write it.
const WORDS: [(&str, Word); 10] = [
    ("to", Word::To),
    ("to_digits", Word::ToDigits),
    ("to_00", Word::To00),
    ("text", Word::Text),
    ("sender", Word::Sender),
    ("reference", Word::Reference),
    ("account", Word::Account),
    ("secret", Word::Secret),
    ("report_url", Word::ReportUrl),
    ("seconds", Word::Seconds),
];

/// How a value is written where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// As it is: in a header.
    Nothing,
    /// In a path (RFC 3986, 2.3: all but unreserved characters).
    Path,
    /// In `application/x-www-form-urlencoded`.
    Form,
    /// Between the quotes of a JSON text (RFC 8259, 7).
    Json,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Word(Word),
}

/// A text with words to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    pieces: Vec<Piece>,
    escape: Escape,
}

impl Template {
    /// Reads a text. Braces around anything but small letters, digits and `_` are what they are: JSON is full of them.
    ///
    /// # Errors
    /// The first word that there is not.
    pub(super) fn parse(text: &str, escape: Escape) -> Result<Template, String> {
        let (mut pieces, mut plain, mut rest) = (Vec::new(), String::new(), text);
        while let Some((before, behind)) = rest.split_once('{') {
            plain += before;
            let name = behind.split('}').next().unwrap_or_default();
            let is_word = !name.is_empty()
                && name.len() < behind.len()
                && name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit());
            if !is_word {
                plain.push('{');
                rest = behind;
                continue;
            }
            let (_, word) = WORDS.iter().find(|(known, _)| *known == name).ok_or_else(|| name.to_owned())?;
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
            pieces.push(Piece::Word(*word));
            rest = &behind[name.len() + 1..];
        }
        plain += rest;
        pieces.push(Piece::Text(plain));
        Ok(Template { pieces, escape })
    }

    /// The words that files may use, for whoever used another.
    pub(super) fn known() -> impl Iterator<Item = &'static str> {
        WORDS.iter().map(|(name, _)| *name)
    }

    /// Whether it uses `word`.
    pub(super) fn uses(&self, word: Word) -> bool {
        self.pieces.contains(&Piece::Word(word))
    }

    /// The text with what `value` gives for each word.
    pub(super) fn fill(&self, value: impl Fn(Word) -> String) -> String {
        let mut filled = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => filled += text,
                Piece::Word(word) => write(&mut filled, &value(*word), self.escape),
            }
        }
        filled
    }
}

fn write(to: &mut String, value: &str, escape: Escape) {
    match escape {
        Escape::Nothing => *to += value,
        Escape::Form => to.extend(form_urlencoded::byte_serialize(value.as_bytes())),
        Escape::Path => {
            for byte in value.bytes() {
                match byte {
                    b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => to.push(char::from(byte)),
                    // Writing into a String does not fail.
                    other => drop(write!(to, "%{other:02X}")),
                }
            }
        }
        Escape::Json => {
            let quoted = serde_json::Value::from(value).to_string();
            *to += quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"')).unwrap_or_default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, escape: Escape, expected: &str) {
        let template = Template::parse(text, escape).unwrap();
        let value = |word| if word == Word::Text { "a\"b\\ é&\n/=".to_owned() } else { "+31".to_owned() };
        assert_eq!(template.fill(value), expected);
    }

    #[test]
    fn values_are_escaped_for_where_they_stand() {
        check("To={to}&Body={text}", Escape::Form, "To=%2B31&Body=a%22b%5C+%C3%A9%26%0A%2F%3D");
        check("{\"t\": {\"x\": \"{text}\"}}", Escape::Json, "{\"t\": {\"x\": \"a\\\"b\\\\ é&\\n/=\"}}");
        check("https://x/{text}/y", Escape::Path, "https://x/a%22b%5C%20%C3%A9%26%0A%2F%3D/y");
        check("Key {to}", Escape::Nothing, "Key +31");
        check("{ } {} {X} {", Escape::Json, "{ } {} {X} {");
        assert_eq!(Template::parse("a {txet}", Escape::Form), Err("txet".to_owned()));
    }
}
