//! What a provider says became of an SMS.

use super::{
    provider::{Reports, scalar},
    signature::Reported,
};
use crate::{
    secret::{Id, Secret},
    time::Time,
};

/// A genuine report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Our name for the SMS.
    pub reference: Id,
    /// What became of it.
    pub became: Became,
}

/// What became of an SMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Became {
    /// It is on the telephone.
    Delivered,
    /// It will not get there.
    Undelivered,
    /// Neither yet.
    Underway,
}

impl Reports {
    /// What `reported` says, if its signature fits. The signature comes first: nothing of a stranger's is read.
    pub(super) fn read(&self, reported: &Reported<'_>, secret: &Secret<String>, now: Time) -> Option<Report> {
        if (reported.by_get && !self.by_get) || !self.signature.fits(reported, secret, now) {
            return None;
        }
        let json = if self.json { serde_json::from_slice(reported.body).ok()? } else { serde_json::Value::Null };
        let fields = if self.json { Vec::new() } else { reported.fields() };
        let value = |place: &str| match self.json {
            true => scalar(json.pointer(place)?),
            false => fields.iter().find(|(name, _)| name == place).map(|(_, value)| value.clone()),
        };
        let reference = match &self.reference {
            Some(place) => value(place)?,
            None => reported.reference?.to_owned(),
        };
        let status = value(&self.status)?;
        let became = match () {
            () if self.delivered.contains(&status) => Became::Delivered,
            () if self.undelivered.contains(&status) => Became::Undelivered,
            () => Became::Underway,
        };
        Some(Report { reference: Id::parse(&reference)?, became })
    }
}
