use super::*;
use std::fs;

const SMALLEST: &str = r#"
[organisation]
name    = "Gemeente Voorbeeld"
domains = ["voorbeeld.example"]
language = "nl"
[smtp]
listen   = ["127.0.0.1:2525"]
next_hop = "smtp://127.0.0.1:2500"
allow    = ["127.0.0.0/8"]
[portal]
listen = ["127.0.0.1:8080"]
url    = "http://127.0.0.1:8080"
[store]
path = "data"
[sms]
provider = "file"
"#;

/// A folder with a configuration and other files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn faults(files: &[(&str, &str)]) -> Vec<String> {
    let folder = folder(files);
    let shown = |f: &Fault| f.to_string().replace(&*folder.path().to_string_lossy(), "FOLDER");
    Config::load(&folder.path().join("zegel.toml")).err().unwrap_or_default().iter().map(shown).collect()
}

#[test]
fn the_smallest_configuration_has_sensible_defaults() {
    let folder = folder(&[("zegel.toml", SMALLEST)]);
    let config = Config::load(&folder.path().join("zegel.toml")).map_err(|f| format!("{f:?}")).unwrap();
    assert_eq!(config.mail.from.as_str(), "zegel@voorbeeld.example");
    assert_eq!(config.smtp.max_size_bytes, 52_428_800);
    assert_eq!(config.smtp.hostname, "zegel.voorbeeld.example");
    assert!(config.smtp.tls.is_none());
    assert_eq!(config.store.path, folder.path().join("data"));
    assert_eq!(config.store.keys, folder.path().join("keys"));
    assert!(matches!(&config.sms.way, SmsWay::File(path) if *path == folder.path().join("data/sms.jsonl")));
    assert_eq!(config.rulebook.internal[0].as_str(), "voorbeeld.example");
    assert!(!config.rulebook.policies.is_empty());
}

#[test]
fn a_client_certificate_needs_its_own_key() {
    let pem = |name: &str| {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    };
    let ((chain, key), (_, other)) = (pem("a.example"), pem("b.example"));
    let text = SMALLEST.replace("[portal]", "client_certificate = \"chain.pem\"\nclient_key = \"key.pem\"\n[portal]");
    let told = |key: &str| faults(&[("zegel.toml", text.as_str()), ("chain.pem", chain.as_str()), ("key.pem", key)]);
    assert_eq!(told(&key), [""; 0]);
    let [fault] = &told(&other)[..] else { panic!() };
    assert!(fault.starts_with("zegel.toml:11: ") && fault.ends_with("the key that belongs to it, both PEM"), "{fault}");
}

#[test]
fn the_commented_configuration_in_deploy_has_no_fault() {
    assert_eq!(faults(&[("zegel.toml", include_str!("../../deploy/zegel.toml"))]), [""; 0]);
}

#[test]
fn rules_and_policies_are_read_even_when_the_configuration_is_at_fault() {
    let found = faults(&[
        ("zegel.toml", "[smtp\n"),
        ("policies/a.toml", "x = 1\n"),
        ("policies/b.yaml", ""),
        ("rules/lists/a.csv", "x"),
        ("templates/mails/x.txt", ""),
    ]);
    let places: Vec<_> = found.iter().map(|f| f.split(": ").next().unwrap()).collect();
    assert_eq!(places, ["policies/a.toml:1", "policies/b.yaml:1", "templates/mails/x.txt:1", "zegel.toml:1"], "{found:#?}");
}

#[test]
fn a_secret_comes_from_its_file() {
    let twilio = SMALLEST.replace(
        "provider = \"file\"",
        "provider = \"twilio\"\naccount = \"AC1\"\nsender = \"Zegel\"\nsecret_file = \"twilio\"\nurl = \"http://127.0.0.1:9/\"",
    );
    let folder = folder(&[("zegel.toml", &twilio), ("twilio", "s3cret\n")]);
    let config = Config::load(&folder.path().join("zegel.toml")).map_err(|f| format!("{f:?}")).unwrap();
    let SmsWay::Accounts(accounts) = config.sms.way else { panic!("it says twilio") };
    assert_eq!((accounts[0].secret.expose().as_str(), accounts[0].url.as_deref()), ("s3cret", Some("http://127.0.0.1:9")));
    assert!(faults(&[("zegel.toml", &twilio)])[0].starts_with("zegel.toml:19: FOLDER/twilio can't be read"));
}

