//! The organisation's signature on every mail that zegel writes, read by another program; and none on what passes through.

use crate::{
    process::has,
    reports::letters,
    world::{ANNA, BURGER, COLLEGA, World, contains, mail},
};
use aws_lc_rs::{encoding::AsDer as _, rsa, signature::Ed25519KeyPair};
use base64::Engine as _;
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command, sync::Arc};
use zegel::{
    address::{Address, Domain},
    notice::{Contents, Letter, Organisation, Signer, compose, compose_reply},
    secret::{Id, Token},
    template::Templates,
    time::Time,
};

/// Debian's own Python: the one that apt's python3-dkim is for.
const PYTHON: &str = "/usr/bin/python3";

/// Prints the names of the files whose signature holds and comes first in the mail; DNS has the one record.
const SCRIPT: &str = r#"
import dkim, sys
name, record = sys.argv[1].encode(), sys.argv[2].encode()
def look(asked, timeout=5):
    return record if asked.rstrip(b".") == name else None
for file in sys.argv[3:]:
    mail = open(file, "rb").read()
    try:
        good = mail.startswith(b"DKIM-Signature:") and dkim.DKIM(mail).verify(dnsfunc=look)
    except dkim.DKIMException:
        good = False
    print(int(good))
"#;

fn can_run() -> bool {
    let there = has(PYTHON) && Command::new(PYTHON).args(["-c", "import dkim, nacl"]).status().is_ok_and(|s| s.success());
    assert!(there || std::env::var_os("ZEGEL_REQUIRE_PROGRAMS").is_none(), "python3-dkim is not installed");
    if !there {
        println!("LEFT OUT: python3-dkim is not installed");
    }
    there
}

/// How many of these mails dkimpy believes.
fn believed(signer: &Signer, mails: &[Vec<u8>]) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let (name, record) = signer.record();
    let mut python = Command::new(PYTHON);
    python.args(["-c", SCRIPT, &name, &record]);
    for (number, octets) in mails.iter().enumerate() {
        let file = folder.path().join(number.to_string());
        fs::write(&file, octets).unwrap();
        python.arg(file);
    }
    let out = python.output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().lines().filter(|line| *line == "1").count()
}

fn pem(der: &[u8]) -> String {
    // One long line is PEM too.
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", base64::engine::general_purpose::STANDARD.encode(der))
}

fn rsa_key() -> String {
    pem(rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap().as_der().unwrap().as_ref())
}

fn signer(pem: &str, signs_for: &str) -> Arc<Signer> {
    let domain = |text: &str| Domain::parse(text).unwrap();
    Arc::new(Signer::new(domain(signs_for), domain("zegel"), pem.as_bytes()).unwrap())
}

#[test]
fn another_program_believes_every_mail_that_zegel_writes() {
    if !can_run() {
        return;
    }
    let templates = Templates::embedded();
    for pem in [rsa_key(), pem(Ed25519KeyPair::generate().unwrap().to_pkcs8().unwrap().as_ref())] {
        let signer = signer(&pem, "voorbeeld.example");
        let organisation = Organisation {
            name: "Gemeente Súdwest-Fryslân, \"afdeling\" Burgerzaken".to_owned(),
            from: Address::parse("zegel@voorbeeld.example").unwrap(),
            url: "https://bericht.voorbeeld.example".to_owned(),
            language: "nl".to_owned(),
            hostname: "zegel.voorbeeld.example".to_owned(),
            bounces: None,
            signer: Some(signer.clone()),
        };
        let (id, at) = (Id([7; 16]), Time::from_millis(1_791_790_000_000));
        let written =
            letters().into_iter().map(|letter| compose(&letter, &Token::random(), id, at, &organisation, &templates).unwrap().octets);
        let mut mails: Vec<Vec<u8>> = written.collect();
        // Spaces at the ends of lines, 8-bit, lines beyond every limit, dots, and nothing at all.
        for text in ["", " \t\r\n\r\n", "één\r\n.\r\n..\r\n  twee  \t drie \r\n\r\n", &"lang é ".repeat(2000), &"x".repeat(20_000)] {
            let letter = Letter::Reply {
                token: Token::random(),
                sender: Address::parse(ANNA).unwrap(),
                recipient: Address::parse(BURGER).unwrap(),
                subject: "Uw aanvraag über alles ".repeat(20),
                in_reply_to: Some("1@voorbeeld.example".to_owned()),
                language: "fr".to_owned(),
            };
            let files = vec![("één bestand.bin".to_owned(), "application/pdf".to_owned(), (0..=255).cycle().take(5000).collect())];
            let contents = Contents { text: text.to_owned(), html: None, files };
            mails.push(compose_reply(&letter, contents, id, at, &organisation, &templates).unwrap().octets);
        }
        assert_eq!(believed(&signer, &mails), mails.len());
        // It would notice: a field is added, a letter of the body changes.
        let added: Vec<_> = mails
            .iter()
            .map(|mail| String::from_utf8(mail.clone()).unwrap().replacen("\r\nFrom:", "\r\nReply-To: x@x.example\r\nFrom:", 1))
            .collect();
        assert_eq!(believed(&signer, &added.into_iter().map(String::into_bytes).collect::<Vec<_>>()), 0);
        let longer: Vec<_> = mails.iter().map(|mail| [&mail[..], b"x\r\n"].concat()).collect();
        assert_eq!(believed(&signer, &longer), 0);
    }
}

fn with_key(folder: &Path, pem: &str) {
    let key = folder.join("dkim.pem");
    fs::write(&key, pem).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let file = folder.join("zegel.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\n[mail.dkim]\nselector = \"zegel\"\nkey = \"dkim.pem\"\n")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_zegel_writes_leaves_with_a_signature_and_what_passes_leaves_as_it_came() {
    let pem = rsa_key();
    let world = World::with(|folder| with_key(folder, &pem), |opened| opened).await;
    let clean = mail("Vergadering", "Dinsdag.");
    assert_eq!(world.send(ANNA, &[COLLEGA], clean.as_bytes()).await.code(), 250);
    let passed = world.mails_for(COLLEGA, 1).await[0].octets.to_vec();
    assert!(passed.ends_with(clean.as_bytes()) && !contains(&passed, b"DKIM-Signature"));

    world.send(ANNA, &[BURGER], mail("[beveiligd] Besluit", "Het besluit is positief.").as_bytes()).await;
    let notification = world.mails_for(BURGER, 1).await[0].octets.to_vec();
    assert!(contains(&notification, b"DKIM-Signature: v=1; a=rsa-sha256;"), "{}", String::from_utf8_lossy(&notification));
    if can_run() {
        // What the next hop puts above it is no part of it.
        let at = String::from_utf8(notification.clone()).unwrap().find("DKIM-Signature:").unwrap();
        assert_eq!(believed(&signer(&pem, "gemeente.example"), &[notification[at..].to_vec()]), 1);
    }
}
