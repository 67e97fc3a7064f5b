//! What an administrator can do about a next hop's refusal: the end of a log line.

use super::super::reply::{Enhanced, Reply};
use rustls::{AlertDescription as Alert, CertificateError, Error};
use std::io;

/// A verified route whose host does not offer TLS.
pub(super) const NO_STARTTLS: &str = "the next hop does not offer STARTTLS, and nothing is sent in clear; a firewall in between may take it out of \
                                      the answer to EHLO, or the server lacks a certificate";

/// Replies of Exchange Online (Microsoft's documentation), by code, enhanced code and a word of their text.
const REPLIES: [(u16, Enhanced, &str, &str); 4] = [
    (
        550,
        Enhanced(5, 7, 64),
        "",
        "; Exchange does not know whose mail this is: the name in `client_certificate` must be the one of its inbound connector, the file must hold the \
         whole chain, and it must not have expired",
    ),
    (
        451,
        Enhanced(4, 4, 62),
        "",
        "; this is another region's server: `next_hop` must be the tenant's own MX, <tenant>.mail.protection.outlook.com",
    ),
    (
        451,
        Enhanced(4, 4, 5),
        "ATTR46",
        "; Exchange could not tell whose mail this is by its certificate: check `client_certificate` and the inbound connector's TlsSenderCertificateName",
    ),
    (454, Enhanced(4, 7, 0), "", "; a certificate has probably expired: renew the one of `client_certificate`, then reload zegel"),
];

/// The remedy for a reply, to stand behind it; empty where none is known.
pub(super) fn shown(reply: &Reply) -> &'static str {
    let fits = |(code, enhanced, word, _): &&(u16, Enhanced, &str, &str)| {
        *code == reply.code() && Some(*enhanced) == reply.enhanced() && reply.text().contains(word)
    };
    REPLIES.iter().find(fits).map_or("", |(.., remedy)| remedy)
}

/// What rustls says inside an error of the system.
pub(super) fn tls_error(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

/// The remedy for an error of TLS.
pub(super) fn of_tls(error: &Error) -> &'static str {
    match error {
        Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "; its certificate has expired: whoever runs it must renew it"
        }
        Error::InvalidCertificate(CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. }) => {
            "; its certificate is not valid yet: is this machine's clock right?"
        }
        Error::InvalidCertificate(CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. }) => {
            "; `next_hop` must name the host as its certificate does"
        }
        // An authority of the same name with another key is no other case.
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            "; nobody who is trusted here issued its certificate: name its authority's certificate in `ca`"
        }
        Error::AlertReceived(
            Alert::CertificateRequired
            | Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateExpired
            | Alert::CertificateRevoked
            | Alert::CertificateUnknown
            | Alert::UnknownCA
            | Alert::AccessDenied,
        ) => "; it wants another certificate of ours: look at `client_certificate` and its date",
        Error::AlertReceived(Alert::HandshakeFailure | Alert::ProtocolVersion) | Error::PeerIncompatible(_) => {
            "; it does not speak TLS 1.2 or 1.3 with a cipher that is safe: whoever runs it must bring it up to date"
        }
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_replies_of_exchange_come_with_a_remedy() {
        let check = |reply: &str, word: &str| {
            let (reply, _) = super::super::super::reply::parse(format!("{reply}\r\n").as_bytes()).unwrap().unwrap();
            assert!(shown(&reply).contains(word), "{reply}");
            assert_eq!(shown(&reply).is_empty(), word.is_empty(), "{reply}");
        };
        check("550 5.7.64 TenantAttribution; Relay Access Denied [ValidationStatus of CN=x is EmptyCertificate]", "client_certificate");
        check("451 4.4.62 Mail sent to the wrong Office 365 region. ATTR35.", "next_hop");
        check("451 4.4.5 ATTR46: all recipients must be on same domain", "TlsSenderCertificateName");
        check("451 4.4.5 too slow", "");
        check("454 4.7.0 TLS not available", "expired");
        check("550 5.1.1 no such user", "");
    }
}
