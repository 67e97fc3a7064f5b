//! The command line as a user meets it: the program, files, what it prints, how it ends.
//!
//! Adding a case is adding files: `tests/mail/x.eml` with `x.expected` (in a folder with `zegel.toml` that one is used), or a folder `tests/check/x/` with `expected`. Run the tests with
//! `ZEGEL_BLESS=1` to write what is printed now as expected, then read it.

#![allow(clippy::unwrap_used, reason = "a test ends where something unexpected happens")]

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

fn zegel(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zegel"));
    command.args(arguments);
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    zegel(arguments).current_dir(folder).output().unwrap()
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn complaints(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// The entries of a folder of tests, sorted.
fn cases(folder: &str) -> Vec<PathBuf> {
    let mut cases: Vec<_> = fs::read_dir(tests().join(folder)).unwrap().map(|e| e.unwrap().path()).collect();
    cases.sort();
    cases
}

/// Compares with the file `expected`, or writes it.
fn compare(got: &str, expected: &Path, differing: &mut Vec<String>) {
    if std::env::var_os("ZEGEL_BLESS").is_some() {
        fs::write(expected, got).unwrap();
    }
    let wanted = fs::read_to_string(expected).unwrap_or_else(|_| "(there is no such file)\n".to_owned());
    if got != wanted {
        differing.push(format!("{}\n--- expected\n{wanted}--- printed\n{got}", expected.display()));
    }
}

#[test]
fn every_mail_is_found_and_judged_as_its_file_says() {
    let mut differing = Vec::new();
    let mut count = 0;
    let (folders, files): (Vec<_>, Vec<_>) = cases("mail").into_iter().partition(|p| p.is_dir());
    let inside = folders.iter().flat_map(|folder| cases(folder.to_str().unwrap()));
    for mail in files.into_iter().chain(inside).filter(|p| p.extension().is_some_and(|e| e == "eml")) {
        count += 1;
        let (folder, file) = (mail.parent().unwrap(), mail.file_name().unwrap().to_str().unwrap());
        let own: &[&str] = if folder.join("zegel.toml").exists() { &["--config", "zegel.toml"] } else { &[] };
        let output = run(folder, &[&["explain"], own, &[file]].concat());
        assert_eq!(status(&output), 0, "{}: {}", mail.display(), complaints(&output));
        compare(&out(&output), &mail.with_extension("expected"), &mut differing);
    }
    assert!(count > 10 && differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn every_fault_is_told_at_once_with_file_line_and_remedy() {
    let mut differing = Vec::new();
    let mut count = 0;
    for folder in cases("check") {
        count += 1;
        let output = run(&folder, &["check", "--config", "zegel.toml"]);
        assert_eq!((status(&output), complaints(&output)), (1, String::new()), "{}", folder.display());
        for line in out(&output).lines() {
            let (place, rest) = line.split_once(": ").unwrap();
            assert!(place.split_once(':').is_some_and(|(_, n)| n.parse::<usize>().is_ok()) && rest.contains("; "), "{line}");
        }
        compare(&out(&output), &folder.join("expected"), &mut differing);
    }
    assert!(count > 5 && differing.is_empty(), "{}", differing.join("\n"));
}

#[test]
fn the_rules_and_policies_of_the_manual_have_no_fault() {
    for (page, blocks) in [("docs/rules.md", 12), ("docs/policies.md", 5)] {
        the_manual_has_no_fault(page, blocks);
    }
}

/// Each block of a page that begins with the name of a file is that file; all of them are one configuration.
fn the_manual_has_no_fault(page: &str, blocks: usize) {
    let manual = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    fs::copy(tests().join("check/policies/zegel.toml"), folder.path().join("zegel.toml")).unwrap();
    let mut count = 0;
    assert_eq!(manual.matches("```toml\n").count(), manual.matches("```toml\n# ").count(), "each block names its file");
    for block in manual.split("```toml\n# ").skip(1) {
        let (name, text) = block.split("```").next().unwrap().split_once('\n').unwrap();
        fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
        fs::write(folder.path().join(name), text).unwrap();
        count += 1;
    }
    let output = run(folder.path(), &["check", "--config", "zegel.toml"]);
    assert_eq!((status(&output), count), (0, blocks), "{page}: {}", out(&output));
}

/// A configuration with one rule and a key, and a table made of `csv`; what `zegel edm build` said.
fn with_known(csv: &str, columns: &[&str]) -> (tempfile::TempDir, Output) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        fs::create_dir_all(folder.path().join(name).parent().unwrap()).unwrap();
        fs::write(folder.path().join(name), text).unwrap();
    };
    let config = fs::read_to_string(tests().join("check/policies/zegel.toml")).unwrap();
    write("zegel.toml", &format!("{config}\n[detection]\nedm_key = \"keys/edm.key\"\n"));
    write("keys/edm.key", "0123456789abcdef0123456789abcdef\n");
    write("clienten.csv", csv);
    let rule = "[rule]\nname = \"client\"\ntitle = \"Client\"\nknown = { file = \"lists/clienten.edm\", column = [\"Naam\", \"Geboren\"] }\n\
        [examples]\nmatch = [\"Test Persoon, geboren op 1-1-1900\"]\npass = [\"Test Persoon, geboren op 2-1-1900\"]\n";
    write("rules/client.toml", rule);
    write(
        "policies/p.toml",
        "[[policy]]\nname = \"p\"\nwhen = { problem = [\"encrypted\", \"damaged\", \"unsupported\", \"too-deep\", \"too-large\", \"timeout\"], to = \"external\" }\nthen = \"level 1\"\n",
    );
    let names: Vec<&str> = columns.iter().flat_map(|c| ["--column", c]).collect();
    let built = run(folder.path(), &[&["edm", "build", "--key", "keys/edm.key"][..], &names, &["clienten.csv"]].concat());
    write("rules/lists/clienten.edm", &out(&built));
    (folder, built)
}

#[test]
fn a_table_of_known_values_is_made_of_csv_and_used_by_a_rule() {
    let csv = "\u{feff}Naam;Geboren;Opmerking\r\n\"Voorbeeld, A.\";03-04-1956;\"van alles; en\nnog wat\"\r\nTest Persoon;1-1-1900;\r\n";
    let (folder, built) = with_known(csv, &["Naam", "Geboren"]);
    assert_eq!((status(&built), complaints(&built)), (0, "zegel: 4 values of 2 rows\n".to_owned()));
    assert!(!out(&built).contains("Voorbeeld") && !out(&built).contains("1956"));
    let check = run(folder.path(), &["check", "--config", "zegel.toml"]);
    assert_eq!(status(&check), 0, "{}", out(&check));
    fs::write(folder.path().join("mail.txt"), "Betreft: voorbeeld, A. (03.04.1956)").unwrap();
    let found = out(&run(folder.path(), &["explain", "--config", "zegel.toml", "mail.txt"]));
    assert!(found.contains("2 known values of one record") && !found.contains("1956") && !found.contains("voorbeeld, A"), "{found}");
}

#[test]
fn what_is_wrong_in_a_csv_is_told_by_row_and_nothing_is_written() {
    let check = |csv: &str, expected: &[&str]| {
        let (_, built) = with_known(csv, &["Naam", "Geboren"]);
        let expected: String = expected.iter().map(|what| format!("zegel: clienten.csv:{what}\n")).collect();
        assert_eq!((status(&built), out(&built), complaints(&built)), (1, String::new(), expected));
    };
    check("", &["1: the file is empty; its first row must hold the names of the columns"]);
    check("naam,Geboren\nx,y\n", &["1: there is no column \"Naam\"; there are: naam, Geboren"]);
    check(
        "Naam,Geboren\nO,1-1-1970\nJansen,1,2\n\n\"Jansen\n",
        &[
            "2: the value of \"Naam\" has fewer than three letters or digits: it would be found everywhere; correct it or empty it",
            "3: this row has 3 cells, and the first row 2; put quotes around a cell that holds a separator",
            "5: the quotes of this row have no end; close them",
        ],
    );
}

#[test]
fn what_is_built_in_has_no_fault() {
    let output = run(&tests(), &["check"]);
    assert_eq!((status(&output), complaints(&output)), (0, String::new()), "{}", out(&output));
}

#[test]
fn init_makes_a_configuration_that_checks_and_overwrites_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let made = run(folder.path(), &["init", "new/zegel"]);
    assert_eq!(status(&made), 0, "{}", complaints(&made));
    let dir = folder.path().join("new/zegel");
    assert_eq!(fs::metadata(dir.join("keys")).unwrap().permissions().mode() & 0o777, 0o700);
    for name in ["zegel.toml", "rules/bsn.toml", "policies/default.toml", "schema/rule.json", "schema/policy.json", "schema/zegel.json"] {
        assert!(dir.join(name).is_file(), "{name}");
    }
    let check = run(&dir, &["check", "--config", "zegel.toml"]);
    assert_eq!(status(&check), 0, "{}", out(&check));

    fs::write(dir.join("zegel.toml"), "mine").unwrap();
    fs::remove_file(dir.join("policies/default.toml")).unwrap();
    let again = run(folder.path(), &["init", "new/zegel"]);
    assert_eq!(status(&again), 0);
    assert_eq!(fs::read_to_string(dir.join("zegel.toml")).unwrap(), "mine");
    assert!(dir.join("policies/default.toml").is_file());

    fs::write(folder.path().join("file"), "").unwrap();
    assert_eq!(status(&run(folder.path(), &["init", "file"])), 1);
}

/// A bounce that brings back to somebody outside what he wrote.
const BOUNCE: &str = "From: postmaster@gemeente.example\r\nTo: burger@post.example\r\nSubject: Onbestelbaar\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nNiet aangekomen.\r\n--b\r\n\
    Content-Type: message/rfc822\r\n\r\nFrom: burger@post.example\r\nSubject: x\r\n\r\nMijn BSN is 111222333.\r\n--b--\r\n";

#[test]
fn mail_from_the_null_sender_is_explained_as_the_configuration_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let configured = fs::read_to_string(tests().join("check/policies/zegel.toml")).unwrap();
    fs::write(folder.path().join("bounce.eml"), BOUNCE).unwrap();
    for (word, first, passes) in
        [("", "", true), ("protect", "", false), ("pass", "passes, whatever", true), ("refuse", "is refused", true)]
    {
        let smtp = if word.is_empty() { "[smtp]\n".to_owned() } else { format!("[smtp]\nnull_sender = \"{word}\"\n") };
        fs::write(folder.path().join("zegel.toml"), configured.replacen("[smtp]\n", &smtp, 1)).unwrap();
        let output = run(folder.path(), &["explain", "--config", "zegel.toml", "--from", "", "bounce.eml"]);
        assert_eq!(status(&output), 0, "{}", complaints(&output));
        assert_eq!(out(&output).contains("burger@post.example: none"), passes, "{word}: {}", out(&output));
        assert!(
            complaints(&output).contains(first) && complaints(&output).is_empty() == first.is_empty(),
            "{word}: {}",
            complaints(&output)
        );
    }
}

