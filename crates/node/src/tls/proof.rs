//! What the other end of a connection has proven of itself.

use rustls::pki_types::{CertificateDer, DnsName};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Whether a certificate can be for the node `name`.
pub fn is_provable(name: &str) -> bool {
    DnsName::try_from(name).is_ok()
}

/// Who is at the other end. Whether the certificate is good has been decided before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Nothing was asked for: a connection without TLS.
    #[default]
    Plain,
    /// TLS, without a certificate.
    Nobody,
    /// A certificate.
    Certificate {
        /// The subject's common name: a user, to Riak.
        common_name: Option<String>,
        /// Its DNS names: a node has its own among them.
        names: Vec<String>,
    },
}

impl Proof {
    /// Of the certificates that the other end has shown, its own first.
    pub fn of(chain: Option<&[CertificateDer<'_>]>) -> Self {
        let Some(own) = chain.and_then(|chain| chain.first()) else { return Self::Nobody };
        let Ok((_, certificate)) = X509Certificate::from_der(own) else { return Self::Nobody };
        let common_name = certificate.subject().iter_common_name().next();
        let common_name = common_name.and_then(|name| name.as_str().ok()).map(str::to_owned);
        let alternatives = certificate.subject_alternative_name().ok().flatten();
        let names = alternatives.iter().flat_map(|extension| &extension.value.general_names);
        let names = names.filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        });
        Self::Certificate { common_name, names: names.collect() }
    }

    /// Whether somebody who calls itself `name` may be believed. Where nothing is asked for, everybody is.
    pub fn vouches_for(&self, name: &str) -> bool {
        match self {
            Self::Plain => true,
            Self::Nobody => false,
            Self::Certificate { names, .. } => names.iter().any(|its| its == name),
        }
    }

    /// The name that a user's certificate is for.
    pub fn common_name(&self) -> Option<&str> {
        match self {
            Self::Certificate { common_name, .. } => common_name.as_deref(),
            Self::Plain | Self::Nobody => None,
        }
    }
}
