//! The words and layout of pages and mails: templates (minijinja) with texts in each language (Fluent).
//!
//! `templates/` beside the configuration may replace any file, and single texts of `templates/words/<language>.ftl`. Every template is
//! rendered in every language with sample values before it is used, so a broken one never reaches a recipient.

mod moment;
mod view;
mod words;

pub use view::{
    AskMail, CheckPage, Checked, DecidePage, DelayedMail, Fault, File, FilesMail, LockedMail, MailView, MessagePage, NotNotifiedMail,
    NotSentMail, NoticePage, NotificationMail, NumberMail, NumberRow, NumbersPage, OpenlyPage, PageView, PasswordMail, RecipientLine,
    RelayedMail, ReplyForm, ReplyNotSentMail, Said, Stage, StartPage, StatusFile, StatusPage, StatusRow, TextPage, ToldMail,
    UndeliveredMail, ViewPage, WrongNumberMail,
};

use crate::{
    fault::{Faults, Files, did_you_mean},
    time::Time,
};
use fluent_bundle::{FluentArgs, FluentValue};
use minijinja::{
    AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value,
    value::{Kwargs, Serde},
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, sync::Arc};
use words::Words;

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../", $name)))),*]
    };
}

/// The templates of this program, by the name under which a configuration may replace them.
pub const EMBEDDED: &[(&str, &str)] = embedded![
    "templates/mails/ask.html",
    "templates/mails/ask.txt",
    "templates/mails/delayed.html",
    "templates/mails/delayed.txt",
    "templates/mails/files.html",
    "templates/mails/files.txt",
    "templates/mails/layout.html",
    "templates/mails/locked.html",
    "templates/mails/locked.txt",
    "templates/mails/not-notified.html",
    "templates/mails/not-notified.txt",
    "templates/mails/not-sent.html",
    "templates/mails/not-sent.txt",
    "templates/mails/notification.html",
    "templates/mails/notification.txt",
    "templates/mails/number.html",
    "templates/mails/number.txt",
    "templates/mails/parts.html",
    "templates/mails/password.html",
    "templates/mails/password.txt",
    "templates/mails/relayed.html",
    "templates/mails/relayed.txt",
    "templates/mails/reply-not-sent.html",
    "templates/mails/reply-not-sent.txt",
    "templates/mails/told.html",
    "templates/mails/told.txt",
    "templates/mails/undelivered.html",
    "templates/mails/undelivered.txt",
    "templates/mails/wrong-number.html",
    "templates/mails/wrong-number.txt",
    "templates/pages/check.html",
    "templates/pages/decide.html",
    "templates/pages/layout.html",
    "templates/pages/message.html",
    "templates/pages/notice.html",
    "templates/pages/numbers.html",
    "templates/pages/openly.html",
    "templates/pages/start.html",
    "templates/pages/status.html",
    "templates/pages/text.html",
    "templates/pages/view.html",
    "templates/static/zegel.css",
    "templates/static/zegel.js",
    "templates/words/de.ftl",
    "templates/words/en.ftl",
    "templates/words/fr.ftl",
    "templates/words/nl.ftl",
];

/// Steps that one rendering may take: ten times what a list of a thousand recipients needs, and an end for an endless loop.
const FUEL: u64 = 1_000_000;

/// A language in which zegel speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// Dutch.
    Nl,
    /// English.
    En,
    /// German.
    De,
    /// French.
    Fr,
}

impl Language {
    /// Every language; the first is spoken where nothing else is known.
    pub const ALL: [Language; 4] = [Language::Nl, Language::En, Language::De, Language::Fr];

    /// Its code (BCP 47), as in records, configuration and `lang` attributes.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Language::Nl => "nl",
            Language::En => "en",
            Language::De => "de",
            Language::Fr => "fr",
        }
    }

    /// The language with this code.
    #[must_use]
    pub fn parse(code: &str) -> Option<Language> {
        Language::ALL.into_iter().find(|l| l.code() == code)
    }

    /// The language of a record; one that an older or newer version wrote may be unknown here.
    #[must_use]
    pub fn of_record(code: &str) -> Language {
        Language::parse(code).unwrap_or(Language::ALL[0])
    }
}

/// A complete, checked set of templates. A page or mail is made from one set, also while another takes its place.
pub struct Templates {
    languages: Vec<Spoken>,
    assets: BTreeMap<String, String>,
    version: String,
}

struct Spoken {
    language: Language,
    words: Arc<Words>,
    templates: Environment<'static>,
}

/// A template failed although its check passed: a fault of zegel.
#[derive(Debug, thiserror::Error)]
#[error("template {0}")]
pub struct RenderError(String);

impl RenderError {
    /// A reply was to be composed without what it says: a fault of zegel.
    #[must_use]
    pub fn without_contents() -> RenderError {
        RenderError("of a reply: it is composed with its contents".to_owned())
    }