#[test]
fn wrong_use_is_2_and_a_fault_is_1() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.toml"), "[smtp").unwrap();
    fs::write(folder.path().join("a.txt"), "niets").unwrap();
    let check = |arguments: &[&str], expected: i32| {
        let output = run(folder.path(), arguments);
        assert_eq!(status(&output), expected, "{arguments:?}: {}", complaints(&output));
        assert!(expected == 0 || !complaints(&output).is_empty() || arguments[0] == "check", "{arguments:?}");
    };
    check(&[], 2);
    check(&["explian"], 2);
    check(&["explain"], 2);
    check(&["extract"], 2);
    check(&["explain", "--format", "xml", "a.txt"], 2);
    check(&["explain", "--from", "nobody", "a.txt"], 2);
    check(&["explain", "--to", "nobody", "a.txt"], 2);
    check(&["explain", "--jsonl", "--to", "a@b.example"], 2);
    check(&["explain", "a.txt"], 0);
    check(&["explain", "a.txt", "missing.eml"], 1);
    check(&["explain", "--config", "bad.toml", "a.txt"], 1);
    check(&["explain", "--config", "missing.toml", "a.txt"], 1);
    check(&["extract", "missing.eml"], 1);
    check(&["extract", "--config", "bad.toml", "a.txt"], 1);
    check(&["check", "--config", "bad.toml"], 1);
    check(&["explain", "--jsonl", "--config", "bad.toml"], 1);
}

