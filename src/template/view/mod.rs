//! What each template is given, with the samples by which it is checked.

mod mail;
mod page;
mod sender;

pub use mail::{
    AskMail, DelayedMail, FilesMail, LockedMail, NotNotifiedMail, NotSentMail, NotificationMail, NumberMail, PasswordMail, RelayedMail,
    ReplyNotSentMail, ToldMail, UndeliveredMail, WrongNumberMail,
};
pub use page::{CheckPage, Checked, Fault, File, MessagePage, NoticePage, ReplyForm, Said, Stage, StartPage, TextPage, ViewPage};
pub use sender::{DecidePage, NumberRow, NumbersPage, OpenlyPage, RecipientLine, StatusFile, StatusPage, StatusRow};

use super::{Language, Templates, fault};
use crate::{fault::Faults, time::Time};
use serde::Serialize;

/// The values of a page.
pub trait PageView: Serialize + Sized {
    /// Its template, below `templates/`.
    const TEMPLATE: &'static str;

    /// Whether it tells of a fault in what was filled in: the title says so first, where a screen reader begins.
    fn faulty(&self) -> bool {
        false
    }

    /// The token that each of its forms must send along, or the server refuses what was filled in.
    fn form(&self) -> Option<&str> {
        None
    }

    /// Values with which the template is checked: every branch is taken once.
    fn samples() -> Vec<Self>;
}

/// The values of a mail.
pub trait MailView: Serialize + Sized {
    /// The name of its templates, `mails/<name>.txt` and `.html`.
    const TEMPLATE: &'static str;

    /// What a mail is of no use without: its link or its password, on a line of its own in the text part. Programs look for it there, too.
    fn essence(&self) -> Option<&str> {
        None
    }

    /// Values with which the templates are checked.
    fn samples() -> Vec<Self>;
}

/// A moment for samples: so many days after one in February.
fn moment(days: i64) -> Time {
    Time::from_millis(1_770_127_560_000 + days * 86_400_000)
}

/// Renders everything with its samples, in every language.
pub(super) fn check_all(templates: &Templates, faults: &Faults) {
    check_page::<StartPage>(templates, faults);
    check_page::<MessagePage>(templates, faults);
    check_page::<TextPage>(templates, faults);
    check_page::<ViewPage>(templates, faults);
    check_page::<NumbersPage>(templates, faults);
    check_page::<DecidePage>(templates, faults);
    check_page::<OpenlyPage>(templates, faults);
    check_page::<StatusPage>(templates, faults);
    check_page::<CheckPage>(templates, faults);
    check_page::<NoticePage>(templates, faults);
    check_mail::<NotificationMail>(templates, faults);
    check_mail::<FilesMail>(templates, faults);
    check_mail::<PasswordMail>(templates, faults);
    check_mail::<NumberMail>(templates, faults);
    check_mail::<NotSentMail>(templates, faults);
    check_mail::<ReplyNotSentMail>(templates, faults);
    check_mail::<NotNotifiedMail>(templates, faults);
    check_mail::<DelayedMail>(templates, faults);
    check_mail::<RelayedMail>(templates, faults);
    check_mail::<LockedMail>(templates, faults);
    check_mail::<UndeliveredMail>(templates, faults);
    check_mail::<WrongNumberMail>(templates, faults);
    check_mail::<ToldMail>(templates, faults);
    check_mail::<AskMail>(templates, faults);
}

fn check_page<V: PageView>(templates: &Templates, faults: &Faults) {
    for language in Language::ALL {
        for sample in V::samples() {
            let frame = templates.frame(language, "Gemeente Voorbeeld", sample.faulty(), Some(&sample), None);
            // One fault of a template is enough; an endless loop would take its time for every sample.
            match templates.render(language, V::TEMPLATE, &frame) {
                Err(error) => return fault(faults, V::TEMPLATE, &error),
                Ok(html) if sample.form().is_some_and(|token| lacks_token(&html, token)) => {
                    let remedy = "put `<input type=\"hidden\" name=\"form\" value=\"{{ page.form }}\">` in every form";
                    return faults.add(&format!("templates/{}", V::TEMPLATE), 1, "a form does not send its token along", remedy);
                }
                Ok(_) => {}
            }
        }
    }
}

fn check_mail<V: MailView>(templates: &Templates, faults: &Faults) {
    for language in Language::ALL {
        for sample in V::samples() {
            let frame = templates.frame(language, "Gemeente Voorbeeld", false, None, Some(&sample));
            for kind in ["txt", "html"] {
                let name = format!("mails/{}.{kind}", V::TEMPLATE);
                match templates.render(language, &name, &frame) {
                    Err(error) => return fault(faults, &name, &error),
                    Ok(body) if sample.essence().is_some_and(|essence| !tells(&body, kind, essence)) => {
                        let what = "this mail does not tell its link or password";
                        let remedy = "put it back as the built-in template has it; in the .txt it stands on a line of its own";
                        return faults.add(&format!("templates/{name}"), 1, what, remedy);
                    }
                    Ok(_) => {}
                }
            }
        }
    }
}

fn lacks_token(html: &str, token: &str) -> bool {
    let token = format!("name=\"form\" value=\"{token}\"");
    html.split("<form").skip(1).any(|form| !form.split("</form").next().unwrap_or(form).contains(&token))
}

fn tells(body: &str, kind: &str, essence: &str) -> bool {
    if kind == "txt" { body.lines().any(|line| line == essence) } else { body.contains(essence) }
}
