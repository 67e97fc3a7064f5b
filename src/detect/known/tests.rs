use super::*;
use crate::{
    detect::{Confidence, RuleSet},
    extract::{Extraction, Places, Source, Text},
    fault::{Faults, Files},
};

const KEY: &str = "0123456789abcdef0123456789abcdef";

fn key() -> Arc<KnownKey> {
    Arc::new(KnownKey::parse(KEY).unwrap())
}

fn table(columns: &[&str], rows: &[&[&str]]) -> String {
    let key = key();
    let names: Vec<String> = columns.iter().map(|c| (*c).to_owned()).collect();
    let mut builder = Builder::new(&key, &names).unwrap();
    for row in rows {
        assert!(matches!(builder.row(row), Row::Taken(_)), "{row:?}");
    }
    let mut out = Vec::new();
    builder.write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// A rule over a table, and what is told about it.
fn rule(known: &str, table: &str, key: Option<&Arc<KnownKey>>) -> (RuleSet, Vec<String>) {
    let rule = format!("[rule]\nname = \"x\"\ntitle = \"X\"\nknown = {known}\n");
    let files = Files::from([("rules/x.toml".to_owned(), rule), ("rules/lists/x.edm".to_owned(), table.to_owned())]);
    let faults = Faults::default();
    let rules = RuleSet::compile_with(&files, key, &faults);
    (rules, faults.take().iter().map(ToString::to_string).collect())
}

fn found(rules: &RuleSet, body: &str) -> Vec<String> {
    let text = Text { part: "text".to_owned(), source: Source::Body, text: body.to_owned(), places: Places::Lines, spans: Vec::new() };
    let findings = rules.find(&Extraction { texts: vec![text], ..Extraction::default() }).findings;
    assert!(findings.iter().all(|f| f.confidence == Confidence::High && f.kind == "known"));
    findings.iter().map(|f| body.chars().skip(f.start.unwrap()).take(f.end.unwrap() - f.start.unwrap()).collect()).collect()
}

#[test]
fn known_numbers_are_found_in_every_spelling_and_no_others() {
    let table = table(&["bsn", "dossier"], &[&["111222333", "ZA-2027/12"], &["100000009", "ZA-2027/13"]]);
    let (rules, faults) = rule("{ file = \"lists/x.edm\", column = \"bsn\" }", &table, Some(&key()));
    assert_eq!(faults, Vec::<String>::new());
    let body = "111.222.333, 100 000 009 en 111222334; 1112223330 ZA-2027/12 BSN100000009 100\t000\t009";
    assert_eq!(found(&rules, body), ["111.222.333", "100 000 009", "100000009"]);
    let (rules, _) = rule("{ file = \"lists/x.edm\", column = \"dossier\" }", &table, Some(&key()));
    assert_eq!(found(&rules, "za 2027-12, ZA-2027/14, ZA-2027/13."), ["za 2027-12", "ZA-2027/13"]);
}

#[test]
fn several_columns_must_be_of_one_row_and_near() {
    let rows: [&[&str]; 3] = [&["De Vries", "01-02-1970"], &["Jansen", "03-04-1980"], &["Jansen", "05-06-1990"]];
    let (rules, faults) = rule(
        "{ file = \"lists/x.edm\", column = [\"naam\", \"geboren\"], within = 30 }",
        &table(&["naam", "geboren"], &rows),
        Some(&key()),
    );
    assert_eq!(faults, Vec::<String>::new());
    assert_eq!(found(&rules, "mevrouw de vries, geboren 01.02.1970"), ["de vries, geboren 01.02.1970"]);
    assert_eq!(found(&rules, "05-06-1990: Jánsen"), ["05-06-1990: Jánsen"]);
    assert_eq!(found(&rules, "De Vries en Jansen, 03-04-1980"), ["Jansen, 03-04-1980"]);
    assert!(found(&rules, "De Vries, geboren 03-04-1980").is_empty(), "of two rows");
    assert!(found(&rules, &format!("Jansen {} 03-04-1980", ".".repeat(40))).is_empty(), "far away");
}

#[test]
fn a_table_tells_nothing_and_fits_its_key_only() {
    let table = table(&["bsn"], &[&["111222333"], &["100000009"]]);
    assert!(!table.contains("111222333") && table.lines().count() == 5);
    let other = Arc::new(KnownKey::parse(&KEY.replace('0', "1")).unwrap());
    let with = |table: &str, key: Option<&Arc<KnownKey>>| rule("{ file = \"lists/x.edm\", column = \"bsm\" }", table, key).1;
    assert_eq!(
        with(&table, Some(&other)),
        ["rules/lists/x.edm:2: this table was made with another key; name the key it was made with, or make it again"]
    );
    assert_eq!(with(&table, Some(&key())), ["rules/x.toml:4: the table has no column \"bsm\"; did you mean \"bsn\"?"]);
    assert_eq!(with(&table, None).len(), 1);
    assert_eq!(
        with("bsn\n111222333\n", Some(&key())),
        ["rules/lists/x.edm:1: this is no table of known values; make it again with `zegel edm build`"]
    );
    let cut = &table[..table.len() - 5];
    assert_eq!(with(cut, Some(&key())), ["rules/lists/x.edm:5: the table is damaged here; make it again with `zegel edm build`"]);
    assert!(KnownKey::parse("short").is_err());
}

#[test]
fn values_that_stand_everywhere_are_refused() {
    let key = key();
    let mut builder = Builder::new(&key, &["naam".to_owned()]).unwrap();
    assert_eq!(
        builder.row(&["O"]).to_string(),
        "the value of \"naam\" has fewer than three letters or digits: it would be found everywhere"
    );
    assert_eq!(builder.row(&[""]), Row::Taken(0));
    let (_, faults) = rule("{ file = \"lists/x.edm\", column = \"naam\" }", &table(&["naam"], &[&["Bos"]]), Some(&key));
    let expected = "rules/x.toml:4: \"naam\" has values of fewer than six letters or digits, which stand in mails by chance; \
        name another column as well: column = [\"achternaam\", \"geboortedatum\"]";
    assert_eq!(faults, [expected]);
}
