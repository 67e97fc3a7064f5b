use super::*;
use words::messages;

fn compile(own: &[(&str, &str)]) -> (Templates, Vec<String>) {
    let files: Files = own.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let faults = Faults::default();
    let templates = Templates::compile(&files, &faults);
    (templates, faults.take().iter().map(ToString::to_string).collect())
}

#[test]
fn the_embedded_templates_have_no_fault_and_none_is_forgotten() {
    assert_eq!(compile(&[]).1, Vec::<String>::new());
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut on_disk = Vec::new();
    for folder in ["mails", "pages", "static", "words"] {
        for entry in std::fs::read_dir(root.join("templates").join(folder)).unwrap() {
            on_disk.push(format!("templates/{folder}/{}", entry.unwrap().file_name().to_str().unwrap()));
        }
    }
    on_disk.sort();
    assert_eq!(on_disk, EMBEDDED.iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
}

#[test]
fn every_language_has_the_same_texts_with_the_same_values() {
    let nl = messages(include_str!("../../templates/words/nl.ftl"));
    let files: Vec<_> = EMBEDDED.iter().filter(|(name, _)| name.ends_with(".ftl")).collect();
    assert_eq!(files.len(), Language::ALL.len());
    for (file, source) in files {
        let theirs = messages(source);
        assert_eq!(nl.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>(), "{file}");
        for (key, message) in &nl {
            assert_eq!(message.values, theirs[key].values, "{file}: {key}");
        }
    }
}

#[test]
fn pages_and_mails_say_in_which_language_they_are() {
    let templates = Templates::embedded();
    for language in Language::ALL {
        let said = format!("<html lang=\"{}\">", language.code());
        let page = templates.page(language, "Gemeente Voorbeeld", &NoticePage::HOME).unwrap();
        assert!(page.contains(&said), "{page}");
        for other in Language::ALL.into_iter().filter(|other| *other != language) {
            let switch = format!("<a href=\"?lang={0}\" lang=\"{0}\" hreflang=\"{0}\">", other.code());
            assert!(page.contains(&switch), "{page}");
        }
        let mail = templates.mail(language, "Gemeente Voorbeeld", &NotificationMail::samples().remove(0)).unwrap();
        assert!(mail.html.contains(&said), "{}", mail.html);
    }
}

#[test]
fn every_text_is_used_somewhere() {
    let rust: String = [
        "template/view/page.rs",
        "template/view/sender.rs",
        "template/mod.rs",
        "template/moment.rs",
        "notice/mod.rs",
        "notice/sms.rs",
        "phone.rs",
        "portal/files.rs",
        "portal/archive.rs",
        "notice/reply.rs",
    ]
    .map(|f| std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(f)).unwrap_or_default())
    .concat();
    let all = EMBEDDED.iter().filter(|(name, _)| !name.ends_with(".ftl")).map(|(_, t)| *t).collect::<String>() + &rust;
    let composed = [
        "send-",
        "enter-",
        "another-",
        "fault-",
        "not-sent-subject",
        "not-notified-subject",
        "delayed-subject",
        "relayed-subject",
        "notification-subject",
        "number-subject",
        "told-",
        "ask-subject",
    ];
    let suffixes = ["password-hint", "code-hint", "password-wait", "code-wait"];
    for key in messages(include_str!("../../templates/words/nl.ftl")).keys() {
        let used = all.contains(&format!("\"{key}\"")) || composed.iter().any(|c| key.starts_with(c)) || suffixes.contains(key);
        assert!(used, "{key}");
    }
}

#[test]
fn an_organisation_replaces_single_texts() {
    let (templates, faults) = compile(&[("templates/words/nl.ftl", "home-title = Post van { $organisation }\n")]);
    assert_eq!(
        faults,
        ["templates/words/nl.ftl:1: the text `home-title` uses an unknown value `$organisation`; this text has no values; leave it out"]
    );
    drop(templates);
    let (templates, faults) = compile(&[("templates/words/nl.ftl", "home-title = Post van ons\n")]);
    assert_eq!(faults, Vec::<String>::new());
    let page = templates.page(Language::Nl, "Gemeente Voorbeeld", &NoticePage::HOME).unwrap();
    assert!(page.contains("<h1>Post van ons</h1>") && page.contains("lang=\"nl\""), "{page}");
}

#[test]
fn a_faulty_file_is_told_with_its_line() {
    let check = |file: &str, text: &str, expected: &str| {
        let (_, faults) = compile(&[(file, text)]);
        assert!(faults.iter().any(|f| f.starts_with(expected)), "{faults:?}");
    };
    check("templates/pages/start.html", "a\n{% if %}\n", "templates/pages/start.html:2: ");
    check("templates/pages/start.html", "a\n\n{{ page.sendr }}\n", "templates/pages/start.html:3: ");
    check("templates/pages/start.html", "{{ t(\"no-such\") }}", "templates/pages/start.html:1: there is no text `no-such`; ");
    check(
        "templates/pages/start.html",
        "{% for i in range(9999) %}{% for j in range(9999) %}x{% endfor %}{% endfor %}",
        "templates/pages/start.html:1: ",
    );
    check(
        "templates/pages/strat.html",
        "",
        "templates/pages/strat.html:1: this is no template of zegel; did you mean `templates/pages/start.html`?",
    );
    check("templates/words/nl.ftl", "\nhom-title = x\n", "templates/words/nl.ftl:2: unknown text `hom-title`; did you mean `home-title`?");
    check("templates/words/nl.ftl", "files = { $n -> [one] een *[other] meer }\n", "templates/words/nl.ftl:1: this text cannot be read: ");
}

