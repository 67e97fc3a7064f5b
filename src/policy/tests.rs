use super::*;
use crate::{detect::Confidence, extract::Source, fault::Faults};
use jiff::civil::date;

/// A Wednesday.
const NOON: DateTime = date(2026, 11, 25).at(12, 0, 0, 0);

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn finding(rule: &str, confidence: Confidence) -> Finding {
    Finding {
        rule: rule.into(),
        kind: "bsn",
        confidence,
        part: "text".into(),
        source: Source::Body,
        place: None,
        masked: "•••••6782".into(),
        start: None,
        end: None,
        why: Vec::new(),
        phone: None,
    }
}

fn policies(text: &str) -> Policies {
    let faults = Faults::default();
    let text = format!("{text}\n[[policy]]\nname = 'unread'\nwhen = {{ problem = 'timeout' }}\nthen = 'none'\n");
    let files = [("policies/x.toml".to_owned(), text)].into();
    let policies = Policies::compile(&files, [("bsn", 0), ("iban", 60), ("activation-word", 30)], &faults);
    assert_eq!(faults.take(), []);
    policies
}

const BSN: &str = "
    [[policy]]
    name = 'sure'
    when = { rule = 'bsn', confidence = 'high', to = 'external' }
    then = 'level 2'
    [[policy]]
    name = 'likely'
    when = { rule = ['bsn', 'iban'], confidence = 'medium', to = 'external' }
    then = 'level 1'
    [[policy]]
    name = 'unreadable'
    when = { problem = ['encrypted', 'damaged'] }
    then = 'level 1'
    [[policy]]
    name = 'fine'
    when = { rule = 'bsn' }
    then = 'none'
    [[policy]]
    name = 'never'
    when = { any = [{ rule = 'iban' }, { problem = 'encrypted' }], unless = { from = 'boss@a.example' }, to = { domains = ['rival.example'] } }
    then = 'block'
    ";

/// The verdict of [`BSN`] as `outcome|policy|overruled`.
fn check(from: &str, to: &str, findings: &[(&str, Confidence)], problems: &[ProblemKind], expected: &str) {
    let findings: Vec<_> = findings.iter().map(|(rule, confidence)| finding(rule, *confidence)).collect();
    let problems: Vec<_> = problems.iter().map(|kind| Problem { part: "x".into(), place: None, kind: *kind, reason: "" }).collect();
    let (from, to) = (Address::parse(from).ok(), [address(to)]);
    let internal = [Domain::parse("a.example").unwrap()];
    let facts = Facts {
        now: NOON,
        named: &[],
        headers: &[],
        from: from.as_ref(),
        to: &to,
        findings: &findings,
        problems: &problems,
        files: &[],
        besides: Besides::default(),
        internal: &internal,
    };
    let verdict = policies(BSN).decide(&facts).remove(0);
    let got = format!("{}|{}|{}", verdict.outcome, verdict.policy.as_deref().unwrap_or("-"), verdict.overruled.join(","));
    assert_eq!(got, expected);
}

#[test]
fn the_strictest_policy_wins_for_each_recipient() {
    use Confidence::{High, Low, Medium};
    check("x@a.example", "y@b.example", &[], &[], "none|-|");
    check("x@a.example", "y@b.example", &[("bsn", Low)], &[], "none|-|");
    check("x@a.example", "y@b.example", &[("bsn", Low), ("bsn", Medium), ("bsn", Low)], &[], "level 1|likely|fine");
    check("x@a.example", "y@b.example", &[("bsn", High)], &[], "level 2|sure|likely,fine");
    check("x@a.example", "y@A.EXAMPLE", &[("bsn", High)], &[], "none|-|");
    check("x@a.example", "y@sub.a.example", &[("bsn", High)], &[], "level 2|sure|likely,fine");
    check("x@a.example", "y@a.example", &[], &[ProblemKind::Damaged], "level 1|unreadable|");
    check("x@a.example", "y@a.example", &[], &[ProblemKind::TooDeep], "none|-|");
    check("x@a.example", "y@rival.example", &[("iban", Low)], &[], "block|never|");
    check("x@a.example", "y@rival.example", &[], &[ProblemKind::Encrypted], "block|never|unreadable");
    check("Boss@a.example", "y@rival.example", &[("iban", Low)], &[], "none|-|");
    check("", "y@rival.example", &[("iban", Low)], &[], "block|never|");
}

