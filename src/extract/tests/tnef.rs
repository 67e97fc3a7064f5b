//! winmail.dat.

use super::{
    ProblemKind,
    formats::winmail::{attached, attribute, properties, property, wide, winmail},
    has_problem, holds, mail_with, problems, read, read_mail,
};
use crate::extract::Source;

#[test]
fn bodies_properties_and_attachments_come_out() {
    let plain = b"{\\rtf1 BSN 111222333}";
    let packed = [&(plain.len() as u32 + 12).to_le_bytes()[..], &(plain.len() as u32).to_le_bytes(), b"MELA", &[0; 4], &plain[..]].concat();
    let named =
        [&[0x1F, 0, 2, 0x80][..], &[7; 16], &[1, 0, 0, 0, 10, 0, 0, 0], &wide("zaak"), &[0; 2], &property(0x1F, 0, &wide("nummer 8"))[4..]]
            .concat();
    let message = properties(&[
        property(0x1E, 0x1000, b"tekst \xe8\0"),
        property(0x102, 0x1013, b"<p>html</p>"),
        property(0x102, 0x1009, &packed),
        property(0x1F, 0x0037, &wide("Dossier")),
        [&[3, 0, 0xDE, 0x3F][..], &65001u32.to_le_bytes()].concat(),
        named,
    ]);
    let recipients = [&1u32.to_le_bytes()[..], &properties(&[property(0x1F, 0x3001, &wide("Jan Jansen"))])].concat();
    let inner = winmail(&[attribute(1, 0x0001_8004, b"binnen\0"), attached("b.txt", b"BSN 100000009")]);
    let embedded = properties(&[property(0x1F, 0x3001, &wide("doorgestuurd")), property(0x0D, 0x3701, &[&[9; 16][..], &inner].concat())]);
    let octets = winmail(&[
        attribute(1, 0x0006_9007, &[&1250u32.to_le_bytes()[..], &[0; 4]].concat()),
        attribute(1, 0x0001_8004, b"onderwerp\0"),
        attribute(1, 0x0006_9004, &recipients),
        attribute(1, 0x0006_9003, &message),
        attached("lang geheim.txt", b"IBAN NL91ABNA0417164300"),
        attribute(2, 0x0006_9002, &[0; 14]),
        attribute(2, 0x0006_9005, &embedded),
    ]);
    let extraction = read_mail(mail_with("winmail.dat", &octets));
    assert_eq!(problems(&extraction), Vec::<String>::new());
    let told: Vec<_> = extraction.texts.iter().map(|t| (t.part.as_str(), t.source, t.text.trim())).collect();
    let part = "attachment \"winmail.dat\"";
    for (inner, source, text) in [
        (" > text", Source::Body, "tekst č"),
        (" > html", Source::Body, "html"),
        (" > rtf", Source::Body, "BSN 111222333"),
        (" > subject", Source::Attachment, "onderwerp"),
        (" > \"lang geheim.txt\"", Source::Attachment, "IBAN NL91ABNA0417164300"),
        (" > \"attachment\" > \"b.txt\"", Source::Attachment, "BSN 100000009"),
        ("", Source::Properties, "recipient name: Jan Jansen\nsubject: Dossier\nzaak: nummer 8\nname: doorgestuurd"),
    ] {
        let part = format!("{part}{inner}");
        assert!(told.contains(&(part.as_str(), source, text)), "{part}: {told:#?}");
    }
}

#[test]
fn a_broken_winmail_is_told_wherever_it_breaks() {
    let octets = winmail(&[attribute(1, 0x0001_8004, b"BSN 111222333\0"), attached("a.txt", b"BSN 100000009")]);
    assert_eq!(problems(&read("winmail.dat", octets.clone())), Vec::<String>::new());
    // Behind a whole attribute nothing tells that more was to come, but an attachment has its data.
    let (mut ends, mut at) = (vec![6], 6);
    while at < octets.len() {
        at += 11 + u32::from_le_bytes(octets[at + 5..at + 9].try_into().unwrap()) as usize;
        ends.push(at);
    }
    assert_eq!(ends.len(), 6);
    for length in 5..octets.len() {
        let is_told = has_problem(&read("winmail.dat", octets[..length].to_vec()), ProblemKind::Damaged, "tnef");
        assert_eq!(is_told, length == 5 || !ends.contains(&length) || [ends[2], ends[3]].contains(&length), "{length} of {ends:?}");
    }
    let mut wrong = octets.clone();
    wrong[20] ^= 1;
    let extraction = read("winmail.dat", wrong);
    assert!(has_problem(&extraction, ProblemKind::Damaged, "tnef") && holds(&extraction, "BSN 100000009"));
    let endless = winmail(&[attribute(1, 0x0006_9003, &[0xFF; 40])]);
    assert!(has_problem(&read("winmail.dat", endless), ProblemKind::Damaged, "tnef"));
    let rows = winmail(&[attribute(1, 0x0006_9004, &[&u32::MAX.to_le_bytes()[..], &[0; 400]].concat())]);
    assert!(has_problem(&read("winmail.dat", rows), ProblemKind::Damaged, "tnef"));
}
