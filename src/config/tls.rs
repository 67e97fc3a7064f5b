//! The certificate of the SMTP server.

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{path::Path, sync::Arc};

/// Which of the two files is at fault, and how.
pub(super) enum TlsFault {
    Certificate(String),
    Key(String),
}

/// Reads a chain and its key, both PEM.
pub(super) fn load(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsFault> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| TlsFault::Certificate(format!("{}: {e}", certificate.display())))?;
    if chain.is_empty() {
        return Err(TlsFault::Certificate(format!("{} holds no certificate", certificate.display())));
    }
    let key_der = PrivateKeyDer::from_pem_file(key).map_err(|e| TlsFault::Key(format!("{}: {e}", key.display())))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| TlsFault::Certificate(e.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key_der)
        .map_err(|e| TlsFault::Key(format!("{} does not fit the certificate: {e}", key.display())))?;
    Ok(Arc::new(config))
}
