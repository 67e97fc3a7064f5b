use super::*;
use aws_lc_rs::{
    rsa::{KeyPair, KeySize},
    signature::{ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};

fn domain(text: &str) -> Domain {
    Domain::parse(text).unwrap()
}

fn pem(kind: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|l| std::str::from_utf8(l).unwrap()).collect();
    format!("-----BEGIN {kind}-----\n{}\n-----END {kind}-----\n", lines.join("\n"))
}

fn rsa(size: KeySize) -> String {
    pem("PRIVATE KEY", KeyPair::generate(size).unwrap().as_der().unwrap().as_ref())
}

fn ed25519() -> String {
    pem("PRIVATE KEY", Ed25519KeyPair::generate().unwrap().to_pkcs8().unwrap().as_ref())
}

fn signer(pem: &str) -> Signer {
    Signer::new(domain("voorbeeld.example"), domain("zegel"), pem.as_bytes()).unwrap()
}

/// A signed mail read by rules of its own, from the text of the RFC: regular expressions and no code of ours.
struct Verified {
    header: String,
    body: String,
    tags: std::collections::BTreeMap<String, String>,
    field: String,
}

fn taken_apart(mail: &[u8]) -> Verified {
    let mail = std::str::from_utf8(mail).unwrap();
    let (header, body) = mail.split_once("\r\n\r\n").unwrap();
    let header = format!("{header}\r\n");
    let folded = regex::Regex::new(r"\r\n[ \t]").unwrap();
    let field = folded.replace_all(&header, " ").lines().find(|l| l.starts_with("DKIM-Signature:")).unwrap().to_owned();
    let tags = field.split_once(':').unwrap().1.split(';').map(|tag| tag.split_once('=').unwrap());
    let tags = tags.map(|(name, value)| (name.trim().to_owned(), value.replace([' ', '\t'], ""))).collect();
    Verified { header: folded.replace_all(&header, " ").into_owned(), body: body.to_owned(), tags, field }
}

/// Whether the signature holds (RFC 6376, 6.1.3).
fn holds(signer: &Signer, mail: &[u8]) -> bool {
    let Verified { header, body, tags, field } = taken_apart(mail);
    let spaces = regex::Regex::new(r"[ \t]+").unwrap();
    let body: Vec<_> = body.split("\r\n").map(|line| spaces.replace_all(line, " ").trim_end_matches(' ').to_owned()).collect();
    let body = body.join("\r\n");
    let body = body.trim_end_matches("\r\n");
    let body = if body.is_empty() { String::new() } else { format!("{body}\r\n") };
    if tags["bh"] != STANDARD.encode(digest::digest(&digest::SHA256, body.as_bytes())) {
        return false;
    }
    let canonical = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        format!("{}:{}", name.to_lowercase(), spaces.replace_all(value, " ").trim())
    };
    let mut lines: Vec<&str> = header.split("\r\n").filter(|l| !l.is_empty()).collect();
    let mut covered = String::new();
    for name in tags["h"].split(':') {
        let last = lines.iter().rposition(|line| line.split(':').next().unwrap().eq_ignore_ascii_case(name));
        if let Some(last) = last {
            covered += &format!("{}\r\n", canonical(lines.remove(last)));
        }
    }
    let (before, _) = field.rsplit_once("b=").map(|(before, _)| (before, ())).unwrap();
    // The value of b= may hold the letters too; the tag is what follows the last semicolon.
    let unsigned = format!("{} b=", &field[..field.rfind(';').unwrap() + 1]);
    assert!(before.len() >= unsigned.len() - 2);
    covered += &canonical(&unsigned);
    let signature = STANDARD.decode(&tags["b"]).unwrap();
    let record = signer.record().1;
    let key = STANDARD.decode(record.rsplit_once("p=").unwrap().1).unwrap();
    match tags["a"].as_str() {
        "rsa-sha256" => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &key).verify(covered.as_bytes(), &signature).is_ok(),
        "ed25519-sha256" => {
            let digest = digest::digest(&digest::SHA256, covered.as_bytes());
            UnparsedPublicKey::new(&ED25519, &key).verify(digest.as_ref(), &signature).is_ok()
        }
        other => panic!("{other}"),
    }
}

