//! What TLS needs, of the settings.

use std::path::PathBuf;

use super::Settings;

/// What TLS needs. All files are PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// Port for Redis clients over TLS; 0 lets the system choose.
    pub port: u16,
    /// The server's certificate, with those between it and its authority.
    pub cert: PathBuf,
    /// The key of the certificate.
    pub key: PathBuf,
    /// Certificates of the authorities that clients' certificates are checked against.
    pub ca: Option<PathBuf>,
    /// Whether clients need a certificate.
    pub auth_clients: ClientCertificates,
}

/// Whether clients need a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientCertificates {
    /// They are not asked for one.
    No,
    /// One that is given must be right.
    Optional,
    /// They need one.
    #[default]
    Yes,
}

impl Settings {
    /// What TLS needs, if it is to be served.
    ///
    /// # Errors
    /// Something of it is missing.
    pub fn tls(&self) -> Result<Option<TlsSettings>, String> {
        let Some(port) = self.tls_port else { return Ok(None) };
        let given = |path: &PathBuf| (!path.as_os_str().is_empty()).then(|| path.clone());
        let missing = |name| format!("tls-port is set and {name} is not: TLS needs both");
        let auth_clients = match self.tls_auth_clients.as_str() {
            "no" => ClientCertificates::No,
            "optional" => ClientCertificates::Optional,
            _ => ClientCertificates::Yes,
        };
        Ok(Some(TlsSettings {
            port,
            cert: given(&self.tls_cert_file).ok_or_else(|| missing("tls-cert-file"))?,
            key: given(&self.tls_key_file).ok_or_else(|| missing("tls-key-file"))?,
            ca: given(&self.tls_ca_file),
            auth_clients,
        }))
    }
}
