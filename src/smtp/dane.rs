//! DANE: the certificate of a mail server is the one that its domain's signed DNS names (RFC 6698, 7671, 7672).
//!
//! Everything here is pure: records and a chain in, a verdict out. That the records are secure is for whoever looked them up to know.

use super::tls;
use rustls::{
    DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        verify_server_cert_signed_by_trust_anchor, verify_server_name,
    },
    crypto::WebPkiSupportedAlgorithms,
    pki_types::{CertificateDer, ServerName, UnixTime},
    server::ParsedCertificate,
};
use std::sync::Arc;

/// A TLSA record (RFC 6698, 2.1), as DNS has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Association {
    /// Certificate usage: 2 is DANE-TA, 3 is DANE-EE.
    pub usage: u8,
    /// 0: the certificate, 1: its public key.
    pub selector: u8,
    /// 0: all of it, 1: its SHA-256, 2: its SHA-512.
    pub matching: u8,
    /// What it must be.
    pub data: Vec<u8>,
}

/// Digests longer or shorter than these can't be those of any certificate (RFC 7671, 10.1.2).
const SHA256_BYTES: usize = 32;
const SHA512_BYTES: usize = 64;

impl Association {
    /// Whether it can authenticate a mail server: DANE-TA or DANE-EE, with a selector, a matching type and a digest that exist. The PKIX usages
    /// 0 and 1 can't: which authorities would count is not agreed between mail servers (RFC 7672, 3.1.3).
    #[must_use]
    pub fn is_usable(&self) -> bool {
        let data = match self.matching {
            0 => !self.data.is_empty(),
            1 => self.data.len() == SHA256_BYTES,
            2 => self.data.len() == SHA512_BYTES,
            _ => false,
        };
        matches!(self.usage, 2 | 3) && self.selector <= 1 && data
    }

    fn matches(&self, certificate: &CertificateDer<'_>) -> bool {
        let key;
        let selected: &[u8] = if self.selector == 0 {
            certificate
        } else {
            let Ok(parsed) = ParsedCertificate::try_from(certificate) else { return false };
            key = parsed.subject_public_key_info();
            &key
        };
        match self.matching {
            0 => self.data == selected,
            1 => aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, selected).as_ref() == self.data,
            2 => aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, selected).as_ref() == self.data,
            _ => false,
        }
    }
}