/// The JSON that `zegel explain` prints of one file.
fn explained(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = run(folder, &[&["explain", "--format", "json"], arguments].concat());
    assert_eq!(status(&output), 0, "{}", complaints(&output));
    let text = out(&output);
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

#[test]
fn json_says_what_was_found_where_and_what_follows() {
    let folder = tests().join("mail");
    let all = explained(&folder, &["bsn-with-label.eml"]);
    assert_eq!(all["file"], "bsn-with-label.eml");
    let finding = &all["findings"][0];
    for (word, value) in [("rule", "bsn"), ("type", "bsn"), ("confidence", "high"), ("part", "text"), ("masked", "•••••6782")] {
        assert_eq!(finding[word], value, "{word}");
    }
    assert!(finding["why"][0].is_string() && finding.get("phone").is_none());
    assert_eq!(all["recipients"][0]["to"], "b.jansen@zorg.example");
    assert_eq!(all["recipients"][0]["outcome"], "level 2");
    assert_eq!(all["recipients"][0]["policy"], "BSN zeker");
    assert_eq!(all["recipients"][1]["outcome"], "none");
    assert!(all["recipients"][1]["policy"].is_null());

    // The place of a finding is told in the text that extract prints.
    let extracted = out(&run(&folder, &["extract", "--format", "json", "bsn-with-label.eml"]));
    let extracted: serde_json::Value = serde_json::from_str(&extracted).unwrap();
    let text = extracted["texts"].as_array().unwrap().iter().find(|t| t["part"] == "text").unwrap()["text"].as_str().unwrap();
    let place = finding["start"].as_u64().unwrap() as usize..finding["end"].as_u64().unwrap() as usize;
    assert_eq!(text.chars().skip(place.start).take(place.len()).collect::<String>(), "123456782");
}

#[test]
fn the_envelope_may_be_given_and_a_number_is_never_shown() {
    let folder = tests().join("mail");
    let outcome = |arguments: &[&str]| explained(&folder, &[arguments, &["bsn-with-label.eml"]].concat())["recipients"].clone();
    assert_eq!(outcome(&["--to", "x@zorg.example"])[0]["outcome"], "level 2");
    assert_eq!(outcome(&["--to", "x@zorg.example", "--to", "y@gemeente.example"]).as_array().unwrap().len(), 2);
    assert_eq!(outcome(&["--from", "", "--to", "x@zorg.example"])[0]["outcome"], "level 1");
    assert_eq!(outcome(&["--from", "z@zorg.example", "--to", "x@zorg.example"])[0]["outcome"], "none");

    let number = explained(&folder, &["activation-word-with-number.eml"]);
    assert_eq!(number["findings"][0]["phone"], true);
    assert_eq!(number["recipients"][0]["outcome"], "level 2");
    assert!(!number.to_string().contains("12345678"), "{number}");
}

#[test]
fn a_bounce_passes_if_the_mail_it_quotes_came_from_outside() {
    let folder = tempfile::tempdir().unwrap();
    let bounce = |quoted_from: &str, quoted_type: &str| {
        format!(
            "From: MAILER-DAEMON@gemeente.example\r\nTo: b@zorg.example\r\nSubject: Undelivered Mail\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nNot delivered.\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mail.gemeente.example\r\n\r\n\
             --b\r\nContent-Type: {quoted_type}\r\n\r\nFrom: {quoted_from}\r\nSubject: BSN 123456782\r\n\r\n--b--\r\n"
        )
    };
    let outcome = |from: &str, quoted_from: &str, quoted_type: &str| {
        fs::write(folder.path().join("bounce.eml"), bounce(quoted_from, quoted_type)).unwrap();
        let config = folder.path().join("zegel/zegel.toml");
        let all = explained(folder.path(), &["--config", config.to_str().unwrap(), "--from", from, "bounce.eml"]);
        assert_eq!(all["findings"][0]["rule"], "bsn", "{all}");
        all["recipients"][0]["outcome"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(&run(folder.path(), &["init", "zegel"])), 0);
    for quoted_type in ["message/rfc822", "text/rfc822-headers"] {
        assert_eq!(outcome("", "b@zorg.example", quoted_type), "none");
        assert_eq!(outcome("", "a@voorbeeld.example", quoted_type), "level 1");
        assert_eq!(outcome("a@voorbeeld.example", "b@zorg.example", quoted_type), "level 2");
    }
}

#[test]
fn a_file_that_is_no_mail_is_an_attachment_to_somebody_outside() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("lijst.csv"), "naam;bsn\nVoorbeeld;123456782\n").unwrap();
    let all = explained(folder.path(), &["lijst.csv"]);
    assert_eq!(all["findings"][0]["part"], "attachment \"lijst.csv\"");
    assert_eq!(all["recipients"].as_array().unwrap().len(), 1);
    assert_eq!(all["recipients"][0]["outcome"], "level 2");

    let mut child = zegel(&["explain", "--format", "json", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"naam;bsn\nVoorbeeld;123456782\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(out(&output).contains("\"level 2\""), "{}", out(&output));
}