#[test]
fn direct_gives_way_to_every_level_and_falls_back_to_the_strictest_that_is_named() {
    let partner = "
        [[policy]]
        name = 'partner'
        when = { rule = ['bsn', 'iban'], to = { domains = ['zorg.example'] } }
        then = 'direct'
        [[policy]]
        name = 'hospital'
        when = { rule = 'iban', to = { domains = ['zorg.example'] } }
        then = 'direct'
        otherwise = 'level 2'
        [[policy]]
        name = 'sure'
        when = { rule = 'bsn', confidence = 'high' }
        then = 'level 1'
        ";
    let outcome = |findings: &[Finding]| {
        let to = [address("y@zorg.example")];
        policies(partner)
            .decide(&Facts {
                now: NOON,
                named: &[],
                headers: &[],
                from: None,
                to: &to,
                findings,
                problems: &[],
                files: &[],
                besides: Besides::default(),
                internal: &[],
            })
            .remove(0)
            .outcome
    };
    assert_eq!(outcome(&[finding("bsn", Confidence::Low)]), Outcome::Direct(Level::One));
    assert_eq!(outcome(&[finding("iban", Confidence::Low)]), Outcome::Direct(Level::Two));
    assert_eq!(outcome(&[finding("iban", Confidence::Low), finding("bsn", Confidence::High)]), Outcome::Level(Level::Two));
    assert_eq!(outcome(&[finding("bsn", Confidence::High)]), Outcome::Level(Level::One));
    assert_eq!(outcome(&[]), Outcome::None);
}

#[test]
fn a_verdict_says_by_what_it_came_about() {
    let findings = [finding("iban", Confidence::High), finding("bsn", Confidence::Low)];
    let problems = [Problem { part: "x".into(), place: None, kind: ProblemKind::Encrypted, reason: "" }];
    let to = [address("y@rival.example")];
    let facts = Facts {
        now: NOON,
        named: &[],
        headers: &[],
        from: None,
        to: &to,
        findings: &findings,
        problems: &problems,
        files: &[],
        besides: Besides::default(),
        internal: &[],
    };
    let verdict = policies(BSN).decide(&facts).remove(0);
    assert_eq!((&*verdict.rules[0], verdict.rules.len(), &verdict.problems[..]), ("iban", 1, &[ProblemKind::Encrypted][..]));
}

#[test]
fn holding_everybody_is_the_stricter_answer_to_a_missing_number() {
    let both = "defaults = { missing_phone = 'send_ready' }\n[[policy]]\nname = 'a'\nwhen = { rule = 'bsn' }\nthen = 'level 2'";
    let findings = [finding("bsn", Confidence::High)];
    let to = [address("y@b.example")];
    let facts = Facts {
        now: NOON,
        named: &[],
        headers: &[],
        from: None,
        to: &to,
        findings: &findings,
        problems: &[],
        files: &[],
        besides: Besides::default(),
        internal: &[],
    };
    assert_eq!(policies(both).decide(&facts)[0].missing_phone, MissingPhone::SendReady);
    assert_eq!(policies(BSN).decide(&facts)[0].missing_phone, MissingPhone::HoldAll);
}

/// The verdict of `rules` on a mail of a@ours.example in which an IBAN was found for sure, at `now`.
fn verdict_at(rules: &str, now: &str, to: &str) -> Verdict {
    let (from, to, findings) = (address("a@ours.example"), [address(to)], [finding("iban", Confidence::High)]);
    let headers = [("Sensitivity".to_owned(), "Private".to_owned())];
    let internal = [Domain::parse("ours.example").unwrap()];
    let now = now.parse().unwrap();
    let facts = Facts {
        now,
        named: &[],
        headers: &headers,
        from: Some(&from),
        to: &to,
        findings: &findings,
        problems: &[],
        files: &[],
        besides: Besides::default(),
        internal: &internal,
    };
    policies(rules).decide(&facts).remove(0)
}

