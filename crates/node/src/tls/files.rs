//! Certificates and keys from PEM files, and what is wrong with them.

use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{Error, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::reload::FileContent;

/// The one set of algorithms that this program has.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// A certificate with those between it and its authority.
pub(super) fn chain(file: &FileContent) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, Error> = CertificateDer::pem_slice_iter(&file.bytes).collect();
    match read {
        Ok(chain) if chain.is_empty() => Err(complaint(file, "holds no certificate in PEM")),
        Ok(chain) => Ok(chain),
        Err(error) => Err(complaint(file, &format!("is not PEM: {error}"))),
    }
}

pub(super) fn key(file: &FileContent) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(&file.bytes).map_err(|error| match error {
        Error::NoItemsFound => complaint(file, "holds no private key in PEM"),
        error => complaint(file, &format!("is not PEM: {error}")),
    })
}

/// Authorities whose word is taken.
pub(super) fn authorities(file: &FileContent) -> Result<Arc<RootCertStore>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in chain(file)? {
        roots.add(certificate).map_err(|error| complaint(file, &format!("holds no authority: {error}")))?;
    }
    Ok(Arc::new(roots))
}

/// A complaint about a certificate and its key together.
pub(super) fn mismatch(certificate: &FileContent, key: &FileContent, error: &rustls::Error) -> String {
    match error {
        rustls::Error::InconsistentKeys(_) => {
            let certificate = certificate.path.display();
            complaint(key, &format!("is not the key of the certificate in {certificate}"))
        }
        error => complaint(certificate, &format!("cannot be used: {error}")),
    }
}

pub(super) fn complaint(file: &FileContent, what: &str) -> String {
    format!("{}: {what}", file.path.display())
}