#[test]
fn the_configuration_says_who_is_internal() {
    let folder = tests().join("mail");
    let config = tempfile::tempdir().unwrap();
    assert_eq!(status(&run(config.path(), &["init", "."])), 0);
    let path = config.path().join("zegel.toml");
    let ours = fs::read_to_string(&path).unwrap().replace("voorbeeld.example\"]", "gemeente.example\", \"zorg.example\"]");
    fs::write(&path, ours).unwrap();
    let all = explained(&folder, &["--config", path.to_str().unwrap(), "bsn-with-label.eml"]);
    assert_eq!(all["recipients"][0]["outcome"], "none");
    assert_eq!(all["findings"][0]["rule"], "bsn");
}

#[test]
fn jsonl_answers_each_line_before_the_next_is_asked() {
    let mut child = zegel(&["explain", "--jsonl"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    for (id, text, places) in [("1", "niets", vec![]), ("\"b\"", "é𝄞 BSN: 123456782", vec![(8, 17)])] {
        writeln!(input, "{{\"id\": {id}, \"text\": \"{text}\", \"labels\": []}}").unwrap();
        let answer: serde_json::Value = serde_json::from_str(&output.next().unwrap().unwrap()).unwrap();
        assert_eq!(answer["id"].to_string(), id);
        let got: Vec<_> =
            answer["findings"].as_array().unwrap().iter().map(|f| (f["start"].as_u64().unwrap(), f["end"].as_u64().unwrap())).collect();
        assert_eq!(got, places, "{answer}");
    }
    drop(input);
    assert!(output.next().is_none() && child.wait().unwrap().success());
}

#[test]
fn a_bad_line_is_told_and_the_rest_is_answered() {
    let mut child = zegel(&["explain", "--jsonl"]);
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"{\"id\":1,\"text\":\"a\"}\nnonsense\n\n{\"id\":2,\"text\":\"b\"}").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((status(&output), out(&output).lines().count()), (1, 2));
    assert!(complaints(&output).contains("-:2: "), "{}", complaints(&output));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_fault() {
    let mut child = zegel(&["explain", "--jsonl"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut input = child.stdin.take().unwrap();
    // The pipe breaks at some line, when zegel has gone.
    while input.write_all(b"{\"id\":1,\"text\":\"BSN 123456782\"}\n").is_ok() {}
    let output = child.wait_with_output().unwrap();
    assert_eq!((status(&output), complaints(&output)), (0, String::new()));
}

#[test]
fn hash_password_makes_what_the_file_of_accounts_holds() {
    let hash = |line: &str| {
        let mut child = zegel(&["hash-password"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(line.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let made = hash("geheim\r\nmore\n");
    assert_eq!(status(&made), 0);
    assert!(out(&made).starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && out(&made).lines().count() == 1);
    assert_ne!(out(&made), out(&hash("geheim\n")), "each has a salt of its own");
    assert!(zegel::smtp::Accounts::parse(&format!("anna:{}", out(&made)), Vec::new()).is_ok());
    for wrong in ["", "\n", "a\tb\n", &"x".repeat(600)] {
        let output = hash(wrong);
        assert!(status(&output) == 1 && out(&output).is_empty() && complaints(&output).contains("a password is one line"));
    }
}

/// A configuration of `gemeente.example` in `folder`, and beside it in `new/policies` the built-in policies as `change` makes them.
fn two_sets_of_policies(folder: &Path, change: impl Fn(&str) -> String) {
    assert_eq!(status(&run(folder, &["init", "now"])), 0);
    let config = folder.join("now/zegel.toml");
    fs::write(&config, fs::read_to_string(&config).unwrap().replace("voorbeeld.example\"]", "gemeente.example\"]")).unwrap();
    fs::create_dir_all(folder.join("new/policies")).unwrap();
    let policies = fs::read_to_string(folder.join("now/policies/default.toml")).unwrap();
    let changed = change(&policies);
    assert_ne!(changed, policies);
    fs::write(folder.join("new/policies/default.toml"), changed).unwrap();
}

#[test]
fn replay_names_exactly_the_mails_that_another_set_treats_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let iban_inside = |policies: &str| policies.replace("rule = \"iban\", to = \"external\"", "rule = \"iban\", to = \"internal\"");
    two_sets_of_policies(folder.path(), iban_inside);
    let mut mbox = String::new();
    let mut expected = Vec::new();
    for number in 1..=300 {
        let text = match number % 7 {
            0 => "Rekening NL91 ABNA 0417 1643 00",
            1 => "BSN: 111222333",
            _ => "Tot morgen.",
        };
        mbox += &format!("From a Mon Oct 12 09:30:00 2026\nFrom: a@gemeente.example\nTo: b@zorg.example\nSubject: x\n\n{text}\n\n");
        if number % 7 == 0 {
            expected.push(format!("old.mbox#{number}"));
        }
    }
    fs::write(folder.path().join("old.mbox"), mbox).unwrap();
    let replay = |more: &[&str]| run(folder.path(), &[&["replay", "--config", "now/zegel.toml"], more, &["old.mbox"]].concat());
    let output = replay(&["--against", "new", "--format", "json"]);
    assert_eq!((status(&output), complaints(&output)), (0, String::new()));
    let mut lines: Vec<serde_json::Value> = out(&output).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sums = lines.pop().unwrap();
    assert_eq!(lines.iter().map(|line| line["mail"].as_str().unwrap()).collect::<Vec<_>>(), expected);
    let (now, then) = (&sums["now"], &sums["then"]);
    assert_eq!((&sums["mails"], &now["outcomes"]["level 1"], &then["outcomes"]["none"]), (&300.into(), &42.into(), &257.into()));
    // One code by SMS for each mail of level 2; its number is asked for once.
    assert_eq!((&now["sms"], &now["held"], &then["sms"], &then["held"]), (&43.into(), &1.into(), &43.into(), &1.into()));

    let text = out(&replay(&["--against", "new"]));
    assert!(text.contains("old.mbox#7\n  1 recipient: level 1 (Rekeningnummer) -> none\n"), "{text}");
    assert!(text.contains("\n42 of 300 mails would be treated otherwise.\n"), "{text}");
    assert!(!text.contains("zorg.example") && !text.contains("0417"), "neither content nor addresses: {text}");
    assert!(out(&replay(&[])).contains("\n85 of 300 mails would not pass as they are.\n"));
}

#[test]
fn replay_tells_what_it_can_t_read_and_a_fault_of_the_other_set_with_its_folder() {
    use std::os::unix::fs::symlink;
    let folder = tempfile::tempdir().unwrap();
    two_sets_of_policies(folder.path(), |policies| policies.replace("rule = \"iban\"", "rule = \"ibna\""));
    fs::create_dir(folder.path().join("mails")).unwrap();
    let faulty = run(folder.path(), &["replay", "--against", "new", "mails"]);
    assert_eq!((status(&faulty), out(&faulty)), (1, String::new()));
    assert!(complaints(&faulty).contains("new/policies/default.toml:") && complaints(&faulty).contains("did you mean \"iban\"?"));
    let neither = run(folder.path(), &["replay", "--against", "mails", "mails"]);
    assert!(status(&neither) == 1 && complaints(&neither).contains("neither rules/ nor policies/"), "{}", complaints(&neither));

    fs::write(folder.path().join("mails/note.txt"), "geen mail").unwrap();
    fs::write(folder.path().join("mails/1.eml"), "From: a@gemeente.example\nTo: b@zorg.example\n\nBSN: 111222333\n").unwrap();
    symlink("nowhere", folder.path().join("mails/2.eml")).unwrap();
    symlink("/proc/self/mem", folder.path().join("mails/3.eml")).unwrap();
    let output = run(folder.path(), &["replay", "mails"]);
    let text = out(&output);
    assert!(text.starts_with("1.eml\n  1 recipient: level 2 (BSN zeker)\n"), "{text}");
    assert!(text.contains("1 of 1 mails") && text.contains("One file is no mail: note.txt\n"), "{text}");
    // What can't be read may have been a mail.
    let told = complaints(&output);
    assert!(status(&output) == 1 && told.contains("2.eml: No such file") && told.contains("3.eml: "), "{told}");
}