const HEAD: &str = "From: \"Jan (via Gemeente)\"\r\n <zegel@voorbeeld.example>\r\nTo: <a@elders.example>\r\nSubject: =?utf-8?Q?Uw_?=\r\n\taanvraag\r\n\
    Date: Tue, 3 Feb 2026 14:06:00 +0000\r\nMessage-ID: <1@voorbeeld.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n";

fn signed(signer: &Signer, body: &str) -> Vec<u8> {
    let mut mail = format!("{HEAD}\r\n{body}").into_bytes();
    signer.sign(&mut mail, Time::from_millis(1_770_127_560_000)).unwrap();
    mail
}

#[test]
fn a_signature_holds_until_something_is_changed() {
    let long = "x".repeat(5000);
    let bodies = ["", "\r\n", "\r\n\r\n", "a", "a\r\n", " a \t b \r\n\r\n\t\r\n c\r\n \r\n\r\n", "é 8-bit ü\r\n", &long, ".\r\n..\r\n"];
    for signer in [signer(&rsa(KeySize::Rsa2048)), signer(&ed25519())] {
        for body in bodies {
            let mail = signed(&signer, body);
            assert!(holds(&signer, &mail), "{}", String::from_utf8_lossy(&mail));
            let text = String::from_utf8(mail).unwrap();
            for (old, new) in
                [("Jan", "Piet"), ("aanvraag", "aanvragen"), ("MIME-Version: 1.0", "MIME-Version: 1.1"), ("Message-ID", "Message-IX")]
            {
                assert!(!holds(&signer, text.replace(old, new).as_bytes()), "{old}");
            }
            assert!(!holds(&signer, format!("{text}x").as_bytes()));
            // Nobody can add a field that we have, or could have.
            for added in ["From: x@x.example", "Reply-To: x@x.example", "Content-Type: text/html", "Subject: x", "Cc: x@x.example"] {
                assert!(!holds(&signer, format!("{added}\r\n{text}").as_bytes()), "{added}");
                assert!(!holds(&signer, text.replacen("\r\nTo:", &format!("\r\n{added}\r\nTo:"), 1).as_bytes()), "{added}");
            }
            // What servers on the way may do to white space.
            let changed = text.replace("\r\n\taanvraag", "  \t aanvraag").replacen("From: ", "from:   ", 1);
            assert!(holds(&signer, changed.as_bytes()), "{changed}");
        }
    }
}

#[test]
fn the_field_of_a_signature_is_short_lines_of_ascii() {
    let mail = signed(&signer(&rsa(KeySize::Rsa4096)), "a\r\n");
    let text = String::from_utf8(mail).unwrap();
    let (field, _) = text.split_once("\r\nFrom:").unwrap();
    assert!(field.starts_with(
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=voorbeeld.example;\r\n\ts=zegel; t=1770127560; h=\r\n\tFrom:From:"
    ));
    assert!(field.is_ascii() && field.split("\r\n").all(|line| line.len() <= 78), "{field}");
}

#[test]
fn a_key_is_one_that_verifiers_take() {
    let check = |pem: &str| Signer::new(domain("voorbeeld.example"), domain("zegel"), pem.as_bytes()).map(|s| s.record()).map_err(|_| ());
    let (place, record) = check(&ed25519()).unwrap();
    assert_eq!(place, "zegel._domainkey.voorbeeld.example");
    assert!(record.starts_with("v=DKIM1; k=ed25519; p=") && record.len() == 66, "{record}");
    assert!(check(&rsa(KeySize::Rsa4096)).unwrap().1.starts_with("v=DKIM1; k=rsa; p=MIICIjANBgkqhkiG9w0BAQEFAAOCAg8A"));
    for bad in ["", "x", &pem("PRIVATE KEY", b"x"), &pem("CERTIFICATE", b"x"), &pem("EC PRIVATE KEY", b"x")] {
        assert_eq!(check(bad), Err(()), "{bad}");
    }
}
