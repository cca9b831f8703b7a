//! TLS between peers: both sides show a certificate, and both verify it against the cluster's authority.
//!
//! A node's certificate has the node's name among its DNS names. The caller checks that of whom it called; the called
//! side checks it against what the caller says in the handshake, which runs inside. No session is taken up again: each
//! connection is verified by what holds when it is made.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::version::TLS13;
use rustls::{ClientConfig, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::expiry::{Expiry, Reminder};
use super::files::{authorities, chain, complaint, key, mismatch, provider};
use super::trouble::explain;
use super::{CertificateReport, Proof, Stream};
use crate::config::PeerTls;
use crate::handshake::HandshakeError;
use crate::reload::{FileContent, LOOK_INTERVAL, Reloaded};

/// How this node talks to its peers: with TLS, or without.
#[derive(Clone, Debug, Default)]
pub(crate) struct PeerSide(Option<Arc<Mutual>>);

#[derive(Debug)]
struct Mutual {
    files: Arc<Reloaded<Configs>>,
    reminder: Reminder,
}

/// What one set of files makes.
struct Configs {
    client: Arc<ClientConfig>,
    server: Arc<ServerConfig>,
    expiry: Expiry,
}

impl PeerSide {
    /// Reads the files that the configuration names, if it does.
    ///
    /// # Errors
    ///
    /// Which file, and what is wrong with it.
    pub fn open(settings: Option<&PeerTls>) -> Result<Self, String> {
        let Some(PeerTls { ca, certificate, key }) = settings else { return Ok(Self(None)) };
        let paths: Vec<PathBuf> = [ca, certificate, key].map(Clone::clone).into();
        let files = Reloaded::open("certificates for peers", paths, Configs::read)?;
        let reminder = Reminder::default();
        reminder.remind(&files.present().expiry);
        Ok(Self(Some(Arc::new(Mutual { files, reminder }))))
    }

    /// Makes a connection to the node `name` a private one, if this node is configured so.
    pub async fn call(&self, stream: TcpStream, name: &str) -> Result<Stream, HandshakeError> {
        let Some(mutual) = &self.0 else { return Ok(Box::new(stream)) };
        let server = ServerName::try_from(name.to_owned())
            .map_err(|_| HandshakeError::Tls(format!("no certificate can be for {name:?}")))?;
        let connector = TlsConnector::from(Arc::clone(&mutual.files.present().client));
        let connected = connector.connect(server, stream).await;
        Ok(Box::new(connected.map_err(|error| HandshakeError::Tls(explain(&error)))?))
    }

    /// The same for a connection that somebody else has made, and what that one has proven.
    pub async fn answer(&self, stream: TcpStream) -> Result<(Stream, Proof), HandshakeError> {
        let Some(mutual) = &self.0 else { return Ok((Box::new(stream), Proof::Plain)) };
        let acceptor = TlsAcceptor::from(Arc::clone(&mutual.files.present().server));
        let accepted = acceptor.accept(stream).await;
        let stream = accepted.map_err(|error| HandshakeError::Tls(explain(&error)))?;
        let proof = Proof::of(stream.get_ref().1.peer_certificates());
        Ok((Box::new(stream), proof))
    }

    pub fn report(&self) -> Option<CertificateReport> {
        self.0.as_ref().map(|mutual| mutual.files.present().expiry.report())
    }

    /// Looks at the files again, now.
    #[cfg(test)]
    pub fn look(&self) {
        self.0.iter().for_each(|mutual| mutual.files.look());
    }

    /// Looks at the files again and again, and tells in time when the certificate expires.
    pub async fn watch(self) {
        let Some(mutual) = self.0 else { return };
        let remind = async {
            loop {
                tokio::time::sleep(LOOK_INTERVAL).await;
                mutual.reminder.remind(&mutual.files.present().expiry);
            }
        };
        tokio::join!(Arc::clone(&mutual.files).watch(), remind);
    }
}

impl Configs {
    fn read(files: &[FileContent]) -> Result<Self, String> {
        let [ca, certificate, own_key] = files else { return Err("three files are needed".to_owned()) };
        let roots = authorities(ca)?;
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), provider())
            .build()
            .map_err(|error| complaint(ca, &error.to_string()))?;
        let unusable = |error: rustls::Error| mismatch(certificate, own_key, &error);
        let mut server = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(unusable)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain(certificate)?, key(own_key)?)
            .map_err(unusable)?;
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        let mut client = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(unusable)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain(certificate)?, key(own_key)?)
            .map_err(unusable)?;
        client.resumption = Resumption::disabled();
        let expiry = Expiry::read(certificate, "peers")?;
        Ok(Self { client: Arc::new(client), server: Arc::new(server), expiry })
    }
}
