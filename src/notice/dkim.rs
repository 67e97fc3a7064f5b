//! The organisation's signature on mail that zegel writes (DKIM: RFC 6376, with RFC 8301 and RFC 8463). What passes through zegel is never signed here:
//! that is for the organisation's own mail server.
//!
//! Written over the one provider of cryptography, and not with a crate: mail-auth brings a resolver, decompression, readers of XML and JSON for reports,
//! and signing needs none of them.

use crate::{address::Domain, template::RenderError, time::Time};
use aws_lc_rs::{
    digest,
    encoding::{AsDer, PublicKeyX509Der},
    signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls::pki_types::{PrivateKeyDer, pem::PemObject as _};
use std::fmt;

/// The fields that are signed, if they are there; each counts once more than it is there, so that nobody can add one either.
const SIGNED: [&str; 13] = [
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Auto-Submitted",
];

/// Letters of base64 in a line: with the tab before them and what stands in front of the first, below the 78 of RFC 5322, 2.1.1.
const LINE: usize = 70;

/// Signs with one key.
pub struct Signer {
    domain: Domain,
    selector: Domain,
    key: Key,
}

enum Key {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A file that holds no key to sign with.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("holds no key that signs mail: RSA of 2048 to 4096 bits, or Ed25519, in PEM and without a password")]
pub struct NoKey;

impl Signer {
    /// Signs for `domain`; the public key stands in DNS at `<selector>._domainkey.<domain>`.
    ///
    /// # Errors
    /// [`NoKey`] when `pem` holds no private key (PKCS#8, or PKCS#1) that verifiers take: RFC 8301, 3.2, and RFC 8463, 4.
    pub fn new(domain: Domain, selector: Domain, pem: &[u8]) -> Result<Signer, NoKey> {
        let key = match PrivateKeyDer::from_pem_slice(pem).map_err(|_| NoKey)? {
            PrivateKeyDer::Pkcs1(der) => Key::Rsa(RsaKeyPair::from_der(der.secret_pkcs1_der()).map_err(|_| NoKey)?),
            PrivateKeyDer::Pkcs8(der) => {
                let der = der.secret_pkcs8_der();
                let rsa = RsaKeyPair::from_pkcs8(der).map(Key::Rsa);
                rsa.or_else(|_| Ed25519KeyPair::from_pkcs8(der).map(Key::Ed25519)).map_err(|_| NoKey)?
            }
            _ => return Err(NoKey),
        };
        match &key {
            // Verifiers need not take more, and a record of more does not fit (RFC 8301, 3.2).
            Key::Rsa(pair) if !(256..=512).contains(&pair.public_modulus_len()) => Err(NoKey),
            _ => Ok(Signer { domain, selector, key }),
        }
    }

    /// Where the record with the public key stands, and what it says.
    #[must_use]
    pub fn record(&self) -> (String, String) {
        let (kind, octets) = match &self.key {
            Key::Rsa(pair) => {
                ("rsa", AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).map(|der| der.as_ref().to_vec()).unwrap_or_default())
            }
            Key::Ed25519(pair) => ("ed25519", pair.public_key().as_ref().to_vec()),
        };
        (self.place(), format!("v=DKIM1; k={kind}; p={}", STANDARD.encode(octets)))
    }

    fn place(&self) -> String {
        format!("{}._domainkey.{}", self.selector.as_str(), self.domain.as_str())
    }

    /// Puts a signature above `mail`, a mail of ours with CRLF line ends; `at` is when it was written, so that a second delivery has the same.
    ///
    /// # Errors
    /// When the key fails, which leaves the mail in the outbox.
    pub(super) fn sign(&self, mail: &mut Vec<u8>, at: Time) -> Result<(), RenderError> {
        let end = memchr::memmem::find(mail, b"\r\n\r\n").map_or(mail.len(), |at| at + 2);
        let body = mail.get(end + 2..).unwrap_or_default();
        let fields = fields(&mail[..end]);
        let algorithm = match self.key {
            Key::Rsa(_) => "rsa-sha256",
            Key::Ed25519(_) => "ed25519-sha256",
        };
        let mut covered = Vec::new();
        let mut names = Vec::new();
        for name in SIGNED {
            let ours: Vec<_> = fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).collect();
            names.extend(std::iter::repeat_n(name, ours.len() + 1));
            // Of several the last counts first (RFC 6376, 5.4.2).
            for (name, value) in ours.into_iter().rev() {
                covered.extend(relaxed(name, value));
                covered.extend(b"\r\n");
            }
        }
        let head = format!(
            " v=1; a={algorithm}; c=relaxed/relaxed; d={};\r\n\ts={}; t={}; h={};\r\n\tbh={};\r\n\tb=",
            self.domain.as_str(),
            self.selector.as_str(),
            at.millis() / 1000,
            folded_names(&names),
            STANDARD.encode(body_digest(body)),
        );
        covered.extend(relaxed(b"DKIM-Signature", head.as_bytes()));
        let signature = STANDARD.encode(self.key.sign(&covered).ok_or_else(RenderError::not_signed)?);
        let lines: Vec<&str> = signature.as_bytes().chunks(LINE).filter_map(|line| std::str::from_utf8(line).ok()).collect();
        mail.splice(..0, format!("DKIM-Signature:{head}{}\r\n", lines.join("\r\n\t")).into_bytes());
        Ok(())
    }
}

