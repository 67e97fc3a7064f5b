//! The configuration: `zegel.toml` and the folders beside it, checked as a whole. Every fault is listed at once.
//!
//! Nobody below imports this: each module has its own options, and `serve` fills them from here.

mod accounts;
mod direct;
mod dkim;
mod endpoint;
mod extract;
mod files;
mod loops;
mod route;
mod schema;
mod sections;
mod sms;

pub use files::{embedded, read_folder};
pub use schema::SCHEMAS;
pub use sections::{Mail, Metrics, Organisation, Portal, Smtp, Store};
pub use sms::{Sms, SmsWay};

use self::files::Unread;
use crate::{
    address::Domain,
    fault::{Fault, Faults, Files, Table},
    gateway::DirectOptions,
    inspect::Rulebook,
    sandbox,
    template::Templates,
};
use std::path::{Path, PathBuf};

/// A configuration without a fault. Paths in it are absolute or relative to the working directory.
pub struct Config {
    /// Where the configuration lies; relative paths in it begin here.
    pub folder: PathBuf,
    /// `[organisation]`
    pub organisation: Organisation,
    /// `[smtp]`
    pub smtp: Smtp,
    /// `[mail]`
    pub mail: Mail,
    /// `[portal]`
    pub portal: Portal,
    /// `[store]`
    pub store: Store,
    /// `[sms]`
    pub sms: Sms,
    /// `[direct]`; without it nobody gets mail straight from zegel.
    pub direct: Option<DirectOptions>,
    /// `[metrics]`
    pub metrics: Metrics,
    /// `rules/` and `policies/`, or the embedded ones, ready to judge.
    pub rulebook: Rulebook,
    /// How attachments are read; `[extract]` says how pictures are.
    pub readers: sandbox::Options,
    /// Where that is asked for: file and line.
    ocr_at: (String, usize),
    /// The embedded templates, with those of `templates/` in their place.
    pub templates: Templates,
}

impl Config {
    /// Reads the configuration at `path` and everything that belongs to it.
    ///
    /// The examples of rules and policies are not tried: that is [`Rulebook::check_examples`].
    ///
    /// # Errors
    /// Every fault, by file and line.
    pub fn load(path: &Path) -> Result<Config, Vec<Fault>> {
        let faults = Faults::default();
        let config = read(path, &faults);
        match (config, faults.is_empty()) {
            (Some(config), true) => Ok(config),
            _ => Err(faults.take()),
        }
    }

    /// Tries whether what other programs do for zegel can be done. What can't is left out from now on, and told.
    ///
    /// That is no fault of [`Config::load`]: it is another day's, when somebody takes a package away, and must not stop mail.
    pub fn take_stock(&mut self) -> Option<Fault> {
        let lack = self.readers.ocr.as_ref()?.lacks(&self.readers.program)?;
        self.readers.ocr = None;
        let (file, line) = self.ocr_at.clone();
        Some(Fault { file, line, what: lack.what, remedy: lack.remedy })
    }

    /// The words of `zegel.toml` that take effect only when zegel starts, each with something that differs when what they say differs.
    #[must_use]
    pub fn fixed(&self) -> Vec<(&'static str, String)> {
        let Smtp { listen, hostname, allow, xforward, proxy_protocol, max_size_bytes, loops, null_sender, .. } = &self.smtp;
        vec![
            ("[organisation] language", self.organisation.language.clone()),
            ("[smtp] listen", format!("{listen:?}")),
            ("[smtp] hostname", hostname.clone()),
            ("[smtp] allow", format!("{allow:?}")),
            ("[smtp] xforward", format!("{xforward:?}")),
            ("[smtp] proxy_protocol", format!("{proxy_protocol:?}")),
            ("[smtp] max_size", max_size_bytes.to_string()),
            ("[smtp] max_received", loops.max_received.to_string()),
            ("[smtp] loop_header", loops::fingerprint(loops)),
            ("[smtp] null_sender", format!("{null_sender:?}")),
            ("[portal] listen", format!("{:?}", self.portal.listen)),
            ("[store]", format!("{:?}", self.store)),
            ("[sms]", self.sms.fingerprint.clone()),
            ("[direct]", self.direct.as_ref().map(|d| format!("{:?} {} {:?}", d.dns.resolver, d.nta7516, d.trusted)).unwrap_or_default()),
            ("[metrics] listen", format!("{:?}", self.metrics.listen)),
            ("[extract]", format!("{:?}", self.readers.ocr)),
        ]
    }
}

