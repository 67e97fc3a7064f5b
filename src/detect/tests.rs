use super::{
    finding::{mask_number, mask_word},
    *,
};
use crate::extract::{Cell, Places, Source, Span, Text};
use std::sync::LazyLock;

static BUILT_IN: LazyLock<RuleSet> = LazyLock::new(RuleSet::embedded);

fn text(source: Source, text: &str) -> Text {
    Text { part: "text".to_owned(), source, text: text.to_owned(), places: Places::Lines, spans: Vec::new() }
}

fn mail(texts: Vec<Text>) -> Extraction {
    Extraction { texts, ..Extraction::default() }
}

/// What is found in a body: the rule, how sure, and the text it stands on, taken out by its code points.
fn found(rules: &RuleSet, body: &str) -> Vec<(String, Confidence, String)> {
    let findings = rules.find(&mail(vec![text(Source::Body, body)])).findings;
    let stretch = |f: &Finding| body.chars().skip(f.start.unwrap()).take(f.end.unwrap() - f.start.unwrap()).collect();
    findings.iter().map(|f| (f.rule.to_string(), f.confidence, stretch(f))).collect()
}

fn bsns(body: &str) -> Vec<(Confidence, String)> {
    found(&BUILT_IN, body).into_iter().filter(|f| f.0 == "bsn").map(|f| (f.1, f.2)).collect()
}

#[track_caller]
fn check(body: &str, expected: &[(Confidence, &str)]) {
    let expected: Vec<(Confidence, String)> = expected.iter().map(|(c, t)| (*c, (*t).to_owned())).collect();
    assert_eq!(bsns(body), expected, "{body:?}");
}

use Confidence::{High, Low, Medium};

/// Rules of one file and its lists, with whatever faults they have.
fn compile(files: &[(&str, &str)]) -> (RuleSet, Vec<String>) {
    let faults = Faults::default();
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let rules = RuleSet::compile(&files, &faults);
    (rules, faults.take().iter().map(ToString::to_string).collect())
}

#[test]
fn the_built_in_rules_are_faultless_and_keep_their_own_promises() {
    let faults = Faults::default();
    let rules = RuleSet::compile(&embedded::files(), &faults);
    rules.check_examples(&faults);
    let faults: Vec<String> = faults.take().iter().map(ToString::to_string).collect();
    assert_eq!(faults, Vec::<String>::new());
    assert!(rules.gaps().iter().all(|gap| gap.missed));
}

#[test]
fn every_built_in_file_of_the_repository_is_in_the_program() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let names = |folder: &str| {
        let entries = std::fs::read_dir(root.join(folder)).unwrap();
        entries
            .map(|e| e.unwrap())
            .filter(|e| e.path().is_file())
            .map(|e| format!("{folder}/{}", e.file_name().display()))
            .collect::<Vec<_>>()
    };
    let mut there = [names("rules"), names("rules/lists")].concat();
    there.sort();
    assert_eq!(EMBEDDED.iter().map(|(name, _)| *name).collect::<Vec<_>>(), there);
}

#[test]
fn the_nearest_label_wins_on_either_side() {
    check("order 123456782, BSN 111222333", &[(High, "111222333")]);
    check("BSN 111222333, order 123456782", &[(High, "111222333")]);
    check("111222333 (BSN), 123456782 (ordernummer)", &[(High, "111222333")]);
    check("111222333 is het BSN", &[(High, "111222333")]);
    check("ordernummer onbekend; het BSN van deze cliënt is 111222333", &[(High, "111222333")]);
    check("Zijn BSN ken ik niet, het factuurnummer wel: 123456782", &[]);
    check("BSN cliënt is 111222333. Tel: 0612345678", &[(High, "111222333")]);
    check("BSN\n111222333\nKenmerk volgt nog", &[(High, "111222333")]);
    check("polishouder BSN 111222333", &[(High, "111222333")]);
    check("BSN polishouder 111222333", &[(High, "111222333")]);
}

#[test]
fn a_label_goes_on_along_an_enumeration() {
    let all: Vec<String> = [123_456_782, 111_222_333, 100_000_009, 999_990_019].iter().map(ToString::to_string).cycle().take(40).collect();
    for join in [", ", "\n", " en ", "; ", " "] {
        let body = format!("De BSN's zijn: {}", all.join(join));
        assert_eq!(bsns(&body).iter().filter(|b| b.0 == High).count(), 40, "{join:?}");
    }
    check(&format!("Facturen {}", all.join(", ")), &[]);
}

