//! How a delivery report proves that it comes from the provider. Everything is compared in constant time.

use crate::{
    seal::digest,
    secret::{Secret, equal, hex},
    time::Time,
};
use aws_lc_rs::hmac;
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::Deserialize;
use std::{net::IpAddr, time::Duration};

/// A report signed longer ago, or so far in the future, is not taken: somebody may have kept it.
const OLDEST: Duration = Duration::from_secs(5 * 60);

/// What a report proves itself by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Signature {
    /// HMAC-SHA1 of the address and the sorted fields of the form, in base64 (Twilio).
    Twilio { header: String },
    /// HMAC-SHA256 of these parts, with line feeds between them.
    Hmac { header: String, over: Vec<Over>, timestamp: Option<String>, hex: bool },
    /// A token (RFC 7519, HS256) that names the digests of address and body.
    Jwt { header: String, issuer: Option<String> },
    /// The password of Basic authentication; the name does not matter.
    Basic,
    /// A parameter of the address, for providers that sign nothing.
    Key { parameter: String },
    /// Where it comes from.
    Addresses(Vec<IpAddr>),
}

/// What an HMAC is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// The header that says when it was signed, in seconds since 1970.
    Timestamp,
    /// The whole address.
    Url,
    /// The body.
    Body,
    /// The 32 bytes of the body's SHA-256.
    BodyDigest,
}

/// A request that says it is a report.
#[derive(Clone, Copy)]
pub struct Reported<'a> {
    /// Whether it came by GET.
    pub by_get: bool,
    /// The address that the provider was given, query included.
    pub url: &'a str,
    /// A header's value.
    pub header: &'a (dyn Fn(&str) -> Option<&'a str> + Sync),
    /// The body.
    pub body: &'a [u8],
    /// Where it came from.
    pub from: IpAddr,
    /// The end of the path, if the address has it.
    pub reference: Option<&'a str>,
}

impl Reported<'_> {
    /// The parameters of the address.
    pub(super) fn query(&self) -> Vec<(String, String)> {
        let query = self.url.split_once('?').map_or("", |(_, query)| query);
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    /// The fields of a form: by GET those of the address.
    pub(super) fn fields(&self) -> Vec<(String, String)> {
        if self.by_get { self.query() } else { form_urlencoded::parse(self.body).into_owned().collect() }
    }
}

impl Signature {
    /// Whether a report is genuine.
    pub(super) fn fits(&self, report: &Reported<'_>, secret: &Secret<String>, now: Time) -> bool {
        self.check(report, secret.expose().as_bytes(), now).is_some()
    }

    /// `None` wherever something is missing or wrong.
    fn check(&self, report: &Reported<'_>, secret: &[u8], now: Time) -> Option<()> {
        match self {
            Signature::Twilio { header } => {
                let mut fields = if report.by_get { Vec::new() } else { report.fields() };
                fields.sort();
                let mut mac = context(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
                mac.update(report.url.as_bytes());
                fields.iter().for_each(|(name, value)| mac.update(&[name.as_bytes(), value.as_bytes()].concat()));
                same(&STANDARD.decode((report.header)(header)?).ok()?, mac.sign().as_ref())
            }
            Signature::Hmac { header, over, timestamp, hex } => {
                let given = (report.header)(header)?;
                let given = if *hex { crate::secret::from_hex(&given.to_ascii_lowercase())? } else { STANDARD.decode(given).ok()? };
                let signed_at = timestamp.as_ref().map(|name| (report.header)(name)).map_or(Some(""), |at| at)?;
                if over.contains(&Over::Timestamp) {
                    is_recent(signed_at.parse().ok()?, now)?;
                }
                let body_digest = digest([report.body]);
                let parts: Vec<&[u8]> = over
                    .iter()
                    .map(|part| match part {
                        Over::Timestamp => signed_at.as_bytes(),
                        Over::Url => report.url.as_bytes(),
                        Over::Body => report.body,
                        Over::BodyDigest => &body_digest,
                    })
                    .collect();
                let mut mac = context(hmac::HMAC_SHA256, secret);
                mac.update(&parts.join(&b"\n"[..]));
                same(&given, mac.sign().as_ref())
            }
            Signature::Jwt { header, issuer } => jwt((report.header)(header)?, issuer.as_deref(), report, secret, now),
            Signature::Basic => {
                let given = (report.header)("authorization")?.strip_prefix("Basic ")?;
                let given = STANDARD.decode(given).ok()?;
                let colon = given.iter().position(|b| *b == b':')?;
                same(&given[colon + 1..], secret)
            }
            Signature::Key { parameter } => {
                let query = report.query();
                same(query.iter().find(|(name, _)| name == parameter)?.1.as_bytes(), secret)
            }
            Signature::Addresses(addresses) => addresses.contains(&report.from.to_canonical()).then_some(()),
        }
    }
}

/// What a token says of itself. Other algorithms, `none` among them, are no signature.
#[derive(Deserialize)]
struct Head {
    alg: String,
}

/// What a token says of the request.
#[derive(Deserialize)]
struct Claims {
    iss: Option<String>,
    exp: i64,
    nbf: Option<i64>,
    url_hash: Option<String>,
    payload_hash: Option<String>,
}

fn jwt(token: &str, issuer: Option<&str>, report: &Reported<'_>, secret: &[u8], now: Time) -> Option<()> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (head, claims) = signed.split_once('.')?;
    let mut mac = context(hmac::HMAC_SHA256, secret);
    mac.update(signed.as_bytes());
    same(&URL_SAFE_NO_PAD.decode(signature).ok()?, mac.sign().as_ref())?;
    let head: Head = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).ok()?).ok()?;
    let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let second = now.millis() / 1000;
    let of_now = claims.exp >= second && claims.nbf.is_none_or(|from| from <= second.saturating_add(5));
    let of_request = claims.url_hash? == hex(&digest([report.url.as_bytes()]))
        && match claims.payload_hash {
            Some(hash) => hash == hex(&digest([report.body])),
            None => report.body.is_empty(),
        };
    let genuine = head.alg == "HS256" && issuer.is_none_or(|i| claims.iss.as_deref() == Some(i)) && of_now && of_request;
    genuine.then_some(())
}

fn context(algorithm: hmac::Algorithm, secret: &[u8]) -> hmac::Context {
    hmac::Context::with_key(&hmac::Key::new(algorithm, secret))
}

fn same(given: &[u8], expected: &[u8]) -> Option<()> {
    equal(given, expected).then_some(())
}

fn is_recent(second: i64, now: Time) -> Option<()> {
    let apart = (now.millis() / 1000).abs_diff(second);
    (apart <= OLDEST.as_secs()).then_some(())
}

#[cfg(test)]
mod tests;
