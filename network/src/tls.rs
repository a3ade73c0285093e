//! Whom we trust.
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

/// A client that trusts what the system trusts, and the web's usual authorities besides: a small machine or container may
/// have no certificates of its own. `SSL_CERT_FILE` and `SSL_CERT_DIR` stand in for the system's store, as everywhere.
pub fn client_config() -> Result<ClientConfig, rustls::Error> {
    let mut roots = RootCertStore::empty();
    let native = rustls_native_certs::load_native_certs();
    for error in &native.errors {
        tracing::debug!(%error, "a certificate of the system cannot be read");
    }
    roots.add_parsable_certificates(native.certs);
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
