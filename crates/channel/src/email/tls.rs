//! TLS to a relay: rustls on ring, the public authorities and what the operator adds.

use super::config::Config;
use super::wire::Wire;
use super::{StartError, pem};
use std::io;
use std::sync::Arc;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Encrypts connections.
pub(super) struct Connector(TlsConnector);

impl Connector {
    pub fn new(config: &Config) -> Result<Self, StartError> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        if let Some(path) = &config.trust {
            let fault = |problem: String| StartError::File {
                carrier: config.name.clone(),
                file: path.display().to_string(),
                problem,
            };
            let text = std::fs::read_to_string(path).map_err(|error| fault(error.to_string()))?;
            let blocks = pem::blocks(&text).map_err(|problem| fault(problem.to_owned()))?;
            for (_, bytes) in blocks
                .into_iter()
                .filter(|(label, _)| label == "CERTIFICATE")
            {
                roots
                    .add(CertificateDer::from(bytes))
                    .map_err(|error| fault(error.to_string()))?;
            }
        }
        let client = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring serves the versions that rustls takes by default")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(TlsConnector::from(Arc::new(client))))
    }

    /// Encrypts a connection. What the server sent before is refused: it came in the clear and could be anybody's.
    pub async fn encrypt(&self, wire: Wire, host: &str) -> io::Result<Wire> {
        let name = ServerName::try_from(host.to_owned()).map_err(|_| {
            io::Error::new(
                io::ErrorKind::InvalidInput,
                "the host is no name of a server",
            )
        })?;
        let stream = wire.into_clear_stream()?;
        let stream = self.0.connect(name, stream).await?;
        Ok(Wire::new(Box::new(stream)))
    }
}
