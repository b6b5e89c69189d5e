//! TLS: certificates and keys from PEM files to what a handshake needs.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::config::{ClientCertificates, TlsSettings};

/// TLS 1.2 and 1.3 as the settings want them.
///
/// # Errors
/// A file cannot be read or holds something else, key and certificate do not belong together, or
/// clients' certificates are asked for and no authority is named.
pub(super) fn acceptor(settings: &TlsSettings) -> io::Result<Arc<ServerConfig>> {
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let builder = match (settings.auth_clients, &settings.ca) {
        (ClientCertificates::No, _) => builder.with_no_client_auth(),
        (_, None) => {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "tls-auth-clients asks for clients' certificates and no authority is named: \
                 set tls-ca-cert-file, or tls-auth-clients to no",
            ));
        }
        (wanted, Some(ca)) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(ca)? {
                roots.add(certificate).map_err(|error| fault(ca, &error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = match wanted {
                ClientCertificates::Optional => verifier.allow_unauthenticated(),
                _ => verifier,
            };
            builder.with_client_cert_verifier(verifier.build().map_err(|error| fault(ca, &error))?)
        }
    };
    let key = PrivateKeyDer::from_pem_file(&settings.key)
        .map_err(|error| fault(&settings.key, &error))?;
    let config = builder
        .with_single_cert(certificates(&settings.cert)?, key)
        .map_err(|error| fault(&settings.cert, &error))?;
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let found = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| fault(path, &error))?;
    if found.is_empty() {
        return Err(fault(path, &"no certificate in it"));
    }
    Ok(found)
}

fn fault(path: &Path, error: &dyn std::fmt::Display) -> io::Error {
    let text = format!("TLS cannot use {}: {error}", path.display());
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_what_it_should_be_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("empty"), "no PEM").expect("the folder can be written");
        let settings = TlsSettings {
            port: 0,
            cert: path("empty"),
            key: path("none"),
            ca: None,
            auth_clients: ClientCertificates::Yes,
        };
        let refused =
            |settings: &TlsSettings| acceptor(settings).map(drop).unwrap_err().to_string();
        assert!(refused(&settings).contains("set tls-ca-cert-file"));
        let open = TlsSettings { auth_clients: ClientCertificates::No, ..settings.clone() };
        assert!(refused(&open).contains("none"), "{}", refused(&open));
        let asked = TlsSettings { ca: Some(path("empty")), ..settings };
        assert!(refused(&asked).contains("no certificate in it"), "{}", refused(&asked));
    }
}
