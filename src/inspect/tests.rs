use super::*;
use crate::envelope::QueueId;

/// A rulebook of the embedded files, for an organisation `ours.example`.
fn rulebook() -> Rulebook {
    let files = crate::detect::EMBEDDED.iter().chain(policy::EMBEDDED).map(|(n, t)| ((*n).to_owned(), (*t).to_owned())).collect();
    let faults = Faults::default();
    let rulebook = Rulebook::compile(&files, vec![Domain::parse("ours.example").unwrap()], &faults);
    assert_eq!(faults.take(), []);
    rulebook
}

fn envelope(from: &str, to: &[&str]) -> Envelope {
    Envelope {
        id: QueueId::NONE,
        from: Address::parse(from).ok(),
        to: to.iter().map(|a| Recipient { address: Address::parse(a).unwrap(), parameters: String::new() }).collect(),
        mail_parameters: String::new(),
    }
}

fn mail(subject: &str, body: &str) -> Extraction {
    let text =
        |part: &str, source, text: &str| Text { part: part.into(), source, text: text.into(), places: Places::None, spans: Vec::new() };
    Extraction {
        headers: vec![("Subject".into(), subject.into())],
        texts: vec![text("subject", Source::Subject, subject), text("text", Source::Body, body)],
        ..Extraction::default()
    }
}

/// What becomes of a mail at noon of which nothing else is known.
fn judged(rulebook: &Rulebook, (from, to): (&str, &[&str]), facts: &message::Facts, mail: &Extraction) -> Inspection {
    rulebook.judge(&Judging { envelope: &envelope(from, to), facts, extraction: mail, besides: Besides::default() }, noon())
}

/// What happens to each recipient, and with which number.
fn outcomes(from: &str, to: &[&str], facts: &message::Facts, mail: &Extraction) -> String {
    let inspection = judged(&rulebook(), (from, to), facts, mail);
    let mut out: Vec<_> = inspection.verdicts.iter().map(|v| v.outcome.to_string()).collect();
    if let Decision::Protect(plan) = &inspection.decision {
        out.extend(plan.protect.iter().filter_map(|p| Some(format!("{}={}", p.recipient.address, p.phone.as_ref()?.expose()))));
        out.extend((plan.ask == Ask::Nobody).then(|| "ask nobody".to_owned()));
    }
    out.join(", ")
}

/// A Wednesday at noon.
fn noon() -> Time {
    Time::from_millis(1_795_604_400_000)
}

const BSN: &str = "Cliënt A. Voorbeeld, BSN 123456782";

#[test]
fn each_recipient_gets_what_is_his() {
    let facts = message::Facts::default();
    let to = ["b@theirs.example", "c@ours.example"];
    assert_eq!(outcomes("a@ours.example", &to, &facts, &mail("x", BSN)), "level 2, none");
    assert_eq!(outcomes("a@ours.example", &to, &facts, &mail("x", "niets")), "none, none");
}

#[test]
fn a_machine_gets_level_1_at_most_and_no_mail() {
    let facts = message::Facts::default();
    assert_eq!(outcomes("", &["b@theirs.example"], &facts, &mail("x", BSN)), "level 1, ask nobody");
    let automatic = message::Facts { automatic: true, ..message::Facts::default() };
    assert_eq!(outcomes("a@ours.example", &["b@theirs.example"], &automatic, &mail("x", BSN)), "level 1, ask nobody");
    assert_eq!(outcomes("a@ours.example", &["b@theirs.example"], &automatic, &mail("#veilig 0612345678", "")), "level 1, ask nobody");
}

#[test]
fn a_sender_outside_the_organisation_decides_nothing() {
    let facts = message::Facts::default();
    assert_eq!(outcomes("a@else.example", &["b@theirs.example"], &facts, &mail("x", BSN)), "level 2, ask nobody");
    assert_eq!(outcomes("a@else.example", &["b@theirs.example"], &facts, &mail("#veilig 0612345678", "")), "level 1, ask nobody");
}

