//! `zegel demo --once`: the recipient's and the sender's path, by forms alone.

use super::{
    Failed, Stage,
    mailbox::Delivered,
    samples::{RECIPIENT, SENDER, Sample},
    visitor::{Page, Visitor},
};
use std::io::{Cursor, Read as _};

/// Walks the three sample mails; the first step that fails ends it.
pub(super) async fn walk(stage: &Stage, mails: &[Sample], zipped: &[u8], workbook: &[u8]) -> Result<(), Failed> {
    let [clean, word, zip] = mails else { return Err("there are three samples".to_owned()) };
    clean_mail(stage, clean)?;
    level_one(stage, word).await?;
    level_two(stage, zip, zipped, workbook).await
}

fn done(step: &str) {
    println!("  ok  {step}");
}

fn clean_mail(stage: &Stage, sample: &Sample) -> Result<(), Failed> {
    println!("the clean mail");
    let arrived = find(stage, RECIPIENT, |m| m.octets.ends_with(&sample.octets)).ok_or("the clean mail did not arrive as it was sent")?;
    let above = &arrived.octets[..arrived.octets.len() - sample.octets.len()];
    if !above.starts_with(b"Received: ") {
        return Err("something else than a trace header stands above the clean mail".to_owned());
    }
    done("identical, below one trace header");
    Ok(())
}

async fn level_one(stage: &Stage, sample: &Sample) -> Result<(), Failed> {
    println!("level 1");
    let notification = notification(stage, "Uitslag van ons gesprek", sample)?;
    let link = notification.link(&stage.portal).ok_or("the notification has no link")?;
    done("notification without the text");
    let mut visitor = Visitor::new()?;
    let page = visitor.open(&link).await?;
    let before = stage.outside.mails().len();
    let page = visitor.press(&page, "Stuur mijn wachtwoord", &[]).await?;
    let mail = stage.outside.wait_for(before, |m| m.to.iter().any(|a| a.as_str() == RECIPIENT)).await.ok_or("no password mail came")?;
    let password = mail.text().lines().map(str::trim).find(|l| is_password(l)).map(str::to_owned).ok_or("no password in the mail")?;
    done("password by mail, alone on its line");
    let wrong = visitor.press(&page, "Doorgaan", &[("answer", "aaaabbbbcccc")]).await?;
    refused(&wrong, "Uitslag van ons gesprek")?;
    done("a wrong password is refused");
    let read = visitor.press(&wrong, "Doorgaan", &[("answer", &password)]).await?;
    shows(&read, "Dit blijft tussen ons")?;
    done("the text is shown");
    Ok(())
}