/// The rules and policies that serve without a configuration. Which domains are internal is for the caller to say.
///
/// # Errors
/// Never in a program whose tests passed: every fault of the embedded files.
pub fn built_in() -> Result<Rulebook, Vec<Fault>> {
    let faults = Faults::default();
    let mut files = embedded("rules/");
    files.append(&mut embedded("policies/"));
    let rulebook = Rulebook::compile(&files, Vec::new(), &faults);
    if faults.is_empty() { Ok(rulebook) } else { Err(faults.take()) }
}

/// The rules and policies that `folder` holds; what it lacks of the two is taken from beside the configuration `config`, or is the built-in one.
///
/// # Errors
/// Every fault. A folder with neither is one.
pub fn proposed(folder: &Path, config: Option<&Path>, internal: Vec<Domain>) -> Result<Rulebook, Vec<Fault>> {
    let faults = Faults::default();
    let mut files = Files::new();
    let mut found = false;
    for (name, prefix) in [("rules", "rules/"), ("policies", "policies/")] {
        let own = read_folder(folder, name, &faults);
        found |= own.is_some();
        let current = || config.and_then(|path| read_folder(folder_of(path), name, &faults)).unwrap_or_else(|| embedded(prefix));
        files.append(&mut own.unwrap_or_else(current));
    }
    if !found {
        let remedy = "name the folder in which rules/ or policies/ stand";
        faults.add(&folder.display().to_string(), 1, "there is neither rules/ nor policies/ in this folder", remedy);
        return Err(faults.take());
    }
    let rulebook = Rulebook::compile(&files, internal, &faults);
    // Two files of one name may have been read: the path says which.
    let told = |fault: Fault| match folder.join(&fault.file) {
        path if path.exists() => Fault { file: path.display().to_string(), ..fault },
        _ => fault,
    };
    if faults.is_empty() { Ok(rulebook) } else { Err(faults.take().into_iter().map(told).collect()) }
}

/// The folder in which a configuration stands.
fn folder_of(config: &Path) -> &Path {
    config.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn read(path: &Path, faults: &Faults) -> Option<Config> {
    let file = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    let text = match files::read_text(path) {
        Ok(text) => text,
        Err(Unread { line, what, remedy }) => {
            let remedy = if path.exists() { remedy } else { "name a configuration that exists; `zegel init DIR` makes one" };
            faults.add(&path.display().to_string(), line, what, remedy);
            return None;
        }
    };
    let folder = folder_of(path).to_owned();
    let root = Table::parse(&file, &text, faults);
    let direct_is_set = root.as_ref().is_none_or(|root| root.has("direct"));
    let sections = root.map(|root| sections::read(root, &folder));

    // Rules and policies are read even when zegel.toml is at fault: one run tells everything.
    let mut files = read_folder(&folder, "rules", faults).unwrap_or_else(|| embedded("rules/"));
    files.append(&mut read_folder(&folder, "policies", faults).unwrap_or_else(|| embedded("policies/")));
    let internal = sections.as_ref().and_then(|s| s.organisation.as_ref()).map(|o| o.domains.clone()).unwrap_or_default();
    let key = sections.as_ref().and_then(|s| s.known_key.as_ref());
    let rulebook = Rulebook::compile_with(&files, key, internal, faults);
    if let Some((policies, line)) = rulebook.policies.direct().filter(|_| !direct_is_set) {
        let remedy = format!("add a section [direct] to {file}, or name a level");
        faults.add(policies, line, "\"direct\" is not set up, so it would always be `otherwise`", remedy);
    }
    let templates = templates(&folder, faults);

    let sections = sections?;
    let (ocr, ocr_line) = sections.ocr.map_or((None, 1), |ocr| (Some(ocr.value), ocr.line));
    Some(Config {
        folder,
        organisation: sections.organisation?,
        smtp: sections.smtp?,
        mail: sections.mail?,
        portal: sections.portal?,
        store: sections.store?,
        sms: sections.sms?,
        direct: sections.direct,
        metrics: sections.metrics,
        readers: sandbox::Options { ocr, ..sandbox::Options::default() },
        ocr_at: (file, ocr_line),
        rulebook,
        templates,
    })
}

fn templates(folder: &Path, faults: &Faults) -> Templates {
    // With faults of its own, since templates are rendered with sample values only when nothing else is wrong with them.
    let own = Faults::default();
    let templates = Templates::compile(&read_folder(folder, "templates", &own).unwrap_or_default(), &own);
    for fault in own.take() {
        faults.add(&fault.file, fault.line, fault.what, fault.remedy);
    }
    templates
}

#[cfg(test)]
mod tests;