#[test]
fn a_person_near_makes_it_probable() {
    check("Mevrouw De Vries, 111222333", &[(Medium, "111222333")]);
    check("mevrouw de vries, 111222333", &[(Low, "111222333")]);
    check("111222333 geboren te Ede", &[(Medium, "111222333")]);
    check("111222333 17 oktober 1953", &[(Medium, "111222333")]);
    check("patiënt https://ziekenhuis.example/d/111222333/x", &[(Low, "111222333")]);
    check(&format!("patiënt {} 111222333", "x".repeat(80)), &[(Low, "111222333")]);
}

#[test]
fn columns_are_labelled_by_their_header() {
    let rows = "111222333,1,123456782\n100000009,2,999990019\n";
    for separator in [",", ";", "\t", "|", " | ", "   "] {
        let body = format!("bsn,rij,klantnummer\n{rows}").replace(',', separator);
        check(&body, &[(High, "111222333"), (High, "100000009")]);
    }
    let far = format!("Naam;BSN;Opmerking\n{}Laatste;111222333;geen\n", "A. Voorbeeld;onbekend;geen\n".repeat(200));
    check(&far, &[(High, "111222333")]);
    check("\"Naam, voluit\",\"BSN\"\n\"Voorbeeld, A.\",\"111222333\"\n", &[(High, "111222333")]);
    // The label of the last column says nothing about the first cell of the next row.
    check("Nummer\tBSN\n123456782\t\n", &[(Low, "123456782")]);
    // A table ends with its last row.
    check("Zaaknummer;Naam\n1;A. Voorbeeld, al jaren wonende aan de Dorpsstraat te Ede\n\n111222333;B\n", &[(Low, "111222333")]);
    check("| Naam | BSN |\n|---|---|\n| A | 111222333 |\n", &[(High, "111222333")]);
}

#[test]
fn keys_label_their_values() {
    let attributes = "x=\"y\" ".repeat(30);
    check(&format!("<bsn {attributes}>111222333</bsn>"), &[(High, "111222333")]);
    check("{\"rsin\": \"111222333\", \"bsn\": 123456782}", &[(High, "123456782")]);
    check("{\"persoonBsn\":\"111222333\",\"zaakNummer\":\"123456782\"}", &[(High, "111222333")]);
    check("https://x.example/?burgerservicenummer=111222333&rsin=123456782", &[(High, "111222333")]);
    check("PID|||111222333^^^NLMINBIZA^NNNLD||Voorbeeld^A", &[(High, "111222333")]);
    check("<id root=\"2.16.840.1.113883.2.4.6.3\" extension=\"111222333\"/>", &[(High, "111222333")]);
    check("\"identifier\":[{\"system\":\"http://fhir.nl/fhir/NamingSystem/bsn\",\"value\":\"111222333\"}]", &[(High, "111222333")]);
}

/// A sheet: rows of cells, as extraction gives them.
fn sheet(rows: &[&[&str]]) -> Text {
    let (mut all, mut starts) = (String::new(), Vec::new());
    for (row, cells) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(*cells) {
            if cell.is_empty() {
                continue;
            }
            if !all.is_empty() && !all.ends_with('\n') {
                all.push('\t');
            }
            starts.push((all.len(), Cell { sheet: 1, row, column }));
            all.push_str(cell);
        }
        all.push('\n');
    }
    Text {
        part: "attachment \"x.xlsx\"".to_owned(),
        source: Source::Attachment,
        text: all,
        places: Places::Cells(starts),
        spans: Vec::new(),
    }
}

#[test]
fn sheets_are_read_by_column() {
    let sheet = sheet(&[
        &["Overzicht cliënten"],
        &["Naam", "BSN", "Zaaknummer"],
        &["A. Voorbeeld", "111222333", "123456782"],
        &["B. Voorbeeld", "", "100000009"], // two cells are one tab apart however far they lie
        &["C. Voorbeeld", "10000008\u{1f}010000008", "x"],
    ]);
    let findings = BUILT_IN.find(&mail(vec![sheet])).findings;
    let told: Vec<_> = findings.iter().map(|f| (f.place.as_deref().unwrap(), f.confidence, f.masked.as_str(), f.why[0].as_str())).collect();
    let why = "column header \"bsn\"";
    assert_eq!(told, [("sheet 1, B3", High, "•••••2333", why), ("sheet 1, B5", High, "••••0008", why)]);
}

