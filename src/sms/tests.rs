use super::*;
use crate::fault::Faults;

#[tokio::test]
async fn the_file_has_a_line_of_json_per_sms() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sms.jsonl");
    let sender = Sender::file(path.clone());
    let number = PhoneNumber::parse("0612345678").unwrap();
    let text = Secret::new("042815 is uw code\n\n@voorbeeld.example #042815".to_owned());
    for _ in 0..2 {
        let sms = Sms { to: &number, text: &text, reference: Id([1; 16]), portal: "https://x", lifetime: WAIT };
        assert_eq!(sender.send(&sms, Time::from_millis(0)).await, Ok(Sent::Surely));
    }
    let lines = std::fs::read_to_string(path).unwrap();
    let lines: Vec<serde_json::Value> = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1], serde_json::json!({"to": "+31612345678", "text": text.expose(), "at": "1970-01-01T00:00:00Z"}));
}

#[test]
fn the_providers_of_the_repository_have_no_fault_and_none_is_forgotten() {
    let faults = Faults::default();
    for (name, text) in EMBEDDED {
        assert!(Provider::read(name, name, text, &faults).is_some(), "{:?}", faults.take());
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("sms");
    let mut there: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    there.sort();
    assert_eq!(there, EMBEDDED.iter().map(|(name, _)| format!("{name}.toml")).collect::<Vec<_>>());
}

#[test]
fn later_is_a_full_minute_that_a_clock_shows() {
    let at = |seconds: u64| Time::from_millis(0).plus(Duration::from_secs(seconds));
    assert_eq!(later(None, at(0)), SmsError::Later(at(60)));
    assert_eq!(later(None, at(1)), SmsError::Later(at(120)));
    assert_eq!(later(Some(at(5)), at(1)), SmsError::Later(at(120)));
    assert_eq!(later(Some(at(600)), at(1)), SmsError::Later(at(600)));
}

#[test]
fn the_alarm_is_at_its_share_of_the_day() {
    assert_eq!(Limits::default().alarm_at, 800);
    assert_eq!(Limits::new(Countries::default(), 1, 80).alarm_at, 1);
}

#[test]
fn the_example_of_the_manual_has_no_fault() {
    let faults = Faults::default();
    let manual = include_str!("../../docs/sms.md");
    let example = manual.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(Provider::read("mine", "sms/mine.toml", example, &faults).is_some(), "{:?}", faults.take());
}
