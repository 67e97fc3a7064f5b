//! From a mail that swaks hands to a real Postfix to the text and the file, by forms alone and without JavaScript; and what is left on disk and in
//! the log of all that.

use crate::{
    carrier::{ACCOUNT, Carrier, SECRET},
    postfix::{Postfix, Way, is_root},
    process::{Zegel, configure, has},
    world::{contains, outside},
};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;
use tokio::sync::watch;
use zegel::demo::{
    mailbox::{Delivered, Mailbox},
    samples,
    visitor::{Page, Visitor},
};

const TEXT: &str = "Hierbij het overzicht van uw dossier.";
const SENDER: &str = "anna@gemeente.example";
const RECIPIENT: &str = "burger@post.example";
const PHONE: &str = "+31612345954";

struct Walk {
    // Programs end before their folder goes.
    zegel: Zegel,
    postfix: Postfix,
    folder: TempDir,
    outside: Mailbox,
    portal: String,
    twilio: Carrier,
    workbook: Vec<u8>,
    _next_hop: watch::Sender<bool>,
}

impl Walk {
    /// Postfix, zegel with Twilio's stand-in, and the outside world; `policy` overrules the embedded policies.
    async fn begin(policy: Option<&str>) -> Walk {
        let folder = TempDir::new().unwrap();
        let (outside, hop, next_hop) = outside().await;
        let twilio = Carrier::start("twilio", &[]).await;
        let (gateway, portal) = configure(folder.path(), hop);
        use_twilio(folder.path(), twilio.address);
        if let Some(policy) = policy {
            fs::create_dir(folder.path().join("policies")).unwrap();
            fs::write(folder.path().join("policies/test.toml"), policy).unwrap();
        }
        let zegel = Zegel::run(folder.path());
        let postfix = Postfix::start(folder.path(), gateway, Way::Relayhost);
        let workbook = samples::workbook().unwrap();
        fs::write(folder.path().join("overzicht.xlsx"), &workbook).unwrap();
        Walk { folder, outside, portal, zegel, postfix, twilio, workbook, _next_hop: next_hop }
    }

    /// What a person does at the command line.
    fn swaks(&self) {
        let out = Command::new("swaks")
            .args(["--server", &self.postfix.address.to_string(), "--from", SENDER, "--to", RECIPIENT])
            .args(["--header", "Subject: Uw dossier", "--body", TEXT, "--attach-type"])
            .arg("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
            .args(["--attach-name", "overzicht.xlsx", "--attach"])
            .arg(format!("@{}", self.folder.path().join("overzicht.xlsx").display()))
            .output()
            .expect("swaks is installed");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stdout));
    }

    async fn mail_for(&self, to: &str, from: usize) -> Delivered {
        let came = self.outside.wait_for(from, |m| m.to.iter().any(|a| a.as_str() == to)).await;
        came.unwrap_or_else(|| panic!("no mail for {to}"))
    }

    /// The message page shows the text, and gives back the file byte for byte.
    async fn read(&self, visitor: &mut Visitor, page: &Page) {
        assert!(page.text().contains(TEXT), "{}", page.text());
        let file = visitor.press(page, "Downloaden overzicht.xlsx", &[]).await.unwrap();
        assert_eq!(file.octets, self.workbook);
        for mail in self.outside.mails() {
            assert!(!contains(&mail.octets, TEXT.as_bytes()), "“{}” left in the clear", mail.subject());
        }
    }

    /// Ends zegel and looks through everything it has left for each of `secrets`.
    fn leaves_no(self, secrets: &[&str]) {
        let mut places: Vec<(PathBuf, Vec<u8>)> = vec![("the log".into(), self.zegel.terminate().join("\n").into_bytes())];
        collect(&self.folder.path().join("data"), &mut places);
        assert!(places.len() > 3, "there is a log, a database, and blobs");
        for (place, octets) in &places {
            for secret in secrets {
                assert!(!contains(octets, secret.as_bytes()), "{} holds {secret:?}", place.display());
            }
        }
    }
}