#[test]
fn a_padded_number_needs_a_label() {
    for (label, expected) in [("", 0), ("BSN ", 1)] {
        let mut text = text(Source::Attachment, &format!("Mevrouw Voorbeeld {label}010000008"));
        text.spans = vec![(text.text.len() - 9..text.text.len(), Span::Padded)];
        assert_eq!(BUILT_IN.find(&mail(vec![text])).findings.len(), expected);
    }
}

#[test]
fn an_iban_takes_its_digits_whole() {
    let found = found(&BUILT_IN, "BSN of IBAN: BE68 5390 0754 7034, NO93 8601 1117 947 en NL91ABNA0417164300.");
    let ibans: Vec<_> = found.iter().map(|f| (f.0.as_str(), f.1, f.2.as_str())).collect();
    let expected = ["BE68 5390 0754 7034", "NO93 8601 1117 947", "NL91ABNA0417164300"];
    assert_eq!(ibans, expected.map(|iban| ("iban", High, iban)));
}

#[test]
fn positions_count_code_points_and_lines_of_the_text_as_it_came() {
    let findings =
        BUILT_IN.find(&mail(vec![text(Source::Body, "👩‍⚕️ é\r\n\u{feff}BSN\u{a0}111\u{ad}222\u{ad}333 ✓\nBSN 100000009")])).findings;
    let told: Vec<_> = findings.iter().map(|f| (f.start, f.end, f.place.as_deref(), f.masked.as_str())).collect();
    assert_eq!(told, [(Some(13), Some(24), Some("line 2"), "•••••2333"), (Some(31), Some(40), Some("line 3"), "•••••0009")]);
}

#[test]
fn a_trigger_counts_where_the_rule_says() {
    let trigger =
        |source, body: &str| BUILT_IN.find(&mail(vec![text(source, body)])).findings.iter().any(|f| &*f.rule == "activation-word");
    for subject in [
        "#veilig Uw dossier",
        "RE: fw: [Beveiligd] Uw dossier",
        "Uw dossier #VEILIG",
        "Uw dossier #veilig 06-12345678",
        "#veilig 061234567",
    ] {
        assert!(trigger(Source::Subject, subject), "{subject}");
    }
    for subject in ["Hoe werkt #veilig eigenlijk?", "veilig mailen", "#veiligheid eerst", "info#veilig", ""] {
        assert!(!trigger(Source::Subject, subject), "{subject}");
    }
    assert!(trigger(Source::Body, "\r\n  #veilig\r\nGeachte heer"));
    assert!(!trigger(Source::Body, "Geachte heer,\n#veilig"));
    assert!(!trigger(Source::Attachment, "#veilig"));
}

#[test]
fn the_number_behind_a_trigger_is_the_recipients() {
    let phone = |subject: &str| {
        let findings = BUILT_IN.find(&mail(vec![text(Source::Subject, subject)])).findings;
        findings.iter().find_map(|f| f.phone.as_ref().map(|p| p.expose().to_owned()))
    };
    let number = Some("+31612345678".to_owned());
    for subject in
        ["#veilig 0612345678 Uw dossier", "#veilig: 06-12 34 56 78 2 dossiers", "Dossier #veilig +31 6 12345678", "#veilig(0612345678)"]
    {
        assert_eq!(phone(subject), number, "{subject}");
    }
    assert_eq!(phone("#veilig 061234567 Uw dossier"), None);
    assert_eq!(phone("#veilig 2026 begroting"), None);
}