/// Whether a `when` of an otherwise empty set holds for that mail.
fn holds(when: &str, now: &str) -> bool {
    let rules = format!("[[policy]]\nname = 'a'\nwhen = {when}\nthen = 'level 1'");
    verdict_at(&rules, now, "y@b.example").outcome == Outcome::Level(Level::One)
}

#[test]
fn everything_in_a_condition_must_hold() {
    let check = |when, expected| assert_eq!(holds(when, "2026-11-25T12:00"), expected, "{when}");
    check("{ all = [{ rule = 'iban' }, { to = 'external' }] }", true);
    check("{ all = [{ rule = 'iban' }, { rule = 'bsn' }] }", false);
    check("{ points = 60 }", true); // iban has 60
    check("{ points = 61 }", false);
    check("{ header = { name = 'sensitivity', is = 'private' } }", true);
    check("{ header = { name = 'Sensitivity', has = 'riv' } }", true);
    check("{ header = { name = 'Sensitivity' } }", true);
    check("{ header = { name = 'Sensitivity', is = 'Normal' } }", false);
    check("{ recipients = { external = 1 } }", true);
    check("{ recipients = { external = 2 } }", false);
    check("{ recipients = { domains = 1, all = 1 } }", true);
    check("{ at = 'mo-fr 08:00-18:00' }", true);
    check("{ at = ['sa,su', '18:00-24:00'] }", false);
    check("{ rule = ['bsn', 'iban'], confidence = 'high' }", true);
    check("{ rule = 'iban', unless = { all = [{ from = 'internal' }, { at = 'we' }] } }", false);
}

#[test]
fn below_a_known_domain_nobody_is_taken_for_another() {
    let rules = "[[policy]]\nname = 'a'\nwhen = { recipients = { look_alike = true } }\nthen = 'level 1'\n\
                 [[policy]]\nname = 'b'\nwhen = { to = { domains = ['molenwijk.example', 'molenwijck.example'] } }\nthen = 'none'\n";
    let check = |to, outcome| assert_eq!(verdict_at(rules, "2026-11-25T12:00", to).outcome.word(), outcome, "{to}");
    check("y@molenwijk.example", "none");
    check("y@post.molenwijck.example", "none");
    check("y@post.molenwik.example", "level 1");
}

#[test]
fn a_monitor_only_watches_until_its_day() {
    let rules = "[[policy]]\nname = 'look'\nwhen = { rule = 'iban' }\nthen = 'level 2'\nmode = 'monitor'\nuntil = 2027-01-31\n\
                 [[policy]]\nname = 'tell'\nwhen = { rule = 'iban' }\nthen = 'level 1'\nmode = 'notify'";
    let before = verdict_at(rules, "2027-01-30T23:59", "y@b.example");
    assert_eq!((before.outcome, before.policy, before.overruled.len()), (Outcome::None, None, 0));
    let watched: Vec<_> = before.watched.iter().map(|w| (&*w.policy, w.mode, w.outcome, w.rules.len())).collect();
    assert_eq!(watched, [("look", Mode::Monitor, Outcome::Level(Level::Two), 1), ("tell", Mode::Notify, Outcome::Level(Level::One), 1)]);
    let after = verdict_at(rules, "2027-01-31T00:00", "y@b.example");
    assert_eq!((after.outcome, after.policy.as_deref(), after.watched.len()), (Outcome::Level(Level::Two), Some("look"), 1));
}

#[test]
fn the_sender_may_lower_nothing_that_one_mandatory_policy_says() {
    let policy = |name, mode| format!("[[policy]]\nname = '{name}'\nwhen = {{ rule = 'iban' }}\nthen = 'level 1'\nmode = '{mode}'\n");
    let mode = |rules: &str| verdict_at(rules, "2026-11-25T12:00", "y@b.example").mode;
    assert_eq!(mode(&policy("a", "automatic")), Mode::Automatic);
    assert_eq!(mode(&(policy("a", "automatic") + &policy("b", "mandatory"))), Mode::Mandatory);
}

