//! The client's side of TLS, for programs that ask nodes.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Stream;
use super::files::{authorities, chain, key, mismatch, provider};
use super::trouble::explain;
use crate::reload::FileContent;

/// Calls nodes whose certificates are of one authority.
#[derive(Clone)]
pub struct CallerTls(TlsConnector);

impl std::fmt::Debug for CallerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CallerTls")
    }
}

impl CallerTls {
    /// `ca` is the authority's certificate in PEM; `identity` a certificate and its key, for a client that has one.
    ///
    /// # Errors
    ///
    /// Which file, and what is wrong with it.
    pub fn new(ca: &Path, identity: Option<(&Path, &Path)>) -> Result<Self, String> {
        let ca = read(ca)?;
        let failed = |error: rustls::Error| format!("{}: {error}", ca.path.display());
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(failed)?
            .with_root_certificates(authorities(&ca)?);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some((certificate, own_key)) => {
                let (certificate, own_key) = (read(certificate)?, read(own_key)?);
                builder
                    .with_client_auth_cert(chain(&certificate)?, key(&own_key)?)
                    .map_err(|error| mismatch(&certificate, &own_key, &error))?
            }
        };
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// Makes a connection to `host` a private one. The node's certificate must be for `host`, a name or an address.
    ///
    /// # Errors
    ///
    /// What is wrong, in words.
    pub async fn connect(&self, host: &str, stream: TcpStream) -> io::Result<Stream> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        match self.0.connect(name, stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => Err(io::Error::new(error.kind(), explain(&error))),
        }
    }
}

fn read(path: &Path) -> Result<FileContent, String> {
    let bytes =
        std::fs::read(path).map_err(|error| format!("{}: cannot be read: {error}", path.display()))?;
    Ok(FileContent { path: path.to_owned(), bytes })
}