#[test]
fn triggers_and_numbers_are_taken_out() {
    let subject = |subject: &str, expected: &str| assert_eq!(BUILT_IN.strip_subject(subject), expected);
    subject("[beveiligd] Uw dossier", "Uw dossier");
    subject("Uw dossier #veilig 0612345678", "Uw dossier");
    subject("RE: #veilig 061234567 Uw dossier", "RE: Uw dossier");
    subject("#veilig: Uw dossier", "Uw dossier");
    subject("Hoe werkt  #veilig eigenlijk?", "Hoe werkt  #veilig eigenlijk?");
    subject("#veilig", "");
    let body = |body: &str, expected: &str| assert_eq!(BUILT_IN.strip_text(body), expected);
    body("#veilig 0612345678\r\nGeachte heer,\n#veilig", "Geachte heer,\n#veilig");
    body("\n#veilig Geachte heer,\n", "\nGeachte heer,\n");
    body("Geachte heer", "Geachte heer");
    let html = |html: &str, expected: &str| assert_eq!(BUILT_IN.strip_html(html), expected);
    html(
        "<html><head><title>#veilig</title></head><body><p>#<b>vei</b>lig 0612345678</p><p>#veilig</p>",
        "<html><head><title>#veilig</title></head><body><p><b></b></p><p>#veilig</p>",
    );
    html("<!-- x --><div><span>&#91;beveiligd&#93;</span>&nbsp;Geachte</div>", "<!-- x --><div><span></span>&nbsp;Geachte</div>");
    html("<p>Geachte</p><p>#veilig</p>", "<p>Geachte</p><p>#veilig</p>");
    html("<p", "<p");
}

#[test]
fn words_are_whole_and_lists_know_their_exceptions() {
    let rule = "[rule]\nname = \"x\"\ntitle = \"X\"\nlist = [\"a\", \"b\"]\n[lists]\na = { file = \"lists/a.txt\" }\nb = { words = [\"SOA\", \"café\"], match = \"exact\" }\n";
    let list = "# eigen lijst\nhart falen\nbloed  # en verder niets\n-bloed geven\nkanker\n";
    let (rules, faults) = compile(&[("rules/x.toml", rule), ("rules/lists/a.txt", list)]);
    assert_eq!(faults, Vec::<String>::new());
    let words = |body: &str| found(&rules, body).into_iter().map(|f| f.2).collect::<Vec<_>>();
    assert_eq!(words("Hart\nfalen, HARTFALEN, Kánker. kankers bloed? Bloed geven bloedig"), ["Hart\nfalen", "Kánker", "bloed"]);
    assert_eq!(words("SOA soa café Café cafe cafe\u{301}"), ["SOA", "café", "cafe\u{301}"]);
}

#[test]
fn headers_are_compared_and_searched() {
    let label = "[rule]\nname = \"l\"\ntitle = \"L\"\nheader = [{ name = \"msip_labels\", has = \"MSIP_Label_40e8_Enabled=True\" }]\n";
    let text = "[rule]\nname = \"t\"\ntitle = \"T\"\ntext = \"TLP:RED\"\ncase = \"exact\"\nwhere = \"headers\"\n";
    let (rules, faults) = compile(&[("rules/l.toml", label), ("rules/t.toml", text)]);
    assert_eq!(faults, Vec::<String>::new());
    let header = |name: &str, value: &str| {
        let headers = vec![(name.to_owned(), value.to_owned())];
        let findings = rules.find(&Extraction { headers, ..Extraction::default() }).findings;
        findings.iter().map(|f| (f.rule.to_string(), f.kind, f.part.clone())).collect::<Vec<_>>()
    };
    assert_eq!(header("MSIP_Labels", "a=b; MSIP_Label_40E8_Enabled=true; c"), [("l".into(), "header", "header \"MSIP_Labels\"".into())]);
    assert_eq!(header("Keywords", "verslag, TLP:RED"), [("t".into(), "text", "header \"Keywords\"".into())]);
    assert_eq!(header("Keywords", "MSIP_Label_40e8_Enabled=True tlp:red"), []);
}

#[test]
fn numbers_of_the_organisation_are_ignored() {
    let rule = "[rule]\nname = \"x\"\ntitle = \"X\"\nfinds = [\"bsn\", \"iban\"]\n[ignore]\nvalues = \"NL91 ABNA 0417 1643 00\"\nfiles = \"lists/eigen.txt\"\n";
    let (rules, faults) = compile(&[("rules/x.toml", rule), ("rules/lists/eigen.txt", "# ons RSIN\n111.222.333\n")]);
    assert_eq!(faults, Vec::<String>::new());
    let found = found(&rules, "111222333 1112.22.333 nl91abna0417164300 100000009");
    assert_eq!(found.into_iter().map(|f| f.2).collect::<Vec<_>>(), ["100000009"]);
}