#[test]
fn a_bounce_of_an_outsiders_mail_passes() {
    let bounce = |of: &str| message::Facts { report: true, report_of: Address::parse(of).ok(), ..message::Facts::default() };
    assert_eq!(outcomes("", &["b@theirs.example"], &bounce("b@theirs.example"), &mail("x", BSN)), "none");
    assert_eq!(outcomes("", &["b@theirs.example"], &bounce("a@ours.example"), &mail("x", BSN)), "level 1, ask nobody");
    assert_eq!(outcomes("", &["b@theirs.example"], &bounce(""), &mail("x", BSN)), "level 1, ask nobody");
    // Anybody can write such a mail; only the null sender is believed.
    assert_eq!(outcomes("a@ours.example", &["b@theirs.example"], &bounce("b@theirs.example"), &mail("x", BSN)), "level 2");
}

#[test]
fn a_number_in_the_trigger_is_that_of_the_one_external_recipient() {
    let facts = message::Facts::default();
    let one = mail("#veilig 0612345678 Uw dossier", "");
    let to = ["b@theirs.example", "c@ours.example"];
    assert_eq!(outcomes("a@ours.example", &to, &facts, &one), "level 2, none, b@theirs.example=+31612345678");
    let two = ["b@theirs.example", "d@theirs.example"];
    assert_eq!(outcomes("a@ours.example", &two, &facts, &one), "level 2, level 2");
    // The other one travels in a transaction of its own.
    let split = message::Facts { recipients_in_header: envelope("", &two).to.into_iter().map(|r| r.address).collect(), ..facts };
    assert_eq!(outcomes("a@ours.example", &two[..1], &split, &one), "level 2");
}

#[test]
fn a_subject_that_holds_something_sensitive_is_never_copied() {
    let rulebook = rulebook();
    let check = |subject: &str, expected: Option<&str>| {
        let inspection = judged(&rulebook, ("a@ours.example", &["b@theirs.example"]), &message::Facts::default(), &mail(subject, ""));
        assert_eq!(rulebook.open_subject(&inspection, subject).as_deref(), expected, "{subject}");
    };
    check("Uw dossier", Some("Uw dossier"));
    check("BSN 123456782", None);
    check("#veilig Uw dossier", Some("Uw dossier"));
    check("#veilig 0612345678 Uw dossier", Some("Uw dossier"));
    check("#veilig BSN 123456782", None);
}

#[test]
fn the_sender_is_told_why_in_plain_sentences() {
    let rulebook = rulebook();
    let mut mail = mail("x", BSN);
    mail.problems.push(Problem { part: "attachment \"a.zip\"".into(), place: None, kind: ProblemKind::Encrypted, reason: "" });
    let judged = |to: &str| judged(&rulebook, ("a@ours.example", &[to]), &message::Facts::default(), &mail);
    // The strictest policy says why; what it overruled would have given less.
    let sentences = rulebook.sentences(&judged("b@theirs.example"), "nl");
    assert_eq!(sentences, ["Het bericht bevat een burgerservicenummer."]);
    assert!(rulebook.sentences(&judged("c@ours.example"), "nl").is_empty());
}

#[test]
fn what_holds_more_words_than_can_be_weighed_is_a_problem_and_no_clean_mail() {
    let facts = message::Facts::default();
    let body = format!("{}{BSN}", "bsn\n".repeat(4_200_000));
    let (envelope, mail) = (envelope("a@ours.example", &["b@theirs.example"]), mail("x", &body));
    let inspection =
        rulebook().judge(&Judging { envelope: &envelope, facts: &facts, extraction: &mail, besides: Besides::default() }, noon());
    let problems: Vec<_> = inspection.problems.iter().map(|p| (p.part.as_str(), p.kind, p.reason)).collect();
    assert_eq!(problems, [("text", ProblemKind::TooLarge, "words")]);
    assert!(matches!(inspection.decision, Decision::Protect(_)));
}