const PARTNER: &str = "
    [[policy]]
    name = 'iban'
    when = { rule = 'iban' }
    then = 'level 2'
    [[exception]]
    name = 'partner'
    to = { domains = ['partner.example'] }
    lowers = { from = ['level 1', 'level 2'], to = 'direct' }
    reason = 'agreement 14'
    ends = 2027-06-30
    [[exception]]
    name = 'test'
    to = 'x@partner.example'
    lowers = { from = 'level 2', to = 'none' }
    reason = 'test data only'
    ends = 2026-12-31
    ";

#[test]
fn an_exception_lowers_for_whom_it_names_until_its_last_day() {
    let verdict = |now, to| verdict_at(PARTNER, now, to);
    assert_eq!(verdict("2027-06-30T23:59", "y@b.example").outcome, Outcome::Level(Level::Two));
    let lowered = verdict("2027-06-30T23:59", "y@partner.example");
    assert_eq!(lowered.outcome, Outcome::Direct(Level::Two), "it falls back to what was lowered");
    let by = lowered.lowered.unwrap();
    assert_eq!((&*by.exception, &*by.reason, by.from, &*by.policy), ("partner", "agreement 14", Outcome::Level(Level::Two), "iban"));
    assert_eq!(verdict("2027-07-01T00:00", "y@partner.example").outcome, Outcome::Level(Level::Two));
    // Of two the mildest, whichever comes first.
    assert_eq!(verdict("2026-12-31T12:00", "x@partner.example").outcome, Outcome::None);
    assert_eq!(verdict("2027-01-01T00:00", "x@partner.example").outcome, Outcome::Direct(Level::Two));
}

/// What a recipient gets at worst, whatever the sender chooses and however bad the way is: 0 the mail itself, 1 and 2 sealed at that level, 3 nothing.
fn at_worst(verdict: &Verdict) -> u8 {
    let sealed = |level: Option<Level>| if level == Some(Level::Two) { 2 } else { 1 };
    match verdict.outcome {
        Outcome::None => 0,
        Outcome::Ask(_) if verdict.openly => 0,
        Outcome::Ask(level) => sealed(level),
        Outcome::Direct(level) | Outcome::Level(level) => sealed(Some(level)),
        // The organisation decides.
        Outcome::Quarantine => sealed(verdict.level),
        Outcome::Block => 3,
    }
}

#[test]
fn no_policy_takes_away_what_another_one_protects_whatever_an_exception_lowers() {
    let outcomes = ["'direct'", "'direct'\notherwise = 'level 2'", "'level 1'", "'level 2'", "'ask'", "'quarantine'", "'block'"];
    let word = |outcome: &str| outcome.split('\'').nth(1).unwrap().to_owned();
    let policy = |name: &str, then: &str| format!("[[policy]]\nname = '{name}'\nwhen = {{ rule = 'iban' }}\nthen = {then}\n");
    let mut exceptions = vec![String::new()];
    for from in outcomes.map(word) {
        let is_milder = |into: &&str| Outcome::from_word(into) < Outcome::from_word(&from);
        // Of what names no level itself `direct` makes level 2 where no other policy names one: that is a choice, no promise of the first policy's.
        let is_choice = |into: &str| into == "direct" && !from.starts_with("level");
        for into in ["none", "direct", "level 1", "level 2", "ask"].into_iter().filter(is_milder).filter(|into| !is_choice(into)) {
            exceptions.push(format!(
                "[[exception]]\nname = 'e'\nto = 'external'\nlowers = {{ from = '{from}', to = '{into}' }}\nreason = 'r'\nends = 2027-06-30\n"
            ));
        }
    }
    for exception in &exceptions {
        let verdict = |policies: String| verdict_at(&(policies + exception), "2026-11-25T12:00", "y@b.example");
        for one in outcomes {
            let alone = verdict(policy("one", one));
            for other in outcomes {
                let both = verdict(policy("one", one) + &policy("other", other));
                assert!(at_worst(&both) >= at_worst(&alone), "{one} alone: {alone:?}\nwith {other}: {both:?}\n{exception}");
            }
        }
    }
}

