//! TLS on both legs: configurations of rustls, and what is told of a connection.

use rustls::{
    ClientConfig, CommonState, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs},
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject},
    sign::{CertifiedKey, SingleCertAndKey},
};
use std::{fmt, sync::Arc};

/// What the trace header tells about a TLS connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFacts {
    /// `TLSv1.3`.
    pub version: &'static str,
    /// `TLS13_AES_256_GCM_SHA384`.
    pub cipher: &'static str,
}

impl TlsFacts {
    pub(super) fn of(connection: &CommonState) -> TlsFacts {
        let version = match connection.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3",
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2",
            _ => "TLS",
        };
        let cipher = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()).unwrap_or("unknown");
        TlsFacts { version, cipher }
    }
}

/// Why a certificate and its key cannot serve.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file.
    #[error("no certificate in PEM form")]
    Certificate,
    /// The key file.
    #[error("no private key in PEM form")]
    Key,
    /// Both were read, and rustls refuses them; the text says why.
    #[error("{0}")]
    Refused(#[from] rustls::Error),
}

/// What the server leg needs to offer STARTTLS: a certificate chain and its key, both in PEM form.
///
/// # Errors
/// Says which of the two is at fault, or that they do not belong together.
pub fn server_config(chain_pem: &[u8], key_pem: &[u8]) -> Result<Arc<ServerConfig>, TlsError> {
    let (chain, key) = (certificates(chain_pem)?, key(key_pem)?);
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    // A full handshake costs 0.4 ms of CPU; mail servers come back often.
    config.ticketer = aws_lc_rs::Ticketer::new()?;
    Ok(Arc::new(config))
}

/// The certificates in a PEM file, as they stand there.
///
/// # Errors
/// [`TlsError::Certificate`] when there is none, or one is damaged.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| TlsError::Certificate)?;
    if certificates.is_empty() { Err(TlsError::Certificate) } else { Ok(certificates) }
}

fn key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|_| TlsError::Key)
}

/// Whom we show ourselves as to a next hop that asks for a certificate: the whole chain, and the key.
#[derive(Clone)]
pub struct Identity(Arc<CertifiedKey>);

impl Identity {
    /// A certificate chain and its key, both in PEM form.
    ///
    /// # Errors
    /// Says which of the two is at fault, or that they do not belong together.
    pub fn new(chain_pem: &[u8], key_pem: &[u8]) -> Result<Identity, TlsError> {
        Ok(Identity(Arc::new(CertifiedKey::from_der(certificates(chain_pem)?, key(key_pem)?, &provider())?)))
    }
}

/// A key cannot be read back; its certificate tells two identities apart.
impl PartialEq for Identity {
    fn eq(&self, other: &Identity) -> bool {
        self.0.cert == other.0.cert
    }
}

/// Nothing of the key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({} certificates)", self.0.cert.len())
    }
}

/// Whose certificates count as trusted.
#[derive(Clone, Debug)]
pub enum Trust {
    /// Those of the operating system's authorities.
    Platform,
    /// Those of these authorities only: an organisation's own, or a test's.
    Authorities(Vec<CertificateDer<'static>>),
    /// Those that this takes: direct delivery goes by DANE (RFC 7672) or MTA-STS (RFC 8461).
    Verifier(Arc<dyn ServerCertVerifier>),
}

impl PartialEq for Trust {
    fn eq(&self, other: &Trust) -> bool {
        match (self, other) {
            (Trust::Platform, Trust::Platform) => true,
            (Trust::Authorities(a), Trust::Authorities(b)) => a == b,
            (Trust::Verifier(a), Trust::Verifier(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// A client that checks the server's certificate against its name.
pub(super) fn verifying(trust: &Trust, identity: Option<&Identity>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let verifier: Arc<dyn ServerCertVerifier> = match trust {
        Trust::Platform => Arc::new(rustls_platform_verifier::Verifier::new(provider())?),
        Trust::Authorities(certificates) => {
            let mut store = RootCertStore::empty();
            for certificate in certificates {
                store.add(certificate.clone())?;
            }
            let built = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider()).build();
            built.map_err(|error| rustls::Error::General(error.to_string()))?
        }
        Trust::Verifier(verifier) => verifier.clone(),
    };
    client(verifier, identity)
}

/// A client for opportunistic TLS (RFC 7435): it hides the mail from who only listens, and takes any certificate, since without TLS it
/// would have to send in clear to the same unproven host.
pub(super) fn unverifying(identity: Option<&Identity>) -> Result<Arc<ClientConfig>, rustls::Error> {
    client(Arc::new(AnyCertificate(provider().signature_verification_algorithms)), identity)
}

/// rustls keeps the sessions of a configuration, so that the next connection to the same host resumes one (RFC 8446, 2.2).
fn client(verifier: Arc<dyn ServerCertVerifier>, identity: Option<&Identity>) -> Result<Arc<ClientConfig>, rustls::Error> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    Ok(Arc::new(match identity {
        Some(Identity(key)) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key.clone()))),
        None => builder.with_no_client_auth(),
    }))
}

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(aws_lc_rs::default_provider())
}

/// Takes any certificate, but the handshake must be signed by its key.
#[derive(Debug)]
struct AnyCertificate(WebPkiSupportedAlgorithms);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.0)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_schemes()
    }
}