#[test]
fn every_fault_of_a_rule_is_told_at_once() {
    let rule = "[rule]\nname = \"y\"\nfind = \"bsn\"\nfinds = [\"bns\", \"marking\"]\nwhere = [\"bodi\"]\nwithin = \"far\"\n[context]\nnear = [\"*bsn\"]\nnear_within = \"60\"\n\
        [ignore]\nfiles = [\"lists/geen.txt\"]\n[examples]\nmacth = [\"x\"]\n";
    let (_, faults) = compile(&[("rules/x.toml", rule)]);
    let expected = [
        "rules/x.toml:1: `title` is missing; add a line such as `title = \"Burgerservicenummer\"`",
        "rules/x.toml:2: the rule is called `y` but its file `x.toml`; give both the same name",
        "rules/x.toml:3: unknown word `find`; did you mean `finds`?",
        "rules/x.toml:4: \"marking\" is no type; write a rule with `list` or `text`",
        "rules/x.toml:4: unknown type \"bns\"; did you mean \"bsn\"?",
        "rules/x.toml:5: unknown place \"bodi\"; did you mean \"body\"?",
        "rules/x.toml:6: `within` can't be \"far\"; write a number of characters, \"document\" or \"mail\"",
        "rules/x.toml:8: `*bsn` has its `*` in the wrong place; put one `*` at the end, behind two letters or more",
        "rules/x.toml:9: `60` is no distance; write \"60 before, 40 after\", each at most 1000",
        "rules/x.toml:11: there is no file rules/lists/geen.txt; correct the name (it is relative to rules/) or add the file",
        "rules/x.toml:13: unknown word `macth`; did you mean `match`?",
    ];
    assert_eq!(faults, expected);
}

/// The faults of one rule, which has its name and title.
fn faults_of(rule: &str) -> Vec<String> {
    compile(&[("rules/x.toml", &format!("[rule]\nname = \"x\"\ntitle = \"X\"\n{rule}"))]).1
}

#[test]
fn every_mistake_in_conditions_is_told() {
    let check = |rule: &str, expected: &[&str]| assert_eq!(faults_of(rule), expected, "{rule}");
    check("", &["rules/x.toml:1: nothing is looked for here; add one of finds, word, list, text, header, pattern, known, all, any, rule"]);
    check(
        "finds = \"bsn\"\nword = \"x\"\n",
        &[
            "rules/x.toml:1: `finds` and `word` stand side by side; write `all = [{ finds = .. }, { word = .. }]` if both must be there, `any = [..]` if one is enough",
        ],
    );
    check(
        "within = 0\nall = [{ rule = \"y\", confidence = \"hihg\" },\n{ word = \"a\", finds = \"bsn\" },\n{ wrd = \"x\" }, { distinct = 2, any = [] }]\nunless = [{ all = [{ word = \"a\" }], distinct = 3 }]\n",
        &[
            "rules/x.toml:4: `within = 0` is not between 1 and 100000; write a number of characters: within = 300",
            "rules/x.toml:5: there is no rule \"y\"; add rules/y.toml, or name one of: x",
            "rules/x.toml:5: unknown confidence \"hihg\"; did you mean \"high\"?",
            "rules/x.toml:6: `finds` and `word` stand side by side; write `all = [{ finds = .. }, { word = .. }]` if both must be there, `any = [..]` if one is enough",
            "rules/x.toml:7: `any` is empty; write `any = [{ rule = \"bsn\" }, { word = \"x\" }]`",
            "rules/x.toml:7: nothing is looked for here; add one of finds, word, list, text, header, pattern, known, all, any, rule",
            "rules/x.toml:7: unknown word `wrd`; did you mean `word`?",
            "rules/x.toml:8: `distinct` beside `all`; put it into the condition whose different values count: { list = \"x\", distinct = 2 }",
        ],
    );
    check(
        "any = [{ finds = \"bsn\", distinct = 1 }, { list = \"b\" }]\n[lists]\na = { words = [\"x\"] }\n",
        &[
            "rules/x.toml:4: `distinct = 1` is not between 2 and 10000; write a number of different values: distinct = 5",
            "rules/x.toml:4: there is no list `b`; describe it in `[lists]`: `b = { file = \"lists/b.txt\" }`",
            "rules/x.toml:6: the list `a` is not used; name it in `list` or leave it out",
        ],
    );
    check(
        "word = \"x\"\n[lists]\na = { words = [\"x\"] }\n",
        &["rules/x.toml:5: `[lists]` is not used; name its lists in `list = [...]` or leave it out"],
    );
    check("all = [{ word = \"x\" }]\n[context]\n", &["rules/x.toml:5: `[context]` belongs to a rule that finds numbers; leave it out"]);
    let deep = format!("{}{{ word = \"x\" }}{}", "{ any = [".repeat(20), "] }".repeat(20));
    check(
        &format!("any = [{deep}]\n"),
        &["rules/x.toml:4: conditions stand in one another more than 8 deep; make a rule of the inner ones and name it: { rule = \"x\" }"],
    );
}