#[test]
fn a_second_provider_may_be_a_file_of_the_organisations_own() {
    let own = include_str!("../../sms/cm.toml").replace("CM.com", "Eigen");
    let sms = "provider = \"messagebird\"\nsender = \"Zegel\"\nsecret_file = \"a\"\ncountries = [\"NL\"]\nper_day = 10\n\
        [sms.second]\nprovider = \"sms/eigen.toml\"\nsender = \"Zegel\"\nsecret_file = \"b\"\nreport_secret_file = \"c\"";
    let text = SMALLEST.replace("provider = \"file\"", sms);
    let files =
        |report_secret| [("zegel.toml", text.as_str()), ("sms/eigen.toml", own.as_str()), ("a", "1"), ("b", "2"), ("c", report_secret)];
    // In one folder, so that nothing but the secret differs.
    let folder = folder(&files("0123456789abcdef"));
    let load = || Config::load(&folder.path().join("zegel.toml")).map_err(|f| format!("{f:?}")).unwrap();
    let config = load();
    let SmsWay::Accounts(accounts) = &config.sms.way else { panic!("there are two") };
    let secrets: Vec<_> =
        accounts.iter().map(|a| (a.secret.expose().as_str(), a.report_secret.as_ref().map(|s| s.expose().as_str()))).collect();
    // MessageBird signs with a secret of its own: without it, nothing that comes is believed.
    assert_eq!(secrets, [("1", None), ("2", Some("0123456789abcdef"))]);
    assert_eq!((config.sms.limits.per_day, config.sms.limits.alarm_at), (10, 8));
    // Another secret needs a restart to count, and says so.
    fs::write(folder.path().join("c"), "0123456789abcdeF").unwrap();
    assert_ne!(config.fixed(), load().fixed());
    assert!(faults(&files("short"))[0].contains("holds less than 16 characters"));
}

#[test]
fn accounts_are_read_from_a_file_that_nobody_else_may_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let made = rcgen::generate_simple_self_signed(vec!["gw.example".to_owned()]).unwrap();
    let (chain, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let with = SMALLEST.replace("[portal]", "certificate = \"c.pem\"\nkey = \"k.pem\"\naccounts = \"accounts\"\n[portal]");
    let accounts = format!("anna:{}\n", crate::smtp::auth::hash_password("geheim"));
    let folder = folder(&[("zegel.toml", &with), ("c.pem", &chain), ("k.pem", &key), ("accounts", &accounts)]);
    let load = |mode| {
        fs::set_permissions(folder.path().join("accounts"), fs::Permissions::from_mode(mode)).unwrap();
        Config::load(&folder.path().join("zegel.toml"))
    };
    assert!(load(0o600).map_err(|f| format!("{f:?}")).unwrap().smtp.accounts.is_some());
    let faults = load(0o640).err().unwrap();
    assert!(
        faults.len() == 1 && faults[0].to_string().contains("others may read") && faults[0].to_string().contains("chmod 600"),
        "{faults:?}"
    );
    fs::write(folder.path().join("accounts"), "anna:geheim\n").unwrap();
    let faults = load(0o600).err().unwrap();
    assert_eq!(faults[0].to_string().split("; ").next(), Some("zegel.toml:12: accounts:1: no PHC string behind the name"), "{faults:?}");
}

#[test]
fn the_key_that_signs_mail_is_checked() {
    let text = SMALLEST.replace("[portal]", "[mail.dkim]\nselector = \"zegel\"\nkey = \"dkim.pem\"\n[portal]");
    assert_ne!(text, SMALLEST);
    let key = aws_lc_rs::signature::Ed25519KeyPair::generate().unwrap().to_pkcs8().unwrap();
    let key = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key.as_ref());
    let key = format!("-----BEGIN PRIVATE KEY-----\n{key}\n-----END PRIVATE KEY-----\n");
    let folder = folder(&[("zegel.toml", &text), ("dkim.pem", &key)]);
    let load = |mode: u32, text: &str| {
        fs::write(folder.path().join("zegel.toml"), text).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(folder.path().join("dkim.pem"), mode).unwrap();
        Config::load(&folder.path().join("zegel.toml")).map_err(|f| f.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    };
    let place = load(0o600, &text).unwrap().mail.signer.unwrap().record().0;
    assert_eq!(place, "zegel._domainkey.voorbeeld.example");
    let check = |mode, text: &str, expected: &str| {
        let told = load(mode, text).err().unwrap();
        assert!(told.contains(expected), "{told}");
    };
    check(0o640, &text, "dkim.pem (mode 640); `chmod 600` it");
    check(0o600, &text.replace("dkim.pem", "zegel.toml"), "others may read");
    check(0o600, &text.replace("dkim.pem", "none.pem"), "none.pem can't be read");
    let other = text.replace("selector = ", "domain = \"elders.example\"\nselector = ");
    check(0o600, &other, "a signature of \"elders.example\" doesn't count for mail from zegel@voorbeeld.example");
    let above = other.replace("elders.example", "example");
    assert!(load(0o600, &above).is_ok());
    fs::write(folder.path().join("dkim.pem"), "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n").unwrap();
    check(0o600, &text, "holds no key that signs mail: RSA of 2048 to 4096 bits, or Ed25519");
}