async fn level_two(stage: &Stage, sample: &Sample, zipped: &[u8], workbook: &[u8]) -> Result<(), Failed> {
    println!("level 2");
    if find(stage, RECIPIENT, |m| m.subject().contains("dossier")).is_some() {
        return Err("the recipient was notified before a number was known".to_owned());
    }
    let ask = find(stage, SENDER, |m| m.link(&stage.portal).is_some()).ok_or("the sender was not asked for the number")?;
    let link = ask.link(&stage.portal).ok_or("the mail to the sender has no link")?;
    done("the sender is asked for the number");
    let mut sender = Visitor::new()?;
    let page = sender.open(&link).await?;
    let field =
        page.forms().iter().flat_map(|f| f.fields.clone()).map(|(n, _)| n).find(|n| n != "form").ok_or("no field for the number")?;
    let before = stage.outside.mails().len();
    let page = sender.press(&page, "Opslaan en verzenden", &[(&field, "0612")]).await?;
    if stage.outside.mails().len() != before || page.forms().is_empty() {
        return Err("a number that is none was taken".to_owned());
    }
    done("a number that is none is refused");
    sender.press(&page, "Opslaan en verzenden", &[(&field, "06 12345954")]).await?;
    let arrived = stage.outside.wait_for(before, |m| m.to.iter().any(|a| a.as_str() == RECIPIENT)).await;
    let link = arrived.ok_or("no notification came after the number")?.link(&stage.portal).ok_or("the notification has no link")?;
    done("the number is given, the message goes out");

    let mut visitor = Visitor::new()?;
    let page = visitor.open(&link).await?;
    shows(&page, "+31 6 ••••• 954")?;
    let page = visitor.press(&page, "Stuur mijn SMS-code", &[]).await?;
    let code = code(stage).await?;
    done("code by SMS to the masked number");
    let other = if code == "000000" { "000001" } else { "000000" };
    let wrong = visitor.press(&page, "Doorgaan", &[("answer", other)]).await?;
    refused(&wrong, "In de bijlage staat het overzicht")?;
    done("a wrong code is refused");
    let read = visitor.press(&wrong, "Doorgaan", &[("answer", &code)]).await?;
    shows(&read, "In de bijlage staat het overzicht")?;
    done("the text is shown");
    let file = visitor.press(&read, "Downloaden dossier.zip", &[]).await?;
    if file.octets != zipped {
        return Err("the attachment is not what was sent".to_owned());
    }
    let mut inner = Vec::new();
    let mut archive = zip::ZipArchive::new(Cursor::new(&file.octets)).map_err(|e| e.to_string())?;
    archive.by_name("dossier.xlsx").map_err(|e| e.to_string())?.read_to_end(&mut inner).map_err(|e| e.to_string())?;
    if inner != workbook {
        return Err("the workbook is not what was sent".to_owned());
    }
    done("the workbook inside the attachment is identical");
    nothing_leaked(stage, sample)
}

/// No mail that left holds the body or the number.
fn nothing_leaked(stage: &Stage, sample: &Sample) -> Result<(), Failed> {
    let secret = [b"In de bijlage staat".as_slice(), b"Dit blijft tussen ons", b"111222333"];
    for mail in stage.outside.mails() {
        let hit = secret.iter().any(|s| mail.octets.windows(s.len()).any(|w| w == *s));
        if hit || mail.octets.ends_with(&sample.octets) {
            return Err(format!("“{}” left in the clear", mail.subject()));
        }
    }
    done("nothing of the sealed mails left in the clear");
    Ok(())
}

fn notification(stage: &Stage, subject: &str, sample: &Sample) -> Result<Delivered, Failed> {
    let mail = find(stage, RECIPIENT, |m| m.subject().contains(subject)).ok_or("no notification came")?;
    if mail.octets.ends_with(&sample.octets) { Err("the sensitive mail itself came".to_owned()) } else { Ok(mail) }
}

fn find(stage: &Stage, to: &str, wanted: impl Fn(&Delivered) -> bool) -> Option<Delivered> {
    stage.outside.mails().into_iter().find(|m| m.to.iter().any(|a| a.as_str() == to) && wanted(m))
}

fn is_password(line: &str) -> bool {
    line.len() == 12 && line.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
}

fn shows(page: &Page, text: &str) -> Result<(), Failed> {
    if page.text().contains(text) { Ok(()) } else { Err(format!("the page does not show “{text}”, but: {}", page.text())) }
}

fn refused(page: &Page, text: &str) -> Result<(), Failed> {
    if page.text().contains(text) && page.forms().iter().all(|f| f.button != "Doorgaan") {
        return Err("a wrong answer was taken".to_owned());
    }
    Ok(())
}

/// The code in the last SMS: it is on disk when the page that says "sent" is shown.
async fn code(stage: &Stage) -> Result<String, Failed> {
    let lines = tokio::fs::read_to_string(&stage.sms).await.map_err(|e| format!("no SMS: {e}"))?;
    let last: serde_json::Value = serde_json::from_str(lines.lines().last().unwrap_or_default()).map_err(|e| e.to_string())?;
    let text = last.get("text").and_then(|t| t.as_str()).unwrap_or_default();
    text.split(|c: char| !c.is_ascii_digit()).find(|w| w.len() == 6).map(str::to_owned).ok_or_else(|| "no code in the SMS".to_owned())
}