    /// A mail could not be signed: the key failed.
    #[must_use]
    pub fn not_signed() -> RenderError {
        RenderError("of a mail: its signature could not be made".to_owned())
    }
}

/// A mail's two bodies.
pub struct Bodies {
    /// `text/plain`.
    pub text: String,
    /// `text/html`.
    pub html: String,
}

/// What every template is given beside its own values.
#[derive(Serialize)]
struct Frame<'a, V> {
    language: &'a str,
    languages: Vec<Named>,
    organisation: &'a str,
    static_version: &'a str,
    faulty: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<&'a V>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mail: Option<&'a V>,
}

#[derive(Serialize)]
struct Named {
    code: &'static str,
    name: String,
}

impl Templates {
    /// The embedded templates with `files` in their places. Every fault is reported; with a fault the set must not be used.
    #[must_use]
    pub fn compile(files: &Files, faults: &Faults) -> Templates {
        for name in files.keys() {
            if !EMBEDDED.iter().any(|(known, _)| known == name) {
                let remedy = match did_you_mean(name, EMBEDDED.iter().map(|(known, _)| *known)) {
                    Some(meant) => format!("did you mean `{meant}`?"),
                    None => "remove it; only templates that exist can be replaced".to_owned(),
                };
                faults.add(name, 1, "this is no template of zegel", remedy);
            }
        }
        let sources: BTreeMap<&str, &str> =
            EMBEDDED.iter().map(|(name, ours)| (*name, files.get(*name).map_or(*ours, String::as_str))).collect();
        let assets: BTreeMap<String, String> = sources
            .iter()
            .filter_map(|(name, source)| Some((name.strip_prefix("templates/static/")?.to_owned(), (*source).to_owned())))
            .collect();
        let languages = Language::ALL.into_iter().map(|language| spoken(language, &sources, files, faults)).collect();
        let templates = Templates { languages, version: version(&assets), assets };
        if faults.is_empty() {
            view::check_all(&templates, faults);
        }
        templates
    }

    /// The embedded templates.
    ///
    /// # Panics
    /// Never: a test compiles them.
    #[must_use]
    pub fn embedded() -> Templates {
        let faults = Faults::default();
        let templates = Templates::compile(&Files::new(), &faults);
        assert!(faults.is_empty(), "the embedded templates have no fault: {:?}", faults.take());
        templates
    }

    /// A page.
    ///
    /// # Errors
    /// [`RenderError`] when the template fails all the same.
    pub fn page<V: PageView>(&self, language: Language, organisation: &str, page: &V) -> Result<String, RenderError> {
        let faulty = page.faulty();
        self.render(language, V::TEMPLATE, &self.frame(language, organisation, faulty, Some(page), None))
            .map_err(|e| RenderError(e.to_string()))
    }

    /// A mail.
    ///
    /// # Errors
    /// [`RenderError`] when a template fails all the same.
    pub fn mail<V: MailView>(&self, language: Language, organisation: &str, mail: &V) -> Result<Bodies, RenderError> {
        let frame = self.frame(language, organisation, false, None, Some(mail));
        let render =
            |kind: &str| self.render(language, &format!("mails/{}.{kind}", V::TEMPLATE), &frame).map_err(|e| RenderError(e.to_string()));
        Ok(Bodies { text: render("txt")?, html: render("html")? })
    }

    /// A single text, with its values: for subjects and SMS.
    ///
    /// # Panics
    /// When there is no such text: the texts that the code names exist, a test looks.
    #[must_use]
    pub fn text(&self, language: Language, key: &str, values: &[(&str, &str)]) -> String {
        let mut args = FluentArgs::new();
        for (name, value) in values {
            args.set(*name, FluentValue::from(*value));
        }
        self.spoken(language).words.text(key, &args).expect("texts that the code names exist, with these values")
    }

    /// A day in words.
    #[must_use]
    pub fn day(&self, language: Language, at: Time) -> String {
        moment::day(&self.spoken(language).words, at).unwrap_or_else(|_| at.day().to_string())
    }

    /// A file of `templates/static/` with its media type.
    #[must_use]
    pub fn asset(&self, name: &str) -> Option<(&str, &'static str)> {
        let media_type = match name.rsplit_once('.')?.1 {
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            _ => return None,
        };
        Some((self.assets.get(name)?, media_type))
    }

    fn spoken(&self, language: Language) -> &Spoken {
        self.languages.iter().find(|s| s.language == language).expect("every language was compiled")
    }

    fn frame<'a, V>(
        &'a self,
        language: Language,
        organisation: &'a str,
        faulty: bool,
        page: Option<&'a V>,
        mail: Option<&'a V>,
    ) -> Frame<'a, V> {
        let name = |s: &Spoken| s.words.text("language-name", &FluentArgs::new()).unwrap_or_default();
        let languages = self.languages.iter().map(|s| Named { code: s.language.code(), name: name(s) }).collect();
        Frame { language: language.code(), languages, organisation, static_version: &self.version, faulty, page, mail }
    }

    fn render(&self, language: Language, name: &str, frame: &impl Serialize) -> Result<String, minijinja::Error> {
        self.spoken(language).templates.get_template(name)?.render(Serde(frame))
    }
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates").field("version", &self.version).finish_non_exhaustive()
    }
}