#[test]
fn a_text_that_would_fail_when_it_is_needed_is_told_before() {
    let check = |file: &str, text: &str, expected: &str| {
        let (_, faults) = compile(&[(file, text)]);
        assert!(faults.iter().any(|f| f.starts_with(expected)) && faults.len() == 1, "{faults:?}");
    };
    // Subjects and SMS are in no template: rendering these would not find it.
    check(
        "templates/words/de.ftl",
        "\npassword-subject = { $no }\n",
        "templates/words/de.ftl:2: the text `password-subject` uses an unknown",
    );
    check(
        "templates/words/de.ftl",
        "\npassword-subject = { no-such }\n",
        "templates/words/de.ftl:2: the text `password-subject` cannot be",
    );
    check(
        "templates/words/fr.ftl",
        "told-refused-subject = { SHOUT($subject) }\n",
        "templates/words/fr.ftl:1: the text `told-refused-subject` ",
    );
    check(
        "templates/words/nl.ftl",
        "password-subject =\n    .title = x\n",
        "templates/words/nl.ftl:1: there is no text `password-subject`",
    );
    check("templates/words/nl.ftl", "continue = { \"\" }\n", "templates/words/nl.ftl:1: the text `continue` says nothing");
    check(
        "templates/words/nl.ftl",
        "sms-code = Uw code: { $code }\n",
        "templates/words/nl.ftl:1: the text `sms-code` does not begin with the code",
    );
    check(
        "templates/words/nl.ftl",
        "sms-code = Uw code komt\n",
        "templates/words/nl.ftl:1: the text `sms-code` does not begin with the code",
    );
}

#[test]
fn a_template_that_lacks_what_it_is_for_is_told_before() {
    let check = |file: &str, without: &str, expected: &str| {
        let ours = EMBEDDED.iter().find(|(name, _)| *name == file).unwrap().1;
        let (_, faults) = compile(&[(file, &ours.replace(without, ""))]);
        assert!(faults.len() == 1 && faults[0].starts_with(&format!("{file}:1: {expected}")), "{faults:?}");
    };
    check("templates/mails/notification.txt", "{{ mail.link }}", "this mail does not tell its link or password");
    check("templates/mails/password.html", "{{ mail.password }}", "this mail does not tell its link or password");
    check("templates/mails/number.txt", "{{ mail.link }}", "this mail does not tell its link or password");
    for page in ["start", "message", "view", "numbers", "decide"] {
        let field = "<input type=\"hidden\" name=\"form\" value=\"{{ page.form }}\">";
        check(&format!("templates/pages/{page}.html"), field, "a form does not send its token along");
    }
}

#[test]
fn what_people_write_is_never_template_source_nor_markup() {
    let templates = Templates::embedded();
    let nasty = "<script>alert(1)</script>{{ 7*7 }}{% raw %}\" onclick=x";
    let page = MessagePage { subject: nasty.to_owned(), text: Some(nasty.to_owned()), ..MessagePage::samples().remove(1) };
    let html = templates.page(Language::Nl, "Gemeente \"<b>", &page).unwrap();
    assert!(
        !html.contains("<script>alert") && !html.contains("<b>") && html.contains("{{ 7*7 }}") && !html.contains("\" onclick"),
        "{html}"
    );
}

#[test]
fn the_labels_are_those_that_others_rely_on() {
    let templates = Templates::embedded();
    let label = |key| templates.text(Language::Nl, key, &[]);
    assert_eq!(label("send-password"), "Stuur mijn wachtwoord");
    assert_eq!(label("enter-password"), "Voer wachtwoord in");
    assert_eq!(label("continue"), "Doorgaan");
    assert_eq!(label("send-code"), "Stuur mijn SMS-code");
    assert_eq!(label("enter-code"), "Voer SMS-code in");
    assert_eq!(label("send-another"), "Klik hier om een nieuwe te ontvangen");
    assert_eq!(label("open-message"), "Bericht openen");
}

#[test]
fn a_status_page_of_a_thousand_recipients_can_be_made() {
    let sample = <StatusPage as view::PageView>::samples().pop().unwrap();
    let file = |number| StatusFile { number, name: Some("besluit.pdf".to_owned()), at: Some(Time::from_millis(1_791_790_000_000)) };
    let row = StatusRow { files: (1..=5).map(file).collect(), ..sample.rows[0].clone() };
    let full = StatusPage { rows: vec![row; 1000], ..sample };
    for language in Language::ALL {
        assert!(Templates::embedded().page(language, "Gemeente Voorbeeld", &full).is_ok());
    }
}