impl Key {
    fn sign(&self, octets: &[u8]) -> Option<Vec<u8>> {
        let digest = digest::digest(&digest::SHA256, octets);
        match self {
            Key::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&RSA_PKCS1_SHA256, &digest, &mut signature).ok()?;
                Some(signature)
            }
            // Of the digest, not of the text: RFC 8463, 3.
            Key::Ed25519(pair) => pair.try_sign(digest.as_ref()).ok().map(|s| s.as_ref().to_vec()),
        }
    }
}

/// Not its key.
impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signer({})", self.place())
    }
}

/// The fields of a header: the name, and what follows the colon with its folded lines.
fn fields(header: &[u8]) -> Vec<(&[u8], &[u8])> {
    let (mut fields, mut begins) = (Vec::new(), 0);
    for at in memchr::memmem::find_iter(header, b"\r\n") {
        if !matches!(header.get(at + 2), Some(b' ' | b'\t')) {
            let field = &header[begins..at];
            if let Some(colon) = memchr::memchr(b':', field) {
                fields.push((&field[..colon], &field[colon + 1..]));
            }
            begins = at + 2;
        }
    }
    fields
}

/// A field without its last CRLF (RFC 6376, 3.4.2).
fn relaxed(name: &[u8], value: &[u8]) -> Vec<u8> {
    let words: Vec<_> = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
    [&name.to_ascii_lowercase()[..], b":", &words.join(&b' ')].concat()
}

/// The digest of a body (RFC 6376, 3.4.4): white space at the end of lines and empty lines at the end don't count, and any other is one space.
fn body_digest(body: &[u8]) -> digest::Digest {
    let mut context = digest::Context::new(&digest::SHA256);
    let (mut empty_lines, mut at) = (0, 0);
    while at < body.len() {
        let end = memchr::memmem::find(&body[at..], b"\r\n").map_or(body.len(), |length| at + length);
        let line = &body[at..end];
        at = end + 2;
        let used = line.iter().rposition(|b| !matches!(b, b' ' | b'\t')).map_or(0, |last| last + 1);
        if used == 0 {
            empty_lines += 1;
            continue;
        }
        (0..empty_lines).for_each(|_| context.update(b"\r\n"));
        empty_lines = 0;
        let mut words = line[..used].split(|b| matches!(b, b' ' | b'\t')).peekable();
        if words.peek().is_some_and(|first| first.is_empty()) {
            context.update(b" ");
        }
        let mut is_first = true;
        for word in words.filter(|word| !word.is_empty()) {
            if !is_first {
                context.update(b" ");
            }
            is_first = false;
            context.update(word);
        }
        context.update(b"\r\n");
    }
    context.finish()
}

/// `From:From:To`, folded between names.
fn folded_names(names: &[&str]) -> String {
    let mut text = String::new();
    let mut line = 0;
    for (at, name) in names.iter().enumerate() {
        if at > 0 {
            text.push(':');
        }
        if at == 0 || line + name.len() > LINE {
            text.push_str("\r\n\t");
            line = 0;
        }
        text.push_str(name);
        line += name.len() + 1;
    }
    text
}

#[cfg(test)]
mod tests;