#[test]
fn what_is_doubtful_on_a_day_is_told_and_changes_nothing() {
    let rules = format!(
        "{PARTNER}[[policy]]\nname = 'mild'\nwhen = {{ rule = 'iban', to = 'external' }}\nthen = 'level 1'\n\
         [[policy]]\nname = 'free'\nwhen = {{ rule = 'iban', to = {{ domains = ['partner.example'] }} }}\nthen = 'none'\n\
         [[policy]]\nname = 'wider'\nwhen = {{ rule = ['iban', 'bsn'] }}\nthen = 'level 1'\n\
         [[policy]]\nname = 'seen'\nwhen = {{ rule = 'bsn' }}\nthen = 'block'\nmode = 'monitor'\nuntil = 2026-11-01\n"
    );
    let told: Vec<_> = policies(&rules).doubts(date(2027, 1, 1)).into_iter().map(|d| (d.what, d.fails)).collect();
    let told: Vec<_> = told.iter().map(|(what, fails)| (what.as_str(), *fails)).collect();
    assert_eq!(
        told,
        [
            ("the exception \"test\" ended on 2026-12-31 and has no effect", true),
            ("the policy \"mild\" can never win: wherever it holds, \"iban\" does too, and is stricter", false),
            ("the policy \"free\" can never win: wherever it holds, \"iban\" does too, and is stricter", false),
            ("the policy \"seen\" is no longer \"monitor\" but \"automatic\", since 2026-11-01", false),
        ]
    );
}

#[test]
fn an_exception_for_what_no_policy_says_is_told() {
    let check = |from: &str, told: &[&str]| {
        let rules = PARTNER.replace("from = 'level 2', to = 'none'", &format!("from = '{from}', to = 'none'"));
        let doubts = policies(&rules).doubts(date(2026, 11, 25));
        let got: Vec<_> = doubts.iter().map(|d| format!("{}; {}", d.what, d.remedy)).collect();
        assert_eq!(got, told, "{from}");
    };
    check("level 2", &[]);
    check("ask", &["the exception \"test\" lowers what no policy says, and has no effect; policies say: \"level 2\""]);
}

#[test]
fn a_group_is_whoever_its_file_lists() {
    let faults = Faults::default();
    let group = "# het team\nw@b.example  # Wim\n\nteam.example\n";
    let rules = "[[policy]]\nname = 'a'\nwhen = { to = { groups = ['wijkteam'] }, problem = 'timeout' }\nthen = 'block'\n";
    let files = [("policies/groups/wijkteam.txt", group), ("policies/x.toml", rules)].map(|(n, t)| (n.to_owned(), t.to_owned())).into();
    let policies = Policies::compile(&files, [], &faults);
    assert_eq!(faults.take(), []);
    let to = ["w@b.example", "x@b.example", "y@team.example"].map(address);
    let problems = [Problem { part: "x".into(), place: None, kind: ProblemKind::Timeout, reason: "" }];
    let facts = Facts {
        now: NOON,
        named: &[],
        headers: &[],
        from: None,
        to: &to,
        findings: &[],
        problems: &problems,
        files: &[],
        besides: Besides::default(),
        internal: &[],
    };
    let outcomes: Vec<_> = policies.decide(&facts).iter().map(|v| v.outcome.word()).collect();
    assert_eq!(outcomes, ["block", "none", "block"]);
}

#[test]
fn the_text_travels_only_where_every_policy_that_seals_lets_it() {
    let files = "[[policy]]\nname = 'files'\nwhen = { rule = 'iban' }\nthen = 'level 2'\nscope = 'attachments'\n";
    let scope = |more: &str| verdict_at(&format!("{files}{more}"), "2026-10-12T12:00", "x@b.example").scope;
    assert_eq!(scope(""), Scope::Attachments);
    for whole in ["level 1", "level 2", "ask"] {
        assert_eq!(
            scope(&format!("[[policy]]\nname = 'whole'\nwhen = {{ rule = 'iban' }}\nthen = '{whole}'\n")),
            Scope::Message,
            "{whole}"
        );
    }
}
