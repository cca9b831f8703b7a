//! TLS with the nodes.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};

use crate::error::Error;

/// Whom the client believes to be a node, and with what it proves who it is itself.
#[derive(Clone, Debug)]
pub struct Tls {
    roots: RootCertStore,
    identity: Option<(Vec<CertificateDer<'static>>, Arc<PrivateKeyDer<'static>>)>,
}

impl Tls {
    /// Believes nodes whose certificates were signed by an authority in `ca`, a PEM file. The node's certificate must carry
    /// the name, or the IP address, that the node is called by. No other authority is believed, not the system's either.
    ///
    /// # Errors
    ///
    /// [`Error::Setup`]: the file cannot be read, or holds no authority.
    pub fn with_ca_file(ca: impl AsRef<Path>) -> Result<Self, Error> {
        let mut roots = RootCertStore::empty();
        for certificate in chain(ca.as_ref())? {
            roots.add(certificate).map_err(|error| complaint(ca.as_ref(), &error))?;
        }
        Ok(Self { roots, identity: None })
    }

    /// Shows nodes the certificate in the PEM file `certificate`, whose key is in `key`. Its common name must be the user's.
    ///
    /// # Errors
    ///
    /// [`Error::Setup`]: a file cannot be read, or does not hold that.
    pub fn with_certificate_files(
        mut self,
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, Error> {
        let key =
            PrivateKeyDer::from_pem_slice(&read(key.as_ref())?).map_err(|e| complaint(key.as_ref(), &e))?;
        self.identity = Some((chain(certificate.as_ref())?, Arc::new(key)));
        Ok(self)
    }

    pub(crate) fn config(&self) -> Result<Arc<ClientConfig>, Error> {
        let fail = |error: rustls::Error| Error::Setup(format!("TLS: {error}"));
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(fail)?
            .with_root_certificates(self.roots.clone());
        Ok(Arc::new(match &self.identity {
            None => builder.with_no_client_auth(),
            Some((chain, key)) => {
                builder.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(fail)?
            }
        }))
    }
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let pem = read(path)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    match read {
        Ok(chain) if chain.is_empty() => Err(complaint(path, &"holds no certificate in PEM")),
        Ok(chain) => Ok(chain),
        Err(error) => Err(complaint(path, &error)),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| complaint(path, &error))
}

fn complaint(path: &Path, what: &dyn std::fmt::Display) -> Error {
    Error::Setup(format!("{}: {what}", path.display()))
}
