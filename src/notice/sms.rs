//! The text of an SMS: one message of 160 characters of the GSM alphabet, the code first.

use super::Organisation;
use crate::{
    secret::Secret,
    template::{Language, Templates},
};

/// The longest SMS that is sent as one: more would be two, and an older telephone shows them apart.
const MAX_CHARS: usize = 160;

/// The text that brings a code. Its last line ties the code to our page, so that a telephone offers to fill it in there only.
#[must_use]
pub fn sms_text(code: &Secret<String>, organisation: &Organisation, templates: &Templates, language: Language) -> Secret<String> {
    let host = organisation.host();
    let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let binding = format!("\n\n@{host} #{}", code.expose());
    let text = |name: &str| to_gsm7(&templates.text(language, "sms-code", &[("code", code.expose()), ("organisation", name)]));
    let room = MAX_CHARS.saturating_sub(binding.chars().count());
    let mut name = organisation.name.clone();
    while text(&name).chars().count() > room && name.pop().is_some() {}
    // An organisation's own text may be too long even without a name; the code stands first in it and survives.
    let text: String = text(name.trim_end()).chars().take(room).collect();
    Secret::new(text + &binding)
}

/// `text` in characters that every telephone shows and that cost one place each (GSM 03.38): accents outside it are dropped.
#[must_use]
pub fn to_gsm7(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    let fits = |c: char| c.is_ascii_alphanumeric() || " \n\r!\"#$%&'()*+,-./:;<=>?@_¡£¤¥§¿ÄÅÆÇÉÑÖØÜßàäåæèéìñòöøùü".contains(c);
    text.chars()
        .flat_map(|c| match c {
            c if fits(c) => vec![c],
            '‘' | '’' | '`' | '´' => vec!['\''],
            '“' | '”' | '„' => vec!['"'],
            '–' | '—' | '‑' => vec!['-'],
            '…' => vec!['.', '.', '.'],
            c if c.is_whitespace() => vec![' '],
            c => {
                let plain: Vec<char> = c.nfkd().filter(|c| fits(*c)).collect();
                if plain.is_empty() && !unicode_normalization::char::is_combining_mark(c) { vec!['?'] } else { plain }
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::Address;

    fn organisation(name: &str) -> Organisation {
        Organisation {
            name: name.to_owned(),
            from: Address::parse("zegel@voorbeeld.example").unwrap(),
            url: "https://bericht.voorbeeld.example:8443".to_owned(),
            language: "nl".to_owned(),
            hostname: "zegel.voorbeeld.example".to_owned(),
            bounces: None,
            signer: None,
        }
    }

    #[test]
    fn an_sms_begins_with_the_code_and_fits_one_message() {
        let templates = Templates::embedded();
        let code = Secret::new("042815".to_owned());
        let text = sms_text(&code, &organisation("Gemeente Súdwest-Fryslân"), &templates, Language::Nl);
        assert_eq!(
            text.expose(),
            "042815 is uw code voor het beveiligde bericht van Gemeente Sudwest-Fryslan. Geef hem aan niemand.\n\n@bericht.voorbeeld.example #042815"
        );
        for name in ["x".repeat(500), "…".repeat(100), "語".repeat(80)] {
            let text = sms_text(&code, &organisation(&name), &templates, Language::En);
            assert!(text.expose().chars().count() <= 160 && text.expose().starts_with("042815 ") && text.expose().ends_with("#042815"));
            assert_eq!(to_gsm7(text.expose()), *text.expose());
        }
        for language in Language::ALL {
            // A text in letters of the alphabet loses nothing, and leaves room for a name.
            let text = sms_text(&code, &organisation("Voorbeeldgemeente"), &templates, language);
            let told = templates.text(language, "sms-code", &[("code", "042815"), ("organisation", "Voorbeeldgemeente")]);
            assert!(text.expose().starts_with(&told), "{}", text.expose());
        }
    }
}
