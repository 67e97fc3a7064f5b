//! The built-in rules over any text.

use std::sync::LazyLock;
use zegel::{
    detect::{Finding, RuleSet},
    extract::{Extraction, Places, Source, Text},
};

static RULES: LazyLock<RuleSet> = LazyLock::new(RuleSet::embedded);

const SOURCES: [(Source, &str); 5] = [
    (Source::Body, "text"),
    (Source::Subject, "subject"),
    (Source::Attachment, "attachment \"a.csv\""),
    (Source::FileName, "attachment \"a.csv\""),
    (Source::Properties, "attachment \"a.docx\""),
];

/// Texts, a NUL between them: the body first, then a subject, an attachment, its name, properties. What is found lies where it is said to lie,
/// is found again, and is told without its digits.
pub fn detect(octets: &[u8]) {
    let whole = String::from_utf8_lossy(octets);
    let texts = whole.splitn(SOURCES.len(), '\0').zip(SOURCES).map(|(text, (source, part))| Text {
        part: part.into(),
        source,
        text: text.into(),
        places: Places::Lines,
        spans: Vec::new(),
    });
    let extraction = Extraction { headers: vec![("Subject".into(), "x".into())], texts: texts.collect(), ..Extraction::default() };
    let findings = RULES.find(&extraction).findings;
    assert_eq!(format!("{findings:?}"), format!("{:?}", RULES.find(&extraction).findings), "found otherwise the second time");
    findings.iter().for_each(|finding| is_masked(finding, &extraction));
    for text in &extraction.texts {
        is_stripped(&text.text);
    }
}

fn is_masked(finding: &Finding, extraction: &Extraction) {
    let (Some(start), Some(end)) = (finding.start, finding.end) else { return };
    let text = extraction.texts.iter().find(|t| t.source == finding.source).expect("it is found in one of the texts");
    assert!(start < end && end <= text.text.chars().count(), "{finding:?} in {:?}", text.text);
    let line = 1 + text.text.chars().take(start).filter(|c| *c == '\n').count();
    assert_eq!(finding.place, Some(format!("line {line}")));
    let digits: String = text.text.chars().skip(start).take(end - start).filter(char::is_ascii_digit).collect();
    if digits.len() > 4 {
        let told = format!("{} {}", finding.masked, finding.why.join(" "));
        let told: String = told.chars().filter(char::is_ascii_digit).collect();
        assert!(!told.contains(&digits), "{finding:?} tells {digits}");
    }
    assert!(finding.masked.chars().filter(|c| c.is_ascii_digit()).count() <= 4, "{finding:?}");
}

/// Taking triggers out takes out, and adds nothing.
fn is_stripped(text: &str) {
    for stripped in [RULES.strip_text(text), RULES.strip_html(text), RULES.strip_subject(text)] {
        let mut rest = text.chars();
        assert!(stripped.chars().all(|c| rest.any(|other| other == c)), "{stripped:?} out of {text:?}");
    }
}
