//! Which elements a page hides: inline, or by class and id in `<style>`.
//!
//! Taking too much for hidden costs nothing: the whole text is read first, and the one without what is hidden only besides.

use super::{raw_text_length, tags::Tag};
use std::collections::HashSet;

/// Octets of the name of an attribute that a sheet shows.
const LONGEST_NAME: usize = 64;

/// Octets of a colour: any name or function for one is shorter, and each open element keeps its own.
const LONGEST_COLOUR: usize = 64;

/// How an element looks, as far as hiding goes.
pub(super) struct Look {
    pub(super) is_hidden: bool,
    /// The background behind its text; `None` is the page's white.
    pub(super) background: Option<String>,
}

/// The classes (`.x`) and ids (`#x`) that the page's style sheets hide.
#[derive(Default)]
pub(super) struct Hiding {
    hidden: HashSet<String>,
    /// Attributes that a sheet shows: `content: attr(data)`.
    shown: HashSet<String>,
}

impl Hiding {
    /// Reads all `<style>` elements of a page.
    pub(super) fn of_page(html: &str) -> Hiding {
        let (mut hidden, mut shown) = (HashSet::new(), HashSet::new());
        let bytes = html.as_bytes();
        let mut from = 0;
        while let Some(found) = find_style(&bytes[from..]) {
            let start = from + found;
            let Some(open) = memchr::memchr(b'>', &bytes[start..]) else { break };
            let text = start + open + 1;
            let Some(length) = raw_text_length(&html[text..], "style") else { break };
            let sheet = &html[text..text + length];
            read_sheet(sheet, &mut hidden);
            shown.extend(sheet.split("attr(").skip(1).map(|behind| {
                let name =
                    behind.trim_start().bytes().take(LONGEST_NAME).take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
                name.map(|b| char::from(b.to_ascii_lowercase())).collect::<String>()
            }));
            from = text + length;
        }
        Hiding { hidden, shown }
    }

    /// Whether a sheet shows what this attribute says.
    pub(super) fn is_shown(&self, attribute: &str) -> bool {
        !self.shown.is_empty() && self.shown.contains(attribute)
    }

    pub(super) fn look(&self, tag: &Tag, inherited: Option<String>) -> Look {
        let mut background = inherited;
        let mut is_hidden = tag.attribute("hidden").is_some();
        for class in tag.attribute("class").unwrap_or_default().split_ascii_whitespace() {
            is_hidden |= !self.hidden.is_empty() && self.hidden.contains(&format!(".{class}"));
        }
        is_hidden |= tag.attribute("id").is_some_and(|id| !self.hidden.is_empty() && self.hidden.contains(&format!("#{id}")));
        let mut color = tag.attribute("color").map(normal_color);
        if let Some(given) = tag.attribute("bgcolor") {
            background = Some(normal_color(given));
        }
        if let Some(style) = tag.attribute("style") {
            let declarations = declarations(style);
            is_hidden |= declarations.iter().any(|(n, v)| hides(n, v));
            let value = |name: &str| declarations.iter().rev().find(|(n, _)| n == name).map(|(_, v)| normal_color(v));
            color = value("color").or(color);
            background = value("background-color").or_else(|| value("background")).or(background);
        }
        is_hidden |= color.is_some_and(|c| c == background.as_deref().unwrap_or("#ffffff"));
        Look { is_hidden, background }
    }
}

fn find_style(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'<', bytes).find(|at| bytes.get(at + 1..at + 6).is_some_and(|n| n.eq_ignore_ascii_case(b"style")))
}

fn read_sheet(sheet: &str, hidden: &mut HashSet<String>) {
    for rule in sheet.split('}') {
        let Some((selectors, body)) = rule.rsplit_once('{') else { continue };
        if !declarations(body).iter().any(|(n, v)| hides(n, v)) {
            continue;
        }
        let selectors = selectors.rsplit(['{', ';']).next().unwrap_or_default();
        for selector in selectors.split(',') {
            let last = selector.split_ascii_whitespace().next_back().unwrap_or_default();
            let last = last.split(':').next().unwrap_or_default();
            if let Some(at) = last.rfind(['.', '#']) {
                hidden.insert(last[at..].to_owned());
            }
        }
    }
}

/// `name: value` pairs, lowercase, without blanks and `!important`.
fn declarations(style: &str) -> Vec<(String, String)> {
    style
        .split(';')
        .filter_map(|d| d.split_once(':'))
        .map(|(name, value)| {
            let value = value.to_ascii_lowercase().replace("!important", "");
            (name.trim().to_ascii_lowercase(), value.trim().to_owned())
        })
        .collect()
}

fn hides(name: &str, value: &str) -> bool {
    let is_zero = || value.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%').trim().parse::<f32>().is_ok_and(|n| n == 0.0);
    match name {
        "display" => value == "none",
        "visibility" => value == "hidden" || value == "collapse",
        "mso-hide" => value == "all",
        "font-size" | "opacity" | "max-height" | "max-width" => is_zero(),
        "font" => value.split_ascii_whitespace().any(|w| matches!(w, "0" | "0px" | "0pt")),
        _ => false,
    }
}

/// Colours that are equal look equal here: `white`, `#FFF`, `rgb(255, 255, 255)`.
fn normal_color(value: &str) -> String {
    let value = value.trim();
    if value.len() > LONGEST_COLOUR {
        return "?".into();
    }
    let value = value.to_ascii_lowercase();
    match value.as_str() {
        "white" => "#ffffff".into(),
        "black" => "#000000".into(),
        v if v.starts_with('#') && v.len() == 4 && v.is_ascii() => {
            v.chars().flat_map(|c| std::iter::repeat_n(c, if c == '#' { 1 } else { 2 })).collect()
        }
        v if v.starts_with("rgb(") => {
            let parts: Vec<u8> = v[4..].trim_end_matches(')').split(',').filter_map(|p| p.trim().parse().ok()).collect();
            parts.iter().fold(String::from("#"), |hex, p| format!("{hex}{p:02x}"))
        }
        "transparent" | "none" | "inherit" | "initial" => "?".into(),
        v => v.to_owned(),
    }
}