#[test]
fn rules_that_wait_for_each_other_are_told_with_the_chain() {
    let rule = |name: &str, of: &str| format!("[rule]\nname = \"{name}\"\ntitle = \"T\"\n{of}\n");
    let files = [
        ("rules/a.toml", rule("a", "all = [{ word = \"x\" }, { rule = \"b\" }]")),
        ("rules/b.toml", rule("b", "rule = \"c\"\nunless = { word = \"y\" }")),
        ("rules/c.toml", rule("c", "word = \"z\"\nunless = { any = [{ rule = \"a\" }] }")),
        ("rules/d.toml", rule("d", "rule = \"d\"")),
        ("rules/e.toml", rule("e", "rule = [\"a\", \"d\"]")),
    ];
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let expected = [
        "rules/a.toml:1: the rule waits for itself: a -> b -> c -> a; take one of these names out of `rule`",
        "rules/d.toml:1: the rule waits for itself: d -> d; take one of these names out of `rule`",
    ];
    assert_eq!(compile(&files).1, expected);
}

/// Rules that show the language, each with its examples: adding a case is adding a file to tests/rules.
#[test]
fn every_rule_of_the_tests_keeps_its_promises() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut files = Files::new();
    for folder in ["rules", "rules/lists"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap().map(|e| e.unwrap()).filter(|e| e.path().is_file()) {
            files.insert(format!("{folder}/{}", entry.file_name().display()), std::fs::read_to_string(entry.path()).unwrap());
        }
    }
    let faults = Faults::default();
    let rules = RuleSet::compile(&files, &faults);
    rules.check_examples(&faults);
    let told: Vec<String> = faults.take().iter().map(ToString::to_string).collect();
    assert!(told.is_empty() && rules.rules().len() > 8, "{}", told.join("\n"));
}

#[test]
fn an_example_that_fails_is_a_fault_at_its_line() {
    let rule = "[rule]\nname = \"x\"\ntitle = \"X\"\nfinds = \"bsn\"\n[examples]\nhigh = [\"111222333\",\n\"niets\"]\npass = [\"100000009\"]\ngap = [\"111222333\"]\n\
        mail = [{ subject = \"x\", expect = { match = true, subject = \"y\" } }]\n";
    let (rules, faults) = compile(&[("rules/x.toml", rule), ("rules/y.toml", "[rule]\nname = \"y\"\ntitle = \"Y\"\nword = \"w\"\n")]);
    assert_eq!(faults, Vec::<String>::new());
    let faults = Faults::default();
    rules.check_examples(&faults);
    let faults: Vec<String> = faults.take().iter().map(ToString::to_string).collect();
    let expected = [
        "rules/x.toml:6: \"111222333\" is found with confidence low, not high; correct the rule or the example",
        "rules/x.toml:7: \"niets\" is not found; correct the rule or the example",
        "rules/x.toml:8: \"100000009\" is found, with confidence low; correct the rule or the example",
        "rules/x.toml:10: the subject becomes \"x\", not \"y\"; correct the rule or the example",
        "rules/x.toml:10: this mail is not found; correct the rule or the example",
        "rules/y.toml:1: the rule has no example that must match; add one under `[examples]`, as `match = [\"...\"]`",
        "rules/y.toml:1: the rule has no example that must pass; add one under `[examples]`, as `pass = [\"...\"]`",
    ];
    assert_eq!(faults, expected);
    assert!(!rules.gaps()[0].missed);
}

#[test]
fn findings_are_bounded_and_the_surest_is_never_left_out() {
    let body = format!("{}\n\nBSN 111222333", "100000009\n\n.\n".repeat(10_050));
    let findings = BUILT_IN.find(&mail(vec![text(Source::Body, &body)])).findings;
    assert_eq!(findings.len(), 10_002);
    assert!(findings[9_999].why.iter().all(|w| w != "10 000 or more"));
    assert_eq!(findings[10_000].why.last().unwrap(), "10 000 or more");
    assert_eq!((findings[10_001].confidence, findings[10_001].masked.as_str()), (High, "•••••2333"));
}