fn use_twilio(folder: &Path, address: SocketAddr) {
    let file = folder.join("zegel.toml");
    let sms = format!(
        "[sms]\nprovider = \"twilio\"\naccount = \"{ACCOUNT}\"\nsender = \"Gemeente\"\nsecret_file = \"twilio.secret\"\nurl = \"http://{address}\"\n"
    );
    let text = fs::read_to_string(&file).unwrap().replace("[sms]\nprovider = \"file\"\n", &sms);
    fs::write(file, text).unwrap();
    fs::write(folder.join("twilio.secret"), SECRET).unwrap();
    assert!(Command::new("chmod").arg("600").arg(folder.join("twilio.secret")).status().unwrap().success());
}

fn collect(folder: &Path, places: &mut Vec<(PathBuf, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            collect(&entry.path(), places);
        } else if kind.is_file() {
            places.push((entry.path(), fs::read(entry.path()).unwrap()));
        }
    }
}

fn can_run() -> bool {
    has("postfix") && has("swaks") && is_root()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_with_a_bsn_is_read_at_level_two_after_the_number_page_and_nothing_is_left_in_the_clear() {
    if !can_run() {
        return;
    }
    let walk = Walk::begin(None).await;
    walk.swaks();
    let asked = walk.mail_for(SENDER, 0).await;
    let approval = asked.link(&walk.portal).expect("a link to the number page");
    let mut sender = Visitor::new().unwrap();
    let page = sender.open(&approval).await.unwrap();
    assert!(page.text().contains(RECIPIENT));
    let field = page.forms().iter().flat_map(|f| f.fields.clone()).map(|(name, _)| name).find(|n| n != "form").expect("a field");
    let before = walk.outside.mails().len();
    sender.press(&page, "Opslaan en verzenden", &[(&field, "06 - 12 34 59 54")]).await.unwrap();

    let link = walk.mail_for(RECIPIENT, before).await.link(&walk.portal).expect("a link");
    let mut visitor = Visitor::new().unwrap();
    let page = visitor.open(&link).await.unwrap();
    let page = visitor.press(&page, "Stuur mijn SMS-code", &[]).await.unwrap();
    assert_eq!(walk.twilio.taken()[0].to, PHONE);
    let code = walk.twilio.last_code();
    let page = visitor.press(&page, "Doorgaan", &[("answer", &code)]).await.unwrap();
    walk.read(&mut visitor, &page).await;
    let [link, approval] = [&link, &approval].map(|l| l.rsplit('/').next().unwrap().to_owned());
    walk.leaves_no(&[TEXT, "111222333", PHONE, "612345954", &code, &link, &approval, "overzicht.xlsx", "Uw dossier", RECIPIENT, "Bakker"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_with_a_bsn_is_read_at_level_one_by_a_policy_of_the_organisation() {
    if !can_run() {
        return;
    }
    let policy = "[[policy]]\nname = \"BSN\"\nwhen = { rule = \"bsn\" }\nthen = \"level 1\"\n\
                  [[policy]]\nname = \"onleesbaar\"\nwhen = { problem = [\"encrypted\", \"damaged\", \"unsupported\", \"too-deep\", \"too-large\", \"timeout\"] }\nthen = \"level 1\"\n";
    let walk = Walk::begin(Some(policy)).await;
    walk.swaks();
    let link = walk.mail_for(RECIPIENT, 0).await.link(&walk.portal).expect("a link");
    let mut visitor = Visitor::new().unwrap();
    let page = visitor.open(&link).await.unwrap();
    let before = walk.outside.mails().len();
    let page = visitor.press(&page, "Stuur mijn wachtwoord", &[]).await.unwrap();
    let mail = walk.mail_for(RECIPIENT, before).await.text();
    let is_password = |l: &&str| l.len() == 12 && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let password = mail.lines().find(is_password).expect("the password alone on a line").to_owned();
    let page = visitor.press(&page, "Doorgaan", &[("answer", &password)]).await.unwrap();
    walk.read(&mut visitor, &page).await;
    let link = link.rsplit('/').next().unwrap().to_owned();
    walk.leaves_no(&[TEXT, "111222333", &password, &link, "overzicht.xlsx", "Uw dossier", RECIPIENT]);
}
