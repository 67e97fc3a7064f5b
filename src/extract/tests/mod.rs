//! Files are made here, by code; what they hold is read back.

mod archives;
mod bombs;
mod carried;
mod containers;
mod documents;
mod drawn;
mod facts;
mod fonts;
mod hostile;
mod html;
mod legacy;
mod mails;
mod office;
mod pdfs;
mod pictures;
mod rars;
mod rtf;
mod scans;
mod shown;
mod signed;
mod tnef;
mod zips;
// Those that the integration tests read as well.
#[path = "../../../tests/formats/mod.rs"]
pub(crate) mod formats;

use super::{Extraction, Limits, ProblemKind, attachment, file, join, message};
use crate::message::Message;
use bytes::Bytes;
use formats::{
    mail_with,
    packages::{docx, xlsx},
    zip, zip_stored,
};

/// Reads a file, all levels down, as the program does.
pub(crate) fn read(name: &str, octets: impl Into<Bytes>) -> Extraction {
    read_within(name, octets, &Limits::default())
}

fn read_within(name: &str, octets: impl Into<Bytes>, limits: &Limits) -> Extraction {
    opened(attachment(name, octets.into(), limits), limits)
}

fn read_mail(octets: impl Into<Bytes>) -> Extraction {
    let limits = Limits::default();
    opened(message(&Message::new(octets.into()), &limits), &limits)
}

fn opened((shallow, unopened): (Extraction, Vec<super::Unopened>), limits: &Limits) -> Extraction {
    let opened = unopened.iter().map(|u| (u.at, file(u, limits))).collect();
    join(shallow, opened)
}

/// All texts but file names and properties, by part.
fn texts(extraction: &Extraction) -> Vec<(String, String)> {
    let is_content = |s| !matches!(s, super::Source::FileName | super::Source::Properties);
    extraction.texts.iter().filter(|t| is_content(t.source)).map(|t| (t.part.clone(), t.text.clone())).collect()
}

fn holds(extraction: &Extraction, text: &str) -> bool {
    extraction.texts.iter().any(|t| t.text.contains(text))
}

/// `damaged mime`, for each problem.
fn problems(extraction: &Extraction) -> Vec<String> {
    extraction.problems.iter().map(|p| format!("{} {}", p.kind.word(), p.reason)).collect()
}

fn has_problem(extraction: &Extraction, kind: ProblemKind, reason: &str) -> bool {
    extraction.problems.iter().any(|p| p.kind == kind && p.reason == reason)
}