/// Whether `chain`, the server's certificate first, is what one of `associations` asks for at `now`.
///
/// With DANE-EE neither names nor dates count (RFC 7671, 5.1). With DANE-TA the chain must lead to the authority that is named, be valid, and be
/// for one of `names`: the host whose records these are, or the domain whose mail it takes (RFC 7672, 3.2.2).
#[must_use]
pub fn authenticates(
    associations: &[Association],
    names: &[ServerName<'_>],
    chain: &[CertificateDer<'_>],
    now: UnixTime,
    algorithms: &WebPkiSupportedAlgorithms,
) -> bool {
    let Some((end, above)) = chain.split_first() else { return false };
    let usable = || associations.iter().filter(|a| a.is_usable());
    if usable().any(|a| a.usage == 3 && a.matches(end)) {
        return true;
    }
    let Ok(parsed) = ParsedCertificate::try_from(end) else { return false };
    if !names.iter().any(|name| verify_server_name(&parsed, name).is_ok()) {
        return false;
    }
    usable().filter(|a| a.usage == 2).any(|a| {
        let mut anchors = RootCertStore::empty();
        for authority in above.iter().filter(|c| a.matches(c)) {
            let _ = anchors.add(authority.clone().into_owned());
        }
        // An authority that is given whole need not be sent (RFC 7671, 5.2.2).
        if a.selector == 0 && a.matching == 0 {
            let _ = anchors.add(CertificateDer::from(a.data.clone()));
        }
        verify_server_cert_signed_by_trust_anchor(&parsed, &anchors, above, now, algorithms.all).is_ok()
    })
}

/// Takes the certificates that TLSA records name.
#[derive(Debug)]
struct Verifier {
    associations: Vec<Association>,
    names: Vec<ServerName<'static>>,
    algorithms: WebPkiSupportedAlgorithms,
}

/// Takes only servers which `associations` name; see [`authenticates`] for `names`.
///
/// # Errors
/// A name that none can be, or no usable record: then nothing would be verified.
pub fn verifier(associations: Vec<Association>, names: &[String]) -> Result<Arc<dyn ServerCertVerifier>, Error> {
    if !associations.iter().any(Association::is_usable) {
        return Err(Error::General("no TLSA record that is usable".to_owned()));
    }
    let names = names.iter().map(|name| ServerName::try_from(name.clone())).collect::<Result<_, _>>();
    let names = names.map_err(|_| Error::General("a name that no server can have".to_owned()))?;
    Ok(Arc::new(Verifier { associations, names, algorithms: tls::provider().signature_verification_algorithms }))
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain: Vec<_> = std::iter::once(end_entity).chain(intermediates).cloned().collect();
        if authenticates(&self.associations, &self.names, &chain, now, &self.algorithms) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(rustls::CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::digest::{SHA256, SHA512, digest};
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, PublicKeyData as _, date_time_ymd};

    /// A chain: the server's certificate, that of an authority below, and that of the authority.
    struct Chain {
        server: CertificateDer<'static>,
        server_key: Vec<u8>,
        middle: CertificateDer<'static>,
        root: CertificateDer<'static>,
        root_key: Vec<u8>,
    }

    impl Chain {
        /// For `name`, valid until the end of `year`.
        fn new(name: &str, year: i32) -> Chain {
            let authority = || {
                let mut params = CertificateParams::default();
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                params
            };
            let named = |mut params: CertificateParams, name: &str| {
                params.distinguished_name.push(rcgen::DnType::CommonName, name);
                params
            };
            let root = CertifiedIssuer::self_signed(named(authority(), "root"), KeyPair::generate().unwrap()).unwrap();
            let middle = CertifiedIssuer::signed_by(named(authority(), "middle"), KeyPair::generate().unwrap(), &root).unwrap();
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(year, 12, 31);
            let server = params.signed_by(&key, &middle).unwrap();
            Chain {
                server: server.der().clone(),
                server_key: key.subject_public_key_info(),
                middle: middle.der().clone(),
                root: root.der().clone(),
                root_key: root.key().subject_public_key_info(),
            }
        }

        fn sent(&self) -> Vec<CertificateDer<'static>> {
            vec![self.server.clone(), self.middle.clone(), self.root.clone()]
        }
    }

    fn association(usage: u8, selector: u8, matching: u8, of: &[u8]) -> Association {
        let data = match matching {
            1 => digest(&SHA256, of).as_ref().to_vec(),
            2 => digest(&SHA512, of).as_ref().to_vec(),
            _ => of.to_vec(),
        };
        Association { usage, selector, matching, data }
    }

    fn verdict(associations: &[Association], names: &[&'static str], chain: &[CertificateDer<'_>]) -> bool {
        let names: Vec<_> = names.iter().map(|n| ServerName::try_from(*n).unwrap()).collect();
        // 1 July 2026.
        let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(1_782_864_000));
        authenticates(associations, &names, chain, now, &tls::provider().signature_verification_algorithms)
    }

    #[test]
    fn each_selector_and_matching_type_names_the_server_or_its_authority() {
        let chain = Chain::new("mx.zorg.example", 2030);
        let other = Chain::new("mx.zorg.example", 2030);
        for matching in 0..=2 {
            for (usage, selector, mine, theirs) in [
                (3, 0, &*chain.server, &*other.server),
                (3, 1, &chain.server_key, &other.server_key),
                (2, 0, &*chain.root, &*other.root),
                (2, 1, &chain.root_key, &other.root_key),
                (2, 0, &*chain.middle, &*other.middle),
            ] {
                let case = format!("{usage} {selector} {matching}");
                assert!(verdict(&[association(usage, selector, matching, mine)], &["mx.zorg.example"], &chain.sent()), "{case}");
                assert!(!verdict(&[association(usage, selector, matching, theirs)], &["mx.zorg.example"], &chain.sent()), "{case}");
            }
        }
    }

    #[test]
    fn one_record_of_several_is_enough() {
        let (chain, other) = (Chain::new("mx.zorg.example", 2030), Chain::new("mx.zorg.example", 2030));
        let records = [association(3, 1, 1, &other.server_key), association(2, 0, 1, &chain.root)];
        assert!(verdict(&records, &["mx.zorg.example"], &chain.sent()));
    }

    #[test]
    fn names_and_dates_count_for_an_authority_only() {
        let chain = Chain::new("elsewhere.example", 2030);
        let (server, root) = ([association(3, 1, 1, &chain.server_key)], [association(2, 0, 1, &chain.root)]);
        assert!(verdict(&server, &["mx.zorg.example"], &chain.sent()));
        assert!(!verdict(&root, &["mx.zorg.example"], &chain.sent()));
        assert!(verdict(&root, &["mx.zorg.example", "elsewhere.example"], &chain.sent()));
        let expired = Chain::new("mx.zorg.example", 2024);
        assert!(verdict(&[association(3, 1, 1, &expired.server_key)], &["mx.zorg.example"], &expired.sent()));
        assert!(!verdict(&[association(2, 0, 1, &expired.root)], &["mx.zorg.example"], &expired.sent()));
    }

    #[test]
    fn an_authority_given_whole_need_not_be_sent_and_a_digest_of_it_must() {
        let chain = Chain::new("mx.zorg.example", 2030);
        let sent = [chain.server.clone(), chain.middle.clone()];
        assert!(verdict(&[association(2, 0, 0, &chain.root)], &["mx.zorg.example"], &sent));
        assert!(!verdict(&[association(2, 0, 1, &chain.root)], &["mx.zorg.example"], &sent));
    }

    #[test]
    fn a_server_is_no_authority_and_an_unlinked_certificate_beside_it_neither() {
        let chain = Chain::new("mx.zorg.example", 2030);
        let other = Chain::new("mx.zorg.example", 2030);
        assert!(!verdict(&[association(2, 0, 1, &chain.server)], &["mx.zorg.example"], &chain.sent()));
        let planted = [chain.server.clone(), other.root.clone()];
        assert!(!verdict(&[association(2, 0, 1, &other.root)], &["mx.zorg.example"], &planted));
        assert!(!verdict(&[association(3, 0, 1, &other.root)], &["mx.zorg.example"], &planted));
    }

    #[test]
    fn what_no_mail_server_can_use_authenticates_nobody() {
        let chain = Chain::new("mx.zorg.example", 2030);
        for (usage, selector, matching) in [(0, 0, 1), (1, 1, 1), (255, 0, 1), (3, 2, 1), (3, 0, 3)] {
            let record = association(usage, selector, matching, &chain.server);
            assert!(!record.is_usable(), "{record:?}");
            assert!(!verdict(std::slice::from_ref(&record), &["mx.zorg.example"], &chain.sent()));
            assert!(verifier(vec![record], &["mx.zorg.example".to_owned()]).is_err());
        }
        let short = Association { usage: 3, selector: 1, matching: 1, data: vec![0; 31] };
        assert!(!short.is_usable());
        assert!(!verdict(&[association(3, 1, 1, &chain.server_key)], &["mx.zorg.example"], &[]));
    }
}