/// Browsers keep a style sheet until this changes.
fn version(assets: &BTreeMap<String, String>) -> String {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    for source in assets.values() {
        context.update(source.as_bytes());
    }
    crate::secret::hex(&context.finish().as_ref()[..6])
}

fn spoken(language: Language, sources: &BTreeMap<&str, &str>, files: &Files, faults: &Faults) -> Spoken {
    let file = format!("templates/words/{}.ftl", language.code());
    let ours = EMBEDDED.iter().find(|(name, _)| *name == file).expect("every language has its file of words").1;
    let words = Arc::new(Words::compile(language, ours, files.get(&file).map(String::as_str), &file, faults));
    if faults.is_empty() {
        words::try_all(&words, ours, files.get(&file).map(String::as_str), &file, faults);
    }
    let mut templates = Environment::new();
    templates.set_undefined_behavior(UndefinedBehavior::Strict);
    templates.set_fuel(Some(FUEL));
    templates.set_auto_escape_callback(|name| if name.ends_with(".txt") { AutoEscape::None } else { AutoEscape::Html });
    templates.set_formatter(|out, state, value| match (state.auto_escape(), value.as_str()) {
        (AutoEscape::Html, Some(text)) if !value.is_safe() => Ok(out.write_str(&escape(text))?),
        _ => minijinja::escape_formatter(out, state, value),
    });
    add_functions(&mut templates, &words);
    for (name, source) in sources {
        let short = name.strip_prefix("templates/").unwrap_or(name);
        if !short.starts_with("pages/") && !short.starts_with("mails/") {
            continue;
        }
        if let Err(error) = templates.add_template_owned(short.to_owned(), (*source).to_owned()) {
            fault(faults, short, &error);
        }
    }
    Spoken { language, words, templates }
}

/// Text as HTML, in content and in quoted attributes alike. Not minijinja's own, which also escapes the slashes of links: right in a browser, but
/// some mail programs look for links in the source.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// What a template's author is told of a failure, at its line.
fn fault(faults: &Faults, template: &str, error: &minijinja::Error) {
    let mut innermost = error;
    while let Some(inner) = std::error::Error::source(innermost).and_then(|e| e.downcast_ref::<minijinja::Error>()) {
        innermost = inner;
    }
    let file = format!("templates/{}", innermost.name().unwrap_or(template));
    let what = innermost.detail().map_or_else(|| innermost.kind().to_string(), str::to_owned);
    faults.add(&file, innermost.line().unwrap_or(1), what, "correct the template, or remove it to use the built-in one");
}

/// The functions that templates may use: `t` for texts, and times, days and sizes in words.
fn add_functions(templates: &mut Environment<'static>, words: &Arc<Words>) {
    let bad = |what: String| minijinja::Error::new(ErrorKind::InvalidOperation, what);
    let w = words.clone();
    templates.add_function("t", move |key: String, values: Kwargs| -> Result<String, minijinja::Error> {
        let mut args = FluentArgs::new();
        for name in values.args() {
            let value: Value = values.get(name)?;
            match i64::try_from(value.clone()) {
                Ok(number) if value.as_str().is_none() => args.set(name.to_owned(), FluentValue::from(number)),
                _ => args.set(name.to_owned(), FluentValue::from(value.to_string())),
            }
        }
        w.text(&key, &args).map_err(bad)
    });
    let w = words.clone();
    templates.add_function("fault", move |fault: Value| -> Result<String, minijinja::Error> {
        let mut args = FluentArgs::new();
        let (n, at) = (fault.get_attr("n")?, fault.get_attr("at")?);
        if let Ok(n) = i64::try_from(n) {
            args.set("n", n);
        }
        if let Ok(at) = i64::try_from(at) {
            let at = Time::from_millis(at);
            args.set("date", moment::day(&w, at).map_err(bad)?);
            args.set("clock", moment::clock(at));
        }
        w.text(&fault.get_attr("word")?.to_string(), &args).map_err(bad)
    });
    let w = words.clone();
    templates.add_function("day", move |at: i64| moment::day(&w, Time::from_millis(at)).map_err(bad));
    let w = words.clone();
    templates.add_function("date", move |day: String| moment::date(&w, &day).map_err(bad));
    templates.add_function("clock", |at: i64| moment::clock(Time::from_millis(at)));
    templates.add_function("iso", |at: i64| moment::iso(Time::from_millis(at)));
    let w = words.clone();
    templates.add_function("ago", move |at: i64, now: i64| moment::ago(&w, Time::from_millis(at), Time::from_millis(now)).map_err(bad));
    let w = words.clone();
    templates.add_function("size", move |bytes: u64| moment::size(&w, bytes).map_err(bad));
}

#[cfg(test)]
mod tests;