#[test]
fn a_condition_holds_for_what_was_found_too_often_to_be_kept() {
    let rule = "[rule]\nname = \"x\"\ntitle = \"X\"\nwithin = 20\nall = [{ word = \"aap\" }, { word = \"noot\" }]\n";
    let (rules, faults) = compile(&[("rules/x.toml", rule)]);
    assert_eq!(faults, Vec::<String>::new());
    let many = "aap zit hier alleen\n".repeat(10_050);
    assert_eq!(rules.find(&mail(vec![text(Source::Body, &many)])).findings.len(), 0);
    let near = format!("{many} noot, aap");
    let findings = rules.find(&mail(vec![text(Source::Body, &near)])).findings;
    assert_eq!(findings.iter().map(|f| f.kind).collect::<Vec<_>>(), ["composite"]);
    assert!(findings[0].why.iter().any(|why| why == "more than is kept"), "{:?}", findings[0].why);
}

#[test]
fn parts_of_a_condition_are_told_masked_and_in_their_places() {
    let rule = "[rule]\nname = \"x\"\ntitle = \"X\"\nall = [{ word = \"dementie\" }, { finds = \"iban\" }]\n";
    let (rules, _) = compile(&[("rules/x.toml", rule)]);
    let both = mail(vec![text(Source::Subject, "Dementie"), text(Source::Body, "é\nNL91 ABNA 0417 1643 00")]);
    let findings = rules.find(&both).findings;
    // Part of it stands in the subject, so no subject is shown.
    assert!(findings.len() == 2 && findings.iter().all(|f| f.source == Source::Subject && f.start.is_none() && f.confidence == High));
    let expected = ["all 2 parts in the mail", "word (high) in text, line 1: D•••••••", "iban (high) in text, line 2: ••••••••••••••4300"];
    assert_eq!(
        (findings[0].masked.as_str(), findings[0].why.as_slice()),
        ("D••••••• + ••••••••••••••4300", &expected.map(str::to_owned)[..])
    );
    let findings = rules.find(&mail(vec![text(Source::Body, "é dementie: NL91ABNA0417164300")])).findings;
    assert_eq!((findings[0].start, findings[0].end, findings[0].place.as_deref()), (Some(2), Some(30), Some("line 1")));
}

#[test]
fn masks_show_four_characters_or_one_letter() {
    assert_eq!(mask_number("111.222.333"), "•••••2333");
    assert_eq!(mask_number("123"), "123");
    assert_eq!(mask_word("dementie"), "d•••••••");
    assert_eq!(mask_word("#veilig"), "#v•••••");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(500))]

    /// Whatever stands around it, far enough away, a labelled number is found; and no text makes the search fail.
    #[test]
    fn added_text_removes_no_finding(before in "[a-zA-Z0-9 .,;:|\t\n\u{ad}é–\"<>=-]{0,60}", after in "\\PC{0,40}") {
        let body = format!("{before}\n\n. Het BSN: 111.222.333 .\n\n{after}");
        proptest::prop_assert!(bsns(&body).iter().any(|b| b.0 == High && b.1 == "111.222.333"), "{:?}", body);
    }

    /// Every spelling of a number in the same text gives the same finding.
    #[test]
    fn the_spelling_of_a_number_changes_nothing(seed in 1_000_000u32..99_999_999, spelling in 0usize..9) {
        let digits = (0..10).map(|last| format!("{seed:08}{last}")).find(|n| number::eleven(&std::array::from_fn(|i| n.as_bytes()[i] - b'0')));
        let Some(n) = digits else { return Ok(()) };
        let (a, b, c) = (&n[..3], &n[3..6], &n[6..]);
        let written = [
            n.clone(), format!("{a}.{b}.{c}"), format!("{a} {b} {c}"), format!("{a}-{b}-{c}"), format!("{}.{}.{c}", &n[..4], &n[4..6]),
            format!("{a}\u{a0}{b}\u{202f}{c}"), format!("{a}\u{ad}{b}\u{200b}{c}"), n.chars().map(|d| char::from_u32(d as u32 + 0xfee0).unwrap()).collect(),
            format!("{}\n{}", &n[..5], &n[5..]),
        ];
        let body = format!("Cliënt met BSN {} woont hier", written[spelling]);
        proptest::prop_assert_eq!(bsns(&body), vec![(High, written[spelling].clone())]);
    }
}
